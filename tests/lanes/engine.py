"""What the whole way costs where nothing is hidden: the 22 questions of TPC-H on grade-1 data, encrypted at rest and
over mutual TLS, beside bare DataFusion on the plain files; a large result beside a plain Flight server over TLS; and
what a large result takes of memory. Needs grpcio, pyarrow, datafusion, tpchgen-cli; --plain is the comparison server
(`cargo build --release -p gateway --example plain_flight`).

Contestants take turns, so that noise hits all alike; ratios count. `guarded` is the same data under a row policy that
keeps every row, so that masks, barrier and one thread are in the way as they are for graded data.
"""
import pathlib, re, statistics, subprocess, sys, threading, time
import domain as d
import tpch

HUGE = {"rows_max": 4_000_000_000, "result_bytes_max": 1 << 42}
# Four whole numbers a row, of every row of the largest table so many times over.
STREAM = "SELECT l_orderkey, l_partkey, l_suppkey, l_linenumber FROM lineitem CROSS JOIN (VALUES {}) AS t(n)"
FAILED = []


def bar(what, value, holds, bound):
    print(f"{'  ok  ' if holds else 'MISSED'} {what}: {value:,.2f} (bar {bound})", flush=True)
    if not holds: FAILED.append(what)


def seed(folder, data):
    """Grade-1 tables, and each again under a row policy, in a second scenario."""
    tpch.seed(folder, data, False)
    toml = folder / "domain.toml"
    toml.write_text(toml.read_text() + "[defaults]\n" + "".join(f"{name} = {value}\n" for name, value in HUGE.items()))
    scenarios = folder / "scenarios.toml"
    first = {"customer": "c_custkey", "lineitem": "l_orderkey", "nation": "n_nationkey", "orders": "o_orderkey", "part": "p_partkey",
        "partsupp": "ps_partkey", "region": "r_regionkey", "supplier": "s_suppkey"}
    guarded = '[[scenario]]\nid = "guarded"\nlicence = "lic"\ntitle = "x"\npurpose = "x"\nmembers = ["ann"]\n'
    guarded += "".join(f'[[scenario.dataset]]\nname = "main.{name}"\nitems = ["*"]\nrows = "{key} >= 0"\n' for name, key in first.items())
    scenarios.write_text(scenarios.read_text() + guarded)
    return folder


def questions(given, served, data):
    import datafusion
    bare = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(2))
    for name in tpch.TABLES: bare.register_parquet(name, str(data / f"{name}.parquet"))
    wires = {"open": served.wire("ann", "logic"), "guarded": served.wire("ann", "guarded")}
    def ask(which, sql):
        wires[which].seen.clear()
        wires[which].query(sql, 300)
    runs = {"DataFusion": lambda sql: bare.sql(sql).collect(), "open": lambda sql: ask("open", sql), "guarded": lambda sql: ask("guarded", sql)}
    total = dict.fromkeys(runs, 0.0)
    for number, sql in tpch.questions():
        times = {name: [] for name in runs}
        for turn in range(given.repeats + 1):
            for name, run in runs.items():
                if name == "guarded" and turn > 1: continue
                began = time.perf_counter()
                run(sql)
                if turn or name == "guarded": times[name].append((time.perf_counter() - began) * 1000)
        middle = {name: statistics.median(taken) for name, taken in times.items()}
        for name, taken in middle.items(): total[name] += taken
        print(f"  {number:2} " + "   ".join(f"{name} {taken:7.0f}" for name, taken in middle.items())
            + f"   open/DataFusion {middle['open'] / middle['DataFusion']:5.2f}", flush=True)
    print("  all " + "   ".join(f"{name} {taken:7.0f} ms" for name, taken in total.items()) + f"   guarded/DataFusion {total['guarded'] / total['DataFusion']:.2f}")
    bar(f"TPC-H scale {given.scale}, total over bare DataFusion", total["open"] / total["DataFusion"], total["open"] <= 1.25 * total["DataFusion"], "<= 1.25")


class Memory:
    """The most that the gateway and all its children hold together, by proportional set size, while it runs."""

    def __init__(self, pid):
        self.pid, self.peak, self.parts, self.over = pid, 0, {}, threading.Event()

    def watch(self):
        while not self.over.wait(0.05):
            parts = {}
            for pid in d.family(self.pid):
                try:
                    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                    parts[pid] = int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1)) / 1024
                except (OSError, AttributeError): pass
            if sum(parts.values()) > self.peak: self.peak, self.parts = sum(parts.values()), parts

    def __enter__(self):
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set(); self.thread.join()


def flight(address, person, options=()):
    import pyarrow.flight as flight
    mine = {"cert_chain": (person / "cert.pem").read_bytes(), "private_key": (person / "key.pem").read_bytes()}
    return flight.FlightClient(f"grpc+tls://{address}", tls_root_certs=(person / "ca.pem").read_bytes(), override_hostname="localhost", **mine,
        generic_options=[("grpc.max_receive_message_length", -1)])


def drained(reader):
    """Bytes of values, and how long they took from the first batch on."""
    taken, began = 0, None
    while True:
        try: batch = reader.read_chunk().data
        except StopIteration: return taken, time.perf_counter() - began
        if began is None: began = time.perf_counter()
        else: taken += batch.num_rows * 32


def stream(given, served):
    import pyarrow.flight as f
    person = served.person("ann")
    server = subprocess.Popen([given.plain, served.dir / "ca" / "server.pem", served.dir / "ca" / "server-key.pem"], stdout=subprocess.PIPE, text=True)
    try:
        plain = flight(server.stdout.readline().strip(), person)
        ours = flight(served.address, person)
        header = f.FlightCallOptions(headers=[(b"bonded-scenario", b"logic")])
        lines = given.lines
        def asked(times):
            sql = STREAM.format(", ".join(f"({n})" for n in range(times)))
            info = ours.get_flight_info(f.FlightDescriptor.for_command(d.statement(sql)), header)
            return drained(ours.do_get(info.endpoints[0].ticket, header))
        rates = {"plain Flight": [], "bonded": []}
        for _ in range(given.repeats):
            taken, seconds = drained(plain.do_get(f.Ticket(str(lines * 2).encode())))
            rates["plain Flight"].append(taken / seconds / 1e6)
            taken, seconds = asked(2)
            rates["bonded"].append(taken / seconds / 1e6)
        print("  one stream, four whole numbers a row, MB/s: " + "   ".join(f"{name} {', '.join(f'{rate:.0f}' for rate in r)}" for name, r in rates.items()))
        share = statistics.median(rates["bonded"]) / statistics.median(rates["plain Flight"])
        bar("result streaming over a plain Flight server's", share, share >= 0.6, ">= 0.60")
        times = max(1, round(given.gigabytes * 1e9 / 32 / lines))
        with Memory(served.process.pid) as memory: taken, seconds = asked(times)
        held = sorted((round(mib) for mib in memory.parts.values()), reverse=True)
        print(f"  {taken / 1e9:.2f} GB in {seconds:.1f} s; at the peak by process, MiB: {held}")
        bar("memory of front and children meanwhile, MiB", memory.peak, memory.peak <= 600, "<= 600")
    finally: server.kill(); server.wait()


def main():
    release = d.ROOT / "target" / "release"
    given = d.arguments(__doc__.splitlines()[0], scale=1.0, repeats=3, gigabytes=2.5, plain=release / "examples" / "plain_flight")
    with d.temporary() as folder:
        data = folder / "data"
        subprocess.run([pathlib.Path(sys.executable).parent / "tpchgen-cli", "parquet", "-s", str(given.scale), "--output-dir", data], check=True, stdout=subprocess.DEVNULL)
        import pyarrow.parquet as pq
        given.lines = pq.read_metadata(data / "lineitem.parquet").num_rows
        began = time.perf_counter()
        served = d.Domain(given.bonded, seed(folder / "seed", data))
        print(f"eight tables taken in within {time.perf_counter() - began:.1f} s")
        config = served.dir / "bonded.toml"
        config.write_text(config.read_text().replace("runner_wall_ms_max = 30000", "runner_wall_ms_max = 300000"))
        with served:
            stream(given, served)
            questions(given, served, data)
    print(f"{len(FAILED)} bars missed{': ' + ', '.join(FAILED) if FAILED else ''}")
    return bool(FAILED)


if __name__ == "__main__": sys.exit(main())
