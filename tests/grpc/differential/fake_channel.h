// A fake of what gRPC's client channel is to a load-balancing policy: it makes subchannels, takes
// state reports and pickers, and runs the policy in a work serializer. The differential test and
// the benchmark share it.
//
// This is the one file of both that depends on the gRPC version, beside
// ../support/core_generation.h; what it is that gRPC's own round_robin does otherwise in other
// versions stands in reference.h. It must not know what is tested, nor how a policy is expected to
// behave: it passes everything on to a ChannelHost.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CHANNEL_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CHANNEL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "support/core_generation.h"
#if STEER_TEST_GENERATION == 3
#include "hand_engine.h"
#endif

namespace steer_testing {

// One entry of an address list. Two subchannels are interchangeable exactly when all four fields
// are equal. In each field after the first, 0 stands for "not set".
constexpr uint32_t kAddresses = 1 << 20;
struct Backend {
  uint32_t address = 0;  // below kAddresses
  uint8_t weight = 0;    // a resolver attribute, which does not change how gRPC connects; below 16
  uint8_t address_arg = 0;  // a channel arg of this address; below 16
  uint8_t list_arg = 0;     // a channel arg of the whole list; below 16

  uint32_t key() const {
    return (address << 12) | (uint32_t{weight} << 8) | (uint32_t{address_arg} << 4) | list_arg;
  }
  static Backend OfKey(uint32_t key) {
    Backend backend;
    backend.address = key >> 12;
    backend.weight = static_cast<uint8_t>(key >> 8 & 0xf);
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

using Helper = grpc_core::LoadBalancingPolicy::ChannelControlHelper;

// How this gRPC hands a picker over: as the last argument of UpdateState.
template <typename Picker>
Picker PickerOf(void (Helper::*)(grpc_connectivity_state, const absl::Status&, Picker));
using PickerPtr = decltype(PickerOf(&Helper::UpdateState));

class FakeSubchannel;

// A connectivity watch that a policy has started. As in gRPC, it holds the subchannel until it is
// cancelled, and a report that is already on its way still reaches the policy's watcher after that:
// whoever holds a Watch can deliver such a late report.
class Watch {
 public:
  using Watcher = grpc_core::SubchannelInterface::ConnectivityStateWatcherInterface;

  Watch(grpc_core::RefCountedPtr<FakeSubchannel> subchannel, std::unique_ptr<Watcher> watcher,
        grpc_connectivity_state known_state)
      : subchannel_(std::move(subchannel)),
        watcher_(std::move(watcher)),
        known_state_(known_state) {}

  FakeSubchannel& subchannel() const { return *subchannel_; }
  Watcher* watcher() const { return watcher_.get(); }
  // Whether the policy waits to be told this state: up to 1.47, it says which one it knows already.
  bool ExpectsReportOf(grpc_connectivity_state state) const { return state != known_state_; }
  bool cancelled() const { return cancelled_; }
  void set_cancelled() { cancelled_ = true; }

  // Whether the policy watches the connection's health, too, and beside its state: from 1.62 on, by
  // way of pick_first.
  bool health_watched() const { return health_watcher_ != nullptr; }
  void WatchHealth(std::shared_ptr<Watcher> watcher) { health_watcher_ = std::move(watcher); }

  // Must be called in the work serializer.
  void Report(grpc_connectivity_state state, const absl::Status& status) {
    Tell(watcher_.get(), state, status);
  }
  void ReportHealth(grpc_connectivity_state state, const absl::Status& status) {
    Tell(health_watcher_.get(), state, status);
  }

 private:
  static void Tell(Watcher* watcher, grpc_connectivity_state state, const absl::Status& status) {
#if STEER_TEST_GENERATION == 1
    (void)status;
    watcher->OnConnectivityStateChange(state);
#else
    watcher->OnConnectivityStateChange(state, status);
#endif
  }

  grpc_core::RefCountedPtr<FakeSubchannel> subchannel_;
  std::unique_ptr<Watcher> watcher_;
  std::shared_ptr<Watcher> health_watcher_;
  const grpc_connectivity_state known_state_;
  bool cancelled_ = false;
};

// Receives everything that a policy asks of its channel. Must outlive the FakeChannel and all that
// the policy made.
class ChannelHost {
 public:
  virtual ~ChannelHost() = default;
  // Whether a subchannel can be made for this backend; gRPC cannot make one for every address.
  virtual bool CanCreate(const Backend& backend) = 0;
  // For policies that ask for it, which is so up to 1.47.
  virtual grpc_connectivity_state StateOf(const Backend& backend) = 0;
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
  // Whether it was ever reported to be READY: until then, no pick may choose it. Any thread.
  bool was_ready() const { return was_ready_.load(std::memory_order_relaxed); }
  void set_ready() { was_ready_.store(true, std::memory_order_relaxed); }

#if STEER_TEST_GENERATION == 1
  grpc_connectivity_state CheckConnectivityState() override { return host_->StateOf(backend_); }
  void WatchConnectivityState(grpc_connectivity_state known_state,
                              std::unique_ptr<ConnectivityStateWatcherInterface> watcher) override {
    StartWatch(std::move(watcher), known_state);
  }
  void AttemptToConnect() override { host_->ConnectionRequested(backend_); }
  const grpc_channel_args* channel_args() override {
    static const grpc_channel_args none = {0, nullptr};
    return &none;
  }
#else
  void WatchConnectivityState(std::unique_ptr<ConnectivityStateWatcherInterface> watcher) override {
    // No state that a connection could have.
    StartWatch(std::move(watcher), GRPC_CHANNEL_SHUTDOWN);
  }
  void RequestConnection() override { host_->ConnectionRequested(backend_); }
#endif

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

  void ResetBackoff() override { host_->BackoffReset(backend_); }

#if STEER_TEST_GENERATION == 2
  void AddDataWatcher(std::unique_ptr<DataWatcherInterface> /*watcher*/) override {
    host_->Misused("data watcher, which no policy under test needs");
  }
#elif STEER_TEST_GENERATION == 3
  // As gRPC's own wrappers of subchannels do (outlier detection), this takes the policy's watcher
  // out of the health check, and tells it itself what a health check would say.
  void AddDataWatcher(std::unique_ptr<DataWatcherInterface> watcher) override {
    auto* health = dynamic_cast<grpc_core::HealthWatcher*>(watcher.get());
    if (health == nullptr || watch_ == nullptr || data_watcher_ != nullptr) {
      host_->Misused("data watcher that is not the one health watch of a connection");
      return;
    }
    watch_->WatchHealth(health->TakeWatcher());
    data_watcher_ = std::move(watcher);
  }
  void CancelDataWatcher(DataWatcherInterface* watcher) override {
    if (data_watcher_ == nullptr || data_watcher_.get() != watcher) {
      host_->Misused("cancelled a data watcher that does not exist");
    }
    data_watcher_.reset();
  }
  std::string address() const override { return absl::StrCat("fake:", backend_.address); }
#endif

 private:
  void StartWatch(std::unique_ptr<ConnectivityStateWatcherInterface> watcher,
                  grpc_connectivity_state known_state) {
    if (watch_ != nullptr) host_->Misused("second watch on one subchannel");
    if (watcher->interested_parties() == nullptr) host_->Misused("watcher without pollset set");
    watch_ = std::make_shared<Watch>(
        grpc_core::RefCountedPtr<FakeSubchannel>(static_cast<FakeSubchannel*>(Ref().release())),
        std::move(watcher), known_state);
    host_->WatchStarted(watch_);
  }

  const Backend backend_;
  ChannelHost* const host_;
  std::atomic<bool> was_ready_{false};
  std::shared_ptr<Watch> watch_;
#if STEER_TEST_GENERATION == 3
  std::unique_ptr<DataWatcherInterface> data_watcher_;
#endif
};

// The translation of a Backend into gRPC's words and back.
constexpr char kAddressArg[] = "steer.test.address_arg";
constexpr char kListArg[] = "steer.test.list_arg";
constexpr uint32_t kFirstPort = 10000;

inline Address ToAddress(const Backend& backend) {
  grpc_core::ChannelArgs args;
  if (backend.address_arg != 0) args = args.Set(kAddressArg, backend.address_arg);
  const uint32_t place = kFirstPort + backend.address;
  return MakeAddress(static_cast<uint16_t>(place), args, backend.weight, place >> 16);
}

inline uint8_t SmallArg(const grpc_core::ChannelArgs& args, absl::string_view name) {
  return static_cast<uint8_t>(args.GetInt(name).value_or(0));
}

#if STEER_TEST_GENERATION == 3
inline uint8_t WeightOf(const grpc_core::ChannelArgs& args) {
  return SmallArg(args, GRPC_ARG_ADDRESS_WEIGHT);
}
#else
inline uint8_t WeightOf(const Address& address) {
  using Weight = grpc_core::ServerAddressWeightAttribute;
  const auto* weight =
      static_cast<const Weight*>(address.GetAttribute(Weight::kServerAddressWeightAttributeKey));
  return weight == nullptr ? 0 : static_cast<uint8_t>(weight->weight());
}
#endif

inline Backend ToBackend(const grpc_resolved_address& address, uint8_t weight,
                         const grpc_core::ChannelArgs& address_args,
                         const grpc_core::ChannelArgs& list_args) {
  Backend backend;
  backend.address = (LoopbackHostOf(address) << 16) + PortOf(address) - kFirstPort;
  backend.weight = weight;
  backend.address_arg = SmallArg(address_args, kAddressArg);
  backend.list_arg = SmallArg(list_args, kListArg);
  return backend;
}

class FakeHelper final : public Helper {
 public:
#if STEER_TEST_GENERATION == 1
  explicit FakeHelper(ChannelHost* host) : host_(host) {}
#else
  using EventEngine = grpc_event_engine::experimental::EventEngine;
  FakeHelper(ChannelHost* host, std::shared_ptr<EventEngine> event_engine)
      : host_(host), event_engine_(std::move(event_engine)) {}
  EventEngine* GetEventEngine() override { return event_engine_.get(); }
#endif
  ~FakeHelper() override { host_->PolicyDestroyed(); }

  using SubchannelPtr = grpc_core::RefCountedPtr<grpc_core::SubchannelInterface>;
#if STEER_TEST_GENERATION == 1
  SubchannelPtr CreateSubchannel(Address address, const grpc_channel_args& args) override {
    return Create(ToBackend(address.address(), WeightOf(address), FromCarried(address.args()),
                            FromCarried(&args)));
  }
#elif STEER_TEST_GENERATION == 2
  SubchannelPtr CreateSubchannel(Address address, const grpc_core::ChannelArgs& args) override {
    return Create(ToBackend(address.address(), WeightOf(address), address.args(), args));
  }
#else
  SubchannelPtr CreateSubchannel(const grpc_resolved_address& address,
                                 const grpc_core::ChannelArgs& address_args,
                                 const grpc_core::ChannelArgs& args) override {
    return Create(ToBackend(address, WeightOf(address_args), address_args, args));
  }
#endif

  void UpdateState(grpc_connectivity_state state, const absl::Status& status,
                   PickerPtr picker) override {
    host_->StateReported(state, status, std::move(picker));
  }
  void RequestReresolution() override { host_->ReresolutionRequested(); }
  absl::string_view GetAuthority() override { return "fake.test"; }
#if STEER_TEST_GENERATION == 3
  absl::string_view GetTarget() override { return "fake:///test"; }
  grpc_core::RefCountedPtr<grpc_channel_credentials> GetChannelCredentials() override {
    return nullptr;
  }
  grpc_core::RefCountedPtr<grpc_channel_credentials> GetUnsafeChannelCredentials() override {
    return nullptr;
  }
  grpc_core::GlobalStatsPluginRegistry::StatsPluginGroup& GetStatsPluginGroup() override {
    return *stats_plugins_;
  }
  void AddTraceEvent(absl::string_view /*message*/) override {}
#else
  void AddTraceEvent(TraceSeverity /*severity*/, absl::string_view /*message*/) override {}
#endif

 private:
  SubchannelPtr Create(const Backend& backend) {
    if (!host_->CanCreate(backend)) return nullptr;
    return grpc_core::MakeRefCounted<FakeSubchannel>(backend, host_);
  }

  ChannelHost* const host_;
#if STEER_TEST_GENERATION != 1
  const std::shared_ptr<EventEngine> event_engine_;
#endif
#if STEER_TEST_GENERATION == 3
  // Without a plugin: nobody counts.
  const std::shared_ptr<grpc_core::GlobalStatsPluginRegistry::StatsPluginGroup> stats_plugins_ =
      std::make_shared<grpc_core::GlobalStatsPluginRegistry::StatsPluginGroup>();
#endif
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
  if (const auto* complete = AlternativeOf<Result::Complete>(result.result)) {
    const auto* subchannel = static_cast<const FakeSubchannel*>(complete->subchannel.get());
    outcome.kind = PickOutcome::kComplete;
    outcome.backend = subchannel->backend();
    outcome.watched = subchannel->watched();
  } else if (const auto* fail = AlternativeOf<Result::Fail>(result.result)) {
    outcome.kind = PickOutcome::kFail;
    outcome.status = StatusOfFailedPick(fail->status, "LB pick");
  } else if (const auto* drop = AlternativeOf<Result::Drop>(result.result)) {
    outcome.kind = PickOutcome::kDrop;
    outcome.status = StatusOfFailedPick(drop->status, "LB drop");
  }
  return outcome;
}

// Must exist on each thread that uses what is in this file.
using ThreadScope = grpc_core::ExecCtx;

using PolicyPtr = grpc_core::OrphanablePtr<grpc_core::LoadBalancingPolicy>;
using ConfigPtr = grpc_core::RefCountedPtr<grpc_core::LoadBalancingPolicy::Config>;

// What gRPC's registry of policies does, with `text` in the place of a service config's
// loadBalancingConfig.
inline absl::StatusOr<ConfigPtr> ParsePolicyConfig(const std::string& text) {
#if STEER_TEST_GENERATION == 1
  grpc_error_handle error = GRPC_ERROR_NONE;
  ConfigPtr config;
  grpc_core::Json json = grpc_core::Json::Parse(text, &error);
  if (error == GRPC_ERROR_NONE) {
    config = grpc_core::LoadBalancingPolicyRegistry::ParseLoadBalancingConfig(json, &error);
  }
  if (error == GRPC_ERROR_NONE) return config;
  absl::Status status = absl::InvalidArgumentError(grpc_error_std_string(error));
  GRPC_ERROR_UNREF(error);
  return status;
#else
#if STEER_TEST_GENERATION == 3 || __has_include("src/core/lib/json/json_reader.h")
  auto json = grpc_core::JsonParse(text);
#else
  auto json = grpc_core::Json::Parse(text);
#endif
  if (!json.ok()) return json.status();
  return grpc_core::CoreConfiguration::Get().lb_policy_registry().ParseLoadBalancingConfig(*json);
#endif
}

inline PolicyPtr CreatePolicy(const std::string& name, grpc_core::LoadBalancingPolicy::Args args) {
#if STEER_TEST_GENERATION == 1
  static const grpc_channel_args none = {0, nullptr};
  args.args = &none;
  return grpc_core::LoadBalancingPolicyRegistry::CreateLoadBalancingPolicy(name.c_str(),
                                                                           std::move(args));
#else
  return grpc_core::CoreConfiguration::Get().lb_policy_registry().CreateLoadBalancingPolicy(
      name, std::move(args));
#endif
}

// One policy made by gRPC's registry, with all that a channel needs to drive it. Every call returns
// when the work serializer has nothing left to do.
class FakeChannel {
 public:
  FakeChannel(const std::string& policy_name, ChannelHost* host,
              const std::string& policy_config = "{}") {
    SetConfig(policy_name, policy_config);
    if (!status_.ok()) return;
    grpc_core::LoadBalancingPolicy::Args args;
    args.work_serializer = work_serializer_;
#if STEER_TEST_GENERATION == 1
    args.channel_control_helper = std::make_unique<FakeHelper>(host);
#else
    args.channel_control_helper = std::make_unique<FakeHelper>(host, event_engine_);
#endif
    policy_ = CreatePolicy(policy_name, std::move(args));
  }

  // Not ok when the registry does not have the policy, or it does not take its config.
  const absl::Status& status() const { return status_; }

  // For the updates that follow.
  void SetConfig(const std::string& policy_name, const std::string& policy_config) {
    absl::StatusOr<ConfigPtr> config =
        ParsePolicyConfig(absl::StrCat("[{\"", policy_name, "\":", policy_config, "}]"));
    status_ = config.status();
    if (config.ok()) config_ = *std::move(config);
  }
  // Updates carry this, too.
  void SetArg(absl::string_view name, int value) { args_ = args_.Set(name, value); }

  using UpdateArgs = grpc_core::LoadBalancingPolicy::UpdateArgs;
  // What a resolver and the channel make of an update.
  UpdateArgs ArgsOf(const ResolverUpdate& update) const {
    UpdateArgs args;
    if (update.error.ok()) {
      AddressList addresses;
      addresses.reserve(update.addresses.size());
      for (const Backend& backend : update.addresses) addresses.push_back(ToAddress(backend));
#if STEER_TEST_GENERATION == 3
      args.addresses =
          std::make_shared<grpc_core::EndpointAddressesListIterator>(std::move(addresses));
#else
      args.addresses = std::move(addresses);
#endif
    } else {
      args.addresses = update.error;
    }
    args.config = config_;
    args.resolution_note = update.note;
    grpc_core::ChannelArgs list_args = args_;
    if (update.list_arg != 0) list_args = list_args.Set(kListArg, update.list_arg);
    args.args = ToCarried(list_args);
    return args;
  }
  absl::Status Update(const ResolverUpdate& update) { return Update(ArgsOf(update)); }
  absl::Status Update(UpdateArgs args) {
    absl::Status result;
    RunToEnd([&] {
#if STEER_TEST_GENERATION == 1
      policy_->UpdateLocked(std::move(args));
#else
      result = policy_->UpdateLocked(std::move(args));
#endif
    });
    return result;
  }
  void ExitIdle() {
    RunToEnd([&] { policy_->ExitIdleLocked(); });
  }
  void ResetBackoff() {
    RunToEnd([&] { policy_->ResetBackoffLocked(); });
  }
  void Orphan() {
    RunToEnd([&] { policy_.reset(); });
  }

  // Runs what must run in the work serializer, such as Watch::Report.
  void Run(std::function<void()> callback) {
    work_serializer_->Run(std::move(callback), DEBUG_LOCATION);
    Drain();
  }
  // The same, and waits: up to 1.70 a work serializer that is at work on another thread runs it
  // there. Not for what runs in the work serializer itself.
  template <typename Callback>
  void RunToEnd(Callback callback) {
    std::atomic<bool> done{false};
    Run([&] {
      callback();
      done.store(true, std::memory_order_release);
    });
    while (!done.load(std::memory_order_acquire)) std::this_thread::yield();
  }
  // Lets what a pick or a released picker has scheduled happen.
  void Drain() {
#if STEER_TEST_GENERATION == 3
    do {
      grpc_core::ExecCtx::Get()->Flush();
    } while (event_engine_->RunAll());
#else
    grpc_core::ExecCtx::Get()->Flush();
#endif
  }

 private:
  absl::Status status_;
#if STEER_TEST_GENERATION == 3
  const std::shared_ptr<HandEngine> event_engine_ = std::make_shared<HandEngine>();
  std::shared_ptr<grpc_core::WorkSerializer> work_serializer_ =
      std::make_shared<grpc_core::WorkSerializer>(event_engine_);
#else
#if STEER_TEST_GENERATION == 2
  const std::shared_ptr<grpc_event_engine::experimental::EventEngine> event_engine_ =
      grpc_event_engine::experimental::GetDefaultEventEngine();
#endif
  std::shared_ptr<grpc_core::WorkSerializer> work_serializer_ =
      std::make_shared<grpc_core::WorkSerializer>();
#endif
  ConfigPtr config_;
  grpc_core::ChannelArgs args_;
  PolicyPtr policy_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CHANNEL_H_
