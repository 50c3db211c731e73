use super::*;
use arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array,
    StringArray, StructArray, TimestampMicrosecondArray,
};
use proptest::prelude::*;

const TYPES: &[Type] = &[
    Type::Bool,
    Type::Int,
    Type::Float,
    Type::Decimal {
        precision: 12,
        scale: 2,
    },
    Type::Text,
    Type::Date,
    Type::Timestamp,
    Type::Witness,
];

fn columns(schema: &Schema) -> Vec<ArrayRef> {
    let DataType::Struct(fields) = schema.field(7).data_type() else {
        panic!()
    };
    let count = || Arc::new(Int64Array::from(vec![Some(7), None])) as ArrayRef;
    let sum = || Arc::new(Float64Array::from(vec![Some(1.5), None])) as ArrayRef;
    let parts = vec![count(), count(), count(), sum(), sum(), sum(), sum(), sum()];
    vec![
        Arc::new(BooleanArray::from(vec![Some(true), None])),
        Arc::new(Int64Array::from(vec![None, Some(-5)])),
        Arc::new(Float64Array::from(vec![Some(0.5), None])),
        Arc::new(
            Decimal128Array::from(vec![Some(12345), None])
                .with_precision_and_scale(12, 2)
                .unwrap(),
        ),
        Arc::new(StringArray::from(vec![Some("海河区"), None])),
        Arc::new(Date32Array::from(vec![Some(1), None])),
        Arc::new(TimestampMicrosecondArray::from(vec![Some(1), None])),
        Arc::new(StructArray::new(fields.clone(), parts, None)),
    ]
}

fn sound() -> (Expected, Vec<u8>, RecordBatch) {
    let expected = Expected::of(TYPES, 8192).unwrap();
    let schema = Arc::clone(&expected.schema);
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns(&schema)).unwrap();
    (expected, stream(&batch, 1), batch)
}

fn stream(batch: &RecordBatch, times: usize) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
    for _ in 0..times {
        writer.write(batch).unwrap();
    }
    writer.finish().unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn a_sound_batch_is_read_wherever_it_lies() {
    let (expected, bytes, batch) = sound();
    for shift in 0..9 {
        let mut shifted = vec![0; shift];
        shifted.extend(&bytes);
        assert_eq!(
            expected.read(&Bytes::from(shifted).slice(shift..)).unwrap(),
            batch
        );
    }
    let empty = batch.slice(0, 0);
    assert_eq!(
        expected.read(&stream(&empty, 1).into()).unwrap().num_rows(),
        0
    );
}

#[test]
fn another_schema_is_not_read() {
    let (_, bytes, _) = sound();
    let mut types = TYPES.to_vec();
    types[1] = Type::Float;
    let other = Expected::of(&types, 8192).unwrap();
    assert_eq!(other.read(&bytes.into()), Err("another schema"));
    assert!(Expected::of(&[Type::Interval], 1).is_none());
}

#[test]
fn one_batch_and_nothing_else_is_read() {
    let (expected, bytes, batch) = sound();
    assert_eq!(
        expected.read(&stream(&batch, 2).into()),
        Err("more than one batch")
    );
    assert_eq!(
        expected.read(&stream(&batch, 0).into()),
        Err("an unreadable batch header")
    );
    let short = Expected::of(TYPES, 1).unwrap();
    assert_eq!(short.read(&bytes.into()), Err("too many rows in a batch"));
}

#[test]
fn every_cut_is_refused() {
    let (expected, bytes, _) = sound();
    // The end mark may be missing; nothing else may.
    for cut in 0..bytes.len() - END.len() {
        assert!(
            expected
                .read(&Bytes::copy_from_slice(&bytes[..cut]))
                .is_err(),
            "{cut}"
        );
    }
}

#[test]
fn text_that_is_not_text_is_refused() {
    let (expected, mut bytes, _) = sound();
    let text = "海河区".as_bytes();
    let at = bytes
        .windows(text.len())
        .position(|window| window == text)
        .unwrap();
    bytes[at] = 0xff;
    assert_eq!(expected.read(&bytes.into()), Err("invalid columns"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20_000, ..ProptestConfig::default() })]

    /// Whatever bits a child turns, there is a batch of the right schema or a refusal.
    #[test]
    fn turned_bits_are_a_batch_or_a_refusal(turned in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let (expected, mut bytes, _) = sound();
        for (at, value) in turned {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(batch) = expected.read(&bytes.into()) {
            prop_assert_eq!(batch.schema_ref(), &expected.schema);
            for column in batch.columns() {
                column.to_data().validate_full().unwrap();
            }
        }
    }
}
