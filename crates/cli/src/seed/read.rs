//! Raw files → the domain's own words. All mistakes are reported at once, each with file and place.

use super::raw;
use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use std::{
    path::{Path, PathBuf},
    str::FromStr,
};
use terms::{
    Dataset, DatasetName, DatasetRisk, Derivation, DomainName, Evidence, Grade, IdentifierDomain,
    Item, ItemName, Kind, Licence, Mode, Obligations, Opening, Operator, Person, Role, Scenario,
    ScenarioDataset, Sector, Sharing, Standing, Thresholds, Wanted,
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

/// What is wrong with a seed: every mistake, each on one line with file and place.
#[derive(Debug, Default, thiserror::Error)]
#[error("the seed cannot be read:\n  {}", mistakes.join("\n  "))]
pub(crate) struct Misread {
    /// The mistakes.
    pub mistakes: Vec<String>,
}

impl Misread {
    fn add(&mut self, file: &Path, place: &str, what: impl std::fmt::Display) {
        let place = if place.is_empty() {
            String::new()
        } else {
            format!(", {place}")
        };
        self.mistakes
            .push(format!("{}{place}: {what}", file.display()));
    }
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

/// Reads one catalogue entry as it would stand in a seed; where its data is does not matter.
///
/// # Errors
/// [`Misread`] with every mistake found.
pub(crate) fn dataset(file: &Path, schema: &str) -> Result<Dataset, Misread> {
    let mut wrong = Misread::default();
    let raw = toml_file::<raw::DatasetFile>(file, true, &mut wrong);
    let read = raw.and_then(|raw| dataset_of(file, raw, schema, &mut wrong));
    match read {
        Some(read) if wrong.mistakes.is_empty() => Ok(read.dataset),
        Some(_) | None => Err(wrong),
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

fn toml_file<T: DeserializeOwned>(path: &Path, needed: bool, wrong: &mut Misread) -> Option<T> {
    match std::fs::read_to_string(path) {
        Ok(text) => match toml::from_str(&text) {
            Ok(value) => Some(value),
            Err(error) => {
                let line = error.span().map(|span| {
                    1 + text
                        .bytes()
                        .take(span.start)
                        .filter(|byte| *byte == b'\n')
                        .count()
                });
                let place = line.map_or_else(String::new, |line| format!("line {line}"));
                wrong.add(path, &place, error.message());
                None
            }
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !needed => None,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            wrong.add(path, "", "this file is missing; a seed needs it");
            None
        }
        Err(error) => {
            wrong.add(path, "", error);
            None
        }
    }
}

fn word<T>(text: &str, file: &Path, place: &str, wrong: &mut Misread) -> Option<T>
where
    T: FromStr,
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error| wrong.add(file, place, error))
        .ok()
}

fn date(value: &toml::Value, file: &Path, place: &str, wrong: &mut Misread) -> Option<NaiveDate> {
    let text = match value {
        toml::Value::Datetime(datetime) => datetime.to_string(),
        toml::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let read = NaiveDate::parse_from_str(&text, "%Y-%m-%d");
    read.map_err(|_| {
        wrong.add(
            file,
            place,
            format!("`{text}` is no date: write 2027-12-31"),
        )
    })
    .ok()
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
        if let Some(raw) = toml_file::<raw::DatasetFile>(&file, true, wrong) {
            datasets.extend(dataset_of(&file, raw, schema, wrong));
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

/// A dataset's name, in the default schema where it has none.
fn qualified(name: &str, schema: &str) -> String {
    if name.contains('.') {
        name.to_owned()
    } else {
        format!("{schema}.{name}")
    }
}

fn dataset_of(
    file: &Path,
    raw: raw::DatasetFile,
    schema: &str,
    wrong: &mut Misread,
) -> Option<SeedDataset> {
    let raw::DatasetFile { dataset, item } = raw;
    let name = word::<DatasetName>(&qualified(&dataset.name, schema), file, "name", wrong);
    let sector = Sector::try_from(dataset.sector)
        .map_err(|e| wrong.add(file, "sector", e))
        .ok();
    let subject = match &dataset.subject {
        None => None,
        Some(subject) => Some(word::<ItemName>(subject, file, "subject", wrong)?),
    };
    let data = file.parent().unwrap_or(Path::new(".")).join(&dataset.data);
    if dataset.prohibited && dataset.basis.is_none() {
        wrong.add(
            file,
            "prohibited",
            "write the legal basis as `basis = \"…\"` (AO-2)",
        );
    }
    let risk = match dataset.risk {
        None => None,
        Some(risk) => {
            let until = date(&risk.until, file, "risk.until", wrong)?;
            Some(DatasetRisk {
                level: attribute(&risk.level, file, "risk.level", wrong)?,
                by: risk.by,
                until,
                aspects: None,
                mitigations: risk.mitigations,
            })
        }
    };
    let items = items_of(file, item, subject.as_ref(), wrong)?;
    let prohibited = dataset
        .prohibited
        .then(|| dataset.basis.unwrap_or_default());
    let entry = Dataset {
        name: name?,
        title: dataset.title,
        content: dataset.content,
        provider: dataset.provider,
        source: dataset.source,
        sector: sector?,
        update: dataset.update,
        subject,
        external: dataset.external,
        prohibited,
        risk,
        standing: Standing::Active,
        items,
    };
    if let Err(underivable) = entry.derivable() {
        wrong.add(
            file,
            &format!("item `{}`, derived", underivable.item),
            underivable.why,
        );
        return None;
    }
    Some(SeedDataset {
        dataset: entry,
        data,
        file: file.to_owned(),
    })
}

/// All items of a dataset; none if any is wrong, each mistake noted.
fn items_of(
    file: &Path,
    raw: Vec<raw::Item>,
    subject: Option<&ItemName>,
    wrong: &mut Misread,
) -> Option<Vec<Item>> {
    let read: Vec<Option<Item>> = raw
        .into_iter()
        .map(|raw| item_of(file, raw, subject, wrong))
        .collect();
    read.into_iter().collect()
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each case: a table reads best in one place"
)]
fn item_of(
    file: &Path,
    raw: raw::Item,
    subject: Option<&ItemName>,
    wrong: &mut Misread,
) -> Option<Item> {
    let place = format!("item `{}`", raw.name);
    let before = wrong.mistakes.len();
    let name = word::<ItemName>(&raw.name, file, &place, wrong);
    let kind = Kind::try_from(raw.kind)
        .map_err(|e| wrong.add(file, &place, e))
        .ok();
    let number = u8::try_from(raw.grade).unwrap_or(0);
    let grade = Grade::try_from(number);
    let grade = grade
        .map_err(|mut e| {
            e.word = raw.grade.to_string();
            wrong.add(file, &place, e);
        })
        .ok();
    let mask = raw.mask.and_then(|mask| word(&mask, file, &place, wrong));
    if raw
        .band
        .is_some_and(|width| !width.is_finite() || width <= 0.0)
    {
        wrong.add(
            file,
            &place,
            "`band` is the width of a band: a number above 0",
        );
    }
    let band = raw.band;
    let derived = raw
        .derived
        .and_then(|text| word::<Derivation>(&text, file, &place, wrong));
    let domain = raw
        .domain
        .and_then(|d| word::<IdentifierDomain>(&d, file, &place, wrong));
    let sharing = raw
        .sharing
        .and_then(|text| attribute::<Sharing>(&text, file, &place, wrong));
    let opening = raw
        .opening
        .and_then(|text| attribute::<Opening>(&text, file, &place, wrong));
    if wrong.mistakes.len() > before {
        return None;
    }
    let (name, kind, grade) = (name?, kind?, grade?);
    let domain = domain.or_else(|| {
        let own = if subject == Some(&name) {
            "person"
        } else {
            name.as_str()
        };
        if kind.is_identifier() {
            own.parse().ok()
        } else {
            None
        }
    });
    let sharing = sharing.unwrap_or(grade.default_sharing());
    let opening = opening.unwrap_or(grade.default_opening());
    if !grade.allows(sharing, opening) {
        let what = format!(
            "sharing and opening attribute contradict grade {grade} (CG-A); leave them out or write \
             what Appendix A allows for this grade"
        );
        wrong.add(file, &place, what);
        return None;
    }
    let (title, unique) = (raw.title, raw.unique);
    Some(Item {
        name,
        title,
        kind,
        grade,
        impact: raw.impact,
        mask,
        band,
        derived,
        unique,
        domain,
        sharing,
        opening,
        data_type: None,
    })
}

fn attribute<T: DeserializeOwned>(
    text: &str,
    file: &Path,
    place: &str,
    wrong: &mut Misread,
) -> Option<T> {
    let read = T::deserialize(toml::Value::String(text.to_owned()));
    read.map_err(|error| wrong.add(file, place, error)).ok()
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
