"""Other policies over what is on record: the same flip nothing, and others exactly what was decided by them.

A domain with policies of its own answers two people; then the same folder, a tightened mask table, a permit
less, a forbid more, looser and broken policies are rehearsed. Needs grpcio.
"""
import json, pathlib, sys, tempfile
import domain as d

FAILED = []
OWN = '@id("auditors-may") permit (principal, action == Action::"readSealed", resource) when { principal.role == "regulator" };\n'
MASKED = "SELECT phone, district FROM city.citizen LIMIT 5"
COUNTED = "SELECT district, count(*) AS n FROM city.citizen GROUP BY district"
SUMMED = "SELECT gender, avg(income) AS a FROM city.citizen GROUP BY gender"


def holds(what, seen, *more):
    print(f"{'ok' if seen else 'WRONG':5} {what}" + "".join(f"  {m}" for m in more))
    if not seen: FAILED.append(what)


def main():
    given = d.arguments(__doc__, times=5)
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        seed = d.f1_seed(folder / "seed")
        # The table decides how a telephone number shows, and nothing of its own.
        citizen = seed / "datasets" / "citizen.toml"
        citizen.write_text(citizen.read_text().replace('kind = "phone"\ngrade = 2\nmask = "partial(3,0)"', 'kind = "phone"\ngrade = 2'))
        (seed / "policies").mkdir(exist_ok=True)
        (seed / "policies" / "own.cedar").write_text(OWN)
        with d.Domain(given.bonded, seed, folder / "run") as served:
            care, roads = served.wire("alice", "care"), served.wire("bob", "roads")
            for _ in range(given.times):
                for wire, sql in ((care, MASKED), (care, COUNTED), (care, SUMMED), (roads, "SELECT * FROM city.district_stat"), (care, "SELECT nope FROM city.citizen")):
                    try: wire.query(sql)
                    except d.Refused: pass
            judge(served, folder, given.times)
    print(f"{len(FAILED)} wrong" if FAILED else "every flip is what it should be")
    sys.exit(1 if FAILED else 0)


def judge(served, folder, times):
    entries = [json.loads(line)["event"] for line in served.command("--json", "ledger", "tail", "--dir", served.dir).stdout.splitlines()]
    people = {e["query"]: e["person"] for e in entries if e["event"] == "operation-opened"}
    decided = {e["query"]: e["references"] for e in entries if e["event"] == "operation-decided"}
    own = lambda name: (served.dir / "policies" / name).read_text() if (served.dir / "policies" / name).exists() else OWN

    def rehearsed(name, **files):
        new = folder / name; new.mkdir()
        for file, text in {"own.cedar": own("own.cedar"), **{k.replace("_", "."): v for k, v in files.items()}}.items():
            if text is not None: (new / file).write_text(text)
        done = served.command("--json", "policy", "rehearse", new, "--dir", served.dir)
        return done, json.loads(done.stdout) if done.stdout else {}

    done, found = rehearsed("same")
    holds("the same policies flip nothing", done.returncode == 0 and not found["flips"], done.stderr.strip())
    holds("what is on record is decided so again", found["unreproduced"] == found["other_policies"] == 0, f"{found['operations']} operations", f"{found['steps']} steps")
    holds("who founded the domain is nobody on record", found["strangers"] == sum(e.get("by") == "founder" for e in entries if e["event"] != "retention-set"), found["strangers"])
    holds("every operation and every management step is asked", found["operations"] == len(people) and found["steps"] == sum("by" in e for e in entries))

    done, found = rehearsed("masks", masks_toml='[[mask]]\nkind = "phone"\ngrade = 2\nmask = "redact"\nmost = "redact"\n[[mask]]\nkind = "phone"\ngrade = 3\nmask = "redact"\nmost = "redact"\n')
    wanted = {q for q, refs in decided.items() if any(r["item"] == "phone" and r["way"] not in ("raw-aggregate", "subject", "row-policy", "redact") for r in refs)}
    flips = [(f["person"], f["change"], f.get("item"), f["to"], f["count"], f["policies"]) for f in found["flips"]]
    holds("a tightened mask flips who was shown it", done.returncode == 1 and wanted and found["operations_flipped"] == len(wanted) and flips == [("alice", "shown", "phone", "redact", len(wanted), ["mask-table"])], flips)

    done, found = rehearsed("forbid", no_cedar='@id("no-bob") forbid (principal == Person::"bob", action == Action::"enter", resource);')
    count = sum(who == "bob" for who in people.values())
    flips = [(f["person"], f["change"], f["to"], f["count"], f["policies"]) for f in found["flips"]]
    holds("a new forbid flips entry", done.returncode == 1 and flips == [("bob", "entry", "policy.unknown-scenario", count, ["no-bob"])], flips)

    done, found = rehearsed("aggregates", no_cedar='@id("no-sums") forbid (principal, action == Action::"aggregate", resource) when { resource.grade >= 2 };')
    wanted = [q for q, refs in decided.items() if any(r["way"] == "raw-aggregate" and r["grade"] >= 2 for r in refs)]
    holds("aggregates that are forbidden flip where they were computed", wanted and found["operations_flipped"] == len(wanted) and set(found["kinds"]) == {"aggregated"}, found["kinds"])

    done, found = rehearsed("review", no_cedar='@id("no-review") forbid (principal, action in Action::"reviews", resource);')
    steps = sum(e["event"] == "licence-step" and e["stage"] == "reviewed" or e["event"] == "scenario-step" and len(e["course"].get("reviews", [])) > 0 and e["by"] == "sven" for e in entries)
    holds("management steps flip", found["steps_flipped"] == steps > 0 and found["operations_flipped"] == 0, found["steps_flipped"])

    done, found = rehearsed("looser", any_cedar='@id("any") permit (principal, action, resource);')
    holds("what a domain opens shows nobody what the baseline forbids", not any(f["change"] == "shown" and f["to"] == "plain" for f in found["flips"]), found["kinds"])

    done, _ = rehearsed("broken", no_cedar="permit (principal")
    holds("policies that cannot be loaded are told", done.returncode == 2 and "policy.unusable" in done.stderr, done.stderr.strip().splitlines()[0])
    done = served.command("policy", "rehearse", folder / "nowhere", "--dir", served.dir)
    holds("a folder that is not there is told", done.returncode == 2)
    done = served.command("policy", "rehearse", folder / "forbid", "--dir", served.dir, "--since", "2099-01-01")
    holds("nothing since then flips", done.returncode == 0, done.stderr.strip())


if __name__ == "__main__":
    main()
