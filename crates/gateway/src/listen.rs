//! Connections: accepted, shaken hands with in bounded number and time, then handed to the server.

use crate::{Gateway, door::Door, line::Line};
use rustls::ServerConfig;
use std::{io, sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::mpsc, task::JoinHandle};
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;

/// Handshakes under way at once.
const HANDSHAKES_MAX: usize = 256;
/// How long one may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(5);

/// Connections that have shaken hands, and the task that accepts them.
pub(crate) type Accepted = ReceiverStream<io::Result<Line>>;

/// Accepts on a listener until the task is aborted.
pub(crate) fn accept(
    listener: TcpListener,
    tls: Arc<ServerConfig>,
    gateway: Arc<Gateway>,
) -> (Accepted, JoinHandle<()>) {
    let (ready, accepted) = mpsc::channel(HANDSHAKES_MAX);
    let acceptor = TlsAcceptor::from(tls);
    let door = Door::new(listener, HANDSHAKES_MAX, "flight");
    let task = tokio::spawn(async move {
        while let Some((stream, place)) = door.next().await {
            let (acceptor, ready) = (acceptor.clone(), ready.clone());
            let gateway = Arc::clone(&gateway);
            tokio::spawn(async move {
                let _place = place;
                if stream.set_nodelay(true).is_err() {
                    return;
                }
                match tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await {
                    Ok(Ok(stream)) => {
                        if ready.send(Ok(Line::new(stream))).await.is_err() {
                            tracing::debug!("a connection came after the end");
                        }
                    }
                    Ok(Err(_)) | Err(_) => gateway.stranger(),
                }
            });
        }
    });
    (ReceiverStream::new(accepted), task)
}
