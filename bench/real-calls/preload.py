"""Preloads Steer into gain_plain_client, a client that was built without it: for script/demo and
script/report --envoy.

Must not depend on: which policies take over, what is measured.
"""

import pathlib
import subprocess
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "testing"))
from greeters import Failed, require, started, stopped  # noqa: E402

LIBRARY = "libsteer-grpc-autoregister.so"


def variables(build, take_over):
    """Returns what the client's environment needs, beside what it has. `take_over` is what
    STEER_TAKE_OVER says."""
    return {"LD_PRELOAD": str((build / LIBRARY).resolve()), "STEER_TAKE_OVER": take_over}


def said_when_loaded(programs, environment):
    """Returns what Steer writes to gRPC's log in a client that ends at once."""
    command = [programs / "gain_plain_client", "--seconds=0", "--target=ipv4:127.0.0.1:1"]
    client = started(command, {**environment, "GRPC_VERBOSITY": "INFO"}, stderr=subprocess.PIPE)
    try:
        for line in client.stderr:
            if "steer::Register" in line:
                return line[line.index("steer::Register") :].strip()
    finally:
        stopped(client)
    raise Failed("the preloaded library did not say that it is there")


def takes_over(said):
    """Returns whether the name is taken over, by what said_when_loaded() returned. gRPC up to 1.49
    has no way to do that. Fails for any other reason."""
    if "took over" in said:
        return True
    require("gRPC up to 1.49" in said, f"the name is not taken over: {said}")
    return False
