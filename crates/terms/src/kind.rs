use crate::Unreadable;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal / $chinese:literal),+ $(,)?) => {
        /// What an item is about. The mask table is indexed by kind and grade.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub enum Kind { $($(#[$doc])* $name),+ }

        impl Kind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The kind as seeds and policies write it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// The kind as people here call it; lists of entries may write it so.
            #[must_use]
            pub const fn chinese(self) -> &'static str {
                match self { $(Self::$name => $chinese),+ }
            }
        }
    };
}

kinds! {
    /// A number that stands for the subject of a dataset.
    SubjectId = "subject_id" / "主体标识",
    /// 证件号码, 18 characters with a check digit. Source: GB 11643.
    ResidentId = "resident_id" / "证件号码",
    /// 姓名.
    PersonName = "person_name" / "姓名",
    /// 手机号.
    Phone = "phone" / "手机号",
    /// A bank or provident-fund account.
    BankAccount = "bank_account" / "银行账号",
    /// An account of a social service.
    SocialAccount = "social_account" / "社会账号",
    /// An e-mail address.
    Email = "email" / "电子邮箱",
    /// A postal address.
    Address = "address" / "地址",
    /// A number plate.
    Plate = "plate" / "车牌号",
    /// A calendar day or an instant.
    Date = "date" / "日期",
    /// Money.
    Amount = "amount" / "金额",
    /// A number of things.
    Count = "count" / "数量",
    /// A share or a rate.
    Ratio = "ratio" / "比率",
    /// A value from a closed list.
    Code = "code" / "代码",
    /// Anything a person wrote.
    FreeText = "free_text" / "自由文本",
    /// None of these.
    Other = "other" / "其他",
}

impl Kind {
    /// Whether values identify somebody or something, so that a token may stand for them.
    #[must_use]
    pub const fn is_identifier(self) -> bool {
        match self {
            Self::SubjectId
            | Self::ResidentId
            | Self::PersonName
            | Self::Phone
            | Self::BankAccount
            | Self::SocialAccount
            | Self::Email
            | Self::Plate => true,
            Self::Address
            | Self::Date
            | Self::Amount
            | Self::Count
            | Self::Ratio
            | Self::Code
            | Self::FreeText
            | Self::Other => false,
        }
    }
}

impl TryFrom<String> for Kind {
    type Error = Unreadable;
    fn try_from(word: String) -> Result<Self, Unreadable> {
        Self::ALL
            .iter()
            .copied()
            .find(|kind| kind.word() == word)
            .ok_or_else(|| {
                let words: Vec<_> = Self::ALL.iter().map(|kind| kind.word()).collect();
                Unreadable::new("item kind", &word, format!("one of {}", words.join(", ")))
            })
    }
}

impl From<Kind> for String {
    fn from(kind: Kind) -> String {
        kind.word().to_owned()
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests;
