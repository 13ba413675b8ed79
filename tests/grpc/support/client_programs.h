// What tests of client programs share: the statuses that the programs print, and the values of
// their lines. The programs print lines of the form "<key>=<value>".
//
// Must not depend on: gRPC, Steer.
#ifndef STEER_TESTS_GRPC_SUPPORT_CLIENT_PROGRAMS_H_
#define STEER_TESTS_GRPC_SUPPORT_CLIENT_PROGRAMS_H_

#include <gtest/gtest.h>

#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "support/backend.h"
#include "support/process.h"
#include "support/wait.h"

namespace steer_test {

// How a program prints a status: ok and steer::RegisterCode.
inline constexpr char kOk[] = "1 0 ";
inline constexpr char kAlreadyRegistered[] = "1 1 ";
inline constexpr char kTooLate[] = "0 2 ";
inline constexpr char kAbiMismatch[] = "0 3 ";
inline constexpr char kAnotherCopy[] = "1 4 ";
inline constexpr char kOtherGrpc[] = "0 5 ";
inline constexpr char kPluginFailed[] = "0 6 ";
inline constexpr char kCannotJoin[] = "0 7 ";
inline constexpr char kTakeOverFailed[] = "0 8 ";

// The values of the output's lines that begin with "<key>=".
inline std::vector<std::string> Values(const ProgramResult& result, const std::string& key) {
  std::vector<std::string> values;
  std::istringstream output(result.output);
  std::string line;
  while (std::getline(output, line)) {
    if (line.rfind(key + "=", 0) == 0) values.push_back(line.substr(key.size() + 1));
  }
  return values;
}

// Tests of programs that call three servers.
class ClientPrograms : public testing::Test {
 protected:
  // Runs a client program. `steps` is for programs that register; empty: none.
  ProgramResult Run(const std::string& program, const std::string& steps,
                    const std::string& service_config,
                    const std::vector<std::string>& environment = {}) {
    std::vector<std::string> argv = {program};
    if (!steps.empty()) argv.push_back(steps);
    argv.push_back(StaticTarget(backends_.ports()));
    argv.push_back(service_config);
    ProgramResult result = RunProgram(argv, environment, 2 * kPatience);
    // ctest shows it if the test fails.
    std::cout << result.output;
    return result;
  }

  Backends backends_{3};
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_CLIENT_PROGRAMS_H_
