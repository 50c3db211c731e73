use crate::value::Value;

/// Looks values over for what must not leave whatever the plan says: identity numbers with valid check
/// digits, bank cards, phone numbers in texts that come from items of a higher grade.
///
/// It stands where every value passes, and finds nothing yet: which columns to look at, and what
/// follows from a find, is for the classes of sensitive data to say.
#[derive(Debug, Default)]
pub(crate) struct Sensitive;

impl Sensitive {
    /// Whether a value may leave in this column.
    #[expect(
        clippy::unused_self,
        reason = "the classes it looks for will be its fields"
    )]
    pub(crate) const fn lets_pass(&self, _column: usize, _value: &Value<'_>) -> bool {
        true
    }
}
