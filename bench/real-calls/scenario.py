"""Reads the scenario files of the simulator (docs/scenario-files.md) for runs with real processes.

    read("one_slow")  a scenario that comes with the simulator
    read(path)        another one

The result has the arguments of gain_server and gain_client, and when a server crashes and starts.
gain_server and gain_client can do only a part of what the simulator can. `Unrunnable` names every
key of a file that they cannot do:

    one_hung.toml: events[0].overload: gain_server cannot do this

Keys that mean nothing here, such as limits, are ignored. The network is that of this machine,
whatever `network.round_trip` says.

Must not depend on: how processes are started, the policies.
"""

import dataclasses
import functools
import json
import pathlib
import re
import tomllib

READY = pathlib.Path(__file__).resolve().parents[2] / "crates" / "steer-sim" / "scenarios"

# What two cores can run, clients and servers together, so that calls still begin in time.
MOST_SERVERS = 10
MOST_CALLS_PER_SECOND = 2500

# As in docs/scenario-files.md.
DEFAULT_POLICIES = (
    "steer_round_robin",
    "steer_least_request",
    "steer_peak_ewma",
    "steer_weighted_round_robin",
)
DEFAULT_DURATION = "60s"
DEFAULT_SERVICE_TIME = {"distribution": "exponential", "mean": "10ms"}
DEFAULT_REPORTS_OVER = "1s"

SECONDS = {
    **{"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1, "sec": 1, "m": 60, "min": 60},
    **{"h": 3600, "hour": 3600, "hours": 3600, "day": 86400, "days": 86400},
}
PER_SECOND = {"s": 1, "min": 1 / 60, "h": 1 / 3600}
REQUIRED = object()
SERVER = "gain_server cannot do this"
CLIENT = "gain_client cannot do this"
FLEET = "the programs of bench/real-calls cannot do this"


class Unrunnable(Exception):
    """A scenario that cannot be run here. The message has a line for each reason."""


@dataclasses.dataclass(frozen=True)
class Server:
    """A server and its arguments."""

    name: str
    group: str
    arguments: tuple
    # Arguments of a start after a crash: it is cold then.
    when_cold: tuple
    # The crashes: pairs of the times when it ends and when it starts again, which may be None.
    crashes: tuple


@dataclasses.dataclass(frozen=True)
class Scenario:
    """A scenario. Times are in seconds."""

    name: str
    title: str
    duration: float
    warm_up: float
    # The config of each policy, by its name.
    policies: dict
    servers: tuple
    rate: float
    deadline: float | None
    cancel_after: float | None

    @property
    def client_arguments(self):
        """Returns the arguments that do not depend on how long the client calls."""
        arguments = [f"--rate={self.rate}", f"--deadline_ms={in_ms(self.deadline or 0)}"]
        if self.cancel_after is not None:
            arguments.append(f"--cancel_after_ms={in_ms(self.cancel_after)}")
        return arguments

    @property
    def changes(self):
        """Returns whether a server changes after the start."""
        return any(server.crashes or ";" in server.arguments[-1] for server in self.servers)


class Table:
    """A table of a file. Reads its keys, and collects the faults."""

    def __init__(self, values, path, faults):
        self._values = values
        self._unread = set(values)
        self._path = path
        self._faults = faults

    def fault(self, key, words):
        self._faults.append(f"{self.path(key)}: {words}")

    def path(self, key):
        return f"{self._path}.{key}" if self._path else key

    def has(self, key):
        return key in self._values

    def take(self, key, default=REQUIRED):
        """Returns the value of a key."""
        self._unread.discard(key)
        if key not in self._values and default is REQUIRED:
            self.fault(key, "required")
            return None
        return self._values.get(key, default)

    def read(self, key, parse, default=REQUIRED):
        """Returns what `parse` makes of the value of a key. `parse` raises ValueError with what
        it expects."""
        value = self.take(key, default)
        if value is None:
            return None
        try:
            return parse(value)
        except (ValueError, TypeError, KeyError) as expected:
            self.fault(key, f"{expected}, not {json.dumps(value)}")
            return None

    def only(self, key, value, why):
        """A key that may only have this value, which is the default."""
        if self.take(key, value) != value:
            self.fault(key, why)

    def table(self, key):
        return Table(self.take(key, {}), self.path(key), self._faults)

    def tables(self, key):
        tables = self.take(key, [])
        return [Table(it, f"{self.path(key)}[{i}]", self._faults) for i, it in enumerate(tables)]

    def ignore(self, *keys):
        self._unread.difference_update(keys)

    def end(self, why):
        """Makes a fault of each key that was not read."""
        for key in self._values:
            if key in self._unread:
                self.fault(key, why)


def in_ms(seconds):
    """Returns a time in milliseconds, without the noise of the multiplication."""
    return float(f"{seconds * 1000:.9g}")


def time(text):
    """Parses a time such as "1min 30s"."""
    parts = re.findall(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)", text)
    if not parts or re.sub(r"[\d.a-z\s]", "", text) or any(u not in SECONDS for _, u in parts):
        raise ValueError('expected a time such as "20ms"')
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


def rate(text):
    """Parses a rate such as "300/s"."""
    parts = re.fullmatch(r"([\d.]+)/(s|min|h)", text)
    if not parts:
        raise ValueError('expected a rate such as "300/s"')
    return float(parts[1]) * PER_SECOND[parts[2]]


def share(value):
    """Parses a share, such as "1%" or 0.01."""
    return float(value[:-1]) / 100 if isinstance(value, str) else float(value)


def constant(value):
    """Parses a distribution that has only one time."""
    if isinstance(value, dict):
        raise ValueError("only a constant time is possible here")
    return time(value)


def service_time(value):
    """Parses a service time. Returns its mean, and whether it is exponential."""
    if isinstance(value, str):
        return time(value), False
    if value.get("distribution") == "exponential":
        return time(value["mean"]), True
    raise ValueError("only a constant or exponential time is possible here")


def policies_of(scenario):
    configs = {}
    for policy in scenario.take("policies", DEFAULT_POLICIES):
        named = policy if isinstance(policy, dict) else {"name": policy}
        if named["name"] in configs:
            scenario.fault("policies", f"{named['name']} occurs twice")
        configs[named["name"]] = named.get("config", {})
    return configs


@dataclasses.dataclass(frozen=True)
class Fault:
    """A fault of a server, from a time to another."""

    servers: tuple
    begin: float
    end: float
    # As gain_server's flag has it. Empty: the server crashes.
    words: str

    def hits(self, server, group):
        return server in self.servers or group in self.servers


def slow(value):
    return f"slow={float(value)}"


def errors(value):
    return f"errors={share(value['share'])}:{value['code']}"


FAULTS = {
    "slow": slow,
    "hang": lambda _: "hang",
    "fail": lambda code: f"fail={code}",
    "errors": errors,
    "reset_calls": lambda _: "fail=CANCELLED",
    "crash": lambda _: "",
}


def fault_of(event, names):
    """Returns the fault of an event. Nothing if there is none that gain_server can do."""
    begin = event.read("at", time)
    kinds = [kind for kind in FAULTS if event.has(kind)]
    lasts = event.read("lasts", time, default="365days")
    servers = event.take("servers", ())
    for server in servers:
        if server not in names:
            event.fault("servers", f"there is no server {server}; zones are not possible here")
    event.ignore(*kinds)
    event.end(SERVER)
    if len(kinds) != 1 or begin is None or lasts is None:
        return None
    words = event.read(kinds[0], FAULTS[kinds[0]])
    return None if words is None else Fault(tuple(servers), begin, begin + lasts, words)


def schedule(faults, server, group, duration):
    """Returns the faults of a server over time, as gain_server's flag has them."""
    mine = [fault for fault in faults if fault.words and fault.hits(server, group)]
    times = sorted({0.0, *(fault.begin for fault in mine), *(fault.end for fault in mine)})
    active = ((at, [f.words for f in mine if f.begin <= at < f.end]) for at in times)
    return ";".join(" ".join([f"{at:.9g}", *words]) for at, words in active if at < duration)


def crashes(faults, server, group, duration):
    """Returns when a server ends, and when it starts again."""
    mine = [fault for fault in faults if not fault.words and fault.hits(server, group)]
    return tuple((it.begin, it.end if it.end < duration else None) for it in mine)


def arguments_of(group):
    """Returns the arguments of the servers of a group, and those of a cold one."""
    concurrency = group.take("concurrency", 8)
    times = group.read("service_time", service_time, default=DEFAULT_SERVICE_TIME)
    speed = group.read("speed", float, default=1)
    reports = group.table("reports")
    over = reports.read("over", time, default=DEFAULT_REPORTS_OVER)
    reports.only("with_calls", True, SERVER)
    # The policies that ask for them are not compared here.
    reports.ignore("out_of_band")
    reports.end(SERVER)
    cold = ()
    if group.has("warm_up"):
        warm_up = group.table("warm_up")
        lasts = warm_up.read("lasts", time)
        cold = (
            f"--cold_speed={warm_up.read('speed', share)}",
            f"--cold_ms={in_ms(lasts or 0)}",
            f"--cold_at_once={str(warm_up.take('at_once', False)).lower()}",
        )
        warm_up.end(SERVER)
    if times is None or speed is None or over is None:
        return (), ()
    mean, exponential = times
    arguments = (
        f"--slots={concurrency}",
        f"--service_time_ms={in_ms(mean / speed)}",
        f"--exponential={str(exponential).lower()}",
        f"--report_over_ms={in_ms(over)}",
    )
    return arguments, cold


def groups_of(scenario):
    """Returns the name, the size and the arguments of each group of servers."""
    groups = []
    for group in scenario.tables("servers"):
        name, count = group.take("name"), group.take("count", 1)
        groups.append((name, count, *arguments_of(group)))
        group.only("zones", ["a"], FLEET)
        group.only("listed", True, "servers that join later are not possible here")
        group.only("weight", 0, FLEET)
        group.only("stops_cancelled_calls", False, SERVER)
        group.end(SERVER)
    return groups


def client_of(scenario):
    """Returns the rate, the deadline and the time after which the client cancels calls."""
    clients = scenario.tables("clients")
    if len(clients) != 1:
        scenario.fault("clients", "only one client is possible here")
        return 0, None, None
    client = clients[0]
    client.ignore("name")
    client.only("count", 1, "only one client is possible here")
    client.only("zones", ["a"], FLEET)
    client.only("arrivals", "poisson", CLIENT)
    client.only("wait_for_ready", False, CLIENT)
    client.only("list_order", "same", FLEET)
    calls = client.read("rate", rate)
    deadline = client.read("deadline", constant, default=None)
    cancel_after = client.read("cancel_after", constant, default=None)
    client.end(CLIENT)
    if calls and calls > MOST_CALLS_PER_SECOND:
        client.fault("rate", f"more than {MOST_CALLS_PER_SECOND}/s is too much for two cores")
    return calls or 0, deadline, cancel_after


def parse(name, text):
    """Returns the scenario of a file's text. Raises Unrunnable."""
    faults = []
    top = Table(tomllib.loads(text), "", faults)
    duration = top.read("duration", time, default=DEFAULT_DURATION) or 0
    groups = groups_of(top)
    names = [f"{group}-{i + 1}" if n > 1 else group for group, n, *_ in groups for i in range(n)]
    if len(names) > MOST_SERVERS:
        top.fault("servers", f"more than {MOST_SERVERS} are too many for two cores")
    known = {*names, *(group for group, *_ in groups)}
    happens = [fault for event in top.tables("events") if (fault := fault_of(event, known))]
    calls, deadline, cancel_after = client_of(top)
    top.table("network").only("between", [], FLEET)
    top.ignore("look_for", "interval", "limits", "network")
    servers = []
    of_groups = [(group, *rest) for group, count, *rest in groups for _ in range(count)]
    for i, (group, arguments, cold) in enumerate(of_groups):
        changing = f"--faults={schedule(happens, names[i], group, duration)}"
        arguments = (*arguments, f"--seed={i + 1}", changing)
        crashing = crashes(happens, names[i], group, duration)
        servers.append(Server(names[i], group, arguments, cold, crashing))
    scenario = Scenario(
        name=name,
        title=top.take("title", name),
        duration=duration,
        warm_up=top.read("warm_up", time, default="0s") or 0,
        policies=policies_of(top),
        servers=tuple(servers),
        rate=calls,
        deadline=deadline,
        cancel_after=cancel_after,
    )
    top.end(FLEET)
    if faults:
        raise Unrunnable("\n".join(f"{name}.toml: {fault}" for fault in faults))
    return scenario


@functools.cache
def read(name):
    """Returns the scenario with this name or path. Raises Unrunnable."""
    path = pathlib.Path(name)
    if not path.suffix:
        path = READY / f"{name}.toml"
    return parse(path.stem, path.read_text(encoding="utf-8"))


def runnable():
    """Returns the scenarios that come with the simulator and can be run here, and for each of the
    others why it cannot."""
    scenarios, reasons = [], []
    for path in sorted(READY.glob("*.toml")):
        try:
            scenarios.append(read(path))
        except Unrunnable as unrunnable:
            reasons.append(str(unrunnable))
    return scenarios, reasons
