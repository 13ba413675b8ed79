// How Steer gets into a process: in time, too late, twice, preloaded, with each of gRPC's two
// libraries, with an engine of another version. Each test starts a new process. This program itself
// has neither Steer nor gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "steer/steer.h"
#include "support/backend.h"
#include "support/client_programs.h"
#include "support/process.h"
#include "support/wait.h"

namespace steer_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

constexpr char kSteerOnly[] = R"({"loadBalancingConfig":[{"steer_round_robin":{}}]})";
constexpr char kSteerOrBuiltIn[] =
    R"({"loadBalancingConfig":[{"steer_round_robin":{}},{"round_robin":{}}]})";

class Registration : public ClientPrograms {
 protected:
  // The log has errors of Register, too, because nobody reads the status of a preloaded library.
  static void ExpectLogged(const ProgramResult& result, const std::string& text) {
    std::istringstream output(result.output);
    std::string line;
    bool logged = false;
    while (std::getline(output, line)) {
      logged |= line.rfind("E", 0) == 0 && line.find(text) != std::string::npos;
    }
    EXPECT_TRUE(logged) << text;
  }

  // Expects that the program succeeded and that this policy rotated its calls.
  void ExpectRotation(const ProgramResult& result, const std::string& policy) {
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(Values(result, "policy"), ElementsAre(policy));
    for (const int port : backends_.ports()) {
      EXPECT_THAT(Values(result, std::to_string(port)), ElementsAre("100")) << port;
    }
  }
};

TEST_F(Registration, InTime) {
  const ProgramResult result = Run(STEER_TEST_REGISTERING_CLIENT, "register", kSteerOnly);
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk)));
  ExpectRotation(result, "steer_round_robin");
}

TEST_F(Registration, CredentialsAndCompletionQueuesDoNotMakeItLate) {
  const ProgramResult result =
      Run(STEER_TEST_REGISTERING_CLIENT, "credentials,register", kSteerOnly);
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk)));
  ExpectRotation(result, "steer_round_robin");
}

// gRPC up to 1.49 starts its plugins again with the library.
TEST_F(Registration, SurvivesAFullShutdownOfGrpc) {
  for (const char* steps : {"register,credentials,shutdown", "credentials,register,shutdown",
                            "register,credentials,shutdown,credentials,shutdown"}) {
    const ProgramResult result = Run(STEER_TEST_REGISTERING_CLIENT, steps, kSteerOnly);
    EXPECT_THAT(Values(result, "shutdown"),
                testing::AllOf(testing::Not(testing::IsEmpty()), testing::Each("1")));
    ExpectRotation(result, "steer_round_robin");
  }
}

TEST_F(Registration, CanBeRepeated) {
  const ProgramResult result =
      Run(STEER_TEST_REGISTERING_CLIENT, "register,register,channel,register", kSteerOnly);
  EXPECT_THAT(
      Values(result, "register"),
      ElementsAre(StartsWith(kOk), StartsWith(kAlreadyRegistered), StartsWith(kAlreadyRegistered)));
  ExpectRotation(result, "steer_round_robin");
}

TEST_F(Registration, CanBeDoneByManyThreadsAtOnce) {
  const ProgramResult result = Run(STEER_TEST_REGISTERING_CLIENT, "race", kSteerOnly);
  std::vector<std::string> statuses = Values(result, "register");
  std::sort(statuses.begin(), statuses.end());
  ASSERT_EQ(statuses.size(), 8u);
  EXPECT_THAT(statuses[0], StartsWith(kOk));
  for (size_t i = 1; i < statuses.size(); ++i) {
    EXPECT_THAT(statuses[i], StartsWith(kAlreadyRegistered));
  }
  ExpectRotation(result, "steer_round_robin");
}

TEST_F(Registration, ReportsPluginsThatCannotBeLoadedAndRegistersTheRest) {
  const ProgramResult result = Run(STEER_TEST_REGISTERING_CLIENT, "register,register", kSteerOnly,
                                   {"STEER_PLUGINS=/nowhere/libfirst.so:/nowhere/libsecond.so"});
  const auto failed = testing::AllOf(
      StartsWith(kPluginFailed), HasSubstr("STEER_PLUGINS"), HasSubstr("/nowhere/libfirst.so"),
      HasSubstr("/nowhere/libsecond.so"), HasSubstr("registered steer_least_request"));
  EXPECT_THAT(Values(result, "register"), ElementsAre(failed, failed));
  ExpectLogged(result, "/nowhere/libfirst.so");
  ExpectRotation(result, "steer_round_robin");
}

TEST_F(Registration, TooLateAfterAChannel) {
  const ProgramResult result =
      Run(STEER_TEST_REGISTERING_CLIENT, "channel,register,register", kSteerOrBuiltIn);
  const auto too_late = testing::AllOf(StartsWith(kTooLate), HasSubstr("too late"),
                                       HasSubstr("at the beginning of main()"));
  EXPECT_THAT(Values(result, "register"), ElementsAre(too_late, too_late));
  ExpectLogged(result, "steer::Register: too late");
  ExpectRotation(result, "round_robin");
}

TEST_F(Registration, TooLateAfterAServer) {
  const ProgramResult result =
      Run(STEER_TEST_REGISTERING_CLIENT, "server,register", kSteerOrBuiltIn);
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kTooLate)));
  ExpectRotation(result, "round_robin");
}

TEST_F(Registration, CallsFailIfItIsTooLateAndThereIsNoOtherPolicy) {
  const ProgramResult result = Run(STEER_TEST_REGISTERING_CLIENT, "channel,register", kSteerOnly);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kTooLate)));
  EXPECT_THAT(result.output, HasSubstr("No known policies in list: steer_round_robin"));
}

TEST_F(Registration, AnOlderEngineIsRefused) {
  const int older = STEER_ABI_VERSION - 1;
  const ProgramResult result = Run(STEER_TEST_OTHER_ENGINE_CLIENT, "register", kSteerOrBuiltIn,
                                   {"STEER_TEST_ENGINE_VERSION=" + std::to_string(older)});
  EXPECT_THAT(Values(result, "register"),
              ElementsAre(testing::AllOf(
                  StartsWith(kAbiMismatch),
                  HasSubstr("version " + std::to_string(STEER_ABI_VERSION) + " of Steer's ABI"),
                  HasSubstr("has version " + std::to_string(older)), HasSubstr("Install"))));
  ExpectLogged(result, "steer::Register: this program was compiled for version");
  ExpectRotation(result, "round_robin");
}

// The ABI is append-only, so a newer engine has all functions that the shim calls.
TEST_F(Registration, ANewerEngineIsAccepted) {
  const ProgramResult result =
      Run(STEER_TEST_OTHER_ENGINE_CLIENT, "register", kSteerOnly,
          {"STEER_TEST_ENGINE_VERSION=" + std::to_string(STEER_ABI_VERSION + 1)});
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk)));
  ExpectRotation(result, "steer_round_robin");
}

TEST_F(Registration, AnotherGrpcVersionIsRefused) {
  const ProgramResult result =
      Run(STEER_TEST_OTHER_GRPC_CLIENT, "register,register", kSteerOrBuiltIn);
  const auto refused =
      testing::AllOf(StartsWith(kOtherGrpc), HasSubstr("runs gRPC 1.44.2"), HasSubstr("Rebuild"));
  EXPECT_THAT(Values(result, "register"), ElementsAre(refused, refused));
  ExpectLogged(result, "steer::Register: Steer was compiled for gRPC");
  ExpectRotation(result, "round_robin");
}

#ifndef STEER_TEST_SANITIZED
TEST_F(Registration, AnotherLayoutOfGrpcsClassesFailsCallsWithAMessage) {
  const ProgramResult result = Run(STEER_TEST_OTHER_LAYOUT_CLIENT, "register", kSteerOnly);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(Values(result, "failed"), ElementsAre(HasSubstr("another layout")));
  ExpectLogged(result, "gRPC's classes have another layout");
}
#endif

#ifdef STEER_TEST_UNSECURE_PLAIN_CLIENT
TEST_F(Registration, WithTheUnsecureLibrary) {
  const ProgramResult result = Run(STEER_TEST_UNSECURE_REGISTERING_CLIENT, "register", kSteerOnly);
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk)));
  ExpectRotation(result, "steer_round_robin");
}
#endif

class Preload : public Registration {
 protected:
  static std::vector<std::string> Environment() {
    return PreloadEnvironment(STEER_TEST_AUTOREGISTER);
  }
};

// Shows that the next test's result is due to the preloaded library.
TEST_F(Preload, IsWhatMakesThePolicyKnown) {
  const ProgramResult result = Run(STEER_TEST_PLAIN_CLIENT, "", kSteerOnly);
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, HasSubstr("No known policies in list: steer_round_robin"));
}

TEST_F(Preload, IntoAClientWithoutSteer) {
  ExpectRotation(Run(STEER_TEST_PLAIN_CLIENT, "", kSteerOnly, Environment()), "steer_round_robin");
}

TEST_F(Preload, IntoAClientThatUsesAnotherPolicy) {
  const std::string round_robin = R"({"loadBalancingConfig":[{"round_robin":{}}]})";
  ExpectRotation(Run(STEER_TEST_PLAIN_CLIENT, "", round_robin, Environment()), "round_robin");
}

#ifdef STEER_TEST_UNSECURE_PLAIN_CLIENT
TEST_F(Preload, IntoAClientOfTheUnsecureLibrary) {
  ExpectRotation(Run(STEER_TEST_UNSECURE_PLAIN_CLIENT, "", kSteerOnly, Environment()),
                 "steer_round_robin");
}
#endif

TEST_F(Preload, IntoAClientThatRegistersToo) {
  const ProgramResult result =
      Run(STEER_TEST_REGISTERING_CLIENT, "register", kSteerOnly, Environment());
  EXPECT_THAT(Values(result, "register"),
              ElementsAre(testing::AllOf(StartsWith(kAnotherCopy), HasSubstr("libsteer"))));
  ExpectRotation(result, "steer_round_robin");
}

TEST_F(Preload, IntoAClientThatRegistersTooAfterAPluginFailed) {
  std::vector<std::string> environment = Environment();
  environment.push_back("STEER_PLUGINS=/nowhere/libfirst.so");
  const ProgramResult result =
      Run(STEER_TEST_REGISTERING_CLIENT, "register", kSteerOnly, environment);
  EXPECT_THAT(
      Values(result, "register"),
      ElementsAre(testing::AllOf(StartsWith(kPluginFailed), HasSubstr("/nowhere/libfirst.so"))));
  ExpectRotation(result, "steer_round_robin");
}

TEST_F(Preload, IntoAClientOfGrpcsCoreAlone) {
  const ProgramResult without = RunProgram(
      {STEER_TEST_CORE_CLIENT, StaticTarget(backends_.ports()), kSteerOrBuiltIn}, {}, kPatience);
  EXPECT_THAT(Values(without, "policy"), ElementsAre("round_robin")) << without.output;
  const ProgramResult result =
      RunProgram({STEER_TEST_CORE_CLIENT, StaticTarget(backends_.ports()), kSteerOrBuiltIn},
                 Environment(), kPatience);
  EXPECT_THAT(Values(result, "policy"), ElementsAre("steer_round_robin")) << result.output;
}

#ifdef STEER_TEST_STATIC_GRPC
TEST_F(Preload, IntoAProgramThatHidesItsGrpcPrintsAMessage) {
  const ProgramResult result =
      RunProgram({STEER_TEST_STATIC_GRPC, "ipv4:127.0.0.1:1"}, Environment(), kPatience);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.output, HasSubstr("steer: this program contains gRPC"));
}
#endif

// Programs inherit LD_PRELOAD, so programs without gRPC must work with it, too.
TEST_F(Preload, IntoAProgramWithoutGrpc) {
  const ProgramResult result = RunProgram({"/bin/sh", "-c", "echo well"}, Environment(), kPatience);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "well\n");
}

TEST_F(Preload, IntoAShellThatStartsTheClient) {
  std::vector<std::string> environment = Environment();
  environment.push_back("TARGET=" + StaticTarget(backends_.ports()));
  environment.push_back(std::string("CONFIG=") + kSteerOnly);
  const ProgramResult result = RunProgram(
      {"/bin/sh", "-c", "\"" STEER_TEST_PLAIN_CLIENT R"(" "$TARGET" "$CONFIG"; exit $?)"},
      environment, 2 * kPatience);
  std::cout << result.output;
  ExpectRotation(result, "steer_round_robin");
}

}  // namespace
}  // namespace steer_test
