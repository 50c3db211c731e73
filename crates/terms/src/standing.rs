/// Whether somebody or something that was let in is let in still.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is.
    #[default]
    Active,
    /// Not for now.
    Suspended,
    /// Not any more.
    Ended,
}

impl Standing {
    /// Whether it is let in.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self, Self::Active)
    }
}
