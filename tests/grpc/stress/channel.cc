// A fake channel under stress. See channel.h.
#include "channel.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "timers.h"

namespace steer_testing {
namespace {

// Enough for lists of various lengths; every sixteenth address is refused.
constexpr uint16_t kMostBackends = 40;
// Enough that late reports mix with other events.
constexpr size_t kMostLate = 8;

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "stress: %s\n", why.c_str());
  std::abort();
}

}  // namespace

StressedChannel::StressedChannel(const Stressed& stressed, uint64_t seed, Tally* tally)
    : stressed_(stressed), tally_(tally), random_(seed) {
  const InSerializer here;
  Make();
}

StressedChannel::~StressedChannel() {
  Drain();
  ended_.clear();
  if (destroyed_ != made_) Fail("a policy was not destroyed");
  if (alive_ != 0) Fail(absl::StrCat(alive_.load(), " subchannels were not released"));
}

void StressedChannel::Make() {
  channel_ = std::make_unique<FakeChannel>(stressed_.policy, this, stressed_.configs[0]);
  if (!channel_->status().ok()) Fail(channel_->status().ToString());
  ++made_;
  ChangeList();
  Update();
}

void StressedChannel::Orphan() {
  {
    const InSerializer here;
    channel_->Orphan();
    ended_.push_back(std::move(channel_));
    late_.clear();
    watches_.clear();
  }
  {
    const std::lock_guard<std::mutex> lock(picker_lock_);
    picker_.reset();
  }
  Drain();
}

void StressedChannel::Flush() {
#if STEER_TEST_GENERATION != 3
  // Later gRPC versions give it to the channel's event engine instead.
  if (!grpc_core::ExecCtx::Get()->HasWork()) return;
  const InSerializer here;
  grpc_core::ExecCtx::Get()->Flush();
#endif
}

void StressedChannel::Drain() {
  const InSerializer here;
  for (const auto& ended : ended_) ended->Drain();
  if (channel_ != nullptr) channel_->Drain();
}

void StressedChannel::Step() {
  const InSerializer here;
  const uint32_t what = Random(1000);
  if (what < 800) return Report();
  if (what < 840) return ReportLate();
  if (what < 930) return ChangeList(), Update();
  if (what < 960) return Update();
  if (what < 975) return Configure(), Update();
  if (what < 985) return channel_->ExitIdle();
  if (what < 998) return channel_->ResetBackoff();
  // Ends the channel while it has running calls.
  late_.clear();
  watches_.clear();
  channel_->Orphan();
  ended_.push_back(std::move(channel_));
  Make();
}

void StressedChannel::Report() {
  if (watches_.empty()) return;
  // A copy, because the policy may cancel the watch.
  const std::shared_ptr<Watch> watch = watches_[Random(static_cast<uint32_t>(watches_.size()))];
  const uint32_t what = Random(10);
  const grpc_connectivity_state state = what < 6    ? GRPC_CHANNEL_READY
                                        : what == 6 ? GRPC_CHANNEL_IDLE
                                        : what == 7 ? GRPC_CHANNEL_CONNECTING
                                                    : GRPC_CHANNEL_TRANSIENT_FAILURE;
  const bool ready = state == GRPC_CHANNEL_READY;
  const absl::Status status = state == GRPC_CHANNEL_TRANSIENT_FAILURE
                                  ? absl::UnavailableError("refused")
                                  : absl::OkStatus();
  if (ready) watch->subchannel().set_ready();
  ++tally_->reports;
  channel_->Run([&] { watch->Report(state, status); });
  if (!ready || !watch->health_watched() || watch->cancelled()) return;
  const bool healthy = Random(8) != 0;
  channel_->Run([&] {
    watch->ReportHealth(healthy ? GRPC_CHANNEL_READY : GRPC_CHANNEL_TRANSIENT_FAILURE,
                        healthy ? absl::OkStatus() : absl::UnavailableError("unhealthy"));
  });
}

void StressedChannel::ReportLate() {
  if (late_.empty()) return;
  const std::shared_ptr<Watch> watch = late_.front();
  late_.pop_front();
  watch->subchannel().set_ready();
  channel_->Run([&] { watch->Report(GRPC_CHANNEL_READY, absl::OkStatus()); });
}

void StressedChannel::ChangeList() {
  std::vector<Backend>& list = list_.addresses;
  list_.error = absl::OkStatus();
  const auto any = [this] {
    Backend backend;
    backend.address = static_cast<uint16_t>(Random(kMostBackends));
    backend.weight = static_cast<uint8_t>(Random(4));
    return backend;
  };
  switch (Random(8)) {
    case 0:
      list_.error = absl::UnavailableError("the resolver failed");
      return;
    case 1:
      list_.list_arg = static_cast<uint8_t>(Random(2));
      return;
    case 2:
      list.resize(Random(static_cast<uint32_t>(list.size() + 1)));
      return;
    case 3:
      std::shuffle(list.begin(), list.end(), random_);
      return;
    case 4:
      if (!list.empty()) list[Random(static_cast<uint32_t>(list.size()))] = any();
      return;
    default:
      // Some addresses are listed twice.
      while (list.size() < kMostBackends && Random(16) != 0) list.push_back(any());
  }
}

void StressedChannel::Update() {
  ++tally_->updates;
  // Other tests check what a policy does with an update.
  (void)channel_->Update(list_);
}

void StressedChannel::UpdateUnlocked() {
  is_serialised_ = false;
  ResolverUpdate update;
  update.addresses.resize(8);
  (void)channel_->Update(update);
}

void StressedChannel::Configure() {
  const auto& configs = stressed_.configs;
  channel_->SetConfig(stressed_.policy, configs[Random(static_cast<uint32_t>(configs.size()))]);
  if (!channel_->status().ok()) Fail(channel_->status().ToString());
}

StressedChannel::SharedPicker StressedChannel::picker() {
  const std::lock_guard<std::mutex> lock(picker_lock_);
  return picker_;
}

void StressedChannel::Picked(const FakeSubchannel& subchannel) {
  if (!subchannel.was_ready()) Fail("a pick chose a subchannel that was never READY");
  if (alive_ <= 0) Fail("a pick chose a subchannel that is gone");
}

void StressedChannel::SubchannelDestroyed(const Backend&) {
  --alive_;
  if (is_serialised_ && !InSerializer::Here()) {
    Fail("a subchannel was destroyed outside of the work serializer");
  }
}

void StressedChannel::WatchStarted(std::shared_ptr<Watch> watch) {
  watches_.push_back(std::move(watch));
}

void StressedChannel::WatchCancelled(const std::shared_ptr<Watch>& watch) {
  const auto found = std::find(watches_.begin(), watches_.end(), watch);
  if (found != watches_.end()) watches_.erase(found);
#if STEER_TEST_GENERATION != 3
  // In the last generation late reports would reach pick_first instead.
  if (late_.size() < kMostLate) late_.push_back(watch);
#endif
}

void StressedChannel::StateReported(grpc_connectivity_state, const absl::Status&,
                                    PickerPtr picker) {
  ++tally_->pickers;
  auto shared = std::make_shared<PickerPtr>(std::move(picker));
  // The former picker is freed without the lock.
  const std::lock_guard<std::mutex> lock(picker_lock_);
  std::swap(picker_, shared);
}

void StressedChannel::Misused(const std::string& what) { Fail(what); }

}  // namespace steer_testing
