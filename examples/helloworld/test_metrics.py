"""Tests greeter_client --metrics: the statistics must agree with the client's calls.

Usage: test_metrics.py <greeter_server> <greeter_client>
"""

import contextlib
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "testing"))
from greeters import ANSWER, Failed, Server  # noqa: E402
from greeters import lines_of, require, started, stopped, target  # noqa: E402

# Debian's python3-prometheus-client. It is pure Python, so any other Python can use it too.
sys.path.append("/usr/lib/python3/dist-packages")
try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
except ImportError:
    text_string_to_metric_families = None

CALLS = 60
PATIENCE = 120
POLICIES = ["steer_round_robin", "steer_least_request", "steer_peak_ewma"]
SKIPPED = 75


class Missing(Exception):
    """The client was built without --metrics."""


def read(port, path):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as response:
        return response.headers["Content-Type"], response.read().decode()


def settled(port):
    """Returns the statistics of the channel when all backends are connected, and no call is in
    flight. The client learns that a call has ended a little before its picker does, and on a busy
    machine the first backend may answer all calls before the others are connected. Calls are
    counted from then on."""
    end = time.monotonic() + PATIENCE
    while True:
        kind, text = read(port, "/stats.json")
        require(kind == "application/json", f"/stats.json is {kind}")
        (channel,) = json.loads(text)["channels"]
        if all(backend.get("in_flight") == 0 for backend in channel["backends"]):
            return channel
        require(time.monotonic() < end, f"not all are connected and idle in {PATIENCE} s: {text}")
        time.sleep(0.02)


def call(client, servers, policy, cleanup):
    """Makes the calls. Returns the number of answers by server, the number of failed calls, and the
    port of the statistics."""
    process = started(
        [
            client,
            f"--target={target(servers)}",
            "--metrics=0",
            f"--calls={CALLS}",
            "--linger=1000",
            f'--lb_config=[{{"{policy}": {{}}}}]',
            "--wait_for_ready",
        ]
    )
    cleanup.callback(stopped, process)
    answered, failed, port = {}, 0, None
    for line in lines_of(process, PATIENCE):
        serving = re.match(r"metrics: http://127\.0\.0\.1:(\d+)/metrics$", line)
        answer = ANSWER.match(line)
        if serving:
            port = int(serving[1])
        elif answer:
            answered[answer["address"]] = answered.get(answer["address"], 0) + 1
        else:
            failed += 1
        if sum(answered.values()) + failed == CALLS:
            return answered, failed, port
    if process.wait() == 1 and port is None:
        raise Missing
    raise Failed(f"the client made {answered} and {failed} failed calls")


def check_json(channel, servers, answered, failed, policy):
    require(channel["target"] == target(servers), f"another target: {channel}")
    require(channel["policy"] == policy, f"another policy: {channel}")
    require(channel["state"] == "READY" and channel["faults"] == 0, f"not well: {channel}")
    require(channel["calls_tracked"], f"calls are not tracked: {channel}")
    backends = {backend["addresses"][0]: backend for backend in channel["backends"]}
    require(
        set(backends) == {f"ipv4:{server.address}" for server in servers},
        f"other backends: {set(backends)}",
    )
    for address, calls in answered.items():
        backend = backends[f"ipv4:{address}"]
        require(backend["finished"].get("OK") == calls, f"{calls} calls: {backend}")
    finished = [backend["finished"] for backend in backends.values()]
    unavailable = sum(by_code.get("UNAVAILABLE", 0) for by_code in finished)
    require(unavailable == failed, f"{failed} calls failed: {finished}")
    for backend in backends.values():
        ended = sum(backend["finished"].values())
        require(backend["picks"] == ended + backend["abandoned"], f"picks: {backend}")
        latency = backend.get("latency_seconds", {"count": 0})
        require(latency["count"] == ended, f"latencies: {backend}")
        if ended:
            ordered = [0, *(latency[q] for q in ("p50", "p90", "p99", "p999", "max")), PATIENCE]
            require(ordered == sorted(ordered), f"quantiles: {backend}")
    for backend in backends.values():
        expected = policy == "steer_peak_ewma"
        require(("ewma_seconds" in backend) == expected, f"EWMA: {channel}")
    return backends


def check_prometheus(port, backends):
    kind, text = read(port, "/metrics")
    require(kind.startswith("application/openmetrics-text"), f"/metrics is {kind}")
    if text_string_to_metric_families is None:
        print("  python3-prometheus-client is missing: /metrics was not parsed")
        return
    samples = [
        sample for family in text_string_to_metric_families(text) for sample in family.samples
    ]
    picks = {s.labels["backend"]: s.value for s in samples if s.name == "steer_picks_total"}
    require(
        picks == {address: backend["picks"] for address, backend in backends.items()},
        f"/metrics and /stats.json differ: {picks}, {backends}",
    )


def check_index(port):
    kind, text = read(port, "/")
    require(kind == "text/plain", f"/ is {kind}")
    require("/metrics" in text and "/stats.json" in text, f"/ lists: {text}")


def check_port_in_use(client, port):
    process = started([client, f"--metrics={port}"], stderr=subprocess.STDOUT)
    output, _ = process.communicate(timeout=PATIENCE)
    said = f"cannot listen on 127.0.0.1:{port}" in output
    require(process.returncode == 1 and said, f"a second client on port {port}: {output}")


def main():
    server, client = sys.argv[1:]
    for policy in POLICIES:
        with contextlib.ExitStack() as cleanup:
            servers = [Server(server, name, cleanup) for name in ("red", "green")]
            # It answers every call with UNAVAILABLE.
            servers.append(Server(server, "broken", cleanup, "--unavailable"))
            answered, failed, port = call(client, servers, policy, cleanup)
            backends = check_json(settled(port), servers, answered, failed, policy)
            check_prometheus(port, backends)
            check_index(port)
            check_port_in_use(client, port)
            print(f"  {policy}: {answered}, {failed} failed")


if __name__ == "__main__":
    try:
        main()
    except Missing:
        print("greeter_client was built without cpp-httplib")
        sys.exit(SKIPPED)
