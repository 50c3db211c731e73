use register::{Redactions, State};
use serde_json::Value;
use terms::{Event, LicenceId, Person, PersonId, ScenarioId};

/// A management step as the request it was.
#[derive(Debug)]
pub(super) struct Step {
    pub action: &'static str,
    /// Who took it; none where the person was not on record.
    pub by: Option<Person>,
    /// Who submitted what it is about.
    pub submitter: Option<PersonId>,
}

/// Which action an event records, by its name and its `stage` or `step`, as the schema names actions.
pub(super) const ACTIONS: [(&str, &str, &str); 15] = [
    ("person-enrolled", "", "enrolPerson"),
    ("operator-registered", "", "registerOperator"),
    ("dataset-catalogued", "", "catalogueDataset"),
    ("dataset-loaded", "", "loadDataset"),
    ("licence-step", "applied", "applyLicence"),
    ("licence-step", "reviewed", "reviewLicence"),
    ("licence-step", "noticed", "noticeLicence"),
    ("licence-step", "granted", "grantLicence"),
    ("scenario-step", "applied", "applyScenario"),
    ("scenario-step", "reviewed", "reviewScenario"),
    ("scenario-step", "granted", "approveScenario"),
    ("sealed-read", "", "readSealed"),
    ("redaction-requested", "", "requestRedaction"),
    ("redaction-approved", "", "approveRedaction"),
    ("log-pruned", "", "pruneLog"),
];

/// What stood before the event.
pub(super) struct Steps<'s> {
    pub state: &'s State,
    pub redactions: &'s Redactions,
}

impl Steps<'_> {
    /// The step an event records; none where it records none.
    pub(super) fn of(&self, event: &Event) -> Option<Step> {
        // An event was read from JSON, so it can be written as JSON.
        let written = serde_json::to_value(event).ok()?;
        let word = |name: &str| written.get(name).and_then(Value::as_str);
        let stage = word("stage").or_else(|| word("step")).unwrap_or_default();
        let known = |(name, of, _): &&(&str, &str, &str)| *name == event.name() && *of == stage;
        let (_, _, action) = ACTIONS.iter().find(known)?;
        let by: PersonId = word("by")?.parse().ok()?;
        let decides = stage != "applied";
        Some(Step {
            action,
            by: self.person(&by, event),
            submitter: decides.then(|| self.submitter(&written)).flatten(),
        })
    }

    /// The person; who enrols is on record only after, where it is the first of all.
    fn person(&self, id: &PersonId, event: &Event) -> Option<Person> {
        let first = if let Event::PersonEnrolled { person, .. } = event {
            (person.id == *id).then(|| person.clone())
        } else {
            None
        };
        self.state.person(id).cloned().or(first)
    }

    fn submitter(&self, written: &Value) -> Option<PersonId> {
        let id = |pointer: &str| written.pointer(pointer).and_then(Value::as_str);
        if let Some(id) = id("/licence/id") {
            let id: LicenceId = id.parse().ok()?;
            return self.state.licence(&id).map(|l| l.submitter.clone());
        }
        if let Some(id) = id("/scenario/id") {
            let id: ScenarioId = id.parse().ok()?;
            return self.state.scenario(&id).map(|s| s.submitter.clone());
        }
        let request = written.get("request").and_then(Value::as_u64)?;
        self.redactions.requester(request).cloned()
    }
}
