// steer::Register(): gives gRPC a factory for each of the engine's policies. In a process with
// several copies of Steer, one copy does so and the others join it.
//
// The general flow is: RegisterOnce checks the engine and gRPC, and asks gRPC for another copy of
// Steer. Without one, Lead has gRPC call Build, which adds the factories. Otherwise Join hands what
// was registered with this copy to the other one.
//
// Must not depend on: what a policy does, which gRPC version this is.
#include <dlfcn.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "copies.h"
#include "factory.h"
#include "generation/log.h"
#include "generation/registration.h"
#include "running_grpc.h"
#include "src/core/lib/surface/completion_queue.h"
#include "steer/grpc.h"
#include "steer/host.hpp"
#include "take_over.h"

namespace steer {
namespace shim {
namespace {

// The answer to kQuestion: a config whose name is the text of a copy.
class Answer final : public GrpcConfig {
 public:
  explicit Answer(std::string text) : text_(std::move(text)) {}
  Name name() const override { return NameOf(text_); }

 private:
  const std::string text_;
};

// The factory through which copies of Steer find each other (see copies.h).
class MeetingFactory final : public GrpcPolicyFactory {
 public:
  explicit MeetingFactory(const Copy* copy) : text_(TextOfCopy(copy)) {}

  Name name() const override { return Name(kMeetingPolicy); }

  // gRPC makes no policy without a config, and the parser accepts none from users.
  grpc_core::OrphanablePtr<GrpcPolicy> CreateLoadBalancingPolicy(
      GrpcPolicy::Args args) const override {
    return grpc_core::MakeOrphanable<Policy>(kMeetingPolicy, std::move(args));
  }

  ParsedConfig ParseLoadBalancingConfig(const grpc_core::Json& json) const override {
    if (JsonText(json, Preferred()) != JsonText(ConfigOf(kQuestion), Preferred())) {
      return absl::InvalidArgumentError(std::string(kMeetingPolicy) +
                                        " is internal to Steer: no service config can use it");
    }
    return grpc_core::MakeRefCounted<Answer>(text_);
  }

 private:
  const std::string text_;
};

// Adds the engine's policies. Skips those that the builder has.
void AddPolicies(void* registry_builder) {
  auto* builder = static_cast<RegistryBuilder*>(registry_builder);
  ReplaceTakenNames();
  for (const std::string& name : host::PolicyNames()) {
    if (!HasPolicy(builder, name)) AddPolicy(builder, std::make_unique<Factory>(name));
  }
}

void Build(RegistryBuilder* builder);

// Whether gRPC has built its configuration. It does so for the first channel or server, and
// accepts no policies afterwards.
bool IsBuilt() {
  // The parameters of this function of gRPC's depend on NDEBUG. If the shim was compiled with
  // another setting than gRPC, which would corrupt memory, linking fails here.
  static auto* volatile same_ndebug_as_grpc = &grpc_cq_internal_ref;
  return same_ndebug_as_grpc == nullptr || BuiltConfiguration()->load() != nullptr;
}

// Whether gRPC knows a policy of the engine, or still accepts it. The engine calls this when a
// policy is registered after Register, and when a name of gRPC's is taken over.
int32_t KnowsPolicy(steer_str text) noexcept {
  const std::string name = FromC(text);
  const std::string taker = TakerOf(name);
  if (!taker.empty() && !kCanReplaceBuiltIns) return 0;
  if (IsBuilt()) {
    // gRPC's own parser and that of another policy make configs with different names.
    return int32_t{taker.empty() ? BuiltHasPolicy(name)
                                 : AskBuiltPolicy(name.c_str(), kQuestion) == taker};
  }
  BuildAgain<Build>();
  return 1;
}

// This copy's table, for the others. NULL: its engine follows another copy.
const Copy* OwnCopy() {
  const steer_engine* const engine = steer_engine_lead(&KnowsPolicy);
  if (engine == nullptr) return nullptr;
  static const Copy copy = {sizeof(Copy), engine, &AddPolicies};
  return &copy;
}

const Copy* LeaderIn(RegistryBuilder* builder) {
  return CopyOfText(AskPolicy(builder, kMeetingPolicy, kQuestion));
}

// Adds this copy's policies, or the leader's. gRPC calls it when it collects policies, any number
// of times and on any thread. The call of the first copy finds no leader.
void Build(RegistryBuilder* builder) {
  if (const Copy* const leader = LeaderIn(builder)) {
    // The leader may have received more policies since it added its own.
    if (Follow(leader).status != STEER_CANNOT_FOLLOW) leader->add_policies(builder);
    return;
  }
  const Copy* const own = OwnCopy();
  if (own == nullptr || HasPolicy(builder, kMeetingPolicy)) return;
  AddPolicy(builder, std::make_unique<MeetingFactory>(own));
  AddPolicies(builder);
}

// Keeps the library that this code is in loaded until the process ends, because gRPC points to it
// from now on.
void StayLoaded() {
  Dl_info self = {};
  if (dladdr(reinterpret_cast<void*>(&Build), &self) == 0 || self.dli_fname == nullptr) return;
  // For the program itself, which is never unloaded, dlopen finds nothing.
  dlopen(self.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

// Also logs the failure: nobody reads the status of a preloaded library.
RegisterStatus Failed(RegisterCode code, const std::string& why) {
  Log(GPR_LOG_SEVERITY_ERROR, "steer::Register: " + why);
  return RegisterStatus(code, "steer::Register: " + why);
}

constexpr char kTooLate[] =
    "too late: gRPC accepts no policies once a channel or a server exists. Call steer::Register() "
    "at the beginning of main(), or preload libsteer-grpc-autoregister.so. ";

RegisterStatus TooLate() {
  return Failed(RegisterCode::kTooLate,
                std::string(kTooLate) + "Steer's policies are not available in this process.");
}

// Hands what was registered with this copy to the copy that serves this gRPC.
RegisterStatus Join(const Copy* leader) {
  const std::string serves = "copy of Steer serves this gRPC: " + NameOfCopy(leader);
  const Followed followed = Follow(leader);
  if (followed.status == STEER_TOO_LATE) {
    return Failed(RegisterCode::kTooLate, kTooLate + followed.why + ". Another " + serves + ".");
  }
  if (followed.status != STEER_OK) {
    return Failed(
        RegisterCode::kCannotJoin,
        "another " + serves +
            ". It did not accept everything that was registered with this copy: " + followed.why +
            ". Register that with the other copy, or under another name. The policies of "
            "the other copy can be used.");
  }
  const steer_engine& engine = *leader->engine;
  if (engine.load_plugins() != STEER_OK) {
    return Failed(RegisterCode::kPluginFailed, FromC(engine.last_error()) + "; another " + serves);
  }
  return RegisterStatus(RegisterCode::kAnotherCopy, "steer::Register: another " + serves);
}

// Makes this copy the one that serves. Loads plugins first, so that the message names their
// policies.
RegisterStatus Lead() {
  const bool loaded = steer_load_plugins() == STEER_OK;
  const std::string why = FromC(steer_last_error());
  BuildAgain<Build>();
  // Another thread may have made the first channel before gRPC had this copy's builder.
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
                  "this process has two gRPC libraries, and this copy of Steer already follows the "
                  "copy that serves the other one. Link each program or library that brings its "
                  "own gRPC with its own copy of Steer.");
  }
  return Lead();
}

// `status` with the names that are taken over. `why`: why taking names over failed, if it did. Logs
// the result: nobody reads the status of a preloaded library.
RegisterStatus WithTakenNames(const RegisterStatus& status, const std::string& why) {
  if (!why.empty()) {
    Log(GPR_LOG_SEVERITY_ERROR, "steer::Register: " + why);
    return RegisterStatus(status.ok() ? RegisterCode::kTakeOverFailed : status.code(),
                          "steer::Register: " + why + "; " + status.message());
  }
  const std::string taken = ListTakenNames();
  if (taken.empty()) return status;
  Log(GPR_LOG_SEVERITY_INFO, "steer::Register: " + taken);
  return RegisterStatus(status.code(), status.message() + "; " + taken);
}

// Takes names over for the program. `status` is the result so far, and `otherwise` the result if
// the program takes none over.
RegisterStatus WithOptions(const RegisterStatus& status, const RegisterStatus& otherwise,
                           const RegisterOptions& options) {
  if (options.take_over.empty() || otherwise.code() == RegisterCode::kCannotJoin) return otherwise;
  const RegisterStatus& base = otherwise.ok() ? status : otherwise;
  return WithTakenNames(base, TakeOverFor(options));
}

}  // namespace
}  // namespace shim

RegisterStatus Register() { return Register(RegisterOptions()); }

RegisterStatus Register(const RegisterOptions& options) {
  static std::mutex mu;
  static std::optional<RegisterStatus> done;
  std::lock_guard<std::mutex> lock(mu);
  if (!done.has_value()) {
    RegisterStatus status = shim::RegisterOnce();
    switch (status.code()) {
      case RegisterCode::kTooLate:
      case RegisterCode::kAbiMismatch:
      case RegisterCode::kOtherGrpc:
        // Nothing has changed, so the next call tries again.
        return status;
      case RegisterCode::kCannotJoin:
        // The other copy takes names over as the environment says, and may be unable to.
        done = status;
        return status;
      default:
        done = shim::WithTakenNames(status, shim::TakeOverEnvironment());
        return shim::WithOptions(status, *done, options);
    }
  }
  if (done->code() == RegisterCode::kOk) {
    const RegisterStatus again(RegisterCode::kAlreadyRegistered,
                               "steer::Register: Steer is already registered.");
    return shim::WithOptions(again, again, options);
  }
  return shim::WithOptions(*done, *done, options);
}

}  // namespace steer
