use super::{Asked, CATALOGUE_DAYS, catalogue::judge_items};
use crate::{State, Unlawful};
use std::collections::BTreeSet;
use terms::{
    Dataset, DatasetName, DatasetRisk, DatasetStep, Event, Grade, GradeProposal, Impact, ItemName,
    Person, RiskLevel, Role, Standing,
};

impl State {
    /// A provider proposes an entry. Source: CG-6.3.
    pub(super) fn propose_dataset(
        &self,
        asked: Asked<'_>,
        dataset: Dataset,
    ) -> Result<Event, Unlawful> {
        self.judge_dataset(&dataset)?;
        provided(asked.by, &dataset)?;
        if self.proposed(&dataset.name).is_some() {
            let what = "this entry is proposed already; the data authority answers";
            return refused("register.proposed", &dataset.name, what, "CG-6.3");
        }
        let due = self.calendar().after(asked.today, CATALOGUE_DAYS);
        let by = asked.by.id.clone();
        Ok(Event::DatasetProposed { by, dataset, due })
    }

    /// The data authority confirms an entry. Source: PD-13, CG-6.3.
    pub(super) fn catalogue_dataset(
        &self,
        asked: Asked<'_>,
        dataset: Dataset,
    ) -> Result<Event, Unlawful> {
        self.judge_dataset(&dataset)?;
        self.judge_confirmed(&dataset)?;
        let by = asked.by.id.clone();
        Ok(Event::DatasetCatalogued { by, dataset })
    }

    /// A provider proposes other grades. Source: CG-6.3.
    pub(super) fn propose_grades(
        &self,
        asked: Asked<'_>,
        dataset: DatasetName,
        items: Vec<(ItemName, Impact)>,
    ) -> Result<Event, Unlawful> {
        let proposal = self.proposal(asked, dataset, items)?;
        let by = asked.by.id.clone();
        Ok(Event::GradesProposed { by, proposal })
    }

    /// The data authority confirms them. Source: CG-6.3.
    pub(super) fn confirm_grades(
        &self,
        asked: Asked<'_>,
        dataset: &DatasetName,
        (grades, reasoned): (&[(ItemName, Grade)], bool),
    ) -> Result<Event, Unlawful> {
        let dataset = self.graded(dataset, grades, reasoned)?;
        Ok(changed(asked, DatasetStep::Graded, dataset))
    }

    /// A risk assessment comes on file. Source: RA-3..5.
    pub(super) fn assess_risk(
        &self,
        asked: Asked<'_>,
        name: &DatasetName,
        risk: DatasetRisk,
    ) -> Result<Event, Unlawful> {
        let dataset = self.catalogued(name)?.clone();
        provided(asked.by, &dataset)?;
        judge_risk(name, &risk, asked)?;
        let risk = Some(risk);
        let dataset = Dataset { risk, ..dataset };
        Ok(changed(asked, DatasetStep::RiskAssessed, dataset))
    }

    /// Barred from operation. Source: AO-2.
    pub(super) fn prohibit_dataset(
        &self,
        asked: Asked<'_>,
        name: &DatasetName,
        basis: String,
    ) -> Result<Event, Unlawful> {
        let dataset = self.catalogued(name)?.clone();
        if basis.trim().is_empty() {
            let what = "name the legal basis";
            return refused("register.no-basis", name, what, "AO-2");
        }
        let prohibited = Some(basis);
        let dataset = Dataset {
            prohibited,
            ..dataset
        };
        Ok(changed(asked, DatasetStep::Prohibited, dataset))
    }

    /// Not operated on for now, again, or never more.
    pub(super) fn set_standing(
        &self,
        asked: Asked<'_>,
        name: &DatasetName,
        to: Standing,
    ) -> Result<Event, Unlawful> {
        let dataset = self.catalogued(name)?.clone();
        let step = match (dataset.standing, to) {
            (Standing::Active, Standing::Suspended) => DatasetStep::Suspended,
            (Standing::Suspended, Standing::Active) => DatasetStep::Reinstated,
            (Standing::Active | Standing::Suspended, Standing::Ended) => DatasetStep::Withdrawn,
            (Standing::Active, Standing::Active)
            | (Standing::Suspended, Standing::Suspended)
            | (Standing::Ended, _) => {
                return refused("register.no-change", name, "nothing would change", "PD-14");
            }
        };
        let standing = to;
        let dataset = Dataset {
            standing,
            ..dataset
        };
        Ok(changed(asked, step, dataset))
    }

    /// A dataset in the catalogue.
    fn catalogued(&self, name: &DatasetName) -> Result<&Dataset, Unlawful> {
        match self.dataset(name) {
            Some(dataset) if dataset.standing != Standing::Ended => Ok(dataset),
            Some(_) | None => {
                let what = "there is no such dataset in the catalogue";
                refused("register.not-catalogued", name, what, "AO-2")
            }
        }
    }

    /// Outside a pilot an authority confirms what a provider proposed, and says what it found of each
    /// item. Source: CG-6.3.
    fn judge_confirmed(&self, dataset: &Dataset) -> Result<(), Unlawful> {
        if self.pilot() {
            return Ok(());
        }
        if self.proposed(&dataset.name).is_none() {
            let what = "its provider proposes the entry first (`dataset propose`)";
            return refused("register.not-proposed", &dataset.name, what, "CG-6.3");
        }
        if let Some(item) = dataset.items.iter().find(|item| item.impact.is_none()) {
            let place = format!("dataset `{}`, item `{}`", dataset.name, item.name);
            let what = "say what harm a leak would do: degree and scope";
            return Err(Unlawful::new("register.no-impact", place, what, "CG-6.3"));
        }
        Ok(())
    }

    fn proposal(
        &self,
        asked: Asked<'_>,
        name: DatasetName,
        items: Vec<(ItemName, Impact)>,
    ) -> Result<GradeProposal, Unlawful> {
        let dataset = self.catalogued(&name)?;
        provided(asked.by, dataset)?;
        let mut named = BTreeSet::new();
        for (item, _) in &items {
            if dataset.item(item).is_none() || !named.insert(item) {
                let place = format!("dataset `{name}`, item `{item}`");
                let what = "list items of the dataset, each once";
                return Err(Unlawful::new("register.no-item", place, what, "CG-6.3"));
            }
        }
        if items.is_empty() {
            return refused("register.no-items", &name, "list its items", "CG-6.3");
        }
        Ok(GradeProposal {
            due: self.calendar().after(asked.today, CATALOGUE_DAYS),
            dataset: name,
            items,
            on: asked.today,
        })
    }

    /// The dataset with the proposed items' grades as confirmed. Attributes that the new grade does not
    /// allow become its default. Source: CG-6.3, CG-A.
    fn graded(
        &self,
        name: &DatasetName,
        grades: &[(ItemName, Grade)],
        reasoned: bool,
    ) -> Result<Dataset, Unlawful> {
        let mut dataset = self.catalogued(name)?.clone();
        let Some((_, proposal)) = self.regrading(name) else {
            let what = "nobody proposed other grades (`dataset regrade`)";
            return refused("register.not-proposed", name, what, "CG-6.3");
        };
        let proposed: BTreeSet<_> = proposal.items.iter().map(|(item, _)| item).collect();
        let confirmed: BTreeSet<_> = grades.iter().map(|(item, _)| item).collect();
        if proposed != confirmed || confirmed.len() != grades.len() {
            let what = "confirm each of the proposed items once, and no other";
            return refused("register.not-proposed", name, what, "CG-6.3");
        }
        for (item, impact) in &proposal.items {
            let grade = grades.iter().find(|(name, _)| name == item);
            let grade = grade.map_or(Grade::Four, |(_, grade)| *grade);
            if grade < impact.proposed() && !reasoned {
                let place = format!("dataset `{name}`, item `{item}`");
                let what = format!("say why it is lower than grade {}", impact.proposed());
                return Err(Unlawful::new("register.no-reason", place, what, "CG-6.3"));
            }
            for known in dataset.items.iter_mut().filter(|known| known.name == *item) {
                known.grade = grade;
                known.impact = Some(*impact);
                if !grade.allows(known.sharing, known.opening) {
                    known.sharing = grade.default_sharing();
                    known.opening = grade.default_opening();
                }
            }
        }
        judge_items(&dataset)?;
        Ok(dataset)
    }
}

fn changed(asked: Asked<'_>, step: DatasetStep, dataset: Dataset) -> Event {
    let by = asked.by.id.clone();
    Event::DatasetChanged { by, step, dataset }
}

/// Providers speak of their own data; authorities of any.
fn provided(by: &Person, dataset: &Dataset) -> Result<(), Unlawful> {
    let own = by.role != Role::Provider || by.organisation == dataset.provider;
    if own {
        return Ok(());
    }
    let what = "only its provider says this of a dataset";
    refused("register.not-own", &dataset.name, what, "CG-6.3")
}

/// An assessment holds for a year at most, is as bad as its worst aspect, and names what brings a
/// medium risk down. Source: RA-3..5.
fn judge_risk(name: &DatasetName, risk: &DatasetRisk, asked: Asked<'_>) -> Result<(), Unlawful> {
    let year = asked.today.checked_add_months(chrono::Months::new(12));
    if risk.until < asked.today || year.is_none_or(|year| risk.until > year) {
        let what = "an assessment holds for a year at most, from today on";
        return refused("register.risk-term", name, what, "RA-5");
    }
    if risk
        .aspects
        .is_some_and(|aspects| aspects.worst() != risk.level)
    {
        let what = "the level as a whole is that of the worst aspect";
        return refused("register.risk-level", name, what, "RA-4");
    }
    if risk.level == RiskLevel::Medium && risk.mitigations.is_empty() {
        let what = "name what brings a medium risk down";
        return refused("register.no-mitigation", name, what, "RA-4");
    }
    Ok(())
}

fn refused<T>(
    code: &'static str,
    name: &DatasetName,
    what: &str,
    clause: &'static str,
) -> Result<T, Unlawful> {
    Err(Unlawful::new(
        code,
        format!("dataset `{name}`"),
        what,
        clause,
    ))
}
