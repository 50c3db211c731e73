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
use parquet::{
    arrow::{
        ProjectionMask,
        arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder},
    },
    encryption::decrypt::FileDecryptionProperties,
};
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

type Reader = ParquetRecordBatchReaderBuilder<Bytes>;

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
        let names = named(open(file, footer, None).expect("the footer's own key"));
        for name in names {
            let word = match opens(file, footer, &name, &known) {
                true => "opened",
                false => "closed",
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

/// Whether any 32 bytes of these are this column's key, or make it.
fn opens(file: &Bytes, footer: &[u8], column: &str, known: &[u8]) -> bool {
    known.windows(32).any(|window| {
        let parents = [("column", column), ("footer", "")];
        let children = parents.map(|(purpose, name)| derived(window, purpose, name));
        let mut keys = std::iter::once(window).chain(children.iter().map(|key| &key[..]));
        keys.any(|key| reads(file, footer, column, key))
    })
}

/// Whether this key gives values of a column.
fn reads(file: &Bytes, footer: &[u8], column: &str, key: &[u8]) -> bool {
    let Some(builder) = open(file, footer, Some((column, key))) else {
        return false;
    };
    let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
    let batch = builder.with_projection(mask).build().ok();
    let batch = batch.and_then(|mut reader| reader.next());
    batch.is_some_and(|batch| batch.is_ok_and(|batch| batch.num_rows() > 0))
}

fn open(file: &Bytes, footer: &[u8], column: Option<(&str, &[u8])>) -> Option<Reader> {
    let mut keys = FileDecryptionProperties::builder(footer.to_vec());
    if let Some((name, key)) = column {
        keys = keys.with_column_key(name, key.to_vec());
    }
    let options = ArrowReaderOptions::new().with_file_decryption_properties(keys.build().ok()?);
    Reader::try_new_with_options(file.clone(), options).ok()
}

/// What a file holds. Only its length, and reads at a place, can be asked for behind the last wall.
fn whole(mut file: File) -> Bytes {
    let length = file.seek(SeekFrom::End(0)).unwrap();
    let mut bytes = vec![0; usize::try_from(length).unwrap()];
    file.read_exact_at(&mut bytes, 0).unwrap();
    bytes.into()
}

fn named(builder: Reader) -> Vec<String> {
    let fields = builder.schema().fields().iter();
    fields.map(|field| field.name().clone()).collect()
}

/// What keys are made of one another by (`docs/keys.md`).
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

/// A column of texts as a runner sends it.
fn texts(values: Vec<String>) -> Vec<u8> {
    let schema = Schema::new(vec![Field::new("c0", DataType::Utf8, true)]);
    let column: ArrayRef = Arc::new(StringArray::from(values));
    let batch = RecordBatch::try_new(Arc::new(schema), vec![column]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}
