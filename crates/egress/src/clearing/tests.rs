use super::*;
use crate::stage::{self, DONE, Stage, framed};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use dispatch::Done;
use plan::Literal;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use terms::{Event, Notice};
use wire::job::RunFrame;

fn numbers(from: i64, to: i64) -> RunFrame {
    framed(Arc::new(Int64Array::from_iter_values(from..to)) as ArrayRef)
}

fn done(rows: u64) -> RunFrame {
    RunFrame::Done(Done { rows, ..DONE })
}

/// A clearing of whole numbers from a runner that says this.
async fn clearing(frames: &[RunFrame], then: &str) -> (Stage, Clearing) {
    let stage = Stage::answering(frames, then);
    let admitted = stage.admitted(stage::values(&[Literal::Int(1)])).await;
    let clearing = clear(admitted).map_err(|withheld| withheld.0).unwrap();
    (stage, clearing)
}

/// The rows of the batches that left, and the code of what ended them before their end.
async fn left(clearing: &mut Clearing) -> (Vec<usize>, Option<&'static str>) {
    let mut rows = Vec::new();
    loop {
        match clearing.next().await {
            Some(Ok(batch)) => rows.push(batch.num_rows()),
            Some(Err(withheld)) => {
                assert!(clearing.next().await.is_none(), "nothing after an error");
                return (rows, Some(withheld.code()));
            }
            None => return (rows, None),
        }
    }
}

fn unfinished(clearing: Clearing) {
    let (withheld, decided) = *clearing.finish().unwrap_err();
    assert_eq!(withheld.code(), "egress.unfinished");
    assert_eq!(decided.query().as_str(), stage::QUERY);
}

/// What the log says, soon, of the operation that was dropped: how many rows had left.
async fn abandoned(stage: &Stage) -> Option<u64> {
    for _ in 0..1000 {
        let mut events = stage.ledger.events(0).unwrap();
        let rows = events.find_map(|stored| {
            let Event::OperationAbandoned { rows, .. } = stored.unwrap().event else {
                return None;
            };
            Some(rows)
        });
        if let Some(rows) = rows {
            return rows;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("nothing was abandoned");
}

#[tokio::test]
async fn a_result_leaves_whole_and_its_release_says_what_left() {
    let frames = [numbers(0, 2), numbers(2, 3), done(3)];
    let (_stage, mut clearing) = clearing(&frames, "").await;
    assert_eq!(clearing.schema().field(0).name(), "c0");
    assert_eq!(clearing.decided().query().as_str(), stage::QUERY);
    let digest = clearing.confined().digest();
    let batch = clearing.next().await.unwrap().unwrap();
    assert_eq!(batch.schema_ref(), clearing.schema());
    let wanted: ArrayRef = Arc::new(Int64Array::from(vec![0, 1, 2]));
    assert_eq!(batch.column(0), &wanted);
    assert!(clearing.next().await.is_none());
    assert!(clearing.next().await.is_none());
    let release = clearing.finish().unwrap();
    assert_eq!((release.facts.rows, release.facts.bytes), (3, 24));
    assert_eq!(release.facts.notice, Notice::NotApplicable);
    assert_eq!(release.facts.register, "none");
    assert_eq!(release.confined.digest(), digest);
    assert_eq!(release.decided.plan(), digest);
    let own_account = (release.cpu_us, release.memory_peak_bytes);
    assert_eq!(own_account, (DONE.cpu_us, DONE.memory_peak_bytes));
}

#[tokio::test]
async fn a_result_that_was_not_read_to_its_end_is_no_release() {
    let frames = [numbers(0, 8192), numbers(0, 1), done(8193)];
    let (_stage, unread) = clearing(&frames, "").await;
    unfinished(unread);
    let (stage, mut half) = clearing(&frames, "").await;
    assert_eq!(half.next().await.unwrap().unwrap().num_rows(), 8192);
    unfinished(half);
    assert_eq!(abandoned(&stage).await, Some(8192));
}

#[tokio::test]
async fn after_too_many_rows_nothing_more_leaves() {
    let frames = [numbers(0, 8192), numbers(0, 1809), done(10_001)];
    let (stage, mut clearing) = clearing(&frames, "").await;
    let (rows, code) = left(&mut clearing).await;
    assert_eq!((rows, code), (vec![8192], Some("egress.too-many-rows")));
    assert_eq!(clearing.stop().query().as_str(), stage::QUERY);
    assert_eq!(abandoned(&stage).await, Some(8192));
}

#[tokio::test]
async fn a_cap_passed_by_the_last_batch_leaves_no_release() {
    let long = "x".repeat(100_000);
    let text: ArrayRef = Arc::new(StringArray::from(vec![long]));
    let stage = Stage::answering(&[framed(text), done(1)], "");
    let texts = stage::values(&[Literal::Text(String::new())]);
    let mut clearing = clear(stage.admitted(texts).await).unwrap();
    let (rows, code) = left(&mut clearing).await;
    assert_eq!((rows, code), (vec![], Some("egress.too-many-bytes")));
    unfinished(clearing);
}

#[tokio::test]
async fn a_runner_that_dies_on_its_way_leaves_no_release() {
    let (_stage, mut clearing) = clearing(&[numbers(0, 3)], "exit 3").await;
    let (rows, code) = left(&mut clearing).await;
    assert_eq!((rows, code), (vec![], Some("dispatch.runner-died")));
    unfinished(clearing);
}

/// Counts what is logged as an error.
struct Errors(Arc<AtomicUsize>);

impl tracing::Subscriber for Errors {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        *metadata.level() == tracing::Level::ERROR && metadata.target().starts_with("egress")
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test]
async fn staff_hear_of_what_is_not_the_callers_doing_and_of_nothing_else() {
    let errors = Arc::new(AtomicUsize::new(0));
    let _guard = tracing::subscriber::set_default(Errors(Arc::clone(&errors)));
    let (_stage, mut callers) = clearing(&[numbers(0, 3)], "exit 3").await;
    assert_eq!(left(&mut callers).await.1, Some("dispatch.runner-died"));
    assert_eq!(errors.load(Ordering::Relaxed), 0);
    let (_stage, mut ours) = clearing(&[numbers(0, 3), done(4)], "").await;
    assert_eq!(left(&mut ours).await.1, Some("dispatch.child-garbled"));
    assert_eq!(errors.load(Ordering::Relaxed), 1);
}
