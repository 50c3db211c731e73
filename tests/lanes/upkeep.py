"""Sealed texts are read by who may, and each reading is on record; redaction takes two who did not ask;
texts expire and entries are pruned when their time is over; and every proof stays. Audit, tail and the
published log are looked at on the way, over http and https. Needs grpcio, openssl; installs faketime (Debian) to let
200 days pass.
"""
import http.server, json, os, pathlib, re, select, shutil, sqlite3, ssl, subprocess, sys, tempfile, threading, time
import urllib.error, urllib.request
import domain as d

FAILED = []


def holds(what, seen, *more):
    print(f"{'ok' if seen else 'WRONG':5} {what}" + "".join(f"  {m}" for m in more))
    if not seen: FAILED.append(what)


def faketime():
    """The library; the command of that name would stand between the gateway and its signals."""
    found = lambda: next(pathlib.Path("/usr/lib").glob("**/libfaketime.so.1"), None)
    if not found():
        prefix = [] if os.getuid() == 0 else ["sudo"]
        subprocess.run([*prefix, "apt-get", "install", "-y", "-qq", "faketime"], check=True, stdout=subprocess.DEVNULL)
    return found()


def days_ago(folder, bonded, days):
    """The binary, for whom it is so many days earlier."""
    script = folder / f"bonded-{days}-days-ago"
    settings = f"LD_PRELOAD={faketime()} FAKETIME=-{days}d FAKETIME_DONT_FAKE_MONOTONIC=1"
    script.write_text(f"#!/bin/sh\n{settings} exec {pathlib.Path(bonded).resolve()} \"$@\"\n")
    script.chmod(0o755)
    return script


def operate(served, count, who="alice"):
    wire = served.wire(who, None)
    for n in range(count):
        try: wire.query(f"SELECT {n} AS secret_{n}")
        except d.Refused: pass


def entries(served, *filters):
    done = served.command("--json", "ledger", "tail", "--dir", served.dir, *filters)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def audit(served, *place):
    done = served.command("--json", "ledger", "audit", *(place or ("--dir", served.dir)))
    holds("the audit holds" + (" from where the log is published" if place else ""), done.returncode == 0, done.stderr.strip())
    return json.loads(done.stdout)


def files(served):
    return b"".join(f.read_bytes() for f in sorted((served.dir / "ledger").iterdir()))


def reading(served):
    """Sealed texts, and redaction."""
    def ledger(verb, who, *words):
        return served.command("--json", "ledger", verb, "-p", served.person(who) / "profile.toml", *words)

    opened = [e["index"] for e in entries(served, "--person", "alice") if e["event"]["event"] == "operation-opened"][-2:]
    entry, other = opened
    for who in ["alice", "dora", "rita", "paul"]:
        done = ledger("read", who, entry, "--purpose", "audit")
        holds(f"{who} may not read a sealed text", done.returncode == 3 and "policy.action-not-permitted" in done.stderr, done.returncode)
    done = ledger("read", "sven", entry, "--purpose", "investigation")
    read = json.loads(done.stdout)
    holds("the security authority reads it", "secret_" in read["text"], read["text"])
    last = entries(served)[read["recorded"]]["event"]
    holds("and that is on record", last == {"event": "sealed-read", "by": "sven", "entry": entry, "purpose": "investigation"}, last)
    holds("a purpose that is not on the list is none", ledger("read", "sven", entry, "--purpose", "curiosity").returncode == 3)
    holds("an entry without a text has none", "ledger.no-text" in ledger("read", "sven", 0, "--purpose", "audit").stderr)

    part = sqlite3.connect(served.dir / "ledger" / "ledger.db").execute("SELECT part FROM sealed WHERE idx = ?", (entry,)).fetchone()
    proof = served.command("ledger", "prove", "--dir", served.dir, entry).stdout
    holds("who may not ask for redaction is refused", ledger("redact", "dora", entry, "--basis", "order").returncode == 3)
    request = json.loads(ledger("redact", "sven", entry, "--basis", "erasure-request").stdout)["request"]
    holds("who asked may not approve", ledger("approve", "sven", request).returncode == 3)
    one = json.loads(ledger("approve", "dora", request).stdout)
    holds("one approval destroys nothing", one == {"request": request, "approvals": 1, "destroyed": False})
    again = ledger("approve", "dora", request)
    holds("nobody approves twice", again.returncode == 3 and "register.approved-already" in again.stderr, again.stderr.strip())
    two = json.loads(ledger("approve", "rita", request).stdout)
    holds("the second approval destroys the text", two["destroyed"])
    holds("and it cannot be read again", "ledger.no-text" in ledger("read", "sven", entry, "--purpose", "audit").stderr)
    holds("nothing of it is in the ledger's files", part and part[0][:32] not in files(served) and part[0][32:64] not in files(served))
    holds("its neighbour can be read", ledger("read", "sven", other, "--purpose", "audit").returncode == 0)
    later = served.command("ledger", "prove", "--dir", served.dir, entry)
    holds("the entry can be proved as before", later.returncode == 0 and proof.startswith("c2sp.org/tlog-proof@v1"))
    return entry


def following(served):
    """tail --follow in a pipe: a new entry arrives while nothing else does."""
    tail = subprocess.Popen([served.bonded, "ledger", "tail", "--dir", served.dir, "--follow", "-n", "0", "--person", "bob"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        time.sleep(1)
        operate(served, 1, "bob")
        ready, _, _ = select.select([tail.stdout], [], [], 20)
        line = tail.stdout.readline() if ready else ""
        holds("tail --follow shows a new entry", "operation-opened" in line and "bob" in line, line.strip())
    finally:
        tail.terminate(); tail.wait(10)
    holds("and writes nothing else", tail.stderr.read() == "")


def proxy(folder, url):
    """A TLS proxy before the log, as a domain would put one there; its address and its authority's certificate."""
    made = lambda *words: subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    made("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=authority", "-days", "2")
    made("req", *curve, "-keyout", "proxy.key", "-out", "proxy.csr", "-subj", "/CN=proxy")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    made("x509", "-req", "-in", "proxy.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "proxy.pem", "-days", "2", "-extfile", "names")

    class Passed(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        def log_message(self, *_): pass
        def do_GET(self):
            try: status, body = 200, urllib.request.urlopen(url + self.path).read()
            except urllib.error.HTTPError as error: status, body = error.code, b""
            self.send_response(status); self.send_header("content-length", str(len(body))); self.end_headers(); self.wfile.write(body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Passed)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "proxy.pem", folder / "proxy.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"https://127.0.0.1:{server.server_port}", folder / "ca.pem"


def encrypted(served, key, work):
    """The published log over https: only from whom the authorities vouch for."""
    url, authority = proxy(work, served.log_url)
    audit(served, "--url", url, "--key", key, "--ca", authority)
    none = served.command("ledger", "verify", "--url", url, "--key", key)
    holds("https without authorities is refused, with the remedy", none.returncode == 2 and "--ca FILE" in none.stderr, none.stderr.strip())
    other = next(served.dir.glob("people/*/ca.pem"))
    wrong = served.command("ledger", "verify", "--url", url, "--key", key, "--ca", other)
    holds("a server that other authorities vouch for is not reached", wrong.returncode == 4, wrong.stderr.strip())


def main():
    options = d.arguments(__doc__)
    work = pathlib.Path(tempfile.mkdtemp(prefix="bonded-upkeep-"))
    then = [days_ago(work, options.bonded, days) for days in (202, 200)]
    served = d.Domain(then[0], d.f1_seed(work / "seed"))
    config = served.dir / "bonded.toml"
    kept = re.sub(r"(operation|running|reading|export)_days = \d+", r"\1_days = 184", config.read_text())
    config.write_text(kept.replace("operation_days = 184", "operation_days = 183"))
    refused = subprocess.run([then[0], "serve", "--dir", served.dir, "--flight", "127.0.0.1:0"], capture_output=True, text=True)
    holds("fewer than 184 days cannot be set", refused.returncode != 0 and "184" in refused.stderr, refused.stderr.strip())
    config.write_text(kept)
    with served:
        served.stop()
        served.bonded = then[1]; served.start(); operate(served, 300); served.stop()
        proofs = {n: served.command("ledger", "prove", "--dir", served.dir, n).stdout for n in (3, 100, 400)}
        texts = sum(e["sealed"] is not None for e in entries(served))
        served.bonded = pathlib.Path(options.bonded).resolve()
        key = served.dir / "keys" / "ledger.vkey"
        served.start("--log", "127.0.0.1:0")
        operate(served, 5)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not any(e["event"]["event"] == "texts-expired" for e in entries(served)): time.sleep(0.5)
        expired = [e["event"] for e in entries(served) if e["event"]["event"] == "texts-expired"]
        holds("texts expire by themselves when 184 days are over", sum(e["texts"] for e in expired) == 300 and {e["class"] for e in expired} == {"operation"}, expired, f"of {texts}")
        report = audit(served)["log"]
        holds("the log holds without them", report["sealed_removed"] == 300, {k: report[k] for k in ("entries", "sealed", "sealed_removed")})
        reading(served)
        following(served)
        people = [e["event"]["person"] for e in entries(served, "--person", "bob") if "person" in e["event"]]
        who = {person if isinstance(person, str) else person["id"] for person in people}
        holds("entries are filtered by person", who == {"bob"}, who)
        today = time.strftime("%Y-%m-%d", time.gmtime())
        holds("entries are filtered by time", 0 < len(entries(served, "--since", today)) < len(entries(served)))
        dataset = {e["event"]["event"] for e in entries(served, "--dataset", "city.citizen")}
        holds("entries are filtered by dataset", {"dataset-catalogued", "dataset-loaded", "scenario-step"} <= dataset, dataset)

        def prune(who):
            return served.command("--json", "ledger", "prune", "-p", served.person(who) / "profile.toml")
        holds("who may not prune is refused", prune("sven").returncode == 3)
        older = work / "older"; older.write_text(served.command("ledger", "head", "--dir", served.dir).stdout)
        done = json.loads(prune("dora").stdout)
        holds("entries whose time is over are pruned, to a multiple of 256", done["removed"] > 400 and done["minimum"] == 512, done)
        again = json.loads(prune("dora").stdout)
        holds("and only once", again["removed"] == 0)
        for path, status in [("tile/entries/000", 404), ("tile/entries/001", 404), ("kept/000", 200), ("kept/002", 404), ("tile/0/000", 200), ("tile/1/000.p/2", 200)]:
            try: got = urllib.request.urlopen(f"{served.log_url}/{path}").status
            except urllib.error.HTTPError as error: got = error.code
            holds(f"/{path} is {status}", got == status)
        at = ("--url", served.log_url, "--key", key)
        for place in [("--dir", served.dir), at]:
            verified = served.command("--json", "ledger", "verify", *place, "--old", older)
            holds(f"the pruned log verifies, grown out of its older head, {place[0]}", verified.returncode == 0 and json.loads(verified.stdout)["pruned"] == done["removed"], verified.stderr.strip())
            report = json.loads(verified.stdout)
            holds("what cannot be seen is not told", (report["sealed_removed"] is None) == ("--url" in place), report["sealed_removed"])
            audit(served, *place)
        encrypted(served, key, work)
        copied = work / "copied"
        served.command("ledger", "copy", *at, copied)
        audit(served, "--url", copied, "--key", key)
        shutil.rmtree(copied / "kept")
        lacking = served.command("ledger", "verify", "--url", copied, "--key", key)
        holds("a copy without what is kept does not hold, and says why", lacking.returncode == 1 and "`kept`" in lacking.stderr, lacking.stderr.strip())
        for n, proof in proofs.items():
            now = served.command("ledger", "prove", *at, n)
            holds(f"entry {n} is still proved", now.returncode == 0 and now.stdout.splitlines()[1] == proof.splitlines()[1] == f"index {n}", now.stderr.strip())
        served.stop(); served.start()
        found = audit(served)
        starts = found["record"]["events"]["gateway-started"]
        holds("a gateway that starts again saw what the events make", found["record"]["register_compared"] == starts == 2, f"{starts} starts, those before were pruned")
        seen = found["record"]["events"]
        cut = seen["operation-refused"] - seen["operation-opened"]
        unjudged = {"audit.out-of-order": cut} if cut else {}
        holds("an operation whose opening was pruned is told as not judged, and nothing else is", cut in (0, 1) and found["record"]["unjudged"] == unjudged, found["record"]["unjudged"])
        print(served.command("ledger", "audit", "--dir", served.dir).stdout)
        print(served.command("ledger", "tail", "--dir", served.dir, "-n", "8").stdout)
        database = sqlite3.connect(served.dir / "ledger" / "ledger.db")
        served.stop()
        database.execute("DELETE FROM event WHERE idx = 2"); database.commit(); database.close()
        missed = served.command("ledger", "audit", "--dir", served.dir)
        holds("an entry taken out of the kept ones is missed", missed.returncode == 1 and "ledger.damaged" in missed.stderr, missed.stderr.strip())
    shutil.rmtree(work, ignore_errors=True)
    print(f"{len(FAILED)} wrong")
    sys.exit(bool(FAILED))


main()
