"""Where the time of a small aggregate goes, beside its peers, in one run. Needs grpcio, pyarrow, duckdb, datafusion.

Contestants take turns, so that noise hits all alike; medians and ratios count, absolute times do not.
bonded       GetFlightInfo + DoGet on an open mTLS connection: planner, runner, policy, two durable writes
plain Flight the same two calls to DuckDB behind pyarrow's Flight server, no TLS, nothing checked
DuckDB, DataFusion   the statement alone, in this process, on the unencrypted file
"""
import statistics, sys, time
import domain as d

SQL = "SELECT district, avg(income), count(*) FROM citizen GROUP BY district"


def contestants(served, folder):
    import duckdb, datafusion, pyarrow.flight as flight
    data = str(folder / "f1" / "data" / "citizen.parquet")
    wire = served.wire("alice", "care")
    def bonded():
        wire.seen.clear()
        wire.query(SQL)
    duck = duckdb.connect(config={"threads": 2})
    duck.execute(f"CREATE VIEW citizen AS SELECT * FROM '{data}'")

    class Plain(flight.FlightServerBase):
        def get_flight_info(self, context, descriptor):
            schema = duck.cursor().execute(f"DESCRIBE {SQL}").to_arrow_table().schema
            return flight.FlightInfo(schema, descriptor, [flight.FlightEndpoint(descriptor.command, [])], -1, -1)

        def do_get(self, context, ticket):
            return flight.RecordBatchStream(duck.cursor().execute(ticket.ticket.decode()).to_arrow_table())

    server = Plain("grpc://127.0.0.1:0")
    client = flight.connect(f"grpc://127.0.0.1:{server.port}")
    def plain():
        info = client.get_flight_info(flight.FlightDescriptor.for_command(SQL))
        client.do_get(info.endpoints[0].ticket).read_all()
    context = datafusion.SessionContext()
    context.register_parquet("citizen", data)
    return server, {
        "bonded": bonded, "plain Flight + DuckDB": plain,
        "DuckDB": lambda: duck.execute(SQL).fetchall(), "DataFusion": lambda: context.sql(SQL).collect(),
    }


def main():
    given = d.arguments(__doc__.splitlines()[0], repeats=200)
    with d.temporary() as folder:
        served, spans = d.Domain(given.bonded, d.f1_seed(folder / "f1")), d.Spans()
        spans.configure(served)
        with served:
            print(f"ready after {served.ready_seconds * 1000:.0f} ms")
            server, runs = contestants(served, folder)
            for run in runs.values():
                for _ in range(3): run()
            spans.spans.clear()
            times = {name: [] for name in runs}
            for _ in range(given.repeats):
                for name, run in runs.items():
                    began = time.perf_counter()
                    run()
                    times[name].append(time.perf_counter() - began)
            base = statistics.median(times["DuckDB"])
            print(f"{given.repeats} turns of: {SQL}")
            for name, taken in times.items():
                taken.sort()
                middle = statistics.median(taken)
                print(f"  {name:24} median {middle * 1000:8.2f} ms   p95 {taken[int(len(taken) * .95)] * 1000:8.2f} ms   {middle / base:6.1f} x DuckDB")
            burst = [time.perf_counter()]
            for _ in range(50): runs["bonded"](); burst.append(time.perf_counter())
            apart = sorted(b - a for a, b in zip(burst, burst[1:]))
            print(f"  bonded, nothing between   median {statistics.median(apart) * 1000:8.2f} ms")
            served.stop()
            server.shutdown()
        stages = {}
        for name, seconds in spans.spans: stages.setdefault(name, []).append(seconds)
        print("where it goes (medians of spans):")
        for name, taken in sorted(stages.items(), key=lambda item: -statistics.median(item[1])):
            milliseconds = statistics.median(taken) * 1000
            print(f"  {name:18} {milliseconds:8.3f} ms  {'█' * max(1, round(milliseconds))}  ({len(taken)})")
        if not stages: print("WRONG no spans came"); return 1
    return 0


if __name__ == "__main__": sys.exit(main())
