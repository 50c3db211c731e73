use crate::{
    Failure, Worker,
    child::Job,
    child_code,
    crew::{Crew, Engaged},
    pipe,
    places::{After, Share},
};
use chrono::{DateTime, Utc};
use plan::{Accept, Bounds, Plan, RowPolicy};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::timeout_at;
use wire::{
    Garbled, frame,
    job::{Message, PlanJob, PlanReply, Table},
};

/// A statement as the caller sent it.
#[derive(Clone, Copy)]
pub struct Statement<'s> {
    /// The text.
    pub sql: &'s str,
    /// The schema that unqualified table names mean.
    pub default_schema: &'s str,
    /// What `now()` means in it.
    pub now: DateTime<Utc>,
}

impl std::fmt::Debug for Statement<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text holds literals, which no log may show.
        f.debug_struct("Statement")
            .field("bytes", &self.sql.len())
            .finish_non_exhaustive()
    }
}

/// What a planner may answer at most, in bytes, beside the plan itself.
const REPLY_OVERHEAD: usize = 1024;
/// The longest name in a refusal, in characters.
const NAME_CHARS_MAX: usize = 128;

/// The draft of a statement. Untrusted: confine it.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What it means.
    pub draft: Plan,
    /// Processor time of the planner, in microseconds, by its own account.
    pub cpu_us: u64,
}

/// Asks a planner for the draft of one statement.
pub(crate) async fn draft(crew: &Crew, share: Share, job: &PlanJob) -> Result<Planned, Failure> {
    match reply(crew, share, job).await? {
        PlanReply::Draft { plan, cpu_us } => {
            let draft = Plan::decode(&plan, Accept::Draft, &Bounds::default());
            let none = |_| Failure::garbled(Worker::Planner, "a plan that is none");
            Ok(Planned {
                draft: draft.map_err(none)?,
                cpu_us,
            })
        }
        PlanReply::RowPolicy(_) => Err(Failure::garbled(Worker::Planner, "another answer")),
        PlanReply::Refusal { code, name } => Err(Failure::listed_planner(&code, &name)),
    }
}

/// Asks a planner for the condition of one row policy.
pub(crate) async fn row_policy(crew: &Crew, job: &PlanJob) -> Result<RowPolicy, Failure> {
    match reply(crew, None, job).await? {
        PlanReply::RowPolicy(bytes) => RowPolicy::decode(&bytes, &Bounds::default())
            .map_err(|_| Failure::garbled(Worker::Planner, "a condition that is none")),
        PlanReply::Draft { .. } => Err(Failure::garbled(Worker::Planner, "another answer")),
        PlanReply::Refusal { code, name } => Err(Failure::listed_planner(&code, &name)),
    }
}

/// The planner's form of a statement over these tables.
pub(crate) fn job(
    statement: Statement<'_>,
    tables: Vec<Table>,
    row_policy: bool,
    limits: &BTreeMap<String, u64>,
) -> PlanJob {
    PlanJob {
        sql: statement.sql.to_owned(),
        default_schema: statement.default_schema.to_owned(),
        now_us: statement.now.timestamp_micros(),
        tables,
        row_policy,
        limits: limits.clone(),
    }
}

async fn reply(crew: &Crew, share: Share, job: &PlanJob) -> Result<PlanReply, Failure> {
    let garbled = |source| Failure::Garbled {
        worker: Worker::Planner,
        what: "an unreadable message",
        source: Some(source),
    };
    let framed = frame::sealed(job).map_err(|_| Failure::too_large())?;
    let job = Job {
        framed,
        files: vec![],
    };
    let Engaged {
        mut child,
        deadline,
        mut place,
    } = crew.engage(&job, share, Duration::MAX).await?;
    // It is told nothing more.
    drop(child.input());
    let answered = timeout_at(deadline, answer(&mut child)).await;
    match answered {
        Ok(Ok(reply)) => {
            place.came_to(match reply {
                PlanReply::Draft { .. } | PlanReply::RowPolicy(_) => After::Answer,
                PlanReply::Refusal { .. } => After::Refusal,
            });
            // The caller need not wait until it is gone; its place must.
            tokio::spawn(async move {
                child.end().await;
                drop(place);
            });
            Ok(reply)
        }
        Ok(Err(Garbled::Cut | Garbled::Absent | Garbled::Pipe(_))) => {
            let end = Err(child.autopsy().await);
            place.came_to(After::of(&end));
            end
        }
        Ok(Err(error)) => Err(garbled(error)),
        Err(_) => {
            child.end().await;
            Err(Failure::Timeout(Worker::Planner))
        }
    }
}

async fn answer(child: &mut crate::child::Child) -> Result<PlanReply, Garbled> {
    let most = Bounds::default().bytes_max.saturating_add(REPLY_OVERHEAD);
    let most = u32::try_from(most).unwrap_or(frame::BYTES_MAX);
    let from = child.stdout();
    let length = pipe::next_length(from, most)
        .await?
        .ok_or(Garbled::Absent)?;
    PlanReply::decode(pipe::body(from, length).await?)
}

impl Failure {
    /// The statement is longer than is looked at.
    pub(crate) fn too_large() -> Self {
        Self::listed_planner("planner.too-large", "")
    }

    fn listed_planner(code: &str, name: &str) -> Self {
        let clean = |c: &char| !c.is_control();
        let name = name.chars().filter(clean).take(NAME_CHARS_MAX).collect();
        match child_code::listed(child_code::PLANNER, code) {
            Some((code, told)) => Self::Refused { code, told, name },
            None => Self::garbled(Worker::Planner, "an unknown code"),
        }
    }

    pub(crate) fn listed_runner(code: &str) -> Self {
        match child_code::listed(child_code::RUNNER, code) {
            Some((code, told)) => Self::Refused {
                code,
                told,
                name: String::new(),
            },
            None => Self::garbled(Worker::Runner, "an unknown code"),
        }
    }
}
