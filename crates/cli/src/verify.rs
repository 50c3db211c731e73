//! `bonded verify`: a package or a certificate, offline.

use crate::Failure;
use manifest::{Broken, Certificate, Certified, Certifies, Registration};
use std::path::Path;

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
    let by = (key.as_str(), policy.as_deref());
    if manifest::holds::<Certificate>(package) {
        let certified = manifest::verify_certificate(package, by.0, by.1);
        return told(package, certified, json, destroyed);
    }
    if manifest::holds::<Registration>(package) {
        let certified = manifest::verify_registration(package, by.0, by.1);
        return told(package, certified, json, registered);
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
        Err(broken) => Err(untrue(&broken)),
    }
}

/// A certificate in place of a package: what it says, where it holds.
fn told<C: Certifies>(
    folder: &Path,
    certified: Result<Certified<C>, Broken>,
    json: bool,
    says: fn(&C),
) -> Result<(), Failure> {
    let certified = certified.map_err(|broken| untrue(&broken))?;
    if json {
        let text = serde_json::to_string(&certified);
        println!("{}", text.map_err(|e| Failure::Other(e.to_string()))?);
        return Ok(());
    }
    says(&certified.certificate);
    let folder = folder.display();
    println!("{folder}: the certificate holds / 证明核验通过");
    Ok(())
}

fn untrue(broken: &Broken) -> Failure {
    let told = broken.told();
    let (code, en, zh) = (broken.code(), told.en, told.zh);
    Failure::Other(format!("✗ {code}: {en} {zh} ({broken})"))
}

fn destroyed(certificate: &Certificate) {
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
}

fn registered(certificate: &Registration) {
    let product = &certificate.product;
    println!(
        "product {} ({}, {}) of {} was registered / 公共数据产品已登记: {}",
        product.id,
        product.form.word(),
        product.scenario,
        certificate.operator,
        product.title
    );
    for review in &certificate.reviews {
        println!(
            "  {} {} {} #{}",
            review.aspect.word(),
            review.by,
            review.on,
            review.index
        );
    }
    if let Some(plan) = product.plan {
        println!("  plan / 计划摘要: {plan}");
    }
    println!("  {} – {}", certificate.from, certificate.until);
    for end in &certificate.ends {
        println!("  ends before, or not told here / 提前失效或本证书不载: {end}");
    }
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
