/// Parameters that do not fit the statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unbindable parameters: {0}")]
pub struct Unbindable(pub(crate) String);
