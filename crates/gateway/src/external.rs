//! The import gate (社会数据): data that an operator brings for one of its scenarios is sealed away as it
//! comes, looked over, approved by two authorities, and only then a state of a dataset.
//!
//! What the gate answers an operator rests on nothing but what the operator brought itself. Whom of a list
//! the protected data knows is measured for the authority that judges its safety, and told nobody else:
//! told to the operator, it would say of one person whether they are in the data.
//!
//! Source: AO-16(3).

mod barred; // why something does not come in
mod findings; // what values look like, held against the entry
mod lists; // who is in which list, kept for as long as there are lists
mod matching; // whom of a list the protected data knows
mod report; // what the reviewers read
mod quarantine; // into quarantine, out of it, and what a crash left

pub(crate) use self::{
    barred::Barred,
    quarantine::{sweep, take_up},
};

use self::{
    findings::Findings,
    lists::{Lists, near},
    report::{Declared, Report},
};
use crate::{Asking, By, Carried, Gateway, Order, Refused, Unadministered, operation::now};
use register::Command;
use std::sync::Arc;
use terms::{
    Dataset, Digest, External, ExternalId, OperatorId, Person, PersonId, ScenarioId, Scrutiny,
    today,
};
use vault::{Arrived, GateKeys, Quarantined};

/// What an operator says of the data it brings.
#[derive(Debug)]
pub(crate) struct Bringing {
    /// For which scenario.
    pub scenario: ScenarioId,
    /// The entry.
    pub dataset: Dataset,
    /// What for.
    pub purpose: String,
    /// By which right it has the data, and from where.
    pub source: String,
    /// The digest of the agreement that says so.
    pub agreement: Digest,
    /// What the file is called where it comes from.
    pub file: String,
}

/// Days in quarantine, after which what nobody decided on is destroyed.
const QUARANTINE_DAYS: u64 = 60;

impl Gateway {
    /// Who may submit this, before a byte of it is taken.
    ///
    /// # Errors
    /// [`Barred`].
    pub(crate) fn may_bring(&self, asking: &Asking, of: &Bringing) -> Result<Person, Barred> {
        let by = self.may(asking, "submitExternal", None)?;
        let draft = draft(of, (&fresh()?, Digest::of(b"")));
        let stands = self.domain.live.read();
        let operator = by.operator();
        let judged = stands
            .state
            .judge_bringing(today(now()), operator.as_ref(), &draft);
        judged.map_err(Unadministered::from)?;
        Ok(by)
    }

    /// Looks over what arrived, seals it into quarantine, and puts it on record.
    ///
    /// # Errors
    /// [`Barred`]; nothing of it is left then.
    pub(crate) async fn bring(
        self: &Arc<Self>,
        asking: &Asking,
        (of, arrived): (Bringing, Arrived),
    ) -> Result<(ExternalId, Carried), Barred> {
        let by = self.may_bring(asking, &of)?;
        let (this, asking) = (Arc::clone(self), asking.clone());
        // A caller who goes away leaves nothing that is neither on record nor gone.
        let brought = async move { this.brought(&asking, &by, (of, arrived)).await };
        tokio::spawn(brought).await.unwrap_or(Err(Barred::Broken))
    }

    async fn brought(
        &self,
        asking: &Asking,
        by: &Person,
        (of, arrived): (Bringing, Arrived),
    ) -> Result<(ExternalId, Carried), Barred> {
        // One at a time, so that of two lists the later knows the earlier.
        let _loading = self.domain.loading.lock().await;
        let id = fresh()?;
        let sealed = self.laid_away(&id, by, (&of, arrived)).await;
        let external = match sealed {
            Ok(external) => external,
            Err(barred) => {
                quarantine::discard(&self.domain, &id)?;
                return Err(barred);
            }
        };
        self.domain.record_keys::<Unadministered>().await?;
        let order = Order {
            by: By::Caller(Box::new(asking.clone())),
            command: Command::SubmitExternal(Box::new(external)),
            sealed: None,
        };
        match self.domain.carry_out(order).await {
            Ok(carried) => Ok((id, carried)),
            // The log may hold it all the same; if not, the next start takes it away.
            Err(why @ (Unadministered::Ledger(_) | Unadministered::Broken)) => Err(why.into()),
            Err(why) => {
                quarantine::discard(&self.domain, &id)?;
                Err(why.into())
            }
        }
    }

    /// What arrived, sealed, looked over and held against the operator's other lists.
    async fn laid_away(
        &self,
        id: &ExternalId,
        by: &Person,
        (of, arrived): (&Bringing, Arrived),
    ) -> Result<External, Barred> {
        let operator = by.operator().ok_or(Barred::Broken)?;
        let keys = GateKeys {
            tokens: self.domain.keyring.token_key(&of.scenario),
            lists: self.domain.keyring.list_key(),
        };
        let (store, dataset, file) = (
            self.domain.store.clone(),
            of.dataset.clone(),
            of.file.clone(),
        );
        let (masks, key) = (self.domain.engine.masks(), id.clone());
        let masks = masks.map_err(Unadministered::from)?.clone();
        let (quarantined, findings, digest, bytes) = tokio::task::spawn_blocking(move || {
            let told = |why: vault::Unreceivable| Barred::data(&why, (&arrived, &file));
            let looked = findings::described(&dataset, arrived.file(), &masks);
            let looked = looked.map_err(told)?;
            let sealed = store.quarantine(&key, (&dataset, arrived.file()), &keys);
            let sealed = sealed.map_err(told)?;
            let findings = Findings::of(&dataset, &sealed, looked);
            Ok::<_, Barred>((sealed, findings, arrived.digest, arrived.bytes))
        })
        .await
        .map_err(|_| Barred::Broken)??;
        let k = self.k_of(&of.scenario);
        self.judge_lists(&operator, (&quarantined, k))?;
        let declared = Declared {
            purpose: of.purpose.clone(),
            source: of.source.clone(),
            agreement: of.agreement,
            file: of.file.clone(),
            sha256: digest,
            bytes,
        };
        let report = Report::new(id, (declared, &quarantined, findings), k)?;
        let report = report.keep(&self.domain, id)?;
        let lists = Lists {
            operator,
            lists: quarantined.lists,
        };
        lists.keep(&self.domain, id)?;
        Ok(External {
            rows: quarantined.rows,
            digest: quarantined.digest,
            types: quarantined.types,
            ..draft(of, (id, report))
        })
    }

    /// Lists of at least k, none of which differs from another by fewer.
    fn judge_lists(
        &self,
        operator: &OperatorId,
        (quarantined, k): (&Quarantined, u32),
    ) -> Result<(), Barred> {
        let others = lists::of_operator(&self.domain, operator, None)?;
        let mut earlier: Vec<_> = others.iter().flat_map(|of| &of.lists).collect();
        for list in &quarantined.lists {
            let item = list.item.clone();
            if list.tokens.len() < usize::try_from(k).unwrap_or(usize::MAX) {
                return Err(Barred::TooFew { item, k });
            }
            let alike = earlier.iter().filter(|other| other.domain == list.domain);
            let alike: Vec<&[u128]> = alike.map(|other| other.tokens.as_slice()).collect();
            if near(&list.tokens, &alike, k) {
                return Err(Barred::NearList { item, k });
            }
            earlier.push(list);
        }
        Ok(())
    }

    /// The k of a scenario: that of the highest grade it lists.
    pub(crate) fn k_of(&self, scenario: &ScenarioId) -> u32 {
        let stands = self.domain.live.read();
        let state = &stands.state;
        let wanted = state
            .scenario(scenario)
            .map(|s| s.scenario.datasets.as_slice());
        let grades = wanted.unwrap_or_default().iter().filter_map(|wanted| {
            let dataset = state.dataset(&wanted.name).filter(|d| d.is_protected())?;
            Some(crate::row_risk::highest(dataset, wanted))
        });
        let highest = grades.max().unwrap_or(terms::Grade::Four);
        state.thresholds().of(highest)
    }

    /// One authority finds it in order; with the second it comes in.
    ///
    /// # Errors
    /// [`Barred`]; what it says of the data is for the authority alone.
    pub(crate) async fn review_external(
        self: &Arc<Self>,
        asking: &Asking,
        (id, scrutiny): (ExternalId, Scrutiny),
        accepted: Option<register::Reason>,
    ) -> Result<Carried, Barred> {
        let by = self.may(asking, action(scrutiny), self.submitter_of(&id).as_ref())?;
        let (this, asking) = (Arc::clone(self), asking.clone());
        let reviewed = async move {
            this.reviewed((&asking, &by.id), (id, scrutiny), accepted)
                .await
        };
        tokio::spawn(reviewed).await.unwrap_or(Err(Barred::Broken))
    }

    async fn reviewed(
        &self,
        (asking, by): (&Asking, &PersonId),
        (id, scrutiny): (ExternalId, Scrutiny),
        accepted: Option<register::Reason>,
    ) -> Result<Carried, Barred> {
        let _loading = self.domain.loading.lock().await;
        let (external, is_last) = {
            let stands = self.domain.live.read();
            let standing = stands.state.external(&id);
            let open = standing.filter(|s| s.stage == terms::Stage::Applied);
            let is_last = stands.state.is_last_review(&id, scrutiny);
            // Nothing is read for a review that may not be.
            let judged = stands.state.may_review_external(by, (scrutiny, &id));
            judged.map_err(Unadministered::from)?;
            (open.map(|standing| standing.external.clone()), is_last)
        };
        if let (Some(external), Scrutiny::Security) = (&external, scrutiny) {
            self.judge_safety(external, accepted.is_some()).await?;
        }
        let snapshot = match external.as_ref().filter(|_| is_last) {
            Some(external) => Some(quarantine::admitted(&self.domain, external).await?),
            None => None,
        };
        let command = Command::ReviewExternal {
            external: id.clone(),
            scrutiny,
            snapshot: snapshot.clone(),
        };
        let order = Order {
            by: By::Caller(Box::new(asking.clone())),
            command,
            sealed: accepted.map(|reason| reason.as_str().as_bytes().to_vec()),
        };
        let carried = match (self.domain.carry_out(order).await, snapshot) {
            (Ok(carried), _) => carried,
            (Err(why @ (Unadministered::Ledger(_) | Unadministered::Broken)), _) => {
                return Err(why.into());
            }
            (Err(why), Some(made)) => {
                let discarded = self.domain.store.discard(&made.dataset, made.number);
                discarded.map_err(Unadministered::from)?;
                return Err(why.into());
            }
            (Err(why), None) => return Err(why.into()),
        };
        quarantine::settle(&self.domain, &id).await?;
        Ok(carried)
    }

    /// What the scan found, and whom of each list the protected data knows.
    async fn judge_safety(&self, external: &External, accepted: bool) -> Result<(), Barred> {
        let report = Report::kept(&self.domain, external)?;
        report.findings.judge(accepted)?;
        let lists = Lists::kept(&self.domain, &external.id)?;
        let k = self.k_of(&external.scenario);
        matching::judge(self, (external, &lists), k).await
    }

    /// An authority turns it down.
    ///
    /// # Errors
    /// [`Barred`].
    pub(crate) async fn end_external(
        self: &Arc<Self>,
        asking: &Asking,
        (id, command): (ExternalId, Command),
    ) -> Result<Carried, Barred> {
        let (this, asking) = (Arc::clone(self), asking.clone());
        let ended = async move {
            let _loading = this.domain.loading.lock().await;
            let order = Order {
                by: By::Caller(Box::new(asking)),
                command,
                sealed: None,
            };
            let carried = this.domain.carry_out(order).await?;
            quarantine::settle(&this.domain, &id).await?;
            Ok(carried)
        };
        tokio::spawn(ended).await.unwrap_or(Err(Barred::Broken))
    }

    /// What the gate found, for who may read it.
    ///
    /// # Errors
    /// [`Barred`].
    pub(crate) fn report_of_external(
        &self,
        asking: &Asking,
        id: &ExternalId,
    ) -> Result<String, Barred> {
        self.may(asking, "readExternalReport", None)?;
        let known = {
            let stands = self.domain.live.read();
            stands
                .state
                .external(id)
                .map(|standing| standing.external.clone())
        };
        let external = known.ok_or_else(|| {
            Refused::invalid(
                "management.unknown",
                "there is nothing of that name for you.",
                "没有您可见的该名称对象。",
            )
        })?;
        Ok(Report::kept(&self.domain, &external)?.told())
    }

    fn submitter_of(&self, id: &ExternalId) -> Option<PersonId> {
        let stands = self.domain.live.read();
        stands
            .state
            .external(id)
            .map(|standing| standing.submitter.clone())
    }
}

const fn action(scrutiny: Scrutiny) -> &'static str {
    match scrutiny {
        Scrutiny::Lawfulness => "reviewExternalLawfulness",
        Scrutiny::Security => "reviewExternalSecurity",
    }
}

/// As it will stand, but for what is only known of the data.
fn draft(of: &Bringing, (id, report): (&ExternalId, Digest)) -> External {
    let last = today(now()).checked_add_days(chrono::Days::new(QUARANTINE_DAYS));
    External {
        id: id.clone(),
        scenario: of.scenario.clone(),
        dataset: of.dataset.clone(),
        agreement: of.agreement,
        rows: 0,
        digest: Digest::of(b""),
        types: Vec::new(),
        report,
        until: last.unwrap_or(chrono::NaiveDate::MAX),
    }
}

/// An id that nothing has.
fn fresh() -> Result<ExternalId, Barred> {
    let drawn = vault::Key::random().map_err(Unadministered::from)?;
    let shown: String = drawn.check().to_string().chars().take(12).collect();
    format!("x-{shown}").parse().map_err(|_| Barred::Broken)
}

#[cfg(test)]
mod tests;
