"""Statements and annual reports equal the ledger: every number is counted again here from `ledger tail --json`.

A domain with two operators answers, refuses, explains, withholds, drops and exports, on two "days" that lie
two months apart (libfaketime), under a fee file; then the reports of all, of each operator and the statement of each licence are
held against an independent count in Python, key by key, as JSON, Markdown and HTML. Needs grpcio; installs faketime (Debian).
"""
import collections, datetime, decimal, json, os, pathlib, re, subprocess, sys, tempfile
import domain as d

FAILED = []
EAST = datetime.timezone(datetime.timedelta(hours=8))
FEES = """currency = "CNY"
[standard.industrial]
processor_hour = "3.65"
scanned_gibibyte = "12.345678"
masked_million = "7.5"
cells_million = "1000"
export = "88.8"
answer = "0.015"
[licence.lic-b]
class = "public-interest"
"""
# What is paid for, of how many single units the price is, and what counts them.
PAID = {"processor_hour": (3_600_000, lambda f: f["used"]["runner_cpu_ms"] + f["used"]["planner_cpu_ms"]), "scanned_gibibyte": (2 ** 30, lambda f: f["used"]["scanned_bytes"]),
        "masked_million": (10 ** 6, lambda f: f["used"]["values_masked"]), "cells_million": (10 ** 6, lambda f: f["used"]["cells"]),
        "export": (1, lambda f: f["exported"] - f["exported_free"]), "answer": (1, lambda f: f["answered"])}
ANSWERED = ["SELECT district, count(*) AS n FROM city.citizen GROUP BY district",
            "SELECT gender, avg(income) AS a FROM city.citizen GROUP BY gender",
            "SELECT district, sum(cost) AS c FROM city.visits v JOIN city.citizen c ON v.pid = c.pid GROUP BY district",
            "SELECT count(*) AS n FROM city.citizen"]
REFUSED = ["SELECT nothing FROM city.citizen", "SELEC 1", "SELECT * FROM city.payroll", "SELECT income FROM city.citizen WHERE income + 1 > 2"]
EXPORTED = "SELECT district, count(*) AS n FROM city.citizen GROUP BY district"


def holds(what, seen, *more):
    print(f"{'ok' if seen else 'WRONG':5} {what}" + "".join(f"  {m}" for m in more))
    if not seen: FAILED.append(what)


def days_ago(folder, bonded, days):
    """The binary, for whom it is so many days earlier."""
    found = lambda: next(pathlib.Path("/usr/lib").glob("**/libfaketime.so.1"), None)
    if not found():
        prefix = [] if os.getuid() == 0 else ["sudo"]
        subprocess.run([*prefix, "apt-get", "install", "-y", "-qq", "faketime"], check=True, stdout=subprocess.DEVNULL)
    script = folder / f"bonded-{days}-days-ago"
    script.write_text(f"#!/bin/sh\nLD_PRELOAD={found()} FAKETIME=-{days}d FAKETIME_DONT_FAKE_MONOTONIC=1 exec {pathlib.Path(bonded).resolve()} \"$@\"\n")
    script.chmod(0o755)
    return script


def operate(served, times, package):
    care, roads = served.wire("alice", "care"), served.wire("bob", "roads")
    for _ in range(times):
        for sql in ANSWERED + REFUSED:
            try: care.query(sql)
            except d.Refused: pass
        for sql in ("SELECT * FROM city.district_stat", "SELECT * FROM city.citizen"):
            try: roads.query(sql)
            except d.Refused: pass
    for wire in (served.wire("alice", "roads"), served.wire("bob", "nowhere"), served.wire("lapsed", "care"), served.wire("rita", None)):
        try: wire.query(ANSWERED[0])
        except d.Refused: pass
    served.command("explain", "-p", served.person("alice") / "profile.toml", "--scenario", "care", ANSWERED[0])
    done = served.command("export", "-p", served.person("alice") / "profile.toml", "--scenario", "care", "-o", package, EXPORTED)
    holds("a package is handed over", done.returncode == 0, done.stderr.strip())


def day_of(entry):
    return datetime.datetime.fromisoformat(entry["at"].replace("Z", "+00:00")).astimezone(EAST).date()


def figures():
    return {"opened": 0, "asked": collections.Counter(), "answered": 0, "refused": collections.Counter(), "failed": collections.Counter(),
            "abandoned": 0, "open": 0, "withheld": 0, "perturbed": 0, "conflicts": 0, "rows": 0, "bytes": 0, "exported": 0, "exported_free": 0, "products": collections.Counter(),
            "export_withheld": collections.Counter(), "metered": 0, "used": collections.Counter(planner_cpu_ms=0, runner_cpu_ms=0, scanned_bytes=0, values_masked=0, cells=0),
            "people": set()}


def recount(entries, first, last, wanted):
    """The figures of the operations opened within the days whose (operator, licence, scenario, month) are wanted."""
    all_people, licences, scenarios, products, sums, of = {}, {}, {}, {}, figures(), {}
    for entry in entries:
        event = entry["event"]; kind = event["event"]
        if "person" in event and isinstance(event["person"], dict): all_people[event["person"]["id"]] = event["person"]
        elif kind == "licence-step": licences[event["licence"]["id"]] = event["licence"]
        elif kind == "product-step": products[event["product"]["id"]] = event["product"]
        elif kind == "scenario-step": scenarios[event["scenario"]["id"]] = event["scenario"]
        elif kind == "operation-opened":
            scenario = scenarios.get(event["scenario"])
            licence = licences[scenario["licence"]] if scenario else None
            person = all_people[event["person"]]
            operator = licence["operator"] if licence else person["organisation"] if person["role"] == "operator-member" else None
            day = day_of(entry)
            if first <= day <= last and wanted(operator, licence and licence["id"], scenario and scenario["id"], f"{day:%Y-%m}"):
                of[event["query"]] = True
                sums["opened"] += 1; sums["open"] += 1; sums["asked"][event["action"]] += 1; sums["people"].add(event["person"])
        elif event.get("query") in of:
            if kind == "operation-released":
                sums["open"] -= 1; sums["answered"] += 1; sums["rows"] += event["rows"]; sums["bytes"] += event["bytes"]
                sums["withheld"] += event["notice"] == "groups-withheld"; sums["perturbed"] += event["register"] == "perturbed"
                if "used" in event: sums["metered"] += 1; sums["used"].update({name: number for name, number in event["used"].items() if name != "register_parts"})
            elif kind in ("operation-refused", "operation-failed"):
                sums["open"] -= 1; sums[kind.removeprefix("operation-")][event["code"]] += 1
            elif kind == "operation-abandoned": sums["open"] -= 1; sums["abandoned"] += 1
            elif kind == "release-conflicted": sums["conflicts"] += 1
            elif kind == "exported":
                sums["exported"] += 1
                if "product" in event:
                    sums["products"][event["product"]] += 1; sums["exported_free"] += products[event["product"]]["benefit"] == "public"
            elif kind == "export-withheld": sums["export_withheld"][event["code"]] += 1
    sums["people"] = len(sums["people"])
    return json.loads(json.dumps(sums))


def bill(sums, free):
    """The lines of a statement, in decimals."""
    lines, total = [], decimal.Decimal(0)
    for name, price in re.findall(r'^(\w+) = "([\d.]+)"$', FEES, re.M):
        if free or name not in PAID: continue
        per, quantity = PAID[name]
        amount = (decimal.Decimal(price) * quantity(sums) / per).quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP)
        lines.append((name, quantity(sums), per, decimal.Decimal(price), amount)); total += amount
    return lines, total


def masked_and_cells(entries):
    """Of every answered operation: the masked values counted from its decision, and the cells from its rows."""
    rows, references, wrong, seen = {}, {}, 0, 0
    for entry in entries:
        event = entry["event"]
        if event["event"] == "dataset-loaded": rows[event["snapshot"]["dataset"]] = event["snapshot"]["rows"]
        elif event["event"] == "operation-decided": references[event["query"]] = event["references"]
        elif event["event"] == "operation-released" and "used" in event:
            seen += 1
            masks = [r for r in references[event["query"]] if r["way"] not in ("plain", "suppress", "raw-aggregate", "subject", "row-policy")]
            masked = sum(rows[dataset] for dataset, _, _ in {(r["dataset"], r["item"], r["way"]) for r in masks})
            wrong += event["used"]["values_masked"] != masked
            wrong += event["rows"] and event["used"]["cells"] % event["rows"] != 0
            wrong += event["used"]["runner_cpu_ms"] == 0 or event["used"]["planner_cpu_ms"] == 0 or (event["used"]["scanned_bytes"] == 0) != (not references[event["query"]])
    return seen, wrong


def numbers(value):
    if isinstance(value, dict):
        for each in value.values(): yield from numbers(each)
    elif isinstance(value, list):
        for each in value: yield from numbers(each)
    elif isinstance(value, int) and not isinstance(value, bool): yield value


def main():
    given = d.arguments(__doc__, times=6)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        seed = d.f1_seed(folder / "seed")
        earlier = days_ago(folder, given.bonded, 61)
        with d.Domain(earlier, seed, folder / "run") as served:
            operate(served, given.times, folder / "one")
            served.stop()
            served.bonded = given.bonded.resolve()
            served.start()
            operate(served, given.times + 1, folder / "two")
            judge(served, folder)
    print(f"{len(FAILED)} wrong" if FAILED else "every number is the ledger's")
    sys.exit(1 if FAILED else 0)


def judge(served, folder):
    done = served.command("--json", "ledger", "tail", "--dir", served.dir)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    compared = 0
    seen, wrong = masked_and_cells(entries)
    holds("each answer's use is on record as its decision says", seen > 20 and not wrong, f"{seen} answers", f"{wrong} wrong")

    def report(*words):
        done = served.command("report", *words, "--dir", served.dir)
        if done.returncode: holds(f"report {' '.join(map(str, words))}", False, done.stderr.strip())
        return done.stdout

    def equal(what, told, counted):
        nonlocal compared
        compared += len(list(numbers(counted)))
        if told != counted: holds(what, False, f"told {told}", f"counted {counted}")

    (served.dir / "fees.toml").write_text(FEES)
    years = sorted({day_of(entry).year for entry in entries})
    for year in years:
        first, last = datetime.date(year, 1, 1), datetime.date(year, 12, 31)
        inside = [entry for entry in entries if day_of(entry).year == year]
        for operator in (None, "op-a", "op-b"):
            words = ["annual", "--year", year, *(["--operator", operator] if operator else [])]
            told = json.loads(report(*words, "--format", "json"))
            asked = lambda who, *_: operator is None or who == operator
            equal(f"{words} total", told["total"], recount(entries, first, last, asked))
            months = {f"{day_of(entry):%Y-%m}" for entry in inside if entry["event"]["event"] == "operation-opened"}
            for month in set(told["months"]) | months:
                counted = recount(entries, first, last, lambda who, _l, _s, of: asked(who) and of == month)
                if counted["opened"]: equal(f"{words} {month}", told["months"].get(month), counted)
            for part in told["scenarios"]:
                equal(f"{words} {part['id']}", part["figures"], recount(entries, first, last, lambda who, _l, s, _m: asked(who) and s == part["id"]))
            equal(f"{words} unattributed", told["unattributed"], recount(entries, first, last, lambda who, _l, s, _m: asked(who) and s is None))
            for part in told["operators"]:
                equal(f"{words} {part['id']}", part["figures"], recount(entries, first, last, lambda who, *_: who == part["id"]))
            for licence in told["licences"]:
                equal(f"{words} {licence['licence']}", licence["total"], recount(entries, first, last, lambda _o, of, *_: of == licence["licence"]))
            equal(f"{words} entries", told["entries"], len(inside))
            if operator is None:
                equal(f"{words} events", told["events"], dict(collections.Counter(entry["event"]["event"] for entry in inside)))
            stored = {e["event"]["snapshot"]["dataset"]: e["event"]["snapshot"] for e in entries if e["event"]["event"] == "dataset-loaded"}
            equal(f"{words} rows stored", {s["dataset"]: s["rows"] for s in told["stored"]}, {s["dataset"]: stored[s["dataset"]]["rows"] for s in told["stored"]})
            markdown, html = report(*words, "--format", "md"), report(*words, "--format", "html")
            months = [f"| {month} | {f['opened']} | {f['answered']} | {sum(f['refused'].values())} | {f['exported']} |" for month, f in told["months"].items()]
            for text in [*months, *(f"| {event} | {count} |" for event, count in told["events"].items())]:
                if text not in markdown: holds(f"{words}: {text} stands in the page", False)
            for value in numbers(told["total"]):
                for page in (markdown, html):
                    if not re.search(rf"(?<!\d){value}(?!\d)", page): holds(f"{words}: {value} stands in the page", False)
            holds(f"{year} {operator or 'all'}: pages", "<svg" in html and "六、市场运营" in html and "## 一、概况" in markdown)
    totals = [json.loads(report("annual", "--year", year, "--format", "json"))["total"] for year in years]
    holds("all kinds of end were seen", sum(t["answered"] for t in totals) and sum(len(t["refused"]) for t in totals) >= 4 and sum(t["exported"] for t in totals) == 2,
          {k: sum(t[k] for t in totals) for k in ("opened", "answered", "exported", "withheld", "perturbed", "conflicts")})

    days = sorted({day_of(entry) for entry in entries})
    for licence, free in (("lic-a", False), ("lic-b", True)):
        for first, last in ((days[0], days[-1]), (days[0], days[0]), (days[-1], days[-1]), (datetime.date(2020, 1, 1), datetime.date(2020, 12, 31))):
            told = json.loads(report("statement", "--licence", licence, "--from", first, "--until", last, "--format", "json"))
            counted = recount(entries, first, last, lambda _o, of, *_: of == licence)
            equal(f"statement {licence} {first}", told["total"], counted)
            lines, total = bill(counted, free)
            lines_told = [(l["item"], l["quantity"], l["per"], decimal.Decimal(l["price"]), decimal.Decimal(l["amount"])) for l in told["lines"]]
            holds(f"statement {licence} {first} to {last}", sorted(lines_told) == sorted(lines) and decimal.Decimal(told["amount"]) == total, told["amount"], told["class"])
    (served.dir / "fees.toml").write_text("currency = 3")
    done = served.command("report", "annual", "--year", years[0], "--dir", served.dir)
    holds("a fee file that cannot be read is told", done.returncode == 2 and "fees.toml" in done.stderr)
    holds("numbers compared", compared > 500, compared)
    output = folder / "annual.html"
    served.command("report", "annual", "--year", years[0], "--dir", served.dir, "--format", "html", "-o", output)
    (served.dir / "fees.toml").unlink()
    done = served.command("report", "annual", "--year", years[0], "--dir", served.dir, "--format", "html", "-o", output)
    again = served.command("report", "annual", "--year", years[0], "--dir", served.dir, "--format", "html", "-o", output)
    holds("a report is a new file, and none is written over", done.returncode == 0 and output.stat().st_size > 2000 and again.returncode == 1)
    audit = served.command("ledger", "audit", "--dir", served.dir)
    holds("the audit holds", audit.returncode == 0, audit.stderr.strip())
    done = served.command("--json", "report", "anomalies", "--dir", served.dir)
    found = json.loads(done.stdout)["anomalies"]
    holds("anomalies are told", done.returncode == 0 and {a["code"] for a in found} <= {"anomaly.refusal-burst", "anomaly.probing", "anomaly.subtraction", "anomaly.volume", "anomaly.strangers"},
          [(a["code"], a["person"], a["count"]) for a in found])


if __name__ == "__main__":
    main()
