"""Tests the numbers of gain_server and gain_client. The server bounds the calls that it serves, and
drops calls that have timed out. The client keeps its schedule, whatever the servers and its own
process do. Errors and shares are counted correctly. Faults come at the times of the scenario.
`timely` marks conditions that a busy machine can break.

Usage: test.py <directory of gain_server and gain_client>
"""

import math
import pathlib
import signal
import sys
import time
import traceback

sys.dont_write_bytecode = True
import scenario  # noqa: E402
from fleet import CANCELLED, UNFINISHED, calling, measure, outcomes, serving  # noqa: E402
from greeters import require  # noqa: E402
from machine import judged, timely  # noqa: E402

ROUND_ROBIN = {"round_robin": {}}
PATIENCE = 120
# For calls that wait until they are answered.
LONG = "--deadline_ms=60000"
# The delay that a quiet machine may add.
SLACK_MS = 400


def calls(programs, servers, *arguments, config=None):
    """Runs a client to its end, and returns its outcomes."""
    with calling(programs, servers, config or ROUND_ROBIN, *arguments) as client:
        return outcomes(client, servers, PATIENCE)


def bounds_what_it_serves(programs):
    """Two slots of 100 ms serve exactly 20 calls per second, in the order of their arrival."""
    with serving(programs, {"one": ["--slots=2", "--service_time_ms=100"]}) as servers:
        seen = calls(programs, servers, "--rate=200", "--seconds=0.25", LONG)
    require(seen.statuses == {"OK": seen.calls}, seen.statuses)
    # The last calls came at most 250 ms after the start, and were served last.
    all_of_it = math.ceil(seen.calls / 2) * 100
    longest = seen.latency_ms["max"]
    words = f"{seen.calls} calls take {all_of_it} ms, and the longest took {longest} ms"
    require(all_of_it - 250 <= longest, words)
    timely(longest <= 1.5 * all_of_it, words)
    middle = seen.latency_ms["p50"]
    timely(0.3 < middle / longest < 0.7, f"no queue in order: {seen.latency_ms}")


def drops_what_nobody_waits_for(programs):
    """After a burst that the server cannot serve, it is free as soon as the burst has timed out."""
    with serving(programs, {"one": ["--slots=1", "--service_time_ms=50"]}) as servers:
        burst = ["--rate=400", "--seconds=0.5", "--deadline_ms=200"]
        with calling(programs, servers, ROUND_ROBIN, *burst) as client:
            client.wait(PATIENCE)
        after = calls(programs, servers, "--rate=4", "--seconds=3", "--deadline_ms=1000")
    # To serve the whole burst would take 10 s.
    timely(after.statuses == {"OK": after.calls}, f"calls after the burst: {after.statuses}")


def keeps_its_schedule(programs):
    """Calls that hang do not delay the next ones, and the servers count each call."""
    hanging = ["--slots=1", "--service_time_ms=3000"]
    with serving(programs, {"one": hanging, "two": hanging}) as servers:
        start = time.monotonic()
        load = ["--rate=300", "--seconds=2", "--deadline_ms=500", "--seed=7"]
        seen = calls(programs, servers, *load)
        took = time.monotonic() - start
    # Five standard deviations of a Poisson count.
    require(abs(seen.calls - 600) < 5 * math.sqrt(600), f"{seen.calls} calls instead of about 600")
    require(seen.statuses == {"DEADLINE_EXCEEDED": seen.calls}, seen.statuses)
    require(500 <= seen.latency_ms["p50"], f"they took {seen.latency_ms}")
    # A call that begins after its deadline reaches no server.
    timely(sum(seen.calls_of.values()) == seen.calls, f"{seen.calls} calls: {seen.calls_of}")
    timely(seen.latency_ms["p50"] < 500 + SLACK_MS, f"they took {seen.latency_ms}")
    timely(took < 2 + 0.5 + 2, f"it took {took:.1f} s")


def same_seed_same_calls(programs):
    counts = []
    for seed in (1, 1, 2):
        with serving(programs, {"one": ["--service_time_ms=0"]}) as servers:
            load = ["--rate=500", "--warm_up=0.5", "--seconds=0.5", f"--seed={seed}", LONG]
            seen = calls(programs, servers, *load)
        require(seen.calls_of == {"one": seen.calls}, f"the warm-up was counted: {seen.calls_of}")
        require(seen.calls < seen.made, f"{seen.made} calls with the warm-up, {seen.calls} without")
        require(0 < seen.cpu_s < 60, f"CPU time: {seen.cpu_s} s")
        counts.append(seen.calls)
    require(counts[0] == counts[1] != counts[2], f"calls by seeds 1, 1, 2: {counts}")


def omits_nothing(programs):
    """Calls that should have begun while the client was stopped count as late."""
    with serving(programs, {"one": ["--slots=100", "--service_time_ms=1"]}) as servers:
        rate = ["--rate=400", "--seconds=2", LONG]
        with calling(programs, servers, ROUND_ROBIN, *rate) as client:
            time.sleep(1)
            client.send_signal(signal.SIGSTOP)
            time.sleep(0.8)
            client.send_signal(signal.SIGCONT)
            seen = outcomes(client, servers, PATIENCE)
    require(seen.statuses == {"OK": seen.calls}, seen.statuses)
    # The stop was 40 % of the schedule, so a tenth of the calls waited three quarters of it.
    for name, times in (("latencies", seen.latency_ms), ("lateness", seen.late_ms)):
        timely(450 < times["p90"] < 800 + SLACK_MS, f"a stop of 800 ms and {name} of {times}")


def counts_errors_and_shares(programs):
    arguments = {"good": ["--service_time_ms=2"], "bad": ["--faults=0 fail=UNAVAILABLE"]}
    with serving(programs, arguments) as servers:
        seen = calls(programs, servers, "--rate=500", "--warm_up=0.5", "--seconds=2", LONG)
    half = seen.calls / 2
    require(sum(seen.calls_of.values()) == seen.calls, f"{seen.calls} calls: {seen.calls_of}")
    by_status = {"OK": seen.calls_of["good"], "UNAVAILABLE": seen.calls_of["bad"]}
    require(seen.statuses == by_status, f"{seen.statuses} are not {by_status}")
    errors = seen.calls_of["bad"] / seen.calls
    require(abs(seen.errors - errors) < 1e-9, f"errors: {seen.errors} instead of {errors}")
    latencies = seen.latencies_us
    require(len(latencies) == seen.calls and latencies == sorted(latencies), "not all, or no order")
    for name, rank in (("p50", 0.5), ("p99.9", 0.999), ("max", 1)):
        exact = latencies[math.ceil(rank * len(latencies)) - 1] / 1000
        require(seen.latency_ms[name] == exact, f"{name} is {seen.latency_ms[name]}, not {exact}")
    # Once both servers are connected, and they are in time.
    timely(all(abs(n - half) <= 2 for n in seen.calls_of.values()), f"not halved: {seen.calls_of}")


def tells_its_load(programs):
    """By the load reports, weighted round robin sends fewer calls to a slower server."""
    times = {"blackoutPeriod": "0.2s", "weightUpdatePeriod": "0.1s"}
    weighted = {"steer_weighted_round_robin": times}
    arguments = {"fast": ["--service_time_ms=10"], "slow": ["--service_time_ms=40"]}
    with serving(programs, arguments) as servers:
        load = ["--rate=500", "--warm_up=3", "--seconds=3", LONG]
        seen = calls(programs, servers, *load, config=weighted)
    # Its share of the capacity is a fifth.
    timely(0.12 < seen.share("slow") < 0.3, f"the slow server got {seen.share('slow'):.0%}")


def sends_sessions(programs):
    """With the header `session`, calls go to the server of their session."""
    hashing = {"steer_ring_hash": {"requestHashHeader": "session"}}
    arguments = {name: ["--service_time_ms=0"] for name in ("one", "two", "three")}
    used = []
    for sessions in (1, 1000):
        with serving(programs, arguments) as servers:
            load = ["--rate=500", "--seconds=0.5", f"--sessions={sessions}", LONG]
            seen = calls(programs, servers, *load, config=hashing)
        used.append(sum(count > 0 for count in seen.calls_of.values()))
    require(used == [1, 3], f"servers with calls, of 1 and of 1000 sessions: {used}")


ONE = """
duration = "5s"
servers = [{ name = "one", service_time = "2ms" }]
[[clients]]
name = "client"
rate = "200/s"
"""


def has_faults_in_time(programs):
    """A second of each fault: it fails at once, hangs, answers half of the calls with an error,
    and is slow."""
    text = ONE + """
deadline = "200ms"
[[events]]
at = "1s"
lasts = "1s"
servers = ["one"]
fail = "INTERNAL"
[[events]]
at = "2s"
lasts = "1s"
servers = ["one"]
hang = true
[[events]]
at = "3s"
lasts = "1s"
servers = ["one"]
errors = { share = "50%", code = "ABORTED" }
[[events]]
at = "4s"
servers = ["one"]
slow = 10
"""
    seen = measure(programs, scenario.parse("faults", text), ROUND_ROBIN)
    known = {"OK", "INTERNAL", "DEADLINE_EXCEEDED", "ABORTED"}
    require(set(seen.statuses) == known, f"statuses: {seen.statuses}")
    # Each is a Poisson count, so five standard deviations. Calls of the last 200 ms of the hang are
    # served.
    expected = {"INTERNAL": 200, "DEADLINE_EXCEEDED": 160, "ABORTED": 100}
    for status, mean in expected.items():
        near = abs(seen.statuses[status] - mean) < 5 * math.sqrt(mean)
        timely(near, f"{seen.statuses[status]} {status} instead of about {mean}")
    slow = sum(20_000 <= us < 40_000 for us in seen.latencies_us)
    timely(slow > 100, f"only {slow} calls took 20 ms, in the second of the slow server")


def gives_up(programs):
    """Callers cancel calls to a server that hangs. Without that, the calls are unfinished."""
    hung = ONE + "\n[[events]]\nat = '0s'\nservers = ['one']\nhang = true\n"
    cancelling = hung.replace('"200/s"', '"200/s"\ncancel_after = "50ms"')
    seen = measure(programs, scenario.parse("cancel", cancelling), ROUND_ROBIN, 0, 1)
    require(seen.statuses == {CANCELLED: seen.calls}, f"cancelled calls: {seen.statuses}")
    require(seen.errors == 0, f"cancelled calls are no errors: {seen.errors}")
    require(50 <= seen.latency_ms["p50"], f"cancelled too early: {seen.latency_ms}")
    timely(seen.latency_ms["p99"] < 70, f"cancelled too late: {seen.latency_ms}")
    seen = measure(programs, scenario.parse("hang", hung), ROUND_ROBIN, 0, 1)
    require(seen.statuses == {UNFINISHED: seen.calls}, f"unfinished calls: {seen.statuses}")
    require(seen.latencies_us == [] and seen.calls_of == {"one": seen.calls}, "not all unfinished")


def crashes_and_comes_back(programs):
    """A server that crashes gets no calls. It gets them again when it is back, and is cold then."""
    text = """
duration = "6s"
events = [{ at = "1s", lasts = "1s", servers = ["odd"], crash = true }]
clients = [{ name = "client", rate = "200/s" }]
[[servers]]
name = "good"
[[servers]]
name = "odd"
service_time = "5ms"
warm_up = { speed = "2%", lasts = "300ms", at_once = true }
"""
    seen = measure(programs, scenario.parse("crash", text), ROUND_ROBIN)
    require(set(seen.statuses) <= {"OK", "UNAVAILABLE"}, f"statuses: {seen.statuses}")
    timely(seen.errors < 0.02, f"only calls in flight may fail: {seen.statuses}")
    # Half of the 6 s, without the second of the crash and a second or two of backoff.
    timely(0.2 < seen.share("odd") < 0.45, f"shares: {seen.calls_of}")
    timely(seen.latency_ms["max"] >= 250, f"it was not cold: {seen.latency_ms}")


TESTS = (
    bounds_what_it_serves,
    drops_what_nobody_waits_for,
    keeps_its_schedule,
    same_seed_same_calls,
    omits_nothing,
    counts_errors_and_shares,
    tells_its_load,
    sends_sessions,
    has_faults_in_time,
    gives_up,
    crashes_and_comes_back,
)


def main():
    programs = pathlib.Path(sys.argv[1])
    failed = 0
    for test in TESTS:
        try:
            unjudged = judged(test, programs)
            without = f", times not checked: {unjudged}" if unjudged else ""
            print(f"ok      {test.__name__}{without}")
        except Exception:
            failed += 1
            print(f"FAILED  {test.__name__}\n{traceback.format_exc()}")
    print(f"{len(TESTS) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
