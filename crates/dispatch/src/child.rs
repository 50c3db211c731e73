use crate::{Death, Failure, Worker, complaint};
use jail::Limits;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use std::{io, os::unix::process::ExitStatusExt, path::Path, process::Stdio, time::Duration};
use tokio::{
    io::AsyncWriteExt,
    process::{ChildStdin, ChildStdout, Command},
    task::JoinHandle,
};

/// How long a child that closed its output may take to end.
const LINGER_MAX: Duration = Duration::from_millis(500);

/// One process. Dropped, it is killed with all it started.
#[derive(Debug)]
pub(crate) struct Child {
    worker: Worker,
    process: tokio::process::Child,
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    complaint: JoinHandle<complaint::Complaint>,
}

impl Child {
    /// Starts a process in a group of its own, with an empty environment and three pipes.
    ///
    /// The calling thread is its parent and must outlive it. Needs a runtime's context.
    pub(crate) fn start(worker: Worker, program: &Path, limits: &Limits) -> io::Result<Self> {
        let mut process = Command::new(program)
            .arg(worker.subcommand())
            .args(limits.arguments())
            .env_clear()
            // Address space is bounded; the C library would reserve 64 MiB of it per thread.
            .env("MALLOC_ARENA_MAX", "2")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let piped = || io::Error::other("a pipe is missing");
        let stderr = process.stderr.take().ok_or_else(piped)?;
        Ok(Self {
            worker,
            stdin: process.stdin.take(),
            stdout: process.stdout.take().ok_or_else(piped)?,
            complaint: tokio::spawn(complaint::drained(stderr)),
            process,
        })
    }

    /// Whether it has not ended yet.
    pub(crate) fn is_alive(&mut self) -> bool {
        matches!(self.process.try_wait(), Ok(None))
    }

    /// Hands it its one job.
    pub(crate) async fn give(&mut self, framed: &[u8]) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        stdin.write_all(framed).await?;
        stdin.flush().await
    }

    /// Its input, to answer what it asks. Dropped, it is closed.
    pub(crate) const fn input(&mut self) -> Option<ChildStdin> {
        self.stdin.take()
    }

    /// What it says.
    pub(crate) const fn stdout(&mut self) -> &mut ChildStdout {
        &mut self.stdout
    }

    /// Kills it with all it started and waits until it is gone.
    pub(crate) async fn end(mut self) {
        self.kill();
        if let Err(error) = self.process.wait().await {
            tracing::error!(worker = %self.worker, %error, "a child could not be reaped");
        }
    }

    /// Why it stopped talking: for a child that closed its output before its answer was complete.
    pub(crate) async fn autopsy(mut self) -> Failure {
        let ended_itself = self.ends_itself().await;
        self.kill();
        let status = self.process.wait().await;
        let complaint = (&mut self.complaint).await.unwrap_or_default();
        tracing::debug!(worker = %self.worker, lines = complaint.lines, "a child ended early");
        let death = match status {
            _ if !ended_itself => Death::Lingered,
            Ok(status) => match (status.code(), status.signal()) {
                (Some(code), _) => Death::Exited(code),
                (None, signal) => Death::Signalled(signal.unwrap_or_default()),
            },
            Err(_) => Death::Lingered,
        };
        let worker = self.worker;
        match death {
            _ if complaint.allocation_failed => Failure::OutOfMemory(worker),
            // Nobody else kills a child: it is the kernel, short of memory.
            Death::Signalled(9) => Failure::OutOfMemory(worker),
            // SIGXCPU: its processor time is used up.
            Death::Signalled(24) => Failure::Timeout(worker),
            Death::Signalled(_) | Death::Exited(_) | Death::Lingered => {
                Failure::Died { worker, death }
            }
        }
    }

    /// Waits a little for it to end, without reaping it: until then its group can't be another's.
    async fn ends_itself(&self) -> bool {
        let Some(pid) = self.pid() else { return true };
        let ended = async {
            let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
            while matches!(rustix::process::waitid(WaitId::Pid(pid), look), Ok(None)) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(LINGER_MAX, ended).await.is_ok()
    }

    /// The process number, while it is not reaped.
    fn pid(&self) -> Option<Pid> {
        self.process
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .and_then(Pid::from_raw)
    }

    fn kill(&mut self) {
        if let Some(group) = self.pid()
            && let Err(error) = rustix::process::kill_process_group(group, Signal::KILL)
        {
            tracing::error!(worker = %self.worker, %error, "a child could not be killed");
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // The runtime reaps it.
        self.kill();
    }
}
