//! Identifiers. Two of them never share a type, so that a person is never passed for a licence.

use crate::Unreadable;

/// Whether a character may stand in a name: letters (Chinese ones too), digits, `_` and `-`.
fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= 64 && text.chars().all(is_name_char)
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $what:literal, $ok:expr, $remedy:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = Unreadable;
            fn from_str(text: &str) -> Result<Self, Unreadable> {
                let ok: fn(&str) -> bool = $ok;
                if ok(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(Unreadable::new($what, text, $remedy))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = Unreadable;
            fn try_from(text: String) -> Result<Self, Unreadable> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// A real-named person enrolled in the domain. Source: AO-16(1).
    PersonId, "person id", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// An operator (运营单位). Source: AO-7.
    OperatorId, "operator id", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// A licence (授权). Source: AO-8.
    LicenceId, "licence id", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// A scenario (应用场景). Source: AO-12.
    ScenarioId, "scenario id", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// A call for applications (通告). Source: AO-9.
    AnnouncementId, "announcement id", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// A registered product (公共数据产品). Source: AO-17, AO-24.
    ProductId, "product id", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// Data brought in by an operator (社会数据); given by the gate. Source: AO-16(3).
    ExternalId, "external id", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// An objection (异议). Source: AO-9, AO-13.
    ObjectionId, "objection id", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// A recorded violation (违规). Source: OD-1.
    ViolationId, "violation id", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// The domain itself; also the origin of its log.
    DomainName, "domain name", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// An item (数据项): one column, the smallest graded unit. Source: CG-6.2.
    ItemName, "item name", |t| is_name(t) && !t.starts_with("__"),
    "1 to 64 letters, digits, `_` or `-`, not beginning with `__`"
);
identifier!(
    /// What an identifier identifies: `person`, `visit`, `enterprise`. Tokens of two domains never meet.
    IdentifierDomain, "identifier domain", is_name, "1 to 64 letters, digits, `_` or `-`"
);
identifier!(
    /// One operation: 32 hexadecimal digits, made at random by the gateway.
    QueryId, "query id", |t| t.len() == 32 && t.bytes().all(|b| b.is_ascii_hexdigit()),
    "32 hexadecimal digits"
);
identifier!(
    /// A dataset (数据集) with its schema: `city.citizen`.
    DatasetName, "dataset name",
    |t| t.split_once('.').is_some_and(|(schema, name)| is_name(schema) && is_name(name)),
    "`schema.name`, each of 1 to 64 letters, digits, `_` or `-`"
);

identifier!(
    /// What its maker calls a result that is kept inside: `work.NAME` in statements of its scenario.
    DerivedName, "name of a kept result",
    |t| is_name(t) && t.chars().count() <= 48 && !t.starts_with("__"),
    "1 to 48 letters, digits, `_` or `-`, not beginning with `__`"
);

impl DerivedName {
    /// What statements call it.
    #[must_use]
    pub fn seen_as(&self) -> DatasetName {
        DatasetName(format!("{}.{self}", DatasetName::WORKSPACE))
    }

    /// What the domain calls it: of all kept results ever, this one alone.
    #[must_use]
    pub fn stored_as(&self, number: u32) -> DatasetName {
        DatasetName(format!("{}.{self}_{number}", DatasetName::WORKSPACE))
    }
}

impl DatasetName {
    /// The schema of results that are kept inside. No catalogue entry can have it.
    pub const WORKSPACE: &str = "work";

    /// The part before the dot.
    #[must_use]
    pub fn schema(&self) -> &str {
        self.0.split_once('.').map_or("", |(schema, _)| schema)
    }

    /// The part after the dot.
    #[must_use]
    pub fn table(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, table)| table)
    }
}

#[cfg(test)]
mod tests;
