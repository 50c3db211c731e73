use crate::{Type, Unreadable};

/// How a value is shown. The mask sits directly above the scan, so nothing above meets a raw value.
///
/// Source: design, "Masks"; AO-3 (安全脱敏), CG-B 汇聚 L2-4.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Mask {
    /// As it is.
    Plain,
    /// Absent.
    Suppress,
    /// The constant `***`, nulls hidden too.
    Redact,
    /// The first `head` and last `tail` characters around `***`, whatever stands between.
    Partial {
        /// Characters shown at the beginning.
        head: u8,
        /// Characters shown at the end.
        tail: u8,
    },
    /// The first characters and nothing else.
    Prefix(u8),
    /// A keyed stand-in, the same for the same identifier within one scenario.
    Token,
    /// The lower bound of the value's band of this width, in the item's own unit.
    Band(f64),
    /// The first day of the value's year.
    Year,
    /// The first day of the value's month.
    Month,
}

impl Mask {
    /// The type a masked value has, or none where the mask does not fit the type.
    #[must_use]
    pub const fn shown_type(self, raw: Type) -> Option<Type> {
        match (self, raw) {
            (Self::Plain | Self::Suppress, Type::Witness | Type::Interval) => None,
            (Self::Plain | Self::Suppress, plain) => Some(plain),
            (Self::Redact | Self::Token, _) => Some(Type::Text),
            (Self::Partial { .. } | Self::Prefix(_), Type::Text | Type::Int) => Some(Type::Text),
            (Self::Band(_), Type::Int | Type::Float | Type::Decimal { .. }) => Some(raw),
            (Self::Year | Self::Month, Type::Date | Type::Timestamp) => Some(raw),
            (
                Self::Partial { .. } | Self::Prefix(_) | Self::Band(_) | Self::Year | Self::Month,
                _,
            ) => None,
        }
    }

    /// Whether part of the written value shows: forbidden from grade 3 up. Source: design, "Grades".
    #[must_use]
    pub const fn is_partial(self) -> bool {
        matches!(self, Self::Partial { .. } | Self::Prefix(_))
    }
}

impl std::fmt::Display for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Plain => f.write_str("plain"),
            Self::Suppress => f.write_str("suppress"),
            Self::Redact => f.write_str("redact"),
            Self::Partial { head, tail } => write!(f, "partial({head},{tail})"),
            Self::Prefix(length) => write!(f, "prefix({length})"),
            Self::Token => f.write_str("token"),
            Self::Band(width) => write!(f, "band({width})"),
            Self::Year => f.write_str("year"),
            Self::Month => f.write_str("month"),
        }
    }
}

impl std::str::FromStr for Mask {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let unreadable = || {
            let remedy = "one of plain, suppress, redact, partial(head,tail), prefix(n), token, \
                          band(width), year, month";
            Unreadable::new("mask", text, remedy)
        };
        let (word, arguments) = match text.split_once('(') {
            None => (text, None),
            Some((word, rest)) => (word, Some(rest.strip_suffix(')').ok_or_else(unreadable)?)),
        };
        let small = |text: &str| text.trim().parse::<u8>().map_err(|_| unreadable());
        match (word, arguments) {
            ("plain", None) => Ok(Self::Plain),
            ("suppress", None) => Ok(Self::Suppress),
            ("redact", None) => Ok(Self::Redact),
            ("token", None) => Ok(Self::Token),
            ("year", None) => Ok(Self::Year),
            ("month", None) => Ok(Self::Month),
            ("prefix", Some(length)) => Ok(Self::Prefix(small(length)?)),
            ("partial", Some(both)) => {
                let (head, tail) = both.split_once(',').ok_or_else(unreadable)?;
                Ok(Self::Partial {
                    head: small(head)?,
                    tail: small(tail)?,
                })
            }
            ("band", Some(width)) => match width.trim().parse::<f64>() {
                Ok(width) if width.is_finite() && width > 0.0 => Ok(Self::Band(width)),
                _ => Err(unreadable()),
            },
            _ => Err(unreadable()),
        }
    }
}

impl TryFrom<String> for Mask {
    type Error = Unreadable;
    fn try_from(text: String) -> Result<Self, Unreadable> {
        text.parse()
    }
}

impl From<Mask> for String {
    fn from(mask: Mask) -> String {
        mask.to_string()
    }
}

#[cfg(test)]
mod tests;
