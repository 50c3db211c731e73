//! Canonical bytes: one tag byte a variant, lengths before lists, whole numbers little endian.
//!
//! A plan has exactly one encoding, and equal bytes mean equal plans; the digest names the plan.

use crate::{
    AggregateCall, AggregateFunction, Cell, Check, Expr, Frame, FrameBound, JoinKind, Literal,
    Node, Plan, RowPolicy, Scan, SortKey, Statistic, View, WindowCall, WindowFunction,
};
use terms::{Digest, Mask, Type};

/// Stands before the bytes of every plan that is hashed.
const DIGEST_PREFIX: &[u8] = b"bonded plan v1\n";

impl Plan {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.list(&self.names, |out, name| out.text(name));
        out.list(&self.checks, Writer::check);
        out.node(&self.root);
        out.bytes
    }

    /// SHA-256 over a prefix and the canonical bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&[DIGEST_PREFIX, &self.encode()].concat())
    }
}

impl RowPolicy {
    /// The canonical bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.row_policy(self);
        out.bytes
    }
}

#[derive(Default)]
struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn tag(&mut self, tag: u8) {
        self.bytes.push(tag);
    }

    fn flag(&mut self, flag: bool) {
        self.tag(u8::from(flag));
    }

    fn u32(&mut self, value: u32) {
        self.bytes.extend(value.to_le_bytes());
    }

    fn u64(&mut self, value: u64) {
        self.bytes.extend(value.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        // A list longer than this does not fit into a plan's bounds and is refused when decoded.
        self.u32(u32::try_from(length).unwrap_or(u32::MAX));
    }

    fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend(text.as_bytes());
    }

    fn list<T>(&mut self, items: &[T], each: impl Fn(&mut Self, &T)) {
        self.length(items.len());
        for item in items {
            each(self, item);
        }
    }

    fn option<T>(&mut self, item: Option<&T>, each: impl Fn(&mut Self, &T)) {
        self.flag(item.is_some());
        if let Some(item) = item {
            each(self, item);
        }
    }

    fn data_type(&mut self, data_type: &Type) {
        match data_type {
            Type::Bool => self.tag(1),
            Type::Int => self.tag(2),
            Type::Float => self.tag(3),
            Type::Decimal { precision, scale } => self.bytes.extend([4, *precision, *scale]),
            Type::Text => self.tag(5),
            Type::Date => self.tag(6),
            Type::Timestamp => self.tag(7),
            Type::Interval => self.tag(8),
            Type::Witness => self.tag(9),
        }
    }

    fn literal(&mut self, literal: &Literal) {
        match literal {
            Literal::Null(data_type) => {
                self.tag(0);
                self.data_type(data_type);
            }
            Literal::Bool(value) => {
                self.tag(1);
                self.flag(*value);
            }
            Literal::Int(value) => {
                self.tag(2);
                self.bytes.extend(value.to_le_bytes());
            }
            Literal::Float(bits) => {
                self.tag(3);
                self.u64(*bits);
            }
            Literal::Decimal {
                unscaled,
                precision,
                scale,
            } => {
                self.bytes.extend([4, *precision, *scale]);
                self.bytes.extend(unscaled.to_le_bytes());
            }
            Literal::Text(text) => {
                self.tag(5);
                self.text(text);
            }
            Literal::Date(days) => {
                self.tag(6);
                self.bytes.extend(days.to_le_bytes());
            }
            Literal::Timestamp(at) => {
                self.tag(7);
                self.bytes.extend(at.to_le_bytes());
            }
            Literal::Interval {
                months,
                days,
                nanoseconds,
            } => {
                self.tag(8);
                self.bytes.extend(months.to_le_bytes());
                self.bytes.extend(days.to_le_bytes());
                self.bytes.extend(nanoseconds.to_le_bytes());
            }
        }
    }

    fn expr(&mut self, expr: &Expr) {
        match expr {
            Expr::Column(ordinal) => {
                self.tag(1);
                self.u32(*ordinal);
            }
            Expr::Literal(literal) => {
                self.tag(2);
                self.literal(literal);
            }
            Expr::Parameter(index, data_type) => {
                self.tag(3);
                self.u32(*index);
                self.data_type(data_type);
            }
            Expr::Call(function, arguments) => {
                self.tag(4);
                self.tag(function.code());
                self.list(arguments, Self::expr);
            }
            Expr::Cast { value, to, lenient } => {
                self.tag(5);
                self.expr(value);
                self.data_type(to);
                self.flag(*lenient);
            }
            Expr::Case {
                branches,
                otherwise,
            } => {
                self.tag(6);
                self.list(branches, |out, (condition, value)| {
                    out.expr(condition);
                    out.expr(value);
                });
                self.option(otherwise.as_deref(), Self::expr);
            }
            Expr::InList {
                value,
                list,
                negated,
            } => {
                self.tag(7);
                self.expr(value);
                self.list(list, Self::expr);
                self.flag(*negated);
            }
            Expr::Scalar(node) => {
                self.tag(8);
                self.node(node);
            }
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    fn node(&mut self, node: &Node) {
        match node {
            Node::Scan(scan) => {
                self.tag(1);
                self.scan(scan);
            }
            Node::Values { types, rows } => {
                self.tag(2);
                self.list(types, Self::data_type);
                self.list(rows, |out, row| out.list(row, Self::literal));
            }
            Node::Project { input, exprs } => {
                self.tag(3);
                self.node(input);
                self.list(exprs, Self::expr);
            }
            Node::Filter { input, predicate } => {
                self.tag(4);
                self.node(input);
                self.expr(predicate);
            }
            Node::Join {
                kind,
                left,
                right,
                on,
                filter,
                null_equal,
            } => {
                self.tag(5);
                self.tag(join_code(*kind));
                self.node(left);
                self.node(right);
                self.list(on, |out, (left, right)| {
                    out.expr(left);
                    out.expr(right);
                });
                self.option(filter.as_ref(), Self::expr);
                self.flag(*null_equal);
            }
            Node::Aggregate {
                input,
                keys,
                aggregates,
            } => {
                self.tag(6);
                self.node(input);
                self.list(keys, Self::expr);
                self.list(aggregates, Self::aggregate);
            }
            Node::Window { input, calls } => {
                self.tag(7);
                self.node(input);
                self.list(calls, Self::window);
            }
            Node::Sort { input, keys, fetch } => {
                self.tag(8);
                self.node(input);
                self.list(keys, Self::sort_key);
                self.option(fetch.as_ref(), |out, fetch| out.u64(*fetch));
            }
            Node::Limit { input, skip, fetch } => {
                self.tag(9);
                self.node(input);
                self.u64(*skip);
                self.option(fetch.as_ref(), |out, fetch| out.u64(*fetch));
            }
            Node::Distinct { input } => {
                self.tag(10);
                self.node(input);
            }
            Node::Union { inputs } => {
                self.tag(11);
                self.list(inputs, Self::node);
            }
            Node::Withhold {
                input,
                cells,
                reports,
            } => {
                self.tag(12);
                self.node(input);
                self.list(cells, Self::cell);
                self.list(reports, |out, report| {
                    out.u32(report.witness);
                    out.u32(report.number);
                    out.flag(report.by_subject);
                    out.list(&report.noised, |out, noised| {
                        out.u32(noised.column);
                        out.tag(match noised.statistic {
                            Statistic::Count => 1,
                            Statistic::Sum => 2,
                            Statistic::Mean => 3,
                        });
                    });
                });
            }
        }
    }

    fn scan(&mut self, scan: &Scan) {
        self.text(scan.dataset.as_str());
        self.list(&scan.columns, |out, column| {
            out.text(column.item.as_str());
            out.data_type(&column.data_type);
            out.view(&column.view);
        });
        self.option(scan.rows.as_ref(), Self::row_policy);
    }

    fn row_policy(&mut self, rows: &RowPolicy) {
        self.list(&rows.items, |out, (item, data_type)| {
            out.text(item.as_str());
            out.data_type(data_type);
        });
        self.expr(&rows.predicate);
    }

    fn view(&mut self, view: &View) {
        match view {
            View::Catalogue => self.tag(1),
            View::Masked(mask, domain) => {
                self.tag(2);
                self.mask(Mask::from(*mask));
                self.option(domain.as_ref(), |out, domain| out.text(domain.as_str()));
            }
            View::Raw => self.tag(3),
            View::Row => self.tag(4),
            View::Subject => self.tag(5),
        }
    }

    fn mask(&mut self, mask: Mask) {
        match mask {
            Mask::Plain => self.tag(1),
            Mask::Suppress => self.tag(2),
            Mask::Redact => self.tag(3),
            Mask::Partial { head, tail } => self.bytes.extend([4, head, tail]),
            Mask::Prefix(length) => self.bytes.extend([5, length]),
            Mask::Token => self.tag(6),
            Mask::Band(width) => {
                self.tag(7);
                self.u64(width.to_bits());
            }
            Mask::Year => self.tag(8),
            Mask::Month => self.tag(9),
        }
    }

    fn aggregate(&mut self, call: &AggregateCall) {
        self.tag(aggregate_code(call.function));
        self.list(&call.arguments, Self::expr);
        self.flag(call.distinct);
        self.option(call.filter.as_ref(), Self::expr);
    }

    fn window(&mut self, call: &WindowCall) {
        match call.function {
            WindowFunction::RowNumber => self.tag(1),
            WindowFunction::Rank => self.tag(2),
            WindowFunction::DenseRank => self.tag(3),
            WindowFunction::Lag => self.tag(4),
            WindowFunction::Lead => self.tag(5),
            WindowFunction::FirstValue => self.tag(6),
            WindowFunction::LastValue => self.tag(7),
            WindowFunction::Aggregate(function) => {
                self.bytes.extend([8, aggregate_code(function)]);
            }
        }
        self.list(&call.arguments, Self::expr);
        self.list(&call.partition, Self::expr);
        self.list(&call.order, Self::sort_key);
        let Frame { rows, start, end } = call.frame;
        self.flag(rows);
        self.bound(start);
        self.bound(end);
    }

    fn bound(&mut self, bound: FrameBound) {
        match bound {
            FrameBound::UnboundedPreceding => self.tag(1),
            FrameBound::Preceding(rows) => {
                self.tag(2);
                self.u64(rows);
            }
            FrameBound::CurrentRow => self.tag(3),
            FrameBound::Following(rows) => {
                self.tag(4);
                self.u64(rows);
            }
            FrameBound::UnboundedFollowing => self.tag(5),
        }
    }

    fn sort_key(&mut self, key: &SortKey) {
        self.expr(&key.expr);
        self.flag(key.descending);
        self.flag(key.nulls_first);
    }

    fn cell(&mut self, cell: &Cell) {
        self.u32(cell.witness);
        self.check(&cell.check);
    }

    fn check(&mut self, check: &Check) {
        self.u32(check.k);
        self.option(check.dominance.as_ref(), |out, rule| {
            out.bytes.extend([rule.share_percent, rule.rest_percent]);
        });
        self.flag(check.once);
        self.flag(check.spread);
        self.u32(check.freedom);
    }
}

pub(crate) const fn join_code(kind: JoinKind) -> u8 {
    match kind {
        JoinKind::Inner => 1,
        JoinKind::Left => 2,
        JoinKind::Right => 3,
        JoinKind::Full => 4,
        JoinKind::Semi => 5,
        JoinKind::Anti => 6,
        JoinKind::Mark => 7,
    }
}

pub(crate) const fn aggregate_code(function: AggregateFunction) -> u8 {
    match function {
        AggregateFunction::Count => 1,
        AggregateFunction::Sum => 2,
        AggregateFunction::Avg => 3,
        AggregateFunction::StddevSample => 4,
        AggregateFunction::StddevPopulation => 5,
        AggregateFunction::VarianceSample => 6,
        AggregateFunction::VariancePopulation => 7,
        AggregateFunction::Min => 8,
        AggregateFunction::Max => 9,
        AggregateFunction::Witness => 10,
        AggregateFunction::WitnessUnion => 11,
        AggregateFunction::Median => 12,
        AggregateFunction::Percentile => 13,
        AggregateFunction::SafeQuantile => 14,
        AggregateFunction::SafeMin => 15,
        AggregateFunction::SafeMax => 16,
        AggregateFunction::SharedMin => 17,
        AggregateFunction::SharedMax => 18,
    }
}

#[cfg(test)]
mod tests;
