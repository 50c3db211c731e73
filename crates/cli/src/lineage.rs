//! `bonded lineage`: from what to what, read from the domain's own log. Which column comes of what is
//! sealed: the gateway opens it for who may, and each reading is on record.

mod sealed; // the sealed part of a decision, through the gateway

use crate::{
    Failure,
    args::{Lineage as Verb, Traced},
    ledger::open_domain,
    table::print_columns,
};
use ::ledger::Events;
use ::lineage::{Caption, Emitter, Moved, Product, Run, Runs, Sought, picture, products};
use indicatif::ProgressBar;
use sealed::Sealed;
use std::{fs::File, io::Write, path::Path, sync::Arc};
use terms::{DatasetName, DomainName, Event, Origin};

pub(crate) fn lineage(verb: &Verb, json: bool) -> Result<(), Failure> {
    match verb {
        Verb::Sources { place, product } => sources(place, product, json),
        Verb::Products {
            place,
            dataset,
            item,
        } => went_into(place, (dataset, item.as_deref()), json),
        Verb::Events { place, output } => events(place, output.as_deref()),
        Verb::Picture {
            place,
            product,
            output,
        } => drawn(place, product, output),
    }
}

/// Every run that an entry of the log moves on.
struct History {
    events: Events,
    size: u64,
    domain: DomainName,
}

fn history(place: &Traced) -> Result<History, Failure> {
    let broken = |error: ::ledger::Breach| Failure::Other(format!("{}: {error}", error.code()));
    let reader = Arc::new(open_domain(&place.dir)?);
    let events = reader.events(0).map_err(broken)?;
    let head = events.head();
    let name = head.origin.strip_prefix("bonded/").unwrap_or_default();
    let domain = name
        .parse()
        .map_err(|_| Failure::Other(format!("`{}` is no log of a domain", head.origin)))?;
    Ok(History {
        size: head.head.size,
        domain,
        events,
    })
}

impl History {
    /// Folds all of it, with the sealed parts of decisions where they are to be opened.
    fn each(
        self,
        opened: Option<&Sealed>,
        visit: &mut dyn FnMut(&Moved) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let bar = ProgressBar::new(self.size);
        let mut runs = Runs::default();
        for stored in self.events {
            let mut stored =
                stored.map_err(|error| Failure::Other(format!("{}: {error}", error.code())))?;
            if let Some(sealed) = opened
                && let Event::OperationDecided { .. } = &stored.event
            {
                stored.sealed = sealed.read(stored.index)?;
            }
            let moved = runs
                .apply(&stored)
                .map_err(|error| Failure::Other(error.to_string()))?;
            if let Some(moved) = moved {
                visit(&moved)?;
            }
            bar.set_position(stored.index);
        }
        bar.finish_and_clear();
        Ok(())
    }
}

/// The products that are sought. Which runs may be among them is told without their sealed parts; of
/// those alone the sealed parts are opened, and then it is sure.
fn found(place: &Traced, sought: &Sought) -> Result<Vec<(Run, Product)>, Failure> {
    let sealed = Sealed::open(place)?;
    let mut runs = Vec::new();
    history(place)?.each(None, &mut |moved| {
        if let Moved::Ended(run) = moved
            && (products(run, sought).is_some() || sealed.is_some() && may_count(run, sought))
        {
            runs.push(run.clone());
        }
        Ok(())
    })?;
    if let Some(sealed) = &sealed {
        for run in &mut runs {
            if let Some(decision) = &mut run.decision
                && let Some(part) = sealed.read(decision.index)?
            {
                let opened = decision.open(&part);
                opened.map_err(|error| Failure::Other(error.to_string()))?;
            }
        }
    } else {
        eprintln!(
            "the columns are sealed: every item that the plan read is listed; give -p and --purpose \
             / 列级来源已密封，列出计划读取的全部数据项；请给出 -p 与 --purpose"
        );
    }
    let product = |run: Run| products(&run, sought).map(|product| (run, product));
    Ok(runs.into_iter().filter_map(product).collect())
}

/// Whether a run's product may have counted rows of a dataset that is sought, of which no item has a
/// part: its plan's references do not name it.
fn may_count(run: &Run, sought: &Sought) -> bool {
    match sought {
        Sought::Product(_) | Sought::Source(_, Some(_)) => false,
        Sought::Source(_, None) => products(run, &Sought::Product(run.query.to_string())).is_some(),
    }
}

fn one(place: &Traced, product: &str) -> Result<(Run, Product), Failure> {
    let all = found(place, &Sought::Product(product.to_owned()))?;
    all.into_iter().next().ok_or_else(|| {
        Failure::Usage(format!(
            "no result `{product}` is on record / 账本中没有该结果"
        ))
    })
}

fn sources(place: &Traced, product: &str, json: bool) -> Result<(), Failure> {
    let (run, product) = one(place, product)?;
    if json {
        let told =
            serde_json::json!({"product": product, "inputs": run.drawn().map(|d| &d.inputs)});
        println!("{told}");
        return Ok(());
    }
    println!(
        "{}  #{}  {}  {}",
        product.product,
        product.index,
        product.at.format("%Y-%m-%d %H:%M:%S"),
        product.person
    );
    for input in run.drawn().map(|drawn| &drawn.inputs).into_iter().flatten() {
        println!("  {}  snapshot / 快照 {}", input.dataset, input.snapshot);
    }
    let rows = product.parts.iter().map(|(column, origin)| {
        let column = column.as_deref().unwrap_or("(rows / 行)");
        [vec![column.to_owned()], part(origin)].concat()
    });
    let head = [
        "column / 列",
        "source / 来源",
        "grade / 级",
        "way / 方式",
        "part / 作用",
    ];
    print_columns(&head, &rows.collect::<Vec<_>>());
    unresolved(place, &product);
    Ok(())
}

fn went_into(
    place: &Traced,
    (dataset, item): (&str, Option<&str>),
    json: bool,
) -> Result<(), Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let dataset: DatasetName = dataset.parse().map_err(|error| usage(&error))?;
    let item = item
        .map(str::parse)
        .transpose()
        .map_err(|error| usage(&error))?;
    let all = found(place, &Sought::Source(dataset, item))?;
    if json {
        for (_, product) in all {
            println!("{}", serde_json::json!(product));
        }
        return Ok(());
    }
    let rows = all.iter().map(|(_, product)| {
        let mut columns: Vec<&str> = product
            .parts
            .iter()
            .map(|(column, _)| column.as_deref().unwrap_or("(rows / 行)"))
            .collect();
        columns.dedup();
        let count = product
            .rows
            .map_or_else(|| "?".to_owned(), |rows| rows.to_string());
        vec![
            product.product.clone(),
            format!("#{}", product.index),
            product.at.format("%Y-%m-%d %H:%M:%S").to_string(),
            product.person.to_string(),
            product
                .scenario
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            if product.whole {
                count
            } else {
                format!("{count} (part / 部分)")
            },
            columns.join(", "),
        ]
    });
    let head = [
        "product / 产品",
        "entry / 条目",
        "time / 时间",
        "person / 人员",
        "scenario / 场景",
        "rows / 行数",
        "columns / 列",
    ];
    print_columns(&head, &rows.collect::<Vec<_>>());
    all.iter()
        .for_each(|(_, product)| unresolved(place, product));
    Ok(())
}

fn events(place: &Traced, output: Option<&Path>) -> Result<(), Failure> {
    let mut out: Box<dyn Write> = match output {
        Some(file) => {
            let file = File::create_new(file).map_err(|error| Failure::usage(file, error))?;
            Box::new(std::io::BufWriter::new(file))
        }
        None => Box::new(std::io::stdout().lock()),
    };
    let history = history(place)?;
    let emitter = Emitter::new(&history.domain);
    let sealed = Sealed::open(place)?;
    history.each(sealed.as_ref(), &mut |moved| {
        for event in emitter.events(moved) {
            writeln!(out, "{event}").map_err(|error| Failure::Other(error.to_string()))?;
        }
        Ok(())
    })?;
    out.flush()
        .map_err(|error| Failure::Other(error.to_string()))
}

fn drawn(place: &Traced, product: &str, output: &Path) -> Result<(), Failure> {
    let (run, product) = one(place, product)?;
    let drawn = run.drawn().ok_or_else(|| {
        Failure::Other(format!(
            "the lineage of `{}` is sealed, or was destroyed; give -p and --purpose / 来源记录已密封或已销毁，请给出 -p 与 --purpose",
            product.product
        ))
    })?;
    let scenario = product.scenario.as_ref().map(ToString::to_string);
    let subtitle = format!(
        "{} · {} · {}",
        scenario.unwrap_or_default(),
        product.person,
        product.at.format("%Y-%m-%d %H:%M:%S UTC")
    );
    let caption = Caption {
        title: &product.product,
        subtitle: &subtitle,
    };
    File::create_new(output)
        .and_then(|mut file| file.write_all(picture(drawn, caption).as_bytes()))
        .map_err(|error| Failure::usage(output, error))
}

fn part(origin: &Origin) -> Vec<String> {
    let (kind, subtype) = origin.flow.words();
    vec![
        format!("{}.{}", origin.dataset, origin.item),
        origin.grade.to_string(),
        origin.way.clone(),
        format!("{kind} {subtype}"),
    ]
}

fn unresolved(place: &Traced, product: &Product) {
    if !product.resolved && place.profile.is_some() {
        println!(
            "{}: the columns' lineage was destroyed; every item the plan read is listed / 列级来源已销毁，列出计划读取的全部数据项",
            product.product
        );
    }
}
