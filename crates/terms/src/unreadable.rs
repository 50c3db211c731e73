/// A word from outside that names nothing we know.
///
/// Carries the word, what it should have been, and what may be written instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no {what}: {remedy}")]
pub struct Unreadable {
    /// What was being read, as a person would call it: `grade`, `mask`, `person id`.
    pub what: &'static str,
    /// The word as it was written, cut to 64 characters.
    pub word: String,
    /// What may stand there instead.
    pub remedy: String,
}

impl Unreadable {
    /// Names the word that could not be read and its remedy.
    #[must_use]
    pub fn new(what: &'static str, word: &str, remedy: impl Into<String>) -> Self {
        Self {
            what,
            word: word.chars().take(64).collect(),
            remedy: remedy.into(),
        }
    }
}

#[cfg(test)]
mod tests;
