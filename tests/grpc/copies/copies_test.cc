// Several copies of Steer in one process. None aborts the process, the gRPC that they share has the
// policies of all of them, and each returns the statistics of the copy that serves. Each test
// starts a new process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "support/backend.h"
#include "support/client_programs.h"
#include "support/process.h"
#include "support/wait.h"

namespace steer_test {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

// If libsteer-grpc.so links libsteer.so, the dynamic linker may give it the program's functions.
#ifdef STEER_TEST_SHARED_ENGINE
constexpr char kPreloadedCopy[] = "(Steer ";
#else
constexpr char kPreloadedCopy[] = "libsteer-grpc.so (Steer ";
#endif

class Copies : public testing::Test {
 protected:
  ProgramResult Run(const std::string& program, const std::vector<std::string>& steps,
                    const std::vector<std::string>& environment = {}) {
    ProgramResult result = RunUnchecked(program, steps, environment);
    ExpectEnd(result);
    return result;
  }

  static void ExpectEnd(const ProgramResult& result) {
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(Values(result, "end"), ElementsAre("ok"));
  }

  ProgramResult RunUnchecked(const std::string& program, const std::vector<std::string>& steps,
                             const std::vector<std::string>& environment = {}) {
    std::vector<std::string> argv = {program, StaticTarget(backends_.ports())};
    argv.insert(argv.end(), steps.begin(), steps.end());
    ProgramResult result = RunProgram(argv, environment, 4 * kPatience);
    // ctest shows it if the test fails.
    std::cout << result.output << "exit code " << result.exit_code << std::endl;
    return result;
  }

  // Steps that use all policies of these copies, and read each copy's statistics.
  static std::vector<std::string> UseOf(const std::vector<std::string>& copies) {
    std::vector<std::string> steps = {"call=steer_round_robin"};
    for (const std::string& copy : copies) {
      steps.push_back("call=pick_" + copy);
      steps.push_back("call=table_" + copy);
      steps.push_back("call=table_" + copy + ":{\"fails\":true}");
      steps.push_back("call=table_" + copy + ":{\"wrong\":1}");
    }
    for (const std::string& copy : copies) steps.push_back("stats=" + copy);
    return steps;
  }

  // Expects that these steps succeeded.
  static void ExpectUsed(const ProgramResult& result, const std::vector<std::string>& copies) {
    const std::vector<std::string> calls = Values(result, "call");
    EXPECT_THAT(calls, Contains("steer_round_robin ok"));
    const std::vector<std::string> stats = Values(result, "stats");
    EXPECT_EQ(stats.size(), copies.size());
    for (const std::string& copy : copies) {
      EXPECT_THAT(calls, Contains("pick_" + copy + " ok"));
      EXPECT_THAT(calls, Contains("table_" + copy + " ok"));
      EXPECT_THAT(calls, Contains(AllOf(StartsWith("table_" + copy + " failed"),
                                        HasSubstr("said by " + copy))));
      // gRPC logs the errors of a service config that is a channel argument.
      EXPECT_THAT(result.output, HasSubstr("refused by " + copy));
      EXPECT_THAT(
          stats, Each(AllOf(HasSubstr("\"pick_" + copy + "\""), HasSubstr("\"table_" + copy + "\""),
                            HasSubstr("\"steer_round_robin\""))));
    }
  }

  static std::vector<std::string> Join(std::vector<std::string> a,
                                       const std::vector<std::string>& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
  }

  Backends backends_{2};
};

TEST_F(Copies, TwoPluginsWithLocalSymbols) {
  const ProgramResult result =
      Run(STEER_TEST_PLAIN, Join({"open=" STEER_TEST_ONE, "open=" STEER_TEST_TWO, "register=one",
                                  "register=two", "register=one", "register=two"},
                                 UseOf({"one", "two"})));
  EXPECT_THAT(
      Values(result, "register"),
      ElementsAre(StartsWith(kOk), AllOf(StartsWith(kAnotherCopy), HasSubstr(STEER_TEST_ONE)),
                  StartsWith(kAlreadyRegistered), StartsWith(kAnotherCopy)));
  ExpectUsed(result, {"one", "two"});
}

#ifdef STEER_TEST_WITH_RUST_PICKER
TEST_F(Copies, APickerInRustOfTheCopyThatFollows) {
  const ProgramResult result =
      Run(STEER_TEST_PLAIN, {"open=" STEER_TEST_ONE, "open=" STEER_TEST_TWO, "register=one",
                             "register=two", R"(call=sticky_session:{"header":"session-id"})",
                             R"(call=sticky_session:{"header":1})", "stats=two"});
  EXPECT_THAT(Values(result, "call"),
              ElementsAre("sticky_session ok", StartsWith("sticky_session failed")));
  EXPECT_THAT(result.output, HasSubstr("sticky_session.header error:"));
  EXPECT_THAT(Values(result, "stats"), ElementsAre(HasSubstr("\"sticky_session\"")));
}
#endif

TEST_F(Copies, TwoPluginsWithVisibleSymbols) {
  const ProgramResult result =
      Run(STEER_TEST_PLAIN,
          Join({"global=" STEER_TEST_ONE, "global=" STEER_TEST_TWO, "register=two", "register=one"},
               UseOf({"one", "two"})));
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk), StartsWith(kAnotherCopy)));
  ExpectUsed(result, {"one", "two"});
}

TEST_F(Copies, TwoLinkedLibrariesThatHideTheirSymbols) {
  const ProgramResult result =
      Run(STEER_TEST_LINKED, Join({"register=three", "register=four"}, UseOf({"three", "four"})));
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk), StartsWith(kAnotherCopy)));
  ExpectUsed(result, {"three", "four"});
}

TEST_F(Copies, TwoThatRegisterAtOnce) {
  const ProgramResult result = Run(
      STEER_TEST_PLAIN, Join({"global=" STEER_TEST_ONE, "global=" STEER_TEST_TWO, "race=one,two"},
                             UseOf({"one", "two"})));
  EXPECT_THAT(Values(result, "race"),
              UnorderedElementsAre(StartsWith(kOk), StartsWith(kAnotherCopy)));
  ExpectUsed(result, {"one", "two"});
}

// STEER_TEST_RACES sets the number of races.
TEST_F(Copies, TwoThatRegisterAtOnceManyTimes) {
  const char* const wanted = std::getenv("STEER_TEST_RACES");
  const int races = wanted == nullptr ? 20 : std::atoi(wanted);
  for (int i = 0; i < races && !HasFailure(); ++i) {
    const std::string how = i % 2 == 0 ? "global=" : "open=";
    const ProgramResult result =
        RunProgram({STEER_TEST_PLAIN, StaticTarget(backends_.ports()), how + STEER_TEST_ONE,
                    how + STEER_TEST_TWO, "race=one,two", "call=pick_one", "call=pick_two"},
                   {}, 4 * kPatience);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_THAT(Values(result, "race"),
                UnorderedElementsAre(StartsWith(kOk), StartsWith(kAnotherCopy)));
    EXPECT_THAT(Values(result, "call"), ElementsAre("pick_one ok", "pick_two ok"));
  }
}

TEST_F(Copies, AProgramThatLinksSteerAndAPreloadedCopy) {
  const ProgramResult result =
      Run(STEER_TEST_PROGRAM, Join({"register=program"}, UseOf({"program"})),
          PreloadEnvironment(STEER_TEST_AUTOREGISTER));
  EXPECT_THAT(Values(result, "register"),
              ElementsAre(AllOf(StartsWith(kAnotherCopy), HasSubstr(kPreloadedCopy))));
  ExpectUsed(result, {"program"});
}

// The dynamic linker gives the program's engine to libsteer-grpc.so.
TEST_F(Copies, AProgramThatExportsItsEngineAndAPreloadedCopy) {
  const ProgramResult result =
      Run(STEER_TEST_EXPORTING, Join({"register=program"}, UseOf({"program"})),
          PreloadEnvironment(STEER_TEST_AUTOREGISTER));
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kAnotherCopy)));
  ExpectUsed(result, {"program"});
}

TEST_F(Copies, AProgramThatExportsItsEngineAndAPlugin) {
  const ProgramResult result =
      Run(STEER_TEST_EXPORTING, Join({"register=program", "open=" STEER_TEST_TWO, "register=two"},
                                     UseOf({"program", "two"})));
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk), StartsWith(kAnotherCopy)));
  ExpectUsed(result, {"program", "two"});
}

TEST_F(Copies, AProgramAndALibraryThatBothLinkSteer) {
  for (const char* first : {"program", "one"}) {
    const std::string second = first == std::string("one") ? "program" : "one";
    const ProgramResult result = Run(
        STEER_TEST_BOTH,
        Join({std::string("register=") + first, "register=" + second}, UseOf({"program", "one"})));
    EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk), StartsWith(kAnotherCopy)));
    ExpectUsed(result, {"program", "one"});
  }
}

// The copy that serves takes names over for the others, too. It alone says if that is not possible.
TEST_F(Copies, TheOtherCopyTakesANameOver) {
  for (const char* first : {"program", "one"}) {
    const std::string second = first == std::string("one") ? "program" : "one";
    const ProgramResult result =
        Run(STEER_TEST_BOTH, {std::string("register=") + first, "over=" + second,
                              std::string("over=") + first, "call=round_robin", "stats=" + second});
    const std::vector<std::string> over = Values(result, "over");
    ASSERT_EQ(over.size(), 2u);
    if (over[0].rfind("0 8 steer::Register: gRPC up to 1.49", 0) == 0) continue;
    EXPECT_THAT(over[0], AllOf(StartsWith(kAnotherCopy),
                               HasSubstr("took over weighted_round_robin (pick_" + second + ")")));
    EXPECT_THAT(over[1], AllOf(StartsWith("0 8 "), HasSubstr("pick_" + second + " already")));
    EXPECT_THAT(
        Values(result, "stats"),
        ElementsAre(HasSubstr(R"({"name":"weighted_round_robin","policy":"pick_)" + second)));
  }
}

TEST_F(Copies, ANameThatTheOtherCopyTookLeadsToItsPolicy) {
  const ProgramResult result = Run(
      STEER_TEST_BOTH, {"register=one", "over=program",
                        "call=weighted_round_robin:{\"blackoutPeriod\":\"1s\"}", "stats=program"});
  if (Values(result, "over")[0].rfind("0 8 ", 0) == 0) return;
  EXPECT_THAT(Values(result, "call"), ElementsAre("weighted_round_robin ok"));
  EXPECT_THAT(
      Values(result, "stats"),
      ElementsAre(HasSubstr(R"("policy":"pick_program","taken_name":"weighted_round_robin")")));
}

TEST_F(Copies, AProgramAndAPluginThatBothLinkSteer) {
  const ProgramResult result =
      Run(STEER_TEST_PROGRAM, Join({"register=program", "open=" STEER_TEST_TWO, "register=two"},
                                   UseOf({"program", "two"})));
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk), StartsWith(kAnotherCopy)));
  ExpectUsed(result, {"program", "two"});
}

#ifdef STEER_TEST_STATIC_GRPC
// Two gRPC libraries, one of them in the program: each has its own copy of Steer and statistics.
TEST_F(Copies, AStaticGrpcAndASharedOne) {
  const ProgramResult result =
      RunUnchecked(STEER_TEST_STATIC_GRPC,
                   Join({"register=program", "open=" STEER_TEST_ONE, "register=one", "stats=one"},
                        UseOf({"program"})));
  // From about gRPC 1.60 on, both gRPC libraries define the same flags. If they share Abseil, as in
  // Debian's packages, Abseil ends the process, with Steer or without.
  if (result.output.find("being linked both statically and dynamically") != std::string::npos) {
    GTEST_SKIP() << "This gRPC's Abseil does not allow a static and a shared gRPC in one process.";
  }
  ExpectEnd(result);
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk), StartsWith(kOk)));
  const std::vector<std::string> calls = Values(result, "call");
  EXPECT_THAT(calls, Contains("pick_program ok"));
  const std::vector<std::string> stats = Values(result, "stats");
  ASSERT_EQ(stats.size(), 2u);
  EXPECT_THAT(stats[0], Not(HasSubstr("pick_program")));
  EXPECT_THAT(stats[1], HasSubstr("pick_program"));
}
#endif

#ifndef STEER_TEST_SANITIZED
// Two gRPC libraries: the dynamic linker loads the second one in a separate namespace.
TEST_F(Copies, AGrpcInASeparateNamespace) {
  const ProgramResult result =
      Run(STEER_TEST_PROGRAM,
          Join({"register=program", "apart=" STEER_TEST_ONE, "register=one"}, UseOf({"program"})));
  EXPECT_THAT(Values(result, "register"), ElementsAre(StartsWith(kOk), StartsWith(kOk)));
  EXPECT_THAT(Values(result, "call"), Contains("pick_program ok"));
}
#endif

// --- Late registrations ---

TEST_F(Copies, PoliciesRegisteredAfterRegisterAreHandedOver) {
  const ProgramResult result = Run(
      STEER_TEST_PLAIN, {"open=" STEER_TEST_ONE, "open=" STEER_TEST_TWO, "register=one",
                         "register=two", "late=two", "late=one", "call=late_two", "call=late_one"});
  EXPECT_THAT(Values(result, "late"), ElementsAre("0 ", "0 "));
  EXPECT_THAT(Values(result, "call"), ElementsAre("late_two ok", "late_one ok"));
}

TEST_F(Copies, RegisteringAPolicyAfterTheFirstChannelReportsTooLate) {
  const ProgramResult result =
      Run(STEER_TEST_PLAIN, {"open=" STEER_TEST_ONE, "open=" STEER_TEST_TWO, "register=one",
                             "register=two", "channel", "late=two", "late=one"});
  const auto too_late = AllOf(StartsWith("14 "), HasSubstr("too late"), HasSubstr("late_"));
  EXPECT_THAT(Values(result, "late"), ElementsAre(too_late, too_late));
}

TEST_F(Copies, ACopyThatRegistersAfterTheFirstChannelReportsWhatIsMissing) {
  const ProgramResult result =
      Run(STEER_TEST_PLAIN, {"open=" STEER_TEST_ONE, "open=" STEER_TEST_TWO, "register=one",
                             "channel", "register=two", "call=pick_one"});
  EXPECT_THAT(Values(result, "register"),
              ElementsAre(StartsWith(kOk), AllOf(StartsWith(kTooLate), HasSubstr("pick_two"),
                                                 HasSubstr(STEER_TEST_ONE))));
  EXPECT_THAT(Values(result, "call"), ElementsAre("pick_one ok"));
}

TEST_F(Copies, ANameThatBothHaveIsNotHandedOver) {
  const ProgramResult result =
      Run(STEER_TEST_PLAIN,
          {"open=" STEER_TEST_ONE, "open=" STEER_TEST_TWO, "register=one", "register=two",
           "call=same_name", "call=pick_two", "call=steer_round_robin"},
          {"STEER_TEST_SAME_NAME=1"});
  EXPECT_THAT(Values(result, "register"),
              ElementsAre(StartsWith(kOk), AllOf(StartsWith(kCannotJoin), HasSubstr("same_name"),
                                                 HasSubstr(STEER_TEST_ONE))));
  EXPECT_THAT(Values(result, "call"),
              ElementsAre("same_name ok", "pick_two ok", "steer_round_robin ok"));
}

TEST_F(Copies, NoServiceConfigCanUseTheMeetingPolicy) {
  const ProgramResult result =
      Run(STEER_TEST_PLAIN, {"open=" STEER_TEST_ONE, "register=one", "call=steer_internal_engine"});
  EXPECT_THAT(Values(result, "call"), ElementsAre(StartsWith("steer_internal_engine failed")));
}

// --- Libraries that are closed ---

TEST_F(Copies, AClosedLibraryThatHasRegisteredStillServes) {
  const ProgramResult result =
      Run(STEER_TEST_PLAIN, {"open=" STEER_TEST_ONE, "register=one", "close=" STEER_TEST_ONE,
                             "call=steer_round_robin", "call=pick_one"});
  EXPECT_THAT(Values(result, "close"), ElementsAre("0"));
  EXPECT_THAT(Values(result, "call"), ElementsAre("steer_round_robin ok", "pick_one ok"));
}

TEST_F(Copies, PoliciesOfAClosedLibraryThatFollowsStillWork) {
  const ProgramResult result =
      Run(STEER_TEST_PLAIN,
          {"open=" STEER_TEST_ONE, "open=" STEER_TEST_TWO, "register=one", "register=two",
           "close=" STEER_TEST_TWO, "call=pick_two", "call=table_two"});
  EXPECT_THAT(Values(result, "call"), ElementsAre("pick_two ok", "table_two ok"));
}

TEST_F(Copies, TheClosedAutoregisterLibraryStillServes) {
  const ProgramResult result =
      Run(STEER_TEST_PLAIN, {"open=" STEER_TEST_AUTOREGISTER, "close=" STEER_TEST_AUTOREGISTER,
                             "call=steer_round_robin"});
  EXPECT_THAT(Values(result, "call"), ElementsAre("steer_round_robin ok"));
}

TEST_F(Copies, APluginThatTheProgramHasClosedStillWorks) {
  const ProgramResult result =
      Run(STEER_TEST_PROGRAM, {"open=" STEER_TEST_PLUGIN, "take=" STEER_TEST_PLUGIN ":program",
                               "close=" STEER_TEST_PLUGIN, "register=program", "call=closed_pick"});
  EXPECT_THAT(Values(result, "take"), ElementsAre("0"));
  EXPECT_THAT(Values(result, "call"), ElementsAre("closed_pick ok"));
}

}  // namespace
}  // namespace steer_test
