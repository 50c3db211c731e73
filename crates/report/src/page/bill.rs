use super::{
    annual::{heading, table},
    block::Block,
};
use crate::Statement;
use terms::Usage;

/// The lines of some statements.
pub(super) fn amounts(statements: &[&Statement]) -> Block {
    let rows = statements.iter().flat_map(|statement| {
        statement.lines.iter().map(|line| {
            [
                statement.licence.to_string(),
                line.item.to_owned(),
                line.quantity.to_string(),
                line.per.to_string(),
                line.price.to_string(),
                line.amount.to_string(),
            ]
        })
    });
    table(
        [
            "授权 Licence",
            "计费项 Paid for",
            "数量 Quantity",
            "计价单位 Per",
            "单价 Price",
            "金额 Amount",
        ],
        rows.collect(),
    )
}

/// What operations used of the domain, with its names.
pub(super) const fn of_use(used: Usage) -> [(&'static str, u64); 4] {
    [
        (
            "规划用处理器时间（毫秒） planners' processor time, ms",
            used.planner_cpu_ms,
        ),
        (
            "运行用处理器时间（毫秒） runners' processor time, ms",
            used.runner_cpu_ms,
        ),
        ("扫描字节 bytes scanned", used.scanned_bytes),
        ("脱敏值 values masked", used.values_masked),
    ]
}

pub(super) fn blocks(statement: &Statement) -> Vec<Block> {
    let Statement {
        period,
        licence,
        operator_title,
        class,
        total,
        currency,
        ..
    } = statement;
    let [planners, runners, scanned, masked] = of_use(total.used);
    let rows = [
        ("操作 operations", total.opened),
        ("答复 answered", total.answered),
        ("拒绝 refused", total.refusals()),
        ("导出 exports", total.exported),
        (
            "其中公益产品（免费） of public benefit, free",
            total.exported_free,
        ),
        planners,
        runners,
        scanned,
        masked,
        ("返回单元格 cells released", total.used.cells),
        ("返回字节 bytes released", total.bytes),
    ];
    let of_products = total.products.iter();
    let of_products = of_products.map(|(id, count)| (format!("导出产品 exports of {id}"), *count));
    let rows = rows.map(|(what, count)| (what.to_owned(), count));
    let rows = rows.into_iter().chain(of_products);
    let rows = rows.map(|(what, count)| [what, count.to_string()]);
    vec![
        Block::Title(format!("{licence} 费用清单 Statement")),
        Block::Paragraph(format!(
            "{operator_title}，{} 至 {}，用途 class: {class}。",
            period.from, period.until
        )),
        heading("用量 Use"),
        table(["项目 Item", "数量 Count"], rows.collect()),
        heading("费用 Fees"),
        amounts(&[statement]),
        Block::Paragraph(format!("合计 total: {} {currency}", statement.amount)),
    ]
}
