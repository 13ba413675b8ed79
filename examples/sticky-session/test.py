"""Tests sticky_session with real servers, linked and as a plugin: sessions stick to their servers,
and only those of a server that has left move.

Usage: test.py <greeter_server> <sticky_session_client> <greeter_client> <sticky_session_plugin>
"""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "testing"))
from greeters import greet, require, serving, stopped  # noqa: E402

CONFIG = '[{"sticky_session": {"header": "session-id"}}]'
SESSIONS = [f"session-{number}" for number in range(8)]
CALLS = 100


def server_of(greet_with, servers, running, session):
    """Returns the server that gets all calls of a session, when the running servers are
    connected."""
    connected = f"--warm_up={running}"
    run = greet_with(servers, f"--headers=session-id={session}", connected, f"--calls={CALLS}")
    require(run.code == 0, f"{session}: the client ended with {run.code}")
    require(len(run.answered) == 1, f"{session} does not stick: {run.answered}")
    return run.order[0]


def check(program, client, *arguments):
    def greet_with(servers, *more):
        return greet(client, servers, f"--lb_config={CONFIG}", *arguments, *more)

    with serving(program, "red", "green", "blue") as servers:
        anywhere = greet_with(servers, "--warm_up=3", "--calls=60")
        require(len(anywhere.answered) == 3, f"calls without a session: {anywhere}")

        before = {session: server_of(greet_with, servers, 3, session) for session in SESSIONS}
        require(len(set(before.values())) > 1, f"all sessions at one server: {before}")

        gone = next(server for server in servers if server.name == before[SESSIONS[0]])
        stopped(gone.process)
        for session, server in before.items():
            after = server_of(greet_with, servers, 2, session)
            moved = after != server
            require(moved == (server == gone.name), f"{session} of {server} is at {after} now")


def main():
    program, linked, client, library = sys.argv[1:]
    check(program, linked)
    check(program, client, f"--plugins={library}")


if __name__ == "__main__":
    main()
