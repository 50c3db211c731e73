use super::unapproved;
use crate::{
    Gateway,
    flight::until_cut,
    leash::{Leash, Leashed},
    operation::now,
};
use futures::{StreamExt, stream::BoxStream};
use register::ProductStanding;
use std::sync::Arc;
use terms::{Event, ProductId, QueryId};
use tonic::Status;
use wire::operations::ExportChunk;

/// The longest chunk of a file, in bytes.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// A package on its way out. That it was cut off before all of it was handed over goes on record.
///
/// Inside the domain a permit does not hang by the product, so that its recall cuts nothing off: the product
/// is looked at again before each chunk.
#[derive(Debug)]
pub(crate) struct Handing {
    pub(super) gateway: Arc<Gateway>,
    pub(super) query: QueryId,
    /// Which product it releases.
    pub(super) product: Option<ProductId>,
    pub(super) leash: Arc<Leash>,
    pub(super) is_over: bool,
}

impl Leashed for Handing {
    fn leash(&self) -> &Arc<Leash> {
        &self.leash
    }
}

impl Handing {
    /// The files in chunks, as long as the leash holds.
    pub(crate) fn over(
        self,
        files: Vec<(String, Vec<u8>)>,
    ) -> BoxStream<'static, Result<ExportChunk, Status>> {
        let mut chunks = Vec::new();
        for (name, data) in files {
            for part in data.chunks(CHUNK_BYTES_MAX) {
                chunks.push(ExportChunk {
                    name: name.clone(),
                    data: part.to_vec(),
                });
            }
        }
        let leash = Arc::clone(self.leash());
        let handed = futures::stream::unfold(
            (self, chunks.into_iter()),
            |(mut handing, mut chunks)| async move {
                let next = chunks.next();
                handing.is_over = next.is_none();
                let next = next?;
                if handing.is_recalled() {
                    let recalled = unapproved();
                    handing.withhold(&recalled.code);
                    handing.is_over = true;
                    let none = Vec::new().into_iter();
                    return Some((Err(recalled.status()), (handing, none)));
                }
                Some((Ok(next), (handing, chunks)))
            },
        );
        until_cut(leash, handed.boxed())
    }

    /// Whether its product does not release anything any more.
    fn is_recalled(&self) -> bool {
        let stands = self.gateway.domain.live.read();
        self.product.as_ref().is_some_and(|id| {
            let standing = stands.state.product(id);
            !standing.is_some_and(ProductStanding::is_approved)
        })
    }

    fn withhold(&self, code: &str) {
        let withheld = Event::ExportWithheld {
            query: self.query.clone(),
            code: code.to_owned(),
        };
        // Queued; nobody waits for it.
        drop(self.gateway.domain.ledger.append(&withheld, None, now()));
    }
}

impl Drop for Handing {
    fn drop(&mut self) {
        if self.is_over || !self.leash.is_cut() {
            return;
        }
        self.withhold(crate::leash::CUT_OFF);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage as Set, event};
    use serde_json::json;
    use terms::Action;

    /// A package of two chunks.
    fn handing(
        stage: &Set,
        product: Option<&str>,
    ) -> BoxStream<'static, Result<ExportChunk, Status>> {
        let leash = stage.gateway.leash(&stage.asking(), Action::Export);
        let handing = Handing {
            gateway: Arc::clone(&stage.gateway),
            query: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            product: product.map(|id| id.parse().unwrap()),
            leash: leash.unwrap(),
            is_over: false,
        };
        handing.over(vec![("a".to_owned(), vec![7; CHUNK_BYTES_MAX + 1])])
    }

    /// The last code under which the log says that a package was withheld.
    async fn told(stage: &Set) -> Option<String> {
        // What is appended after it waits for it.
        stage.enrol_another().await;
        let events = stage.gateway.domain.ledger.events(0).unwrap();
        let codes = events.filter_map(|stored| match stored.unwrap().event {
            Event::ExportWithheld { code, .. } => Some(code),
            _ => None,
        });
        codes.last()
    }

    fn product_step(stage: &str) -> Event {
        event(
            json!({"event": "product-step", "by": "sam", "stage": stage, "course": {},
            "product": {"id": "p-1", "form": "report", "scenario": "s", "title": "x",
            "benefit": "public",
            "validation": {"kind": "validation", "title": "x", "until": "2999-12-31"}}}),
        )
    }

    /// How the log says that a package was withheld, after some of its chunks were taken.
    async fn withheld(chunks: usize, cut: bool) -> Option<String> {
        let stage = Set::set().await;
        let mut stream = handing(&stage, None);
        for _ in 0..chunks {
            stream.next().await;
        }
        if cut {
            stage.suspend().await;
            stage.gateway.cut_off();
        }
        drop(stream);
        told(&stage).await
    }

    #[tokio::test]
    async fn a_package_of_a_product_that_is_recalled_is_handed_over_no_further() {
        for taken in [0, 1] {
            let stage = Set::set().await;
            stage.stand(product_step("published")).await;
            let mut stream = handing(&stage, Some("p-1"));
            for _ in 0..taken {
                assert!(stream.next().await.unwrap().is_ok());
            }
            stage.stand(product_step("recalled")).await;
            stage.gateway.cut_off();
            let refused = stream.next().await.unwrap().unwrap_err();
            assert_eq!(refused.code(), tonic::Code::PermissionDenied);
            assert!(refused.message().starts_with(UNAPPROVED), "{refused}");
            assert!(stream.next().await.is_none());
            drop(stream);
            assert_eq!(told(&stage).await.as_deref(), Some(UNAPPROVED));
        }
    }

    #[tokio::test]
    async fn a_package_that_is_cut_off_is_on_record_as_withheld() {
        assert_eq!(withheld(1, true).await.as_deref(), Some(CUT));
        assert_eq!(withheld(0, true).await.as_deref(), Some(CUT));
        assert_eq!(withheld(3, true).await, None);
        assert_eq!(withheld(1, false).await, None);
    }

    const CUT: &str = "policy.cut-off";
    const UNAPPROVED: &str = "egress.no-product";
}
