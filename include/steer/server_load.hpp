// Has a gRPC C++ server report what steer_prequal chooses by: its requests in flight (RIF) and its
// latency. Servers need this header alone, and none of Steer's libraries. Written for gRPC 1.46 to
// 1.85, and tested with 1.51.1.
//
//     steer::ServerLoad load;  // outlives the server
//     grpc::ServerBuilder builder;
//     load.AddTo(builder);     // before BuildAndStart
//
// An interceptor counts the server's calls, and adds the report to the trailers of each. A service
// sends it out of band to clients that ask for it (`enableOobLoadReport`).
//
// The report is an xds.data.orca.v3.OrcaLoadReport with two metrics:
//
//     rif      calls that have come and have not ended, without this one
//     latency  in seconds: of the calls that ended lately, the median of those that came when about
//              as many were in flight as now. Absent if there are none.
//
// They are in `named_metrics`. A report out of band has them in `utilization` as well, because
// gRPC before 1.53 reads no other map of it.
//
// A server that also uses gRPC's CallMetricRecorder or OrcaService: gRPC's recorder replaces the
// trailer of this header, and a server cannot have two services of one name. Then add Report() to
// your own reports instead.
//
// Cost: two short locks and about 200 ns for each call. Thread-safe.
//
// Source: Wydrowski et al., "Load is not what you should balance: Introducing Prequal" (NSDI 2024).
//
// Must not depend on: Steer's engine and shim.
#ifndef STEER_SERVER_LOAD_HPP
#define STEER_SERVER_LOAD_HPP

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <grpcpp/support/server_interceptor.h>

#if __has_include(<grpcpp/impl/server_callback_handlers.h>)
#include <grpcpp/impl/server_callback_handlers.h>
#else
#include <grpcpp/impl/codegen/server_callback_handlers.h>
#endif
#if __has_include(<grpcpp/impl/rpc_service_method.h>)
#include <grpcpp/impl/rpc_service_method.h>
#else
#include <grpcpp/impl/codegen/rpc_service_method.h>
#endif

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

// Each library keeps its own copy of what headers define: see steer/text.hpp.
#ifndef STEER_LOCAL
#if defined(__GNUC__)
#define STEER_LOCAL __attribute__((visibility("hidden")))
#else
#define STEER_LOCAL
#endif
#endif

namespace steer {

// Counts the calls of a server, and reports them to its clients. Used by any thread. Outlives its
// server.
class STEER_LOCAL ServerLoad {
 public:
  using Clock = std::chrono::steady_clock;
  using InterceptorFactory = grpc::experimental::ServerInterceptorFactoryInterface;

  ServerLoad() : service_(*this) {}
  ServerLoad(const ServerLoad&) = delete;
  ServerLoad& operator=(const ServerLoad&) = delete;

  // Has this server count its calls and report them, with calls and out of band. Replaces other
  // interceptors of the server: if it has some, use the two functions below.
  void AddTo(grpc::ServerBuilder& builder) {
    std::vector<std::unique_ptr<InterceptorFactory>> factories;
    factories.push_back(Interceptors());
    builder.experimental().SetInterceptorCreators(std::move(factories));
    builder.RegisterService(service());
  }

  // Counts the calls of a server, and adds the report to their trailers.
  std::unique_ptr<InterceptorFactory> Interceptors() { return std::make_unique<Factory>(*this); }

  // Reports out of band.
  grpc::Service* service() { return &service_; }

  // Calls that have come and have not ended.
  uint64_t InFlight() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return in_flight_;
  }

  // A serialised xds.data.orca.v3.OrcaLoadReport: what calls carry.
  std::string Report() const { return Encoded({kNamedMetrics}); }

 private:
  // The numbers of the maps in OrcaLoadReport.
  static constexpr int kUtilization = 5;
  static constexpr int kNamedMetrics = 8;

  // Of requests that ended lately, the median latency of those that came at about the same RIF.
  class LatencyByRif {
   public:
    void Ended(uint64_t rif, Clock::duration latency, Clock::time_point now) {
      Level& level = levels_[LevelOf(rif)];
      level.requests[level.count++ % kRequests] = {now, latency};
    }

    // With so many requests in flight. Nothing if none has ended lately.
    std::optional<Clock::duration> At(uint64_t rif, Clock::time_point now) const {
      const size_t near = LevelOf(rif);
      // The nearest level, of two equally near ones the lower.
      for (size_t distance = 0; distance < kLevels; ++distance) {
        if (distance <= near) {
          if (const auto median = MedianOf(levels_[near - distance], now)) return median;
        }
        if (near + distance < kLevels) {
          if (const auto median = MedianOf(levels_[near + distance], now)) return median;
        }
      }
      return std::nullopt;
    }

   private:
    // The requests that are kept for each level. The median of 16 is within a fourth of the true
    // one for most distributions of latencies.
    static constexpr size_t kRequests = 16;
    // Levels are 0 to 7, and then four for each power of two, up to 2^20.
    static constexpr size_t kLevels = 8 + 4 * 17;
    // Older requests do not count.
    static constexpr std::chrono::seconds kLately{5};

    struct Level {
      struct Request {
        Clock::time_point ended;
        Clock::duration latency;
      };
      std::array<Request, kRequests> requests;
      size_t count = 0;
    };

    static size_t LevelOf(uint64_t rif) {
      if (rif < 8) return static_cast<size_t>(rif);
      size_t power = 3;
      while (power < 63 && rif >> (power + 1) != 0) ++power;
      const size_t quarter = rif >> (power - 2) & 3;
      return std::min(8 + (power - 3) * 4 + quarter, kLevels - 1);
    }

    static std::optional<Clock::duration> MedianOf(const Level& level, Clock::time_point now) {
      std::array<Clock::duration, kRequests> latencies;
      size_t count = 0;
      for (size_t i = 0; i < std::min(level.count, kRequests); ++i) {
        const auto& request = level.requests[i];
        if (now - request.ended <= kLately) latencies[count++] = request.latency;
      }
      if (count == 0) return std::nullopt;
      const auto middle = latencies.begin() + (count - 1) / 2;
      std::nth_element(latencies.begin(), middle, latencies.begin() + count);
      return *middle;
    }

    std::array<Level, kLevels> levels_;
  };

  // One call. Made when it comes, and destroyed when gRPC forgets it.
  class CallInterceptor final : public grpc::experimental::Interceptor {
   public:
    explicit CallInterceptor(ServerLoad& load) : load_(load), came_(Clock::now()) {
      const std::lock_guard<std::mutex> lock(load_.mutex_);
      rif_ = load_.in_flight_++;
    }
    ~CallInterceptor() override { End(false); }

    void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
      using Points = grpc::experimental::InterceptionHookPoints;
      if (methods->QueryInterceptionHookPoint(Points::PRE_SEND_STATUS)) {
        // Failures are often quicker than answers, and say nothing about the next call.
        End(methods->GetSendStatus().ok());
        // Of two messages in a row, protobuf takes the fields of both.
        auto* const trailers = methods->GetSendTrailingMetadata();
        const auto found = trailers->find(kTrailer);
        if (found != trailers->end()) {
          found->second += load_.Report();
        } else {
          trailers->emplace(kTrailer, load_.Report());
        }
      }
      methods->Proceed();
    }

   private:
    static constexpr char kTrailer[] = "endpoint-load-metrics-bin";

    void End(bool answered) {
      if (std::exchange(ended_, true)) return;
      const auto now = Clock::now();
      const std::lock_guard<std::mutex> lock(load_.mutex_);
      --load_.in_flight_;
      if (answered) load_.latency_.Ended(rif_, now - came_, now);
    }

    ServerLoad& load_;
    const Clock::time_point came_;
    uint64_t rif_;
    bool ended_ = false;
  };

  class Factory final : public InterceptorFactory {
   public:
    explicit Factory(ServerLoad& load) : load_(load) {}

    grpc::experimental::Interceptor* CreateServerInterceptor(
        grpc::experimental::ServerRpcInfo* info) override {
      // Streams of reports and of health checks last as long as their connections.
      const std::string method = info->method();
      const bool lasts = method == kStream || method == "/grpc.health.v1.Health/Watch";
      return lasts ? nullptr : new CallInterceptor(load_);
    }

   private:
    ServerLoad& load_;
  };

  static constexpr char kStream[] = "/xds.service.orca.v3.OpenRcaService/StreamCoreMetrics";

  // A stream of reports to one client. At any time, gRPC owes it one event: the end of a write or
  // the alarm. Ends with the stream.
  class Stream final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
   public:
    Stream(ServerLoad& load, std::chrono::nanoseconds interval)
        : load_(load), interval_(std::max(interval, std::chrono::nanoseconds(kLeastInterval))) {
      Send();
    }

    void OnWriteDone(bool ok) override {
      if (!ok || !SetAlarm()) Finish(grpc::Status::CANCELLED);
    }

    void OnCancel() override {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        cancelled_ = true;
      }
      // From here on, there is no other alarm.
      if (alarm_ != nullptr) alarm_->Cancel();
    }

    void OnDone() override { delete this; }

   private:
    // Clients that ask for more reports get so many.
    static constexpr std::chrono::milliseconds kLeastInterval{5};

    void Send() {
      const grpc::Slice slice(load_.Encoded({kNamedMetrics, kUtilization}));
      report_ = grpc::ByteBuffer(&slice, 1);
      StartWrite(&report_);
    }

    // Returns false if the stream was cancelled.
    bool SetAlarm() {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (cancelled_) return false;
      const bool is_first = alarm_ == nullptr;
      alarm_ = std::make_unique<grpc::Alarm>();
      const auto interval = std::chrono::duration_cast<std::chrono::system_clock::duration>(
          is_first ? interval_ * load_.NextPhase() : interval_);
      alarm_->Set(std::chrono::system_clock::now() + interval, [this](bool fired) {
        if (fired) {
          Send();
        } else {
          Finish(grpc::Status::CANCELLED);
        }
      });
      return true;
    }

    ServerLoad& load_;
    const std::chrono::duration<double, std::nano> interval_;
    grpc::ByteBuffer report_;
    std::mutex mutex_;
    bool cancelled_ = false;
    std::unique_ptr<grpc::Alarm> alarm_;
  };

  // xds.service.orca.v3.OpenRcaService.
  class Service final : public grpc::Service {
   public:
    explicit Service(ServerLoad& load) {
      using Handler =
          grpc::internal::CallbackServerStreamingHandler<grpc::ByteBuffer, grpc::ByteBuffer>;
      AddMethod(new grpc::internal::RpcServiceMethod(
          kStream, grpc::internal::RpcMethod::SERVER_STREAMING, nullptr));
      MarkMethodCallback(
          0, new Handler([&load](grpc::CallbackServerContext*, const grpc::ByteBuffer* request) {
            return new Stream(load, IntervalOf(*request));
          }));
    }
  };

  // The interval of an OrcaLoadReportRequest: its field 1, a google.protobuf.Duration. A second if
  // there is none.
  static std::chrono::nanoseconds IntervalOf(const grpc::ByteBuffer& request) {
    grpc::Slice slice;
    if (!request.DumpToSingleSlice(&slice).ok()) return std::chrono::seconds(1);
    const uint8_t* at = slice.begin();
    const auto varint = [&] {
      uint64_t value = 0;
      for (int shift = 0; at < slice.end() && shift < 64; shift += 7) {
        const uint8_t byte = *at++;
        value |= uint64_t{byte & 127u} << shift;
        if (byte < 128) break;
      }
      return value;
    };
    std::array<uint64_t, 2> seconds_and_nanos = {};
    // The tag and the length of field 1, whose own fields are numbers.
    if (varint() == (1 << 3 | 2)) varint();
    while (at < slice.end()) {
      const uint64_t field = varint() >> 3;
      const uint64_t value = varint();
      if (field == 1 || field == 2) seconds_and_nanos[field - 1] = value;
    }
    const auto [seconds, nanos] = seconds_and_nanos;
    if (seconds == 0 && nanos == 0) return std::chrono::seconds(1);
    return std::chrono::seconds(std::min<uint64_t>(seconds, 3600)) +
           std::chrono::nanoseconds(std::min<uint64_t>(nanos, 999'999'999));
  }

  // A number from 0 to 1, evenly spread over the streams of the server. The second report of each
  // comes after this share of its interval. Otherwise clients that connect together would get
  // theirs together, and all would choose the same server until the next ones.
  double NextPhase() {
    const std::lock_guard<std::mutex> lock(mutex_);
    // By the golden ratio, in units of 2^-64.
    phase_ += 0x9e3779b97f4a7c15;
    return static_cast<double>(phase_ >> 11) / static_cast<double>(uint64_t{1} << 53);
  }

  // The report, with the metrics in these maps.
  std::string Encoded(std::initializer_list<int> maps) const {
    uint64_t rif;
    std::optional<Clock::duration> latency;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      rif = in_flight_;
      latency = latency_.At(rif, Clock::now());
    }
    std::string report;
    for (const int map : maps) {
      AddMetric(report, map, "rif", static_cast<double>(rif));
      if (latency.has_value()) {
        AddMetric(report, map, "latency", std::chrono::duration<double>(*latency).count());
      }
    }
    return report;
  }

  // An entry of a map: field 1 is its name, field 2 its value.
  static void AddMetric(std::string& report, int map, const std::string& name, double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    std::string entry = {1 << 3 | 2, static_cast<char>(name.size())};
    entry += name;
    entry += static_cast<char>(2 << 3 | 1);
    for (int shift = 0; shift < 64; shift += 8) entry += static_cast<char>(bits >> shift & 255);
    report += static_cast<char>(map << 3 | 2);
    report += static_cast<char>(entry.size());
    report += entry;
  }

  mutable std::mutex mutex_;
  // The following are guarded by it.
  uint64_t in_flight_ = 0;
  uint64_t phase_ = uint64_t{std::random_device()()} << 32;
  LatencyByRif latency_;

  Service service_;
};

}  // namespace steer

#endif  // STEER_SERVER_LOAD_HPP
