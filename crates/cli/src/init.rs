//! `bonded init` and `bonded serve`.

use crate::{
    Failure,
    args::{Serve, block_on},
    seed,
};
use chrono::Utc;
use gateway::{Administration, Domain, Founding, Listeners};
use std::path::Path;
use terms::{DomainName, Obligations, Person, Role, Thresholds};

/// The person who founds a domain that has no seed.
const FOUNDER: &str = "founder";

pub(crate) fn init(dir: &Path, from: Option<&Path>, name: Option<&str>) -> Result<(), Failure> {
    if dir.join("bonded.toml").exists() {
        return Err(Failure::Usage(format!(
            "`{}` holds a domain already; choose another folder",
            dir.display()
        )));
    }
    match from {
        Some(from) => {
            let seed = seed::read(from).map_err(|error| Failure::Usage(error.to_string()))?;
            let played = block_on(async { seed::play(dir, &seed).await.map_err(Failure::from) });
            played?;
        }
        None => bare(dir, name)?,
    }
    println!(
        "{}: ready; next: bonded serve --dir {}",
        dir.display(),
        dir.display()
    );
    Ok(())
}

/// A domain without people or data: only its founder can go on.
fn bare(dir: &Path, name: Option<&str>) -> Result<(), Failure> {
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
    };
    let now = Utc::now();
    let founding = Founding {
        name: &name,
        policies: None,
        now,
    };
    let domain =
        Domain::create(dir, &founding).map_err(|error| Failure::Other(error.to_string()))?;
    block_on(async {
        let program = std::env::current_exe().map_err(|error| Failure::Other(error.to_string()))?;
        let administration = Administration::new(domain, program);
        let mut administration =
            administration.map_err(|error| Failure::Other(error.to_string()))?;
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
        let done = administration.carry_out(&founder, command, None, now).await;
        done.map_err(|error| Failure::Other(error.to_string()))
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
    gateway::serve(&serve.dir, listeners).map_err(|error| Failure::Other(error.to_string()))
}
