"""The scenarios in which policies are compared: four servers, of which one may be slow or failing,
and an open-loop client that calls them. For script/report, script/demo and the test of the
programs.

Depends on the flags and the output of gain_server and gain_client. Must not depend on: the
policies.
"""

import contextlib
import dataclasses
import json
import pathlib
import re
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "testing"))
from greeters import Server, require, started, stopped, target  # noqa: E402

# The capacity of a server is its slots divided by its service time: 800 calls per second. Service
# times are exponentially distributed, because calls of most services take different times.
SLOTS = 8
SERVICE_TIME_MS = 10
SLOWER = 20
DEADLINE_MS = 1000
# The load as a share of the fleet's capacity, which is the sum of its servers' capacities. A slow
# server counts with its lower capacity, a failing one with 0.
UTILIZATION = 0.6
GOOD = ("red", "green", "blue")
ODD = "odd"
# In seconds; enough for a busy machine.
PATIENCE = 120


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A scenario: how the fourth server behaves."""

    key: str
    words: str
    slower: float = 1
    failing: bool = False

    @property
    def capacity(self):
        """Returns the capacity of the four servers, in calls per second."""
        of_one = SLOTS / (SERVICE_TIME_MS / 1000)
        return of_one * (len(GOOD) + (0 if self.failing else 1 / self.slower))

    @property
    def rate(self):
        return UTILIZATION * self.capacity

    def arguments_of(self, number, name):
        """Returns the arguments of the server with this number and name."""
        slower = self.slower if name == ODD else 1
        failing = self.failing and name == ODD
        return [
            f"--slots={SLOTS}",
            f"--service_time_ms={SERVICE_TIME_MS * slower}",
            "--exponential",
            f"--seed={number}",
            f"--failing={str(failing).lower()}",
        ]


ALIKE = Scenario("a", "all four alike")
SLOW = Scenario("b", f"one of four slow: {SLOWER} times the service time", slower=SLOWER)
FAILING = Scenario("c", "one of four failing: UNAVAILABLE at once", failing=True)
SCENARIOS = (ALIKE, SLOW, FAILING)


@dataclasses.dataclass(frozen=True)
class Outcomes:
    """The results of the client, and the number of calls of each server by its name."""

    calls: int
    statuses: dict
    calls_of: dict
    latency_ms: dict
    late_ms: dict
    latencies_us: list

    @property
    def errors(self):
        """Returns the share of calls that failed."""
        return 1 - self.statuses.get("OK", 0) / self.calls

    def share(self, name):
        return self.calls_of[name] / self.calls


@contextlib.contextmanager
def serving(programs, arguments):
    """Runs servers during a `with`. `arguments` has the arguments of each server, by its name."""
    with contextlib.ExitStack() as cleanup:
        yield [Server(programs / "gain_server", n, cleanup, *a) for n, a in arguments.items()]


@contextlib.contextmanager
def calling(programs, servers, config, *arguments):
    """Runs a client during a `with`."""
    client = started(
        [
            programs / "gain_client",
            f"--target={target(servers)}",
            f"--lb_config={json.dumps([config])}",
            *arguments,
        ]
    )
    try:
        yield client
    finally:
        stopped(client)


def outcomes(client, servers, patience):
    """Waits for the end of the client, ends the servers, and returns the results."""
    printed, _ = client.communicate(timeout=patience)
    require(client.returncode == 0, f"the client ended with {client.returncode}")
    calls_of = {server.name: counted_by(server) for server in servers}
    return Outcomes(calls_of=calls_of, **json.loads(printed))


def counted_by(server):
    server.process.terminate()
    said = list(server.lines)
    counted = [match for line in said if (match := re.match(r"counted: (\d+)$", line))]
    require(len(counted) == 1, f"{server.name} ended without its count; it printed: {said}")
    return int(counted[0][1])


def measure(programs, scenario, config, warm_up, seconds):
    """Measures a scenario with a policy, with new servers. Random values are the same each time."""
    names = (*GOOD, ODD)
    arguments = {name: scenario.arguments_of(i, name) for i, name in enumerate(names, start=1)}
    load = [
        f"--rate={scenario.rate}",
        f"--warm_up={warm_up}",
        f"--seconds={seconds}",
        f"--deadline_ms={DEADLINE_MS}",
    ]
    with serving(programs, arguments) as servers:
        with calling(programs, servers, config, *load) as client:
            return outcomes(client, servers, warm_up + seconds + DEADLINE_MS / 1000 + PATIENCE)
