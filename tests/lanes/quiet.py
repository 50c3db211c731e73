"""Nothing of data or statements stands in spans, logs or any file of a domain. Needs grpcio, pyarrow.

Runs the shared attacks with every log line on and spans sent to a receiver here, and searches what the
receiver got, what was logged, and every file of the domain and of its temporary folder, while they run and after.
Then the demo: no value of grade 2 and above of its tables stands in its domain, while it runs and after.
"""
import json, os, pathlib, signal, subprocess, sys, threading, tomllib
import domain as d

MARKER = "zq7canary"


class Scan:
    """Searches every file below some folders, again and again until told to stop; rests between, so that it is no load."""

    def __init__(self, folders, canaries, failed):
        self.folders, self.canaries, self.failed, self.over = folders, canaries, failed, threading.Event()
        self.turns, self.files, self.bytes = 0, 0, 0

    def once(self):
        self.turns += 1
        for file in self.all():
            try: data = file.read_bytes() if not file.is_symlink() else b""
            # It was there for a moment, and is gone.
            except OSError: continue
            self.files += 1; self.bytes += len(data)
            found = d.canaries_in([data], self.canaries)
            if found: self.failed.append(f"{len(found)} values in {file}, e.g. {found[0]}")

    def all(self):
        for folder in self.folders:
            # Folders too are there for a moment; a walk passes by what is gone.
            for above, _, files in os.walk(folder): yield from (pathlib.Path(above) / name for name in files)

    def loop(self):
        while not self.over.is_set(): self.once(); self.over.wait(0.2)

    def __enter__(self):
        self.thread = threading.Thread(target=self.loop); self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set(); self.thread.join(); self.once()
        print(f"    {self.turns} scans, {self.files} files and {self.bytes / 1e6:.0f} MB read")


def graded(seed):
    """Every text of 8 bytes and more, and whole numbers of 13 digits and more, of items of grade 2 and above."""
    import pyarrow as pa, pyarrow.parquet as pq
    values = set()
    for entry in (seed / "datasets").glob("*.toml"):
        entry_of = tomllib.loads(entry.read_text())
        table = pq.read_table((entry.parent / entry_of["dataset"]["data"]).resolve())
        for item in entry_of["item"]:
            if item["grade"] < 2: continue
            column = table.column(item["name"])
            if pa.types.is_string(column.type) or pa.types.is_integer(column.type):
                values |= {str(v) for v in column.unique().to_pylist() if v is not None and len(str(v).encode()) >= 8}
    return values


def demo(given, failed):
    with d.temporary() as folder:
        (folder / "tmp").mkdir()
        # Made once for its tables, which are the same for the same number of people.
        first = folder / "first"
        subprocess.run([given.bonded, "demo", "--dir", first, "--rows", str(given.rows)], check=True, stdout=subprocess.DEVNULL)
        values = graded(first / "seed")
        canaries = d.Canaries(values)
        process = subprocess.Popen([given.bonded, "demo", "--dir", folder / "again", "--rows", str(given.rows), "--serve"],
            stdout=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(folder / "tmp")}, start_new_session=True)
        try:
            with Scan([folder / "again" / "domain", folder / "tmp"], canaries, failed) as scan:
                for line in process.stdout:
                    if "serving on" in line: break
        # With the gateway that it started.
        finally: os.killpg(process.pid, signal.SIGTERM); process.wait()
        if len(values) < given.rows or scan.turns < 3 or not scan.bytes: failed.append("the demo was not looked at")
        print(f"demo of {given.rows} people: {len(values)} values of grade 2 and above looked for while it ran and after")


def main():
    given = d.arguments(__doc__.splitlines()[0], lines=150, rows=20_000)
    failed = []
    demo(given, failed)
    with d.temporary() as folder:
        served, spans = d.Domain(given.bonded, d.f1_seed(folder / "f1")), d.Spans()
        spans.configure(served)
        file = served.dir / "bonded.toml"
        file.write_text(file.read_text().replace('log_filter = "warn"', 'log_filter = "trace"'))
        canaries = d.Canaries((folder / "f1" / "data" / "canaries.txt").read_text().split() + [MARKER])
        (folder / "tmp").mkdir()
        os.environ["TMPDIR"] = str(folder / "tmp")
        with Scan([served.dir, folder / "tmp"], canaries, failed), served:
            wire = served.wire("alice", "care")
            marked = [f"SELECT count(*) FROM citizen WHERE district = '{MARKER}'", f"SELECT {MARKER} FROM citizen", f"SELECT '{MARKER}' +",
                      f"SELECT CAST('{MARKER}' AS BIGINT) FROM citizen", "SELECT * FROM citizen", "SELECT district, sum(income) FROM citizen GROUP BY district"]
            listed = (json.loads(line) for line in (d.shared() / "attacks.jsonl").read_text().splitlines())
            sent = [l["sql_or_action"] for l in listed if not l["class"].endswith("bomb") and not l["sql_or_action"].startswith(("ACTION", "FLIGHT", "RPC", "TLS"))]
            for sql in marked + sent[:: max(1, len(sent) // given.lines)]:
                wire.seen.clear()
                try: wire.query(sql, 60)
                except d.Refused: pass
            served.stop()
            log = (served.folder / "serve.log").read_bytes()
            stages = {name for name, _ in spans.spans}
            for stage in ("identity.prove", "ledger.open", "policy.permit", "dispatch.plan", "entry.decide", "dispatch.run", "entry.close"):
                if stage not in stages: failed.append(f"no span {stage} came")
            places = {"spans": spans.seen, "log": [log]}
            places |= {str(p.relative_to(served.dir)): [p.read_bytes()] for p in served.dir.rglob("*") if p.is_file()}
            for place, chunks in places.items():
                found = d.canaries_in(chunks, canaries)
                if found: failed.append(f"{len(found)} canaries in {place}, e.g. {found[0]}")
            print(f"{len(spans.spans)} spans, {sum(map(len, spans.seen))} bytes; {len(log)} bytes of log; {len(places) - 2} files searched")
    for line in failed: print("WRONG", line)
    print(f"{len(failed)} failed")
    return bool(failed)


if __name__ == "__main__": sys.exit(main())
