"""What measure.py has kept, read again. Must not know: what is made of it."""

import json
import pathlib

from fleet import Outcomes


def read(results_file):
    """Outcomes by scenario's key and policy, in the order in which they were measured, and the run's own facts."""
    run = json.loads(pathlib.Path(results_file).read_text(encoding="utf-8"))
    outcomes = {}
    for result in run.pop("results"):
        key = result.pop("scenario"), result.pop("policy")
        outcomes[key] = Outcomes(**result)
    return outcomes, run
