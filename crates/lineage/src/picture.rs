//! An operation's lineage as SVG: sources on the left, the result's columns on the right.
//!
//! Laid out by hand, so that it needs no program and no font of ours: rows of one height, one curve for
//! each item that has a part in a column, and a mark at each item that decides which rows there are.
//! Grades and masks are words, not colours alone.

use crate::Drawn;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use terms::{DatasetName, Flow, Grade, Origin};
use unicode_width::UnicodeWidthChar as _;

const ROW: usize = 26;
const HEAD: usize = 30;
const GAP: usize = 22;
const MARGIN: usize = 24;
const TOP: usize = 84;
const LEFT_WIDTH: usize = 430;
const MIDDLE: usize = 260;
const RIGHT_WIDTH: usize = 330;
/// The most half-width characters of a name.
const NAME_MAX: usize = 26;
const LEGEND: usize = 74;

/// What stands above the picture.
#[derive(Debug, Clone, Copy)]
pub struct Caption<'a> {
    /// The first line: which product.
    pub title: &'a str,
    /// The second: domain, scenario, time.
    pub subtitle: &'a str,
}

/// One item on the left, with all its ways and parts.
struct Source<'a> {
    origin: &'a Origin,
    ways: Vec<&'a str>,
    decides: Vec<Flow>,
}

type Sources<'a> = BTreeMap<&'a DatasetName, Vec<Source<'a>>>;

/// Draws a lineage.
#[must_use]
pub fn picture(drawn: &Drawn, caption: Caption<'_>) -> String {
    let sources = sources(drawn);
    let left: usize = sources
        .values()
        .map(|items| box_height(items.len()) + GAP)
        .sum();
    let right = box_height(drawn.columns.len()) + GAP;
    let height = TOP + left.max(right) + LEGEND;
    let width = MARGIN * 2 + LEFT_WIDTH + MIDDLE + RIGHT_WIDTH;
    let mut svg = String::new();
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"'Noto Sans CJK SC','Microsoft YaHei','PingFang SC',system-ui,sans-serif\" font-size=\"13\">"
    );
    let _ = writeln!(svg, "<title>{}</title>", escaped(caption.title));
    svg.push_str("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    text(
        &mut svg,
        (MARGIN, 34),
        "font-size=\"17\" font-weight=\"600\" fill=\"#1c2430\"",
        caption.title,
    );
    text(&mut svg, (MARGIN, 58), "fill=\"#55606f\"", caption.subtitle);
    let places = left_side(&mut svg, &sources, drawn);
    edges(&mut svg, drawn, &places);
    right_side(&mut svg, drawn);
    legend(&mut svg, height - LEGEND + 18);
    svg.push_str("</svg>\n");
    svg
}

const fn box_height(rows: usize) -> usize {
    HEAD + rows * ROW + 8
}

/// Items by dataset, each once, with every way it is read in and what it decides.
fn sources(drawn: &Drawn) -> Sources<'_> {
    let mut sources: Sources<'_> = drawn
        .inputs
        .iter()
        .map(|input| (&input.dataset, Vec::new()))
        .collect();
    let columns = drawn.columns.iter().flat_map(|column| &column.sources);
    let all = columns.map(|o| (o, false));
    let all = all.chain(drawn.influences.iter().map(|o| (o, true)));
    for (origin, decides) in all {
        let items = sources.entry(&origin.dataset).or_default();
        let place = items.iter().position(|s| s.origin.item == origin.item);
        let place = place.unwrap_or_else(|| {
            items.push(Source {
                origin,
                ways: Vec::new(),
                decides: Vec::new(),
            });
            items.len() - 1
        });
        let Some(source) = items.get_mut(place) else {
            continue;
        };
        if !source.ways.contains(&origin.way.as_str()) {
            source.ways.push(&origin.way);
        }
        if decides && !source.decides.contains(&origin.flow) {
            source.decides.push(origin.flow);
        }
    }
    for items in sources.values_mut() {
        items.sort_by_key(|source| &source.origin.item);
    }
    sources
}

type Places<'a> = BTreeMap<(&'a DatasetName, &'a str), usize>;

fn left_side<'a>(svg: &mut String, sources: &Sources<'a>, drawn: &Drawn) -> Places<'a> {
    let mut places = Places::new();
    let mut y = TOP;
    for (dataset, items) in sources {
        let input = drawn.inputs.iter().find(|input| &&input.dataset == dataset);
        let mut head = dataset.to_string();
        if let Some(input) = input {
            let _ = write!(head, "  #{}", input.snapshot);
            if let Some(k) = input.k {
                let _ = write!(head, "  k≥{k}");
            }
        }
        frame(
            svg,
            (MARGIN, y),
            (LEFT_WIDTH, box_height(items.len())),
            &head,
        );
        for (row, source) in items.iter().enumerate() {
            let middle = y + HEAD + row * ROW + ROW / 2;
            let name = source.origin.item.as_str();
            places.insert((dataset, name), middle);
            grade(svg, (MARGIN + 12, middle), source.origin.grade);
            text(
                svg,
                (MARGIN + 52, middle + 5),
                "fill=\"#1c2430\"",
                &shortened(name),
            );
            let ways: Vec<&str> = source.ways.iter().map(|way| told_way(way)).collect();
            let way = shortened_to(&ways.join(" · "), 40);
            let style = "fill=\"#55606f\" font-size=\"12\" text-anchor=\"end\"";
            text(svg, (MARGIN + LEFT_WIDTH - 58, middle + 5), style, &way);
            if !source.decides.is_empty() {
                let words: Vec<&str> = source.decides.iter().map(|f| mark(*f)).collect();
                let style =
                    "fill=\"#8a4b08\" font-size=\"12\" font-weight=\"600\" text-anchor=\"end\"";
                let at = (MARGIN + LEFT_WIDTH - 10, middle + 5);
                text(svg, at, style, &words.concat());
            }
        }
        y += box_height(items.len()) + GAP;
    }
    places
}

fn right_side(svg: &mut String, drawn: &Drawn) {
    let x = MARGIN + LEFT_WIDTH + MIDDLE;
    let size = (RIGHT_WIDTH, box_height(drawn.columns.len()));
    frame(svg, (x, TOP), size, "结果 result");
    for (row, column) in drawn.columns.iter().enumerate() {
        let middle = column_place(row);
        text(
            svg,
            (x + 14, middle + 5),
            "fill=\"#1c2430\"",
            &shortened(&column.name),
        );
        let style = "fill=\"#55606f\" font-size=\"12\" text-anchor=\"end\"";
        let told = if column.sources.is_empty() {
            "rows alone 仅行数".to_owned()
        } else {
            column.data_type.to_string()
        };
        text(svg, (x + RIGHT_WIDTH - 12, middle + 5), style, &told);
    }
}

const fn column_place(row: usize) -> usize {
    TOP + HEAD + row * ROW + ROW / 2
}

/// One curve for each item and column: whole where values flow, dashed where they only choose.
fn edges(svg: &mut String, drawn: &Drawn, places: &Places<'_>) {
    let from_x = MARGIN + LEFT_WIDTH;
    let to_x = from_x + MIDDLE;
    let bend = from_x + MIDDLE / 2;
    svg.push_str("<g fill=\"none\" stroke-width=\"1.6\">\n");
    for (row, column) in drawn.columns.iter().enumerate() {
        let to = column_place(row);
        for origin in &column.sources {
            let Some(from) = places.get(&(&origin.dataset, origin.item.as_str())) else {
                continue;
            };
            let (colour, dash) = stroke(origin.flow);
            let _ = writeln!(
                svg,
                "<path d=\"M{from_x} {from} C{bend} {from} {bend} {to} {to_x} {to}\" stroke=\"{colour}\"{dash}><title>{}</title></path>",
                escaped(&format!(
                    "{}.{} → {}: {}, {}",
                    origin.dataset,
                    origin.item,
                    column.name,
                    told_flow(origin.flow),
                    told_way(&origin.way)
                ))
            );
        }
    }
    svg.push_str("</g>\n");
}

fn frame(svg: &mut String, (x, y): (usize, usize), (width, height): (usize, usize), head: &str) {
    let _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"6\" fill=\"#f7f9fb\" stroke=\"#b9c3cf\"/>\n<path d=\"M{x} {line}h{width}\" stroke=\"#b9c3cf\"/>",
        line = y + HEAD - 3
    );
    let style = "font-weight=\"600\" fill=\"#1c2430\"";
    text(svg, (x + 12, y + 19), style, &shortened_to(head, 48));
}

fn grade(svg: &mut String, (x, middle): (usize, usize), grade: Grade) {
    let (fill, ink, word) = match grade {
        Grade::One => ("#e3f1e5", "#1f5c2b", "G1"),
        Grade::Two => ("#e2edf8", "#1b4b7a", "G2"),
        Grade::Three => ("#fcefd8", "#7a4a05", "G3"),
        Grade::Four => ("#f8e0e0", "#8b1f1f", "G4"),
    };
    let _ = writeln!(
        svg,
        "<rect x=\"{x}\" y=\"{}\" width=\"30\" height=\"18\" rx=\"4\" fill=\"{fill}\"/>",
        middle - 9
    );
    let style =
        format!("font-size=\"12\" font-weight=\"600\" text-anchor=\"middle\" fill=\"{ink}\"");
    text(svg, (x + 15, middle + 4), &style, word);
}

fn legend(svg: &mut String, y: usize) {
    let _ = writeln!(
        svg,
        "<path d=\"M{MARGIN} {}h{}\" stroke=\"#d8dee6\"/>",
        y - 18,
        MARGIN * 40
    );
    let mut x = MARGIN;
    for (flow, told) in [
        (Flow::Identity, "values 取值"),
        (Flow::Transformation, "computed 计算"),
        (Flow::Aggregation, "aggregated 汇总"),
        (Flow::Conditional, "chooses 择值"),
    ] {
        let (colour, dash) = stroke(flow);
        let _ = writeln!(
            svg,
            "<path d=\"M{x} {y}h34\" fill=\"none\" stroke-width=\"1.8\" stroke=\"{colour}\"{dash}/>"
        );
        text(
            svg,
            (x + 42, y + 4),
            "font-size=\"12\" fill=\"#55606f\"",
            told,
        );
        x += 190;
    }
    let told = "decides which rows 决定有哪些行：J join 连接 · F filter 筛选 · G group 分组 · S sort 排序 · W window 窗口    G1–G4: grade 数据分级";
    text(
        svg,
        (MARGIN, y + 28),
        "font-size=\"12\" fill=\"#8a4b08\"",
        told,
    );
}

const fn stroke(flow: Flow) -> (&'static str, &'static str) {
    match flow {
        Flow::Identity => ("#1b6e3c", ""),
        Flow::Transformation => ("#2563a8", ""),
        Flow::Aggregation => ("#7b3fa0", ""),
        Flow::Conditional
        | Flow::Join
        | Flow::GroupBy
        | Flow::Filter
        | Flow::Sort
        | Flow::Window => ("#8a4b08", " stroke-dasharray=\"5 4\""),
    }
}

const fn mark(flow: Flow) -> &'static str {
    match flow {
        Flow::Identity | Flow::Transformation | Flow::Aggregation | Flow::Conditional => "·",
        Flow::Join => "J",
        Flow::GroupBy => "G",
        Flow::Filter => "F",
        Flow::Sort => "S",
        Flow::Window => "W",
    }
}

const fn told_flow(flow: Flow) -> &'static str {
    match flow {
        Flow::Identity => "values 取值",
        Flow::Transformation => "computed 计算",
        Flow::Aggregation => "aggregated 汇总",
        Flow::Conditional => "chooses 择值",
        Flow::Join => "join 连接",
        Flow::GroupBy => "group 分组",
        Flow::Filter => "filter 筛选",
        Flow::Sort => "sort 排序",
        Flow::Window => "window 窗口",
    }
}

fn told_way(way: &str) -> &str {
    match way {
        "plain" => "plain 明文",
        "raw-aggregate" => "raw, aggregated 原值汇总",
        "row-policy" => "row policy 行策略",
        "subject" => "subject 主体",
        "token" => "token 令牌",
        "redact" => "redact 遮盖",
        "year" => "year 年",
        "month" => "month 月",
        other => other,
    }
}

fn text(svg: &mut String, (x, y): (usize, usize), style: &str, told: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x}\" y=\"{y}\" {style}>{}</text>",
        escaped(told)
    );
}

fn shortened(name: &str) -> String {
    shortened_to(name, NAME_MAX)
}

/// Cuts a name to so many half widths; Chinese characters count two.
fn shortened_to(name: &str, most: usize) -> String {
    let wide = |c: char| c.width().unwrap_or(0);
    if name.chars().map(wide).sum::<usize>() <= most {
        return name.to_owned();
    }
    let mut left = most - 1;
    let mut cut: String = name
        .chars()
        .take_while(|c| {
            let fits = wide(*c) <= left;
            left = left.saturating_sub(wide(*c));
            fits
        })
        .collect();
    cut.push('…');
    cut
}

/// Text between tags; control characters have no place in XML.
fn escaped(told: &str) -> String {
    let mut safe = String::new();
    for c in told.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}
