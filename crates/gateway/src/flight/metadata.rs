use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema, TimeUnit},
};
use arrow_flight::sql::{
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetTables, SqlInfo,
    metadata::{SqlInfoData, SqlInfoDataBuilder},
};
use confine::Table;
use std::{collections::BTreeSet, sync::Arc};
use terms::Type;

/// The one catalogue's name.
const CATALOG: &str = "bonded";
/// The one table type.
const TABLE: &str = "TABLE";

type Made = Result<RecordBatch, arrow_flight::error::FlightError>;

pub(super) fn catalogs(query: CommandGetCatalogs) -> Made {
    let mut builder = query.into_builder();
    builder.append(CATALOG);
    builder.build()
}

pub(super) fn schemas(query: CommandGetDbSchemas, tables: &[Table]) -> Made {
    let mut builder = query.into_builder();
    let names: BTreeSet<&str> = tables.iter().map(|table| table.dataset.schema()).collect();
    names
        .into_iter()
        .for_each(|name| builder.append(CATALOG, name));
    builder.build()
}

pub(super) fn tables(query: CommandGetTables, tables: &[Table]) -> Made {
    let mut builder = query.into_builder();
    for table in tables {
        let fields = table.columns.iter().map(|(name, data_type)| {
            let kind = data_type.to_string();
            Field::new(name.as_str(), arrow_type(*data_type), true)
                .with_metadata([("ARROW:FLIGHT:SQL:TYPE_NAME".to_owned(), kind)].into())
        });
        let schema = Schema::new(fields.collect::<Vec<_>>());
        let (name, of) = (table.dataset.table(), table.dataset.schema());
        builder.append(CATALOG, of, name, TABLE, &schema)?;
    }
    builder.build()
}

pub(super) fn table_types() -> Made {
    let schema = Schema::new(vec![Field::new("table_type", DataType::Utf8, false)]);
    let column: ArrayRef = Arc::new(StringArray::from(vec![TABLE]));
    Ok(RecordBatch::try_new(Arc::new(schema), vec![column])?)
}

/// The keys of tables: none are told. Primary keys have one schema, the other questions another.
pub(super) fn no_keys(primary: bool) -> RecordBatch {
    let text = |name, nullable| Field::new(name, DataType::Utf8, nullable);
    let number = |name, data_type| Field::new(name, data_type, false);
    let fields = if primary {
        vec![
            text("catalog_name", true),
            text("db_schema_name", true),
            text("table_name", false),
            text("column_name", false),
            number("key_sequence", DataType::Int32),
            text("key_name", true),
        ]
    } else {
        vec![
            text("pk_catalog_name", true),
            text("pk_db_schema_name", true),
            text("pk_table_name", false),
            text("pk_column_name", false),
            text("fk_catalog_name", true),
            text("fk_db_schema_name", true),
            text("fk_table_name", false),
            text("fk_column_name", false),
            number("key_sequence", DataType::Int32),
            text("fk_key_name", true),
            text("pk_key_name", true),
            number("update_rule", DataType::UInt8),
            number("delete_rule", DataType::UInt8),
        ]
    };
    RecordBatch::new_empty(Arc::new(Schema::new(fields)))
}

/// What the server says of itself.
pub(super) fn sql_info() -> Option<SqlInfoData> {
    let mut info = SqlInfoDataBuilder::new();
    info.append(SqlInfo::FlightSqlServerName, "bonded");
    info.append(SqlInfo::FlightSqlServerVersion, env!("CARGO_PKG_VERSION"));
    info.append(SqlInfo::FlightSqlServerArrowVersion, "1.3");
    info.append(SqlInfo::FlightSqlServerReadOnly, true);
    info.append(SqlInfo::FlightSqlServerSql, true);
    info.append(SqlInfo::FlightSqlServerSubstrait, false);
    info.append(SqlInfo::FlightSqlServerTransaction, 0i32);
    info.append(SqlInfo::FlightSqlServerCancel, false);
    info.append(SqlInfo::SqlIdentifierQuoteChar, "\"");
    info.build().ok()
}

/// The Arrow type of a plan type, as results have it.
pub(super) fn arrow_type(data_type: Type) -> DataType {
    match data_type {
        Type::Bool => DataType::Boolean,
        Type::Int => DataType::Int64,
        Type::Float => DataType::Float64,
        Type::Decimal { precision, scale } => {
            DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(0))
        }
        Type::Text | Type::Interval | Type::Witness => DataType::Utf8,
        Type::Date => DataType::Date32,
        Type::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
    }
}
