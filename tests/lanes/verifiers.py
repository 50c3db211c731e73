"""Three verifiers nobody here wrote accept the log as it is served, and reject it with any bit changed:
Go's x/mod/sumdb (Debian), aics-tlog (PyPI), tlog_tiles (the crate registry).

Each runs as a program of its own (tests/verifiers) that is told a folder a line and answers ok or no.
It checks the signed head, every tile, every entry, proofs, and growth from an older head. Installs what
it needs. Needs grpcio, and cargo.
"""
import base64, os, pathlib, random, re, shutil, subprocess, sys, tempfile, time, urllib.error, urllib.request
import domain as d

PROGRAMS = d.ROOT / "tests" / "verifiers"
CACHE = pathlib.Path(os.environ.get("BONDED_VERIFIERS", pathlib.Path.home() / ".cache" / "bonded-verifiers"))
AICS = "aics-tlog==0.2.1"


def run(*words, **more):
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, **more)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, words))}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Peer:
    """A verifier under its own name."""

    def __init__(self, name, command):
        self.name = name
        self.process = subprocess.Popen([*map(str, command)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def says(self, folder):
        self.process.stdin.write(f"{folder}\n"); self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        if not re.match(r"(ok|no) ", answer):
            raise SystemExit(f"{self.name} stopped: {answer!r}")
        return answer

    def end(self):
        self.process.stdin.close(); self.process.wait(20)


def go():
    """Debian's packages alone: no module proxy."""
    sources = pathlib.Path("/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog")
    if not (shutil.which("go") and sources.is_dir()):
        prefix = [] if os.getuid() == 0 else ["sudo"]
        run(*prefix, "apt-get", "update", "-qq")
        run(*prefix, "apt-get", "install", "-y", "-qq", "golang-go", "golang-golang-x-mod-dev")
    binary = CACHE / "go-verifier"
    env = dict(os.environ, GO111MODULE="off", GOPATH="/usr/share/gocode", GOCACHE=str(CACHE / "go"), GOFLAGS="")
    run("go", "build", "-o", binary, ".", cwd=PROGRAMS / "go", env=env)
    return [binary]


def pypi():
    """The package asks for Python 3.12; the newest Python here runs it."""
    found = [*pathlib.Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python3"), *filter(None, map(shutil.which, ["python3.13", "python3.12"]))]
    works = lambda python: not subprocess.run([python, "-c", "import sys, venv; sys.exit(sys.version_info < (3, 12))"], capture_output=True).returncode
    python = next(filter(works, map(str, found)), sys.executable)
    venv = CACHE / "aics"
    if not (venv / "done").exists():
        shutil.rmtree(venv, ignore_errors=True)
        run(python, "-m", "venv", venv)
        run(venv / "bin" / "pip", "install", "-q", "--ignore-requires-python", AICS)
        (venv / "done").touch()
    return [venv / "bin" / "python", PROGRAMS / "python" / "verifier.py"]


def rust():
    target = CACHE / "rust"
    env = dict(os.environ, CARGO_TARGET_DIR=str(target))
    run("cargo", "build", "--release", "--locked", "--quiet", cwd=PROGRAMS / "rust", env=env)
    return [target / "release" / "log-verifier"]


# --- the log --------------------------------------------------------------------------------------------

def operate(served, count):
    """Operations that are refused at once, each two entries, one with a sealed text."""
    wire = served.wire("alice", None)
    for _ in range(count):
        try: wire.query("SELECT 1")
        except d.Refused: pass


def get(url, path):
    with urllib.request.urlopen(f"{url}/{path}") as reply:
        kept = reply.headers["cache-control"]
        assert ("no-store" in kept) == (path == "checkpoint"), (path, kept)
        return reply.read()


def paths(size):
    """The files of a log of this size, as C2SP tlog-tiles counts them."""
    def number(n):
        path = f"{n % 1000:03}"
        while n >= 1000:
            n //= 1000
            path = f"x{n % 1000:03}/{path}"
        return path
    for kind, hashes in [*((str(level), size >> 8 * level) for level in range(8)), ("entries", size)]:
        for n in range(-(-hashes // 256)):
            width = min(256, hashes - n * 256)
            yield f"tile/{kind}/{number(n)}" + (f".p/{width}" if width < 256 else "")


def fetched(url, folder):
    head = get(url, "checkpoint")
    size = int(head.split(b"\n")[1])
    for path in paths(size):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(get(url, path))
    (folder / "checkpoint").write_bytes(head)
    return size


# --- flipped bits ---------------------------------------------------------------------------------------

def meaning(file, data):
    """What a file says, whatever spelling of base64 it uses: the last character may hold unused bits."""
    if file.name != "checkpoint" and file.name != "older" and file.suffix != ".tlog-proof":
        return data
    def word(word):
        try: return base64.b64decode(word) if len(word) > 40 and len(word) % 4 == 0 and re.fullmatch(rb"[A-Za-z0-9+/]*=*", word) else word
        except ValueError: return word
    return [[word(w) for w in line.split(b" ")] for line in data.split(b"\n")]


def flips(peer, log, files, count, random):
    """Bits flipped one at a time: each kind of file as often, wherever in it."""
    rejected = reworded = 0
    kinds = sorted({kind for kind, _ in files})
    while rejected < count:
        kind = kinds[rejected % len(kinds)]
        file = random.choice([file for of, file in files if of == kind])
        whole = file.read_bytes()
        place, bit = random.randrange(len(whole)), random.randrange(8)
        changed = bytearray(whole)
        changed[place] ^= 1 << bit
        if meaning(file, bytes(changed)) == meaning(file, whole):
            reworded += 1
            continue
        file.write_bytes(changed)
        answer = peer.says(log)
        file.write_bytes(whole)
        if not answer.startswith("no "):
            raise SystemExit(f"{peer.name} accepted {file.relative_to(log)} with bit {bit} of byte {place} flipped")
        rejected += 1
    return rejected, reworded


def main():
    options = d.arguments(__doc__, flips=1000, operations=330, seed=7, install=0)
    CACHE.mkdir(parents=True, exist_ok=True)
    made = [("x/mod/sumdb (Go, Debian)", go()), ("aics-tlog (PyPI)", pypi()), ("tlog_tiles (crate)", rust())]
    if options.install: return
    work = pathlib.Path(tempfile.mkdtemp(prefix="bonded-verifiers-"))
    with d.Domain(options.bonded, d.f1_seed(work / "seed")) as served:
        served.stop()
        served.start("--log", "127.0.0.1:0")
        operate(served, 20)
        older = get(served.log_url, "checkpoint")
        operate(served, options.operations - 20)
        log, key = work / "log", served.dir / "keys" / "ledger.vkey"
        size = fetched(served.log_url, log)
        (log / "older").write_bytes(older)
        (log / "proofs").mkdir()
        chosen = sorted({0, 1, 255, 256, size // 2, size - 2, size - 1} | set(random.Random(1).sample(range(size), 8)))
        for index in chosen:
            proof = served.command("ledger", "prove", "--url", served.log_url, "--key", key, index)
            local = served.command("ledger", "prove", "--dir", served.dir, index)
            assert proof.returncode == 0 and proof.stdout == local.stdout, proof.stderr + local.stderr
            (log / "proofs" / f"{index}.tlog-proof").write_text(proof.stdout)
        # From outside the log, and after the domain is gone.
        key = pathlib.Path(shutil.copy(key, work / "ledger.vkey"))
        try: get(served.log_url, f"tile/0/{size // 256 + 1:03}")
        except urllib.error.HTTPError as error: assert error.code == 404
        else: raise SystemExit("a tile that does not exist was served")
        copied = served.command("ledger", "copy", "--url", served.log_url, "--key", key, work / "copy")
        assert copied.returncode == 0, copied.stderr
        for path in [*paths(size), "checkpoint"]:
            assert (work / "copy" / path).read_bytes() == (log / path).read_bytes(), path
    files = [("checkpoint", log / "checkpoint"), ("older", log / "older"), *(("proof", f) for f in log.glob("proofs/*"))]
    files += [("entries" if "entries" in str(f) else f"tile {f.relative_to(log / 'tile').parts[0]}", f) for f in log.glob("tile/**/*") if f.is_file()]
    print(f"the log: {size} entries, {len(files)} files, {len(chosen)} proofs; kinds: {', '.join(sorted({k for k, _ in files}))}")
    failed = False
    for name, command in made:
        peer = Peer(name, [*command, key])
        answer = peer.says(log)
        if answer != f"ok {size}":
            print(f"WRONG {name} does not accept the log: {answer}"); failed = True; continue
        began = time.monotonic()
        rejected, reworded = flips(peer, log, files, options.flips, random.Random(options.seed))
        assert peer.says(log) == f"ok {size}"
        peer.end()
        print(f"ok    {name}: accepts it, rejects {rejected} of {rejected} flipped bits ({reworded} that change no byte of what base64 says left out), {time.monotonic() - began:.1f} s")
    shutil.rmtree(work, ignore_errors=True)
    sys.exit(failed)


main()
