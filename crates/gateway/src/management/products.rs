use super::{
    Step,
    parsed::{cause, document, id, reason, word},
    steps,
    told::Subject,
};
use crate::Refused;
use register::Command;
use terms::{Product, ProductId};
use tonic::{Request, Response, Status};
use wire::management::{
    All, Caused, Document, Documents, Named, Pair, Reasoned, products_server::Products,
};

fn of(product: &str, command: impl FnOnce(ProductId) -> Command) -> Result<Step, Refused> {
    let product: ProductId = id("product", product)?;
    let about = Subject::Product(product.clone());
    Ok(Step::new(command(product), about))
}

fn register(given: Document) -> Result<Step, Refused> {
    let product: Product = document("product", &given.json)?;
    let about = Subject::Product(product.id.clone());
    Ok(Step::new(Command::RegisterProduct(product), about))
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
    register(Document) => register;
    review(Pair) => review;
    refuse(Reasoned) => refuse;
    publish(Named) => |given| of(&given.id, Command::PublishProduct);
    recall(Caused) => recall;
    @ async fn list(&self, request: Request<All>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            state.products().map(|s| Subject::Product(s.product.id.clone())).collect()
        })
    }

    async fn show(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        self.show_of(&request, |named| Ok(Subject::Product(id("product", &named.id)?)))
    }
});
