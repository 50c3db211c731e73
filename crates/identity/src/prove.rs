use crate::{Unproved, end_of_day};
use chrono::{DateTime, Utc};
use register::State;
use terms::{Channel, Digest, OperatorId, Person, Standing};
use x509_parser::prelude::{FromDer, X509Certificate};

/// A proved, real-named person on one listener. Made by [`prove`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    person: Person,
    channel: Channel,
    certificate: Digest,
    expires: DateTime<Utc>,
}

impl Caller {
    /// Who.
    #[must_use]
    pub const fn person(&self) -> &Person {
        &self.person
    }

    /// The operator the person works for, if any.
    #[must_use]
    pub fn operator(&self) -> Option<OperatorId> {
        self.person.operator()
    }

    /// The listener the call came in by.
    #[must_use]
    pub const fn channel(&self) -> Channel {
        self.channel
    }

    /// SHA-256 of the certificate.
    #[must_use]
    pub const fn certificate(&self) -> &Digest {
        &self.certificate
    }

    /// When the proof ends: the certificate or the agreement, whichever is first.
    #[must_use]
    pub const fn expires(&self) -> DateTime<Utc> {
        self.expires
    }
}

/// Proves a caller on every call, from the certificate that TLS has verified against the domain's CA.
///
/// Source: AO-16(1), CG-B 汇聚 L3-9.
///
/// # Errors
/// [`Unproved`], with the person where it is known who asks.
pub fn prove(
    certificate_der: Option<&[u8]>,
    register: &State,
    channel: Channel,
    now: DateTime<Utc>,
) -> Result<Caller, Unproved> {
    let der = certificate_der.ok_or(Unproved::NoCertificate)?;
    let (_, parsed) = X509Certificate::from_der(der).map_err(|_| Unproved::Unreadable)?;
    let validity = parsed.validity();
    let (from, until) = (
        validity.not_before.timestamp(),
        validity.not_after.timestamp(),
    );
    if now.timestamp() < from || now.timestamp() >= until {
        return Err(Unproved::OutsideValidity);
    }
    let certificate = Digest::of(der);
    let person = register
        .person_by_certificate(&certificate)
        .ok_or(Unproved::Unknown)?;
    if person.standing != Standing::Active {
        return Err(Unproved::Suspended(person.id.clone()));
    }
    if !person.vetted {
        return Err(Unproved::NotVetted(person.id.clone()));
    }
    let lapsed = || Unproved::NdaLapsed(person.id.clone());
    let nda = person
        .nda_until
        .map(end_of_day)
        .filter(|end| now < *end)
        .ok_or_else(lapsed)?;
    let not_after = DateTime::from_timestamp(until, 0).ok_or(Unproved::Unreadable)?;
    Ok(Caller {
        person: person.clone(),
        channel,
        certificate,
        expires: nda.min(not_after),
    })
}

#[cfg(test)]
mod tests;
