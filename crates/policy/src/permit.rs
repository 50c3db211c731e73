use crate::{
    Budget, Disclosure, Perturbation, Refusal,
    bundle::{Bundle, Unusable},
    decide::Asked,
    item::{Class, Classes},
};
use chrono::{DateTime, Utc};
use identity::{Caller, end_of_day};
use register::State;
use serde_json::json;
use terms::{
    Dataset, DatasetName, Digest, Grade, IdentifierDomain, ItemName, Kind, Licence, Mask,
    Obligations, Operator, RowRisk, Scenario, ScenarioDataset, ScenarioId, Stage, Thresholds, Type,
};

/// What a caller may use in a scenario, and how. Made by the engine alone.
#[derive(Debug, Clone)]
pub struct Permit {
    caller: Caller,
    scenario: Scenario,
    licence: Licence,
    operator: Operator,
    datasets: Vec<PermittedDataset>,
    obligations: Obligations,
    thresholds: Thresholds,
    budget: Budget,
    noise: Perturbation,
    policies: Digest,
    register_version: u64,
    pilot: bool,
    expires: DateTime<Utc>,
}

/// A dataset a permit holds.
#[derive(Debug, Clone)]
pub struct PermittedDataset {
    /// Which.
    pub name: DatasetName,
    /// Whether results owe thresholds.
    pub protected: bool,
    /// Whether it is operator-supplied.
    pub external: bool,
    /// The item whose values are the people.
    pub subject: Option<ItemName>,
    /// The raw type of the subject item, on the item list or not.
    pub subject_type: Option<Type>,
    /// Whether each subject has one row, so that the numbers of subjects and of rows are the same.
    pub subject_unique: bool,
    /// The fewest subjects of a released cell.
    pub k: u32,
    /// What a released cell owes beside.
    pub disclosure: Disclosure,
    /// The row policy, as canonical bytes of the plan language.
    pub rows_plan: Option<Vec<u8>>,
    /// Whether row-level results may show.
    pub show_rows: bool,
    /// Which state of the data; 0 where there is none yet.
    pub snapshot: u32,
    /// The measured risk of the rows it shows.
    pub risk: Option<RowRisk>,
    /// Items that can be used in some way.
    pub items: Vec<PermittedItem>,
    /// Items that cannot.
    pub absent: Vec<AbsentItem>,
}

/// An item a permit holds.
#[derive(Debug, Clone)]
pub struct PermittedItem {
    /// Which.
    pub name: ItemName,
    /// Its raw type.
    pub data_type: Type,
    /// Its grade.
    pub grade: Grade,
    /// What it is about.
    pub kind: Kind,
    /// Whether every value occurs once.
    pub unique: bool,
    /// What it identifies.
    pub domain: Option<IdentifierDomain>,
    /// How it is shown; suppress where it is only aggregated.
    pub mask: Mask,
    /// The width to which its order statistics are rounded; none where they are not approved.
    pub band: Option<f64>,
    /// The item in whose name its sums are held against each other: itself, or of a family of derived
    /// items and their parts the first.
    pub pooled: ItemName,
    /// Whether approved aggregates see its raw values.
    pub aggregate: bool,
    /// Whether what is computed from it may leave.
    pub export: bool,
}

/// An item a permit does not hold.
#[derive(Debug, Clone)]
pub struct AbsentItem {
    /// Which.
    pub name: ItemName,
    /// Its grade.
    pub grade: Grade,
}

impl Permit {
    /// Who asks.
    #[must_use]
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }
    /// For which scenario.
    #[must_use]
    pub const fn scenario(&self) -> &Scenario {
        &self.scenario
    }
    /// Under which licence.
    #[must_use]
    pub const fn licence(&self) -> &Licence {
        &self.licence
    }
    /// For which operator.
    #[must_use]
    pub const fn operator(&self) -> &Operator {
        &self.operator
    }
    /// What may be used, and how.
    #[must_use]
    pub fn datasets(&self) -> &[PermittedDataset] {
        &self.datasets
    }
    /// The caps on every result.
    #[must_use]
    pub const fn obligations(&self) -> Obligations {
        self.obligations
    }
    /// k by grade.
    #[must_use]
    pub const fn thresholds(&self) -> Thresholds {
        self.thresholds
    }
    /// What the licence may ask and receive.
    #[must_use]
    pub const fn budget(&self) -> Budget {
        self.budget
    }
    /// The noise of perturbed cells.
    #[must_use]
    pub const fn noise(&self) -> Perturbation {
        self.noise
    }
    /// The digest of the policies that decided.
    #[must_use]
    pub const fn policies(&self) -> Digest {
        self.policies
    }
    /// The version of the register it was computed over.
    #[must_use]
    pub const fn register_version(&self) -> u64 {
        self.register_version
    }
    /// Whether the domain carries the pilot mark.
    #[must_use]
    pub const fn is_pilot(&self) -> bool {
        self.pilot
    }
    /// When it ends by itself.
    #[must_use]
    pub const fn expires(&self) -> DateTime<Utc> {
        self.expires
    }
}

/// What a permit is computed from.
pub(crate) struct Asking<'a> {
    pub bundle: &'a Bundle,
    pub policies: Digest,
    pub state: &'a State,
    pub now: DateTime<Utc>,
}

impl Asking<'_> {
    /// Computes a permit.
    pub(crate) fn permit(
        &self,
        caller: Caller,
        scenario: Option<&ScenarioId>,
    ) -> Result<Permit, Refusal> {
        let id = scenario.ok_or(Refusal::NoScenario)?;
        let standing = self.state.scenario(id).ok_or(Refusal::UnknownScenario)?;
        let scenario = &standing.scenario;
        let licence = self
            .state
            .licence(&scenario.licence)
            .ok_or(Refusal::UnknownScenario)?;
        let operator = self.state.operator(&licence.licence.operator);
        let operator = operator.ok_or(Refusal::UnknownScenario)?;
        let granted = (
            standing.stage == Stage::Granted,
            licence.stage == Stage::Granted,
        );
        self.enter(&caller, scenario, &licence.licence, operator, granted)?;
        let mut classes = Classes::new(self.bundle, caller.person(), caller.channel());
        let mut datasets = Vec::with_capacity(scenario.datasets.len());
        for wanted in &scenario.datasets {
            let Some(dataset) = self.state.dataset(&wanted.name) else {
                continue;
            };
            let risk = standing
                .row_risks
                .iter()
                .find(|risk| risk.dataset == wanted.name);
            let permitted = self.dataset(&mut classes, dataset, wanted, &licence.licence);
            let permitted = permitted.map_err(|Unusable(why)| Refusal::Unusable(why))?;
            datasets.push(PermittedDataset {
                risk: risk.cloned(),
                snapshot: standing.pinned.get(&wanted.name).copied().unwrap_or(0),
                ..permitted
            });
        }
        let expires = self.expires(&caller, &licence.licence, operator);
        Ok(Permit {
            scenario: scenario.clone(),
            licence: licence.licence.clone(),
            operator: operator.clone(),
            datasets,
            obligations: self.state.obligations(),
            thresholds: self.state.thresholds(),
            budget: self.bundle.disclosure.budget(),
            noise: self.bundle.disclosure.noise(),
            policies: self.policies,
            register_version: self.state.version(),
            pilot: self.state.pilot(),
            expires,
            caller,
        })
    }

    /// Whether the caller may work on the scenario at all.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a different thing that the caller already holds"
    )]
    fn enter(
        &self,
        caller: &Caller,
        scenario: &Scenario,
        licence: &Licence,
        operator: &Operator,
        (granted, licence_granted): (bool, bool),
    ) -> Result<(), Refusal> {
        let person = caller.person();
        let member = scenario.members.contains(&person.id)
            && person.operator().as_ref() == Some(&licence.operator);
        if !member {
            return Err(Refusal::UnknownScenario);
        }
        let began = end_of_day(licence.from.pred_opt().unwrap_or(licence.from)) <= self.now;
        let current = operator
            .evidence
            .iter()
            .all(|e| self.now < end_of_day(e.until));
        let asked = Asked {
            action: "enter",
            person,
            resource: ("Scenario", json!({})),
            context: json!({
                "channel": caller.channel().word(),
                "member": member,
                "granted": granted,
                "licenceGranted": licence_granted,
                "licenceInTerm": began && self.now < end_of_day(licence.until),
                "emergencyPlan": operator.emergency_plan,
                "evidenceCurrent": current,
            }),
        };
        let decision = self
            .bundle
            .decide(&asked)
            .map_err(|Unusable(why)| Refusal::Unusable(why))?;
        if decision.allowed {
            return Ok(());
        }
        Err(decision
            .policies
            .first()
            .map_or(Refusal::UnknownScenario, |id| Refusal::of_policy(id)))
    }

    fn dataset(
        &self,
        classes: &mut Classes<'_>,
        dataset: &Dataset,
        wanted: &ScenarioDataset,
        licence: &Licence,
    ) -> Result<PermittedDataset, Unusable> {
        let own = dataset.provider == licence.operator.as_str();
        let (mut items, mut absent) = (Vec::new(), Vec::new());
        for item in &dataset.items {
            let ways = classes.ways(Class {
                grade: item.grade.number(),
                listed: wanted.items.includes(&item.name),
                measure: wanted.aggregate.contains(&item.name),
                external: dataset.external,
                own,
                prohibited: dataset.prohibited.is_some(),
                covered: licence.mode.covers(&dataset.sector),
            })?;
            let mask = if ways.plain && item.mask.is_none() {
                Mask::Plain
            } else if ways.plain || ways.masked {
                self.bundle.masks.of(item)
            } else {
                Mask::Suppress
            };
            let nameless = matches!(mask, Mask::Token) && item.domain.is_none();
            let mask = if nameless { Mask::Redact } else { mask };
            let shown = item.data_type.filter(|t| mask.shown_type(*t).is_some());
            match shown {
                Some(data_type) if ways.aggregate || mask != Mask::Suppress => {
                    items.push(PermittedItem {
                        name: item.name.clone(),
                        data_type,
                        grade: item.grade,
                        kind: item.kind,
                        unique: item.unique,
                        domain: item.domain.clone(),
                        mask,
                        band: item.band,
                        pooled: dataset.pooled(&item.name).clone(),
                        aggregate: ways.aggregate,
                        export: ways.export,
                    });
                }
                Some(_) | None => {
                    absent.push(AbsentItem {
                        name: item.name.clone(),
                        grade: item.grade,
                    });
                }
            }
        }
        let highest = items
            .iter()
            .map(|item| item.grade)
            .max()
            .unwrap_or(Grade::Four);
        let subject = dataset.subject.as_ref().and_then(|name| dataset.item(name));
        Ok(PermittedDataset {
            name: dataset.name.clone(),
            protected: dataset.is_protected(),
            external: dataset.external,
            subject: dataset.subject.clone(),
            subject_type: subject.and_then(|item| item.data_type),
            subject_unique: subject.is_some_and(|item| item.unique),
            k: self.state.thresholds().of(highest),
            disclosure: self.bundle.disclosure.of(highest),
            rows_plan: rows_plan(wanted)?,
            show_rows: wanted.show_rows,
            snapshot: 0,
            risk: None,
            items,
            absent,
        })
    }

    /// The earliest of the certificate, the agreement, the licence and the operator's evidence.
    fn expires(&self, caller: &Caller, licence: &Licence, operator: &Operator) -> DateTime<Utc> {
        let evidence = operator
            .evidence
            .iter()
            .map(|evidence| end_of_day(evidence.until));
        let bounds = [caller.expires(), end_of_day(licence.until)];
        bounds.into_iter().chain(evidence).min().unwrap_or(self.now)
    }
}

/// A row policy that was not translated hides everything: it is no permit at all.
fn rows_plan(wanted: &ScenarioDataset) -> Result<Option<Vec<u8>>, Unusable> {
    match (&wanted.rows, &wanted.rows_plan) {
        (None, None) => Ok(None),
        (Some(_), Some(bytes)) => hex::decode(bytes)
            .map(Some)
            .map_err(|_| Unusable("a row policy that cannot be read".to_owned())),
        (Some(_), None) | (None, Some(_)) => {
            Err(Unusable("a row policy that was not translated".to_owned()))
        }
    }
}
