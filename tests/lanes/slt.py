"""SQLite's public logic tests on data that is all grade 1. Needs grpcio, pyarrow, datafusion.

Each query is answered as the file says, or bare DataFusion gives the same other answer, or it is refused
with a reason that is counted here. Anything else is wrong.
"""
import collections, csv, hashlib, re, sys, threading
import domain as d

WRONG = []


def parsed(path):
    """Tables as (columns, rows), and queries as (types, sort, sql, expected)."""
    tables, queries = {}, []
    for record in re.split(r"\n\s*\n", path.read_text()):
        lines = [line for line in record.strip().splitlines() if not line.startswith("#")]
        while lines and lines[0].split()[0] in ("skipif", "onlyif", "hash-threshold"):
            skipped = lines[0].split()
            lines = [] if skipped[0] == "onlyif" and skipped[1] not in ("postgresql", "duckdb") else lines[1:]
        if not lines: continue
        head = lines[0].split()
        if head[0] == "statement": statement("\n".join(lines[1:]), tables)
        elif head[0] == "query":
            cut = lines.index("----") if "----" in lines else len(lines)
            queries.append((head[1], head[2] if len(head) > 2 else "nosort", "\n".join(lines[1:cut]), lines[cut + 1:]))
    return tables, queries


def statement(sql, tables):
    made = re.match(r"CREATE TABLE (\w+)\s*\((.*)\)", sql, re.S)
    put = re.match(r"INSERT INTO (\w+)\s*(?:\(([^)]*)\))?\s*VALUES\s*\((.*)\)", sql, re.S)
    if made: tables[made[1]] = ([c.split()[0] for c in made[2].split(",")], [])
    elif put:
        columns, rows = tables[put[1]]
        values = [v.strip().strip("'") for v in put[3].split(",")]
        named = [c.strip() for c in put[2].split(",")] if put[2] else columns
        row = dict(zip(named, values))
        rows.append(["" if row.get(c, "NULL") == "NULL" else row[c] for c in columns])


def seed(folder, tables):
    for name in ("data", "datasets"): (folder / name).mkdir(parents=True)
    write = lambda name, text: (folder / name).write_text(text)
    write("domain.toml", 'name = "slt"\ntitle = "Logic tests"\ndefault_schema = "main"\n')
    person = lambda i, role, at: f'[[person]]\nid = "{i}"\nname = "{i}"\nrole = "{role}"\norganisation = "{at}"\nvetted = true\nnda_until = 2027-12-31\n'
    write("people.toml", person("ann", "operator-member", "op") + person("dora", "data-authority", "bureau") + person("sven", "security-authority", "security") + person("paul", "provider", "bureau-x"))
    write("operators.toml", '[[operator]]\nid = "op"\ntitle = "Op"\nsecurity_officer = "ann"\nemergency_plan = true\n')
    write("licences.toml", '[[licence]]\nid = "lic"\noperator = "op"\nmode = "comprehensive"\nfrom = 2026-01-01\nuntil = 2027-12-30\n')
    listed = "".join(f'[[scenario.dataset]]\nname = "main.{name}"\nitems = ["*"]\n' for name in tables)
    write("scenarios.toml", f'[[scenario]]\nid = "logic"\nlicence = "lic"\ntitle = "x"\npurpose = "x"\nmembers = ["ann"]\n{listed}')
    for name, (columns, rows) in tables.items():
        items = "".join(f'[[item]]\nname = "{c}"\nkind = "other"\ngrade = 1\n' for c in columns)
        write(f"datasets/{name}.toml", f'[dataset]\nname = "main.{name}"\ntitle = "x"\nprovider = "bureau-x"\nsource = "x"\nsector = "general"\nupdate = "x"\ndata = "../data/{name}.csv"\n{items}')
        with open(folder / "data" / f"{name}.csv", "w", newline="") as file: csv.writer(file).writerows([columns] + rows)
    return folder


def written(types, sort, rows):
    """Rows the way the files write them."""
    def value(kind, v):
        if v is None: return "NULL"
        if kind == "I": return str(int(v)) if not isinstance(v, str) else v
        if kind == "R": return f"{float(v):.3f}"
        return "(empty)" if v == "" else str(v)
    rows = [[value(k, v) for k, v in zip(types, row)] for row in rows]
    if sort == "rowsort": rows.sort()
    values = [v for row in rows for v in row]
    if sort == "valuesort": values.sort()
    return values


def as_expected(values, expected):
    hashed = re.match(r"(\d+) values hashing to (\w+)", expected[0]) if expected else None
    if hashed: return len(values) == int(hashed[1]) and hashlib.md5("".join(v + "\n" for v in values).encode()).hexdigest() == hashed[2]
    return values == expected


def rows_of(table): return list(zip(*[c.to_pylist() for c in table.columns])) if table.num_columns else []


def run(bonded, path, reasons, tally, limit):
    import datafusion
    tables, queries = parsed(path)
    queries = queries[:: max(1, len(queries) // limit)] if limit else queries
    with d.temporary() as folder:
        made = seed(folder / "seed", tables)
        bare = datafusion.SessionContext()
        for name in tables: bare.register_csv(name, str(made / "data" / f"{name}.csv"))
        with d.Domain(bonded, made) as served:
            queue, lock = iter(queries), threading.Lock()

            def work():
                wire = served.wire("ann", "logic")
                while True:
                    with lock: query = next(queue, None)
                    if query is None: return
                    types, sort, sql, expected = query
                    wire.seen.clear()
                    try: got = written(types, sort, rows_of(wire.rows(sql)[0]))
                    except d.Refused as refused:
                        with lock: reasons[refused.text.split(": ")[0] + " " + " ".join(re.findall(r"\(([^)]*)\)", refused.text)[:1])] += 1; tally["refused"] += 1
                        if tally["refused"] < 12: print(f"    refused: {refused.text[:90]}\n      {sql[:160]!r}")
                        continue
                    if as_expected(got, expected): tally["as the file says"] += 1; continue
                    try: other = written(types, sort, rows_of(bare.sql(sql).to_arrow_table()))
                    except Exception as error: other = f"error {str(error)[:80]}"
                    if other == got: tally["as DataFusion says"] += 1; continue
                    tally["wrong"] += 1
                    if len(WRONG) < 12: print(f"WRONG {sql!r}\n   got {got[:8]}\n   DataFusion {str(other)[:120]}\n   file {expected[:8]}")
                    WRONG.append(sql)

            workers = [threading.Thread(target=work) for _ in range(3)]
            for worker in workers: worker.start()
            for worker in workers: worker.join()
    print(f"  {path.name}: {len(queries)} queries, so far {dict(tally)}", flush=True)


def main():
    given = d.arguments(__doc__.splitlines()[0], limit=0)
    reasons, tally = collections.Counter(), collections.Counter()
    for path in sorted((d.shared() / "data" / "slt").glob("*.test")): run(given.bonded, path, reasons, tally, given.limit)
    for reason, count in reasons.most_common(): print(f"  refused {count:5} {reason}")
    total = sum(tally.values())
    print(f"{total} queries: {dict(tally)}; {100 * tally['refused'] / total:.2f} % refused")
    if tally["refused"] * 100 >= total: WRONG.append("too many refused"); print("WRONG too many refused")
    print(f"{len(WRONG)} failed")
    return bool(WRONG)


if __name__ == "__main__": sys.exit(main())
