//! The form people read: one node a line, inputs indented below it.

use crate::{
    AggregateCall, AggregateFunction, Check, Expr, Function, JoinKind, Literal, Node, Plan, Report,
    Scan, SortKey, View, WindowFunction,
};
use std::{collections::BTreeSet, fmt::Write};
use terms::Mask;

impl Plan {
    /// The plan as text. Columns are `#ordinal` of the node's input.
    #[must_use]
    pub fn print(&self) -> String {
        let mut text = format!("result {}\n", one_line(&self.names.join(", ")));
        for (at, check) in self.checks.iter().enumerate() {
            let ordinal = self.names.len() + at;
            let _ = writeln!(text, "check #{ordinal} {}", unmet(check));
        }
        node(&self.root, 0, &mut text);
        text
    }
}

fn node(root: &Node, depth: usize, text: &mut String) {
    let _ = writeln!(text, "{}{}", "  ".repeat(depth), line(root));
    for input in root.inputs() {
        node(input, depth + 1, text);
    }
    let mut exprs: Vec<&Expr> = root.exprs().collect();
    exprs.reverse();
    while let Some(expr) = exprs.pop() {
        if let Expr::Scalar(inside) = expr {
            let _ = writeln!(text, "{}subquery", "  ".repeat(depth + 1));
            node(inside, depth + 2, text);
        }
        exprs.extend(expr.children().rev());
    }
}

fn line(node: &Node) -> String {
    match node {
        Node::Scan(scan) => scan_line(scan),
        Node::Values { rows, .. } => format!("values {} rows", rows.len()),
        Node::Project { exprs, .. } => format!("project {}", list(exprs)),
        Node::Filter { predicate, .. } => format!("filter {}", expr(predicate)),
        Node::Join {
            kind,
            on,
            filter,
            null_equal,
            ..
        } => {
            let mut conditions: Vec<String> = on
                .iter()
                .map(|(left, right)| format!("{} = right {}", expr(left), expr(right)))
                .collect();
            conditions.extend(filter.iter().map(expr));
            let nulls = if *null_equal { ", nulls equal" } else { "" };
            format!(
                "{} join on {}{nulls}",
                join_word(*kind),
                conditions.join(" and ")
            )
        }
        Node::Aggregate {
            keys, aggregates, ..
        } => {
            let calls: Vec<String> = aggregates.iter().map(call).collect();
            format!("aggregate by [{}]: {}", list(keys), calls.join(", "))
        }
        Node::Window { calls, .. } => {
            let calls: Vec<String> = calls
                .iter()
                .map(|call| {
                    let order: Vec<String> = call.order.iter().map(sort_key).collect();
                    format!(
                        "{}({}) over (partition by [{}] order by [{}])",
                        window_word(call.function),
                        list(&call.arguments),
                        list(&call.partition),
                        order.join(", ")
                    )
                })
                .collect();
            format!("window {}", calls.join(", "))
        }
        Node::Sort { keys, fetch, .. } => {
            let keys: Vec<String> = keys.iter().map(sort_key).collect();
            let fetch = fetch.map_or_else(String::new, |fetch| format!(" first {fetch}"));
            format!("sort {}{fetch}", keys.join(", "))
        }
        Node::Limit { skip, fetch, .. } => {
            let fetch = fetch.map_or_else(|| "all".to_owned(), |fetch| fetch.to_string());
            format!("limit {fetch} after {skip}")
        }
        Node::Distinct { .. } => "distinct".to_owned(),
        Node::Union { inputs } => format!("union of {}", inputs.len()),
        Node::Withhold { cells, reports, .. } => {
            let cells: Vec<String> = cells
                .iter()
                .map(|cell| format!("#{} {}", cell.witness, unmet(&cell.check)))
                .collect();
            let reports = reported(reports);
            format!("withhold rows where {}{reports}", cells.join(", or "))
        }
    }
}

/// What is reported above a withholding, in words.
fn reported(reports: &[Report]) -> String {
    let noised: BTreeSet<u32> = reports
        .iter()
        .flat_map(|report| report.noised.iter().map(|noised| noised.column))
        .collect();
    let noised: Vec<String> = noised.iter().map(|column| format!("#{column}")).collect();
    match (reports.len(), noised.as_slice()) {
        (0, _) => String::new(),
        (n, []) => format!("; report {n}"),
        (n, noised) => format!("; report {n}, noise on {} if asked", noised.join(", ")),
    }
}

/// What makes a cell fall short, in words.
fn unmet(check: &Check) -> String {
    let mut line = format!("counts fewer than {}", check.k);
    if let Some(rule) = check.dominance {
        let (share, rest) = (rule.share_percent, rule.rest_percent);
        line.push_str(&format!(" or is dominated ({share} %, {rest} %)"));
    }
    if check.once {
        line.push_str(" or counts rows twice");
    }
    if check.spread {
        line.push_str(" or has one value");
    }
    if check.freedom > 0 {
        line.push_str(&format!(
            " or has under {} degrees of freedom",
            check.freedom
        ));
    }
    line
}

fn scan_line(scan: &Scan) -> String {
    let columns: Vec<String> = scan
        .columns
        .iter()
        .map(|column| match &column.view {
            View::Catalogue => column.item.to_string(),
            View::Masked(mask, None) => format!("{} {}", column.item, Mask::from(*mask)),
            View::Masked(mask, Some(domain)) => {
                format!("{} {} of {domain}", column.item, Mask::from(*mask))
            }
            View::Raw => format!("{} raw", column.item),
            View::Row => "row number".to_owned(),
            View::Subject => "subject number".to_owned(),
        })
        .collect();
    let rows = scan.rows.as_ref().map_or_else(String::new, |rows| {
        let items: Vec<String> = rows
            .items
            .iter()
            .map(|(item, _)| item.to_string())
            .collect();
        format!(
            " where {} over [{}]",
            expr(&rows.predicate),
            items.join(", ")
        )
    });
    format!("scan {} [{}]{rows}", scan.dataset, columns.join(", "))
}

const fn join_word(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "inner",
        JoinKind::Left => "left",
        JoinKind::Right => "right",
        JoinKind::Full => "full",
        JoinKind::Semi => "semi",
        JoinKind::Anti => "anti",
        JoinKind::Mark => "mark",
    }
}

const fn window_word(function: WindowFunction) -> &'static str {
    match function {
        WindowFunction::RowNumber => "row_number",
        WindowFunction::Rank => "rank",
        WindowFunction::DenseRank => "dense_rank",
        WindowFunction::Lag => "lag",
        WindowFunction::Lead => "lead",
        WindowFunction::FirstValue => "first_value",
        WindowFunction::LastValue => "last_value",
        WindowFunction::Aggregate(function) => function.word(),
    }
}

fn call(call: &AggregateCall) -> String {
    let distinct = if call.distinct { "distinct " } else { "" };
    let star = call.arguments.is_empty() && call.function == AggregateFunction::Count;
    let arguments = if star {
        "*".to_owned()
    } else {
        list(&call.arguments)
    };
    let filter = call
        .filter
        .as_ref()
        .map_or_else(String::new, |filter| format!(" filter {}", expr(filter)));
    format!("{}({distinct}{arguments}){filter}", call.function.word())
}

fn sort_key(key: &SortKey) -> String {
    let order = if key.descending { "desc" } else { "asc" };
    let nulls = if key.nulls_first { "first" } else { "last" };
    format!("{} {order} nulls {nulls}", expr(&key.expr))
}

fn list(exprs: &[Expr]) -> String {
    exprs.iter().map(expr).collect::<Vec<_>>().join(", ")
}

fn expr(root: &Expr) -> String {
    match root {
        Expr::Column(ordinal) => format!("#{ordinal}"),
        Expr::Literal(value) => literal(value),
        Expr::Parameter(index, data_type) => format!("${} {data_type}", index + 1),
        Expr::Call(function, arguments) => match (arguments.as_slice(), infix(*function)) {
            ([left, right], true) => {
                format!("({} {} {})", expr(left), function.word(), expr(right))
            }
            _ => format!("{}({})", function.word(), list(arguments)),
        },
        Expr::Cast { value, to, lenient } => {
            let word = if *lenient { "try_cast" } else { "cast" };
            format!("{word}({} as {to})", expr(value))
        }
        Expr::Case {
            branches,
            otherwise,
        } => {
            let branches: Vec<String> = branches
                .iter()
                .map(|(when, then)| format!("when {} then {}", expr(when), expr(then)))
                .collect();
            let otherwise = otherwise
                .as_ref()
                .map_or_else(String::new, |value| format!(" else {}", expr(value)));
            format!("case {}{otherwise} end", branches.join(" "))
        }
        Expr::InList {
            value,
            list: items,
            negated,
        } => {
            let not = if *negated { "not " } else { "" };
            format!("({} {not}in ({}))", expr(value), list(items))
        }
        Expr::Scalar(_) => "(subquery)".to_owned(),
    }
}

const fn infix(function: Function) -> bool {
    matches!(
        function,
        Function::Add
            | Function::Subtract
            | Function::Multiply
            | Function::Divide
            | Function::Modulo
            | Function::Equal
            | Function::NotEqual
            | Function::Less
            | Function::LessEqual
            | Function::Greater
            | Function::GreaterEqual
            | Function::IsDistinctFrom
            | Function::IsNotDistinctFrom
            | Function::And
            | Function::Or
            | Function::Like
            | Function::ILike
    )
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Null(data_type) => format!("null {data_type}"),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(value) => value.to_string(),
        Literal::Float(bits) => format!("{:?}", f64::from_bits(*bits)),
        Literal::Decimal {
            unscaled, scale, ..
        } => format!("{unscaled}e-{scale}"),
        Literal::Text(text) => format!("'{}'", one_line(&text.replace('\'', "''"))),
        Literal::Date(days) => {
            let day = chrono::DateTime::from_timestamp(i64::from(*days) * 86_400, 0);
            day.map_or_else(
                || format!("date {days}"),
                |day| format!("date '{}'", day.date_naive()),
            )
        }
        Literal::Timestamp(at) => {
            let moment = chrono::DateTime::from_timestamp_micros(*at);
            moment.map_or_else(
                || format!("timestamp {at}"),
                |m| format!("timestamp '{}'", m.naive_utc()),
            )
        }
        Literal::Interval {
            months,
            days,
            nanoseconds,
        } => {
            format!("interval {months} months {days} days {nanoseconds} ns")
        }
    }
}

/// Text of the caller's, kept from breaking the line it stands in or turning its direction.
fn one_line(text: &str) -> String {
    let turns = |c| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().fold(String::new(), |mut line, c| {
        if c.is_control() || turns(c) {
            line.extend(c.escape_default());
        } else {
            line.push(c);
        }
        line
    })
}

#[cfg(test)]
mod tests;
