use crate::chart::escaped;

/// A piece of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Block {
    /// The one title.
    Title(String),
    /// A section's heading.
    Heading(String),
    Paragraph(String),
    /// A head and rows of equal length; cells of digits alone stand right.
    Table(Vec<String>, Vec<Vec<String>>),
    /// A drawing as SVG.
    Drawing(String),
}

/// What Markdown would take for more than text, in the middle of a line.
const MARKS: [char; 8] = ['\\', '|', '`', '*', '_', '[', ']', '~'];

/// Text as it may stand in a Markdown table.
fn cell(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let mut marked = String::with_capacity(text.len());
    for character in escaped(&text).chars() {
        if MARKS.contains(&character) {
            marked.push('\\');
        }
        marked.push(character);
    }
    marked
}

fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_digit() || c == ',' || c == '.')
}

impl Block {
    pub(super) fn markdown(&self) -> String {
        match self {
            Self::Title(text) => format!("# {}\n\n", cell(text)),
            Self::Heading(text) => format!("## {}\n\n", cell(text)),
            Self::Paragraph(text) => format!("{}\n\n", cell(text)),
            Self::Table(head, rows) => {
                let line = |cells: &[String]| {
                    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
                    format!("| {} |\n", cells.join(" | "))
                };
                let rule = format!("|{}\n", " --- |".repeat(head.len()));
                let rows: String = rows.iter().map(|row| line(row)).collect();
                format!("{}{rule}{rows}\n", line(head))
            }
            Self::Drawing(_) => String::new(),
        }
    }

    pub(super) fn html(&self) -> String {
        match self {
            Self::Title(text) => format!("<h1>{}</h1>\n", escaped(text)),
            Self::Heading(text) => format!("<h2>{}</h2>\n", escaped(text)),
            Self::Paragraph(text) => format!("<p>{}</p>\n", escaped(text)),
            Self::Table(head, rows) => {
                let head: String = head
                    .iter()
                    .map(|text| format!("<th>{}</th>", escaped(text)))
                    .collect();
                let cell = |text: &String| {
                    let class = if is_number(text) { " class=\"n\"" } else { "" };
                    format!("<td{class}>{}</td>", escaped(text))
                };
                let row = |row: &Vec<String>| {
                    let cells: String = row.iter().map(cell).collect();
                    format!("<tr>{cells}</tr>\n")
                };
                let rows: String = rows.iter().map(row).collect();
                format!("<table><tr>{head}</tr>\n{rows}</table>\n")
            }
            Self::Drawing(svg) => svg.clone(),
        }
    }
}
