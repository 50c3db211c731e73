"""Statements that try to get a value, a condition on few people or a canary out of fixture F1, with rows shown
and with rows off. Needs grpcio and pyarrow.

Each says what may come of it: `-` it is refused; `k` no whole number in an answer is between 0 and k; `v` no number
in an answer is one person's raw value; `+` as `k`, and it is answered; `!` it is answered. Canaries are looked
for in every byte received. `-v` prints each answer.
"""
import collections, re, sys
import pyarrow.parquet as pq
import domain as d

K = 10
WRONG = []

# What the register, the witnesses and the shapes are to stop. C is the protected table of people, V their visits
# (a table with several rows a person), U the operator's own list of people.
BOTH = """
- SELECT c.pid FROM citizen c JOIN (VALUES ('00')) t(x) ON c.pid = t.x
- SELECT count(*) FROM citizen c JOIN bonded.receipts r ON c.pid = r.query
- SELECT count(*) FROM citizen WHERE pid IN (SELECT query FROM bonded.receipts)
- SELECT pid FROM citizen UNION SELECT query FROM bonded.receipts
- SELECT coalesce(pid, 'x') FROM citizen
- SELECT CASE WHEN true THEN pid ELSE 'x' END FROM citizen
- SELECT nullif(pid, '0') FROM citizen
- SELECT pid FROM citizen INTERSECT SELECT 'a'
- SELECT greatest(pid, id_card) FROM citizen
- SELECT count(*) FROM citizen c JOIN citizen d ON c.pid = d.id_card
- SELECT count(*) FROM citizen c JOIN visits v ON c.pid = v.vid
- SELECT row_number() OVER (ORDER BY pid), name FROM citizen WHERE pid > 'a'
- SELECT min(pid), max(pid) FROM citizen WHERE left(pid, 1) = 'a'
v SELECT sum(income) FROM citizen c CROSS JOIN (VALUES (1), (2)) t(x)
v SELECT sum(income) FROM citizen c CROSS JOIN bonded.receipts r
- SELECT sum(c.income) FROM citizen c LEFT JOIN visits v ON c.pid = v.pid AND v.hosp = 'H1' GROUP BY c.district, v.diag
- SELECT sum(income + 0) FROM citizen
- SELECT sum(income) OVER (PARTITION BY district) FROM citizen
- SELECT first_value(income) OVER (ORDER BY phone) FROM citizen
- SELECT lag(income) OVER (ORDER BY phone) FROM citizen
- SELECT array_agg(income) FROM citizen
- SELECT min(income), max(income) FROM citizen
- SELECT max(income) FILTER (WHERE phone = 'p00') FROM citizen
- SELECT median(income) FROM citizen GROUP BY district
- SELECT sum(CASE WHEN phone = 'p00' THEN income END) FROM citizen
- SELECT sum(income) FILTER (WHERE income > 100000) FROM citizen
- SELECT count(*) FROM citizen WHERE income BETWEEN 100000 AND 100100
- SELECT district FROM citizen ORDER BY income LIMIT 1
- SELECT count(*) FROM citizen a JOIN citizen b ON a.income = b.income
- SELECT gdp FROM district_stat WHERE gdp > (SELECT income FROM citizen LIMIT 1)
- SELECT gdp FROM district_stat s WHERE EXISTS (SELECT 1 FROM citizen c WHERE c.income > s.pop)
- SELECT DISTINCT income FROM citizen
- SELECT income FROM citizen EXCEPT SELECT 0
- SELECT grouping(income) FROM citizen GROUP BY ROLLUP (income)
- SELECT pid, total FROM (SELECT pid, sum(cost) AS total FROM visits GROUP BY pid) WHERE total > 3000
- SELECT max(total) FROM (SELECT pid, sum(cost) AS total FROM visits GROUP BY pid)
- SELECT sum(total * total) FROM (SELECT pid, sum(cost) AS total FROM visits GROUP BY pid)
- SELECT sum(total) FILTER (WHERE total > 3000) FROM (SELECT pid, sum(cost) AS total FROM visits GROUP BY pid)
- SELECT rank() OVER (ORDER BY total) FROM (SELECT pid, sum(cost) AS total FROM visits GROUP BY pid)
- SELECT stddev(total) FROM (SELECT pid, sum(cost) AS total FROM visits GROUP BY pid)
- SELECT avg(n) FROM (SELECT pid, hosp, count(cost) AS n FROM visits GROUP BY pid, hosp)
- SELECT sum(c.income) FROM citizen c LEFT JOIN op_upload u ON c.pid = u.pid WHERE u.label IS NULL AND u.pid IS NULL
- SELECT c.name, u.label FROM citizen c JOIN op_upload u ON c.pid = u.pid
- SELECT u.pid FROM op_upload u
- SELECT u.pid, count(*) FROM op_upload u JOIN citizen c ON u.pid = c.pid GROUP BY u.pid
- SELECT who FROM secret.payroll
- SELECT bytes, pid FROM bonded.receipts, citizen WHERE query = pid
- SELECT sql FROM bonded.receipts
- SELECT person FROM bonded.receipts
- SELECT * FROM bonded.people
- SELECT count(*) FROM bonded.receipts a, bonded.receipts b, bonded.receipts c, bonded.receipts d, bonded.receipts e
- INSERT INTO bonded.receipts VALUES (1)
v SELECT sum(income) FROM (SELECT *, row_number() OVER (ORDER BY phone, name, birth) AS rn FROM citizen) t WHERE rn = 5
v SELECT rn, sum(income) FROM (SELECT *, row_number() OVER (ORDER BY phone, name, birth) AS rn FROM citizen) t GROUP BY rn
v SELECT phone, name, birth, sum(income), avg(income), count(income) FROM citizen GROUP BY phone, name, birth
v SELECT name, sum(income) AS s FROM citizen GROUP BY name, phone ORDER BY s LIMIT 3
v SELECT district, gender, phone, avg(income) FROM citizen GROUP BY GROUPING SETS ((district, gender, phone), (district), ())
v SELECT (SELECT sum(income) FROM citizen d WHERE d.phone = c.phone AND d.birth = c.birth) FROM (SELECT DISTINCT phone, birth FROM citizen WHERE birth IS NOT NULL) c LIMIT 20
v SELECT sum(income) FROM citizen WHERE phone IN (SELECT phone FROM citizen GROUP BY phone HAVING count(*) = 1)
v SELECT sum(income) FROM citizen WHERE phone || name IN (SELECT phone || name FROM citizen GROUP BY 1 HAVING count(*) = 1) AND district = 'D01' AND birth = DATE '1950-01-01'
v SELECT u.label, c.district, sum(c.income) FROM citizen c JOIN op_upload u ON c.pid = u.pid GROUP BY u.label, c.district
v SELECT sum(c.income) FROM citizen c WHERE EXISTS (SELECT 1 FROM op_upload u WHERE u.pid = c.pid AND u.label = 'L0')
v SELECT c.district, sum(c.income) FROM citizen c WHERE NOT EXISTS (SELECT 1 FROM visits v WHERE v.pid = c.pid AND v.hosp = 'H1' AND v.visit_date = DATE '2025-01-01') GROUP BY c.district
v SELECT sum(income), count(income) FROM (SELECT income FROM citizen WHERE district = 'D01' EXCEPT ALL SELECT income FROM citizen WHERE false) t
v SELECT sum(income) FROM (SELECT income, phone FROM citizen UNION ALL SELECT income, phone FROM citizen WHERE phone = 'p00') t
v SELECT hosp, visit_date, sum(cost), count(*) FROM visits WHERE vid IS NOT NULL GROUP BY hosp, visit_date, pid
v SELECT sum(total) FROM (SELECT pid, sum(cost) AS total FROM visits WHERE hosp = 'H0' AND visit_date = DATE '2025-03-01' GROUP BY pid, vid) t
v SELECT stddev(cost), avg(cost), variance(cost) FROM visits GROUP BY hosp, visit_date, pid
v SELECT district, sum(income) FROM citizen GROUP BY district HAVING sum(income) > 100000 AND count(*) < 10
v SELECT sum(income) FROM citizen TABLESAMPLE SYSTEM (1)
v SELECT sum(s) FROM (SELECT sum(income) AS s FROM citizen GROUP BY phone, birth) t
v SELECT max(s), min(s) FROM (SELECT sum(income) AS s FROM citizen GROUP BY phone, birth, name) t
v SELECT s FROM (SELECT DISTINCT sum(income) AS s FROM citizen GROUP BY birth, phone) t ORDER BY s
v SELECT * FROM (SELECT phone, sum(income) AS s FROM citizen GROUP BY phone) a JOIN (SELECT phone, count(*) AS n FROM citizen GROUP BY phone) b ON a.phone = b.phone WHERE n < 10
! SELECT query, rows FROM bonded.receipts WHERE outcome = 'released' ORDER BY opened DESC LIMIT 3
! SELECT outcome, count(*), max("index") FROM bonded.receipts GROUP BY outcome
! SELECT count(*) FROM bonded.receipts
""".strip().splitlines()

# Rows may not show: every count is of k people, and no form of a value stands for a condition.
OFF = """
- SELECT name FROM citizen LIMIT 1
- SELECT DISTINCT pid FROM visits
- SELECT sum(CASE WHEN phone = 'p00' THEN date_part('year', birth) ELSE 0 END) FROM citizen
- SELECT sum(length(phone)) FROM citizen
- SELECT sum(date_part('year', birth) * (CASE WHEN phone = 'p00' THEN 1 ELSE 0 END)) FROM citizen
- SELECT count(DISTINCT CASE WHEN phone = 'p00' THEN 1 END) FROM citizen
- SELECT avg(strpos(phone, '0')) FROM citizen
- SELECT row_number() OVER (ORDER BY birth) FROM citizen
- SELECT string_agg(name, ',') FROM citizen
- SELECT sum(1 / (strpos(phone, 'a') - 1)) FROM citizen
- SELECT sum(t.w) FROM citizen c JOIN (VALUES ('p00', 1), ('p01', 1000)) t(p, w) ON c.phone = t.p
- SELECT sum(r.bytes) FROM citizen c JOIN bonded.receipts r ON c.phone = r.notice
+ SELECT gdp FROM district_stat s WHERE s.pop > (SELECT count(*) FROM citizen c WHERE c.phone = 'p00' AND c.district = s.district)
k SELECT phone, birth, count(*) FROM citizen GROUP BY phone, birth
k SELECT name, phone, count(DISTINCT pid) FROM citizen GROUP BY name, phone
k SELECT count(*) FROM citizen WHERE phone = 'p00' AND name LIKE 'a%'
k SELECT count(*) FILTER (WHERE phone = 'p00'), count(*) FILTER (WHERE phone = 'p01' AND gender = 'F') FROM citizen
k SELECT sum(CASE WHEN phone = 'p00' AND gender = 'F' THEN 1 ELSE 0 END) FROM citizen
k SELECT count(CASE WHEN phone = 'p00' AND gender = 'F' AND district = 'D01' THEN 1 END) FROM citizen
k SELECT birth, count(*) FROM citizen GROUP BY birth HAVING count(*) < 10
k SELECT count(*) FROM (SELECT phone FROM citizen GROUP BY phone HAVING count(*) = 1) t
k SELECT count(*) FROM (SELECT pid FROM visits GROUP BY pid HAVING count(*) > 9) t
k SELECT n * 1000, count(*) FROM (SELECT pid, count(*) AS n FROM visits GROUP BY pid) t GROUP BY n
k SELECT district, phone, count(*) FROM citizen GROUP BY ROLLUP (district, phone)
+ SELECT district, (SELECT count(*) FROM citizen c WHERE c.district = s.district AND c.phone = 'p00') FROM district_stat s
+ SELECT s.district, n FROM district_stat s LEFT JOIN (SELECT district, count(*) AS n FROM citizen WHERE gender = 'F' GROUP BY district) c ON s.district = c.district
k SELECT CASE WHEN (SELECT count(*) FROM citizen WHERE phone = 'p00' AND gender = 'F' AND district = 'D01') > 0 THEN 77 ELSE 88 END
k SELECT count(*) FROM citizen WHERE phone IN (SELECT phone FROM citizen GROUP BY phone HAVING count(*) < 3)
k SELECT count(*) FROM citizen c WHERE EXISTS (SELECT 1 FROM visits v WHERE v.pid = c.pid AND v.hosp = 'H1' AND v.visit_date = DATE '2025-02-01') AND c.phone = 'p11'
k SELECT count(*) FROM district_stat s WHERE EXISTS (SELECT 1 FROM citizen c WHERE c.district = s.district AND c.phone = 'p00' AND c.name LIKE 'a%' AND c.gender = 'F')
k SELECT u.label, c.district, count(*) FROM citizen c JOIN op_upload u ON c.pid = u.pid GROUP BY u.label, c.district
k SELECT count(*) FROM citizen c JOIN op_upload u ON c.pid = u.pid WHERE u.label = 'L0' AND c.gender = 'M' AND c.district = 'D02'
k SELECT min(phone), max(phone), min(birth), max(name) FROM citizen WHERE gender = 'F' AND phone < 'p10' AND birth = DATE '1960-01-01'
k SELECT count(*) FROM citizen a JOIN citizen b ON a.pid = b.pid WHERE a.phone = 'p00'
k SELECT count(*) FROM citizen c LEFT JOIN visits v ON c.pid = v.pid AND v.hosp = 'H3' WHERE v.pid IS NULL AND c.phone = 'p00'
k SELECT count(*) FROM (SELECT phone, birth FROM citizen INTERSECT SELECT phone, birth FROM citizen WHERE name LIKE 'a%') t
k SELECT count(*) FROM (SELECT phone, birth FROM citizen EXCEPT SELECT phone, birth FROM citizen WHERE gender = 'M') t
k SELECT count(*) FROM (SELECT DISTINCT phone, birth, name FROM citizen) t
k SELECT max(n) FROM (SELECT phone, count(*) AS n FROM citizen GROUP BY phone, gender) t
v SELECT district, count(*) OVER () FROM (SELECT district, phone FROM citizen GROUP BY district, phone) t
""".strip().splitlines()


def wrong(text):
    WRONG.append(text); print("WRONG", text)


def numbers(table):
    for column in table.columns:
        for value in column.to_pylist():
            if isinstance(value, (int, float)) and not isinstance(value, bool): yield value


def probe(wire, line, needles, secret, verbose):
    expect, sql = line[0], line[2:]
    wire.seen.clear()
    try: table, receipt = wire.rows(sql, 120)
    except d.Refused as refused:
        if refused.code in ("UNKNOWN", "INTERNAL", "UNAVAILABLE", "DEADLINE_EXCEEDED"): wrong(f"failed: {refused}\n      {sql}")
        if verbose: print(f"  {expect} refused  {refused.text[:70]!r:74} {sql[:120]}")
        table = None
    found = d.canaries_in(wire.seen, needles)
    if found: wrong(f"{len(found)} canaries by {sql}")
    if table is None:
        if expect in "+!": wrong(f"not answered: {sql}")
        return "refused"
    if verbose: print(f"  {expect} answered {table.num_rows:4} rows {str(table.slice(0, 3).to_pylist())[:160]} {sql[:120]}")
    if expect == "-": wrong(f"answered: {sql}\n      {table.slice(0, 5).to_pylist()}")
    exact = not receipt.get("accuracy")
    if expect == "v" and exact:
        single = [value for value in numbers(table) if value in secret]
        if single: wrong(f"one person's value: {single[:5]} by {sql}")
    if expect in "k+" and exact:
        few = [value for value in numbers(table) if isinstance(value, int) and 0 < value < K]
        if few: wrong(f"fewer than k: {few[:5]} by {sql}")
    return "answered"


def main():
    args = d.arguments(__doc__, verbose=0)
    for rows in ("shown", "off"):
        with d.temporary() as folder:
            seed = d.f1_seed(folder)
            if rows == "off":
                file = seed / "scenarios.toml"
                file.write_text(file.read_text().replace("show_rows = true", "show_rows = false"))
            canaries = (seed / "data" / "canaries.txt").read_text().split()
            people, visits = (pq.read_table(seed / "data" / f"{name}.parquet") for name in ("citizen", "visits"))
            # Costs are few enough to be sums and counts too: of them only those that nobody else has.
            costs = collections.Counter(visits["cost"].to_pylist())
            secret = set(people["income"].to_pylist()) | {float(cost) for cost, n in costs.items() if n == 1 and cost > 3500}
            with d.Domain(args.bonded, seed) as served:
                wire, needles = served.wire("alice", "care"), d.Canaries(canaries)
                outcome = collections.Counter()
                for line in BOTH + (OFF if rows == "off" else []):
                    outcome[line[0], probe(wire, line, needles, secret, args.verbose)] += 1
                print(f"rows {rows}:", ", ".join(f"{expect} {came} {n}" for (expect, came), n in sorted(outcome.items())))
                if served.process.poll() is not None: wrong("the gateway is gone")
    print(f"{len(BOTH) + len(OFF)} statements, {len(WRONG)} wrong")
    sys.exit(bool(WRONG))


if __name__ == "__main__": main()
