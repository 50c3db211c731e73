//! `bonded export` and `bonded verify`.

use crate::{
    Failure,
    args::{Export, block_on},
    client, profile,
};
use std::{collections::BTreeMap, path::Path};
use wire::operations::{ExportRequest, operations_client::OperationsClient};

pub(crate) fn export(given: Export, json: bool) -> Result<(), Failure> {
    let Export {
        as_whom,
        sql,
        product,
        output,
    } = given;
    if output.exists() {
        let text = format!(
            "{}: exists already; choose another folder",
            output.display()
        );
        return Err(Failure::Usage(text));
    }
    let profile = profile::read(&as_whom.profile)?;
    let wanted = ExportRequest {
        sql: sql.unwrap_or_default(),
        product: product.unwrap_or_default(),
    };
    let files = block_on(async {
        let client = client::connect(&profile, as_whom.scenario.as_deref()).await?;
        fetch(&client, wanted).await
    })?;
    write(&output, &files)?;
    if json {
        let names: Vec<&String> = files.keys().collect();
        println!("{}", serde_json::json!({"package": output, "files": names}));
    } else {
        println!("{}: {} files / 个文件", output.display(), files.len());
    }
    Ok(())
}

/// The package's files, as the gateway sends them.
pub(crate) async fn fetch(
    client: &client::Client,
    wanted: ExportRequest,
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut operations = OperationsClient::new(client.channel.clone());
    let request = client.request(wanted);
    let answered = |status: tonic::Status| Failure::answered(&status);
    let mut stream = operations
        .export(request)
        .await
        .map_err(answered)?
        .into_inner();
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    while let Some(chunk) = stream.message().await.map_err(answered)? {
        files.entry(chunk.name).or_default().extend(chunk.data);
    }
    Ok(files)
}

/// Writes a package. A name that is not a plain file name is not written.
pub(crate) fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> Result<(), Failure> {
    std::fs::create_dir(folder).map_err(|error| Failure::usage(folder, error))?;
    for (name, bytes) in files {
        let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains('\\');
        if name.split('/').count() > 2 || !name.split('/').all(plain) {
            return Err(Failure::Other(format!(
                "`{name}` is no file name of a package"
            )));
        }
        let path = folder.join(name);
        if let Some(inner) = path.parent() {
            std::fs::create_dir_all(inner).map_err(|error| Failure::other(inner, error))?;
        }
        std::fs::write(&path, bytes).map_err(|error| Failure::other(&path, error))?;
    }
    Ok(())
}

pub(crate) fn verify(
    package: &Path,
    key: &Path,
    policy: Option<&Path>,
    json: bool,
) -> Result<(), Failure> {
    for trusted in [Some(key), policy].into_iter().flatten() {
        outside(package, trusted)?;
    }
    let read =
        |path: &Path| std::fs::read_to_string(path).map_err(|error| Failure::usage(path, error));
    let key = read(key)?;
    let policy = policy.map(read).transpose()?;
    if manifest::is_certificate(package) {
        return certified(package, (&key, policy.as_deref()), json);
    }
    match manifest::verify_package(package, &key, policy.as_deref()) {
        Ok(verified) if json => {
            let text = serde_json::to_string(&verified);
            println!(
                "{}",
                text.map_err(|error| Failure::Other(error.to_string()))?
            );
            Ok(())
        }
        Ok(verified) => {
            for check in &verified.checks {
                let told = check.told();
                println!("✓ {} {}", told.en, told.zh);
            }
            if !verified.witnesses.is_empty() {
                println!("  witnesses / 见证方: {}", verified.witnesses.join(", "));
            }
            println!("{}: everything holds / 全部核验通过", package.display());
            Ok(())
        }
        Err(broken) => {
            let told = broken.told();
            Err(Failure::Other(format!(
                "✗ {}: {} {} ({broken})",
                broken.code(),
                told.en,
                told.zh
            )))
        }
    }
}

/// A certificate of destruction, in place of a package.
fn certified(
    folder: &Path,
    (key, policy): (&str, Option<&str>),
    json: bool,
) -> Result<(), Failure> {
    let certified = manifest::verify_certificate(folder, key, policy);
    let certified = certified.map_err(|broken| {
        let told = broken.told();
        let (code, en, zh) = (broken.code(), told.en, told.zh);
        Failure::Other(format!("✗ {code}: {en} {zh} ({broken})"))
    })?;
    if json {
        let text = serde_json::to_string(&certified);
        println!("{}", text.map_err(|e| Failure::Other(e.to_string()))?);
        return Ok(());
    }
    let certificate = &certified.certificate;
    println!(
        "snapshot {} of {} was destroyed ({}, {}) / 数据快照已销毁",
        certificate.snapshot,
        certificate.dataset,
        certificate.method.name,
        certificate.method.degree
    );
    for step in &certificate.steps {
        println!("  {} {} #{}", step.step, step.by, step.index);
    }
    for tried in &certificate.validation {
        println!("  {}: {}", tried.of, tried.is);
    }
    for not in &certificate.not_covered {
        println!("  not covered / 不涵盖: {not}");
    }
    println!(
        "{}: the certificate holds / 销毁证明核验通过",
        folder.display()
    );
    Ok(())
}

/// What is to be believed does not come from the package that it judges.
fn outside(package: &Path, trusted: &Path) -> Result<(), Failure> {
    let real = |path: &Path| std::fs::canonicalize(path).map_err(|e| Failure::usage(path, e));
    if real(trusted)?.starts_with(real(package)?) {
        return Err(Failure::Usage(format!(
            "`{}` lies in the package; take it from the domain or its regulator / 公钥与信任策略须另行取得",
            trusted.display()
        )));
    }
    Ok(())
}
