use super::*;
use arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
    StringArray, TimestampSecondArray,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Int64Type};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::encryption::decrypt::FileDecryptionProperties;
use std::fs::File;
use std::sync::Arc;
use terms::{Grade, Item, Kind, Type};

mod derived;

struct Domain {
    dir: tempfile::TempDir,
    store: Store,
}

fn domain() -> Domain {
    let dir = tempfile::tempdir().unwrap();
    let ring = Keyring::create(dir.path()).unwrap();
    let store = Store::new(dir.path(), &ring);
    Domain { dir, store }
}

fn item(name: &str, kind: Kind, grade: Grade) -> Item {
    Item::new(name.parse().unwrap(), kind, grade)
}

fn dataset(items: Vec<Item>) -> Dataset {
    Dataset {
        standing: terms::Standing::Active,
        name: "gjj.account".parse().unwrap(),
        title: String::new(),
        content: String::new(),
        provider: "p".into(),
        source: "s".into(),
        sector: "provident-fund".to_owned().try_into().unwrap(),
        update: "monthly".into(),
        subject: None,
        external: false,
        bound: None,
        prohibited: None,
        risk: None,
        items,
    }
}

fn people() -> Dataset {
    dataset(vec![
        Item {
            unique: true,
            ..item("id", Kind::ResidentId, Grade::Three)
        },
        item("amount", Kind::Amount, Grade::Three),
        item("day", Kind::Date, Grade::Two),
        item("note", Kind::Other, Grade::One),
    ])
}

impl Domain {
    fn file(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn parquet(&self, batch: &RecordBatch) -> PathBuf {
        let path = self.dir.path().join("in.parquet");
        let mut writer =
            ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
        path
    }

    fn ingest(&self, dataset: &Dataset, data: &Path) -> Result<Snapshot, Unreceivable> {
        self.store.ingest(dataset, data, 1, &mut |_| ())
    }

    /// Everything under `data/`, and the keys of snapshots by name.
    fn left(&self) -> Vec<PathBuf> {
        let keys = self.store.keyring.status().keys.into_iter();
        let keys = keys.map(|(name, _)| PathBuf::from(name.to_string()));
        let mut found: Vec<_> = keys.filter(|name| name.starts_with("snapshot")).collect();
        let mut folders = vec![self.dir.path().join("data")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path)
                } else {
                    found.push(path)
                }
            }
        }
        found
    }
}

/// Reads some columns with the keys given, as a runner does.
fn read(keys: &SourceKeys, columns: &[&str]) -> Result<RecordBatch, String> {
    let mut properties = FileDecryptionProperties::builder(keys.footer_key.bytes().to_vec());
    for (name, key) in &keys.columns {
        properties = properties.with_column_key(name, key.bytes().to_vec());
    }
    let options = ArrowReaderOptions::new()
        .with_file_decryption_properties(properties.build().map_err(|e| e.to_string())?);
    let file = File::open(&keys.path).map_err(|e| e.to_string())?;
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
        .map_err(|e| e.to_string())?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let schema = builder.schema().clone();
    let reader = builder
        .with_projection(mask)
        .build()
        .map_err(|e| e.to_string())?;
    let batches: Result<Vec<_>, _> = reader.collect();
    let batches = batches.map_err(|e| e.to_string())?;
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    concat_batches(&schema, &batches).map_err(|e| e.to_string())
}

fn names(of: &[&str]) -> Vec<ItemName> {
    of.iter().map(|name| name.parse().unwrap()).collect()
}

const CSV: &str = "\u{feff}day,id,note,amount\n2024-01-02,320213199001011234,甲,10.5\n\
                   ,320213199001011235,\"a, \"\"b\"\"\nc\",\n2024-12-31,320213199001011236,,7\n";

#[test]
fn csv_comes_back_as_it_went_in() {
    let domain = domain();
    let snapshot = domain
        .ingest(&people(), &domain.file("in.csv", CSV.as_bytes()))
        .unwrap();
    assert_eq!(snapshot.rows, 3);
    let types = [Type::Text, Type::Float, Type::Date, Type::Text];
    assert_eq!(snapshot.types, types.map(Some));

    let asked = names(&["id", "amount", "day", "note"]);
    let keys = domain.store.source(&people().name, 1, &asked).unwrap();
    let stored = std::fs::read(&keys.path).unwrap();
    assert_eq!(snapshot.digest, Digest::of(&stored));
    let batch = read(&keys, &["id", "amount", "day", "note", ROW_COLUMN]).unwrap();
    let ids = StringArray::from(vec![
        "320213199001011234",
        "320213199001011235",
        "320213199001011236",
    ]);
    let amounts = Float64Array::from(vec![Some(10.5), None, Some(7.0)]);
    let days = arrow::array::Date32Array::from(vec![Some(19_724), None, Some(20_088)]);
    let notes = StringArray::from(vec![Some("甲"), Some("a, \"b\"\nc"), None]);
    let expect: [ArrayRef; 5] = [
        Arc::new(ids),
        Arc::new(amounts),
        Arc::new(days),
        Arc::new(notes),
        Arc::new(Int64Array::from(vec![0, 1, 2])),
    ];
    assert_eq!(batch.columns(), expect);
}

#[test]
fn a_column_whose_key_is_not_given_cannot_be_read() {
    let domain = domain();
    domain
        .ingest(&people(), &domain.file("in.csv", CSV.as_bytes()))
        .unwrap();
    let keys = domain
        .store
        .source(&people().name, 1, &names(&["note"]))
        .unwrap();
    assert_eq!(
        keys.columns
            .iter()
            .map(|(name, _)| name.as_str())
            .collect::<Vec<_>>(),
        ["note", ROW_COLUMN, SUBJECT_COLUMN]
    );
    assert_eq!(read(&keys, &["note"]).unwrap().num_rows(), 3);
    assert!(read(&keys, &["id"]).is_err());
    assert!(read(&keys, &["note", "amount"]).is_err());

    // Another column's key under its name does not help, nor does another footer key.
    let mut wrong = keys.clone();
    wrong
        .columns
        .push(("id".to_owned(), keys.columns[0].1.clone()));
    assert!(read(&wrong, &["id"]).is_err());
    let mut wrong = keys.clone();
    wrong.footer_key = keys.columns[0].1.clone();
    assert!(read(&wrong, &["note"]).is_err());
}

#[test]
fn the_extent_of_columns_is_the_sum_of_each_and_of_no_other() {
    let domain = domain();
    let rows: String = (0..500)
        .map(|n| {
            format!(
                "{},{n}.5,2026-01-02,n{n}\n",
                110_101_199_001_010_000_u64 + n
            )
        })
        .collect();
    let data = domain.file("p.csv", format!("id,amount,day,note\n{rows}").as_bytes());
    let dataset = people();
    domain
        .store
        .ingest(&dataset, &data, 1, &mut |_| {})
        .unwrap();
    let extent = |items: &[&str]| {
        let source = domain
            .store
            .source(&dataset.name, 1, &names(items))
            .unwrap();
        let extent = domain.store.extent(&source).unwrap();
        assert_eq!(domain.store.extent(&source).unwrap(), extent);
        assert_eq!(extent.rows, 500);
        extent.bytes
    };
    let (id, day) = (extent(&["id"]), extent(&["day"]));
    assert!(id > day && day > 0, "{id} {day}");
    assert_eq!(extent(&["id", "day"]), id + day);
    assert_eq!(extent(&[]), 0);
    let file = std::fs::metadata(domain.dir.path().join("data/gjj.account/1.parquet")).unwrap();
    assert!(extent(&["id", "amount", "day", "note"]) < file.len());
}

#[test]
fn rows_of_one_subject_have_one_number() {
    let domain = domain();
    let dataset = Dataset {
        subject: Some("who".parse().unwrap()),
        ..dataset(vec![item("who", Kind::Other, Grade::Two)])
    };
    let data = domain.file("in.csv", "who\n甲\n乙\n\"\"\n甲\n丙\n乙\n".as_bytes());
    domain.ingest(&dataset, &data).unwrap();
    let read = domain.store.subjects(&dataset.name, 1).unwrap();
    assert_eq!(read.len(), 6);
    assert_eq!(
        (read[0], read[1], read[3], read[5]),
        (Some(0), Some(1), Some(0), Some(1))
    );
    assert_ne!(read[4], read[0]);
    let nobody = dataset_without_subject();
    let data = domain.file("in.csv", b"n\n1\n2\n");
    domain.ingest(&nobody, &data).unwrap();
    assert_eq!(
        domain.store.subjects(&nobody.name, 1).unwrap(),
        [None, None]
    );
}

fn dataset_without_subject() -> Dataset {
    Dataset {
        name: "gjj.other".parse().unwrap(),
        subject: None,
        ..dataset(vec![item("n", Kind::Count, Grade::One)])
    }
}

#[test]
fn each_state_of_the_data_has_an_order_of_its_own_in_each_scenario() {
    let domain = domain();
    let csv = domain.file("in.csv", b"id,amount,day,note\na,1.25,2024-01-02,x\n");
    let scenarios =
        ["care", "roads"].map(|name| domain.store.keyring.order_key(&name.parse().unwrap()));
    let mut keys = Vec::new();
    for number in [1, 2] {
        let store = &domain.store;
        let ingested = store.ingest(&people(), &csv, number, &mut |_| ());
        ingested.unwrap();
        let source = store.source(&people().name, number, &[]).unwrap();
        keys.extend(
            scenarios
                .each_ref()
                .map(|scenario| source.order_key(scenario)),
        );
    }
    for (at, key) in keys.iter().enumerate() {
        assert!(!keys[..at].contains(key) && !scenarios.contains(key));
    }
}

#[test]
fn no_value_and_no_name_stands_in_the_stored_file() {
    let domain = domain();
    let mut text = String::from("id,amount,day,note\n");
    for row in 0..5000 {
        text.push_str(&format!(
            "canary-id-{row:06},{}.25,2024-01-02,canary-note\n",
            700_000 + row
        ));
    }
    domain
        .ingest(&people(), &domain.file("in.csv", text.as_bytes()))
        .unwrap();
    let keys = domain.store.source(&people().name, 1, &[]).unwrap();
    let stored = std::fs::read(&keys.path).unwrap();
    let occurs = |wanted: &[u8]| stored.windows(wanted.len()).any(|window| window == wanted);
    for wanted in [
        "canary",
        "amount",
        "note",
        ROW_COLUMN,
        "ARROW:schema",
        "bonded",
    ] {
        assert!(!occurs(wanted.as_bytes()), "{wanted}");
    }
    for row in [0, 2500, 4999] {
        assert!(!occurs(&(f64::from(700_000 + row) + 0.25).to_le_bytes()));
        assert!(!occurs(&i64::from(row + 1_000).to_le_bytes()));
    }
    assert_eq!(&stored[..4], b"PARE");
    assert_eq!(&stored[stored.len() - 4..], b"PARE");
}

#[test]
fn two_snapshots_share_no_key() {
    let domain = domain();
    let file = domain.file("in.csv", CSV.as_bytes());
    domain
        .store
        .ingest(&people(), &file, 1, &mut |_| ())
        .unwrap();
    domain
        .store
        .ingest(&people(), &file, 2, &mut |_| ())
        .unwrap();
    let first = domain
        .store
        .source(&people().name, 1, &names(&["id"]))
        .unwrap();
    let mut second = domain
        .store
        .source(&people().name, 2, &names(&["id"]))
        .unwrap();
    assert!(read(&second, &["id"]).is_ok());
    second.columns = first.columns;
    assert!(read(&second, &["id"]).is_err());
}

/// What is refused leaves no file and no key, and says where it is wrong without the value.
fn refused(dataset: &Dataset, csv: &[u8], code: &str, says: &str) {
    let domain = domain();
    let cause = domain
        .ingest(dataset, &domain.file("in.csv", csv))
        .unwrap_err();
    assert_eq!(cause.code(), code, "{cause}");
    assert!(cause.to_string().contains(says), "{cause}");
    assert_eq!(domain.left(), Vec::<PathBuf>::new());
}

#[test]
fn a_broken_row_is_named_by_its_line() {
    let good = "id,amount,day,note\n1,1,2024-01-01,\n2,2,2024-01-01,\n";
    let with = |row: &str| format!("{good}{row}\n").into_bytes();
    let people = people();
    refused(
        &people,
        &with("3,3"),
        "vault.broken-row",
        "line 4: 2 fields where the header has 4",
    );
    refused(
        &people,
        &with("3,3,,,"),
        "vault.broken-row",
        "line 4: 5 fields",
    );
    refused(
        &people,
        &with("3,x,,"),
        "vault.value-misfit",
        "line 4, column `amount`: expected a number",
    );
    refused(
        &people,
        &with("3,,1/2/24,"),
        "vault.value-misfit",
        "column `day`: expected a date",
    );
    refused(
        &people,
        &with("1,,,"),
        "vault.duplicate",
        "line 4, column `id`",
    );
    refused(
        &people,
        &with(",1,,"),
        "vault.value-misfit",
        "line 4, column `id`: expected a value",
    );
    refused(&people, &with("3,,,\"x"), "vault.open-quote", "line 4");
    let mut gbk = with("3,,,");
    gbk.truncate(gbk.len() - 1);
    gbk.extend_from_slice(&[0xce, 0xfd, b'\n']);
    refused(
        &people,
        &gbk,
        "vault.value-misfit",
        "line 4, column `note`: expected text in UTF-8",
    );
}

#[test]
fn columns_must_be_exactly_the_items() {
    let people = people();
    refused(
        &people,
        b"id,amount\n1,1\n",
        "vault.items-missing",
        "`day`, `note`",
    );
    refused(
        &people,
        b"id,amount,day,note,extra,__row\n",
        "vault.columns-unknown",
        "`extra`, `__row`",
    );
    refused(&people, b"id,amount,day,id\n", "vault.column-twice", "`id`");
    refused(&people, b"", "vault.no-header", "no header");
}

#[test]
fn a_missing_or_strange_file_is_refused() {
    let domain = domain();
    let missing = domain
        .ingest(&people(), Path::new("/nowhere/in.csv"))
        .unwrap_err();
    assert_eq!(missing.code(), "vault.data-missing");
    let strange = domain
        .ingest(&people(), &domain.file("in.xlsx", b"x"))
        .unwrap_err();
    assert_eq!(strange.code(), "vault.data-format");
    let cut = domain
        .ingest(&people(), &domain.file("in.parquet", b"PAR1xxxxPAR1"))
        .unwrap_err();
    assert_eq!(cut.code(), "vault.not-parquet");
    assert_eq!(domain.left(), Vec::<PathBuf>::new());
}

#[test]
fn a_snapshot_is_never_replaced_but_can_be_discarded() {
    let domain = domain();
    let file = domain.file("in.csv", CSV.as_bytes());
    domain.ingest(&people(), &file).unwrap();
    let cause = domain.ingest(&people(), &file).unwrap_err();
    assert_eq!(cause.code(), "vault.snapshot-exists");
    domain.store.discard(&people().name, 1).unwrap();
    assert_eq!(domain.left(), Vec::<PathBuf>::new());
    let cause = domain.store.source(&people().name, 1, &[]).unwrap_err();
    assert_eq!(cause.code(), "vault.unit-absent");
    domain.ingest(&people(), &file).unwrap();
}

#[test]
fn a_file_with_a_header_alone_is_an_empty_snapshot() {
    let domain = domain();
    let file = domain.file("in.csv", b"id,amount,day,note\n");
    let snapshot = domain.ingest(&people(), &file).unwrap();
    assert_eq!(snapshot.rows, 0);
    let keys = domain
        .store
        .source(&people().name, 1, &names(&["id"]))
        .unwrap();
    assert_eq!(read(&keys, &["id"]).unwrap().num_rows(), 0);
}

#[test]
fn parquet_comes_in_under_our_types_and_in_the_order_of_the_catalogue() {
    let domain = domain();
    let at = TimestampSecondArray::from(vec![Some(1), None]).with_timezone("+08:00");
    let tags = ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![Some(1)]), None]);
    let batch = RecordBatch::try_from_iter([
        ("at", Arc::new(at) as ArrayRef),
        ("tags", Arc::new(tags.clone())),
        ("n", Arc::new(Int32Array::from(vec![5, 6]))),
    ])
    .unwrap();
    let file = domain.parquet(&batch);
    let entry = |grade| {
        dataset(vec![
            item("n", Kind::Count, Grade::One),
            item("at", Kind::Date, Grade::One),
            item("tags", Kind::FreeText, grade),
        ])
    };
    let cause = domain.ingest(&entry(Grade::Three), &file).unwrap_err();
    assert_eq!(cause.code(), "vault.not-plain");

    let mut told = Vec::new();
    let snapshot = domain
        .store
        .ingest(&entry(Grade::Four), &file, 1, &mut |at| told.push(at))
        .unwrap();
    assert_eq!(
        snapshot.types,
        [Some(Type::Int), Some(Type::Timestamp), None]
    );
    let size = std::fs::metadata(&file).unwrap().len();
    assert_eq!(
        told,
        [Progress {
            rows: 2,
            bytes_done: size,
            bytes_total: size
        }]
    );

    let keys = domain
        .store
        .source(&entry(Grade::Four).name, 1, &names(&["n", "at"]))
        .unwrap();
    let batch = read(&keys, &["n", "at"]).unwrap();
    assert_eq!(
        batch.column(0).as_primitive::<Int64Type>().values(),
        &[5, 6]
    );
    assert!(matches!(
        batch.column(1).data_type(),
        DataType::Timestamp(_, None)
    ));
    assert!(read(&keys, &["tags"]).is_err());

    // Every leaf of a nested column is under its item's key.
    let mut keys = domain
        .store
        .source(&entry(Grade::Four).name, 1, &names(&["tags"]))
        .unwrap();
    keys.columns[0].0 = "tags.list.item".to_owned();
    let leaf = read(&keys, &["tags"]);
    keys.columns[0].0 = "tags.list.element".to_owned();
    let batch = leaf.or_else(|_| read(&keys, &["tags"])).unwrap();
    assert_eq!(batch.column(0).as_list::<i32>().len(), tags.len());
}

#[test]
fn more_rows_than_a_batch_or_a_group_keep_their_numbers() {
    let domain = domain();
    let rows = 140_000_i64;
    let batch = RecordBatch::try_from_iter([(
        "n",
        Arc::new(Int64Array::from_iter_values(0..rows)) as ArrayRef,
    )])
    .unwrap();
    let entry = dataset(vec![Item {
        unique: true,
        ..item("n", Kind::Count, Grade::One)
    }]);
    let snapshot = domain.ingest(&entry, &domain.parquet(&batch)).unwrap();
    assert_eq!(i64::try_from(snapshot.rows), Ok(rows));
    let keys = domain.store.source(&entry.name, 1, &names(&["n"])).unwrap();
    let read = read(&keys, &["n", ROW_COLUMN]).unwrap();
    assert_eq!(i64::try_from(read.num_rows()), Ok(rows));
    assert_eq!(read.column(0), read.column(1));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(48))]

    #[test]
    fn any_text_comes_back_as_it_went_in(
        rows in proptest::collection::vec((".{0,12}", proptest::option::of(-1e9_f64..1e9)), 1..40),
        crlf: bool,
    ) {
        let domain = domain();
        let path = domain.dir.path().join("in.csv");
        let end = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(end).from_path(&path).unwrap();
        writer.write_record(["text", "number"]).unwrap();
        for (text, number) in &rows {
            let number = number.map_or(String::new(), |number| format!("{number:e}"));
            writer.write_record([text, &number]).unwrap();
        }
        writer.flush().unwrap();
        let entry = dataset(vec![
            item("text", Kind::FreeText, Grade::Two),
            item("number", Kind::Ratio, Grade::Two),
        ]);
        domain.ingest(&entry, &path).unwrap();
        let keys = domain.store.source(&entry.name, 1, &names(&["text", "number"])).unwrap();
        let batch = read(&keys, &["text", "number"]).unwrap();
        let texts: StringArray =
            rows.iter().map(|(text, _)| Some(text.as_str()).filter(|t| !t.is_empty())).collect();
        proptest::prop_assert_eq!(batch.column(0).as_string::<i32>(), &texts);
        let has_numbers = rows.iter().any(|(_, number)| number.is_some());
        if has_numbers {
            let numbers: Float64Array = rows.iter().map(|(_, number)| *number).collect();
            let read = arrow::compute::cast(batch.column(1), &DataType::Float64).unwrap();
            proptest::prop_assert_eq!(read.as_primitive::<arrow::datatypes::Float64Type>(), &numbers);
        }
    }

    #[test]
    fn any_bytes_are_taken_whole_or_leave_nothing(
        bytes in proptest::collection::vec(
            proptest::sample::select(b"a1,.\"\n\r-0 \xff\xe7".to_vec()), 0..80),
        parquet: bool,
    ) {
        let domain = domain();
        let name = if parquet { "in.parquet" } else { "in.csv" };
        let text = if parquet { bytes } else { [b"a,b\n".to_vec(), bytes].concat() };
        let entry = dataset(vec![
            item("a", Kind::Other, Grade::One),
            Item { unique: true, ..item("b", Kind::Amount, Grade::One) },
        ]);
        let loaded = domain.ingest(&entry, &domain.file(name, &text));
        proptest::prop_assert_eq!(domain.left().len(), if loaded.is_ok() { 2 } else { 0 });
    }
}

#[test]
fn what_a_killed_process_began_to_seal_is_swept_and_nothing_else() {
    let domain = domain();
    let folder = domain.dir.path().join("data").join("gjj.account");
    std::fs::create_dir_all(&folder).unwrap();
    let (part, whole) = (folder.join("1.parquet.part"), folder.join("1.parquet"));
    std::fs::write(&part, "half").unwrap();
    std::fs::write(&whole, "whole").unwrap();
    domain.store.sweep_unfinished().unwrap();
    assert!(!part.exists() && whole.exists());
}

/// Whoever can write the folder has no key, and could write a file that needs none.
#[test]
fn a_file_in_the_clear_is_no_snapshot() {
    let domain = domain();
    let snapshot = domain.ingest(&people(), &domain.file("in.csv", CSV.as_bytes()));
    let name = snapshot.unwrap().dataset;
    let source = domain.store.source(&name, 1, &names(&["amount"])).unwrap();
    let made_up = read(&source, &["amount", ROW_COLUMN, SUBJECT_COLUMN]).unwrap();
    domain.store.extent(&source).unwrap();
    let file = File::create(&source.path).unwrap();
    let mut writer = ArrowWriter::try_new(file, made_up.schema(), None).unwrap();
    writer.write(&made_up).unwrap();
    writer.close().unwrap();
    assert_eq!(read(&source, &["amount"]).unwrap().num_rows(), 3);
    let again = Store::new(domain.dir.path(), &domain.store.keyring);
    assert!(matches!(
        again.extent(&source),
        Err(Unkept::Unreadable { .. })
    ));
    assert!(matches!(
        again.subjects(&name, 1),
        Err(Unkept::Unreadable { .. })
    ));
}

#[test]
fn extremes_are_of_open_columns_alone_and_sealed_with_their_column() {
    let domain = domain();
    let mut dataset = people();
    for item in &mut dataset.items {
        let is_open = ["day", "amount"].contains(&item.name.as_str());
        item.grade = if is_open { Grade::One } else { Grade::Two };
    }
    domain
        .ingest(&dataset, &domain.file("in.csv", CSV.as_bytes()))
        .unwrap();
    let known = |items: &[&str]| {
        let source = domain
            .store
            .source(&dataset.name, 1, &names(items))
            .unwrap();
        let mut keys = FileDecryptionProperties::builder(source.footer_key.bytes().to_vec());
        for (name, key) in &source.columns {
            keys = keys.with_column_key(name, key.bytes().to_vec());
        }
        let options = ArrowReaderOptions::new();
        let options = options.with_file_decryption_properties(keys.build().unwrap());
        let file = File::open(&source.path).unwrap();
        let footer = parquet::arrow::arrow_reader::ArrowReaderMetadata::load(&file, options);
        let footer = footer.unwrap();
        let columns = footer.metadata().row_group(0).columns();
        let known = columns
            .iter()
            .filter(|column| column.statistics().is_some());
        known
            .map(|column| column.column_path().string())
            .collect::<Vec<_>>()
    };
    // `amount` is a float here: its extremes would leave out NaN.
    assert_eq!(known(&["day", "id", "note", "amount"]), ["day"]);
    assert_eq!(known(&["id", "note", "amount"]), Vec::<String>::new());
}
