//! Commands about a few names, so that sequences of them meet.

use super::{Dice, Model};
use chrono::{Days, NaiveDate};
use register::{Command, Listing};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use terms::{Aspect, Cause, Digest, Event, Measure, Person, Scrutiny, SealBasis};

/// Who asks: id, role, organisation.
pub(super) const PEOPLE: [(&str, &str, &str); 9] = [
    ("adam", "domain-admin", "domain"),
    ("dora", "data-authority", "bureau"),
    ("dan", "data-authority", "bureau"),
    ("sam", "security-authority", "cyber"),
    ("sue", "security-authority", "cyber"),
    ("pat", "provider", "office"),
    ("ann", "operator-member", "acme"),
    ("zoe", "operator-member", "zeta"),
    ("reg", "regulator", "audit"),
];
/// Who may come in later: for an operator, or of the security authority.
pub(super) const NEWCOMERS: [(&str, &str); 3] =
    [("bob", "acme"), ("eve", "zeta"), ("sid", "cyber")];
pub(super) const OPERATORS: [&str; 2] = ["acme", "zeta"];
pub(super) const SECTORS: [&str; 2] = ["medical", "credit"];
/// Steps of the register but its founding and what data brings.
pub(super) const ACTIONS: usize = 68;

const CAUSES: [Cause; 5] = [
    Cause::Misuse,
    Cause::NotRectified,
    Cause::Ordered,
    Cause::Unsafe,
    Cause::AssessmentFailed,
];
const MEASURES: [Measure; 3] = [Measure::Published, Measure::Restricted, Measure::Closed];

/// A command, by numbers and names.
#[derive(Debug, Clone)]
pub(super) enum Ask {
    Holidays,
    Enrol {
        who: &'static str,
        house: &'static str,
        certificate: u32,
        vetted: bool,
    },
    Vet(&'static str),
    Vouch(&'static str),
    Sign {
        who: &'static str,
        days: i64,
    },
    RenewOwn {
        who: &'static str,
        certificate: u32,
    },
    Renew {
        who: &'static str,
        certificate: u32,
    },
    Revoke(&'static str),
    SuspendPerson(&'static str),
    ReinstatePerson(&'static str),
    Dismiss(&'static str),
    Register {
        operator: &'static str,
        officer: bool,
    },
    Evidence {
        operator: &'static str,
        kind: &'static str,
        days: i64,
    },
    Officer {
        operator: &'static str,
        who: &'static str,
    },
    Plan {
        operator: &'static str,
        days: i64,
    },
    Drill {
        operator: &'static str,
        days: i64,
    },
    Assess {
        operator: &'static str,
        passed: bool,
    },
    Propose {
        dataset: usize,
    },
    Catalogue {
        dataset: usize,
        impact: bool,
    },
    ProposeGrades {
        dataset: usize,
        serious: bool,
    },
    ConfirmGrades {
        dataset: usize,
        grade: u8,
        reason: bool,
    },
    Risk {
        dataset: usize,
        level: &'static str,
        days: i64,
        mitigated: bool,
    },
    Prohibit(usize),
    SuspendDataset(usize),
    ReinstateDataset(usize),
    Withdraw(usize),
    Announce {
        call: usize,
        sector: &'static str,
        days: i64,
    },
    ApplyLicence {
        id: usize,
        operator: &'static str,
        sector: &'static str,
        days: i64,
        call: Option<usize>,
        renews: Option<usize>,
        papers: bool,
    },
    ReviewLicence(usize),
    Notice {
        id: usize,
        days: i64,
    },
    Grant(usize),
    RefuseLicence(usize),
    SuspendLicence {
        id: usize,
        cause: Cause,
        days: i64,
    },
    Rectify(usize),
    Terminate {
        id: usize,
        cause: Cause,
    },
    Surrender(usize),
    Expire(usize),
    ApplyScenario {
        id: usize,
        licence: usize,
        dataset: usize,
    },
    ReviewScenario {
        id: usize,
        aspect: Aspect,
    },
    Approve(usize),
    RefuseScenario(usize),
    SuspendScenario(usize),
    Report(usize),
    Resume(usize),
    Close(usize),
    Product {
        id: usize,
        scenario: usize,
        public: bool,
        fee: bool,
        valid: bool,
        plan: bool,
        report: bool,
    },
    ReviewProduct {
        id: usize,
        aspect: Aspect,
    },
    RefuseProduct(usize),
    Publish(usize),
    Recall(usize),
    Object {
        id: usize,
        licence: Option<usize>,
        dataset: usize,
    },
    Answer {
        id: usize,
        upheld: bool,
    },
    Violation {
        id: usize,
        operator: &'static str,
        measure: Measure,
    },
    Lift(usize),
    Destroy {
        licence: Option<usize>,
        scenario: usize,
    },
    Bring {
        id: usize,
        scenario: usize,
        dataset: usize,
        operator: &'static str,
        key: bool,
        impact: bool,
    },
    Look {
        id: usize,
        scrutiny: Scrutiny,
        /// What was made of it: of which dataset, which state.
        becomes: Option<(usize, u32)>,
    },
    TurnDown(usize),
    TakeBack(usize),
    Lapse(usize),
    Seal {
        unit: Unit,
        days: i64,
    },
    ExtendSeal {
        unit: Unit,
        days: i64,
    },
    ReleaseSeal(Unit),
    ApproveRelease(Unit),
    CheckSeal(Unit),
}

/// What is sealed: `dataset`, `scenario` or `licence`, and its number.
pub(super) type Unit = (&'static str, usize);

pub(super) fn unit((kind, number): Unit) -> String {
    match kind {
        "dataset" => format!("dataset/{}", name(number)),
        "scenario" => format!("scenario/s-{number}"),
        _ => format!("licence/l-{number}"),
    }
}

pub(super) fn read<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value.clone()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn id<T: DeserializeOwned>(letter: &str, number: usize) -> T {
    read(json!(format!("{letter}-{number}")))
}

pub(super) fn person(who: &str) -> Person {
    let (id, role, house) = PEOPLE.iter().find(|(id, ..)| *id == who).unwrap();
    read(
        json!({"id": id, "role": role, "organisation": house, "vetted": true,
        "nda_until": "2099-12-31"}),
    )
}

/// The role of a newcomer of this house.
pub(super) fn role_in(house: &str) -> &'static str {
    match house {
        "cyber" => "security-authority",
        _ => "operator-member",
    }
}

fn certificate(number: u32) -> Digest {
    Digest::of(&number.to_le_bytes())
}

/// The founding, and those who are there from the beginning.
pub(super) fn start(pilot: bool) -> Vec<Event> {
    let created = json!({"event": "domain-created", "name": "wuxi", "title": "Wuxi",
        "default_schema": "city", "pilot": pilot,
        "thresholds": {"grade_two": 5, "grade_three": 10},
        "obligations": {"rows_max": 10, "result_bytes_max": 1000}});
    let mut events = vec![read(created)];
    for (number, (who, ..)) in PEOPLE.iter().enumerate() {
        events.push(read(
            json!({"event": "person-enrolled", "by": "adam", "person": person(who),
            "certificate": certificate(u32::try_from(number).unwrap())}),
        ));
    }
    events
}

pub(super) fn name(dataset: usize) -> String {
    format!("city.d{dataset}")
}

fn dataset(number: usize, impact: bool) -> Value {
    let (name, sector) = (name(number), SECTORS[number % 2]);
    let mut item = json!({"name": "pid", "kind": "subject_id", "grade": 3, "mask": null,
        "domain": null, "sharing": "conditional", "opening": "not-opened", "data_type": null});
    if impact {
        item["impact"] = json!({"degree": "serious", "scope": "narrow"});
    }
    json!({"name": name, "title": "t", "content": "c", "provider": "office", "source": "s",
        "sector": sector, "update": "daily", "subject": "pid", "external": false,
        "prohibited": null, "risk": null, "items": [item]})
}

/// The names of what operators bring.
pub(super) fn outside(dataset: usize) -> String {
    format!("city.e{dataset}")
}

fn brought(number: usize, operator: &str, (key, impact): (bool, bool)) -> Value {
    let mut item = json!({"name": "pid", "kind": "subject_id", "grade": 3, "mask": null,
        "domain": key.then_some("person"), "sharing": "conditional", "opening": "not-opened",
        "data_type": null});
    if impact {
        item["impact"] = json!({"degree": "serious", "scope": "narrow"});
    }
    json!({"name": outside(number), "title": "t", "content": "c", "provider": operator,
        "source": "s", "sector": "medical", "update": "daily", "subject": "pid",
        "external": true, "prohibited": null, "risk": null, "items": [item]})
}

fn evidence(kind: &str, until: NaiveDate) -> Value {
    json!({"kind": kind, "title": "t", "until": until})
}

/// One of the last so many numbers in use, or the next.
fn window(dice: &mut Dice, used: usize, back: usize) -> usize {
    used.saturating_sub(dice.roll(back + 1))
}

/// A day so many from another, before or after.
pub(super) fn plus(day: NaiveDate, days: i64) -> NaiveDate {
    let count = Days::new(days.unsigned_abs());
    match days < 0 {
        true => day.checked_sub_days(count).unwrap(),
        false => day.checked_add_days(count).unwrap(),
    }
}

impl Ask {
    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    pub(super) fn roll(dice: &mut Dice, model: &Model) -> Self {
        let who: &'static str = match dice.roll(4) {
            0 => dice.pick(&PEOPLE).0,
            _ => dice.pick(&NEWCOMERS).0,
        };
        let operator: &'static str = dice.pick(&OPERATORS);
        let data = window(dice, model.datasets.len(), 2);
        let sector: &'static str = dice.pick(&SECTORS);
        let licence = window(dice, model.licences.len(), 3);
        let scenario = window(dice, model.scenarios.len(), 3);
        let product = window(dice, model.products.len(), 2);
        let call = window(dice, model.calls.len(), 2);
        let objection = window(dice, model.objections.len(), 2);
        let violation = window(dice, model.violations.len(), 2);
        let old = window(dice, model.licences.len(), 6);
        let coin = dice.roll(2) == 0;
        let mostly = dice.roll(5) != 0;
        let days = dice.pick(&[400, 200, 30, 30, 5, -3]);
        let aspect = dice.pick(&Aspect::ALL);
        let paper = dice.pick(&["mlps", "crypto", "annual-assessment", "emergency-plan"]);
        let cause = dice.pick(&CAUSES);
        let (unused, near) = (model.unused(dice), dice.roll(3) != 0);
        // An application mostly has a number of its own.
        let fresh = |used: usize| if mostly { used } else { used.saturating_sub(1) };
        // What leads on is asked for more often than what stops.
        let unit = match dice.roll(3) {
            0 => ("dataset", data),
            1 => ("scenario", scenario),
            _ => ("licence", licence),
        };
        let sealed = model.sealed(dice).unwrap_or(unit);
        let certificate = if mostly { unused } else { 2 };
        let guard: &'static str = dice.pick(&["sam", "sue", "sid"]);
        match dice.roll(124) {
            120 => match dice.roll(3) {
                0 => Self::Vet(guard),
                1 => Self::Vouch(guard),
                _ => Self::Dismiss("sid"),
            },
            121 => Self::Vouch(guard),
            // Few: who lost their certificate reviews nothing.
            122 => match dice.roll(4) {
                0 => Self::Revoke(guard),
                1 => Self::Recall(product),
                2 => Self::Publish(product),
                _ => Self::TakeBack(window(dice, model.externals.len(), 2)),
            },
            123 => match dice.roll(2) {
                0 => Self::RenewOwn { who, certificate },
                _ => Self::Renew {
                    who: guard,
                    certificate,
                },
            },
            0 => Self::Holidays,
            1..=3 => {
                let (who, house) = dice.pick(&NEWCOMERS);
                let certificate = if mostly { unused } else { 3 };
                Self::Enrol {
                    who,
                    house,
                    certificate,
                    vetted: coin,
                }
            }
            4 => Self::Vet(who),
            5 => Self::Sign { who, days },
            6 => Self::Renew { who, certificate },
            7 => Self::Revoke(who),
            8 => Self::SuspendPerson(who),
            9 => Self::ReinstatePerson(who),
            10 => Self::Dismiss(dice.pick(&NEWCOMERS).0),
            11..=13 => Self::Register {
                operator,
                officer: mostly,
            },
            14 => Self::Evidence {
                operator,
                kind: paper,
                days,
            },
            15 | 16 => Self::Officer {
                operator,
                who: if mostly { model.member(operator) } else { who },
            },
            17..=19 => Self::Plan { operator, days },
            20 => Self::Drill { operator, days },
            21 => Self::Assess {
                operator,
                passed: mostly || coin,
            },
            22..=24 => Self::Propose {
                dataset: fresh(model.datasets.len()),
            },
            25..=27 => Self::Catalogue {
                dataset: fresh(model.datasets.len()),
                impact: mostly,
            },
            28 => Self::ProposeGrades {
                dataset: data,
                serious: coin,
            },
            29 | 30 => Self::ConfirmGrades {
                dataset: data,
                grade: 2 + u8::from(mostly),
                reason: coin,
            },
            31..=33 => {
                let level = dice.pick(&["none", "low", "low", "low", "medium", "high"]);
                Self::Risk {
                    dataset: data,
                    level,
                    days,
                    mitigated: coin,
                }
            }
            34 => match dice.roll(12) {
                0 => Self::Prohibit(data),
                1 => Self::Withdraw(data),
                _ => Self::SuspendDataset(data),
            },
            35 | 36 => Self::ReinstateDataset(data),
            37..=39 => Self::Announce {
                call: fresh(model.calls.len()),
                sector,
                days,
            },
            40..=46 => Self::ApplyLicence {
                id: fresh(model.licences.len()),
                operator,
                sector: if mostly {
                    model.called(call.saturating_sub(1), sector)
                } else {
                    sector
                },
                days: dice.pick(&[60, 200, 700, 800]),
                call: mostly.then_some(call.saturating_sub(1)),
                renews: (!near && coin).then_some(old),
                papers: mostly,
            },
            47..=50 => Self::ReviewLicence(licence),
            51..=54 => Self::Notice {
                id: licence,
                days: dice.pick(&[0, 3, 7, 10]),
            },
            55..=58 => Self::Grant(licence),
            59 => match dice.roll(5) {
                0 => Self::RefuseLicence(licence),
                _ => Self::Grant(old),
            },
            60 => Self::SuspendLicence {
                id: licence,
                cause,
                days: dice.pick(&[-1, 5, 20]),
            },
            61 | 62 => Self::Rectify(licence),
            63 => match dice.roll(4) {
                0 => Self::Terminate { id: old, cause },
                1 => Self::Surrender(old),
                2 => Self::Expire(old),
                _ => Self::Rectify(old),
            },
            64 => Self::Expire(old),
            65..=69 => Self::ApplyScenario {
                id: fresh(model.scenarios.len()),
                licence: old,
                dataset: data,
            },
            70..=75 => Self::ReviewScenario {
                id: scenario,
                aspect,
            },
            76..=78 => Self::Approve(scenario),
            79 => match dice.roll(3) {
                0 => Self::RefuseScenario(scenario),
                _ => Self::Approve(scenario),
            },
            80 => match coin {
                true => Self::SuspendScenario(scenario),
                false => Self::Report(scenario),
            },
            81 | 82 => Self::Resume(scenario),
            83 => Self::Close(scenario),
            84 | 85 | 115..=117 => Self::Product {
                id: fresh(model.products.len()),
                scenario,
                public: coin,
                fee: !coin || !mostly,
                valid: mostly,
                plan: near,
                report: near == mostly,
            },
            86 | 87 => Self::ReviewProduct {
                id: product,
                aspect,
            },
            88 => match mostly {
                true => Self::Publish(product),
                false => Self::RefuseProduct(product),
            },
            89 => match coin {
                true => Self::Publish(product),
                false => Self::Recall(product),
            },
            90 | 91 => Self::Object {
                id: fresh(model.objections.len()),
                licence: coin.then_some(licence),
                dataset: data,
            },
            92 => Self::Answer {
                id: objection,
                upheld: !mostly,
            },
            93 => match near || coin {
                true => Self::Lift(violation),
                false => Self::Violation {
                    id: fresh(model.violations.len()),
                    operator,
                    measure: dice.pick(&MEASURES),
                },
            },
            94 => Self::Lift(violation),
            95..=101 => Self::Bring {
                id: fresh(model.externals.len()),
                scenario,
                dataset: dice.roll(3),
                operator: match mostly {
                    true => model.maker(scenario).unwrap_or(operator),
                    false => operator,
                },
                key: mostly,
                impact: near || mostly,
            },
            102..=110 => {
                let id = window(dice, model.externals.len(), 2);
                Self::Look {
                    id,
                    scrutiny: dice.pick(&Scrutiny::ALL),
                    becomes: model.becomes(id, mostly),
                }
            }
            111 => Self::TurnDown(window(dice, model.externals.len(), 2)),
            112 => Self::TakeBack(window(dice, model.externals.len(), 2)),
            114 => Self::RefuseProduct(product),
            113 => Self::Lapse(window(dice, model.externals.len(), 2)),
            // Few: what is sealed keeps the rest from getting to its end.
            118 => match dice.roll(14) {
                0 => Self::Seal {
                    unit,
                    days: dice.pick(&[0, 0, 1, 9, -1]),
                },
                1 => Self::ExtendSeal { unit: sealed, days },
                2..=5 => Self::ReleaseSeal(sealed),
                6..=11 => Self::ApproveRelease(sealed),
                _ => Self::CheckSeal(sealed),
            },
            _ => Self::Destroy {
                licence: coin.then_some(old),
                scenario,
            },
        }
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    pub(super) fn command(&self, day: NaiveDate) -> Command {
        let reason = || "because".parse().unwrap();
        let who = |who: &str| read(json!(who));
        let op = |operator: &str| read(json!(operator));
        let data = |number: usize| read(json!(name(number)));
        match self.clone() {
            Self::Holidays => Command::SetHolidays(read(json!({"year": 2000, "off": []}))),
            Self::Enrol {
                who,
                house,
                certificate: c,
                vetted,
            } => Command::EnrolPerson {
                person: read(
                    json!({"id": who, "role": role_in(house), "organisation": house,
                    "vetted": vetted, "nda_until": null}),
                ),
                certificate: certificate(c),
            },
            Self::Vet(id) => Command::VetPerson {
                person: who(id),
                certificate: None,
            },
            Self::Vouch(id) => Command::VouchPerson {
                person: who(id),
                certificate: None,
            },
            Self::Sign { who: id, days } => Command::SignAgreement {
                person: who(id),
                until: plus(day, days),
            },
            Self::RenewOwn {
                who: id,
                certificate: c,
            } => Command::RenewOwnCertificate {
                person: who(id),
                certificate: certificate(c),
            },
            Self::Renew {
                who: id,
                certificate: c,
            } => Command::RenewCertificate {
                person: who(id),
                certificate: certificate(c),
            },
            Self::Revoke(id) => Command::RevokeCertificate {
                person: who(id),
                reason: reason(),
            },
            Self::SuspendPerson(id) => Command::SuspendPerson {
                person: who(id),
                reason: reason(),
            },
            Self::ReinstatePerson(id) => Command::ReinstatePerson(who(id)),
            Self::Dismiss(id) => Command::DismissPerson(who(id)),
            Self::Register { operator, officer } => {
                let officer = officer.then_some(if operator == "acme" { "ann" } else { "zoe" });
                Command::RegisterOperator(read(json!({"id": operator, "title": "t",
                    "security_officer": officer, "emergency_plan": false})))
            }
            Self::Evidence {
                operator,
                kind,
                days,
            } => Command::FileEvidence {
                operator: op(operator),
                evidence: read(evidence(kind, plus(day, days))),
            },
            Self::Officer { operator, who: id } => Command::NameOfficer {
                operator: op(operator),
                officer: who(id),
            },
            Self::Plan { operator, days } => Command::FilePlan {
                operator: op(operator),
                plan: read(evidence("plan", plus(day, 500))),
                drill_until: plus(day, days),
            },
            Self::Drill { operator, days } => Command::RecordDrill {
                operator: op(operator),
                next_until: plus(day, days),
            },
            Self::Assess { operator, passed } => Command::AssessOperator {
                operator: op(operator),
                passed,
                report: read(evidence("report", plus(day, 365))),
            },
            Self::Propose { dataset: number } => {
                Command::ProposeDataset(read(dataset(number, true)))
            }
            Self::Catalogue {
                dataset: number,
                impact,
            } => Command::CatalogueDataset(read(dataset(number, impact))),
            Self::ProposeGrades {
                dataset: number,
                serious,
            } => {
                let degree = if serious { "serious" } else { "slight" };
                Command::ProposeGrades {
                    dataset: data(number),
                    items: read(json!([["pid", {"degree": degree, "scope": "narrow"}]])),
                }
            }
            Self::ConfirmGrades {
                dataset: number,
                grade,
                reason: told,
            } => Command::ConfirmGrades {
                dataset: data(number),
                grades: read(json!([["pid", grade]])),
                reason: told.then(reason),
            },
            Self::Risk {
                dataset: number,
                level,
                days,
                mitigated,
            } => Command::AssessRisk {
                dataset: data(number),
                risk: read(
                    json!({"level": level, "by": "lab", "until": plus(day, days),
                    "mitigations": mitigated.then_some("m").into_iter().collect::<Vec<_>>()}),
                ),
            },
            Self::Prohibit(number) => Command::ProhibitDataset {
                dataset: data(number),
                basis: "law".to_owned(),
            },
            Self::SuspendDataset(number) => Command::SuspendDataset {
                dataset: data(number),
                reason: reason(),
            },
            Self::ReinstateDataset(number) => Command::ReinstateDataset(data(number)),
            Self::Withdraw(number) => Command::WithdrawDataset {
                dataset: data(number),
                reason: reason(),
            },
            Self::Announce { call, sector, days } => Command::AnnounceLicences(read(json!({
                "id": format!("n-{call}"), "title": "t", "mode": "sectoral", "sectors": [sector],
                "from": day, "until": plus(day, days)}))),
            Self::ApplyLicence {
                id,
                operator,
                sector,
                days,
                call,
                renews,
                papers,
            } => {
                let papers =
                    ["returns", "security", "disposal"]
                        .iter()
                        .take(if papers { 3 } else { 2 });
                let documents: Vec<_> = papers.map(|kind| evidence(kind, plus(day, 900))).collect();
                let from = if renews.is_some() { plus(day, 95) } else { day };
                Command::ApplyLicence(read(json!({"id": format!("l-{id}"), "operator": operator,
                    "mode": "sectoral", "sectors": [sector], "from": from,
                    "until": plus(from, days), "agreement": null, "documents": documents,
                    "announcement": call.map(|call| format!("n-{call}")),
                    "renews": renews.map(|id| format!("l-{id}"))})))
            }
            Self::ReviewLicence(n) => Command::ReviewLicence(id("l", n)),
            Self::Notice { id: n, days } => Command::NoticeLicence {
                licence: id("l", n),
                until: plus(day, days),
            },
            Self::Grant(n) => Command::GrantLicence(id("l", n)),
            Self::RefuseLicence(n) => Command::RefuseLicence {
                licence: id("l", n),
                reason: reason(),
            },
            Self::SuspendLicence { id: n, cause, days } => Command::SuspendLicence {
                licence: id("l", n),
                cause,
                rectify_by: plus(day, days),
                reason: reason(),
            },
            Self::Rectify(n) => Command::AcceptRectification(id("l", n)),
            Self::Terminate { id: n, cause } => Command::TerminateLicence {
                licence: id("l", n),
                cause,
                reason: reason(),
            },
            Self::Surrender(n) => Command::SurrenderLicence(id("l", n)),
            Self::Expire(n) => Command::ExpireLicence(id("l", n)),
            Self::ApplyScenario {
                id: n,
                licence,
                dataset: number,
            } => Command::ApplyScenario(read(json!({
                "id": format!("s-{n}"), "licence": format!("l-{licence}"), "title": "t",
                "purpose": "p", "members": [], "datasets": [{"name": name(number), "items": "all",
                "rows": null}]}))),
            Self::ReviewScenario { id: n, aspect } => Command::ReviewScenario {
                scenario: id("s", n),
                aspect,
                row_risks: Vec::new(),
            },
            Self::Approve(n) => Command::ApproveScenario(id("s", n)),
            Self::RefuseScenario(n) => Command::RefuseScenario {
                scenario: id("s", n),
                reason: reason(),
            },
            Self::SuspendScenario(n) => Command::SuspendScenario {
                scenario: id("s", n),
                cause: Cause::Unsafe,
                reason: reason(),
            },
            Self::Report(n) => Command::ReportRisk {
                scenario: id("s", n),
                reason: reason(),
            },
            Self::Resume(n) => Command::ResumeScenario(id("s", n)),
            Self::Close(n) => Command::CloseScenario {
                scenario: id("s", n),
                cause: Cause::PurposeMet,
            },
            Self::Product {
                id: n,
                scenario,
                public,
                fee,
                valid,
                plan,
                report,
            } => {
                let digest = |of: &str| Digest::of(format!("{of}-{n}").as_bytes());
                let kind = if valid { "validation" } else { "hope" };
                Command::RegisterProduct(read(json!({"id": format!("p-{n}"), "form": "report",
                    "scenario": format!("s-{scenario}"), "title": "t",
                    "benefit": if public { "public" } else { "industry" },
                    "fee": fee.then(|| json!({"unit": "month", "cents": 1})),
                    "plan": plan.then(|| digest("plan")), "disclosure": report.then(|| digest("report")),
                    "validation": evidence(kind, plus(day, 9))})))
            }
            Self::ReviewProduct { id: n, aspect } => Command::ReviewProduct {
                product: id("p", n),
                aspect,
            },
            Self::RefuseProduct(n) => Command::RefuseProduct {
                product: id("p", n),
                reason: reason(),
            },
            Self::Publish(n) => Command::PublishProduct(id("p", n)),
            Self::Recall(n) => Command::RecallProduct {
                product: id("p", n),
                cause: Cause::Ordered,
                reason: reason(),
            },
            Self::Object {
                id: n,
                licence,
                dataset: number,
            } => Command::LodgeObjection {
                objection: id("o", n),
                against: match licence {
                    Some(l) => read(json!({"licence": {"licence": format!("l-{l}")}})),
                    None => read(json!({"item": {"dataset": name(number), "item": "pid"}})),
                },
                reason: reason(),
            },
            Self::Answer { id: n, upheld } => Command::AnswerObjection {
                objection: id("o", n),
                upheld,
                reason: reason(),
            },
            Self::Violation {
                id: n,
                operator,
                measure,
            } => Command::RecordViolation {
                violation: id("v", n),
                operator: op(operator),
                kind: terms::Violated::OtherBreach,
                measure,
                reason: reason(),
            },
            Self::Lift(n) => Command::LiftViolation(id("v", n)),
            Self::Destroy { licence, scenario } => Command::ConfirmDestruction {
                of: match licence {
                    Some(l) => read(json!({"licence": format!("l-{l}")})),
                    None => read(json!({"scenario": format!("s-{scenario}")})),
                },
                certificate: Digest::of(b"gone"),
            },
            Self::Bring {
                id: n,
                scenario,
                dataset: number,
                operator,
                key,
                impact,
            } => Command::SubmitExternal(Box::new(read(json!({"id": format!("x-{n}"),
                "scenario": format!("s-{scenario}"),
                "dataset": brought(number, operator, (key, impact)),
                "agreement": Digest::of(b"agreement"), "rows": 20, "digest": Digest::of(b"sealed"),
                "types": ["text"], "report": Digest::of(b"report"), "until": plus(day, 60)})))),
            Self::Look {
                id: n,
                scrutiny,
                becomes,
            } => Command::ReviewExternal {
                external: id("x", n),
                scrutiny,
                snapshot: becomes.map(|(number, state)| {
                    read(
                        json!({"dataset": outside(number), "number": state, "rows": 20,
                        "digest": Digest::of(b"stored"), "types": ["text"]}),
                    )
                }),
            },
            Self::TurnDown(n) => Command::RefuseExternal {
                external: id("x", n),
                reason: reason(),
            },
            Self::TakeBack(n) => Command::WithdrawExternal(id("x", n)),
            Self::Lapse(n) => Command::ExpireExternal(id("x", n)),
            Self::Seal { unit: of, days } => Command::SealData {
                unit: read(json!(unit(of))),
                basis: SealBasis::Order,
                until: plus(day, days),
                listing: Listing::of(Vec::new(), |_| Digest::of(b"")),
            },
            Self::ExtendSeal { unit: of, days } => Command::ExtendSeal {
                unit: read(json!(unit(of))),
                until: plus(day, days),
            },
            Self::ReleaseSeal(of) => Command::RequestSealRelease(read(json!(unit(of)))),
            Self::ApproveRelease(of) => Command::ApproveSealRelease(read(json!(unit(of)))),
            Self::CheckSeal(of) => Command::CheckSeal {
                unit: read(json!(unit(of))),
                found: Digest::of(b""),
                holds: true,
            },
        }
    }
}
