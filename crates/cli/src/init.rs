//! `bonded init` and `bonded serve`.

use crate::{
    Failure,
    args::{Init, ManifestAlgorithm, Serve, block_on},
    seed,
};
use chrono::Utc;
use gateway::{Administration, By, Domain, Founding, Listeners, ServeError, Unopened};
use manifest::Algorithm;
use terms::{DomainName, Obligations, Person, Role, Standing, Thresholds};

/// The person who founds a domain that has no seed.
const FOUNDER: &str = "founder";

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
            let keeping = seed::Keeping {
                ledger_postgres: given.ledger_postgres.as_deref(),
                manifest_algorithm: algorithm(given),
            };
            block_on(async {
                seed::play(dir, &seed, &keeping)
                    .await
                    .map_err(Failure::from)
            })?;
        }
        None => bare(given)?,
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

/// A domain without people or data: only its founder can go on.
fn bare(given: &Init) -> Result<(), Failure> {
    let name = given.name.as_deref();
    let name = name.ok_or_else(|| Failure::Usage("give --name, or --from a seed".to_owned()))?;
    let name: DomainName = name
        .parse()
        .map_err(|error| Failure::Usage(format!("{error}")))?;
    let founder = Person {
        id: FOUNDER
            .parse()
            .map_err(|error| Failure::Other(format!("{error}")))?,
        role: Role::DomainAdmin,
        organisation: name.to_string(),
        vetted: true,
        nda_until: None,
        standing: Standing::Active,
    };
    let now = Utc::now();
    let founding = Founding {
        name: &name,
        policies: None,
        manifest_algorithm: algorithm(given),
        ledger_postgres: given.ledger_postgres.as_deref(),
        now,
    };
    let domain =
        Domain::create(&given.dir, &founding).map_err(|error| Failure::Other(error.to_string()))?;
    block_on(async {
        let program = std::env::current_exe().map_err(|error| Failure::Other(error.to_string()))?;
        let administration = Administration::new(domain, program);
        let administration = administration.map_err(|error| Failure::Other(error.to_string()))?;
        let command = register::Command::CreateDomain {
            title: name.to_string(),
            name: name.clone(),
            default_schema: "main".to_owned(),
            pilot: false,
            thresholds: Thresholds::default(),
            obligations: Obligations {
                rows_max: 1_000_000,
                result_bytes_max: 64 << 20,
            },
        };
        let by = By::Known(Box::new(founder), now);
        let done = administration.carry_out(&by, command, None).await;
        done.map(|_| ())
            .map_err(|error| Failure::Other(error.to_string()))
    })
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
    gateway::serve(&serve.dir, listeners).map_err(|error| match error {
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
