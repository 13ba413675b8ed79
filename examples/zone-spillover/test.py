"""zone_spillover against real servers, linked and loaded.

Usage: test.py <greeter_server> <zone_spillover_client> <greeter_client> <the library zone_spillover>
"""

import concurrent.futures
import json
import pathlib
import sys
import time

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "testing"))
from greeters import greet, require, serving  # noqa: E402

ZONES = {"here-1": "here", "here-2": "here", "there-1": "there", "there-2": "there"}
HERE = {"here-1", "here-2"}
TAIL = 100  # calls at the end, when all that can be connected is


def check(client, servers, *arguments):
    policy = {
        "zone": "here",
        "min_ready": 2,
        "zones": {f"ipv4:{server.address}": ZONES[server.name] for server in servers},
    }
    arguments = [*arguments, f"--lb_config={json.dumps([{'zone_spillover': policy}])}"]

    at_home = greet(client, servers, *arguments, "--calls=1000")
    require(not at_home.failures, f"calls failed: {at_home.failures}")
    require(set(at_home.order[-TAIL:]) == HERE, f"calls left their zone: {at_home.answered}")

    # One of the two here leaves under load: no call fails, and the others share them.
    leaving = servers[0]
    with concurrent.futures.ThreadPoolExecutor() as executor:
        calls = executor.submit(greet, client, servers, *arguments, "--calls=0", "--seconds=4")
        time.sleep(1)
        leaving.process.terminate()
        spilled = calls.result()
    leaving.process.wait(20)
    leaving.start()
    require(not spilled.failures, f"calls failed: {spilled.failures}")
    left = set(ZONES) - {leaving.name}
    require(set(spilled.order[-TAIL:]) == left, f"calls did not spill over: {spilled.answered}")

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
