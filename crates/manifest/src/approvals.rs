use crate::manifest::{Approval, Ground};
use ledger::Stored;
use std::collections::BTreeMap;
use terms::{Event, LicenceId, ProductId, ScenarioId, Stage};

/// The steps of every licence, scenario and product, folded from the ledger.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Approvals {
    licences: BTreeMap<LicenceId, Vec<Approval>>,
    scenarios: BTreeMap<ScenarioId, Vec<Approval>>,
    products: BTreeMap<ProductId, Vec<Approval>>,
}

impl Approvals {
    /// Folds one entry in.
    pub fn apply(&mut self, stored: &Stored) {
        let approval = |of, by: &terms::PersonId, stage: &Stage| Approval {
            of,
            stage: *stage,
            by: by.clone(),
            at: stored.at,
            index: stored.index,
        };
        if let Event::LicenceStep {
            by, stage, licence, ..
        } = &stored.event
        {
            let step = approval(Ground::Licence(licence.id.clone()), by, stage);
            let steps = self.licences.entry(licence.id.clone()).or_default();
            steps.push(step);
        } else if let Event::ScenarioStep {
            by,
            stage,
            scenario,
            ..
        } = &stored.event
        {
            let step = approval(Ground::Scenario(scenario.id.clone()), by, stage);
            let steps = self.scenarios.entry(scenario.id.clone()).or_default();
            steps.push(step);
        } else if let Event::ProductStep {
            by, stage, product, ..
        } = &stored.event
        {
            let step = approval(Ground::Product(product.id.clone()), by, stage);
            let steps = self.products.entry(product.id.clone()).or_default();
            steps.push(step);
        }
    }

    /// The steps of a product, in order.
    #[must_use]
    pub fn of_product(&self, product: &ProductId) -> &[Approval] {
        self.products.get(product).map_or(&[], Vec::as_slice)
    }

    /// The steps by which this scenario under this licence, and what is released of it, came to stand,
    /// in order.
    #[must_use]
    pub fn of(
        &self,
        licence: &LicenceId,
        scenario: &ScenarioId,
        product: Option<&ProductId>,
    ) -> Vec<Approval> {
        let licence = self.licences.get(licence);
        let scenario = self.scenarios.get(scenario);
        let product = product.and_then(|product| self.products.get(product));
        let all = [licence, scenario, product].into_iter().flatten().flatten();
        let mut steps: Vec<Approval> = all.cloned().collect();
        steps.sort_by_key(|step| step.index);
        steps
    }
}
