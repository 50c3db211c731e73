//! `bonded ledger …`: the log read where it lies or where it is published, and what is done to it.

mod audit; // the record held against its rules
mod http; // a published log's files over HTTP
mod source; // a domain's folder, or a published log
mod tail; // entries, filtered, as they come
mod filter; // which entries are asked for
mod upkeep; // what the gateway does to the log for who may

use crate::{
    Failure,
    args::{Ledger as Verb, Where},
};
use ::ledger::{Breach, Checkpoint, Reader, Report};
use indicatif::ProgressBar;
use source::Source;
use std::{io::Write as _, path::Path};

pub(crate) fn ledger(verb: &Verb, json: bool) -> Result<(), Failure> {
    match verb {
        Verb::Head(place) => head(place, json),
        Verb::Verify { place, old } => verify(place, old.as_deref(), json),
        Verb::Prove { place, index } => prove(place, *index),
        Verb::Audit(place) => audit::audit(place, json),
        Verb::Tail(tail) => tail::tail(tail, json),
        Verb::Copy { place, folder } => copy(place, folder),
        Verb::Read {
            as_whom,
            index,
            purpose,
        } => upkeep::read(as_whom, (*index, purpose), json),
        Verb::Redact {
            as_whom,
            index,
            basis,
        } => upkeep::redact(as_whom, (*index, basis), json),
        Verb::Approve { as_whom, request } => upkeep::approve(as_whom, *request, json),
        Verb::Prune { as_whom } => upkeep::prune(as_whom, json),
    }
}

fn broken(error: &Breach) -> Failure {
    let text = format!("{}: {error}", error.code());
    let away = |source: &std::io::Error| source.kind() != std::io::ErrorKind::NotFound;
    match error {
        Breach::Unreachable { file, source }
            if away(source) && (file.starts_with("http:") || file.starts_with("https:")) =>
        {
            Failure::Unreachable(format!("{text}: {source}"))
        }
        _ => Failure::Other(text),
    }
}

/// What reads the ledger of a domain, wherever the domain keeps it.
pub(crate) fn open_domain(dir: &Path) -> Result<Reader, Failure> {
    let place = gateway::Config::ledger_of(dir);
    let place = place.map_err(|error| Failure::Other(error.to_string()))?;
    ::ledger::Ledger::open_read_only(place).map_err(|error| broken(&error))
}

fn head(place: &Where, json: bool) -> Result<(), Failure> {
    let (checkpoint, note) = Source::open(place)?.head()?;
    if json {
        let (size, root) = (checkpoint.head.size, checkpoint.head.root);
        let value = serde_json::json!({
            "origin": checkpoint.origin, "size": size, "root": root, "note": note});
        println!("{value}");
    } else {
        print!("{note}");
    }
    Ok(())
}

fn verify(place: &Where, old: Option<&Path>, json: bool) -> Result<(), Failure> {
    let source = Source::open(place)?;
    if let Some(old) = old {
        let note = std::fs::read_to_string(old).map_err(|error| Failure::usage(old, error))?;
        let old = Checkpoint::open(&note, source.verifier()).map_err(|error| broken(&error))?;
        source.grew_from(old.head)?;
    }
    let bar = ProgressBar::new(0);
    let report = source.audit(&mut |done: u64, of: u64| show(&bar, done, of));
    bar.finish_and_clear();
    let report = report?;
    if json {
        let value = serde_json::to_string(&report);
        println!(
            "{}",
            value.map_err(|error| Failure::Other(error.to_string()))?
        );
    } else {
        println!("the ledger holds / 账本完整\n{}", told(&report));
    }
    Ok(())
}

/// Writes a line at once, and tells whether somebody still reads.
fn say(line: &str) -> Result<bool, Failure> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::Other(error.to_string())),
    }
}

fn show(bar: &ProgressBar, done: u64, of: u64) {
    bar.set_length(of);
    bar.set_position(done);
}

/// What a verified log holds, a line each.
fn told(report: &Report) -> String {
    let anchored = report.anchored.map_or_else(
        || "none brought / 未提供".to_owned(),
        |size| format!("agrees at {size} / 一致"),
    );
    let sealed = match (report.sealed, report.sealed_removed) {
        (Some(there), Some(gone)) => format!("{there} there, {gone} destroyed / 已销毁"),
        (Some(_) | None, _) => "not published, so not looked at / 未公开，未核对".to_owned(),
    };
    format!(
        "  log / 账本          {}\n  entries / 条目      {}\n  checkpoints / 检查点 {}\n  \
         sealed texts / 密封内容 {sealed}\n  pruned / 已截断     {}\n  \
         anchor / 锚点       {anchored}\n  root / 根散列       {}",
        report.origin, report.entries, report.checkpoints, report.pruned, report.root
    )
}

fn prove(place: &Where, index: u64) -> Result<(), Failure> {
    print!("{}", Source::open(place)?.prove(index)?);
    Ok(())
}

fn copy(place: &Where, folder: &Path) -> Result<(), Failure> {
    let size = Source::open(place)?.copy(folder)?;
    println!("{}: {size} entries / 条目", folder.display());
    Ok(())
}
