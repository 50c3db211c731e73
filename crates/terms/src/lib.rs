//! The vocabulary: grades, items, licences, scenarios, masks, events. Every crate speaks it.
//!
//! Values only. Text from outside is parsed here, once, into a type that cannot be wrong; what is
//! wrong is an [`Unreadable`] that names the word and the remedy.
//!
//! Never: does I/O, reads a clock, awaits, knows an engine or a policy language.
#![forbid(unsafe_code)]

mod unreadable; // the one error of parsing a word
mod id; // identifiers, one type each
mod digest; // SHA-256 values
mod grade; // 1 to 4, and what Appendix A allows for each
mod kind; // what an item is about: phone, amount, date …
mod shape; // what a text looks like, whatever its column says
mod mask; // how a value is shown
mod data_type; // the plain types of items, expressions and results
mod person; // real-named people and their roles
mod operator; // licensed companies
mod standing; // let in, not for now, not any more
mod day; // civil days of the domain
mod calendar; // which days are worked
mod grading; // impact → proposed grade
mod catalogue; // datasets and items
mod derivation; // items computed of others of their row
mod derived; // results that are kept inside
mod licence; // who may operate on which sectors until when
mod scenario; // what one approved application may use, and how
mod course; // how far an application has come
mod product; // what came out of operation
mod external; // what an operator brings in
mod objection; // what somebody held against data or a licence
mod violation; // what an operator did wrong
mod obligation; // what a permit asks of a result
mod channel; // the listener a call came in by
mod event; // everything the ledger can say
mod retention; // how long what is on record stays readable
mod withheld; // what a response tells of what it left out
mod usage; // what an operation used
mod destruction; // why data is destroyed
mod seal; // 封存: what is sealed, why, and what was stored
mod key; // keystores, and the keys of a domain by name
mod flow; // how an item has a part in a column
mod legible; // what others wrote, as people are shown it
mod told; // what a caller hears of an error

pub use self::{
    calendar::{Calendar, Holidays},
    catalogue::{Aspects, Dataset, DatasetRisk, Item, Opening, RiskLevel, Sharing, Snapshot},
    channel::Channel,
    course::{Aspect, Cause, Course, Review, Stage},
    data_type::Type,
    day::{end_of_day, today},
    derivation::{Arithmetic, Derivation, Formula, Underivable},
    derived::{Derived, DerivedColumn, DerivedEnd, DerivedSource, KeptRows, Made},
    destruction::DestructionBasis,
    digest::Digest,
    event::{Action, DatasetStep, Disposed, Event, OperatorStep, PersonStep, Reference, Sighted},
    external::{External, Scrutiny},
    flow::{Flow, Origin},
    grade::Grade,
    grading::{Degree, GradeProposal, Impact, Scope},
    id::{
        AnnouncementId, DatasetName, DerivedName, DomainName, ExternalId, IdentifierDomain,
        ItemName, LicenceId, ObjectionId, OperatorId, PersonId, ProductId, QueryId, ScenarioId,
        ViolationId,
    },
    key::{KeyName, KeystoreKind, Rotation},
    kind::Kind,
    legible::{legible, legible_lines},
    licence::{Announcement, Licence, Mode, Sector},
    mask::Mask,
    objection::{Against, Answer, Objection},
    obligation::{Obligations, Thresholds},
    operator::{Evidence, Operator},
    person::{Person, Role},
    product::{Benefit, Fee, Form, Product},
    retention::{EventClass, ReadingPurpose, RedactionBasis, Retention},
    scenario::{RowRisk, Scenario, ScenarioDataset, Wanted},
    seal::{SealBasis, SealedFile, SealedUnit},
    shape::{Shape, Sightings, Sights},
    standing::Standing,
    told::Told,
    unreadable::Unreadable,
    usage::Usage,
    violation::{Measure, Violated, Violation},
    withheld::{Accuracy, LeftOut, Notice},
};
