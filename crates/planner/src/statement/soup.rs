//! Statements made at random, and forms put into themselves: each gets an answer, and none takes the
//! planner down or keeps it.

use super::*;
use crate::statement::tests::job;
use proptest::{collection::vec, prelude::*, sample::select};

/// Processor time of the whole test process for one answer, in seconds: far above what all these tests
/// take together, far below what doubling at each depth takes. Time on the wall says more of the machine.
const ANSWER_CPU_SECONDS_MAX: u64 = 60;

const WORDS: &[&str] = &[
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP BY",
    "HAVING",
    "ORDER BY",
    "LIMIT",
    "OFFSET",
    "UNION",
    "ALL",
    "INTERSECT",
    "EXCEPT",
    "WITH",
    "RECURSIVE",
    "AS",
    "(",
    ")",
    "(",
    ")",
    ",",
    ",",
    "*",
    "citizen",
    "visits",
    "c",
    "v",
    "pid",
    "name",
    "income",
    "birth",
    "cost",
    "c.pid",
    "v.pid",
    "JOIN",
    "LEFT JOIN",
    "CROSS JOIN",
    "NATURAL JOIN",
    "ON",
    "USING",
    "LATERAL",
    "AND",
    "OR",
    "NOT",
    "IS NULL",
    "IN",
    "EXISTS",
    "ANY",
    "BETWEEN",
    "LIKE",
    "ESCAPE",
    "CASE",
    "WHEN",
    "THEN",
    "ELSE",
    "END",
    "CAST",
    "TRY_CAST",
    "AS BIGINT",
    "::int",
    "INTERVAL",
    "'1' MONTH",
    "DATE",
    "'2000-01-01'",
    "'a'",
    "1",
    "0",
    "-1",
    "1e308",
    "9223372036854775808",
    "$1",
    "?",
    "NULL",
    "TRUE",
    "+",
    "-",
    "/",
    "%",
    "=",
    "<",
    ">=",
    "<>",
    "||",
    "count(*)",
    "sum(",
    "avg(",
    "lag(",
    "row_number()",
    "OVER",
    "PARTITION BY",
    "ROWS BETWEEN",
    "PRECEDING",
    "FOLLOWING",
    "CURRENT ROW",
    "UNBOUNDED",
    "FILTER",
    "WITHIN GROUP",
    "DISTINCT",
    "ASC",
    "NULLS FIRST",
    "FETCH FIRST",
    "ROWS ONLY",
    "VALUES",
    "ROLLUP",
    "CUBE",
    "GROUPING SETS",
    "WINDOW",
    "w",
    "QUALIFY",
    "EXTRACT(YEAR FROM",
    "TRIM(BOTH",
    "SUBSTRING(",
    "POSITION(",
    "OVERLAY(",
    "date_trunc(",
    "coalesce(",
    "concat(",
    "[",
    "]",
    "{",
    "}",
    ":",
    ";",
    "|>",
    "->",
    "@",
    "#",
    "`",
    "\"",
    "'",
    "--",
    "/*",
    "*/",
    "INTO",
    "FOR UPDATE",
    "TOP",
    "PIVOT",
    "UNPIVOT",
    "AT TIME ZONE",
    "COLLATE",
    "EXCLUDE",
    "RENAME",
    "REPLACE",
    "ILIKE",
    "SIMILAR TO",
    "TABLE",
    "UNNEST",
    "STRUCT",
    "医院",
    "名称",
    "\u{feff}",
];

const STATEMENTS: &[&str] = &[
    "SELECT c . district , count ( * ) FROM citizen c JOIN visits v ON c . pid = v . pid GROUP BY c . district",
    "WITH t AS ( SELECT district , count ( * ) AS n FROM citizen GROUP BY district ) SELECT * FROM t WHERE n > 3",
    "SELECT name , row_number ( ) OVER ( PARTITION BY district ORDER BY birth ) FROM citizen",
    "SELECT * FROM citizen c WHERE EXISTS ( SELECT 1 FROM visits v WHERE v . pid = c . pid )",
    "SELECT c . name , ( SELECT count ( * ) FROM visits v WHERE v . cost > c . income ) FROM citizen c",
    "SELECT CASE income WHEN 1 THEN 'a' WHEN 2 THEN 'b' ELSE 'c' END FROM citizen",
    "SELECT birth + INTERVAL '1' MONTH , EXTRACT ( YEAR FROM birth ) FROM citizen",
    "SELECT district FROM citizen UNION SELECT name FROM citizen EXCEPT SELECT pid FROM visits",
    "SELECT sum ( income ) FILTER ( WHERE birth < DATE '1990-01-01' ) FROM citizen HAVING count ( * ) > $1",
    "SELECT * FROM citizen WHERE pid NOT IN ( SELECT pid FROM visits ) ORDER BY birth NULLS FIRST LIMIT 3 OFFSET 2",
];

/// Processor time of this process so far, in seconds. Source: proc(5), fields 14 and 15.
fn cpu_seconds() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .map(|ticks| ticks.parse::<u64>().unwrap())
        .sum::<u64>()
        / 100
}

/// Asks, and is answered in reasonable time.
#[track_caller]
fn answered(sql: &str) {
    let start = cpu_seconds();
    let _reply = plan(job(sql, false), Limits::default());
    let took = cpu_seconds() - start;
    let head: String = sql.chars().take(200).collect();
    assert!(took < ANSWER_CPU_SECONDS_MAX, "{took} s for {head}");
}

/// What is put around an expression, and how often at most.
const AROUND: &[(&str, &str)] = &[
    ("(", ")"),
    ("NOT (", ")"),
    ("-(", ")"),
    ("abs(", ")"),
    ("coalesce(", ", 1)"),
    ("concat(", ", 'a')"),
    ("greatest(1, ", ")"),
    ("nullif(", ", 2)"),
    ("round(", ", 2)"),
    ("date_part('year', ", ")"),
    ("CAST(", " AS BIGINT)"),
    ("TRY_CAST(", " AS VARCHAR)"),
    ("CASE WHEN true THEN ", " END"),
    ("CASE WHEN true THEN (", ") ELSE 2 END"),
    ("CASE (", ") WHEN 1 THEN 2 WHEN 3 THEN 4 END"),
    ("(SELECT ", ")"),
    ("(SELECT max(income) FROM citizen WHERE income > ", ")"),
    (
        "(SELECT count(*) FROM visits v WHERE v.cost > c.income AND v.cost < ",
        ")",
    ),
    ("EXISTS (SELECT 1 FROM citizen WHERE income = ", ")"),
    ("1 IN (2, ", ")"),
    ("1 IN (SELECT income FROM citizen WHERE income > ", ")"),
    ("1 + ", ""),
    ("", " + 1"),
    ("", " = 1"),
    ("", "::bigint"),
    ("", " || 'a'"),
    ("", " IS NULL"),
    ("", " IS NOT TRUE"),
    ("", " AND true"),
    ("true OR ", ""),
    ("", " BETWEEN 0 AND 1"),
    ("true BETWEEN ", " AND true"),
    ("", " LIKE 'a'"),
    ("", " NOT IN (1, 2)"),
    ("NOT ", ""),
    ("- ", ""),
    ("+-", ""),
    ("", " AT TIME ZONE 'UTC'"),
    ("", " COLLATE a"),
    ("", "[1]"),
    ("", ".a"),
    ("INTERVAL ", ""),
    ("", ", 1"),
    ("extract(year FROM ", ")"),
    ("sum(", ")"),
    ("sum(", ") OVER ()"),
    ("{fn abs(", ")}"),
];

/// What is put around a query.
const QUERIES: &[(&str, &str)] = &[
    ("SELECT * FROM (", ") t"),
    ("SELECT pid, pid FROM (", ") t"),
    ("SELECT pid FROM citizen WHERE pid IN (", ")"),
    ("SELECT pid FROM citizen WHERE pid NOT IN (", ")"),
    ("SELECT pid FROM citizen WHERE EXISTS (", ")"),
    ("SELECT (", ")"),
    ("SELECT DISTINCT pid FROM (", ") t"),
    ("SELECT pid FROM (", ") t ORDER BY pid LIMIT 3"),
    (
        "SELECT max(pid) AS pid FROM (",
        ") t GROUP BY pid HAVING count(*) > 1",
    ),
    ("SELECT lag(pid) OVER (ORDER BY pid) AS pid FROM (", ") t"),
    (
        "SELECT pid FROM (",
        ") t WHERE (SELECT count(*) FROM visits v WHERE v.pid > t.pid) > 1",
    ),
    (
        "SELECT (SELECT max(v.pid) FROM visits v WHERE v.pid > t.pid) AS pid FROM (",
        ") t",
    ),
    ("SELECT t.pid FROM (", ") t, citizen c"),
    (
        "SELECT t.pid FROM citizen c LEFT JOIN (",
        ") t ON c.pid = t.pid",
    ),
    ("SELECT c.pid FROM citizen c, LATERAL (", ") t"),
    ("WITH a AS (", ") SELECT pid FROM a"),
    ("WITH a AS (", ") SELECT x.pid FROM a x, a y"),
    ("SELECT pid FROM citizen UNION ALL (", ")"),
    ("(", ") UNION SELECT pid FROM citizen"),
    ("(", ") EXCEPT SELECT pid FROM citizen"),
    ("", " UNION ALL SELECT pid FROM citizen"),
    ("", " INTERSECT SELECT pid FROM citizen"),
    ("", " |> WHERE true"),
    ("", " |> SELECT pid, pid || pid AS q"),
    ("", " |> EXTEND pid || pid AS q"),
    ("(", ")"),
];

fn nested((open, close): (&str, &str), inside: &str, times: usize) -> String {
    format!("{}{inside}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn forms_put_into_themselves_get_an_answer() {
    for times in [16, 120] {
        for form in AROUND {
            for inside in ["c.income", "1 1"] {
                let form = nested(*form, inside, times);
                answered(&format!("SELECT {form} FROM citizen c"));
            }
        }
        for form in QUERIES {
            answered(&nested(*form, "SELECT pid FROM citizen", times));
        }
    }
}

/// One thing very long, or very many of one thing.
#[test]
fn long_things_get_an_answer() {
    let list = |one: &str, count: usize| vec![one; count].join(", ");
    for sql in [
        format!("SELECT {}", "1".repeat(60_000)),
        format!("SELECT 0.{}", "1".repeat(60_000)),
        format!("SELECT 1e{}", "9".repeat(60_000)),
        format!("SELECT '{}'", "x".repeat(60_000)),
        format!("SELECT name LIKE '{}' FROM citizen", "%a_".repeat(1_300)),
        format!("SELECT name LIKE '{}' FROM citizen", "%a_".repeat(20_000)),
        format!("SELECT {} FROM citizen", list("*", 1_900)),
        format!("SELECT {} FROM citizen", list("c.*", 1_900)),
        format!("SELECT {} FROM citizen", list("name", 1_900)),
        format!("SELECT {} FROM citizen", list("count(*)", 1_000)),
        format!(
            "SELECT count(*) FROM citizen GROUP BY {}",
            list("name", 1_900)
        ),
        format!(
            "SELECT count(*) FROM citizen GROUP BY CUBE ({})",
            list("name", 24)
        ),
        format!(
            "SELECT count(*) FROM citizen GROUP BY {}",
            list("CUBE (name, pid, district)", 12)
        ),
        format!(
            "SELECT count(*) FROM citizen GROUP BY ROLLUP ({})",
            list("name", 1_900)
        ),
        format!("SELECT name FROM citizen ORDER BY {}", list("name", 1_900)),
        format!("SELECT name IN ({}) FROM citizen", list("'a'", 1_900)),
        format!("SELECT coalesce({}) FROM citizen", list("name", 1_900)),
        format!("SELECT concat({}) FROM citizen", list("name", 1_900)),
        format!("VALUES {}", list("(1)", 1_900)),
        format!("VALUES ({})", list("1", 1_900)),
        format!("SELECT 1 FROM {}", list("citizen", 63)),
        format!(
            "SELECT * FROM citizen c0{}",
            (1..16)
                .map(|n| format!(" JOIN citizen c{n} ON c0.pid = c{n}.pid"))
                .collect::<String>()
        ),
        format!(
            "SELECT * FROM citizen{}",
            " NATURAL JOIN citizen".repeat(15)
        ),
        format!(
            "SELECT CASE {} END FROM citizen",
            "WHEN income = 1 THEN 2 ".repeat(1_100)
        ),
        format!(
            "SELECT {} FROM citizen",
            list(
                "(SELECT count(*) FROM visits v WHERE v.cost > citizen.income)",
                60
            )
        ),
        format!(
            "SELECT {} FROM citizen",
            list("sum(income) OVER (ORDER BY birth)", 500)
        ),
        "SELECT a.b.c.d".to_owned() + &".e".repeat(3_900),
        "SELECT 1 ".to_owned() + &"x ".repeat(7_000),
        "/* ".repeat(20_000),
        "SELECT 1 ".to_owned() + &"/* */".repeat(12_000),
        "SELECT ".to_owned() + &"'a' ".repeat(7_000),
    ] {
        answered(&sql);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn words_in_any_order_get_an_answer(words in vec(select(WORDS), 0..40)) {
        answered(&words.join(" "));
        answered(&format!("SELECT {}", words.join(" ")));
        answered(&format!("SELECT {} FROM citizen", words.join("")));
    }

    #[test]
    fn statements_taken_apart_get_an_answer(
        statement in select(STATEMENTS),
        other in select(STATEMENTS),
        changes in vec((any::<prop::sample::Index>(), 0u8..5, select(WORDS)), 1..5),
    ) {
        let mut words: Vec<&str> = statement.split(' ').collect();
        let others: Vec<&str> = other.split(' ').collect();
        for (at, change, word) in changes {
            let at = at.index(words.len());
            match change {
                0 => words[at] = word,
                1 => words.insert(at, word),
                2 => words[at] = others[at % others.len()],
                3 if words.len() > 1 => drop(words.remove(at)),
                _ => {
                    let again: Vec<&str> = words[at..].to_vec();
                    words.extend(again);
                }
            }
        }
        answered(&words.join(" "));
    }

    #[test]
    fn bytes_get_an_answer(bytes in vec(any::<u8>(), 0..200)) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        answered(&text);
        answered(&format!("SELECT {text}"));
        answered(&format!("SELECT '{text}' FROM citizen"));
    }
}
