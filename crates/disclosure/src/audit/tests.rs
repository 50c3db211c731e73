use super::*;

fn set(rows: &[u32]) -> RoaringBitmap {
    rows.iter().copied().collect()
}

fn range(from: u32, to: u32) -> RoaringBitmap {
    (from..to).collect()
}

fn bytes(cell: &RoaringBitmap) -> Vec<u8> {
    let mut bytes = Vec::new();
    wire::write_bitmap(cell, &mut bytes);
    bytes
}

fn enter(audit: &mut Audit, cell: &RoaringBitmap) {
    audit.enter(&bytes(cell)).unwrap();
}

/// Each row is its own subject.
fn own(row: u32) -> Option<u32> {
    Some(row)
}

fn judged(cells: &[RoaringBitmap], k: u32) -> Result<(), Conflict> {
    let mut audit = Audit::default();
    cells.iter().for_each(|cell| enter(&mut audit, cell));
    audit.holds((k, 1.0), &own, &Limits::default())
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
    enter(&mut audit, &range(0, 100));
    enter(&mut audit, &range(0, 70));
    let subject = |row: u32| Some(if row < 70 { row } else { 1000 + row % 2 });
    assert_eq!(
        audit.holds((5, 1.0), &subject, &Limits::default()),
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
    enter(&mut audit, &range(0, 10));
    let knows = |cell| audit.knows(&bytes(&cell));
    assert!(knows(range(0, 10)) && !knows(range(0, 11)));
    enter(&mut audit, &range(0, 10));
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
    (0..30).for_each(|n| enter(&mut audit, &range(n, n + 20)));
    let limits = Limits {
        cells_max: 10,
        ..Limits::default()
    };
    assert_eq!(
        audit.holds((5, 1.0), &own, &limits),
        Err(Conflict::TooLarge)
    );
    let limits = Limits {
        steps_max: 3,
        ..Limits::default()
    };
    assert!(audit.holds((5, 1.0), &own, &limits).is_err());
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

/// How much of each row's value is explained, by the textbook: the diagonal of the projection on the
/// space of the cells, by Gaussian elimination over the cells' products.
fn leverage(cells: &[RoaringBitmap], rows: u32) -> Vec<f64> {
    let shared = |one: &RoaringBitmap, other: &RoaringBitmap| (one & other).len() as f64;
    (0..rows)
        .map(|row| {
            let n = cells.len();
            let mut m: Vec<Vec<f64>> = cells
                .iter()
                .map(|one| {
                    let mut line: Vec<f64> = cells.iter().map(|other| shared(one, other)).collect();
                    line.push(f64::from(u8::from(one.contains(row))));
                    line
                })
                .collect();
            let mut pivots = Vec::new();
            for column in 0..n {
                let free = (0..n).filter(|line| !pivots.iter().any(|(l, _)| l == line));
                let Some(line) =
                    free.max_by(|a, b| m[*a][column].abs().total_cmp(&m[*b][column].abs()))
                else {
                    break;
                };
                if m[line][column].abs() < 1e-9 {
                    continue;
                }
                pivots.push((line, column));
                for other in (0..n).filter(|other| *other != line) {
                    let factor = m[other][column] / m[line][column];
                    let taken = m[line].clone();
                    for (value, taken) in m[other].iter_mut().zip(taken) {
                        *value -= factor * taken;
                    }
                }
            }
            pivots
                .iter()
                .filter(|(_, column)| cells[*column].contains(row))
                .map(|(line, column)| m[*line][n] / m[*line][*column])
                .sum()
        })
        .collect()
}

proptest::proptest! {
    #[test]
    fn what_is_explained_is_the_leverage(
        cells in proptest::collection::vec(proptest::collection::btree_set(0u32..30, 1..25), 1..14),
    ) {
        let cells: Vec<RoaringBitmap> = cells.iter().map(|c| c.iter().copied().collect()).collect();
        let mut audit = Audit::of_values();
        cells.iter().for_each(|cell| enter(&mut audit, cell));
        let wanted = leverage(&cells, 30);
        for atom in &audit.atoms {
            for row in &atom.rows {
                let wanted = wanted[usize::try_from(row).unwrap()];
                proptest::prop_assert!((atom.explained - wanted).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn averaging_many_overlapping_sums_is_a_conflict() {
    // One person among ever other crowds: no combination names few, yet their mean comes close.
    let mut audit = Audit::of_values();
    let mut seed = 1u64;
    let mut stopped = None;
    for asked in 0..200u32 {
        let mut cell: RoaringBitmap = set(&[0]);
        for row in 1..400u32 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            if seed >> 63 == 1 {
                cell.insert(row);
            }
        }
        if asked % 2 == 1 {
            cell.remove(0);
        }
        enter(&mut audit, &cell);
        let small: HashMap<u32, HashSet<u32>> = (0..)
            .zip(&audit.atoms)
            .filter_map(|(at, atom)| Some((at, fewer_than(10, &atom.rows, &own)?)))
            .collect();
        if audit.explains(&small, 0.5, &own).is_err() {
            stopped = Some(asked);
            break;
        }
    }
    let stopped = stopped.unwrap();
    assert!((20..200).contains(&stopped), "{stopped}");
}

#[test]
fn what_names_enough_people_may_still_explain_one_of_them() {
    // t with each of ten crowds, and all the crowds with two others: together 10 t − u − v, which
    // names three people and says of t nearly all.
    let crowds: Vec<RoaringBitmap> = (1..11).map(|n| range(n * 10, n * 10 + 10)).collect();
    let mut audit = Audit::of_values();
    crowds
        .iter()
        .for_each(|crowd| enter(&mut audit, &(crowd | &set(&[0]))));
    let all = crowds.iter().fold(set(&[1, 2]), |all, crowd| all | crowd);
    enter(&mut audit, &all);
    assert_eq!(audit.holds((3, 1.0), &own, &Limits::default()), Ok(()));
    let conflict = Err(Conflict::Explains { percent: 99 });
    assert_eq!(audit.holds((3, 0.5), &own, &Limits::default()), conflict);
}

#[test]
fn margins_of_a_table_explain_little() {
    // 4,000 people by 20 districts, 8 ages and 2 sexes, each alone and by pairs.
    let by = |key: &dyn Fn(u32) -> u32| {
        let mut cells: BTreeMap<u32, RoaringBitmap> = BTreeMap::new();
        for row in 0..4000u32 {
            cells
                .entry(key(row.wrapping_mul(2_654_435_761) >> 7))
                .or_default()
                .insert(row);
        }
        cells.into_values().collect::<Vec<_>>()
    };
    let (district, age, sex) = (|n| n % 20, |n| n / 20 % 8, |n| n / 160 % 2);
    let mut audit = Audit::of_values();
    let tables = [
        by(&district),
        by(&age),
        by(&sex),
        by(&|n| district(n) * 100 + age(n)),
        by(&|n| district(n) * 100 + sex(n)),
        by(&|n| age(n) * 100 + sex(n)),
    ];
    tables
        .iter()
        .flatten()
        .for_each(|cell| enter(&mut audit, cell));
    assert_eq!(audit.holds((10, 0.5), &own, &Limits::default()), Ok(()));
    let most = audit
        .atoms
        .iter()
        .map(|atom| atom.explained)
        .fold(0.0, f64::max);
    assert!(most < 0.1, "{most}");
}
