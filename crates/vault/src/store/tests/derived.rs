//! Items computed of others of their row when data comes in.

use super::*;
use arrow::datatypes::Float64Type;

fn derived(name: &str, kind: Kind, grade: Grade, of: &str) -> Item {
    Item {
        derived: Some(of.parse().unwrap()),
        ..item(name, kind, grade)
    }
}

fn sales() -> Dataset {
    dataset(vec![
        derived("total", Kind::Amount, Grade::Three, "quantity * price"),
        item("quantity", Kind::Count, Grade::Two),
        derived("twice", Kind::Count, Grade::Two, "2 * quantity - 1"),
        item("price", Kind::Amount, Grade::Three),
        derived("each", Kind::Ratio, Grade::Three, "price / quantity"),
        item("note", Kind::Other, Grade::One),
    ])
}

const ALL: [&str; 6] = ["total", "quantity", "twice", "price", "each", "note"];

fn floats(batch: &RecordBatch, name: &str) -> Vec<Option<f64>> {
    let column = batch.column_by_name(name).unwrap();
    column.as_primitive::<Float64Type>().iter().collect()
}

fn ints(batch: &RecordBatch, name: &str) -> Vec<Option<i64>> {
    let column = batch.column_by_name(name).unwrap();
    column.as_primitive::<Int64Type>().iter().collect()
}

fn assert_computed(domain: &Domain, snapshot: &Snapshot) {
    let types = [
        Some(Type::Float),
        Some(Type::Int),
        Some(Type::Int),
        Some(Type::Float),
        Some(Type::Float),
        Some(Type::Text),
    ];
    assert_eq!(snapshot.types, types);
    let name = "gjj.account".parse().unwrap();
    let keys = domain.store.source(&name, 1, &names(&ALL)).unwrap();
    let batch = read(&keys, &ALL).unwrap();
    let total = [Some(25.0), None, None, Some(0.0)];
    assert_eq!(floats(&batch, "total"), total);
    assert_eq!(floats(&batch, "each"), [Some(6.25), None, None, None]);
    assert_eq!(ints(&batch, "twice"), [Some(3), None, Some(5), Some(-1)]);
    assert_eq!(ints(&batch, "quantity"), [Some(2), None, Some(3), Some(0)]);
    // It is sealed as every other item of its grade is: its key opens it, and no other.
    let others = domain
        .store
        .source(&name, 1, &names(&["quantity"]))
        .unwrap();
    assert!(read(&others, &["total"]).is_err());
}

#[test]
fn derived_items_are_computed_once_stored_and_sealed_like_every_other() {
    let domain = domain();
    let csv = b"note,price,quantity\nx,12.5,2\nx,3.5,\nx,,3\nx,4.5,0\n";
    let file = domain.file("in.csv", csv);
    let snapshot = domain.ingest(&sales(), &file).unwrap();
    assert_computed(&domain, &snapshot);
}

#[test]
fn parquet_derives_the_same() {
    let domain = domain();
    let quantity: ArrayRef = Arc::new(Int32Array::from(vec![Some(2), None, Some(3), Some(0)]));
    let price = Float64Array::from(vec![Some(12.5), Some(3.5), None, Some(4.5)]);
    let note: ArrayRef = Arc::new(StringArray::from(vec!["x"; 4]));
    let price: ArrayRef = Arc::new(price);
    let columns = [("note", note), ("price", price), ("quantity", quantity)];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let file = domain.parquet(&batch);
    let snapshot = domain.ingest(&sales(), &file).unwrap();
    assert_computed(&domain, &snapshot);
}

#[test]
fn data_that_brings_a_derived_item_or_no_number_for_it_is_refused_with_the_place() {
    let refused = |dataset: &Dataset, csv: &[u8]| {
        let domain = domain();
        let file = domain.file("in.csv", csv);
        let cause = domain.ingest(dataset, &file).unwrap_err();
        assert!(domain.left().is_empty(), "{:?}", domain.left());
        (cause.code(), cause.to_string())
    };
    let (code, why) = refused(&sales(), b"note,price,quantity,total\nx,1,1,1\n");
    assert_eq!(code, "vault.columns-unknown");
    assert!(why.contains("`total`"), "{why}");
    let (code, _) = refused(&sales(), b"note,quantity\nx,1\n");
    assert_eq!(code, "vault.items-missing");
    let large = b"note,price,quantity\nx,1,1\nx,1,5000000000000000000\n";
    let (code, why) = refused(&sales(), large);
    assert_eq!(code, "vault.value-misfit");
    assert!(why.contains("line 3, column `twice`"), "{why}");
    let mut wrong = sales();
    wrong.items[0].grade = Grade::Two;
    let (code, _) = refused(&wrong, b"note,price,quantity\nx,1,1\n");
    assert_eq!(code, "vault.underivable");
}

#[test]
fn a_part_that_is_no_number_in_the_data_is_named() {
    let domain = domain();
    let quantity: ArrayRef = Arc::new(StringArray::from(vec!["2"]));
    let price: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
    let note: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let columns = [("note", note), ("price", price), ("quantity", quantity)];
    let file = domain.parquet(&RecordBatch::try_from_iter(columns).unwrap());
    let cause = domain.ingest(&sales(), &file).unwrap_err();
    assert_eq!(cause.code(), "vault.part-no-number");
    let why = cause.to_string();
    assert!(why.contains("column `quantity`: item `"), "{why}");
}
