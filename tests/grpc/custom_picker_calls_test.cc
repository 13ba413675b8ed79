// Calls that a custom picker tracks, on real channels: their start, their end, and the load report
// that comes with the end. And load reports out of band.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <steer/grpc.h>
#include <steer/picker.h>

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "steer/text.hpp"
#include "support/backend.h"
#include "support/client.h"
#include "support/core_channel.h"
#include "support/generation.h"
#include "support/load_report.h"
#include "support/scripted_picker.h"
#include "support/wait.h"

namespace steer_test {
namespace {

using testing::Pair;
using testing::UnorderedElementsAre;

// How long a call takes that must still run when its channel is destroyed.
constexpr std::chrono::milliseconds kSlowAnswer{300};

// --- The start and the end of calls ---

TEST(CustomPickerCalls, FollowsACallToItsEnd) {
  Script& script = TrackingScript();
  Backend::Options slow;
  slow.delay = std::chrono::milliseconds(50);
  Backend backend(slow);
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  ASSERT_TRUE(Call(channel).status.ok());
  const std::vector<CallEnd> ends = script.WaitForEnds(1);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].outcome, STEER_CALL_FINISHED);
  EXPECT_EQ(ends[0].code, 0);
  EXPECT_EQ(ends[0].message, "");
  EXPECT_GE(ends[0].latency_ns, 50u * 1000 * 1000);
  EXPECT_LT(std::chrono::nanoseconds(ends[0].latency_ns), kPatience);
  EXPECT_FALSE(ends[0].has_metrics);
  EXPECT_EQ(script.started(), 1);
  ExpectAllEnded(script);
}

TEST(CustomPickerCalls, FollowsManyCallsAtOnce) {
  Script& script = Script::New();
  script.pick = [&script](const steer_backends& backends, const steer_call*) {
    return script.Track(static_cast<uint64_t>(script.tracked()) % backends.count);
  };
  Backends backends(3);
  const auto channel = MakeChannel(StaticTarget(backends.ports()), script.ServiceConfig());
  Load load(channel, 4);
  EXPECT_TRUE(load.WaitForCalls(1000));
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
  ExpectAllEnded(script);
  EXPECT_EQ(script.started(), script.tracked());
  for (const CallEnd& end : script.WaitForEnds(0)) ASSERT_EQ(end.outcome, STEER_CALL_FINISHED);
}

TEST(CustomPickerCalls, GetsTheStatusOfACall) {
  Script& script = TrackingScript();
  Backend backend;
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  CallOptions options;
  options.metadata = {{"fail-with", "9 not now"}};
  ASSERT_EQ(Call(channel, options).status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  const std::vector<CallEnd> ends = script.WaitForEnds(1);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].outcome, STEER_CALL_FINISHED);
  EXPECT_EQ(ends[0].code, 9);
  EXPECT_EQ(ends[0].message, "not now");
  ExpectAllEnded(script);
}

TEST(CustomPickerCalls, SeesDeadlinesAndCancellations) {
  Script& script = TrackingScript();
  Backend::Options slow;
  slow.delay = std::chrono::seconds(20);
  Backend backend(slow);
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  CallOptions options;
  options.timeout = std::chrono::milliseconds(500);
  EXPECT_EQ(Call(channel, options).status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(WaitUntil([&] { return script.finished() == script.tracked(); }));
  const size_t before = static_cast<size_t>(script.finished());
  PendingCall call(channel);
  ASSERT_TRUE(WaitUntil([&] { return static_cast<size_t>(script.started()) > before; }));
  call.Cancel();
  EXPECT_EQ(call.Result().status.error_code(), grpc::StatusCode::CANCELLED);
  const std::vector<CallEnd> ends = script.WaitForEnds(before + 1);
  ASSERT_EQ(ends.size(), before + 1);
  if (before > 0) {
    EXPECT_EQ(ends[before - 1].code, grpc::StatusCode::DEADLINE_EXCEEDED);
  }
  EXPECT_EQ(ends[before].code, grpc::StatusCode::CANCELLED);
  ExpectAllEnded(script);
}

TEST(CustomPickerCalls, FollowsEachAttemptOfACall) {
  Script& script = TrackingScript();
  Backend backend;
  const auto channel = MakeChannel(
      StaticTarget({backend.port()}),
      script.ServiceConfig(R"(,"methodConfig":[{"name":[{}],"retryPolicy":{"maxAttempts":3,)"
                           R"("initialBackoff":"0.01s","maxBackoff":"0.01s","backoffMultiplier":1,)"
                           R"("retryableStatusCodes":["RESOURCE_EXHAUSTED"]}}])"));
  CallOptions options;
  options.metadata = {{"fail-with", "8 try again"}};
  ASSERT_EQ(Call(channel, options).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const std::vector<CallEnd> ends = script.WaitForEnds(3);
  ASSERT_EQ(ends.size(), 3u);
  for (const CallEnd& end : ends) {
    EXPECT_EQ(end.outcome, STEER_CALL_FINISHED);
    EXPECT_EQ(end.code, 8);
  }
  EXPECT_EQ(script.started(), 3);
  ExpectAllEnded(script);
}

TEST(CustomPickerCalls, SeesTheEndOfCallsWhoseServerDies) {
  Script& script = TrackingScript();
  Backend::Options slow;
  slow.delay = std::chrono::seconds(20);
  Backend backend(slow);
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  std::vector<std::unique_ptr<PendingCall>> calls;
  for (int i = 0; i < 20; ++i) calls.push_back(std::make_unique<PendingCall>(channel));
  ASSERT_TRUE(WaitUntil([&] { return script.started() == 20; }));
  backend.Kill();
  for (const auto& call : calls) {
    EXPECT_EQ(call->Result().status.error_code(), grpc::StatusCode::UNAVAILABLE);
  }
  ExpectAllEnded(script);
  for (const CallEnd& end : script.WaitForEnds(20)) {
    EXPECT_EQ(end.outcome, STEER_CALL_FINISHED);
    EXPECT_EQ(end.code, grpc::StatusCode::UNAVAILABLE);
  }
}

TEST(CustomPickerCalls, FollowsCallsThatOutliveTheirChannel) {
  Script& script = TrackingScript();
  Backend backend;
  CoreChannel channel(StaticTarget({backend.port()}), script.ServiceConfig());
  {
    CoreCall first(channel);
    ASSERT_TRUE(channel.WaitForOne());
  }
  backend.SetDelay(kSlowAnswer);
  {
    std::vector<std::unique_ptr<CoreCall>> calls;
    for (int i = 0; i < 20; ++i) calls.push_back(std::make_unique<CoreCall>(channel));
    channel.Destroy();
    for (size_t i = 0; i < calls.size(); ++i) ASSERT_TRUE(channel.WaitForOne());
    for (const auto& call : calls) EXPECT_EQ(call->status(), GRPC_STATUS_OK);
  }
  const std::vector<CallEnd> ends = script.WaitForEnds(21);
  ASSERT_EQ(ends.size(), 21u);
  for (const CallEnd& end : ends) EXPECT_EQ(end.code, 0);
  EXPECT_EQ(script.started(), 21);
  ExpectAllEnded(script);
}

TEST(CustomPickerCalls, FollowsAStream) {
  Script& script = TrackingScript();
  Backend::Options slow;
  slow.delay = std::chrono::milliseconds(50);
  Backend backend(slow);
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  grpc::CompletionQueue queue;
  const auto wait = [&queue] {
    void* tag;
    bool ok = false;
    return queue.Next(&tag, &ok) && ok;
  };
  {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    const auto stream = grpc::GenericStub(channel).PrepareCall(&context, kEchoMethod, &queue);
    stream->StartCall(nullptr);
    ASSERT_TRUE(wait());
    EXPECT_EQ(script.started(), 1);
    const grpc::Slice slice("hello");
    stream->Write(grpc::ByteBuffer(&slice, 1), nullptr);
    ASSERT_TRUE(wait());
    EXPECT_EQ(script.finished(), 0);
    grpc::ByteBuffer answer;
    stream->Read(&answer, nullptr);
    ASSERT_TRUE(wait());
    grpc::Status status;
    stream->Finish(&status, nullptr);
    ASSERT_TRUE(wait());
    EXPECT_TRUE(status.ok()) << status.error_message();
  }
  queue.Shutdown();
  const std::vector<CallEnd> ends = script.WaitForEnds(1);
  ASSERT_EQ(ends.size(), 1u);
  EXPECT_EQ(ends[0].code, 0);
  EXPECT_EQ(script.started(), 1);
  ExpectAllEnded(script);
}

// --- Load reports ---

// Headers that make a backend send this trailer.
Metadata Reporting(const std::string& trailer, const std::string& bytes) {
  return {{"send-trailer-bin", trailer + "=" + bytes}};
}

TEST(CustomPickerCalls, ReadsALoadReport) {
  Script& script = TrackingScript(STEER_WANTS_METRICS);
  Backend backend;
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  CallOptions options;
  options.metadata = Reporting("endpoint-load-metrics-bin", LoadReport()
                                                                .Number(1, 0.25)
                                                                .Number(2, 0.5)
                                                                .Entry(4, "db", 3.5)
                                                                .Entry(5, "disk", 0.75)
                                                                .Number(6, 1234.5)
                                                                .Number(7, 2.5)
                                                                .Entry(8, "mine", 42)
                                                                .Entry(8, "yours", -1)
                                                                .Number(9, 1.5)
                                                                .bytes());
  ASSERT_TRUE(Call(channel, options).status.ok());
  const std::vector<CallEnd> ends = script.WaitForEnds(1);
  ASSERT_EQ(ends.size(), 1u);
  ASSERT_TRUE(ends[0].has_metrics);
  EXPECT_EQ(ends[0].cpu_utilization, 0.25);
  EXPECT_EQ(ends[0].mem_utilization, 0.5);
  EXPECT_EQ(ends[0].application_utilization, 1.5);
  EXPECT_EQ(ends[0].qps, 1234.5);
  EXPECT_EQ(ends[0].eps, 2.5);
  EXPECT_THAT(ends[0].request_cost, UnorderedElementsAre(Pair("db", 3.5)));
  EXPECT_THAT(ends[0].utilization, UnorderedElementsAre(Pair("disk", 0.75)));
  EXPECT_THAT(ends[0].named, UnorderedElementsAre(Pair("mine", 42), Pair("yours", -1)));
}

// Servers of gRPC before 1.47 send the report in a trailer of another name.
TEST(CustomPickerCalls, ReadsALoadReportByItsOldName) {
  Script& script = TrackingScript(STEER_WANTS_METRICS);
  Backend backend;
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  CallOptions options;
  options.metadata =
      Reporting("x-endpoint-load-metrics-bin", LoadReport().Number(1, 0.125).bytes());
  ASSERT_TRUE(Call(channel, options).status.ok());
  const std::vector<CallEnd> ends = script.WaitForEnds(1);
  ASSERT_EQ(ends.size(), 1u);
  ASSERT_TRUE(ends[0].has_metrics);
  EXPECT_EQ(ends[0].cpu_utilization, 0.125);
}

TEST(CustomPickerCalls, GetsNoReportThatItDoesNotWantOrThatIsInvalid) {
  Backend backend;
  CallOptions reporting;
  reporting.metadata =
      Reporting("endpoint-load-metrics-bin", LoadReport().Number(1, 0.125).bytes());
  CallOptions garbage;
  garbage.metadata = Reporting("endpoint-load-metrics-bin", "\x09no report");
  for (const auto& [wants, options] :
       {std::pair{uint32_t{0}, reporting}, std::pair{uint32_t{STEER_WANTS_METRICS}, CallOptions()},
        std::pair{uint32_t{STEER_WANTS_METRICS}, garbage}}) {
    Script& script = TrackingScript(wants);
    const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
    ASSERT_TRUE(Call(channel, options).status.ok());
    const std::vector<CallEnd> ends = script.WaitForEnds(1);
    ASSERT_EQ(ends.size(), 1u);
    EXPECT_FALSE(ends[0].has_metrics);
  }
}

// --- Load reports out of band ---

TEST(CustomPickerLoads, GetsLoadReportsOutOfBand) {
  if (!LoadReportsComeOutOfBand()) GTEST_SKIP() << "this gRPC has no such reports";
  Script& script = Script::New();
  script.made = [](const steer_channel* channel, const steer_backends&) {
    Api().load_reports(channel, 20'000'000);
  };
  struct Report {
    double cpu;
    double disk;
    double depth;
  };
  std::mutex mutex;
  std::map<std::string, Report> reports;
  script.loaded = [&](const steer_backend& backend, const steer_metrics& report) {
    Report seen = {report.cpu_utilization, -1, -1};
    steer_metrics_utilization(&report, STEER_TEXT("disk"), &seen.disk);
    steer_metrics_named(&report, STEER_TEXT("queue_depth"), &seen.depth);
    const std::lock_guard<std::mutex> lock(mutex);
    reports[steer::FromC(backend.addresses[0])] = seen;
  };
  Backends backends(2);
  const auto busy = [](double cpu, double depth) {
    const LoadReport report = LoadReport().Number(1, cpu).Entry(5, "disk", 0.5);
    return LoadReport(report).Entry(8, "other", 9).Entry(8, "queue_depth", depth).bytes();
  };
  backends[0].SetReport(busy(0.25, 3));
  backends[1].SetReport(busy(0.75, 5));
  const double depth = LoadReportsHaveQps() ? 5 : -1;
  {
    const auto channel = MakeChannel(StaticTarget(backends.ports()), script.ServiceConfig());
    // No call tells of it.
    channel->GetState(true);
    const auto seen = [&](size_t backend) {
      const std::lock_guard<std::mutex> lock(mutex);
      return reports["ipv4:127.0.0.1:" + std::to_string(backends[backend].port())];
    };
    EXPECT_TRUE(WaitUntil([&] { return seen(0).cpu == 0.25 && seen(1).cpu == 0.75; }));
    EXPECT_EQ(seen(1).disk, 0.5);
    EXPECT_EQ(seen(1).depth, depth);
    backends[0].SetReport(busy(1.5, 8));
    EXPECT_TRUE(WaitUntil([&] { return seen(0).cpu == 1.5; }));
  }
  // The script outlives the test.
  ASSERT_TRUE(WaitUntil([] { return steer::StatsJson().find("scripted") == std::string::npos; }));
}

}  // namespace
}  // namespace steer_test
