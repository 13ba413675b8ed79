// The control plane of examples/xds: its port, its process, and its fleets.
#include "xds/control_plane.h"

#include <chrono>
#include <cstdlib>
#include <optional>

#include "support/backend.h"
#include "support/wait.h"

namespace steer_test {
namespace {

// The exit status of a script that cannot run here, as automake has it.
constexpr int kSkipped = 75;

const std::string& Port() {
  static const ReservedPort port;
  static const std::string text = std::to_string(port.port());
  return text;
}

// [<element>,...]
template <typename List, typename Text>
std::string Array(const List& list, const Text& text) {
  std::string array;
  for (const auto& element : list) array += (array.empty() ? "" : ",") + text(element);
  return "[" + array + "]";
}

std::string EndpointJson(const XdsEndpoint& endpoint) {
  const std::string weight =
      endpoint.weight == 0 ? "" : ",\"weight\":" + std::to_string(endpoint.weight);
  return "{\"port\":" + std::to_string(endpoint.port) + weight + endpoint.more + "}";
}

std::string LocalityJson(const XdsLocality& locality) {
  return R"({"region":"here","zone":")" + locality.zone +
         "\",\"weight\":" + std::to_string(locality.weight) +
         ",\"priority\":" + std::to_string(locality.priority) +
         ",\"endpoints\":" + Array(locality.endpoints, EndpointJson) + "}";
}

std::string ClusterJson(const XdsCluster& cluster) {
  const auto as_is = [](const std::string& text) { return text; };
  return R"({"policies":)" + Array(cluster.policies, as_is) +
         ",\"localities\":" + Array(cluster.localities, LocalityJson) +
         ",\"wrr_locality\":" + (cluster.wrr_locality ? "true" : "false") + cluster.more + "}";
}

// {"<key>":<value>,...}
template <typename Value, typename Text>
std::string Object(const std::map<std::string, Value>& map, const Text& text) {
  std::string fields;
  for (const auto& [key, value] : map) {
    fields += (fields.empty() ? "\"" : ",\"") + key + "\":" + text(value);
  }
  return "{" + fields + "}";
}

}  // namespace

std::string ServiceJson(const std::map<std::string, XdsCluster>& clusters) {
  return R"({"route":{"hashPolicy":[{"header":{"headerName":"user"}}]},"clusters":)" +
         Object(clusters, ClusterJson) + "}";
}

std::string FleetJson(const std::map<std::string, std::string>& services, const std::string& more) {
  const auto as_is = [](const std::string& text) { return text; };
  return "{\"services\":" + Object(services, as_is) + more + "}";
}

std::vector<XdsEndpoint> EndpointsOf(const std::vector<int>& ports) {
  return {ports.begin(), ports.end()};
}

std::string ControlPlane::Start() {
  process_ = std::make_unique<ChildProcess>(
      std::vector<std::string>{STEER_TEST_XDS_PYTHON, STEER_TEST_CONTROL_PLANE, Port()},
      std::vector<std::string>{}, ChildProcess::Stderr::kWithStdout);
  std::string last = "the control plane says nothing";
  while (const std::optional<std::string> line = process_->ReadLine(kPatience)) {
    if (line->rfind("LISTENING", 0) == 0) return "";
    last = *line;
  }
  // Another status is a fault of the test.
  if (process_->Wait(kPatience) != kSkipped) std::abort();
  return last;
}

void ControlPlane::Kill() { process_->Kill(); }

bool ControlPlane::ServeFleet(const std::string& fleet) {
  process_->WriteLine(fleet);
  while (const std::optional<std::string> line = process_->ReadLine(kPatience)) {
    if (*line == "SERVING") return true;
    if (line->rfind("REJECTED", 0) == 0) return false;
  }
  return false;
}

bool ControlPlane::Serve(const XdsCluster& cluster, const std::string& more) {
  return ServeFleet(FleetJson({{"greeter", ServiceJson({{"greeter", cluster}})}}, more));
}

std::string ControlPlane::WaitForLine(const std::string& text) {
  while (const std::optional<std::string> line = process_->ReadLine(kPatience)) {
    if (line->find(text) != std::string::npos) return *line;
  }
  return "";
}

void SetXdsBootstrap() {
  const std::string bootstrap =
      R"({"node":{"id":"test"},"xds_servers":[{"channel_creds":[{"type":"insecure"}],)"
      R"("server_features":["xds_v3"],"server_uri":"127.0.0.1:)" +
      Port() + "\"}]}";
  // gRPC prefers this one.
  unsetenv("GRPC_XDS_BOOTSTRAP");
  setenv("GRPC_XDS_BOOTSTRAP_CONFIG", bootstrap.c_str(), 1);
  // Up to 1.54 gRPC reads a cluster's load_balancing_policy only with this.
  setenv("GRPC_EXPERIMENTAL_XDS_CUSTOM_LB_CONFIG", "true", 1);
}

}  // namespace steer_test
