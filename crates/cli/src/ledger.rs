//! `bonded ledger head|verify|prove`: the log, without the gateway's help.

use crate::{
    Failure,
    args::{Ledger as Verb, Where},
};
use ::ledger::Ledger;
use indicatif::ProgressBar;
use std::path::Path;

pub(crate) fn ledger(verb: &Verb, json: bool) -> Result<(), Failure> {
    match verb {
        Verb::Head(place) => head(place, json),
        Verb::Verify(place) => verify(place, json),
        Verb::Prove { place, index } => prove(place, *index),
    }
}

fn broken(error: &::ledger::Breach) -> Failure {
    Failure::Other(format!("{}: {error}", error.code()))
}

/// Where the ledger of the domain in a folder is.
pub(crate) fn place_of(dir: &Path) -> Result<::ledger::Place, Failure> {
    let found = gateway::Config::ledger_of(dir);
    found.map_err(|error| Failure::Other(error.to_string()))
}

fn head(place: &Where, json: bool) -> Result<(), Failure> {
    let reader = Ledger::open_read_only(place_of(&place.dir)?).map_err(|error| broken(&error))?;
    let (checkpoint, note) = reader.head().map_err(|error| broken(&error))?;
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

fn verify(place: &Where, json: bool) -> Result<(), Failure> {
    let bar = ProgressBar::new(0);
    let report = Ledger::verify(place_of(&place.dir)?, &mut |done, of| {
        bar.set_length(of);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let report = report.map_err(|error| broken(&error))?;
    let value = serde_json::to_value(&report).map_err(|error| Failure::Other(error.to_string()))?;
    if json {
        println!("{value}");
    } else {
        let count = |key: &str| {
            value
                .get(key)
                .and_then(serde_json::Value::as_u64)
                .unwrap_or(0)
        };
        let text = |key: &str| value.get(key).and_then(|v| v.as_str()).unwrap_or_default();
        println!("the ledger holds / 账本完整");
        println!("  log / 账本        {}", text("origin"));
        println!("  entries / 条目    {}", count("entries"));
        println!("  checkpoints / 检查点 {}", count("checkpoints"));
        println!("  root / 根散列     {}", text("root"));
    }
    Ok(())
}

fn prove(place: &Where, index: u64) -> Result<(), Failure> {
    let reader = Ledger::open_read_only(place_of(&place.dir)?).map_err(|error| broken(&error))?;
    print!("{}", reader.prove(index).map_err(|error| broken(&error))?);
    Ok(())
}
