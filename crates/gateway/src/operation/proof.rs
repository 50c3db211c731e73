use super::{Asking, Gateway, told::told_again};
use crate::{
    Refused,
    receipts::{became, opened},
};
use confine::ReceiptRow;
use ledger::Breach;
use terms::{PersonId, QueryId};

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
                let old = self.receipt(&query).map_err(|why| Refused::from(&why))?;
                let own = old.filter(|(person, _)| person == &caller.person().id);
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

    /// Whose an operation is and what became of it, looked for in the whole log.
    fn receipt(&self, query: &QueryId) -> Result<Option<(PersonId, ReceiptRow)>, Breach> {
        let mut found: Option<(PersonId, ReceiptRow)> = None;
        for stored in self.domain.ledger.events(0)? {
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
