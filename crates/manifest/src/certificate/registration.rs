//! 产品登记证书: that two authorities approved a product, and what it is. It says what stood when it was
//! signed; whether the product was recalled since, the domain says and no copy of this can.

use super::{Certified, Certifies};
use crate::{Broken, broken::Check};
use chrono::{DateTime, NaiveDate, Utc};
use ledger::{Breach, Leaf, NoteVerifier, TlogProof};
use std::{collections::BTreeSet, path::Path};
use terms::{
    Aspect, Digest, DomainName, Event, LicenceId, OperatorId, PersonId, Product, Review, Stage,
};

/// The respects in which a product is approved, each by another authority. Source: AO-17.
const OWED: [Aspect; 2] = [Aspect::Compliance, Aspect::Security];

/// What a certificate says of a product: the predicate of its statement. Source: AO-17, AO-21, AO-24.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registration {
    /// In which domain.
    pub domain: DomainName,
    /// Whether the domain was made from a seed.
    pub pilot: bool,
    /// The product as it was approved: its form, scenario, benefit, fee standard, plan and report.
    pub product: Product,
    /// Whose it is.
    pub operator: OperatorId,
    /// Under which licence.
    pub licence: LicenceId,
    /// The stated purpose of its scenario.
    pub purpose: String,
    /// Who found it in order, in which respect.
    pub reviews: Vec<Reviewed>,
    /// The step with which it was approved.
    pub approved: Approved,
    /// The first day.
    pub from: NaiveDate,
    /// The last day, if nothing ends it before: that of its licence.
    pub until: NaiveDate,
    /// What ends it before, and what no copy of this can say.
    pub ends: Vec<String>,
    /// The version of the software.
    pub software: String,
    /// When it was signed.
    pub at: DateTime<Utc>,
}

/// Somebody found it in order, as it is on record.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reviewed {
    /// In which respect.
    pub aspect: Aspect,
    /// By whom.
    pub by: PersonId,
    /// On which day of the domain's.
    pub on: NaiveDate,
    /// When.
    pub at: DateTime<Utc>,
    /// Its entry in the domain's log.
    pub index: u64,
}

/// The entry with which both authorities had approved it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// Which entry.
    pub index: u64,
    /// The entry, as it was hashed.
    pub leaf: String,
    /// The proof that the log holds it.
    pub proof: String,
}

/// Verifies a certificate of registration with the domain's public key, and a policy that names the log
/// and the witnesses to trust; without one, the policy that it was signed over.
///
/// # Errors
/// [`Broken::Fails`] names the first check that does not hold.
pub fn verify_registration(
    folder: &Path,
    key_pem: &str,
    policy: Option<&str>,
) -> Result<Certified<Registration>, Broken> {
    super::verify(folder, key_pem, policy)
}

impl Certifies for Registration {
    const TYPE: &'static str = "https://bonded.dev/product-registration/v1";
    const FILE: &'static str = "registration.dsse.json";

    fn domain(&self) -> &DomainName {
        &self.domain
    }

    fn objects(&self) -> Vec<(String, Digest)> {
        let plan = self.product.plan.map(|plan| ("plan", plan));
        let report = self.product.disclosure.map(|it| ("disclosure-report", it));
        let entry = Digest::of(self.approved.leaf.as_bytes());
        let all = [plan, report, Some(("approval", entry))];
        let all = all.into_iter().flatten();
        all.map(|(name, digest)| (name.to_owned(), digest))
            .collect()
    }

    fn on_record(event: &Event) -> Option<Digest> {
        if let Event::ProductCertified { certificate, .. } = event {
            Some(*certificate)
        } else {
            None
        }
    }

    fn holds(&self, event: &Event, index: u64, log: &NoteVerifier) -> Result<(), Broken> {
        let is_of_it = matches!(event, Event::ProductCertified { product, .. }
            if *product == self.product.id);
        if !is_of_it {
            return fails("the entry on record is of another product");
        }
        if self.approved.index >= index {
            return fails("it was certified before it was approved");
        }
        self.judge_approval(log)?;
        self.judge_reviews()
    }
}

// === impl Registration ===

impl Registration {
    /// The log holds the approval, and that is of this product as it is certified.
    fn judge_approval(&self, log: &NoteVerifier) -> Result<(), Broken> {
        let Approved { index, leaf, proof } = &self.approved;
        let untrue = |breach: Breach| Broken::fails(Check::Inclusion, breach.to_string());
        let proof: TlogProof = proof.parse().map_err(untrue)?;
        if proof.index != *index {
            let what = "the proof is of another entry";
            return Err(Broken::fails(Check::Inclusion, what));
        }
        proof.verify(leaf.as_bytes(), log).map_err(untrue)?;
        let leaf = Leaf::decode(leaf.as_bytes()).map_err(untrue)?;
        let Event::ProductStep {
            by,
            stage: Stage::Granted,
            product,
            course,
        } = leaf.event
        else {
            return fails("the entry is no approval of a product");
        };
        let reviews: Vec<Review> = self.reviews.iter().map(Reviewed::review).collect();
        if product != self.product || course.reviews != reviews {
            return fails("what was approved is another product, or by others");
        }
        let mut last = self.reviews.iter();
        if last.any(|review| review.by == by && review.index == *index && review.at == leaf.at) {
            Ok(())
        } else {
            fails("nobody of the reviewers approved it with that entry")
        }
    }

    /// Two persons, each in another of the respects that are owed.
    fn judge_reviews(&self) -> Result<(), Broken> {
        let people: BTreeSet<&PersonId> = self.reviews.iter().map(|review| &review.by).collect();
        let is_judged = |aspect| self.reviews.iter().any(|review| review.aspect == aspect);
        if people.len() == self.reviews.len() && OWED.into_iter().all(is_judged) {
            Ok(())
        } else {
            fails("it was not approved by two persons of two authorities")
        }
    }
}

// === impl Reviewed ===

impl Reviewed {
    fn review(&self) -> Review {
        Review {
            by: self.by.clone(),
            aspect: self.aspect,
            on: self.on,
        }
    }
}

fn fails<T>(what: &str) -> Result<T, Broken> {
    Err(Broken::fails(Check::Record, what))
}
