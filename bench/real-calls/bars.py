"""What the policies promise, as numbers, and whether they keep it.

Must not know: how the outcomes were measured.
"""

import dataclasses

from fleet import FAILING, ODD, SLOW


@dataclasses.dataclass(frozen=True)
class Bars:
    """The most that is allowed; `of` means as a part of round_robin's."""

    slow_p99_of: float
    slow_p95_of: float
    slow_share: float
    failing_errors_of: float

    def judge(self, outcomes):
        """`outcomes` by scenario's key and policy. For each bar: words, what is, what may be."""

        def of_round_robin(scenario, policy, measure):
            theirs = measure(outcomes[scenario.key, "round_robin"])
            return measure(outcomes[scenario.key, policy]) / theirs

        return [
            (
                "one slow: p99 of steer_peak_ewma by round_robin's",
                of_round_robin(SLOW, "steer_peak_ewma", lambda o: o.latency_ms["p99"]),
                self.slow_p99_of,
            ),
            (
                "one slow: p95 of steer_least_request by round_robin's",
                of_round_robin(SLOW, "steer_least_request", lambda o: o.latency_ms["p95"]),
                self.slow_p95_of,
            ),
            (
                "one slow: the slow one's share of steer_least_request's calls",
                outcomes[SLOW.key, "steer_least_request"].share(ODD),
                self.slow_share,
            ),
            (
                "one failing: errors of steer_peak_ewma by round_robin's",
                of_round_robin(FAILING, "steer_peak_ewma", lambda o: o.errors),
                self.failing_errors_of,
            ),
        ]


# What script/report holds them to.
FULL = Bars(slow_p99_of=0.15, slow_p95_of=0.15, slow_share=0.06, failing_errors_of=0.1)
# What script/demo holds them to, whose runs are seconds long and beside whatever else the machine does.
SHORT = Bars(slow_p99_of=0.3, slow_p95_of=0.3, slow_share=0.08, failing_errors_of=0.2)
