use super::{File, Id, Managed, call, document::document, list, step, tell};
use crate::Failure;
use clap::Subcommand;
use wire::management::{
    Assessment, Dated, Document, DocumentOf, Named, Pair,
    operators_client::OperatorsClient as Operators,
};

/// Operators / 运营单位
#[derive(Debug, Subcommand)]
pub(crate) enum Operator {
    /// Take an operator in / 登记
    Register(File),
    /// A document for the file: kind, title, until / 备案材料
    Evidence {
        #[command(flatten)]
        id: Id,
        #[command(flatten)]
        file: File,
    },
    /// Name the data security officer / 数据安全负责人
    Officer {
        #[command(flatten)]
        id: Id,
        /// The person's id / 人员编号
        person: String,
    },
    /// File the emergency plan / 应急预案备案
    Plan {
        #[command(flatten)]
        id: Id,
        #[command(flatten)]
        file: File,
        /// The last day by which it is drilled / 演练期限
        #[arg(long)]
        drill_until: String,
    },
    /// The plan was drilled / 应急演练
    Drill {
        #[command(flatten)]
        id: Id,
        /// The last day of the next drill / 下次演练期限
        #[arg(long)]
        next_until: String,
    },
    /// The yearly assessment by a third party / 年度评估
    Assess {
        #[command(flatten)]
        id: Id,
        /// The report / 评估报告
        #[command(flatten)]
        file: File,
        /// It was not passed / 未通过
        #[arg(long)]
        failed: bool,
    },
    /// Operators / 列表
    List,
    /// One operator / 详情
    Show(Id),
}

pub(crate) fn operator(given: Managed<Operator>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    let as_told = (whom, json);
    match given.verb {
        Operator::Register(File { file }) => {
            let json = document(&file)?;
            step(as_told, async |to| {
                Operators::new(to).register(Document { json }).await
            })
        }
        Operator::Evidence { id, file } => {
            let filed = filed(id, &file, String::new())?;
            step(as_told, async |to| {
                Operators::new(to).file_evidence(filed).await
            })
        }
        Operator::Officer { id, person } => {
            let (id, word) = (id.id, person);
            step(as_told, async |to| {
                Operators::new(to).name_officer(Pair { id, word }).await
            })
        }
        Operator::Plan {
            id,
            file,
            drill_until,
        } => {
            let filed = filed(id, &file, drill_until)?;
            step(as_told, async |to| {
                Operators::new(to).file_plan(filed).await
            })
        }
        Operator::Drill {
            id,
            next_until: day,
        } => {
            let dated = Dated { id: id.id, day };
            step(as_told, async |to| {
                Operators::new(to).record_drill(dated).await
            })
        }
        Operator::Assess { id, file, failed } => {
            let assessment = Assessment {
                operator: id.id,
                passed: !failed,
                report_json: document(&file.file)?,
            };
            step(as_told, async |to| {
                Operators::new(to).assess(assessment).await
            })
        }
        Operator::List => list((whom, json), async |to, page| {
            Operators::new(to).list(page).await
        }),
        Operator::Show(id) => {
            let one = call(whom, async |to| {
                Operators::new(to).show(Named::from(id)).await
            })?;
            tell(&one.json, json);
            Ok(())
        }
    }
}

fn filed(id: Id, file: &File, day: String) -> Result<DocumentOf, Failure> {
    Ok(DocumentOf {
        id: id.id,
        json: document(&file.file)?,
        day,
    })
}
