//! 产品登记证书: a product that both authorities approved is certified. Signed, put on record, then handed
//! over; what a crash cut off is made good at the next start.

use crate::{
    Domain, Kind, Refused,
    certificates::{Place, Uncertified},
    live::Stands,
    operation::now,
};
use chrono::SubsecRound as _;
use ledger::Stored;
use manifest::{Approved, Certifies as _, Registration, Reviewed};
use terms::{Digest, Event, ProductId, Stage, Told};

/// What ends a registration before its last day, and what no copy of it can say.
const ENDS: [&str; 4] = [
    "The operator or an authority recalls the product. / 经营单位或主管部门下架该产品。",
    "Its scenario is suspended or closed. / 其应用场景被暂停或关闭。",
    "Its licence is suspended or ends. / 其授权被暂停或终止。",
    "Offline this certificate shows what stood when it was signed and nothing since; whether the product \
     still stands, the domain's log says. / 离线核验只证明签发时的状态；产品现状以授权运营域账本为准。",
];

impl Domain {
    /// Certifies a product if both authorities approved it and it is not certified yet.
    ///
    /// # Errors
    /// [`Uncertified`].
    pub(crate) async fn certify(&self, id: &ProductId) -> Result<Option<Digest>, Uncertified> {
        // Held from looking until it stands, so that a product has one certificate.
        let turn = self.live.turn().await;
        let Some(certificate) = self.registration(id)? else {
            return Ok(None);
        };
        let place = place(self, id);
        let sealed = place.sign(self, certificate)?;
        let at = now();
        let event = Event::ProductCertified {
            product: id.clone(),
            certificate: sealed.digest(),
        };
        let index = self.ledger.append(&event, None, at).await?.index;
        let stored = Stored {
            index,
            at,
            event,
            sealed: None,
        };
        self.live.apply(&turn, &stored);
        drop(turn);
        self.live.announce();
        place.finish::<Registration>(self, index)?;
        Ok(Some(sealed.digest()))
    }

    /// Certifies every product that was approved and has no certificate yet.
    ///
    /// # Errors
    /// [`Uncertified`].
    pub(crate) async fn certify_owed(&self) -> Result<(), Uncertified> {
        let owed = self.live.read().state.uncertified();
        for product in owed {
            self.certify(&product).await?;
        }
        Ok(())
    }

    /// Certifies what was approved and finishes what was certified: a crash came in between.
    ///
    /// # Errors
    /// [`Uncertified`].
    pub(crate) async fn take_up_certificates(&self) -> Result<(), Uncertified> {
        self.certify_owed().await?;
        let certified: Vec<(ProductId, Digest)> = {
            let stands = self.live.read();
            let products = stands.state.products();
            let certified = products.filter_map(|s| Some((s.product.id.clone(), s.certificate?)));
            certified.collect()
        };
        for (product, certificate) in certified {
            let place = place(self, &product);
            if place.is_unfinished() {
                place.finish::<Registration>(self, self.recorded(certificate)?)?;
            }
        }
        Ok(())
    }

    /// The files of a product's certificate.
    ///
    /// # Errors
    /// [`Refused`] where it has none.
    pub(crate) fn certificate_of(&self, id: &ProductId) -> Result<Vec<(String, Vec<u8>)>, Refused> {
        let standing = self.live.read().state.product(id).cloned();
        if standing.is_none_or(|standing| standing.certificate.is_none()) {
            let told = Told::new(
                "the product has no certificate: both authorities have not approved it. [AO-17]",
                "该产品没有登记证书：尚未经两个主管部门审核通过。〔AO-17〕",
            );
            return Err(Refused::new(
                "management.no-certificate",
                told,
                Kind::Invalid,
            ));
        }
        place(self, id).files(&self.dir).map_err(|why| {
            tracing::error!(%why, product = %id, "a certificate cannot be read");
            Refused::internal("gateway.certificate")
        })
    }

    /// What is certified of a product; none where nothing is owed.
    fn registration(&self, id: &ProductId) -> Result<Option<Registration>, Uncertified> {
        let stands = self.live.read();
        let Some(standing) = stands.state.product(id) else {
            return Ok(None);
        };
        if standing.certificate.is_some() || !standing.is_approved() {
            return Ok(None);
        }
        let absent = Uncertified::Unrecorded;
        let scenario = stands.state.scenario(&standing.product.scenario);
        let scenario = &scenario.ok_or(absent("the scenario"))?.scenario;
        let licence = stands.state.licence(&scenario.licence);
        let licence = &licence.ok_or(absent("the licence"))?.licence;
        let (reviews, approved) = self.reviewed(&stands, id)?;
        let from = reviews.iter().map(|review| review.on).max();
        Ok(Some(Registration {
            domain: stands.state.name().cloned().ok_or(absent("the domain"))?,
            pilot: stands.state.pilot(),
            product: standing.product.clone(),
            operator: licence.operator.clone(),
            licence: licence.id.clone(),
            purpose: scenario.purpose.clone(),
            reviews,
            approved,
            from: from.ok_or(absent("the reviews"))?,
            until: licence.until,
            ends: ENDS.map(str::to_owned).to_vec(),
            software: env!("CARGO_PKG_VERSION").to_owned(),
            at: now(),
        }))
    }

    /// The reviews of a product and its approval, as they are on record.
    fn reviewed(
        &self,
        stands: &Stands,
        id: &ProductId,
    ) -> Result<(Vec<Reviewed>, Approved), Uncertified> {
        let absent = Uncertified::Unrecorded;
        let standing = stands.state.product(id).ok_or(absent("the product"))?;
        let steps = stands.approvals.of_product(id);
        let of_others = || steps.iter().filter(|step| step.by != standing.submitter);
        let mut reviews = Vec::new();
        for review in &standing.course.reviews {
            let step = of_others().find(|step| step.by == review.by);
            let step = step.ok_or(absent("a review"))?;
            reviews.push(Reviewed {
                aspect: review.aspect,
                by: review.by.clone(),
                on: review.on,
                at: step.at.trunc_subsecs(6),
                index: step.index,
            });
        }
        let granted = of_others().find(|step| step.stage == Stage::Granted);
        let index = granted.ok_or(absent("the approval"))?.index;
        let leaf = String::from_utf8(self.ledger.leaf(index)?);
        let approved = Approved {
            index,
            leaf: leaf.map_err(|_| absent("the approval"))?,
            proof: self.ledger.prove(index)?.to_string(),
        };
        Ok((reviews, approved))
    }

    /// The entry that has a certificate on record.
    fn recorded(&self, wanted: Digest) -> Result<u64, Uncertified> {
        for stored in self.ledger.events(0)? {
            let stored = stored?;
            if Registration::on_record(&stored.event) == Some(wanted) {
                return Ok(stored.index);
            }
        }
        Err(Uncertified::Unrecorded("the certificate"))
    }
}

fn place(domain: &Domain, id: &ProductId) -> Place {
    Place::of(domain, &format!("product-{id}"))
}

#[cfg(test)]
mod tests;
