//! A witness asked over HTTP. Source: C2SP tlog-witness.

use crate::{Unwitnessed, believing};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The longest answer read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 << 10;

/// Asks witnesses; holds what it needs for encrypted connections.
#[derive(Clone)]
pub struct Submitter {
    tls: Option<Arc<ClientConfig>>,
    answer_max: Duration,
}

/// What a witness answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It cosigned: note lines.
    Cosigned(String),
    /// It cosigned another size last.
    OtherSize(u64),
    /// It refused with this status.
    Refused(u16),
}

fn away(address: &str, what: impl std::fmt::Display) -> Unwitnessed {
    Unwitnessed::Away {
        witness: address.to_owned(),
        what: what.to_string(),
    }
}

impl std::fmt::Debug for Submitter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Submitter(tls: {}, {:?})",
            self.tls.is_some(),
            self.answer_max
        )
    }
}

impl Submitter {
    /// Waits so long for an answer; `https` addresses are reached where the authorities of their
    /// certificates are given, as a PEM file.
    ///
    /// # Errors
    /// [`Unwitnessed::Malformed`] if the file holds no certificates.
    pub fn new(authorities: Option<&Path>, answer_max: Duration) -> Result<Self, Unwitnessed> {
        let tls = authorities.map(believing).transpose()?;
        Ok(Self { tls, answer_max })
    }

    /// Asks a witness to cosign.
    ///
    /// # Errors
    /// [`Unwitnessed::Away`] if it can't be asked or answers what the protocol does not know.
    pub async fn add_checkpoint(&self, address: &str, body: String) -> Result<Answer, Unwitnessed> {
        let (status, text) = self
            .ask(Method::POST, address, "/add-checkpoint", body)
            .await?;
        match status {
            StatusCode::OK => Ok(Answer::Cosigned(text)),
            StatusCode::CONFLICT => {
                let size = text.trim_end_matches('\n').parse();
                size.map(Answer::OtherSize)
                    .map_err(|_| away(address, "it answered 409 without a size"))
            }
            other => Ok(Answer::Refused(other.as_u16())),
        }
    }

    /// The last checkpoint of a log that a witness cosigned, if it tells.
    ///
    /// # Errors
    /// [`Unwitnessed::Away`].
    pub async fn checkpoint(
        &self,
        address: &str,
        origin: &str,
    ) -> Result<Option<String>, Unwitnessed> {
        let path = format!("/{}/checkpoint", crate::record::folder_name(origin));
        let (status, text) = self.ask(Method::GET, address, &path, String::new()).await?;
        Ok((status == StatusCode::OK).then_some(text))
    }

    async fn ask(
        &self,
        method: Method,
        address: &str,
        path: &str,
        body: String,
    ) -> Result<(StatusCode, String), Unwitnessed> {
        let asked = self.asked(method, address, path, body);
        match tokio::time::timeout(self.answer_max, asked).await {
            Ok(answered) => answered,
            Err(_) => Err(away(address, "it did not answer in time")),
        }
    }

    async fn asked(
        &self,
        method: Method,
        address: &str,
        path: &str,
        body: String,
    ) -> Result<(StatusCode, String), Unwitnessed> {
        let uri: Uri = format!("{address}{path}")
            .parse()
            .map_err(|why| away(address, why))?;
        let host = uri.host().ok_or_else(|| away(address, "no host"))?;
        let host = host.trim_matches(['[', ']']);
        let (secure, port) = match uri.scheme_str() {
            Some("http") => (false, uri.port_u16().unwrap_or(80)),
            Some("https") => (true, uri.port_u16().unwrap_or(443)),
            _ => return Err(away(address, "the address is no http:// or https://")),
        };
        let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(uri.path())
            .header(header::HOST, authority)
            .body(Full::new(Bytes::from(body)))
            .map_err(|why| away(address, why))?;
        let stream = TcpStream::connect((host, port))
            .await
            .map_err(|why| away(address, why))?;
        if !secure {
            return exchange(address, stream, request).await;
        }
        let tls = self.tls.clone().ok_or_else(|| {
            away(
                address,
                "no certificate authorities are configured for https",
            )
        })?;
        let name = ServerName::try_from(host.to_owned()).map_err(|why| away(address, why))?;
        let stream = TlsConnector::from(tls)
            .connect(name, stream)
            .await
            .map_err(|why| away(address, why))?;
        exchange(address, stream, request).await
    }
}

async fn exchange<S>(
    address: &str,
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<(StatusCode, String), Unwitnessed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let shaken = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = shaken.map_err(|why| away(address, why))?;
    let answered = async {
        let reply = sender.send_request(request).await;
        let reply = reply.map_err(|why| away(address, why))?;
        let status = reply.status();
        let body = Limited::new(reply.into_body(), ANSWER_BYTES_MAX).collect();
        let body = body.await.map_err(|why| away(address, why))?.to_bytes();
        let text = String::from_utf8(body.to_vec());
        Ok((status, text.map_err(|why| away(address, why))?))
    };
    // The connection lives only as long as the one answer.
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        answered = answered => answered,
        broken = &mut connection => match broken {
            Ok(()) => Err(away(address, "the connection ended before an answer")),
            Err(why) => Err(away(address, why)),
        },
    }
}
