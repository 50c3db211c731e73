use crate::State;
use std::collections::BTreeMap;
use terms::{Action, Digest, Event, ProductId, QueryId, ScenarioId, Stage};

/// What exports release, held against the products that were approved. Source: AO-17.
#[derive(Debug, Default)]
pub(super) struct Releases {
    under_way: BTreeMap<QueryId, Release>,
    /// When each product was recalled last.
    recalled: BTreeMap<ProductId, u64>,
}

#[derive(Debug)]
struct Release {
    opened: u64,
    scenario: Option<ScenarioId>,
    plan: Option<Digest>,
}

/// How an export was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// It is the release of an approved product, or a pilot's.
    Approved,
    /// No export began that it would be the end of.
    Unbegun,
    /// Nobody approved it.
    Unapproved,
}

impl Releases {
    /// Takes an entry, before what it changes stands; judges where it is an export's end.
    pub(super) fn entry(&mut self, index: u64, event: &Event, state: &State) -> Option<Found> {
        if let Event::OperationOpened {
            query,
            action: Action::Export,
            scenario,
            ..
        } = event
        {
            let release = Release {
                opened: index,
                scenario: scenario.clone(),
                plan: None,
            };
            self.under_way.insert(query.clone(), release);
        } else if let Event::OperationDecided { query, plan, .. } = event {
            if let Some(release) = self.under_way.get_mut(query) {
                release.plan = Some(*plan);
            }
        } else if let Event::ProductStep {
            product,
            stage: Stage::Recalled,
            ..
        } = event
        {
            self.recalled.insert(product.id.clone(), index);
        } else if let Event::OperationRefused { query, .. }
        | Event::OperationFailed { query, .. }
        | Event::OperationAbandoned { query, .. } = event
        {
            self.under_way.remove(query);
        } else if let Event::Exported { query, product, .. } = event {
            let release = self.under_way.remove(query);
            return Some(self.judge(release, product.as_ref(), state));
        }
        None
    }

    /// A product may have been recalled after the export began: what was decided by then stands.
    fn judge(&self, release: Option<Release>, product: Option<&ProductId>, state: &State) -> Found {
        if product.is_none() && state.pilot() {
            return Found::Approved;
        }
        let Some(standing) = product.and_then(|id| state.product(id)) else {
            return Found::Unapproved;
        };
        let Some(release) = release else {
            return Found::Unbegun;
        };
        let stood = match standing.stage {
            Stage::Granted | Stage::Published => true,
            Stage::Recalled => {
                let recalled = self.recalled.get(&standing.product.id);
                recalled.is_some_and(|index| *index > release.opened)
            }
            Stage::Applied
            | Stage::Reviewed
            | Stage::Noticed
            | Stage::Suspended
            | Stage::Refused
            | Stage::Terminated
            | Stage::Expired
            | Stage::Closed => false,
        };
        let its_plan = release.plan.is_some() && standing.product.plan == release.plan;
        if stood && its_plan && release.scenario.as_ref() == Some(&standing.product.scenario) {
            Found::Approved
        } else {
            Found::Unapproved
        }
    }
}
