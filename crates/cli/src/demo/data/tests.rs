use super::resident::{NUMBERS, check_digit, resident};
use super::*;
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Float64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::collections::{BTreeMap, HashSet};

fn seed(rows: u64) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let today = NaiveDate::from_ymd_opt(2026, 3, 31).unwrap();
    let mut told = 0;
    write_seed(dir.path(), &Scale { rows, today }, &mut |done| told = done).unwrap();
    assert_eq!(told, rows);
    dir
}

fn table(dir: &Path, name: &str) -> RecordBatch {
    let file = std::fs::File::open(dir.join("data").join(format!("{name}.parquet"))).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let schema = builder.schema().clone();
    let batches: Vec<_> = builder.build().unwrap().map(Result::unwrap).collect();
    arrow::compute::concat_batches(&schema, &batches).unwrap()
}

fn texts(batch: &RecordBatch, column: &str) -> Vec<Option<String>> {
    let column = batch.column_by_name(column).unwrap().as_string::<i32>();
    column.iter().map(|text| text.map(str::to_owned)).collect()
}

fn toml_of(dir: &Path, name: &str) -> toml::Table {
    std::fs::read_to_string(dir.join(name))
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn check_digits_are_those_of_the_standard() {
    // The examples of GB 11643-1999.
    assert_eq!(check_digit("11010519491231002"), 'X');
    assert_eq!(check_digit("44052418800101001"), '4');
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    for index in [0, 1, 77, 99_999, NUMBERS - 1] {
        let number = resident(index).number;
        assert_eq!(number.len(), 18);
        let sum: u32 = number
            .chars()
            .zip(weights)
            .map(|(d, w)| d.to_digit(10).unwrap() * w)
            .sum();
        let last = "10X98765432"
            .chars()
            .nth(usize::try_from(sum % 11).unwrap());
        assert_eq!(number.chars().last(), last, "{number}");
    }
}

#[test]
fn identity_and_account_numbers_are_unique() {
    let dir = seed(70_000);
    let accounts = table(dir.path(), "account");
    assert_eq!(accounts.num_rows(), 70_000);
    for column in ["证件号码", "个人账号"] {
        let all = texts(&accounts, column);
        assert_eq!(
            all.iter().flatten().collect::<HashSet<_>>().len(),
            70_000,
            "{column}"
        );
    }
}

#[test]
fn the_same_scale_gives_the_same_bytes() {
    let (first, second) = (seed(1500), seed(1500));
    for file in [
        "data/account.parquet",
        "data/insured.parquet",
        "people.toml",
    ] {
        let read = |dir: &Path| std::fs::read(dir.join(file)).unwrap();
        assert_eq!(read(first.path()), read(second.path()), "{file}");
    }
}

#[test]
fn the_grades_are_those_of_appendix_c() {
    let dir = seed(1000);
    let entry = toml_of(dir.path(), "datasets/account.toml");
    let items = entry["item"].as_array().unwrap();
    let grades: Vec<_> = items
        .iter()
        .map(|item| {
            (
                item["name"].as_str().unwrap(),
                item["grade"].as_integer().unwrap(),
            )
        })
        .collect();
    let appendix = [
        ("开户日期", 2),
        ("月缴额", 3),
        ("职工缴存率", 2),
        ("缴存比率", 2),
        ("个人账号", 3),
        ("手机号", 2),
        ("证件号码", 3),
        ("职工姓名", 2),
        ("补贴个人账号", 3),
    ];
    assert_eq!(grades, appendix);
    let accounts = table(dir.path(), "account");
    let schema = accounts.schema();
    let columns: Vec<_> = schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect();
    assert_eq!(columns, appendix.map(|(name, _)| name));
}

#[test]
fn every_data_file_has_exactly_the_items_of_its_entry() {
    let dir = seed(1000);
    for name in ["account", "insured", "district", "branch"] {
        let entry = toml_of(dir.path(), &format!("datasets/{name}.toml"));
        let items: Vec<_> = entry["item"].as_array().unwrap().iter().collect();
        let items: Vec<_> = items
            .iter()
            .map(|item| item["name"].as_str().unwrap())
            .collect();
        let schema = table(dir.path(), name).schema();
        let columns: Vec<_> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(items, columns, "{name}");
    }
}

#[test]
fn exactly_one_district_is_too_small_to_show() {
    for rows in [1000, 10_003] {
        let dir = seed(rows);
        let accounts = texts(&table(dir.path(), "account"), "证件号码");
        let accounts: HashSet<_> = accounts.into_iter().collect();
        let insured = table(dir.path(), "insured");
        let share = insured.num_rows() as f64 / rows as f64;
        assert!((0.87..0.93).contains(&share), "{share}");
        let mut people = BTreeMap::new();
        for (number, district) in texts(&insured, "证件号码")
            .into_iter()
            .zip(texts(&insured, "区"))
        {
            assert!(accounts.contains(&number));
            *people.entry(district.unwrap()).or_insert(0) += 1;
        }
        assert_eq!(people.len(), 8);
        let small: Vec<_> = people.iter().filter(|(_, count)| **count < 10).collect();
        assert_eq!(small, [(&"经开区".to_owned(), &4)]);
    }
}

#[test]
fn people_are_plausible() {
    let dir = seed(2000);
    let accounts = table(dir.path(), "account");
    let amounts = accounts
        .column_by_name("月缴额")
        .unwrap()
        .as_primitive::<Float64Type>();
    for amount in amounts.values() {
        assert!((200.0..10_000.0).contains(amount), "{amount}");
        assert!(((amount * 100.0).round() / 100.0 - amount).abs() < 1e-9);
    }
    let opened = accounts
        .column_by_name("开户日期")
        .unwrap()
        .as_primitive::<Date32Type>();
    assert!(
        opened
            .values()
            .iter()
            .all(|day| (10_000..20_454).contains(day))
    );
    for phone in texts(&accounts, "手机号").into_iter().flatten() {
        assert!(phone.len() == 11 && phone.starts_with('1'), "{phone}");
    }
    let names: HashSet<_> = texts(&accounts, "职工姓名").into_iter().flatten().collect();
    assert!(names.len() > 1000);
    assert!(
        names
            .iter()
            .all(|name| (2..=4).contains(&name.chars().count()))
    );
}

#[test]
fn terms_are_lawful_and_hold_today() {
    let dir = seed(1000);
    let licences = toml_of(dir.path(), "licences.toml");
    for licence in licences["licence"].as_array().unwrap() {
        assert_eq!(licence["from"].to_string(), "2026-02-28");
        assert_eq!(licence["until"].to_string(), "2028-01-28");
    }
    let people = toml_of(dir.path(), "people.toml");
    let lapsed: Vec<_> = people["person"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|person| person["nda_until"].to_string() == "2026-03-01")
        .map(|person| person["id"].as_str().unwrap())
        .collect();
    assert_eq!(lapsed, ["zheng"]);
}

/// What is guessed of the data, beside what the catalogue of the demo confirms.
fn guessed(dir: &Path, name: &str) -> (survey::Entry, terms::Dataset) {
    let engine = policy::Engine::load(None);
    let data = dir.join("data").join(format!("{name}.parquet"));
    let looked_at = vault::sample(&data, 1000, &mut |_| ()).unwrap();
    let entry = survey::describe(&looked_at, engine.masks().unwrap()).unwrap();
    let file = dir.join("datasets").join(format!("{name}.toml"));
    let confirmed = crate::catalogue::dataset(&file, "gjj").unwrap();
    (entry, confirmed)
}

/// Of the guide's example every kind and every grade; of the other tables every kind, and no grade lower.
#[test]
fn the_worked_example_is_guessed_as_the_guide_grades_it() {
    let dir = seed(2000);
    let (entry, confirmed) = guessed(dir.path(), "account");
    assert_eq!(entry.subject, confirmed.subject);
    assert_eq!(entry.items.len(), 9);
    for (guess, item) in entry.items.iter().zip(&confirmed.items) {
        let told = (&guess.name, guess.kind, guess.grade);
        assert_eq!(told, (&item.name, item.kind, Some(item.grade)), "{guess:?}");
    }
    for name in ["insured", "branch", "district"] {
        let (entry, confirmed) = guessed(dir.path(), name);
        for (guess, item) in entry.items.iter().zip(&confirmed.items) {
            assert_eq!(
                (&guess.name, guess.kind),
                (&item.name, item.kind),
                "{guess:?}"
            );
            assert!(guess.grade >= Some(item.grade), "{guess:?}");
        }
    }
}
