//! `bonded witness`: a witness on its own machine, and what a domain holds of its witnesses.

use crate::{
    Failure,
    args::{Folder, Witness as Verb, block_on},
    ledger::open_domain,
};
use ::ledger::{NoteVerifier, SystemClock};
use ::witness::{Cosigned, Policy, Publisher, Request, Submitter, Unwitnessed, Witness};
use serde_json::json;
use std::{fs::File, io::Write as _, net::SocketAddr, path::Path, sync::Arc, time::Duration};

pub(crate) fn witness(verb: &Verb, json: bool) -> Result<(), Failure> {
    match verb {
        Verb::Init { dir, name } => made(dir, name, json),
        Verb::Watch { place, log } => watch(place, log, json),
        Verb::Serve { place, listen } => serve(place, *listen),
        Verb::Request {
            place,
            witness,
            from,
            output,
        } => request(place, (witness, *from), output),
        Verb::Cosign {
            place,
            request,
            output,
        } => cosign(place, request, output),
        Verb::Accept { place, cosigned } => accept(place, cosigned, json),
        Verb::Status(place) if place.dir.join("bonded.toml").is_file() => domain(place, json),
        Verb::Status(place) => status(place, json),
    }
}

fn failed(error: &Unwitnessed) -> Failure {
    let told = error.told();
    let text = format!("{}: {} {} ({error})", error.code(), told.en, told.zh);
    match error {
        Unwitnessed::Refused(_) => Failure::Refused(text),
        Unwitnessed::RolledBack { .. } => Failure::RolledBack(text),
        _ => Failure::Other(text),
    }
}

fn opened(place: &Folder) -> Result<Witness, Failure> {
    Witness::open(&place.dir, Arc::new(SystemClock)).map_err(|error| failed(&error))
}

fn made(dir: &Path, name: &str, json: bool) -> Result<(), Failure> {
    let made = Witness::create(dir, name, Arc::new(SystemClock));
    let made = made.map_err(|error| failed(&error))?;
    if json {
        println!("{}", json!({"witness": made.cosigner().to_string()}));
    } else {
        println!("{}", made.cosigner());
    }
    Ok(())
}

fn watch(place: &Folder, log: &Path, json: bool) -> Result<(), Failure> {
    let log: NoteVerifier = read(log)?
        .parse()
        .map_err(|error| Failure::usage(log, error))?;
    let witness = opened(place)?;
    let name = log.name().to_owned();
    witness.watch(log).map_err(|error| failed(&error))?;
    if json {
        println!("{}", json!({"watched": name}));
    } else {
        println!("{name}: watched / 已列入见证");
    }
    Ok(())
}

fn serve(place: &Folder, listen: SocketAddr) -> Result<(), Failure> {
    let witness = Arc::new(opened(place)?);
    block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await;
        let listener = listener
            .map_err(|error| Failure::Other(format!("cannot listen on {listen}: {error}")))?;
        let local = listener
            .local_addr()
            .map_err(|error| Failure::Other(error.to_string()))?;
        println!("ready witness={local}");
        std::io::stdout()
            .flush()
            .map_err(|error| Failure::Other(error.to_string()))?;
        let mut terminate =
            tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
                .map_err(|error| Failure::Other(error.to_string()))?;
        tokio::select! {
            () = ::witness::serve(listener, witness) => {}
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        Ok(())
    })
}

/// A domain's publisher, from its configuration; the gateway may be running beside.
fn publisher(dir: &Path) -> Result<(Publisher, Policy), Failure> {
    let config = gateway::Config::read(dir).map_err(|error| Failure::Usage(error.to_string()))?;
    let file = config.witness.policy.as_ref().ok_or_else(|| {
        Failure::Usage(format!(
            "`{}` names no witnesses: set [witness] policy in bonded.toml / 未配置见证方",
            dir.display()
        ))
    })?;
    let policy: Policy = read(&dir.join(file))?
        .parse()
        .map_err(|error| failed(&error))?;
    let reader = open_domain(dir)?;
    let log = reader.verifier().clone();
    let cosigned = Cosigned::open(dir, log, policy.clone()).map_err(|error| failed(&error))?;
    let submitter = Submitter::new(None, Duration::from_secs(5)).map_err(|error| failed(&error))?;
    let publisher = Publisher::new(Arc::new(reader), Arc::new(cosigned), submitter);
    Ok((publisher, policy))
}

fn request(
    place: &Folder,
    (name, from): (&str, Option<u64>),
    output: &Path,
) -> Result<(), Failure> {
    let (publisher, policy) = publisher(&place.dir)?;
    let member = policy.witnesses().iter().find(|one| one.name == name);
    let member = member.ok_or_else(|| {
        Failure::Usage(format!(
            "the policy names no witness `{name}` / 策略中没有该见证方"
        ))
    })?;
    let request = publisher
        .request_for(member, from)
        .map_err(|error| failed(&error))?;
    write_new(output, &request.to_string())
}

fn cosign(place: &Folder, request: &Path, output: &Path) -> Result<(), Failure> {
    let text = read(request)?;
    let asked: Request = text.parse().map_err(|error| failed(&error))?;
    let line = opened(place)?
        .add_checkpoint(&text)
        .map_err(|refusal| failed(&refusal.into()))?;
    write_new(output, &format!("{}{line}", asked.checkpoint))
}

fn accept(place: &Folder, cosigned: &Path, json: bool) -> Result<(), Failure> {
    let (publisher, _) = publisher(&place.dir)?;
    let taken = publisher
        .cosigned()
        .accept(&read(cosigned)?)
        .map_err(|error| failed(&error))?;
    if json {
        let told = json!({"size": taken.head.size, "by": taken.by, "quorum": taken.quorum});
        println!("{told}");
    } else {
        println!(
            "{}: cosigned by / 联署 {}{}",
            taken.head.size,
            taken.by.join(", "),
            if taken.quorum {
                "; quorum / 达到法定数"
            } else {
                ""
            }
        );
    }
    Ok(())
}

fn status(place: &Folder, json: bool) -> Result<(), Failure> {
    let witness = opened(place)?;
    let watched = witness.watched();
    if json {
        let key = witness.cosigner().to_string();
        println!("{}", json!({"witness": key, "logs": watched}));
        return Ok(());
    }
    println!("{}", witness.cosigner());
    for log in watched {
        println!("  {}  {}  {}", log.log, log.size, log.root);
        if log.evidence > 0 {
            println!(
                "    ! {} refused requests under the log's own signature are kept / 留存了可能的分叉证据",
                log.evidence
            );
        }
    }
    Ok(())
}

fn domain(place: &Folder, json: bool) -> Result<(), Failure> {
    let (publisher, policy) = publisher(&place.dir)?;
    publisher.stands().map_err(|error| failed(&error))?;
    let cosigned = publisher.cosigned();
    let quorum = cosigned.quorum().map_err(|error| failed(&error))?;
    let mut told = Vec::new();
    for member in policy.witnesses() {
        let seen = cosigned
            .seen_by(&member.cosigner)
            .map_err(|error| failed(&error))?;
        told.push((member.name.clone(), seen.map_or(0, |head| head.size)));
    }
    if json {
        let witnesses: Vec<_> = told
            .iter()
            .map(|(name, size)| json!({"witness": name, "size": size}))
            .collect();
        let size = quorum.as_ref().map(|one| one.head.size);
        let note = quorum.map(|one| one.note);
        println!(
            "{}",
            json!({"witnesses": witnesses, "quorum": size, "checkpoint": note})
        );
        return Ok(());
    }
    for (name, size) in told {
        println!("{name}  {size}");
    }
    match quorum {
        Some(one) => print!("quorum / 法定数\n{}", one.note),
        None => println!("no quorum yet / 尚未达到法定数"),
    }
    Ok(())
}

fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file).map_err(|error| Failure::usage(file, error))
}

fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    File::create_new(file)
        .and_then(|mut handle| handle.write_all(text.as_bytes()))
        .map_err(|error| Failure::usage(file, error))
}
