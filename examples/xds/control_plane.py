"""A small xDS control plane, for tests and for trying things out. Listens on 127.0.0.1 only.

    control_plane.py PORT FLEET.json     serves the file, and again whenever it changes
    control_plane.py PORT                serves what stdin says: a fleet as JSON in each line

A fleet says which services there are, on which servers, and how clients choose among them.
README.md has an example, and every key. Prints a line when it listens, when it serves another
fleet, when a client accepts (ACK) or rejects (NACK) resources, and when one reports its load.

Knows the state-of-the-world variant of ADS, with LDS, RDS, CDS and EDS, and LRS. The general flow
is: resources_of() turns a fleet into messages, Resources counts the versions of each type, and
Stream sends a client what it asked for and does not have yet.

Must not depend on: Steer.
"""

import importlib
import json
import pathlib
import sys
import threading
import time
from concurrent import futures

import grpc
from envoy.config.cluster.v3 import cluster_pb2
from envoy.config.endpoint.v3 import endpoint_pb2
from envoy.config.listener.v3 import listener_pb2
from envoy.config.route.v3 import route_pb2
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from envoy.service.load_stats.v3 import lrs_pb2, lrs_pb2_grpc
from google.protobuf import any_pb2, json_format

# Messages that are used by their names only.
for module in (
    "envoy.extensions.filters.http.router.v3.router_pb2",
    "envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2",
    "xds.type.v3.typed_struct_pb2",
    *(
        f"envoy.extensions.load_balancing_policies.{policy}.v3.{policy}_pb2"
        for policy in (
            "client_side_weighted_round_robin",
            "ring_hash",
            "round_robin",
            "wrr_locality",
        )
    ),
):
    importlib.import_module(module)

TYPE = "type.googleapis.com/"
LDS, RDS, CDS, EDS = (
    TYPE + message.DESCRIPTOR.full_name
    for message in (
        listener_pb2.Listener,
        route_pb2.RouteConfiguration,
        cluster_pb2.Cluster,
        endpoint_pb2.ClusterLoadAssignment,
    )
)
NAMES = {LDS: "LDS", RDS: "RDS", CDS: "CDS", EDS: "EDS"}
HTTP = "envoy.extensions.filters.http.router.v3.Router"
MANAGER = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
WRR_LOCALITY = "envoy.extensions.load_balancing_policies.wrr_locality.v3.WrrLocality"


STDOUT = threading.Lock()


def say(*words):
    with STDOUT:  # Otherwise two threads may share a line.
        print(*words, flush=True)


# --- From a fleet to messages, which are written as protobuf's JSON, as in Envoy's docs ---


def listener(name, service):
    manager = {"@type": TYPE + MANAGER, "httpFilters": [{"name": "router"}]}
    manager["httpFilters"][0]["typedConfig"] = {"@type": TYPE + HTTP}
    manager["rds"] = {"routeConfigName": name, "configSource": {"ads": {}}}
    return {"name": name, "apiListener": {"apiListener": manager}}


def routes(name, service):
    """All calls go to the clusters, by their weights; `route` adds to the action, as hashPolicy."""
    weighted = [
        {"name": key, "weight": of.get("weight", 1)} for key, of in service["clusters"].items()
    ]
    # gRPC up to 1.51 wants the sum, and takes 100 without it.
    clusters = {"clusters": weighted, "totalWeight": sum(of["weight"] for of in weighted)}
    action = {"weightedClusters": clusters, **service.get("route", {})}
    host = {"name": name, "domains": ["*"], "routes": [{"match": {"prefix": ""}, "route": action}]}
    return {"name": name, "virtualHosts": [host]}


def policy(entry):
    """For {name: config}: Envoy's own policy by the name of its message, others by TypedStruct."""
    ((name, config),) = entry.items()
    if name.startswith("envoy."):
        typed = {"@type": TYPE + name, **config}
    else:
        typed = {"@type": TYPE + "xds.type.v3.TypedStruct", "typeUrl": TYPE + name, "value": config}
    return {"typedExtensionConfig": {"name": name, "typedConfig": typed}}


def cluster(name, of):
    made = {"name": name, "type": "EDS", "edsClusterConfig": {"edsConfig": {"ads": {}}}}
    policies = {"policies": [policy(entry) for entry in of.get("policies", [])]}
    if of.get("wrr_locality", True):
        config = {"endpointPickingPolicy": policies}
        policies = {"policies": [policy({WRR_LOCALITY: config})]}
    if of.get("policies"):
        made["loadBalancingPolicy"] = policies
    return {**made, **of.get("cluster", {})}


def endpoint(of):
    at = {"socketAddress": {"address": "127.0.0.1", "portValue": of["port"]}}
    made = {"endpoint": {"address": at}, "healthStatus": of.get("health", "UNKNOWN")}
    if "weight" in of:
        made["loadBalancingWeight"] = of["weight"]
    if "metadata" in of:
        made["metadata"] = {"filterMetadata": of["metadata"]}
    return made


def locality(of):
    return {
        "locality": {"region": of.get("region", ""), "zone": of.get("zone", "")},
        "priority": of.get("priority", 0),
        "loadBalancingWeight": of.get("weight", 1),
        "lbEndpoints": [endpoint(one) for one in of["endpoints"]],
    }


def assignment(name, of):
    drops = of.get("drops", {})
    overloads = [
        {"category": category, "dropPercentage": {"numerator": percent}}
        for category, percent in drops.items()
    ]
    localities = [locality(one) for one in of.get("localities", [])]
    return {"clusterName": name, "endpoints": localities, "policy": {"dropOverloads": overloads}}


def resources_of(fleet):
    """{type: {name: resource}}. The resources are serialised, so that they can be rubbish."""
    services = fleet["services"]
    clusters = {key: of for service in services.values() for key, of in service["clusters"].items()}
    made = {
        LDS: {name: listener(name, of) for name, of in services.items()},
        RDS: {name: routes(name, of) for name, of in services.items()},
        CDS: {name: cluster(name, of) for name, of in clusters.items()},
        EDS: {name: assignment(name, of) for name, of in clusters.items()},
    }
    packed = {}
    for url, by_name in made.items():
        packed[url] = {}
        for name, fields in by_name.items():
            resource = any_pb2.Any()
            json_format.ParseDict({"@type": url, **fields}, resource)
            if NAMES[url] in fleet.get("rubbish", []):
                resource.value = b"\xff\xff rubbish"
            packed[url][name] = resource
    return packed


# --- Serving them ---


class Resources:
    """What is served now, for all streams. Any thread."""

    def __init__(self):
        self.changed = threading.Condition()
        # The following are guarded by it.
        self.by_type = {url: {} for url in NAMES}
        self.versions = dict.fromkeys(NAMES, 0)
        self.lag = 0

    def serve(self, fleet):
        """Raises an exception if it is no fleet; then the former one stays."""
        made = resources_of(fleet)
        with self.changed:
            for url in NAMES:
                if made[url] != self.by_type[url]:
                    self.by_type[url] = made[url]
                    self.versions[url] += 1
            self.lag = fleet.get("lag", 0)
            say("SERVING")  # Before any client answers.
            self.changed.notify_all()


class Stream:
    """One client. A thread reads its requests, and gRPC's thread sends responses."""

    def __init__(self, resources):
        self._resources = resources
        self._ended = False
        # By type: the names that the client asks for, and version and names of the last response.
        self._asked = {}
        self._sent = {}

    def read(self, requests):
        try:
            for request in requests:
                self._hear(request)
        except grpc.RpcError:
            pass  # The client is gone.
        with self._resources.changed:
            self._ended = True
            self._resources.changed.notify_all()

    def _hear(self, request):
        name = NAMES.get(request.type_url)
        if request.HasField("error_detail"):
            say("NACK", name, json.dumps(request.error_detail.message))
        elif request.response_nonce:
            say("ACK", name, request.version_info)
        names = frozenset(request.resource_names)
        with self._resources.changed:
            self._asked[request.type_url] = names
            # A name that the client gives up and asks for again later is sent again.
            version, sent = self._sent.get(request.type_url, (0, frozenset()))
            self._sent[request.type_url] = (version, sent & names)
            self._resources.changed.notify_all()

    def _due(self, url):
        """Whether the client lacks a version or a name. Giving up all names needs no answer."""
        names = self._asked[url]
        return bool(names) and self._sent[url] != (self._resources.versions[url], names)

    def responses(self):
        resources = self._resources
        while True:
            with resources.changed:
                due = []
                while not self._ended and not due:
                    # In the order LDS, RDS, CDS, EDS, so that what is named is there.
                    due = [url for url in NAMES if url in self._asked and self._due(url)]
                    if not due:
                        resources.changed.wait()
                if self._ended:
                    return
                lag = resources.lag
            time.sleep(lag)
            yield self._response(due[0])

    def _response(self, url):
        with self._resources.changed:
            version, names = self._resources.versions[url], self._asked[url]
            self._sent[url] = (version, names)
            found = [self._resources.by_type[url].get(name) for name in sorted(names)]
        return discovery_pb2.DiscoveryResponse(
            type_url=url,
            version_info=str(version),
            nonce=str(time.monotonic_ns()),
            resources=[resource for resource in found if resource is not None],
        )


class Discovery(ads_pb2_grpc.AggregatedDiscoveryServiceServicer):
    def __init__(self, resources):
        self._resources = resources

    def StreamAggregatedResources(self, requests, context):
        stream = Stream(self._resources)
        threading.Thread(target=stream.read, args=[requests], daemon=True).start()
        yield from stream.responses()


class LoadStats(lrs_pb2_grpc.LoadReportingServiceServicer):
    """Asks for a report every 0.2 s, and prints those that are not empty."""

    def StreamLoadStats(self, requests, context):
        for number, request in enumerate(requests):
            if number == 0:
                asked = lrs_pb2.LoadStatsResponse(send_all_clusters=True)
                asked.load_reporting_interval.nanos = 200_000_000
                yield asked
            for stats in request.cluster_stats:
                for of in stats.upstream_locality_stats:
                    if of.total_issued_requests:
                        say("LOAD", stats.cluster_name, of.locality.zone, of.total_issued_requests)
                if stats.total_dropped_requests:
                    say("DROPPED", stats.cluster_name, stats.total_dropped_requests)


def lines_of(path):
    """The contents of the file, at once and whenever it has changed."""
    former = None
    while True:
        text = path.read_text(encoding="utf-8")
        if text != former:
            yield text
        former = text
        time.sleep(0.2)


def main(port, fleet=None):
    resources = Resources()
    # Each client takes a thread for each of its streams.
    server = grpc.server(futures.ThreadPoolExecutor(64), options=[("grpc.so_reuseport", 0)])
    ads_pb2_grpc.add_AggregatedDiscoveryServiceServicer_to_server(Discovery(resources), server)
    lrs_pb2_grpc.add_LoadReportingServiceServicer_to_server(LoadStats(), server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    say("LISTENING", port)
    for text in sys.stdin if fleet is None else lines_of(pathlib.Path(fleet)):
        try:
            resources.serve(json.loads(text))
        except (ValueError, KeyError, TypeError, json_format.ParseError) as error:
            say("REJECTED", repr(error))
    server.stop(None)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        pass
