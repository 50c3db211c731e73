//! The one schema of a result: the same for prepare, GetSchema, GetFlightInfo and DoGet.

use crate::{Withheld, notice};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use confine::Confined;
use std::{collections::HashMap, sync::Arc};
use terms::Type;

/// What a result's client sees: flat plain types, all nullable, names as the statement gave them, and
/// metadata of ours alone.
///
/// # Errors
/// [`Withheld::Misshapen`] if a column has a type that never leaves.
pub fn schema(confined: &Confined) -> Result<SchemaRef, Withheld> {
    let field = |column: &confine::OutputColumn| {
        Some(Field::new(
            &column.name,
            arrow_type(column.data_type)?,
            true,
        ))
    };
    let fields: Option<Fields> = confined.columns().iter().map(field).collect();
    let mut metadata =
        HashMap::from([("bonded.register".to_owned(), confined.register().to_owned())]);
    let left_out = serde_json::to_string(confined.left_out()).map_err(|_| Withheld::Misshapen)?;
    metadata.insert("bonded.left_out".to_owned(), left_out);
    if confined.notice_possible() {
        metadata.insert("bonded.notice".to_owned(), notice::STANDING.to_owned());
    }
    let fields = fields.ok_or(Withheld::Misshapen)?;
    Ok(Arc::new(Schema::new_with_metadata(fields, metadata)))
}

fn arrow_type(data_type: Type) -> Option<DataType> {
    match data_type {
        Type::Bool => Some(DataType::Boolean),
        Type::Int => Some(DataType::Int64),
        Type::Float => Some(DataType::Float64),
        Type::Decimal { precision, scale } => {
            Some(DataType::Decimal128(precision, i8::try_from(scale).ok()?))
        }
        Type::Text => Some(DataType::Utf8),
        Type::Date => Some(DataType::Date32),
        Type::Timestamp => Some(DataType::Timestamp(TimeUnit::Microsecond, None)),
        Type::Interval | Type::Witness => None,
    }
}
