//! Expressions: each column remapped to where it stands, each use checked against its label.

use crate::{
    Cause, Unconfinable,
    label::{Class, Label, Shape, Source},
    relation::Column,
    rewrite::{Rewrite, is_join_only},
};
use plan::{Expr, Field, Function, Node};
use terms::Type;

impl Rewrite<'_> {
    /// Remaps an expression over these columns and says what is known of its value.
    ///
    /// A bare column keeps its label. Anything else over a suppressed item is refused; over a token,
    /// all but equality with a token of the same domain and null tests are.
    pub(crate) fn expression(
        &mut self,
        expr: &Expr,
        columns: &[Column],
    ) -> Result<(Expr, Label), Unconfinable> {
        match expr {
            Expr::Column(ordinal) => {
                let column = column(columns, *ordinal)?;
                let at = column
                    .at
                    .ok_or_else(|| self.about(Cause::RawInExpression, &column.label))?;
                Ok((Expr::Column(at), column.label.clone()))
            }
            Expr::Literal(literal) => {
                let label = Label {
                    own_type: Some(literal.data_type()),
                    ..Label::constant()
                };
                Ok((expr.clone(), label))
            }
            Expr::Parameter(..) => Err(Cause::IllTyped.into()),
            Expr::Call(function, arguments) => self.call(*function, arguments, columns),
            Expr::Cast { value, to, lenient } => {
                let (inside, label) = self.open(value, columns)?;
                // What is linear is a number; wider it still is. Rounded, or wrapped around before, it
                // is not.
                let wider = label.own_type.is_some_and(|from| widens(from, *to));
                let shape = match label.shape {
                    Shape::Constant => Shape::Constant,
                    shape if !label.wraps && (*to == Type::Float || wider) => shape,
                    Shape::Linear { .. } | Shape::Product | Shape::Free => Shape::Free,
                };
                let cast = Expr::Cast {
                    value: Box::new(inside),
                    to: *to,
                    lenient: *lenient,
                };
                let own_type = Some(*to);
                Ok((
                    cast,
                    Label {
                        shape,
                        own_type,
                        ..label
                    },
                ))
            }
            Expr::Case {
                branches,
                otherwise,
            } => self.case(branches, otherwise.as_deref(), columns),
            Expr::InList {
                value,
                list,
                negated,
            } => {
                let (value, label) = self.open(value, columns)?;
                let mut labels = vec![label];
                let mut items = Vec::with_capacity(list.len());
                for item in list {
                    let (item, label) = self.open(item, columns)?;
                    items.push(item);
                    labels.push(label);
                }
                let value = Box::new(value);
                let expr = Expr::InList {
                    value,
                    list: items,
                    negated: *negated,
                };
                Ok((expr, Label::computed(&labels)))
            }
            Expr::Scalar(node) => self.scalar(node),
        }
    }

    /// The same, for a place where a token may not stand.
    pub(crate) fn open(
        &mut self,
        expr: &Expr,
        columns: &[Column],
    ) -> Result<(Expr, Label), Unconfinable> {
        let (expr, label) = self.expression(expr, columns)?;
        match label.class {
            Class::Open => Ok((
                expr,
                Label {
                    base: None,
                    ..label
                },
            )),
            Class::Token { .. } => Err(self.about(Cause::TokenMisused, &label)),
            Class::Suppressed => Err(self.about(Cause::RawInExpression, &label)),
            Class::Held { .. } => Err(self.about(Cause::HeldValue, &label)),
        }
    }

    /// The same, for a key, an order or a partition: tokens may stand there unless they are join-only.
    pub(crate) fn key(
        &mut self,
        expr: &Expr,
        columns: &[Column],
    ) -> Result<(Expr, Label), Unconfinable> {
        let (expr, label) = self.expression(expr, columns)?;
        match label.class {
            Class::Token {
                join_only: true, ..
            } => Err(self.about(Cause::TokenJoinOnly, &label)),
            Class::Suppressed => Err(self.about(Cause::RawInExpression, &label)),
            Class::Held { .. } => Err(self.about(Cause::HeldValue, &label)),
            Class::Open | Class::Token { .. } => Ok((expr, label)),
        }
    }

    fn call(
        &mut self,
        function: Function,
        arguments: &[Expr],
        columns: &[Column],
    ) -> Result<(Expr, Label), Unconfinable> {
        if function.is_confined() {
            return Err(Cause::IllTyped.into());
        }
        let mut exprs = Vec::with_capacity(arguments.len());
        let mut labels = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let (expr, label) = self.expression(argument, columns)?;
            exprs.push(expr);
            labels.push(label);
        }
        self.tokens_may_meet(function, &labels)?;
        let own_type = arithmetic(function, &labels);
        let label = Label {
            shape: shape_of(function, &labels, own_type),
            own_type,
            ..Label::computed(&labels)
        };
        Ok((Expr::Call(function, exprs), label))
    }

    /// The operator's own identifiers meet those whom a protected dataset is about, so that they are
    /// counted; any other person in it would be told apart by name.
    fn own_meets_subject(&self, labels: &[Label]) -> Result<(), Unconfinable> {
        if !labels.iter().any(is_join_only) {
            return Ok(());
        }
        for label in labels.iter().filter(|label| !is_join_only(label)) {
            let protected =
                |source: &Source| self.scope.dataset(&source.dataset).map(|d| d.protected);
            let protected = label.sources.iter().map(protected);
            if protected.collect::<Result<Vec<_>, _>>()?.contains(&true) && !self.is_subject(label)
            {
                return Err(self.about(Cause::ExternalTie, label));
            }
        }
        Ok(())
    }

    /// Tokens meet only tokens of their own domain, and only in equality; whether one is null may be
    /// asked. Source: design, "Tokens".
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub(crate) fn tokens_may_meet(
        &self,
        function: Function,
        labels: &[Label],
    ) -> Result<(), Unconfinable> {
        let mut domains = labels.iter().map(|label| match &label.class {
            Class::Token { domain, .. } => Some(domain),
            Class::Open | Class::Suppressed | Class::Held { .. } => None,
        });
        let held = |label: &&Label| matches!(label.class, Class::Held { .. });
        if let Some(held) = labels.iter().find(held) {
            return Err(self.about(Cause::HeldValue, held));
        }
        let Some(token) = labels
            .iter()
            .find(|label| matches!(label.class, Class::Token { .. }))
        else {
            return Ok(());
        };
        match function {
            Function::IsNull | Function::IsNotNull => Ok(()),
            Function::Equal | Function::NotEqual | Function::IsNotDistinctFrom => {
                let first = domains.next().flatten();
                if first.is_none() || labels.len() != 2 {
                    return Err(self.about(Cause::TokenMisused, token));
                }
                match domains.next().flatten() {
                    None => Err(self.about(Cause::TokenMisused, token)),
                    second if second == first => self.own_meets_subject(labels),
                    Some(_) => Err(self.about(Cause::TokenDomains, token)),
                }
            }
            Function::Add
            | Function::Subtract
            | Function::Multiply
            | Function::Divide
            | Function::Modulo
            | Function::DivideOrNull
            | Function::ModuloOrNull
            | Function::OrNull
            | Function::Negate
            | Function::Less
            | Function::LessEqual
            | Function::Greater
            | Function::GreaterEqual
            | Function::IsDistinctFrom
            | Function::And
            | Function::Or
            | Function::Not
            | Function::IsTrue
            | Function::IsFalse
            | Function::IsUnknown
            | Function::Like
            | Function::ILike
            | Function::Concat
            | Function::Lower
            | Function::Upper
            | Function::Trim
            | Function::TrimLeft
            | Function::TrimRight
            | Function::Substring
            | Function::Left
            | Function::Right
            | Function::Length
            | Function::Position
            | Function::StartsWith
            | Function::EndsWith
            | Function::Reverse
            | Function::Abs
            | Function::Round
            | Function::Ceil
            | Function::Floor
            | Function::Sqrt
            | Function::Power
            | Function::Ln
            | Function::Log10
            | Function::Exp
            | Function::Signum
            | Function::Coalesce
            | Function::NullIf
            | Function::Greatest
            | Function::Least
            | Function::DatePart
            | Function::DateTrunc
            | Function::WitnessSubjects => Err(self.about(Cause::TokenMisused, token)),
        }
    }

    fn case(
        &mut self,
        branches: &[(Expr, Expr)],
        otherwise: Option<&Expr>,
        columns: &[Column],
    ) -> Result<(Expr, Label), Unconfinable> {
        let mut labels = Vec::new();
        let mut confined = Vec::with_capacity(branches.len());
        for (condition, value) in branches {
            let (condition, when) = self.open(condition, columns)?;
            let (value, then) = self.open(value, columns)?;
            confined.push((condition, value));
            labels.extend([when, then]);
        }
        let otherwise = match otherwise {
            None => None,
            Some(value) => {
                let (value, label) = self.open(value, columns)?;
                labels.push(label);
                Some(Box::new(value))
            }
        };
        Ok((
            Expr::Case {
                branches: confined,
                otherwise,
            },
            Label::computed(&labels),
        ))
    }

    /// An uncorrelated subquery: its one value may be a row-level one only where rows show; a group
    /// that falls short gives no value.
    fn scalar(&mut self, node: &Node) -> Result<(Expr, Label), Unconfinable> {
        let relation = self.relation(node, false)?;
        self.rows_may_show(&relation)?;
        let relation = relation.withhold();
        let [column] = relation.columns.as_slice() else {
            return Err(Cause::IllTyped.into());
        };
        let at = column
            .at
            .ok_or_else(|| self.about(Cause::RawInExpression, &column.label))?;
        if matches!(column.label.class, Class::Held { .. }) {
            return Err(self.about(Cause::HeldValue, &column.label));
        }
        let label = Label {
            base: None,
            ..column.label.clone()
        };
        let exprs = vec![Expr::Column(at)];
        let node = Node::Project {
            input: Box::new(relation.node),
            exprs,
        };
        Ok((Expr::Scalar(Box::new(node)), label))
    }
}

/// Whether every number of the one type is one of the other.
fn widens(from: Type, to: Type) -> bool {
    let digits = |data_type| match data_type {
        // A whole number of 64 bits has up to 19 digits.
        Type::Int => Some((19, 0)),
        Type::Decimal { precision, scale } => Some((precision.checked_sub(scale)?, scale)),
        _ => None,
    };
    match (digits(from), digits(to)) {
        (Some((whole, after)), Some((whole_to, after_to))) => {
            whole <= whole_to && after <= after_to
        }
        _ => false,
    }
}

/// What arithmetic over values of known types gives.
fn arithmetic(function: Function, labels: &[Label]) -> Option<Type> {
    let calculated = matches!(
        function,
        Function::Add | Function::Subtract | Function::Multiply | Function::Negate
    );
    let field = |label: &Label| {
        Some(Field {
            data_type: label.own_type?,
            nullable: true,
        })
    };
    let fields: Vec<Field> = labels.iter().map(field).collect::<Option<_>>()?;
    let columns: Vec<Expr> = (0..).map(Expr::Column).take(fields.len()).collect();
    let call = Expr::call(function, columns);
    calculated.then(|| call.data_type(&fields).ok())?
}

/// What a sum of a call's value could single out. Arithmetic over floats rounds, so that it can stand for
/// a condition: a large number added and taken away leaves whole numbers.
fn shape_of(function: Function, labels: &[Label], own_type: Option<Type>) -> Shape {
    if labels.iter().all(|label| label.shape == Shape::Constant) {
        return Shape::Constant;
    }
    let exact = matches!(own_type, Some(Type::Int | Type::Decimal { .. }));
    match (function, labels) {
        (Function::Negate, [value]) => value.shape,
        (Function::Add | Function::Subtract, [left, right]) if exact => {
            left.shape.plus(right.shape)
        }
        (Function::Multiply, [left, right]) if exact => left.shape.times(right.shape),
        _ => Shape::Free,
    }
}

/// The column an ordinal of the draft means.
pub(crate) fn column(columns: &[Column], ordinal: u32) -> Result<&Column, Unconfinable> {
    let index = usize::try_from(ordinal).map_err(|_| Cause::IllTyped)?;
    columns.get(index).ok_or_else(|| Cause::IllTyped.into())
}
