//! Plans of every shape the language has, typed or not, a few levels deep.

use crate::*;
use proptest::{collection::vec, option::of, prelude::*, sample::select, strategy::Union};
use terms::{DatasetName, IdentifierDomain, ItemName, Mask, Type};

/// What may stand below the next level.
struct Level {
    accept: Accept,
    expr: BoxedStrategy<Expr>,
    node: BoxedStrategy<Node>,
}

pub(super) fn plan(accept: Accept) -> impl Strategy<Value = Plan> {
    let checks = match accept {
        Accept::Draft => 0..=0,
        Accept::Confined => 0..=2,
    };
    (
        Level::of(accept, 3).node,
        vec(any::<String>(), 0..4),
        vec(check(), checks),
    )
        .prop_map(|(root, names, checks)| Plan {
            root,
            names,
            checks,
        })
}

pub(super) fn row_policy() -> impl Strategy<Value = RowPolicy> {
    Level::of(Accept::Confined, 2).row_policy()
}

impl Level {
    fn of(accept: Accept, height: usize) -> Self {
        let mut level = Self::lowest(accept);
        for _ in 0..height {
            level = level.above();
        }
        level
    }

    fn lowest(accept: Accept) -> Self {
        let mut leaves = vec![
            any::<u32>().prop_map(Expr::Column).boxed(),
            literal(accept).prop_map(Expr::Literal).boxed(),
        ];
        if accept == Accept::Draft {
            let parameter = (any::<u32>(), data_type(accept));
            leaves.push(
                parameter
                    .prop_map(|(index, data_type)| Expr::Parameter(index, data_type))
                    .boxed(),
            );
        }
        Self {
            accept,
            expr: Union::new(leaves).boxed(),
            node: values(accept).boxed(),
        }
    }

    /// A level higher: everything that can stand on this one, and this one itself.
    fn above(&self) -> Self {
        Self {
            accept: self.accept,
            expr: prop_oneof![1 => self.expr.clone(), 3 => self.exprs_above()].boxed(),
            node: prop_oneof![1 => self.node.clone(), 6 => self.nodes_above()].boxed(),
        }
    }

    fn exprs_above(&self) -> BoxedStrategy<Expr> {
        let expr = || self.expr.clone();
        let boxed = || self.expr.clone().prop_map(Box::new);
        let draft = self.accept == Accept::Draft;
        let functions: Vec<Function> = Function::ALL
            .iter()
            .copied()
            .filter(|function| !(draft && function.is_confined()))
            .collect();
        prop_oneof![
            (select(functions), vec(expr(), 0..4))
                .prop_map(|(function, arguments)| Expr::Call(function, arguments)),
            (boxed(), data_type(self.accept), any::<bool>())
                .prop_map(|(value, to, lenient)| Expr::Cast { value, to, lenient }),
            (vec((expr(), expr()), 0..3), of(boxed())).prop_map(|(branches, otherwise)| {
                Expr::Case {
                    branches,
                    otherwise,
                }
            }),
            (boxed(), vec(expr(), 0..4), any::<bool>()).prop_map(|(value, list, negated)| {
                Expr::InList {
                    value,
                    list,
                    negated,
                }
            }),
            self.below().prop_map(Expr::Scalar),
        ]
        .boxed()
    }

    fn nodes_above(&self) -> BoxedStrategy<Node> {
        let expr = || self.expr.clone();
        let mut nodes = vec![
            self.scan().prop_map(Node::Scan).boxed(),
            values(self.accept).boxed(),
            (self.below(), vec(expr(), 0..4))
                .prop_map(|(input, exprs)| Node::Project { input, exprs })
                .boxed(),
            (self.below(), expr())
                .prop_map(|(input, predicate)| Node::Filter { input, predicate })
                .boxed(),
            self.join().boxed(),
            (self.below(), vec(expr(), 0..3), vec(self.aggregate(), 0..3))
                .prop_map(|(input, keys, aggregates)| Node::Aggregate {
                    input,
                    keys,
                    aggregates,
                })
                .boxed(),
            (self.below(), vec(self.window(), 0..3))
                .prop_map(|(input, calls)| Node::Window { input, calls })
                .boxed(),
            (self.below(), vec(self.sort_key(), 0..3), of(any::<u64>()))
                .prop_map(|(input, keys, fetch)| Node::Sort { input, keys, fetch })
                .boxed(),
            (self.below(), any::<u64>(), of(any::<u64>()))
                .prop_map(|(input, skip, fetch)| Node::Limit { input, skip, fetch })
                .boxed(),
            self.below()
                .prop_map(|input| Node::Distinct { input })
                .boxed(),
            vec(self.node.clone(), 0..4)
                .prop_map(|inputs| Node::Union { inputs })
                .boxed(),
        ];
        if self.accept == Accept::Confined {
            nodes.push(
                (self.below(), vec(cell(), 0..3), vec(report(), 0..3))
                    .prop_map(|(input, cells, reports)| Node::Withhold {
                        input,
                        cells,
                        reports,
                    })
                    .boxed(),
            );
        }
        Union::new(nodes).boxed()
    }

    fn below(&self) -> impl Strategy<Value = Box<Node>> + use<> {
        self.node.clone().prop_map(Box::new)
    }

    fn join(&self) -> impl Strategy<Value = Node> + use<> {
        let kinds = [
            JoinKind::Inner,
            JoinKind::Left,
            JoinKind::Right,
            JoinKind::Full,
            JoinKind::Semi,
            JoinKind::Anti,
            JoinKind::Mark,
        ];
        (
            select(kinds.to_vec()),
            (self.below(), self.below()),
            vec((self.expr.clone(), self.expr.clone()), 0..3),
            of(self.expr.clone()),
            any::<bool>(),
        )
            .prop_map(|(kind, (left, right), on, filter, null_equal)| Node::Join {
                kind,
                left,
                right,
                on,
                filter,
                null_equal,
            })
    }

    fn scan(&self) -> impl Strategy<Value = Scan> + use<> {
        let column = (item(), data_type(self.accept), view(self.accept));
        let column = column.prop_map(|(item, data_type, view)| ScanColumn {
            item,
            data_type,
            view,
        });
        let rows = match self.accept {
            Accept::Draft => Just(None).boxed(),
            Accept::Confined => of(self.row_policy()).boxed(),
        };
        (dataset(), vec(column, 0..4), rows).prop_map(|(dataset, columns, rows)| Scan {
            dataset,
            columns,
            rows,
        })
    }

    fn row_policy(&self) -> impl Strategy<Value = RowPolicy> + use<> {
        let items = vec((item(), data_type(self.accept)), 0..3);
        (items, self.expr.clone()).prop_map(|(items, predicate)| RowPolicy { items, predicate })
    }

    fn aggregate(&self) -> impl Strategy<Value = AggregateCall> + use<> {
        (
            aggregate_function(self.accept),
            vec(self.expr.clone(), 0..4),
            any::<bool>(),
            of(self.expr.clone()),
        )
            .prop_map(|(function, arguments, distinct, filter)| AggregateCall {
                function,
                arguments,
                distinct,
                filter,
            })
    }

    fn window(&self) -> impl Strategy<Value = WindowCall> + use<> {
        let function = prop_oneof![
            Just(WindowFunction::RowNumber),
            Just(WindowFunction::Rank),
            Just(WindowFunction::DenseRank),
            Just(WindowFunction::Lag),
            Just(WindowFunction::Lead),
            Just(WindowFunction::FirstValue),
            Just(WindowFunction::LastValue),
            aggregate_function(self.accept).prop_map(WindowFunction::Aggregate),
        ];
        let frame = (any::<bool>(), frame_bound(), frame_bound());
        (
            function,
            vec(self.expr.clone(), 0..3),
            vec(self.expr.clone(), 0..3),
            vec(self.sort_key(), 0..3),
            frame.prop_map(|(rows, start, end)| Frame { rows, start, end }),
        )
            .prop_map(
                |(function, arguments, partition, order, frame)| WindowCall {
                    function,
                    arguments,
                    partition,
                    order,
                    frame,
                },
            )
    }

    fn sort_key(&self) -> impl Strategy<Value = SortKey> + use<> {
        (self.expr.clone(), any::<bool>(), any::<bool>()).prop_map(
            |(expr, descending, nulls_first)| SortKey {
                expr,
                descending,
                nulls_first,
            },
        )
    }
}

fn values(accept: Accept) -> impl Strategy<Value = Node> {
    let rows = vec(vec(literal(accept), 0..3), 0..3);
    (vec(data_type(accept), 0..3), rows).prop_map(|(types, rows)| Node::Values { types, rows })
}

fn data_type(accept: Accept) -> BoxedStrategy<Type> {
    let mut types = vec![
        Type::Bool,
        Type::Int,
        Type::Float,
        Type::Text,
        Type::Date,
        Type::Timestamp,
        Type::Interval,
    ];
    if accept == Accept::Confined {
        types.push(Type::Witness);
    }
    let decimal = digits().prop_map(|(precision, scale)| Type::Decimal { precision, scale });
    prop_oneof![4 => select(types), 1 => decimal].boxed()
}

fn digits() -> impl Strategy<Value = (u8, u8)> {
    (1..=38_u8).prop_flat_map(|precision| (Just(precision), 0..=precision))
}

fn literal(accept: Accept) -> impl Strategy<Value = Literal> {
    prop_oneof![
        data_type(accept).prop_map(Literal::Null),
        any::<bool>().prop_map(Literal::Bool),
        any::<i64>().prop_map(Literal::Int),
        any::<u64>().prop_map(Literal::Float),
        (any::<i128>(), digits()).prop_map(|(unscaled, (precision, scale))| Literal::Decimal {
            unscaled,
            precision,
            scale,
        }),
        any::<String>().prop_map(Literal::Text),
        any::<i32>().prop_map(Literal::Date),
        any::<i64>().prop_map(Literal::Timestamp),
        any::<(i32, i32, i64)>().prop_map(|(months, days, nanoseconds)| Literal::Interval {
            months,
            days,
            nanoseconds,
        }),
    ]
}

fn item() -> impl Strategy<Value = ItemName> {
    "[a-z数据][a-z0-9_-]{0,6}".prop_map(|name| name.parse().unwrap())
}

fn dataset() -> impl Strategy<Value = DatasetName> {
    "[a-z]{1,6}\\.[a-z人口]{1,6}".prop_map(|name| name.parse().unwrap())
}

fn domain() -> impl Strategy<Value = IdentifierDomain> {
    "[a-z]{1,6}".prop_map(|name| name.parse().unwrap())
}

fn view(accept: Accept) -> BoxedStrategy<View> {
    match accept {
        Accept::Draft => Just(View::Catalogue).boxed(),
        Accept::Confined => prop_oneof![
            3 => (mask(), of(domain())).prop_map(|(mask, domain)| View::masked(mask, domain)),
            1 => Just(View::Raw),
            1 => Just(View::Row),
            1 => Just(View::Subject),
        ]
        .boxed(),
    }
}

fn mask() -> impl Strategy<Value = Mask> {
    let width = any::<f64>().prop_map(f64::abs);
    let width = width.prop_filter("a band has a width", |w| w.is_finite() && *w > 0.0);
    prop_oneof![
        Just(Mask::Plain),
        Just(Mask::Suppress),
        Just(Mask::Redact),
        any::<(u8, u8)>().prop_map(|(head, tail)| Mask::Partial { head, tail }),
        any::<u8>().prop_map(Mask::Prefix),
        Just(Mask::Token),
        width.prop_map(Mask::Band),
        Just(Mask::Year),
        Just(Mask::Month),
    ]
}

fn aggregate_function(accept: Accept) -> impl Strategy<Value = AggregateFunction> {
    let functions: Vec<AggregateFunction> = AggregateFunction::ALL
        .iter()
        .copied()
        .filter(|function| accept == Accept::Confined || !function.is_confined())
        .collect();
    select(functions)
}

fn frame_bound() -> impl Strategy<Value = FrameBound> {
    prop_oneof![
        Just(FrameBound::UnboundedPreceding),
        any::<u64>().prop_map(FrameBound::Preceding),
        Just(FrameBound::CurrentRow),
        any::<u64>().prop_map(FrameBound::Following),
        Just(FrameBound::UnboundedFollowing),
    ]
}

fn check() -> impl Strategy<Value = Check> {
    let dominance = (0..=100_u8, 0..=100_u8).prop_map(|(share_percent, rest_percent)| Dominance {
        share_percent,
        rest_percent,
    });
    (
        any::<u32>(),
        of(dominance),
        any::<bool>(),
        any::<bool>(),
        any::<u32>(),
    )
        .prop_map(|(k, dominance, once, spread, freedom)| Check {
            k,
            dominance,
            once,
            spread,
            freedom,
        })
}

fn cell() -> impl Strategy<Value = Cell> {
    (any::<u32>(), check()).prop_map(|(witness, check)| Cell { witness, check })
}

fn report() -> impl Strategy<Value = Report> {
    let statistic = prop_oneof![
        Just(Statistic::Count),
        Just(Statistic::Sum),
        Just(Statistic::Mean)
    ];
    let noised =
        (any::<u32>(), statistic).prop_map(|(column, statistic)| Noised { column, statistic });
    (any::<(u32, u32, bool)>(), vec(noised, 0..3)).prop_map(
        |((witness, number, by_subject), noised)| Report {
            witness,
            number,
            by_subject,
            noised,
        },
    )
}
