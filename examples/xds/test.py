"""Tests what README.md shows: localities, priorities, and another policy while calls are made.

Usage: test.py <greeter_server> <greeter_client>

Status 75, with the reason, if the control plane cannot run here.
"""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "testing"))
from greeters import (  # noqa: E402
    SERVER_PATIENCE,
    Greeting,
    lines_of,
    require,
    serving,
    started,
    stopped,
)

CANNOT_RUN = 75
TAIL = 100  # the latest calls, which show where calls go now


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_fleet(path, policy, servers):
    """fleet.json, with this policy and the ports of these servers."""
    fleet = json.loads((HERE / "fleet.json").read_text(encoding="utf-8"))
    cluster = fleet["services"]["greeter"]["clusters"]["greeters"]
    cluster["policies"][0] = policy
    places = [place for zone in cluster["localities"] for place in zone["endpoints"]]
    for place, server in zip(places, servers, strict=True):
        place["port"] = int(server.address.split(":")[1])
    # At once, as the control plane may be reading.
    path.with_suffix(".new").write_text(json.dumps(fleet), encoding="utf-8")
    path.with_suffix(".new").rename(path)


@contextlib.contextmanager
def control_plane(port, fleet):
    """Runs the control plane. Yields its lines."""
    program = HERE.parent.parent / "script" / "xds-python"
    command = [program, HERE / "control_plane.py", str(port), fleet]
    process = started(command, stderr=subprocess.STDOUT)
    try:
        lines = lines_of(process, SERVER_PATIENCE)
        for line in lines:
            if line.startswith("LISTENING"):
                break
            print(line)
        else:
            sys.exit(process.wait())
        yield lines
    finally:
        stopped(process)


def point_clients_to(port):
    bootstrap = json.loads((HERE / "bootstrap.json").read_text(encoding="utf-8"))
    bootstrap["xds_servers"][0]["server_uri"] = f"127.0.0.1:{port}"
    os.environ.pop("GRPC_XDS_BOOTSTRAP", None)
    os.environ["GRPC_XDS_BOOTSTRAP_CONFIG"] = json.dumps(bootstrap)
    os.environ["GRPC_EXPERIMENTAL_XDS_CUSTOM_LB_CONFIG"] = "true"


def check(client, servers, fleet, lines):
    with Greeting(client, servers, "--target=xds:///greeter") as calls:

        def latest_by(*names):
            return lambda: set(calls.order[-TAIL:]) == set(names)

        calls.until(latest_by("a-1", "a-2", "b-1"), "not all servers of the first priority serve")
        write_fleet(fleet, {"steer_random": {}}, servers)
        require(any(line.startswith("ACK CDS 2") for line in lines), "the client takes no update")
        calls.until(latest_by("a-1", "a-2", "b-1"), "not all servers serve with another policy")
        require(not calls.failures, f"calls failed: {calls.failures}")
        for server in servers[:3]:
            server.process.terminate()
        calls.until(latest_by("c-1"), "the second priority does not take over")
        write_fleet(fleet, {"steer_least_request": {"choiceCount": 1}}, servers)
        wanted = "choiceCount error:must be at least 2"
        require(any(wanted in line for line in lines), "a faulty config is accepted")


def main():
    server, client = sys.argv[1:]
    port = free_port()
    point_clients_to(port)
    with serving(server, "a-1", "a-2", "b-1", "c-1") as servers, tempfile.TemporaryDirectory() as t:
        fleet = pathlib.Path(t, "fleet.json")
        write_fleet(fleet, {"steer_round_robin": {}}, servers)
        with control_plane(port, fleet) as lines:
            check(client, servers, fleet, lines)


if __name__ == "__main__":
    main()
