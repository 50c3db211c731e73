use super::metadata;
use arrow::{
    array::{Array, AsArray, RecordBatch},
    compute::cast,
    datatypes::{
        DataType, Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType,
    },
};
use plan::Literal;
use terms::Type;

/// The first row of a batch as literals of these types; none where they do not fit.
pub(super) fn literals(batch: &RecordBatch, types: &[Type]) -> Option<Vec<Literal>> {
    if batch.num_columns() != types.len() || batch.num_rows() != 1 {
        return None;
    }
    let values = batch.columns().iter().zip(types).map(|(column, wanted)| {
        let engine = metadata::arrow_type(*wanted);
        let column = cast(column, &engine).ok()?;
        literal(&column, *wanted)
    });
    values.collect()
}

fn literal(column: &dyn Array, wanted: Type) -> Option<Literal> {
    if column.is_null(0) || column.data_type() == &DataType::Null {
        return Some(Literal::Null(wanted));
    }
    Some(match wanted {
        Type::Bool => Literal::Bool(column.as_boolean_opt()?.value(0)),
        Type::Int => Literal::Int(column.as_primitive_opt::<Int64Type>()?.value(0)),
        Type::Float => Literal::Float(column.as_primitive_opt::<Float64Type>()?.value(0).to_bits()),
        Type::Decimal { precision, scale } => Literal::Decimal {
            unscaled: column.as_primitive_opt::<Decimal128Type>()?.value(0),
            precision,
            scale,
        },
        Type::Text => Literal::Text(column.as_string_opt::<i32>()?.value(0).to_owned()),
        Type::Date => Literal::Date(column.as_primitive_opt::<Date32Type>()?.value(0)),
        Type::Timestamp => Literal::Timestamp(
            column
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .value(0),
        ),
        Type::Interval | Type::Witness => return None,
    })
}
