use std::fmt::Write as _;

/// The width of the drawing, in its own units.
const WIDTH: u32 = 640;
const HEIGHT: u32 = 220;
const LEFT: u32 = 48;
const BELOW: u32 = 36;
const ROW: u32 = 22;
const NAMES: u32 = 260;

/// Text as it may stand in XML, legible.
pub(crate) fn escaped(text: &str) -> String {
    terms::legible(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// One bar's length in whole units of the drawing.
fn length(value: u64, most: u64, full: u32) -> u32 {
    let scaled = u128::from(value) * u128::from(full) / u128::from(most.max(1));
    u32::try_from(scaled).unwrap_or(full)
}

/// Standing bars, one a name: each the first of its values over the whole.
///
/// Shape: self-contained SVG; every value stands in a title, so that it can be read without the drawing.
pub(crate) fn standing(title: &str, bars: &[(String, u64)]) -> String {
    let most = bars.iter().map(|(_, value)| *value).max().unwrap_or(0);
    let full = HEIGHT - BELOW - 24;
    let count = u32::try_from(bars.len().max(1)).unwrap_or(1);
    let step = (WIDTH - LEFT) / count;
    let mut svg = begun(title, HEIGHT);
    let base = HEIGHT - BELOW;
    // Writing to a string cannot fail.
    let _ = write!(
        svg,
        "<line x1=\"{LEFT}\" y1=\"{base}\" x2=\"{WIDTH}\" y2=\"{base}\" stroke=\"#888\"/>\
         <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{most}</text>",
        LEFT - 6,
        base - full + 4
    );
    for (at, (name, value)) in (0..).zip(bars) {
        let (x, height) = (LEFT + at * step, length(*value, most, full));
        let name = escaped(name);
        let _ = write!(
            svg,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{height}\" fill=\"#2f6f9f\">\
             <title>{name}: {value}</title></rect>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
            x + step / 8,
            base - height,
            step * 3 / 4,
            x + step / 2,
            base + 16
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Lying bars, one a name, with names and values written out.
pub(crate) fn lying(title: &str, bars: &[(String, u64)]) -> String {
    let most = bars.iter().map(|(_, value)| *value).max().unwrap_or(0);
    let count = u32::try_from(bars.len()).unwrap_or(0);
    let mut svg = begun(title, count * ROW + 34);
    for (at, (name, value)) in (0..).zip(bars) {
        let y = 28 + at * ROW;
        let width = length(*value, most, WIDTH - NAMES - 80);
        let name = escaped(name);
        let _ = write!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{name}</text>\
             <rect x=\"{NAMES}\" y=\"{y}\" width=\"{width}\" height=\"16\" fill=\"#b3543c\"/>\
             <text x=\"{}\" y=\"{}\">{value}</text>",
            NAMES - 8,
            y + 13,
            NAMES + width + 6,
            y + 13
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn begun(title: &str, height: u32) -> String {
    let title = escaped(title);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" font-family=\"sans-serif\" font-size=\"12\">\
         <title>{title}</title><text x=\"0\" y=\"14\" font-weight=\"bold\">{title}</text>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_of_the_longest() {
        let svg = standing(
            "月",
            &[("2026-01".to_owned(), 10), ("2026-02".to_owned(), 5)],
        );
        assert!(
            svg.contains("height=\"160\" fill") && svg.contains("height=\"80\" fill"),
            "{svg}"
        );
        assert!(lying("码", &[("x".to_owned(), 0)]).contains("width=\"0\""));
    }

    #[test]
    fn what_is_written_in_a_drawing_is_no_markup() {
        let svg = lying("<b>", &[("a\"&<c>".to_owned(), 1)]);
        assert!(
            svg.contains("a&quot;&amp;&lt;c&gt;") && !svg.contains("<b>"),
            "{svg}"
        );
    }
}
