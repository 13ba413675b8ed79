#include "soak/trouble.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "soak/policies.h"
#include "support/client.h"

namespace steer_soak {
namespace {

// Fast enough that lists are replaced before they are connected.
constexpr std::chrono::milliseconds kTick(50);
constexpr uint64_t kTicksPerKill = 2;
// Every 3 s.
constexpr uint64_t kTicksPerConfig = 60;
// Every 2 s a process is killed, or a killed one is started again.
constexpr uint64_t kTicksPerProcess = 40;
// A list grows or shrinks by at most this many servers, down to a quarter of all.
constexpr int kMostChanged = 20;

}  // namespace

Feed::Feed(std::string policy, std::vector<int> ports, uint32_t seed)
    : policy_(std::move(policy)),
      ports_(std::move(ports)),
      random_(seed),
      order_(ports_),
      size_(ports_.size()) {
  Send();
}

void Feed::Change() {
  const auto some = [&](size_t most) {
    return std::uniform_int_distribution<size_t>(0, std::min<size_t>(most, kMostChanged))(random_);
  };
  const auto listed = [&] { return order_.begin() + static_cast<std::ptrdiff_t>(size_); };
  switch (random_() % 3) {
    case 0:
      std::shuffle(order_.begin(), listed(), random_);
      break;
    case 1:
      std::shuffle(listed(), order_.end(), random_);
      size_ += some(order_.size() - size_);
      break;
    case 2: {
      // Removes random servers and keeps the order of the others.
      for (size_t count = some(size_ - order_.size() / 4); count > 0; --count) {
        const auto one = order_.begin() + static_cast<std::ptrdiff_t>(random_() % size_);
        std::rotate(one, one + 1, order_.end());
        --size_;
      }
      break;
    }
  }
  Send();
}

void Feed::All() {
  order_ = ports_;
  size_ = order_.size();
  config_ = 0;
  Send();
}

void Feed::NextConfig() {
  ++config_;
  Send();
}

void Feed::Send() {
  steer_test::ResolverFeed::Result result;
  result.ports.assign(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(size_));
  const std::string& policy =
      policy_ == kRotating ? Rotation()[config_ % Rotation().size()] : policy_;
  result.service_config = steer_test::ServiceConfig(policy, ConfigOf(policy, config_));
  feed_.Feed(std::move(result));
}

void Trouble::Make(TimePoint until) {
  for (TimePoint due = Clock::now(); due < until; due += kTick) {
    std::this_thread::sleep_until(due);
    ++tick_;
    fleet_.Poll();
    for (const auto& feed : feeds_) {
      feed->Change();
      ++lists_;
      if (tick_ % kTicksPerConfig == 0 && feed->policy() == kRotating) {
        feed->NextConfig();
        ++configs_;
      }
    }
    if (tick_ % kTicksPerKill == 0) KillOrStart();
    if (tick_ % kTicksPerProcess == 0) KillOrStartProcess();
  }
}

void Trouble::KillOrStart() {
  int server;
  do {
    server = static_cast<int>(random_() % static_cast<uint32_t>(fleet_.size()));
  } while (!fleet_.IsReachable(server));
  const bool was_running = fleet_.IsRunning(server);
  if (was_running) {
    fleet_.Kill(server);
    ++kills_;
  }
  // Every second killed server is started again at once, so two thirds run.
  if (!was_running || random_() % 2 == 0) {
    fleet_.Start(server);
    ++starts_;
  }
}

void Trouble::KillOrStartProcess() {
  const int processes = fleet_.processes();
  for (int i = 0; i < processes; ++i) {
    if (fleet_.ProcessIsThere(i)) continue;
    fleet_.BeginProcess(i);
    return;
  }
  fleet_.KillProcess(static_cast<int>(random_() % static_cast<uint32_t>(processes)));
  ++process_kills_;
}

}  // namespace steer_soak
