//! E-mail addresses.

use unicode_normalization::UnicodeNormalization;

/// Something, an at sign, and a name with a dot in it.
pub(super) fn has_mail(text: &str) -> bool {
    if text.is_ascii() {
        return text.contains('@') && is_in(text);
    }
    if !text.contains(['@', '\u{ff20}', '\u{fe6b}']) {
        return false;
    }
    let seen = |letter: &char| !matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
    is_in(&text.chars().filter(seen).nfkc().collect::<String>())
}

fn is_in(text: &str) -> bool {
    let mut parts = text.split('@');
    let Some(mut before) = parts.next() else {
        return false;
    };
    for after in parts {
        let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+');
        let has_user = before.chars().next_back().is_some_and(of_name);
        let host: String = after.chars().take_while(|c| of_name(*c)).collect();
        let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
        let is_host = labels.len() >= 2 && labels.iter().all(|label| !label.is_empty());
        let last = labels.last().copied().unwrap_or_default();
        if has_user && is_host && last.len() >= 2 && last.chars().all(|c| c.is_ascii_alphabetic()) {
            return true;
        }
        before = after;
    }
    false
}
