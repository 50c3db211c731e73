//! Jobs and answers to and from their generated form.

use crate::{
    Garbled, Secret,
    job::{
        Cells, Column, Done, Fate, Message, Noise, PlanJob, PlanReply, RunFrame, RunJob, Source,
        Table, Verdict,
    },
    proto::job as proto,
};
use bytes::Bytes;
use prost::Message as _;
use terms::{ItemName, Type};

// === impl PlanJob ===

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
            limits: job.limits.clone().into_iter().collect(),
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
            limits: job.limits.into_iter().collect(),
        })
    }
}

// === impl PlanReply ===

impl From<&PlanReply> for proto::PlanReply {
    fn from(reply: &PlanReply) -> Self {
        use proto::plan_reply::Answer;
        let (answer, cpu_us) = match reply {
            PlanReply::Draft { plan, cpu_us } => (Answer::Draft(plan.clone()), *cpu_us),
            PlanReply::RowPolicy(bytes) => (Answer::RowPolicy(bytes.clone()), 0),
            PlanReply::Refusal { code, name } => {
                let (code, name) = (code.clone(), name.clone());
                (Answer::Refusal(proto::Refusal { code, name }), 0)
            }
        };
        Self {
            answer: Some(answer),
            cpu_us,
        }
    }
}

impl TryFrom<proto::PlanReply> for PlanReply {
    type Error = Garbled;
    fn try_from(reply: proto::PlanReply) -> Result<Self, Garbled> {
        use proto::plan_reply::Answer;
        match reply.answer {
            Some(Answer::Draft(plan)) => Ok(Self::Draft {
                plan,
                cpu_us: reply.cpu_us,
            }),
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
            token_key: job.token_key.as_ref().map(|key| key.bytes().to_vec()),
            memory_bytes_max: job.memory_bytes_max,
            batch_rows_max: job.batch_rows_max,
        }
    }
}

impl TryFrom<proto::RunJob> for RunJob {
    type Error = Garbled;
    fn try_from(job: proto::RunJob) -> Result<Self, Garbled> {
        if job.token_key.as_ref().is_some_and(|key| key.len() != 32) {
            return Err(Garbled::Missing("token_key"));
        }
        Ok(Self {
            plan: job.plan,
            sources: job
                .sources
                .into_iter()
                .map(TryInto::try_into)
                .collect::<Result<_, _>>()?,
            token_key: job.token_key.map(Into::into),
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
            footer_key: source.footer_key.bytes().to_vec(),
            columns: source.columns.iter().map(key).collect(),
            order_key: source.order_key.as_ref().map(|key| key.bytes().to_vec()),
        }
    }
}

impl TryFrom<proto::Source> for Source {
    type Error = Garbled;
    fn try_from(source: proto::Source) -> Result<Self, Garbled> {
        if source.order_key.as_ref().is_some_and(|key| key.len() != 32) {
            return Err(Garbled::Missing("order_key"));
        }
        let key = |key: proto::ColumnKey| -> Result<_, Garbled> {
            Ok((key.item.parse()?, key.key.into()))
        };
        Ok(Self {
            dataset: source.dataset.parse()?,
            footer_key: source.footer_key.into(),
            columns: source
                .columns
                .into_iter()
                .map(key)
                .collect::<Result<_, _>>()?,
            order_key: source.order_key.map(Into::into),
        })
    }
}

// === impl RunFrame ===

impl From<&RunFrame> for proto::RunFrame {
    fn from(frame: &RunFrame) -> Self {
        use proto::run_frame::Frame;
        let frame = match frame {
            RunFrame::Batch(bytes) => Frame::Batch(bytes.clone()),
            RunFrame::Cells(cells) => Frame::Cells(proto::Cells {
                number: cells.number,
                sets: cells.sets.clone(),
            }),
            RunFrame::Asked(rows) => Frame::Asked(proto::Asked { rows: *rows }),
            RunFrame::Done(done) => Frame::Done(proto::Done {
                rows: done.rows,
                groups_withheld: done.groups_withheld,
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
            Some(Frame::Cells(cells)) => Ok(Self::Cells(Cells {
                number: cells.number,
                sets: cells.sets,
            })),
            Some(Frame::Asked(asked)) => Ok(Self::Asked(asked.rows)),
            Some(Frame::Done(done)) => Ok(Self::Done(Done {
                rows: done.rows,
                groups_withheld: done.groups_withheld,
                cpu_us: done.cpu_us,
                memory_peak_bytes: done.memory_peak_bytes,
            })),
            Some(Frame::Failure(failure)) => Ok(Self::Failure(failure.code)),
            None => Err(Garbled::Missing("frame")),
        }
    }
}

// === impl Verdict ===

impl From<&Verdict> for proto::Verdict {
    fn from(verdict: &Verdict) -> Self {
        let fate = |fate: &Fate| match fate {
            Fate::Exact => 0,
            Fate::Perturbed => 1,
            Fate::Withheld => 2,
        };
        Self {
            fates: verdict.fates.iter().map(fate).collect(),
            counts: verdict.noise.iter().map(|noise| noise.count).collect(),
            sums: verdict.noise.iter().map(|noise| noise.sum).collect(),
        }
    }
}

impl TryFrom<proto::Verdict> for Verdict {
    type Error = Garbled;
    fn try_from(verdict: proto::Verdict) -> Result<Self, Garbled> {
        let fate = |code: &u8| match code {
            0 => Ok(Fate::Exact),
            1 => Ok(Fate::Perturbed),
            2 => Ok(Fate::Withheld),
            _ => Err(Garbled::Missing("fate")),
        };
        let fates = verdict.fates.iter().map(fate).collect::<Result<_, _>>()?;
        let finite = verdict.sums.iter().all(|sum| sum.is_finite());
        if verdict.counts.len() != verdict.sums.len() || !finite {
            return Err(Garbled::Missing("noise"));
        }
        let noise = verdict.counts.into_iter().zip(verdict.sums);
        let noise = noise.map(|(count, sum)| Noise { count, sum }).collect();
        Ok(Self { fates, noise })
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

message!(PlanJob, PlanReply, RunJob, RunFrame, Verdict);
