//! How an entry ends that releases nothing.

use super::now;
use crate::{Kind, Refused};
use ledger::{Decided, Entry, Opened};
use ring::rand::{SecureRandom, SystemRandom};
use terms::{Digest, Notice, QueryId};

pub(super) fn changed() -> Refused {
    Refused {
        code: "policy.changed".to_owned(),
        told_en: "what was granted no longer stands; ask again.".to_owned(),
        told_zh: "原有许可已失效，请重新请求。".to_owned(),
        kind: Kind::Denied,
    }
}

pub(super) fn query_id() -> Result<QueryId, Refused> {
    let mut bytes = [0u8; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    let id = filled.ok().and_then(|()| hex::encode(bytes).parse().ok());
    id.ok_or_else(|| Refused::internal("gateway.no-randomness"))
}

pub(super) async fn refuse(entry: Entry<Opened>, refused: Refused) -> Refused {
    match entry.refuse(&refused.code, now()).await {
        Ok(_) => refused,
        Err(why) => Refused::from(&why),
    }
}

pub(super) async fn refuse_decided(decided: Decided, refused: Refused) -> Refused {
    match decided.refuse(&refused.code, now()).await {
        Ok(_) => refused,
        Err(why) => Refused::from(&why),
    }
}

pub(super) async fn fail(decided: Decided, refused: Refused) -> Refused {
    match decided.fail(&refused.code, now()).await {
        Ok(_) => refused,
        Err(why) => Refused::from(&why),
    }
}

/// Closes an operation that released no rows because none were asked for.
pub(super) async fn looked(decided: Decided) -> Result<(), Refused> {
    let facts = ledger::ReleaseFacts {
        rows: 0,
        bytes: 0,
        result: Digest::of(b""),
        notice: Notice::NotApplicable,
        groups_withheld: 0,
        accuracy: None,
        register: "none".to_owned(),
        used: None,
    };
    decided
        .close(facts, now())
        .await
        .map(|_| ())
        .map_err(|why| Refused::from(&why))
}
