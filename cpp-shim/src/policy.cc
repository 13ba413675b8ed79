// gRPC's policy that runs one of the engine's.
#include "policy.h"

#include <algorithm>
#include <cstddef>
#include <unordered_set>
#include <utility>

#include "alarm.h"
#include "endpoint.h"
#include "generation/connector.h"
#include "generation/log.h"
#include "generation/picks.h"
#include "generation/work_serializer.h"
#include "picker.h"

namespace steer::shim {
namespace {

using Serialised = host::PolicyHost::Serialised;

// The engine passes only handles that EndpointNew returned and that it has not freed (steer_host).
Endpoint* EndpointOf(void* handle) { return static_cast<Endpoint*>(handle); }

gpr_log_severity SeverityOf(int32_t severity) {
  switch (severity) {
    case STEER_LOG_DEBUG:
      return GPR_LOG_SEVERITY_DEBUG;
    case STEER_LOG_INFO:
      return GPR_LOG_SEVERITY_INFO;
    default:
      return GPR_LOG_SEVERITY_ERROR;
  }
}

}  // namespace

// The public methods are the callbacks of steer_host. The engine makes serialised calls only while
// the policy exists. Exceptions are EndpointFree and TimerCancel, which the policy's end causes.
struct Policy::Host final : host::PolicyHost {
  explicit Host(SerializerPtr serializer) : serializer(std::move(serializer)) {}

  int32_t EndpointNew(uint64_t id, uint32_t index, void** handle) {
    return EndpointNewConnection(id, index, 0, handle);
  }
  int32_t EndpointNewConnection(uint64_t id, uint32_t index, uint32_t connection, void** handle) {
    if (index >= policy->addresses_.size()) return STEER_INVALID_ARGUMENT;
    Endpoint* const made =
        Endpoint::NewLocked({policy->Ref(DEBUG_LOCATION, "Endpoint"), id, policy->addresses_[index],
                             policy->connector_args_, connection},
                            load_period_ns);
    *handle = made;
    if (made == nullptr) return STEER_ENDPOINT_REFUSED;
    endpoints.insert(made);
    return STEER_OK;
  }
  int32_t EndpointMatches(void* handle, uint32_t index) {
    const Endpoint* const endpoint = EndpointOf(handle);
    const EndpointArgs& made_from = endpoint->args();
    if (index >= policy->addresses_.size()) return 0;
    const AddressPtr& address = policy->addresses_[index];
    return int32_t{made_from.connector == policy->connector_args_ &&
                   endpoint->load_period_ns() == load_period_ns &&
                   (made_from.address == address || *made_from.address == *address)};
  }
  void EndpointConnect(void* handle) { EndpointOf(handle)->ConnectLocked(); }
  void EndpointResetBackoff(void* handle) { EndpointOf(handle)->ResetBackoffLocked(); }
  void EndpointFree(void* handle) {
    endpoints.erase(EndpointOf(handle));
    EndpointOf(handle)->DropLocked();
  }
  void UpdateState(int32_t state, int32_t code, steer_str message, steer_picker* picker) {
    policy->channel_control_helper()->UpdateState(
        static_cast<grpc_connectivity_state>(state),
        absl::Status(static_cast<absl::StatusCode>(code), ViewOf(message)),
        PickerPtr(new Picker(picker)));
  }
  void RequestReresolution() {
    if (!connector_asked) policy->channel_control_helper()->RequestReresolution();
  }
  void LoadReports(uint64_t period_ns) {
    load_period_ns = period_ns;
    for (Endpoint* const endpoint : endpoints) endpoint->ReportLoadLocked(period_ns);
  }
  // All policies of a channel share its work serializer, which this host holds.
  uint64_t Channel() const { return reinterpret_cast<uintptr_t>(serializer.get()); }
  static constexpr uint64_t kLacks = kLoadReportsHaveQps ? 0 : STEER_HOST_LACKS_LOAD_QPS;
  static constexpr uint64_t kWords = shim::kWords;
  void Log(int32_t severity, steer_str message) { shim::Log(SeverityOf(severity), FromC(message)); }

  // What PolicyHost needs.
  Work CallLater(uint64_t after_ns, Work work) override {
    return shim::CallLater(after_ns, std::move(work));
  }
  void Serialise(Work work) override { serializer->Run(std::move(work), DEBUG_LOCATION); }
  void SerialiseLater(Work work) override {
    RunSerialisedLater(serializer, std::move(work), Preferred());
  }
  // The engine gives back only references that ReportLocked gave it.
  void Release(void* connection) override { static_cast<Connection*>(connection)->Unref(); }

  const SerializerPtr serializer;

  // The following are read and written in the work serializer only.

  // Set by Policy's constructor, cleared by ShutdownLocked.
  Policy* policy = nullptr;
  // What the engine asked for last. 0: no load reports.
  uint64_t load_period_ns = 0;
  // Those that the engine has made and not freed.
  std::unordered_set<Endpoint*> endpoints;
  // Whether the endpoint that is reporting has requested re-resolution itself.
  bool connector_asked = false;
};

Policy::Policy(std::string name, Args args)
    : Policy(std::move(name), {args.work_serializer, args.channel_control_helper.get()},
             std::move(args)) {}

Policy::Policy(std::string name, const Passed& passed, Args&& args)
    : GrpcPolicy(std::move(args)),
      name_(std::move(name)),
      helper_(passed.helper),
      host_(std::make_shared<Host>(passed.serializer)) {
  // gRPC's compiled code filled in the base class, and this code reads it. The two use different
  // layouts if they come from different gRPC versions or build settings.
  if (work_serializer() != passed.serializer || channel_control_helper() != passed.helper) {
    why_unusable_ = name_ +
                    ": gRPC's classes have another layout at run time than those that Steer was "
                    "compiled with. Rebuild Steer's shim with the headers and the build settings "
                    "of the gRPC that this process runs.";
  } else {
    std::string error;
    host_->policy = this;
    host_->Start(host::NewPolicy(name_, host_, &error));
    if (host_->engine() == nullptr) {
      why_unusable_ =
          name_ + ": the engine could not create the policy: steer_policy_new: " + error;
    }
  }
  if (!why_unusable_.empty()) Log(GPR_LOG_SEVERITY_ERROR, why_unusable_);
}

const SerializerPtr& Policy::serializer() const { return host_->serializer; }

LoadReports Policy::LoadReportsOf(uint64_t endpoint, uint64_t period_ns) const {
  if (period_ns == 0) return {};
  return {period_ns, [host = host_, endpoint](host::Load load) {
            host->Later([host, endpoint, load = std::move(load)] {
              host::ReportLoad(host->engine(), endpoint, load);
            });
          }};
}

void Policy::ExitIdleLocked() {
  const Serialised here(host_.get());
  steer_policy_exit_idle(host_->engine());
}

void Policy::ResetBackoffLocked() {
  const Serialised here(host_.get());
  steer_policy_reset_backoff(host_->engine());
}

UpdateResult Policy::UpdateLocked(UpdateArgs args) {
  const Serialised here(host_.get());
  return static_cast<UpdateResult>(HandInLocked(std::move(args)));
}

absl::Status Policy::HandInLocked(UpdateArgs args) {
  if (!why_unusable_.empty()) {
    const absl::Status status = absl::InternalError(why_unusable_);
    helper_->UpdateState(GRPC_CHANNEL_TRANSIENT_FAILURE, status,
                         PickerPtr(new TransientFailurePicker(status)));
    return status;
  }
  host::Resolved resolved;
  DescribeUpdate(args, &resolved);
  host::Status verdict;
  const steer_status taken = host::UpdatePolicy(host_->engine(), resolved, &verdict);
  // The engine does not know these addresses, so the next update must describe all of its own.
  if (taken != STEER_OK) addresses_.clear();
  return absl::Status(static_cast<absl::StatusCode>(verdict.code), verdict.message);
}

void Policy::DescribeUpdate(const UpdateArgs& args, host::Resolved* resolved) {
  // gRPC passes the configs that the factory of this policy's name made: EngineConfigs.
  if (args.config != nullptr) {
    resolved->config = static_cast<const EngineConfig&>(*args.config).get();
  }
  resolved->resolution_note = args.resolution_note;
  resolved->target = TargetOf(channel_control_helper(), ArgsOf(args.args), Preferred());
  resolved->cluster = ClusterOf(ArgsOf(args.args));
  if (!args.addresses.ok()) {
    const absl::Status& status = args.addresses.status();
    resolved->status = {static_cast<int32_t>(status.code()), std::string(status.message())};
    return;
  }
  TakeAddresses(*args.addresses, resolved);
  // Endpoints are made without the others, too, so that they do not hold an old xDS configuration.
  ChannelArgs channel_args = SeenBySubchannels(ArgsOf(args.args));
  if (connector_args_ == nullptr || !(connector_args_->args == channel_args)) {
    connector_args_ = std::make_shared<const ConnectorArgs>(std::move(channel_args));
    ++connector_args_count_;
  }
  resolved->made_with = connector_args_count_;
}

template <typename List>
void Policy::TakeAddresses(const List& list, host::Resolved* resolved) {
  resolved->former = addresses_.Replace([&list](const auto& visit) { ForEachAddress(list, visit); },
                                        KeyOf, IsLess);
  const auto& former = resolved->former;
  resolved->endpoints.Reserve(
      static_cast<size_t>(std::count(former.begin(), former.end(), host::kNewEndpoint)));
  for (size_t i = 0; i < former.size(); ++i) {
    if (former[i] == host::kNewEndpoint) resolved->endpoints.Add(Describe(*addresses_[i]));
  }
}

void Policy::ShutdownLocked() {
  const Serialised here(host_.get());
  // Cleared first, so that the engine's last callbacks do not reach the channel.
  host_->policy = nullptr;
  host_->ShutDown();
  addresses_.clear();
}

void Policy::ReportLocked(uint64_t endpoint, grpc_connectivity_state state,
                          const absl::Status& status, void* connection, bool connector_asked) {
  const Serialised here(host_.get());
  host_->connector_asked = connector_asked;
  host::ReportEndpoint(
      host_->engine(), endpoint, static_cast<int32_t>(state),
      {static_cast<int32_t>(status.code()), status.ok() ? std::string() : FailureText(status)},
      connection);
  host_->connector_asked = false;
}

}  // namespace steer::shim
