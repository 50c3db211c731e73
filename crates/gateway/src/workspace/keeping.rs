use super::{Named, too_long, unnamed};
use crate::{
    Aim, Asking, By, Gateway, Granted, Order, Refused, Running, Unadministered,
    leash::{Leashed, cut_off},
    operation::{Closed, now},
};
use chrono::{Days, NaiveDate};
use confine::Kept;
use register::Command;
use serde_json::{Value, json};
use std::sync::Arc;
use terms::{Derived, DerivedName, Digest, KeptRows, KeyName, QueryId, today};
use vault::{Keeping, Unkept, Unreceivable};

/// What is asked to be kept, once its words are read.
struct Wanted {
    name: DerivedName,
    until: NaiveDate,
}

/// A result in the store that is not on record yet.
struct Stored {
    named: Named,
    keeping: Keeping,
    digest: Digest,
    rows: u64,
}

/// Which operation a result is of, and with how many rows it is charged: those of its dataset where it is
/// of people, and else those it has.
#[derive(Clone)]
struct Made {
    query: QueryId,
    charged: Option<u64>,
}

impl Gateway {
    /// Runs a statement and keeps its result inside, as a dataset of the scenario; tells what it is called
    /// and which columns it has, and of rows of people nothing else.
    ///
    /// # Errors
    /// [`Refused`]; nothing is kept then.
    pub async fn materialise(
        self: &Arc<Self>,
        asking: &Asking,
        (sql, name): (&str, &str),
        days: Option<u32>,
    ) -> Result<Value, Refused> {
        self.may(asking, "keepDerived", None)?;
        let wanted = self.wanted(name, days)?;
        let granted = self.grant(asking, sql, Aim::Keep).await?;
        let leash = Arc::clone(granted.leash());
        leash.hold(self.keeping(asking, granted, wanted)).await?
    }

    fn wanted(&self, name: &str, days: Option<u32>) -> Result<Wanted, Refused> {
        let config = &self.domain.config.workspace;
        let days = days.unwrap_or(config.days);
        if !(1..=config.days_max).contains(&days) {
            return Err(too_long(config.days_max));
        }
        let until = today(now()).checked_add_days(Days::new(u64::from(days)));
        Ok(Wanted {
            name: name.parse().map_err(|_| unnamed())?,
            until: until.ok_or_else(|| too_long(config.days_max))?,
        })
    }

    async fn keeping(
        self: &Arc<Self>,
        asking: &Asking,
        granted: Granted,
        wanted: Wanted,
    ) -> Result<Value, Refused> {
        let begun = self.charged(&granted, &wanted.name).and_then(|charged| {
            let named = Named::new(&self.domain, &wanted.name)?;
            Ok((charged, named))
        });
        let (charged, named) = match begun {
            Ok(begun) => begun,
            Err(refused) => return Err(granted.refuse(refused).await),
        };
        let query = granted.query_id().clone();
        let mut running = self.run(asking, granted).await?;
        let stored = match self.stored(&mut running, named).await {
            Ok(stored) => stored,
            Err(refused) => return Err(self.stopped(running, refused).await),
        };
        let (gateway, asking) = (Arc::clone(self), asking.clone());
        let made = Made { query, charged };
        // A caller who goes away leaves no result that is neither on record nor discarded.
        let settling = async move {
            gateway
                .settled(&asking, running, (wanted, made, stored))
                .await
        };
        let settled = tokio::spawn(settling).await;
        settled.unwrap_or_else(|_| Err(Refused::internal("gateway.broken")))
    }

    /// Judges the room there is before anything runs, by what is known then: of rows of people how many
    /// their dataset has, so that whether there is room tells nothing of them.
    fn charged(&self, granted: &Granted, name: &DerivedName) -> Result<Option<u64>, Refused> {
        let kept = granted
            .kept()
            .ok_or_else(|| Refused::internal("workspace.unkept"))?;
        let charged = match &kept.rows {
            KeptRows::Answers => None,
            KeptRows::People { dataset, snapshot } => {
                let store = &self.domain.store;
                let source = store.source(dataset, *snapshot, &[]);
                let extent = source.and_then(|source| store.extent(&source));
                Some(extent.map_err(|why| unreadable(&why))?.rows)
            }
        };
        let permit = granted.leash().permit();
        let whose = (&permit.scenario().id, &permit.licence().id);
        let room = self.domain.config.workspace.room;
        let stands = self.domain.live.read();
        let judged = stands
            .state
            .judge_room(whose, name, (charged.unwrap_or(0), room));
        judged.map_err(|why| Refused::from(&why))?;
        Ok(charged)
    }

    /// Writes what comes of a running statement into a file of its own.
    async fn stored(&self, running: &mut Running, named: Named) -> Result<Stored, Refused> {
        let hidden = running.kept().map_or(0, |kept| kept.hidden);
        let schema = running.schema();
        let (store, dataset, number) = (
            self.domain.store.clone(),
            named.dataset.clone(),
            named.number,
        );
        let mut keeping = blocking(move || store.keep((&dataset, number), &schema, hidden)).await?;
        let mut rows: u64 = 0;
        while let Some(batch) = running.next().await {
            let batch = batch?;
            rows = rows.saturating_add(u64::try_from(batch.num_rows()).unwrap_or(u64::MAX));
            keeping = blocking(move || keeping.write(&batch).map(|()| keeping)).await?;
        }
        let (keeping, digest) =
            blocking(move || keeping.finish().map(|digest| (keeping, digest))).await?;
        Ok(Stored {
            named,
            keeping,
            digest,
            rows,
        })
    }

    /// Ends an operation whose result is not kept. That it failed may tell of a few rows.
    async fn stopped(&self, running: Running, refused: Refused) -> Refused {
        let debited = running.debited().await;
        running.abort(&refused).await;
        debited.err().unwrap_or(refused)
    }

    /// Puts a stored result on record, and closes its operation.
    async fn settled(
        self: &Arc<Self>,
        asking: &Asking,
        running: Running,
        (wanted, made, stored): (Wanted, Made, Stored),
    ) -> Result<Value, Refused> {
        let domain = &self.domain;
        let Stored {
            named,
            keeping,
            digest,
            rows,
        } = stored;
        // None comes to stand while something that it was made of is being destroyed.
        let _settling = domain.workspace.settling.lock().await;
        let derived = self.derived(&running, (&wanted, &named), (made, rows), digest);
        let derived = match derived {
            Ok(derived) => derived,
            Err(refused) => {
                discard(keeping).await;
                return Err(self.stopped(running, refused).await);
            }
        };
        let recorded = self.recorded(asking, derived.clone()).await;
        match recorded {
            Ok(()) => keeping.settle(),
            // The log may hold it all the same, so that the file stays; the next start looks.
            Err((refused, true)) => {
                keeping.settle();
                return Err(self.stopped(running, refused).await);
            }
            Err((refused, false)) => {
                discard(keeping).await;
                return Err(self.stopped(running, refused).await);
            }
        }
        drop(named);
        Ok(told(&derived, &running.close().await?))
    }

    /// What is put on record of a result, if it may still be.
    fn derived(
        &self,
        running: &Running,
        (wanted, named): (&Wanted, &Named),
        (made, rows): (Made, u64),
        digest: Digest,
    ) -> Result<Derived, Refused> {
        if running.leash().is_cut() || !self.stands(running.leash()) {
            return Err(cut_off());
        }
        let kept = running.kept().cloned();
        let Kept {
            rows: kept_rows,
            external,
            columns,
            sources,
            view,
            reads,
            hidden: _,
        } = kept.ok_or_else(|| Refused::internal("workspace.unkept"))?;
        let keys = self.domain.keyring.status().keys;
        let is_there = |source: &terms::DerivedSource| {
            let (dataset, number) = (source.dataset.clone(), source.snapshot);
            let name = KeyName::Snapshot { dataset, number };
            keys.iter().any(|(known, _)| *known == name)
        };
        if !sources.iter().all(is_there) {
            return Err(cut_off());
        }
        let permit = running.permit();
        let stands = self.domain.live.read();
        // What is made of a kept result is not kept longer than it.
        let mut until = wanted.until;
        for read in &reads {
            let read = stands.state.kept_under(read);
            until = until.min(read.ok_or_else(cut_off)?.until);
        }
        Ok(Derived {
            name: wanted.name.clone(),
            number: named.number,
            scenario: permit.scenario().id.clone(),
            licence: permit.licence().id.clone(),
            query: made.query,
            rows: kept_rows,
            external,
            columns,
            sources,
            view,
            rows_charged: made.charged.unwrap_or(rows),
            until,
            digest,
        })
    }

    /// Puts a result on record; where that fails, with whether the log may hold it all the same.
    async fn recorded(&self, asking: &Asking, derived: Derived) -> Result<(), (Refused, bool)> {
        let keys = self.domain.record_keys::<Unadministered>().await;
        keys.map_err(|why| (unkept(why), false))?;
        let order = Order {
            by: By::Caller(Box::new(asking.clone())),
            command: Command::KeepDerived {
                derived: Box::new(derived),
                room: self.domain.config.workspace.room,
            },
            sealed: None,
        };
        match self.domain.carry_out(order).await {
            Ok(_) => Ok(()),
            Err(why @ (Unadministered::Ledger(_) | Unadministered::Broken)) => {
                Err((unkept(why), true))
            }
            Err(why) => Err((unkept(why), false)),
        }
    }
}

/// Does what waits for a disk where nobody waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unreceivable> + Send + 'static,
) -> Result<T, Refused> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|_| Refused::internal("gateway.broken"))?;
    done.map_err(|error| {
        tracing::error!(%error, "a result could not be stored");
        Refused::internal("workspace.unstored")
    })
}

async fn discard(keeping: Keeping) {
    // What could not be discarded is found at the next start.
    let _ = tokio::task::spawn_blocking(move || drop(keeping)).await;
}

fn unreadable(why: &Unkept) -> Refused {
    tracing::error!(code = why.code(), "a stored file could not be measured");
    Refused::internal(why.code())
}

fn unkept(why: Unadministered) -> Refused {
    match why {
        Unadministered::Unproved(why) => Refused::from(&why),
        Unadministered::Refused(why) => Refused::from(&why),
        Unadministered::Unlawful(why) => Refused::from(&why),
        Unadministered::Ledger(why) => Refused::from(&why),
        why => {
            tracing::error!(%why, "a result could not be put on record");
            Refused::internal("gateway.broken")
        }
    }
}

/// What the maker of a result is told. Of rows of people neither their number nor anything of them.
fn told(derived: &Derived, closed: &Closed) -> Value {
    let people = matches!(derived.rows, KeptRows::People { .. });
    let columns = derived.columns.iter().map(|column| {
        json!({"name": column.name, "type": column.data_type, "grade": column.grade,
            "token": column.token})
    });
    json!({
        "kept": derived.seen_as(),
        "stored_as": derived.stored_as(),
        "until": derived.until,
        "grade": derived.grade(),
        "people": people,
        "columns": columns.collect::<Vec<_>>(),
        "left_out": closed.confined.left_out(),
        "rows": (!people).then_some(closed.facts.rows),
        "notice": closed.facts.notice,
        "accuracy": closed.facts.accuracy,
        "query": closed.receipt.query,
        "index": closed.receipt.index,
        "checkpoint": closed.receipt.checkpoint,
        "register": closed.receipt.register,
        "pilot": closed.receipt.pilot,
    })
}
