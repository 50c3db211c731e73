use crate::{
    Limits, Ring, Unjailed,
    channel::receive,
    landlock_domain::Landlock,
    leash::die_with,
    seccomp::{self, Stage},
    unsafe_calls,
};
use rustix::{fd::OwnedFd, process::Pid};
use std::{
    fs::File,
    io::{self, Read, Write},
};

/// A child behind its walls, all but the last.
#[derive(Debug)]
pub struct Inside(());

/// The job's way in, behind the last wall: bytes, and the files that come beside them.
#[derive(Debug)]
pub struct Input {
    came: Vec<OwnedFd>,
}

/// The job's way out: standard output, where each write goes at once and whole. What stands in between
/// elsewhere would look for lines.
#[derive(Debug)]
pub struct Output(());

impl Inside {
    /// Takes its pipes, lets go of everything else, and is bounded.
    pub(crate) fn enter(
        limits: &Limits,
        pipes: [OwnedFd; 3],
        parent: Pid,
    ) -> Result<Self, Unjailed> {
        die_with(Some(parent))?;
        let descriptors = |error| Unjailed::refused(Ring::Descriptors, error);
        // The zygote does so too; whoever comes first.
        rustix::process::setpgid(None, None)
            .map_err(|error| Unjailed::refused(Ring::DiesWithParent, error))?;
        let [input, output, error] = pipes;
        rustix::stdio::dup2_stdin(&input).map_err(descriptors)?;
        rustix::stdio::dup2_stdout(&output).map_err(descriptors)?;
        rustix::stdio::dup2_stderr(&error).map_err(descriptors)?;
        drop((input, output, error));
        unsafe_calls::close_from(3).map_err(descriptors)?;
        limits.apply()?;
        Ok(Self(()))
    }

    /// Puts up the walls that each child puts up for itself.
    pub(crate) fn walled(self, landlock: Option<Landlock>) -> Result<Self, Unjailed> {
        if let Some(landlock) = landlock {
            let refused = |why| Unjailed::refused(Ring::Landlock, io::Error::other(why));
            landlock.enter().map_err(refused)?;
        }
        seccomp::enter(Stage::Starting, false)?;
        Ok(self)
    }

    /// Puts up the last wall, around all threads: no further one begins. Only then is there a job.
    ///
    /// Every thread must run already: what the start of one needs is not allowed any more.
    ///
    /// # Errors
    /// [`Unjailed`]; the process must then end.
    pub fn seal(self) -> Result<(Input, Output), Unjailed> {
        seccomp::enter(Stage::Working, true)?;
        Ok((Input { came: Vec::new() }, Output(())))
    }
}

impl Input {
    /// The files that came with what was read so far, in order; they can be read, and nothing else.
    pub fn files(&mut self) -> Vec<File> {
        self.came.drain(..).map(File::from).collect()
    }
}

impl Read for Input {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let (length, came) = receive(rustix::stdio::stdin(), bytes)?;
        self.came.extend(came);
        Ok(length)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(rustix::stdio::stdout(), bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
