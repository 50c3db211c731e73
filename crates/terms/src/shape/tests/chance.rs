use super::*;

/// Random numbers from a seed. Source: PCG's multiplier, the high bits of a linear congruence.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end
    }

    fn of(&mut self, letters: &str, length: usize) -> String {
        let letters: Vec<char> = letters.chars().collect();
        let count = u64::try_from(letters.len()).unwrap();
        let mut letter = || letters[usize::try_from(self.below(count)).unwrap()];
        (0..length).map(|_| letter()).collect()
    }
}

const DIGITS: &str = "0123456789";
const HEX: &str = "0123456789abcdef";

/// How many of a million such texts look like an identity number, like anything else by itself, and
/// like what may be a card.
fn rates(count: u64, mut text: impl FnMut(&mut Seeded) -> String) -> (u64, u64, u64) {
    let mut seeded = Seeded(0x9e37_79b9_7f4a_7c15);
    let (mut ids, mut others, mut maybe) = (0, 0, 0);
    for _ in 0..count {
        let seen = Shape::sights(&text(&mut seeded));
        let id = Some(Shape::ResidentId);
        let is_id = seen.plain == id || seen.inside == id;
        ids += u64::from(is_id);
        others += u64::from(!is_id && (seen.plain.is_some() || seen.inside.is_some()));
        maybe += u64::from(seen.maybe.is_some());
    }
    let million = |found: u64| found * 1_000_000 / count;
    (million(ids), million(others), million(maybe))
}

#[test]
fn other_numbers_are_seldom_taken_for_these() {
    let all = |(ids, others, _): (u64, u64, u64)| ids + others;
    let eighteen = rates(100_000, |r| r.of(DIGITS, 18));
    let twenty = rates(100_000, |r| r.of(DIGITS, 20));
    let dated = rates(30_000, |r| format!("202612{}", r.of(DIGITS, 14)));
    let sixteen = rates(30_000, |r| r.of(DIGITS, 16));
    let snowflake = rates(20_000, |r| {
        format!("{}", 1_780_000_000_000_000_000 + r.below(1 << 31))
    });
    let hash = rates(8_000, |r| r.of(HEX, 64));
    let uuid = rates(30_000, |r| {
        let part = |r: &mut Seeded, length| r.of(HEX, length);
        let (a, b, c) = (part(r, 8), part(r, 4), part(r, 3));
        format!("{a}-{b}-4{c}-a{}-{}", part(r, 3), part(r, 12))
    });
    let credit = rates(30_000, |r| {
        let region = ["110105", "310115", "440305", "330106", "510104"];
        let region = region[usize::try_from(r.below(5)).unwrap()];
        format!(
            "91{region}{}{}",
            r.of(DIGITS, 9),
            r.of("0123456789ABCDEFGHJKLMNPQRTUWXY", 1)
        )
    });
    let place = rates(20_000, |r| {
        format!(
            "POINT({}.{} {}.{})",
            73 + r.below(62),
            r.of(DIGITS, 14),
            18 + r.below(35),
            r.of(DIGITS, 15)
        )
    });
    let fraction = rates(30_000, |r| format!("0.{}", r.of(DIGITS, 16)));
    let time = rates(20_000, |r| {
        let of = |r: &mut Seeded, end| format!("{:02}", r.below(end));
        format!(
            "2026-12-01T{}:{}:{}.{}+08:00",
            of(r, 24),
            of(r, 60),
            of(r, 60),
            r.of(DIGITS, 3)
        )
    });
    eprintln!(
        "a million: 18 digits {eighteen:?}, 20 digits {twenty:?}, dated {dated:?}, 16 {sixteen:?}, \
         snowflake {snowflake:?}, hash {hash:?}, uuid {uuid:?}, credit {credit:?}, place {place:?}, \
         fraction {fraction:?}, time {time:?}"
    );
    assert!(all(eighteen) <= 60, "{eighteen:?}");
    assert!(all(twenty) <= 400, "{twenty:?}");
    assert!(all(dated) <= 400, "{dated:?}");
    assert!(all(sixteen) <= 2_000, "{sixteen:?}");
    assert!(all(snowflake) <= 400, "{snowflake:?}");
    assert_eq!(all(hash), 0);
    assert!(all(uuid) <= 600, "{uuid:?}");
    assert_eq!(all(credit), 0);
    assert!(all(place) <= 100, "{place:?}");
    assert!(all(fraction) <= 20, "{fraction:?}");
    assert_eq!(all(time), 0);
}

/// Never time: how often a place is looked at.
#[test]
fn looking_costs_no_more_than_so_much_a_letter() {
    let nasty = [
        "1".to_owned(),
        "x".to_owned(),
        "1x".to_owned(),
        "1 ".to_owned(),
        "11010519491231050".to_owned(),
        "110105194912310505".to_owned(),
        "110105194912310505 ".to_owned(),
        "110105 19491231 0505 ".to_owned(),
        "a13812345678".to_owned(),
        "13812345678-".to_owned(),
        "1一".to_owned(),
        "一".to_owned(),
        "6222 ".to_owned(),
    ];
    for piece in nasty {
        let steps = |times: usize| sights(&piece.repeat(times)).1;
        let (some, many) = (steps(1_000), steps(10_000));
        let letters = u64::try_from(piece.chars().count() * 10_000).unwrap();
        assert!(many <= letters + 100, "{piece}: {many}");
        assert!(many <= some * 10 + 100, "{piece}: {some} then {many}");
    }
    // Most texts are not looked at at all.
    assert!(is_harmless("42 of 1,024 rows in 2026"));
    assert!(!is_harmless("2026-12-01 13:45:00"));
}
