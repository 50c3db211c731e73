//! The process: a warm session first, then, in each copy of it, one job.

use crate::{
    Failed, Front,
    run::{run_with, warm},
};
use datafusion::execution::SessionStateBuilder;
use std::{io::Write, process::ExitCode};
use wire::{
    frame,
    job::{RunFrame, RunJob, Verdict},
};

/// The front at the other end of standard input and output.
struct Pipes;

impl Front for Pipes {
    fn tell(&mut self, frame: RunFrame) -> Result<(), Failed> {
        frame::write(&mut std::io::stdout(), &frame).map_err(|_| Failed::Internal)
    }

    fn verdict(&mut self) -> Result<Verdict, Failed> {
        let read = frame::read(&mut std::io::stdin().lock());
        read.map_err(|_| Failed::Internal)?.ok_or(Failed::Internal)
    }
}

/// Serves jobs, each in a process of its own, until the gateway is gone.
#[must_use]
pub fn main() -> ExitCode {
    jail::zygote(std::env::args().skip(2), warm, job)
}

/// Serves one job from standard input to standard output.
fn job(warm: SessionStateBuilder) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build();
    let Ok(runtime) = runtime else {
        return ExitCode::from(4);
    };
    let Ok(Some(job)) = frame::read::<RunJob>(&mut std::io::stdin().lock()) else {
        return ExitCode::from(5);
    };
    let ended = runtime.block_on(run_with(warm, job, &mut Pipes));
    let last = match ended {
        Ok(done) => RunFrame::Done(done),
        Err(failed) => RunFrame::Failure(failed.code().to_owned()),
    };
    let mut stdout = std::io::stdout().lock();
    let written = frame::write(&mut stdout, &last).is_ok() && stdout.flush().is_ok();
    if written {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(6)
    }
}
