//! How long what is on record stays readable, and what may end that earlier.

use crate::{Event, Unreadable};

/// What an event is about, as far as retention goes. The number is part of sealed parts' bytes.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum EventClass {
    /// What stands: people, catalogue, licences, scenarios, and the log's own upkeep.
    Procedure,
    /// What was asked, decided, released or refused.
    Operation,
    /// What left the domain.
    Export,
    /// Who read a sealed text.
    Reading,
    /// The gateway's own life.
    Running,
}

/// How many days each class of event is kept readable.
///
/// Units: days, [`FLOOR_DAYS`](Self::FLOOR_DAYS) at least: a smaller number can't be expressed.
/// Source: Cybersecurity Law, article 21(3): network logs, six months at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct Retention {
    days: Raw,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Raw {
    procedure_days: u32,
    operation_days: u32,
    export_days: u32,
    reading_days: u32,
    running_days: u32,
}

/// Why a sealed text is destroyed before its time: a closed list, so that no leaf holds free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RedactionBasis {
    /// A person asked for erasure. Source: Personal Information Protection Law, article 47.
    ErasureRequest,
    /// The text holds what may not be kept.
    UnlawfulContent,
    /// The text came into the log by mistake.
    EnteredInError,
    /// A court or an authority ordered it.
    Order,
}

/// What a sealed text is read for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadingPurpose {
    /// A regular review.
    Audit,
    /// An incident.
    Investigation,
    /// Somebody complained or asked about their data.
    Complaint,
    /// Before a redaction is asked for or approved.
    Redaction,
}

// === impl EventClass ===

impl EventClass {
    /// All classes.
    pub const ALL: [Self; 5] = [
        Self::Procedure,
        Self::Operation,
        Self::Export,
        Self::Reading,
        Self::Running,
    ];

    /// The class's number in the bytes of sealed parts.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Procedure => 1,
            Self::Operation => 2,
            Self::Export => 3,
            Self::Reading => 4,
            Self::Running => 5,
        }
    }

    /// The class's word, as in configuration and events.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Procedure => "procedure",
            Self::Operation => "operation",
            Self::Export => "export",
            Self::Reading => "reading",
            Self::Running => "running",
        }
    }
}

impl Event {
    /// The class whose retention the event has.
    #[must_use]
    pub const fn class(&self) -> EventClass {
        match self {
            Self::DomainCreated { .. }
            | Self::PersonEnrolled { .. }
            | Self::PersonChanged { .. }
            | Self::OperatorRegistered { .. }
            | Self::OperatorChanged { .. }
            | Self::DatasetProposed { .. }
            | Self::GradesProposed { .. }
            | Self::DatasetChanged { .. }
            | Self::LicencesAnnounced { .. }
            | Self::ProductStep { .. }
            | Self::ProductCertified { .. }
            | Self::ExternalStep { .. }
            | Self::ObjectionLodged { .. }
            | Self::ObjectionAnswered { .. }
            | Self::ViolationRecorded { .. }
            | Self::ViolationLifted { .. }
            | Self::DestructionConfirmed { .. }
            | Self::HolidaysSet { .. }
            | Self::DatasetCatalogued { .. }
            | Self::DatasetLoaded { .. }
            | Self::LicenceStep { .. }
            | Self::ScenarioStep { .. }
            | Self::RetentionSet { .. }
            | Self::RedactionRequested { .. }
            | Self::RedactionApproved { .. }
            | Self::TextRedacted { .. }
            | Self::TextsExpired { .. }
            | Self::LogPruned { .. }
            | Self::KeyCreated { .. }
            | Self::KeysRotated { .. }
            | Self::KeyDestroyed { .. }
            | Self::DestructionRequested { .. }
            | Self::DestructionApproved { .. }
            | Self::BackupMade { .. }
            | Self::KeysCopied { .. }
            | Self::DomainRestored { .. }
            | Self::DerivedKept { .. }
            | Self::DerivedDropped { .. }
            | Self::SealListed { .. }
            | Self::DataSealed { .. }
            | Self::SealExtended { .. }
            | Self::SealReleaseRequested { .. }
            | Self::SealReleaseApproved { .. }
            | Self::SealReleased { .. }
            | Self::SealChecked { .. }
            | Self::DestructionCertified { .. } => EventClass::Procedure,
            Self::OperationOpened { .. }
            | Self::OperationDecided { .. }
            | Self::OperationRefused { .. }
            | Self::ReleaseConflicted { .. }
            | Self::SensitiveFound { .. }
            | Self::OperationReleased { .. }
            | Self::OperationFailed { .. }
            | Self::OperationAbandoned { .. } => EventClass::Operation,
            Self::Exported { .. } | Self::ExportWithheld { .. } => EventClass::Export,
            Self::SealedRead { .. } => EventClass::Reading,
            Self::GatewayStarted { .. }
            | Self::StrangersCounted { .. }
            | Self::WitnessLagged { .. }
            | Self::KeysUnlocked { .. } => EventClass::Running,
        }
    }
}

// === impl Retention ===

impl Retention {
    /// The fewest days anything is kept. No setting goes below it.
    pub const FLOOR_DAYS: u32 = 184;
    /// What a domain keeps unless it says otherwise: five years.
    pub const DEFAULT_DAYS: u32 = 1_830;

    /// The days of a class.
    #[must_use]
    pub const fn days(&self, class: EventClass) -> u32 {
        match class {
            EventClass::Procedure => self.days.procedure_days,
            EventClass::Operation => self.days.operation_days,
            EventClass::Export => self.days.export_days,
            EventClass::Reading => self.days.reading_days,
            EventClass::Running => self.days.running_days,
        }
    }
}

impl Default for Raw {
    fn default() -> Self {
        Self {
            procedure_days: Retention::DEFAULT_DAYS,
            operation_days: Retention::DEFAULT_DAYS,
            export_days: Retention::DEFAULT_DAYS,
            reading_days: Retention::DEFAULT_DAYS,
            running_days: Retention::DEFAULT_DAYS,
        }
    }
}

impl TryFrom<Raw> for Retention {
    type Error = Unreadable;

    fn try_from(days: Raw) -> Result<Self, Unreadable> {
        let retention = Self { days };
        for class in EventClass::ALL {
            let days = retention.days(class);
            if days < Self::FLOOR_DAYS {
                let remedy = format!(
                    "{}_days is {} at least (Cybersecurity Law, article 21)",
                    class.word(),
                    Self::FLOOR_DAYS
                );
                return Err(Unreadable::new("retention", &days.to_string(), remedy));
            }
        }
        Ok(retention)
    }
}

impl From<Retention> for Raw {
    fn from(retention: Retention) -> Self {
        retention.days
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_half_a_year_cannot_be_said() {
        let read = |json: &str| serde_json::from_str::<Retention>(json);
        assert_eq!(read("{}").unwrap(), Retention::default());
        let kept = read(r#"{"operation_days": 184}"#).unwrap();
        assert_eq!(kept.days(EventClass::Operation), 184);
        assert_eq!(kept.days(EventClass::Procedure), 1830);
        for class in EventClass::ALL {
            let json = format!(r#"{{"{}_days": 183}}"#, class.word());
            let told = read(&json).unwrap_err().to_string();
            assert!(told.contains("184"), "{told}");
        }
        assert!(read(r#"{"operations_days": 200}"#).is_err());
    }

    #[test]
    fn no_two_classes_share_a_number_or_a_word() {
        let numbers: std::collections::BTreeSet<_> =
            EventClass::ALL.iter().map(|c| c.number()).collect();
        let words: std::collections::BTreeSet<_> =
            EventClass::ALL.iter().map(|c| c.word()).collect();
        assert_eq!((numbers.len(), words.len()), (5, 5));
    }
}
