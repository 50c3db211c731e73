use super::{Asking, Gateway, told::told_again};
use crate::{
    Kind, Refused,
    receipts::{became, opened},
};
use confine::ReceiptRow;
use ledger::{Breach, Ledger};
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};
use terms::{PersonId, QueryId, Told};

/// Who has a search of the whole log under way.
#[derive(Debug, Default)]
pub(crate) struct Searches(Arc<Mutex<BTreeSet<PersonId>>>);

/// A search under way; it is over when dropped.
#[derive(Debug)]
struct Searching {
    of: PersonId,
    all: Arc<Mutex<BTreeSet<PersonId>>>,
}

impl Gateway {
    /// One of the caller's own operations: the log's proof of it, and its receipt for machines.
    ///
    /// # Errors
    /// [`Refused`]; another's operation and none look the same.
    pub async fn proof(
        &self,
        asking: &Asking,
        query: &str,
    ) -> Result<(u64, String, serde_json::Value), Refused> {
        let caller = self.prove(asking)?;
        let unknown = || {
            Refused::invalid(
                "ledger.unknown-operation",
                "there is no such operation of yours.",
                "没有您的该项操作。",
            )
        };
        let query: QueryId = query.parse().map_err(|_| unknown())?;
        let newest = self.receipts(&caller)?;
        let newest = newest.into_iter().find(|row| row.query == query.as_str());
        let row = match newest {
            Some(row) => row,
            None => {
                let person = &caller.person().id;
                let old = self.search(person, query).await?;
                let own = old.filter(|(whose, _)| whose == person);
                own.ok_or_else(unknown)?.1
            }
        };
        let index = u64::try_from(row.index).map_err(|_| unknown())?;
        let ledger = &self.domain.ledger;
        // Under the newest checkpoint that witnesses cosigned, where one covers the entry.
        let held = self.witnesses.as_ref().map(|all| all.held_above(index));
        let proof = match held.transpose() {
            Ok(Some(Some(note))) => ledger.reader().prove_under(index, &note),
            Ok(Some(None) | None) => ledger.prove(index),
            Err(error) => {
                tracing::error!(%error, "what the witnesses cosigned cannot be read");
                ledger.prove(index)
            }
        };
        let proof = proof.map_err(|why| Refused::from(&why))?;
        Ok((index, proof.to_string(), told_again(&row)))
    }

    /// Whose an operation is and what became of it, looked for in the whole log: beside what serves, and
    /// once at a time for each person, so that nobody keeps the machine busy with it.
    async fn search(
        &self,
        person: &PersonId,
        query: QueryId,
    ) -> Result<Option<(PersonId, ReceiptRow)>, Refused> {
        let searching = self.searches.begin(person).ok_or_else(|| {
            let told = Told::new(
                "you are looking for an old operation already; wait for that answer.",
                "您正在查询一项较早的操作，请等待其结果。",
            );
            Refused::new("ledger.search-running", told, Kind::Exhausted)
        })?;
        let domain = Arc::clone(&self.domain);
        let found = tokio::task::spawn_blocking(move || {
            let found = receipt(&domain.ledger, &query);
            // A caller who goes away does not end the search, so it ends with it.
            drop(searching);
            found
        });
        let found = found.await.map_err(|error| {
            tracing::error!(%error, "a search of the log ended");
            Refused::internal("ledger.search")
        })?;
        found.map_err(|why| Refused::from(&why))
    }

    /// The newest checkpoint.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn head(&self) -> Result<String, Refused> {
        let head = self
            .domain
            .ledger
            .head()
            .map_err(|why| Refused::from(&why))?;
        Ok(head.1)
    }
}

/// Whose an operation is and what became of it.
fn receipt(ledger: &Ledger, query: &QueryId) -> Result<Option<(PersonId, ReceiptRow)>, Breach> {
    let mut found: Option<(PersonId, ReceiptRow)> = None;
    for stored in ledger.events(0)? {
        let stored = stored?;
        if stored.event.query() == Some(query) {
            match &mut found {
                None => found = opened(&stored),
                Some((_, row)) => became(row, &stored),
            }
        }
    }
    Ok(found)
}

// === impl Searches ===

impl Searches {
    /// Begins one for a person who has none under way.
    fn begin(&self, person: &PersonId) -> Option<Searching> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(person.clone()).then(|| Searching {
            of: person.clone(),
            all: Arc::clone(&self.0),
        })
    }
}

impl Drop for Searching {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.of);
    }
}

#[cfg(test)]
mod tests {
    use crate::stage::Stage;

    const NONE: &str = "0123456789abcdef0123456789abcdef";

    #[tokio::test]
    async fn nobody_has_two_searches_of_the_log_at_once() {
        let stage = Stage::set().await;
        let asked = || async {
            let asked = stage.gateway.proof(&stage.asking(), NONE).await;
            asked.unwrap_err().code
        };
        let ann = "ann".parse().unwrap();
        let under_way = stage.gateway.searches.begin(&ann).unwrap();
        assert_eq!(asked().await, "ledger.search-running");
        assert!(
            stage
                .gateway
                .searches
                .begin(&"bob".parse().unwrap())
                .is_some()
        );
        drop(under_way);
        assert_eq!(asked().await, "ledger.unknown-operation");
        // Each ends with its answer.
        assert_eq!(asked().await, "ledger.unknown-operation");
    }

    /// While the one thread for work that waits is taken, a search waits and whatever serves goes on.
    #[test]
    fn a_search_of_the_log_keeps_no_other_call_waiting() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().max_blocking_threads(1).build();
        runtime.unwrap().block_on(async {
            let stage = Stage::set().await;
            let asking = stage.asking();
            let (release, released) = std::sync::mpsc::channel::<()>();
            let (took, taken) = tokio::sync::oneshot::channel();
            let busy = tokio::task::spawn_blocking(move || {
                took.send(()).unwrap();
                released.recv().unwrap();
            });
            taken.await.unwrap();
            let mut searching = Box::pin(stage.gateway.proof(&asking, NONE));
            let first = futures::poll!(&mut searching);
            assert!(first.is_pending());
            release.send(()).unwrap();
            busy.await.unwrap();
            let code = searching.await.unwrap_err().code;
            assert_eq!(code, "ledger.unknown-operation");
        });
    }
}
