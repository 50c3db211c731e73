//! Where something is hidden, rows come in an order of the scenario's own, each as it is.

use super::*;
use proptest::prelude::*;
use std::{collections::BTreeSet, sync::LazyLock};

/// More rows than fit into one row group, so that groups and batches are mixed too.
const ROWS: usize = 140_000;

/// Taken in once, for all tests.
static LARGE: LazyLock<Stage> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let keyring = vault::Keyring::create(dir.path()).unwrap();
    let store = vault::Store::new(dir.path(), &keyring);
    let csv = dir.path().join("people.csv");
    let row = |row: usize| {
        let amount = match row % 11 {
            0 => String::new(),
            _ => (row * 3).to_string(),
        };
        format!("{row},a{},{amount},2024-01-01,x{row}\n", row % 7)
    };
    let header = "id,area,amount,day,text\n".to_owned();
    let text: String = std::iter::once(header).chain((0..ROWS).map(row)).collect();
    std::fs::write(&csv, text).unwrap();
    stored(dir, &store, (&csv, 2))
});

/// The file as a scenario with this key of orders has it.
fn of(stage: &Stage, key: u8) -> Vec<Stored> {
    let mut stored = stage.source.clone();
    stored.keys.order_key = Some(vec![key; 32].into());
    vec![stored]
}

fn masked(item: &'static str, data_type: Type, mask: Mask) -> (&'static str, Type, View) {
    (item, data_type, View::masked(mask, None))
}

/// Numbers of rows, in the order in which they come.
fn numbers(stage: &Stage, key: u8, memory: u64) -> Vec<usize> {
    let scan = people(&[("id", Type::Int, View::Row)], None);
    let answer = run_with_memory(scan, of(stage, key), memory).unwrap();
    let rows = answer.rows.iter().map(|row| row[0].parse().unwrap());
    rows.collect()
}

/// How many of the numbers stand where they stand in the other list.
fn same(one: &[usize], other: &[usize]) -> usize {
    one.iter().zip(other).filter(|(a, b)| a == b).count()
}

#[test]
fn no_two_scenarios_have_one_order_and_none_has_the_sources() {
    let (one, other) = (numbers(&LARGE, 1, 256 << 20), numbers(&LARGE, 2, 256 << 20));
    let source: Vec<usize> = (0..ROWS).collect();
    for (a, b) in [(&one, &other), (&one, &source), (&other, &source)] {
        assert!(
            same(a, b) < 20,
            "{} rows stand where they stood",
            same(a, b)
        );
    }
    for mut numbers in [one, other] {
        // Rows of the last row group are among those of the first: no place says where a row was.
        let late = numbers.iter().take(ROWS / 2).filter(|row| **row >= 131_072);
        let late = late.count();
        assert!((4_000..5_000).contains(&late), "{late} of 8928");
        numbers.sort_unstable();
        assert_eq!(numbers, source);
    }
}

#[test]
fn a_statement_of_a_scenario_meets_one_order_whatever_memory_there_is() {
    let whole = numbers(&LARGE, 1, 256 << 20);
    assert_eq!(whole, numbers(&LARGE, 1, 256 << 20));
    // An eighth of it holds a fifth of the rows, so that the file is read several times.
    assert_eq!(whole, numbers(&LARGE, 1, 2 << 20));
    // Nor does it matter which columns are read beside.
    let views = [
        ("id", Type::Int, View::Row),
        masked("text", Type::Text, Mask::Prefix(2)),
        masked("area", Type::Text, Mask::Plain),
    ];
    let beside = run_plan(people(&views, None), of(&LARGE, 1)).unwrap().rows;
    let beside: Vec<usize> = beside.iter().map(|row| row[0].parse().unwrap()).collect();
    assert_eq!(whole, beside);
}

#[test]
fn a_limit_takes_other_people_in_another_scenario() {
    let first = |key| {
        let limited = Node::Limit {
            input: Box::new(people(&[("id", Type::Int, View::Row)], None)),
            skip: 0,
            fetch: Some(3),
        };
        run_plan(limited, of(&LARGE, key)).unwrap().rows
    };
    let firsts: BTreeSet<_> = (1..=8).map(first).collect();
    assert_eq!(firsts.len(), 8);
    assert!(!firsts.contains(&vec![
        vec!["0".to_owned()],
        vec!["1".into()],
        vec!["2".into()]
    ]));
}

/// Protected data has no order of the source's where all that is read of it is plain either.
#[test]
fn a_plain_scan_with_a_key_has_an_order_too() {
    let ids = |key| {
        let sources = match key {
            None => vec![LARGE.source.clone()],
            Some(key) => of(&LARGE, key),
        };
        let scan = people(&[masked("id", Type::Int, Mask::Plain)], None);
        let rows = run_plan(scan, sources).unwrap().rows;
        let rows = rows.iter().map(|row| row[0].parse().unwrap());
        rows.collect::<Vec<usize>>()
    };
    // Where nobody gives a key, two threads read two row groups, each in the source's order.
    let open = ids(None);
    let ascending = open.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!(ascending > ROWS - 100, "{ascending}");
    assert_eq!(ids(Some(1)), numbers(&LARGE, 1, 256 << 20));
    assert!(same(&open, &ids(Some(1))) < 20);
}

#[test]
fn what_hides_something_is_not_read_without_an_order() {
    let mut job = RunJob {
        plan: Plan {
            root: people(&[("id", Type::Int, View::Row)], None),
            names: vec!["a".to_owned()],
            checks: vec![],
        }
        .encode(),
        sources: vec![LARGE.source.keys.clone()],
        token_key: None,
        memory_bytes_max: 1 << 28,
        batch_rows_max: 1000,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let ran = |job: &RunJob| {
        let files = vec![File::open(&LARGE.source.path).unwrap()];
        let ended = runtime.block_on(run(job.clone(), files, &mut Told::default()));
        ended.map(|done| done.rows)
    };
    assert_eq!(ran(&job), Err(Failed::Job));
    job.sources[0].order_key = Some(vec![1; 32].into());
    assert_eq!(ran(&job), Ok(ROWS as u64));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    /// Whatever the key, the memory and the row policy: each row that is seen comes once, its columns still
    /// its own, and what is computed of all of them is what it was.
    #[test]
    fn every_row_comes_once_as_it_is(key: u8, memory in 20u32..28, rest in 0i64..7) {
        let policy = RowPolicy {
            items: vec![("id".parse().unwrap(), Type::Int)],
            predicate: Expr::call(Function::Equal, [
                Expr::call(Function::Modulo, [Expr::Column(0), int(7)]),
                int(rest),
            ]),
        };
        let views = [
            ("id", Type::Int, View::Row),
            ("id", Type::Int, View::Subject),
            masked("id", Type::Int, Mask::Plain),
            masked("area", Type::Text, Mask::Plain),
            ("amount", Type::Int, View::Raw),
            masked("text", Type::Text, Mask::Prefix(2)),
        ];
        let memory = 1u64 << memory;
        let scan = || people(&views, Some(policy.clone()));
        let mut rows = run_with_memory(scan(), of(&LARGE, key), memory).unwrap().rows;
        rows.sort_by_key(|row| row[0].parse::<usize>().unwrap());
        let wanted = (0..ROWS).filter(|row| row % 7 == usize::try_from(rest).unwrap());
        let wanted = wanted.map(|row| {
            let amount = if row % 11 == 0 { "null".to_owned() } else { (row * 3).to_string() };
            let text = if row < 10 { "***".to_owned() } else { format!("x{row}").chars().take(2).collect() };
            vec![row.to_string(), row.to_string(), row.to_string(), format!("a{}", row % 7), amount, text]
        });
        let wanted: Vec<_> = wanted.collect();
        prop_assert_eq!(&rows.len(), &wanted.len());
        for (row, wanted) in rows.iter().zip(&wanted) {
            prop_assert_eq!(row, wanted);
        }
        let summed = Node::Aggregate {
            input: Box::new(scan()),
            keys: vec![],
            aggregates: vec![AggregateCall {
                function: F::Sum,
                arguments: vec![Expr::Column(4)],
                distinct: false,
                filter: None,
            }],
        };
        let sum: usize = wanted.iter().filter_map(|row| row[4].parse::<usize>().ok()).sum();
        let summed = run_with_memory(summed, of(&LARGE, key), memory).unwrap();
        prop_assert_eq!(&summed.rows, &vec![vec![sum.to_string()]]);
    }
}
