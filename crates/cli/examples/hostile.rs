//! The `bonded` binary with an enemy in its runner, for tests: behind all walls, in place of the engine,
//! code of its own that knows how keys are made and answers with what it could open.
//!
//! Every 32 bytes of all it was given are tried as the key of each column of its file, and as what that key
//! could be derived from. It answers a statement of one text column with a row for each column.
#![forbid(unsafe_code)]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a program for tests: what fails ends it"
)]

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
    ipc::writer::StreamWriter,
};
use bytes::Bytes;
use jail::Inside;
use std::{
    fs::File,
    io::{Seek, SeekFrom},
    os::unix::fs::FileExt,
    process::ExitCode,
    sync::Arc,
};
use wire::{
    frame,
    job::{Done, Message, RunFrame, RunJob},
};

#[path = "../../runner/fixtures/enemy.rs"]
mod enemy; // what it does with what it was given

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("runner-child") => jail::zygote(std::env::args().skip(2), || (), hostile),
        _ => cli::run(),
    }
}

/// Takes a job like any runner, and does what it likes.
fn hostile((): (), inside: Inside) -> ExitCode {
    let (mut input, mut output) = inside.seal().expect("walls");
    let job: RunJob = frame::read(&mut input).unwrap().expect("a job");
    let files: Vec<Bytes> = input.files().into_iter().map(whole).collect();
    let mut known = Vec::new();
    job.encode_into(&mut known);
    let mut found = Vec::new();
    for (source, file) in job.sources.iter().zip(&files) {
        let footer = source.footer_key.bytes();
        let columns = enemy::open(file, footer, None).expect("the footer's own key");
        for name in columns.schema().fields().iter().map(|field| field.name()) {
            let word = match enemy::tries(file, footer, name, &known) {
                (true, _) => "opened",
                (false, _) => "closed",
            };
            found.push(format!("{}.{name} {word}", source.dataset));
        }
    }
    let rows = found.len() as u64;
    frame::write(&mut output, &RunFrame::Batch(texts(found).into())).unwrap();
    let (cpu_us, memory_peak_bytes) = jail::usage();
    let done = RunFrame::Done(Done {
        rows,
        groups_withheld: 0,
        cpu_us,
        memory_peak_bytes,
    });
    frame::write(&mut output, &done).unwrap();
    ExitCode::SUCCESS
}

/// What a file holds. Only its length, and reads at a place, can be asked for behind the last wall.
fn whole(mut file: File) -> Bytes {
    let length = file.seek(SeekFrom::End(0)).unwrap();
    let mut bytes = vec![0; usize::try_from(length).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes.into()
}

/// A column of texts as a runner sends it.
fn texts(values: Vec<String>) -> Vec<u8> {
    let schema = Schema::new(vec![Field::new("c0", DataType::Utf8, true)]);
    let column: ArrayRef = Arc::new(StringArray::from(values));
    let batch = RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}
