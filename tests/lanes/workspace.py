"""Results that scenarios keep inside: answers equal, nothing subtracted, nobody else's, gone with their source.
Needs grpcio, pyarrow.

On fixture F1 with a second scenario that shows no rows. A statement over kept rows is answered as with the making
statement in its place; hostile ones learn nothing; no canary is received or stands in a file; killed at any moment,
what is on record is there and what is there is on record.
"""
import base64, collections, json, random, re, signal, sys, threading, time
import pyarrow.parquet as pq
import domain as d

WRONG = []
K = 10


def wrong(text):
    WRONG.append(text); print("WRONG", text, flush=True)


def seeded(folder):
    """Fixture F1; `still` is `care` without rows, `other` a scenario of the same member."""
    seed = d.f1_seed(folder)
    scenarios = (seed / "scenarios.toml").read_text()
    care = scenarios.split('[[scenario]]\nid = "roads"')[0]
    still = care.replace('id = "care"', 'id = "still"').replace("show_rows = true\n", "").replace("rows = \"district IN ('D01', 'D02', 'D03')\"\n", "")
    other = still.replace('id = "still"', 'id = "other"')
    (seed / "scenarios.toml").write_text(scenarios + "\n" + still + "\n" + other)
    return seed


class Asker:
    """One person for one scenario; every byte received stands in `seen`."""

    def __init__(self, served, who="alice", scenario="still"):
        self.served, self.who, self.scenario = served, who, scenario
        self.wire, self.told = served.wire(who, scenario), []
        self.action = self.wire.channel.unary_stream("/arrow.flight.protocol.FlightService/DoAction", None, None)

    def ask(self, sql, noisy=False):
        """The rows in order, what is told of withheld groups, and the noise; or the code of the refusal. Rows with noise
        only where they are wanted: which of several cells that conflict stay exact follows from the order of rows, which
        is each file's own."""
        try: table, receipt = self.wire.rows(sql)
        except d.Refused as refused: return refused.text.split(":")[0]
        rows = list(zip(*[column.to_pylist() for column in table.columns])) if table.num_columns else []
        if receipt["accuracy"] and not noisy: rows = []
        return sorted(rows, key=repr), receipt["notice"], bool(receipt["accuracy"])

    def command(self, *words):
        done = self.served.command(*words, "-p", self.served.person(self.who) / "profile.toml", "--json")
        self.told.append((done.stdout + done.stderr).encode())
        return done

    def keep(self, name, sql, *more):
        """What is told of a kept result, or the code of the refusal."""
        done = self.command("materialise", "--scenario", self.scenario, "--name", name, *more, sql)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr.split(":")[0]

    def listed(self):
        return {kept["kept"] for kept in json.loads(self.command("workspace", "list").stdout)}

    def drop(self, name):
        done = self.command("workspace", "drop", "--scenario", self.scenario, name)
        return "" if done.returncode == 0 else done.stderr

    def seen(self):
        return self.wire.seen + self.told


def must(got, wanted, what):
    if got != wanted: wrong(f"{what}: {str(got)[:300]}, wanted {str(wanted)[:300]}")


# --- answers ---------------------------------------------------------------------------------------

MADE = {
    "people": "SELECT pid, name, phone, birth, district, gender FROM citizen",
    "first": "SELECT pid, name, birth, district, gender FROM citizen WHERE district = 'D01' AND gender = 'F'",
    "visited": "SELECT pid, vid, hosp, visit_date FROM visits WHERE hosp IN ('H1', 'H2')",
    "wide": "SELECT c.pid, c.birth, c.district, s.pop FROM citizen c JOIN district_stat s ON s.district = c.district",
    "computed": "SELECT pid, upper(district) AS place, CASE WHEN gender = 'F' THEN 1 ELSE 0 END AS female, birth FROM citizen WHERE name LIKE 'a%'",
}
ASKED = {
    "people": ["SELECT count(*) FROM {}", "SELECT district, count(*) FROM {} GROUP BY district", "SELECT count(DISTINCT pid) FROM {}",
               "SELECT birth, gender, count(*) FROM {} GROUP BY birth, gender", "SELECT name, count(*) FROM {} GROUP BY name HAVING count(*) > 20",
               "SELECT phone, count(*) FROM {} GROUP BY 1", "SELECT min(birth), max(birth) FROM {}",
               "SELECT * FROM {}", "SELECT pid FROM {} LIMIT 1", "SELECT DISTINCT district FROM {}", "SELECT count(*) FILTER (WHERE gender = 'F') FROM {}",
               "SELECT v.hosp, sum(v.cost) FROM {} c JOIN visits v ON v.pid = c.pid GROUP BY v.hosp",
               "SELECT c.district, count(*) FROM {} c WHERE EXISTS (SELECT 1 FROM visits v WHERE v.pid = c.pid AND v.hosp = 'H3') GROUP BY c.district",
               "SELECT sum(CASE WHEN gender = 'F' THEN 1 ELSE 0 END) FROM {}", "SELECT count(*) FROM {} WHERE pid = 'x'", "SELECT max(pid) FROM {}",
               "SELECT count(*) FROM {} c JOIN op_upload u ON u.pid = c.pid", "SELECT a.district, count(*) FROM {} a JOIN {} b ON a.pid = b.pid GROUP BY 1"],
    "first": ["SELECT count(*) FROM {}", "SELECT birth, count(*) FROM {} GROUP BY birth", "SELECT name, count(*) FROM {} GROUP BY name",
              "SELECT sum(c.income) FROM citizen c WHERE EXISTS (SELECT 1 FROM {} f WHERE f.pid = c.pid)"],
    "visited": ["SELECT hosp, count(*), count(DISTINCT pid) FROM {} GROUP BY hosp", "SELECT visit_date, count(*) FROM {} GROUP BY 1",
                "SELECT n, count(*) FROM (SELECT pid, count(*) AS n FROM {} GROUP BY pid) AS t GROUP BY n"],
    "wide": ["SELECT district, pop, count(*) FROM {} GROUP BY 1, 2", "SELECT avg(pop) FROM {}", "SELECT sum(pop * 2) FROM {}"],
    "computed": ["SELECT place, count(*) FROM {} GROUP BY place", "SELECT sum(female) FROM {}", "SELECT count(*) FROM {} WHERE female = 1",
                 "SELECT place, female, count(*) FROM {} GROUP BY 1, 2"],
}


def equal(served):
    """Each statement on a copy of its own for the source and for what is kept, so that neither came before the other."""
    alice = Asker(served)
    for name, sql in MADE.items():
        kept = alice.keep(name, sql)
        if isinstance(kept, str): wrong(f"`{name}` is not kept: {kept}"); continue
        must((kept["kept"], kept["rows"], kept["people"]), (f"work.{name}", None, True), f"told of {name}")
        grades = {c["name"]: c["grade"] for c in kept["columns"]}
        if "pid" in grades: must(grades["pid"], 3, f"the grade of {name}.pid")
    asked, came = 0, collections.Counter()
    for name, statements in ASKED.items():
        for sql in statements:
            # On a busy machine either may come too late: then it is asked again.
            late = lambda answer: isinstance(answer, str) and ("timeout" in answer or "Deadline" in answer)
            for _ in range(3):
                inline, stored = (alice.ask(sql.replace("{}", of)) for of in (f"({MADE[name]})", f"work.{name}"))
                if not late(inline) and not late(stored): break
            asked += 1
            came[inline if isinstance(inline, str) else "answered"] += 1
            must(stored, inline, f"of {name}: {sql}")
    # What is only aggregated is not there.
    must(alice.ask("SELECT sum(income) FROM work.people"), "planner.unknown-name", "a raw item of kept rows")
    print(f"  {asked} statements over kept rows as over the statements that made them; {dict(came)}", flush=True)
    # Rows show where the scenario shows them, and counts agree.
    care = Asker(served, scenario="care")
    care.keep("shown", "SELECT pid, district FROM citizen")
    must(care.ask("SELECT * FROM work.shown"), care.ask("SELECT pid, district FROM citizen"), "rows of `care`")
    # Answers: plain from then on.
    groups = "SELECT district, gender, count(*) AS people, avg(income) AS mean FROM citizen GROUP BY district, gender"
    first = alice.ask(groups, True)
    kept = alice.keep("groups", groups)
    must((kept["people"], kept["rows"]), (False, len(first[0])), "told of answers")
    must(alice.ask("SELECT * FROM work.groups", True)[0], first[0], "answers")
    must(alice.ask("SELECT max(mean) > 0, sum(people) > 0, count(*) FROM work.groups", True)[0], [(True, True, len(first[0]))], "over answers")
    kept = alice.keep("open", "SELECT district, pop, gdp / pop AS wealth FROM district_stat WHERE pop > 0")
    must(kept["people"], False, "open data")
    must(alice.ask("SELECT district, pop FROM work.open"), alice.ask("SELECT district, pop FROM district_stat WHERE pop > 0"), "open data")
    # Made of what is kept; and by the Flight action.
    must(alice.keep("again", "SELECT district, birth FROM work.people WHERE gender = 'M'")["kept"], "work.again", "of kept rows")
    must(alice.ask("SELECT district, count(*) FROM work.again GROUP BY 1"), alice.ask("SELECT district, count(*) FROM citizen WHERE gender = 'M' GROUP BY 1"), "of kept rows")
    body = json.dumps({"name": "flown", "sql": "SELECT pid, district FROM citizen"}).encode()
    answers = list(alice.action(d.field(1, b"bonded.materialise") + d.field(2, body), metadata=alice.wire.metadata))
    alice.wire.seen += answers
    must(json.loads(d.first(answers[0], 1))["kept"], "work.flown", "the Flight action")
    return alice


# --- hostile ---------------------------------------------------------------------------------------

def hostile(served, alice):
    """Each statement and how it must end: a code, or that nothing of it tells a few people apart."""
    refused = [
        # kept and then probed
        ("SELECT * FROM work.people", "confine.rows-off"),
        ("SELECT pid FROM work.people WHERE birth = DATE '1950-01-01' LIMIT 1", "confine.rows-off"),
        ("SELECT \"__subject\" FROM work.people", "planner.unknown-name"),
        ("SELECT \"__row\" FROM work.people", "planner.unknown-name"),
        ("SELECT count(*) FROM work.people_1", "planner.unknown-name"),
        ("SELECT income FROM work.people", "planner.unknown-name"),
        ("SELECT sum(female * female) FROM work.computed", "confine.singled-out"),
        ("SELECT sum(CASE WHEN name = 'a' THEN female ELSE 0 END * 2) FROM work.computed", None),
        ("SELECT max(place) FROM work.computed", None),
        ("SELECT count(DISTINCT female * 10 + 1) FROM work.computed", "confine.singled-out"),
        ("SELECT pid || 'x', count(*) FROM work.people GROUP BY 1", "confine.token-misused"),
        ("SELECT count(*) FROM work.people WHERE pid > 'a'", "confine.token-misused"),
        ("SELECT row_number() OVER (ORDER BY birth) FROM work.people", None),
        ("SELECT count(*) FROM work.people p JOIN work.visited v ON p.pid = v.vid", None),
        ("SELECT count(*) FROM work.groups g JOIN citizen c ON g.district = c.district AND g.people = 1", None),
        ("SELECT sum(g.mean) FROM citizen c JOIN work.groups g ON g.district = c.district", None),
        # names
        ("SELECT count(*) FROM work.nothing", "planner.unknown-name"),
        ("SELECT count(*) FROM work.\"../citizen\"", None),
        ("CREATE TABLE work.mine AS SELECT 1", None),
        ("INSERT INTO work.people SELECT * FROM work.people", None),
        ("DROP TABLE work.people", None),
        ("SELECT * FROM information_schema.tables", None),
    ]
    for sql, code in refused:
        got = alice.ask(sql)
        if not isinstance(got, str):
            if code or any(isinstance(v, int) and 0 < v < K for row in got[0] for v in row): wrong(f"answered: {sql} → {str(got)[:200]}")
        elif code and got != code: wrong(f"{sql}: {got}, wanted {code}")
    unkept = [
        ("limited", "SELECT pid, district FROM citizen LIMIT 1", "workspace.no-subject"),
        ("ordered", "SELECT pid, birth FROM citizen ORDER BY birth LIMIT 5", "workspace.no-subject"),
        ("offset", "SELECT pid FROM citizen OFFSET 3999", "workspace.no-subject"),
        ("distinct", "SELECT DISTINCT pid, district FROM citizen", None),
        ("numbered", "SELECT pid, row_number() OVER (ORDER BY birth) AS n FROM citizen", "confine.window-over-rows"),
        ("both", "SELECT c.pid, v.hosp FROM citizen c JOIN visits v ON v.pid = c.pid", "workspace.no-subject"),
        ("twice", "SELECT pid FROM citizen UNION ALL SELECT pid FROM citizen", "workspace.no-subject"),
        ("selfjoin", "SELECT a.pid, b.birth FROM citizen a JOIN citizen b ON a.pid = b.pid", "workspace.no-subject"),
        ("own", "SELECT c.pid, u.label FROM citizen c JOIN op_upload u ON u.pid = c.pid", "workspace.no-subject"),
        ("cross", "SELECT c.pid, s.pop FROM citizen c CROSS JOIN district_stat s", "workspace.multiplied"),
        ("outer", "SELECT c.pid, s.pop FROM citizen c FULL JOIN district_stat s ON s.district = c.district", "confine.filled-in"),
        ("missing", "SELECT c.pid, s.pop FROM citizen c RIGHT JOIN district_stat s ON s.district = c.district", "confine.filled-in"),
        ("scalar", "SELECT pid, (SELECT max(birth) FROM citizen) AS oldest FROM citizen", "workspace.no-subject"),
        ("byperson", "SELECT pid, count(*) AS n FROM visits GROUP BY pid", None),
        ("few", "SELECT phone, birth, count(*) AS n FROM citizen WHERE phone LIKE 'p1%' GROUP BY 1, 2", "empty"),
        ("unnamed", "SELECT pid, upper(district) FROM citizen", "workspace.column-names"),
        ("samename", "SELECT district AS a, gender AS a FROM citizen", None),
        ("hidden", "SELECT district AS \"__row\" FROM citizen", "workspace.column-names"),
        ("raw", "SELECT income FROM citizen", None),
        ("rawtoo", "SELECT income + 1 AS i, district FROM citizen", "confine.raw-in-expression"),
        ("../../evil", "SELECT district FROM district_stat", "workspace.name"),
        ("a.b", "SELECT district FROM district_stat", "workspace.name"),
        ("__x", "SELECT district FROM district_stat", "workspace.name"),
        ("people", "SELECT pid FROM citizen WHERE gender = 'F'", "workspace.name-taken"),
        ("secret", "SELECT * FROM secret.payroll", "planner.unknown-name"),
    ]
    before = alice.listed()
    for name, sql, code in unkept:
        got = alice.keep(name, sql)
        if code == "empty":
            if isinstance(got, dict): must(got["rows"], 0, f"groups of few that are kept: {sql}")
        elif not isinstance(got, str): wrong(f"kept: {sql} → {str(got)[:200]}")
        elif code and got != code: wrong(f"{sql}: {got}, wanted {code}")
    must(alice.listed() - before - {"work.few"}, set(), "nothing more is kept")
    print(f"  {len(refused)} hostile statements over what is kept, {len(unkept)} that would keep what must not be")


def differencing(served, folder, number, rng):
    """All but one person are kept; what is asked of them is taken from what is asked of all."""
    rows = pq.read_table(folder / "data" / "citizen.parquet", columns=["name", "phone", "birth", "district", "gender", "income"]).to_pylist()
    tactics = {
        "counts": ("SELECT count(*) FROM citizen WHERE {all}", "SELECT count(*) FROM {kept}", lambda alike: len(alike)),
        "distinct people": ("SELECT count(DISTINCT pid) FROM citizen WHERE {all}", "SELECT count(DISTINCT pid) FROM {kept}", lambda alike: len(alike)),
        "two kept": ("SELECT count(*) FROM {whole}", "SELECT count(*) FROM {kept}", lambda alike: len(alike)),
        "incomes": ("SELECT sum(income) FROM citizen WHERE {all}", "SELECT sum(c.income) FROM citizen c WHERE EXISTS (SELECT 1 FROM {kept} k WHERE k.pid = c.pid)", lambda alike: sum(r["income"] for r in alike)),
        "incomes of the others": ("SELECT sum(income) FROM citizen WHERE {all}", "SELECT sum(c.income) FROM citizen c JOIN {kept} k ON k.pid = c.pid", lambda alike: sum(r["income"] for r in alike)),
        "one by one": ("SELECT count(*) FROM {whole}", "SELECT count(*) FROM {whole} w WHERE NOT EXISTS (SELECT 1 FROM {one} o WHERE o.pid = w.pid)", lambda alike: len(alike)),
    }
    for name, (whole, rest, truth) in tactics.items():
        came, told = collections.Counter(), 0
        with served.copy() as copy:
            asker = Asker(copy)
            for at, row in enumerate(rng.sample(rows, number)):
                who = (f"birth = DATE '{row['birth'].year}-01-01' AND name LIKE '{row['name'][:1]}%' AND phone LIKE '{row['phone'][:3]}%' AND gender = '{row['gender']}'")
                base = f"district = '{row['district']}'"
                alike = [r for r in rows if r["district"] == row["district"] and r["gender"] == row["gender"] and r["birth"].year == row["birth"].year
                         and r["name"][:1] == row["name"][:1] and r["phone"][:3] == row["phone"][:3]]
                kept = {f"k{at}": f"SELECT pid FROM citizen WHERE {base} AND NOT ({who})", f"w{at}": f"SELECT pid FROM citizen WHERE {base}", f"o{at}": f"SELECT pid FROM citizen WHERE {base} AND {who}"}
                for called, sql in kept.items():
                    if isinstance(asker.keep(called, sql), str): wrong(f"{sql} is not kept")
                words = {"all": base, "kept": f"work.k{at}", "whole": f"work.w{at}", "one": f"work.o{at}"}
                got = [asker.ask(sql.format(**words)) for sql in (whole, rest)]
                if any(isinstance(one, str) or not one[0] or one[0][0][0] is None for one in got):
                    came["stopped"] += 1; continue
                if any(one[2] for one in got): came["perturbed"] += 1; continue
                came["exact"] += 1
                if abs(got[0][0][0][0] - got[1][0][0][0] - truth(alike)) < 1: told += 1
        print(f"  {name:24} {number} targets, {dict(came)}, {told} told")
        if told: wrong(f"{name}: {told} of {number} told")


# --- whose, and how much ---------------------------------------------------------------------------

def others(served, alice):
    """Nobody else sees it, and cannot tell whether it is there."""
    bob, other, care = Asker(served, "bob", "roads"), Asker(served, scenario="other"), Asker(served, scenario="care")
    for asker in (bob, other, care):
        must(asker.ask("SELECT count(*) FROM work.people"), asker.ask("SELECT count(*) FROM work.nothing"), f"{asker.who}/{asker.scenario}")
        strip = lambda text: re.sub("people|nothing", "", text)
        must(strip(asker.drop("people")), strip(asker.drop("nothing")), f"dropping by {asker.who}/{asker.scenario}")
    must(bob.listed(), set(), "the list of another operator")
    bob.scenario = "still"
    must(bob.drop("people") != "", True, "another's is dropped")
    must(isinstance(bob.keep("mine", "SELECT 1 AS one"), str), True, "kept in another's scenario")
    if "work.people" not in alice.listed(): wrong("work.people is gone")
    # The same name in another scenario is another.
    must(other.keep("people", "SELECT district FROM district_stat")["kept"], "work.people", "the same name")
    must(len(alice.ask("SELECT * FROM work.open")[0]) > 0, True, "still there")
    regulator = Asker(served, "rita", "still")
    must("work.people" in regulator.listed(), True, "the regulator sees what is kept")
    must(isinstance(regulator.ask("SELECT count(*) FROM work.people"), str), True, "and reads none of it")
    must(other.drop("people"), "", "one's own of that name")
    must(isinstance(alice.ask("SELECT count(*) FROM work.people"), str), False, "and not the other's")


def untold(served, alice):
    """How many rows are kept is an answer: of one person and of four thousand everything that is told looks the same."""
    few, many = (alice.keep(name, f"SELECT pid FROM citizen WHERE {where}") for name, where in (("few1", "name LIKE 'a%' AND birth = DATE '1950-01-01' AND phone LIKE 'p1%'"), ("many1", "name LIKE '%' AND birth > DATE '1900-01-01' AND phone LIKE 'p%'")))
    alice.ask("SELECT count(*) FROM work.few1"); alice.ask("SELECT count(*) FROM work.many1")
    leaves = [json.loads(line) for line in served.command("ledger", "tail", "--dir", served.dir, "--json").stdout.splitlines()]
    def stripped(leaf):
        text = json.dumps(leaf)
        text = re.sub(r'"(few1|many1)"', '"x"', text)
        text = re.sub(r"work\.(few1|many1)_\d+", "work.x", text)
        text = re.sub(r'"(query|statement|plan|digest|result|at|checkpoint|key|check)": "[^"]*"', "", text)
        return re.sub(r'"(index|number|entry|register_version|runner_cpu_ms|planner_cpu_ms|leaf|keys)": \d+', "", text)
    of = lambda name: [stripped(leaf) for leaf in leaves if f'"{name}"' in json.dumps(leaf) or f"work.{name}_" in json.dumps(leaf)]
    must(of("few1")[:2], of("many1")[:2], "the log's words of what is kept")
    same = [{k: v for k, v in told.items() if k not in ("kept", "stored_as", "query", "index", "checkpoint")} for told in (few, many)]
    must(same[0], same[1], "what is told of what is kept")
    text = json.dumps(leaves)
    if not of("few1"): wrong("the log has nothing of what is kept")
    used = {}
    for name, told in (("few1", few), ("many1", many)):
        queries = {leaf["event"]["query"] for leaf in leaves if leaf.get("event", {}).get("event") == "operation-decided" and f"work.{name}_" in json.dumps(leaf)} if isinstance(leaves[0].get("event"), dict) else set()
        ends = [leaf["event"]["used"] for leaf in leaves if isinstance(leaf.get("event"), dict) and leaf["event"].get("query") in queries | {told["query"]} and leaf["event"].get("used")]
        used[name] = [(end["scanned_bytes"], end["values_masked"]) for end in ends]
    must(used["few1"], used["many1"], "what reading and making it is metered with")


def room(folder, given, seed):
    """A quota that is judged before anything runs, by what is known anyway."""
    served = d.Domain(given.bonded, seed)
    file = served.dir / "bonded.toml"
    file.write_text(re.sub(r"(?m)^rows_max = \d+", "rows_max = 9000", file.read_text()))
    file.write_text(re.sub(r"(?m)^datasets_max = \d+", "datasets_max = 3", file.read_text()))
    with served:
        alice = Asker(served)
        must(alice.keep("a", "SELECT pid FROM citizen WHERE false")["kept"], "work.a", "none of 4000")
        must(alice.keep("b", "SELECT pid FROM citizen")["kept"], "work.b", "all of 4000")
        none, everybody = alice.keep("c", "SELECT pid FROM citizen WHERE false"), alice.keep("c", "SELECT pid FROM citizen")
        must((none, everybody), ("workspace.no-room",) * 2, "no room, whatever would be kept")
        must(alice.keep("c", "SELECT district FROM district_stat")["kept"], "work.c", "a few rows")
        must(alice.keep("d", "SELECT district FROM district_stat"), "workspace.too-many", "a fourth")
        must(alice.keep("d", "SELECT 1 AS one", "--days", "400"), "workspace.too-long", "longer than a year")
        must(alice.drop("a"), "", "dropping")
        must(alice.keep("d", "SELECT district FROM district_stat")["kept"], "work.d", "room again")
        must(alice.drop("a") != "", True, "dropping twice")
        files = sorted(str(p.parent.name) for p in served.dir.glob("data/work.*/*"))
        must(len(files), 3, f"files of what is kept: {files}")


# --- what stays after a kill, and what goes ---------------------------------------------------------

def killed(served, alice, number, rng):
    """The gateway is killed while results are kept: each is there or not, and its file with it."""
    outcomes = collections.Counter()
    for turn in range(number):
        done = {}
        keeping = threading.Thread(target=lambda: done.update(got=alice.keep(f"kill{turn}", "SELECT pid, vid, hosp, visit_date FROM visits")))
        keeping.start()
        time.sleep(rng.uniform(0.02, 0.5))
        served.stop(signal.SIGKILL)
        keeping.join()
        served.start()
        alice.wire = served.wire(alice.who, alice.scenario)
        listed = f"work.kill{turn}" in alice.listed()
        files = [p for p in served.dir.glob(f"data/work.kill{turn}_*/*")]
        counted = alice.ask(f"SELECT count(*) FROM work.kill{turn}")
        if listed: must((len(files), counted[0]), (1, alice.ask("SELECT count(*) FROM visits")[0]), "kept and killed")
        else: must((files, counted), ([], "planner.unknown-name"), "not kept and killed")
        if isinstance(done.get("got"), dict) and not listed: wrong("told as kept and gone")
        outcomes["kept" if listed else "not kept"] += 1
    keys = json.loads(served.command("key", "status", "--dir", served.dir, "--json").stdout or "{}").get("keys", [])
    named = {str(key[0]) for key in keys if "snapshot/work." in str(key[0])}
    files = {f"snapshot/{p.parent.name}/{p.stem}" for p in served.dir.glob("data/work.*/*.parquet")}
    must(named, files, "keys and files of what is kept")
    if list(served.dir.glob("data/**/*.part")): wrong("a half file is left")
    print(f"  killed {number} times: {dict(outcomes)}")


def destroyed(served, alice):
    """With its source goes what was made of it, and the certificate says so."""
    sven, dora, rita = (["-p", served.person(who) / "profile.toml", "--json"] for who in ("sven", "dora", "rita"))
    before = alice.listed()
    asked = served.command("domain", "destroy", "--dataset", "city.citizen", "--snapshot", "1", "--basis", "order", *sven)
    if asked.returncode: return wrong(f"destruction is not asked for: {asked.stderr}")
    request = json.loads(asked.stdout)["request"]
    for who in (dora, rita):
        done = served.command("domain", "approve-destruction", request, *who)
        if done.returncode: return wrong(f"not approved: {done.stderr}")
    gone = {"work.people", "work.first", "work.wide", "work.computed", "work.again", "work.flown", "work.groups"}
    must(gone & alice.listed(), set(), "what was made of it")
    must("work.visited" in alice.listed() and "work.open" in alice.listed(), True, "what was made of something else")
    for name in gone: must(alice.ask(f"SELECT count(*) FROM {name}"), "planner.unknown-name", name)
    left = [p for p in served.dir.glob("data/work.*") if p.name.rsplit("_", 1)[0] in gone]
    must(left, [], "files of what was made of it")
    folder = served.dir / "certificates" / str(request)
    envelope = json.loads((folder / "certificate.dsse.json").read_text())
    derived = json.loads(base64.b64decode(envelope["payload"]))["predicate"]["derived"]
    named = {"work." + one["kept"]["dataset"].split(".")[1].rsplit("_", 1)[0] for one in derived if "kept" in one}
    must(gone <= named, True, f"the certificate names {named}")
    verified = served.command("verify", folder, "--key", served.dir / "keys" / "manifest.pub.pem")
    must(verified.returncode, 0, f"the certificate: {verified.stderr}")
    audit = served.command("ledger", "audit", "--dir", served.dir, "--json")
    must(json.loads(audit.stdout or "{}").get("holds", "none"), True, f"the audit: {audit.stdout[:300]}{audit.stderr[:300]}")
    print(f"  {len(before) - len(alice.listed())} kept results destroyed with their source; {len(named)} on the certificate")


def lineage(served):
    """Source → kept → what was asked of it."""
    done = served.command("lineage", "events", "--dir", served.dir)
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    made = [e for e in events if e["eventType"] == "COMPLETE" and any(o["name"].startswith("work.people_") for o in e.get("outputs", []))]
    read = [e for e in events if any(i["name"].startswith("work.people_") for i in e.get("inputs", []))]
    if not made or not any(i["name"] == "city.citizen" for i in made[0]["inputs"]): wrong(f"lineage does not lead to what is kept: {done.stderr[:200]}")
    if not read: wrong("lineage does not lead from what is kept")
    print(f"  lineage: made by {len(made)}, read by {len(read)} events")


def main():
    given = d.arguments(__doc__.splitlines()[0], targets=12, kills=8)
    rng = random.Random(1)
    with d.temporary() as folder:
        seed = seeded(folder / "f1")
        needles = d.Canaries((seed / "data" / "canaries.txt").read_text().split())
        with d.Domain(given.bonded, seed) as served:
            alice = equal(served)
            hostile(served, alice)
            others(served, alice)
            untold(served, alice)
            lineage(served)
            killed(served, alice, given.kills, rng)
            destroyed(served, alice)
            found = d.canaries_in(alice.seen(), needles)
            if found: wrong(f"{len(found)} canaries received")
            files = [p for p in served.folder.rglob("*") if p.is_file()]
            for file in files:
                found = d.canaries_in([file.read_bytes()], needles)
                if found: wrong(f"{len(found)} canaries in {file}")
            print(f"  {sum(map(len, alice.seen()))} bytes received and {len(files)} files searched for canaries")
        differencing(d.Domain(given.bonded, seed), seed, given.targets, rng)
        room(folder, given, seed)
    print("0 failed" if not WRONG else f"{len(WRONG)} failed")
    sys.exit(bool(WRONG))


if __name__ == "__main__": main()
