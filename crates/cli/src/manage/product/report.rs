//! The disclosure report of a product, for people.

use crate::table::print_columns;
use manifest::{DisclosureReport, Rule, RuleOutcome};
use terms::{Notice, Origin, legible_lines};

/// Tells a report: as it is for machines, in tables for people.
pub(super) fn tell(json: &str, as_json: bool) {
    match serde_json::from_str::<DisclosureReport>(json) {
        Ok(report) if !as_json => print(&report),
        Ok(_) | Err(_) => println!("{json}"),
    }
}

fn print(report: &DisclosureReport) {
    let DisclosureReport {
        statement,
        found,
        sensitive,
        row_risks,
        ..
    } = report;
    println!("{}\n", legible_lines(statement));
    println!("columns / 列");
    let columns = found.content.columns.iter().flat_map(|column| {
        let from = column.sources.iter().map(|source| {
            let mut row = vec![column.name.clone()];
            row.extend(of_source(source));
            row
        });
        from.collect::<Vec<_>>()
    });
    let head = ["column / 列", "source / 来源", "grade / 级", "way / 方式"];
    print_columns(&head, &columns.collect::<Vec<_>>());
    println!("\nrules / 规则");
    let rules = found.rules.iter().map(of_rule);
    print_columns(
        &["rule / 规则", "clause / 依据", "outcome / 结果"],
        &rules.collect::<Vec<_>>(),
    );
    println!("\nresult / 结果");
    println!("  rows / 行数: {}", found.content.rows);
    let notice = match found.content.notice {
        Notice::NotApplicable => "no thresholds apply / 不适用阈值",
        Notice::Standing => {
            "small or dominated groups, if any, are withheld / 过小或被支配的分组（如有）不予公布"
        }
        Notice::GroupsWithheld => "some groups were withheld / 部分分组未予公布",
    };
    println!("  {notice}");
    for (dataset, risk) in row_risks {
        println!(
            "  {dataset}: {} of {} subjects have a row of their own, {} share theirs with fewer than {} / {} 个主体中 {} 个可被唯一识别，{} 个所在类少于 {} 个主体",
            risk.told(risk.subjects_unique),
            risk.told(risk.subjects),
            risk.told(risk.subjects_below_k),
            risk.k,
            risk.told(risk.subjects),
            risk.told(risk.subjects_unique),
            risk.told(risk.subjects_below_k),
            risk.k,
        );
    }
    for sighted in sensitive {
        println!(
            "  texts look like numbers of persons / 文本疑似个人号码: {}",
            serde_json::json!(sighted)
        );
    }
}

fn of_source(source: &Origin) -> [String; 3] {
    [
        format!("{}.{}", source.dataset, source.item),
        source.grade.to_string(),
        source.way.clone(),
    ]
}

fn of_rule(rule: &Rule) -> Vec<String> {
    let outcome = match rule.outcome {
        RuleOutcome::Held => "held / 符合",
        RuleOutcome::Applied => "applied / 已执行",
        RuleOutcome::NotOwed => "not owed / 不适用",
    };
    let clause = rule.clause.clone().unwrap_or_default();
    vec![rule.rule.clone(), clause, outcome.to_owned()]
}
