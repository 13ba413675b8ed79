"""Makes a table of the results of steer_pick_bench, steer_policies_bench or steer_control_bench.

Usage: table.py round_robin|custom|policies|control_plane RESULTS.json GRPC_VERSION

`round_robin`: Steer's and gRPC's, with one thread and with two. `custom`: custom pickers, compared
with both. `policies`: all policies of Steer, compared with gRPC's own if it has the policy.
`control_plane`: the cost of updates and reports.

Must not depend on: how the results were measured. Uses only the CPU time of each repetition.
"""

import collections
import json
import pathlib
import statistics
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent / "updates"))
import control_results  # noqa: E402

OURS, THEIRS = "steer_round_robin", "round_robin"
WAYS = {
    "alone": "1 thread",
    "together": "2 threads, one picker, no lock",
    "locked": "2 threads, the channel's mutex",
}
# The greatest ratio of Steer's time to gRPC's, with one thread.
LIMIT = 1.05
# Custom pickers, and the time in ns that they may take more than Steer's round robin.
CUSTOM = {"bench_c": "C, linked", "bench_c_loaded": "C, loaded", "bench_rust": "Rust, linked"}
CUSTOM_LIMIT = 3.0
POLICY_WAYS = {
    "alone": "1 thread",
    "finished": "1 thread, to the call's end",
    "together": "2 threads, one picker",
}
ALL = (3, 100, 1000)
# The limits of policies: Steer's policy, the policy to compare with or None, how it is measured,
# the numbers of backends, and the greatest ratio, or the greatest time in ns if there is no other
# policy.
POLICY_LIMITS = [
    ("steer_weighted_round_robin", "weighted_round_robin", "alone", (100, 1000), 0.5),
    ("steer_weighted_round_robin", "weighted_round_robin", "together", (100, 1000), 0.5),
    ("steer_weighted_round_robin, 1 of 10 READY", None, "alone", (2000,), 200.0),
    ("steer_ring_hash", "ring_hash_experimental", "alone", (1000,), 0.6),
    ("steer_maglev", OURS, "alone", ALL, 2.0),
    ("steer_least_request", OURS, "alone", ALL, 2.0),
    ("steer_peak_ewma", None, "finished", ALL, 150.0),
]
# The limits of the control plane at CONTROL_SIZE backends: operation, Steer's policy, and the
# greatest ratio to gRPC's own policy.
CONTROL_SIZE = 10000
CONTROL_LIMITS = [
    ("ready", "steer_round_robin", 0.05),
    ("ready", "steer_weighted_round_robin", 0.01),
    ("repeat", "steer_round_robin", 0.1),
    ("repeat", "steer_weighted_round_robin", 0.1),
    ("repeat", "steer_ring_hash", 0.1),
    ("repeat_all", "steer_round_robin", 0.1),
    ("repeat_all", "steer_weighted_round_robin", 0.1),
    ("repeat_all", "steer_ring_hash", 0.1),
    ("ring", "steer_ring_hash", 0.5),
]
# The greatest ratio of the time with CONTROL_SIZE backends to that with a tenth of them.
CONTROL_GROWTH = 13


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "unknown processor"


def times_of(results):
    times = collections.defaultdict(list)
    for run in results["benchmarks"]:
        if run["run_type"] == "iteration":
            policy, backends, way = run["name"].split("/")[:3]
            times[int(backends), way, policy].append(run["cpu_time"])
    return times


def conditions(results, times, grpc_version):
    repetitions = min(len(runs) for runs in times.values())
    return (
        f"{machine(results, grpc_version)} CPU time per pick in ns, best / median of {repetitions}"
        " repetitions in random order"
    )


def machine(results, grpc_version):
    context = results["context"]
    load = context["load_avg"][0]
    return (
        f"gRPC {grpc_version}, {processor()}, {context['num_cpus']} CPUs, load {load:.1f},"
        f" {context['date'][:10]}."
    )


def table(results, grpc_version):
    times = times_of(results)
    lines = [
        conditions(results, times, grpc_version)
        + "; with 2 threads only the median, because in the best one the threads did not meet.",
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
            if way == "alone" and ratios[0] > LIMIT:
                over.append(backends)
    lines += ["", *watched(times)]
    return lines, over


def watched(times):
    """Yields the cost of a pick while another thread reads the statistics in a loop."""
    for backends in sorted({key[0] for key in times if key[1] == "watched"}):
        alone, seen = (times[backends, way, OURS] for way in ("alone", "watched"))
        yield (
            f"`{OURS}`, {backends:,} backends, while another thread reads the statistics in a loop:"
            f" {min(seen):.1f} / {statistics.median(seen):.1f} ns instead of"
            f" {min(alone):.1f} / {statistics.median(alone):.1f}.  "
        )


def custom_table(results, grpc_version):
    times = times_of(results)
    custom = {name: words for name, words in CUSTOM.items() if any(key[2] == name for key in times)}
    names = [THEIRS, OURS, *custom]
    heads = [f"`{THEIRS}`", f"`{OURS}`", *custom.values()]
    lines = [
        conditions(results, times, grpc_version) + f"; and the difference to `{OURS}`, best.",
        "",
        f"| backends | {' | '.join(heads)} | difference |",
        "|---:|" + "---:|" * (len(heads) + 1),
    ]
    over = []
    for backends in sorted({key[0] for key in times}):
        runs = {name: times[backends, "alone", name] for name in names}
        cells = [f"{min(runs[name]):.1f} / {statistics.median(runs[name]):.1f}" for name in names]
        more = {name: min(runs[name]) - min(runs[OURS]) for name in custom}
        cells.append(" / ".join(f"{time:+.1f}" for time in more.values()))
        lines.append(f"| {backends:,} | {' | '.join(cells)} |")
        for name, time in more.items():
            if time > CUSTOM_LIMIT:
                over.append(f"{CUSTOM[name]}, {backends:,} backends")
    return lines, over


def policies_table(results, grpc_version):
    times = times_of(results)
    lines = [
        conditions(results, times, grpc_version) + "; with 2 threads only the median.",
        "",
        f"| policy | backends | {' | '.join(POLICY_WAYS.values())} |",
        "|---|---:|" + "---:|" * len(POLICY_WAYS),
    ]
    for policy in dict.fromkeys(key[2] for key in times):
        for backends in sorted({key[0] for key in times if key[2] == policy}):
            cells = []
            for way in POLICY_WAYS:
                runs = times.get((backends, way, policy))
                measures = (statistics.median,) if way == "together" else (min, statistics.median)
                cell = " / ".join(f"{measure(runs):.1f}" for measure in measures) if runs else "–"
                cells.append(cell)
            lines.append(f"| `{policy}` | {backends:,} | {' | '.join(cells)} |")
    lines += ["", "| measure | backends | result | limit |", "|---|---:|---:|---:|"]
    over = []
    for ours, theirs, way, sizes, limit in POLICY_LIMITS:
        measure = statistics.median if way == "together" else min
        for backends in sizes:
            runs = [times.get((backends, way, policy)) for policy in (ours, theirs) if policy]
            if not all(runs):
                continue
            values = [measure(run) for run in runs]
            value = values[0] / values[1] if theirs else values[0]
            unit = "" if theirs else " ns"
            words = f"`{ours}` / `{theirs}`" if theirs else f"`{ours}`"
            verdict = "" if value <= limit else ", not met"
            digits = 2 if theirs else 1
            lines.append(
                f"| {words}, {POLICY_WAYS[way]} | {backends:,} | {value:.{digits}f}{unit} |"
                f" ≤ {limit:g}{unit}{verdict} |"
            )
            if verdict:
                case = f"{words}, {POLICY_WAYS[way]}, {backends:,} backends"
                over.append(f"{case}: {value:.2f}{unit}")
    return lines, over


def milliseconds(nanoseconds):
    """Returns a time with three significant digits."""
    time = nanoseconds / 1e6
    decimals = 0 if time >= 100 else 1 if time >= 10 else 2 if time >= 1 else 3
    return f"{time:,.{decimals}f}"


def growth_of(best, what, policy):
    return best[what, policy, CONTROL_SIZE] / best[what, policy, CONTROL_SIZE // 10]


def churn_table(best):
    """Yields the memory after many lists were replaced."""
    yield "| memory, MB | heap, early | heap, late | resident, early | resident, late |"
    yield "|---|---:|---:|---:|---:|"
    kinds = ("heap_early", "heap_late", "rss_early", "rss_late")
    for what, policy, size in best:
        if what == "heap_early":
            cells = [best[kind, policy, size] / 1e6 for kind in kinds]
            yield f"| `{policy}` | {' | '.join(f'{cell:.2f}' for cell in cells)} |"


def control_table(results, grpc_version):
    best = control_results.best(results)
    names = [run["name"] for run in results["benchmarks"]]
    lives = collections.Counter(name.split("/")[1] for name in names if name.endswith("/first"))
    measured = {policy for _, policy, _ in best}
    sizes = " | ".join(f"{size:,}" for size in control_results.SIZES)
    lines = [
        f"{machine(results, grpc_version)} CPU time in ms, the best of {min(lives.values())} to"
        f" {max(lives.values())} runs, with the policies in turn. *Growth*: the time with"
        f" {CONTROL_SIZE:,} backends / with {CONTROL_SIZE // 10:,}. *Ratio*: to gRPC's own policy"
        f" with {CONTROL_SIZE:,} backends.",
        "",
        f"| operation | policy | {sizes} | growth | ratio |",
        "|---|---|" + "---:|" * (len(control_results.SIZES) + 2),
    ]
    for what, words in control_results.WHATS.items():
        show = "{:,.0f}".format if what == "bytes" else milliseconds
        for policy in control_results.policies():
            if (what, policy, CONTROL_SIZE) not in best:
                continue
            cells = [
                show(best[what, policy, size]) if (what, policy, size) in best else "–"
                for size in control_results.SIZES
            ]
            cells.append("–" if what == "bytes" else f"{growth_of(best, what, policy):.1f}")
            theirs = best.get((what, control_results.PAIRS.get(policy), CONTROL_SIZE))
            cells.append(f"{best[what, policy, CONTROL_SIZE] / theirs:.3f}" if theirs else "–")
            lines.append(f"| {words} | `{policy}` | {' | '.join(cells)} |")
    lines += ["", *churn_table(best)]
    lines += ["", f"| at {CONTROL_SIZE:,} backends | result | limit |", "|---|---:|---:|"]
    over = []

    def judge(words, value, limit):
        verdict = "" if value <= limit else ", not met"
        lines.append(f"| {words} | {value:.3g} | ≤ {limit:g}{verdict} |")
        if verdict:
            over.append(f"{words}: {value:.3g}, and the limit is {limit:g}")

    for what, ours, limit in CONTROL_LIMITS:
        theirs = control_results.PAIRS[ours]
        if theirs not in measured:
            continue
        # Repeated lists have limits only with gRPC versions that have a child policy for each
        # endpoint.
        if what.startswith("repeat") and "weighted_round_robin" not in measured:
            continue
        ratio = best[what, ours, CONTROL_SIZE] / best[what, theirs, CONTROL_SIZE]
        judge(f"{control_results.WHATS[what]}: `{ours}` / `{theirs}`", ratio, limit)
    for what, words in control_results.WHATS.items():
        ours = [policy for policy in control_results.PAIRS if (what, policy, CONTROL_SIZE) in best]
        if what == "bytes" or not ours:
            continue
        worst = max(ours, key=lambda policy: growth_of(best, what, policy))
        growth = growth_of(best, what, worst)
        judge(f"{words}: growth of Steer's policies, most with `{worst}`", growth, CONTROL_GROWTH)
    return lines, over


def main():
    kind, results_file, grpc_version = sys.argv[1:]
    with open(results_file, encoding="utf-8") as file:
        results = json.load(file)
    if kind == "custom":
        lines, over = custom_table(results, grpc_version)
        limit = f"{CUSTOM_LIMIT} ns more than {OURS}"
    elif kind == "policies":
        lines, over = policies_table(results, grpc_version)
        limit = "the policy"
    elif kind == "control_plane":
        lines, over = control_table(results, grpc_version)
        lines[1:1] = ["", f"![Time by the number of backends](control-plane-{grpc_version}.svg)"]
        limit = "the control plane"
    else:
        lines, over = table(results, grpc_version)
        over = [f"{backends:,} backends" for backends in over]
        limit = f"{LIMIT} at one thread"
    print("\n".join(lines))
    for what in over:
        print(f"over the limit of {limit}: {what}", file=sys.stderr)


main()
