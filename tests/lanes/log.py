"""Logs to load, kill and break: the ledger's load program, a PostgreSQL server, and what was acknowledged."""
import argparse, contextlib, hashlib, json, os, pathlib, pwd, shutil, sqlite3, subprocess, tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]


def arguments(about, **more):
    parser = argparse.ArgumentParser(description=about)
    kind = lambda default: pathlib.Path if isinstance(default, pathlib.Path) else type(default)
    parser.add_argument("--load", type=pathlib.Path, help="the built load program; without it, cargo builds it")
    for name, default in more.items():
        if default is False: parser.add_argument("--" + name.replace("_", "-"), action="store_true")
        else: parser.add_argument("--" + name.replace("_", "-"), type=kind(default), default=default)
    given = parser.parse_args()
    given.load = (given.load or built()).resolve()
    return given


def node(left, right):
    """RFC 6962's hash of two subtrees."""
    return hashlib.sha256(b"\1" + left + right).digest()


def built():
    """Builds the load program and says where it is."""
    command = ["cargo", "build", "--release", "--locked", "-p", "ledger", "--example", "load", "--message-format=json"]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    made = (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))
    return next(pathlib.Path(m["executable"]) for m in made if m.get("executable") and m["target"]["name"] == "load")


class Server:
    """A PostgreSQL server in a temporary folder, reached through a socket there; run without privileges."""

    def __init__(self):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not found: raise SystemExit("this lane needs a PostgreSQL server: apt-get install postgresql")
        self.bin, self.dir = found[-1].parent, pathlib.Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
        self.user = {}
        if os.getuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(self.dir, entry.pw_uid, entry.pw_gid)
            self.user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
        quiet = {"cwd": self.dir, "stdout": subprocess.DEVNULL, **self.user}
        subprocess.run([self.bin / "initdb", "--auth=trust", "--username=bonded", "-D", self.dir / "data"], check=True, **quiet)
        self.process = subprocess.Popen([self.bin / "postgres", "-D", self.dir / "data", "-k", self.dir, "-c", "listen_addresses="],
            stderr=subprocess.PIPE, text=True, **quiet)
        if not any("ready to accept connections" in line for line in self.process.stderr): raise SystemExit("the server did not start")
        self.log = open(self.dir / "drained", "w")
        self.drain = subprocess.Popen(["cat"], stdin=self.process.stderr, stdout=self.log)
        self.databases = 0

    def database(self):
        self.databases += 1
        self.sql("postgres", f"CREATE DATABASE d{self.databases}")
        return f"host={self.dir} user=bonded dbname=d{self.databases}"

    def sql(self, database, sql):
        command = ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-U", "bonded", "-d", database, "-c", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def __enter__(self): return self

    def __exit__(self, *_):
        self.process.send_signal(3)
        self.process.wait(20)
        self.drain.wait(20)
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)


class Log:
    """A log and everything that was ever acknowledged of it."""

    def __init__(self, load, dir, server=None):
        self.load, self.dir, self.server = load, pathlib.Path(dir), server
        self.connection = server.database() if server else None
        self.leaves, self.roots, self.codes, self.wrong, self.acked = {}, {}, {}, [], 0

    def command(self, verb, *options):
        more = ["--postgres", self.connection] if self.connection else []
        return [str(self.load), verb, str(self.dir), *map(str, options), *more]

    def run(self, verb, *options, env=None):
        done = subprocess.run(self.command(verb, *options), capture_output=True, text=True, timeout=120,
            env={**os.environ, **(env or {})})
        self.take(done.stdout)
        return done

    def start(self, *options):
        return subprocess.Popen(self.command("append", *options), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def take(self, text):
        """Takes note of what a load program said; a last line without its end was cut."""
        for line in text.split("\n")[:-1]:
            word, *rest = line.split(" ")
            if word == "opened" and self.leaves and int(rest[0]) <= max(self.leaves):
                self.wrong.append(f"opened at {rest[0]}, acknowledged was {max(self.leaves)}")
            if word in ("refused", "unopened"): self.codes[rest[0]] = self.codes.get(rest[0], 0) + 1
            if word != "acked": continue
            self.acked += 1
            index, leaf, size, root = int(rest[0]), rest[1], int(rest[2]), rest[3]
            if index in self.leaves: self.wrong.append(f"index {index} was given twice")
            if self.roots.setdefault(size, root) != root: self.wrong.append(f"two checkpoints of size {size}")
            if size <= index: self.wrong.append(f"entry {index} is not under its checkpoint of {size}")
            self.leaves[index] = leaf

    def stored(self):
        if self.server:
            name = self.connection.split("dbname=")[1]
            text = self.server.sql(name, "SELECT idx || ' ' || encode(leaf, 'hex') FROM bonded_ledger.event ORDER BY idx")
            return [(int(i), bytes.fromhex(leaf)) for i, leaf in (line.split(" ") for line in text.splitlines())]
        with contextlib.closing(sqlite3.connect(f"file:{self.dir}/ledger/ledger.db?mode=ro", uri=True)) as database:
            return database.execute("SELECT idx, leaf FROM event ORDER BY idx").fetchall()

    def judge(self, audit=True):
        """What is wrong with the log, read without our code, and what our own audit says."""
        wrong, self.wrong, rows = self.wrong, [], self.stored()
        if [index for index, _ in rows] != list(range(len(rows))): wrong.append("the log has a gap")
        if self.leaves and max(self.leaves) >= len(rows): wrong.append(f"acknowledged {max(self.leaves)}, there are {len(rows)}")
        stack = []  # (leaves, hash) of the full subtrees, largest first
        for index, leaf in rows:
            hashed = hashlib.sha256(b"\0" + leaf).digest()
            if self.leaves.get(index, hashed.hex()) != hashed.hex(): wrong.append(f"entry {index} is not what was acknowledged")
            stack.append((1, hashed))
            while len(stack) > 1 and stack[-2][0] == stack[-1][0]:
                (leaves, left), (_, right) = stack[-2:]
                stack[-2:] = [(leaves * 2, node(left, right))]
            if index + 1 in self.roots:
                root = stack[-1][1]
                for _, left in reversed(stack[:-1]): root = node(left, root)
                if root.hex() != self.roots[index + 1]: wrong.append(f"the checkpoint of size {index + 1} is of another log")
        if audit:
            done = subprocess.run(self.command("audit"), capture_output=True, text=True)
            if done.returncode: wrong.append(f"audit: {done.stdout.strip()} {done.stderr.strip()}")
        return wrong
