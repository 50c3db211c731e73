//! 披露报告: what a product would release, found by running it inside, for those who review it.

use super::collected;
use crate::{Aim, Asking, Gateway, Granted, Kind, Refused, durable::replace, leash::Leashed};
use manifest::DisclosureReport;
use serde_json::{Value, json};
use std::{path::PathBuf, sync::Arc};
use terms::{Digest, ProductId, Told};

/// The folder of the reports in a domain's folder.
const FOLDER: &str = "reports";
/// What a report is sealed for.
const CONTEXT: &str = "disclosure-report";

/// A statement that was tried.
#[derive(Debug)]
pub(crate) struct Tried {
    /// The digest of its confined plan.
    pub plan: Digest,
    /// The digest of its report, which is kept.
    pub report: Digest,
}

impl Gateway {
    /// Runs what a product would release inside the domain, and keeps a report of it.
    ///
    /// # Errors
    /// [`Refused`]: what may not leave is refused here already.
    pub(crate) async fn tried(&self, asking: &Asking, sql: &str) -> Result<Tried, Refused> {
        let granted = self.grant(asking, sql, Aim::Trial).await?;
        let leash = Arc::clone(granted.leash());
        leash.hold(self.reported(asking, sql, granted)).await?
    }

    async fn reported(
        &self,
        asking: &Asking,
        sql: &str,
        granted: Granted,
    ) -> Result<Tried, Refused> {
        let opened = granted.opened;
        let (_, _, closed) = collected(self.run(asking, granted).await?).await?;
        let confined = &closed.confined;
        let read: Vec<_> = confined
            .sources()
            .into_iter()
            .map(|(read, ..)| read)
            .collect();
        let of_read = confined.permit().datasets().iter();
        let of_read = of_read.filter(|dataset| read.contains(&dataset.name));
        let report = DisclosureReport {
            statement: sql.to_owned(),
            printed: confined.plan().print(),
            found: self.manifest(&closed, (opened, None))?,
            row_risks: of_read
                .filter_map(|dataset| Some((dataset.name.clone(), dataset.risk.clone()?.coarse())))
                .collect(),
            sensitive: closed.found,
        };
        let bytes = serde_json::to_vec(&report).map_err(|why| unkept(&why))?;
        let report = self.keep(&bytes).map_err(|why| unkept(&*why))?;
        Ok(Tried {
            plan: closed.confined.digest(),
            report,
        })
    }

    /// The report of a product as JSON; none where it releases nothing.
    ///
    /// # Errors
    /// [`Refused`] where it cannot be read, or is not what was registered.
    pub(crate) fn report(&self, digest: Digest) -> Result<String, Refused> {
        let read = || {
            let sealed = std::fs::read(self.place(digest))?;
            let bytes = self.domain.keyring.unseal(CONTEXT, &sealed)?;
            if Digest::of(&bytes) != digest {
                return Err("it is not the report that was registered".into());
            }
            Ok::<_, Box<dyn std::error::Error>>(String::from_utf8(bytes)?)
        };
        read().map_err(|why| unkept(&*why))
    }

    /// The same for who may not hear how identifying rows are: an operator's people.
    ///
    /// # Errors
    /// [`Refused`] as for the whole.
    pub(crate) fn report_without_risks(&self, digest: Digest) -> Result<String, Refused> {
        let mut report: serde_json::Map<String, Value> =
            serde_json::from_str(&self.report(digest)?).map_err(|why| unkept(&why))?;
        report.insert("row_risks".to_owned(), json!({}));
        serde_json::to_string(&report).map_err(|why| unkept(&why))
    }

    /// The statement of an approved product of the scenario that is asked for, for its members alone.
    ///
    /// # Errors
    /// [`Refused`]: of what is not theirs nobody learns that it is there.
    pub(crate) fn statement_of(
        &self,
        asking: &Asking,
        product: &ProductId,
    ) -> Result<String, Refused> {
        let caller = self.prove(asking)?;
        let own = asking.scenario.as_deref();
        let digest = {
            let stands = self.domain.live.read();
            let is_member = own
                .and_then(|own| stands.state.scenario(&own.parse().ok()?))
                .is_some_and(|of| of.scenario.members.contains(&caller.person().id));
            let own = own.filter(|_| is_member);
            let known = stands
                .state
                .product(product)
                .map(|standing| &standing.product);
            let known = known.filter(|known| own == Some(known.scenario.as_str()));
            known.and_then(|known| known.disclosure)
        };
        let report = self.report(digest.ok_or_else(unknown)?)?;
        let report: DisclosureReport = serde_json::from_str(&report).map_err(|why| unkept(&why))?;
        Ok(report.statement)
    }

    fn keep(&self, report: &[u8]) -> Result<Digest, Box<dyn std::error::Error>> {
        let digest = Digest::of(report);
        let sealed = self.domain.keyring.seal(CONTEXT, report)?;
        std::fs::create_dir_all(self.domain.dir.join(FOLDER))?;
        replace(&self.place(digest), &sealed)?;
        Ok(digest)
    }

    fn place(&self, digest: Digest) -> PathBuf {
        self.domain
            .dir
            .join(FOLDER)
            .join(format!("{digest}.sealed"))
    }
}

fn unknown() -> Refused {
    let told = Told::new(
        "your scenario has no product of this name that releases results. [AO-17]",
        "该场景没有可导出结果的此产品。〔AO-17〕",
    );
    Refused::new("egress.no-product", told, Kind::Denied)
}

fn unkept(why: &dyn std::fmt::Display) -> Refused {
    tracing::error!(%why, "a disclosure report cannot be used");
    Refused::internal("gateway.report")
}

#[cfg(test)]
mod tests {
    use super::json;
    use crate::stage::Stage;
    use terms::Digest;

    #[tokio::test]
    async fn an_operators_copy_of_a_report_has_no_risk_in_it() {
        let stage = Stage::set().await;
        let gateway = &stage.gateway;
        let report = json!({"row_risks": {"city.people": {"subjects": 1}}, "statement": "x"});
        let kept = gateway.keep(report.to_string().as_bytes()).unwrap();
        assert_eq!(gateway.report(kept).unwrap(), report.to_string());
        let told = gateway.report_without_risks(kept).unwrap();
        assert_eq!(told, json!({"row_risks": {}, "statement": "x"}).to_string());
    }

    #[tokio::test]
    async fn a_report_is_read_as_it_was_registered_or_not_at_all() {
        let stage = Stage::set().await;
        let gateway = &stage.gateway;
        let (one, other) = (
            gateway.keep(b"one").unwrap(),
            gateway.keep(b"other").unwrap(),
        );
        assert_eq!(gateway.report(one).unwrap(), "one");
        assert_eq!(gateway.report(other).unwrap(), "other");
        assert!(gateway.report(Digest::of(b"none")).is_err());
        let sealed = std::fs::read(gateway.place(one)).unwrap();
        assert!(!sealed.windows(3).any(|part| part == b"one"));
        std::fs::copy(gateway.place(other), gateway.place(one)).unwrap();
        assert!(gateway.report(one).is_err(), "another report in its place");
        for byte in 0..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[byte] ^= 1;
            std::fs::write(gateway.place(one), flipped).unwrap();
            assert!(gateway.report(one).is_err(), "byte {byte}");
        }
        std::fs::write(gateway.place(one), sealed).unwrap();
        assert_eq!(gateway.report(one).unwrap(), "one");
    }
}
