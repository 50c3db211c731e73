use super::now;
use crate::{Domain, Refused};
use disclosure::{Cause, Denied};
use policy::Permit;

impl Domain {
    /// Debits one statement from what the licence may still ask.
    pub(super) async fn debit_query(&self, permit: &Permit) -> Result<(), Refused> {
        let licence = permit.licence();
        let days = (now().date_naive(), licence.from);
        let (who, budget) = (licence.id.as_str(), permit.budget());
        let debited = self.disclosure.debit_query(who, days, &budget).await;
        debited.map_err(refused)
    }

    /// Debits a run that did not begin; that nobody was free tells of no row.
    pub(super) async fn debit_stopped(
        &self,
        permit: &Permit,
        why: &dispatch::Failure,
    ) -> Result<(), Refused> {
        match why {
            dispatch::Failure::Busy(_) => Ok(()),
            _ => self.debit_failure(permit).await,
        }
    }

    /// Debits a run that failed over protected data, at whatever point, like a refusal of the disclosure
    /// register: that it fails may tell of a few rows.
    pub(super) async fn debit_failure(&self, permit: &Permit) -> Result<(), Refused> {
        if !permit.datasets().iter().any(|dataset| dataset.protected) {
            return Ok(());
        }
        let (who, today) = (permit.licence().id.as_str(), now().date_naive());
        let debited = self.disclosure.debit_failure(who, today).await;
        debited.map_err(refused)
    }
}

fn refused(denied: Denied) -> Refused {
    Refused::from(&Cause::Denied(denied))
}
