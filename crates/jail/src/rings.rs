use crate::{Limits, Unjailed, descriptors};
use rustix::{
    io::Errno,
    process::{DumpableBehavior, Signal},
};

/// The walls that stand around the calling process. Made by [`enter`] alone.
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

/// Puts every wall up, or says which one does not stand.
///
/// Call it first in a child's life, before any thread begins and before the job is read. The parent is
/// the thread that started the child: it must live as long as the child is wanted.
///
/// # Errors
/// [`Unjailed`]; the process must then end.
pub fn enter(limits: &Limits) -> Result<Rings, Unjailed> {
    let parent = rustix::process::getppid();
    descriptors::no_threads()?;
    descriptors::none_inherited()?;
    let kill = Some(Signal::KILL);
    stands(
        Ring::DiesWithParent,
        rustix::process::set_parent_process_death_signal(kill),
    )?;
    // A parent that ended before that line would never be heard of.
    if parent.is_none() || rustix::process::getppid() != parent {
        return Err(Unjailed::Orphaned);
    }
    stands(
        Ring::NoNewPrivileges,
        rustix::thread::set_no_new_privs(true),
    )?;
    let undumpable = DumpableBehavior::NotDumpable;
    stands(
        Ring::Undumpable,
        rustix::process::set_dumpable_behavior(undumpable),
    )?;
    limits.apply()?;
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
