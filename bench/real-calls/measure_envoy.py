"""Measures Steer in the process beside an Envoy between client and servers, with one slow server.
Writes the results to a file, for envoy_report.py.

Usage: measure_envoy.py BUILD ENVOY RESULTS.json

BUILD is the build tree, ENVOY the program. All rows of the table take their turns, ROUNDS times.
Each run has its own servers, and the same calls begin at the same times. They have a session, which
the rows with ring hash hash.

Must not depend on: how the results are used.
"""

import collections
import dataclasses
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import typing

import preload
from envoy import EXTENSIONS, HEADER, WORKERS, Envoy
from fleet import SLOW, Client, calling, outcomes, serving
from measure import end_with_servers, has_priority, on_time

ROUNDS = 2
# In seconds, for each run: servers' queues are as long as they get after two. All rows together
# take less than five minutes.
WARM_UP, SECONDS = 3, 8
PATIENCE = 120
SESSIONS = 1000
# How much more than its share a backend may have in flight, in percent.
BALANCE = 150
TAKE_OVER = "round_robin=steer_peak_ewma"
STEER = Client("gain_client")
PLAIN = Client("gain_plain_client")


class Row(typing.NamedTuple):
    """A way to balance the calls. `config` returns the client's policy, by its servers. `envoy` is
    what chooses the policy of an Envoy between client and servers."""

    name: str
    client: Client
    config: collections.abc.Callable
    envoy: dict | None = None


def through_envoy(name, fields):
    return Row(f"Envoy, {name}", PLAIN, lambda _: {"pick_first": {}}, fields)


def steer(policy):
    return Row(f"`{policy}`", STEER, lambda _: {policy: {}})


def full_scan():
    """Returns the fields for Envoy's least request among all servers."""
    kind = f"{EXTENSIONS}.load_balancing_policies.least_request.v3.LeastRequest"
    name = "envoy.load_balancing_policies.least_request"
    value = {"@type": kind, "selection_method": "FULL_SCAN"}
    policy = {"typed_extension_config": {"name": name, "typed_config": value}}
    return {"load_balancing_policy": {"policies": [policy]}}


def balanced():
    """Returns the fields for Envoy's ring hash with bounded loads."""
    bound = {"consistent_hashing_lb_config": {"hash_balance_factor": BALANCE}}
    return {"lb_policy": "RING_HASH", "common_lb_config": bound}


def ring_hash(servers, **fields):
    """Returns the config for the ring that Envoy has: the names of the servers are hashed."""
    keys = {server.address: {"hashKey": server.name} for server in servers}
    return {"steer_ring_hash": {"requestHashHeader": HEADER, "attributes": keys, **fields}}


def rows(build):
    """Returns the rows of the table."""
    variables = preload.variables(build, TAKE_OVER)
    programs = build / "bench" / "real-calls"
    plain = [Row("`round_robin`", PLAIN, lambda _: {"round_robin": {}})]
    if preload.takes_over(preload.said_when_loaded(programs, variables)):
        client = Client("gain_plain_client", variables)
        plain.append(Row(f"preloaded, `{TAKE_OVER}`", client, plain[0].config))
    else:
        print("gRPC up to 1.49 has no way to take a name over: that row is left out")
    limit = f"`hashBalanceFactor` {BALANCE}"
    return [
        *plain,
        through_envoy("`LEAST_REQUEST`", {"lb_policy": "LEAST_REQUEST"}),
        through_envoy("`LEAST_REQUEST`, `FULL_SCAN`", full_scan()),
        steer("steer_least_request"),
        steer("steer_peak_ewma"),
        through_envoy("`RING_HASH`", {"lb_policy": "RING_HASH"}),
        Row("`steer_ring_hash`", STEER, ring_hash),
        through_envoy(f"`RING_HASH`, `hash_balance_factor` {BALANCE}", balanced()),
        Row(
            f"`steer_ring_hash`, {limit}",
            STEER,
            lambda servers: ring_hash(servers, hashBalanceFactor=BALANCE),
        ),
    ]


def measure(programs, envoy, row):
    """Returns the outcomes of a run, and the CPU time of Envoy."""
    load = [*SLOW.client_arguments, f"--warm_up={WARM_UP}", f"--seconds={SECONDS}"]
    load.append(f"--sessions={SESSIONS}")
    arguments = {server.name: server.arguments for server in SLOW.servers}
    with serving(programs, arguments) as servers, tempfile.TemporaryDirectory() as folder:

        def call(called, cpu_s):
            before = cpu_s()
            config = row.config(servers)
            with calling(programs, called, config, *load, client=row.client) as client:
                seen = outcomes(client, servers, PATIENCE)
            return seen, cpu_s() - before

        if row.envoy is None:
            return call(servers, lambda: 0)
        with Envoy(envoy, servers, row.envoy, folder) as between:
            return call([between], between.cpu_s)


def measured(programs, envoy, row):
    """Measures a run, again if the machine was too busy, and returns its numbers."""
    cpu_s = 0

    def attempt():
        nonlocal cpu_s
        seen, cpu_s = measure(programs, envoy, row)
        return seen

    seen = on_time(attempt, f"{row.name:<44}", SLOW.servers[-1].name)
    return {"outcomes": dataclasses.asdict(seen), "envoy_cpu_s": cpu_s}


def version_of(envoy):
    """Returns the version of Envoy."""
    said = subprocess.run([envoy, "--version"], check=True, capture_output=True, text=True).stdout
    return re.search(r"version: \w+/([^/]+)/", said)[1]


def main():
    build, envoy, results_file = map(pathlib.Path, sys.argv[1:])
    end_with_servers()
    all_rows = rows(build)
    runs = collections.defaultdict(list)
    for _ in range(ROUNDS):
        for row in all_rows:
            runs[row.name].append(measured(build / "bench" / "real-calls", envoy, row))
    run = {
        "real_time": has_priority(),
        "envoy": version_of(envoy),
        "workers": WORKERS,
        "warm_up": WARM_UP,
        "seconds": SECONDS,
        "rows": [
            {"name": row.name, "client": row.client.name, "runs": runs[row.name]}
            for row in all_rows
        ],
    }
    results_file.write_text(json.dumps(run), encoding="utf-8")


if __name__ == "__main__":
    main()
