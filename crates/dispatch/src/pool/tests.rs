//! The pool against real processes: a real zygote, whose children become small shell scripts.

use super::*;
use crate::{Death, Piece, batch::Expected, results::Results};
use arrow::{
    array::{Int64Array, RecordBatch},
    ipc::writer::StreamWriter,
};
use jail::Limits;
use plan::{Literal, Node, Plan};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use terms::Type;
use wire::{
    frame,
    job::{Cells, Done, Fate, Message, Noise, PlanReply, RunFrame, RunJob, Verdict},
};

/// A folder with a script and the answers it gives.
struct Stage {
    folder: tempfile::TempDir,
}

/// How long a child may take where its deadline is not what is tested: a loaded machine is slow.
const PATIENT: Duration = Duration::from_secs(80);

/// How long a child may take that is to miss its deadline.
const HASTY: Duration = Duration::from_millis(1500);

const DONE: Done = Done {
    rows: 3,
    groups_withheld: 0,
    cpu_us: 1,
    memory_peak_bytes: 1,
};

impl Stage {
    /// A script in which `{}` is the folder.
    fn new(script: &str) -> Self {
        let stage = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let script = script.replace("{}", stage.path("").to_str().unwrap());
        jail::program(stage.folder.path(), "dispatch_stand_in", &script).unwrap();
        stage
    }

    fn answering<M: Message>(answers: &[M], then: &str) -> Self {
        let stage = Self::new(&format!("cat >/dev/null; cat {{}}/answer; {then}"));
        let framed = answers
            .iter()
            .flat_map(|answer| frame::sealed(answer).unwrap());
        fs::write(stage.path("answer"), framed.collect::<Vec<u8>>()).unwrap();
        stage
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> PoolConfig {
        let mut config = PoolConfig::new(self.path("child"));
        for child in [&mut config.planner, &mut config.runner] {
            child.limits = Limits {
                memory_bytes: 1 << 32,
                cpu_seconds: 5,
                files_open: 64,
                file_bytes: 1 << 20,
            };
            child.wall_max = PATIENT;
            child.queue_max = Duration::from_secs(5);
            child.ready = 1;
        }
        config
    }

    fn hasty(&self) -> PoolConfig {
        let mut config = self.config();
        config.planner.wall_max = HASTY;
        config.runner.wall_max = HASTY;
        config
    }

    fn pool(&self) -> Pool {
        Pool::new(self.config()).unwrap()
    }

    /// One runner at a time for a licence, which waits long for it.
    fn one_each(&self) -> Pool {
        let mut config = self.config();
        config.runner.running_each_max = 1;
        config.runner.queue_max = PATIENT;
        Pool::new(config).unwrap()
    }
}

fn draft() -> Plan {
    let values = Node::Values {
        types: vec![Type::Int],
        rows: vec![vec![Literal::Int(1)]],
    };
    Plan {
        root: values,
        names: vec!["a".to_owned()],
        checks: vec![],
    }
}

fn statement() -> Statement<'static> {
    Statement {
        sql: "SELECT 1 AS a",
        default_schema: "city",
        now: chrono::DateTime::UNIX_EPOCH,
    }
}

async fn planned(pool: &Pool) -> Result<Plan, Failure> {
    let planned = pool.draft(statement(), vec![], None).await;
    planned.map(|planned| planned.draft)
}

fn drafted(plan: Vec<u8>) -> PlanReply {
    PlanReply::Draft { plan, cpu_us: 7 }
}

fn batch(rows: i64) -> RunFrame {
    let schema = crate::arrow_schema::expected(&[Type::Int]).unwrap();
    let column = Arc::new(Int64Array::from_iter_values(0..rows));
    let batch = RecordBatch::try_new(schema.into(), vec![column]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    RunFrame::Batch(writer.into_inner().unwrap().into())
}

fn job() -> RunJob {
    RunJob {
        plan: vec![],
        sources: vec![],
        token_key: None,
        memory_bytes_max: 1,
        batch_rows_max: 8192,
    }
}

async fn started(pool: &Pool) -> Result<Results, Failure> {
    started_for(pool, None).await
}

async fn started_for(pool: &Pool, share: Share) -> Result<Results, Failure> {
    pool.start(
        (&job(), vec![]),
        Expected::of(&[Type::Int], 8192).unwrap(),
        (share, Duration::MAX),
    )
    .await
}

/// Everything that came, and how it ended.
async fn ran(pool: &Pool) -> (usize, Result<Done, Failure>) {
    match started(pool).await {
        Ok(results) => read(results).await,
        Err(failure) => (0, Err(failure)),
    }
}

async fn read(mut results: Results) -> (usize, Result<Done, Failure>) {
    let mut rows = 0;
    loop {
        match results.next().await {
            Some(Ok(piece)) => rows += piece.batch().num_rows(),
            Some(Err(failure)) => {
                assert!(results.next().await.is_none(), "nothing after a failure");
                assert!(results.done().is_none());
                return (rows, Err(failure));
            }
            None => return (rows, Ok(results.done().unwrap())),
        }
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Failure>) -> &'static str {
    result.unwrap_err().code()
}

/// The processes whose command line names this folder.
fn processes(folder: &Path) -> Vec<PathBuf> {
    let named = |entry: std::io::Result<fs::DirEntry>| {
        let process = entry.ok()?.path();
        let line = fs::read(process.join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).into_owned();
        line.contains(folder.to_str()?).then_some(process)
    };
    fs::read_dir("/proc").unwrap().filter_map(named).collect()
}

fn zombies() -> usize {
    let own = std::process::id().to_string();
    let zombie = |entry: std::io::Result<fs::DirEntry>| {
        let stat = fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        let mut after_name = stat.rsplit_once(") ")?.1.split(' ');
        (after_name.next()? == "Z" && after_name.next()? == own).then_some(())
    };
    fs::read_dir("/proc").unwrap().filter_map(zombie).count()
}

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

async fn soon(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(90), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_planners_draft_is_decoded_and_its_refusal_told() {
    let stage = Stage::answering(&[drafted(draft().encode())], "");
    let planned_draft = stage.pool().draft(statement(), vec![], None).await.unwrap();
    assert_eq!((planned_draft.draft, planned_draft.cpu_us), (draft(), 7));
    let refusal = |code: &str| PlanReply::Refusal {
        code: code.to_owned(),
        name: format!("WITH{}RECURSIVE", '\u{7}'),
    };
    let stage = Stage::answering(&[refusal("planner.unsupported")], "");
    let Err(Failure::Refused { code, name, .. }) = planned(&stage.pool()).await else {
        panic!()
    };
    assert_eq!(
        (code, name.as_str()),
        ("planner.unsupported", "WITHRECURSIVE")
    );
}

#[tokio::test]
async fn what_is_no_answer_is_garbled() {
    let check = async |stage: Stage| {
        assert_eq!(code(planned(&stage.pool()).await), "dispatch.child-garbled");
    };
    check(Stage::answering(&[drafted(b"no plan".to_vec())], "")).await;
    let refusal = PlanReply::Refusal {
        code: "planner.made-up".to_owned(),
        name: String::new(),
    };
    check(Stage::answering(&[refusal], "")).await;
    check(Stage::answering(&[batch(1)], "")).await;
    check(Stage::new(
        "cat >/dev/null; printf '\\377\\377\\377\\377'; exec sleep 60",
    ))
    .await;
}

#[tokio::test]
async fn every_death_is_one_clean_failure() {
    let check = async |script: &str, planner: &str, runner: &str| {
        let stage = Stage::new(&format!("cat >/dev/null; {script}"));
        let late = planner.ends_with("timeout") && !script.contains("XCPU");
        let config = if late { stage.hasty() } else { stage.config() };
        let pool = Pool::new(config).unwrap();
        assert_eq!(code(planned(&pool).await), planner, "{script}");
        assert_eq!(code(ran(&pool).await.1), runner, "{script}");
    };
    let (planner_died, runner_died) = ("dispatch.planner-died", "dispatch.runner-died");
    check("exit 3", planner_died, runner_died).await;
    check("exit 0", planner_died, runner_died).await;
    check("kill -SEGV $$", planner_died, runner_died).await;
    check("kill -ABRT $$", planner_died, runner_died).await;
    check("printf '\\001\\000'; exit 0", planner_died, runner_died).await;
    let memory = "dispatch.out-of-memory";
    check("kill -KILL $$", memory, memory).await;
    check(
        "echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$",
        memory,
        memory,
    )
    .await;
    let (planner_late, runner_late) = ("dispatch.planner-timeout", "dispatch.runner-timeout");
    check("kill -XCPU $$", planner_late, runner_late).await;
    check("exec sleep 60", planner_late, runner_late).await;
    check("while :; do :; done", planner_late, runner_late).await;
    check(
        "while :; do echo complaint >&2; done",
        planner_late,
        runner_late,
    )
    .await;
}

#[tokio::test]
async fn a_child_that_closes_its_output_and_lingers_is_killed() {
    let stage = Stage::new("cat >/dev/null; exec >&-; exec sleep 60");
    let Err(Failure::Died { death, .. }) = planned(&stage.pool()).await else {
        panic!()
    };
    assert_eq!(death, Death::Lingered);
}

#[tokio::test]
async fn a_job_that_is_never_read_ends_at_the_deadline() {
    let stage = Stage::new("exec sleep 60");
    let mut config = stage.hasty();
    config.sql_bytes_max = 1 << 20;
    let pool = Pool::new(config).unwrap();
    let sql = " ".repeat(1 << 20);
    let planned = pool
        .draft(
            Statement {
                sql: &sql,
                ..statement()
            },
            vec![],
            None,
        )
        .await;
    assert_eq!(code(planned), "dispatch.planner-timeout");
    let sql = " ".repeat((1 << 20) + 1);
    let planned = pool
        .draft(
            Statement {
                sql: &sql,
                ..statement()
            },
            vec![],
            None,
        )
        .await;
    assert_eq!(code(planned), "planner.too-large");
}

/// Waits until so many children, each of which left a file of its number, have ended.
async fn ended(stage: &Stage, children: usize) {
    for _ in 0..1000 {
        let files = fs::read_dir(stage.path("")).unwrap();
        let numbers = files.filter_map(|file| file.unwrap().file_name().into_string().ok());
        let started: Vec<u32> = numbers.filter_map(|name| name.parse().ok()).collect();
        let gone = |number: &&u32| {
            let status = fs::read_to_string(format!("/proc/{number}/stat"));
            status.map_or(true, |text| text.contains(") Z "))
        };
        if started.iter().filter(gone).count() >= children {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the children did not end");
}

#[tokio::test]
async fn children_that_end_before_their_job_are_replaced_or_refused() {
    // The first two end at once; the third lives.
    let stage = Stage::answering(&[drafted(draft().encode())], "");
    let script = fs::read_to_string(stage.path("script")).unwrap();
    let doomed = |which: &str| format!("mkdir {{}}/{which} 2>/dev/null && : >{{}}/$$ && exit 1\n");
    let doomed =
        (doomed("first") + &doomed("second")).replace("{}", stage.path("").to_str().unwrap());
    fs::write(stage.path("script"), doomed + &script).unwrap();
    let pool = Pool::new(PoolConfig {
        planner: crate::ChildConfig {
            ready: 2,
            ..stage.config().planner
        },
        ..stage.config()
    })
    .unwrap();
    ended(&stage, 2).await;
    assert_eq!(planned(&pool).await.unwrap(), draft());

    let stage = Stage::new(": >{}/$$; exit 1");
    let pool = stage.pool();
    ended(&stage, 1).await;
    // The next one may still have been ending when it got the job.
    let told = code(planned(&pool).await);
    assert!(
        ["dispatch.unstartable", "dispatch.planner-died"].contains(&told),
        "{told}"
    );

    let mut config = stage.config();
    config.program = "/nowhere/bonded".into();
    config.planner.queue_max = Duration::from_millis(300);
    let planned = planned(&Pool::new(config).unwrap()).await;
    assert!(
        matches!(
            planned,
            Err(Failure::Unstartable {
                source: Some(_),
                ..
            })
        ),
        "{planned:?}"
    );
}

#[tokio::test]
async fn a_statement_that_waits_too_long_is_told_so() {
    let stage = Stage::new("cat >/dev/null; exec sleep 60");
    let mut config = stage.hasty();
    config.planner.running_max = 1;
    config.planner.queue_max = Duration::from_millis(100);
    let pool = Pool::new(config).unwrap();
    let (first, second) = tokio::join!(planned(&pool), planned(&pool));
    assert_eq!(
        (code(first), code(second)),
        ("dispatch.planner-timeout", "dispatch.busy")
    );
}

#[tokio::test]
async fn a_licence_that_floods_waits_for_itself_and_keeps_nobody_waiting() {
    let stage = Stage::new("if grep -q slow; then exec sleep 60; else cat {}/answer; fi");
    let answer = frame::sealed(&drafted(draft().encode())).unwrap();
    fs::write(stage.path("answer"), answer).unwrap();
    let mut config = stage.config();
    config.planner.running_max = 3;
    config.planner.running_each_max = 2;
    config.planner.queue_max = Duration::from_secs(30);
    let pool = Pool::new(config).unwrap();
    let of = |licence: &str| Some(licence.parse().unwrap());
    let slow = Statement {
        sql: "slow",
        ..statement()
    };
    let flood = futures_of(&pool, slow, &of("a"), 20);
    for _ in 0..5 {
        let answered = pool.draft(statement(), vec![], of("b")).await.unwrap();
        assert_eq!(answered.draft, draft());
    }
    assert!(flood.iter().all(|job| !job.is_finished()));
    flood.iter().for_each(tokio::task::JoinHandle::abort);
}

/// The same statement so often at a time, for one licence.
fn futures_of(
    pool: &Pool,
    statement: Statement<'static>,
    share: &Share,
    jobs: usize,
) -> Vec<tokio::task::JoinHandle<()>> {
    let job = |_| {
        let (pool, share) = (pool.clone(), share.clone());
        tokio::spawn(async move { drop(pool.draft(statement, vec![], share).await) })
    };
    (0..jobs).map(job).collect()
}

#[tokio::test]
async fn a_runners_batches_come_in_order_to_a_sound_end() {
    let stage = Stage::answering(&[batch(1), batch(2), RunFrame::Done(DONE)], "exec sleep 60");
    let (rows, end) = ran(&stage.pool()).await;
    assert_eq!((rows, end.unwrap()), (3, DONE));
    let stage = Stage::answering(&[batch(0), RunFrame::Done(Done { rows: 0, ..DONE })], "");
    assert_eq!(ran(&stage.pool()).await.0, 0);
}

/// What a runner asks whose plan has one report: a question about two rows, then, once it was answered,
/// the answer's bytes as it heard them beside its result.
fn asking(script: &str) -> (Stage, Vec<u8>) {
    let verdict = Verdict {
        fates: vec![Fate::Exact, Fate::Perturbed],
        noise: vec![Noise { count: 2, sum: 0.5 }],
    };
    let heard = frame::sealed(&verdict).unwrap();
    let job = frame::sealed(&job()).unwrap();
    let script = script
        .replace("JOB", &job.len().to_string())
        .replace("VERDICT", &heard.len().to_string());
    let stage = Stage::new(&script);
    let cells = |sets: &[&'static [u8]]| {
        let sets = sets.iter().map(|set| bytes::Bytes::from_static(set));
        RunFrame::Cells(Cells {
            number: 0,
            sets: sets.collect(),
        })
    };
    let written = |name: &str, frames: &[RunFrame]| {
        let frames = frames.iter().flat_map(|f| frame::sealed(f).unwrap());
        fs::write(stage.path(name), frames.collect::<Vec<u8>>()).unwrap();
    };
    written(
        "question",
        &[cells(&[b"a"]), cells(&[b""]), RunFrame::Asked(2)],
    );
    written("answer", &[batch(3), RunFrame::Done(DONE)]);
    (stage, heard)
}

async fn questioned(stage: &Stage) -> Results {
    let expected = Expected::of(&[Type::Int], 8192).unwrap().with_reports(1);
    let pool = stage.pool();
    pool.start((&job(), vec![]), expected, (None, Duration::MAX))
        .await
        .unwrap()
}

const ASKS: &str =
    "head -c JOB >/dev/null; cat {}/question; head -c VERDICT >{}/heard; cat {}/answer";

#[tokio::test]
async fn a_runner_is_answered_and_goes_on() {
    let (stage, heard) = asking(ASKS);
    let mut results = questioned(&stage).await;
    let question = results.question().await.unwrap().unwrap();
    assert_eq!((question.rows, question.cells.len()), (2, 1));
    assert_eq!(question.cells[0].sets, [&b"a"[..], b""]);
    let verdict = Verdict {
        fates: vec![Fate::Exact, Fate::Perturbed],
        noise: vec![Noise { count: 2, sum: 0.5 }],
    };
    results.answer(&verdict).await.unwrap();
    assert!(results.question().await.unwrap().is_none());
    assert_eq!(results.next().await.unwrap().unwrap().batch().num_rows(), 3);
    assert!(results.next().await.is_none() && results.done().is_some());
    assert_eq!(fs::read(stage.path("heard")).unwrap(), heard);
}

#[tokio::test]
async fn nothing_leaves_before_its_question_was_taken() {
    let (stage, _) = asking("head -c JOB >/dev/null; cat {}/question {}/answer");
    let mut results = questioned(&stage).await;
    assert_eq!(
        code(results.next().await.unwrap()),
        "dispatch.child-garbled"
    );
    assert!(results.next().await.is_none() && results.done().is_none());
}

#[tokio::test]
async fn a_question_that_does_not_fit_is_garbled() {
    let check = async |frames: &[RunFrame]| {
        let frames = frames.iter().flat_map(|f| frame::sealed(f).unwrap());
        let (stage, _) = asking("head -c JOB >/dev/null; cat {}/odd; exec sleep 60");
        fs::write(stage.path("odd"), frames.collect::<Vec<u8>>()).unwrap();
        let mut results = questioned(&stage).await;
        assert_eq!(code(results.question().await), "dispatch.child-garbled");
        assert!(results.next().await.is_none(), "nothing after a failure");
    };
    let cells = |number, count| {
        RunFrame::Cells(Cells {
            number,
            sets: vec![bytes::Bytes::from_static(b"a"); count],
        })
    };
    check(&[cells(1, 1), RunFrame::Asked(1)]).await;
    check(&[cells(0, 1), RunFrame::Asked(2)]).await;
    check(&[cells(0, 1), batch(1)]).await;
    check(&[cells(0, 1), RunFrame::Done(DONE)]).await;
}

#[tokio::test]
async fn a_runner_whose_plan_reports_nothing_may_not_ask() {
    let (stage, _) = asking("cat >/dev/null; cat {}/question");
    let mut results = started(&stage.pool()).await.unwrap();
    assert_eq!(code(results.question().await), "dispatch.child-garbled");
}

#[tokio::test]
async fn an_end_that_does_not_fit_is_garbled() {
    let check = async |answers: &[RunFrame], rows| {
        let (came, end) = ran(&Stage::answering(answers, "").pool()).await;
        assert_eq!((came, code(end)), (rows, "dispatch.child-garbled"));
    };
    check(&[RunFrame::Done(Done { rows: 0, ..DONE })], 0).await;
    check(&[batch(1), RunFrame::Done(DONE)], 1).await;
    check(&[batch(1), RunFrame::Batch(vec![0; 100].into())], 1).await;
    check(
        &[batch(2), RunFrame::Failure("not one of ours".to_owned())],
        2,
    )
    .await;
    check(&[batch(8193)], 0).await;
    let failed = RunFrame::Failure("runner.division-by-zero".to_owned());
    let (_, end) = ran(&Stage::answering(&[batch(1), failed], "").pool()).await;
    assert_eq!(code(end), "runner.division-by-zero");
    let (_, end) = ran(&Stage::answering(&[batch(3)], "").pool()).await;
    assert_eq!(code(end), "dispatch.runner-died");
}

#[tokio::test]
async fn a_runner_never_waits_for_the_client_within_the_budget() {
    let end = RunFrame::Done(Done {
        rows: 64 * 8192,
        ..DONE
    });
    // It is killed as soon as its end is heard.
    let then = ": >{}/finished; cat {}/end; exec sleep 60";
    let stage = Stage::answering(&vec![batch(8192); 64], then);
    fs::write(stage.path("end"), frame::sealed(&end).unwrap()).unwrap();
    let mut results = started(&stage.pool()).await.unwrap();
    // Nobody reads, and yet it comes to its end: 4 MiB is far beyond what a pipe holds.
    soon("the runner waits for its client", || {
        stage.path("finished").exists()
    })
    .await;
    let mut rows = 0;
    while let Some(piece) = results.next().await {
        rows += piece.unwrap().batch().num_rows();
    }
    assert_eq!(rows, 64 * 8192);
}

#[tokio::test]
async fn the_budget_holds_all_jobs_together() {
    let mut answers = vec![batch(8192); 64];
    answers.push(RunFrame::Done(Done {
        rows: 64 * 8192,
        ..DONE
    }));
    let stage = Stage::answering(&answers, "exit 0");
    let mut config = stage.hasty();
    config.results_bytes_max = 1 << 20;
    let hasty = Pool::new(config).unwrap();
    // Slow clients: the runner is killed at its deadline while it waits for room.
    let mut results = started(&hasty).await.unwrap();
    tokio::time::sleep(HASTY + Duration::from_millis(300)).await;
    let mut rows = 0;
    let end = loop {
        match results.next().await {
            Some(Ok(piece)) => rows += piece.batch().num_rows(),
            Some(Err(failure)) => break failure,
            None => panic!("it can't have come to its end"),
        }
    };
    assert_eq!(end.code(), "dispatch.runner-timeout");
    assert!(rows / 8192 <= 16, "{rows}");
    let mut config = stage.config();
    config.results_bytes_max = 1 << 20;
    let pool = Pool::new(config).unwrap();
    // A client that keeps up gets all of it through the same budget.
    let (rows, end) = ran(&pool).await;
    assert_eq!((rows, end.is_ok()), (64 * 8192, true));
    // Pieces that are held are paid for.
    let mut results = started(&hasty).await.unwrap();
    let mut held: Vec<Piece> = Vec::new();
    while let Some(Ok(piece)) = results.next().await {
        held.push(piece);
    }
    assert!(held.len() <= 16, "{}", held.len());
}

#[tokio::test]
async fn results_that_a_licence_does_not_read_keep_nobody_elses_waiting() {
    let mut answers = vec![batch(8192); 64];
    let rows = 64 * 8192;
    answers.push(RunFrame::Done(Done { rows, ..DONE }));
    let stage = Stage::answering(&answers, "exit 0");
    let mut config = stage.config();
    config.results_bytes_max = 1 << 20;
    config.runner.running_max = 4;
    let pool = Pool::new(config).unwrap();
    let of = |licence: &str| Some(licence.parse().unwrap());
    let mut unread = Vec::new();
    for _ in 0..3 {
        unread.push(started_for(&pool, of("a")).await.unwrap());
    }
    soon("no frame waits for room", || pool.budget().waiting() == 3).await;
    let (came, end) = read(started_for(&pool, of("b")).await.unwrap()).await;
    assert_eq!((came, end.unwrap().rows), (64 * 8192, rows));
    // Whoever reads at last has all of it too.
    let (came, end) = read(unread.remove(0)).await;
    assert_eq!((came, end.unwrap().rows), (64 * 8192, rows));
}

#[tokio::test]
async fn a_result_that_nobody_reads_is_dropped_complete_or_not() {
    let check = async |answers: &[RunFrame], then: &str| {
        let stage = Stage::answering(answers, then);
        let mut config = stage.config();
        config.results_unread_max = Duration::from_millis(50);
        let pool = Pool::new(config).unwrap();
        let free = pool.budget().free();
        let mut results = started(&pool).await.unwrap();
        soon("it is held", || !results.is_waiting()).await;
        assert_eq!(pool.budget().free(), free);
        let next = results.next().await.unwrap();
        assert_eq!(code(next), "dispatch.results-unread");
        assert!(results.next().await.is_none() && results.done().is_none());
    };
    check(&[batch(3), RunFrame::Done(DONE)], "exit 0").await;
    check(&[batch(3)], "exec sleep 60").await;
}

/// Kills the processes whose command line names this folder and this word; how many there were.
fn killed(folder: &Path, word: &str) -> usize {
    let kill = |entry: std::io::Result<fs::DirEntry>| {
        let path = entry.ok()?.path();
        let line = String::from_utf8_lossy(&fs::read(path.join("cmdline")).ok()?).into_owned();
        let ours = line.contains(folder.to_str()?) && line.contains(word);
        let number = path.file_name()?.to_str()?.parse().ok()?;
        let pid = rustix::process::Pid::from_raw(number).filter(|_| ours)?;
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok()
    };
    fs::read_dir("/proc").unwrap().filter_map(kill).count()
}

#[tokio::test]
async fn a_zygote_that_is_killed_takes_its_children_along_and_is_replaced() {
    let stage = Stage::new("echo >{}/begun; cat >/dev/null; cat {}/answer; exec sleep 60");
    let pool = stage.pool();
    let results = started(&pool).await.unwrap();
    let (first, second) = tokio::join!(
        async {
            let mut results = results;
            results.next().await.unwrap().unwrap_err()
        },
        async {
            soon("the runner begins", || stage.path("begun").exists()).await;
            killed(stage.folder.path(), "runner-child")
        }
    );
    // A child that was forked just then still has its zygote's command line.
    assert_eq!((first.code(), second >= 1), ("dispatch.runner-died", true));
    assert!(!first.is_callers(), "{first}");
    let answers = [batch(3), RunFrame::Done(DONE)].map(|answer| frame::sealed(&answer).unwrap());
    fs::write(stage.path("answer"), answers.concat()).unwrap();
    assert_eq!(ran(&pool).await.0, 3);
    drop(pool);
    soon("processes are left", || {
        processes(stage.folder.path()).is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_dropped_outcome_kills_its_runner_and_all_it_started() {
    let stage = Stage::new("cat >/dev/null; sh -c 'sleep 61; : {}' & echo >{}/begun; wait");
    let pool = stage.pool();
    let results = started(&pool).await.unwrap();
    soon("the runner begins", || stage.path("begun").exists()).await;
    drop(results);
    drop(pool);
    soon("processes are left", || {
        processes(stage.folder.path()).is_empty()
    })
    .await;
}

#[tokio::test]
async fn an_answer_outlives_its_pool() {
    let stage = Stage::new("cat >/dev/null; sleep 0.3; cat {}/answer");
    let answers = [batch(3), RunFrame::Done(DONE)].map(|answer| frame::sealed(&answer).unwrap());
    fs::write(stage.path("answer"), answers.concat()).unwrap();
    let pool = stage.pool();
    let mut results = started(&pool).await.unwrap();
    drop(pool);
    assert_eq!(results.next().await.unwrap().unwrap().batch().num_rows(), 3);
}

#[test]
fn two_hundred_jobs_leave_nothing_behind() {
    // In a process of its own, for it counts all that the process holds.
    let alone = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "pool::tests::two_hundred_jobs"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&alone.stdout);
    assert!(
        alone.status.success() && told.contains("1 passed"),
        "{told}"
    );
}

#[tokio::test]
#[ignore = "run by `two_hundred_jobs_leave_nothing_behind` in a process of its own"]
async fn two_hundred_jobs() {
    let planner = Stage::answering(&[drafted(draft().encode())], "");
    let runner = Stage::answering(&[batch(3), RunFrame::Done(DONE)], "");
    let (planners, runners) = (planner.pool(), runner.pool());
    planned(&planners).await.unwrap();
    ran(&runners).await.1.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let before = descriptors();
    for _ in 0..100 {
        planned(&planners).await.unwrap();
        ran(&runners).await.1.unwrap();
    }
    soon("descriptors are left", || descriptors() <= before).await;
    soon("zombies are left", || zombies() == 0).await;
    drop((planners, runners));
    soon("processes are left", || {
        processes(planner.folder.path()).is_empty() && processes(runner.folder.path()).is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_licence_whose_memory_gave_out_waits_and_no_other_does() {
    let failed = RunFrame::Failure("runner.out-of-memory".to_owned());
    let stage = Stage::answering(&[failed], "");
    let mut config = stage.config();
    config.runner.running_each_max = 1;
    let pool = Pool::new(config).unwrap();
    let ended = async |licence: &str| match started_for(&pool, Some(licence.parse().unwrap())).await
    {
        Ok(results) => read(results).await.1.unwrap_err(),
        Err(failure) => failure,
    };
    assert_eq!(ended("a").await.code(), "runner.out-of-memory");
    let mut again = std::pin::pin!(ended("a"));
    let other = tokio::select! {
        _ = &mut again => panic!("its place did not rest"),
        other = ended("b") => other,
    };
    assert_eq!(other.code(), "runner.out-of-memory");
    // It waits, and is not refused for what came before.
    assert_eq!(again.await.code(), "runner.out-of-memory");
    for _ in 0..2 {
        assert_eq!(
            ran(&pool).await.1.unwrap_err().code(),
            "runner.out-of-memory"
        );
    }
}

/// Runs many jobs of the domain itself, and says whether the other was over before them.
async fn is_over_before_many(other: impl Future<Output = ()>, pool: &Pool) -> bool {
    let many = async {
        for _ in 0..60 {
            ran(pool).await.1.ok();
        }
    };
    tokio::select! {
        () = other => true,
        () = many => false,
    }
}

/// Says whether a licence has a runner before many jobs of the domain itself are done.
async fn begins_before_many(pool: &Pool, licence: Share) -> bool {
    let begins = async {
        started_for(pool, licence).await.unwrap();
    };
    is_over_before_many(begins, pool).await
}

/// Whoever hears that memory gave out has ended what read the runner, before its place is given back.
#[tokio::test]
async fn a_place_rests_by_what_was_heard_although_nobody_reads_on() {
    let failed = RunFrame::Failure("runner.out-of-memory".to_owned());
    let stage = Stage::answering(&[failed], "");
    let pool = stage.one_each();
    let licence: Share = Some("a".parse().unwrap());
    let results = started_for(&pool, licence.clone()).await.unwrap();
    assert!(read(results).await.1.unwrap_err().is_out_of_memory());
    assert!(!begins_before_many(&pool, licence).await);
}

#[tokio::test]
async fn a_place_rests_after_a_run_that_was_given_up() {
    let stage = Stage::new("cat >/dev/null; if mkdir {}/first 2>&-; then exec sleep 60; fi");
    let pool = stage.one_each();
    let licence: Share = Some("a".parse().unwrap());
    let results = started_for(&pool, licence.clone()).await.unwrap();
    soon("the runner begins", || stage.path("first").exists()).await;
    // It rests eight times as long as these take.
    assert!(!is_over_before_many(std::future::pending(), &pool).await);
    drop(results);
    assert!(!begins_before_many(&pool, licence).await);
}

#[tokio::test]
async fn a_child_that_works_long_is_in_nobodys_way() {
    let stage = Stage::new("cat >/dev/null; while :; do :; done");
    let pool = stage.pool();
    let results = started(&pool).await.unwrap();
    let is_last = |process: PathBuf| {
        let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
        let after_name = stat.rsplit_once(") ").map(|(_, after_name)| after_name);
        // SCHED_IDLE in field 41; the name in parentheses is field 2.
        after_name.is_some_and(|fields| fields.split(' ').nth(38) == Some("5"))
    };
    let last = || processes(stage.folder.path()).into_iter().any(is_last);
    soon("the child gives way", last).await;
    drop(results);
}
