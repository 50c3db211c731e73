use super::Asked;
use crate::{
    ProductStanding, State, Unlawful,
    life::{AfterProductReview, Applied, At, Granted, IsStage, OfProduct, Published},
};
use terms::{Aspect, Benefit, Cause, Course, Event, Person, Product, ProductId, Stage};

/// The kind of the evidence that a product was validated. Source: AO-16(2).
const VALIDATION: &str = "validation";

impl State {
    /// 产品登记, by a member of the scenario's operator. Source: AO-3, AO-16(2), AO-17, AO-23.
    pub(super) fn register_product(
        &self,
        asked: Asked<'_>,
        product: Product,
    ) -> Result<Event, Unlawful> {
        let place = format!("product `{}`", product.id);
        let refuse =
            |code, what: &str, clause| Err(Unlawful::new(code, place.clone(), what, clause));
        if self.product(&product.id).is_some() {
            let what = "a product of this id exists already";
            return refuse("register.product-exists", what, "AO-24");
        }
        let scenario = self.scenario(&product.scenario);
        let licence = scenario.and_then(|s| self.licence(&s.scenario.licence));
        let (Some(scenario), Some(licence)) = (scenario, licence) else {
            let what = "there is no such scenario of your operator";
            return refuse("register.not-own", what, "AO-17");
        };
        if asked.by.operator().as_ref() != Some(&licence.licence.operator) {
            let what = "there is no such scenario of your operator";
            return refuse("register.not-own", what, "AO-17");
        }
        if scenario.stage != Stage::Granted || licence.stage != Stage::Granted {
            let what = "its scenario and licence have to stand";
            return refuse("register.licence-not-granted", what, "AO-17");
        }
        self.judge_standing(&licence.licence.operator, asked.today, &place)?;
        if product.validation.kind != VALIDATION || product.validation.until < asked.today {
            let what = "file evidence of kind `validation` that holds";
            return refuse("register.no-validation", what, "AO-16(2)");
        }
        let paid = product.fee.as_ref().is_some_and(|fee| fee.cents > 0);
        if paid && product.benefit == Benefit::Public {
            let what = "what serves the public is free";
            return refuse("register.fee", what, "AO-23");
        }
        if product.fee.is_none() && product.benefit == Benefit::Industry {
            let what = "state the fee standard";
            return refuse("register.fee", what, "AO-23");
        }
        if product.plan.is_some() != product.disclosure.is_some() {
            let what = "what it releases is reviewed by its disclosure report";
            return refuse("register.no-report", what, "AO-16(2)");
        }
        Ok(Event::ProductStep {
            by: asked.by.id.clone(),
            stage: Stage::Applied,
            product,
            course: self.applied(asked.today),
        })
    }

    /// One authority finds it in order; with the second it is certified. Nobody is both. Source: AO-17.
    pub(super) fn review_product(
        &self,
        asked: Asked<'_>,
        id: &ProductId,
        aspect: Aspect,
    ) -> Result<Event, Unlawful> {
        let (standing, at) = self.product_at::<Applied>(id)?;
        let mut reviews = standing.course.reviews.iter();
        if reviews.any(|review| review.aspect == aspect || review.by == asked.by.id) {
            let what = "it was judged already in this respect, or by you";
            return refused("register.reviewed", id, what);
        }
        let told = match at.review(asked.review(aspect)) {
            AfterProductReview::Applied(at) => at.told(),
            AfterProductReview::Granted(at) => at.told(),
        };
        Ok(step(asked, standing, told))
    }

    /// 不予批准. Source: PD-24.
    pub(super) fn refuse_product(
        &self,
        asked: Asked<'_>,
        id: &ProductId,
    ) -> Result<Event, Unlawful> {
        let (standing, at) = self.product_at::<Applied>(id)?;
        Ok(step(asked, standing, at.refuse(asked.today).told()))
    }

    /// 产品发布, by its operator. Source: AO-21.
    pub(super) fn publish_product(
        &self,
        asked: Asked<'_>,
        id: &ProductId,
    ) -> Result<Event, Unlawful> {
        let (standing, at) = self.product_at::<Granted>(id)?;
        self.judge_maker(asked.by, standing)?;
        Ok(step(asked, standing, at.publish(asked.today).told()))
    }

    /// 下架, by its operator or an authority.
    pub(super) fn recall_product(
        &self,
        asked: Asked<'_>,
        id: &ProductId,
        cause: Cause,
    ) -> Result<Event, Unlawful> {
        if asked.by.operator().is_some()
            && let Some(standing) = self.product(id)
        {
            self.judge_maker(asked.by, standing)?;
        }
        let on = asked.today;
        if self.product(id).map(|s| s.stage) == Some(Stage::Published) {
            let (standing, at) = self.product_at::<Published>(id)?;
            return Ok(step(asked, standing, at.recall(cause, on).told()));
        }
        let (standing, at) = self.product_at::<Granted>(id)?;
        Ok(step(asked, standing, at.recall(cause, on).told()))
    }

    fn judge_maker(&self, by: &Person, standing: &ProductStanding) -> Result<(), Unlawful> {
        let scenario = self.scenario(&standing.product.scenario);
        let licence = scenario.and_then(|s| self.licence(&s.scenario.licence));
        let maker = licence.map(|licence| &licence.licence.operator);
        if maker.is_some() && by.operator().as_ref() == maker {
            return Ok(());
        }
        let what = "there is no such product of your operator";
        refused("register.not-own", &standing.product.id, what)
    }

    /// The product of this id, taken up at a stage.
    fn product_at<S: IsStage>(
        &self,
        id: &ProductId,
    ) -> Result<(&ProductStanding, At<OfProduct, S>), Unlawful> {
        let Some(standing) = self.product(id) else {
            return refused("register.no-product", id, "nobody registered it");
        };
        let place = format!("product `{id}`");
        let at = At::of(standing.stage, standing.course.clone(), &place)?;
        Ok((standing, at))
    }
}

fn step(asked: Asked<'_>, standing: &ProductStanding, (stage, course): (Stage, Course)) -> Event {
    Event::ProductStep {
        by: asked.by.id.clone(),
        stage,
        product: standing.product.clone(),
        course,
    }
}

fn refused<T>(code: &'static str, id: &ProductId, what: &str) -> Result<T, Unlawful> {
    Err(Unlawful::new(
        code,
        format!("product `{id}`"),
        what,
        "AO-17",
    ))
}
