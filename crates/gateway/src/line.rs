use socket2::SockRef;
use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

/// How much may wait in the kernel for a peer who does not read, in bytes.
const UNSENT_BYTES_MAX: u32 = 128 << 10;

/// A connection that can be severed from elsewhere.
#[derive(Debug)]
pub(crate) struct Line {
    stream: TlsStream<TcpStream>,
    peer: Peer,
    severed: Pin<Box<WaitForCancellationFutureOwned>>,
}

/// Who is at the other end of a connection, and its switch. Each call of the connection carries it.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    certificate: Option<Arc<[u8]>>,
    switch: CancellationToken,
    is_backed_up: Arc<AtomicBool>,
}

// === impl Line ===

impl Line {
    pub(crate) fn new(stream: TlsStream<TcpStream>) -> Self {
        let (tcp, session) = stream.get_ref();
        if let Err(error) = SockRef::from(tcp).set_tcp_notsent_lowat(UNSENT_BYTES_MAX) {
            tracing::debug!(%error, "the kernel keeps more for a slow peer than it should");
        }
        let leaf = session.peer_certificates().and_then(<[_]>::first);
        let peer = Peer {
            certificate: leaf.map(|leaf| leaf.as_ref().into()),
            ..Peer::default()
        };
        let severed = Box::pin(peer.switch.clone().cancelled_owned());
        Self {
            stream,
            peer,
            severed,
        }
    }

    /// Ready with an error once the connection is severed: what is not sent yet never is.
    fn poll_severed(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        ready!(self.severed.as_mut().poll(cx));
        let tcp = self.stream.get_ref().0;
        // Closed at once, without what still waits in the kernel.
        if let Err(error) = SockRef::from(tcp).set_linger(Some(Duration::ZERO)) {
            tracing::warn!(%error, "a severed connection may send what was written");
        }
        Poll::Ready(io::ErrorKind::ConnectionAborted.into())
    }

    fn backed_up<T>(&self, sent: Poll<T>) -> Poll<T> {
        self.peer
            .is_backed_up
            .store(sent.is_pending(), Ordering::Relaxed);
        sent
    }
}

impl Connected for Line {
    type ConnectInfo = Peer;

    fn connect_info(&self) -> Peer {
        self.peer.clone()
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_severed(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(error) = self.poll_severed(cx) {
            return Poll::Ready(Err(error));
        }
        let sent = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.backed_up(sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(error) = self.poll_severed(cx) {
            return Poll::Ready(Err(error));
        }
        let sent = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.backed_up(sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_severed(cx) {
            return Poll::Ready(Err(error));
        }
        let sent = Pin::new(&mut self.stream).poll_flush(cx);
        self.backed_up(sent)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Poll::Ready(error) = self.poll_severed(cx) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

// === impl Peer ===

impl Peer {
    /// The leaf certificate, DER, as TLS verified it.
    pub(crate) fn certificate(&self) -> Option<&[u8]> {
        self.certificate.as_deref()
    }

    /// Whether what was written still waits for the other end to read.
    pub(crate) fn is_backed_up(&self) -> bool {
        self.is_backed_up.load(Ordering::Relaxed)
    }

    /// Ends the connection with all its calls; nothing more leaves by it.
    pub(crate) fn sever(&self) {
        self.switch.cancel();
    }

    #[cfg(test)]
    pub(crate) fn for_test(certificate: &[u8]) -> Self {
        Self {
            certificate: Some(certificate.into()),
            ..Self::default()
        }
    }

    #[cfg(test)]
    pub(crate) fn is_severed(&self) -> bool {
        self.switch.is_cancelled()
    }

    #[cfg(test)]
    pub(crate) async fn severed(&self) {
        self.switch.cancelled().await;
    }
}

#[cfg(test)]
mod tests;
