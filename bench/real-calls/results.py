"""Reads the results of measure.py. Must not depend on: how they are used."""

import json
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
