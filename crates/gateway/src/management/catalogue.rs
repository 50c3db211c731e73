use super::{
    Step,
    parsed::{document, id, reason, word},
    refused,
    sight::datasets,
    status, steps,
    told::Subject,
};
use crate::{By, Refused, flight::asking};
use register::Command;
use std::path::Path;
use terms::{Dataset, DatasetName, Degree, Grade, Impact, ItemName, Scope};
use tonic::{Request, Response, Status};
use wire::management::{
    ConfirmedGrades, Document, DocumentOf, Documents, Done, LoadRequest, Named, Page,
    ProposedGrades, Reasoned, catalogue_server::Catalogue,
};

/// The folder in the domain's from which data is taken in.
const INBOX: &str = "inbox";

fn of(dataset: &str, command: impl FnOnce(DatasetName) -> Command) -> Result<Step, Refused> {
    let dataset: DatasetName = id("dataset", dataset)?;
    let about = Subject::Dataset(dataset.clone());
    Ok(Step::new(command(dataset), about))
}

fn entry(given: &Document, command: impl FnOnce(Dataset) -> Command) -> Result<Step, Refused> {
    let dataset: Dataset = document("dataset", &given.json)?;
    let about = Subject::Dataset(dataset.name.clone());
    Ok(Step::new(command(dataset), about))
}

fn propose_grades(given: ProposedGrades) -> Result<Step, Refused> {
    let impact = |found: &wire::management::Impact| {
        let item: ItemName = id("item", &found.item)?;
        let degree: Degree = word("degree", &found.degree)?;
        let scope: Scope = word("scope", &found.scope)?;
        Ok((item, Impact { degree, scope }))
    };
    let items: Result<Vec<_>, Refused> = given.items.iter().map(impact).collect();
    let items = items?;
    of(&given.dataset, |dataset| Command::ProposeGrades {
        dataset,
        items,
    })
}

fn confirm_grades(given: ConfirmedGrades) -> Result<Step, Refused> {
    let grade = |confirmed: &wire::management::ItemGrade| {
        let item: ItemName = id("item", &confirmed.item)?;
        let grade: Grade = document("grade", &confirmed.grade.to_string())?;
        Ok((item, grade))
    };
    let grades: Result<Vec<_>, Refused> = given.items.iter().map(grade).collect();
    let grades = grades?;
    let reason = match given.reason.as_str() {
        "" => None,
        text => Some(reason(text)?),
    };
    of(&given.dataset, |dataset| Command::ConfirmGrades {
        dataset,
        grades,
        reason,
    })
}

fn assess_risk(given: DocumentOf) -> Result<Step, Refused> {
    let risk = document("risk", &given.json)?;
    of(&given.id, |dataset| Command::AssessRisk { dataset, risk })
}

fn prohibit(given: Reasoned) -> Result<Step, Refused> {
    // It stands in the clear, but is no less a reason.
    let basis = reason(&given.reason)?.as_str().to_owned();
    of(&given.id, |dataset| Command::ProhibitDataset {
        dataset,
        basis,
    })
}

fn suspend(given: Reasoned) -> Result<Step, Refused> {
    let reason = reason(&given.reason)?;
    of(&given.id, |dataset| Command::SuspendDataset {
        dataset,
        reason,
    })
}

fn withdraw(given: Reasoned) -> Result<Step, Refused> {
    let reason = reason(&given.reason)?;
    of(&given.id, |dataset| Command::WithdrawDataset {
        dataset,
        reason,
    })
}

/// A file's name without a way out of its folder.
fn file_name(text: &str) -> Result<&Path, Refused> {
    let path = Path::new(text);
    let is_name = path
        .file_name()
        .is_some_and(|name| name == path.as_os_str());
    if is_name {
        return Ok(path);
    }
    Err(Refused::invalid(
        "management.inbox",
        "name a file in the domain's folder `inbox`, without a path.",
        "请给出域目录 `inbox` 中的文件名，不含路径。",
    ))
}

steps!(Catalogue {
    propose(Document) => |given| entry(&given, Command::ProposeDataset);
    add(Document) => |given| entry(&given, Command::CatalogueDataset);
    propose_grades(ProposedGrades) => propose_grades;
    confirm_grades(ConfirmedGrades) => confirm_grades;
    assess_risk(DocumentOf) => assess_risk;
    prohibit(Reasoned) => prohibit;
    suspend(Reasoned) => suspend;
    reinstate(Named) => |given| of(&given.id, Command::ReinstateDataset);
    withdraw(Reasoned) => withdraw;
    @ async fn load(&self, request: Request<LoadRequest>) -> Result<Response<Done>, Status> {
        let asking = asking(&request, self.channel);
        let read = |given: &LoadRequest| {
            Ok((id("dataset", &given.dataset)?, file_name(&given.file)?.to_owned()))
        };
        let (name, file): (DatasetName, _) = read(request.get_ref()).map_err(|why| status(&why))?;
        // Reading a file is work: nobody who may not have it done.
        self.may(&asking, "loadDataset").map_err(|why| status(&why))?;
        let known = self.gateway.domain.live.read().state.dataset(&name).cloned();
        let Some(dataset) = known else {
            return Err(status(&Refused::invalid(
                "management.unknown",
                "there is nothing of that name for you.",
                "没有您可见的该名称对象。",
            )));
        };
        let path = self.gateway.domain.dir.join(INBOX).join(file);
        let by = By::Caller(Box::new(asking));
        let loaded = self.administration().load(&by, (&dataset, &path), |_| {}).await;
        let (_, carried) = loaded.map_err(|why| refused(&why))?;
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::warn!(%error, "what was taken in still lies in the inbox");
        }
        Ok(self.done(&carried, &Subject::Dataset(name)))
    }

    async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, datasets)
    }

    async fn show(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        self.show_of(&request, |named| Ok(Subject::Dataset(id("dataset", &named.id)?)))
    }
});
