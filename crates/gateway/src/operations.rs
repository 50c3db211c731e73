//! Explain, export, receipt and head, on the same listener as Flight SQL.

use crate::{Asking, Gateway, Refused, flight::asking};
use futures::stream::BoxStream;
use std::sync::Arc;
use terms::{Channel, ProductId};
use tonic::{Request, Response, Status};
use wire::operations::{
    ApproveRedactionReply, ApproveRedactionRequest, ExplainReply, ExplainRequest, ExportChunk,
    ExportRequest, LedgerHeadReply, LedgerHeadRequest, MaterialiseReply, MaterialiseRequest,
    PruneLogReply, PruneLogRequest, ReadSealedReply, ReadSealedRequest, ReceiptReply,
    ReceiptRequest, RequestRedactionReply, RequestRedactionRequest, operations_server::Operations,
};

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

    async fn materialise(
        &self,
        request: Request<MaterialiseRequest>,
    ) -> Result<Response<MaterialiseReply>, Status> {
        let asking = asking(&request, self.channel);
        let MaterialiseRequest { sql, name, days } = request.into_inner();
        let days = Some(days).filter(|days| *days > 0);
        let told = self.gateway.materialise(&asking, (&sql, &name), days).await;
        let json = told.map_err(|refused| refused.status())?.to_string();
        Ok(Response::new(MaterialiseReply { json }))
    }

    type ExportStream = BoxStream<'static, Result<ExportChunk, Status>>;

    async fn export(
        &self,
        request: Request<ExportRequest>,
    ) -> Result<Response<Self::ExportStream>, Status> {
        let mut asking = asking(&request, self.channel);
        let ExportRequest { sql, product } = request.into_inner();
        let sql = match product.as_str() {
            "" => sql,
            product => self.statement_of(&mut asking, product)?,
        };
        let files = self.gateway.export(&asking, &sql).await;
        let (files, handing) = files.map_err(|refused| refused.status())?;
        Ok(Response::new(handing.over(files)))
    }

    async fn receipt(
        &self,
        request: Request<ReceiptRequest>,
    ) -> Result<Response<ReceiptReply>, Status> {
        let asking = asking(&request, self.channel);
        let proof = self.gateway.proof(&asking, &request.get_ref().query).await;
        let (index, proof, json) = proof.map_err(|refused| refused.status())?;
        Ok(Response::new(ReceiptReply {
            index,
            proof,
            json: json.to_string(),
        }))
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

    async fn read_sealed(
        &self,
        request: Request<ReadSealedRequest>,
    ) -> Result<Response<ReadSealedReply>, Status> {
        let asking = asking(&request, self.channel);
        let ReadSealedRequest { entry, purpose } = request.into_inner();
        let purpose = word(&purpose)?;
        let read = self.gateway.read_sealed(&asking, entry, purpose).await;
        let (text, recorded) = read.map_err(|refused| refused.status())?;
        Ok(Response::new(ReadSealedReply { text, recorded }))
    }

    async fn request_redaction(
        &self,
        request: Request<RequestRedactionRequest>,
    ) -> Result<Response<RequestRedactionReply>, Status> {
        let asking = asking(&request, self.channel);
        let RequestRedactionRequest { entry, basis } = request.into_inner();
        let basis = word(&basis)?;
        let asked = self.gateway.request_redaction(&asking, entry, basis).await;
        let request = asked.map_err(|refused| refused.status())?;
        Ok(Response::new(RequestRedactionReply { request }))
    }

    async fn approve_redaction(
        &self,
        request: Request<ApproveRedactionRequest>,
    ) -> Result<Response<ApproveRedactionReply>, Status> {
        let asking = asking(&request, self.channel);
        let request = request.into_inner().request;
        let approved = self.gateway.approve_redaction(&asking, request).await;
        let approved = approved.map_err(|refused| refused.status())?;
        Ok(Response::new(ApproveRedactionReply {
            approvals: u32::try_from(approved.approvals).unwrap_or(u32::MAX),
            destroyed: approved.is_complete,
        }))
    }

    async fn prune_log(
        &self,
        request: Request<PruneLogRequest>,
    ) -> Result<Response<PruneLogReply>, Status> {
        let asking = asking(&request, self.channel);
        let pruned = self.gateway.prune(&asking).await;
        let pruned = pruned.map_err(|refused| refused.status())?;
        Ok(Response::new(PruneLogReply {
            minimum: pruned.minimum,
            removed: pruned.removed,
        }))
    }
}

impl OperationsService {
    /// The statement of a product. From outside the domain its results alone are asked for then; inside,
    /// a product opens nothing that its scenario does not.
    fn statement_of(&self, asking: &mut Asking, product: &str) -> Result<String, Status> {
        // Nobody learns which products there are before they are proved; whoever is not is refused, and on
        // record, when the entry is opened.
        if self.gateway.prove(asking).is_err() {
            return Ok(String::new());
        }
        let statement = match product.parse::<ProductId>() {
            Ok(product) => {
                let statement = self.gateway.statement_of(asking, &product);
                if self.channel != Channel::Domain {
                    asking.product = Some(product);
                }
                statement
            }
            Err(_) => Err(Refused::invalid(
                "operations.unknown-product",
                "that is no name of a product.",
                "产品名称无效。",
            )),
        };
        statement.map_err(|refused| refused.status())
    }
}

/// A word of a closed list, as events spell it.
fn word<T: serde::de::DeserializeOwned>(word: &str) -> Result<T, Status> {
    serde_json::from_value(word.into()).map_err(|_| {
        let refused = Refused::invalid(
            "operations.unknown-word",
            "the call names a ground that is not on the list.",
            "请求所列的事由不在清单之内。",
        );
        refused.status()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::{Stage, event};
    use serde_json::json;
    use terms::Digest;

    /// What an export of a product from outside is answered with.
    async fn answered(stage: &Stage, product: &str, known: bool) -> String {
        let service = OperationsService {
            gateway: Arc::clone(&stage.gateway),
            channel: Channel::Remote,
        };
        let mut request = Request::new(ExportRequest {
            sql: String::new(),
            product: product.to_owned(),
        });
        let headers = request.metadata_mut();
        headers.insert("bonded-scenario", "s".parse().unwrap());
        if known {
            request.extensions_mut().insert(stage.asking().peer);
        }
        match service.export(request).await {
            Ok(_) => "handed over".to_owned(),
            Err(status) => status.message().split(':').next().unwrap().to_owned(),
        }
    }

    /// A product whose report cannot be read tells by its code that it was looked for.
    fn product() -> terms::Event {
        event(
            json!({"event": "product-step", "by": "sam", "stage": "published", "course": {},
            "product": {"id": "p-1", "form": "report", "scenario": "s", "title": "x",
            "benefit": "public", "plan": Digest::of(b"plan"), "disclosure": Digest::of(b"report"),
            "validation": {"kind": "validation", "title": "x", "until": "2999-12-31"}}}),
        )
    }

    #[tokio::test]
    async fn a_stranger_learns_of_no_product_and_somebody_else_of_none_of_another_scenario() {
        let stage = Stage::set().await;
        stage.stand(product()).await;
        for product in ["p-1", "p-2", "no name"] {
            let told = answered(&stage, product, false).await;
            assert_eq!(told, "identity.no-certificate", "{product}");
        }
        assert_eq!(answered(&stage, "p-2", true).await, "egress.no-product");
        assert_ne!(answered(&stage, "p-1", true).await, "egress.no-product");
        let others = event(
            json!({"event": "scenario-step", "by": "dora", "stage": "granted", "row_risks": [],
            "scenario": {"id": "s", "licence": "l", "title": "x", "purpose": "x", "members": [],
            "datasets": []}}),
        );
        stage.stand(others).await;
        assert_eq!(answered(&stage, "p-1", true).await, "egress.no-product");
    }
}
