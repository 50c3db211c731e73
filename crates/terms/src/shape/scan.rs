//! Looks for numbers among the symbols of a text, from its first to its last, in steps that grow with
//! its length and no faster.

use super::Shape;
use super::check_digit::{
    CARD_DIGITS, CARD_DIGITS_MAX, Issuer, RESIDENT_DIGITS, TEN, is_phone, is_resident_id, issuer,
};
use super::sights::Sights;
use super::symbol::Symbol;

/// How many signs may stand between two groups of one number.
const GAP_MAX: usize = 3;
/// Where in a run of digits a number is looked for: one may hide behind others, but not for ever.
const LOOKED_AT: usize = 64;

/// A number that is being read: groups of digits with a few signs between them.
#[derive(Debug, Default)]
pub(super) struct Scan {
    run: Vec<u8>,
    /// Where each group begins, and what stands before it.
    groups: Vec<(usize, Edge)>,
    /// Whether the last group may go on.
    is_open: bool,
    /// Whether its digits are written in words.
    in_words: bool,
    /// Signs since the last digit, and whether the only one is a point.
    gap: (usize, Edge),
    /// Whether the first group is the end of a word that has digits before: of a hash, and of no number.
    is_part: bool,
    /// Digits in the word of letters and digits that is being read.
    word_digits: usize,
    /// A phone number that is one only if its word has no more digits: a hash has.
    phone: bool,
    found: Sights,
    /// Windows that were looked at.
    pub(super) steps: u64,
}

/// What stands between two groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Edge {
    #[default]
    Sign,
    /// A single point: what follows may be a fraction.
    Point,
}

impl Scan {
    pub(super) fn take(&mut self, symbol: Symbol) {
        match symbol {
            Symbol::Digit(digit) => self.push(digit, false),
            Symbol::Word(digit) => self.push(digit, true),
            Symbol::Ten => self.push(TEN, self.in_words),
            Symbol::Point | Symbol::Gap => {
                self.end_group(false);
                self.end_word();
                let edge = match (symbol, self.gap.0) {
                    (Symbol::Point, 0) => Edge::Point,
                    _ => Edge::Sign,
                };
                self.gap = (self.gap.0 + 1, edge);
                if self.gap.0 > GAP_MAX {
                    self.end_run();
                }
            }
            Symbol::Latin => {
                self.end_group(true);
                self.end_run();
            }
            Symbol::Letter => {
                self.end_group(false);
                self.end_word();
                self.end_run();
            }
        }
    }

    /// What was found, when all is read.
    pub(super) fn finish(&mut self) -> Sights {
        self.end_group(false);
        self.end_word();
        self.end_run();
        std::mem::take(&mut self.found)
    }

    fn push(&mut self, digit: u8, in_words: bool) {
        if self.is_open && in_words != self.in_words {
            self.end_group(false);
            self.end_word();
        }
        if digit != TEN {
            self.phone = false;
            self.word_digits += 1;
        }
        if !self.is_open {
            self.groups.push((self.run.len(), self.gap.1));
            self.is_open = true;
        }
        self.run.push(digit);
        (self.in_words, self.gap) = (in_words, (0, Edge::Sign));
    }

    fn end_word(&mut self) {
        self.word_digits = 0;
        if std::mem::take(&mut self.phone) {
            self.found.plain(Shape::Phone);
        }
    }

    /// Looks a group over that stands without a sign in it.
    fn end_group(&mut self, is_tied: bool) {
        if !std::mem::take(&mut self.is_open) {
            return;
        }
        let (from, before) = self.groups.last().copied().unwrap_or_default();
        let group = self.run.get(from..).unwrap_or_default();
        let digits = trimmed(group);
        if from == 0 {
            self.is_part = self.word_digits > digits.len();
        }
        if group.len() < 11 {
            return;
        }
        self.steps = self.steps.saturating_add(1);
        if CARD_DIGITS.contains(&digits.len()) {
            match issuer(digits) {
                // One in a thousand fractions of that length would be one.
                Some(Issuer::National) if from == 0 || before == Edge::Sign => {
                    self.found.plain(Shape::BankCard);
                }
                Some(Issuer::National | Issuer::Other) => self.found.maybe(Shape::BankCard),
                None => {}
            }
        }
        if self.word_digits == digits.len() && is_phone(digits) {
            self.phone = is_tied;
            if !is_tied {
                self.found.plain(Shape::Phone);
            }
        }
        let (found, steps) = within_group(group);
        self.found = self.found.with(found);
        self.steps = self.steps.saturating_add(steps);
    }

    /// Looks for numbers of several groups.
    fn end_run(&mut self) {
        if self.groups.len() > 1 && self.run.len() >= 11 {
            for at in 0..self.groups.len() {
                let from = self.groups.get(at).map_or(usize::MAX, |(from, _)| *from);
                if from >= LOOKED_AT {
                    break;
                }
                self.steps = self.steps.saturating_add(1);
                let found = self.of_groups(at, from);
                self.found = self.found.with(found);
            }
        }
        self.run.clear();
        self.groups.clear();
        self.gap = (0, Edge::Sign);
    }

    /// What begins with this group and has more than one.
    fn of_groups(&self, at: usize, from: usize) -> Sights {
        let mut found = Sights::default();
        let ends = || {
            let later = self.groups.iter().skip(at + 2).map(|(from, _)| *from);
            let near = later.chain([self.run.len()]);
            near.take_while(|end| end - from <= CARD_DIGITS_MAX)
        };
        let is_else = |digits: Option<&[u8]>| digits.is_some_and(|d| d.iter().any(|d| *d != TEN));
        // Nothing is beside it, or the X of a word.
        let is_alone = |to: usize| !is_else(self.run.get(..from)) && !is_else(self.run.get(to..));
        let to = from + RESIDENT_DIGITS;
        if ends().any(|end| end == to) {
            let number = self.run.get(from..to).unwrap_or_default();
            match direction(number) {
                Some(Direction::Forwards) if is_alone(to) => found.plain(Shape::ResidentId),
                Some(_) => found.inside(Shape::ResidentId),
                None => {}
            }
        }
        let mut others = self.sizes(at).skip(1).take(CARD_DIGITS_MAX);
        let has_point = others.any(|(_, edge)| edge == Edge::Point);
        let is_written = |to: usize| !has_point || self.is_in_fours(at, to);
        for to in ends() {
            let digits = self.run.get(from..to).unwrap_or_default();
            match issuer(digits) {
                Some(Issuer::National) if is_alone(to) && is_written(to) => {
                    found.plain(Shape::BankCard)
                }
                Some(Issuer::National) if self.is_in_fours(at, to) => {
                    found.inside(Shape::BankCard);
                }
                Some(Issuer::Other) if self.is_in_fours(at, to) => found.maybe(Shape::BankCard),
                Some(_) | None => {}
            }
        }
        if self.is_phone_in_groups(at, from) {
            found.plain(Shape::Phone);
        }
        found
    }

    /// The sizes of the groups from this on, each with what stands before it.
    fn sizes(&self, at: usize) -> impl Iterator<Item = (usize, Edge)> {
        let ends = self.groups.iter().skip(at + 1).map(|(from, _)| *from);
        let groups = self
            .groups
            .iter()
            .skip(at)
            .zip(ends.chain([self.run.len()]));
        groups.map(|((from, edge), end)| (end - from, *edge))
    }

    /// Whether the digits up to there are grouped as on a card.
    fn is_in_fours(&self, at: usize, to: usize) -> bool {
        let from = self.groups.get(at).map_or(0, |(from, _)| *from);
        let sizes: Vec<usize> = self.sizes(at).map(|(size, _)| size).take(5).collect();
        match *sizes.as_slice() {
            [4, 4, 4, 4, ..] if to - from == 16 => true,
            [4, 4, 4, 4, last] => last <= 3 && to - from == 16 + last,
            _ => false,
        }
    }

    /// Whether these groups are a phone number as people write it. Dates, places and lists of numbers
    /// are grouped otherwise, or not by themselves.
    fn is_phone_in_groups(&self, at: usize, from: usize) -> bool {
        let digits = self.run.get(from..from + 11).unwrap_or_default();
        if !is_phone(digits) || (at == 0 && self.is_part) {
            return false;
        }
        let sizes: Vec<(usize, Edge)> = self.sizes(at).take(3).collect();
        let before = self.run.get(..from).unwrap_or_default();
        let is_first = matches!(before, [] | [8, 6] | [0, 0, 8, 6]);
        let is_alone = |count: usize| is_first && self.groups.len() == at + count;
        match *sizes.as_slice() {
            [(3, _), (4, _), (4, _)] => true,
            [(3, _), (3, _), (5, _)] | [(4, _), (4, _), (3, _)] | [(4, _), (3, _), (4, _)] => {
                is_alone(3)
            }
            [(3, _), (8, Edge::Sign)] | [(7, _), (4, Edge::Sign)] => is_alone(2),
            _ => false,
        }
    }
}

/// Which way a number is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forwards,
    Backwards,
}

/// Whether eighteen digits are an identity number.
fn direction(number: &[u8]) -> Option<Direction> {
    let at = |place: usize| number.get(place).copied();
    if is_resident_id(at) {
        return Some(Direction::Forwards);
    }
    let back = |place: usize| number.len().checked_sub(place + 1).and_then(at);
    is_resident_id(back).then_some(Direction::Backwards)
}

/// Identity numbers anywhere in digits without a sign, and how many windows were looked at. Those that
/// fill them, one or several, stand by themselves; so does one that an X ends.
fn within_group(group: &[u8]) -> (Sights, u64) {
    let (mut found, mut steps, mut fill) = (Sights::default(), 0_u64, 0_usize);
    let near = group.get(..LOOKED_AT).unwrap_or(group);
    let is_ten = |at: Option<usize>| at.and_then(|at| group.get(at)) == Some(&TEN);
    for (from, number) in near.windows(RESIDENT_DIGITS).enumerate() {
        steps += 1;
        let to = from + RESIDENT_DIGITS;
        match direction(number) {
            Some(Direction::Forwards) => {
                let begins = from == 0 || is_ten(from.checked_sub(1));
                let ends = to == group.len() || is_ten(Some(to)) || is_ten(to.checked_sub(1));
                match begins && ends {
                    true => found.plain(Shape::ResidentId),
                    false => found.inside(Shape::ResidentId),
                }
                fill += usize::from(from.is_multiple_of(RESIDENT_DIGITS));
            }
            Some(Direction::Backwards) => found.inside(Shape::ResidentId),
            None => {}
        }
    }
    if fill > 0 && fill * RESIDENT_DIGITS == group.len() {
        found.plain(Shape::ResidentId);
    }
    (found, steps)
}

/// The digits without the X of a word before or after them.
fn trimmed(mut group: &[u8]) -> &[u8] {
    while let [TEN, rest @ ..] | [rest @ .., TEN] = group {
        group = rest;
    }
    group
}
