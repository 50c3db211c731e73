//! Drafts as analysts write them, over protected items above all, and now and then wrong ones.

use super::{
    super::{aggregate, as_float, call, column, draft, filter, project, text},
    random::Random,
};
use plan::{
    AggregateCall, AggregateFunction as F, Expr, Frame, FrameBound, Function, JoinKind, Literal,
    Node, Plan, Scan, ScanColumn, SortKey, View, WindowCall, WindowFunction,
};
use terms::Type;

/// What the maker knows of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Open,
    Token(&'static str),
    Own,
    /// Raw in aggregates; whether it shows beside, and whether it has order statistics.
    Measure {
        shown: bool,
        band: bool,
    },
    /// A raw value per person.
    Held,
}

#[derive(Debug, Clone, Copy)]
struct Col {
    data_type: Type,
    class: Class,
    about: &'static str,
}

type Made = (Node, Vec<Col>);

const fn col(about: &'static str, data_type: Type, class: Class) -> Col {
    Col {
        data_type,
        class,
        about,
    }
}

/// The tables' items, each with what it is.
const TABLES: [(&str, &str); 4] = [
    (
        "city.citizen",
        "pid:person name:text birth:date district:text income:raw wealth:ranked age:both",
    ),
    (
        "city.visits",
        "pid:person vid:visit hosp:text ward:int cost:float guide:person",
    ),
    ("city.stat", "district:text pop:int"),
    ("city.upload", "pid:own label:text"),
];

fn item(text: &'static str) -> Col {
    let measure = |shown, band| Class::Measure { shown, band };
    let (about, what) = text.split_once(':').unwrap();
    let (data_type, class) = match what {
        "person" | "visit" => (Type::Text, Class::Token(what)),
        "own" => (Type::Text, Class::Own),
        "date" => (Type::Date, Class::Open),
        "int" => (Type::Int, Class::Open),
        "raw" => (Type::Int, measure(false, false)),
        "ranked" => (Type::Int, measure(false, true)),
        "both" => (Type::Int, measure(true, false)),
        "float" => (Type::Float, measure(false, false)),
        _ => (Type::Text, Class::Open),
    };
    col(about, data_type, class)
}

/// Makes drafts.
#[derive(Debug)]
pub(super) struct Maker<'r> {
    random: &'r mut Random,
    /// Whether columns are now and then any at all.
    careless: bool,
}

/// A draft that has a type, and is likely to be grouped where rows are off.
pub(super) fn any(random: &mut Random, rows_off: bool) -> Plan {
    loop {
        let careless = random.percent(12);
        let depth = random.below(4);
        let mut maker = Maker { random, careless };
        let mut made = match maker.random.percent(30) {
            true => maker.held(depth + 1),
            false => maker.relation(depth),
        };
        if maker.random.percent(if rows_off { 75 } else { 35 }) {
            made = maker.grouped(made);
        }
        if maker.random.percent(25) {
            made = maker.on_top(made);
        }
        if made.0.fields().is_ok_and(|fields| fields.len() < 40) {
            return draft(made.0);
        }
    }
}

impl Maker<'_> {
    fn relation(&mut self, depth: usize) -> Made {
        if depth == 0 {
            return self.scan();
        }
        match self.random.below(20) {
            0..=4 => {
                let left = self.relation(depth - 1);
                self.joined(left, depth)
            }
            16..=19 => self.held(depth),
            5 | 6 => {
                let made = self.relation(depth - 1);
                self.filtered(made)
            }
            7 => {
                let made = self.relation(depth - 1);
                self.projected(made)
            }
            8..=10 => {
                let made = self.relation(depth - 1);
                self.grouped(made)
            }
            11 => {
                let made = self.relation(depth - 1);
                self.distinct(made)
            }
            12 => {
                let (one, other) = (self.relation(depth - 1), self.relation(depth - 1));
                self.united(one, other)
            }
            13 | 14 => {
                let made = self.relation(depth - 1);
                self.on_top(made)
            }
            _ => self.compared(depth),
        }
    }

    fn scan(&mut self) -> Made {
        let (name, items) = TABLES[self.random.pick(&[0, 0, 0, 0, 0, 1, 1, 1, 2, 3])];
        let mut cols: Vec<Col> = items.split(' ').map(item).collect();
        let first = cols[0].about;
        cols.retain(|c| c.about == first || self.random.percent(85));
        if self.careless && self.random.percent(5) {
            let about = self.random.pick(&["diag", "note", "nothing"]);
            cols.push(col(about, Type::Text, Class::Open));
        }
        let columns = cols.iter().map(|c| ScanColumn {
            item: c.about.parse().unwrap(),
            data_type: c.data_type,
            view: View::Catalogue,
        });
        let scan = Scan {
            dataset: name.parse().unwrap(),
            columns: columns.collect(),
            rows: None,
        };
        (Node::Scan(scan), cols)
    }

    /// A column that fits, or any if careless.
    fn pick(&mut self, cols: &[Col], fits: impl Fn(&Col) -> bool) -> Option<u32> {
        let wild = self.careless && self.random.percent(15);
        let fitting: Vec<u32> = (0..)
            .zip(cols)
            .filter(|(_, c)| wild || fits(c))
            .map(|(at, _)| at)
            .collect();
        (!fitting.is_empty()).then(|| self.random.pick(&fitting))
    }

    fn literal(&mut self, data_type: Type) -> Expr {
        match data_type {
            Type::Text => text(self.random.pick(&["a", "b", "c", "h", "x", "A***"])),
            Type::Int => Expr::Literal(Literal::Int(self.random.pick(&[0, 1, 2, 20, 30]))),
            Type::Float => Expr::Literal(Literal::Float(self.random.pick(&[1f64, 20.0]).to_bits())),
            Type::Date => Expr::Literal(Literal::Date(self.random.pick(&[400, 800]))),
            other => Expr::Literal(Literal::Null(other)),
        }
    }

    fn condition(&mut self, cols: &[Col]) -> Option<Expr> {
        use Function as Fn;
        let at = self.pick(cols, |c| shows(c.class) && c.data_type != Type::Bool)?;
        let data_type = cols[at as usize].data_type;
        let compare = [
            Fn::Equal,
            Fn::NotEqual,
            Fn::Less,
            Fn::GreaterEqual,
            Fn::IsDistinctFrom,
        ];
        Some(match self.random.below(8) {
            0 => Expr::call(Fn::IsNotNull, [column(at)]),
            1 => Expr::InList {
                value: Box::new(column(at)),
                list: vec![self.literal(data_type), self.literal(data_type)],
                negated: self.random.percent(30),
            },
            2 => {
                let (one, other) = (self.condition(cols)?, self.condition(cols)?);
                Expr::call(self.random.pick(&[Fn::And, Fn::Or]), [one, other])
            }
            3 => {
                let same = |c: &Col| c.data_type == data_type && shows(c.class);
                let other = self.pick(cols, same)?;
                Expr::call(self.random.pick(&compare), [column(at), column(other)])
            }
            _ => {
                let literal = self.literal(data_type);
                Expr::call(self.random.pick(&compare), [column(at), literal])
            }
        })
    }

    fn computed(&mut self, cols: &[Col]) -> Option<(Expr, Type)> {
        use Function as Fn;
        let at = self.pick(cols, |c| shows(c.class) && c.data_type != Type::Bool)?;
        let data_type = cols[at as usize].data_type;
        let literal = self.literal(data_type);
        Some(match (self.random.below(4), data_type) {
            (0, Type::Int | Type::Float) => {
                let function = self.random.pick(&[Fn::Add, Fn::Multiply]);
                (Expr::call(function, [column(at), literal]), data_type)
            }
            (0, Type::Text) => (Expr::call(Fn::Concat, [column(at), literal]), data_type),
            (1, _) => {
                let branches = vec![(self.condition(cols)?, column(at))];
                let otherwise = self.random.percent(50).then(|| Box::new(literal));
                let case = Expr::Case {
                    branches,
                    otherwise,
                };
                (case, data_type)
            }
            (2, _) => (self.condition(cols)?, Type::Bool),
            _ => (Expr::call(Fn::Coalesce, [column(at), literal]), data_type),
        })
    }

    fn filtered(&mut self, (node, cols): Made) -> Made {
        match self.condition(&cols) {
            Some(condition) => (filter(node, condition), cols),
            None => (node, cols),
        }
    }

    fn projected(&mut self, (node, cols): Made) -> Made {
        let (mut exprs, mut after) = (Vec::new(), Vec::new());
        for (at, c) in (0..).zip(&cols) {
            if self.random.percent(75) {
                exprs.push(column(at));
                after.push(*c);
            }
        }
        while exprs.is_empty() || self.random.percent(40) {
            match self.computed(&cols) {
                Some((expr, data_type)) => {
                    exprs.push(expr);
                    after.push(col("", data_type, Class::Open));
                }
                None => return (node, cols),
            }
        }
        (project(node, exprs), after)
    }

    fn joined(&mut self, (left, ours): Made, depth: usize) -> Made {
        let narrow = self.random.below(depth);
        let (right, theirs) = self.relation(narrow);
        let domain = |c: &Col| match c.class {
            Class::Token(domain) => domain,
            Class::Own => "person",
            _ => c.about,
        };
        let tokens = self.random.percent(75);
        let mut pairs = Vec::new();
        for (l, one) in (0..).zip(&ours) {
            for (r, other) in (0..).zip(&theirs) {
                let token = matches!(one.class, Class::Token(_) | Class::Own);
                let fits = domain(one) == domain(other)
                    && !domain(one).is_empty()
                    && shows(one.class) == shows(other.class)
                    && one.data_type == other.data_type
                    && (token || one.class == Class::Open);
                if fits && token == tokens {
                    pairs.push((column(l), column(r)));
                }
            }
        }
        if self.careless && self.random.percent(15) {
            let l = self.pick(&ours, |_| true).unwrap_or(0);
            let r = self.pick(&theirs, |_| true).unwrap_or(0);
            pairs.push((column(l), column(r)));
        }
        if pairs.is_empty() {
            return (left, ours);
        }
        let on = vec![self.random.pick(&pairs)];
        let kind = match self.random.below(12) {
            0..=5 => JoinKind::Inner,
            6 => JoinKind::Left,
            7 => JoinKind::Right,
            8 => JoinKind::Full,
            9 => JoinKind::Semi,
            10 => JoinKind::Anti,
            _ => JoinKind::Mark,
        };
        let both = [ours.clone(), theirs].concat();
        let filter = match self.random.percent(15) {
            true => self.condition(&both),
            false => None,
        };
        let null_equal = self.random.percent(5);
        let node = Node::Join {
            kind,
            left: Box::new(left),
            right: Box::new(right),
            on,
            filter,
            null_equal,
        };
        let mut cols = both;
        match kind {
            JoinKind::Semi | JoinKind::Anti => cols = ours,
            JoinKind::Mark => {
                cols = ours;
                cols.push(col("", Type::Bool, Class::Open));
            }
            _ => {}
        }
        (node, cols)
    }

    fn grouped(&mut self, (node, cols): Made) -> Made {
        let (mut keys, mut after) = (Vec::new(), Vec::new());
        for _ in 0..self.random.pick(&[0, 1, 1, 1, 2]) {
            let token = self.random.percent(6);
            let fits = |c: &Col| match c.class {
                Class::Open => true,
                Class::Measure { shown, .. } => shown,
                Class::Token(_) => token,
                Class::Own | Class::Held => false,
            };
            if let Some(at) = self.pick(&cols, fits) {
                keys.push(column(at));
                let class = match cols[at as usize].class {
                    Class::Measure { .. } => Class::Open,
                    class => class,
                };
                let Col {
                    data_type, about, ..
                } = cols[at as usize];
                after.push(col(about, data_type, class));
            }
        }
        let mut calls = Vec::new();
        while calls.is_empty() || self.random.percent(35) {
            let (made, data_type) = self.call(&cols);
            calls.push(made);
            after.push(col("", data_type, Class::Open));
        }
        let node = aggregate(node, keys, calls);
        match self.random.percent(15) {
            true => self.filtered((node, after)),
            false => (node, after),
        }
    }

    /// Raw values per person, mostly joined, chosen and put together again.
    fn held(&mut self, depth: usize) -> Made {
        let narrow = self.random.below(depth);
        let (node, cols) = self.relation(narrow);
        let person = |c: &Col| c.class == Class::Token("person");
        let of_raw = |c: &Col| matches!(c.class, Class::Measure { .. });
        let (node, cols) = match cols.iter().any(of_raw) && cols.iter().any(person) {
            true => (node, cols),
            false => self.scan(),
        };
        let (Some(at), true) = (self.pick(&cols, person), cols.iter().any(of_raw)) else {
            return (node, cols);
        };
        let (mut keys, mut after) = (vec![column(at)], vec![cols[at as usize]]);
        if self.random.percent(30)
            && let Some(at) = self.pick(&cols, |c| c.class == Class::Open)
        {
            keys.push(column(at));
            after.push(cols[at as usize]);
        }
        let mut calls = Vec::new();
        while calls.is_empty() || self.random.percent(30) {
            let (mut made, data_type) = self.call(&cols);
            let of = made.arguments.first().and_then(|argument| match argument {
                Expr::Column(at) => Some(cols[*at as usize]),
                _ => None,
            });
            let summed = matches!(made.function, F::Sum | F::Count);
            let held = of.as_ref().is_some_and(of_raw) && summed;
            made.distinct &= !held || self.careless;
            calls.push(made);
            let class = if held { Class::Held } else { Class::Open };
            after.push(col("", data_type, class));
        }
        let mut made = (aggregate(node, keys, calls), after);
        if self.random.percent(40) {
            made = self.joined(made, depth);
        }
        match self.random.below(8) {
            0 => made = self.filtered(made),
            1 => made = self.projected(made),
            _ => {}
        }
        match self.random.percent(85) {
            true => self.grouped(made),
            false => made,
        }
    }

    fn call(&mut self, cols: &[Col]) -> (AggregateCall, Type) {
        let raw = self.random.percent(70);
        let number = |c: &Col| matches!(c.data_type, Type::Int | Type::Float);
        let fits = |c: &Col| match c.class {
            Class::Measure { shown, .. } => raw || shown,
            Class::Held => raw,
            Class::Open => !raw && number(c),
            _ => false,
        };
        let filter = match self.random.percent(15) {
            true => self.condition(cols),
            false => None,
        };
        let Some(at) = self.pick(cols, fits).filter(|_| self.random.percent(85)) else {
            let token = self.pick(cols, |c| matches!(c.class, Class::Token(_)));
            let token = token.filter(|_| self.random.percent(40));
            let distinct = token.is_some();
            let counted = call(F::Count, token.map(column).into_iter().collect());
            let counted = AggregateCall {
                filter,
                distinct,
                ..counted
            };
            return (counted, Type::Int);
        };
        let Col {
            data_type, class, ..
        } = cols[at as usize];
        let functions = match class {
            Class::Measure { band: true, .. } => {
                &[F::Sum, F::Count, F::Median, F::Min, F::Max, F::Avg][..]
            }
            Class::Measure { .. } => &[F::Sum, F::Sum, F::Count, F::Avg, F::StddevSample],
            Class::Held if !self.random.percent(4) => &[F::Sum, F::Sum, F::Count, F::Avg, F::Avg],
            _ => &[F::Sum, F::Count, F::Max, F::Min, F::Avg],
        };
        let function = match self.careless && self.random.percent(20) {
            true => self.random.pick(&[F::Min, F::Max, F::Median]),
            false => self.random.pick(functions),
        };
        let (argument, told) = match function {
            F::Count => (column(at), Type::Int),
            F::Sum | F::Min | F::Max => (column(at), data_type),
            _ if data_type == Type::Float => (column(at), Type::Float),
            _ => (as_float(column(at)), Type::Float),
        };
        let made = AggregateCall {
            filter,
            distinct: function == F::Count && class != Class::Held && self.random.percent(20),
            ..call(function, vec![argument])
        };
        (made, told)
    }

    /// Only what may stand in sets.
    fn shown(&mut self, (node, cols): Made, at_most: usize) -> Made {
        let shown = (0..).zip(&cols).filter(|(_, c)| shows(c.class));
        let mut kept: Vec<(u32, Col)> = shown.map(|(at, c)| (at, *c)).collect();
        while kept.len() > at_most {
            let at = self.random.below(kept.len());
            kept.remove(at);
        }
        if kept.is_empty() {
            return (node, cols);
        }
        let exprs = kept.iter().map(|(at, _)| column(*at)).collect();
        let cols = kept.into_iter().map(|(_, c)| Col {
            class: plain(c.class),
            ..c
        });
        (project(node, exprs), cols.collect())
    }

    fn distinct(&mut self, made: Made) -> Made {
        let at_most = self.random.pick(&[1, 2, 3]);
        let (node, cols) = self.shown(made, at_most);
        let input = Box::new(node);
        (Node::Distinct { input }, cols)
    }

    fn united(&mut self, one: Made, other: Made) -> Made {
        let ((one, ours), (other, theirs)) = (self.shown(one, 9), self.shown(other, 9));
        let (mut left, mut right, mut cols) = (Vec::new(), Vec::new(), Vec::new());
        for (l, c) in (0..).zip(&ours) {
            let alike = |t: &Col| t.data_type == c.data_type && shows(t.class);
            if let Some(r) = self.pick(&theirs, alike).filter(|_| cols.len() < 3) {
                left.push(column(l));
                right.push(column(r));
                cols.push(*c);
            }
        }
        if cols.is_empty() {
            return (one, ours);
        }
        let inputs = vec![project(one, left), project(other, right)];
        (Node::Union { inputs }, cols)
    }

    fn on_top(&mut self, (node, mut cols): Made) -> Made {
        let Some(at) = self.pick(&cols, |c| shows(c.class)) else {
            return (node, cols);
        };
        let key = SortKey {
            expr: column(at),
            descending: self.random.percent(50),
            nulls_first: self.random.percent(50),
        };
        let (input, fetch) = (Box::new(node), Some(self.random.pick(&[1, 3, 8])));
        let whole = self.random.percent(60);
        let node = match self.random.below(4) {
            0 => Node::Limit {
                input,
                skip: u64::from(!whole),
                fetch,
            },
            1 => Node::Sort {
                input,
                keys: vec![key],
                fetch: fetch.filter(|_| !whole),
            },
            _ => {
                let number = |c: &Col| c.data_type == Type::Int && c.class == Class::Open;
                let (function, argument) = match self.pick(&cols, number) {
                    Some(at) => (WindowFunction::Aggregate(F::Sum), Some(at)),
                    None => (WindowFunction::RowNumber, None),
                };
                let function = match (function, self.random.percent(25)) {
                    (WindowFunction::Aggregate(_), true) => WindowFunction::Lag,
                    (function, _) => function,
                };
                let partition = (whole && at > 0).then(|| column(0)).into_iter().collect();
                let end = match whole {
                    true => FrameBound::UnboundedFollowing,
                    false => FrameBound::CurrentRow,
                };
                cols.push(col("", Type::Int, Class::Open));
                Node::Window {
                    input,
                    calls: vec![WindowCall {
                        function,
                        arguments: argument.map(column).into_iter().collect(),
                        partition,
                        order: vec![key],
                        frame: Frame {
                            rows: true,
                            start: FrameBound::UnboundedPreceding,
                            end,
                        },
                    }],
                }
            }
        };
        (node, cols)
    }

    /// Rows held against a number of a subquery.
    fn compared(&mut self, depth: usize) -> Made {
        let (node, cols) = self.relation(depth - 1);
        let inner = self.relation(depth - 1);
        let (made, data_type) = self.call(&inner.1);
        let scalar = Expr::Scalar(Box::new(aggregate(inner.0, vec![], vec![made])));
        match self.pick(&cols, |c| {
            c.data_type == data_type && c.class == Class::Open
        }) {
            Some(at) => {
                let more = Expr::call(Function::GreaterEqual, [column(at), scalar]);
                (filter(node, more), cols)
            }
            None => {
                let mut exprs: Vec<Expr> = (0..).map(column).take(cols.len()).collect();
                exprs.push(scalar);
                let cols = [cols, vec![col("", data_type, Class::Open)]].concat();
                (project(node, exprs), cols)
            }
        }
    }
}

const fn shows(class: Class) -> bool {
    match class {
        Class::Open => true,
        Class::Measure { shown, .. } => shown,
        Class::Token(_) | Class::Own | Class::Held => false,
    }
}

const fn plain(class: Class) -> Class {
    match class {
        Class::Measure { .. } => Class::Open,
        class => class,
    }
}
