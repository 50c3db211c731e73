//! Raw entries → the domain's own words. All mistakes are reported at once, each with file and place.

use super::raw;
use crate::misread::{Misread, attribute, date, toml_file, word};
use serde_json::Value;
use std::path::Path;
use terms::{
    Dataset, DatasetName, DatasetRisk, Derivation, Grade, IdentifierDomain, Item, ItemName, Kind,
    Opening, Sector, Sharing, Standing,
};

/// Where an entry stands: the file, and where in it each part begins.
#[derive(Debug)]
pub(crate) struct At<'a> {
    /// The file.
    pub file: &'a Path,
    /// Where the entry begins: `row 2, `; nothing where the file is the entry.
    pub entry: String,
    /// Where each item begins, in their order.
    pub items: Vec<String>,
}

impl<'a> At<'a> {
    /// An entry with a file of its own.
    pub(crate) const fn file(file: &'a Path) -> Self {
        Self {
            file,
            entry: String::new(),
            items: Vec::new(),
        }
    }

    /// A field of the entry.
    fn field(&self, field: &str) -> String {
        format!("{}{field}", self.entry)
    }

    /// A field of an item.
    fn item(&self, at: usize, item: &str, field: &str) -> String {
        let begins = self.items.get(at).map_or("", String::as_str);
        format!("{begins}item `{item}`{field}")
    }
}

/// Reads one catalogue entry as it would stand in a seed; where its data is does not matter.
///
/// # Errors
/// [`Misread`] with every mistake found.
pub(crate) fn dataset(file: &Path, schema: &str) -> Result<Dataset, Misread> {
    let mut wrong = Misread::default();
    let raw = toml_file::<raw::DatasetFile>(file, true, &mut wrong);
    let read = raw.and_then(|raw| entry(&At::file(file), raw, schema, &mut wrong));
    match read {
        Some(read) if wrong.mistakes.is_empty() => Ok(read),
        Some(_) | None => Err(wrong),
    }
}

/// A dataset's name, in the default schema where it has none.
pub(crate) fn qualified(name: &str, schema: &str) -> String {
    if name.contains('.') {
        name.to_owned()
    } else {
        format!("{schema}.{name}")
    }
}

/// The entry that was written; none where anything of it is wrong, each mistake noted.
pub(crate) fn entry(
    at: &At<'_>,
    raw: raw::DatasetFile,
    schema: &str,
    wrong: &mut Misread,
) -> Option<Dataset> {
    let raw::DatasetFile { dataset, item } = raw;
    let file = at.file;
    let name = qualified(&dataset.name, schema);
    let name = word::<DatasetName>(&name, file, &at.field("name"), wrong);
    let sector = Sector::try_from(dataset.sector)
        .map_err(|e| wrong.add(file, &at.field("sector"), e))
        .ok();
    let subject = dataset.subject.map(|subject| {
        let place = at.field("subject");
        word::<ItemName>(&subject, file, &place, wrong)
    });
    if dataset.unconfirmed {
        wrong.add(
            file,
            &at.field("subject"),
            unconfirmed("the subject", "主体项"),
        );
    }
    if dataset.prohibited && dataset.basis.is_none() {
        let what = "write the legal basis as `basis = \"…\"` (AO-2)";
        wrong.add(file, &at.field("prohibited"), what);
    }
    let risk = match dataset.risk {
        None => None,
        Some(risk) => Some(risk_of(at, risk, wrong)?),
    };
    let known = subject.as_ref().and_then(Option::as_ref);
    let items = items_of(at, item, known, wrong)?;
    let prohibited = dataset
        .prohibited
        .then(|| dataset.basis.unwrap_or_default());
    let entry = Dataset {
        name: name?,
        title: dataset.title,
        content: dataset.content,
        provider: dataset.provider,
        source: dataset.source,
        sector: sector?,
        update: dataset.update,
        subject: match subject {
            None => None,
            Some(subject) => Some(subject?),
        },
        external: dataset.external,
        bound: None,
        prohibited,
        risk,
        standing: Standing::Active,
        items,
    };
    if let Err(underivable) = entry.derivable() {
        let item = entry
            .items
            .iter()
            .position(|item| item.name == underivable.item);
        let place = at.item(
            item.unwrap_or(usize::MAX),
            underivable.item.as_str(),
            ", derived",
        );
        wrong.add(file, &place, underivable.why);
        return None;
    }
    Some(entry)
}

/// What is said of a document in which a guess was not confirmed.
pub(crate) const UNCONFIRMED: &str = "a guess in it is not confirmed: put it right where it is wrong, then \
                                      delete its `unconfirmed` / 含有尚未经人确认的推断：请核对更正后删除 unconfirmed";

/// Whether anything in a document is marked as a guess.
pub(crate) fn is_unconfirmed(document: &Value) -> bool {
    let marked =
        |(key, value): (&String, &Value)| key == "unconfirmed" && *value != Value::Bool(false);
    match document {
        Value::Object(fields) => fields.iter().any(marked) || fields.values().any(is_unconfirmed),
        Value::Array(all) => all.iter().any(is_unconfirmed),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// What stands where a guess was not confirmed.
fn unconfirmed(what: &str, chinese: &str) -> String {
    format!(
        "{what} is a guess that nobody has confirmed: put it right where it is wrong, then delete its line \
         `unconfirmed = true` / {chinese}为推断结果，尚未经人确认：请核对更正后删除 unconfirmed = true 一行"
    )
}

fn risk_of(at: &At<'_>, risk: raw::Risk, wrong: &mut Misread) -> Option<DatasetRisk> {
    let until = date(&risk.until, at.file, &at.field("risk.until"), wrong)?;
    Some(DatasetRisk {
        level: attribute(&risk.level, at.file, &at.field("risk.level"), wrong)?,
        by: risk.by,
        until,
        aspects: None,
        mitigations: risk.mitigations,
    })
}

/// All items of a dataset; none if any is wrong, each mistake noted.
fn items_of(
    at: &At<'_>,
    raw: Vec<raw::Item>,
    subject: Option<&ItemName>,
    wrong: &mut Misread,
) -> Option<Vec<Item>> {
    let read: Vec<Option<Item>> = raw
        .into_iter()
        .enumerate()
        .map(|(number, raw)| item_of((at, number), raw, subject, wrong))
        .collect();
    read.into_iter().collect()
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each case: a table reads best in one place"
)]
fn item_of(
    (at, number): (&At<'_>, usize),
    raw: raw::Item,
    subject: Option<&ItemName>,
    wrong: &mut Misread,
) -> Option<Item> {
    let file = at.file;
    let place = |field: &str| at.item(number, &raw.name, field);
    let before = wrong.mistakes.len();
    if raw.unconfirmed {
        let what = match raw.grade {
            Some(grade) => format!("what it is (kind {}, grade {grade})", raw.kind),
            None => format!("what it is (kind {})", raw.kind),
        };
        wrong.add(file, &place(""), unconfirmed(&what, "类型与等级"));
    }
    let name = word::<ItemName>(&raw.name, file, &place(", name"), wrong);
    let kind = Kind::try_from(raw.kind.clone())
        .map_err(|e| wrong.add(file, &place(", kind"), e))
        .ok();
    let grade = raw.grade.map(|number| {
        let grade = Grade::try_from(u8::try_from(number).unwrap_or(0));
        grade.map_err(|mut e| {
            e.word = number.to_string();
            wrong.add(file, &place(", grade"), e);
        })
    });
    if grade.is_none() {
        let what = "write its grade, 1, 2, 3 or 4 (CG-6.2) / 请填写等级";
        wrong.add(file, &place(", grade"), what);
    }
    let mask = raw
        .mask
        .as_ref()
        .and_then(|mask| word(mask, file, &place(", mask"), wrong));
    if raw
        .band
        .is_some_and(|width| !width.is_finite() || width <= 0.0)
    {
        let what = "`band` is the width of a band: a number above 0";
        wrong.add(file, &place(", band"), what);
    }
    let derived = raw
        .derived
        .as_ref()
        .and_then(|text| word::<Derivation>(text, file, &place(", derived"), wrong));
    let domain = raw
        .domain
        .as_ref()
        .and_then(|d| word::<IdentifierDomain>(d, file, &place(", domain"), wrong));
    let sharing = raw
        .sharing
        .as_ref()
        .and_then(|text| attribute::<Sharing>(text, file, &place(", sharing"), wrong));
    let opening = raw
        .opening
        .as_ref()
        .and_then(|text| attribute::<Opening>(text, file, &place(", opening"), wrong));
    if wrong.mistakes.len() > before {
        return None;
    }
    let (name, kind, grade) = (name?, kind?, grade?.ok()?);
    let domain = domain.or_else(|| {
        let own = if subject == Some(&name) {
            "person"
        } else {
            name.as_str()
        };
        if kind.is_identifier() {
            own.parse().ok()
        } else {
            None
        }
    });
    let sharing = sharing.unwrap_or(grade.default_sharing());
    let opening = opening.unwrap_or(grade.default_opening());
    if !grade.allows(sharing, opening) {
        let what = format!(
            "sharing and opening attribute contradict grade {grade} (CG-A); leave them out or write \
             what Appendix A allows for this grade"
        );
        wrong.add(file, &place(""), what);
        return None;
    }
    Some(Item {
        name,
        title: raw.title,
        kind,
        grade,
        impact: raw.impact,
        mask,
        band: raw.band,
        derived,
        unique: raw.unique,
        domain,
        sharing,
        opening,
        data_type: None,
    })
}
