"""Makes a table of what steer_pick_bench measured: Steer's picker beside gRPC's.

Usage: table.py RESULTS.json GRPC_VERSION

Must not know how the numbers came about; a repetition's CPU time per pick is all that it uses.
"""

import collections
import json
import pathlib
import statistics
import sys

OURS, THEIRS = "steer_round_robin", "round_robin"
WAYS = {
    "alone": "1 thread",
    "together": "2 threads, one picker, no lock",
    "locked": "2 threads, the channel's mutex",
}
# What issue "Speed" asks of one thread.
BAR = 1.05


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def table(results, grpc_version):
    times = collections.defaultdict(list)
    for run in results["benchmarks"]:
        if run["run_type"] == "iteration":
            policy, backends, way = run["name"].split("/")[:3]
            times[int(backends), way, policy].append(run["cpu_time"])
    repetitions = min(len(runs) for runs in times.values())
    context = results["context"]
    lines = [
        f"gRPC {grpc_version}, {processor()}, {context['num_cpus']} CPUs, load {context['load_avg'][0]:.1f},"
        f" {context['date'][:10]}. CPU time per pick in ns, best / median of {repetitions} repetitions in random order; with"
        " 2 threads the median alone, for the best is when they happened not to meet.",
        "",
        f"| backends | how | `{THEIRS}` | `{OURS}` | ratio |",
        "|---:|---|---:|---:|---:|",
    ]
    over = []
    for way, words in WAYS.items():
        for backends in sorted({key[0] for key in times}):
            theirs, ours = (times[backends, way, policy] for policy in (THEIRS, OURS))
            measures = (min, statistics.median) if way == "alone" else (statistics.median,)
            columns = [[measure(runs) for measure in measures] for runs in (theirs, ours)]
            ratios = [our / their for their, our in zip(*columns)]
            cells = [" / ".join(f"{time:.1f}" for time in column) for column in columns]
            cells.append(" / ".join(f"{ratio:.2f}" for ratio in ratios))
            lines.append(f"| {backends:,} | {words} | {' | '.join(cells)} |")
            if way == "alone" and ratios[0] > BAR:
                over.append(backends)
    return lines, over


def main():
    results_file, grpc_version = sys.argv[1:]
    with open(results_file, encoding="utf-8") as file:
        lines, over = table(json.load(file), grpc_version)
    print("\n".join(lines))
    for backends in over:
        print(f"over the bar of {BAR} at one thread: {backends:,} backends", file=sys.stderr)


main()
