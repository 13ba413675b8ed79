"""Makes the table of measure_envoy.py's results.

Usage: envoy_report.py RESULTS.json GRPC_VERSION

Must not depend on: how the results were measured.
"""

import json
import math
import pathlib
import sys
import textwrap

import results
from fleet import ODD, Outcomes

CLIENTS = {"gain_client": "with Steer", "gain_plain_client": "without Steer"}
HEAD = """\
| client | who chooses the server | p50 ms | p99 ms | errors | calls to the slow server \
| CPU of the client | of Envoy | of both |
|---|---|---:|---:|---:|---:|---:|---:|---:|"""


class Row:
    """The runs of a row, and what they say together. CPU times are in seconds per 1,000 calls."""

    def __init__(self, row):
        self.name, self.client = row["name"], row["client"]
        self.outcomes = [Outcomes(**run["outcomes"]) for run in row["runs"]]
        self._envoy = [run["envoy_cpu_s"] for run in row["runs"]]

    def latency_ms(self, quantile):
        """Returns a quantile of the calls of all runs."""
        us = sorted(time for seen in self.outcomes for time in seen.latencies_us)
        return us[max(math.ceil(quantile * len(us)), 1) - 1] / 1000

    def share(self, count):
        """Returns the sum of a count of each run, as a share of all calls."""
        return sum(map(count, self.outcomes)) / sum(seen.calls for seen in self.outcomes)

    @property
    def client_cpu(self):
        return 1000 * sum(o.cpu_s for o in self.outcomes) / sum(o.made for o in self.outcomes)

    @property
    def envoy_cpu(self):
        return 1000 * sum(self._envoy) / sum(o.made for o in self.outcomes)

    def cpu_of_runs(self):
        pairs = zip(self.outcomes, self._envoy)
        return [1000 * (seen.cpu_s + envoy) / seen.made for seen, envoy in pairs]

    def line(self):
        errors = self.share(lambda seen: seen.errors * seen.calls)
        odd = self.share(lambda seen: seen.calls_of[ODD])
        client, envoy = self.client_cpu, self.envoy_cpu
        cells = [
            CLIENTS[self.client],
            self.name,
            *(f"{self.latency_ms(quantile):,.1f}" for quantile in (0.5, 0.99)),
            f"{errors:.2%}",
            f"{odd:.2%}",
            f"{client:.3f}",
            f"{envoy:.3f}" if envoy else "–",
            f"{client + envoy:.3f}",
        ]
        return f"| {' | '.join(cells)} |"


def spread(values):
    """Returns how far values are from each other, as a share of the least."""
    return max(values) / min(values) - 1


def noise(rows):
    """Says how far the runs of a row are from each other."""
    p50, p99 = (
        max(spread([seen.latency_ms[q] for seen in row.outcomes]) for row in rows)
        for q in ("p50", "p99")
    )
    cpu = max(spread(row.cpu_of_runs()) for row in rows)
    return (
        f"Runs of the same row differ by up to {p50:.0%} in p50, {p99:.0%} in p99 and {cpu:.0%} in"
        " CPU time."
    )


def table(run, rows, grpc_version, conditions):
    """Returns the text of the table. `run` has the facts of the run."""
    late = max(seen.late_ms["p99"] for row in rows for seen in row.outcomes)
    workers = f"{run['workers']} worker thread{'s' * (run['workers'] != 1)}"
    facts = (
        f"gRPC {grpc_version}, Envoy {run['envoy']} with {workers}, {conditions}."
        f" {len(rows[0].outcomes)} runs of each row, each with {run['warm_up']} s of warm-up and"
        f" then {run['seconds']} s that count. In each run, 99 % of the calls began within"
        f" {late:.1f} ms of their time. {noise(rows)} CPU times are in seconds per 1,000 calls."
    )
    lines = [textwrap.fill(facts, 100), "", HEAD, *(row.line() for row in rows)]
    return "\n".join(lines)


def main():
    results_file, grpc_version = sys.argv[1:]
    run = json.loads(pathlib.Path(results_file).read_text(encoding="utf-8"))
    rows = [Row(row) for row in run["rows"]]
    print(table(run, rows, grpc_version, results.conditions(results_file, run)))


if __name__ == "__main__":
    main()
