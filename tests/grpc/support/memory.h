// The memory that this process uses.
#ifndef STEER_TESTS_GRPC_SUPPORT_MEMORY_H_
#define STEER_TESTS_GRPC_SUPPORT_MEMORY_H_

#include <malloc.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>

namespace steer_test {

// In bytes.
struct Memory {
  // Allocated with malloc and not freed.
  uint64_t heap = 0;
  // Given by the kernel: the resident set.
  uint64_t resident = 0;

  static Memory Read() {
    const struct mallinfo2 info = mallinfo2();
    uint64_t pages = 0;
    uint64_t resident_pages = 0;
    std::ifstream("/proc/self/statm") >> pages >> resident_pages;
    return {info.uordblks + info.hblkhd,
            resident_pages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE))};
  }
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_MEMORY_H_
