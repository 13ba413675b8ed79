// gRPC's outlier_detection above a Steer policy, beside outlier_detection above round_robin, by
// random sequences: address lists, connections that come about, fail, hang and end, calls that fail
// or do not, and time. After each step, both are in the same state, and their picks go to the same
// backends. So both eject the same backends, and take them back at the same time. In particular, a
// backend that one list left out is ejected when it has come back (rule 11).
//
// Time is the test's: HandClock. A failure prints its seed, and the steps that it needs.
//
// Left out is what docs/differences.md allows: only the first connection to a backend hangs (D10,
// D11), and it has failed when another list names that backend (D14).
//
// Must not depend on: which of the READY backends a policy prefers.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "connecting_channel.h"
#include "fake_call.h"
#include "fake_channel.h"
#include "model.h"
#include "run_in_grpc.h"
#if STEER_TEST_GENERATION != 1
#include "hand_clock.h"
#include "outlier_steps.h"
#endif

namespace steer_testing {
namespace {

#if STEER_TEST_GENERATION == 1
TEST(OutlierDetection, EjectsTheSameBackends) {
  GTEST_SKIP() << "this gRPC has no outlier_detection";
}
#else

constexpr char kOutlierDetection[] = "outlier_detection_experimental";

// Up to 1.59, ejecting a backend may not end a subchannel of it: gRPC would read freed memory. So
// time does not pass while there is a pending list. Later versions end subchannels afterwards.
constexpr bool kEjectionMayEndSubchannels = STEER_TEST_GENERATION == 3;

// What a channel shows to its calls.
struct Picture {
  grpc_connectivity_state state;
  // Where picks go: addresses, "queue" or "fail".
  std::set<std::string> picks;

  bool operator==(const Picture& other) const {
    return state == other.state && picks == other.picks;
  }
  std::string ToString() const {
    return absl::StrCat(StateName(state), ", picks: ", absl::StrJoin(picks, " "));
  }
};

// outlier_detection above one of the policies.
class Channel final : public ConnectingChannel {
 public:
  Channel(const std::string& ejection, const std::string& child)
      : ConnectingChannel(kOutlierDetection,
                          absl::StrCat(R"({"interval":"10s","baseEjectionTime":"15s",)",
                                       R"("maxEjectionTime":"40s","maxEjectionPercent":100,)",
                                       ejection, R"(,"childPolicy":[{)", child, "}]}")) {}

  void SetList(const std::vector<uint32_t>& list) {
    for (const uint32_t address : list) {
      if (StateAt(address) == GRPC_CHANNEL_CONNECTING) tried_[address] = true;
      Change(address, GRPC_CHANNEL_CONNECTING, GRPC_CHANNEL_TRANSIENT_FAILURE);
    }
    list_ = list;
    Update(list, "").IgnoreError();
  }
  void FailResolution() {
    ResolverUpdate update;
    update.error = absl::UnavailableError("no answer");
    Update(update).IgnoreError();
  }
  // Ends all attempts to connect, except those that hang.
  void Connect(const Reaches& reaches) {
    for (bool more = true; std::exchange(more, false);) {
      for (uint32_t address = 0; address < kBackends; ++address) {
        if (LiveAt(address) == 0) tried_[address] = false;
        if (StateAt(address) != GRPC_CHANNEL_CONNECTING) continue;
        if (reaches[address] == Reach::kHangs && !tried_[address]) continue;
        const bool connects = reaches[address] == Reach::kConnects;
        Change(address, GRPC_CHANNEL_CONNECTING,
               connects ? GRPC_CHANNEL_READY : GRPC_CHANNEL_TRANSIENT_FAILURE);
        tried_[address] = true;
        more = true;
      }
    }
  }
  void EndBackoff() {
    for (uint32_t address = 0; address < kBackends; ++address) {
      Change(address, GRPC_CHANNEL_TRANSIENT_FAILURE, GRPC_CHANNEL_IDLE);
    }
  }
  // Whether there are subchannels for the latest list, and no others.
  bool HasOnlyTheLatestList() const {
    for (uint32_t address = 0; address < kBackends; ++address) {
      const int wanted = static_cast<int>(std::count(list_.begin(), list_.end(), address));
      if (LiveAt(address) != wanted) return false;
    }
    return true;
  }

  // Picks until picks went wherever they did in `expected`, and some more.
  Picture Look(const Picture* expected = nullptr) {
    std::vector<Call> calls;
    Picture picture{state(), {}};
    for (int i = 0; i < kMostPicks; ++i) {
      const bool all =
          expected == nullptr || std::includes(picture.picks.begin(), picture.picks.end(),
                                               expected->picks.begin(), expected->picks.end());
      if (all && i >= kFewestPicks) break;
      calls.push_back(Pick());
      picture.picks.insert(calls.back().to);
    }
    calls.clear();
    Settle();
    return picture;
  }
  // Makes calls to each of these backends, if it is picked.
  void MakeCalls(Backends called, Backends failing, const Picture& expected) {
    std::vector<Call> calls;
    for (uint32_t address = 0; address < kBackends; ++address) {
      const std::string to = absl::StrCat(address);
      if (!Has(called, address) || expected.picks.count(to) == 0) continue;
      // Enough for outlier_detection's "requestVolume".
      int left = 4;
      for (int i = 0; left > 0 && i < kMostPicks; ++i) {
        calls.push_back(Pick());
        if (calls.back().to != to) continue;
        // Not a code that makes any policy avoid the backend.
        calls.back().Finish(Has(failing, address) ? absl::NotFoundError("no such thing")
                                                  : absl::OkStatus());
        --left;
      }
    }
    calls.clear();
    Settle();
  }

 private:
  // So many that each of the READY backends is picked by chance.
  static constexpr int kFewestPicks = 4 * kBackends;
  static constexpr int kMostPicks = 4000;

  // Calls are in flight until they are destroyed, so that policies that choose by that choose each
  // backend at some time.
  struct Call {
    std::unique_ptr<FakeCallState> state = std::make_unique<FakeCallState>();
    std::unique_ptr<CallTracker> tracker;
    std::string to;

    void Finish(const absl::Status& status) {
      // outlier_detection need not follow calls to backends that the latest list left out.
      if (tracker == nullptr) return;
      StartCall(tracker.get(), 0);
      FinishCall(tracker.get(), nullptr, status);
    }
  };

  Call Pick() {
    Call call;
    call.to = "queue";
    if (picker() == nullptr) return call;
    auto result = picker()->Pick({"/helloworld.Greeter/SayHello", &headers_, call.state.get()});
    if (auto* complete = const_cast<Complete*>(AlternativeOf<Complete>(result.result))) {
      const auto* subchannel = static_cast<const FakeSubchannel*>(complete->subchannel.get());
      call.to = absl::StrCat(subchannel->backend().address);
      call.tracker = std::move(complete->subchannel_call_tracker);
    } else if (AlternativeOf<GrpcPolicy::PickResult::Fail>(result.result) != nullptr) {
      call.to = "fail";
    }
    return call;
  }
  using Complete = GrpcPolicy::PickResult::Complete;

  std::vector<uint32_t> list_;
  // Whether an attempt to connect to this backend has ended.
  std::array<bool, kBackends> tried_{};
  FakeMetadata headers_{"none", ""};
};

// Both channels, and how their backends can be reached.
class Both {
 public:
  Both(HandClock* clock, const std::string& ejection, const std::string& child)
      : clock_(clock), grpc_(ejection, R"("round_robin":{})"), steer_(ejection, child) {}

  // Makes a step. Returns how the channels differ then; empty: they do not.
  std::string Make(const Step& step) {
    switch (step.kind) {
      case Step::kList:
        for (Channel* channel : channels_) channel->SetList(step.list);
        break;
      case Step::kResolverError:
        for (Channel* channel : channels_) channel->FailResolution();
        break;
      case Step::kReach:
        reaches_[step.address] = step.reach;
        break;
      case Step::kLoss:
        for (Channel* channel : channels_) {
          channel->Change(step.address, GRPC_CHANNEL_READY, GRPC_CHANNEL_IDLE);
        }
        break;
      case Step::kCalls:
        for (Channel* channel : channels_) {
          channel->MakeCalls(step.called, step.failing, picture_);
        }
        break;
      case Step::kTime:
        for (int i = 0; i < step.seconds; ++i) PassSecond();
        break;
    }
    for (Channel* channel : channels_) channel->Connect(reaches_);
    const Picture before = std::exchange(picture_, grpc_.Look());
    // Time alone ends no connection.
    if (step.kind == Step::kTime && picture_.picks.size() < before.picks.size()) ++ejections_;
    const Picture steers = steer_.Look(&picture_);
    if (steers == picture_) return "";
    return absl::StrCat("round_robin: ", picture_.ToString(), "\nSteer: ", steers.ToString());
  }
  // How often backends were ejected.
  int ejections() const { return ejections_; }

 private:
  void PassSecond() {
    const auto may_eject = [](const Channel* channel) {
      return kEjectionMayEndSubchannels || channel->HasOnlyTheLatestList();
    };
    if (!std::all_of(channels_.begin(), channels_.end(), may_eject)) return;
    constexpr std::chrono::seconds kSecond(1);
    clock_->Advance(kSecond);
    for (Channel* channel : channels_) {
      channel->channel().Advance(kSecond);
      channel->Settle();
      channel->EndBackoff();
      channel->Connect(reaches_);
    }
  }

  HandClock* const clock_;
  // At first, two backends hang.
  Reaches reaches_ = {Reach::kHangs, Reach::kHangs};
  Channel grpc_;
  Channel steer_;
  const std::array<Channel*, 2> channels_ = {&grpc_, &steer_};
  // What round_robin's channel showed last.
  Picture picture_{};
  int ejections_ = 0;
};

// A Steer policy that chooses among all READY backends.
struct Child {
  const char* name;
  const char* config;
};
void PrintTo(const Child& child, std::ostream* out) { *out << child.name; }

class OutlierDetection : public testing::TestWithParam<Child> {
 protected:
  // Returns how the channels differ after the first step after which they do; empty: they do not.
  std::string DifferenceAfter(const std::vector<Step>& steps, const std::string& ejection) {
    const auto [name, config] = GetParam();
    Both both(&clock_, ejection, absl::StrCat("\"", name, "\":", config));
    for (const Step& step : steps) {
      const std::string difference = both.Make(step);
      if (!difference.empty()) return difference;
    }
    ejections_ += both.ejections();
    return "";
  }

  // Leaves out what the difference does not need.
  std::vector<Step> Shrunk(std::vector<Step> steps, const std::string& ejection) {
    for (size_t i = steps.size(); i-- > 0;) {
      std::vector<Step> fewer = steps;
      fewer.erase(fewer.begin() + static_cast<ptrdiff_t>(i));
      if (!DifferenceAfter(fewer, ejection).empty()) steps = std::move(fewer);
    }
    return steps;
  }

  int ejections_ = 0;

 private:
  HandClock clock_;
};

TEST_P(OutlierDetection, EjectsTheSameBackends) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    StepGenerator generator(seed);
    const std::string ejection = generator.Ejection();
    std::vector<Step> steps = generator.Steps();
    if (DifferenceAfter(steps, ejection).empty()) continue;
    steps = Shrunk(std::move(steps), ejection);
    const auto print = [](std::string* out, const Step& step) { *out += step.ToString(); };
    FAIL() << "seed " << seed << ", " << ejection << "\n"
           << absl::StrJoin(steps, "\n", print) << "\n"
           << DifferenceAfter(steps, ejection);
  }
  EXPECT_GT(ejections_, 100);
}

// Steer's timers would run on threads of gRPC's, so none becomes due.
INSTANTIATE_TEST_SUITE_P(
    Children, OutlierDetection,
    testing::Values(Child{"steer_round_robin", "{}"}, Child{"steer_random", "{}"},
                    Child{"steer_weighted_round_robin", R"({"weightUpdatePeriod":"10000000s"})"},
                    Child{"steer_least_request", "{}"}, Child{"steer_peak_ewma", "{}"},
                    Child{"steer_prequal", "{}"},
                    Child{"steer_maglev", R"({"tableSize":251,"requestHashHeader":"user"})"}),
    [](const auto& info) { return std::string(info.param.name); });
#endif

}  // namespace
}  // namespace steer_testing

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return steer_testing::RunInGrpc([] { return RUN_ALL_TESTS(); });
}
