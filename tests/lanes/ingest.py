"""How fast data comes in, and what that takes of memory: the demo's main table, made by the demo itself.

`bonded demo` makes the table as Parquet; then `bonded init --from` takes its seed in, and the log says when. The bar
is for the main table; the second one (its subject has several rows) comes in beside it and is told.
"""
import json, os, pathlib, re, subprocess, sys, time
import domain as d


def made(bonded, folder, rows):
    """The demo's seed: it is written before anything else happens, and nothing else is wanted."""
    process = subprocess.Popen([bonded, "demo", "--dir", folder, "--rows", str(rows)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (folder / "domain" / "bonded.toml").exists(): time.sleep(0.05)
    process.kill(); process.wait()
    return folder / "seed"


def main():
    given = d.arguments(__doc__.splitlines()[0], rows=10_000_000, rate_min=300_000, memory_mib_max=1024)
    failed = []
    with d.temporary() as folder:
        began = time.monotonic()
        seed = made(given.bonded, folder / "demo", given.rows)
        sizes = {f.name: f.stat().st_size / 1e6 for f in (seed / "data").glob("*.parquet")}
        print(f"made in {time.monotonic() - began:.0f} s: " + ", ".join(f"{name} {size:.0f} MB" for name, size in sorted(sizes.items())), flush=True)
        process = subprocess.Popen([given.bonded, "init", folder / "domain", "--from", seed], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        peak, status, began = 0, pathlib.Path(f"/proc/{process.pid}/status"), time.monotonic()
        stored, first = {}, {}
        while process.poll() is None:
            try: peak = max(peak, int(re.search(r"VmHWM:\s+(\d+)", status.read_text()).group(1)) / 1024)
            except (OSError, AttributeError): pass
            for file in folder.glob("domain/data/*/*"):
                name = file.parent.name
                if file.suffix == ".part": first.setdefault(name, time.monotonic())
                elif file.suffix == ".parquet": stored.setdefault(name, time.monotonic())
            time.sleep(0.02)
        if process.returncode: raise SystemExit(process.stderr.read())
        entries = subprocess.run([given.bonded, "--json", "ledger", "tail", "--dir", folder / "domain"], capture_output=True, text=True, check=True)
        loads = [json.loads(line) for line in entries.stdout.splitlines()]
        rows = {e["event"]["snapshot"]["dataset"]: e["event"]["snapshot"]["rows"] for e in loads if e["event"].get("event") == "dataset-loaded"}
        for name, count in rows.items():
            if name not in first or name not in stored: continue
            seconds = stored[name] - first[name]
            rate = count / max(seconds, 1e-9)
            print(f"  {name}: {count:,} rows in {seconds:.1f} s, {rate:,.0f} rows/s")
            if name == "gjj.account" and (count != given.rows or rate < given.rate_min): failed.append(f"{name}: {rate:,.0f} rows/s (bar {given.rate_min:,})")
        if "gjj.account" not in rows: failed.append("the main table is not on record")
        print(f"  all of init {time.monotonic() - began:.0f} s, peak memory {peak:.0f} MiB")
        if peak > given.memory_mib_max: failed.append(f"memory {peak:.0f} MiB (bar {given.memory_mib_max})")
    for line in failed: print("MISSED", line)
    print(f"{len(failed)} bars missed")
    return bool(failed)


if __name__ == "__main__": sys.exit(main())
