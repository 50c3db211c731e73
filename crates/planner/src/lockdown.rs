//! What the engine brings, judged: every function, operator, plan node, expression, statement, join and
//! table factor of DataFusion and its parser stands in `lockdown.txt` with a verdict, and the verdict is
//! true of the planner as it is called. A new version with something new fails here, or does not compile,
//! until somebody has judged it.
//!
//! A line is `kind | name | verdict | reason | statement`. Verdicts:
//! - `translated`: the statement has a plan, and the plan's print has what stands in backquotes;
//! - a code of the planner: the statement is refused with it;
//! - `absent`: no SQL makes it, or it is not compiled in; a statement, if there is one, is refused.

mod kinds;

use crate::{
    Limits,
    session::{session, warm},
    statement::{plan, tests::job},
};
use datafusion::{
    common::tree_node::{TreeNode, TreeNodeRecursion},
    execution::session_state::SessionState,
    logical_expr::{Expr, LogicalPlan},
    prelude::SessionContext,
    sql::{
        parser::DFParserBuilder,
        sqlparser::{
            ast::{self, Statement, Visit, Visitor},
            dialect,
            parser::Parser,
        },
    },
};
use kinds::*;
use plan::{Accept, Bounds, Plan};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};
use wire::job::PlanReply;

const REVIEWED: &str = include_str!("../lockdown.txt");

/// Functions of features that are not compiled in. Source: datafusion-functions 55.2, `crypto`,
/// `encoding`, `regex`.
const NOT_COMPILED: [&str; 13] = [
    "decode",
    "digest",
    "encode",
    "md5",
    "regexp_count",
    "regexp_instr",
    "regexp_like",
    "regexp_match",
    "regexp_replace",
    "sha224",
    "sha256",
    "sha384",
    "sha512",
];

#[derive(Debug, Clone, Copy)]
struct Judged<'t> {
    kind: &'t str,
    name: &'t str,
    verdict: &'t str,
    reason: &'t str,
    sql: &'t str,
}

fn reviewed() -> Vec<Judged<'static>> {
    let lines = REVIEWED.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let judged = lines.map(|(at, line)| {
        let mut parts = line.splitn(5, " | ").map(str::trim);
        let mut part = || {
            let part = parts.next();
            part.unwrap_or_else(|| panic!("line {}: {line}", at + 1))
        };
        Judged {
            kind: part(),
            name: part(),
            verdict: part(),
            reason: part(),
            sql: parts.next().unwrap_or_default(),
        }
    });
    judged.collect()
}

/// Everything there is, as (kind, name).
fn there() -> BTreeSet<(&'static str, String)> {
    let state = SessionContext::new().state();
    let nested = datafusion_functions_nested::all_default_nested_functions();
    let nested = nested.iter().flat_map(|function| {
        let aliases = function.aliases().iter().cloned();
        aliases.chain([function.name().to_owned()])
    });
    let higher = datafusion_functions_nested::all_default_higher_order_functions();
    let higher = higher.iter().flat_map(|function| {
        let aliases = function.aliases().iter().cloned();
        aliases.chain([function.name().to_owned()])
    });
    let mut there = BTreeSet::new();
    let mut add = |kind, names: Vec<String>| {
        there.extend(names.into_iter().map(|name| (kind, name)));
    };
    add("scalar", state.scalar_functions().keys().cloned().collect());
    add("scalar", nested.collect());
    add("scalar", NOT_COMPILED.map(str::to_owned).to_vec());
    add("higher-order", higher.collect());
    let names = state.higher_order_functions().keys().cloned();
    add("higher-order", names.collect());
    let names = state.aggregate_functions().keys().cloned();
    add("aggregate", names.collect());
    let names = state.window_functions().keys().cloned();
    add("window", names.collect());
    let names = state.table_functions().keys().cloned();
    add("table", names.collect());
    for (kind, names) in [
        ("plan", PLANS),
        ("expr", EXPRS),
        ("operator", OPERATORS),
        ("join", JOINS),
        ("engine-statement", ENGINE_STATEMENTS),
        ("statement", STATEMENTS),
        ("set", SETS),
        ("factor", FACTORS),
        ("join-operator", JOIN_OPERATORS),
    ] {
        add(kind, names.iter().map(|name| (*name).to_owned()).collect());
    }
    there
}

/// The code of a refusal, or the plan as printed.
fn answer(sql: &str) -> Result<String, String> {
    match plan(job(sql, false), Limits::default()) {
        PlanReply::Draft { plan: bytes, .. } => {
            let plan = Plan::decode(&bytes, Accept::Draft, &Bounds::default());
            Ok(plan.unwrap().print())
        }
        PlanReply::Refusal { code, .. } => Err(code),
        PlanReply::RowPolicy(_) => panic!("{sql}"),
    }
}

#[test]
fn everything_the_engine_brings_is_judged_once() {
    let there = there();
    let mut judged = BTreeSet::new();
    for line in reviewed() {
        let key = (line.kind, line.name.to_owned());
        assert!(there.contains(&key), "judged, but not there: {key:?}");
        assert!(judged.insert(key.clone()), "judged twice: {key:?}");
        assert!(!line.reason.is_empty(), "no reason: {key:?}");
    }
    let open: Vec<_> = there.iter().filter(|key| !judged.contains(key)).collect();
    assert!(open.is_empty(), "not judged: {open:#?}");
}

#[test]
fn every_verdict_is_true() {
    let mut wrong = Vec::new();
    for line in reviewed() {
        let asked = (!line.sql.is_empty()).then(|| answer(line.sql));
        let right = match (line.verdict, asked.as_ref()) {
            ("translated", Some(Ok(print))) => {
                let mut parts = line.reason.split('`').skip(1).step_by(2).peekable();
                parts.peek().is_some() && parts.all(|part| print.contains(part))
            }
            ("absent", None | Some(Err(_))) => true,
            (code, Some(Err(found))) => code == found,
            _ => false,
        };
        if !right {
            wrong.push((line, asked));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A statement judged under a name is one of that name: it uses the function, node or operator, where the
/// engine as it comes or any dialect of the parser can be asked.
#[test]
fn every_statement_has_what_it_is_judged_for() {
    let mut wrong = Vec::new();
    for line in reviewed() {
        if line.sql.is_empty() || line.verdict == "absent" {
            continue;
        }
        let found = match line.kind {
            "scalar" | "aggregate" | "window" | "table" | "higher-order" => {
                let sql = line.sql.to_ascii_lowercase();
                BTreeSet::from([sql
                    .find(&format!("{}(", line.name))
                    .map_or("", |_| line.name)])
            }
            "plan" | "expr" | "operator" | "join" => in_plan(line.kind, line.sql),
            "engine-statement" => in_engine_statement(line.sql),
            _ => in_text(line.kind, line.sql),
        };
        if !found.contains(line.name) {
            wrong.push((line.kind, line.name, line.sql, found));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Names that no function has, and functions of every kind under other spellings.
#[test]
fn no_other_spelling_reaches_a_function() {
    for sql in [
        "SELECT \"VERSION\"()",
        "SELECT Version()",
        "SELECT \"version\"()",
        "SELECT bonded.city.version()",
        "SELECT datafusion.public.version()",
        "SELECT pg_catalog.version()",
        "SELECT {fn version()}",
        "SELECT CALL version()",
    ] {
        assert!(answer(sql).is_err(), "{sql}");
    }
}

/// The session has nothing but what is translated.
#[test]
fn the_session_has_no_more_than_the_reviewed_functions() {
    let state = session(warm(), &job("", false)).unwrap();
    let translated = |kind| {
        let lines = reviewed().into_iter();
        let lines = lines.filter(move |line| line.kind == kind && line.verdict == "translated");
        lines.map(|line| line.name).collect::<BTreeSet<_>>()
    };
    for (kind, names) in [
        (
            "scalar",
            state.scalar_functions().keys().collect::<Vec<_>>(),
        ),
        ("aggregate", state.aggregate_functions().keys().collect()),
        ("window", state.window_functions().keys().collect()),
        ("table", state.table_functions().keys().collect()),
    ] {
        // `variance` is our word for the engine's `var`.
        let names = names.into_iter().map(String::as_str);
        let names: BTreeSet<&str> = names.filter(|name| *name != "variance").collect();
        assert_eq!(names, translated(kind), "{kind}");
    }
    assert!(state.higher_order_functions().is_empty());
    assert!(state.table_factories().is_empty());
}

/// The same tables in the engine as it comes.
fn stock() -> SessionState {
    let ours = session(warm(), &job("", false)).unwrap();
    let context = SessionContext::new();
    let tables = ours.catalog_list().catalog("bonded").unwrap();
    context.register_catalog("datafusion", tables);
    let mut state = context.state();
    let options = state.config_mut().options_mut();
    "city".clone_into(&mut options.catalog.default_schema);
    state
}

/// The kinds in the plan of the engine as it comes.
fn in_plan(kind: &str, sql: &str) -> BTreeSet<&'static str> {
    let state = stock();
    let dialect = datafusion::config::Dialect::Generic;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let mut found = BTreeSet::new();
    let Ok(statement) = state.sql_to_statement(sql, &dialect) else {
        return found;
    };
    let Ok(plan) = runtime.block_on(state.statement_to_plan(statement)) else {
        return found;
    };
    let optimized = state.optimize(&plan).unwrap_or_else(|_| plan.clone());
    for plan in [&plan, &optimized] {
        walk(plan, kind, &mut found);
    }
    found
}

fn walk(plan: &LogicalPlan, kind: &str, found: &mut BTreeSet<&'static str>) {
    let walked = plan.apply_with_subqueries(|node| {
        if kind == "plan" {
            found.insert(plan_kind(node));
        }
        if let (LogicalPlan::Join(join), "join") = (node, kind) {
            found.insert(join_kind(&join.join_type));
        }
        node.apply_expressions(|expr| {
            expr.apply(|expr| {
                if kind == "expr" {
                    found.insert(expr_kind(expr));
                }
                if let (Expr::BinaryExpr(binary), "operator") = (expr, kind) {
                    found.insert(operator_kind(&binary.op));
                }
                if let Expr::ScalarSubquery(inside) = expr {
                    walk(&inside.subquery, kind, found);
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    });
    walked.unwrap();
}

fn in_engine_statement(sql: &str) -> BTreeSet<&'static str> {
    let mut parser = DFParserBuilder::new(sql).build().unwrap();
    let parsed = parser.parse_statements().unwrap();
    parsed.iter().map(engine_statement_kind).collect()
}

/// The kinds a statement has in any of the parser's dialects.
fn in_text(kind: &str, sql: &str) -> BTreeSet<&'static str> {
    let dialects: [&dyn dialect::Dialect; 13] = [
        &dialect::GenericDialect {},
        &dialect::AnsiDialect {},
        &dialect::BigQueryDialect {},
        &dialect::ClickHouseDialect {},
        &dialect::DatabricksDialect {},
        &dialect::DuckDbDialect {},
        &dialect::HiveDialect {},
        &dialect::MsSqlDialect {},
        &dialect::MySqlDialect {},
        &dialect::PostgreSqlDialect {},
        &dialect::RedshiftSqlDialect {},
        &dialect::SnowflakeDialect {},
        &dialect::SQLiteDialect {},
    ];
    let parsed = dialects.into_iter().flat_map(|dialect| {
        let statements = Parser::parse_sql(dialect, sql);
        statements.unwrap_or_default()
    });
    let parsed: Vec<Statement> = parsed.collect();
    let mut seen = Seen::default();
    for statement in &parsed {
        seen.found
            .entry("statement")
            .or_default()
            .insert(statement_kind(statement));
        let _walked: ControlFlow<()> = statement.visit(&mut seen);
    }
    seen.found.remove(kind).unwrap_or_default()
}

#[derive(Default)]
struct Seen {
    found: BTreeMap<&'static str, BTreeSet<&'static str>>,
}

impl Seen {
    fn set(&mut self, set: &ast::SetExpr) {
        let found = self.found.entry("set").or_default();
        found.insert(set_kind(set));
        if let ast::SetExpr::SetOperation { left, right, .. } = set {
            self.set(left);
            self.set(right);
        }
    }

    fn table(&mut self, table: &ast::TableWithJoins) {
        let found = self.found.entry("join-operator").or_default();
        for join in &table.joins {
            found.insert(join_operator_kind(&join.join_operator));
        }
    }
}

impl Visitor for Seen {
    type Break = ();

    fn pre_visit_query(&mut self, query: &ast::Query) -> ControlFlow<()> {
        self.set(&query.body);
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &ast::Select) -> ControlFlow<()> {
        for table in &select.from {
            self.table(table);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &ast::TableFactor) -> ControlFlow<()> {
        let found = self.found.entry("factor").or_default();
        found.insert(factor_kind(factor));
        if let ast::TableFactor::NestedJoin {
            table_with_joins, ..
        } = factor
        {
            self.table(table_with_joins);
        }
        ControlFlow::Continue(())
    }
}
