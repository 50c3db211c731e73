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

    /// Another certificate in place of the holder's own: it was asked for with the one before, so vetting
    /// and agreement stay.
    pub(super) fn renew_own_certificate(
        &self,
        asked: Asked<'_>,
        id: &PersonId,
        certificate: Digest,
    ) -> Result<Event, Unlawful> {
        if *id != asked.by.id {
            let what = "each renews their own; for a lost key the domain administrator does";
            return refused("register.not-own-certificate", id, what);
        }
        self.renewed(asked, self.enrolled(id)?.clone(), certificate)
    }

    /// Another certificate for somebody who lost theirs. Nothing shows that its key is in their hands, so
    /// they are vetted again.
    pub(super) fn renew_certificate(
        &self,
        asked: Asked<'_>,
        id: &PersonId,
        certificate: Digest,
    ) -> Result<Event, Unlawful> {
        if *id == asked.by.id {
            let what =
                "renew your own with the certificate you hold (`person renew` without an id)";
            return refused("register.own-certificate", id, what);
        }
        let person = self.enrolled(id)?.clone();
        // INVARIANT (once vetted, always one vetted): else somebody could be enrolled as vetted again.
        let is_one = person.role == Role::SecurityAuthority && person.vetted;
        if is_one && !self.vetters().any(|other| other.id != *id) {
            let what = "nobody else of the security authority could vet them again; enrol and vet a \
                second one first";
            return refused("register.only-security-authority", id, what);
        }
        let vetted = false;
        self.renewed(asked, Person { vetted, ..person }, certificate)
    }

    fn renewed(
        &self,
        asked: Asked<'_>,
        person: Person,
        certificate: Digest,
    ) -> Result<Event, Unlawful> {
        self.judge_certificate(&certificate, &person.id)?;
        Ok(Event::PersonChanged {
            by: asked.by.id.clone(),
            step: PersonStep::CertificateRenewed,
            person,
            certificate: Some(certificate),
        })
    }

    /// Nobody of the security authority is left to vet: two others of different roles vet the first of it
    /// together. Source: AO-6, AO-16(1).
    pub(super) fn vouch_person(&self, asked: Asked<'_>, id: &PersonId) -> Result<Event, Unlawful> {
        let person = self.enrolled(id)?.clone();
        if person.role != Role::SecurityAuthority {
            let what = "only the security authority is vouched for; it vets the others";
            return refused("register.vouched-role", id, what);
        }
        if person.vetted {
            return refused("register.no-change", id, "nothing would change");
        }
        if self.vetters().next().is_some() {
            let what = "somebody of the security authority can vet them (`person vet`)";
            return refused("register.vetted-inside", id, what);
        }
        let Some(certificate) = self.certificate(id) else {
            let what = "they hold no certificate; renew it first";
            return refused("register.no-certificate", id, what);
        };
        let first = self.vouched(id);
        if first == Some(asked.by.role) {
            let what = "your role vouched for them already; somebody of another role does too";
            return refused("register.approved-already", id, what);
        }
        let vetted = first.is_some();
        Ok(Event::PersonChanged {
            by: asked.by.id.clone(),
            step: PersonStep::Vouched,
            person: Person { vetted, ..person },
            certificate: Some(*certificate),
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
            PersonStep::AgreementSigned | PersonStep::CertificateRenewed | PersonStep::Vouched => {
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

    /// Whether somebody holds the certificate that whoever vets them has looked at, where they say which:
    /// it could have been renewed since.
    pub(super) fn looked_at(
        &self,
        id: &PersonId,
        certificate: Option<Digest>,
    ) -> Result<(), Unlawful> {
        if certificate.is_some() && self.certificate(id) != certificate.as_ref() {
            let what = "they hold another certificate than the one you looked at; ask them again";
            return refused("register.another-certificate", id, what);
        }
        Ok(())
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
        // Vetted outside the domain are its founder and the first of the security authority, for ever: that
        // one may have left since or hold no certificate.
        let is_founder = self.people().next().is_none();
        let is_first = person.role == Role::SecurityAuthority
            && !self
                .people()
                .any(|known| known.role == person.role && known.vetted);
        if person.vetted && !self.pilot() && !is_founder && !is_first {
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
