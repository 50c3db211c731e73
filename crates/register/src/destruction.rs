use crate::Unlawful;
use std::collections::BTreeMap;
use terms::{DatasetName, DestructionBasis, Digest, Event, PersonId};

/// The people beside the requester who must approve before data is destroyed.
const APPROVALS: usize = 2;
const CLAUSE: &str = "AO-19";

/// The requests to destroy snapshots, folded from the events.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Destructions {
    requests: BTreeMap<u64, DestructionRequest>,
}

/// A request to destroy a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DestructionRequest {
    /// Of which dataset.
    pub dataset: DatasetName,
    /// Which snapshot.
    pub snapshot: u32,
    /// Why.
    pub basis: DestructionBasis,
    /// Who asked.
    pub by: PersonId,
    /// Who approved, and in which entry.
    pub approved: BTreeMap<PersonId, u64>,
    /// The entry that certified it, and the certificate's digest.
    pub certified: Option<(u64, Digest)>,
}

// === impl Destructions ===

impl Destructions {
    /// Folds the event of an entry in.
    pub fn apply(&mut self, index: u64, event: &Event) {
        if let Event::DestructionRequested {
            by,
            dataset,
            snapshot,
            basis,
        } = event
        {
            let request = DestructionRequest {
                dataset: dataset.clone(),
                snapshot: *snapshot,
                basis: *basis,
                by: by.clone(),
                approved: BTreeMap::new(),
                certified: None,
            };
            self.requests.insert(index, request);
        } else if let Event::DestructionApproved { by, request } = event {
            let request = self.requests.get_mut(request);
            if let Some(request) = request.filter(|request| request.by != *by) {
                request.approved.entry(by.clone()).or_insert(index);
            }
        } else if let Event::DestructionCertified {
            request,
            certificate,
        } = event
            && let Some(request) = self.requests.get_mut(request)
        {
            request.certified = Some((index, *certificate));
        }
    }

    /// A request, by its entry.
    #[must_use]
    pub fn request(&self, request: u64) -> Option<&DestructionRequest> {
        self.requests.get(&request)
    }

    /// Whether a snapshot may be asked to be destroyed: it is not asked already.
    ///
    /// # Errors
    /// [`Unlawful`].
    pub fn judge_request(&self, dataset: &DatasetName, snapshot: u32) -> Result<(), Unlawful> {
        let mut all = self.requests.values();
        if all.any(|known| known.dataset == *dataset && known.snapshot == snapshot) {
            let place = format!("snapshot {snapshot} of `{dataset}`");
            let what = "its destruction is asked for already, or done";
            let code = "register.destruction-asked";
            return Err(Unlawful::new(code, place, what, CLAUSE));
        }
        Ok(())
    }

    /// How many have approved a request, with one more if a person is named, and whether these are enough.
    ///
    /// # Errors
    /// [`Unlawful`] if there is no such open request, or the person may not add to it.
    pub fn judge(&self, request: u64, by: Option<&PersonId>) -> Result<(usize, bool), Unlawful> {
        let refuse = |code, what: &str| {
            let place = format!("destruction request {request}");
            Err(Unlawful::new(code, place, what, CLAUSE))
        };
        let Some(open) = self.requests.get(&request) else {
            return refuse("register.no-such-request", "there is none");
        };
        if open.certified.is_some() {
            return refuse("register.request-done", "the data is destroyed already");
        }
        if by == Some(&open.by) {
            let what = "who asked can't approve; two others must";
            return refuse("register.own-request", what);
        }
        if by.is_some_and(|by| open.approved.contains_key(by)) {
            let what = "this person has approved already; another one must";
            return refuse("register.approved-already", what);
        }
        let approvals = open.approved.len() + usize::from(by.is_some());
        Ok((approvals, approvals >= APPROVALS))
    }

    /// Requests that were approved and not certified yet, as a crash may leave them.
    pub fn approved(&self) -> impl Iterator<Item = u64> {
        let open = |request: &DestructionRequest| {
            request.certified.is_none() && request.approved.len() >= APPROVALS
        };
        let open = self
            .requests
            .iter()
            .filter(move |(_, request)| open(request));
        open.map(|(index, _)| *index)
    }

    /// Requests that were certified, with the entry that says so.
    pub fn certified(&self) -> impl Iterator<Item = (u64, u64)> {
        let certified = |request: &DestructionRequest| request.certified.map(|(index, _)| index);
        let all = self.requests.iter();
        all.filter_map(move |(request, of)| Some((*request, certified(of)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str) -> PersonId {
        id.parse().unwrap()
    }

    fn requested() -> Destructions {
        let mut all = Destructions::default();
        let event = Event::DestructionRequested {
            by: person("sam"),
            dataset: "a.b".parse().unwrap(),
            snapshot: 2,
            basis: DestructionBasis::Superseded,
        };
        all.apply(7, &event);
        all
    }

    fn approve(all: &mut Destructions, index: u64, by: &str) {
        let (by, request) = (person(by), 7);
        all.apply(index, &Event::DestructionApproved { by, request });
    }

    fn code(all: &Destructions, request: u64, by: &str) -> &'static str {
        let judged = all.judge(request, Some(&person(by)));
        judged.map_or_else(|why| why.code(), |_| "lawful")
    }

    #[test]
    fn data_is_destroyed_by_two_who_did_not_ask() {
        let mut all = requested();
        assert_eq!(code(&all, 7, "sam"), "register.own-request");
        assert_eq!(code(&all, 8, "dora"), "register.no-such-request");
        assert_eq!(all.judge(7, Some(&person("dora"))).unwrap(), (1, false));
        approve(&mut all, 8, "dora");
        approve(&mut all, 9, "sam");
        assert_eq!(code(&all, 7, "dora"), "register.approved-already");
        assert_eq!(all.approved().count(), 0);
        assert_eq!(all.judge(7, Some(&person("rita"))).unwrap(), (2, true));
        approve(&mut all, 10, "rita");
        assert_eq!(all.approved().collect::<Vec<_>>(), [7]);
        let certificate = Digest::of(b"certificate");
        let event = Event::DestructionCertified {
            request: 7,
            certificate,
        };
        all.apply(11, &event);
        assert_eq!(all.approved().count(), 0);
        assert_eq!(all.certified().collect::<Vec<_>>(), [(7, 11)]);
        assert_eq!(code(&all, 7, "rita"), "register.request-done");
    }

    #[test]
    fn the_same_snapshot_is_not_asked_for_twice() {
        let all = requested();
        let dataset = "a.b".parse().unwrap();
        let twice = all.judge_request(&dataset, 2).unwrap_err();
        assert_eq!(twice.code(), "register.destruction-asked");
        all.judge_request(&dataset, 3).unwrap();
    }
}
