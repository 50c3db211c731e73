"""A full disk: requests are refused with a code, nothing is half-written, and it goes on by itself when there is room.

First the ledger alone, then the whole gateway (--bonded PATH; left out where there is none). The disk is a small tmpfs,
so this needs root.
"""
import collections, contextlib, json, pathlib, subprocess, sys, tempfile, time
import log as l


@contextlib.contextmanager
def disk(mib):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bonded-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=755", "tmpfs", folder], check=True)
    try: yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


def fill(disk):
    """Takes all room that is left."""
    with open(disk / "ballast", "wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while file.write(b"x" * size): pass
            except OSError: pass


def alone(given):
    """The ledger alone: it fills the disk itself, three times."""
    with disk(24) as folder:
        log = l.Log(given.load, folder / "log")
        log.run("append", "--count", 10)
        fill(folder)
        process = log.start("--submitters", 4, "--pause-us", 500)
        seen, refusals, text = [], 0, []
        for turn in range(3):
            took = {"refused": 0, "acked": 0}
            for want in ("refused", "acked"):
                if want == "acked": (folder / "ballast").unlink()
                while took[want] < 200:
                    line = process.stdout.readline()
                    if not line: raise SystemExit("the ledger ended")
                    text.append(line)
                    word = line.split(" ")[0]
                    # What comes first after room was made may still be an answer from before.
                    if word in took: took[word] += 1
                if want == "acked": fill(folder)
            seen.append(took)
        (folder / "ballast").unlink()
        process.kill()
        text.append(process.stdout.read())
        log.take("".join(text))
        wrong = log.judge()
        again = log.run("append", "--count", 5)
        wrong += log.judge() + ([again.stderr] if "closed" not in again.stdout else [])
        if set(log.codes) != {"ledger.full"}: wrong.append(f"codes {log.codes}")
    print(f"the ledger alone: {log.acked} acknowledged, refused {log.codes}, filled and freed {len(seen)} times, {len(wrong)} wrong")
    return wrong


def operations(given):
    """Operations that lose their caller while the disk fills: each that was opened ends once, when there is room."""
    with disk(24) as folder:
        log = l.Log(given.load, folder / "log")
        log.run("append", "--count", 10)
        process = log.start("--submitters", 4, "--pause-us", 200, "--operations", 1)
        text, wrong = [], []
        for _ in range(10):
            for want in ("opened-operation", "refused"):
                seen = 0
                while seen < 40:
                    text.append(process.stdout.readline())
                    if not text[-1]: raise SystemExit("the ledger ended")
                    seen += text[-1].startswith(want)
                if want == "opened-operation": fill(folder)
                else: (folder / "ballast").unlink()
        process.terminate()
        log.take("".join(text) + process.stdout.read())
        process.wait(20)
        wrong += log.judge()
        # The last few were cut off with the program; a gateway ends them when it starts again.
        wrong += unended(folder / "log" / "ledger" / "ledger.db", 4)
    print(f"operations on a filling disk: refused {log.codes}, {len(wrong)} wrong")
    return wrong


SQL = "SELECT district, avg(income), count(*) FROM citizen GROUP BY district"


def gateway(given):
    """The whole product on a disk that fills up under it."""
    import domain as d
    wrong, codes = [], {}
    with disk(96) as folder, d.temporary() as seeds:
        served = d.Domain(given.bonded, d.f1_seed(seeds / "f1"), folder / "served")
        served.start()
        try:
            wire = served.wire("alice", "care")
            answered = lambda: bool(wire.rows(SQL, 30)[1])
            if not answered(): wrong.append("no receipt on an empty disk")
            for _ in range(3):
                fill(folder)
                # What SQLite still has room for in its write-ahead log may be recorded first.
                refused, until = 0, time.monotonic() + 120
                while refused < 20 and time.monotonic() < until:
                    try: answered()
                    except d.Refused as error:
                        code = error.text.split(":")[0]
                        codes[f"{error.code} {code}"] = codes.get(f"{error.code} {code}", 0) + 1
                        refused += code == "ledger.full"
                if refused < 20: wrong.append("a full disk refused nothing in 120 s")
                (folder / "ballast").unlink()
                try: answered()
                except d.Refused as error: wrong.append(f"after room was made: {error}")
        finally: served.stop()
        verified = served.command("ledger", "verify", "--dir", served.dir)
        if verified.returncode: wrong.append(verified.stderr)
        wrong += unended(served.dir / "ledger" / "ledger.db")
    print(f"the gateway: refused {codes}, {len(wrong)} wrong")
    return wrong


def unended(file, cut=0):
    """Operations that were opened and have no end, but so many, or more than one, or an end alone."""
    import sqlite3
    ends = {"operation-refused", "operation-released", "operation-failed", "operation-abandoned"}
    opened, ended = [], []
    with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        for (leaf,) in database.execute("SELECT leaf FROM event ORDER BY idx"):
            event = json.loads(leaf)["event"]
            if event["event"] == "operation-opened": opened.append(event["query"])
            if event["event"] in ends: ended.append(event["query"])
    wrong = [f"operation {query} ended and was never opened" for query in set(ended) - set(opened)]
    ended_times = collections.Counter(ended)
    wrong += [f"operation {query} has {ended_times[query]} ends" for query in opened if ended_times[query] != 1]
    print(f"{len(opened)} operations opened, {len(ended)} ended")
    without = [line for line in wrong if line.endswith("has 0 ends")]
    return wrong if len(without) > cut else [line for line in wrong if line not in without]


def main():
    given = l.arguments(__doc__.splitlines()[0], bonded=pathlib.Path(l.ROOT / "target" / "release" / "bonded"))
    wrong = alone(given) + operations(given)
    if given.bonded.exists(): wrong += gateway(given)
    else: print("no bonded program: the gateway was left out")
    for line in wrong: print("WRONG", line)
    print(f"{len(wrong)} failed")
    return bool(wrong)


if __name__ == "__main__": sys.exit(main())
