use super::Asked;
use crate::{
    State, Unlawful,
    life::{Applied, At, Granted, HasLife, IsStage, Noticed, OfLicence, Reviewed, Suspended},
};
use chrono::{Months, NaiveDate};
use terms::{
    Against, Announcement, Aspect, Cause, Course, Event, Licence, LicenceId, Measure, OperatorId,
    Review, Stage,
};

/// Working days a public notice lasts at least. The rules leave it open; five is the usual.
const NOTICE_DAYS_MIN: u32 = 5;
/// How long before the end another term is applied for, in months. Source: AO-10.
const RENEWAL_MONTHS: u32 = 3;
/// What an application reports. Source: AO-11.
const DOCUMENTS: [&str; 3] = ["returns", "security", "disposal"];

impl State {
    /// 通告. Source: AO-9.
    pub(super) fn announce(
        &self,
        asked: Asked<'_>,
        announcement: Announcement,
    ) -> Result<Event, Unlawful> {
        let place = format!("announcement `{}`", announcement.id);
        let refuse = |code, what: &str| Err(Unlawful::new(code, place.clone(), what, "AO-9"));
        if self.announcement(&announcement.id).is_some() {
            let what = "a call of this id exists already";
            return refuse("register.announcement-exists", what);
        }
        if announcement.until < announcement.from.max(asked.today) {
            let what = "the time for applications is over before it begins";
            return refuse("register.term", what);
        }
        let by = asked.by.id.clone();
        Ok(Event::LicencesAnnounced { by, announcement })
    }

    /// A member of the operator applies; the term is at most two years. Source: AO-8..11.
    pub(super) fn apply_licence(
        &self,
        asked: Asked<'_>,
        licence: Licence,
    ) -> Result<Event, Unlawful> {
        let place = format!("licence `{}`", licence.id);
        let refuse =
            |code, what: &str, clause| Err(Unlawful::new(code, place.clone(), what, clause));
        if self.licence(&licence.id).is_some() {
            return refuse(
                "register.licence-exists",
                "a licence of this id exists already",
                "AO-9",
            );
        }
        let Some(operator) = self.operator(&licence.operator) else {
            return refuse(
                "register.no-operator",
                "register its operator first",
                "AO-7",
            );
        };
        if asked.by.operator().as_ref() != Some(&licence.operator) {
            return refuse(
                "register.not-own",
                "only a member of the operator applies",
                "AO-9",
            );
        }
        if !operator.emergency_plan {
            return refuse(
                "register.no-emergency-plan",
                "file the emergency plan first",
                "AO-26",
            );
        }
        if operator.security_officer.is_none() {
            let what = "name a data security officer first";
            return refuse("register.no-security-officer", what, "AO-7");
        }
        if !licence.term_is_lawful() {
            let what = "the term is at most two years and ends after it begins";
            return refuse("register.term", what, "AO-11");
        }
        self.judge_standing(&licence.operator, asked.today, &place)?;
        self.judge_occasion(&licence, asked.today, &place)?;
        let missing = DOCUMENTS.iter().find(|kind| {
            let mut documents = licence.documents.iter();
            !documents.any(|known| known.kind == **kind)
        });
        if let Some(missing) = missing.filter(|_| !self.pilot()) {
            let what = format!("the application reports `{missing}` too");
            return refuse("register.document-missing", &what, "AO-11");
        }
        Ok(Event::LicenceStep {
            by: asked.by.id.clone(),
            stage: Stage::Applied,
            licence,
            course: self.applied(asked.today),
        })
    }

    /// An operator that may apply for anything: not barred, not restricted, not failed.
    pub(super) fn judge_standing(
        &self,
        operator: &OperatorId,
        today: NaiveDate,
        place: &str,
    ) -> Result<(), Unlawful> {
        let refuse = |code, what: String, clause| Err(Unlawful::new(code, place, what, clause));
        let barred = self.licences_of(operator);
        let barred = barred.filter_map(|standing| standing.course.barred_until);
        if let Some(until) = barred.max().filter(|until| today <= *until) {
            let what = format!("the operator is barred until {until}");
            return refuse("register.barred", what, "AO-10");
        }
        let restricts = |measure| matches!(measure, Measure::Restricted | Measure::Closed);
        if self.measures(operator).any(restricts) {
            let what = "the operator is restricted for a violation".to_owned();
            return refuse("register.restricted", what, "OD-1");
        }
        let failed = self
            .operator(operator)
            .is_some_and(|operator| operator.assessment_failed);
        if failed {
            let what = "the operator failed its last assessment".to_owned();
            return refuse("register.assessment-failed", what, "AO-29");
        }
        Ok(())
    }

    /// An application answers a call, or goes on from a licence in its last months. Source: AO-9, AO-10.
    fn judge_occasion(
        &self,
        licence: &Licence,
        today: NaiveDate,
        place: &str,
    ) -> Result<(), Unlawful> {
        let refuse = |code, what: &str, clause| Err(Unlawful::new(code, place, what, clause));
        if let Some(before) = &licence.renews {
            let before = self.licence(before).filter(|before| {
                before.licence.operator == licence.operator && before.stage == Stage::Granted
            });
            let Some(before) = before else {
                let what = "a licence goes on from a granted one of the same operator";
                return refuse("register.no-licence", what, "AO-10");
            };
            let end = before.licence.until;
            let window = end.checked_sub_months(Months::new(RENEWAL_MONTHS));
            if today > end || window.is_none_or(|window| today < window) {
                let what = "another term is applied for in the last three months";
                return refuse("register.renewal-window", what, "AO-10");
            }
            if licence.from <= end {
                let what = "another term begins when the one before is over";
                return refuse("register.term", what, "AO-11");
            }
            return Ok(());
        }
        let Some(call) = &licence.announcement else {
            if self.pilot() {
                return Ok(());
            }
            let what = "name the call it answers, or the licence it goes on from";
            return refuse("register.no-announcement", what, "AO-9");
        };
        let call = self.announcement(call).filter(|call| {
            call.calls_for(&licence.mode) && (call.from..=call.until).contains(&today)
        });
        if call.is_none() {
            let what = "no such call is open for this mode and these sectors";
            return refuse("register.no-announcement", what, "AO-9");
        }
        Ok(())
    }

    /// 审核. Source: AO-9.
    pub(super) fn review_licence(
        &self,
        asked: Asked<'_>,
        id: &LicenceId,
    ) -> Result<Event, Unlawful> {
        let (licence, at) = self.licence_at::<Applied>(id)?;
        let review = asked.review(Aspect::Compliance);
        let due = self.calendar().after(asked.today, super::ANSWER_DAYS);
        Ok(step(asked, licence, at.review(review, due).told()))
    }

    /// 公示. Source: AO-9.
    pub(super) fn notice_licence(
        &self,
        asked: Asked<'_>,
        id: &LicenceId,
        until: NaiveDate,
    ) -> Result<Event, Unlawful> {
        let (licence, at) = self.licence_at::<Reviewed>(id)?;
        let days = if self.pilot() { 0 } else { NOTICE_DAYS_MIN };
        let earliest = self.calendar().after(asked.today, days);
        if until < earliest {
            let what = format!("the notice lasts until {earliest} at least");
            return refused("register.notice", id, what);
        }
        Ok(step(asked, licence, at.notice(asked.today, until).told()))
    }

    /// 审定: after the notice, with no objection open or upheld. Source: AO-9.
    pub(super) fn grant_licence(
        &self,
        asked: Asked<'_>,
        id: &LicenceId,
    ) -> Result<Event, Unlawful> {
        let (licence, at) = self.licence_at::<Noticed>(id)?;
        let until = at.notice_until();
        let over = asked.today > until || (self.pilot() && asked.today == until);
        if !over {
            let what = format!("the notice lasts until {until}");
            return refused("register.notice", id, what);
        }
        let mut objections = self
            .objections()
            .filter(|o| matches!(&o.against, Against::Licence { licence } if licence == id));
        if objections.any(|o| o.answer.as_ref().is_none_or(|answer| answer.upheld)) {
            let what = "an objection is open or was right; answer it, or refuse the application";
            return refused("register.objection", id, what.to_owned());
        }
        self.judge_standing(&licence.operator, asked.today, &format!("licence `{id}`"))?;
        Ok(step(asked, licence, at.grant(asked.today).told()))
    }

    /// 不予批准, before it is granted. Source: PD-24.
    pub(super) fn refuse_licence(
        &self,
        asked: Asked<'_>,
        id: &LicenceId,
    ) -> Result<Event, Unlawful> {
        let on = asked.today;
        let stage = self.licence(id).map(|standing| standing.stage);
        let (licence, told) = match stage {
            Some(Stage::Reviewed) => {
                let (licence, at) = self.licence_at::<Reviewed>(id)?;
                (licence, at.refuse(on).told())
            }
            Some(Stage::Noticed) => {
                let (licence, at) = self.licence_at::<Noticed>(id)?;
                (licence, at.refuse(on).told())
            }
            Some(_) | None => {
                let (licence, at) = self.licence_at::<Applied>(id)?;
                (licence, at.refuse(on).told())
            }
        };
        Ok(step(asked, licence, told))
    }

    /// 暂停并责令限期整改. Source: AO-10.
    pub(super) fn suspend_licence(
        &self,
        asked: Asked<'_>,
        id: &LicenceId,
        (cause, rectify_by): (Cause, NaiveDate),
    ) -> Result<Event, Unlawful> {
        let (licence, at) = self.licence_at::<Granted>(id)?;
        if rectify_by < asked.today {
            let what = "the day for rectification is over already".to_owned();
            return refused("register.term", id, what);
        }
        let at = at.suspend(cause, asked.today, rectify_by);
        Ok(step(asked, licence, at.told()))
    }

    /// 整改完成. Source: AO-10.
    pub(super) fn accept_rectification(
        &self,
        asked: Asked<'_>,
        id: &LicenceId,
    ) -> Result<Event, Unlawful> {
        let (licence, at) = self.licence_at::<Suspended>(id)?;
        Ok(step(asked, licence, at.rectify(asked.today).told()))
    }

    /// 终止: what was not rectified in time, and at any time what broke law or agreement.
    /// Source: AO-10.
    pub(super) fn terminate_licence(
        &self,
        asked: Asked<'_>,
        id: &LicenceId,
        cause: Cause,
    ) -> Result<Event, Unlawful> {
        let on = asked.today;
        if self.licence(id).map(|s| s.stage) == Some(Stage::Granted) {
            let (licence, at) = self.licence_at::<Granted>(id)?;
            if !matches!(cause, Cause::Misuse | Cause::Unlawful | Cause::Ordered) {
                let what = "suspend it first and set a day for rectification".to_owned();
                return refused("register.not-suspended", id, what);
            }
            return Ok(step(asked, licence, at.terminate(cause, on).told()));
        }
        let (licence, at) = self.licence_at::<Suspended>(id)?;
        if cause == Cause::NotRectified && on <= at.rectify_by() {
            let what = format!("there is time for rectification until {}", at.rectify_by());
            return refused("register.rectification", id, what);
        }
        Ok(step(asked, licence, at.terminate(cause, on).told()))
    }

    /// The operator gives it back.
    pub(super) fn surrender_licence(
        &self,
        asked: Asked<'_>,
        id: &LicenceId,
    ) -> Result<Event, Unlawful> {
        let on = asked.today;
        let own = |licence: &Licence| {
            if asked.by.operator().as_ref() == Some(&licence.operator) {
                return Ok(());
            }
            let what = "only a member of the operator gives it back".to_owned();
            refused("register.not-own", id, what)
        };
        if self.licence(id).map(|s| s.stage) == Some(Stage::Suspended) {
            let (licence, at) = self.licence_at::<Suspended>(id)?;
            own(&licence)?;
            let at = at.terminate(Cause::Surrendered, on);
            return Ok(step(asked, licence, at.told()));
        }
        let (licence, at) = self.licence_at::<Granted>(id)?;
        own(&licence)?;
        let at = at.terminate(Cause::Surrendered, on);
        Ok(step(asked, licence, at.told()))
    }

    /// 到期. Source: AO-11.
    pub(super) fn expire_licence(
        &self,
        asked: Asked<'_>,
        id: &LicenceId,
    ) -> Result<Event, Unlawful> {
        let standing = self.licence(id);
        if standing.is_some_and(|standing| standing.licence.until >= asked.today) {
            let what = "its term is not over".to_owned();
            return refused("register.term", id, what);
        }
        if standing.map(|standing| standing.stage) == Some(Stage::Suspended) {
            let (licence, at) = self.licence_at::<Suspended>(id)?;
            return Ok(step(asked, licence, at.expire(asked.today).told()));
        }
        let (licence, at) = self.licence_at::<Granted>(id)?;
        Ok(step(asked, licence, at.expire(asked.today).told()))
    }

    /// The licence of this id, taken up at a stage.
    fn licence_at<S: IsStage>(
        &self,
        id: &LicenceId,
    ) -> Result<(Licence, At<OfLicence, S>), Unlawful> {
        let place = format!("licence `{id}`");
        let Some(standing) = self.licence(id) else {
            let what = "there is no application for it";
            let clause = OfLicence::CLAUSE;
            return Err(Unlawful::new("register.no-licence", place, what, clause));
        };
        let at = At::of(standing.stage, standing.course.clone(), &place)?;
        Ok((standing.licence.clone(), at))
    }
}

impl Asked<'_> {
    /// A review by who asks, of today.
    pub(super) fn review(&self, aspect: Aspect) -> Review {
        Review {
            by: self.by.id.clone(),
            aspect,
            on: self.today,
        }
    }
}

fn step(asked: Asked<'_>, licence: Licence, (stage, course): (Stage, Course)) -> Event {
    Event::LicenceStep {
        by: asked.by.id.clone(),
        stage,
        licence,
        course,
    }
}

fn refused<T>(code: &'static str, id: &LicenceId, what: String) -> Result<T, Unlawful> {
    let place = format!("licence `{id}`");
    Err(Unlawful::new(code, place, what, "AO-10"))
}

#[cfg(test)]
mod tests;
