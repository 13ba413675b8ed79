// gRPC's policy that runs one of the engine's.
#include "policy.h"

#include <utility>

#include "endpoint.h"
#include "engine.h"
#include "picker.h"

namespace steer::shim {
namespace {

using HostPtr = std::shared_ptr<Host>;

// What `ctx` of the host table is: a HostPtr of its own.
HostPtr& HostOf(void* ctx) { return *static_cast<HostPtr*>(ctx); }
Policy* PolicyOf(void* ctx) { return HostOf(ctx)->policy; }
Endpoint* EndpointOf(void* handle) { return static_cast<Endpoint*>(handle); }

template <void (Endpoint::*kDo)()>
void OnEndpoint(void*, void* handle) noexcept {
  (EndpointOf(handle)->*kDo)();
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
    table.ctx_free(table.ctx);
    return;
  }
  host_->policy = this;
}

UpdateResult Policy::UpdateLocked(UpdateArgs args) {
  return static_cast<UpdateResult>(HandInLocked(std::move(args)));
}

absl::Status Policy::HandInLocked(UpdateArgs args) {
  if (engine_ == nullptr) {
    const absl::Status status = absl::InternalError(name_ + ": the engine could not make it");
    channel_control_helper()->UpdateState(GRPC_CHANNEL_TRANSIENT_FAILURE, status,
                                          PickerPtr(new TransientFailurePicker(status)));
    return status;
  }
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
    addresses_ = AddressList(*args.addresses);
    ChannelArgs channel_args = ArgsOf(args.args);
    if (!(args_ == channel_args)) {
      args_ = std::move(channel_args);
      ++args_version_;
    }
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

void Policy::ShutdownLocked() {
  // First, so that nothing of the engine's reaches the channel any more.
  host_->policy = nullptr;
  steer_policy_free(std::exchange(engine_, nullptr));
  addresses_.clear();
}

// Serialised callbacks come only while the policy is there; endpoints are freed at the very end of
// it, and find their policy themselves.
steer_host Policy::HostTable(const HostPtr& host) {
  steer_host table = {};
  table.struct_size = sizeof(table);
  table.ctx = new HostPtr(host);
  table.ctx_free = [](void* ctx) noexcept { delete static_cast<HostPtr*>(ctx); };
  table.endpoint_new = [](void* ctx, uint64_t id, uint32_t index, void** handle) noexcept {
    return static_cast<int32_t>(PolicyOf(ctx)->NewEndpointLocked(id, index, handle));
  };
  table.endpoint_matches = [](void* ctx, void* handle, uint32_t index) noexcept {
    const Policy* policy = PolicyOf(ctx);
    const EndpointArgs& made_of = EndpointOf(handle)->args();
    return int32_t{made_of.args_version == policy->args_version_ &&
                   index < policy->addresses_.size() &&
                   made_of.address == policy->addresses_[index]};
  };
  table.endpoint_connect = OnEndpoint<&Endpoint::ConnectLocked>;
  table.endpoint_reset_backoff = OnEndpoint<&Endpoint::ResetBackoffLocked>;
  table.endpoint_free = OnEndpoint<&Endpoint::DropLocked>;
  table.connection_free = [](void*, void* connection) noexcept {
    static_cast<Connection*>(connection)->Unref();
  };
  table.update_state = [](void* ctx, int32_t state, int32_t code, steer_str message,
                          steer_picker* picker) noexcept {
    PolicyOf(ctx)->channel_control_helper()->UpdateState(
        static_cast<grpc_connectivity_state>(state),
        absl::Status(static_cast<absl::StatusCode>(code), FromC(message)),
        PickerPtr(new Picker(picker)));
  };
  table.request_reresolution = [](void* ctx) noexcept {
    PolicyOf(ctx)->channel_control_helper()->RequestReresolution();
  };
  table.run_later = [](void* ctx) noexcept {
    RunLater(HostOf(ctx)->serializer, [host = HostOf(ctx)] {
      if (host->policy != nullptr) steer_policy_run(host->policy->engine_);
    });
  };
  table.log = [](void*, int32_t severity, steer_str message) noexcept {
    Log(severity == STEER_LOG_DEBUG  ? GPR_LOG_SEVERITY_DEBUG
        : severity == STEER_LOG_INFO ? GPR_LOG_SEVERITY_INFO
                                     : GPR_LOG_SEVERITY_ERROR,
        FromC(message));
  };
  return table;
}

steer_status Policy::NewEndpointLocked(uint64_t id, uint32_t index, void** handle) {
  if (index >= addresses_.size()) return STEER_INVALID_ARGUMENT;
  *handle = Endpoint::NewLocked({Ref(DEBUG_LOCATION, "Endpoint"), channel_control_helper(),
                                 host_->serializer, id, addresses_[index], args_, args_version_});
  return *handle == nullptr ? STEER_ENDPOINT_REFUSED : STEER_OK;
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

}  // namespace steer::shim
