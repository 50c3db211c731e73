"""The import gate in a production domain, by the command line: an operator's own data from its upload to the fused answer.

What it brings is refused for what it is (too few, too near to an earlier list, broken, not as declared) and for who asks;
the fused answer equals DuckDB's; at no stage does a file of the domain hold an identifier of a list; a gateway killed at
random steps leaves all or nothing. Needs grpcio, pyarrow, duckdb, cc.
"""
import csv, json, pathlib, random, re, signal, sys, threading, time
import domain as d
import procedure as p

K, CITIZENS = 10, 3000
STEPS = 0


def wrong(text): p.wrong(text)


def pid(n): return f"CIT-{n * 7919 % 10**8:08}-{n:04}"


def stranger(n): return f"NOBODY-{n:06}"


def catalogue(world):
    items = "".join(f'[[item]]\nname = "{name}"\nkind = "{kind}"\ngrade = {grade}\n{more}impact = {{ degree = "{degree}", scope = "narrow" }}\n'
                    for name, kind, grade, degree, more in [("pid", "subject_id", 3, "serious", 'domain = "person"\n'), ("district", "code", 1, "none", ""), ("cost", "amount", 2, "slight", "")])
    entry = world.file("visits.toml", '[dataset]\nname = "visits"\ntitle = "Visits"\nprovider = "health-bureau"\nsource = "register"\n'
                       f'sector = "medical"\nupdate = "daily"\nsubject = "pid"\n{items}')
    world.does("pia", "dataset", "propose", "--file", entry)
    world.does("dana", "dataset", "add", "--file", entry)
    (world.dir / "inbox").mkdir(exist_ok=True)
    world.visits = [(pid(n), f"D{n % 3}", 10 + n % 90) for n in range(CITIZENS)] + [(pid(n), f"D{n % 3}", 20 + n % 50) for n in range(0, CITIZENS, 2)]
    with open(world.dir / "inbox" / "visits.csv", "w", newline="") as file:
        rows = csv.writer(file); rows.writerow(["pid", "district", "cost"]); rows.writerows(world.visits)
    world.does("adam", "dataset", "load", "city.visits", "--file", "visits.csv")
    world.does("pia", "dataset", "assess", "city.visits", "--file", world.file("risk.json", {"level": "low", "by": "third party", "until": world.day(300)}))


def scenario(world):
    wanted = world.file("care.toml", '[scenario]\nid = "care"\nlicence = "l-1"\ntitle = "Cost of care"\npurpose = "public interest"\n'
                        'members = ["ann"]\n[[scenario.dataset]]\nname = "visits"\nitems = ["*"]\naggregate = ["cost"]\n')
    world.does("ann", "scenario", "apply", "--file", wanted)
    for aspect, by in [("reasonableness", "dana"), ("compliance", "dana"), ("security", "sam")]:
        world.does(by, "scenario", "review", "care", "--aspect", aspect)
    world.does("dana", "scenario", "approve", "care")


def entry(world, name="members", key='kind = "subject_id"\ngrade = 3\ndomain = "person"\n', more="", provider="acme"):
    return world.file(f"{name}.toml", f'[dataset]\nname = "{name}"\ntitle = "Members"\nprovider = "{provider}"\nsource = "contracts"\nsector = "credit"\n'
                      f'update = "once"\nexternal = true\nsubject = "pid"\n[[item]]\nname = "pid"\n{key}unique = true\nimpact = {{ degree = "serious", scope = "narrow" }}\n'
                      f'[[item]]\nname = "segment"\nkind = "code"\ngrade = 1\nimpact = {{ degree = "none", scope = "narrow" }}\n{more}')


def rows(world, name, ids, extra=None):
    """A list as CSV; every identifier of it is looked for in the domain's folder afterwards."""
    path = world.folder / name
    with open(path, "w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["pid", "segment"] + (["note"] if extra else []))
        out.writerows([one, f"S{n % 4}"] + ([extra(n)] if extra else []) for n, one in enumerate(ids))
    return path


def submission(world, file, listed, scenario="care"):
    agreement = world.file("agreement.txt", "the members agreed")
    return ["external", "submit", "--scenario", scenario, "--file", file, "--entry", listed, "--purpose", "what care costs members",
            "--source", "contracts with consent", "--agreement", agreement]


def submits(world, file, listed):
    done = world.does("ann", *submission(world, file, listed))
    return done.get("stands", {}).get("external", {}).get("id")


def approves(world, external, *more):
    world.does("dana", "external", "review", external, "--aspect", "lawfulness")
    return world.does("sam", "external", "review", external, "--aspect", "security", *more)


def sealed(world, stage):
    """No identifier of anybody in any file of the domain."""
    chunks = [path.read_bytes() for path in world.dir.rglob("*") if path.is_file()]
    names = [pid(n) for n in range(CITIZENS)] + [stranger(n) for n in range(2000)] + ["11010519491231002X"]
    found = d.canaries_in(chunks, names)
    if found: wrong(f"{stage}: the domain's folder holds {found[:3]}, {len(found)} in all")


def keys(world):
    done = world.run("key", "status", "--dir", world.dir)
    return re.findall(r"(?:quarantine|snapshot)/[\w.\-]+(?:/\d+)?", done.stdout)


def query(world, sql):
    code, told = world.query("ann", sql)
    return (code, json.loads(told)["rows"]) if code == 0 else (code, told)


FUSED = "SELECT m.segment, count(v.cost), avg(v.cost) FROM visits v JOIN members m ON v.pid = m.pid GROUP BY m.segment"


def fused(world, ids, stage):
    import duckdb
    at = duckdb.connect()
    at.execute("CREATE TABLE visits (pid TEXT, district TEXT, cost BIGINT)"); at.executemany("INSERT INTO visits VALUES (?, ?, ?)", world.visits)
    at.execute("CREATE TABLE members (pid TEXT, segment TEXT)"); at.executemany("INSERT INTO members VALUES (?, ?)", [(one, f"S{n % 4}") for n, one in enumerate(ids)])
    truth = {row[0]: row[1:] for row in at.execute(FUSED).fetchall()}
    code, got = query(world, FUSED)
    if code: return wrong(f"{stage}: {code} {got}")
    got = {list(row.values())[0] if isinstance(row, dict) else row[0]: (list(row.values()) if isinstance(row, dict) else row)[1:] for row in got}
    same = got.keys() == truth.keys() and all(int(got[g][0]) == truth[g][0] and abs(float(got[g][1]) - truth[g][1]) < 1e-9 for g in truth)
    if not same: wrong(f"{stage}: {got}, DuckDB has {truth}")
    else: print(f"{stage}: {len(truth)} groups as DuckDB has them")


def refusals(world):
    listed, ids = entry(world), [pid(n) for n in range(400)]
    good = rows(world, "good.csv", ids)
    before = p.entries(world)
    for who in p.ROLES:
        if who not in ("ann", "bob"): world.refused(who, *submission(world, good, listed), code=3, told="policy.action-not-permitted")
    refused = [
        (rows(world, "few.csv", ids[:9]), listed, 1, "external.too-few"),
        (world.file("broken.csv", f"pid,segment\n{ids[0]},S1\n{ids[1]}\n"), listed, 1, "vault.broken-row"),
        (rows(world, "more.csv", ids, lambda n: "x"), listed, 1, "vault.columns-unknown"),
        (world.file("twice.csv", "pid,segment\n" + f"{ids[0]},S1\n" * 40), listed, 1, "vault.duplicate"),
        (world.file("text.parquet", "no parquet"), listed, 1, "vault.not-parquet"),
        (good, entry(world, "keyless", key='kind = "code"\ngrade = 3\n'), 1, "register.subject-kind"),
        (good, entry(world, "foreign", provider="zeta"), 1, "register.not-own"),
        (good, world.file("inner.toml", listed.read_text().replace("external = true", "external = false")), 1, "register.not-own"),
    ]
    for file, of, code, told in refused:
        world.refused("ann", *submission(world, file, of), code=code, told=told)
        text = world.ask("ann", *submission(world, file, of))[1]
        if "CIT-" in str(text) or "/proc" in str(text) or str(world.dir) in str(text): wrong(f"{told} tells {text}")
    if "line 3" not in world.ask("ann", *submission(world, refused[1][0], listed))[1]: wrong("a broken row is told without its line")
    world.refused("ann", *submission(world, good, listed, "other"), told="register.not-own")
    if p.entries(world) - before > 40 or [key for key in keys(world) if key.startswith("quarantine")]: wrong(f"a refused list left {keys(world)}")
    sealed(world, "refused lists")


def the_way(world):
    listed, ids = entry(world), [pid(n) for n in range(400)] + [stranger(n) for n in range(30)]
    external = submits(world, rows(world, "list.csv", ids), listed)
    if keys(world).count(f"quarantine/{external}") != 1: wrong(f"quarantined under {keys(world)}")
    sealed(world, "in quarantine")
    code, told = query(world, "SELECT count(*) FROM members")
    if code == 0: wrong(f"what is in quarantine answers: {told}")
    for who in ("adam", "pia", "rex", "bob"):
        for aspect in ("lawfulness", "security"): world.refused(who, "external", "review", external, "--aspect", aspect, code=3, told="policy.action-not-permitted")
    world.refused("dana", "external", "review", external, "--aspect", "security", code=3, told="policy.action-not-permitted")
    world.refused("sam", "external", "review", external, "--aspect", "lawfulness", code=3, told="policy.action-not-permitted")
    for who in ("ann", "adam", "pia"): world.refused(who, "external", "report", external, code=3, told="policy.action-not-permitted")
    report = world.does("dana", "external", "report", external)
    if report["declared"]["source"] != "contracts with consent" or report["lists"][0]["distinct"] != "100 to 999": wrong(f"the report: {report}")
    world.does("dana", "external", "review", external, "--aspect", "lawfulness")
    world.refused("dana", "external", "review", external, "--aspect", "lawfulness", told="register.reviewed")
    done = world.does("sam", "external", "review", external, "--aspect", "security")
    if done["stands"]["stage"] != "granted" or done["stands"]["snapshot"] != 1: wrong(f"the second approval: {done}")
    if keys(world).count("snapshot/city.members/1") != 1 or f"quarantine/{external}" in keys(world): wrong(f"after the approval: {keys(world)}")
    sealed(world, "inside")
    fused(world, ids, "the fused answer")
    for sql, told in [("SELECT pid FROM members", ""), ("SELECT m.segment, v.cost FROM visits v JOIN members m ON v.pid = m.pid", "confine."),
                      ("SELECT segment, count(v.cost) FROM visits v JOIN members m ON v.pid = m.pid WHERE m.pid = 'CIT-00000000-0000' GROUP BY segment", "confine.")]:
        code, got = query(world, sql)
        if code == 0 and "CIT-" in str(got) or code != 0 and told not in str(got) or code == 0 and told: wrong(f"{sql}: {code} {str(got)[:200]}")
    (world.dir / "inbox" / "members.csv").write_text("pid,segment\n")
    world.refused("adam", "dataset", "load", "city.members", "--file", "members.csv", told="register.external-by-gate")
    (world.dir / "inbox" / "members.csv").unlink()
    world.refused("dana", "external", "refuse", external, "--reason", "late", told="register.step-order")


def versions(world):
    listed, ids = entry(world), [pid(n) for n in range(400)] + [stranger(n) for n in range(30)]
    for name, others in [("one more", ids + [pid(500)]), ("three fewer", ids[3:]), ("nine others", ids[9:] + [pid(n) for n in range(500, 530)])]:
        world.refused("ann", *submission(world, rows(world, "near.csv", others), listed), told="external.near-list")
    same = submits(world, rows(world, "same.csv", ids), listed)
    world.does("ann", "external", "withdraw", same)
    if f"quarantine/{same}" in keys(world): wrong("what was withdrawn has its key still")
    world.refused("sam", "external", "review", same, "--aspect", "security", told="register.step-order")
    newer = ids[40:] + [pid(n) for n in range(600, 660)]
    external = submits(world, rows(world, "newer.csv", newer), listed)
    # Of two that wait, the later knows the earlier.
    world.refused("ann", *submission(world, rows(world, "near.csv", newer + [pid(700)]), entry(world, "others")), told="external.near-list")
    approves(world, external)
    fused(world, newer, "the next version")
    # Dropping the dataset drops no history.
    world.does("dana", "dataset", "withdraw", "city.members", "--reason", "no longer used")
    world.refused("ann", *submission(world, rows(world, "near.csv", newer[:-1]), entry(world, "others")), told="external.near-list")
    # Two halves, and one more than both together.
    everybody = [pid(n) for n in range(1000, 1100)]
    for name, part in [("half", everybody[:50]), ("rest", everybody[50:])]:
        approves(world, submits(world, rows(world, "half.csv", part), entry(world, name)))
    world.refused("ann", *submission(world, rows(world, "sum.csv", everybody + [pid(1100)]), entry(world, "both")), told="external.near-list")
    sealed(world, "versions")


def tricks(world):
    """Padding, and what the entry does not say: told to the reviewers, who cannot let it in."""
    padded = [("padded with strangers", [pid(n) for n in range(2000, 2003)] + [stranger(n) for n in range(100, 140)], 0),
              ("one more behind strangers", [pid(n) for n in range(1000, 1050)] + [pid(2100)] + [stranger(n) for n in range(200, 240)], 0)]
    for n, (name, ids, _) in enumerate(padded):
        external = submits(world, rows(world, "padded.csv", ids), entry(world, f"padded{n}"))
        world.does("dana", "external", "review", external, "--aspect", "lawfulness")
        world.refused("sam", "external", "review", external, "--aspect", "security", told="external.padded")
        told = json.dumps(world.does("ann", "external", "show", external))
        if "padded\"" in told.replace(f"padded{n}", ""): wrong(f"{name}: the operator reads {told}")
        world.does("sam", "external", "refuse", external, "--reason", "not what it says")
        if f"quarantine/{external}" in keys(world): wrong(f"{name}: refused, and its key is there")
    note = '[[item]]\nname = "note"\nkind = "free_text"\ngrade = 2\nimpact = { degree = "slight", scope = "narrow" }\n'
    ids = [pid(n) for n in range(1500, 1600)]
    hidden = submits(world, rows(world, "hidden.csv", ids, lambda n: "id 11010519491231002X" if n == 7 else "none"), entry(world, "hidden", more=note))
    world.refused("sam", "external", "review", hidden, "--aspect", "security", told="external.undeclared")
    world.refused("sam", "external", "review", hidden, "--aspect", "security", "--accept-findings", "it is only one", told="external.undeclared")
    report = world.does("sam", "external", "report", hidden)
    if report["findings"]["undeclared"] != [{"column": "note", "shape": "resident-id", "values": "1 to 9", "tokenised": False}]: wrong(f"the findings: {report['findings']}")
    sealed(world, "an undeclared identity number")
    world.does("ann", "external", "withdraw", hidden)
    ids = [pid(n) for n in range(1600, 1700)]
    phones = submits(world, rows(world, "phones.csv", ids, lambda n: "call 13812345678" if n == 7 else "none"), entry(world, "phones", more=note))
    world.refused("sam", "external", "review", phones, "--aspect", "security", told="external.found")
    approves(world, phones, "--accept-findings", "the operator's own desk")


def time_passes(world):
    ids = [pid(n) for n in range(1800, 1900)]
    external = submits(world, rows(world, "late.csv", ids), entry(world, "late"))
    world.later(20)
    owed = [one["of"] for one in world.does("dana", "domain", "overdue")]
    if f"external/{external}" not in owed: wrong(f"overdue: {owed}")
    world.later(45)
    for _ in range(200):
        stage = world.does("dana", "external", "show", external)["stage"]
        if stage == "expired" and f"quarantine/{external}" not in keys(world): break
        time.sleep(0.05)
    else: wrong(f"after 65 days it is {stage}, keys {keys(world)}")
    sealed(world, "expired")


def limits(world):
    config = world.dir / "bonded.toml"
    text = config.read_text()
    world.stop()
    config.write_text(re.sub(r"external_bytes_max = \d+", "external_bytes_max = 1000", text))
    world.serve()
    ids = [pid(n) for n in range(1900, 2000)]
    world.refused("ann", *submission(world, rows(world, "large.csv", ids), entry(world, "large")), code=3, told="external.too-large")
    world.stop(); config.write_text(text); world.serve()


def killed(world):
    """kill -9 at random moments of a submission and of a second approval: all of it, or nothing."""
    dice, kept = random.Random(7), 0
    for round in range(14):
        ids = [pid(n) for n in range(2200 + round * 40, 2240 + round * 40)]
        listed, file = entry(world, f"k{round}"), rows(world, f"k{round}.csv", ids)
        approving = round % 2
        if approving:
            external = submits(world, file, listed)
            world.does("dana", "external", "review", external, "--aspect", "lawfulness")
            words = ["sam", "external", "review", external, "--aspect", "security"]
        else: words = ["ann", *submission(world, file, listed)]
        asked = threading.Thread(target=lambda: world.ask(*words)); asked.start()
        time.sleep(dice.uniform(0.02, 0.5))
        world.process.send_signal(signal.SIGKILL); world.process.wait(20); asked.join()
        world.serve()
        stands = world.does("rex", "external", "list")
        open_ids = {one["external"]["id"] for one in stands if one["stage"] == "applied"}
        in_keys = {key.split("/", 1)[1] for key in keys(world) if key.startswith("quarantine")}
        files = {path.stem for path in (world.dir / "quarantine").glob("*.parquet")}
        if not in_keys == files == open_ids: wrong(f"round {round}: on record {open_ids}, keys {in_keys}, files {files}")
        states = {one["external"]["dataset"]["name"] for one in stands if one["stage"] == "granted"}
        have = {key.split("/")[1] for key in keys(world) if key.startswith("snapshot")} - {"city.visits"}
        if have != states: wrong(f"round {round}: granted {states}, snapshots {have}")
        kept += any(one["external"]["dataset"]["name"] == f"city.k{round}" for one in stands)
        if list((world.dir).rglob("*.part")) + list((world.dir / "quarantine").glob("*.new")): wrong(f"round {round}: half files are left")
        for one in open_ids: world.does("ann", "external", "withdraw", one)
    print(f"killed 14 times, {kept} were on record")
    sealed(world, "killed")


def main():
    given = d.arguments(__doc__.splitlines()[0])
    with d.temporary() as folder:
        world = p.World(given.bonded, folder)
        try:
            p.founded(world)
            for stage in (p.people, p.papers, catalogue, p.licence, scenario, refusals, the_way, versions, tricks, limits, killed, time_passes):
                began, wrongs = time.monotonic(), len(p.WRONG)
                stage(world)
                print(f"{stage.__name__}: {time.monotonic() - began:.1f} s, {len(p.WRONG) - wrongs} wrong", flush=True)
        finally:
            world.stop()
        for words in (["ledger", "verify"], ["ledger", "audit"]):
            done = world.run(*words, "--dir", world.dir)
            if done.returncode: wrong(f"{' '.join(words)}: {done.stdout}{done.stderr}")
        print(f"{world.steps} steps on record, {p.entries(world)} entries")
    print(f"{len(p.WRONG)} failed")
    return bool(p.WRONG)


if __name__ == "__main__": sys.exit(main())
