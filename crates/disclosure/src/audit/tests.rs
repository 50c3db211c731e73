use super::*;

fn set(rows: &[u32]) -> RoaringBitmap {
    rows.iter().copied().collect()
}

fn range(from: u32, to: u32) -> RoaringBitmap {
    (from..to).collect()
}

/// Each row is its own subject.
fn own(row: u32) -> Option<u32> {
    Some(row)
}

fn judged(cells: &[RoaringBitmap], k: u32) -> Result<(), Conflict> {
    let mut audit = Audit::default();
    cells.iter().for_each(|cell| audit.enter(cell));
    audit.holds(k, &own, &Limits::default())
}

#[test]
fn a_group_and_its_total_name_the_rest() {
    assert_eq!(judged(&[range(0, 20)], 5), Ok(()));
    assert_eq!(judged(&[range(0, 20), range(0, 15)], 5), Ok(()));
    assert_eq!(
        judged(&[range(0, 20), range(0, 17)], 5),
        Err(Conflict::Isolates { subjects: 3 })
    );
}

#[test]
fn a_small_cell_alone_is_a_conflict() {
    assert_eq!(
        judged(&[range(0, 4)], 5),
        Err(Conflict::Isolates { subjects: 4 })
    );
}

#[test]
fn differences_over_three_cells_are_found() {
    // (a ∪ t) + (b ∪ t) − (a ∪ b) = 2 t
    let (a, b, t) = (range(0, 10), range(10, 20), set(&[30]));
    let cells = [&a | &t, &b | &t, &a | &b];
    assert_eq!(judged(&cells[..2], 5), Ok(()));
    assert_eq!(judged(&cells, 5), Err(Conflict::Isolates { subjects: 1 }));
}

#[test]
fn overlap_alone_is_no_conflict() {
    // Two cells that differ in few rows on each side: the difference mixes them, and only that.
    let core = range(0, 20);
    let (one, other) = (&core | &set(&[100, 101, 102]), &core | &set(&[200, 201]));
    assert_eq!(judged(&[one.clone(), other.clone()], 5), Ok(()));
    assert_eq!(
        judged(&[one, other], 6),
        Err(Conflict::Isolates { subjects: 5 })
    );
}

#[test]
fn rows_of_one_subject_are_one() {
    // Thirty visits of two patients.
    let mut audit = Audit::default();
    audit.enter(&range(0, 100));
    audit.enter(&range(0, 70));
    let subject = |row: u32| Some(if row < 70 { row } else { 1000 + row % 2 });
    assert_eq!(
        audit.holds(5, &subject, &Limits::default()),
        Err(Conflict::Isolates { subjects: 2 })
    );
}

#[test]
fn two_small_atoms_that_only_come_together_are_one_group() {
    // Atoms of 3 and 4 named together (7), then told apart with large ones: still only 7.
    let (three, four, one, other) = (range(0, 3), range(3, 7), range(10, 30), range(30, 60));
    let all = &(&(&three | &four) | &one) | &other;
    let cells = [&one | &other, all, &three | &one, &four | &other];
    assert_eq!(judged(&cells, 5), Ok(()));
    assert!(judged(&cells, 8).is_err());
    let told = [cells.as_slice(), &[one]].concat();
    assert!(judged(&told, 5).is_err());
}

#[test]
fn what_was_released_before_is_no_news() {
    let mut audit = Audit::default();
    audit.enter(&range(0, 10));
    assert!(audit.knows(&range(0, 10)) && !audit.knows(&range(0, 11)));
    audit.enter(&range(0, 10));
    assert_eq!(audit.len(), 1);
}

#[test]
fn a_grouping_of_many_cells_and_its_total_are_audited_quickly() {
    let cells: Vec<RoaringBitmap> = (0..5_000).map(|n| range(n * 10, n * 10 + 10)).collect();
    let total = range(0, 50_000);
    assert_eq!(
        judged(
            &[cells.as_slice(), std::slice::from_ref(&total)].concat(),
            5
        ),
        Ok(())
    );
    let short = &cells[..4_999];
    assert_eq!(
        judged(&[short, &[total]].concat(), 5),
        Ok(()),
        "the rest is 10"
    );
}

#[test]
fn past_its_limits_it_says_so() {
    let mut audit = Audit::default();
    (0..30).for_each(|n| audit.enter(&range(n, n + 20)));
    let limits = Limits {
        cells_max: 10,
        ..Limits::default()
    };
    assert_eq!(audit.holds(5, &own, &limits), Err(Conflict::TooLarge));
    let limits = Limits {
        steps_max: 3,
        ..Limits::default()
    };
    assert!(audit.holds(5, &own, &limits).is_err());
}

/// All combinations with small whole coefficients, the plainest attacker there is.
fn attacked(cells: &[Vec<bool>], rows: usize) -> Option<usize> {
    let mut smallest: Option<usize> = None;
    let ways = 5usize.pow(u32::try_from(cells.len()).unwrap());
    for mut way in 1..ways {
        let mut sums = vec![0i64; rows];
        for cell in cells {
            let factor = i64::try_from(way % 5).unwrap() - 2;
            way /= 5;
            for (sum, inside) in sums.iter_mut().zip(cell) {
                *sum += factor * i64::from(*inside);
            }
        }
        let named = sums.iter().filter(|sum| **sum != 0).count();
        if named > 0 {
            smallest = Some(smallest.map_or(named, |least| least.min(named)));
        }
    }
    smallest
}

proptest::proptest! {
    /// Whatever an attacker finds with coefficients from −2 to 2, the audit finds.
    #[test]
    fn no_small_combination_is_missed(
        cells in proptest::collection::vec(proptest::collection::vec(proptest::bool::ANY, 9), 1..6),
        k in 2u32..6,
    ) {
        let sets: Vec<RoaringBitmap> = cells.iter()
            .map(|cell| (0u32..).zip(cell).filter(|(_, inside)| **inside).map(|(row, _)| row).collect())
            .collect();
        let found = judged(&sets, k).is_err();
        if let Some(smallest) = attacked(&cells, 9) {
            let k = usize::try_from(k).unwrap();
            proptest::prop_assert!(found || smallest >= k, "{smallest} named, k {k}");
        }
    }
}
