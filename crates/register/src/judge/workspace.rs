use super::Asked;
use crate::{Room, State, Unlawful};
use terms::{DatasetName, Derived, DerivedEnd, DerivedName, Event, LicenceId, ScenarioId, Stage};

/// The clause on what comes of processing. Source: AO-14.
const CLAUSE: &str = "AO-14";

impl State {
    /// Whether a result may be kept under this name, for so many rows: before anything runs for it, and
    /// once more when its file is there.
    ///
    /// # Errors
    /// [`Unlawful`].
    pub fn judge_room(
        &self,
        (scenario, licence): (&ScenarioId, &LicenceId),
        name: &DerivedName,
        (rows, room): (u64, Room),
    ) -> Result<(), Unlawful> {
        let refuse = |code, what: String| {
            let place = format!("kept result `{name}`");
            Err(Unlawful::new(code, place, what, CLAUSE))
        };
        if self.kept_as(scenario, name).is_some() {
            let what = "the scenario keeps one of this name; drop it first, or choose another name";
            return refuse("workspace.name-taken", what.to_owned());
        }
        let (datasets, charged) = self.kept_room(licence);
        if datasets >= room.datasets_max {
            let most = room.datasets_max;
            let what = format!("the licence keeps {most} results, the most it may; drop one first");
            return refuse("workspace.too-many", what);
        }
        let free = room.rows_max.saturating_sub(charged);
        if rows > free {
            let what = format!(
                "it is charged with {rows} rows and {free} are free; drop others first \
                 (rows of people are charged as those of their whole dataset)"
            );
            return refuse("workspace.no-room", what);
        }
        Ok(())
    }

    /// A result is kept: its maker is a member of a scenario that stands, and there is room.
    pub(super) fn keep_derived(
        &self,
        asked: Asked<'_>,
        derived: Derived,
        room: Room,
    ) -> Result<Event, Unlawful> {
        let place = || format!("kept result `{}`", derived.name);
        self.own_scenario(asked, &derived.scenario, place)?;
        let standing = self.scenario(&derived.scenario);
        let licence = self.licence(&derived.licence);
        let granted = standing
            .is_some_and(|s| s.stage == Stage::Granted && s.scenario.licence == derived.licence)
            && licence.is_some_and(|l| l.stage == Stage::Granted);
        if !granted {
            let what = "its scenario does not stand";
            return Err(Unlawful::new(
                "workspace.not-granted",
                place(),
                what,
                CLAUSE,
            ));
        }
        if let Some(standing) = standing {
            self.judge_unsealed_scenario(&standing.scenario)?;
        }
        for source in &derived.sources {
            self.judge_unsealed(&source.dataset)?;
        }
        if derived.number <= self.kept_last() && self.kept_under(&derived.stored_as()).is_some() {
            let what = "its number is taken";
            return Err(Unlawful::new(
                "workspace.number-taken",
                place(),
                what,
                CLAUSE,
            ));
        }
        let whose = (&derived.scenario, &derived.licence);
        self.judge_room(whose, &derived.name, (derived.rows_charged, room))?;
        Ok(Event::DerivedKept {
            by: asked.by.id.clone(),
            derived,
        })
    }

    /// A member drops a result of their scenario.
    pub(super) fn drop_derived(
        &self,
        asked: Asked<'_>,
        scenario: &ScenarioId,
        name: &DerivedName,
    ) -> Result<Event, Unlawful> {
        let place = || format!("kept result `{name}`");
        self.own_scenario(asked, scenario, place)?;
        let kept = self.kept_as(scenario, name);
        let kept = kept.ok_or_else(|| none(place()))?;
        self.judge_destructible(&kept.stored_as(), kept.number)?;
        Ok(Event::DerivedDropped {
            by: asked.by.id.clone(),
            dataset: kept.stored_as(),
            end: DerivedEnd::Dropped,
        })
    }

    /// Its time is over, or what it was made of is to be destroyed.
    pub(super) fn end_derived(
        &self,
        asked: Asked<'_>,
        dataset: &DatasetName,
        end: DerivedEnd,
    ) -> Result<Event, Unlawful> {
        let kept = self.kept_under(dataset);
        let kept = kept.ok_or_else(|| none(format!("kept result `{dataset}`")))?;
        self.judge_destructible(dataset, kept.number)?;
        Ok(Event::DerivedDropped {
            by: asked.by.id.clone(),
            dataset: dataset.clone(),
            end,
        })
    }

    /// Of what is another's nobody learns that it is there.
    fn own_scenario(
        &self,
        asked: Asked<'_>,
        scenario: &ScenarioId,
        place: impl Fn() -> String,
    ) -> Result<(), Unlawful> {
        let standing = self.scenario(scenario);
        let own = standing.is_some_and(|s| s.scenario.members.contains(&asked.by.id));
        own.then_some(()).ok_or_else(|| none(place()))
    }
}

fn none(place: String) -> Unlawful {
    let what = "your scenario keeps no such result";
    Unlawful::new("workspace.none", place, what, CLAUSE)
}
