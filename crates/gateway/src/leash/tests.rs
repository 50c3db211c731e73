use super::*;
use crate::{flight::until_cut, stage::Stage};
use futures::StreamExt;
use std::future::pending;
use tonic::{Code, Status};

/// What cuts off as the served process does.
fn keeper(stage: &Stage) -> tokio::task::JoinHandle<()> {
    let gateway = Arc::clone(&stage.gateway);
    // Whatever stands from here on is seen, although the task has not begun.
    let mut versions = gateway.domain.live.versions();
    tokio::spawn(async move {
        while versions.changed().await.is_ok() {
            gateway.cut_off();
        }
    })
}

/// Runs as the only operation until it is cut off.
async fn operation(stage: &Stage, begun: tokio::sync::oneshot::Sender<()>) -> Result<(), Refused> {
    let (asking, gateway) = (stage.asking(), &stage.gateway);
    let (entry, _) = gateway
        .open_entry(&asking, "SELECT 1", Action::Query)
        .await?;
    let (entry, leash) = gateway.leashed(entry, &asking, Action::Query).await?;
    let work = async {
        begun.send(()).unwrap();
        let _entry = entry;
        pending::<()>().await;
    };
    leash.hold(work).await
}

#[tokio::test]
async fn what_is_suspended_ends_at_once_and_is_on_record_as_cut_off() {
    let stage = Stage::set().await;
    let _keeper = keeper(&stage);
    let (begun, under_way) = tokio::sync::oneshot::channel();
    let suspend = async {
        under_way.await.unwrap();
        stage.suspend().await;
    };
    let (ended, ()) = tokio::join!(operation(&stage, begun), suspend);
    assert_eq!(ended.unwrap_err().code, CUT_OFF);
    // The end is queued when the work is dropped; what is appended after it waits for it.
    stage.enrol_another().await;
    assert_eq!(stage.ended().unwrap(), "operation-refused policy.cut-off");
    let refused = stage.gateway.leash(&stage.asking(), Action::Query);
    assert_eq!(refused.unwrap_err().code, "policy.licence-not-granted");
}

#[tokio::test]
async fn what_others_may_is_no_reason_to_end() {
    let stage = Stage::set().await;
    let leash = stage.gateway.leash(&stage.asking(), Action::Query).unwrap();
    let before = leash.permit().register_version();
    stage.enrol_another().await;
    stage.gateway.cut_off();
    assert!(!leash.is_cut());
    assert!(stage.gateway.domain.live.read().state.version() > before);
    stage.suspend().await;
    stage.gateway.cut_off();
    assert!(leash.is_cut());
}

#[tokio::test]
async fn a_stream_that_is_cut_off_says_so_and_ends() {
    let stage = Stage::set().await;
    let leash = stage.gateway.leash(&stage.asking(), Action::Query).unwrap();
    let endless =
        futures::stream::iter([Ok::<_, Status>(1), Ok(2)]).chain(futures::stream::pending());
    let mut stream = until_cut(Arc::clone(&leash), endless.boxed());
    assert_eq!(stream.next().await.unwrap().unwrap(), 1);
    stage.suspend().await;
    stage.gateway.cut_off();
    let status = stream.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert!(status.message().starts_with("policy.cut-off: "), "{status}");
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn a_leash_is_off_the_list_when_its_operation_is_over() {
    let stage = Stage::set().await;
    let leash = stage.gateway.leash(&stage.asking(), Action::Query).unwrap();
    assert_eq!(stage.gateway.leashes.held().len(), 1);
    drop(leash);
    assert_eq!(stage.gateway.leashes.lock().len(), 0);
}

#[tokio::test]
async fn an_operation_whose_time_is_over_is_cut_off() {
    let stage = Stage::set().await;
    let leash = stage.gateway.leash(&stage.asking(), Action::Query).unwrap();
    let end = leash.permit().expires();
    stage
        .gateway
        .cut_off_expired(end - chrono::Duration::microseconds(1));
    assert!(!leash.is_cut());
    stage.gateway.cut_off_expired(end);
    assert!(leash.is_cut());
}

#[tokio::test]
async fn a_connection_is_severed_only_while_the_cut_operation_holds_on_to_it() {
    let stage = Stage::set().await;
    for lets_go in [true, false] {
        let asking = stage.asking();
        let leash = stage.gateway.leash(&asking, Action::Query).unwrap();
        stage.gateway.cut_those(|_| true);
        assert!(leash.is_cut() && !asking.peer.is_severed());
        let kept = (!lets_go).then_some(leash);
        let severed = tokio::time::timeout(LET_GO_MAX * 3, asking.peer.severed()).await;
        assert_eq!(severed.is_err(), lets_go);
        drop(kept);
    }
}
