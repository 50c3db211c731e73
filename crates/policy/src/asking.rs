//! The computation of a permit: entry first, then every item of every dataset.

use crate::{
    Budget, Owed, Perturbation, Refusal, Release,
    bundle::{Bundle, Unusable},
    decide::Asked,
    item::{By, Class, Classes},
    kept,
    permit::{AbsentItem, Permit, PermittedDataset, PermittedItem, PermittedProduct},
};
use chrono::{DateTime, Utc};
use identity::{Caller, end_of_day};
use register::{LicenceStanding, ScenarioStanding, State};
use serde_json::json;
use terms::{
    Action, Channel, Dataset, Digest, Grade, Licence, Mask, Measure, Obligations, Operator, Person,
    ProductId, Scenario, ScenarioDataset, ScenarioId, Stage, Thresholds,
};

/// What a permit is computed from.
pub(crate) struct Asking<'a> {
    pub bundle: &'a Bundle,
    pub policies: Digest,
    pub state: &'a State,
    pub action: Action,
    pub now: DateTime<Utc>,
}

/// Who enters what.
#[derive(Clone, Copy)]
pub(crate) struct Entering<'e> {
    pub person: &'e Person,
    pub by: By,
    pub standing: &'e ScenarioStanding,
    pub licence: &'e LicenceStanding,
    pub operator: &'e Operator,
}

/// What the policies grant; no permit, since nobody has proved to be the person.
pub(crate) struct Granted<'a> {
    pub scenario: &'a Scenario,
    pub licence: &'a Licence,
    pub operator: &'a Operator,
    pub product: Option<PermittedProduct>,
    pub datasets: Vec<PermittedDataset>,
    pub obligations: Obligations,
    pub owed: Owed,
    pub thresholds: Thresholds,
    pub budget: Budget,
    pub noise: Perturbation,
    pub policies: Digest,
    pub register_version: u64,
    pub pilot: bool,
}

impl<'a> Asking<'a> {
    /// Computes a permit.
    pub(crate) fn permit(
        &self,
        caller: Caller,
        wanted: (Option<&ScenarioId>, Option<&ProductId>),
    ) -> Result<Permit, Refusal> {
        let granted = self.granted(caller.person(), caller.channel(), wanted)?;
        let expires = self.expires(&caller, granted.licence, granted.operator);
        Ok(Permit::new(caller, granted, expires))
    }

    /// What the policies grant a person on a listener, whoever proves to be that person.
    pub(crate) fn granted(
        &self,
        person: &Person,
        channel: Channel,
        (scenario, product): (Option<&ScenarioId>, Option<&ProductId>),
    ) -> Result<Granted<'a>, Refusal> {
        let id = scenario.ok_or(Refusal::NoScenario)?;
        let standing = self.state.scenario(id).ok_or(Refusal::UnknownScenario)?;
        let scenario = &standing.scenario;
        let licence = self
            .state
            .licence(&scenario.licence)
            .ok_or(Refusal::UnknownScenario)?;
        let operator = self.state.operator(&licence.licence.operator);
        let operator = operator.ok_or(Refusal::UnknownScenario)?;
        let by = self.by(channel, (id, product));
        let entering = Entering {
            person,
            by,
            standing,
            licence,
            operator,
        };
        let entered = self.enter(&entering)?;
        let product = product.map(|product| self.product(id, product));
        let mut classes = Classes::new(self.bundle, person, by);
        let mut datasets = Vec::with_capacity(scenario.datasets.len());
        for wanted in &scenario.datasets {
            let Some(dataset) = self.state.dataset(&wanted.name) else {
                continue;
            };
            // Its identifiers are another scenario's tokens.
            if dataset.bound.as_ref().is_some_and(|bound| bound != id) {
                continue;
            }
            let snapshot = standing.pinned.get(&wanted.name).copied().unwrap_or(0);
            let risk = standing
                .row_risks
                .iter()
                .find(|risk| risk.dataset == wanted.name && risk.snapshot == snapshot);
            let permitted = self.dataset(&mut classes, dataset, wanted, &licence.licence);
            let permitted = permitted.map_err(|Unusable(why)| Refusal::Unusable(why))?;
            // INVARIANT (nothing is counted that nothing shows): of what is sealed, prohibited or not listed
            // at all, not even how many rows there are.
            if permitted.items.is_empty() {
                continue;
            }
            datasets.push(PermittedDataset {
                // INVARIANT (no rows unmeasured): of protected data none show before their risk is on
                // record, for the very snapshot that is seen.
                show_rows: permitted.show_rows && (risk.is_some() || !permitted.protected),
                risk: risk.cloned(),
                snapshot,
                ..owing(permitted, entered)
            });
        }
        let kept = self.state.kept_of(id);
        let kept: Vec<_> = kept
            .filter_map(|derived| kept::permitted(derived, &datasets, self.bundle))
            .collect();
        datasets.extend(kept);
        Ok(Granted {
            scenario,
            licence: &licence.licence,
            operator,
            product: product.transpose()?,
            datasets,
            obligations: entered.tightened(self.state.obligations()),
            owed: entered,
            thresholds: self.state.thresholds(),
            budget: self.bundle.disclosure.budget(),
            noise: self.bundle.disclosure.noise(),
            policies: self.policies,
            register_version: self.state.version(),
            pilot: self.state.pilot(),
        })
    }

    /// By which listener somebody asks, and for the results of which product alone.
    pub(crate) fn by(
        &self,
        channel: Channel,
        (scenario, product): (&ScenarioId, Option<&ProductId>),
    ) -> By {
        let standing = |id| {
            let of_it = self.state.product(id);
            let of_it = of_it.filter(|standing| standing.product.scenario == *scenario);
            of_it.map_or("unknown", |standing| standing.stage.word())
        };
        By {
            channel,
            product: product.map_or("none", standing),
        }
    }

    /// The product of a scenario with the plan that its permit is for: what has none is permitted nobody.
    fn product(&self, scenario: &ScenarioId, id: &ProductId) -> Result<PermittedProduct, Refusal> {
        let standing = self.state.product(id).map(|standing| &standing.product);
        let of_it = standing.filter(|product| product.scenario == *scenario);
        let plan = of_it.and_then(|product| product.plan);
        let id = id.clone();
        plan.map(|plan| PermittedProduct { id, plan })
            .ok_or(Refusal::ProductNotPublished)
    }

    /// Whether the person may work on the scenario at all, and what that asks.
    fn enter(&self, entering: &Entering<'_>) -> Result<Owed, Refusal> {
        let asked = self.entry(entering).ok_or(Refusal::UnknownScenario)?;
        let decision = self
            .bundle
            .decide(&asked)
            .map_err(|Unusable(why)| Refusal::Unusable(why))?;
        if decision.allowed {
            return Ok(decision.owed);
        }
        Err(decision
            .policies
            .first()
            .map_or(Refusal::UnknownScenario, |id| Refusal::of_policy(id)))
    }

    /// The request to enter, as the policies see it; none of somebody who is no member.
    pub(crate) fn entry<'e>(&self, entering: &Entering<'e>) -> Option<Asked<'e>> {
        let Entering {
            person,
            by,
            standing,
            licence: LicenceStanding { licence, stage, .. },
            operator,
        } = *entering;
        let member = standing.scenario.members.contains(&person.id)
            && person.operator().as_ref() == Some(&licence.operator);
        let began = end_of_day(licence.from.pred_opt().unwrap_or(licence.from)) <= self.now;
        let current = operator
            .evidence
            .iter()
            .all(|e| self.now < end_of_day(e.until));
        member.then(|| Asked {
            action: "enter",
            person,
            resource: ("Scenario", json!({})),
            context: json!({
                "channel": by.channel.word(),
                "product": by.product,
                "member": member,
                "granted": standing.stage == Stage::Granted,
                "licenceGranted": *stage == Stage::Granted,
                "licenceInTerm": began && self.now < end_of_day(licence.until),
                "emergencyPlan": operator.emergency_plan,
                "evidenceCurrent": current,
                "drillCurrent": operator.drill_until.is_none_or(|day| self.now < end_of_day(day)),
                "assessed": !operator.assessment_failed,
                "open": !self.state.measures(&operator.id).any(|m| m == Measure::Closed),
                "sealed": self.state.seals().holds_scenario(&standing.scenario),
            }),
        })
    }

    fn dataset(
        &self,
        classes: &mut Classes<'_>,
        dataset: &Dataset,
        wanted: &ScenarioDataset,
        licence: &Licence,
    ) -> Result<PermittedDataset, Unusable> {
        let (mut items, mut absent) = (Vec::new(), Vec::new());
        let seals = self.state.seals();
        for item in &dataset.items {
            let ways = classes.ways(Class::of(item, (dataset, wanted), (licence, seals)))?;
            let mask = if ways.plain && item.mask.is_none() {
                Mask::Plain
            } else if ways.plain || ways.masked {
                self.bundle.masks.of(item)
            } else {
                Mask::Suppress
            };
            let tokenised = dataset.is_tokenised(item);
            let mask = if tokenised && mask != Mask::Suppress {
                Mask::Token
            } else {
                mask
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
                        tokenised,
                        mask,
                        band: item.band,
                        pooled: dataset.pooled(&item.name).clone(),
                        aggregate: ways.aggregate,
                        export: ways.export,
                        materialise: ways.materialise,
                        owed: ways.owing(self.action),
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
            kept: None,
        })
    }

    /// The earliest of the certificate, the agreement, the licence, the operator's evidence and its
    /// next drill.
    fn expires(&self, caller: &Caller, licence: &Licence, operator: &Operator) -> DateTime<Utc> {
        let evidence = operator
            .evidence
            .iter()
            .map(|evidence| end_of_day(evidence.until));
        let bounds = [caller.expires(), end_of_day(licence.until)];
        let drill = operator.drill_until.map(end_of_day);
        let bounds = bounds.into_iter().chain(evidence).chain(drill);
        bounds.min().unwrap_or(self.now)
    }
}

/// A dataset whose cells owe what the policies ask that permit its items, and that let the caller in.
fn owing(mut dataset: PermittedDataset, entered: Owed) -> PermittedDataset {
    let items = dataset.items.iter().map(|item| item.owed);
    let owed = items.fold(entered, Owed::strictest);
    dataset.k = owed.k.map_or(dataset.k, |k| k.max(dataset.k));
    if owed.perturb {
        dataset.disclosure.release = Release::Perturb;
    }
    dataset
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
