"""Bad input gets a clear error that names place and remedy, and nothing is lost or half done. Needs grpcio, pyarrow."""
import pathlib, re, shutil, socket, sys
import domain as d

FAILED = []


def said(what, done, *wanted, code=None):
    text = (done.stdout + done.stderr).strip()
    missing = [w for w in wanted if not re.search(w, text)]
    status = "ok" if done.returncode and not missing and (code is None or done.returncode == code) and "panicked" not in text else "WRONG"
    if status == "WRONG": FAILED.append(what)
    print(f"{status:5} {what}: exit {done.returncode}\n        " + "\n        ".join(text.splitlines()[:4]))
    if missing: print(f"        missing: {missing}")


def seeds(bonded, folder):
    """Seeds with one mistake each: refused, and no domain stands afterwards."""
    def edit(name, old, new):
        def change(seed):
            file = seed / name
            text = file.read_text()
            assert old in text, (name, old)
            file.write_text(text.replace(old, new, 1))
        return change

    def broken_row(seed):
        """district_stat as CSV with a broken row on line 4."""
        (seed / "data" / "district_stat.csv").write_text("district,pop,gdp\nD01,1,1\nD02,2,2\nD03,many,3\nD04,4,4\n")
        edit("datasets/district_stat.toml", "district_stat.parquet", "district_stat.csv")(seed)

    def short_row(seed):
        (seed / "data" / "district_stat.csv").write_text("district,pop,gdp\nD01,1,1\nD02,2\n")
        edit("datasets/district_stat.toml", "district_stat.parquet", "district_stat.csv")(seed)

    def cut_parquet(seed):
        file = seed / "data" / "visits.parquet"
        file.write_bytes(file.read_bytes()[:-100])

    def twice(seed):
        file = seed / "people.toml"
        file.write_text(file.read_text() + '\n[[person]]\nid = "bob"\nname = "x"\nrole = "provider"\norganisation = "x"\nvetted = true\nnda_until = 2027-01-01\n')

    cases = {
        "unknown grade": (edit("datasets/citizen.toml", "grade = 3", "grade = 7"), ["citizen.toml", "grade"]),
        "against Appendix A": (edit("datasets/citizen.toml", 'kind = "resident_id"\ngrade = 3', 'kind = "resident_id"\ngrade = 3\nopening = "unconditional"'), ["citizen", "id_card", "opening|Appendix A|附录A"]),
        "unknown kind": (edit("datasets/citizen.toml", 'kind = "phone"', 'kind = "fone"'), ["citizen.toml", "fone"]),
        "unknown key": (edit("datasets/citizen.toml", 'kind = "phone"', 'kind = "phone"\nmaks = "redact"'), ["citizen.toml", "maks"]),
        "no TOML": (edit("people.toml", "[[person]]", "[[person"), ["people.toml"]),
        "missing data file": (lambda seed: (seed / "data" / "visits.parquet").unlink(), ["visits.parquet"]),
        "a broken CSV row": (broken_row, ["district_stat.csv", r"line 4|:4"]),
        "a short CSV row": (short_row, ["district_stat.csv", r"line 3|:3"]),
        "a cut Parquet file": (cut_parquet, ["visits.parquet"]),
        "an item that is not in the data": (edit("datasets/district_stat.toml", 'name = "gdp"', 'name = "gpd"'), ["district_stat", "gpd"]),
        "unknown dataset in a scenario": (edit("scenarios.toml", "city.visits", "city.visit"), ["scenarios.toml|scenario", "city.visit"]),
        "a person twice": (twice, ["bob"]),
        "a licence of three years": (edit("licences.toml", "until = 2027-12-30", "until = 2029-12-30"), ["lic-a", "two years|2 years|两年"]),
        "a bad row policy": (edit("scenarios.toml", "district IN (", "distrct IN ("), ["scenario", "distrct"]),
        "a row policy over grade 4": (edit("scenarios.toml", "district IN ('D01', 'D02', 'D03')", "diag IS NOT NULL"), ["scenario `care`", "city.citizen", "`diag`", "grade 4", "leave the item out"]),
    }
    for what, (change, wanted) in cases.items():
        seed = d.f1_seed(folder / re.sub(r"\W", "-", what))
        change(seed)
        target = folder / "target"
        done = d.subprocess.run([bonded, "init", target, "--from", seed], capture_output=True, text=True)
        said(what, done, *wanted)
        if target.exists() and any(target.iterdir()):
            FAILED.append(f"{what}: half a domain is left"); print("WRONG half a domain is left")
        shutil.rmtree(target, ignore_errors=True)
    said("no such seed", d.subprocess.run([bonded, "init", folder / "t2", "--from", folder / "nowhere"], capture_output=True, text=True), "nowhere")


def serving(bonded, folder):
    served = d.Domain(bonded, d.f1_seed(folder / "good"))
    again = served.command("init", served.dir)
    said("init over a domain", again, "domain")
    served.start()
    try:
        said("a second gateway on the directory", served.command("serve", "--dir", served.dir, "--flight", "127.0.0.1:0"), "gateway|another|use")
        holder = socket.create_server(("127.0.0.1", 0))
        port = holder.getsockname()[1]
        served.stop()
        said("a port in use", served.command("serve", "--dir", served.dir, "--flight", f"127.0.0.1:{port}"), str(port), "in use|listen")
        holder.close()
        profile = served.person("alice") / "profile.toml"
        said("nobody serves", served.command("query", "-p", profile, "SELECT 1"), "reach", code=4)
        said("no such profile", served.command("query", "-p", "nowhere.toml", "SELECT 1"), "nowhere.toml", code=2)
        served.start()
        for what, sql, code, wanted in (
            ("a refusal", "SELECT income + 1 FROM citizen", 3, r"^\S+\.\S+:"),
            ("no SQL", "SELEC 1", 3, r"planner\."),
            ("no such table", "SELECT * FROM nothing", 3, r"\."),
        ):
            said(what, served.command("query", "-p", profile, sql), wanted, code=code)
        served.stop()
    finally: served.stop()
    said("not a domain", served.command("serve", "--dir", folder), "domain|bonded.toml")
    ledger = served.dir / "ledger" / "ledger.db"
    sound = {p: p.read_bytes() for p in ledger.parent.iterdir() if p.is_file() and p.name.startswith(ledger.name)}
    for what, change in {
        "state of noise": lambda b: b"\0" * 4096 + b[4096:],
        "state cut short": lambda b: b[: len(b) // 2],
        "one byte of an event changed": lambda b: b.replace(b'"person":"alice"', b'"person":"alicf"', 1) if b'"person":"alice"' in b else b.replace(b"alice", b"alicf", 1),
        "no state at all": None,
    }.items():
        for path in list(ledger.parent.glob(ledger.name + "*")): path.unlink()
        if change: ledger.write_bytes(change(sound[ledger]))
        said(what, served.command("serve", "--dir", served.dir, "--flight", "127.0.0.1:0"), "ledger|state|log")
    for path in list(ledger.parent.glob(ledger.name + "*")): path.unlink()
    for path, data in sound.items(): path.write_bytes(data)
    config = served.dir / "bonded.toml"
    text = config.read_text()
    config.write_text("runner_wall = 3\n" + text)
    said("an unknown key in the configuration", served.command("serve", "--dir", served.dir), "bonded.toml", "runner_wall")
    config.write_text(text.replace("[statement]", "[statement]\njoins = 3"))
    said("a limit that does not exist", served.command("serve", "--dir", served.dir), "bonded.toml", "joins_max")
    config.write_text(text.replace("[statement]", "[statement]\njoins_max = 1"))
    served.start()
    wire = served.wire("alice", "care")
    joined = lambda n: "SELECT count(*) FROM district_stat AS s" + "".join(f" JOIN district_stat AS s{i} ON s.district = s{i}.district" for i in range(n))
    wire.query(joined(1))
    try: wire.query(joined(2)); FAILED.append("a tightened limit does not bind")
    except d.Refused as refused: print("ok    a tightened limit:", refused.text[:70])
    served.stop()
    served.process = None
    config.write_text(text)
    with served: print("ok    the domain serves again afterwards")
    shutil.rmtree(served.folder, ignore_errors=True)


def main():
    given = d.arguments(__doc__)
    bonded = pathlib.Path(given.bonded).resolve()
    with d.temporary() as folder:
        seeds(bonded, folder)
        serving(bonded, folder)
    print(f"{len(FAILED)} failed" + "".join(f"\n  {line}" for line in FAILED))
    return bool(FAILED)


if __name__ == "__main__": sys.exit(main())
