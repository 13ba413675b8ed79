"""Tests zone_spillover with real servers, linked and as a plugin.

Usage: test.py <greeter_server> <zone_spillover_client> <greeter_client> <the plugin zone_spillover>
"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "testing"))
from greeters import SERVER_PATIENCE, Greeting, greet, require, serving  # noqa: E402

ZONES = {"here-1": "here", "here-2": "here", "there-1": "there", "there-2": "there"}
HERE = {"here-1", "here-2"}
TAIL = 100  # the latest calls, which show where calls go now
STAY = 1000  # the number of calls that must stay in the zone


def check(client, servers, *arguments):
    policy = {
        "zone": "here",
        "min_ready": 2,
        "zones": {f"ipv4:{server.address}": ZONES[server.name] for server in servers},
    }
    arguments = [*arguments, f"--lb_config={json.dumps([{'zone_spillover': policy}])}"]

    leaving = servers[0]
    left = set(ZONES) - {leaving.name}
    with Greeting(client, servers, *arguments) as calls:

        def latest_by(names):
            return lambda: set(calls.order[-TAIL:]) == names

        calls.until(latest_by(HERE), "not all calls go to their zone")
        settled = len(calls.order)
        calls.until(lambda: len(calls.order) == settled + STAY, "calls stop")
        require(set(calls.order[settled:]) == HERE, "calls left their zone")

        # One of the two servers here leaves under load. No call fails, and calls go to all others.
        leaving.process.terminate()
        calls.until(latest_by(left), "calls do not spill over")
        require(not calls.failures, f"calls failed: {calls.failures}")
    leaving.process.wait(SERVER_PATIENCE)
    leaving.start()

    del policy["zone"]
    policy["min_ready"] = 0
    faulty = f"--lb_config={json.dumps([{'zone_spillover': policy}])}"
    rejected = greet(client, servers, *arguments[:-1], faulty)
    require(not rejected.order, f"a config with errors was accepted: {rejected.answered}")


def main():
    server, linked, client, library = sys.argv[1:]
    with serving(server, *ZONES) as servers:
        check(linked, servers)
        check(client, servers, f"--plugins={library}")


if __name__ == "__main__":
    main()
