use super::comparison::{Comparing, Comparison, Request};
use crate::{Engine, Refusal};
use chrono::{DateTime, FixedOffset, NaiveDate, Utc};
use register::State;
use std::{collections::HashMap, sync::Arc};
use terms::Digest;

/// The most comparisons kept by what they looked at; beyond it all are forgotten and made anew.
const KEPT_MAX: usize = 16_384;
/// Civil time in the domain: policies look at days alone.
const EAST_SECONDS: i32 = 8 * 3600;

/// The comparisons made already: of this version and day by request, and all by what they looked at.
#[derive(Debug, Default)]
pub(super) struct Known {
    standing: Option<(u64, NaiveDate)>,
    by_request: HashMap<Request, Arc<Comparison>>,
    by_content: HashMap<Digest, Arc<Comparison>>,
    compared: u64,
}

impl Known {
    pub(super) fn of(
        &mut self,
        request: &Request,
        (engines, state): ((&Engine, &Engine), &State),
        now: DateTime<Utc>,
    ) -> Result<Arc<Comparison>, Refusal> {
        let day = FixedOffset::east_opt(EAST_SECONDS).map_or(now.date_naive(), |east| {
            now.with_timezone(&east).date_naive()
        });
        let standing = Some((state.version(), day));
        if self.standing != standing || self.by_request.len() >= KEPT_MAX {
            self.standing = standing;
            self.by_request.clear();
        }
        if let Some(known) = self.by_request.get(request) {
            return Ok(Arc::clone(known));
        }
        let comparison = match Comparing::new(engines, (state, now), request)? {
            Some(comparing) => self.by_content(&comparing)?,
            None => Arc::default(),
        };
        self.by_request
            .insert(request.clone(), Arc::clone(&comparison));
        Ok(comparison)
    }

    fn by_content(&mut self, comparing: &Comparing<'_>) -> Result<Arc<Comparison>, Refusal> {
        let content = Digest::of(&comparing.content());
        if let Some(known) = self.by_content.get(&content) {
            return Ok(Arc::clone(known));
        }
        self.compared += 1;
        let comparison = Arc::new(comparing.compare()?);
        if self.by_content.len() >= KEPT_MAX {
            self.by_content.clear();
        }
        self.by_content.insert(content, Arc::clone(&comparison));
        Ok(comparison)
    }

    /// How many requests were compared.
    pub(super) const fn compared(&self) -> u64 {
        self.compared
    }
}
