use super::*;

const X: &str = "11010519491231002X";
/// The same day, and a check digit that is none.
const ID: &str = "110105194912310505";

/// How a number is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Plain,
    Inside,
    No,
}

fn seen(text: &str) -> Seen {
    let sights = Shape::sights(text);
    match (sights.plain, sights.inside) {
        (Some(Shape::ResidentId), _) => Seen::Plain,
        (_, Some(Shape::ResidentId)) => Seen::Inside,
        _ => Seen::No,
    }
}

fn backwards(text: &str) -> String {
    text.chars().rev().collect()
}

/// Each digit as the one of that place in these.
fn written(digits: &str) -> String {
    let digits: Vec<char> = digits.chars().collect();
    let of = |letter: char| match letter.to_digit(10) {
        Some(digit) => digits[usize::try_from(digit).unwrap()],
        None => letter,
    };
    ID.chars().map(of).collect()
}

#[test]
fn the_number_of_these_tests_is_one() {
    assert_eq!(seen(ID), Seen::Plain);
    assert_eq!(seen(X), Seen::Plain);
}

#[test]
fn up_to_three_signs_between_groups_hide_nothing() {
    let signs = [
        " ",
        "-",
        "  ",
        ".",
        "/",
        ",",
        "_",
        "\t",
        "\n",
        "\r\n",
        "\u{a0}",
        "\u{3000}",
        "–",
        "—",
        "·",
        "\u{ff0d}",
        "：",
        "、",
        "|",
        "\\",
        "...",
        " - ",
        "\u{200b}",
        "\u{200d}\u{200b}",
        "\u{feff}",
        "\u{ad}",
        "\u{2060}",
        "\u{3164}",
        "\u{fe0f}",
        "\u{301}",
        "",
        "*",
        "**",
    ];
    for sign in signs {
        for number in [ID, X] {
            let cut = |at: &[usize]| {
                let mut text = number.to_owned();
                at.iter().rev().for_each(|at| text.insert_str(*at, sign));
                text
            };
            for at in [&[6, 14][..], &[17], &[1], &[4, 8, 12, 16], &[6], &[9]] {
                let text = cut(at);
                assert_eq!(seen(&text), Seen::Plain, "{text:?}");
                assert_eq!(seen(&format!("号{text}，")), Seen::Plain, "{text:?}");
            }
            let every: Vec<usize> = (1..18).collect();
            assert_eq!(seen(&cut(&every)), Seen::Plain, "{sign:?}");
        }
    }
    // More than three, or a letter, and it is not one number.
    assert_eq!(seen("110105    19491231    0505"), Seen::No);
    assert_eq!(seen("110105年19491231年0505"), Seen::No);
}

#[test]
fn a_letter_before_or_after_hides_nothing() {
    for (before, after) in [
        ("id", ""),
        ("sfz", ""),
        ("A", ""),
        ("", "a"),
        ("身份证", "号"),
        ("_", "_"),
        ("x", ""),
        ("", "x"),
        ("exit", ""),
        ("max ", ""),
        ("0x", ""),
        ("{\"id\":\"", "\"}"),
        ("б", "я"),
        ("a@b.cn,", ",13812345678"),
        ("一", ""),
        ("", "一"),
    ] {
        for number in [ID, X] {
            let text = format!("{before}{number}{after}");
            assert_eq!(seen(&text), Seen::Plain, "{text}");
        }
    }
}

#[test]
fn digits_before_or_after_hide_it_from_no_staff() {
    for (before, after) in [
        ("0", ""),
        ("7", "7"),
        ("", "0"),
        ("20261201", ""),
        ("", "123456789"),
    ] {
        let text = format!("{before}{ID}{after}");
        assert_eq!(seen(&text), Seen::Inside, "{text}");
    }
    // What an X ends is one by itself.
    assert_eq!(seen(&format!("{X}7")), Seen::Plain);
    assert_eq!(seen(&format!("7{X}")), Seen::Inside);
    // Two that run together are two.
    assert_eq!(seen(&format!("{ID}{ID}")), Seen::Plain);
    assert_eq!(seen(&format!("{X}{ID}{X}")), Seen::Plain);
    assert_eq!(seen(&format!("{ID}13812345678")), Seen::Inside);
    assert_eq!(seen("13812345678 110105 19491231 0505"), Seen::Inside);
    // As far as one looks.
    assert_eq!(seen(&format!("{}{ID}", "0".repeat(46))), Seen::Inside);
    assert_eq!(seen(&format!("{}{ID}", "0".repeat(47))), Seen::No);
    let list = "1,".repeat(500);
    assert_eq!(
        seen(&format!("{list}{ID}")),
        Seen::Plain,
        "a group of its own"
    );
}

#[test]
fn backwards_it_is_seen() {
    for number in [ID, X] {
        let text = backwards(number);
        assert_eq!(seen(&text), Seen::Inside, "{text}");
        assert_eq!(seen(&format!("a{text}b")), Seen::Inside, "{text}");
        assert_eq!(seen(&format!("7{text}7")), Seen::Inside, "{text}");
    }
    assert_eq!(seen(&backwards("110105 19491231 002X")), Seen::Inside);
}

#[test]
fn digits_of_other_scripts_are_digits() {
    for digits in [
        "０１２３４５６７８９",
        "٠١٢٣٤٥٦٧٨٩",
        "۰۱۲۳۴۵۶۷۸۹",
        "०१२३४५६७८९",
        "〇一二三四五六七八九",
        "零壹贰叁肆伍陆柒捌玖",
        "零幺二叁四伍陸柒八玖",
        "⁰¹²³⁴⁵⁶⁷⁸⁹",
        "𝟎𝟏𝟐𝟑𝟒𝟓𝟔𝟕𝟖𝟗",
        "⓪①②③④⑤⑥⑦⑧⑨",
    ] {
        let text = written(digits);
        assert_eq!(seen(&text), Seen::Plain, "{text}");
    }
    assert_eq!(seen("一1〇1〇5一9四9一2三1〇5〇5"), Seen::Plain, "by turns");
    for ten in [
        "x", "X", "Ｘ", "ｘ", "Ⅹ", "ⅹ", "Х", "х", "×", "Χ", "χ", "✕", "𝐗",
    ] {
        let text = X.replace('X', ten);
        assert_eq!(seen(&text), Seen::Plain, "{text}");
        assert_eq!(seen(&backwards(&text)), Seen::Inside, "{text}");
    }
}

/// What a bounded look does not find; SECURITY.md says so.
#[test]
fn what_is_written_in_other_words_is_not_found() {
    for text in [
        "MTEwMTA1MTk0OTEyMzEwNTA1",
        "313130313035313934393132333130353035",
        "bbabafbjejbcdbafaf",
        "11a01b05c19d49e12f31g05h05",
        "11O1O51949123105O5",
        "一百一十",
    ] {
        assert_eq!(seen(text), Seen::No, "{text}");
    }
}
