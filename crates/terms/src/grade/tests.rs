use super::*;

#[test]
fn a_grade_is_written_as_its_number_and_read_back() {
    for (grade, number) in Grade::ALL.into_iter().zip(1_u8..) {
        assert_eq!(grade.number(), number);
        assert_eq!(u8::from(grade), number);
        assert_eq!(Grade::try_from(number).unwrap(), grade);
        assert_eq!(grade.to_string(), number.to_string());
        assert_eq!(serde_json::to_string(&grade).unwrap(), number.to_string());
    }
}

#[test]
fn there_are_no_other_grades() {
    for number in (0..=u8::MAX).filter(|n| !(1..=4).contains(n)) {
        let error = Grade::try_from(number).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("`{number}` is no grade: 1, 2, 3 or 4 (CG-6.2)")
        );
    }
    for json in ["0", "5", "-1", "257", "1.0", "\"1\"", "null", "\"one\""] {
        assert!(serde_json::from_str::<Grade>(json).is_err(), "{json}");
    }
}

#[test]
fn grades_are_ordered_by_how_sensitive_they_are() {
    assert!(Grade::ALL.is_sorted());
    assert!(Grade::Four > Grade::Three && Grade::Two > Grade::One);
}

/// Source: CG-A, the six rows of Appendix A.
#[test]
fn appendix_a_allows_six_combinations_and_no_other() {
    let sharings = [
        Sharing::Unconditional,
        Sharing::Conditional,
        Sharing::NotShared,
    ];
    let openings = [
        Opening::Unconditional,
        Opening::Conditional,
        Opening::NotOpened,
    ];
    let mut allowed = Vec::new();
    for grade in Grade::ALL {
        for sharing in sharings {
            for opening in openings {
                if grade.allows(sharing, opening) {
                    allowed.push((grade, sharing, opening));
                }
            }
        }
    }
    assert_eq!(
        allowed,
        [
            (Grade::One, Sharing::Unconditional, Opening::Unconditional),
            (Grade::Two, Sharing::Unconditional, Opening::Conditional),
            (Grade::Two, Sharing::Unconditional, Opening::NotOpened),
            (Grade::Two, Sharing::Conditional, Opening::Conditional),
            (Grade::Three, Sharing::Conditional, Opening::NotOpened),
            (Grade::Four, Sharing::NotShared, Opening::NotOpened),
        ]
    );
}

#[test]
fn the_defaults_of_a_grade_are_allowed_by_appendix_a() {
    for grade in Grade::ALL {
        assert!(
            grade.allows(grade.default_sharing(), grade.default_opening()),
            "{grade}"
        );
    }
}
