use crate::State;
use std::collections::BTreeMap;
use terms::{Channel, Digest, Event, Grade, ProductId, QueryId, ScenarioId, Stage};

/// Operations asked from outside the domain: above grade 1 they are of published products alone.
/// Source: CG-B 汇聚 L2-7, AO-17.
#[derive(Debug, Default)]
pub(super) struct Remote {
    under_way: BTreeMap<QueryId, Asked>,
}

#[derive(Debug)]
struct Asked {
    scenario: Option<ScenarioId>,
    product: Option<ProductId>,
    /// The plan of its product, where that was published when it was asked for.
    plan: Option<Digest>,
}

impl Remote {
    /// Takes an entry, before what it changes stands; says whether it decided what nobody published.
    pub(super) fn entry(&mut self, event: &Event, state: &State) -> bool {
        if let Event::OperationOpened {
            query,
            scenario,
            product,
            channel: Channel::Remote,
            ..
        } = event
        {
            let mut asked = Asked {
                scenario: scenario.clone(),
                product: product.clone(),
                plan: None,
            };
            asked.plan = asked.published(state);
            self.under_way.insert(query.clone(), asked);
            return false;
        }
        let Event::OperationDecided {
            query,
            plan,
            references,
            ..
        } = event
        else {
            return false;
        };
        let Some(asked) = self.under_way.remove(query) else {
            return false;
        };
        // It may have been published or recalled between the two entries.
        let permitted = [asked.plan, asked.published(state)];
        references.iter().any(|of| of.grade > Grade::One) && !permitted.contains(&Some(*plan))
    }
}

impl Asked {
    fn published(&self, state: &State) -> Option<Digest> {
        let standing = state.product(self.product.as_ref()?)?;
        let is_of_it = Some(&standing.product.scenario) == self.scenario.as_ref();
        let stands = is_of_it && standing.stage == Stage::Published;
        stands.then_some(standing.product.plan).flatten()
    }
}
