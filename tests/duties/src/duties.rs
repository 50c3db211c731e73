//! Which management action asks, reviews or decides, and about what.

use crate::{Proved, told};
use cedar_policy::Schema;
use std::collections::{BTreeMap, BTreeSet};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Duties {
    roles: Vec<String>,
    others: Vec<String>,
    matter: BTreeMap<String, Matter>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Matter {
    asks: Vec<String>,
    #[serde(default)]
    reviews: Vec<String>,
    decides: Vec<String>,
}

impl Matter {
    fn parts(&self) -> Vec<(&'static str, &[String])> {
        let all: [(_, &[String]); 3] = [
            ("asks", &self.asks),
            ("reviews", &self.reviews),
            ("decides", &self.decides),
        ];
        all.into_iter()
            .filter(|(_, actions)| !actions.is_empty())
            .collect()
    }
}

/// A claim about these actions under a condition.
pub(crate) fn permit(id: &str, actions: &[String], condition: &str) -> String {
    let actions: Vec<String> = actions.iter().map(|a| format!("Action::\"{a}\"")).collect();
    let actions = actions.join(", ");
    format!(
        "@id(\"{id}\") @clause(\"AO-12\") @against(\"any permit\")\n\
         permit (principal, action in [{actions}], resource) when {{ {condition} }};\n"
    )
}

impl Duties {
    pub(crate) fn read(text: &str) -> Proved<Self> {
        toml::from_str(text).map_err(told)
    }

    /// Each matter's parts: asking, reviewing, deciding.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&str, Vec<(&'static str, &[String])>)> {
        self.matter
            .iter()
            .map(|(name, matter)| (name.as_str(), matter.parts()))
    }

    /// Each role and its condition, and whoever has none of these roles.
    pub(crate) fn roles(&self) -> Vec<(String, String)> {
        let named = |role: &String| (role.clone(), format!("principal.role == \"{role}\""));
        let none: Vec<String> = self
            .roles
            .iter()
            .map(|role| format!("\"{role}\""))
            .collect();
        let none = format!("!([{}].contains(principal.role))", none.join(", "));
        let mut all: Vec<_> = self.roles.iter().map(named).collect();
        all.push(("any other".to_owned(), none));
        all
    }

    /// For each matter: nobody reviews or decides on what they submitted.
    pub(crate) fn own(&self) -> String {
        let claim = |(name, matter): (&String, &Matter)| {
            let judging: Vec<String> = matter
                .reviews
                .iter()
                .chain(&matter.decides)
                .cloned()
                .collect();
            permit(
                &format!("nobody-judges-their-own-{name}"),
                &judging,
                "context.submitter == principal.id",
            )
        };
        self.matter.iter().map(claim).collect()
    }

    /// Management actions of the schema that stand nowhere, and words that are no such action.
    pub(crate) fn unclassified(&self, schema: &Schema) -> Vec<String> {
        let managing = schema
            .request_envs()
            .filter(|env| env.resource().to_string() == "Domain");
        let managing: BTreeSet<String> = managing
            .map(|env| env.action().id().unescaped().to_owned())
            .collect();
        let parts = self.matter.values().flat_map(Matter::parts);
        let known = parts.flat_map(|(_, actions)| actions).chain(&self.others);
        let known: BTreeSet<String> = known.cloned().collect();
        managing.symmetric_difference(&known).cloned().collect()
    }
}
