"""Tests machine.judged, which fails only if an attempt is late twice on a quiet machine."""

import unittest
from unittest import mock

import machine


class Judged(unittest.TestCase):
    def judge(self, *attempts):
        """Each of `attempts`: whether it is in time, and why the machine was busy."""
        in_time = iter([held for held, _ in attempts])
        busy = iter([why for held, why in attempts if not held])
        self.calls = 0

        def attempt():
            self.calls += 1
            machine.timely(next(in_time), "late")

        with mock.patch.object(machine.Watch, "busy", lambda _: next(busy)):
            return machine.judged(attempt, tries=3)

    def test_in_time(self):
        self.assertEqual(self.judge((True, "")), "")
        self.assertEqual(self.calls, 1)

    def test_late_once_is_forgiven(self):
        self.assertEqual(self.judge((False, ""), (True, "")), "")
        self.assertEqual(self.calls, 2)

    def test_late_twice_on_a_quiet_machine(self):
        with self.assertRaises(machine.Late):
            self.judge((False, ""), (False, ""))
        with self.assertRaises(machine.Late):
            self.judge((False, ""), (False, "busy"), (False, ""))

    def test_always_late_on_a_busy_machine(self):
        self.assertEqual(self.judge((False, "busy"), (False, "busier"), (False, "")), "busier")
        self.assertEqual(self.calls, 3)

    def test_other_failures_count_at_once(self):
        with self.assertRaises(ZeroDivisionError):
            machine.judged(lambda: 1 / 0)

    def test_this_machine(self):
        self.assertIsInstance(machine.Watch().busy(), str)


if __name__ == "__main__":
    unittest.main(verbosity=2)
