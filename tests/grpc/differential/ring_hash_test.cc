// steer_ring_hash beside gRPC's own ring_hash, by random sequences: address lists, calls with
// hashes, connections that come about, fail and end. After each event, both are in the same state,
// have asked for the same connections, and give each hash the same answer.
//
// Lists are in the order of their addresses, without duplicates. gRPC goes by that order where
// Steer goes by the list's. ExitIdleLocked is left out: Steer connects then, and gRPC does not
// (rule 15 of docs/policies/steer_ring_hash.md).
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "connecting_channel.h"
#include "fake_call.h"
#include "model.h"
#include "run_in_grpc.h"

namespace steer_testing {
namespace {

constexpr uint32_t kBackends = ConnectingChannel::kBackends;

// What the ring hash comparison looks at in a channel.
class Channel final : public ConnectingChannel {
 public:
  using ConnectingChannel::ConnectingChannel;

  // What a call with this hash gets.
  std::string Pick(uint64_t hash) {
    call_.set_hash(hash);
    std::string outcome = "nothing";
    if (picker() != nullptr) {
      outcome = TextOf(picker()->Pick({"/helloworld.Greeter/SayHello", nullptr, &call_}));
    }
    call_.Free();
    return outcome;
  }

  // What the channel sees: the state, its status, and the states of the subchannels.
  std::string Seen() const {
    std::vector<std::string> subchannels;
    for (uint32_t address = 0; address < kBackends; ++address) {
      if (LiveAt(address) == 0) continue;
      subchannels.push_back(absl::StrCat(address, " ", StateName(StateAt(address))));
    }
    // Which of several failed backends is named as the last one differs after an update: in gRPC,
    // those that are not connecting again tell their failure once more. If all are, it names none,
    // and reports TRANSIENT_FAILURE with the status OK.
    std::string text = status().ToString();
    const bool names_one = absl::StrContains(text, "no reachable endpoints; last error: ");
    if (names_one || (state() == GRPC_CHANNEL_TRANSIENT_FAILURE && status().ok())) text = "failed";
    return absl::StrCat(StateName(state()), " ", text, " [", absl::StrJoin(subchannels, ", "), "]");
  }

 private:
  static std::string TextOf(const GrpcPolicy::PickResult& result) {
    using Result = GrpcPolicy::PickResult;
    if (const auto* complete = AlternativeOf<Result::Complete>(result.result)) {
      const auto* subchannel = static_cast<const FakeSubchannel*>(complete->subchannel.get());
      return absl::StrCat("backend ", subchannel->backend().address);
    }
    if (const auto* fail = AlternativeOf<Result::Fail>(result.result)) {
      return absl::StrCat("fail ", fail->status.ToString());
    }
    return "queue";
  }

  FakeCallState call_;
};

// Both channels, and what has happened to them.
class Both {
 public:
  explicit Both(uint64_t seed)
      : random_(seed), grpc_(kGrpcs, kConfig), steer_("steer_ring_hash", kConfig) {}

  // Makes an event, and compares. Returns whether both are alike.
  bool Step() {
    const int kind = Below(100);
    const bool updated = history_.empty() || kind < 12;
    if (updated) {
      Update();
    } else if (kind < 45) {
      Calls();
    } else {
      const uint32_t address = static_cast<uint32_t>(Below(kBackends));
      constexpr std::pair<grpc_connectivity_state, grpc_connectivity_state> kChanges[] = {
          {GRPC_CHANNEL_CONNECTING, GRPC_CHANNEL_READY},
          {GRPC_CHANNEL_CONNECTING, GRPC_CHANNEL_TRANSIENT_FAILURE},
          {GRPC_CHANNEL_READY, GRPC_CHANNEL_IDLE},
          {GRPC_CHANNEL_TRANSIENT_FAILURE, GRPC_CHANNEL_IDLE}};
      const auto& [from, to] = kChanges[Below(4)];
      if (grpc_.StateAt(address) != from && steer_.StateAt(address) != from) return true;
      Note(absl::StrCat("backend ", address, ": ", StateName(from), " -> ", StateName(to)));
      grpc_.Change(address, from, to);
      steer_.Change(address, from, to);
    }
    return Compare(updated);
  }

 private:
  static constexpr char kGrpcs[] = "ring_hash_experimental";
  static constexpr char kConfig[] = R"({"minRingSize":64,"maxRingSize":64})";

  int Below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  void Note(std::string event) { history_.push_back(std::move(event)); }

  void Update() {
    std::vector<uint32_t> addresses;
    for (uint32_t address = 0; address < kBackends; ++address) {
      if (Below(2) == 0) addresses.push_back(address);
    }
    const std::string note = Below(2) == 0 ? "" : "a note";
    Note(absl::StrCat("addresses [", absl::StrJoin(addresses, " "), "] ", note));
    const absl::Status wanted = grpc_.Update(addresses, note);
    EXPECT_EQ(steer_.Update(addresses, note), wanted) << History();
  }

  void Calls() {
    const int calls = 1 + Below(3);
    for (int i = 0; i < calls; ++i) {
      const uint64_t hash = random_();
      Note(absl::StrCat("a call with hash ", hash));
      EXPECT_EQ(steer_.Pick(hash), grpc_.Pick(hash)) << History();
      grpc_.Settle();
      // Steer connects for a call from a thread of gRPC's.
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
      for (steer_.Settle(); steer_.Seen() != grpc_.Seen(); steer_.Settle()) {
        if (std::chrono::steady_clock::now() > end) break;
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
    }
  }

  bool Compare(bool updated) {
    EXPECT_EQ(steer_.Seen(), grpc_.Seen()) << History();
    const bool grpc_asked = grpc_.TakeReresolution();
    const bool steer_asked = steer_.TakeReresolution();
    // gRPC hands each list to all children, and those that had failed tell it again.
    EXPECT_TRUE(steer_asked == grpc_asked || (updated && grpc_asked)) << History();
    return !testing::Test::HasFailure();
  }

  std::string History() const { return absl::StrJoin(history_, "\n"); }

  std::mt19937_64 random_;
  std::vector<std::string> history_;
  Channel grpc_;
  Channel steer_;
};

bool GrpcHasRingHash() {
  return STEER_TEST_GENERATION == 3 && ParsePolicyConfig(R"([{"ring_hash_experimental":{}}])").ok();
}

TEST(RingHash, IsLikeGrpcsOwn) {
  // Earlier ring_hash policies work only under xDS.
  if (!GrpcHasRingHash()) GTEST_SKIP() << "this gRPC's ring_hash takes no lists of addresses";
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Both both(seed);
    for (int events = 0; events < 150; ++events) {
      if (!both.Step()) return;
    }
  }
}

}  // namespace
}  // namespace steer_testing

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return steer_testing::RunInGrpc([] { return RUN_ALL_TESTS(); });
}
