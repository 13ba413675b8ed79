"""Makes a table of what steer_pick_bench, steer_policies_bench or steer_control_bench measured.

Usage: table.py round_robin|custom|policies|control_plane RESULTS.json GRPC_VERSION

`round_robin`: Steer's and gRPC's, alone and together. `custom`: pickers of one's own beside both.
`policies`: all of Steer's, beside gRPC's own where it has the policy. `control_plane`: what updates and reports cost.

Must not know how the numbers came about; a repetition's CPU time is all that it uses.
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
# What issue "Speed" asks of one thread.
BAR = 1.05
# Pickers of one's own, and what they may cost more than ours, in ns.
CUSTOM = {"bench_c": "C, linked", "bench_c_loaded": "C, loaded", "bench_rust": "Rust, linked"}
CUSTOM_BAR = 3.0
# Policies: how they are measured, and what is asked of them: ours, what it is compared with or None, how,
# with how many backends, and at most so many times as long, or ns.
POLICY_WAYS = {"alone": "1 thread", "finished": "1 thread, to the call's end", "together": "2 threads, one picker"}
ALL = (3, 100, 1000)
POLICY_BARS = [
    ("steer_weighted_round_robin", "weighted_round_robin", "alone", (100, 1000), 0.5),
    ("steer_weighted_round_robin", "weighted_round_robin", "together", (100, 1000), 0.5),
    ("steer_ring_hash", "ring_hash_experimental", "alone", (1000,), 0.6),
    ("steer_maglev", OURS, "alone", ALL, 2.0),
    ("steer_least_request", OURS, "alone", ALL, 2.0),
    ("steer_peak_ewma", None, "finished", ALL, 150.0),
]
# The control plane: what is asked at CONTROL_SIZE backends of ours beside what it is compared with, and by which gRPC,
# if not by every one that has that; and how many times as long with CONTROL_SIZE backends as with a tenth of them.
CONTROL_SIZE = 10000
CONTROL_BARS = [
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
    context = results["context"]
    return (
        f"gRPC {grpc_version}, {processor()}, {context['num_cpus']} CPUs, load {context['load_avg'][0]:.1f},"
        f" {context['date'][:10]}. CPU time per pick in ns, best / median of {repetitions} repetitions in random order"
    )


def table(results, grpc_version):
    times = times_of(results)
    lines = [
        conditions(results, times, grpc_version)
        + "; with 2 threads the median alone, for the best is when they happened not to meet.",
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
    lines += ["", *watched(times)]
    return lines, over


def watched(times):
    """What it costs a pick that another thread reads the statistics all the time."""
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
        conditions(results, times, grpc_version) + f"; and what it is more than `{OURS}`, best.",
        "",
        f"| backends | {' | '.join(heads)} | more |",
        "|---:|" + "---:|" * (len(heads) + 1),
    ]
    over = []
    for backends in sorted({key[0] for key in times}):
        runs = {name: times[backends, "alone", name] for name in names}
        cells = [f"{min(runs[name]):.1f} / {statistics.median(runs[name]):.1f}" for name in names]
        more = {name: min(runs[name]) - min(runs[OURS]) for name in custom}
        cells.append(" / ".join(f"{time:+.1f}" for time in more.values()))
        lines.append(f"| {backends:,} | {' | '.join(cells)} |")
        over += [f"{CUSTOM[name]}, {backends:,} backends" for name, time in more.items() if time > CUSTOM_BAR]
    return lines, over


def policies_table(results, grpc_version):
    times = times_of(results)
    lines = [
        conditions(results, times, grpc_version) + "; with 2 threads the median alone.",
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
                cells.append(" / ".join(f"{measure(runs):.1f}" for measure in measures) if runs else "–")
            lines.append(f"| `{policy}` | {backends:,} | {' | '.join(cells)} |")
    lines += ["", "| bar | backends | measured | asked |", "|---|---:|---:|---:|"]
    over = []
    for ours, theirs, way, sizes, bar in POLICY_BARS:
        measure = statistics.median if way == "together" else min
        for backends in sizes:
            runs = [times.get((backends, way, policy)) for policy in (ours, theirs) if policy]
            if not all(runs):
                continue
            values = [measure(run) for run in runs]
            value = values[0] / values[1] if theirs else values[0]
            unit = "" if theirs else " ns"
            words = f"`{ours}` of `{theirs}`" if theirs else f"`{ours}`"
            missed = "" if value <= bar else ", missed"
            digits = 2 if theirs else 1
            lines.append(
                f"| {words}, {POLICY_WAYS[way]} | {backends:,} | {value:.{digits}f}{unit} | ≤ {bar:g}{unit}{missed} |"
            )
            if missed:
                over.append(f"{words}, {POLICY_WAYS[way]}, {backends:,} backends: {value:.2f}{unit}")
    return lines, over


def milliseconds(nanoseconds):
    """With three digits that count."""
    time = nanoseconds / 1e6
    return f"{time:,.0f}" if time >= 100 else f"{time:.1f}" if time >= 10 else f"{time:.2f}" if time >= 1 else f"{time:.3f}"


def growth_of(best, what, policy):
    return best[what, policy, CONTROL_SIZE] / best[what, policy, CONTROL_SIZE // 10]


def churn_table(best):
    """What is left in memory of lists that were replaced."""
    yield "| memory, MB | heap, early | heap, late | resident, early | resident, late |"
    yield "|---|---:|---:|---:|---:|"
    for what, policy, size in best:
        if what == "heap_early":
            cells = [best[f"{kind}_{when}", policy, size] / 1e6 for kind in ("heap", "rss") for when in ("early", "late")]
            yield f"| `{policy}` | {' | '.join(f'{cell:.2f}' for cell in cells)} |"


def control_table(results, grpc_version):
    best, context = control_results.best(results), results["context"]
    lives = collections.Counter(run["name"].split("/")[1] for run in results["benchmarks"] if run["name"].endswith("/first"))
    measured = {policy for _, policy, _ in best}
    lines = [
        f"gRPC {grpc_version}, {processor()}, {context['num_cpus']} CPUs, load {context['load_avg'][0]:.1f},"
        f" {context['date'][:10]}. CPU time in ms, the best; every policy in turn, {min(lives.values())} to"
        f" {max(lives.values())} times. *Growth*: from {CONTROL_SIZE // 10:,} to {CONTROL_SIZE:,} backends."
        f" *Ratio*: to gRPC's own with {CONTROL_SIZE:,}.",
        "",
        f"| what | policy | {' | '.join(f'{size:,}' for size in control_results.SIZES)} | growth | ratio |",
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
    lines += ["", f"| bar at {CONTROL_SIZE:,} backends | measured | asked |", "|---|---:|---:|"]
    over = []

    def judge(words, value, bar):
        missed = "" if value <= bar else ", missed"
        lines.append(f"| {words} | {value:.3g} | ≤ {bar:g}{missed} |")
        if missed:
            over.append(f"{words}: {value:.3g}, and {bar:g} is asked")

    for what, ours, bar in CONTROL_BARS:
        theirs = control_results.PAIRS[ours]
        # What a list that repeats may cost is asked of gRPCs with an own policy for each endpoint.
        if theirs not in measured or (what.startswith("repeat") and "weighted_round_robin" not in measured):
            continue
        ratio = best[what, ours, CONTROL_SIZE] / best[what, theirs, CONTROL_SIZE]
        judge(f"{control_results.WHATS[what]}: `{ours}` of `{theirs}`", ratio, bar)
    for what, words in control_results.WHATS.items():
        ours = [policy for policy in control_results.PAIRS if (what, policy, CONTROL_SIZE) in best]
        if what == "bytes" or not ours:
            continue
        worst = max(ours, key=lambda policy: growth_of(best, what, policy))
        judge(f"{words}: growth of Steer's, most with `{worst}`", growth_of(best, what, worst), CONTROL_GROWTH)
    return lines, over


def main():
    kind, results_file, grpc_version = sys.argv[1:]
    with open(results_file, encoding="utf-8") as file:
        results = json.load(file)
    if kind == "custom":
        lines, over = custom_table(results, grpc_version)
        bar = f"{CUSTOM_BAR} ns more than {OURS}"
    elif kind == "policies":
        lines, over = policies_table(results, grpc_version)
        bar = "its policy"
    elif kind == "control_plane":
        lines, over = control_table(results, grpc_version)
        lines[1:1] = ["", f"![Time by the number of backends](control-plane-{grpc_version}.svg)"]
        bar = "the control plane"
    else:
        lines, over = table(results, grpc_version)
        over = [f"{backends:,} backends" for backends in over]
        bar = f"{BAR} at one thread"
    print("\n".join(lines))
    for what in over:
        print(f"over the bar of {bar}: {what}", file=sys.stderr)


main()
