//! Over protected data an expression has no value where it has none, instead of ending the statement: an
//! error would tell that there is a row that makes it, and whose row may be chosen by a condition.
//!
//! Source: threat model, "a statement → few rows" (SECURITY.md).

use crate::Cause;
use plan::{AggregateFunction, Expr, Field, Function, IllTyped, Literal, Node, WindowFunction};
use terms::Type;

/// The longest written pattern, in bytes, that no engine refuses.
const PATTERN_BYTES: usize = 1_024;
/// The most digits that a decimal may have so that a mean of 10,000,000,000 of them has room in 38.
const MEAN_DIGITS: u8 = 24;

/// Makes every expression of a plan total, row policies too.
///
/// # Errors
/// What has no type, or no total form.
pub(crate) fn make_total(node: &mut Node) -> Result<(), Cause> {
    node.inputs_mut().try_for_each(make_total)?;
    let fields: Vec<Vec<Field>> = node
        .inputs()
        .map(Node::fields)
        .collect::<Result<_, _>>()
        .map_err(|_| Cause::IllTyped)?;
    let input = fields.concat();
    if let Node::Join { on, filter, .. } = node {
        let [left, right] = fields.as_slice() else {
            return Err(Cause::IllTyped);
        };
        for (ours, theirs) in on {
            total(ours, left)?;
            total(theirs, right)?;
        }
        return filter
            .iter_mut()
            .try_for_each(|filter| total(filter, &input));
    }
    if let Node::Scan(scan) = node {
        let Some(rows) = &mut scan.rows else {
            return Ok(());
        };
        let items = rows.items.iter().map(|(_, data_type)| Field {
            data_type: *data_type,
            nullable: true,
        });
        let items: Vec<Field> = items.collect();
        return total(&mut rows.predicate, &items);
    }
    node.exprs_mut().try_for_each(|expr| total(expr, &input))?;
    let first = |arguments: &[Expr]| {
        let first = arguments.first().map(|argument| argument.data_type(&input));
        first.transpose().map_err(|_| Cause::IllTyped)
    };
    match node {
        Node::Aggregate { aggregates, .. } => aggregates
            .iter()
            .try_for_each(|call| has_room(call.function, first(&call.arguments)?)),
        Node::Window { calls, .. } => calls.iter().try_for_each(|call| match call.function {
            WindowFunction::Aggregate(function) => has_room(function, first(&call.arguments)?),
            _ => Ok(()),
        }),
        _ => Ok(()),
    }
}

/// Makes one expression total over these columns.
fn total(expr: &mut Expr, input: &[Field]) -> Result<(), Cause> {
    if let Expr::Scalar(node) = expr {
        return make_total(node);
    }
    expr.children_mut()
        .try_for_each(|inside| total(inside, input))?;
    match expr {
        Expr::Cast { value, to, lenient } => {
            let from = value.data_type(input).map_err(|_| Cause::IllTyped)?;
            *lenient |= !(*to == Type::Text || *to == Type::Float && from.is_number());
        }
        Expr::Call(function @ Function::Divide, _) => *function = Function::DivideOrNull,
        Expr::Call(function @ Function::Modulo, _) => *function = Function::ModuloOrNull,
        Expr::Call(function, arguments)
            if may_fail(*function, arguments, input).map_err(|_| Cause::IllTyped)? =>
        {
            let call = Expr::Call(*function, std::mem::take(arguments));
            *expr = Expr::call(Function::OrNull, [call]);
        }
        _ => {}
    }
    Ok(())
}

/// Whether a call can fail over values of its types.
fn may_fail(function: Function, arguments: &[Expr], input: &[Field]) -> Result<bool, IllTyped> {
    let first = || {
        arguments
            .first()
            .map(|argument| argument.data_type(input))
            .transpose()
    };
    Ok(match function {
        // Whole numbers wrap around, floats have infinities.
        Function::Add | Function::Subtract | Function::Multiply => {
            !matches!(first()?, Some(Type::Int | Type::Float))
        }
        Function::Abs => first()? != Some(Type::Float),
        Function::Like | Function::ILike => {
            let short = |text: &String| text.len() <= PATTERN_BYTES;
            !matches!(arguments, [_, Expr::Literal(Literal::Text(pattern))] if short(pattern))
        }
        Function::Substring
        | Function::Left
        | Function::Right
        | Function::Round
        | Function::DatePart
        | Function::DateTrunc => true,
        Function::Divide
        | Function::Modulo
        | Function::DivideOrNull
        | Function::ModuloOrNull
        | Function::OrNull
        | Function::Negate
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
        | Function::Not
        | Function::IsNull
        | Function::IsNotNull
        | Function::IsTrue
        | Function::IsFalse
        | Function::IsUnknown
        | Function::Concat
        | Function::Lower
        | Function::Upper
        | Function::Trim
        | Function::TrimLeft
        | Function::TrimRight
        | Function::Length
        | Function::Position
        | Function::StartsWith
        | Function::EndsWith
        | Function::Reverse
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
        | Function::WitnessSubjects => false,
    })
}

/// A mean of decimals is computed with four digits more than they have, of the sum of all of them.
fn has_room(function: AggregateFunction, argument: Option<Type>) -> Result<(), Cause> {
    match (function, argument) {
        (AggregateFunction::Avg, Some(Type::Decimal { precision, .. }))
            if precision > MEAN_DIGITS =>
        {
            Err(Cause::MeanOfDecimals)
        }
        _ => Ok(()),
    }
}
