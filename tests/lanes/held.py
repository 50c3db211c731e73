"""Values held per subject and derived items, from the seed to the answer: right where they are answered, and
neither can be subtracted from what is summed beside. Needs grpcio and pyarrow.

A held total and a direct one, a derived total and one of what it is derived of, over all of a district and over
all but one person of it: whichever comes second leaves with noise or not at all.
"""
import collections, random, sys
import pyarrow.parquet as pq
import domain as d

WRONG = []
DERIVED = '[[item]]\nname = "monthly"\nkind = "amount"\ngrade = {grade}\nmask = "suppress"\nderived = "{derived}"\n'
PER_PERSON = "(SELECT pid, sum(cost) AS t FROM visits GROUP BY pid) x"


def wrong(text):
    WRONG.append(text); print("WRONG", text)


def seeded(folder, grade=3, derived="income / 12"):
    seed = d.f1_seed(folder)
    entry = seed / "datasets" / "citizen.toml"
    entry.write_text(entry.read_text() + DERIVED.format(grade=grade, derived=derived))
    scenarios = seed / "scenarios.toml"
    scenarios.write_text(scenarios.read_text().replace('aggregate = ["income"]', 'aggregate = ["income", "monthly"]'))
    return seed


class World:
    def __init__(self, seed):
        read = lambda name, columns: pq.read_table(seed / "data" / f"{name}.parquet", columns=columns).to_pylist()
        people = read("citizen", ["pid", "name", "phone", "birth", "district", "gender", "income"])
        self.people = [p for p in people if p["district"] in ("D01", "D02", "D03")]
        self.spent = collections.defaultdict(float)
        for visit in read("visits", ["pid", "cost"]):
            if visit["cost"] is not None: self.spent[visit["pid"]] += visit["cost"]

    def few(self, item):
        """People whose likes, themselves included, are fewer than k among those who have anything of the item."""
        key = lambda p: (p["birth"].year, p["name"][:1], p["phone"][:3], p["gender"], p["district"])
        there = lambda p: p["pid"] in self.spent if item == "cost" else p["income"] is not None
        counts = collections.Counter(key(p) for p in self.people if there(p))
        return [p for p in self.people if there(p) and counts[key(p)] < 10]

    def where(self, p):
        return (f"birth = DATE '{p['birth'].year}-01-01' AND name LIKE '{p['name'][:1]}%' AND phone LIKE '{p['phone'][:3]}%' "
                f"AND gender = '{p['gender']}'")


def one(wire, sql):
    """The only value, and whether it is exact; none if nothing is told."""
    try: table, receipt = wire.rows(sql)
    except d.Refused: return None
    if not table.num_rows: return None
    value = table.columns[-1][0].as_py()
    return None if value is None else (float(value), not receipt["accuracy"])


def answers(served, world):
    with served.copy() as domain:
        wire = domain.wire("alice", "care")
        spent = list(world.spent.values())
        of_people = [world.spent[p["pid"]] for p in world.people if p["pid"] in world.spent]
        incomes = [p["income"] for p in world.people if p["income"] is not None]
        joined = f"{PER_PERSON} JOIN citizen c ON c.pid = x.pid"
        for sql, expected in [
            (f"SELECT avg(t) FROM {PER_PERSON}", sum(spent) / len(spent)),
            (f"SELECT sum(t) FROM {PER_PERSON}", sum(spent)),
            (f"SELECT count(t) FROM {PER_PERSON}", len(spent)),
            ("SELECT avg(t) FROM (SELECT sum(cost) AS t FROM visits GROUP BY pid) x", sum(spent) / len(spent)),
            (f"SELECT avg(t) FROM {joined}", sum(of_people) / len(of_people)),
            ("SELECT sum(monthly) FROM citizen", sum(incomes) / 12),
            ("SELECT avg(monthly) FROM citizen", sum(incomes) / 12 / len(incomes)),
        ]:
            came = one(wire, sql)
            if came is None or abs(came[0] - expected) > 1e-6 * abs(expected): wrong(f"{sql}: {came}, not {expected}")
        table, _ = wire.rows(f"SELECT c.district, avg(t) FROM {joined} GROUP BY c.district")
        if table.num_rows != 3: wrong(f"{table.num_rows} districts")
        for sql, code in [
            (f"SELECT pid, t FROM {PER_PERSON}", "confine.held-value"),
            (f"SELECT count(*) FROM {PER_PERSON} WHERE t > 100", "confine.held-value"),
            (f"SELECT max(t) FROM {PER_PERSON}", "confine.not-approved-aggregate"),
            (f"SELECT sum(t + 1) FROM {PER_PERSON}", "confine.held-value"),
            (f"SELECT avg(t) FROM {PER_PERSON} JOIN visits v ON v.pid = x.pid", "confine.no-rule"),
            ("SELECT pid FROM visits GROUP BY pid HAVING sum(cost) > 100", "confine.held-value"),
            ("SELECT avg(t) FROM (SELECT pid, hosp, sum(cost) AS t FROM visits GROUP BY pid, hosp) x", "confine.held-value"),
        ]:
            try:
                wire.rows(sql); wrong(f"answered: {sql}")
            except d.Refused as refused:
                if code not in refused.text: wrong(f"{sql}: {refused.text}")


def subtracted(served, world, rng):
    """Both orders of each pair of totals, over fresh registers."""
    held = f"SELECT sum(t) FROM {PER_PERSON} JOIN citizen c ON c.pid = x.pid WHERE {{}}"
    direct = "SELECT sum(v.cost) FROM visits v JOIN citizen c ON c.pid = v.pid WHERE {}"
    mean = f"SELECT avg(t), sum(t) FROM {PER_PERSON} JOIN citizen c ON c.pid = x.pid WHERE {{}}"
    of_items = "SELECT sum(income) FROM citizen WHERE {}", "SELECT sum(monthly) * 12 FROM citizen WHERE {}"
    pairs = {"held, direct": (held, direct), "direct, held": (direct, held), "mean, direct": (mean, direct),
             "item, derived": of_items, "derived, item": of_items[::-1]}
    for name, (whole, part) in pairs.items():
        tried = exact = 0
        with served.copy() as domain:
            wire = domain.wire("alice", "care")
            for person in rng.sample(world.few("income" if "item" in name else "cost"), 12):
                where = f"district = '{person['district']}'"
                total = one(wire, whole.format(where))
                rest = one(wire, part.format(f"{where} AND NOT ({world.where(person)})"))
                tried += 1
                exact += bool(total and rest and total[1] and rest[1])
        print(f"  {name}: {tried} tried, {exact} with both exact")
        if exact: wrong(f"{name}: {exact} of {tried} differences told exactly")


def bad_seeds(bonded, folder):
    for number, (grade, derived, said) in enumerate([
        (2, "income / 12", "highest grade of its parts"), (3, "income / months", "no item of the dataset"),
        (3, "income %% 12", "no derivation"), (3, "income / phone", "kind phone"),
    ]):
        seed = seeded(folder / f"bad{number}", grade, derived)
        try: d.Domain(bonded, seed, folder / f"made{number}")
        except SystemExit as failed:
            text = str(failed)
            if said not in text or "monthly" not in text or "citizen.toml" not in text: wrong(f"{derived}: {text}")
        else: wrong(f"a seed with {derived} at grade {grade} is taken")


def main():
    given = d.arguments(__doc__.splitlines()[0])
    rng = random.Random(3)
    with d.temporary() as folder:
        seed = seeded(folder / "f1")
        served = d.Domain(given.bonded, seed, folder / "served")
        world = World(seed)
        answers(served, world)
        subtracted(served, world, rng)
        bad_seeds(given.bonded, folder)
    print("0 failed" if not WRONG else f"{len(WRONG)} failed")
    return bool(WRONG)


if __name__ == "__main__": sys.exit(main())
