// The random steps of outlier_test.cc's sequences.
//
// Must not depend on: policies, or what they should do.

#ifndef STEER_TESTS_GRPC_DIFFERENTIAL_OUTLIER_STEPS_H_
#define STEER_TESTS_GRPC_DIFFERENTIAL_OUTLIER_STEPS_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "connecting_channel.h"

namespace steer_testing {

constexpr uint32_t kBackends = ConnectingChannel::kBackends;

// How attempts to connect to a backend end. A backend that "hangs" leaves open the first attempt
// since the channel has it, and fails those that follow.
enum class Reach { kConnects, kFails, kHangs };
using Reaches = std::array<Reach, kBackends>;

// One bit for each backend.
using Backends = uint32_t;
inline bool Has(Backends backends, uint32_t address) { return (backends >> address & 1) != 0; }

struct Step {
  enum Kind { kList, kResolverError, kReach, kLoss, kCalls, kTime };
  Kind kind = kTime;
  std::vector<uint32_t> list;
  // kReach, kLoss
  uint32_t address = 0;
  Reach reach = Reach::kConnects;
  // kCalls: each of these backends gets calls, as far as it is picked. Those of some fail.
  Backends called = 0;
  Backends failing = 0;
  // kTime
  int seconds = 0;

  std::string ToString() const {
    constexpr const char* kReaches[] = {"connects", "fails to connect", "hangs"};
    switch (kind) {
      case kList:
        return absl::StrCat("list [", absl::StrJoin(list, " "), "]");
      case kResolverError:
        return "resolver error";
      case kReach:
        return absl::StrCat("backend ", address, " ", kReaches[static_cast<int>(reach)]);
      case kLoss:
        return absl::StrCat("backend ", address, " loses its connection");
      case kCalls:
        return absl::StrCat("calls to [", NamesOf(called), "], failing at [",
                            NamesOf(called & failing), "]");
      case kTime:
        return absl::StrCat(seconds, " s pass");
    }
    return "";
  }

 private:
  static std::string NamesOf(Backends backends) {
    std::vector<uint32_t> names;
    for (uint32_t address = 0; address < kBackends; ++address) {
      if (Has(backends, address)) names.push_back(address);
    }
    return absl::StrJoin(names, " ");
  }
};

// Makes the steps of a sequence.
class StepGenerator {
 public:
  explicit StepGenerator(uint64_t seed) : random_(seed) {}

  std::vector<Step> Steps() {
    std::vector<Step> steps = {NextList()};
    while (steps.size() < 60) steps.push_back(Next());
    return steps;
  }
  // What makes outlier_detection eject a backend.
  std::string Ejection() {
    const std::string hosts = absl::StrCat(R"("minimumHosts":)", 1 + Below(3));
    const std::string rest = hosts + R"(,"requestVolume":3,"enforcementPercentage":100})";
    const std::string rate = R"("successRateEjection":{"stdevFactor":700,)" + rest;
    const std::string percentage = R"("failurePercentageEjection":{"threshold":50,)" + rest;
    const std::array<std::string, 3> choices = {rate, percentage, rate + "," + percentage};
    return choices[static_cast<size_t>(Below(3))];
  }

 private:
  int Below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  Backends RandomBackends() { return static_cast<Backends>(Below(1 << kBackends)); }

  Step Next() {
    Step step;
    const int kind = Below(100);
    if (kind < 25) return NextList();
    step.address = static_cast<uint32_t>(Below(kBackends));
    if (kind < 28) {
      step.kind = Step::kResolverError;
    } else if (kind < 36) {
      step.kind = Step::kReach;
      step.reach = static_cast<Reach>(Below(3));
    } else if (kind < 42) {
      step.kind = Step::kLoss;
    } else if (kind < 75) {
      step.kind = Step::kCalls;
      step.called = RandomBackends() | RandomBackends();
      step.failing = RandomBackends() & RandomBackends();
    } else {
      constexpr int kSeconds[] = {4, 10, 20, 45};
      step.seconds = kSeconds[Below(4)];
    }
    return step;
  }
  // A new list, or the one before the last, as after a mistake.
  Step NextList() {
    Step step;
    step.kind = Step::kList;
    if (Below(2) == 0) {
      step.list = before_;
    } else {
      const Backends backends = Below(3) == 0 ? 1u << Below(kBackends) : RandomBackends();
      for (uint32_t address = 0; address < kBackends; ++address) {
        if (Has(backends, address)) step.list.push_back(address);
      }
      std::shuffle(step.list.begin(), step.list.end(), random_);
    }
    before_ = std::exchange(last_, step.list);
    return step;
  }

  std::mt19937_64 random_;
  std::vector<uint32_t> last_;
  std::vector<uint32_t> before_;
};

}  // namespace steer_testing

#endif  // STEER_TESTS_GRPC_DIFFERENTIAL_OUTLIER_STEPS_H_
