//! How a command ends when it does not end well: what is said, and the exit code.

use std::path::Path;

/// A command's bad end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The command or a file it was given cannot be understood. Exit code 2.
    #[error("{0}")]
    Usage(String),
    /// Policy refuses. Exit code 3. The text begins with the stable code.
    #[error("{0}")]
    Refused(String),
    /// The gateway is not there, or does not know the caller. Exit code 4.
    #[error("{0}")]
    Unreachable(String),
    /// The log is behind, or beside, what was signed before. Exit code 78.
    #[error("{0}")]
    RolledBack(String),
    /// Anything else. Exit code 1.
    #[error("{0}")]
    Other(String),
}

impl Failure {
    /// The exit code. Source: interface, "Commands".
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Other(_) => 1,
            Self::Usage(_) => 2,
            Self::Refused(_) => 3,
            Self::Unreachable(_) => 4,
            Self::RolledBack(_) => 78,
        }
    }

    pub(crate) fn usage(path: &Path, error: impl std::fmt::Display) -> Self {
        Self::Usage(format!("{}: {error}", path.display()))
    }

    pub(crate) fn other(path: &Path, error: impl std::fmt::Display) -> Self {
        Self::Other(format!("{}: {error}", path.display()))
    }

    /// What a gateway's answer means for the exit code.
    pub(crate) fn answered(status: &tonic::Status) -> Self {
        let text = status.message().to_owned();
        match status.code() {
            tonic::Code::PermissionDenied => Self::Refused(text),
            tonic::Code::InvalidArgument | tonic::Code::ResourceExhausted => Self::Refused(text),
            tonic::Code::Unauthenticated | tonic::Code::Unavailable => Self::Unreachable(text),
            tonic::Code::Ok
            | tonic::Code::Cancelled
            | tonic::Code::Unknown
            | tonic::Code::DeadlineExceeded
            | tonic::Code::NotFound
            | tonic::Code::AlreadyExists
            | tonic::Code::Aborted
            | tonic::Code::FailedPrecondition
            | tonic::Code::OutOfRange
            | tonic::Code::Unimplemented
            | tonic::Code::Internal
            | tonic::Code::DataLoss => Self::Other(text),
        }
    }
}
