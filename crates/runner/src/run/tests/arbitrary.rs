//! What somebody whose code runs in a runner can read: all that a runner is ever given is the message of its
//! job and the open file. The walls that keep it from anything else are tried in `jail`.

use super::*;
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    encryption::decrypt::FileDecryptionProperties,
};
use wire::job::Message;

const COLUMNS: [&str; 7] = ["id", "area", "amount", "day", "text", "__row", "__subject"];

/// The values of a column, if this key opens it.
fn read(path: &std::path::Path, footer: &[u8], column: &str, key: &[u8]) -> Option<RecordBatch> {
    let keys = FileDecryptionProperties::builder(footer.to_vec());
    let keys = keys.with_column_key(column, key.to_vec()).build().ok()?;
    let options = ArrowReaderOptions::new().with_file_decryption_properties(keys);
    let file = File::open(path).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).ok()?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
    let mut reader = builder.with_projection(mask).build().ok()?;
    let batch = reader.next()?.ok()?;
    (batch.num_rows() > 0).then_some(batch)
}

/// What keys of ours are made of one another by, so that a key may be tried as the parent of another.
fn derived(parent: &[u8], purpose: &str, name: &str) -> [u8; 32] {
    let length = |text: &str| (text.len() as u64).to_be_bytes();
    let (first, second) = (length(purpose), length(name));
    let info = [&first[..], purpose.as_bytes(), &second[..], name.as_bytes()];
    let root = ring::hkdf::Salt::new(ring::hkdf::HKDF_SHA256, b"bonded keys v1").extract(parent);
    let mut key = [0; 32];
    let output = root.expand(&info, ring::hkdf::HKDF_SHA256).unwrap();
    output.fill(&mut key).unwrap();
    key
}

/// Every 32 bytes of the job are tried as each column's key, and as what it could be derived from: those
/// of the grant open, no other does.
#[test]
fn arbitrary_code_in_a_runner_reads_no_column_that_was_not_granted() {
    let stage = stage();
    let granted: [Column; 2] = ["area", "__row"].map(|name| name.parse().unwrap());
    let mut keys = stage.source.keys.clone();
    keys.columns.retain(|(column, _)| granted.contains(column));
    let job = RunJob {
        plan: vec![1; 16],
        sources: vec![keys],
        token_key: Some(vec![7; 32].into()),
        memory_bytes_max: 1,
        batch_rows_max: 1,
    };
    let mut known = Vec::new();
    job.encode_into(&mut known);
    let footer = job.sources[0].footer_key.bytes().to_vec();
    let open = |column: &str| {
        let mut tried = 0;
        let opened = known.windows(32).any(|window| {
            let parents = [("column", column), ("footer", "")];
            let children = parents.map(|(purpose, name)| derived(window, purpose, name));
            let keys = [window]
                .into_iter()
                .chain(children.iter().map(|key| &key[..]));
            let opens = |key: &[u8]| {
                tried += 1;
                read(&stage.source.path, &footer, column, key).is_some()
            };
            keys.into_iter().any(opens)
        });
        assert!(
            opened || tried == 3 * (known.len() - 31),
            "{tried} were tried"
        );
        opened
    };
    let opened: Vec<&str> = COLUMNS.into_iter().filter(|name| open(name)).collect();
    assert_eq!(opened, ["area", "__row"]);
}
