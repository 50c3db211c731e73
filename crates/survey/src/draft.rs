use crate::entry::{Described, Entry};
use terms::Grade;
use toml::Value;

/// What a person says of the dataset as a whole; empty where they have not yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elements {
    /// `schema.table`, or `table` in the domain's own schema.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// The body that provides it.
    pub provider: String,
    /// Where the provider has it from.
    pub source: String,
    /// The field it belongs to.
    pub sector: String,
    /// Update cycle.
    pub update: String,
}

/// The entry as TOML, as `dataset propose` and `add` read it, each guess marked `unconfirmed = true`, which
/// they refuse: beside it stands on what the guess rests.
///
/// Source: PD-13, CG-6.3: grades are confirmed, not computed.
#[must_use]
pub fn draft(entry: &Entry, elements: &Elements, file: &str) -> String {
    let mut text = format!(
        "# A draft, guessed from {}: {} rows, {} looked at, spread over the file.\n\
         # 由该文件推断的编目草稿：共 {} 行，抽取 {} 行，均匀分布于全文件。\n\
         # Nothing here is confirmed. Put right what is wrong, fill in what is missing, and delete the line\n\
         # `unconfirmed = true` of each part that you confirm; the entry is refused while one is left.\n\
         # 以下均未确认。请更正、补全，并逐项删除 unconfirmed = true 一行；未确认完毕不予编目。\n\n[dataset]\n",
        file.escape_debug(),
        entry.rows,
        entry.looked_at,
        entry.rows,
        entry.looked_at,
    );
    let mut line = |key: &str, value: &str, remedy: &str| {
        let quoted = Value::String(value.to_owned()).to_string();
        let remedy = if value.is_empty() { remedy } else { "" };
        text.push_str(&format!("{key} = {quoted}{remedy}\n"));
    };
    line("name", &elements.name, "");
    line("title", &elements.title, "  # what people call it / 名称");
    line(
        "provider",
        &elements.provider,
        "  # the body that provides it / 提供单位",
    );
    line(
        "source",
        &elements.source,
        "  # where it has it from / 来源",
    );
    line("sector", &elements.sector, "  # medical, finance, … / 领域");
    line(
        "update",
        &elements.update,
        "  # how often it is renewed / 更新周期",
    );
    match &entry.subject {
        Some(subject) => line("subject", subject.as_str(), ""),
        None => text.push_str("# subject = \"\"\n"),
    }
    text.push_str(
        "# The subject is the item whose values are the people the data is about; without one, no threshold\n\
         # protects anybody. 主体项：其取值即数据所涉之人；无主体项则不设最小人数保护。\n\
         unconfirmed = true\n",
    );
    for item in &entry.items {
        text.push_str(&item_text(item));
    }
    text
}

fn item_text(item: &Described) -> String {
    let mut text = format!(
        "\n[[item]]\nname = \"{}\"\nkind = \"{}\"\n",
        item.name, item.kind
    );
    for basis in &item.basis {
        text.push_str(&format!("# {basis}\n"));
    }
    match item.grade {
        Some(grade) => {
            let degree = degree(grade);
            text.push_str(&format!(
                "grade = {grade}\nimpact = {{ degree = \"{degree}\", scope = \"narrow\" }}\n"
            ));
        }
        None => text.push_str(
            "# grade = \n# impact = { degree = \"none|slight|serious|very-serious\", scope = \"narrow|wide\" }\n",
        ),
    }
    if let Some(mask) = item.mask {
        text.push_str(&format!("mask = \"{mask}\"\n"));
    }
    text.push_str("unconfirmed = true\n");
    text
}

/// The least harm for which the rules propose this grade. Source: CG-6.2 table 1.
const fn degree(grade: Grade) -> &'static str {
    match grade {
        Grade::One => "none",
        Grade::Two => "slight",
        Grade::Three => "serious",
        Grade::Four => "very-serious",
    }
}
