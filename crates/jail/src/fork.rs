use crate::{Unjailed, descriptors};
use rustix::process::Pid;
use std::io;

/// The proof that this process has one thread. Whoever holds it starts none.
#[derive(Debug)]
pub(crate) struct Alone(());

/// Which of the two a process is after a fork.
pub(crate) enum Forked {
    Child,
    Parent(Pid),
}

impl Alone {
    /// Counts the threads.
    pub(crate) fn proved() -> Result<Self, Unjailed> {
        descriptors::no_threads().map(|()| Self(()))
    }

    /// Makes a copy of this process.
    #[expect(unsafe_code, reason = "nothing safe forks")]
    pub(crate) fn fork(&self) -> io::Result<Forked> {
        // SAFETY: there is no other thread that could hold a lock or be in the middle of a change, so
        // that the child is a sound copy in which everything may be called.
        // JUSTIFICATION: a child that is forked is ready in a millisecond; one that is executed loads,
        // relocates and warms up the whole engine first.
        let forked = unsafe { libc::fork() };
        match (forked, Pid::from_raw(forked)) {
            (0, _) => Ok(Forked::Child),
            (1.., Some(child)) => Ok(Forked::Parent(child)),
            (_, _) => Err(io::Error::last_os_error()),
        }
    }
}
