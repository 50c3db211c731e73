use super::*;

struct Stage {
    dir: tempfile::TempDir,
    keyring: Keyring,
}

fn stage() -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let keyring = Keyring::create(dir.path()).unwrap();
    Stage { dir, keyring }
}

impl Stage {
    fn register(&self) -> Register {
        open(self.dir.path(), &self.keyring)
    }
}

fn open(dir: &Path, keyring: &Keyring) -> Register {
    let subjects = Box::new(|_: &DatasetName, _| Ok((0..9_000).map(Some).collect()));
    Register::open(dir, keyring, subjects, Limits::default()).unwrap()
}

fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 21).unwrap()
}

fn pool(measure: Option<&str>) -> Pool {
    let dataset: DatasetName = "gjj.account".parse().unwrap();
    let measure = measure.map(|item| (dataset.clone(), item.parse().unwrap()));
    Pool {
        dataset,
        snapshot: 1,
        measure,
        by_subject: false,
    }
}

fn written(from: u32, to: u32) -> Bytes {
    let mut bytes = Vec::new();
    wire::write_row_set(&(from..to).collect::<Vec<_>>(), &mut bytes);
    bytes.into()
}

fn admission(measure: Option<&str>, from: u32, to: u32) -> Admission {
    Admission {
        pool: pool(measure),
        k: 5,
        explained_max: 0.5,
        cells: vec![written(from, to)],
    }
}

fn admit(register: &Register, admissions: &[Admission]) -> Result<(), Denied> {
    register.admit(admissions, ("lic-a", day()))
}

const PLENTY: Allowance = Allowance {
    queries: 10,
    cells: 100,
    refusals: 2,
};

fn debit(register: &Register) -> Result<(), Denied> {
    let budget = Budget {
        per_day: PLENTY,
        per_term: PLENTY,
    };
    register.debit_query("lic-a", (day(), day()), &budget)
}

#[test]
fn a_difference_is_refused_also_after_a_restart() {
    let stage = stage();
    admit(&stage.register(), &[admission(None, 0, 20)]).unwrap();
    let register = stage.register();
    assert_eq!(register.cells(&pool(None)).unwrap(), 1);
    let refused = admit(&register, &[admission(None, 0, 19)]);
    let conflict = Conflict::Isolates { subjects: 1 };
    assert!(matches!(refused, Err(Denied::Conflict { conflict: c, .. }) if c == conflict));
    assert_eq!(
        register.cells(&pool(None)).unwrap(),
        1,
        "what was refused is not held against it"
    );
    admit(&register, &[admission(None, 0, 20)]).unwrap();
    admit(&register, &[admission(None, 0, 10)]).unwrap();
}

#[test]
fn one_of_several_refuses_all_and_keeps_none() {
    let stage = stage();
    let register = stage.register();
    let both = [admission(Some("amount"), 0, 30), admission(None, 0, 3)];
    assert!(admit(&register, &both).is_err());
    assert_eq!(register.cells(&pool(Some("amount"))).unwrap(), 0);
    assert_eq!(stage.register().cells(&pool(Some("amount"))).unwrap(), 0);
}

#[test]
fn two_reports_of_one_pool_in_one_statement_are_held_against_each_other() {
    let stage = stage();
    let both = [admission(None, 0, 30), admission(None, 0, 28)];
    assert!(admit(&stage.register(), &both).is_err());
}

#[test]
fn sums_that_explain_one_subject_are_refused_and_counts_are_not() {
    let of = |measure: Option<&str>, explained_max: f64| {
        let stage = stage();
        let cell = |rows: Vec<u32>| {
            let mut bytes = Vec::new();
            wire::write_row_set(&rows, &mut bytes);
            Bytes::from(bytes)
        };
        // Row 0 with each of ten crowds, and the crowds with four others.
        let crowd = |n: u32| n * 10..n * 10 + 10;
        let with = |n| cell([0].into_iter().chain(crowd(n)).collect());
        let mut cells: Vec<Bytes> = (1..11).map(with).collect();
        cells.push(cell((1..5).chain(10..110).collect()));
        let admission = Admission {
            cells,
            explained_max,
            ..admission(measure, 0, 1)
        };
        admit(&stage.register(), &[admission])
    };
    of(Some("amount"), 1.0).unwrap();
    of(None, 0.5).unwrap();
    let refused = of(Some("amount"), 0.5).unwrap_err();
    let Denied::Conflict { conflict, .. } = refused else {
        panic!("{refused}")
    };
    assert!(matches!(conflict, Conflict::Explains { .. }), "{conflict}");
}

#[test]
fn measures_are_pools_of_their_own() {
    let stage = stage();
    let register = stage.register();
    admit(&register, &[admission(Some("amount"), 0, 30)]).unwrap();
    admit(&register, &[admission(Some("balance"), 0, 29)]).unwrap();
    assert!(admit(&register, &[admission(Some("amount"), 0, 29)]).is_err());
}

#[test]
fn budgets_are_debited_durably_and_never_given_back() {
    let stage = stage();
    for _ in 0..5 {
        debit(&stage.register()).unwrap();
    }
    let register = stage.register();
    (0..5).for_each(|_| debit(&register).unwrap());
    assert!(matches!(
        debit(&register),
        Err(Denied::Spent {
            what: "queries a day"
        })
    ));
    let tomorrow = day().succ_opt().unwrap();
    let budget = Budget {
        per_day: PLENTY,
        per_term: PLENTY,
    };
    let denied = register.debit_query("lic-a", (tomorrow, day()), &budget);
    assert!(matches!(
        denied,
        Err(Denied::Spent {
            what: "queries a term"
        })
    ));
    register
        .debit_query("lic-b", (day(), day()), &budget)
        .unwrap();
}

#[test]
fn refusals_cost_too() {
    let stage = stage();
    let register = stage.register();
    admit(&register, &[admission(None, 0, 30)]).unwrap();
    for short in [29, 28] {
        debit(&register).unwrap();
        assert!(admit(&register, &[admission(None, 0, short)]).is_err());
    }
    assert!(matches!(
        debit(&register),
        Err(Denied::Spent {
            what: "refusals a day"
        })
    ));
}

#[test]
fn new_cells_cost_and_known_ones_do_not() {
    let stage = stage();
    let register = stage.register();
    let two = Allowance { cells: 2, ..PLENTY };
    let budget = Budget {
        per_day: two,
        per_term: two,
    };
    let debit = || register.debit_query("lic-a", (day(), day()), &budget);
    admit(&register, &[admission(None, 0, 20)]).unwrap();
    for _ in 0..5 {
        admit(&register, &[admission(None, 0, 20)]).unwrap();
    }
    debit().unwrap();
    admit(&register, &[admission(None, 20, 40)]).unwrap();
    let spent = debit().unwrap_err();
    assert!(
        matches!(spent, Denied::Spent { what } if what == "cells a day"),
        "{spent}"
    );
}

#[test]
fn runs_that_failed_cost_like_refusals() {
    let stage = stage();
    let register = stage.register();
    debit(&register).unwrap();
    for _ in 0..PLENTY.refusals {
        register.debit_failure("lic-a", day()).unwrap();
    }
    let spent = debit(&register).unwrap_err();
    assert!(
        matches!(spent, Denied::Spent { what } if what == "refusals a day"),
        "{spent}"
    );
}

#[test]
fn the_cells_of_one_pool_do_not_open_as_anothers() {
    let stage = stage();
    admit(&stage.register(), &[admission(None, 0, 20)]).unwrap();
    let database = rusqlite::Connection::open(stage.dir.path().join("disclosure.db")).unwrap();
    let name = pool(Some("amount")).name();
    database
        .execute("UPDATE admitted SET pool = ?", [name])
        .unwrap();
    let opened = stage.register().cells(&pool(Some("amount")));
    assert!(matches!(opened, Err(Unstored::Sealed { .. })));
}

#[test]
fn what_is_no_set_of_rows_is_not_admitted() {
    let stage = stage();
    let wrong = Admission {
        cells: vec![Bytes::from_static(&[7, 7])],
        ..admission(None, 0, 1)
    };
    assert!(matches!(
        admit(&stage.register(), &[wrong]),
        Err(Denied::Unreadable)
    ));
}

#[test]
fn nothing_of_a_set_stands_in_the_file() {
    let stage = stage();
    let admission = admission(None, 7_000, 7_500);
    let plain = admission.cells[0].clone();
    stage
        .register()
        .admit(&[admission], ("lic-a", day()))
        .unwrap();
    let stored: Vec<u8> = std::fs::read_dir(stage.dir.path())
        .unwrap()
        .filter(|file| {
            file.as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .contains("disclosure")
        })
        .flat_map(|file| std::fs::read(file.unwrap().path()).unwrap())
        .collect();
    assert!(!stored.is_empty());
    let part = &plain[plain.len() - 64..];
    assert!(!stored.windows(part.len()).any(|window| window == part));
}

#[test]
fn another_domains_key_opens_nothing() {
    let stage = stage();
    admit(&stage.register(), &[admission(None, 0, 30)]).unwrap();
    let other = tempfile::tempdir().unwrap();
    let keyring = Keyring::create(other.path()).unwrap();
    let register = open(stage.dir.path(), &keyring);
    assert!(matches!(
        register.cells(&pool(None)),
        Err(Unstored::Sealed { .. })
    ));
}
