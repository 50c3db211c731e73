use super::*;

#[test]
fn what_shows_nothing_or_turns_text_is_hidden() {
    let hidden = "\0\u{1}\u{b}\u{7f}\u{85}\u{ad}\u{34f}\u{61c}\u{115f}\u{17b4}\u{180e}\u{200b}\u{200c}\u{200d}\
        \u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202d}\u{202e}\u{2060}\u{2066}\u{2069}\u{2800}\u{3164}\u{feff}\
        \u{ffa0}\u{fff9}\u{1d173}\u{e0001}\u{e0041}\u{e007f}";
    for c in hidden.chars() {
        assert!(is_hidden(c), "{c:?}");
    }
    let shown = " \t\n\rAz09_中〇\u{3000}é！（）·\u{fe0f}\u{e0100}\u{1f600}\u{e000}\u{fffd}";
    for c in shown.chars() {
        assert!(!is_hidden(c), "{c:?}");
    }
}

#[test]
fn every_directional_control_and_tag_is_hidden() {
    let turning = ('\u{202a}'..='\u{202e}').chain('\u{2066}'..='\u{2069}');
    for c in turning.chain('\u{e0020}'..='\u{e007f}') {
        assert!(is_hidden(c), "{c:?}");
    }
    for c in ('\u{fe00}'..='\u{fe0f}').chain('\u{e0100}'..='\u{e01ef}') {
        assert!(is_variation_selector(c) && !is_hidden(c), "{c:?}");
    }
}

#[test]
fn a_selector_has_a_character_of_its_own() {
    for literal in [
        "",
        "a",
        "葛\u{e0100}城",
        "\u{2764}\u{fe0f}",
        "葛\u{e0100}葛\u{e0101}",
    ] {
        assert!(selectors_fit(literal), "{literal:?}");
    }
    for literal in [
        "\u{fe0f}",
        "a\u{fe0f}",
        "葛\u{e0100}\u{e0101}",
        "\u{3000}\u{fe00}",
    ] {
        assert!(!selectors_fit(literal), "{literal:?}");
    }
}

#[test]
fn identifiers_are_not_taken_for_others() {
    for good in [
        "a",
        "_x1",
        "count(*)",
        "床位数",
        "收入（元）",
        "平均income",
        "naïve",
        "Straße",
        "ひらがな",
        "서울",
        "面积_m2",
        "доход",
    ] {
        assert!(is_unmistakable(good), "{good}");
    }
    for bad in [
        "p\u{430}yload",         // one Cyrillic letter
        "\u{440}\u{430}\u{443}", // all Cyrillic, looks like pay
        "\u{131}ncome",          // dotless i
        "\u{17f}elect",          // long s
        "\u{ff49}\u{ff4e}",      // full width
        "\u{1d422}\u{1d427}",    // mathematical letters
        "\u{2163}级",            // a Roman numeral
        "e\u{301}t",             // not composed
        "\u{391}\u{392}\u{395}", // Greek capitals
        "\u{3b1}系数",           // Greek with Han
        "名\u{e000}",            // private use
        "\u{212a}",              // Kelvin
    ] {
        assert!(!is_unmistakable(bad), "{bad}");
    }
}
