use cedar_policy::{ActionConstraint, Effect, Policy};
use terms::Obligations;

/// What policies ask of whoever uses what they permit, written as annotations on them. All that apply
/// bind; the strictest wins.
///
/// Source: design, "Policy": `@k("10")`, `@rows_max`, `@result_bytes_max`, `@perturb`, `@two_approvals`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Owed {
    /// The fewest subjects of a released cell.
    pub k: Option<u32>,
    /// The most rows of a result.
    pub rows_max: Option<u64>,
    /// The most bytes of a result, counted as Arrow buffers.
    pub result_bytes_max: Option<u64>,
    /// Cells leave with noise, never exactly.
    pub perturb: bool,
    /// What is made of it leaves the domain with two approvals alone.
    pub two_approvals: bool,
}

/// Annotations that name a policy and oblige to nothing.
const NAMES: [&str; 2] = ["id", "clause"];
/// The actions whose permits can oblige: those that a statement is decided by.
const ACTIONS: [&str; 5] = ["enter", "showPlain", "showMasked", "aggregate", "export"];

impl Owed {
    /// What a policy asks.
    ///
    /// Errors: an annotation that is not known, or whose value cannot be read; and one where it would
    /// never bind: on a forbid, or for an action that no statement is decided by.
    pub(crate) fn of(policy: &Policy) -> Result<Self, String> {
        let mut owed = Self::default();
        for (key, value) in policy.annotations() {
            let unread = || {
                format!(
                    "policy `{}`: @{key}(\"{value}\") cannot be read",
                    policy.id()
                )
            };
            match key {
                "k" => owed.k = Some(at_least_one(value).ok_or_else(unread)?),
                "rows_max" => owed.rows_max = Some(at_least_one(value).ok_or_else(unread)?),
                "result_bytes_max" => {
                    owed.result_bytes_max = Some(at_least_one(value).ok_or_else(unread)?);
                }
                "perturb" if value.is_empty() => owed.perturb = true,
                "two_approvals" if value.is_empty() => owed.two_approvals = true,
                "perturb" | "two_approvals" => return Err(unread()),
                name if NAMES.contains(&name) => {}
                unknown => {
                    return Err(format!(
                        "policy `{}`: annotation @{unknown} is not known",
                        policy.id()
                    ));
                }
            }
        }
        if owed != Self::default() && !can_bind(policy) {
            return Err(format!(
                "policy `{}`: an obligation binds only on a permit of named actions among {}",
                policy.id(),
                ACTIONS.join(", ")
            ));
        }
        Ok(owed)
    }

    /// The stricter of two in every point.
    #[must_use]
    pub fn strictest(self, other: Self) -> Self {
        Self {
            k: self.k.max(other.k),
            rows_max: smaller(self.rows_max, other.rows_max),
            result_bytes_max: smaller(self.result_bytes_max, other.result_bytes_max),
            perturb: self.perturb || other.perturb,
            two_approvals: self.two_approvals || other.two_approvals,
        }
    }

    /// What binds of an export's obligations where nothing is exported: cells are held against each other
    /// wherever they go, so how they are made is one rule; the caps are of what leaves.
    #[must_use]
    pub(crate) const fn inside(self) -> Self {
        Self {
            rows_max: None,
            result_bytes_max: None,
            ..self
        }
    }

    /// Caps of a result, tightened by what is owed.
    #[must_use]
    pub fn tightened(self, caps: Obligations) -> Obligations {
        caps.strictest(Obligations {
            rows_max: self.rows_max.unwrap_or(u64::MAX),
            result_bytes_max: self.result_bytes_max.unwrap_or(u64::MAX),
        })
    }
}

/// A number from one up, in digits alone.
fn at_least_one<N: std::str::FromStr + PartialOrd + From<u8>>(text: &str) -> Option<N> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number: N = text.parse().ok().filter(|_| digits)?;
    (number >= N::from(1)).then_some(number)
}

fn smaller(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    [one, other].into_iter().flatten().min()
}

fn can_bind(policy: &Policy) -> bool {
    let known = |uid: &cedar_policy::EntityUid| ACTIONS.contains(&uid.id().unescaped());
    let named = match policy.action_constraint() {
        ActionConstraint::Any => false,
        ActionConstraint::Eq(uid) => known(&uid),
        ActionConstraint::In(uids) => uids.iter().all(known),
    };
    named && policy.effect() == Effect::Permit
}
