use crate::{Death, Worker, child::Child};
use jail::{Ending, Limits, Orders, Report, Ring, Rings};
use std::{
    collections::HashMap,
    io,
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    path::Path,
    process::Stdio,
};
use tokio::{io::unix::AsyncFd, net::unix::pipe, process::Command, sync::oneshot};

/// A process that children are forked from: warm, single-threaded, without a job. Dropped, it is killed,
/// and all its children with it.
#[derive(Debug)]
pub(crate) struct Zygote {
    worker: Worker,
    orders: AsyncFd<Orders>,
    ordered: u64,
    rings: Option<Rings>,
    /// By the number of its order.
    living: HashMap<u64, Living>,
    _process: tokio::process::Child,
}

/// A child, and who waits for its end.
#[derive(Debug)]
struct Living {
    process: OwnedFd,
    ended: oneshot::Sender<Death>,
}

/// What a child may have said before the front has read it: some batches of a result. What an ordinary
/// user may ask of the system.
const OUTPUT_BYTES: i32 = 1 << 20;

/// How the C library's allocator behaves in children, which live for one job: memory is asked for in large
/// pages and in steps of 16 MiB, and kept until the end, since each page that comes or goes costs a fault,
/// and each that goes an interrupt of the other thread. Address space is bounded: two arenas, where it would
/// reserve 64 MiB a thread.
const ALLOCATOR: &str = "glibc.malloc.arena_max=2:glibc.malloc.hugetlb=1:\
     glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=4294967296:\
     glibc.malloc.top_pad=16777216";

/// A child's ends of its pipes, and ours.
struct Pipes {
    theirs: [OwnedFd; 3],
    input: tokio::net::UnixStream,
    output: pipe::Receiver,
    error: pipe::Receiver,
}

impl Zygote {
    /// Starts one with an empty environment; each of its children gets these limits, and stands behind
    /// these walls or is not.
    ///
    /// The calling thread is its parent and must outlive it. Needs a runtime's context.
    pub(crate) fn start(
        worker: Worker,
        program: &Path,
        limits: &Limits,
        demanded: &[Ring],
    ) -> io::Result<Self> {
        let (orders, theirs) = Orders::pair()?;
        let process = Command::new(program)
            .arg(worker.subcommand())
            .args(limits.arguments())
            .args(demanded.iter().map(|ring| ring.name()))
            .env_clear()
            .env("GLIBC_TUNABLES", ALLOCATOR)
            .stdin(Stdio::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self {
            worker,
            orders: watched(orders)?,
            ordered: 0,
            rings: None,
            living: HashMap::new(),
            _process: process,
        })
    }

    /// The walls around its children; none before it has said so.
    pub(crate) const fn rings(&self) -> Option<&Rings> {
        self.rings.as_ref()
    }

    /// Has a child forked, and waits until it is there.
    ///
    /// # Errors
    /// Why there is none; the zygote is then of no use any more.
    pub(crate) async fn bear(&mut self) -> io::Result<Child> {
        let pipes = Pipes::new()?;
        self.ordered += 1;
        let number = self.ordered;
        let theirs = pipes.theirs.each_ref().map(AsFd::as_fd);
        self.orders
            .async_io(tokio::io::Interest::WRITABLE, |orders| {
                orders.order(number, theirs)
            })
            .await?;
        loop {
            match self.report().await? {
                Report::Born(born, process) if born == number => {
                    let (sender, ended) = oneshot::channel();
                    let living = Living {
                        process: process.try_clone()?,
                        ended: sender,
                    };
                    self.living.insert(number, living);
                    let Pipes {
                        theirs,
                        input,
                        output,
                        error,
                    } = pipes;
                    // Ours alone would keep the child's ends open.
                    drop(theirs);
                    let pipes = (input, output, error);
                    return Ok(Child::new(self.worker, process, ended, pipes));
                }
                Report::Unborn(_, error) => return Err(io::Error::from_raw_os_error(error)),
                other @ (Report::Born(..)
                | Report::Ready(_)
                | Report::Refused(_)
                | Report::Old(_)
                | Report::Ended(..)) => self.take_in(other)?,
            }
        }
    }

    /// Hears the next thing that it says by itself.
    ///
    /// # Errors
    /// It is gone, or says what no sound zygote says.
    pub(crate) async fn heed(&mut self) -> io::Result<()> {
        let report = self.report().await?;
        self.take_in(report)
    }

    /// Waits for one report; nothing is lost if it is not waited for to the end.
    async fn report(&self) -> io::Result<Report> {
        let over = [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset];
        let gone = |error: io::Error| {
            if over.contains(&error.kind()) {
                io::Error::new(io::ErrorKind::BrokenPipe, "the zygote is gone")
            } else {
                error
            }
        };
        let read = self
            .orders
            .async_io(tokio::io::Interest::READABLE, Orders::report);
        read.await.map_err(gone)
    }

    fn take_in(&mut self, report: Report) -> io::Result<()> {
        match report {
            Report::Ready(rings) => {
                self.rings = Some(rings);
                Ok(())
            }
            Report::Refused(why) => Err(io::Error::other(why)),
            Report::Old(number) => {
                let old = self.living.get(&number);
                if let Some(Err(error)) =
                    old.map(|child| jail::schedule_last(child.process.as_fd()))
                {
                    // It stands behind others by its rank all the same.
                    tracing::debug!(%error, "a child that has worked long could not be put last");
                }
                Ok(())
            }
            Report::Ended(number, ending) => {
                let death = match ending {
                    Ending::Exited(code) => Death::Exited(code),
                    Ending::Signalled(signal) => Death::Signalled(signal),
                };
                if let Some(living) = self.living.remove(&number) {
                    // Whoever does not wait any more does not want to know.
                    living.ended.send(death).ok();
                }
                Ok(())
            }
            Report::Born(..) | Report::Unborn(..) => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

#[expect(
    deprecated,
    reason = "it asks of its argument to keep one descriptor, which ours does and a type can't promise"
)]
fn watched(orders: Orders) -> io::Result<AsyncFd<Orders>> {
    AsyncFd::new(orders)
}

impl Pipes {
    fn new() -> io::Result<Self> {
        let (input, theirs_in) = UnixStream::pair()?;
        let (output, theirs_out) = io::pipe()?;
        jail::widen(output.as_fd(), OUTPUT_BYTES);
        let (error, theirs_err) = io::pipe()?;
        input.set_nonblocking(true)?;
        Ok(Self {
            theirs: [theirs_in.into(), theirs_out.into(), theirs_err.into()],
            input: input.try_into()?,
            output: pipe::Receiver::from_owned_fd(output.into())?,
            error: pipe::Receiver::from_owned_fd(error.into())?,
        })
    }
}
