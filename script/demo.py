"""The output of script/demo: makes calls to real greeter servers, and checks the results.

Depends on the output of the programs in examples/helloworld and bench/real-calls. Must not depend
on: gRPC, Steer.

Usage: demo.py <build tree with examples/helloworld and bench/real-calls>
"""

import contextlib
import pathlib
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from datetime import datetime

sys.dont_write_bytecode = True
REPO = pathlib.Path(__file__).resolve().parent.parent
sys.path += [str(REPO / "examples" / "testing"), str(REPO / "bench" / "real-calls")]
import fleet  # noqa: E402
import limits  # noqa: E402
import machine  # noqa: E402
import preload  # noqa: E402
from greeters import ANSWER, Failed, Server, require, started, stopped, target  # noqa: E402

NAMES = ("red", "green", "blue")
CALLS = 3000
THREADS = 4
LOAD_SECONDS = 900  # ends the client under load even if this script cannot
PATIENCE = 60  # the longest time for each step, in seconds, for a busy machine
KILLS = 5
SCALE = 20  # the width of a bar for 100 % of the calls; all bars have this scale
# Of part four, in seconds for each policy: long enough for policies to learn and to differ.
WARM_UP, SECONDS = 2, 2.5
POLICIES = {
    "round_robin": {},
    "steer_round_robin": {},
    "steer_least_request": {},
    "steer_peak_ewma": {},
    # By default it ignores reports for 10 s.
    "steer_weighted_round_robin": {"blackoutPeriod": "0.5s", "weightUpdatePeriod": "0.25s"},
}
# Of part five, in seconds for each run.
PLAIN_WARM_UP, PLAIN_SECONDS = 1.5, 2
# What part five sets, beside LD_PRELOAD.
TAKE_OVER = "round_robin=steer_peak_ewma"
FAILURE = re.compile(r"FAILED at (?P<time>\S+) after \S+, peer ipv4:(?P<address>\S+): ")


def bar(share):
    """Returns a share of all calls, 0 to 1, as a bar."""
    utf8 = (sys.stdout.encoding or "").lower().startswith("utf")
    return ("█" if utf8 else "#") * round(SCALE * share)


def explain(text):
    """Prints a paragraph that says what to see in a table."""
    print()
    for line in textwrap.wrap(text, 76):
        print(f"   {line}")


class Client:
    """A greeter_client. Counts its answers while it runs."""

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
    """A client that calls without a pause. Prints its calls second by second."""

    def __init__(self, client, servers):
        self._client = client
        self._servers = servers
        self._start = time.monotonic()

    def say(self, words):
        print(f"{time.monotonic() - self._start:5.1f} s  {words}")

    def tick(self):
        """Lets about a second pass. Prints and returns the calls per second of each server."""
        before, begin = self._client.answered.copy(), time.monotonic()
        time.sleep(1)
        after, end = self._client.answered.copy(), time.monotonic()
        require(self._client.process.poll() is None, "the client ended early")
        rates = {s.name: (after[s.name] - before[s.name]) / (end - begin) for s in self._servers}
        total = max(sum(rates.values()), 1)
        columns = (f"{n:<5} {r:>6,.0f} {bar(r / total):<10}" for n, r in rates.items())
        self.say("  ".join(columns).rstrip())
        return rates

    def tick_until(self, condition, otherwise):
        """Ticks until `condition(rates)` holds. Fails with `otherwise` if that takes too long."""
        give_up = time.monotonic() + PATIENCE
        while not condition(self.tick()):
            require(time.monotonic() < give_up, otherwise)


def shared_by(*servers):
    """Returns a condition: all calls of a tick went to these servers, and each got a fair share."""
    names = {server.name for server in servers}

    def holds(rates):
        fair = sum(rates.values()) / len(names)
        return all(r > fair / 2 if n in names else r == 0 for n, r in rates.items())

    return holds


def part_one(programs, servers, cleanup):
    print(f"\n1. {CALLS:,} calls, one after another, to three servers")
    print(f"   (steer_round_robin; in all tables a bar of {SCALE} characters would be all calls)\n")
    client = Client(programs, servers, cleanup, f"--calls={CALLS}")
    code = client.wait(5 * PATIENCE)
    print("   backend                   calls    share")
    for server in servers:
        calls = client.answered[server.name]
        share = f"{calls / CALLS:.1%}"
        line = f"   {server.name:<6} {server.address:<16} {calls:>7,}  {share:>7}"
        print(f"{line}  {bar(calls / CALLS)}")
    failed = len(client.failures)
    require(code == 0 and not failed, f"{failed} calls failed, and the client ended with {code}")
    for server in servers:
        off = client.answered[server.name] - CALLS // len(servers)
        require(abs(off) <= 1, f"{server.name} is off its equal share by {off:+,} calls")
    explain("What to see: each server answered a third of the calls, exactly.")


def part_two(load, client, servers):
    red, leaving, blue = servers
    print(f"\n2. {leaving.name} shuts down gracefully under load and comes back")
    print(f"   ({THREADS} threads call without a pause; numbers are calls per second)\n")
    load.tick_until(shared_by(*servers), "the calls are not shared by all three servers")

    load.say(f"-> SIGTERM to {leaving.name}")
    leaving.process.terminate()
    load.tick_until(lambda _: leaving.process.poll() is not None, "it does not end")
    code = leaving.process.returncode
    require(code == 0, f"{leaving.name} ended with {code}, not 0")
    load.say(f"-> {leaving.name} has ended")
    load.tick_until(shared_by(red, blue), "the calls did not move to the two others")
    load.tick()

    load.say(f"-> {leaving.name} starts again on {leaving.address}")
    leaving.start()
    load.tick_until(shared_by(*servers), f"the calls did not come back to {leaving.name}")
    load.tick()
    failed = len(client.failures)
    require(not failed, f"{failed} calls failed (the 'client:' lines above); none should have")
    explain(
        f"What to see: when {leaving.name} leaves, its calls move to the two others, and no call"
        f" fails. When it is back, it gets its share again."
    )


def part_three(load, client, servers):
    red, green, victim = servers
    print(f"\n3. {victim.name} is killed under load\n")
    load.tick()
    for _ in range(KILLS):
        before = len(client.failures)
        load.say(f"-> SIGKILL to {victim.name}")
        killed = time.time()
        victim.process.kill()
        load.tick_until(shared_by(red, green), "the calls did not move to the two others")
        load.tick()
        load.tick()
        failures = client.failures[before:]
        for line in failures:
            failure = FAILURE.match(line)
            require(failure, f"a call failed that was not at any server: {line}")
            # If a connection breaks just as a call begins, gRPC names all addresses of the target.
            addresses = failure["address"].removeprefix("ipv4:").split(",")
            require(victim.address in addresses, f"a call failed elsewhere: {line}")
            after = datetime.fromisoformat(failure["time"]).timestamp() - killed
            require(after > -0.01, f"a call failed {-after:.1f} s before the kill: {line}")
        lost = len(failures)
        load.say(f"-> calls lost with {victim.name}: {lost}")
        if lost <= THREADS:
            explain(
                f"What to see: only calls that were in flight to {victim.name} failed, {lost} of at"
                f" most {THREADS}, one for each thread. All later calls went to the two others."
            )
            return
        # On a busy machine, the thread that learns of the server's end may wait for a CPU.
        load.say(f"   more than the {THREADS} in flight; {victim.name} starts, to be killed again")
        victim.start()
        load.tick_until(shared_by(*servers), f"the calls did not come back to {victim.name}")
    raise Failed(f"each of {KILLS} kills lost more than the {THREADS} calls in flight")


WHAT_TO_SEE = {
    fleet.SLOW.name: (
        "What to see: round robin sends a quarter of the calls to the slow server, where they queue"
        " until their deadline. The last three policies notice that it is slow and send it few"
        " calls."
    ),
    fleet.FAILING.name: (
        "What to see: with round robin a quarter of the calls fail. The last three policies avoid"
        " the server: steer_least_request and steer_peak_ewma by the statuses of their calls, and"
        " steer_weighted_round_robin by load reports."
    ),
}


def print_outcome(name, seen):
    times = f"{seen.latency_ms['p50']:8,.1f}{seen.latency_ms['p99']:10,.1f}"
    share = seen.share(fleet.ODD)
    line = f"   {name:<26}{times}{seen.errors:10.2%}{share:9.2%} {bar(share)}"
    print(line.rstrip())


def print_heading(scenario, first):
    print(f"\n   {scenario.title}; {scenario.rate:,.0f} calls per second\n")
    print(f"   {first:<26}  p50 ms    p99 ms    errors  calls to that server")


def measure_policies(programs):
    """Fails with machine.Late if a policy misses its limit."""
    outcomes = {}
    for scenario in (fleet.SLOW, fleet.FAILING):
        print_heading(scenario, "policy")
        for policy, config in POLICIES.items():
            seen = fleet.measure(programs, scenario, {policy: config}, WARM_UP, SECONDS)
            outcomes[scenario.name, policy] = seen
            print_outcome(policy, seen)
        explain(WHAT_TO_SEE[scenario.name])
    print("\n   The demo checks these limits:\n")
    for words, measured, allowed in limits.SHORT.judge(outcomes):
        machine.timely(measured <= allowed, f"{words}: {measured:.3f}, more than {allowed}")
        print(f"   {words}: {measured:.3f} (at most {allowed})")


def part_four(programs):
    print("\n4. What each policy buys you, with four servers, each serving 8 calls at a time")
    busy = machine.judged(measure_policies, programs, tries=2)
    if busy:
        print(f"   The limits were not checked: {busy}.")
    return not busy


def measure_plain_client(programs, variables):
    """Fails with machine.Late if the variable changes less than it should."""
    for scenario in (fleet.SLOW, fleet.FAILING):
        print_heading(scenario, "gain_plain_client")
        runs = {"as it is": {}, "with the two variables": variables}
        seen = {}
        for name, environment in runs.items():
            client = fleet.Client("gain_plain_client", environment)
            config = {"round_robin": {}}
            times = (PLAIN_WARM_UP, PLAIN_SECONDS)
            seen[name] = fleet.measure(programs, scenario, config, *times, client)
            print_outcome(name, seen[name])
        before, after = (outcomes.share(fleet.ODD) for outcomes in seen.values())
        words = "the calls to that server are still more than half of those before"
        machine.timely(after <= before / 2, f"{scenario.name}: {words}")


def part_five(build):
    """Returns whether the results were checked."""
    programs = build / "bench" / "real-calls"
    variables = preload.variables(build, TAKE_OVER)
    print("\n5. A client that was built without Steer, and its round_robin\n")
    for name, value in variables.items():
        print(f"   export {name}={value}")
    said = preload.said_when_loaded(programs, variables)
    print(f"\n   GRPC_VERBOSITY=INFO shows: {said}")
    if not preload.takes_over(said):
        return True
    busy = machine.judged(measure_plain_client, programs, variables, tries=2)
    explain(
        "What to see: not a line of code and no service config has changed. Wherever the client"
        " names round_robin, steer_peak_ewma runs. Without the variables all is as before."
    )
    if busy:
        print(f"   The results were not checked: {busy}.")
    return not busy


def next_steps(build):
    programs = build / "examples" / "helloworld"
    server, client = programs / "greeter_server", programs / "greeter_client"
    print("\nWhat to do next:\n")
    print("  Call a server of your own, with another policy and with statistics:")
    print(f"    {server} --name=red --port=50051 &")
    print(f"    {client} --calls=0 --metrics=9464 >/dev/null \\")
    print("""      --lb_config='[{"steer_peak_ewma": {}}]' &""")
    print("  Watch its statistics live (q quits; then `kill %1 %2` ends server and client):")
    top = REPO / "crates" / "steer-top" / "Cargo.toml"
    print(f"    cargo run --release --manifest-path {top} -- http://127.0.0.1:9464")
    print("  Measure the policies for longer (15 minutes; writes docs/why.md):")
    print(f"    {REPO / 'script' / 'report'}")
    print(f"  Use Steer in your program: {REPO / 'README.md'}")


def show(build):
    programs = build / "examples" / "helloworld"
    # The clients end first. Otherwise a client under load would report the end of its servers.
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
    all_judged &= part_five(build)
    passed = "All checks passed" if all_judged else "All checks except some of parts 4 and 5 passed"
    print(f"\n{passed}: {CALLS:,} calls were shared equally, {answered:,} were answered under")
    print(f"load, and only {lost} failed, with the server that was killed.")
    next_steps(build)


def main():
    # These signals raise exceptions, so that the programs that this script started end too.
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
