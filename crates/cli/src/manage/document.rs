use crate::{Failure, catalogue, seed};
use serde_json::Value;
use std::path::Path;

/// A file as a document: TOML, or JSON as the ledger has it.
pub(super) fn document(file: &Path) -> Result<String, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::usage(file, error))?;
    if is_json(file) {
        let read: Value = serde_json::from_str(&text).map_err(|e| Failure::usage(file, e))?;
        return Ok(read.to_string());
    }
    let read: toml::Table =
        toml::from_str(&text).map_err(|error| Failure::usage(file, error.message()))?;
    Ok(of_toml(toml::Value::Table(read)).to_string())
}

/// A catalogue entry: JSON, or TOML as in a seed.
pub(super) fn dataset(file: &Path, schema: &str) -> Result<String, Failure> {
    if is_json(file) {
        let text = document(file)?;
        let read: Value = serde_json::from_str(&text).map_err(|e| Failure::usage(file, e))?;
        return match catalogue::is_unconfirmed(&read) {
            true => Err(Failure::usage(file, catalogue::UNCONFIRMED)),
            false => Ok(text),
        };
    }
    let read =
        catalogue::dataset(file, schema).map_err(|wrong| Failure::Usage(wrong.to_string()))?;
    serde_json::to_string(&read).map_err(|error| Failure::other(file, error))
}

/// An application for a scenario: JSON, or TOML as in a seed.
pub(super) fn scenario(file: &Path, schema: &str) -> Result<String, Failure> {
    if is_json(file) {
        return document(file);
    }
    let read = seed::scenario(file, schema).map_err(|wrong| Failure::Usage(wrong.to_string()))?;
    serde_json::to_string(&read).map_err(|error| Failure::other(file, error))
}

fn is_json(file: &Path) -> bool {
    file.extension().is_some_and(|ending| ending == "json")
}

/// Days become text, as JSON has them.
fn of_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(all) => all.into_iter().map(of_toml).collect(),
        toml::Value::Table(all) => all
            .into_iter()
            .map(|(key, value)| (key, of_toml(value)))
            .collect(),
    }
}
