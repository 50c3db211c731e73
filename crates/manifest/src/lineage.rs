//! Where each column comes from. Source: OpenLineage 2-0-2, ColumnLineage 1-2-0.

use crate::manifest::{Column, Manifest};
use chrono::SecondsFormat;
use serde_json::{Map, Value, json};
use terms::Origin;

const PRODUCER: &str = "https://bonded.dev";
const EVENT_SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
const COLUMNS_SCHEMA: &str =
    "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json";

/// The lineage document of an export.
pub(crate) fn document(manifest: &Manifest) -> Value {
    let namespace = format!("bonded://{}", manifest.operation.domain);
    let query = manifest.operation.query.as_str();
    let inputs: Vec<Value> = manifest
        .sources
        .iter()
        .map(|source| json!({ "namespace": namespace, "name": source.dataset }))
        .collect();
    let mut fields = Map::new();
    for column in &manifest.content.columns {
        let inputs = column
            .sources
            .iter()
            .map(|origin| input(&namespace, origin));
        // Two columns may share a name; their sources are told together.
        let field = fields
            .entry(column.name.clone())
            .or_insert_with(|| json!([]));
        if let Value::Array(all) = field {
            all.extend(inputs);
        }
    }
    let influences = manifest.content.influences.iter();
    let dataset: Vec<Value> = influences.map(|origin| input(&namespace, origin)).collect();
    for inputs in fields.values_mut() {
        let all = inputs.take();
        *inputs = json!({ "inputFields": all });
    }
    json!({
        "eventType": "COMPLETE",
        "eventTime": manifest.operation.released.to_rfc3339_opts(SecondsFormat::Micros, true),
        "producer": PRODUCER,
        "schemaURL": EVENT_SCHEMA,
        "run": { "runId": uuid(query) },
        "job": { "namespace": namespace, "name": manifest.grant.scenario },
        "inputs": inputs,
        "outputs": [{
            "namespace": namespace,
            "name": format!("export/{query}"),
            "facets": {
                "columnLineage": {
                    "_producer": PRODUCER,
                    "_schemaURL": COLUMNS_SCHEMA,
                    "fields": fields,
                    "dataset": dataset,
                },
                "schema": {
                    "_producer": PRODUCER,
                    "_schemaURL": "https://openlineage.io/spec/facets/1-1-1/SchemaDatasetFacet.json",
                    "fields": manifest.content.columns.iter().map(field).collect::<Vec<_>>(),
                },
            },
        }],
    })
}

fn field(column: &Column) -> Value {
    json!({ "name": column.name, "type": column.data_type })
}

fn input(namespace: &str, origin: &Origin) -> Value {
    let (kind, subtype) = origin.flow.words();
    json!({
        "namespace": namespace,
        "name": origin.dataset,
        "field": origin.item,
        "transformations": [{
            "type": kind,
            "subtype": subtype,
            "description": origin.way,
            "masking": origin.is_masked(),
        }],
    })
}

/// A query id in the form of a UUID, which a run id must have.
fn uuid(query: &str) -> String {
    let mut text = String::new();
    for (place, digit) in query.chars().enumerate() {
        if [8, 12, 16, 20].contains(&place) {
            text.push('-');
        }
        text.push(digit.to_ascii_lowercase());
    }
    text
}
