// A client that registers Steer: registering_client <steps> <target> <service config>. The steps
// are separated by commas, and are taken before the client's own channel is made (see
// client_program.h):
//   register   steer::Register(); prints "register=<ok, 0 or 1> <code> <message>"
//   race       does so on 8 threads at once; prints one such line for each
//   options    steer::Register() that takes over the names in the environment variable
//              STEER_TEST_TAKE_OVER: "<name>=<policy>[config];…"; prints the same line
//   take_over  steer_take_over() with the text of that variable, in C; prints
//              "take_over=<status> <steer_last_error>"
//   channel    makes a channel
//   server     makes a server
//   credentials  makes credentials and a completion queue
//   shutdown   releases all that, waits until gRPC has shut down, and prints "shutdown=<1 or 0>"
#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <steer/grpc.h>
#include <steer/steer.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <steer/text.hpp>
#include <string>
#include <thread>
#include <vector>

#include "programs/client_program.h"

namespace {

// What the steps have made. It stays until the end, as in an application.
struct Made {
  std::shared_ptr<grpc::ChannelCredentials> credentials;
  std::unique_ptr<grpc::CompletionQueue> queue;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<grpc::Server> server;
};

std::string Line(const steer::RegisterStatus& status) {
  return "register=" + std::to_string(status.ok()) + " " +
         std::to_string(static_cast<int>(status.code())) + " " + status.message() + "\n";
}

std::string Register() { return Line(steer::Register()); }

std::string TakeOver() {
  const char* const text = std::getenv("STEER_TEST_TAKE_OVER");
  return text != nullptr ? text : "";
}

std::string RegisterWithOptions() {
  steer::RegisterOptions options;
  std::istringstream settings(TakeOver());
  std::string setting;
  while (std::getline(settings, setting, ';')) {
    const size_t equals = setting.find('=');
    const size_t config = std::min(setting.find('{'), setting.size());
    options.take_over.push_back({setting.substr(0, equals),
                                 setting.substr(equals + 1, config - equals - 1),
                                 setting.substr(config)});
  }
  return Line(steer::Register(options));
}

std::string TakeOverInC() {
  const steer_status status = steer_take_over(steer::ToC(TakeOver()));
  const std::string why = status == STEER_OK ? "" : steer::FromC(steer_last_error());
  return "take_over=" + std::to_string(status) + " " + why + "\n";
}

void Race() {
  std::vector<std::string> lines(8);
  std::vector<std::thread> threads;
  for (std::string& line : lines) threads.emplace_back([&line] { line = Register(); });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& line : lines) std::cout << line;
}

// gRPC shuts down on another thread when the last of its objects is gone.
void ShutDown(Made* made) {
  *made = Made();
  for (int i = 0; i < 1000 && grpc_is_initialized() != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::cout << "shutdown=" << (grpc_is_initialized() == 0) << "\n";
}

bool Take(const std::string& step, Made* made) {
  if (step == "register") {
    std::cout << Register();
  } else if (step == "options") {
    std::cout << RegisterWithOptions();
  } else if (step == "take_over") {
    std::cout << TakeOverInC();
  } else if (step == "race") {
    Race();
  } else if (step == "channel") {
    made->channel = grpc::CreateChannel("ipv4:127.0.0.1:1", grpc::InsecureChannelCredentials());
  } else if (step == "server") {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials());
    made->server = builder.BuildAndStart();
  } else if (step == "credentials") {
    made->credentials = grpc::InsecureChannelCredentials();
    made->queue = std::make_unique<grpc::CompletionQueue>();
  } else if (step == "shutdown") {
    ShutDown(made);
  } else {
    return false;
  }
  std::cout << std::flush;
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  Made made;
  std::istringstream steps(argv[1]);
  std::string step;
  while (std::getline(steps, step, ',')) {
    if (!Take(step, &made)) return 2;
  }
  const int exit_code = steer_test::RunClient(argv[2], argv[3]);
  std::cout << "stats=" << steer::StatsJson() << std::endl;
  return exit_code;
}
