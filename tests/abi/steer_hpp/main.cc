// Built with exceptions and RTTI, and without.
#include "checks.h"

namespace steer_hpp_test {
namespace {

int32_t Entry(const steer_api* api) {
  for (const auto& type :
       {RegisterReader, RegisterRemembering, RegisterByCall, RegisterLambdas, RegisterFirstOnly,
        RegisterMistaken, RegisterRefusing, RegisterMeasured, RegisterLoaded, RegisterChildren}) {
    if (const int32_t status = type(api); status != STEER_OK) return status;
  }
  return STEER_OK;
}

}  // namespace
}  // namespace steer_hpp_test

using namespace steer_hpp_test;

STEER_PLUGIN(steer_hpp_plugin, "steer_hpp", "1.0", Entry)

int main() {
  if (steer_register_plugin(&steer_hpp_plugin) != STEER_OK) {
    std::fprintf(stderr, "%s\n", steer::FromC(steer_last_error()).c_str());
    return EXIT_FAILURE;
  }
  CheckConfigs();
  CheckData();
  CheckCalls();
  CheckLambdas();
  CheckPolicies();
  CheckMistakes();
  CheckMoves();
  CheckRefusals();
  CheckMetrics();
  CheckLoads();
  CheckChildren();
  for (const char* policy : {"remembering", "by_call"}) {
    CHECK(steer_testkit_conformance(policy, "{}", nullptr) == 0);
  }
  std::printf("tests/abi, steer.hpp: %s\n", failures == 0 ? "all checks hold" : "CHECKS FAILED");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
