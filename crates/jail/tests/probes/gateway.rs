//! The gateway's side, for tests: a zygote is started, and a child is asked for each job.

use jail::{Ending, Orders, Report};
use std::{
    io::{ErrorKind, Read},
    os::{fd::AsFd, unix::net::UnixStream},
    process::{Child, Command, Stdio},
    time::Duration,
};

pub(crate) struct Gateway {
    pub(crate) kind: &'static str,
    pub(crate) rings: String,
    orders: Orders,
    ordered: u64,
    process: Child,
}

impl Gateway {
    /// Starts this program again, as a zygote of this kind.
    pub(crate) fn start(kind: &'static str) -> Self {
        let (orders, theirs) = Orders::pair().unwrap();
        let process = Command::new(std::env::current_exe().unwrap())
            .arg(kind)
            // What the test program's own arguments would be.
            .env_clear()
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut gateway = Self {
            kind,
            rings: String::new(),
            orders,
            ordered: 0,
            process,
        };
        let Report::Ready(rings) = gateway.next() else {
            panic!("the zygote refused");
        };
        gateway.rings = rings.to_string();
        gateway
    }

    /// What a child said to this job, and how it ended.
    pub(crate) fn tried(&mut self, job: u32) -> (Vec<u8>, Ending) {
        self.ordered += 1;
        let (ours, input) = UnixStream::pair().unwrap();
        let (mut output, theirs) = std::io::pipe().unwrap();
        let nothing = std::fs::File::open("/dev/null").unwrap();
        let pipes = [input.as_fd(), theirs.as_fd(), nothing.as_fd()];
        self.orders.order(self.ordered, pipes).unwrap();
        drop((input, theirs));
        assert!(matches!(self.next(), Report::Born(..)));
        jail::send(ours.as_fd(), &job.to_le_bytes(), &[nothing.as_fd()]).unwrap();
        let mut told = Vec::new();
        output.read_to_end(&mut told).unwrap();
        loop {
            match self.next() {
                Report::Old(_) => {}
                Report::Ended(_, ending) => return (told, ending),
                other @ (Report::Ready(_)
                | Report::Refused(_)
                | Report::Born(..)
                | Report::Unborn(..)) => panic!("{other:?}"),
            }
        }
    }

    fn next(&self) -> Report {
        loop {
            match self.orders.report() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_micros(200));
                }
                other => return other.unwrap(),
            }
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
