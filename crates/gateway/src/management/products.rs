use super::{
    Desk, Step,
    parsed::{cause, document, id, reason, word},
    sight::Sight,
    status, steps,
    told::Subject,
};
use crate::{Refused, flight::asking};
use register::Command;
use terms::{Product, ProductId};
use tonic::{Request, Response, Status};
use wire::management::{
    Caused, Document, Documents, Done, FileOf, Files, Named, Page, Pair, ProductRegistration,
    Reasoned, products_server::Products,
};

fn of(product: &str, command: impl FnOnce(ProductId) -> Command) -> Result<Step, Refused> {
    let product: ProductId = id("product", product)?;
    let about = Subject::Product(product.clone());
    Ok(Step::new(command(product), about))
}

/// A product as it is sent: its plan and its report are made by the domain.
fn registration(json: &str) -> Result<Product, Refused> {
    let product: Product = document("product", json)?;
    if product.plan.is_some() || product.disclosure.is_some() {
        return Err(Refused::invalid(
            "management.made-by-the-domain",
            "`plan` and `disclosure` are made by the domain; give the statement instead.",
            "plan 与 disclosure 由授权运营域生成，请改为提供语句。",
        ));
    }
    Ok(product)
}

impl Desk {
    /// Tries what the product releases, then registers it with the report.
    async fn register_product(
        &self,
        request: Request<ProductRegistration>,
    ) -> Result<Response<Done>, Status> {
        let mut asking = asking(&request, self.channel);
        let ProductRegistration { json, sql } = request.into_inner();
        let mut product = registration(&json).map_err(|refused| status(&refused))?;
        let told = |refused: Refused| status(&refused);
        self.may(&asking, "registerProduct").map_err(told)?;
        if !sql.is_empty() {
            asking.scenario = Some(product.scenario.to_string());
            let tried = self.gateway.tried(&asking, &sql).await.map_err(told)?;
            product.plan = Some(tried.plan);
            product.disclosure = Some(tried.report);
        }
        let about = Subject::Product(product.id.clone());
        let step = Step::new(Command::RegisterProduct(product), about.clone());
        let carried = self.carry_out(&asking, step).await?;
        Ok(self.done(&carried, &about))
    }

    /// The report of a product that the caller sees.
    fn report_of(&self, request: &Request<Named>) -> Result<Response<Document>, Status> {
        let product: ProductId =
            id("product", &request.get_ref().id).map_err(|refused| status(&refused))?;
        let asking = asking(request, self.channel);
        self.show(&asking, &Subject::Product(product.clone()))?;
        let digest = {
            let stands = self.gateway.domain.live.read();
            let standing = stands.state.product(&product);
            standing.and_then(|standing| standing.product.disclosure)
        };
        let report = match digest {
            Some(digest) => match self.sight(&asking).map_err(|refused| status(&refused))? {
                Sight::All => self.gateway.report(digest),
                Sight::Own(_) => self.gateway.report_without_risks(digest),
            },
            None => Err(Refused::invalid(
                "management.no-report",
                "this product releases no results, so that there is no report.",
                "该产品不导出结果，无披露报告。",
            )),
        };
        let json = report.map_err(|refused| status(&refused))?;
        Ok(Response::new(Document { json }))
    }

    /// The certificate of a product that the caller sees.
    fn certificate_of(&self, request: &Request<Named>) -> Result<Response<Files>, Status> {
        let product: ProductId =
            id("product", &request.get_ref().id).map_err(|refused| status(&refused))?;
        let asking = asking(request, self.channel);
        self.show(&asking, &Subject::Product(product.clone()))?;
        let files = self.gateway.domain.certificate_of(&product);
        let files = files.map_err(|refused| status(&refused))?;
        let files = files.into_iter().map(|(name, data)| FileOf { name, data });
        Ok(Response::new(Files {
            files: files.collect(),
        }))
    }
}

fn review(given: Pair) -> Result<Step, Refused> {
    let aspect = word("aspect", &given.word)?;
    of(&given.id, |product| Command::ReviewProduct {
        product,
        aspect,
    })
}

fn refuse(given: Reasoned) -> Result<Step, Refused> {
    let reason = reason(&given.reason)?;
    of(&given.id, |product| Command::RefuseProduct {
        product,
        reason,
    })
}

fn recall(given: Caused) -> Result<Step, Refused> {
    let (cause, reason) = (cause(&given.cause)?, reason(&given.reason)?);
    of(&given.id, |product| Command::RecallProduct {
        product,
        cause,
        reason,
    })
}

steps!(Products {
    review(Pair) => review;
    refuse(Reasoned) => refuse;
    publish(Named) => |given| of(&given.id, Command::PublishProduct);
    recall(Caused) => recall;
    @ async fn register(
        &self,
        request: Request<ProductRegistration>,
    ) -> Result<Response<Done>, Status> {
        self.register_product(request).await
    }

    async fn report(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        self.report_of(&request)
    }

    async fn certificate(&self, request: Request<Named>) -> Result<Response<Files>, Status> {
        self.certificate_of(&request)
    }

    async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            state.products().map(|s| Subject::Product(s.product.id.clone())).collect()
        })
    }

    async fn show(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        self.show_of(&request, |named| Ok(Subject::Product(id("product", &named.id)?)))
    }
});
