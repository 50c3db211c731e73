//! One statement, start to end.

use crate::{
    Limits, Unplannable,
    dialect::Stepped,
    expansion::expanded,
    guarded,
    session::{session, warm},
    translate,
};
use datafusion::{
    common::{DataFusionError, SchemaError},
    execution::{SessionStateBuilder, session_state::SessionState},
    logical_expr::LogicalPlan,
    optimizer::{
        Analyzer, Optimizer, OptimizerContext, OptimizerRule,
        analyzer::{
            resolve_grouping_function::ResolveGroupingFunction, type_coercion::TypeCoercion,
        },
        decorrelate_lateral_join::DecorrelateLateralJoin,
        decorrelate_predicate_subquery::DecorrelatePredicateSubquery,
        extract_equijoin_predicate::ExtractEquijoinPredicate,
        rewrite_set_comparison::RewriteSetComparison,
        scalar_subquery_to_join::ScalarSubqueryToJoin,
    },
    sql::{
        parser::{DFParserBuilder, Statement},
        sqlparser::{ast, tokenizer::TokenWithSpan},
    },
};
use std::{
    io,
    sync::{Arc, mpsc},
    thread::JoinHandle,
};
use wire::job::{PlanJob, PlanReply, Table};

/// A list of columns in which two have one name.
const DUPLICATES: &str = "duplicate column names";

/// The stack a statement is planned on: the guard bounds depth, this gives it room.
const STACK_BYTES: usize = 64 << 20;

/// A thread with room on its stack, which waits for its one statement.
#[derive(Debug)]
pub(crate) struct Planning {
    job: mpsc::Sender<(PlanJob, Limits)>,
    thread: JoinHandle<Result<PlanReply, Unplannable>>,
}

/// Plans a statement, or says why it has no plan.
#[must_use]
pub fn plan(job: PlanJob, limits: Limits) -> PlanReply {
    match Planning::begin(warm()) {
        Ok(planning) => planning.plan(job, limits),
        Err(_) => refused(&Unplannable::Unsupported("statement")),
    }
}

fn refused(why: &Unplannable) -> PlanReply {
    PlanReply::Refusal {
        code: why.code().to_owned(),
        name: why.name().to_owned(),
    }
}

// === impl Planning ===

impl Planning {
    /// Begins the thread with a session that was warmed before the job came, and waits until it runs.
    ///
    /// # Errors
    /// The system has no room for it.
    pub(crate) fn begin(warm: SessionStateBuilder) -> io::Result<Self> {
        let (job, jobs) = mpsc::channel::<(PlanJob, Limits)>();
        let (runs, running) = mpsc::channel();
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let thread = thread.spawn(move || {
            runs.send(()).ok();
            let none = |_| Unplannable::Unsupported("statement");
            let (job, limits) = jobs.recv().map_err(none)?;
            reply(warm, &job, &limits)
        })?;
        running.recv().map_err(io::Error::other)?;
        Ok(Self { job, thread })
    }

    /// Plans the statement.
    pub(crate) fn plan(self, job: PlanJob, limits: Limits) -> PlanReply {
        let Self { job: jobs, thread } = self;
        // A thread that is gone says so when it is joined.
        jobs.send((job, limits)).ok();
        match thread.join() {
            Ok(Ok(reply)) => reply,
            Ok(Err(why)) => refused(&why),
            Err(_) => refused(&Unplannable::Unsupported("statement")),
        }
    }
}

fn reply(
    warm: SessionStateBuilder,
    job: &PlanJob,
    limits: &Limits,
) -> Result<PlanReply, Unplannable> {
    let known = |name: &str| job.tables.iter().any(|table| names(table, name));
    let tokens = guarded(&job.sql, limits, &known)?;
    let statement = parsed(tokens, limits)?;
    let state = session(warm, job)?;
    let draft = match resolved(&state, statement.clone()) {
        Ok(resolved) => translate::translate(&resolved, job, limits)?,
        Err(Unplannable::Unsupported(DUPLICATES)) => {
            // The front end wants names that differ; ours are applied when the result leaves.
            let mut statement = statement;
            let names = renamed(&mut statement);
            let mut draft = translate::translate(&resolved(&state, statement)?, job, limits)?;
            for name in &mut draft.names {
                if let Some((_, written)) = names.iter().find(|(made, _)| made == name) {
                    name.clone_from(written);
                }
            }
            draft
        }
        Err(why) => return Err(why),
    };
    draft.fields().map_err(|_| Unplannable::IllTyped)?;
    if job.row_policy {
        return Ok(PlanReply::RowPolicy(
            translate::row_policy(&draft)?.encode(),
        ));
    }
    let (cpu_us, _) = jail::usage();
    Ok(PlanReply::Draft {
        plan: draft.encode(),
        cpu_us,
    })
}

/// Whether a table or one of its columns has this name.
fn names(table: &Table, name: &str) -> bool {
    table.dataset.schema() == name
        || table.dataset.table() == name
        || table.columns.iter().any(|(item, _)| item.as_str() == name)
}

/// Exactly one query, of tokens that were looked at.
fn parsed(tokens: Vec<TokenWithSpan>, limits: &Limits) -> Result<Statement, Unplannable> {
    let dialect = Stepped::new(limits.parser_steps_max);
    let wrong = |_| {
        if dialect.is_spent() {
            Unplannable::Guarded("readings of one text")
        } else {
            Unplannable::Syntax
        }
    };
    let mut parser = DFParserBuilder::new(tokens)
        .with_dialect(&dialect)
        .with_recursion_limit(limits.parser_depth_max)
        .build()
        .map_err(wrong)?;
    let mut statements = parser.parse_statements().map_err(wrong)?;
    let (Some(mut statement), true) = (statements.pop_front(), statements.is_empty()) else {
        return Err(Unplannable::SeveralStatements);
    };
    match &mut statement {
        Statement::Statement(inner) => match &mut **inner {
            ast::Statement::Query(query) => {
                expanded(query, limits)?;
                number_parameters(query)?;
                if query.locks.is_empty()
                    && query.settings.is_none()
                    && query.format_clause.is_none()
                {
                    Ok(statement)
                } else {
                    Err(Unplannable::Unsupported("query clause"))
                }
            }
            _ => Err(Unplannable::NotAQuery),
        },
        _ => Err(Unplannable::NotAQuery),
    }
}

/// Names the columns of the outermost list apart, and says what was written for each.
fn renamed(statement: &mut Statement) -> Vec<(String, String)> {
    let mut names = Vec::new();
    let Statement::Statement(inner) = statement else {
        return names;
    };
    let ast::Statement::Query(query) = &mut **inner else {
        return names;
    };
    let ast::SetExpr::Select(select) = &mut *query.body else {
        return names;
    };
    for (at, item) in select.projection.iter_mut().enumerate() {
        let made = format!("column {at}");
        let alias = || ast::Ident::with_quote('"', &made);
        match item {
            ast::SelectItem::UnnamedExpr(expr) => {
                let written = match &*expr {
                    ast::Expr::Identifier(name) => name.value.clone(),
                    ast::Expr::CompoundIdentifier(parts) => parts
                        .last()
                        .map_or_else(String::new, |name| name.value.clone()),
                    other => other.to_string(),
                };
                let expr = expr.clone();
                let alias = alias();
                *item = ast::SelectItem::ExprWithAlias { expr, alias };
                names.push((made, written));
            }
            ast::SelectItem::ExprWithAlias { alias: written, .. } => {
                let written = std::mem::replace(written, alias()).value;
                names.push((made, written));
            }
            _ => {}
        }
    }
    names
}

/// Gives each `?` its number, in the order they are written; a statement has either `?` or `$1`.
fn number_parameters(query: &mut ast::Query) -> Result<(), Unplannable> {
    let (mut asked, mut numbered) = (0usize, false);
    let walked = ast::visit_expressions_mut(query, |expr| {
        if let ast::Expr::Value(value) = expr
            && let ast::Value::Placeholder(name) = &mut value.value
        {
            if name == "?" {
                asked += 1;
                *name = format!("${asked}");
            } else {
                numbered = true;
            }
        }
        std::ops::ControlFlow::<()>::Continue(())
    });
    if walked.is_break() || (asked > 0 && numbered) {
        return Err(Unplannable::Unsupported("two kinds of parameters"));
    }
    Ok(())
}

/// The resolved plan: names, types and decorrelated subqueries; aggregates as they were written.
fn resolved(state: &SessionState, statement: Statement) -> Result<LogicalPlan, Unplannable> {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.map_err(|_| Unplannable::Unsupported("statement"))?;
    let plan = runtime
        .block_on(state.statement_to_plan(statement))
        .map_err(|e| told(&e))?;
    let analyzer = Analyzer::with_rules(vec![
        Arc::new(ResolveGroupingFunction::new()),
        Arc::new(TypeCoercion::new()),
    ]);
    let plan = analyzer.execute_and_check(plan, state.config_options(), |_, _| {});
    let plan = plan.map_err(|e| told(&e))?;
    let rules: Vec<Arc<dyn OptimizerRule + Send + Sync>> = vec![
        Arc::new(RewriteSetComparison::new()),
        Arc::new(DecorrelatePredicateSubquery::new()),
        Arc::new(ScalarSubqueryToJoin::new()),
        Arc::new(DecorrelateLateralJoin::new()),
        Arc::new(ExtractEquijoinPredicate::new()),
    ];
    let context = OptimizerContext::new().with_skip_failing_rules(false);
    let plan = Optimizer::with_rules(rules).optimize(plan, &context, |_, _| {});
    plan.map_err(|e| told(&e))
}

/// What an error of the front end means; its text goes nowhere.
fn told(error: &DataFusionError) -> Unplannable {
    let root = error.find_root();
    if let DataFusionError::SchemaError(schema, _) = root {
        return match **schema {
            SchemaError::FieldNotFound { ref field, .. } => {
                Unplannable::UnknownName(field.name.clone())
            }
            _ => Unplannable::Unsupported("ambiguous or duplicate column names"),
        };
    }
    let text = root.to_string();
    if text.contains("not found")
        || text.contains("No table named")
        || text.contains("failed to resolve")
    {
        Unplannable::UnknownName(String::new())
    } else if text.contains("Invalid function") {
        Unplannable::UnknownFunction
    } else if text.contains("unique expression names") {
        Unplannable::Unsupported(DUPLICATES)
    } else if text.contains("Placeholder") || text.contains("placeholder") {
        Unplannable::ParameterUntyped
    } else if matches!(root, DataFusionError::SQL(..)) {
        Unplannable::Syntax
    } else {
        Unplannable::Unsupported("statement")
    }
}

#[cfg(test)]
mod soup;
#[cfg(test)]
pub(crate) mod tests;
