use crate::{
    Granted, Prepared, Refused,
    leash::{Leashed, cut_off},
};
use bytes::Bytes;
use ring::rand::{SecureRandom, SystemRandom};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use terms::Digest;

/// How long a ticket waits to be redeemed.
const TICKET_MAX: Duration = Duration::from_secs(60);
/// How long a prepared statement is kept.
const PREPARED_MAX: Duration = Duration::from_secs(600);
/// How many of either one certificate may hold.
const EACH_MAX: usize = 64;
/// How many of either there may be.
const ALL_MAX: usize = 4096;

/// Whose a handle is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub certificate: Digest,
    pub scenario: Option<String>,
}

#[derive(Debug)]
struct Kept<T> {
    owner: Owner,
    until: Instant,
    /// None once it was cut off, so that its owner hears why.
    value: Option<T>,
}

/// Random handles to values, each with an owner and an end.
#[derive(Debug)]
pub(crate) struct Handles<T> {
    kept: Mutex<HashMap<Vec<u8>, Kept<T>>>,
    life: Duration,
}

/// Granted statements, each redeemed once.
pub(crate) type Tickets = Handles<Granted>;
/// Prepared statements.
pub(crate) type PreparedStatements = Handles<Prepared>;

pub(crate) fn tickets() -> Tickets {
    Handles {
        kept: Mutex::new(HashMap::new()),
        life: TICKET_MAX,
    }
}

pub(crate) fn prepared() -> PreparedStatements {
    Handles {
        kept: Mutex::new(HashMap::new()),
        life: PREPARED_MAX,
    }
}

fn unknown() -> Refused {
    Refused::invalid(
        "flight.unknown-handle",
        "there is no such ticket or statement of yours, or it is over.",
        "没有您的该票据或语句，或其已过期。",
    )
}

impl<T> Handles<T> {
    /// Keeps a value under a new random handle.
    pub(crate) fn keep(&self, owner: Owner, value: T) -> Result<Bytes, Refused> {
        self.sweep();
        let mut handle = vec![0u8; 32];
        let filled = SystemRandom::new().fill(&mut handle);
        filled.map_err(|_| Refused::internal("gateway.no-randomness"))?;
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let own = kept
            .values()
            .filter(|k| k.owner.certificate == owner.certificate)
            .count();
        if own >= EACH_MAX || kept.len() >= ALL_MAX {
            return Err(Refused {
                code: "flight.too-many-handles".to_owned(),
                told_en: "too many statements are open; redeem or close some.".to_owned(),
                told_zh: "未完成的语句过多，请先取回或关闭。".to_owned(),
                kind: crate::Kind::Exhausted,
            });
        }
        let until = Instant::now() + self.life;
        kept.insert(
            handle.clone(),
            Kept {
                owner,
                until,
                value: Some(value),
            },
        );
        Ok(handle.into())
    }

    /// Takes a value out; another's handle looks like none.
    pub(crate) fn take(&self, owner: &Owner, handle: &[u8]) -> Result<T, Refused> {
        self.sweep();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match kept.get(handle) {
            Some(found) if &found.owner == owner => {}
            Some(_) | None => return Err(unknown()),
        }
        let kept = kept.remove(handle).ok_or_else(unknown)?;
        kept.value.ok_or_else(cut_off)
    }

    /// Drops what is over; a granted statement is then recorded as abandoned.
    pub(crate) fn sweep(&self) {
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|_, kept| now < kept.until);
    }

    /// Drops everything.
    pub(crate) fn clear(&self) {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

impl<T: Leashed> Handles<T> {
    /// Drops what was cut off; its owner hears so.
    pub(crate) fn drop_cut(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for kept in kept.values_mut() {
            if kept
                .value
                .as_ref()
                .is_some_and(|value| value.leash().is_cut())
            {
                kept.value = None;
            }
        }
    }
}

impl<T: Clone> Handles<T> {
    /// A copy of a value that stays.
    pub(crate) fn look(&self, owner: &Owner, handle: &[u8]) -> Result<T, Refused> {
        self.sweep();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.get(handle).filter(|kept| &kept.owner == owner);
        let found = found.ok_or_else(unknown)?;
        found.value.clone().ok_or_else(cut_off)
    }
}
