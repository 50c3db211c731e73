"""Planner and runner bombs thrown by many clients of one licence for a long time, while clients of another licence
work: the gateway is not started again, stays small and flat, and the others hardly wait. Needs grpcio, pyarrow.

First the others alone (`idle`), then with the bombs. What a bomb comes back as is counted by code; an error that is
not clean is wrong, and so is whatever an honest statement comes back as but its answer. A licence may be refused 500
times a day and then asks nothing more, so that the throwers go on under the next of many. The honest clients are a
process of their own and the throwers stand behind it: all of these would be on other machines, and what is measured is
how long the gateway lets them wait. Which bombs were in the air while they waited longest is told, beside by chance.
A virtual machine may be held by its host while it has much to do: how often a real-time thread on each processor was
not let run, and what the honest figures are without the statements that fall together with that, is told beside.
"""
import bisect, collections, json, os, re, subprocess, sys, threading, time
import pathlib
import domain as d
import starve

HONEST = "SELECT district, pop FROM district_stat ORDER BY district"


def percentile(times, share):
    return sorted(times)[min(len(times) - 1, int(len(times) * share))] * 1000


def work(wire, until, times, failed):
    """One honest client: a statement, and a breath as long as it took, so that it is no bomb itself."""
    while (began := time.monotonic()) < until:
        wire.seen.clear()
        least = 0.0  # A refusal may come at once, and again.
        try: wire.query(HONEST, 60); times.append((began, time.monotonic() - began))
        except d.Refused as refused: failed.append((began, f"{refused.code} {refused.text[:120]}")); least = 1.0
        time.sleep(max(0.0, min(max(time.monotonic() - began, least), until - time.monotonic())))


def honest(address, person, until, clients):
    """The process of the honest clients. Prints when each statement began, and how long it took or what it came to."""
    times, failed = [], []
    wires = [d.Wire(address, pathlib.Path(person), "roads") for _ in range(int(clients))]
    threads = [threading.Thread(target=work, args=(wire, float(until), times, failed)) for wire in wires]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    print(json.dumps({"times": times, "failed": failed}))


def watch(processor, until):
    """The process that watches one processor. Prints when a thread before which nothing else runs could not run, and how
    long, from 3 ms on: what the host takes, and the kernel's own work."""
    stalls, until = [], float(until)
    try:
        os.sched_setaffinity(0, {int(processor)})
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
    except OSError: until = 0.0
    while (began := time.monotonic()) < until:
        time.sleep(0.002)
        late = time.monotonic() - began - 0.002
        if late > 0.003: stalls.append((began + 0.002, late))
    print(json.dumps(stalls if until else None))


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


def throw(served, until, bombs, at, outcome, failed, licence, flown):
    os.nice(10)
    wire, number = served.wire("alice", f"care-{licence.number}"), licence.number
    while time.monotonic() < until:
        name, sql = bombs[next(at) % len(bombs)]
        if number != licence.number:
            number = licence.number
            wire.metadata = [("bonded-scenario", f"care-{number}")]
        wire.seen.clear()
        began = time.monotonic()
        try: wire.query(sql, 180); came, text = "answered", ""
        except d.Refused as refused: came, text = refused.code, refused.text
        flown.append((began, time.monotonic(), name))
        if "budget" in text.split(":")[0]: licence.spent(number); continue
        outcome[f"{came} {text.split(':')[0]}" if came != "answered" else came] += 1
        # A code of ours; or the statement was longer than a message may be.
        clean = came in ("answered", "OUT_OF_RANGE") or re.match(r"[a-z]+\.[a-z-]+: ", text)
        if not clean: failed.append(f"{name}: no clean error: {came} {text[:200]}")


class Numbers:
    def __init__(self): self.lock, self.at = threading.Lock(), 0
    def __next__(self):
        with self.lock: self.at += 1; return self.at


def phase(served, seconds, clients, throwers, bombs, licence):
    """Runs both kinds of clients for so long; gives honest times, bombs in the air, outcomes, memory, failures, and by
    processor when it stood still."""
    until, outcome, failed, at, flown = time.monotonic() + seconds, collections.Counter(), [], Numbers(), []
    beside = lambda *words: subprocess.Popen([sys.executable, __file__, *map(str, words)], stdout=subprocess.PIPE, text=True)
    watched = [beside("--watch", processor, until) for processor in sorted(os.sched_getaffinity(0))]
    others = beside("--honest", served.address, served.person("bob"), until, clients)
    threads = [threading.Thread(target=throw, args=(served, until, bombs, at, outcome, failed, licence, flown)) for _ in range(throwers)]
    for thread in threads: thread.start()
    memory = []
    status = pathlib.Path(f"/proc/{served.process.pid}/status")
    while time.monotonic() < until and served.process.poll() is None:
        memory.append(int(re.search(r"VmRSS:\s+(\d+)", status.read_text()).group(1)) / 1024)
        time.sleep(1)
        if len(memory) % 60 == 0: print(f"    {len(memory) // 60} min: {memory[-1]:.0f} MiB, {sum(outcome.values())} bombs under {licence.number + 1} licences", flush=True)
    for thread in threads: thread.join()
    said = json.loads(others.communicate()[0])
    failed += [f"honest, {began - until + seconds:.0f} s in: {what}" for began, what in said["failed"]]
    return said["times"], flown, outcome, memory, failed, [json.loads(one.communicate()[0]) for one in watched]


def apart(times, stalls):
    """Those of the times that fall together with no stall."""
    ends = sorted((at, at + late) for at, late in stalls)
    starts = [at for at, _ in ends]
    longest = max((end - at for at, end in ends), default=0)
    touched = lambda began, took: any(end > began for _, end in ends[bisect.bisect_left(starts, began - longest):bisect.bisect_right(starts, began + took)])
    return [(began, took) for began, took in times if not touched(began, took)]


def blamed(times, flown):
    """Of each bomb: how often it was in the air while one of the slowest hundredth waited, beside how often it would
    have been if it made no difference."""
    slow = sorted(times, key=lambda one: one[1])[-max(1, len(times) // 100):]
    during, always, weight = collections.Counter(), collections.Counter(), sum(took for _, took in slow)
    span = max(end for _, end, _ in flown) - min(start for start, _, _ in flown)
    for start, end, name in flown:
        always[name] += (end - start) / span * weight
        for began, took in slow: during[name] += max(0.0, min(end, began + took) - max(start, began))
    return [(name, during[name], always[name]) for name, _ in during.most_common(8) if during[name] > 2 * always[name]]


def main():
    given = d.arguments(__doc__.splitlines()[0], minutes=30.0, throwers=20, honest=2, idle_seconds=60, memory_mib_max=300, licences=150)
    with d.temporary() as folder, d.Domain(given.bonded, many(d.f1_seed(folder / "f1"), given.licences)) as served:
        licence = Licence()
        bombs = list(starve.BOMBS.items()) + list(starve.lines())
        phase(served, 5, given.honest, 0, bombs, licence)
        idle, _, _, _, failed, still = phase(served, given.idle_seconds, given.honest, 0, bombs, licence)
        times, flown, outcome, memory, more, held = phase(served, given.minutes * 60, given.honest, given.throwers, bombs, licence)
        failed += more
        if served.process.poll() is not None: failed.append("the gateway is gone")
        if licence.number >= given.licences: failed.append(f"all {given.licences} licences were spent: give more")
        p = {name: [percentile([took for _, took in t], share) for share in (.5, .99, .999)] for name, t in (("idle", idle), ("meanwhile", times))}
        print(f"{sum(outcome.values())} bombs of {len(bombs)} kinds by {given.throwers} clients in {given.minutes} min:")
        for came, count in outcome.most_common(): print(f"    {count:6} {came}")
        print(f"honest, another licence, ms: " + "; ".join(f"{name} p50 {a:.1f} p99 {b:.1f} p99.9 {c:.1f}" for name, (a, b, c) in p.items()) + f"; {len(idle)} and {len(times)} statements")
        if None in still + held: print("    whether the machine stood still is not known: no real-time thread is allowed here")
        else:
            for name, all, stalls, minutes in (("idle", idle, still, given.idle_seconds / 60), ("meanwhile", times, held, given.minutes)):
                lates = [late for one in stalls for _, late in one]
                free = [took for _, took in apart(all, [stall for one in stalls for stall in one])]
                print(f"    {name}: processors stood still {len(lates) / minutes / len(stalls):.0f} times a minute each, {sum(lates) / len(stalls) / minutes / 0.6:.2f} % of the time, {max(lates, default=0) * 1000:.0f} ms at most; "
                    f"without that p50 {percentile(free, .5):.1f} p99 {percentile(free, .99):.1f}, {len(free)} statements")
        for name, during, always in blamed(times, flown): print(f"    in the air while the slowest waited: {name[:60]}, {during:.1f} s, of {always:.1f} by chance")
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


ROLES = {"--honest": honest, "--watch": watch}
if __name__ == "__main__":
    role = ROLES.get(sys.argv[1]) if len(sys.argv) > 1 else None
    sys.exit(role(*sys.argv[2:]) if role else main())
