// A call as pickers see it: its memory, its headers, the hash that an xDS route gave it, and the
// load report of its backend.
//
// Must not depend on: any policy.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CALL_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CALL_H_

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "support/core_generation.h"
#include "support/load_report.h"
#if __has_include("src/core/client_channel/client_channel_internal.h")  // from 1.62
#include "src/core/client_channel/client_channel_internal.h"
#elif __has_include("src/core/ext/filters/client_channel/client_channel_internal.h")  // from 1.54
#include "src/core/ext/filters/client_channel/client_channel_internal.h"
#include "src/core/ext/filters/client_channel/lb_policy/ring_hash/ring_hash.h"
#else
#define STEER_TEST_CALLS_WITHOUT_HASH 1
#endif

namespace steer_testing {

using GrpcPolicy = grpc_core::LoadBalancingPolicy;
using CallTracker = GrpcPolicy::SubchannelCallTrackerInterface;

// Methods that only some gRPC versions have. None is marked `override`, so it compiles in all.
class MetadataOfSomeVersions : public GrpcPolicy::MetadataInterface {
 public:
  virtual void Add(absl::string_view, absl::string_view) {}
  virtual std::vector<std::pair<std::string, std::string>> TestOnlyCopyToVector() { return {}; }
};

// One header or trailer, or none.
class FakeMetadata final : public MetadataOfSomeVersions {
 public:
  FakeMetadata(std::string name, std::string value)
      : name_(std::move(name)), value_(std::move(value)) {}

  // Takes a view instead of a copy, so that a benchmark can change the value cheaply.
  void set_value(absl::string_view value) { view_ = value; }

  decltype(std::declval<const GrpcPolicy::MetadataInterface&>().Lookup("", nullptr)) Lookup(
      absl::string_view name, std::string*) const override {
    if (name != name_) return {};
    return view_.data() != nullptr ? view_ : absl::string_view(value_);
  }

 private:
  const std::string name_;
  const std::string value_;
  absl::string_view view_;
};

#ifdef STEER_TEST_CALLS_WITHOUT_HASH
using CallStateBase = GrpcPolicy::CallState;
#else
using CallStateBase = grpc_core::ClientChannelLbCallState;
#endif

class FakeCallState final : public CallStateBase {
 public:
  void* Alloc(size_t size) override {
    // The alignment of gRPC's call arenas.
    constexpr size_t kAlignment = 16;
    char* const place = memory_ + used_;
    used_ += (size + kAlignment - 1) / kAlignment * kAlignment;
    if (used_ > sizeof(memory_)) std::abort();
    return place;
  }
  // Ends the call, so that its memory is used again.
  void Free() { used_ = 0; }

#ifdef STEER_TEST_CALLS_WITHOUT_HASH
  static constexpr bool kHasHash = false;
  void set_hash(uint64_t) {}
#if STEER_TEST_GENERATION == 1
  absl::string_view ExperimentalGetCallAttribute(const char*) override { return ""; }
#endif
#else
  static constexpr bool kHasHash = true;
  void set_hash(uint64_t hash) {
#if STEER_TEST_GENERATION == 3
    hash_.emplace(hash);
#else
    text_ = absl::StrCat(hash);
    hash_.emplace(text_);
#endif
  }
  grpc_core::ServiceConfigCallData::CallAttributeInterface* GetCallAttribute(
      grpc_core::UniqueTypeName type) const override {
    if (!hash_.has_value() || type != grpc_core::RequestHashAttribute::TypeName()) return nullptr;
    return &*hash_;
  }
#if STEER_TEST_GENERATION == 3
  grpc_core::CallAttemptTracer* GetCallAttemptTracer() const override { return nullptr; }
#endif

 private:
#if STEER_TEST_GENERATION != 3
  std::string text_;
#endif
  mutable std::optional<grpc_core::RequestHashAttribute> hash_;
#endif

 private:
  size_t used_ = 0;
  alignas(16) char memory_[1024];
};

// A backend's load report: calls per second and CPU utilization. gRPC's policies read it as a
// struct, Steer's as a trailer.
class FakeLoad final : public GrpcPolicy::BackendMetricAccessor {
 public:
  using Data = std::decay_t<
      decltype(*std::declval<GrpcPolicy::BackendMetricAccessor&>().GetBackendMetricData())>;

  FakeLoad(double qps, double cpu)
      : trailers_("endpoint-load-metrics-bin",
                  steer_test::LoadReport().Number(1, cpu).Number(6, qps).bytes()) {
    data_.cpu_utilization = cpu;
    SetQps(&data_, qps, 0);
  }

  const Data* GetBackendMetricData() override { return &data_; }
  FakeMetadata* trailers() { return &trailers_; }

 private:
  template <typename D>
  static auto SetQps(D* data, double qps, int) -> decltype(data->qps, void()) {
    data->qps = qps;
  }
  // Up to 1.52 there is no such field.
  template <typename D>
  static void SetQps(D*, double, long) {}

  FakeMetadata trailers_;
  Data data_;
};

// Calls a tracker as gRPC's channel does. Only up to 1.76 gRPC reports the start of a call.
template <typename Tracker>
auto StartCall(Tracker* tracker, int) -> decltype(tracker->Start()) {
  tracker->Start();
}
template <typename Tracker>
void StartCall(Tracker*, long) {}
// Each of `trailers` and `accessor` may be null: there is no report in it.
inline void FinishCall(CallTracker* tracker, FakeMetadata* trailers,
                       GrpcPolicy::BackendMetricAccessor* accessor,
                       const absl::Status& status = absl::OkStatus()) {
  static FakeMetadata no_trailers("none", "");
  struct NoLoad final : GrpcPolicy::BackendMetricAccessor {
    const FakeLoad::Data* GetBackendMetricData() override { return nullptr; }
  } none;
  CallTracker::FinishArgs args = {};
  args.status = status;
  args.trailing_metadata = trailers == nullptr ? &no_trailers : trailers;
  args.backend_metric_accessor = accessor == nullptr ? &none : accessor;
  tracker->Finish(args);
}
// `load` may be null: the backend reports nothing.
inline void FinishCall(CallTracker* tracker, FakeLoad* load,
                       const absl::Status& status = absl::OkStatus()) {
  FinishCall(tracker, load == nullptr ? nullptr : load->trailers(), load, status);
}

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_CALL_H_
