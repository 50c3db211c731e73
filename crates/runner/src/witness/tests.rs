use super::*;
use arrow::datatypes::{Float64Type, Int64Type};
use std::collections::{BTreeMap, BTreeSet};

/// What a witness must say, computed in the plainest way.
fn naive(rows: &[(Option<i64>, i64, Option<f64>)]) -> (i64, i64, i64, [f64; 5]) {
    let counted: Vec<_> = rows
        .iter()
        .filter_map(|(s, r, v)| Some(((*s)?, *r, *v)))
        .collect();
    let subjects: BTreeSet<i64> = counted.iter().map(|(s, ..)| *s).collect();
    let distinct: BTreeSet<i64> = counted.iter().map(|(_, r, _)| *r).collect();
    let mut sums: BTreeMap<i64, f64> = BTreeMap::new();
    for (subject, _, value) in &counted {
        if let Some(value) = value {
            *sums.entry(*subject).or_default() += value;
        }
    }
    let mut sizes: Vec<f64> = sums.values().map(|v| v.abs()).collect();
    sizes.sort_by(|a, b| b.total_cmp(a));
    let at = |n: usize| sizes.get(n).copied().unwrap_or(0.0);
    let low = sums.values().copied().reduce(f64::min).unwrap_or(0.0);
    let high = sums.values().copied().reduce(f64::max).unwrap_or(0.0);
    let counts = (
        subjects.len() as i64,
        counted.len() as i64,
        distinct.len() as i64,
    );
    (
        counts.0,
        counts.1,
        counts.2,
        [at(0), at(1), sizes.iter().sum(), low, high],
    )
}

fn columns(rows: &[(Option<i64>, i64, Option<f64>)]) -> Vec<ArrayRef> {
    vec![
        Arc::new(rows.iter().map(|(s, ..)| *s).collect::<Int64Array>()),
        Arc::new(
            rows.iter()
                .map(|(_, r, _)| Some(*r))
                .collect::<Int64Array>(),
        ),
        Arc::new(rows.iter().map(|(.., v)| *v).collect::<Float64Array>()),
    ]
}

fn said(whole: &StructArray, group: usize) -> (i64, i64, i64, [f64; 5]) {
    let count = |at: usize| whole.column(at).as_primitive::<Int64Type>().value(group);
    let sum = |at: usize| whole.column(at).as_primitive::<Float64Type>().value(group);
    (
        count(0),
        count(1),
        count(2),
        [sum(3), sum(4), sum(5), sum(6), sum(7)],
    )
}

proptest::proptest! {
    /// Split over batches, partitions and groups in any way, it says what the plain computation says.
    #[test]
    fn it_is_the_plain_computation(
        rows in proptest::collection::vec(
            (0usize..3, proptest::option::of(0i64..9), 0i64..30, proptest::option::of(-50i32..50)),
            0..80,
        ),
        cut in 0usize..80,
    ) {
        let rows: Vec<_> = rows.into_iter()
            .map(|(g, s, r, v)| (g, (s, r, v.map(f64::from))))
            .collect();
        let cut = cut.min(rows.len());
        let (first, second) = rows.split_at(cut);
        let mut whole = Tallies::new(Of::Rows);
        for part in [first, second] {
            let mut tallies = Tallies::new(Of::Rows);
            let groups: Vec<usize> = part.iter().map(|(g, _)| *g).collect();
            let values: Vec<_> = part.iter().map(|(_, row)| *row).collect();
            tallies.update_batch(&columns(&values), &groups, None, 3).unwrap();
            let states = tallies.state(EmitTo::All).unwrap();
            whole.merge_batch(&states, &[0, 1, 2], 3).unwrap();
        }
        let told = whole.evaluate(EmitTo::All).unwrap();
        let told = told.as_struct();
        for group in 0..3 {
            let values: Vec<_> = rows.iter().filter(|(g, _)| *g == group).map(|(_, row)| *row).collect();
            let (wanted, got) = (naive(&values), said(told, group));
            proptest::prop_assert_eq!((wanted.0, wanted.1, wanted.2), (got.0, got.1, got.2));
            for (wanted, got) in wanted.3.iter().zip(got.3) {
                proptest::prop_assert!((wanted - got).abs() < 1e-9);
            }
        }
    }
}

#[test]
fn a_filter_and_the_alone_form_agree_with_groups() {
    let rows = [
        (Some(1), 1, Some(2.0)),
        (Some(2), 2, Some(3.0)),
        (None, 3, Some(9.0)),
    ];
    let filter = BooleanArray::from(vec![Some(true), None, Some(true)]);
    let mut groups = Tallies::new(Of::Rows);
    groups
        .update_batch(&columns(&rows), &[0, 0, 0], Some(&filter), 1)
        .unwrap();
    assert_eq!(
        said(groups.evaluate(EmitTo::All).unwrap().as_struct(), 0).0,
        1
    );
    let mut tallies = Tallies::new(Of::Rows);
    tallies.grow(1);
    let mut alone = Alone(tallies);
    alone.update_batch(&columns(&rows)).unwrap();
    let ScalarValue::Struct(whole) = alone.evaluate().unwrap() else {
        panic!("no struct")
    };
    assert_eq!(said(&whole, 0).0, 2);
}

#[test]
fn a_union_counts_each_row_and_subject_once() {
    let mut groups = Tallies::new(Of::Rows);
    let rows = [
        (Some(1), 1, None),
        (Some(2), 2, None),
        (Some(2), 2, None),
        (Some(3), 9, None),
    ];
    groups
        .update_batch(&columns(&rows), &[0, 0, 1, 1], None, 2)
        .unwrap();
    let both = groups.evaluate(EmitTo::All).unwrap();
    let mut union = Tallies::new(Of::Witnesses);
    union.update_batch(&[both], &[0, 0], None, 1).unwrap();
    let told = union.evaluate(EmitTo::All).unwrap();
    let told = told.as_struct();
    let (subjects, _, distinct, _) = said(told, 0);
    assert_eq!((subjects, distinct), (3, 3));
    let set = told
        .column_by_name("row_set")
        .unwrap()
        .as_binary::<i32>()
        .value(0);
    let set = read_row_set(set).unwrap();
    assert_eq!(set.iter().collect::<Vec<_>>(), vec![1, 2, 9]);
}

#[test]
fn a_negative_or_huge_number_is_an_error_not_a_wrap() {
    let mut groups = Tallies::new(Of::Rows);
    for wrong in [-1, i64::from(u32::MAX) + 1] {
        assert!(
            groups
                .update_batch(&columns(&[(Some(wrong), 0, None)]), &[0], None, 1)
                .is_err()
        );
        assert!(
            groups
                .update_batch(&columns(&[(Some(0), wrong, None)]), &[0], None, 1)
                .is_err()
        );
    }
}
