// The memory that this process uses.
#ifndef STEER_TESTS_GRPC_SUPPORT_MEMORY_H_
#define STEER_TESTS_GRPC_SUPPORT_MEMORY_H_

#include <malloc.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

namespace steer_test {

// In bytes.
struct Memory {
  // Allocated with malloc and not freed. glibc counts freed blocks in threads' caches, too: see
  // RunWithoutThreadCaches.
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

// Runs this program again without malloc's thread caches, unless it runs so already. These caches
// fill for minutes, which looks like a leak of megabytes in a program with many threads. Call it at
// the start of main().
inline void RunWithoutThreadCaches(char** argv) {
  const std::string setting = "glibc.malloc.tcache_count=0";
  const char* const present = std::getenv("GLIBC_TUNABLES");
  std::string tunables = present == nullptr ? "" : present;
  if (tunables.find(setting) != std::string::npos) return;
  tunables += (tunables.empty() ? "" : ":") + setting;
  setenv("GLIBC_TUNABLES", tunables.c_str(), 1);
  execv("/proc/self/exe", argv);
}

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_MEMORY_H_
