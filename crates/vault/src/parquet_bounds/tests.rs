use super::*;
use crate::parquet_intake::{Footed, ParquetIntake};
use arrow::array::{ArrayRef, Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::Field;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Encoding, GzipLevel, ZstdLevel};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use std::path::Path;
use std::process::Command;

const MIB: usize = 1 << 20;

fn packed() -> WriterPropertiesBuilder {
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3).unwrap());
    WriterProperties::builder().set_compression(zstd)
}

fn write(path: &Path, columns: Vec<ArrayRef>, properties: WriterPropertiesBuilder) {
    let names = ["a", "b", "c"].into_iter();
    let batch = RecordBatch::try_from_iter(names.zip(columns)).unwrap();
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// Reads all of a file, and gives its rows and the bytes of its texts.
fn read(path: &Path) -> Result<(usize, u64, usize), Unreceivable> {
    let mut intake = ParquetIntake::open(path)?;
    let count = intake.schema().fields().len();
    intake.arrange((0..count).collect());
    let (mut rows, mut bytes, mut most) = (0, 0, 0);
    while let Some(batch) = intake.next()? {
        most = most.max(batch.columns[0].len());
        rows += batch.columns[0].len();
        for column in &batch.columns {
            let texts = column
                .as_string_opt::<i64>()
                .map(|texts| texts.value_data().len());
            let small = column
                .as_string_opt::<i32>()
                .map(|texts| texts.value_data().len());
            bytes += u64::try_from(texts.or(small).unwrap_or(0)).unwrap();
        }
    }
    Ok((rows, bytes, most))
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.parquet");
    (folder, path)
}

fn rows(path: &Path) -> Result<usize, Unreceivable> {
    Footed::read(path)?.bounds(path).rows(0)
}

fn check(path: &Path, code: &str, said: &[&str]) {
    let why = read(path).unwrap_err();
    assert_eq!(why.code(), code, "{why}");
    for part in said {
        assert!(why.to_string().contains(part), "{why}");
    }
    assert!(!why.told().zh.is_empty());
}

/// One value that all rows have, in a dictionary: the file is as small as the value packed.
fn bomb(path: &Path, value: usize, rows: usize) {
    let value = "x".repeat(value);
    let mut writer = None;
    // Row by row would take as long as reading it.
    for _ in 0..rows {
        let texts: ArrayRef = Arc::new(LargeStringArray::from(vec![value.as_str()]));
        let batch = RecordBatch::try_from_iter([("a", texts)]).unwrap();
        let writer = writer.get_or_insert_with(|| {
            let properties = packed().set_dictionary_page_size_limit(64 * MIB).build();
            ArrowWriter::try_new(
                File::create(path).unwrap(),
                batch.schema(),
                Some(properties),
            )
            .unwrap()
        });
        writer.write(&batch).unwrap();
    }
    writer.unwrap().close().unwrap();
    assert!(
        std::fs::metadata(path).unwrap().len() < 64 << 10,
        "it is small"
    );
}

/// The most memory this process held, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .unwrap();
    line.trim()
        .trim_end_matches(" kB")
        .parse::<usize>()
        .unwrap()
        * 1024
}

/// Run by [`alone`] in a process of its own, in the folder of the file.
#[test]
#[ignore = "a part of other tests"]
fn reads_the_file_in_its_folder() {
    let before = peak();
    let code = read(Path::new("data.parquet")).map_or_else(|why| why.code(), |_| "read");
    println!("\n{code} {}", peak() - before);
}

/// How reading a file ended in a process of its own, and by how much its memory grew.
fn alone(folder: &Path) -> (String, usize) {
    let name = "parquet_bounds::tests::reads_the_file_in_its_folder";
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            name,
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    let line = said.lines().find_map(|line| {
        let (code, grown) = line.split_once(' ')?;
        let is_code = code == "read" || code.starts_with("vault.");
        is_code.then(|| (code.to_owned(), grown.parse().unwrap()))
    });
    line.unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn a_small_file_of_one_long_value_many_times_is_refused_in_little_memory() {
    let (folder, path) = folder();
    bomb(&path, 10 * MIB, 64);
    check(
        &path,
        "vault.too-large",
        &["column `a`", "row group 0", "a value of 10485760", "cut it"],
    );
    let (code, grown) = alone(folder.path());
    assert_eq!(code, "vault.too-large");
    assert!(grown < 64 * MIB, "{grown}");
}

#[test]
fn values_that_are_long_enough_are_read_a_few_rows_at_a_time() {
    let (folder, path) = folder();
    bomb(&path, MIB, 1024);
    let (code, grown) = alone(folder.path());
    assert_eq!(code, "read");
    assert!(grown < 256 * MIB, "a GiB in all, {grown} at once");
    assert_eq!(read(&path).unwrap(), (1024, 1 << 30, 32));
}

#[test]
fn honest_files_of_large_values_are_read_whole() {
    let (_folder, path) = folder();
    let texts: Vec<String> = (0..600)
        .map(|at| format!("{at:0100}").repeat(1000))
        .collect();
    let texts: ArrayRef = Arc::new(StringArray::from(texts));
    let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(0..600));
    for properties in [packed(), packed().set_dictionary_enabled(false)] {
        write(
            &path,
            vec![Arc::clone(&texts), Arc::clone(&numbers)],
            properties,
        );
        let (rows, bytes, most) = read(&path).unwrap();
        assert_eq!((rows, bytes), (600, 60_000_000));
        assert!(most >= 32, "{most} rows at once");
    }
    let short: ArrayRef = Arc::new(StringArray::from(vec!["text"; 600]));
    write(&path, vec![short, numbers], packed());
    assert_eq!(read(&path).unwrap().2, 600);
}

#[test]
fn a_value_that_stands_by_itself_is_held_against_the_same_length() {
    let (_folder, path) = folder();
    let long = "y".repeat(MIB + 1);
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["short", &long]));
    write(&path, vec![texts], packed().set_dictionary_enabled(false));
    check(
        &path,
        "vault.too-large",
        &["column `a`", "a value of 1048577"],
    );
}

#[test]
fn a_page_that_unpacks_to_too_much_is_not_unpacked() {
    let (folder, path) = folder();
    let long = "y".repeat(100 * MIB);
    let texts: ArrayRef = Arc::new(StringArray::from(vec![long]));
    let properties = packed()
        .set_dictionary_enabled(false)
        .set_data_page_size_limit(200 * MIB);
    write(&path, vec![texts], properties);
    check(
        &path,
        "vault.too-large",
        &["a page of 1048576", "smaller pages"],
    );
    let (_, grown) = alone(folder.path());
    assert!(grown < 64 * MIB, "{grown}");
}

#[test]
fn lists_of_long_values_are_refused_by_their_sum() {
    let (_folder, path) = folder();
    let value = "z".repeat(MIB);
    let field = Arc::new(Field::new("item", DataType::Utf8, true));
    let list = |count: usize| -> ArrayRef {
        let values: ArrayRef = Arc::new(StringArray::from(vec![value.as_str(); count]));
        let offsets = OffsetBuffer::from_lengths([count]);
        Arc::new(ListArray::new(Arc::clone(&field), offsets, values, None))
    };
    let properties = || packed().set_dictionary_page_size_limit(64 * MIB);
    write(&path, vec![list(8)], properties());
    assert!(rows(&path).is_ok());
    write(&path, vec![list(300)], properties());
    let why = rows(&path).unwrap_err();
    assert_eq!(why.code(), "vault.too-large");
    assert!(why.to_string().contains("smaller row groups"), "{why}");
}

#[test]
fn a_packing_that_goes_on_past_its_page_is_found_before_the_reader_unpacks_it() {
    let (_folder, path) = folder();
    // What hardly packs: more of it could stand for gigabytes.
    let mut seed = 1_u64;
    let mut letter = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + u8::try_from((seed >> 40) % 90).unwrap())
    };
    let text: String = (0..600_000).map(|_| letter()).collect();
    let texts: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let gzip = Compression::GZIP(GzipLevel::default());
    let properties = WriterProperties::builder().set_compression(gzip);
    write(&path, vec![texts], properties.set_dictionary_enabled(false));
    assert_eq!(read(&path).unwrap().0, 1);
    let footed = Footed::read(&path).unwrap();
    let metadata = footed.metadata.metadata().clone();
    let chunk = metadata.row_group(0).column(0);
    let start = u64::try_from(chunk.data_page_offset()).unwrap();
    let page = PageHeader::read(&footed.file, start, 600_000).unwrap();
    let bounds = footed.bounds(&path);
    let unpacks = |page: &PageHeader| bounds.unpacks(chunk, page, start + page.length).is_ok();
    assert!(page.packed * GZIP_RATIO > UNPACKED_BYTES_MAX && unpacks(&page));
    let lying = PageHeader {
        unpacked: page.unpacked - 1,
        ..page
    };
    assert!(!unpacks(&lying));
}

#[test]
fn texts_written_as_differences_are_refused_with_a_way_out() {
    let (_folder, path) = folder();
    let texts: ArrayRef = Arc::new(StringArray::from(vec!["abc", "abd"]));
    let properties = packed()
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_BYTE_ARRAY);
    write(&path, vec![texts], properties);
    check(&path, "vault.page-unread", &["as a dictionary"]);
}

#[test]
fn the_most_that_rows_in_a_line_hold_is_that_of_the_worst_place() {
    let pages = [(5, 10), (1, 100), (3, 7), (1, 90), (1, 80), (0, 3), (4, 50)];
    let plain = pages.map(|(values, bytes)| Plain { values, bytes });
    let of: Vec<usize> = (0..pages.len())
        .flat_map(|at| vec![at; usize::try_from(pages[at].0).unwrap()])
        .collect();
    for count in 1..=of.len() {
        let touched = of.windows(count).map(|rows| {
            let (from, to) = (rows[0], rows[count - 1]);
            pages[from..=to].iter().map(|(_, bytes)| bytes).sum::<u64>()
        });
        let expect = touched.max().unwrap();
        let found = most(&plain, u64::try_from(count).unwrap());
        assert!(found >= expect, "{count}: {found} of {expect}");
        assert!(found <= expect + 3, "{count}: {found} of {expect}");
    }
}
