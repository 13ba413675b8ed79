// A process of many servers, for the soak: one for each port that it is given. Each answers every
// call with its own port, after as long as the call says or else up to 40 ms, and with a load
// report, so that policies which weigh by load have something to weigh. Knows nothing of Steer, and
// ends when its stdin does.
//
// Prints "LISTENING" when all of its servers are ready. Commands, each answered by "OK":
//   kill <port>    the server dies as if its process had been killed: its connections break, and
//                  whatever runs there is lost. The answer comes when they are broken
//   start <port>   it is there again
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

// Calls per second, and how busy the application is.
std::string SomeLoad() {
  std::uniform_real_distribution<double> utilization(0.3, 0.9);
  return steer_test::LoadReport().Number(6, 100).Number(9, utilization(Random())).bytes();
}

// One call: reads its message, takes its time, answers.
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
    // One of them serves one server only.
    service_ = std::make_unique<Service>(port_);
    grpc::ServerBuilder builder;
    // Two servers on one port would share its connections unseen.
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

  // What is left of a server whose sockets are broken.
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
  // That its listeners end is what they are for, and gRPC logs each as an error.
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
