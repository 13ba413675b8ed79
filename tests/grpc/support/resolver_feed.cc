// The only file of the end-to-end tests that uses gRPC's core, through core_generation.h.
//
// Must not depend on: Steer.
#include "support/resolver_feed.h"

#include <atomic>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include "absl/status/status.h"
#include "support/core_generation.h"

namespace steer_test {
namespace {

const char kScheme[] = "feed";

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

absl::Status ToAbsl(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

}  // namespace

// Has a name, because it is part of a type that has one.
namespace feed {

struct Item {
  ResolverFeed::Result result;
  // Null for a result that is handed out again.
  std::shared_ptr<std::promise<grpc::Status>> accepted;
};

class FeedResolver;

}  // namespace feed
using feed::FeedResolver;
using feed::Item;

// Shared by a feed and its resolver. The resolver may start late, start again, or have ended.
class ResolverFeed::State {
 public:
  void Add(Item item);
  void Attach(FeedResolver* resolver);
  void Detach(FeedResolver* resolver);
  // The next result to report, if there is one.
  bool Take(Item* item);

  std::atomic<int> reresolution_requests{0};

 private:
  std::mutex mutex_;
  std::deque<Item> items_;
  Result last_;
  bool has_last_ = false;
  FeedResolver* resolver_ = nullptr;
};

namespace {

// All existing feeds, by the path of their targets.
class Feeds {
 public:
  static Feeds& Get() {
    static Feeds* const feeds = new Feeds;
    return *feeds;
  }

  std::string Add(const std::shared_ptr<ResolverFeed::State>& state) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::string path = std::to_string(next_++);
    feeds_[path] = state;
    return path;
  }

  std::shared_ptr<ResolverFeed::State> Find(const std::string& path) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto it = feeds_.find(path);
    return it == feeds_.end() ? nullptr : it->second.lock();
  }

 private:
  std::mutex mutex_;
  int next_ = 1;
  std::map<std::string, std::weak_ptr<ResolverFeed::State>> feeds_;
};

}  // namespace

class feed::FeedResolver : public grpc_core::Resolver {
 public:
  FeedResolver(grpc_core::ResolverArgs args, std::shared_ptr<ResolverFeed::State> state)
      : args_(steer_testing::FromCarried(args.args)),
        work_serializer_(std::move(args.work_serializer)),
        result_handler_(std::move(args.result_handler)),
        state_(std::move(state)) {}

  void StartLocked() override { state_->Attach(this); }

  void RequestReresolutionLocked() override { ++state_->reresolution_requests; }

  grpc_core::RefCountedPtr<grpc_core::Resolver> Hold() { return Ref(); }

  // Reports waiting results in the work serializer. Any thread that holds a reference.
  void Wake() {
    Ref().release();
    work_serializer_->Run(
        [this] {
          ReportLocked();
          Unref();
        },
        DEBUG_LOCATION);
  }

 private:
  void ShutdownLocked() override {
    shut_down_ = true;
    state_->Detach(this);
  }

  // Reports one result. gRPC allows the next one only after it has accepted this one.
  void ReportLocked() {
    Item item;
    if (shut_down_ || reporting_ || !state_->Take(&item)) return;
    reporting_ = true;
    grpc_core::Resolver::Result result;
    if (item.result.error.ok()) {
      steer_testing::AddressList addresses;
      for (const int port : item.result.ports) {
        const ResolverFeed::About& about = item.result.about[port];
        grpc_core::ChannelArgs args;
        for (const auto& [key, text] : about.texts) args = args.Set(key, text);
        for (const auto& [key, integer] : about.integers) args = args.Set(key, integer);
        if (!about.hash_key.empty()) args = steer_testing::WithHashKey(args, about.hash_key);
        const auto& [region, zone, sub_zone] = about.locality;
        if (!region.empty()) args = steer_testing::WithLocality(args, region, zone, sub_zone);
        addresses.push_back(steer_testing::MakeAddress(static_cast<uint16_t>(port), args,
                                                       static_cast<uint32_t>(about.weight)));
      }
      result.addresses = std::move(addresses);
    } else {
      result.addresses = ToAbsl(item.result.error);
    }
    if (!item.result.service_config.empty()) {
      result.service_config = steer_testing::ParseServiceConfig(args_, item.result.service_config);
    }
    result.resolution_note = item.result.note;
    result.args = steer_testing::ToCarried(args_);
    steer_testing::ReportResult(
        result_handler_.get(), std::move(result),
        [self = Ref(), accepted = item.accepted](const absl::Status& status) {
          if (accepted != nullptr) accepted->set_value(ToGrpc(status));
          auto* resolver = static_cast<FeedResolver*>(self.get());
          resolver->reporting_ = false;
          resolver->Wake();
        });
  }

  const grpc_core::ChannelArgs args_;
  const std::shared_ptr<grpc_core::WorkSerializer> work_serializer_;
  const std::unique_ptr<ResultHandler> result_handler_;
  const std::shared_ptr<ResolverFeed::State> state_;
  // Used in the work serializer only.
  bool reporting_ = false;
  bool shut_down_ = false;
};

namespace {

class FeedResolverFactory : public grpc_core::ResolverFactory {
 public:
  absl::string_view scheme() const override { return kScheme; }

  bool IsValidUri(const grpc_core::URI& uri) const override { return Find(uri) != nullptr; }

  grpc_core::OrphanablePtr<grpc_core::Resolver> CreateResolver(
      grpc_core::ResolverArgs args) const override {
    std::shared_ptr<ResolverFeed::State> state = Find(args.uri);
    if (state == nullptr) return nullptr;
    return grpc_core::MakeOrphanable<FeedResolver>(std::move(args), std::move(state));
  }

 private:
  static std::shared_ptr<ResolverFeed::State> Find(const grpc_core::URI& uri) {
    return Feeds::Get().Find(std::string(absl::StripPrefix(uri.path(), "/")));
  }
};

}  // namespace

void ResolverFeed::State::Add(Item item) {
  // The work serializer may run its work on this thread.
  const steer_testing::CallbackScope scope;
  grpc_core::RefCountedPtr<grpc_core::Resolver> resolver;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    items_.push_back(std::move(item));
    if (resolver_ != nullptr) resolver = resolver_->Hold();
  }
  if (resolver != nullptr) static_cast<FeedResolver*>(resolver.get())->Wake();
}

void ResolverFeed::State::Attach(FeedResolver* resolver) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    resolver_ = resolver;
    if (items_.empty() && has_last_) items_.push_back({last_, nullptr});
  }
  resolver->Wake();
}

void ResolverFeed::State::Detach(FeedResolver* resolver) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (resolver_ == resolver) resolver_ = nullptr;
}

bool ResolverFeed::State::Take(Item* item) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (items_.empty()) return false;
  *item = std::move(items_.front());
  items_.pop_front();
  last_ = item->result;
  has_last_ = true;
  return true;
}

void RegisterFeedResolver() {
  steer_testing::RegisterResolverFactory([] { return std::make_unique<FeedResolverFactory>(); });
}

ResolverFeed::ResolverFeed() : state_(std::make_shared<State>()), path_(Feeds::Get().Add(state_)) {}

ResolverFeed::~ResolverFeed() = default;

std::string ResolverFeed::target() const { return std::string(kScheme) + ":///" + path_; }

std::future<grpc::Status> ResolverFeed::Feed(Result result) {
  auto accepted = std::make_shared<std::promise<grpc::Status>>();
  std::future<grpc::Status> future = accepted->get_future();
  state_->Add({std::move(result), std::move(accepted)});
  return future;
}

std::future<grpc::Status> ResolverFeed::FeedPorts(const std::vector<int>& ports) {
  Result result;
  result.ports = ports;
  return Feed(std::move(result));
}

int ResolverFeed::reresolution_requests() const { return state_->reresolution_requests; }

}  // namespace steer_test
