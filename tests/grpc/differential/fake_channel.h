// A fake of gRPC's client channel, as a load-balancing policy sees it: it makes subchannels, takes
// state reports and pickers, and runs the policy in a work serializer. The differential test and
// the benchmark share it.
//
// fake_subchannel.h, fake_helper.h, hand_clock.h, this file and ../support/core_generation.h depend
// on the gRPC version. reference.h says how gRPC's own round_robin differs between gRPC versions.
//
// Must not depend on: what is tested, how a policy is expected to behave. It passes everything on
// to a ChannelHost.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CHANNEL_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CHANNEL_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "fake_helper.h"
#include "fake_subchannel.h"
#include "support/core_generation.h"
#if STEER_TEST_GENERATION != 1
#include "hand_engine.h"
#endif

namespace steer_testing {
// The result of one pick without gRPC's types, with the status that the channel would give the
// call.
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
  // gRPC picks for pings without metadata and call state, so policies must accept that.
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

// Each thread that uses this file must hold one.
using ThreadScope = grpc_core::ExecCtx;

using PolicyPtr = grpc_core::OrphanablePtr<grpc_core::LoadBalancingPolicy>;
using ConfigPtr = grpc_core::RefCountedPtr<grpc_core::LoadBalancingPolicy::Config>;

// Has gRPC's registry parse `text`, the loadBalancingConfig of a service config.
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

// One policy made by gRPC's registry, and what a channel needs to drive it. Every method returns
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

  // Not ok if the registry does not have the policy or refuses its config.
  const absl::Status& status() const { return status_; }

  // Sets the config of all later updates.
  void SetConfig(const std::string& policy_name, const std::string& policy_config) {
    absl::StatusOr<ConfigPtr> config =
        ParsePolicyConfig(absl::StrCat("[{\"", policy_name, "\":", policy_config, "}]"));
    status_ = config.status();
    if (config.ok()) config_ = *std::move(config);
  }
  // Adds a channel arg to all later updates.
  void SetArg(absl::string_view name, int value) { args_ = args_.Set(name, value); }

  using UpdateArgs = grpc_core::LoadBalancingPolicy::UpdateArgs;
  // Translates an update into gRPC's types, as resolver and channel do.
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
    Run([&] {
#if STEER_TEST_GENERATION == 1
      policy_->UpdateLocked(std::move(args));
#else
      result = policy_->UpdateLocked(std::move(args));
#endif
    });
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

  // Runs `callback` in the work serializer, as Watch::Report needs, and waits for its end: up to
  // 1.70 a work serializer that another thread is in runs it there. Must not be called in the work
  // serializer.
  template <typename Callback>
  void Run(Callback callback) {
    std::atomic<bool> done{false};
    work_serializer_->Run(
        [&] {
          callback();
          done.store(true, std::memory_order_release);
        },
        DEBUG_LOCATION);
    Drain();
    while (!done.load(std::memory_order_acquire)) std::this_thread::yield();
  }
  // Runs what a pick or a released picker has scheduled.
  void Drain() {
#if STEER_TEST_GENERATION == 1
    grpc_core::ExecCtx::Get()->Flush();
#else
    do {
      grpc_core::ExecCtx::Get()->Flush();
    } while (event_engine_->RunAll());
#endif
  }
#if STEER_TEST_GENERATION != 1
  // Lets time pass for the timers that the policy has on its EventEngine. They read HandClock.
  void Advance(std::chrono::seconds time) {
    event_engine_->Advance(time);
    Drain();
  }
#endif

 private:
  absl::Status status_;
#if STEER_TEST_GENERATION != 1
  const std::shared_ptr<HandEngine> event_engine_ = std::make_shared<HandEngine>();
#endif
#if STEER_TEST_GENERATION == 3
  std::shared_ptr<grpc_core::WorkSerializer> work_serializer_ =
      std::make_shared<grpc_core::WorkSerializer>(event_engine_);
#else
  std::shared_ptr<grpc_core::WorkSerializer> work_serializer_ =
      std::make_shared<grpc_core::WorkSerializer>();
#endif
  ConfigPtr config_;
  grpc_core::ChannelArgs args_;
  PolicyPtr policy_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CHANNEL_H_
