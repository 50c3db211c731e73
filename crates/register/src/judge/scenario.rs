use crate::{State, Unlawful};
use std::collections::BTreeSet;
use terms::{
    Dataset, Event, Grade, Licence, Mode, Person, RowRisk, Scenario, ScenarioDataset, ScenarioId,
    Stage, Wanted,
};

impl State {
    /// One application, one purpose, one item list within the licence. Source: AO-2, AO-8, AO-12.
    pub(super) fn apply_scenario(
        &self,
        by: &Person,
        scenario: Scenario,
    ) -> Result<Event, Unlawful> {
        let place = format!("scenario `{}`", scenario.id);
        let refuse =
            |code, what: String, clause| Err(Unlawful::new(code, place.clone(), what, clause));
        if self.scenario(&scenario.id).is_some() {
            let what = "a scenario of this id exists already".to_owned();
            return refuse("register.scenario-exists", what, "AO-12");
        }
        let licence = match self.licence(&scenario.licence) {
            Some(standing) if standing.stage == Stage::Granted => &standing.licence,
            Some(_) | None => {
                let what = format!("licence `{}` is not granted", scenario.licence);
                return refuse("register.licence-not-granted", what, "AO-9");
            }
        };
        if by.operator().as_ref() != Some(&licence.operator) {
            let what = "only a member of the licensed operator applies".to_owned();
            return refuse("register.not-own", what, "AO-12");
        }
        for member in &scenario.members {
            let operator = self.person(member).and_then(Person::operator);
            if operator.as_ref() != Some(&licence.operator) {
                let what = format!("member `{member}` is not enrolled for the licensed operator");
                return refuse("register.no-member", what, "AO-16(1)");
            }
        }
        let served = || self.scenarios().any(|s| s.scenario.licence == licence.id);
        if licence.mode == Mode::Scenario && served() {
            let what = format!(
                "licence `{}` is for one scenario and has it; apply for another licence",
                licence.id
            );
            return refuse("register.one-scenario", what, "AO-8");
        }
        let mut names = BTreeSet::new();
        for wanted in &scenario.datasets {
            let place = format!("{place}, dataset `{}`", wanted.name);
            if !names.insert(&wanted.name) {
                let what = "the dataset is listed twice";
                return Err(Unlawful::new(
                    "register.dataset-twice",
                    place,
                    what,
                    "AO-12",
                ));
            }
            let dataset = self.licensed(licence, wanted, &place)?;
            judge_items(dataset, wanted, &place)?;
        }
        let by = by.id.clone();
        Ok(Event::ScenarioStep {
            by,
            stage: Stage::Applied,
            scenario,
            row_risks: Vec::new(),
        })
    }

    /// The dataset, if the licence may use it at all.
    fn licensed(
        &self,
        licence: &Licence,
        wanted: &ScenarioDataset,
        place: &str,
    ) -> Result<&Dataset, Unlawful> {
        let refuse = |code, what: String, clause| Err(Unlawful::new(code, place, what, clause));
        let Some(dataset) = self.dataset(&wanted.name) else {
            let what = "data without a catalogue entry is never operated on".to_owned();
            return refuse("register.not-catalogued", what, "AO-2");
        };
        if let Some(basis) = &dataset.prohibited {
            return refuse(
                "register.prohibited",
                format!("the dataset is barred: {basis}"),
                "AO-2",
            );
        }
        if dataset
            .risk
            .as_ref()
            .is_some_and(|risk| risk.level == "high")
        {
            let what = "a dataset of high risk cannot be licensed".to_owned();
            return refuse("register.high-risk", what, "RA-4");
        }
        let own = dataset.external && dataset.provider == licence.operator.as_str();
        let covered = match &licence.mode {
            Mode::Comprehensive | Mode::Scenario => true,
            Mode::Sectoral { .. } => licence.mode.covers(&dataset.sector),
        };
        if dataset.external && !own {
            let what = "external data belongs to the operator that brought it".to_owned();
            return refuse("register.not-own", what, "AO-16(3)");
        }
        if !own && !covered {
            let what = format!("sector `{}` is outside the licence", dataset.sector.word());
            return refuse("register.outside-scope", what, "AO-8");
        }
        Ok(dataset)
    }

    /// What would show rows goes in front of the reviewer with its measured risk. Source: RA-3.
    pub(super) fn review_scenario(
        &self,
        by: &Person,
        id: &ScenarioId,
        row_risks: Vec<RowRisk>,
    ) -> Result<Event, Unlawful> {
        let scenario = self.at_stage(id, Stage::Applied)?;
        for wanted in scenario.datasets.iter().filter(|wanted| wanted.show_rows) {
            let protected = self
                .dataset(&wanted.name)
                .is_some_and(Dataset::is_protected);
            let measured = row_risks.iter().any(|risk| risk.dataset == wanted.name);
            if protected && !measured {
                let place = format!("scenario `{id}`, dataset `{}`", wanted.name);
                let what = "the risk of the rows it would show has not been measured";
                return Err(Unlawful::new(
                    "register.risk-not-measured",
                    place,
                    what,
                    "RA-3",
                ));
            }
        }
        let scenario = scenario.clone();
        let by = by.id.clone();
        Ok(Event::ScenarioStep {
            by,
            stage: Stage::Reviewed,
            scenario,
            row_risks,
        })
    }

    /// The second authority approves what the first reviewed. Source: AO-12.
    pub(super) fn approve_scenario(&self, by: &Person, id: &ScenarioId) -> Result<Event, Unlawful> {
        let scenario = self.at_stage(id, Stage::Reviewed)?.clone();
        let row_risks = self
            .scenario(id)
            .map(|s| s.row_risks.clone())
            .unwrap_or_default();
        let by = by.id.clone();
        Ok(Event::ScenarioStep {
            by,
            stage: Stage::Granted,
            scenario,
            row_risks,
        })
    }

    fn at_stage(&self, id: &ScenarioId, stage: Stage) -> Result<&Scenario, Unlawful> {
        match self.scenario(id) {
            Some(standing) if standing.stage == stage => Ok(&standing.scenario),
            Some(_) | None => {
                let place = format!("scenario `{id}`");
                let what = "the steps are applied, reviewed, granted, in this order";
                Err(Unlawful::new("register.step-order", place, what, "AO-12"))
            }
        }
    }
}

/// Items exist, none named is of grade 4, and measures are listed items. Source: AO-2, AO-12.
fn judge_items(dataset: &Dataset, wanted: &ScenarioDataset, place: &str) -> Result<(), Unlawful> {
    let named = match &wanted.items {
        Wanted::All => &[][..],
        Wanted::Named(names) => names.as_slice(),
    };
    for name in named.iter().chain(&wanted.aggregate) {
        let place = format!("{place}, item `{name}`");
        let Some(item) = dataset.item(name) else {
            let what = "the dataset has no such item";
            return Err(Unlawful::new("register.no-item", place, what, "AO-12"));
        };
        if item.grade == Grade::Four {
            let what = "an item of grade 4 is never put on an item list";
            return Err(Unlawful::new("register.grade-four", place, what, "AO-2"));
        }
        if !wanted.items.includes(name) {
            let what = "list the item before it is aggregated";
            return Err(Unlawful::new("register.not-listed", place, what, "AO-12"));
        }
    }
    if wanted.rows.is_some() != wanted.rows_plan.is_some() {
        let what = "the row policy has not been translated";
        return Err(Unlawful::new(
            "register.rows-not-translated",
            place,
            what,
            "AO-12",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
