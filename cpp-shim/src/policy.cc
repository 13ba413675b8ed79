// gRPC's policy that runs one of the engine's.
#include "policy.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <memory_resource>
#include <string_view>
#include <unordered_map>
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

Endpoint* EndpointOf(void* handle) { return static_cast<Endpoint*>(handle); }

}  // namespace

// The methods are the callbacks of steer_host. Serialised ones come only while the policy is there,
// but for those that its end leads to: EndpointFree and TimerCancel.
struct Policy::Host final : host::PolicyHost {
  explicit Host(SerializerPtr serializer) : serializer(std::move(serializer)) {}

  int32_t EndpointNew(uint64_t id, uint32_t index, void** handle) {
    if (index >= policy->addresses_.size()) return STEER_INVALID_ARGUMENT;
    *handle = Endpoint::NewLocked({policy->Ref(DEBUG_LOCATION, "Endpoint"), id,
                                   policy->addresses_[index], policy->channel_, load_period_ns});
    return *handle == nullptr ? STEER_ENDPOINT_REFUSED : STEER_OK;
  }
  int32_t EndpointMatches(void* handle, uint32_t index) {
    const EndpointArgs& made_of = EndpointOf(handle)->args();
    if (index >= policy->addresses_.size()) return 0;
    const AddressPtr& address = policy->addresses_[index];
    return int32_t{made_of.connector == policy->channel_ &&
                   made_of.load_period_ns == load_period_ns &&
                   (made_of.address == address || *made_of.address == *address)};
  }
  void EndpointConnect(void* handle) { EndpointOf(handle)->ConnectLocked(); }
  void EndpointResetBackoff(void* handle) { EndpointOf(handle)->ResetBackoffLocked(); }
  void EndpointFree(void* handle) { EndpointOf(handle)->DropLocked(); }
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
  void SerialiseLater(Work work) override {
    RunSerialisedLater(serializer, std::move(work), Preferred());
  }
  void Release(void* connection) override { static_cast<Connection*>(connection)->Unref(); }

  const SerializerPtr serializer;
  // For the work serializer only, as is what follows. Null after shutdown.
  Policy* policy = nullptr;
  uint64_t load_period_ns = 0;
};

Policy::Policy(std::string name, Args args)
    : Policy(std::move(name), {args.work_serializer, args.channel_control_helper.get()},
             std::move(args)) {}

Policy::Policy(std::string name, const Passed& passed, Args&& args)
    : GrpcPolicy(std::move(args)),
      name_(std::move(name)),
      helper_(passed.helper),
      host_(std::make_shared<Host>(passed.serializer)) {
  // gRPC's code has filled in the base class, and this code reads it: by another layout, when they
  // are of different versions or build settings.
  if (work_serializer() != passed.serializer || channel_control_helper() != passed.helper) {
    why_lame_ = name_ +
                ": gRPC's classes have another layout at run time than those that Steer was "
                "compiled with: rebuild Steer's shim with the headers and settings of the gRPC "
                "that this process runs";
  } else {
    std::string error;
    host_->policy = this;
    host_->Start(host::NewPolicy(name_, host_, &error));
    if (host_->engine() == nullptr) {
      why_lame_ = name_ + ": the engine could not make it: steer_policy_new: " + error;
    }
  }
  if (!why_lame_.empty()) Log(GPR_LOG_SEVERITY_ERROR, why_lame_);
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
  if (!why_lame_.empty()) {
    const absl::Status status = absl::InternalError(why_lame_);
    helper_->UpdateState(GRPC_CHANNEL_TRANSIENT_FAILURE, status,
                         PickerPtr(new TransientFailurePicker(status)));
    return status;
  }
  host::Resolved resolved;
  if (args.config != nullptr)
    resolved.config = static_cast<const EngineConfig&>(*args.config).get();
  resolved.resolution_note = args.resolution_note;
  resolved.target = TargetOf(channel_control_helper(), ArgsOf(args.args), Preferred());
  if (args.addresses.ok()) {
    TakeAddresses(*args.addresses, &resolved);
    const ChannelArgs& channel_args = ArgsOf(args.args);
    if (channel_ == nullptr || !(channel_->args == channel_args)) {
      channel_ = std::make_shared<const ConnectorArgs>(channel_args);
      ++channels_;
    }
    resolved.made_with = channels_;
  } else {
    const absl::Status& status = args.addresses.status();
    resolved.status = {static_cast<int32_t>(status.code()), std::string(status.message())};
  }
  host::Status verdict;
  const steer_status taken = host::UpdatePolicy(host_->engine(), resolved, &verdict);
  // What comes next is new to it.
  if (taken != STEER_OK) addresses_.clear();
  return absl::Status(static_cast<absl::StatusCode>(verdict.code), verdict.message);
}

// Makes `list` the latest one. What was there before stays the very same object, and is not
// described anew.
template <typename List>
void Policy::TakeAddresses(const List& list, host::Resolved* resolved) {
  std::vector<uint32_t>& places = resolved->former;
  places.reserve(addresses_.size());
  // Mostly all of it is as it was.
  size_t count = 0;
  ForEachAddress(list, [&](const Address& address) {
    const size_t place = count++;
    if (places.size() == place && place < addresses_.size() && *addresses_[place] == address) {
      places.push_back(static_cast<uint32_t>(place));
    }
  });
  const size_t same = places.size();
  if (same == count && same == addresses_.size()) return;
  std::vector<AddressPtr> former = std::exchange(addresses_, {});
  addresses_.reserve(count);
  addresses_.assign(std::make_move_iterator(former.begin()),
                    std::make_move_iterator(former.begin() + static_cast<ptrdiff_t>(same)));
  std::vector<size_t> missed;
  // Where the former list goes on, and how many were not found there since the last one that was.
  size_t next = same;
  size_t since = 0;
  size_t index = 0;
  ForEachAddress(list, [&](const Address& address) {
    if (index++ < same) return;
    // As it was; or after one that has gone; or after as many as have come in the place of others.
    for (const size_t place : {next, next + 1, next + since}) {
      if (place >= former.size() || !(*former[place] == address)) continue;
      addresses_.push_back(std::move(former[place]));
      places.push_back(static_cast<uint32_t>(place));
      next = place + 1;
      since = 0;
      return;
    }
    ++since;
    missed.push_back(places.size());
    addresses_.push_back(std::make_shared<const Address>(address));
    places.push_back(host::kNewEndpoint);
  });
  // The rest has moved, or is new.
  std::pmr::monotonic_buffer_resource memory;
  std::pmr::unordered_multimap<std::string_view, uint32_t> left(&memory);
  if (!missed.empty()) left.reserve(former.size() - (places.size() - missed.size()));
  for (size_t i = 0; !missed.empty() && i < former.size(); ++i) {
    if (former[i] != nullptr) left.emplace(KeyOf(*former[i]), static_cast<uint32_t>(i));
  }
  // At least so many are new.
  if (missed.size() > left.size()) resolved->endpoints.Reserve(missed.size() - left.size());
  for (const size_t place : missed) {
    AddressPtr& address = addresses_[place];
    const auto [first, last] = left.equal_range(KeyOf(*address));
    const auto found =
        std::find_if(first, last, [&](const auto& one) { return *former[one.second] == *address; });
    if (found == last) {
      resolved->endpoints.Add(Describe(*address));
      continue;
    }
    places[place] = found->second;
    address = std::move(former[found->second]);
    left.erase(found);
  }
}

void Policy::ShutdownLocked() {
  const Serialised here(host_.get());
  // First, so that nothing of the engine's reaches the channel any more.
  host_->policy = nullptr;
  host_->ShutDown();
  addresses_.clear();
}

void Policy::ReportLocked(uint64_t endpoint, grpc_connectivity_state state,
                          const absl::Status& status, void* connection) {
  const Serialised here(host_.get());
  host::ReportEndpoint(
      host_->engine(), endpoint, static_cast<int32_t>(state),
      {static_cast<int32_t>(status.code()), status.ok() ? std::string() : FailureText(status)},
      connection);
}

}  // namespace steer::shim
