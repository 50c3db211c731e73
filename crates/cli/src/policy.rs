//! `bonded policy rehearse`: what is on record, decided again by policies that are not in force yet.

use crate::{Failure, args::Policy as Verb, ledger::open_domain};
use ::policy::{Change, Engine, Flip, Refusal, Rehearsal, Rehearsed};
use chrono::{DateTime, NaiveDate, Utc};
use indicatif::ProgressBar;
use std::{fmt::Write as _, path::Path, sync::Arc};

/// Groups that are shown; `--json` has all.
const SHOWN_MAX: usize = 40;

pub(crate) fn policy(verb: &Verb, json: bool) -> Result<(), Failure> {
    let Verb::Rehearse {
        policies,
        place,
        since,
    } = verb;
    let since = since.as_deref().map(moment).transpose()?;
    let rehearsed = rehearse(policies, &place.dir, since)?;
    if json {
        let value = serde_json::to_string(&rehearsed);
        println!(
            "{}",
            value.map_err(|error| Failure::Other(error.to_string()))?
        );
    } else {
        print!("{}", written(&rehearsed));
    }
    let flipped = rehearsed.operations_flipped + rehearsed.steps_flipped;
    if flipped == 0 {
        return Ok(());
    }
    Err(Failure::Other(format!(
        "policy.flips: {flipped} decisions on record would be others / {flipped} 项已记录的决定将改变"
    )))
}

fn moment(text: &str) -> Result<DateTime<Utc>, Failure> {
    let day = text
        .parse::<NaiveDate>()
        .map(|day| identity::end_of_day(day.pred_opt().unwrap_or(day)));
    day.or_else(|_| text.parse()).map_err(|_| {
        Failure::Usage(format!(
            "`{text}` is no time: 2026-11-21 or 2026-11-21T12:00:00Z"
        ))
    })
}

fn loaded(folder: &Path) -> Result<Engine, Failure> {
    if !folder.is_dir() {
        return Err(Failure::usage(
            folder,
            "no folder of policies / 不是策略文件夹",
        ));
    }
    let engine = Engine::load(Some(folder));
    match engine.unusable() {
        None => Ok(engine),
        Some(why) => Err(Failure::usage(
            folder,
            format!("policy.unusable: these policies cannot be loaded / 策略无法加载: {why}"),
        )),
    }
}

fn rehearse(
    policies: &Path,
    dir: &Path,
    since: Option<DateTime<Utc>>,
) -> Result<Rehearsed, Failure> {
    let (present, proposed) = (loaded(&dir.join("policies"))?, loaded(policies)?);
    let unusable = |refusal: Refusal| Failure::Other(format!("{}: {refusal}", refusal.code()));
    let broken = |error: ::ledger::Breach| Failure::Other(format!("{}: {error}", error.code()));
    let mut rehearsal = Rehearsal::new(&present, &proposed, since).map_err(unusable)?;
    let events = Arc::new(open_domain(dir)?).events(0).map_err(broken)?;
    let bar = ProgressBar::new(events.head().head.size);
    for stored in events {
        let stored = stored.map_err(broken)?;
        let entered = rehearsal.entry(stored.index, stored.at, &stored.event);
        entered.map_err(unusable)?;
        bar.set_position(stored.index);
    }
    bar.finish_and_clear();
    Ok(rehearsal.conclude())
}

// === in words ===

fn written(found: &Rehearsed) -> String {
    let mut text = format!(
        "{} operations and {} management steps asked again, {} distinct / 重演 {} 次操作、{} 个管理步骤\n",
        found.operations, found.steps, found.compared, found.operations, found.steps
    );
    for flip in found.flips.iter().take(SHOWN_MAX) {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{}", line(flip));
    }
    let more = u64::try_from(found.flips.len().saturating_sub(SHOWN_MAX)).unwrap_or(u64::MAX);
    if more + found.flips_more > 0 {
        let _ = writeln!(text, "  … and more, see --json / 其余见 --json");
    }
    let counts = [
        (
            found.operations_flipped,
            "operations flip / 次操作的决定改变",
        ),
        (
            found.steps_flipped,
            "management steps flip / 个管理步骤的决定改变",
        ),
        (
            found.undetermined,
            "refused operations whose permit changes: not on record whether they flip / 次被拒操作的许可有变，能否改变未知",
        ),
        (
            found.other_policies,
            "operations were decided by other policies than the present / 次操作由其他策略决定",
        ),
        (
            found.unreproduced,
            "are not decided by the present policies as on record / 项与现行策略的决定不符",
        ),
    ];
    for (count, what) in counts {
        let _ = writeln!(text, "{count:>10}  {what}");
    }
    text
}

fn line(flip: &Flip) -> String {
    let scenario = flip
        .scenario
        .as_ref()
        .map_or("-", |scenario| scenario.as_str());
    let policies = if flip.policies.is_empty() {
        "-".to_owned()
    } else {
        flip.policies.join(", ")
    };
    format!(
        "{:>10} × {} / {scenario}: {}  [{policies}]  #{}–#{}",
        flip.count,
        flip.person,
        told(&flip.change),
        flip.first,
        flip.last
    )
}

fn told(change: &Change) -> String {
    let allowed = |allowed: bool| if allowed { "allowed" } else { "refused" };
    match change {
        Change::Entry { from, to } => format!("entry {from} → {to}"),
        Change::Shown {
            dataset,
            item,
            from,
            to,
        } => format!("{dataset}.{item} {from} → {to}"),
        Change::Aggregated {
            dataset,
            item,
            allowed: now,
        } => format!("aggregates of raw {dataset}.{item} → {}", allowed(*now)),
        Change::Exported {
            dataset,
            item,
            allowed: now,
        } => format!("export of {dataset}.{item} → {}", allowed(*now)),
        Change::Threshold { dataset, from, to } => format!("{dataset}: k {from} → {to}"),
        Change::Owed { dataset, from, to } => format!("{dataset}: {from} → {to}"),
        Change::Caps { from, to } => format!("caps {from} → {to}"),
        Change::Step {
            action,
            allowed: now,
        } => format!("{action} → {}", allowed(*now)),
    }
}
