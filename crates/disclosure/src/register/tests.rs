use super::*;
use policy::Allowance;
use std::{
    sync::Arc,
    task::{Context, Waker},
};

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
    open_with(dir, keyring, Limits::default())
}

fn open_with(dir: &Path, keyring: &Keyring, limits: Limits) -> Register {
    let subjects = Box::new(|_: &DatasetName, _| Ok((0..9_000).map(Some).collect()));
    Register::open(dir, keyring, subjects, limits).unwrap()
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
        release: Release::Audit,
        perturbable: true,
        cells: vec![written(from, to)],
    }
}

/// One report of several rows.
fn rows(release: Release, measure: Option<&str>, cells: &[(u32, u32)]) -> Admission {
    Admission {
        release,
        cells: cells.iter().map(|(from, to)| written(*from, *to)).collect(),
        ..admission(measure, 0, 1)
    }
}

fn spending(budget: Allowance) -> Spending {
    Spending {
        day: day(),
        since: day(),
        budget: Budget {
            per_day: budget,
            per_term: budget,
        },
        noise: Perturbation {
            count_max: 8,
            count_deviation: 4.0,
            sum_deviation: 1.5,
        },
    }
}

const MUCH: Allowance = Allowance {
    queries: 1_000,
    cells: 1_000,
    refusals: 1_000,
    perturbed: 1_000,
};

fn admit(register: &Register, admissions: &[Admission]) -> Result<Judged, Denied> {
    register.judge(admissions, ("lic-a", &spending(MUCH)))
}

fn fates(register: &Register, admission: Admission) -> Vec<Fate> {
    admit(register, &[admission]).unwrap().verdict.fates
}

const PLENTY: Allowance = Allowance {
    queries: 10,
    cells: 100,
    refusals: 2,
    perturbed: 1,
};

fn debit(register: &Register) -> Result<(), Denied> {
    let budget = Budget {
        per_day: PLENTY,
        per_term: PLENTY,
    };
    register.debited("lic-a", (day(), day()), &budget)
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
        admit(&stage.register(), &[admission]).unwrap().withheld
    };
    assert_eq!(of(Some("amount"), 1.0), 0);
    assert_eq!(of(None, 0.5), 0);
    assert!(of(Some("amount"), 0.5) > 0);
}

#[test]
fn of_parts_and_their_total_a_part_is_withheld_where_a_small_one_is_missing() {
    let stage = stage();
    let register = stage.register();
    // Three people are in neither part, but in the total.
    let parts = [(0, 20), (20, 30), (0, 33)];
    let judged = admit(&register, &[rows(Release::Audit, None, &parts)]).unwrap();
    assert_eq!(
        judged.verdict.fates,
        [Fate::Exact, Fate::Withheld, Fate::Exact]
    );
    assert_eq!((judged.withheld, judged.perturbed), (1, 0));
    assert_eq!(judged.conflict, Some(pool(None)));
    // What was withheld stays so, and what left may leave again.
    let again = fates(&stage.register(), rows(Release::Audit, None, &parts));
    assert_eq!(again, judged.verdict.fates);
    // Nothing is missing in other parts.
    let whole = [(100, 120), (120, 140), (100, 140)];
    let judged = admit(&register, &[rows(Release::Audit, None, &whole)]).unwrap();
    assert_eq!((judged.withheld, judged.conflict), (0, None));
}

#[test]
fn a_row_leaves_whole_or_not_at_all() {
    let stage = stage();
    let register = stage.register();
    admit(&register, &[admission(Some("amount"), 0, 20)]).unwrap();
    let amount = rows(Release::Audit, Some("amount"), &[(0, 19), (30, 50)]);
    let counted = rows(Release::Audit, None, &[(0, 19), (30, 50)]);
    let judged = admit(&register, &[amount, counted]).unwrap();
    assert_eq!(judged.verdict.fates, [Fate::Withheld, Fate::Exact]);
    assert_eq!(register.cells(&pool(None)).unwrap(), 1, "of the second row");
}

#[test]
fn what_conflicts_leaves_with_the_same_noise_every_time() {
    let stage = stage();
    let register = stage.register();
    let both = |to| rows(Release::Both, Some("amount"), &[(0, to), (40, 60)]);
    assert_eq!(fates(&register, both(30)), [Fate::Exact; 2]);
    let judged = admit(&register, &[both(29)]).unwrap();
    assert_eq!(judged.verdict.fates, [Fate::Perturbed, Fate::Exact]);
    assert_eq!((judged.verdict.noise.len(), judged.perturbed), (1, 1));
    let again = admit(&stage.register(), &[both(29)]).unwrap();
    assert_eq!(again.verdict, judged.verdict, "also after a restart");
    let spent = register.books.lock().spent("lic-a", day(), day());
    let (today, _) = spent.unwrap();
    assert_eq!((today.cells, today.perturbed, today.refusals), (2, 1, 0));
}

#[test]
fn without_a_form_for_noise_what_conflicts_is_withheld() {
    let stage = stage();
    let register = stage.register();
    let cells = |to| Admission {
        perturbable: false,
        ..rows(Release::Both, Some("amount"), &[(0, to), (40, 60)])
    };
    assert_eq!(fates(&register, cells(30)), [Fate::Exact; 2]);
    assert_eq!(fates(&register, cells(29)), [Fate::Withheld, Fate::Exact]);
}

#[test]
fn where_policy_says_perturb_nothing_new_leaves_exactly() {
    let stage = stage();
    let register = stage.register();
    admit(&register, &[admission(Some("amount"), 40, 60)]).unwrap();
    let cells = rows(Release::Perturb, Some("amount"), &[(0, 30), (40, 60)]);
    assert_eq!(fates(&register, cells), [Fate::Perturbed, Fate::Exact]);
    assert_eq!(register.cells(&pool(Some("amount"))).unwrap(), 1);
}

#[test]
fn averaging_perturbed_releases_comes_to_an_end() {
    for (measure, most) in [(Some("amount"), 4), (None, 60)] {
        let stage = stage();
        let register = stage.register();
        // Many crowds, and each again with row 0.
        let crowd = |n: u32| (n * 20 + 1, n * 20 + 20);
        let crowds: Vec<(u32, u32)> = (0..100).map(crowd).collect();
        let cells = |with_row_0: bool| {
            let written = crowds.iter().map(|(from, to)| {
                let mut bytes = Vec::new();
                let rows = (0..u32::from(with_row_0)).chain(*from..*to);
                wire::write_row_set(&rows.collect::<Vec<_>>(), &mut bytes);
                Bytes::from(bytes)
            });
            Admission {
                cells: written.collect(),
                ..rows(Release::Both, measure, &[])
            }
        };
        assert_eq!(fates(&register, cells(false)), [Fate::Exact; 100]);
        let judged = admit(&register, &[cells(true)]).unwrap();
        assert!(
            (1..=most).contains(&judged.perturbed),
            "{}",
            judged.perturbed
        );
        assert_eq!(judged.perturbed + judged.withheld, 100);
        let again = admit(&stage.register(), &[cells(true)]).unwrap();
        assert_eq!(again.perturbed, judged.perturbed, "also when asked again");
    }
}

#[test]
fn a_pool_too_large_to_audit_is_perturbed_whatever_policy_says() {
    let stage = stage();
    let limits = Limits {
        cells_max: 2,
        ..Limits::default()
    };
    let register = open_with(stage.dir.path(), &stage.keyring, limits);
    let judged = |cells: &[(u32, u32)]| fates(&register, rows(Release::Audit, None, cells));
    assert_eq!(judged(&[(0, 20), (20, 40)]), [Fate::Exact; 2]);
    assert_eq!(judged(&[(0, 20), (40, 60)]), [Fate::Exact, Fate::Perturbed]);
    let cells = Admission {
        perturbable: false,
        ..rows(Release::Audit, None, &[(60, 80)])
    };
    let refused = admit(&register, &[cells]).unwrap_err();
    let conflict = Conflict::TooLarge;
    assert!(matches!(refused, Denied::Conflict { conflict: c, .. } if c == conflict));
}

#[test]
fn noise_and_withheld_rows_have_budgets() {
    let stage = stage();
    let register = stage.register();
    let whole: Vec<(u32, u32)> = (0..6).map(|n| (n * 40, n * 40 + 30)).collect();
    let short: Vec<(u32, u32)> = whole.iter().map(|(from, to)| (*from, to - 1)).collect();
    let with = |release, cells: &[(u32, u32)], budget| {
        let admissions = [rows(release, None, cells), rows(release, None, &[])];
        register.judge(&admissions, ("lic-a", &spending(budget)))
    };
    with(Release::Both, &whole, MUCH).unwrap();
    let two = Allowance {
        perturbed: 2,
        ..MUCH
    };
    let judged = with(Release::Both, &short, two).unwrap();
    assert_eq!((judged.perturbed, judged.withheld), (2, 4));
    let (one, with_one) = (
        [&short[..], &[(400, 420)]].concat(),
        Allowance {
            refusals: 5,
            ..MUCH
        },
    );
    let spent = with(Release::Audit, &one, with_one).unwrap_err();
    assert!(
        matches!(spent, Denied::Spent { what: "refusals" }),
        "{spent}"
    );
}

/// A mean over 40 people of what each spent, told as the rows beneath and the people; then the direct sum
/// over the rows of all but two of them. In one pool the difference names the two.
#[test]
fn a_total_of_held_values_and_a_direct_total_are_not_subtracted() {
    let stage = stage();
    let register = stage.register();
    let held = admission(Some("amount"), 0, 100);
    let mut people = admission(None, 0, 40);
    people.pool.by_subject = true;
    admit(&register, &[held.clone(), people.clone()]).unwrap();
    let direct = admit(&register, &[admission(Some("amount"), 0, 98)]);
    let Err(Denied::Conflict { pool, conflict }) = direct else {
        panic!("{direct:?}")
    };
    assert_eq!(*pool, held.pool);
    assert!(
        matches!(
            conflict,
            Conflict::Explains { .. } | Conflict::Isolates { .. }
        ),
        "{conflict}"
    );
    // The same rows summed directly say nothing new; nor does the other order help.
    admit(&register, &[admission(Some("amount"), 0, 100)]).unwrap();
    let stage = self::stage();
    let register = stage.register();
    admit(&register, &[admission(Some("amount"), 0, 98)]).unwrap();
    assert!(admit(&register, &[held, people]).is_err());
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
    let denied = register.debited("lic-a", (tomorrow, day()), &budget);
    assert!(matches!(
        denied,
        Err(Denied::Spent {
            what: "queries a term"
        })
    ));
    register.debited("lic-b", (day(), day()), &budget).unwrap();
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
    let debit = || register.debited("lic-a", (day(), day()), &budget);
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
        register.books.refused("lic-a", day()).unwrap();
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
        .judge(&[admission], ("lic-a", &spending(MUCH)))
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
    let subjects = Box::new(|_: &DatasetName, _| Ok(vec![]));
    let opened = Register::open(stage.dir.path(), &keyring, subjects, Limits::default());
    assert!(matches!(opened, Err(Unstored::Sealed { .. })));
}

/// Somebody who can write the file and has no key changes it while it is closed.
fn changed(stage: &Stage, sql: &str) -> Result<Register, Unstored> {
    let database = rusqlite::Connection::open(stage.dir.path().join("disclosure.db")).unwrap();
    database.execute_batch(sql).unwrap();
    drop(database);
    let subjects = Box::new(|_: &DatasetName, _| Ok((0..9_000).map(Some).collect()));
    Register::open(
        stage.dir.path(),
        &stage.keyring,
        subjects,
        Limits::default(),
    )
}

fn filled() -> Stage {
    let stage = stage();
    let register = stage.register();
    for (measure, from, to) in [(None, 0, 20), (Some("amount"), 0, 40), (None, 50, 80)] {
        admit(&register, &[admission(measure, from, to)]).unwrap();
    }
    debit(&register).unwrap();
    assert_eq!(register.parts(), 3);
    stage
}

#[test]
fn what_is_taken_out_of_the_file_is_missed() {
    for sql in [
        "DELETE FROM admitted WHERE id = 3",
        "DELETE FROM admitted WHERE id = 1",
        "DELETE FROM admitted; DELETE FROM spent",
        "DELETE FROM spent",
        "UPDATE spent SET queries = 0",
        "DELETE FROM tally",
        "DELETE FROM admitted; DELETE FROM spent; DELETE FROM tally",
        "UPDATE admitted SET id = 4 WHERE id = 2",
        // Older tables are taken over as they are: not what was sealed with its number.
        "PRAGMA user_version = 3",
    ] {
        assert!(
            matches!(changed(&filled(), sql), Err(Unstored::Sealed { .. })),
            "{sql}"
        );
    }
    // An entry in the place of another is found when its pool is asked about.
    let stage = filled();
    let copied =
        "UPDATE admitted SET sealed = (SELECT sealed FROM admitted WHERE id = 1) WHERE id = 3";
    let register = changed(&stage, copied).unwrap();
    let asked = admit(&register, &[admission(None, 0, 20)]);
    assert!(matches!(
        asked,
        Err(Denied::Unstored(Unstored::Sealed { .. }))
    ));
}

#[test]
fn an_earlier_file_or_none_is_behind_the_record() {
    let stage = stage();
    let file = stage.dir.path().join("disclosure.db");
    admit(&stage.register(), &[admission(None, 0, 20)]).unwrap();
    let early = std::fs::read(&file).unwrap();
    admit(&stage.register(), &[admission(None, 50, 80)]).unwrap();
    stage.register().judge_record(2).unwrap();
    for content in [Some(early), None] {
        for ending in ["", "-wal", "-shm"] {
            let part = stage.dir.path().join(format!("disclosure.db{ending}"));
            std::fs::remove_file(part).ok();
        }
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let judged = stage.register().judge_record(2);
        assert!(matches!(judged, Err(Unstored::Behind { on_record: 2, .. })));
    }
}

#[test]
fn what_was_kept_before_entries_had_a_number_is_taken_over() {
    let stage = filled();
    let database = rusqlite::Connection::open(stage.dir.path().join("disclosure.db")).unwrap();
    let read = "SELECT id, pool, sealed FROM admitted ORDER BY id";
    let mut query = database.prepare(read).unwrap();
    let rows = query.query_map([], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, Vec<u8>>(2)?,
        ))
    });
    for row in rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap() {
        let (id, name, sealed) = row;
        let plain = stage
            .keyring
            .unseal(&format!("disclosure {name} {id}"), &sealed);
        let plain = plain.unwrap();
        let before = stage
            .keyring
            .seal(&format!("disclosure {name}"), &plain)
            .unwrap();
        let sql = "UPDATE admitted SET sealed = ?, id = ? WHERE id = ?";
        database
            .execute(sql, rusqlite::params![before, id * 10, id])
            .unwrap();
    }
    drop(query);
    drop(database);
    let older = "DROP TABLE tally; PRAGMA user_version = 3";
    let register = changed(&stage, older).unwrap();
    assert_eq!(register.parts(), 3);
    assert_eq!(register.cells(&pool(None)).unwrap(), 2);
    assert!(admit(&register, &[admission(None, 0, 19)]).is_err());
    drop(register);
    assert_eq!(stage.register().parts(), 3);
}

/// Everything that is asked while a judgement goes on, each in its thread.
#[test]
fn a_judgement_keeps_no_budget_and_no_number_waiting() {
    let stage = stage();
    let (began, begins) = std::sync::mpsc::channel();
    let (go_on, goes_on) = std::sync::mpsc::channel::<()>();
    let goes_on = Mutex::new(goes_on);
    let subjects = Box::new(move |_: &DatasetName, _| {
        began.send(()).unwrap();
        goes_on.lock().unwrap().recv().ok();
        Ok((0..9_000).map(Some).collect())
    });
    let limits = Limits::default();
    let register = Register::open(stage.dir.path(), &stage.keyring, subjects, limits).unwrap();
    let (done, answered) = std::sync::mpsc::channel();
    std::thread::scope(|threads| {
        let judging = threads.spawn(|| admit(&register, &[admission(None, 0, 20)]));
        begins.recv().unwrap();
        threads.spawn(|| {
            debit(&register).unwrap();
            register.books.refused("lic-a", day()).unwrap();
            register.held_of(&pool(None).dataset, 1).unwrap();
            register.judge_record(register.parts()).unwrap();
            done.send(()).unwrap();
        });
        let answered = answered.recv_timeout(std::time::Duration::from_secs(20));
        let is_judging = !judging.is_finished();
        go_on.send(()).unwrap();
        judging.join().unwrap().unwrap();
        assert!(is_judging && answered.is_ok());
    });
}

#[tokio::test]
async fn who_waits_for_the_file_leaves_its_thread_to_others() {
    let stage = stage();
    let register = Arc::new(stage.register());
    let budget = Budget {
        per_day: PLENTY,
        per_term: PLENTY,
    };
    let mut debits = std::pin::pin!(async {
        let debited = register.debit_query("lic-a", (day(), day()), &budget);
        debited.await.unwrap();
        register.debit_failure("lic-a", day()).await.unwrap();
    });
    {
        let other = Arc::clone(&register);
        let _held = other.books.lock();
        // This very thread would wait for itself.
        let mut context = Context::from_waker(Waker::noop());
        assert!(debits.as_mut().poll(&mut context).is_pending());
    }
    debits.await;
}

/// Sums over ages and over days, most of which conflict with one another once some have left.
fn crossed(step: u32) -> Admission {
    let cells: Vec<(u32, u32)> = (0..400)
        .map(|at| (at * step % 5_000, at * step % 5_000 + 60 + at % 7))
        .collect();
    rows(Release::Both, Some("amount"), &cells)
}

#[test]
fn a_question_is_only_so_much_work_and_what_is_left_of_it_is_withheld() {
    let stage = stage();
    let limits = Limits {
        steps_max: 40_000,
        question_steps_max: 240_000,
        ..Limits::default()
    };
    let register = open_with(stage.dir.path(), &stage.keyring, limits);
    let spending = spending(Allowance {
        refusals: 100_000,
        ..MUCH
    });
    let mut works = Vec::new();
    for step in [13, 17, 23, 13] {
        let mut work = Work::of(&limits);
        let judged = register.judge_within(&[crossed(step)], ("lic-a", &spending), &mut work);
        works.push((
            work.done(),
            judged.map(|judged| (judged.perturbed, judged.withheld)),
        ));
    }
    // What was begun is done: three searches, and a copy.
    let most = limits.question_steps_max + 4 * limits.steps_max;
    assert!(works.iter().all(|(done, _)| *done <= most), "{works:?}");
}

#[test]
fn where_no_work_is_left_known_rows_leave_and_new_ones_do_not_even_with_noise() {
    let stage = stage();
    admit(&stage.register(), &[admission(Some("amount"), 0, 20)]).unwrap();
    let limits = Limits {
        question_steps_max: 0,
        ..Limits::default()
    };
    let register = open_with(stage.dir.path(), &stage.keyring, limits);
    let judged =
        |cells: &[(u32, u32)]| fates(&register, rows(Release::Both, Some("amount"), cells));
    assert_eq!(judged(&[(0, 20), (40, 60)]), [Fate::Exact, Fate::Withheld]);
    assert_eq!(judged(&[(0, 20)]), [Fate::Exact]);
}
