"""What a child costs when it is forked from a zygote, beside executing one. Needs nothing but Python.

Speaks the gateway's side of the order channel to the real binary. A child is ready when it waits for its
job; here it finds its input closed instead, and ends. Costs are processor time as the kernel counts it.
"""
import os, resource, select, signal, socket, struct, subprocess, sys, time
import domain as d

READY, REFUSED, BORN, UNBORN, EXITED, SIGNALLED = range(6)
LIMITS = {"planner-child": (1 << 30, 4, 320, 0), "runner-child": (3 << 30, 120, 320, 0)}


class Zygote:
    def __init__(self, bonded, worker):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.channel, self.began = ours, time.perf_counter()
        self.process = subprocess.Popen([bonded, worker, *map(str, LIMITS[worker])], stdin=theirs, env={"MALLOC_ARENA_MAX": "2"},
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        theirs.close()
        tag, _, text, _ = self.report()
        if tag != READY: raise SystemExit(f"{worker}: {text.decode()}")
        self.ready_ms = (time.perf_counter() - self.began) * 1000
        self.rings = text.decode().strip().split("\n")

    def report(self):
        message, with_, _, _ = socket.recv_fds(self.channel, 4096, 4)
        if not message: raise SystemExit("the zygote is gone")
        return message[0], struct.unpack("<Q", message[1:9])[0], message[9:], with_

    def fork(self, number, job=b""):
        """One child, which reads this as its job and ends; how long it took to be born, and its exit code."""
        ours, theirs = socket.socketpair()
        out, theirs_out = os.pipe()
        nothing = os.open("/dev/null", os.O_RDWR)
        began = time.perf_counter()
        socket.send_fds(self.channel, [struct.pack("<Q", number)], [theirs.fileno(), theirs_out, nothing])
        tag, born, text, (process,) = self.report()
        took = time.perf_counter() - began
        assert (tag, born) == (BORN, number), (tag, text)
        for one in (theirs_out, nothing): os.close(one)
        theirs.close()
        ours.sendall(job)
        ours.close()
        select.select([out], [], [])
        os.close(out)
        tag, ended, value, _ = self.report()
        os.close(process)
        assert (tag, ended) == (EXITED, number), (tag, value)
        return took, struct.unpack("<i", value)[0]

    def end(self):
        self.channel.close()
        return self.process.wait(10)


def spent(bonded, worker, children):
    """Processor seconds of a whole life, and the median time to be born."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    zygote = Zygote(bonded, worker)
    taken = sorted(zygote.fork(n + 1)[0] for n in range(children))
    zygote.end()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, taken[len(taken) // 2] * 1000 if taken else 0, zygote


def main():
    given = d.arguments(__doc__.splitlines()[0], children=500, cpu_ms_max=5.0)
    failed = []
    for worker in LIMITS:
        executed = [spent(given.bonded, worker, 0) for _ in range(10)]
        alone = sorted(cpu for cpu, _, _ in executed)[5]
        ready = sorted(zygote.ready_ms for _, _, zygote in executed)[5]
        cpu, born, zygote = spent(given.bonded, worker, given.children)
        each = (cpu - alone) / given.children * 1000
        print(f"{worker:14} executed and warmed up {alone * 1000:6.2f} ms of CPU, ready after {ready:6.1f} ms   "
              f"forked, ready and ended {each:6.2f} ms of CPU, born after {born:5.2f} ms   ({given.children} children)")
        print(f"{'':14} rings: {' '.join(zygote.rings)}")
        if each > given.cpu_ms_max: failed.append(f"{worker}: {each:.2f} ms a fork")
    for line in failed: print("WRONG", line)
    return bool(failed)


if __name__ == "__main__": sys.exit(main())
