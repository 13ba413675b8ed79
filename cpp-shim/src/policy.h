// gRPC's policy that runs one of the engine's: hands updates in, and the engine's wishes to the
// channel. Decides nothing.
//
// Lifetimes: the policy owns the engine's policy until ShutdownLocked. Endpoints and their
// watchers hold references to the policy. What outlives it (pickers, connections) reaches it only
// through Host, which knows whether it is still there.
//
// Must not know: any particular policy, how an endpoint is made of subchannels.
#ifndef STEER_SHIM_POLICY_H
#define STEER_SHIM_POLICY_H

#include <memory>
#include <string>
#include <vector>

#include "generation/base.h"
#include "generation/load_reports.h"
#include "generation/update.h"
#include "steer/host.hpp"
#include "steer/host_list.hpp"
#include "steer/steer.h"

namespace steer::shim {

// A parsed config, which gRPC carries from the parser to the policy.
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

  // What an endpoint reports. A late report, of an endpoint that was dropped, does nothing.
  // `connection` is a reference, taken over, or null but in READY.
  void ReportLocked(uint64_t endpoint, grpc_connectivity_state state, const absl::Status& status,
                    void* connection);

  // What endpoints are made with. In the work serializer.
  GrpcHelper* helper() const { return channel_control_helper(); }
  const SerializerPtr& serializer() const;
  LoadReports LoadReportsOf(uint64_t endpoint, uint64_t period_ns) const;

 private:
  // What gRPC has passed in, to be compared with what its base class has made of that.
  struct Passed {
    SerializerPtr serializer;
    GrpcHelper* helper;
  };

  Policy(std::string name, const Passed& passed, Args&& args);

  void ShutdownLocked() override;
  absl::Status HandInLocked(UpdateArgs args);
  // Makes `list` the latest one, and describes the endpoints that are new in it.
  template <typename List>
  void TakeAddresses(const List& list, host::Resolved* resolved);

  // The engine's way back, shared with what outlives the policy.
  struct Host;

  const std::string name_;
  // Where calls that cannot be made are reported to, whatever the base class says.
  GrpcHelper* const helper_;
  const std::shared_ptr<Host> host_;
  // Why it fails all calls; empty: it does not.
  std::string why_lame_;
  // The latest update with addresses, of which the engine makes endpoints when it sees fit.
  // Shared with the endpoints made of it, which what stays the same is not compared with but by
  // pointers.
  host::LatestList<Address> addresses_;
  std::shared_ptr<const ConnectorArgs> channel_;
  // Counts them.
  uint64_t channels_ = 0;
};

}  // namespace steer::shim

#endif  // STEER_SHIM_POLICY_H
