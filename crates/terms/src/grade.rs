use crate::{Opening, Sharing, Unreadable};

/// The grade (数据等级) of an item. Source: CG-6.2, CG-A, CG-B.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "u8", into = "u8")]
pub enum Grade {
    /// 非敏感: plain in the domain.
    One,
    /// 低敏感: masked in the domain, partial values allowed.
    Two,
    /// 敏感: masked, nothing partial; raw never leaves.
    Three,
    /// 极敏感: absent.
    Four,
}

impl Grade {
    /// All grades, lowest first.
    pub const ALL: [Self; 4] = [Self::One, Self::Two, Self::Three, Self::Four];

    /// The grade as the guide writes it: 1 to 4.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three => 3,
            Self::Four => 4,
        }
    }

    /// The sharing attribute an item of this grade has unless its entry says otherwise. Source: CG-A.
    #[must_use]
    pub const fn default_sharing(self) -> Sharing {
        match self {
            Self::One | Self::Two => Sharing::Unconditional,
            Self::Three => Sharing::Conditional,
            Self::Four => Sharing::NotShared,
        }
    }

    /// The opening attribute an item of this grade has unless its entry says otherwise. Source: CG-A.
    #[must_use]
    pub const fn default_opening(self) -> Opening {
        match self {
            Self::One => Opening::Unconditional,
            Self::Two => Opening::Conditional,
            Self::Three | Self::Four => Opening::NotOpened,
        }
    }

    /// Whether Appendix A lets an item of this grade carry these attributes. Source: CG-A.
    #[must_use]
    pub const fn allows(self, sharing: Sharing, opening: Opening) -> bool {
        match self {
            Self::One => {
                matches!(
                    (sharing, opening),
                    (Sharing::Unconditional, Opening::Unconditional)
                )
            }
            Self::Two => matches!(
                (sharing, opening),
                (
                    Sharing::Unconditional,
                    Opening::Conditional | Opening::NotOpened
                ) | (Sharing::Conditional, Opening::Conditional)
            ),
            Self::Three => {
                matches!(
                    (sharing, opening),
                    (Sharing::Conditional, Opening::NotOpened)
                )
            }
            Self::Four => matches!((sharing, opening), (Sharing::NotShared, Opening::NotOpened)),
        }
    }
}

impl TryFrom<u8> for Grade {
    type Error = Unreadable;
    fn try_from(number: u8) -> Result<Self, Unreadable> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            3 => Ok(Self::Three),
            4 => Ok(Self::Four),
            other => Err(Unreadable::new(
                "grade",
                &other.to_string(),
                "1, 2, 3 or 4 (CG-6.2)",
            )),
        }
    }
}

impl From<Grade> for u8 {
    fn from(grade: Grade) -> u8 {
        grade.number()
    }
}

impl std::fmt::Display for Grade {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.number())
    }
}

#[cfg(test)]
mod tests;
