"""Clients nobody here wrote: ADBC's Go driver, prepared statements, metadata; and the CLI.

Needs adbc-driver-flightsql, pyarrow, blake3. Every buffer of every result is searched for canaries. A result's digest
is computed again from what a client holds, by a program that shares no line with ours.
"""
import collections, hashlib, json, sys
import blake3, engine
import pyarrow as pa, pyarrow.flight as arrow_flight
import adbc_driver_flightsql.dbapi as flight
from adbc_driver_flightsql import DatabaseOptions
import domain as d

WRONG = []


def wrong(text):
    WRONG.append(text); print("WRONG", text)


def connect(served, who, scenario):
    person = served.person(who)
    read = lambda name: (person / name).read_text()
    return flight.connect(f"grpc+tls://{served.address}", db_kwargs={
        DatabaseOptions.TLS_ROOT_CERTS.value: read("ca.pem"),
        DatabaseOptions.MTLS_CERT_CHAIN.value: read("cert.pem"),
        DatabaseOptions.MTLS_PRIVATE_KEY.value: read("key.pem"),
        DatabaseOptions.TLS_OVERRIDE_HOSTNAME.value: "localhost",
        DatabaseOptions.RPC_CALL_HEADER_PREFIX.value + "bonded-scenario": scenario,
    }, autocommit=True)


def buffers(table):
    """Every buffer behind a table, whole: what stands behind a slice or under a null too."""
    for column in table.columns:
        for chunk in column.chunks:
            for buffer in chunk.buffers():
                if buffer is not None: yield buffer.to_pybytes()


def attacks(must):
    for line in (d.shared() / "attacks.jsonl").read_text().splitlines():
        line = json.loads(line)
        sql = line["sql_or_action"]
        bomb = line["class"].endswith("bomb")
        if line["must"] in must and not bomb and not sql.startswith(("ACTION", "FLIGHT", "RPC", "TLS")): yield line["id"], line["must"], sql


def asked(cursor, way, sql):
    """A statement sent directly, prepared, or prepared with a parameter around it."""
    if way == "direct": cursor.execute(sql)
    elif way == "prepared": cursor.adbc_prepare(sql); cursor.execute(sql)
    else: cursor.execute(f"SELECT * FROM ({sql.rstrip().rstrip(';')}) AS q WHERE 1 = CAST(? AS BIGINT)", (1,))
    return cursor.fetch_arrow_table()


def statements(served, canaries):
    """Every line of the list in three ways as three callers."""
    profile, cli, codes = served.person("alice") / "profile.toml", 0, collections.Counter()
    listed = sorted(attacks(("ok", "mask", "deny")), key=lambda line: line[1] != "ok")
    for who, scenario in (("alice", "care"), ("bob", "roads"), ("bob", "care"), ("lapsed", "care")):
        tally = collections.Counter()
        try: connection = connect(served, who, scenario)
        except Exception as error: print(f"  {who} in {scenario}: {str(error)[:80]}"); continue
        with connection:
            for way in ("direct", "prepared", "with a parameter"):
                for name, must, sql in listed:
                    with connection.cursor() as cursor:
                        try:
                            table = asked(cursor, way, sql)
                            tally[way, "answered"] += 1
                            if d.canaries_in(buffers(table), canaries): wrong(f"{name} {way} as {who}: canaries: {sql}")
                            if who != "alice" and any(f"from {t}" in sql.lower() for t in ("citizen", "visits", "secret")): wrong(f"{name} {way}: {who} is answered: {sql}")
                        except Exception as error:
                            tally[way, "refused"] += 1
                            if must == "ok" and who == "alice" and way != "with a parameter": wrong(f"{name} {way} must be answered: {error}")
                            if d.canaries_in([str(error).encode()], canaries): wrong(f"{name}: a canary in the error")
                            if way == "direct": codes[who, str(error).split("] ")[-1].split(":")[0][:40]] += 1
                    if must == "ok" and who == "alice" and way == "direct":
                        done = served.command("query", "-p", profile, "--format", "json", sql)
                        cli += 1
                        if done.returncode: wrong(f"{name} by the CLI: {done.stderr}")
                        if d.canaries_in([(done.stdout + done.stderr).encode()], canaries): wrong(f"{name}: a canary through the CLI")
        print(f"  {who} in {scenario}: " + ", ".join(f"{way} {came} {n}" for (way, came), n in sorted(tally.items())))
    print(f"CLI: {cli} answered")


def prepared(connection):
    """Parameters, many rows of them, and reuse."""
    with connection.cursor() as cursor:
        sql = "SELECT count(*) AS n FROM district_stat WHERE district = ? AND pop > ?"
        counts = []
        for district, pop in (("D01", 0), ("D02", 0), ("D99", 0), ("D01", 10**12)):
            cursor.execute(sql, (district, pop))
            counts.append(cursor.fetchone()[0])
        if counts != [1, 1, 0, 0]: wrong(f"prepared statement: {counts}")
        cursor.adbc_prepare("SELECT district, pop FROM district_stat WHERE pop >= ?")
        print("prepared:", counts)


def metadata(connection, served):
    objects = connection.adbc_get_objects(depth="all").read_all().to_pylist()
    tables = sorted(f"{s['db_schema_name']}.{t['table_name']}" for c in objects for s in c["catalog_db_schemas"] or []
                    for t in s["db_schema_tables"] or [])
    print("tables:", tables)
    if "city.citizen" not in tables or any("payroll" in t for t in tables): wrong(f"metadata shows {tables}")
    schema = connection.adbc_get_table_schema("citizen", db_schema_filter="city")
    if "id_card" not in schema.names or "diag" in schema.names: wrong(f"schema of citizen: {schema.names}")
    info = connection.adbc_get_info()
    if "bonded" not in str(info.get("vendor_name", "")).lower(): wrong(f"info: {info}")
    with connection.cursor() as cursor:
        plain = cursor.adbc_execute_schema("SELECT district, avg(income) AS a FROM citizen GROUP BY district")
        cursor.execute("SELECT district, avg(income) AS a FROM citizen GROUP BY district")
        if not plain.equals(cursor.fetch_arrow_table().schema): wrong(f"execute_schema gives {plain}")
    schemas(served)
    others = connect(served, "bob", "roads")
    with others, others.cursor() as cursor:
        for sql in ("SELECT * FROM citizen", "SELECT * FROM nothing_here"):
            try: cursor.execute(sql); wrong(f"bob is answered {sql}")
            except Exception as error: print("bob:", str(error)[:110].replace("\n", " "))


def schemas(served):
    """GetSchema and PollFlightInfo, byte by byte: the same schema as GetFlightInfo, and one poll."""
    wire = served.wire("alice", "care")
    service = "/arrow.flight.protocol.FlightService/"
    call = lambda name, message: wire.channel.unary_unary(service + name, None, None)(message, metadata=wire.metadata, timeout=20)
    sql = "SELECT district, avg(income) AS a FROM citizen GROUP BY district"
    descriptor = bytes([8, 2]) + d.field(2, d.statement(sql))
    info = call("GetFlightInfo", descriptor)
    if d.first(call("GetSchema", descriptor), 1) != d.first(info, 1): wrong("GetSchema differs from GetFlightInfo")
    poll = call("PollFlightInfo", descriptor)
    if d.first(d.first(poll, 1), 1) != d.first(info, 1) or d.first(poll, 2) is not None: wrong("PollFlightInfo is not done")
    print("GetSchema, PollFlightInfo: the same schema")


RUST_NAMES = {pa.int64(): "Int64", pa.float64(): "Float64", pa.string(): "Utf8", pa.bool_(): "Boolean", pa.date32(): "Date32"}


def digest(schema, batches):
    """The digest of a result as docs/evidence.md says it, from batches as they came."""
    hashed = blake3.blake3()
    length = lambda n: hashed.update(n.to_bytes(8, "little"))
    def told(bytes_): length(len(bytes_)); hashed.update(bytes_)
    length(len(schema))
    for field in schema: told(field.name.encode()); told(RUST_NAMES[field.type].encode())
    for batch in batches:
        length(batch.num_rows)
        for column in batch.columns:
            nulls, *rest = column.buffers()
            rows, bits = len(column), -(-len(column) // 8)
            if column.null_count == 0: hashed.update(b"\0")
            else: hashed.update(b"\1"); hashed.update(nulls.to_pybytes()[:bits])
            if column.type == pa.string():
                offsets, texts = rest
                offsets = offsets.to_pybytes()[:4 * (rows + 1)]
                told(offsets); told(texts.to_pybytes()[:int.from_bytes(offsets[-4:], "little")])
            else: told(rest[0].to_pybytes()[:bits if column.type == pa.bool_() else rows * column.type.bit_width // 8])
    return hashlib.sha256(b"bonded result v3\n" + hashed.digest()).hexdigest()


def digests(served):
    """What the receipt says of a result, beside what its bytes say: texts, nulls, truth values, several batches."""
    client = engine.flight(served.address, served.person("bob"))
    header = arrow_flight.FlightCallOptions(headers=[(b"bonded-scenario", b"roads")])
    many = " UNION ALL ".join(["SELECT * FROM district_stat"] * 12)
    for sql in ("SELECT district, pop FROM district_stat ORDER BY district", f"""SELECT a.district, a.pop, a.pop > 500 AS b, CASE WHEN b.pop > 500 THEN b.pop END AS c, CAST(b.pop AS DOUBLE) / 7 AS f,
        CASE WHEN b.pop > 400 THEN b.district END AS t, DATE '2020-01-01' AS d FROM ({many}) AS a CROSS JOIN ({many}) AS b CROSS JOIN (VALUES (1), (2), (3), (4), (5)) AS t(n)""",
        "SELECT district, pop FROM district_stat WHERE pop < 0"):
        info = client.get_flight_info(arrow_flight.FlightDescriptor.for_command(d.statement(sql)), header)
        reader = client.do_get(info.endpoints[0].ticket, header)
        batches, receipt = [], None
        while True:
            try: chunk = reader.read_chunk()
            except StopIteration: break
            if chunk.app_metadata is not None: receipt = json.loads(chunk.app_metadata.to_pybytes())
            else: batches.append(chunk.data)
        told = receipt.get("result")
        if told != digest(reader.schema, batches): wrong(f"the receipt says {told}, what came {digest(reader.schema, batches)}: {sql[:60]}")
        if batches and told == digest(reader.schema, batches[:-1]): wrong("a batch less has the same digest")
        print(f"digest of {sum(b.num_rows for b in batches)} rows in {len(batches)} batches: {told[:16]}… as the receipt says")


def main():
    given = d.arguments(__doc__.splitlines()[0])
    with d.temporary() as folder, d.Domain(given.bonded, d.f1_seed(folder / "f1"), folder / "made") as served:
        canaries = d.Canaries((folder / "f1" / "data" / "canaries.txt").read_text().split())
        with connect(served, "alice", "care") as connection:
            prepared(connection)
            metadata(connection, served)
        digests(served)
        statements(served, canaries)
        for who, code in (("lapsed", "identity"),):
            try:
                with connect(served, who, "care") as c, c.cursor() as cursor: cursor.execute("SELECT 1"); wrong(f"{who} is answered")
            except Exception as error:
                print(f"{who}:", str(error)[:110].replace("\n", " "))
                if code not in str(error): wrong(f"{who}: {error}")
    print("0 failed" if not WRONG else f"{len(WRONG)} failed")
    sys.exit(bool(WRONG))


if __name__ == "__main__": main()
