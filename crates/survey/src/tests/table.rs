use arrow::array::{ArrayRef, Date32Array, Float64Array, Int64Array, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;
use std::{fs::File, path::Path, path::PathBuf, sync::Arc};
use terms::Kind;

/// Columns by kind, each with a name in Chinese, in English and in initials of pinyin.
pub(super) const KINDS: &[(Kind, [&str; NAMINGS])] = &[
    (Kind::SubjectId, ["人员编号", "patient_id", "rybh"]),
    (Kind::ResidentId, ["证件号码", "id_card_no", "sfzh"]),
    (Kind::PersonName, ["姓名", "customer_name", "xm"]),
    (Kind::Phone, ["联系电话", "mobile", "sjhm"]),
    (Kind::BankAccount, ["银行卡号", "bank_card", "yhkh"]),
    (Kind::SocialAccount, ["社保卡号", "wechat_id", "sbkh"]),
    (Kind::Email, ["电子邮箱", "contact_email", "dzyx"]),
    (Kind::Address, ["家庭住址", "home_address", "jtzz"]),
    (Kind::Plate, ["车牌号", "license_plate", "cphm"]),
    (Kind::Date, ["出生日期", "birth_date", "csrq"]),
    (Kind::Date, ["办理日期", "created_at", "cjsj"]),
    (Kind::Amount, ["月缴额", "monthly_payment", "je"]),
    (Kind::Count, ["家庭人口", "visit_count", "sl"]),
    (Kind::Ratio, ["缴存比率", "deposit_rate", "bl"]),
    (Kind::Code, ["单位类型", "gender", "xb"]),
    (Kind::Code, ["行政区划", "district", "xzqh"]),
    (Kind::FreeText, ["备注", "remark", "bz"]),
    (Kind::Other, ["甲乙", "fnlwgt", "x7"]),
];
/// How many ways of naming there are.
pub(super) const NAMINGS: usize = 3;

/// A table whose truth is known, one in twenty of its values dirty.
pub(super) struct Made {
    pub(super) names: Vec<String>,
    pub(super) truth: Vec<Kind>,
    pub(super) values: Vec<Vec<String>>,
}

/// Numbers that look random and are the same each time.
pub(super) struct Draw(u64);

impl Made {
    /// Every kind, named in one of the ways or not at all.
    pub(super) fn new(draw: &mut Draw, naming: Option<usize>, rows: usize) -> Self {
        let name = |(at, (_, names)): (usize, &(Kind, [&str; NAMINGS]))| match naming {
            Some(naming) => names[naming].to_owned(),
            None => format!("c{at}"),
        };
        let column = |(kind, names): &(Kind, [&str; NAMINGS])| {
            let one = |_| match draw.below(20) {
                0 => draw.dirty(),
                _ => draw.value(*kind, names[0]),
            };
            (0..rows).map(one).collect()
        };
        Self {
            names: KINDS.iter().enumerate().map(name).collect(),
            truth: KINDS.iter().map(|(kind, _)| *kind).collect(),
            values: KINDS.iter().map(column).collect(),
        }
    }

    pub(super) fn columns(&self) -> Vec<(&str, Vec<String>)> {
        let names = self.names.iter().map(String::as_str);
        names.zip(self.values.iter().cloned()).collect()
    }

    /// The file, of the one form or the other.
    pub(super) fn written(&self, dir: &Path, parquet: bool) -> PathBuf {
        if !parquet {
            return csv(dir, &self.columns());
        }
        let columns = self.columns().into_iter().zip(&self.truth);
        let arrays = columns.map(|((name, values), kind)| (name, array(*kind, values), true));
        let batch = RecordBatch::try_from_iter_with_nullable(arrays).unwrap();
        let path = dir.join("made.parquet");
        let file = File::create(&path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        path
    }
}

/// Numbers and days in types of their own, where dirty values cannot be but nulls.
fn array(kind: Kind, values: Vec<String>) -> ArrayRef {
    match kind {
        Kind::Amount | Kind::Ratio => Arc::new(Float64Array::from_iter(
            values.iter().map(|v| v.parse::<f64>().ok()),
        )),
        Kind::Count => Arc::new(Int64Array::from_iter(
            values.iter().map(|v| v.parse::<i64>().ok()),
        )),
        Kind::Date => {
            let epoch = chrono::NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
            let day = |v: &String| {
                let day: chrono::NaiveDate = v.parse().ok()?;
                i32::try_from((day - epoch).num_days()).ok()
            };
            Arc::new(Date32Array::from_iter(values.iter().map(day)))
        }
        Kind::SubjectId
        | Kind::ResidentId
        | Kind::PersonName
        | Kind::Phone
        | Kind::BankAccount
        | Kind::SocialAccount
        | Kind::Email
        | Kind::Address
        | Kind::Plate
        | Kind::Code
        | Kind::FreeText
        | Kind::Other => Arc::new(StringArray::from_iter(values.into_iter().map(Some))),
    }
}

pub(super) fn csv(dir: &Path, columns: &[(&str, Vec<String>)]) -> PathBuf {
    let path = dir.join("made.csv");
    let mut text = String::new();
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    text.push_str(&names.join(","));
    for row in 0..columns[0].1.len() {
        text.push('\n');
        let cells: Vec<String> = columns
            .iter()
            .map(|(_, values)| format!("\"{}\"", values[row]))
            .collect();
        text.push_str(&cells.join(","));
    }
    std::fs::write(&path, text).unwrap();
    path
}

impl Draw {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % limit
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        let at = self.below(u64::try_from(of.len()).unwrap());
        of[usize::try_from(at).unwrap()]
    }

    pub(super) fn digits(&mut self, count: usize) -> String {
        (0..count)
            .map(|_| char::from_digit(u32::try_from(self.below(10)).unwrap(), 10).unwrap())
            .collect()
    }

    /// Seventeen digits and the check digit of ISO 7064, MOD 11-2.
    pub(super) fn resident_id(&mut self) -> String {
        let area = self.one(&["320213", "320211", "110105", "440305", "510107"]);
        let day = self.day(1945, 65).replace('-', "");
        let body = format!("{area}{day}{}", self.digits(3));
        let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
        let digits = body.chars().filter_map(|c| c.to_digit(10));
        let sum: u32 = digits
            .zip(weights)
            .map(|(digit, weight)| digit * weight)
            .sum();
        let check = "10X98765432"
            .chars()
            .nth(usize::try_from(sum % 11).unwrap())
            .unwrap();
        format!("{body}{check}")
    }

    pub(super) fn phone(&mut self) -> String {
        format!("1{}{}", 3 + self.below(7), self.digits(9))
    }

    fn bank_card(&mut self) -> String {
        let body = format!("6222{}", self.digits(14));
        let sum: u32 = body
            .bytes()
            .rev()
            .enumerate()
            .map(|(at, byte)| {
                let digit = u32::from(byte - b'0') * if at % 2 == 0 { 2 } else { 1 };
                digit / 10 + digit % 10
            })
            .sum();
        format!("{body}{}", (10 - sum % 10) % 10)
    }

    pub(super) fn person_name(&mut self) -> String {
        let surname = self.one(&[
            "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "欧阳", "沈",
        ]);
        let given = [
            "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "涛",
            "明", "超",
        ];
        let second = if self.below(3) > 0 {
            self.one(&given)
        } else {
            ""
        };
        format!("{surname}{}{second}", self.one(&given))
    }

    pub(super) fn amount(&mut self) -> String {
        format!("{}.{}", 1000 + self.below(9000), self.digits(2))
    }

    fn day(&mut self, from: u64, years: u64) -> String {
        format!(
            "{}-{:02}-{:02}",
            from + self.below(years),
            1 + self.below(12),
            1 + self.below(28)
        )
    }

    fn address(&mut self) -> String {
        let district = self.one(&["滨湖区", "梁溪区", "锡山区", "新吴区"]);
        let street = self.one(&["太湖大道", "人民路", "中山路", "学前街", "湖滨新村"]);
        format!(
            "江苏省无锡市{district}{street}{}号{}室",
            1 + self.below(900),
            101 + self.below(2000)
        )
    }

    fn dirty(&mut self) -> String {
        self.one(&["", "无", "NULL", "-", "不详", "0", "未知", "N/A"])
            .to_owned()
    }

    /// A value of the column of this kind and Chinese name.
    fn value(&mut self, kind: Kind, name: &str) -> String {
        match kind {
            Kind::SubjectId => format!("P{}", self.digits(9)),
            Kind::ResidentId => self.resident_id(),
            Kind::PersonName => self.person_name(),
            Kind::Phone => self.phone(),
            Kind::BankAccount => self.bank_card(),
            Kind::SocialAccount => format!("wx_{}", self.digits(8)),
            Kind::Email => format!("u{}@example.com", self.digits(6)),
            Kind::Address => self.address(),
            Kind::Plate => format!("苏B{}", self.digits(5)),
            Kind::Date if name == "出生日期" => self.day(1945, 65),
            Kind::Date => self.day(2015, 11),
            Kind::Amount => self.amount(),
            Kind::Count => (1 + self.below(7)).to_string(),
            Kind::Ratio => format!("0.{:02}", 5 + self.below(8)),
            Kind::Code if name == "单位类型" => self
                .one(&["民营企业", "国有企业", "机关", "事业单位"])
                .to_owned(),
            Kind::Code => self
                .one(&["滨湖区", "梁溪区", "锡山区", "新吴区", "江阴市"])
                .to_owned(),
            Kind::FreeText => {
                let what = self.one(&["材料已补齐", "电话未接", "要求复核", "已告知结果"]);
                format!(
                    "第{}次回访，{what}，编号{}",
                    self.below(90),
                    self.below(9000)
                )
            }
            Kind::Other => self.below(900_000).to_string(),
        }
    }
}
