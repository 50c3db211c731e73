//! `bonded report …`: what a period holds, read from the domain's own log in one pass.

use crate::{
    Failure,
    args::{Folder, Form, Report as Verb, Written},
    ledger::open_domain,
};
use ::ledger::Stored;
use ::report::{Account, Annual, Anomalies, Fees, Limits, Period, Statement};
use chrono::{DateTime, NaiveDate, Utc};
use indicatif::ProgressBar;
use serde::Serialize;
use std::{io::Write as _, path::Path, sync::Arc};
use terms::{LicenceId, OperatorId};

/// What is paid in a domain.
const FEES: &str = "fees.toml";

pub(crate) fn report(verb: &Verb, json: bool) -> Result<(), Failure> {
    match verb {
        Verb::Statement {
            place,
            licence,
            from,
            until,
            written,
        } => statement(place, (licence, from, until), written, json),
        Verb::Annual {
            place,
            year,
            operator,
            written,
        } => annual(place, (*year, operator.as_deref()), written, json),
        Verb::Anomalies { place, since } => anomalies(place, since.as_deref(), json),
    }
}

fn day(text: &str) -> Result<NaiveDate, Failure> {
    let wrong = || Failure::Usage(format!("`{text}` is no day; write it like 2026-11-21"));
    text.parse().map_err(|_| wrong())
}

fn named<T: std::str::FromStr<Err = terms::Unreadable>>(text: &str) -> Result<T, Failure> {
    let read = text.parse();
    read.map_err(|error: terms::Unreadable| Failure::Usage(error.to_string()))
}

/// Every entry of a domain's log, in order.
fn each(place: &Folder, mut visit: impl FnMut(&Stored)) -> Result<(), Failure> {
    let broken = |error: ::ledger::Breach| Failure::Other(format!("{}: {error}", error.code()));
    let events = Arc::new(open_domain(&place.dir)?)
        .events(0)
        .map_err(broken)?;
    let bar = ProgressBar::new(events.head().head.size);
    for stored in events {
        let stored = stored.map_err(broken)?;
        visit(&stored);
        bar.set_position(stored.index);
    }
    bar.finish_and_clear();
    Ok(())
}

fn account(place: &Folder, period: Period) -> Result<Account, Failure> {
    let mut account = Account::new(period);
    each(place, |stored| account.entry(stored.at, &stored.event))?;
    Ok(account)
}

fn fees(dir: &Path) -> Result<Fees, Failure> {
    let path = dir.join(FEES);
    match std::fs::read_to_string(&path) {
        Ok(text) => Fees::read(&text).map_err(|error| Failure::usage(&path, error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Fees::none()),
        Err(error) => Err(Failure::other(&path, error)),
    }
}

fn statement(
    place: &Folder,
    (licence, from, until): (&str, &str, &str),
    written: &Written,
    json: bool,
) -> Result<(), Failure> {
    let licence: LicenceId = named(licence)?;
    let period = Period {
        from: day(from)?,
        until: day(until)?,
    };
    let fees = fees(&place.dir)?;
    let account = account(place, period)?;
    let statement = Statement::of(&account, &licence, &fees);
    let statement = statement.ok_or_else(|| {
        Failure::Usage(format!(
            "no licence `{licence}` is on record / 账本中没有该授权"
        ))
    })?;
    let text = match form(written, json) {
        Form::Json => as_json(&statement)?,
        Form::Md => ::report::statement_markdown(&statement),
        Form::Html => {
            let what = "a statement is written as md or json / 费用清单只有 md 或 json 格式";
            return Err(Failure::Usage(what.to_owned()));
        }
    };
    put(&text, written)
}

fn annual(
    place: &Folder,
    (year, operator): (i32, Option<&str>),
    written: &Written,
    json: bool,
) -> Result<(), Failure> {
    let operator: Option<OperatorId> = operator.map(named).transpose()?;
    let period = Period::year(year);
    let period = period.ok_or_else(|| Failure::Usage(format!("there is no year {year}")))?;
    let fees = fees(&place.dir)?;
    let account = account(place, period)?;
    if let Some(operator) = &operator
        && account.state().operator(operator).is_none()
    {
        return Err(Failure::Usage(format!(
            "no operator `{operator}` is on record / 账本中没有该运营单位"
        )));
    }
    let annual = Annual::of(&account, operator.as_ref(), &fees);
    let text = match form(written, json) {
        Form::Json => as_json(&annual)?,
        Form::Md => ::report::markdown(&annual),
        Form::Html => ::report::html(&annual),
    };
    put(&text, written)
}

fn anomalies(place: &Folder, since: Option<&str>, json: bool) -> Result<(), Failure> {
    let since = since.map(day).transpose()?;
    // A day begins at midnight in the domain, as a period does.
    let after = |at: DateTime<Utc>| {
        since.is_none_or(|from| {
            let until = NaiveDate::MAX;
            Period { from, until }.holds(at)
        })
    };
    let mut anomalies = Anomalies::new(Limits::default());
    each(place, |stored| {
        anomalies.entry(stored.index, stored.at, &stored.event)
    })?;
    let (found, more) = anomalies.found();
    let found: Vec<_> = found.iter().filter(|found| after(found.at)).collect();
    if json {
        let told = serde_json::json!({"anomalies": found, "more": more});
        println!("{told}");
        return Ok(());
    }
    for found in &found {
        let person = found.person.as_ref().map_or("-", terms::PersonId::as_str);
        let at = found.at.format("%Y-%m-%d %H:%M:%S");
        println!(
            "{:>8}  {at}  {:<24}  {person:<16}  {}",
            found.entry, found.code, found.count
        );
    }
    println!("{} / 共 {} 项", found.len(), found.len());
    Ok(())
}

/// The machine's form wherever that is asked for.
const fn form(written: &Written, json: bool) -> Form {
    if json { Form::Json } else { written.format }
}

fn as_json(value: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value);
    text.map(|text| text + "\n")
        .map_err(|error| Failure::Other(error.to_string()))
}

/// Into a new file, or onto the terminal.
fn put(text: &str, written: &Written) -> Result<(), Failure> {
    let Some(path) = &written.output else {
        print!("{text}");
        return Ok(());
    };
    let made = std::fs::File::create_new(path);
    let put = made.and_then(|mut file| file.write_all(text.as_bytes()));
    put.map_err(|error| Failure::other(path, error))
}
