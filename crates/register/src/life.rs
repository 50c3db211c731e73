//! The lives of licences, scenarios, products and data at the gate as types: a step that the law does not know from a
//! stage is a method that the stage does not have.
//!
//! ```compile_fail,E0599
//! use register::life::{Applied, At};
//! fn wrong(licence: At<register::life::OfLicence, Applied>, day: chrono::NaiveDate) {
//!     licence.grant(day); // nothing is granted that was not reviewed and under public notice
//! }
//! ```
//!
//! ```compile_fail,E0599
//! use register::life::{At, OfExternal, Refused};
//! fn again(external: At<OfExternal, Refused>, day: chrono::NaiveDate) {
//!     external.withdraw(day); // what was refused is gone
//! }
//! ```
//!
//! ```compile_fail,E0382
//! use register::life::{At, Granted, OfScenario};
//! fn twice(scenario: At<OfScenario, Granted>, day: chrono::NaiveDate) {
//!     scenario.suspend(terms::Cause::Unsafe, day);
//!     scenario.suspend(terms::Cause::Unsafe, day); // it is not granted any more
//! }
//! ```

mod licence; // AO-9..11
mod scenario; // AO-12, AO-15, AO-19
mod product; // AO-17, AO-21
mod external; // AO-16(3)

pub(crate) use self::external::is_last;
pub use self::{
    external::AfterReview as AfterExternalReview, product::AfterReview as AfterProductReview,
    scenario::AfterReview,
};
use crate::Unlawful;
use std::marker::PhantomData;
use terms::{Course, Stage};

/// Something of a kind `K` at stage `S`, with its course. Consumed by each step.
#[derive(Debug)]
pub struct At<K, S> {
    pub(crate) course: Course,
    of: PhantomData<(K, S)>,
}

/// A stage as a type.
pub trait IsStage {
    /// The stage.
    const STAGE: Stage;
}

/// What lives through stages: how its steps are told, and by which clause.
pub trait HasLife {
    /// The order of its steps, for who took one out of order.
    const ORDER: &'static str;
    /// The clause.
    const CLAUSE: &'static str;
}

/// A licence.
#[derive(Debug)]
pub struct OfLicence;
/// A scenario.
#[derive(Debug)]
pub struct OfScenario;
/// A product.
#[derive(Debug)]
pub struct OfProduct;
/// Data in quarantine.
#[derive(Debug)]
pub struct OfExternal;

macro_rules! stages {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        $($(#[$doc])* #[derive(Debug)] pub struct $name;
        impl IsStage for $name { const STAGE: Stage = Stage::$name; })+
    };
}

stages! {
    /// 申请.
    Applied,
    /// 审核.
    Reviewed,
    /// 公示.
    Noticed,
    /// 审定.
    Granted,
    /// 发布.
    Published,
    /// 暂停.
    Suspended,
    /// 不予批准.
    Refused,
    /// 终止.
    Terminated,
    /// 到期.
    Expired,
    /// Over, its purpose met.
    Closed,
    /// 下架.
    Recalled,
}

impl HasLife for OfLicence {
    const ORDER: &'static str = "the steps are applied, reviewed, noticed, granted, in this order";
    const CLAUSE: &'static str = "AO-9";
}

impl HasLife for OfScenario {
    const ORDER: &'static str = "the steps are applied, reviewed, granted, in this order";
    const CLAUSE: &'static str = "AO-12";
}

impl HasLife for OfProduct {
    const ORDER: &'static str = "the steps are applied, granted, published, in this order";
    const CLAUSE: &'static str = "AO-17";
}

impl HasLife for OfExternal {
    const ORDER: &'static str = "the steps are applied, then granted, refused, closed or expired";
    const CLAUSE: &'static str = "AO-16(3)";
}

impl<K: HasLife, S: IsStage> At<K, S> {
    /// Takes something up that is at this stage.
    pub(crate) fn of(stage: Stage, course: Course, place: &str) -> Result<Self, Unlawful> {
        if stage != S::STAGE {
            let what = format!("{}; this one is {}", K::ORDER, stage.word());
            let code = "register.step-order";
            return Err(Unlawful::new(code, place, what, K::CLAUSE));
        }
        Ok(Self::new(course))
    }

    /// The stage and the course, as they go on record.
    #[must_use]
    pub fn told(self) -> (Stage, Course) {
        (S::STAGE, self.course)
    }

    /// Steps on to another stage with this course.
    fn step<T: IsStage>(course: Course) -> At<K, T> {
        At::<K, T>::new(course)
    }
}

impl<K, S> At<K, S> {
    const fn new(course: Course) -> Self {
        let of = PhantomData;
        Self { course, of }
    }
}
