//! Bytes back into a plan, within bounds. What is not canonical is no plan.

use crate::{
    AggregateCall, AggregateFunction, Bounds, Cell, Check, Dominance, Expr, Frame, FrameBound,
    Function, JoinKind, Literal, Node, Noised, Plan, Report, RowPolicy, Scan, ScanColumn, SortKey,
    Statistic, View, WindowCall, WindowFunction,
    encode::{aggregate_code, join_code},
};
use std::str::FromStr;
use terms::{Mask, Type};

/// Which plans a decoder takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// What a planner made: catalogue views, no witnesses.
    Draft,
    /// What the confinement made.
    Confined,
}

/// Bytes that are no plan, or one that is too large or of the other sort.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("undecodable plan: {0}")]
pub struct Undecodable(pub(crate) &'static str);

impl Plan {
    /// Reads canonical bytes.
    ///
    /// # Errors
    /// The first thing that is not as it should be; a plan beyond the bounds is not read further.
    pub fn decode(bytes: &[u8], accept: Accept, bounds: &Bounds) -> Result<Self, Undecodable> {
        let mut input = Reader::new(bytes, accept, bounds)?;
        let names = input.list(Reader::text)?;
        let checks = input.list(Reader::check)?;
        if accept == Accept::Draft && !checks.is_empty() {
            return Err(Undecodable("a draft with checks"));
        }
        let root = input.node()?;
        input.end()?;
        bounds.growth(&root)?;
        Ok(Self {
            root,
            names,
            checks,
        })
    }
}

impl RowPolicy {
    /// Reads canonical bytes.
    ///
    /// # Errors
    /// The first thing that is not as it should be.
    pub fn decode(bytes: &[u8], bounds: &Bounds) -> Result<Self, Undecodable> {
        let mut input = Reader::new(bytes, Accept::Confined, bounds)?;
        let rows = input.row_policy()?;
        input.end()?;
        Ok(rows)
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    accept: Accept,
    bounds: &'a Bounds,
    items: usize,
    depth: usize,
}

type Read<T> = Result<T, Undecodable>;

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], accept: Accept, bounds: &'a Bounds) -> Read<Self> {
        if bytes.len() > bounds.bytes_max {
            return Err(Undecodable("too many bytes"));
        }
        Ok(Self {
            rest: bytes,
            accept,
            bounds,
            items: 0,
            depth: 0,
        })
    }

    fn end(&self) -> Read<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Undecodable("bytes behind the end"))
        }
    }

    /// Reads something that may hold more of its kind, counted and bounded in depth.
    fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.items += 1;
        self.depth += 1;
        if self.items > self.bounds.items_max || self.depth > self.bounds.depth_max {
            return Err(Undecodable("too large or too deep"));
        }
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn bytes<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (head, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(Undecodable("cut short"))?;
        self.rest = rest;
        Ok(*head)
    }

    fn tag(&mut self) -> Read<u8> {
        let [tag] = self.bytes()?;
        Ok(tag)
    }

    fn flag(&mut self) -> Read<bool> {
        match self.tag()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Undecodable("a flag that is neither")),
        }
    }

    fn u32(&mut self) -> Read<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Read<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    fn length(&mut self) -> Read<usize> {
        let length = self.u32()?;
        usize::try_from(length).map_err(|_| Undecodable("a length beyond reason"))
    }

    fn text(&mut self) -> Read<String> {
        let length = self.length()?;
        let (head, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(Undecodable("cut short"))?;
        self.rest = rest;
        String::from_utf8(head.to_vec()).map_err(|_| Undecodable("text that is not UTF-8"))
    }

    fn word<T: FromStr>(&mut self) -> Read<T> {
        self.text()?
            .parse()
            .map_err(|_| Undecodable("a name that is none"))
    }

    fn list<T>(&mut self, mut each: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let length = self.length()?;
        if length > self.bounds.items_max || length > self.rest.len() {
            return Err(Undecodable("a list beyond the bounds"));
        }
        // Memory follows what is read, not what is claimed: lists stand in lists, each claiming all.
        let mut items = Vec::new();
        for _ in 0..length {
            items.push(each(self)?);
        }
        Ok(items)
    }

    fn columns<T>(&mut self, each: impl FnMut(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let columns = self.list(each)?;
        if columns.len() > self.bounds.columns_max {
            return Err(Undecodable("too many columns"));
        }
        Ok(columns)
    }

    fn option<T>(&mut self, each: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        if self.flag()? {
            each(self).map(Some)
        } else {
            Ok(None)
        }
    }

    fn data_type(&mut self) -> Read<Type> {
        Ok(match self.tag()? {
            1 => Type::Bool,
            2 => Type::Int,
            3 => Type::Float,
            4 => {
                let [precision, scale] = self.bytes()?;
                decimal(precision, scale)?;
                Type::Decimal { precision, scale }
            }
            5 => Type::Text,
            6 => Type::Date,
            7 => Type::Timestamp,
            8 => Type::Interval,
            9 if self.accept == Accept::Confined => Type::Witness,
            _ => return Err(Undecodable("an unknown type")),
        })
    }

    fn literal(&mut self) -> Read<Literal> {
        Ok(match self.tag()? {
            0 => Literal::Null(self.data_type()?),
            1 => Literal::Bool(self.flag()?),
            2 => Literal::Int(i64::from_le_bytes(self.bytes()?)),
            3 => Literal::Float(self.u64()?),
            4 => {
                let [precision, scale] = self.bytes()?;
                decimal(precision, scale)?;
                let unscaled = i128::from_le_bytes(self.bytes()?);
                Literal::Decimal {
                    unscaled,
                    precision,
                    scale,
                }
            }
            5 => Literal::Text(self.text()?),
            6 => Literal::Date(i32::from_le_bytes(self.bytes()?)),
            7 => Literal::Timestamp(i64::from_le_bytes(self.bytes()?)),
            8 => Literal::Interval {
                months: i32::from_le_bytes(self.bytes()?),
                days: i32::from_le_bytes(self.bytes()?),
                nanoseconds: i64::from_le_bytes(self.bytes()?),
            },
            _ => return Err(Undecodable("an unknown literal")),
        })
    }

    fn expr(&mut self) -> Read<Expr> {
        self.inside(|input| {
            Ok(match input.tag()? {
                1 => Expr::Column(input.u32()?),
                2 => Expr::Literal(input.literal()?),
                3 if input.accept == Accept::Draft => {
                    Expr::Parameter(input.u32()?, input.data_type()?)
                }
                4 => {
                    let function = Function::of_code(input.tag()?);
                    let function = function.ok_or(Undecodable("an unknown function"))?;
                    if input.accept == Accept::Draft && function.is_confined() {
                        return Err(Undecodable("a draft with witnesses"));
                    }
                    Expr::Call(function, input.list(Self::expr)?)
                }
                5 => Expr::Cast {
                    value: Box::new(input.expr()?),
                    to: input.data_type()?,
                    lenient: input.flag()?,
                },
                6 => Expr::Case {
                    branches: input.list(|input| Ok((input.expr()?, input.expr()?)))?,
                    otherwise: input.option(Self::expr)?.map(Box::new),
                },
                7 => Expr::InList {
                    value: Box::new(input.expr()?),
                    list: input.list(Self::expr)?,
                    negated: input.flag()?,
                },
                8 => Expr::Scalar(Box::new(input.node()?)),
                _ => return Err(Undecodable("an unknown expression")),
            })
        })
    }

    fn node(&mut self) -> Read<Node> {
        self.inside(|input| {
            Ok(match input.tag()? {
                1 => Node::Scan(input.scan()?),
                2 => {
                    let types = input.columns(Self::data_type)?;
                    // A row of no columns takes no bytes beyond its length, so rows stay bounded.
                    Node::Values {
                        types,
                        rows: input.list(|input| input.list(Self::literal))?,
                    }
                }
                3 => Node::Project {
                    input: input.below()?,
                    exprs: input.columns(Self::expr)?,
                },
                4 => Node::Filter {
                    input: input.below()?,
                    predicate: input.expr()?,
                },
                5 => Node::Join {
                    kind: input.join_kind()?,
                    left: input.below()?,
                    right: input.below()?,
                    on: input.list(|input| Ok((input.expr()?, input.expr()?)))?,
                    filter: input.option(Self::expr)?,
                    null_equal: input.flag()?,
                },
                6 => Node::Aggregate {
                    input: input.below()?,
                    keys: input.columns(Self::expr)?,
                    aggregates: input.columns(Self::aggregate)?,
                },
                7 => Node::Window {
                    input: input.below()?,
                    calls: input.columns(Self::window)?,
                },
                8 => Node::Sort {
                    input: input.below()?,
                    keys: input.list(Self::sort_key)?,
                    fetch: input.option(Self::u64)?,
                },
                9 => Node::Limit {
                    input: input.below()?,
                    skip: input.u64()?,
                    fetch: input.option(Self::u64)?,
                },
                10 => Node::Distinct {
                    input: input.below()?,
                },
                11 => Node::Union {
                    inputs: input.list(Self::node)?,
                },
                12 if input.accept == Accept::Confined => Node::Withhold {
                    input: input.below()?,
                    cells: input.list(Self::cell)?,
                    reports: input.list(Self::report)?,
                },
                _ => return Err(Undecodable("an unknown node")),
            })
        })
    }

    fn below(&mut self) -> Read<Box<Node>> {
        self.node().map(Box::new)
    }

    fn join_kind(&mut self) -> Read<JoinKind> {
        let code = self.tag()?;
        let kinds = [
            JoinKind::Inner,
            JoinKind::Left,
            JoinKind::Right,
            JoinKind::Full,
            JoinKind::Semi,
            JoinKind::Anti,
            JoinKind::Mark,
        ];
        let found = kinds.into_iter().find(|kind| join_code(*kind) == code);
        found.ok_or(Undecodable("an unknown join"))
    }

    fn scan(&mut self) -> Read<Scan> {
        let dataset = self.word()?;
        let columns = self.columns(|input| {
            let (item, data_type) = (input.word()?, input.data_type()?);
            Ok(ScanColumn {
                item,
                data_type,
                view: input.view()?,
            })
        })?;
        let rows = self.option(Self::row_policy)?;
        if self.accept == Accept::Draft && rows.is_some() {
            return Err(Undecodable("a draft with a row policy"));
        }
        Ok(Scan {
            dataset,
            columns,
            rows,
        })
    }

    fn row_policy(&mut self) -> Read<RowPolicy> {
        let items = self.columns(|input| Ok((input.word()?, input.data_type()?)))?;
        Ok(RowPolicy {
            items,
            predicate: self.expr()?,
        })
    }

    fn view(&mut self) -> Read<View> {
        let draft = self.accept == Accept::Draft;
        Ok(match self.tag()? {
            1 if draft => View::Catalogue,
            2 if !draft => View::Masked(self.mask()?.into(), self.option(Self::word)?),
            3 if !draft => View::Raw,
            4 if !draft => View::Row,
            5 if !draft => View::Subject,
            _ => return Err(Undecodable("a view that does not belong there")),
        })
    }

    fn mask(&mut self) -> Read<Mask> {
        Ok(match self.tag()? {
            1 => Mask::Plain,
            2 => Mask::Suppress,
            3 => Mask::Redact,
            4 => {
                let [head, tail] = self.bytes()?;
                Mask::Partial { head, tail }
            }
            5 => Mask::Prefix(self.tag()?),
            6 => Mask::Token,
            7 => {
                let width = f64::from_bits(self.u64()?);
                if !(width.is_finite() && width > 0.0) {
                    return Err(Undecodable("a band without width"));
                }
                Mask::Band(width)
            }
            8 => Mask::Year,
            9 => Mask::Month,
            _ => return Err(Undecodable("an unknown mask")),
        })
    }

    fn aggregate_function(&mut self) -> Read<AggregateFunction> {
        let code = self.tag()?;
        let found = AggregateFunction::ALL
            .iter()
            .copied()
            .find(|f| aggregate_code(*f) == code);
        let found = found.ok_or(Undecodable("an unknown aggregate"))?;
        if self.accept == Accept::Draft && found.is_confined() {
            return Err(Undecodable("a draft with witnesses"));
        }
        Ok(found)
    }

    fn aggregate(&mut self) -> Read<AggregateCall> {
        Ok(AggregateCall {
            function: self.aggregate_function()?,
            arguments: self.list(Self::expr)?,
            distinct: self.flag()?,
            filter: self.option(Self::expr)?,
        })
    }

    fn window(&mut self) -> Read<WindowCall> {
        let function = match self.tag()? {
            1 => WindowFunction::RowNumber,
            2 => WindowFunction::Rank,
            3 => WindowFunction::DenseRank,
            4 => WindowFunction::Lag,
            5 => WindowFunction::Lead,
            6 => WindowFunction::FirstValue,
            7 => WindowFunction::LastValue,
            8 => WindowFunction::Aggregate(self.aggregate_function()?),
            _ => return Err(Undecodable("an unknown window function")),
        };
        Ok(WindowCall {
            function,
            arguments: self.list(Self::expr)?,
            partition: self.list(Self::expr)?,
            order: self.list(Self::sort_key)?,
            frame: Frame {
                rows: self.flag()?,
                start: self.bound()?,
                end: self.bound()?,
            },
        })
    }

    fn bound(&mut self) -> Read<FrameBound> {
        Ok(match self.tag()? {
            1 => FrameBound::UnboundedPreceding,
            2 => FrameBound::Preceding(self.u64()?),
            3 => FrameBound::CurrentRow,
            4 => FrameBound::Following(self.u64()?),
            5 => FrameBound::UnboundedFollowing,
            _ => return Err(Undecodable("an unknown frame bound")),
        })
    }

    fn sort_key(&mut self) -> Read<SortKey> {
        let expr = self.expr()?;
        Ok(SortKey {
            expr,
            descending: self.flag()?,
            nulls_first: self.flag()?,
        })
    }

    fn cell(&mut self) -> Read<Cell> {
        Ok(Cell {
            witness: self.u32()?,
            check: self.check()?,
        })
    }

    fn report(&mut self) -> Read<Report> {
        Ok(Report {
            witness: self.u32()?,
            number: self.u32()?,
            by_subject: self.flag()?,
            noised: self.list(Self::noised)?,
        })
    }

    fn noised(&mut self) -> Read<Noised> {
        Ok(Noised {
            column: self.u32()?,
            statistic: match self.tag()? {
                1 => Statistic::Count,
                2 => Statistic::Sum,
                3 => Statistic::Mean,
                _ => return Err(Undecodable("an unknown statistic")),
            },
        })
    }

    fn dominance(&mut self) -> Read<Dominance> {
        let [share_percent, rest_percent] = self.bytes()?;
        if share_percent > 100 || rest_percent > 100 {
            return Err(Undecodable("a share past all"));
        }
        Ok(Dominance {
            share_percent,
            rest_percent,
        })
    }

    fn check(&mut self) -> Read<Check> {
        Ok(Check {
            k: self.u32()?,
            dominance: self.option(Self::dominance)?,
            once: self.flag()?,
            spread: self.flag()?,
            freedom: self.u32()?,
        })
    }
}

fn decimal(precision: u8, scale: u8) -> Read<()> {
    if (1..=38).contains(&precision) && scale <= precision {
        Ok(())
    } else {
        Err(Undecodable("a decimal that is none"))
    }
}

#[cfg(test)]
mod tests;
