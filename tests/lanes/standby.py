"""Two gateways and one ledger in PostgreSQL: the second is refused while the first lives, takes over when it is lost, and
the first is refused in turn. The same of two gateways on one folder. Needs grpcio and a PostgreSQL server.
"""
import pathlib, shutil, signal, subprocess, sys, tempfile
import domain as d, log as l

FAILED = []
SQL = "SELECT district, avg(income), count(*) FROM citizen GROUP BY district"


def holds(what, seen, *more):
    print(f"{'ok' if seen else 'WRONG':5} {what}" + "".join(f"  {m}" for m in more))
    if not seen: FAILED.append(what)


def answers(served):
    try: return bool(served.wire("alice", "care").rows(SQL, 60)[1])
    except d.Refused as error: return error.text


def refused(served, what, remedy):
    """A start that has to end by itself, and say why and what to do."""
    command = [served.bonded, "serve", "--dir", served.dir, "--flight", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    holds(what, done.returncode not in (0, 101) and "ready" not in done.stdout and remedy in done.stderr, done.returncode, done.stderr.strip())


def main():
    options = d.arguments(__doc__)
    work = pathlib.Path(tempfile.mkdtemp(prefix="bonded-standby-"))
    seed = d.f1_seed(work / "seed")
    stop_first = "is written by another gateway: stop that one first"
    with l.Server() as server:
        one = d.Domain(options.bonded, seed, work / "one", ("--ledger-postgres", server.database()))
        one.start(); holds("the first gateway answers", answers(one) is True)
        one.stop()
        two = one.copy()
        one.start()
        refused(two, "a second gateway is refused while the first lives", stop_first)
        holds("and the first goes on", answers(one) is True)
        one.stop(signal.SIGKILL)
        shutil.rmtree(two.folder); two = one.copy()
        two.start(); holds("when the first is lost, the second takes over with a current copy of its folder", answers(two) is True)
        refused(one, "the first, come back, is refused in turn", stop_first)
        holds("and the second goes on", answers(two) is True)
        two.stop()
        verified = two.command("ledger", "audit", "--dir", two.dir)
        holds("what both wrote is one log that holds", verified.returncode == 0, verified.stderr.strip())
        shutil.rmtree(two.folder)
    with d.Domain(options.bonded, seed, work / "alone") as alone:
        refused(alone, "two gateways on one folder: the second is refused", "in use by another bonded process; stop that one first")
        holds("and the first goes on", answers(alone) is True)
    shutil.rmtree(work, ignore_errors=True)
    print(f"{len(FAILED)} wrong")
    return bool(FAILED)


if __name__ == "__main__": sys.exit(main())
