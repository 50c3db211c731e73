use super::*;

mod disguises; // what is found whatever stands around it, and what is not
mod chance; // how seldom something else is taken for these, and what looking costs

fn check(text: &str, expect: impl Into<Option<Shape>>) {
    assert_eq!(Shape::within(text), expect.into(), "{text}");
}

#[test]
fn an_identity_number_has_its_check_digit_and_a_day() {
    // The example of the standard itself.
    check("11010519491231002X", Shape::ResidentId);
    check("号码11010519491231002x。", Shape::ResidentId);
    check("１１０１０５１９４９１２３１００２Ｘ", Shape::ResidentId);
    check("110105 19491231 002X", Shape::ResidentId);
    check("110105194912310021", None);
    check("11010519491331002X", None);
    check("110105194912310020", None);
    // Nobody alive was born then.
    check("440524188001010014", None);
}

/// Digits with the check digit of a card.
fn card(body: &str) -> String {
    let digit = (0..10).find(|digit| {
        let all = format!("{body}{digit}");
        let digits: Vec<u8> = all.bytes().map(|b| b - b'0').collect();
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
                (0, digit) => digit,
                (_, digit) if digit > 4 => digit * 2 - 9,
                (_, digit) => digit * 2,
            })
            .sum();
        sum.is_multiple_of(10)
    });
    format!("{body}{}", digit.unwrap())
}

fn in_fours(number: &str, sign: &str) -> String {
    let groups = number.as_bytes().chunks(4);
    let groups: Vec<String> = groups
        .map(|four| String::from_utf8_lossy(four).into())
        .collect();
    groups.join(sign)
}

#[test]
fn a_bank_card_has_its_check_digit_and_network() {
    check(&card("622202123456789"), Shape::BankCard);
    check(&card("622202123456789012"), Shape::BankCard);
    check(
        &format!("card{}号", card("622202123456789")),
        Shape::BankCard,
    );
    check(&card("622202123456789").replace("6222", "6223"), None);
    let number = card("622202123456789");
    for sign in [" ", "-", "  ", " - ", "/", "\u{3000}", "\u{a0}", "."] {
        check(&in_fours(&number, sign), Shape::BankCard);
    }
    check(&in_fours(&number, "    "), None);
    // A card within other digits is told by nothing.
    check(&format!("{number}77"), None);
    // Nor is one behind a point by itself: fractions are as long.
    check(&format!("0.{number}"), None);
    check(&number.replacen("62", "62.", 1), None);
}

#[test]
fn a_card_of_another_network_is_one_where_many_are() {
    for number in [
        card("522202123456789"),
        card("411111111111111"),
        card("37828224631000"),
    ] {
        let seen = Shape::sights(&number);
        assert_eq!(
            (seen.plain, seen.maybe),
            (None, Some(Shape::BankCard)),
            "{number}"
        );
    }
    let seen = Shape::sights(&in_fours(&card("522202123456789"), " "));
    assert_eq!(seen.maybe, Some(Shape::BankCard));
    assert_eq!(Shape::sights("1522202123456789"), Sights::default());
}

#[test]
fn a_phone_number_stands_by_itself() {
    check("电话13812345678", Shape::Phone);
    check("+86 13812345678", Shape::Phone);
    check("8613812345678", Shape::Phone);
    check("+86 138-1234-5678", Shape::Phone);
    check("138-1234-5678", Shape::Phone);
    check("order_13812345678", Shape::Phone);
    check("13812345678a", Shape::Phone);
    check("tel13812345678x", Shape::Phone);
    check("3,13812345678,2", Shape::Phone);
    check("138****5678", None);
    check("23812345678", None);
    check("138123456789", None);
    // Of a hash, a time, a place, an amount and a list some digits look like one.
    check("a13812345678b2", None);
    check("2b13812345678", None);
    check("2026-12-01T13:45:56.789+08:00", None);
    check("135.12345678", None);
    check("1391234.5678", None);
    check("[1, 3, 4, 5, 2, 1, 3, 2, 5, 4, 3]", None);
}

#[test]
fn an_address_has_a_name_and_a_host() {
    check("写信到 li.lei+a@example.com。", Shape::Email);
    check("ｌｉ＠ｅｘａｍｐｌｅ．ｃｏｍ", Shape::Email);
    check("li@exam\u{200b}ple.com", Shape::Email);
    check("a@b.cn", Shape::Email);
    check("a@b", None);
    check("@example.com", None);
    check("价格@100.5", None);
}

#[test]
fn a_whole_text_is_nothing_beside_its_shape() {
    for (text, expect) in [
        (" 11010519491231002X ", Some(Shape::ResidentId)),
        ("+86 138-1234-5678", Some(Shape::Phone)),
        ("li.lei+a@example.com", Some(Shape::Email)),
        ("电话13812345678", None),
        ("tel13812345678", None),
        ("write to a@b.cn", None),
        ("", None),
    ] {
        assert_eq!(Shape::whole(text), expect, "{text}");
    }
}

#[test]
fn of_several_the_most_sensitive_is_told() {
    check("a@b.cn 13812345678 11010519491231002X", Shape::ResidentId);
    check("a@b.cn 13812345678", Shape::Phone);
    check("", None);
    check("0f3c1138123456781101051949123100", None);
}

#[test]
fn a_number_is_looked_at_as_its_digits() {
    let id = 110_105_194_912_310_505_i128;
    let of = |number, scale| Shape::sights_of_number(number, scale);
    let plain = Some(Shape::ResidentId);
    assert_eq!(of(id, 0).plain, plain);
    assert_eq!(of(-id, 0).plain, plain);
    assert_eq!(of(id * 100, 2).plain, plain, "as DECIMAL(20, 2)");
    assert_eq!(of(id * 100 + 50, 2).plain, plain, "and a half");
    assert_eq!(of(id, 4).plain, plain, "by ten thousand");
    assert_eq!(of(id * 10 + 7, 0).inside, plain, "times ten and seven");
    assert_eq!(of(13_812_345_678, 0).plain, Some(Shape::Phone));
    assert_eq!(of(8_613_812_345_678, 0).plain, Some(Shape::Phone));
    assert_eq!(of(12_999_999_999, 0), Sights::default());
    // A floating-point number has lost two digits of eighteen, and what is left is a person's.
    let float = |number: &str| Shape::sights_of_float(number.parse().unwrap());
    assert_eq!(float(&id.to_string()).inside, plain);
    assert_eq!(float("13812345678").plain, Some(Shape::Phone));
    for none in [
        "0.5",
        "13812345678.5",
        "NaN",
        "inf",
        "1e300",
        "-7",
        "3.0e18",
    ] {
        assert_eq!(float(none), Sights::default(), "{none}");
    }
}
