use super::{Applied, At, Granted, OfProduct, Published, Recalled, Refused};
use chrono::NaiveDate;
use terms::{Aspect, Cause, Course, Review};

/// The two authorities that review a product, by the respect in which each judges. Source: AO-17.
pub(super) const AUTHORITIES: [Aspect; 2] = [Aspect::Security, Aspect::Compliance];

/// A product after a review: certified by both authorities, or not yet.
#[derive(Debug)]
pub enum AfterReview {
    /// By one.
    Applied(At<OfProduct, Applied>),
    /// By both: certified.
    Granted(At<OfProduct, Granted>),
}

impl At<OfProduct, Applied> {
    /// 审核 by one authority. Source: AO-17.
    #[must_use]
    pub fn review(self, review: Review) -> AfterReview {
        let owed = self.course.due;
        let mut course = self.course.stepped(review.on);
        course.reviews.push(review);
        if AUTHORITIES.iter().all(|aspect| course.is_reviewed(*aspect)) {
            AfterReview::Granted(Self::step(course))
        } else {
            let due = owed;
            AfterReview::Applied(Self::step(Course { due, ..course }))
        }
    }

    /// 不予批准. Source: PD-24.
    #[must_use]
    pub fn refuse(self, on: NaiveDate) -> At<OfProduct, Refused> {
        Self::step(self.course.stepped(on))
    }
}

impl At<OfProduct, Granted> {
    /// 产品发布. Source: AO-21.
    #[must_use]
    pub fn publish(self, on: NaiveDate) -> At<OfProduct, Published> {
        Self::step(self.course.stepped(on))
    }

    /// 下架.
    #[must_use]
    pub fn recall(self, cause: Cause, on: NaiveDate) -> At<OfProduct, Recalled> {
        Self::step(recalled(self.course, cause, on))
    }
}

impl At<OfProduct, Published> {
    /// 下架.
    #[must_use]
    pub fn recall(self, cause: Cause, on: NaiveDate) -> At<OfProduct, Recalled> {
        Self::step(recalled(self.course, cause, on))
    }
}

fn recalled(course: Course, cause: Cause, on: NaiveDate) -> Course {
    Course {
        cause: Some(cause),
        ..course.stepped(on)
    }
}
