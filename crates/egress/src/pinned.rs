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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage;
    use plan::Literal;

    fn metadata(schema: &Schema, key: &str) -> Option<String> {
        schema.metadata().get(&format!("bonded.{key}")).cloned()
    }

    #[test]
    fn every_type_is_pinned_flat_plain_and_nullable() {
        let schema = schema(&stage::values(&[
            Literal::Bool(true),
            Literal::Int(1),
            Literal::Float(1),
            Literal::Decimal {
                unscaled: 1,
                precision: 12,
                scale: 2,
            },
            Literal::Text("a".to_owned()),
            Literal::Date(1),
            Literal::Timestamp(1),
        ]));
        let schema = schema.unwrap();
        let wanted = [
            DataType::Boolean,
            DataType::Int64,
            DataType::Float64,
            DataType::Decimal128(12, 2),
            DataType::Utf8,
            DataType::Date32,
            DataType::Timestamp(TimeUnit::Microsecond, None),
        ];
        let field = |(at, data_type)| Field::new(format!("c{at}"), data_type, true);
        let wanted: Fields = wanted.into_iter().enumerate().map(field).collect();
        assert_eq!(schema.fields(), &wanted);
        assert_eq!(metadata(&schema, "register").as_deref(), Some("none"));
        assert_eq!(metadata(&schema, "left_out").as_deref(), Some("[]"));
        assert_eq!(metadata(&schema, "notice"), None);
    }

    #[test]
    fn a_schema_tells_what_may_be_withheld_and_what_is_left_out() {
        let schema = schema(&stage::counted()).unwrap();
        assert_eq!(schema.fields().len(), 2, "no witness is pinned");
        assert_eq!(
            metadata(&schema, "notice").as_deref(),
            Some(notice::STANDING)
        );
        let schema = super::schema(&stage::left_out()).unwrap();
        assert_eq!(schema.fields().len(), 1);
        let told = metadata(&schema, "left_out").unwrap();
        assert_eq!(told, r#"[{"dataset":"city.citizen","item":"income"}]"#);
    }

    #[test]
    fn what_is_no_plain_type_never_leaves() {
        assert_eq!(arrow_type(Type::Interval), None);
        assert_eq!(arrow_type(Type::Witness), None);
    }
}
