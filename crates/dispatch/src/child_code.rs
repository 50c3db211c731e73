//! The codes a child may give: a closed list. What is not here is no answer.

use terms::Told;

/// A code and what the caller hears of it.
type Known = (&'static str, Told);

const fn known(code: &'static str, en: &'static str, zh: &'static str) -> Known {
    (code, Told::new(en, zh))
}

/// What a planner may say.
pub(crate) const PLANNER: &[Known] = &[
    known(
        "planner.syntax",
        "the statement is not SQL.",
        "语句不是有效的 SQL。",
    ),
    known(
        "planner.too-large",
        "the statement is too large.",
        "语句过大。",
    ),
    known(
        "planner.several-statements",
        "only one statement at a time.",
        "一次只能提交一条语句。",
    ),
    known(
        "planner.not-a-query",
        "only queries are answered.",
        "仅支持查询语句。",
    ),
    known(
        "planner.unsupported",
        "the statement uses what is not supported.",
        "语句使用了不支持的语法。",
    ),
    known(
        "planner.unknown-name",
        "a table or column in the statement is not known in this scenario.",
        "语句中的某个表或字段在本场景中不存在。",
    ),
    known(
        "planner.guarded",
        "the statement is too large or nested too deeply to be looked at.",
        "语句过大或嵌套过深。",
    ),
    known(
        "planner.ill-typed",
        "the types in an expression do not fit.",
        "表达式中的数据类型不匹配。",
    ),
    known(
        "planner.unknown-function",
        "a function in the statement is not known.",
        "语句中的某个函数不存在。",
    ),
    known(
        "planner.parameter-untyped",
        "the type of a parameter can't be told.",
        "无法确定参数的类型。",
    ),
];

/// What a runner may say.
pub(crate) const RUNNER: &[Known] = &[
    known(
        "runner.division-by-zero",
        "the statement divides by zero.",
        "语句中出现除以零。",
    ),
    known(
        "runner.overflow",
        "a number in the statement grows too large.",
        "语句中的数值溢出。",
    ),
    known(
        "runner.cast",
        "a value does not fit the type it is cast to.",
        "某个值无法转换为目标类型。",
    ),
    known(
        "runner.many-rows",
        "a subquery gave more than one row.",
        "子查询返回了多行。",
    ),
    known(
        "runner.out-of-memory",
        "the statement needs more memory than it may have; simplify it.",
        "语句所需内存超出上限，请简化语句。",
    ),
    known(
        "runner.data-unreadable",
        "the data could not be read; the domain's staff have been told.",
        "数据无法读取，已通知运维人员。",
    ),
    known(
        "runner.unsupported",
        "the statement uses what is not supported.",
        "语句使用了不支持的语法。",
    ),
    known(
        "runner.schema-differs",
        "the statement could not be run as it was granted.",
        "语句无法按授予的计划执行。",
    ),
    known(
        "runner.failed",
        "the statement ended without a result.",
        "语句执行中断，未产生结果。",
    ),
];

/// The listed code, if it is one.
pub(crate) fn listed(list: &'static [Known], code: &str) -> Option<Known> {
    list.iter().find(|known| known.0 == code).copied()
}
