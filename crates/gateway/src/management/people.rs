use super::{
    Desk, Step,
    parsed::{day, digest, id, reason, word},
    status, steps,
    told::Subject,
};
use crate::{Carried, Refused, flight::asking, operation::now};
use identity::Authority;
use register::Command;
use terms::{Digest, Person, PersonId, Standing};
use tonic::{Request, Response, Status};
use wire::management::{
    CertificateRequest, Dated, Document, Documents, EnrolReply, EnrolRequest, Named, Page,
    Reasoned, Vetting, people_server::People,
};

fn of(person: PersonId, command: impl FnOnce(PersonId) -> Command) -> Step {
    Step::new(command(person.clone()), Subject::Person(person))
}

fn named(named: &Named, command: impl FnOnce(PersonId) -> Command) -> Result<Step, Refused> {
    Ok(of(id("person", &named.id)?, command))
}

/// The certificate that was looked at, where one is named.
fn looked_at(given: &Vetting) -> Result<Option<Digest>, Refused> {
    let named = Some(given.certificate.as_str()).filter(|named| !named.is_empty());
    named.map(digest).transpose()
}

fn vet(given: Vetting) -> Result<Step, Refused> {
    let certificate = looked_at(&given)?;
    let command = |person| Command::VetPerson {
        person,
        certificate,
    };
    Ok(of(id("person", &given.id)?, command))
}

fn vouch(given: Vetting) -> Result<Step, Refused> {
    let certificate = looked_at(&given)?;
    let command = |person| Command::VouchPerson {
        person,
        certificate,
    };
    Ok(of(id("person", &given.id)?, command))
}

fn sign_agreement(given: Dated) -> Result<Step, Refused> {
    let until = day("day", &given.day)?;
    let command = |person| Command::SignAgreement { person, until };
    Ok(of(id("person", &given.id)?, command))
}

fn revoke(given: Reasoned) -> Result<Step, Refused> {
    let reason = reason(&given.reason)?;
    let command = |person| Command::RevokeCertificate { person, reason };
    Ok(of(id("person", &given.id)?, command))
}

fn suspend(given: Reasoned) -> Result<Step, Refused> {
    let reason = reason(&given.reason)?;
    let command = |person| Command::SuspendPerson { person, reason };
    Ok(of(id("person", &given.id)?, command))
}

/// Somebody new, not under an agreement yet.
fn newcomer(given: &EnrolRequest) -> Result<Person, Refused> {
    Ok(Person {
        id: id("person", &given.id)?,
        role: word("role", &given.role)?,
        organisation: given.organisation.clone(),
        vetted: given.vetted,
        nda_until: None,
        standing: Standing::Active,
    })
}

impl Desk {
    /// Certifies a request for a person and takes the step that puts the certificate on record. The
    /// certificate is worth nothing before: it is looked up in the register on every call.
    async fn certified<T>(
        &self,
        request: &Request<T>,
        (person, request_pem): (&Person, &str),
        command: impl Fn(Digest) -> (Command, Option<Vec<u8>>),
    ) -> Result<Response<EnrolReply>, Status> {
        let asking = asking(request, self.channel);
        // Nothing is signed for somebody who may not ask.
        let wanted = command(Digest::of(b"")).0;
        let submitter = self
            .gateway
            .domain
            .live
            .read()
            .state
            .submitter(&wanted)
            .cloned();
        let may = self
            .gateway
            .may(&asking, wanted.action(), submitter.as_ref());
        may.map_err(|why| status(&why))?;
        let unusable = |error: identity::Unissued| {
            tracing::error!(%error, "the authority cannot be used");
            status(&Refused::internal("management.authority"))
        };
        let authority = Authority::open(&self.gateway.domain.dir.join("ca")).map_err(unusable)?;
        let certified = authority.certify(request_pem, person, now()).map_err(|_| {
            status(&Refused::invalid(
                "management.certificate-request",
                "this is no certificate request that proves its key; make it with `bonded person request`.",
                "证书申请无效或未证明持有私钥；请用 `bonded person request` 生成。",
            ))
        })?;
        let (command, sealed) = command(certified.digest);
        let about = Subject::Person(person.id.clone());
        let step = Step {
            command,
            about: about.clone(),
            sealed,
        };
        let carried = self.carry_out(&asking, step).await?;
        let Carried { index, checkpoint } = carried;
        let stands = self.gateway.domain.live.read();
        Ok(Response::new(EnrolReply {
            index,
            checkpoint,
            json: about.told(&stands.state).unwrap_or_default().to_string(),
            certificate_pem: certified.certificate_pem,
            ca_pem: authority.ca_pem().to_owned(),
        }))
    }
}

steps!(People {
    vet(Vetting) => vet;
    vouch(Vetting) => vouch;
    sign_agreement(Dated) => sign_agreement;
    revoke_certificate(Reasoned) => revoke;
    suspend(Reasoned) => suspend;
    reinstate(Named) => |given| named(&given, Command::ReinstatePerson);
    dismiss(Named) => |given| named(&given, Command::DismissPerson);
    @ async fn enrol(&self, request: Request<EnrolRequest>) -> Result<Response<EnrolReply>, Status> {
        let given = request.get_ref();
        let person = newcomer(given).map_err(|why| status(&why))?;
        let enrolled = (&person, given.request_pem.as_str());
        let name = Some(given.name.trim().as_bytes().to_vec()).filter(|name| !name.is_empty());
        if name.is_none() {
            return Err(status(&Refused::invalid(
                "management.no-name",
                "give the real name; it is kept sealed (AO-16).",
                "请填写真实姓名，姓名将密封保存（办法第十六条）。",
            )));
        }
        let command = |certificate| {
            let person = person.clone();
            (Command::EnrolPerson { person, certificate }, name.clone())
        };
        self.certified(&request, enrolled, command).await
    }

    async fn renew_certificate(
        &self,
        request: Request<CertificateRequest>,
    ) -> Result<Response<EnrolReply>, Status> {
        let given = request.get_ref();
        let named = Some(given.id.as_str()).filter(|id| !id.is_empty());
        let named: Option<PersonId> = named
            .map(|given| id("person", given))
            .transpose()
            .map_err(|why| status(&why))?;
        // Whose it is says which step it is: the caller's own, whom the certificate they hold proves.
        let caller = self.gateway.prove(&asking(&request, self.channel));
        let caller = caller.map_err(|why| status(&why))?.person().id.clone();
        let is_own = named.as_ref().is_none_or(|named| *named == caller);
        let wanted = named.unwrap_or(caller);
        let known = self.gateway.domain.live.read().state.person(&wanted).cloned();
        let command = |certificate| {
            let person = wanted.clone();
            let command = if is_own {
                Command::RenewOwnCertificate { person, certificate }
            } else {
                Command::RenewCertificate { person, certificate }
            };
            (command, None)
        };
        // Nobody is told here whether there is such a person: the register does, after policy.
        let person = known.unwrap_or_else(|| Person {
            id: wanted.clone(),
            role: terms::Role::OperatorMember,
            organisation: String::new(),
            vetted: false,
            nda_until: None,
            standing: Standing::Active,
        });
        self.certified(&request, (&person, &given.request_pem), command).await
    }

    async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            state.people().map(|person| Subject::Person(person.id.clone())).collect()
        })
    }

    async fn show(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        self.show_of(&request, |named| Ok(Subject::Person(id("person", &named.id)?)))
    }
});
