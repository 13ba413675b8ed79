// steer::Register(): gives gRPC a factory for each of the engine's policies, whichever copy of
// Steer in the process does so.
//
// Must not know: what a policy does.
#include <dlfcn.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "copies.h"
#include "generation/config.h"
#include "generation/log.h"
#include "generation/registration.h"
#include "policy.h"
#include "running_grpc.h"
#include "src/core/lib/surface/completion_queue.h"
#include "steer/grpc.h"
#include "steer/host.hpp"

namespace steer {
namespace shim {
namespace {

class Factory final : public GrpcPolicyFactory {
 public:
  explicit Factory(std::string name) : name_(std::move(name)) {}

  Name name() const override { return NameOf(name_); }

  grpc_core::OrphanablePtr<GrpcPolicy> CreateLoadBalancingPolicy(
      GrpcPolicy::Args args) const override {
    return grpc_core::MakeOrphanable<Policy>(name_, std::move(args));
  }

  ParsedConfig ParseLoadBalancingConfig(const grpc_core::Json& json) const override {
    std::string error;
    host::ConfigPtr config = host::ParseConfig(name_, JsonText(json, Preferred()), &error);
    if (config == nullptr) return absl::InvalidArgumentError(error);
    return grpc_core::MakeRefCounted<EngineConfig>(name_, std::move(config));
  }

 private:
  const std::string name_;
};

// What the factory that copies meet by answers.
class Answer final : public GrpcConfig {
 public:
  explicit Answer(std::string text) : text_(std::move(text)) {}
  Name name() const override { return NameOf(text_); }

 private:
  const std::string text_;
};

class MeetingFactory final : public GrpcPolicyFactory {
 public:
  explicit MeetingFactory(const Copy* copy) : text_(TextOfCopy(copy)) {}

  Name name() const override { return Name(kMeetingPolicy); }

  // Without a config there is none to make.
  grpc_core::OrphanablePtr<GrpcPolicy> CreateLoadBalancingPolicy(
      GrpcPolicy::Args args) const override {
    return grpc_core::MakeOrphanable<Policy>(kMeetingPolicy, std::move(args));
  }

  ParsedConfig ParseLoadBalancingConfig(const grpc_core::Json& json) const override {
    if (JsonText(json, Preferred()) != JsonText(ConfigOf(kQuestion), Preferred())) {
      return absl::InvalidArgumentError(std::string(kMeetingPolicy) + " is for Steer's own use");
    }
    return grpc_core::MakeRefCounted<Answer>(text_);
  }

 private:
  const std::string text_;
};

// Adds those of the engine's policies that are not there.
void AddPolicies(void* registry_builder) {
  auto* builder = static_cast<RegistryBuilder*>(registry_builder);
  for (const std::string& name : host::PolicyNames()) {
    if (!HasPolicy(builder, name)) AddPolicy(builder, std::make_unique<Factory>(name));
  }
}

void Build(RegistryBuilder* builder);

// Whether gRPC has built its configuration, as it does for its first channel or server: from then
// on it takes no policies.
bool IsBuilt() {
  // Linking fails here when the shim was compiled with another NDEBUG setting than gRPC, which
  // would corrupt memory: this function's parameters depend on it.
  static auto* volatile same_ndebug_as_grpc = &grpc_cq_internal_ref;
  return same_ndebug_as_grpc == nullptr || BuiltConfiguration()->load() != nullptr;
}

// Whether gRPC knows a policy of the engine's, or still learns of it.
int32_t KnowsPolicy(steer_str name) noexcept {
  if (IsBuilt()) return int32_t{BuiltHasPolicy(FromC(name))};
  BuildAgain<Build>();
  return 1;
}

// This copy, as the one that leads. NULL: its engine follows another one.
const Copy* OwnCopy() {
  const steer_engine* const engine = steer_engine_lead(&KnowsPolicy);
  if (engine == nullptr) return nullptr;
  static const Copy copy = {sizeof(Copy), engine, &AddPolicies};
  return &copy;
}

const Copy* LeaderIn(RegistryBuilder* builder) {
  return CopyOfText(AskPolicy(builder, kMeetingPolicy, kQuestion));
}

// What gRPC calls when it collects policies, any number of times and on any thread. The first
// copy's call finds no other copy, and adds everything.
void Build(RegistryBuilder* builder) {
  if (const Copy* const leader = LeaderIn(builder)) {
    // Later than the others' policies: what they have handed over meanwhile.
    if (Follow(leader).status != STEER_CANNOT_FOLLOW) leader->add_policies(builder);
    return;
  }
  const Copy* const own = OwnCopy();
  if (own == nullptr || HasPolicy(builder, kMeetingPolicy)) return;
  AddPolicy(builder, std::make_unique<MeetingFactory>(own));
  AddPolicies(builder);
}

// gRPC points to this code from now on, whoever closes the library that it is in.
void StayLoaded() {
  Dl_info self = {};
  if (dladdr(reinterpret_cast<void*>(&Build), &self) == 0 || self.dli_fname == nullptr) return;
  // Nothing is found for the program itself, which is never unloaded.
  dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

RegisterStatus Failed(RegisterCode code, const std::string& why) {
  Log(GPR_LOG_SEVERITY_ERROR, "steer::Register: " + why);
  return RegisterStatus(code, "steer::Register: " + why);
}

constexpr char kTooLate[] =
    "too late: gRPC takes no policies once a channel or a server exists. Call steer::Register() at "
    "the beginning of main(), or preload libsteer-grpc-autoregister.so. ";

RegisterStatus TooLate() {
  return Failed(RegisterCode::kTooLate,
                std::string(kTooLate) + "Steer's policies are not available in this process.");
}

// Another copy of Steer serves this gRPC.
RegisterStatus Join(const Copy* leader) {
  const std::string serves = "another copy of Steer serves this gRPC: " + NameOfCopy(leader);
  const Followed followed = Follow(leader);
  if (followed.status == STEER_TOO_LATE) {
    return Failed(RegisterCode::kTooLate, kTooLate + followed.why + ". " + serves);
  }
  if (followed.status != STEER_OK) {
    return Failed(RegisterCode::kCannotJoin,
                  serves + ", and cannot take what was registered with this copy: " + followed.why +
                      ". Register it with that copy, or give it another name; policies of that "
                      "copy can be used.");
  }
  const steer_engine& engine = *leader->engine;
  if (engine.load_plugins() != STEER_OK) {
    return Failed(RegisterCode::kPluginFailed, FromC(engine.last_error()) + "; " + serves);
  }
  return RegisterStatus(RegisterCode::kAnotherCopy, "steer::Register: " + serves);
}

// This copy serves. Plugins come first, so that the message names their policies.
RegisterStatus Lead() {
  const bool loaded = steer_load_plugins() == STEER_OK;
  const std::string why = FromC(steer_last_error());
  BuildAgain<Build>();
  // Another thread may have made a channel meanwhile.
  if (IsBuilt() && !BuiltHasPolicy(kMeetingPolicy)) return TooLate();
  std::string names = "registered";
  for (const std::string& name : host::PolicyNames()) names += " " + name;
  if (!loaded) return Failed(RegisterCode::kPluginFailed, why + "; " + names);
  return RegisterStatus(RegisterCode::kOk, "steer::Register: " + names);
}

RegisterStatus RegisterOnce() {
  if (const std::string why = host::WhyEngineIsTooOld(); !why.empty()) {
    return Failed(RegisterCode::kAbiMismatch, why);
  }
  if (const std::string why = WhyOtherGrpc(); !why.empty()) {
    return Failed(RegisterCode::kOtherGrpc, why);
  }
  StayLoaded();
  if (IsBuilt()) {
    const Copy* const leader = CopyOfText(AskBuiltPolicy(kMeetingPolicy, kQuestion));
    if (leader != nullptr) return Join(leader);
    return TooLate();
  }
  const Copy* leader = nullptr;
  RegisterBuild<Build>([&](RegistryBuilder* builder) {
    leader = LeaderIn(builder);
    return leader != nullptr;
  });
  if (leader != nullptr) return Join(leader);
  if (OwnCopy() == nullptr) {
    return Failed(RegisterCode::kCannotJoin,
                  "this copy's engine follows that of another gRPC in this process. Link the two "
                  "users of gRPC with a copy of Steer each.");
  }
  return Lead();
}

}  // namespace
}  // namespace shim

RegisterStatus Register() {
  static std::mutex mu;
  static std::optional<RegisterStatus> done;
  std::lock_guard<std::mutex> lock(mu);
  if (!done.has_value()) {
    RegisterStatus status = shim::RegisterOnce();
    switch (status.code()) {
      case RegisterCode::kTooLate:
      case RegisterCode::kAbiMismatch:
      case RegisterCode::kOtherGrpc:
        // Nothing has changed.
        return status;
      default:
        done = status;
        return status;
    }
  }
  if (done->code() == RegisterCode::kOk) {
    return RegisterStatus(RegisterCode::kAlreadyRegistered,
                          "steer::Register: Steer is registered already.");
  }
  return *done;
}

}  // namespace steer
