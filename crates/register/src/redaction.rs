use crate::Unlawful;
use std::collections::{BTreeMap, BTreeSet};
use terms::{Event, PersonId};

/// The people beside the requester who must approve before a text is destroyed.
const APPROVALS: usize = 2;
/// The clause that redaction rests on.
const CLAUSE: &str = "AO-17";

/// The requests to destroy sealed texts, folded from the events.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub struct Redactions {
    requests: BTreeMap<u64, Request>,
}

#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Request {
    entry: u64,
    by: PersonId,
    approved: BTreeSet<PersonId>,
    done: bool,
}

/// How far a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// Whose text.
    pub entry: u64,
    /// How many have approved.
    pub approvals: usize,
    /// Whether these are enough.
    pub is_complete: bool,
}

impl Redactions {
    /// Folds the event of an entry in.
    pub fn apply(&mut self, index: u64, event: &Event) {
        if let Event::RedactionRequested { by, entry, .. } = event {
            let request = Request {
                entry: *entry,
                by: by.clone(),
                approved: BTreeSet::new(),
                done: false,
            };
            self.requests.insert(index, request);
        } else if let Event::RedactionApproved { by, request } = event {
            let request = self.requests.get_mut(request);
            if let Some(request) = request.filter(|request| request.by != *by) {
                request.approved.insert(by.clone());
            }
        } else if let Event::TextRedacted { request, .. } = event
            && let Some(request) = self.requests.get_mut(request)
        {
            request.done = true;
        }
    }

    /// Who asked for a redaction.
    #[must_use]
    pub fn requester(&self, request: u64) -> Option<&PersonId> {
        self.requests.get(&request).map(|request| &request.by)
    }

    /// How far a request is, with one more approval if a person is named.
    ///
    /// # Errors
    /// [`Unlawful`] if there is no such open request, or the person may not add to it.
    pub fn judge(&self, request: u64, by: Option<&PersonId>) -> Result<Approval, Unlawful> {
        let refuse = |code, what: &str| {
            let place = format!("redaction request {request}");
            Err(Unlawful::new(code, place, what, CLAUSE))
        };
        let Some(open) = self.requests.get(&request) else {
            return refuse("register.no-such-request", "there is none");
        };
        if open.done {
            return refuse("register.request-done", "the text is destroyed already");
        }
        if by == Some(&open.by) {
            let what = "who asked can't approve; two others must";
            return refuse("register.own-request", what);
        }
        if by.is_some_and(|by| open.approved.contains(by)) {
            let what = "this person has approved already; another one must";
            return refuse("register.approved-already", what);
        }
        let approvals = open.approved.len() + usize::from(by.is_some());
        Ok(Approval {
            entry: open.entry,
            approvals,
            is_complete: approvals >= APPROVALS,
        })
    }

    /// Requests that were approved and whose text was not destroyed yet, as a crash may leave them.
    pub fn approved(&self) -> impl Iterator<Item = (u64, u64)> {
        self.requests
            .iter()
            .filter(|(_, request)| !request.done && request.approved.len() >= APPROVALS)
            .map(|(index, request)| (*index, request.entry))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::RedactionBasis;

    fn person(id: &str) -> PersonId {
        id.parse().unwrap()
    }

    fn requested() -> Redactions {
        let mut redactions = Redactions::default();
        let (by, basis) = (person("sam"), RedactionBasis::ErasureRequest);
        redactions.apply(
            7,
            &Event::RedactionRequested {
                by,
                entry: 3,
                basis,
            },
        );
        redactions
    }

    fn approve(redactions: &mut Redactions, index: u64, by: &str) {
        let (by, request) = (person(by), 7);
        redactions.apply(index, &Event::RedactionApproved { by, request });
    }

    fn code(redactions: &Redactions, request: u64, by: &str) -> &'static str {
        redactions
            .judge(request, Some(&person(by)))
            .map_or_else(|why| why.code(), |_| "lawful")
    }

    #[test]
    fn two_who_did_not_ask_must_approve() {
        let mut redactions = requested();
        assert_eq!(code(&redactions, 7, "sam"), "register.own-request");
        let first = redactions.judge(7, Some(&person("dora"))).unwrap();
        assert_eq!((first.entry, first.is_complete), (3, false));
        approve(&mut redactions, 8, "dora");
        assert_eq!(code(&redactions, 7, "dora"), "register.approved-already");
        assert_eq!(redactions.approved().count(), 0);
        assert!(
            redactions
                .judge(7, Some(&person("rita")))
                .unwrap()
                .is_complete
        );
        approve(&mut redactions, 9, "rita");
        assert_eq!(redactions.approved().collect::<Vec<_>>(), [(7, 3)]);
        redactions.apply(
            10,
            &Event::TextRedacted {
                request: 7,
                entry: 3,
            },
        );
        assert_eq!(redactions.approved().count(), 0);
        assert_eq!(code(&redactions, 7, "pat"), "register.request-done");
    }

    #[test]
    fn one_person_approving_twice_is_one_approval() {
        let mut redactions = requested();
        approve(&mut redactions, 8, "dora");
        approve(&mut redactions, 9, "dora");
        assert!(!redactions.judge(7, None).unwrap().is_complete);
        assert_eq!(code(&redactions, 8, "dora"), "register.no-such-request");
    }
}
