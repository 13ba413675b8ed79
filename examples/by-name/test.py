"""Tests by_name with real servers, linked and as a plugin.

Usage: test.py <greeter_server> <by_name_client> <greeter_client> <the library by_name>
"""

import json
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "testing"))
from greeters import greet, require, serving  # noqa: E402

CALLS = 50
UNKNOWN = "no READY backend has the name that the call asks for"


def check(client, servers, *arguments):
    names = {server.name: f"ipv4:{server.address}" for server in servers}
    config = json.dumps([{"by_name": {"names": names}}])
    arguments = [*arguments, f"--lb_config={config}", f"--warm_up={len(servers)}"]

    anywhere = greet(client, servers, *arguments, f"--calls={CALLS}")
    require(set(anywhere.answered) == set(names), f"calls without a name went to {anywhere}")

    # A call that waits for ready waits until the named backend is READY.
    arguments[-1] = "--wait_for_ready"
    for name in names:
        named = greet(client, servers, *arguments, f"--calls={CALLS}", f"--headers=to={name}")
        require(named.answered == {name: CALLS}, f"calls to {name} went to {named}")

    arguments.pop()
    unknown = greet(client, servers, *arguments, "--calls=1", "--headers=to=nobody")
    require(len(unknown.failures) == 1 and UNKNOWN in unknown.failures[0], f"to nobody: {unknown}")

    faulty = '--lb_config=[{"by_name": {"header": 3, "names": {"red": 5}}}]'
    rejected = greet(client, servers, "--calls=1", *arguments[:-1], faulty)
    require(not rejected.answered, f"a config with errors was accepted: {rejected}")


def main():
    server, linked, client, library = sys.argv[1:]
    with serving(server, "red", "green", "blue") as servers:
        check(linked, servers)
        check(client, servers, f"--plugins={library}")


if __name__ == "__main__":
    main()
