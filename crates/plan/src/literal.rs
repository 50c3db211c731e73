use terms::Type;

/// A typed value. Floats are kept as their bits, so that equal plans have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal {
    /// No value, of this type.
    Null(Type),
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A double, as `f64::to_bits`.
    Float(u64),
    /// A decimal number: the unscaled value.
    Decimal {
        /// The value without its point.
        unscaled: i128,
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// Text.
    Text(String),
    /// Days since 1970-01-01.
    Date(i32),
    /// Microseconds since 1970-01-01T00:00:00.
    Timestamp(i64),
    /// A span of time.
    Interval {
        /// Whole months.
        months: i32,
        /// Whole days.
        days: i32,
        /// Nanoseconds.
        nanoseconds: i64,
    },
}

impl Literal {
    /// The type of the value.
    #[must_use]
    pub const fn data_type(&self) -> Type {
        match self {
            Self::Null(data_type) => *data_type,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Float(_) => Type::Float,
            Self::Decimal {
                precision, scale, ..
            } => Type::Decimal {
                precision: *precision,
                scale: *scale,
            },
            Self::Text(_) => Type::Text,
            Self::Date(_) => Type::Date,
            Self::Timestamp(_) => Type::Timestamp,
            Self::Interval { .. } => Type::Interval,
        }
    }

    /// Whether it is no value.
    #[must_use]
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null(_))
    }
}
