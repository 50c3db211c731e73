use super::{
    Desk,
    parsed::{digest, document, id, reason, word},
    refused, status,
    told::Subject,
};
use crate::{
    Asking, Carried,
    external::{Barred, Bringing},
    flight::asking,
};
use register::Command;
use std::{path::Path, time::Duration};
use terms::ExternalId;
use tonic::{Request, Response, Status, Streaming};
use vault::{Arrived, Arriving, Format};
use wire::management::{
    Document, Documents, Done, ExternalHeader, ExternalPart, ExternalReview, Named, Page, Reasoned,
    external_part::Part, externals_server::Externals,
};

/// Words of a declaration, in characters.
const WORDS_MAX: usize = 4_000;
/// How long a declaration may take, before anything is held for it.
const DECLARED_MAX: Duration = Duration::from_secs(10);

fn barred(why: &Barred) -> Status {
    match why.told() {
        Ok(told) => status(&told),
        Err(step) => refused(step),
    }
}

/// What the operator declares, and the format of its file.
fn bringing(header: ExternalHeader) -> Result<(Bringing, Format), Barred> {
    let words = |text: String, what: &'static str| {
        let text = text.trim().to_owned();
        let said = !text.is_empty() && text.chars().count() <= WORDS_MAX;
        said.then_some(text).ok_or(Barred::Garbled(what))
    };
    let name = Path::new(&header.file).file_name();
    let file = name.map(|name| name.to_string_lossy().into_owned());
    let file = file.filter(|name| name.chars().count() <= 255);
    let file = file.ok_or(Barred::Garbled("file: a name without a path"))?;
    let format = Format::named(Path::new(&file));
    let format = format.ok_or(Barred::Garbled("file: `.csv` or `.parquet`"))?;
    let of = Bringing {
        scenario: id("scenario", &header.scenario)?,
        dataset: document("dataset", &header.entry_json)?,
        purpose: words(header.purpose, "purpose: what the data is for")?,
        source: words(header.source, "source: by which right, and from where")?,
        agreement: digest(&header.agreement)?,
        file,
    };
    Ok((of, format))
}

impl Desk {
    /// Takes an upload: who may not, and what is not lawful, is refused before its first byte.
    async fn submitted(
        &self,
        asking: &Asking,
        mut parts: Streaming<ExternalPart>,
    ) -> Result<(ExternalId, Carried), Barred> {
        let domain = &self.gateway.domain;
        let declared = async {
            let first = part(&mut parts).await?;
            let Some(Part::Header(header)) = first else {
                return Err(Barred::Garbled("the declaration comes first"));
            };
            let bytes = header.bytes;
            let (of, format) = bringing(header)?;
            self.gateway.may_bring(asking, &of)?;
            Ok((of, format, bytes))
        };
        let declared = tokio::time::timeout(DECLARED_MAX, declared).await;
        let (of, format, bytes) = declared.map_err(|_| Barred::TooSlow)??;
        // Only who may bring something keeps others from it.
        let _uploading = domain.uploading.try_lock().map_err(|_| Barred::Busy)?;
        let arriving = async {
            let arrived = self.arrived(&mut parts, format).await?;
            if arrived.bytes != bytes {
                return Err(Barred::Garbled("the upload broke off"));
            }
            Ok((of, arrived))
        };
        let arrived = tokio::time::timeout(domain.config.external_upload_max, arriving).await;
        let (of, arrived) = arrived.map_err(|_| Barred::TooSlow)??;
        self.gateway.bring(asking, (of, arrived)).await
    }

    async fn arrived(
        &self,
        parts: &mut Streaming<ExternalPart>,
        format: Format,
    ) -> Result<Arrived, Barred> {
        let mut arriving = Arriving::new(self.gateway.domain.config.external_bytes_max)?;
        while let Some(next) = part(parts).await? {
            let Part::Data(bytes) = next else {
                return Err(Barred::Garbled("one declaration, then the file"));
            };
            arriving.take(&bytes)?;
        }
        Ok(arriving.whole(format))
    }

    fn carried(
        &self,
        (id, carried): (ExternalId, Result<Carried, Barred>),
    ) -> Result<Response<Done>, Status> {
        let carried = carried.map_err(|why| barred(&why))?;
        Ok(self.done(&carried, &Subject::External(id)))
    }
}

/// The next part; none where the sender ended as it should.
async fn part(parts: &mut Streaming<ExternalPart>) -> Result<Option<Part>, Barred> {
    let next = parts.message().await;
    let next = next.map_err(|_| Barred::Garbled("the upload broke off"))?;
    match next {
        None => Ok(None),
        Some(next) => next.part.map(Some).ok_or(Barred::Garbled("an empty part")),
    }
}

fn named(text: &str) -> Result<ExternalId, Status> {
    id("external", text).map_err(|why| status(&why))
}

#[tonic::async_trait]
impl Externals for Desk {
    async fn submit(
        &self,
        request: Request<Streaming<ExternalPart>>,
    ) -> Result<Response<Done>, Status> {
        let asking = asking(&request, self.channel);
        let submitted = self.submitted(&asking, request.into_inner()).await;
        let (id, carried) = submitted.map_err(|why| barred(&why))?;
        self.carried((id, Ok(carried)))
    }

    async fn review(&self, request: Request<ExternalReview>) -> Result<Response<Done>, Status> {
        let asking = asking(&request, self.channel);
        let given = request.into_inner();
        let id = named(&given.id)?;
        let scrutiny = word("aspect", &given.aspect).map_err(|why| status(&why))?;
        let accepted = match given.accept_findings.as_str() {
            "" => None,
            words => Some(reason(words).map_err(|why| status(&why))?),
        };
        let of = (id.clone(), scrutiny);
        let reviewed = self.gateway.review_external(&asking, of, accepted).await;
        self.carried((id, reviewed))
    }

    async fn refuse(&self, request: Request<Reasoned>) -> Result<Response<Done>, Status> {
        let asking = asking(&request, self.channel);
        let given = request.into_inner();
        let external = named(&given.id)?;
        let reason = reason(&given.reason).map_err(|why| status(&why))?;
        let id = external.clone();
        let command = Command::RefuseExternal { external, reason };
        let ended = self.gateway.end_external(&asking, (id.clone(), command));
        self.carried((id, ended.await))
    }

    async fn withdraw(&self, request: Request<Named>) -> Result<Response<Done>, Status> {
        let asking = asking(&request, self.channel);
        let id = named(&request.into_inner().id)?;
        let command = Command::WithdrawExternal(id.clone());
        let ended = self.gateway.end_external(&asking, (id.clone(), command));
        self.carried((id, ended.await))
    }

    async fn report(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        let asking = asking(&request, self.channel);
        let id = named(&request.into_inner().id)?;
        let json = self.gateway.report_of_external(&asking, &id);
        let json = json.map_err(|why| barred(&why))?;
        Ok(Response::new(Document { json }))
    }

    async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            let all = state.externals();
            all.map(|standing| Subject::External(standing.external.id.clone()))
                .collect()
        })
    }

    async fn show(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        self.show_of(&request, |named| {
            Ok(Subject::External(id("external", &named.id)?))
        })
    }
}
