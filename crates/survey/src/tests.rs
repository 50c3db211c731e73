mod table; // generated tables, their truth known

use crate::{Basis, Elements, Entry, Undescribable, describe, draft};
use policy::{Engine, MaskTable};
use std::{collections::BTreeMap, path::Path, sync::LazyLock};
use table::{Draw, KINDS, Made};
use terms::{Grade, Item, Kind};
use vault::sample;

fn with_masks<T>(check: impl FnOnce(&MaskTable) -> T) -> T {
    static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::load(None));
    check(ENGINE.masks().unwrap())
}

fn described(path: &Path) -> Entry {
    let looked_at = sample(path, 1000, &mut |_| ()).unwrap();
    with_masks(|masks| describe(&looked_at, masks)).unwrap()
}

/// A CSV file of these columns, described.
fn of_columns(columns: &[(&str, Vec<String>)]) -> Entry {
    let dir = tempfile::tempdir().unwrap();
    described(&table::csv(dir.path(), columns))
}

fn column(name: &str, values: Vec<String>) -> crate::Described {
    of_columns(&[(name, values)]).items.remove(0)
}

/// Of each kind: how many columns were guessed to be of it, how many of those are, how many there are.
fn score(made: &Made, entry: &Entry, scores: &mut BTreeMap<Kind, [u32; 3]>) {
    for (item, truth) in entry.items.iter().zip(&made.truth) {
        let right = u32::from(item.kind == *truth);
        if right == 0 {
            println!(
                "{} is {truth}, guessed {}: {:?}",
                item.name, item.kind, item.basis
            );
        }
        scores.entry(item.kind).or_default()[0] += 1;
        scores.entry(item.kind).or_default()[1] += right;
        scores.entry(*truth).or_default()[2] += 1;
    }
}

/// Whether values of this kind say who somebody is or where they live.
fn is_sensitive(kind: Kind) -> bool {
    kind.is_identifier() || matches!(kind, Kind::Address)
}

/// The bar: with names that say something 95 % of guesses are right and 95 % of columns found, of all
/// kinds together, and every sensitive column is found; 5 % of the values are dirty.
#[test]
fn guesses_on_known_tables_are_right_and_complete() {
    let (mut scores, mut draw) = (BTreeMap::new(), Draw::new(7));
    let dir = tempfile::tempdir().unwrap();
    for names in 0..table::NAMINGS {
        for parquet in [false, true] {
            let made = Made::new(&mut draw, Some(names), 2500);
            let entry = described(&made.written(dir.path(), parquet));
            score(&made, &entry, &mut scores);
            let subject = entry.subject.as_ref().and_then(|subject| {
                let at = entry.items.iter().position(|item| item.name == *subject)?;
                made.truth.get(at).copied()
            });
            assert_eq!(subject, Some(Kind::ResidentId));
        }
    }
    let [guessed, right, all] = told(&scores);
    assert!(
        right * 100 >= guessed * 95,
        "precision {right} of {guessed}"
    );
    assert!(right * 100 >= all * 95, "recall {right} of {all}");
    for (kind, [guessed, right, all]) in scores {
        if is_sensitive(kind) {
            assert_eq!(right, all, "{kind}: every one is found");
            assert!(
                right * 100 >= guessed * 90,
                "{kind}: {right} of {guessed} guesses"
            );
        }
    }
}

/// The bar without names (`c1`, `c2`): identity numbers, cards, phones, addresses of both sorts, plates,
/// names and days are all found by their values, and nothing else is taken for one of them.
#[test]
fn what_values_show_by_themselves_is_found_without_names() {
    let by_value = [
        Kind::ResidentId,
        Kind::BankAccount,
        Kind::Phone,
        Kind::Email,
        Kind::Plate,
        Kind::PersonName,
        Kind::Address,
        Kind::Date,
    ];
    let (mut scores, mut draw) = (BTreeMap::new(), Draw::new(11));
    let dir = tempfile::tempdir().unwrap();
    for parquet in [false, true] {
        let made = Made::new(&mut draw, None, 2500);
        score(
            &made,
            &described(&made.written(dir.path(), parquet)),
            &mut scores,
        );
    }
    told(&scores);
    for kind in by_value {
        let [guessed, right, all] = scores[&kind];
        assert_eq!((right, guessed), (all, all), "{kind}");
    }
}

fn told(scores: &BTreeMap<Kind, [u32; 3]>) -> [u32; 3] {
    let mut sum = [0; 3];
    for (kind, [guessed, right, all]) in scores {
        println!("{kind}: {right} right of {guessed} guessed, {all} there are");
        sum = [sum[0] + guessed, sum[1] + right, sum[2] + all];
    }
    println!(
        "all: {} right of {} guessed, {} there are",
        sum[1], sum[0], sum[2]
    );
    sum
}

#[test]
fn random_codes_of_eighteen_digits_are_no_identity_numbers() {
    let mut draw = Draw::new(3);
    let random: Vec<String> = (0..3000).map(|_| draw.digits(18)).collect();
    // An area, a day and a number as in an identity number, but for the check digit.
    let unlawful = (0..3000).map(|_| {
        let id = draw.resident_id();
        let check = if id.ends_with('7') { '8' } else { '7' };
        id.chars().take(17).chain([check]).collect()
    });
    for values in [random, unlawful.collect()] {
        let item = column("代号", values.clone());
        assert_eq!(
            (item.kind, item.grade),
            (Kind::SubjectId, Some(Grade::Three))
        );
        // A name that says so is believed, and that the values do not bear it out is told.
        let item = column("身份证号", values);
        assert_eq!(
            (item.kind, item.grade),
            (Kind::ResidentId, Some(Grade::Three))
        );
        assert!(
            !item
                .basis
                .iter()
                .any(|basis| basis.to_string().contains("right check digit"))
        );
    }
}

#[test]
fn where_name_and_values_disagree_the_more_sensitive_is_taken_and_both_are_told() {
    let mut draw = Draw::new(5);
    let ids: Vec<String> = (0..500).map(|_| draw.resident_id()).collect();
    let phones: Vec<String> = (0..500).map(|_| draw.phone()).collect();
    let disagree = |item: &crate::Described, name, values| {
        assert!(
            item.basis.contains(&Basis::Disagree { name, values }),
            "{:?}",
            item.basis
        );
    };
    let item = column("状态", ids.clone());
    assert_eq!(
        (item.kind, item.grade),
        (Kind::ResidentId, Some(Grade::Three))
    );
    disagree(&item, Kind::Code, Kind::ResidentId);
    let item = column("手机号", ids);
    assert_eq!(
        (item.kind, item.grade),
        (Kind::ResidentId, Some(Grade::Three))
    );
    let item = column("证件号码", phones);
    assert_eq!(
        (item.kind, item.grade),
        (Kind::ResidentId, Some(Grade::Three))
    );
    disagree(&item, Kind::ResidentId, Kind::Phone);
    // Kinds of the same grade: what identifies somebody.
    let names = (0..500).map(|_| draw.person_name()).collect();
    assert_eq!(column("类型", names).kind, Kind::PersonName);
}

#[test]
fn what_nothing_tells_stays_unknown_and_ungraded() {
    let mut draw = Draw::new(9);
    let item = column(
        "甲乙",
        (0..500).map(|n| (n * 37 % 9001).to_string()).collect(),
    );
    assert_eq!(
        (item.kind, item.grade, item.mask),
        (Kind::Other, None, None)
    );
    assert!(item.basis.contains(&Basis::Unknown));
    let item = column("甲乙", vec![String::new(); 20]);
    assert_eq!((item.kind, item.grade), (Kind::Other, None));
    assert!(item.basis.contains(&Basis::Empty));
    let made = Made::new(&mut draw, None, 500);
    let dir = tempfile::tempdir().unwrap();
    for item in described(&made.written(dir.path(), false)).items {
        assert_ne!(item.grade, Some(Grade::One), "{}", item.name);
    }
}

#[test]
fn identity_numbers_within_texts_raise_the_grade() {
    let mut draw = Draw::new(13);
    let texts = |draw: &mut Draw| -> Vec<String> {
        let text = |n: u32, draw: &mut Draw| match n % 20 {
            0 => format!("补交材料，证件 {} 待核", draw.resident_id()),
            _ => format!("第 {n} 次回访，情况正常，无需处理"),
        };
        (0..600).map(|n| text(n, draw)).collect()
    };
    let item = column("类别", texts(&mut draw));
    assert!(item.grade >= Some(Grade::Three), "{item:?}");
    assert!(
        item.basis
            .iter()
            .any(|basis| matches!(basis, Basis::Within { .. }))
    );
    let item = column("甲乙", texts(&mut draw));
    assert_eq!(
        (item.kind, item.grade),
        (Kind::FreeText, Some(Grade::Three))
    );
}

#[test]
fn no_value_stands_in_a_draft_or_an_error() {
    let mut draw = Draw::new(17);
    let dir = tempfile::tempdir().unwrap();
    for (names, parquet) in [(Some(0), false), (None, true)] {
        let made = Made::new(&mut draw, names, 800);
        let entry = described(&made.written(dir.path(), parquet));
        let text = draft(&entry, &Elements::default(), "data");
        for values in &made.values {
            let long = values.iter().filter(|value| value.chars().count() >= 2);
            for value in
                long.filter(|value| !value.bytes().all(|b| b.is_ascii_digit()) || value.len() > 4)
            {
                assert!(!text.contains(value.as_str()), "{value} stands in\n{text}");
            }
        }
        // Without a line of names the first row stands where they should be.
        let path = table::csv(dir.path(), &made.columns());
        let whole = std::fs::read_to_string(&path).unwrap();
        let (_, rows) = whole.split_once('\n').unwrap();
        std::fs::write(&path, rows).unwrap();
        let looked_at = sample(&path, 1000, &mut |_| ()).unwrap();
        let told = with_masks(|masks| describe(&looked_at, masks)).unwrap_err();
        assert!(matches!(told, Undescribable::NoNames(_)), "{told}");
        for value in rows
            .lines()
            .next()
            .unwrap()
            .split(',')
            .filter(|v| v.chars().count() >= 3)
        {
            assert!(!told.to_string().contains(value), "{told}");
        }
    }
    let looked_at = of_bad_names(dir.path());
    let told = with_masks(|masks| describe(&looked_at, masks)).unwrap_err();
    assert_eq!(told.to_string().split(':').next(), Some("column 2, 3"));
}

/// A first line of short words is data where they are among the values; two columns of one name are told
/// by their places.
#[test]
fn a_first_line_of_values_is_not_taken_for_names() {
    let dir = tempfile::tempdir().unwrap();
    let told = |text: &str| {
        let path = dir.path().join("words.csv");
        std::fs::write(&path, text).unwrap();
        let looked_at = sample(&path, 100, &mut |_| ()).unwrap();
        with_masks(|masks| describe(&looked_at, masks)).unwrap_err()
    };
    let words = told(&"男,已婚,已婚\n女,未婚,已婚\n".repeat(30));
    assert!(matches!(words, Undescribable::NoNames(_)), "{words}");
    assert!(!words.to_string().contains('婚'), "{words}");
    let twice = told("性别,婚姻,婚姻\n男,已婚,已婚\n");
    assert_eq!(twice.to_string().split(':').next(), Some("column 3"));
}

fn of_bad_names(dir: &Path) -> vault::Sample {
    let values = vec!["x".to_owned()];
    let columns = [
        ("a", values.clone()),
        ("b c", values.clone()),
        ("d.e", values),
    ];
    sample(&table::csv(dir, &columns), 10, &mut |_| ()).unwrap()
}

#[test]
fn every_mask_of_a_draft_is_one_the_table_permits() {
    let mut draw = Draw::new(19);
    let dir = tempfile::tempdir().unwrap();
    for parquet in [false, true] {
        let made = Made::new(&mut draw, Some(0), 600);
        let entry = described(&made.written(dir.path(), parquet));
        assert_eq!(entry.items.len(), KINDS.len());
        for described in entry.items {
            let Some(grade) = described.grade else {
                continue;
            };
            let item = Item {
                mask: described.mask,
                ..Item::new(described.name, described.kind, grade)
            };
            assert!(described.mask.is_some(), "{}", item.name);
            with_masks(|masks| masks.judge(&item)).unwrap();
        }
    }
}

#[test]
fn amounts_of_people_are_graded_higher_than_those_of_nobody() {
    let mut draw = Draw::new(23);
    let amounts: Vec<String> = (0..300).map(|_| draw.amount()).collect();
    let phones: Vec<String> = (0..300).map(|_| draw.phone()).collect();
    let entry = of_columns(&[("产值", amounts.clone())]);
    assert_eq!(
        (entry.items[0].grade, entry.subject),
        (Some(Grade::Two), None)
    );
    let entry = of_columns(&[("月缴额", amounts), ("手机号", phones)]);
    assert_eq!(entry.items[0].grade, Some(Grade::Three));
}
