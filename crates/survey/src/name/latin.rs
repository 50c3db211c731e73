use super::{Named, Note};
use terms::Kind;

/// Words by the parts of a name, `a b` for two that follow each other; initials of pinyin among them.
const WORDS: &[(Kind, Note, &str)] = &[
    (
        Kind::ResidentId,
        Note::Person,
        "id_card idcard id_card_no id_card_number id_card_num id_number id_no id_num idno nat_id cert_no citizen_id identity_number identity_card identity_no \
         resident_id national_id passport passport_no ssn sfz sfzh sfzhm sfzjh gmsfhm sfhm zjhm zjh",
    ),
    (
        Kind::PersonName,
        Note::Person,
        "name real_name realname fullname full_name first_name last_name firstname \
         lastname surname owner holder contact contact_person applicant borrower lender payee insured driver buyer seller \
         representative guardian father mother spouse xm xingming lxr fddbr hz",
    ),
    (
        Kind::Phone,
        Note::None,
        "phone telephone mobile cellphone cell tel phonenumber phone_number mobile_number fax sj sjh \
         sjhm lxdh lxfs dh dhhm shouji dianhua",
    ),
    (
        Kind::BankAccount,
        Note::None,
        "account acct account_number account_no bank_card bankcard card_no card_number card_num iban \
         bank_account yhkh yhzh yhk zh grzh kh",
    ),
    (
        Kind::SocialAccount,
        Note::None,
        "wechat weixin qq weibo alipay openid open_id wechat_id unionid username user_name login \
         nickname social_security social_security_number social_security_no social_insurance social_insurance_no medicare sbkh sbh ybkh ybh",
    ),
    (
        Kind::Email,
        Note::None,
        "email e_mail mail email_address email_addr mail_address mail_addr mailbox yx dzyx dzyj youxiang",
    ),
    (
        Kind::Address,
        Note::None,
        "address addr residence domicile street_address home_addr longitude latitude lng lat lon geo \
         gps dz zz jtzz jtdz hjdz jzdz txdz zhuzhi dizhi",
    ),
    (
        Kind::Plate,
        Note::None,
        "plate license_plate plate_no plate_number licence_plate number_plate cph cphm hphm",
    ),
    (
        Kind::Date,
        Note::Birth,
        "birth dob birthday birthdate birth_date birth_day date_of_birth csrq csny shengri",
    ),
    (
        Kind::Date,
        Note::None,
        "date datetime time timestamp day month year since at dt rq riqi sj_rq cjsj gxsj kssj jssj nd",
    ),
    (
        Kind::Amount,
        Note::None,
        "amount amt price cost fee salary wage income pay payment revenue balance expense tax gdp \
         gain loss premium pension capital deposit loan budget asset debt charge sum_paid total_paid je jine gz sr ye dj zj fy",
    ),
    (
        Kind::Ratio,
        Note::None,
        "ratio rate percent occupancy percentage pct share proportion fraction bl lv",
    ),
    (
        Kind::Count,
        Note::None,
        "count cnt quantity qty num pop population age hour hr minute duration times headcount sl rs \
         cs nl years",
    ),
    (
        Kind::Code,
        Note::None,
        "sex gender race ethnicity ethnic type status code category class level grade district city \
         province county country region state education degree marital marriage occupation job \
         relationship nationality industry sector label flag kind hospital hosp dept department unit \
         org company school is has role zone xb mz xl hyzk zt lx lb dm xzqh hy zy",
    ),
    (
        Kind::SubjectId,
        Note::Person,
        "pid person_id patient_id user_id userid uid customer_id client_id citizen_no employee_id \
         employee_no emp_no emp_id student_id student_no member_id resident_no insured_id grbh rybh \
         xh gh blh zyh",
    ),
    (
        Kind::SubjectId,
        Note::None,
        "id no number serial uuid guid rowguid rowid key ref identifier vid bh lsh xuhao tyshxydm",
    ),
    (
        Kind::FreeText,
        Note::Special,
        "diag diagnosis disease illness symptom medical_history religion faith biometric fingerprint \
         genome gene face iris crime criminal offence offense disability zd zdjg",
    ),
    (
        Kind::FreeText,
        Note::None,
        "remark note notes comment description desc memo text content summary reason message bz beizhu \
         ms sm",
    ),
];

/// What a thing is called, so that its name is nobody's.
const THINGS: &str = "hospital hosp company firm org organisation organization unit school university \
    dept department district city province county country region state street road area town village \
    product item goods service brand shop store station branch bank project course class major job \
    file table column type category status industry sector team group event road policy disease drug \
    building community park site device model";

/// Words that end a name and say nothing beyond the one before them: `phone_no`.
const TAILS: [&str; 4] = ["no", "number", "num", "nbr"];

/// What a name of Latin letters says.
pub(super) fn named(name: &str) -> Option<Named> {
    let parts = parts(name);
    let (place, named) = best(&parts)?;
    if place == (parts.len(), 1)
        && let Some((last, before)) = parts.split_last()
        && TAILS.contains(&last.as_str())
        && let Some((place, other)) = best(before)
        && place.0 == before.len()
    {
        return Some(other);
    }
    Some(named)
}

/// The word that ends last, the longer of two, with where it ends and how long it is, in parts.
fn best(parts: &[String]) -> Option<((usize, usize), Named)> {
    let mut best: Option<((usize, usize), Named)> = None;
    for (kind, note, words) in WORDS {
        for word in words.split_whitespace() {
            let word: Vec<&str> = word.split('_').collect();
            let found = parts.windows(word.len()).rposition(|window| window == word);
            let Some(at) = found else { continue };
            let place = (at.saturating_add(word.len()), word.len());
            if best.is_none_or(|(best, _)| place > best) {
                let (kind, note) = (*kind, *note);
                best = Some((place, Named { kind, note }));
            }
        }
    }
    let (place, named) = best?;
    let before = place.0.checked_sub(2).and_then(|at| parts.get(at));
    let of_thing = |part: &String| THINGS.split_whitespace().any(|thing| thing == part);
    if named.kind == Kind::PersonName && place.1 == 1 && before.is_some_and(of_thing) {
        let (kind, note) = (Kind::Code, Note::None);
        return Some((place, Named { kind, note }));
    }
    Some((place, named))
}

/// The parts of a name in small letters: `contactPhone_2` is `contact`, `phone`.
fn parts(name: &str) -> Vec<String> {
    let (mut parts, mut part, mut small) = (Vec::new(), String::new(), false);
    for letter in name.chars() {
        let ends = !letter.is_ascii_alphabetic() || (small && letter.is_ascii_uppercase());
        if ends && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
        }
        small = letter.is_ascii_lowercase();
        if letter.is_ascii_alphabetic() {
            part.push(letter.to_ascii_lowercase());
        }
    }
    parts.push(part);
    parts.retain(|part| !part.is_empty());
    for part in &mut parts {
        // Plurals, but not `gps`, `is`, `status` or `address`.
        let plural = part.len() > 4
            && part.ends_with('s')
            && !part.ends_with("ss")
            && !part.ends_with("us")
            && !part.ends_with("is");
        if plural {
            part.pop();
        }
    }
    parts
}
