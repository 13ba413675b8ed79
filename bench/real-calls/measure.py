"""Measures every scenario with every policy, one after another, and writes the results to a file.

Usage: measure.py <directory of gain_server and gain_client> <results.json>

Must not depend on: how the results are used.
"""

import dataclasses
import json
import os
import pathlib
import signal
import sys

from fleet import ODD, SCENARIOS, measure
from greeters import Failed

# With their default configs.
POLICIES = (
    "round_robin",
    "steer_round_robin",
    "steer_least_request",
    "steer_peak_ewma",
    "steer_weighted_round_robin",
)
# Long enough for all policies to learn: weighted round robin ignores reports for 10 s.
WARM_UP = 20
SECONDS = 30
# At least 99 % of the calls must begin at most this late. Otherwise the machine was too busy, and
# the latencies say nothing about the policy.
LATE_MS = 5
TRIES = 3


def measured(programs, scenario, policy):
    for _ in range(TRIES):
        outcomes = measure(programs, scenario, {policy: {}}, WARM_UP, SECONDS)
        times, late = outcomes.latency_ms, outcomes.late_ms["p99"]
        print(
            f"{scenario.key} {policy:<26}  p50 {times['p50']:6.1f}  p99 {times['p99']:6.1f}"
            f"  errors {outcomes.errors:6.2%}  {ODD} {outcomes.share(ODD):6.2%}  late {late:4.1f}",
            flush=True,
        )
        if late <= LATE_MS:
            return outcomes
        print("  the machine was too busy; trying again", flush=True)
    raise Failed(f"calls began {late} ms late in each of {TRIES} tries: the machine is too busy")


def main():
    programs, results_file = map(pathlib.Path, sys.argv[1:])
    # The signal raises an exception, so that the servers end too.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    results = [
        {"scenario": scenario.key, "policy": policy}
        | dataclasses.asdict(measured(programs, scenario, policy))
        for scenario in SCENARIOS
        for policy in POLICIES
    ]
    real_time = os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR)
    run = {"warm_up": WARM_UP, "seconds": SECONDS, "real_time": real_time, "results": results}
    results_file.write_text(json.dumps(run), encoding="utf-8")


if __name__ == "__main__":
    main()
