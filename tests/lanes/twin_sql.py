"""Statements over fixture F1, made from a seed, biased to protected items; and smaller ones from one.

A statement is a dictionary of clauses, so that a failing one can lose them one by one. `values` twins
have other values behind the masks and the same masked view, so that whatever is answered must be equal;
`measures` twins have other people behind the same approved aggregates, so that only those are asked.
"""
import random

SHOWN = ["district", "gender", "birth", "name", "phone", "pid", "id_card"]
PROTECTED = ["id_card", "name", "phone", "birth", "income", "diag"]
AGGREGATES = {
    "citizen": ["count(*)", "count(income)", "sum(income)", "avg(income)", "stddev(income)", "count(DISTINCT pid)"],
    "visits": ["count(*)", "count(cost)", "sum(cost)", "avg(cost)", "count(DISTINCT pid)"],
}
MASKED = {
    "citizen": ["count(*)", "count(DISTINCT pid)", "min(birth)", "max(district)", "count(DISTINCT district)", "max(name)",
                "min(phone)", "count(DISTINCT name)", "count(id_card)"],
    "visits": ["count(*)", "count(DISTINCT pid)", "min(visit_date)", "max(hosp)", "count(DISTINCT hosp)"],
}
KEYS = {"citizen": ["district", "gender", "birth", "name"], "visits": ["hosp", "visit_date"]}


def literal(rng):
    return rng.choice(["'110101'", "'p0%'", "'g%'", "'***'", "'x'", "'M'", "'D01'", "17", "1000.5", "NULL", "DATE '1980-01-01'"])


def predicate(rng, table):
    """A condition over what is shown, or over what is not."""
    if table == "visits":
        return rng.choice([f"visit_date >= DATE '2025-{rng.randrange(1, 13):02}-01'", f"hosp = 'H{rng.randrange(9)}'", "hosp IS NOT NULL",
                           f"extract(month FROM visit_date) < {rng.randrange(2, 13)}", f"cost > {rng.randrange(500)}"])
    return rng.choice([
        f"birth >= DATE '{rng.randrange(1940, 2008)}-01-01'", f"gender = '{rng.choice('MF')}'", f"district = 'D0{rng.randrange(1, 5)}'",
        f"district IN ('D01', 'D0{rng.randrange(2, 6)}')", f"name LIKE '{rng.choice(['p', 'a', '***'])}%'", f"phone LIKE '%{rng.randrange(10)}'",
        f"length(name) > {rng.randrange(6)}", f"substr(phone, 1, {rng.randrange(1, 4)}) = 'p{rng.randrange(10)}'", "id_card IS NOT NULL",
        f"extract(year FROM birth) % {rng.randrange(2, 9)} = 0", f"{rng.choice(PROTECTED)} = {literal(rng)}",
        f"{rng.choice(PROTECTED)} LIKE {literal(rng)}", f"income BETWEEN {rng.randrange(1000)} AND {rng.randrange(1000, 99999)}",
        f"CASE WHEN {rng.choice(PROTECTED)} = {literal(rng)} THEN 1 ELSE 0 END = 1", f"cast({rng.choice(PROTECTED)} AS bigint) > {rng.randrange(99)}",
        f"1 / (length(name) - {rng.randrange(9)}) > 0"])


def statement(rng, twin):
    """One statement, as its clauses."""
    measures = twin == "measures"
    table = rng.choice(["citizen", "citizen", "visits"])
    keys = KEYS[table][:2] if measures else KEYS[table]
    shape = rng.randrange(3 if measures else 12)
    made = {"with": "", "select": [], "from": table, "where": [], "group": [], "having": [], "order": [], "limit": ""}
    if shape <= 2:
        made["group"] = rng.sample(keys, rng.randrange(0, len(keys)))
        choice = AGGREGATES[table] if measures else MASKED[table]
        if measures and not made["group"]: choice = [c for c in choice if "std" not in c]
        made["select"] = made["group"] + rng.sample(choice, rng.randrange(1, 4))
        if not measures:
            made["where"] = [predicate(rng, table) for _ in range(rng.randrange(3))]
            if made["group"] and rng.random() < .3: made["having"] = [rng.choice(["count(*) > 9", "count(DISTINCT pid) < 50", "max(1) = 1"])]
        made["order"] = list(made["group"])
    elif shape <= 4:
        made["select"] = rng.sample(SHOWN, rng.randrange(1, 4)); made["from"] = "citizen"
        made["where"] = [predicate(rng, "citizen") for _ in range(rng.randrange(1, 3))]
    elif shape == 5:
        made["select"] = ["v.hosp", rng.choice(["count(*)", "count(DISTINCT c.pid)", "max(c.name)"])]
        made["from"] = "visits v JOIN citizen c ON v.pid = c.pid"
        made["where"] = [f"c.district = 'D0{rng.randrange(1, 4)}'"]; made["group"] = made["order"] = ["v.hosp"]
    elif shape == 6:
        made["select"] = ["gender", rng.choice(["name", "phone"]), rng.choice([
            "rank() OVER (PARTITION BY gender ORDER BY name, birth)", "count(*) OVER (PARTITION BY district)", "lag(birth) OVER (PARTITION BY gender ORDER BY birth, name, phone, district)"])]
        made["from"] = "citizen"; made["where"] = [predicate(rng, "citizen")]
    elif shape == 7:
        made["with"] = f"WITH t AS (SELECT district, count(*) AS n, max(birth) AS b FROM citizen WHERE {predicate(rng, 'citizen')} GROUP BY district) "
        made["select"] = ["district", rng.choice(["n", "b", "n * 2", "CASE WHEN n > 20 THEN 'many' ELSE 'few' END"])]; made["from"] = "t"; made["order"] = ["district"]
    elif shape == 8:
        made["select"] = ["count(*)", "min(district)"]; made["from"] = "citizen"
        made["where"] = [f"{'NOT ' * rng.randrange(2)}EXISTS (SELECT 1 FROM visits v WHERE v.pid = citizen.pid AND {predicate(rng, 'visits')})"]
    elif shape == 9:
        made["select"] = ["district"]; made["order"] = ["1"]
        made["from"] = f"(SELECT district FROM citizen WHERE {predicate(rng, 'citizen')} {rng.choice(['UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT'])} SELECT district FROM district_stat) AS u"
    elif shape == 10:
        made["select"] = [rng.choice(["sum", "count", "avg", "max"]) + f"(CASE WHEN {predicate(rng, 'citizen')} THEN 1 ELSE 0 END)",
                          f"count(*) FILTER (WHERE {predicate(rng, 'citizen')})"]
        made["from"] = "citizen"; made["group"] = rng.sample(["district", "gender"], rng.randrange(2))
    else:
        made["select"] = [f"count(*) - (SELECT count(*) FROM citizen WHERE {predicate(rng, 'citizen')})"]; made["from"] = "citizen"
    # Tokens are other tokens in a twin, and so is their order, and that of rows which nothing else puts in order.
    if rng.random() < .15 and not measures and made["select"][0] not in ("pid", "id_card"):
        made["limit"] = f"LIMIT {rng.randrange(1, 9)}"
        made["order"] = made["order"] or [column for column in made["select"] if column not in ("pid", "id_card")]
    return made


def text(made):
    sql = f"{made['with']}SELECT {', '.join(made['select'])} FROM {made['from']}"
    if made["where"]: sql += " WHERE " + " AND ".join(f"({condition})" for condition in made["where"])
    if made["group"]: sql += " GROUP BY " + ", ".join(made["group"])
    if made["having"]: sql += " HAVING " + " AND ".join(made["having"])
    if made["order"]: sql += " ORDER BY " + ", ".join(made["order"])
    return f"{sql} {made['limit']}".strip()


def smaller(made):
    """Every statement with one part less."""
    for clause in ("where", "having", "order", "select", "group"):
        for at in range(len(made[clause])):
            if clause == "select" and len(made["select"]) == 1: continue
            yield {**made, clause: made[clause][:at] + made[clause][at + 1:]}
    if made["limit"]: yield {**made, "limit": ""}


def shrunk(made, fails):
    """The smallest statement found that still fails."""
    for _ in range(50):
        made_smaller = next((other for other in smaller(made) if fails(text(other))), None)
        if made_smaller is None: return text(made)
        made = made_smaller
    return text(made)


def statements(number, twin, seed=7):
    rng = random.Random(seed)
    return (statement(rng, twin) for _ in range(number))
