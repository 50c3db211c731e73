//! The catalogue as a list, in the forms in which lists are read.

use super::{
    list::{Form, List, bare},
    raw::{self, DatasetFile},
    words::Field,
};
use serde::Serialize;
use terms::{Dataset, Item};

/// Entries as they were made, as text of a form. CSV has no risk assessments.
///
/// # Errors
/// What the writer of the form says.
pub(crate) fn write(entries: &[Dataset], form: Form) -> Result<String, String> {
    let bare: Vec<Dataset> = entries.iter().map(bare).collect();
    match form {
        Form::Json => serde_json::to_string_pretty(&bare).map_err(|error| error.to_string()),
        Form::Toml => {
            let entry = bare.iter().map(as_written).collect();
            toml::to_string(&List { entry }).map_err(|error| error.to_string())
        }
        Form::Csv => csv(&bare).map_err(|error| error.to_string()),
    }
}

/// An entry as a person would write it.
fn as_written(dataset: &Dataset) -> DatasetFile {
    let risk = dataset.risk.as_ref().map(|risk| raw::Risk {
        level: word(&risk.level),
        by: risk.by.clone(),
        until: toml::Value::String(risk.until.to_string()),
        mitigations: risk.mitigations.clone(),
    });
    let written = raw::Dataset {
        name: dataset.name.to_string(),
        title: dataset.title.clone(),
        content: dataset.content.clone(),
        provider: dataset.provider.clone(),
        source: dataset.source.clone(),
        sector: dataset.sector.word().to_owned(),
        update: dataset.update.clone(),
        subject: dataset.subject.as_ref().map(ToString::to_string),
        data: String::new(),
        external: dataset.external,
        prohibited: dataset.prohibited.is_some(),
        basis: dataset.prohibited.clone(),
        unconfirmed: false,
        risk,
    };
    DatasetFile {
        dataset: written,
        item: dataset.items.iter().map(item).collect(),
    }
}

fn item(item: &Item) -> raw::Item {
    raw::Item {
        name: item.name.to_string(),
        title: item.title.clone(),
        kind: item.kind.word().to_owned(),
        grade: Some(i64::from(item.grade.number())),
        impact: item.impact,
        mask: item.mask.map(|mask| mask.to_string()),
        band: item.band,
        derived: item.derived.clone().map(String::from),
        unique: item.unique,
        domain: item.domain.as_ref().map(ToString::to_string),
        sharing: Some(word(&item.sharing)),
        opening: Some(word(&item.opening)),
        unconfirmed: false,
    }
}

/// A word of a closed list.
fn word(of: &impl Serialize) -> String {
    let word = serde_json::to_value(of).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// A row per item; a byte order mark, by which spreadsheets know UTF-8.
fn csv(entries: &[Dataset]) -> Result<String, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fields = Field::ALL
        .iter()
        .filter(|field| **field != Field::Unconfirmed);
    writer.write_record(fields.clone().map(|field| field.word()))?;
    for dataset in entries.iter().map(as_written) {
        for (at, item) in dataset.item.iter().enumerate() {
            let of_first = |field: Field| at == 0 || !field.is_of_dataset();
            let cell = |field: &Field| match of_first(*field) {
                true => cell(&dataset.dataset, item, *field),
                false => String::new(),
            };
            writer.write_record(fields.clone().map(cell))?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| error.into_error())?;
    Ok(format!("\u{feff}{}", String::from_utf8_lossy(&bytes)))
}

fn cell(dataset: &raw::Dataset, item: &raw::Item, field: Field) -> String {
    let truth = |truth: bool| if truth { "true" } else { "" }.to_owned();
    let maybe = |text: &Option<String>| text.clone().unwrap_or_default();
    match field {
        Field::Dataset => dataset.name.clone(),
        Field::Title => dataset.title.clone(),
        Field::Content => dataset.content.clone(),
        Field::Provider => dataset.provider.clone(),
        Field::Source => dataset.source.clone(),
        Field::Sector => dataset.sector.clone(),
        Field::Update => dataset.update.clone(),
        Field::Subject => maybe(&dataset.subject),
        Field::External => truth(dataset.external),
        Field::Basis => maybe(&dataset.basis),
        Field::Item => item.name.clone(),
        Field::ItemTitle => item.title.clone(),
        Field::Kind => item.kind.clone(),
        Field::Grade => item
            .grade
            .map(|grade| grade.to_string())
            .unwrap_or_default(),
        Field::Degree => item
            .impact
            .map(|impact| word(&impact.degree))
            .unwrap_or_default(),
        Field::Scope => item
            .impact
            .map(|impact| word(&impact.scope))
            .unwrap_or_default(),
        Field::Mask => maybe(&item.mask),
        Field::Band => item.band.map(|band| band.to_string()).unwrap_or_default(),
        Field::Derived => maybe(&item.derived),
        Field::Unique => truth(item.unique),
        Field::Domain => maybe(&item.domain),
        Field::Sharing => maybe(&item.sharing),
        Field::Opening => maybe(&item.opening),
        Field::Unconfirmed => truth(item.unconfirmed),
    }
}
