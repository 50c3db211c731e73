//! How identifying rows would be: the classes of equal rows over the visible items but tokens, and the
//! subjects in them. Measured over the whole snapshot, before any row policy.

use crate::Domain;
use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{DataType, Date32Type, Float64Type, Int64Type},
    util::display::{ArrayFormatter, FormatOptions},
};
use chrono::{DateTime, Datelike};
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    encryption::decrypt::FileDecryptionProperties,
};
use std::collections::{HashMap, HashSet};
use terms::{Dataset, Digest, Grade, Item, ItemName, Mask, RowRisk, ScenarioDataset};

/// Measures one dataset of a scenario.
pub(crate) fn measure(
    domain: &Domain,
    dataset: &Dataset,
    wanted: &ScenarioDataset,
) -> Result<RowRisk, String> {
    let masks = domain.engine.masks().map_err(|why| why.to_string())?;
    let subject = dataset.subject.clone().ok_or("no subject")?;
    let listed = |item: &&Item| item.grade != Grade::Four && wanted.items.includes(&item.name);
    let listed: Vec<&Item> = dataset.items.iter().filter(listed).collect();
    let visible: Vec<(&Item, Mask)> = listed
        .iter()
        .map(|item| (*item, masks.of(item)))
        .filter(|(_, mask)| !matches!(mask, Mask::Token | Mask::Suppress | Mask::Redact))
        .collect();
    let (number, thresholds) = {
        let stands = domain.live.read();
        let snapshot = stands.state.snapshot(&dataset.name).ok_or("no data")?;
        (snapshot.number, stands.state.thresholds())
    };
    let highest = listed
        .iter()
        .map(|item| item.grade)
        .max()
        .unwrap_or(Grade::Four);
    let k = thresholds.of(highest);
    let mut items: Vec<ItemName> = visible.iter().map(|(item, _)| item.name.clone()).collect();
    if !items.contains(&subject) {
        items.push(subject.clone());
    }
    let mut classes: HashMap<Digest, HashSet<usize>> = HashMap::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut class = Vec::new();
    for batch in read(domain, dataset, number, &items)? {
        let batch = batch?;
        let people = text_of(batch.column_by_name(subject.as_str()), Mask::Plain)?;
        let mut shown = Vec::with_capacity(visible.len());
        for (item, mask) in &visible {
            shown.push(text_of(batch.column_by_name(item.name.as_str()), *mask)?);
        }
        for (row, person) in people.into_iter().enumerate() {
            let Some(person) = person else { continue };
            let next = numbers.len();
            let person = *numbers.entry(person).or_insert(next);
            class.clear();
            for column in &shown {
                // A missing value is another than an empty one; lengths keep values apart.
                let value = column.get(row).and_then(Option::as_ref);
                let length = value.map_or(u64::MAX, |value| value.len() as u64);
                class.extend(length.to_le_bytes());
                class.extend(value.map(String::as_bytes).unwrap_or_default());
            }
            let class = Digest::of(&class);
            classes.entry(class).or_default().insert(person);
        }
    }
    let people = |few: usize| -> u64 {
        let rare = classes
            .values()
            .filter(|people| people.len() < few)
            .flatten();
        rare.collect::<HashSet<_>>().len() as u64
    };
    Ok(RowRisk {
        dataset: dataset.name.clone(),
        snapshot: number,
        subjects: people(usize::MAX),
        subjects_unique: people(2),
        subjects_below_k: people(usize::try_from(k).unwrap_or(usize::MAX)),
        k,
    })
}

type Batches = Box<dyn Iterator<Item = Result<arrow::array::RecordBatch, String>>>;

fn read(
    domain: &Domain,
    dataset: &Dataset,
    number: u32,
    items: &[ItemName],
) -> Result<Batches, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let keys = domain
        .store
        .source(&dataset.name, number, items)
        .map_err(|e| text(&e))?;
    let mut properties = FileDecryptionProperties::builder(keys.footer_key.bytes().to_vec());
    for (name, key) in &keys.columns {
        properties = properties.with_column_key(name, key.bytes().to_vec());
    }
    let properties = properties.build().map_err(|e| text(&e))?;
    let options = ArrowReaderOptions::new().with_file_decryption_properties(properties);
    let file = std::fs::File::open(&keys.path).map_err(|e| text(&e))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options);
    let builder = builder.map_err(|e| text(&e))?;
    let columns =
        ProjectionMask::columns(builder.parquet_schema(), items.iter().map(ItemName::as_str));
    let reader = builder
        .with_projection(columns)
        .build()
        .map_err(|e| text(&e))?;
    Ok(Box::new(
        reader.map(|batch| batch.map_err(|error| error.to_string())),
    ))
}

/// Each value as the mask would show it, as text, for telling classes apart.
fn text_of(column: Option<&ArrayRef>, mask: Mask) -> Result<Vec<Option<String>>, String> {
    let column = column.ok_or("a column is missing")?;
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options).map_err(|error| error.to_string())?;
    let plain = |row: usize| formatter.value(row).to_string();
    let shown = (0..column.len()).map(|row| {
        if column.is_null(row) {
            return None;
        }
        Some(match mask {
            Mask::Plain | Mask::Token | Mask::Suppress | Mask::Redact => plain(row),
            Mask::Partial { head, tail } => {
                let text: Vec<char> = plain(row).chars().collect();
                let (head, tail) = (usize::from(head), usize::from(tail));
                let first: String = text.iter().take(head).collect();
                let last: String = text.iter().skip(text.len().saturating_sub(tail)).collect();
                if text.len() <= head + tail {
                    "***".to_owned()
                } else {
                    format!("{first}*{last}")
                }
            }
            Mask::Prefix(length) => plain(row).chars().take(usize::from(length)).collect(),
            Mask::Band(width) => number(column, row).map_or_else(
                || plain(row),
                |value| ((value / width).floor() * width).to_string(),
            ),
            Mask::Year => day(column, row).map_or_else(|| plain(row), |(year, _)| year.to_string()),
            Mask::Month => day(column, row)
                .map_or_else(|| plain(row), |(year, month)| format!("{year}-{month}")),
        })
    });
    Ok(shown.collect())
}

fn number(column: &ArrayRef, row: usize) -> Option<f64> {
    if let Some(floats) = column.as_primitive_opt::<Float64Type>() {
        return Some(floats.value(row));
    }
    column
        .as_primitive_opt::<Int64Type>()
        .map(|whole| whole.value(row) as f64)
}

fn day(column: &ArrayRef, row: usize) -> Option<(i32, u32)> {
    if column.data_type() != &DataType::Date32 {
        return None;
    }
    let days = column.as_primitive_opt::<Date32Type>()?.value(row);
    let day = DateTime::from_timestamp(i64::from(days) * 86_400, 0)?.date_naive();
    Some((day.year(), day.month()))
}
