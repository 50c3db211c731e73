use crate::{Asking, Domain, Unadministered, operation::now};
use chrono::{DateTime, Utc};
use ledger::Stored;
use policy::Refusal;
use register::{Command, State};
use std::sync::Arc;
use terms::{Channel, Event, Person, today};

/// A command and who gives it.
#[derive(Debug)]
pub struct Order {
    /// Who.
    pub by: By,
    /// What.
    pub command: Command,
    /// What stands encrypted beside its entry, for the security authority alone.
    pub sealed: Option<Vec<u8>>,
}

/// Who gives a command.
#[derive(Debug, Clone)]
pub enum By {
    /// Somebody a seed knows; at this time.
    Known(Box<Person>, DateTime<Utc>),
    /// A caller, who is proved when the command's turn comes.
    Caller(Box<Asking>),
    /// Nobody: a term is over. No policy is asked, since none permits it to anybody.
    Clock,
}

/// A command that was carried out: on record, and standing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carried {
    /// The index of its last entry.
    pub index: u64,
    /// A signed checkpoint that covers it.
    pub checkpoint: String,
}

impl Domain {
    /// Carries a command out: policy says whether, the register says whether it is lawful, the ledger
    /// records it, and only then it stands. One command at a time. Needs a runtime's context.
    ///
    /// # Errors
    /// [`Unadministered`]; nothing is recorded then.
    pub async fn carry_out(self: &Arc<Self>, order: Order) -> Result<Carried, Unadministered> {
        let domain = Arc::clone(self);
        // A caller who goes away must not leave a step on record that does not stand.
        let carried = tokio::spawn(async move {
            let carried = domain.in_turn(order).await;
            // The step stands either way; what it owes is tried again with the next one and at a start.
            if let Err(why) = domain.certify_owed().await {
                tracing::error!(%why, "a product was approved and could not be certified");
            }
            carried
        });
        carried.await.unwrap_or(Err(Unadministered::Broken))
    }

    /// Takes the steps that only waited for the clock. Needs a runtime's context.
    pub(crate) async fn keep_terms(self: &Arc<Self>) {
        let due = self.live.read().state.due(today(now()));
        let is_kept = |command: &Command| matches!(command, Command::EndDerived { .. });
        let any_kept = due.iter().any(is_kept);
        for command in due {
            let order = Order {
                by: By::Clock,
                command,
                sealed: None,
            };
            if let Err(error) = self.carry_out(order).await {
                tracing::error!(%error, "a term is over and could not be put on record");
            }
        }
        // What nobody decided on goes from quarantine.
        if let Err(error) = crate::external::sweep(self).await {
            tracing::error!(%error, "the quarantine could not be put in order");
        }
        if any_kept {
            self.sweep_kept().await;
        }
    }

    async fn in_turn(&self, order: Order) -> Result<Carried, Unadministered> {
        let Order {
            by,
            command,
            sealed,
        } = order;
        let turn = self.live.turn().await;
        // Why an authority decides against somebody may name people: it is sealed.
        let reason = command
            .reason()
            .map(|reason| reason.as_str().as_bytes().to_vec());
        let sealed = sealed.or(reason);
        let (events, at) = self.judged(&by, command)?;
        let appended: Vec<_> = events
            .into_iter()
            .map(|event| {
                let pending = self.ledger.append(&event, sealed.as_deref(), at);
                (event, pending)
            })
            .collect();
        let mut carried = Err(Unadministered::Broken);
        for (event, pending) in appended {
            let appended = match pending.await {
                Ok(appended) => appended,
                Err(why) => {
                    carried = Err(why.into());
                    break;
                }
            };
            let stored = Stored {
                index: appended.index,
                at,
                event,
                sealed: None,
            };
            self.live.apply(&turn, &stored);
            carried = Ok(Carried {
                index: appended.index,
                checkpoint: appended.checkpoint,
            });
        }
        drop(turn);
        self.live.announce();
        carried
    }

    /// The events a command becomes, against what stands now.
    fn judged(
        &self,
        by: &By,
        command: Command,
    ) -> Result<(Vec<Event>, DateTime<Utc>), Unadministered> {
        let stands = self.live.read();
        let (person, at) = match by {
            By::Known(person, at) => ((**person).clone(), *at),
            By::Clock => {
                let clock = State::clock().map_err(|_| Unadministered::Broken)?;
                (clock, now())
            }
            By::Caller(asking) => {
                let at = now();
                let der = asking.certificate();
                let caller = identity::prove(der, &stands.state, asking.channel, at)?;
                if caller.channel() != Channel::Domain {
                    return Err(Refusal::ActionNotPermitted(command.action()).into());
                }
                (caller.person().clone(), at)
            }
        };
        if !matches!(by, By::Clock) {
            let submitter = stands.state.submitter(&command);
            self.engine.manage(&person, command.action(), submitter)?;
        }
        let events = stands.state.judge(&person, command, at)?;
        for event in &events {
            self.judge_masks(event)?;
        }
        Ok((events, at))
    }

    /// No new entry asks for more of an item than its kind and grade may show. What is graded higher
    /// later is not refused for its mask: it gives way to the table's.
    fn judge_masks(&self, event: &Event) -> Result<(), Unadministered> {
        let dataset = if let Event::DatasetProposed { dataset, .. }
        | Event::DatasetCatalogued { dataset, .. } = event
        {
            dataset
        } else if let Event::ExternalStep { external, .. } = event {
            &external.dataset
        } else {
            return Ok(());
        };
        let masks = self.engine.masks()?;
        for item in &dataset.items {
            masks.judge(item).map_err(|why| Unadministered::TooLoose {
                dataset: dataset.name.to_string(),
                why,
            })?;
        }
        Ok(())
    }
}
