use super::*;

#[test]
fn a_long_word_is_cut_at_64_characters_not_bytes() {
    let error = Unreadable::new("mask", &"数".repeat(100), "token");
    assert_eq!(error.word, "数".repeat(64));
    assert_eq!(
        Unreadable::new("mask", "hash", "token").to_string(),
        "`hash` is no mask: token"
    );
}
