#include "soak/callers.h"

#include <grpcpp/generic/generic_stub.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <utility>

#include "soak/policies.h"

namespace steer_soak {
namespace {

const char kMethod[] = "/steer.test.Soak/Call";
// No call takes this long, whatever happens to it.
constexpr std::chrono::seconds kDeadline(60);
// More than a run without faults has, even if the machine stands still for two seconds while the
// callers start 1500 calls a second. Limits the memory of a run with many.
constexpr size_t kMostRemarkable = 5000;

const grpc::ByteBuffer& Request() {
  static const grpc::Slice slice("hello");
  static const grpc::ByteBuffer request(&slice, 1);
  return request;
}

int NumberIn(const grpc::ByteBuffer& bytes) {
  grpc::Slice slice;
  if (!bytes.TrySingleSlice(&slice).ok()) return 0;
  return std::atoi(std::string(slice.begin(), slice.end()).c_str());
}

// The P of "ipv4:127.0.0.1:P", with or without escapes; 0: another text.
int PortOfPeer(const std::string& peer) {
  if (peer.compare(0, 5, "ipv4:") != 0) return 0;
  const size_t colon = peer.rfind(':');
  return std::atoi(peer.c_str() + colon + 1);
}

}  // namespace

void Histogram::Add(Clock::duration time) {
  const int64_t ns = std::max<int64_t>(std::chrono::nanoseconds(time).count(), 1);
  const auto step = static_cast<size_t>(std::log2(static_cast<double>(ns)) * 4);
  ++counts_[std::min(step, counts_.size() - 1)];
  int64_t longest = longest_ns_;
  while (ns > longest && !longest_ns_.compare_exchange_weak(longest, ns)) {
  }
}

double Histogram::Quantile(double share) const {
  uint64_t all = 0;
  for (const auto& count : counts_) all += count;
  const double wanted = share * static_cast<double>(all);
  uint64_t sum = 0;
  for (size_t step = 0; step < counts_.size(); ++step) {
    sum += counts_[step];
    if (static_cast<double>(sum) >= wanted) {
      return std::min(std::exp2(static_cast<double>(step + 1) / 4) / 1e6, longest());
    }
  }
  return longest();
}

void Histogram::Forget() {
  for (auto& count : counts_) count = 0;
  longest_ns_ = 0;
}

// One call: first its headers, then its message and the answer. Each step ends on the thread's
// completion queue.
class Callers::Call {
 public:
  enum Step { kStarted, kWritten, kRead, kFinished };
  struct Tag {
    Call* call;
    Step step;
  };

  Call(Callers* callers, size_t channel, uint64_t number, std::mt19937_64* random,
       grpc::CompletionQueue* queue)
      : callers_(callers), about_{channel, {}, {}, {}, {}, number % 4 == 0, 0} {
    context_.set_deadline(std::chrono::system_clock::now() + kDeadline);
    context_.set_wait_for_ready(about_.wait_for_ready);
    context_.AddMetadata(kHashHeader, std::to_string((*random)()));
    stream_ = grpc::GenericStub(callers->channels_[channel]).PrepareCall(&context_, kMethod, queue);
    ++callers_->running_;
    about_.begin = Clock::now();
    stream_->StartCall(&tags_[kStarted]);
    callers_->tallies_[channel]->starting.Add(Clock::now() - about_.begin);
  }

  // Called when a step has ended. Deletes the call after the last step.
  void Proceed(Step step) {
    switch (step) {
      case kStarted:
        about_.on_wire = Clock::now();
        stream_->WriteLast(Request(), grpc::WriteOptions(), &tags_[kWritten]);
        stream_->Read(&answer_, &tags_[kRead]);
        stream_->Finish(&about_.status, &tags_[kFinished]);
        break;
      case kFinished:
        about_.end = Clock::now();
        break;
      case kWritten:
      case kRead:
        break;
    }
    if (--steps_left_ > 0) return;
    about_.port = PortOfPeer(context_.peer());
    callers_->Ended(about_, NumberIn(answer_));
    --callers_->running_;
    delete this;
  }

 private:
  Callers* const callers_;
  Remarkable about_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream_;
  grpc::ByteBuffer answer_;
  Tag tags_[4] = {{this, kStarted}, {this, kWritten}, {this, kRead}, {this, kFinished}};
  int steps_left_ = 4;
};

Callers::Callers(std::vector<std::shared_ptr<grpc::Channel>> channels, std::vector<int> ports,
                 const Options& options)
    : channels_(std::move(channels)), ports_(std::move(ports)), options_(options) {
  for (size_t i = 0; i < channels_.size(); ++i) {
    tallies_.push_back(std::make_unique<Tally>());
    tallies_.back()->answered = std::vector<std::atomic<bool>>(ports_.size());
    tallies_.back()->latest.resize(ports_.size());
  }
  remarkable_.reserve(kMostRemarkable);
  for (int i = 0; i < options_.threads; ++i) {
    threads_.emplace_back([this, i] { Work(static_cast<uint32_t>(i)); });
  }
}

Callers::~Callers() {
  stopped_ = true;
  for (std::thread& thread : threads_) thread.join();
}

void Callers::BeginSweep() {
  for (const auto& tally : tallies_) {
    for (auto& answered : tally->answered) answered = false;
  }
  mode_ = Mode::kSweep;
}

int Callers::Missing(size_t channel) const {
  const auto& answered = tallies_[channel]->answered;
  return static_cast<int>(std::count(answered.begin(), answered.end(), false));
}

bool Callers::NextChannel(size_t* channel) const {
  const Mode mode = mode_;
  if (mode == Mode::kPause) return false;
  for (size_t tried = 0; tried < channels_.size(); ++tried) {
    *channel = (*channel + 1) % channels_.size();
    if (mode == Mode::kRun || Missing(*channel) > 0) return true;
  }
  return false;
}

void Callers::Work(uint32_t number) {
  grpc::CompletionQueue queue;
  std::mt19937_64 random(number);
  size_t channel = number;
  uint64_t calls = 0;
  const std::chrono::nanoseconds pace(std::chrono::seconds(options_.threads));
  // The threads start one after the other within the time between two calls.
  auto due = std::chrono::system_clock::now() +
             std::chrono::duration_cast<std::chrono::system_clock::duration>(
                 pace / options_.rate * number / options_.threads);
  bool open = true;
  while (open) {
    void* tag;
    bool ok;
    // Waits in the queue instead of sleeping, so that some thread always polls the connections.
    switch (queue.AsyncNext(&tag, &ok, due)) {
      case grpc::CompletionQueue::GOT_EVENT: {
        const auto* const step = static_cast<Call::Tag*>(tag);
        step->call->Proceed(step->step);
        continue;
      }
      case grpc::CompletionQueue::SHUTDOWN:
        open = false;
        continue;
      case grpc::CompletionQueue::TIMEOUT:
        break;
    }
    const int rate = options_.rate * (mode_ == Mode::kSweep ? 3 : 1);
    due += std::chrono::duration_cast<std::chrono::system_clock::duration>(pace / rate);
    // After a standstill of the machine, does not make up for all missed calls at once.
    due = std::max(due, std::chrono::system_clock::now() - std::chrono::milliseconds(100));
    if (stopped_) {
      // The queue may shut down only when no call will add to it.
      if (running_ == 0) queue.Shutdown();
      continue;
    }
    if (NextChannel(&channel)) new Call(this, channel, calls++, &random, &queue);
  }
}

size_t Callers::ServerAt(int port) const {
  return static_cast<size_t>(std::find(ports_.begin(), ports_.end(), port) - ports_.begin());
}

bool Callers::Overtaken(const Remarkable& call, Clock::duration by) const {
  const size_t server = ServerAt(call.port);
  if (server == ports_.size()) return true;
  const Tally& tally = *tallies_[call.channel];
  const std::lock_guard<std::mutex> lock(tally.mutex);
  const auto& latest = tally.latest[server].begin_and_wire;
  return std::any_of(latest.begin(), latest.end(), [&](const auto& other) {
    return other.first > call.begin && other.second < call.on_wire - by;
  });
}

void Callers::Ended(const Remarkable& call, int answer) {
  Tally& tally = *tallies_[call.channel];
  ++tally.calls;
  tally.to_wire.Add(call.on_wire - call.begin);
  if (call.status.ok()) {
    const size_t server = ServerAt(answer);
    if (server < ports_.size()) {
      tally.answered[server] = true;
      const std::lock_guard<std::mutex> lock(tally.mutex);
      Tally::Latest& latest = tally.latest[server];
      latest.begin_and_wire[latest.count++ % latest.begin_and_wire.size()] = {call.begin,
                                                                              call.on_wire};
    }
    if (call.on_wire - call.begin < options_.long_time) return;
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  if (remarkable_.size() < kMostRemarkable) {
    remarkable_.push_back(call);
  } else {
    ++forgotten_;
  }
}

void Callers::Forget() {
  TakeRemarkable();
  forgotten_ = 0;
  for (const auto& tally : tallies_) {
    tally->calls = 0;
    tally->to_wire.Forget();
    tally->starting.Forget();
  }
}

std::vector<Remarkable> Callers::TakeRemarkable() {
  std::vector<Remarkable> taken;
  taken.reserve(kMostRemarkable);
  const std::lock_guard<std::mutex> lock(mutex_);
  taken.swap(remarkable_);
  return taken;
}

}  // namespace steer_soak
