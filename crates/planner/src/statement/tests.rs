//! SQL in, drafts or refusals out, the way a child answers.

use super::*;
use plan::{Accept, Bounds, Plan};
use terms::Type;
use wire::job::Table;

fn table(name: &str, columns: &[(&str, Type)]) -> Table {
    let column = |(name, data_type): &(&str, Type)| (name.parse().unwrap(), *data_type);
    Table {
        dataset: name.parse().unwrap(),
        columns: columns.iter().map(column).collect(),
    }
}

pub(crate) fn job(sql: &str, row_policy: bool) -> PlanJob {
    PlanJob {
        sql: sql.to_owned(),
        default_schema: "city".to_owned(),
        now_us: 1_795_250_000_000_000,
        tables: vec![
            table(
                "city.citizen",
                &[
                    ("pid", Type::Text),
                    ("name", Type::Text),
                    ("birth", Type::Date),
                    ("district", Type::Text),
                    ("income", Type::Int),
                ],
            ),
            table("city.visits", &[("pid", Type::Text), ("cost", Type::Float)]),
            table("other.医院", &[("名称", Type::Text), ("床位", Type::Int)]),
        ],
        row_policy,
        limits: std::collections::BTreeMap::new(),
    }
}

fn planned(job: PlanJob) -> PlanReply {
    plan(job, Limits::default())
}

fn drafted(sql: &str) -> Plan {
    match planned(job(sql, false)) {
        PlanReply::Draft { plan: bytes, .. } => {
            Plan::decode(&bytes, Accept::Draft, &Bounds::default()).unwrap()
        }
        other => panic!("{sql}: {other:?}"),
    }
}

fn refused(sql: &str) -> String {
    match planned(job(sql, false)) {
        PlanReply::Refusal { code, .. } => code,
        other => panic!("{sql}: {other:?}"),
    }
}

#[track_caller]
fn prints(sql: &str, wanted: &str) {
    let printed = drafted(sql).print();
    let lines = |text: &str| {
        text.lines()
            .map(|l| l.trim().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&printed), lines(wanted.trim()), "{sql}\n{printed}");
}

#[test]
fn statements_become_plans() {
    prints(
        "SELECT district, avg(income) AS a FROM citizen WHERE birth >= DATE '1980-01-01' GROUP BY district ORDER BY a DESC LIMIT 3",
        "result district, a
         limit 3 after 0
         sort #1 desc nulls first
         project #0, #1
         aggregate by [#3]: avg(cast(#4 as float))
         filter (#2 >= cast('1980-01-01' as date))
         scan city.citizen [pid, name, birth, district, income]",
    );
}

#[test]
fn groupings_are_groups_one_after_another() {
    prints(
        "SELECT district, count(*) FROM citizen GROUP BY ROLLUP (district)",
        "result district, count(*)
         project #0, #2
         union of 2
         project #0, 0, #1
         aggregate by [#3]: count(*)
         scan city.citizen [pid, name, birth, district, income]
         project null text, 1, #0
         aggregate by []: count(*)
         scan city.citizen [pid, name, birth, district, income]",
    );
    let many = (0..6).map(|at| format!("birth + INTERVAL '{at}' DAY"));
    let many = many.collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT count(*) FROM citizen GROUP BY CUBE ({many})");
    assert_eq!(refused(&sql), "planner.unsupported");
}

#[test]
fn what_an_analyst_writes_has_a_plan() {
    let statements = [
        "SELECT * FROM citizen",
        "SELECT c.district, count(*) FROM citizen c JOIN visits v ON c.pid = v.pid GROUP BY c.district",
        "SELECT district, sum(income) FILTER (WHERE birth < DATE '1990-01-01') FROM citizen GROUP BY district",
        "WITH t AS (SELECT district, count(*) AS n FROM citizen GROUP BY district) SELECT * FROM t WHERE n > 3",
        "SELECT DISTINCT district FROM citizen",
        "SELECT district FROM citizen UNION SELECT 名称 FROM other.医院",
        "SELECT district FROM citizen UNION ALL SELECT name FROM citizen",
        "SELECT district FROM citizen INTERSECT SELECT name FROM citizen",
        "SELECT district FROM citizen EXCEPT SELECT name FROM citizen",
        "SELECT name, row_number() OVER (PARTITION BY district ORDER BY birth) FROM citizen",
        "SELECT district, sum(income) OVER (ORDER BY birth ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM citizen",
        "SELECT * FROM citizen c WHERE EXISTS (SELECT 1 FROM visits v WHERE v.pid = c.pid)",
        "SELECT * FROM citizen WHERE pid IN (SELECT pid FROM visits)",
        "SELECT * FROM citizen c WHERE NOT EXISTS (SELECT 1 FROM visits v WHERE v.pid = c.pid)",
        "SELECT (SELECT max(cost) FROM visits)",
        "SELECT c.name, (SELECT count(*) FROM visits v WHERE v.pid = c.pid) FROM citizen c",
        "SELECT CASE WHEN birth IS NULL THEN 'a' ELSE 'b' END FROM citizen",
        "SELECT EXTRACT(YEAR FROM birth), date_trunc('month', birth) FROM citizen",
        "SELECT birth + INTERVAL '1' MONTH FROM citizen",
        "SELECT upper(name) || '-' || substr(name, 1, 2) FROM citizen WHERE name LIKE '%a%' AND name NOT LIKE 'b%'",
        "SELECT 名称, 床位 * 2 FROM other.医院 WHERE 床位 BETWEEN 1 AND 9",
        "SELECT 1",
        "VALUES (1, 'a'), (2, 'b')",
        "SELECT median(income), percentile_cont(0.9) WITHIN GROUP (ORDER BY income) FROM citizen",
        "SELECT count(*) FROM citizen WHERE district = $1 AND income > $2",
        "SELECT count(*) FROM citizen WHERE district = ? AND income > ?",
        "SELECT CAST(income AS DOUBLE), TRY_CAST(name AS BIGINT) FROM citizen",
        "SELECT coalesce(name, district), nullif(name, 'a'), greatest(income, 3) FROM citizen",
        "SELECT a.name FROM citizen a LEFT JOIN citizen b ON a.pid = b.pid WHERE b.pid IS NULL",
        "SELECT name FROM citizen ORDER BY birth NULLS FIRST OFFSET 2",
        "SELECT now(), current_date",
        "SELECT count(*), count(*), sum(income) AS x, max(income) AS x FROM citizen",
        "SELECT count(DISTINCT 7) FROM citizen",
        "SELECT district, birth, count(*) FROM citizen GROUP BY ROLLUP (district, birth)",
        "SELECT district, name, sum(income) FROM citizen GROUP BY CUBE (district, name) ORDER BY 3",
        "SELECT district, count(*) FROM citizen GROUP BY GROUPING SETS ((district), ()) HAVING count(*) > 3",
        "SELECT variance(income), var_pop(income) FROM citizen",
        "SELECT * FROM citizen WHERE pid NOT IN (SELECT pid FROM visits)",
        "SELECT name, (SELECT count(*) FROM visits v WHERE v.cost > c.income) FROM citizen c",
        "SELECT name FROM citizen c WHERE income > (SELECT avg(cost) + 1 FROM visits v WHERE v.cost > c.income AND v.pid = c.pid)",
    ];
    for sql in statements {
        drafted(sql);
    }
}

#[test]
fn columns_of_one_name_keep_it() {
    let draft =
        drafted("SELECT count(*), count(*), sum(income) AS x, max(income) AS x FROM citizen");
    assert_eq!(draft.names, ["count(*)", "count(*)", "x", "x"]);
}

#[test]
fn parameters_are_numbered_in_the_order_written() {
    let asked = drafted("SELECT count(*) FROM citizen WHERE district = ? AND income > ?");
    let numbered = drafted("SELECT count(*) FROM citizen WHERE district = $1 AND income > $2");
    assert_eq!(asked, numbered);
    assert_eq!(asked.parameters().unwrap(), [Type::Text, Type::Int]);
    let cast = drafted("SELECT CAST(? AS BIGINT) AS n FROM citizen");
    assert_eq!(cast.parameters().unwrap(), [Type::Int]);
    assert_eq!(
        refused("SELECT count(*) FROM citizen WHERE district = ? AND income > $1"),
        "planner.unsupported"
    );
}

#[test]
fn what_the_language_cannot_say_is_refused_by_name() {
    let cases = [
        ("planner.syntax", "SELEC 1"),
        ("planner.syntax", "SELECT * FROM"),
        ("planner.several-statements", "SELECT 1; SELECT 2"),
        ("planner.several-statements", ""),
        ("planner.not-a-query", "INSERT INTO citizen VALUES (1)"),
        ("planner.not-a-query", "CREATE TABLE t AS SELECT 1"),
        ("planner.not-a-query", "COPY citizen TO '/tmp/x'"),
        (
            "planner.not-a-query",
            "SET datafusion.execution.batch_size = 1",
        ),
        ("planner.not-a-query", "EXPLAIN SELECT 1"),
        ("planner.not-a-query", "DROP TABLE citizen"),
        ("planner.not-a-query", "PREPARE p AS SELECT 1"),
        ("planner.unknown-name", "SELECT * FROM nothing"),
        ("planner.unknown-name", "SELECT nothing FROM citizen"),
        (
            "planner.unknown-name",
            "SELECT * FROM information_schema.tables",
        ),
        ("planner.unknown-name", "SELECT * FROM '/etc/passwd'"),
        ("planner.unknown-function", "SELECT version()"),
        ("planner.unknown-function", "SELECT repeat('x', 2000000000)"),
        ("planner.unknown-function", "SELECT random()"),
        (
            "planner.unknown-function",
            "SELECT array_agg(name) FROM citizen",
        ),
        (
            "planner.unknown-function",
            "SELECT regexp_match(name, 'a') FROM citizen",
        ),
        ("planner.guarded", "SELECT STRUCT(1)"),
        ("planner.guarded", "SELECT * FROM citizen TABLESAMPLE (10)"),
        ("planner.guarded", "SELECT 1\u{202e}"),
        ("planner.guarded", "SELECT \u{a0}1"),
    ];
    for (code, sql) in cases {
        assert_eq!(refused(sql), code, "{sql}");
    }
    for sql in [
        "SELECT * FROM generate_series(1, 10)",
        "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT * FROM t",
        "SELECT district, grouping(district) FROM citizen GROUP BY ROLLUP (district)",
        "SELECT * FROM citizen FOR UPDATE",
        "SELECT [1, 2]",
        "SELECT DISTINCT ON (district) name FROM citizen",
        "SELECT name LIKE 'a!%' ESCAPE '!' FROM citizen",
    ] {
        assert!(refused(sql).starts_with("planner."), "{sql}");
    }
}

#[test]
fn an_unknown_name_is_told_as_it_was_written() {
    let PlanReply::Refusal { code, name } = planned(job("SELECT salary FROM citizen", false))
    else {
        panic!("granted")
    };
    assert_eq!(
        (code.as_str(), name.as_str()),
        ("planner.unknown-name", "salary")
    );
}

#[test]
fn a_row_policy_is_its_condition_alone() {
    let sql = "SELECT * FROM \"city\".\"citizen\" WHERE district IN ('a', 'b')";
    assert!(matches!(planned(job(sql, true)), PlanReply::RowPolicy(_)));
    for wrong in [
        "SELECT * FROM \"city\".\"citizen\" WHERE EXISTS (SELECT 1)",
        "SELECT * FROM \"city\".\"citizen\" WHERE true LIMIT 1",
        "SELECT * FROM \"city\".\"citizen\" WHERE true UNION SELECT * FROM \"city\".\"citizen\"",
    ] {
        assert!(
            matches!(planned(job(wrong, true)), PlanReply::Refusal { .. }),
            "{wrong}"
        );
    }
}

#[test]
fn limits_stand_before_the_parser() {
    let deep = format!("SELECT {}1{}", "(".repeat(65), ")".repeat(65));
    let runs = format!("SELECT {}true", "NOT ".repeat(20));
    let long = format!("SELECT '{}'", "x".repeat(64 << 10));
    let arms = format!("SELECT 1{}", " OR 1".repeat(300));
    let list = format!("SELECT 1 IN ({})", vec!["1"; 2_002].join(","));
    let chain = format!("SELECT 1{}", " + 1".repeat(129));
    for sql in [deep, runs, long, arms, list, chain] {
        assert_eq!(
            refused(&sql),
            "planner.guarded",
            "{}",
            sql.get(..40).unwrap_or_default()
        );
    }
}

/// What is written once and stands twice, at each of many depths; each took minutes or all memory.
#[test]
fn copies_have_an_end() {
    let between = format!("SELECT true{}", " BETWEEN true AND true".repeat(60));
    let case = (0..20).fold("1".to_owned(), |inner, _| {
        format!("CASE ({inner}) WHEN 1 THEN 1 WHEN 2 THEN 2 END")
    });
    let correlated = (0..14).fold("citizen".to_owned(), |inner, _| {
        format!("(SELECT pid, (SELECT count(*) FROM visits v WHERE v.cost > c.income) AS income FROM {inner} c)")
    });
    for sql in [
        between,
        format!("SELECT {case}"),
        format!("SELECT * FROM {correlated} z"),
    ] {
        let PlanReply::Refusal { code, name } = planned(job(&sql, false)) else {
            panic!("granted")
        };
        let refused = (code.as_str(), name.as_str());
        assert_eq!(refused, ("planner.unsupported", "a statement of this size"));
    }
    let mut doubled = "WITH t0 AS (SELECT pid FROM citizen)".to_owned();
    for at in 1..15 {
        doubled += &format!(
            ", t{at} AS (SELECT x.pid FROM t{} x, t{} y)",
            at - 1,
            at - 1
        );
    }
    assert_eq!(
        refused(&format!("{doubled} SELECT * FROM t14")),
        "planner.guarded"
    );
}

fn refused_within(sql: &str, limits: Limits) -> Option<(String, String)> {
    match plan(job(sql, false), limits) {
        PlanReply::Draft { .. } => None,
        PlanReply::Refusal { code, name } => Some((code, name)),
        PlanReply::RowPolicy(_) => panic!("{sql}"),
    }
}

/// One wrong word at the bottom, and the parser tried two or three readings at each depth.
#[test]
fn readings_of_one_text_have_an_end() {
    let guarded = Some(("planner.guarded".into(), "readings of one text".into()));
    for (open, close) in [
        ("NOT (", ")"),
        ("CAST(", " AS INT)"),
        ("POSITION(", " IN 'a')"),
        ("CEIL(", ")"),
    ] {
        let sql = format!("SELECT {}1 1{}", open.repeat(20), close.repeat(20));
        assert_eq!(refused_within(&sql, Limits::default()), guarded, "{open}");
    }
    let steps = |parser_steps_max| Limits {
        parser_steps_max,
        ..Limits::default()
    };
    assert_eq!(refused_within("SELECT 1, 2, 3", steps(4)), None);
    assert_eq!(refused_within("SELECT 1, 2, 3", steps(3)), guarded);
}

#[test]
fn the_parsers_depth_and_the_items_have_their_limits() {
    let sql = "SELECT ((income + 1)) FROM citizen";
    let depth = |parser_depth_max| Limits {
        parser_depth_max,
        ..Limits::default()
    };
    let most = (1..50).find(|most| refused_within(sql, depth(*most)).is_none());
    let most = most.unwrap();
    let syntax = Some(("planner.syntax".into(), String::new()));
    assert_eq!(refused_within(sql, depth(most - 1)), syntax);
    let items = |items_max| Limits {
        items_max,
        ..Limits::default()
    };
    // A projection, a sum, its column and literal; the scan.
    let size = Some((
        "planner.unsupported".into(),
        "a statement of this size".into(),
    ));
    assert_eq!(refused_within(sql, items(5)), None);
    assert_eq!(refused_within(sql, items(4)), size);
}

/// The shared list of hostile statements, where it is at hand: an answer to each, and no crash.
#[test]
fn every_hostile_statement_gets_an_answer() {
    let Ok(text) = std::fs::read_to_string("../../../shared/attacks.jsonl") else {
        return;
    };
    let mut asked = 0;
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let sql = line["sql_or_action"].as_str().unwrap();
        match planned(job(sql, false)) {
            PlanReply::Draft { .. } | PlanReply::Refusal { .. } => asked += 1,
            PlanReply::RowPolicy(_) => panic!("{sql}"),
        }
    }
    assert!(asked > 300);
}
