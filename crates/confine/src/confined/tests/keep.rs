//! What is kept inside: its labels are those that the making statement would have in its place.

use super::*;
use crate::{Kept, confine_kept};
use policy::Permit;
use serde_json::{Value, json};
use std::sync::Arc;
use terms::{Derived, KeptRows};

fn kept(rows: bool, root: Node) -> Kept {
    let confined = confine_kept(permit(rows), &draft(root)).unwrap();
    let kept = confined.kept().unwrap().clone();
    match kept.hidden {
        0 => taint::assert_clean(confined.plan()),
        hidden => taint::assert_kept(confined.plan(), hidden),
    }
    kept
}

fn unkept(rows: bool, root: Node) -> Cause {
    confine_kept(permit(rows), &draft(root)).unwrap_err().cause
}

/// What is put on record of a kept result.
fn event(kept: &Kept) -> Value {
    let derived = Derived {
        name: "x".parse().unwrap(),
        number: 7,
        scenario: "care".parse().unwrap(),
        licence: "lic-a".parse().unwrap(),
        query: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        rows: kept.rows.clone(),
        external: kept.external,
        columns: kept.columns.clone(),
        sources: kept.sources.clone(),
        view: kept.view,
        rows_charged: 9,
        until: "2026-12-21".parse().unwrap(),
        digest: Digest::of(b""),
    };
    json!({"event": "derived-kept", "by": "alice", "derived": derived})
}

/// A permit after the result was kept.
fn after(rows: bool, root: Node) -> Arc<Permit> {
    permit_after(rows, vec![event(&kept(rows, root))])
}

/// All its columns.
fn all(permit: &Permit) -> Node {
    let tables = catalogue(permit);
    let table = tables
        .iter()
        .find(|table| table.dataset.as_str() == "work.x");
    let names: Vec<&str> = table
        .unwrap()
        .columns
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    scan_under(permit, "work.x", &names)
}

// What the making statements are: `citizen` without what is only aggregated.

/// 0 pid, 1 name, 2 birth, 3 district, 4 age.
fn shown() -> Node {
    scan("city.citizen", &["pid", "name", "birth", "district", "age"])
}

fn in_district() -> Node {
    let is = Expr::call(Function::Equal, [column(3), text("D01")]);
    filter(shown(), is)
}

/// Everything that is asked of the making statement in place, and of what it made.
#[expect(
    clippy::too_many_lines,
    reason = "one statement after the other: a list reads best in one place"
)]
fn asked(of: &dyn Fn() -> Node) -> Vec<Node> {
    let count = || call(F::Count, vec![]);
    let whole = || aggregate(of(), vec![], vec![count()]);
    let twice = join(JoinKind::Inner, of(), of(), vec![(0, 0)]);
    let case = Expr::Case {
        branches: vec![(
            Expr::call(Function::Equal, [column(3), text("D02")]),
            column(4),
        )],
        otherwise: None,
    };
    vec![
        of(),
        whole(),
        aggregate(of(), vec![column(3)], vec![count()]),
        aggregate(of(), vec![column(0)], vec![count()]),
        aggregate(
            of(),
            vec![column(1), column(2)],
            vec![count(), call(F::Sum, vec![column(4)])],
        ),
        aggregate(
            of(),
            vec![],
            vec![AggregateCall {
                distinct: true,
                ..call(F::Count, vec![column(0)])
            }],
        ),
        aggregate(
            of(),
            vec![],
            vec![AggregateCall {
                distinct: true,
                ..call(F::Count, vec![column(4)])
            }],
        ),
        aggregate(of(), vec![], vec![call(F::Min, vec![column(4)])]),
        aggregate(of(), vec![], vec![call(F::Sum, vec![case])]),
        aggregate(
            of(),
            vec![],
            vec![call(
                F::Sum,
                vec![Expr::call(Function::Multiply, [column(4), column(4)])],
            )],
        ),
        filter(
            aggregate(of(), vec![column(3)], vec![count()]),
            Expr::call(Function::Less, [column(1), Expr::Literal(Literal::Int(3))]),
        ),
        aggregate(twice, vec![column(3)], vec![count()]),
        aggregate(
            join(JoinKind::Inner, of(), visits(), vec![(0, 0)]),
            vec![column(3)],
            vec![call(F::Sum, vec![column(7)])],
        ),
        aggregate(
            join(JoinKind::Anti, citizen(), of(), vec![(0, 0)]),
            vec![],
            vec![call(F::Sum, vec![column(4)])],
        ),
        aggregate(
            join(JoinKind::Inner, of(), upload(), vec![(0, 0)]),
            vec![],
            vec![count()],
        ),
        join(JoinKind::Inner, of(), upload(), vec![(0, 0)]),
        Node::Distinct {
            input: Box::new(project(of(), vec![column(3)])),
        },
        Node::Limit {
            input: Box::new(of()),
            skip: 0,
            fetch: Some(1),
        },
        Node::Union {
            inputs: vec![of(), of()],
        },
        filter(of(), Expr::call(Function::Equal, [column(0), text("ab")])),
    ]
}

/// What is told of a confined plan beside its scans: what is owed, shown, reported, left out.
fn told(confined: Result<Confined, Unconfinable>) -> Value {
    match confined {
        Err(why) => json!(why.code()),
        Ok(confined) => {
            let reported = confined
                .reported()
                .iter()
                .map(|reported| format!("{reported:?}"));
            let types = confined.columns().iter().map(|column| column.data_type);
            json!({
                "reported": reported.collect::<Vec<_>>(),
                "checks": format!("{:?}", confined.plan().checks),
                "types": types.collect::<Vec<_>>(),
                "row_level": confined.is_row_level(),
                "protected": confined.is_protected(),
                "notice": confined.notice_possible(),
            })
        }
    }
}

#[test]
fn what_is_asked_of_kept_rows_is_decided_as_of_the_statement_in_their_place() {
    for rows in [false, true] {
        for made in [shown, in_district] {
            let later = after(rows, made());
            let inline = asked(&made);
            let stored = asked(&|| all(&later));
            for (at, (inline, stored)) in inline.into_iter().zip(stored).enumerate() {
                let inline = told(confine(permit(rows), &draft(inline)));
                let stored = told(confine(Arc::clone(&later), &draft(stored)));
                assert_eq!(stored, inline, "rows {rows}, statement {at}");
            }
        }
    }
}

#[test]
fn kept_rows_are_counted_in_the_name_of_their_dataset() {
    let later = after(false, in_district());
    let counted = aggregate(all(&later), vec![column(3)], vec![call(F::Count, vec![])]);
    let confined = confine(later, &draft(counted)).unwrap();
    let pools: Vec<_> = confined
        .reported()
        .iter()
        .map(|r| r.dataset.as_str())
        .collect();
    assert_eq!(pools, ["city.citizen"]);
    let read: Vec<_> = confined
        .sources()
        .into_iter()
        .map(|(name, number, _)| (name.to_string(), number))
        .collect();
    assert_eq!(
        read,
        [("work.x_7".to_owned(), 7)],
        "nothing but the kept file is read"
    );
}

#[test]
fn the_hidden_numbers_are_of_the_source_and_no_column_shows_them() {
    let confined = confine_kept(permit(false), &draft(visits())).unwrap();
    let names: Vec<_> = confined.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        names,
        ["c0", "c1", "__row", "__subject"],
        "the raw cost is left out"
    );
    assert_eq!(confined.left_out().len(), 1);
    let of_visits = confined.kept().unwrap();
    assert_eq!((of_visits.hidden, of_visits.columns.len()), (2, 2));
    let people = KeptRows::People {
        dataset: "city.visits".parse().unwrap(),
        snapshot: 1,
    };
    assert_eq!(of_visits.rows, people);
    // Of a dataset whose subject is unique one number says both.
    assert_eq!(kept(false, shown()).hidden, 1);
    let later = after(false, visits());
    let seen: Vec<_> = catalogue(&later)
        .into_iter()
        .filter(|t| t.dataset.schema() == "work")
        .collect();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].columns.len(), 2);
}

#[test]
fn columns_keep_grade_token_and_how_they_are_made() {
    let twice = Expr::call(Function::Add, [column(4), column(4)]);
    let square = Expr::call(Function::Multiply, [column(4), column(4)]);
    let made = project(
        shown(),
        vec![column(0), column(3), column(4), twice, square],
    );
    let columns = kept(false, made).columns;
    let grades: Vec<_> = columns.iter().map(|column| column.grade.number()).collect();
    assert_eq!(grades, [3, 1, 2, 2, 2]);
    let marks: Vec<_> = columns
        .iter()
        .map(|c| (c.bare, c.subject, c.unique, c.token.is_some()))
        .collect();
    assert_eq!(marks[0], (true, true, true, true));
    assert_eq!(marks[1], (true, false, false, false));
    assert_eq!(marks[3], (false, false, false, false));
    use terms::Made;
    let made: Vec<_> = columns.iter().map(|column| column.made).collect();
    assert_eq!(
        made[2..],
        [Made::LinearPersonal, Made::LinearPersonal, Made::Freely]
    );
}

#[test]
fn rows_that_cannot_say_whose_they_are_are_not_kept() {
    let limit = |input: Node| Node::Limit {
        input: Box::new(input),
        skip: 0,
        fetch: Some(5),
    };
    let order = SortKey {
        expr: column(4),
        descending: false,
        nulls_first: false,
    };
    let sorted = Node::Sort {
        input: Box::new(shown()),
        keys: vec![order],
        fetch: Some(1),
    };
    let both = join(JoinKind::Inner, shown(), visits(), vec![(0, 0)]);
    let optional = join(JoinKind::Right, shown(), stat(), vec![(3, 0)]);
    let whole = join(JoinKind::Full, shown(), stat(), vec![(3, 0)]);
    let own = join(JoinKind::Inner, shown(), upload(), vec![(0, 0)]);
    let union = Node::Union {
        inputs: vec![shown(), shown()],
    };
    for (at, made) in [limit(shown()), sorted, both, optional, whole, own, union]
        .into_iter()
        .enumerate()
    {
        // Rows of nobody, filled in beside people.
        let cause = match at {
            3 | 4 => Cause::FilledIn,
            _ => Cause::KeepNoSubject,
        };
        assert_eq!(unkept(false, made), cause, "{at}");
    }
    // Nothing is unique in both together, so that they could make two rows of one.
    let twice = Node::Union {
        inputs: vec![stat(), stat()],
    };
    let doubled = join(JoinKind::Inner, shown(), twice, vec![(3, 0)]);
    assert_eq!(unkept(false, doubled), Cause::KeepMultiplied);
    let decided = join(JoinKind::Semi, shown(), stat(), vec![(3, 0)]);
    assert!(matches!(kept(false, decided).rows, KeptRows::People { .. }));
}

#[test]
fn where_rows_show_their_groups_are_not_kept_and_rows_are() {
    let groups = || aggregate(shown(), vec![column(3)], vec![call(F::Count, vec![])]);
    assert_eq!(unkept(true, groups()), Cause::KeepUnthresholded);
    let limit = Node::Limit {
        input: Box::new(shown()),
        skip: 0,
        fetch: Some(1),
    };
    assert_eq!(unkept(true, limit), Cause::KeepUnthresholded);
    assert!(matches!(kept(true, shown()).rows, KeptRows::People { .. }));
    let answers = kept(false, groups());
    assert_eq!(answers.rows, KeptRows::Answers);
    assert_eq!(answers.sources[0].items.len(), 1);
}

#[test]
fn answers_are_values_that_a_caller_wrote() {
    let groups = aggregate(
        citizen(),
        vec![column(3)],
        vec![call(F::Sum, vec![column(4)])],
    );
    let later = after(false, groups);
    // By itself it is free: all of it was released.
    let confined = confine(Arc::clone(&later), &draft(all(&later))).unwrap();
    assert!(!confined.is_protected() && confined.reported().is_empty());
    assert_eq!(confined.columns()[1].sources[0].grade.number(), 3);
    // Joined to people it is a list of the caller's own: no weights.
    let people = scan_under(&later, "city.citizen", &["pid", "district", "age"]);
    let joined = join(JoinKind::Inner, people, all(&later), vec![(1, 0)]);
    let product = Expr::call(Function::Multiply, [column(2), column(4)]);
    let weighed = aggregate(joined, vec![], vec![call(F::Sum, vec![product])]);
    assert_eq!(
        confine(later, &draft(weighed)).unwrap_err().cause,
        Cause::SingledOut
    );
}

#[test]
fn tokens_are_not_kept_among_answers_over_people() {
    let by_person = aggregate(visits(), vec![column(0)], vec![call(F::Count, vec![])]);
    let cause = unkept(false, by_person);
    assert!(
        matches!(
            cause,
            Cause::KeepTokens | Cause::KeepNoSubject | Cause::RowsOff
        ),
        "{cause:?}"
    );
}

#[test]
fn a_kept_result_is_gone_while_its_sources_are_seen_otherwise() {
    let event = event(&kept(false, shown()));
    let there = |permit: &Permit| {
        catalogue(permit)
            .iter()
            .any(|t| t.dataset.schema() == "work")
    };
    assert!(there(&permit_after(false, vec![event.clone()])));
    let digest = Digest::of(b"");
    let newer = json!({"event": "dataset-loaded", "by": "alice", "snapshot": {"dataset": "city.citizen",
        "number": 2, "rows": 9, "digest": digest, "types": ["int", "text", "date", "text", "int", "int",
        "text", "int"]}});
    // A newer state is not seen before the scenario is granted again.
    assert!(there(&permit_after(
        false,
        vec![event.clone(), newer.clone()]
    )));
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut all = datasets();
        change(&mut all[0]);
        let change =
            json!({"event": "dataset-changed", "by": "alice", "step": "graded", "dataset": all[0]});
        there(&permit_after(false, vec![event.clone(), change]))
    };
    assert!(changed(&|_| {}));
    assert!(
        changed(&|dataset| dataset["items"][4]["grade"] = json!(2)),
        "income was not read"
    );
    assert!(
        !changed(&|dataset| dataset["items"][7]["mask"] = json!("band(100)")),
        "another mask"
    );
    assert!(
        !changed(&|dataset| dataset["items"][7]["grade"] = json!(3)),
        "another grade"
    );
    assert!(
        !changed(&|dataset| dataset["prohibited"] = json!("x")),
        "barred"
    );
    assert!(
        !changed(&|dataset| dataset["items"][0]["unique"] = json!(false)),
        "no longer unique"
    );
    let dropped =
        json!({"event": "derived-dropped", "by": "alice", "dataset": "work.x_7", "end": "dropped"});
    assert!(!there(&permit_after(false, vec![event.clone(), dropped])));
    let mut others = event;
    others["derived"]["scenario"] = json!("other");
    assert!(
        !there(&permit_after(false, vec![others])),
        "another scenario's"
    );
}

#[test]
fn what_is_made_of_kept_rows_is_of_their_dataset_too() {
    let later = after(false, shown());
    let again = confine_kept(Arc::clone(&later), &draft(all(&later))).unwrap();
    let again = again.kept().unwrap();
    let people = KeptRows::People {
        dataset: "city.citizen".parse().unwrap(),
        snapshot: 1,
    };
    assert_eq!(again.rows, people);
    assert_eq!(again.sources.len(), 1);
    assert_eq!(again.sources[0].dataset.as_str(), "city.citizen");
    assert_eq!(
        again.reads.iter().map(|r| r.as_str()).collect::<Vec<_>>(),
        ["work.x_7"]
    );
    assert!(again.columns[0].subject && again.columns[0].grade.number() == 3);
}

#[test]
fn the_domains_own_name_of_a_kept_result_is_none_in_a_statement() {
    let later = after(false, shown());
    let mut scan = all(&later);
    if let Node::Scan(scan) = &mut scan {
        scan.dataset = "work.x_7".parse().unwrap();
    }
    assert_eq!(
        confine(later, &draft(scan)).unwrap_err().cause,
        Cause::UnknownName
    );
}
