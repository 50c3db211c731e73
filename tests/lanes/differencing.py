"""Repeated queries: scripted differencing, trackers and a reconstruction from random subsets, against the
disclosure register; and honest statements asked in the same term. Needs grpcio, pyarrow, numpy.

The attacker knows everything but incomes: who is who, every masked attribute, every answer he got.
He is to learn no more than the best guess from what anybody may know; honest analysts are to be served.
"""
import collections, random, sys
import numpy as np, pyarrow.parquet as pq
import domain as d

WRONG = []
K = 10


def wrong(text):
    WRONG.append(text); print("WRONG", text)


class World:
    """What is true, and what the attacker can say about each person in a statement."""

    def __init__(self, folder):
        table = pq.read_table(folder / "data" / "citizen.parquet", columns=["pid", "name", "phone", "birth", "district", "gender", "income"]).to_pylist()
        self.rows = [r for r in table if r["district"] in ("D01", "D02", "D03")]
        for r in self.rows:
            r["year"], r["initial"], r["head"] = r["birth"].year, r["name"][:1], r["phone"][:3]

    def where(self, row):
        """A condition over masked items that holds for few but this person."""
        return (f"birth = DATE '{row['year']}-01-01' AND name LIKE '{row['initial']}%' AND phone LIKE '{row['head']}%' "
                f"AND gender = '{row['gender']}'")

    def alike(self, row):
        return [r for r in self.rows if all(r[k] == row[k] for k in ("year", "initial", "head", "gender", "district"))]


class Asker:
    def __init__(self, served):
        self.wire, self.came = served.wire("alice", "care"), collections.Counter()

    def one(self, sql):
        """The only value of a statement, or none."""
        self.wire.seen.clear()
        try: table, receipt = self.wire.rows(sql)
        except d.Refused as refused:
            self.came[refused.text.split(":")[0]] += 1
            return None
        self.came["answered"] += 1
        self.noisy = receipt["accuracy"]
        if self.noisy: self.came["perturbed"] += 1
        return table.columns[0][0].as_py() if table.num_rows else None


def differencing(served, world, number, rng):
    """Each tactic on its own domain, so that each has a fresh start."""
    tactics = {
        "total minus the others": lambda w, d_: [(1, f"{d_}"), (-1, f"{d_} AND NOT ({w})")],
        "tracker": lambda w, d_: [(1, f"{d_} OR ({w})"), (-1, f"({d_}) AND NOT ({w})")],
        "three sums": lambda w, d_: [(.5, f"(({d_}) AND gender = 'M') OR ({w})"), (.5, f"(({d_}) AND gender = 'F') OR ({w})"), (-.5, d_)],
        "other measure": lambda w, d_: [(1, f"{d_}"), (-1, f"{d_} AND coalesce(NOT ({w}), true)")],
    }
    for name, tactic in tactics.items():
        found, refused, tried = 0, 0, 0
        with served.copy() as domain:
            asker, near, noisy = Asker(domain), 0, 0
            for row in rng.sample(world.rows, number):
                where = world.where(row)
                base = f"district = '{row['district']}'" if name != "three sums" else f"district <> '{row['district']}'"
                tried += 1
                guess, perturbed = 0, False
                for factor, condition in tactic(where, base):
                    value = asker.one(f"SELECT sum(income) FROM citizen WHERE {condition}")
                    if value is None: guess = None; break
                    guess, perturbed = guess + factor * value, perturbed or bool(asker.noisy)
                if guess is None: refused += 1; continue
                noisy += perturbed
                if any(abs(guess - r["income"]) < 1 for r in world.alike(row)): found += 1
                if any(abs(guess - r["income"]) < .02 * r["income"] for r in world.alike(row)): near += 1
        print(f"  {name:24} {tried} targets, {refused} stopped, {noisy} perturbed, {found} incomes recovered, {near} within 2 %; {dict(asker.came)}")
        if not asker.came["answered"] or not (asker.came["disclosure.conflict"] + noisy): wrong(f"{name}: it was not the register that stopped it")
        if found: wrong(f"{name}: {found} incomes recovered")
        if near > max(2, .1 * number): wrong(f"{name}: {near} incomes told within 2 %")


def averaging(served, world, number, rng):
    """The same person with one crowd after another: does the noise average out?"""
    years = sorted({r["year"] for r in world.rows})
    told, tried, came, looks = 0, 0, collections.Counter(), []
    for row in rng.sample(world.rows, max(1, number // 10)):
        with served.copy() as domain:
            asker, estimates = Asker(domain), []
            where = f"{world.where(row)} AND district = '{row['district']}'"
            for _ in range(30):
                chosen = sorted(rng.sample([y for y in years if y != row["year"]], 12))
                crowd = "birth IN (" + ", ".join(f"DATE '{y}-01-01'" for y in chosen) + ")"
                without = asker.one(f"SELECT sum(income) FROM citizen WHERE {crowd}")
                exact = without is not None and not asker.noisy
                together = asker.one(f"SELECT sum(income) FROM citizen WHERE {crowd} OR ({where})")
                if exact and together is not None: estimates.append(together - without)
            came += asker.came
            looks.append(len(estimates))
            tried += 1
            guess = sum(estimates) / len(estimates) if estimates else 0
            truth = sum(r["income"] for r in world.alike(row))
            if abs(guess - truth) < .02 * truth: told += 1
    print(f"  {'averaging':24} {tried} targets, looks at each {looks}, {told} told within 2 %; {dict(came)}")
    if told > max(1, .1 * tried): wrong(f"averaging told {told} incomes within 2 %")
    if max(looks) > 15: wrong(f"averaging could look {max(looks)} times at one person")


def cancelling(served, world, number, rng):
    """The same cell with its noise once and twice: does one take the other away?"""
    joins = {"joined to itself": "JOIN citizen d ON d.pid = c.pid", "joined to its people": "JOIN (SELECT DISTINCT pid FROM citizen) d ON d.pid = c.pid",
             "joined where it may": "LEFT JOIN citizen d ON d.pid = c.pid AND d.gender = 'M'"}
    for name, joined in joins.items():
        found = both = 0
        with served.copy() as domain:
            asker = Asker(domain)
            for row in rng.sample(world.rows, number):
                base = f"c.district = '{row['district']}'"
                rest = base + " AND NOT (" + " AND ".join(f"c.{part}" for part in world.where(row).split(" AND ")) + ")"
                total = asker.one(f"SELECT sum(c.income) FROM citizen c WHERE {base}")
                once = asker.one(f"SELECT sum(c.income) FROM citizen c WHERE {rest}")
                twice = asker.one(f"SELECT sum(c.income) FROM citizen c {joined} WHERE {rest}")
                if None in (total, once, twice): continue
                both += 1
                if any(abs(total - (2 * once - twice) - r["income"]) < 3 for r in world.alike(row)): found += 1
        print(f"  {name:24} {number} targets, {both} answered both ways, {found} incomes recovered; {dict(asker.came)}")
        if found: wrong(f"{name}: {found} incomes recovered")


def reconstruction(served, world, number, rng):
    """Random subsets by masked attributes; least squares over all answered sums."""
    years = sorted({r["year"] for r in world.rows}); initials = sorted({r["initial"] for r in world.rows})
    heads = sorted({r["head"] for r in world.rows})
    with served.copy() as domain:
        asker = Asker(domain)
        masks, sums = [], []
        for turn in range(number):
            kind = turn % 3
            if kind == 0:
                chosen = set(rng.sample(years, len(years) // 2)); letters = set(rng.sample(initials, rng.randrange(1, len(initials))))
                condition = f"birth IN ({', '.join(f'''DATE '{y}-01-01' ''' for y in sorted(chosen))}) AND ({' OR '.join(f'''name LIKE '{i}%' ''' for i in sorted(letters))})"
                inside = lambda r: r["year"] in chosen and r["initial"] in letters
            elif kind == 1:
                chosen = set(rng.sample(heads, 100))
                condition = " OR ".join(f"phone LIKE '{h}%'" for h in sorted(chosen))
                inside = lambda r: r["head"] in chosen
            else:
                low, high = sorted(rng.sample(years, 2)); letter = rng.choice(initials); district = rng.choice(["D01", "D02", "D03"])
                condition = f"district = '{district}' AND birth BETWEEN DATE '{low}-01-01' AND DATE '{high}-01-01' AND NOT name LIKE '{letter}%'"
                inside = lambda r: r["district"] == district and low <= r["year"] <= high and r["initial"] != letter
            value = asker.one(f"SELECT sum(income) FROM citizen WHERE {condition}")
            if value is not None:
                masks.append([inside(r) for r in world.rows]); sums.append(value)
            if turn % 250 == 0: sys.stderr.write(f"\r{turn}/{number} subsets, {len(sums)} answered"); sys.stderr.flush()
        sys.stderr.write("\n")
        print(f"  {number} subsets: {dict(asker.came)}")
    truth = np.array([r["income"] for r in world.rows], float)
    mean = truth.mean()
    guess = np.full(len(truth), mean)
    if sums:
        a = np.array(masks, float)
        delta, *_ = np.linalg.lstsq(a, np.array(sums, float) - a @ guess, rcond=None)
        attacked = guess + delta
    else: attacked = guess
    error = lambda g: np.abs(g - truth) / truth
    near = lambda g: float((error(g) < .02).mean())
    exact = float((np.abs(attacked - truth) < 1).mean())
    print(f"  within 2 %: {near(attacked):.4f} of people by reconstruction, {near(guess):.4f} by the mean; exact {exact:.4f}; "
          f"median error {np.median(error(attacked)):.3f} against {np.median(error(guess)):.3f}")
    if exact > .001 or near(attacked) > near(guess) + .02: wrong("the reconstruction beats guessing")


def honest_statements():
    """Two hundred statements of an analyst at work."""
    made = []
    people = ["sum(income)", "avg(income)", "count(income)", "stddev(income)"]
    for measure in people:
        for group in ("district", "gender", "district, gender", "date_part('year', birth)", "gender, date_part('year', birth)"):
            made.append(f"SELECT {group}, {measure} FROM citizen GROUP BY {group}")
        made.append(f"SELECT {measure} FROM citizen")
        for year in range(1950, 2000, 10):
            made.append(f"SELECT {measure} FROM citizen WHERE birth >= DATE '{year}-01-01'")
            made.append(f"SELECT district, {measure} FROM citizen WHERE birth < DATE '{year}-01-01' GROUP BY district")
            made.append(f"SELECT gender, {measure} FROM citizen WHERE birth BETWEEN DATE '{year}-01-01' AND DATE '{year + 9}-01-01' GROUP BY gender")
        made.append(f"WITH t AS (SELECT * FROM citizen WHERE gender = 'F') SELECT district, {measure} FROM t GROUP BY district")
        made.append(f"SELECT s.pop > 0 AS big, {measure} FROM citizen c JOIN district_stat s ON c.district = s.district GROUP BY 1")
        for district in ("D01", "D02", "D03"):
            made.append(f"SELECT gender, {measure} FROM citizen WHERE district = '{district}' GROUP BY gender")
    for measure in ("sum(cost)", "avg(cost)", "count(cost)", "stddev(cost)"):
        for group in ("hosp", "visit_date", "hosp, visit_date"):
            made.append(f"SELECT {group}, {measure} FROM visits GROUP BY {group}")
        for month in range(1, 13, 2):
            made.append(f"SELECT hosp, {measure} FROM visits WHERE visit_date = DATE '2025-{month:02}-01' GROUP BY hosp")
            made.append(f"SELECT {measure} FROM visits WHERE visit_date >= DATE '2025-{month:02}-01'")
        for hosp in ("H0", "H1", "H2"):
            made.append(f"SELECT visit_date, {measure} FROM visits WHERE hosp = '{hosp}' GROUP BY visit_date")
        made.append(f"SELECT date_part('quarter', visit_date), {measure} FROM visits GROUP BY date_part('quarter', visit_date)")
        made.append(f"SELECT CASE WHEN visit_date < DATE '2025-07-01' THEN 'h1' ELSE 'h2' END AS half, {measure} FROM visits GROUP BY 1")
        made.append(f"SELECT hosp, {measure} FROM visits GROUP BY hosp ORDER BY 2 DESC LIMIT 3")
        made.append(f"SELECT c.district, {measure} FROM visits v JOIN citizen c ON v.pid = c.pid GROUP BY c.district")
        made.append(f"SELECT c.gender, v.hosp, {measure} FROM visits v JOIN citizen c ON v.pid = c.pid GROUP BY c.gender, v.hosp")
    made.append("SELECT avg(t) FROM (SELECT pid, sum(cost) AS t FROM visits GROUP BY pid) x")
    made.append("SELECT district, avg(t) FROM (SELECT pid, sum(cost) AS t FROM visits GROUP BY pid) x JOIN citizen c ON c.pid = x.pid GROUP BY district")
    made.append("SELECT variance(income) FROM citizen")
    made.append("SELECT gender, sum(income) FROM citizen GROUP BY ROLLUP (gender)")
    return made[:200]


def honest(served):
    with served.copy() as domain:
        asker, refused = Asker(domain), []
        statements = honest_statements()
        for sql in statements:
            before = asker.came["answered"]
            asker.one(sql)
            if asker.came["answered"] == before: refused.append(sql)
    print(f"  {len(statements)} honest statements in one term: {dict(asker.came)}")
    for sql in refused[:12]: print(f"    refused: {sql}")
    if len(refused) * 10 > len(statements): wrong(f"{len(refused)} of {len(statements)} honest statements refused")


def main():
    given = d.arguments(__doc__.splitlines()[0], subsets=5000, targets=40)
    rng = random.Random(11)
    with d.temporary() as folder:
        seed = d.f1_seed(folder / "f1")
        served = d.Domain(given.bonded, seed, folder / "served")
        world = World(seed)
        differencing(served, world, given.targets, rng)
        averaging(served, world, given.targets, rng)
        cancelling(served, world, given.targets, rng)
        honest(served)
        reconstruction(served, world, given.subsets, rng)
    print("0 failed" if not WRONG else f"{len(WRONG)} failed")
    return bool(WRONG)


if __name__ == "__main__": sys.exit(main())
