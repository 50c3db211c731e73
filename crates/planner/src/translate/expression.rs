use super::{Inputs, Translated, Translator, agree, literal::literal};
use crate::Unplannable;
use datafusion::{
    arrow::datatypes::DataType,
    logical_expr::{
        Operator,
        expr::{BinaryExpr, Case, Expr as EngineExpr, InList, Like, Placeholder},
    },
};
use plan::{Expr, Function, Literal};
use terms::Type;

impl Translator<'_> {
    /// Translates an expression over these inputs.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub(super) fn expr(&self, expr: &EngineExpr, inputs: &Inputs<'_>) -> Translated<Expr> {
        self.items.one()?;
        let one =
            |function, inside: &EngineExpr| Ok(Expr::call(function, [self.expr(inside, inputs)?]));
        let not = |expr| Expr::call(Function::Not, [expr]);
        match expr {
            EngineExpr::Alias(alias) => self.expr(&alias.expr, inputs),
            EngineExpr::Column(column) => inputs.ordinal(column).map(Expr::Column),
            EngineExpr::Literal(value, _) => literal(value).map(Expr::Literal),
            EngineExpr::BinaryExpr(binary) => self.binary(binary, inputs),
            EngineExpr::Like(like) => self.like(like, inputs),
            EngineExpr::Not(inside) => one(Function::Not, inside),
            EngineExpr::IsNotNull(inside) => one(Function::IsNotNull, inside),
            EngineExpr::IsNull(inside) => one(Function::IsNull, inside),
            EngineExpr::IsTrue(inside) => one(Function::IsTrue, inside),
            EngineExpr::IsFalse(inside) => one(Function::IsFalse, inside),
            EngineExpr::IsUnknown(inside) => one(Function::IsUnknown, inside),
            EngineExpr::IsNotTrue(inside) => one(Function::IsTrue, inside).map(not),
            EngineExpr::IsNotFalse(inside) => one(Function::IsFalse, inside).map(not),
            EngineExpr::IsNotUnknown(inside) => one(Function::IsUnknown, inside).map(not),
            EngineExpr::Negative(inside) => negative(self.expr(inside, inputs)?),
            EngineExpr::Between(between) => {
                let value = self.expr(&between.expr, inputs)?;
                let low = self.expr(&between.low, inputs)?;
                let high = self.expr(&between.high, inputs)?;
                let from = compared(
                    Function::GreaterEqual,
                    self.items.copied(&value)?,
                    low,
                    inputs,
                )?;
                let to = compared(Function::LessEqual, value, high, inputs)?;
                let between_them = Expr::call(Function::And, [from, to]);
                Ok(if between.negated {
                    not(between_them)
                } else {
                    between_them
                })
            }
            EngineExpr::Case(case) => self.case(case, inputs),
            EngineExpr::Cast(cast) => self.cast(&cast.expr, cast.field.data_type(), false, inputs),
            EngineExpr::TryCast(cast) => {
                self.cast(&cast.expr, cast.field.data_type(), true, inputs)
            }
            EngineExpr::ScalarFunction(call) => self.function(call.func.name(), &call.args, inputs),
            EngineExpr::InList(list) => self.in_list(list, inputs),
            EngineExpr::ScalarSubquery(subquery) => {
                if subquery.outer_ref_columns.is_empty() {
                    Ok(Expr::Scalar(Box::new(self.node(&subquery.subquery)?)))
                } else {
                    let mut joined = inputs.subqueries.iter();
                    let found = joined.find(|(known, _)| known == subquery);
                    let (_, value) =
                        found.ok_or(Unplannable::Unsupported("this correlated subquery"))?;
                    self.items.copied(value)
                }
            }
            EngineExpr::Placeholder(placeholder) => parameter(placeholder),
            EngineExpr::SimilarTo(_) => Err(Unplannable::Unsupported("SIMILAR TO")),
            EngineExpr::Exists(_) | EngineExpr::InSubquery(_) | EngineExpr::SetComparison(_) => {
                Err(Unplannable::Unsupported("a subquery in this place"))
            }
            EngineExpr::GroupingSet(_) => {
                Err(Unplannable::Unsupported("GROUPING SETS, ROLLUP or CUBE"))
            }
            EngineExpr::AggregateFunction(_) | EngineExpr::WindowFunction(_) => {
                Err(Unplannable::Unsupported("an aggregate in this place"))
            }
            EngineExpr::OuterReferenceColumn(..) => {
                Err(Unplannable::Unsupported("this correlated subquery"))
            }
            EngineExpr::Unnest(_) => Err(Unplannable::Unsupported("UNNEST")),
            EngineExpr::HigherOrderFunction(_)
            | EngineExpr::Lambda(_)
            | EngineExpr::LambdaVariable(_) => Err(Unplannable::Unsupported("lambdas")),
            #[expect(
                deprecated,
                reason = "no wildcard arm: a new kind of expression must be judged"
            )]
            EngineExpr::ScalarVariable(..) | EngineExpr::Wildcard { .. } => {
                Err(Unplannable::Unsupported("this expression"))
            }
        }
    }

    fn cast(
        &self,
        inside: &EngineExpr,
        to: &DataType,
        lenient: bool,
        inputs: &Inputs<'_>,
    ) -> Translated<Expr> {
        let to = agree::plan_type(to)?;
        if let EngineExpr::Placeholder(placeholder) = inside
            && placeholder.field.is_none()
        {
            // A cast says what a parameter is.
            return Ok(Expr::Parameter(place(placeholder)?, to));
        }
        let value = self.expr(inside, inputs)?;
        let from = agree::data_type(&value, inputs)?;
        match value {
            Expr::Literal(Literal::Null(_)) => Ok(Expr::Literal(Literal::Null(to))),
            value if from == to => Ok(value),
            value => Ok(Expr::Cast {
                value: Box::new(value),
                to,
                lenient,
            }),
        }
    }

    fn binary(&self, binary: &BinaryExpr, inputs: &Inputs<'_>) -> Translated<Expr> {
        let left = self.expr(&binary.left, inputs)?;
        let right = self.expr(&binary.right, inputs)?;
        let function = match binary.op {
            Operator::Plus => Function::Add,
            Operator::Minus => Function::Subtract,
            Operator::Multiply => Function::Multiply,
            Operator::Divide => Function::Divide,
            Operator::Modulo => Function::Modulo,
            Operator::And => return Ok(Expr::call(Function::And, [left, right])),
            Operator::Or => return Ok(Expr::call(Function::Or, [left, right])),
            Operator::StringConcat => return texts(vec![left, right], inputs),
            Operator::Eq => return compared(Function::Equal, left, right, inputs),
            Operator::NotEq => return compared(Function::NotEqual, left, right, inputs),
            Operator::Lt => return compared(Function::Less, left, right, inputs),
            Operator::LtEq => return compared(Function::LessEqual, left, right, inputs),
            Operator::Gt => return compared(Function::Greater, left, right, inputs),
            Operator::GtEq => return compared(Function::GreaterEqual, left, right, inputs),
            Operator::IsDistinctFrom => {
                return compared(Function::IsDistinctFrom, left, right, inputs);
            }
            Operator::IsNotDistinctFrom => {
                return compared(Function::IsNotDistinctFrom, left, right, inputs);
            }
            _ => return Err(Unplannable::Unsupported("this operator")),
        };
        arithmetic(function, left, right, inputs)
    }

    fn like(&self, like: &Like, inputs: &Inputs<'_>) -> Translated<Expr> {
        if like.escape_char.is_some() {
            return Err(Unplannable::Unsupported("LIKE with ESCAPE"));
        }
        let function = if like.case_insensitive {
            Function::ILike
        } else {
            Function::Like
        };
        let arguments = [
            self.expr(&like.expr, inputs)?,
            self.expr(&like.pattern, inputs)?,
        ];
        let matches = Expr::call(function, arguments);
        Ok(if like.negated {
            Expr::call(Function::Not, [matches])
        } else {
            matches
        })
    }

    fn in_list(&self, list: &InList, inputs: &Inputs<'_>) -> Translated<Expr> {
        let mut all = vec![self.expr(&list.expr, inputs)?];
        for item in &list.list {
            all.push(self.expr(item, inputs)?);
        }
        let mut all = agree::all(all, inputs)?.into_iter();
        let value = Box::new(all.next().ok_or(Unplannable::IllTyped)?);
        Ok(Expr::InList {
            value,
            list: all.collect(),
            negated: list.negated,
        })
    }

    /// `CASE x WHEN y` becomes `CASE WHEN x = y`.
    fn case(&self, case: &Case, inputs: &Inputs<'_>) -> Translated<Expr> {
        let operand = case
            .expr
            .as_ref()
            .map(|operand| self.expr(operand, inputs))
            .transpose()?;
        let (mut conditions, mut values) = (Vec::new(), Vec::new());
        for (condition, value) in &case.when_then_expr {
            let condition = self.expr(condition, inputs)?;
            conditions.push(match &operand {
                None => condition,
                Some(operand) => {
                    let operand = self.items.copied(operand)?;
                    compared(Function::Equal, operand, condition, inputs)?
                }
            });
            values.push(self.expr(value, inputs)?);
        }
        if let Some(otherwise) = &case.else_expr {
            values.push(self.expr(otherwise, inputs)?);
        }
        let mut values = agree::all(values, inputs)?;
        let otherwise = case
            .else_expr
            .as_ref()
            .and_then(|_| values.pop())
            .map(Box::new);
        Ok(Expr::Case {
            branches: conditions.into_iter().zip(values).collect(),
            otherwise,
        })
    }
}

/// A comparison of two values brought to one type.
pub(super) fn compared(
    function: Function,
    left: Expr,
    right: Expr,
    inputs: &Inputs<'_>,
) -> Translated<Expr> {
    let both = agree::all(vec![left, right], inputs)?;
    Ok(Expr::Call(function, both))
}

fn arithmetic(
    function: Function,
    left: Expr,
    right: Expr,
    inputs: &Inputs<'_>,
) -> Translated<Expr> {
    let (from, to) = (
        agree::data_type(&left, inputs)?,
        agree::data_type(&right, inputs)?,
    );
    let decimals = matches!((from, to), (Type::Decimal { .. }, Type::Decimal { .. }));
    let sums = matches!(
        function,
        Function::Add | Function::Subtract | Function::Multiply
    );
    match (from, to) {
        (Type::Interval, Type::Date | Type::Timestamp) if function == Function::Add => {
            Ok(Expr::call(function, [right, left]))
        }
        (Type::Date | Type::Timestamp, Type::Interval) => Ok(Expr::call(function, [left, right])),
        _ if decimals && sums => Ok(Expr::call(function, [left, right])),
        _ if from.is_number() && to.is_number() => {
            let whole = from == Type::Int && to == Type::Int;
            let wanted = if whole { Type::Int } else { Type::Float };
            let both = [
                agree::cast(left, from, wanted),
                agree::cast(right, to, wanted),
            ];
            Ok(Expr::call(function, both))
        }
        _ => Err(Unplannable::IllTyped),
    }
}

/// Texts put together; what is no text is written as text.
pub(super) fn texts(parts: Vec<Expr>, inputs: &Inputs<'_>) -> Translated<Expr> {
    let mut texts = Vec::with_capacity(parts.len());
    for part in parts {
        let from = agree::data_type(&part, inputs)?;
        texts.push(agree::cast(part, from, Type::Text));
    }
    Ok(Expr::Call(Function::Concat, texts))
}

/// A negative literal stays a literal.
fn negative(inside: Expr) -> Translated<Expr> {
    Ok(match inside {
        Expr::Literal(Literal::Int(value)) => Expr::Literal(Literal::Int(
            value.checked_neg().ok_or(Unplannable::IllTyped)?,
        )),
        Expr::Literal(Literal::Float(bits)) => {
            Expr::Literal(Literal::Float((-f64::from_bits(bits)).to_bits()))
        }
        other => Expr::call(Function::Negate, [other]),
    })
}

/// `$1` is parameter 0.
fn place(placeholder: &Placeholder) -> Translated<u32> {
    let number = placeholder
        .id
        .strip_prefix('$')
        .and_then(|id| id.parse::<u32>().ok());
    let index = number.and_then(|number| number.checked_sub(1));
    index.ok_or(Unplannable::ParameterUntyped)
}

/// A parameter whose type the front end has told.
fn parameter(placeholder: &Placeholder) -> Translated<Expr> {
    let field = placeholder
        .field
        .as_ref()
        .ok_or(Unplannable::ParameterUntyped)?;
    let index = place(placeholder)?;
    let data_type =
        agree::plan_type(field.data_type()).map_err(|_| Unplannable::ParameterUntyped)?;
    Ok(Expr::Parameter(index, data_type))
}
