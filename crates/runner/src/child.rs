//! The process: a warm session first, then, in each copy of it, one job.

use crate::{
    Failed, Front,
    run::{THREADS, run_with, warm},
};
use datafusion::execution::SessionStateBuilder;
use jail::{Input, Inside, Output};
use std::{process::ExitCode, sync::mpsc};
use tokio::runtime::Runtime;
use wire::{
    frame,
    job::{RunFrame, RunJob, Verdict},
};

/// The front at the other end of both.
struct Pipes(Input, Output);

impl Front for Pipes {
    fn tell(&mut self, frame: RunFrame) -> Result<(), Failed> {
        frame::write(&mut self.1, &frame).map_err(|_| Failed::Internal)
    }

    fn verdict(&mut self) -> Result<Verdict, Failed> {
        let read = frame::read(&mut self.0);
        read.map_err(|_| Failed::Internal)?.ok_or(Failed::Internal)
    }
}

/// Serves jobs, each in a process of its own, until the gateway is gone.
#[must_use]
pub fn main() -> ExitCode {
    jail::zygote(std::env::args().skip(2), warm, job)
}

/// Serves one job from the input to standard output.
fn job(warm: SessionStateBuilder, inside: Inside) -> ExitCode {
    let Some(runtime) = started() else {
        return ExitCode::from(4);
    };
    let Ok((mut input, output)) = inside.seal() else {
        return ExitCode::from(3);
    };
    let Ok(Some(job)) = frame::read::<RunJob>(&mut input) else {
        return ExitCode::from(5);
    };
    let files = input.files();
    let mut front = Pipes(input, output);
    let ended = runtime.block_on(run_with(warm, (job, files), &mut front));
    let last = match ended {
        Ok(done) => RunFrame::Done(done),
        Err(failed) => RunFrame::Failure(failed.code().to_owned()),
    };
    match front.tell(last) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(6),
    }
}

/// A runtime whose threads all run: behind the last wall, none could begin.
fn started() -> Option<Runtime> {
    let (runs, running) = mpsc::channel();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .on_thread_start(move || {
            // Nobody listens to threads that begin later.
            runs.send(()).ok();
        })
        .build()
        .ok()?;
    for _ in 0..THREADS {
        running.recv().ok()?;
    }
    Some(runtime)
}
