use super::{Managed, list, profile_of, step};
use crate::Failure;
use clap::Subcommand;
use wire::management::{KeptName, workspaces_client::WorkspacesClient};

/// What is asked of the results that scenarios keep.
#[derive(Debug, Subcommand)]
pub(crate) enum Workspace {
    /// Those of your scenarios / 所在场景的留存结果
    List,
    /// Drop one; it is destroyed at once / 删除并销毁
    Drop {
        /// What statements call it, without `work.` / 名称
        name: String,
        /// The scenario; the profile's if not given / 场景
        #[arg(long)]
        scenario: Option<String>,
    },
}

pub(crate) fn workspace(given: Managed<Workspace>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    match given.verb {
        Workspace::List => list((whom, json), async |channel, page| {
            WorkspacesClient::new(channel).list(page).await
        }),
        Workspace::Drop { name, scenario } => {
            let known = profile_of(whom)?.scenario;
            let scenario = scenario.or(known).unwrap_or_default();
            let kept = KeptName { scenario, name };
            step((whom, json), async |channel| {
                WorkspacesClient::new(channel).drop(kept).await
            })
        }
    }
}
