"""Measures scenarios with policies, one after another, and writes the results to a file.

Usage: measure.py PROGRAMS RESULTS.json [SCENARIO[=SECONDS]...]

PROGRAMS is the directory of gain_server and gain_client. Without scenarios it measures those of
docs/why.md. SCENARIO is the name of one that comes with the simulator, or a file. With SECONDS, it
ends so long after its start. All others are measured to their end.

Must not depend on: how the results are used.
"""

import dataclasses
import json
import os
import pathlib
import signal
import sys

import scenario
from fleet import SCENARIOS, measure
from greeters import Failed

# At least 99 % of the calls must begin at most this late. Otherwise the machine was too busy, and
# the latencies say nothing about the policy.
LATE_MS = 5
TRIES = 3


def policies_of(fleet):
    """Returns the configs of the policies, by their names: the scenario's, and gRPC's round robin
    and Prequal for the scenarios of docs/why.md."""
    if fleet.name in [of_page.name for of_page in SCENARIOS]:
        return {"round_robin": {}, **fleet.policies, "steer_prequal": {}}
    return fleet.policies


def on_time(attempt, words, last):
    """Calls `attempt`, which measures and returns outcomes, again if the machine was too busy.
    Prints the outcomes after `words`. `last` is the name of the last server."""
    for _ in range(TRIES):
        outcomes = attempt()
        times, late = outcomes.latency_ms, outcomes.late_ms["p99"]
        print(
            f"{words}  p50 {times['p50']:6.1f}  p99 {times['p99']:6.1f}"
            f"  errors {outcomes.errors:6.2%}  {last} {outcomes.share(last):6.2%}"
            f"  late {late:4.1f}",
            flush=True,
        )
        if late <= LATE_MS:
            return outcomes
        print("  the machine was too busy; trying again", flush=True)
    raise Failed(f"calls began {late} ms late in each of {TRIES} tries: the machine is too busy")


def measured(programs, fleet, policy, config):
    """Measures a scenario with a policy."""
    words, last = f"{fleet.name} {policy:<26}", fleet.servers[-1].name
    return on_time(lambda: measure(programs, fleet, {policy: config}), words, last)


def has_priority():
    """Returns whether this process, and so all that it starts, has real-time priority."""
    return os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR)


def end_with_servers():
    """Makes SIGTERM an exception, so that the servers end too."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def named(argument):
    name, _, seconds = argument.partition("=")
    fleet = scenario.read(name)
    return dataclasses.replace(fleet, duration=float(seconds)) if seconds else fleet


def main():
    programs, results_file = map(pathlib.Path, sys.argv[1:3])
    try:
        fleets = [named(argument) for argument in sys.argv[3:]] or SCENARIOS
    except scenario.Unrunnable as reasons:
        sys.exit(str(reasons))
    end_with_servers()
    results = [
        {"scenario": fleet.name, "policy": policy, "seconds": fleet.duration}
        | dataclasses.asdict(measured(programs, fleet, policy, config))
        for fleet in fleets
        for policy, config in policies_of(fleet).items()
    ]
    run = {"real_time": has_priority(), "results": results}
    results_file.write_text(json.dumps(run), encoding="utf-8")


if __name__ == "__main__":
    main()
