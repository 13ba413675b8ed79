// A greeter that tells its name. It is a plain gRPC server and does not use Steer: the client does
// the load balancing.
//
//   greeter_server --name=red --port=0

#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "helloworld.grpc.pb.h"

ABSL_FLAG(std::string, name, "greeter", "the name that the server puts into its answers");
ABSL_FLAG(uint16_t, port, 50051, "the port on 127.0.0.1; 0 takes any free port");
ABSL_FLAG(bool, unavailable, false, "answer every call with UNAVAILABLE");

namespace {

class GreeterService final : public helloworld::Greeter::Service {
 public:
  // Reads `port` at each call, because gRPC sets it when it starts the server.
  GreeterService(std::string name, const int& port) : name_(std::move(name)), port_(port) {}

  std::string Identity() const { return name_ + " at 127.0.0.1:" + std::to_string(port_); }

  grpc::Status SayHello(grpc::ServerContext*, const helloworld::HelloRequest* request,
                        helloworld::HelloReply* reply) override {
    if (absl::GetFlag(FLAGS_unavailable)) return {grpc::StatusCode::UNAVAILABLE, Identity()};
    reply->set_message("Hello, " + request->name() + "!");
    reply->set_server(Identity());
    return grpc::Status::OK;
  }

 private:
  const std::string name_;
  const int& port_;
};

}  // namespace

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Answers greetings with its name.\n"
      "Example: greeter_server --name=red --port=50051");
  absl::ParseCommandLine(argc, argv);

  // Block these signals before gRPC starts its threads, which inherit the mask. So the signals wait
  // for sigwait() below.
  sigset_t end_signals;
  sigemptyset(&end_signals);
  sigaddset(&end_signals, SIGINT);
  sigaddset(&end_signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &end_signals, nullptr);

  int port = absl::GetFlag(FLAGS_port);
  const std::string address = "127.0.0.1:" + std::to_string(port);
  GreeterService service(absl::GetFlag(FLAGS_name), port);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  // Otherwise two servers could share a port, and each would get some of the connections.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(&service);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr) {
    std::cerr << "cannot listen on " << address << ", which another program may use. "
              << "Choose another --port; 0 takes any free one" << std::endl;
    return 1;
  }
  std::cout << "listening: " << service.Identity() << std::endl;

  int signal_number = 0;
  sigwait(&end_signals, &signal_number);
  // Shutdown() cancels calls that reach the server before its GOAWAY reaches the clients. So first
  // let the clients that watch the health service move on, while the server still answers.
  server->GetHealthCheckService()->Shutdown();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(10));
  return 0;
}
