use super::*;
use arrow::array::{ArrayRef, Int64Array, ListArray, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::Int32Type;
use parquet::arrow::ArrowWriter;
use std::fs::File;
use std::sync::Arc;

fn looked_at(path: &Path, rows_max: usize) -> Sample {
    sample(path, rows_max, &mut |_| ()).unwrap()
}

fn numbers(column: &SampledColumn) -> Vec<u64> {
    let read = |value: &Option<Box<str>>| value.as_ref().unwrap().parse().unwrap();
    column.values.iter().map(read).collect()
}

/// No tenth of the file is left out, and what is taken is in order and once.
fn check_spread(numbers: &[u64], rows: u64) {
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
    for tenth in 0..10 {
        let within = |number: &&u64| **number * 10 / rows == tenth;
        let here = numbers.iter().filter(within).count();
        assert!(here * 20 >= numbers.len(), "{here} in tenth {tenth}");
    }
}

fn written(dir: &Path, rows: i64) -> std::path::PathBuf {
    let path = dir.join("data.parquet");
    let number: ArrayRef = Arc::new(Int64Array::from_iter_values(0..rows));
    let lists = (0..rows).map(|n| Some(vec![i32::try_from(n).ok()]));
    let list: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists));
    let day: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(0..rows));
    let long = (0..rows).map(|n| (n % 2 == 0).then(|| "字".repeat(1000)));
    let text: ArrayRef = Arc::new(StringArray::from_iter(long));
    let batch = RecordBatch::try_from_iter_with_nullable(vec![
        ("number", number, true),
        ("list", list, true),
        ("day", day, true),
        ("text", text, true),
    ]);
    let batch = batch.unwrap();
    let file = File::create(&path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    for start in (0..batch.num_rows()).step_by(3000) {
        writer
            .write(&batch.slice(start, 3000.min(batch.num_rows() - start)))
            .unwrap();
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    path
}

#[test]
fn rows_are_taken_from_all_of_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.csv");
    let rows: String = (0..12_345).map(|n| format!("{n},x\n")).collect();
    std::fs::write(&path, format!("n,x\n{rows}")).unwrap();
    let all = looked_at(&path, 1000);
    assert_eq!(all.rows, 12_345);
    assert!((500..=1000).contains(&all.looked_at));
    check_spread(&numbers(&all.columns[0]), all.rows);
    let path = written(dir.path(), 12_345);
    let all = looked_at(&path, 1000);
    assert_eq!((all.rows, all.looked_at), (12_345, 992));
    let taken = numbers(&all.columns[0]);
    check_spread(&taken, all.rows);
    assert_eq!((taken[0], taken[991]), (0, 12_344));
}

#[test]
fn a_small_file_is_looked_at_whole() {
    let dir = tempfile::tempdir().unwrap();
    let all = looked_at(&written(dir.path(), 70), 1000);
    assert_eq!(numbers(&all.columns[0]), (0..70).collect::<Vec<_>>());
    assert_eq!(looked_at(&written(dir.path(), 0), 1000).looked_at, 0);
    let few = looked_at(&written(dir.path(), 70), 3);
    assert_eq!(few.looked_at, 3);
}

#[test]
fn what_is_not_plain_is_named_and_values_are_cut() {
    let dir = tempfile::tempdir().unwrap();
    let all = looked_at(&written(dir.path(), 70), 1000);
    let stored: Vec<_> = all
        .columns
        .iter()
        .map(|column| column.stored.clone())
        .collect();
    assert_eq!(stored[0], Stored::Plain(Type::Int));
    assert_eq!(stored[1], Stored::NotPlain("List".to_owned()));
    assert_eq!(stored[2], Stored::Plain(Type::Timestamp));
    assert!(all.columns[1].values.is_empty());
    let text = &all.columns[3].values;
    assert_eq!(text[0].as_ref().unwrap().chars().count(), CHARS_MAX);
    assert_eq!(text[1], None);
}

#[test]
fn neither_an_error_nor_a_print_has_a_value() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.csv");
    for text in [
        "a,b\ncanary1,canary2,canary3\n".as_bytes(),
        b"a,b\ncanary1,\xb2\xe2canary2\n",
        b"canary1,b\nx,\xb2\xe2canary2\n",
        b"b,canary1\nx,\xb2\xe2canary2\n",
        b"a,b\ncanary1,\"canary2\n",
    ] {
        std::fs::write(&path, text).unwrap();
        let told = sample(&path, 10, &mut |_| ()).unwrap_err();
        assert!(!format!("{told} {told:?}").contains("canary"), "{told:?}");
    }
    std::fs::write(&path, "a,b\ncanary1, \n").unwrap();
    let all = looked_at(&path, 10);
    assert_eq!(all.columns[1].values, [None]);
    assert!(!format!("{all:?}").contains("canary"));
}

#[test]
fn only_data_files_are_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data.txt");
    let code = |path: &Path| sample(path, 10, &mut |_| ()).unwrap_err().code();
    assert_eq!(code(&path), "vault.data-missing");
    std::fs::write(&path, "a\n1\n").unwrap();
    assert_eq!(code(&path), "vault.data-format");
    let path = path.with_extension("parquet");
    std::fs::write(&path, "a\n1\n").unwrap();
    assert_eq!(code(&path), "vault.not-parquet");
}
