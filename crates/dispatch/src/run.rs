use crate::{
    Failure, Piece, Worker,
    batch::Expected,
    child::Job,
    places::Share,
    pool::Pool,
    results::{Question, Results},
};
use confine::Confined;
use ledger::Decided;
use plan::Plan;
use std::{collections::BTreeSet, fs::File, path::PathBuf, time::Duration};
use terms::{DatasetName, ItemName, Type};
use vault::{ROW_COLUMN, SUBJECT_COLUMN, SourceKeys, open_plain};
use wire::{
    Secret, frame,
    job::{Column, Done, RunJob, Source, Verdict},
};

/// What opens the data that a plan reads.
#[derive(Debug)]
pub struct Keys {
    /// The files and columns of each dataset.
    pub sources: Vec<(DatasetName, SourceKeys)>,
    /// What the scenario's tokens are made with.
    pub token_key: vault::Key,
    /// What the scenario's orders of rows hang beneath.
    pub order_key: vault::Key,
}

/// The answer of a runner to one decided plan, on its way. Dropped, it kills the runner.
#[derive(Debug)]
pub struct Outcome {
    confined: Confined,
    decided: Decided,
    results: Results,
}

/// A plan that was decided and did not begin to run; the entry must still be closed.
#[derive(Debug)]
pub struct Stopped {
    /// Why.
    pub failure: Failure,
    /// The open entry.
    pub decided: Decided,
}

impl Keys {
    /// The key of tokens, for a plan that shows some.
    pub(crate) fn for_tokens(&self, plan: &Plan) -> Option<Secret> {
        let wanted = plan.root.makes_tokens();
        wanted.then(|| self.token_key.bytes().to_vec().into())
    }

    /// What the rows of one file are put in order by.
    pub(crate) fn for_order(&self, of: &SourceKeys) -> Secret {
        of.order_key(&self.order_key).bytes().to_vec().into()
    }
}

impl Pool {
    /// Runs exactly the plan that was decided, with the keys of exactly the columns it reads.
    ///
    /// Units: `lease` is how long the permit still holds; the runner is killed when it ends.
    ///
    /// # Errors
    /// [`Stopped`], with the entry that is still open.
    pub async fn run(
        &self,
        confined: Confined,
        decided: Decided,
        keys: Keys,
        lease: Duration,
    ) -> Result<Outcome, Box<Stopped>> {
        match self.results(&confined, &decided, &keys, lease).await {
            Ok(results) => Ok(Outcome {
                confined,
                decided,
                results,
            }),
            Err(failure) => Err(Box::new(Stopped { failure, decided })),
        }
    }

    async fn results(
        &self,
        confined: &Confined,
        decided: &Decided,
        keys: &Keys,
        lease: Duration,
    ) -> Result<Results, Failure> {
        // INVARIANT (what runs is the plan that was granted).
        if decided.plan() != confined.digest() || confined.plan().digest() != decided.plan() {
            return Err(Failure::NotDecided);
        }
        let fields = confined.plan().fields().map_err(|_| Failure::NotDecided)?;
        let types: Vec<Type> = fields.iter().map(|field| field.data_type).collect();
        let expected = Expected::of(&types, self.config().batch_rows_max)
            .map(|expected| expected.with_reports(confined.reported().len()));
        let sources = sources(confined, keys).ok_or(Failure::WrongSources)?;
        let (sources, files) = sources.into_iter().unzip();
        let files = opened(files)?;
        let job = RunJob {
            plan: confined.plan().encode(),
            sources,
            token_key: keys.for_tokens(confined.plan()),
            memory_bytes_max: self.config().engine_bytes_max,
            batch_rows_max: self.config().batch_rows_max,
        };
        let share = Some(confined.permit().licence().id.clone());
        let expected = expected.ok_or(Failure::NotDecided)?;
        self.start((&job, files), expected, (share, lease)).await
    }

    /// Hands a job to a runner and begins to read its answer.
    pub(crate) async fn start(
        &self,
        (job, files): (&RunJob, Vec<File>),
        expected: Expected,
        (share, lease): (Share, Duration),
    ) -> Result<Results, Failure> {
        let framed = frame::sealed(job)
            .map_err(|_| Failure::garbled(Worker::Runner, "a job too large to send"))?;
        let job = Job { framed, files };
        let account = self.budget().account(share.clone());
        let engaged = self.runners().engage(&job, share, lease).await?;
        Ok(Results::begin(
            self.runners().clone(),
            engaged,
            expected,
            (account, self.config().results_unread_max),
        ))
    }
}

/// The files, to be read alone: a runner has no path to anything.
pub(crate) fn opened(files: Vec<PathBuf>) -> Result<Vec<File>, Failure> {
    let opened = files.iter().map(|path| {
        open_plain(path).map_err(|error| {
            tracing::error!(path = %path.display(), %error, "a data file could not be opened");
            Failure::listed_runner("runner.data-unreadable")
        })
    });
    opened.collect()
}

/// The keys of exactly the columns the plan reads, each with its file; none if those at hand are others.
fn sources(confined: &Confined, keys: &Keys) -> Option<Vec<(Source, PathBuf)>> {
    let read = confined.sources();
    if read.len() != keys.sources.len() {
        return None;
    }
    let one = |(dataset, _, items): (DatasetName, u32, Vec<ItemName>)| {
        let (_, from) = keys.sources.iter().find(|(name, _)| name == &dataset)?;
        let order_key = confined.hides_order(&dataset).then(|| keys.for_order(from));
        source(
            (&dataset, &items, confined.numbers(&dataset)),
            from,
            order_key,
        )
    };
    read.into_iter().map(one).collect()
}

/// The keys of exactly these items of a dataset, and of its numbers of rows and of subjects where they
/// are wanted; none if those at hand are others. Without a key of an order its rows come as they were brought.
pub(crate) fn source(
    (dataset, items, (rows, subjects)): (&DatasetName, &[ItemName], (bool, bool)),
    keys: &SourceKeys,
    order_key: Option<Secret>,
) -> Option<(Source, PathBuf)> {
    let mut wanted: BTreeSet<&str> = items.iter().map(ItemName::as_str).collect();
    let columns = keys.columns.iter().filter_map(|(name, key)| {
        let column = if name == ROW_COLUMN && rows {
            Column::Row
        } else if name == SUBJECT_COLUMN && subjects {
            Column::Subject
        } else if wanted.remove(name.as_str()) {
            Column::Item(name.parse().ok()?)
        } else {
            return None;
        };
        Some((column, key.bytes().to_vec().into()))
    });
    let columns = columns.collect();
    wanted.is_empty().then_some(())?;
    let source = Source {
        footer_key: keys.footer_key.bytes().to_vec().into(),
        columns,
        dataset: dataset.clone(),
        order_key,
    };
    Some((source, keys.path.clone()))
}

// === impl Outcome ===

impl Outcome {
    /// The plan that runs.
    #[must_use]
    pub const fn confined(&self) -> &Confined {
        &self.confined
    }

    /// The open entry.
    #[must_use]
    pub const fn decided(&self) -> &Decided {
        &self.decided
    }

    /// What the runner asks next about cells that are to be released; none once it has asked all,
    /// which is before its first batch. The runner waits for [`Self::answer`].
    ///
    /// # Errors
    /// [`Failure`]; nothing of the result may then leave.
    pub async fn question(&mut self) -> Result<Option<Question>, Failure> {
        self.results.question().await
    }

    /// Answers the last question.
    ///
    /// # Errors
    /// [`Failure`]; nothing of the result may then leave.
    pub async fn answer(&mut self, verdict: &Verdict) -> Result<(), Failure> {
        self.results.answer(verdict).await
    }

    /// The next batch as the runner sent it; none at the sound end of the result.
    pub async fn next(&mut self) -> Option<Result<Piece, Failure>> {
        self.results.next().await
    }

    /// What the runner said at the sound end of the result.
    #[must_use]
    pub const fn done(&self) -> Option<Done> {
        self.results.done()
    }

    /// Kills the runner if it still runs, and gives back what it ran for.
    #[must_use]
    pub fn into_parts(self) -> (Confined, Decided) {
        (self.confined, self.decided)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plan::{Node, Scan, ScanColumn, View};
    use rustix::fs::{CWD, Mode, mkfifoat};
    use std::sync::mpsc;
    use terms::Mask;

    #[test]
    fn a_pipe_in_a_data_files_place_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let (file, pipe) = (folder.path().join("file"), folder.path().join("pipe"));
        std::fs::write(&file, b"x").unwrap();
        mkfifoat(CWD, &pipe, Mode::RUSR | Mode::WUSR).unwrap();
        assert_eq!(opened(vec![file.clone()]).unwrap().len(), 1);
        let (said, heard) = mpsc::channel();
        std::thread::spawn(move || {
            said.send(opened(vec![file, pipe]).map_err(|why| why.code()).err())
        });
        let code = heard.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(code, Some("runner.data-unreadable"));
    }

    /// Whoever takes over a runner has the tokens of everybody where it has their key.
    #[test]
    fn the_key_of_tokens_goes_along_with_a_plan_that_makes_some_alone() {
        let key = || vault::Key::from_bytes([7; 32]);
        let keys = Keys {
            sources: vec![],
            token_key: key(),
            order_key: key(),
        };
        let showing = |views: &[View]| {
            let column = |view: &View| ScanColumn {
                item: "pid".parse().unwrap(),
                data_type: Type::Text,
                view: view.clone(),
            };
            let scan = Scan {
                dataset: "city.people".parse().unwrap(),
                columns: views.iter().map(column).collect(),
                rows: None,
            };
            Plan {
                root: Node::Limit {
                    input: Box::new(Node::Scan(scan)),
                    skip: 0,
                    fetch: None,
                },
                names: vec![],
                checks: vec![],
            }
        };
        let token = View::masked(Mask::Token, Some("person".parse().unwrap()));
        let others = [
            View::Subject,
            View::Row,
            View::Raw,
            View::masked(Mask::Year, None),
        ];
        assert!(keys.for_tokens(&showing(&others)).is_none());
        let both = showing(&[others.as_slice(), &[token]].concat());
        assert!(keys.for_tokens(&both).is_some());
    }
}
