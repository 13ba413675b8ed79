"""Runs scenarios with real processes: servers, and an open-loop client that calls them. For
script/report, script/simulate, script/demo and the test of the programs.

Depends on the flags and the output of gain_server and gain_client. Must not depend on: the format
of scenario files, the policies.
"""

import contextlib
import dataclasses
import json
import pathlib
import re
import signal
import sys
import time

import scenario

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "testing"))
from greeters import Server, require, started, stopped, target  # noqa: E402

# The scenarios of docs/why.md.
ALIKE, SLOW, FAILING = (scenario.read(name) for name in ("all_alike", "one_slow", "one_failing"))
SCENARIOS = (ALIKE, SLOW, FAILING)
# The name of the server that is slow or fails, in every scenario that has one.
ODD = "odd"
# In seconds; enough for a busy machine.
PATIENCE = 120
# A scenario that changes begins so many seconds after its servers are started, so that all
# processes know when it begins.
LEAD = 5
# In a scenario without deadlines, calls are unfinished if they have not ended so many seconds after
# the last one began.
END = 1
# What the client says of calls that have no outcome.
CANCELLED, UNFINISHED = "cancelled by caller", "unfinished"


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """The results of the client, and the number of calls of each server by its name."""

    calls: int
    statuses: dict
    calls_of: dict
    latency_ms: dict
    late_ms: dict
    latencies_us: list
    # All calls of the client, and its CPU time while it made them. Those of the warm-up are
    # included, as they are not in the others. Zero in results of former versions.
    made: int = 0
    cpu_s: float = 0

    @property
    def errors(self):
        """Returns the share of calls that failed. Calls without an outcome do not count."""
        without = self.statuses.get(CANCELLED, 0) + self.statuses.get(UNFINISHED, 0)
        ended = self.calls - without
        return 1 - self.statuses.get("OK", 0) / ended if ended else 0

    def share(self, name):
        return self.calls_of[name] / self.calls


@contextlib.contextmanager
def serving(programs, arguments):
    """Runs servers during a `with`. `arguments` has the arguments of each server, by its name."""
    with contextlib.ExitStack() as cleanup:
        yield [Server(programs / "gain_server", n, cleanup, *a) for n, a in arguments.items()]


@dataclasses.dataclass(frozen=True)
class Client:
    """A program that calls, and what is added to its environment."""

    name: str = "gain_client"
    variables: dict = dataclasses.field(default_factory=dict)


@contextlib.contextmanager
def calling(programs, servers, config, *arguments, client=Client()):
    """Runs a client during a `with`."""
    process = started(
        [
            programs / client.name,
            f"--target={target(servers)}",
            f"--lb_config={json.dumps([config])}",
            *arguments,
        ],
        client.variables,
    )
    try:
        yield process
    finally:
        stopped(process)


def outcomes(client, servers, patience, crashed=()):
    """Waits for the end of the client, ends the servers, and returns the results. `crashed` has
    pairs of a server's name and its calls before a crash."""
    printed, _ = client.communicate(timeout=patience)
    require(client.returncode == 0, f"the client ended with {client.returncode}")
    calls_of = {server.name: counted_by(server) for server in servers}
    for name, count in crashed:
        calls_of[name] += count
    return Outcomes(calls_of=calls_of, **json.loads(printed))


def counted_by(server, how=signal.SIGTERM):
    """Ends a server, unless it has ended, and returns the number of its calls."""
    if server.process.poll() is not None:
        return 0
    server.process.send_signal(how)
    said = list(server.lines)
    counted = [match for line in said if (match := re.match(r"counted: (\d+)$", line))]
    require(len(counted) == 1, f"{server.name} ended without its count; it printed: {said}")
    return int(counted[0][1])


def crash_and_start(fleet, servers, client, start, end):
    """Ends servers and starts them again, as the scenario says. Returns pairs of a server's name
    and its calls before a crash."""
    steps = []
    for of_fleet, server in zip(fleet.servers, servers):
        for crash, restart in of_fleet.crashes:
            steps.append((crash, "crash", server, ()))
            if restart is not None:
                steps.append((restart, "start", server, of_fleet.when_cold))
    crashed = []
    for at, what, server, cold in sorted(steps, key=lambda step: step[0]):
        if at >= end:
            break
        time.sleep(max(0, start + at - time.time()))
        require(client.poll() is None, "the client ended early")
        if what == "crash":
            crashed.append((server.name, counted_by(server, signal.SIGUSR1)))
        else:
            server.start(*cold)
    return crashed


def measure(programs, fleet, config, warm_up=None, seconds=None, client=Client()):
    """Measures a scenario with a policy, with new servers. Random values are the same each time.
    The times are those of the scenario, unless others are given."""
    warm_up = fleet.warm_up if warm_up is None else warm_up
    seconds = fleet.duration - warm_up if seconds is None else seconds
    load = [*fleet.client_arguments, f"--warm_up={warm_up}", f"--seconds={seconds}"]
    if fleet.deadline is None:
        load.append(f"--patience_ms={END * 1000}")
    start = time.time() + LEAD
    # Servers without changes may begin at once.
    begin = [f"--start={start:.3f}"] if fleet.changes else []
    arguments = {server.name: [*server.arguments, *begin] for server in fleet.servers}
    with serving(programs, arguments) as servers:
        with calling(programs, servers, config, *load, *begin, client=client) as running:
            crashed = crash_and_start(fleet, servers, running, start, warm_up + seconds)
            patience = LEAD + warm_up + seconds + (fleet.deadline or END) + PATIENCE
            return outcomes(running, servers, patience, crashed)
