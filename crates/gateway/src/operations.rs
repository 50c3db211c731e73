//! Explain, export, receipt and head, on the same listener as Flight SQL.

use crate::{Gateway, flight::asking};
use futures::stream::BoxStream;
use std::sync::Arc;
use terms::Channel;
use tonic::{Request, Response, Status};
use wire::operations::{
    ExplainReply, ExplainRequest, ExportChunk, ExportRequest, LedgerHeadReply, LedgerHeadRequest,
    ReceiptReply, ReceiptRequest, operations_server::Operations,
};

/// The longest chunk of a file, in bytes.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// The service of one listener.
#[derive(Debug, Clone)]
pub(crate) struct OperationsService {
    pub gateway: Arc<Gateway>,
    pub channel: Channel,
}

#[async_trait::async_trait]
impl Operations for OperationsService {
    async fn explain(
        &self,
        request: Request<ExplainRequest>,
    ) -> Result<Response<ExplainReply>, Status> {
        let asking = asking(&request, self.channel);
        let told = self.gateway.explain(&asking, &request.get_ref().sql).await;
        let json = told.map_err(|refused| refused.status())?.to_string();
        Ok(Response::new(ExplainReply { json }))
    }

    type ExportStream = BoxStream<'static, Result<ExportChunk, Status>>;

    async fn export(
        &self,
        request: Request<ExportRequest>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        let asking = asking(&request, self.channel);
        let files = self.gateway.export(&asking, &request.get_ref().sql).await;
        let files = files.map_err(|refused| refused.status())?;
        let mut chunks = Vec::new();
        for (name, data) in files {
            for part in data.chunks(CHUNK_BYTES_MAX) {
                chunks.push(Ok(ExportChunk {
                    name: name.clone(),
                    data: part.to_vec(),
                }));
            }
        }
        Ok(Response::new(Box::pin(futures::stream::iter(chunks))))
    }

    async fn receipt(
        &self,
        request: Request<ReceiptRequest>,
    ) -> Result<Response<ReceiptReply>, Status> {
        let asking = asking(&request, self.channel);
        let proof = self.gateway.proof(&asking, &request.get_ref().query).await;
        let (index, proof) = proof.map_err(|refused| refused.status())?;
        Ok(Response::new(ReceiptReply { index, proof }))
    }

    async fn ledger_head(
        &self,
        _request: Request<LedgerHeadRequest>,
    ) -> Result<Response<LedgerHeadReply>, Status> {
        let checkpoint = self
            .gateway
            .head()
            .await
            .map_err(|refused| refused.status())?;
        Ok(Response::new(LedgerHeadReply { checkpoint }))
    }
}
