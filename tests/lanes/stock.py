"""The shared attacks on bonded and on stock DataFusion beside it: what each accepts, class by class.

Needs grpcio, pyarrow, datafusion. Stock DataFusion has fixture F1's files as tables, with a session of
its own for each statement, 2 GiB and 10 seconds. A statement is accepted where it is answered.
"""
import collections, json, multiprocessing, resource, sys
import domain as d
import f1

TABLES = ("citizen", "visits", "district_stat", "op_upload", "payroll")


def stock(data, pipe):
    """Answers statements, one after another, until it is ended."""
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    import datafusion
    while True:
        sql = pipe.recv()
        try:
            session = datafusion.SessionContext()
            for table in TABLES: session.register_parquet(table, f"{data}/{table}.parquet")
            rows = session.sql(sql).to_arrow_table()
            pipe.send(("answered", [value for column in rows.columns for value in map(str, column.to_pylist())]))
        except BaseException as error: pipe.send(("refused", [str(error)]))


class Stock:
    def __init__(self, data): self.data, self.process = data, None

    def ask(self, sql):
        if self.process is None:
            self.pipe, far = multiprocessing.get_context("spawn").Pipe()
            self.process = multiprocessing.get_context("spawn").Process(target=stock, args=(self.data, far), daemon=True)
            self.process.start()
            far.close()
        try:
            self.pipe.send(sql)
            if self.pipe.poll(10): return self.pipe.recv()
        except (EOFError, OSError): pass
        self.process.kill(); self.process.join(); self.process = None
        return "ended", []


def main():
    given = d.arguments(__doc__.splitlines()[0])
    classes = collections.defaultdict(collections.Counter)
    with d.temporary() as folder, d.Domain(given.bonded, d.f1_seed(folder / "f1")) as served:
        needles = d.Canaries((folder / "f1" / "data" / "canaries.txt").read_text().split())
        beside, wire = Stock(folder / "f1" / "data"), served.wire("alice", "care")
        for line in f1.attacks():
            if line["must"] == "ok": continue
            tally = classes[line["class"]]
            tally["asked"] += 1
            came, seen = beside.ask(line["sql_or_action"])
            tally[f"stock {came}"] += 1
            tally["stock canaries"] += bool(d.canaries_in([text.encode() for text in seen], needles))
            wire.seen.clear()
            try: wire.query(line["sql_or_action"], 40); tally["bonded answered"] += 1
            except d.Refused: tally["bonded refused"] += 1
            tally["bonded canaries"] += bool(d.canaries_in(wire.seen, needles))
    words = ("asked", "stock answered", "stock ended", "stock canaries", "bonded answered", "bonded canaries")
    print(f"{'class':24}" + "".join(f"{word:>17}" for word in words))
    total = collections.Counter()
    for name, tally in sorted(classes.items()):
        total.update(tally)
        print(f"{name:24}" + "".join(f"{tally[word]:17}" for word in words))
    print(f"{'all':24}" + "".join(f"{total[word]:17}" for word in words))
    return 1 if total["bonded canaries"] else 0


if __name__ == "__main__": sys.exit(main())
