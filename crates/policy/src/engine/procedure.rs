//! Random commands by random roles, against a small model of the rules that was written apart from them:
//! what the policies permit and the register finds lawful is what the model says, and what stands after
//! is too. What stands is what the record makes when it is folded again.

mod ask; // the commands, with what they are about
mod model; // the rules once more, as plain tables

use self::{ask::Ask, model::Model};
use super::*;
use ask::start;
use chrono::NaiveDate;
use register::{Command, Listing};
use std::{cell::RefCell, collections::BTreeMap};
use terms::{Digest, Event, Person, SealedFile};

/// Commands in a row on one domain.
const ROW: usize = 500;

/// Numbers that are the same for the same seed.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    pub(super) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.roll(all.len())]
    }
}

/// The register under the policies, with its record.
struct Domain<'a> {
    engine: &'a Engine,
    decided: &'a RefCell<BTreeMap<String, bool>>,
    state: State,
    record: Vec<String>,
}

impl Domain<'_> {
    fn carry(&mut self, by: &Person, command: Command, day: NaiveDate) -> Result<(), String> {
        let submitter = self.state.submitter(&command).cloned();
        let own = submitter.as_ref() == Some(&by.id);
        let key = format!("{} {} {own}", by.role.word(), command.action());
        let manage = || self.engine.manage(by, command.action(), submitter.as_ref());
        let mut decided = self.decided.borrow_mut();
        let permitted = decided.entry(key).or_insert_with(|| manage().is_ok());
        if !*permitted {
            return Err("policy".to_owned());
        }
        let noon = day.and_hms_opt(4, 0, 0).unwrap().and_utc();
        let events = self.state.judge(by, command, noon);
        for event in events.map_err(|why| why.to_string())? {
            self.state.apply(&event);
            self.record.push(serde_json::to_string(&event).unwrap());
        }
        Ok(())
    }
}

/// Somebody's command: one in three whatever comes, else one that is allowed if a few rolls find one.
fn step(dice: &mut Dice, model: &Model) -> (&'static str, Ask) {
    let mut roll = || {
        let ask = Ask::roll(dice, model);
        (model.asker(dice, &ask), ask, dice.roll(40) == 0)
    };
    for _ in 0..25 {
        let (by, ask, enough) = roll();
        if enough || model.clone().take(by, &ask) {
            return (by, ask);
        }
    }
    let (by, ask, _) = roll();
    (by, ask)
}

#[expect(clippy::disallowed_methods, reason = "who runs it says how long")]
fn commands() -> usize {
    let set = std::env::var("BONDED_PROCEDURE_COMMANDS").ok();
    set.map_or(60_000, |number| number.parse().unwrap())
}

/// A seal with the list of what there is to seal, as a gateway makes it.
fn listed(mut command: Command, state: &State) -> Command {
    if let Command::SealData { unit, listing, .. } = &mut command {
        let files = state.seen_by(unit).into_iter();
        let file = |(dataset, snapshot)| SealedFile {
            dataset,
            snapshot,
            sha256: Digest::of(b"stored"),
            bytes: 9,
        };
        *listing = Listing::of(files.map(file).collect(), |_| Digest::of(b""));
    }
    command
}

#[test]
fn the_register_and_a_model_of_its_rules_never_disagree() {
    let engine = Engine::load(None);
    let decided = RefCell::new(BTreeMap::new());
    let mut lawful: BTreeMap<&'static str, usize> = BTreeMap::new();
    let total = commands();
    for row in 0..total.div_ceil(ROW) {
        let mut dice = Dice(0x9e37_79b9_7f4a_7c15 ^ (row as u64 + 1).wrapping_mul(0x2545_f491));
        let pilot = row % 2 == 0;
        let mut domain = Domain {
            engine: &engine,
            decided: &decided,
            state: State::default(),
            record: Vec::new(),
        };
        let mut model = Model::new(pilot);
        for event in start(pilot) {
            domain.state.apply(&event);
            domain.record.push(serde_json::to_string(&event).unwrap());
        }
        let mut told = Vec::new();
        for _ in 0..ROW {
            model.wait(&mut dice);
            let (by, ask) = step(&mut dice, &model);
            told.push(format!("{} {by}: {ask:?}", model.day));
            let expected = model.take(by, &ask);
            let command = listed(ask.command(model.day), &domain.state);
            let action = command.action();
            let got = domain.carry(&ask::person(by), command, model.day);
            let tail = || {
                told.iter()
                    .rev()
                    .take(60)
                    .rev()
                    .cloned()
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                got.is_ok(),
                expected,
                "row {row}: {got:?}\n{}",
                tail().join("\n")
            );
            if expected {
                *lawful.entry(action).or_default() += 1;
                let (is, wanted) = (model::seen(&domain.state), model.told());
                assert_eq!(is, wanted, "row {row}:\n{}", tail().join("\n"));
            }
        }
        let mut again = State::default();
        for event in &domain.record {
            again.apply(&serde_json::from_str::<Event>(event).unwrap());
        }
        assert_eq!(again.digest(), domain.state.digest());
    }
    let sum: usize = lawful.values().sum();
    println!("{total} commands, {sum} lawful: {lawful:?}");
    // Every step there is was taken lawfully at least once.
    if total >= 20_000 {
        assert_eq!(lawful.len(), ask::ACTIONS, "{lawful:?}");
    }
}
