/// Why the data of a snapshot is destroyed. Source: AO-11, AO-19.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DestructionBasis {
    /// The licence it served ended.
    LicenceEnded,
    /// The purpose it served is met.
    PurposeMet,
    /// A newer snapshot took its place.
    Superseded,
    /// Its provider withdrew it.
    Withdrawn,
    /// A court or an authority ordered it.
    Order,
}
