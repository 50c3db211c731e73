use register::{Destructions, Redactions, State};
use serde_json::Value;
use terms::{Event, Person, PersonId, PersonStep, Stage};

/// A management step as the request it was.
#[derive(Debug)]
pub(super) struct Step {
    pub action: &'static str,
    /// Who took it; none where the person was not on record.
    pub by: Option<Person>,
    /// Who submitted what it is about.
    pub submitter: Option<PersonId>,
}

/// Which action an event records: the event, its `stage` or `step`, what is particular about it, the
/// action, and what it decides on, so that it matters who submitted that.
const ACTIONS: &str = "
holidays-set - - setHolidays -
person-enrolled - - enrolPerson -
person-changed vetted - vetPerson -
person-changed vouched - vouchPerson -
person-changed agreement-signed - signAgreement -
person-changed certificate-renewed - renewCertificate -
person-changed certificate-renewed own renewOwnCertificate holder
person-changed certificate-revoked - revokeCertificate -
person-changed suspended - suspendPerson -
person-changed reinstated - reinstatePerson -
person-changed left - dismissPerson -
operator-registered - - registerOperator -
operator-changed evidence-filed - fileEvidence -
operator-changed officer-named - nameOfficer -
operator-changed plan-filed - filePlan -
operator-changed drilled - recordDrill -
operator-changed assessed - assessOperator -
operator-changed assessment-failed - assessOperator -
dataset-proposed - - proposeDataset -
dataset-catalogued - - catalogueDataset dataset
grades-proposed - - proposeGrades -
dataset-changed graded - confirmGrades dataset
dataset-changed risk-assessed - assessRisk -
dataset-changed prohibited - prohibitDataset -
dataset-changed suspended - suspendDataset -
dataset-changed reinstated - reinstateDataset -
dataset-changed withdrawn - withdrawDataset -
dataset-loaded - - loadDataset -
licences-announced - - announceLicences -
licence-step applied - applyLicence -
licence-step reviewed - reviewLicence licence
licence-step noticed - noticeLicence licence
licence-step granted - grantLicence licence
licence-step granted resumed acceptRectification licence
licence-step refused - refuseLicence licence
licence-step suspended - suspendLicence licence
licence-step terminated - terminateLicence licence
licence-step closed - surrenderLicence -
scenario-step applied - applyScenario -
scenario-step applied reasonableness reviewScenarioReasonableness scenario
scenario-step applied compliance reviewScenarioCompliance scenario
scenario-step applied security reviewScenarioSecurity scenario
scenario-step reviewed reasonableness reviewScenarioReasonableness scenario
scenario-step reviewed compliance reviewScenarioCompliance scenario
scenario-step reviewed security reviewScenarioSecurity scenario
scenario-step granted - approveScenario scenario
scenario-step granted resumed resumeScenario scenario
scenario-step refused - refuseScenario scenario
scenario-step suspended - suspendScenario scenario
scenario-step suspended reported reportRisk -
scenario-step closed - closeScenario -
product-step applied - registerProduct -
product-step applied reasonableness reviewProductReasonableness product
product-step applied compliance reviewProductCompliance product
product-step applied security reviewProductSecurity product
product-step granted compliance reviewProductCompliance product
product-step granted security reviewProductSecurity product
product-step refused - refuseProduct product
product-step published - publishProduct -
product-step recalled - recallProduct -
external-step applied - submitExternal -
external-step applied compliance reviewExternalLawfulness external
external-step applied security reviewExternalSecurity external
external-step granted compliance reviewExternalLawfulness external
external-step granted security reviewExternalSecurity external
external-step refused - refuseExternal external
external-step closed - withdrawExternal -
objection-lodged - - lodgeObjection -
objection-answered - - answerObjection objection
violation-recorded - - recordViolation -
violation-lifted - - liftViolation -
destruction-confirmed - - confirmDestruction -
sealed-read - - readSealed -
redaction-requested - - requestRedaction -
redaction-approved - - approveRedaction redaction
destruction-requested - - requestDestruction -
destruction-approved - - approveDestruction destruction
data-sealed - - sealData -
seal-extended - - extendSeal -
seal-release-requested - - requestSealRelease -
seal-release-approved - - approveSealRelease seal
seal-released - - approveSealRelease seal
seal-checked - - checkSeal -
log-pruned - - pruneLog -
backup-made - - backUp -
derived-kept - - keepDerived -
derived-dropped - - dropDerived -
";

/// An approval that ends a suspension, a suspension that the operator reported, and a certificate that its
/// holder renewed; else what is particular is the aspect of a review.
const RESUMED: &str = "resumed";
const REPORTED: &str = "reported";
const OWN: &str = "own";
const ASPECTS: [&str; 3] = ["reasonableness", "compliance", "security"];
/// Nothing, in the table.
const NONE: &str = "-";
/// Who takes what only waited for the clock; no policy is asked.
const CLOCK: &str = "clock";

/// The table's rows.
pub(super) fn rows() -> impl Iterator<Item = [&'static str; 5]> {
    ACTIONS.lines().filter_map(|line| {
        let words: Vec<&str> = line.split(' ').collect();
        words.try_into().ok()
    })
}

/// What stood before the event.
pub(super) struct Steps<'s> {
    pub state: &'s State,
    pub redactions: &'s Redactions,
    pub destructions: &'s Destructions,
}

impl Steps<'_> {
    /// The step an event records; none where it records none.
    pub(super) fn of(&self, event: &Event) -> Option<Step> {
        // An event was read from JSON, so it can be written as JSON.
        let written = serde_json::to_value(event).ok()?;
        let word = |pointer: &str| written.pointer(pointer).and_then(Value::as_str);
        let by = [
            "/by",
            "/objection/lodged_by",
            "/answer/by",
            "/violation/recorded_by",
        ];
        let by = by.iter().find_map(|pointer| word(pointer))?;
        if by == CLOCK {
            return None;
        }
        let stage = word("/stage").or_else(|| word("/step")).unwrap_or(NONE);
        let particular = self.particular(event, &written);
        let is = |row: &[&str; 5]| row.starts_with(&[event.name(), stage, particular]);
        let [.., action, about] = rows().find(is)?;
        Some(Step {
            action,
            by: self.person(&by.parse().ok()?, event),
            submitter: self.submitter(about, &written),
        })
    }

    /// What tells steps of one stage apart: a review more than before, or a stage that was left.
    fn particular(&self, event: &Event, written: &Value) -> &'static str {
        if let Event::PersonChanged {
            by, step, person, ..
        } = event
        {
            let is_own = *step == PersonStep::CertificateRenewed && *by == person.id;
            return if is_own { OWN } else { NONE };
        }
        let (before, course) = if let Event::LicenceStep {
            licence, course, ..
        } = event
        {
            // A licence is reviewed once; which way is no action of its own.
            let standing = self.state.licence(&licence.id);
            (standing.map(|s| (s.stage, usize::MAX)), course)
        } else if let Event::ScenarioStep {
            scenario, course, ..
        } = event
        {
            let standing = self.state.scenario(&scenario.id);
            (standing.map(|s| (s.stage, s.course.reviews.len())), course)
        } else if let Event::ProductStep {
            product, course, ..
        } = event
        {
            let standing = self.state.product(&product.id);
            (standing.map(|s| (s.stage, s.course.reviews.len())), course)
        } else if let Event::ExternalStep {
            external, course, ..
        } = event
        {
            let standing = self.state.external(&external.id);
            (standing.map(|s| (s.stage, s.course.reviews.len())), course)
        } else {
            return NONE;
        };
        let (stage, reviews) = before.unwrap_or((Stage::Applied, 0));
        if course.reviews.len() > reviews {
            let aspect = course.reviews.last().map(|review| review.aspect.word());
            let known = ASPECTS.into_iter().find(|known| Some(*known) == aspect);
            return known.unwrap_or(NONE);
        }
        let word = |pointer: &str| written.pointer(pointer).and_then(Value::as_str);
        match (stage, word("/stage"), word("/course/cause")) {
            (Stage::Suspended, Some("granted"), _) => RESUMED,
            (_, Some("suspended"), Some("risk-reported")) => REPORTED,
            _ => NONE,
        }
    }

    /// The person; who enrols is on record only after, where it is the first of all.
    fn person(&self, id: &PersonId, event: &Event) -> Option<Person> {
        let first = if let Event::PersonEnrolled { person, .. } = event {
            (person.id == *id).then(|| person.clone())
        } else {
            None
        };
        self.state.person(id).cloned().or(first)
    }

    fn submitter(&self, about: &str, written: &Value) -> Option<PersonId> {
        let id = |pointer: &str| written.pointer(pointer).and_then(Value::as_str);
        let state = self.state;
        match about {
            "licence" => {
                let standing = state.licence(&id("/licence/id")?.parse().ok()?)?;
                Some(standing.submitter.clone())
            }
            "scenario" => {
                let standing = state.scenario(&id("/scenario/id")?.parse().ok()?)?;
                Some(standing.submitter.clone())
            }
            "product" => {
                let standing = state.product(&id("/product/id")?.parse().ok()?)?;
                Some(standing.submitter.clone())
            }
            "external" => {
                let standing = state.external(&id("/external/id")?.parse().ok()?)?;
                Some(standing.submitter.clone())
            }
            "objection" => {
                let objection = state.objection(&id("/objection")?.parse().ok()?)?;
                Some(objection.lodged_by.clone())
            }
            "dataset" => {
                let name = id("/dataset/name")?.parse().ok()?;
                let entry = state.proposed(&name).map(|(by, ..)| by);
                let entry = entry.or_else(|| state.regrading(&name).map(|(by, _)| by));
                entry.cloned()
            }
            "redaction" => {
                let request = written.get("request").and_then(Value::as_u64)?;
                self.redactions.requester(request).cloned()
            }
            "seal" => {
                let seal = state.seals().of(&id("/unit")?.parse().ok()?)?;
                seal.release.as_ref().map(|release| release.by.clone())
            }
            "holder" => id("/person/id")?.parse().ok(),
            "destruction" => {
                let request = written.get("request").and_then(Value::as_u64)?;
                self.destructions.request(request).map(|of| of.by.clone())
            }
            _ => None,
        }
    }
}
