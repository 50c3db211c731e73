"""Statements whose lineage is known: some written by hand, others built so that it is known.

The truth of a statement is, for each output column, the source columns that have a part in its values,
and for the statement, the source columns that decide which rows there are. Sources are `dataset.item`.
A dataset's row policy decides which rows there are wherever the dataset is read.
"""
import random

# What the care scenario of fixture F1 shows: item -> (type, masked).
TABLES = {
    "city.citizen": {"pid": ("token", True), "id_card": ("token", True), "name": ("text", True), "phone": ("text", True),
                     "birth": ("date", True), "district": ("text", False), "gender": ("text", False)},
    "city.visits": {"vid": ("token", True), "pid": ("token", True), "hosp": ("text", False), "visit_date": ("date", True)},
    "city.district_stat": {"district": ("text", False), "pop": ("int", False), "gdp": ("number", False)},
}
# Read bare by approved aggregates, never shown.
RAW = {"city.citizen.income", "city.visits.cost"}
ROW_POLICY = {"city.citizen": {"city.citizen.district"}}
C, V, S = "city.citizen", "city.visits", "city.district_stat"


def masked(source):
    table, item = source.rsplit(".", 1)
    return source not in RAW and TABLES[table][item][1]


def short(names):
    """c.pid, v.pid, s.pop -> full names."""
    tables = {"c": C, "v": V, "s": S}
    return {f"{tables[n.split('.')[0]]}.{n.split('.')[1]}" for n in names.split()}


# sql, {column: sources}, influences; a row policy's item is added where citizen is read.
BY_HAND = [
    ("SELECT name FROM city.citizen", {"name": "c.name"}, ""),
    ("SELECT name AS n, phone AS p FROM city.citizen LIMIT 5", {"n": "c.name", "p": "c.phone"}, ""),
    ("SELECT upper(name) AS n FROM city.citizen", {"n": "c.name"}, ""),
    ("SELECT name || phone AS both FROM city.citizen", {"both": "c.name c.phone"}, ""),
    ("SELECT 1 AS one, district FROM city.district_stat", {"one": "", "district": "s.district"}, ""),
    ("SELECT count(*) AS n FROM city.district_stat", {"n": ""}, ""),
    ("SELECT pop * 2 + 1 AS x FROM city.district_stat", {"x": "s.pop"}, ""),
    ("SELECT gdp / pop AS x FROM city.district_stat WHERE pop > 0", {"x": "s.gdp s.pop"}, "s.pop"),
    ("SELECT district FROM city.district_stat WHERE gdp > 0 AND pop > 0", {"district": "s.district"}, "s.gdp s.pop"),
    ("SELECT district FROM city.district_stat ORDER BY gdp DESC", {"district": "s.district"}, "s.gdp"),
    ("SELECT max(pop) AS m FROM city.district_stat", {"m": "s.pop"}, ""),
    ("SELECT gender, count(*) AS n FROM city.citizen GROUP BY gender", {"gender": "c.gender", "n": ""}, "c.gender"),
    ("SELECT district, count(DISTINCT pid) AS n FROM city.citizen GROUP BY district", {"district": "c.district", "n": "c.pid"}, "c.district"),
    ("SELECT gender, avg(income) AS a FROM city.citizen GROUP BY gender", {"gender": "c.gender", "a": "c.income"}, "c.gender"),
    ("SELECT district, sum(income) AS a, count(*) AS n FROM city.citizen GROUP BY district", {"district": "c.district", "a": "c.income", "n": ""}, "c.district"),
    ("SELECT CASE WHEN gender = 'F' THEN name ELSE phone END AS x FROM city.citizen", {"x": "c.gender c.name c.phone"}, ""),
    ("SELECT coalesce(name, phone) AS x FROM city.citizen", {"x": "c.name c.phone"}, ""),
    ("SELECT nullif(district, gender) AS x FROM city.citizen", {"x": "c.district c.gender"}, ""),
    ("SELECT date_part('year', birth) AS y FROM city.citizen", {"y": "c.birth"}, ""),
    ("SELECT c.name, v.hosp FROM city.citizen c JOIN city.visits v ON c.pid = v.pid", {"name": "c.name", "hosp": "v.hosp"}, "c.pid v.pid"),
    ("SELECT c.name, v.hosp FROM city.citizen c LEFT JOIN city.visits v ON c.pid = v.pid", {"name": "c.name", "hosp": "v.hosp"}, "c.pid v.pid"),
    ("SELECT c.name, s.pop FROM city.citizen c JOIN city.district_stat s ON c.district = s.district WHERE s.gdp > 0",
     {"name": "c.name", "pop": "s.pop"}, "c.district s.district s.gdp"),
    ("SELECT c.name, s.gdp FROM city.citizen c JOIN city.district_stat s USING (district)", {"name": "c.name", "gdp": "s.gdp"}, "c.district s.district"),
    ("SELECT name FROM city.citizen WHERE pid IN (SELECT pid FROM city.visits WHERE hosp = 'H1')", {"name": "c.name"}, "c.pid v.pid v.hosp"),
    ("SELECT name FROM city.citizen c WHERE EXISTS (SELECT 1 FROM city.visits v WHERE v.pid = c.pid)", {"name": "c.name"}, "c.pid v.pid"),
    ("SELECT name FROM city.citizen c WHERE NOT EXISTS (SELECT 1 FROM city.visits v WHERE v.pid = c.pid AND v.hosp = 'H2')", {"name": "c.name"}, "c.pid v.pid v.hosp"),
    ("SELECT district, (SELECT max(pop) FROM city.district_stat) AS m FROM city.district_stat", {"district": "s.district", "m": "s.pop"}, ""),
    ("SELECT district FROM city.district_stat WHERE pop > (SELECT avg(pop) FROM city.district_stat)", {"district": "s.district"}, "s.pop"),
    ("SELECT district, pop, row_number() OVER (ORDER BY gdp) AS r FROM city.district_stat", {"district": "s.district", "pop": "s.pop", "r": "s.gdp"}, ""),
    ("SELECT district, sum(pop) OVER (PARTITION BY district ORDER BY gdp) AS t FROM city.district_stat", {"district": "s.district", "t": "s.pop s.district s.gdp"}, ""),
    ("SELECT lag(gdp) OVER (ORDER BY pop) AS l FROM city.district_stat", {"l": "s.gdp s.pop"}, ""),
    ("WITH big AS (SELECT district AS d, gdp * 2 AS g FROM city.district_stat WHERE pop > 1) SELECT d, g + 1 AS h FROM big", {"d": "s.district", "h": "s.gdp"}, "s.pop"),
    ("SELECT x.a FROM (SELECT district AS a, pop AS b FROM city.district_stat) x WHERE x.b > 1", {"a": "s.district"}, "s.pop"),
    ("SELECT district FROM city.district_stat UNION ALL SELECT hosp FROM city.visits", {"district": "s.district v.hosp"}, ""),
    ("SELECT district AS x FROM city.district_stat UNION SELECT gender FROM city.citizen", {"x": "s.district c.gender"}, "s.district c.gender"),
    ("SELECT DISTINCT hosp FROM city.visits", {"hosp": "v.hosp"}, "v.hosp"),
    ("SELECT hosp, count(*) AS n FROM city.visits GROUP BY hosp HAVING count(DISTINCT pid) > 1", {"hosp": "v.hosp", "n": ""}, "v.hosp v.pid"),
    ("SELECT a.district, b.gdp FROM city.district_stat a JOIN city.district_stat b ON a.pop < b.pop", {"district": "s.district", "gdp": "s.gdp"}, "s.pop"),
    ("SELECT count(*) FILTER (WHERE gender = 'F') AS f FROM city.citizen", {"f": "c.gender"}, ""),
    ("SELECT district, pop FROM city.district_stat ORDER BY pop LIMIT 3", {"district": "s.district", "pop": "s.pop"}, "s.pop"),
    ("SELECT substr(phone, 1, 3) AS p, length(name) AS l FROM city.citizen WHERE name LIKE 'A%'", {"p": "c.phone", "l": "c.name"}, "c.name"),
    ("SELECT pid, pid AS again FROM city.citizen", {"pid": "c.pid", "again": "c.pid"}, ""),
]


def by_hand():
    for sql, columns, influences in BY_HAND:
        whole = short(influences)
        for table, policy in ROW_POLICY.items():
            if table in sql: whole |= policy
        yield sql, {name: short(sources) for name, sources in columns.items()}, whole


class Relation:
    """A FROM item whose columns' sources are known while it is built."""

    def __init__(self, sql, columns, whole):
        self.sql, self.columns, self.whole = sql, columns, whole   # columns: name -> (type, sources, own influences)


class Builder:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.names = 0

    def name(self, stem):
        self.names += 1
        return f"{stem}{self.names}"

    def scan(self, table):
        columns = {item: (kind, {f"{table}.{item}"}, set()) for item, (kind, _) in TABLES[table].items()}
        return Relation(table, columns, set(ROW_POLICY.get(table, ())))

    def joined(self):
        """Two tables under aliases, on keys that may meet."""
        pairs = [(C, V, "pid", "pid"), (C, S, "district", "district"), (S, S, "district", "district")]
        left, right, a, b = self.random.choice(pairs)
        l, r = self.name("l"), self.name("r")
        kind = self.random.choice(["JOIN", "LEFT JOIN"])
        columns = {}
        for alias, table in ((l, left), (r, right)):
            for item, (type_, _) in TABLES[table].items(): columns[f"{alias}.{item}"] = (type_, {f"{table}.{item}"}, set())
        whole = {f"{left}.{a}", f"{right}.{b}"} | ROW_POLICY.get(left, set()) | ROW_POLICY.get(right, set())
        return Relation(f"{left} {l} {kind} {right} {r} ON {l}.{a} = {r}.{b}", columns, whole)

    def pick(self, relation, *types):
        names = [n for n, (t, _, _) in relation.columns.items() if t in types]
        return self.random.choice(names) if names else None

    def expression(self, relation):
        """An expression over the relation's columns: text, type, sources, influences of its own."""
        column = lambda *types: self.pick(relation, *types)
        of = lambda *names: (set().union(*(relation.columns[n][1] for n in names)), set().union(*(relation.columns[n][2] for n in names)))
        text, other, number, date = column("text"), column("text"), column("int", "number"), column("date")
        made = []
        any_ = self.random.choice(list(relation.columns))
        made.append((any_, relation.columns[any_][0], *of(any_)))
        if text: made += [(f"upper({text})", "text", *of(text)), (f"length({text})", "int", *of(text)),
                          (f"{text} || '-' || {other}", "text", *of(text, other)), (f"coalesce({text}, {other})", "text", *of(text, other)),
                          (f"substr({text}, 1, 2)", "text", *of(text))]
        if number: made += [(f"{number} + 1", relation.columns[number][0], *of(number)), (f"abs({number})", relation.columns[number][0], *of(number))]
        if number and text: made.append((f"CASE WHEN {number} > 3 THEN {text} ELSE {other} END", "text", *of(number, text, other)))
        if date: made.append((f"date_part('year', {date})", "int", *of(date)))
        return self.random.choice(made)

    def condition(self, relation):
        text, number = self.pick(relation, "text"), self.pick(relation, "int", "number")
        if number and (not text or self.random.random() < 0.5): used, condition = number, f"{number} > 0"
        elif text: used, condition = text, f"{text} <> 'nobody'"
        else:
            used = self.random.choice(list(relation.columns))
            condition = f"{used} IS NOT NULL"
        _, sources, own = relation.columns[used]
        return condition, sources | own

    def select(self, relation):
        """SELECT expressions FROM relation WHERE condition."""
        columns, texts = {}, []
        for _ in range(self.random.randint(1, 4)):
            expression, kind, sources, own = self.expression(relation)
            name = self.name("x")
            texts.append(f"{expression} AS {name}")
            columns[name] = (kind, sources, own)
        whole, where = set(relation.whole), ""
        if self.random.random() < 0.6:
            condition, used = self.condition(relation)
            where, whole = f" WHERE {condition}", whole | used
        return Relation(f"SELECT {', '.join(texts)} FROM {relation.sql}{where}", columns, whole)

    def grouped(self, relation):
        """SELECT keys, aggregates FROM relation GROUP BY keys."""
        keys = [n for n, (t, _, _) in relation.columns.items() if t in ("text", "date", "int")]
        if not keys: return self.select(relation)
        keys = self.random.sample(keys, min(len(keys), self.random.randint(1, 2)))
        columns, texts, whole = {}, [], set(relation.whole)
        for key in keys:
            name = self.name("k")
            kind, sources, own = relation.columns[key]
            columns[name] = (kind, sources, own)
            texts.append(f"{key} AS {name}")
            whole |= sources | own
        for _ in range(self.random.randint(1, 2)):
            name, number, any_ = self.name("a"), self.pick(relation, "int", "number"), self.random.choice(list(relation.columns))
            if number and self.random.random() < 0.5:
                kind, sources, own = relation.columns[number]
                texts.append(f"{self.random.choice(['sum', 'max', 'avg'])}({number}) AS {name}")
                columns[name] = ("number", sources, own)
            else:
                _, sources, own = relation.columns[any_]
                texts.append(f"count(DISTINCT {any_}) AS {name}")
                columns[name] = ("int", sources, own)
        return Relation(f"SELECT {', '.join(texts)} FROM {relation.sql} GROUP BY {', '.join(keys)}", columns, whole)

    def windowed(self, relation):
        part, order = self.random.choice(list(relation.columns)), self.pick(relation, "int", "number", "text", "date")
        if not order or relation.columns[part][0] == "token": return self.select(relation)
        own = set().union(*(relation.columns[n][1] | relation.columns[n][2] for n in (part, order)))
        name, kept = self.name("w"), self.random.choice(list(relation.columns))
        columns = {name: ("int", set(), own), (other := self.name("x")): relation.columns[kept]}
        text = f"SELECT row_number() OVER (PARTITION BY {part} ORDER BY {order}) AS {name}, {kept} AS {other} FROM {relation.sql}"
        return Relation(text, columns, set(relation.whole))

    def statement(self):
        start = self.random.choice([lambda: self.scan(self.random.choice(list(TABLES))), self.joined])
        relation = start()
        for depth in range(self.random.randint(1, 3)):
            if depth: relation = Relation(f"({relation.sql}) {self.name('t')}", relation.columns, relation.whole)
            step = self.random.choices([self.select, self.grouped, self.windowed], [5, 3, 2])[0]
            relation = step(relation)
        sql, whole = relation.sql, set(relation.whole)
        if self.random.random() < 0.3:
            order = self.pick(relation, "int", "number", "text", "date")
            if order:
                sql += f" ORDER BY {order} LIMIT 50"
                whole |= relation.columns[order][1] | relation.columns[order][2]
        # What a window looks at decides the value of its column, and so of what is computed from it.
        return sql, {name: sources | own for name, (_, sources, own) in relation.columns.items()}, whole


def built(count, seed=1):
    builder = Builder(seed)
    return [builder.statement() for _ in range(count)]
