"""Planner and runner crashed and starved on purpose; the gateway goes on and stays small. Needs grpcio, pyarrow.

Every bomb must come back as one clean error (or be answered within its limits); honest statements are
sent all the while, and the gateway's own memory is read from the kernel at the end. Each run that failed
over people is one refusal of the licence in the disclosure register, whether it failed before its first row
or while its rows were read.
"""
import collections, json, sqlite3, sys, threading, time
import domain as d

BIG = 2_000_000_000
BOMBS = {
    "a constant of 2 GB": f"SELECT length(repeat('x',{BIG})) FROM citizen",
    "1e15 bytes": "SELECT repeat(arrow_cast('x','LargeUtf8'),1000000000000000) FROM citizen",
    "padded constant": f"SELECT lpad('x',{BIG},'y') FROM district_stat",
    "20 KB of nested types": "SELECT NULL::" + "STRUCT<a " * 2000 + "INT" + ">" * 2000,
    "nested maps": "SELECT NULL::" + "MAP(int," * 2000 + "INT" + ")" * 2000,
    "INTERVAL x 5000": "SELECT " + "INTERVAL " * 5000 + "'1' DAY",
    "nested lists in arrow_cast": "SELECT arrow_cast(1,'" + "List(" * 5000 + "Int8" + ")" * 5000 + "')",
    "parentheses x 20000": "SELECT " + "(" * 20000 + "1" + ")" * 20000,
    "NOT x 20000": "SELECT " + "NOT " * 20000 + "true",
    "a chain of 10000 +": "SELECT 1" + "+1" * 10000,
    "10000 arms of UNION ALL": " UNION ALL ".join(["SELECT pop FROM district_stat"] * 10000),
    "CTEs that double 24 times": "WITH c0 AS (SELECT district FROM citizen)"
        + "".join(f", c{i + 1} AS (SELECT a.district FROM c{i} a JOIN c{i} b ON a.district = b.district)" for i in range(24))
        + " SELECT count(*) FROM c24",
    "IN of 200000": "SELECT count(*) FROM citizen WHERE birth IN (" + ",".join(["DATE '1990-01-01'"] * 200000) + ")",
    "a non-yielding join": "SELECT count(*) FROM citizen a JOIN citizen b ON a.gender = b.gender JOIN citizen c ON b.gender = c.gender JOIN citizen d ON c.gender = d.gender",
    "a cross join of five": "SELECT count(*) FROM citizen a, citizen b, citizen c, citizen d, citizen e",
    "rows that grow": "SELECT max(length(concat(" + ",".join(["a.name"] * 2000) + "))) FROM citizen a, citizen b, citizen c",
    "a wide sort": "SELECT a.pid, b.pid, c.pid FROM visits a, visits b, visits c ORDER BY a.pid, b.pid, c.pid",
    "5 MB of blanks": "SELECT 1" + " " * 5_000_000,
    "a literal of 3 MB": "SELECT count(*) FROM citizen WHERE name = '" + "x" * 3_000_000 + "'",
}
HONEST = "SELECT district, avg(income) FROM citizen GROUP BY district ORDER BY district"


def honest(served, stop, tally):
    wire = served.wire("alice", "care")
    while not stop.is_set():
        wire.seen.clear()
        began = time.monotonic()
        try: wire.rows(HONEST, 120); tally["answered"] += 1
        except d.Refused as refused: tally[f"{refused.code} {refused.text.split(':')[0]}"] += 1
        tally["slowest_ms"] = max(tally["slowest_ms"], int((time.monotonic() - began) * 1000))


def debited(dir, outcome):
    """What the runs that failed should have cost, at least and at most, and what they did."""
    runs = lambda code: code.startswith(("runner.", "disclosure.", "dispatch.runner-"))
    either = ("dispatch.out-of-memory", "dispatch.child-garbled")  # a planner's, or a runner's
    least = sum(n for code, n in outcome.items() if runs(code))
    most = least + sum(outcome[code] for code in either)
    with sqlite3.connect(f"file:{dir}/disclosure.db?mode=ro", uri=True) as register:
        (spent,) = register.execute("SELECT coalesce(sum(refusals), 0) FROM spent").fetchone()
    return least, spent, most


def lines():
    """Every plan and execution bomb of the shared list too."""
    for line in (d.shared() / "attacks.jsonl").read_text().splitlines():
        line = json.loads(line)
        sql = line["sql_or_action"]
        if line["class"] in ("plan-bomb", "exec-bomb") and not sql.startswith(("ACTION", "FLIGHT", "RPC", "TLS")):
            yield line["id"], sql


def main():
    given = d.arguments(__doc__.splitlines()[0], at_once=2, memory_mib_max=300)
    failed = []
    with d.temporary() as folder, d.Domain(given.bonded, d.f1_seed(folder / "f1")) as served:
        stop, tally, outcome = threading.Event(), collections.Counter(), collections.Counter()
        codes = collections.Counter()
        companion = threading.Thread(target=honest, args=(served, stop, tally))
        companion.start()
        bombs = list(BOMBS.items()) + list(lines())
        queue, lock = iter(bombs), threading.Lock()

        def throw():
            wire = served.wire("alice", "care")
            while True:
                with lock: bomb = next(queue, None)
                if bomb is None: return
                wire.seen.clear()
                began = time.monotonic()
                try: wire.query(bomb[1], 120); came, text = "answered", ""
                except d.Refused as refused: came, text = refused.code, refused.text
                took = time.monotonic() - began
                outcome[came] += 1
                # The open dataset alone costs nothing.
                if "district_stat" not in bomb[1] or "citizen" in bomb[1]: codes[text.split(":")[0]] += 1
                print(f"  {bomb[0]:34} {took:6.2f} s  {came} {text.split(':')[0]}", flush=True)
                # The transport has a bound of its own for one message.
                clean = came in ("answered", "OUT_OF_RANGE") or \
                    (":" in text and "." in text.split(":")[0])
                if came in ("UNAVAILABLE", "UNKNOWN", "DEADLINE_EXCEEDED") or not clean:
                    failed.append(f"{bomb[0]}: no clean error: {came} {text[:200]}")

        throwers = [threading.Thread(target=throw) for _ in range(given.at_once)]
        for thrower in throwers: thrower.start()
        for thrower in throwers: thrower.join()
        stop.set(); companion.join()
        if served.process.poll() is not None: failed.append("the gateway is gone")
        else:
            peak = served.memory_peak_mib()
            print(f"gateway peak memory {peak:.0f} MiB")
            if peak >= given.memory_mib_max: failed.append(f"the gateway grew to {peak:.0f} MiB")
        print(f"{len(bombs)} bombs: {dict(outcome)}; honest statements meanwhile: {dict(tally)}")
        if not tally["answered"]: failed.append("no honest statement was answered meanwhile")
        served.stop()
        least, spent, most = debited(served.dir, codes)
        print(f"runs that failed: {least} to {most}; refusals debited: {spent}")
        if not (0 < least <= spent <= most): failed.append("runs that failed are not what was debited")
        verified = served.command("ledger", "verify", "--dir", served.dir)
        if verified.returncode: failed.append(f"ledger verify: {verified.stderr}")
    for line in failed: print("WRONG", line)
    print(f"{len(failed)} failed")
    return bool(failed)


if __name__ == "__main__": sys.exit(main())
