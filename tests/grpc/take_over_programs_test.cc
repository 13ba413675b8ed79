// Programs whose gRPC policies are taken over: by the environment under a preloaded library, by the
// program, in C; and settings that are refused. Each test starts a new process. This program itself
// has neither Steer nor gRPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/client_programs.h"
#include "support/process.h"

namespace steer_test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kRoundRobin[] = R"({"loadBalancingConfig":[{"round_robin":{}}]})";
constexpr char kByName[] = "policy=round_robin";
constexpr char kFormerField[] = R"({"loadBalancingPolicy":"ROUND_ROBIN"})";

std::string Operator(const std::string& settings) { return "STEER_TAKE_OVER=" + settings; }
std::string OfProgram(const std::string& settings) { return "STEER_TEST_TAKE_OVER=" + settings; }

class TakeOverPrograms : public ClientPrograms {
 protected:
  // Runs a client that nobody changed.
  ProgramResult RunPreloaded(const std::string& service_config, const std::string& settings) {
    std::vector<std::string> environment = PreloadEnvironment(STEER_TEST_AUTOREGISTER);
    environment.push_back(Operator(settings));
    environment.push_back("GRPC_VERBOSITY=INFO");
    return Run(STEER_TEST_PLAIN_CLIENT, "", service_config, environment);
  }

  // Runs a client that calls these functions of Steer's.
  ProgramResult RunRegistering(const std::string& steps,
                               const std::vector<std::string>& environment) {
    return Run(STEER_TEST_REGISTERING_CLIENT, steps, kRoundRobin, environment);
  }

  // Expects that the client's calls succeeded, with this policy.
  static void ExpectPolicy(const ProgramResult& result, const std::string& policy) {
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(Values(result, "policy"), ElementsAre(policy));
  }
};

#ifdef STEER_TEST_CAN_TAKE_OVER

TEST_F(TakeOverPrograms, OneEnvironmentVariableChangesAnUnmodifiedClient) {
  for (const char* how : {kRoundRobin, kByName, kFormerField}) {
    const ProgramResult result =
        RunPreloaded(how, R"(round_robin=steer_peak_ewma{"decayTime":"5s"})");
    ExpectPolicy(result, "steer_peak_ewma");
    EXPECT_THAT(result.output,
                HasSubstr("steer::Register: took over round_robin (steer_peak_ewma)"));
  }
}

TEST_F(TakeOverPrograms, SeveralNames) {
  const ProgramResult result = RunPreloaded(
      kRoundRobin, "ring_hash_experimental=steer_maglev, round_robin=steer_round_robin");
  ExpectPolicy(result, "steer_round_robin");
}

TEST_F(TakeOverPrograms, NothingChangesWithoutTheVariable) {
  for (const char* settings : {"", "round_robin=round_robin", "ring_hash=steer_maglev"}) {
    ExpectPolicy(RunPreloaded(kRoundRobin, settings), "round_robin");
  }
}

TEST_F(TakeOverPrograms, BadSettingsLeaveAllAsItWas) {
  for (const auto& [settings, why] : std::vector<std::pair<std::string, std::string>>{
           {"pick_first=steer_random", "connect to backends with it"},
           {"round_robin=steer_peek", "no policy is named"},
           {R"(round_robin=steer_peak_ewma{"decayTime":5})", "steer_peak_ewma.decayTime"},
           {"round_robin:steer_random", "write name=policy"},
           {"roundrobin=steer_random", "These can be taken over"},
           {"round_robin=steer_random,round_robin=steer_maglev", "Set each name once"},
           {"round_robin=steer_random,rls_experimental=steer_random", "These can be taken over"}}) {
    const ProgramResult result = RunPreloaded(kRoundRobin, settings);
    EXPECT_THAT(result.output, HasSubstr("steer::Register: STEER_TAKE_OVER: "));
    EXPECT_THAT(result.output, HasSubstr(why));
    ExpectPolicy(result, "round_robin");
  }
}

TEST_F(TakeOverPrograms, ByTheProgram) {
  for (const char* steps : {"options", "register,options", "credentials,options"}) {
    const ProgramResult result =
        RunRegistering(steps, {OfProgram("round_robin=steer_random;ring_hash=steer_maglev{}")});
    EXPECT_THAT(Values(result, "register").back(),
                HasSubstr("took over ring_hash (steer_maglev), round_robin (steer_random)"));
    ExpectPolicy(result, "steer_random");
    EXPECT_THAT(Values(result, "stats"),
                ElementsAre(HasSubstr(R"("taken_over":[{"name":"ring_hash")")));
  }
}

TEST_F(TakeOverPrograms, InCBeforeAndAfterRegistering) {
  for (const char* steps : {"take_over,register", "register,take_over"}) {
    const ProgramResult result = RunRegistering(steps, {OfProgram("round_robin=steer_random")});
    EXPECT_THAT(Values(result, "take_over"), ElementsAre("0 "));
    ExpectPolicy(result, "steer_random");
  }
}

TEST_F(TakeOverPrograms, TheProgramsBadSettingsAreReported) {
  const ProgramResult result =
      RunRegistering("options,take_over,register",
                     {OfProgram("round_robin=steer_random;pick_first=steer_random")});
  EXPECT_THAT(Values(result, "register"),
              ElementsAre(AllOf(StartsWith(kTakeOverFailed), HasSubstr("pick_first"),
                                HasSubstr("registered steer_least_request")),
                          StartsWith(kAlreadyRegistered)));
  EXPECT_THAT(Values(result, "take_over"), ElementsAre(StartsWith("16 ")));
  ExpectPolicy(result, "round_robin");
}

TEST_F(TakeOverPrograms, TheEnvironmentWinsOverTheProgram) {
  for (const auto& [settings, policy] : std::vector<std::pair<std::string, std::string>>{
           {"round_robin=steer_least_request", "steer_least_request"},
           {"round_robin=round_robin", "round_robin"}}) {
    const ProgramResult result =
        RunRegistering("options", {OfProgram("round_robin=steer_random"), Operator(settings)});
    EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk)));
    ExpectPolicy(result, policy);
  }
}

TEST_F(TakeOverPrograms, RegisterWithoutOptionsReadsTheEnvironment) {
  const ProgramResult result =
      RunRegistering("register,register", {Operator("round_robin=steer_random")});
  EXPECT_THAT(Values(result, "register"),
              ElementsAre(AllOf(StartsWith(kOk), HasSubstr("took over round_robin")),
                          StartsWith(kAlreadyRegistered)));
  ExpectPolicy(result, "steer_random");
}

TEST_F(TakeOverPrograms, IsTooLateAfterAChannel) {
  const ProgramResult result =
      RunRegistering("register,channel,options", {OfProgram("round_robin=steer_random")});
  EXPECT_THAT(Values(result, "register"),
              ElementsAre(StartsWith(kOk), AllOf(StartsWith(kTakeOverFailed),
                                                 HasSubstr("first channel or server"))));
  ExpectPolicy(result, "round_robin");
}

TEST_F(TakeOverPrograms, SurvivesAFullShutdownOfGrpc) {
  const ProgramResult result =
      RunRegistering("options,credentials,shutdown", {OfProgram("round_robin=steer_random")});
  ExpectPolicy(result, "steer_random");
}

TEST_F(TakeOverPrograms, APreloadedCopyTakesNamesForTheProgram) {
  std::vector<std::string> environment = PreloadEnvironment(STEER_TEST_AUTOREGISTER);
  environment.push_back(Operator("ring_hash=steer_maglev"));
  environment.push_back(OfProgram("round_robin=steer_random"));
  const ProgramResult result = RunRegistering("options", environment);
  EXPECT_THAT(Values(result, "register"),
              ElementsAre(AllOf(StartsWith(kAnotherCopy),
                                HasSubstr("took over ring_hash (steer_maglev), round_robin"))));
  ExpectPolicy(result, "steer_random");
  EXPECT_THAT(Values(result, "stats"),
              ElementsAre(HasSubstr(R"({"name":"round_robin","policy":"steer_random"})")));
}

#else

TEST_F(TakeOverPrograms, AnOldGrpcSaysThatItCannot) {
  const ProgramResult preloaded = RunPreloaded(kRoundRobin, "round_robin=steer_random");
  EXPECT_THAT(preloaded.output, HasSubstr("gRPC up to 1.49 has no way"));
  ExpectPolicy(preloaded, "round_robin");
  const ProgramResult result = RunRegistering("options", {OfProgram("round_robin=steer_random")});
  EXPECT_THAT(Values(result, "register"),
              ElementsAre(AllOf(StartsWith(kTakeOverFailed), HasSubstr("use gRPC 1.50"))));
  EXPECT_THAT(Values(result, "stats"), ElementsAre(Not(HasSubstr("taken_over"))));
  ExpectPolicy(result, "round_robin");
}

#endif

}  // namespace
}  // namespace steer_test
