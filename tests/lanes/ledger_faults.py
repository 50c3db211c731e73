"""One fault in every call on the write path of a ledger: EIO, ENOSPC, a short write, kill before and after it.

The faults are put in by a library loaded before the C library (ledger_faults.c, compiled here), so that the real
program and the real SQLite run. Held after each: nothing acknowledged is lost, no index given twice, never two
checkpoints of one size, the log opens again, goes on, and verifies. Needs a C compiler.
"""
import pathlib, shutil, subprocess, sys, tempfile
import log as l

KINDS = {"write": ("eio", "enospc", "short", "kill", "after"), "pwrite": ("eio", "enospc", "short", "kill", "after"),
    "open": ("eio", "enospc", "kill"), "mmap": ("eio", "kill"), "close": ("kill",)}
OTHER = ("eio", "enospc", "kill", "after")


def main():
    given = l.arguments(__doc__.splitlines()[0], step=1)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="bonded-"))
    try: return faults(given, folder)
    finally: shutil.rmtree(folder, ignore_errors=True)


def faults(given, folder):
    shim = folder / "faults.so"
    source = pathlib.Path(__file__).with_suffix(".c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, source, "-ldl"], check=True)
    base = l.Log(given.load, folder / "base")
    base.run("append", "--submitters", 1, "--count", 3)
    loaded = {"LD_PRELOAD": str(shim), "FAULT_IN": "/ledger/"}
    # How often each call is made by one run: it opens the log, appends, and closes it.
    counted = copy(base, folder / "counted")
    work(counted, {**loaded, "FAULT_COUNT": str(folder / "counts")})
    counts = {call: int(n) for call, n in (line.split() for line in (folder / "counts").read_text().splitlines())}
    print("calls in one run:", ", ".join(f"{call} {n}" for call, n in counts.items() if n))
    # Each of the eight commits must have reached the disk before it was acknowledged.
    if counts["fsync"] + counts["fdatasync"] < 8: raise SystemExit("WRONG commits are not synced")
    cases = [(call, n, kind) for call, made in counts.items() for n in range(1, made + 1) for kind in KINDS.get(call, OTHER)]
    cases = cases[::given.step]
    failed, codes, acked = 0, {}, 0
    for turn, (call, number, kind) in enumerate(cases):
        log = copy(base, folder / "log")
        before = log.acked
        done = work(log, {**loaded, "FAULT_AT": f"{call}:{number}:{kind}"})
        if kind in ("kill", "after") and done.returncode != -9: log.wrong.append(f"was not killed: {done.returncode}")
        for code, n in log.codes.items(): codes[code] = codes.get(code, 0) + n
        acked += log.acked - before
        log.codes = {}
        again = work(log, {})
        if log.codes or log.acked < before + 8: log.wrong.append(f"did not go on: {log.codes} {again.stderr}")
        for line in log.judge():
            print("WRONG", f"{call}:{number}:{kind}:", line); failed += 1
        if sys.stderr.isatty(): sys.stderr.write(f"\r{turn + 1}/{len(cases)} faults"); sys.stderr.flush()
    print(f"{len(cases)} faults, {acked} entries acknowledged beside them, refused {codes}")
    if not {"ledger.full", "ledger.stopped"} <= set(codes): print("WRONG the faults were not seen"); failed += 1
    print(f"{failed} failed")
    return bool(failed)


def copy(base, dir):
    """The log once more, in a folder of its own, with what was acknowledged of it."""
    shutil.rmtree(dir, ignore_errors=True)
    shutil.copytree(base.dir, dir)
    log = l.Log(base.load, dir)
    log.leaves, log.roots, log.acked = dict(base.leaves), dict(base.roots), base.acked
    return log


def work(log, env):
    return log.run("append", "--submitters", 1, "--count", 8, env=env)


if __name__ == "__main__": sys.exit(main())
