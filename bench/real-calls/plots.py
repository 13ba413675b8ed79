"""Draws the results of measure.py: latency by percentile with one slow server, the shares of the
servers, and errors with one failing server. The same results give the same files.

Usage: plots.py RESULTS.json DIRECTORY

Must not depend on: how the results were measured.
"""

import math
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
import numpy as np  # noqa: E402
import results  # noqa: E402
from fleet import FAILING, SCENARIOS, SLOW  # noqa: E402

# Colours for colour-blind readers (Okabe and Ito). Dashes distinguish the lines without colours.
STYLES = {
    "round_robin": ("#000000", "-"),
    "steer_round_robin": ("#999999", "--"),
    "steer_least_request": ("#0072b2", "-"),
    "steer_peak_ewma": ("#d55e00", "-"),
    "steer_weighted_round_robin": ("#009e73", "-."),
    "steer_prequal": ("#cc79a7", ":"),
}
NAMES = [server.name for server in SLOW.servers]
SERVERS = dict(zip(NAMES, ("#56b4e9", "#7cc5ee", "#a3d6f3", "#d55e00")))
LABELS = {NAMES[0]: "the three good servers", NAMES[-1]: "the fourth"}
DEADLINE_MS = SLOW.deadline * 1000


def policies_of(outcomes, scenario):
    ours = ((policy, of) for (name, policy), of in outcomes.items() if name == scenario.name)
    return dict(ours)


def latency(outcomes):
    """Draws percentiles on a scale that stretches the tail: each further nine has the same
    width."""
    figure, axes = plt.subplots(figsize=(8, 4.5))
    nines = np.linspace(0, 3.3, 300)
    for policy, measured in policies_of(outcomes, SLOW).items():
        quantiles = np.quantile(measured.latencies_us, 1 - 10**-nines, method="inverted_cdf")
        colour, dashes = STYLES[policy]
        axes.plot(nines, quantiles / 1000, dashes, color=colour, label=policy)
    axes.set_yscale("log")
    axes.axhline(DEADLINE_MS, color="#cccccc", linewidth=0.8, zorder=0)
    axes.annotate("deadline", (0.02, DEADLINE_MS), va="bottom", fontsize=8, color="#777777")
    labels = ("50", "90", "95", "99", "99.9")
    ticks = [-math.log10(1 - float(label) / 100) for label in labels]
    axes.set_xticks(ticks, [f"p{p}" for p in labels])
    axes.set_xlim(0, nines[-1])
    axes.set_ylabel("latency, ms")
    axes.set_title(f"Latency of all calls, {SLOW.title}", fontsize=10)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="lower right")
    return figure


def share(outcomes):
    """Draws the shares of the servers: a panel for each scenario, a bar for each policy."""
    figure, panels = plt.subplots(1, len(SCENARIOS), figsize=(10, 3), sharey=True)
    for axes, scenario in zip(panels, SCENARIOS):
        policies = policies_of(outcomes, scenario)
        left = np.zeros(len(policies))
        for name, colour in SERVERS.items():
            widths = np.array([100 * measured.share(name) for measured in policies.values()])
            axes.barh(list(policies), widths, left=left, color=colour, label=LABELS.get(name))
            left += widths
        axes.set_title(scenario.title.split(":")[0], fontsize=9)
        axes.set_xlim(0, 100)
        axes.set_xlabel("% of the calls", fontsize=8)
        axes.tick_params(labelsize=8)
    panels[0].invert_yaxis()
    handles = panels[0].get_legend_handles_labels()
    figure.legend(*handles, ncols=2, fontsize=8, loc="upper center", frameon=False)
    figure.tight_layout(rect=(0, 0, 1, 0.93))
    return figure


def errors(outcomes):
    figure, axes = plt.subplots(figsize=(8, 2.4))
    policies = policies_of(outcomes, FAILING)
    shares = [100 * measured.errors for measured in policies.values()]
    bars = axes.barh(list(policies), shares, color=[STYLES[policy][0] for policy in policies])
    axes.bar_label(bars, [f"{share:.2f} %" for share in shares], padding=3, fontsize=8)
    axes.invert_yaxis()
    axes.set_xlim(0, max(shares) * 1.15)
    axes.set_xlabel("% of the calls that failed", fontsize=8)
    axes.set_title(FAILING.title, fontsize=10)
    axes.tick_params(labelsize=8)
    figure.tight_layout()
    return figure


def main():
    results_file, directory = map(pathlib.Path, sys.argv[1:])
    # No random names and no date, so that the files are reproducible.
    plt.rcParams["svg.hashsalt"] = "steer"
    plt.rcParams["svg.fonttype"] = "none"
    outcomes, _ = results.read(results_file)
    for draw in (latency, share, errors):
        figure = draw(outcomes)
        path = directory / f"why-{draw.__name__}.svg"
        figure.savefig(path, metadata={"Date": None}, facecolor="white")
        print(path)


main()
