// The fake channel's subchannels, the watches that a policy starts on them, and the interface of
// the object that observes the policy.
//
// Depends on the gRPC version, by STEER_TEST_GENERATION. Must not depend on: what is tested, how a
// policy is expected to behave.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_SUBCHANNEL_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_SUBCHANNEL_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "support/core_generation.h"

namespace steer_testing {

// The end of addresses: 20 bits, so that Backend::key fits into 32.
constexpr uint32_t kAddresses = 1 << 20;

// One entry of an address list. Two subchannels are interchangeable exactly if all four fields are
// equal. In each field after the first, 0 means "not set". These are below 16.
struct Backend {
  uint32_t address = 0;     // below kAddresses
  uint8_t weight = 0;       // a resolver attribute; does not change how gRPC connects
  uint8_t address_arg = 0;  // a channel arg of this address
  uint8_t list_arg = 0;     // a channel arg of the whole list

  uint32_t key() const {
    return (address << 12) | (uint32_t{weight} << 8) | (uint32_t{address_arg} << 4) | list_arg;
  }
  static Backend OfKey(uint32_t key) {
    Backend backend;
    backend.address = key >> 12;
    backend.weight = static_cast<uint8_t>(key >> 8 & 0xf);
    backend.address_arg = static_cast<uint8_t>(key >> 4 & 0xf);
    backend.list_arg = static_cast<uint8_t>(key & 0xf);
    return backend;
  }
};

// What a resolver hands to a policy. If `error` is set, there are no addresses.
struct ResolverUpdate {
  absl::Status error;
  std::vector<Backend> addresses;
  uint8_t list_arg = 0;
  std::string note;
};

using Helper = grpc_core::LoadBalancingPolicy::ChannelControlHelper;

// The type of a picker's pointer, which differs between gRPC versions: UpdateState's last
// parameter.
template <typename Picker>
Picker PickerOf(void (Helper::*)(grpc_connectivity_state, const absl::Status&, Picker));
using PickerPtr = decltype(PickerOf(&Helper::UpdateState));

class FakeSubchannel;

// A connectivity watch that a policy has started. As in gRPC, it holds the subchannel until it is
// cancelled, and a report that is under way reaches the policy's watcher even after that. The
// holder of a Watch can deliver such a late report.
class Watch {
 public:
  using Watcher = grpc_core::SubchannelInterface::ConnectivityStateWatcherInterface;

  Watch(grpc_core::RefCountedPtr<FakeSubchannel> subchannel, std::unique_ptr<Watcher> watcher,
        grpc_connectivity_state known_state)
      : subchannel_(std::move(subchannel)),
        watcher_(std::move(watcher)),
        known_state_(known_state) {}

  FakeSubchannel& subchannel() const { return *subchannel_; }
  Watcher* watcher() const { return watcher_.get(); }
  // Whether the policy expects a report of this state. Up to 1.47 it passes the state that it
  // knows.
  bool ExpectsReportOf(grpc_connectivity_state state) const { return state != known_state_; }
  bool cancelled() const { return cancelled_; }
  void set_cancelled() { cancelled_ = true; }

  // Whether the policy watches the connection's health apart from its state. It does so from 1.62
  // on, through pick_first.
  bool health_watched() const { return health_watcher_ != nullptr; }
  void WatchHealth(std::shared_ptr<Watcher> watcher) { health_watcher_ = std::move(watcher); }

  // In the work serializer.
  void Report(grpc_connectivity_state state, const absl::Status& status) {
    Tell(watcher_.get(), state, status);
  }
  void ReportHealth(grpc_connectivity_state state, const absl::Status& status) {
    Tell(health_watcher_.get(), state, status);
  }

 private:
  static void Tell(Watcher* watcher, grpc_connectivity_state state, const absl::Status& status) {
#if STEER_TEST_GENERATION == 1
    (void)status;
    watcher->OnConnectivityStateChange(state);
#else
    watcher->OnConnectivityStateChange(state, status);
#endif
  }

  grpc_core::RefCountedPtr<FakeSubchannel> subchannel_;
  std::unique_ptr<Watcher> watcher_;
  std::shared_ptr<Watcher> health_watcher_;
  const grpc_connectivity_state known_state_;
  bool cancelled_ = false;
};

// Receives everything that a policy asks of its channel. It must outlive the FakeChannel and
// everything that the policy made.
class ChannelHost {
 public:
  virtual ~ChannelHost() = default;
  // Whether a subchannel can be made for this backend. gRPC refuses some addresses.
  virtual bool CanCreate(const Backend& backend) = 0;
  // Up to 1.47 policies ask for this.
  virtual grpc_connectivity_state StateOf(const Backend& backend) = 0;
  virtual void SubchannelCreated(const Backend& backend) = 0;
  virtual void SubchannelDestroyed(const Backend& backend) = 0;
  virtual void WatchStarted(std::shared_ptr<Watch> watch) = 0;
  virtual void WatchCancelled(const std::shared_ptr<Watch>& watch) = 0;
  virtual void ConnectionRequested(const Backend& backend) = 0;
  virtual void BackoffReset(const Backend& backend) = 0;
  virtual void StateReported(grpc_connectivity_state state, const absl::Status& status,
                             PickerPtr picker) = 0;
  virtual void ReresolutionRequested() = 0;
  // Watches for load reports began (1) or ended (-1).
  virtual void LoadWatchesChanged(int change) {
    if (change > 0) Misused("load watch, which no policy under test needs");
  }
  virtual void PolicyDestroyed() = 0;
  // The policy broke a rule of gRPC's interfaces.
  virtual void Misused(const std::string& what) = 0;
};

class FakeSubchannel final : public grpc_core::SubchannelInterface {
 public:
  FakeSubchannel(const Backend& backend, ChannelHost* host) : backend_(backend), host_(host) {
    host_->SubchannelCreated(backend_);
  }
  ~FakeSubchannel() override {
    for (size_t i = 0; i < load_watches_.size(); ++i) host_->LoadWatchesChanged(-1);
    host_->SubchannelDestroyed(backend_);
  }

  const Backend& backend() const { return backend_; }
  bool watched() const { return watch_ != nullptr; }
  // Whether it was ever reported as READY. Before that no pick may choose it. Any thread.
  bool was_ready() const { return was_ready_.load(std::memory_order_relaxed); }
  void set_ready() { was_ready_.store(true, std::memory_order_relaxed); }

#if STEER_TEST_GENERATION == 1
  grpc_connectivity_state CheckConnectivityState() override { return host_->StateOf(backend_); }
  void WatchConnectivityState(grpc_connectivity_state known_state,
                              std::unique_ptr<ConnectivityStateWatcherInterface> watcher) override {
    StartWatch(std::move(watcher), known_state);
  }
  void AttemptToConnect() override { host_->ConnectionRequested(backend_); }
  const grpc_channel_args* channel_args() override {
    static const grpc_channel_args none = {0, nullptr};
    return &none;
  }
#else
  void WatchConnectivityState(std::unique_ptr<ConnectivityStateWatcherInterface> watcher) override {
    // Connections never have this state, so every first state is reported.
    StartWatch(std::move(watcher), GRPC_CHANNEL_SHUTDOWN);
  }
  void RequestConnection() override { host_->ConnectionRequested(backend_); }
#endif

  void CancelConnectivityStateWatch(ConnectivityStateWatcherInterface* watcher) override {
    if (watch_ == nullptr || watch_->watcher() != watcher) {
      host_->Misused("cancelled a watch that does not exist");
      return;
    }
    // gRPC asks for the pollset set again when it cancels.
    if (watcher->interested_parties() == nullptr) host_->Misused("watcher without pollset set");
    std::shared_ptr<Watch> watch = std::move(watch_);
    watch->set_cancelled();
    host_->WatchCancelled(watch);
  }

  void ResetBackoff() override { host_->BackoffReset(backend_); }

#if STEER_TEST_GENERATION == 2
  void AddDataWatcher(std::unique_ptr<DataWatcherInterface> watcher) override {
    AddLoadWatch(std::move(watcher));
  }
#elif STEER_TEST_GENERATION == 3
  // Takes the policy's watcher out of the health check, as gRPC's own wrappers of subchannels do
  // (outlier detection). Watch::ReportHealth then plays the health check.
  void AddDataWatcher(std::unique_ptr<DataWatcherInterface> watcher) override {
    auto* health = dynamic_cast<grpc_core::HealthWatcher*>(watcher.get());
    if (health == nullptr) return AddLoadWatch(std::move(watcher));
    if (watch_ == nullptr || health_watch_ != nullptr) {
      host_->Misused("health watch that is not the one of a connection");
      return;
    }
    watch_->WatchHealth(health->TakeWatcher());
    health_watch_ = std::move(watcher);
  }
  void CancelDataWatcher(DataWatcherInterface* watcher) override {
    if (health_watch_ != nullptr && health_watch_.get() == watcher) return health_watch_.reset();
    const auto is_it = [watcher](const auto& watch) { return watch.get() == watcher; };
    const auto found = std::find_if(load_watches_.begin(), load_watches_.end(), is_it);
    if (found == load_watches_.end()) {
      host_->Misused("cancelled a data watcher that does not exist");
      return;
    }
    load_watches_.erase(found);
    host_->LoadWatchesChanged(-1);
  }
  std::string address() const override { return absl::StrCat("fake:", backend_.address); }
#endif

 private:
  void StartWatch(std::unique_ptr<ConnectivityStateWatcherInterface> watcher,
                  grpc_connectivity_state known_state) {
    if (watch_ != nullptr) host_->Misused("second watch on one subchannel");
    if (watcher->interested_parties() == nullptr) host_->Misused("watcher without pollset set");
    watch_ = std::make_shared<Watch>(
        grpc_core::RefCountedPtr<FakeSubchannel>(static_cast<FakeSubchannel*>(Ref().release())),
        std::move(watcher), known_state);
    host_->WatchStarted(watch_);
  }

  const Backend backend_;
  ChannelHost* const host_;
  std::atomic<bool> was_ready_{false};
  std::shared_ptr<Watch> watch_;
#if STEER_TEST_GENERATION == 1
  // gRPC 1.46 has none.
  const std::vector<int> load_watches_;
#else
  void AddLoadWatch(std::unique_ptr<DataWatcherInterface> watcher) {
    load_watches_.push_back(std::move(watcher));
    host_->LoadWatchesChanged(1);
  }

  std::vector<std::unique_ptr<DataWatcherInterface> > load_watches_;
#endif
#if STEER_TEST_GENERATION == 3
  std::unique_ptr<DataWatcherInterface> health_watch_;
#endif
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_FAKE_SUBCHANNEL_H_
