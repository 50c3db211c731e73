"""The 22 questions of TPC-H: on grade-1 data equal to bare DataFusion; with customers protected, which run
and which are refused, and why. Needs grpcio, pyarrow, datafusion, tpchgen-cli.
"""
import math, pathlib, re, statistics, subprocess, sys
import domain as d
import slt

TABLES = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"]
# What is graded where customers are protected; the rest is grade 1. `orders` belong to the customer who placed them.
GRADED = {
    "customer": ("c_custkey", {"c_custkey": 'kind = "subject_id"\ngrade = 3\nunique = true\ndomain = "person"', "c_name": 'kind = "person_name"\ngrade = 2',
        "c_address": 'kind = "address"\ngrade = 3', "c_phone": 'kind = "phone"\ngrade = 2\nmask = "partial(2,0)"',
        "c_acctbal": 'kind = "amount"\ngrade = 3\nmask = "suppress"', "c_comment": 'kind = "free_text"\ngrade = 4'}),
    "orders": ("o_custkey", {"o_custkey": 'kind = "subject_id"\ngrade = 3\ndomain = "person"'}),
}
WRONG = []


def questions():
    text = (d.ROOT / "tests" / "fixtures" / "tpch" / "queries.sql").read_text()
    return [(int(n), sql.strip()) for n, sql in re.findall(r"^-- (\d+)\n(.*?)(?=^-- \d+\n|\Z)", text, re.S | re.M)]


def seed(folder, data, protected):
    import pyarrow.parquet as pq
    slt.seed(folder, {})
    listed = ""
    for name in TABLES:
        subject, graded = GRADED.get(name, (None, {})) if protected else (None, {})
        columns = pq.read_schema(data / f"{name}.parquet").names
        plain = 'kind = "other"\ngrade = 1'
        items = "".join(f'[[item]]\nname = "{c}"\n{graded.get(c, plain)}\n' for c in columns)
        (folder / "datasets" / f"{name}.toml").write_text(
            f'[dataset]\nname = "main.{name}"\ntitle = "x"\nprovider = "bureau-x"\nsource = "x"\nsector = "general"\nupdate = "x"\n'
            f'data = "{data}/{name}.parquet"\n' + (f'subject = "{subject}"\n' if subject else "") + items)
        listed += f'[[scenario.dataset]]\nname = "main.{name}"\nitems = ["*"]\n' + ('aggregate = ["c_acctbal"]\n' if protected and name == "customer" else "")
    scenarios = folder / "scenarios.toml"
    scenarios.write_text(scenarios.read_text() + listed)
    return folder


def same(a, b):
    if a is None or b is None: return a is None and b is None
    try: return math.isclose(float(a), float(b), rel_tol=1e-6, abs_tol=1e-2)
    except (TypeError, ValueError): return str(a) == str(b)


FRESH = """
import sys, time, datafusion
session = datafusion.SessionContext()
for name in sys.argv[2:]: session.register_parquet(name, f"{sys.argv[1]}/{name}.parquet")
sql = sys.stdin.read()
began = time.perf_counter()
session.sql(sql).optimized_logical_plan()
print(time.perf_counter() - began)
"""


def fresh(data):
    """Milliseconds that bare DataFusion takes for a question's optimised plan: the median of all."""
    times = []
    for _, sql in questions():
        done = subprocess.run([sys.executable, "-c", FRESH, str(data), *TABLES], input=sql, capture_output=True, text=True, check=True)
        times.append(float(done.stdout) * 1000)
    return statistics.median(times)


def main():
    given = d.arguments(__doc__.splitlines()[0], scale=0.02)
    import datafusion
    with d.temporary() as folder:
        data = folder / "data"
        subprocess.run([pathlib.Path(sys.executable).parent / "tpchgen-cli", "parquet", "-s", str(given.scale), "--output-dir", data], check=True, stdout=subprocess.DEVNULL)
        bare = datafusion.SessionContext()
        for name in TABLES: bare.register_parquet(name, str(data / f"{name}.parquet"))
        for protected in (False, True):
            ran, refused = 0, []
            served, spans = d.Domain(given.bonded, seed(folder / f"seed-{protected}", data, protected)), d.Spans()
            spans.configure(served)
            with served:
                wire = served.wire("ann", "logic")
                for number, sql in questions():
                    wire.seen.clear()
                    try: got = slt.rows_of(wire.rows(sql, 120)[0])
                    except d.Refused as why:
                        refused.append(f"{number}: {why.text[:150]}")
                        if not protected: WRONG.append(f"{number} refused: {why.text[:200]}")
                        continue
                    ran += 1
                    if protected: continue
                    want = slt.rows_of(bare.sql(sql).to_arrow_table())
                    if len(got) != len(want) or not all(all(map(same, a, b)) for a, b in zip(got, want)): WRONG.append(f"{number} differs: {got[:2]} / {want[:2]}")
            print(f"{'customers protected' if protected else 'grade 1'}: {ran} of 22 ran")
            for line in refused: print("   ", line)
            for stage in ("confine.confine", "dispatch.plan"):
                times = sorted(seconds * 1000 for name, seconds in spans.spans if name == stage)
                if times: print(f"    {stage}: median {statistics.median(times):.2f} ms, at most {times[-1]:.2f} ms, of {len(times)}")
            # Revenue by customer repeats a customer for each order and line of open data: refused (confine.multiplied).
            if protected and ran < 12: WRONG.append(f"only {ran} ran with customers protected")
        print(f"DataFusion's own parse and optimisation, each in an equally fresh process: median {fresh(data):.2f} ms")
    for line in WRONG: print("WRONG", line)
    print(f"{len(WRONG)} failed")
    return bool(WRONG)


if __name__ == "__main__": sys.exit(main())
