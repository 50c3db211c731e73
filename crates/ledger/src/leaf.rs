//! The bytes that are hashed: canonical JSON, members sorted, no blanks.

use crate::Breach;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::Value;
use terms::{Digest, Event};

/// The most bytes one entry may have. Source: C2SP tlog-tiles, "Log entries".
const LEAF_BYTES_MAX: usize = 65_535;

/// The one version of the leaf.
const VERSION: u64 = 1;

/// What a leaf says.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaf {
    /// When it happened, to the microsecond.
    pub at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
    /// The digest of the sealed part's ciphertext, where there is one.
    pub sealed: Option<Digest>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    v: u64,
    at: String,
    event: Event,
    sealed: Option<Digest>,
}

impl Leaf {
    /// The bytes that go into the log.
    ///
    /// # Errors
    /// [`Breach::TooLong`] past 65,535 bytes.
    pub fn encode(&self) -> Result<Vec<u8>, Breach> {
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let event = serde_json::to_value(&self.event).map_err(|error| Breach::Unproved {
            what: format!("an event is no JSON: {error}"),
        })?;
        let sealed = self
            .sealed
            .map_or(Value::Null, |digest| Value::String(digest.to_string()));
        let mut text = String::new();
        text.push_str("{\"at\":");
        write_value(&Value::String(at), &mut text);
        text.push_str(",\"event\":");
        write_value(&event, &mut text);
        text.push_str(",\"sealed\":");
        write_value(&sealed, &mut text);
        text.push_str(",\"v\":1}");
        if text.len() > LEAF_BYTES_MAX {
            return Err(Breach::TooLong { bytes: text.len() });
        }
        Ok(text.into_bytes())
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`Breach::Unproved`] if the bytes are not exactly what [`encode`](Self::encode) writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, Breach> {
        let raw: Raw = serde_json::from_slice(bytes).map_err(|error| Breach::Unproved {
            what: format!("a leaf can't be read: {error}"),
        })?;
        let at = DateTime::parse_from_rfc3339(&raw.at).map_err(|error| Breach::Unproved {
            what: format!("a leaf's time: {error}"),
        })?;
        let leaf = Self {
            at: at.to_utc(),
            event: raw.event,
            sealed: raw.sealed,
        };
        if raw.v != VERSION || leaf.encode()? != bytes {
            return Err(Breach::Unproved {
                what: "a leaf is not in its canonical form".to_owned(),
            });
        }
        Ok(leaf)
    }
}

/// The digest of the sealed part that a leaf names, read off the end of its canonical form without
/// reading the rest; the outer none where the leaf does not end like one.
pub(crate) fn sealed_digest(leaf: &[u8]) -> Option<Option<Digest>> {
    let rest = leaf.strip_suffix(b",\"v\":1}")?;
    if rest.ends_with(b",\"sealed\":null") {
        return Some(None);
    }
    let (rest, digest) = rest.strip_suffix(b"\"")?.split_last_chunk::<64>()?;
    let digest = std::str::from_utf8(digest).ok()?.parse().ok()?;
    rest.ends_with(b",\"sealed\":\"").then_some(Some(digest))
}

/// Writes JSON with sorted members and without blanks, whatever order the map keeps.
pub(crate) fn write_value(value: &Value, text: &mut String) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_by_key(|(name, _)| *name);
            text.push('{');
            for (place, (name, member)) in sorted.into_iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                text.push_str(&Value::String(name.clone()).to_string());
                text.push(':');
                write_value(member, text);
            }
            text.push('}');
        }
        Value::Array(elements) => {
            text.push('[');
            for (place, element) in elements.iter().enumerate() {
                if place > 0 {
                    text.push(',');
                }
                write_value(element, text);
            }
            text.push(']');
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            text.push_str(&value.to_string());
        }
    }
}
