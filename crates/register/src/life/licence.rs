use super::{
    Applied, At, Expired, Granted, Noticed, OfLicence, Refused, Reviewed, Suspended, Terminated,
};
use chrono::{Months, NaiveDate};
use terms::{Cause, Course, Review};

/// How long an operator may not apply after a revocation, in months. Source: AO-10.
const BARRED_MONTHS: u32 = 36;

impl At<OfLicence, Applied> {
    /// 审核. Source: AO-9.
    #[must_use]
    pub fn review(self, review: Review, due: NaiveDate) -> At<OfLicence, Reviewed> {
        let on = review.on;
        let mut course = self.course.stepped(on);
        course.reviews.push(review);
        let due = Some(due);
        Self::step(Course { due, ..course })
    }

    /// 不予批准. Source: PD-24.
    #[must_use]
    pub fn refuse(self, on: NaiveDate) -> At<OfLicence, Refused> {
        Self::step(self.course.stepped(on))
    }
}

impl At<OfLicence, Reviewed> {
    /// 公示. Source: AO-9.
    #[must_use]
    pub fn notice(self, on: NaiveDate, until: NaiveDate) -> At<OfLicence, Noticed> {
        let course = self.course.stepped(on);
        let notice_until = Some(until);
        Self::step(Course {
            notice_until,
            ..course
        })
    }

    /// 不予批准. Source: PD-24.
    #[must_use]
    pub fn refuse(self, on: NaiveDate) -> At<OfLicence, Refused> {
        Self::step(self.course.stepped(on))
    }
}

impl At<OfLicence, Noticed> {
    /// The last day of the public notice; a notice without one never ends.
    #[must_use]
    pub fn notice_until(&self) -> NaiveDate {
        self.course.notice_until.unwrap_or(NaiveDate::MAX)
    }

    /// 审定. Source: AO-9.
    #[must_use]
    pub fn grant(self, on: NaiveDate) -> At<OfLicence, Granted> {
        Self::step(self.course.stepped(on))
    }

    /// 不予批准. Source: PD-24.
    #[must_use]
    pub fn refuse(self, on: NaiveDate) -> At<OfLicence, Refused> {
        Self::step(self.course.stepped(on))
    }
}

impl At<OfLicence, Granted> {
    /// 暂停并责令限期整改. Source: AO-10.
    #[must_use]
    pub fn suspend(
        self,
        cause: Cause,
        on: NaiveDate,
        rectify_by: NaiveDate,
    ) -> At<OfLicence, Suspended> {
        let course = self.course.stepped(on);
        Self::step(Course {
            cause: Some(cause),
            rectify_by: Some(rectify_by),
            ..course
        })
    }

    /// 撤销. Source: AO-10.
    #[must_use]
    pub fn terminate(self, cause: Cause, on: NaiveDate) -> At<OfLicence, Terminated> {
        Self::step(ended(self.course, cause, on))
    }

    /// 到期. Source: AO-11.
    #[must_use]
    pub fn expire(self, on: NaiveDate) -> At<OfLicence, Expired> {
        Self::step(self.course.stepped(on))
    }
}

impl At<OfLicence, Suspended> {
    /// The last day for rectification; where none was set it is over.
    #[must_use]
    pub fn rectify_by(&self) -> NaiveDate {
        self.course.rectify_by.unwrap_or(NaiveDate::MIN)
    }

    /// 整改完成. Source: AO-10.
    #[must_use]
    pub fn rectify(self, on: NaiveDate) -> At<OfLicence, Granted> {
        Self::step(self.course.stepped(on))
    }

    /// 终止. Source: AO-10.
    #[must_use]
    pub fn terminate(self, cause: Cause, on: NaiveDate) -> At<OfLicence, Terminated> {
        Self::step(ended(self.course, cause, on))
    }

    /// 到期. Source: AO-11.
    #[must_use]
    pub fn expire(self, on: NaiveDate) -> At<OfLicence, Expired> {
        Self::step(self.course.stepped(on))
    }
}

/// A cause that bars keeps the operator from applying for three years.
fn ended(course: Course, cause: Cause, on: NaiveDate) -> Course {
    let until = on.checked_add_months(Months::new(BARRED_MONTHS));
    Course {
        cause: Some(cause),
        barred_until: until.filter(|_| cause.bars()),
        ..course.stepped(on)
    }
}
