// A channel whose subchannels connect when the policy asks, and when the test says how that ends.
//
// Must not depend on: any policy, what is compared.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_CONNECTING_CHANNEL_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_CONNECTING_CHANNEL_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "fake_channel.h"

namespace steer_testing {

class ConnectingChannel : public ChannelHost {
 public:
  // Backends have addresses below this.
  static constexpr uint32_t kBackends = 8;

  ConnectingChannel(const std::string& policy, const std::string& config)
      : channel_(policy, this, config) {
    EXPECT_TRUE(channel_.status().ok()) << channel_.status();
  }
  ~ConnectingChannel() override {
    channel_.Run([&] { watches_.clear(); });
    channel_.Orphan();
    picker_.reset();
    channel_.Drain();
  }

  absl::Status Update(const std::vector<uint32_t>& addresses, const std::string& note) {
    ResolverUpdate update;
    for (const uint32_t address : addresses) update.addresses.emplace_back().address = address;
    update.note = note;
    return Update(update);
  }
  absl::Status Update(const ResolverUpdate& update) {
    const absl::Status status = channel_.Update(update);
    Settle();
    return status;
  }

  // The subchannel of this backend changes its state, if it is in state `from`.
  void Change(uint32_t address, grpc_connectivity_state from, grpc_connectivity_state to) {
    if (states_[address] != from) return;
    states_[address] = to;
    Report(address);
    Settle();
  }

  // Does what calls, timers and connection requests have led to.
  void Settle() {
    for (bool more = true; more;) {
      channel_.Drain();
      more = false;
      for (const auto& watch : std::exchange(new_watches_, {})) {
        ReportTo(*watch);
        more = true;
      }
      for (const uint32_t address : std::exchange(requested_, {})) {
        if (states_[address] != GRPC_CHANNEL_IDLE) continue;
        states_[address] = GRPC_CHANNEL_CONNECTING;
        Report(address);
        more = true;
      }
    }
  }

  FakeChannel& channel() { return channel_; }
  // What the policy reported last.
  grpc_connectivity_state state() const { return state_; }
  const absl::Status& status() const { return status_; }
  const PickerPtr& picker() const { return picker_; }
  // The connection of this backend, and how many subchannels of it there are.
  grpc_connectivity_state StateAt(uint32_t address) const { return states_[address]; }
  int LiveAt(uint32_t address) const { return live_[address]; }
  // Re-resolution was requested since the last call.
  bool TakeReresolution() { return std::exchange(reresolution_, false); }

  bool CanCreate(const Backend&) override { return true; }
  grpc_connectivity_state StateOf(const Backend& backend) override {
    return states_[backend.address];
  }
  void SubchannelCreated(const Backend& backend) override { ++live_[backend.address]; }
  void SubchannelDestroyed(const Backend& backend) override {
    // The pool forgets a subchannel that nobody has.
    if (--live_[backend.address] == 0) states_[backend.address] = GRPC_CHANNEL_IDLE;
  }
  void WatchStarted(std::shared_ptr<Watch> watch) override {
    watches_.push_back(watch);
    new_watches_.push_back(std::move(watch));
  }
  void WatchCancelled(const std::shared_ptr<Watch>& watch) override {
    for (auto* watches : {&watches_, &new_watches_}) {
      watches->erase(std::remove(watches->begin(), watches->end(), watch), watches->end());
    }
  }
  void ConnectionRequested(const Backend& backend) override { requested_.insert(backend.address); }
  void BackoffReset(const Backend&) override {}
  void StateReported(grpc_connectivity_state state, const absl::Status& status,
                     PickerPtr picker) override {
    state_ = state;
    status_ = status;
    picker_ = std::move(picker);
  }
  void ReresolutionRequested() override { reresolution_ = true; }
  void PolicyDestroyed() override {}
  void Misused(const std::string& what) override { ADD_FAILURE() << what; }

 private:
  void Report(uint32_t address) {
    const std::vector<std::shared_ptr<Watch>> watches = watches_;
    for (const auto& watch : watches) {
      const bool is_new =
          std::find(new_watches_.begin(), new_watches_.end(), watch) != new_watches_.end();
      if (watch->subchannel().backend().address == address && !is_new) ReportTo(*watch);
    }
  }
  void ReportTo(Watch& watch) {
    const uint32_t address = watch.subchannel().backend().address;
    const grpc_connectivity_state state = states_[address];
    const absl::Status status =
        state == GRPC_CHANNEL_TRANSIENT_FAILURE
            ? absl::UnavailableError(absl::StrCat("backend ", address, " is down"))
            : absl::OkStatus();
    channel_.Run([&] { watch.Report(state, status); });
    if (state == GRPC_CHANNEL_READY && watch.health_watched()) {
      channel_.Run([&] { watch.ReportHealth(state, status); });
    }
  }

  std::array<grpc_connectivity_state, kBackends> states_{};
  std::array<int, kBackends> live_{};
  std::vector<std::shared_ptr<Watch>> watches_;
  // Those that have had no report.
  std::vector<std::shared_ptr<Watch>> new_watches_;
  std::set<uint32_t> requested_;
  // A channel whose policy has reported nothing is CONNECTING.
  grpc_connectivity_state state_ = GRPC_CHANNEL_CONNECTING;
  absl::Status status_;
  bool reresolution_ = false;
  PickerPtr picker_;
  FakeChannel channel_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_CONNECTING_CHANNEL_H_
