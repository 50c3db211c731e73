//! One operation, folded from its events.

use crate::Drawn;
use chrono::{DateTime, Utc};
use ledger::Stored;
use std::collections::BTreeMap;
use terms::{Action, DatasetName, Digest, Event, PersonId, QueryId, Reference, ScenarioId};

/// What the ledger says of one operation. What was pruned or destroyed is absent, not made up.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Which operation.
    pub query: QueryId,
    /// What was asked.
    pub action: Action,
    /// By whom.
    pub person: PersonId,
    /// For which scenario, if the caller named one.
    pub scenario: Option<ScenarioId>,
    /// When.
    pub opened: DateTime<Utc>,
    /// What was decided, if anything.
    pub decision: Option<Decision>,
    /// What the domain calls the result that was kept inside, if one was.
    pub kept: Option<DatasetName>,
    /// How it ended, if it has.
    pub end: Option<End>,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// Its entry on record.
    pub index: u64,
    /// The digest of the plan.
    pub plan: Digest,
    /// The digest of the policies that decided.
    pub policies: Digest,
    /// How many events the register had folded.
    pub register_version: u64,
    /// The items the plan reads.
    pub references: Vec<Reference>,
    /// Where each column comes from; none if it was destroyed, or its key is not here.
    pub drawn: Option<Drawn>,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Its entry on record.
    pub index: u64,
    /// When.
    pub at: DateTime<Utc>,
    /// In which way.
    pub how: How,
}

/// In which way an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// With a result.
    Released {
        /// Rows.
        rows: u64,
        /// Bytes, counted as Arrow buffers.
        bytes: u64,
        /// SHA-256 over the logical values.
        result: Digest,
    },
    /// It was refused.
    Refused {
        /// The stable code.
        code: String,
    },
    /// It failed.
    Failed {
        /// The stable code.
        code: String,
    },
    /// It was dropped.
    Abandoned {
        /// Rows that had left by then, if they were counted.
        rows: Option<u64>,
    },
}

/// The sealed part of a decision is there, and is no lineage.
#[derive(Debug, thiserror::Error)]
#[error("the sealed part of entry {index} is no lineage; the ledger is of another build")]
pub struct Garbled {
    /// Which entry.
    pub index: u64,
    /// What is wrong with it.
    pub source: serde_json::Error,
}

/// Folds events into runs. An operation is held only while it is open.
#[derive(Debug, Default)]
pub struct Runs {
    open: BTreeMap<QueryId, Run>,
}

/// A run that an event moved on.
#[derive(Debug, Clone, PartialEq)]
pub enum Moved {
    /// It was decided.
    Decided(Run),
    /// It ended.
    Ended(Run),
}

// === impl Decision ===

impl Decision {
    /// Adds where each column comes from, as the decision's sealed part says.
    ///
    /// # Errors
    /// [`Garbled`].
    pub fn open(&mut self, sealed: &[u8]) -> Result<(), Garbled> {
        let index = self.index;
        let drawn = Drawn::decode(sealed).map_err(|source| Garbled { index, source })?;
        self.drawn = Some(drawn);
        Ok(())
    }
}

// === impl Runs ===

impl Runs {
    /// Folds one entry in, and gives the run if it was decided or ended by it.
    ///
    /// # Errors
    /// [`Garbled`].
    pub fn apply(&mut self, stored: &Stored) -> Result<Option<Moved>, Garbled> {
        let event = &stored.event;
        if let Event::OperationOpened { query, .. } = event {
            self.open
                .extend(opened(stored).map(|run| (query.clone(), run)));
            return Ok(None);
        }
        if let Event::OperationDecided { query, .. } = event {
            let Some(run) = self.open.get_mut(query) else {
                return Ok(None);
            };
            run.decision = decided(stored)?;
            return Ok(Some(Moved::Decided(run.clone())));
        }
        if let Event::DerivedKept { derived, .. } = event {
            if let Some(run) = self.open.get_mut(&derived.query) {
                run.kept = Some(derived.stored_as());
            }
            return Ok(None);
        }
        let Some((query, how)) = ended(event) else {
            return Ok(None);
        };
        let run = self.open.remove(query).map(|run| Run {
            end: Some(End {
                index: stored.index,
                at: stored.at,
                how,
            }),
            ..run
        });
        Ok(run.map(Moved::Ended))
    }
}

fn opened(stored: &Stored) -> Option<Run> {
    if let Event::OperationOpened {
        query,
        action,
        person,
        scenario,
        ..
    } = &stored.event
    {
        return Some(Run {
            query: query.clone(),
            action: *action,
            person: person.clone(),
            scenario: scenario.clone(),
            opened: stored.at,
            decision: None,
            kept: None,
            end: None,
        });
    }
    None
}

fn decided(stored: &Stored) -> Result<Option<Decision>, Garbled> {
    if let Event::OperationDecided {
        plan,
        policies,
        register_version,
        references,
        ..
    } = &stored.event
    {
        let mut decision = Decision {
            index: stored.index,
            plan: *plan,
            policies: *policies,
            register_version: *register_version,
            references: references.clone(),
            drawn: None,
        };
        if let Some(sealed) = &stored.sealed {
            decision.open(sealed)?;
        }
        return Ok(Some(decision));
    }
    Ok(None)
}

fn ended(event: &Event) -> Option<(&QueryId, How)> {
    if let Event::OperationReleased {
        query,
        rows,
        bytes,
        result,
        ..
    } = event
    {
        let (rows, bytes, result) = (*rows, *bytes, *result);
        Some((
            query,
            How::Released {
                rows,
                bytes,
                result,
            },
        ))
    } else if let Event::OperationRefused { query, code } = event {
        Some((query, How::Refused { code: code.clone() }))
    } else if let Event::OperationFailed { query, code } = event {
        Some((query, How::Failed { code: code.clone() }))
    } else if let Event::OperationAbandoned { query, rows } = event {
        Some((query, How::Abandoned { rows: *rows }))
    } else {
        None
    }
}

// === impl Run ===

impl Run {
    /// What its result is called: `export/<id>` or `result/<id>`, or of one that is kept inside what the
    /// domain calls it; none where only the decision was asked for, or nothing was kept.
    #[must_use]
    pub fn product(&self) -> Option<String> {
        match self.action {
            Action::Query => Some(format!("result/{}", self.query)),
            Action::Export => Some(format!("export/{}", self.query)),
            Action::Materialise => self.kept.as_ref().map(ToString::to_string),
            Action::Explain => None,
        }
    }

    /// Where its columns come from, if it was decided and that is still known.
    #[must_use]
    pub fn drawn(&self) -> Option<&Drawn> {
        self.decision.as_ref()?.drawn.as_ref()
    }
}
