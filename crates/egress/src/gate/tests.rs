use super::*;
use crate::sensitive::Sensitive;
use arrow::{
    array::{
        Array, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, StringArray,
        StructArray, TimestampMicrosecondArray,
    },
    buffer::NullBuffer,
    datatypes::{DataType, Field, Fields, Schema, TimeUnit},
};
use plan::{Dominance, WITNESS_FIELDS};
use proptest::prelude::*;
use std::sync::Arc;

mod bounds; // to the row, the byte and the percent

const CAPS: Obligations = Obligations {
    rows_max: 100_000,
    result_bytes_max: 64 << 20,
};
const K: Check = Check::of(5);
const SHARES: Option<Dominance> = Some(Dominance {
    share_percent: 90,
    rest_percent: 10,
});

fn schema(types: &[DataType]) -> SchemaRef {
    let field = |(ordinal, data_type): (usize, &DataType)| {
        Field::new(format!("字段{ordinal}"), data_type.clone(), true)
    };
    Arc::new(Schema::new(
        types.iter().enumerate().map(field).collect::<Fields>(),
    ))
}

/// A batch as a runner sends it, of columns named by ordinal.
fn batch(columns: Vec<ArrayRef>) -> RecordBatch {
    let names = (0..).map(|ordinal: usize| format!("c{ordinal}"));
    RecordBatch::try_from_iter(names.zip(columns)).unwrap()
}

fn gate(types: &[DataType], checks: &[Check]) -> Gate {
    Gate::new(schema(types), (checks.to_vec(), Sensitive::default()), CAPS).unwrap()
}

fn all(gate: &mut Gate) -> Vec<RecordBatch> {
    gate.close().unwrap();
    std::iter::from_fn(|| gate.take()).collect()
}

/// One row of a witness: subjects, rows, distinct rows, x1, x2, total.
type Proof = (
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<f64>,
    Option<f64>,
    Option<f64>,
);

fn proof(subjects: i64) -> Proof {
    (
        Some(subjects),
        Some(subjects),
        Some(subjects),
        Some(10.0),
        Some(10.0),
        Some(1000.0),
    )
}

fn witness(rows: &[Proof], present: Option<Vec<bool>>) -> ArrayRef {
    let [s, r, d, x1, x2, t, low, high] = WITNESS_FIELDS;
    let counts = [s, r, d].map(|name| Field::new(name, DataType::Int64, true));
    let sums = [x1, x2, t, low, high].map(|name| Field::new(name, DataType::Float64, true));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| row.3).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.4).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.5).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.4).collect::<Float64Array>()),
        Arc::new(rows.iter().map(|row| row.3).collect::<Float64Array>()),
    ];
    let fields = counts.into_iter().chain(sums).collect();
    Arc::new(StructArray::new(
        fields,
        columns,
        present.map(NullBuffer::from),
    ))
}

fn passes(check: Check, rows: &[Proof]) -> bool {
    let values: ArrayRef = Arc::new(Int64Array::from(vec![1; rows.len()]));
    let mut gate = gate(&[DataType::Int64], &[check]);
    match gate.push(&batch(vec![values, witness(rows, None)])) {
        Ok(()) => true,
        Err(Withheld::Unproved) => {
            assert!(
                gate.filled == (0, 0),
                "no value of an unproved batch is taken in"
            );
            false
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_row_short_of_its_threshold_withholds_everything() {
    assert!(passes(K, &[proof(5), proof(6)]));
    assert!(!passes(K, &[proof(5), proof(4)]));
    assert!(!passes(K, &[(None, Some(9), Some(9), None, None, None)]));
    assert!(
        !passes(Check { k: 0, ..K }, &[proof(0)]),
        "nobody is never enough"
    );
}

#[test]
fn a_dominated_row_withholds_everything() {
    let check = Check {
        dominance: SHARES,
        ..K
    };
    let shares = |x1, x2, total| (Some(9), Some(9), Some(9), x1, x2, total);
    let sums = |x1, x2, total| shares(Some(x1), Some(x2), Some(total));
    assert!(passes(check, &[sums(10.0, 10.0, 100.0)]));
    assert!(passes(check, &[sums(0.0, 0.0, 0.0)]));
    assert!(!passes(check, &[sums(50.0, 40.0, 100.0)]), "two hold 90 %");
    assert!(
        !passes(check, &[sums(100.0, 1.0, 110.0)]),
        "the rest is under 10 % of the largest"
    );
    assert!(!passes(check, &[sums(f64::NAN, 1.0, 110.0)]));
    assert!(!passes(check, &[sums(1.0, 1.0, f64::INFINITY)]));
    assert!(!passes(check, &[sums(-1.0, 1.0, 110.0)]));
    assert!(!passes(check, &[shares(Some(1.0), Some(1.0), None)]));
    assert!(passes(K, &[shares(None, None, None)]), "not asked for");
}

#[test]
fn a_class_of_which_all_are_alike_is_withheld() {
    let check = Check { spread: true, ..K };
    let alike = |low, high| (Some(9), Some(9), Some(9), high, low, Some(90.0));
    assert!(passes(check, &[alike(Some(5.0), Some(10.0))]));
    assert!(!passes(check, &[alike(Some(10.0), Some(10.0))]));
    assert!(
        !passes(check, &[alike(Some(0.0), Some(0.0))]),
        "all have none"
    );
    assert!(!passes(check, &[alike(None, Some(1.0))]));
}

#[test]
fn a_deviation_of_few_rows_is_withheld() {
    let check = Check { freedom: 10, ..K };
    let rows = |n| (Some(9), Some(n), Some(n), None, None, None);
    assert!(passes(check, &[rows(11)]));
    assert!(!passes(check, &[rows(10)]));
}

#[test]
fn a_row_that_entered_twice_withholds_everything() {
    let check = Check { once: true, ..K };
    let counts = |rows, distinct| (Some(9), rows, distinct, None, None, None);
    assert!(passes(check, &[counts(Some(12), Some(12))]));
    assert!(!passes(check, &[counts(Some(12), Some(11))]));
    assert!(!passes(check, &[counts(None, None)]));
    assert!(passes(K, &[counts(Some(12), Some(11))]), "not asked for");
}

#[test]
fn a_witness_that_is_null_or_of_another_shape_proves_nothing() {
    let values = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let check = |owed: ArrayRef, check: Check| {
        gate(&[DataType::Int64], &[check])
            .push(&batch(vec![values(), owed]))
            .is_ok()
    };
    assert!(!check(witness(&[proof(9)], Some(vec![false])), K));
    let count = |subjects| Arc::new(Int64Array::from(vec![subjects])) as ArrayRef;
    assert!(check(count(Some(5)), K));
    assert!(!check(count(Some(4)), K));
    assert!(!check(count(None), K));
    assert!(!check(
        count(Some(9)),
        Check {
            dominance: SHARES,
            ..K
        }
    ));
    assert!(!check(count(Some(9)), Check { once: true, ..K }));
    assert!(!check(Arc::new(Float64Array::from(vec![9.0])), K));
}

#[test]
fn columns_that_were_not_pinned_are_withheld() {
    let one = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let misshapen = |checks: &[Check], columns| {
        let pushed = gate(&[DataType::Int64], checks).push(&batch(columns));
        matches!(pushed, Err(Withheld::Misshapen))
    };
    assert!(misshapen(&[], vec![one(), one()]), "one too many");
    assert!(misshapen(&[K], vec![one()]), "no witness");
    assert!(misshapen(
        &[],
        vec![Arc::new(Float64Array::from(vec![1.0]))]
    ));
    assert!(matches!(
        Gate::new(
            schema(&[DataType::Utf8View]),
            (vec![], Sensitive::default()),
            CAPS
        ),
        Err(Withheld::Misshapen)
    ));
}

#[test]
fn the_caps_refuse_instead_of_cutting_off() {
    let caps = Obligations {
        rows_max: 10,
        result_bytes_max: 100,
    };
    let types = [DataType::Utf8];
    let texts = |n: usize, text: &str| batch(vec![Arc::new(StringArray::from(vec![text; n]))]);
    let mut gate = Gate::new(schema(&types), (vec![], Sensitive::default()), caps).unwrap();
    gate.push(&texts(10, "a")).unwrap();
    assert!(matches!(
        gate.push(&texts(1, "a")),
        Err(Withheld::TooManyRows { rows_max: 10 })
    ));
    let mut gate = Gate::new(schema(&types), (vec![], Sensitive::default()), caps).unwrap();
    gate.push(&texts(10, "abcdefghij")).unwrap();
    assert!(matches!(
        gate.close(),
        Err(Withheld::TooManyBytes { bytes_max: 100 })
    ));
    assert!(gate.take().is_none());
}

#[test]
fn batches_are_cut_by_what_leaves_not_by_what_arrived() {
    let column = |from: i64, to: i64| batch(vec![Arc::new(Int64Array::from_iter_values(from..to))]);
    let cut = |ends: &[i64]| {
        let mut gate = gate(&[DataType::Int64], &[]);
        let mut start = 0;
        for end in ends {
            gate.push(&column(start, *end)).unwrap();
            start = *end;
        }
        let rows: Vec<_> = all(&mut gate).iter().map(RecordBatch::num_rows).collect();
        (rows, gate.digest(), gate.passed().rows)
    };
    assert_eq!(cut(&[20_000]), cut(&[1, 1, 8191, 8192, 19_999, 20_000]));
    assert_eq!(cut(&[20_000]).0, [8192, 8192, 3616]);
    assert_ne!(cut(&[20_000]).1, cut(&[19_999]).1);
}

const TYPES: [DataType; 7] = [
    DataType::Boolean,
    DataType::Int64,
    DataType::Float64,
    DataType::Decimal128(38, 2),
    DataType::Utf8,
    DataType::Date32,
    DataType::Timestamp(TimeUnit::Microsecond, None),
];

/// Stands under nulls, before and after the slice; must never be found in what leaves.
const HIDDEN: i64 = 0x1d_1d_c4_12_1d_1d_c4_12;
const HIDDEN_TEXT: &str = "VISIBLE-ROW-000500";

fn low_bytes(number: &i64) -> i32 {
    i32::from_le_bytes(number.to_le_bytes()[..4].try_into().unwrap())
}

/// Columns whose hidden slots are full: `shown` says which rows have values.
fn columns(shown: &[bool], seed: i64) -> Vec<ArrayRef> {
    let rows = shown.len();
    let nulls = Some(NullBuffer::from(shown.to_vec()));
    let whole = |row: usize| {
        if shown[row] {
            seed + row as i64
        } else {
            HIDDEN
        }
    };
    let wholes: Vec<i64> = (0..rows).map(whole).collect();
    let floats = wholes.iter().map(|n| {
        if *n == HIDDEN {
            f64::from_bits(HIDDEN as u64)
        } else {
            *n as f64
        }
    });
    let decimals = wholes.iter().map(|n| i128::from(*n));
    let dates = wholes.iter().map(low_bytes);
    let texts = wholes.iter().map(|n| {
        if *n == HIDDEN {
            HIDDEN_TEXT.to_owned()
        } else {
            format!("区{n}")
        }
    });
    let texts = StringArray::from_iter_values(texts);
    let (offsets, values, _) = texts.into_parts();
    let bools = BooleanArray::from(vec![true; rows]);
    vec![
        Arc::new(BooleanArray::new(bools.values().clone(), nulls.clone())),
        Arc::new(Int64Array::new(wholes.clone().into(), nulls.clone())),
        Arc::new(Float64Array::new(
            floats.collect::<Vec<_>>().into(),
            nulls.clone(),
        )),
        Arc::new(
            Decimal128Array::new(decimals.collect::<Vec<_>>().into(), nulls.clone())
                .with_precision_and_scale(38, 2)
                .unwrap(),
        ),
        Arc::new(StringArray::new(offsets, values, nulls.clone())),
        Arc::new(Date32Array::new(
            dates.collect::<Vec<_>>().into(),
            nulls.clone(),
        )),
        Arc::new(TimestampMicrosecondArray::new(wholes.into(), nulls)),
    ]
}

/// Every byte of every buffer of a batch.
fn bytes(batch: &RecordBatch) -> Vec<Vec<u8>> {
    let parts = batch.columns().iter().flat_map(|column| {
        let data = column.to_data();
        let nulls = data.nulls().map(|nulls| nulls.buffer().as_slice().to_vec());
        data.buffers()
            .iter()
            .map(|b| b.as_slice().to_vec())
            .chain(nulls)
            .collect::<Vec<_>>()
    });
    parts.collect()
}

fn found(haystack: &[u8], needle: &[u8]) -> bool {
    haystack
        .windows(needle.len())
        .any(|window| window == needle)
}

proptest! {
    /// Rebuilding keeps every logical value and no byte of any other.
    #[test]
    fn no_byte_under_a_null_or_outside_a_slice_leaves(
        shown in prop::collection::vec(any::<bool>(), 1..40),
        around in (0_usize..5, 0_usize..5),
        seed in 0_i64..1_000_000,
    ) {
        // Hidden rows stand before and after; the slice leaves them in the buffers.
        let mut padded = vec![false; around.0];
        padded.extend(&shown);
        padded.extend(vec![false; around.1]);
        let arrived = batch(columns(&padded, seed)).slice(around.0, shown.len());
        let mut gate = gate(&TYPES, &[]);
        gate.push(&arrived).unwrap();
        let left = all(&mut gate);
        prop_assert_eq!(left.len(), 1);
        for (from, to) in arrived.columns().iter().zip(left[0].columns()) {
            prop_assert_eq!(from, to);
            prop_assert_eq!(to.offset(), 0);
            let data = to.to_data();
            data.validate_full().unwrap();
            for row in (0..to.len()).filter(|row| to.is_null(*row)) {
                if let Some(numbers) = to.as_any().downcast_ref::<Int64Array>() {
                    prop_assert_eq!(numbers.values()[row], 0);
                }
            }
        }
        for buffer in bytes(&left[0]) {
            prop_assert!(!found(&buffer, &HIDDEN.to_le_bytes()));
            prop_assert!(!found(&buffer, &low_bytes(&HIDDEN).to_le_bytes()));
            prop_assert!(!found(&buffer, HIDDEN_TEXT.as_bytes()));
        }
        let shares = |a: &ArrayRef, b: &ArrayRef| {
            let (a, b) = (a.to_data(), b.to_data());
            a.buffers().iter().any(|a| b.buffers().iter().any(|b| a.as_ptr() == b.as_ptr() && !a.is_empty()))
        };
        for (from, to) in arrived.columns().iter().zip(left[0].columns()) {
            prop_assert!(!shares(from, to));
        }
    }

    /// The digest is one of values: nulls, order, columns and names count, batches do not.
    #[test]
    fn equal_values_have_equal_digests(shown in prop::collection::vec(any::<bool>(), 2..40), cut in 0_usize..40) {
        let whole = batch(columns(&shown, 7));
        let cut = cut.min(shown.len());
        let digest = |parts: &[RecordBatch]| {
            let mut gate = gate(&TYPES, &[]);
            for part in parts {
                gate.push(part).unwrap();
            }
            gate.close().unwrap();
            gate.digest()
        };
        let parts = [whole.slice(0, cut), whole.slice(cut, shown.len() - cut)];
        prop_assert_eq!(digest(std::slice::from_ref(&whole)), digest(&parts));
        prop_assert_ne!(digest(&[whole.slice(0, shown.len() - 1)]), digest(&[whole]));
    }
}
