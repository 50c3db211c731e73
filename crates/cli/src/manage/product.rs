mod report; // the disclosure report

use super::{
    ANSWER_BYTES_MAX, File, Id, IdCause, IdReason, Managed, call, document::document, list, step,
    tell,
};
use crate::{Failure, export::write};
use clap::Subcommand;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use wire::management::{
    Caused, Named, Pair, ProductRegistration, Reasoned, products_client::ProductsClient as Products,
};

/// Products / 公共数据产品
#[derive(Debug, Subcommand)]
pub(crate) enum Product {
    /// Register / 产品登记
    Register {
        #[command(flatten)]
        file: File,
        /// The statement whose results it releases, tried inside first / 该产品所导出结果的语句
        #[arg(long)]
        sql: Option<String>,
    },
    /// Review in one respect / 审核
    Review {
        #[command(flatten)]
        id: Id,
        /// compliance (data authority) or security (security authority) / 审核方面
        #[arg(long)]
        aspect: String,
    },
    /// Turn down / 不予批准
    Refuse(IdReason),
    /// Publish / 产品发布
    Publish(Id),
    /// Recall / 下架
    Recall(IdCause),
    /// Products / 列表
    List,
    /// One product / 详情
    Show(Id),
    /// What it releases and how, for those who review it / 披露报告
    Report(Id),
    /// Its certificate of registration, into a folder that `bonded verify` verifies / 产品登记证书
    Certificate {
        #[command(flatten)]
        id: Id,
        /// The folder to make / 输出目录
        #[arg(long, short)]
        output: PathBuf,
    },
}

pub(crate) fn product(given: Managed<Product>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    let as_told = (whom, json);
    match given.verb {
        Product::Register { file, sql } => {
            let registration = ProductRegistration {
                json: document(&file.file)?,
                sql: sql.unwrap_or_default(),
            };
            step(as_told, async |to| {
                Products::new(to).register(registration).await
            })
        }
        Product::Review { id, aspect: word } => {
            let pair = Pair { id: id.id, word };
            step(as_told, async |to| Products::new(to).review(pair).await)
        }
        Product::Refuse(why) => step(as_told, async |to| {
            Products::new(to).refuse(Reasoned::from(why)).await
        }),
        Product::Publish(id) => step(as_told, async |to| {
            Products::new(to).publish(Named::from(id)).await
        }),
        Product::Recall(why) => step(as_told, async |to| {
            Products::new(to).recall(Caused::from(why)).await
        }),
        Product::List => list((whom, json), async |to, page| {
            Products::new(to).list(page).await
        }),
        Product::Show(id) => {
            let one = call(whom, async |to| {
                Products::new(to).show(Named::from(id)).await
            })?;
            tell(&one.json, json);
            Ok(())
        }
        Product::Report(id) => {
            let one = call(whom, async |to| {
                let client = Products::new(to).max_decoding_message_size(ANSWER_BYTES_MAX);
                { client }.report(Named::from(id)).await
            })?;
            report::tell(&one.json, json);
            Ok(())
        }
        Product::Certificate { id, output } => certificate(as_told, id, &output),
    }
}

fn certificate((whom, json): (Option<&Path>, bool), id: Id, output: &Path) -> Result<(), Failure> {
    let handed = call(whom, async |to| {
        Products::new(to).certificate(Named::from(id)).await
    })?;
    let files = handed.files.into_iter();
    let files: BTreeMap<String, Vec<u8>> = files.map(|file| (file.name, file.data)).collect();
    write(output, &files)?;
    if json {
        let names: Vec<&String> = files.keys().collect();
        println!(
            "{}",
            serde_json::json!({"certificate": output, "files": names})
        );
    } else {
        println!(
            "{}: {} files / 个文件; bonded verify {} --key …",
            output.display(),
            files.len(),
            output.display()
        );
    }
    Ok(())
}
