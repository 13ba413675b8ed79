// The server process of the end-to-end tests: answers each call of /steer.test.Echo/Call with its
// own port. It is steered by lines on stdin and ends when its stdin does, so that it never outlives
// the test that started it. Knows nothing of Steer.
//
// Prints "LISTENING <port>" when it is ready. Commands, each answered by "OK" once it has taken
// effect:
//   health serving | health not_serving     what the health service says (with --health)
//   failing on | failing off                calls fail with UNAVAILABLE
//   delay <milliseconds>                    how long each call takes
//   shutdown                                finishes the running calls and exits (no answer)
//
// A call may ask for something by its own headers:
//   fail-with: <code> <message>     it fails with that
//   send-trailer-bin: <key>=<value> its trailing metadata has that; may be given several times
// and headers that begin with "echo-" come back in the trailing metadata.
#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

const char kMethod[] = "/steer.test.Echo/Call";

struct Behaviour {
  grpc::ByteBuffer answer;
  std::atomic<bool> failing{false};
  std::atomic<int> delay_ms{0};
};

// One call after another: waits for a request, reads it, waits as long as it is told, answers,
// begins anew.
class EchoCalls {
 public:
  EchoCalls(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue,
            const Behaviour& behaviour)
      : service_(service), queue_(queue), behaviour_(behaviour) {
    Begin();
  }

  // What was begun last has ended. False when no further call will come.
  bool Proceed(bool ok) {
    switch (state_) {
      case State::kWaiting:
        if (!ok) return false;
        if (call_->context.method() != kMethod) {
          state_ = State::kAnswering;
          call_->stream.Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, ""), this);
          break;
        }
        state_ = State::kReading;
        call_->stream.Read(&call_->request, this);
        break;
      case State::kReading:
        if (const int delay_ms = behaviour_.delay_ms; ok && delay_ms > 0) {
          state_ = State::kDelayed;
          const auto end = std::chrono::system_clock::now() + std::chrono::milliseconds(delay_ms);
          call_->alarm.Set(queue_, end, this);
          break;
        }
        Answer(ok);
        break;
      case State::kDelayed:
        Answer(true);
        break;
      case State::kAnswering:
        Begin();
        break;
    }
    return true;
  }

 private:
  enum class State { kWaiting, kReading, kDelayed, kAnswering };

  struct Call {
    grpc::GenericServerContext context;
    grpc::GenericServerAsyncReaderWriter stream{&context};
    grpc::ByteBuffer request;
    grpc::Alarm alarm;
  };

  void Begin() {
    call_ = std::make_unique<Call>();
    state_ = State::kWaiting;
    service_->RequestCall(&call_->context, &call_->stream, queue_, queue_, this);
  }

  // What the call itself asks for.
  grpc::Status ObeyHeaders() {
    grpc::Status status;
    for (const auto& [key, value] : call_->context.client_metadata()) {
      const std::string name(key.data(), key.size());
      const std::string text(value.data(), value.size());
      if (name == "fail-with") {
        status = grpc::Status(static_cast<grpc::StatusCode>(std::atoi(text.c_str())),
                              text.substr(text.find(' ') + 1));
      } else if (name == "send-trailer-bin") {
        const size_t end_of_key = text.find('=');
        call_->context.AddTrailingMetadata(text.substr(0, end_of_key), text.substr(end_of_key + 1));
      } else if (name.rfind("echo-", 0) == 0) {
        call_->context.AddTrailingMetadata(name, text);
      }
    }
    return status;
  }

  void Answer(bool has_request) {
    state_ = State::kAnswering;
    const grpc::Status status = ObeyHeaders();
    if (!status.ok()) {
      call_->stream.Finish(status, this);
    } else if (!has_request || behaviour_.failing) {
      call_->stream.Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "told to fail"), this);
    } else {
      call_->stream.WriteAndFinish(behaviour_.answer, grpc::WriteOptions(), grpc::Status::OK, this);
    }
  }

  grpc::AsyncGenericService* const service_;
  grpc::ServerCompletionQueue* const queue_;
  const Behaviour& behaviour_;
  State state_ = State::kWaiting;
  std::unique_ptr<Call> call_;
};

void Serve(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue,
           const Behaviour& behaviour) {
  // As many calls as can run at one time, which only those with a delay need.
  constexpr int kCalls = 500;
  std::vector<std::unique_ptr<EchoCalls>> calls;
  for (int i = 0; i < kCalls; ++i) {
    calls.push_back(std::make_unique<EchoCalls>(service, queue, behaviour));
  }
  void* tag;
  bool ok;
  for (size_t running = calls.size(); running > 0 && queue->Next(&tag, &ok);) {
    if (!static_cast<EchoCalls*>(tag)->Proceed(ok)) --running;
  }
}

struct Options {
  std::string port;
  std::string health;
  std::string tls_certificate;
  std::string tls_key;
  std::string delay_ms = "0";
};

bool ParseOptions(int argc, char** argv, Options* options) {
  const std::pair<std::string, std::string*> known[] = {
      {"--port=", &options->port},
      {"--health=", &options->health},
      {"--tls-certificate=", &options->tls_certificate},
      {"--tls-key=", &options->tls_key},
      {"--delay-ms=", &options->delay_ms},
  };
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    bool matched = false;
    for (const auto& [prefix, value] : known) {
      if (argument.compare(0, prefix.size(), prefix) != 0) continue;
      *value = argument.substr(prefix.size());
      matched = true;
    }
    if (!matched) {
      std::cerr << "backend: unknown argument " << argument << std::endl;
      return false;
    }
  }
  return true;
}

#ifdef STEER_TEST_WITH_TLS
std::string FileContents(const std::string& path) {
  std::ostringstream contents;
  contents << std::ifstream(path).rdbuf();
  return contents.str();
}

std::shared_ptr<grpc::ServerCredentials> Credentials(const Options& options) {
  if (options.tls_certificate.empty()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions tls;
  tls.pem_key_cert_pairs.push_back(
      {FileContents(options.tls_key), FileContents(options.tls_certificate)});
  return grpc::SslServerCredentials(tls);
}
#else
std::shared_ptr<grpc::ServerCredentials> Credentials(const Options& options) {
  if (options.tls_certificate.empty()) return grpc::InsecureServerCredentials();
  std::cerr << "backend: this gRPC has no TLS" << std::endl;
  std::exit(2);
}
#endif

// False when the line is not a command.
bool Obey(const std::string& line, const std::string& health, Behaviour* behaviour,
          grpc::Server* server) {
  std::istringstream words(line);
  std::string command;
  std::string argument;
  words >> command >> argument;
  if (command == "health") {
    server->GetHealthCheckService()->SetServingStatus(health, argument == "serving");
  } else if (command == "failing") {
    behaviour->failing = argument == "on";
  } else if (command == "delay") {
    behaviour->delay_ms = std::atoi(argument.c_str());
  } else {
    return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!ParseOptions(argc, argv, &options)) return 2;

  Behaviour behaviour;
  behaviour.delay_ms = std::atoi(options.delay_ms.c_str());
  const grpc::Slice answer(options.port);
  behaviour.answer = grpc::ByteBuffer(&answer, 1);

  grpc::AsyncGenericService service;
  grpc::EnableDefaultHealthCheckService(!options.health.empty());
  grpc::ServerBuilder builder;
  // Two servers on one port would share its connections unseen.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  int bound_port = 0;
  builder.AddListeningPort("127.0.0.1:" + options.port, Credentials(options), &bound_port);
  builder.RegisterAsyncGenericService(&service);
  const std::unique_ptr<grpc::ServerCompletionQueue> queue = builder.AddCompletionQueue();
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || std::to_string(bound_port) != options.port) {
    std::cerr << "backend: cannot listen on port " << options.port << std::endl;
    return 1;
  }
  if (!options.health.empty()) {
    server->GetHealthCheckService()->SetServingStatus(options.health, true);
  }
  std::thread serving([&] { Serve(&service, queue.get(), behaviour); });
  std::cout << "LISTENING " << bound_port << std::endl;

  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "shutdown") {
      server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(10));
      // Before the queue: a call that ends may yet ask the server for another, in vain.
      serving.join();
      queue->Shutdown();
      return 0;
    }
    std::cout << (Obey(line, options.health, &behaviour, server.get()) ? "OK" : "UNKNOWN COMMAND")
              << std::endl;
  }
  // The test is gone: nobody waits for the running calls, and some may have a long delay.
  std::_Exit(0);
}
