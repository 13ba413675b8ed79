"""Reads the output of steer_control_bench, by operation, policy and number of backends; and
describes the operations.

Must not depend on: how the results are used.
"""

import collections

# In the order of a channel's life.
WHATS = {
    "first": "first update",
    "ready": "all to READY, one by one",
    "flap": "all READY → TRANSIENT_FAILURE → READY, one by one",
    "repeat": "repeated list, only the update",
    "repeat_all": "repeated list, with the reports that follow",
    "change": "list with one change",
    "ring": "ring of another size",
    "replace": "list fully replaced",
    "bytes": "bytes per backend",
}
# Steer's policies, each with gRPC's own policy of the same kind, or None.
PAIRS = {
    "steer_round_robin": "round_robin",
    "steer_weighted_round_robin": "weighted_round_robin",
    "steer_ring_hash": "ring_hash_experimental",
    "steer_maglev": None,
}
SIZES = (100, 1000, 10000, 100000)


def policies():
    """Yields all policies, gRPC's own before Steer's."""
    for ours, theirs in PAIRS.items():
        if theirs:
            yield theirs
        yield ours


def best(results):
    """Returns the least time, or the least bytes, by operation, policy and number of backends."""
    runs = collections.defaultdict(list)
    for run in results["benchmarks"]:
        policy, backends, what = run["name"].split("/")
        runs[what, policy, int(backends)].append(run["cpu_time"])
    return {key: min(values) for key, values in runs.items()}
