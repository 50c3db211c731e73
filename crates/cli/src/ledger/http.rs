//! A published log's files over HTTP. Nothing of the connection is trusted: what comes is verified.

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
use std::{cell::RefCell, io, path::PathBuf, time::Duration};
use tokio::{net::TcpStream, runtime::Runtime};

/// How long one file may take.
const FILE_MAX: Duration = Duration::from_secs(60);

/// A log's address and the connection to it.
#[derive(Debug)]
pub(crate) struct Http {
    url: String,
    authority: String,
    prefix: String,
    runtime: Runtime,
    connection: RefCell<Option<SendRequest<Empty<Bytes>>>>,
}

impl Http {
    /// Takes an address apart; none if it is a folder.
    pub(crate) fn open(url: &str) -> Result<Option<Self>, Failure> {
        if url.starts_with("https://") {
            let what = "the log is published over plain http; copy it from an https address with \
                        a tool of yours and give the folder";
            return Err(Failure::Usage(format!("`{url}`: {what}")));
        }
        let Some(rest) = url.strip_prefix("http://") else {
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
            runtime,
            connection: RefCell::new(None),
        }))
    }

    async fn connect(&self) -> io::Result<SendRequest<Empty<Bytes>>> {
        let (host, port): (&str, u16) = match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, port.parse().unwrap_or_default()),
            Some(_) | None => (self.authority.as_str(), 80),
        };
        let host = host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        tokio::spawn(async move { drop(connection.await) });
        Ok(sender)
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
