// A process with many servers, for the soak: one for each port argument. Each server answers every
// call with its port, after the time that the call wants, otherwise after up to 40 ms. The answer
// has a load report, for policies that use load. The process ends at the end of its stdin.
//
// Prints "LISTENING" when all servers are ready. It answers each command with "OK":
//   kill <port>    ends the server as if its process had been killed: breaks its connections, and
//                  loses its running calls. Answers when the connections are broken
//   start <port>   starts the server again
//
// Must not depend on: Steer.
#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <sstream>
#include <string>

#include "soak/policies.h"
#include "soak/sockets.h"
#include "support/load_report.h"

namespace {

std::mt19937& Random() {
  thread_local std::mt19937 random{std::random_device()()};
  return random;
}

// A load report: calls per second, and the application's utilization.
std::string SomeLoad() {
  std::uniform_real_distribution<double> utilization(0.3, 0.9);
  return steer_test::LoadReport().Number(6, 100).Number(9, utilization(Random())).bytes();
}

// One call: reads the message, waits, answers.
class Answer : public grpc::ServerGenericBidiReactor {
 public:
  Answer(grpc::CallbackServerContext* context, const grpc::ByteBuffer& answer)
      : context_(context), answer_(answer) {
    StartRead(&request_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      Finish(grpc::Status(grpc::StatusCode::INTERNAL, "a call without a message"));
      return;
    }
    alarm_.Set(std::chrono::system_clock::now() + Delay(), [this](bool) {
      context_->AddTrailingMetadata("endpoint-load-metrics-bin", SomeLoad());
      StartWriteAndFinish(&answer_, grpc::WriteOptions(), grpc::Status::OK);
    });
  }

  void OnDone() override { delete this; }

 private:
  std::chrono::microseconds Delay() const {
    const auto header = context_->client_metadata().find(steer_soak::kDelayHeader);
    if (header != context_->client_metadata().end()) {
      const std::string ms(header->second.data(), header->second.size());
      return std::chrono::milliseconds(std::atoi(ms.c_str()));
    }
    return std::chrono::microseconds(std::uniform_int_distribution<int>(0, 40000)(Random()));
  }

  grpc::CallbackServerContext* const context_;
  const grpc::ByteBuffer answer_;
  grpc::ByteBuffer request_;
  grpc::Alarm alarm_;
};

class Server {
 public:
  explicit Server(int port) : port_(port) { Start(); }

  void Start() {
    // A service can be registered with one server only.
    service_ = std::make_unique<Service>(port_);
    grpc::ServerBuilder builder;
    // Otherwise two servers on one port would share its connections unnoticed.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    int bound_port = 0;
    builder.AddListeningPort("127.0.0.1:" + std::to_string(port_),
                             grpc::InsecureServerCredentials(), &bound_port);
    builder.RegisterCallbackGenericService(service_.get());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || bound_port != port_) {
      std::cerr << "soak server: cannot listen on port " << port_ << std::endl;
      std::_Exit(1);
    }
  }

  // Destroys a server whose sockets are broken.
  void Bury() {
    server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }

 private:
  class Service : public grpc::CallbackGenericService {
   public:
    explicit Service(int port) {
      const grpc::Slice text(std::to_string(port));
      answer_ = grpc::ByteBuffer(&text, 1);
    }

   private:
    grpc::ServerGenericBidiReactor* CreateReactor(
        grpc::GenericCallbackServerContext* context) override {
      return new Answer(context, answer_);
    }

    grpc::ByteBuffer answer_;
  };

  const int port_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

int main(int argc, char** argv) {
  // gRPC would log each broken listener as an error.
  setenv("GRPC_VERBOSITY", "NONE", 1);
  std::map<int, std::unique_ptr<Server>> servers;
  for (int i = 1; i < argc; ++i) {
    const int port = std::atoi(argv[i]);
    servers[port] = std::make_unique<Server>(port);
  }
  std::cout << "LISTENING" << std::endl;

  std::string line;
  while (std::getline(std::cin, line)) {
    std::istringstream words(line);
    std::string command;
    int port = 0;
    words >> command >> port;
    const auto server = servers.find(port);
    if (server == servers.end() || (command != "kill" && command != "start")) {
      std::cout << "UNKNOWN COMMAND" << std::endl;
    } else if (command == "kill") {
      steer_soak::BreakLocalPort(port);
      std::cout << "OK" << std::endl;
      server->second->Bury();
    } else {
      server->second->Start();
      std::cout << "OK" << std::endl;
    }
  }
  std::_Exit(0);
}
