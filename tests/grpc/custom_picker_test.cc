// Custom pickers, registered through the C ABI, on real channels: what a picker can read of calls
// and backends, what it can do to calls, its timers, and what becomes of a channel whose picker is
// broken. custom_picker_calls_test.cc has the calls that a picker tracks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "steer/text.hpp"
#include "support/backend.h"
#include "support/client.h"
#include "support/generation.h"
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

// Long enough for a timer or a call that is due to happen, also on a busy machine.
constexpr std::chrono::milliseconds kDelay{300};

std::vector<std::string> ValuesOf(const Metadata& metadata, const std::string& name) {
  std::vector<std::string> values;
  const auto [begin, end] = metadata.equal_range(name);
  for (auto it = begin; it != end; ++it) values.push_back(it->second);
  return values;
}

// --- What a picker reads of a call ---

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

TEST(CustomPicker, ReadsHeadersThatACallHasTwice) {
  auto seen = std::make_shared<Seen<std::string>>();
  Script& script = Script::New();
  script.wants = STEER_WANTS_HEADERS;
  script.headers = {"first", "second"};
  script.pick = [seen](const steer_backends&, const steer_call* call) {
    steer_str first = {};
    steer_str second = {};
    call->header(call->ctx, steer::ToC("first"), &first);
    call->header(call->ctx, steer::ToC("second"), &second);
    // The second lookup has not overwritten the first value.
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

TEST(CustomPicker, ReadsThePathIfItDeclaredSo) {
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
  EXPECT_THAT(seen->values(), ElementsAre(kEchoMethod, "", ""));
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

// A pick that queues its call adds no header.
TEST(CustomPicker, AddsAHeaderOnceToACallThatWaited) {
  auto picks = std::make_shared<std::atomic<int>>(0);
  Script& script = Script::New();
  script.wants = STEER_WANTS_HEADERS;
  script.made = [picks](const steer_channel* channel, const steer_backends&) {
    // Queued calls are picked again when there is another picker, so make one soon.
    if (*picks == 0) Api().timer_start(channel, 50 * 1000 * 1000);
  };
  script.timer = [](const steer_channel* channel, uint64_t) { Api().rebuild(channel); };
  script.pick = [picks](const steer_backends&, const steer_call* call) {
    AddHeaderTo(call, "echo-pick", std::to_string(++*picks));
    return *picks == 1 ? Queue() : Complete(0);
  };
  Backend backend;
  const auto channel = MakeChannel(StaticTarget({backend.port()}), script.ServiceConfig());
  // The call waits until the first picker's timer has run out.
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

// --- What a picker reads of its backends ---

struct ReadBackend {
  std::vector<std::string> addresses;
  uint32_t weight;
  std::vector<std::string> locality;
  std::string hash_key;
  std::map<std::string, std::string> attributes;
};

ReadBackend Copy(const steer_backend& backend) {
  ReadBackend copy;
  for (size_t i = 0; i < backend.address_count; ++i) {
    copy.addresses.push_back(FromC(backend.addresses[i]));
  }
  copy.weight = backend.weight;
  copy.locality = {FromC(backend.region), FromC(backend.zone), FromC(backend.sub_zone)};
  copy.hash_key = FromC(backend.hash_key);
  for (size_t i = 0; i < backend.attribute_count; ++i) {
    const steer_attribute& attribute = *backend.attributes[i];
    copy.attributes[FromC(attribute.key)] = attribute.kind == STEER_ATTRIBUTE_TEXT
                                                ? FromC(attribute.text)
                                                : std::to_string(attribute.integer);
  }
  return copy;
}

TEST(CustomPicker, ReadsWhatTheResolverSaysOfABackend) {
  auto seen = std::make_shared<Seen<std::vector<ReadBackend>>>();
  Script& script = Script::New();
  script.made = [seen](const steer_channel*, const steer_backends& backends) {
    std::vector<ReadBackend> all;
    for (size_t i = 0; i < backends.count; ++i) all.push_back(Copy(*backends.items[i]));
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
  const std::vector<ReadBackend> read = seen->values().back();
  const auto address = [](int port) { return "ipv4:127.0.0.1:" + std::to_string(port); };
  EXPECT_THAT(read[0].addresses, ElementsAre(address(backends[0].port())));
  EXPECT_EQ(read[0].weight, 7u);
  EXPECT_THAT(read[0].locality, AddressesHaveLocality() ? ElementsAre("region", "zone", "sub_zone")
                                                        : ElementsAre("", "", ""));
  EXPECT_EQ(read[0].hash_key, AddressesHaveHashKey() ? "key" : "");
  EXPECT_THAT(read[0].attributes,
              UnorderedElementsAre(Pair("rack", "r1"), Pair("empty", ""), Pair("shard", "-3")));
  EXPECT_THAT(read[1].addresses, ElementsAre(address(backends[1].port())));
  EXPECT_EQ(read[1].weight, 0u);
  EXPECT_THAT(read[1].locality, ElementsAre("", "", ""));
  EXPECT_EQ(read[1].hash_key, "");
  EXPECT_THAT(read[1].attributes, ElementsAre());
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
  // On a busy machine the first timer may be so late that the cancelled one has run out before.
  if (timers->cancelled_at - start < std::chrono::milliseconds(200)) {
    EXPECT_THAT(ran_out(timers->cancelled), ElementsAre());
    EXPECT_EQ(seen->values()[0].first, timers->first);
  }
}

TEST(CustomPicker, MayHaveTimersWhileItsChannelIsDestroyed) {
  auto ran_out = std::make_shared<std::atomic<int>>(0);
  Script& script = Script::New();
  script.made = [](const steer_channel* channel, const steer_backends&) {
    // Some run out while the channel is destroyed, the last two long after the test's end.
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
  // When all channels are shut down, no timer reaches the picker any more.
  EXPECT_TRUE(WaitUntil([&] {
    const int before = *ran_out;
    std::this_thread::sleep_for(kDelay);
    return *ran_out == before;
  }));
}

// --- Broken pickers ---

TEST(CustomPicker, WhenBrokenFailsOneCallAndRoundRobinReplacesIt) {
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

// Each thread may meet the fault once before the fallback replaces the picker.
TEST(CustomPicker, WhenBrokenUnderLoadFailsAtMostOneCallPerThread) {
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
