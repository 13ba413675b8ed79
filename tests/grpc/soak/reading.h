// Readings of this process's memory, all taken at rest, and whether it grows.
//
// The first third of the readings is warm-up, in which the pools of gRPC and glibc reach their
// sizes. Growth is the mean of the last third minus that of the middle third.
//
// Must not depend on: what the process does.
#ifndef STEER_TESTS_GRPC_SOAK_READING_H_
#define STEER_TESTS_GRPC_SOAK_READING_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/memory.h"

namespace steer_soak {

// The approximate size of a connection in gRPC, in bytes.
constexpr double kConnectionBytes = 100e3;

struct Reading {
  steer_test::Memory memory;
  // Connections that no channel uses and that will end. Their memory does not count as growth.
  int more_connections = 0;

  // The bytes in use, without those connections.
  double Of(uint64_t steer_test::Memory::*part) const {
    return static_cast<double>(memory.*part) - kConnectionBytes * more_connections;
  }
};

// In bytes. Zero if there are fewer than three readings.
struct Growth {
  // The mean of the middle third.
  double from = 0;
  // How much the mean of the last third is above that.
  double by = 0;
};

inline Growth GrowthOf(const std::vector<Reading>& readings, uint64_t steer_test::Memory::*part) {
  Growth growth;
  const size_t third = readings.size() / 3;
  for (size_t i = 0; i < third; ++i) {
    const double count = static_cast<double>(third);
    const double middle = readings[readings.size() - 1 - third - i].Of(part) / count;
    growth.from += middle;
    growth.by += readings[readings.size() - 1 - i].Of(part) / count - middle;
  }
  return growth;
}

}  // namespace steer_soak

#endif  // STEER_TESTS_GRPC_SOAK_READING_H_
