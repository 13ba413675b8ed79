"""The show of script/demo: real greeter servers, real calls, and a judge.

Knows the greeter's two programs and those of bench/real-calls by what they print, and nothing of gRPC's or Steer's insides.
Usage: demo.py <build tree with examples/helloworld and bench/real-calls>
"""

import contextlib
import pathlib
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import datetime

sys.dont_write_bytecode = True
REPO = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(REPO / "examples" / "testing"), str(REPO / "bench" / "real-calls")]
import bars  # noqa: E402
import fleet  # noqa: E402
import machine  # noqa: E402
from greeters import ANSWER, Failed, Server, require, started, stopped, target  # noqa: E402

NAMES = ("red", "green", "blue")
CALLS = 3000
THREADS = 4
LOAD_SECONDS = 900  # ends the client under load even if this script cannot
PATIENCE = 60  # for each step, in seconds: on a busy machine it takes long
KILLS = 5
# Of part four, for each policy: long enough to learn what the servers are like, and to tell policies apart.
WARM_UP, SECONDS = 2, 2.5
POLICIES = {
    "round_robin": {},
    "steer_round_robin": {},
    "steer_least_request": {},
    "steer_peak_ewma": {},
    # By default it trusts no report for 10 s.
    "steer_weighted_round_robin": {"blackoutPeriod": "0.5s", "weightUpdatePeriod": "0.25s"},
}
FAILURE = re.compile(r"FAILED at (?P<time>\S+) after \S+, peer ipv4:(?P<address>\S+): ")


def bar(value, full, width):
    """`value` as a bar of at most `width` characters; `full` is the value of a whole one."""
    utf8 = (sys.stdout.encoding or "").lower().startswith("utf")
    return ("█" if utf8 else "#") * min(width, round(width * value / full))


class Client:
    """A greeter_client, whose output is counted while it comes."""

    def __init__(self, programs, servers, cleanup, *arguments):
        command = [programs / "greeter_client", f"--target={target(servers)}", *arguments]
        command.append(f"--warm_up={len(servers)}")
        self.process = started(command, stderr=subprocess.STDOUT)
        self.answered = dict.fromkeys(NAMES, 0)
        self.failures = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        cleanup.callback(self.stop)

    def _read(self):
        for line in self.process.stdout:
            answer = ANSWER.match(line)
            if answer:
                self.answered[answer["name"]] += 1
                continue
            print(f"  client: {line}", end="")
            if line.startswith("FAILED"):
                self.failures.append(line)

    def wait(self, timeout):
        try:
            code = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failed(f"the client did not end within {timeout} s") from None
        self._reader.join()
        return code

    def stop(self):
        stopped(self.process)
        self._reader.join()


class Load:
    """A client that calls without a pause, and what one sees of it second by second."""

    def __init__(self, client, servers):
        self._client = client
        self._servers = servers
        self._start = time.monotonic()
        self._full = 0

    def say(self, words):
        print(f"{time.monotonic() - self._start:5.1f} s  {words}")

    def tick(self):
        """Lets about a second pass; prints and returns the calls per second of each server."""
        before, begin = self._client.answered.copy(), time.monotonic()
        time.sleep(1)
        after, end = self._client.answered.copy(), time.monotonic()
        require(self._client.process.poll() is None, "the client has ended by itself")
        rates = {s.name: (after[s.name] - before[s.name]) / (end - begin) for s in self._servers}
        self._full = max(self._full, *rates.values(), 1)
        columns = (f"{n:<5} {r:>5,.0f} {bar(r, self._full, 9):<9}" for n, r in rates.items())
        self.say("  ".join(columns).rstrip())
        return rates

    def tick_until(self, condition, otherwise):
        """Ticks until `condition(rates)` holds; fails with the words when that takes too long."""
        give_up = time.monotonic() + PATIENCE
        while not condition(self.tick()):
            require(time.monotonic() < give_up, otherwise)


def shared_by(*servers):
    """Whether a tick's calls went to these servers alone, with a fair part for each."""
    names = {server.name for server in servers}

    def holds(rates):
        fair = sum(rates.values()) / len(names)
        return all(r > fair / 2 if n in names else r == 0 for n, r in rates.items())

    return holds


def part_one(programs, servers, cleanup):
    print(f"\n1. {CALLS:,} calls, one after another, to three servers\n")
    client = Client(programs, servers, cleanup, f"--calls={CALLS}")
    code = client.wait(5 * PATIENCE)
    print("  backend                   calls    share")
    for server in servers:
        calls = client.answered[server.name]
        share = f"{calls / CALLS:.1%}"
        line = f"  {server.name:<6} {server.address:<16} {calls:>7,}  {share:>7}"
        print(f"{line}  {bar(calls, CALLS / 2, 30)}")
    failed = len(client.failures)
    require(code == 0 and not failed, f"{failed} calls failed, and the client ended with {code}")
    for server in servers:
        off = client.answered[server.name] - CALLS // len(servers)
        require(abs(off) <= 1, f"{server.name} is off its equal share by {off:+,} calls")


def part_two(load, client, servers):
    red, leaving, blue = servers
    print(f"\n2. {leaving.name} shuts down gracefully under load and comes back")
    print(f"   ({THREADS} threads that call without a pause; calls per second)\n")
    load.tick_until(shared_by(*servers), "the load is not shared by all three")

    load.say(f"-> SIGTERM to {leaving.name}")
    leaving.process.terminate()
    load.tick_until(lambda _: leaving.process.poll() is not None, "it does not end")
    code = leaving.process.returncode
    require(code == 0, f"{leaving.name} ended with {code}, not 0")
    load.say(f"-> {leaving.name} has ended")
    load.tick_until(shared_by(red, blue), "the traffic did not move to the two others")
    load.tick()

    load.say(f"-> {leaving.name} starts again on {leaving.address}")
    leaving.start()
    load.tick_until(shared_by(*servers), f"the traffic did not come back to {leaving.name}")
    load.tick()
    failed = len(client.failures)
    require(not failed, f"{failed} calls failed (the 'client:' lines above); none should have")


def part_three(load, client, servers):
    red, green, victim = servers
    print(f"\n3. {victim.name} is killed under load\n")
    load.tick()
    for _ in range(KILLS):
        before = len(client.failures)
        load.say(f"-> SIGKILL to {victim.name}")
        killed = time.time()
        victim.process.kill()
        load.tick_until(shared_by(red, green), "the traffic did not move to the two others")
        load.tick()
        load.tick()
        failures = client.failures[before:]
        for line in failures:
            failure = FAILURE.match(line)
            require(failure, f"a call failed that was not at any server: {line}")
            require(failure["address"] == victim.address, f"a call failed elsewhere: {line}")
            after = datetime.fromisoformat(failure["time"]).timestamp() - killed
            require(after > -0.01, f"a call failed {-after:.1f} s before the kill: {line}")
        lost = len(failures)
        load.say(f"-> calls lost with {victim.name}: {lost}")
        if lost <= THREADS:
            return
        # On a busy machine, the thread that hears of the server's end may have to wait for a CPU.
        load.say(f"   more than the {THREADS} in flight; {victim.name} starts, to be killed again")
        victim.start()
        load.tick_until(shared_by(*servers), f"the traffic did not come back to {victim.name}")
    raise Failed(f"each of {KILLS} kills lost more than the {THREADS} calls in flight")


def measure_policies(programs):
    """Fails with machine.Late when a policy is not worth what it should be."""
    outcomes = {}
    for scenario in (fleet.SLOW, fleet.FAILING):
        print(f"\n   {scenario.words}; {scenario.rate:,.0f} calls per second\n")
        print(f"   {'policy':<26}    p50 ms    p99 ms  p99.9 ms    errors  on that server")
        for policy, config in POLICIES.items():
            seen = fleet.measure(programs, scenario, {policy: config}, WARM_UP, SECONDS)
            outcomes[scenario.key, policy] = seen
            times = "".join(f"{seen.latency_ms[q]:10,.1f}" for q in ("p50", "p99", "p99.9"))
            share = seen.share(fleet.ODD)
            print(f"   {policy:<26}{times}{seen.errors:10.2%}{share:16.2%}  {bar(share, 1, 20)}")
    print()
    for words, measured, allowed in bars.SHORT.judge(outcomes):
        machine.timely(measured <= allowed, f"{words}: {measured:.3f}, more than {allowed}")
        print(f"   {words}: {measured:.3f} (at most {allowed})")


def part_four(programs):
    print("\n4. What a policy is worth: four servers that serve a bounded number of calls at a time")
    busy = machine.judged(measure_policies, programs, tries=2)
    if busy:
        print(f"   Not judged: {busy}.")
    return not busy


def show(build):
    programs = build / "examples" / "helloworld"
    # The clients end first: a client under load would take the end of its servers for a fault.
    with contextlib.ExitStack() as server_cleanup, contextlib.ExitStack() as client_cleanup:
        servers = [Server(programs / "greeter_server", name, server_cleanup) for name in NAMES]
        part_one(programs, servers, client_cleanup)
        endless = ["--calls=0", f"--threads={THREADS}", f"--seconds={LOAD_SECONDS}"]
        client = Client(programs, servers, client_cleanup, *endless)
        load = Load(client, servers)
        part_two(load, client, servers)
        part_three(load, client, servers)
    all_judged = part_four(build / "bench" / "real-calls")
    answered, lost = sum(client.answered.values()), len(client.failures)
    held = "All of it held" if all_judged else "All that was judged held"
    print(f"\n{held}: {CALLS:,} calls shared equally; {answered:,} answered under load;")
    print(f"{lost} lost with the server that was killed, and no other.")


def main():
    # As exceptions, the signals that end this script also end what it started.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    sys.stdout.reconfigure(line_buffering=True)
    try:
        show(pathlib.Path(sys.argv[1]))
    except (Failed, machine.Late) as failure:
        rule = "!" * 72
        print(f"\n{rule}\nTHE DEMO FAILED: {failure}\n{rule}")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
