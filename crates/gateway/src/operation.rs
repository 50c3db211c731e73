//! The way of one query, top to bottom:
//! prove → open → permit → plan → confine → decide → run → admit → clear → close.

use crate::{Domain, Kind, Refused, Unopened, drawn::drawn, upkeep::Upkeep, witnesses::Witnesses};
use arrow::{array::RecordBatch, datatypes::SchemaRef};
use chrono::{DateTime, Utc};
use confine::{Confined, Table, catalogue, confine};
use dispatch::{Keys, Pool, Statement};
use identity::Caller;
use ledger::{Decided, Decision, Entry, Opened, Opening, Receipt, SystemClock};
use plan::{Literal, Plan};
use policy::Permit;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};
use terms::{
    Accuracy, Action, Channel, Digest, Event, Notice, PersonId, QueryId, ScenarioId, Type,
};
use tracing::Instrument;

/// Who calls, as the connection says.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The leaf certificate, DER, as TLS verified it.
    pub certificate: Option<Vec<u8>>,
    /// The listener.
    pub channel: Channel,
    /// The scenario the header names.
    pub scenario: Option<String>,
}

/// A domain that is served.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) domain: Domain,
    pub(crate) witnesses: Option<Arc<Witnesses>>,
    pool: Pool,
    strangers: AtomicU64,
    pub(crate) upkeep: Upkeep,
}

/// A planned statement, kept unbound for a prepared handle.
#[derive(Debug, Clone)]
pub struct Prepared {
    draft: Plan,
    sql: String,
    parameters: Vec<Type>,
    values: Vec<Literal>,
    schema: SchemaRef,
}

/// A granted statement: decided, on record, not yet run. Dropped, it is recorded as abandoned.
#[derive(Debug)]
pub struct Granted {
    confined: Confined,
    decided: Decided,
    schema: SchemaRef,
    certificate: Digest,
    pub(crate) opened: DateTime<Utc>,
}

/// A running statement. Dropped, the runner is killed and the entry recorded as abandoned.
#[derive(Debug)]
pub struct Running {
    clearing: egress::Clearing,
    failed: bool,
}

/// A released statement with its receipt.
#[derive(Debug)]
pub(crate) struct Closed {
    pub confined: Confined,
    pub receipt: Receipt,
    pub facts: ledger::ReleaseFacts,
    pub at: DateTime<Utc>,
}

pub(crate) fn now() -> DateTime<Utc> {
    ledger::Clock::now(&SystemClock)
}

impl Gateway {
    /// Opens a domain and starts its children. Needs a runtime's context.
    ///
    /// # Errors
    /// [`Unopened`].
    pub async fn open(dir: &Path) -> Result<Arc<Self>, Unopened> {
        let domain = Domain::open(dir)?;
        let program = std::env::current_exe().map_err(|source| Unopened::File {
            path: dir.to_owned(),
            source,
        })?;
        let pool = Pool::new(domain.config.pool(program));
        let pool = pool.map_err(|error| Unopened::Pool(error.to_string()))?;
        let witnesses = Witnesses::open(dir, &domain.config.witness, &domain.ledger).await?;
        domain.ledger.abandon_unfinished(now())?;
        let upkeep = Upkeep::take_up(&domain, now()).await?;
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let started = Event::GatewayStarted {
            version,
            policies: domain.engine.digest(),
            register: Some(domain.state.digest()),
        };
        domain.ledger.append(&started, None, now()).await?;
        if let Some(why) = domain.engine.unusable() {
            tracing::error!(%why, "the policies cannot be used; everything is refused");
        }
        Ok(Arc::new(Self {
            domain,
            witnesses,
            pool,
            strangers: AtomicU64::new(0),
            upkeep,
        }))
    }

    /// Plans and decides a statement; what is granted is on record when this returns.
    ///
    /// # Errors
    /// [`Refused`], on record too where the caller is somebody.
    pub async fn grant(
        &self,
        asking: &Asking,
        sql: &str,
        action: Action,
    ) -> Result<Granted, Refused> {
        let (caller, entry, opened) = self.open_entry(asking, sql, action).await?;
        let granted = async {
            let permit = self.permit(caller.clone(), asking, action)?;
            let draft = self.plan(&permit, sql).await?;
            confined(permit, &draft, action)
        };
        match granted.await {
            Ok(confined) => self.decide(entry, confined, &caller, opened).await,
            Err(refused) => Err(refuse(entry, refused).await),
        }
    }

    /// Decides a prepared statement with its parameters bound.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn grant_prepared(
        &self,
        asking: &Asking,
        prepared: &Prepared,
        values: Vec<Literal>,
        action: Action,
    ) -> Result<Granted, Refused> {
        let (caller, entry, opened) = self.open_entry(asking, &prepared.sql, action).await?;
        let granted = async {
            let permit = self.permit(caller.clone(), asking, action)?;
            let draft = bound(&prepared.draft, &values)?;
            confined(permit, &draft, action)
        };
        match granted.await {
            Ok(confined) => self.decide(entry, confined, &caller, opened).await,
            Err(refused) => Err(refuse(entry, refused).await),
        }
    }

    /// Plans a statement for a prepared handle; its schema is that of the confined plan with its
    /// parameters absent.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn draft(&self, asking: &Asking, sql: &str) -> Result<Prepared, Refused> {
        let (caller, entry, _) = self.open_entry(asking, sql, Action::Explain).await?;
        let prepared = async {
            let permit = self.permit(caller, asking, Action::Query)?;
            let draft = self.plan(&permit, sql).await?;
            let parameters = draft.parameters().map_err(|_| untyped())?;
            let absent: Vec<Literal> = parameters.iter().map(|t| Literal::Null(*t)).collect();
            let confined = confined(permit, &bound(&draft, &absent)?, Action::Query)?;
            let schema = egress::schema(&confined).map_err(|why| Refused::from(&why))?;
            let prepared = Prepared {
                draft,
                sql: sql.to_owned(),
                parameters,
                values: Vec::new(),
                schema,
            };
            Ok((confined, prepared))
        };
        match prepared.await {
            Ok((confined, prepared)) => {
                let decided = self.decided(entry, &confined).await?;
                looked(decided).await?;
                Ok(prepared)
            }
            Err(refused) => Err(refuse(entry, refused).await),
        }
    }

    /// Runs what was granted. The caller is proved again, and the grant must still stand.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn run(&self, asking: &Asking, granted: Granted) -> Result<Running, Refused> {
        let Granted {
            confined, decided, ..
        } = granted;
        let permit = Arc::clone(confined.permit());
        let stands = self.prove(asking).and_then(|caller| {
            let now_permit = self.permit(caller, asking, Action::Query)?;
            let same = now_permit.policies() == permit.policies()
                && now_permit.register_version() == permit.register_version();
            if same { Ok(()) } else { Err(changed()) }
        });
        if let Err(refused) = stands {
            return Err(refuse_decided(decided, refused).await);
        }
        if let Err(refused) = self.debit(&permit) {
            return Err(refuse_decided(decided, refused).await);
        }
        let keys = match self.keys(&confined) {
            Ok(keys) => keys,
            Err(refused) => return Err(fail(decided, refused).await),
        };
        let Ok(lease) = (permit.expires() - now()).to_std() else {
            return Err(refuse_decided(decided, changed()).await);
        };
        let span = tracing::info_span!("dispatch.run", query = %decided.query());
        let outcome = self
            .pool
            .run(confined, decided, keys, lease)
            .instrument(span)
            .await;
        let admitted = match outcome {
            Ok(outcome) => {
                let span = tracing::info_span!("disclosure.admit");
                let register = Arc::clone(&self.domain.disclosure);
                register.admitted(outcome).instrument(span).await
            }
            Err(stopped) => {
                self.debit_failure(&permit)?;
                return Err(fail(stopped.decided, Refused::from(&stopped.failure)).await);
            }
        };
        match admitted {
            Ok(admitted) => match self.cleared(admitted).await? {
                Ok(clearing) => Ok(Running {
                    clearing,
                    failed: false,
                }),
                Err(stopped) => {
                    let (withheld, decided) = *stopped;
                    Err(fail(decided, Refused::from(&withheld)).await)
                }
            },
            Err(stopped) => {
                let disclosure::Stopped { cause, decided } = *stopped;
                if let disclosure::Cause::Denied(denied) = &cause {
                    if let disclosure::Denied::Conflict { pool, .. } = denied {
                        self.conflicted(pool, &decided).await?;
                    }
                    return Err(refuse_decided(decided, Refused::from(&cause)).await);
                }
                self.debit_failure(&permit)?;
                Err(fail(decided, Refused::from(&cause)).await)
            }
        }
    }

    /// Begins to clear what was admitted; where not all of it may leave exactly, that is on record first.
    async fn cleared(
        &self,
        admitted: disclosure::Admitted,
    ) -> Result<Result<egress::Clearing, Box<(egress::Withheld, Decided)>>, Refused> {
        if let Some(pool) = admitted.conflict() {
            self.conflicted(pool, admitted.decided()).await?;
        }
        Ok(egress::clear(admitted))
    }

    /// Puts on record with what a release conflicts, for security staff.
    async fn conflicted(&self, pool: &disclosure::Pool, decided: &Decided) -> Result<(), Refused> {
        let event = Event::ReleaseConflicted {
            query: decided.query().clone(),
            dataset: pool.dataset.clone(),
            snapshot: pool.snapshot,
            measure: pool.measure.as_ref().map(|(_, item)| item.clone()),
        };
        let recorded = self.domain.ledger.append(&event, None, now()).await;
        recorded.map(|_| ()).map_err(|why| Refused::from(&why))
    }

    /// Debits one statement from what the licence may still ask.
    fn debit(&self, permit: &Permit) -> Result<(), Refused> {
        let licence = permit.licence();
        let days = (now().date_naive(), licence.from);
        let register = &self.domain.disclosure;
        let debited = register.debit_query(licence.id.as_str(), days, &permit.budget());
        debited.map_err(|denied| Refused::from(&disclosure::Cause::Denied(denied)))
    }

    /// Debits a run that failed over protected data like a refusal of the disclosure register: that it
    /// fails may tell of a few rows.
    fn debit_failure(&self, permit: &Permit) -> Result<(), Refused> {
        if !permit.datasets().iter().any(|dataset| dataset.protected) {
            return Ok(());
        }
        let register = &self.domain.disclosure;
        let debited = register.debit_failure(permit.licence().id.as_str(), now().date_naive());
        debited.map_err(|why| Refused::from(&disclosure::Cause::Denied(why.into())))
    }

    /// The tables and columns the caller sees.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn tables(&self, asking: &Asking) -> Result<Vec<Table>, Refused> {
        let caller = self.prove(asking)?;
        Ok(catalogue(&*self.permit(caller, asking, Action::Query)?))
    }

    /// The decision alone, in words and figures, without touching data.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn explain(&self, asking: &Asking, sql: &str) -> Result<serde_json::Value, Refused> {
        let granted = self.grant(asking, sql, Action::Explain).await?;
        let told = explained(&granted.confined);
        looked(granted.decided).await?;
        Ok(told)
    }

    /// The log's proof of one of the caller's own operations.
    ///
    /// # Errors
    /// [`Refused`]; another's operation and none look the same.
    pub async fn proof(&self, asking: &Asking, query: &str) -> Result<(u64, String), Refused> {
        let caller = self.prove(asking)?;
        let unknown = || {
            Refused::invalid(
                "ledger.unknown-operation",
                "there is no such operation of yours.",
                "没有您的该项操作。",
            )
        };
        let query: QueryId = query.parse().map_err(|_| unknown())?;
        let (mut owner, mut last): (Option<PersonId>, Option<u64>) = (None, None);
        for stored in self
            .domain
            .ledger
            .events(0)
            .map_err(|why| Refused::from(&why))?
        {
            let stored = stored.map_err(|why| Refused::from(&why))?;
            if stored.event.query() == Some(&query) {
                if let Event::OperationOpened { person, .. } = &stored.event {
                    owner = Some(person.clone());
                }
                last = Some(stored.index);
            }
        }
        if owner.as_ref() != Some(&caller.person().id) {
            return Err(unknown());
        }
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
        Ok((index, proof.to_string()))
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

    /// Counts a connection without a valid certificate.
    pub fn stranger(&self) {
        self.strangers.fetch_add(1, Ordering::Relaxed);
    }

    /// Records the strangers counted since the last time, if any.
    pub(crate) async fn count_strangers(&self) {
        let calls = self.strangers.swap(0, Ordering::Relaxed);
        if calls > 0 {
            let event = Event::StrangersCounted { calls };
            if let Err(error) = self.domain.ledger.append(&event, None, now()).await {
                tracing::error!(code = error.code(), "strangers could not be recorded");
            }
        }
    }

    /// Ends in order.
    pub async fn shutdown(&self) {
        self.count_strangers().await;
    }

    // --- the stages ---

    pub(crate) fn prove(&self, asking: &Asking) -> Result<Caller, Refused> {
        let _span = tracing::info_span!("identity.prove").entered();
        let proved = identity::prove(
            asking.certificate.as_deref(),
            &self.domain.state,
            asking.channel,
            now(),
        );
        proved.map_err(|why| Refused::from(&why))
    }

    /// Durable before anything else happens: who asks what, by which listener. A known person whose
    /// agreement is over is on record as refused; a stranger is only counted.
    async fn open_entry(
        &self,
        asking: &Asking,
        sql: &str,
        action: Action,
    ) -> Result<(Caller, Entry<Opened>, DateTime<Utc>), Refused> {
        let at = now();
        let proved = identity::prove(
            asking.certificate.as_deref(),
            &self.domain.state,
            asking.channel,
            at,
        );
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
            channel: asking.channel,
        };
        let span = tracing::info_span!("ledger.open", query = %opening.query);
        let entry = self
            .domain
            .ledger
            .open_operation(opening, sql, at)
            .instrument(span)
            .await;
        let entry = entry.map_err(|why| Refused::from(&why))?;
        match proved {
            Ok(caller) => Ok((caller, entry, at)),
            Err(why) => Err(refuse(entry, Refused::from(&why)).await),
        }
    }

    fn permit(
        &self,
        caller: Caller,
        asking: &Asking,
        action: Action,
    ) -> Result<Arc<Permit>, Refused> {
        let _span = tracing::info_span!("policy.permit").entered();
        let scenario = scenario(asking);
        let asked = (scenario.as_ref(), action);
        if asking.scenario.is_some() && scenario.is_none() {
            return Err(Refused::from(&policy::Refusal::UnknownScenario));
        }
        let permit = self
            .domain
            .engine
            .permit(caller, &self.domain.state, asked, now());
        permit.map_err(|why| Refused::from(&why))
    }

    async fn plan(&self, permit: &Permit, sql: &str) -> Result<Plan, Refused> {
        let default_schema = self.domain.state.default_schema();
        let statement = Statement {
            sql,
            default_schema,
            now: now(),
        };
        let span = tracing::info_span!("dispatch.plan");
        let planned = self.pool.plan(permit, statement).instrument(span).await;
        planned.map_err(|why| Refused::from(&why))
    }

    async fn decided(&self, entry: Entry<Opened>, confined: &Confined) -> Result<Decided, Refused> {
        let permit = confined.permit();
        let decision = Decision {
            plan: confined.digest(),
            policies: permit.policies(),
            register_version: permit.register_version(),
            references: confined.references().to_vec(),
            obligations: permit.obligations(),
            lineage: drawn(confined).encode(),
        };
        let span = tracing::info_span!("entry.decide", query = tracing::field::Empty);
        let decided = entry.decide(decision, now()).instrument(span).await;
        decided.map_err(|why| Refused::from(&why))
    }

    async fn decide(
        &self,
        entry: Entry<Opened>,
        confined: Confined,
        caller: &Caller,
        opened: DateTime<Utc>,
    ) -> Result<Granted, Refused> {
        let schema = match egress::schema(&confined) {
            Ok(schema) => schema,
            Err(why) => return Err(refuse(entry, Refused::from(&why)).await),
        };
        let decided = self.decided(entry, &confined).await?;
        let certificate = *caller.certificate();
        Ok(Granted {
            confined,
            decided,
            schema,
            certificate,
            opened,
        })
    }

    /// The keys of exactly the columns of the plan.
    fn keys(&self, confined: &Confined) -> Result<Keys, Refused> {
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
        let token_key = self
            .domain
            .keyring
            .token_key(&confined.permit().scenario().id);
        Ok(Keys { sources, token_key })
    }
}

fn scenario(asking: &Asking) -> Option<ScenarioId> {
    asking
        .scenario
        .as_deref()
        .and_then(|text| text.parse().ok())
}

/// Confines a draft; what may not be exported is refused here.
fn confined(permit: Arc<Permit>, draft: &Plan, action: Action) -> Result<Confined, Refused> {
    let _span = tracing::info_span!("confine.confine").entered();
    let confined = confine(permit, draft).map_err(|why| Refused::from(&why))?;
    if action == Action::Export {
        crate::export::may_leave(&confined)?;
    }
    Ok(confined)
}

fn bound(draft: &Plan, values: &[Literal]) -> Result<Plan, Refused> {
    draft.bind(values).map_err(|_| {
        Refused::invalid(
            "planner.parameters",
            "the parameters do not fit the statement.",
            "参数与语句不符。",
        )
    })
}

fn untyped() -> Refused {
    Refused::invalid(
        "planner.parameter-untyped",
        "a parameter's type cannot be told; write a cast.",
        "无法确定参数类型，请写出类型转换。",
    )
}

fn changed() -> Refused {
    Refused {
        code: "policy.changed".to_owned(),
        told_en: "what was granted no longer stands; ask again.".to_owned(),
        told_zh: "原有许可已失效，请重新请求。".to_owned(),
        kind: Kind::Denied,
    }
}

fn query_id() -> Result<QueryId, Refused> {
    let mut bytes = [0u8; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    let id = filled.ok().and_then(|()| hex::encode(bytes).parse().ok());
    id.ok_or_else(|| Refused::internal("gateway.no-randomness"))
}

async fn refuse(entry: Entry<Opened>, refused: Refused) -> Refused {
    match entry.refuse(&refused.code, now()).await {
        Ok(_) => refused,
        Err(why) => Refused::from(&why),
    }
}

async fn refuse_decided(decided: Decided, refused: Refused) -> Refused {
    match decided.refuse(&refused.code, now()).await {
        Ok(_) => refused,
        Err(why) => Refused::from(&why),
    }
}

async fn fail(decided: Decided, refused: Refused) -> Refused {
    match decided.fail(&refused.code, now()).await {
        Ok(_) => refused,
        Err(why) => Refused::from(&why),
    }
}

/// Closes an operation that released no rows because none were asked for.
async fn looked(decided: Decided) -> Result<(), Refused> {
    let facts = ledger::ReleaseFacts {
        rows: 0,
        bytes: 0,
        result: Digest::of(b""),
        notice: Notice::NotApplicable,
        groups_withheld: 0,
        accuracy: None,
        register: "none".to_owned(),
    };
    decided
        .close(facts, now())
        .await
        .map(|_| ())
        .map_err(|why| Refused::from(&why))
}

fn explained(confined: &Confined) -> serde_json::Value {
    let permit = confined.permit();
    let columns: Vec<_> = confined
        .columns()
        .iter()
        .map(|column| {
            json!({"name": column.name, "type": column.data_type, "sources": column.sources})
        })
        .collect();
    let read: Vec<_> = confined
        .sources()
        .into_iter()
        .map(|(dataset, ..)| dataset)
        .collect();
    let datasets: Vec<_> = permit
        .datasets()
        .iter()
        .filter(|dataset| read.contains(&dataset.name))
        .map(|d| {
            json!({"name": d.name, "protected": d.protected, "k": d.k, "show_rows": d.show_rows,
                "snapshot": d.snapshot, "row_risk": d.risk})
        })
        .collect();
    json!({
        "decision": "granted",
        "plan": confined.digest(),
        "printed": confined.plan().print(),
        "columns": columns,
        "influences": confined.influences(),
        "left_out": confined.left_out(),
        "references": confined.references(),
        "datasets": datasets,
        "row_level": confined.is_row_level(),
        "thresholds_apply": confined.notice_possible(),
        "policies": permit.policies(),
        "register": confined.register(),
    })
}

impl Prepared {
    /// The schema of its result.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The values bound so far.
    pub(crate) fn bound_values(&self) -> Vec<Literal> {
        self.values.clone()
    }

    /// The same statement with values bound.
    pub(crate) fn with_values(mut self, values: Vec<Literal>) -> Self {
        self.values = values;
        self
    }

    /// The types of its parameters.
    #[must_use]
    pub fn parameters(&self) -> &[Type] {
        &self.parameters
    }
}

impl Granted {
    /// The pinned schema of its result.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Which operation it is.
    #[must_use]
    pub fn query_id(&self) -> &QueryId {
        self.decided.query()
    }

    /// Whose certificate it was granted to.
    #[must_use]
    pub const fn certificate(&self) -> &Digest {
        &self.certificate
    }
}

impl Running {
    /// The pinned schema.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.clearing.schema())
    }

    /// The next batch that may leave; after an error nothing more does.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, Refused>> {
        let next = self.clearing.next().await?;
        Some(next.map_err(|withheld| {
            self.failed = true;
            Refused::from(&withheld)
        }))
    }

    /// Closes the operation and gives the receipt.
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn finish(self) -> Result<serde_json::Value, Refused> {
        Ok(told(&self.close().await?))
    }

    /// Records why it failed: for a stream that ended in an error.
    pub async fn abort(self, refused: &Refused) {
        let decided = self.clearing.stop();
        if let Err(why) = decided.fail(&refused.code, now()).await {
            tracing::error!(code = why.code(), "a failure could not be recorded");
        }
    }

    pub(crate) async fn close(self) -> Result<Closed, Refused> {
        let release = match self.clearing.finish() {
            Ok(release) => release,
            Err(stopped) => {
                let (withheld, decided) = *stopped;
                return Err(fail(decided, Refused::from(&withheld)).await);
            }
        };
        let at = now();
        let facts = release.facts.clone();
        let span = tracing::info_span!("entry.close", rows = facts.rows);
        let receipt = release
            .decided
            .close(release.facts, at)
            .instrument(span)
            .await;
        let receipt = receipt.map_err(|why| Refused::from(&why))?;
        Ok(Closed {
            confined: release.confined,
            receipt,
            facts,
            at,
        })
    }
}

/// How exact a perturbed result is, in words.
fn accuracy_told(accuracy: &Accuracy) -> (String, String) {
    let Accuracy {
        cells,
        count_max,
        count_deviation,
        sum_deviation,
    } = accuracy;
    (
        format!(
            "{cells} cells would name a small group together with earlier releases and carry noise: counts by at most {count_max} (standard deviation {count_deviation}), sums by {sum_deviation} largest contributions of one subject (standard deviation)."
        ),
        format!(
            "有{cells}个单元与以前放行的结果合并后会指向人数过少的群体，已加入噪声：计数最多偏差{count_max}（标准差{count_deviation}），合计的噪声标准差为单个主体最大贡献的{sum_deviation}倍。"
        ),
    )
}

/// The receipt as a client reads it.
fn told(closed: &Closed) -> serde_json::Value {
    let (en, zh) = match closed.facts.notice {
        Notice::NotApplicable => ("", ""),
        Notice::Standing => (
            "Small or dominated groups, if any, are withheld.",
            "人数过少或被少数主体支配的分组（如有）不予公布。",
        ),
        Notice::GroupsWithheld => (
            "Some groups were withheld because they are small or dominated.",
            "部分分组因人数过少或被少数主体支配而未予公布。",
        ),
    };
    let accuracy = closed.facts.accuracy;
    let (accuracy_en, accuracy_zh) = accuracy.as_ref().map(accuracy_told).unwrap_or_default();
    json!({
        "query": closed.receipt.query,
        "index": closed.receipt.index,
        "checkpoint": closed.receipt.checkpoint,
        "pilot": closed.receipt.pilot,
        "register": closed.receipt.register,
        "rows": closed.facts.rows,
        "bytes": closed.facts.bytes,
        "result": closed.facts.result,
        "notice": closed.facts.notice,
        "notice_en": en,
        "notice_zh": zh,
        "accuracy": accuracy,
        "accuracy_en": accuracy_en,
        "accuracy_zh": accuracy_zh,
        "left_out": closed.confined.left_out(),
    })
}
