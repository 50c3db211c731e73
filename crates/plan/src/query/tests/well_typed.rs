//! Plans made together with the types they must have, by rules written apart from those under test.

use crate::*;
use terms::{Mask, Type};

/// A plan and what must be derived of it.
pub(super) struct Typed {
    pub(super) plan: Plan,
    pub(super) fields: Vec<Field>,
    pub(super) parameters: Vec<Type>,
}

/// Makes a plan of a list of choices.
pub(super) struct Writer<'a> {
    choices: std::slice::Iter<'a, u16>,
    accept: Accept,
    parameters: Vec<Type>,
}

/// An expression and whether it may have no value.
type Made = (Expr, bool);

const MONEY: Type = Type::Decimal {
    precision: 12,
    scale: 2,
};
const PLAIN: [Type; 7] = [
    Type::Int,
    Type::Bool,
    Type::Float,
    MONEY,
    Type::Text,
    Type::Date,
    Type::Timestamp,
];

/// Functions and what they take, by what they give; none of them makes a null or hides one.
const LOGIC: &[(Function, &[Type])] = &[
    (Function::And, &[Type::Bool; 2]),
    (Function::Or, &[Type::Bool; 2]),
    (Function::Not, &[Type::Bool]),
];
const WHOLE: &[(Function, &[Type])] = &[
    (Function::Add, &[Type::Int, Type::Int]),
    (Function::Subtract, &[Type::Int, Type::Int]),
    (Function::Multiply, &[Type::Int, Type::Int]),
    (Function::Divide, &[Type::Int, Type::Int]),
    (Function::Modulo, &[Type::Int, Type::Int]),
    (Function::Negate, &[Type::Int]),
    (Function::Abs, &[Type::Int]),
    (Function::Length, &[Type::Text]),
    (Function::Position, &[Type::Text, Type::Text]),
];
const FLOAT: &[(Function, &[Type])] = &[
    (Function::Add, &[Type::Float, Type::Float]),
    (Function::Subtract, &[Type::Float, Type::Float]),
    (Function::Multiply, &[Type::Float, Type::Float]),
    (Function::Divide, &[Type::Float, Type::Float]),
    (Function::Modulo, &[Type::Float, Type::Float]),
    (Function::Power, &[Type::Float, Type::Float]),
    (Function::Negate, &[Type::Float]),
    (Function::Abs, &[Type::Float]),
    (Function::Round, &[Type::Float]),
    (Function::Round, &[Type::Float, Type::Int]),
    (Function::Ceil, &[Type::Float]),
    (Function::Floor, &[Type::Float]),
    (Function::Sqrt, &[Type::Float]),
    (Function::Ln, &[Type::Float]),
    (Function::Log10, &[Type::Float]),
    (Function::Exp, &[Type::Float]),
    (Function::Signum, &[Type::Float]),
];
const TEXT: &[(Function, &[Type])] = &[
    (Function::Concat, &[Type::Text, Type::Text, Type::Text]),
    (Function::Lower, &[Type::Text]),
    (Function::Upper, &[Type::Text]),
    (Function::Trim, &[Type::Text]),
    (Function::TrimLeft, &[Type::Text]),
    (Function::TrimRight, &[Type::Text]),
    (Function::Reverse, &[Type::Text]),
    (Function::Substring, &[Type::Text, Type::Int]),
    (Function::Substring, &[Type::Text, Type::Int, Type::Int]),
    (Function::Left, &[Type::Text, Type::Int]),
    (Function::Right, &[Type::Text, Type::Int]),
];

fn field(data_type: Type, nullable: bool) -> Field {
    Field {
        data_type,
        nullable,
    }
}

fn text(text: &str) -> Expr {
    Expr::Literal(Literal::Text(text.to_owned()))
}

impl<'a> Writer<'a> {
    pub(super) fn new(choices: &'a [u16], accept: Accept) -> Self {
        Self {
            choices: choices.iter(),
            accept,
            parameters: vec![],
        }
    }

    pub(super) fn plan(mut self) -> Typed {
        let (root, fields) = self.node(4);
        let confined = self.accept == Accept::Confined;
        let checked = if confined { fields.len() / 2 } else { 0 };
        let k = u32::from(self.next());
        Typed {
            plan: Plan {
                root,
                names: vec!["名".to_owned(); fields.len() - checked],
                checks: vec![Check::of(k); checked],
            },
            fields,
            parameters: self.parameters,
        }
    }

    fn next(&mut self) -> u16 {
        self.choices.next().copied().unwrap_or(0)
    }

    fn flag(&mut self) -> bool {
        self.next() % 2 == 1
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.next()) % of.len()]
    }

    fn some<T>(&mut self, most: u16, mut each: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.next() % (most + 1)).map(|_| each(self)).collect()
    }

    // === nodes ===

    fn node(&mut self, height: u8) -> (Node, Vec<Field>) {
        if height == 0 {
            return self.values();
        }
        let below = height - 1;
        match self.next() % 12 {
            0 => self.values(),
            1 => self.scan(),
            2 => {
                let (input, fields) = self.input(below);
                let (exprs, fields) = self.some(4, |w| w.any(&fields, 2)).into_iter().unzip();
                (Node::Project { input, exprs }, fields)
            }
            3 => {
                let (input, fields) = self.input(below);
                let (predicate, _) = self.expr(&fields, Type::Bool, 2);
                (Node::Filter { input, predicate }, fields)
            }
            4 => self.join(below),
            5 => self.aggregate(below),
            6 => self.window(below),
            7 => {
                let (input, fields) = self.input(below);
                let keys = self.some(2, |w| w.sort_key(&fields));
                let fetch = self.flag().then(|| u64::from(self.next()));
                (Node::Sort { input, keys, fetch }, fields)
            }
            8 => {
                let (input, fields) = self.input(below);
                let skip = u64::from(self.next());
                let fetch = self.flag().then(|| u64::from(self.next()));
                (Node::Limit { input, skip, fetch }, fields)
            }
            9 => {
                let (input, fields) = self.without_witnesses(below);
                (Node::Distinct { input }, fields)
            }
            10 => self.union(below),
            _ if self.accept == Accept::Confined => self.withhold(below),
            _ => self.scan(),
        }
    }

    fn input(&mut self, height: u8) -> (Box<Node>, Vec<Field>) {
        let (node, fields) = self.node(height);
        (Box::new(node), fields)
    }

    fn without_witnesses(&mut self, height: u8) -> (Box<Node>, Vec<Field>) {
        let (input, fields) = self.input(height);
        let plain = |field: &Field| field.data_type != Type::Witness;
        let kept: Vec<u32> = (0..)
            .zip(&fields)
            .filter(|(_, f)| plain(f))
            .map(|(at, _)| at)
            .collect();
        let exprs = kept.into_iter().map(Expr::Column).collect();
        let fields = fields.into_iter().filter(plain).collect();
        (Box::new(Node::Project { input, exprs }), fields)
    }

    fn values(&mut self) -> (Node, Vec<Field>) {
        let types = self.some(3, |w| w.one_of(&PLAIN));
        let rows = self.some(3, |w| types.iter().map(|t| w.literal(*t).0).collect());
        let fields = types.iter().map(|t| field(*t, true)).collect();
        (Node::Values { types, rows }, fields)
    }

    fn scan(&mut self) -> (Node, Vec<Field>) {
        let columns = self.some(4, |w| w.scan_column());
        let fields = columns.iter().map(|c| field(c.data_type, true)).collect();
        let confined = self.accept == Accept::Confined;
        let rows = (confined && self.flag()).then(|| {
            let types = self.some(2, |w| w.one_of(&PLAIN));
            let raw: Vec<Field> = types.iter().map(|t| field(*t, true)).collect();
            RowPolicy {
                items: types
                    .into_iter()
                    .map(|t| ("raw".parse().unwrap(), t))
                    .collect(),
                predicate: self.expr(&raw, Type::Bool, 2).0,
            }
        });
        let dataset = "city.人口".parse().unwrap();
        (
            Node::Scan(Scan {
                dataset,
                columns,
                rows,
            }),
            fields,
        )
    }

    fn scan_column(&mut self) -> ScanColumn {
        let item = "item".parse().unwrap();
        let any = self.one_of(&PLAIN);
        let (view, data_type) = if self.accept == Accept::Draft {
            (View::Catalogue, any)
        } else {
            match self.next() % 9 {
                0 => (View::Raw, any),
                1 => (View::Row, Type::Int),
                2 => (View::Subject, Type::Int),
                3 => (View::masked(Mask::Plain, None), any),
                4 => (View::masked(Mask::Redact, None), Type::Text),
                5 => (View::masked(Mask::Prefix(3), None), Type::Text),
                6 => {
                    let domain = "person".parse().unwrap();
                    (View::masked(Mask::Token, Some(domain)), Type::Text)
                }
                7 => {
                    let number = self.one_of(&[Type::Int, Type::Float, MONEY]);
                    (View::masked(Mask::Band(2.5), None), number)
                }
                _ => (View::masked(Mask::Year, None), self.moment()),
            }
        };
        ScanColumn {
            item,
            data_type,
            view,
        }
    }

    fn join(&mut self, below: u8) -> (Node, Vec<Field>) {
        let (left, ours) = self.input(below);
        let (right, theirs) = self.input(below);
        let on = self.some(2, |w| {
            let data_type = w.one_of(&PLAIN);
            let left = w.expr(&ours, data_type, 1).0;
            (left, w.expr(&theirs, data_type, 1).0)
        });
        let both = [ours.clone(), theirs.clone()].concat();
        let filter = self.flag().then(|| self.expr(&both, Type::Bool, 1).0);
        let (kind, loose_left, loose_right) = self.one_of(&[
            (JoinKind::Inner, false, false),
            (JoinKind::Left, false, true),
            (JoinKind::Right, true, false),
            (JoinKind::Full, true, true),
            (JoinKind::Semi, false, false),
            (JoinKind::Anti, false, false),
            (JoinKind::Mark, false, false),
        ]);
        let mut fields: Vec<Field> = ours
            .iter()
            .map(|f| field(f.data_type, f.nullable || loose_left))
            .collect();
        match kind {
            JoinKind::Inner | JoinKind::Left | JoinKind::Right | JoinKind::Full => {
                let right = theirs.iter();
                fields.extend(right.map(|f| field(f.data_type, f.nullable || loose_right)));
            }
            JoinKind::Semi | JoinKind::Anti => {}
            JoinKind::Mark => fields.push(field(Type::Bool, true)),
        }
        let null_equal = self.flag();
        let node = Node::Join {
            kind,
            left,
            right,
            on,
            filter,
            null_equal,
        };
        (node, fields)
    }

    fn aggregate(&mut self, below: u8) -> (Node, Vec<Field>) {
        let (input, columns) = self.input(below);
        let keys = self.some(2, |w| w.any(&columns, 1));
        let calls = self.some(3, |w| {
            let (function, arguments, field) = w.aggregate_call(&columns);
            let once = arguments.len() == 1 && !function.is_confined();
            let call = AggregateCall {
                function,
                arguments,
                distinct: w.flag() && once,
                filter: w.flag().then(|| w.expr(&columns, Type::Bool, 1).0),
            };
            (call, field)
        });
        let (keys, mut fields): (_, Vec<Field>) = keys.into_iter().unzip();
        let (aggregates, found): (_, Vec<Field>) = calls.into_iter().unzip();
        fields.extend(found);
        let node = Node::Aggregate {
            input,
            keys,
            aggregates,
        };
        (node, fields)
    }

    /// Groups with one witness at least.
    fn witnessed(&mut self, below: u8) -> (Box<Node>, Vec<Field>) {
        let (input, columns) = self.input(below);
        let takes = [Type::Int, Type::Int, Type::Float];
        let witness = AggregateCall {
            function: AggregateFunction::Witness,
            arguments: takes.map(|t| self.expr(&columns, t, 1).0).to_vec(),
            distinct: false,
            filter: None,
        };
        let (keys, mut fields): (_, Vec<Field>) =
            self.some(2, |w| w.any(&columns, 1)).into_iter().unzip();
        fields.push(field(Type::Witness, false));
        let node = Node::Aggregate {
            input,
            keys,
            aggregates: vec![witness],
        };
        (Box::new(node), fields)
    }

    /// A function, its arguments and its field.
    fn aggregate_call(&mut self, columns: &[Field]) -> (AggregateFunction, Vec<Expr>, Field) {
        let draft = self.accept == Accept::Draft;
        let float = field(Type::Float, true);
        let function = self.one_of(AggregateFunction::ALL);
        if draft && function.is_confined() {
            return (AggregateFunction::Count, vec![], field(Type::Int, false));
        }
        let plain = self.one_of(&PLAIN);
        let (takes, gives): (Vec<Type>, Field) = match function {
            AggregateFunction::Count => (vec![plain], field(Type::Int, false)),
            AggregateFunction::Sum => {
                let wide = Type::Decimal {
                    precision: 22,
                    scale: 2,
                };
                let (takes, gives) = self.one_of(&[
                    (Type::Int, Type::Int),
                    (Type::Float, Type::Float),
                    (MONEY, wide),
                ]);
                (vec![takes], field(gives, true))
            }
            AggregateFunction::Avg => {
                let wide = Type::Decimal {
                    precision: 16,
                    scale: 6,
                };
                let (takes, gives) = self.one_of(&[(Type::Float, Type::Float), (MONEY, wide)]);
                (vec![takes], field(gives, true))
            }
            AggregateFunction::StddevSample
            | AggregateFunction::StddevPopulation
            | AggregateFunction::VarianceSample
            | AggregateFunction::VariancePopulation
            | AggregateFunction::Median => (vec![Type::Float], float),
            AggregateFunction::Min | AggregateFunction::Max => (vec![plain], field(plain, true)),
            AggregateFunction::Percentile => (vec![Type::Float, Type::Float], float),
            AggregateFunction::Witness => (
                vec![Type::Int, Type::Int, Type::Float],
                field(Type::Witness, false),
            ),
            AggregateFunction::WitnessUnion => (vec![Type::Witness], field(Type::Witness, false)),
            AggregateFunction::SafeQuantile => (
                vec![Type::Float, Type::Int, Type::Float, Type::Int, Type::Float],
                float,
            ),
            AggregateFunction::SafeMin | AggregateFunction::SafeMax => {
                (vec![Type::Float, Type::Int, Type::Int, Type::Float], float)
            }
            AggregateFunction::SharedMin | AggregateFunction::SharedMax => (
                vec![Type::Text, Type::Int, Type::Int],
                field(Type::Text, true),
            ),
        };
        let arguments = takes.iter().map(|t| self.expr(columns, *t, 1).0).collect();
        (function, arguments, gives)
    }

    fn window(&mut self, below: u8) -> (Node, Vec<Field>) {
        let (input, columns) = self.input(below);
        let calls = self.some(2, |w| w.window_call(&columns));
        let (calls, found): (_, Vec<Field>) = calls.into_iter().unzip();
        (Node::Window { input, calls }, [columns, found].concat())
    }

    fn window_call(&mut self, columns: &[Field]) -> (WindowCall, Field) {
        let plain = self.one_of(&PLAIN);
        let whole = field(Type::Int, false);
        let (function, arguments, gives) = match self.next() % 8 {
            0 => (WindowFunction::RowNumber, vec![], whole),
            1 => (WindowFunction::Rank, vec![], whole),
            2 => (WindowFunction::DenseRank, vec![], whole),
            3 => {
                let value = self.expr(columns, plain, 1).0;
                (WindowFunction::FirstValue, vec![value], field(plain, true))
            }
            4 => {
                let value = self.expr(columns, plain, 1).0;
                (WindowFunction::LastValue, vec![value], field(plain, true))
            }
            5 => {
                let mut arguments = vec![self.expr(columns, plain, 1).0];
                let rest = [Literal::Int(1), self.literal(plain).0].map(Expr::Literal);
                let count = usize::from(self.next() % 3);
                arguments.extend(rest.into_iter().take(count));
                let function = self.one_of(&[WindowFunction::Lag, WindowFunction::Lead]);
                (function, arguments, field(plain, true))
            }
            _ => match self.aggregate_call(columns) {
                (function, ..) if function.is_confined() => {
                    (WindowFunction::RowNumber, vec![], whole)
                }
                (function, arguments, gives) => {
                    (WindowFunction::Aggregate(function), arguments, gives)
                }
            },
        };
        let rows = self.flag();
        let near = FrameBound::Preceding(u64::from(self.next()));
        let call = WindowCall {
            function,
            arguments,
            partition: self.some(2, |w| w.any(columns, 1).0),
            order: self.some(2, |w| w.sort_key(columns)),
            frame: Frame {
                rows,
                start: if rows {
                    near
                } else {
                    FrameBound::UnboundedPreceding
                },
                end: self.one_of(&[FrameBound::CurrentRow, FrameBound::UnboundedFollowing]),
            },
        };
        (call, gives)
    }

    fn sort_key(&mut self, columns: &[Field]) -> SortKey {
        SortKey {
            expr: self.any(columns, 1).0,
            descending: self.flag(),
            nulls_first: self.flag(),
        }
    }

    /// Inputs brought to the first one's types by projects.
    fn union(&mut self, below: u8) -> (Node, Vec<Field>) {
        let (first, mut fields) = self.node(below);
        let mut inputs = vec![first];
        for _ in 0..self.next() % 3 {
            let (input, theirs) = self.input(below);
            let mut exprs = vec![];
            for field in &mut fields {
                let (expr, nullable) = self.expr(&theirs, field.data_type, 1);
                field.nullable |= nullable;
                exprs.push(expr);
            }
            inputs.push(Node::Project { input, exprs });
        }
        (Node::Union { inputs }, fields)
    }

    fn withhold(&mut self, below: u8) -> (Node, Vec<Field>) {
        let (input, fields) = self.witnessed(below);
        let (mut cells, mut reports) = (vec![], vec![]);
        for (witness, field) in (0..).zip(&fields) {
            let check = Check::of(1 + u32::from(self.next()));
            if field.data_type == Type::Int {
                cells.push(Cell { witness, check });
            } else if field.data_type == Type::Witness {
                let (once, spread) = (self.flag(), self.flag());
                let check = Check {
                    once,
                    spread,
                    ..check
                };
                cells.push(Cell { witness, check });
                reports.push(Report {
                    witness,
                    number: u32::from(self.next()),
                    by_subject: once,
                    noised: vec![],
                });
            }
        }
        let node = Node::Withhold {
            input,
            cells,
            reports,
        };
        (node, fields)
    }

    // === expressions ===

    fn any(&mut self, columns: &[Field], height: u8) -> (Expr, Field) {
        let data_type = self.one_of(&PLAIN);
        let (expr, nullable) = self.expr(columns, data_type, height);
        (expr, field(data_type, nullable))
    }

    fn expr(&mut self, columns: &[Field], wanted: Type, height: u8) -> Made {
        if height == 0 || !wanted.is_plain() || self.next().is_multiple_of(3) {
            return self.leaf(columns, wanted);
        }
        let below = height - 1;
        if self.flag() {
            return self.general(columns, wanted, below);
        }
        match wanted {
            Type::Bool => self.condition(columns, below),
            Type::Int => self.whole(columns, below),
            Type::Float => self.float(columns, below),
            Type::Decimal { .. } => {
                let function = self.one_of(&[Function::Negate, Function::Abs]);
                self.call(function, columns, &[wanted], below)
            }
            Type::Text => self.word(columns, below),
            Type::Date => {
                let function = self.one_of(&[Function::Add, Function::Subtract]);
                self.call(function, columns, &[Type::Date, Type::Interval], below)
            }
            Type::Timestamp => {
                let (moment, nullable) = {
                    let moment = self.moment();
                    self.expr(columns, moment, below)
                };
                let part = text(self.one_of(&["year", "week", "second"]));
                (Expr::call(Function::DateTrunc, [part, moment]), nullable)
            }
            Type::Interval | Type::Witness => self.leaf(columns, wanted),
        }
    }

    fn leaf(&mut self, columns: &[Field], wanted: Type) -> Made {
        let fitting: Vec<(u32, bool)> = (0..)
            .zip(columns)
            .filter(|(_, field)| field.data_type == wanted)
            .map(|(ordinal, field)| (ordinal, field.nullable))
            .collect();
        if !fitting.is_empty() && !self.next().is_multiple_of(4) {
            let (ordinal, nullable) = self.one_of(&fitting);
            return (Expr::Column(ordinal), nullable);
        }
        if self.accept == Accept::Draft && wanted.is_plain() && self.flag() {
            let index = u32::try_from(self.parameters.len()).unwrap();
            self.parameters.push(wanted);
            return (Expr::Parameter(index, wanted), true);
        }
        let (literal, nullable) = self.literal(wanted);
        (Expr::Literal(literal), nullable)
    }

    fn literal(&mut self, wanted: Type) -> (Literal, bool) {
        let number = self.next();
        let value = match wanted {
            _ if number.is_multiple_of(5) => Literal::Null(wanted),
            Type::Bool => Literal::Bool(number.is_multiple_of(2)),
            Type::Int => Literal::Int(i64::from(number)),
            Type::Float => Literal::Float(f64::from(number).to_bits()),
            Type::Decimal { precision, scale } => Literal::Decimal {
                unscaled: -i128::from(number),
                precision,
                scale,
            },
            Type::Text => Literal::Text(number.to_string()),
            Type::Date => Literal::Date(i32::from(number)),
            Type::Timestamp => Literal::Timestamp(-i64::from(number)),
            Type::Interval => Literal::Interval {
                months: 1,
                days: i32::from(number),
                nanoseconds: -1,
            },
            Type::Witness => Literal::Null(wanted),
        };
        let nullable = matches!(value, Literal::Null(_));
        (value, nullable)
    }

    fn moment(&mut self) -> Type {
        self.one_of(&[Type::Date, Type::Timestamp])
    }

    /// A call that has no value where any of its arguments has none.
    fn call(&mut self, function: Function, columns: &[Field], takes: &[Type], height: u8) -> Made {
        let made: Vec<Made> = takes
            .iter()
            .map(|t| self.expr(columns, *t, height))
            .collect();
        let nullable = made.iter().any(|(_, nullable)| *nullable);
        let arguments: Vec<Expr> = made.into_iter().map(|(expr, _)| expr).collect();
        (Expr::call(function, arguments), nullable)
    }

    /// What can be of any plain type.
    fn general(&mut self, columns: &[Field], wanted: Type, below: u8) -> Made {
        match self.next() % 5 {
            0 => {
                let function =
                    self.one_of(&[Function::Coalesce, Function::Greatest, Function::Least]);
                let first = self.expr(columns, wanted, below);
                let second = self.expr(columns, wanted, below);
                (
                    Expr::call(function, [first.0, second.0]),
                    first.1 && second.1,
                )
            }
            1 => {
                let (call, _) = self.call(Function::NullIf, columns, &[wanted, wanted], below);
                (call, true)
            }
            2 => {
                let branches: Vec<(Expr, Made)> = (0..=self.next() % 2)
                    .map(|_| {
                        let when = self.expr(columns, Type::Bool, below).0;
                        (when, self.expr(columns, wanted, below))
                    })
                    .collect();
                let otherwise = self.flag().then(|| self.expr(columns, wanted, below));
                let nullable = branches.iter().any(|(_, (_, nullable))| *nullable)
                    || otherwise.as_ref().is_none_or(|(_, nullable)| *nullable);
                let case = Expr::Case {
                    branches: branches.into_iter().map(|(w, (t, _))| (w, t)).collect(),
                    otherwise: otherwise.map(|(expr, _)| Box::new(expr)),
                };
                (case, nullable)
            }
            3 => {
                let from = self.one_of(&[Type::Text, wanted]);
                let (value, nullable) = self.expr(columns, from, below);
                let lenient = self.flag();
                let cast = Expr::Cast {
                    value: Box::new(value),
                    to: wanted,
                    lenient,
                };
                (cast, nullable || lenient)
            }
            _ => {
                let (input, fields) = self.input(below.min(1));
                let exprs = vec![self.expr(&fields, wanted, 1).0];
                (Expr::Scalar(Box::new(Node::Project { input, exprs })), true)
            }
        }
    }

    fn condition(&mut self, columns: &[Field], below: u8) -> Made {
        let plain = self.one_of(&PLAIN);
        let pair = [plain, plain];
        match self.next() % 7 {
            0 => {
                let function = self.one_of(&[
                    Function::Equal,
                    Function::NotEqual,
                    Function::Less,
                    Function::LessEqual,
                    Function::Greater,
                    Function::GreaterEqual,
                ]);
                self.call(function, columns, &pair, below)
            }
            1 => {
                let function =
                    self.one_of(&[Function::IsDistinctFrom, Function::IsNotDistinctFrom]);
                (self.call(function, columns, &pair, below).0, false)
            }
            2 => {
                let function = self.one_of(&[Function::IsNull, Function::IsNotNull]);
                (self.call(function, columns, &[plain], below).0, false)
            }
            3 => {
                let function =
                    self.one_of(&[Function::IsTrue, Function::IsFalse, Function::IsUnknown]);
                (self.call(function, columns, &[Type::Bool], below).0, false)
            }
            4 => {
                let (function, takes) = self.one_of(LOGIC);
                self.call(function, columns, takes, below)
            }
            5 => {
                let function = self.one_of(&[
                    Function::Like,
                    Function::ILike,
                    Function::StartsWith,
                    Function::EndsWith,
                ]);
                self.call(function, columns, &[Type::Text; 2], below)
            }
            _ => {
                let (value, mut nullable) = self.expr(columns, plain, below);
                let list = self.some(3, |w| w.expr(columns, plain, below));
                nullable |= list.iter().any(|(_, nullable)| *nullable);
                let listed = Expr::InList {
                    value: Box::new(value),
                    list: list.into_iter().map(|(expr, _)| expr).collect(),
                    negated: self.flag(),
                };
                (listed, nullable)
            }
        }
    }

    fn whole(&mut self, columns: &[Field], below: u8) -> Made {
        match self.next() % 4 {
            0 if self.accept == Accept::Confined => {
                let (witness, _) = self.expr(columns, Type::Witness, 0);
                (Expr::call(Function::WitnessSubjects, [witness]), true)
            }
            1 => {
                let moment = self.moment();
                let (moment, nullable) = self.expr(columns, moment, below);
                let part = text(self.one_of(&["year", "isodow", "microsecond"]));
                (Expr::call(Function::DatePart, [part, moment]), nullable)
            }
            _ => {
                let (function, takes) = self.one_of(WHOLE);
                self.call(function, columns, takes, below)
            }
        }
    }

    fn float(&mut self, columns: &[Field], below: u8) -> Made {
        let (function, takes) = self.one_of(FLOAT);
        self.call(function, columns, takes, below)
    }

    fn word(&mut self, columns: &[Field], below: u8) -> Made {
        let (function, takes) = self.one_of(TEXT);
        self.call(function, columns, takes, below)
    }
}
