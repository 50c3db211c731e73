//! The log over HTTP, read-only, for whoever verifies it. Source: C2SP tlog-tiles.
//!
//! What is published is what anybody may see: hashes, signed heads, and entries without real names,
//! SQL texts or values. It is plain HTTP, since nothing a reader believes rests on the connection.

use crate::door::Door;
use flate2::{Compression, write::GzEncoder};
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Incoming},
    header::{
        ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY,
    },
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use ledger::{Reader, Resource};
use std::{convert::Infallible, io::Write, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// Connections at once; further ones wait.
const CONNECTIONS_MAX: usize = 128;
/// How long a caller may take for a request's head, also between two of them.
const HEAD_MAX: Duration = Duration::from_secs(10);
/// How long one connection is served; a mirror comes back.
const CONNECTION_MAX: Duration = Duration::from_mins(5);
/// A request's head, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// What never changes may be kept for a year.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The newest head may not be kept, nor that something is missing.
const FRESH: HeaderValue = HeaderValue::from_static("no-store");

/// Serves until the task is aborted.
pub(crate) async fn publish(listener: TcpListener, reader: Arc<Reader>) {
    let door = Door::new(listener, CONNECTIONS_MAX, "log");
    while let Some((stream, place)) = door.next().await {
        let reader = Arc::clone(&reader);
        tokio::spawn(async move {
            let _place = place;
            let answer = service_fn(move |request| answer(Arc::clone(&reader), request));
            let serving = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_MAX)
                .max_buf_size(HEAD_BYTES_MAX)
                .serve_connection(TokioIo::new(stream), answer);
            // A caller who goes away or dawdles is no news.
            drop(tokio::time::timeout(CONNECTION_MAX, serving).await);
        });
    }
}

async fn answer(
    reader: Arc<Reader>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        let mut response = told(StatusCode::METHOD_NOT_ALLOWED);
        let allowed = HeaderValue::from_static("GET, HEAD");
        response.headers_mut().insert(ALLOW, allowed);
        return Ok(response);
    }
    let path = request.uri().path().strip_prefix('/').unwrap_or_default();
    let Ok(resource) = path.parse::<Resource>() else {
        return Ok(told(StatusCode::NOT_FOUND));
    };
    let zipped = matches!(resource, Resource::Entries { .. }) && takes_gzip(&request);
    let read = tokio::task::spawn_blocking(move || {
        let bytes = reader.publish(resource)?;
        let bytes = bytes.map(|bytes| if zipped { gzip(&bytes) } else { bytes });
        Ok::<_, ledger::Breach>(bytes)
    });
    Ok(match read.await {
        Ok(Ok(Some(bytes))) => found(resource, zipped, bytes),
        Ok(Ok(None)) => told(StatusCode::NOT_FOUND),
        Ok(Err(breach)) => {
            tracing::error!(code = breach.code(), error = %breach, "the log could not be published");
            told(StatusCode::SERVICE_UNAVAILABLE)
        }
        Err(error) => {
            tracing::error!(%error, "the log could not be published");
            told(StatusCode::INTERNAL_SERVER_ERROR)
        }
    })
}

fn found(resource: Resource, zipped: bool, bytes: Vec<u8>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(bytes)));
    let kind = if resource == Resource::Checkpoint {
        "text/plain; charset=utf-8"
    } else {
        "application/octet-stream"
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let kept = if resource.is_immutable() {
        IMMUTABLE
    } else {
        FRESH
    };
    headers.insert(CACHE_CONTROL, kept);
    if matches!(resource, Resource::Entries { .. }) {
        headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if zipped {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn told(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response.headers_mut().insert(CACHE_CONTROL, FRESH);
    response
}

/// Whether a caller names gzip among what it takes, and does not give it no weight.
fn takes_gzip<B>(request: &Request<B>) -> bool {
    let headers = request.headers().get_all(ACCEPT_ENCODING).iter();
    let texts = headers.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).any(|word| {
        let (name, weight) = word.split_once(';').unwrap_or((word, ""));
        let weight = weight.trim().strip_prefix("q=").unwrap_or("1");
        name.trim().eq_ignore_ascii_case("gzip") && weight.parse::<f32>().is_ok_and(|q| q > 0.0)
    })
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing into memory does not fail.
    drop(encoder.write_all(bytes));
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests;
