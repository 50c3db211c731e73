use crate::{
    Decision, MaskTable, Permit, Refusal,
    asking::Asking,
    bundle::{Bundle, Texts, Unusable},
    decide::Asked,
};
use chrono::{DateTime, Utc};
use identity::Caller;
use register::State;
use serde_json::json;
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};
use terms::{Action, Channel, Digest, Person, PersonId, ProductId, ScenarioId};

/// The most permits kept; beyond it all are forgotten and computed anew.
const PERMITS_MAX: usize = 4096;

/// Which permit: all that can change one but time.
type Key = (
    u64,
    PersonId,
    Digest,
    Option<ScenarioId>,
    Option<ProductId>,
    Action,
    Channel,
);

/// The policies of a domain and the permits computed by them.
///
/// Policies that cannot be read make an engine that refuses everything and says so.
#[derive(Debug)]
pub struct Engine {
    bundle: Result<Bundle, Unusable>,
    digest: Digest,
    permits: Mutex<HashMap<Key, Arc<Permit>>>,
}

impl Engine {
    /// Loads the baseline and what the domain's folder adds.
    #[must_use]
    pub fn load(dir: Option<&Path>) -> Self {
        let texts = Texts::gather(dir);
        let digest = texts
            .as_ref()
            .map_or_else(|_| Digest::of(b"unusable"), |texts| texts.digest);
        let bundle = texts.and_then(|texts| texts.bundle());
        Self {
            bundle,
            digest,
            permits: Mutex::new(HashMap::new()),
        }
    }

    /// The digest of all policies.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// Why nothing is permitted, if so.
    #[must_use]
    pub const fn unusable(&self) -> Option<&Unusable> {
        match &self.bundle {
            Ok(_) => None,
            Err(why) => Some(why),
        }
    }

    /// The mask table.
    ///
    /// # Errors
    /// [`Refusal::Unusable`].
    pub fn masks(&self) -> Result<&MaskTable, Refusal> {
        Ok(&self.usable()?.masks)
    }

    fn usable(&self) -> Result<&Bundle, Refusal> {
        self.bundle
            .as_ref()
            .map_err(|Unusable(why)| Refusal::Unusable(why.clone()))
    }

    /// The permit of a caller for a scenario, from memory where nothing has changed since.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn permit(
        &self,
        caller: Caller,
        state: &State,
        (scenario, action): (Option<&ScenarioId>, Action),
        now: DateTime<Utc>,
    ) -> Result<Arc<Permit>, Refusal> {
        self.permit_for(caller, state, (scenario, None, action), now)
    }

    /// The same for the results of one product alone, where one is named: under such a permit nothing but
    /// the product's plan is confined.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn permit_for(
        &self,
        caller: Caller,
        state: &State,
        (scenario, product, action): (Option<&ScenarioId>, Option<&ProductId>, Action),
        now: DateTime<Utc>,
    ) -> Result<Arc<Permit>, Refusal> {
        self.usable()?;
        let key = (
            state.version(),
            caller.person().id.clone(),
            *caller.certificate(),
            scenario.cloned(),
            product.cloned(),
            action,
            caller.channel(),
        );
        let mut permits = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(permit) = permits.get(&key).filter(|permit| now < permit.expires()) {
            return Ok(Arc::clone(permit));
        }
        let asking = self.asking(state, (action, now))?;
        let permit = Arc::new(asking.permit(caller, (scenario, product))?);
        // What was computed over what stood before is not asked for again.
        permits.retain(|known, _| known.0 >= key.0);
        if permits.len() >= PERMITS_MAX {
            permits.clear();
        }
        permits.insert(key, Arc::clone(&permit));
        Ok(permit)
    }

    /// What permits are computed from, for an action, at a state and a time.
    pub(crate) fn asking<'a>(
        &'a self,
        state: &'a State,
        (action, now): (Action, DateTime<Utc>),
    ) -> Result<Asking<'a>, Refusal> {
        Ok(Asking {
            bundle: self.usable()?,
            policies: self.digest,
            state,
            action,
            now,
        })
    }

    /// Whether a person may take a management step; `submitter` is who submitted what it is about.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn manage(
        &self,
        person: &Person,
        action: &'static str,
        submitter: Option<&PersonId>,
    ) -> Result<Decision, Refusal> {
        let decision = self.managing(person, (action, submitter))?;
        if decision.allowed {
            Ok(decision)
        } else {
            Err(Refusal::ActionNotPermitted(action))
        }
    }

    /// What the policies say of a management step.
    pub(crate) fn managing(
        &self,
        person: &Person,
        (action, submitter): (&'static str, Option<&PersonId>),
    ) -> Result<Decision, Refusal> {
        let asked = Asked {
            action,
            person,
            resource: ("Domain", json!({})),
            context: json!({"submitter": submitter.map(PersonId::as_str).unwrap_or_default()}),
        };
        let decision = self.usable()?.decide(&asked);
        decision.map_err(|Unusable(why)| Refusal::Unusable(why))
    }

    /// Decides one request written in the schema's words: for policy cases.
    ///
    /// # Errors
    /// [`Refusal::Unusable`] where the request does not fit the schema.
    pub fn case(
        &self,
        person: &Person,
        action: &str,
        resource: (&str, serde_json::Value),
        context: serde_json::Value,
    ) -> Result<Decision, Refusal> {
        let asked = Asked {
            action,
            person,
            resource,
            context,
        };
        self.usable()?
            .decide(&asked)
            .map_err(|Unusable(why)| Refusal::Unusable(why))
    }
}

#[cfg(test)]
mod permits;
#[cfg(test)]
mod procedure;
#[cfg(test)]
mod tests;
