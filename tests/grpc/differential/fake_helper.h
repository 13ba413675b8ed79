// What the fake channel gives to a policy: gRPC's helper, whose subchannels are fakes.
//
// Depends on the gRPC version, by STEER_TEST_GENERATION. Must not depend on: what is tested, how a
// policy is expected to behave.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_HELPER_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_HELPER_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fake_subchannel.h"
#include "support/core_generation.h"

namespace steer_testing {
// The translation of a Backend into gRPC's types and back.
constexpr char kAddressArg[] = "steer.test.address_arg";
constexpr char kListArg[] = "steer.test.list_arg";
// Backend 0 has this port. Any port would do, because nothing connects.
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
  // Has no plugin, so nothing is counted.
  const std::shared_ptr<grpc_core::GlobalStatsPluginRegistry::StatsPluginGroup> stats_plugins_ =
      std::make_shared<grpc_core::GlobalStatsPluginRegistry::StatsPluginGroup>();
#endif
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_HELPER_H_
