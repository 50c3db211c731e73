//! A list of many entries, as CSV, JSON or TOML: read whole, checked whole, nothing taken of a wrong one.

use super::{
    csv_list,
    entry::{At, entry},
    raw::DatasetFile,
};
use crate::misread::{Misread, line_of};
use policy::MaskTable;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};
use terms::{Dataset, DatasetName, Standing};
use toml::de::{DeTable, DeValue};

/// The largest list that is read, in bytes.
const LIST_BYTES_MAX: u64 = 64 << 20;

/// `[[entry]]`, in each a `[entry.dataset]` and an `[[entry.item]]` for each column.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct List {
    pub entry: Vec<DatasetFile>,
}

/// The form of a list, by the ending of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Csv,
    Json,
    Toml,
}

impl Form {
    /// The form a file's name says.
    pub(crate) fn of(file: &Path) -> Option<Self> {
        let ending = file.extension()?.to_string_lossy().to_lowercase();
        match ending.as_str() {
            "csv" => Some(Self::Csv),
            "json" => Some(Self::Json),
            "toml" => Some(Self::Toml),
            _ => None,
        }
    }
}

/// What is said of a file of another ending.
pub(crate) const ENDINGS: &str =
    "a list is .csv, .json or .toml / 目录清单须为 .csv、.json 或 .toml";

/// Reads a list; names without a schema are in this one.
///
/// # Errors
/// [`Misread`] with every mistake found, by file, row or line, and column; then no entry is given at all.
pub(crate) fn list(file: &Path, schema: &str, masks: &MaskTable) -> Result<Vec<Dataset>, Misread> {
    let mut wrong = Misread::default();
    let text = text(file, &mut wrong);
    let found = match (text, Form::of(file)) {
        (None, _) => Vec::new(),
        (Some(text), Some(Form::Csv)) => {
            of_raw(csv_list::read(file, &text, &mut wrong), schema, &mut wrong)
        }
        (Some(text), Some(Form::Toml)) => {
            of_raw(of_toml(file, &text, &mut wrong), schema, &mut wrong)
        }
        (Some(text), Some(Form::Json)) => of_json(file, &text, schema, &mut wrong),
        (Some(_), None) => {
            wrong.add(file, "", ENDINGS);
            Vec::new()
        }
    };
    judge(file, &found, masks, &mut wrong);
    if wrong.mistakes.is_empty() && found.is_empty() {
        wrong.add(file, "", "there is no entry in it / 清单为空");
    }
    match wrong.mistakes.is_empty() {
        true => Ok(found.into_iter().map(|(_, dataset)| dataset).collect()),
        false => Err(wrong),
    }
}

fn text(file: &Path, wrong: &mut Misread) -> Option<String> {
    let small = std::fs::metadata(file).map(|data| data.len() <= LIST_BYTES_MAX);
    let read = match small {
        Ok(true) => std::fs::read(file),
        Ok(false) => {
            wrong.add(
                file,
                "",
                "a list is at most 64 MiB: divide it / 清单超过 64 MiB，请拆分",
            );
            return None;
        }
        Err(error) => Err(error),
    };
    let text = read.map_err(|error| wrong.add(file, "", error)).ok()?;
    let text = String::from_utf8(text).map_err(|error| {
        let before = error
            .as_bytes()
            .iter()
            .take(error.utf8_error().valid_up_to());
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        let what = "not UTF-8; convert it (Excel: “CSV UTF-8”) / 不是 UTF-8 编码，请转换";
        wrong.add(file, &format!("line {line}"), what);
    });
    Some(text.ok()?.trim_start_matches('\u{feff}').to_owned())
}

/// Entries by themselves, then beside each other: lawful, masked as the table permits, of one name each.
fn judge(file: &Path, found: &[(String, Dataset)], masks: &MaskTable, wrong: &mut Misread) {
    let mut first: BTreeMap<&DatasetName, &str> = BTreeMap::new();
    for (place, dataset) in found {
        let at = format!("{place}dataset `{}`", dataset.name);
        if let Some(before) = first.insert(&dataset.name, place) {
            let before = before.trim_end_matches(", ");
            wrong.add(
                file,
                &at,
                format!("the name stands at {before} already / 名称重复"),
            );
        }
        if let Err(unlawful) = register::judge_entry(dataset) {
            wrong.add(file, place.trim_end_matches(", "), unlawful);
        }
        for item in &dataset.items {
            if let Err(loose) = masks.judge(item) {
                wrong.add(file, &at, loose);
            }
        }
    }
}

/// Raw entries with their places, read.
fn of_raw(
    raw: Vec<(At<'_>, DatasetFile)>,
    schema: &str,
    wrong: &mut Misread,
) -> Vec<(String, Dataset)> {
    let read = raw.into_iter().filter_map(|(at, raw)| {
        let place = at.entry.clone();
        Some((place, entry(&at, raw, schema, wrong)?))
    });
    read.collect()
}

/// `[[entry]]` with the line of each entry and item, or one entry as in a seed.
fn of_toml<'f>(file: &'f Path, text: &str, wrong: &mut Misread) -> Vec<(At<'f>, DatasetFile)> {
    let mut say = |error: toml::de::Error| {
        let line = error
            .span()
            .map(|span| format!("line {}", line_of(text, span.start)));
        wrong.add(file, &line.unwrap_or_default(), error.message());
    };
    let table = match DeTable::parse(text) {
        Ok(table) => table,
        Err(error) => {
            say(error);
            return Vec::new();
        }
    };
    if table.get_ref().contains_key("dataset") {
        let one = toml::from_str(text).map_err(say).ok();
        return one.map(|one| (At::file(file), one)).into_iter().collect();
    }
    let line = |value: &toml::Spanned<DeValue<'_>>| {
        format!("line {}, ", line_of(text, value.span().start))
    };
    let places: Vec<(String, Vec<String>)> = all(table.get_ref().get("entry"))
        .map(|entry| {
            let items = entry
                .get_ref()
                .as_table()
                .and_then(|entry| entry.get("item"));
            (line(entry), all(items).map(line).collect())
        })
        .collect();
    let list: Option<List> = toml::from_str(text).map_err(say).ok();
    let entries = list.map(|list| list.entry).unwrap_or_default();
    let placed = entries
        .into_iter()
        .zip(places)
        .map(|(raw, (entry, items))| {
            let at = At { file, entry, items };
            (at, raw)
        });
    placed.collect()
}

fn all<'v, 'i>(
    array: Option<&'v toml::Spanned<DeValue<'i>>>,
) -> impl Iterator<Item = &'v toml::Spanned<DeValue<'i>>> {
    let array = array.and_then(|array| array.get_ref().as_array());
    array.into_iter().flat_map(|array| array.iter())
}

/// An array of entries: as in TOML, or as the ledger has them and `dataset list --json` tells them.
fn of_json(file: &Path, text: &str, schema: &str, wrong: &mut Misread) -> Vec<(String, Dataset)> {
    let entries: Vec<Value> = match serde_json::from_str(text) {
        Ok(Value::Array(entries)) => entries,
        Ok(one) => vec![one],
        Err(error) => {
            // Line and column stand in its text.
            wrong.add(file, "", error);
            return Vec::new();
        }
    };
    let mut found = Vec::new();
    for (at, value) in entries.into_iter().enumerate() {
        let place = format!("entry {}, ", at + 1);
        let read = match as_on_record(&value) {
            Some(document) => on_record(file, &place, document, wrong),
            None => serde_json::from_value(value)
                .map_err(|error| wrong.add(file, place.trim_end_matches(", "), error))
                .ok()
                .and_then(|raw: DatasetFile| {
                    let items = vec![place.clone(); raw.item.len()];
                    let entry_place = place.clone();
                    let at = At {
                        file,
                        entry: entry_place,
                        items,
                    };
                    entry(&at, raw, schema, wrong)
                }),
        };
        found.extend(read.map(|dataset| (place, dataset)));
    }
    found
}

/// The document of an entry as the ledger has it: by itself, or within what stands of a dataset.
fn as_on_record(value: &Value) -> Option<&Value> {
    let within = value
        .get("dataset")
        .filter(|dataset| dataset.get("items").is_some());
    within.or_else(|| value.get("items").map(|_| value))
}

fn on_record(file: &Path, place: &str, document: &Value, wrong: &mut Misread) -> Option<Dataset> {
    let place = place.trim_end_matches(", ");
    if super::entry::is_unconfirmed(document) {
        wrong.add(file, place, super::entry::UNCONFIRMED);
        return None;
    }
    let read = Dataset::deserialize(document).map_err(|error| wrong.add(file, place, error));
    read.ok().map(|dataset| bare(&dataset))
}

/// An entry as it was made: without what came to it afterwards.
pub(crate) fn bare(dataset: &Dataset) -> Dataset {
    let mut bare = dataset.clone();
    bare.standing = Standing::Active;
    for item in &mut bare.items {
        item.data_type = None;
    }
    bare
}
