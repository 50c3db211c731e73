"""Suspending a licence ends running work at once: 64 streams over as many connections, one of them a join that
yields nothing, one a reader that does not read. Needs grpcio, pyarrow.

From the moment the suspension is acknowledged to the last message or byte: p99 1 s, 2 s at most. The slow reader's
bytes are counted on its socket, by the kernel's own account of when the last ones came. New requests are refused
at once, and every operation is on record as cut off.
"""
import json, re, socket, struct, sys, threading, time
import grpc, pyarrow as pa, pyarrow.parquet as pq
import domain as d

WRONG = []
ROWS = 500_000
PACE_SECONDS = 0.25
SQL = "SELECT number FROM ticks"
JOIN = "SELECT count(*) FROM ticks a JOIN ticks b ON a.number <> b.number + 1"


def wrong(text):
    WRONG.append(text); print("WRONG", text)


def seeded(folder):
    """Fixture F1 with a long table of grade 1 and caps that let all of it out."""
    seed = d.f1_seed(folder)
    pq.write_table(pa.table({"number": pa.array(range(ROWS), pa.int64())}), seed / "data" / "ticks.parquet")
    (seed / "datasets" / "ticks.toml").write_text(
        '[dataset]\nname = "ticks"\ntitle = "Ticks"\nprovider = "bureau"\nsource = "clock"\nsector = "medical"\n'
        'update = "daily"\ndata = "../data/ticks.parquet"\n[[item]]\nname = "number"\nkind = "code"\ngrade = 1\n')
    scenarios = (seed / "scenarios.toml").read_text()
    care, rest = scenarios.split('[[scenario]]\nid = "roads"')
    ticks = '[[scenario.dataset]]\nname = "city.ticks"\nitems = ["*"]\n'
    (seed / "scenarios.toml").write_text(f'{care}{ticks}[[scenario]]\nid = "roads"{rest}')
    return seed


class Stalled:
    """A relay that takes so many bytes from the gateway and then none until told."""

    def __init__(self, address, bytes_max):
        self.bytes_max, self.go, self.after, self.ended = bytes_max, threading.Event(), 0, None
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.stalled = threading.Event()
        host, port = address.split(":")
        self.thread = threading.Thread(target=self.serve, args=((host, int(port)),), daemon=True)
        self.thread.start()

    def serve(self, upstream):
        client, _ = self.listener.accept()
        server = socket.socket()
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 << 10)
        server.connect(upstream)
        threading.Thread(target=self.forth, args=(client, server), daemon=True).start()
        taken = 0
        while True:
            if taken > self.bytes_max and not self.go.is_set():
                self.stalled.set()
                self.go.wait()
                # tcpi_last_data_recv: milliseconds since the last data came to this socket.
                info = server.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
                self.last_came = time.monotonic() - struct.unpack_from("I", info, 8 + 4 * 11)[0] / 1000
            try: chunk = server.recv(16 << 10)
            except OSError as error: self.ended = error; break
            if not chunk: self.ended = "closed"; break
            taken += len(chunk)
            if self.go.is_set(): self.after += len(chunk)
            try: client.sendall(chunk)
            except OSError: pass
        client.close()

    def forth(self, client, server):
        try:
            while chunk := client.recv(16 << 10): server.sendall(chunk)
        except OSError: pass


class Reader(threading.Thread):
    """One stream on a connection of its own, read at a pace until the suspension, then as fast as it comes."""

    def __init__(self, served, address, sql, pace=True):
        super().__init__(daemon=True)
        person = served.person("alice")
        credentials = grpc.ssl_channel_credentials(*((person / f"{name}.pem").read_bytes() for name in ("ca", "key", "cert")))
        options = [("grpc.ssl_target_name_override", "localhost"), ("grpc.max_receive_message_length", -1),
                   ("grpc.use_local_subchannel_pool", 1), ("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 1 << 16)]
        self.channel = grpc.secure_channel(address, credentials, options)
        service = "/arrow.flight.protocol.FlightService/"
        self.info = self.channel.unary_unary(service + "GetFlightInfo", None, None)
        self.get = self.channel.unary_stream(service + "DoGet", None, None)
        self.sql, self.pace, self.begun, self.messages, self.times = sql, pace, threading.Event(), 0, []
        self.together, self.hurry, self.code, self.text, self.ended = threading.Event(), threading.Event(), None, "", None

    def run(self):
        metadata = [("bonded-scenario", "care")]
        try:
            info = self.info(bytes([8, 2]) + d.field(2, d.statement(self.sql)), metadata=metadata, timeout=120)
            if not self.pace: self.begun.set()
            for _ in self.get(d.first(d.first(info, 3), 1), metadata=metadata, timeout=300):
                self.messages += 1
                self.times.append(time.monotonic())
                self.begun.set()
                if self.pace:
                    self.together.wait(300)
                    self.hurry.wait(PACE_SECONDS)
            self.code = "OK"
        except grpc.RpcError as error:
            self.code, self.text = error.code().name, error.details() or ""
        self.ended = time.monotonic()
        self.begun.set()


def suspend(served):
    """As the security authority; gives the moments before the call and after its acknowledgement."""
    person = served.person("sven")
    credentials = grpc.ssl_channel_credentials(*((person / f"{name}.pem").read_bytes() for name in ("ca", "key", "cert")))
    channel = grpc.secure_channel(served.admin, credentials, [("grpc.ssl_target_name_override", "localhost")])
    call = channel.unary_unary("/bonded.management.v1.Licences/Suspend", None, None)
    message = d.field(1, b"lic-a") + d.field(2, b"unsafe") + d.field(3, b"drill") + d.field(4, b"2027-01-31")
    grpc.channel_ready_future(channel).result(20)
    asked = time.monotonic()
    call(message, timeout=60)
    return asked, time.monotonic()


def main():
    given = d.arguments(__doc__.splitlines()[0], streams=64)
    with d.temporary() as folder:
        served = d.Domain(given.bonded, seeded(folder / "f1"), folder / "served")
        config = served.dir / "bonded.toml"
        config.write_text(re.sub(r"results_bytes_max = \d+", "results_bytes_max = 1073741824", config.read_text()))
        with served:
            whole = len(served.wire("alice", "care").query(SQL)[1])
            relay = Stalled(served.address, 200_000)
            slow = Reader(served, relay.address, SQL)
            slow.together.set(); slow.hurry.set()
            paced = [Reader(served, served.address, SQL) for _ in range(given.streams - 2)]
            for reader in [*paced, slow]:
                reader.start()
                if not reader.begun.wait(120): wrong("a stream did not begin")
            join = Reader(served, served.address, JOIN, pace=False)
            join.start(); join.begun.wait(120)
            relay.stalled.wait(30)
            for reader in paced: reader.together.set()
            time.sleep(1.5)  # the join is in the middle of its work, the readers of their streams
            readers = [*paced, slow, join]
            running = sum(reader.ended is None for reader in readers)
            print(f"{running} operations run, each paced stream of {whole} messages at {paced[0].messages}")
            if running != given.streams: wrong(f"{given.streams - running} ended before they were cut off")
            asked, told = suspend(served)
            for reader in readers: reader.hurry.set()
            refused = new_requests(served, told)
            for reader in [*paced, join]: reader.join(10)
            time.sleep(max(0, told + 3 - time.monotonic()))
            relay.go.set()
            slow.join(10); relay.thread.join(10)
            judge(paced, join, slow, relay, (asked, told, refused, whole))
            served.stop()
            record(served, given.streams)
    print(f"{len(WRONG)} failed")
    return bool(WRONG)


def new_requests(served, told):
    """How long after the acknowledgement a new request is refused, and that it is."""
    for _ in range(3):
        try:
            served.wire("alice", "care").query(SQL); wrong("a new request was answered")
        except d.Refused as error:
            if "policy.licence-not-granted" not in error.text: wrong(f"a new request: {error}")
    return time.monotonic() - told


def judge(paced, join, slow, relay, measured):
    asked, told, refused, whole = measured
    lasts = []
    for reader in [*paced, join]:
        if reader.ended is None: wrong("a stream goes on"); continue
        lasts.append(max(0, reader.ended - told))
        if reader.code == "OK": wrong("a stream came to its sound end")
        if reader.messages >= whole: wrong("all of a stream was sent")
        if reader.code not in ("PERMISSION_DENIED", "UNAVAILABLE"): wrong(f"a stream ended with {reader.code} {reader.text}")
        if reader.code == "PERMISSION_DENIED" and not reader.text.startswith("policy.cut-off: "): wrong(reader.text)
    denied = sum(reader.code == "PERMISSION_DENIED" for reader in paced)
    severed = sum(reader.code == "UNAVAILABLE" for reader in paced)
    if join.code != "PERMISSION_DENIED": wrong(f"the join ended with {join.code} {join.text}")
    came = max(0, getattr(relay, "last_came", time.monotonic()) - told)
    lasts.append(came)
    if relay.after > 256 << 10: wrong(f"{relay.after} bytes came to the slow reader afterwards")
    if slow.code == "OK": wrong("the slow reader got all")
    lasts.sort()
    p = lambda share: lasts[min(len(lasts) - 1, int(share * len(lasts)))]
    print(f"acknowledged after {told - asked:.3f} s; {denied} streams told policy.cut-off, {severed} severed, the join {join.code}")
    print(f"acknowledgement to the end of each of {len(lasts)}: p50 {p(0.5):.3f} s, p99 {p(0.99):.3f} s, max {lasts[-1]:.3f} s")
    print(f"the slow reader: last bytes came {came:.3f} s after, {relay.after} lay in its own buffer, then {relay.ended!r}")
    print(f"three new requests refused within {refused:.3f} s")
    if p(0.99) > 1: wrong("p99 above 1 s")
    if lasts[-1] > 2: wrong("more than 2 s")


def record(served, streams):
    """Every operation that ran is on record as refused by the cut, and the record holds."""
    ends = {}
    for line in served.command("ledger", "tail", "--json", "--dir", served.dir).stdout.splitlines():
        event = json.loads(line).get("event", {})
        if event.get("event") in ("operation-refused", "operation-released", "operation-failed", "operation-abandoned"):
            ends.setdefault((event["event"], event.get("code", "")), []).append(event["query"])
    cut = len(ends.get(("operation-refused", "policy.cut-off"), []))
    print({" ".join(kind).strip(): len(all) for kind, all in ends.items()})
    if cut != streams: wrong(f"{cut} of {streams} on record as cut off")
    audited = served.command("ledger", "audit", "--dir", served.dir)
    if audited.returncode: wrong(f"ledger audit: {audited.stdout}{audited.stderr}")


if __name__ == "__main__": sys.exit(main())
