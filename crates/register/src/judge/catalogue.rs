use crate::{State, Unlawful};
use std::collections::{BTreeMap, BTreeSet};
use terms::{Dataset, DatasetName, Event, Grade, Person, RowRisk, ScenarioId, Snapshot, Standing};

/// The schemas of the tables that the gateway itself shows, and of results that scenarios keep.
const RESERVED_SCHEMAS: [&str; 2] = ["bonded", DatasetName::WORKSPACE];

impl State {
    /// An entry that is lawful by itself, of a name that is free.
    pub(super) fn judge_dataset(&self, dataset: &Dataset) -> Result<(), Unlawful> {
        if self.dataset(&dataset.name).is_some() {
            let place = format!("dataset `{}`", dataset.name);
            let what = "a dataset of this name is in the catalogue already";
            return Err(Unlawful::new(
                "register.dataset-exists",
                place,
                what,
                "PD-13",
            ));
        }
        judge_entry(dataset)
    }

    /// Data comes in as the next state of its dataset. Source: PD-14.
    pub(super) fn load_dataset(
        &self,
        by: &Person,
        snapshot: Snapshot,
        row_risks: BTreeMap<ScenarioId, RowRisk>,
    ) -> Result<Event, Unlawful> {
        self.judge_snapshot(&snapshot)?;
        self.judge_way_in(&snapshot)?;
        self.judge_unsealed(&snapshot.dataset)?;
        self.judge_row_risks(&snapshot, &row_risks)?;
        let by = by.id.clone();
        Ok(Event::DatasetLoaded {
            by,
            snapshot,
            row_risks,
        })
    }

    /// Outside a pilot an operator's data comes in by the gate, and what came by the gate always does.
    /// Source: AO-16(3).
    fn judge_way_in(&self, snapshot: &Snapshot) -> Result<(), Unlawful> {
        let by_gate = |known: &Dataset| known.bound.is_some() || (known.external && !self.pilot());
        if !self.dataset(&snapshot.dataset).is_some_and(by_gate) {
            return Ok(());
        }
        let place = format!("dataset `{}`", snapshot.dataset);
        let what = "its operator submits it at the gate (`external submit`)";
        let code = "register.external-by-gate";
        Err(Unlawful::new(code, place, what, "AO-16(3)"))
    }

    /// Each scenario that would show rows of what comes in knows their risk from the beginning.
    /// Source: RA-3.
    fn judge_row_risks(
        &self,
        snapshot: &Snapshot,
        measured: &BTreeMap<ScenarioId, RowRisk>,
    ) -> Result<(), Unlawful> {
        for id in self.showing_rows(&snapshot.dataset) {
            let of_this = |risk: &&RowRisk| {
                risk.dataset == snapshot.dataset && risk.snapshot == snapshot.number
            };
            if measured.get(id).filter(of_this).is_none() {
                let place = format!("dataset `{}`, scenario `{id}`", snapshot.dataset);
                let what = "the risk of the rows it would show has not been measured";
                let code = "register.risk-not-measured";
                return Err(Unlawful::new(code, place, what, "RA-3"));
            }
        }
        Ok(())
    }

    /// Snapshots are of catalogued data, counted from 1 without gaps.
    fn judge_snapshot(&self, snapshot: &Snapshot) -> Result<(), Unlawful> {
        let place = format!("dataset `{}`", snapshot.dataset);
        let known = self.dataset(&snapshot.dataset);
        let Some(dataset) = known.filter(|known| known.standing != Standing::Ended) else {
            let what = "data without a catalogue entry is never taken in";
            return Err(Unlawful::new(
                "register.not-catalogued",
                place,
                what,
                "AO-2",
            ));
        };
        let next = self
            .snapshot(&snapshot.dataset)
            .map_or(1, |last| last.number + 1);
        if snapshot.number != next || snapshot.types.len() != dataset.items.len() {
            let what = format!("snapshot {next} with {} items is due", dataset.items.len());
            return Err(Unlawful::new(
                "register.snapshot-order",
                place,
                what,
                "PD-14",
            ));
        }
        Ok(())
    }
}

/// Whether a catalogue entry is lawful by itself, whatever stands: every required element is there,
/// attributes agree with grades, the subject is an identifier. Source: PD-13, CG-6.2, CG-A.
///
/// # Errors
/// [`Unlawful`], with the element or the item.
pub fn judge_entry(dataset: &Dataset) -> Result<(), Unlawful> {
    let place = format!("dataset `{}`", dataset.name);
    let refuse = |code, what: String, clause| Err(Unlawful::new(code, place.clone(), what, clause));
    let schema = dataset.name.schema();
    if RESERVED_SCHEMAS.contains(&schema) {
        let what = format!("schema `{schema}` is the product's own; choose another");
        return refuse("register.reserved-name", what, "PD-13");
    }
    let elements = [
        ("title", &dataset.title),
        ("provider", &dataset.provider),
        ("source", &dataset.source),
        ("update", &dataset.update),
    ];
    if let Some((missing, _)) = elements
        .into_iter()
        .find(|(_, text)| text.trim().is_empty())
    {
        return refuse(
            "register.element-missing",
            format!("`{missing}` is empty"),
            "PD-13",
        );
    }
    if dataset.items.is_empty() {
        return refuse("register.no-items", "list its items".to_owned(), "PD-13");
    }
    if dataset.bound.is_some() {
        let what = "which scenario it serves is said by the gate; leave out `bound`".to_owned();
        return refuse("register.bound", what, "AO-16(3)");
    }
    if dataset.standing != Standing::Active {
        let what = "an entry is open when it is made; suspend it afterwards".to_owned();
        return refuse("register.not-active", what, "PD-13");
    }
    judge_items(dataset)
}

/// Items once each, attributes as their grades allow, an identifier as the subject.
/// Source: PD-13, CG-6.2, CG-A.
pub(super) fn judge_items(dataset: &Dataset) -> Result<(), Unlawful> {
    let place = format!("dataset `{}`", dataset.name);
    let refuse = |code, what: String, clause| Err(Unlawful::new(code, place.clone(), what, clause));
    let mut names = BTreeSet::new();
    for item in &dataset.items {
        let place = format!("{place}, item `{}`", item.name);
        if !names.insert(&item.name) {
            let what = "the item is listed twice";
            return Err(Unlawful::new("register.item-twice", place, what, "PD-13"));
        }
        if !item.grade.allows(item.sharing, item.opening) {
            let what = format!(
                "sharing and opening attribute contradict grade {}; leave them out for the default",
                item.grade
            );
            return Err(Unlawful::new("register.attributes", place, what, "CG-A"));
        }
    }
    if let Some(subject) = &dataset.subject {
        let Some(item) = dataset.item(subject) else {
            let what = format!("the subject `{subject}` is none of its items");
            return refuse("register.no-subject", what, "PD-13");
        };
        if !item.kind.is_identifier() || item.grade == Grade::Four {
            let what = format!("the subject `{subject}` must be an identifier below grade 4");
            return refuse("register.subject-kind", what, "CG-6.2");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
