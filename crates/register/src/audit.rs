//! The record held against its own rules: what stands folded again, every operation's life, and the
//! log's upkeep. The hashes are the ledger's to check; this reads what they cover.

mod releases; // what left, held against what was approved
mod remote; // what was asked from outside the domain, likewise

use self::{
    releases::{Found, Releases},
    remote::Remote,
};
use crate::{Destructions, Redactions, State};
use chrono::{DateTime, Utc};
use ledger::{Leaf, Promises};
use std::collections::BTreeMap;
use terms::{Cause, Digest, Event, PersonId, QueryId, Scrutiny, Stage};

/// Findings kept; more are counted.
const FINDINGS_MAX: usize = 100;

/// An audit under way: entries in order, then [`conclude`](Self::conclude).
#[derive(Debug, Default)]
pub struct Audit {
    state: State,
    redactions: Redactions,
    destructions: Destructions,
    promises: Promises,
    operations: BTreeMap<QueryId, Life>,
    releases: Releases,
    remote: Remote,
    started: Option<Started>,
    /// Entries were missing, so beginnings may be. Those that what stands rests on never are.
    partial: bool,
    next: u64,
    counts: BTreeMap<&'static str, u64>,
    findings: Vec<Finding>,
    findings_count: u64,
    unjudged: BTreeMap<&'static str, u64>,
    compared: u64,
}

/// Something on record that the rules do not allow.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// At which entry.
    pub entry: u64,
    /// The stable code of the rule.
    pub code: &'static str,
    /// What is wrong.
    pub what: String,
}

/// What an audit found.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Audited {
    /// How many of each event there are.
    pub events: BTreeMap<&'static str, u64>,
    /// The digest of what stands, folded from the events.
    pub register: Digest,
    /// How many events have changed what stands.
    pub register_version: u64,
    /// How often a gateway's own record of what stands was found equal.
    pub register_compared: u64,
    /// Operations without an outcome: under way, or left by a gateway that has not come back.
    pub operations_open: u64,
    /// How many entries could not be held against which rule, since what it asks for was pruned.
    pub unjudged: BTreeMap<&'static str, u64>,
    /// How many findings there are.
    pub findings_count: u64,
    /// The first hundred of them.
    pub findings: Vec<Finding>,
}

/// Where an operation is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Opened { version: u64 },
    Decided,
    Released,
    Exported,
    Ended,
}

#[derive(Debug)]
struct Started {
    policies: Digest,
}

impl Audit {
    /// Takes an entry's leaf.
    ///
    /// # Errors
    /// [`ledger::Breach`] if the leaf is not one of ours in its canonical form.
    pub fn leaf(&mut self, index: u64, leaf: &[u8]) -> Result<(), ledger::Breach> {
        let leaf = Leaf::decode(leaf)?;
        self.event(index, &leaf.event, leaf.at);
        Ok(())
    }

    /// Takes an entry's event.
    pub fn event(&mut self, index: u64, event: &Event, at: DateTime<Utc>) {
        self.partial |= index != self.next;
        self.next = index + 1;
        *self.counts.entry(event.name()).or_default() += 1;
        if event.query().is_some() {
            self.operation(index, event);
        } else {
            self.standing(index, event);
            self.upkeep(index, event, at);
            self.destruction(index, event);
            self.brought(index, event);
        }
        match self.releases.entry(index, event, &self.state) {
            Some(Found::Unbegun) if self.partial => self.pass_over("audit.no-product"),
            Some(Found::Unapproved | Found::Unbegun) => {
                let what = "a package left that is the release of no approved product";
                self.find(index, "audit.no-product", what);
            }
            Some(Found::Approved) | None => {}
        }
        if self.remote.entry(event, &self.state) {
            let what = "what is above grade 1 was processed from outside for no published product";
            self.find(index, "audit.remote", what);
        }
        self.state.apply(event);
        self.redactions.apply(index, event);
        self.destructions.apply(index, event);
        self.promises.apply(event, at);
    }

    /// What the whole of it shows.
    #[must_use]
    pub fn conclude(self) -> Audited {
        let open = |life: &&Life| matches!(life, Life::Opened { .. } | Life::Decided);
        let operations_open = self.operations.values().filter(open).count();
        Audited {
            events: self.counts,
            register: self.state.digest(),
            register_version: self.state.version(),
            register_compared: self.compared,
            operations_open: u64::try_from(operations_open).unwrap_or(u64::MAX),
            unjudged: self.unjudged,
            findings_count: self.findings_count,
            findings: self.findings,
        }
    }

    fn find(&mut self, entry: u64, code: &'static str, what: impl Into<String>) {
        self.findings_count += 1;
        if self.findings.len() < FINDINGS_MAX {
            let what = what.into();
            self.findings.push(Finding { entry, code, what });
        }
    }

    fn pass_over(&mut self, code: &'static str) {
        *self.unjudged.entry(code).or_default() += 1;
    }

    fn standing(&mut self, index: u64, event: &Event) {
        if let Event::DomainCreated { .. } = event {
            if index != 0 {
                self.find(index, "audit.domain-twice", "a domain is created once");
            }
        } else if index == 0 {
            let what = "a log begins with the creation of its domain";
            self.find(index, "audit.no-domain", what);
        }
        if let Event::GatewayStarted {
            policies, register, ..
        } = event
        {
            let policies = *policies;
            self.started = Some(Started { policies });
            match register {
                Some(register) if *register == self.state.digest() => self.compared += 1,
                Some(_) => {
                    let what = "what stood for the gateway is not what the events make";
                    self.find(index, "audit.register-differs", what);
                }
                None => {}
            }
        }
        if let Event::ProductCertified { product, .. } = event
            && !self.state.uncertified().contains(product)
        {
            let what = "a product was certified that was not approved, or was certified already";
            self.find(index, "audit.uncertifiable", what);
        }
        if let Some(by) = self.own_decision(event) {
            let what = format!("`{by}` took a step on what they submitted");
            self.find(index, "audit.own-application", what);
        }
    }

    /// Who decided on what they submitted themselves. Steps that are the holder's own decide on nothing:
    /// to apply, to give back, to stop for a risk, to close, to publish, to recall.
    fn own_decision<'e>(&self, event: &'e Event) -> Option<&'e PersonId> {
        let (by, submitter, is_own) = if let Event::LicenceStep {
            by,
            stage,
            licence,
            course,
        } = event
        {
            let gives_back =
                *stage == Stage::Terminated && course.cause == Some(Cause::Surrendered);
            let submitter = self.state.licence(&licence.id).map(|s| &s.submitter);
            (by, submitter, *stage == Stage::Applied || gives_back)
        } else if let Event::ScenarioStep {
            by,
            stage,
            scenario,
            course,
            ..
        } = event
        {
            let stops = *stage == Stage::Suspended && course.cause == Some(Cause::RiskReported);
            let submitter = self.state.scenario(&scenario.id).map(|s| &s.submitter);
            let ends = matches!(stage, Stage::Applied | Stage::Closed);
            (by, submitter, ends || stops)
        } else if let Event::ProductStep {
            by, stage, product, ..
        } = event
        {
            let submitter = self.state.product(&product.id).map(|s| &s.submitter);
            let own = matches!(stage, Stage::Published | Stage::Recalled | Stage::Applied);
            (by, submitter, own)
        } else if let Event::ExternalStep {
            by,
            stage,
            external,
            course,
            ..
        } = event
        {
            let submitter = self.state.external(&external.id).map(|s| &s.submitter);
            // A first approval leaves it at the step at which it was submitted.
            let submits = *stage == Stage::Applied && course.reviews.is_empty();
            (by, submitter, submits || *stage == Stage::Closed)
        } else {
            return None;
        };
        (!is_own && submitter == Some(by)).then_some(by)
    }

    /// What came in at the gate was approved by two, each in another respect. Source: AO-16(3).
    fn brought(&mut self, index: u64, event: &Event) {
        let Event::ExternalStep {
            stage,
            course,
            snapshot,
            ..
        } = event
        else {
            return;
        };
        let approved = Scrutiny::ALL.map(|scrutiny| {
            let mut reviews = course.reviews.iter();
            reviews.find(|review| review.aspect == scrutiny.aspect())
        });
        let by_two = match approved {
            [Some(one), Some(other)] => one.by != other.by,
            [_, _] => false,
        };
        let is_in = *stage == Stage::Granted;
        if is_in != snapshot.is_some() || (is_in && !by_two) {
            let what = "data from outside came in without the approval of two authorities";
            self.find(index, "audit.unapproved", what);
        }
    }

    fn operation(&mut self, index: u64, event: &Event) {
        let Some(query) = event.query() else { return };
        let life = self.operations.get(query).copied();
        let after = |wanted: Life| life == Some(wanted);
        let (is_in_order, then) = if let Event::OperationOpened { person, .. } = event {
            self.person(index, person);
            let version = self.state.version();
            (life.is_none(), Life::Opened { version })
        } else if let Event::OperationDecided {
            register_version,
            policies,
            ..
        } = event
        {
            self.decided(index, life, (*register_version, *policies));
            (matches!(life, Some(Life::Opened { .. })), Life::Decided)
        } else if let Event::ReleaseConflicted { .. } | Event::SensitiveFound { .. } = event {
            (after(Life::Decided), Life::Decided)
        } else if let Event::OperationReleased { .. } = event {
            (after(Life::Decided), Life::Released)
        } else if let Event::Exported { .. } = event {
            (after(Life::Released), Life::Exported)
        } else if let Event::ExportWithheld { .. } = event {
            (after(Life::Exported), Life::Ended)
        } else {
            // Refused, failed or abandoned.
            let open = matches!(life, Some(Life::Opened { .. } | Life::Decided));
            (open, Life::Ended)
        };
        if !is_in_order && life.is_none() && self.partial {
            // Its beginning was pruned; what follows is judged again.
            self.pass_over("audit.out-of-order");
        } else if !is_in_order {
            let what = format!("operation {query} is {life:?} before this step");
            return self.find(index, "audit.out-of-order", what);
        }
        self.operations.insert(query.clone(), then);
    }

    fn decided(&mut self, index: u64, life: Option<Life>, (version, policies): (u64, Digest)) {
        if let Some(Life::Opened { version: opened }) = life
            && !(opened..=self.state.version()).contains(&version)
        {
            let what = format!("decided by version {version} of the register, which did not stand");
            self.find(index, "audit.register-version", what);
        }
        if life.is_none() && self.partial {
            self.pass_over("audit.register-version");
        }
        match self.started.as_ref().map(|started| started.policies) {
            Some(started) if started == policies => {}
            Some(_) => {
                let what = "decided by other policies than the gateway started with";
                self.find(index, "audit.policies-differ", what);
            }
            None => self.pass_over("audit.policies-differ"),
        }
    }

    fn person(&mut self, index: u64, person: &PersonId) {
        if self.state.person(person).is_none() {
            let what = format!("`{person}` was not enrolled");
            self.find(index, "audit.unknown-person", what);
        }
    }

    fn destruction(&mut self, index: u64, event: &Event) {
        if let Event::DestructionRequested { by, .. } = event {
            self.person(index, by);
        } else if let Event::DestructionApproved { by, request } = event {
            self.person(index, by);
            if let Err(why) = self.destructions.judge(*request, Some(by)) {
                self.find(index, "audit.approval", why.to_string());
            }
        } else if let Event::DestructionCertified { request, .. } = event {
            let judged = self.destructions.judge(*request, None);
            if !judged.is_ok_and(|(_, is_complete)| is_complete) {
                let what = "data was destroyed without two approvals of that";
                self.find(index, "audit.unapproved", what);
            }
        }
    }

    fn upkeep(&mut self, index: u64, event: &Event, at: DateTime<Utc>) {
        if let Event::SealedRead { by, .. } | Event::RedactionRequested { by, .. } = event {
            self.person(index, by);
        } else if let Event::RedactionApproved { by, request } = event {
            self.person(index, by);
            if let Err(why) = self.redactions.judge(*request, Some(by)) {
                self.find(index, "audit.approval", why.to_string());
            }
        } else if let Event::TextRedacted { request, entry } = event {
            let judged = self.redactions.judge(*request, None);
            if !judged.is_ok_and(|found| found.is_complete && found.entry == *entry) {
                let what = "a text was destroyed without two approvals of that";
                self.find(index, "audit.unapproved", what);
            }
        } else if let Event::TextsExpired {
            class,
            from,
            through,
            ..
        } = event
        {
            let mut days = from.iter_days().take_while(|day| day <= through);
            if !days.all(|day| self.promises.is_day_over(*class, day, at.date_naive())) {
                let what = "texts were destroyed before their time was over";
                self.find(index, "audit.too-early", what);
            }
        } else if let Event::LogPruned { by, minimum, .. } = event {
            self.person(index, by);
            if *minimum > index {
                self.find(index, "audit.pruning", "a pruning reaches past itself");
            }
        }
    }
}

#[cfg(test)]
mod tests;
