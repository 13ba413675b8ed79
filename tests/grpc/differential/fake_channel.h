// A fake of what gRPC's client channel is to a load-balancing policy: it makes subchannels, takes
// state reports and pickers, and runs the policy in a work serializer. The differential test and
// the benchmark share it.
//
// This is the one file of both that depends on the gRPC version: another generation of gRPC means
// another version of this file. It must not know what is tested, nor how a policy is expected to
// behave: it passes everything on to a ChannelHost.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CHANNEL_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CHANNEL_H_

#include <arpa/inet.h>
#include <grpc/impl/codegen/connectivity_state.h>
#include <netinet/in.h>

#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/variant.h"
#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/channel/status_util.h"
#include "src/core/lib/config/core_configuration.h"
#include "src/core/lib/event_engine/default_event_engine.h"
#include "src/core/lib/gprpp/debug_location.h"
#include "src/core/lib/gprpp/orphanable.h"
#include "src/core/lib/gprpp/ref_counted_ptr.h"
#include "src/core/lib/gprpp/work_serializer.h"
#include "src/core/lib/iomgr/exec_ctx.h"
#include "src/core/lib/iomgr/resolved_address.h"
#include "src/core/lib/json/json.h"
#include "src/core/lib/load_balancing/lb_policy.h"
#include "src/core/lib/load_balancing/lb_policy_registry.h"
#include "src/core/lib/load_balancing/subchannel_interface.h"
#include "src/core/lib/resolver/server_address.h"

namespace steer_testing {

// One entry of an address list. Two subchannels are interchangeable exactly when all four fields
// are equal. In each field after the first, 0 stands for "not set".
struct Backend {
  uint16_t address = 0;
  uint8_t weight = 0;       // a resolver attribute, which does not change how gRPC connects
  uint8_t address_arg = 0;  // a channel arg of this address; below 16
  uint8_t list_arg = 0;     // a channel arg of the whole list; below 16

  uint32_t key() const {
    return (uint32_t{address} << 16) | (uint32_t{weight} << 8) | (uint32_t{address_arg} << 4) |
           list_arg;
  }
  static Backend OfKey(uint32_t key) {
    Backend backend;
    backend.address = static_cast<uint16_t>(key >> 16);
    backend.weight = static_cast<uint8_t>(key >> 8);
    backend.address_arg = static_cast<uint8_t>(key >> 4 & 0xf);
    backend.list_arg = static_cast<uint8_t>(key & 0xf);
    return backend;
  }
};

// What a resolver hands to a policy. With `error` set, the addresses do not count.
struct ResolverUpdate {
  absl::Status error;
  std::vector<Backend> addresses;
  uint8_t list_arg = 0;
  std::string note;
};

using PickerPtr = std::unique_ptr<grpc_core::LoadBalancingPolicy::SubchannelPicker>;

class FakeSubchannel;

// A connectivity watch that a policy has started. As in gRPC, it holds the subchannel until it is
// cancelled, and a report that is already on its way still reaches the policy's watcher after that:
// whoever holds a Watch can deliver such a late report.
class Watch {
 public:
  using Watcher = grpc_core::SubchannelInterface::ConnectivityStateWatcherInterface;

  Watch(grpc_core::RefCountedPtr<FakeSubchannel> subchannel, std::unique_ptr<Watcher> watcher)
      : subchannel_(std::move(subchannel)), watcher_(std::move(watcher)) {}

  FakeSubchannel& subchannel() const { return *subchannel_; }
  Watcher* watcher() const { return watcher_.get(); }
  bool cancelled() const { return cancelled_; }
  void set_cancelled() { cancelled_ = true; }

  // Must be called in the work serializer.
  void Report(grpc_connectivity_state state, const absl::Status& status) {
    watcher_->OnConnectivityStateChange(state, status);
  }

 private:
  grpc_core::RefCountedPtr<FakeSubchannel> subchannel_;
  std::unique_ptr<Watcher> watcher_;
  bool cancelled_ = false;
};

// Receives everything that a policy asks of its channel. Must outlive the FakeChannel and all that
// the policy made.
class ChannelHost {
 public:
  virtual ~ChannelHost() = default;
  // Whether a subchannel can be made for this backend; gRPC cannot make one for every address.
  virtual bool CanCreate(const Backend& backend) = 0;
  virtual void SubchannelCreated(const Backend& backend) = 0;
  virtual void SubchannelDestroyed(const Backend& backend) = 0;
  virtual void WatchStarted(std::shared_ptr<Watch> watch) = 0;
  virtual void WatchCancelled(const std::shared_ptr<Watch>& watch) = 0;
  virtual void ConnectionRequested(const Backend& backend) = 0;
  virtual void BackoffReset(const Backend& backend) = 0;
  virtual void StateReported(grpc_connectivity_state state, const absl::Status& status,
                             PickerPtr picker) = 0;
  virtual void ReresolutionRequested() = 0;
  virtual void PolicyDestroyed() = 0;
  // The policy did what gRPC does not allow.
  virtual void Misused(const std::string& what) = 0;
};

class FakeSubchannel final : public grpc_core::SubchannelInterface {
 public:
  FakeSubchannel(const Backend& backend, ChannelHost* host) : backend_(backend), host_(host) {
    host_->SubchannelCreated(backend_);
  }
  ~FakeSubchannel() override { host_->SubchannelDestroyed(backend_); }

  const Backend& backend() const { return backend_; }
  bool watched() const { return watch_ != nullptr; }

  void WatchConnectivityState(std::unique_ptr<ConnectivityStateWatcherInterface> watcher) override {
    if (watch_ != nullptr) host_->Misused("second watch on one subchannel");
    if (watcher->interested_parties() == nullptr) host_->Misused("watcher without pollset set");
    watch_ = std::make_shared<Watch>(
        grpc_core::RefCountedPtr<FakeSubchannel>(static_cast<FakeSubchannel*>(Ref().release())),
        std::move(watcher));
    host_->WatchStarted(watch_);
  }

  void CancelConnectivityStateWatch(ConnectivityStateWatcherInterface* watcher) override {
    if (watch_ == nullptr || watch_->watcher() != watcher) {
      host_->Misused("cancelled a watch that does not exist");
      return;
    }
    // gRPC asks for the pollset set once more while it cancels.
    if (watcher->interested_parties() == nullptr) host_->Misused("watcher without pollset set");
    std::shared_ptr<Watch> watch = std::move(watch_);
    watch->set_cancelled();
    host_->WatchCancelled(watch);
  }

  void RequestConnection() override { host_->ConnectionRequested(backend_); }
  void ResetBackoff() override { host_->BackoffReset(backend_); }
  void AddDataWatcher(std::unique_ptr<DataWatcherInterface> /*watcher*/) override {
    host_->Misused("data watcher, which no policy under test needs");
  }

 private:
  const Backend backend_;
  ChannelHost* const host_;
  std::shared_ptr<Watch> watch_;
};

// The translation of a Backend into gRPC's words and back.
constexpr absl::string_view kAddressArg = "steer.test.address_arg";
constexpr absl::string_view kListArg = "steer.test.list_arg";
constexpr uint16_t kFirstPort = 10000;

inline grpc_core::ServerAddress ToServerAddress(const Backend& backend) {
  sockaddr_in ipv4;
  std::memset(&ipv4, 0, sizeof(ipv4));
  ipv4.sin_family = AF_INET;
  ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ipv4.sin_port = htons(static_cast<uint16_t>(kFirstPort + backend.address));
  grpc_core::ChannelArgs args;
  if (backend.address_arg != 0) args = args.Set(kAddressArg, backend.address_arg);
  std::map<const char*, std::unique_ptr<grpc_core::ServerAddress::AttributeInterface>> attributes;
  if (backend.weight != 0) {
    attributes.emplace(grpc_core::ServerAddressWeightAttribute::kServerAddressWeightAttributeKey,
                       std::make_unique<grpc_core::ServerAddressWeightAttribute>(backend.weight));
  }
  return grpc_core::ServerAddress(&ipv4, sizeof(ipv4), args, std::move(attributes));
}

inline Backend ToBackend(const grpc_core::ServerAddress& address,
                         const grpc_core::ChannelArgs& args) {
  sockaddr_in ipv4;
  std::memcpy(&ipv4, address.address().addr, sizeof(ipv4));
  const auto* weight =
      static_cast<const grpc_core::ServerAddressWeightAttribute*>(address.GetAttribute(
          grpc_core::ServerAddressWeightAttribute::kServerAddressWeightAttributeKey));
  Backend backend;
  backend.address = static_cast<uint16_t>(ntohs(ipv4.sin_port) - kFirstPort);
  backend.weight = weight == nullptr ? 0 : static_cast<uint8_t>(weight->weight());
  backend.address_arg = static_cast<uint8_t>(address.args().GetInt(kAddressArg).value_or(0));
  backend.list_arg = static_cast<uint8_t>(args.GetInt(kListArg).value_or(0));
  return backend;
}

class FakeHelper final : public grpc_core::LoadBalancingPolicy::ChannelControlHelper {
 public:
  explicit FakeHelper(ChannelHost* host) : host_(host) {}
  ~FakeHelper() override { host_->PolicyDestroyed(); }

  grpc_core::RefCountedPtr<grpc_core::SubchannelInterface> CreateSubchannel(
      grpc_core::ServerAddress address, const grpc_core::ChannelArgs& args) override {
    const Backend backend = ToBackend(address, args);
    if (!host_->CanCreate(backend)) return nullptr;
    return grpc_core::MakeRefCounted<FakeSubchannel>(backend, host_);
  }
  void UpdateState(grpc_connectivity_state state, const absl::Status& status,
                   PickerPtr picker) override {
    host_->StateReported(state, status, std::move(picker));
  }
  void RequestReresolution() override { host_->ReresolutionRequested(); }
  absl::string_view GetAuthority() override { return "fake.test"; }
  grpc_event_engine::experimental::EventEngine* GetEventEngine() override {
    return event_engine_.get();
  }
  void AddTraceEvent(TraceSeverity /*severity*/, absl::string_view /*message*/) override {}

 private:
  ChannelHost* const host_;
  const std::shared_ptr<grpc_event_engine::experimental::EventEngine> event_engine_ =
      grpc_event_engine::experimental::GetDefaultEventEngine();
};

// The result of one pick, without gRPC's types, and with the status that the channel makes of it.
struct PickOutcome {
  enum Kind { kComplete, kQueue, kFail, kDrop };
  Kind kind = kQueue;
  // For kComplete.
  Backend backend;
  bool watched = false;
  // For kFail and kDrop.
  absl::Status status;
};

inline PickOutcome PickOnce(const PickerPtr& picker) {
  using Result = grpc_core::LoadBalancingPolicy::PickResult;
  // gRPC itself picks without metadata and call state for a ping, so a policy must bear it.
  Result result = picker->Pick(grpc_core::LoadBalancingPolicy::PickArgs());
  PickOutcome outcome;
  if (auto* complete = absl::get_if<Result::Complete>(&result.result)) {
    const auto* subchannel = static_cast<const FakeSubchannel*>(complete->subchannel.get());
    outcome.kind = PickOutcome::kComplete;
    outcome.backend = subchannel->backend();
    outcome.watched = subchannel->watched();
  } else if (auto* fail = absl::get_if<Result::Fail>(&result.result)) {
    outcome.kind = PickOutcome::kFail;
    outcome.status = grpc_core::MaybeRewriteIllegalStatusCode(fail->status, "LB pick");
  } else if (auto* drop = absl::get_if<Result::Drop>(&result.result)) {
    outcome.kind = PickOutcome::kDrop;
    outcome.status = grpc_core::MaybeRewriteIllegalStatusCode(drop->status, "LB drop");
  }
  return outcome;
}

// Must exist on each thread that uses what is in this file.
using ThreadScope = grpc_core::ExecCtx;

// One policy made by gRPC's registry, with all that a channel needs to drive it. Every call returns
// when the work serializer has nothing left to do.
class FakeChannel {
 public:
  FakeChannel(const std::string& policy_name, ChannelHost* host)
      : work_serializer_(std::make_shared<grpc_core::WorkSerializer>()) {
    const auto& registry = grpc_core::CoreConfiguration::Get().lb_policy_registry();
    auto json = grpc_core::Json::Parse(absl::StrCat("[{\"", policy_name, "\":{}}]"));
    auto config = registry.ParseLoadBalancingConfig(*json);
    if (!config.ok()) {
      status_ = config.status();
      return;
    }
    config_ = std::move(*config);
    grpc_core::LoadBalancingPolicy::Args args;
    args.work_serializer = work_serializer_;
    args.channel_control_helper = std::make_unique<FakeHelper>(host);
    policy_ = registry.CreateLoadBalancingPolicy(policy_name, std::move(args));
  }

  // Not ok when the registry does not have the policy.
  const absl::Status& status() const { return status_; }

  absl::Status Update(const ResolverUpdate& update) {
    grpc_core::LoadBalancingPolicy::UpdateArgs args;
    if (update.error.ok()) {
      grpc_core::ServerAddressList addresses;
      addresses.reserve(update.addresses.size());
      for (const Backend& backend : update.addresses) {
        addresses.push_back(ToServerAddress(backend));
      }
      args.addresses = std::move(addresses);
    } else {
      args.addresses = update.error;
    }
    args.config = config_;
    args.resolution_note = update.note;
    if (update.list_arg != 0) args.args = args.args.Set(kListArg, update.list_arg);
    absl::Status result;
    Run([&] { result = policy_->UpdateLocked(std::move(args)); });
    return result;
  }
  void ExitIdle() {
    Run([&] { policy_->ExitIdleLocked(); });
  }
  void ResetBackoff() {
    Run([&] { policy_->ResetBackoffLocked(); });
  }
  void Orphan() {
    Run([&] { policy_.reset(); });
  }

  // Runs what must run in the work serializer, such as Watch::Report.
  void Run(std::function<void()> callback) {
    work_serializer_->Run(std::move(callback), DEBUG_LOCATION);
    Drain();
  }
  // Lets what a pick or a released picker has scheduled happen.
  void Drain() { grpc_core::ExecCtx::Get()->Flush(); }

 private:
  absl::Status status_;
  std::shared_ptr<grpc_core::WorkSerializer> work_serializer_;
  grpc_core::RefCountedPtr<grpc_core::LoadBalancingPolicy::Config> config_;
  grpc_core::OrphanablePtr<grpc_core::LoadBalancingPolicy> policy_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CHANNEL_H_
