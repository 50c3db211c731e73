use crate::Ring;

/// A wall that does not stand. The process must end without reading its job.
#[derive(Debug, thiserror::Error)]
pub enum Unjailed {
    /// The system refused.
    #[error("ring `{ring}` could not be put up")]
    Refused {
        /// Which wall.
        ring: Ring,
        /// What the system said.
        source: std::io::Error,
    },
    /// A wall that must stand can't be put up here.
    #[error("ring `{ring}` is demanded and could not be put up: {why}; {}", ring.remedy())]
    Demanded {
        /// Which wall.
        ring: Ring,
        /// What the system said.
        why: String,
    },
    /// Something is open besides the three pipes, even after what was inherited was closed.
    #[error("descriptor {0} is open")]
    Inherited(i32),
    /// Walls of a thread do not bind threads that began before.
    #[error("{0} threads are running")]
    Threads(usize),
    /// The parent was gone before its death could be listened for.
    #[error("the parent is gone")]
    Orphaned,
    /// The command line does not say what it should.
    #[error("the arguments are not those of a zygote")]
    Arguments,
}

impl Unjailed {
    /// A wall that the system refused.
    pub(crate) fn refused(ring: Ring, source: impl Into<std::io::Error>) -> Self {
        Self::Refused {
            ring,
            source: source.into(),
        }
    }

    /// This and what caused it, in one line.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Refused { ring, source } => format!("{self}: {source}; {}", ring.remedy()),
            Self::Demanded { .. }
            | Self::Inherited(_)
            | Self::Threads(_)
            | Self::Orphaned
            | Self::Arguments => self.to_string(),
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "jail.refused",
            Self::Demanded { .. } => "jail.ring-missing",
            Self::Inherited(_) => "jail.inherited-descriptor",
            Self::Threads(_) => "jail.threads-running",
            Self::Orphaned => "jail.orphaned",
            Self::Arguments => "jail.arguments",
        }
    }
}
