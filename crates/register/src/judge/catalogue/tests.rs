use crate::{Command, State, Unlawful, stage::*};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use terms::Event;

fn catalogue(dataset: Value) -> Command {
    Command::CatalogueDataset(read(dataset))
}

/// Refused in a domain without datasets, for this reason.
fn check(dataset: Value, expect: &str) {
    let why = refused(&peopled(), &dora(), catalogue(dataset));
    assert_eq!(why.to_string(), expect);
}

#[test]
fn a_complete_entry_is_catalogued_as_it_is() {
    let mut state = peopled();
    let event = carry(&mut state, &dora(), catalogue(dataset()));
    let (by, dataset) = (dora().id, read(dataset()));
    assert_eq!(state.dataset(&read(json!("city.citizen"))), Some(&dataset));
    assert_eq!(event, Event::DatasetCatalogued { by, dataset });
}

#[test]
fn a_dataset_is_catalogued_once() {
    let why = refused(&catalogued(), &dora(), catalogue(dataset()));
    assert_eq!(
        why.to_string(),
        "register.dataset-exists: dataset `city.citizen`: a dataset of this name is in the \
         catalogue already (PD-13)"
    );
}

#[test]
fn every_element_of_an_entry_is_there() {
    for element in ["title", "provider", "source", "update"] {
        for blank in ["", "  ", "\t\n", "\u{3000}"] {
            check(
                with(dataset(), &format!("/{element}"), blank),
                &format!(
                    "register.element-missing: dataset `city.citizen`: `{element}` is empty \
                     (PD-13)"
                ),
            );
        }
    }
}

#[test]
fn an_entry_lists_its_items() {
    check(
        with(dataset(), "/items", json!([])),
        "register.no-items: dataset `city.citizen`: list its items (PD-13)",
    );
}

#[test]
fn an_item_is_listed_once() {
    check(
        with(dataset(), "/items/2/name", "pid"),
        "register.item-twice: dataset `city.citizen`, item `pid`: the item is listed twice (PD-13)",
    );
    let capital = with(dataset(), "/items/2/name", "PID");
    carry(&mut peopled(), &dora(), catalogue(capital));
}

/// Source: CG-A, the six rows of Appendix A.
#[test]
fn attributes_are_those_that_appendix_a_allows_the_grade() {
    let allowed = [
        (1, "unconditional", "unconditional"),
        (2, "unconditional", "conditional"),
        (2, "unconditional", "not-opened"),
        (2, "conditional", "conditional"),
        (3, "conditional", "not-opened"),
        (4, "not-shared", "not-opened"),
    ];
    let state = peopled();
    for grade in 1..=4 {
        for sharing in ["unconditional", "conditional", "not-shared"] {
            for opening in ["unconditional", "conditional", "not-opened"] {
                let entry = with(dataset(), "/items/2/grade", grade);
                let entry = with(entry, "/items/2/sharing", sharing);
                let entry = with(entry, "/items/2/opening", opening);
                let judged = state.judge(&dora(), catalogue(entry), noon());
                let expect = format!(
                    "register.attributes: dataset `city.citizen`, item `district`: sharing and \
                     opening attribute contradict grade {grade}; leave them out for the default \
                     (CG-A)"
                );
                let expect = (!allowed.contains(&(grade, sharing, opening))).then_some(expect);
                let why = judged.err().map(|why: Unlawful| why.to_string());
                assert_eq!(why, expect, "{grade} {sharing} {opening}");
            }
        }
    }
}

#[test]
fn the_subject_is_an_item_that_identifies_below_grade_four() {
    check(
        with(dataset(), "/subject", "ghost"),
        "register.no-subject: dataset `city.citizen`: the subject `ghost` is none of its items \
         (PD-13)",
    );
    let kind = |subject: &str| {
        format!(
            "register.subject-kind: dataset `city.citizen`: the subject `{subject}` must be an \
             identifier below grade 4 (CG-6.2)"
        )
    };
    check(with(dataset(), "/subject", "district"), &kind("district"));
    let closed = with(dataset(), "/items/3/kind", "subject_id");
    check(with(closed, "/subject", "gene"), &kind("gene"));
    for lawful in [json!("pid"), json!("phone"), json!(null)] {
        let entry = with(dataset(), "/subject", lawful);
        carry(&mut peopled(), &dora(), catalogue(entry));
    }
}

#[test]
fn no_dataset_takes_the_name_of_the_products_own_tables() {
    check(
        with(dataset(), "/name", "bonded.receipts"),
        "register.reserved-name: dataset `bonded.receipts`: schema `bonded` is the product's own; \
         choose another (PD-13)",
    );
}

fn loaded(state: &State, snapshot: Value) -> String {
    refused(state, &dora(), load(snapshot)).to_string()
}

#[test]
fn data_without_a_catalogue_entry_is_never_taken_in() {
    assert_eq!(
        loaded(&peopled(), snapshot(1)),
        "register.not-catalogued: dataset `city.citizen`: data without a catalogue entry is never \
         taken in (AO-2)"
    );
}

#[test]
fn snapshots_are_counted_from_one_without_gaps() {
    let due = |number: u32| {
        format!(
            "register.snapshot-order: dataset `city.citizen`: snapshot {number} with 4 items is \
             due (PD-14)"
        )
    };
    let mut state = catalogued();
    for wrong in [0, 2, u32::MAX] {
        assert_eq!(loaded(&state, snapshot(wrong)), due(1));
    }
    let event = carry(&mut state, &dora(), load(snapshot(1)));
    let (by, expect) = (dora().id, read(snapshot(1)));
    assert_eq!(state.snapshot(&read(json!("city.citizen"))), Some(&expect));
    let snapshot_one = Event::DatasetLoaded {
        by,
        snapshot: expect,
        row_risks: BTreeMap::new(),
    };
    assert_eq!(event, snapshot_one);
    for wrong in [0, 1, 3] {
        assert_eq!(loaded(&state, snapshot(wrong)), due(2));
    }
    carry(&mut state, &dora(), load(snapshot(2)));
}

#[test]
fn a_snapshot_tells_the_type_of_every_item() {
    for types in [
        json!([]),
        json!(["int", "text", "text"]),
        json!(["int", "int", "int", "int", "int"]),
    ] {
        assert_eq!(
            loaded(&catalogued(), with(snapshot(1), "/types", types)),
            "register.snapshot-order: dataset `city.citizen`: snapshot 1 with 4 items is due (PD-14)"
        );
    }
}
