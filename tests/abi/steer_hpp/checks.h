// The parts of the test of steer.hpp: each checks one subject on the test kit's host. They also
// check that all objects are destroyed once.
//
// Must not depend on: gRPC. tests/plugins/hostile/throws.cc tests exceptions.
#ifndef STEER_TESTS_STEER_HPP_CHECKS_H
#define STEER_TESTS_STEER_HPP_CHECKS_H

#include <steer/testkit.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <steer/steer.hpp>
#include <string>

namespace steer_hpp_test {

inline int failures;

#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                                        \
    }                                                                                    \
  } while (0)

// Counts the objects of a type.
template <class Kind>
struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
  static inline std::atomic<int> alive{0};
};

using Kit = std::unique_ptr<steer_testkit, void (*)(steer_testkit*)>;

// A channel with `backends` READY backends. Freeing it checks that there were no faults.
inline Kit ChannelOf(const char* policy, const char* config = "{}", size_t backends = 2) {
  steer_string* error = nullptr;
  steer_testkit* const kit = steer_testkit_new(policy, config, &error);
  if (kit == nullptr) {
    std::fprintf(stderr, "%s\n", steer::TakeString(error).c_str());
    std::exit(EXIT_FAILURE);
  }
  steer_testkit_use(kit, backends);
  steer_testkit_connect_all(kit);
  return Kit(kit, [](steer_testkit* ended) {
    CHECK(steer_testkit_faults(ended) == 0);
    CHECK(ended->log_count == 0);
    CHECK(steer_testkit_free(ended) == 0);
  });
}

// Without exceptions a wrong type ends the process. So only the functions that return NULL are
// checked then.
#if defined(__cpp_exceptions)
constexpr bool kExceptions = true;
#else
constexpr bool kExceptions = false;
#endif

// configs.cc
int32_t RegisterReader(const steer_api* api);
void CheckConfigs();
// data.cc
int32_t RegisterRemembering(const steer_api* api);
void CheckData();
// calls.cc
int32_t RegisterByCall(const steer_api* api);
int32_t RegisterLambdas(const steer_api* api);
void CheckCalls();
void CheckLambdas();
void CheckMoves();
// policies.cc
int32_t RegisterFirstOnly(const steer_api* api);
int32_t RegisterRefusing(const steer_api* api);
int32_t RegisterLoaded(const steer_api* api);
int32_t RegisterMeasured(const steer_api* api);
void CheckPolicies();
void CheckRefusals();
void CheckLoads();
void CheckMetrics();
// children.cc
int32_t RegisterChildren(const steer_api* api);
void CheckChildren();
// mistakes.cc
int32_t RegisterMistaken(const steer_api* api);
void CheckMistakes();

}  // namespace steer_hpp_test

#endif  // STEER_TESTS_STEER_HPP_CHECKS_H
