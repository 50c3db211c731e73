//! Jobs for the children and their answers, as plain values whose words are parsed.

use crate::{Garbled, Secret, proto::job as proto};
use bytes::Bytes;
use prost::Message as _;
use terms::{DatasetName, ItemName, Type};

/// What goes over a pipe as one message.
pub trait Message: Sized {
    /// Appends the message's bytes.
    fn encode_into(&self, to: &mut Vec<u8>);

    /// Reads it back.
    ///
    /// # Errors
    /// What makes the bytes no such message.
    fn decode(bytes: Bytes) -> Result<Self, Garbled>;
}

/// Asks a planner for the draft of one statement.
#[derive(Clone, PartialEq, Eq)]
pub struct PlanJob {
    /// The statement.
    pub sql: String,
    /// The schema that unqualified table names mean.
    pub default_schema: String,
    /// What `now()` means, in microseconds since 1970-01-01T00:00:00.
    pub now_us: i64,
    /// What the caller's catalogue shows.
    pub tables: Vec<Table>,
    /// Whether `sql` is `SELECT * FROM t WHERE p` and the answer is the condition alone.
    pub row_policy: bool,
}

/// A table as the caller's catalogue shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Which dataset.
    pub dataset: DatasetName,
    /// Its columns in order, each with the type it is shown with.
    pub columns: Vec<(ItemName, Type)>,
}

/// What a planner answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlanReply {
    /// A plan's bytes.
    Draft(Vec<u8>),
    /// A row policy's bytes.
    RowPolicy(Vec<u8>),
    /// There is no plan.
    Refusal {
        /// The planner's code.
        code: String,
        /// The construct, of a closed list, or an identifier that the caller wrote.
        name: String,
    },
}

/// Asks a runner for the result of one confined plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunJob {
    /// The confined plan's bytes.
    pub plan: Vec<u8>,
    /// Exactly the files, columns and keys that it reads.
    pub sources: Vec<Source>,
    /// What tokens are made with.
    pub token_key: Secret,
    /// The memory its engine may account for.
    pub memory_bytes_max: u64,
    /// Rows of one batch frame.
    pub batch_rows_max: u32,
}

/// One dataset's file with the keys of the columns that may be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Which dataset.
    pub dataset: DatasetName,
    /// Its sealed file.
    pub path: String,
    /// The key of the file's footer.
    pub footer_key: Secret,
    /// The columns and their keys.
    pub columns: Vec<(Column, Secret)>,
}

/// A column of a sealed file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// An item.
    Item(ItemName),
    /// The row numbers, stored as `__row`.
    Row,
}

/// What a runner answers: at least one batch, then `Done`; or a `Failure` at any point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunFrame {
    /// A complete Arrow IPC stream with one record batch.
    Batch(Bytes),
    /// The end of the result.
    Done(Done),
    /// There is no result, for this cause.
    Failure(String),
}

/// The end of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Rows sent.
    pub rows: u64,
    /// Groups that were withheld.
    pub groups_withheld: u64,
    /// Whether the withheld groups together hold at least k subjects.
    pub withheld_holds_k: bool,
    /// Processor time, in microseconds.
    pub cpu_us: u64,
    /// The most memory the process held.
    pub memory_peak_bytes: u64,
}

// === impl PlanJob ===

impl std::fmt::Debug for PlanJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The statement holds literals, which no log may show.
        f.debug_struct("PlanJob")
            .field("tables", &self.tables.len())
            .finish_non_exhaustive()
    }
}

impl From<&PlanJob> for proto::PlanJob {
    fn from(job: &PlanJob) -> Self {
        let column = |(name, data_type): &(ItemName, Type)| proto::Column {
            name: name.to_string(),
            r#type: data_type.to_string(),
        };
        let table = |table: &Table| proto::Table {
            dataset: table.dataset.to_string(),
            columns: table.columns.iter().map(column).collect(),
        };
        Self {
            sql: job.sql.clone(),
            default_schema: job.default_schema.clone(),
            now_us: job.now_us,
            tables: job.tables.iter().map(table).collect(),
            row_policy: job.row_policy,
        }
    }
}

impl TryFrom<proto::PlanJob> for PlanJob {
    type Error = Garbled;
    fn try_from(job: proto::PlanJob) -> Result<Self, Garbled> {
        let column = |column: proto::Column| -> Result<_, Garbled> {
            Ok((column.name.parse()?, column.r#type.parse()?))
        };
        let table = |table: proto::Table| -> Result<_, Garbled> {
            let columns = table
                .columns
                .into_iter()
                .map(column)
                .collect::<Result<_, _>>()?;
            Ok(Table {
                dataset: table.dataset.parse()?,
                columns,
            })
        };
        Ok(Self {
            sql: job.sql,
            default_schema: job.default_schema,
            now_us: job.now_us,
            tables: job
                .tables
                .into_iter()
                .map(table)
                .collect::<Result<_, _>>()?,
            row_policy: job.row_policy,
        })
    }
}

// === impl PlanReply ===

impl From<&PlanReply> for proto::PlanReply {
    fn from(reply: &PlanReply) -> Self {
        use proto::plan_reply::Answer;
        let answer = match reply {
            PlanReply::Draft(bytes) => Answer::Draft(bytes.clone()),
            PlanReply::RowPolicy(bytes) => Answer::RowPolicy(bytes.clone()),
            PlanReply::Refusal { code, name } => Answer::Refusal(proto::Refusal {
                code: code.clone(),
                name: name.clone(),
            }),
        };
        Self {
            answer: Some(answer),
        }
    }
}

impl TryFrom<proto::PlanReply> for PlanReply {
    type Error = Garbled;
    fn try_from(reply: proto::PlanReply) -> Result<Self, Garbled> {
        use proto::plan_reply::Answer;
        match reply.answer {
            Some(Answer::Draft(bytes)) => Ok(Self::Draft(bytes)),
            Some(Answer::RowPolicy(bytes)) => Ok(Self::RowPolicy(bytes)),
            Some(Answer::Refusal(refusal)) => Ok(Self::Refusal {
                code: refusal.code,
                name: refusal.name,
            }),
            None => Err(Garbled::Missing("answer")),
        }
    }
}

// === impl RunJob ===

impl From<&RunJob> for proto::RunJob {
    fn from(job: &RunJob) -> Self {
        Self {
            plan: job.plan.clone(),
            sources: job.sources.iter().map(Into::into).collect(),
            token_key: job.token_key.bytes().to_vec(),
            memory_bytes_max: job.memory_bytes_max,
            batch_rows_max: job.batch_rows_max,
        }
    }
}

impl TryFrom<proto::RunJob> for RunJob {
    type Error = Garbled;
    fn try_from(job: proto::RunJob) -> Result<Self, Garbled> {
        if job.token_key.len() != 32 {
            return Err(Garbled::Missing("token_key"));
        }
        Ok(Self {
            plan: job.plan,
            sources: job
                .sources
                .into_iter()
                .map(TryInto::try_into)
                .collect::<Result<_, _>>()?,
            token_key: job.token_key.into(),
            memory_bytes_max: job.memory_bytes_max,
            batch_rows_max: job.batch_rows_max,
        })
    }
}

// === impl Source ===

impl From<&Source> for proto::Source {
    fn from(source: &Source) -> Self {
        let key = |(column, key): &(Column, Secret)| proto::ColumnKey {
            item: column.to_string(),
            key: key.bytes().to_vec(),
        };
        Self {
            dataset: source.dataset.to_string(),
            path: source.path.clone(),
            footer_key: source.footer_key.bytes().to_vec(),
            columns: source.columns.iter().map(key).collect(),
        }
    }
}

impl TryFrom<proto::Source> for Source {
    type Error = Garbled;
    fn try_from(source: proto::Source) -> Result<Self, Garbled> {
        let key = |key: proto::ColumnKey| -> Result<_, Garbled> {
            Ok((key.item.parse()?, key.key.into()))
        };
        Ok(Self {
            dataset: source.dataset.parse()?,
            path: source.path,
            footer_key: source.footer_key.into(),
            columns: source
                .columns
                .into_iter()
                .map(key)
                .collect::<Result<_, _>>()?,
        })
    }
}

// === impl Column ===

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Item(item) => item.fmt(f),
            Self::Row => f.write_str("__row"),
        }
    }
}

impl std::str::FromStr for Column {
    type Err = terms::Unreadable;
    fn from_str(text: &str) -> Result<Self, terms::Unreadable> {
        if text == "__row" {
            Ok(Self::Row)
        } else {
            text.parse().map(Self::Item)
        }
    }
}

// === impl RunFrame ===

impl From<&RunFrame> for proto::RunFrame {
    fn from(frame: &RunFrame) -> Self {
        use proto::run_frame::Frame;
        let frame = match frame {
            RunFrame::Batch(bytes) => Frame::Batch(bytes.clone()),
            RunFrame::Done(done) => Frame::Done(proto::Done {
                rows: done.rows,
                groups_withheld: done.groups_withheld,
                withheld_holds_k: done.withheld_holds_k,
                cpu_us: done.cpu_us,
                memory_peak_bytes: done.memory_peak_bytes,
            }),
            RunFrame::Failure(code) => Frame::Failure(proto::Failure { code: code.clone() }),
        };
        Self { frame: Some(frame) }
    }
}

impl TryFrom<proto::RunFrame> for RunFrame {
    type Error = Garbled;
    fn try_from(frame: proto::RunFrame) -> Result<Self, Garbled> {
        use proto::run_frame::Frame;
        match frame.frame {
            Some(Frame::Batch(bytes)) => Ok(Self::Batch(bytes)),
            Some(Frame::Done(done)) => Ok(Self::Done(Done {
                rows: done.rows,
                groups_withheld: done.groups_withheld,
                withheld_holds_k: done.withheld_holds_k,
                cpu_us: done.cpu_us,
                memory_peak_bytes: done.memory_peak_bytes,
            })),
            Some(Frame::Failure(failure)) => Ok(Self::Failure(failure.code)),
            None => Err(Garbled::Missing("frame")),
        }
    }
}

// === impl Message ===

macro_rules! message {
    ($($name:ident),+) => {$(
        impl Message for $name {
            fn encode_into(&self, to: &mut Vec<u8>) {
                let message = proto::$name::from(self);
                to.reserve(message.encoded_len());
                // A vector grows, so that there is always room.
                message.encode(to).ok();
            }

            fn decode(bytes: Bytes) -> Result<Self, Garbled> {
                proto::$name::decode(bytes)?.try_into()
            }
        }
    )+};
}

message!(PlanJob, PlanReply, RunJob, RunFrame);

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<M: Message>(message: &M) -> M {
        let mut bytes = Vec::new();
        message.encode_into(&mut bytes);
        M::decode(bytes.into()).unwrap()
    }

    fn run_job() -> RunJob {
        RunJob {
            plan: vec![1],
            sources: vec![Source {
                dataset: "city.citizen".parse().unwrap(),
                path: "/data/city.citizen/1.parquet".to_owned(),
                footer_key: vec![42; 32].into(),
                columns: vec![
                    (Column::Item("姓名".parse().unwrap()), vec![43; 32].into()),
                    (Column::Row, vec![44; 32].into()),
                ],
            }],
            token_key: vec![45; 32].into(),
            memory_bytes_max: 1 << 30,
            batch_rows_max: 8192,
        }
    }

    #[test]
    fn jobs_come_back_as_they_went() {
        assert_eq!(there_and_back(&run_job()), run_job());
        let job = PlanJob {
            sql: "SELECT 1".to_owned(),
            default_schema: "city".to_owned(),
            now_us: -1,
            tables: vec![Table {
                dataset: "city.citizen".parse().unwrap(),
                columns: vec![(
                    "amount".parse().unwrap(),
                    Type::Decimal {
                        precision: 12,
                        scale: 2,
                    },
                )],
            }],
            row_policy: true,
        };
        assert_eq!(there_and_back(&job), job);
    }

    #[test]
    fn a_token_key_of_another_length_is_garbled() {
        let mut bytes = Vec::new();
        RunJob {
            token_key: vec![0; 31].into(),
            ..run_job()
        }
        .encode_into(&mut bytes);
        assert!(matches!(
            RunJob::decode(bytes.into()),
            Err(Garbled::Missing("token_key"))
        ));
    }

    #[test]
    fn keys_do_not_print_themselves() {
        let printed = format!("{:?}", run_job());
        assert!(
            !printed.contains("42") && !printed.contains("44"),
            "{printed}"
        );
    }
}
