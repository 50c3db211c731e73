use super::Asked;
use crate::{Listing, Seal, State, Unlawful};
use chrono::{Days, NaiveDate};
use terms::{
    DatasetName, Digest, Disposed, Event, PersonId, SealBasis, SealedFile, SealedUnit, Unreadable,
};

const CLAUSE: &str = "AO-3";
/// The files in one entry of a list, so that an entry stays below 64 KiB: at most 420 bytes each.
const FILES_MAX: usize = 150;
/// The days that one step may seal for: a year, however long that is.
const DAYS_MAX: u64 = 366;

impl State {
    /// 封存, with the list of what is stored. The list is on record before the seal that names it.
    /// Source: AO-3, AO-19.
    pub(super) fn seal_data(
        &self,
        asked: Asked<'_>,
        unit: SealedUnit,
        (basis, until, listing): (SealBasis, NaiveDate, Listing),
    ) -> Result<Vec<Event>, Unlawful> {
        let is_known = match &unit {
            SealedUnit::Dataset(name) => self.dataset(name).is_some(),
            SealedUnit::Scenario(id) => self.scenario(id).is_some(),
            SealedUnit::Licence(id) => self.licence(id).is_some(),
        };
        if !is_known {
            return refused("register.no-unit", &unit, "there is nothing of that name");
        }
        if self.seals().of(&unit).is_some() {
            let what = "it is sealed already; a seal is extended, not set twice";
            return refused("register.sealed-already", &unit, what);
        }
        if basis == SealBasis::Restored {
            let what = "a restore alone seals for this reason";
            return refused("register.seal-basis", &unit, what);
        }
        if until < asked.today {
            let what = "its day is over already";
            return refused("register.seal-until", &unit, what);
        }
        judge_term(asked, &unit, until)?;
        // What is listed was hashed before this step's turn came.
        let seen = self.seen_by(&unit);
        let is_listed = |of: &(DatasetName, u32)| {
            let mut files = listing.files.iter();
            listing.absent.contains(of)
                || files.any(|file| (&file.dataset, file.snapshot) == (&of.0, of.1))
        };
        let stands = |file: &SealedFile| {
            let of_unit = matches!(&unit, SealedUnit::Dataset(name) if *name == file.dataset);
            of_unit || seen.contains(&(file.dataset.clone(), file.snapshot))
        };
        if !seen.iter().all(is_listed) || !listing.files.iter().all(stands) {
            let what = "what there is of it changed meanwhile; ask again";
            return refused("register.seal-moved", &unit, what);
        }
        let by = asked.by.id.clone();
        Ok(sealed(by, unit, (basis, until, listing)))
    }

    /// What a restore seals: the datasets of which the disclosure register may have forgotten what left after
    /// the backup was taken. Two of different roles release them, at once if they will.
    ///
    /// # Errors
    /// [`Unreadable`], never.
    pub fn sealed_at_restore(
        &self,
        dataset: &DatasetName,
        (today, listing): (NaiveDate, Listing),
    ) -> Result<Vec<Event>, Unreadable> {
        let unit = SealedUnit::Dataset(dataset.clone());
        if self.seals().of(&unit).is_some() {
            return Ok(Vec::new());
        }
        let until = today.pred_opt().unwrap_or(today);
        let by = Self::clock()?.id;
        Ok(sealed(by, unit, (SealBasis::Restored, until, listing)))
    }

    /// A later day, never an earlier one.
    pub(super) fn extend_seal(
        &self,
        asked: Asked<'_>,
        unit: SealedUnit,
        until: NaiveDate,
    ) -> Result<Event, Unlawful> {
        let seal = self.seal_of(&unit)?;
        if until <= seal.until {
            let what = "a seal only grows: give a later day";
            return refused("register.seal-shorter", &unit, what);
        }
        if seal.release.is_some() {
            let what = "its release is asked for: the two who decide on that keep it shut by not approving";
            return refused("register.release-asked", &unit, what);
        }
        judge_term(asked, &unit, until)?;
        Ok(Event::SealExtended {
            by: asked.by.id.clone(),
            unit,
            until,
        })
    }

    /// That it be released, once its day is over.
    pub(super) fn request_seal_release(
        &self,
        asked: Asked<'_>,
        unit: SealedUnit,
    ) -> Result<Event, Unlawful> {
        let seal = self.seal_of(&unit)?;
        if asked.today <= seal.until {
            let what = "its day is not over; nobody releases it before";
            return refused("register.seal-holds", &unit, what);
        }
        if seal.release.is_some() {
            let what = "its release is asked for already";
            return refused("register.release-asked", &unit, what);
        }
        Ok(Event::SealReleaseRequested {
            by: asked.by.id.clone(),
            unit,
        })
    }

    /// By one of two others of different roles; the second approval releases.
    pub(super) fn approve_seal_release(
        &self,
        asked: Asked<'_>,
        unit: SealedUnit,
    ) -> Result<Event, Unlawful> {
        let seal = self.seal_of(&unit)?;
        let Some(release) = &seal.release else {
            let what = "nobody asked for its release";
            return refused("register.no-such-request", &unit, what);
        };
        let (by, role) = (asked.by.id.clone(), asked.by.role);
        if release.by == by {
            let what = "who asked can't approve; two others must";
            return refused("register.own-request", &unit, what);
        }
        match &release.approved {
            None => Ok(Event::SealReleaseApproved { by, role, unit }),
            Some((first, _)) if *first == by => {
                let what = "this person has approved already; another one must";
                refused("register.approved-already", &unit, what)
            }
            Some((_, of)) if *of == role => {
                let what = "somebody of this role has approved already; another role must";
                refused("register.same-role", &unit, what)
            }
            Some(_) => Ok(Event::SealReleased { by, role, unit }),
        }
    }

    /// What was found of a sealed unit when it was looked at again.
    pub(super) fn check_seal(
        &self,
        asked: Asked<'_>,
        unit: SealedUnit,
        (found, holds): (Digest, bool),
    ) -> Result<Event, Unlawful> {
        self.seal_of(&unit)?;
        Ok(Event::SealChecked {
            by: asked.by.id.clone(),
            unit,
            found,
            holds,
        })
    }

    /// That nothing comes into a sealed dataset.
    ///
    /// # Errors
    /// [`Unlawful`].
    pub fn judge_unsealed(&self, dataset: &DatasetName) -> Result<(), Unlawful> {
        if self.seals().holds_dataset(dataset) {
            let unit = SealedUnit::Dataset(dataset.clone());
            return refused("register.sealed", &unit, "it is sealed; nothing comes in");
        }
        Ok(())
    }

    /// That a snapshot is not sealed, so that it may be destroyed.
    ///
    /// # Errors
    /// [`Unlawful`].
    pub fn judge_destructible(&self, dataset: &DatasetName, number: u32) -> Result<(), Unlawful> {
        if self.seals().holds_snapshot(dataset, number) {
            let place = format!("snapshot {number} of `{dataset}`");
            let what = "it is sealed; release the seal first";
            return Err(Unlawful::new("register.sealed", place, what, CLAUSE));
        }
        Ok(())
    }

    /// That nothing is sealed, so that the log may be shortened.
    ///
    /// # Errors
    /// [`Unlawful`].
    pub fn judge_prunable(&self) -> Result<(), Unlawful> {
        match self.seals().all().next() {
            None => Ok(()),
            Some((unit, _)) => {
                let what = "it is sealed; what is on record of it is kept";
                refused("register.sealed", unit, what)
            }
        }
    }

    /// That a scenario is not sealed: what it sees is not changed.
    pub(super) fn judge_unsealed_scenario(
        &self,
        scenario: &terms::Scenario,
    ) -> Result<(), Unlawful> {
        if self.seals().holds_scenario(scenario) {
            let unit = SealedUnit::Scenario(scenario.id.clone());
            let what = "it is sealed, or its licence is; release the seal first";
            return refused("register.sealed", &unit, what);
        }
        Ok(())
    }

    /// That what ended is not sealed, so that its data may be confirmed as destroyed.
    pub(super) fn judge_disposable(&self, of: &Disposed) -> Result<(), Unlawful> {
        let unit = match of {
            Disposed::Licence(id) => SealedUnit::Licence(id.clone()),
            Disposed::Scenario(id) => SealedUnit::Scenario(id.clone()),
        };
        let is_of = |scenario: &terms::Scenario| match &unit {
            SealedUnit::Licence(id) => scenario.licence == *id,
            SealedUnit::Scenario(id) => scenario.id == *id,
            SealedUnit::Dataset(_) => false,
        };
        let mut scenarios = self.scenarios().filter(|s| is_of(&s.scenario));
        let is_shut = scenarios.any(|s| self.seals().holds_scenario(&s.scenario));
        if is_shut || self.seals().of(&unit).is_some() {
            let what = "it is sealed, or something of it is; release the seal first";
            return refused("register.sealed", &unit, what);
        }
        Ok(())
    }

    /// The seal of a unit.
    ///
    /// # Errors
    /// [`Unlawful`] where it is not sealed.
    pub fn seal_of(&self, unit: &SealedUnit) -> Result<&Seal, Unlawful> {
        let seal = self.seals().of(unit);
        match seal {
            Some(seal) => Ok(seal),
            None => refused("register.not-sealed", unit, "it is not sealed"),
        }
    }

    /// The snapshots that a seal of this unit holds, and so whose files are listed: of a scenario or licence
    /// what it sees and what it keeps; of a dataset what is kept of it, beside all that is stored.
    #[must_use]
    pub fn seen_by(&self, unit: &SealedUnit) -> Vec<(DatasetName, u32)> {
        let is_of = |scenario: &terms::Scenario| match unit {
            SealedUnit::Dataset(_) => false,
            SealedUnit::Scenario(id) => scenario.id == *id,
            SealedUnit::Licence(id) => scenario.licence == *id,
        };
        let scenarios = self
            .scenarios()
            .filter(|standing| is_of(&standing.scenario));
        let pinned = scenarios.flat_map(|standing| &standing.pinned);
        let pinned = pinned.map(|(name, number)| (name.clone(), *number));
        let kept = self.kept().filter(|derived| match unit {
            SealedUnit::Dataset(name) => derived.sources.iter().any(|of| of.dataset == *name),
            SealedUnit::Scenario(id) => derived.scenario == *id,
            SealedUnit::Licence(id) => derived.licence == *id,
        });
        let kept = kept.map(|derived| (derived.stored_as(), derived.number));
        let mut seen: Vec<_> = pinned.chain(kept).collect();
        seen.sort();
        seen.dedup();
        seen
    }
}

impl Listing {
    /// A list of files, sorted by their lines, with the root of the tree of these lines.
    #[must_use]
    pub fn of(mut files: Vec<SealedFile>, root: impl FnOnce(&[String]) -> Digest) -> Self {
        files.sort_by_key(SealedFile::line);
        let lines: Vec<String> = files.iter().map(SealedFile::line).collect();
        let text: String = lines.concat();
        Self {
            list: Digest::of(text.as_bytes()),
            root: root(&lines),
            files,
            absent: Vec::new(),
        }
    }

    /// That none of its files is about to be destroyed: approved before, it would be after.
    ///
    /// # Errors
    /// [`Unlawful`].
    pub fn judge(
        &self,
        unit: &SealedUnit,
        under_way: &[(DatasetName, u32)],
    ) -> Result<(), Unlawful> {
        let going = |file: &SealedFile| under_way.contains(&(file.dataset.clone(), file.snapshot));
        if self.files.iter().any(going) {
            let what = "the destruction of a snapshot of it is approved and not finished";
            return refused("register.destruction-under-way", unit, what);
        }
        Ok(())
    }
}

/// Nobody alone keeps anything shut for longer than this at a time.
fn judge_term(asked: Asked<'_>, unit: &SealedUnit, until: NaiveDate) -> Result<(), Unlawful> {
    let last = asked.today.checked_add_days(Days::new(DAYS_MAX));
    if last.is_some_and(|last| until > last) {
        let what = format!("give a day within {DAYS_MAX} days; it can be set later again");
        return refused("register.seal-too-long", unit, &what);
    }
    Ok(())
}

/// A seal as it goes on record: its list, in parts, before what names it.
fn sealed(
    by: PersonId,
    unit: SealedUnit,
    (basis, until, listing): (SealBasis, NaiveDate, Listing),
) -> Vec<Event> {
    let Listing {
        list, root, files, ..
    } = listing;
    let parts = files.chunks(FILES_MAX).map(|files| Event::SealListed {
        list,
        files: files.to_vec(),
    });
    let mut events: Vec<Event> = parts.collect();
    events.push(Event::DataSealed {
        by,
        unit,
        basis,
        until,
        list,
        root,
    });
    events
}

fn refused<T>(code: &'static str, unit: &SealedUnit, what: &str) -> Result<T, Unlawful> {
    Err(Unlawful::new(code, format!("`{unit}`"), what, CLAUSE))
}
