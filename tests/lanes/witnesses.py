"""Witnesses: ours and one nobody here wrote cosign our checkpoints and refuse a fork.

aics-witness (PyPI, C2SP tlog-witness; needs Python 3.12, found or given by --python) and `bonded witness`
watch the log of a domain made from fixture F1, two of two in its policy. Then: an export that carries both
cosignatures, verified with the policy by `bonded verify` and by the script; the domain put back from a copy,
with and without new entries, which does not start, and whose checkpoints both witnesses refuse; a witness
killed again and again; one that is away; cosigning by file. Needs openssl, jq.
"""
import json, pathlib, re, shutil, signal, socket, sqlite3, subprocess, sys, threading, time, urllib.error, urllib.request
import domain as d

WRONG = []
SQL = "SELECT district, pop FROM city.district_stat"


def wrong(text):
    WRONG.append(text); print("WRONG", text)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*words, **more):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, **more)


class Ours:
    """`bonded witness` in a folder."""

    def __init__(self, bonded, folder, name="regulator.example/w"):
        self.bonded, self.dir, self.process, self.evidence = bonded, folder, None, 0
        self.vkey = run(bonded, "witness", "init", folder, "--name", name).stdout.strip()
        self.port = free_port()

    def watch(self, vkey_file):
        done = run(self.bonded, "witness", "watch", "--dir", self.dir, vkey_file)
        if done.returncode: wrong(f"watch: {done.stderr}")

    def start(self):
        self.process = subprocess.Popen([self.bonded, "witness", "serve", "--dir", self.dir, "--listen", f"127.0.0.1:{self.port}"],
                                        stdout=subprocess.PIPE, text=True)
        if not self.process.stdout.readline().startswith("ready"): raise SystemExit("bonded witness did not start")
        return self

    def stop(self, how=signal.SIGTERM):
        if self.process: self.process.send_signal(how); self.process.wait(10); self.process = None

    def size(self):
        status = json.loads(run(self.bonded, "witness", "status", "--dir", self.dir, "--json").stdout)
        return status["logs"][0]["size"], status["logs"][0]["evidence"]


class Aics:
    """aics-witness from PyPI in its own environment."""

    def __init__(self, python, folder):
        self.folder, self.process, self.port = folder, None, free_port()
        folder.mkdir()
        subprocess.run([python, "-m", "venv", folder / "venv"], check=True, capture_output=True)
        subprocess.run([folder / "venv/bin/pip", "install", "-q", "aics-witness==0.1.0"], check=True, capture_output=True)
        self.config = folder / "witness.json"
        done = self.command("init", "--name", "aics.example/w", "--listen", f"127.0.0.1:{self.port}")
        found = re.search(r"aics\.example/w\+\S+", done.stdout + done.stderr)
        if not found: raise SystemExit(f"aics-witness init: {done.stdout}{done.stderr}")
        self.vkey = found.group(0)

    def command(self, verb, *words):
        return run(self.folder / "venv/bin/aics-witness", verb, "--config", self.config, *words)

    def watch(self, vkey):
        done = self.command("add-log", "--origin", vkey.split("+")[0], "--vkey", vkey)
        if done.returncode: wrong(f"aics add-log: {done.stderr}")

    def start(self):
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen([self.folder / "venv/bin/aics-witness", "serve", "--config", self.config],
                                        stdout=self.log, stderr=self.log, cwd=self.folder)
        for _ in range(400):
            try: socket.create_connection(("127.0.0.1", self.port), 0.2).close(); return self
            except OSError: time.sleep(0.05)
        raise SystemExit("aics-witness did not start")

    def stop(self):
        if self.process: self.process.terminate(); self.process.wait(10); self.process = None


def python_of(given):
    """A Python that aics-witness takes."""
    for candidate in [given, "python3.14", "python3.13", "python3.12", "python3", *sorted(map(str, pathlib.Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python")))]:
        if not candidate: continue
        try: version = run(candidate, "-c", "import sys, venv, ensurepip; print(sys.version_info >= (3, 12))")
        except OSError: continue
        if version.stdout.strip() == "True": return candidate
    return None


def submit(port, body):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/add-checkpoint", body.encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer: return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error: return error.code, error.read().decode()


def configure(served, policy, **more):
    (served.dir / "witness.tlog-policy").write_text(policy)
    settings = {"policy": "witness.tlog-policy", "authorities": "", "interval_ms": 200, "answer_ms_max": 5000,
                "export_wait_ms_max": 5000, "lag_seconds_max": 3600, **more}
    file = served.dir / "bonded.toml"
    text = re.sub(r"\n\[witness\][^\[]*", "\n", file.read_text())
    lines = [f"{k} = {json.dumps(v)}" for k, v in settings.items()]
    file.write_text(text.rstrip() + "\n\n[witness]\n" + "\n".join(lines) + "\n")


def export(served, package):
    shutil.rmtree(package, ignore_errors=True)
    return served.command("export", "-p", served.person("alice") / "profile.toml", "-o", package, SQL)


def judged(served, package, policy_file):
    """Both of our verifiers on a package, with a policy from outside."""
    key = served.dir / "keys" / "manifest.pub.pem"
    ours = run(served.bonded, "verify", package, "--key", key, "--policy", policy_file)
    script = run("sh", package / "verify.sh", key, policy_file)
    return ours.returncode == 0, script.returncode == 0, ours.stderr + script.stderr


def until(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what(): return True
        time.sleep(0.05)
    return False


def entries(served, word):
    with sqlite3.connect(f"file:{served.dir}/ledger/ledger.db?mode=ro", uri=True) as db:
        tables = [t for (t,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            columns = [c[1] for c in db.execute(f"PRAGMA table_info({table})")]
            if "leaf" in columns: return sum(word.encode() in bytes(leaf) if not isinstance(leaf, str) else word in leaf for (leaf,) in db.execute(f"SELECT leaf FROM {table}"))
    raise SystemExit("no entries found in the ledger's database")


def copied(served):
    """The domain as it is now, with its keys: what a backup holds."""
    other = served.copy()
    (other.dir / "lock").unlink(missing_ok=True)
    return other


def serves(served):
    """What `bonded serve` says where it should not start."""
    process = subprocess.Popen([served.bonded, "serve", "--dir", served.dir, "--flight", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try: out, err = process.communicate(timeout=20)
    except subprocess.TimeoutExpired: process.kill(); out, err = process.communicate(); return 0, out + err
    return process.returncode, out + err


def witnessed(served, folder, ours, aics, policy):
    """Both cosign; an export carries both; verifiers with the policy see them."""
    package = folder / "package"
    done = export(served, package)
    if done.returncode: wrong(f"export under 2 of 2: {done.stderr}"); return
    proof = (package / "ledger.tlog-proof").read_text()
    for name in ("regulator.example/w", "aics.example/w"):
        if f"— {name} " not in proof: wrong(f"{name} is not under the package's checkpoint")
    trusted = folder / "trusted.tlog-policy"
    trusted.write_text(policy)
    verdict = judged(served, package, trusted)
    if verdict[:2] != (True, True): wrong(f"a witnessed package is rejected: {verdict}")
    stripped = folder / "stripped"
    shutil.copytree(package, stripped)
    lines = [line for line in proof.splitlines(True) if not line.startswith("— aics.example/w ")]
    (stripped / "ledger.tlog-proof").write_text("".join(lines))
    verdict = judged(served, stripped, trusted)
    if verdict[:2] != (False, False): wrong(f"a package without one of two witnesses is accepted: {verdict}")
    others = folder / "others.tlog-policy"
    others.write_text(policy.replace(ours.vkey, run(served.bonded, "witness", "init", folder / "other", "--name", "other.example/w").stdout.strip()))
    verdict = judged(served, package, others)
    if verdict[:2] != (False, False): wrong(f"another's witness is accepted: {verdict}")
    print(f"  cosigned by both: ours at {ours.port}, aics-witness 0.1.0; {len(proof)} bytes of proof")


def forked(served, early, ours, aics, folder):
    """The early copy does not start; made to grow, its checkpoints are refused by both."""
    code, said = serves(early)
    if code != 78: wrong(f"a domain put back from a copy starts: {code} {said[:200]}")
    print(f"  put back from a copy: exit {code}: {said.strip().splitlines()[-1][:150]}")
    # Whoever runs it without witnesses makes a fork under the same key.
    (early.dir / "bonded.toml").write_text(re.sub(r'policy = ".*"', 'policy = ""', (early.dir / "bonded.toml").read_text()))
    early.start()
    person = early.person("alice") / "profile.toml"
    for _ in range(60): early.command("query", "-p", person, SQL, "--format", "csv")
    early.stop()
    seen = {"ours": None, "aics": None}
    for name, port in (("ours", ours.port), ("aics", aics.port)):
        status, size = submit(port, "old 0\n\n" + checkpoint(early))
        if status != 409: wrong(f"{name} answers {status} to an old size of 0"); continue
        seen[name] = int(size)
        configure(early, policy_of(ours, aics))
        body = fork_request(early, name, int(size), folder)
        status, said = submit(port, body)
        if status not in (409, 422): wrong(f"{name} cosigns a fork: {status} {said[:100]}")
        else: print(f"  {name} refuses the fork of size {body.split(chr(10) * 2)[1].splitlines()[1]} after {size.strip()}: {status}")
    code, said = serves(early)
    if code != 78: wrong(f"a fork that grew past its witnesses starts: {code} {said[:200]}")
    print(f"  the fork, grown past its witnesses: exit {code}")


def checkpoint(served):
    return run(served.bonded, "ledger", "head", "--dir", served.dir).stdout


def fork_request(served, witness, old, folder):
    """The fork's own request, with the proof from that size on."""
    out = folder / f"fork-{witness}"
    done = run(served.bonded, "witness", "request", "--dir", served.dir, "--witness", witness, "--from", old, "-o", out)
    if done.returncode: wrong(f"the fork's request: {done.stderr}")
    return out.read_text()


def policy_of(ours, aics, quorum="group both all ours aics\nquorum both"):
    lines = f"witness ours {ours.vkey} http://127.0.0.1:{ours.port}\n"
    if aics: lines += f"witness aics {aics.vkey} http://127.0.0.1:{aics.port}\n"
    return lines + quorum + "\n"


def killed(served, ours, times):
    """kill -9 of our witness while checkpoints come: its record never goes back."""
    person = served.person("alice") / "profile.toml"
    ending = threading.Event()
    def load():
        while not ending.is_set(): served.command("query", "-p", person, SQL, "--format", "csv")
    thread = threading.Thread(target=load); thread.start()
    last, known = 0, ours.evidence
    for n in range(times):
        time.sleep(0.15 + 0.07 * (n % 5))
        held = json.loads(run(served.bonded, "witness", "status", "--dir", served.dir, "--json").stdout)
        given = next(w["size"] for w in held["witnesses"] if w["witness"] == "ours")
        ours.stop(signal.SIGKILL)
        size, evidence = ours.size()
        if size < given or size < last: wrong(f"after kill -9 the record is at {size}, {max(given, last)} were cosigned")
        if evidence != known: wrong("evidence against an honest log")
        last = size
        ours.start()
    ending.set(); thread.join()
    print(f"  {times} times killed with -9 under load: the record ends at {last} and never went back")


def away(served, ours, folder):
    """Without its witness a domain answers; exports follow the policy; the lag goes on record."""
    person = served.person("alice") / "profile.toml"
    ours.stop()
    before = entries(served, "export-withheld")
    done = export(served, folder / "none")
    if done.returncode == 0 or "witness.no-quorum" not in done.stderr: wrong(f"an export without its quorum: {done.returncode} {done.stderr[:200]}")
    if (folder / "none").exists(): wrong("a withheld export left files")
    if entries(served, "export-withheld") != before + 1: wrong("a withheld export is not on record")
    if served.command("query", "-p", person, SQL, "--format", "csv").returncode: wrong("a query needs the witness")
    if not until(lambda: entries(served, "witness-lagged") > 0): wrong("a witness that lags is not on record")
    time.sleep(1)
    if entries(served, "witness-lagged") != 1: wrong(f"the lag is on record {entries(served, 'witness-lagged')} times")
    served.stop()
    configure(served, policy_of(ours, None, "quorum none"))
    served.start()
    if export(served, folder / "unwitnessed").returncode: wrong("`quorum none` waits for a witness")
    served.stop()
    print("  witness away: queries answered, export refused (witness.no-quorum) and on record, lag on record once; quorum none exports")


def air_gap(served, ours, folder):
    """Request out, cosigned back, as files."""
    configure(served, f"witness ours {ours.vkey}\nquorum ours\n")
    words = lambda *w: run(served.bonded, "witness", *w)
    shutil.rmtree(served.dir / "ledger" / "cosigned", ignore_errors=True)
    out, back = folder / "request", folder / "cosigned"
    size = ours.size()[0]
    first = words("request", "--dir", served.dir, "--witness", "ours", "-o", out)
    refused = words("cosign", "--dir", ours.dir, out, "-o", back)
    # The domain forgot what the witness saw: it is told, as over HTTP.
    if refused.returncode != 3 or str(size) not in refused.stderr: wrong(f"a request from 0: {refused.returncode} {refused.stderr}")
    words("request", "--dir", served.dir, "--witness", "ours", "--from", size, "-o", folder / "request-from")
    if words("cosign", "--dir", ours.dir, folder / "request-from", "-o", folder / "cosigned-from").returncode: wrong("a request from the size told is refused")
    fresh = Ours(served.bonded, folder / "gap", "gap.example/w")
    fresh.watch(served.dir / "keys" / "ledger.vkey")
    configure(served, f"witness ours {fresh.vkey}\nquorum ours\n")
    for n in range(3):
        out, back = folder / f"request{n}", folder / f"cosigned{n}"
        for done in (words("request", "--dir", served.dir, "--witness", "ours", "-o", out), words("cosign", "--dir", fresh.dir, out, "-o", back),
                     words("accept", "--dir", served.dir, back)):
            if done.returncode: wrong(f"by file: {done.args[2]}: {done.stderr}")
        status = json.loads(words("status", "--dir", served.dir, "--json").stdout)
        if status["quorum"] != fresh.size()[0]: wrong(f"by file: {status}")
        # Grow a little: opening the domain appends that it was opened.
        configure(served, f"witness ours {fresh.vkey}\nquorum none\n"); served.start(); served.stop()
        configure(served, f"witness ours {fresh.vkey}\nquorum ours\n")
    foreign = folder / "foreign"
    foreign.write_text(back.read_text().replace("gap.example", "gip.example"))
    if words("accept", "--dir", served.dir, foreign).returncode == 0: wrong("another's cosignature is taken")
    print("  by file: request, cosign, accept three times over; another's line and a request from a size not seen are refused")


def main():
    options = d.arguments(__doc__, python="", kills=20, optional=0)
    with d.temporary() as folder:
        python = python_of(options.python)
        if not python:
            if not options.optional: wrong("no Python 3.12 for aics-witness; give one by --python")
            print("  aics-witness is left out: it needs Python 3.12")
        with d.Domain(options.bonded, d.f1_seed(folder / "seed")) as served:
            served.stop()
            ours = Ours(served.bonded, folder / "ours")
            ours.watch(served.dir / "keys" / "ledger.vkey")
            ours.start()
            aics = None
            if python:
                aics = Aics(python, folder / "aics")
                aics.watch((served.dir / "keys" / "ledger.vkey").read_text().strip())
                aics.start()
            two = "group both all ours aics\nquorum both" if aics else "quorum ours"
            configure(served, policy_of(ours, aics, two))
            early = copied(served)
            log = f"log {(served.dir / 'keys' / 'ledger.vkey').read_text().strip()}\n"
            served.start()
            if aics:
                witnessed(served, folder, ours, aics, log + policy_of(ours, aics, two))
                forked(served, early, ours, aics, folder)
                kept = aics.command("evidence").stdout
                if "{" not in kept: wrong("aics-witness kept no evidence of the fork")
            shutil.rmtree(early.folder, ignore_errors=True)
            served.stop()
            ours.stop()
            if aics:
                ours.evidence = ours.size()[1]
                if ours.evidence == 0: wrong("our witness kept no evidence of the fork")
                aics.stop()
            ours.start()
            configure(served, policy_of(ours, None, "quorum ours"), lag_seconds_max=2)
            served.start()
            killed(served, ours, options.kills)
            away(served, ours, folder)
            air_gap(served, ours, folder)
            done = run(served.bonded, "ledger", "verify", "--dir", served.dir)
            if done.returncode: wrong(f"the ledger: {done.stderr}")
    print("witnesses: " + ("FAILED" if WRONG else "as claimed"))
    return 1 if WRONG else 0


if __name__ == "__main__":
    sys.exit(main())
