//! Files that people write, read word by word: all mistakes at once, each with file and place.

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use std::{path::Path, str::FromStr};

/// What is wrong with a file: every mistake, each on one line with file and place.
#[derive(Debug, Default, thiserror::Error)]
#[error("what was given cannot be read:\n  {}", mistakes.join("\n  "))]
pub(crate) struct Misread {
    /// The mistakes.
    pub mistakes: Vec<String>,
}

impl Misread {
    /// Notes a mistake.
    pub(crate) fn add(&mut self, file: &Path, place: &str, what: impl std::fmt::Display) {
        let place = if place.is_empty() {
            String::new()
        } else {
            format!(", {place}")
        };
        self.mistakes
            .push(format!("{}{place}: {what}", file.display()));
    }
}

/// A TOML file; mistakes are noted with their line.
pub(crate) fn toml_file<T: DeserializeOwned>(
    path: &Path,
    needed: bool,
    wrong: &mut Misread,
) -> Option<T> {
    match std::fs::read_to_string(path) {
        Ok(text) => match toml::from_str(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                let line = error.span().map(|span| line_of(&text, span.start));
                let place = line.map_or_else(String::new, |line| format!("line {line}"));
                wrong.add(path, &place, error.message());
                None
            }
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !needed => None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            wrong.add(path, "", "this file is missing; a seed needs it");
            None
        }
        Err(error) => {
            wrong.add(path, "", error);
            None
        }
    }
}

/// The line of a place in a text, from 1.
pub(crate) fn line_of(text: &str, place: usize) -> usize {
    let before = text.bytes().take(place);
    1 + before.filter(|byte| *byte == b'\n').count()
}

/// A word of ours.
pub(crate) fn word<T>(text: &str, file: &Path, place: &str, wrong: &mut Misread) -> Option<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error| wrong.add(file, place, error))
        .ok()
}

/// A day, as TOML has it or as text.
pub(crate) fn date(
    value: &toml::Value,
    file: &Path,
    place: &str,
    wrong: &mut Misread,
) -> Option<NaiveDate> {
    let text = match value {
        toml::Value::Datetime(datetime) => datetime.to_string(),
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let read = NaiveDate::parse_from_str(&text, "%Y-%m-%d");
    read.map_err(|_| {
        wrong.add(
            file,
            place,
            format!("`{text}` is no date: write 2027-12-31"),
        )
    })
    .ok()
}

/// One word of a closed list.
pub(crate) fn attribute<T: DeserializeOwned>(
    text: &str,
    file: &Path,
    place: &str,
    wrong: &mut Misread,
) -> Option<T> {
    let read = T::deserialize(toml::Value::String(text.to_owned()));
    read.map_err(|error| wrong.add(file, place, error)).ok()
}
