//! Where connections come in, in bounded number.

use std::{sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

/// How long to wait after the system refused a connection, for want of descriptors for example.
const BREATH: Duration = Duration::from_millis(50);

/// A listener that lets in so many at once; further ones wait.
#[derive(Debug)]
pub(crate) struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    /// What messages call it.
    called: &'static str,
}

impl Door {
    /// A door with so many places.
    pub(crate) fn new(listener: TcpListener, places_max: usize, called: &'static str) -> Self {
        let places = Arc::new(Semaphore::new(places_max));
        Self {
            listener,
            places,
            called,
        }
    }

    /// The next connection, and the place that it takes as long as this is kept; none once no place
    /// will ever be free again.
    pub(crate) async fn next(&self) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).acquire_owned().await.ok()?;
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return Some((stream, place)),
                Err(error) => {
                    let door = self.called;
                    tracing::warn!(%error, door, "a connection was not accepted");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }
}
