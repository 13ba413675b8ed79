"""Tests which scenario files can be run with real processes, and with which arguments.

Must not depend on: gRPC, the programs.
"""

import sys
import unittest

sys.dont_write_bytecode = True
import scenario  # noqa: E402

SMALL = """
[[servers]]
name = "good"
count = 2

[[servers]]
name = "odd"
speed = 0.05
service_time = "5ms"

[[clients]]
name = "client"
rate = "300/s"
"""


def event(rest):
    return f'{SMALL}[[events]]\nservers = ["odd"]\n{rest}\n'


class Scenarios(unittest.TestCase):
    def unrunnable(self, text):
        """Returns why a scenario cannot be run."""
        with self.assertRaises(scenario.Unrunnable) as caught:
            scenario.parse("mine", text)
        return str(caught.exception).splitlines()

    def faults_of_odd(self, text):
        return scenario.parse("mine", text).servers[-1].arguments[-1]

    def test_arguments(self):
        small = scenario.parse("mine", SMALL)
        self.assertEqual([it.name for it in small.servers], ["good-1", "good-2", "odd"])
        good, _, odd = (it.arguments for it in small.servers)
        self.assertEqual(
            good,
            (
                "--slots=8",
                "--service_time_ms=10.0",
                "--exponential=true",
                "--report_over_ms=1000.0",
                "--seed=1",
                "--faults=0",
            ),
        )
        self.assertIn("--service_time_ms=100.0", odd)
        self.assertIn("--exponential=false", odd)
        self.assertEqual(small.client_arguments, ["--rate=300.0", "--deadline_ms=0.0"])
        self.assertEqual((small.duration, small.warm_up, small.changes), (60, 0, False))
        self.assertEqual(len(small.policies), 4)

    def test_deadlines_and_cancels(self):
        text = SMALL + 'deadline = "1s"\ncancel_after = "50ms"\n'
        expected = ["--rate=300.0", "--deadline_ms=1000.0", "--cancel_after_ms=50.0"]
        self.assertEqual(scenario.parse("mine", text).client_arguments, expected)

    def test_faults(self):
        for key, words in (
            ("slow = 20", "slow=20.0"),
            ("hang = true", "hang"),
            ('fail = "UNKNOWN"', "fail=UNKNOWN"),
            ('errors = { share = "1%", code = "INTERNAL" }', "errors=0.01:INTERNAL"),
            ("reset_calls = true", "fail=CANCELLED"),
        ):
            with self.subTest(key):
                forever = event(f'at = "30s"\n{key}')
                self.assertEqual(self.faults_of_odd(forever), f"--faults=0;30 {words}")
                self.assertTrue(scenario.parse("mine", forever).changes)
                until = event(f'at = "0s"\nlasts = "1.5s"\n{key}')
                self.assertEqual(self.faults_of_odd(until), f"--faults=0 {words};1.5")

    def test_faults_at_the_same_time(self):
        text = event('at = "10s"\nlasts = "20s"\nslow = 2')
        text += '[[events]]\nat = "20s"\nservers = ["good", "odd"]\nhang = true\n'
        expected = "--faults=0;10 slow=2.0;20 slow=2.0 hang;30 hang"
        self.assertEqual(self.faults_of_odd(text), expected)

    def test_crashes(self):
        text = SMALL.replace("speed = 0.05", 'warm_up = { speed = "5%", lasts = "1s" }')
        text += '[[events]]\nat = "10s"\nlasts = "5s"\nservers = ["odd"]\ncrash = true\n'
        text += '[[events]]\nat = "30s"\nservers = ["odd"]\ncrash = true\n'
        odd = scenario.parse("mine", text).servers[-1]
        self.assertEqual(odd.crashes, ((10, 15), (30, None)))
        cold = ("--cold_speed=0.05", "--cold_ms=1000.0", "--cold_at_once=false")
        self.assertEqual(odd.when_cold, cold)

    def test_says_what_cannot_be_run(self):
        text = event('at = "1s"\noverload = "50%"').replace("speed", "queue.length = 5\nspeed")
        self.assertEqual(
            self.unrunnable(text),
            [
                "mine.toml: servers[1].queue: gain_server cannot do this",
                "mine.toml: events[0].overload: gain_server cannot do this",
            ],
        )
        text = SMALL.replace("300/s", "9000/s").replace("2", "20") + 'retries = {}\nrate_ = "1"\n'
        self.assertEqual(
            self.unrunnable(text),
            [
                "mine.toml: servers: more than 10 are too many for two cores",
                "mine.toml: clients[0].retries: gain_client cannot do this",
                "mine.toml: clients[0].rate_: gain_client cannot do this",
                "mine.toml: clients[0].rate: more than 2500/s is too much for two cores",
            ],
        )
        times = SMALL.replace('"5ms"', '{ distribution = "uniform", least = "1s", most = "2s" }')
        self.assertRegex(self.unrunnable(times)[0], r"service_time: only a constant or expon")
        self.assertRegex(self.unrunnable(SMALL * 2)[0], r"^mine.toml: clients: only one client")

    def test_times(self):
        for text, seconds in (("20ms", 0.02), ("1min 30s", 90), ("0.5ms", 0.0005), ("2h", 7200)):
            self.assertAlmostEqual(scenario.time(text), seconds)
        for text in ("", "20", "20 parsecs", "-1s"):
            self.assertRaises(ValueError, scenario.time, text)

    def test_those_that_come_with_the_simulator(self):
        runnable, reasons = scenario.runnable()
        names = {it.name for it in runnable}
        self.assertLessEqual({"all_alike", "one_slow", "one_failing", "one_hung"}, names)
        # Each of the others is named with a reason.
        files = {path.stem for path in scenario.READY.glob("*.toml")}
        self.assertEqual(files - names, {reason.split(".toml: ")[0] for reason in reasons})


unittest.main()
