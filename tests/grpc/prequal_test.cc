// steer_prequal with real calls, to servers that report with steer/server_load.hpp.
#include <gmock/gmock.h>
#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "steer/grpc.h"
#include "steer/server_load.hpp"
#include "support/backend.h"
#include "support/client.h"
#include "support/generation.h"
#include "support/wait.h"

namespace steer_test {
namespace {

using std::chrono::milliseconds;

// Answers each call with the server's port, after a delay.
class EchoService final : public grpc::CallbackGenericService {
 public:
  // Used by calls that come from now on.
  void SetDelay(milliseconds delay) { delay_ = delay; }
  void SetStatus(grpc::StatusCode status) { status_ = status; }
  void SetPort(int port) { port_ = port; }
  // Calls whose delay has begun.
  int delayed() const { return delayed_; }

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Call(*this);
  }

 private:
  class Call final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Call(EchoService& service) : service_(service) { StartRead(&request_); }

    void OnReadDone(bool) override {
      alarm_.Set(std::chrono::system_clock::now() + service_.delay_.load(), [this](bool) {
        const grpc::Status status(service_.status_, "as the test wants it");
        if (!status.ok()) return Finish(status);
        const grpc::Slice port(std::to_string(service_.port_));
        answer_ = grpc::ByteBuffer(&port, 1);
        StartWriteAndFinish(&answer_, grpc::WriteOptions(), status);
      });
      ++service_.delayed_;
    }
    void OnCancel() override { alarm_.Cancel(); }
    void OnDone() override { delete this; }

   private:
    EchoService& service_;
    grpc::ByteBuffer request_;
    grpc::ByteBuffer answer_;
    grpc::Alarm alarm_;
  };

  std::atomic<milliseconds> delay_{milliseconds(2)};
  std::atomic<grpc::StatusCode> status_{grpc::StatusCode::OK};
  std::atomic<int> port_{0};
  std::atomic<int> delayed_{0};
};

// A server of this process that reports its load.
class ReportingServer {
 public:
  ReportingServer() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterCallbackGenericService(&echo_);
    load_.AddTo(builder);
    server_ = builder.BuildAndStart();
    echo_.SetPort(port);
    port_ = port;
  }
  ~ReportingServer() { server_->Shutdown(std::chrono::system_clock::now()); }

  int port() const { return port_; }
  EchoService& echo() { return echo_; }
  const steer::ServerLoad& load() const { return load_; }

 private:
  int port_;
  EchoService echo_;
  steer::ServerLoad load_;
  std::unique_ptr<grpc::Server> server_;
};

std::vector<int> Ports(const std::vector<ReportingServer>& servers) {
  std::vector<int> ports;
  for (const ReportingServer& server : servers) ports.push_back(server.port());
  return ports;
}

// A number of the backend of this server in Steer's statistics. -1: there is none.
double Statistic(const ReportingServer& server, const std::string& name) {
  const std::string json = steer::StatsJson();
  const size_t backend = json.find("\"ipv4:127.0.0.1:" + std::to_string(server.port()) + "\"]");
  if (backend == std::string::npos) return -1;
  const std::string field = "\"" + name + "\":";
  const size_t at = json.find(field, backend);
  return at == std::string::npos ? -1 : std::atof(json.c_str() + at + field.size());
}

// Keeps this many calls in flight at a server.
class OtherLoad {
 public:
  OtherLoad(ReportingServer& server, int calls)
      : channel_(MakeChannel(StaticTarget({server.port()}), ServiceConfig("pick_first"))) {
    const int before = server.echo().delayed();
    server.echo().SetDelay(std::chrono::seconds(60));
    for (int i = 0; i < calls; ++i) calls_.push_back(std::make_unique<PendingCall>(channel_));
    EXPECT_TRUE(WaitUntil([&] { return server.echo().delayed() == before + calls; }));
    server.echo().SetDelay(milliseconds(2));
  }
  ~OtherLoad() {
    for (const auto& call : calls_) call->Cancel();
    for (const auto& call : calls_) call->Result();
  }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  std::vector<std::unique_ptr<PendingCall>> calls_;
};

TEST(Prequal, EachCallCarriesRequestsInFlightAndLatency) {
  ReportingServer server;
  const auto channel = MakeChannel(StaticTarget({server.port()}), ServiceConfig("steer_prequal"));
  const auto rif_after_a_call = [&] {
    Call(channel);
    return Statistic(server, "reported_rif");
  };
  EXPECT_EQ(rif_after_a_call(), 0);
  EXPECT_GE(Statistic(server, "reported_latency_seconds"), 0.002);
  EXPECT_LT(Statistic(server, "reported_latency_seconds"), 0.5);
  {
    const OtherLoad others(server, 3);
    EXPECT_EQ(rif_after_a_call(), 3);
  }
  // Calls that were cancelled are not in flight any more.
  EXPECT_TRUE(WaitUntil([&] { return server.load().InFlight() == 0; }));
  // A failure has a report too, and its latency does not count.
  server.echo().SetStatus(grpc::StatusCode::UNAVAILABLE);
  server.echo().SetDelay(milliseconds(0));
  for (int i = 0; i < 40; ++i) EXPECT_EQ(rif_after_a_call(), 0);
  EXPECT_GE(Statistic(server, "reported_latency_seconds"), 0.002);
}

// Reports that do not expire during a test. A server whose report has expired is tried again, and
// on a slow machine these are many calls.
std::string LongConfig(const std::string& more = "") {
  return R"({"reportExpirationPeriod":"1000s")" + more + "}";
}

// Of 300 calls to three servers, where a fair share is 100.
constexpr int kFew = 50;

TEST(Prequal, AServerThatIsBusyWithOthersGetsFewCalls) {
  std::vector<ReportingServer> servers(3);
  const OtherLoad others(servers[0], 20);
  const auto channel =
      MakeChannel(StaticTarget(Ports(servers)), ServiceConfig("steer_prequal", LongConfig()));
  ASSERT_TRUE(WaitForAnswers(channel, Ports(servers)));
  // One call at a time, so that this client's own calls in flight say nothing.
  Counts counts = CountCalls(channel, 300);
  EXPECT_EQ(counts[0], 0);
  EXPECT_LT(counts[servers[0].port()], kFew) << testing::PrintToString(counts);
}

TEST(Prequal, ASlowServerGetsFewCalls) {
  std::vector<ReportingServer> servers(3);
  servers[1].echo().SetDelay(milliseconds(40));
  const auto channel =
      MakeChannel(StaticTarget(Ports(servers)), ServiceConfig("steer_prequal", LongConfig()));
  ASSERT_TRUE(WaitForAnswers(channel, Ports(servers)));
  Counts counts = CountCalls(channel, 300);
  EXPECT_EQ(counts[0], 0);
  EXPECT_LT(counts[servers[1].port()], kFew) << testing::PrintToString(counts);
}

TEST(Prequal, ReportsComeOutOfBand) {
  if (!LoadReportsComeOutOfBand()) GTEST_SKIP() << "this gRPC has no such reports";
  std::vector<ReportingServer> servers(2);
  const OtherLoad others(servers[0], 7);
  const auto channel =
      MakeChannel(StaticTarget(Ports(servers)),
                  ServiceConfig("steer_prequal", LongConfig(R"(,"enableOobLoadReport":true,
                                               "oobReportingPeriod":"0.02s")")));
  // No call tells of them.
  channel->GetState(true);
  EXPECT_TRUE(WaitUntil([&] {
    return Statistic(servers[0], "reported_rif") == 7 && Statistic(servers[1], "reported_rif") == 0;
  })) << steer::StatsJson();
  const Counts counts = CountCalls(channel, 50);
  EXPECT_EQ(counts, (Counts{{servers[1].port(), 50}}));
}

TEST(Prequal, WithoutReportsAllServersGetCalls) {
  Backends backends(3);
  const auto channel = MakeChannel(StaticTarget(backends.ports()), ServiceConfig("steer_prequal"));
  ASSERT_TRUE(WaitForAnswers(channel, backends.ports()));
  // One call at a time: all backends are alike then, however the machine runs their processes.
  Counts counts = CountCalls(channel, 300);
  for (const int port : backends.ports()) {
    EXPECT_GT(counts[port], 60) << testing::PrintToString(counts);
  }
}

}  // namespace
}  // namespace steer_test
