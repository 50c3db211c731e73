//! What a letter stands for where numbers are looked for, however it is written.

use unicode_normalization::UnicodeNormalization;

/// A letter as the scan sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Symbol {
    /// A digit of any script.
    Digit(u8),
    /// A digit written as a word of one character: 一, 贰.
    Word(u8),
    /// X, which as a check digit is ten, and what looks like it.
    Ten,
    /// A point: a number may go on in its fraction.
    Point,
    /// Anything that groups: blanks, strokes, other signs.
    Gap,
    /// A Latin letter.
    Latin,
    /// Another letter.
    Letter,
}

/// The zeros of the scripts that have digits of their own; nine follow each. Source: Unicode, Nd.
const ZEROS: [u32; 40] = [
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66,
    0x0de6, 0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90,
    0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
    0x104a0, 0x11066, 0x1e140, 0x1e950, 0x1fbf0,
];

/// Gives the symbols of a text, one by one: what is not seen is left out, what is composed is taken
/// apart.
pub(super) fn each(text: &str, mut take: impl FnMut(Symbol)) {
    for letter in text.chars() {
        match known(letter) {
            Known::As(symbol) => take(symbol),
            Known::Unseen => {}
            // Full-width, superscript, circled and mathematical forms. Source: UAX 15, NFKC.
            Known::Composed => std::iter::once(letter)
                .nfkc()
                .for_each(|part| match known(part) {
                    Known::As(symbol) => take(symbol),
                    Known::Unseen => {}
                    Known::Composed if part.is_alphanumeric() => take(Symbol::Letter),
                    Known::Composed => take(Symbol::Gap),
                }),
        }
    }
}

/// What a letter is by itself.
enum Known {
    As(Symbol),
    Unseen,
    /// To be told by what it is composed of.
    Composed,
}

fn known(letter: char) -> Known {
    if letter.is_ascii() {
        return Known::As(ascii(letter));
    }
    if let Some(digit) = word(letter) {
        return Known::As(Symbol::Word(digit));
    }
    match u32::from(letter) {
        // Ideographs: most letters of most texts.
        0x3400..=0x9fff | 0xac00..=0xd7a3 => Known::As(Symbol::Letter),
        // And most of their signs.
        0x2010..=0x2027 | 0x3001..=0x3004 | 0x3008..=0x3020 | 0xff0c | 0xff1a => {
            Known::As(Symbol::Gap)
        }
        _ if is_unseen(letter) => Known::Unseen,
        _ if is_ten(letter) => Known::As(Symbol::Ten),
        code => {
            let digit = |zero: &u32| {
                u8::try_from(code.checked_sub(*zero)?)
                    .ok()
                    .filter(|d| *d < 10)
            };
            let digit = ZEROS.iter().find_map(digit);
            digit.map_or(Known::Composed, |digit| Known::As(Symbol::Digit(digit)))
        }
    }
}

fn ascii(letter: char) -> Symbol {
    match letter {
        '0'..='9' => {
            let digit = letter
                .to_digit(10)
                .and_then(|digit| u8::try_from(digit).ok());
            digit.map_or(Symbol::Latin, Symbol::Digit)
        }
        'x' | 'X' => Symbol::Ten,
        '.' => Symbol::Point,
        _ if letter.is_ascii_alphabetic() => Symbol::Latin,
        _ => Symbol::Gap,
    }
}

/// Digits as they are written in words.
const fn word(letter: char) -> Option<u8> {
    Some(match letter {
        '〇' | '零' => 0,
        '一' | '壹' | '壱' | '幺' | '〡' => 1,
        '二' | '贰' | '貳' | '弐' | '〢' => 2,
        '三' | '叁' | '參' | '叄' | '〣' => 3,
        '四' | '肆' | '〤' => 4,
        '五' | '伍' | '〥' => 5,
        '六' | '陆' | '陸' | '〦' => 6,
        '七' | '柒' | '〧' => 7,
        '八' | '捌' | '〨' => 8,
        '九' | '玖' | '〩' => 9,
        _ => return None,
    })
}

/// The Roman ten is composed of an X; these only look like it.
const fn is_ten(letter: char) -> bool {
    matches!(
        letter,
        '\u{d7}'
            | '\u{425}'
            | '\u{445}'
            | '\u{3a7}'
            | '\u{3c7}'
            | '\u{2715}'
            | '\u{2716}'
            | '\u{2573}'
            | '\u{2a2f}'
            | '\u{2cac}'
            | '\u{166d}'
    )
}

/// Formats (Cf), marks that are set on a letter, and what fills no place. Source: Unicode, Cf and Mn.
const fn is_unseen(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{300}'..='\u{36f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{20d0}'..='\u{20ff}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{fe20}'..='\u{fe2f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e01ef}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[Symbol]) {
        let mut symbols = Vec::new();
        each(text, |symbol| symbols.push(symbol));
        assert_eq!(symbols, expect, "{text}");
    }

    #[test]
    fn a_digit_is_one_in_whatever_form() {
        use Symbol::{Digit, Gap, Latin, Letter, Point, Ten, Word};
        check("7７⑦⁷𝟕٧۷७", &[Digit(7); 8]);
        check("七柒〧", &[Word(7); 3]);
        check("xXＸⅩⅹХх×χ𝐗", &[Ten; 10]);
        check("a号б", &[Latin, Letter, Letter]);
        check(" \t\n\u{a0}\u{3000}–·－_/\\", &[Gap; 11]);
        check(".．", &[Point; 2]);
        check(
            "1\u{200b}2\u{ad}3\u{301}\u{fe0f}",
            &[Digit(1), Digit(2), Digit(3)],
        );
    }
}
