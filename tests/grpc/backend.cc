// The server process of the end-to-end tests: answers each call of /steer.test.Echo/Call with its
// port. It reads commands from stdin and ends at the end of stdin, so that it never outlives the
// test that started it.
//
// It also offers xds.service.orca.v3.OpenRcaService, the stream of load reports that gRPC's clients
// request. gRPC's own OrcaService is in a library that few packages have.
//
// Prints "LISTENING <port>" when it is ready. It answers each command with "OK" once the command
// has taken effect:
//   health serving | health not_serving     sets what the health service says (with --health)
//   failing on | failing off                calls fail with UNAVAILABLE
//   delay <milliseconds>                    each call takes this long
//   trailer <hex>                           each call ends with this serialised load report
//   report <hex>                            the stream of load reports sends this
//   record <cpu> <application> <qps> <eps>  each call ends with this load report, made by
//                                           gRPC's CallMetricRecorder (from 1.54 on)
//   shutdown                                finishes the running calls and exits (no answer)
//
// A call can change its own answer by headers:
//   fail-with: <code> <message>      fails with this status
//   send-trailer-bin: <key>=<value>  adds this trailing metadata; may be given several times
//   echo-...                         comes back in the trailing metadata
//   tell-peer: <anything>            the client's address comes back in the trailing metadata: each
//                                    connection of a client has another port
//   delay-ms: <milliseconds>         takes this long
//
// Must not depend on: Steer.
#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#if __has_include(<grpcpp/ext/server_metric_recorder.h>)  // from 1.54
#include <grpcpp/ext/call_metric_recorder.h>
#include <grpcpp/ext/server_metric_recorder.h>
#define STEER_TEST_WITH_RECORDER 1
#endif

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

const char kMethod[] = "/steer.test.Echo/Call";
const char kReportMethod[] = "/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics";

struct Behaviour {
  grpc::ByteBuffer answer;
  std::atomic<bool> failing{false};
  std::atomic<int> delay_ms{0};

  mutable std::mutex mutex;
  // The following are guarded by it.
  std::string trailer;
  std::string report;
  // CPU, application, calls and errors per second. Empty: nothing is recorded.
  std::vector<double> record;
};

// The interval of an OrcaLoadReportRequest: its field 1, a google.protobuf.Duration.
std::chrono::nanoseconds IntervalOf(const grpc::ByteBuffer& request) {
  std::vector<grpc::Slice> slices;
  if (!request.Dump(&slices).ok()) return std::chrono::seconds(1);
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0; at < bytes.size(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      value |= uint64_t{byte & 127u} << shift;
      if (byte < 128) break;
    }
    return value;
  };
  std::array<uint64_t, 2> seconds_and_nanos = {};
  // Skips the tag and the length of field 1, whose own fields are numbers.
  if (varint() == (1 << 3 | 2)) varint();
  while (at < bytes.size()) {
    const uint64_t field = varint() >> 3;
    const uint64_t value = varint();
    if (field == 1 || field == 2) seconds_and_nanos[field - 1] = value;
  }
  return std::chrono::seconds(seconds_and_nanos[0]) +
         std::chrono::nanoseconds(seconds_and_nanos[1]);
}

// Serves one call after another: waits for a call, reads the request, waits for the delay, answers,
// and begins again.
class EchoCalls {
 public:
  EchoCalls(grpc::AsyncGenericService* service, grpc::ServerCompletionQueue* queue,
            const Behaviour& behaviour)
      : service_(service), queue_(queue), behaviour_(behaviour) {
    Begin();
  }

  // Called when the last started operation has ended. False: no more calls come.
  bool Proceed(bool ok) {
    switch (state_) {
      case State::kWaiting:
        if (!ok) return false;
        if (call_->context.method() != kMethod && call_->context.method() != kReportMethod) {
          state_ = State::kAnswering;
          call_->stream.Finish(grpc::Status(grpc::StatusCode::UNIMPLEMENTED, ""), this);
          break;
        }
        state_ = State::kReading;
        call_->stream.Read(&call_->request, this);
        break;
      case State::kReading:
        if (ok && call_->context.method() == kReportMethod) {
          call_->interval = IntervalOf(call_->request);
          Report();
          break;
        }
        if (const int delay_ms = Delay(); ok && delay_ms > 0) {
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
      case State::kReported:
        if (ok) {
          state_ = State::kReporting;
          const auto interval =
              std::chrono::duration_cast<std::chrono::system_clock::duration>(call_->interval);
          call_->alarm.Set(queue_, std::chrono::system_clock::now() + interval, this);
        } else {
          state_ = State::kAnswering;
          call_->stream.Finish(grpc::Status::CANCELLED, this);
        }
        break;
      case State::kReporting:
        Report();
        break;
      case State::kAnswering:
        Begin();
        break;
    }
    return true;
  }

 private:
  enum class State { kWaiting, kReading, kDelayed, kReporting, kReported, kAnswering };

  struct Call {
    grpc::GenericServerContext context;
    grpc::GenericServerAsyncReaderWriter stream{&context};
    grpc::ByteBuffer request;
    grpc::Alarm alarm;
    // For streams of load reports.
    std::chrono::nanoseconds interval;
  };

  void Begin() {
    call_ = std::make_unique<Call>();
    state_ = State::kWaiting;
    service_->RequestCall(&call_->context, &call_->stream, queue_, queue_, this);
  }

  void Report() {
    state_ = State::kReported;
    const std::lock_guard<std::mutex> lock(behaviour_.mutex);
    const grpc::Slice report(behaviour_.report);
    call_->stream.Write(grpc::ByteBuffer(&report, 1), this);
  }

  void SendLoad() {
    const std::lock_guard<std::mutex> lock(behaviour_.mutex);
    if (!behaviour_.trailer.empty()) {
      call_->context.AddTrailingMetadata("endpoint-load-metrics-bin", behaviour_.trailer);
    }
#ifdef STEER_TEST_WITH_RECORDER
    auto* const recorder = call_->context.ExperimentalGetCallMetricRecorder();
    if (recorder != nullptr && !behaviour_.record.empty()) {
      recorder->RecordCpuUtilizationMetric(behaviour_.record[0])
          .RecordApplicationUtilizationMetric(behaviour_.record[1])
          .RecordQpsMetric(behaviour_.record[2])
          .RecordEpsMetric(behaviour_.record[3]);
    }
#endif
  }

  int Delay() const {
    const auto& headers = call_->context.client_metadata();
    const auto own = headers.find("delay-ms");
    if (own == headers.end()) return behaviour_.delay_ms;
    return std::atoi(std::string(own->second.data(), own->second.size()).c_str());
  }

  // Does what the call's headers ask for. Returns the call's status.
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
      } else if (name == "tell-peer") {
        call_->context.AddTrailingMetadata("peer", call_->context.peer());
      } else if (name.rfind("echo-", 0) == 0) {
        call_->context.AddTrailingMetadata(name, text);
      }
    }
    return status;
  }

  void Answer(bool has_request) {
    state_ = State::kAnswering;
    const grpc::Status status = ObeyHeaders();
    SendLoad();
    if (!status.ok()) {
      call_->stream.Finish(status, this);
    } else if (!has_request || behaviour_.failing) {
      call_->stream.Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "failing on"), this);
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
  // The largest number of calls at a time. Only tests with delayed calls need many.
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
  // The calls that a connection carries at once. 0: gRPC's default.
  std::string max_streams = "0";
};

bool ParseOptions(int argc, char** argv, Options* options) {
  const std::pair<std::string, std::string*> known[] = {
      {"--port=", &options->port},
      {"--health=", &options->health},
      {"--tls-certificate=", &options->tls_certificate},
      {"--tls-key=", &options->tls_key},
      {"--delay-ms=", &options->delay_ms},
      {"--max-streams=", &options->max_streams},
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

std::string FromHex(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

// Returns false if the line is not a command.
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
  } else if (command == "trailer" || command == "report") {
    const std::lock_guard<std::mutex> lock(behaviour->mutex);
    (command == "report" ? behaviour->report : behaviour->trailer) = FromHex(argument);
  } else if (command == "record") {
    const std::lock_guard<std::mutex> lock(behaviour->mutex);
    behaviour->record = {std::atof(argument.c_str())};
    for (double value; words >> value;) behaviour->record.push_back(value);
    return behaviour->record.size() == 4;
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
  // Otherwise two servers on one port would share its connections unnoticed.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  if (const int most = std::atoi(options.max_streams.c_str()); most > 0) {
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, most);
  }
  int bound_port = 0;
  builder.AddListeningPort("127.0.0.1:" + options.port, Credentials(options), &bound_port);
  builder.RegisterAsyncGenericService(&service);
#ifdef STEER_TEST_WITH_RECORDER
  const auto recorder = grpc::experimental::ServerMetricRecorder::Create();
  builder.experimental().EnableCallMetricRecording(recorder.get());
#endif
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
      // Before the queue's shutdown, because a call that ends requests another one from the server.
      serving.join();
      queue->Shutdown();
      return 0;
    }
    std::cout << (Obey(line, options.health, &behaviour, server.get()) ? "OK" : "UNKNOWN COMMAND")
              << std::endl;
  }
  // The test has ended. Do not wait for running calls, which may have a long delay.
  std::_Exit(0);
}
