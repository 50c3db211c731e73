/// The listener a call came in by; part of every decision. Source: CG-B 汇聚 L2-7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// `--flight`: inside the domain.
    Domain,
    /// `--flight-remote`: grade 1 and approved products only.
    Remote,
}

impl Channel {
    /// The channel as policies write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Remote => "remote",
        }
    }
}
