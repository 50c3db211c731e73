use crate::Failure;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use policy::Engine;
use serde_json::json;
use std::{fs::OpenOptions, io::Write, path::PathBuf};
use survey::{Elements, Entry};

/// A data file, and what a person says of it.
#[derive(Debug, Args)]
pub(crate) struct Describe {
    /// CSV or Parquet, on this machine / 本机数据文件
    pub file: PathBuf,
    /// The dataset's name, `schema.table` or `table`; the file's if not given / 数据集名
    #[arg(long)]
    pub dataset: Option<String>,
    /// What people call it / 名称
    #[arg(long, default_value = "")]
    pub title: String,
    /// The body that provides it / 提供单位
    #[arg(long, default_value = "")]
    pub provider: String,
    /// Where the provider has it from / 来源
    #[arg(long, default_value = "")]
    pub source: String,
    /// The field it belongs to / 领域
    #[arg(long, default_value = "")]
    pub sector: String,
    /// Update cycle / 更新周期
    #[arg(long, default_value = "")]
    pub update: String,
    /// How many rows are looked at, at most / 抽样行数上限
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(20..=100_000))]
    pub rows: u32,
    /// A folder of policies whose mask table counts too / 本域策略目录
    #[arg(long)]
    pub policies: Option<PathBuf>,
    /// The draft's file, made anew; the terminal if not given / 草稿文件
    #[arg(long, short)]
    pub output: Option<PathBuf>,
}

/// Looks at a data file and drafts its catalogue entry; nothing is sent anywhere.
pub(super) fn describe(given: &Describe, as_json: bool) -> Result<(), Failure> {
    let file = given.file.as_path();
    let engine = Engine::load(given.policies.as_deref());
    let masks = engine
        .masks()
        .map_err(|why| Failure::Usage(why.to_string()))?;
    let bar = bar();
    let mut progress = |progress: vault::Progress| {
        bar.set_length(progress.bytes_total);
        bar.set_position(progress.bytes_done);
    };
    let rows = usize::try_from(given.rows).unwrap_or(usize::MAX);
    let sampled = vault::sample(file, rows, &mut progress);
    bar.finish_and_clear();
    let sampled = sampled.map_err(|why| Failure::Usage(said(&why)))?;
    let entry = survey::describe(&sampled, masks).map_err(|why| Failure::usage(file, why))?;
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy())
        .unwrap_or_default();
    if as_json {
        println!("{}", told(&entry, &name));
        return Ok(());
    }
    let text = survey::draft(&entry, &elements(given)?, &name);
    let Some(output) = &given.output else {
        print!("{text}");
        return Ok(());
    };
    let made = OpenOptions::new().write(true).create_new(true).open(output);
    made.and_then(|mut made| made.write_all(text.as_bytes()))
        .map_err(|error| Failure::usage(output, error))?;
    let unknown = entry
        .items
        .iter()
        .filter(|item| item.grade.is_none())
        .count();
    println!(
        "{}: {} items to confirm, {unknown} of them unknown / {} 个数据项待确认，其中 {unknown} 个未知",
        output.display(),
        entry.items.len(),
        entry.items.len(),
    );
    Ok(())
}

fn elements(given: &Describe) -> Result<Elements, Failure> {
    let stem = given
        .file
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned());
    let name = given.dataset.clone().or(stem).unwrap_or_default();
    // The schema may be left to the domain; the name may not.
    let whole = crate::catalogue::qualified(&name, "schema");
    if let Err(wrong) = whole.parse::<terms::DatasetName>() {
        return Err(Failure::Usage(format!("{wrong}; give one: --dataset NAME")));
    }
    Ok(Elements {
        name,
        title: given.title.clone(),
        provider: given.provider.clone(),
        source: given.source.clone(),
        sector: given.sector.clone(),
        update: given.update.clone(),
    })
}

/// What was guessed, for machines; no catalogue entry, so that none is made of it unread.
fn told(entry: &Entry, file: &str) -> serde_json::Value {
    let items = entry.items.iter().map(|item| {
        let basis: Vec<String> = item.basis.iter().map(ToString::to_string).collect();
        json!({"name": item.name, "kind": item.kind, "grade": item.grade, "mask": item.mask,
               "basis": basis, "unconfirmed": true})
    });
    let items: Vec<_> = items.collect();
    json!({"file": file, "rows": entry.rows, "looked_at": entry.looked_at,
           "subject": entry.subject, "guessed": items, "unconfirmed": true})
}

/// What went wrong, but not what a reader says of the bytes: a value may stand in that.
fn said(why: &vault::Unreceivable) -> String {
    format!("{}: {why}", why.code())
}

/// Progress on a terminal, nothing in a pipe.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
