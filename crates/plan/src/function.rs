//! The reviewed scalar functions: a closed list. Each entry says why it is safe.
//!
//! Safe means: its output is bounded by its input (or capped), it never reads anything but its
//! arguments, it is deterministic, and it is written for flat types.

macro_rules! functions {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $word:literal);+ $(;)?) => {
        /// A scalar function or operator.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Function { $($(#[$doc])* $name),+ }

        impl Function {
            /// The whole list.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The byte that stands for it in a plan. Never reused.
            #[must_use]
            pub const fn code(self) -> u8 {
                match self { $(Self::$name => $code),+ }
            }

            /// The word printed for it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

functions! {
    /// Sum of two numbers, or a date or timestamp and an interval. Bounded: fixed width.
    Add = 1, "+";
    /// Difference. Bounded: fixed width.
    Subtract = 2, "-";
    /// Product of two numbers. Bounded: fixed width.
    Multiply = 3, "*";
    /// Quotient; dividing a whole number by zero ends the statement. Bounded: fixed width.
    Divide = 4, "/";
    /// Remainder. Bounded: fixed width.
    Modulo = 5, "%";
    /// The negative of a number. Bounded: fixed width.
    Negate = 6, "neg";
    /// Equal. Bounded: one bit.
    Equal = 10, "=";
    /// Not equal. Bounded: one bit.
    NotEqual = 11, "<>";
    /// Less. Bounded: one bit.
    Less = 12, "<";
    /// Less or equal. Bounded: one bit.
    LessEqual = 13, "<=";
    /// Greater. Bounded: one bit.
    Greater = 14, ">";
    /// Greater or equal. Bounded: one bit.
    GreaterEqual = 15, ">=";
    /// Differ, nulls being equal to each other. Bounded: one bit.
    IsDistinctFrom = 16, "is distinct from";
    /// Do not differ, nulls being equal to each other. Bounded: one bit.
    IsNotDistinctFrom = 17, "is not distinct from";
    /// Both. Bounded: one bit.
    And = 20, "and";
    /// Either. Bounded: one bit.
    Or = 21, "or";
    /// Not. Bounded: one bit.
    Not = 22, "not";
    /// Has no value. Bounded: one bit.
    IsNull = 23, "is null";
    /// Has a value. Bounded: one bit.
    IsNotNull = 24, "is not null";
    /// Is true, null counting as false. Bounded: one bit.
    IsTrue = 25, "is true";
    /// Is false, null counting as not. Bounded: one bit.
    IsFalse = 26, "is false";
    /// Is null, for a boolean. Bounded: one bit.
    IsUnknown = 27, "is unknown";
    /// Matches a pattern of `%` and `_`. Bounded: one bit; linear in its input.
    Like = 30, "like";
    /// The same, letter case apart. Bounded: one bit.
    ILike = 31, "ilike";
    /// Texts put together. Bounded: the sum of its inputs; plans bound how often it stands.
    Concat = 32, "concat";
    /// Lower case. Bounded: at most three times its input.
    Lower = 33, "lower";
    /// Upper case. Bounded: at most three times its input.
    Upper = 34, "upper";
    /// Without blanks at both ends. Bounded: its input.
    Trim = 35, "trim";
    /// Without blanks at the left. Bounded: its input.
    TrimLeft = 36, "ltrim";
    /// Without blanks at the right. Bounded: its input.
    TrimRight = 37, "rtrim";
    /// Part of a text: text, start counted from 1, optional length. Bounded: its input.
    Substring = 38, "substr";
    /// The first characters. Bounded: its input.
    Left = 39, "left";
    /// The last characters. Bounded: its input.
    Right = 40, "right";
    /// Length in characters. Bounded: fixed width.
    Length = 41, "length";
    /// Where a text stands in another, from 1; 0 if nowhere. Bounded: fixed width.
    Position = 42, "strpos";
    /// Begins with. Bounded: one bit.
    StartsWith = 43, "starts_with";
    /// Ends with. Bounded: one bit.
    EndsWith = 44, "ends_with";
    /// Reversed. Bounded: its input.
    Reverse = 45, "reverse";
    /// Without the sign. Bounded: fixed width.
    Abs = 50, "abs";
    /// Rounded: number, optional digits. Bounded: fixed width.
    Round = 51, "round";
    /// The next whole number up, as a float. Bounded: fixed width.
    Ceil = 52, "ceil";
    /// The next whole number down, as a float. Bounded: fixed width.
    Floor = 53, "floor";
    /// Square root. Bounded: fixed width.
    Sqrt = 54, "sqrt";
    /// Power, as a float. Bounded: fixed width.
    Power = 55, "power";
    /// Natural logarithm. Bounded: fixed width.
    Ln = 56, "ln";
    /// Logarithm to the base of ten. Bounded: fixed width.
    Log10 = 57, "log10";
    /// Exponential. Bounded: fixed width.
    Exp = 58, "exp";
    /// The sign: -1, 0 or 1, as a float. Bounded: fixed width.
    Signum = 59, "signum";
    /// The first that has a value. Bounded: its inputs.
    Coalesce = 60, "coalesce";
    /// No value where both are equal, else the first. Bounded: its inputs.
    NullIf = 61, "nullif";
    /// The greatest of its arguments. Bounded: its inputs.
    Greatest = 62, "greatest";
    /// The least of its arguments. Bounded: its inputs.
    Least = 63, "least";
    /// A part of a date or timestamp; the part is a literal. Bounded: fixed width.
    DatePart = 70, "date_part";
    /// A date or timestamp cut to a part, as a timestamp; the part is a literal. Bounded: fixed width.
    DateTrunc = 71, "date_trunc";
    /// Subjects a witness counted. Only in confined plans. Bounded: fixed width.
    WitnessSubjects = 90, "witness_subjects";
    /// Quotient, without a value where the divisor is 0: an error would tell that there is such a row.
    /// Only in confined plans. Bounded: fixed width.
    DivideOrNull = 91, "/?";
    /// Remainder, without a value where the divisor is 0. Only in confined plans. Bounded: fixed width.
    ModuloOrNull = 92, "%?";
    /// The call it is over, without a value where that fails: an error would tell that there is such a row.
    /// Only in confined plans. Bounded: its input.
    OrNull = 93, "or_null";
}

impl Function {
    /// Whether it stands only in confined plans.
    #[must_use]
    pub const fn is_confined(self) -> bool {
        matches!(
            self,
            Self::WitnessSubjects | Self::DivideOrNull | Self::ModuloOrNull | Self::OrNull
        )
    }

    /// The function a code stands for.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|function| function.code() == code)
    }
}
