"""Reads the results of measure.py. Must not depend on: how they are used."""

import datetime
import json
import os
import pathlib

from fleet import Outcomes


def read(results_file):
    """Returns the outcomes by the scenario's name and the policy, in the order in which they were
    measured, and the facts of the run."""
    run = json.loads(pathlib.Path(results_file).read_text(encoding="utf-8"))
    outcomes = {}
    for result in run.pop("results"):
        key = result.pop("scenario"), result.pop("policy")
        del result["seconds"]
        outcomes[key] = Outcomes(**result)
    return outcomes, run


def conditions(results_file, run):
    """Returns where and when results were measured, in words, by their file and its facts."""
    measured = datetime.date.fromtimestamp(pathlib.Path(results_file).stat().st_mtime)
    priority = ", with real-time priority" if run["real_time"] else ""
    return f"{_processor()}, {os.cpu_count()} CPUs, {measured}{priority}"


def _processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"
