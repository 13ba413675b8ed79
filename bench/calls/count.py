#!/usr/bin/env python3
"""Counts the instructions of a call of each policy, with callgrind.

Usage: count.py            prints the table
       count.py --check    fails if a count is more than 5 % above or below that of counts.json
       count.py --write    writes counts.json, and the table into docs/bench.md

A call is a pick, a start, a finish and the end of the tracker: main.rs. Instructions, unlike times,
are the same on a busy machine. They depend on the compiler and on where the clock's time comes
from, so --check needs the same minor version of Rust, and a kernel that uses the cycle counter. It
ends with status 75 and the reason if this machine cannot count.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
REPO = HERE.parent.parent
COUNTS = HERE / "counts.json"
CLOCK = pathlib.Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
TOLERANCE = 0.05
BACKENDS, CALLS = 10, 2000
CANNOT = 75
# Name, policy, config, environment, and the greatest number of instructions.
CASES = [
    ("`steer_round_robin`", "steer_round_robin", {}, {}, None),
    ("`steer_random`", "steer_random", {}, {}, None),
    ("`steer_maglev`", "steer_maglev", {}, {}, None),
    ("`steer_weighted_round_robin`", "steer_weighted_round_robin", {}, {}, 180),
    ("`steer_least_request`", "steer_least_request", {}, {}, 220),
    (
        "`steer_least_request`, `failureAware: false`",
        "steer_least_request",
        {"failureAware": False},
        {},
        None,
    ),
    ("`steer_peak_ewma`", "steer_peak_ewma", {}, {}, 320),
    ("`steer_prequal`", "steer_prequal", {}, {}, None),
    ("`steer_maglev`, `hashBalanceFactor`", "steer_maglev", {"hashBalanceFactor": 125}, {}, None),
    (
        "`steer_least_request` below `steer_subset`",
        "steer_subset",
        {"childPolicy": [{"steer_least_request": {}}]},
        {},
        None,
    ),
    (
        "`steer_round_robin`, `STEER_STATS=calls`",
        "steer_round_robin",
        {},
        {"STEER_STATS": "calls"},
        None,
    ),
]


def cannot(why):
    print(f"instructions were not counted: {why}")
    sys.exit(CANNOT)


def rust_version():
    version = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True)
    return re.search(r"\d+\.\d+", version.stdout)[0]


def check_machine():
    if shutil.which("valgrind") is None:
        cannot("there is no valgrind (script/bootstrap test installs it)")
    if not CLOCK.exists() or CLOCK.read_text().strip() != "tsc":
        cannot("this kernel's clock is not the cycle counter")


def build():
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", REPO / "target"))
    environment = os.environ | {"CARGO_TARGET_DIR": str(target)}
    command = ["cargo", "build", "--locked", "--quiet", "--release"]
    subprocess.run(command, check=True, cwd=HERE, env=environment)
    return target / "release/calls-bench"


def count(program, policy, config, environment):
    """Returns the instructions of a call, on average."""
    with tempfile.TemporaryDirectory() as directory:
        command = ["valgrind", "--tool=callgrind", "--toggle-collect=*one_call*"]
        command += [f"--callgrind-out-file={directory}/out", str(program), policy]
        command += [json.dumps(config), str(BACKENDS), str(CALLS)]
        # Otherwise the caller's environment would decide what is counted.
        clean = {name: value for name, value in os.environ.items() if name != "STEER_STATS"}
        run = subprocess.run(command, env=clean | environment, capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"callgrind failed with {policy}:\n{run.stderr}")
    return round(int(re.search(r"Collected *: *(\d+)", run.stderr)[1]) / CALLS)


def table(counts, rust):
    lines = [
        f"Instructions of a call with {BACKENDS} backends, by callgrind, Rust {rust}.",
        "",
        "| policy | instructions | limit |",
        "|---|---:|---:|",
    ]
    for name, _, _, _, limit in CASES:
        cell = "–"
        if limit is not None:
            cell = f"≤ {limit}" + ("" if counts[name] <= limit else ", not met")
        lines.append(f"| {name} | {counts[name]:,} | {cell} |")
    return "\n".join(lines)


def differences(counts, rust):
    """Returns what is to be said of the counts that are not those of counts.json."""
    known = json.loads(COUNTS.read_text(encoding="utf-8"))
    if known["rust"] != rust:
        cannot(f"counts.json is of Rust {known['rust']}, and this is {rust}")
    expected = known["instructions"]
    if expected.keys() != counts.keys():
        return ["counts.json has other cases: run bench/calls/count.py --write"]
    return [
        f"{name}: {count} instructions, and {expected[name]} in counts.json"
        for name, count in counts.items()
        if abs(count - expected[name]) > TOLERANCE * expected[name]
    ]


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    if len(sys.argv) > 2 or mode not in ("", "--check", "--write"):
        sys.exit(__doc__)
    check_machine()
    rust = rust_version()
    program = build()
    counts = {name: count(program, *case) for name, *case, _ in CASES}
    text = table(counts, rust)
    print(text)
    if mode == "--check":
        wrong = differences(counts, rust)
        print("\n".join(wrong))
        print(f"{len(counts) - len(wrong)} passed, {len(wrong)} failed")
        sys.exit(bool(wrong))
    if mode == "--write":
        known = {"rust": rust, "instructions": counts}
        COUNTS.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")
        with tempfile.NamedTemporaryFile("w", suffix=".md", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            writer = REPO / "script/write_measured.py"
            page = REPO / "docs/bench.md"
            command = [sys.executable, str(writer), str(page), "instructions", file.name]
            subprocess.run(command, check=True)


main()
