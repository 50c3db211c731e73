//! The rules once more, as somebody who read the law would put them in tables: stages as words, days as
//! days. Written apart from the register, whose types it does not use.

use super::{
    Dice,
    ask::{Ask, NEWCOMERS, OPERATORS, PEOPLE, SECTORS, Unit, name, outside, plus, role_in, unit},
};
use chrono::{Datelike, Months, NaiveDate, Weekday};
use register::State;
use std::collections::{BTreeMap, BTreeSet};
use terms::{Aspect, Cause, Digest, Disposed, Measure, Scrutiny, Standing};

type Who = &'static str;

#[derive(Default, Clone)]
pub(super) struct Man {
    house: Who,
    guards: bool,
    vetted: bool,
    standing: &'static str,
    certificate: Option<u32>,
    /// How many were renewed.
    renewed: usize,
}

#[derive(Default, Clone)]
struct Firm {
    officer: bool,
    plan: bool,
    failed: bool,
}

#[derive(Default, Clone)]
pub(super) struct Data {
    standing: &'static str,
    prohibited: bool,
    risk: Option<(&'static str, NaiveDate, bool)>,
    regrading: Option<(bool, Who)>,
    grade: u8,
}

#[derive(Clone)]
pub(super) struct Leave {
    operator: Who,
    sector: Who,
    until: NaiveDate,
    stage: &'static str,
    day: NaiveDate,
    by: Who,
    barred: Option<NaiveDate>,
}

#[derive(Clone)]
pub(super) struct Use {
    licence: usize,
    dataset: usize,
    stage: &'static str,
    found: BTreeSet<Aspect>,
    by: Who,
}

#[derive(Clone)]
pub(super) struct Ware {
    scenario: usize,
    stage: &'static str,
    found: Vec<(Aspect, Who)>,
    by: Who,
    plan: bool,
}

#[derive(Clone)]
pub(super) struct Load {
    scenario: usize,
    dataset: usize,
    operator: Who,
    impact: bool,
    stage: &'static str,
    found: Vec<(Scrutiny, Who)>,
    by: Who,
}

/// What came in of an operator's: whose, for which scenario, with which entry, in how many states.
#[derive(Clone)]
struct Inside {
    operator: Who,
    scenario: usize,
    impact: bool,
    states: u32,
}

#[derive(Clone)]
pub(super) struct Model {
    pilot: bool,
    pub day: NaiveDate,
    people: BTreeMap<Who, Man>,
    firms: BTreeMap<Who, Firm>,
    proposed: BTreeMap<usize, Who>,
    pub datasets: Vec<Data>,
    pub calls: Vec<(Who, NaiveDate, NaiveDate)>,
    pub licences: Vec<Leave>,
    pub scenarios: Vec<Use>,
    pub products: Vec<Ware>,
    pub externals: Vec<Load>,
    inside: BTreeMap<usize, Inside>,
    pub objections: Vec<(Option<usize>, Option<bool>, Who)>,
    pub violations: Vec<(Who, Measure, bool)>,
    gone: BTreeSet<String>,
    seals: BTreeMap<Unit, Sealed>,
    /// A first word for somebody, of which role, while they hold which of their certificates.
    vouched: BTreeMap<Who, (&'static str, usize)>,
}

/// A seal: its last day, who asked for its release, who approved that.
#[derive(Clone)]
struct Sealed {
    until: NaiveDate,
    asked: Option<Who>,
    approved: Option<Who>,
}

/// The last day of so many working days after a day; only weekends are off.
fn working(day: NaiveDate, days: u32) -> NaiveDate {
    let later = day.iter_days().skip(1);
    let worked = later.filter(|day| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun));
    worked.take(days as usize).last().unwrap_or(day)
}

fn months(day: NaiveDate, months: i32) -> NaiveDate {
    let by = Months::new(months.unsigned_abs());
    let moved = match months < 0 {
        true => day.checked_sub_months(by),
        false => day.checked_add_months(by),
    };
    moved.unwrap()
}

/// Which roles take which step.
#[expect(clippy::too_many_lines, reason = "one arm for each command")]
fn may(role: &str, ask: &Ask) -> bool {
    let roles: &[&str] = match ask {
        Ask::Holidays
        | Ask::Enrol { .. }
        | Ask::Sign { .. }
        | Ask::Renew { .. }
        | Ask::Revoke(_)
        | Ask::Dismiss(_) => &["domain-admin"],
        Ask::Vouch(_) => &["data-authority", "regulator"],
        // Everybody, for themselves.
        Ask::RenewOwn { .. } => return true,
        Ask::Vet(_)
        | Ask::Drill { .. }
        | Ask::ReviewLicence(_)
        | Ask::Destroy { .. }
        | Ask::Seal { .. }
        | Ask::ExtendSeal { .. } => &["security-authority"],
        Ask::ReleaseSeal(_) => &["security-authority", "domain-admin"],
        Ask::ApproveRelease(_) => &["data-authority", "regulator"],
        Ask::CheckSeal(_) => &["data-authority", "security-authority", "regulator"],
        Ask::SuspendPerson(_)
        | Ask::ReinstatePerson(_)
        | Ask::SuspendDataset(_)
        | Ask::SuspendLicence { .. }
        | Ask::RefuseLicence(_)
        | Ask::SuspendScenario(_)
        | Ask::RefuseScenario(_)
        | Ask::RefuseProduct(_)
        | Ask::TurnDown(_)
        | Ask::Violation { .. } => &["data-authority", "security-authority"],
        Ask::Register { .. }
        | Ask::Assess { .. }
        | Ask::Catalogue { .. }
        | Ask::ConfirmGrades { .. }
        | Ask::Prohibit(_)
        | Ask::Withdraw(_)
        | Ask::ReinstateDataset(_)
        | Ask::Announce { .. }
        | Ask::Notice { .. }
        | Ask::Grant(_)
        | Ask::Rectify(_)
        | Ask::Terminate { .. }
        | Ask::Approve(_)
        | Ask::Resume(_)
        | Ask::Answer { .. }
        | Ask::Lift(_) => &["data-authority"],
        Ask::ReviewScenario { aspect, .. } | Ask::ReviewProduct { aspect, .. } => match aspect {
            Aspect::Security => &["security-authority"],
            Aspect::Reasonableness | Aspect::Compliance => &["data-authority"],
        },
        Ask::Propose { .. } | Ask::ProposeGrades { .. } => &["provider"],
        Ask::Risk { .. } => &["provider", "data-authority"],
        Ask::Evidence { .. }
        | Ask::Officer { .. }
        | Ask::Plan { .. }
        | Ask::ApplyLicence { .. }
        | Ask::Surrender(_)
        | Ask::ApplyScenario { .. }
        | Ask::Report(_)
        | Ask::Product { .. }
        | Ask::Publish(_)
        | Ask::Bring { .. }
        | Ask::TakeBack(_) => &["operator-member"],
        Ask::Close(_) | Ask::Recall(_) => {
            &["operator-member", "data-authority", "security-authority"]
        }
        Ask::Object { .. } => &["operator-member", "data-authority"],
        Ask::Look { scrutiny, .. } => match scrutiny {
            Scrutiny::Lawfulness => &["data-authority"],
            Scrutiny::Security => &["security-authority"],
        },
        // Only the clock.
        Ask::Expire(_) | Ask::Lapse(_) => &[],
    };
    roles.contains(&role)
}

impl Model {
    pub(super) fn new(pilot: bool) -> Self {
        let mut people = BTreeMap::new();
        for (number, (who, role, house)) in PEOPLE.iter().enumerate() {
            let man = Man {
                house,
                guards: *role == "security-authority",
                vetted: true,
                standing: "active",
                certificate: Some(u32::try_from(number).unwrap()),
                renewed: 0,
            };
            people.insert(*who, man);
        }
        Self {
            pilot,
            day: "2026-01-05".parse().unwrap(),
            people,
            firms: BTreeMap::new(),
            proposed: BTreeMap::new(),
            datasets: Vec::new(),
            calls: Vec::new(),
            licences: Vec::new(),
            scenarios: Vec::new(),
            products: Vec::new(),
            externals: Vec::new(),
            inside: BTreeMap::new(),
            objections: Vec::new(),
            violations: Vec::new(),
            gone: BTreeSet::new(),
            seals: BTreeMap::new(),
            vouched: BTreeMap::new(),
        }
    }

    /// Something that is sealed, if anything is.
    pub(super) fn sealed(&self, dice: &mut Dice) -> Option<Unit> {
        let all: Vec<Unit> = self.seals.keys().copied().collect();
        (!all.is_empty()).then(|| dice.pick(&all))
    }

    /// Whether a scenario is sealed, or its licence.
    fn is_shut(&self, scenario: usize) -> bool {
        let licence = self.scenarios.get(scenario).map(|used| used.licence);
        self.seals.contains_key(&("scenario", scenario))
            || licence.is_some_and(|id| self.seals.contains_key(&("licence", id)))
    }

    /// Whether a scenario is sealed, or its licence, or what it sees.
    fn is_closed(&self, scenario: usize) -> bool {
        let used = self.scenarios.get(scenario);
        let data = used.map(|used| ("dataset", used.dataset));
        self.is_shut(scenario) || data.is_some_and(|data| self.seals.contains_key(&data))
    }

    /// Whether something of a licence is sealed, or the licence.
    fn is_licence_shut(&self, licence: usize) -> bool {
        let scenarios = self.scenarios.iter().enumerate();
        let mut own = scenarios.filter(|(_, used)| used.licence == licence);
        self.seals.contains_key(&("licence", licence)) || own.any(|(id, _)| self.is_shut(id))
    }

    /// Whether something lies in quarantine for what is sealed.
    fn lies_shut(&self, external: usize) -> bool {
        let load = self.externals.get(external);
        load.is_some_and(|load| self.is_closed(load.scenario))
    }

    fn release(&mut self, unit: Unit, (by, role): (Who, &str)) -> bool {
        let Some(seal) = self.seals.get_mut(&unit) else {
            return false;
        };
        let role_of = |who: Who| PEOPLE.iter().find(|(id, ..)| *id == who).unwrap().1;
        match (seal.asked, seal.approved) {
            (None, _) => false,
            (Some(_), None) => {
                seal.approved = Some(by);
                true
            }
            (Some(_), Some(first)) => {
                let ok = role_of(first) != role;
                if ok {
                    self.seals.remove(&unit);
                }
                ok
            }
        }
    }

    /// Time passes: mostly none.
    pub(super) fn wait(&mut self, dice: &mut Dice) {
        if dice.roll(8) == 0 {
            self.day = plus(self.day, dice.pick(&[1, 1, 1, 2, 5, 9, 30]));
        }
    }

    pub(super) fn unused(&self, dice: &mut Dice) -> u32 {
        100 + u32::try_from(dice.roll(1_000_000)).unwrap()
    }

    pub(super) fn member(&self, operator: &str) -> Who {
        if operator == "acme" { "ann" } else { "zoe" }
    }

    /// The sector of a call, if there is one.
    pub(super) fn called(&self, call: usize, otherwise: Who) -> Who {
        self.calls
            .get(call)
            .map_or(otherwise, |(sector, ..)| sector)
    }

    /// Somebody: mostly one whose step it is.
    pub(super) fn asker(&self, dice: &mut Dice, ask: &Ask) -> Who {
        if let Ask::RenewOwn { who, .. } = ask
            && PEOPLE.iter().any(|(id, ..)| id == who)
            && dice.roll(6) != 0
        {
            return who;
        }
        let suited = PEOPLE.iter().filter(|(_, role, _)| may(role, ask));
        let suited: Vec<Who> = suited.map(|(who, ..)| *who).collect();
        if suited.is_empty() || dice.roll(6) == 0 {
            return dice.pick(&PEOPLE).0;
        }
        dice.pick(&suited)
    }

    fn house(&self, by: Who) -> Option<Who> {
        let (_, role, house) = PEOPLE.iter().find(|(id, ..)| *id == by).unwrap();
        (*role == "operator-member").then_some(*house)
    }

    fn known(&self, who: Who) -> Option<&Man> {
        self.people.get(who).filter(|man| man.standing != "ended")
    }

    fn holds(&self, certificate: u32) -> bool {
        let mut people = self.people.values();
        people.any(|man| man.certificate == Some(certificate))
    }

    fn open(&self, dataset: usize) -> Option<&Data> {
        let found = self.datasets.get(dataset);
        found.filter(|data| data.standing != "ended")
    }

    /// An operator that may ask for something new.
    fn fit(&self, operator: Who) -> bool {
        let barred = self.licences.iter().any(|leave| {
            leave.operator == operator && leave.barred.is_some_and(|until| self.day <= until)
        });
        let restricted = self.violations.iter().any(|(whose, measure, lifted)| {
            *whose == operator && *measure != Measure::Published && !lifted
        });
        !barred && !restricted && !self.firms.get(operator).is_some_and(|firm| firm.failed)
    }

    fn stage(&self, licence: usize) -> &'static str {
        self.licences
            .get(licence)
            .map_or("none", |leave| leave.stage)
    }

    fn scene(&self, scenario: usize) -> &'static str {
        self.scenarios
            .get(scenario)
            .map_or("none", |used| used.stage)
    }

    /// What the next state would be if this load came in; mostly told where it is due.
    pub(super) fn becomes(&self, id: usize, mostly: bool) -> Option<(usize, u32)> {
        let load = self.externals.get(id)?;
        let states = self
            .inside
            .get(&load.dataset)
            .map_or(0, |inside| inside.states);
        let due = load.found.len() == 1;
        (due == mostly).then_some((load.dataset, states + 1))
    }

    /// Whether an operator may bring a dataset with this entry for a scenario.
    fn may_bring(&self, (scenario, dataset): (usize, usize), operator: Who, impact: bool) -> bool {
        let known = self.inside.get(&dataset).is_none_or(|inside| {
            inside.operator == operator && inside.scenario == scenario && inside.impact == impact
        });
        self.maker(scenario) == Some(operator)
            && !self.is_closed(scenario)
            && self.scene(scenario) == "granted"
            && self.licensed(scenario)
            && self.fit(operator)
            && (impact || self.pilot)
            && known
    }

    pub(super) fn maker(&self, scenario: usize) -> Option<Who> {
        let used = self.scenarios.get(scenario)?;
        Some(self.licences[used.licence].operator)
    }

    /// Whether a command is allowed; if so, what it does is done.
    #[expect(clippy::too_many_lines, reason = "one arm for each command")]
    pub(super) fn take(&mut self, by: Who, ask: &Ask) -> bool {
        let role = PEOPLE.iter().find(|(id, ..)| *id == by).unwrap().1;
        if !may(role, ask) {
            return false;
        }
        let (day, house) = (self.day, self.house(by));
        match ask.clone() {
            Ask::Holidays => true,
            Ask::Enrol {
                who,
                house,
                certificate,
                vetted,
            } => {
                let ok = !self.people.contains_key(who)
                    && !self.holds(certificate)
                    && (self.pilot || !vetted);
                if ok {
                    let certificate = Some(certificate);
                    self.people.insert(
                        who,
                        Man {
                            house,
                            guards: role_in(house) == "security-authority",
                            vetted,
                            standing: "active",
                            certificate,
                            renewed: 0,
                        },
                    );
                }
                ok
            }
            Ask::Vet(who) => {
                who != by
                    && self.man(who, |man| {
                        let ok = !man.vetted;
                        man.vetted = true;
                        ok
                    })
            }
            Ask::Vouch(who) => self.vouch(who, role),
            Ask::Sign { who, days } => self.known(who).is_some() && days >= 0,
            Ask::RenewOwn { who, certificate } => {
                let ok = who == by && self.known(who).is_some() && !self.holds(certificate);
                ok && self.man(who, |man| {
                    man.certificate = Some(certificate);
                    man.renewed += 1;
                    true
                })
            }
            Ask::Renew { who, certificate } => {
                let left = self.others_who_vet(who);
                let ok = who != by && self.known(who).is_some() && !self.holds(certificate);
                ok && self.man(who, |man| {
                    let ok = !man.guards || !man.vetted || left;
                    if ok {
                        man.certificate = Some(certificate);
                        man.renewed += 1;
                        man.vetted = false;
                    }
                    ok
                })
            }
            Ask::Revoke(who) => self.man(who, |man| man.certificate.take().is_some()),
            Ask::SuspendPerson(who) => {
                self.man(who, |man| step(&mut man.standing, "active", "suspended"))
            }
            Ask::ReinstatePerson(who) => {
                who != by && self.man(who, |man| step(&mut man.standing, "suspended", "active"))
            }
            Ask::Dismiss(who) => self.man(who, |man| {
                man.standing = "ended";
                man.certificate = None;
                true
            }),
            Ask::Register { operator, officer } => {
                let ok = !self.firms.contains_key(operator) && (officer || !self.pilot);
                if ok {
                    let firm = Firm {
                        officer,
                        ..Firm::default()
                    };
                    self.firms.insert(operator, firm);
                }
                ok
            }
            Ask::Evidence {
                operator,
                kind,
                days,
            } => {
                house == Some(operator)
                    && self.firms.contains_key(operator)
                    && days >= 0
                    && !["annual-assessment", "emergency-plan"].contains(&kind)
            }
            Ask::Officer { operator, who } => {
                let member = self
                    .people
                    .get(who)
                    .is_some_and(|man| man.house == operator);
                let ok = house == Some(operator) && self.firms.contains_key(operator) && member;
                ok && self.firm(operator, |firm| {
                    firm.officer = true;
                    true
                })
            }
            Ask::Plan { operator, days } => {
                house == Some(operator)
                    && days >= 0
                    && self.firm(operator, |firm| {
                        firm.plan = true;
                        true
                    })
            }
            Ask::Drill { operator, days } => days >= 0 && self.firm(operator, |firm| firm.plan),
            Ask::Assess { operator, passed } => self.firm(operator, |firm| {
                firm.failed = !passed;
                true
            }),
            Ask::Propose { dataset } => {
                let ok =
                    self.datasets.get(dataset).is_none() && !self.proposed.contains_key(&dataset);
                if ok {
                    self.proposed.insert(dataset, by);
                }
                ok
            }
            Ask::Catalogue { dataset, impact } => {
                let proposed = self.proposed.contains_key(&dataset);
                let ok =
                    self.datasets.get(dataset).is_none() && (self.pilot || (proposed && impact));
                if ok {
                    self.proposed.remove(&dataset);
                    assert_eq!(dataset, self.datasets.len());
                    let data = Data {
                        standing: "active",
                        grade: 3,
                        ..Data::default()
                    };
                    self.datasets.push(data);
                }
                ok
            }
            Ask::ProposeGrades { dataset, serious } => self.data(dataset, |data| {
                data.regrading = Some((serious, by));
                true
            }),
            Ask::ConfirmGrades {
                dataset,
                grade,
                reason,
            } => self.data(dataset, |data| {
                let Some((serious, _)) = data.regrading else {
                    return false;
                };
                let proposed = if serious { 3 } else { 2 };
                let ok = grade >= proposed || reason;
                if ok {
                    data.grade = grade;
                    data.regrading = None;
                }
                ok
            }),
            Ask::Risk {
                dataset,
                level,
                days,
                mitigated,
            } => {
                let until = plus(day, days);
                let term = days >= 0 && until <= months(day, 12);
                term && (level != "medium" || mitigated)
                    && self.data(dataset, |data| {
                        data.risk = Some((level, until, mitigated));
                        true
                    })
            }
            Ask::Prohibit(dataset) => self.data(dataset, |data| {
                data.prohibited = true;
                true
            }),
            Ask::SuspendDataset(dataset) => self.data(dataset, |data| {
                step(&mut data.standing, "active", "suspended")
            }),
            Ask::ReinstateDataset(dataset) => self.data(dataset, |data| {
                step(&mut data.standing, "suspended", "active")
            }),
            Ask::Withdraw(dataset) => self.data(dataset, |data| {
                data.standing = "ended";
                true
            }),
            Ask::Announce { call, sector, days } => {
                let ok = call == self.calls.len() && days >= 0;
                if ok {
                    self.calls.push((sector, day, plus(day, days)));
                }
                ok
            }
            Ask::ApplyLicence {
                id,
                operator,
                sector,
                days,
                call,
                renews,
                papers,
            } => {
                let from = if renews.is_some() { plus(day, 95) } else { day };
                let until = plus(from, days);
                let firm = self
                    .firms
                    .get(operator)
                    .is_some_and(|firm| firm.plan && firm.officer);
                let called = match (renews, call) {
                    (Some(old), _) => self.licences.get(old).is_some_and(|old| {
                        old.operator == operator
                            && old.stage == "granted"
                            && day <= old.until
                            && day >= months(old.until, -3)
                            && from > old.until
                    }),
                    (None, Some(call)) => {
                        self.calls.get(call).is_some_and(|(sectors, begins, ends)| {
                            *sectors == sector && *begins <= day && day <= *ends
                        })
                    }
                    (None, None) => self.pilot,
                };
                let ok = id == self.licences.len()
                    && house == Some(operator)
                    && firm
                    && until <= months(from, 24)
                    && self.fit(operator)
                    && called
                    && (papers || self.pilot);
                if ok {
                    let barred = None;
                    self.licences.push(Leave {
                        operator,
                        sector,
                        until,
                        stage: "applied",
                        day,
                        by,
                        barred,
                    });
                }
                ok
            }
            Ask::ReviewLicence(id) => self.leave(id, by, |leave| {
                step(&mut leave.stage, "applied", "reviewed")
            }),
            Ask::Notice { id, days } => {
                let least = if self.pilot { day } else { working(day, 5) };
                let until = plus(day, days);
                until >= least
                    && self.leave(id, by, |leave| {
                        let ok = step(&mut leave.stage, "reviewed", "noticed");
                        if ok {
                            leave.day = until;
                        }
                        ok
                    })
            }
            Ask::Grant(id) => {
                let hindered = self.objections.iter().any(|(licence, answer, _)| {
                    *licence == Some(id) && answer.is_none_or(|upheld| upheld)
                });
                let fit = self
                    .licences
                    .get(id)
                    .is_some_and(|leave| self.fit(leave.operator));
                let pilot = self.pilot;
                !hindered
                    && fit
                    && self.leave(id, by, |leave| {
                        let over = day > leave.day || (pilot && day == leave.day);
                        over && step(&mut leave.stage, "noticed", "granted")
                    })
            }
            Ask::RefuseLicence(id) => self.leave(id, by, |leave| {
                let open = ["applied", "reviewed", "noticed"].contains(&leave.stage);
                if open {
                    leave.stage = "refused";
                }
                open
            }),
            Ask::SuspendLicence { id, days, .. } => {
                days >= 0
                    && self.leave(id, by, |leave| {
                        let ok = step(&mut leave.stage, "granted", "suspended");
                        if ok {
                            leave.day = plus(day, days);
                        }
                        ok
                    })
            }
            Ask::Rectify(id) => self.leave(id, by, |leave| {
                step(&mut leave.stage, "suspended", "granted")
            }),
            Ask::Terminate { id, cause } => self.leave(id, by, |leave| {
                let ok = match leave.stage {
                    "granted" => matches!(cause, Cause::Misuse | Cause::Ordered),
                    "suspended" => cause != Cause::NotRectified || day > leave.day,
                    _ => false,
                };
                if ok {
                    leave.stage = "terminated";
                    let bars = matches!(cause, Cause::Misuse | Cause::NotRectified | Cause::Unsafe);
                    leave.barred = bars.then(|| months(day, 36));
                }
                ok
            }),
            Ask::Surrender(id) => self.leave(id, "", |leave| {
                let ok = Some(leave.operator) == house
                    && ["granted", "suspended"].contains(&leave.stage);
                if ok {
                    leave.stage = "terminated";
                }
                ok
            }),
            Ask::Expire(_) => false,
            Ask::ApplyScenario {
                id,
                licence,
                dataset,
            } => {
                let Some(leave) = self.licences.get(licence).cloned() else {
                    return false;
                };
                let data = self.open(dataset).is_some_and(|data| {
                    data.standing == "active"
                        && !data.prohibited
                        && SECTORS[dataset % 2] == leave.sector
                        && data.risk.map_or(self.pilot, |(level, until, mitigated)| {
                            level != "high"
                                && (level != "medium" || mitigated || self.pilot)
                                && day <= until
                        })
                });
                let ok = id == self.scenarios.len()
                    && leave.stage == "granted"
                    && house == Some(leave.operator)
                    && self.fit(leave.operator)
                    && data;
                if ok {
                    let found = BTreeSet::new();
                    self.scenarios.push(Use {
                        licence,
                        dataset,
                        stage: "applied",
                        found,
                        by,
                    });
                }
                ok
            }
            Ask::ReviewScenario { id, aspect } => self.used(id, by, |used| {
                let ok = used.stage == "applied" && used.found.insert(aspect);
                if ok && used.found.len() == 3 {
                    used.stage = "reviewed";
                }
                ok
            }),
            Ask::Approve(id) => {
                self.licensed(id)
                    && !self.is_shut(id)
                    && self.used(id, by, |used| step(&mut used.stage, "reviewed", "granted"))
            }
            Ask::RefuseScenario(id) => self.used(id, by, |used| {
                let open = ["applied", "reviewed"].contains(&used.stage);
                if open {
                    used.stage = "refused";
                }
                open
            }),
            Ask::SuspendScenario(id) => {
                self.used(id, by, |used| step(&mut used.stage, "granted", "suspended"))
            }
            Ask::Report(id) => {
                self.maker(id) == house
                    && house.is_some()
                    && self.used(id, "", |used| step(&mut used.stage, "granted", "suspended"))
            }
            Ask::Resume(id) => {
                self.licensed(id)
                    && !self.is_shut(id)
                    && self.used(id, by, |used| step(&mut used.stage, "suspended", "granted"))
            }
            Ask::Close(id) => {
                (house.is_none() || self.maker(id) == house)
                    && self.used(id, "", |used| {
                        let open = ["granted", "suspended"].contains(&used.stage);
                        if open {
                            used.stage = "closed";
                        }
                        open
                    })
            }
            Ask::Product {
                id,
                scenario,
                public,
                fee,
                valid,
                plan,
                report,
            } => {
                let maker = self.maker(scenario);
                let stands = self.scene(scenario) == "granted" && self.licensed(scenario);
                let ok = id == self.products.len()
                    && maker.is_some()
                    && maker == house
                    && stands
                    && maker.is_some_and(|maker| self.fit(maker))
                    && valid
                    && fee != public
                    && plan == report;
                if ok {
                    let found = Vec::new();
                    self.products.push(Ware {
                        scenario,
                        stage: "applied",
                        found,
                        by,
                        plan,
                    });
                }
                ok
            }
            Ask::ReviewProduct { id, aspect } => self.ware(id, by, |ware| {
                let again = ware
                    .found
                    .iter()
                    .any(|(known, who)| *known == aspect || *who == by);
                let ok = ware.stage == "applied" && !again;
                if ok {
                    ware.found.push((aspect, by));
                    let has = |wanted| ware.found.iter().any(|(known, _)| *known == wanted);
                    if has(Aspect::Security) && has(Aspect::Compliance) {
                        ware.stage = "granted";
                    }
                }
                ok
            }),
            Ask::RefuseProduct(id) => {
                self.ware(id, by, |ware| step(&mut ware.stage, "applied", "refused"))
            }
            Ask::Publish(id) => {
                let scenario = self.products.get(id).map(|ware| ware.scenario);
                scenario.and_then(|scenario| self.maker(scenario)) == house
                    && self.ware(id, "", |ware| step(&mut ware.stage, "granted", "published"))
            }
            Ask::Recall(id) => {
                let scenario = self.products.get(id).map(|ware| ware.scenario);
                let own = scenario.and_then(|scenario| self.maker(scenario)) == house;
                (house.is_none() || own)
                    && self.ware(id, "", |ware| {
                        let open = ["granted", "published"].contains(&ware.stage);
                        if open {
                            ware.stage = "recalled";
                        }
                        open
                    })
            }
            Ask::Object {
                id,
                licence,
                dataset,
            } => {
                let there = match licence {
                    Some(licence) => self.stage(licence) == "noticed",
                    None => self.datasets.get(dataset).is_some(),
                };
                let ok = id == self.objections.len() && there;
                if ok {
                    self.objections.push((licence, None, by));
                }
                ok
            }
            Ask::Answer { id, upheld } => match self.objections.get_mut(id) {
                Some((_, answer, lodger)) if answer.is_none() && *lodger != by => {
                    *answer = Some(upheld);
                    true
                }
                Some(_) | None => false,
            },
            Ask::Violation {
                id,
                operator,
                measure,
            } => {
                let ok = id == self.violations.len() && self.firms.contains_key(operator);
                if ok {
                    self.violations.push((operator, measure, false));
                }
                ok
            }
            Ask::Lift(id) => match self.violations.get_mut(id) {
                Some((.., lifted)) if !*lifted => {
                    *lifted = true;
                    true
                }
                Some(_) | None => false,
            },
            Ask::Destroy { licence, scenario } => {
                let (what, over) = match licence {
                    Some(l) => (format!("l-{l}"), self.stage(l) == "terminated"),
                    None => (format!("s-{scenario}"), self.scene(scenario) == "closed"),
                };
                let shut = licence.map_or(self.is_shut(scenario), |l| self.is_licence_shut(l));
                over && !shut && self.gone.insert(what)
            }
            Ask::Bring {
                id,
                scenario,
                dataset,
                operator,
                key,
                impact,
            } => {
                let ok = id == self.externals.len()
                    && house == Some(operator)
                    && key
                    && self.may_bring((scenario, dataset), operator, impact);
                if ok {
                    self.externals.push(Load {
                        scenario,
                        dataset,
                        operator,
                        impact,
                        stage: "applied",
                        found: Vec::new(),
                        by,
                    });
                }
                ok
            }
            Ask::Look {
                id,
                scrutiny,
                becomes,
            } => self.look(by, (id, scrutiny), becomes),
            Ask::TurnDown(id) | Ask::TakeBack(id) if self.lies_shut(id) => false,
            Ask::TurnDown(id) => match self.externals.get_mut(id) {
                Some(load) if load.by != by => step(&mut load.stage, "applied", "refused"),
                Some(_) | None => false,
            },
            Ask::TakeBack(id) => match self.externals.get_mut(id) {
                Some(load) if house == Some(load.operator) => {
                    step(&mut load.stage, "applied", "closed")
                }
                Some(_) | None => false,
            },
            Ask::Lapse(_) => false,
            Ask::Seal { unit, days } => {
                let there = match unit {
                    ("dataset", n) => n < self.datasets.len(),
                    ("scenario", n) => n < self.scenarios.len(),
                    (_, n) => n < self.licences.len(),
                };
                let ok = there && (0..=366).contains(&days) && !self.seals.contains_key(&unit);
                if ok {
                    let seal = Sealed {
                        until: plus(day, days),
                        asked: None,
                        approved: None,
                    };
                    self.seals.insert(unit, seal);
                }
                ok
            }
            Ask::ExtendSeal { unit, days } => {
                let until = plus(day, days);
                let grows = |seal: &&mut Sealed| seal.until < until && seal.asked.is_none();
                let seal = self.seals.get_mut(&unit).filter(grows);
                days <= 366
                    && seal.is_some_and(|seal| {
                        seal.until = until;
                        true
                    })
            }
            Ask::ReleaseSeal(unit) => {
                let over = |seal: &&mut Sealed| seal.until < day && seal.asked.is_none();
                let seal = self.seals.get_mut(&unit).filter(over);
                seal.is_some_and(|seal| {
                    seal.asked = Some(by);
                    true
                })
            }
            Ask::ApproveRelease(unit) => self.release(unit, (by, role)),
            Ask::CheckSeal(unit) => self.seals.contains_key(&unit),
        }
    }

    /// Two authorities, two people, neither of them who brought it; with the second it is inside.
    fn look(
        &mut self,
        by: Who,
        (id, scrutiny): (usize, Scrutiny),
        becomes: Option<(usize, u32)>,
    ) -> bool {
        let Some(load) = self.externals.get(id).cloned() else {
            return false;
        };
        let mut found = load.found.iter();
        let again = found.any(|(known, who)| *known == scrutiny || *who == by);
        if self.lies_shut(id) || load.by == by || load.stage != "applied" || again {
            return false;
        }
        if load.found.is_empty() {
            if becomes.is_none() {
                self.externals[id].found.push((scrutiny, by));
            }
            return becomes.is_none();
        }
        let states = self
            .inside
            .get(&load.dataset)
            .map_or(0, |inside| inside.states);
        let of = (load.scenario, load.dataset);
        let ok = becomes == Some((load.dataset, states + 1))
            && self.may_bring(of, load.operator, load.impact);
        if ok {
            let all = &mut self.externals[id];
            all.found.push((scrutiny, by));
            all.stage = "granted";
            let inside = Inside {
                operator: load.operator,
                scenario: load.scenario,
                impact: load.impact,
                states: states + 1,
            };
            self.inside.insert(load.dataset, inside);
        }
        ok
    }

    fn licensed(&self, scenario: usize) -> bool {
        let licence = self.scenarios.get(scenario).map(|used| used.licence);
        licence.is_some_and(|licence| self.stage(licence) == "granted")
    }

    /// Whether anybody but this one can vet.
    fn others_who_vet(&self, who: Who) -> bool {
        self.people.iter().any(|(other, man)| {
            let holds = man.certificate.is_some();
            *other != who && man.guards && man.vetted && holds && man.standing == "active"
        })
    }

    fn vouch(&mut self, who: Who, role: &'static str) -> bool {
        let Some(man) = self.known(who).cloned() else {
            return false;
        };
        let unfit = !man.guards || man.vetted || man.certificate.is_none();
        if unfit || self.others_who_vet(who) {
            return false;
        }
        match self.vouched.get(who) {
            Some((first, of)) if *of == man.renewed => {
                *first != role
                    && self.man(who, |man| {
                        man.vetted = true;
                        true
                    })
            }
            _ => {
                self.vouched.insert(who, (role, man.renewed));
                true
            }
        }
    }

    fn man(&mut self, who: Who, change: impl FnOnce(&mut Man) -> bool) -> bool {
        let man = self
            .people
            .get_mut(who)
            .filter(|man| man.standing != "ended");
        man.is_some_and(change)
    }

    fn firm(&mut self, operator: Who, change: impl FnOnce(&mut Firm) -> bool) -> bool {
        self.firms.get_mut(operator).is_some_and(change)
    }

    fn data(&mut self, dataset: usize, change: impl FnOnce(&mut Data) -> bool) -> bool {
        let data = self.datasets.get_mut(dataset);
        data.filter(|data| data.standing != "ended")
            .is_some_and(change)
    }

    /// Of another's application: nobody decides on their own.
    fn leave(&mut self, id: usize, by: Who, change: impl FnOnce(&mut Leave) -> bool) -> bool {
        let leave = self.licences.get_mut(id).filter(|leave| leave.by != by);
        leave.is_some_and(change)
    }

    fn used(&mut self, id: usize, by: Who, change: impl FnOnce(&mut Use) -> bool) -> bool {
        let used = self.scenarios.get_mut(id).filter(|used| used.by != by);
        used.is_some_and(change)
    }

    fn ware(&mut self, id: usize, by: Who, change: impl FnOnce(&mut Ware) -> bool) -> bool {
        let ware = self.products.get_mut(id).filter(|ware| ware.by != by);
        ware.is_some_and(change)
    }

    /// What stands, in words.
    pub(super) fn told(&self) -> Vec<String> {
        let mut all = Vec::new();
        for who in NEWCOMERS
            .iter()
            .map(|(who, _)| *who)
            .chain(PEOPLE.iter().map(|(who, ..)| *who))
        {
            if let Some(man) = self.people.get(who) {
                let holds = man.certificate.is_some();
                all.push(format!("{who} {} {} {holds}", man.vetted, man.standing));
            }
        }
        for (id, firm) in &self.firms {
            all.push(format!(
                "{id} {} {} {}",
                firm.officer, firm.plan, firm.failed
            ));
        }
        for (number, data) in self.datasets.iter().enumerate() {
            let regrading = data.regrading.is_some();
            let Data {
                standing,
                prohibited,
                grade,
                ..
            } = data;
            all.push(format!(
                "{} {standing} {prohibited} {grade} {regrading}",
                name(number)
            ));
        }
        for (number, leave) in self.licences.iter().enumerate() {
            all.push(format!("l-{number} {} {:?}", leave.stage, leave.barred));
        }
        for (number, used) in self.scenarios.iter().enumerate() {
            all.push(format!("s-{number} {} {}", used.stage, used.found.len()));
        }
        for (number, ware) in self.products.iter().enumerate() {
            let releases = ware.plan && ["granted", "published"].contains(&ware.stage);
            let found = ware.found.len();
            all.push(format!("p-{number} {} {found} {releases}", ware.stage));
        }
        for (number, load) in self.externals.iter().enumerate() {
            all.push(format!("x-{number} {} {}", load.stage, load.found.len()));
        }
        for (number, inside) in &self.inside {
            let Inside {
                operator,
                scenario,
                states,
                ..
            } = inside;
            all.push(format!(
                "{} {operator} s-{scenario} {states} {states}",
                outside(*number)
            ));
        }
        let answers = self
            .objections
            .iter()
            .map(|(_, answer, _)| format!("{answer:?}"));
        let lifted = self
            .violations
            .iter()
            .map(|(.., lifted)| format!("{lifted}"));
        all.extend(answers.chain(lifted));
        all.push(self.gone.len().to_string());
        all.extend(self.seals_told());
        all
    }

    fn seals_told(&self) -> Vec<String> {
        let seals = self.seals.iter().map(|(of, seal)| {
            let (asked, approved) = (seal.asked.is_some(), seal.approved.is_some());
            format!("{} {} {asked} {approved}", unit(*of), seal.until)
        });
        let mut seals: Vec<String> = seals.collect();
        seals.sort();
        seals
    }
}

/// From one word to another, or not.
fn step(word: &mut &'static str, from: &str, to: &'static str) -> bool {
    let ok = *word == from;
    if ok {
        *word = to;
    }
    ok
}

/// What stands in the register, in the same words.
pub(super) fn seen(state: &State) -> Vec<String> {
    let mut all = seen_people(state);
    all.extend(seen_catalogue(state));
    all.extend(seen_courses(state));
    all.extend(seen_outside(state));
    all.extend(numbered("o", |id| {
        let answer = state.objection(&id.parse().unwrap())?.answer.as_ref();
        Some(format!("{:?}", answer.map(|answer| answer.upheld)))
    }));
    all.extend(numbered("v", |id| {
        let lifted = state.violation(&id.parse().unwrap())?.lifted;
        Some(lifted.is_some().to_string())
    }));
    let licences = state
        .licences()
        .map(|l| Disposed::Licence(l.licence.id.clone()));
    let scenarios = state
        .scenarios()
        .map(|s| Disposed::Scenario(s.scenario.id.clone()));
    let gone = licences
        .chain(scenarios)
        .filter(|of| state.destroyed(of).is_some());
    all.push(gone.count().to_string());
    let seals = state.seals().all().map(|(of, seal)| {
        let release = seal.release.as_ref();
        let approved = release.is_some_and(|release| release.approved.is_some());
        format!("{of} {} {} {approved}", seal.until, release.is_some())
    });
    let mut seals: Vec<String> = seals.collect();
    seals.sort();
    all.extend(seals);
    all
}

/// What each says of itself, by number, as long as there is one.
fn numbered(letter: &str, told: impl Fn(String) -> Option<String>) -> Vec<String> {
    (0..)
        .map_while(|number| told(format!("{letter}-{number}")))
        .collect()
}

fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "active",
        Standing::Suspended => "suspended",
        Standing::Ended => "ended",
    }
}

fn seen_people(state: &State) -> Vec<String> {
    let newcomers = NEWCOMERS.iter().map(|(who, _)| *who);
    let people = newcomers.chain(PEOPLE.iter().map(|(who, ..)| *who));
    let people = people.filter_map(|who| {
        let id = who.parse().unwrap();
        let person = state.person(&id)?;
        let holds = state.certificate(&id).is_some();
        let standing = word(person.standing);
        Some(format!("{who} {} {standing} {holds}", person.vetted))
    });
    let firms = OPERATORS.iter().filter_map(|id| {
        let firm = state.operator(&id.parse().unwrap())?;
        let officer = firm.security_officer.is_some();
        Some(format!(
            "{id} {officer} {} {}",
            firm.emergency_plan, firm.assessment_failed
        ))
    });
    people.chain(firms).collect()
}

fn seen_catalogue(state: &State) -> Vec<String> {
    let seen = |number| {
        let id = name(number).parse().unwrap();
        let data = state.dataset(&id)?;
        let (standing, regrading) = (word(data.standing), state.regrading(&id).is_some());
        let (prohibited, grade) = (data.prohibited.is_some(), data.grade().number());
        Some(format!("{id} {standing} {prohibited} {grade} {regrading}"))
    };
    (0..).map_while(seen).collect()
}

/// What came in, as the catalogue has it, as its scenario lists it, and as it is seen there.
fn seen_outside(state: &State) -> Vec<String> {
    let mut all = numbered("x", |id| {
        let load = state.external(&id.parse().unwrap())?;
        let (stage, found) = (load.stage.word(), load.course.reviews.len());
        Some(format!("{id} {stage} {found}"))
    });
    all.extend((0..3).filter_map(|number| {
        let name = outside(number).parse().unwrap();
        let dataset = state.dataset(&name)?;
        let (bound, newest) = (dataset.bound.as_ref()?, state.snapshot(&name)?.number);
        let standing = state.scenario(bound)?;
        let mut listed = standing.scenario.datasets.iter();
        assert!(listed.any(|wanted| wanted.name == name));
        let seen = standing.pinned[&name];
        Some(format!(
            "{name} {} {bound} {newest} {seen}",
            dataset.provider
        ))
    }));
    all
}

fn seen_courses(state: &State) -> Vec<String> {
    let mut all = numbered("l", |id| {
        let leave = state.licence(&id.parse().unwrap())?;
        Some(format!(
            "{id} {} {:?}",
            leave.stage.word(),
            leave.course.barred_until
        ))
    });
    all.extend(numbered("s", |id| {
        let used = state.scenario(&id.parse().unwrap())?;
        Some(format!(
            "{id} {} {}",
            used.stage.word(),
            used.course.reviews.len()
        ))
    }));
    all.extend(numbered("p", |id| {
        let ware = state.product(&id.parse().unwrap())?;
        let plan = Digest::of(id.replace('p', "plan").as_bytes());
        let released = state.product_releasing(&ware.product.scenario, plan);
        Some(format!(
            "{id} {} {} {}",
            ware.stage.word(),
            ware.course.reviews.len(),
            released.is_some()
        ))
    }));
    all
}
