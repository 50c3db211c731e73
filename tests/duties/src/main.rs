//! Proves over a policy set what no request whatsoever can do, with `cedar-policy-symcc` and cvc5.
//!
//! A claim is a permit for what must be impossible; it holds if no request is allowed by it and by the
//! policies. Those `@against("any permit")` are proved with a permit for everything added. Every
//! counterexample is decided by Cedar's own evaluator as well, so that a false alarm is told apart.
//!
//! Usage: duties-prover SCHEMA CLAIMS DUTIES POLICIES…; a JSON line for each thing proved or broken on
//! standard output. `CVC5` names the solver. Exit 0 if all was judged, whatever came out.

mod duties; // which management action asks, reviews or decides

use cedar_policy::{
    ActionConstraint, Authorizer, Decision, Entities, Policy, PolicyId, PolicySet, Request,
    RequestEnv, Schema, ValidationMode, Validator,
};
use cedar_policy_symcc::{
    CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env, solver::LocalSolver,
};
use duties::Duties;
use serde_json::json;

pub(crate) type Proved<T> = Result<T, String>;

const ANY_PERMIT: &str = r#"@id("any-permit") permit (principal, action, resource);"#;

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// The policies under their own names, valid by the schema.
fn policies<'t>(schema: &Schema, texts: impl IntoIterator<Item = &'t str>) -> Proved<PolicySet> {
    let mut all = PolicySet::new();
    for text in texts {
        let set: PolicySet = text.parse().map_err(told)?;
        for policy in set.policies() {
            let id = policy.annotation("id").map(PolicyId::new);
            let id = id.ok_or("a policy without @id")?;
            all.add(policy.new_id(id)).map_err(told)?;
        }
    }
    let checked = Validator::new(schema.clone()).validate(&all, ValidationMode::default());
    checked
        .validation_errors()
        .next()
        .map_or(Ok(all), |error| Err(told(error)))
}

fn concerns(policy: &Policy, env: &RequestEnv) -> bool {
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(uid) => uid == *env.action(),
        ActionConstraint::In(uids) => uids.contains(env.action()),
    }
}

/// Every kind of request with the policies over it, compiled.
struct World {
    schema: Schema,
    all: PolicySet,
    compiled: Vec<(RequestEnv, CompiledPolicySet)>,
}

impl World {
    fn new(schema: &Schema, all: PolicySet) -> Proved<Self> {
        let mut compiled = Vec::new();
        for env in schema.request_envs() {
            let set = CompiledPolicySet::compile(&all, &env, schema).map_err(told)?;
            compiled.push((env, set));
        }
        let schema = schema.clone();
        Ok(Self {
            schema,
            all,
            compiled,
        })
    }

    fn evaluated(&self, request: &Request, entities: &Entities) -> bool {
        let answer = Authorizer::new().is_authorized(request, &self.all, entities);
        answer.decision() == Decision::Allow
    }
}

struct Prover {
    solver: CedarSymCompiler<LocalSolver>,
}

impl Prover {
    /// The requests that a claim says cannot be, one of each kind that can; and how many kinds were judged.
    async fn broken(&mut self, world: &World, claim: &Policy) -> Proved<(usize, Vec<Env>)> {
        let alone = PolicySet::from_policies([claim.clone()]).map_err(told)?;
        let (mut judged, mut broken) = (0, Vec::new());
        for (env, all) in world
            .compiled
            .iter()
            .filter(|(env, _)| concerns(claim, env))
        {
            judged += 1;
            let alone = CompiledPolicySet::compile(&alone, env, &world.schema).map_err(told)?;
            let found = self
                .solver
                .check_disjoint_with_counterexample_opt(all, &alone)
                .await;
            broken.extend(found.map_err(told)?);
        }
        Ok((judged, broken))
    }

    async fn claim(&mut self, world: &World, claim: &Policy, against: &str) -> Proved<bool> {
        let (judged, broken) = self.broken(world, claim).await?;
        let requests: Vec<_> = broken
            .iter()
            .map(|Env { request, entities }| {
                let entities_json = entities.to_json_value().unwrap_or_default();
                json!({"action": request.action().map(ToString::to_string),
                    "context": request.context().map(|c| c.to_json_value().ok()),
                    "entities": entities_json, "evaluated": world.evaluated(request, entities)})
            })
            .collect();
        let holds = judged > 0 && broken.is_empty();
        println!(
            "{}",
            json!({"claim": claim.id().to_string(), "clause": claim.annotation("clause"),
                "against": against, "kinds": judged, "holds": holds, "requests": requests})
        );
        Ok(holds)
    }

    /// That no policy errs, so that the product, which denies then, and Cedar, which skips, agree.
    async fn never_errs(&mut self, world: &World) -> Proved<()> {
        for policy in world.all.policies() {
            let mut holds = true;
            for (env, _) in &world.compiled {
                let one = CompiledPolicy::compile(policy, env, &world.schema).map_err(told)?;
                holds &= self
                    .solver
                    .check_never_errors_opt(&one)
                    .await
                    .map_err(told)?;
            }
            println!(
                "{}",
                json!({"errs": policy.id().to_string(), "holds": holds})
            );
        }
        Ok(())
    }

    /// That of one matter no role takes two parts.
    async fn duties(&mut self, world: &World, duties: &Duties) -> Proved<()> {
        for (matter, parts) in duties.parts() {
            for (role, condition) in duties.roles() {
                let mut taken = Vec::new();
                for (part, actions) in &parts {
                    let text = duties::permit("part", actions, &condition);
                    let claims = policies(&world.schema, [text.as_str()])?;
                    let claim = claims.policies().next().ok_or("no claim")?;
                    if !self.broken(world, claim).await?.1.is_empty() {
                        taken.push(*part);
                    }
                }
                println!(
                    "{}",
                    json!({"matter": matter, "role": role, "takes": taken, "holds": taken.len() <= 1})
                );
            }
        }
        Ok(())
    }
}

fn read(path: &str) -> Proved<String> {
    std::fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Proved<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [schema, claims, duties, files @ ..] = words.as_slice() else {
        return Err("duties-prover SCHEMA CLAIMS DUTIES POLICIES…".to_owned());
    };
    let (schema, _) = Schema::from_cedarschema_str(&read(schema)?).map_err(told)?;
    let duties = Duties::read(&read(duties)?)?;
    let unclassified = duties.unclassified(&schema);
    println!(
        "{}",
        json!({"unclassified": unclassified, "holds": unclassified.is_empty()})
    );
    let texts = files
        .iter()
        .map(|path| read(path))
        .collect::<Proved<Vec<_>>>()?;
    let texts = || texts.iter().map(String::as_str);
    let own = duties.own();
    let claims = policies(&schema, [read(claims)?.as_str(), own.as_str()])?;
    let alone = World::new(&schema, policies(&schema, texts())?)?;
    let open = World::new(&schema, policies(&schema, texts().chain([ANY_PERMIT]))?)?;
    let solver = CedarSymCompiler::new(LocalSolver::cvc5().map_err(told)?).map_err(told)?;
    let mut prover = Prover { solver };
    prover.never_errs(&alone).await?;
    let mut claims: Vec<&Policy> = claims.policies().collect();
    claims.sort_by_key(|claim| claim.id().to_string());
    for claim in claims {
        let holds = prover.claim(&alone, claim, "the policies").await?;
        // What the policies themselves break needs no second telling.
        if holds && claim.annotation("against").is_some() {
            prover.claim(&open, claim, "any permit").await?;
        }
    }
    prover.duties(&alone, &duties).await
}
