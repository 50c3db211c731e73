//! Loads a ledger, for the lanes that measure it, kill it, and break its disk. No part of the product.
//!
//! `load bench DIR …` prints figures as JSON; `load append DIR …` prints a line for each entry that was
//! acknowledged, until it is killed; `load audit DIR` verifies. `--postgres CONNECTION` for the other store.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a tool of tests may end at what it did not expect"
)]

use ledger::{Checkpoint, Clock, Ledger, Opening, Place, SystemClock};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use terms::Event;

/// The command line: a verb, a folder, and options with values.
struct Given {
    verb: String,
    dir: PathBuf,
    options: BTreeMap<String, String>,
}

impl Given {
    fn read() -> Self {
        let mut words = std::env::args().skip(1);
        let (verb, dir) = (words.next().unwrap(), words.next().unwrap().into());
        let mut options = BTreeMap::new();
        while let Some(name) = words.next() {
            options.insert(name, words.next().unwrap());
        }
        Self { verb, dir, options }
    }

    fn number(&self, name: &str, default: u64) -> u64 {
        let text = self.options.get(name);
        text.map_or(default, |text| text.parse().unwrap())
    }

    fn place(&self) -> Place {
        match self.options.get("--postgres") {
            None => Place::from(&self.dir),
            Some(connection) => Place::in_postgres(&self.dir, connection).unwrap(),
        }
    }

    fn ledger(&self) -> Result<Ledger, ledger::Breach> {
        let clock = Arc::new(SystemClock);
        if self.dir.join("keys").exists() {
            return Ledger::open(self.place(), clock);
        }
        Ledger::create(self.place(), &"yuecheng".parse().unwrap(), clock)
    }
}

fn main() {
    let given = Given::read();
    match given.verb.as_str() {
        "bench" => println!("{}", bench(&given)),
        "append" => append(&given),
        "audit" => match Ledger::verify(given.place(), &mut |_, _| {}) {
            Ok(report) => println!("{}", serde_json::to_string(&report).unwrap()),
            Err(breach) => {
                println!("{{\"breach\":\"{}\"}}", breach.code());
                eprintln!("{breach}");
                std::process::exit(1);
            }
        },
        other => panic!("no such verb: {other}"),
    }
}

/// An event whose leaf has about so many bytes.
fn event(text: String, leaf_bytes: u64) -> Event {
    let pad = usize::try_from(leaf_bytes).unwrap().saturating_sub(220);
    Event::GatewayStarted {
        version: text + &"x".repeat(pad),
        policies: terms::Digest::of(b""),
        register: None,
    }
}

// === append ===

/// Appends from several threads and says what was acknowledged, or with which code it was refused.
fn append(given: &Given) {
    let ledger = match given.ledger() {
        Ok(ledger) => ledger,
        Err(breach) => {
            println!("unopened {}", breach.code());
            eprintln!("{breach}: {:?}", std::error::Error::source(&breach));
            std::process::exit(78);
        }
    };
    println!("opened {}", ledger.head().unwrap().0.head.size);
    let (threads, bytes) = (
        given.number("--submitters", 8),
        given.number("--bytes", 400),
    );
    let count = given.number("--count", u64::MAX);
    let stop_at_refusal = given.number("--stop-at-refusal", 0) > 0;
    let pause = Duration::from_micros(given.number("--pause-us", 0));
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (ledger, done) = (&ledger, &done);
            scope.spawn(move || {
                while done.fetch_add(1, Ordering::Relaxed) < count {
                    let turn = done.load(Ordering::Relaxed);
                    let text = format!("{}-{thread}-{turn} ", std::process::id());
                    let at = SystemClock.now();
                    if given.number("--operations", 0) > 0 {
                        operate(ledger, thread, turn);
                        std::thread::sleep(pause);
                        continue;
                    }
                    let sealed = text.clone().into_bytes();
                    let pending = ledger.append(&event(text, bytes), Some(&sealed), at);
                    match pending.wait() {
                        Ok(appended) => {
                            let leaf = ledger.leaf(appended.index).unwrap();
                            let checkpoint =
                                Checkpoint::open(&appended.checkpoint, ledger.reader().verifier());
                            let head = checkpoint.unwrap().head;
                            println!(
                                "acked {} {} {} {}",
                                appended.index,
                                ledger::leaf_hash(&leaf),
                                head.size,
                                head.root
                            );
                        }
                        Err(breach) => {
                            println!("refused {}", breach.code());
                            if stop_at_refusal {
                                return;
                            }
                        }
                    }
                    std::thread::sleep(pause);
                }
            });
        }
    });
    drop(ledger);
    println!("closed");
}

/// Opens an operation and walks away from it.
fn operate(ledger: &Ledger, thread: u64, turn: u64) {
    let opening = Opening {
        query: format!("{:08x}{thread:08x}{turn:016x}", std::process::id())
            .parse()
            .unwrap(),
        action: terms::Action::Query,
        person: "zhang".parse().unwrap(),
        scenario: None,
        product: None,
        channel: terms::Channel::Domain,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    match runtime.block_on(ledger.open_operation(opening, "SELECT 1", SystemClock.now())) {
        Ok(entry) => {
            println!("opened-operation {}", entry.index());
            drop(entry);
        }
        Err(breach) => println!("refused {}", breach.code()),
    }
}

// === bench ===

fn bench(given: &Given) -> serde_json::Value {
    let burners = Burners::start(given.number("--burners", 0));
    let bytes = given.number("--bytes", 600);
    let raw = raw(&given.dir, usize::try_from(bytes).unwrap(), 4096);
    let ledger = given.ledger().unwrap();
    let leaf = event(String::new(), bytes);
    let sealed = vec![7_u8; usize::try_from(given.number("--sealed", 0)).unwrap()];
    let submitters = given.number("--submitters", 64);
    let load = Load {
        ledger: &ledger,
        event: &leaf,
        sealed: (!sealed.is_empty()).then_some(&sealed),
        seconds: given.number("--seconds", 5),
    };
    let (total, times, elapsed) = load.run(submitters, given.number("--tasks", 1) > 0);
    let lone = lone(&ledger, &given.dir, &leaf);
    let head = ledger.head().unwrap().0.head.size;
    let proofs = proofs(&ledger, head);
    drop(ledger);
    drop(burners);
    let begun = Instant::now();
    let report = Ledger::verify(given.place(), &mut |_, _| {}).unwrap();
    let audit = rate(report.entries, begun.elapsed());
    serde_json::json!({
        "submitters": submitters,
        "events_per_s": rate(total, elapsed),
        "ack_us": quantiles(times),
        "raw_fdatasync_us": raw.0,
        "raw_append_us": raw.1,
        "lone_us": lone.0,
        "lone_raw_us": lone.1,
        "leaf_bytes": load_leaf_bytes(given),
        "entries": report.entries,
        "checkpoints": report.checkpoints,
        "prove_us": proofs.0,
        "verify_us": proofs.1,
        "audit_leaves_per_s": audit,
    })
}

fn load_leaf_bytes(given: &Given) -> usize {
    let reader = Ledger::open_read_only(given.place()).unwrap();
    reader.leaf(0).unwrap().len()
}

fn rate(count: u64, elapsed: Duration) -> u64 {
    u64::try_from(u128::from(count) * 1_000_000 / elapsed.as_micros().max(1)).unwrap()
}

struct Load<'a> {
    ledger: &'a Ledger,
    event: &'a Event,
    sealed: Option<&'a Vec<u8>>,
    seconds: u64,
}

impl Load<'_> {
    /// So many who each wait for their entry before they append the next: tasks, as in the gateway,
    /// or threads.
    fn run(&self, submitters: u64, tasks: bool) -> (u64, Vec<u64>, Duration) {
        let stop = Arc::new(AtomicBool::new(false));
        let begun = Instant::now();
        let timer = std::thread::spawn({
            let (stop, seconds) = (Arc::clone(&stop), self.seconds);
            move || {
                std::thread::sleep(Duration::from_secs(seconds));
                stop.store(true, Ordering::Relaxed);
            }
        });
        let times: Vec<u64> = if tasks {
            let workers = usize::try_from(submitters.min(2)).unwrap();
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(workers)
                .build()
                .unwrap();
            let submitter = || {
                let (ledger, stop) = (self.ledger.clone(), Arc::clone(&stop));
                let (event, sealed) = (self.event.clone(), self.sealed.cloned());
                runtime.spawn(async move {
                    let mut times = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let begun = Instant::now();
                        let at = SystemClock.now();
                        let pending = ledger.append(&event, sealed.as_deref(), at);
                        pending.await.unwrap();
                        times.push(micros(begun.elapsed()));
                    }
                    times
                })
            };
            let all: Vec<_> = (0..submitters).map(|_| submitter()).collect();
            all.into_iter()
                .flat_map(|one| runtime.block_on(one).unwrap())
                .collect()
        } else {
            std::thread::scope(|scope| {
                let submitter = || {
                    let mut times = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let begun = Instant::now();
                        let at = SystemClock.now();
                        let sealed = self.sealed.map(Vec::as_slice);
                        self.ledger.append(self.event, sealed, at).wait().unwrap();
                        times.push(micros(begun.elapsed()));
                    }
                    times
                };
                let all: Vec<_> = (0..submitters).map(|_| scope.spawn(submitter)).collect();
                all.into_iter()
                    .flat_map(|one| one.join().unwrap())
                    .collect()
            })
        };
        let elapsed = begun.elapsed();
        timer.join().unwrap();
        (u64::try_from(times.len()).unwrap(), times, elapsed)
    }
}

/// What a bare file costs on this disk: a 4 KiB overwrite, and the same bytes appended.
fn raw(dir: &Path, bytes: usize, block: usize) -> (serde_json::Value, serde_json::Value) {
    std::fs::create_dir_all(dir).unwrap();
    let path = dir.join("raw");
    let file = File::create(&path).unwrap();
    file.write_all_at(&vec![1; block * 256], 0).unwrap();
    file.sync_all().unwrap();
    let times = |write: &dyn Fn(u64)| -> Vec<u64> {
        let once = |turn| {
            let begun = Instant::now();
            write(turn);
            file.sync_data().unwrap();
            micros(begun.elapsed())
        };
        (0..1_000).map(once).collect()
    };
    let page = vec![2; block];
    let overwrite = times(&|turn| {
        let offset = (turn % 256) * u64::try_from(block).unwrap();
        file.write_all_at(&page, offset).unwrap();
    });
    let appended = times(&|_| {
        let mut end = File::options().append(true).open(&path).unwrap();
        end.write_all(&vec![3; bytes]).unwrap();
    });
    std::fs::remove_file(path).unwrap();
    (quantiles(overwrite), quantiles(appended))
}

/// One entry at a time, in turn with the same bytes appended to a bare file and synced.
fn lone(ledger: &Ledger, dir: &Path, event: &Event) -> (serde_json::Value, serde_json::Value) {
    let path = dir.join("raw");
    let mut file = File::create(&path).unwrap();
    let (mut entries, mut raw) = (Vec::new(), Vec::new());
    for _ in 0..2_000 {
        let begun = Instant::now();
        let appended = ledger.append(event, None, SystemClock.now()).wait();
        entries.push(micros(begun.elapsed()));
        let leaf = ledger.leaf(appended.unwrap().index).unwrap();
        let begun = Instant::now();
        file.write_all(&leaf).unwrap();
        file.sync_data().unwrap();
        raw.push(micros(begun.elapsed()));
    }
    std::fs::remove_file(path).unwrap();
    (quantiles(entries), quantiles(raw))
}

/// How long it takes to make and to verify the proof of an entry.
fn proofs(ledger: &Ledger, size: u64) -> (serde_json::Value, serde_json::Value) {
    let (mut made, mut verified) = (Vec::new(), Vec::new());
    let verifier = ledger.reader().verifier();
    for turn in 0..2_000_u64 {
        let index = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) % size;
        let begun = Instant::now();
        let proof = ledger.prove(index).unwrap();
        made.push(micros(begun.elapsed()));
        let leaf = ledger.leaf(index).unwrap();
        let begun = Instant::now();
        proof.verify(&leaf, verifier).unwrap();
        verified.push(micros(begun.elapsed()));
    }
    (quantiles(made), quantiles(verified))
}

fn micros(elapsed: Duration) -> u64 {
    u64::try_from(elapsed.as_micros()).unwrap()
}

fn quantiles(mut times: Vec<u64>) -> serde_json::Value {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    serde_json::json!({ "p50": at(50), "p90": at(90), "p99": at(99), "max": at(100) })
}

/// Programs that use the processors up, in sessions of their own.
struct Burners(Vec<Child>);

impl Burners {
    fn start(count: u64) -> Self {
        let burner = || {
            Command::new("setsid")
                .args(["sh", "-c", "while :; do :; done"])
                .spawn()
        };
        Self((0..count).map(|_| burner().unwrap()).collect())
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        for burner in &mut self.0 {
            burner.kill().unwrap();
            burner.wait().unwrap();
        }
    }
}
