// Compares Steer's pickers with gRPC's, pick by pick: ring_hash over the whole ring, and weighted
// round robin over more than one period of its scheduler. Skips what the linked gRPC version lacks.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "ready_channel.h"
#include "run_in_grpc.h"
#if __has_include("src/core/load_balancing/weighted_round_robin/static_stride_scheduler.h")
#include "src/core/load_balancing/weighted_round_robin/static_stride_scheduler.h"
#define STEER_TEST_WITH_SCHEDULER 1
#elif __has_include( \
    "src/core/ext/filters/client_channel/lb_policy/weighted_round_robin/static_stride_scheduler.h")
#include "src/core/ext/filters/client_channel/lb_policy/weighted_round_robin/static_stride_scheduler.h"
#define STEER_TEST_WITH_SCHEDULER 1
#endif

namespace steer_testing {
namespace {

using Complete = ReadyChannel::PickResult::Complete;

// The address of the backend that a pick chooses; -1: none.
int PickedBy(ReadyChannel& channel, FakeCallState& call) {
  int address = -1;
  {
    const auto result = channel.Pick({"/helloworld.Greeter/SayHello", nullptr, &call});
    const auto* complete = AlternativeOf<Complete>(result.result);
    if (complete != nullptr) address = BackendOf(*complete).address;
  }
  call.Free();
  return address;
}

// --- ring_hash ---

struct Ring {
  std::string config;
  ResolverUpdate update;
  size_t backends;
};

Ring Equal(const std::string& config, int backends) {
  return {config, UpdateTo(backends), static_cast<size_t>(backends)};
}

Ring Weighted(const std::string& config, const std::vector<uint8_t>& weights) {
  Ring ring = Equal(config, static_cast<int>(weights.size()));
  for (size_t i = 0; i < weights.size(); ++i) ring.update.addresses[i].weight = weights[i];
  return ring;
}

std::vector<Ring> Rings() {
  std::vector<Ring> rings = {
      Equal("{}", 1),
      Equal("{}", 3),
      Equal("{}", 100),
      Equal("{}", 1000),
      Equal(R"({"minRingSize":1,"maxRingSize":1})", 3),
      Equal(R"({"minRingSize":10,"maxRingSize":20})", 7),
      Equal(R"({"minRingSize":4096})", 7),
      Equal(R"({"minRingSize":16,"maxRingSize":4096})", 300),
      Weighted("{}", {1, 2, 3}),
      Weighted("{}", {1, 0, 255}),
      Weighted(R"({"minRingSize":64,"maxRingSize":512})", {7, 7, 1, 200, 13}),
  };
  // Random weights.
  std::mt19937 random(1);
  std::vector<uint8_t> weights(100);
  for (uint8_t& weight : weights) weight = static_cast<uint8_t>(1 + random() % 255);
  rings.push_back(Weighted("{}", weights));
  // Duplicate addresses.
  Ring twice = Weighted("{}", {1, 2, 3});
  twice.update.addresses.push_back(twice.update.addresses[1]);
  twice.update.addresses.push_back(twice.update.addresses[0]);
  rings.push_back(twice);
  return rings;
}

// gRPC's name of the policy.
constexpr char kRingHash[] = "ring_hash_experimental";

class BothRings {
 public:
  explicit BothRings(const Ring& ring)
      : ours_("steer_ring_hash", ring.config), theirs_(kRingHash, ring.config) {
    for (ReadyChannel* channel : {&ours_, &theirs_}) {
      channel->Update(ring.update);
      channel->ConnectByPicks(ring.backends);
      channel->Settle();
    }
  }

  size_t connected() const { return std::min(ours_.connected(), theirs_.connected()); }
  // Picks with gRPC's picker.
  int Pick(uint64_t hash) {
    call_.set_hash(hash);
    return PickedBy(theirs_, call_);
  }
  // Whether both pick the same backend.
  bool Agree(uint64_t hash) {
    call_.set_hash(hash);
    return PickedBy(ours_, call_) == PickedBy(theirs_, call_);
  }

 private:
  FakeCallState call_;
  ReadyChannel ours_;
  ReadyChannel theirs_;
};

bool GrpcHasRingHash() {
  return STEER_TEST_GENERATION == 3 &&
         ParsePolicyConfig(absl::StrCat("[{\"", kRingHash, "\":{}}]")).ok();
}

TEST(Picks, RingHashAgreesAtEachEdgeOfTheRingAndForAMillionHashes) {
  // Earlier ring_hash policies work only under xDS.
  if (!GrpcHasRingHash()) GTEST_SKIP() << "this gRPC's ring_hash takes no lists of addresses";
  constexpr int kHashes = 1000000;
  std::vector<Ring> rings = Rings();
  for (size_t i = 0; i < rings.size(); ++i) {
    SCOPED_TRACE(absl::StrCat("ring ", i, ": ", rings[i].config));
    BothRings both(rings[i]);
    std::mt19937_64 random(i);
    std::vector<uint64_t> hashes = {0, ~uint64_t{0}};
    for (int j = 0; j < kHashes; ++j) hashes.push_back(random());
    for (const uint64_t hash : hashes) ASSERT_TRUE(both.Agree(hash)) << hash;
    // An edge lies between two hashes that pick different backends. Adjacent entries of the same
    // backend have no edge between them.
    std::sort(hashes.begin(), hashes.end());
    size_t edges = 0;
    for (size_t j = 0; j + 1 < hashes.size(); ++j) {
      uint64_t low = hashes[j];
      uint64_t high = hashes[j + 1];
      const int before = both.Pick(low);
      if (both.Pick(high) == before) continue;
      while (high - low > 1) {
        const uint64_t middle = low + (high - low) / 2;
        (both.Pick(middle) == before ? low : high) = middle;
      }
      ++edges;
      for (const uint64_t hash : {low - 1, low, high, high + 1}) {
        ASSERT_TRUE(both.Agree(hash)) << "at the edge of " << low << ": " << hash;
      }
    }
    EXPECT_GE(edges, rings[i].backends > 1 && rings[i].config.find(":1}") == std::string::npos
                         ? rings[i].backends
                         : 0);
    RecordProperty(absl::StrCat("edges_", i), static_cast<int>(edges));
  }
}

// --- weighted_round_robin ---

#ifdef STEER_TEST_WITH_SCHEDULER
// The picks of gRPC's scheduler from its start.
std::vector<uint16_t> SchedulersPicks(const std::vector<float>& weights, uint64_t generations) {
  uint64_t sequence = 0;
  const auto scheduler = grpc_core::StaticStrideScheduler::Make(
      weights, [&] { return static_cast<uint32_t>(sequence++); });
  std::vector<uint16_t> picks;
  while (sequence < generations * weights.size()) {
    picks.push_back(static_cast<uint16_t>(scheduler->Pick()));
  }
  return picks;
}

// A config for Steer's policy with exactly these weights.
std::string ConfigOf(const std::vector<float>& weights) {
  std::string config = R"({"weights":{)";
  for (size_t i = 0; i < weights.size(); ++i) {
    absl::StrAppendFormat(&config, "%s\"ipv4:127.0.0.1:%d\":%.9g", i == 0 ? "" : ",",
                          kFirstPort + i, weights[i]);
  }
  return config + "}}";
}

void ExpectSchedulersPicks(const std::vector<float>& weights) {
  // The scheduler repeats itself after this many turns, because its weights have 16 bits.
  constexpr uint64_t kPeriod = 65535;
  ReadyChannel channel("steer_weighted_round_robin", ConfigOf(weights));
  channel.Update(UpdateTo(static_cast<int>(weights.size())));
  FakeCallState call;
  const auto pick = [&] { return static_cast<uint16_t>(PickedBy(channel, call)); };
  const std::vector<uint16_t> theirs = SchedulersPicks(weights, 3 * kPeriod);
  // Steer starts at a random place of the sequence. So from some place in the first period on, all
  // picks are the same, for more than a period.
  std::vector<uint16_t> ours(theirs.size() / 3 + theirs.size() / 6);
  std::generate(ours.begin(), ours.end(), pick);
  EXPECT_NE(std::search(theirs.begin(), theirs.end(), ours.begin(), ours.end()), theirs.end())
      << "Steer's picks are nowhere in gRPC's";
}

TEST(Picks, WeightedRoundRobinPicksAsGrpcsStaticStrideScheduler) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> weight(0.01f, 100.0f);
  for (const size_t size : {2, 3, 7, 10, 64}) {
    SCOPED_TRACE(size);
    std::vector<float> weights(size);
    for (float& one : weights) one = weight(random);
    ExpectSchedulersPicks(weights);
  }
}

TEST(Picks, WeightedRoundRobinLimitsWeightsAsGrpcsScheduler) {
  // Far above and far below the mean.
  ExpectSchedulersPicks({1, 1000, 1, 1, 0.001f});
  std::vector<float> one_of_many(30, 1);
  one_of_many[3] = 1e6f;
  ExpectSchedulersPicks(one_of_many);
  ExpectSchedulersPicks({1e-30f, 2e-30f, 3e-30f});
  ExpectSchedulersPicks({1e30f, 2e30f, 3e30f});
}
#endif

}  // namespace
}  // namespace steer_testing

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return steer_testing::RunInGrpc([] { return RUN_ALL_TESTS(); });
}
