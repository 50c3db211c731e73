use super::Asked;
use crate::{
    ScenarioStanding, State, Unlawful,
    life::{AfterReview, Applied, At, Granted, IsStage, OfScenario, Reviewed, Suspended},
};
use chrono::NaiveDate;
use std::collections::BTreeSet;
use terms::{
    Aspect, Cause, Course, Dataset, Event, Grade, Licence, Mode, Person, RiskLevel, RowRisk,
    Scenario, ScenarioDataset, ScenarioId, Stage, Standing, Wanted,
};

impl State {
    /// One application, one purpose, one item list within the licence. Source: AO-2, AO-8, AO-12.
    pub(super) fn apply_scenario(
        &self,
        asked: Asked<'_>,
        scenario: Scenario,
    ) -> Result<Event, Unlawful> {
        let Asked { by, today } = asked;
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
        self.judge_standing(&licence.operator, today, &place)?;
        for member in &scenario.members {
            let operator = self.person(member).and_then(Person::operator);
            if operator.as_ref() != Some(&licence.operator) {
                let what = format!("member `{member}` is not enrolled for the licensed operator");
                return refuse("register.no-member", what, "AO-16(1)");
            }
        }
        let ended = |stage| matches!(stage, Stage::Refused | Stage::Closed);
        let served = || self.scenarios_of(&licence.id).any(|s| !ended(s.stage));
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
            let dataset = self.licensed(licence, (wanted, today), &place)?;
            if dataset
                .bound
                .as_ref()
                .is_some_and(|bound| *bound != scenario.id)
            {
                let what = "the dataset serves another scenario; bring it in for this one";
                let code = "register.bound-elsewhere";
                return Err(Unlawful::new(code, place, what, "AO-16(3)"));
            }
            judge_items(dataset, wanted, &place)?;
        }
        let by = by.id.clone();
        Ok(Event::ScenarioStep {
            by,
            stage: Stage::Applied,
            scenario,
            row_risks: Vec::new(),
            course: self.applied(today),
        })
    }

    /// The dataset, if the licence may use it at all.
    fn licensed(
        &self,
        licence: &Licence,
        (wanted, today): (&ScenarioDataset, NaiveDate),
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
        if dataset.standing != Standing::Active {
            let what = "the dataset is not operated on for now".to_owned();
            return refuse("register.dataset-closed", what, "AO-2");
        }
        if let Some(risk) = &dataset.risk {
            if risk.level == RiskLevel::High {
                let what = "a dataset of high risk cannot be licensed".to_owned();
                return refuse("register.high-risk", what, "RA-4");
            }
            if risk.level == RiskLevel::Medium && risk.mitigations.is_empty() && !self.pilot() {
                let what = "name what brings its medium risk down".to_owned();
                return refuse("register.no-mitigation", what, "RA-4");
            }
            if risk.until < today {
                let what = format!("its risk assessment ended on {}", risk.until);
                return refuse("register.risk-over", what, "RA-5");
            }
        } else if !self.pilot() {
            let what = "its risk was never assessed".to_owned();
            return refuse("register.risk-over", what, "RA-5");
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

    /// Found in order in one respect. What would show rows goes in front of who judges how safe it is,
    /// with its measured risk. Source: AO-12, RA-3.
    pub(super) fn review_scenario(
        &self,
        asked: Asked<'_>,
        id: &ScenarioId,
        (aspect, measured): (Aspect, Vec<RowRisk>),
    ) -> Result<Event, Unlawful> {
        let (standing, at) = self.scenario_at::<Applied>(id)?;
        let place = format!("scenario `{id}`");
        if standing.course.is_reviewed(aspect) {
            let what = format!("its {} was judged already", aspect.word());
            return Err(Unlawful::new("register.reviewed", place, what, "AO-12"));
        }
        let row_risks = match aspect {
            Aspect::Security => {
                self.judge_measured(&standing.scenario, &measured)?;
                measured
            }
            Aspect::Reasonableness | Aspect::Compliance => standing.row_risks.clone(),
        };
        let due = self.calendar().after(asked.today, super::ANSWER_DAYS);
        let told = match at.review(asked.review(aspect), due) {
            AfterReview::Applied(at) => at.told(),
            AfterReview::Reviewed(at) => at.told(),
        };
        Ok(step(asked, (standing, row_risks), told))
    }

    fn judge_measured(&self, scenario: &Scenario, measured: &[RowRisk]) -> Result<(), Unlawful> {
        for wanted in scenario.datasets.iter().filter(|wanted| wanted.show_rows) {
            let dataset = self.dataset(&wanted.name);
            let protected = dataset.is_some_and(Dataset::is_protected);
            let newest = self.snapshot(&wanted.name).map(|snapshot| snapshot.number);
            let of_newest =
                |risk: &RowRisk| risk.dataset == wanted.name && Some(risk.snapshot) == newest;
            if protected && !measured.iter().any(of_newest) {
                let place = format!("scenario `{}`, dataset `{}`", scenario.id, wanted.name);
                let what = "the risk of the rows it would show has not been measured";
                let code = "register.risk-not-measured";
                return Err(Unlawful::new(code, place, what, "RA-3"));
            }
        }
        Ok(())
    }

    /// 审定. The licence has to stand still. Source: AO-12.
    pub(super) fn approve_scenario(
        &self,
        asked: Asked<'_>,
        id: &ScenarioId,
    ) -> Result<Event, Unlawful> {
        let (standing, at) = self.scenario_at::<Reviewed>(id)?;
        self.judge_licensed(&standing.scenario)?;
        self.judge_unsealed_scenario(&standing.scenario)?;
        Ok(self.stepped(asked, standing, at.approve(asked.today).told()))
    }

    /// 不予批准. Source: PD-24.
    pub(super) fn refuse_scenario(
        &self,
        asked: Asked<'_>,
        id: &ScenarioId,
    ) -> Result<Event, Unlawful> {
        let on = asked.today;
        if self.scenario(id).map(|s| s.stage) == Some(Stage::Reviewed) {
            let (standing, at) = self.scenario_at::<Reviewed>(id)?;
            return Ok(self.stepped(asked, standing, at.refuse(on).told()));
        }
        let (standing, at) = self.scenario_at::<Applied>(id)?;
        Ok(self.stepped(asked, standing, at.refuse(on).told()))
    }

    /// 暂停. Source: AO-10.
    pub(super) fn suspend_scenario(
        &self,
        asked: Asked<'_>,
        id: &ScenarioId,
        cause: Cause,
    ) -> Result<Event, Unlawful> {
        let (standing, at) = self.scenario_at::<Granted>(id)?;
        let at = at.suspend(cause, asked.today);
        Ok(self.stepped(asked, standing, at.told()))
    }

    /// The operator stops its own scenario at once and tells the authorities. Source: AO-15.
    pub(super) fn report_risk(&self, asked: Asked<'_>, id: &ScenarioId) -> Result<Event, Unlawful> {
        self.judge_own(asked, id)?;
        self.suspend_scenario(asked, id, Cause::RiskReported)
    }

    /// Open again. Source: AO-10.
    pub(super) fn resume_scenario(
        &self,
        asked: Asked<'_>,
        id: &ScenarioId,
    ) -> Result<Event, Unlawful> {
        let (standing, at) = self.scenario_at::<Suspended>(id)?;
        self.judge_licensed(&standing.scenario)?;
        self.judge_unsealed_scenario(&standing.scenario)?;
        Ok(self.stepped(asked, standing, at.resume(asked.today).told()))
    }

    /// Its purpose is met or cannot be met any more; members close their own. Source: AO-19.
    pub(super) fn close_scenario(
        &self,
        asked: Asked<'_>,
        id: &ScenarioId,
        cause: Cause,
    ) -> Result<Event, Unlawful> {
        if asked.by.operator().is_some() {
            self.judge_own(asked, id)?;
        }
        if self.scenario(id).map(|s| s.stage) == Some(Stage::Suspended) {
            let (standing, at) = self.scenario_at::<Suspended>(id)?;
            let at = at.close(cause, asked.today);
            return Ok(self.stepped(asked, standing, at.told()));
        }
        let (standing, at) = self.scenario_at::<Granted>(id)?;
        let at = at.close(cause, asked.today);
        Ok(self.stepped(asked, standing, at.told()))
    }

    /// Of the caller's own operator.
    fn judge_own(&self, asked: Asked<'_>, id: &ScenarioId) -> Result<(), Unlawful> {
        let licence = self.scenario(id).map(|s| &s.scenario.licence);
        let operator = licence.and_then(|id| self.licence(id));
        let operator = operator.map(|standing| &standing.licence.operator);
        if operator.is_some() && asked.by.operator().as_ref() == operator {
            return Ok(());
        }
        let what = "there is no such scenario of your operator";
        let place = format!("scenario `{id}`");
        Err(Unlawful::new("register.not-own", place, what, "AO-15"))
    }

    fn judge_licensed(&self, scenario: &Scenario) -> Result<(), Unlawful> {
        let licence = self.licence(&scenario.licence);
        if licence.is_some_and(|standing| standing.stage == Stage::Granted) {
            return Ok(());
        }
        let place = format!("scenario `{}`", scenario.id);
        let what = format!("licence `{}` is not granted", scenario.licence);
        let code = "register.licence-not-granted";
        Err(Unlawful::new(code, place, what, "AO-9"))
    }

    /// The scenario of this id, taken up at a stage.
    fn scenario_at<S: IsStage>(
        &self,
        id: &ScenarioId,
    ) -> Result<(&ScenarioStanding, At<OfScenario, S>), Unlawful> {
        let place = format!("scenario `{id}`");
        let Some(standing) = self.scenario(id) else {
            let what = "there is no application for it";
            return Err(Unlawful::new("register.no-scenario", place, what, "AO-12"));
        };
        let at = At::of(standing.stage, standing.course.clone(), &place)?;
        Ok((standing, at))
    }

    fn stepped(
        &self,
        asked: Asked<'_>,
        standing: &ScenarioStanding,
        told: (Stage, Course),
    ) -> Event {
        step(asked, (standing, standing.row_risks.clone()), told)
    }
}

fn step(
    asked: Asked<'_>,
    (standing, row_risks): (&ScenarioStanding, Vec<RowRisk>),
    (stage, course): (Stage, Course),
) -> Event {
    Event::ScenarioStep {
        by: asked.by.id.clone(),
        stage,
        scenario: standing.scenario.clone(),
        row_risks,
        course,
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
