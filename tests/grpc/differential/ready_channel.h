// A fake channel whose backends are all READY, to look at a policy's picker: for benchmarks, and to
// compare picks one by one.
//
// Must not depend on: how a picker works.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_READY_CHANNEL_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_READY_CHANNEL_H_

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "fake_call.h"
#include "fake_channel.h"

namespace steer_testing {

// An update with this many backends.
inline ResolverUpdate UpdateTo(int backends) {
  ResolverUpdate update;
  for (int i = 0; i < backends; ++i) {
    Backend backend;
    backend.address = static_cast<uint16_t>(i);
    update.addresses.push_back(backend);
  }
  return update;
}

// The backend that a completed pick chose.
inline Backend BackendOf(const GrpcPolicy::PickResult::Complete& complete) {
  return static_cast<const FakeSubchannel*>(complete.subchannel.get())->backend();
}

class ReadyChannel final : public ChannelHost {
 public:
  using PickArgs = GrpcPolicy::PickArgs;
  using PickResult = GrpcPolicy::PickResult;

  // The channel becomes READY with Update.
  explicit ReadyChannel(const std::string& policy, const std::string& config = "{}")
      : channel_(policy, this, config) {
    if (!channel_.status().ok()) Fail(channel_.status().ToString());
  }
  ~ReadyChannel() override {
    Replace(nullptr);
    watches_.clear();
    channel_.Orphan();
  }

  // Connects all backends except the last `but`.
  void Update(const ResolverUpdate& update, size_t but = 0) {
    const absl::Status accepted = channel_.Update(update);
    if (!accepted.ok()) Fail(accepted.ToString());
    Connect(but);
  }

  // Connects all backends that the policy watches, except the last `but`.
  void Connect(size_t but) {
    std::vector<std::shared_ptr<Watch>> watches;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      watches = watches_;
    }
    if (watches.size() < but) return;
    watches.resize(watches.size() - but);
    for (; connected_ < watches.size(); ++connected_) {
      Watch& watch = *watches[connected_];
      channel_.Run([&] { watch.Report(GRPC_CHANNEL_READY, absl::OkStatus()); });
      if (!watch.health_watched()) continue;
      channel_.Run([&] { watch.ReportHealth(GRPC_CHANNEL_READY, absl::OkStatus()); });
    }
  }

  // For policies that connect only what is picked: picks with random hashes until `backends` are
  // connected, or until 60 rounds in a row connect none, because some can never be picked.
  void ConnectByPicks(size_t backends) {
    std::mt19937_64 random(1);
    FakeCallState call;
    for (int idle = 0; connected_ < backends && idle < 60; ++idle) {
      for (size_t i = 0; i < 4 * backends; ++i) {
        call.set_hash(random());
        PickArgs args = {"/helloworld.Greeter/SayHello", nullptr, &call};
        auto result = picker_->Pick(args);
        call.Free();
      }
      Settle();
      const size_t before = connected_;
      Connect(0);
      if (connected_ != before) idle = 0;
    }
  }

  // Runs what picks and timers have scheduled. Steer's timers run on threads of gRPC's, hence the
  // pause.
  void Settle() {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    channel_.Drain();
  }

  PickResult Pick(const PickArgs& args) { return picker_->Pick(args); }
  bool ready() const { return state_ == GRPC_CHANNEL_READY; }
  size_t connected() const { return connected_; }

  bool CanCreate(const Backend&) override { return true; }
  grpc_connectivity_state StateOf(const Backend&) override { return GRPC_CHANNEL_IDLE; }
  void SubchannelCreated(const Backend&) override {}
  void SubchannelDestroyed(const Backend&) override {}
  void WatchStarted(std::shared_ptr<Watch> watch) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    watches_.push_back(std::move(watch));
  }
  void WatchCancelled(const std::shared_ptr<Watch>&) override {}
  void ConnectionRequested(const Backend&) override {}
  void BackoffReset(const Backend&) override {}
  void StateReported(grpc_connectivity_state state, const absl::Status&,
                     PickerPtr picker) override {
    state_ = state;
    Replace(std::move(picker));
  }
  void ReresolutionRequested() override {}
  void PolicyDestroyed() override {}
  void Misused(const std::string& what) override { Fail(what); }

 private:
  [[noreturn]] static void Fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(EXIT_FAILURE);
  }

  void Replace(PickerPtr picker) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::swap(picker_, picker);
  }

  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<std::shared_ptr<Watch>> watches_;
  size_t connected_ = 0;
  grpc_connectivity_state state_ = GRPC_CHANNEL_IDLE;
  // Replaced under mutex_. Picks read it without the mutex, while no event is under way.
  PickerPtr picker_;
  FakeChannel channel_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_READY_CHANNEL_H_
