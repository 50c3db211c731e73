use super::{Applied, At, Closed, Expired, Granted, OfExternal, Refused};
use chrono::NaiveDate;
use terms::{Cause, Course, Review, Scrutiny};

/// Data in quarantine after a review: found in order by both authorities, or not yet.
#[derive(Debug)]
pub enum AfterReview {
    /// By one.
    Applied(At<OfExternal, Applied>),
    /// By both: it comes in.
    Granted(At<OfExternal, Granted>),
}

/// Whether a further review would be the last that is owed.
pub(crate) fn is_last(course: &Course, scrutiny: Scrutiny) -> bool {
    let others = Scrutiny::ALL.into_iter().filter(|other| *other != scrutiny);
    others
        .into_iter()
        .all(|other| course.is_reviewed(other.aspect()))
}

impl At<OfExternal, Applied> {
    /// 审核 by one authority. Source: AO-16(3).
    #[must_use]
    pub fn review(self, (scrutiny, review): (Scrutiny, Review)) -> AfterReview {
        let (owed, last) = (self.course.due, is_last(&self.course, scrutiny));
        let mut course = self.course.stepped(review.on);
        course.reviews.push(review);
        if last {
            AfterReview::Granted(Self::step(course))
        } else {
            let due = owed;
            AfterReview::Applied(Self::step(Course { due, ..course }))
        }
    }

    /// 不予批准. Source: PD-24.
    #[must_use]
    pub fn refuse(self, on: NaiveDate) -> At<OfExternal, Refused> {
        Self::step(self.course.stepped(on))
    }

    /// Taken back by the operator.
    #[must_use]
    pub fn withdraw(self, on: NaiveDate) -> At<OfExternal, Closed> {
        Self::step(Course {
            cause: Some(Cause::Surrendered),
            ..self.course.stepped(on)
        })
    }

    /// Nobody decided in time.
    #[must_use]
    pub fn expire(self, on: NaiveDate) -> At<OfExternal, Expired> {
        Self::step(self.course.stepped(on))
    }
}
