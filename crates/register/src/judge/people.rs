use super::{Asked, CLOCK};
use crate::{State, Unlawful};
use chrono::NaiveDate;
use terms::{Digest, Event, Person, PersonId, PersonStep, Role, Standing};

impl State {
    /// Somebody comes in. Source: AO-16(1).
    pub(super) fn enrol_person(
        &self,
        asked: Asked<'_>,
        person: Person,
        certificate: Digest,
    ) -> Result<Event, Unlawful> {
        self.judge_person(&person, &certificate)?;
        Ok(Event::PersonEnrolled {
            by: asked.by.id.clone(),
            person,
            certificate,
        })
    }

    /// 签订保密协议. Source: AO-16(1).
    pub(super) fn sign_agreement(
        &self,
        asked: Asked<'_>,
        id: &PersonId,
        until: NaiveDate,
    ) -> Result<Event, Unlawful> {
        let person = self.enrolled(id)?.clone();
        if until < asked.today {
            let what = "the agreement is over already; give the day it ends";
            return refused("register.agreement-over", id, what);
        }
        let nda_until = Some(until);
        Ok(Event::PersonChanged {
            by: asked.by.id.clone(),
            step: PersonStep::AgreementSigned,
            person: Person {
                nda_until,
                ..person
            },
            certificate: self.certificate(id).copied(),
        })
    }

    /// Another certificate in place of the one before.
    pub(super) fn renew_certificate(
        &self,
        asked: Asked<'_>,
        id: &PersonId,
        certificate: Digest,
    ) -> Result<Event, Unlawful> {
        let person = self.enrolled(id)?.clone();
        self.judge_certificate(&certificate, id)?;
        Ok(Event::PersonChanged {
            by: asked.by.id.clone(),
            step: PersonStep::CertificateRenewed,
            person,
            certificate: Some(certificate),
        })
    }

    /// A change that says all by its name, of somebody it can happen to.
    pub(super) fn change(
        &self,
        asked: Asked<'_>,
        id: &PersonId,
        step: PersonStep,
    ) -> Result<Event, Unlawful> {
        let mut person = self.enrolled(id)?.clone();
        let held = self.certificate(id).copied();
        let (standing, certificate) = (person.standing, held);
        let nothing = "nothing would change";
        let certificate = match step {
            PersonStep::Vetted if person.vetted => {
                return refused("register.no-change", id, nothing);
            }
            PersonStep::Vetted if *id == asked.by.id => {
                return refused("register.own-vetting", id, "somebody else vets you");
            }
            PersonStep::Vetted => {
                person.vetted = true;
                certificate
            }
            PersonStep::CertificateRevoked if held.is_none() => {
                return refused("register.no-change", id, nothing);
            }
            PersonStep::CertificateRevoked => None,
            PersonStep::Suspended if standing != Standing::Active => {
                return refused("register.no-change", id, nothing);
            }
            PersonStep::Suspended => {
                person.standing = Standing::Suspended;
                certificate
            }
            PersonStep::Reinstated if standing != Standing::Suspended => {
                return refused("register.no-change", id, nothing);
            }
            PersonStep::Reinstated if *id == asked.by.id => {
                return refused("register.own-standing", id, "somebody else reinstates you");
            }
            PersonStep::Reinstated => {
                person.standing = Standing::Active;
                certificate
            }
            PersonStep::Left => {
                person.standing = Standing::Ended;
                None
            }
            // Said with more than its name; here nothing changes.
            PersonStep::AgreementSigned | PersonStep::CertificateRenewed => {
                return refused("register.no-change", id, nothing);
            }
        };
        Ok(Event::PersonChanged {
            by: asked.by.id.clone(),
            step,
            person,
            certificate,
        })
    }

    /// Somebody who is enrolled and did not leave.
    pub(super) fn enrolled(&self, id: &PersonId) -> Result<&Person, Unlawful> {
        let Some(person) = self.person(id) else {
            return refused("register.no-person", id, "nobody is enrolled by this id");
        };
        if person.standing == Standing::Ended {
            let what = "the person left; enrol them again by another id";
            return refused("register.left", id, what);
        }
        Ok(person)
    }

    /// One person, one id, one certificate, for good. Source: AO-16(1).
    fn judge_person(&self, person: &Person, certificate: &Digest) -> Result<(), Unlawful> {
        let id = &person.id;
        if self.person(id).is_some() {
            let what = "a person of this id is enrolled already; choose another id";
            return refused("register.person-exists", id, what);
        }
        if id.as_str() == CLOCK {
            let what = "the clock takes steps by this id; choose another id";
            return refused("register.person-exists", id, what);
        }
        self.judge_certificate(certificate, id)?;
        if person.role == Role::OperatorMember && person.operator().is_none() {
            let what = "the organisation of an operator member is the operator's id";
            return refused("register.no-operator", id, what);
        }
        if person.standing != Standing::Active {
            let what = "who is enrolled is let in; suspend them afterwards";
            return refused("register.not-active", id, what);
        }
        // Before anybody can vet, those who build the domain are vetted outside it.
        let vets = |known: &Person| known.role == Role::SecurityAuthority && known.vetted;
        if person.vetted && !self.pilot() && self.people().any(vets) {
            let what = "enrol the person first; the security authority vets them (`person vet`)";
            return refused("register.vetted-by-nobody", id, what);
        }
        Ok(())
    }

    fn judge_certificate(&self, certificate: &Digest, id: &PersonId) -> Result<(), Unlawful> {
        if self.person_by_certificate(certificate).is_some() {
            let what = "somebody is enrolled with this certificate already; issue another";
            return refused("register.certificate-exists", id, what);
        }
        Ok(())
    }
}

fn refused<T>(code: &'static str, id: &PersonId, what: &str) -> Result<T, Unlawful> {
    let place = format!("person `{id}`");
    Err(Unlawful::new(code, place, what, "AO-16(1)"))
}

#[cfg(test)]
mod tests;
