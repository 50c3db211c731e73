use super::{Desk, status, told::Subject};
use crate::{Asking, Refused, flight::asking};
use policy::Refusal;
use register::State;
use terms::{Channel, DatasetName, OperatorId, Person};
use tonic::{Request, Response, Status};
use wire::management::{Document, Documents, Page};

/// How many documents a page has at most.
const PAGE_MAX: usize = 1_000;
/// A page has no further document once it has so many bytes.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// How much of the register a caller sees.
#[derive(Debug)]
pub(super) enum Sight {
    /// All of it.
    All,
    /// What is theirs, and what anybody inside may know.
    Own(Person),
}

impl Sight {
    /// Whether what is an operator's is seen.
    pub(super) fn of_operator(&self, operator: &OperatorId) -> bool {
        match self {
            Self::All => true,
            Self::Own(person) => person.operator().as_ref() == Some(operator),
        }
    }

    /// Whether a person is seen.
    pub(super) fn of_person(&self, other: &Person) -> bool {
        match self {
            Self::All => true,
            Self::Own(person) => {
                person.id == other.id
                    || (person.role == other.role && person.organisation == other.organisation)
            }
        }
    }

    /// Whether what is told of one subject is seen.
    fn of(&self, state: &State, subject: &Subject) -> bool {
        let licence = |id| state.licence(id).map(|standing| &standing.licence.operator);
        let scenario = |id| licence(&state.scenario(id)?.scenario.licence);
        let own = |operator: Option<&OperatorId>| {
            operator.is_some_and(|operator| self.of_operator(operator))
        };
        match subject {
            Subject::Person(id) => state.person(id).is_some_and(|other| self.of_person(other)),
            Subject::Operator(id) => self.of_operator(id),
            Subject::Licence(id) => own(licence(id)),
            Subject::Scenario(id) => own(scenario(id)),
            Subject::Product(id) => own(state
                .product(id)
                .and_then(|standing| scenario(&standing.product.scenario))),
            Subject::External(id) => state.external(id).is_some_and(|standing| {
                let provider = standing.external.dataset.provider.parse();
                provider.is_ok_and(|operator| self.of_operator(&operator))
            }),
            Subject::Objection(id) => state.objection(id).is_some_and(|objection| match self {
                Self::All => true,
                Self::Own(person) => objection.lodged_by == person.id,
            }),
            // Of its scenario's members alone, not of everybody in their operator.
            Subject::Kept(name) => state.kept_under(name).is_some_and(|derived| match self {
                Self::All => true,
                Self::Own(person) => state
                    .scenario(&derived.scenario)
                    .is_some_and(|standing| standing.scenario.members.contains(&person.id)),
            }),
            Subject::Seal(_) => match self {
                Self::All => true,
                Self::Own(_) => false,
            },
            Subject::Dataset(_)
            | Subject::Announcement(_)
            | Subject::Violation(_)
            | Subject::Domain => true,
        }
    }
}

impl Desk {
    /// Whether a caller may read the register inside the domain, and how much of it.
    pub(super) fn sight(&self, asking: &Asking) -> Result<Sight, Refused> {
        let caller = self.gateway.prove(asking)?;
        let refused = |why: Refusal| Refused::from(&why);
        if caller.channel() != Channel::Domain {
            return Err(refused(Refusal::ActionNotPermitted("readOwn")));
        }
        let engine = &self.gateway.domain.engine;
        if engine.manage(caller.person(), "readRegister", None).is_ok() {
            return Ok(Sight::All);
        }
        let own = engine.manage(caller.person(), "readOwn", None);
        own.map_err(refused)?;
        Ok(Sight::Own(caller.person().clone()))
    }

    /// Whether a caller's role may take a step, or have work done for it, inside the domain.
    pub(super) fn may(&self, asking: &Asking, action: &'static str) -> Result<(), Refused> {
        self.gateway.may(asking, action, None).map(|_| ())
    }

    /// One subject that a request names.
    pub(super) fn show_of<T>(
        &self,
        request: &Request<T>,
        subject: impl FnOnce(&T) -> Result<Subject, Refused>,
    ) -> Result<Response<Document>, Status> {
        let subject = subject(request.get_ref()).map_err(|refused| status(&refused))?;
        self.show(&asking(request, self.channel), &subject)
    }

    /// Subjects of one sort.
    pub(super) fn list_of(
        &self,
        request: &Request<Page>,
        subjects: impl FnOnce(&State) -> Vec<Subject>,
    ) -> Result<Response<Documents>, Status> {
        let asking = asking(request, self.channel);
        self.list(&asking, request.get_ref(), subjects)
    }

    /// One subject as it stands; what is not seen looks as if it were not there.
    pub(super) fn show(
        &self,
        asking: &Asking,
        subject: &Subject,
    ) -> Result<Response<Document>, Status> {
        let sight = self.sight(asking).map_err(|refused| status(&refused))?;
        let stands = self.gateway.domain.live.read();
        let told = subject
            .told_to(&sight, &stands.state)
            .filter(|_| sight.of(&stands.state, subject));
        match told {
            Some(told) => Ok(Response::new(Document {
                json: told.to_string(),
            })),
            None => Err(status(&Refused::invalid(
                "management.unknown",
                "there is nothing of that name for you.",
                "没有您可见的该名称对象。",
            ))),
        }
    }

    /// Subjects as they stand, those that are seen: one page of them.
    fn list(
        &self,
        asking: &Asking,
        page: &Page,
        subjects: impl FnOnce(&State) -> Vec<Subject>,
    ) -> Result<Response<Documents>, Status> {
        let sight = self.sight(asking).map_err(|refused| status(&refused))?;
        let stands = self.gateway.domain.live.read();
        let seen = |subject: &Subject| sight.of(&stands.state, subject);
        let mut seen = subjects(&stands.state).into_iter().filter(seen);
        if !page.after.is_empty() && !seen.any(|subject| subject.id() == page.after) {
            return Err(status(&Refused::invalid(
                "management.unknown-page",
                "no page begins there; begin with the first.",
                "没有从此处开始的页，请从第一页开始。",
            )));
        }
        let most = usize::try_from(page.most).unwrap_or(usize::MAX);
        let most = if most == 0 {
            PAGE_MAX
        } else {
            most.min(PAGE_MAX)
        };
        let (mut json, mut bytes, mut last) = (Vec::new(), 0, String::new());
        for subject in seen {
            if json.len() >= most || bytes >= PAGE_BYTES_MAX {
                return Ok(Response::new(Documents { json, next: last }));
            }
            if let Some(told) = subject.told_to(&sight, &stands.state) {
                let told = told.to_string();
                bytes = bytes.saturating_add(told.len());
                json.push(told);
                last = subject.id();
            }
        }
        let next = String::new();
        Ok(Response::new(Documents { json, next }))
    }
}

/// The names of everything in the catalogue, and of what is proposed for it.
pub(super) fn datasets(state: &State) -> Vec<Subject> {
    let known = state.datasets().map(|dataset| dataset.name.clone());
    let mut names: Vec<DatasetName> = known.collect();
    names.extend(
        state
            .proposals()
            .map(|(_, dataset, _)| dataset.name.clone()),
    );
    names.sort();
    names.dedup();
    names.into_iter().map(Subject::Dataset).collect()
}
