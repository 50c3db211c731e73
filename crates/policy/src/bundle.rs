use crate::{MaskTable, Owed, disclosure::DisclosureTable};
use cedar_policy::{
    ActionConstraint, EntityUid, Policy, PolicyId, PolicySet, PrincipalConstraint, Schema,
    ValidationMode, Validator,
};
use std::{
    collections::{BTreeSet, HashMap},
    path::Path,
};
use terms::Digest;

const SCHEMA: &str = include_str!("../../../policies/bonded.cedarschema");
const BASELINE: &str = include_str!("../../../policies/baseline.cedar");
const ROLES: &str = include_str!("../../../policies/roles.cedar");
const MASKS: &str = include_str!("../../../policies/masks.toml");
const DISCLOSURE: &str = include_str!("../../../policies/disclosure.toml");
/// A domain's own disclosure rules; every other TOML file of its folder is a mask table.
const DISCLOSURE_FILE: &str = "disclosure.toml";

/// The policies of a domain, checked against the schema and indexed by action.
#[derive(Debug)]
pub(crate) struct Bundle {
    pub schema: Schema,
    pub masks: MaskTable,
    pub disclosure: DisclosureTable,
    /// What each policy asks of whoever uses what it permits, by its id.
    owed: HashMap<String, Owed>,
    general: Index,
    /// For whom there are policies of their own: the general ones and those.
    personal: HashMap<EntityUid, Index>,
}

/// Policies by action; Cedar looks at every policy of a set, so each action gets a set of its own.
#[derive(Debug)]
struct Index {
    by_action: HashMap<String, PolicySet>,
    everywhere: PolicySet,
}

/// Policies that cannot be used; the engine then refuses everything and says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub(crate) String);

/// The texts a bundle is made of, and their digest.
pub(crate) struct Texts {
    cedar: Vec<(String, String)>,
    masks: Vec<String>,
    disclosure: Vec<String>,
    pub digest: Digest,
}

impl Texts {
    /// The baseline, and what the domain's own folder adds.
    pub(crate) fn gather(dir: Option<&Path>) -> Result<Self, Unusable> {
        let mut cedar = vec![
            ("baseline.cedar".to_owned(), BASELINE.to_owned()),
            ("roles.cedar".to_owned(), ROLES.to_owned()),
        ];
        let mut masks = vec![MASKS.to_owned()];
        let mut disclosure = vec![DISCLOSURE.to_owned()];
        for path in dir.map(files).transpose()?.unwrap_or_default() {
            let text = std::fs::read_to_string(&path)
                .map_err(|error| Unusable(format!("{}: {error}", path.display())))?;
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("cedar") => cedar.push((name.unwrap_or_default(), text)),
                Some("toml") if name.as_deref() == Some(DISCLOSURE_FILE) => disclosure.push(text),
                Some("toml") => masks.push(text),
                _ => {}
            }
        }
        let mut all = SCHEMA.as_bytes().to_vec();
        let cedar_texts = cedar.iter().map(|(_, text)| text);
        for text in cedar_texts.chain(&masks).chain(&disclosure) {
            all.extend(Digest::of(text.as_bytes()).bytes());
        }
        Ok(Self {
            digest: Digest::of(&all),
            cedar,
            masks,
            disclosure,
        })
    }

    /// Parses, validates and indexes.
    pub(crate) fn bundle(&self) -> Result<Bundle, Unusable> {
        let unusable =
            |file: &str, error: &dyn std::fmt::Display| Unusable(format!("{file}: {error}"));
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA)
            .map_err(|error| unusable("bonded.cedarschema", &error))?;
        let mut all = PolicySet::new();
        let mut owed = HashMap::new();
        for (file, text) in &self.cedar {
            let set: PolicySet = text.parse().map_err(|error| unusable(file, &error))?;
            for policy in set.policies() {
                let id = policy.annotation("id").map(PolicyId::new);
                let id = id.ok_or_else(|| unusable(file, &"a policy without @id"))?;
                let policy = policy.new_id(id);
                let asks = Owed::of(&policy).map_err(|why| unusable(file, &why))?;
                owed.insert(policy.id().to_string(), asks);
                all.add(policy).map_err(|error| unusable(file, &error))?;
            }
        }
        let checked = Validator::new(schema.clone()).validate(&all, ValidationMode::default());
        if let Some(error) = checked.validation_errors().next() {
            return Err(unusable("policies", error));
        }
        let texts: Vec<&str> = self.masks.iter().map(String::as_str).collect();
        let masks = MaskTable::read(&texts).map_err(Unusable)?;
        let texts: Vec<&str> = self.disclosure.iter().map(String::as_str).collect();
        let disclosure = DisclosureTable::read(&texts)
            .map_err(|why| Unusable(format!("{DISCLOSURE_FILE}: {why}")))?;
        let members = Members::of(&schema)?;
        let (general, personal) = indexed(&all, &members)?;
        Ok(Bundle {
            schema,
            masks,
            disclosure,
            owed,
            general,
            personal,
        })
    }
}

impl Bundle {
    /// What these policies ask together.
    pub(crate) fn owed<'i>(&self, policies: impl IntoIterator<Item = &'i String>) -> Owed {
        let owed = policies.into_iter().filter_map(|id| self.owed.get(id));
        owed.copied().fold(Owed::default(), Owed::strictest)
    }

    /// The policies that can matter for somebody's action: those that name somebody else do not.
    pub(crate) fn of(&self, principal: &EntityUid, action: &str) -> &PolicySet {
        let index = self.personal.get(principal).unwrap_or(&self.general);
        index.by_action.get(action).unwrap_or(&index.everywhere)
    }
}

fn files(dir: &Path) -> Result<Vec<std::path::PathBuf>, Unusable> {
    let unusable = |error| Unusable(format!("{}: {error}", dir.display()));
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(unusable)? {
        files.push(entry.map_err(unusable)?.path());
    }
    files.sort();
    Ok(files)
}

/// The actions of each group; an action is of its own.
#[derive(Debug)]
struct Members(HashMap<EntityUid, Vec<EntityUid>>);

impl Members {
    fn of(schema: &Schema) -> Result<Self, Unusable> {
        let unusable = |error: &dyn std::fmt::Display| Unusable(error.to_string());
        let actions = schema.action_entities().map_err(|error| unusable(&error))?;
        let mut members: HashMap<EntityUid, Vec<EntityUid>> = HashMap::new();
        for action in actions.iter().map(cedar_policy::Entity::uid) {
            let groups = actions.ancestors(&action).into_iter().flatten().cloned();
            for of in groups.chain([action.clone()]) {
                members.entry(of).or_default().push(action.clone());
            }
        }
        Ok(Self(members))
    }

    fn names(&self, of: &EntityUid) -> impl Iterator<Item = String> {
        let members = self.0.get(of).into_iter().flatten();
        members.map(|uid| uid.id().unescaped().to_owned())
    }
}

/// The policies of everybody, and of each who has policies of their own.
fn indexed(
    all: &PolicySet,
    members: &Members,
) -> Result<(Index, HashMap<EntityUid, Index>), Unusable> {
    let mut general: Vec<Policy> = Vec::new();
    let mut own: HashMap<EntityUid, Vec<Policy>> = HashMap::new();
    for policy in all.policies() {
        match policy.principal_constraint() {
            PrincipalConstraint::Eq(uid) => own.entry(uid).or_default().push(policy.clone()),
            PrincipalConstraint::Any
            | PrincipalConstraint::In(_)
            | PrincipalConstraint::Is(_)
            | PrincipalConstraint::IsIn(..) => general.push(policy.clone()),
        }
    }
    let personal = own.into_iter().map(|(uid, own)| {
        let theirs = Index::of(general.iter().chain(&own), members)?;
        Ok((uid, theirs))
    });
    let personal = personal.collect::<Result<_, _>>()?;
    Ok((Index::of(&general, members)?, personal))
}

impl Index {
    fn of<'p>(
        all: impl IntoIterator<Item = &'p Policy>,
        members: &Members,
    ) -> Result<Self, Unusable> {
        let unusable = |error: &dyn std::fmt::Display| Unusable(error.to_string());
        let mut everywhere = PolicySet::new();
        let mut named: Vec<(String, Policy)> = Vec::new();
        for policy in all {
            match policy.action_constraint() {
                ActionConstraint::Any => {
                    everywhere
                        .add(policy.clone())
                        .map_err(|error| unusable(&error))?;
                }
                ActionConstraint::Eq(uid) => {
                    let name = uid.id().unescaped().to_owned();
                    named.push((name, policy.clone()));
                }
                ActionConstraint::In(uids) => {
                    // An action that is named and in a group that is named is named once.
                    let names: BTreeSet<_> =
                        uids.iter().flat_map(|uid| members.names(uid)).collect();
                    named.extend(names.into_iter().map(|name| (name, policy.clone())));
                }
            }
        }
        let mut by_action: HashMap<String, PolicySet> = HashMap::new();
        for (action, policy) in named {
            let set = by_action
                .entry(action)
                .or_insert_with(|| everywhere.clone());
            set.add(policy).map_err(|error| unusable(&error))?;
        }
        Ok(Self {
            by_action,
            everywhere,
        })
    }
}
