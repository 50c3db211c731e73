//! The process: listeners, one line when it accepts, an orderly end.

use crate::{
    Gateway, Unopened,
    flight::{Edge, Front, one_scenario},
    listen::accept,
    management::{Desk, routes},
    operation::now,
    operations::OperationsService,
    publish::publish,
    snapshot, telemetry, tls,
    unlock::Secrets,
};
use arrow_flight::flight_service_server::FlightServiceServer;
use ledger::Ledger;
use std::{io::Write, net::SocketAddr, path::Path, sync::Arc, time::Duration};
use terms::Channel;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
};
use tonic::{service::InterceptorLayer, transport::Server};
use wire::operations::operations_server::OperationsServer;

/// How often what is over is dropped and strangers are put on record.
const SWEEP: Duration = Duration::from_secs(5);
/// Sweeps between two entries about strangers.
const SWEEPS_PER_MINUTE: u32 = 12;
/// How often texts whose time is over are looked for, the first time at once.
const DAY: Duration = Duration::from_hours(24);
/// How long the end waits for what is done aside.
const ASIDE_MAX: Duration = Duration::from_secs(2);
/// Headers of one call, in bytes.
const HEADERS_BYTES_MAX: u32 = 64 << 10;
/// Calls of one connection at a time.
const CALLS_MAX: usize = 64;

/// Addresses that replace the configuration's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listeners {
    /// Flight SQL inside the domain.
    pub flight: Option<SocketAddr>,
    /// Flight SQL for remote callers.
    pub flight_remote: Option<SocketAddr>,
    /// The management services.
    pub admin: Option<SocketAddr>,
    /// The log over HTTP.
    pub log: Option<SocketAddr>,
}

/// Why a gateway does not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The domain cannot be opened.
    #[error(transparent)]
    Unopened(#[from] Unopened),
    /// The TLS files cannot be used.
    #[error(transparent)]
    Tls(#[from] tls::Unusable),
    /// An address cannot be listened on.
    #[error(
        "cannot listen on {address} for {what}: {source}; choose another address, or port 0 for any free one"
    )]
    Address {
        /// For what.
        what: &'static str,
        /// Where.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The process cannot go on.
    #[error("the gateway cannot go on: {0}")]
    Process(String),
}

/// Serves a domain until it is told to end.
///
/// # Errors
/// [`ServeError`].
pub fn serve(dir: &Path, listeners: Listeners, secrets: &Secrets) -> Result<(), ServeError> {
    let process = |error: &dyn std::fmt::Display| ServeError::Process(error.to_string());
    jail::keep_freed_memory();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = runtime.map_err(|error| process(&error))?;
    runtime.block_on(serving(dir, listeners, secrets))
}

#[expect(
    clippy::too_many_lines,
    reason = "one arm for each case: a table reads best in one place"
)]
async fn serving(dir: &Path, listeners: Listeners, secrets: &Secrets) -> Result<(), ServeError> {
    let program = std::env::current_exe();
    let program = program.map_err(|error| ServeError::Process(error.to_string()))?;
    let gateway = Gateway::open(dir, program, secrets).await?;
    let config = gateway.domain.config.clone();
    let spans = telemetry::start(&config);
    gateway.tell_walls().await;
    let tls = tls::config(dir)?;
    let bound = [
        (
            "flight",
            Some(listeners.flight.unwrap_or(config.flight)),
            Channel::Domain,
        ),
        (
            "flight-remote",
            listeners.flight_remote.or(config.flight_remote),
            Channel::Remote,
        ),
        (
            "admin",
            Some(listeners.admin.unwrap_or(config.admin)),
            Channel::Domain,
        ),
    ];
    let (stop, stopped) = watch::channel(false);
    let mut line = String::from("ready");
    let (mut servers, mut accepting, mut edges) = (Vec::new(), Vec::new(), Vec::new());
    for (what, address, channel) in bound {
        let Some(address) = address else { continue };
        let failed = |source| ServeError::Address {
            what,
            address,
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        line.push_str(&format!(" {what}={local}"));
        let (incoming, task) = accept(listener, Arc::clone(&tls), Arc::clone(&gateway));
        accepting.push(task);
        let operations = OperationsService {
            gateway: Arc::clone(&gateway),
            channel,
        };
        let edge = Arc::new(Edge::new(Arc::clone(&gateway), channel));
        let mut server = Server::builder()
            .http2_max_header_list_size(HEADERS_BYTES_MAX)
            .http2_keepalive_interval(Some(Duration::from_secs(60)))
            .concurrency_limit_per_connection(CALLS_MAX)
            .layer(InterceptorLayer::new(one_scenario));
        let operations = OperationsServer::new(operations);
        let router = if what == "admin" {
            let desk = Desk::new(Arc::clone(&gateway), channel);
            let routes = routes(&desk).map_err(|error| ServeError::Process(error.to_string()))?;
            server.add_routes(routes).add_service(operations)
        } else {
            edges.push(Arc::clone(&edge));
            server
                .add_service(operations)
                .add_service(FlightServiceServer::new(Front(edge)))
        };
        let mut stopped = stopped.clone();
        let until = async move {
            // An end of the sender is an end too.
            drop(stopped.wait_for(|stop| *stop).await);
        };
        servers.push(tokio::spawn(
            router.serve_with_incoming_shutdown(incoming, until),
        ));
    }
    if let Some(address) = listeners.log.or(config.log) {
        let failed = |source| ServeError::Address {
            what: "log",
            address,
            source,
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        line.push_str(&format!(" log={local}"));
        let reader = Ledger::open_read_only(config.ledger).map_err(Unopened::Ledger)?;
        accepting.push(tokio::spawn(publish(listener, Arc::new(reader))));
    }
    let (keeper, kept) = (Arc::clone(&gateway), edges.clone());
    let cutting = tokio::spawn(async move {
        let drop_cut = || kept.iter().for_each(|edge| edge.drop_cut());
        keeper.keep_cutting_off(drop_cut).await;
    });
    println!("{line}");
    std::io::stdout()
        .flush()
        .map_err(|error| ServeError::Process(error.to_string()))?;
    let ended = tokio::select! {
        told = until_told(&gateway, &edges) => told,
        // Without it, what is suspended would run on.
        _ = cutting => Err(ServeError::Process("what no longer stands is not cut off".to_owned())),
        // A history beside ours under our own signature: nothing more is answered.
        forked = gateway.publish() => Err(ServeError::Unopened(Unopened::Witnesses(forked))),
    };
    stop.send_replace(true);
    accepting.iter().for_each(tokio::task::JoinHandle::abort);
    for server in servers {
        if tokio::time::timeout(Duration::from_secs(10), server)
            .await
            .is_err()
        {
            tracing::warn!("calls were still running at the end");
        }
    }
    edges.iter().for_each(|edge| edge.clear());
    gateway.shutdown().await;
    if let Some(provider) = spans {
        let shut = tokio::task::spawn_blocking(move || provider.shutdown()).await;
        shut.map_err(|error| ServeError::Process(error.to_string()))?
            .ok();
    }
    ended
}

/// Sweeps until a signal comes.
async fn until_told(gateway: &Arc<Gateway>, edges: &[Arc<Edge>]) -> Result<(), ServeError> {
    let process = |error: std::io::Error| ServeError::Process(error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(process)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(process)?;
    let mut sweep = tokio::time::interval(SWEEP);
    let mut sweeps = 0u32;
    let mut day = tokio::time::interval(DAY);
    let mut keeping = tokio::spawn(async {});
    let (mut expiring, mut counting) = (tokio::spawn(async {}), tokio::spawn(async {}));
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            // What may wait for something else waits aside: a backup holds the log still, and meanwhile
            // calls are cut off and a signal ends the process.
            _ = day.tick() => {
                if expiring.is_finished() {
                    let keeper = Arc::clone(gateway);
                    expiring = tokio::spawn(async move {
                        keeper.expire().await;
                        keeper.domain.keep_terms().await;
                    });
                }
                let domain = Arc::clone(&gateway.domain);
                keeping = tokio::spawn(async move { snapshot::keep_aside(&domain).await });
            }
            _ = sweep.tick() => {
                gateway.cut_off_expired(now());
                edges.iter().for_each(|edge| {
                    edge.drop_cut();
                    edge.sweep();
                });
                sweeps += 1;
                if sweeps.is_multiple_of(SWEEPS_PER_MINUTE) && counting.is_finished() {
                    let keeper = Arc::clone(gateway);
                    counting = tokio::spawn(async move {
                        keeper.count_strangers().await;
                        keeper.domain.keep_terms().await;
                    });
                }
            }
        }
    }
    for aside in [expiring, counting] {
        let unfinished = aside.abort_handle();
        if tokio::time::timeout(ASIDE_MAX, aside).await.is_err() {
            // It waits for a backup; the next start does it.
            unfinished.abort();
        }
    }
    // What is being kept is kept, so that no half file stays behind.
    keeping
        .await
        .map_err(|error| ServeError::Process(error.to_string()))
}

#[cfg(test)]
mod tests;
