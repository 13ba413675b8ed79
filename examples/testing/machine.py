"""Tells whether the machine was quiet: for tests and the demo, which check times.

A program can be late because of a bug, or because the machine ran other programs. Only the first is
a failure. So a check of times is tried several times, and counts only if the machine was quiet.

Must not depend on: what is checked.
"""

import pathlib

# The least idle share of a quiet machine. Our tests alone leave two thirds of two CPUs idle.
QUIET = 0.4
# The second miss fails. One is allowed, because the mean does not show a short burst of other work.
MISSES = 2
TRIES = 3


class Late(Exception):
    """Something was late."""


def timely(held, otherwise):
    """As greeters.require, for conditions that a busy machine can break."""
    if not held:
        raise Late(otherwise)


def _times():
    """Returns the total time and the idle time of the CPUs, in ticks of the kernel."""
    user, nice, system, idle, iowait, irq, softirq, steal = map(
        int, pathlib.Path("/proc/stat").read_text().split()[1:9]
    )
    return user + nice + system + idle + iowait + irq + softirq + steal, idle + iowait


def _throttled():
    """Returns how often the container's control group has used up its share of the CPUs."""
    try:
        lines = pathlib.Path("/sys/fs/cgroup/cpu.stat").read_text().splitlines()
    except OSError:
        return 0
    return int(dict(line.split() for line in lines).get("nr_throttled", 0))


class Watch:
    """Observes the machine from when the object was made."""

    def __init__(self):
        self._times, self._throttled = _times(), _throttled()

    def busy(self):
        """Returns why the machine was too busy to check times; empty if it was quiet."""
        total, idle = (now - then for now, then in zip(_times(), self._times))
        share = idle / total if total else 1
        if _throttled() > self._throttled:
            return "a limit on the CPUs made programs wait"
        if share < QUIET:
            return f"the machine's CPUs were only {share:.0%} idle"
        return ""


def judged(attempt, *arguments, tries=TRIES):
    """Calls `attempt` until it does not raise Late. Raises Late if that happens twice on a quiet
    machine. Returns an empty string, or why the machine was too busy."""
    misses, reason = 0, ""
    for _ in range(tries):
        watch = Watch()
        try:
            attempt(*arguments)
            return ""
        except Late as late:
            busy = watch.busy()
            print(f"  late: {late}" + (f"; {busy}" if busy else ""), flush=True)
            reason = busy or reason
            misses += not busy
            if misses == MISSES:
                raise
    return reason
