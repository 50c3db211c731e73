//! Plans run over sealed files, the way a child runs them: every function by what it gives, masks,
//! the barrier beneath a caller's expressions, withholding, and errors by code alone.

use super::*;
use arrow::{ipc::reader::StreamReader, util::display::array_value_to_string};
use plan::{
    AggregateCall, AggregateFunction as F, Cell, Check, Expr, Function, Literal, Node, Noised,
    Report, RowPolicy, Scan, ScanColumn, Statistic, View,
};
use terms::{Dataset, DatasetName, IdentifierDomain, Mask, Type};

mod arbitrary; // what somebody whose code runs in a runner can read
mod open; // scans that hide nothing
mod order; // in what order rows come where something is hidden

use wire::{
    job::{Cells, Column, Fate, Noise, Source, Verdict},
    read_row_set,
};

// --- the stage ---

const CSV: &str = "\
id,area,amount,day,text
1,a,10,2024-03-05,7
2,a,20,2024-03-06,8
3,a,,2024-04-01,9
4,b,40,2023-12-31,secret
5,b,50,,x
,a,60,2024-01-01,5
";

struct Stage {
    _dir: tempfile::TempDir,
    source: Stored,
}

/// A source and where its file is.
#[derive(Clone)]
struct Stored {
    keys: Source,
    path: std::path::PathBuf,
}

fn dataset(grade: u8) -> Dataset {
    let item = |name: &str, kind: &str| {
        format!(
            r#"{{"name":"{name}","kind":"{kind}","grade":{grade},"mask":null,"domain":null,
            "sharing":"conditional","opening":"conditional","data_type":null}}"#
        )
    };
    let items = [
        item("id", "other"),
        item("area", "code"),
        item("amount", "amount"),
        item("day", "date"),
        item("text", "other"),
    ];
    let text = format!(
        r#"{{"name":"t.people","title":"x","provider":"x","source":"x","sector":"general",
        "update":"x","subject":"id","external":false,"prohibited":null,"risk":null,
        "items":[{}]}}"#,
        items.join(",")
    );
    serde_json::from_str(&text).unwrap()
}

fn stage() -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let keyring = vault::Keyring::create(dir.path()).unwrap();
    let store = vault::Store::new(dir.path(), &keyring);
    let csv = dir.path().join("people.csv");
    std::fs::write(&csv, CSV).unwrap();
    stored(dir, &store, (&csv, 2))
}

/// The file taken in as the one dataset of these tests, its items of one grade.
fn stored(
    dir: tempfile::TempDir,
    store: &vault::Store,
    (csv, grade): (&std::path::Path, u8),
) -> Stage {
    let dataset = dataset(grade);
    store.ingest(&dataset, csv, 1, &mut |_| ()).unwrap();
    let items: Vec<_> = dataset.items.iter().map(|item| item.name.clone()).collect();
    let keys = store.source(&dataset.name, 1, &items).unwrap();
    let column = |(name, key): &(String, vault::Key)| {
        let column: Column = name.parse().unwrap();
        (column, key.bytes().to_vec().into())
    };
    let source = Source {
        dataset: dataset.name,
        footer_key: keys.footer_key.bytes().to_vec().into(),
        columns: keys.columns.iter().map(column).collect(),
        order_key: None,
    };
    let source = Stored {
        keys: source,
        path: keys.path,
    };
    Stage { _dir: dir, source }
}

#[derive(Debug)]
struct Answer {
    rows: Vec<Vec<String>>,
    cells: Vec<Cells>,
    done: Done,
}

fn run_plan(root: Node, sources: Vec<Stored>) -> Result<Answer, Failed> {
    run_with_memory(root, sources, 256 << 20)
}

fn run_with_memory(root: Node, sources: Vec<Stored>, memory: u64) -> Result<Answer, Failed> {
    run_judged(root, sources, memory, &[])
}

fn run_judged(
    root: Node,
    sources: Vec<Stored>,
    memory: u64,
    fates: &[Fate],
) -> Result<Answer, Failed> {
    let width = root.fields().unwrap().len();
    let names = (0..width).map(|at| format!("c{at}")).collect();
    let plan = Plan {
        root,
        names,
        checks: vec![],
    };
    let scans = plan.root.scans();
    let keyed = |stored: &Stored| {
        let mut keys = stored.keys.clone();
        let mut of = scans.iter().filter(|scan| scan.dataset == keys.dataset);
        if of.any(|scan| !scan.is_open()) && keys.order_key.is_none() {
            keys.order_key = Some(vec![9; 32].into());
        }
        keys
    };
    let job = RunJob {
        plan: plan.encode(),
        sources: sources.iter().map(keyed).collect(),
        token_key: Some(vec![7; 32].into()),
        memory_bytes_max: memory,
        batch_rows_max: 1000,
    };
    let mut front = Told {
        fates: fates.to_vec(),
        ..Told::default()
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let opened = sources.iter().map(|stored| File::open(&stored.path));
    let files = opened.collect::<Result<_, _>>().unwrap();
    let done = runtime.block_on(run(job, files, &mut front))?;
    let Told { rows, cells, .. } = front;
    Ok(Answer { rows, cells, done })
}

/// The front's part: takes what it is told, and answers each question with the fates it was given, or
/// that all may leave.
#[derive(Debug, Default)]
struct Told {
    rows: Vec<Vec<String>>,
    cells: Vec<Cells>,
    reports: usize,
    asked: u64,
    fates: Vec<Fate>,
}

impl Front for Told {
    fn tell(&mut self, frame: RunFrame) -> Result<(), Failed> {
        match frame {
            RunFrame::Batch(bytes) => {
                for batch in StreamReader::try_new(&*bytes, None).unwrap() {
                    let batch = batch.unwrap();
                    for row in 0..batch.num_rows() {
                        let value = |column: &ArrayRef| match column.is_null(row) {
                            true => "null".to_owned(),
                            false => array_value_to_string(column, row).unwrap(),
                        };
                        let row = batch.columns().iter().map(value).collect();
                        self.rows.push(row);
                    }
                }
            }
            RunFrame::Cells(some) => {
                self.reports += 1;
                self.cells.push(some);
            }
            RunFrame::Asked(rows) => self.asked = rows,
            RunFrame::Done(_) | RunFrame::Failure(_) => {}
        }
        Ok(())
    }

    fn verdict(&mut self) -> Result<Verdict, Failed> {
        let asked = usize::try_from(self.asked).unwrap();
        let mut fates = std::mem::take(&mut self.fates);
        fates.resize(asked.max(fates.len()), Fate::Exact);
        let noisy = fates.iter().filter(|fate| **fate == Fate::Perturbed);
        let noise = Noise { count: 3, sum: 0.5 };
        let noise = vec![noise; noisy.count() * self.reports];
        self.reports = 0;
        Ok(Verdict { fates, noise })
    }
}

fn people(views: &[(&str, Type, View)], rows: Option<RowPolicy>) -> Node {
    let column = |(item, data_type, view): &(&str, Type, View)| ScanColumn {
        item: item.parse().unwrap(),
        data_type: *data_type,
        view: view.clone(),
    };
    let dataset: DatasetName = "t.people".parse().unwrap();
    Node::Scan(Scan {
        dataset,
        columns: views.iter().map(column).collect(),
        rows,
    })
}

fn nothing() -> Node {
    Node::Values {
        types: vec![],
        rows: vec![vec![]],
    }
}

fn value(expr: Expr) -> Result<String, Failed> {
    let root = Node::Project {
        input: Box::new(nothing()),
        exprs: vec![expr],
    };
    let answer = run_plan(root, vec![])?;
    Ok(answer.rows[0][0].clone())
}

/// Of an expression over rows of values.
fn values_of(expr: Expr, rows: Vec<Vec<Literal>>) -> Result<Vec<String>, Failed> {
    let types = rows[0].iter().map(Literal::data_type).collect();
    let root = Node::Project {
        input: Box::new(Node::Values { types, rows }),
        exprs: vec![expr],
    };
    let answer = run_plan(root, vec![])?;
    Ok(answer.rows.into_iter().map(|row| row[0].clone()).collect())
}

fn int(value: i64) -> Expr {
    Expr::Literal(Literal::Int(value))
}

fn float(value: f64) -> Expr {
    Expr::Literal(Literal::Float(value.to_bits()))
}

fn text(value: &str) -> Expr {
    Expr::Literal(Literal::Text(value.to_owned()))
}

fn truth(value: bool) -> Expr {
    Expr::Literal(Literal::Bool(value))
}

fn none(data_type: Type) -> Expr {
    Expr::Literal(Literal::Null(data_type))
}

// 2024-02-29, and that day at 13:14:15.
fn day() -> Expr {
    Expr::Literal(Literal::Date(19_782))
}

fn moment() -> Expr {
    Expr::Literal(Literal::Timestamp((19_782 * 86_400 + 47_655) * 1_000_000))
}

fn month() -> Expr {
    Expr::Literal(Literal::Interval {
        months: 1,
        days: 1,
        nanoseconds: 0,
    })
}

// --- functions ---

#[expect(clippy::too_many_lines, reason = "a table reads best in one place")]
fn table() -> Vec<(Function, Vec<Expr>, &'static str)> {
    use Function as G;
    vec![
        (G::Add, vec![int(2), int(3)], "5"),
        (G::Add, vec![day(), month()], "2024-03-30"),
        (G::Subtract, vec![float(2.5), float(1.0)], "1.5"),
        (G::Multiply, vec![int(4), int(5)], "20"),
        (G::Divide, vec![int(7), int(2)], "3"),
        (G::Divide, vec![float(7.0), float(2.0)], "3.5"),
        (G::Modulo, vec![int(7), int(4)], "3"),
        (G::Negate, vec![int(7)], "-7"),
        (G::Equal, vec![text("a"), text("a")], "true"),
        (G::Equal, vec![text("a"), none(Type::Text)], "null"),
        (G::NotEqual, vec![int(1), int(2)], "true"),
        (G::Less, vec![int(1), int(2)], "true"),
        (G::LessEqual, vec![int(2), int(2)], "true"),
        (G::Greater, vec![day(), day()], "false"),
        (G::GreaterEqual, vec![day(), day()], "true"),
        (G::IsDistinctFrom, vec![none(Type::Int), int(1)], "true"),
        (
            G::IsNotDistinctFrom,
            vec![none(Type::Int), none(Type::Int)],
            "true",
        ),
        (G::And, vec![truth(true), truth(false)], "false"),
        (G::Or, vec![truth(true), none(Type::Bool)], "true"),
        (G::Not, vec![truth(true)], "false"),
        (G::IsNull, vec![none(Type::Text)], "true"),
        (G::IsNotNull, vec![none(Type::Text)], "false"),
        (G::IsTrue, vec![none(Type::Bool)], "false"),
        (G::IsFalse, vec![truth(false)], "true"),
        (G::IsUnknown, vec![none(Type::Bool)], "true"),
        (G::Like, vec![text("海河区"), text("海%")], "true"),
        (G::ILike, vec![text("ABC"), text("_b_")], "true"),
        (
            G::Concat,
            vec![text("a"), none(Type::Text), text("c")],
            "ac",
        ),
        (G::Lower, vec![text("ÄB")], "äb"),
        (G::Upper, vec![text("äb")], "ÄB"),
        (G::Trim, vec![text("  a ")], "a"),
        (G::TrimLeft, vec![text("  a ")], "a "),
        (G::TrimRight, vec![text("  a ")], "  a"),
        (G::Substring, vec![text("海河区"), int(2)], "河区"),
        (G::Substring, vec![text("海河区"), int(2), int(1)], "河"),
        (G::Left, vec![text("海河区"), int(1)], "海"),
        (G::Right, vec![text("海河区"), int(1)], "区"),
        (G::Length, vec![text("海河区")], "3"),
        (G::Position, vec![text("海河区"), text("河")], "2"),
        (G::StartsWith, vec![text("ab"), text("a")], "true"),
        (G::EndsWith, vec![text("ab"), text("a")], "false"),
        (G::Reverse, vec![text("海河")], "河海"),
        (G::Abs, vec![int(-3)], "3"),
        (G::Abs, vec![float(-2.5)], "2.5"),
        (G::Round, vec![float(2.567), int(1)], "2.6"),
        (G::Round, vec![float(2.5)], "3.0"),
        (G::Ceil, vec![float(2.1)], "3.0"),
        (G::Floor, vec![float(2.9)], "2.0"),
        (G::Sqrt, vec![float(9.0)], "3.0"),
        (G::Power, vec![float(2.0), float(3.0)], "8.0"),
        (G::Ln, vec![float(1.0)], "0.0"),
        (G::Log10, vec![float(100.0)], "2.0"),
        (G::Exp, vec![float(0.0)], "1.0"),
        (G::Signum, vec![float(-4.0)], "-1.0"),
        (G::Coalesce, vec![none(Type::Int), int(4)], "4"),
        (G::NullIf, vec![int(4), int(4)], "null"),
        (G::Greatest, vec![int(4), int(9)], "9"),
        (G::Least, vec![int(4), int(9)], "4"),
        (G::DivideOrNull, vec![int(7), int(2)], "3"),
        (G::DivideOrNull, vec![int(7), int(0)], "null"),
        (G::DivideOrNull, vec![float(7.0), float(2.0)], "3.5"),
        (G::ModuloOrNull, vec![int(7), int(2)], "1"),
        (G::ModuloOrNull, vec![int(7), int(0)], "null"),
        (
            G::OrNull,
            vec![Expr::call(G::Left, vec![text("海河"), int(1)])],
            "海",
        ),
        (
            G::OrNull,
            vec![Expr::call(G::DateTrunc, vec![text("day"), moment()])],
            "2024-02-29T00:00:00",
        ),
        (G::DatePart, vec![text("year"), day()], "2024"),
        (G::DatePart, vec![text("hour"), moment()], "13"),
        (
            G::DateTrunc,
            vec![text("month"), day()],
            "2024-02-01T00:00:00",
        ),
    ]
}

#[test]
fn every_function_gives_what_the_language_says() {
    for (function, arguments, wanted) in table() {
        let expr = Expr::call(function, arguments.clone());
        let got = value(expr).unwrap_or_else(|why| panic!("{function:?} {arguments:?}: {why:?}"));
        assert_eq!(got, wanted, "{function:?} {arguments:?}");
    }
    let covered: Vec<Function> = table().iter().map(|(function, ..)| *function).collect();
    for function in Function::ALL {
        let known = covered.contains(function) || *function == Function::WitnessSubjects;
        assert!(known, "{function:?} stands in no table");
    }
}

/// Over rows that may not show an error would tell that one of them makes it.
#[test]
fn a_call_that_fails_gives_nothing_where_that_is_asked() {
    use Function as G;
    let decimal = |unscaled| {
        Expr::Literal(Literal::Decimal {
            unscaled,
            precision: 38,
            scale: 0,
        })
    };
    let (most, day) = (10_i128.pow(38) - 1, Expr::Literal(Literal::Date(i32::MAX)));
    let interval = Expr::Literal(Literal::Interval {
        months: i32::MAX,
        days: 0,
        nanoseconds: 0,
    });
    let table: [(G, Vec<Expr>); 6] = [
        (G::Substring, vec![text("abc"), int(1), int(-1)]),
        (G::Round, vec![float(1.5), int(99_999_999_999)]),
        (G::Abs, vec![int(i64::MIN)]),
        (G::Add, vec![decimal(most), decimal(most)]),
        (G::Multiply, vec![decimal(most), decimal(most)]),
        (G::Add, vec![day.clone(), interval]),
    ];
    for (function, arguments) in table {
        let call = Expr::call(function, arguments.clone());
        let failed = value(call.clone());
        assert!(failed.is_err(), "{function:?}: {failed:?}");
        let told = value(Expr::call(G::OrNull, [call]));
        assert_eq!(told.unwrap(), "null", "{function:?}");
        let literal = |argument: &Expr| match argument {
            Expr::Literal(literal) if literal.data_type().is_plain() => Some(literal.clone()),
            _ => None,
        };
        let row: Vec<Literal> = arguments.iter().filter_map(literal).collect();
        let mut at = 0..;
        let columns = arguments
            .into_iter()
            .map(|argument| match literal(&argument) {
                Some(_) => Expr::Column(at.next().unwrap()),
                None => argument,
            });
        let call = Expr::call(function, columns.collect::<Vec<_>>());
        let told = values_of(Expr::call(G::OrNull, [call]), vec![row]);
        assert_eq!(told.unwrap(), ["null"], "{function:?}");
    }
    // Only the rows that it fails for.
    let rows = [3, i64::MIN, -4, -5, i64::MIN].map(|number| vec![Literal::Int(number)]);
    let call = Expr::call(G::Abs, [Expr::Column(0)]);
    let told = values_of(Expr::call(G::OrNull, [call]), rows.to_vec());
    assert_eq!(told.unwrap(), ["3", "null", "4", "5", "null"]);
}

#[test]
fn casts_cases_and_lists() {
    let cast = |value, to, lenient| Expr::Cast {
        value: Box::new(value),
        to,
        lenient,
    };
    assert_eq!(value(cast(text("12"), Type::Int, false)).unwrap(), "12");
    assert_eq!(value(cast(text("x"), Type::Int, true)).unwrap(), "null");
    assert_eq!(
        value(cast(text("2024-02-29"), Type::Date, false)).unwrap(),
        "2024-02-29"
    );
    assert_eq!(value(cast(float(2.9), Type::Int, false)).unwrap(), "2");
    let case = Expr::Case {
        branches: vec![(truth(false), text("a")), (truth(true), text("b"))],
        otherwise: None,
    };
    assert_eq!(value(case).unwrap(), "b");
    let list = |negated| Expr::InList {
        value: Box::new(int(2)),
        list: vec![int(1), int(2)],
        negated,
    };
    assert_eq!(value(list(false)).unwrap(), "true");
    assert_eq!(value(list(true)).unwrap(), "false");
}

// --- errors ---

#[test]
fn errors_are_codes() {
    let by_zero = Expr::call(Function::Divide, [int(1), int(0)]);
    assert_eq!(
        value(by_zero).unwrap_err().code(),
        "runner.division-by-zero"
    );
    let over = Expr::call(Function::Multiply, [int(i64::MAX), int(2)]);
    let wrapped = value(over);
    assert!(wrapped.is_err() || wrapped.unwrap() == "-2");
    let cast = Expr::Cast {
        value: Box::new(text("secret")),
        to: Type::Int,
        lenient: false,
    };
    assert_eq!(value(cast).unwrap_err().code(), "runner.cast");
    let rows = Node::Values {
        types: vec![Type::Int],
        rows: vec![vec![Literal::Int(1)]; 2],
    };
    let several = Expr::Scalar(Box::new(rows));
    assert_eq!(value(several).unwrap_err().code(), "runner.many-rows");
    let none = Node::Values {
        types: vec![Type::Int],
        rows: vec![vec![Literal::Int(1)]],
    };
    let none = Node::Limit {
        input: Box::new(none),
        skip: 1,
        fetch: None,
    };
    assert_eq!(value(Expr::Scalar(Box::new(none))).unwrap(), "null");
}

#[test]
fn a_file_without_its_key_or_column_cannot_be_read() {
    let stage = stage();
    let scan = || {
        people(
            &[("area", Type::Text, View::masked(Mask::Plain, None))],
            None,
        )
    };
    assert_eq!(
        run_plan(scan(), vec![stage.source.clone()])
            .unwrap()
            .rows
            .len(),
        6
    );
    let mut wrong = stage.source.clone();
    wrong.keys.footer_key = vec![0; 32].into();
    assert_eq!(
        run_plan(scan(), vec![wrong]).unwrap_err().code(),
        "runner.data-unreadable"
    );
    let mut without = stage.source.clone();
    without
        .keys
        .columns
        .retain(|(column, _)| column.to_string() != "area");
    assert_eq!(
        run_plan(scan(), vec![without]).unwrap_err().code(),
        "runner.data-unreadable"
    );
    assert_eq!(
        run_plan(scan(), vec![]).unwrap_err().code(),
        "runner.data-unreadable"
    );
}

#[test]
fn a_job_that_is_no_plan_is_refused() {
    let job = RunJob {
        plan: vec![1, 2, 3],
        sources: vec![],
        token_key: Some(vec![7; 32].into()),
        memory_bytes_max: 1 << 20,
        batch_rows_max: 10,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    assert_eq!(
        runtime
            .block_on(run(job, vec![], &mut Told::default()))
            .unwrap_err()
            .code(),
        "runner.unsupported"
    );
}

#[test]
fn more_memory_than_granted_is_an_error() {
    let rows: Vec<Vec<Literal>> = (0..400).map(|n| vec![Literal::Int(n)]).collect();
    let numbers = || Node::Values {
        types: vec![Type::Int],
        rows: rows.clone(),
    };
    let cross = |left, right| Node::Join {
        kind: plan::JoinKind::Inner,
        left: Box::new(left),
        right: Box::new(right),
        on: vec![],
        filter: None,
        null_equal: false,
    };
    let keys = vec![Expr::Column(0), Expr::Column(1)];
    let many = Node::Aggregate {
        input: Box::new(cross(numbers(), numbers())),
        keys,
        aggregates: vec![],
    };
    assert_eq!(
        run_with_memory(many, vec![], 1 << 20).unwrap_err().code(),
        "runner.out-of-memory"
    );
}

// --- masks and rows ---

#[test]
fn masks_show_what_they_say_and_nulls_stay_but_for_redact() {
    let stage = stage();
    let person: IdentifierDomain = "person".parse().unwrap();
    let masked = |item, data_type, mask, domain| (item, data_type, View::masked(mask, domain));
    let scan = people(
        &[
            masked("text", Type::Text, Mask::Partial { head: 1, tail: 1 }, None),
            masked("text", Type::Text, Mask::Prefix(2), None),
            masked("amount", Type::Int, Mask::Band(25.0), None),
            masked("day", Type::Date, Mask::Year, None),
            masked("day", Type::Date, Mask::Month, None),
            masked("day", Type::Text, Mask::Redact, None),
            masked("id", Type::Text, Mask::Token, Some(person.clone())),
            ("id", Type::Int, View::Row),
        ],
        None,
    );
    let mut rows = run_plan(scan, vec![stage.source.clone()]).unwrap().rows;
    rows.sort_by(|one, other| one[7].cmp(&other[7]));
    assert_eq!(
        rows[0][..6],
        ["***", "***", "0", "2024-01-01", "2024-03-01", "***"]
    );
    assert_eq!(
        rows[3][..6],
        ["s***t", "se", "25", "2023-01-01", "2023-12-01", "***"]
    );
    assert_eq!(rows[4][..6], ["***", "***", "50", "null", "null", "***"]);
    assert_eq!(rows[2][2], "null");
    let tokens: Vec<&String> = rows.iter().map(|row| &row[6]).collect();
    assert!(tokens[..5].iter().all(|t| t.len() == 32) && tokens[5] == "null");
    let other: IdentifierDomain = "visit".parse().unwrap();
    let scan = people(&[masked("id", Type::Text, Mask::Token, Some(other))], None);
    let others = run_plan(scan, vec![stage.source.clone()]).unwrap().rows;
    assert!(
        others[..]
            .iter()
            .all(|row| row[0] == "null" || !tokens.contains(&&row[0])),
        "another domain, another token"
    );
}

#[test]
fn a_callers_expression_never_meets_a_hidden_row() {
    let stage = stage();
    let plain = |item, data_type| (item, data_type, View::masked(Mask::Plain, None));
    let area_a = RowPolicy {
        items: vec![("area".parse().unwrap(), Type::Text)],
        predicate: Expr::call(Function::Equal, [Expr::Column(0), text("a")]),
    };
    let views = [plain("text", Type::Text), plain("id", Type::Int)];
    let cast = Expr::Cast {
        value: Box::new(Expr::Column(0)),
        to: Type::Int,
        lenient: false,
    };
    let picky = |rows| Node::Filter {
        input: Box::new(people(&views, rows)),
        predicate: Expr::call(Function::Greater, [cast.clone(), int(0)]),
    };
    let seen = run_plan(picky(Some(area_a)), vec![stage.source.clone()]).unwrap();
    assert_eq!(
        seen.rows.len(),
        4,
        "hidden rows hold no number, and nobody tried them"
    );
    let error = run_plan(picky(None), vec![stage.source.clone()]).unwrap_err();
    assert_eq!(error.code(), "runner.cast");
}

// --- witnesses ---

fn by_area(check: Check) -> Node {
    let raw = |item, data_type| (item, data_type, View::Raw);
    let scan = people(
        &[
            ("area", Type::Text, View::masked(Mask::Plain, None)),
            raw("amount", Type::Int),
            ("id", Type::Int, View::Subject),
            ("id", Type::Int, View::Row),
        ],
        None,
    );
    let amount = Expr::Cast {
        value: Box::new(Expr::Column(1)),
        to: Type::Float,
        lenient: false,
    };
    let sum = AggregateCall {
        function: F::Sum,
        arguments: vec![Expr::Column(1)],
        distinct: false,
        filter: None,
    };
    let witness = AggregateCall {
        function: F::Witness,
        arguments: vec![Expr::Column(2), Expr::Column(3), amount],
        distinct: false,
        filter: Some(Expr::call(Function::IsNotNull, [Expr::Column(1)])),
    };
    let groups = Node::Aggregate {
        input: Box::new(scan),
        keys: vec![Expr::Column(0)],
        aggregates: vec![sum, witness],
    };
    let withhold = Node::Withhold {
        input: Box::new(groups),
        cells: vec![Cell { witness: 2, check }],
        reports: vec![Report {
            witness: 2,
            number: 5,
            by_subject: false,
            noised: vec![Noised {
                column: 1,
                statistic: Statistic::Sum,
            }],
        }],
    };
    Node::Project {
        input: Box::new(withhold),
        exprs: vec![Expr::Column(0), Expr::Column(1)],
    }
}

#[test]
fn a_choice_inside_an_aggregate_and_its_parts() {
    let raw = |item, data_type| (item, data_type, View::Raw);
    let views = [
        ("area", Type::Text, View::masked(Mask::Plain, None)),
        raw("amount", Type::Int),
        ("id", Type::Int, View::Subject),
        ("id", Type::Int, View::Row),
    ];
    let wide = Type::Decimal {
        precision: 38,
        scale: 4,
    };
    let cast = |value, lenient| Expr::Cast {
        value: Box::new(value),
        to: wide,
        lenient,
    };
    let met = Expr::call(Function::Equal, [Expr::Column(0), text("a")]);
    let choice = Expr::Case {
        branches: vec![(met.clone(), cast(Expr::Column(1), true))],
        otherwise: Some(Box::new(cast(int(0), true))),
    };
    let met = Expr::call(Function::IsTrue, [met]);
    let there = Expr::call(Function::IsNotNull, [cast(Expr::Column(1), true)]);
    let part = |filter| AggregateCall {
        function: F::Witness,
        arguments: vec![
            Expr::Column(2),
            Expr::Column(3),
            Expr::Literal(Literal::Null(Type::Float)),
        ],
        distinct: false,
        filter,
    };
    let sum = AggregateCall {
        function: F::Sum,
        arguments: vec![choice],
        distinct: false,
        filter: None,
    };
    let groups = Node::Aggregate {
        input: Box::new(people(&views, None)),
        keys: vec![],
        aggregates: vec![
            sum,
            part(None),
            part(Some(Expr::call(Function::And, [met.clone(), there]))),
            part(Some(Expr::call(Function::Not, [met]))),
        ],
    };
    let cell = |witness| Cell {
        witness,
        check: Check::of(1),
    };
    let withhold = Node::Withhold {
        input: Box::new(groups),
        cells: vec![cell(1), cell(2), cell(3)],
        reports: vec![],
    };
    let shown = Node::Project {
        input: Box::new(withhold),
        exprs: vec![Expr::Column(0)],
    };
    let stage = stage();
    let answer = run_plan(shown, vec![stage.source.clone()]).unwrap();
    assert_eq!(answer.rows.len(), 1, "{:?}", answer.rows);
}

#[test]
fn cells_that_fall_short_are_dropped_and_the_others_reported() {
    let stage = stage();
    let mut all = run_plan(by_area(Check::of(2)), vec![stage.source.clone()]).unwrap();
    all.rows.sort();
    // Rows without a subject or a value count for nobody.
    assert_eq!(all.rows, [["a", "90"], ["b", "90"]]);
    let mut sets: Vec<Vec<u32>> = all.cells[0]
        .sets
        .iter()
        .map(|set| read_row_set(set).unwrap().iter().collect())
        .collect();
    sets.sort();
    assert_eq!(
        (all.cells[0].number, sets),
        (5, vec![vec![0, 1], vec![3, 4]])
    );
    let none = run_plan(by_area(Check::of(3)), vec![stage.source.clone()]).unwrap();
    assert!(none.rows.is_empty() && none.cells.iter().all(|cells| cells.sets.is_empty()));
    assert_eq!(none.done.groups_withheld, 2);
}

#[test]
fn a_verdict_is_carried_out_row_by_row() {
    let stage = stage();
    let judged = |fates: &[Fate]| {
        let sources = vec![stage.source.clone()];
        let answer = run_judged(by_area(Check::of(2)), sources, 256 << 20, fates).unwrap();
        let mut sums: Vec<String> = answer.rows.iter().map(|row| row[1].clone()).collect();
        sums.sort();
        (sums, answer.done)
    };
    let (sums, done) = judged(&[Fate::Exact, Fate::Exact]);
    assert_eq!(
        (sums.as_slice(), done.groups_withheld),
        (&["90".to_owned(), "90".to_owned()][..], 0)
    );
    let (sums, done) = judged(&[Fate::Withheld, Fate::Exact]);
    assert_eq!((sums.len(), done.groups_withheld), (1, 1));
    // Half of the largest contribution of a subject, 20 or 50, is added.
    let (sums, _) = judged(&[Fate::Perturbed, Fate::Exact]);
    assert!(sums.contains(&"90".to_owned()), "{sums:?}");
    assert!(
        sums.contains(&"100".to_owned()) || sums.contains(&"115".to_owned()),
        "{sums:?}"
    );
    let (sums, _) = judged(&[Fate::Withheld, Fate::Withheld]);
    assert!(sums.is_empty());
    let sources = vec![stage.source.clone()];
    let wrong = run_judged(by_area(Check::of(2)), sources, 256 << 20, &[Fate::Exact; 3]);
    assert_eq!(wrong.unwrap_err(), Failed::Job);
}

#[test]
fn each_rule_of_a_check_withholds() {
    let stage = stage();
    let kept = |check: Check| {
        run_plan(by_area(check), vec![stage.source.clone()])
            .unwrap()
            .rows
            .len()
    };
    let dominance = Some(plan::Dominance {
        share_percent: 90,
        rest_percent: 10,
    });
    assert_eq!(
        kept(Check {
            dominance,
            ..Check::of(1)
        }),
        0,
        "two of two hold all"
    );
    assert_eq!(
        kept(Check {
            spread: true,
            ..Check::of(1)
        }),
        2
    );
    assert_eq!(
        kept(Check {
            freedom: 1,
            ..Check::of(1)
        }),
        2
    );
    assert_eq!(
        kept(Check {
            freedom: 2,
            ..Check::of(1)
        }),
        0
    );
    assert_eq!(
        kept(Check {
            once: true,
            ..Check::of(1)
        }),
        2
    );
}

#[test]
fn groups_of_groups_unite_their_witnesses() {
    let stage = stage();
    let Node::Project { input, .. } = by_area(Check::of(1)) else {
        panic!()
    };
    let Node::Withhold { input: groups, .. } = *input else {
        panic!()
    };
    let call = |function, at| AggregateCall {
        function,
        arguments: vec![Expr::Column(at)],
        distinct: false,
        filter: None,
    };
    let subjects = Expr::call(Function::WitnessSubjects, [Expr::Column(2)]);
    let fewest = AggregateCall {
        arguments: vec![subjects],
        ..call(F::Min, 2)
    };
    let outer = Node::Aggregate {
        input: groups,
        keys: vec![],
        aggregates: vec![call(F::Sum, 1), fewest, call(F::WitnessUnion, 2)],
    };
    let withhold = Node::Withhold {
        input: Box::new(outer),
        cells: vec![Cell {
            witness: 1,
            check: Check::of(2),
        }],
        reports: vec![Report {
            witness: 2,
            number: 0,
            by_subject: true,
            noised: vec![],
        }],
    };
    let root = Node::Project {
        input: Box::new(withhold),
        exprs: vec![Expr::Column(0)],
    };
    let answer = run_plan(root, vec![stage.source.clone()]).unwrap();
    assert_eq!(answer.rows, [["180"]]);
    let set = read_row_set(&answer.cells[0].sets[0]).unwrap();
    assert_eq!(set.len(), 4);
}

/// Sums per person, summed again, as confinement writes them: each person's rows go along, and the outer
/// cell reports them all.
#[test]
fn a_sum_of_held_sums_reports_the_rows_of_the_direct_sum() {
    let stage = stage();
    let scan = || {
        let raw = |item, data_type, view| (item, data_type, view);
        people(
            &[
                raw("id", Type::Int, View::masked(Mask::Plain, None)),
                raw("amount", Type::Int, View::Raw),
                raw("id", Type::Int, View::Subject),
                raw("id", Type::Int, View::Row),
            ],
            None,
        )
    };
    let call = |function, arguments: Vec<Expr>, there: u32| AggregateCall {
        function,
        arguments,
        distinct: false,
        filter: Some(Expr::call(Function::IsNotNull, [Expr::Column(there)])),
    };
    let none = || Expr::Literal(Literal::Null(Type::Float));
    let rows = || vec![Expr::Column(2), Expr::Column(3), none()];
    let sum = |at| AggregateCall {
        filter: None,
        ..call(F::Sum, vec![Expr::Column(at)], at)
    };
    let grouped = |input: Node, keys: Vec<Expr>, aggregates: Vec<AggregateCall>| Node::Aggregate {
        input: Box::new(input),
        keys,
        aggregates,
    };
    let told = |input: Node| Node::Project {
        input: Box::new(Node::Withhold {
            input: Box::new(input),
            cells: vec![Cell {
                witness: 1,
                check: Check::of(2),
            }],
            reports: vec![Report {
                witness: 1,
                number: 0,
                by_subject: false,
                noised: vec![],
            }],
        }),
        exprs: vec![Expr::Column(0)],
    };
    let direct = grouped(scan(), vec![], vec![sum(1), call(F::Witness, rows(), 1)]);
    let inner = vec![sum(1), call(F::Witness, rows(), 1)];
    let inner = grouped(scan(), vec![Expr::Column(0)], inner);
    let united = call(F::WitnessUnion, vec![Expr::Column(2)], 1);
    let held = grouped(inner, vec![], vec![sum(1), united]);
    let direct = run_plan(told(direct), vec![stage.source.clone()]).unwrap();
    let held = run_plan(told(held), vec![stage.source.clone()]).unwrap();
    assert_eq!(held.rows, direct.rows);
    assert_eq!(held.cells[0].sets, direct.cells[0].sets);
    assert_eq!(read_row_set(&held.cells[0].sets[0]).unwrap().len(), 4);
}
