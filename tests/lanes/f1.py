"""Fixture F1: attacks, canaries in every byte received, twins. Needs grpcio and pyarrow.

Prints what each attack line came to; exits 1 on a canary, a crash, an unanswered `ok` line, or a
difference between twins.
"""
import collections, concurrent.futures, json, math, re, sys
import domain as d
import twin_sql

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

def comparable(answer):
    table, receipt = answer
    # Tokens are keyed by domain, so each is replaced by nothing but its being one.
    token = lambda value: "token" if isinstance(value, str) and re.fullmatch("[0-9a-f]{32}", value) else value
    rows = [tuple(row.values()) for row in table.to_pylist()] if len(set(table.column_names)) == len(table.column_names) \
        else list(zip(*[column.to_pylist() for column in table.columns]))
    rows = [tuple(map(token, row)) for row in rows]
    # So is noise: that and how many cells carry it is compared, not what it is.
    if receipt.get("accuracy"): rows = [("perturbed", receipt["accuracy"]["cells"])]
    key = lambda row: tuple((value is None, str(type(value)), f"{value:.6e}" if isinstance(value, float) else str(value)) for value in row)
    return [str(f) for f in table.schema], sorted(rows, key=key), receipt.get("notice"), receipt.get("left_out")


def same(a, b):
    if isinstance(a, float) and isinstance(b, float):
        return a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def run_twins(bonded, number):
    canaries = lambda place: (place / "data" / "canaries.txt").read_text().split()
    with d.temporary() as folder:
        original = d.Domain(bonded, d.f1_seed(folder / "original"))
        with original:
            for twin in ("values", "measures"):
                with d.Domain(bonded, d.f1_seed(folder / twin, twin)) as other:
                    needles = d.Canaries(canaries(folder / "original") + canaries(folder / twin))
                    compare((original, other), twin, number, needles)
                    for domain in (original, other):
                        files = {file: [file.read_bytes()] for file in domain.folder.rglob("*") if file.is_file()}
                        for file, chunks in files.items():
                            found = d.canaries_in(chunks, needles)
                            if found: wrong(f"twin {twin}: {len(found)} canaries in {file}")
                        print(f"  {len(files)} files of the domain searched")


def compare(domains, twin, number, needles):
    one, two = (domain.wire("alice", "care") for domain in domains)

    def ask(wire, sql):
        try: return comparable(wire.rows(sql))
        except d.Refused as refused: return refused.code, refused.text

    both = concurrent.futures.ThreadPoolExecutor(2)
    late = lambda answer: len(answer) == 2 and "-timeout:" in answer[1]
    answered = differences = asked_again = 0

    def asked(sql):
        """Both answers. On a busy machine either may come too late: then both are asked again."""
        nonlocal asked_again
        for _ in range(5):
            answers = [answer.result() for answer in [both.submit(ask, wire, sql) for wire in (one, two)]]
            if not any(map(late, answers)) or all(map(late, answers)): break
            asked_again += 1
        return answers

    for at, made in enumerate(twin_sql.statements(number, twin)):
        sql = twin_sql.text(made)
        answers = asked(sql)
        answered += len(answers[0]) == 4
        found = d.canaries_in(one.seen + two.seen, needles)
        if found: wrong(f"{len(found)} canaries received by {sql}")
        if not same(*answers):
            differences += 1
            if differences < 6:
                least = twin_sql.shrunk(made, lambda sql: not same(*asked(sql)))
                wrong(f"twin `{twin}` differs: {sql}\n   {str(answers[0])[:300]}\n   {str(answers[1])[:300]}\n   least: {least}")
        one.seen.clear(); two.seen.clear()
        if at % 1000 == 999: print(f"  {twin}: {at + 1} asked, {answered} answered, {differences} differences", flush=True)
    print(f"twin {twin}: {number} statements, {answered} answered, {differences} differences, {asked_again} asked again, late")
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
