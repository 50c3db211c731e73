use super::{
    ANSWER_BYTES_MAX, Id, IdReason, Managed, call, document, domain::default_schema, list, step,
    tell,
};
use crate::Failure;
use clap::{Args, Subcommand};
use futures::{Stream, stream};
use std::{
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};
use terms::Digest;
use wire::management::{
    ExternalHeader, ExternalPart, ExternalReview, Named, Reasoned, external_part::Part,
    externals_client::ExternalsClient as Externals,
};

/// Data from outside, through the import gate / 社会数据导入
#[derive(Debug, Subcommand)]
pub(crate) enum External {
    /// Bring data for one scenario: sealed into quarantine, looked over, reviewed / 提交社会数据
    Submit(Submission),
    /// Approve in one respect; with the second approval it comes in / 审核
    Review {
        #[command(flatten)]
        id: Id,
        /// lawfulness (data authority) or security (security authority) / 审核方面
        #[arg(long)]
        aspect: String,
        /// Why what the scan found may come in; kept sealed / 接受扫描发现的理由（密封保存）
        #[arg(long, default_value = "")]
        accept_findings: String,
    },
    /// Turn down; it is destroyed / 不予批准并销毁
    Refuse(IdReason),
    /// Take it back; it is destroyed / 撤回并销毁
    Withdraw(Id),
    /// What was declared and what the gate found, for the authorities / 扫描报告
    Report(Id),
    /// What was submitted / 列表
    List,
    /// One submission / 详情
    Show(Id),
}

/// Data and what its operator declares of it.
#[derive(Debug, Args)]
pub(crate) struct Submission {
    /// For which scenario / 应用场景
    #[arg(long)]
    scenario: String,
    /// The data, CSV or Parquet / 数据文件
    #[arg(long)]
    file: PathBuf,
    /// Its catalogue entry, TOML as in a seed or JSON, with `external = true` / 目录文件
    #[arg(long)]
    entry: PathBuf,
    /// What it is for; kept sealed / 用途（密封保存）
    #[arg(long)]
    purpose: String,
    /// By which right the operator has it, and from where; kept sealed / 合法来源声明（密封保存）
    #[arg(long)]
    source: String,
    /// The agreement that says so: its file, or the file's SHA-256 / 协议文件或其 SHA-256
    #[arg(long)]
    agreement: String,
}

/// Bytes of the file in one message.
const PART_BYTES: usize = 1 << 20;

pub(crate) fn external(given: Managed<External>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    let as_told = (whom, json);
    match given.verb {
        External::Submit(submission) => submit(as_told, submission),
        External::Review {
            id: Id { id },
            aspect,
            accept_findings,
        } => {
            let review = ExternalReview {
                id,
                aspect,
                accept_findings,
            };
            step(as_told, async |to| Externals::new(to).review(review).await)
        }
        External::Refuse(why) => step(as_told, async |to| {
            Externals::new(to).refuse(Reasoned::from(why)).await
        }),
        External::Withdraw(id) => step(as_told, async |to| {
            Externals::new(to).withdraw(Named::from(id)).await
        }),
        External::Report(id) => {
            let one = call(whom, async |to| {
                let client = Externals::new(to).max_decoding_message_size(ANSWER_BYTES_MAX);
                { client }.report(Named::from(id)).await
            })?;
            tell(&one.json, json);
            Ok(())
        }
        External::List => list((whom, json), async |to, page| {
            Externals::new(to).list(page).await
        }),
        External::Show(id) => {
            let one = call(whom, async |to| {
                Externals::new(to).show(Named::from(id)).await
            })?;
            tell(&one.json, json);
            Ok(())
        }
    }
}

fn submit(as_told: (Option<&Path>, bool), given: Submission) -> Result<(), Failure> {
    let wrong = |error| Failure::usage(&given.file, error);
    let file = File::open(&given.file).map_err(wrong)?;
    let bytes = file.metadata().map_err(wrong)?.len();
    let name = given.file.file_name().unwrap_or_default();
    let header = ExternalHeader {
        entry_json: document::dataset(&given.entry, &default_schema(as_told.0)?)?,
        agreement: agreement(&given.agreement)?,
        file: name.to_string_lossy().into_owned(),
        scenario: given.scenario,
        purpose: given.purpose,
        source: given.source,
        bytes,
    };
    step(as_told, async |to| {
        Externals::new(to).submit(parts(header, file)).await
    })
}

/// The header, then the file. A file that cannot be read to its end falls short of what the header says,
/// and is refused.
fn parts(header: ExternalHeader, file: File) -> impl Stream<Item = ExternalPart> {
    let part = |part| ExternalPart { part: Some(part) };
    let rest = stream::unfold(file, move |mut file| async move {
        let mut piece = Vec::with_capacity(PART_BYTES);
        let limit = u64::try_from(PART_BYTES).unwrap_or(u64::MAX);
        let read = file.by_ref().take(limit).read_to_end(&mut piece);
        let read = read.is_ok_and(|read| read > 0);
        read.then(|| (part(Part::Data(piece)), file))
    });
    stream::StreamExt::chain(stream::iter([part(Part::Header(header))]), rest)
}

/// The digest of an agreement: as given, or of the file.
fn agreement(given: &str) -> Result<String, Failure> {
    if given.len() == 64 && given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(given.to_ascii_lowercase());
    }
    let path = Path::new(given);
    let bytes = std::fs::read(path).map_err(|error| Failure::usage(path, error))?;
    Ok(Digest::of(&bytes).to_string())
}
