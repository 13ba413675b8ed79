"""Tests Envoy's config, and the table of script/report --envoy.

Must not depend on: gRPC, the programs, Envoy.
"""

import dataclasses
import json
import os
import re
import sys
import unittest

sys.dont_write_bytecode = True
import envoy  # noqa: E402
import envoy_report  # noqa: E402
import measure_envoy  # noqa: E402
from fleet import ODD, Outcomes  # noqa: E402

SERVERS = [("good", "127.0.0.1:1001"), (ODD, "127.0.0.1:1002")]


@dataclasses.dataclass
class FakeServer:
    name: str
    address: str


def outcomes(latencies_ms, errors, odd, cpu_s):
    """Returns the outcomes of a run with a warm-up of as many calls."""
    calls = len(latencies_ms)
    quantiles = {"p50": latencies_ms[0], "p99": latencies_ms[-1]}
    return Outcomes(
        calls=calls,
        statuses={"OK": calls - errors, "DEADLINE_EXCEEDED": errors},
        calls_of={"good": calls - odd, ODD: odd},
        latency_ms=quantiles,
        late_ms={"p99": 0.25},
        latencies_us=[1000 * ms for ms in latencies_ms],
        made=2 * calls,
        cpu_s=cpu_s,
    )


def row(name, client, *runs):
    """`runs` are pairs of outcomes and Envoy's CPU time."""
    as_measured = [
        {"outcomes": dataclasses.asdict(seen), "envoy_cpu_s": envoy_cpu} for seen, envoy_cpu in runs
    ]
    return {"name": name, "client": client, "runs": as_measured}


class Config(unittest.TestCase):
    def setUp(self):
        self.config = envoy.config(SERVERS, {"lb_policy": "RING_HASH"})
        self.resources = self.config["static_resources"]

    def test_listens_on_this_machine_alone(self):
        here = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
        self.assertEqual(self.config["admin"], {"address": here})
        self.assertEqual([it["address"] for it in self.resources["listeners"]], [here])

    def test_calls_the_servers(self):
        (cluster,) = self.resources["clusters"]
        self.assertEqual(cluster["lb_policy"], "RING_HASH")
        (locality,) = cluster["load_assignment"]["endpoints"]
        ports = [
            endpoint["endpoint"]["address"]["socket_address"]["port_value"]
            for endpoint in locality["lb_endpoints"]
        ]
        self.assertEqual(ports, [1001, 1002])

    def test_hashes_what_steer_hashes(self):
        text = json.dumps(self.config)
        theirs = re.findall(r'"hash_key": "(\w+)"', text)
        config = measure_envoy.ring_hash([FakeServer(*it) for it in SERVERS])["steer_ring_hash"]
        ours = [config["attributes"][address]["hashKey"] for _, address in SERVERS]
        self.assertEqual(theirs, ours)
        self.assertIn(f'"header_name": "{config["requestHashHeader"]}"', text)

    def test_cpu_time(self):
        ticks = os.sysconf("SC_CLK_TCK")
        fields = [str(number) for number in range(4, 53)]
        # The 14th and the 15th.
        fields[10], fields[11] = str(2 * ticks), str(ticks)
        self.assertEqual(envoy.cpu_seconds(f"7 (a) S 1 (b) S {' '.join(fields)}\n"), 3)


class Table(unittest.TestCase):
    def setUp(self):
        between = (
            (outcomes([1, 2, 3, 4], 1, 1, 0.004), 0.008),
            (outcomes([5, 6, 7, 1000], 1, 0, 0.012), 0.008),
        )
        alone = [(outcomes([2, 2, 2, 3], 0, 0, 0.008), 0)] * 2
        rows = [
            row("Envoy, `LEAST_REQUEST`", "gain_plain_client", *between),
            row("`steer_least_request`", "gain_client", *alone),
        ]
        self.rows = [envoy_report.Row(it) for it in rows]
        run = {"envoy": "1.2.3", "workers": 1, "warm_up": 3, "seconds": 8}
        self.text = envoy_report.table(run, self.rows, "1.51.1", "2 CPUs")

    def test_rows(self):
        self.assertEqual(
            self.text.splitlines()[-2:],
            [
                "| without Steer | Envoy, `LEAST_REQUEST` | 4.0 | 1,000.0 | 25.00% | 12.50%"
                " | 1.000 | 1.000 | 2.000 |",
                "| with Steer | `steer_least_request` | 2.0 | 3.0 | 0.00% | 0.00%"
                " | 1.000 | – | 1.000 |",
            ],
        )
        *_, head, line, _, _ = self.text.splitlines()
        self.assertEqual(head.count("|"), line.count("|"))
        self.assertEqual(head.count("|"), self.text.splitlines()[-1].count("|"))

    def test_facts(self):
        lines = self.text.splitlines()
        facts = " ".join(lines[: lines.index("")])
        self.assertIn("gRPC 1.51.1, Envoy 1.2.3 with 1 worker thread, 2 CPUs.", facts)
        self.assertIn("2 runs of each row, each with 3 s of warm-up and then 8 s", facts)
        self.assertIn("within 0.2 ms", facts)
        # p50: 1 and 5. p99: 4 and 1000. CPU time: 12 and 20.
        self.assertIn("up to 400% in p50, 24900% in p99 and 67% in CPU time", facts)

    def test_is_none_of_the_tables_beside_the_simulator(self):
        # model.py knows those by such a line above them.
        self.assertNotIn("calls per second\n", self.text)


if __name__ == "__main__":
    unittest.main()
