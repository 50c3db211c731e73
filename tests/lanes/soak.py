"""Planner and runner bombs thrown by many clients of one licence for a long time, while clients of another licence
work: the gateway is not started again, stays small and flat, and the others hardly wait. Needs grpcio, pyarrow.

First the others alone (`idle`), then with the bombs. What a bomb comes back as is counted by code; an error that is
not clean is wrong. A licence may be refused 500 times a day and then asks nothing more, so that the throwers go on under
the next of many.
"""
import collections, re, statistics, sys, threading, time
import pathlib
import domain as d
import starve

HONEST = "SELECT district, pop FROM district_stat ORDER BY district"


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def work(served, until, times, failed):
    """One honest client: a statement, and a breath as long as it took, so that it is no bomb itself."""
    wire = served.wire("bob", "roads")
    while time.monotonic() < until:
        wire.seen.clear()
        began = time.monotonic()
        try: wire.query(HONEST, 60)
        except d.Refused as refused: failed.append(f"honest: {refused.code} {refused.text[:120]}"); return
        took = time.monotonic() - began
        times.append(took)
        time.sleep(min(took, max(0.0, until - time.monotonic())))


class Licence:
    """Which of the licences is used now."""
    def __init__(self): self.lock, self.number = threading.Lock(), 0
    def spent(self, number):
        with self.lock: self.number = max(self.number, number + 1)


def many(seed, licences):
    """Scenario and licence of fixture F1 that bombs are thrown under, so many times over."""
    for name, block, ids in (("licences.toml", "licence", {"lic-a": "lic-a-{}"}), ("scenarios.toml", "scenario", {"care": "care-{}", "lic-a": "lic-a-{}"})):
        file = seed / name
        text = file.read_text()
        one = next(part for part in re.split(rf"(?m)^(?=\[\[{block}\]\])", text) if f'id = "{next(iter(ids))}"' in part)
        for number in range(licences):
            copy = one
            for old, new in ids.items(): copy = copy.replace(f'"{old}"', '"' + new.format(number) + '"')
            text += "\n" + copy
        file.write_text(text)
    return seed


def throw(served, until, bombs, at, outcome, failed, licence):
    wire, number = served.wire("alice", f"care-{licence.number}"), licence.number
    while time.monotonic() < until:
        name, sql = bombs[next(at) % len(bombs)]
        if number != licence.number:
            number = licence.number
            wire.metadata = [("bonded-scenario", f"care-{number}")]
        wire.seen.clear()
        try: wire.query(sql, 180); came, text = "answered", ""
        except d.Refused as refused: came, text = refused.code, refused.text
        if "budget" in text.split(":")[0]: licence.spent(number); continue
        outcome[f"{came} {text.split(':')[0]}" if came != "answered" else came] += 1
        # A code of ours; or the statement was longer than a message may be.
        clean = came in ("answered", "OUT_OF_RANGE") or re.match(r"[a-z]+\.[a-z-]+: ", text)
        if not clean: failed.append(f"{name}: no clean error: {came} {text[:200]}")


class Numbers:
    def __init__(self): self.lock, self.at = threading.Lock(), 0
    def __next__(self):
        with self.lock: self.at += 1; return self.at


def phase(served, seconds, honest, throwers, bombs, licence):
    """Runs both kinds of clients for so long; gives times, outcomes, memory and failures."""
    until, times, outcome, failed, at = time.monotonic() + seconds, [], collections.Counter(), [], Numbers()
    clients = [threading.Thread(target=work, args=(served, until, times, failed)) for _ in range(honest)]
    clients += [threading.Thread(target=throw, args=(served, until, bombs, at, outcome, failed, licence)) for _ in range(throwers)]
    for client in clients: client.start()
    memory = []
    status = pathlib.Path(f"/proc/{served.process.pid}/status")
    while time.monotonic() < until and served.process.poll() is None:
        memory.append(int(re.search(r"VmRSS:\s+(\d+)", status.read_text()).group(1)) / 1024)
        time.sleep(1)
        if len(memory) % 60 == 0: print(f"    {len(memory) // 60} min: {memory[-1]:.0f} MiB, {sum(outcome.values())} bombs under {licence.number + 1} licences, {len(times)} honest", flush=True)
    for client in clients: client.join()
    return times, outcome, memory, failed


def main():
    given = d.arguments(__doc__.splitlines()[0], minutes=30.0, throwers=20, honest=2, idle_seconds=60, memory_mib_max=300, licences=150)
    with d.temporary() as folder, d.Domain(given.bonded, many(d.f1_seed(folder / "f1"), given.licences)) as served:
        licence = Licence()
        bombs = list(starve.BOMBS.items()) + list(starve.lines())
        phase(served, 5, given.honest, 0, bombs, licence)
        idle, _, _, failed = phase(served, given.idle_seconds, given.honest, 0, bombs, licence)
        times, outcome, memory, more = phase(served, given.minutes * 60, given.honest, given.throwers, bombs, licence)
        failed += more
        if served.process.poll() is not None: failed.append("the gateway is gone")
        if licence.number >= given.licences: failed.append(f"all {given.licences} licences were spent: give more")
        p = {name: (percentile(t, .5), percentile(t, .99)) for name, t in (("idle", idle), ("meanwhile", times))}
        print(f"{sum(outcome.values())} bombs of {len(bombs)} kinds by {given.throwers} clients in {given.minutes} min:")
        for came, count in outcome.most_common(): print(f"    {count:6} {came}")
        print(f"honest, another licence, ms: " + "; ".join(f"{name} p50 {a:.1f} p99 {b:.1f}" for name, (a, b) in p.items()) + f"; {len(idle)} and {len(times)} statements")
        third = len(memory) // 3
        early, late = max(memory[third:2 * third]), max(memory[2 * third:])
        print(f"gateway memory: peak {served.memory_peak_mib():.0f} MiB; most in the second third {early:.0f}, in the last {late:.0f}")
        if served.memory_peak_mib() > given.memory_mib_max: failed.append(f"the gateway grew to {served.memory_peak_mib():.0f} MiB")
        if late > early * 1.1 + 8: failed.append(f"the gateway goes on growing: {early:.0f} MiB, then {late:.0f}")
        if p["meanwhile"][1] > 2 * p["idle"][1]: failed.append(f"honest p99 {p['meanwhile'][1] / p['idle'][1]:.2f} x idle (bar 2)")
        for line, count in collections.Counter(failed).items(): print("WRONG", count, line, flush=True)
        told, failed = len(failed), []
        served.stop()
        verified = served.command("ledger", "verify", "--dir", served.dir)
        if verified.returncode: failed.append(f"ledger verify: {verified.stderr}")
    for line in failed: print("WRONG", line)
    print(f"{told + len(failed)} failed")
    return bool(told + len(failed))


if __name__ == "__main__": sys.exit(main())
