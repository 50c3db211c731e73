use super::State;
use crate::Command;
use chrono::NaiveDate;
use terms::{Against, DerivedEnd, Disposed, Stage, Standing};

/// Something that somebody owes since a day.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Overdue {
    /// What is owed.
    pub owed: Owed,
    /// Of what: `licence/l-1`.
    pub of: String,
    /// The last day on which it would have been in time.
    pub due: NaiveDate,
}

/// What is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owed {
    /// The authority's next step on an application. Source: PD-24.
    Answer,
    /// The authority's answer to a proposed entry or grade. Source: PD-14.
    Confirmation,
    /// What was to be put right. Source: AO-10.
    Rectification,
    /// A drill of the emergency plan. Source: AO-26.
    Drill,
    /// A document in place of one that is over. Source: AO-7, AO-29.
    Evidence,
    /// The yearly risk assessment. Source: RA-5.
    RiskAssessment,
    /// The destruction of what ended. Source: AO-19.
    Destruction,
    /// A release or a later day of a seal whose day is over: it opens by itself for nobody. Source: AO-3.
    Seal,
    /// A second of the security authority: where the only one loses their key, nobody vets. Source: AO-6.
    SecondSecurityAuthority,
}

impl State {
    /// What only waits for the clock: terms that are over by this day. Source: AO-11.
    #[must_use]
    pub fn due(&self, today: NaiveDate) -> Vec<Command> {
        let over = self.licences().filter(|standing| {
            matches!(standing.stage, Stage::Granted | Stage::Suspended)
                && standing.licence.until < today
        });
        let over = over.map(|standing| Command::ExpireLicence(standing.licence.id.clone()));
        let unanswered = self.externals().filter(|standing| {
            let external = &standing.external;
            let is_over = standing.stage == Stage::Applied && external.until < today;
            is_over && self.judge_open(external).is_ok()
        });
        let unanswered =
            unanswered.map(|standing| Command::ExpireExternal(standing.external.id.clone()));
        over.chain(unanswered).chain(self.kept_due(today)).collect()
    }

    /// The kept results whose time is over, or whose scenario is.
    fn kept_due(&self, today: NaiveDate) -> impl Iterator<Item = Command> {
        self.kept().filter_map(move |derived| {
            let end = if self.is_left_over(derived) {
                DerivedEnd::ScenarioEnded
            } else if derived.until < today {
                DerivedEnd::Expired
            } else {
                return None;
            };
            let dataset = derived.stored_as();
            // What is sealed is kept beyond its time.
            if self.seals().holds_snapshot(&dataset, derived.number) {
                return None;
            }
            Some(Command::EndDerived { dataset, end })
        })
    }

    /// Everything somebody owes by this day, the longest owed first.
    #[must_use]
    pub fn overdue(&self, today: NaiveDate) -> Vec<Overdue> {
        let mut all = self.applications_overdue();
        all.extend(self.catalogue_overdue());
        all.extend(self.operators_overdue());
        all.extend(self.seals().all().map(|(unit, seal)| Overdue {
            owed: Owed::Seal,
            of: unit.to_string(),
            due: seal.until,
        }));
        all.retain(|overdue| overdue.due < today);
        all.extend(self.undestroyed());
        all.extend(self.vetter_missing(today));
        all.sort_by(|a, b| (a.due, a.owed, &a.of).cmp(&(b.due, b.owed, &b.of)));
        all
    }

    fn applications_overdue(&self) -> Vec<Overdue> {
        let mut all = Vec::new();
        let mut answer = |of: String, due: Option<NaiveDate>| {
            let owed = Owed::Answer;
            all.extend(due.map(|due| Overdue { owed, of, due }));
        };
        for standing in self.licences() {
            answer(
                format!("licence/{}", standing.licence.id),
                standing.course.due,
            );
        }
        for standing in self.scenarios() {
            let of = format!("scenario/{}", standing.scenario.id);
            answer(of, standing.course.due);
        }
        for standing in self.products() {
            answer(
                format!("product/{}", standing.product.id),
                standing.course.due,
            );
        }
        for standing in self.externals() {
            answer(
                format!("external/{}", standing.external.id),
                standing.course.due,
            );
        }
        for objection in self.objections().filter(|o| o.answer.is_none()) {
            let of = match &objection.against {
                Against::Item { dataset, item } => format!("dataset/{dataset}/{item}"),
                Against::Licence { licence } => format!("licence/{licence}"),
            };
            let of = format!("objection/{} ({of})", objection.id);
            answer(of, Some(objection.due));
        }
        let suspended = self.licences().filter(|s| s.stage == Stage::Suspended);
        all.extend(suspended.filter_map(|standing| {
            Some(Overdue {
                owed: Owed::Rectification,
                of: format!("licence/{}", standing.licence.id),
                due: standing.course.rectify_by?,
            })
        }));
        all
    }

    fn catalogue_overdue(&self) -> Vec<Overdue> {
        let proposed = self.procedure.proposed.iter();
        let proposed = proposed.map(|(name, (_, _, due))| (name, *due));
        let regrading = self.procedure.regrading.iter();
        let regrading = regrading.map(|(name, (_, proposal))| (name, proposal.due));
        let confirmations = proposed.chain(regrading).map(|(name, due)| Overdue {
            owed: Owed::Confirmation,
            of: format!("dataset/{name}"),
            due,
        });
        let open = self.datasets().filter(|d| d.standing != Standing::Ended);
        let risks = open.filter_map(|dataset| {
            Some(Overdue {
                owed: Owed::RiskAssessment,
                of: format!("dataset/{}", dataset.name),
                due: dataset.risk.as_ref()?.until,
            })
        });
        confirmations.chain(risks).collect()
    }

    fn operators_overdue(&self) -> Vec<Overdue> {
        let mut all = Vec::new();
        for operator in self.operators() {
            let of = format!("operator/{}", operator.id);
            let owed = Owed::Drill;
            all.extend(operator.drill_until.map(|due| Overdue {
                owed,
                of: of.clone(),
                due,
            }));
            all.extend(operator.evidence.iter().map(|evidence| Overdue {
                owed: Owed::Evidence,
                of: format!("{of}/{}", evidence.kind),
                due: evidence.until,
            }));
        }
        all
    }

    /// Where fewer than two can vet, a second is owed from today on, whatever the day. In a pilot whoever is
    /// enrolled may be vetted already.
    fn vetter_missing(&self, today: NaiveDate) -> Option<Overdue> {
        let name = self.name()?;
        let is_missing = !self.pilot() && self.vetters().nth(1).is_none();
        is_missing.then(|| Overdue {
            owed: Owed::SecondSecurityAuthority,
            of: format!("domain/{name}"),
            due: today,
        })
    }

    /// What ended and is not destroyed; owed from the day it ended. Source: AO-11, AO-19.
    fn undestroyed(&self) -> Vec<Overdue> {
        let licences = self
            .licences()
            .filter(|standing| matches!(standing.stage, Stage::Terminated | Stage::Expired));
        let licences = licences.map(|standing| {
            let of = Disposed::Licence(standing.licence.id.clone());
            (of, standing.course.since)
        });
        let scenarios = self.scenarios().filter(|s| s.stage == Stage::Closed);
        let scenarios = scenarios.map(|standing| {
            let of = Disposed::Scenario(standing.scenario.id.clone());
            (of, standing.course.since)
        });
        let ended = licences.chain(scenarios);
        let owed = ended.filter(|(of, _)| self.destroyed(of).is_none());
        owed.map(|(of, since)| Overdue {
            owed: Owed::Destruction,
            of: super::disposed(&of),
            due: since.unwrap_or_default(),
        })
        .collect()
    }
}
