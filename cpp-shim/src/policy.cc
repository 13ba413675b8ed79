// gRPC's policy that runs one of the engine's.
#include "policy.h"

#include <utility>

#include "alarm.h"
#include "endpoint.h"
#include "picker.h"

namespace steer::shim {
namespace {

Endpoint* EndpointOf(void* handle) { return static_cast<Endpoint*>(handle); }

}  // namespace

// The methods are the callbacks of steer_host. Serialised ones come only while the policy is there,
// but for those that its end leads to: EndpointFree and TimerCancel.
struct Policy::Host final : host::PolicyHost {
  explicit Host(SerializerPtr serializer) : serializer(std::move(serializer)) {}

  int32_t EndpointNew(uint64_t id, uint32_t index, void** handle) {
    if (index >= policy->addresses_.size()) return STEER_INVALID_ARGUMENT;
    *handle = Endpoint::NewLocked(
        {policy->Ref(DEBUG_LOCATION, "Endpoint"), policy->channel_control_helper(), serializer, id,
         policy->addresses_[index], policy->args_, policy->args_version_,
         shim::LoadReports{load_period_ns, [host = shared_from_this(), id](host::Load load) {
                             host->Later([host, id, load = std::move(load)] {
                               host::ReportLoad(host->engine(), id, load);
                             });
                           }}});
    return *handle == nullptr ? STEER_ENDPOINT_REFUSED : STEER_OK;
  }
  int32_t EndpointMatches(void* handle, uint32_t index) {
    const EndpointArgs& made_of = EndpointOf(handle)->args();
    return int32_t{made_of.args_version == policy->args_version_ &&
                   made_of.load_reports.period_ns == load_period_ns &&
                   index < policy->addresses_.size() &&
                   made_of.address == policy->addresses_[index]};
  }
  void EndpointConnect(void* handle) { EndpointOf(handle)->ConnectLocked(); }
  void EndpointResetBackoff(void* handle) { EndpointOf(handle)->ResetBackoffLocked(); }
  void EndpointFree(void* handle) { EndpointOf(handle)->DropLocked(); }
  void ConnectionFree(void* connection) { static_cast<Connection*>(connection)->Unref(); }
  void UpdateState(int32_t state, int32_t code, steer_str message, steer_picker* picker) {
    policy->channel_control_helper()->UpdateState(
        static_cast<grpc_connectivity_state>(state),
        absl::Status(static_cast<absl::StatusCode>(code), ViewOf(message)),
        PickerPtr(new Picker(picker)));
  }
  void RequestReresolution() { policy->channel_control_helper()->RequestReresolution(); }
  void LoadReports(uint64_t period_ns) { load_period_ns = period_ns; }
  void Log(int32_t severity, steer_str message) {
    shim::Log(severity == STEER_LOG_DEBUG  ? GPR_LOG_SEVERITY_DEBUG
              : severity == STEER_LOG_INFO ? GPR_LOG_SEVERITY_INFO
                                           : GPR_LOG_SEVERITY_ERROR,
              FromC(message));
  }

  Work CallLater(uint64_t after_ns, Work work) override {
    return shim::CallLater(after_ns, std::move(work));
  }
  void Serialise(Work work) override { serializer->Run(std::move(work), DEBUG_LOCATION); }

  const SerializerPtr serializer;
  // For the work serializer only, as is what follows. Null after shutdown.
  Policy* policy = nullptr;
  uint64_t load_period_ns = 0;
};

Policy::Policy(std::string name, Args args)
    : GrpcPolicy(std::move(args)),
      name_(std::move(name)),
      host_(std::make_shared<Host>(work_serializer())) {
  std::string error;
  host_->policy = this;
  host_->Start(host::NewPolicy(name_, host_, &error));
  if (host_->engine() != nullptr) return;
  Log(GPR_LOG_SEVERITY_ERROR, name_ + ": steer_policy_new: " + error);
}

void Policy::ExitIdleLocked() { steer_policy_exit_idle(host_->engine()); }

void Policy::ResetBackoffLocked() { steer_policy_reset_backoff(host_->engine()); }

UpdateResult Policy::UpdateLocked(UpdateArgs args) {
  return static_cast<UpdateResult>(HandInLocked(std::move(args)));
}

absl::Status Policy::HandInLocked(UpdateArgs args) {
  if (host_->engine() == nullptr) {
    const absl::Status status = absl::InternalError(name_ + ": the engine could not make it");
    channel_control_helper()->UpdateState(GRPC_CHANNEL_TRANSIENT_FAILURE, status,
                                          PickerPtr(new TransientFailurePicker(status)));
    return status;
  }
  host::Resolved resolved;
  if (args.config != nullptr)
    resolved.config = static_cast<const EngineConfig&>(*args.config).get();
  resolved.resolution_note = args.resolution_note;
  resolved.target = TargetOf(channel_control_helper(), ArgsOf(args.args), Preferred());
  if (args.addresses.ok()) {
    addresses_ = AddressList(*args.addresses);
    ChannelArgs channel_args = ArgsOf(args.args);
    if (!(args_ == channel_args)) {
      args_ = std::move(channel_args);
      ++args_version_;
    }
    resolved.endpoints.reserve(addresses_.size());
    for (const Address& address : addresses_) resolved.endpoints.push_back(Describe(address));
  } else {
    const absl::Status& status = args.addresses.status();
    resolved.status = {static_cast<int32_t>(status.code()), std::string(status.message())};
  }
  const host::Status verdict = host::UpdatePolicy(host_->engine(), resolved);
  return absl::Status(static_cast<absl::StatusCode>(verdict.code), verdict.message);
}

void Policy::ShutdownLocked() {
  // First, so that nothing of the engine's reaches the channel any more.
  host_->policy = nullptr;
  host_->ShutDown();
  addresses_.clear();
}

void Policy::ReportLocked(uint64_t endpoint, grpc_connectivity_state state,
                          const absl::Status& status, void* connection) {
  host::ReportEndpoint(
      host_->engine(), endpoint, static_cast<int32_t>(state),
      {static_cast<int32_t>(status.code()), status.ok() ? std::string() : FailureText(status)},
      connection);
}

}  // namespace steer::shim
