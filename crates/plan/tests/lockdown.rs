#![cfg(test)]
//! `docs/lockdown.md` says of each function why it is safe; it names each, once, in the order of the code.

use plan::{AggregateFunction, Bounds, Function, WindowFunction};

const TEXT: &str = include_str!("../../../docs/lockdown.md");

/// The cells of a section's table, its two head lines aside.
fn table(heading: &str) -> Vec<Vec<String>> {
    let (_, section) = TEXT.split_once(&format!("\n## {heading}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let lines = section.lines().filter(|line| line.starts_with('|'));
    let cells = lines.skip(2).map(|line| {
        let cells = line.trim_matches('|').split(" | ");
        cells.map(|cell| cell.trim().to_owned()).collect()
    });
    cells.collect()
}

fn names(heading: &str) -> Vec<String> {
    let rows = table(heading).into_iter();
    rows.map(|row| {
        assert_eq!(row.len(), 5, "{row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        row[0].trim_matches('`').to_owned()
    })
    .collect()
}

#[test]
fn every_scalar_function_says_why_it_is_safe() {
    let words: Vec<&str> = Function::ALL.iter().map(|f| f.word()).collect();
    assert_eq!(names("Scalar functions"), words);
}

#[test]
fn every_aggregate_function_says_why_it_is_safe() {
    let words: Vec<&str> = AggregateFunction::ALL.iter().map(|f| f.word()).collect();
    assert_eq!(names("Aggregate functions"), words);
}

/// No wildcard: a new window function does not compile until it is here and in the table.
const fn window(function: WindowFunction) -> &'static str {
    match function {
        WindowFunction::RowNumber => "row_number",
        WindowFunction::Rank => "rank",
        WindowFunction::DenseRank => "dense_rank",
        WindowFunction::Lag => "lag",
        WindowFunction::Lead => "lead",
        WindowFunction::FirstValue => "first_value",
        WindowFunction::LastValue => "last_value",
        WindowFunction::Aggregate(_) => "aggregate over a frame",
    }
}

#[test]
fn every_window_function_says_why_it_is_safe() {
    let words = [
        WindowFunction::RowNumber,
        WindowFunction::Rank,
        WindowFunction::DenseRank,
        WindowFunction::Lag,
        WindowFunction::Lead,
        WindowFunction::FirstValue,
        WindowFunction::LastValue,
        WindowFunction::Aggregate(AggregateFunction::Sum),
    ];
    assert_eq!(names("Window functions"), words.map(window));
}

#[test]
fn the_limits_of_a_plan_are_as_written() {
    let Bounds {
        bytes_max,
        items_max,
        depth_max,
        columns_max,
        texts_max,
        text_bytes_max,
        pattern_bytes_max,
    } = Bounds::default();
    let wanted = [
        ("bytes_max", bytes_max as u64),
        ("items_max", items_max as u64),
        ("depth_max", depth_max as u64),
        ("columns_max", columns_max as u64),
        ("texts_max", texts_max),
        ("text_bytes_max", text_bytes_max),
        ("pattern_bytes_max", pattern_bytes_max),
    ];
    let written = table("Limits of a plan");
    let written = written
        .iter()
        .map(|row| (row[0].trim_matches('`'), row[1].parse().unwrap()));
    assert_eq!(written.collect::<Vec<_>>(), wanted);
}
