#!/usr/bin/env python3
"""Sessions stick to their servers, over real ones; and move only when their server has gone.

    test.py <greeter_server> <client> [arguments of the client]
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "testing"))
from greeters import greet, require, serving, stopped  # noqa: E402

CONFIG = '[{"sticky_session": {"header": "session-id"}}]'
SESSIONS = [f"session-{number}" for number in range(12)]


def server_of(client, servers, session, *arguments):
    """The server that a session's calls come to, and stay at, once all servers are connected."""
    run = greet(client, servers, f"--lb_config={CONFIG}", f"--headers=session-id={session}", "--calls=1000",
                *arguments)
    require(run.code == 0, f"{session}: the client ended with {run.code}")
    # A session's own server may be connected after others: it is then the last to answer at first.
    own = list(run.answered)[-1]
    require(run.answered[own] > 500, f"{session} does not stick: {run.answered}")
    return own


def main(server, client, *arguments):
    with serving(server, "red", "green", "blue") as servers:
        run = greet(client, servers, f"--lb_config={CONFIG}", "--warm_up=3", "--calls=30",
                    *arguments)
        require(run.code == 0, f"without a session: the client ended with {run.code}")
        require(len(run.answered) == 3, f"without a session, calls go anywhere: {run.answered}")

        before = {}
        for session in SESSIONS:
            before[session] = server_of(client, servers, session, *arguments)
        require(len(set(before.values())) > 1, f"all sessions on one server: {before}")

        gone = next(server for server in servers if server.name == before[SESSIONS[0]])
        stopped(gone.process)
        for session in SESSIONS:
            after = server_of(client, servers, session, *arguments)
            if before[session] == gone.name:
                require(after != gone.name, f"{session} went to a server that has gone")
            else:
                require(after == before[session], f"{session} moved from {before[session]} to {after}")
    print("sessions stick")


if __name__ == "__main__":
    main(*sys.argv[1:])
