use super::{
    Step,
    parsed::{cause, day, document, id, reason},
    steps,
    told::Subject,
};
use crate::Refused;
use register::Command;
use terms::{Announcement, Licence, LicenceId};
use tonic::{Request, Response, Status};
use wire::management::{
    Caused, Dated, Document, Documents, Named, Page, Reasoned, licences_server::Licences,
};

fn of(licence: LicenceId, command: impl FnOnce(LicenceId) -> Command) -> Step {
    Step::new(command(licence.clone()), Subject::Licence(licence))
}

fn named(named: &Named, command: impl FnOnce(LicenceId) -> Command) -> Result<Step, Refused> {
    Ok(of(id("licence", &named.id)?, command))
}

fn announce(given: Document) -> Result<Step, Refused> {
    let announcement: Announcement = document("announcement", &given.json)?;
    let about = Subject::Announcement(announcement.id.clone());
    Ok(Step::new(Command::AnnounceLicences(announcement), about))
}

fn apply(given: Document) -> Result<Step, Refused> {
    let licence: Licence = document("licence", &given.json)?;
    let about = Subject::Licence(licence.id.clone());
    Ok(Step::new(Command::ApplyLicence(licence), about))
}

fn notice(given: Dated) -> Result<Step, Refused> {
    let until = day("day", &given.day)?;
    let command = |licence| Command::NoticeLicence { licence, until };
    Ok(of(id("licence", &given.id)?, command))
}

fn refuse(given: Reasoned) -> Result<Step, Refused> {
    let reason = reason(&given.reason)?;
    let command = |licence| Command::RefuseLicence { licence, reason };
    Ok(of(id("licence", &given.id)?, command))
}

fn suspend(given: Caused) -> Result<Step, Refused> {
    let (cause, reason) = (cause(&given.cause)?, reason(&given.reason)?);
    let rectify_by = day("day", &given.day)?;
    let command = |licence| Command::SuspendLicence {
        licence,
        cause,
        rectify_by,
        reason,
    };
    Ok(of(id("licence", &given.id)?, command))
}

fn terminate(given: Caused) -> Result<Step, Refused> {
    let (cause, reason) = (cause(&given.cause)?, reason(&given.reason)?);
    let command = |licence| Command::TerminateLicence {
        licence,
        cause,
        reason,
    };
    Ok(of(id("licence", &given.id)?, command))
}

steps!(Licences {
    announce(Document) => announce;
    apply(Document) => apply;
    review(Named) => |given| named(&given, Command::ReviewLicence);
    notice(Dated) => notice;
    grant(Named) => |given| named(&given, Command::GrantLicence);
    refuse(Reasoned) => refuse;
    suspend(Caused) => suspend;
    accept_rectification(Named) => |given| named(&given, Command::AcceptRectification);
    terminate(Caused) => terminate;
    surrender(Named) => |given| named(&given, Command::SurrenderLicence);
    @ async fn list(&self, request: Request<Page>) -> Result<Response<Documents>, Status> {
        self.list_of(&request, |state| {
            let calls = state.announcements().map(|call| Subject::Announcement(call.id.clone()));
            let licences = state.licences().map(|s| Subject::Licence(s.licence.id.clone()));
            calls.chain(licences).collect()
        })
    }

    async fn show(&self, request: Request<Named>) -> Result<Response<Document>, Status> {
        self.show_of(&request, |named| Ok(Subject::Licence(id("licence", &named.id)?)))
    }
});
