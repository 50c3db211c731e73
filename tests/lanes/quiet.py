"""Nothing of data or statements stands in spans, logs or the plain files of a domain. Needs grpcio, pyarrow.

Runs the shared attacks with every log line on and spans sent to a receiver here; then searches what the
receiver got, what was logged, and every file of the domain.
"""
import json, sys
import domain as d

MARKER = "zq7canary"


def main():
    given = d.arguments(__doc__.splitlines()[0], lines=150)
    failed = []
    with d.temporary() as folder:
        served, spans = d.Domain(given.bonded, d.f1_seed(folder / "f1")), d.Spans()
        spans.configure(served)
        file = served.dir / "bonded.toml"
        file.write_text(file.read_text().replace('log_filter = "warn"', 'log_filter = "trace"'))
        canaries = d.Canaries((folder / "f1" / "data" / "canaries.txt").read_text().split() + [MARKER])
        with served:
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
