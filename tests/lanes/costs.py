"""What governing costs, beside the same work ungoverned, in one run. Needs grpcio, pyarrow, duckdb, datafusion.

Two datasets hold the same rows: `open` is grade 1 and nobody's, `people` is graded and protected. Each
statement is asked of both, and of DuckDB and bare DataFusion (one partition, as a runner has) on the plain
file; ratios count, absolute times do not. Beside them: count(distinct) in both engines, which is what a
distinct-subject threshold costs elsewhere, and DataFusion's own string functions in place of masks.
"""
import statistics, sys, time
import domain as d
import slt

ITEMS = {  # name: (expression over i, what `people` says of it)
    "person": ("i", 'kind = "subject_id"\ngrade = 3\nunique = true\ndomain = "person"'),
    "name": ("'N' || hash(i)", 'kind = "person_name"\ngrade = 2\nmask = "partial(1,0)"'),
    "phone": ("'13' || (100000000 + i % 899999999)", 'kind = "phone"\ngrade = 2\nmask = "partial(3,2)"'),
    "address": ("'A' || hash(i, 8)", 'kind = "address"\ngrade = 2\nmask = "prefix(3)"'),
    "email": ("hash(i, 9) || '@x.cn'", 'kind = "email"\ngrade = 2\nmask = "partial(1,0)"'),
    "plate": ("'P' || (10000 + hash(i, 10) % 89999)", 'kind = "plate"\ngrade = 2\nmask = "partial(2,0)"'),
    "account": ("'62' || (1000000000 + hash(i, 11) % 8999999999)", 'kind = "bank_account"\ngrade = 2\nmask = "partial(0,4)"'),
    "birth": ("DATE '1940-01-01' + CAST(hash(i, 1) % 25000 AS INTEGER)", 'kind = "date"\ngrade = 3\nmask = "year"'),
    "salary": ("CAST(hash(i, 2) % 50000 AS BIGINT)", 'kind = "amount"\ngrade = 3\nmask = "band(1000)"'),
    "income": ("CAST(hash(i, 3) % 400000 AS BIGINT)", 'kind = "amount"\ngrade = 3\nmask = "suppress"'),
    "assets": ("CAST(hash(i, 7) % 900000 AS BIGINT)", 'kind = "amount"\ngrade = 3\nmask = "suppress"'),
    "district": ("'D' || hash(i, 4) % 64", 'kind = "code"\ngrade = 1'),
    "employer": ("CAST(hash(i, 5) % 58000 AS BIGINT)", 'kind = "code"\ngrade = 1'),
    "visitor": ("CAST(hash(i, 6) % 500000 AS BIGINT)", 'kind = "subject_id"\ngrade = 3\ndomain = "person"'),
}
SIX = "SELECT " + ", ".join(f"max(left({c}, {head}))" if tail is None else f"max(concat(left({c}, {head}), repeat('*', character_length({c}) - {head + tail}), right({c}, {tail})))"
    for c, head, tail in (("name", 1, 0), ("phone", 3, 2), ("address", 3, None), ("email", 1, 0), ("plate", 2, 0), ("account", 0, 4))) + " FROM open"
BESIDE = {  # what the engines do themselves
    "count(distinct) by 64 groups": "SELECT district, sum(income), count(DISTINCT visitor) FROM open GROUP BY district",
    "count(distinct) by 58,000 groups": "SELECT count(*), sum(s), sum(c) FROM (SELECT employer, sum(assets) AS s, count(DISTINCT visitor) AS c FROM open GROUP BY employer) x",
    "six string functions": SIX,
}
STATEMENTS = {
    "sum by 64 groups, subject a key": ("SELECT district, sum(income) FROM {t} GROUP BY district", "people"),
    "sum by 64 groups, many rows a subject": ("SELECT district, sum(income) FROM {t} GROUP BY district", "visits"),
    "sum by 58,000 groups, subject a key": ("SELECT count(*), sum(s) FROM (SELECT employer, sum(assets) AS s FROM {t} GROUP BY employer)", "people"),
    "two partial masks": ("SELECT max(name), max(phone) FROM {t}", "people"),
    "six masked texts": ("SELECT max(name), max(phone), max(address), max(email), max(plate), max(account) FROM {t}", "people"),
    "date and band masks": ("SELECT max(birth), max(salary) FROM {t}", "people"),
    "tokens": ("SELECT count(person) FROM {t}", "people"),
    "tokens, counted distinct": ("SELECT count(DISTINCT person) FROM {t}", "people"),
    "nothing masked": ("SELECT max(district), max(employer) FROM {t}", "people"),
}


def main():
    given = d.arguments(__doc__.splitlines()[0], rows=2_000_000, repeats=3)
    import datafusion, duckdb
    with d.temporary() as folder:
        seed = slt.seed(folder / "seed", {})
        duck = duckdb.connect(config={"threads": 2})
        columns = ", ".join(f"{expression} AS {name}" for name, (expression, _) in ITEMS.items())
        data = folder / "people.parquet"
        duck.execute(f"COPY (SELECT {columns} FROM range({given.rows}) t(i)) TO '{data}' (FORMAT parquet)")
        listed = ""
        for name, subject in (("open", None), ("people", "person"), ("visits", "visitor")):
            items = "".join(f'[[item]]\nname = "{c}"\n' + (words if subject else 'kind = "other"\ngrade = 1') + "\n" for c, (_, words) in ITEMS.items())
            (seed / "datasets" / f"{name}.toml").write_text(f'[dataset]\nname = "main.{name}"\ntitle = "x"\nprovider = "bureau-x"\nsource = "x"\n'
                f'sector = "general"\nupdate = "x"\ndata = "{data}"\n' + (f'subject = "{subject}"\n' if subject else "") + items)
            listed += f'[[scenario.dataset]]\nname = "main.{name}"\nitems = ["*"]\n' + ('aggregate = ["income", "assets"]\nshow_rows = true\n' if subject else "")
        file = seed / "scenarios.toml"
        file.write_text(file.read_text() + listed)
        served = d.Domain(given.bonded, seed)
        config = served.dir / "bonded.toml"
        config.write_text(config.read_text().replace("runner_wall_ms_max = 30000", "runner_wall_ms_max = 120000"))
        duck.execute(f"CREATE VIEW open AS SELECT * FROM '{data}'")
        session = datafusion.SessionContext(datafusion.SessionConfig().with_target_partitions(1))
        session.register_parquet("open", str(data))
        engines = {"DataFusion": lambda sql: session.sql(sql).collect(), "DuckDB": lambda sql: duck.execute(sql).fetchall()}

        def timed(run):
            began = time.perf_counter()
            run()
            return (time.perf_counter() - began) * 1000

        def middle(runs):
            """Medians, the contestants in turn."""
            times = {name: [] for name in runs}
            for _ in range(given.repeats):
                for name, run in runs.items(): times[name].append(timed(run))
            return {name: statistics.median(t) for name, t in times.items()}

        with served:
            wire = served.wire("ann", "logic")

            def ask(sql):
                wire.seen.clear()
                wire.query(sql, 120)

            print(f"{given.rows} rows, medians of {given.repeats} in turn, ms")
            for what, (sql, governed) in STATEMENTS.items():
                runs = {"governed": lambda: ask(sql.format(t=governed)), "open": lambda: ask(sql.format(t="open"))}
                runs |= {name: lambda run=run: run(sql.format(t="open")) for name, run in engines.items()}
                try: ms = middle(runs)
                except d.Refused as refused: print(f"  {what:40} {refused.text[:120]}"); continue
                print(f"  {what:40} " + "   ".join(f"{name} {t:7.0f}" for name, t in ms.items()) + f"   governed/open {ms['governed'] / ms['open']:5.2f}   "
                      f"governed/DataFusion {ms['governed'] / ms['DataFusion']:5.2f}   {(ms['governed'] - ms['open']) / given.rows * 1e6:6.0f} ns a row", flush=True)
            for what, sql in BESIDE.items():
                ms = middle({name: lambda run=run: run(sql) for name, run in engines.items()})
                print(f"  {what:40} " + "   ".join(f"{name} {t:7.0f}" for name, t in ms.items()), flush=True)
    return 0


if __name__ == "__main__": sys.exit(main())
