//! The process: a warm session first, then, in each copy of it, one job.

use crate::{Limits, session::warm, statement::plan_with};
use datafusion::execution::SessionStateBuilder;
use std::{io::Write, process::ExitCode};
use wire::{frame, job::PlanJob};

/// Serves jobs, each in a process of its own, until the gateway is gone.
#[must_use]
pub fn main() -> ExitCode {
    jail::zygote(std::env::args().skip(2), warm, job)
}

/// Serves one job from standard input to standard output.
fn job(warm: SessionStateBuilder) -> ExitCode {
    let Ok(Some(job)) = frame::read::<PlanJob>(&mut std::io::stdin().lock()) else {
        return ExitCode::from(4);
    };
    let Some(limits) = Limits::default().tightened(&job.limits) else {
        return ExitCode::from(4);
    };
    let reply = plan_with(warm, job, limits);
    let mut stdout = std::io::stdout().lock();
    let written = frame::write(&mut stdout, &reply).is_ok() && stdout.flush().is_ok();
    if written {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(5)
    }
}
