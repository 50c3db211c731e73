"""Whose keys a runner has. Two ways: an enemy's code in the runner (a test build, `cargo build -p cli --example
hostile`) tries all it was given on every column of its file; and the memory of every process of a gateway, front,
zygotes, waiting children and one at work, is searched for every key of the domain, which are derived here from the
root key by a program that shares no line with ours.

Needs root, to read the memory of processes; grpcio, cryptography.
"""
import base64, hashlib, hmac, json, os, pathlib, re, signal, struct, sys, threading, time
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
import domain as d

WRONG = []
ROWS = "SELECT district FROM citizen"
# At work for seconds, over the same columns.
LONG = "SELECT max(a.district) FROM citizen AS a CROSS JOIN citizen AS b CROSS JOIN citizen AS c WHERE a.district < b.district AND b.district < c.district"
GRANTED = {"district", "__row", "__subject"}


def check(holds, text):
    if not holds: WRONG.append(text); print("WRONG", text, flush=True)


def derived(key, purpose, name=b""):
    """RFC 5869, with the parts of docs/keys.md."""
    info = struct.pack(">Q", len(purpose)) + purpose + struct.pack(">Q", len(name)) + name
    extracted = hmac.new(b"bonded keys v1", key, hashlib.sha256).digest()
    return hmac.new(extracted, info + b"\1", hashlib.sha256).digest()


def keys_of(folder, items):
    """Every key of a pilot's domain, by name; of each snapshot the keys of these items."""
    newest = max((folder / "keys").glob("ring.*.json"), key=lambda path: int(path.name.split(".")[1]))
    ring = json.loads(newest.read_text().splitlines()[0])
    opened = lambda key, wrapped, context: AESGCM(key).decrypt(wrapped[:12], wrapped[12:], context)
    root = (folder / "keys" / "roots" / f"{ring['root']}.key").read_bytes()
    storage = opened(derived(root, b"wrap", b"storage"), base64.b64decode(ring["storage"]["wrapped"]), ring["root"].encode())
    keys = {"root": root, "storage": storage}
    for name, wrapped in ring["keys"].items():
        context = f"bonded key v1\n{ring['storage']['version']}\n{name}\n".encode()
        key = keys[name] = opened(storage, base64.b64decode(wrapped["wrapped"]), context)
        if name.startswith("snapshot/"):
            keys[f"{name} footer"] = derived(key, b"footer")
            for item in items.get(name.split("/")[1], []) + ["__row", "__subject"]: keys[f"{name} {item}"] = derived(key, b"column", item.encode())
        if name == "tokens":
            keys["tokens of care"] = derived(key, b"token", b"care")
            keys["orders of care"] = derived(key, b"order", b"care")
    for name in [name for name in keys if name.endswith(" footer")]:
        keys[f"order of {name.split(' ')[0]} in care"] = derived(keys["orders of care"], b"file", keys[name])
    return keys


def roles(pid):
    """What each process of a gateway is: the front, or a zygote or child of a kind."""
    found = {}
    for pid in d.family(pid):
        try: words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError: continue
        found[pid] = next((word.decode().removesuffix("-child") for word in words if word.endswith(b"-child")), "front")
    return found


def memory(pid):
    """What a process can read of itself, part by part; but for what is a file's and cannot be written."""
    with open(f"/proc/{pid}/mem", "rb", 0) as file:
        for line in pathlib.Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if rights[0] != "r" or "w" not in rights and "/" in line.split(" ", 5)[-1]: continue
            if line.endswith(("[vvar]", "[vsyscall]", "[vvar_vclock]")): continue
            first, last = (int(end, 16) for end in span.split("-"))
            try:
                file.seek(first)
                yield file.read(last - first)
            except OSError: pass


def holders(pids, keys):
    """For each process the names of the keys whose 32 bytes stand in its memory, and how much was looked at."""
    heads = {key[:8]: [] for key in keys.values()}
    for name, key in keys.items(): heads[key[:8]].append((name, key))
    pattern = re.compile(b"|".join(re.escape(head) for head in heads))
    held = {}
    for pid in pids:
        names, size = set(), 0
        try:
            for part in memory(pid):
                size += len(part)
                for at in pattern.finditer(part):
                    names |= {name for name, key in heads[at.group()] if part[at.start():at.start() + 32] == key}
        except OSError: continue
        held[pid] = (names, size)
    return held


def items_of(seed):
    items = {}
    for path in (seed / "datasets").glob("*.toml"):
        text = path.read_text()
        dataset = re.search(r'(?m)^name = "([^"]+)"', text).group(1)
        items[dataset] = re.findall(r'(?m)^name = "([^"]+)"', text)[1:]
    return items


def searched(given, folder):
    seed = d.f1_seed(folder / "f1")
    with d.Domain(given.bonded, seed, folder / "made") as served:
        keys = keys_of(served.dir, items_of(seed))
        check(len(keys) > 20 and any(name.endswith(" income") for name in keys), f"only these keys were derived: {sorted(keys)}")
        wire = served.wire("alice", "care")
        wire.query(ROWS, 60)
        before = {pid: cpu(pid) for pid in roles(served.process.pid)}
        thread = threading.Thread(target=lambda: answered(wire))
        thread.start()
        at_work = None
        until = time.monotonic() + 20
        while at_work is None and time.monotonic() < until:
            for pid, kind in roles(served.process.pid).items():
                if kind == "runner" and cpu(pid) - before.get(pid, 0) > 0.2: at_work = pid
            time.sleep(0.02)
        if at_work is None: check(False, "no runner was seen at work"); return
        os.kill(at_work, signal.SIGSTOP)
        try:
            processes = roles(served.process.pid)
            held = holders(processes, keys)
        finally: resumed(at_work)
        thread.join()
        for pid, (names, size) in held.items():
            role = processes[pid] + (" at work" if pid == at_work else "")
            units = {name for name in names if " " in name and name.startswith("snapshot/")}
            print(f"  {role:15} {size >> 20:5} MiB: {', '.join(sorted(names)) or 'no key'}", flush=True)
            if pid == at_work:
                snapshots = {name.split(" ")[0] for name in units}
                columns = {name.split(" ")[1] for name in units}
                check(snapshots == {next(name.split(' ')[0] for name in keys if name.startswith('snapshot/city.citizen'))}, f"a runner at work holds keys of {snapshots}")
                check({"district", "footer"} <= columns <= GRANTED | {"footer"}, f"a runner at work holds the keys of {sorted(columns)}")
                orders = {f"order of {snapshot} in care" for snapshot in snapshots}
                check(orders <= names, f"a runner at work has no order for its rows: {sorted(names)}")
                check(names - units <= {"tokens of care"} | orders, f"a runner at work holds {sorted(names - units)}")
            elif processes[pid] != "front": check(not names, f"{role} holds {sorted(names)}")
            else: check("storage" in names, "the front's own storage key was not found: the search is blind")


def resumed(pid):
    try: os.kill(pid, signal.SIGCONT)
    except ProcessLookupError: check(False, "the runner ended before it was looked at")


def answered(wire):
    try: wire.query(LONG, 120)
    except d.Refused: pass


def cpu(pid):
    try: fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError: return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def attacked(given, folder):
    seed = d.f1_seed(folder / "f2")
    made = d.Domain(given.bonded, seed, folder / "made2")
    made.bonded = given.hostile
    with made as served:
        _, messages = served.wire("alice", "care").query(ROWS, 120)
        words = dict(re.findall(rb"city\.citizen\.(\w+) (opened|closed)", b"".join(messages)))
        opened = sorted(name.decode() for name, word in words.items() if word == b"opened")
        closed = sorted(name.decode() for name, word in words.items() if word == b"closed")
        print(f"  an enemy in the runner: opened {', '.join(opened)}; closed {', '.join(closed)}")
        check("district" in opened, "not even what was granted opened: the enemy is blind")
        check(set(opened) <= GRANTED, f"an enemy in the runner opened {opened}")
        check({"income", "id_card", "diag"} <= set(closed), f"columns that had to be tried: {closed}")


def main():
    given = d.arguments(__doc__.splitlines()[0], hostile=d.ROOT / "target" / "debug" / "examples" / "hostile")
    with d.temporary() as folder:
        searched(given, folder)
        attacked(given, folder)
    print(f"{len(WRONG)} wrong")
    return bool(WRONG)


if __name__ == "__main__": sys.exit(main())
