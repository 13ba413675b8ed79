// The config field reresolutionPeriod, with gRPC's own DNS resolver and a name server of the test.
#include <grpcpp/generic/async_generic_service.h>
#include <gtest/gtest.h>
#include <steer/grpc.h>

#include <atomic>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "support/client.h"
#include "support/name_server.h"
#include "support/wait.h"

namespace steer_test {
namespace {

// Answers each call with its request.
class EchoService : public grpc::CallbackGenericService {
 public:
  int calls() const { return calls_; }

 private:
  class Reactor : public grpc::ServerGenericBidiReactor {
   public:
    Reactor() { StartRead(&request_); }
    void OnReadDone(bool ok) override {
      if (!ok) return Finish(grpc::Status(grpc::StatusCode::INTERNAL, "no request"));
      StartWriteAndFinish(&request_, grpc::WriteOptions(), grpc::Status());
    }
    void OnDone() override { delete this; }

   private:
    grpc::ByteBuffer request_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    ++calls_;
    return new Reactor();
  }

  std::atomic<int> calls_{0};
};

// A server in this process. An address of 127.0.0.0/8 stands for a pod: pods of a service have the
// same port.
class Pod {
 public:
  // With port 0, the system chooses one.
  Pod(const std::string& address, int port) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address + ":" + std::to_string(port),
                             grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(&service_);
    server_ = builder.BuildAndStart();
  }
  ~Pod() {
    if (server_ != nullptr) server_->Shutdown(std::chrono::system_clock::now());
  }

  int port() const { return port_; }
  int calls() const { return service_.calls(); }

 private:
  EchoService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// The parameter is the policy's name.
class Reresolution : public testing::TestWithParam<const char*> {
 protected:
  std::shared_ptr<grpc::Channel> Channel(const std::string& config) const {
    grpc::ChannelArguments arguments = TestArguments();
    arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 100);
    // Otherwise the resolver also asks for a service config, in a record of another type.
    arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    const std::string target = names_.TargetOf("pods.test:" + std::to_string(first_.port()));
    return MakeChannel(target, ServiceConfig(GetParam(), config),
                       grpc::InsecureChannelCredentials(), arguments);
  }

  // Makes calls until the second pod gets one, or this time is over.
  bool SecondIsCalledWithin(const std::shared_ptr<grpc::Channel>& channel,
                            std::chrono::milliseconds time) const {
    const auto end = std::chrono::steady_clock::now() + time;
    while (second_.calls() == 0 && std::chrono::steady_clock::now() < end) {
      EXPECT_TRUE(Call(channel).status.ok());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return second_.calls() > 0;
  }

  Pod first_{"127.0.0.1", 0};
  Pod second_{"127.0.0.2", first_.port()};
  NameServer names_{{"127.0.0.1"}};
};
INSTANTIATE_TEST_SUITE_P(Policies, Reresolution,
                         testing::Values("steer_round_robin", "steer_peak_ewma"),
                         [](const testing::TestParamInfo<const char*>& info) {
                           return std::string(info.param);
                         });

TEST_P(Reresolution, ANewPodIsFoundWithinThePeriod) {
  ASSERT_EQ(second_.port(), first_.port());
  const auto channel = Channel(R"({"reresolutionPeriod":"1s"})");
  ASSERT_TRUE(Call(channel).status.ok());
  names_.SetAddresses({"127.0.0.1", "127.0.0.2"});
  EXPECT_TRUE(SecondIsCalledWithin(channel, kPatience));
  // And a pod that goes is left out, though its server still answers.
  names_.SetAddresses({"127.0.0.1"});
  EXPECT_TRUE(WaitUntil([&] {
    const int before = second_.calls();
    for (int call = 0; call < 20; ++call) EXPECT_TRUE(Call(channel).status.ok());
    return second_.calls() == before;
  }));
}

TEST_P(Reresolution, WithoutThePeriodNobodyAsks) {
  ASSERT_EQ(second_.port(), first_.port());
  const auto channel = Channel("{}");
  ASSERT_TRUE(Call(channel).status.ok());
  const int queries = names_.queries();
  names_.SetAddresses({"127.0.0.1", "127.0.0.2"});
  EXPECT_FALSE(SecondIsCalledWithin(channel, std::chrono::seconds(4)));
  EXPECT_EQ(names_.queries(), queries);
}

}  // namespace
}  // namespace steer_test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  const steer::RegisterStatus status = steer::Register();
  if (!status.ok()) {
    std::cerr << "steer::Register(): " << status.message() << std::endl;
    return 1;
  }
  return RUN_ALL_TESTS();
}
