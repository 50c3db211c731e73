//! A witness over HTTP. Source: C2SP tlog-witness.

use crate::{Refusal, Witness};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// The longest request, in bytes: 63 hashes and a checkpoint with many signatures.
const BODY_BYTES_MAX: usize = 64 << 10;
/// Connections at a time.
const CONNECTIONS_MAX: usize = 64;
/// How long one connection may stay.
const CONNECTION_MAX: Duration = Duration::from_secs(60);
/// How long a request's head or body may take.
const READING_MAX: Duration = Duration::from_secs(10);
/// How long to wait after the system refused a connection.
const BREATH: Duration = Duration::from_millis(50);
/// How an other size is told.
const SIZE_TYPE: &str = "text/x.tlog.size";
const TEXT_TYPE: &str = "text/plain; charset=utf-8";

type Reply = Response<Full<Bytes>>;

/// Serves a witness until the future is dropped.
pub async fn serve(listener: TcpListener, witness: Arc<Witness>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let witness = Arc::clone(&witness);
        tokio::spawn(async move {
            let _place = place;
            let service = service_fn(move |request| answer(Arc::clone(&witness), request));
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(READING_MAX)
                .serve_connection(TokioIo::new(stream), service);
            match tokio::time::timeout(CONNECTION_MAX, connection).await {
                Ok(Ok(())) | Err(_) => {}
                Ok(Err(error)) => tracing::debug!(%error, "a connection broke"),
            }
        });
    }
}

async fn answer(witness: Arc<Witness>, request: Request<Incoming>) -> Result<Reply, Infallible> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let reply = match path.strip_prefix('/').unwrap_or_default() {
        "add-checkpoint" if method == Method::POST => cosign(witness, request).await,
        path if method == Method::GET => match path.strip_suffix("/checkpoint") {
            Some(digest) => match witness.checkpoint(digest) {
                Ok(Some(note)) => told(StatusCode::OK, TEXT_TYPE, note),
                Ok(None) => told(StatusCode::NOT_FOUND, TEXT_TYPE, "not watched\n"),
                Err(error) => {
                    tracing::error!(%error, "a checkpoint could not be read");
                    told(StatusCode::INTERNAL_SERVER_ERROR, TEXT_TYPE, "unreadable\n")
                }
            },
            None => told(StatusCode::NOT_FOUND, TEXT_TYPE, "no such resource\n"),
        },
        _ => told(StatusCode::NOT_FOUND, TEXT_TYPE, "no such resource\n"),
    };
    Ok(reply)
}

async fn cosign(witness: Arc<Witness>, request: Request<Incoming>) -> Reply {
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect();
    let body = match tokio::time::timeout(READING_MAX, body).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return told(StatusCode::PAYLOAD_TOO_LARGE, TEXT_TYPE, "too long\n"),
        Err(_) => return told(StatusCode::REQUEST_TIMEOUT, TEXT_TYPE, "too slow\n"),
    };
    let judged = tokio::task::spawn_blocking(move || {
        let text = std::str::from_utf8(&body)
            .map_err(|_| Refusal::Malformed("the request is no UTF-8 text".to_owned()))?;
        witness.add_checkpoint(text)
    });
    match judged.await {
        Ok(Ok(line)) => told(StatusCode::OK, TEXT_TYPE, line),
        Ok(Err(refusal)) => {
            let status = StatusCode::from_u16(refusal.status());
            let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            match refusal {
                Refusal::OtherSize { size } | Refusal::Forked { size } => {
                    told(status, SIZE_TYPE, format!("{size}\n"))
                }
                Refusal::Malformed(_)
                | Refusal::UnknownLog(_)
                | Refusal::Unsigned
                | Refusal::Inconsistent { .. }
                | Refusal::NotKept => told(status, TEXT_TYPE, format!("{refusal}\n")),
            }
        }
        Err(_) => told(StatusCode::INTERNAL_SERVER_ERROR, TEXT_TYPE, "failed\n"),
    }
}

fn told(status: StatusCode, kind: &'static str, text: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(text.into()));
    *reply.status_mut() = status;
    let kind = header::HeaderValue::from_static(kind);
    reply.headers_mut().insert(header::CONTENT_TYPE, kind);
    reply
}
