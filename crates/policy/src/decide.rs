use crate::{
    Owed,
    bundle::{Bundle, Unusable},
};
use cedar_policy::{
    AuthorizationError, Authorizer, Context, Decision as Cedar, Entities, EntityId, EntityTypeName,
    EntityUid, Request,
};
use serde_json::{Value, json};
use terms::Person;

/// A decision and the policies that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The ids of the policies that determined it, sorted. None where nothing permits; those that
    /// erred where nothing else denies.
    pub policies: Vec<String>,
    /// What the policies that permit it ask of whoever uses it.
    pub owed: Owed,
}

/// One request, in the words of the schema.
pub(crate) struct Asked<'a> {
    pub action: &'a str,
    pub person: &'a Person,
    pub resource: (&'a str, Value),
    pub context: Value,
}

impl Bundle {
    /// Decides. A request the schema does not know and a policy that errs are refusals.
    pub(crate) fn decide(&self, asked: &Asked<'_>) -> Result<Decision, Unusable> {
        let unusable = |error: &dyn std::fmt::Display| Unusable(error.to_string());
        let (kind, attributes) = &asked.resource;
        let principal = uid("Person", asked.person.id.as_str())?;
        let resource = uid(kind, "it")?;
        let operator = asked
            .person
            .operator()
            .map(String::from)
            .unwrap_or_default();
        let entities = json!([
            {"uid": {"type": "Person", "id": asked.person.id.as_str()}, "parents": [], "attrs": {
                "id": asked.person.id.as_str(), "role": asked.person.role.word(), "operator": operator}},
            {"uid": {"type": kind, "id": "it"}, "parents": [], "attrs": attributes},
        ]);
        let entities = Entities::from_json_value(entities, Some(&self.schema))
            .map_err(|error| unusable(&error))?;
        let action = uid("Action", asked.action)?;
        let context =
            Context::from_json_value(asked.context.clone(), Some((&self.schema, &action)))
                .map_err(|error| unusable(&error))?;
        let policies = self.of(&principal, asked.action);
        let request = Request::new(principal, action, resource, context, Some(&self.schema))
            .map_err(|error| unusable(&error))?;
        let answer = Authorizer::new().is_authorized(&request, policies, &entities);
        let allows = answer.decision() == Cedar::Allow;
        let erred = answer.diagnostics().errors().map(|error| match error {
            AuthorizationError::PolicyEvaluationError(error) => error.policy_id().to_string(),
        });
        let erred: Vec<String> = erred.collect();
        let allowed = allows && erred.is_empty();
        // What an error turns from allowed to denied is the doing of what erred, not of the permits.
        let reasons = answer.diagnostics().reason().map(ToString::to_string);
        let mut reasons: Vec<String> = if allows && !allowed {
            erred
        } else {
            reasons.collect()
        };
        reasons.sort();
        let permits = reasons.iter().filter(|_| allowed);
        Ok(Decision {
            allowed,
            owed: self.owed(permits),
            policies: reasons,
        })
    }
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, Unusable> {
    let name: EntityTypeName = kind
        .parse()
        .map_err(|_| Unusable(format!("no type `{kind}`")))?;
    Ok(EntityUid::from_type_name_and_id(name, EntityId::new(id)))
}
