"""UCI Adult: every statement of the fixture, answered by the product and by DuckDB. Needs duckdb.

Exits 1 if a statement is refused, or answers anything but what tests/fixtures/adult/oracle.py computes.
"""
import pathlib, subprocess, sys, tempfile
import domain as d

FIXTURE = d.ROOT / "tests" / "fixtures" / "adult"


def main():
    a = d.arguments(__doc__.splitlines()[0], csv="")
    csv = pathlib.Path(a.csv) if a.csv else d.shared() / "data" / "adult.csv"
    oracle = [sys.executable, str(FIXTURE / "oracle.py")]
    listed = subprocess.run(oracle + ["--list"], check=True, capture_output=True, text=True).stdout
    with tempfile.TemporaryDirectory(prefix="bonded-adult-") as folder:
        seed, answers = pathlib.Path(folder) / "seed", pathlib.Path(folder) / "answers"
        answers.mkdir()
        subprocess.run([sys.executable, str(FIXTURE / "make.py"), str(seed), "--csv", str(csv)], check=True)
        refused = 0
        made = d.Domain(a.bonded, seed, pathlib.Path(folder) / "made")
        for line in listed.splitlines():
            number, conflict, sql = line.split("\t", 2)
            # Each asks a domain that has released nothing: what the register refuses is shown elsewhere.
            with made.copy() as served:
                profile = served.person("ann") / "profile.toml"
                done = served.command("query", "-p", profile, "--scenario", "incomes", "--format", "json", sql)
                if conflict == "1" and "disclosure.conflict" in done.stderr: continue
                if done.returncode:
                    refused += 1
                    print(f"{number}: exit {done.returncode}: {done.stderr.strip()}\n    {sql}")
                else:
                    (answers / f"{number}.json").write_text(done.stdout, encoding="utf-8")
        compared = subprocess.run(oracle + ["--csv", str(csv), "--self-check", "--answers", str(answers)])
        print(f"{refused} refused")
        return 1 if refused or compared.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
