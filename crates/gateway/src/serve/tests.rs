use super::*;
use crate::stage::Stage;
use rustix::process::{Signal, getpid, kill_process};

#[tokio::test]
async fn a_signal_ends_the_process_while_the_log_is_held_still() {
    let stage = Stage::set().await;
    // As a backup does, for as long as its place takes.
    let _quiet = stage.gateway.upkeep.standing.lock().await;
    let gateway = Arc::clone(&stage.gateway);
    let told = tokio::spawn(async move { until_told(&gateway, &[]).await });
    // The first day's tick comes at once.
    tokio::time::sleep(Duration::from_millis(500)).await;
    kill_process(getpid(), Signal::TERM).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), told).await;
    ended.expect("it waits for the log").unwrap().unwrap();
}
