"""Draws the results of steer_control_bench: time over the number of backends. The same results give
the same file.

Usage: control_plot.py RESULTS.json GRPC_VERSION FILE.svg

Must not depend on: how the results were measured.
"""

import json
import sys

import matplotlib

matplotlib.use("svg")
import control_results  # noqa: E402
import matplotlib.pyplot as plt  # noqa: E402

# Colours for colour-blind readers (Okabe and Ito). gRPC's own policies have the colour of Steer's
# policy of the same kind, and dashes.
COLOURS = dict(zip(control_results.PAIRS, ("#0072b2", "#009e73", "#d55e00", "#cc79a7")))
STYLES = {ours: (colour, "-", "o") for ours, colour in COLOURS.items()} | {
    theirs: (COLOURS[ours], "--", "s") for ours, theirs in control_results.PAIRS.items() if theirs
}


def draw(best, version):
    whats = {what: words for what, words in control_results.WHATS.items() if what != "bytes"}
    figure, panels = plt.subplots(2, len(whats) // 2, figsize=(14, 7), sharex=True, sharey=True)
    for axes, (what, words) in zip(panels.flat, whats.items()):
        for policy in control_results.policies():
            sizes = [size for size in control_results.SIZES if (what, policy, size) in best]
            if not sizes:
                continue
            colour, dashes, marker = STYLES[policy]
            seconds = [best[what, policy, size] / 1e9 for size in sizes]
            style = {"color": colour, "marker": marker, "markersize": 3}
            axes.plot(sizes, seconds, dashes, label=policy, **style)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.minorticks_off()
        axes.set_title(words, fontsize=8)
        axes.tick_params(labelsize=8)
        axes.grid(alpha=0.3)
    for axes in panels[-1]:
        axes.set_xlabel("backends", fontsize=8)
    for axes in panels[:, 0]:
        axes.set_ylabel("CPU time, s", fontsize=8)
    # The first panel has all policies; the panel of rings has not.
    handles = panels.flat[0].get_legend_handles_labels()
    figure.legend(*handles, ncols=7, fontsize=8, loc="upper center", frameon=False)
    figure.suptitle(f"gRPC {version}", fontsize=10, x=0.01, ha="left")
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    return figure


def main():
    results_file, version, svg = sys.argv[1:]
    # No random names and no date, so that the file is reproducible.
    plt.rcParams["svg.hashsalt"] = "steer"
    plt.rcParams["svg.fonttype"] = "none"
    with open(results_file, encoding="utf-8") as file:
        best = control_results.best(json.load(file))
    draw(best, version).savefig(svg, metadata={"Date": None}, facecolor="white")


main()
