"""Puts the simulator beside measurements with real processes: tables for docs/simulator.md.

Usage: model.py why STEER_SIM                    the scenarios of docs/why.md, as measured there
       model.py more STEER_SIM                   those of more.json, as measured
       model.py keep RESULTS.json GRPC_VERSION   makes more.json of measure.py's results

STEER_SIM is the program. It simulates each scenario with several seeds, and the tables have the
mean. Status 1 if the model is too far from a measurement of docs/why.md.

Must not depend on: how scenarios are simulated, how they were measured.
"""

import collections
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from fleet import Outcomes

HERE = pathlib.Path(__file__).resolve().parent
PAGE = HERE.parents[1] / "docs" / "why.md"
MORE = HERE / "more.json"
SEEDS = 10
# The model may differ so much: latencies by a share of the measured one, shares by points.
LATENCY, SHARE = 0.15, 0.02
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
KEYS = (*QUANTILES, "errors", "share")
HEAD = """\
| scenario | policy | p50 ms | p95 ms | p99 ms | errors | calls to the fourth server |
|---|---|---:|---:|---:|---:|---:|"""


def simulated(program, scenario, duration=None):
    """Returns the means of the numbers of a scenario, by policy."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder, "outcomes.json")
        command = [program, "run", scenario, f"--seeds={SEEDS}", f"--json={file}"]
        if duration:
            command.append(f"--duration={duration}s")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        outcomes = json.loads(file.read_text(encoding="utf-8"))
    of_policies = collections.defaultdict(list)
    for outcome in outcomes:
        of_policies[outcome["policy"]].append(numbers_of(outcome))
    mean = {
        policy: {key: sum(run[key] for run in runs) / len(runs) for key in KEYS}
        for policy, runs in of_policies.items()
    }
    # gRPC's policy of this name does the same.
    return {"round_robin": mean.get("steer_round_robin"), **mean}


def numbers_of(outcome):
    latencies = {round(quantile, 6): s * 1000 for quantile, s in outcome["latency"]["quantiles"]}
    times = {name: latencies[quantile] for name, quantile in QUANTILES.items()}
    return times | {"errors": outcome["errors"], "share": outcome["servers"][-1]["share"]}


def measured_on_page():
    """Yields the title of each table of docs/why.md, and its rows: numbers by policy."""
    page = PAGE.read_text(encoding="utf-8")
    tables = re.findall(r"^\*\*(.+)\*\*, .* calls per second\n\n((?:\|.*\n)+)", page, re.M)
    for title, table in tables:
        rows = {}
        for line in table.splitlines()[2:]:
            policy, p50, p95, p99, _, errors, share = line.replace(",", "").split("|")[1:-1]
            times = {"p50": float(p50), "p95": float(p95), "p99": float(p99)}
            shares = {"errors": percent(errors), "share": percent(share)}
            rows[policy.strip(" `")] = times | shares
        yield title, rows


def percent(text):
    return float(text.strip(" %")) / 100


def near(key, model, measured):
    if key in QUANTILES:
        return abs(model - measured) <= LATENCY * measured
    return abs(model - measured) <= SHARE


def cell(key, model, measured):
    """Returns both values, in bold if they are too far from each other."""
    form = "{:,.1f}" if key in QUANTILES else "{:.2%}"
    text = f"{form.format(model)} / {form.format(measured)}"
    return text if near(key, model, measured) else f"**{text}**"


def rows_of(title, model, measured):
    """Returns the rows of a table, and how many of their values are near."""
    lines, good, all_values = [], 0, 0
    for policy, theirs in measured.items():
        ours = model[policy]
        cells = [cell(key, ours[key], theirs[key]) for key in KEYS]
        lines.append(f"| {title} | `{policy}` | {' | '.join(cells)} |")
        good += sum(near(key, ours[key], theirs[key]) for key in KEYS)
        all_values += len(KEYS)
    return lines, good, all_values


def print_table(tables):
    """Prints a table, and returns whether all values are near. `tables` has the title, the model's
    numbers and the measured ones of each scenario."""
    lines, good, all_values = [HEAD], 0, 0
    for title, model, measured in tables:
        rows, near_here, here = rows_of(title, model, measured)
        lines += rows
        good, all_values = good + near_here, all_values + here
    print(
        f"Model / measured. The model is the mean of {SEEDS} seeds. {good} of {all_values} values"
        f" are near: latencies within {LATENCY:.0%}, errors and shares within {SHARE * 100:.0f}"
        " points. The others are bold.\n"
    )
    print("\n".join(lines))
    return good == all_values


def beside_page(program):
    names = ("all_alike", "one_slow", "one_failing")
    tables = [
        (title, simulated(program, name), measured)
        for name, (title, measured) in zip(names, measured_on_page(), strict=True)
    ]
    return print_table(tables)


def beside_more(program):
    more = json.loads(MORE.read_text(encoding="utf-8"))
    print(f"{more['facts']}\n")
    tables = []
    for name, scenario in more["scenarios"].items():
        own = HERE / f"{name}.toml"
        model = simulated(program, str(own) if own.exists() else name, scenario["seconds"])
        title = f"`{name}`, {scenario['seconds']:.0f} s"
        tables.append((title, model, scenario["policies"]))
    print_table(tables)


def keep(results_file, grpc_version):
    """Writes the numbers of more.json."""
    run = json.loads(pathlib.Path(results_file).read_text(encoding="utf-8"))
    measured = datetime.date.fromtimestamp(pathlib.Path(results_file).stat().st_mtime)
    late = max(result["late_ms"]["p99"] for result in run["results"])
    scenarios = {}
    for result in run["results"]:
        scenario = scenarios.setdefault(
            result["scenario"], {"seconds": result["seconds"], "policies": {}}
        )
        scenario["policies"][result["policy"]] = result_numbers(result)
    facts = (
        f"gRPC {grpc_version}, {os.cpu_count()} CPUs, {measured}. In each run, 99 % of the calls"
        f" began within {late:.1f} ms of their time."
    )
    text = json.dumps({"facts": facts, "scenarios": scenarios}, indent=1)
    MORE.write_text(f"{text}\n", encoding="utf-8")


def result_numbers(result):
    facts = ("scenario", "policy", "seconds")
    outcomes = Outcomes(**{key: value for key, value in result.items() if key not in facts})
    times = {name: round(outcomes.latency_ms[name], 2) for name in QUANTILES}
    last = list(outcomes.calls_of)[-1]
    shares = {"errors": round(outcomes.errors, 5), "share": round(outcomes.share(last), 5)}
    return times | shares


def main():
    match sys.argv[1:]:
        case ["why", program]:
            sys.exit(not beside_page(program))
        case ["more", program]:
            beside_more(program)
        case ["keep", results_file, grpc_version]:
            keep(results_file, grpc_version)
        case _:
            sys.exit(__doc__)


main()
