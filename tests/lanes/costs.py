"""What governing costs, beside the same work ungoverned, in one run. Needs grpcio, pyarrow, duckdb.

Two datasets hold the same rows: `open` is grade 1 and nobody's, `people` is graded and protected. Each
statement is asked of both, and of DuckDB on the plain file; ratios count, absolute times do not.
"""
import statistics, sys, time
import domain as d
import slt

ITEMS = {  # name: (expression over i, what `people` says of it)
    "person": ("i", 'kind = "subject_id"\ngrade = 3\nunique = true\ndomain = "person"'),
    "name": ("'N' || hash(i)", 'kind = "person_name"\ngrade = 2\nmask = "partial(1,0)"'),
    "phone": ("'13' || (100000000 + i % 899999999)", 'kind = "phone"\ngrade = 2\nmask = "partial(3,2)"'),
    "birth": ("DATE '1940-01-01' + CAST(hash(i, 1) % 25000 AS INTEGER)", 'kind = "date"\ngrade = 3\nmask = "year"'),
    "salary": ("CAST(hash(i, 2) % 50000 AS BIGINT)", 'kind = "amount"\ngrade = 3\nmask = "band(1000)"'),
    "income": ("CAST(hash(i, 3) % 400000 AS BIGINT)", 'kind = "amount"\ngrade = 3\nmask = "suppress"'),
    "assets": ("CAST(hash(i, 7) % 900000 AS BIGINT)", 'kind = "amount"\ngrade = 3\nmask = "suppress"'),
    "district": ("'D' || hash(i, 4) % 64", 'kind = "code"\ngrade = 1'),
    "employer": ("CAST(hash(i, 5) % 58000 AS BIGINT)", 'kind = "code"\ngrade = 1'),
    "visitor": ("CAST(hash(i, 6) % 500000 AS BIGINT)", 'kind = "subject_id"\ngrade = 3\ndomain = "person"'),
}
STATEMENTS = {
    "sum by 64 groups, subject a key": ("SELECT district, sum(income) FROM {t} GROUP BY district", "people"),
    "sum by 64 groups, many rows a subject": ("SELECT district, sum(income) FROM {t} GROUP BY district", "visits"),
    "sum by 58,000 groups, subject a key": ("SELECT count(*), sum(s) FROM (SELECT employer, sum(assets) AS s FROM {t} GROUP BY employer)", "people"),
    "two partial masks": ("SELECT max(name), max(phone) FROM {t}", "people"),
    "date and band masks": ("SELECT max(birth), max(salary) FROM {t}", "people"),
    "tokens": ("SELECT count(person) FROM {t}", "people"),
    "tokens, counted distinct": ("SELECT count(DISTINCT person) FROM {t}", "people"),
    "nothing masked": ("SELECT max(district), max(employer) FROM {t}", "people"),
}


def main():
    given = d.arguments(__doc__.splitlines()[0], rows=2_000_000, repeats=3)
    import duckdb
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
        with served:
            wire = served.wire("ann", "logic")
            print(f"{given.rows} rows, medians of {given.repeats} in turn")
            for what, (sql, governed) in STATEMENTS.items():
                times = {"governed": [], "open": [], "DuckDB": []}
                failed = None
                for _ in range(given.repeats):
                    for name in times:
                        began = time.perf_counter()
                        try:
                            if name == "DuckDB": duck.execute(sql.format(t="open")).fetchall()
                            else: wire.seen.clear(); wire.query(sql.format(t=governed if name == "governed" else "open"), 120)
                        except d.Refused as refused: failed = f"{name}: {refused.text[:120]}"; continue
                        times[name].append(time.perf_counter() - began)
                middle = {name: statistics.median(t) * 1000 if t else float("nan") for name, t in times.items()}
                print(f"  {what:40} governed {middle['governed']:8.0f} ms   open {middle['open']:8.0f} ms   DuckDB {middle['DuckDB']:8.0f} ms   "
                      f"governed/open {middle['governed'] / middle['open']:5.2f}   {(middle['governed'] - middle['open']) / given.rows * 1e6:6.0f} ns a row" + (f"   {failed}" if failed else ""), flush=True)
    return 0


if __name__ == "__main__": sys.exit(main())
