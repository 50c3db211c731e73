use super::*;
use terms::Type;

const SHIPPED: &str = include_str!("../../../../policies/masks.toml");
const GRADES: [Grade; 4] = [Grade::One, Grade::Two, Grade::Three, Grade::Four];

fn shipped() -> MaskTable {
    MaskTable::read(&[SHIPPED]).unwrap()
}

fn item(kind: Kind, grade: Grade, mask: Option<&str>) -> Item {
    Item {
        mask: mask.map(|mask| mask.parse().unwrap()),
        domain: Some("person".parse().unwrap()),
        ..Item::new("x".parse().unwrap(), kind, grade)
    }
}

/// Whether a mask is one the design gives a kind at a grade. Written apart from the table and its reader.
fn lawful(kind: Kind, grade: Grade, mask: Mask) -> bool {
    let hides = matches!(mask, Mask::Redact | Mask::Suppress);
    let fits = match kind {
        Kind::SubjectId
        | Kind::ResidentId
        | Kind::PersonName
        | Kind::Phone
        | Kind::BankAccount
        | Kind::SocialAccount
        | Kind::Email
        | Kind::Plate => matches!(mask, Mask::Token | Mask::Partial { .. }),
        Kind::Address => matches!(mask, Mask::Partial { .. } | Mask::Prefix(_)),
        Kind::Date => matches!(mask, Mask::Year | Mask::Month),
        Kind::Amount | Kind::Count | Kind::Ratio => matches!(mask, Mask::Band(_)),
        Kind::Code | Kind::FreeText | Kind::Other => false,
    };
    let partial = matches!(mask, Mask::Partial { .. } | Mask::Prefix(_));
    match grade {
        Grade::One => mask == Mask::Plain,
        // A value from a closed list is its own class.
        Grade::Two => fits || hides || (kind == Kind::Code && mask == Mask::Plain),
        Grade::Three => hides || (fits && !partial),
        Grade::Four => mask == Mask::Suppress,
    }
}

/// A row of a table, as a domain would write it.
fn row(kind: Kind, grade: Grade, (mask, most): (&str, &str)) -> String {
    let grade = grade.number();
    format!("[[mask]]\nkind = \"{kind}\"\ngrade = {grade}\nmask = \"{mask}\"\nmost = \"{most}\"\n")
}

#[test]
fn every_kind_has_a_mask_of_the_design_at_every_grade() {
    let table = shipped();
    for kind in Kind::ALL.iter().copied() {
        for grade in GRADES {
            let mask = table.of(&item(kind, grade, None));
            assert!(lawful(kind, grade, mask), "{kind}, grade {grade}: {mask}");
        }
    }
}

#[test]
fn the_most_a_mask_may_reveal_is_of_the_design_too_and_never_less_than_the_mask() {
    let table = shipped();
    for kind in Kind::ALL.iter().copied() {
        for grade in [Grade::Two, Grade::Three] {
            let (mask, most) = table.rows[&(kind, grade)];
            assert!(lawful(kind, grade, most), "{kind}, grade {grade}: {most}");
            assert!(within(mask, most), "{kind}: {mask}, at most {most}");
        }
    }
    assert!(
        table
            .rows
            .keys()
            .all(|(_, grade)| matches!(grade, Grade::Two | Grade::Three))
    );
}

#[test]
fn a_higher_grade_never_shows_more() {
    let table = shipped();
    for kind in Kind::ALL.iter().copied() {
        for grades in GRADES.windows(2) {
            let [lower, higher] = [grades[0], grades[1]].map(|g| table.of(&item(kind, g, None)));
            assert!(within(higher, lower), "{kind}: {lower}, then {higher}");
        }
    }
}

#[test]
fn every_mask_fits_the_type_its_kind_is_written_in() {
    let table = shipped();
    for ((kind, grade), (mask, most)) in &table.rows {
        let written = match kind {
            Kind::Date => Type::Date,
            Kind::Amount | Kind::Ratio => Type::Float,
            Kind::Count | Kind::SubjectId => Type::Int,
            Kind::ResidentId
            | Kind::PersonName
            | Kind::Phone
            | Kind::BankAccount
            | Kind::SocialAccount
            | Kind::Email
            | Kind::Address
            | Kind::Plate
            | Kind::Code
            | Kind::FreeText
            | Kind::Other => Type::Text,
        };
        for mask in [mask, most] {
            let shown = mask.shown_type(written);
            assert!(shown.is_some(), "{kind}, grade {grade}: {mask}");
        }
    }
}

#[test]
fn what_the_table_does_not_know_is_not_shown() {
    let empty = MaskTable::read(&[""]).unwrap();
    for kind in Kind::ALL.iter().copied() {
        for grade in [Grade::Two, Grade::Three, Grade::Four] {
            assert_eq!(empty.of(&item(kind, grade, None)), Mask::Suppress);
            assert!(empty.judge(&item(kind, grade, Some("month"))).is_err());
            assert_eq!(empty.judge(&item(kind, grade, Some("suppress"))), Ok(()));
        }
    }
}

#[test]
fn an_items_own_mask_gives_way_where_its_grade_allows_no_more_that_much() {
    let table = shipped();
    let shown = |grade, mask| table.of(&item(Kind::Phone, grade, mask));
    let own = "partial(3,4)".parse().unwrap();
    assert_eq!(shown(Grade::Two, Some("partial(3,4)")), own);
    for grade in [Grade::Three, Grade::Four] {
        let tables = shown(grade, None);
        assert_ne!(tables, own);
        assert_eq!(
            shown(grade, Some("partial(3,4)")),
            tables,
            "regraded to {grade}"
        );
    }
    let cap =
        "[[mask]]\nkind = \"phone\"\ngrade = 2\nmask = \"partial(1,0)\"\nmost = \"partial(2,0)\"\n";
    let tighter = MaskTable::read(&[SHIPPED, cap]).unwrap();
    let asked = item(Kind::Phone, Grade::Two, Some("partial(3,4)"));
    assert_eq!(tighter.of(&asked), "partial(1,0)".parse().unwrap());
}

#[test]
fn an_items_own_mask_reveals_at_most_what_its_kind_and_grade_allow() {
    use Grade::{Four, One, Three, Two};
    let cases = [
        (Kind::Phone, One, "plain", true),
        (Kind::Phone, One, "partial(3,4)", true),
        (Kind::Phone, Two, "partial(3,4)", true),
        (Kind::Phone, Two, "partial(2,0)", true),
        (Kind::Phone, Two, "partial(4,0)", false),
        (Kind::Phone, Two, "partial(3,5)", false),
        (Kind::Phone, Two, "prefix(3)", true),
        (Kind::Phone, Two, "prefix(4)", false),
        (Kind::Phone, Two, "token", true),
        (Kind::Phone, Two, "plain", false),
        (Kind::Phone, Three, "token", true),
        (Kind::Phone, Three, "partial(1,0)", false),
        (Kind::Phone, Three, "partial(0,0)", false),
        (Kind::Phone, Three, "prefix(1)", false),
        (Kind::PersonName, Two, "partial(2,0)", false),
        (Kind::ResidentId, Two, "partial(1,0)", false),
        (Kind::Address, Two, "prefix(9)", true),
        (Kind::Address, Two, "prefix(10)", false),
        (Kind::Address, Two, "partial(9,0)", false),
        (Kind::Address, Three, "prefix(6)", false),
        (Kind::Address, Three, "token", false),
        (Kind::Date, Two, "year", true),
        (Kind::Date, Two, "plain", false),
        (Kind::Date, Three, "year", true),
        (Kind::Date, Three, "month", false),
        (Kind::Amount, Two, "band(0.01)", true),
        (Kind::Amount, Two, "band(0.001)", false),
        (Kind::Amount, Three, "band(100)", true),
        (Kind::Amount, Three, "band(99)", false),
        (Kind::Count, Three, "band(5)", true),
        (Kind::Count, Three, "band(4)", false),
        (Kind::Count, Three, "year", false),
        (Kind::Code, Two, "plain", true),
        (Kind::Code, Three, "plain", false),
        (Kind::Code, Three, "token", false),
        (Kind::FreeText, Two, "prefix(1)", false),
        (Kind::FreeText, Three, "redact", true),
        (Kind::Other, Four, "suppress", true),
        (Kind::Other, Four, "plain", false),
        (Kind::SubjectId, Four, "token", false),
        (Kind::Amount, Four, "band(1000000)", false),
    ];
    let table = shipped();
    for (kind, grade, mask, allowed) in cases {
        let judged = table.judge(&item(kind, grade, Some(mask)));
        assert_eq!(judged.is_ok(), allowed, "{kind}, grade {grade}: {mask}");
    }
    for kind in Kind::ALL.iter().copied() {
        for grade in GRADES {
            assert_eq!(table.judge(&item(kind, grade, None)), Ok(()));
            let masked = item(kind, grade, Some("suppress"));
            assert_eq!(table.judge(&masked), Ok(()));
            assert_eq!(table.of(&masked), Mask::Suppress);
        }
    }
}

#[test]
fn a_mask_too_loose_is_told_with_the_item_and_its_cap() {
    let loose = shipped().judge(&item(Kind::Phone, Grade::Three, Some("partial(3,4)")));
    let told =
        "item `x`: mask `partial(3,4)` reveals more than `token`, the most a phone of grade 3 may";
    assert_eq!(loose.unwrap_err().to_string(), told);
}

#[test]
fn a_later_row_replaces_an_earlier_one_of_its_kind_and_grade_alone() {
    let tighter = row(Kind::Phone, Grade::Two, ("token", "token"));
    let table = MaskTable::read(&[SHIPPED, &tighter]).unwrap();
    for (key, masks) in &shipped().rows {
        let changed = *key == (Kind::Phone, Grade::Two);
        assert_eq!(table.rows[key] != *masks, changed, "{key:?}");
    }
    let own = item(Kind::Phone, Grade::Two, Some("partial(3,0)"));
    assert!(table.judge(&own).is_err());
}

#[test]
fn no_table_shows_a_part_or_the_whole_of_grade_3() {
    for kind in Kind::ALL.iter().copied() {
        for most in ["partial(1,0)", "partial(0,0)", "prefix(1)", "plain"] {
            for mask in [most, "redact"] {
                let loose = row(kind, Grade::Three, (mask, most));
                let read = MaskTable::read(&[SHIPPED, &loose]);
                assert!(read.is_err(), "{kind}: {mask}, at most {most}");
            }
        }
    }
}

#[test]
fn no_table_shows_grade_4_and_none_unreadable_is_half_read() {
    for most in ["plain", "partial(1,0)", "token", "year", "band(1000)"] {
        let shown = row(Kind::Other, Grade::Four, (most, most));
        if let Ok(table) = MaskTable::read(&[SHIPPED, &shown]) {
            let own = item(Kind::Other, Grade::Four, Some(most));
            assert!(table.judge(&own).is_err(), "{most}");
            assert_eq!(
                table.of(&item(Kind::Other, Grade::Four, None)),
                Mask::Suppress
            );
        }
    }
    let wrong = [
        row(Kind::Phone, Grade::Two, ("partial(4,0)", "partial(3,4)")),
        row(Kind::Amount, Grade::Two, ("band(0)", "band(1)")),
        row(Kind::Phone, Grade::Two, ("token", "token")).replace("phone", "telephone"),
        row(Kind::Phone, Grade::Two, ("token", "token")).replace("most", "mots"),
        row(Kind::Phone, Grade::Two, ("token", "token")).replace("= 2", "= 5"),
    ];
    for text in wrong {
        assert!(MaskTable::read(&[SHIPPED, &text]).is_err(), "{text}");
    }
}
