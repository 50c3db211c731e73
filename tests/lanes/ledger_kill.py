"""kill -9 of a ledger's writer at chance points under load: nothing acknowledged is lost. No part of the product runs but the ledger.

Held after every kill: the next start opens at or behind the last acknowledgement; at the end every acknowledged entry
is read from the database by this program, every checkpoint recomputed, no index given twice, no size with two roots.
"""
import random, sys, time
import pathlib, tempfile, shutil
import log as l


def kills(load, times, server=None):
    rng, folder = random.Random(7), pathlib.Path(tempfile.mkdtemp(prefix="bonded-"))
    log = l.Log(load, folder / "log", server)
    try:
        for turn in range(times):
            process = log.start("--submitters", 16)
            # At a chance moment of its work, counted in acknowledgements; every tenth time while it opens.
            wanted, text, until = 0 if turn % 10 == 9 else rng.randrange(1, 400), [], time.monotonic() + rng.random() / 20
            if not wanted:
                while time.monotonic() < until: pass
            for line in process.stdout if wanted else ():
                text.append(line)
                if len(text) > wanted: break
            process.kill()
            text.append(process.stdout.read())
            process.wait(20)
            log.take("".join(text))
            if turn % 25 == 24: log.wrong += log.judge()
            sys.stderr.write(f"\r{turn + 1}/{times} kills, {log.acked} acknowledged"); sys.stderr.flush()
        sys.stderr.write("\n")
        log.run("append", "--count", 1)
        return log, log.judge()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    given = l.arguments(__doc__.splitlines()[0], times=200, postgres_times=40)
    failed = 0
    with l.Server() as server:
        for name, times, where in (("SQLite", given.times, None), ("PostgreSQL", given.postgres_times, server)):
            log, wrong = kills(given.load, times, where)
            print(f"{name}: {times} kills, {log.acked} entries acknowledged, {len(log.roots)} checkpoints, refused {log.codes or 'none'}, {len(wrong)} wrong")
            for line in wrong[:20]: print("WRONG", line)
            failed += len(wrong) + (log.acked < times)
    print(f"{failed} failed")
    return bool(failed)


if __name__ == "__main__": sys.exit(main())
