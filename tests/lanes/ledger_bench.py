"""What the ledger can do on this disk: events a second, latency, proofs, audit; with the disk's own fdatasync beside it.

Quiet and with two CPU burners in sessions of their own, in turn; SQLite and PostgreSQL. --report only prints, and does
not fail on figures below the bars, for a machine that others use too.
"""
import json, os, pathlib, shutil, statistics, subprocess, sys, tempfile
import log as l


def main():
    given = l.arguments(__doc__.splitlines()[0], seconds=5, rounds=3, report=False)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bonded-", dir="/var/tmp"))
    missed = []
    try:
        with l.Server() as server: measure(given, folder, server, missed)
    finally: shutil.rmtree(folder, ignore_errors=True)
    print(f"{len(missed)} bars missed{': ' + ', '.join(missed) if missed else ''}")
    return bool(missed) and not given.report


def bench(given, dir, *options, server=None):
    """One run on a new log."""
    log = l.Log(given.load, dir, server)
    done = subprocess.run(log.command("bench", "--seconds", given.seconds, *options), capture_output=True, text=True)
    if done.returncode: raise SystemExit(done.stderr)
    shutil.rmtree(dir)
    return json.loads(done.stdout)


def measure(given, folder, server, missed):
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors before the first run")
    quiet, burnt, far = [], [], []
    for turn in range(given.rounds):
        for name, into, options in (("quiet", quiet, ()), ("burners", burnt, ("--burners", 2)), ("PostgreSQL", far, ())):
            run = bench(given, folder / "log", "--submitters", 64, *options, server=server if into is far else None)
            into.append(run)
            tell(name, run)
    middle = lambda runs, *keys: statistics.median(dig(run, keys) for run in runs)
    def bar(what, value, holds, bound):
        print(f"{'  ok  ' if holds else 'MISSED'} {what}: {value:,.2f} (bar {bound})")
        if not holds: missed.append(what)
    rate, p99 = middle(quiet, "events_per_s"), middle(quiet, "ack_us", "p99") / 1000
    bar("SQLite, 64 submitters, events/s", rate, rate >= 40_000, ">= 40,000")
    bar("SQLite, 64 submitters, p99 ms", p99, p99 <= 15, "<= 15")
    lone = statistics.median(dig(r, ("lone_us", "p50")) / dig(r, ("lone_raw_us", "p50")) for r in quiet)
    bar("lone submitter over raw append + fdatasync, p50 in turn", lone, lone <= 2, "<= 2")
    burners = statistics.median(b["ack_us"]["p99"] / q["ack_us"]["p99"] for b, q in zip(burnt, quiet))
    bar("two burners over quiet, p99", burners, burners <= 3, "<= 3")
    bar("PostgreSQL, 64 submitters, events/s", middle(far, "events_per_s"), middle(far, "events_per_s") >= 5_000, ">= 5,000")
    for name, key, most in (("inclusion proof", "prove_us", 1000), ("verification", "verify_us", 300)):
        at = middle(quiet, key, "p50")
        bar(f"{name}, p50 us", at, at <= most, f"<= {most}")
    # One signature in a commit costs as much as fifty leaves, so this is told with the size of commits.
    print(f"       audit of these logs, leaves/s on one core, signatures of all checkpoints checked: {middle(quiet, 'audit_leaves_per_s'):,.0f}")


def dig(run, keys):
    for key in keys: run = run[key]
    return run


def tell(name, run):
    a, raw = run["ack_us"], run["raw_fdatasync_us"]
    print(f"{name}: {run['events_per_s']:,}/s, ack p50 {a['p50']} p99 {a['p99']} us, {run['leaf_bytes']} B leaves, "
        f"{run['entries'] / max(run['checkpoints'] - 1, 1):.0f} a commit; disk's fdatasync of 4 KiB p50 {raw['p50']} p99 {raw['p99']} us; "
        f"alone p50 {run['lone_us']['p50']} beside raw {run['lone_raw_us']['p50']} us; prove {run['prove_us']['p50']}, "
        f"verify {run['verify_us']['p50']} us; audit {run['audit_leaves_per_s']:,}/s", flush=True)


if __name__ == "__main__": sys.exit(main())
