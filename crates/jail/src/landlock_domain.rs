//! No file, port, abstract socket or process outside can be reached, whatever its permissions say.

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreated, RulesetError, RulesetStatus, Scope,
};

/// The newest set of rules that this kernel and this library know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Landlock(ABI);

/// From new to old.
const KNOWN: [ABI; 7] = [
    ABI::V7,
    ABI::V6,
    ABI::V5,
    ABI::V4,
    ABI::V3,
    ABI::V2,
    ABI::V1,
];

impl Landlock {
    /// Asks the kernel, without putting anything up.
    pub(crate) fn probed() -> Option<Self> {
        let known = |abi: &ABI| rules(*abi).is_ok();
        KNOWN.into_iter().find(known).map(Self)
    }

    pub(crate) fn form(self) -> String {
        format!("ABI {}", self.0 as i32)
    }

    /// Denies the calling thread, and all that it starts, everything that the kernel can deny.
    pub(crate) fn enter(self) -> Result<(), String> {
        let entered = rules(self.0).and_then(RulesetCreated::restrict_self);
        let entered = entered.map_err(|error| error.to_string())?;
        match entered.ruleset {
            RulesetStatus::FullyEnforced => Ok(()),
            RulesetStatus::PartiallyEnforced | RulesetStatus::NotEnforced => {
                Err("not all of it is enforced".to_owned())
            }
        }
    }
}

/// Everything the kernel can deny, and no exception.
fn rules(abi: ABI) -> Result<RulesetCreated, RulesetError> {
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let rules = rules.handle_access(AccessFs::from_all(abi))?;
    // Ports came with the fourth version, scopes with the sixth.
    let rules = if (abi as i32) < 4 {
        rules
    } else {
        rules.handle_access(AccessNet::from_all(abi))?
    };
    let rules = if (abi as i32) < 6 {
        rules
    } else {
        rules.scope(Scope::from_all(abi))?
    };
    rules.create()
}
