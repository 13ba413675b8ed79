"""zone_spillover against real servers, linked and loaded.

Usage: test.py <greeter_server> <zone_spillover_client> <greeter_client> <the library zone_spillover>
"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "testing"))
from greeters import SERVER_PATIENCE, Greeting, greet, require, serving  # noqa: E402

ZONES = {"here-1": "here", "here-2": "here", "there-1": "there", "there-2": "there"}
HERE = {"here-1", "here-2"}
TAIL = 100  # calls by which one sees where they go
STAY = 1000  # calls for which it stays so


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

        calls.until(latest_by(HERE), "calls do not come to their zone alone")
        settled = len(calls.order)
        calls.until(lambda: len(calls.order) == settled + STAY, "calls stop")
        require(set(calls.order[settled:]) == HERE, "calls left their zone")

        # One of the two here leaves under load: no call fails, and the others share them.
        leaving.process.terminate()
        calls.until(latest_by(left), "calls do not spill over")
        require(not calls.failures, f"calls failed: {calls.failures}")
    leaving.process.wait(SERVER_PATIENCE)
    leaving.start()

    del policy["zone"]
    policy["min_ready"] = 0
    faulty = f"--lb_config={json.dumps([{'zone_spillover': policy}])}"
    rejected = greet(client, servers, *arguments[:-1], faulty)
    require(not rejected.order, f"a faulty config was taken: {rejected.answered}")


def main():
    server, linked, client, library = sys.argv[1:]
    with serving(server, *ZONES) as servers:
        check(linked, servers)
        check(client, servers, f"--plugins={library}")


if __name__ == "__main__":
    main()
