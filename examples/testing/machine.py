"""Whether the machine had time for what was run on it: for tests and the demo, where they judge by
the clock.

A program can be late by itself, or because the machine ran others. Only the first is a failure, so
what depends on the clock is tried several times, and counts when the machine was quiet.

Must not know: what is judged.
"""

import pathlib

# A test of ours alone leaves more than two thirds of two CPUs idle.
QUIET = 0.4
# A burst of other work that the mean does not show is forgiven once.
MISSES = 2
TRIES = 3


class Late(Exception):
    """Something did not come about in time."""


def timely(held, otherwise):
    """As greeters.require, for what a busy machine can break."""
    if not held:
        raise Late(otherwise)


def _times():
    """What the CPUs spent so far: all of it, and idle, in the kernel's ticks."""
    user, nice, system, idle, iowait, irq, softirq, steal = map(
        int, pathlib.Path("/proc/stat").read_text().split()[1:9]
    )
    return user + nice + system + idle + iowait + irq + softirq + steal, idle + iowait


def _throttled():
    """How often the control group of a container had used up its share of the CPUs."""
    try:
        lines = pathlib.Path("/sys/fs/cgroup/cpu.stat").read_text().splitlines()
    except OSError:
        return 0
    return int(dict(line.split() for line in lines).get("nr_throttled", 0))


class Watch:
    """The machine, since the object was made."""

    def __init__(self):
        self._times, self._throttled = _times(), _throttled()

    def busy(self):
        """Why times since then say nothing of a program; empty when they do."""
        total, idle = (now - then for now, then in zip(_times(), self._times))
        share = idle / total if total else 1
        if _throttled() > self._throttled:
            return "a limit on the CPUs made programs wait"
        if share < QUIET:
            return f"of the machine's CPUs only {share:.0%} were idle"
        return ""


def judged(attempt, *arguments, tries=TRIES):
    """Calls `attempt` until it raises no Late. Raises Late when that happens twice on a quiet machine.
    Returns an empty string, or why it could not be judged."""
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
