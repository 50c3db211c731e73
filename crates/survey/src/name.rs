//! What the name of a column says, in Chinese, English or the initials of pinyin.

mod chinese; // words, and those that only stand at the end
mod latin; // words and initials, by their parts

use terms::Kind;

/// What a word says of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    /// What the column is about.
    pub(crate) kind: Kind,
    /// What else the word says.
    pub(crate) note: Note,
}

/// What a word says beside the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Note {
    /// Nothing.
    None,
    /// 出生日期: a date that is somebody's.
    Birth,
    /// It identifies people, and may be the subject.
    Person,
    /// 敏感个人信息 whose leak is worst: health, faith, biometrics, offences. Source: PIPL art. 28.
    Special,
}

/// What a name says; none where it says nothing known.
///
/// Shape: the head of a name stands at its end (法定代表人身份证号 is a number, `phone_type` a type), so
/// the known word that ends last decides, and of two that end together the longer.
pub(crate) fn named(name: &str) -> Option<Named> {
    chinese::named(name).or_else(|| latin::named(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names by what they say, parted by blanks.
    const NAMES: &[(Option<Kind>, &str)] = &[
        (
            Some(Kind::ResidentId),
            "证件号码 法定代表人身份证号 sfzh id_card IdCardNo citizen_id_number",
        ),
        (
            Some(Kind::Phone),
            "手机号 联系人电话 phone_number phone_no contactPhone lxdh 户主联系方式",
        ),
        (
            Some(Kind::PersonName),
            "姓名 职工姓名 户主 name patient_name xm fullName",
        ),
        (
            Some(Kind::BankAccount),
            "个人账号 补贴个人账号 银行卡号 bank_card_no account_number yhkh",
        ),
        (
            Some(Kind::Address),
            "家庭住址 身份证地址 home_address addr jtzz",
        ),
        (Some(Kind::Email), "电子邮箱 email e_mail contact_email"),
        (Some(Kind::Plate), "车牌号 号牌号码 license_plate cphm"),
        (
            Some(Kind::SocialAccount),
            "社保卡号 微信号 wechat_id openid",
        ),
        (
            Some(Kind::Date),
            "出生日期 身份证签发日期 date_of_birth visit_date csrq created_at",
        ),
        (
            Some(Kind::Amount),
            "月缴额 人均可支配收入 unit_price salary gdp",
        ),
        (Some(Kind::Ratio), "职工缴存率 缴存比率 tax_rate 占比"),
        (
            Some(Kind::Count),
            "窗口数 常住人口 age 年龄 visit_count 户数",
        ),
        (
            Some(Kind::Code),
            "性别 证件类型 区划代码 区 phone_type hospital_name 单位名称 gender",
        ),
        (
            Some(Kind::SubjectId),
            "患者编号 流水号 pid user_id 学号 统一社会信用代码",
        ),
        (Some(Kind::FreeText), "备注 诊断 remark diagnosis"),
        (None, "x col_7 fnlwgt 甲乙 数据来源"),
    ];

    #[test]
    fn the_head_of_a_name_decides() {
        for (kind, names) in NAMES {
            for name in names.split(' ') {
                assert_eq!(named(name).map(|named| named.kind), *kind, "{name}");
            }
        }
    }

    #[test]
    fn a_day_of_birth_and_what_is_worst_are_noted() {
        let note = |name| named(name).unwrap().note;
        assert_eq!(note("出生日期"), Note::Birth);
        assert_eq!(note("dob"), Note::Birth);
        assert_eq!(note("诊断结果"), Note::Special);
        assert_eq!(note("pid"), Note::Person);
        assert_eq!(note("vid"), Note::None);
    }
}
