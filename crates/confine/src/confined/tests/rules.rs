//! Small rules, each by a draft that tells it from its neighbour: what no other test noticed when the
//! code was changed. See `tests/mutants.md`.

use super::*;
use plan::{RowPolicy, Statistic};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn under(permit: &Arc<Permit>, root: Node) -> Result<Confined, Unconfinable> {
    let confined = confine(Arc::clone(permit), &draft(root))?;
    taint::assert_clean(confined.plan());
    Ok(confined)
}

fn sum(input: Node, argument: Expr) -> Node {
    aggregate(input, vec![], vec![call(F::Sum, vec![argument])])
}

fn count() -> AggregateCall {
    call(F::Count, vec![])
}

fn times(left: Expr, right: Expr) -> Expr {
    Expr::call(Function::Multiply, [left, right])
}

fn plus(left: Expr, right: Expr) -> Expr {
    Expr::call(Function::Add, [left, right])
}

fn cast(value: Expr, to: Type) -> Expr {
    Expr::Cast {
        value: Box::new(value),
        to,
        lenient: false,
    }
}

fn equals(at: u32, value: &str) -> Expr {
    Expr::call(Function::Equal, [column(at), text(value)])
}

fn union(inputs: Vec<Node>) -> Node {
    Node::Union { inputs }
}

fn window(input: Node, calls: Vec<WindowCall>) -> Node {
    Node::Window {
        input: Box::new(input),
        calls,
    }
}

fn counted_over(argument: u32, partition: Vec<u32>, order: Vec<u32>) -> WindowCall {
    WindowCall {
        function: WindowFunction::Aggregate(F::Count),
        arguments: vec![column(argument)],
        partition: partition.into_iter().map(column).collect(),
        order: order.into_iter().map(up).collect(),
        frame: Frame {
            rows: true,
            start: FrameBound::UnboundedPreceding,
            end: FrameBound::UnboundedFollowing,
        },
    }
}

fn up(at: u32) -> SortKey {
    SortKey {
        expr: column(at),
        descending: false,
        nulls_first: false,
    }
}

/// Where each column of the result comes from.
fn sources(confined: &Confined) -> Vec<Vec<String>> {
    let columns = confined.columns().iter();
    columns.map(|column| said(&column.sources)).collect()
}

/// A scan whose first column is suppressed, so that every other stands elsewhere than in the draft:
/// 0 income, 1 name, 2 birth, 3 district, 4 pid.
fn moved() -> Node {
    scan(
        "city.citizen",
        &["income", "name", "birth", "district", "pid"],
    )
}

/// What a scenario that lists these items may, whose row policy asks whether an item of it has a value.
fn where_there_is((item, of): (&str, Type), citizen: Value, listed: &Value) -> Arc<Permit> {
    let rows = RowPolicy {
        items: vec![(item.parse().unwrap(), of)],
        predicate: Expr::call(Function::IsNotNull, [column(0)]),
    };
    let bytes: String = rows.encode().iter().map(|b| format!("{b:02x}")).collect();
    let wanted = json!([{"name": "city.citizen", "items": listed,
        "rows": format!("{item} is not null"), "rows_plan": bytes, "show_rows": true}]);
    made(vec![citizen], &wanted, (5, 10))
}

fn subject_id() -> Value {
    let mut pid = item("pid", "subject_id", 3, None, "int");
    pid["unique"] = json!(true);
    pid
}

// --- what is told ---

#[test]
fn open_data_alone_is_neither_protected_nor_withheld_nor_registered() {
    let open = granted(true, stat());
    assert!(!open.is_protected() && !open.is_row_level() && !open.notice_possible());
    assert_eq!((open.register(), open.reported()), ("none", [].as_slice()));
    let counts = aggregate(citizen(), vec![column(3)], vec![count()]);
    let groups = granted(false, counts);
    assert!(groups.is_protected() && !groups.is_row_level() && groups.notice_possible());
    let everybody = Expr::Scalar(Box::new(aggregate(citizen(), vec![], vec![count()])));
    let beside = granted(false, project(stat(), vec![column(0), everybody]));
    assert!(beside.notice_possible(), "withheld in a subquery");
}

#[test]
fn a_refusal_names_the_item_its_grade_and_the_code() {
    let hidden = project(citizen(), vec![column(4)]);
    let hidden = confine(permit(true), &draft(hidden)).unwrap_err();
    assert_eq!(hidden.cause, Cause::NothingShown);
    assert_eq!(hidden.code(), "confine.nothing-shown");
    assert_eq!(hidden.told(), Cause::NothingShown.told());
    let line = hidden.to_string();
    assert!(line.starts_with("confine.nothing-shown: "), "{line}");
    assert!(
        line.ends_with(" (`city.citizen`.`income`, grade 3)"),
        "{line}"
    );
    let nowhere = Unconfinable::from(Cause::IllTyped).to_string();
    assert!(!nowhere.contains('`'), "{nowhere}");
    // Whether there is a match comes from both sides of the join.
    let refusal = |root| confine(permit(false), &draft(root)).unwrap_err();
    let marked = join(JoinKind::Mark, ages(), stat(), vec![(3, 0)]);
    let matches = Expr::Case {
        branches: vec![(column(4), column(2))],
        otherwise: None,
    };
    let summed = Expr::call(Function::Coalesce, [matches, number(0)]);
    let item = refusal(sum(marked, summed)).item;
    assert_eq!(item.unwrap().1.as_str(), "age");
    let marked = join(JoinKind::Mark, ages(), stat(), vec![(3, 0)]);
    let item = refusal(sum(marked, as_float(cast(column(4), Type::Int)))).item;
    assert_eq!(item.unwrap().1.as_str(), "district");
}

#[test]
fn a_row_policy_over_an_item_not_listed_is_told_with_its_grade_and_read() {
    let citizen = dataset(
        "city.citizen",
        Some("pid"),
        false,
        vec![
            subject_id(),
            item("birth", "date", 2, Some("year"), "date"),
            item("district", "code", 1, None, "text"),
            item("note", "free_text", 2, Some("suppress"), "text"),
        ],
    );
    let listed = json!({"named": ["pid", "district", "note"]});
    let permit = where_there_is(("birth", Type::Date), citizen, &listed);
    let scan = || scan_under(&permit, "city.citizen", &["pid", "district"]);
    let counts = aggregate(scan(), vec![column(1)], vec![count()]);
    let confined = under(&permit, counts).unwrap();
    let told: Vec<String> = confined
        .references()
        .iter()
        .map(|r| format!("{} {} {}", r.item, r.way, r.grade.number()))
        .collect();
    assert_eq!(told, ["birth row-policy 2", "district plain 1"]);
    assert_eq!(
        said(confined.influences()),
        ["birth row-policy FILTER", "district plain GROUP_BY"]
    );
    let grades = confined.influences().iter().map(|o| o.grade.number());
    assert_eq!(grades.collect::<Vec<u8>>(), [2, 1]);
    let [(dataset, snapshot, items)] = confined.sources().try_into().unwrap();
    assert_eq!((dataset.as_str(), snapshot), ("city.citizen", 1));
    let items: Vec<&str> = items.iter().map(ItemName::as_str).collect();
    assert_eq!(items, ["birth", "district"]);
    let catalogue = confined.catalogue();
    let seen: Vec<&str> = catalogue[0].columns.iter().map(|c| c.0.as_str()).collect();
    assert_eq!(seen, ["pid", "district"], "`note` is not there at all");
    // The numbers of one dataset say nothing of another.
    let rows = under(&permit, project(scan(), vec![column(1)])).unwrap();
    assert_eq!(rows.numbers(&"city.stat".parse().unwrap()), (false, false));
}

/// Plain columns too: held together, those of two scenarios would say which token is which.
#[test]
fn people_stand_in_no_order_of_the_source() {
    let hides = |root: Node, dataset: &str| {
        let confined = granted(true, root);
        let dataset = dataset.parse().unwrap();
        let scans = confined.plan().root.scans();
        let of = scans.iter().filter(|scan| scan.dataset == dataset);
        let is_open = of.clone().count() > 0 && of.clone().all(|scan| scan.is_open());
        (is_open, confined.hides_order(&dataset))
    };
    let plain = || project(scan("city.citizen", &["district"]), vec![column(0)]);
    assert_eq!(hides(plain(), "city.citizen"), (true, true));
    let tokens = project(scan("city.citizen", &["pid"]), vec![column(0)]);
    assert_eq!(hides(tokens, "city.citizen"), (false, true));
    assert_eq!(hides(stat(), "city.stat"), (true, false));
    assert_eq!(hides(stat(), "city.none"), (false, true));
}

#[test]
fn a_row_policy_over_what_is_of_grade_four_by_now_answers_nothing() {
    for (grade, expect) in [(2, None), (4, Some("confine.row-policy"))] {
        let citizen = dataset(
            "city.citizen",
            Some("pid"),
            false,
            vec![
                subject_id(),
                item("diag", "free_text", grade, Some("suppress"), "text"),
                item("district", "code", 1, None, "text"),
            ],
        );
        let permit = where_there_is(("diag", Type::Text), citizen, &json!("all"));
        let scan = scan_under(&permit, "city.citizen", &["pid", "district"]);
        let confined = under(&permit, aggregate(scan, vec![column(1)], vec![count()]));
        assert_eq!(
            confined.err().map(|why| why.code()),
            expect,
            "grade {grade}"
        );
    }
}

#[test]
fn rows_are_counted_by_the_column_whose_key_says_least() {
    let scan = scan("city.citizen", &["pid", "name", "district"]);
    let confined = granted(true, aggregate(scan, vec![], vec![count()]));
    let sources = confined.sources();
    let items: Vec<&str> = sources[0].2.iter().map(ItemName::as_str).collect();
    assert_eq!(items, ["district"]);
}

#[test]
fn no_aggregate_nobody_reads_is_computed() {
    let district = call(F::Count, vec![column(0)]);
    let pop = call(F::Sum, vec![column(1)]);
    let grouped = aggregate(stat(), vec![column(0)], vec![pop.clone()]);
    let whole = aggregate(stat(), vec![], vec![district, pop]);
    for (root, read) in [
        (project(grouped, vec![column(0)]), "district"),
        (project(whole, vec![column(1)]), "pop"),
    ] {
        let sources = granted(true, root).sources();
        let items: Vec<&str> = sources[0].2.iter().map(ItemName::as_str).collect();
        assert_eq!(items, [read]);
    }
}

#[test]
fn inputs_of_a_union_are_narrowed_to_the_same_columns() {
    let narrowed = |input: Node| {
        let both = union(vec![input.clone(), input]);
        let plan = pruned(draft(project(both, vec![column(1)]))).unwrap();
        plan.print().matches("project").count()
    };
    let many = Expr::call(Function::Greater, [column(1), number(5)]);
    let some = Expr::call(Function::IsNotNull, [column(0)]);
    assert_eq!(narrowed(stat()), 1);
    assert_eq!(narrowed(filter(stat(), many)), 1);
    assert_eq!(narrowed(filter(stat(), some)), 3, "the condition's column");
}

// --- columns that stand elsewhere than in the draft ---

#[test]
fn windows_orders_conditions_and_filters_follow_their_columns() {
    let calls = vec![
        counted_over(1, vec![3], vec![2]),
        counted_over(3, vec![], vec![]),
    ];
    let both = project(window(moved(), calls), vec![column(5), column(6)]);
    let confined = granted(true, both);
    assert_eq!(
        sources(&confined),
        [
            vec![
                "birth year WINDOW, masked",
                "district plain WINDOW",
                "name partial(1,0) TRANSFORMATION, masked"
            ],
            vec!["district plain TRANSFORMATION"],
        ]
    );
    let sorted = Node::Sort {
        input: Box::new(moved()),
        keys: vec![up(2)],
        fetch: None,
    };
    let confined = granted(true, sorted);
    assert_eq!(said(confined.influences()), ["birth year SORT, masked"]);
    let mut joined = join(JoinKind::Inner, moved(), visits(), vec![(4, 0)]);
    if let Node::Join { filter, .. } = &mut joined {
        *filter = Some(equals(6, "h1"));
    }
    let confined = granted(true, joined);
    let hospital = "hosp plain JOIN".to_owned();
    assert!(said(confined.influences()).contains(&hospital));
    let income = AggregateCall {
        filter: Some(equals(1, "张*")),
        ..call(F::Sum, vec![column(0)])
    };
    let people = AggregateCall {
        filter: Some(equals(3, "x")),
        ..count()
    };
    let latest = call(F::Max, vec![column(2)]);
    let confined = granted(
        true,
        aggregate(moved(), vec![], vec![income, people, latest]),
    );
    assert_eq!(
        sources(&confined),
        [
            vec![
                "income raw-aggregate AGGREGATION",
                "name partial(1,0) CONDITIONAL, masked"
            ],
            vec!["district plain CONDITIONAL"],
            vec!["birth year AGGREGATION, masked"],
        ]
    );
}

#[test]
fn what_is_joined_to_a_mark_stands_behind_it() {
    let marked = join(JoinKind::Mark, stat(), stat(), vec![(0, 0)]);
    let joined = join(JoinKind::Inner, marked, stat(), vec![(0, 0)]);
    let confined = granted(true, joined);
    let types: Vec<Type> = confined.columns().iter().map(|c| c.data_type).collect();
    let (text, int) = (Type::Text, Type::Int);
    assert_eq!(types, [text, int, Type::Bool, text, int]);
    assert_eq!(
        sources(&confined)[2..],
        [
            vec!["district plain CONDITIONAL"],
            vec!["district plain IDENTITY"],
            vec!["pop plain IDENTITY"],
        ]
    );
}

// --- who may enter twice ---

/// Whether the sum of a column owes that each row enters once.
fn owes_once(input: Node, measure: u32) -> bool {
    let confined = granted(true, sum(input, column(measure)));
    confined.plan().checks.iter().any(|check| check.once)
}

#[test]
fn a_key_stays_one_where_its_column_goes_and_nothing_else_becomes_one() {
    let visits_of =
        |left: Node, at| owes_once(join(JoinKind::Inner, left, visits(), vec![(at, 0)]), at + 3);
    assert!(!visits_of(
        project(citizen(), vec![column(3), column(0)]),
        1
    ));
    let people_of =
        |right, at| owes_once(join(JoinKind::Inner, citizen(), right, vec![(0, at)]), 4);
    assert!(people_of(project(visits(), vec![column(0), column(1)]), 0));
    assert!(people_of(project(visits(), vec![column(1), column(0)]), 1));
    assert!(people_of(scan("city.visits", &["hosp", "pid"]), 1));
    let twice = join(JoinKind::Inner, citizen(), citizen(), vec![(0, 0)]);
    let thrice = join(JoinKind::Inner, twice, visits(), vec![(6, 0)]);
    assert!(!owes_once(thrice, 14), "a key of the right side");
    let left = join(JoinKind::Left, visits(), citizen(), vec![(0, 0)]);
    assert!(!owes_once(left, 2), "at most one citizen, or none");
}

#[test]
fn where_nulls_are_equal_no_key_proves_anything() {
    let nulls = |mut node: Node| {
        if let Node::Join { null_equal, .. } = &mut node {
            *null_equal = true;
        }
        node
    };
    let joined = |left, right| nulls(join(JoinKind::Inner, left, right, vec![(0, 0)]));
    assert!(owes_once(joined(visits(), citizen()), 2));
    assert!(owes_once(joined(citizen(), visits()), 8));
}

#[test]
fn only_the_dataset_of_the_measure_owes_that_it_enters_once() {
    let joined = join(JoinKind::Inner, citizen(), visits(), vec![(0, 0)]);
    let confined = granted(true, sum(joined, column(4)));
    let once = confined.plan().checks.iter().filter(|check| check.once);
    assert_eq!((once.count(), confined.plan().checks.len()), (1, 2));
}

// --- what is owed ---

#[test]
fn one_witness_of_several_aggregates_meets_the_strictest() {
    let over = |function| call(function, vec![as_float(column(4))]);
    let alone = granted(true, aggregate(citizen(), vec![], vec![over(F::Sum)]));
    assert_eq!(alone.plan().checks[0].freedom, 0);
    for calls in [[F::Sum, F::StddevSample], [F::VariancePopulation, F::Avg]] {
        let calls = calls.into_iter().map(over).collect();
        let confined = granted(true, aggregate(citizen(), vec![], calls));
        let [check] = confined.plan().checks.as_slice() else {
            panic!("{:?}", confined.plan().checks);
        };
        assert!(check.dominance.is_some() && check.spread && check.freedom == 10);
    }
}

#[test]
fn order_statistics_hide_the_largest_by_their_form() {
    let share = Expr::Literal(Literal::Float(0.9f64.to_bits()));
    for (function, arguments, form) in [
        (F::Min, vec![column(5)], "safe_min("),
        (F::Max, vec![column(5)], "safe_max("),
        (
            F::Percentile,
            vec![as_float(column(5)), share],
            ", 0.9, 10, ",
        ),
        (F::Median, vec![as_float(column(5))], ", 0.5, 10, "),
    ] {
        let root = aggregate(citizen(), vec![], vec![call(function, arguments)]);
        let confined = granted(true, root);
        let printed = confined.plan().print();
        assert!(printed.contains(form), "{printed}");
        let check = confined.plan().checks[0];
        assert!(check.dominance.is_none() && !check.spread, "{check:?}");
    }
}

#[test]
fn a_percentile_of_bands_keeps_its_share() {
    let share = Expr::Literal(Literal::Float(0.9f64.to_bits()));
    let percentile = |share| call(F::Percentile, vec![as_float(column(2)), share]);
    let root = aggregate(ages(), vec![], vec![percentile(share)]);
    let printed = granted(false, root).plan().print();
    assert!(
        printed.contains("safe_quantile(") && printed.contains(", 0.9, "),
        "{printed}"
    );
}

#[test]
fn what_is_withheld_already_is_withheld_again_only_where_no_group_is_one_too() {
    let inner = || {
        let keys = vec![column(3), column(2)];
        aggregate(citizen(), keys, vec![call(F::Sum, vec![column(4)])])
    };
    let outer = |keys| aggregate(inner(), keys, vec![call(F::Sum, vec![column(2)])]);
    assert_eq!(withholds(&granted(true, outer(vec![column(0)]))), 1);
    assert_eq!(withholds(&granted(true, outer(vec![]))), 2);
}

/// An inner group that is reported by itself cannot be told from the next one by what they have in common.
#[test]
fn of_groups_of_groups_each_inner_one_is_reported() {
    let keys = vec![column(3), column(2)];
    let inner = aggregate(citizen(), keys, vec![count()]);
    let outer = aggregate(inner, vec![], vec![call(F::Max, vec![column(2)])]);
    let confined = granted(false, outer);
    let reporting =
        |node: &&Node| matches!(node, Node::Withhold { reports, .. } if !reports.is_empty());
    let nodes = every_node(&confined.plan().root);
    let found: Vec<&Node> = nodes.into_iter().filter(reporting).collect();
    let [Node::Withhold { input, reports, .. }] = found.as_slice() else {
        panic!("{}", confined.plan().print());
    };
    let Node::Aggregate {
        keys, aggregates, ..
    } = &**input
    else {
        panic!("{}", confined.plan().print());
    };
    assert_eq!(keys.len(), 2, "the inner groups");
    let at = |report: &plan::Report| report.witness as usize - keys.len();
    let functions = reports.iter().map(|r| aggregates[at(r)].function);
    assert_eq!(functions.collect::<Vec<F>>(), [F::Witness]);
}

#[test]
fn groups_of_subjects_are_registered_by_subject_unless_each_has_one_row() {
    let each = |input| aggregate(input, vec![column(0)], vec![count()]);
    let by_subject = |input: Node| {
        let root = aggregate(each(input), vec![], vec![count()]);
        let confined = granted(false, root);
        let reported = confined.reported().iter();
        reported.map(|r| r.by_subject).collect::<Vec<bool>>()
    };
    assert_eq!(by_subject(visits()), [false, true], "their rows too");
    assert_eq!(by_subject(citizen()), [false]);
    let rows = granted(false, aggregate(visits(), vec![], vec![count()]));
    assert!(!rows.reported()[0].by_subject);
    // The same beside a measure of the rows themselves.
    let joined = join(JoinKind::Inner, each(visits()), citizen(), vec![(0, 0)]);
    let confined = granted(true, sum(joined, column(6)));
    let told: Vec<(&str, bool)> = confined
        .reported()
        .iter()
        .map(|r| (r.dataset.as_str(), r.by_subject))
        .collect();
    assert_eq!(told, [("city.visits", true), ("city.citizen", false)]);
    assert!(confined.plan().checks.iter().all(|check| !check.once));
}

#[test]
fn a_group_by_one_subject_is_one_by_each_that_equals_it() {
    let pairs = join(JoinKind::Inner, citizen(), visits(), vec![(0, 0)]);
    let three = join(JoinKind::Inner, pairs.clone(), visits(), vec![(6, 0)]);
    for key in [0, 6] {
        let each = aggregate(pairs.clone(), vec![column(key)], vec![count()]);
        let outer = aggregate(each, vec![], vec![count()]);
        let confined = granted(false, outer);
        // Citizens; visits by row and by whose they are.
        assert_eq!(confined.reported().len(), 3, "by {key}");
        let all = aggregate(three.clone(), vec![column(key)], vec![count()]);
        assert_eq!(
            refused(false, all),
            Cause::Multiplied,
            "visits times visits"
        );
        let who = aggregate(three.clone(), vec![column(key)], vec![]);
        granted(false, aggregate(who, vec![], vec![count()]));
    }
}

// --- what is summed ---

#[test]
fn a_product_has_one_personal_factor_and_no_third_one() {
    // 2 age, 5 pop: a person's, and nobody's.
    let both = || join(JoinKind::Inner, ages(), stat(), vec![(3, 0)]);
    let (age, pop) = (|| column(2), || column(5));
    for allowed in [
        times(age(), pop()),
        times(pop(), age()),
        times(pop(), pop()),
        times(plus(pop(), number(1)), age()),
        plus(times(age(), pop()), age()),
    ] {
        granted(false, sum(both(), allowed));
    }
    for conditional in [
        times(plus(age(), pop()), age()),
        times(age(), plus(pop(), age())),
        times(times(age(), pop()), pop()),
        times(plus(times(pop(), pop()), pop()), age()),
    ] {
        assert_eq!(
            refused(false, sum(both(), conditional.clone())),
            Cause::SingledOut,
            "{conditional:?}"
        );
    }
}

#[test]
fn a_cast_is_linear_from_a_number_to_a_float_alone() {
    let decimal = Type::Decimal {
        precision: 12,
        scale: 0,
    };
    for conditional in [cast(column(1), Type::Float), cast(column(2), decimal)] {
        assert_eq!(
            refused(false, of_all(F::Sum, conditional.clone())),
            Cause::SingledOut,
            "{conditional:?}"
        );
    }
    granted(false, of_all(F::Sum, cast(column(2), Type::Float)));
    granted(false, of_all(F::Sum, cast(number(1), decimal)));
    let three = Expr::call(Function::Abs, [number(-3)]);
    granted(false, of_all(F::Sum, three));
}

#[test]
fn what_is_linear_stays_so_where_every_number_of_it_fits() {
    let decimal = |precision, scale| Type::Decimal { precision, scale };
    // A whole number has up to 19 digits.
    let age = |to| cast(column(2), to);
    for wide in [decimal(19, 0), decimal(20, 1)] {
        granted(false, of_all(F::Sum, age(wide)));
    }
    let twice = |first, then| cast(age(first), then);
    granted(false, of_all(F::Sum, twice(decimal(21, 2), decimal(22, 2))));
    for narrow in [
        age(decimal(18, 0)),
        age(decimal(20, 2)),
        twice(decimal(21, 2), decimal(21, 1)),
        twice(decimal(21, 2), Type::Int),
    ] {
        let refusal = refused(false, of_all(F::Sum, narrow.clone()));
        assert_eq!(refusal, Cause::SingledOut, "{narrow:?}");
    }
    // Nothing, as a decimal, adds nothing.
    let one = |value| cast(number(value), decimal(21, 2));
    let chosen = of_all(F::Sum, choice(one(1), Some(one(0))));
    assert_eq!(granted(false, chosen).plan().checks.len(), 2);
}

#[test]
fn a_value_changed_or_fetched_is_no_item_to_count() {
    let distinct = |argument| {
        let call = AggregateCall {
            distinct: true,
            ..call(F::Count, vec![argument])
        };
        aggregate(ages(), vec![], vec![call])
    };
    let fetched = Expr::Scalar(Box::new(project(stat(), vec![column(0)])));
    granted(false, distinct(column(0)));
    for argument in [column(3), cast(column(2), Type::Text), fetched] {
        assert_eq!(refused(false, distinct(argument)), Cause::SingledOut);
    }
}

#[test]
fn one_row_of_constants_is_no_choice() {
    let one = Node::Values {
        types: vec![Type::Text, Type::Int],
        rows: vec![vec![Literal::Text("x".to_owned()), Literal::Int(3)]],
    };
    let joined = join(JoinKind::Inner, ages(), one, vec![(3, 0)]);
    granted(false, sum(joined, column(5)));
}

#[test]
fn per_person_only_a_plain_count_or_sum_is_linear() {
    let each = |call| aggregate(ages(), vec![column(0)], vec![call]);
    let outer = |call| sum(each(call), column(1));
    granted(false, outer(call(F::Sum, vec![column(2)])));
    let filtered = AggregateCall {
        filter: Some(is_named()),
        ..call(F::Sum, vec![column(2)])
    };
    let named = call(F::Count, vec![column(1)]);
    for conditional in [filtered, named] {
        assert_eq!(refused(false, outer(conditional)), Cause::SingledOut);
    }
}

#[test]
fn a_union_with_a_constant_says_where_a_row_is_from() {
    let age = || project(ages(), vec![column(2)]);
    let one = || project(ages(), vec![number(1)]);
    granted(false, sum(union(vec![age(), age()]), column(0)));
    for inputs in [vec![age(), one()], vec![one(), age()], vec![one(), one()]] {
        let root = sum(union(inputs), column(0));
        assert_eq!(refused(false, root), Cause::SingledOut);
    }
}

// --- tokens ---

#[test]
fn a_token_meets_no_other_value_from_either_side() {
    for sides in [[column(0), text("x")], [text("x"), column(0)]] {
        let equal = Expr::call(Function::Equal, sides);
        assert_eq!(refused(true, filter(citizen(), equal)), Cause::TokenMisused);
    }
}

#[test]
fn tokens_of_two_domains_never_meet() {
    let mut vid = item("vid", "subject_id", 3, None, "int");
    vid["domain"] = json!("visit");
    let visits = dataset("city.visits", Some("pid"), false, vec![subject_id(), vid]);
    let wanted = json!([{"name": "city.visits", "items": "all", "rows": null,
        "show_rows": true}]);
    let permit = made(vec![visits], &wanted, (5, 10));
    let scan = || scan_under(&permit, "city.visits", &["pid", "vid"]);
    let equal = |left, right| Expr::call(Function::Equal, [column(left), column(right)]);
    under(&permit, filter(scan(), equal(1, 1))).unwrap();
    let joined = |on| join(JoinKind::Inner, scan(), scan(), vec![on]);
    under(&permit, joined((1, 1))).unwrap();
    for root in [filter(scan(), equal(0, 1)), joined((0, 1)), joined((1, 0))] {
        let refusal = under(&permit, root).unwrap_err();
        assert_eq!(refusal.cause, Cause::TokenDomains);
    }
}

// --- the operator's own rows ---

#[test]
fn what_the_operators_own_rows_chose_chooses_nobody_to_leave_out() {
    let labels = || project(upload(), vec![column(1)]);
    let districts = || project(stat(), vec![column(0)]);
    for chosen in [
        join(JoinKind::Semi, districts(), labels(), vec![(0, 0)]),
        join(JoinKind::Inner, districts(), labels(), vec![(0, 0)]),
        join(JoinKind::Inner, labels(), districts(), vec![(0, 0)]),
        union(vec![districts(), labels()]),
    ] {
        let left = join(JoinKind::Anti, citizen(), chosen, vec![(3, 0)]);
        assert_eq!(
            refused(true, sum(left, column(4))),
            Cause::ExternalExclusion
        );
    }
}

#[test]
fn the_operators_own_numbers_are_weights_of_its_choice() {
    let citizen = dataset(
        "city.citizen",
        Some("pid"),
        false,
        vec![subject_id(), item("pop", "count", 1, None, "int")],
    );
    let upload = dataset(
        "city.upload",
        None,
        true,
        vec![subject_id(), item("weight", "count", 1, None, "int")],
    );
    let wanted = json!([
        {"name": "city.citizen", "items": "all", "rows": null, "show_rows": true},
        {"name": "city.upload", "items": "all", "rows": null},
    ]);
    let permit = made(vec![citizen, upload], &wanted, (5, 10));
    let joined = || {
        let citizen = scan_under(&permit, "city.citizen", &["pid", "pop"]);
        let upload = scan_under(&permit, "city.upload", &["pid", "weight"]);
        join(JoinKind::Inner, citizen, upload, vec![(0, 0)])
    };
    under(&permit, sum(joined(), column(1))).unwrap();
    let weighed = under(&permit, sum(joined(), column(3)));
    assert_eq!(weighed.unwrap_err().cause, Cause::SingledOut);
}

// --- which items are measures ---

#[test]
fn only_numbers_that_identify_nobody_are_summed_raw() {
    let mut age = item("age", "count", 2, Some("band(10)"), "int");
    age["band"] = json!(5.0);
    let mut account = item("account", "bank_account", 3, Some("suppress"), "int");
    account["band"] = json!(5.0);
    let mut note = item("note", "free_text", 3, Some("suppress"), "text");
    note["band"] = json!(5.0);
    let citizen = dataset(
        "city.citizen",
        Some("pid"),
        false,
        vec![
            subject_id(),
            age,
            account,
            note,
            item("pop", "count", 1, None, "int"),
        ],
    );
    let wanted = json!([{"name": "city.citizen", "items": "all", "rows": null,
        "aggregate": ["pid", "age", "account", "note", "pop"], "show_rows": true}]);
    let permit = made(vec![citizen], &wanted, (5, 10));
    // 0 pid, 1 age, 2 account, 3 note, 4 pop.
    let names = ["pid", "age", "account", "note", "pop"];
    let of = |function, argument| {
        let scan = scan_under(&permit, "city.citizen", &names);
        let root = aggregate(scan, vec![], vec![call(function, vec![argument])]);
        let confined = under(&permit, root);
        confined.map(|c| c.plan().print()).map_err(|e| e.cause)
    };
    let not_approved = Err(Cause::NotApprovedAggregate);
    assert_eq!(of(F::Sum, column(2)), not_approved);
    assert_eq!(of(F::Min, column(2)), not_approved);
    assert_eq!(of(F::Min, column(3)), not_approved);
    for counted in [column(2), column(3), column(0)] {
        of(F::Count, counted).unwrap();
    }
    assert_eq!(
        of(F::Count, cast(column(2), Type::Text)),
        Err(Cause::RawInExpression)
    );
    // What is shown in bands is summed raw, and its extremes are those of the bands.
    assert!(of(F::Sum, column(1)).unwrap().contains("age raw"));
    let least = of(F::Min, column(1)).unwrap();
    assert!(!least.contains("safe_min("), "{least}");
    // What everybody sees has no more in it.
    let open = of(F::Sum, column(4)).unwrap();
    assert!(!open.contains("withhold"), "{open}");
}

// --- a side that only decides ---

#[test]
fn a_deciding_side_with_a_condition_is_tied_or_refused() {
    let filtered = |mut node: Node, at| {
        if let Node::Join { filter, .. } = &mut node {
            *filter = Some(equals(at, "h1"));
        }
        node
    };
    let tied = join(JoinKind::Semi, citizen(), visits(), vec![(0, 0)]);
    let counted = aggregate(filtered(tied, 7), vec![column(3)], vec![count()]);
    granted(false, counted);
    let untied = || join(JoinKind::Semi, stat(), visits(), vec![(0, 1)]);
    assert_eq!(refused(false, filtered(untied(), 3)), Cause::UntiedSide);
    granted(false, untied());
    assert_eq!(withholds(&granted(true, filtered(untied(), 3))), 0);
}

#[test]
fn a_cell_can_leave_perturbed_where_all_that_shows_it_has_a_form_for_noise() {
    let check = |rows, calls: Vec<AggregateCall>, expect: &[(u32, Statistic)]| {
        let root = aggregate(citizen(), vec![column(3)], calls);
        let confined = granted(rows, root);
        let reported = confined.reported().iter();
        assert!(reported.clone().all(|r| r.release == policy::Release::Both));
        let perturbable: BTreeSet<bool> = reported.map(|r| r.perturbable).collect();
        assert_eq!(
            perturbable,
            [!expect.is_empty()].into(),
            "{}",
            confined.plan().print()
        );
        let mut noised: Vec<(u32, Statistic)> = Vec::new();
        for node in every_node(&confined.plan().root) {
            if let Node::Withhold { reports, .. } = node {
                let all = reports.iter().flat_map(|report| &report.noised);
                noised.extend(all.map(|noised| (noised.column, noised.statistic)));
            }
        }
        noised.sort_unstable();
        noised.dedup();
        assert_eq!(noised, expect, "{}", confined.plan().print());
    };
    let income = |function| call(function, vec![column(4)]);
    check(false, vec![count()], &[(1, Statistic::Count)]);
    check(true, vec![income(F::Sum)], &[(1, Statistic::Sum)]);
    check(
        true,
        vec![income(F::Count), call(F::Avg, vec![as_float(column(4))])],
        &[(1, Statistic::Count), (2, Statistic::Mean)],
    );
    check(
        true,
        vec![
            income(F::Sum),
            call(F::StddevSample, vec![as_float(column(4))]),
        ],
        &[],
    );
    let median = call(F::Median, vec![as_float(column(5))]);
    check(true, vec![income(F::Sum), median], &[]);
    let total = call(F::Sum, vec![as_float(number(1))]);
    check(false, vec![count(), total], &[]);
}

/// An error would tell that there is a row that makes it.
#[test]
fn over_protected_data_what_can_fail_has_no_value_instead() {
    let text_of = |of: Expr| Expr::call(Function::Left, [of, number(2)]);
    let decimal = |precision| Type::Decimal {
        precision,
        scale: 2,
    };
    let cast = |to| Expr::Cast {
        value: Box::new(column(3)),
        to,
        lenient: false,
    };
    let printed = |input: Node, exprs: Vec<Expr>| {
        let confined = granted(true, project(input, exprs));
        confined.plan().print()
    };
    let sum = |to| Expr::call(Function::Add, [cast(to), cast(to)]);
    let told = printed(
        citizen(),
        vec![
            text_of(column(3)),
            sum(decimal(38)),
            sum(Type::Int),
            sum(Type::Float),
            Expr::call(Function::Like, [column(3), text("K%")]),
            Expr::call(Function::Like, [column(3), column(3)]),
            Expr::call(Function::Abs, [cast(Type::Int)]),
        ],
    );
    let found = |what: &str| told.matches(what).count();
    assert_eq!(found("or_null"), 4, "{told}");
    assert_eq!(found("try_cast"), 7, "{told}");
    let open = printed(stat(), vec![text_of(column(0))]);
    assert!(!open.contains("or_null"), "{open}");
    // A mean that has no room for its digits.
    let mean = |to| aggregate(citizen(), vec![], vec![call(F::Avg, vec![cast(to)])]);
    let room = |to| granted(true, mean(to)).plan().print();
    assert!(room(decimal(24)).contains("avg"));
    assert_eq!(refused(true, mean(decimal(25))), Cause::MeanOfDecimals);
}

#[test]
fn groups_that_feed_others_are_reported_and_take_their_noise_where_they_are_made() {
    let inner = aggregate(citizen(), vec![column(3)], vec![count()]);
    let outer = aggregate(inner, vec![column(0)], vec![call(F::Sum, vec![column(1)])]);
    let confined = granted(false, outer);
    assert_eq!(withholds(&confined), 1);
    assert_eq!(confined.reported().len(), 1);
    assert!(confined.reported().iter().all(|r| r.perturbable));
}

/// By how many a FILTER chooses for a raw value, counted elsewhere without one of them, that one is known.
#[test]
fn whom_a_filter_chooses_for_a_raw_value_is_held_against_counts_of_rows() {
    let chosen = Expr::call(Function::Equal, [column(3), text("K1")]);
    for function in [F::Count, F::Sum] {
        let mut raw = call(function, vec![column(4)]);
        let pools = |raw: AggregateCall, rows| {
            let confined = granted(rows, aggregate(citizen(), vec![], vec![raw]));
            let of = |none: bool| {
                let reported = confined.reported().iter();
                reported.filter(|r| r.measure.is_none() == none).count()
            };
            (of(true), of(false))
        };
        assert_eq!(
            pools(raw.clone(), false),
            (1, 1),
            "all rows, and the values"
        );
        raw.filter = Some(chosen.clone());
        assert_eq!(pools(raw.clone(), false), (2, 1), "and those chosen");
        assert_eq!(pools(raw, true), (0, 1), "who stands in the open anyhow");
    }
}

#[test]
fn whom_a_filter_chooses_of_groups_by_subject_is_registered_by_their_rows_too() {
    let spent = call(F::Sum, vec![column(2)]);
    let pools = |filter: Option<Expr>| {
        let each = aggregate(visits(), vec![column(0)], vec![spent.clone()]);
        let mut total = call(F::Sum, vec![column(1)]);
        total.filter = filter;
        let confined = granted(false, aggregate(each, vec![], vec![total]));
        let counts = |by_subject| {
            let reported = confined.reported().iter();
            let counts = reported.filter(|r| r.measure.is_none() && r.by_subject == by_subject);
            counts.count()
        };
        (counts(false), counts(true))
    };
    assert_eq!(pools(None), (1, 1), "all rows, and all subjects");
    let chosen = Expr::call(Function::IsNotNull, [column(0)]);
    assert_eq!(pools(Some(chosen)), (2, 2), "and those chosen");
}

/// How often a join repeats a row, what it looks up for it, and whether it fills nobody in, say what the row
/// meets, and who is counted stays the same.
#[test]
fn rows_that_may_not_show_are_neither_repeated_nor_looked_up_nor_filled_in_for() {
    let chosen = || Expr::Case {
        branches: vec![(
            Expr::call(Function::Equal, [column(1), text("x")]),
            text("D01"),
        )],
        otherwise: Some(Box::new(text("D02"))),
    };
    let all = |input: Node| aggregate(input, vec![], vec![count()]);
    let two = || Node::Values {
        types: vec![Type::Int],
        rows: vec![vec![Literal::Int(1)], vec![Literal::Int(2)]],
    };
    // 0 name's choice, 1 age; then district and pop.
    let looked_up = |kind| {
        let people = project(ages(), vec![chosen(), column(2)]);
        join(kind, people, stat(), vec![(0, 0)])
    };
    let repeated = || join(JoinKind::Inner, ages(), two(), vec![(2, 0)]);
    assert_eq!(refused(false, all(repeated())), Cause::Multiplied);
    granted(true, all(repeated()));
    granted(false, aggregate(repeated(), vec![column(3)], vec![]));
    let each = aggregate(repeated(), vec![column(0)], vec![count()]);
    assert_eq!(refused(false, each), Cause::Multiplied, "per subject too");
    assert_eq!(
        refused(false, sum(looked_up(JoinKind::Inner), column(3))),
        Cause::SingledOut
    );
    granted(false, all(looked_up(JoinKind::Inner)));
    let plain = join(JoinKind::Inner, ages(), stat(), vec![(3, 0)]);
    granted(false, sum(plain, column(5)));
    for kind in [JoinKind::Left, JoinKind::Full] {
        let filled = join(kind, stat(), ages(), vec![(0, 3)]);
        assert_eq!(refused(false, all(filled.clone())), Cause::FilledIn);
        granted(true, all(filled));
    }
    let kept = join(JoinKind::Left, ages(), stat(), vec![(3, 0)]);
    granted(false, all(kept));
    // Of several groups of one subject, how many there are.
    let several = || aggregate(visits(), vec![column(0), column(1)], vec![count()]);
    assert_eq!(refused(false, all(several())), Cause::Multiplied);
    granted(false, aggregate(several(), vec![column(1)], vec![count()]));
    // And whose rows a count per subject is of.
    let per_person = aggregate(visits(), vec![column(0)], vec![count()]);
    let told = granted(false, sum(per_person, column(1)));
    assert!(told.reported().iter().any(|r| !r.by_subject));
}

/// What compares groups that nobody heard of tells two of them apart, whoever they differ in.
#[test]
fn no_group_is_filtered_or_joined_before_it_is_withheld_and_reported() {
    let groups = || aggregate(citizen(), vec![column(3)], vec![count()]);
    let odd = |at| Expr::call(Function::NotEqual, [column(at), number(57)]);
    let above = |input| aggregate(input, vec![], vec![count()]);
    let same = |kind| join(kind, groups(), groups(), vec![(0, 0), (1, 1)]);
    for plan in [
        above(filter(groups(), odd(1))),
        same(JoinKind::Inner),
        above(same(JoinKind::Inner)),
        above(same(JoinKind::Semi)),
        above(filter(same(JoinKind::Left), odd(3))),
    ] {
        let confined = granted(false, plan);
        let nodes = every_node(&confined.plan().root);
        let counted = |node: &&Node| {
            matches!(node, Node::Aggregate { aggregates, .. }
                if aggregates.iter().any(|call| call.function == F::Witness))
        };
        let made = nodes.iter().copied().filter(|node| counted(node)).count();
        let told = nodes.iter().copied().filter(|node| {
            matches!(node, Node::Withhold { input, reports, .. }
                if !reports.is_empty() && counted(&&**input))
        });
        assert_eq!(told.count(), made, "{}", confined.plan().print());
    }
}

#[test]
fn what_only_a_filter_a_sort_or_a_limit_reads_is_withheld_beneath_it() {
    let groups = || aggregate(citizen(), vec![column(3)], vec![count()]);
    let many = Expr::call(Function::Greater, [column(1), number(12)]);
    let filtered = granted(false, filter(groups(), many));
    let above: Vec<&str> = every_node(&filtered.plan().root)
        .into_iter()
        .map(|node| match node {
            Node::Withhold { .. } => "withhold",
            Node::Filter { .. } => "filter",
            _ => "",
        })
        .filter(|name| !name.is_empty())
        .collect();
    assert_eq!(above, ["filter", "withhold"]);
}

/// From the root down.
fn every_node(root: &Node) -> Vec<&Node> {
    let mut found = vec![root];
    let mut at = 0;
    while let Some(node) = found.get(at).copied() {
        found.extend(node.inputs());
        at += 1;
    }
    found
}

#[test]
fn where_protected_rows_are_joined_to_protected_rows_no_cell_can_leave_perturbed() {
    let income = || vec![call(F::Sum, vec![column(4)])];
    let perturbable = |root: Node| {
        let confined = granted(true, root);
        assert!(!confined.reported().is_empty());
        confined.reported().iter().any(|r| r.perturbable)
    };
    let keys = || vec![column(3)];
    assert!(perturbable(aggregate(citizen(), keys(), income())));
    // Joined to itself, the same noise would come twice.
    let twice = join(JoinKind::Inner, citizen(), citizen(), vec![(0, 0)]);
    assert!(!perturbable(aggregate(twice, keys(), income())));
    let other = join(JoinKind::Left, citizen(), citizen(), vec![(0, 0)]);
    assert!(!perturbable(aggregate(other, keys(), income())));
    // Whether there is a match adds nothing.
    let deciding = join(JoinKind::Semi, citizen(), visits(), vec![(0, 0)]);
    assert!(perturbable(aggregate(deciding, keys(), income())));
    let open = join(JoinKind::Inner, citizen(), stat(), vec![(3, 0)]);
    assert!(perturbable(aggregate(open, keys(), income())));
}

// --- sides that may be missing ---

#[test]
fn a_group_that_has_no_match_owes_nothing_and_is_excused_above_the_join() {
    let groups = || {
        let scan = scan("city.visits", &["hosp"]);
        aggregate(scan, vec![column(0)], vec![count()])
    };
    let stat = || scan("city.stat", &["district"]);
    let joined = |kind, left: Node, right: Node| Node::Join {
        kind,
        left: Box::new(left),
        right: Box::new(right),
        on: vec![(column(0), column(0))],
        filter: None,
        null_equal: false,
    };
    let excused = |root: Node| {
        let printed = granted(false, root).plan().print();
        let (above, below) = printed.split_once(" join ").unwrap();
        assert!(!below.contains("coalesce"), "{printed}");
        assert!(below.contains("withhold"), "{printed}");
        above.matches("coalesce").count()
    };
    // 0 district, then 1 hosp, 2 count: or the other way round.
    assert_eq!(excused(joined(JoinKind::Left, stat(), groups())), 1);
    assert_eq!(excused(joined(JoinKind::Right, groups(), stat())), 1);
    assert_eq!(excused(joined(JoinKind::Full, groups(), groups())), 2);
    let inner = granted(false, joined(JoinKind::Inner, stat(), groups()));
    assert!(!inner.plan().print().contains("coalesce"));
}
