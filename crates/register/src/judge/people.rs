use crate::{State, Unlawful};
use terms::{Digest, Operator, Person, Role};

impl State {
    /// One person, one id, one certificate, for good. Source: AO-16(1).
    pub(super) fn judge_person(
        &self,
        person: &Person,
        certificate: &Digest,
    ) -> Result<(), Unlawful> {
        let place = format!("person `{}`", person.id);
        if self.person(&person.id).is_some() {
            let what = "a person of this id is enrolled already; choose another id";
            return Err(Unlawful::new(
                "register.person-exists",
                place,
                what,
                "AO-16(1)",
            ));
        }
        if self.person_by_certificate(certificate).is_some() {
            let what = "somebody is enrolled with this certificate already; issue another";
            return Err(Unlawful::new(
                "register.certificate-exists",
                place,
                what,
                "AO-16(1)",
            ));
        }
        if person.role == Role::OperatorMember && person.operator().is_none() {
            let what = "the organisation of an operator member is the operator's id";
            return Err(Unlawful::new(
                "register.no-operator",
                place,
                what,
                "AO-16(1)",
            ));
        }
        Ok(())
    }

    /// An operator names an enrolled person of its own as data security officer. Source: AO-7.
    pub(super) fn judge_operator(&self, operator: &Operator) -> Result<(), Unlawful> {
        let place = format!("operator `{}`", operator.id);
        if self.operator(&operator.id).is_some() {
            let what = "an operator of this id is registered already; choose another id";
            return Err(Unlawful::new(
                "register.operator-exists",
                place,
                what,
                "AO-7",
            ));
        }
        let officer = operator
            .security_officer
            .as_ref()
            .and_then(|id| self.person(id));
        if officer.and_then(Person::operator).as_ref() != Some(&operator.id) {
            let what = "name a data security officer who is enrolled as a member of this operator";
            return Err(Unlawful::new(
                "register.no-security-officer",
                place,
                what,
                "AO-7",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
