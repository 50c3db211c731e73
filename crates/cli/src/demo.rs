//! `bonded demo`: the whole story on generated data, through a real served gateway.

mod data; // the seed directory, made up

use crate::{
    Failure,
    args::{Demo, block_on},
    client::{self, Client},
    explain, export, profile, query, seed, table,
};
use chrono::Utc;
use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
    process::Stdio,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    signal::unix::{SignalKind, signal},
};
use wire::operations::{ExplainRequest, ExportRequest, operations_client::OperationsClient};

/// Rows of a result the demo shows.
const ROWS_SHOWN: usize = 8;

/// The demo's statements.
const MASKED: &str =
    "SELECT 证件号码, 职工姓名, 手机号, 开户日期, 缴存比率 FROM account ORDER BY 开户日期 LIMIT 5";
const JOINED: &str = "SELECT i.单位类型, count(*) AS 人数 FROM gjj.account a \
     JOIN sb.insured i ON a.证件号码 = i.证件号码 GROUP BY i.单位类型 ORDER BY 2 DESC";
const AVERAGE: &str = "SELECT i.区, count(*) AS 人数, avg(a.月缴额) AS 平均月缴额 FROM gjj.account a \
     JOIN sb.insured i ON a.证件号码 = i.证件号码 GROUP BY i.区 ORDER BY 3 DESC";
const RAW: &str = "SELECT 职工姓名, 月缴额 * 12 FROM account WHERE 月缴额 > 3000";
const OTHERS: &str = "SELECT count(*) FROM gjj.account";

pub(crate) fn demo(demo: &Demo) -> Result<(), Failure> {
    let teller = Teller {
        colour: std::io::stdout().is_terminal(),
    };
    let (dir, kept) = folder(demo)?;
    let told = block_on(async {
        let mut gateway = None;
        let told = tokio::select! {
            told = story(&teller, demo, &dir, &mut gateway) => told,
            told = told_to_end() => told,
        };
        if let Some(mut gateway) = gateway {
            // A killed gateway loses nothing; its folder is the demo's own.
            gateway.process.kill().await.ok();
        }
        told
    });
    if !kept {
        std::fs::remove_dir_all(&dir).map_err(|error| Failure::other(&dir, error))?;
    }
    told
}

/// Where the demo lives, and whether it stays.
fn folder(demo: &Demo) -> Result<(PathBuf, bool), Failure> {
    if let Some(dir) = &demo.dir {
        if dir.exists() {
            let text = format!("{}: exists already; choose another folder", dir.display());
            return Err(Failure::Usage(text));
        }
        std::fs::create_dir_all(dir).map_err(|error| Failure::other(dir, error))?;
        return Ok((dir.clone(), true));
    }
    let name = format!("bonded-demo-{}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    std::fs::create_dir(&dir).map_err(|error| Failure::other(&dir, error))?;
    Ok((dir, false))
}

/// Tells in clear short lines; coloured on a terminal, plain in a pipe.
struct Teller {
    colour: bool,
}

impl Teller {
    fn title(&self, number: u32, zh: &str, en: &str) {
        if self.colour {
            println!("\n\u{1b}[1;36m{number}. {zh}\u{1b}[0m  \u{1b}[36m{en}\u{1b}[0m");
        } else {
            println!("\n{number}. {zh}  {en}");
        }
    }

    fn sql(&self, sql: &str) {
        if self.colour {
            println!("\u{1b}[2m  {sql}\u{1b}[0m");
        } else {
            println!("  {sql}");
        }
    }

    fn refused(&self, text: &str) {
        if self.colour {
            println!("\u{1b}[33m  ✗ {text}\u{1b}[0m");
        } else {
            println!("  ✗ {text}");
        }
    }
}

/// A gateway of our own, ended with the demo.
struct Served {
    process: Child,
    endpoint: String,
}

/// Waits until somebody tells the demo to end: by closing the terminal, or as a service is stopped.
async fn told_to_end() -> Result<(), Failure> {
    let wanted = |kind| signal(kind).map_err(|error| Failure::Other(error.to_string()));
    let mut terminate = wanted(SignalKind::terminate())?;
    let mut interrupt = wanted(SignalKind::interrupt())?;
    let mut hang_up = wanted(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
    }
    println!("\n  ended / 已结束");
    Ok(())
}

async fn served(domain: &Path) -> Result<Served, Failure> {
    let program = std::env::current_exe().map_err(|error| Failure::Other(error.to_string()))?;
    let mut process = Command::new(program)
        .args([
            "serve",
            "--flight",
            "127.0.0.1:0",
            "--admin",
            "127.0.0.1:0",
            "--dir",
        ])
        .arg(domain)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Failure::Other(error.to_string()))?;
    let mut line = String::new();
    if let Some(stdout) = process.stdout.take() {
        let read = BufReader::new(stdout).read_line(&mut line).await;
        read.map_err(|error| Failure::Other(error.to_string()))?;
    }
    let address = line
        .split_whitespace()
        .find_map(|word| word.strip_prefix("flight="));
    let address = address.map(|address| format!("https://{address}"));
    let endpoint = address.unwrap_or_default();
    let served = Served { process, endpoint };
    if served.endpoint.is_empty() {
        return Err(Failure::Other(
            "the demo's gateway did not become ready".to_owned(),
        ));
    }
    Ok(served)
}

async fn story(
    teller: &Teller,
    demo: &Demo,
    dir: &Path,
    serving: &mut Option<Served>,
) -> Result<(), Failure> {
    let (source, domain) = (dir.join("seed"), dir.join("domain"));
    teller.title(
        1,
        "建立授权运营域",
        "A domain is made and data comes in sealed",
    );
    let scale = data::Scale {
        rows: demo.rows,
        today: Utc::now().date_naive(),
    };
    data::write_seed(&source, &scale, &mut |_| {})
        .map_err(|error| Failure::Other(error.to_string()))?;
    let read = seed::read(&source).map_err(|error| Failure::Usage(error.to_string()))?;
    seed::play(&domain, &read, &seed::Keeping::default()).await?;
    println!(
        "  公积金个人信息表: {} people, 9 items, grades as in the guide's appendix C / {} 人，9 个数据项，等级同指南附录 C",
        demo.rows, demo.rows
    );
    let gateway = serving.insert(served(&domain).await?);
    println!("  gateway / 网关: {}", gateway.endpoint);
    asked(teller, &domain, &gateway.endpoint).await?;
    let package = dir.join("package");
    exported(teller, &domain, &gateway.endpoint, &package).await?;
    verified(teller, &domain, &package)?;
    head(teller, &domain, gateway)?;
    if demo.serve {
        println!(
            "\n  serving on / 持续服务于 {}; profiles in {}",
            gateway.endpoint,
            domain.join("people").display()
        );
        let ended = gateway.process.wait().await;
        ended.map_err(|error| Failure::Other(error.to_string()))?;
    }
    Ok(())
}

async fn as_person(
    domain: &Path,
    endpoint: &str,
    person: &str,
    scenario: &str,
) -> Result<Client, Failure> {
    let path = domain.join("people").join(person).join("profile.toml");
    let mut profile = profile::read(&path)?;
    endpoint.clone_into(&mut profile.endpoint);
    client::connect(&profile, Some(scenario)).await
}

async fn shown(teller: &Teller, client: &Client, sql: &str) -> Result<(), Failure> {
    teller.sql(sql);
    let answer = client.query(sql).await?;
    let drawn = table::table(&answer.schema, &answer.batches, ROWS_SHOWN);
    let told = query::told(&answer);
    for line in drawn.lines().chain(told.lines()) {
        println!("  {line}");
    }
    Ok(())
}

async fn refused(teller: &Teller, client: &Client, sql: &str) -> Result<(), Failure> {
    teller.sql(sql);
    match client.query(sql).await {
        Err(Failure::Refused(text)) => {
            teller.refused(&text);
            Ok(())
        }
        Err(other) => Err(other),
        Ok(_) => Err(Failure::Other(
            "the demo's refused statement was answered".to_owned(),
        )),
    }
}

async fn asked(teller: &Teller, domain: &Path, endpoint: &str) -> Result<(), Failure> {
    let li = as_person(domain, endpoint, "li", "housing").await?;
    teller.title(
        2,
        "分析员只看到脱敏视图",
        "The analyst sees the masked view",
    );
    shown(teller, &li, MASKED).await?;
    teller.title(3, "按令牌连接两个数据集", "Two datasets joined on tokens");
    shown(teller, &li, JOINED).await?;
    teller.title(
        4,
        "按区平均，小组不予公布",
        "An average by district, one group withheld",
    );
    shown(teller, &li, AVERAGE).await?;
    teller.title(5, "先看决定", "The decision, before any data is touched");
    teller.sql(AVERAGE);
    let mut operations = OperationsClient::new(li.channel.clone());
    let reply = operations
        .explain(li.request(ExplainRequest {
            sql: AVERAGE.to_owned(),
        }))
        .await;
    let reply = reply
        .map_err(|status| Failure::answered(&status))?
        .into_inner();
    let value: serde_json::Value =
        serde_json::from_str(&reply.json).map_err(|error| Failure::Other(error.to_string()))?;
    explain::told(&value)
        .lines()
        .for_each(|line| println!("  {line}"));
    teller.title(
        6,
        "原始值查询被拒绝，并说明理由与补救",
        "A raw query is refused, with reason and remedy",
    );
    refused(teller, &li, RAW).await?;
    teller.title(7, "其他运营单位看不到", "The other operator is refused");
    let wang = as_person(domain, endpoint, "wang", "roads").await?;
    refused(teller, &wang, OTHERS).await?;
    let wang = as_person(domain, endpoint, "wang", "housing").await?;
    refused(teller, &wang, OTHERS).await
}

async fn exported(
    teller: &Teller,
    domain: &Path,
    endpoint: &str,
    package: &Path,
) -> Result<(), Failure> {
    teller.title(
        8,
        "导出带签名清单的数据包",
        "An export with a signed manifest",
    );
    let li = as_person(domain, endpoint, "li", "housing").await?;
    teller.sql(AVERAGE);
    let wanted = ExportRequest {
        sql: AVERAGE.to_owned(),
        product: String::new(),
    };
    let files = export::fetch(&li, wanted).await?;
    export::write(package, &files)?;
    for (name, bytes) in &files {
        println!("  {name} ({} bytes)", bytes.len());
    }
    Ok(())
}

fn verified(teller: &Teller, domain: &Path, package: &Path) -> Result<(), Failure> {
    let key = domain.join("keys").join("manifest.pub.pem");
    teller.title(9, "离线核验", "Verified offline");
    crate::verify::verify(package, &key, None, false)?;
    teller.title(10, "篡改后的数据包不能通过", "A tampered package fails");
    let data = package.join(manifest::DATA_FILE);
    let mut bytes = std::fs::read(&data).map_err(|error| Failure::other(&data, error))?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    std::fs::write(&data, bytes).map_err(|error| Failure::other(&data, error))?;
    match crate::verify::verify(package, &key, None, false) {
        Err(Failure::Other(text)) => {
            teller.refused(&text);
            Ok(())
        }
        Err(other) => Err(other),
        Ok(()) => Err(Failure::Other("a tampered package was verified".to_owned())),
    }
}

fn head(teller: &Teller, domain: &Path, gateway: &Served) -> Result<(), Failure> {
    teller.title(11, "账本", "The ledger head, and everything hashed again");
    let reader = ::ledger::Ledger::open_read_only(domain);
    let reader = reader.map_err(|error| Failure::Other(error.to_string()))?;
    let (_, note) = reader
        .head()
        .map_err(|error| Failure::Other(error.to_string()))?;
    note.lines().for_each(|line| println!("  {line}"));
    let report = ::ledger::Ledger::verify(domain, &mut |_, _| {});
    let report = report.map_err(|error| Failure::Other(error.to_string()))?;
    println!(
        "  ✓ {} entries hashed again / 已重新核算 {} 条",
        report.entries, report.entries
    );
    if let Some(process) = gateway.process.id() {
        println!("  gateway process / 网关进程: {process}");
    }
    Ok(())
}
