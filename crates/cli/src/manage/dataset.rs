use super::{
    File, Id, IdReason, Managed, call,
    describe::{Describe, describe},
    document,
    domain::default_schema,
    import::{Export, Import, export, import},
    list, step, tell,
};
use crate::Failure;
use clap::Subcommand;
use wire::management::{
    ConfirmedGrades, Document, DocumentOf, Impact, ItemGrade, LoadRequest, Named, ProposedGrades,
    Reasoned, catalogue_client::CatalogueClient as Catalogue,
};

/// The catalogue / 公共数据目录
#[derive(Debug, Subcommand)]
pub(crate) enum Dataset {
    /// Draft an entry from a data file, for a person to confirm / 由数据文件起草目录，待人确认
    Describe(Describe),
    /// Propose an entry / 提出目录
    Propose(File),
    /// Take an entry in, its grades confirmed / 编入目录，确认等级
    Add(File),
    /// Bring a list of entries in / 批量编目导入
    Import(Import),
    /// Write the catalogue as a list / 导出目录清单
    Export(Export),
    /// Propose grades of items / 提出等级
    ProposeGrades {
        #[command(flatten)]
        id: Id,
        /// item=degree/scope, like phone=serious/narrow / 数据项=影响程度/范围
        #[arg(long = "item", required = true)]
        items: Vec<String>,
    },
    /// Confirm grades of the proposed items / 确认等级
    ConfirmGrades {
        #[command(flatten)]
        id: Id,
        /// item=grade, like phone=3 / 数据项=等级
        #[arg(long = "item", required = true)]
        items: Vec<String>,
        /// Why one is lower than proposed / 低于建议等级的理由
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// File a risk assessment / 风险评估
    Assess {
        #[command(flatten)]
        id: Id,
        #[command(flatten)]
        file: File,
    },
    /// Bar from operation; the reason is the legal basis / 禁止运营
    Prohibit(IdReason),
    /// Not operated on for now / 暂停
    Suspend(IdReason),
    /// Operated on again / 恢复
    Reinstate(Id),
    /// Out of the catalogue for good / 移出目录
    Withdraw(IdReason),
    /// Take data in from the domain's folder `inbox` / 从域目录 inbox 导入数据
    Load {
        #[command(flatten)]
        id: Id,
        /// The file's name there; it is removed once it is sealed / 文件名
        #[arg(long)]
        file: String,
    },
    /// The catalogue / 列表
    List,
    /// One dataset / 详情
    Show(Id),
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each case: a table reads best in one place"
)]
pub(crate) fn dataset(given: Managed<Dataset>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    let as_told = (whom, json);
    match given.verb {
        Dataset::Describe(given) => describe(&given, json),
        Dataset::Propose(File { file }) => {
            let json = document::dataset(&file, &default_schema(whom)?)?;
            step(as_told, async |to| {
                Catalogue::new(to).propose(Document { json }).await
            })
        }
        Dataset::Add(File { file }) => {
            let json = document::dataset(&file, &default_schema(whom)?)?;
            step(as_told, async |to| {
                Catalogue::new(to).add(Document { json }).await
            })
        }
        Dataset::Import(given) => import(&given, whom, json),
        Dataset::Export(given) => export(&given, whom, json),
        Dataset::ProposeGrades { id, items } => {
            let items: Result<Vec<Impact>, Failure> =
                items.iter().map(|text| impact(text)).collect();
            let proposed = ProposedGrades {
                dataset: id.id,
                items: items?,
            };
            step(as_told, async |to| {
                Catalogue::new(to).propose_grades(proposed).await
            })
        }
        Dataset::ConfirmGrades { id, items, reason } => {
            let items: Result<Vec<ItemGrade>, Failure> =
                items.iter().map(|text| grade(text)).collect();
            let confirmed = ConfirmedGrades {
                dataset: id.id,
                items: items?,
                reason,
            };
            step(as_told, async |to| {
                Catalogue::new(to).confirm_grades(confirmed).await
            })
        }
        Dataset::Assess { id, file } => {
            let assessed = DocumentOf {
                id: id.id,
                json: document::document(&file.file)?,
                day: String::new(),
            };
            step(as_told, async |to| {
                Catalogue::new(to).assess_risk(assessed).await
            })
        }
        Dataset::Prohibit(why) => step(as_told, async |to| {
            Catalogue::new(to).prohibit(Reasoned::from(why)).await
        }),
        Dataset::Suspend(why) => step(as_told, async |to| {
            Catalogue::new(to).suspend(Reasoned::from(why)).await
        }),
        Dataset::Reinstate(id) => step(as_told, async |to| {
            Catalogue::new(to).reinstate(Named::from(id)).await
        }),
        Dataset::Withdraw(why) => step(as_told, async |to| {
            Catalogue::new(to).withdraw(Reasoned::from(why)).await
        }),
        Dataset::Load { id, file } => {
            let load = LoadRequest {
                dataset: id.id,
                file,
            };
            step(as_told, async |to| Catalogue::new(to).load(load).await)
        }
        Dataset::List => list((whom, json), async |to, page| {
            Catalogue::new(to).list(page).await
        }),
        Dataset::Show(id) => {
            let one = call(whom, async |to| {
                Catalogue::new(to).show(Named::from(id)).await
            })?;
            tell(&one.json, json);
            Ok(())
        }
    }
}

/// `item=degree/scope`.
fn impact(text: &str) -> Result<Impact, Failure> {
    let parts = text.split_once('=').and_then(|(item, found)| {
        let (degree, scope) = found.split_once('/')?;
        Some((item.to_owned(), degree.to_owned(), scope.to_owned()))
    });
    let wrong = || Failure::Usage(format!("`{text}`: write item=degree/scope"));
    let (item, degree, scope) = parts.ok_or_else(wrong)?;
    Ok(Impact {
        item,
        degree,
        scope,
    })
}

/// `item=grade`.
fn grade(text: &str) -> Result<ItemGrade, Failure> {
    let parts = text
        .split_once('=')
        .and_then(|(item, grade)| Some((item.to_owned(), grade.parse().ok()?)));
    let (item, grade) =
        parts.ok_or_else(|| Failure::Usage(format!("`{text}`: write item=grade")))?;
    Ok(ItemGrade { item, grade })
}
