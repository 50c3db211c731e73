//! Groups: aggregates over shown and raw values, what a cell over raw values owes, and what is held.

use super::{
    evaluate::{Evaluation, Stop},
    scalar::{readable, truth},
    value::{Datum, FEEDING, Held, Kind, Origin, Raw, Row, Tally, Unheard, Value, Whence},
};
use plan::{AggregateCall, AggregateFunction as F, Check, Expr, Report};
use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

/// A raw value that enters a cell, with all its row depends on.
type Entry = (Rc<Raw>, Whence);

impl Evaluation<'_> {
    pub(super) fn grouped(
        &mut self,
        rows: Vec<Row>,
        keys: &[Expr],
        calls: &[AggregateCall],
    ) -> Result<Vec<Row>, Stop> {
        let mut places: BTreeMap<Vec<Datum>, usize> = BTreeMap::new();
        let mut groups: Vec<(Row, Vec<Row>)> = Vec::new();
        if keys.is_empty() {
            let (cells, from) = (Vec::new(), Whence::default());
            groups.push((Row { cells, from }, rows));
        } else {
            for row in rows {
                let cells = self.each(keys, &row.cells)?;
                for cell in &cells {
                    readable(cell)?;
                    self.not_join_only(cell)?;
                }
                let key: Vec<Datum> = cells.iter().map(|cell| cell.shown.clone()).collect();
                let at = *places.entry(key).or_insert(groups.len());
                if at == groups.len() {
                    let from = Whence::default();
                    let key = |cell: &Value| Value {
                        kind: cell.kind,
                        ..Value::open(cell.shown.clone())
                    };
                    let cells = cells.iter().map(key).collect();
                    groups.push((Row { cells, from }, Vec::new()));
                }
                let (group, members) = &mut groups[at];
                cells.iter().for_each(|cell| group.from.add(&cell.from));
                members.push(row);
            }
        }
        let mut whole = Vec::new();
        for (mut group, members) in groups {
            members.iter().for_each(|row| group.from.add(&row.from));
            for call in calls {
                let mut cell = self.aggregate(call, &members)?;
                hold(&group.cells[..keys.len()], &mut cell)?;
                group.from.add(&std::mem::take(&mut cell.from));
                group.cells.push(cell);
            }
            group.from.feed();
            match group.cells.iter().any(|cell| cell.bad.is_some()) && !self.confined {
                true => self.withheld = true,
                false => whole.push(group),
            }
        }
        Ok(whole)
    }

    #[expect(
        clippy::too_many_lines,
        reason = "one pass over the rows, in which each kind of value goes its own way"
    )]
    pub(super) fn aggregate(&mut self, call: &AggregateCall, rows: &[Row]) -> Result<Value, Stop> {
        if matches!(call.function, F::Witness | F::WitnessUnion) {
            return self.witness(call, rows);
        }
        if matches!(call.function, F::SharedMin | F::SharedMax) {
            return self.shared(call, rows);
        }
        let (mut raw, mut entries, mut shown) = (false, Vec::new(), Vec::new());
        let (mut amounts, mut persons, mut of) = (Vec::new(), None, BTreeSet::new());
        let (mut numbers, mut from, mut count) = (false, Whence::default(), 0);
        for row in rows {
            let condition = call.filter.as_ref();
            let condition = condition.map(|f| self.value(f, &row.cells)).transpose()?;
            if !condition.as_ref().map_or(Ok(true), truth)? {
                // Who is not counted has a value per person too: none, or 0.
                let argument = call.arguments.first();
                let value = argument.map(|argument| self.value(argument, &row.cells));
                if let Some(Ok(value)) = value
                    && let Ok(Some(behind)) = self.entering(call, &value)
                {
                    raw = true;
                    of.insert(behind.person);
                }
                continue;
            }
            count += 1;
            let Some(argument) = call.arguments.first() else {
                continue;
            };
            let value = self.value(argument, &row.cells)?;
            let mut whence = row.from.with(&value.from);
            condition.iter().for_each(|c| whence.add(&c.from));
            from.add(&value.from);
            if let Some(behind) = self.entering(call, &value)? {
                raw = true;
                self.read.insert((behind.dataset, behind.item));
                amounts.push(behind.datum.clone());
                of.insert(behind.person);
                entries.push((behind, whence));
                continue;
            }
            if let Some(held) = value.held.as_ref().filter(|_| value.kind == Kind::Hidden) {
                raw = true;
                let persons = persons.get_or_insert_with(BTreeSet::new);
                if !value.shown.is_null() {
                    entering_held(call, held, persons)?;
                    entries.extend(held.entries.iter().map(|(raw, from)| {
                        let datum = match held.counted {
                            true => Datum::Int(1),
                            false => raw.datum.clone(),
                        };
                        let raw = Raw {
                            datum,
                            ..(**raw).clone()
                        };
                        (Rc::new(raw), whence.with(from))
                    }));
                    amounts.push(value.shown);
                }
                continue;
            }
            if value.kind == Kind::Hidden && value.shown.is_null() {
                // An outer join left it out.
                raw = true;
                continue;
            }
            readable(&value)?;
            self.not_join_only(&value)?;
            if matches!(value.kind, Kind::Token { .. }) && call.function != F::Count {
                return Err(Stop::Denied("a token is computed with"));
            }
            numbers |= value.kind == Kind::Number;
            shown.push(value.shown);
        }
        entries.retain(|(raw, _)| !raw.datum.is_null());
        let mut data: Vec<Datum> = match raw {
            true => amounts,
            false => shown,
        };
        data.retain(|datum| !datum.is_null());
        data.sort();
        if call.distinct {
            data.dedup();
        }
        let told = match (raw, call.arguments.is_empty()) {
            (true, _) if is_ordered(call.function) => self.safe(call, &entries)?,
            (_, true) => Datum::Int(count),
            _ => folded(call.function, &data)?,
        };
        let unheard = self.unheard(
            &entries,
            persons.as_ref().filter(|_| call.function != F::Sum),
        );
        Ok(Value {
            kind: if numbers { Kind::Number } else { Kind::Open },
            bad: raw.then(|| self.short(call, &entries)).flatten(),
            from,
            unheard: unheard.filter(|_| raw),
            held: raw.then(|| held(call, (entries, of), persons.is_some())),
            ..Value::open(told)
        })
    }

    /// What the register must hear of a raw cell: whose rows were put together, and how many people are
    /// counted by what they hold.
    fn unheard(&self, entries: &[Entry], persons: Option<&BTreeSet<u32>>) -> Option<Unheard> {
        let dataset = self.dataset(entries.first()?.0.dataset);
        let rows = entries.iter().filter_map(|(raw, _)| {
            let person = i64::from(raw.person?);
            Some(match dataset.subject_unique {
                true => person,
                false => raw.row as i64,
            })
        });
        let mut sets = vec![rows.collect()];
        sets.extend(persons.map(|persons| persons.iter().copied().map(i64::from).collect()));
        self.confined.then(|| Rc::new(sets))
    }

    /// The raw value an approved aggregate sees in place of what is shown.
    fn entering(&self, call: &AggregateCall, value: &Value) -> Result<Option<Rc<Raw>>, Stop> {
        let Some(raw) = &value.raw else {
            return Ok(None);
        };
        let item = self.item(raw.dataset, raw.item).filter(|i| i.aggregate);
        let item = item.ok_or(Stop::Denied("an item that is not aggregated"))?;
        let approved = match call.function {
            F::Count => true,
            F::Sum | F::Avg => !call.distinct,
            F::StddevSample | F::StddevPopulation | F::VarianceSample | F::VariancePopulation => {
                !call.distinct
            }
            F::Median | F::Percentile | F::Min | F::Max => item.band.is_some() && !self.confined,
            F::SafeQuantile | F::SafeMin | F::SafeMax => self.confined && item.band.is_some(),
            F::Witness | F::WitnessUnion | F::SharedMin | F::SharedMax => false,
        };
        match (approved, value.kind) {
            (true, _) => Ok(Some(Rc::clone(raw))),
            (false, Kind::Hidden) => Err(Stop::Denied("an aggregate that is not approved")),
            (false, _) => Ok(None),
        }
    }

    /// What a cell owes and does not meet: k people of each scan, each base row once, nobody in sight
    /// through the total.
    fn short(&self, call: &AggregateCall, entries: &[Entry]) -> Option<&'static str> {
        let mut from = Whence::default();
        let (mut people, mut seen) = (BTreeMap::new(), BTreeSet::new());
        let mut twice = false;
        for (raw, whence) in entries {
            from.add(whence);
            twice |= !seen.insert((raw.dataset, raw.row));
            if let (Some(person), Some(amount)) = (raw.person, raw.datum.number()) {
                *people.entry(person).or_insert(0.0) += amount;
            }
        }
        let Some((first, _)) = entries.first() else {
            return Some("a raw cell of nobody");
        };
        if self.few(&from, |(_, scan)| scan < FEEDING) {
            return Some("a raw cell of fewer than k");
        }
        let rules = self.dataset(first.dataset).disclosure;
        let amounts: Vec<f64> = people.into_values().collect();
        let sums = matches!(call.function, F::Sum | F::Avg);
        let deviations = !sums && call.function != F::Count && !is_ordered(call.function);
        if twice && (sums || deviations || call.function == F::Count && !call.distinct) {
            return Some("a raw cell that counts a row twice");
        }
        if sums || deviations {
            let mut sorted = amounts.clone();
            sorted.sort_by(|one, other| other.total_cmp(one));
            let (total, top): (f64, f64) = (sorted.iter().sum(), sorted.iter().take(2).sum());
            let share = f64::from(rules.share_percent) / 100.0;
            let rest = f64::from(rules.rest_percent) / 100.0;
            if total > 0.0 && (top >= share * total || total - top < rest * sorted[0]) {
                return Some("a raw cell that is dominated");
            }
            if rules.spread && amounts.iter().all(|amount| *amount == amounts[0]) {
                return Some("a raw cell of one value");
            }
        }
        let few = seen.len() <= rules.freedom as usize;
        (deviations && rules.freedom > 0 && few).then_some("a deviation of too few")
    }

    /// Whether any of these scans that owes has fewer than k people here.
    pub(super) fn few(&self, from: &Whence, owes: impl Fn(Origin) -> bool) -> bool {
        from.0.iter().any(|(origin, people)| {
            let dataset = self.dataset(origin.0);
            dataset.protected && owes(*origin) && people.count_ones() < dataset.k
        })
    }

    /// A percentile or an extreme in bands, with k people on each side, or none.
    fn safe(&self, call: &AggregateCall, entries: &[Entry]) -> Result<Datum, Stop> {
        let Some((first, _)) = entries.first() else {
            return Ok(Datum::Null);
        };
        let share = match (call.function, call.arguments.get(1), call.arguments.get(2)) {
            (F::Median, ..) => 0.5,
            (F::Percentile, Some(share), _) | (F::SafeQuantile, _, Some(share)) => match share {
                Expr::Literal(plan::Literal::Float(bits)) => f64::from_bits(*bits),
                _ => return Err(Stop::Skipped("share")),
            },
            _ => 0.0,
        };
        let k = self.dataset(first.dataset).k as usize;
        let band = self.item(first.dataset, first.item).and_then(|i| i.band);
        let band = band.ok_or(Stop::Denied("no band"))?;
        let mut sorted: Vec<(f64, u32)> = entries
            .iter()
            .filter_map(|(raw, _)| Some((raw.datum.number()?, raw.person?)))
            .collect();
        sorted.sort_by(|one, other| one.0.total_cmp(&other.0));
        let people = |side: &[(f64, u32)]| side.iter().map(|e| e.1).collect::<BTreeSet<_>>().len();
        if matches!(call.function, F::Max | F::SafeMax) {
            sorted.reverse();
        }
        let at = match is_extreme(call.function) {
            true => (0..sorted.len()).find(|at| people(&sorted[..=*at]) >= k),
            // The place is a whole number: shares are halves and quarters of small lengths.
            false => (0..sorted.len()).rfind(|at| *at as f64 <= share * (sorted.len() - 1) as f64),
        };
        let sides = |at: &usize| people(&sorted[..=*at]) >= k && people(&sorted[*at..]) >= k;
        let at = at.filter(|at| is_extreme(call.function) || sides(at));
        Ok(at.map_or(Datum::Null, |at| {
            Datum::Float((sorted[at].0 / band).floor() * band)
        }))
    }

    /// The least or greatest shown value that k people of the group share.
    fn shared(&mut self, call: &AggregateCall, rows: &[Row]) -> Result<Value, Stop> {
        let [value, subject, Expr::Literal(plan::Literal::Int(k))] = call.arguments.as_slice()
        else {
            return Err(Stop::Denied("a shared extreme of something else"));
        };
        let (mut people, mut from): (BTreeMap<Datum, BTreeSet<Datum>>, _) = Default::default();
        for row in rows {
            let condition = call.filter.as_ref();
            let condition = condition.map(|f| self.value(f, &row.cells)).transpose()?;
            if !condition.as_ref().map_or(Ok(true), truth)? {
                continue;
            }
            let value = self.value(value, &row.cells)?;
            readable(&value)?;
            self.not_join_only(&value)?;
            Whence::add(&mut from, &value.from);
            let bare = row.cells.iter().map(|cell| Value::open(cell.shown.clone()));
            let subject = self.value(subject, &bare.collect::<Vec<_>>())?.shown;
            if !subject.is_null() && !value.shown.is_null() {
                people.entry(value.shown).or_default().insert(subject);
            }
        }
        let enough = usize::try_from(*k).unwrap();
        let mut shared = people
            .into_iter()
            .filter(|(_, people)| people.len() >= enough);
        let told = match call.function {
            F::SharedMin => shared.next(),
            _ => shared.next_back(),
        };
        Ok(Value {
            from,
            ..Value::open(told.map_or(Datum::Null, |(value, _)| value))
        })
    }

    fn witness(&mut self, call: &AggregateCall, rows: &[Row]) -> Result<Value, Stop> {
        let mut tally = Tally::default();
        for row in rows {
            // A witness may ask for anything; it is read by thresholds alone.
            let bare = row.cells.iter().map(|cell| Value::open(cell.shown.clone()));
            let bare: Vec<Value> = bare.collect();
            if let Some(filter) = &call.filter
                && !self.value(filter, &bare)?.shown.is_true()
            {
                continue;
            }
            let arguments = self.each(&call.arguments, &bare)?;
            let arguments: Vec<&Datum> = arguments.iter().map(|value| &value.shown).collect();
            match arguments.as_slice() {
                [Datum::Int(subject), row, value] => {
                    let row = row.number().and(match row {
                        Datum::Int(row) => Some(*row),
                        _ => None,
                    });
                    tally.entries.push((*subject, row, value.number()));
                }
                [Datum::Tally(other)] => {
                    tally.united = true;
                    tally.entries.extend(&other.entries);
                }
                _ => {}
            }
        }
        Ok(Value {
            kind: Kind::Number,
            ..Value::open(Datum::Tally(Rc::new(tally)))
        })
    }
}

/// What an aggregate over raw values holds, should its group be of one person.
fn held(
    call: &AggregateCall,
    (entries, of): (Vec<Entry>, BTreeSet<Option<u32>>),
    again: bool,
) -> Rc<Held> {
    let alone = of.len() == 1;
    let summed = matches!(call.function, F::Sum | F::Count) && !call.distinct;
    Rc::new(Held {
        person: of.into_iter().next().flatten(),
        counted: call.function == F::Count,
        whole: summed && !again && alone,
        again,
        entries,
    })
}

/// A raw cell of a group whose key names the one person that all its rows are of is held: nobody sees
/// it, and it owes nothing yet. Of any other group it is a cell as it is.
fn hold(keys: &[Value], cell: &mut Value) -> Result<(), Stop> {
    let Some(held) = cell.held.take() else {
        return Ok(());
    };
    let named = |person: u32| Datum::text(&format!("person-{person}"));
    let is_subject = |key: &Value| {
        let name = held.person.map_or(Datum::Null, named);
        let domain = Kind::Token {
            domain: "person",
            join_only: false,
        };
        key.kind == domain && key.shown == name
    };
    if keys.iter().any(is_subject) {
        if held.again && !held.entries.is_empty() {
            return Err(Stop::Denied("what is held is held again"));
        }
        if held.whole {
            (cell.kind, cell.bad, cell.unheard) = (Kind::Hidden, None, None);
            cell.held = Some(held);
        }
    }
    Ok(())
}

/// A held value enters outer sums, means and counts alone, and each person once where they are counted.
fn entering_held(
    call: &AggregateCall,
    held: &Held,
    persons: &mut BTreeSet<u32>,
) -> Result<(), Stop> {
    if !matches!(call.function, F::Sum | F::Avg | F::Count) || call.distinct {
        return Err(Stop::Denied("a held value in an aggregate not approved"));
    }
    let again = held.person.is_some_and(|person| !persons.insert(person));
    if again && call.function != F::Sum {
        return Err(Stop::Denied("a person is counted twice by what they hold"));
    }
    Ok(())
}

/// Takes note of what reports tell of kept rows, or denies that a raw cell is not among it.
pub(super) fn heard(rows: &mut [Row], reports: &[Report]) -> Result<(), Stop> {
    for row in rows {
        let rows_of = |report: &Report| match &row.cells[report.witness as usize].shown {
            Datum::Tally(tally) => tally.entries.iter().filter_map(|entry| entry.1).collect(),
            _ => BTreeSet::new(),
        };
        let told: Vec<BTreeSet<i64>> = reports.iter().map(rows_of).collect();
        for cell in &mut row.cells {
            let sets = cell.unheard.take();
            if sets.is_some_and(|sets| !sets.iter().all(|set| told.contains(set))) {
                return Err(Stop::Denied("the register hears of other rows"));
            }
        }
    }
    Ok(())
}

impl Tally {
    pub(super) fn subjects(&self) -> i64 {
        let subjects: BTreeSet<i64> = self.entries.iter().map(|entry| entry.0).collect();
        subjects.len() as i64
    }
}

/// Whether a witness, or a count of subjects, meets what a cell must.
pub(super) fn meets(witness: &Datum, check: &Check) -> bool {
    let tally = match witness {
        Datum::Int(count) => return check.is_count() && *count >= i64::from(check.k),
        Datum::Tally(tally) => tally,
        _ => return false,
    };
    let rows: BTreeSet<i64> = tally.entries.iter().filter_map(|entry| entry.1).collect();
    let numbered = !rows.is_empty();
    let entered = tally.entries.len();
    let distinct = if numbered { rows.len() } else { entered };
    let once = tally.united || distinct == entered;
    let mut of_one: BTreeMap<i64, f64> = BTreeMap::new();
    for (subject, _, value) in &tally.entries {
        if let (Some(value), false) = (value, tally.united) {
            *of_one.entry(*subject).or_insert(0.0) += value;
        }
    }
    let mut amounts: Vec<f64> = of_one.into_values().collect();
    amounts.sort_by(|one, other| other.total_cmp(one));
    let (total, top): (f64, f64) = (amounts.iter().sum(), amounts.iter().take(2).sum());
    let dominated = check.dominance.is_some_and(|rule| {
        let rest = f64::from(rule.rest_percent) / 100.0 * amounts.first().unwrap_or(&0.0);
        let share = f64::from(rule.share_percent) / 100.0 * total;
        total > 0.0 && (top >= share || total - top < rest)
    });
    let spread = amounts.first() > amounts.last();
    tally.subjects() >= i64::from(check.k)
        && (!check.once || once)
        && (check.freedom == 0 || distinct > check.freedom as usize)
        && (!check.spread || spread)
        && !dominated
}

const fn is_extreme(function: F) -> bool {
    matches!(function, F::Min | F::Max | F::SafeMin | F::SafeMax)
}

const fn is_ordered(function: F) -> bool {
    let quantile = matches!(function, F::Median | F::Percentile | F::SafeQuantile);
    quantile || is_extreme(function)
}

/// An aggregate of values that are there, in order.
pub(super) fn folded(function: F, data: &[Datum]) -> Result<Datum, Stop> {
    let numbers: Vec<f64> = data.iter().filter_map(Datum::number).collect();
    let (count, sum) = (data.len() as f64, numbers.iter().sum::<f64>());
    let deviation = |less: f64| {
        let mean = sum / count;
        let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
        (count > less).then_some(squares / (count - less))
    };
    let float = |value: Option<f64>| value.map_or(Datum::Null, Datum::Float);
    Ok(match (function, data) {
        (F::Count, _) => Datum::Int(data.len() as i64),
        (_, []) => Datum::Null,
        (F::Sum, [Datum::Int(_), ..]) => {
            let whole = |datum: &Datum| match datum {
                Datum::Int(whole) => *whole,
                _ => 0,
            };
            Datum::Int(data.iter().map(whole).sum())
        }
        (F::Sum, _) => Datum::Float(sum),
        (F::Avg, _) => Datum::Float(sum / count),
        (F::Min, [first, ..]) => first.clone(),
        (F::Max, [.., last]) => last.clone(),
        (F::VarianceSample, _) => float(deviation(1.0)),
        (F::VariancePopulation, _) => float(deviation(0.0)),
        (F::StddevSample, _) => float(deviation(1.0).map(f64::sqrt)),
        (F::StddevPopulation, _) => float(deviation(0.0).map(f64::sqrt)),
        (F::Median, _) => {
            let middle = |at: usize| numbers[at];
            Datum::Float(f64::midpoint(
                middle((numbers.len() - 1) / 2),
                middle(numbers.len() / 2),
            ))
        }
        _ => return Err(Stop::Skipped("aggregate")),
    })
}
