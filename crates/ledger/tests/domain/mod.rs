//! A domain directory to try the ledger in.
#![expect(clippy::unwrap_used, reason = "a test's own tools may panic")]
#![allow(dead_code, reason = "each test file uses its own part")]

use chrono::{DateTime, TimeZone as _, Utc};
use ledger::{Clock, Ledger, Opening};
use std::path::Path;
use std::sync::Arc;
use terms::{Action, Channel, Event, Obligations, Thresholds};

#[derive(Debug)]
pub(crate) struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> DateTime<Utc> {
        noon()
    }
}

pub(crate) fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 11, 21, 12, 0, 0).unwrap()
}

pub(crate) fn create(dir: &Path) -> Ledger {
    Ledger::create(dir, &"yuecheng".parse().unwrap(), Arc::new(Fixed)).unwrap()
}

pub(crate) fn open(dir: &Path) -> Result<Ledger, ledger::Breach> {
    Ledger::open(dir, Arc::new(Fixed))
}

pub(crate) fn domain_created(pilot: bool) -> Event {
    Event::DomainCreated {
        name: "yuecheng".parse().unwrap(),
        title: "越城".to_owned(),
        default_schema: "gjj".to_owned(),
        pilot,
        thresholds: Thresholds::default(),
        obligations: Obligations {
            rows_max: 10,
            result_bytes_max: 10,
        },
    }
}

pub(crate) fn strangers(calls: u64) -> Event {
    Event::StrangersCounted { calls }
}

pub(crate) fn fill(ledger: &Ledger, count: u64) {
    let pending: Vec<_> = (0..count)
        .map(|n| ledger.append(&strangers(n), None, noon()))
        .collect();
    for pending in pending {
        pending.wait().unwrap();
    }
}

pub(crate) fn opening() -> Opening {
    Opening {
        query: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        action: Action::Query,
        person: "zhang".parse().unwrap(),
        scenario: None,
        product: None,
        channel: Channel::Domain,
    }
}

pub(crate) fn verify(dir: &Path) -> Result<ledger::Report, ledger::Breach> {
    Ledger::verify(dir, &mut |_, _| {})
}

/// Runs a future to its end on this thread.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut cx = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            std::task::Poll::Ready(output) => return output,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    for folder in ["ledger", "keys"] {
        std::fs::create_dir_all(to.join(folder)).unwrap();
        for entry in std::fs::read_dir(from.join(folder)).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), to.join(folder).join(entry.file_name())).unwrap();
        }
    }
}
