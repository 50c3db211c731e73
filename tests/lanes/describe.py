"""What `dataset describe` guesses of data that others made: UCI Adult and fixture F1. Needs pyarrow.

Prints each miss, precision and recall. Exits 1 below 95 % precision or 90 % recall (unknown is no guess), where an
identifier is graded below its truth, at a guess of grade 1, or where a canary of F1 stands in what is printed.
"""
import json, pathlib, subprocess, sys, tempfile, time
import domain as d

WRONG = []
# What the columns of Adult are; those of F1 are in its own catalogue entries.
ADULT = dict(age="count", type_employer="code", fnlwgt="other", education="code", education_num="code", marital="code",
             occupation="code", relationship="code", race="code", sex="code", capital_gain="amount", capital_loss="amount",
             hr_per_week="count", country="code", income="code")


def wrong(text):
    WRONG.append(text); print("WRONG", text)


def entry(text):
    """Kind and grade of each item of a catalogue entry; the few lines of TOML that F1 has."""
    items = {}
    for part in text.split("[[item]]")[1:]:
        fields = dict(line.split("#")[0].split(" = ", 1) for line in part.strip().splitlines() if " = " in line)
        items[fields["name"].strip(' "')] = (fields["kind"].strip(' "'), int(fields["grade"]))
    return items


def guessed(bonded, file):
    began = time.monotonic()
    done = [subprocess.run([bonded, "dataset", "describe", file, *more], capture_output=True, text=True) for more in ([], ["--json"])]
    if any(one.returncode for one in done): wrong(f"{file.name}: {done[0].stderr}")
    told = json.loads(done[1].stdout)
    print(f"{file.name}: {told['looked_at']} of {told['rows']} rows looked at, subject {told['subject']}, {(time.monotonic() - began) / 2:.2f} s")
    return told["guessed"], done[0].stdout + done[1].stdout + done[0].stderr + done[1].stderr


IDENTIFIERS = ("subject_id", "resident_id", "person_name", "phone", "bank_account", "social_account", "email", "plate")


def main():
    given = d.arguments(__doc__.splitlines()[0])
    right, guesses, known = 0, 0, 0
    with tempfile.TemporaryDirectory(prefix="bonded-describe-") as folder:
        seed = pathlib.Path(folder) / "seed"
        d.f1_seed(seed)
        canaries = d.Canaries((seed / "data" / "canaries.txt").read_text().split())
        tables = [(d.shared() / "data" / "adult.csv", {name: (kind, 1) for name, kind in ADULT.items()})]
        for file in sorted((seed / "datasets").glob("*.toml")):
            text = file.read_text()
            data = next(line for line in text.splitlines() if line.startswith("data = ")).split('"')[1]
            tables.append(((file.parent / data).resolve(), entry(text)))
        for file, truth in tables:
            items, printed = guessed(given.bonded, file)
            if list(truth) != [item["name"] for item in items]: wrong(f"{file.name}: other columns")
            for item in items:
                kind, grade = truth[item["name"]]
                if item["grade"] == 1: wrong(f"{file.name}, {item['name']}: a guess of grade 1")
                guesses += item["kind"] != "other"; known += kind != "other"; right += item["kind"] == kind != "other"
                if item["kind"] != kind: print(f"  {item['name']} is {kind}, guessed {item['kind']}")
                if kind in IDENTIFIERS and item["kind"] != "other" and item["grade"] < min(grade, 3):
                    wrong(f"{file.name}, {item['name']}: grade {item['grade']}, in truth {grade}")
            found = d.canaries_in([printed.encode()], canaries)
            if found: wrong(f"{file.name}: {len(found)} canaries printed")
    print(f"precision {right}/{guesses}, recall {right}/{known}")
    if right < 0.95 * guesses or right < 0.90 * known: wrong("below the bar")
    print(f"{len(WRONG)} failed")
    return bool(WRONG)


if __name__ == "__main__": sys.exit(main())
