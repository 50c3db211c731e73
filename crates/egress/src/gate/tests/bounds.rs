//! Where a rule begins and ends: to the row, the byte and the percent.

use super::*;

fn texts(texts: &[&str]) -> RecordBatch {
    batch(vec![Arc::new(StringArray::from(texts.to_vec()))])
}

fn of_texts(bytes_max: u64) -> Gate {
    let caps = Obligations {
        rows_max: 10,
        result_bytes_max: bytes_max,
    };
    Gate::new(
        schema(&[DataType::Utf8]),
        (vec![], Sensitive::default()),
        caps,
    )
    .unwrap()
}

/// (2, n)-dominance never holds here, so that the p-ratio decides alone.
#[test]
fn what_is_left_without_two_is_measured_against_the_largest() {
    let check = |rest_percent| Check {
        dominance: Some(Dominance {
            share_percent: 100,
            rest_percent,
        }),
        ..K
    };
    let sums = |x1, x2, total| {
        let rows = Some(9);
        (rows, rows, rows, Some(x1), Some(x2), Some(total))
    };
    assert!(passes(check(10), &[sums(100.0, 40.0, 150.0)]));
    assert!(!passes(check(10), &[sums(100.0, 40.0, 149.0)]));
    assert!(passes(check(10), &[sums(8.0, 4.0, 13.0)]));
    assert!(passes(check(50), &[sums(8.0, 4.0, 16.0)]));
    assert!(!passes(check(50), &[sums(8.0, 4.0, 15.0)]));
    assert!(!passes(check(0), &[sums(8.0, 4.0, 12.0)]), "two hold all");
}

#[test]
fn what_a_check_does_not_ask_for_need_not_be_there() {
    let nothing_but_subjects = (Some(5), None, None, None, None, None);
    assert!(passes(K, &[nothing_but_subjects]));
    let freedom = Check { freedom: 1, ..K };
    assert!(!passes(freedom, &[nothing_but_subjects]));
    let two = (Some(5), Some(2), Some(2), None, None, None);
    assert!(passes(freedom, &[two]));
}

#[test]
fn an_empty_result_has_no_batch() {
    let mut gate = of_texts(1000);
    assert!(all(&mut gate).is_empty());
    gate.push(&texts(&[])).unwrap();
    assert!(all(&mut gate).is_empty());
    assert_eq!((gate.passed().rows, gate.passed().bytes), (0, 0));
}

#[test]
fn bytes_are_counted_to_the_last_and_the_cap_may_be_reached() {
    // Two texts: three offsets of four bytes and three bytes of text.
    let close = |bytes_max| {
        let mut gate = of_texts(bytes_max);
        gate.push(&texts(&["a", "bc"])).unwrap();
        gate.close().map(|()| gate.passed())
    };
    let passed = close(15).unwrap();
    assert_eq!((passed.rows, passed.bytes), (2, 15));
    assert!(matches!(
        close(14),
        Err(Withheld::TooManyBytes { bytes_max: 14 })
    ));
}

#[test]
fn bytes_of_all_batches_are_capped_together() {
    let mebi = "x".repeat(1 << 20);
    let mut gate = of_texts(2 << 20);
    gate.push(&texts(&[&mebi])).unwrap();
    assert!(matches!(
        gate.push(&texts(&[&mebi])),
        Err(Withheld::TooManyBytes { .. })
    ));
}

#[test]
fn a_batch_leaves_when_its_texts_reach_a_mebibyte() {
    let (half, less) = ("x".repeat(1 << 19), "x".repeat((1 << 19) - 1));
    let cut = |rows: &[&str]| {
        let mut gate = of_texts(8 << 20);
        gate.push(&texts(rows)).unwrap();
        let left = all(&mut gate);
        left.iter().map(RecordBatch::num_rows).collect::<Vec<_>>()
    };
    assert_eq!(cut(&[&half, &half, "a"]), [2, 1]);
    assert_eq!(cut(&[&half, &less, "a", "b"]), [3, 1]);
}

#[test]
fn what_is_no_number_leaves_as_one_bit_pattern() {
    let hidden = f64::from_bits(0x7ff8_dead_beef_0001);
    let arrived = batch(vec![Arc::new(Float64Array::from(vec![hidden, 1.5]))]);
    let mut gate = gate(&[DataType::Float64], &[]);
    gate.push(&arrived).unwrap();
    let left = all(&mut gate);
    let floats = left[0].column(0).as_any().downcast_ref::<Float64Array>();
    let bits: Vec<u64> = floats
        .unwrap()
        .values()
        .iter()
        .map(|f| f.to_bits())
        .collect();
    assert_eq!(bits, [f64::NAN.to_bits(), 1.5_f64.to_bits()]);
}

#[test]
fn a_decimal_with_more_digits_than_its_type_is_withheld() {
    let close = |unscaled: i128| {
        let array = Decimal128Array::from(vec![unscaled]);
        let array = array.with_precision_and_scale(4, 2).unwrap();
        let mut gate = gate(&[DataType::Decimal128(4, 2)], &[]);
        gate.push(&batch(vec![Arc::new(array)])).unwrap();
        gate.close()
    };
    assert!(close(9999).is_ok());
    assert!(matches!(close(10_000), Err(Withheld::Misshapen)));
}
