use crate::{OperatorId, PersonId, Standing};
use chrono::NaiveDate;

/// What a person does in the domain. No role both asks and approves. Source: AO-5, AO-6.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Works for an operator (运营单位) on its scenarios.
    OperatorMember,
    /// 数据主管部门: confirms grades, grants licences, approves scenarios.
    DataAuthority,
    /// 安全主管部门: reviews, sees rules and counts, reads the sealed part of the log.
    SecurityAuthority,
    /// 公共管理服务机构: brings data.
    Provider,
    /// 监管/审计: verifies.
    Regulator,
    /// Runs the machine; sees no data.
    DomainAdmin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 6] = [
        Self::OperatorMember,
        Self::DataAuthority,
        Self::SecurityAuthority,
        Self::Provider,
        Self::Regulator,
        Self::DomainAdmin,
    ];

    /// The role as seeds and policies write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::OperatorMember => "operator-member",
            Self::DataAuthority => "data-authority",
            Self::SecurityAuthority => "security-authority",
            Self::Provider => "provider",
            Self::Regulator => "regulator",
            Self::DomainAdmin => "domain-admin",
        }
    }
}

/// A real-named person (参与人员). The name itself is kept sealed beside the log, not here.
///
/// Source: AO-16(1).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Person {
    /// Who.
    pub id: PersonId,
    /// As what.
    pub role: Role,
    /// For which organisation; an operator's id where the role is operator member.
    pub organisation: String,
    /// Whether background vetting is on file.
    pub vetted: bool,
    /// The last day of the non-disclosure agreement (保密协议), inclusive.
    pub nda_until: Option<NaiveDate>,
    /// Whether the person is let in.
    #[serde(default, skip_serializing_if = "Standing::is_active")]
    pub standing: Standing,
}

impl Person {
    /// The operator the person works for, where the role is operator member.
    #[must_use]
    pub fn operator(&self) -> Option<OperatorId> {
        match self.role {
            Role::OperatorMember => self.organisation.parse().ok(),
            Role::DataAuthority
            | Role::SecurityAuthority
            | Role::Provider
            | Role::Regulator
            | Role::DomainAdmin => None,
        }
    }
}

#[cfg(test)]
mod tests;
