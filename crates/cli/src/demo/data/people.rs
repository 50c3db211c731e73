//! The two tables about people: the fund's accounts, and who is insured where.

use super::Unwritten;
use super::districts::{DISTRICTS, District, SMALL};
use super::draw::Draw;
use super::names::{name, phone};
use super::resident::{NUMBERS, resident};
use arrow::array::{Date32Builder, Float64Builder, RecordBatch, StringBuilder};
use arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef};
use chrono::{Days, NaiveDate};
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const BATCH_ROWS: u64 = 65_536;
const SEED: u64 = 20_260_101;
/// How many people the small district has: less than any threshold.
const SMALL_PEOPLE: u64 = 4;

const UNIT_TYPES: &[(&str, u64)] = &[
    ("民营企业", 46),
    ("外商投资企业", 18),
    ("国有企业", 12),
    ("事业单位", 11),
    ("机关", 6),
    ("个体工商户", 5),
    ("社会组织", 2),
];

/// Rates of contribution in per cent, by how many people have them.
const RATES: &[(f64, u64)] = &[
    (0.05, 14),
    (0.06, 5),
    (0.07, 5),
    (0.08, 30),
    (0.09, 3),
    (0.10, 12),
    (0.11, 1),
    (0.12, 30),
];

/// A table being written.
pub(super) struct Table {
    path: PathBuf,
    writer: ArrowWriter<File>,
}

#[derive(Default)]
struct Accounts {
    opened: Date32Builder,
    monthly: Float64Builder,
    own_rate: Float64Builder,
    unit_rate: Float64Builder,
    texts: [StringBuilder; 5],
}

#[derive(Default)]
struct Insured {
    number: StringBuilder,
    district: StringBuilder,
    unit_type: StringBuilder,
    since: Date32Builder,
}

/// Writes `account.parquet` and `insured.parquet`: nine in ten account holders are insured.
pub(super) fn write(
    data: &Path,
    rows: u64,
    progress: &mut dyn FnMut(u64),
) -> Result<(), Unwritten> {
    if rows > NUMBERS {
        return Err(Unwritten::TooMany {
            rows,
            rows_max: NUMBERS,
        });
    }
    let mut account = Table::create(&data.join("account.parquet"), Accounts::schema())?;
    let mut insured = Table::create(&data.join("insured.parquet"), Insured::schema())?;
    let mut draw = Draw::new(SEED);
    let mut done = 0;
    while done < rows {
        let end = rows.min(done + BATCH_ROWS);
        let (mut accounts, mut insureds) = (Accounts::default(), Insured::default());
        for index in done..end {
            let small = is_small(index, rows);
            let home = if small { &SMALL } else { home(&mut draw) };
            let (opened, number) = accounts.push(&mut draw, index, home);
            if draw.chance(0.9) || small {
                insureds.push(&mut draw, &number, home, opened);
            }
        }
        account.append_columns(accounts.finish())?;
        insured.append_columns(insureds.finish())?;
        done = end;
        progress(done);
    }
    account.finish()?;
    insured.finish()
}

/// Whether a person lives in the small district: four of them, spread over the table.
fn is_small(index: u64, rows: u64) -> bool {
    let stride = (rows / SMALL_PEOPLE).max(1);
    index % stride == stride / 2 && index / stride < SMALL_PEOPLE
}

fn home(draw: &mut Draw) -> &'static District {
    let mut left = draw.below(DISTRICTS.iter().map(|district| district.share).sum());
    let found = DISTRICTS.iter().find(|district| {
        let here = left < district.share;
        left = left.saturating_sub(district.share);
        here
    });
    found.unwrap_or(&SMALL)
}

fn day(date: NaiveDate) -> i32 {
    Date32Type::from_naive_date(date)
}

fn cents(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

// === impl Accounts ===

impl Accounts {
    /// 公积金个人信息表, its items in the order of the guide. Source: CG-C.
    fn schema() -> SchemaRef {
        let field = |name, data_type| Field::new(name, data_type, true);
        Arc::new(Schema::new(vec![
            field("开户日期", DataType::Date32),
            field("月缴额", DataType::Float64),
            field("职工缴存率", DataType::Float64),
            field("缴存比率", DataType::Float64),
            field("个人账号", DataType::Utf8),
            field("手机号", DataType::Utf8),
            field("证件号码", DataType::Utf8),
            field("职工姓名", DataType::Utf8),
            field("补贴个人账号", DataType::Utf8),
        ]))
    }

    /// Adds a person and gives the day the account was opened and the identity number.
    fn push(&mut self, draw: &mut Draw, index: u64, home: &District) -> (NaiveDate, String) {
        let person = resident(index);
        // Accounts open between the twentieth birthday (or the fund's first days) and 2025.
        let grown = person
            .born
            .checked_add_days(Days::new(20 * 365))
            .unwrap_or(person.born);
        let first = grown.max(NaiveDate::from_ymd_opt(1999, 4, 1).unwrap_or_default());
        let last = NaiveDate::from_ymd_opt(2025, 12, 31).unwrap_or_default();
        let span = u64::try_from((last - first).num_days()).unwrap_or(0);
        let after = Days::new(draw.below(span.max(1)));
        let opened = first.checked_add_days(after).unwrap_or(first);
        // The base is a wage between the city's lower and upper limit.
        let wage = (7_800.0 * home.wages * (0.5 * draw.normal()).exp()).clamp(2_490.0, 38_000.0);
        let unit_rate = draw.pick(RATES).unwrap_or(0.08);
        let own_rate = if draw.chance(0.93) {
            unit_rate
        } else {
            draw.pick(RATES).unwrap_or(0.08)
        };
        self.opened.append_value(day(opened));
        self.monthly
            .append_value(cents(wage * (own_rate + unit_rate)));
        self.own_rate.append_value(own_rate);
        self.unit_rate.append_value(unit_rate);
        let [account, mobile, number, full_name, subsidy] = &mut self.texts;
        // Steps of a prime visit every account number once.
        let place = index * 982_451_653 % 1_000_000_000;
        account.append_value(format!("0510{place:09}"));
        mobile.append_option(draw.chance(0.995).then(|| phone(draw)));
        number.append_value(&person.number);
        full_name.append_value(name(draw, person.is_male));
        subsidy.append_option(draw.chance(0.3).then(|| format!("0511{place:09}")));
        (opened, person.number)
    }

    fn finish(mut self) -> RecordBatchParts {
        let mut columns: Vec<arrow::array::ArrayRef> = vec![
            Arc::new(self.opened.finish()),
            Arc::new(self.monthly.finish()),
            Arc::new(self.own_rate.finish()),
            Arc::new(self.unit_rate.finish()),
        ];
        for text in &mut self.texts {
            columns.push(Arc::new(text.finish()));
        }
        RecordBatchParts {
            schema: Self::schema(),
            columns,
        }
    }
}

/// The columns of a batch with their schema.
struct RecordBatchParts {
    schema: SchemaRef,
    columns: Vec<arrow::array::ArrayRef>,
}

// === impl Insured ===

impl Insured {
    fn schema() -> SchemaRef {
        Arc::new(Schema::new(vec![
            Field::new("证件号码", DataType::Utf8, true),
            Field::new("区", DataType::Utf8, true),
            Field::new("单位类型", DataType::Utf8, true),
            Field::new("参保年份", DataType::Date32, true),
        ]))
    }

    fn push(&mut self, draw: &mut Draw, number: &str, home: &District, opened: NaiveDate) {
        use chrono::Datelike;
        self.number.append_value(number);
        self.district.append_value(home.name);
        self.unit_type
            .append_value(draw.pick(UNIT_TYPES).unwrap_or("民营企业"));
        let since = NaiveDate::from_ymd_opt(opened.year(), 1, 1).unwrap_or(opened);
        self.since.append_value(day(since));
    }

    fn finish(mut self) -> RecordBatchParts {
        RecordBatchParts {
            schema: Self::schema(),
            columns: vec![
                Arc::new(self.number.finish()),
                Arc::new(self.district.finish()),
                Arc::new(self.unit_type.finish()),
                Arc::new(self.since.finish()),
            ],
        }
    }
}

// === impl Table ===

impl Table {
    pub(super) fn create(path: &Path, schema: SchemaRef) -> Result<Self, Unwritten> {
        let file = File::create(path).map_err(|source| Unwritten::File {
            path: path.to_owned(),
            source,
        })?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .build();
        let writer = ArrowWriter::try_new(file, schema, Some(properties)).map_err(|source| {
            Unwritten::Table {
                path: path.to_owned(),
                source,
            }
        })?;
        Ok(Self {
            path: path.to_owned(),
            writer,
        })
    }

    pub(super) fn append(&mut self, batch: &RecordBatch) -> Result<(), Unwritten> {
        self.writer.write(batch).map_err(|source| Unwritten::Table {
            path: self.path.clone(),
            source,
        })
    }

    fn append_columns(&mut self, parts: RecordBatchParts) -> Result<(), Unwritten> {
        let batch = RecordBatch::try_new(parts.schema, parts.columns).map_err(|cause| {
            Unwritten::Table {
                path: self.path.clone(),
                source: cause.into(),
            }
        })?;
        self.append(&batch)
    }

    pub(super) fn finish(self) -> Result<(), Unwritten> {
        let path = self.path;
        self.writer
            .close()
            .map(|_| ())
            .map_err(|source| Unwritten::Table { path, source })
    }
}
