//! `bonded backup …` and `bonded restore`: a domain's data kept elsewhere, and put back from there.

use crate::{
    Failure,
    args::{self, Backup, Place, Restore, Store, block_on},
    client, key, profile,
};
use ::backup::{Listed, Shelf, Step, Unbacked, Uncounted, verify};
use gateway::{BackupConfig, BackupWatch, Config, Domain, Restored, Restoring, Unrestored};
use indicatif::{ProgressBar, ProgressStyle};
use ledger::Ledger;
use serde_json::json;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};
use terms::{Digest, Event};
use wire::management::{All, BackedUp, platform_client::PlatformClient as Platform};

pub(crate) fn backup(verb: &Backup, json: bool) -> Result<(), Failure> {
    match verb {
        Backup::Create {
            profile,
            dir,
            to,
            secret,
        } => {
            let made = match (profile, dir) {
                (Some(profile), _) => by_gateway(profile)?,
                (None, Some(dir)) => offline(dir, to.as_deref(), secret)?,
                (None, None) => return Err(Failure::Usage("give -p or --dir".to_owned())),
            };
            tell(&made, json);
            Ok(())
        }
        Backup::List(place) => list(place, json),
        Backup::Verify {
            place,
            number,
            secret,
        } => verified(place, (*number, secret), json),
    }
}

fn by_gateway(whom: &Path) -> Result<BackedUp, Failure> {
    let profile = profile::read(whom)?.for_management();
    block_on(async {
        let client = client::connect(&profile, None).await?;
        let made = Platform::new(client.channel).back_up(All {}).await;
        let made = made.map_err(|status| Failure::answered(&status))?;
        Ok(made.into_inner())
    })
}

fn offline(dir: &Path, to: Option<&Path>, secret: &args::Secret) -> Result<BackedUp, Failure> {
    let domain = Arc::new(key::opened(dir, secret)?);
    // A bucket's address is no path of this folder.
    let is_folder = to.is_some_and(|to| !to.starts_with("s3:"));
    let whole = to
        .filter(|_| is_folder)
        .map(std::path::absolute)
        .transpose();
    let whole = whole.map_err(|error| Failure::Usage(error.to_string()))?;
    let to = whole.as_deref().or(to);
    let bar = bar();
    let made = block_on(async {
        let (shown, mut copied, mut new) = (bar.clone(), 0, 0);
        let watch: BackupWatch = Box::new(move |step| {
            if let Step::Object { bytes, is_new } = step {
                copied += bytes;
                new += if is_new { bytes } else { 0 };
                shown.set_position(copied);
                shown.set_message(format!("{new} new / 新增"));
            }
            Ok(())
        });
        let made = domain.back_up(to, watch).await;
        made.map_err(|why| failed(&why))
    });
    bar.finish_and_clear();
    let made = made?;
    for Uncounted { name, code } in &made.uncounted {
        eprintln!(
            "{name}: {code}: not a list of this domain; it is left as it is, and while it is there no object \
             is removed / 非本域备份清单，未予处理"
        );
    }
    Ok(BackedUp {
        number: made.number,
        backup: made.backup.to_string(),
        objects: made.objects,
        bytes: made.bytes,
        bytes_new: made.bytes_new,
        index: made.index,
        removed: made.removed,
    })
}

fn tell(made: &BackedUp, json: bool) {
    if json {
        let told = json!({"number": made.number, "backup": made.backup, "objects": made.objects,
            "bytes": made.bytes, "bytes_new": made.bytes_new, "index": made.index,
            "removed": made.removed});
        println!("{told}");
        return;
    }
    println!("backup / 备份: {}  {}", made.number, made.backup);
    println!(
        "{} objects, {} bytes, {} of them new / 对象数、字节数、新增字节数",
        made.objects, made.bytes, made.bytes_new
    );
    println!("on record / 已存证: #{}", made.index);
    if made.removed > 0 {
        println!("older backups removed / 已移除旧备份: {}", made.removed);
    }
}

fn list(place: &Place, json: bool) -> Result<(), Failure> {
    let shelf = shelf(place)?;
    let record = place.dir.as_deref().map(recorded).transpose()?;
    let listed = Listed::each(&*shelf, &mut |listed| {
        match listed {
            Ok(listed) => row(&listed, record.as_ref(), json),
            Err(Uncounted { name, code }) if json => {
                println!("{}", json!({"name": name, "code": code}));
            }
            Err(Uncounted { name, code }) => {
                println!("{name}: {code}: no list that is one / 清单无法识别");
            }
        }
        Ok(())
    });
    listed.map_err(|why| failed(&why))
}

/// One backup; whether it is on record where the domain's record is here.
fn row(listed: &Listed, record: Option<&BTreeSet<Digest>>, json: bool) {
    let header = &listed.header;
    let (objects, bytes) = (header.objects.len(), header.objects.values().sum::<u64>());
    let is_recorded = record.map(|record| record.contains(&listed.digest));
    if json {
        let told = json!({"number": header.size, "log": header.log, "at": header.at,
            "backup": listed.digest, "objects": objects, "bytes": bytes, "recorded": is_recorded});
        println!("{told}");
        return;
    }
    let at = header.at.format("%Y-%m-%d %H:%M:%S");
    let told = if is_recorded == Some(false) {
        "  not on record: none of this domain's / 账本无此备份"
    } else {
        ""
    };
    println!(
        "{:>12}  {at}Z  {bytes:>14} bytes  {objects:>7} objects  {}{told}",
        header.size, header.log
    );
}

/// The lists that a domain has on record; it may be served meanwhile.
fn recorded(dir: &Path) -> Result<BTreeSet<Digest>, Failure> {
    let config = Config::read(dir).map_err(|error| Failure::Usage(error.to_string()))?;
    let other = |breach: ledger::Breach| Failure::Other(breach.to_string());
    let reader = Arc::new(Ledger::open_read_only(config.ledger).map_err(other)?);
    let mut lists = BTreeSet::new();
    for stored in reader.events(0).map_err(other)? {
        if let Event::BackupMade { backup, .. } = stored.map_err(other)?.event {
            lists.insert(backup);
        }
    }
    Ok(lists)
}

fn verified(
    place: &Place,
    (number, secret): (Option<u64>, &args::Secret),
    json: bool,
) -> Result<(), Failure> {
    let shelf = shelf(place)?;
    // With the domain's folder its keys are there, and so the list and every piece can be opened.
    let domain = place.dir.as_deref().map(|dir| key::opened(dir, secret));
    let opened = domain
        .transpose()?
        .map(|domain| domain.keyring.backup_key());
    let opened = opened.transpose().map_err(|why| failed(&why.into()))?;
    let listed = Listed::find(&*shelf, number, opened.as_ref()).map_err(|why| failed(&why))?;
    let bar = bar();
    bar.set_length(listed.header.objects.values().sum());
    let found = verify(&*shelf, &listed, opened.as_ref(), &mut |bytes| {
        bar.set_position(bytes);
    });
    bar.finish_and_clear();
    let found = found.map_err(|why| failed(&why))?;
    if json {
        let text = serde_json::to_string(&found);
        println!(
            "{}",
            text.map_err(|error| Failure::Other(error.to_string()))?
        );
        return Ok(());
    }
    println!(
        "backup {}: {} objects, {} bytes, as they were written / 备份对象核验通过",
        found.size, found.objects, found.bytes
    );
    match found.files {
        Some(files) => println!("opened: {files} files and the log's pieces / 已解密核对"),
        None => println!("not opened: no key was given / 未提供密钥，未解密核对"),
    }
    Ok(())
}

pub(crate) fn restore(given: &Restore, json: bool) -> Result<(), Failure> {
    let keystore = given.opener.config(false)?;
    let store = given.store.config()?;
    let shelf = store.shelf(Path::new(""), Some(&given.from));
    let shelf = shelf.map_err(|why| failed(&why))?;
    let restoring = Restoring {
        from: &*shelf,
        number: given.number,
        keys: &given.keys,
        into: &given.dir,
        keystore: &keystore,
        secrets: &key::secrets(&given.opener.secret),
        danger_accept_rollback: given.danger_accept_rollback,
    };
    let bar = bar();
    let mut copied = 0;
    let mut watch = |step: Step| {
        if let Step::Object { bytes, .. } = step {
            copied += bytes;
            bar.set_position(copied);
        }
        Ok(())
    };
    let restored = restoring.restore(&mut watch).map_err(|why| match why {
        Unrestored::RolledBack { .. } => Failure::RolledBack(why.to_string()),
        Unrestored::NotEmpty(_) | Unrestored::NoKeys(_) => Failure::Usage(why.to_string()),
        _ => Failure::Other(why.to_string()),
    });
    bar.finish_and_clear();
    told(&restored?, (&given.dir, json))
}

fn told(restored: &Restored, (dir, json): (&Path, bool)) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string(restored);
        println!(
            "{}",
            text.map_err(|error| Failure::Other(error.to_string()))?
        );
        return Ok(());
    }
    println!(
        "{}: put back as of entry {} / 已恢复至第 {} 条",
        dir.display(),
        restored.size,
        restored.size
    );
    println!("on record / 已存证: #{}", restored.index);
    if let Some(known) = restored.rolled_back_from {
        println!(
            "the log had {known} entries; what came after is lost, and the record says so / \
             账本曾有 {known} 条，其后内容已丢失并已存证"
        );
    }
    for key in &restored.unopened {
        println!(
            "{key}: no key opens it: it was destroyed, or is newer than the keys / 无密钥，无法打开"
        );
    }
    for dataset in &restored.sealed {
        println!(
            "{dataset}: sealed, since what left of it after the backup is not known; two others release it \
             (bonded domain release-seal, approve-release) / 已封存：备份之后的放行记录不明，须两人解封"
        );
    }
    println!(
        "whoever saw the log at more than {} entries (witnesses, auditors) has to be told / \
         请告知见证方与审计方",
        restored.size
    );
    Ok(())
}

fn shelf(place: &Place) -> Result<Box<dyn Shelf>, Failure> {
    let (dir, config) = match &place.dir {
        Some(dir) => {
            let config = Config::read(dir).map_err(|error| Failure::Usage(error.to_string()))?;
            (dir.as_path(), config.backup)
        }
        None => (Path::new(""), place.store.config()?),
    };
    let shelf = config.shelf(dir, place.at.as_deref());
    shelf.map_err(|why| failed(&why))
}

impl Store {
    /// What a store is reached with, where no bonded.toml says.
    fn config(&self) -> Result<BackupConfig, Failure> {
        let absolute = |file: &Option<PathBuf>| {
            let file = file.as_deref();
            let file =
                file.map(|file| std::path::absolute(file).map_err(|e| Failure::usage(file, e)));
            file.transpose()
        };
        Ok(BackupConfig {
            s3_endpoint: self.s3_endpoint.clone(),
            s3_region: self.s3_region.clone(),
            s3_credentials_file: absolute(&self.s3_credentials_file)?,
            s3_authorities: absolute(&self.s3_authorities)?,
            ..BackupConfig::default()
        })
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    let style = "{bytes} {bytes_per_sec} {msg}";
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

fn failed(why: &Unbacked) -> Failure {
    let cause = std::error::Error::source(why).map(|cause| format!(": {cause}"));
    Failure::Other(format!(
        "{}: {why}{}",
        why.code(),
        cause.unwrap_or_default()
    ))
}

/// Copies the keys of a domain that is not served.
pub(crate) fn copy_keys(domain: &Domain, to: &Path, json: bool) -> Result<(), Failure> {
    let (number, folder) = block_on(async {
        let copied = domain.copy_keys(to).await;
        copied.map_err(|error| Failure::Other(error.to_string()))
    })?;
    if json {
        println!("{}", json!({"number": number, "folder": folder}));
    } else {
        println!(
            "copy {number}: {} / 密钥副本\nkeep it apart from the data and its backups: what is \
             destroyed later opens with it, until it is destroyed too / \
             请与数据及其备份分开保管；今后销毁的数据凭此副本仍可打开，直至副本一并销毁",
            folder.display()
        );
    }
    Ok(())
}
