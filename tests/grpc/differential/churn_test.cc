// Memory does not grow while address lists are replaced: both sides of the ABI free what is gone.
//
// Must not depend on: how memory is reclaimed.

#include "churn.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "run_in_grpc.h"

namespace steer_testing {
namespace {

struct Case {
  std::string policy;
  std::string config = "{}";
  bool lazy = false;
};

void PrintTo(const Case& one, std::ostream* out) { *out << one.policy; }

class ChurnTest : public testing::TestWithParam<Case> {};

TEST_P(ChurnTest, MemoryDoesNotGrow) {
  const ChurnMemory memory = Churn(GetParam().policy, GetParam().config, GetParam().lazy, 500);
  std::printf("heap %.2f to %.2f MB, resident %.2f to %.2f MB\n", memory.early.heap / 1e6,
              memory.late.heap / 1e6, memory.early.resident / 1e6, memory.late.resident / 1e6);
  // One byte per replaced backend would be 400 kB. A hash table may double once, late, depending on
  // its seed; that is 100 kB.
  EXPECT_LE(memory.late.heap, memory.early.heap + 250'000);
  EXPECT_LE(memory.late.resident, memory.early.resident + 4'000'000);
}

// The hash of an xDS route where fake calls have one, otherwise a header.
const std::string kBy = FakeCallState::kHasHash ? "{}" : R"({"requestHashHeader":"user"})";

INSTANTIATE_TEST_SUITE_P(
    Policies, ChurnTest,
    testing::Values(Case{"steer_round_robin"}, Case{"steer_random"}, Case{"steer_least_request"},
                    Case{"steer_peak_ewma"}, Case{"steer_prequal"},
                    Case{"steer_weighted_round_robin", R"({"blackoutPeriod":"0s"})"},
                    Case{"steer_maglev", kBy}, Case{"steer_ring_hash", kBy, true}),
    [](const auto& info) { return info.param.policy; });

}  // namespace
}  // namespace steer_testing

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return steer_testing::RunInGrpc([] { return RUN_ALL_TESTS(); });
}
