//! Jobs for the children and their answers, as plain values whose words are parsed.

use crate::{Garbled, Secret};
use bytes::Bytes;
use std::collections::BTreeMap;
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
    /// What the domain tightens, by the names of [`STATEMENT_LIMITS`].
    pub limits: BTreeMap<String, u64>,
}

/// What a statement may be at most: the names of the planner's limits, each with its unit.
pub const STATEMENT_LIMITS: [&str; 15] = [
    "statement_bytes_max",
    "tokens_max",
    "depth_max",
    "run_tokens_max",
    "chain_operators_max",
    "arms_max",
    "commas_max",
    "joins_max",
    "cases_max",
    "ctes_max",
    "relations_max",
    "identifier_bytes_max",
    "parser_depth_max",
    "parser_steps_max",
    "items_max",
];

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
    /// There is one.
    Draft {
        /// Its bytes.
        plan: Vec<u8>,
        /// Processor time of the planner so far, in microseconds.
        cpu_us: u64,
    },
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
    /// What tokens are made with; none where nothing is shown as one.
    pub token_key: Option<Secret>,
    /// The memory its engine may account for.
    pub memory_bytes_max: u64,
    /// Rows of one batch frame.
    pub batch_rows_max: u32,
}

/// The keys of one dataset's file for the columns that may be read.
///
/// The file itself comes open, beside the job's bytes, in the order of the sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Which dataset.
    pub dataset: DatasetName,
    /// The key of the file's footer.
    pub footer_key: Secret,
    /// The columns and their keys.
    pub columns: Vec<(Column, Secret)>,
    /// What its rows are put in order by; none where nothing of it is hidden, and they come as they were
    /// brought.
    pub order_key: Option<Secret>,
}

/// A column of a sealed file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Column {
    /// An item.
    Item(ItemName),
    /// The row numbers, stored as `__row`.
    Row,
    /// The numbers of subjects, stored as `__subject`.
    Subject,
}

/// What a runner answers: questions, each some `Cells` and then `Asked`, to which it waits for a
/// [`Verdict`]; at least one batch, then `Done`; or a `Failure` at any point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunFrame {
    /// Who contributed to cells that are to be released.
    Cells(Cells),
    /// The end of a question about so many rows.
    Asked(u64),
    /// A complete Arrow IPC stream with one record batch.
    Batch(Bytes),
    /// The end of the result.
    Done(Done),
    /// There is no result, for this cause.
    Failure(String),
}

/// Who contributed to the cells of one report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cells {
    /// Under which number the plan reports them.
    pub number: u32,
    /// One set of row or subject numbers for each row of the question, as written by
    /// [`crate::write_row_set`]; of no bytes where the row reports nothing.
    pub sets: Vec<Bytes>,
}

/// What becomes of the rows of a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Of each row, in order.
    pub fates: Vec<Fate>,
    /// For each perturbed row, for each report of the question in order.
    pub noise: Vec<Noise>,
}

/// What becomes of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It leaves as it is.
    Exact,
    /// It leaves with noise.
    Perturbed,
    /// It is withheld.
    Withheld,
}

/// What is added to a cell's statistics.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Noise {
    /// To how many there are.
    pub count: i32,
    /// To their sum, in largest contributions of one subject.
    pub sum: f64,
}

/// The end of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// Rows sent.
    pub rows: u64,
    /// Groups that were withheld.
    pub groups_withheld: u64,
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

// === impl Column ===

impl std::fmt::Display for Column {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Item(item) => item.fmt(f),
            Self::Row => f.write_str("__row"),
            Self::Subject => f.write_str("__subject"),
        }
    }
}

impl std::str::FromStr for Column {
    type Err = terms::Unreadable;
    fn from_str(text: &str) -> Result<Self, terms::Unreadable> {
        match text {
            "__row" => Ok(Self::Row),
            "__subject" => Ok(Self::Subject),
            item => item.parse().map(Self::Item),
        }
    }
}

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
                footer_key: vec![42; 32].into(),
                columns: vec![
                    (Column::Item("姓名".parse().unwrap()), vec![43; 32].into()),
                    (Column::Row, vec![44; 32].into()),
                ],
                order_key: Some(vec![46; 32].into()),
            }],
            token_key: Some(vec![45; 32].into()),
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
            limits: [("joins_max".to_owned(), 3)].into(),
        };
        assert_eq!(there_and_back(&job), job);
    }

    #[test]
    fn a_verdict_comes_back_as_it_went_and_nothing_else_is_one() {
        let noise = |count, sum| Noise { count, sum };
        let verdict = Verdict {
            fates: vec![Fate::Exact, Fate::Perturbed, Fate::Withheld],
            noise: vec![noise(-3, 0.25), noise(4, -1.5)],
        };
        assert_eq!(there_and_back(&verdict), verdict);
        let check = |fates: &[u8], counts: &[i32], sums: &[f64]| {
            let message = crate::proto::job::Verdict {
                fates: fates.to_vec(),
                counts: counts.to_vec(),
                sums: sums.to_vec(),
            };
            Verdict::try_from(message).is_err()
        };
        assert!(!check(&[1], &[0], &[0.0]));
        assert!(check(&[3], &[], &[]), "an unknown fate");
        assert!(check(&[1], &[0, 1], &[0.0]), "noise that does not pair");
        assert!(check(&[1], &[0], &[f64::NAN]), "noise that is no number");
    }

    #[test]
    fn a_key_of_another_length_is_garbled() {
        let garbled = |job: &RunJob| {
            let mut bytes = Vec::new();
            job.encode_into(&mut bytes);
            match RunJob::decode(bytes.into()) {
                Err(Garbled::Missing(what)) => what,
                other => panic!("{other:?}"),
            }
        };
        let short = || Some(vec![0; 31].into());
        let mut job = run_job();
        job.token_key = short();
        assert_eq!(garbled(&job), "token_key");
        let mut job = run_job();
        job.sources[0].order_key = short();
        assert_eq!(garbled(&job), "order_key");
    }

    #[test]
    fn keys_do_not_print_themselves() {
        let printed = format!("{:?}", run_job());
        assert!(
            !["42", "44", "46"].iter().any(|key| printed.contains(key)),
            "{printed}"
        );
    }
}
