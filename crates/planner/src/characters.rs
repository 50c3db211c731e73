//! Characters that make a statement read differently from what it says.
//!
//! Source: Unicode UTS 39 (identifiers: general security profile, highly restrictive, skeletons),
//! UTS 55 (source code spoofing), CVE-2021-42574 (bidirectional controls).

use unicode_normalization::is_nfc;
use unicode_security::{
    GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection, skeleton,
};

/// Whether a character shows nothing, or changes how others are shown: refused wherever it stands, in
/// literals and comments too; a parameter carries any text.
pub(crate) const fn is_hidden(c: char) -> bool {
    matches!(c,
        // control characters but tab and the ends of lines
        '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
        // soft hyphen, joiners and fillers that look like nothing
        | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}'
        | '\u{3164}' | '\u{ffa0}'
        // bidirectional controls, zero-width characters, separators of lines and paragraphs
        | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}'
        // other format characters
        | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
        | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        // tags, and the rest of their plane but the variation selectors
        | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
}

/// Chooses a shape of the character before it: rare characters of names need it, in literals.
pub(crate) const fn is_variation_selector(c: char) -> bool {
    matches!(c, '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{e0100}'..='\u{e01ef}')
}

/// A blank that is none of the plain ones; only literals have it.
pub(crate) fn is_odd_blank(c: char) -> bool {
    c.is_whitespace() && !matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// Whether every variation selector of a literal has a character of its own; a row of them carries text
/// that nobody sees.
pub(crate) fn selectors_fit(literal: &str) -> bool {
    let mut takes_one = false;
    literal.chars().all(|c| {
        let fits = takes_one || !is_variation_selector(c);
        takes_one = !c.is_ascii() && !is_variation_selector(c) && !is_odd_blank(c);
        fits
    })
}

/// Whether an identifier cannot be taken for another: its letters are of one script (or Latin with Han,
/// kana or Hangul), in their usual form, and together do not look like ASCII.
pub(crate) fn is_unmistakable(identifier: &str) -> bool {
    if identifier.is_ascii() {
        return true;
    }
    let letters: String = identifier.chars().filter(|c| c.is_alphanumeric()).collect();
    let looks: String = skeleton(identifier).collect();
    let known = |c: char| c.is_ascii() || GeneralSecurityProfile::identifier_allowed(c);
    let private = |c: char| matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    is_nfc(identifier)
        && letters.chars().all(known)
        && !identifier.chars().any(private)
        && letters
            .as_str()
            .check_restriction_level(RestrictionLevel::HighlyRestrictive)
        && !looks.is_ascii()
}

#[cfg(test)]
mod tests;
