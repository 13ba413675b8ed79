// A channel whose whole address list is replaced again and again by new backends, and the memory in
// use early and late. If part of what was replaced is not freed, the memory grows.
//
// Must not depend on: any policy.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_CHURN_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_CHURN_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "fleet_channel.h"
#include "support/memory.h"

namespace steer_testing {

// So many that one leaked byte per backend and update exceeds the allocator's noise.
constexpr uint32_t kChurnBackends = 1000;

// The maximum during updates 50 to 100, and during the last 50.
struct ChurnMemory {
  steer_test::Memory early;
  steer_test::Memory late;
};

// A `lazy` policy connects only the backends that are picked.
inline ChurnMemory Churn(const std::string& policy, const std::string& config, bool lazy,
                         uint32_t updates) {
  constexpr uint32_t kWindow = 50;
  FleetChannel channel(policy, config, (updates + 1) * kChurnBackends);
  ChurnMemory memory;
  for (uint32_t number = 0; number <= updates; ++number) {
    const uint32_t first = number * kChurnBackends;
    ResolverUpdate update;
    for (uint32_t i = 0; i < kChurnBackends; ++i) update.addresses.push_back({first + i, 0, 0, 0});
    channel.Update(channel.channel().ArgsOf(update));
    channel.Answer();
    // Picks cause connections a little later. Waiting for that takes time, so do it seldom.
    if (lazy && number % 10 == 0) {
      channel.PickByHashes(kChurnBackends / 10);
      channel.Settle();
    }
    for (uint32_t address = first; address < first + kChurnBackends; ++address) {
      if (channel.StateAt(address) == GRPC_CHANNEL_CONNECTING) {
        channel.Become(address, GRPC_CHANNEL_READY);
      }
    }
    if (!lazy) channel.Call(kChurnBackends);
    steer_test::Memory* const window = number >= kWindow && number < 2 * kWindow ? &memory.early
                                       : number > updates - kWindow              ? &memory.late
                                                                                 : nullptr;
    if (window == nullptr) continue;
    const steer_test::Memory now = steer_test::Memory::Read();
    window->heap = std::max(window->heap, now.heap);
    window->resident = std::max(window->resident, now.resident);
  }
  return memory;
}

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_CHURN_H_
