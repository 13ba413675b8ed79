"""Tests not_last_attempt with real servers, two of which answer UNAVAILABLE.

Usage: test.py <greeter_server> <not_last_attempt_client>
"""

import contextlib
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "testing"))
from greeters import Server, greet, require  # noqa: E402

CONFIG = '[{"not_last_attempt": {"idHeader": "request-id"}}]'
CALLS = 300


def main():
    program, client = sys.argv[1:]
    with contextlib.ExitStack() as cleanup:
        servers = [
            Server(program, "red", cleanup, "--unavailable"),
            Server(program, "green", cleanup),
            Server(program, "blue", cleanup, "--unavailable"),
        ]
        arguments = [f"--lb_config={CONFIG}", f"--calls={CALLS}", "--retries=2", "--warm_up=1"]

        # Two retries reach every server, so each call reaches the one that serves.
        known = greet(client, servers, *arguments, "--headers=request-id=1")
        answered = known.answered
        require(answered == {"green": CALLS}, f"not all calls were answered: {answered}")
        require(known.code == 0, f"the client ended with {known.code}")

        # Without an id, retries may repeat a backend. Three calls in ten never reach the server.
        unknown = greet(client, servers, *arguments)
        lost = CALLS - unknown.answered["green"]
        require(CALLS / 10 < lost < CALLS / 2, f"{lost} calls of {CALLS} without an id failed")


if __name__ == "__main__":
    main()
