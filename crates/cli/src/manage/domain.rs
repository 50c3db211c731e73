use super::{
    ANSWER_BYTES_MAX, File, Managed, call,
    document::document,
    profile_of, read,
    seal::{Sealing, sealing},
    step, tell, tell_all,
};
use crate::{Failure, args::block_on, client};
use clap::Subcommand;
use std::{
    io::Write,
    path::{Path, PathBuf},
};
use terms::Digest;
use wire::management::{
    All, Destruction, DestructionApproval, DestructionRequest, Document, FollowRequest,
    platform_client::PlatformClient as Platform,
};

/// The domain / 授权运营域
#[derive(Debug, Subcommand)]
pub(crate) enum Domain {
    /// Name, register version, thresholds / 概况
    Show,
    /// Entries of the log as they come / 存证事件流
    Follow {
        /// The first entry / 起始条目
        #[arg(long, default_value_t = 0)]
        from: u64,
    },
    /// What somebody owes by a day that is over / 逾期事项
    Overdue,
    /// A year's public holidays / 法定节假日
    Holidays(File),
    /// Ask that a snapshot of a dataset be destroyed / 申请销毁数据快照
    Destroy {
        /// Which dataset / 数据集
        #[arg(long)]
        dataset: String,
        /// Which snapshot / 快照编号
        #[arg(long)]
        snapshot: u32,
        /// licence-ended, purpose-met, superseded, withdrawn or order / 事由
        #[arg(long)]
        basis: String,
    },
    /// Approve such a request; the second approval destroys and certifies / 批准销毁
    ApproveDestruction {
        /// The entry of the request / 申请条目
        request: u64,
    },
    #[command(flatten)]
    Sealing(Sealing),
    /// The data of what ended is destroyed / 销毁完成
    Destroyed {
        /// Which licence / 授权编号
        #[arg(long, default_value = "", conflicts_with = "scenario")]
        licence: String,
        /// Which scenario / 场景编号
        #[arg(long, default_value = "")]
        scenario: String,
        /// The certificate of destruction / 销毁证明文件
        #[arg(long)]
        certificate: PathBuf,
    },
}

pub(crate) fn domain(given: Managed<Domain>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    let as_told = (whom, json);
    match given.verb {
        Domain::Show => {
            let one = call(whom, async |to| Platform::new(to).describe(All {}).await)?;
            tell(&one.json, json);
            Ok(())
        }
        Domain::Follow { from } => follow(whom, from),
        Domain::Overdue => {
            let all = call(whom, async |to| {
                let client = Platform::new(to).max_decoding_message_size(ANSWER_BYTES_MAX);
                { client }.overdue(All {}).await
            })?;
            tell_all(&all.json, json);
            Ok(())
        }
        Domain::Holidays(File { file }) => {
            let json = document(&file)?;
            step(as_told, async |to| {
                Platform::new(to).set_holidays(Document { json }).await
            })
        }
        Domain::Destroy {
            dataset,
            snapshot,
            basis,
        } => {
            let asked = DestructionRequest {
                dataset,
                snapshot,
                basis,
            };
            destroy(as_told, asked)
        }
        Domain::ApproveDestruction { request } => approve(as_told, request),
        Domain::Sealing(given) => sealing(as_told, given),
        Domain::Destroyed {
            licence,
            scenario,
            certificate,
        } => {
            let bytes = std::fs::read(&certificate);
            let bytes = bytes.map_err(|error| Failure::usage(&certificate, error))?;
            let destruction = Destruction {
                licence,
                scenario,
                certificate: Digest::of(&bytes).to_string(),
            };
            step(as_told, async |to| {
                Platform::new(to).confirm_destruction(destruction).await
            })
        }
    }
}

fn destroy((whom, json): (Option<&Path>, bool), asked: DestructionRequest) -> Result<(), Failure> {
    let asked = call(whom, async |to| {
        Platform::new(to).request_destruction(asked).await
    })?;
    let request = asked.request;
    if json {
        println!("{}", serde_json::json!({"request": request}));
    } else {
        println!(
            "request / 申请: #{request}; two others approve it / 须另外两人批准: \
             bonded domain approve-destruction -p … {request}"
        );
    }
    Ok(())
}

fn approve((whom, json): (Option<&Path>, bool), request: u64) -> Result<(), Failure> {
    let approved = call(whom, async |to| {
        let approval = DestructionApproval { request };
        Platform::new(to).approve_destruction(approval).await
    })?;
    let (approvals, certificate) = (approved.approvals, approved.certificate);
    if json {
        let told = serde_json::json!({"request": request, "approvals": approvals,
            "certificate": certificate});
        println!("{told}");
    } else if certificate.is_empty() {
        println!("approvals / 已批准: {approvals}");
    } else {
        println!("destroyed / 已销毁; certificate / 证明: certificates/{request}  {certificate}");
    }
    Ok(())
}

/// What unqualified names of datasets mean.
pub(super) fn default_schema(whom: Option<&Path>) -> Result<String, Failure> {
    let domain = call(whom, async |to| Platform::new(to).describe(All {}).await)?;
    let schema = read(&domain.json);
    let schema = schema.get("default_schema").and_then(|name| name.as_str());
    Ok(schema.unwrap_or_default().to_owned())
}

/// One entry a line, as the log has it; ends when the gateway or the reader does.
fn follow(whom: Option<&Path>, from_index: u64) -> Result<(), Failure> {
    let profile = profile_of(whom)?;
    let answered = |status: tonic::Status| Failure::answered(&status);
    block_on(async {
        let client = client::connect(&profile, None).await?;
        let stream = Platform::new(client.channel)
            .follow(FollowRequest { from_index })
            .await;
        let mut entries = stream.map_err(answered)?.into_inner();
        while let Some(entry) = entries.message().await.map_err(answered)? {
            let mut out = std::io::stdout().lock();
            let told = writeln!(
                out,
                "{{\"index\":{},\"at\":\"{}\",\"leaf\":{}}}",
                entry.index, entry.at, entry.leaf
            );
            if told.and_then(|()| out.flush()).is_err() {
                break;
            }
        }
        Ok(())
    })
}
