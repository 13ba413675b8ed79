// Plays an engine of another version: the linker sends each call of steer_abi_version() here
// (--wrap), and the environment says what to return.
#include <cstdint>
#include <cstdlib>

extern "C" uint32_t __wrap_steer_abi_version();

extern "C" uint32_t __wrap_steer_abi_version() {
  const char* const version = std::getenv("STEER_TEST_ENGINE_VERSION");
  return version == nullptr ? 0 : static_cast<uint32_t>(std::atoi(version));
}
