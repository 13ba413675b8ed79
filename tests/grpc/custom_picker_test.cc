// Pickers of one's own, registered by the C ABI, on real channels: what they are told of calls and
// addresses, what they do to calls, and what becomes of a channel whose picker is broken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "steer/text.hpp"
#include "support/backend.h"
#include "support/client.h"
#include "support/core_channel.h"
#include "support/generation.h"
#include "support/load_report.h"
#include "support/resolver_feed.h"
#include "support/scripted_picker.h"
#include "support/wait.h"

namespace steer_test {
namespace {

using steer::FromC;
using testing::ElementsAre;
using testing::Ge;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr char kMethod[] = "/steer.test.Echo/Call";
constexpr std::chrono::milliseconds kDelay{300};

// Values that picks leave for the test, from any thread.
template <typename T>
class Seen {
 public:
  void Add(T value) {
    const std::lock_guard<std::mutex> lock(mutex_);
    values_.push_back(std::move(value));
  }
  std::vector<T> values() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return values_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<T> values_;
};

std::vector<std::string> ValuesOf(const Metadata& metadata, const std::string& name) {
  std::vector<std::string> values;
  const auto [begin, end] = metadata.equal_range(name);
  for (auto it = begin; it != end; ++it) values.push_back(it->second);
  return values;
}

// --- What a picker is told of a call ---

TEST(CustomPicker, ReadsTheHeadersThatItDeclared) {
  auto seen = std::make_shared<Seen<std::string>>();
  Script& script = Script::New();
  script.wants = STEER_WANTS_HEADERS;
  script.headers = {"key", "absent", "key-bin"};
  script.pick = [seen](const steer_backends&, const steer_call* call) {
    for (const char* name : {"key", "absent", "key-bin", "undeclared"}) {
      seen->Add(HeaderOf(call, name));
    }
    return Complete(0);
  };
  Backend backend;
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  const std::string bytes("\0\xff\n", 3);
  CallOptions options;
  options.metadata = {{"key", "value"}, {"key-bin", bytes}, {"undeclared", "secret"}};
  ASSERT_TRUE(Call(channel, options).status.ok());
  EXPECT_THAT(seen->values(), ElementsAre("value", "<none>", bytes, "<none>"));
}

TEST(CustomPicker, ReadsHeadersThatAreThereTwice) {
  auto seen = std::make_shared<Seen<std::string>>();
  Script& script = Script::New();
  script.wants = STEER_WANTS_HEADERS;
  script.headers = {"first", "second"};
  script.pick = [seen](const steer_backends&, const steer_call* call) {
    steer_str first = {};
    steer_str second = {};
    call->header(call->ctx, steer::ToC("first"), &first);
    call->header(call->ctx, steer::ToC("second"), &second);
    // Both are still there.
    seen->Add(FromC(first));
    seen->Add(FromC(second));
    return Complete(0);
  };
  Backend backend;
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  const std::string long_value(1000, 'x');
  CallOptions options;
  options.metadata = {{"first", "1"}, {"first", "2"}, {"second", "3"}, {"second", long_value}};
  ASSERT_TRUE(Call(channel, options).status.ok());
  EXPECT_THAT(seen->values(), ElementsAre("1,2", "3," + long_value));
}

TEST(CustomPicker, ChoosesByAHeader) {
  Script& script = Script::New();
  script.wants = STEER_WANTS_HEADERS;
  script.headers = {"backend"};
  script.pick = [](const steer_backends& backends, const steer_call* call) {
    const std::string wanted = "ipv4:127.0.0.1:" + HeaderOf(call, "backend");
    for (size_t i = 0; i < backends.count; ++i) {
      if (FromC(backends.items[i]->addresses[0]) == wanted) return Complete(i);
    }
    return Queue();
  };
  Backends backends(3);
  const auto channel = MakeChannel(StaticTarget(backends.ports()), script.ServiceConfig());
  for (int round = 0; round < 10; ++round) {
    for (const int port : backends.ports()) {
      CallOptions options;
      options.metadata = {{"backend", std::to_string(port)}};
      ASSERT_EQ(Call(channel, options).port, port);
    }
  }
}

TEST(CustomPicker, IsToldThePathIfItWantsTo) {
  auto seen = std::make_shared<Seen<std::string>>();
  const auto pick = [seen](const steer_backends&, const steer_call* call) {
    seen->Add(call == nullptr ? "" : FromC(call->path));
    return Complete(0);
  };
  Backend backend;
  for (const uint32_t wants :
       {uint32_t{STEER_WANTS_PATH}, uint32_t{0}, uint32_t{STEER_WANTS_HEADERS}}) {
    Script& script = Script::New();
    script.wants = wants;
    script.pick = pick;
    const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
    ASSERT_TRUE(Call(channel).status.ok());
  }
  EXPECT_THAT(seen->values(), ElementsAre(kMethod, "", ""));
}

// --- What a picker does to a call ---

TEST(CustomPicker, AddsHeaders) {
  const std::string bytes("\0\xfe,\n", 4);
  Script& script = Script::New();
  script.wants = STEER_WANTS_HEADERS;
  script.pick = [bytes](const steer_backends&, const steer_call* call) {
    EXPECT_TRUE(AddHeaderTo(call, "echo-name", "value"));
    EXPECT_TRUE(AddHeaderTo(call, "echo-empty", ""));
    EXPECT_TRUE(AddHeaderTo(call, "echo-name-bin", bytes));
    EXPECT_TRUE(AddHeaderTo(call, "echo-fourth", std::string(5000, 'y')));
    EXPECT_FALSE(AddHeaderTo(call, "Not-A-Name", "value"));
    return Complete(0);
  };
  Backend backend;
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  for (int i = 0; i < 3; ++i) {
    CallOptions options;
    options.metadata = {{"echo-own", "own"}};
    const CallResult result = Call(channel, options);
    ASSERT_TRUE(result.status.ok()) << result.status.error_message();
    EXPECT_THAT(result.trailers,
                UnorderedElementsAre(Pair("echo-name", "value"), Pair("echo-empty", ""),
                                     Pair("echo-name-bin", bytes), Pair("echo-own", "own"),
                                     Pair("echo-fourth", std::string(5000, 'y'))));
  }
}

// A pick that does not complete adds nothing.
TEST(CustomPicker, AddsAHeaderOnceToACallThatWaited) {
  auto picks = std::make_shared<std::atomic<int>>(0);
  Script& script = Script::New();
  script.wants = STEER_WANTS_HEADERS;
  script.made = [picks](const steer_channel* channel, const steer_backends&) {
    // A picker comes when something has changed: so one more comes soon.
    if (*picks == 0) Api().timer_start(channel, 50 * 1000 * 1000);
  };
  script.timer = [](const steer_channel* channel, uint64_t) { Api().rebuild(channel); };
  script.pick = [picks](const steer_backends&, const steer_call* call) {
    AddHeaderTo(call, "echo-pick", std::to_string(++*picks));
    return *picks == 1 ? Queue() : Complete(0);
  };
  Backend backend;
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  // So that the first picker's timer runs out when the call waits.
  CallOptions options;
  options.wait_for_ready = true;
  const CallResult result = Call(channel, options);
  ASSERT_TRUE(result.status.ok()) << result.status.error_message();
  EXPECT_THAT(ValuesOf(result.trailers, "echo-pick"), ElementsAre(std::to_string(*picks)));
  EXPECT_GE(*picks, 2);
}

TEST(CustomPicker, FailsAndDropsCalls) {
  auto fails = std::make_shared<std::atomic<bool>>(true);
  Script& script = Script::New();
  script.pick = [fails](const steer_backends&, const steer_call*) {
    return *fails ? Api().fail(14, steer::ToC("no key")) : Api().drop(8, steer::ToC("too many"));
  };
  Backend backend;
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  const CallResult failed = Call(channel);
  EXPECT_EQ(failed.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(failed.status.error_message(), "no key");
  *fails = false;
  CallOptions options;
  options.wait_for_ready = true;
  const CallResult dropped = Call(channel, options);
  EXPECT_EQ(dropped.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(dropped.status.error_message(), "too many");
}

// --- How calls go ---

// A script that tracks each call to its only backend, which wants metrics if it is told to.
Script& TrackingScript(uint32_t wants = 0) {
  Script& script = Script::New();
  script.wants = wants;
  script.pick = [&script](const steer_backends&, const steer_call*) { return script.Track(0); };
  return script;
}

// That each tracked call was started, has ended, and all that once.
void ExpectAllEnded(const Script& script) {
  EXPECT_TRUE(WaitUntil([&] { return script.finished() >= script.tracked(); }));
  EXPECT_EQ(script.finished(), script.tracked());
  EXPECT_LE(script.started(), script.tracked());
}

TEST(CustomPicker, FollowsACallToItsEnd) {
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

TEST(CustomPicker, FollowsManyCallsAtATime) {
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

TEST(CustomPicker, IsToldTheStatusOfACall) {
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

TEST(CustomPicker, IsToldOfDeadlinesAndCancellations) {
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

TEST(CustomPicker, FollowsEachAttemptOfACall) {
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

TEST(CustomPicker, IsToldOfCallsThatAServerTakesWithIt) {
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

TEST(CustomPicker, FollowsCallsPastTheEndOfTheirChannel) {
  Script& script = TrackingScript();
  Backend backend;
  CoreChannel channel(StaticTarget({backend.port()}), script.ServiceConfig());
  {
    CoreCall first(channel);
    ASSERT_TRUE(channel.WaitForOne());
  }
  backend.SetDelay(kDelay);
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

TEST(CustomPicker, FollowsAStream) {
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
    const auto stream = grpc::GenericStub(channel).PrepareCall(&context, kMethod, &queue);
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

// --- What backends report ---

Metadata Reporting(const std::string& trailer, const std::string& bytes) {
  return {{"send-trailer-bin", trailer + "=" + bytes}};
}

TEST(CustomPicker, IsToldWhatABackendReports) {
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

// The trailer's name before 1.47, which servers of that time still send.
TEST(CustomPicker, IsToldWhatABackendReportsByTheOldName) {
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

TEST(CustomPicker, IsNotToldOfReportsThatItDoesNotWantOrThatAreNone) {
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

// --- What a picker is told of its backends ---

TEST(CustomPicker, IsToldWhatTheResolverKnows) {
  struct Told {
    std::vector<std::string> addresses;
    uint32_t weight;
    std::vector<std::string> locality;
    std::string hash_key;
    std::map<std::string, std::string> attributes;
  };
  auto seen = std::make_shared<Seen<std::vector<Told>>>();
  Script& script = Script::New();
  script.made = [seen](const steer_channel*, const steer_backends& backends) {
    std::vector<Told> all;
    for (size_t i = 0; i < backends.count; ++i) {
      const steer_backend& backend = *backends.items[i];
      Told told;
      for (size_t a = 0; a < backend.address_count; ++a) {
        told.addresses.push_back(FromC(backend.addresses[a]));
      }
      told.weight = backend.weight;
      told.locality = {FromC(backend.region), FromC(backend.zone), FromC(backend.sub_zone)};
      told.hash_key = FromC(backend.hash_key);
      for (size_t a = 0; a < backend.attribute_count; ++a) {
        const steer_attribute& attribute = *backend.attributes[a];
        told.attributes[FromC(attribute.key)] = attribute.kind == STEER_ATTRIBUTE_TEXT
                                                    ? FromC(attribute.text)
                                                    : std::to_string(attribute.integer);
      }
      all.push_back(std::move(told));
    }
    seen->Add(std::move(all));
  };
  Backends backends(2);
  ResolverFeed feed;
  ResolverFeed::Result result;
  result.ports = backends.ports();
  ResolverFeed::About about;
  about.weight = 7;
  about.hash_key = "key";
  about.locality = {"region", "zone", "sub_zone"};
  about.texts = {{"rack", "r1"}, {"empty", ""}};
  about.integers = {{"shard", -3}};
  result.about[backends[0].port()] = about;
  feed.Feed(result);
  const auto channel = MakeChannel(feed.target(), script.ServiceConfig());
  ASSERT_TRUE(Call(channel).status.ok());
  ASSERT_TRUE(WaitUntil([&] { return seen->values().back().size() == 2; }));
  const std::vector<Told> told = seen->values().back();
  const auto address = [](int port) { return "ipv4:127.0.0.1:" + std::to_string(port); };
  EXPECT_THAT(told[0].addresses, ElementsAre(address(backends[0].port())));
  EXPECT_EQ(told[0].weight, 7u);
  EXPECT_THAT(told[0].locality, AddressesHaveLocality() ? ElementsAre("region", "zone", "sub_zone")
                                                        : ElementsAre("", "", ""));
  EXPECT_EQ(told[0].hash_key, AddressesHaveHashKey() ? "key" : "");
  EXPECT_THAT(told[0].attributes,
              UnorderedElementsAre(Pair("rack", "r1"), Pair("empty", ""), Pair("shard", "-3")));
  EXPECT_THAT(told[1].addresses, ElementsAre(address(backends[1].port())));
  EXPECT_EQ(told[1].weight, 0u);
  EXPECT_THAT(told[1].locality, ElementsAre("", "", ""));
  EXPECT_EQ(told[1].hash_key, "");
  EXPECT_THAT(told[1].attributes, ElementsAre());
}

// --- Timers ---

TEST(CustomPicker, HasTimers) {
  struct Timers {
    uint64_t first = 0;
    uint64_t cancelled = 0;
    uint64_t second = 0;
    std::chrono::steady_clock::time_point cancelled_at;
  };
  auto timers = std::make_shared<Timers>();
  auto seen = std::make_shared<Seen<std::pair<uint64_t, std::chrono::steady_clock::time_point>>>();
  Script& script = Script::New();
  script.made = [timers](const steer_channel* channel, const steer_backends&) {
    if (timers->first != 0) return;
    timers->second = Api().timer_start(channel, 400 * 1000 * 1000);
    timers->cancelled = Api().timer_start(channel, 200 * 1000 * 1000);
    timers->first = Api().timer_start(channel, 100 * 1000 * 1000);
  };
  script.timer = [timers, seen](const steer_channel* channel, uint64_t timer) {
    if (timer == timers->first) {
      Api().timer_cancel(channel, timers->cancelled);
      timers->cancelled_at = std::chrono::steady_clock::now();
    }
    seen->Add({timer, std::chrono::steady_clock::now()});
  };
  Backend backend;
  const auto start = std::chrono::steady_clock::now();
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  ASSERT_TRUE(Call(channel).status.ok());
  const auto ran_out = [&](uint64_t timer) {
    std::vector<std::chrono::steady_clock::duration> after;
    for (const auto& [number, when] : seen->values()) {
      if (number == timer) after.push_back(when - start);
    }
    return after;
  };
  ASSERT_TRUE(WaitUntil(
      [&] { return !ran_out(timers->first).empty() && !ran_out(timers->second).empty(); }));
  std::this_thread::sleep_for(kDelay);
  EXPECT_THAT(ran_out(timers->first), ElementsAre(Ge(std::chrono::milliseconds(100))));
  EXPECT_THAT(ran_out(timers->second), ElementsAre(Ge(std::chrono::milliseconds(400))));
  // On a busy machine the first one may be so late that the other has run out, too.
  if (timers->cancelled_at - start < std::chrono::milliseconds(200)) {
    EXPECT_THAT(ran_out(timers->cancelled), ElementsAre());
    EXPECT_EQ(seen->values()[0].first, timers->first);
  }
}

TEST(CustomPicker, MayHaveTimersWhenItsChannelIsDestroyed) {
  auto ran_out = std::make_shared<std::atomic<int>>(0);
  Script& script = Script::New();
  script.made = [](const steer_channel* channel, const steer_backends&) {
    // Some run out while the channel goes, the last one long after the test's end.
    for (uint64_t ms = 0; ms < 40; ++ms) Api().timer_start(channel, ms * 1000 * 1000);
    Api().timer_start(channel, 3600ull * 1000 * 1000 * 1000);
    Api().timer_start(channel, UINT64_MAX);
  };
  script.timer = [ran_out](const steer_channel*, uint64_t) { ++*ran_out; };
  Backend backend;
  for (int i = 0; i < 20; ++i) {
    const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
    ASSERT_TRUE(Call(channel).status.ok());
  }
  // Once all channels are shut down, no timer reaches the picker.
  EXPECT_TRUE(WaitUntil([&] {
    const int before = *ran_out;
    std::this_thread::sleep_for(kDelay);
    return *ran_out == before;
  }));
}

// --- Broken pickers ---

TEST(CustomPicker, ThatIsBrokenFailsOneCallAndRoundRobinTakesItsPlace) {
  Backends backends(2);
  Script& sound = TrackingScript();
  const auto other = MakeChannel(StaticTarget(backends.ports()), sound.ServiceConfig());
  ASSERT_TRUE(Call(other).status.ok());
  const auto broken = [](const steer_choice& choice) {
    return [choice](const steer_backends&, const steer_call*) { return choice; };
  };
  for (const auto& pick : std::vector<decltype(Script::pick)>{
           broken({STEER_CHOICE_COMPLETE, 1000}), broken({-17, 0}), broken({STEER_CHOICE_FAIL, 0}),
           [](const steer_backends&, const steer_call*) {
             return Api().fault(steer::ToC("out of order"));
           }}) {
    Script& script = Script::New();
    script.pick = pick;
    const auto channel = MakeChannel(StaticTarget(backends.ports()), script.ServiceConfig());
    EXPECT_EQ(Call(channel).status.error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_TRUE(WaitForRotation(channel, backends.ports()));
    for (const int port : CallPorts(channel, 20)) EXPECT_NE(port, 0);
    EXPECT_TRUE(Call(other).status.ok());
  }
  ExpectAllEnded(sound);
  EXPECT_EQ(sound.finished(), 5);
}

// With calls from many threads, some may meet the fault before the picker is replaced.
TEST(CustomPicker, ThatBreaksUnderLoadDoesNoMoreHarm) {
  constexpr int kThreads = 4;
  Backends backends(2);
  Script& script = Script::New();
  auto is_broken = std::make_shared<std::atomic<bool>>(false);
  script.pick = [&script, is_broken](const steer_backends&, const steer_call*) {
    return *is_broken ? Api().fault(steer::ToC("out of order")) : script.Track(0);
  };
  const auto channel = MakeChannel(StaticTarget(backends.ports()), script.ServiceConfig());
  ASSERT_TRUE(Call(channel).status.ok());
  Load load(channel, kThreads);
  ASSERT_TRUE(load.WaitForCalls(100));
  *is_broken = true;
  EXPECT_TRUE(load.WaitForPorts(backends.ports()));
  load.Stop();
  EXPECT_GE(load.failures(), 1);
  EXPECT_LE(load.failures(), kThreads) << load.FailureTexts();
  ExpectAllEnded(script);
}

}  // namespace
}  // namespace steer_test
