use crate::manifest::{Approval, Ground};
use ledger::Stored;
use std::collections::BTreeMap;
use terms::{Event, LicenceId, ScenarioId};

/// The steps of every licence and scenario, folded from the ledger.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Approvals {
    licences: BTreeMap<LicenceId, Vec<Approval>>,
    scenarios: BTreeMap<ScenarioId, Vec<Approval>>,
}

impl Approvals {
    /// Folds one entry in.
    pub fn apply(&mut self, stored: &Stored) {
        let approval = |of, by: &terms::PersonId, stage| Approval {
            of,
            stage,
            by: by.clone(),
            at: stored.at,
            index: stored.index,
        };
        if let Event::LicenceStep {
            by, stage, licence, ..
        } = &stored.event
        {
            let step = approval(Ground::Licence(licence.id.clone()), by, *stage);
            self.licences
                .entry(licence.id.clone())
                .or_default()
                .push(step);
        } else if let Event::ScenarioStep {
            by,
            stage,
            scenario,
            ..
        } = &stored.event
        {
            let step = approval(Ground::Scenario(scenario.id.clone()), by, *stage);
            self.scenarios
                .entry(scenario.id.clone())
                .or_default()
                .push(step);
        }
    }

    /// The steps by which this scenario under this licence came to stand, in order.
    #[must_use]
    pub fn of(&self, licence: &LicenceId, scenario: &ScenarioId) -> Vec<Approval> {
        let licence = self.licences.get(licence).into_iter().flatten();
        let scenario = self.scenarios.get(scenario).into_iter().flatten();
        let mut steps: Vec<Approval> = licence.chain(scenario).cloned().collect();
        steps.sort_by_key(|step| step.index);
        steps
    }
}
