use crate::{
    Gateway,
    flight::until_cut,
    leash::{Leash, Leashed},
    operation::now,
};
use futures::{StreamExt, stream::BoxStream};
use std::sync::Arc;
use terms::{Event, QueryId};
use tonic::Status;
use wire::operations::ExportChunk;

/// The longest chunk of a file, in bytes.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// A package on its way out. That it was cut off before all of it was handed over goes on record.
#[derive(Debug)]
pub(crate) struct Handing {
    pub(super) gateway: Arc<Gateway>,
    pub(super) query: QueryId,
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
                Some((Ok(next?), (handing, chunks)))
            },
        );
        until_cut(leash, handed.boxed())
    }
}

impl Drop for Handing {
    fn drop(&mut self) {
        if self.is_over || !self.leash.is_cut() {
            return;
        }
        let withheld = Event::ExportWithheld {
            query: self.query.clone(),
            code: crate::leash::CUT_OFF.to_owned(),
        };
        // Queued; nobody is left to wait for it.
        drop(self.gateway.domain.ledger.append(&withheld, None, now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Stage;
    use terms::Action;

    /// How the log says that a package was withheld, after some of its chunks were taken.
    async fn withheld(chunks: usize, cut: bool) -> Option<String> {
        let stage = Stage::set().await;
        let leash = stage.gateway.leash(&stage.asking(), Action::Export);
        let handing = Handing {
            gateway: Arc::clone(&stage.gateway),
            query: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            leash: leash.unwrap(),
            is_over: false,
        };
        let files = vec![("a".to_owned(), vec![7; CHUNK_BYTES_MAX + 1])];
        let mut stream = handing.over(files);
        for _ in 0..chunks {
            stream.next().await;
        }
        if cut {
            stage.suspend().await;
            stage.gateway.cut_off();
        }
        drop(stream);
        // What is appended after it waits for it.
        stage.enrol_another().await;
        let events = stage.gateway.domain.ledger.events(0).unwrap();
        let codes = events.filter_map(|stored| match stored.unwrap().event {
            Event::ExportWithheld { code, .. } => Some(code),
            _ => None,
        });
        codes.last()
    }

    #[tokio::test]
    async fn a_package_that_is_cut_off_is_on_record_as_withheld() {
        assert_eq!(withheld(1, true).await.as_deref(), Some(CUT));
        assert_eq!(withheld(0, true).await.as_deref(), Some(CUT));
        assert_eq!(withheld(3, true).await, None);
        assert_eq!(withheld(1, false).await, None);
    }

    const CUT: &str = "policy.cut-off";
}
