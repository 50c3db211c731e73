"""Lineage as OpenLineage: every statement's events valid, and no source missing.

Statements written by hand and statements built so that their lineage is known run in a domain made from
fixture F1. The events come from the domain's log (`bonded lineage events`). They are checked with the
official JSON schemas (jsonschema, references resolved to the files in shared/data/openlineage), for the
words that the schemas leave open, and column by column against the truth. Needs jsonschema, referencing.
"""
import collections, contextlib, io, json, sys, time
import jsonschema, referencing
import domain as d, lineage_truth as truth

WRONG = []
TYPES = {"DIRECT": {"IDENTITY", "TRANSFORMATION", "AGGREGATION"},
         "INDIRECT": {"JOIN", "GROUP_BY", "FILTER", "SORT", "WINDOW", "CONDITIONAL"}}
ENDS = {"COMPLETE", "FAIL", "ABORT"}


def wrong(text):
    WRONG.append(text); print("WRONG", text)


def validator():
    """The official schemas, by the addresses they call each other by."""
    folder = d.shared() / "data" / "openlineage"
    documents = [json.loads(p.read_text()) for p in [folder / "OpenLineage.json", *sorted((folder / "facets").glob("*.json"))]]
    registry = referencing.Registry().with_resources(
        [(doc["$id"], referencing.Resource.from_contents(doc)) for doc in documents])
    by_address = {doc["$id"]: doc for doc in documents}
    core = next(doc for doc in documents if doc["$id"].endswith("OpenLineage.json"))
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    make = lambda schema: jsonschema.Draft202012Validator(schema, registry=registry, format_checker=checker)
    return make({"$ref": core["$id"] + "#/$defs/RunEvent"}), by_address, make


def facets(value):
    """Every facet of an event with its name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("facets", "outputFacets", "inputFacets"): yield from inner.items()
            yield from facets(inner)
    elif isinstance(value, list):
        for inner in value: yield from facets(inner)


def valid(events):
    """Each event against the core schema, each facet against its own; both must be able to refuse."""
    event_schema, by_address, make = validator()
    kinds = collections.Counter()
    for event in events:
        for error in event_schema.iter_errors(event): wrong(f"{event['eventType']}: {error.message[:120]}")
        for name, facet in facets(event):
            schema = by_address.get(facet["_schemaURL"])
            if schema is None: wrong(f"facet {name}: no official schema {facet['_schemaURL']}"); continue
            kinds[name] += 1
            key = next(k for k in schema["$defs"] if k == schema["$id"].rsplit("/", 1)[1][:-len(".json")])
            for error in make({"$ref": f"{schema['$id']}#/$defs/{key}"}).iter_errors(facet): wrong(f"facet {name}: {error.message[:120]}")
    spoiled = json.loads(json.dumps(events[0]))
    spoiled["run"]["runId"] = "no-uuid"
    if not list(event_schema.iter_errors(spoiled)): wrong("the schema accepts a run id that is no UUID")
    del spoiled["job"]
    if len(list(event_schema.iter_errors(spoiled))) < 2: wrong("the schema accepts an event without a job")
    return kinds


def words(events):
    """The values that the schemas leave open."""
    for event in events:
        for output in event.get("outputs", []):
            facet = output.get("facets", {}).get("columnLineage", {})
            inputs = [i for f in facet.get("fields", {}).values() for i in f["inputFields"]] + facet.get("dataset", [])
            for one in inputs:
                for step in one["transformations"]:
                    if step.get("subtype") not in TYPES.get(step["type"], ()): wrong(f"transformation {step}")
                    if not isinstance(step["masking"], bool): wrong(f"masking of {step}")
            for one in facet.get("dataset", []):
                if any(step["type"] != "INDIRECT" for step in one["transformations"]): wrong(f"{one} decides rows directly")


def lives(events):
    """START and exactly one end under each run id, in order."""
    runs = collections.defaultdict(list)
    for event in events: runs[event["run"]["runId"]].append(event["eventType"])
    for run, kinds in runs.items():
        if len(kinds) != 2 or kinds[0] != "START" or kinds[1] not in ENDS: wrong(f"run {run}: {kinds}")
    return collections.Counter(kinds[-1] for kinds in runs.values())


def compared(sql, event, columns, whole):
    """Missing and superfluous sources of one statement, and false masking flags."""
    facet = event["outputs"][0]["facets"]["columnLineage"]
    source = lambda one: f"{one['name']}.{one['field']}"
    told = {name: {source(i) for i in field["inputFields"]} for name, field in facet["fields"].items()}
    decides = {source(i) for i in facet["dataset"]}
    missing = [f"{name} <- {s}" for name, sources in columns.items() for s in sources - told.get(name, set())]
    missing += [f"rows <- {s}" for s in whole - decides - set().union(*told.values())]
    more = sum(len(told.get(name, set()) - sources) for name, sources in columns.items()) + len(decides - whole)
    every = sum(len(s) for s in columns.values()) + len(whole)
    if set(told) != set(columns): wrong(f"columns {sorted(told)} of {sql}")
    if missing: wrong(f"missing {missing} of {sql}")
    inputs = [i for f in facet["fields"].values() for i in f["inputFields"]] + facet["dataset"]
    for one in inputs:
        for step in one["transformations"]:
            by_policy = step["description"] == "row-policy"
            if step["masking"] != (truth.masked(source(one)) and not by_policy): wrong(f"masking {step} of {source(one)}: {sql}")
    return len(missing), more, every


def main():
    options = d.arguments(__doc__, statements=200, seed=1)
    with d.temporary() as folder:
        with d.Domain(options.bonded, d.f1_seed(folder / "seed")) as served:
            wire = served.wire("alice", "care")
            asked, refused = {}, collections.Counter()
            def ask(sql, columns, whole, must):
                try: asked[wire.rows(sql)[1]["query"]] = (sql, columns, whole)
                except d.Refused as error:
                    refused[error.text.split(":")[0]] += 1
                    if must: wrong(f"refused: {error.text[:100]}: {sql}")
            for sql, columns, whole in truth.by_hand(): ask(sql, columns, whole, True)
            hand = len(asked)
            builder = truth.Builder(options.seed)
            while len(asked) - hand < options.statements and sum(refused.values()) < 3 * options.statements:
                ask(*builder.statement(), False)
            built = len(asked) - hand
            if built < options.statements: wrong(f"only {built} built statements were answered")
            # An end of each kind: refused, failed at the client's hand, an export.
            for sql in ("SELECT pay FROM secret.payroll", "SELECT income FROM city.citizen", "SELEC 1"):
                try: wire.rows(sql); wrong(f"answered: {sql}")
                except d.Refused: pass
            person = served.person("alice") / "profile.toml"
            done = served.command("export", "-p", person, "-o", folder / "package", "SELECT district, pop FROM city.district_stat WHERE gdp > 0")
            if done.returncode: wrong(f"export: {done.stderr[:200]}")
            began = time.monotonic()
            done = served.command("lineage", "events", *opened(served))
            took = time.monotonic() - began
            if done.returncode: wrong(done.stderr[:300])
            events = [json.loads(line) for line in done.stdout.splitlines()]
            facet_kinds = valid(events)
            package = json.loads((folder / "package" / "lineage.openlineage.json").read_text())
            valid([package])
            words(events + [package])
            ends = lives(events)
            complete = {e["run"]["runId"].replace("-", ""): e for e in events if e["eventType"] == "COMPLETE"}
            missing = more = every = 0
            for query, (sql, columns, whole) in asked.items():
                event = complete.get(query)
                if event is None: wrong(f"no COMPLETE of {sql}"); continue
                m, o, e = compared(sql, event, columns, whole)
                missing, more, every = missing + m, more + o, every + e
            traced(served, asked)
            sealed(served, asked, next(iter(complete)))
            # A truth with a source more must be found missing, or the comparison compares nothing.
            quiet, before = [], len(WRONG)
            for query, (sql, columns, whole) in list(asked.items())[:20]:
                name = next(iter(columns))
                false = {**columns, name: columns[name] | {"city.visits.nothing"}}
                with contextlib.redirect_stdout(io.StringIO()): quiet.append(compared(sql, complete[query], false, whole)[0])
            del WRONG[before:]
            if quiet != [1] * len(quiet): wrong(f"a false truth is not noticed: {quiet}")
            print(f"statements: {hand} written by hand, {built} built, {sum(refused.values())} built ones refused {dict(refused)}")
            print(f"events: {len(events)} valid against the official schemas, runs {dict(ends)}, facets {dict(facet_kinds)}, {took:.1f} s to read")
            print(f"sources: {every} in truth, {missing} missing, {more} told beyond it ({100 * more / every:.1f} %)")
            if more > every * 0.05: wrong("more than 5 % told beyond the truth")
    print("openlineage: " + ("FAILED" if WRONG else "as claimed"))
    return 1 if WRONG else 0


def opened(served):
    """The security authority opens what is sealed; each reading is on record."""
    return "--dir", served.dir, "-p", served.person("sven") / "profile.toml", "--purpose", "audit"


def readings(served):
    done = served.command("--json", "ledger", "tail", "--dir", served.dir)
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    return [e["entry"] for e in events if e["event"] == "sealed-read"]


def sealed(served, asked, query):
    """Without somebody who may, no column shows, and every source does; with one, each reading is on record."""
    before = readings(served)
    sql, columns, whole = asked[query]
    done = served.command("lineage", "sources", "--json", "--dir", served.dir, f"result/{query}")
    product = json.loads(done.stdout)["product"]
    told = {f"{p[1]['dataset']}.{p[1]['item']}" for p in product["parts"]}
    if product["resolved"] or any(p[0] is not None for p in product["parts"]): wrong("columns show without a reading")
    if set().union(whole, *columns.values()) - told: wrong(f"sealed, {sql} lacks a source")
    events = served.command("lineage", "events", "--dir", served.dir)
    if events.returncode or any('"columnLineage"' in line and '"fields":{"' in line for line in events.stdout.splitlines()): wrong("events show columns without a reading")
    picture = served.command("lineage", "picture", "--dir", served.dir, f"result/{query}", "-o", served.dir / "none.svg")
    if picture.returncode == 0: wrong("a picture shows columns without a reading")
    alice = served.person("alice") / "profile.toml"
    refused = served.command("lineage", "sources", "--dir", served.dir, "-p", alice, "--purpose", "audit", f"result/{query}")
    if refused.returncode != 3: wrong(f"alice reads sealed lineage: {refused.returncode}")
    if readings(served) != before: wrong("a reading is on record that was none")
    picture = served.command("lineage", "picture", *opened(served), f"result/{query}", "-o", served.dir / "one.svg")
    if picture.returncode or len(readings(served)) != len(before) + 1: wrong(f"a picture is one reading on record: {picture.stderr}")
    # Which rows there are is all that a count tells: no item of the dataset has a part.
    counted = served.wire("alice", "care").rows("SELECT count(*) FROM city.district_stat")[1]["query"]
    told = served.command("lineage", "products", "--json", *opened(served), "city.district_stat").stdout
    if f"result/{counted}" not in told: wrong("a count of rows is no product of its dataset")
    print(f"readings on record: {len(readings(served))}, one for each sealed lineage opened")


def traced(served, asked):
    """The questions both ways agree with the truth."""
    for source in ("city.district_stat.gdp", "city.citizen.phone", "city.citizen.income"):
        table, item = source.rsplit(".", 1)
        done = served.command("lineage", "products", "--json", *opened(served), table, "--item", item)
        told = {json.loads(line)["product"].split("/")[1] for line in done.stdout.splitlines()}
        needed = {q for q, (_, columns, whole) in asked.items() if source in whole or any(source in s for s in columns.values())}
        if needed - told: wrong(f"{source}: {len(needed - told)} products are not told")
        for query in sorted(needed)[:3]:
            done = served.command("lineage", "sources", "--json", *opened(served), f"result/{query}")
            parts = {f"{p[1]['dataset']}.{p[1]['item']}" for p in json.loads(done.stdout)["product"]["parts"]}
            if source not in parts: wrong(f"{source} is no source of {query}")


if __name__ == "__main__":
    sys.exit(main())
