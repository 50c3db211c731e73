use crate::Unreadable;

/// The plain types of items, expressions and results. There are no views, dictionaries or nesting.
///
/// Every number that is whole is [`Type::Int`]; what an engine calls by another width is brought to
/// this one where data comes in and where a function is implemented.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub enum Type {
    /// True or false. Arrow: Boolean.
    Bool,
    /// A whole number, 64 bits, signed. Arrow: Int64.
    Int,
    /// IEEE 754 double precision. Arrow: Float64.
    Float,
    /// A decimal number. Arrow: Decimal128.
    Decimal {
        /// Digits in all, 1 to 38.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// UTF-8 text. Arrow: Utf8.
    Text,
    /// A calendar day. Arrow: Date32.
    Date,
    /// An instant in microseconds, without a zone. Arrow: Timestamp(Microsecond, None).
    Timestamp,
    /// Months, days and nanoseconds; only inside expressions. Arrow: Interval(MonthDayNano).
    Interval,
    /// What `witness(subject, row, value)` counted; only inside confined plans. Arrow: Struct.
    Witness,
}

impl Type {
    /// Whether values of this type may be stored in an item and leave in a result.
    #[must_use]
    pub const fn is_plain(self) -> bool {
        !matches!(self, Self::Interval | Self::Witness)
    }

    /// Whether values can be added up.
    #[must_use]
    pub const fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Float | Self::Decimal { .. })
    }
}

impl std::fmt::Display for Type {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Decimal { precision, scale } => write!(f, "decimal({precision},{scale})"),
            Self::Text => f.write_str("text"),
            Self::Date => f.write_str("date"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Interval => f.write_str("interval"),
            Self::Witness => f.write_str("witness"),
        }
    }
}

impl std::str::FromStr for Type {
    type Err = Unreadable;
    fn from_str(text: &str) -> Result<Self, Unreadable> {
        let unreadable = || {
            Unreadable::new(
                "type",
                text,
                "bool, int, float, decimal(p,s), text, date or timestamp",
            )
        };
        match text {
            "bool" => Ok(Self::Bool),
            "int" => Ok(Self::Int),
            "float" => Ok(Self::Float),
            "text" => Ok(Self::Text),
            "date" => Ok(Self::Date),
            "timestamp" => Ok(Self::Timestamp),
            "interval" => Ok(Self::Interval),
            "witness" => Ok(Self::Witness),
            other => {
                let inner = other
                    .strip_prefix("decimal(")
                    .and_then(|t| t.strip_suffix(')'));
                let (precision, scale) = inner
                    .and_then(|t| t.split_once(','))
                    .ok_or_else(unreadable)?;
                let precision: u8 = precision.parse().map_err(|_| unreadable())?;
                let scale: u8 = scale.parse().map_err(|_| unreadable())?;
                if (1..=38).contains(&precision) && scale <= precision {
                    Ok(Self::Decimal { precision, scale })
                } else {
                    Err(unreadable())
                }
            }
        }
    }
}

impl TryFrom<String> for Type {
    type Error = Unreadable;
    fn try_from(text: String) -> Result<Self, Unreadable> {
        text.parse()
    }
}

impl From<Type> for String {
    fn from(data_type: Type) -> String {
        data_type.to_string()
    }
}

#[cfg(test)]
mod tests;
