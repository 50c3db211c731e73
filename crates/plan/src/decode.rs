/// Which plans a decoder takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accept {
    /// What a planner made: catalogue views, no witnesses.
    Draft,
    /// What the confinement made.
    Confined,
}

/// Bytes that are no plan, or one that is too large or of the other sort.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("undecodable plan: {0}")]
pub struct Undecodable(pub(crate) String);
