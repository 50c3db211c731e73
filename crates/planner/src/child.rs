//! The process: a warm session first, then, in each copy of it, one job.

use crate::{Limits, session::warm, statement::Planning};
use datafusion::execution::SessionStateBuilder;
use jail::Inside;
use std::process::ExitCode;
use wire::{frame, job::PlanJob};

/// Serves jobs, each in a process of its own, until the gateway is gone.
#[must_use]
pub fn main() -> ExitCode {
    jail::zygote(std::env::args().skip(2), warm, job)
}

/// Serves one job from the input to standard output.
fn job(warm: SessionStateBuilder, inside: Inside) -> ExitCode {
    // Behind the last wall no thread could begin.
    let Ok(planning) = Planning::begin(warm) else {
        return ExitCode::from(6);
    };
    let Ok((mut input, mut output)) = inside.seal() else {
        return ExitCode::from(3);
    };
    let Ok(Some(job)) = frame::read::<PlanJob>(&mut input) else {
        return ExitCode::from(4);
    };
    let Some(limits) = Limits::default().tightened(&job.limits) else {
        return ExitCode::from(4);
    };
    let reply = planning.plan(job, limits);
    match frame::write(&mut output, &reply) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(5),
    }
}
