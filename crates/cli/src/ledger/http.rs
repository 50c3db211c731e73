//! A published log's files over HTTP, encrypted or not. Nothing of the connection is trusted: what comes
//! is verified; encryption hides who reads what.

use crate::Failure;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{
    Request, StatusCode,
    body::Bytes,
    client::conn::http1::{SendRequest, handshake},
    header::HOST,
};
use hyper_util::rt::TokioIo;
use ledger::{Breach, Fetch, RESOURCE_BYTES_MAX};
use rustls_pki_types::ServerName;
use std::{
    cell::RefCell,
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    runtime::Runtime,
};
use tokio_rustls::TlsConnector;

/// How long one file may take.
const FILE_MAX: Duration = Duration::from_secs(60);

/// A log's address and the connection to it.
pub(crate) struct Http {
    url: String,
    authority: String,
    prefix: String,
    tls: Option<TlsConnector>,
    runtime: Runtime,
    connection: RefCell<Option<SendRequest<Empty<Bytes>>>>,
}

impl Http {
    /// Takes an address apart; none if it is a folder. Over https the server has to be vouched for by
    /// the authorities in a PEM file.
    pub(crate) fn open(url: &str, authorities: Option<&Path>) -> Result<Option<Self>, Failure> {
        let (rest, tls) = if let Some(rest) = url.strip_prefix("https://") {
            let what = "`--ca FILE` is needed over https: PEM with the authorities of its \
                        certificate, as /etc/ssl/certs/ca-certificates.crt";
            let authorities = authorities.ok_or_else(|| Failure::Usage(format!("`{url}`: {what}")));
            let config = witness::believing(authorities?);
            let config = config.map_err(|error| Failure::Usage(error.to_string()))?;
            (rest, Some(TlsConnector::from(config)))
        } else if let Some(rest) = url.strip_prefix("http://") {
            (rest, None)
        } else {
            return Ok(None);
        };
        let (authority, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Other(error.to_string()))?;
        Ok(Some(Self {
            url: url.to_owned(),
            authority: authority.to_owned(),
            prefix: prefix.trim_end_matches('/').to_owned(),
            tls,
            runtime,
            connection: RefCell::new(None),
        }))
    }

    async fn connect(&self) -> io::Result<SendRequest<Empty<Bytes>>> {
        let usual = if self.tls.is_some() { 443 } else { 80 };
        let (host, port): (&str, u16) = match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or_default()),
            Some(_) | None => (self.authority.as_str(), usual),
        };
        let host = host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return shaken(stream).await;
        };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        shaken(tls.connect(name, stream).await?).await
    }

    async fn get(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let kept = self.connection.borrow_mut().take();
        let mut sender = match kept {
            Some(sender) if !sender.is_closed() => sender,
            Some(_) | None => self.connect().await?,
        };
        sender.ready().await.map_err(io::Error::other)?;
        let slash = if self.prefix.is_empty() { "" } else { "/" };
        let request = Request::get(format!("{slash}{}/{path}", self.prefix))
            .header(HOST, &self.authority)
            .body(Empty::new())
            .map_err(io::Error::other)?;
        let response = sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let status = response.status();
        let body = Limited::new(response.into_body(), RESOURCE_BYTES_MAX);
        let bytes = body.collect().await.map_err(io::Error::other)?.to_bytes();
        self.connection.replace(Some(sender));
        match status {
            StatusCode::OK => Ok(Some(bytes.to_vec())),
            StatusCode::NOT_FOUND | StatusCode::GONE => Ok(None),
            status => Err(io::Error::other(format!("the server answered {status}"))),
        }
    }
}

/// Begins to speak HTTP on a stream.
async fn shaken<S>(stream: S) -> io::Result<SendRequest<Empty<Bytes>>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = handshake(TokioIo::new(stream)).await;
    let (sender, connection) = shaken.map_err(io::Error::other)?;
    tokio::spawn(async move { drop(connection.await) });
    Ok(sender)
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Http({})", self.url)
    }
}

impl Fetch for Http {
    fn fetch(&self, path: &str) -> Result<Option<Vec<u8>>, Breach> {
        let got = self.runtime.block_on(async {
            // A kept connection may have been closed meanwhile; a fresh one is tried once.
            let kept = self.connection.borrow().is_some();
            match tokio::time::timeout(FILE_MAX, self.get(path)).await {
                Ok(Err(_)) if kept => tokio::time::timeout(FILE_MAX, self.get(path)).await,
                got => got,
            }
        });
        let slow = || io::Error::new(io::ErrorKind::TimedOut, "the server took too long");
        let got = got.unwrap_or_else(|_| Err(slow()));
        got.map_err(|source| Breach::Unreachable {
            file: PathBuf::from(format!("{}/{path}", self.url.trim_end_matches('/'))),
            source,
        })
    }

    fn place(&self) -> PathBuf {
        PathBuf::from(&self.url)
    }
}
