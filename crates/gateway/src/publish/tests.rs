use super::*;
use ledger::{Ledger, SystemClock};
use std::io::Read as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// A log of 300 entries, published; the folder has to outlive it.
async fn published() -> (tempfile::TempDir, Ledger, std::net::SocketAddr) {
    let dir = tempfile::tempdir().unwrap();
    let name = "yuecheng".parse().unwrap();
    let ledger = Ledger::create(dir.path(), &name, Arc::new(SystemClock)).unwrap();
    let event = |calls| terms::Event::StrangersCounted { calls };
    let at = crate::operation::now();
    let pending: Vec<_> = (0..300)
        .map(|n| ledger.append(&event(n), None, at))
        .collect();
    for pending in pending {
        pending.await.unwrap();
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let reader = Ledger::open_read_only(dir.path()).unwrap();
    tokio::spawn(publish(listener, Arc::new(reader)));
    (dir, ledger, address)
}

/// Sends a request as it is and gives the status line with headers, and the body.
async fn ask(address: std::net::SocketAddr, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("{request}\r\nhost: log\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    (head.to_ascii_lowercase(), bytes[end + 4..].to_vec())
}

#[tokio::test]
async fn the_log_is_served_as_the_specification_says() {
    let (dir, ledger, address) = published().await;
    let out = dir.path().join("out");
    ledger.reader().export(&out).unwrap();
    let get = async |path: &str| ask(address, &format!("GET /{path} HTTP/1.1")).await;
    for path in [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    ] {
        let (head, body) = get(path).await;
        assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
        assert_eq!(body, std::fs::read(out.join(path)).unwrap(), "{path}");
        let (kind, kept) = if path == "checkpoint" {
            ("text/plain; charset=utf-8", "no-store")
        } else {
            ("application/octet-stream", "immutable")
        };
        assert!(head.contains(kind) && head.contains(kept), "{head}");
        assert!(!head.contains("content-encoding"));
    }
    // Of a full tile any partial one that was published before.
    let (head, body) = get("tile/0/000.p/7").await;
    assert!(head.starts_with("http/1.1 200") && body.len() == 7 * 32);
}

#[tokio::test]
async fn what_the_log_has_not_reached_is_not_found() {
    let (_dir, _ledger, address) = published().await;
    for path in [
        "",
        "tile/0/001",
        "tile/0/001.p/45",
        "tile/0/002.p/1",
        "tile/1/000",
        "tile/2/000.p/1",
        "tile/63/000.p/1",
        "tile/entries/001",
        "tile/0/x001/000.p/1",
        "tile/../keys/ledger.key",
        "tile/entries/000.p/256",
        "ledger.db",
    ] {
        let (head, body) = ask(address, &format!("GET /{path} HTTP/1.1")).await;
        assert!(head.starts_with("http/1.1 404"), "{path}: {head}");
        assert!(head.contains("no-store") && body.is_empty());
    }
}

#[tokio::test]
async fn entries_are_compressed_for_who_asks() {
    let (_dir, _ledger, address) = published().await;
    let plain = ask(address, "GET /tile/entries/000 HTTP/1.1").await.1;
    for (accepted, zipped) in [
        ("gzip", true),
        ("br, GZIP;q=0.5", true),
        ("gzip;q=0", false),
        ("identity", false),
    ] {
        let request = format!("GET /tile/entries/000 HTTP/1.1\r\naccept-encoding: {accepted}");
        let (head, body) = ask(address, &request).await;
        assert_eq!(
            head.contains("content-encoding: gzip"),
            zipped,
            "{accepted}"
        );
        assert!(head.contains("vary: accept-encoding"));
        if zipped {
            let mut unzipped = Vec::new();
            flate2::read::GzDecoder::new(&*body)
                .read_to_end(&mut unzipped)
                .unwrap();
            assert_eq!(unzipped, plain);
            assert!(body.len() < plain.len());
        }
    }
    let tile = "GET /tile/0/000 HTTP/1.1\r\naccept-encoding: gzip";
    assert!(!ask(address, tile).await.0.contains("content-encoding"));
}

#[tokio::test]
async fn nothing_but_reading_is_served() {
    let (_dir, _ledger, address) = published().await;
    let (head, body) = ask(address, "HEAD /checkpoint HTTP/1.1").await;
    assert!(head.starts_with("http/1.1 200") && body.is_empty());
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "CONNECT"] {
        let path = if method == "CONNECT" {
            "log:1"
        } else {
            "/checkpoint"
        };
        let (head, _) = ask(address, &format!("{method} {path} HTTP/1.1")).await;
        assert!(head.starts_with("http/1.1 405") && head.contains("allow: get, head"));
    }
    let (head, _) = ask(address, "nonsense").await;
    assert!(head.starts_with("http/1.1 400"), "{head}");
}

#[tokio::test]
async fn a_checkpoint_is_the_newest_one() {
    let (_dir, ledger, address) = published().await;
    let event = terms::Event::StrangersCounted { calls: 1 };
    let appended = ledger
        .append(&event, None, crate::operation::now())
        .await
        .unwrap();
    let (_, body) = ask(address, "GET /checkpoint HTTP/1.1").await;
    assert_eq!(body, appended.checkpoint.as_bytes());
    let (head, _) = ask(address, "GET /tile/0/001.p/45 HTTP/1.1").await;
    assert!(head.starts_with("http/1.1 200"));
}
