//! The headings and words of a list in CSV, in English and Chinese.

use super::raw::{Dataset, Item};
use serde::de::DeserializeOwned;
use terms::{Impact, Kind};

macro_rules! fields {
    ($($name:ident = $word:literal / $chinese:literal),+ $(,)?) => {
        /// A column of a list.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(super) enum Field { $($name),+ }

        impl Field {
            /// All, in the order in which they are written.
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The heading in English.
            pub(super) const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The heading in Chinese.
            pub(super) const fn chinese(self) -> &'static str {
                match self { $(Self::$name => $chinese),+ }
            }
        }
    };
}

fields! {
    Dataset = "dataset" / "数据集",
    Title = "title" / "数据集名称",
    Content = "content" / "内容",
    Provider = "provider" / "提供单位",
    Source = "source" / "来源",
    Sector = "sector" / "领域",
    Update = "update" / "更新周期",
    Subject = "subject" / "主体项",
    External = "external" / "社会数据",
    Basis = "basis" / "禁止运营依据",
    Item = "item" / "数据项",
    ItemTitle = "item_title" / "数据项名称",
    Kind = "kind" / "类型",
    Grade = "grade" / "等级",
    Degree = "degree" / "影响程度",
    Scope = "scope" / "影响范围",
    Mask = "mask" / "脱敏方式",
    Band = "band" / "分档宽度",
    Derived = "derived" / "计算方式",
    Unique = "unique" / "唯一",
    Domain = "domain" / "标识域",
    Sharing = "sharing" / "共享属性",
    Opening = "opening" / "开放属性",
    Unconfirmed = "unconfirmed" / "未确认",
}

/// Words of closed lists in Chinese, with ours.
const WORDS: &[(&str, &str)] = &[
    ("无条件共享", "unconditional"),
    ("有条件共享", "conditional"),
    ("不予共享", "not-shared"),
    ("无条件开放", "unconditional"),
    ("有条件开放", "conditional"),
    ("不予开放", "not-opened"),
    ("无影响", "none"),
    ("轻微影响", "slight"),
    ("严重影响", "serious"),
    ("特别严重影响", "very-serious"),
    ("较小范围", "narrow"),
    ("较大范围", "wide"),
    ("是", "true"),
    ("否", "false"),
    ("1", "true"),
    ("0", "false"),
    ("TRUE", "true"),
    ("FALSE", "false"),
    ("金融", "finance"),
    ("教育", "education"),
    ("交通", "transport"),
    ("医疗", "medical"),
    ("能源", "energy"),
    ("工业", "industry"),
    ("通信", "telecom"),
    ("信用", "credit"),
    ("文旅", "culture-tourism"),
    ("社会保障", "social-security"),
    ("公积金", "provident-fund"),
    ("不动产", "real-estate"),
    ("综合", "general"),
];

/// A word as we write it, where there is a Chinese one for it.
fn ours(text: &str) -> &str {
    let found = WORDS.iter().find(|(chinese, _)| *chinese == text);
    found.map_or(text, |(_, word)| word)
}

fn truth(text: &str) -> Result<bool, String> {
    let wrong = || format!("`{text}`: write true or false / 请填写“是”或“否”");
    ours(text).parse().map_err(|_| wrong())
}

/// Says something of a dataset.
pub(super) fn dataset(dataset: &mut Dataset, field: Field, text: &str) -> Result<(), String> {
    let said = text.to_owned();
    match field {
        Field::Title => dataset.title = said,
        Field::Content => dataset.content = said,
        Field::Provider => dataset.provider = said,
        Field::Source => dataset.source = said,
        Field::Sector => dataset.sector = ours(text).to_owned(),
        Field::Update => dataset.update = said,
        Field::Subject => dataset.subject = Some(said),
        Field::External => dataset.external = truth(text)?,
        Field::Basis => (dataset.prohibited, dataset.basis) = (true, Some(said)),
        Field::Dataset
        | Field::Item
        | Field::ItemTitle
        | Field::Kind
        | Field::Grade
        | Field::Degree
        | Field::Scope
        | Field::Mask
        | Field::Band
        | Field::Derived
        | Field::Unique
        | Field::Domain
        | Field::Sharing
        | Field::Opening
        | Field::Unconfirmed => {}
    }
    Ok(())
}

/// Says something of an item; degree and scope are one thing, said by [`impact`].
pub(super) fn item(item: &mut Item, field: Field, text: &str) -> Result<(), String> {
    let said = Some(text.to_owned());
    match field {
        Field::Item => item.name = text.to_owned(),
        Field::ItemTitle => item.title = text.to_owned(),
        Field::Kind => {
            let kind = Kind::ALL.iter().find(|kind| kind.chinese() == text);
            item.kind = kind.map_or(text, |kind| kind.word()).to_owned();
        }
        Field::Grade => {
            let number = text.trim_end_matches('级').trim().parse();
            let wrong = |_| format!("`{text}` is no grade: 1, 2, 3 or 4 (CG-6.2) / 等级为 1 至 4");
            item.grade = Some(number.map_err(wrong)?);
        }
        Field::Mask => item.mask = said,
        Field::Band => {
            let wrong = |_| format!("`{text}` is no number above 0 / 分档宽度须为正数");
            item.band = Some(text.parse().map_err(wrong)?);
        }
        Field::Derived => item.derived = said,
        Field::Unique => item.unique = truth(text)?,
        Field::Domain => item.domain = said,
        Field::Sharing => item.sharing = Some(ours(text).to_owned()),
        Field::Opening => item.opening = Some(ours(text).to_owned()),
        Field::Unconfirmed => item.unconfirmed = truth(text)?,
        Field::Dataset
        | Field::Title
        | Field::Content
        | Field::Provider
        | Field::Source
        | Field::Sector
        | Field::Update
        | Field::Subject
        | Field::External
        | Field::Basis
        | Field::Degree
        | Field::Scope => {}
    }
    Ok(())
}

/// What harm a leak would do: degree and scope, or neither; else the column and what to write there.
pub(super) fn impact(
    degree: Option<&str>,
    scope: Option<&str>,
) -> Result<Option<Impact>, (Field, String)> {
    let (degree, scope) = match (degree, scope) {
        (None, None) => return Ok(None),
        (Some(degree), Some(scope)) => (degree, scope),
        (None, Some(_)) => {
            return Err((
                Field::Degree,
                "write it beside the scope / 请填写影响程度".to_owned(),
            ));
        }
        (Some(_), None) => {
            return Err((
                Field::Scope,
                "write it beside the degree / 请填写影响范围".to_owned(),
            ));
        }
    };
    let degree = word(degree).map_err(|what| (Field::Degree, what))?;
    let scope = word(scope).map_err(|what| (Field::Scope, what))?;
    Ok(Some(Impact { degree, scope }))
}

fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    let ours = serde_json::Value::from(ours(text));
    serde_json::from_value(ours).map_err(|error| error.to_string())
}

// === impl Field ===

impl Field {
    /// The column of a heading in either language.
    pub(super) fn of(heading: &str) -> Option<Self> {
        let is = |field: &&Self| field.word() == heading || field.chinese() == heading;
        Self::ALL.iter().find(is).copied()
    }

    /// Whether it says something of the dataset, not of an item.
    pub(super) fn is_of_dataset(self) -> bool {
        self < Self::Item && self != Self::Dataset
    }

    /// Whether no list is without it.
    pub(super) const fn is_needed(self) -> bool {
        matches!(
            self,
            Self::Dataset
                | Self::Title
                | Self::Provider
                | Self::Source
                | Self::Sector
                | Self::Update
                | Self::Item
                | Self::Kind
                | Self::Grade
        )
    }
}
