//! The data, described for those who open it. Source: Frictionless Data Package 2.0, Table Schema.

use crate::Manifest;
use crate::package::DATA_FILE;
use chrono::SecondsFormat;
use lineage::Column;
use serde_json::{Value, json};
use terms::{Digest, Type};

const PROFILE: &str = "https://datapackage.org/profiles/2.0/datapackage.json";
const SCHEMA_PROFILE: &str = "https://datapackage.org/profiles/2.0/tableschema.json";

/// What is told of the data file.
pub(crate) struct File {
    pub digest: Digest,
    pub bytes: u64,
}

/// The `datapackage.json` of an export.
pub(crate) fn document(manifest: &Manifest, file: &File) -> Value {
    let released = manifest.operation.released;
    let sources = manifest.sources.iter().map(|source| {
        json!({
            "title": format!("{} #{}", source.dataset, source.snapshot),
        })
    });
    json!({
        "$schema": PROFILE,
        "name": format!("export-{}", manifest.operation.query),
        "id": manifest.operation.query,
        "title": format!("{} / {}", manifest.operation.domain, manifest.grant.scenario),
        "created": released.to_rfc3339_opts(SecondsFormat::Secs, true),
        "sources": sources.collect::<Vec<_>>(),
        "resources": [{
            "name": "data",
            "path": DATA_FILE,
            "format": "parquet",
            "mediatype": "application/vnd.apache.parquet",
            "bytes": file.bytes,
            "hash": format!("sha256:{}", file.digest),
            "schema": {
                "$schema": SCHEMA_PROFILE,
                "fields": manifest.content.columns.iter().map(field).collect::<Vec<_>>(),
            },
        }],
    })
}

fn field(column: &Column) -> Value {
    let kind = match column.data_type {
        Type::Bool => "boolean",
        Type::Int => "integer",
        Type::Float | Type::Decimal { .. } => "number",
        Type::Text => "string",
        Type::Date => "date",
        Type::Timestamp => "datetime",
        Type::Interval | Type::Witness => "any",
    };
    json!({"name": column.name, "type": kind})
}
