use std::fmt::{Display, Formatter, Result};
use terms::{Grade, Kind, Mask, Shape};

/// What a guess rests on: names of columns and counts, never a value. Prints as people read it.
#[derive(Debug, Clone, PartialEq)]
pub enum Basis {
    /// The name of the column.
    Name(Kind),
    /// What most values look like.
    Values {
        /// What that is.
        seen: Seen,
        /// How many of them do, in per cent.
        percent: usize,
        /// How many values were looked at.
        of: usize,
    },
    /// Values that look like this stand in it, or within its texts.
    Within {
        /// Like what.
        shape: Shape,
        /// How many do, in per cent.
        percent: usize,
    },
    /// Name and values say different things.
    Disagree {
        /// What the name says.
        name: Kind,
        /// What the values say.
        values: Kind,
    },
    /// The values do not show what the name says.
    Unseen {
        /// How many were looked at.
        of: usize,
    },
    /// There were no values.
    Empty,
    /// Neither name nor values tell.
    Unknown,
    /// Values of this type may be stored at grade 4 only.
    NotPlain(String),
    /// A day of birth, by the name or by the years.
    Birth,
    /// Its leak is among the worst. Source: PIPL art. 28.
    Special,
    /// Money of people.
    OfPeople,
    /// The mask of this kind and grade does not fit values of this type.
    Unfit(Mask),
    /// Values that taking data in will not accept.
    Unloadable {
        /// What stands where.
        kind: Kind,
        /// How many are not so, in per cent.
        percent: usize,
    },
}

/// What values look like together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// Numbers of people and cards, addresses of mail.
    Shape(Shape),
    /// Number plates.
    Plates,
    /// Names of people.
    PersonNames,
    /// Postal addresses.
    Addresses,
    /// Days.
    Days,
    /// Another one in nearly each row.
    Distinct,
    /// A closed list.
    ClosedList,
    /// Texts that somebody wrote.
    Prose,
    /// Numbers with two digits after the point.
    Money,
    /// Numbers from 0 to 1.
    Shares,
}

// === impl Seen ===

impl Seen {
    /// The kind that such values are of.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Shape(shape) => shape.kind(),
            Self::Plates => Kind::Plate,
            Self::PersonNames => Kind::PersonName,
            Self::Addresses => Kind::Address,
            Self::Days => Kind::Date,
            Self::Distinct => Kind::SubjectId,
            Self::ClosedList => Kind::Code,
            Self::Prose => Kind::FreeText,
            Self::Money => Kind::Amount,
            Self::Shares => Kind::Ratio,
        }
    }

    /// Whether each value by itself shows it, not all of them together.
    pub(crate) const fn is_strong(self) -> bool {
        match self {
            Self::Shape(_) | Self::Plates | Self::PersonNames | Self::Addresses | Self::Days => {
                true
            }
            Self::Distinct | Self::ClosedList | Self::Prose | Self::Money | Self::Shares => false,
        }
    }

    /// As it is told, in English and Chinese.
    const fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::Shape(shape) => of_shape(shape),
            Self::Plates => ("are number plates", "是车牌号"),
            Self::PersonNames => ("are written like names of people", "形似人名"),
            Self::Addresses => ("are written like postal addresses", "形似地址"),
            Self::Days => ("are days", "是日期"),
            Self::Distinct => ("are different numbers or codes", "是互不相同的编号"),
            Self::ClosedList => ("are of a short list", "属于少数几个取值"),
            Self::Prose => ("are texts that differ", "是各不相同的文字"),
            Self::Money => ("are numbers as of money", "形似金额"),
            Self::Shares => ("are numbers from 0 to 1", "是 0 到 1 的数"),
        }
    }
}

const fn of_shape(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::ResidentId => (
            "are identity numbers with a right check digit",
            "是校验位正确的居民身份证号",
        ),
        Shape::BankCard => (
            "are bank cards with a right check digit",
            "是校验位正确的银行卡号",
        ),
        Shape::Phone => ("are mobile phone numbers", "是手机号"),
        Shape::Email => ("are e-mail addresses", "是电子邮箱"),
    }
}

// === impl Basis ===

impl Display for Basis {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Name(kind) => {
                write!(f, "the name says {kind} / 列名所指：{}", kind.chinese())
            }
            Self::Values { seen, percent, of } => {
                let (english, chinese) = seen.told();
                write!(f, "{percent} % of {of} values {english} / 抽取 {of} 个值，{percent} % {chinese}")
            }
            Self::Within { shape, percent } => {
                let (english, chinese) = of_shape(*shape);
                write!(f, "{percent} % {english}, or have one in them / {percent} % {chinese}或含有之")
            }
            Self::Disagree { name, values } => write!(
                f,
                "name ({name}) and values ({values}) disagree: graded as the more sensitive / \
                 列名（{}）与取值（{}）不符：从严定级",
                name.chinese(),
                values.chinese()
            ),
            Self::Unseen { of } => write!(
                f,
                "{of} values do not show it / 抽取的 {of} 个值未体现"
            ),
            Self::Empty => f.write_str("no values among those looked at / 抽取的行中无值"),
            Self::Unknown => f.write_str(
                "neither name nor values tell: say the kind and write a grade / 无法判断：请填写类型与等级",
            ),
            Self::NotPlain(stored) => write!(
                f,
                "values of type {stored} may be stored at grade 4 only, and were not looked at / \
                 {stored} 类型的值只能按 4 级保存，未抽样"
            ),
            Self::Birth => f.write_str("days of birth, by the name or by their years / 出生日期（依列名或年份跨度）"),
            Self::Special => f.write_str(
                "health, faith, biometrics or offences: sensitive by law / 健康、信仰、生物识别或违法信息：依法从严",
            ),
            Self::OfPeople => f.write_str("money of people / 个人资金"),
            Self::Unfit(mask) => write!(
                f,
                "the mask `{mask}` does not fit values of this type / 脱敏方式 {mask} 不适用于此类型"
            ),
            Self::Unloadable { kind, percent } => {
                let (english, chinese) = as_taken_in(*kind);
                write!(
                    f,
                    "{percent} % are not {english}, which `dataset load` stops at: correct the file / \
                     {percent} % 不是{chinese}，导入时会被拒绝：请修正文件"
                )
            }
        }
    }
}

/// What taking data in asks of values of a kind that is not text.
fn as_taken_in(kind: Kind) -> (&'static str, &'static str) {
    if kind == Kind::Date {
        return ("written YYYY-MM-DD", " YYYY-MM-DD 形式的日期");
    }
    ("plain numbers", "纯数字")
}

/// The grade that a kind has by its nature, as the guide's example grades it or stricter; none for what
/// is not known. Never grade 1: that something is harmless, a person says.
///
/// Source: CG-C.
pub(crate) fn nature(kind: Kind) -> Option<Grade> {
    if let Some(shape) = Shape::ALL.into_iter().find(|shape| shape.kind() == kind) {
        return Some(shape.grade());
    }
    match kind {
        Kind::SubjectId
        | Kind::ResidentId
        | Kind::BankAccount
        | Kind::SocialAccount
        | Kind::Address
        | Kind::FreeText => Some(Grade::Three),
        Kind::PersonName
        | Kind::Phone
        | Kind::Email
        | Kind::Plate
        | Kind::Date
        | Kind::Amount
        | Kind::Count
        | Kind::Ratio
        | Kind::Code => Some(Grade::Two),
        Kind::Other => None,
    }
}
