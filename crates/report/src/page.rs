//! A report for people: Chinese, with English headings second.

mod block; // paragraphs, tables and drawings, as Markdown and HTML
mod annual; // the annual report's sections
mod bill; // a statement's

use self::block::Block;
use crate::{Annual, Statement, chart::escaped};

/// The annual report as Markdown; drawings are left out, their figures stand in tables.
#[must_use]
pub fn markdown(report: &Annual) -> String {
    annual::blocks(report).iter().map(Block::markdown).collect()
}

/// A statement as Markdown.
#[must_use]
pub fn statement_markdown(statement: &Statement) -> String {
    bill::blocks(statement)
        .iter()
        .map(Block::markdown)
        .collect()
}

/// The annual report as one HTML file that needs nothing else.
#[must_use]
pub fn html(report: &Annual) -> String {
    let body: String = annual::blocks(report).iter().map(Block::html).collect();
    let title = escaped(&annual::title(report));
    format!(
        "<!doctype html>\n<html lang=\"zh\"><head><meta charset=\"utf-8\"><title>{title}</title>\n\
         <style>body{{font-family:sans-serif;max-width:60em;margin:2em auto;padding:0 1em;\
         line-height:1.5}}table{{border-collapse:collapse;margin:1em 0}}th,td{{border:1px solid \
         #bbb;padding:.2em .6em}}td.n{{text-align:right;font-variant-numeric:tabular-nums}}\
         svg{{max-width:100%;height:auto;margin:1em 0}}</style></head>\n<body>\n{body}</body></html>\n"
    )
}

#[cfg(test)]
mod tests;
