use super::*;
use datafusion::sql::sqlparser::{ast::Statement, dialect::GenericDialect, parser::Parser};

fn check(sql: &str, limits: &Limits, wanted: Result<(), &'static str>) {
    let statements = Parser::parse_sql(&GenericDialect {}, sql).unwrap();
    let [Statement::Query(query)] = statements.as_slice() else {
        panic!("{sql}")
    };
    let found = expanded(query, limits);
    assert_eq!(found, wanted.map_err(Unplannable::Guarded), "{sql}");
}

/// The limit itself is met, one less is not.
#[track_caller]
fn tables(sql: &str, relations: usize) {
    let limits = |relations_max| Limits {
        relations_max,
        ..Limits::default()
    };
    check(sql, &limits(relations), Ok(()));
    if let Some(less) = relations.checked_sub(1) {
        check(sql, &limits(less), Err("tables"));
    }
}

#[test]
fn tables_are_counted_where_they_are_read() {
    tables("SELECT 1", 0);
    tables("SELECT * FROM a", 1);
    tables("SELECT * FROM a, b, a", 3);
    tables(
        "SELECT * FROM a JOIN b ON true JOIN (SELECT * FROM c, d) ON true",
        4,
    );
    tables(
        "SELECT (SELECT 1 FROM b) FROM a WHERE EXISTS (SELECT 1 FROM c) ORDER BY (SELECT 1 FROM d)",
        4,
    );
    tables(
        "SELECT * FROM a UNION SELECT * FROM b UNION ALL (SELECT * FROM c)",
        3,
    );
    tables("SELECT * FROM generate_series(1, 2)", 1);
}

#[test]
fn a_common_table_expression_counts_where_it_is_named() {
    tables("WITH t AS (SELECT * FROM a, b) SELECT * FROM c", 1);
    tables("WITH t AS (SELECT * FROM a, b) SELECT * FROM t, t", 4);
    tables("WITH t AS (SELECT * FROM a, b) SELECT * FROM T x, s.t y", 3);
    tables("WITH t (SELECT * FROM a, b) SELECT * FROM t, t", 4);
    tables("WITH t AS (SELECT 1) SELECT * FROM t, t", 2);
    tables(
        "WITH t AS (SELECT * FROM a, b), u AS (SELECT * FROM t, t) SELECT * FROM u, u, t",
        10,
    );
    tables(
        "WITH t AS (SELECT * FROM a, b) SELECT * FROM (WITH t AS (SELECT * FROM t, t) SELECT * FROM t) x, t",
        6,
    );
    tables(
        "SELECT * FROM (WITH t AS (SELECT * FROM a, b) SELECT * FROM t) x, t",
        3,
    );
    tables(
        "WITH t AS (SELECT * FROM a, b) SELECT (SELECT 1 FROM t) FROM t WHERE EXISTS (SELECT 1 FROM t)",
        6,
    );
}

#[test]
fn doubling_has_an_end() {
    let mut sql = "WITH t0 AS (SELECT 1 FROM a)".to_owned();
    for at in 1..16 {
        sql += &format!(", t{at} AS (SELECT 1 FROM t{} x, t{} y)", at - 1, at - 1);
    }
    let asked = |last: &str| format!("{sql} SELECT 1 FROM {last}");
    check(&asked("t6"), &Limits::default(), Ok(()));
    check(&asked("t7"), &Limits::default(), Err("tables"));
    check(&asked("t15"), &Limits::default(), Err("tables"));
}

#[test]
fn common_table_expressions_are_counted_wherever_they_stand() {
    let limits = |ctes_max| Limits {
        ctes_max,
        ..Limits::default()
    };
    for (sql, ctes) in [
        ("WITH a AS (SELECT 1) SELECT 1", 1),
        ("WITH a (SELECT 1), b (SELECT 1) SELECT 1", 2),
        (
            "WITH a AS (WITH b AS (SELECT 1) SELECT 1) SELECT (WITH c AS (SELECT 1) SELECT 1)",
            3,
        ),
    ] {
        check(sql, &limits(ctes), Ok(()));
        check(sql, &limits(ctes - 1), Err("common table expressions"));
    }
}
