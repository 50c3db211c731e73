use super::Gateway;
use crate::Refused;
use confine::Confined;
use dispatch::Keys;
use terms::{DatasetName, Usage};

/// What a plan reads, as far as that is known before it runs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Scanned {
    /// Processor time of the planner before, in microseconds.
    planner_us: u64,
    bytes: u64,
    masked: u64,
}

impl Gateway {
    /// The keys of exactly the columns of the plan, and how much it reads with them; planning it took so
    /// many microseconds.
    pub(super) fn sources(
        &self,
        confined: &Confined,
        planner_us: u64,
    ) -> Result<(Keys, Scanned), Refused> {
        let keys = self.keys(confined)?;
        let scanned = self.scanned(&keys, confined)?;
        Ok((
            keys,
            Scanned {
                planner_us,
                ..scanned
            },
        ))
    }

    /// What a plan reads of the stored files that its keys open. Source: AO-16.
    fn scanned(&self, keys: &Keys, confined: &Confined) -> Result<Scanned, Refused> {
        let mut scanned = Scanned::default();
        for (dataset, source) in &keys.sources {
            if let Some(bytes) = untold(confined, (dataset, source.columns.len())) {
                scanned.bytes = scanned.bytes.saturating_add(bytes);
                continue;
            }
            let extent = self.domain.store.extent(source).map_err(|why| {
                tracing::error!(code = why.code(), "a stored file could not be measured");
                Refused::internal(why.code())
            })?;
            let masked = confined.references().iter().filter(|reference| {
                reference.dataset == *dataset && Usage::is_masking(&reference.way)
            });
            let masked = u64::try_from(masked.count()).unwrap_or(u64::MAX);
            scanned.bytes = scanned.bytes.saturating_add(extent.bytes);
            let values = masked.saturating_mul(extent.rows);
            scanned.masked = scanned.masked.saturating_add(values);
        }
        Ok(scanned)
    }
}

/// What reading kept rows of people is metered with: as if there were a row of eight bytes a column for each
/// row of their dataset. How many there are is an answer, and meters stand in the clear.
fn untold(confined: &Confined, (name, columns): (&DatasetName, usize)) -> Option<u64> {
    let mut datasets = confined.permit().datasets().iter();
    let kept = datasets
        .find(|dataset| dataset.name == *name)?
        .kept
        .as_ref()?;
    kept.origin.as_ref()?;
    let columns = u64::try_from(columns).unwrap_or(u64::MAX);
    Some(
        kept.derived
            .rows_charged
            .saturating_mul(columns)
            .saturating_mul(8),
    )
}

impl Scanned {
    /// All that was used once so many rows and columns left.
    pub(super) fn used(
        self,
        (rows, columns): (u64, usize),
        cpu_us: u64,
        register_parts: u64,
    ) -> Usage {
        let columns = u64::try_from(columns).unwrap_or(u64::MAX);
        Usage {
            planner_cpu_ms: self.planner_us.div_ceil(1000),
            runner_cpu_ms: cpu_us.div_ceil(1000),
            scanned_bytes: self.bytes,
            values_masked: self.masked,
            cells: rows.saturating_mul(columns),
            register_parts,
        }
    }
}
