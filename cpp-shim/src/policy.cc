// gRPC's policy that runs one of the engine's.
#include "policy.h"

#include <utility>

#include "endpoint.h"
#include "factory.h"
#include "picker.h"
#include "text.h"

namespace steer {
namespace shim {
namespace {

// --- The engine's host table: each callback finds its policy and does what its name says. ---
// `ctx` is a shared_ptr<Host> of its own. Serialised callbacks come only while the policy is there;
// endpoints are freed at the very end of it, and find their policy themselves.

Host* HostOf(void* ctx) { return static_cast<std::shared_ptr<Host>*>(ctx)->get(); }
Policy* PolicyOf(void* ctx) { return HostOf(ctx)->policy; }
Endpoint* EndpointOf(void* handle) { return static_cast<Endpoint*>(handle); }

void CtxFree(void* ctx) noexcept { delete static_cast<std::shared_ptr<Host>*>(ctx); }

int32_t EndpointNew(void* ctx, uint64_t id, uint32_t index, void** handle) noexcept {
  return PolicyOf(ctx)->NewEndpointLocked(id, index, handle);
}

int32_t EndpointMatches(void*, void* handle, uint32_t index) noexcept {
  return EndpointOf(handle)->MatchesLocked(index) ? 1 : 0;
}

void EndpointConnect(void*, void* handle) noexcept { EndpointOf(handle)->ConnectLocked(); }

void EndpointResetBackoff(void*, void* handle) noexcept {
  EndpointOf(handle)->ResetBackoffLocked();
}

void EndpointFree(void*, void* handle) noexcept { EndpointOf(handle)->DropLocked(); }

void ConnectionFree(void*, void* connection) noexcept { FreeConnection(connection); }

void UpdateState(void* ctx, int32_t state, int32_t code, steer_str message,
                 steer_picker* picker) noexcept {
  PolicyOf(ctx)->UpdateStateLocked(state, code, message, picker);
}

void RequestReresolution(void* ctx) noexcept { PolicyOf(ctx)->RequestReresolutionLocked(); }

void RunSoon(void* ctx) noexcept {
  std::shared_ptr<Host> host = *static_cast<std::shared_ptr<Host>*>(ctx);
  RunLater(host->serializer, [host] {
    if (host->policy != nullptr) host->policy->RunLocked();
  });
}

void TimerStart(void* ctx, uint64_t timer, uint64_t after_ns) noexcept {
  PolicyOf(ctx)->StartTimerLocked(timer, after_ns);
}

void TimerCancel(void* ctx, uint64_t timer) noexcept {
  if (PolicyOf(ctx) != nullptr) PolicyOf(ctx)->CancelTimerLocked(timer);
}

void WriteLog(void*, int32_t severity, steer_str message) noexcept {
  Log(severity == STEER_LOG_DEBUG  ? GPR_LOG_SEVERITY_DEBUG
      : severity == STEER_LOG_INFO ? GPR_LOG_SEVERITY_INFO
                                   : GPR_LOG_SEVERITY_ERROR,
      FromC(message));
}

steer_host HostTable(const std::shared_ptr<Host>& host) {
  steer_host table = {};
  table.struct_size = sizeof(table);
  table.ctx = new std::shared_ptr<Host>(host);
  table.ctx_free = CtxFree;
  table.endpoint_new = EndpointNew;
  table.endpoint_matches = EndpointMatches;
  table.endpoint_connect = EndpointConnect;
  table.endpoint_reset_backoff = EndpointResetBackoff;
  table.endpoint_free = EndpointFree;
  table.connection_free = ConnectionFree;
  table.update_state = UpdateState;
  table.request_reresolution = RequestReresolution;
  table.run_later = RunSoon;
  table.timer_start = TimerStart;
  table.timer_cancel = TimerCancel;
  table.log = WriteLog;
  return table;
}

}  // namespace

Policy::Policy(std::string name, Args args)
    : GrpcPolicy(std::move(args)),
      name_(std::move(name)),
      host_(std::make_shared<Host>(work_serializer())) {
  const steer_host table = HostTable(host_);
  const steer_status status = steer_policy_new(ToC(name_), &table, &engine_);
  if (status != STEER_OK) {
    Log(GPR_LOG_SEVERITY_ERROR, name_ + ": steer_policy_new: " + FromC(steer_status_text(status)));
    CtxFree(table.ctx);
    return;
  }
  host_->policy = this;
}

UpdateResult Policy::UpdateLocked(UpdateArgs args) {
  if (engine_ == nullptr) {
    const absl::Status status = absl::InternalError(name_ + ": the engine could not make it");
    channel_control_helper()->UpdateState(GRPC_CHANNEL_TRANSIENT_FAILURE, status,
                                          MakePicker<TransientFailurePicker>(status));
    return status;
  }
  if (args.addresses.ok()) {
    addresses_ = *std::move(args.addresses);
    args.addresses = AddressList();
    if (args_ != args.args) {
      args_ = std::move(args.args);
      ++args_version_;
    }
  }
  return HandInLocked(args);
}

UpdateResult Policy::HandInLocked(const UpdateArgs& args) {
  steer_update update = {};
  update.struct_size = sizeof(update);
  if (args.config != nullptr) {
    update.config = static_cast<const EngineConfig&>(*args.config).get();
  }
  update.resolution_note = ToC(args.resolution_note);
  std::vector<std::vector<std::string>> texts;
  std::vector<std::vector<steer_str>> address_lists;
  std::vector<steer_endpoint> endpoints;
  if (args.addresses.ok()) {
    texts.reserve(addresses_.size());
    address_lists.reserve(addresses_.size());
    endpoints.reserve(addresses_.size());
    for (const Address& address : addresses_) {
      texts.push_back(AddressTexts(address));
      address_lists.emplace_back();
      for (const std::string& text : texts.back()) address_lists.back().push_back(ToC(text));
      steer_endpoint endpoint = {};
      endpoint.struct_size = sizeof(endpoint);
      endpoint.addresses = address_lists.back().data();
      endpoint.address_count = address_lists.back().size();
      endpoint.weight = AddressWeight(address);
      endpoints.push_back(endpoint);
    }
    update.endpoints = endpoints.data();
    update.endpoint_count = endpoints.size();
  } else {
    update.code = static_cast<int32_t>(args.addresses.status().code());
    update.message = ToC(args.addresses.status().message());
  }
  int32_t code = 0;
  steer_string* message = nullptr;
  const steer_status status = steer_policy_update(engine_, &update, &code, &message);
  std::string text = TakeString(message);
  if (status != STEER_OK) {
    return absl::InternalError(name_ +
                               ": steer_policy_update: " + FromC(steer_status_text(status)));
  }
  return absl::Status(static_cast<absl::StatusCode>(code), text);
}

void Policy::ExitIdleLocked() { steer_policy_exit_idle(engine_); }

void Policy::ResetBackoffLocked() { steer_policy_reset_backoff(engine_); }

void Policy::ShutdownLocked() {
  // First, so that nothing of the engine's reaches the channel any more.
  host_->policy = nullptr;
  for (const auto& timer : timers_) CancelTimer(channel_control_helper(), timer.second);
  timers_.clear();
  steer_policy_free(std::exchange(engine_, nullptr));
  addresses_.clear();
}

steer_status Policy::NewEndpointLocked(uint64_t id, uint32_t index, void** handle) {
  if (index >= addresses_.size()) return STEER_INVALID_ARGUMENT;
  Endpoint* endpoint =
      Endpoint::NewLocked(Ref(DEBUG_LOCATION, "Endpoint"), channel_control_helper(), id,
                          addresses_[index], args_, args_version_);
  if (endpoint == nullptr) return STEER_ENDPOINT_REFUSED;
  *handle = endpoint;
  return STEER_OK;
}

bool Policy::SameAddressLocked(const Address& address, uint64_t args_version,
                               uint32_t index) const {
  return args_version == args_version_ && index < addresses_.size() && address == addresses_[index];
}

void Policy::UpdateStateLocked(int32_t state, int32_t code, steer_str message,
                               steer_picker* picker) {
  channel_control_helper()->UpdateState(
      static_cast<grpc_connectivity_state>(state),
      absl::Status(static_cast<absl::StatusCode>(code), FromC(message)),
      MakePicker<Picker>(picker));
}

void Policy::RequestReresolutionLocked() { channel_control_helper()->RequestReresolution(); }

void Policy::RunLocked() { steer_policy_run(engine_); }

void Policy::StartTimerLocked(uint64_t timer, uint64_t after_ns) {
  std::shared_ptr<Host> host = host_;
  timers_[timer] = StartTimer(channel_control_helper(), host->serializer,
                              std::chrono::nanoseconds(after_ns), [host, timer] {
                                if (host->policy != nullptr) host->policy->TimerLocked(timer);
                              });
}

void Policy::TimerLocked(uint64_t timer) {
  if (timers_.erase(timer) != 0) steer_policy_timer(engine_, timer);
}

void Policy::CancelTimerLocked(uint64_t timer) {
  auto running = timers_.find(timer);
  if (running == timers_.end()) return;
  CancelTimer(channel_control_helper(), running->second);
  timers_.erase(running);
}

void Policy::ReportLocked(uint64_t endpoint, grpc_connectivity_state state,
                          const absl::Status& status, void* connection) {
  steer_endpoint_report report = {};
  report.struct_size = sizeof(report);
  report.state = static_cast<int32_t>(state);
  const std::string text = status.ok() ? std::string() : FailureText(status);
  report.code = static_cast<int32_t>(status.code());
  report.message = ToC(text);
  report.connection = connection;
  steer_policy_endpoint_report(engine_, endpoint, &report);
}

}  // namespace shim
}  // namespace steer
