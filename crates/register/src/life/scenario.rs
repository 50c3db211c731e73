use super::{Applied, At, Closed, Granted, OfScenario, Refused, Reviewed, Suspended};
use chrono::NaiveDate;
use terms::{Aspect, Cause, Course, Review};

/// An application after a review: in order in every respect, or not yet.
#[derive(Debug)]
pub enum AfterReview {
    /// Not in every respect.
    Applied(At<OfScenario, Applied>),
    /// In every respect.
    Reviewed(At<OfScenario, Reviewed>),
}

impl At<OfScenario, Applied> {
    /// 审核 in one respect; when all three are found in order it is reviewed. Source: AO-12.
    #[must_use]
    pub fn review(self, review: Review, due: NaiveDate) -> AfterReview {
        let on = review.on;
        let owed = self.course.due;
        let mut course = self.course.stepped(on);
        course.reviews.push(review);
        if Aspect::ALL.iter().all(|aspect| course.is_reviewed(*aspect)) {
            let due = Some(due);
            AfterReview::Reviewed(Self::step(Course { due, ..course }))
        } else {
            let due = owed;
            AfterReview::Applied(Self::step(Course { due, ..course }))
        }
    }

    /// 不予批准. Source: PD-24.
    #[must_use]
    pub fn refuse(self, on: NaiveDate) -> At<OfScenario, Refused> {
        Self::step(self.course.stepped(on))
    }
}

impl At<OfScenario, Reviewed> {
    /// 审定. Source: AO-12.
    #[must_use]
    pub fn approve(self, on: NaiveDate) -> At<OfScenario, Granted> {
        Self::step(self.course.stepped(on))
    }

    /// 不予批准. Source: PD-24.
    #[must_use]
    pub fn refuse(self, on: NaiveDate) -> At<OfScenario, Refused> {
        Self::step(self.course.stepped(on))
    }
}

impl At<OfScenario, Granted> {
    /// 暂停. Source: AO-10, AO-15.
    #[must_use]
    pub fn suspend(self, cause: Cause, on: NaiveDate) -> At<OfScenario, Suspended> {
        Self::step(stopped(self.course, cause, on))
    }

    /// Its purpose is met. Source: AO-19.
    #[must_use]
    pub fn close(self, cause: Cause, on: NaiveDate) -> At<OfScenario, Closed> {
        Self::step(stopped(self.course, cause, on))
    }
}

impl At<OfScenario, Suspended> {
    /// Open again.
    #[must_use]
    pub fn resume(self, on: NaiveDate) -> At<OfScenario, Granted> {
        Self::step(self.course.stepped(on))
    }

    /// Its purpose is met, or cannot be any more. Source: AO-19.
    #[must_use]
    pub fn close(self, cause: Cause, on: NaiveDate) -> At<OfScenario, Closed> {
        Self::step(stopped(self.course, cause, on))
    }
}

fn stopped(course: Course, cause: Cause, on: NaiveDate) -> Course {
    Course {
        cause: Some(cause),
        ..course.stepped(on)
    }
}
