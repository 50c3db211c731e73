//! The open tables: districts of Wuxi and the fund's branches in them.

use super::{Unwritten, people};
use arrow::array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray};
use std::path::Path;
use std::sync::Arc;

/// A district: name, code (行政区划代码), residents, disposable income, weight, wage level.
pub(super) struct District {
    pub(super) name: &'static str,
    code: Option<&'static str>,
    residents: i64,
    income: f64,
    /// How many of a hundred insured people are here.
    pub(super) share: u64,
    /// Wages here against the city's.
    pub(super) wages: f64,
}

const fn district(
    name: &'static str,
    code: Option<&'static str>,
    (residents, income): (i64, f64),
    (share, wages): (u64, f64),
) -> District {
    District {
        name,
        code,
        residents,
        income,
        share,
        wages,
    }
}

/// Codes are real; residents and incomes are round numbers of the right size.
pub(super) const DISTRICTS: [District; 8] = [
    district("梁溪区", Some("320213"), (986_000, 73_800.0), (18, 1.02)),
    district("滨湖区", Some("320211"), (890_000, 76_100.0), (14, 1.06)),
    district("锡山区", Some("320205"), (915_000, 70_300.0), (12, 0.94)),
    district("惠山区", Some("320206"), (869_000, 70_900.0), (12, 0.95)),
    district("新吴区", Some("320214"), (741_000, 74_500.0), (14, 1.17)),
    district("江阴市", Some("320281"), (1_781_000, 76_900.0), (18, 1.04)),
    district("宜兴市", Some("320282"), (1_285_000, 69_200.0), (12, 0.90)),
    SMALL,
];

/// A functional area without a code of its own, and with too few people in the demo to be shown.
pub(super) const SMALL: District = district("经开区", None, (268_000, 78_400.0), (0, 1.10));

/// Branches of the fund: name, district, counters.
const BRANCHES: [(&str, &str, i64); 9] = [
    ("市区管理部", "梁溪区", 18),
    ("太湖新城服务部", "经开区", 12),
    ("滨湖服务部", "滨湖区", 8),
    ("锡山分中心", "锡山区", 10),
    ("惠山分中心", "惠山区", 10),
    ("新吴分中心", "新吴区", 12),
    ("江阴分中心", "江阴市", 16),
    ("宜兴分中心", "宜兴市", 14),
    ("油田服务部", "梁溪区", 3),
];

/// Writes `district.parquet` and `branch.parquet`.
pub(super) fn write(data: &Path) -> Result<(), Unwritten> {
    let names = DISTRICTS.iter().map(|district| district.name);
    let district = RecordBatch::try_from_iter([
        (
            "区",
            Arc::new(StringArray::from_iter_values(names)) as ArrayRef,
        ),
        (
            "区划代码",
            Arc::new(DISTRICTS.iter().map(|d| d.code).collect::<StringArray>()),
        ),
        (
            "常住人口",
            Arc::new(Int64Array::from_iter_values(
                DISTRICTS.iter().map(|d| d.residents),
            )),
        ),
        (
            "人均可支配收入",
            Arc::new(Float64Array::from_iter_values(
                DISTRICTS.iter().map(|d| d.income),
            )),
        ),
    ]);
    let branch = RecordBatch::try_from_iter([
        (
            "管理部",
            Arc::new(StringArray::from_iter_values(BRANCHES.iter().map(|b| b.0))) as ArrayRef,
        ),
        (
            "区",
            Arc::new(StringArray::from_iter_values(BRANCHES.iter().map(|b| b.1))),
        ),
        (
            "窗口数",
            Arc::new(Int64Array::from_iter_values(BRANCHES.iter().map(|b| b.2))),
        ),
    ]);
    for (name, batch) in [("district", district), ("branch", branch)] {
        let path = data.join(format!("{name}.parquet"));
        let batch = batch.map_err(|cause| Unwritten::Table {
            path: path.clone(),
            source: cause.into(),
        })?;
        let mut table = people::Table::create(&path, batch.schema())?;
        table.append(&batch)?;
        table.finish()?;
    }
    Ok(())
}
