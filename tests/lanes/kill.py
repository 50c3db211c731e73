"""kill -9 of the gateway under load: nothing whose receipt a client holds is lost. Needs grpcio, pyarrow.

After every kill the gateway must serve again; at the end the log is verified offline, every receipt's
entry is read from the log itself and every checkpoint a client was given is recomputed here.
"""
import base64, hashlib, json, random, signal, sqlite3, sys, threading, time
import domain as d

SQL = "SELECT district, avg(income), count(*) FROM citizen GROUP BY district"


def load(served, receipts, stop):
    """Statements one after another until the connection is gone."""
    wire = served.wire("alice", "care")
    while not stop.is_set():
        wire.seen.clear()
        try:
            receipt = wire.rows(SQL, 20)[1]
            if receipt: receipts.append(receipt)
        except d.Refused as refused:
            if refused.code != "UNAVAILABLE": receipts.append({"trouble": str(refused)})
            return
        except Exception as error:  # the stream was cut in the middle of a message
            if not stop.is_set() and served.process.poll() is None: receipts.append({"trouble": repr(error)})
            return


def root(leaves):
    """RFC 6962's tree hash."""
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    if not level: return hashlib.sha256().digest()
    while len(level) > 1:
        pairs = [hashlib.sha256(b"\1" + a + b).digest() for a, b in zip(level[::2], level[1::2])]
        level = pairs + level[len(pairs) * 2:]
    return level[0]


def main():
    given = d.arguments(__doc__.splitlines()[0], times=50, clients=3)
    rng, failed, restarts, receipts = random.Random(3), [], [], []
    with d.temporary() as folder:
        served = d.Domain(given.bonded, d.f1_seed(folder / "f1"), folder / "served")
        try:
            for turn in range(given.times):
                served.start()
                restarts.append(served.ready_seconds)
                stop, before = threading.Event(), len(receipts)
                clients = [threading.Thread(target=load, args=(served, receipts, stop)) for _ in range(given.clients)]
                for client in clients: client.start()
                # Killed at a chance moment once work is under way: counted in receipts, not in time alone.
                wanted, until = before + rng.randrange(1, 12), time.monotonic() + 20
                while len(receipts) < wanted and time.monotonic() < until: time.sleep(rng.random() / 50)
                served.process.send_signal(signal.SIGKILL)
                served.process.wait(20)
                stop.set()
                for client in clients: client.join()
                if len(receipts) == before: failed.append(f"turn {turn}: no receipt came in 20 s")
                sys.stderr.write(f"\r{turn + 1}/{given.times} kills, {len(receipts)} receipts"); sys.stderr.flush()
            sys.stderr.write("\n")
            served.start(); served.stop()
            verified = served.command("ledger", "verify", "--dir", served.dir)
            print((verified.stdout + verified.stderr).strip())
            if verified.returncode: failed.append("ledger verify failed")
            failed += lost(served, receipts)
        finally:
            served.stop(signal.SIGKILL)
    restarts = sorted(restarts[1:])
    print(f"{given.times} kills, {len(receipts)} receipts; ready again after {restarts[len(restarts) // 2]:.2f} s at the median, {restarts[-1]:.2f} s at most")
    if restarts[-1] > 2: failed.append("a restart took more than 2 s")
    for line in failed: print("WRONG", line)
    print(f"{len(failed)} failed")
    return bool(failed)


def lost(served, receipts):
    """Receipts that the log does not bear out."""
    file = next(path for path in served.dir.rglob("*") if path.is_file() and path.read_bytes()[:6] == b"SQLite" and has_log(path))
    rows = sqlite3.connect(f"file:{file}?mode=ro", uri=True).execute("SELECT idx, leaf FROM event ORDER BY idx").fetchall()
    leaves, wrong, roots = [leaf for _, leaf in rows], [], {}
    if [index for index, _ in rows] != list(range(len(rows))): wrong.append("the log has a gap")
    for receipt in receipts:
        if "trouble" in receipt:
            wrong.append(receipt["trouble"]); continue
        index, query = receipt["index"], receipt["query"]
        if index >= len(leaves) or json.loads(leaves[index])["event"].get("query") != query:
            wrong.append(f"receipt #{index} is not in the log"); continue
        _, size, hashed = receipt["checkpoint"].split("\n")[:3]
        size = int(size)
        if size not in roots: roots[size] = base64.b64encode(root(leaves[:size])).decode()
        if size <= index or size > len(leaves) or roots[size] != hashed: wrong.append(f"checkpoint {size} of receipt #{index} does not fit the log")
    print(f"{len(receipts)} receipts held against {len(leaves)} entries, {len(wrong)} wrong")
    return wrong


def has_log(path):
    try: return bool(sqlite3.connect(f"file:{path}?mode=ro", uri=True).execute("SELECT 1 FROM sqlite_master WHERE name = 'event'").fetchone())
    except sqlite3.DatabaseError: return False


if __name__ == "__main__": sys.exit(main())
