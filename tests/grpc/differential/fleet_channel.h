// A fake channel with many connections. Each has its own state, reports it to its watches, and
// connects on request. The channel's own work for one report or one subchannel does not depend on
// how many there are, so that benchmarks measure the policy.
//
// Must not depend on: any policy.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_FLEET_CHANNEL_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_FLEET_CHANNEL_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "absl/strings/str_cat.h"
#include "fake_call.h"
#include "fake_channel.h"

namespace steer_testing {

class FleetChannel final : public ChannelHost {
 public:
  using PickArgs = GrpcPolicy::PickArgs;
  using PickResult = GrpcPolicy::PickResult;

  // Backends must have addresses below `addresses`.
  FleetChannel(const std::string& policy, const std::string& config, uint32_t addresses)
      : policy_(policy), connections_(addresses), channel_(policy, this, config) {
    if (!channel_.status().ok()) Fail(channel_.status().ToString());
  }
  ~FleetChannel() override {
    Replace(GRPC_CHANNEL_SHUTDOWN, nullptr);
    channel_.Orphan();
    channel_.Drain();
  }

  FakeChannel& channel() { return channel_; }
  void Configure(const std::string& config) {
    channel_.SetConfig(policy_, config);
    if (!channel_.status().ok()) Fail(channel_.status().ToString());
  }

  // Hands an update to the policy. Delivers no reports: see Answer.
  void Update(FakeChannel::UpdateArgs args) {
    const absl::Status accepted = channel_.Update(std::move(args));
    if (!accepted.ok()) Fail(accepted.ToString());
  }
  // Reports their connections to new watches, and starts the requested connections. Returns whether
  // there was any of that.
  bool Answer() {
    bool any = false;
    std::vector<std::shared_ptr<Watch>> started;
    std::vector<uint32_t> requested;
    for (;;) {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        started.swap(started_);
        requested.swap(requested_);
      }
      if (started.empty() && requested.empty()) return any;
      any = true;
      for (const auto& watch : started) {
        if (watch->cancelled()) continue;
        Tell(*watch, StateAt(watch->subchannel().backend().address));
      }
      started.clear();
      for (const uint32_t address : requested) Become(address, GRPC_CHANNEL_CONNECTING);
      requested.clear();
    }
  }
  // Changes a connection's state, and reports it.
  void Become(uint32_t address, grpc_connectivity_state state) {
    for (const auto& watch : SetState(address, state)) Tell(*watch, state);
  }
  // Reports the health of a connection, whose state stays. Where policies do not watch health apart
  // from the state, reports it as a state, as channels did.
  void SayHealth(uint32_t address, grpc_connectivity_state state) {
    for (const auto& watch : SetState(address, StateAt(address))) {
      channel_.Run([&watch = *watch, state] {
        if (watch.health_watched()) {
          watch.ReportHealth(state, StatusOf(state));
        } else {
          watch.Report(state, StatusOf(state));
        }
      });
    }
  }
  // Forgets a connection, so that the next one to this address is new.
  void Forget(uint32_t address) { SetState(address, GRPC_CHANNEL_IDLE); }

  // Runs what picks and timers have scheduled. Steer's timers run on threads of gRPC's, hence the
  // pause.
  void Settle() {
    do {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      channel_.Drain();
    } while (Answer());
  }

  // Makes this many picks with random hashes.
  void PickByHashes(size_t picks) {
    FakeCallState call;
    FakeMetadata headers("user", "");
    std::string user;
    for (size_t i = 0; i < picks; ++i) {
      const uint64_t hash = random_();
      user = absl::StrCat(hash);
      call.set_hash(hash);
      headers.set_value(user);
      { const PickResult result = Pick({"/helloworld.Greeter/SayHello", &headers, &call}); }
      call.Free();
    }
  }
  // Makes this many calls, one after the other, whose backends report their load.
  void Call(size_t calls) {
    std::vector<std::unique_ptr<FakeLoad>> loads;
    for (int i = 0; i < 10; ++i) loads.push_back(std::make_unique<FakeLoad>(100, 0.1 * (i + 1)));
    FakeCallState call;
    for (size_t i = 0; i < calls; ++i) {
      // Some policies need one.
      call.set_hash(random_());
      {
        const PickResult result = Pick({"/helloworld.Greeter/SayHello", nullptr, &call});
        const auto* complete = AlternativeOf<PickResult::Complete>(result.result);
        if (complete == nullptr) {
          const auto* failed = AlternativeOf<PickResult::Fail>(result.result);
          Fail(absl::StrCat(policy_, ": a pick led to ",
                            failed ? failed->status.ToString() : "a queue", ", in state ", state_));
        }
        if (auto* tracker = complete->subchannel_call_tracker.get()) {
          StartCall(tracker, 0);
          FinishCall(tracker, loads[i % loads.size()].get());
        }
      }
      call.Free();
    }
  }
  // Holds the mutex, as channels up to 1.53 do, because a pick may cause another picker.
  PickResult Pick(const PickArgs& args) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return picker_->Pick(args);
  }
  grpc_connectivity_state state() const { return state_; }
  grpc_connectivity_state StateAt(uint32_t address) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return connections_[address].state;
  }
  // How many subchannels there are.
  size_t live() const { return live_; }
  // How many pickers the policy has published.
  size_t pickers() const { return pickers_; }

  bool CanCreate(const Backend&) override { return true; }
  grpc_connectivity_state StateOf(const Backend& backend) override {
    return StateAt(backend.address);
  }
  void SubchannelCreated(const Backend&) override { ++live_; }
  void SubchannelDestroyed(const Backend&) override { --live_; }
  void WatchStarted(std::shared_ptr<Watch> watch) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    Connection& connection = connections_[watch->subchannel().backend().address];
    connection.watches.push_back(watch);
    if (watch->ExpectsReportOf(connection.state)) started_.push_back(std::move(watch));
  }
  void WatchCancelled(const std::shared_ptr<Watch>& watch) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& watches = connections_[watch->subchannel().backend().address].watches;
    for (auto& one : watches) {
      if (one != watch) continue;
      std::swap(one, watches.back());
      watches.pop_back();
      return;
    }
  }
  void ConnectionRequested(const Backend& backend) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    Connection& connection = connections_[backend.address];
    if (connection.state != GRPC_CHANNEL_IDLE) return;
    connection.state = GRPC_CHANNEL_CONNECTING;
    requested_.push_back(backend.address);
  }
  void BackoffReset(const Backend&) override {}
  void StateReported(grpc_connectivity_state state, const absl::Status&,
                     PickerPtr picker) override {
    Replace(state, std::move(picker));
  }
  void ReresolutionRequested() override {}
  void PolicyDestroyed() override {}
  void Misused(const std::string& what) override { Fail(what); }

 private:
  using Watches = absl::InlinedVector<std::shared_ptr<Watch>, 2>;
  struct Connection {
    grpc_connectivity_state state = GRPC_CHANNEL_IDLE;
    // The current and the pending list may have one each.
    Watches watches;
  };

  [[noreturn]] static void Fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::exit(EXIT_FAILURE);
  }

  static absl::Status StatusOf(grpc_connectivity_state state) {
    return state == GRPC_CHANNEL_TRANSIENT_FAILURE ? absl::UnavailableError("gone")
                                                   : absl::OkStatus();
  }

  // Returns the watches to report to: a copy, because a report may cancel watches.
  Watches SetState(uint32_t address, grpc_connectivity_state state) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Connection& connection = connections_[address];
    connection.state = state;
    return connection.watches;
  }

  void Tell(Watch& watch, grpc_connectivity_state state) {
    channel_.Run([&watch, state] { watch.Report(state, StatusOf(state)); });
    if (state != GRPC_CHANNEL_READY || watch.cancelled() || !watch.health_watched()) return;
    channel_.Run([&watch, state] { watch.ReportHealth(state, absl::OkStatus()); });
  }

  void Replace(grpc_connectivity_state state, PickerPtr picker) {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++pickers_;
    state_ = state;
    std::swap(picker_, picker);
  }

  const std::string policy_;
  std::mt19937_64 random_{1};
  std::mutex mutex_;
  // The next three are guarded by mutex_.
  std::vector<Connection> connections_;
  std::vector<std::shared_ptr<Watch>> started_;
  std::vector<uint32_t> requested_;
  std::atomic<size_t> live_{0};
  size_t pickers_ = 0;
  grpc_connectivity_state state_ = GRPC_CHANNEL_IDLE;
  // Guarded by mutex_.
  PickerPtr picker_;
  FakeChannel channel_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_FLEET_CHANNEL_H_
