"""The limits that the policies must meet.

Must not depend on: how the outcomes were measured.
"""

import dataclasses

from fleet import FAILING, ODD, SLOW


@dataclasses.dataclass(frozen=True)
class Limits:
    """The greatest values that are allowed. `of` means relative to round_robin's value."""

    slow_p99_of: float
    slow_p95_of: float
    slow_share: float
    failing_errors_of: float

    def judge(self, outcomes):
        """`outcomes`: by the scenario's name and the policy. Returns for each limit: its name, the
        measured value, the limit."""

        def of_round_robin(scenario, policy, measure):
            theirs = measure(outcomes[scenario.name, "round_robin"])
            return measure(outcomes[scenario.name, policy]) / theirs

        return [
            (
                "one slow: p99 of steer_peak_ewma / p99 of round_robin",
                of_round_robin(SLOW, "steer_peak_ewma", lambda o: o.latency_ms["p99"]),
                self.slow_p99_of,
            ),
            (
                "one slow: p95 of steer_least_request / p95 of round_robin",
                of_round_robin(SLOW, "steer_least_request", lambda o: o.latency_ms["p95"]),
                self.slow_p95_of,
            ),
            (
                "one slow: the slow server's share of the calls of steer_least_request",
                outcomes[SLOW.name, "steer_least_request"].share(ODD),
                self.slow_share,
            ),
            (
                "one failing: errors of steer_peak_ewma / errors of round_robin",
                of_round_robin(FAILING, "steer_peak_ewma", lambda o: o.errors),
                self.failing_errors_of,
            ),
        ]


# The limits of script/report.
FULL = Limits(slow_p99_of=0.15, slow_p95_of=0.15, slow_share=0.06, failing_errors_of=0.1)
# The limits of script/demo, whose runs take seconds on machines that may be busy.
SHORT = Limits(slow_p99_of=0.3, slow_p95_of=0.3, slow_share=0.08, failing_errors_of=0.2)
