use crate::{Limits, Unjailed};
use rustix::{
    fd::OwnedFd,
    io::Errno,
    process::{DumpableBehavior, Pid, Signal},
};

/// The walls that stand around the calling process. Made by `prepare` alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rings {
    up: Vec<Ring>,
}

/// One wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ring {
    /// Nothing is open but the three pipes.
    Descriptors,
    /// Memory, processor time, files and core files are bounded.
    Limits,
    /// No program it starts gains privileges.
    NoNewPrivileges,
    /// No process of the same user may look into it.
    Undumpable,
    /// It is killed when its parent ends.
    DiesWithParent,
}

/// The walls around a zygote, which its children inherit.
///
/// The parent is the thread that started the process: it must live as long as the process is wanted.
pub(crate) fn prepare() -> Result<Rings, Unjailed> {
    let parent = rustix::process::getppid().ok_or(Unjailed::Orphaned)?;
    die_with(parent)?;
    stands(
        Ring::NoNewPrivileges,
        rustix::thread::set_no_new_privs(true),
    )?;
    let undumpable = DumpableBehavior::NotDumpable;
    stands(
        Ring::Undumpable,
        rustix::process::set_dumpable_behavior(undumpable),
    )?;
    Ok(Rings {
        up: vec![
            Ring::Descriptors,
            Ring::DiesWithParent,
            Ring::NoNewPrivileges,
            Ring::Undumpable,
            Ring::Limits,
        ],
    })
}

/// The walls that each child puts up for itself, before it reads its job.
pub(crate) fn enter(limits: &Limits, pipes: [OwnedFd; 3], parent: Pid) -> Result<(), Unjailed> {
    die_with(parent)?;
    // The zygote does so too; whoever comes first.
    stands(Ring::DiesWithParent, rustix::process::setpgid(None, None))?;
    let [input, output, error] = pipes;
    stands(Ring::Descriptors, rustix::stdio::dup2_stdin(&input))?;
    stands(Ring::Descriptors, rustix::stdio::dup2_stdout(&output))?;
    stands(Ring::Descriptors, rustix::stdio::dup2_stderr(&error))?;
    drop((input, output, error));
    limits.apply()
}

fn die_with(parent: Pid) -> Result<(), Unjailed> {
    let kill = Some(Signal::KILL);
    stands(
        Ring::DiesWithParent,
        rustix::process::set_parent_process_death_signal(kill),
    )?;
    // A parent that ended before that line would never be heard of.
    if rustix::process::getppid() == Some(parent) {
        Ok(())
    } else {
        Err(Unjailed::Orphaned)
    }
}

fn stands(ring: Ring, result: Result<(), Errno>) -> Result<(), Unjailed> {
    result.map_err(|error| Unjailed::Refused {
        ring,
        source: error.into(),
    })
}

// === impl Rings ===

impl Rings {
    /// The walls, in the order they were put up.
    #[must_use]
    pub fn up(&self) -> &[Ring] {
        &self.up
    }

    /// Their names, one a line.
    pub(crate) fn listed(&self) -> String {
        let names: Vec<String> = self.up.iter().map(Ring::to_string).collect();
        names.join("\n")
    }
}

// === impl Ring ===

impl std::fmt::Display for Ring {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Descriptors => "descriptors",
            Self::Limits => "limits",
            Self::NoNewPrivileges => "no-new-privileges",
            Self::Undumpable => "undumpable",
            Self::DiesWithParent => "dies-with-parent",
        })
    }
}
