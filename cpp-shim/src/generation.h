// What differs between gRPC 1.46 and 1.85, as named types and functions. Everything else of the
// shim reads as if only one gRPC existed. gRPC's own headers select: by where they lie, and by what
// they declare. Where a function here is twice, gRPC has either what the first or what the second
// calls.
//
// docs/grpc-versions.md says how to add a gRPC. Must not know: what the engine does.
#ifndef STEER_SHIM_GENERATION_H
#define STEER_SHIM_GENERATION_H

#include <grpc/grpc.h>
#include <grpc/support/log.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "address.h"
#include "src/core/lib/channel/channel_args.h"
#include "src/core/lib/iomgr/closure.h"
#include "src/core/lib/iomgr/exec_ctx.h"
#include "steer/host.hpp"

#if __has_include("src/core/config/core_configuration.h")  // from 1.69
#include "src/core/config/core_configuration.h"
#else
#include "src/core/lib/config/core_configuration.h"
#endif
#if __has_include("src/core/load_balancing/lb_policy_registry.h")  // from 1.62
#include "src/core/load_balancing/lb_policy_registry.h"
#elif __has_include("src/core/lib/load_balancing/lb_policy_registry.h")  // from 1.49
#include "src/core/lib/load_balancing/lb_policy_registry.h"
#else
#include "src/core/ext/filters/client_channel/lb_policy_registry.h"
#define STEER_GRPC_TO_1_48 1
#endif
#if __has_include("src/core/ext/filters/client_channel/proxy_mapper_registry.h")
#define STEER_GRPC_TO_1_49 1
#endif
#if __has_include("src/core/util/json/json_writer.h")  // from 1.65
#include "src/core/util/json/json_writer.h"
#elif __has_include("src/core/lib/json/json_writer.h")  // from 1.55
#include "src/core/lib/json/json_writer.h"
#endif
#if __has_include("src/core/load_balancing/delegating_helper.h")  // from 1.62
#include "src/core/load_balancing/delegating_helper.h"
#include "src/core/load_balancing/pick_first/pick_first.h"
#define STEER_CHILD_ENDPOINTS 1
#elif __has_include("src/core/lib/resolver/endpoint_addresses.h")  // from 1.60
#include "src/core/ext/filters/client_channel/lb_policy/pick_first/pick_first.h"
#include "src/core/lib/load_balancing/delegating_helper.h"
#define STEER_CHILD_ENDPOINTS 1
#elif __has_include("src/core/ext/filters/client_channel/lb_policy/health_check_client.h")  // 1.56
#include "src/core/ext/filters/client_channel/client_channel_internal.h"
#include "src/core/ext/filters/client_channel/lb_policy/health_check_client.h"
#define STEER_HEALTH_IS_THE_POLICYS 1
#endif
#if __has_include("src/core/client_channel/client_channel_internal.h")  // from 1.62
#include "src/core/client_channel/client_channel_internal.h"
#elif __has_include("src/core/ext/filters/client_channel/client_channel_internal.h")  // from 1.54
#include "src/core/ext/filters/client_channel/client_channel_internal.h"
#elif __has_include("src/core/lib/gprpp/no_destruct.h")  // from 1.48
#include "src/core/ext/filters/client_channel/client_channel.h"
#define STEER_GRPC_1_48_TO_1_53 1
#else
#define STEER_GRPC_TO_1_47 1
#endif
#if __has_include("src/core/load_balancing/ring_hash/ring_hash.h")  // from 1.62
#include "src/core/load_balancing/ring_hash/ring_hash.h"
#else
#include "src/core/ext/filters/client_channel/lb_policy/ring_hash/ring_hash.h"
#endif
#if __has_include("src/core/load_balancing/oob_backend_metric.h")  // from 1.62
#include "src/core/load_balancing/oob_backend_metric.h"
#elif __has_include( \
    "src/core/ext/filters/client_channel/lb_policy/oob_backend_metric.h")  // from 1.47
#include "src/core/ext/filters/client_channel/lb_policy/oob_backend_metric.h"
#else
#define STEER_GRPC_WITHOUT_LOAD_REPORTS 1
#endif
#if __has_include("src/core/xds/xds_client/xds_locality.h")  // from 1.68
#include "src/core/xds/xds_client/xds_locality.h"
#elif __has_include("src/core/xds/xds_client/xds_client_stats.h")  // from 1.64
#include "src/core/xds/xds_client/xds_client_stats.h"
#else
#include "src/core/ext/xds/xds_client_stats.h"
#endif

namespace grpc_core {
class RequestHashAttribute;  // From 1.56.
}

namespace steer::shim {

// Names that never moved out of grpc_core.
using ChannelArgs = grpc_core::ChannelArgs;
using GrpcPolicy = grpc_core::LoadBalancingPolicy;
using GrpcConfig = GrpcPolicy::Config;
using GrpcHelper = GrpcPolicy::ChannelControlHelper;
using GrpcPicker = GrpcPolicy::SubchannelPicker;
using Subchannel = grpc_core::SubchannelInterface;
using SerializerPtr = std::shared_ptr<grpc_core::WorkSerializer>;

#ifdef STEER_CHILD_ENDPOINTS
using Address = grpc_core::EndpointAddresses;
using Connector = grpc_core::OrphanablePtr<GrpcPolicy>;
using Connection = GrpcPicker;
#else
using Address = grpc_core::ServerAddress;
using Connector = grpc_core::RefCountedPtr<Subchannel>;
using Connection = Subchannel;
#endif

// Selects the first of two functions where both would do.
struct Fallback {};
struct Preferred : Fallback {};

// What policies, configs and factories give as their name: a view, or to 1.48 a C string.
using Name = decltype(std::declval<GrpcPolicy&>().name());
inline Name NameOf(const std::string& name) { return Name(name.c_str()); }

// --- The work serializer ---

// Runs `work` in the work serializer, but never before it returns. Any thread, and with any lock of
// gRPC's held.
//
// To 1.70 WorkSerializer::Run may run work at once, and then also what other threads add meanwhile,
// which may need those locks. A thread runs the closures of its ExecCtx when it leaves gRPC's code,
// and then holds none.
template <typename Serializer>
auto RunSerialisedLater(std::shared_ptr<Serializer> serializer, std::function<void()> work,
                        Preferred) -> decltype(serializer->DrainQueue()) {
  struct Hop {
    std::shared_ptr<Serializer> serializer;
    std::function<void()> work;
  };
  const auto run = [](void* arg, grpc_error_handle) {
    const std::unique_ptr<Hop> hop(static_cast<Hop*>(arg));
    hop->serializer->Run(std::move(hop->work), DEBUG_LOCATION);
  };
  auto* const hop = new Hop{std::move(serializer), std::move(work)};
  // A thread without one is not in gRPC's code.
  std::optional<grpc_core::ExecCtx> exec_ctx;
  if (grpc_core::ExecCtx::Get() == nullptr) exec_ctx.emplace();
  grpc_core::ExecCtx::Run(DEBUG_LOCATION, GRPC_CLOSURE_CREATE(run, hop, nullptr),
                          grpc_error_handle());
}
// From 1.71 Run always hands work to another thread.
template <typename Serializer>
void RunSerialisedLater(std::shared_ptr<Serializer> serializer, std::function<void()> work,
                        Fallback) {
  serializer->Run(std::move(work), DEBUG_LOCATION);
}

// --- Registration ---

using Configuration = grpc_core::CoreConfiguration;
using Registry = grpc_core::LoadBalancingPolicyRegistry;
// What policies are added to. To 1.49 there is one registry, whose functions are static; from 1.50
// each configuration has its own.
using RegistryBuilder = Registry::Builder;
using FactoryPtr = std::unique_ptr<grpc_core::LoadBalancingPolicyFactory>;

// Lets a function of ours read CoreConfiguration's private pointer to the built configuration: the
// language allows to name private members in an explicit instantiation.
std::atomic<Configuration*>* BuiltConfiguration();
template <std::atomic<Configuration*>* kPointer>
struct Reach {
  friend std::atomic<Configuration*>* BuiltConfiguration() { return kPointer; }
};
template struct Reach<&Configuration::config_>;

// {"<name>":<value>}, [<value>] and {}: to 1.55 by Json's constructors.
template <typename Json>
auto ObjectOf(const char* name, Json value, Preferred)
    -> decltype(Json::FromObject({{name, value}})) {
  return Json::FromObject({{name, std::move(value)}});
}
template <typename Json>
Json ObjectOf(const char* name, Json value, Fallback) {
  return Json(typename Json::Object{{name, std::move(value)}});
}
template <typename Json>
auto ArrayOf(Json value, Preferred) -> decltype(Json::FromArray({value})) {
  return Json::FromArray({std::move(value)});
}
template <typename Json>
Json ArrayOf(Json value, Fallback) {
  return Json(typename Json::Array{std::move(value)});
}
// A config with one field, which is null.
inline grpc_core::Json ConfigOf(const char* field) {
  return ObjectOf(field, grpc_core::Json(), Preferred());
}

// The name of a parsed config; empty: there is none.
template <typename ConfigOrError>
std::string NameOfConfig(const ConfigOrError& config) {
  return config.ok() && *config != nullptr ? std::string((*config)->name()) : std::string();
}

#ifdef STEER_GRPC_TO_1_49

inline bool HasPolicy(RegistryBuilder*, const std::string& name) {
  RegistryBuilder::InitRegistry();
  return Registry::LoadBalancingPolicyExists(Name(name.c_str()), nullptr);
}
inline void AddPolicy(RegistryBuilder*, FactoryPtr factory) {
  RegistryBuilder::RegisterLoadBalancingPolicyFactory(std::move(factory));
}
// The name of the config that the policy makes of this field. Empty: none, or no such policy.
inline std::string AskPolicy(RegistryBuilder*, const char* policy, const char* field) {
  if (!HasPolicy(nullptr, policy)) return "";
  const auto list = ArrayOf(ObjectOf(policy, ConfigOf(field), Preferred()), Preferred());
#ifdef STEER_GRPC_TO_1_48
  grpc_error_handle error = GRPC_ERROR_NONE;
  const auto config = Registry::ParseLoadBalancingConfig(list, &error);
  GRPC_ERROR_UNREF(error);
  return config != nullptr ? std::string(config->name()) : std::string();
#else
  return NameOfConfig(Registry::ParseLoadBalancingConfig(list));
#endif
}
inline bool BuiltHasPolicy(const std::string& name) { return HasPolicy(nullptr, name); }
inline std::string AskBuiltPolicy(const char* policy, const char* field) {
  return AskPolicy(nullptr, policy, field);
}

// gRPC's list of plugins and its registry have no lock, and the copies of Steer in a process share
// no variable of their own. The C library's lock of stderr is one for the process, and recursive.
class RegistryLock {
 public:
  RegistryLock() { flockfile(stderr); }
  ~RegistryLock() { funlockfile(stderr); }
  RegistryLock(const RegistryLock&) = delete;
  RegistryLock& operator=(const RegistryLock&) = delete;
};

// Has gRPC call `kBuild` whenever the library starts; and calls it now, unless `found` returns
// true.
template <void (*kBuild)(RegistryBuilder*), typename Found>
void RegisterBuild(const Found& found) {
  const RegistryLock lock;
  const auto register_plugin = [](auto* start) { grpc_register_plugin(start, [] {}); };
  void (*start)() = [] { kBuild(nullptr); };
  register_plugin(start);
  if (!found(static_cast<RegistryBuilder*>(nullptr))) kBuild(nullptr);
}
// For policies that came after that.
template <void (*kBuild)(RegistryBuilder*)>
void BuildAgain() {
  const RegistryLock lock;
  kBuild(nullptr);
}

#else

using FactoryMap = std::map<absl::string_view, FactoryPtr>;
FactoryMap& FactoriesOf(RegistryBuilder* builder);
template <FactoryMap RegistryBuilder::*kMember>
struct ReachFactories {
  friend FactoryMap& FactoriesOf(RegistryBuilder* builder) { return builder->*kMember; }
};
template struct ReachFactories<&RegistryBuilder::factories_>;

inline bool HasPolicy(RegistryBuilder* builder, const std::string& name) {
  return FactoriesOf(builder).count(name) != 0;
}
inline void AddPolicy(RegistryBuilder* builder, FactoryPtr factory) {
  builder->RegisterLoadBalancingPolicyFactory(std::move(factory));
}
// The name of the config that the policy makes of this field. Empty: none, or no such policy.
inline std::string AskPolicy(RegistryBuilder* builder, const char* policy, const char* field) {
  const FactoryMap& factories = FactoriesOf(builder);
  const auto found = factories.find(policy);
  if (found == factories.end()) return "";
  return NameOfConfig(found->second->ParseLoadBalancingConfig(ConfigOf(field)));
}
inline bool BuiltHasPolicy(const std::string& name) {
  return Configuration::Get().lb_policy_registry().LoadBalancingPolicyExists(name, nullptr);
}
inline std::string AskBuiltPolicy(const char* policy, const char* field) {
  return NameOfConfig(Configuration::Get().lb_policy_registry().ParseLoadBalancingConfig(
      ArrayOf(ObjectOf(policy, ConfigOf(field), Preferred()), Preferred())));
}

// The builders that stay, of the two kinds that there are from 1.73.
template <typename Builder>
std::atomic<Builder*>& LastBuilder(std::atomic<Builder*>& last) {
  return last;
}
template <typename Builder, size_t kKinds, typename From = Configuration>
std::atomic<Builder*>& LastBuilder(std::atomic<Builder*> (&last)[kKinds]) {
  return last[static_cast<size_t>(From::BuilderScope::kPersistent)];
}

// Registers a builder as CoreConfiguration::RegisterBuilder does, without its assertions: another
// thread may make the first channel at this very moment, and a process is not ended for that. Then
// runs the builders that were registered earlier, oldest first, on a registry that is thrown away,
// until `found` returns true. gRPC, too, runs builders more than once, and concurrently.
class BuilderRegistration {
 public:
  BuilderRegistration(void (*build)(RegistryBuilder*),
                      const std::function<bool(RegistryBuilder*)>& found)
      : build_(build), found_(found) {}

  template <typename List, typename NewBuilder>
  void Run(List& list, const NewBuilder& new_builder) const {
    auto& last = LastBuilder(list);
    auto* own = new std::remove_pointer_t<decltype(last.load())>();
    own->builder = [build = build_](Configuration::Builder* builder) {
      build(builder->lb_policy_registry());
    };
    own->next = last.load(std::memory_order_relaxed);
    // Acquire and release: gRPC's own registrations, and its walks over the list.
    while (!last.compare_exchange_weak(own->next, own, std::memory_order_acq_rel,
                                       std::memory_order_relaxed)) {
    }
    std::vector<decltype(own)> earlier;
    for (auto* one = own->next; one != nullptr; one = one->next) earlier.push_back(one);
    if (earlier.empty()) return;
    const std::unique_ptr<Configuration::Builder> scratch(new_builder());
    while (!earlier.empty()) {
      earlier.back()->builder(scratch.get());
      if (found_(scratch->lb_policy_registry())) return;
      earlier.pop_back();
    }
  }

 private:
  void (*build_)(RegistryBuilder*);
  const std::function<bool(RegistryBuilder*)>& found_;
};
struct Nothing {};

}  // namespace steer::shim

// A member of CoreConfiguration's, for types of ours: it may make a builder, and reach the list.
template <>
inline void grpc_core::CoreConfiguration::RunWithSpecialConfiguration(
    steer::shim::BuilderRegistration registration, steer::shim::Nothing) {
  registration.Run(builders_, [] { return new Builder(); });
}

namespace steer::shim {

// Has gRPC call `kBuild` whenever it builds its configuration, on any thread; and calls `found` as
// BuilderRegistration says.
template <void (*kBuild)(RegistryBuilder*), typename Found>
void RegisterBuild(const Found& found) {
  const std::function<bool(RegistryBuilder*)> stop = found;
  Configuration::RunWithSpecialConfiguration(BuilderRegistration(kBuild, stop), Nothing());
}
// For policies that came after that: the configuration is built later.
template <void (*kBuild)(RegistryBuilder*)>
void BuildAgain() {}

#endif  // STEER_GRPC_TO_1_49

// --- Configs ---

using ParsedConfig = absl::StatusOr<grpc_core::RefCountedPtr<GrpcConfig>>;

#ifdef STEER_GRPC_TO_1_48
class GrpcPolicyFactory : public grpc_core::LoadBalancingPolicyFactory {
 public:
  virtual ParsedConfig ParseLoadBalancingConfig(const grpc_core::Json& json) const = 0;
  grpc_core::RefCountedPtr<GrpcConfig> ParseLoadBalancingConfig(
      const grpc_core::Json& json, grpc_error_handle* error) const final {
    ParsedConfig config = ParseLoadBalancingConfig(json);
    if (config.ok()) return *std::move(config);
    *error = GRPC_ERROR_CREATE_FROM_CPP_STRING(std::string(config.status().message()));
    return nullptr;
  }
};
#else
using GrpcPolicyFactory = grpc_core::LoadBalancingPolicyFactory;
#endif

template <typename Json>
auto JsonText(const Json& json, Preferred) -> decltype(json.Dump()) {
  return json.Dump();
}
template <typename Json>
std::string JsonText(const Json& json, Fallback) {
  using namespace grpc_core;  // NOLINT: what is not declared must not be named by its namespace
  return JsonDump(json);
}

// --- Updates ---

// void to 1.49, absl::Status from 1.50.
using UpdateResult =
    decltype(std::declval<GrpcPolicy&>().UpdateLocked(std::declval<GrpcPolicy::UpdateArgs>()));

// An update's addresses: a container, or from 1.61 an iterator.
template <typename Container, typename Visit>
void ForEachAddress(const Container& container, const Visit& visit) {
  for (const Address& address : container) visit(address);
}
template <typename Iterator, typename Visit>
void ForEachAddress(const std::shared_ptr<Iterator>& iterator, const Visit& visit) {
  // None is as good as an empty one to gRPC's own policies.
  if (iterator != nullptr) iterator->ForEach(visit);
}

// An endpoint's first address: what hardly two have in common.
inline std::string_view KeyOf(const Address& address) {
  return {address.address().addr, address.address().len};
}

// The channel's target. To 1.62 an argument says it.
template <typename Helper>
auto TargetOf(Helper* helper, const ChannelArgs&, Preferred)
    -> decltype(std::string(helper->GetTarget())) {
  return std::string(helper->GetTarget());
}
template <typename Args>
std::string TargetOf(GrpcHelper*, const Args& args, Fallback) {
  return std::string(args.GetString("grpc.server_uri").value_or(""));
}

inline const ChannelArgs& ArgsOf(const ChannelArgs& args) { return args; }
inline ChannelArgs ArgsOf(const grpc_channel_args* args) { return ChannelArgs::FromC(args); }

inline const grpc_channel_args* CArgsOf(const grpc_channel_args* args) { return args; }
template <typename Args>
auto CArgsOf(const Args& args) {
  return args.ToC();
}

// What the resolver knows of one endpoint, which has one address, or from 1.60 several.
inline host::EndpointDescriptor Describe(const Address& address) {
  host::EndpointDescriptor endpoint;
#ifdef STEER_CHILD_ENDPOINTS
  const auto& addresses = address.addresses();
#else
  const grpc_resolved_address addresses[] = {address.address()};
#endif
  for (const grpc_resolved_address& one : addresses) {
    std::string text = TextOf(one);
    endpoint.addresses.push_back(text.empty() ? address.ToString() : std::move(text));
  }
#ifdef GRPC_ARG_ADDRESS_WEIGHT
  const ChannelArgs& args = address.args();
  endpoint.weight = static_cast<uint32_t>(args.GetInt(GRPC_ARG_ADDRESS_WEIGHT).value_or(0));
  if (const auto* locality = args.GetObject<grpc_core::XdsLocalityName>()) {
    endpoint.region = std::string(locality->region());
    endpoint.zone = std::string(locality->zone());
    endpoint.sub_zone = std::string(locality->sub_zone());
  }
#else
  // To 1.56, attributes. That of the locality has a key that libgrpc_unsecure lacks.
  using Weight = grpc_core::ServerAddressWeightAttribute;
  auto* weight =
      static_cast<const Weight*>(address.GetAttribute(Weight::kServerAddressWeightAttributeKey));
  if (weight != nullptr) endpoint.weight = weight->weight();
#endif
#ifdef GRPC_ARG_RING_HASH_ENDPOINT_HASH_KEY
  endpoint.hash_key =
      std::string(args.GetString(GRPC_ARG_RING_HASH_ENDPOINT_HASH_KEY).value_or(""));
#endif
  const auto c_args = CArgsOf(address.args());
  for (size_t i = 0; c_args != nullptr && i < c_args->num_args; ++i) {
    const grpc_arg& arg = c_args->args[i];
    // Some mean something to gRPC alone.
    if (absl::StartsWith(arg.key, "grpc.internal.")) continue;
    if (arg.type == GRPC_ARG_STRING) {
      endpoint.attributes.push_back({arg.key, STEER_ATTRIBUTE_TEXT, arg.value.string, 0});
    } else if (arg.type == GRPC_ARG_INTEGER) {
      endpoint.attributes.push_back({arg.key, STEER_ATTRIBUTE_INTEGER, "", arg.value.integer});
    }
  }
  return endpoint;
}

// --- Pickers ---

// A unique_ptr, or from 1.53 a RefCountedPtr: what UpdateState takes.
template <typename Ptr>
Ptr LastParameter(void (GrpcHelper::*)(grpc_connectivity_state, const absl::Status&, Ptr));
using PickerPtr = decltype(LastParameter(&GrpcHelper::UpdateState));

using PickResult = GrpcPolicy::PickResult;

// A pick's outcome if it is to send the call, or null. gRPC's variants are absl's or std's.
inline PickResult::Complete* CompleteOf(PickResult* result) {
  using std::get_if;
  return get_if<PickResult::Complete>(&result->result);
}

// Both texts must live as long as the call. To 1.65 a header is added at once, and twice if the
// call is picked twice because its connection is lost meanwhile; then it comes into force with the
// pick, and takes the place of one that the call has.
template <typename Metadata>
auto AddHeader(Metadata* metadata, PickResult::Complete*, absl::string_view name,
               absl::string_view value, Preferred) -> decltype(metadata->Add(name, value)) {
  metadata->Add(name, value);
}
template <typename Complete>
void AddHeader(GrpcPolicy::MetadataInterface*, Complete* complete, absl::string_view name,
               absl::string_view value, Fallback) {
  complete->metadata_mutations.Set(name, value);
}

// Whether gRPC says when a call starts, as it does to 1.76.
template <typename Tracker, typename = void>
constexpr bool kSaysStart = false;
template <typename Tracker>
constexpr bool kSaysStart<Tracker, decltype(&Tracker::Start, void())> = true;

// The hash that an xDS route gave a call, if any: a number, or to 1.59 its text.
inline std::optional<uint64_t> HashIn(uint64_t hash) { return hash; }
inline std::optional<uint64_t> HashIn(absl::string_view text) {
  return host::ParseHash({text.data(), text.size()});
}
#ifdef STEER_GRPC_TO_1_47
inline std::optional<uint64_t> RequestHashOf(GrpcPolicy::CallState* call, Fallback) {
  return HashIn(call->ExperimentalGetCallAttribute(grpc_core::kRequestRingHashAttribute));
}
#else
#ifdef STEER_GRPC_1_48_TO_1_53
using ChannelCall = grpc_core::ClientChannel::LoadBalancedCall::LbCallState;
#else
using ChannelCall = grpc_core::ClientChannelLbCallState;
#endif
// gRPC's names of the attribute, from 1.56 and before. Libraries without TLS may lack them: weak,
// and declared once more, because others' declarations cannot be made so.
__attribute__((weak)) grpc_core::UniqueTypeName HashAttribute() __asm__(
    "_ZN9grpc_core20RequestHashAttribute8TypeNameEv");
__attribute__((weak)) grpc_core::UniqueTypeName HashAttributeTo155() __asm__(
    "_ZN9grpc_core24RequestHashAttributeNameEv");
// `Call` is a parameter so that compilers look at the body only where this overload is taken.
template <typename Attribute = grpc_core::RequestHashAttribute, typename Call = ChannelCall>
auto RequestHashOf(GrpcPolicy::CallState* call, Preferred)
    -> decltype(HashIn(std::declval<Attribute>().request_hash())) {
  if (&HashAttribute == nullptr) return std::nullopt;
  auto* attribute = static_cast<Call*>(call)->GetCallAttribute(HashAttribute());
  if (attribute == nullptr) return std::nullopt;
  return HashIn(static_cast<const Attribute*>(attribute)->request_hash());
}
template <typename Call = ChannelCall>
std::optional<uint64_t> RequestHashOf(GrpcPolicy::CallState* call, Fallback) {
  if (&HashAttributeTo155 == nullptr) return std::nullopt;
  return HashIn(static_cast<Call*>(call)->GetCallAttribute(HashAttributeTo155()));
}
#endif

// --- Load reports ---

// What a subchannel's backend reports, at most how often, and to whom, who may not call gRPC back
// at once: locks are held.
struct LoadReports {
  // 0: it does not.
  uint64_t period_ns = 0;
  std::function<void(host::Load)> report;
};

#ifdef STEER_GRPC_WITHOUT_LOAD_REPORTS
inline void WatchLoad(Subchannel*, const LoadReports&) {}
#else
// Copies what not every gRPC's reports have.
template <typename Data, typename Copy>
void CopyIfThere([[maybe_unused]] const Data& data, [[maybe_unused]] Copy copy) {
  if constexpr (std::is_invocable_v<Copy, const Data&>) copy(data);
}

class LoadWatcher final : public grpc_core::OobBackendMetricWatcher {
 public:
  explicit LoadWatcher(LoadReports reports) : reports_(std::move(reports)) {}

  void OnBackendMetricReport(const grpc_core::BackendMetricData& data) override {
    const auto named = [](const auto& metrics) {
      return host::Load::Named(metrics.begin(), metrics.end());
    };
    host::Load load;
    load.cpu_utilization = data.cpu_utilization;
    load.mem_utilization = data.mem_utilization;
    load.request_cost = named(data.request_cost);
    load.utilization = named(data.utilization);
    CopyIfThere(data, [&](auto& from) -> decltype(from.qps, void()) { load.qps = from.qps; });
    CopyIfThere(data, [&](auto& from) -> decltype(from.eps, void()) {
      load.eps = from.eps;
      load.named = named(from.named_metrics);
    });
    CopyIfThere(data, [&](auto& from) -> decltype(from.application_utilization, void()) {
      load.application_utilization = from.application_utilization;
    });
    reports_.report(std::move(load));
  }

 private:
  const LoadReports reports_;
};
inline void WatchLoad(Subchannel* subchannel, const LoadReports& reports) {
  if (reports.period_ns == 0) return;
  subchannel->AddDataWatcher(grpc_core::MakeOobBackendMetricWatcher(
      grpc_core::Duration::NanosecondsRoundUp(reports.period_ns),
      std::make_unique<LoadWatcher>(reports)));
}
#endif

// --- Endpoints ---

// Picks over a connection. Here, because a call more is a tenth of a pick.
inline PickResult PickOver(GrpcPicker* picker, const GrpcPolicy::PickArgs& args) {
  return picker->Pick(args);
}
inline PickResult PickOver(Subchannel* subchannel, const GrpcPolicy::PickArgs&) {
  return PickResult::Complete(subchannel->Ref());
}

// FailureText: the failure of a connection, as this generation's round_robin shows it to users.
#ifdef STEER_CHILD_ENDPOINTS
inline std::string FailureText(const absl::Status& status) { return std::string(status.message()); }

// A pick_first's update to one endpoint: a container, or from 1.61 an iterator.
template <typename Container>
void SetAddress(absl::StatusOr<Container>* to, const Address& address) {
  *to = Container({address});
}
template <typename Iterator>
void SetAddress(absl::StatusOr<std::shared_ptr<Iterator>>* to, const Address& address) {
  struct One final : Iterator {
    explicit One(const Address& one) : one(one) {}
    void ForEach(absl::FunctionRef<void(const Address&)> callback) const override { callback(one); }
    const Address one;
  };
  *to = std::make_shared<One>(address);
}
#else
inline std::string FailureText(const absl::Status& status) { return status.ToString(); }

inline Connector CreateSubchannel(GrpcHelper* helper, const Address& address,
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
  // The first state comes with the watch. To 1.47 a failure has no reason, which is to say OK.
  virtual void OnState(grpc_connectivity_state state, const absl::Status& status) = 0;
  // One of the two is gRPC's.
  void OnConnectivityStateChange(grpc_connectivity_state state) {
    OnState(state, absl::OkStatus());
  }
  void OnConnectivityStateChange(grpc_connectivity_state state, absl::Status status) {
    OnState(state, status);
  }
};

// To 1.47 a watch begins with a state that one asks for.
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

// Returns the watch if it must be cancelled before the subchannel is let go.
inline StateWatcher* StartWatch(Subchannel* subchannel, std::unique_ptr<StateWatcher> watcher,
                                [[maybe_unused]] const SerializerPtr& serializer,
                                [[maybe_unused]] const ChannelArgs& args) {
#ifdef STEER_HEALTH_IS_THE_POLICYS
  const auto service = args.GetString(GRPC_ARG_HEALTH_CHECK_SERVICE_NAME);
  if (service.has_value() && !args.GetBool(GRPC_ARG_INHIBIT_HEALTH_CHECKING).value_or(false)) {
    // What gRPC asks for: the name, or from 1.57 all args.
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
#endif  // STEER_CHILD_ENDPOINTS

// --- The log ---

// gpr_log, or from 1.66 its successor: found by their parameter, which both declare.
template <typename Severity>
auto Write(Severity severity, const char* text, Preferred)
    -> decltype(grpc_absl_log(__FILE__, __LINE__, severity, text)) {
  grpc_absl_log(__FILE__, __LINE__, severity, text);
}
template <typename Severity>
void Write(Severity severity, const char* text, Fallback) {
  gpr_log(__FILE__, __LINE__, severity, "%s", text);
}
inline void Log(gpr_log_severity severity, const std::string& text) {
  // Until gRPC has been initialised it would log nothing at all.
  gpr_log_verbosity_init();
  Write(severity, text.c_str(), Preferred());
}

}  // namespace steer::shim

#endif  // STEER_SHIM_GENERATION_H
