//! Runs as OpenLineage events. Source: OpenLineage 2-0-2, ColumnLineage 1-2-0.

use crate::{Column, Drawn, How, Moved, Run};
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};
use terms::{Action, DatasetName, DomainName, Origin, QueryId, Reference};

const PRODUCER: &str = "https://bonded.dev";
const EVENT_SCHEMA: &str = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
const FACETS: &str = "https://openlineage.io/spec/facets";
/// What an input is described as where its part in the columns is no longer known.
const UNRESOLVED: &str = "unresolved";

/// Gives the events of a domain's runs: START, and one of COMPLETE, FAIL and ABORT, under one run id.
/// An operation that asks for the decision alone is no run.
#[derive(Debug, Clone)]
pub struct Emitter {
    namespace: String,
}

/// What is told of an export in its package.
#[derive(Debug)]
pub struct Export<'a> {
    /// Which operation.
    pub query: &'a QueryId,
    /// For which scenario.
    pub scenario: &'a str,
    /// When it was released.
    pub released: DateTime<Utc>,
    /// Rows and bytes.
    pub size: (u64, u64),
}

// === impl Emitter ===

impl Emitter {
    /// Of this domain.
    #[must_use]
    pub fn new(domain: &DomainName) -> Self {
        Self {
            namespace: format!("bonded://{domain}"),
        }
    }

    /// The events that a step of a run makes, in order.
    #[must_use]
    pub fn events(&self, moved: &Moved) -> Vec<Value> {
        match moved {
            Moved::Decided(run) => {
                let name = run.product();
                let begins = name.is_some() || run.action == Action::Materialise;
                let start = begins.then(|| self.start(run, name.as_deref()));
                start.into_iter().collect()
            }
            Moved::Ended(run) => self.ended(run),
        }
    }

    fn ended(&self, run: &Run) -> Vec<Value> {
        let name = run.product();
        let Some(end) = run.end.as_ref().filter(|_| run.action != Action::Explain) else {
            return Vec::new();
        };
        let mut events = Vec::new();
        if run.decision.is_none() {
            events.push(self.start(run, name.as_deref()));
        }
        let (kind, size, error) = match &end.how {
            How::Released { rows, bytes, .. } => ("COMPLETE", Some((*rows, *bytes)), None),
            How::Refused { code } | How::Failed { code } => ("FAIL", None, Some(code.as_str())),
            How::Abandoned { .. } => ("ABORT", None, None),
        };
        let mut event = self.event(run, kind, end.at);
        let facets = self.output_facets(run);
        let mut output = json!({"namespace": self.namespace, "name": name, "facets": facets});
        // How many rows are kept is told nowhere.
        if let Some((rows, bytes)) = size.filter(|_| run.action != Action::Materialise) {
            set(
                &mut output,
                "outputFacets",
                json!({"outputStatistics": statistics(rows, bytes)}),
            );
        }
        if let Some(code) = error {
            let facet = json!({"errorMessage": {
                "_producer": PRODUCER,
                "_schemaURL": format!("{FACETS}/1-0-1/ErrorMessageRunFacet.json"),
                "message": code,
                "programmingLanguage": "SQL",
            }});
            if let Some(run) = event.get_mut("run") {
                set(run, "facets", facet);
            }
        }
        let outputs: Vec<Value> = name.map(|_| output).into_iter().collect();
        set(&mut event, "outputs", json!(outputs));
        events.push(event);
        events
    }

    fn start(&self, run: &Run, name: Option<&str>) -> Value {
        let mut event = self.event(run, "START", run.opened);
        let output = name.map(|name| json!({"namespace": self.namespace, "name": name}));
        let outputs: Vec<Value> = output.into_iter().collect();
        set(&mut event, "outputs", json!(outputs));
        event
    }

    fn event(&self, run: &Run, kind: &str, at: DateTime<Utc>) -> Value {
        let job = run.scenario.as_ref().map_or("none", |id| id.as_str());
        let mut event = self.frame(kind, (&run.query, job), at);
        if let Some(facet) = event.pointer_mut("/job/facets/jobType/jobType") {
            *facet = json!(match run.action {
                Action::Query => "QUERY",
                Action::Export => "EXPORT",
                Action::Explain => "EXPLAIN",
                Action::Materialise => "MATERIALISE",
            });
        }
        set(&mut event, "inputs", Value::Array(self.inputs(run)));
        event
    }

    fn frame(&self, kind: &str, (query, job): (&QueryId, &str), at: DateTime<Utc>) -> Value {
        json!({
            "eventType": kind,
            "eventTime": at.to_rfc3339_opts(SecondsFormat::Micros, true),
            "producer": PRODUCER,
            "schemaURL": EVENT_SCHEMA,
            "run": {"runId": uuid(query.as_str())},
            "job": {
                "namespace": self.namespace,
                "name": job,
                "facets": {"jobType": {
                    "_producer": PRODUCER,
                    "_schemaURL": format!("{FACETS}/2-0-4/JobTypeJobFacet.json"),
                    "processingType": "BATCH",
                    "integration": "BONDED",
                    "jobType": "EXPORT",
                }},
            },
        })
    }

    /// The datasets read; where the lineage is gone, those that the leaf itself refers to.
    fn inputs(&self, run: &Run) -> Vec<Value> {
        let Some(decision) = &run.decision else {
            return Vec::new();
        };
        match &decision.drawn {
            Some(drawn) => self.drawn_inputs(drawn),
            None => {
                let mut names: Vec<&DatasetName> =
                    decision.references.iter().map(|r| &r.dataset).collect();
                names.dedup();
                let told = names
                    .into_iter()
                    .map(|name| json!({"namespace": self.namespace, "name": name}));
                told.collect()
            }
        }
    }

    fn drawn_inputs(&self, drawn: &Drawn) -> Vec<Value> {
        let told = drawn.inputs.iter().map(|input| {
            json!({
                "namespace": self.namespace,
                "name": input.dataset,
                "facets": {"version": {
                    "_producer": PRODUCER,
                    "_schemaURL": format!("{FACETS}/1-0-1/DatasetVersionDatasetFacet.json"),
                    "datasetVersion": input.snapshot.to_string(),
                }},
            })
        });
        told.collect()
    }

    fn output_facets(&self, run: &Run) -> Value {
        let Some(decision) = &run.decision else {
            return json!({});
        };
        match &decision.drawn {
            Some(drawn) => self.column_facets(drawn),
            None => {
                let references = decision.references.iter();
                let dataset: Vec<Value> = references.map(|r| self.unresolved(r)).collect();
                json!({"columnLineage": lineage_facet(Map::new(), dataset)})
            }
        }
    }

    fn column_facets(&self, drawn: &Drawn) -> Value {
        let mut fields: Map<String, Value> = Map::new();
        for column in &drawn.columns {
            let inputs = column.sources.iter().map(|origin| self.input(origin));
            // Two columns may share a name; their sources are told together.
            let field = fields
                .entry(column.name.clone())
                .or_insert_with(|| json!([]));
            if let Value::Array(all) = field {
                all.extend(inputs);
            }
        }
        for inputs in fields.values_mut() {
            let all = inputs.take();
            *inputs = json!({"inputFields": all});
        }
        let influences = drawn.influences.iter();
        let dataset: Vec<Value> = influences.map(|origin| self.input(origin)).collect();
        json!({
            "columnLineage": lineage_facet(fields, dataset),
            "schema": {
                "_producer": PRODUCER,
                "_schemaURL": format!("{FACETS}/1-2-0/SchemaDatasetFacet.json"),
                "fields": drawn.columns.iter().enumerate().map(field).collect::<Vec<_>>(),
            },
        })
    }

    fn input(&self, origin: &Origin) -> Value {
        let (kind, subtype) = origin.flow.words();
        json!({
            "namespace": self.namespace,
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

    /// A source whose part is no longer known has a part all the same. That it was masked is known.
    fn unresolved(&self, reference: &Reference) -> Value {
        let bare = ["plain", "raw-aggregate", "row-policy", "subject"];
        json!({
            "namespace": self.namespace,
            "name": reference.dataset,
            "field": reference.item,
            "transformations": [{
                "type": "INDIRECT",
                "description": UNRESOLVED,
                "masking": !bare.contains(&reference.way.as_str()),
            }],
        })
    }
}

/// The lineage document of an export's package: the event of its completion.
#[must_use]
pub fn document(domain: &DomainName, export: &Export<'_>, drawn: &Drawn) -> Value {
    let emitter = Emitter::new(domain);
    let mut event = emitter.frame("COMPLETE", (export.query, export.scenario), export.released);
    let (rows, bytes) = export.size;
    set(
        &mut event,
        "inputs",
        Value::Array(emitter.drawn_inputs(drawn)),
    );
    set(
        &mut event,
        "outputs",
        json!([{
            "namespace": emitter.namespace,
            "name": format!("export/{}", export.query),
            "facets": emitter.column_facets(drawn),
            "outputFacets": {"outputStatistics": statistics(rows, bytes)},
        }]),
    );
    event
}

fn lineage_facet(fields: Map<String, Value>, dataset: Vec<Value>) -> Value {
    json!({
        "_producer": PRODUCER,
        "_schemaURL": format!("{FACETS}/1-2-0/ColumnLineageDatasetFacet.json"),
        "fields": fields,
        "dataset": dataset,
    })
}

fn statistics(rows: u64, bytes: u64) -> Value {
    json!({
        "_producer": PRODUCER,
        "_schemaURL": format!("{FACETS}/1-0-2/OutputStatisticsOutputDatasetFacet.json"),
        "rowCount": rows,
        "size": bytes,
    })
}

fn field((place, column): (usize, &Column)) -> Value {
    json!({
        "name": column.name,
        "type": column.data_type,
        "ordinal_position": place + 1,
    })
}

fn set(object: &mut Value, member: &str, value: Value) {
    if let Value::Object(members) = object {
        members.insert(member.to_owned(), value);
    }
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
