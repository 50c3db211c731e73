/// Why an authority decides against somebody: never empty. It goes into the sealed part of the entry,
/// since it may name people. Source: PD-24.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

/// The longest reason, in characters.
const CHARS_MAX: usize = 4_000;

impl Reason {
    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for Reason {
    type Err = terms::Unreadable;

    fn from_str(text: &str) -> Result<Self, terms::Unreadable> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > CHARS_MAX {
            let remedy = format!("say why, in 1 to {CHARS_MAX} characters");
            return Err(terms::Unreadable::new("reason", "", remedy));
        }
        Ok(Self(text.to_owned()))
    }
}
