"""Fixture F1: attacks, canaries in every byte received, twins. Needs grpcio and pyarrow.

Prints what each attack line came to; exits 1 on a canary, a crash, an unanswered `ok` line, or a
difference between twins.
"""
import collections, json, math, random, re, sys
import domain as d

WRONG = []


def wrong(text):
    WRONG.append(text); print("WRONG", text)


def attacks():
    lines = [json.loads(line) for line in (d.shared() / "attacks.jsonl").read_text().splitlines()]
    plain = [l for l in lines if not l["sql_or_action"].startswith(("ACTION", "FLIGHT", "RPC", "TLS"))]
    asked = [l for l in plain if "F1" in l["setup_assumption"] or "worker" in l["setup_assumption"]]
    # Honest lines first: what a hostile one got is held against whoever asks after it.
    return sorted(asked, key=lambda line: line["must"] != "ok")


def run_attacks(served, canaries):
    wire = served.wire("alice", "care")
    outcome = collections.Counter()
    needles = d.Canaries(canaries)
    for line in attacks():
        sql, must = line["sql_or_action"], line["must"]
        wire.seen.clear()
        try:
            wire.query(sql, 40); came = "answered"
        except d.Refused as refused:
            came = "refused"
            if refused.code in ("UNKNOWN", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"):
                came = "failed"
                print(f"  {line['id']}: {refused}")
            if must == "ok": wrong(f"{line['id']} must be answered: {refused}\n      {sql}")
        outcome[must, came] += 1
        found = d.canaries_in(wire.seen, needles)
        if found: wrong(f"{line['id']}: {len(found)} canaries received by {sql}")
        if must == "deny" and came == "answered": print(f"  deny line answered on the masked view: {line['id']}: {sql[:110]}")
    for (must, came), count in sorted(outcome.items()): print(f"  must {must:5} {came:9} {count}")
    if served.process.poll() is not None: wrong("the gateway is gone")


# --- twins -----------------------------------------------------------------------------------------

KEYS = ["district", "gender", "birth"]
SHOWN = ["district", "gender", "birth", "name", "phone", "pid", "id_card"]


def statements(number, twin):
    """Statements whose answers must be the same on a domain and its twin."""
    rng = random.Random(7)
    made = []
    measures = twin == "measures"
    aggregates = {
        "citizen": ["count(*)", "count(income)", "sum(income)", "avg(income)", "stddev(income)", "count(DISTINCT pid)"],
        "visits": ["count(*)", "count(cost)", "sum(cost)", "avg(cost)", "count(DISTINCT pid)"],
    }
    plain = {"citizen": ["count(*)", "count(DISTINCT pid)", "min(birth)", "max(district)", "count(DISTINCT district)"],
             "visits": ["count(*)", "count(DISTINCT pid)", "min(visit_date)", "max(hosp)"]}
    while len(made) < number:
        table = rng.choice(["citizen", "citizen", "visits"])
        keys = ["district", "gender"] if table == "citizen" else ["hosp", "visit_date"]
        kind = rng.randrange(8)
        if kind <= 2:
            group = rng.sample(keys, rng.randrange(0, 3))
            choice = aggregates[table] if measures else plain[table]
            if measures and table == "citizen" and len(group) == 0: choice = [c for c in choice if "std" not in c]
            if measures and not group and rng.random() < .5: continue
            values = rng.sample(choice, rng.randrange(1, 3))
            sql = f"SELECT {', '.join(group + values)} FROM {table}" + (f" GROUP BY {', '.join(group)}" if group else "")
            if group: sql += f" ORDER BY {', '.join(group)}"
        elif kind == 3:
            if measures: continue
            columns = rng.sample(SHOWN, rng.randrange(1, 4))
            sql = f"SELECT {', '.join(columns)} FROM citizen WHERE birth >= DATE '{rng.randrange(1940, 2008)}-01-01' AND gender = '{rng.choice('MF')}'"
        elif kind == 4:
            if measures: continue
            sql = (f"SELECT v.hosp, count(*), count(DISTINCT c.pid) FROM visits v JOIN citizen c ON v.pid = c.pid "
                   f"WHERE c.district = 'D0{rng.randrange(1, 4)}' AND v.visit_date >= DATE '2025-{rng.randrange(1, 13):02}-01' GROUP BY v.hosp ORDER BY 1")
        elif kind == 5:
            if measures: continue
            sql = (f"SELECT district, count(*) FILTER (WHERE birth < DATE '{rng.randrange(1950, 2009)}-01-01') AS n, "
                   f"substr(district, {rng.randrange(1, 3)}, {rng.randrange(1, 3)}) FROM citizen GROUP BY district ORDER BY district")
        elif kind == 6:
            if measures: continue
            sql = (f"SELECT gender, name, row_number() OVER (PARTITION BY gender ORDER BY name, pid) FROM citizen "
                   f"WHERE phone LIKE '{rng.choice('p')}{rng.choice('0123456789abcdef')}%'")
        else:
            literal = rng.choice(["110101", "g", "p0", "income", "x"])
            column = rng.choice(["id_card", "diag", "name", "phone", "income"])
            sql = f"SELECT count(*) FROM citizen WHERE {column} = '{literal}{rng.randrange(100)}'"
        made.append(sql)
    return made


def comparable(answer):
    table, receipt = answer
    # Tokens are keyed by domain, so each is replaced by nothing but its being one.
    token = lambda value: "token" if isinstance(value, str) and re.fullmatch("[0-9a-f]{32}", value) else value
    rows = [tuple(row.values()) for row in table.to_pylist()] if len(set(table.column_names)) == len(table.column_names) \
        else list(zip(*[column.to_pylist() for column in table.columns]))
    rows = [tuple(map(token, row)) for row in rows]
    key = lambda row: tuple((value is None, str(type(value)), f"{value:.6e}" if isinstance(value, float) else str(value)) for value in row)
    return [str(f) for f in table.schema], sorted(rows, key=key), receipt.get("notice"), receipt.get("left_out")


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def run_twins(bonded, number):
    with d.temporary() as folder:
        original = d.Domain(bonded, d.f1_seed(folder / "original"))
        with original:
            for twin in ("values", "measures"):
                with d.Domain(bonded, d.f1_seed(folder / twin, twin)) as other:
                    compare(original, other, twin, number)


def compare(original, other, twin, number):
    one, two = original.wire("alice", "care"), other.wire("alice", "care")
    answered = differences = 0
    for sql in statements(number, twin):
        answers = []
        for wire in (one, two):
            try: answers.append(comparable(wire.rows(sql)))
            except d.Refused as refused: answers.append((refused.code, refused.text))
        answered += len(answers[0]) == 4
        if not same(answers[0], answers[1]):
            differences += 1
            if differences < 6: wrong(f"twin `{twin}` differs: {sql}\n   {str(answers[0])[:300]}\n   {str(answers[1])[:300]}")
        one.seen.clear(); two.seen.clear()
    print(f"twin {twin}: {number} statements, {answered} answered, {differences} differences")
    if differences: wrong(f"twin {twin}: {differences} differences")
    if answered * 2 < number: wrong(f"twin {twin}: only {answered} of {number} answered")


def main():
    given = d.arguments(__doc__, statements=2000, part="all")
    if given.part in ("all", "attacks"):
        with d.temporary() as folder, d.Domain(given.bonded, d.f1_seed(folder / "f1")) as served:
            canaries = (folder / "f1" / "data" / "canaries.txt").read_text().split()
            run_attacks(served, canaries)
            print(f"  gateway peak memory {served.memory_peak_mib():.0f} MiB")
    if given.part in ("all", "twins"): run_twins(given.bonded, given.statements)
    print("0 failed" if not WRONG else f"{len(WRONG)} failed")
    sys.exit(bool(WRONG))


if __name__ == "__main__": main()
