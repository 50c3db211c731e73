use super::{Field, IllTyped, expect, same};
use crate::{
    AggregateCall, AggregateFunction, Cell, Expr, Frame, FrameBound, JoinKind, Literal, Node,
    Noised, Report, Scan, SortKey, Statistic, View, WindowCall, WindowFunction,
};
use terms::{Mask, Type};

impl Node {
    /// The types of the output columns, with everything below checked.
    ///
    /// # Errors
    /// The first part that has no type.
    #[expect(
        clippy::too_many_lines,
        reason = "one arm for each case: a table reads best in one place"
    )]
    pub fn fields(&self) -> Result<Vec<Field>, IllTyped> {
        match self {
            Self::Scan(scan) => scan_fields(scan),
            Self::Values { types, rows } => values(types, rows),
            Self::Project { input, exprs } => {
                let input = input.fields()?;
                exprs.iter().map(|expr| expr.field(&input)).collect()
            }
            Self::Filter { input, predicate } => {
                let input = input.fields()?;
                expect(predicate.field(&input)?, Type::Bool, "filter")?;
                Ok(input)
            }
            Self::Join {
                kind,
                left,
                right,
                on,
                filter,
                ..
            } => {
                let (left, right) = (left.fields()?, right.fields()?);
                join(*kind, left, right, on, filter.as_ref())
            }
            Self::Aggregate {
                input,
                keys,
                aggregates,
            } => {
                let input = input.fields()?;
                let mut fields = Vec::with_capacity(keys.len() + aggregates.len());
                for key in keys {
                    fields.push(plain(key.field(&input)?, "a group key")?);
                }
                for call in aggregates {
                    fields.push(aggregate(call, &input)?);
                }
                Ok(fields)
            }
            Self::Window { input, calls } => {
                let input = input.fields()?;
                let mut fields = input.clone();
                for call in calls {
                    fields.push(window(call, &input)?);
                }
                Ok(fields)
            }
            Self::Sort { input, keys, .. } => {
                let input = input.fields()?;
                sort_keys(keys, &input)?;
                Ok(input)
            }
            Self::Limit { input, .. } => input.fields(),
            Self::Distinct { input } => {
                let input = input.fields()?;
                input
                    .iter()
                    .try_for_each(|field| plain(*field, "distinct").map(|_| ()))?;
                Ok(input)
            }
            Self::Union { inputs } => union(inputs),
            Self::Withhold {
                input,
                cells,
                reports,
            } => {
                let input = input.fields()?;
                cells.iter().try_for_each(|cell| withhold(cell, &input))?;
                reports.iter().try_for_each(|at| reported(at, &input))?;
                Ok(input)
            }
        }
    }
}

fn plain(field: Field, whose: &str) -> Result<Field, IllTyped> {
    if field.data_type.is_plain() {
        Ok(field)
    } else {
        Err(IllTyped::new(format!(
            "{whose} of type {}",
            field.data_type
        )))
    }
}

fn scan_fields(scan: &Scan) -> Result<Vec<Field>, IllTyped> {
    let mut fields = Vec::with_capacity(scan.columns.len());
    for column in &scan.columns {
        let fits = match &column.view {
            View::Catalogue | View::Raw => column.data_type.is_plain(),
            View::Row | View::Subject => column.data_type == Type::Int,
            View::Masked(mask, _) => masked(Mask::from(*mask), column.data_type),
        };
        if !fits {
            return Err(IllTyped::new(format!(
                "a scan of {} as {:?}",
                column.data_type, column.view
            )));
        }
        fields.push(Field::of(column.data_type, true));
    }
    if let Some(rows) = &scan.rows {
        let items: Vec<Field> = rows
            .items
            .iter()
            .map(|(_, t)| Field::of(*t, true))
            .collect();
        expect(rows.predicate.field(&items)?, Type::Bool, "row policy")?;
    }
    Ok(fields)
}

/// Whether a mask can show a value of this type.
fn masked(mask: Mask, shown: Type) -> bool {
    match mask {
        Mask::Plain => shown.is_plain(),
        Mask::Suppress => false,
        Mask::Redact | Mask::Token | Mask::Partial { .. } | Mask::Prefix(_) => shown == Type::Text,
        Mask::Band(_) => shown.is_number(),
        Mask::Year | Mask::Month => matches!(shown, Type::Date | Type::Timestamp),
    }
}

fn values(types: &[Type], rows: &[Vec<Literal>]) -> Result<Vec<Field>, IllTyped> {
    for row in rows {
        let fits = row.len() == types.len()
            && row
                .iter()
                .zip(types)
                .all(|(value, wanted)| value.data_type() == *wanted);
        if !fits {
            return Err(IllTyped::new("a row of values that does not fit its types"));
        }
    }
    if types.iter().all(|data_type| data_type.is_plain()) {
        Ok(types
            .iter()
            .map(|data_type| Field::of(*data_type, true))
            .collect())
    } else {
        Err(IllTyped::new("values of a type that is not plain"))
    }
}

fn join(
    kind: JoinKind,
    left: Vec<Field>,
    right: Vec<Field>,
    on: &[(Expr, Expr)],
    filter: Option<&Expr>,
) -> Result<Vec<Field>, IllTyped> {
    for (ours, theirs) in on {
        let ours = plain(ours.field(&left)?, "a join key")?;
        same(ours, theirs.field(&right)?, "join")?;
    }
    let loose = |fields: &[Field]| -> Vec<Field> {
        fields
            .iter()
            .map(|field| Field::of(field.data_type, true))
            .collect()
    };
    let both = |left: Vec<Field>, right: Vec<Field>| [left, right].concat();
    if let Some(filter) = filter {
        let columns = both(left.clone(), right.clone());
        expect(filter.field(&columns)?, Type::Bool, "join")?;
    }
    Ok(match kind {
        JoinKind::Inner => both(left, right),
        JoinKind::Left => both(left, loose(&right)),
        JoinKind::Right => both(loose(&left), right),
        JoinKind::Full => both(loose(&left), loose(&right)),
        JoinKind::Semi | JoinKind::Anti => left,
        JoinKind::Mark => both(left, vec![Field::of(Type::Bool, true)]),
    })
}

fn aggregate(call: &AggregateCall, input: &[Field]) -> Result<Field, IllTyped> {
    if let Some(filter) = &call.filter {
        expect(filter.field(input)?, Type::Bool, "filter")?;
    }
    let mut fields = Vec::with_capacity(call.arguments.len());
    for argument in &call.arguments {
        fields.push(argument.field(input)?);
    }
    if call.distinct && (fields.len() != 1 || call.function.is_confined()) {
        return Err(IllTyped::new("distinct takes one argument"));
    }
    aggregate_type(call.function, &fields)
}

/// Sum and average of decimals widen as the engine's do.
#[expect(
    clippy::too_many_lines,
    reason = "one arm for each case: a table reads best in one place"
)]
fn aggregate_type(function: AggregateFunction, fields: &[Field]) -> Result<Field, IllTyped> {
    let wrong = || IllTyped::new(format!("{} over these arguments", function.word()));
    match (function, fields) {
        (AggregateFunction::Count, []) => Ok(Field::of(Type::Int, false)),
        (AggregateFunction::Count, [value]) => {
            plain(*value, "count").map(|_| Field::of(Type::Int, false))
        }
        (AggregateFunction::Sum, [value]) => match value.data_type {
            Type::Int | Type::Float => Ok(Field::of(value.data_type, true)),
            Type::Decimal { precision, scale } => {
                let precision = precision.saturating_add(10).min(38);
                Ok(Field::of(Type::Decimal { precision, scale }, true))
            }
            _ => Err(wrong()),
        },
        (AggregateFunction::Avg, [value]) => match value.data_type {
            Type::Float => Ok(Field::of(Type::Float, true)),
            Type::Decimal { precision, scale } => {
                let precision = precision.saturating_add(4).min(38);
                let scale = scale.saturating_add(4).min(precision);
                Ok(Field::of(Type::Decimal { precision, scale }, true))
            }
            _ => Err(wrong()),
        },
        (
            AggregateFunction::StddevSample
            | AggregateFunction::StddevPopulation
            | AggregateFunction::VarianceSample
            | AggregateFunction::VariancePopulation,
            [value],
        ) if value.data_type == Type::Float => Ok(Field::of(Type::Float, true)),
        (AggregateFunction::Min | AggregateFunction::Max, [value]) => {
            plain(*value, function.word()).map(|field| Field::of(field.data_type, true))
        }
        (AggregateFunction::Witness, [subject, row, value])
            if subject.data_type == Type::Int
                && row.data_type == Type::Int
                && value.data_type == Type::Float =>
        {
            Ok(Field::of(Type::Witness, false))
        }
        (AggregateFunction::WitnessUnion, [witness]) if witness.data_type == Type::Witness => {
            Ok(Field::of(Type::Witness, false))
        }
        (AggregateFunction::Median, [value]) if value.data_type == Type::Float => {
            Ok(Field::of(Type::Float, true))
        }
        (AggregateFunction::Percentile, [value, share])
            if value.data_type == Type::Float && share.data_type == Type::Float =>
        {
            Ok(Field::of(Type::Float, true))
        }
        (AggregateFunction::SafeQuantile, [value, subject, share, k, band])
            if value.data_type == Type::Float
                && subject.data_type == Type::Int
                && share.data_type == Type::Float
                && k.data_type == Type::Int
                && band.data_type == Type::Float =>
        {
            Ok(Field::of(Type::Float, true))
        }
        (AggregateFunction::SafeMin | AggregateFunction::SafeMax, [value, subject, k, band])
            if value.data_type == Type::Float
                && subject.data_type == Type::Int
                && k.data_type == Type::Int
                && band.data_type == Type::Float =>
        {
            Ok(Field::of(Type::Float, true))
        }
        (AggregateFunction::SharedMin | AggregateFunction::SharedMax, [value, subject, k])
            if value.data_type.is_plain()
                && subject.data_type == Type::Int
                && k.data_type == Type::Int =>
        {
            Ok(Field::of(value.data_type, true))
        }
        _ => Err(wrong()),
    }
}

fn window(call: &WindowCall, input: &[Field]) -> Result<Field, IllTyped> {
    for key in &call.partition {
        plain(key.field(input)?, "a partition key")?;
    }
    sort_keys(&call.order, input)?;
    frame(call)?;
    let mut fields = Vec::with_capacity(call.arguments.len());
    for argument in &call.arguments {
        fields.push(argument.field(input)?);
    }
    match (call.function, fields.as_slice()) {
        (WindowFunction::RowNumber | WindowFunction::Rank | WindowFunction::DenseRank, []) => {
            Ok(Field::of(Type::Int, false))
        }
        (WindowFunction::FirstValue | WindowFunction::LastValue, [value]) => {
            plain(*value, "a window").map(|field| Field::of(field.data_type, true))
        }
        (WindowFunction::Lag | WindowFunction::Lead, [value, rest @ ..]) => lag(call, *value, rest),
        (WindowFunction::Aggregate(function), fields) if !function.is_confined() => {
            aggregate_type(function, fields)
        }
        _ => Err(IllTyped::new("a window function over these arguments")),
    }
}

/// `lag` and `lead` take a literal distance and a literal default.
fn lag(call: &WindowCall, value: Field, rest: &[Field]) -> Result<Field, IllTyped> {
    let literal = |at: usize| matches!(call.arguments.get(at), Some(Expr::Literal(_)));
    match rest {
        [] => {}
        [distance] if literal(1) => expect(*distance, Type::Int, "lag")?,
        [distance, default] if literal(1) && literal(2) => {
            expect(*distance, Type::Int, "lag")?;
            same(value, *default, "lag")?;
        }
        _ => {
            return Err(IllTyped::new(
                "lag takes a value, a literal distance and a literal default",
            ));
        }
    }
    plain(value, "a window").map(|field| Field::of(field.data_type, true))
}

/// A frame begins no later than it ends, and only frames of rows count them. Source: SQL,
/// `<window frame clause>`; the engine says so only once it plans.
fn frame(call: &WindowCall) -> Result<(), IllTyped> {
    use FrameBound::{CurrentRow, Following, Preceding, UnboundedFollowing, UnboundedPreceding};
    let Frame { rows, start, end } = call.frame;
    let forwards = match (start, end) {
        (UnboundedFollowing, _) | (_, UnboundedPreceding) => false,
        (Following(_), Preceding(_) | CurrentRow) | (CurrentRow, Preceding(_)) => false,
        (Preceding(from), Preceding(to)) => from >= to,
        (Following(from), Following(to)) => from <= to,
        _ => true,
    };
    // Past that, the engine's row numbers wrap around and the frame is empty.
    let countable = |bound| match bound {
        Preceding(count) | Following(count) => rows && i64::try_from(count).is_ok(),
        _ => true,
    };
    if forwards && countable(start) && countable(end) {
        Ok(())
    } else {
        Err(IllTyped::new("a window frame that has no meaning"))
    }
}

fn sort_keys(keys: &[SortKey], input: &[Field]) -> Result<(), IllTyped> {
    for key in keys {
        plain(key.expr.field(input)?, "a sort key")?;
    }
    Ok(())
}

fn union(inputs: &[Node]) -> Result<Vec<Field>, IllTyped> {
    let mut united: Option<Vec<Field>> = None;
    for input in inputs {
        let fields = input.fields()?;
        let Some(first) = &mut united else {
            united = Some(fields);
            continue;
        };
        if first.len() != fields.len() {
            return Err(IllTyped::new("a union of inputs of different width"));
        }
        for (ours, theirs) in first.iter_mut().zip(&fields) {
            same(*ours, *theirs, "union")?;
            ours.nullable |= theirs.nullable;
        }
    }
    united.ok_or_else(|| IllTyped::new("a union of nothing"))
}

fn reported(report: &Report, input: &[Field]) -> Result<(), IllTyped> {
    let index = usize::try_from(report.witness).ok();
    let field = index.and_then(|index| input.get(index));
    if field.is_none_or(|field| field.data_type != Type::Witness) {
        return Err(IllTyped::new("a report without its witness"));
    }
    let fits = |noised: &Noised| {
        let index = usize::try_from(noised.column).ok();
        let field = index.and_then(|index| input.get(index));
        match noised.statistic {
            Statistic::Count => field.is_some_and(|field| field.data_type == Type::Int),
            Statistic::Sum | Statistic::Mean => field.is_some_and(|f| f.data_type.is_number()),
        }
    };
    if report.noised.iter().all(fits) {
        Ok(())
    } else {
        Err(IllTyped::new("noise on what is no number"))
    }
}

fn withhold(cell: &Cell, input: &[Field]) -> Result<(), IllTyped> {
    let index = usize::try_from(cell.witness).ok();
    let field = index.and_then(|index| input.get(index));
    let fits = match field.map(|field| field.data_type) {
        Some(Type::Witness) => true,
        Some(Type::Int) => cell.check.is_count(),
        _ => false,
    };
    if fits && cell.check.k >= 1 {
        Ok(())
    } else {
        Err(IllTyped::new("a cell without its witness"))
    }
}
