//! Results for people: a table whose columns line up with Chinese text in them, or CSV, JSON, Arrow.

use crate::failure::Failure;
use arrow::{
    array::{Array, RecordBatch, cast::AsArray},
    datatypes::{DataType, Float64Type, Int64Type, SchemaRef},
    util::display::{ArrayFormatter, FormatOptions},
};
use serde_json::{Map, Value, json};
use terms::legible;
use unicode_width::UnicodeWidthStr;

/// The widest a column is drawn, in terminal cells.
const CELL_WIDTH_MAX: usize = 48;

/// Columns as wide as their widest cell; Chinese characters count two.
pub(crate) fn print_columns(head: &[&str], rows: &[Vec<String>]) {
    let head: Vec<String> = head.iter().map(|cell| (*cell).to_owned()).collect();
    let shown = |row: &Vec<String>| row.iter().map(|cell| legible(cell)).collect();
    let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
    let mut widths = vec![0; head.len()];
    for row in std::iter::once(&head).chain(&rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.width().max(*width);
        }
    }
    for row in std::iter::once(&head).chain(&rows) {
        let cells = row.iter().zip(&widths).map(|(cell, width)| {
            let blanks = width.saturating_sub(cell.width());
            format!("{cell}{}", " ".repeat(blanks))
        });
        println!("  {}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// A table with box lines; at most `rows_max` rows, and how many more there are.
pub(crate) fn table(schema: &SchemaRef, batches: &[RecordBatch], rows_max: usize) -> String {
    let header: Vec<String> = schema
        .fields()
        .iter()
        .map(|field| legible(field.name()))
        .collect();
    let numeric: Vec<bool> = schema
        .fields()
        .iter()
        .map(|f| f.data_type().is_numeric())
        .collect();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let total: usize = batches.iter().map(RecordBatch::num_rows).sum();
    for batch in batches {
        for row in 0..batch.num_rows() {
            if rows.len() < rows_max {
                rows.push(
                    batch
                        .columns()
                        .iter()
                        .map(|column| legible(&cell(column, row)))
                        .collect(),
                );
            }
        }
    }
    let mut widths: Vec<usize> = header.iter().map(|name| name.width()).collect();
    for row in &rows {
        for (width, text) in widths.iter_mut().zip(row) {
            *width = (*width).max(text.width()).min(CELL_WIDTH_MAX);
        }
    }
    let line = |left: &str, middle: &str, right: &str| {
        let bars: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
        format!("{left}{}{right}\n", bars.join(middle))
    };
    let mut text = line("┌", "┬", "┐");
    text.push_str(&drawn(&header, &widths, &vec![false; header.len()]));
    text.push_str(&line("├", "┼", "┤"));
    for row in &rows {
        text.push_str(&drawn(row, &widths, &numeric));
    }
    text.push_str(&line("└", "┴", "┘"));
    if total > rows.len() {
        text.push_str(&format!(
            "… {} more rows / 另有 {} 行\n",
            total - rows.len(),
            total - rows.len()
        ));
    }
    text
}

fn drawn(cells: &[String], widths: &[usize], right: &[bool]) -> String {
    let mut text = String::from("│");
    for ((cell, width), right) in cells.iter().zip(widths).zip(right) {
        let (cell, taken) = cut(cell, *width);
        let blanks = " ".repeat(width.saturating_sub(taken));
        if *right {
            text.push_str(&format!(" {blanks}{cell} │"));
        } else {
            text.push_str(&format!(" {cell}{blanks} │"));
        }
    }
    text.push('\n');
    text
}

/// Text cut to a width in terminal cells, and the width it then has.
fn cut(text: &str, width_max: usize) -> (String, usize) {
    let width = text.width();
    if width <= width_max {
        return (text.to_owned(), width);
    }
    let (mut kept, mut taken) = (String::new(), 0);
    for character in text.chars() {
        let wide = unicode_width::UnicodeWidthChar::width(character).unwrap_or(0);
        if taken + wide + 1 > width_max {
            break;
        }
        kept.push(character);
        taken += wide;
    }
    kept.push('…');
    (kept, taken + 1)
}

fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "∅".to_owned();
    }
    if let Some(floats) = column.as_primitive_opt::<Float64Type>() {
        let value = floats.value(row);
        return if value.fract() == 0.0 && value.abs() < 1e15 {
            format!("{value:.0}")
        } else if value.abs() >= 0.01 {
            format!("{value:.2}")
        } else {
            format!("{value}")
        };
    }
    plain(column, row)
}

/// A value as text, in full.
fn plain(column: &dyn Array, row: usize) -> String {
    let options = FormatOptions::default();
    ArrayFormatter::try_new(column, &options).map_or_else(
        |_| String::new(),
        |formatter| formatter.value(row).to_string(),
    )
}

/// `{"columns": […], "rows": [[…], …]}`: names may repeat, so rows are lists.
pub(crate) fn json(schema: &SchemaRef, batches: &[RecordBatch]) -> Value {
    let columns: Vec<Value> = schema
        .fields()
        .iter()
        .map(|field| json!({"name": field.name(), "type": type_word(field.data_type())}))
        .collect();
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let values = batch
                .columns()
                .iter()
                .map(|column| value(column, row))
                .collect();
            rows.push(Value::Array(values));
        }
    }
    let mut result = Map::new();
    result.insert("columns".into(), columns.into());
    result.insert("rows".into(), rows.into());
    result.into()
}

fn value(column: &dyn Array, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    if let Some(whole) = column.as_primitive_opt::<Int64Type>() {
        return whole.value(row).into();
    }
    if let Some(float) = column.as_primitive_opt::<Float64Type>() {
        return float.value(row).into();
    }
    if let Some(truth) = column.as_boolean_opt() {
        return truth.value(row).into();
    }
    plain(column, row).into()
}

fn type_word(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "bool".into(),
        DataType::Int64 => "int".into(),
        DataType::Float64 => "float".into(),
        DataType::Utf8 => "text".into(),
        DataType::Date32 => "date".into(),
        DataType::Timestamp(..) => "timestamp".into(),
        DataType::Decimal128(precision, scale) => format!("decimal({precision},{scale})"),
        other => other.to_string(),
    }
}

/// CSV with a header line.
pub(crate) fn csv(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let mut writer = arrow::csv::WriterBuilder::new()
        .with_header(true)
        .build(&mut bytes);
    let empty = RecordBatch::new_empty(schema.clone());
    let batches = if batches.is_empty() {
        std::slice::from_ref(&empty)
    } else {
        batches
    };
    for batch in batches {
        writer
            .write(batch)
            .map_err(|error| Failure::Other(error.to_string()))?;
    }
    drop(writer);
    Ok(bytes)
}

/// An Arrow IPC stream.
pub(crate) fn ipc(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Vec<u8>, Failure> {
    let failed = |error: arrow::error::ArrowError| Failure::Other(error.to_string());
    let mut writer =
        arrow::ipc::writer::StreamWriter::try_new(Vec::new(), schema).map_err(failed)?;
    for batch in batches {
        writer.write(batch).map_err(failed)?;
    }
    writer.finish().map_err(failed)?;
    writer.into_inner().map_err(failed)
}
