use super::sight::Sight;
use register::{LicenceStanding, ProductStanding, ScenarioStanding, State};
use serde_json::{Value, json};
use terms::{
    AnnouncementId, DatasetName, Derived, ExternalId, LicenceId, ObjectionId, OperatorId, PersonId,
    ProductId, RowRisk, ScenarioId, SealedUnit, ViolationId,
};

/// Where the measured risks of a scenario stand.
const RISKS: &str = "row_risks";

/// What a step is about, to be told as it stands afterwards.
#[derive(Debug, Clone)]
pub(super) enum Subject {
    Person(PersonId),
    Operator(OperatorId),
    Dataset(DatasetName),
    Announcement(AnnouncementId),
    Licence(LicenceId),
    Scenario(ScenarioId),
    Product(ProductId),
    External(ExternalId),
    Violation(ViolationId),
    Objection(ObjectionId),
    /// A kept result, by what the domain calls it.
    Kept(DatasetName),
    Seal(SealedUnit),
    Domain,
}

impl Subject {
    /// Its id, of which there is one of its sort.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Person(id) => id.to_string(),
            Self::Operator(id) => id.to_string(),
            Self::Dataset(name) => name.to_string(),
            Self::Announcement(id) => id.to_string(),
            Self::Licence(id) => id.to_string(),
            Self::Scenario(id) => id.to_string(),
            Self::Product(id) => id.to_string(),
            Self::External(id) => id.to_string(),
            Self::Violation(id) => id.to_string(),
            Self::Objection(id) => id.to_string(),
            Self::Kept(name) => name.to_string(),
            Self::Seal(unit) => unit.to_string(),
            Self::Domain => String::new(),
        }
    }

    /// As it stands, with what only they hear who see all.
    pub(super) fn told_to(&self, sight: &Sight, state: &State) -> Option<Value> {
        let mut told = self.told(state)?;
        // INVARIANT (no risk to whom it is measured of): an operator's people wrote the row policy.
        if let (Sight::All, Self::Scenario(id)) = (sight, self)
            && let (Some(told), Some(standing)) = (told.as_object_mut(), state.scenario(id))
        {
            told.insert(RISKS.to_owned(), risks(standing));
        }
        Some(told)
    }

    /// As it stands, as anybody who sees it may hear it; none where there is nothing of that name.
    pub(super) fn told(&self, state: &State) -> Option<Value> {
        match self {
            Self::Person(id) => person(state, id),
            Self::Operator(id) => state.operator(id).map(|operator| json!(operator)),
            Self::Dataset(name) => dataset(state, name),
            Self::Announcement(id) => state.announcement(id).map(|found| json!(found)),
            Self::Licence(id) => state.licence(id).map(licence),
            Self::Scenario(id) => state.scenario(id).map(scenario),
            Self::Product(id) => state.product(id).map(product),
            Self::External(id) => state.external(id).map(|standing| json!(standing)),
            Self::Violation(id) => state.violation(id).map(|violation| json!(violation)),
            Self::Objection(id) => state.objection(id).map(|objection| json!(objection)),
            Self::Kept(name) => state.kept_under(name).map(kept),
            Self::Seal(unit) => Some(seal(state, unit)),
            Self::Domain => Some(domain(state)),
        }
    }
}

/// A person without a name: names are sealed.
pub(super) fn person(state: &State, id: &PersonId) -> Option<Value> {
    let person = state.person(id)?;
    Some(json!({"person": person, "certificate": state.certificate(id)}))
}

/// A catalogue entry, its newest data, and what is proposed for it.
fn dataset(state: &State, name: &DatasetName) -> Option<Value> {
    let (entry, proposed) = (state.dataset(name), state.proposed(name));
    if entry.is_none() && proposed.is_none() {
        return None;
    }
    Some(json!({
        "dataset": entry,
        "snapshot": state.snapshot(name),
        "proposed": proposed.map(|(by, dataset, due)| json!({"by": by, "dataset": dataset, "due": due})),
        "regrading": state.regrading(name).map(|(by, grades)| json!({"by": by, "grades": grades})),
    }))
}

pub(super) fn licence(standing: &LicenceStanding) -> Value {
    json!(standing)
}

/// A scenario without its measured risks: these follow from the row policy that its applicant wrote.
pub(super) fn scenario(standing: &ScenarioStanding) -> Value {
    let mut told = json!(standing);
    if let Some(told) = told.as_object_mut() {
        told.remove(RISKS);
    }
    told
}

/// How identifying its rows are, for who reviews.
fn risks(standing: &ScenarioStanding) -> Value {
    let of = |risk: &RowRisk| {
        json!({
            "dataset": risk.dataset,
            "snapshot": risk.snapshot,
            "k": risk.k,
            "subjects": risk.told(risk.subjects),
            "subjects_unique": risk.told(risk.subjects_unique),
            "subjects_below_k": risk.told(risk.subjects_below_k),
        })
    };
    standing.row_risks.iter().map(of).collect()
}

/// A kept result with what statements call it. How many rows it has is not on record.
fn kept(derived: &Derived) -> Value {
    json!({
        "kept": derived.seen_as(),
        "stored_as": derived.stored_as(),
        "grade": derived.grade(),
        "derived": derived,
    })
}

pub(super) fn product(standing: &ProductStanding) -> Value {
    json!(standing)
}

/// A seal; none any more where it is released.
fn seal(state: &State, unit: &SealedUnit) -> Value {
    json!({"unit": unit, "seal": state.seals().of(unit)})
}

fn domain(state: &State) -> Value {
    let can_vet: Vec<&PersonId> = state.vetters().map(|person| &person.id).collect();
    json!({
        "name": state.name(),
        "title": state.title(),
        "default_schema": state.default_schema(),
        "pilot": state.pilot(),
        "thresholds": state.thresholds(),
        "obligations": state.obligations(),
        "version": state.version(),
        "can_vet": can_vet,
    })
}
