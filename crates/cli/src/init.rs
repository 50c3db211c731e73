//! `bonded init` and `bonded serve`.

use crate::{
    Failure,
    args::{Init, ManifestAlgorithm, Serve, block_on},
    key, profile, seed,
};
use chrono::Utc;
use gateway::{Administration, By, Domain, Founding, Listeners, ServeError, Unopened};
use identity::Authority;
use manifest::Algorithm;
use std::path::Path;
use terms::{Digest, DomainName, Obligations, Person, Role, Standing, Thresholds, today};

/// The person who founds a domain that has no seed.
const FOUNDER: &str = "founder";
/// How long the founder's agreement holds where nothing else is said, in days.
const AGREEMENT_DAYS: u64 = 365;

pub(crate) fn init(given: &Init) -> Result<(), Failure> {
    let dir = given.dir.as_path();
    if dir.join("bonded.toml").exists() {
        return Err(Failure::Usage(format!(
            "`{}` holds a domain already; choose another folder",
            dir.display()
        )));
    }
    match &given.from {
        Some(from) => {
            let seed = seed::read(from).map_err(|error| Failure::Usage(error.to_string()))?;
            let (keystore, keystore_config, secrets) = key::wanted(&given.keystore, true)?;
            let keeping = seed::Keeping {
                ledger_postgres: given.ledger_postgres.as_deref(),
                manifest_algorithm: algorithm(given),
                keystore,
                keystore_config,
                secrets,
            };
            block_on(async {
                seed::play(dir, &seed, &keeping)
                    .await
                    .map_err(Failure::from)
            })?;
        }
        None => {
            let existed = dir.exists();
            bare(given).inspect_err(|_| half_made(dir, existed))?;
        }
    }
    println!(
        "{}: ready; next: bonded serve --dir {}",
        dir.display(),
        dir.display()
    );
    Ok(())
}

const fn algorithm(given: &Init) -> Algorithm {
    match given.manifest_key {
        ManifestAlgorithm::P256 => Algorithm::P256,
        ManifestAlgorithm::Ed25519 => Algorithm::Ed25519,
    }
}

/// Removes what an `init` that failed left: a folder that holds a domain half-made.
fn half_made(dir: &Path, existed: bool) {
    let removed = match (dir.join("bonded.toml").exists(), existed) {
        (false, _) => Ok(()),
        (true, true) => seed::emptied(dir),
        (true, false) => std::fs::remove_dir_all(dir),
    };
    if let Err(error) = removed {
        eprintln!("{}: {error}", dir.display());
    }
}

/// A domain without data, and with one person: its founder, who enrols the others.
fn bare(given: &Init) -> Result<(), Failure> {
    let other = |error: &dyn std::fmt::Display| Failure::Other(error.to_string());
    let name = given.name.as_deref();
    let name = name.ok_or_else(|| Failure::Usage("give --name, or --from a seed".to_owned()))?;
    let name: DomainName = name
        .parse()
        .map_err(|error| Failure::Usage(format!("{error}")))?;
    let request = match &given.founder_csr {
        None => None,
        Some(file) => Some(std::fs::read_to_string(file).map_err(|e| Failure::usage(file, e))?),
    };
    let (keystore, keystore_config, secrets) = key::wanted(&given.keystore, false)?;
    let now = Utc::now();
    let year = today(now).checked_add_days(chrono::Days::new(AGREEMENT_DAYS));
    let founder = Person {
        id: FOUNDER.parse().map_err(|error| other(&error))?,
        role: Role::DomainAdmin,
        organisation: name.to_string(),
        vetted: true,
        nda_until: given.founder_until.or(year),
        standing: Standing::Active,
    };
    let founding = Founding {
        name: &name,
        policies: None,
        manifest_algorithm: algorithm(given),
        ledger_postgres: given.ledger_postgres.as_deref(),
        keystore,
        keystore_config: &keystore_config,
        secrets: &secrets,
        now,
    };
    let domain = Domain::create(&given.dir, &founding).map_err(|error| other(&error))?;
    let certificate = certified(&domain.dir, &founder, request.as_deref())?;
    block_on(async {
        let program = std::env::current_exe().map_err(|error| other(&error))?;
        let administration = Administration::new(domain, program).map_err(|error| other(&error))?;
        let create = register::Command::CreateDomain {
            title: name.to_string(),
            name: name.clone(),
            default_schema: given.default_schema.clone(),
            pilot: false,
            thresholds: Thresholds::default(),
            obligations: Obligations {
                rows_max: 1_000_000,
                result_bytes_max: 64 << 20,
            },
        };
        let by = By::Known(Box::new(founder.clone()), now);
        let enrol = register::Command::EnrolPerson {
            person: founder,
            certificate,
        };
        for command in [create, enrol] {
            let done = administration.carry_out(&by, command, None).await;
            done.map_err(|error| other(&error))?;
        }
        Ok(())
    })
}

/// The founder's certificate, in `people/founder`: for the key of a request, or for one that is written
/// beside it, once.
fn certified(dir: &Path, founder: &Person, request: Option<&str>) -> Result<Digest, Failure> {
    let other = |error: &dyn std::fmt::Display| Failure::Other(error.to_string());
    let authority = Authority::open(&dir.join("ca")).map_err(|error| other(&error))?;
    let folder = dir.join("people").join(FOUNDER);
    let now = Utc::now();
    let (digest, certificate, key) = match request {
        Some(request) => {
            let certified = authority.certify(request, founder, now);
            let certified = certified.map_err(|error| Failure::Usage(error.to_string()))?;
            (certified.digest, certified.certificate_pem, None)
        }
        None => {
            let issued = authority
                .issue(founder, now)
                .map_err(|error| other(&error))?;
            (issued.digest, issued.certificate_pem, Some(issued.key_pem))
        }
    };
    let mut files = vec![
        ("cert.pem", certificate.as_str()),
        ("ca.pem", authority.ca_pem()),
    ];
    files.extend(key.as_deref().map(|key| ("key.pem", key)));
    seed::write_all(&folder, &files).map_err(|error| other(&error))?;
    profile::write(&folder, (seed::ENDPOINT, seed::ADMIN), None)?;
    if key.is_some() {
        println!(
            "{}: the founder's key, written this once; move it to the founder's machine / 创建人私钥，请移至其本人设备",
            folder.join("key.pem").display()
        );
    }
    Ok(digest)
}

pub(crate) fn serve(serve: Serve) -> Result<(), Failure> {
    if serve.console.is_some() {
        return Err(Failure::Usage(
            "the console is not built yet; leave --console out".to_owned(),
        ));
    }
    let listeners = Listeners {
        flight: serve.flight,
        flight_remote: serve.flight_remote,
        admin: serve.admin,
        log: serve.log,
    };
    gateway::serve(&serve.dir, listeners, &key::secrets(&serve.secret)).map_err(|error| match error
    {
        ServeError::Unopened(
            Unopened::Ledger(::ledger::Breach::RolledBack { .. })
            | Unopened::Witnesses(::witness::Unwitnessed::RolledBack { .. }),
        ) => Failure::RolledBack(error.to_string()),
        ServeError::Unopened(Unopened::Ledger(breach)) => {
            Failure::Other(format!("{}: {breach}", breach.code()))
        }
        _ => Failure::Other(error.to_string()),
    })
}
