//! What somebody whose code runs in a runner can read: all that a runner is ever given is the message of its
//! job and the open file. The walls that keep it from anything else are tried in `jail`.

use super::*;
use wire::job::Message;

#[path = "../../../fixtures/enemy.rs"]
mod enemy; // what it does there

const COLUMNS: [&str; 7] = ["id", "area", "amount", "day", "text", "__row", "__subject"];

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
    let file = Bytes::from(std::fs::read(&stage.source.path).unwrap());
    let open = |column: &str| {
        let (opened, tried) = enemy::tries(&file, &footer, column, &known);
        assert!(
            opened || tried == 3 * (known.len() - 31),
            "{tried} were tried"
        );
        opened
    };
    let opened: Vec<&str> = COLUMNS.into_iter().filter(|name| open(name)).collect();
    assert_eq!(opened, ["area", "__row"]);
}
