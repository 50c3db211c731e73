use crate::catalogue::{Form, list, write};
use policy::Engine;
use std::{path::Path, sync::LazyLock};
use terms::{Dataset, Grade, Kind, Opening, RiskLevel, Sharing};

const LIST: &str = r#"
[[entry]]
[entry.dataset]
name = "visits"
title = "门诊, “visits”"
content = """two
lines"""
provider = "health-bureau"
source = "register"
sector = "medical"
update = "daily"
subject = "pid"
[entry.dataset.risk]
level = "medium"
by = "third party"
until = 2027-01-31
mitigations = ["masks"]
[[entry.item]]
name = "pid"
title = "=患者"
kind = "subject_id"
grade = 3
impact = { degree = "serious", scope = "narrow" }
unique = true
domain = "person"
[[entry.item]]
name = "件数"
kind = "count"
grade = 1
[[entry.item]]
name = "price"
kind = "amount"
grade = 2
mask = "band(2500.5)"
band = 0.25
sharing = "conditional"
opening = "conditional"
[[entry.item]]
name = "total"
kind = "amount"
grade = 2
derived = "price * 件数"

[[entry]]
[entry.dataset]
name = "gjj.barred"
title = "Barred"
provider = "acme"
source = "upload"
sector = "general"
update = "once"
external = true
prohibited = true
basis = "第九条"
[[entry.item]]
name = "区"
kind = "code"
grade = 1
"#;

static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::load(None));

fn read(dir: &Path, name: &str, text: &[u8]) -> Result<Vec<Dataset>, Vec<String>> {
    let file = dir.join(name);
    std::fs::write(&file, text).unwrap();
    let read = list(&file, "city", ENGINE.masks().unwrap());
    let place = format!("{}, ", file.display());
    read.map_err(|wrong| {
        let without_file = |said: String| said.replace(&place, "");
        wrong.mistakes.into_iter().map(without_file).collect()
    })
}

/// Each mistake, and nothing else, is told: the place it stands at and a word of the remedy.
fn check(name: &str, text: &str, expect: &[(&str, &str)]) {
    let dir = tempfile::tempdir().unwrap();
    let wrong = read(dir.path(), name, text.as_bytes()).unwrap_err();
    assert_eq!(wrong.len(), expect.len(), "{wrong:#?}");
    for (said, (place, remedy)) in wrong.iter().zip(expect) {
        assert!(
            said.starts_with(place) && said.contains(remedy),
            "{said}: {place} … {remedy}"
        );
    }
}

#[test]
fn a_list_comes_back_in_every_form_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let all = read(dir.path(), "list.toml", LIST.as_bytes()).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].name.as_str(), "city.visits");
    assert_eq!(all[0].risk.as_ref().unwrap().level, RiskLevel::Medium);
    assert_eq!(all[1].prohibited.as_deref(), Some("第九条"));
    for (name, form) in [
        ("l.json", Form::Json),
        ("l.toml", Form::Toml),
        ("l.csv", Form::Csv),
    ] {
        let text = write(&all, form).unwrap();
        let mut again = read(dir.path(), name, text.as_bytes()).unwrap();
        if form == Form::Csv {
            assert_eq!(again[0].risk, None, "CSV says that it has none");
            again[0].risk.clone_from(&all[0].risk);
        }
        assert_eq!(again, all, "{text}");
        assert_eq!(write(&again, form).unwrap(), text);
    }
}

#[test]
fn what_the_catalogue_tells_is_a_list_too() {
    let dir = tempfile::tempdir().unwrap();
    let all = read(dir.path(), "list.toml", LIST.as_bytes()).unwrap();
    let told: Vec<String> = all
        .iter()
        .map(|one| {
            format!(
                r#"{{"dataset": {}, "snapshot": null}}"#,
                serde_json::to_string(one).unwrap()
            )
        })
        .collect();
    let told = format!("[{}]", told.join(","));
    assert_eq!(read(dir.path(), "told.json", told.as_bytes()).unwrap(), all);
}

const HEADINGS: &str = "dataset,title,provider,source,sector,update,subject,item,kind,grade,degree,scope,mask,unique,unconfirmed";

#[test]
fn a_list_in_chinese_words_is_understood() {
    let dir = tempfile::tempdir().unwrap();
    let text = "\u{feff}数据集,数据集名称,提供单位,来源,领域,更新周期,主体项,数据项,类型,等级,影响程度,影响范围,唯一,共享属性,开放属性\r\n\
                visits,门诊,卫健委,业务系统,医疗,每日,证件号码,证件号码,证件号码,3级,严重影响,较小范围,是,有条件共享,不予开放\r\n\
                ,,,,,,,,,,,,,,\r\n\
                visits,,,,,,,手机号,手机号,2,轻微影响,较小范围,否,,\r\n";
    let all = read(dir.path(), "list.csv", text.as_bytes()).unwrap();
    let [visits] = all.as_slice() else {
        panic!("{all:?}")
    };
    let [id, phone] = visits.items.as_slice() else {
        panic!("{visits:?}")
    };
    assert_eq!(
        (id.kind, id.grade, id.unique),
        (Kind::ResidentId, Grade::Three, true)
    );
    assert_eq!(
        (id.sharing, id.opening),
        (Sharing::Conditional, Opening::NotOpened)
    );
    assert_eq!(
        (phone.kind, phone.grade, phone.unique),
        (Kind::Phone, Grade::Two, false)
    );
    assert_eq!(phone.impact.unwrap().proposed(), Grade::Two);
    assert_eq!(visits.sector.word(), "medical");
}

#[test]
fn every_mistake_of_a_table_is_told_with_row_and_column() {
    let row = |text: &str| format!("{HEADINGS}\n{text}");
    check("list.csv", "", &[("row 1", "headings")]);
    check("list.csv", &row(""), &[("", "no entry")]);
    check(
        "list.csv",
        &row("a,A,p,s,medical,daily,,x,phon,2,,,,,\n\
              a,,q,,,,,y,phone,5,,,,,\n\
              a,,,,,,,z,phone,two,slight,,,,\n\
              ,,,,,,,w,code,1,,,,,\n\
              a,,,,,,,v,code,1,,,shown,maybe,\n\
              a,,,,,,,u,code\n"),
        &[
            ("row 3, column `provider`", "row 2"),
            ("row 4, column `grade`", "1, 2, 3 or 4"),
            ("row 4, column `scope`", "beside the degree"),
            ("row 5, column `dataset`", "each row"),
            ("row 6, column `unique`", "true or false"),
            ("row 7", "9 cells"),
            ("row 2, item `x`, kind", "one of"),
            ("row 3, item `y`, grade", "1, 2, 3 or 4"),
            ("row 4, item `z`, grade", "write its grade"),
            ("row 6, item `v`, mask", "one of plain"),
        ],
    );
    check(
        "list.csv",
        &row("a,A,p,s,health,daily,,x,phone,2,,,,,\n"),
        &[("row 2, sector", "one of")],
    );
    check(
        "list.csv",
        &row("a b,A,p,s,medical,daily,,x,phone,2,,,,,\n"),
        &[("row 2, name", "letters")],
    );
    check(
        "list.csv",
        "dataset,titel,item,item,kind,grade,title,provider,source,sector,update\n",
        &[
            ("row 1, column `titel`", "更新周期"),
            ("row 1, column `item`", "twice"),
        ],
    );
    check(
        "list.csv",
        "dataset,title,item,kind,grade,provider,source,sector\n",
        &[("row 1", "`update`")],
    );
}

#[test]
fn entries_are_judged_by_the_rules_and_beside_each_other() {
    let row = |text: &str| format!("{HEADINGS}\n{text}");
    check(
        "list.csv",
        &row("a,A,p,s,medical,daily,x,x,phone,2,,,,,\n\
              b,,p,s,medical,daily,,x,phone,2,,,,,\n\
              c,C,p,s,medical,daily,y,x,phone,2,,,,,\n\
              city.a,A,p,s,medical,daily,,x,phone,3,,,\"partial(3,4)\",,\n\
              e,E,p,s,medical,daily,,x,phone,2,,,,,\n\
              e,,,,,,,x,phone,2,,,,,\n"),
        &[
            ("row 3", "`title` is empty"),
            ("row 4", "none of its items"),
            ("row 5, dataset `city.a`", "row 2"),
            ("row 5, dataset `city.a`", "reveals more"),
            ("row 6", "listed twice"),
        ],
    );
}

#[test]
fn a_guess_that_nobody_confirmed_is_refused_in_a_list_of_any_form() {
    let row = "a,A,p,s,medical,daily,,x,phone,2,,,,,true\n";
    check(
        "list.csv",
        &format!("{HEADINGS}\n{row}"),
        &[("row 2, item `x`", "unconfirmed")],
    );
    let marked = LIST.replace("name = \"price\"", "unconfirmed = true\nname = \"price\"");
    check(
        "list.toml",
        &marked,
        &[("line 30, item `price`", "unconfirmed")],
    );
    let dir = tempfile::tempdir().unwrap();
    let all = read(dir.path(), "list.toml", LIST.as_bytes()).unwrap();
    let json = write(&all, Form::Json).unwrap();
    let marked = json.replacen(
        "\"name\": \"price\"",
        "\"unconfirmed\": true, \"name\": \"price\"",
        1,
    );
    check("list.json", &marked, &[("entry 1", "unconfirmed")]);
}

#[test]
fn mistakes_of_other_forms_are_told_by_line_and_entry() {
    let wrong = LIST
        .replace("grade = 1", "grade = 7")
        .replace("kind = \"code\"", "kind = \"kode\"");
    check(
        "list.toml",
        &wrong,
        &[
            ("line 26, item `件数`, grade", "1, 2, 3 or 4"),
            ("line 55, item `区`, kind", "one of"),
            ("line 55, item `区`, grade", "1, 2, 3 or 4"),
        ],
    );
    check(
        "list.toml",
        &LIST.replace("sector = \"general\"", "sektor = 1"),
        &[("line 50", "sektor")],
    );
    check("list.toml", "[[entry]\n", &[("line 1", "")]);
    check(
        "list.json",
        "[\n{\"dataset\": 1},]",
        &[("", "line 2 column")],
    );
    check("list.json", "[{\"dataset\": {}}]", &[("entry 1", "name")]);
    check("list.txt", "x", &[("", ".csv, .json or .toml")]);
    let dir = tempfile::tempdir().unwrap();
    let gbk = read(dir.path(), "list.csv", b"a,b\n\xca\xfd\xbe\xdd,1\n").unwrap_err();
    assert!(gbk[0].starts_with("line 2: not UTF-8"), "{gbk:?}");
}
