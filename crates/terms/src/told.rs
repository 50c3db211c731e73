/// What a caller hears of an error: one constant sentence in each language, never a value.
///
/// Source: design, "Refusals"; no SQL, path, row, policy text or engine message stands in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told {
    /// The sentence in English.
    pub en: &'static str,
    /// The same sentence in Chinese.
    pub zh: &'static str,
}

impl Told {
    /// Puts the two sentences side by side.
    #[must_use]
    pub const fn new(en: &'static str, zh: &'static str) -> Self {
        Self { en, zh }
    }
}

impl std::fmt::Display for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.en, self.zh)
    }
}
