//! What is on record, decided again by other policies: which decisions would flip.
//!
//! Every recorded operation and management step is asked of the present and of the proposed policies, at
//! the state and the time it was asked. What a record holds beside (references, codes) says which
//! differences concern it. A request is compared once for all equal ones, so that a million operations
//! cost a few comparisons.

mod change; // what can differ
mod comparison; // one request, both policies
mod known; // comparisons made already
mod steps; // management events as the requests they were
mod tally; // flips by person, scenario and policy

pub use self::{
    change::Change,
    tally::{Flip, Rehearsed},
};

use self::{
    comparison::{Comparison, Request},
    known::Known,
    steps::Steps,
    tally::{At, Tally},
};
use crate::{Engine, Refusal};
use chrono::{DateTime, Utc};
use register::{Destructions, Redactions, State};
use std::{collections::HashMap, sync::Arc};
use terms::{Action, Event, QueryId, Reference};

/// A rehearsal under way: entries in order from the first, then [`conclude`](Self::conclude).
#[derive(Debug)]
pub struct Rehearsal<'e> {
    present: &'e Engine,
    proposed: &'e Engine,
    since: Option<DateTime<Utc>>,
    state: State,
    redactions: Redactions,
    destructions: Destructions,
    open: HashMap<QueryId, Open>,
    known: Known,
    tally: Tally,
}

/// An operation that was opened and whose end is not read yet.
#[derive(Debug, Clone)]
struct Open {
    at: At,
    request: Request,
    action: Action,
    version: u64,
    comparison: Arc<Comparison>,
}

impl<'e> Rehearsal<'e> {
    /// Begins; entries before a time are folded and not judged.
    ///
    /// # Errors
    /// [`Refusal::Unusable`], where either policies cannot be used.
    pub fn new(
        present: &'e Engine,
        proposed: &'e Engine,
        since: Option<DateTime<Utc>>,
    ) -> Result<Self, Refusal> {
        present.masks()?;
        proposed.masks()?;
        Ok(Self {
            present,
            proposed,
            since,
            state: State::default(),
            redactions: Redactions::default(),
            destructions: Destructions::default(),
            open: HashMap::new(),
            known: Known::default(),
            tally: Tally::default(),
        })
    }

    /// Takes the next entry.
    ///
    /// # Errors
    /// [`Refusal::Unusable`] where a request does not fit the schema.
    pub fn entry(&mut self, index: u64, at: DateTime<Utc>, event: &Event) -> Result<(), Refusal> {
        let at = At { index, at };
        if self.since.is_none_or(|since| since <= at.at) {
            if event.query().is_some() {
                self.operation(at, event)?;
            } else {
                self.step(at, event)?;
            }
        }
        self.tally.entries += 1;
        self.state.apply(event);
        self.redactions.apply(index, event);
        self.destructions.apply(index, event);
        Ok(())
    }

    /// What would flip.
    #[must_use]
    pub fn conclude(mut self) -> Rehearsed {
        let open = std::mem::take(&mut self.open);
        for open in open.into_values() {
            self.tally.entry(&open.comparison, &open.request, open.at);
        }
        self.tally.concluded(self.known.compared())
    }

    fn compared(&mut self, request: &Request, at: At) -> Result<Arc<Comparison>, Refusal> {
        let engines = (self.present, self.proposed);
        self.known.of(request, (engines, &self.state), at.at)
    }

    fn operation(&mut self, at: At, event: &Event) -> Result<(), Refusal> {
        let Some(query) = event.query() else {
            return Ok(());
        };
        if let Event::OperationOpened {
            action,
            person,
            scenario,
            product,
            channel,
            ..
        } = event
        {
            let request = Request {
                person: person.clone(),
                scenario: scenario.clone(),
                product: product.clone(),
                channel: *channel,
            };
            let comparison = self.compared(&request, at)?;
            let open = Open {
                at,
                request,
                action: *action,
                version: self.state.version(),
                comparison,
            };
            self.tally.operations += 1;
            self.open.insert(query.clone(), open);
            return Ok(());
        }
        let Some(mut open) = self.open.remove(query) else {
            return Ok(());
        };
        if let Event::OperationDecided {
            references,
            policies,
            register_version,
            ..
        } = event
        {
            // What stood changed between the opening and the permit.
            let moved = open.version != *register_version;
            if moved && *register_version == self.state.version() {
                open.comparison = self.compared(&open.request, at)?;
            }
            self.tally.elsewhere(*policies != self.present.digest());
            self.decided(&open, references);
        } else if let Event::OperationRefused { code, .. } = event {
            self.tally.refused(&open.comparison, code);
            self.tally.entry(&open.comparison, &open.request, open.at);
        } else {
            // Failed or abandoned before anything was decided.
            self.tally.entry(&open.comparison, &open.request, open.at);
        }
        Ok(())
    }

    fn decided(&mut self, open: &Open, references: &[Reference]) {
        let Open {
            at,
            request,
            action,
            comparison,
            ..
        } = open;
        self.tally.reproduced(comparison.is_as_decided(references));
        if self.tally.entry(comparison, request, *at) {
            return;
        }
        let concerned = |change: &Change| change.concerns(references, *action);
        self.tally.changes(comparison, request, *at, &concerned);
    }

    fn step(&mut self, at: At, event: &Event) -> Result<(), Refusal> {
        let steps = Steps {
            state: &self.state,
            redactions: &self.redactions,
            destructions: &self.destructions,
        };
        let Some(step) = steps.of(event) else {
            return Ok(());
        };
        self.tally.steps += 1;
        let Some(person) = step.by else {
            self.tally.strangers += 1;
            return Ok(());
        };
        let asked = (step.action, step.submitter.as_ref());
        let present = self.present.managing(&person, asked)?;
        let proposed = self.proposed.managing(&person, asked)?;
        if !present.allowed {
            self.tally.reproduced(false);
        }
        if present.allowed != proposed.allowed {
            let change = Change::Step {
                action: step.action.to_owned(),
                allowed: proposed.allowed,
            };
            let policies = comparison::deciding(&present, &proposed);
            self.tally.step(&person.id, change, policies, at);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
