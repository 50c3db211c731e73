//! Raw files → the domain's own words. All mistakes are reported at once, each with file and place.

use super::raw;
use crate::catalogue::{self, At, qualified};
use crate::misread::{Misread, date, toml_file, word};
use std::path::{Path, PathBuf};
use terms::{
    Dataset, DomainName, Evidence, ItemName, Licence, Mode, Obligations, Operator, Person, Role,
    Scenario, ScenarioDataset, Sector, Standing, Thresholds, Wanted,
};

/// The most rows a result may have unless a seed says otherwise.
const ROWS_MAX: u64 = 1_000_000;
/// The most bytes a result may have unless a seed says otherwise.
const RESULT_BYTES_MAX: u64 = 64 << 20;

/// A seed, read.
#[derive(Debug)]
pub(crate) struct Seed {
    /// The domain's name.
    pub name: DomainName,
    /// What people call it.
    pub title: String,
    /// What unqualified table names mean.
    pub default_schema: String,
    /// k by grade.
    pub thresholds: Thresholds,
    /// Caps on every result.
    pub obligations: Obligations,
    /// Who is who.
    pub people: Vec<SeedPerson>,
    /// The licensed companies.
    pub operators: Vec<Operator>,
    /// The catalogue with its data.
    pub datasets: Vec<SeedDataset>,
    /// What was granted.
    pub licences: Vec<Licence>,
    /// What was approved.
    pub scenarios: Vec<Scenario>,
    /// Further policies, if the seed has any.
    pub policies: Option<PathBuf>,
}

/// A person with the real name, which is kept sealed.
#[derive(Debug)]
pub(crate) struct SeedPerson {
    /// The person as the register knows them.
    pub person: Person,
    /// The real name.
    pub name: String,
}

/// A catalogue entry and where its data is.
#[derive(Debug)]
pub(crate) struct SeedDataset {
    /// The entry.
    pub dataset: Dataset,
    /// CSV or Parquet.
    pub data: PathBuf,
    /// The file that named it.
    pub file: PathBuf,
}

/// Reads a seed directory.
///
/// # Errors
/// [`Misread`] with every mistake found.
pub(crate) fn read(dir: &Path) -> Result<Seed, Misread> {
    let mut wrong = Misread::default();
    let domain = toml_file::<raw::Domain>(&dir.join("domain.toml"), true, &mut wrong);
    let people = toml_file::<raw::People>(&dir.join("people.toml"), true, &mut wrong);
    let operators = toml_file::<raw::Operators>(&dir.join("operators.toml"), false, &mut wrong);
    let licences = toml_file::<raw::Licences>(&dir.join("licences.toml"), false, &mut wrong);
    let scenarios = toml_file::<raw::Scenarios>(&dir.join("scenarios.toml"), false, &mut wrong);
    let schema = domain
        .as_ref()
        .map_or("", |domain| domain.default_schema.as_str())
        .to_owned();
    let people = people_of(dir, people.unwrap_or_default(), &mut wrong);
    let operators = operators_of(dir, operators.unwrap_or_default(), &mut wrong);
    let datasets = datasets_of(dir, &schema, &mut wrong);
    let licences = licences_of(dir, licences.unwrap_or_default(), &mut wrong);
    let scenarios = scenarios_of(dir, scenarios.unwrap_or_default(), &schema, &mut wrong);
    let file = dir.join("domain.toml");
    let name = domain
        .as_ref()
        .and_then(|d| word::<DomainName>(&d.name, &file, "name", &mut wrong));
    let thresholds = domain
        .as_ref()
        .map(|d| thresholds_of(&d.defaults, &file, &mut wrong))
        .unwrap_or_default();
    match (domain, name) {
        (Some(domain), Some(name)) if wrong.mistakes.is_empty() => {
            let policies = Some(dir.join("policies")).filter(|path| path.is_dir());
            let obligations = Obligations {
                rows_max: domain.defaults.rows_max.unwrap_or(ROWS_MAX),
                result_bytes_max: domain.defaults.result_bytes_max.unwrap_or(RESULT_BYTES_MAX),
            };
            let title = if domain.title.is_empty() {
                name.to_string()
            } else {
                domain.title
            };
            let default_schema = domain.default_schema;
            Ok(Seed {
                name,
                title,
                default_schema,
                thresholds,
                obligations,
                people,
                operators,
                datasets,
                licences,
                scenarios,
                policies,
            })
        }
        _ => Err(wrong),
    }
}

/// Reads one application for a scenario, `[scenario]` with its `[[scenario.dataset]]`.
///
/// # Errors
/// [`Misread`] with every mistake found.
pub(crate) fn scenario(file: &Path, schema: &str) -> Result<Scenario, Misread> {
    let mut wrong = Misread::default();
    let raw = toml_file::<raw::ScenarioFile>(file, true, &mut wrong);
    let read = raw.and_then(|raw| scenario_of(file, raw.scenario, schema, &mut wrong));
    match read {
        Some(read) if wrong.mistakes.is_empty() => Ok(read),
        Some(_) | None => Err(wrong),
    }
}

fn thresholds_of(defaults: &raw::Defaults, file: &Path, wrong: &mut Misread) -> Thresholds {
    let mut thresholds = Thresholds::default();
    for (grade, k) in &defaults.k_by_grade {
        let place = format!("defaults.k_by_grade.{grade}");
        match grade.as_str() {
            "2" if *k >= 2 => thresholds.grade_two = *k,
            "3" if *k >= 2 => thresholds.grade_three = *k,
            "2" | "3" => wrong.add(file, &place, "k is at least 2 people"),
            _ => wrong.add(file, &place, "only grades 2 and 3 have a k"),
        }
    }
    thresholds
}

fn role(text: &str, file: &Path, place: &str, wrong: &mut Misread) -> Option<Role> {
    let found = Role::ALL.into_iter().find(|role| role.word() == text);
    if found.is_none() {
        let words: Vec<_> = Role::ALL.iter().map(|role| role.word()).collect();
        wrong.add(
            file,
            place,
            format!("`{text}` is no role: one of {}", words.join(", ")),
        );
    }
    found
}

fn people_of(dir: &Path, raw: raw::People, wrong: &mut Misread) -> Vec<SeedPerson> {
    let file = dir.join("people.toml");
    let people = raw.person.into_iter().filter_map(|person| {
        let place = format!("person `{}`", person.id);
        let id = word(&person.id, &file, &place, wrong);
        let role = role(&person.role, &file, &place, wrong);
        let nda_until = match &person.nda_until {
            None => None,
            Some(value) => Some(date(value, &file, &place, wrong)?),
        };
        let (organisation, vetted) = (person.organisation, person.vetted);
        let person_known = Person {
            id: id?,
            role: role?,
            organisation,
            vetted,
            nda_until,
            standing: Standing::Active,
        };
        Some(SeedPerson {
            person: person_known,
            name: person.name,
        })
    });
    people.collect()
}

fn operators_of(dir: &Path, raw: raw::Operators, wrong: &mut Misread) -> Vec<Operator> {
    let file = dir.join("operators.toml");
    let operators = raw.operator.into_iter().filter_map(|operator| {
        let place = format!("operator `{}`", operator.id);
        let id = word(&operator.id, &file, &place, wrong);
        let security_officer = match &operator.security_officer {
            None => None,
            Some(person) => Some(word(person, &file, &place, wrong)?),
        };
        let mut evidence = Vec::new();
        for document in operator.evidence {
            let until = date(&document.until, &file, &place, wrong)?;
            evidence.push(Evidence {
                kind: document.kind,
                title: document.title,
                until,
                digest: None,
            });
        }
        let (title, emergency_plan) = (operator.title, operator.emergency_plan);
        Some(Operator {
            id: id?,
            title,
            security_officer,
            emergency_plan,
            drill_until: None,
            assessment_failed: false,
            evidence,
        })
    });
    operators.collect()
}

fn datasets_of(dir: &Path, schema: &str, wrong: &mut Misread) -> Vec<SeedDataset> {
    let folder = dir.join("datasets");
    let mut files: Vec<PathBuf> = match std::fs::read_dir(&folder) {
        Ok(entries) => entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect(),
        Err(error) => {
            wrong.add(
                &folder,
                "",
                format!("the folder with the catalogue entries: {error}"),
            );
            return Vec::new();
        }
    };
    files.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    let mut datasets = Vec::new();
    for file in files {
        if let Some(raw) = toml_file::<catalogue::DatasetFile>(&file, true, wrong) {
            let data = file
                .parent()
                .unwrap_or(Path::new("."))
                .join(&raw.dataset.data);
            let read = catalogue::entry(&At::file(&file), raw, schema, wrong);
            datasets.extend(read.map(|dataset| SeedDataset {
                dataset,
                data,
                file,
            }));
        }
    }
    for SeedDataset { data, file, .. } in &datasets {
        if !data.is_file() {
            let what = format!(
                "there is no file {}; bring the data or correct the path",
                data.display()
            );
            wrong.add(file, "data", what);
        }
    }
    datasets
}

fn licences_of(dir: &Path, raw: raw::Licences, wrong: &mut Misread) -> Vec<Licence> {
    let file = dir.join("licences.toml");
    let licences = raw.licence.into_iter().filter_map(|licence| {
        let place = format!("licence `{}`", licence.id);
        let mut sectors = Vec::new();
        for sector in licence.sectors {
            sectors.push(
                Sector::try_from(sector)
                    .map_err(|e| wrong.add(&file, &place, e))
                    .ok()?,
            );
        }
        let mode = match licence.mode.as_str() {
            "comprehensive" => Mode::Comprehensive,
            "sectoral" => Mode::Sectoral { sectors },
            "scenario" => Mode::Scenario,
            other => {
                let what = format!("`{other}` is no mode: comprehensive, sectoral or scenario");
                wrong.add(&file, &place, what);
                return None;
            }
        };
        let id = word(&licence.id, &file, &place, wrong);
        let operator = word(&licence.operator, &file, &place, wrong);
        let from = date(&licence.from, &file, &place, wrong);
        let until = date(&licence.until, &file, &place, wrong);
        let agreement = licence.agreement;
        Some(Licence {
            id: id?,
            operator: operator?,
            mode,
            from: from?,
            until: until?,
            agreement,
            announcement: None,
            renews: None,
            documents: Vec::new(),
        })
    });
    licences.collect()
}

fn scenarios_of(
    dir: &Path,
    raw: raw::Scenarios,
    schema: &str,
    wrong: &mut Misread,
) -> Vec<Scenario> {
    let file = dir.join("scenarios.toml");
    let scenarios = raw.scenario.into_iter();
    scenarios
        .filter_map(|scenario| scenario_of(&file, scenario, schema, wrong))
        .collect()
}

fn scenario_of(
    file: &Path,
    scenario: raw::Scenario,
    schema: &str,
    wrong: &mut Misread,
) -> Option<Scenario> {
    let place = format!("scenario `{}`", scenario.id);
    let id = word(&scenario.id, file, &place, wrong);
    let licence = word(&scenario.licence, file, &place, wrong);
    let mut members = Vec::new();
    for member in &scenario.members {
        members.push(word(member, file, &place, wrong)?);
    }
    let mut datasets = Vec::new();
    for dataset in scenario.dataset {
        let place = format!("{place}, dataset `{}`", dataset.name);
        let name = word(&qualified(&dataset.name, schema), file, &place, wrong);
        let items = if dataset.items.iter().any(|item| item == "*") {
            Wanted::All
        } else {
            Wanted::Named(names(&dataset.items, file, &place, wrong)?)
        };
        let aggregate = names(&dataset.aggregate, file, &place, wrong)?;
        let (rows, show_rows) = (dataset.rows, dataset.show_rows);
        datasets.push(ScenarioDataset {
            name: name?,
            items,
            aggregate,
            rows,
            rows_plan: None,
            show_rows,
        });
    }
    let (title, purpose) = (scenario.title, scenario.purpose);
    Some(Scenario {
        id: id?,
        licence: licence?,
        title,
        purpose,
        members,
        datasets,
    })
}

fn names(words: &[String], file: &Path, place: &str, wrong: &mut Misread) -> Option<Vec<ItemName>> {
    words
        .iter()
        .map(|name| word(name, file, place, wrong))
        .collect()
}
