use crate::{Death, Failure, Worker, complaint, failure::FORBIDDEN_CALL};
use rustix::process::Signal;
use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};
use tokio::{
    io::{AsyncWriteExt, Interest},
    net::{UnixStream, unix::pipe},
    sync::oneshot,
    task::JoinHandle,
};

/// How long a child that closed its output may take to end.
const LINGER_MAX: Duration = Duration::from_millis(500);

/// What one child does: the job's message as it is sent, and the files that go along.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) framed: Vec<u8>,
    pub(crate) files: Vec<File>,
}

/// One process. Dropped, it is killed; its zygote kills all it started, and reaps it.
#[derive(Debug)]
pub(crate) struct Child {
    worker: Worker,
    process: OwnedFd,
    ended: Ended,
    stdin: Option<UnixStream>,
    stdout: pipe::Receiver,
    complaint: JoinHandle<complaint::Complaint>,
}

/// What the zygote said of its end.
#[derive(Debug)]
enum Ended {
    /// Nothing yet.
    Awaited(oneshot::Receiver<Death>),
    Known(Death),
}

impl Child {
    /// Takes a process that was forked, and our ends of its input, output and error.
    ///
    /// Needs a runtime's context.
    pub(crate) fn new(
        worker: Worker,
        process: OwnedFd,
        ended: oneshot::Receiver<Death>,
        (input, output, error): (UnixStream, pipe::Receiver, pipe::Receiver),
    ) -> Self {
        Self {
            worker,
            process,
            ended: Ended::Awaited(ended),
            stdin: Some(input),
            stdout: output,
            complaint: tokio::spawn(complaint::drained(error)),
        }
    }

    /// Whether it has not ended yet, as far as we know.
    pub(crate) fn is_alive(&mut self) -> bool {
        match &mut self.ended {
            Ended::Known(_) => false,
            Ended::Awaited(ended) => match ended.try_recv() {
                Err(oneshot::error::TryRecvError::Empty) => true,
                Ok(death) => self.has_ended(death),
                Err(oneshot::error::TryRecvError::Closed) => self.has_ended(Death::Orphaned),
            },
        }
    }

    fn has_ended(&mut self, death: Death) -> bool {
        self.ended = Ended::Known(death);
        false
    }

    /// Hands it its one job, with the files beside its first bytes.
    pub(crate) async fn give(&mut self, job: &Job) -> io::Result<()> {
        let stdin = self.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        let files: Vec<_> = job.files.iter().map(AsFd::as_fd).collect();
        let first = || jail::send(stdin.as_fd(), &job.framed, &files);
        let sent = stdin.async_io(Interest::WRITABLE, first).await?;
        let rest = job.framed.get(sent..).unwrap_or_default();
        stdin.write_all(rest).await?;
        stdin.flush().await
    }

    /// Its input, to answer what it asks. Dropped, it is closed.
    pub(crate) const fn input(&mut self) -> Option<UnixStream> {
        self.stdin.take()
    }

    /// What it says.
    pub(crate) const fn stdout(&mut self) -> &mut pipe::Receiver {
        &mut self.stdout
    }

    /// Kills it with all it started and waits until it is gone.
    pub(crate) async fn end(mut self) {
        self.kill();
        self.death().await;
    }

    /// Why it stopped talking: for a child that closed its output before its answer was complete.
    pub(crate) async fn autopsy(mut self) -> Failure {
        let death = tokio::time::timeout(LINGER_MAX, self.death()).await;
        self.kill();
        self.death().await;
        let complaint = (&mut self.complaint).await.unwrap_or_default();
        tracing::debug!(worker = %self.worker, lines = complaint.lines, "a child ended early");
        let worker = self.worker;
        if let Ok(Death::Signalled(FORBIDDEN_CALL)) = death {
            tracing::error!(%worker, "a child made a call to the kernel that is not on its list");
        }
        match death.unwrap_or(Death::Lingered) {
            _ if complaint.allocation_failed => Failure::OutOfMemory(worker),
            // Nobody else kills a child: it is the kernel, short of memory.
            Death::Signalled(9) => Failure::OutOfMemory(worker),
            // SIGXCPU: its processor time is used up.
            Death::Signalled(24) => Failure::Timeout(worker),
            death
            @ (Death::Signalled(_) | Death::Exited(_) | Death::Lingered | Death::Orphaned) => {
                Failure::Died { worker, death }
            }
        }
    }

    /// Waits until it has ended. Nothing is lost if that is not waited for to the end.
    async fn death(&mut self) -> Death {
        let death = match &mut self.ended {
            Ended::Known(death) => *death,
            // Without its zygote no child lives on.
            Ended::Awaited(ended) => ended.await.unwrap_or(Death::Orphaned),
        };
        self.ended = Ended::Known(death);
        death
    }

    fn kill(&mut self) {
        let killed = rustix::process::pidfd_send_signal(&self.process, Signal::KILL);
        if let Err(error) = killed
            && error != rustix::io::Errno::SRCH
        {
            tracing::error!(worker = %self.worker, %error, "a child could not be killed");
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.kill();
    }
}
