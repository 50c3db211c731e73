"""kill -9 in the place of every change of a file, in every act that changes what a domain holds: all of it or nothing.

Acts: data comes in, is sealed, is destroyed with what was made of it; keys are rotated and copied; a backup; a result is
kept and dropped; an operator's own data is submitted and let in. A library loaded before the C library (crash.c, compiled
here) kills the real program instead of its n-th create, write, sync, rename, link or unlink in the domain's folder; n runs
over all of them (--step 1). After each kill the gateway starts again, and: log, keys and files tell of the same data,
no half file is left, statements are answered, and the act is done already or can be done now. Needs cc, grpcio, pyarrow.
"""
import collections, datetime, json, os, pathlib, re, shutil, signal, subprocess, sys, tempfile, time
import domain as d

WRONG = []


def wrong(text):
    WRONG.append(text); print("WRONG", text, flush=True)


ADAM = '\n[[person]]\nid = "adam"\nname = "adam"\nrole = "domain-admin"\norganisation = "domain"\nvetted = true\nnda_until = 2099-12-31\n'
PEOPLE = "SELECT pid, birth, district FROM citizen"
LISTED = """[dataset]
name = "members"
title = "Members"
provider = "op-a"
source = "contracts"
sector = "general"
update = "once"
external = true
subject = "pid"
[[item]]
name = "pid"
kind = "subject_id"
domain = "person"
grade = 3
unique = true
impact = { degree = "serious", scope = "narrow" }
[[item]]
name = "segment"
kind = "code"
grade = 1
impact = { degree = "none", scope = "narrow" }
"""


class World(d.Domain):
    def tail(self):
        done = self.command("ledger", "tail", "--dir", self.dir, "--json")
        return [json.loads(line)["event"] for line in done.stdout.splitlines()]

    def ask(self, who, *words):
        return self.command(*words, "-p", self.person(who) / "profile.toml", "--json")

    def does(self, who, *words):
        done = self.ask(who, *words)
        if done.returncode: raise SystemExit(f"{who}: {words}: {done.returncode} {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def reset(self, base):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.dir)
        shutil.copytree(base, self.dir)
        shutil.rmtree(self.safe, ignore_errors=True)

    def serve(self, **shim):
        self.env = shim
        return self.start()


# --- what must hold after every kill ----------------------------------------------------------------

def recorded(events):
    """Data that stands by the log: name/number. And what lies in quarantine."""
    stands, lies, pending = set(), set(), {}
    for e in events:
        name = e["event"]
        if name == "dataset-loaded": stands.add((e["snapshot"]["dataset"], e["snapshot"]["number"]))
        elif name == "external-step":
            lies.discard(e["external"]["id"])
            if e["stage"] == "applied": lies.add(e["external"]["id"])
            elif e.get("snapshot"): stands.add((e["snapshot"]["dataset"], e["snapshot"]["number"]))
        elif name == "derived-kept": stands.add((f"work.{e['derived']['name']}_{e['derived']['number']}", e["derived"]["number"]))
        elif name == "derived-dropped": stands = {s for s in stands if s[0] != e["dataset"]}
        elif name == "destruction-requested": pending[len(pending)] = (e["dataset"], e["snapshot"])
        elif name == "destruction-certified": stands -= set(pending.values())
    return stands, lies


def whole(served, where):
    """Log, keys and files tell of the same; no half file; what stands is answered."""
    stands, lies = recorded(served.tail())
    status = served.command("key", "status", "--dir", served.dir).stdout
    keys = {(name, int(number)) for name, number in re.findall(r"snapshot/([\w.\-]+)/(\d+)", status)}
    files = {(p.parent.name, int(p.stem)) for p in served.dir.glob("data/*/*.parquet")}
    if not stands == keys == files: wrong(f"{where}: on record {sorted(stands ^ keys)} unlike the keys, {sorted(stands ^ files)} unlike the files")
    kept = set(re.findall(r"quarantine/([\w\-]+)", status))
    quarantined = {p.stem for p in (served.dir / "quarantine").glob("*.parquet")}
    if not lies == kept == quarantined: wrong(f"{where}: in quarantine {lies} by the log, {kept} by the keys, {quarantined} by the files")
    # The next backup, or copy of keys, does away with what its place has of one that does not count.
    inside = [p for p in served.dir.rglob("*") if served.backup not in p.parents]
    if "again" in where: inside += served.safe.glob("*")
    half = [str(p.relative_to(served.folder)) for p in inside if p.suffix in (".part", ".new", ".tmp") or p.name.startswith(".tmp")]
    if half: wrong(f"{where}: half files {half}")


def answer(served, sql="SELECT count(*) FROM visits"):
    try: return served.wire("alice", "care").rows(sql)[0].to_pylist()[0]
    except d.Refused as refused: return refused.text.split(":")[0]


# --- the acts --------------------------------------------------------------------------------------

class Act:
    """Something that is done by somebody through the gateway, or offline (`who` is none)."""
    who, expected = "adam", None
    def prepare(self, served): pass
    def words(self, served): raise NotImplementedError
    def done(self, served): raise NotImplementedError
    def judge(self, served, where): pass


class Load(Act):
    name = "load"
    def prepare(self, served):
        (served.dir / "inbox").mkdir(exist_ok=True)
        shutil.copy(served.seed / "data" / "visits.parquet", served.dir / "inbox" / "visits.parquet")
    def words(self, served): return ["dataset", "load", "city.visits", "--file", "visits.parquet"]
    def done(self, served): return ("city.visits", 2) in recorded(served.tail())[0]


class Seal(Act):
    name, who, expected = "seal", "sven", "planner.unknown-name"
    def prepare(self, served): served.does("alice", "materialise", "--scenario", "care", "--name", "people", PEOPLE)
    def words(self, served): return ["domain", "seal", "--dataset", "city.citizen", "--basis", "order", "--until", str(datetime.date.today() + datetime.timedelta(days=30))]
    def done(self, served): return bool(served.does("rita", "domain", "seals"))
    def judge(self, served, where):
        found = served.does("rita", "domain", "seal-check", "--dataset", "city.citizen")
        if not found["holds"] or len(found["files"]) != 2: wrong(f"{where}: a seal stands in part: {found}")
        told = served.ask("alice", "query", "--scenario", "care", "SELECT count(*) FROM citizen")
        if told.returncode == 0: wrong(f"{where}: sealed data is answered")


class Destroy(Act):
    name, who = "destroy", "rita"
    def prepare(self, served):
        served.does("alice", "materialise", "--scenario", "care", "--name", "people", PEOPLE)
        self.request = str(served.does("sven", "domain", "destroy", "--dataset", "city.citizen", "--snapshot", "1", "--basis", "order")["request"])
        served.does("dora", "domain", "approve-destruction", self.request)
    def words(self, served): return ["domain", "approve-destruction", self.request]
    def done(self, served): return any(e["event"] == "destruction-certified" for e in served.tail())
    def judge(self, served, where):
        folder = served.dir / "certificates" / self.request
        verified = served.command("verify", folder, "--key", served.dir / "keys" / "manifest.pub.pem")
        if verified.returncode: wrong(f"{where}: the certificate: {verified.stdout}{verified.stderr}")
        if served.listed(): wrong(f"{where}: what was made of it is kept")


class Rotate(Act):
    name, who = "rotate", None
    def words(self, served): return ["key", "rotate", "--dir", served.dir]
    def done(self, served): return any(e["event"] == "keys-rotated" for e in served.tail())


class Copy(Act):
    name, who = "copy keys", None
    def words(self, served): return ["key", "copy", "--dir", served.dir, "--to", served.safe]
    def done(self, served): return any(p.suffix != ".part" for p in served.safe.glob("keys-*"))


class Backup(Act):
    name = "backup"
    def prepare(self, served):
        file = served.dir / "bonded.toml"
        text = file.read_text()
        file.write_text(re.sub(r'(?m)^to = ""', f'to = "{served.backup}"', text))
    def words(self, served): return ["backup", "create"]
    def done(self, served):
        told = served.command("--json", "backup", "list", "--at", served.backup)
        return told.returncode == 0 and bool(told.stdout.strip())
    def judge(self, served, where):
        verified = served.command("backup", "verify", "--at", served.backup)
        if verified.returncode: wrong(f"{where}: the backup: {verified.stderr}")


class Keep(Act):
    name, who = "keep", "alice"
    def words(self, served): return ["materialise", "--scenario", "care", "--name", "people", PEOPLE]
    def done(self, served): return "work.people" in served.listed()
    def judge(self, served, where):
        if answer(served, "SELECT count(*) FROM work.people") != answer(served, "SELECT count(*) FROM citizen"): wrong(f"{where}: what is kept is not what was made")


class Drop(Keep):
    name = "drop"
    def prepare(self, served): served.does("alice", "materialise", "--scenario", "care", "--name", "people", PEOPLE)
    def words(self, served): return ["workspace", "drop", "--scenario", "care", "people"]
    def done(self, served): return not served.listed()
    def judge(self, served, where): pass


class Submit(Act):
    name, who = "submit", "alice"
    def prepare(self, served):
        import csv, pyarrow.parquet as pq
        people = pq.read_table(served.seed / "data" / "citizen.parquet", columns=["pid"]).column("pid").to_pylist()
        with open(served.folder / "members.csv", "w", newline="") as file:
            rows = csv.writer(file); rows.writerow(["pid", "segment"])
            rows.writerows([pid, f"S{n % 4}"] for n, pid in enumerate(sorted(set(people))[:400]))
        (served.folder / "members.toml").write_text(LISTED)
        (served.folder / "agreement.txt").write_text("agreed")
    def words(self, served):
        return ["external", "submit", "--scenario", "care", "--file", served.folder / "members.csv", "--entry", served.folder / "members.toml",
                "--purpose", "care", "--source", "contracts", "--agreement", served.folder / "agreement.txt"]
    def done(self, served): return any(one["stage"] == "applied" for one in served.does("rita", "external", "list"))


class LetIn(Submit):
    name, who = "let in", "sven"
    def prepare(self, served):
        super().prepare(served)
        self.id = served.does("alice", *super().words(served))["stands"]["external"]["id"]
        served.does("dora", "external", "review", self.id, "--aspect", "lawfulness")
    def words(self, served): return ["external", "review", self.id, "--aspect", "security"]
    def done(self, served): return any(one["stage"] == "granted" for one in served.does("rita", "external", "list"))


ACTS = (Load, Seal, Destroy, Rotate, Copy, Backup, Keep, Drop, Submit, LetIn)


# --- killing ---------------------------------------------------------------------------------------

def place(line, folder):
    """The name of a failpoint: which call, on which kind of file."""
    _, call, path = line.split(" ", 2)
    name = re.sub(r"[0-9a-f]{8,}|\d+|x-\w+", "#", path.replace(str(folder), ""))
    return f"{call} {name}"


def attempt(served, act, shim):
    """The act once, under the shim; whether it went through, and whether the process was killed."""
    arm = served.folder / "arm"
    arm.unlink(missing_ok=True)
    loaded = {"LD_PRELOAD": str(served.shim), "CRASH_IN": f"{served.folder if act.who is None else served.dir}/", **shim}
    if act.who is None:
        done = subprocess.run([served.bonded, *map(str, act.words(served))], capture_output=True, text=True, env={**os.environ, **loaded})
        served.env = {}
        return done, done.returncode == -signal.SIGKILL
    served.serve(**loaded, CRASH_ARM=str(arm))
    arm.touch()
    done = served.ask(act.who, *act.words(served))
    # Whatever goes on behind the answer has its time; then it ends like a process that is told to.
    killed = served.process.poll() is not None
    if not killed:
        served.process.send_signal(signal.SIGTERM)
        killed = served.process.wait(20) == -signal.SIGKILL
    arm.unlink()
    return done, killed


def run(served, act, base, given):
    served.reset(base)
    if act.who is not None or type(act).prepare is not Act.prepare: served.serve()
    act.prepare(served)
    served.stop()
    prepared = served.folder / "prepared"
    shutil.rmtree(prepared, ignore_errors=True)
    shutil.copytree(served.dir, prepared)
    trace = served.folder / "trace"
    trace.unlink(missing_ok=True)
    done, _ = attempt(served, act, {"CRASH_TRACE": str(trace)})
    if done.returncode: wrong(f"{act.name}: it fails undisturbed: {done.stdout}{done.stderr}"); return
    lines = trace.read_text().splitlines()
    names = collections.Counter(place(line, served.dir) for line in lines)
    took, cases = collections.Counter(), list(range(1, len(lines) + 1, given.step))
    for turn, number in enumerate(cases):
        where = f"{act.name}, killed at {number} of {len(lines)} ({place(lines[number - 1], served.dir)})"
        served.reset(prepared)
        told, killed = attempt(served, act, {"CRASH_AT": str(number)})
        try: served.serve()
        except SystemExit:
            said = (served.folder / "serve.log").read_text(errors="replace").splitlines()[-3:]
            wrong(f"{where}: it does not start again: {said}"); continue
        whole(served, where)
        done = act.done(served)
        if told.returncode == 0 and not done: wrong(f"{where}: told as done, and is not")
        took["not killed" if not killed else "done" if done else "nothing"] += 1
        if not done:
            if act.who is None: served.stop()
            again = served.command(*act.words(served)) if act.who is None else served.ask(act.who, *act.words(served))
            if act.who is None: served.serve()
            if again.returncode or not act.done(served): wrong(f"{where}: not done, and cannot be: {again.stdout}{again.stderr}")
            whole(served, where + ", done again")
        act.judge(served, where)
        if answer(served) != served.truth: wrong(f"{where}: {answer(served)}, not {served.truth}")
        served.stop()
        for words in (["ledger", "verify"], ["ledger", "audit"]):
            judged = served.command(*words, "--dir", served.dir)
            if judged.returncode: wrong(f"{where}: {' '.join(words)}: {judged.stdout}{judged.stderr}")
        if sys.stderr.isatty(): sys.stderr.write(f"\r{act.name}: {turn + 1}/{len(cases)} kills"); sys.stderr.flush()
    print(f"{act.name:10} {len(lines):4} changes of {len(names)} kinds, killed at {len(cases)}: {dict(took)}, {len(WRONG)} wrong so far", flush=True)
    if given.names:
        for name, times in sorted(names.items()): print(f"    {times:4} {name}")


def main():
    given = d.arguments(__doc__.splitlines()[0], step=1, names=False, acts="")
    with d.temporary() as folder:
        seed = d.f1_seed(folder / "seed")
        people = seed / "people.toml"
        people.write_text(people.read_text() + ADAM)
        shim = folder / "crash.so"
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, pathlib.Path(__file__).with_suffix(".c"), "-ldl"], check=True)
        served = World(given.bonded, seed)
        served.seed, served.shim = seed, shim
        served.safe, served.backup = served.folder / "safe", served.dir / "backup"
        served.listed = lambda: {one["kept"] for one in served.does("alice", "workspace", "list")}
        try:
            served.serve()
            served.truth = answer(served)
            served.stop()
            base = served.folder / "base"
            shutil.copytree(served.dir, base)
            wanted = [act() for act in ACTS if not given.acts or act.name in given.acts.split(",")]
            for act in wanted: run(served, act, base, given)
        finally:
            served.stop(signal.SIGKILL)
            shutil.rmtree(served.folder, ignore_errors=True)
    print(f"{len(WRONG)} failed")
    return bool(WRONG)


if __name__ == "__main__": sys.exit(main())
