"""Makes tables of measure.py's results, and says which limits are met. Status 1 if one is not met.

Usage: report.py RESULTS.json GRPC_VERSION

Must not depend on: how the results were measured.
"""

import sys

import limits
import results
from fleet import ODD, SCENARIOS, SLOW


def table(outcomes, scenario):
    lines = [
        f"**{scenario.title}**, {scenario.rate:,.0f} calls per second",
        "",
        "| policy | p50 ms | p95 ms | p99 ms | p99.9 ms | errors | calls to the fourth server |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for (name, policy), measured in outcomes.items():
        if name != scenario.name:
            continue
        times = [f"{measured.latency_ms[q]:,.1f}" for q in ("p50", "p95", "p99", "p99.9")]
        shares = [f"{measured.errors:.2%}", f"{measured.share(ODD):.2%}"]
        lines.append(f"| `{policy}` | {' | '.join(times + shares)} |")
    return lines


def verdicts(outcomes):
    met = []
    lines = ["| measure | result | limit | |", "|---|---:|---:|---|"]
    for words, measured, allowed in limits.FULL.judge(outcomes):
        met.append(measured <= allowed)
        verdict = "met" if met[-1] else "**not met**"
        lines.append(f"| {words} | {measured:.3f} | {allowed:.3f} | {verdict} |")
    return lines, all(met)


def main():
    results_file, grpc_version = sys.argv[1:]
    outcomes, run = results.read(results_file)
    late = max(o.late_ms["p99"] for o in outcomes.values())
    counted = SLOW.duration - SLOW.warm_up
    lines = [
        f"gRPC {grpc_version}, {results.conditions(results_file, run)}."
        f" {SLOW.warm_up:.0f} s of warm-up, then {counted:.0f} s that count. In each run, 99 % of"
        f" the calls began within {late:.1f} ms of their time.",
        "",
    ]
    for scenario in SCENARIOS:
        lines += [*table(outcomes, scenario), ""]
    judged, met = verdicts(outcomes)
    print("\n".join(lines + judged))
    if not met:
        print("a limit is not met", file=sys.stderr)
        sys.exit(1)


main()
