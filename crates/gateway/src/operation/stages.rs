//! The stages of one query, each as the gateway calls it.

use super::{
    Aim, Asking, Gateway, Granted,
    ended::{query_id, refuse},
    now,
};
use crate::{Refused, drawn::drawn, export::may_leave, leash::Leash};
use chrono::{DateTime, Utc};
use confine::{
    Confined, ReceiptRow, Unconfinable, confine, confine_kept, receipts_read, with_receipts,
};
use dispatch::{Keys, Planned, Statement};
use identity::{Caller, Unproved};
use ledger::{Decided, Decision, Entry, Opened, Opening};
use plan::{Literal, Plan};
use policy::Permit;
use register::State;
use std::{
    borrow::Cow,
    sync::{Arc, PoisonError},
};
use terms::{Action, Digest, ScenarioId};
use tracing::Instrument;

/// How often one statement may read the caller's receipts, which are written into its plan.
const RECEIPTS_READ_MAX: usize = 4;

/// What is on record of a statement that is longer than is looked at, in bytes of its beginning.
pub(super) const BEGINNING_BYTES: usize = 1 << 10;

/// What of a statement goes on record: all of it, as long as it may run. Of a longer one, which is refused
/// next, its beginning, its length and its digest: whoever sends many fills no disk, and no other entry waits
/// until it is written.
fn recorded(sql: &str, bytes_max: usize) -> Cow<'_, str> {
    if sql.len() <= bytes_max {
        return Cow::Borrowed(sql);
    }
    let beginning = sql.get(..sql.floor_char_boundary(BEGINNING_BYTES));
    let (beginning, bytes) = (beginning.unwrap_or_default(), sql.len());
    let digest = Digest::of(sql.as_bytes());
    Cow::Owned(format!(
        "{beginning}\n-- the beginning of {bytes} bytes, of SHA-256 {digest}"
    ))
}

impl Gateway {
    pub(crate) fn prove(&self, asking: &Asking) -> Result<Caller, Refused> {
        let proved = self.proved(asking, &self.domain.live.read().state, now());
        proved.map_err(|why| Refused::from(&why))
    }

    fn proved(
        &self,
        asking: &Asking,
        state: &State,
        at: DateTime<Utc>,
    ) -> Result<Caller, Unproved> {
        let _span = tracing::info_span!("identity.prove").entered();
        identity::prove(asking.certificate(), state, asking.channel, at)
    }

    /// Durable before anything else happens: who asks what, by which listener. A known person whose
    /// agreement is over is on record as refused; a stranger is only counted.
    pub(crate) async fn open_entry(
        &self,
        asking: &Asking,
        sql: &str,
        action: Action,
    ) -> Result<(Entry<Opened>, DateTime<Utc>), Refused> {
        let at = now();
        let proved = self.proved(asking, &self.domain.live.read().state, at);
        let person = match &proved {
            Ok(caller) => caller.person().id.clone(),
            Err(why) => match why.person() {
                Some(person) => person.clone(),
                None => {
                    self.stranger();
                    return Err(Refused::from(why));
                }
            },
        };
        let opening = Opening {
            query: query_id()?,
            action,
            person,
            scenario: scenario(asking),
            product: asking.product.clone(),
            channel: asking.channel,
        };
        let span = tracing::info_span!("ledger.open", query = %opening.query);
        let entry = self
            .domain
            .ledger
            .open_operation(opening, &recorded(sql, self.pool.sql_bytes_max()), at)
            .instrument(span)
            .await;
        let entry = entry.map_err(|why| Refused::from(&why))?;
        match proved {
            Ok(_) => Ok((entry, at)),
            Err(why) => Err(refuse(entry, Refused::from(&why)).await),
        }
    }

    /// Begins to hold an opened operation by its permit, by all that stands before its entry.
    pub(crate) async fn leashed(
        &self,
        mut entry: Entry<Opened>,
        asking: &Asking,
        action: Action,
    ) -> Result<(Entry<Opened>, Arc<Leash>), Refused> {
        self.domain.live.settled().await;
        match self.leash(asking, action) {
            Ok(leash) => {
                entry.may_be_cut_off(leash.on_record());
                Ok((entry, leash))
            }
            Err(refused) => Err(refuse(entry, refused).await),
        }
    }

    /// The caller's permit by what stands now, in one look: who they are and what they may.
    pub(crate) fn permit(&self, asking: &Asking, action: Action) -> Result<Arc<Permit>, Refused> {
        let stands = self.domain.live.read();
        let caller = self.proved(asking, &stands.state, now());
        let caller = caller.map_err(|why| Refused::from(&why))?;
        let _span = tracing::info_span!("policy.permit").entered();
        let scenario = scenario(asking);
        let asked = (scenario.as_ref(), asking.product.as_ref(), action);
        if asking.scenario.is_some() && scenario.is_none() {
            return Err(Refused::from(&policy::Refusal::UnknownScenario));
        }
        let permit = self
            .domain
            .engine
            .permit_for(caller, &stands.state, asked, now());
        permit.map_err(|why| Refused::from(&why))
    }

    pub(super) async fn plan(&self, permit: &Permit, sql: &str) -> Result<Planned, Refused> {
        let default_schema = self.domain.live.read().state.default_schema().to_owned();
        let statement = Statement {
            sql,
            default_schema: &default_schema,
            now: now(),
        };
        let span = tracing::info_span!("dispatch.plan");
        let planned = self.pool.plan(permit, statement).instrument(span).await;
        planned.map_err(|why| Refused::from(&why))
    }

    /// Confines a draft for what its result is for; what may not leave is refused here.
    pub(super) fn confined_for(
        &self,
        permit: Arc<Permit>,
        draft: Plan,
        aim: Aim,
    ) -> Result<Confined, Refused> {
        if aim == Aim::Keep {
            return self.confined_by(permit, draft, confine_kept);
        }
        let confined = self.confined(permit, draft)?;
        match aim {
            Aim::Query | Aim::Explain | Aim::Keep => {}
            Aim::Trial => may_leave(&confined)?,
            Aim::Export => {
                may_leave(&confined)?;
                self.released_as(&confined)?;
            }
        }
        Ok(confined)
    }

    /// Confines a draft, the caller's own receipts written out where it reads them.
    pub(super) fn confined(&self, permit: Arc<Permit>, draft: Plan) -> Result<Confined, Refused> {
        self.confined_by(permit, draft, confine)
    }

    fn confined_by(
        &self,
        permit: Arc<Permit>,
        draft: Plan,
        confine: impl FnOnce(Arc<Permit>, &Plan) -> Result<Confined, Unconfinable>,
    ) -> Result<Confined, Refused> {
        let _span = tracing::info_span!("confine.confine").entered();
        let draft = match receipts_read(&draft) {
            0 => draft,
            1..=RECEIPTS_READ_MAX => with_receipts(draft, &self.receipts(permit.caller())?),
            _ => return Err(receipts_too_often()),
        };
        confine(permit, &draft).map_err(|why| Refused::from(&why))
    }

    /// The caller's own receipts, this operation's among them.
    pub(super) fn receipts(&self, caller: &Caller) -> Result<Vec<ReceiptRow>, Refused> {
        let receipts = self.domain.receipts.lock();
        let mut receipts = receipts.unwrap_or_else(PoisonError::into_inner);
        let own = receipts.own(&self.domain.ledger, &caller.person().id);
        own.map_err(|why| Refused::from(&why))
    }

    pub(super) async fn decided(
        &self,
        entry: Entry<Opened>,
        confined: &Confined,
    ) -> Result<Decided, Refused> {
        let permit = confined.permit();
        let decision = Decision {
            plan: confined.digest(),
            policies: permit.policies(),
            register_version: permit.register_version(),
            references: confined.references().to_vec(),
            obligations: confined.obligations(),
            lineage: drawn(confined).encode(),
        };
        let span = tracing::info_span!("entry.decide", query = tracing::field::Empty);
        let decided = entry.decide(decision, now()).instrument(span).await;
        decided.map_err(|why| Refused::from(&why))
    }

    pub(super) async fn decide(
        &self,
        entry: Entry<Opened>,
        confined: Confined,
        leash: &Arc<Leash>,
        (opened, planner_us): (DateTime<Utc>, u64),
    ) -> Result<Granted, Refused> {
        let schema = match egress::schema(&confined) {
            Ok(schema) => schema,
            Err(why) => return Err(refuse(entry, Refused::from(&why)).await),
        };
        let decided = self.decided(entry, &confined).await?;
        let certificate = *leash.permit().caller().certificate();
        Ok(Granted {
            confined,
            decided,
            schema,
            certificate,
            leash: Arc::clone(leash),
            opened,
            planner_us,
        })
    }

    /// The keys of exactly the columns of the plan.
    pub(super) fn keys(&self, confined: &Confined) -> Result<Keys, Refused> {
        let unreadable = |why: vault::Unkept| {
            tracing::error!(code = why.code(), "a key could not be released");
            Refused::internal(why.code())
        };
        let mut sources = Vec::new();
        for (dataset, snapshot, items) in confined.sources() {
            let source = self
                .domain
                .store
                .source(&dataset, snapshot, &items)
                .map_err(unreadable)?;
            sources.push((dataset, source));
        }
        let (keyring, scenario) = (&self.domain.keyring, &confined.permit().scenario().id);
        Ok(Keys {
            sources,
            token_key: keyring.token_key(scenario),
            order_key: keyring.order_key(scenario),
        })
    }
}

pub(super) fn scenario(asking: &Asking) -> Option<ScenarioId> {
    asking
        .scenario
        .as_deref()
        .and_then(|text| text.parse().ok())
}

fn receipts_too_often() -> Refused {
    Refused::invalid(
        "receipts.too-often",
        "a statement reads bonded.receipts four times at most; join less.",
        "一条语句最多读取四次 bonded.receipts，请减少连接。",
    )
}

pub(super) fn bound(draft: &Plan, values: &[Literal]) -> Result<Plan, Refused> {
    draft.bind(values).map_err(|_| {
        Refused::invalid(
            "planner.parameters",
            "the parameters do not fit the statement.",
            "参数与语句不符。",
        )
    })
}

pub(super) fn untyped() -> Refused {
    Refused::invalid(
        "planner.parameter-untyped",
        "a parameter's type cannot be told; write a cast.",
        "无法确定参数类型，请写出类型转换。",
    )
}
