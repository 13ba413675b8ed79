// Subchannel mode, up to gRPC 1.59: a subchannel under a watch. Included by connector.h alone.
//
// Differs between gRPC versions:
//   channel args of a subchannel   up to 1.48 C's type; then C++'s
//   connecting                     the method's name
//   a watch                        up to 1.47 begins with a state that the shim asks for, and a
//                                  failure has no reason; from 1.48 on there is a status
//   a failed subchannel            in 1.46 waits for a request; from 1.47 on goes IDLE
//   health checks                  up to 1.55 the channel's task; from 1.56 on the policy's
//
// Must not depend on: the engine, Policy, Endpoint.
#ifndef STEER_SHIM_GENERATION_SUBCHANNEL_CONNECTOR_H
#define STEER_SHIM_GENERATION_SUBCHANNEL_CONNECTOR_H

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "base.h"
#include "connector_base.h"
#include "load_reports.h"

#if __has_include("src/core/ext/filters/client_channel/lb_policy/health_check_client.h")  // 1.56
#include "src/core/ext/filters/client_channel/client_channel_internal.h"
#include "src/core/ext/filters/client_channel/lb_policy/health_check_client.h"
#define STEER_HEALTH_IS_THE_POLICYS 1
#endif

namespace steer::shim {

// The failure of a connection, in the words that gRPC's round_robin of this version shows to users.
inline std::string FailureText(const absl::Status& status) { return status.ToString(); }

using SubchannelPtr = grpc_core::RefCountedPtr<Subchannel>;

// Null: gRPC refuses the address.
inline SubchannelPtr CreateSubchannel(GrpcHelper* helper, const Address& address,
                                      const ChannelArgs& args) {
#ifdef STEER_GRPC_TO_1_48
  const grpc_channel_args* c_args = args.ToC();
  auto subchannel = helper->CreateSubchannel(address, *c_args);
  grpc_channel_args_destroy(c_args);
  return subchannel;
#else
  return helper->CreateSubchannel(address, args);
#endif
}

template <typename S>
auto RequestConnection(S* subchannel, Preferred) -> decltype(subchannel->RequestConnection()) {
  subchannel->RequestConnection();
}
template <typename S>
void RequestConnection(S* subchannel, Fallback) {
  subchannel->AttemptToConnect();
}

class StateWatcher : public Subchannel::ConnectivityStateWatcherInterface {
 public:
  // The first state comes with the watch. Up to 1.47 the status is always OK.
  virtual void OnState(grpc_connectivity_state state, const absl::Status& status) = 0;

  // gRPC's interface has one of these two methods.
  void OnConnectivityStateChange(grpc_connectivity_state state) {
    OnState(state, absl::OkStatus());
  }
  void OnConnectivityStateChange(grpc_connectivity_state state, absl::Status status) {
    OnState(state, status);
  }
};

// Up to 1.47 a watch begins with a state that the caller asks for.
template <typename S>
auto WatchStates(S* subchannel, std::unique_ptr<StateWatcher> owned, Preferred)
    -> decltype(subchannel->CheckConnectivityState(), void()) {
  StateWatcher* watcher = owned.get();
  const grpc_connectivity_state state = subchannel->CheckConnectivityState();
  subchannel->WatchConnectivityState(state, std::move(owned));
  watcher->OnState(state, absl::OkStatus());
}
template <typename S>
void WatchStates(S* subchannel, std::unique_ptr<StateWatcher> watcher, Fallback) {
  subchannel->WatchConnectivityState(std::move(watcher));
}

// Starts a watch, with health checks if the channel wants them. Returns the watch if it must be
// cancelled before the subchannel is released, otherwise null.
inline StateWatcher* StartWatch(Subchannel* subchannel, std::unique_ptr<StateWatcher> watcher,
                                [[maybe_unused]] const SerializerPtr& serializer,
                                [[maybe_unused]] const ChannelArgs& args) {
#ifdef STEER_HEALTH_IS_THE_POLICYS
  const auto service = args.GetString(GRPC_ARG_HEALTH_CHECK_SERVICE_NAME);
  if (service.has_value() && !args.GetBool(GRPC_ARG_INHIBIT_HEALTH_CHECKING).value_or(false)) {
    // gRPC wants the service's name, or from 1.57 on all args. This converts to both.
    struct Service {
      absl::string_view name;
      const ChannelArgs& args;
      operator absl::string_view() const { return name; }
      operator const ChannelArgs&() const { return args; }
    };
    subchannel->AddDataWatcher(
        grpc_core::MakeHealthCheckWatcher(serializer, Service{*service, args}, std::move(watcher)));
    return nullptr;
  }
#endif
  StateWatcher* watch = watcher.get();
  WatchStates(subchannel, std::move(watcher), Preferred());
  return watch;
}

// What the endpoints of an update share.
struct ConnectorArgs {
  explicit ConnectorArgs(ChannelArgs channel_args) : args(std::move(channel_args)) {}

  const ChannelArgs args;
};

class Connector : public ConnectorBase<Connector> {
 public:
  bool StartLocked(const Address& address, const ConnectorArgs& shared, uint32_t connection);
  void ConnectLocked() { RequestConnection(subchannel_.get(), Preferred()); }
  void ResetBackoffLocked() { subchannel_->ResetBackoff(); }
  // Follows a change of load_reports(). Returns false, and changes nothing, if gRPC cannot.
  bool ChangeLoadReportsLocked() { return load_watch_.Set(subchannel_.get(), load_reports()); }
  void StopLocked();

 private:
  class Watcher;

  // Null before StartLocked and after StopLocked.
  SubchannelPtr subchannel_;
  // What StopLocked cancels, if anything. The subchannel owns it; a pointer value only, never
  // dereferenced.
  StateWatcher* watch_ = nullptr;
  LoadWatch load_watch_;
};

// gRPC owns it, and may still call it after StopLocked, if a notification was under way.
class Connector::Watcher final : public StateWatcher {
 public:
  explicit Watcher(grpc_core::RefCountedPtr<Connector> connector)
      : connector_(std::move(connector)) {}

  void OnState(grpc_connectivity_state state, const absl::Status& status) override {
    const SubchannelPtr& subchannel = connector_->subchannel_;
    if (subchannel == nullptr) return;
    // In 1.46 a failed subchannel waits for a request. Later it goes IDLE, and a failure that
    // arrives here has a reason.
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE && status.ok()) connector_->ConnectLocked();
    connector_->OnStateLocked(state, status,
                              state == GRPC_CHANNEL_READY ? subchannel->Ref() : nullptr,
                              /*has_asked=*/false);
  }
  grpc_pollset_set* interested_parties() override { return connector_->interested_parties(); }

 private:
  const grpc_core::RefCountedPtr<Connector> connector_;
};

inline bool Connector::StartLocked(const Address& address, const ConnectorArgs& shared,
                                   uint32_t connection) {
  const ChannelArgs args = WithConnection(shared.args, connection);
  subchannel_ = CreateSubchannel(helper(), address, args);
  if (subchannel_ == nullptr) return false;
  load_watch_.Set(subchannel_.get(), load_reports());
  watch_ = StartWatch(subchannel_.get(), std::make_unique<Watcher>(Ref()), serializer(), args);
  return true;
}

inline void Connector::StopLocked() {
  if (watch_ != nullptr) subchannel_->CancelConnectivityStateWatch(watch_);
  subchannel_.reset();
}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_SUBCHANNEL_CONNECTOR_H
