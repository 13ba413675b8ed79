// Plugins on real channels. Releases of a plugin replace each other under load. A faulty release
// fails only the calls that meet its faults.
//
// The plugins are those of ../hostile.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <steer/grpc.h>
#include <steer/steer.h>

#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/backend.h"
#include "support/client.h"
#include "support/resolver_feed.h"
#include "support/wait.h"

namespace steer_test {
namespace {

constexpr int kLoadThreads = 4;
constexpr int kSwaps = 20;

// Why it could not be loaded. Empty: it was loaded.
std::string LoadPlugin(const std::string& name) {
  const std::string path = STEER_TEST_HOSTILE_DIR "/" + name + ".so";
  if (steer_load_plugin({path.data(), path.size()}) == STEER_OK) return "";
  const steer_str error = steer_last_error();
  return std::string(error.data, error.length);
}

// A channel to some backends, whose policy is `policy` in the release that is loaded.
class Plugins : public testing::Test {
 protected:
  // `fields` follow the first field of the config.
  void Begin(const std::string& policy, const std::string& fields = "") {
    policy_ = policy;
    fields_ = fields;
    Feed();
    channel_ = MakeChannel(feed_.target(), ServiceConfig(policy));
  }

  // The resolver answers again: the same backends, and a config that is parsed again.
  void Feed() {
    ResolverFeed::Result result;
    result.ports = backends_.ports();
    const std::string config = R"({"generation": )" + std::to_string(++generation_) + fields_ + "}";
    result.service_config = ServiceConfig(policy_, config);
    accepted_ = feed_.Feed(result);
  }

  void FeedAndWait() {
    Feed();
    ASSERT_EQ(accepted_.wait_for(kPatience), std::future_status::ready);
    EXPECT_TRUE(accepted_.get().ok());
  }

  void FeedAndWait(const std::string& fields) {
    fields_ = fields;
    FeedAndWait();
  }

  int port(size_t backend) { return backends_[backend].port(); }

  Backends backends_{2};
  ResolverFeed feed_;
  std::shared_ptr<grpc::Channel> channel_;

 private:
  std::string policy_;
  std::string fields_;
  int generation_ = 0;
  std::future<grpc::Status> accepted_;
};

TEST_F(Plugins, ReleasesReplaceEachOtherUnderLoad) {
  ASSERT_EQ(LoadPlugin("version_first"), "");
  Begin("versions");
  ASSERT_TRUE(WaitUntil([&] { return Call(channel_).port == port(0); }));
  Load load(channel_, kLoadThreads);
  ASSERT_TRUE(load.WaitForPorts({port(0)}));
  for (int swap = 0; swap < kSwaps; ++swap) {
    const size_t next = (swap + 1) % 2;
    ASSERT_EQ(LoadPlugin(next == 0 ? "version_first" : "version_second"), "");
    // Channels keep the former release until their next config.
    if (swap == 0) {
      EXPECT_TRUE(load.WaitForCalls(100));
      EXPECT_TRUE(load.WaitForPorts({port(0)}));
    }
    FeedAndWait();
    EXPECT_TRUE(load.WaitForPorts({port(next)}));
  }
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

#ifdef STEER_TEST_EARLIER_PLUGIN
// The binary of an earlier ABI, on real channels: picks, headers, calls that are followed.
TEST_F(Plugins, OfAnEarlierAbiRunsUnchanged) {
  const std::string path = STEER_TEST_EARLIER_PLUGIN;
  ASSERT_EQ(steer_load_plugin({path.data(), path.size()}), STEER_OK);
  for (const std::string policy : {"abi_6_picker", "abi_6_policy"}) {
    const auto channel = MakeChannel(StaticTarget(backends_.ports()), ServiceConfig(policy));
    Load load(channel, kLoadThreads);
    EXPECT_TRUE(load.WaitForCalls(100));
    load.Stop();
    EXPECT_EQ(load.failures(), 0) << policy << ": " << load.FailureTexts();
  }
  const auto channel = MakeChannel(StaticTarget(backends_.ports()), ServiceConfig("abi_6_picker"));
  const auto call = [&](const std::string& kind) {
    CallOptions options;
    options.metadata = {{"kind", kind}};
    return Call(channel, options);
  };
  ASSERT_TRUE(WaitUntil([&] { return call("tracked").status.ok(); }));
  EXPECT_EQ(call("fail").status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(call("drop").status.error_code(), grpc::StatusCode::UNAVAILABLE);
}
#endif

// Loads repeatedly while channels are made and freed.
TEST_F(Plugins, CanBeLoadedWhileChannelsUseThem) {
  ASSERT_EQ(LoadPlugin("version_first"), "");
  Begin("versions");
  Load load(channel_, kLoadThreads);
  bool stop = false;
  std::thread loading([&stop] {
    for (int i = 0; i < 200; ++i) {
      EXPECT_EQ(LoadPlugin(i % 2 == 0 ? "version_second" : "version_first"), "");
      EXPECT_THAT(LoadPlugin("entry_faults"), testing::HasSubstr("the license has run out"));
    }
    stop = true;
  });
  for (int i = 0; i < 20; ++i) {
    FeedAndWait();
    const auto other = MakeChannel(StaticTarget(backends_.ports()), ServiceConfig("versions"));
    EXPECT_TRUE(Call(other).status.ok());
  }
  loading.join();
  EXPECT_TRUE(stop);
  EXPECT_TRUE(load.WaitForCalls(100));
  load.Stop();
  EXPECT_EQ(load.failures(), 0) << load.FailureTexts();
}

// A faulty picker returns with another config. Until then the statistics have the time and reason
// of the fallback, and the plugin.
TEST_F(Plugins, ReturnWithAnotherConfig) {
  ASSERT_EQ(LoadPlugin("throws"), "");
  Begin("throws", R"(, "where": "pick")");
  EXPECT_EQ(Call(channel_).status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_TRUE(WaitForRotation(channel_, backends_.ports()));
  const std::string stats = steer::StatsJson();
  EXPECT_THAT(stats, testing::HasSubstr(R"("plugin":{"name":"throws","version":"1.0","path":")"));
  EXPECT_THAT(stats, testing::HasSubstr(R"("fallback":{"since_unix_seconds":)"));
  EXPECT_THAT(stats, testing::HasSubstr("the picker threw an exception: thrown in pick"));
  EXPECT_THAT(steer::StatsPrometheus(), testing::HasSubstr("steer_policy_fallback_since_seconds{"));

  FeedAndWait("");
  // The first backend is the picker's choice for every call.
  EXPECT_TRUE(WaitUntil([&] {
    for (int i = 0; i < 20; ++i) {
      if (Call(channel_).port != port(0)) return false;
    }
    return true;
  }));
  EXPECT_THAT(steer::StatsJson(), testing::Not(testing::HasSubstr(R"("fallback":)")));
}

// A config makes the picker throw, under load. The calls that meet the fault fail, and round robin
// replaces the picker.
TEST_F(Plugins, AffectOnlyTheirChannelWhenTheyThrow) {
  ASSERT_EQ(LoadPlugin("throws"), "");
  ASSERT_EQ(LoadPlugin("version_first"), "");
  const auto innocent = MakeChannel(StaticTarget(backends_.ports()), ServiceConfig("versions"));
  Load others(innocent, 1);
  ASSERT_TRUE(others.WaitForCalls(10));

  const auto throwing =
      MakeChannel(StaticTarget(backends_.ports()), ServiceConfig("throws", R"({"where": "pick"})"));
  const CallResult failed = Call(throwing);
  EXPECT_EQ(failed.status.error_code(), grpc::StatusCode::INTERNAL);
  EXPECT_EQ(failed.status.error_message(),
            "throws: pick failed: the picker threw an exception: thrown in pick");
  EXPECT_TRUE(WaitForRotation(throwing, backends_.ports()));

  others.Stop();
  EXPECT_EQ(others.failures(), 0) << others.FailureTexts();
}

}  // namespace
}  // namespace steer_test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  // gRPC learns only the names that are registered before steer::Register(). Later releases have
  // the same names.
  for (const char* plugin : {"version_first", "throws"}) {
    const std::string error = steer_test::LoadPlugin(plugin);
    if (!error.empty()) {
      std::cerr << error << std::endl;
      return 1;
    }
  }
  const steer::RegisterStatus status = steer::Register();
  if (!status.ok()) {
    std::cerr << "steer::Register(): " << status.message() << std::endl;
    return 1;
  }
  steer_test::RegisterFeedResolver();
  return RUN_ALL_TESTS();
}
