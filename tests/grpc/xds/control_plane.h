// The control plane of examples/xds as a process, and fleets for it.
//
// Must not depend on: policies, gRPC's core.
#ifndef STEER_TESTS_GRPC_XDS_CONTROL_PLANE_H_
#define STEER_TESTS_GRPC_XDS_CONTROL_PLANE_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/process.h"

namespace steer_test {

struct XdsEndpoint {
  XdsEndpoint(int port, int weight = 0, std::string more = "")  // NOLINT: a port is one
      : port(port), weight(weight), more(std::move(more)) {}

  int port;
  // 0: none is set.
  int weight;
  // Further keys of the JSON, each with a comma before it.
  std::string more;
};

struct XdsLocality {
  std::string zone;
  std::vector<XdsEndpoint> endpoints;
  int weight = 1;
  int priority = 0;
};

struct XdsCluster {
  // {name: config}. Clients take the first one that they know.
  std::vector<std::string> policies;
  std::vector<XdsLocality> localities;
  // Whether each locality has a policy of its own, below WrrLocality.
  bool wrr_locality = true;
  // Further keys of the JSON, each with a comma before it.
  std::string more = {};
};

// A service with these clusters, which share its calls. All calls of a user, the header "user",
// have the same hash.
std::string ServiceJson(const std::map<std::string, XdsCluster>& clusters);

// The JSON of a fleet of these services. `more`: as above.
std::string FleetJson(const std::map<std::string, std::string>& services,
                      const std::string& more = "");

// Endpoints of these ports.
std::vector<XdsEndpoint> EndpointsOf(const std::vector<int>& ports);

// All control planes of this process have the same port, one after the other: clients read it from
// the environment.
class ControlPlane {
 public:
  // Starts the process (again). Returns why it cannot run here. Empty: it runs.
  std::string Start();
  // Kills the process. Waits for its end.
  void Kill();

  // Serves this fleet from now on. Returns false if it is none.
  bool ServeFleet(const std::string& fleet);
  // Serves one service, named "greeter".
  bool Serve(const XdsCluster& cluster, const std::string& more = "");

  // Waits for a line of the process that has this text. Lines before it are not looked at again.
  // Returns the line. Empty: none came in time.
  std::string WaitForLine(const std::string& text);

 private:
  std::unique_ptr<ChildProcess> process_;
};

// Tells gRPC where the control planes are. Call it before the first channel.
void SetXdsBootstrap();

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_XDS_CONTROL_PLANE_H_
