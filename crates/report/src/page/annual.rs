use super::{
    bill::{amounts, of_use},
    block::Block,
};
use crate::{
    Annual, Figures,
    chart::{lying, standing},
};
use std::collections::BTreeMap;

/// The most names a table of operations lists.
const LISTED_MAX: usize = 200;

pub(super) fn title(report: &Annual) -> String {
    let of = report.operator_title.as_deref().unwrap_or(&report.title);
    let year = report.period.from.format("%Y");
    format!("{of} {year} 年度公共数据授权运营报告 Annual operating report")
}

pub(super) fn blocks(report: &Annual) -> Vec<Block> {
    let mut blocks = overview(report);
    blocks.extend(months(report));
    blocks.extend(storage(report));
    blocks.extend(processing(report));
    blocks.extend(analysis(report));
    blocks.extend(security(report));
    blocks.extend(market(report));
    blocks
}

pub(super) fn heading(text: &str) -> Block {
    Block::Heading(text.to_owned())
}

pub(super) fn table<const N: usize>(head: [&str; N], rows: Vec<[String; N]>) -> Block {
    let rows = rows.into_iter().map(Vec::from).collect();
    Block::Table(head.map(ToOwned::to_owned).to_vec(), rows)
}

/// Two columns: what, and how many.
fn counts(head: [&str; 2], rows: impl IntoIterator<Item = (String, u64)>) -> Block {
    let rows = rows
        .into_iter()
        .map(|(what, count)| [what, count.to_string()]);
    table(head, rows.collect())
}

fn overview(report: &Annual) -> Vec<Block> {
    let total = &report.total;
    let period = report.period;
    let pilot = if report.pilot {
        "（试点域 pilot）"
    } else {
        ""
    };
    let of = report.operator.as_ref().map_or_else(
        || "全部运营单位 all operators".to_owned(),
        |id| format!("运营单位 operator {id}"),
    );
    let told = format!(
        "授权运营域 {}{pilot}，{of}，{} 至 {}。数字全部由账本逐条汇总（{} 条）；操作计入其开启之月。",
        report.domain, period.from, period.until, report.entries
    );
    let rows = [
        ("操作 operations", total.opened),
        ("答复 answered", total.answered),
        ("拒绝 refused", total.refusals()),
        ("失败 failed", total.failures()),
        ("放弃 abandoned", total.abandoned),
        ("未结 open", total.open),
        ("导出 exports handed over", total.exported),
        ("在册人员 people on record", report.people),
        (
            "操作人员 people who operated",
            u64::try_from(total.people.len()).unwrap_or(u64::MAX),
        ),
        (
            "授权 licences",
            u64::try_from(report.licences.len()).unwrap_or(u64::MAX),
        ),
        (
            "应用场景 scenarios with operations",
            u64::try_from(report.scenarios.len()).unwrap_or(u64::MAX),
        ),
    ];
    let rows = rows.map(|(what, count)| (what.to_owned(), count));
    vec![
        Block::Title(title(report)),
        Block::Paragraph(told),
        heading("一、概况 Overview"),
        counts(["项目 Item", "数量 Count"], rows),
    ]
}

fn months(report: &Annual) -> Vec<Block> {
    let bars = report
        .months
        .iter()
        .map(|(month, f)| (month.to_string(), f.opened));
    let bars: Vec<_> = bars.collect();
    let row = |(month, figures): (&crate::Month, &Figures)| {
        let counts = [
            figures.opened,
            figures.answered,
            figures.refusals(),
            figures.exported,
        ];
        let [opened, answered, refused, exported] = counts.map(|count| count.to_string());
        [month.to_string(), opened, answered, refused, exported]
    };
    vec![
        Block::Drawing(standing("各月操作数 Operations by month", &bars)),
        table(
            [
                "月 Month",
                "操作 Operations",
                "答复 Answered",
                "拒绝 Refused",
                "导出 Exports",
            ],
            report.months.iter().map(row).collect(),
        ),
    ]
}

fn storage(report: &Annual) -> Vec<Block> {
    let row = |stored: &crate::annual::Stored| {
        let snapshot = stored
            .snapshot
            .map_or_else(|| "–".to_owned(), |n| n.to_string());
        [
            stored.dataset.to_string(),
            stored.title.clone(),
            stored.grade.to_string(),
            stored.items.to_string(),
            snapshot,
            stored.rows.to_string(),
        ]
    };
    vec![
        heading("二、存储 Storage"),
        table(
            [
                "数据集 Dataset",
                "名称 Title",
                "等级 Grade",
                "数据项 Items",
                "批次 Snapshot",
                "行数 Rows",
            ],
            report.stored.iter().map(row).collect(),
        ),
    ]
}

fn processing(report: &Annual) -> Vec<Block> {
    let [planners, runners, scanned, masked] = of_use(report.total.used);
    let rows = [
        ("计量的操作 metered operations", report.total.metered),
        planners,
        runners,
        scanned,
        masked,
    ];
    vec![
        heading("三、加工处理 Processing"),
        counts(
            ["项目 Item", "数量 Count"],
            rows.map(|(what, count)| (what.to_owned(), count)),
        ),
        Block::Paragraph(
            "脱敏值为按掩码读取的数据项数乘以该批次行数；扫描字节为所读各列的存储字节，每列一次。"
                .to_owned(),
        ),
    ]
}

fn analysis(report: &Annual) -> Vec<Block> {
    let total = &report.total;
    let rows = [
        ("返回行数 rows released", total.rows),
        ("返回单元格 cells released", total.used.cells),
        ("返回字节 bytes released", total.bytes),
    ];
    let row = |id: String, title: String, f: &Figures| {
        [
            id,
            title,
            f.opened.to_string(),
            f.answered.to_string(),
            f.refusals().to_string(),
            f.rows.to_string(),
            f.exported.to_string(),
            f.people.len().to_string(),
        ]
    };
    let head = [
        "编号 Id",
        "名称 Title",
        "操作 Operations",
        "答复 Answered",
        "拒绝 Refused",
        "行数 Rows",
        "导出 Exports",
        "人员 People",
    ];
    let mut scenarios: Vec<_> = report
        .scenarios
        .iter()
        .take(LISTED_MAX)
        .map(|part| row(part.id.to_string(), part.title.clone(), &part.figures))
        .collect();
    if report.unattributed.opened > 0 {
        scenarios.push(row(
            "–".to_owned(),
            "无有效场景 no scenario".to_owned(),
            &report.unattributed,
        ));
    }
    let asked = total
        .asked
        .iter()
        .map(|(what, count)| ((*what).to_owned(), *count));
    let mut blocks = vec![
        heading("四、分析利用 Analysis and use"),
        counts(
            ["项目 Item", "数量 Count"],
            rows.map(|(what, count)| (what.to_owned(), count)),
        ),
        counts(["请求类型 Asked for", "数量 Count"], asked),
        table(head, scenarios),
    ];
    if !report.operators.is_empty() {
        let operators = report.operators.iter().take(LISTED_MAX);
        let operators = operators.map(|p| row(p.id.to_string(), p.title.clone(), &p.figures));
        blocks.push(table(head, operators.collect()));
    }
    blocks
}

fn by_code(codes: &BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut codes: Vec<_> = codes
        .iter()
        .map(|(code, count)| (code.clone(), *count))
        .collect();
    codes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    codes
}

fn security(report: &Annual) -> Vec<Block> {
    let total = &report.total;
    let refused = by_code(&total.refused);
    let mut blocks = vec![
        heading("五、安全管理 Security"),
        Block::Drawing(lying("按原因的拒绝数 Refusals by code", &refused)),
        counts(["拒绝原因 Refused because of", "次数 Count"], refused),
        counts(
            ["失败原因 Failed because of", "次数 Count"],
            by_code(&total.failed),
        ),
        counts(
            ["事项 Incident", "次数 Count"],
            [
                (
                    "与先前结果冲突 conflicts with earlier releases",
                    total.conflicts,
                ),
                (
                    "告知有分组被隐去 answers that told of withheld groups",
                    total.withheld,
                ),
                ("含扰动单元格 answers with noise", total.perturbed),
                (
                    "导出被扣留 exports withheld",
                    total.export_withheld.values().sum(),
                ),
                ("无证书呼叫 calls without a certificate", report.strangers),
                (
                    "到期销毁的密封文本 sealed texts expired",
                    report.texts_expired,
                ),
            ]
            .map(|(what, count)| (what.to_owned(), count)),
        ),
    ];
    let violation = |violation: &terms::Violation| {
        [
            violation.id.to_string(),
            violation.operator.to_string(),
            violation.recorded.to_string(),
            format!("{:?}", violation.kind),
            format!("{:?}", violation.measure),
        ]
    };
    blocks.push(table(
        [
            "违规 Violation",
            "运营单位 Operator",
            "日期 Recorded",
            "类型 Kind",
            "处置 Measure",
        ],
        report.violations.iter().map(violation).collect(),
    ));
    if !report.events.is_empty() {
        let events = report
            .events
            .iter()
            .map(|(event, count)| ((*event).to_owned(), *count));
        blocks.push(counts(["账本条目 Entries by event", "条数 Count"], events));
    }
    blocks
}

fn market(report: &Annual) -> Vec<Block> {
    let row = |licensed: &crate::annual::Licensed| {
        let statement = &licensed.statement;
        [
            statement.licence.to_string(),
            statement.operator_title.clone(),
            licensed.stage.word().to_owned(),
            format!("{} – {}", licensed.from, licensed.until),
            statement.class.to_string(),
            statement.total.opened.to_string(),
            statement.total.exported.to_string(),
            format!("{} {}", statement.amount, statement.currency),
        ]
    };
    let mut blocks = vec![
        heading("六、市场运营 Market"),
        table(
            [
                "授权 Licence",
                "运营单位 Operator",
                "状态 Stage",
                "期限 Term",
                "用途 Class",
                "操作 Operations",
                "导出 Exports",
                "应付 Amount",
            ],
            report.licences.iter().map(row).collect(),
        ),
    ];
    let product = |made: &crate::annual::Made| {
        let product = &made.product;
        [
            product.id.to_string(),
            product.title.clone(),
            product.form.word().to_owned(),
            product.scenario.to_string(),
            made.stage.word().to_owned(),
            format!("{:?}", product.benefit),
        ]
    };
    blocks.push(table(
        [
            "产品 Product",
            "名称 Title",
            "形态 Form",
            "场景 Scenario",
            "状态 Stage",
            "用途 Benefit",
        ],
        report.products.iter().map(product).collect(),
    ));
    let lines: Vec<_> = report
        .licences
        .iter()
        .map(|licensed| &licensed.statement)
        .collect();
    blocks.push(amounts(&lines));
    blocks
}
