"""Backups of a served domain, and restores: incremental, killed at random, without a key or a value in them;
what was destroyed does not come back; a log known to be longer comes back only where that is accepted.
Installs moto (PyPI) in a folder of its own as the S3-compatible store. Needs grpcio, pyarrow; the bonded binary by --bonded.
"""
import json, os, pathlib, random, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request
import pyarrow.parquet as pq
import domain as d

FAILED = []


def holds(what, seen, *more):
    print(f"{'ok' if seen else 'WRONG':5} {what}" + "".join(f"  {m}" for m in more))
    if not seen: FAILED.append(what)


def run(served, *words):
    return served.command("--json", *words)


def told(served, *words):
    done = run(served, *words)
    if done.returncode: raise SystemExit(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


def of(served, who, *words):
    return told(served, *words, "-p", served.person(who) / "profile.toml")


def events(served, name, folder=None):
    done = run(served, "ledger", "tail", "--dir", folder or served.dir)
    entries = [json.loads(line) for line in done.stdout.splitlines()]
    return [e for e in entries if e["event"]["event"] == name]


def everything(folder):
    return b"".join(f.read_bytes() for f in sorted(pathlib.Path(folder).rglob("*")) if f.is_file())


def size(folder):
    return sum(f.stat().st_size for f in pathlib.Path(folder).rglob("*") if f.is_file())


def plaintexts(seed):
    """Values of the seed's data that are long enough to be found by chance nowhere."""
    values = set()
    for file in (seed / "data").glob("*.parquet"):
        for column in pq.read_table(file).slice(0, 4000).columns:
            values |= {text.encode() for text in column.to_pylist() if isinstance(text, str) and len(text.encode()) >= 9}
    return values


def secrets(served):
    """16-byte parts of every secret in the domain's folder: raw keys, DER and what stands in PEM."""
    parts = set()
    files = [f for f in (served.dir / "keys").rglob("*") if f.is_file() and not f.name.endswith((".pub.pem", ".vkey"))]
    files += [f for f in served.dir.rglob("*key.pem") if f.is_file()]
    for file in files:
        data = file.read_bytes()
        parts |= {data[n:n + 16] for n in range(0, max(1, len(data) - 16), 8)}
    return {p for p in parts if len(p) == 16 and len(set(p)) > 6}, len(files)


def found(needles, haystack):
    """Needles in a haystack: by their first six bytes, so that one pass finds all."""
    heads = {}
    for needle in needles: heads.setdefault(needle[:6], []).append(needle)
    hits = set()
    for at in range(len(haystack) - 5):
        for needle in heads.get(haystack[at:at + 6], ()):
            if haystack.startswith(needle, at): hits.add(needle)
    return hits


def s3(served, work, keys):
    """The same into a bucket of a store that nobody here wrote (moto), over its HTTP interface."""
    venv = work / "venv"
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin" / "pip", "install", "-q", "moto[server]"], check=True)
    with socket.socket() as free: free.bind(("127.0.0.1", 0)); port = free.getsockname()[1]
    store = subprocess.Popen([venv / "bin" / "python", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try: urllib.request.urlopen(urllib.request.Request(f"{url}/kept", method="PUT")); break
            except OSError: time.sleep(0.2)
        credentials = work / "credentials.toml"
        credentials.write_text('access_key_id = "a"\nsecret_access_key = "b"\n'); credentials.chmod(0o600)
        config = served.dir / "bonded.toml"; before = config.read_text()
        config.write_text(before.replace('s3_endpoint = ""', f's3_endpoint = "{url}"').replace('s3_credentials_file = ""', f's3_credentials_file = "{credentials}"'))
        first = told(served, "backup", "create", "--dir", served.dir, "--to", "s3://kept/by/d")
        second = told(served, "backup", "create", "--dir", served.dir, "--to", "s3://kept/by/d")
        holds("into a bucket, incremental there too", second["bytes_new"] < first["bytes_new"] == first["bytes"], f"{second['bytes_new']} of {second['bytes']} bytes")
        there = ("--s3-endpoint", url, "--s3-credentials-file", credentials)
        verified = told(served, "backup", "verify", "--at", "s3://kept/by/d", *there)
        holds("it is verified from there", verified["objects"] == second["objects"], verified)
        put = told(served, "restore", work / "from-bucket", "--from", "s3://kept/by/d", "--keys", keys, *there)
        holds("and put back from there", put["size"] == second["number"], put)
        config.write_text(before)
    finally:
        store.terminate(); store.wait(20)


def killed(served, place, rounds):
    """kill -9 at random moments of a backup: each leaves a list more or none, and the next is whole."""
    took = []
    for _ in range(3):
        began = time.monotonic(); told(served, "backup", "create", "--dir", served.dir, "--to", place); took.append(time.monotonic() - began)
    longest, ended, cut = max(took), 0, 0
    for n in range(rounds):
        before = len(list((place / "backups").glob("*.list")))
        process = subprocess.Popen([served.bonded, "backup", "create", "--dir", served.dir, "--to", place], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.random() * longest)
        process.send_signal(signal.SIGKILL); process.wait()
        after = len(list((place / "backups").glob("*.list")))
        ended, cut = ended + (after > before), cut + (after == before)
        if after not in (before, before + 1): FAILED.append("a killed backup left half a list")
        verified = run(served, "backup", "verify", "--at", place)
        if verified.returncode: FAILED.append(f"after a kill the newest does not verify: {verified.stderr}")
    made = told(served, "backup", "create", "--dir", served.dir, "--to", place)
    full = told(served, "backup", "verify", "--dir", served.dir, "--number", made["number"])
    recorded = {e["event"]["backup"] for e in events(served, "backup-made")}
    listed = [json.loads(line) for line in run(served, "backup", "list", "--at", place).stdout.splitlines()]
    holds(f"{rounds} backups killed within {longest:.2f} s: whole or not there, every list on record", {l["backup"] for l in listed} <= recorded and full["files"], f"{ended} were whole, {cut} not there")
    parts = list((place / "backups").glob("*.part"))
    holds("the next one sweeps what was left", not parts and not list((place / "part").glob("*")), parts)


def main():
    options = d.arguments(__doc__, kills=20)
    work = pathlib.Path(tempfile.mkdtemp(prefix="bonded-backup-"))
    seed = d.f1_seed(work / "seed")
    with (seed / "people.toml").open("a") as people:
        people.write('\n[[person]]\nid = "adam"\nname = "管"\nrole = "domain-admin"\norganisation = "bureau"\nvetted = true\nnda_until = 2027-12-31\n')
    place = work / "elsewhere"
    served = d.Domain(options.bonded, seed)
    config = served.dir / "bonded.toml"
    config.write_text(config.read_text().replace('[backup]\nto = ""', f'[backup]\nto = "{place}"'))
    (served.dir / "inbox").mkdir(exist_ok=True)
    (served.dir / "inbox" / "left.csv").write_text("CANARY-in-the-inbox\n")
    with served:
        data = size(served.dir / "data")
        refused = run(served, "backup", "create", "-p", served.person("alice") / "profile.toml")
        holds("an operator's member takes no backup", refused.returncode == 3 and "policy.action-not-permitted" in refused.stderr, refused.returncode)
        admin = "adam"
        of(served, admin, "backup", "create")
        first = told(served, "backup", "list", "--at", place)
        holds("the administrator does, while it serves", first["bytes"] > data, f"{admin}: {first['objects']} objects, {first['bytes']} bytes, data {data}")
        wire = served.wire("alice", None)
        for n in range(30):
            try: wire.query(f"SELECT {n} AS secret_{n}")
            except d.Refused: pass
        second = of(served, admin, "backup", "create")
        holds("a second one copies only what is new", second["bytes_new"] < second["bytes"] / 2 and second["bytes_new"] < data, f"{second['bytes_new']} of {second['bytes']} bytes")
        record = events(served, "backup-made")[-1]
        holds("it is on record, by whom", record["event"]["backup"] == second["backup"] and record["event"]["by"] == admin and record["index"] == second["index"], record["event"])

        all_of_it = everything(place)
        needles, files = secrets(served)
        holds(f"no 16 bytes of {files} key files are in the backup", not found(needles, all_of_it), f"{len(needles)} parts in {len(all_of_it)} bytes")
        values = plaintexts(seed)
        holds("no value of the data, nor what lies in the inbox", len(values) > 1000 and not found(values | {b"CANARY-in-the-inbox"}, all_of_it), f"{len(values)} values")
        words = {b"PRIVATE KEY", b"secret_7", b"dataset-loaded", b"city.citizen", b"permit (", b"domain-created"}
        holds("no name, statement, event or policy", not found(words, all_of_it))
        verified = told(served, "backup", "verify", "--at", place)
        holds("anybody verifies it without a key", verified["objects"] == second["objects"] and verified["files"] is None, verified)

        # Destroyed after the backup; the keys are copied after that.
        entry = events(served, "dataset-loaded")[0]["event"]["snapshot"]
        roles = {}
        for person in events(served, "person-enrolled"): roles.setdefault(person["event"]["person"]["role"], person["event"]["person"]["id"])
        asked = of(served, roles["security-authority"], "domain", "destroy", "--dataset", entry["dataset"], "--snapshot", str(entry["number"]), "--basis", "order")
        of(served, roles["data-authority"], "domain", "approve-destruction", str(asked["request"]))
        done = of(served, roles["regulator"], "domain", "approve-destruction", str(asked["request"]))
        holds("a snapshot is destroyed after the backup", bool(done["certificate"]), f"{entry['dataset']}/{entry['number']}")
        served.stop()

        safe = work / "safe"; safe.mkdir()
        copied = told(served, "key", "copy", "--dir", served.dir, "--to", safe)
        holds("the keys are copied, numbered, on record", events(served, "keys-copied")[-1]["index"] == copied["number"] and copied["folder"].endswith(str(copied["number"])), copied)
        back = work / "back"
        put = told(served, "restore", back, "--from", place, "--keys", copied["folder"])
        gone = f"snapshot/{entry['dataset']}/{entry['number']}"
        holds("last night's backup is put back and says what does not open", put["unopened"] == [gone] and put["size"] == second["number"], put)
        audited = run(served, "ledger", "audit", "--dir", back)
        holds("the restored log holds and is audited", audited.returncode == 0, audited.stderr.strip())
        restored = events(served, "domain-restored", back)
        holds("and has the restore on record", len(restored) == 1 and restored[0]["event"]["unopened"] == 1 and restored[0]["index"] == put["index"], restored[-1:])
        bytes_there = (back / "data" / entry["dataset"] / f"{entry['number']}.parquet").is_file()
        other = d.Domain.copy(served); shutil.rmtree(other.dir); shutil.copytree(back, other.dir)
        # Everybody has their own key; the pilot's were written beside their certificates.
        for key in served.dir.glob("people/*/key.pem"): shutil.copy(key, other.dir / "people" / key.parent.name)
        with other.start():
            schema = entry["dataset"]
            try: other.wire("alice", "care").query(f"SELECT COUNT(*) FROM {schema}"); opened = True
            except d.Refused as why: opened = str(why)
            holds("a query over it is answered with no data", opened is not True, opened, f"its ciphertext is there: {bytes_there}")
            kept = next(e["event"]["snapshot"] for e in events(served, "dataset-loaded") if e["event"]["snapshot"]["dataset"] != entry["dataset"])
            # Nobody knows what left after the backup: protected data is sealed until two say that nothing did.
            asked = lambda: run(other, "query", "--scenario", "care", "SELECT count(*) FROM visits", "-p", other.person("alice") / "profile.toml")
            shut = asked()
            of(other, roles["security-authority"], "domain", "release-seal", "--dataset", "city.visits")
            for role in ("data-authority", "regulator"): of(other, roles[role], "domain", "approve-release", "--dataset", "city.visits")
            opened = asked()
            holds("protected data is sealed, and answers once two released it", "city.visits" in put["sealed"] and shut.returncode != 0 and opened.returncode == 0, put["sealed"], shut.stderr.strip()[:90], opened.stderr.strip()[:90])
            key = told(other, "backup", "verify", "--at", place)
            holds("the restored domain serves", other.process.poll() is None, f"{kept['dataset']}/{kept['number']} has its key, {key['objects']} objects verified")
        shutil.rmtree(work / "older", ignore_errors=True)
        older = run(served, "restore", work / "older", "--from", place, "--number", first["number"], "--keys", copied["folder"])
        holds("an older backup is a rollback: exit code 78, and what to do", older.returncode == 78 and "--danger-accept-rollback" in older.stderr and not (work / "older").exists(), older.stderr.strip())
        accepted = told(served, "restore", work / "older", "--from", place, "--number", first["number"], "--keys", copied["folder"], "--danger-accept-rollback")
        holds("unless that is accepted, and then it is on record", accepted["rolled_back_from"] == second["number"], accepted)
        head = work / "head"; head.write_text(served.command("ledger", "head", "--dir", served.dir).stdout)
        parted = run(served, "ledger", "verify", "--dir", back, "--old", head)
        holds("who kept a later checkpoint finds that the log parted from it", parted.returncode == 1, parted.stderr.strip())

        flips = 0
        objects = [f for f in (place / "objects").rglob("*") if f.is_file()]
        for file in random.sample(objects, min(12, len(objects))):
            whole = file.read_bytes(); at = random.randrange(len(whole))
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
            # Each backup is judged by what it holds: the older one may have an object to itself.
            flips += any(run(served, "backup", "verify", "--at", place, "--number", number).returncode == 1 and
                run(served, "restore", work / "flipped", "--from", place, "--number", number, "--keys", copied["folder"], "--danger-accept-rollback").returncode == 1
                for number in (second["number"], first["number"]))
            file.write_bytes(whole)
        holds("a flipped bit is found and nothing is put back", flips == min(12, len(objects)) and not (work / "flipped").exists(), f"{flips} bits")
        s3(served, work, copied["folder"])
        killed(served, place, options.kills)
    shutil.rmtree(work, ignore_errors=True)
    print(f"{len(FAILED)} wrong", *FAILED, sep="\n  ")
    sys.exit(bool(FAILED))


main()
