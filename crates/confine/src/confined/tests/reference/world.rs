//! Four tiny tables, permits over them, and their twins: tables that differ only in what no result may
//! tell apart.

use super::{super::stage, random::Random, value::Datum};
use plan::{Expr, Function, Literal, RowPolicy};
use policy::Permit;
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeSet,
    sync::{Arc, OnceLock},
};
use terms::{Mask, Type};

pub(super) const TABLES: [&str; 4] = ["city.citizen", "city.visits", "city.stat", "city.upload"];
const ITEMS: [&[&str]; 4] = [
    &[
        "pid", "name", "birth", "district", "income", "wealth", "age", "note", "diag",
    ],
    &["pid", "vid", "hosp", "ward", "cost", "guide"],
    &["district", "pop"],
    &["pid", "label"],
];
/// Days in a year of the tables' calendar.
const YEAR: i32 = 400;
/// Persons come in pairs of equal masked rows; these are in `citizen`, and one pair more in `visits`.
const PAIRS: u32 = 8;
const GUIDES: [u32; 3] = [24, 25, 26];

/// A permit and what is in the tables.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub permit: Arc<Permit>,
    pub tables: Vec<Table>,
    /// What raw identifiers are counted from; tokens do not show it.
    base: i64,
}

/// Raw rows, and whose they are.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    pub rows: Vec<Vec<Datum>>,
    pub persons: Vec<Option<u32>>,
}

fn datasets() -> Vec<Json> {
    use stage::{dataset, item};
    let mut pid = item("pid", "subject_id", 3, None, "int");
    pid["unique"] = json!(true);
    let mut vid = item("vid", "subject_id", 2, Some("token"), "int");
    (vid["unique"], vid["domain"]) = (json!(true), json!("visit"));
    let mut wealth = item("wealth", "amount", 3, Some("suppress"), "int");
    wealth["band"] = json!(10.0);
    let citizen = vec![
        pid.clone(),
        item("name", "person_name", 2, Some("partial(1,0)"), "text"),
        item("birth", "date", 3, Some("year"), "date"),
        item("district", "code", 1, None, "text"),
        item("income", "amount", 3, Some("suppress"), "int"),
        wealth,
        item("age", "amount", 3, Some("band(10)"), "int"),
        item("note", "free_text", 3, Some("suppress"), "text"),
        item("diag", "free_text", 4, None, "text"),
    ];
    let visits = vec![
        item("pid", "subject_id", 2, Some("token"), "int"),
        vid,
        item("hosp", "code", 1, None, "text"),
        item("ward", "count", 1, None, "int"),
        item("cost", "amount", 2, Some("suppress"), "float"),
        item("guide", "subject_id", 2, Some("token"), "int"),
    ];
    let stat = vec![
        item("district", "code", 1, None, "text"),
        item("pop", "count", 1, None, "int"),
    ];
    let upload = vec![pid, item("label", "code", 1, None, "text")];
    vec![
        dataset(TABLES[0], Some("pid"), false, citizen),
        dataset(TABLES[1], Some("pid"), false, visits),
        dataset(TABLES[2], None, false, stat),
        dataset(TABLES[3], None, true, upload),
    ]
}

fn permit(citizen_rows: bool, visit_rows: bool, policy: bool) -> Arc<Permit> {
    let other = Expr::Literal(Literal::Text("d".to_owned()));
    let rows = RowPolicy {
        items: vec![("district".parse().unwrap(), Type::Text)],
        predicate: Expr::call(Function::NotEqual, [Expr::Column(0), other]),
    };
    let bytes: String = rows.encode().iter().map(|b| format!("{b:02x}")).collect();
    let (text, bytes) = match policy {
        true => (json!("district <> 'd'"), json!(bytes)),
        false => (Json::Null, Json::Null),
    };
    let wanted = json!([
        {"name": TABLES[0], "items": "all", "aggregate": ["income", "wealth", "age"],
            "rows": text, "rows_plan": bytes, "show_rows": citizen_rows},
        {"name": TABLES[1], "items": "all", "aggregate": ["cost"], "rows": null,
            "show_rows": visit_rows},
        {"name": TABLES[2], "items": "all", "rows": null},
        {"name": TABLES[3], "items": "all", "rows": null},
    ]);
    stage::made(datasets(), &wanted, (3, 4))
}

/// Rows off, on, on for citizens alone, and off with a row policy.
pub(super) fn permits() -> &'static [Arc<Permit>; 4] {
    static PERMITS: OnceLock<[Arc<Permit>; 4]> = OnceLock::new();
    PERMITS.get_or_init(|| {
        [
            permit(false, false, false),
            permit(true, true, false),
            permit(true, false, false),
            permit(false, false, true),
        ]
    })
}

pub(super) fn table_of(name: &str) -> Option<usize> {
    TABLES.iter().position(|table| *table == name)
}

pub(super) fn item_of(table: usize, name: &str) -> Option<usize> {
    ITEMS[table].iter().position(|item| *item == name)
}

impl World {
    /// Tables as the random numbers will have them.
    pub(super) fn of(permit: Arc<Permit>, random: &mut Random) -> Self {
        let mut world = Self {
            permit,
            tables: vec![Table::default(); TABLES.len()],
            base: 100,
        };
        for pair in 0..=PAIRS {
            let district = match pair {
                0..=2 => Datum::text("a"),
                3 | 4 => Datum::text("b"),
                5 => Datum::text("c"),
                _ => random.pick(&[Datum::text("b"), Datum::text("d"), Datum::Null]),
            };
            let name = random.pick(&["A", "B"]);
            let (year, decade) = (random.pick(&[1, 2]), random.pick(&[20, 30, 40]));
            let shown = (name, year, district, decade);
            let visits: Vec<(Datum, i64, u32)> = (0..random.below(3))
                .map(|_| {
                    let hosp = Datum::text(random.pick(&["h", "g"]));
                    (hosp, random.pick(&[1, 2]), random.pick(&GUIDES))
                })
                .collect();
            let label = random.pick(&[None, Some("x"), Some("y")]);
            for person in [2 * pair, 2 * pair + 1] {
                world.enter(random, Some(person), &shown, (&visits, label));
            }
        }
        // People who guide others on their visits, and are in no pair.
        for person in GUIDES {
            let shown = ("A", 1, Datum::text("b"), 30);
            world.enter(random, Some(person), &shown, (&[], None));
        }
        let nobody = ("A", 1, Datum::text("a"), 30);
        let visit = [(Datum::text("h"), 1, 24)];
        world.enter(random, None, &nobody, (&visit, None));
        world.add(3, Some(30), vec![Datum::Int(130), Datum::text("x")]);
        for (at, district) in ["a", "b", "c", "e"].into_iter().enumerate() {
            let pop = Datum::Int(10 * at as i64);
            world.add(2, None, vec![Datum::text(district), pop]);
        }
        world
    }

    fn enter(
        &mut self,
        random: &mut Random,
        person: Option<u32>,
        (name, year, district, decade): &(&str, i32, Datum, i64),
        (visits, label): (&[(Datum, i64, u32)], Option<&str>),
    ) {
        let base = self.base;
        let pid = person.map_or(Datum::Null, |p| Datum::Int(base + i64::from(p)));
        if person.is_none_or(|p| p < 2 * PAIRS || GUIDES.contains(&p)) {
            let row = vec![
                pid.clone(),
                Datum::text(&format!("{name}{}", random.below(9))),
                Datum::Date(year * YEAR + random.pick(&[0, 7, 399])),
                district.clone(),
                amount(random),
                amount(random),
                Datum::Int(decade + random.pick(&[0, 3, 9])),
                Datum::text("note"),
                Datum::text("diag"),
            ];
            self.add(0, person, row);
        }
        for (hosp, ward, guide) in visits {
            let guide = Datum::Int(base + i64::from(*guide));
            let cost = amount(random).number().map_or(Datum::Null, Datum::Float);
            let vid = Datum::Int(base + self.tables[1].rows.len() as i64);
            let row = vec![
                pid.clone(),
                vid,
                hosp.clone(),
                Datum::Int(*ward),
                cost,
                guide,
            ];
            self.add(1, person, row);
        }
        if let Some(label) = label {
            self.add(3, person, vec![pid, Datum::text(label)]);
        }
    }

    fn add(&mut self, table: usize, person: Option<u32>, row: Vec<Datum>) {
        self.tables[table].rows.push(row);
        self.tables[table].persons.push(person);
    }

    /// The same tables with all that masks hide changed, but for the items that approved aggregates of
    /// the statement read.
    pub(super) fn hidden_changed(
        &self,
        random: &mut Random,
        read: &BTreeSet<(usize, usize)>,
    ) -> Self {
        let mut twin = self.clone();
        twin.base += 1000;
        for row in twin.tables.iter_mut().flat_map(|table| &mut table.rows) {
            match row.as_mut_slice() {
                [pid, name, birth, _, income, wealth, age, note, diag] => {
                    shift(pid);
                    if let (Datum::Text(text), Datum::Date(day)) = (name.clone(), &mut *birth) {
                        *name = Datum::text(&format!("{}{}", initial(&text), random.below(9)));
                        *day = *day / YEAR * YEAR + random.pick(&[0, 7, 399]);
                    }
                    if !read.contains(&(0, 4)) {
                        *income = amount(random);
                    }
                    if !read.contains(&(0, 5)) {
                        *wealth = amount(random);
                    }
                    if let (Datum::Int(years), false) = (&mut *age, read.contains(&(0, 6))) {
                        *years = *years / 10 * 10 + random.pick(&[0, 3, 9]);
                    }
                    (*note, *diag) = (Datum::text("other"), Datum::Null);
                }
                [pid, vid, _, _, cost, guide] => {
                    shift(guide);
                    shift(pid);
                    shift(vid);
                    if !read.contains(&(1, 4)) {
                        *cost = amount(random).number().map_or(Datum::Null, Datum::Float);
                    }
                }
                [pid @ (Datum::Int(_) | Datum::Null), _] => shift(pid),
                _ => {}
            }
        }
        twin
    }

    /// The same tables with the raw values of some pairs exchanged: two people whom only their tokens
    /// tell apart, which are said.
    pub(super) fn exchanged(&self, random: &mut Random) -> (Self, Vec<(String, String)>) {
        let mut twin = self.clone();
        let pairs = (0..=PAIRS).filter(|_| random.below(2) == 0);
        let mut names = Vec::new();
        for pair in pairs {
            let token = |person: u32| format!("person-{person}");
            names.push((token(2 * pair), token(2 * pair + 1)));
            for (table, items) in [(0, 4..7), (1, 4..5)] {
                let rows = |person: u32| {
                    let persons = self.tables[table].persons.iter().enumerate();
                    persons
                        .filter(move |(_, p)| **p == Some(person))
                        .map(|(at, _)| at)
                };
                for (one, other) in rows(2 * pair).zip(rows(2 * pair + 1)) {
                    if table == 1 {
                        names.push((format!("visit-{one}"), format!("visit-{other}")));
                    }
                    for item in items.clone() {
                        let value = twin.tables[table].rows[one][item].clone();
                        let theirs =
                            std::mem::replace(&mut twin.tables[table].rows[other][item], value);
                        twin.tables[table].rows[one][item] = theirs;
                    }
                }
            }
        }
        (twin, names)
    }

    /// A raw value through a mask.
    pub(super) fn masked(&self, mask: Mask, domain: &str, raw: &Datum) -> Option<Datum> {
        Some(match (mask, raw) {
            (Mask::Plain, raw) => raw.clone(),
            (_, Datum::Null) => Datum::Null,
            (Mask::Token, Datum::Int(id)) => Datum::text(&format!("{domain}-{}", id - self.base)),
            (Mask::Partial { head: 1, tail: 0 }, Datum::Text(text)) => {
                Datum::text(&format!("{}***", initial(text)))
            }
            (Mask::Band(10.0), Datum::Int(whole)) => Datum::Int(whole / 10 * 10),
            (Mask::Year, Datum::Date(day)) => Datum::Date(day / YEAR * YEAR),
            _ => return None,
        })
    }
}

fn initial(name: &str) -> String {
    name.chars().take(1).collect()
}

fn shift(id: &mut Datum) {
    if let Datum::Int(id) = id {
        *id += 1000;
    }
}

fn amount(random: &mut Random) -> Datum {
    match random.below(12) {
        0 => Datum::Null,
        1 => Datum::Int(5000),
        2 => Datum::Int(0),
        _ => Datum::Int(random.pick(&[7, 11, 18, 20, 31, 45])),
    }
}
