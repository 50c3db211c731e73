use super::{Id, IdReason, Managed, call, list, step, tell};
use crate::{Failure, profile};
use clap::{Args, Subcommand};
use identity::Authority;
use serde_json::json;
use std::{
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};
use wire::management::{
    CertificateRequest, Dated, EnrolReply, EnrolRequest, Named, Reasoned, Vetting,
    people_client::PeopleClient as People,
};

/// People / 参与人员
#[derive(Debug, Subcommand)]
pub(crate) enum Person {
    /// Make a key and a certificate request on your own machine / 在本机生成密钥和证书申请
    Request {
        /// Your id in the domain / 编号
        #[arg(long)]
        id: String,
        /// Your organisation / 单位
        #[arg(long)]
        org: String,
        /// The folder; the key in it never leaves your machine / 目录
        #[arg(long, short)]
        output: PathBuf,
    },
    /// Enrol a person by a certificate request / 登记人员并签发证书
    Enrol {
        /// The person's id / 编号
        #[arg(long)]
        id: String,
        /// operator-member, data-authority, security-authority, provider, regulator, domain-admin / 角色
        #[arg(long)]
        role: String,
        /// The operator's id for an operator's member / 单位（运营单位人员填其编号）
        #[arg(long)]
        org: String,
        /// The real name; kept sealed / 真实姓名（密封保存）
        #[arg(long)]
        name: String,
        /// The certificate request / 证书申请
        #[arg(long)]
        csr: PathBuf,
        /// Vetted outside the domain: the first of the security authority alone / 域外已审查（仅限首位安全主管）
        #[arg(long)]
        vetted: bool,
        /// A folder for certificate, authority and profile / 输出目录
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Another certificate in place of your own, asked for with it; for another who lost theirs, who is then
    /// vetted again / 换发证书（本人凭现有证书换发；由管理员代为换发的须重新审查）
    Renew {
        /// Who lost theirs; your own without it / 编号（不填为本人）
        id: Option<String>,
        /// The certificate request / 证书申请
        #[arg(long)]
        csr: PathBuf,
        /// A folder for certificate, authority and profile / 输出目录
        #[arg(long, short)]
        output: Option<PathBuf>,
    },
    /// Take the certificate back / 吊销证书
    Revoke(IdReason),
    /// Background vetting is on file / 审查通过
    Vet(LookedAt),
    /// Vouch for somebody of the security authority, where nobody of it is left to vet; two of different
    /// roles do / 共同审查（无安全主管可审查时，由两个不同主管部门的人员共同确认）
    Vouch(LookedAt),
    /// The confidentiality agreement is signed / 签订保密协议
    Sign {
        #[command(flatten)]
        id: Id,
        /// The last day / 截止日
        #[arg(long)]
        until: String,
    },
    /// Not let in for now / 暂停
    Suspend(IdReason),
    /// Let in again / 恢复
    Reinstate(Id),
    /// Left for good / 离职
    Dismiss(Id),
    /// Everybody, without names / 列表
    List,
    /// One person / 详情
    Show(Id),
}

/// Who, and which certificate of theirs was looked at.
#[derive(Debug, Args)]
pub(crate) struct LookedAt {
    /// Their id / 编号
    pub id: String,
    /// SHA-256 of the certificate that you compared with them, in hexadecimal, with or without colons;
    /// where they hold another by now, nothing is done / 已与本人核对的证书指纹（SHA-256）
    #[arg(long)]
    pub certificate: Option<String>,
}

impl From<LookedAt> for Vetting {
    fn from(LookedAt { id, certificate }: LookedAt) -> Self {
        let certificate = certificate.unwrap_or_default();
        // As openssl prints it.
        let certificate = certificate.replace(':', "").to_lowercase();
        Self { id, certificate }
    }
}

pub(crate) fn person(given: Managed<Person>, json: bool) -> Result<(), Failure> {
    let whom = given.profile.as_deref();
    let as_told = (whom, json);
    match given.verb {
        Person::Request { id, org, output } => request(&id, &org, &output, json),
        Person::Enrol {
            id,
            role,
            org: organisation,
            name,
            csr,
            vetted,
            output,
        } => {
            let enrol = EnrolRequest {
                id,
                role,
                organisation,
                name,
                request_pem: text(&csr)?,
                vetted,
            };
            let reply = call(whom, async |to| People::new(to).enrol(enrol).await)?;
            enrolled(as_told, &reply, output.as_deref())
        }
        Person::Renew { id, csr, output } => {
            let renew = CertificateRequest {
                id: id.unwrap_or_default(),
                request_pem: text(&csr)?,
            };
            let reply = call(whom, async |to| {
                People::new(to).renew_certificate(renew).await
            })?;
            enrolled(as_told, &reply, output.as_deref())
        }
        Person::Revoke(why) => step(as_told, async |to| {
            People::new(to)
                .revoke_certificate(Reasoned::from(why))
                .await
        }),
        Person::Vet(who) => step(as_told, async |to| {
            People::new(to).vet(Vetting::from(who)).await
        }),
        Person::Vouch(who) => step(as_told, async |to| {
            People::new(to).vouch(Vetting::from(who)).await
        }),
        Person::Sign { id, until: day } => {
            let dated = Dated { id: id.id, day };
            step(as_told, async |to| {
                People::new(to).sign_agreement(dated).await
            })
        }
        Person::Suspend(why) => step(as_told, async |to| {
            People::new(to).suspend(Reasoned::from(why)).await
        }),
        Person::Reinstate(id) => step(as_told, async |to| {
            People::new(to).reinstate(Named::from(id)).await
        }),
        Person::Dismiss(id) => step(as_told, async |to| {
            People::new(to).dismiss(Named::from(id)).await
        }),
        Person::List => list((whom, json), async |to, page| {
            People::new(to).list(page).await
        }),
        Person::Show(id) => {
            let one = call(whom, async |to| People::new(to).show(Named::from(id)).await)?;
            tell(&one.json, json);
            Ok(())
        }
    }
}

fn text(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::usage(file, error))
}

/// The key stays in the folder; the request goes to whoever enrols.
fn request(id: &str, org: &str, folder: &Path, json: bool) -> Result<(), Failure> {
    let (key, request) =
        Authority::request(id, org).map_err(|error| Failure::Other(error.to_string()))?;
    std::fs::create_dir_all(folder).map_err(|error| Failure::usage(folder, error))?;
    new_file(&folder.join("key.pem"), &key)?;
    new_file(&folder.join("request.pem"), &request)?;
    let request = folder.join("request.pem");
    if json {
        println!(
            "{}",
            json!({"request": request, "key": folder.join("key.pem")})
        );
    } else {
        println!(
            "{}: give this to the domain's administrator / 请提交域管理员",
            request.display()
        );
        println!(
            "{}: never leaves this machine / 私钥请勿外传",
            folder.join("key.pem").display()
        );
    }
    Ok(())
}

/// Writes a file that is not there yet, for its owner's eyes.
fn new_file(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = std::fs::File::options();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::usage(path, error))
}

/// Tells of an enrolment, and writes certificate, authority and profile where asked.
fn enrolled(
    (whom, json): (Option<&Path>, bool),
    reply: &EnrolReply,
    folder: Option<&Path>,
) -> Result<(), Failure> {
    if let Some(folder) = folder {
        std::fs::create_dir_all(folder).map_err(|error| Failure::usage(folder, error))?;
        for (name, text) in [
            ("cert.pem", &reply.certificate_pem),
            ("ca.pem", &reply.ca_pem),
        ] {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|error| Failure::other(&path, error))?;
        }
        if let Some(whom) = whom {
            profile::write_like(folder, whom)?;
        }
    }
    if json {
        let told = json!({"index": reply.index, "checkpoint": reply.checkpoint,
            "stands": super::read(&reply.json), "certificate": reply.certificate_pem,
            "authority": reply.ca_pem});
        println!("{told}");
    } else {
        println!("on record / 已存证: #{}", reply.index);
        let stands = super::read(&reply.json);
        if stands.pointer("/person/vetted") == Some(&json!(false)) {
            println!(
                "to be vetted by the security authority before it is good for anything / 须经安全主管部门审查后方可使用"
            );
        }
        match folder {
            Some(folder) => println!("{}: certificate and profile / 证书与配置", folder.display()),
            None => print!("{}", reply.certificate_pem),
        }
    }
    Ok(())
}
