use super::*;
use proptest::prelude::*;

fn asked(sql: &str, limits: &Limits) -> Result<(), Unplannable> {
    guarded(sql, limits, &|_| false).map(|_| ())
}

/// What is exactly at a limit passes; with one more it is refused by that limit's name.
#[track_caller]
fn limit(what: &'static str, of: impl Fn(usize) -> String, set: impl Fn(&mut Limits, usize)) {
    for max in [1, 5, 9] {
        let mut limits = Limits::default();
        set(&mut limits, max);
        assert_eq!(asked(&of(max), &limits), Ok(()), "{what} {max}");
        let more = asked(&of(max + 1), &limits);
        assert_eq!(more, Err(Unplannable::Guarded(what)), "{what} {max}");
    }
}

#[test]
fn length_and_tokens_have_their_limits() {
    let bytes = |n| format!("SELECT {}", "1".repeat(n));
    limit("length", bytes, |l, n| l.statement_bytes_max = n + 7);
    let wide = |n| format!("SELECT '{}'", "中".repeat(n));
    limit("length", wide, |l, n| l.statement_bytes_max = 3 * n + 9);
    let tokens = |n| format!("SELECT -- a b c\n /* d e f */{}", " 1".repeat(n));
    limit("tokens", tokens, |l, n| l.tokens_max = n + 1);
    let name = |n| format!("SELECT \"{}\"", "x".repeat(n + 5));
    limit("identifier length", name, |l, n| {
        l.identifier_bytes_max = n + 5
    });
}

#[test]
fn depth_and_repetition_have_their_limits() {
    for (open, close) in [("(", ")"), ("[", "]"), ("{", "}")] {
        let nested = |n| {
            format!(
                "SELECT {}1{}, {open}{close}",
                open.repeat(n),
                close.repeat(n)
            )
        };
        limit("depth", nested, |l, n| l.depth_max = n);
    }
    for sign in ["NOT ", "+ ", "* ", ", ", "; ", "x "] {
        let row = |n| format!("SELECT {}true", sign.repeat(n));
        limit("repetition", row, |l, n| l.run_tokens_max = n);
    }
}

#[test]
fn chains_have_their_limit() {
    let chained = |l: &mut Limits, n| l.chain_operators_max = n;
    for operator in [
        "+ 1",
        "- 1",
        "* 1",
        "% 1",
        "= 1",
        "<> 1",
        "< 1",
        ">= 1",
        "|| 'a'",
        "::int",
        "IS NULL",
        "LIKE 'a'",
        "COLLATE c",
        "AT TIME ZONE 'x'",
        "[1]",
        "-> 1",
        "~ 'a'",
        "& 1",
        "IN (1, 2)",
        "+ (1, 2)",
        "DIV 1",
    ] {
        let chain = |n| format!("SELECT 1 {}", format!("{operator} ").repeat(n));
        limit("operators in a row", chain, chained);
    }
    let unary = |n: usize| format!("SELECT {}1", "-+".repeat(n).get(..n).unwrap());
    limit("operators in a row", unary, chained);
}

#[test]
fn lists_arms_joins_and_cases_have_their_limits() {
    for arm in [
        "AND 1",
        "OR 1",
        "UNION SELECT 1",
        "INTERSECT SELECT 1",
        "EXCEPT SELECT 1",
        "|| 'a'",
    ] {
        let arms = |n| format!("SELECT 1 {}", format!("{arm} ").repeat(n));
        limit("arms", arms, |l, n| l.arms_max = n);
    }
    let list = |n| format!("SELECT 1{}", ", 1".repeat(n));
    limit("list length", list, |l, n| l.commas_max = n);
    let rows = |n| format!("VALUES (1){}", ", (1)".repeat(n));
    limit("list length", rows, |l, n| l.commas_max = n);
    let joins = |n| format!("SELECT * FROM a{}", " JOIN b USING (c)".repeat(n));
    limit("joins", joins, |l, n| l.joins_max = n);
    let cases = |n| format!("SELECT 1{}", ", CASE WHEN true THEN 1 END".repeat(n));
    limit("cases", cases, |l, n| l.cases_max = n);
}

#[test]
fn chains_end_at_commas_clauses_and_arms() {
    let limits = Limits {
        chain_operators_max: 2,
        ..Limits::default()
    };
    for sql in [
        "SELECT 1 + 1 + 1, 1 + 1 + 1 FROM t WHERE a = 1 AND b = 2 AND c = 3 OR d = 4 GROUP BY a + b + c",
        "SELECT (1 + 1 + 1) * (1 + 1 + 1)",
        "SELECT CASE WHEN a = 1 THEN 1 + 1 WHEN a = 2 THEN 2 + 2 ELSE 3 + 3 END",
        "SELECT * FROM a JOIN b ON a.x = b.x JOIN c ON a.y = c.y",
        "SELECT count(*), a.b.c.d.e FROM t",
    ] {
        assert_eq!(asked(sql, &limits), Ok(()), "{sql}");
    }
}

/// `>` closed what `(` had opened.
#[test]
fn comparisons_are_no_brackets() {
    let deep = |n| format!("SELECT {}1{}", "(1 > ".repeat(n), ")".repeat(n));
    assert_eq!(asked(&deep(64), &Limits::default()), Ok(()));
    let refused = Err(Unplannable::Guarded("depth"));
    assert_eq!(asked(&deep(65), &Limits::default()), refused);
    let wide = format!("SELECT 1{}", ", 1 < 2".repeat(100));
    assert_eq!(asked(&wide, &Limits::default()), Ok(()));
}

/// Each of these once hid the rest of the statement from a reading of the guard's own, or could.
#[test]
fn nothing_hides_from_the_guard_what_the_parser_sees() {
    let deep = "(".repeat(65);
    for sql in [
        format!(r"SELECT E'\'', {deep} 'x'"),
        format!("SELECT Q'[']', {deep} '"),
        format!("SELECT Q'!a'b!', {deep}"),
        format!(r"SELECT R'\', {deep} '"),
        format!("SELECT B'1', {deep}"),
        format!("SELECT X'00', {deep}"),
        format!("SELECT N'a', {deep}"),
        format!(r"SELECT U&'\202e', {deep}"),
        format!("SELECT $$ ' $$, {deep}"),
        format!("SELECT $a$ ' $a$, {deep}"),
        format!("SELECT /*! {deep} */ 1"),
        format!("SELECT /*!50110 {deep} */ 1"),
        format!("SELECT 1 -- '\n{deep}"),
        format!("SELECT 1 /* /* */ ' */ {deep}"),
        format!("SELECT ''' '{deep}"),
        format!("SELECT `a'`, {deep}"),
        format!("SELECT \"a'\"\"\", {deep}"),
    ] {
        let refused = asked(&sql, &Limits::default());
        let refused = matches!(refused, Err(Unplannable::Guarded(_)));
        assert!(refused, "{sql}");
    }
}

#[test]
fn hidden_characters_are_refused_wherever_they_stand() {
    let wanted = Err(Unplannable::Guarded("hidden characters"));
    for c in [
        "\0",
        "\u{202e}",
        "\u{2066}",
        "\u{200b}",
        "\u{200d}",
        "\u{feff}",
        "\u{e0041}",
        "\u{ad}",
        "\u{2028}",
    ] {
        for sql in [
            format!("SELECT 1{c}"),
            format!("SELECT '{c}'"),
            format!("SELECT \"a{c}\""),
            format!("SELECT a{c}b"),
            format!("SELECT 1 -- {c}"),
            format!("SELECT 1 /* {c} */"),
            format!("{c}SELECT 1"),
        ] {
            assert_eq!(asked(&sql, &Limits::default()), wanted, "{sql:?}");
        }
    }
}

#[test]
fn literals_alone_have_odd_blanks_and_selectors() {
    for c in [
        "\u{a0}",
        "\u{3000}",
        "\u{2003}",
        "葛\u{e0100}",
        "\u{fe0f}",
        "\u{180b}",
    ] {
        for sql in [
            format!("SELECT {c} 1"),
            format!("SELECT \"a{c}\""),
            format!("SELECT 1 -- {c}"),
            format!("SELECT 1 /* {c} */"),
            format!("SELECT 'a' \"{c}\""),
        ] {
            let refused = asked(&sql, &Limits::default());
            assert!(matches!(refused, Err(Unplannable::Guarded(_))), "{sql:?}");
        }
    }
    for literal in [
        "\u{3000}",
        "\u{a0}",
        "葛\u{e0100}城",
        "a\tb\nc",
        "\u{e000}",
        "e\u{301}",
    ] {
        let sql = format!("SELECT '{literal}'");
        assert_eq!(asked(&sql, &Limits::default()), Ok(()), "{literal:?}");
    }
    let row = "SELECT '葛\u{e0100}\u{e0101}'";
    let refused = Err(Unplannable::Guarded("hidden characters"));
    assert_eq!(asked(row, &Limits::default()), refused);
}

#[test]
fn a_name_of_the_catalogue_is_the_authoritys() {
    let sql = "SELECT \"\u{2163}级\" FROM t";
    let known = guarded(sql, &Limits::default(), &|name| name == "\u{2163}级");
    assert!(known.is_ok());
    let refused = Err(Unplannable::Guarded("identifiers that look like others"));
    for sql in [
        sql,
        "SELECT 1 AS \u{131}ncome",
        "SELECT 1 AS \"\u{456}ncome\"",
        "\u{17f}ELECT 1",
        "SELECT 1 UN\u{131}ON SELECT 2",
    ] {
        assert_eq!(asked(sql, &Limits::default()), refused, "{sql}");
    }
}

#[test]
fn a_statement_that_begins_like_no_query_is_none() {
    for sql in [
        "INSERT INTO t VALUES (1)",
        "EXPLAIN SELECT 1",
        "DROP TABLE t",
        "DECLARE x",
        "BEGIN",
        "SET a = 1",
    ] {
        let answer = asked(sql, &Limits::default());
        assert_eq!(answer, Err(Unplannable::NotAQuery), "{sql}");
    }
    for sql in [
        "SELECT 1",
        "WITH a AS (SELECT 1) SELECT 1",
        "VALUES (1)",
        "(SELECT 1)",
        "FROM t",
        "SELEC 1",
        "",
        ";",
    ] {
        assert_eq!(asked(sql, &Limits::default()), Ok(()), "{sql}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gets_an_answer(sql in "\\PC{0,200}|[\\x00-\\x7f]{0,200}") {
        let _answer = asked(&sql, &Limits::default());
    }

    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _answer = asked(&String::from_utf8_lossy(&bytes), &Limits::default());
    }
}
