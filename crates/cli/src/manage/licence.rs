use super::{File, Id, IdCause, IdReason, Managed, call, document::document, list, step, tell};
use crate::Failure;
use clap::Subcommand;
use wire::management::{
    Caused, Dated, Document, Named, Reasoned, licences_client::LicencesClient as Licences,
};

/// Licences / 授权
#[derive(Debug, Subcommand)]
pub(crate) enum Licence {
    /// Call for applications / 通告
    Announce(File),
    /// Apply / 申请
    Apply(File),
    /// Review / 审核
    Review(Id),
    /// Publish for objections / 公示
    Notice {
        #[command(flatten)]
        id: Id,
        /// The last day / 截止日
        #[arg(long)]
        until: String,
    },
    /// Grant / 审定
    Grant(Id),
    /// Turn down / 不予批准
    Refuse(IdReason),
    /// Suspend, with a term for rectification / 暂停并责令限期整改
    Suspend {
        #[command(flatten)]
        given: IdCause,
        /// The last day for rectification / 整改期限
        #[arg(long)]
        rectify_by: String,
    },
    /// Accept what was put right / 整改完成
    Rectified(Id),
    /// End for good / 终止
    Terminate(IdCause),
    /// Give back / 交回
    Surrender(Id),
    /// Licences and calls / 列表
    List,
    /// One licence / 详情
    Show(Id),
}

pub(crate) fn licence(given: Managed<Licence>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    let as_told = (whom, json);
    match given.verb {
        Licence::Announce(File { file }) => {
            let json = document(&file)?;
            step(as_told, async |to| {
                Licences::new(to).announce(Document { json }).await
            })
        }
        Licence::Apply(File { file }) => {
            let json = document(&file)?;
            step(as_told, async |to| {
                Licences::new(to).apply(Document { json }).await
            })
        }
        Licence::Review(id) => step(as_told, async |to| {
            Licences::new(to).review(Named::from(id)).await
        }),
        Licence::Notice { id, until: day } => {
            let dated = Dated { id: id.id, day };
            step(as_told, async |to| Licences::new(to).notice(dated).await)
        }
        Licence::Grant(id) => step(as_told, async |to| {
            Licences::new(to).grant(Named::from(id)).await
        }),
        Licence::Refuse(why) => step(as_told, async |to| {
            Licences::new(to).refuse(Reasoned::from(why)).await
        }),
        Licence::Suspend { given, rectify_by } => {
            let caused = Caused {
                day: rectify_by,
                ..given.into()
            };
            step(as_told, async |to| Licences::new(to).suspend(caused).await)
        }
        Licence::Rectified(id) => step(as_told, async |to| {
            Licences::new(to)
                .accept_rectification(Named::from(id))
                .await
        }),
        Licence::Terminate(why) => step(as_told, async |to| {
            Licences::new(to).terminate(Caused::from(why)).await
        }),
        Licence::Surrender(id) => step(as_told, async |to| {
            Licences::new(to).surrender(Named::from(id)).await
        }),
        Licence::List => list((whom, json), async |to, page| {
            Licences::new(to).list(page).await
        }),
        Licence::Show(id) => {
            let one = call(whom, async |to| {
                Licences::new(to).show(Named::from(id)).await
            })?;
            tell(&one.json, json);
            Ok(())
        }
    }
}
