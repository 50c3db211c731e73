//! Values held per subject: where they may stand, and of what the register hears then.

use super::*;
use serde_json::json;

fn per_person() -> Node {
    aggregate(
        visits(),
        vec![column(0)],
        vec![call(F::Sum, vec![column(2)])],
    )
}

fn of(function: F, at: u32) -> AggregateCall {
    call(function, vec![column(at)])
}

/// Each pool that hears of a cell: its dataset, its measure, and whether subjects stand for rows.
fn pools(confined: &Confined) -> Vec<(String, Option<String>, bool)> {
    let pool = |told: &Reported| {
        let measure = told.measure.as_ref().map(|(_, item)| item.to_string());
        (told.dataset.to_string(), measure, told.by_subject)
    };
    confined.reported().iter().map(pool).collect()
}

fn visit_rows() -> (String, Option<String>, bool) {
    ("city.visits".to_owned(), Some("cost".to_owned()), false)
}

fn visitors() -> (String, Option<String>, bool) {
    ("city.visits".to_owned(), None, true)
}

#[test]
fn a_sum_of_sums_is_told_as_the_sum_over_all_rows() {
    let outer = aggregate(per_person(), vec![], vec![of(F::Sum, 1)]);
    assert_eq!(pools(&granted(true, outer)), [visit_rows()]);
    let direct = aggregate(visits(), vec![], vec![of(F::Sum, 2)]);
    assert_eq!(pools(&granted(true, direct)), [visit_rows()]);
    // Where rows are off, the register hears of all who are in the group as well.
    let outer = aggregate(per_person(), vec![], vec![of(F::Sum, 1)]);
    let rows = ("city.visits".to_owned(), None, false);
    let off = pools(&granted(false, outer));
    assert_eq!(off, [visit_rows(), rows, visitors()]);
}

#[test]
fn a_mean_and_a_count_of_held_values_tell_how_many_subjects_there_are_too() {
    for function in [F::Avg, F::Count] {
        let outer = aggregate(per_person(), vec![], vec![of(function, 1)]);
        assert_eq!(pools(&granted(true, outer)), [visit_rows(), visitors()]);
    }
}

#[test]
fn a_held_count_is_a_count_of_the_rows_of_its_measure() {
    let counted = aggregate(visits(), vec![column(0)], vec![of(F::Count, 2)]);
    let outer = aggregate(counted, vec![], vec![of(F::Sum, 1)]);
    let confined = granted(true, outer);
    assert_eq!(pools(&confined), [visit_rows()]);
    let print = confined.plan().print();
    assert!(print.contains("> 0"), "{print}");
}

#[test]
fn what_is_joined_by_the_subject_is_counted_and_told_too() {
    let joined = join(JoinKind::Inner, per_person(), citizen(), vec![(0, 0)]);
    let outer = aggregate(joined, vec![column(5)], vec![of(F::Avg, 1)]);
    let confined = granted(true, outer);
    let people = |measure: Option<&str>| {
        let measure = measure.map(str::to_owned);
        ("city.citizen".to_owned(), measure, false)
    };
    let told = [visit_rows(), visitors(), people(Some("cost")), people(None)];
    let mut found = pools(&confined);
    found.sort();
    let mut expected = told.to_vec();
    expected.sort();
    assert_eq!(found, expected);
    let before = join(JoinKind::Inner, visits(), citizen(), vec![(0, 0)]);
    let inner = aggregate(before, vec![column(0), column(6)], vec![of(F::Sum, 2)]);
    let outer = aggregate(inner, vec![], vec![of(F::Avg, 2)]);
    let mut found = pools(&granted(true, outer));
    found.sort();
    assert_eq!(found, expected, "a district is one for each citizen");
}

#[test]
fn a_held_value_stands_in_nothing_but_an_outer_sum_mean_or_count() {
    let one = Expr::Literal(Literal::Float(1f64.to_bits()));
    let more = || Expr::call(Function::Greater, [column(1), one.clone()]);
    let counted = |filter: Option<Expr>| AggregateCall {
        filter,
        ..call(F::Count, vec![])
    };
    let sorted = Node::Sort {
        input: Box::new(per_person()),
        keys: vec![SortKey {
            expr: column(1),
            descending: true,
            nulls_first: false,
        }],
        fetch: Some(1),
    };
    let doubled = Expr::call(Function::Add, [column(1), column(1)]);
    let summed = call(F::Sum, vec![doubled]);
    for misuse in [
        per_person(),
        filter(per_person(), more()),
        project(per_person(), vec![more()]),
        aggregate(per_person(), vec![column(1)], vec![counted(None)]),
        aggregate(per_person(), vec![], vec![counted(Some(more()))]),
        aggregate(per_person(), vec![], vec![summed]),
        aggregate(sorted, vec![], vec![of(F::Sum, 1)]),
        join(JoinKind::Inner, per_person(), per_person(), vec![(1, 1)]),
        Node::Distinct {
            input: Box::new(per_person()),
        },
        Node::Union {
            inputs: vec![per_person(), per_person()],
        },
    ] {
        assert_eq!(
            refused(true, misuse.clone()),
            Cause::HeldValue,
            "{misuse:?}"
        );
    }
}

#[test]
fn only_sums_and_counts_are_held_and_only_sums_means_and_counts_take_them_in() {
    for function in [F::Avg, F::StddevSample, F::VariancePopulation] {
        let inner = aggregate(visits(), vec![column(0)], vec![of(function, 2)]);
        let outer = aggregate(inner, vec![], vec![of(F::Sum, 1)]);
        assert_eq!(refused(true, outer), Cause::HeldValue);
        if function != F::Avg {
            let outer = aggregate(per_person(), vec![], vec![of(function, 1)]);
            assert_eq!(refused(true, outer), Cause::NotApprovedAggregate);
        }
    }
    let distinct = |function, at| AggregateCall {
        distinct: true,
        ..of(function, at)
    };
    let inner = aggregate(visits(), vec![column(0)], vec![distinct(F::Count, 2)]);
    let outer = aggregate(inner, vec![], vec![of(F::Sum, 1)]);
    assert_eq!(refused(true, outer), Cause::HeldValue);
    for function in [F::Sum, F::Count] {
        let outer = aggregate(per_person(), vec![], vec![distinct(function, 1)]);
        assert_eq!(refused(true, outer), Cause::NotApprovedAggregate);
    }
    for function in [F::Min, F::Median] {
        let outer = aggregate(per_person(), vec![], vec![of(function, 1)]);
        assert_eq!(refused(true, outer), Cause::NotApprovedAggregate);
    }
}

#[test]
fn what_is_held_is_not_held_again() {
    let by_hospital = aggregate(visits(), vec![column(0), column(1)], vec![of(F::Sum, 2)]);
    let again = aggregate(by_hospital, vec![column(0)], vec![of(F::Sum, 2)]);
    let outer = aggregate(again, vec![], vec![of(F::Sum, 1)]);
    assert_eq!(refused(true, outer), Cause::HeldValue);
}

#[test]
fn several_values_of_one_subject_are_summed_but_counted_only_apart() {
    let by_hospital = || aggregate(visits(), vec![column(0), column(1)], vec![of(F::Sum, 2)]);
    let all = aggregate(by_hospital(), vec![], vec![of(F::Sum, 2)]);
    assert_eq!(pools(&granted(true, all)), [visit_rows()]);
    for function in [F::Avg, F::Count] {
        let all = aggregate(by_hospital(), vec![], vec![of(function, 2)]);
        assert_eq!(refused(false, all), Cause::HeldValue);
        let each = aggregate(by_hospital(), vec![column(1)], vec![of(function, 2)]);
        assert_eq!(pools(&granted(true, each)), [visit_rows(), visitors()]);
    }
}

#[test]
fn a_value_that_a_join_could_double_is_refused() {
    let doubled = join(JoinKind::Inner, per_person(), visits(), vec![(0, 0)]);
    let outer = aggregate(doubled, vec![], vec![of(F::Sum, 1)]);
    assert_eq!(refused(false, outer), Cause::NoRule);
    let doubled = join(JoinKind::Inner, visits(), visits(), vec![(0, 0)]);
    let inner = aggregate(doubled, vec![column(0)], vec![of(F::Sum, 2)]);
    let outer = aggregate(inner, vec![], vec![of(F::Sum, 1)]);
    assert_eq!(refused(false, outer.clone()), Cause::Multiplied);
    assert_eq!(refused(true, outer), Cause::HeldValue);
}

#[test]
fn who_is_joined_by_another_tie_is_grouped_too_or_the_value_is_not_held() {
    let left = join(JoinKind::Left, visits(), citizen(), vec![(0, 0)]);
    let inner = aggregate(left, vec![column(0)], vec![of(F::Sum, 2)]);
    let outer = aggregate(inner, vec![], vec![of(F::Sum, 1)]);
    assert_eq!(refused(false, outer), Cause::HeldValue);
}

#[test]
fn no_cell_over_held_values_leaves_with_noise() {
    let outer = aggregate(
        per_person(),
        vec![],
        vec![of(F::Sum, 1), call(F::Count, vec![])],
    );
    let confined = granted(true, outer);
    assert!(confined.reported().iter().all(|told| !told.perturbable));
}

#[test]
fn the_filters_within_and_without_choose_the_rows_that_are_told() {
    let at = |at, value: &str| Some(Expr::call(Function::Equal, [column(at), text(value)]));
    let inner = AggregateCall {
        filter: at(1, "h"),
        ..of(F::Sum, 2)
    };
    let within = aggregate(visits(), vec![column(0), column(1)], vec![inner]);
    let outer = AggregateCall {
        filter: at(1, "g"),
        ..of(F::Sum, 2)
    };
    let confined = granted(true, aggregate(within, vec![], vec![outer]));
    let print = confined.plan().print();
    let lines = |what: &str| -> Vec<String> {
        let found = print.lines().filter(|line| line.contains(what));
        found.map(str::to_owned).collect()
    };
    assert!(
        lines("witness_union")
            .iter()
            .all(|line| line.contains("'g'")),
        "{print}"
    );
    assert!(
        lines("'h'").iter().any(|line| line.contains("witness(")),
        "{print}"
    );
}

#[test]
fn a_dataset_of_one_row_each_counts_its_subjects_as_rows() {
    let incomes = aggregate(citizen(), vec![column(0)], vec![of(F::Sum, 4)]);
    let outer = aggregate(
        incomes,
        vec![],
        vec![call(F::Avg, vec![as_float(column(1))])],
    );
    let confined = granted(true, outer);
    let told = pools(&confined);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(
        told.iter()
            .all(|(dataset, _, by_subject)| { dataset == "city.citizen" && !by_subject })
    );
}

/// From the catalogue to the plan: an aggregate over a derived item is one over a bare item, and the
/// register holds it in one pool with all it is derived of.
#[test]
fn sums_of_a_derived_item_stand_in_one_pool_with_those_of_its_parts() {
    let mut total = item("total", "amount", 3, Some("suppress"), "float");
    total["derived"] = json!("quantity * price");
    let sales = vec![
        item("pid", "subject_id", 3, None, "int"),
        item("quantity", "count", 2, None, "int"),
        item("price", "amount", 3, Some("suppress"), "float"),
        item("fee", "amount", 3, Some("suppress"), "float"),
        total,
    ];
    let wanted = json!([{"name": "city.sales", "items": "all",
        "aggregate": ["quantity", "price", "fee", "total"], "rows": null, "show_rows": true}]);
    let sales = dataset("city.sales", Some("pid"), false, sales);
    let permit = made(vec![sales], &wanted, (5, 10));
    let pool = |item: &str| {
        let scan = scan_under(&permit, "city.sales", &[item]);
        let summed = aggregate(scan, vec![], vec![of(F::Sum, 0)]);
        let confined = confine(Arc::clone(&permit), &draft(summed)).unwrap();
        taint::assert_clean(confined.plan());
        let raw = format!("{item} raw");
        let print = confined.plan().print();
        assert!(print.contains(&raw), "{print}");
        pools(&confined)
    };
    assert_eq!(pool("total"), pool("price"));
    assert_eq!(pool("total")[0].1.as_deref(), Some("quantity"));
    assert_eq!(pool("fee")[0].1.as_deref(), Some("fee"));
}
