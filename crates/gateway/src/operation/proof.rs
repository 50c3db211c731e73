use super::{Asking, Gateway, told::told_again};
use crate::{
    Refused,
    receipts::{became, opened},
};
use confine::ReceiptRow;
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
        let (mut own, mut last): (Option<(PersonId, ReceiptRow)>, Option<u64>) = (None, None);
        for stored in self
            .domain
            .ledger
            .events(0)
            .map_err(|why| Refused::from(&why))?
        {
            let stored = stored.map_err(|why| Refused::from(&why))?;
            if stored.event.query() == Some(&query) {
                match &mut own {
                    None => own = opened(&stored),
                    Some((_, row)) => became(row, &stored),
                }
                last = Some(stored.index);
            }
        }
        let own = own.filter(|(person, _)| person == &caller.person().id);
        let (_, row) = own.ok_or_else(unknown)?;
        let index = last.ok_or_else(unknown)?;
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
