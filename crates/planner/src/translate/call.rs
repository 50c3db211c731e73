use super::{Inputs, Translated, Translator, agree, expression};
use crate::Unplannable;
use datafusion::logical_expr::expr::Expr as EngineExpr;
use plan::{Expr, Function, Literal};
use terms::Type;

/// Microseconds in a day.
const DAY_US: i64 = 86_400_000_000;

/// What a function's arguments must be.
enum Takes {
    /// As they are.
    Any,
    /// Floats.
    Floats,
    /// All of one type.
    Alike,
}

impl Translator<'_> {
    /// Translates a call by the front end's name of the function.
    pub(super) fn function(
        &self,
        name: &str,
        arguments: &[EngineExpr],
        inputs: &Inputs<'_>,
    ) -> Translated<Expr> {
        match name {
            "now" => return Ok(Expr::Literal(Literal::Timestamp(self.job.now_us))),
            "current_date" => return Ok(Expr::Literal(Literal::Date(self.today()?))),
            _ => {}
        }
        let mut exprs = Vec::with_capacity(arguments.len());
        for argument in arguments {
            exprs.push(self.expr(argument, inputs)?);
        }
        if name == "concat" {
            return expression::texts(exprs, inputs);
        }
        if matches!(name, "date_part" | "date_trunc") {
            return dated(name, exprs, inputs);
        }
        let (function, takes) = known(name).ok_or(Unplannable::UnknownFunction)?;
        let exprs = match takes {
            Takes::Any => exprs,
            Takes::Alike => agree::all(exprs, inputs)?,
            Takes::Floats => floats(function, exprs, inputs)?,
        };
        Ok(Expr::Call(function, exprs))
    }

    fn today(&self) -> Translated<i32> {
        i32::try_from(self.job.now_us.div_euclid(DAY_US)).map_err(|_| Unplannable::IllTyped)
    }
}

fn known(name: &str) -> Option<(Function, Takes)> {
    Some(match name {
        "lower" => (Function::Lower, Takes::Any),
        "upper" => (Function::Upper, Takes::Any),
        "btrim" | "trim" => (Function::Trim, Takes::Any),
        "ltrim" => (Function::TrimLeft, Takes::Any),
        "rtrim" => (Function::TrimRight, Takes::Any),
        "substr" | "substring" => (Function::Substring, Takes::Any),
        "left" => (Function::Left, Takes::Any),
        "right" => (Function::Right, Takes::Any),
        "character_length" | "char_length" | "length" => (Function::Length, Takes::Any),
        "strpos" | "position" | "instr" => (Function::Position, Takes::Any),
        "starts_with" => (Function::StartsWith, Takes::Any),
        "ends_with" => (Function::EndsWith, Takes::Any),
        "reverse" => (Function::Reverse, Takes::Any),
        "abs" => (Function::Abs, Takes::Any),
        "round" => (Function::Round, Takes::Floats),
        "ceil" => (Function::Ceil, Takes::Floats),
        "floor" => (Function::Floor, Takes::Floats),
        "sqrt" => (Function::Sqrt, Takes::Floats),
        "power" | "pow" => (Function::Power, Takes::Floats),
        "ln" => (Function::Ln, Takes::Floats),
        "log10" => (Function::Log10, Takes::Floats),
        "exp" => (Function::Exp, Takes::Floats),
        "signum" | "sign" => (Function::Signum, Takes::Floats),
        "coalesce" => (Function::Coalesce, Takes::Alike),
        "nullif" => (Function::NullIf, Takes::Alike),
        "greatest" => (Function::Greatest, Takes::Alike),
        "least" => (Function::Least, Takes::Alike),
        _ => return None,
    })
}

/// Numbers become floats; the digits of `round` stay whole.
fn floats(function: Function, exprs: Vec<Expr>, inputs: &Inputs<'_>) -> Translated<Vec<Expr>> {
    let mut floats = Vec::with_capacity(exprs.len());
    for (at, expr) in exprs.into_iter().enumerate() {
        let from = agree::data_type(&expr, inputs)?;
        let digits = function == Function::Round && at == 1;
        let wanted = if digits { Type::Int } else { Type::Float };
        if !from.is_number() {
            return Err(Unplannable::IllTyped);
        }
        floats.push(agree::cast(expr, from, wanted));
    }
    Ok(floats)
}

/// The part is a literal in lower case; a text is no moment.
fn dated(name: &str, exprs: Vec<Expr>, inputs: &Inputs<'_>) -> Translated<Expr> {
    let function = if name == "date_part" {
        Function::DatePart
    } else {
        Function::DateTrunc
    };
    let refused = || Unplannable::Unsupported("this part of a date");
    let Ok([Expr::Literal(Literal::Text(part)), moment]) = <[Expr; 2]>::try_from(exprs) else {
        return Err(refused());
    };
    let from = agree::data_type(&moment, inputs)?;
    if !matches!(from, Type::Date | Type::Timestamp) {
        return Err(Unplannable::IllTyped);
    }
    let part = part.trim_matches('\'').to_ascii_lowercase();
    let call = Expr::call(function, [Expr::Literal(Literal::Text(part)), moment]);
    call.field(&inputs.fields).map_err(|_| refused())?;
    Ok(call)
}
