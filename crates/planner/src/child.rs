//! The process: limits first, then a warm session, then one job.

use crate::{Limits, session::warm, statement::plan_with};
use std::{io::Write, process::ExitCode};
use wire::{frame, job::PlanJob};

/// Serves one job from standard input to standard output.
#[must_use]
pub fn main() -> ExitCode {
    let limits = jail::Limits::from_arguments(std::env::args().skip(2));
    let Some(limits) = limits else {
        return ExitCode::from(2);
    };
    if jail::enter(&limits).is_err() {
        return ExitCode::from(3);
    }
    let warm = warm();
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
