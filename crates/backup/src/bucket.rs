use crate::{Shelf, Unbacked};
use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{Certificate, ClientOptions, MultipartUpload as _, ObjectStore as _};
use object_store::{ObjectStoreExt as _, PutPayload, path::Path as Key};
use std::io::Read;
use std::time::Duration;
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

/// What an S3-compatible store is reached with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct S3 {
    /// Its address, `https://…`; `http://` for one on this machine alone.
    pub endpoint: String,
    /// The region that requests are signed for.
    pub region: String,
    /// Who asks.
    pub access_key_id: String,
    /// And what signs; it goes to nobody.
    pub secret_access_key: Zeroizing<String>,
    /// Certificates of further authorities that vouch for the store, in PEM.
    pub authorities: Option<Vec<u8>>,
}

/// A shelf in a bucket of an S3-compatible store. Called from threads that may wait, never from tasks.
///
/// Shape: an object is there whole or not at all, as the store promises; one that is longer than a part
/// is uploaded in parts, and is there when the last one is confirmed.
#[derive(Debug)]
pub struct Bucket {
    store: AmazonS3,
    prefix: Key,
    runtime: Waiting,
}

/// A runtime for a thread that waits; it may be dropped by a task too.
#[derive(Debug)]
struct Waiting(Option<Runtime>);

/// An object as it comes.
struct Coming<'a> {
    runtime: &'a Waiting,
    stream: BoxStream<'static, object_store::Result<Bytes>>,
    left: Bytes,
}

/// The bytes of a part; no store takes less but for the last.
const PART_BYTES: u64 = 8 << 20;
/// How long one request may take.
const REQUEST_MAX: Duration = Duration::from_secs(120);

// === impl Bucket ===

impl Bucket {
    /// The shelf at `s3://bucket/prefix`.
    ///
    /// # Errors
    /// [`Unbacked::NoShelf`].
    pub fn open(address: &str, s3: &S3) -> Result<Self, Unbacked> {
        let wrong = |what: String| Unbacked::NoShelf {
            address: address.to_owned(),
            what,
        };
        let place = address.strip_prefix("s3://").unwrap_or_default();
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            return Err(wrong("write s3://bucket/prefix".to_owned()));
        }
        let is_plain = s3.endpoint.starts_with("http://");
        if is_plain && !is_on_this_machine(&s3.endpoint) {
            let what = "an http:// endpoint is taken on this machine alone: write https://";
            return Err(wrong(what.to_owned()));
        }
        let mut client = ClientOptions::new()
            .with_allow_http(is_plain)
            .with_timeout(REQUEST_MAX);
        if let Some(pem) = &s3.authorities {
            let certificates = Certificate::from_pem_bundle(pem);
            for certificate in certificates.map_err(|error| wrong(error.to_string()))? {
                client = client.with_root_certificate(certificate);
            }
        }
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&s3.region)
            .with_access_key_id(&s3.access_key_id)
            .with_secret_access_key(s3.secret_access_key.as_str())
            .with_client_options(client);
        if !s3.endpoint.is_empty() {
            builder = builder.with_endpoint(&s3.endpoint);
        }
        let store = builder.build().map_err(|error| wrong(error.to_string()))?;
        let runtime = Waiting::new().map_err(|error| wrong(error.to_string()))?;
        let prefix = Key::parse(prefix).map_err(|error| wrong(error.to_string()))?;
        Ok(Self {
            store,
            prefix,
            runtime,
        })
    }

    fn key(&self, name: &str) -> Key {
        let parts = self.prefix.parts().map(|part| part.as_ref().to_owned());
        parts.chain(name.split('/').map(str::to_owned)).collect()
    }

    async fn upload(&self, name: &str, from: &mut dyn Read) -> Result<(), Unbacked> {
        let failed = failed(name);
        let key = self.key(name);
        let first = part(from).map_err(|error| unread(name, error))?;
        if (first.len() as u64) < PART_BYTES {
            let put = self.store.put(&key, PutPayload::from(first)).await;
            return put.map(drop).map_err(failed);
        }
        let mut upload = self.store.put_multipart(&key).await.map_err(&failed)?;
        let mut next = Ok(first);
        let sent = loop {
            match next {
                Ok(bytes) if bytes.is_empty() => break upload.complete().await.map(drop),
                Ok(bytes) => {
                    if let Err(error) = upload.put_part(PutPayload::from(bytes)).await {
                        break Err(error);
                    }
                }
                Err(error) => {
                    drop(upload.abort().await);
                    return Err(unread(name, error));
                }
            }
            next = part(from);
        };
        if sent.is_err() {
            // Parts of an upload that never ended are no object; a store may keep them for a while.
            drop(upload.abort().await);
        }
        sent.map_err(failed)
    }
}

impl Shelf for Bucket {
    fn put(&self, name: &str, from: &mut dyn Read) -> Result<(), Unbacked> {
        let sent = self.runtime.on(self.upload(name, from));
        sent.map_err(|error| unread(name, error))?
    }

    fn get(&self, name: &str) -> Result<Option<Box<dyn Read + '_>>, Unbacked> {
        let got = self.runtime.on(self.store.get(&self.key(name)));
        match got.map_err(|error| unread(name, error))? {
            Ok(object) => Ok(Some(Box::new(Coming {
                runtime: &self.runtime,
                stream: object.into_stream(),
                left: Bytes::new(),
            }))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(name)(error)),
        }
    }

    fn bytes(&self, name: &str) -> Result<Option<u64>, Unbacked> {
        let found = self.runtime.on(self.store.head(&self.key(name)));
        match found.map_err(|error| unread(name, error))? {
            Ok(object) => Ok(Some(object.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failed(name)(error)),
        }
    }

    fn names(&self, beneath: &str) -> Result<Vec<String>, Unbacked> {
        let beneath_key = self.key(beneath);
        let listed = self.store.list(Some(&beneath_key)).try_collect::<Vec<_>>();
        let listed = self.runtime.on(listed);
        let listed = listed.map_err(|error| unread(beneath, error))?;
        let listed = listed.map_err(failed(beneath))?;
        let own = self.prefix.parts().count();
        let named = listed.iter().map(|object| {
            let parts = object.location.parts().skip(own);
            let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
            parts.join("/")
        });
        let mut names: Vec<String> = named.collect();
        names.sort();
        Ok(names)
    }

    fn remove(&self, name: &str) -> Result<(), Unbacked> {
        let removed = self.runtime.on(self.store.delete(&self.key(name)));
        match removed.map_err(|error| unread(name, error))? {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failed(name)(error)),
        }
    }
}

// === impl Waiting ===

impl Waiting {
    fn new() -> std::io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        Ok(Self(Some(builder.enable_all().build()?)))
    }

    /// Waits on this thread.
    fn on<F: Future>(&self, work: F) -> std::io::Result<F::Output> {
        // There until it is dropped, so nobody who can ask finds none.
        let closed = || std::io::Error::other("the store is closed");
        let runtime = self.0.as_ref().ok_or_else(closed)?;
        Ok(runtime.block_on(work))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

// === impl Coming ===

impl Read for Coming<'_> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        while self.left.is_empty() {
            match self.runtime.on(self.stream.next())? {
                None => return Ok(0),
                Some(bytes) => self.left = bytes.map_err(std::io::Error::other)?,
            }
        }
        let now = self.left.split_to(self.left.len().min(into.len()));
        let (to, _) = into.split_at_mut(now.len());
        to.copy_from_slice(&now);
        Ok(now.len())
    }
}

/// The next part of what is uploaded; empty at the end.
fn part(from: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(PART_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether an `http://` address is of this machine.
fn is_on_this_machine(endpoint: &str) -> bool {
    let host = endpoint.trim_start_matches("http://");
    let host = host.split('/').next().unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
        Some(_) | None => host,
    };
    ["127.0.0.1", "[::1]", "localhost"].contains(&host)
}

fn failed(name: &str) -> impl Fn(object_store::Error) -> Unbacked + use<> {
    let name = name.to_owned();
    move |source| Unbacked::Store {
        name: name.clone(),
        source: source.into(),
    }
}

fn unread(name: &str, source: std::io::Error) -> Unbacked {
    Unbacked::Store {
        name: name.to_owned(),
        source: source.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_not_encrypted_is_taken_on_this_machine_alone() {
        for (endpoint, is_ours) in [
            ("http://127.0.0.1:9000", true),
            ("http://[::1]:9000/x", true),
            ("http://localhost", true),
            ("http://store.example:9000", false),
            ("http://127.0.0.1.example", false),
            ("http://user@127.0.0.1:1@store.example", false),
        ] {
            assert_eq!(is_on_this_machine(endpoint), is_ours, "{endpoint}");
            let s3 = S3 {
                endpoint: endpoint.to_owned(),
                region: "r".to_owned(),
                ..S3::default()
            };
            assert_eq!(Bucket::open("s3://b/p", &s3).is_ok(), is_ours, "{endpoint}");
        }
        assert!(Bucket::open("s3://", &S3::default()).is_err());
    }
}
