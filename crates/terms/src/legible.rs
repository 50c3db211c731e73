/// Text that somebody else wrote, as it may be shown on a line: what steers a terminal, breaks a line or
/// turns the direction of reading is written out, `\u{1b}`.
#[must_use]
pub fn legible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || steers(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// The same of a text of several lines, which stay.
#[must_use]
pub fn legible_lines(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(legible).collect();
    lines.join("\n")
}

/// Line separators, and what changes the direction of reading or is not seen at all.
///
/// Source: Unicode UAX 9, "Explicit directional"; UTS 36, "Bidirectional text spoofing".
const fn steers(character: char) -> bool {
    matches!(
        character,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_or_turns_a_line_is_written_out() {
        for (text, expect) in [
            ("就医费用 <b> é", "就医费用 <b> é"),
            ("\u{1b}[2Jx", "\\u{1b}[2Jx"),
            ("a\nb\r\tc\u{7f}", "a\\u{a}b\\u{d}\\u{9}c\\u{7f}"),
            ("\u{9b}31m", "\\u{9b}31m"),
            (
                "a\u{202e}b\u{2066}c\u{200b}",
                "a\\u{202e}b\\u{2066}c\\u{200b}",
            ),
        ] {
            assert_eq!(legible(text), expect);
        }
        assert_eq!(legible_lines("a\n\u{1b}b\n"), "a\n\\u{1b}b\n");
    }
}
