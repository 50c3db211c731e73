"""Makes a domain from a seed, serves it, and talks Flight SQL to it byte by byte.

Needs grpcio (and adbc-driver-flightsql where a lane says so); the bonded binary by --bonded.
"""
import argparse, contextlib, os, pathlib, re, shutil, signal, subprocess, sys, tempfile, time
import grpc

ROOT = pathlib.Path(__file__).resolve().parents[2]


def shared():
    """The folder with the material for tests: beside the checkout, or above it."""
    for folder in (ROOT / ".." / "shared", ROOT / "shared"):
        if folder.is_dir():
            return folder.resolve()
    raise SystemExit("the folder ../shared with the test material is missing")


def arguments(about, **more):
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--bonded", type=pathlib.Path, default=ROOT / "target" / "release" / "bonded")
    for name, default in more.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(default), default=default)
    return parser.parse_args()


def family(pid):
    """The numbers of a process and of all below it."""
    found, look = [], [pid]
    while look:
        pid = look.pop()
        found.append(pid)
        try:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir(): look += [int(child) for child in (task / "children").read_text().split()]
        except OSError: pass
    return found


def statement(sql):
    """A statement as Flight SQL's command."""
    return field(1, b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery") + field(2, field(1, sql.encode("utf-8", "surrogatepass")))


def f1_seed(folder, twin=None, seed=1):
    """A copy of fixture F1 with its data made."""
    source = shared() / "fixtures" / "f1"
    target = pathlib.Path(folder)
    shutil.copytree(source, target, dirs_exist_ok=True)
    subprocess.run(["chmod", "-R", "u+w", target], check=True)
    command = [sys.executable, str(source / "make.py"), str(target / "data"), "--seed", str(seed)]
    subprocess.run(command + (["--twin", twin] if twin else []), check=True, stdout=subprocess.DEVNULL)
    return target


class Domain:
    """A served domain; a context manager. `env` goes into the gateway's environment."""
    env = {}

    def __init__(self, bonded, seed, folder=None, more=()):
        self.bonded = pathlib.Path(bonded).resolve()
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="bonded-"))
        self.folder.mkdir(parents=True, exist_ok=True)
        self.dir = self.folder / "domain"
        done = subprocess.run([self.bonded, "init", self.dir, "--from", seed, *more], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"init failed:\n{done.stderr}")
        self.process = None

    def copy(self):
        """A domain of its own with the same keys and data, for statements that nothing came before."""
        other = object.__new__(Domain)
        other.bonded, other.process = self.bonded, None
        other.folder = pathlib.Path(tempfile.mkdtemp(prefix="bonded-"))
        other.dir = other.folder / "domain"
        shutil.copytree(self.dir, other.dir)
        return other

    def start(self, *more):
        """Serves, with more arguments if given; `log` is where the log is published, if it is."""
        began = time.monotonic()
        self.log = open(self.folder / "serve.log", "ab")
        self.process = subprocess.Popen(
            [self.bonded, "serve", "--dir", self.dir, "--flight", "127.0.0.1:0", "--admin", "127.0.0.1:0", *more],
            stdout=subprocess.PIPE, stderr=self.log, text=True, env={**os.environ, **self.env})
        line = self.process.stdout.readline()
        self.ready_seconds = time.monotonic() - began
        found = re.search(r"flight=(\S+)", line)
        if not found:
            raise SystemExit(f"serve did not become ready: {line!r}, see {self.folder}/serve.log")
        self.address = found.group(1)
        self.admin = re.search(r"admin=(\S+)", line).group(1)
        published = re.search(r"log=(\S+)", line)
        self.log_url = published and f"http://{published.group(1)}"
        for profile in self.dir.glob("people/*/profile.toml"):
            text = re.sub(r'endpoint = ".*"', f'endpoint = "https://{self.address}"', profile.read_text())
            text = re.sub(r'admin = ".*"', f'admin = "https://{self.admin}"', text)
            profile.write_text(text)
        return self

    def stop(self, how=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(20)

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def person(self, who):
        return self.dir / "people" / who

    def wire(self, who, scenario):
        return Wire(self.address, self.person(who), scenario)

    def command(self, *words, **more):
        return subprocess.run([self.bonded, *map(str, words)], capture_output=True, text=True, **more)

    def memory_peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status).group(1)) / 1024


# --- protobuf by hand: the few messages that are needed, so that raw bytes stay raw -----------------

def varint(n):
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128); n >>= 7
    return bytes(out + bytes([n]))


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(message):
    at = 0
    def number():
        nonlocal at
        shift = value = 0
        while True:
            byte = message[at]; at += 1
            value |= (byte & 127) << shift; shift += 7
            if byte < 128: return value
    while at < len(message):
        tag = number()
        if tag & 7 == 0: yield tag >> 3, number()
        elif tag & 7 == 2:
            size = number(); yield tag >> 3, message[at:at + size]; at += size
        elif tag & 7 == 1: yield tag >> 3, message[at:at + 8]; at += 8
        elif tag & 7 == 5: yield tag >> 3, message[at:at + 4]; at += 4
        else: raise ValueError("no protobuf")


def first(message, number):
    return next((value for n, value in fields(message) if n == number), None)


class Refused(Exception):
    def __init__(self, error):
        self.code, self.text = error.code().name, error.details() or ""
        super().__init__(f"{self.code} {self.text}")


class Wire:
    """One connection. Every byte received is kept in `seen` until cleared."""

    def __init__(self, address, person, scenario):
        credentials = grpc.ssl_channel_credentials(
            (person / "ca.pem").read_bytes(), (person / "key.pem").read_bytes(), (person / "cert.pem").read_bytes())
        options = [("grpc.ssl_target_name_override", "localhost"), ("grpc.max_receive_message_length", -1)]
        self.channel = grpc.secure_channel(address, credentials, options)
        self.metadata = [("bonded-scenario", scenario)] if scenario else []
        service = "/arrow.flight.protocol.FlightService/"
        self.info = self.channel.unary_unary(service + "GetFlightInfo", None, None)
        self.get = self.channel.unary_stream(service + "DoGet", None, None)
        self.seen = []

    def query(self, sql, timeout=60):
        """The FlightInfo and the FlightData messages, raw; Refused on an error."""
        descriptor = bytes([8, 2]) + field(2, statement(sql))
        try:
            call = self.info.with_call(descriptor, metadata=self.metadata, timeout=timeout)
            info = call[0]
            self.seen.append(info)
            ticket = first(first(info, 3), 1)
            messages = []
            stream = self.get(ticket, metadata=self.metadata, timeout=timeout)
            for message in stream:
                self.seen.append(message)
                messages.append(message)
            self.note(stream)
            return info, messages
        except grpc.RpcError as error:
            self.note(error)
            self.seen.append((error.details() or "").encode())
            raise Refused(error) from None

    def note(self, call):
        for pair in list(call.initial_metadata() or []) + list(call.trailing_metadata() or []):
            value = pair[1]
            self.seen.append(value if isinstance(value, bytes) else value.encode())

    def rows(self, sql, timeout=60):
        """The result as a pyarrow table and the receipt."""
        import io, json, pyarrow as pa
        _, messages = self.query(sql, timeout)
        stream, receipt = io.BytesIO(), {}
        for message in messages:
            header, body = first(message, 2) or b"", first(message, 1000) or b""
            metadata = first(message, 3)
            if metadata: receipt = json.loads(metadata)
            if header:
                padded = header + b"\0" * (-len(header) % 8)
                stream.write(b"\xff\xff\xff\xff" + len(padded).to_bytes(4, "little") + padded + body)
        stream.write(b"\xff\xff\xff\xff\0\0\0\0")
        stream.seek(0)
        return pa.ipc.open_stream(stream).read_all(), receipt


class Spans:
    """An OTLP receiver: every export raw in `seen`, every span's (name, seconds) in `spans`."""

    def __init__(self):
        from concurrent import futures
        self.seen, self.spans = [], []
        def export(request, _):
            self.seen.append(request)
            self.spans += read_spans(request)
            return b""
        handler = grpc.method_handlers_generic_handler("opentelemetry.proto.collector.trace.v1.TraceService",
            {"Export": grpc.unary_unary_rpc_method_handler(export)})
        self.server = grpc.server(futures.ThreadPoolExecutor(2), handlers=(handler,))
        self.endpoint = f"http://127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        self.server.start()

    def configure(self, served):
        """Before the gateway starts: spans come here."""
        file = served.dir / "bonded.toml"
        file.write_text(re.sub(r'otlp_endpoint = ".*"', f'otlp_endpoint = "{self.endpoint}"', file.read_text()))


def read_spans(request):
    each = lambda message, number: (value for n, value in fields(message) if n == number)
    for resource in each(request, 1):
        for scope in each(resource, 2):
            for span in each(scope, 2):
                start, end = (int.from_bytes(first(span, n), "little") for n in (7, 8))
                yield first(span, 5).decode(), (end - start) / 1e9


class Canaries:
    """Many canaries, looked for in one pass: as text, and integers as 8 little-endian bytes at any offset."""

    def __init__(self, texts):
        import numpy
        self.numpy, self.needles = numpy, {}
        for text in texts:
            forms = [text.encode()] + ([int(text).to_bytes(8, "little")] if text.isdigit() and len(text) > 12 else [])
            for form in forms: self.needles.setdefault(form[:8], []).append((form, text))
        self.heads = numpy.array(sorted(int.from_bytes(head, "little") for head in self.needles if len(head) == 8), dtype="<u8")
        self.short = [form for head in self.needles if len(head) < 8 for form in self.needles[head]]

    def found(self, chunks):
        data = b"\n".join(chunks)
        hits = {text for form, text in self.short if form in data}
        for offset in range(8):
            words = self.numpy.frombuffer(data, dtype="<u8", offset=offset, count=max(0, (len(data) - offset) // 8)) if len(data) >= offset + 8 else []
            if not len(words): continue
            places = self.numpy.minimum(self.numpy.searchsorted(self.heads, words), len(self.heads) - 1)
            for at in self.numpy.flatnonzero(self.heads[places] == words):
                start = offset + int(at) * 8
                hits |= {text for form, text in self.needles[data[start:start + 8]] if data[start:start + len(form)] == form}
        return sorted(hits)


def canaries_in(chunks, canaries):
    """Which canaries stand in the bytes."""
    return (canaries if isinstance(canaries, Canaries) else Canaries(canaries)).found(chunks)


@contextlib.contextmanager
def temporary():
    folder = tempfile.mkdtemp(prefix="bonded-seed-")
    try: yield pathlib.Path(folder)
    finally: shutil.rmtree(folder, ignore_errors=True)
