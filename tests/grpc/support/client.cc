// Channels and calls with gRPC's public API only.
#include "support/client.h"

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "support/wait.h"

namespace steer_test {
namespace {

grpc::ByteBuffer RequestOf(const CallOptions& options) {
  const grpc::Slice slice(options.request);
  return grpc::ByteBuffer(&slice, 1);
}

int PortIn(const grpc::ByteBuffer& response) {
  std::vector<grpc::Slice> slices;
  if (!response.Dump(&slices).ok()) return 0;
  std::string text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return std::atoi(text.c_str());
}

void Apply(const CallOptions& options, grpc::ClientContext* context) {
  context->set_wait_for_ready(options.wait_for_ready);
  context->set_deadline(std::chrono::system_clock::now() + options.timeout);
  for (const auto& [name, value] : options.metadata) context->AddMetadata(name, value);
}

}  // namespace

std::string ServiceConfig(const std::string& policy, const std::string& policy_config,
                          const std::string& more) {
  return R"({"loadBalancingConfig":[{")" + policy + "\":" + policy_config + "}]" + more + "}";
}

grpc::ChannelArguments TestArguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  // Ignores a proxy of the environment.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

std::shared_ptr<grpc::Channel> MakeChannel(
    const std::string& target, const std::string& service_config,
    const std::shared_ptr<grpc::ChannelCredentials>& credentials,
    grpc::ChannelArguments arguments) {
  if (!service_config.empty()) arguments.SetServiceConfigJSON(service_config);
  return grpc::CreateCustomChannel(target, credentials, arguments);
}

PendingCall::PendingCall(const std::shared_ptr<grpc::Channel>& channel,
                         const CallOptions& options) {
  Apply(options, &context_);
  reader_ = grpc::GenericStub(channel).PrepareUnaryCall(&context_, kEchoMethod, RequestOf(options),
                                                        &queue_);
  reader_->StartCall();
  reader_->Finish(&response_, &status_, this);
}

PendingCall::~PendingCall() {
  if (!done_) {
    context_.TryCancel();
    Result();
  }
  queue_.Shutdown();
  void* tag;
  bool ok;
  while (queue_.Next(&tag, &ok)) {
  }
}

bool PendingCall::Finish(std::chrono::system_clock::time_point deadline) {
  void* tag;
  bool ok;
  if (!done_) done_ = queue_.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT;
  return done_;
}

CallResult PendingCall::Result() {
  while (!Finish(std::chrono::system_clock::now() + kPatience)) {
  }
  CallResult result = {status_, status_.ok() ? PortIn(response_) : 0, {}};
  for (const auto& [name, value] : context_.GetServerTrailingMetadata()) {
    result.trailers.emplace(std::string(name.data(), name.size()),
                            std::string(value.data(), value.size()));
  }
  return result;
}

CallResult Call(const std::shared_ptr<grpc::Channel>& channel, const CallOptions& options) {
  return PendingCall(channel, options).Result();
}

std::vector<int> CallPorts(const std::shared_ptr<grpc::Channel>& channel, int count) {
  std::vector<int> ports;
  ports.reserve(static_cast<size_t>(count));
  for (int i = 0; i < count; ++i) ports.push_back(Call(channel).port);
  return ports;
}

Counts CountPorts(const std::vector<int>& ports) {
  Counts counts;
  for (const int port : ports) ++counts[port];
  return counts;
}

Counts CountCalls(const std::shared_ptr<grpc::Channel>& channel, int count) {
  return CountPorts(CallPorts(channel, count));
}

bool WaitForAnswers(const std::shared_ptr<grpc::Channel>& channel, const std::vector<int>& ports) {
  std::set<int> missing(ports.begin(), ports.end());
  int key = 0;
  return WaitUntil([&] {
    // Policies that hash the header send different keys to different backends.
    CallOptions options;
    options.metadata = {{"key", std::to_string(key++)}};
    missing.erase(Call(channel, options).port);
    return missing.empty();
  });
}

bool WaitForRotation(const std::shared_ptr<grpc::Channel>& channel, const std::vector<int>& ports) {
  const std::set<int> wanted(ports.begin(), ports.end());
  const int count = static_cast<int>(ports.size());
  const auto once_around = [&] {
    const std::vector<int> answers = CallPorts(channel, count);
    return std::set<int>(answers.begin(), answers.end()) == wanted;
  };
  return WaitUntil([&] { return once_around() && once_around(); });
}

BatchResult CallBatch(const std::shared_ptr<grpc::Channel>& channel, int count, int in_flight) {
  struct Slot {
    // A context serves one call only, so each call makes a new one.
    std::unique_ptr<grpc::ClientContext> context;
    std::unique_ptr<grpc::ClientAsyncResponseReader<grpc::ByteBuffer>> reader;
    grpc::ByteBuffer response;
    grpc::Status status;
  };
  BatchResult result;
  const grpc::ByteBuffer request = RequestOf({});
  grpc::GenericStub stub(channel);
  grpc::CompletionQueue queue;
  std::vector<Slot> slots(static_cast<size_t>(std::min(count, in_flight)));
  int started = 0;
  const auto start = [&](Slot* slot) {
    slot->reader.reset();
    slot->context = std::make_unique<grpc::ClientContext>();
    slot->context->set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(2));
    slot->reader = stub.PrepareUnaryCall(slot->context.get(), kEchoMethod, request, &queue);
    slot->reader->StartCall();
    slot->reader->Finish(&slot->response, &slot->status, slot);
    ++started;
  };
  for (Slot& slot : slots) start(&slot);
  void* tag;
  bool ok;
  for (int ended = 0; ended < count && queue.Next(&tag, &ok); ++ended) {
    Slot* slot = static_cast<Slot*>(tag);
    ++result.counts[slot->status.ok() ? PortIn(slot->response) : 0];
    if (!slot->status.ok() && result.first_failure.ok()) result.first_failure = slot->status;
    slot->response.Clear();
    if (started < count) start(slot);
  }
  queue.Shutdown();
  while (queue.Next(&tag, &ok)) {
  }
  return result;
}

Load::Load(std::shared_ptr<grpc::Channel> channel, int threads) : channel_(std::move(channel)) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

Load::~Load() { Stop(); }

void Load::Stop() {
  stopped_ = true;
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Load::Run() {
  while (!stopped_) {
    int window;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      window = window_number_;
      ++running_[window];
    }
    const CallResult result = Call(channel_);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--running_[window] == 0) running_.erase(window);
    ++calls_;
    if (window == window_number_) {
      ++window_[result.port];
      ++window_calls_;
    }
    if (!result.status.ok()) {
      ++failures_;
      if (failure_texts_.size() < 10) {
        failure_texts_.push_back(std::to_string(result.status.error_code()) + " " +
                                 result.status.error_message());
      }
    }
  }
}

bool Load::WaitForCalls(int count) const {
  const int first = calls_;
  return WaitUntil([&] { return calls_ - first >= count; });
}

bool Load::WaitForPorts(const std::vector<int>& ports, int count) {
  const std::set<int> wanted(ports.begin(), ports.end());
  const auto open_window = [&] {
    window_.clear();
    window_calls_ = 0;
    ++window_number_;
  };
  int first_window;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    open_window();
    first_window = window_number_;
  }
  return WaitUntil([&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (window_calls_ < count) return false;
    if (!running_.empty() && running_.begin()->first < first_window) return false;
    std::set<int> answered;
    for (const auto& [port, calls] : window_) answered.insert(port);
    if (answered == wanted) return true;
    open_window();
    return false;
  });
}

std::string Load::FailureTexts() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::string texts;
  for (const std::string& text : failure_texts_) texts += text + "\n";
  return texts;
}

}  // namespace steer_test
