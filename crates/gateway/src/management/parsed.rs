use crate::Refused;
use chrono::NaiveDate;
use register::Reason;
use serde::de::DeserializeOwned;
use terms::{Against, Cause, Digest};

/// What a call says in words of ours, refused where it is none of them.
fn unreadable(what: &str, why: &dyn std::fmt::Display) -> Refused {
    Refused::invalid(
        "management.unreadable",
        "the call cannot be read.",
        "无法读取该请求。",
    )
    .with(&format!("{what}: {why}"), &format!("{what}：{why}"))
}

/// An id, or another name of ours.
pub(super) fn id<T: std::str::FromStr<Err: std::fmt::Display>>(
    what: &str,
    text: &str,
) -> Result<T, Refused> {
    text.parse().map_err(|why| unreadable(what, &why))
}

/// A word of a closed list, as events spell it.
pub(super) fn word<T: DeserializeOwned>(what: &str, word: &str) -> Result<T, Refused> {
    serde_json::from_value(word.into()).map_err(|why| unreadable(what, &why))
}

/// A civil day.
pub(super) fn day(what: &str, text: &str) -> Result<NaiveDate, Refused> {
    id(what, text)
}

/// A document as JSON.
pub(super) fn document<T: DeserializeOwned>(what: &str, json: &str) -> Result<T, Refused> {
    serde_json::from_str(json).map_err(|why| unreadable(what, &why))
}

/// Why.
pub(super) fn reason(text: &str) -> Result<Reason, Refused> {
    id("reason", text)
}

/// On which ground.
pub(super) fn cause(text: &str) -> Result<Cause, Refused> {
    word("cause", text)
}

/// SHA-256 in hexadecimal.
pub(super) fn digest(text: &str) -> Result<Digest, Refused> {
    word("digest", text)
}

/// An item of a dataset, or a licence.
pub(super) fn against(dataset: &str, item: &str, licence: &str) -> Result<Against, Refused> {
    match (dataset, item, licence) {
        (dataset, item, "") => Ok(Against::Item {
            dataset: id("dataset", dataset)?,
            item: id("item", item)?,
        }),
        ("", "", licence) => Ok(Against::Licence {
            licence: id("licence", licence)?,
        }),
        _ => Err(unreadable(
            "objection",
            &"against an item of a dataset, or against a licence",
        )),
    }
}

/// One of two.
pub(super) fn either<T>(
    what: &str,
    one: (&str, impl FnOnce(&str) -> Result<T, Refused>),
    other: (&str, impl FnOnce(&str) -> Result<T, Refused>),
) -> Result<T, Refused> {
    match (one.0, other.0) {
        (text, "") => one.1(text),
        ("", text) => other.1(text),
        _ => Err(unreadable(what, &"name one, not both")),
    }
}
