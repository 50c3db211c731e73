use crate::Ring;

/// A wall that could not be put up. The process must end without reading its job.
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
    /// Something is open besides the three pipes, even after what was inherited was closed.
    #[error("descriptor {0} is open")]
    Inherited(i32),
    /// Walls of a thread do not bind threads that began before.
    #[error("{0} threads are running")]
    Threads(usize),
    /// The parent was gone before its death could be listened for.
    #[error("the parent is gone")]
    Orphaned,
}

impl Unjailed {
    /// This and what caused it, in one line.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Refused { source, .. } => format!("{self}: {source}"),
            Self::Inherited(_) | Self::Threads(_) | Self::Orphaned => self.to_string(),
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "jail.refused",
            Self::Inherited(_) => "jail.inherited-descriptor",
            Self::Threads(_) => "jail.threads-running",
            Self::Orphaned => "jail.orphaned",
        }
    }
}
