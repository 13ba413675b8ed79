"""What steer_control_bench printed, by what was measured, policy and number of backends; and what each is in words.

Must not know: what is made of it.
"""

import collections

# In the order of a channel's life.
WHATS = {
    "first": "first update",
    "ready": "all to READY, one by one",
    "flap": "all READY → TRANSIENT_FAILURE → READY, one by one",
    "repeat": "repeated list, the update alone",
    "repeat_all": "repeated list, with the reports that it leads to",
    "change": "list with one change",
    "ring": "ring of another size",
    "replace": "list fully replaced",
    "bytes": "bytes per backend",
}
# Steer's, and gRPC's own of the same kind, if it has one.
PAIRS = {
    "steer_round_robin": "round_robin",
    "steer_weighted_round_robin": "weighted_round_robin",
    "steer_ring_hash": "ring_hash_experimental",
    "steer_maglev": None,
}
SIZES = (100, 1000, 10000, 100000)


def policies():
    """All of them, gRPC's own before Steer's."""
    for ours, theirs in PAIRS.items():
        if theirs:
            yield theirs
        yield ours


def best(results):
    """The least of all times, and of all bytes, by what, policy and number of backends."""
    runs = collections.defaultdict(list)
    for run in results["benchmarks"]:
        policy, backends, what = run["name"].split("/")
        runs[what, policy, int(backends)].append(run["cpu_time"])
    return {key: min(values) for key, values in runs.items()}
