//! What confinement promises, held against drafts written by hand and drafts made at random. The
//! random ones are judged by a walker that shares no code with the rewriting.

mod held;
mod keep; // results that are kept inside
mod reference; // another algorithm, over tiny tables
mod rules; // small rules, each by one draft
mod stage; // a permit, made by the real engine from real events
mod taint; // where raw values flow in a confined plan

use self::stage::*;
use super::*;
use crate::Cause;
use plan::{
    AggregateCall, AggregateFunction as F, Expr, Frame, FrameBound, Function, JoinKind, Literal,
    Node, Plan, SortKey, WindowCall, WindowFunction,
};

fn draft(root: Node) -> Plan {
    let width = root.fields().unwrap().len();
    Plan {
        root,
        names: (0..width).map(|at| format!("c{at}")).collect(),
        checks: vec![],
    }
}

fn granted(rows: bool, root: Node) -> Confined {
    let confined = confine(permit(rows), &draft(root)).unwrap();
    taint::assert_clean(confined.plan());
    confined
}

fn refused(rows: bool, root: Node) -> Cause {
    confine(permit(rows), &draft(root)).unwrap_err().cause
}

/// From outside, a published product opens its scenario's items to its own plan and to nothing else, of
/// whatever grade.
#[test]
fn a_permit_for_a_product_confines_its_plan_alone() {
    let mean = || Node::Aggregate {
        input: Box::new(scan("city.citizen", &["district", "income"])),
        keys: vec![column(0)],
        aggregates: vec![call(F::Sum, vec![column(1)])],
    };
    let plan = granted(true, mean()).digest();
    let permit = for_product(plan, "published").unwrap();
    let confined = confine(Arc::clone(&permit), &draft(mean())).unwrap();
    assert_eq!(confined.digest(), plan);
    let raw = |of: &Reference| of.grade == Grade::Three && of.way == "raw-aggregate";
    assert!(confined.references().iter().any(raw));
    let refused = |root: Node| {
        let confined = confine(Arc::clone(&permit), &draft(root));
        confined.map_or_else(|why| why.code(), |_| "confined")
    };
    let others = [
        scan("city.stat", &["district"]),
        scan("city.citizen", &["pid"]),
        Node::Limit {
            input: Box::new(mean()),
            skip: 0,
            fetch: Some(1),
        },
    ];
    for other in others {
        assert_eq!(refused(other), "confine.not-the-product");
    }
    for stage in ["applied", "granted", "recalled"] {
        let code = for_product(plan, stage).map_or_else(|why| why.code(), |_| "permitted");
        assert_eq!(code, "policy.product-not-published", "{stage}");
    }
}

fn column(at: u32) -> Expr {
    Expr::Column(at)
}

fn text(value: &str) -> Expr {
    Expr::Literal(Literal::Text(value.to_owned()))
}

fn call(function: F, arguments: Vec<Expr>) -> AggregateCall {
    AggregateCall {
        function,
        arguments,
        distinct: false,
        filter: None,
    }
}

fn as_float(expr: Expr) -> Expr {
    Expr::Cast {
        value: Box::new(expr),
        to: Type::Float,
        lenient: false,
    }
}

fn project(input: Node, exprs: Vec<Expr>) -> Node {
    Node::Project {
        input: Box::new(input),
        exprs,
    }
}

fn filter(input: Node, predicate: Expr) -> Node {
    Node::Filter {
        input: Box::new(input),
        predicate,
    }
}

fn aggregate(input: Node, keys: Vec<Expr>, aggregates: Vec<AggregateCall>) -> Node {
    Node::Aggregate {
        input: Box::new(input),
        keys,
        aggregates,
    }
}

fn join(kind: JoinKind, left: Node, right: Node, on: Vec<(u32, u32)>) -> Node {
    Node::Join {
        kind,
        left: Box::new(left),
        right: Box::new(right),
        on: on
            .into_iter()
            .map(|(l, r)| (column(l), column(r)))
            .collect(),
        filter: None,
        null_equal: false,
    }
}

/// `citizen`: 0 pid, 1 name, 2 birth, 3 district, 4 income (raw aggregates only), 5 band.
fn citizen() -> Node {
    scan(
        "city.citizen",
        &["pid", "name", "birth", "district", "income", "wealth"],
    )
}

/// `visits`: 0 pid, 1 hosp, 2 cost (raw aggregates only).
fn visits() -> Node {
    scan("city.visits", &["pid", "hosp", "cost"])
}

/// `stat`: 0 district, 1 pop. Grade 1, nobody's.
fn stat() -> Node {
    scan("city.stat", &["district", "pop"])
}

/// `upload`: 0 pid, 1 label. The operator's own.
fn upload() -> Node {
    scan("city.upload", &["pid", "label"])
}

fn withholds(confined: &Confined) -> usize {
    let mut nodes = vec![&confined.plan().root];
    let mut found = 0;
    while let Some(node) = nodes.pop() {
        found += usize::from(matches!(node, Node::Withhold { .. }));
        nodes.extend(node.inputs());
    }
    found
}

// --- masks ---

#[test]
fn every_item_is_shown_through_its_mask_and_what_is_suppressed_is_left_out_and_told() {
    let confined = granted(true, citizen());
    let shown: Vec<&str> = confined.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(
        shown,
        ["c0", "c1", "c2", "c3"],
        "income and wealth are suppressed"
    );
    let left: Vec<&str> = confined
        .left_out()
        .iter()
        .map(|out| out.item.as_str())
        .collect();
    assert_eq!(left, ["income", "wealth"]);
    let ways: Vec<&str> = confined
        .references()
        .iter()
        .map(|r| r.way.as_str())
        .collect();
    assert!(ways.iter().all(|way| !way.contains("raw")), "{ways:?}");
    assert!(confined.is_row_level() && confined.is_protected());
}

#[test]
fn a_draft_may_not_say_how_it_is_masked() {
    let mut node = citizen();
    if let Node::Scan(scan) = &mut node {
        scan.columns[1].view = View::Raw;
    }
    assert_eq!(refused(true, node), Cause::IllTyped);
}

#[test]
fn a_draft_may_not_bring_its_own_witnesses_thresholds_or_checks() {
    let own = aggregate(citizen(), vec![column(3)], vec![call(F::Count, vec![])]);
    let node = Node::Withhold {
        input: Box::new(own),
        cells: vec![],
        reports: vec![],
    };
    assert_eq!(refused(true, node), Cause::IllTyped);
    let mut plan = draft(citizen());
    plan.checks.push(plan::Check::of(1));
    assert!(confine(permit(true), &plan).is_err());
}

#[test]
fn what_is_suppressed_stands_in_no_expression_key_sort_or_set() {
    let income = || column(4);
    let more = Expr::call(
        Function::Greater,
        [income(), Expr::Literal(Literal::Int(1))],
    );
    let cases = [
        filter(citizen(), more.clone()),
        project(citizen(), vec![as_float(income())]),
        aggregate(citizen(), vec![income()], vec![call(F::Count, vec![])]),
        Node::Sort {
            input: Box::new(citizen()),
            keys: vec![SortKey {
                expr: income(),
                descending: false,
                nulls_first: false,
            }],
            fetch: None,
        },
        Node::Distinct {
            input: Box::new(citizen()),
        },
        Node::Union {
            inputs: vec![citizen(), citizen()],
        },
        aggregate(
            citizen(),
            vec![column(3)],
            vec![AggregateCall {
                filter: Some(more),
                ..call(F::Count, vec![])
            }],
        ),
    ];
    for case in cases {
        assert_eq!(refused(true, case), Cause::RawInExpression);
    }
}

// --- tokens ---

#[test]
fn tokens_are_shown_counted_grouped_and_joined_and_nothing_else() {
    let pid = || column(0);
    granted(true, project(citizen(), vec![pid()]));
    granted(
        true,
        aggregate(citizen(), vec![pid()], vec![call(F::Count, vec![])]),
    );
    granted(
        true,
        join(JoinKind::Inner, citizen(), visits(), vec![(0, 0)]),
    );
    let misuses = [
        Expr::call(Function::Equal, [pid(), text("x")]),
        Expr::call(Function::Less, [pid(), pid()]),
        Expr::call(Function::Like, [pid(), text("a%")]),
        Expr::InList {
            value: Box::new(pid()),
            list: vec![text("x")],
            negated: false,
        },
    ];
    for misuse in misuses {
        assert_eq!(
            refused(true, filter(citizen(), misuse)),
            Cause::TokenMisused
        );
    }
    let shortened = Expr::call(Function::Left, [pid(), Expr::Literal(Literal::Int(3))]);
    assert_eq!(
        refused(true, project(citizen(), vec![shortened])),
        Cause::TokenMisused
    );
    let least = aggregate(citizen(), vec![], vec![call(F::Min, vec![pid()])]);
    assert_eq!(refused(true, least), Cause::TokenMisused);
}

#[test]
fn the_operators_own_identifiers_are_for_joins_alone() {
    assert_eq!(
        refused(true, aggregate(upload(), vec![column(0)], vec![])),
        Cause::TokenJoinOnly
    );
    let confined = granted(true, upload());
    assert_eq!(confined.columns().len(), 1, "the token is left out");
    let joined = join(JoinKind::Inner, citizen(), upload(), vec![(0, 0)]);
    assert_eq!(refused(true, joined.clone()), Cause::RowsWithExternal);
    let counted = aggregate(joined, vec![column(3)], vec![call(F::Count, vec![])]);
    assert!(withholds(&granted(true, counted)) == 1);
}

// --- approved aggregates ---

#[test]
fn an_approved_aggregate_sees_raw_and_is_withheld_right_above() {
    for function in [F::Sum, F::Count] {
        let root = aggregate(
            citizen(),
            vec![column(3)],
            vec![call(function, vec![column(4)])],
        );
        let confined = granted(true, root);
        assert_eq!(withholds(&confined), 1);
        assert_eq!(
            confined.plan().checks.len(),
            1,
            "egress verifies it once more"
        );
        assert_eq!(confined.reported().len(), 1, "and the register hears of it");
        assert_eq!(confined.register(), "audited");
        let check = confined.plan().checks[0];
        assert_eq!(check.k, 10);
        assert_eq!(check.dominance.is_some(), function == F::Sum);
        assert_eq!(check.spread, function == F::Sum);
    }
    let deviation = call(F::StddevSample, vec![as_float(column(4))]);
    let confined = granted(true, aggregate(citizen(), vec![], vec![deviation]));
    assert_eq!(confined.plan().checks[0].freedom, 10);
}

#[test]
fn anything_but_the_bare_item_is_refused() {
    let one = Expr::Literal(Literal::Int(1));
    let more = Expr::call(Function::Add, [column(4), one]);
    let root = aggregate(citizen(), vec![], vec![call(F::Sum, vec![more])]);
    assert_eq!(refused(true, root), Cause::RawInExpression);
    for function in [F::Min, F::Max] {
        let root = aggregate(citizen(), vec![], vec![call(function, vec![column(4)])]);
        assert_eq!(
            refused(true, root),
            Cause::NotApprovedAggregate,
            "income has no band"
        );
    }
    let distinct = AggregateCall {
        distinct: true,
        ..call(F::Sum, vec![column(4)])
    };
    assert_eq!(
        refused(true, aggregate(citizen(), vec![], vec![distinct])),
        Cause::NotApprovedAggregate
    );
}

#[test]
fn order_statistics_are_answered_in_bands_where_the_catalogue_declares_one() {
    let median = call(F::Median, vec![as_float(column(5))]);
    let share = Expr::Literal(Literal::Float(0.9f64.to_bits()));
    let percentile = call(F::Percentile, vec![as_float(column(5)), share]);
    for statistic in [
        median,
        percentile,
        call(F::Min, vec![column(5)]),
        call(F::Max, vec![column(5)]),
    ] {
        let node = aggregate(citizen(), vec![column(3)], vec![statistic.clone()]);
        // An extreme keeps its item's type in a draft and is a float in its banded form.
        let confined = confine(permit(true), &draft(node)).unwrap();
        taint::assert_clean(confined.plan());
        assert!(
            confined.plan().print().contains("safe_"),
            "{}",
            confined.plan().print()
        );
    }
}

#[test]
fn a_fan_out_makes_single_entry_owed_unless_a_key_proves_it() {
    let by_hospital = |left, right, measure| {
        let joined = join(JoinKind::Inner, left, right, vec![(0, 0)]);
        aggregate(joined, vec![], vec![call(F::Sum, vec![column(measure)])])
    };
    // One citizen, many visits: an income may enter several times.
    let fanned = granted(true, by_hospital(citizen(), visits(), 4));
    assert!(fanned.plan().checks.iter().any(|check| check.once));
    // One visit, at most one citizen, since `pid` is a key there.
    let single = granted(true, by_hospital(citizen(), visits(), 8));
    assert!(single.plan().checks.iter().all(|check| !check.once));
    assert_eq!(
        single.reported().len(),
        2,
        "one cell for each protected dataset"
    );
}

// --- rows ---

#[test]
fn rows_show_only_where_the_scenario_says_so() {
    granted(true, project(citizen(), vec![column(3)]));
    assert_eq!(
        refused(false, project(citizen(), vec![column(3)])),
        Cause::RowsOff
    );
    assert_eq!(refused(false, citizen()), Cause::RowsOff);
    let limited = Node::Limit {
        input: Box::new(citizen()),
        skip: 0,
        fetch: Some(1),
    };
    assert_eq!(refused(false, limited), Cause::RowsOff);
    granted(false, stat());
}

#[test]
fn masked_groups_owe_k_where_rows_are_off_and_nothing_where_they_show() {
    let counts = || aggregate(citizen(), vec![column(3)], vec![call(F::Count, vec![])]);
    assert_eq!(withholds(&granted(true, counts())), 0);
    let confined = granted(false, counts());
    assert_eq!((withholds(&confined), confined.plan().checks.len()), (1, 1));
    let distinct = Node::Distinct {
        input: Box::new(project(citizen(), vec![column(3)])),
    };
    assert_eq!(withholds(&granted(false, distinct)), 1);
    let by_person = aggregate(citizen(), vec![column(0)], vec![call(F::Count, vec![])]);
    assert_eq!(refused(false, by_person), Cause::RowsOff);
}

// --- lineage ---

/// What is said of a column, or of the whole.
fn said(origins: &[Origin]) -> Vec<String> {
    let line = |origin: &Origin| {
        let (_, subtype) = origin.flow.words();
        let masked = if origin.is_masked() { ", masked" } else { "" };
        format!("{} {} {subtype}{masked}", origin.item, origin.way)
    };
    origins.iter().map(line).collect()
}

#[test]
fn every_column_says_where_it_comes_from_and_what_decides_it() {
    let joined = join(JoinKind::Inner, citizen(), visits(), vec![(0, 0)]);
    let filtered = filter(joined, Expr::call(Function::Equal, [column(7), text("h1")]));
    let mut sum = call(F::Sum, vec![column(4)]);
    sum.filter = Some(Expr::call(Function::Equal, [column(1), text("张*")]));
    let upper = Expr::call(Function::Upper, [column(3)]);
    let grouped = aggregate(filtered, vec![upper], vec![sum]);
    let confined = granted(true, grouped);
    let of: Vec<Vec<String>> = confined
        .columns()
        .iter()
        .map(|c| said(&c.sources))
        .collect();
    assert_eq!(of[0], ["district plain TRANSFORMATION"]);
    assert_eq!(
        of[1],
        [
            "income raw-aggregate AGGREGATION",
            "name partial(1,0) CONDITIONAL, masked"
        ]
    );
    assert_eq!(
        said(confined.influences()),
        [
            "district plain GROUP_BY",
            "pid token JOIN, masked",
            "hosp plain FILTER",
            "pid token JOIN, masked",
        ]
    );
}

#[test]
fn choices_windows_orders_and_subqueries_are_told_apart() {
    let chosen = Expr::Case {
        branches: vec![(
            Expr::call(Function::Equal, [column(3), text("x")]),
            column(1),
        )],
        otherwise: None,
    };
    let most = aggregate(stat(), vec![], vec![call(F::Max, vec![column(1)])]);
    let beside = Expr::call(Function::Add, [Expr::Scalar(Box::new(most)), number(1)]);
    let shown = project(citizen(), vec![chosen, beside, column(2)]);
    let sorted = Node::Sort {
        input: Box::new(shown),
        keys: vec![SortKey {
            expr: column(2),
            descending: false,
            nulls_first: false,
        }],
        fetch: Some(3),
    };
    let confined = granted(true, sorted);
    let of: Vec<Vec<String>> = confined
        .columns()
        .iter()
        .map(|c| said(&c.sources))
        .collect();
    assert_eq!(
        of[0],
        [
            "district plain CONDITIONAL",
            "name partial(1,0) TRANSFORMATION, masked"
        ]
    );
    assert_eq!(of[1], ["pop plain AGGREGATION"]);
    assert_eq!(of[2], ["birth year IDENTITY, masked"]);
    assert_eq!(said(confined.influences()), ["birth year SORT, masked"]);
}

// --- where rows may not show, no few rows decide ---

/// `ages`: 0 pid, 1 name, 2 age in bands, 3 district.
fn ages() -> Node {
    scan("city.citizen", &["pid", "name", "age", "district"])
}

fn number(value: i64) -> Expr {
    Expr::Literal(Literal::Int(value))
}

/// Whether somebody's name is this one.
fn is_named() -> Expr {
    Expr::call(Function::Equal, [column(1), text("张*")])
}

fn choice(value: Expr, otherwise: Option<Expr>) -> Expr {
    Expr::Case {
        branches: vec![(is_named(), value)],
        otherwise: otherwise.map(Box::new),
    }
}

fn of_all(function: F, argument: Expr) -> Node {
    aggregate(ages(), vec![], vec![call(function, vec![argument])])
}

#[test]
fn what_is_summed_is_linear_in_its_row() {
    let times = |left, right| Expr::call(Function::Multiply, [left, right]);
    let plus = |left, right| Expr::call(Function::Add, [left, right]);
    for allowed in [
        column(2),
        times(column(2), number(3)),
        plus(times(number(2), column(2)), number(7)),
        Expr::call(Function::Negate, [column(2)]),
    ] {
        granted(false, of_all(F::Sum, allowed));
    }
    granted(false, of_all(F::Avg, as_float(column(2))));
    let float = |value: f64| Expr::Literal(Literal::Float(value.to_bits()));
    let large = || Expr::Literal(Literal::Float(6_755_399_441_055_744.0_f64.to_bits()));
    for conditional in [
        // Floats round, and whole numbers wrap around.
        plus(plus(as_float(column(2)), large()), float(-1.0)),
        times(as_float(column(2)), float(5e-324)),
        as_float(plus(column(2), number(i64::MAX))),
        times(column(2), column(2)),
        Expr::call(Function::Abs, [plus(column(2), number(-30))]),
        Expr::call(Function::Divide, [column(2), number(50)]),
        Expr::call(Function::Coalesce, [choice(number(1), None), number(0)]),
        Expr::call(Function::Length, [column(1)]),
        Expr::call(Function::Greatest, [column(2), number(90)]),
    ] {
        let refusal = refused(false, of_all(F::Sum, conditional.clone()));
        assert_eq!(refusal, Cause::SingledOut, "{conditional:?}");
        granted(true, of_all(F::Sum, conditional));
    }
    let distinct = |argument| {
        let mut call = call(F::Count, vec![argument]);
        call.distinct = true;
        aggregate(ages(), vec![], vec![call])
    };
    granted(false, distinct(column(0)));
    for one_more in [column(1), column(3), choice(number(1), Some(number(0)))] {
        assert_eq!(
            refused(false, distinct(one_more)),
            Cause::SingledOut,
            "2 or 1 tells whether there is anybody"
        );
    }
}

/// A nought is no nothing: that it is there, and what a mean divides by, says how many rows chose it.
#[test]
fn a_branch_of_nought_owes_where_it_shows() {
    let owed = |function, value: Expr| {
        let confined = granted(false, of_all(function, value));
        confined.plan().checks.len()
    };
    let nought = || choice(number(0), None);
    assert_eq!(owed(F::Sum, choice(number(1), Some(number(0)))), 2);
    assert_eq!(owed(F::Sum, nought()), 2, "nothing, or nought");
    let float = |value: i64| as_float(number(value));
    assert_eq!(owed(F::Avg, choice(float(1), Some(float(0)))), 3);
    assert_eq!(owed(F::StddevSample, choice(float(0), Some(float(1)))), 3);
    assert_eq!(owed(F::Avg, choice(float(1), None)), 2);
}

/// Whoever has more than a narrower type holds would be left out of the value and counted for it.
#[test]
fn a_measure_in_a_narrower_type_is_none() {
    let cast = |to| Expr::Cast {
        value: Box::new(column(4)),
        to,
        lenient: false,
    };
    let (precision, scale) = (5, 0);
    for function in [F::Count, F::Sum, F::Avg] {
        let narrow = call(function, vec![cast(Type::Decimal { precision, scale })]);
        let refusal = refused(false, aggregate(citizen(), vec![], vec![narrow]));
        assert_eq!(refusal, Cause::RawInExpression, "{function:?}");
        let float = call(function, vec![cast(Type::Float)]);
        granted(false, aggregate(citizen(), vec![], vec![float]));
    }
}

#[test]
fn a_condition_computed_beneath_is_no_item() {
    let computed = project(ages(), vec![choice(number(1), Some(number(0)))]);
    let sum = |input| aggregate(input, vec![], vec![call(F::Sum, vec![column(0)])]);
    assert_eq!(refused(false, sum(computed.clone())), Cause::SingledOut);
    granted(true, sum(computed));
    // Weights of the caller's own, joined to rows.
    let weights = |rows: usize| Node::Values {
        types: vec![Type::Text, Type::Int],
        rows: (0..rows)
            .map(|at| vec![Literal::Text(format!("{at}")), Literal::Int(1)])
            .collect(),
    };
    let joined = |rows| {
        let joined = join(JoinKind::Inner, ages(), weights(rows), vec![(1, 0)]);
        aggregate(joined, vec![], vec![call(F::Sum, vec![column(5)])])
    };
    assert_eq!(refused(false, joined(2)), Cause::SingledOut);
    // Per person, a count of what meets a condition is one too.
    let mut met = call(F::Count, vec![]);
    met.filter = Some(is_named());
    let each = |call| aggregate(ages(), vec![column(0)], vec![call]);
    let outer = |each| aggregate(each, vec![], vec![call(F::Sum, vec![column(1)])]);
    assert_eq!(refused(false, outer(each(met))), Cause::SingledOut);
    granted(false, outer(each(call(F::Count, vec![]))));
}

#[test]
fn each_branch_of_a_choice_owes_for_itself() {
    let parts = |argument| {
        let confined = granted(false, of_all(F::Sum, argument));
        confined.plan().checks.len()
    };
    assert_eq!(parts(column(2)), 2, "the group, and those with a value");
    assert_eq!(parts(choice(number(1), Some(number(0)))), 2);
    assert_eq!(parts(choice(column(2), Some(number(5)))), 3);
    assert_eq!(parts(as_float(choice(column(2), None))), 2);
}

#[test]
fn an_extreme_is_one_that_k_share() {
    let find = |function, argument, wanted| {
        let confined = granted(false, of_all(function, argument));
        let plan = confined.plan().print();
        assert!(plan.contains(wanted), "{plan}");
    };
    find(F::Min, column(1), "shared_min(");
    find(F::Max, column(3), "shared_max(");
    let chosen = of_all(F::Max, choice(number(1), Some(number(0))));
    assert_eq!(
        refused(false, chosen),
        Cause::SingledOut,
        "whether k are chosen"
    );
    find(F::Median, as_float(column(2)), "safe_quantile(");
    let median = of_all(
        F::Median,
        as_float(Expr::call(Function::Length, [column(1)])),
    );
    assert_eq!(refused(false, median.clone()), Cause::SingledOut);
    granted(true, median);
}

#[test]
fn nothing_fails_over_protected_rows() {
    let divided = Expr::call(Function::Divide, [number(1), column(2)]);
    let cast = Expr::Cast {
        value: Box::new(column(1)),
        to: Type::Int,
        lenient: false,
    };
    let plan = granted(true, project(ages(), vec![divided, cast]))
        .plan()
        .print();
    assert!(plan.contains("/?") && plan.contains("try_cast"), "{plan}");
    let divided = Expr::call(Function::Divide, [number(1), column(1)]);
    let plan = granted(true, project(stat(), vec![divided])).plan().print();
    assert!(!plan.contains("/?"), "{plan}");
}

#[test]
fn a_limit_counts_after_withholding() {
    let groups = aggregate(citizen(), vec![column(3)], vec![call(F::Count, vec![])]);
    let confined = granted(
        false,
        Node::Limit {
            input: Box::new(groups),
            skip: 0,
            fetch: Some(1),
        },
    );
    let mut nodes = vec![&confined.plan().root];
    let mut order = Vec::new();
    while let Some(node) = nodes.pop() {
        order.push(match node {
            Node::Limit { .. } => "limit",
            Node::Withhold { .. } => "withhold",
            _ => "",
        });
        nodes.extend(node.inputs());
    }
    let place = |what| order.iter().position(|found| *found == what).unwrap();
    assert!(place("limit") < place("withhold"));
}

/// A row that goes because one of its groups is of too few says that somebody is in that group.
#[test]
fn groups_that_fall_short_are_withheld_before_anything_is_made_of_them() {
    let groups = || {
        let keys = vec![column(3), column(2)];
        aggregate(citizen(), keys, vec![call(F::Count, vec![])])
    };
    let distinct = |input: Node| Node::Distinct {
        input: Box::new(input),
    };
    let met = Expr::Case {
        branches: vec![(
            Expr::call(Function::Equal, [column(3), text("K1")]),
            number(1),
        )],
        otherwise: Some(Box::new(number(0))),
    };
    let counted = |input| aggregate(input, vec![], vec![call(F::Count, vec![])]);
    let by_first = |input| aggregate(input, vec![column(0)], vec![call(F::Count, vec![])]);
    let both = |kind| join(kind, distinct(groups()), groups(), vec![(0, 0), (1, 1)]);
    let plans = [
        by_first(groups()),
        counted(groups()),
        distinct(project(groups(), vec![column(0)])),
        counted(distinct(project(citizen(), vec![met]))),
        counted(filter(
            groups(),
            Expr::call(Function::Greater, [column(2), number(12)]),
        )),
        counted(both(JoinKind::Inner)),
        by_first(both(JoinKind::Semi)),
        by_first(both(JoinKind::Anti)),
        counted(join(JoinKind::Inner, stat(), groups(), vec![(0, 0)])),
    ];
    for plan in plans {
        let confined = granted(false, plan);
        let printed = confined.plan().print();
        assert!(!printed.contains("witness_union"), "{printed}");
        each_short_group_goes_first(&confined.plan().root, &printed);
    }
}

/// Between two groupings, or a grouping and what is made of its groups, something is withheld.
fn each_short_group_goes_first(node: &Node, printed: &str) {
    if matches!(node, Node::Aggregate { .. } | Node::Window { .. }) {
        node.inputs().for_each(|input| {
            assert!(!is_owed(input), "{printed}");
        });
    }
    let inputs = node.inputs();
    inputs.for_each(|input| each_short_group_goes_first(input, printed));
}

/// Whether groups that may be of too few come out of a node.
fn is_owed(node: &Node) -> bool {
    match node {
        Node::Withhold { cells, .. } => cells.is_empty() && node.inputs().any(is_owed),
        Node::Aggregate { aggregates, .. } => {
            aggregates.iter().any(|call| call.function == F::Witness)
        }
        _ => node.inputs().any(is_owed),
    }
}

#[test]
fn windows_subqueries_and_outer_joins_over_groups_withhold_first() {
    let groups = || aggregate(citizen(), vec![column(3)], vec![call(F::Count, vec![])]);
    let total = WindowCall {
        function: WindowFunction::Aggregate(F::Sum),
        arguments: vec![column(1)],
        partition: vec![],
        order: vec![],
        frame: Frame {
            rows: true,
            start: FrameBound::UnboundedPreceding,
            end: FrameBound::UnboundedFollowing,
        },
    };
    let window = Node::Window {
        input: Box::new(groups()),
        calls: vec![total],
    };
    assert_eq!(withholds(&granted(false, window)), 1);
    let outer = join(JoinKind::Left, stat(), groups(), vec![(0, 0)]);
    assert_eq!(withholds(&granted(false, outer)), 1);
    let everybody = aggregate(citizen(), vec![], vec![call(F::Count, vec![])]);
    let scalar = project(stat(), vec![column(0), Expr::Scalar(Box::new(everybody))]);
    let confined = granted(false, scalar);
    assert!(confined.plan().print().contains("withhold") || confined.notice_possible());
}

/// A window would carry what one row says into rows of k others: within one subject, or not at all.
#[test]
fn a_window_over_rows_that_may_not_show_stays_within_one_subject() {
    let over = |input: Node, partition: Vec<u32>| Node::Window {
        input: Box::new(input),
        calls: vec![WindowCall {
            function: WindowFunction::RowNumber,
            arguments: vec![],
            partition: partition.into_iter().map(column).collect(),
            order: vec![],
            frame: Frame {
                rows: true,
                start: FrameBound::UnboundedPreceding,
                end: FrameBound::UnboundedFollowing,
            },
        }],
    };
    let counted = |input: Node| {
        let last = u32::try_from(input.fields().unwrap().len() - 1).unwrap();
        aggregate(input, vec![column(last)], vec![call(F::Count, vec![])])
    };
    let off = |input, partition| refused(false, counted(over(input, partition)));
    assert_eq!(off(citizen(), vec![]), Cause::WindowOverRows);
    assert_eq!(off(citizen(), vec![3]), Cause::WindowOverRows, "a district");
    granted(false, counted(over(citizen(), vec![0])));
    granted(false, counted(over(citizen(), vec![3, 0])));
    granted(true, counted(over(citizen(), vec![])));
    // Of two scans one subject for each, unless both are the same person.
    let apart = || join(JoinKind::Inner, citizen(), visits(), vec![(3, 1)]);
    assert_eq!(off(apart(), vec![0]), Cause::WindowOverRows);
    let tied = || join(JoinKind::Inner, citizen(), visits(), vec![(0, 0)]);
    granted(false, counted(over(tied(), vec![0])));
    // The operator's own people beside rows that may show elsewhere.
    let listed = || join(JoinKind::Inner, upload(), citizen(), vec![(0, 0)]);
    let shown = refused(true, counted(over(listed(), vec![1])));
    assert_eq!(shown, Cause::WindowOverRows);
    // Rows by subject are rows of people still.
    let by_subject = aggregate(visits(), vec![column(0)], vec![call(F::Count, vec![])]);
    assert_eq!(off(by_subject, vec![]), Cause::WindowOverRows);
}

/// So would a limit among rows: who is first decides who else counts.
#[test]
fn rows_that_may_not_show_are_not_cut_and_groups_that_owe_are_withheld_before() {
    let limit = |input: Node| Node::Limit {
        input: Box::new(input),
        skip: 1,
        fetch: Some(1_000),
    };
    let first = |input: Node| Node::Sort {
        input: Box::new(input),
        keys: vec![],
        fetch: Some(10),
    };
    let counted = |input| aggregate(input, vec![column(3)], vec![call(F::Count, vec![])]);
    for cut in [limit(citizen()), first(citizen())] {
        assert_eq!(refused(false, counted(cut.clone())), Cause::LimitOverRows);
        granted(true, counted(cut.clone()));
        let tied = join(JoinKind::Semi, citizen(), cut, vec![(0, 0)]);
        assert_eq!(refused(false, counted(tied)), Cause::LimitOverRows);
    }
    granted(false, limit(counted(citizen())));
    granted(
        false,
        aggregate(limit(stat()), vec![], vec![call(F::Count, vec![])]),
    );
    // Groups beneath others: those that owe are gone before any is skipped.
    let groups = || aggregate(citizen(), vec![column(3)], vec![call(F::Count, vec![])]);
    for cut in [limit(groups()), first(groups())] {
        let above = aggregate(cut, vec![], vec![call(F::Count, vec![])]);
        let plan = granted(false, above);
        let mut node = &plan.plan().root;
        while !matches!(node, Node::Limit { .. } | Node::Sort { .. }) {
            node = node.inputs().next().unwrap();
        }
        assert!(matches!(node.inputs().next(), Some(Node::Withhold { .. })));
    }
}

#[test]
fn a_deciding_side_counts_through_its_subject_or_owes_k_for_each_group() {
    let tied = join(JoinKind::Semi, citizen(), visits(), vec![(0, 0)]);
    let counted = aggregate(tied, vec![column(3)], vec![call(F::Count, vec![])]);
    assert_eq!(
        withholds(&granted(false, counted)),
        1,
        "through the outer row"
    );
    let untied = join(JoinKind::Semi, stat(), citizen(), vec![(0, 3)]);
    assert_eq!(withholds(&granted(false, untied)), 1, "for each district");
    let membership = join(JoinKind::Semi, upload(), citizen(), vec![(0, 0)]);
    assert_eq!(
        refused(true, membership),
        Cause::UntiedSide,
        "each of the operator's own people"
    );
    let counted = |kind| {
        let side = join(kind, upload(), citizen(), vec![(0, 0)]);
        aggregate(side, vec![column(1)], vec![call(F::Count, vec![])])
    };
    assert_eq!(refused(true, counted(JoinKind::Semi)), Cause::UntiedSide);
    assert_eq!(refused(true, counted(JoinKind::Anti)), Cause::UntiedSide);
}

#[test]
fn the_operators_own_rows_do_not_choose_who_is_left_out() {
    let sum = |node: Node| aggregate(node, vec![], vec![call(F::Sum, vec![column(4)])]);
    for kind in [
        JoinKind::Anti,
        JoinKind::Left,
        JoinKind::Full,
        JoinKind::Mark,
    ] {
        let excluded = sum(join(kind, citizen(), upload(), vec![(0, 0)]));
        assert_eq!(
            refused(true, excluded),
            Cause::ExternalExclusion,
            "{kind:?}"
        );
    }
    let right = join(JoinKind::Right, upload(), citizen(), vec![(0, 0)]);
    let right = aggregate(right, vec![], vec![call(F::Sum, vec![column(6)])]);
    assert_eq!(refused(true, right), Cause::ExternalExclusion);
    granted(
        true,
        sum(join(JoinKind::Inner, citizen(), upload(), vec![(0, 0)])),
    );
}

#[test]
fn padding_with_own_rows_does_not_raise_a_count() {
    let pid = |node| project(node, vec![column(1)]);
    let united = Node::Union {
        inputs: vec![
            pid(project(citizen(), vec![column(0), column(3)])),
            pid(project(stat(), vec![column(1), column(0)])),
        ],
    };
    let counted = aggregate(united, vec![column(0)], vec![call(F::Count, vec![])]);
    let confined = granted(false, counted);
    assert_eq!(withholds(&confined), 1);
}

#[test]
fn names_that_are_not_permitted_do_not_exist() {
    let wrong = [
        ("city.nothing", "pid"),
        ("city.citizen", "diag"),
        ("city.citizen", "nothing"),
    ];
    for (dataset, item) in wrong {
        let node = Node::Scan(plan::Scan {
            dataset: dataset.parse().unwrap(),
            columns: vec![plan::ScanColumn {
                item: item.parse().unwrap(),
                data_type: Type::Text,
                view: View::Catalogue,
            }],
            rows: None,
        });
        assert_eq!(refused(true, node), Cause::UnknownName);
    }
}

#[test]
fn only_the_columns_of_the_plan_are_asked_for() {
    let root = aggregate(
        citizen(),
        vec![column(3)],
        vec![call(F::Sum, vec![column(4)])],
    );
    let confined = granted(true, root);
    let sources = confined.sources();
    let items: Vec<&str> = sources[0].2.iter().map(ItemName::as_str).collect();
    assert_eq!(
        items,
        ["district", "income"],
        "not even the subject's own key"
    );
    let citizen: DatasetName = "city.citizen".parse().unwrap();
    assert_eq!(
        confined.numbers(&citizen),
        (false, true),
        "a subject with one row is its row"
    );
    let costs = aggregate(
        visits(),
        vec![column(1)],
        vec![call(F::Sum, vec![column(2)])],
    );
    let visits: DatasetName = "city.visits".parse().unwrap();
    assert_eq!(granted(true, costs).numbers(&visits), (true, true));
}

#[test]
fn the_same_draft_has_the_same_digest_and_the_granted_plan_decodes() {
    let root = || {
        aggregate(
            citizen(),
            vec![column(3)],
            vec![call(F::Sum, vec![column(4)])],
        )
    };
    let (one, other) = (granted(true, root()), granted(true, root()));
    assert_eq!(one.digest(), other.digest());
    let bytes = one.plan().encode();
    let bounds = plan::Bounds::default();
    assert_eq!(
        &Plan::decode(&bytes, plan::Accept::Confined, &bounds).unwrap(),
        one.plan()
    );
}

// --- drafts at random ---

mod random {
    use super::*;
    use proptest::prelude::*;

    /// Small expressions over any column, right and wrong ones.
    fn expr() -> impl Strategy<Value = Expr> {
        let leaf = prop_oneof![
            4 => (0u32..9).prop_map(Expr::Column),
            1 => "[a-c]{1,2}".prop_map(|s| Expr::Literal(Literal::Text(s))),
            1 => (0i64..5).prop_map(|n| Expr::Literal(Literal::Int(n))),
        ];
        leaf.prop_recursive(2, 6, 2, |inner| {
            let function = prop_oneof![
                Just(Function::Equal),
                Just(Function::Less),
                Just(Function::And),
                Just(Function::Concat),
                Just(Function::Add),
                Just(Function::Coalesce),
            ];
            prop_oneof![
                (function, inner.clone(), inner.clone())
                    .prop_map(|(f, a, b)| Expr::call(f, [a, b])),
                inner
                    .clone()
                    .prop_map(|a| Expr::call(Function::IsNotNull, [a])),
                inner.prop_map(as_float),
            ]
        })
    }

    fn aggregate_call() -> impl Strategy<Value = AggregateCall> {
        let function = prop_oneof![
            3 => Just(F::Sum), 3 => Just(F::Count), 2 => Just(F::Avg), 1 => Just(F::Min),
            1 => Just(F::Max), 1 => Just(F::StddevSample), 1 => Just(F::Median),
        ];
        let argument = prop_oneof![3 => (0u32..9).prop_map(Expr::Column), 2 => (0u32..9).prop_map(|at| as_float(Expr::Column(at))), 1 => expr()];
        let filter = proptest::option::weighted(0.2, expr());
        (
            function,
            proptest::option::weighted(0.9, argument),
            any::<bool>(),
            filter,
        )
            .prop_map(|(function, argument, distinct, filter)| AggregateCall {
                function,
                arguments: argument.into_iter().collect(),
                distinct: distinct && function == F::Count,
                filter,
            })
    }

    /// Groups with raw aggregates in them, as analysts write them.
    fn groups() -> impl Strategy<Value = Node> {
        let function = || prop_oneof![Just(F::Sum), Just(F::Count), Just(F::Avg)];
        let made = |function: F, at: u32| {
            let value = Expr::Column(at);
            call(
                function,
                vec![if function == F::Avg {
                    as_float(value)
                } else {
                    value
                }],
            )
        };
        let of_citizens = (
            proptest::sample::subsequence(vec![0u32, 2, 3], 0..3),
            function(),
            4u32..6,
        )
            .prop_map(move |(keys, function, at)| {
                let keys = keys.into_iter().map(Expr::Column).collect();
                aggregate(
                    citizen(),
                    keys,
                    vec![made(function, at), call(F::Count, vec![])],
                )
            });
        let of_visits = (
            proptest::sample::subsequence(vec![0u32, 1], 0..3),
            function(),
        )
            .prop_map(move |(keys, function)| {
                let keys = keys.into_iter().map(Expr::Column).collect();
                aggregate(visits(), keys, vec![made(function, 2)])
            });
        prop_oneof![of_citizens, of_visits]
    }

    pub(super) fn node() -> impl Strategy<Value = Node> {
        let leaf = prop_oneof![
            3 => Just(citizen()), 3 => Just(visits()), 1 => Just(stat()), 1 => Just(upload()),
            5 => groups(), 2 => Just(join(JoinKind::Inner, citizen(), visits(), vec![(0, 0)])),
        ];
        leaf.prop_recursive(4, 12, 2, |inner| {
            let kind = prop_oneof![
                4 => Just(JoinKind::Inner), 1 => Just(JoinKind::Left), 1 => Just(JoinKind::Right),
                1 => Just(JoinKind::Full), 1 => Just(JoinKind::Semi), 1 => Just(JoinKind::Anti),
                1 => Just(JoinKind::Mark),
            ];
            let keys = proptest::collection::vec((0u32..7).prop_map(Expr::Column), 0..3);
            prop_oneof![
                2 => (inner.clone(), proptest::collection::vec(expr(), 1..4))
                    .prop_map(|(n, e)| project(n, e)),
                1 => (inner.clone(), expr()).prop_map(|(n, e)| filter(n, e)),
                4 => (inner.clone(), keys, proptest::collection::vec(aggregate_call(), 0..3))
                    .prop_map(|(n, k, a)| aggregate(n, k, a)),
                1 => inner.clone().prop_map(|n| Node::Distinct { input: Box::new(n) }),
                1 => (inner.clone(), 0u64..3).prop_map(|(n, skip)| Node::Limit {
                    input: Box::new(n), skip, fetch: Some(2),
                }),
                1 => (inner.clone(), 0u32..5).prop_map(|(n, at)| Node::Sort {
                    input: Box::new(n),
                    keys: vec![SortKey { expr: Expr::Column(at), descending: true, nulls_first: false }],
                    fetch: None,
                }),
                2 => (kind, inner.clone(), inner.clone(), 0u32..5, 0u32..5)
                    .prop_map(|(k, l, r, a, b)| join(k, l, r, vec![(a, b)])),
                1 => (inner.clone(), inner).prop_map(|(a, b)| Node::Union { inputs: vec![a, b] }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, max_global_rejects: 400_000, ..ProptestConfig::default() })]

        /// Whatever is granted shows no raw value, and every raw aggregate is withheld right above.
        #[test]
        fn no_raw_value_leaves(root in node(), rows in any::<bool>()) {
            if let Ok(fields) = root.fields() {
                let names = (0..fields.len()).map(|at| format!("c{at}")).collect();
                let plan = Plan { root, names, checks: vec![] };
                if let Ok(confined) = confine(permit(rows), &plan) {
                    taint::assert_clean(confined.plan());
                    if !rows {
                        taint::assert_owed(&confined);
                    }
                }
            }
        }
    }

    /// The generator reaches what it is for: enough drafts are granted, with raw aggregates in them.
    #[test]
    fn enough_drafts_are_granted() {
        use proptest::{strategy::ValueTree, test_runner::TestRunner};
        let mut runner = TestRunner::deterministic();
        let (mut granted, mut raw) = (0, 0);
        for _ in 0..4000 {
            let root = node().new_tree(&mut runner).unwrap().current();
            let Ok(fields) = root.fields() else { continue };
            let names = (0..fields.len()).map(|at| format!("c{at}")).collect();
            if let Ok(confined) = confine(
                permit(true),
                &Plan {
                    root,
                    names,
                    checks: vec![],
                },
            ) {
                granted += 1;
                raw += usize::from(
                    confined
                        .references()
                        .iter()
                        .any(|r| r.way == "raw-aggregate"),
                );
            }
        }
        assert!(
            granted > 300 && raw > 80,
            "{granted} granted, {raw} with raw aggregates"
        );
    }
}
