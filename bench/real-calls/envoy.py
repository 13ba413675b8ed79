"""Runs an Envoy between a client and its servers: for script/report --envoy.

Envoy listens on 127.0.0.1 alone, at free ports. It has one worker, and only what it needs for this:
no access log, no request ids, no retries and no health checks. Nothing limits its connections,
streams and pending requests.

Depends on Envoy's config and its admin interface. Must not depend on: what is measured.
"""

import http.client
import json
import os
import pathlib
import sys
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "examples" / "testing"))
from greeters import require, started, stopped  # noqa: E402

# The header that ring hash hashes.
HEADER = "session"
# One client has one connection to Envoy, and Envoy serves a connection with one worker.
WORKERS = 1
# Above all that the scenarios can reach.
MANY = 1_000_000
# In seconds; enough for a busy machine.
PATIENCE = 60
EXTENSIONS = "type.googleapis.com/envoy.extensions"


def socket_address(address):
    host, port = address.rsplit(":", 1)
    return {"socket_address": {"address": host, "port_value": int(port)}}


def http2(options):
    """Returns the options of a cluster that speaks HTTP/2 without TLS."""
    name = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
    value = {
        "@type": f"type.googleapis.com/{name}",
        "explicit_http_config": {"http2_protocol_options": options},
    }
    return {name: value}


def cluster(servers, policy):
    """Returns the cluster of the servers, pairs of a name and an address. `policy` has the fields
    that choose the policy. Ring hash hashes the names."""
    endpoints = [
        {
            "endpoint": {"address": socket_address(address)},
            "metadata": {"filter_metadata": {"envoy.lb": {"hash_key": name}}},
        }
        for name, address in servers
    ]
    limits = ("max_connections", "max_pending_requests", "max_requests")
    return {
        "name": "servers",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "servers",
            "endpoints": [{"lb_endpoints": endpoints}],
        },
        "circuit_breakers": {"thresholds": [dict.fromkeys(limits, MANY)]},
        "typed_extension_protocol_options": http2({"max_concurrent_streams": MANY}),
        **policy,
    }


def connection_manager():
    """Returns the filter that routes all calls to the servers."""
    route = {
        "cluster": "servers",
        # The client's deadline ends a call.
        "timeout": "0s",
        "hash_policy": [{"header": {"header_name": HEADER}}],
    }
    hosts = [{"name": "all", "domains": ["*"], "routes": [{"match": {"prefix": "/"}}]}]
    hosts[0]["routes"][0]["route"] = route
    router = f"{EXTENSIONS}.filters.http.router.v3.Router"
    manager = "filters.network.http_connection_manager.v3.HttpConnectionManager"
    return {
        "name": "calls",
        "typed_config": {
            "@type": f"{EXTENSIONS}.{manager}",
            "stat_prefix": "calls",
            "codec_type": "HTTP2",
            "http2_protocol_options": {"max_concurrent_streams": MANY},
            "generate_request_id": False,
            "route_config": {"name": "all", "virtual_hosts": hosts},
            "http_filters": [
                {
                    "name": "router",
                    "typed_config": {"@type": router, "suppress_envoy_headers": True},
                }
            ],
        },
    }


def config(servers, policy):
    """Returns Envoy's config, for servers and a policy as in cluster()."""
    listener = {
        "name": "calls",
        "address": socket_address("127.0.0.1:0"),
        "enable_reuse_port": False,
        "filter_chains": [{"filters": [connection_manager()]}],
    }
    return {
        "admin": {"address": socket_address("127.0.0.1:0")},
        "static_resources": {"listeners": [listener], "clusters": [cluster(servers, policy)]},
    }


def cpu_seconds(stat):
    """Returns the CPU time in the text of a /proc/PID/stat: the fields utime and stime."""
    # The second field is the program's name, in parentheses, and may contain anything.
    fields = stat.rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Envoy:
    """An Envoy, which runs during a `with`. Has an address, as servers have."""

    def __init__(self, program, servers, policy, folder):
        """`folder` is one for Envoy's files."""
        self._admin = pathlib.Path(folder, "admin")
        file = pathlib.Path(folder, "config.json")
        file.write_text(json.dumps(config([(it.name, it.address) for it in servers], policy)))
        self._command = [program, "--config-path", file, "--concurrency", str(WORKERS)]
        self._command += ["--admin-address-path", self._admin]
        self._command += ["--disable-hot-restart", "--log-level", "error"]

    def __enter__(self):
        self._process = started(self._command)
        try:
            self.address = self._listening()
        except BaseException:
            stopped(self._process)
            raise
        return self

    def __exit__(self, *_):
        stopped(self._process)

    def cpu_s(self):
        """Returns the CPU time so far."""
        return cpu_seconds(pathlib.Path(f"/proc/{self._process.pid}/stat").read_text())

    def _listening(self):
        """Waits until Envoy can be called, and returns its address."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            require(self._process.poll() is None, "Envoy did not start (see above)")
            if self._asked("/ready") is not None:
                listeners = json.loads(self._asked("/listeners?format=json"))
                address = listeners["listener_statuses"][0]["local_address"]["socket_address"]
                return f"{address['address']}:{address['port_value']}"
            time.sleep(0.05)
        require(False, f"Envoy was not ready within {PATIENCE} s")

    def _asked(self, path):
        """Returns the admin interface's answer. Nothing if it is not there or not ready."""
        if not self._admin.exists() or not (address := self._admin.read_text()):
            return None
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.read() if answer.status == 200 else None
        except ConnectionError:
            return None
        finally:
            connection.close()
