//! The catalogue in lists: many entries in, each by its own step, and all of them out.

use super::{ANSWER_BYTES_MAX, call, profile_of, read};
use crate::{
    Failure,
    args::block_on,
    catalogue::{self, Form, bare},
    client,
};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use policy::Engine;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
};
use terms::{Dataset, DatasetName, Standing};
use tonic::{Status, transport::Channel};
use wire::management::{
    All, Document, Documents, Page, catalogue_client::CatalogueClient,
    platform_client::PlatformClient,
};

/// A list of entries.
#[derive(Debug, Args)]
pub(crate) struct Import {
    /// CSV with a row per item, JSON or TOML / 目录清单
    pub file: PathBuf,
    /// Which step each entry takes; what the role may if not given / 办理步骤
    #[arg(long, value_enum)]
    pub step: Option<Step>,
    /// Read and check, and take no step / 只检查，不办理
    #[arg(long)]
    pub check: bool,
    /// A folder of policies whose mask table counts too / 本域策略目录
    #[arg(long)]
    pub policies: Option<PathBuf>,
}

/// A step by which an entry comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// By its provider.
    Propose,
    /// By the data authority.
    Add,
}

/// Where the list goes.
#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A new file that ends in .csv, .json or .toml / 新文件
    #[arg(long, short)]
    pub output: PathBuf,
}

/// What the catalogue has of a name.
#[derive(Debug, Default)]
struct Known {
    entry: Option<Dataset>,
    proposed: Option<Dataset>,
}

/// What is to be done of a list.
#[derive(Debug)]
struct Work {
    /// No step is owed for these.
    already: Vec<DatasetName>,
    /// One is for these, in the order of the list.
    due: Vec<Dataset>,
}

/// What was done of it.
#[derive(Debug)]
struct Taken {
    step: Step,
    /// By which entry of the ledger each is on record.
    done: Vec<(DatasetName, u64)>,
    already: Vec<DatasetName>,
}

/// What the policies say of a step that a role may not take.
const NOT_PERMITTED: &str = "policy.action-not-permitted";

/// Brings a list in: all of it is checked, against itself and what stands, before the first step.
pub(super) fn import(given: &Import, whom: Option<&Path>, as_json: bool) -> Result<(), Failure> {
    let engine = Engine::load(given.policies.as_deref());
    let masks = engine
        .masks()
        .map_err(|why| Failure::Usage(why.to_string()))?;
    let domain = match (whom, given.check) {
        (None, true) => Value::Null,
        (_, _) => described(whom)?,
    };
    let schema = domain.get("default_schema").and_then(Value::as_str);
    let listed = catalogue::list(&given.file, schema.unwrap_or_default(), masks)
        .map_err(|wrong| Failure::Usage(wrong.to_string()))?;
    if whom.is_none() {
        return checked(&listed, None, as_json);
    }
    let known = known(whom)?;
    let in_production = domain.get("pilot").and_then(Value::as_bool) == Some(false);
    refuse_unfit(&given.file, &listed, &known, in_production)?;
    if given.check {
        return checked(&listed, Some(&known), as_json);
    }
    let profile = profile_of(whom)?;
    block_on(async {
        let channel = client::connect(&profile, None).await?.channel;
        let taken = take(given, channel, listed, &known).await?;
        taken.tell(as_json);
        Ok(())
    })
}

fn described(whom: Option<&Path>) -> Result<Value, Failure> {
    let domain = call(whom, async |to| {
        PlatformClient::new(to).describe(All {}).await
    })?;
    Ok(read(&domain.json))
}

/// What stands, by name: all pages of it.
fn known(whom: Option<&Path>) -> Result<BTreeMap<DatasetName, Known>, Failure> {
    let (mut known, mut after) = (BTreeMap::new(), String::new());
    loop {
        let page = Page { after, most: 0 };
        let Documents { json, next } = call(whom, async |to| {
            let client = CatalogueClient::new(to).max_decoding_message_size(ANSWER_BYTES_MAX);
            { client }.list(page).await
        })?;
        for document in json.iter().map(|document| read(document)) {
            let at = |value: Option<&Value>| Dataset::deserialize(value?).ok();
            let entry = at(document.get("dataset"));
            let proposed = document.get("proposed");
            let proposed = at(proposed.and_then(|proposed| proposed.get("dataset")));
            if let Some(named) = entry.as_ref().or(proposed.as_ref()) {
                known.insert(named.name.clone(), Known { entry, proposed });
            }
        }
        if next.is_empty() || json.is_empty() {
            return Ok(known);
        }
        after = next;
    }
}

/// An entry without what comes to it by steps of its own.
fn comparable(dataset: &Dataset) -> Dataset {
    Dataset {
        risk: None,
        ..bare(dataset)
    }
}

/// In what two entries differ, for people.
fn difference(stands: &Dataset, listed: &Dataset) -> Option<String> {
    let (stands, listed) = (comparable(stands), comparable(listed));
    if stands == listed {
        return None;
    }
    let of_item = listed
        .items
        .iter()
        .find(|item| stands.item(&item.name) != Some(*item));
    Some(match of_item {
        Some(item) => format!("item `{}`", item.name),
        None if stands.items.len() > listed.items.len() => {
            "items that the list leaves out".to_owned()
        }
        None => "what is said of the dataset, or the order of items".to_owned(),
    })
}

/// What is at odds with what stands, all of it at once, before any step.
fn refuse_unfit(
    file: &Path,
    listed: &[Dataset],
    known: &BTreeMap<DatasetName, Known>,
    in_production: bool,
) -> Result<(), Failure> {
    let mut wrong = Vec::new();
    for dataset in listed {
        let mut say = |what: String| {
            wrong.push(format!(
                "{}, dataset `{}`: {what}",
                file.display(),
                dataset.name
            ));
        };
        if let Some(entry) = known
            .get(&dataset.name)
            .and_then(|known| known.entry.as_ref())
        {
            if entry.standing == Standing::Ended {
                say(
                    "the dataset was withdrawn; choose another name / 该数据集已移出目录，请改名"
                        .to_owned(),
                );
            } else if let Some(what) = difference(entry, dataset) {
                say(format!(
                    "it is in the catalogue, and differs in {what}; take it out of the list, or change it \
                     by `dataset propose-grades` / 已编目且内容不同，请从清单中移除或按等级变更办理"
                ));
            }
        } else if in_production
            && let Some(item) = dataset.items.iter().find(|item| item.impact.is_none())
        {
            say(format!(
                "item `{}`: say what harm a leak would do, degree and scope / 请填写影响程度与影响范围 (CG-6.3)",
                item.name
            ));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "no step was taken / 未办理任何步骤:\n  {}",
        wrong.join("\n  ")
    )))
}

fn checked(
    listed: &[Dataset],
    known: Option<&BTreeMap<DatasetName, Known>>,
    as_json: bool,
) -> Result<(), Failure> {
    let in_catalogue = |dataset: &&Dataset| {
        let known = known.and_then(|known| known.get(&dataset.name));
        known.is_some_and(|known| known.entry.is_some())
    };
    let already = listed.iter().filter(in_catalogue).count();
    let items: usize = listed.iter().map(|dataset| dataset.items.len()).sum();
    if as_json {
        println!(
            "{}",
            json!({"datasets": listed.len(), "items": items, "already": already})
        );
    } else {
        println!(
            "{} datasets, {items} items, nothing wrong; {already} in the catalogue already / \
             {} 个数据集，{items} 个数据项，无误；已编目 {already} 个",
            listed.len(),
            listed.len()
        );
    }
    Ok(())
}

/// One step for each entry, one after the other.
async fn take(
    given: &Import,
    channel: Channel,
    listed: Vec<Dataset>,
    known: &BTreeMap<DatasetName, Known>,
) -> Result<Taken, Failure> {
    let (mut step, mut sure) = match given.step {
        Some(step) => (step, true),
        None => step_of_role(&channel, &listed, known).await,
    };
    let Work { already, due } = work(&given.file, listed, known, step)?;
    let bar = ProgressBar::new(u64::try_from(due.len()).unwrap_or(u64::MAX));
    let (mut done, total) = (Vec::new(), due.len());
    for dataset in due {
        let mut taken = one(&channel, step, &dataset).await;
        if !sure && taken.as_ref().is_err_and(is_not_permitted) {
            step = Step::Add;
            taken = one(&channel, step, &dataset).await;
        }
        sure = true;
        let index = taken.map_err(|status| {
            bar.finish_and_clear();
            interrupted(&status, &dataset.name, (done.len(), total))
        })?;
        done.push((dataset.name, index));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(Taken {
        step,
        done,
        already,
    })
}

/// Takes one step and gives its entry.
async fn one(channel: &Channel, step: Step, dataset: &Dataset) -> Result<u64, Status> {
    let json =
        serde_json::to_string(dataset).map_err(|error| Status::internal(error.to_string()))?;
    let mut catalogue = CatalogueClient::new(channel.clone());
    let done = match step {
        Step::Propose => catalogue.propose(Document { json }).await,
        Step::Add => catalogue.add(Document { json }).await,
    };
    Ok(done?.into_inner().index)
}

fn is_not_permitted(status: &Status) -> bool {
    status.message().starts_with(NOT_PERMITTED)
}

/// A list that could not be brought in whole: what is on record, and how it goes on.
fn interrupted(status: &Status, at: &DatasetName, (done, total): (usize, usize)) -> Failure {
    let told = format!(
        "{}\n  at dataset `{at}`: {done} of {total} are on record; put it right and import again, what is on \
         record is left as it is / 已办理 {done}/{total} 项；更正后重新导入即可，已存证的不会重复办理",
        status.message()
    );
    Failure::answered(&Status::new(status.code(), told))
}

/// What of the list still wants this step; what is proposed otherwise than listed stops it.
fn work(
    file: &Path,
    listed: Vec<Dataset>,
    known: &BTreeMap<DatasetName, Known>,
    step: Step,
) -> Result<Work, Failure> {
    let (mut already, mut due, mut wrong) = (Vec::new(), Vec::new(), Vec::new());
    for dataset in listed {
        let stands = known.get(&dataset.name);
        let proposed = stands.and_then(|known| known.proposed.as_ref());
        let proposed = proposed.filter(|_| step == Step::Propose);
        if stands.is_some_and(|known| known.entry.is_some()) {
            already.push(dataset.name);
        } else if let Some(proposed) = proposed {
            match difference(proposed, &dataset) {
                None => already.push(dataset.name),
                Some(what) => wrong.push(format!(
                    "{}, dataset `{}`: it is proposed, and differs in {what}; the data authority answers first / \
                     已提出且内容不同，待编目后再变更",
                    file.display(),
                    dataset.name
                )),
            }
        } else {
            due.push(dataset);
        }
    }
    if wrong.is_empty() {
        return Ok(Work { already, due });
    }
    Err(Failure::Usage(format!(
        "no step was taken / 未办理任何步骤:\n  {}",
        wrong.join("\n  ")
    )))
}

/// The step that the caller's role may take, and whether that is known. Where something of the list is
/// proposed already, it is asked with that, which changes nothing; else the first entry will tell.
async fn step_of_role(
    channel: &Channel,
    listed: &[Dataset],
    known: &BTreeMap<DatasetName, Known>,
) -> (Step, bool) {
    let pending = listed.iter().find(|dataset| {
        let stands = known.get(&dataset.name);
        stands.is_some_and(|known| known.entry.is_none() && known.proposed.is_some())
    });
    match pending {
        None => (Step::Propose, false),
        Some(pending) => match one(channel, Step::Propose, pending).await {
            Err(status) if is_not_permitted(&status) => (Step::Add, true),
            Ok(_) | Err(_) => (Step::Propose, true),
        },
    }
}

/// Writes the catalogue as a list; what was withdrawn is left out.
pub(super) fn export(given: &Export, whom: Option<&Path>, as_json: bool) -> Result<(), Failure> {
    let output = &given.output;
    let form = Form::of(output).ok_or_else(|| Failure::usage(output, catalogue::ENDINGS))?;
    let entries: Vec<Dataset> = known(whom)?
        .into_values()
        .filter_map(|known| known.entry)
        .filter(|entry| entry.standing != Standing::Ended)
        .collect();
    let text = catalogue::write(&entries, form).map_err(|error| Failure::other(output, error))?;
    let made = OpenOptions::new().write(true).create_new(true).open(output);
    made.and_then(|mut made| made.write_all(text.as_bytes()))
        .map_err(|error| Failure::usage(output, error))?;
    if as_json {
        println!("{}", json!({"datasets": entries.len()}));
        return Ok(());
    }
    println!("{} datasets / {} 个数据集", entries.len(), entries.len());
    let assessed = entries.iter().filter(|entry| entry.risk.is_some()).count();
    if form == Form::Csv && assessed > 0 {
        println!(
            "CSV has no risk assessments: {assessed} left out / CSV 不含风险评估：{assessed} 项未导出"
        );
    }
    Ok(())
}

// === impl Taken ===

impl Taken {
    fn tell(&self, as_json: bool) {
        if as_json {
            // Which step it would have been is not known where none was owed.
            let word = (!self.done.is_empty()).then_some(match self.step {
                Step::Propose => "propose",
                Step::Add => "add",
            });
            let done = self
                .done
                .iter()
                .map(|(name, index)| json!({"dataset": name, "index": index}));
            let done: Vec<Value> = done.collect();
            println!(
                "{}",
                json!({"step": word, "done": done, "already": self.already})
            );
            return;
        }
        for (name, index) in &self.done {
            println!("{name}: on record / 已存证: #{index}");
        }
        for name in &self.already {
            println!("{name}: there already / 已有");
        }
    }
}
