// gRPC's policy that runs one of the engine's. It hands updates to the engine, and passes the
// engine's callbacks on to the channel. It decides nothing.
//
// Lifetime: gRPC makes it for a channel and calls it in the work serializer. It owns the engine's
// policy until ShutdownLocked. Endpoints hold references to it. Pickers and connections may outlive
// it; they reach it only through Host, whose pointer to it is null after shutdown.
//
// Must not depend on: any particular policy, how an endpoint is made of subchannels.
#ifndef STEER_SHIM_POLICY_H
#define STEER_SHIM_POLICY_H

#include <memory>
#include <string>
#include <utility>

#include "generation/base.h"
#include "generation/load_reports.h"
#include "generation/update.h"
#include "steer/host.hpp"
#include "steer/host_list.hpp"
#include "steer/steer.h"

namespace steer::shim {

// A parsed config. gRPC carries it from the parser to the policy.
class EngineConfig : public GrpcConfig {
 public:
  EngineConfig(std::string policy_name, host::ConfigPtr config)
      : policy_name_(std::move(policy_name)), config_(std::move(config)) {}

  Name name() const override { return NameOf(policy_name_); }
  const steer_config* get() const { return config_.get(); }

 private:
  const std::string policy_name_;
  const host::ConfigPtr config_;
};

using AddressPtr = host::LatestList<Address>::Ptr;
struct ConnectorArgs;

class Policy : public GrpcPolicy {
 public:
  Policy(std::string name, Args args);

  Name name() const override { return NameOf(name_); }
  UpdateResult UpdateLocked(UpdateArgs args) override;
  void ExitIdleLocked() override;
  void ResetBackoffLocked() override;

  // For endpoints. The engine ignores reports of endpoints that were dropped. `connection` is a
  // reference that this function takes over. It is null unless the state is READY.
  // `connector_asked`: re-resolution was requested for this change, and one request is enough.
  void ReportLocked(uint64_t endpoint, grpc_connectivity_state state, const absl::Status& status,
                    void* connection, bool connector_asked);

  // For endpoints, in the work serializer.
  GrpcHelper* helper() const { return channel_control_helper(); }
  const SerializerPtr& serializer() const;
  LoadReports LoadReportsOf(uint64_t endpoint, uint64_t period_ns) const;

 private:
  // What gRPC passed in. The constructor compares it with what gRPC's base class returns.
  struct Passed {
    SerializerPtr serializer;
    GrpcHelper* helper;
  };

  Policy(std::string name, const Passed& passed, Args&& args);

  void ShutdownLocked() override;
  absl::Status HandInLocked(UpdateArgs args);
  // Describes an update for the engine. Makes its addresses and channel args the latest ones.
  void DescribeUpdate(const UpdateArgs& args, host::Resolved* resolved);
  // Makes `list` the latest one, and describes the endpoints that are new in it.
  template <typename List>
  void TakeAddresses(const List& list, host::Resolved* resolved);

  // The engine's callbacks. Shared with what outlives the policy.
  struct Host;

  const std::string name_;
  // Where a policy that cannot work reports that calls fail. Not read from the base class, whose
  // layout may be wrong.
  GrpcHelper* const helper_;
  const std::shared_ptr<Host> host_;
  // Why the policy cannot work and all calls fail. Empty: it works.
  std::string why_unusable_;
  // The addresses of the latest update that had any. The engine makes endpoints of them later, too,
  // and endpoints share them.
  host::LatestList<Address> addresses_;
  // What the endpoints of that update share. Replaced when the channel args change.
  std::shared_ptr<const ConnectorArgs> connector_args_;
  // How often that happened: the number by which the engine tells the channel args apart.
  uint64_t connector_args_count_ = 0;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_POLICY_H
