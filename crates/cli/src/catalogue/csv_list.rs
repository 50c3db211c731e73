//! A list as CSV: a row per item; what is said of the dataset stands in the first of its rows.

use super::{
    entry::At,
    raw::{Dataset, DatasetFile, Item},
    words::{self, Field},
};
use crate::misread::Misread;
use std::{collections::BTreeMap, path::Path};

/// The rows of one dataset.
struct Rows<'f> {
    at: At<'f>,
    file: DatasetFile,
    /// Where each thing that is said of the dataset stands, and what it is.
    said: BTreeMap<Field, (usize, String)>,
}

/// Reads all rows; each mistake is noted with its row, counted from 1 with the headings, and its column.
pub(super) fn read<'f>(
    file: &'f Path,
    text: &str,
    wrong: &mut Misread,
) -> Vec<(At<'f>, DatasetFile)> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut records = reader.records();
    let Some(Ok(headings)) = records.next() else {
        wrong.add(file, "row 1", "the headings are missing / 缺少标题行");
        return Vec::new();
    };
    let Some(columns) = columns(file, &headings, wrong) else {
        return Vec::new();
    };
    let mut datasets: Vec<Rows<'f>> = Vec::new();
    for (number, record) in records.enumerate() {
        let row = number + 2;
        let record = match record {
            Ok(record) if record.len() == columns.len() => record,
            Ok(record) => {
                let what = format!(
                    "{} cells where the headings are {} / 单元格数与标题不符",
                    record.len(),
                    columns.len()
                );
                wrong.add(file, &format!("row {row}"), what);
                continue;
            }
            Err(error) => {
                wrong.add(file, &format!("row {row}"), error);
                continue;
            }
        };
        let cells = record.iter().map(str::trim).zip(&columns);
        let cells: BTreeMap<Field, &str> = cells
            .filter(|(text, _)| !text.is_empty())
            .map(|(text, column)| (*column, text))
            .collect();
        if cells.is_empty() {
            continue;
        }
        let Some(name) = cells.get(&Field::Dataset) else {
            let what = "name the dataset in each row / 每行须填写数据集";
            wrong.add(file, &format!("row {row}, column `dataset`"), what);
            continue;
        };
        let known = datasets
            .iter()
            .position(|rows| rows.file.dataset.name == *name);
        let rows = match known.and_then(|at| datasets.get_mut(at)) {
            Some(rows) => rows,
            None => {
                datasets.push(Rows::new(file, row, name));
                let Some(rows) = datasets.last_mut() else {
                    continue;
                };
                rows
            }
        };
        rows.add(row, &cells, wrong);
    }
    datasets.into_iter().map(|rows| rows.done(wrong)).collect()
}

/// The column of each heading; none where a heading is unknown, twice, or one is missing that must be there.
fn columns(file: &Path, headings: &csv::StringRecord, wrong: &mut Misread) -> Option<Vec<Field>> {
    let before = wrong.mistakes.len();
    let mut columns: Vec<Field> = Vec::new();
    for heading in headings {
        let place = format!("row 1, column `{heading}`");
        match Field::of(heading.trim()) {
            Some(field) if columns.contains(&field) => {
                wrong.add(file, &place, "the heading stands twice / 标题重复");
            }
            Some(field) => columns.push(field),
            None => {
                let known: Vec<String> = Field::ALL
                    .iter()
                    .map(|field| format!("{}（{}）", field.word(), field.chinese()))
                    .collect();
                let what = format!("no heading of a list / 未知标题: {}", known.join(", "));
                wrong.add(file, &place, what);
            }
        }
    }
    for field in Field::ALL.iter().filter(|field| field.is_needed()) {
        if !columns.contains(field) {
            let what = format!("add the column `{}`（{}）", field.word(), field.chinese());
            wrong.add(file, "row 1", what);
        }
    }
    (wrong.mistakes.len() == before).then_some(columns)
}

// === impl Rows ===

impl<'f> Rows<'f> {
    fn new(file: &'f Path, row: usize, name: &str) -> Self {
        let dataset = Dataset {
            name: name.to_owned(),
            ..Dataset::default()
        };
        Self {
            at: At {
                file,
                entry: format!("row {row}, "),
                items: Vec::new(),
            },
            file: DatasetFile {
                dataset,
                item: Vec::new(),
            },
            said: BTreeMap::new(),
        }
    }

    /// Adds a row: what it says of the dataset, and its item.
    fn add(&mut self, row: usize, cells: &BTreeMap<Field, &str>, wrong: &mut Misread) {
        for (field, text) in cells.iter().filter(|(field, _)| field.is_of_dataset()) {
            let before = self
                .said
                .entry(*field)
                .or_insert_with(|| (row, (*text).to_owned()));
            if before.1 != *text {
                let what = format!(
                    "row {} says something else of this dataset: write the same, or leave it empty / 与第 {} 行不一致",
                    before.0, before.0
                );
                let place = format!("row {row}, column `{}`", field.word());
                wrong.add(self.at.file, &place, what);
            }
        }
        let mut item = Item::default();
        for (field, text) in cells.iter().filter(|(field, _)| !field.is_of_dataset()) {
            if let Err(what) = words::item(&mut item, *field, text) {
                let place = format!("row {row}, column `{}`", field.word());
                wrong.add(self.at.file, &place, what);
            }
        }
        let degree = cells.get(&Field::Degree).copied();
        let scope = cells.get(&Field::Scope).copied();
        match words::impact(degree, scope) {
            Ok(impact) => item.impact = impact,
            Err((field, what)) => {
                let place = format!("row {row}, column `{}`", field.word());
                wrong.add(self.at.file, &place, what);
            }
        }
        for (missing, field) in [
            (item.name.is_empty(), Field::Item),
            (item.kind.is_empty(), Field::Kind),
        ] {
            if missing {
                let place = format!("row {row}, column `{}`", field.word());
                wrong.add(
                    self.at.file,
                    &place,
                    format!("it is empty / {}为空", field.chinese()),
                );
            }
        }
        self.at.items.push(format!("row {row}, "));
        self.file.item.push(item);
    }

    /// All that was said, put in its place.
    fn done(mut self, wrong: &mut Misread) -> (At<'f>, DatasetFile) {
        for (field, (row, text)) in &self.said {
            if let Err(what) = words::dataset(&mut self.file.dataset, *field, text) {
                let place = format!("row {row}, column `{}`", field.word());
                wrong.add(self.at.file, &place, what);
            }
        }
        (self.at, self.file)
    }
}
