// What the engine calls an endpoint: a Connector (a subchannel, or from gRPC 1.60 on a pick_first
// child) that reports to a Policy.
//
// Lifetime: made by Policy when the engine asks for an endpoint, used in the work serializer,
// dropped when the engine frees it. gRPC's callbacks hold references, so it may live a little
// longer; then it reports nothing.
//
// Must not depend on: the engine, which calls endpoints through Policy.
#ifndef STEER_SHIM_ENDPOINT_H
#define STEER_SHIM_ENDPOINT_H

#include <memory>
#include <utility>

#include "generation/connector.h"
#include "policy.h"

namespace steer::shim {

// What an endpoint is made from.
struct EndpointArgs {
  // Held as long as the endpoint, because connections use the policy's pollset_set.
  grpc_core::RefCountedPtr<GrpcPolicy> policy;
  uint64_t id;
  AddressPtr address;
  std::shared_ptr<const ConnectorArgs> connector;
  // Which of several connections to its backend it is.
  uint32_t connection;
};

// All methods run in the work serializer.
class Endpoint final : public Connector {
 public:
  // Returns the engine's reference, which DropLocked gives back. Null: gRPC refuses the address.
  // `load_period_ns`: see ReportLoadLocked.
  static Endpoint* NewLocked(EndpointArgs args, uint64_t load_period_ns) {
    auto endpoint = grpc_core::MakeRefCounted<Endpoint>(std::move(args), load_period_ns);
    const EndpointArgs& made_from = endpoint->args_;
    if (!endpoint->StartLocked(*made_from.address, *made_from.connector, made_from.connection)) {
      return nullptr;
    }
    return endpoint.release();
  }

  Endpoint(EndpointArgs args, uint64_t load_period_ns)
      : args_(std::move(args)), load_period_ns_(load_period_ns) {}

  const EndpointArgs& args() const { return args_; }
  // How often the backend reports its load. 0: never.
  uint64_t load_period_ns() const { return load_period_ns_; }

  // Has the backend report its load this often from now on. Changes nothing where gRPC cannot do
  // that for an endpoint that exists.
  void ReportLoadLocked(uint64_t period_ns) {
    const uint64_t former = std::exchange(load_period_ns_, period_ns);
    if (former != period_ns && !ChangeLoadReportsLocked()) load_period_ns_ = former;
  }

  // The caller does not use the endpoint afterwards.
  void DropLocked() {
    StopLocked();
    Unref();
  }

 private:
  void OnStateLocked(grpc_connectivity_state state, const absl::Status& status,
                     grpc_core::RefCountedPtr<Connection> connection, bool has_asked) override {
    policy()->ReportLocked(args_.id, state, status, connection.release(), has_asked);
  }
  GrpcHelper* helper() const override { return policy()->helper(); }
  const SerializerPtr& serializer() const override { return policy()->serializer(); }
  grpc_pollset_set* interested_parties() const override {
    return args_.policy->interested_parties();
  }
  LoadReports load_reports() const override {
    return policy()->LoadReportsOf(args_.id, load_period_ns_);
  }

  // Only Policy makes endpoints, so `args_.policy` is a Policy.
  Policy* policy() const { return static_cast<Policy*>(args_.policy.get()); }

  const EndpointArgs args_;
  uint64_t load_period_ns_;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_ENDPOINT_H
