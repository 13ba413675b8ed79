#include "metrics.h"

#include <httplib.h>
#include <steer/grpc.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace {

class HttpServer final : public MetricsServer {
 public:
  HttpServer() {
    server_.Get("/metrics", [](const httplib::Request&, httplib::Response& response) {
      response.set_content(steer::StatsPrometheus(),
                           "application/openmetrics-text; version=1.0.0; charset=utf-8");
    });
    server_.Get("/stats.json", [](const httplib::Request&, httplib::Response& response) {
      response.set_content(steer::StatsJson(), "application/json");
    });
  }

  ~HttpServer() override {
    if (!thread_.joinable()) return;
    // A stop that comes before the thread listens would be lost.
    while (!server_.is_running()) std::this_thread::yield();
    server_.stop();
    thread_.join();
  }

  int port() const override { return port_; }

  // Only this machine's own programs are to see it.
  bool Listen(int port) {
    port_ = port == 0 ? server_.bind_to_any_port("127.0.0.1")
                      : (server_.bind_to_port("127.0.0.1", port) ? port : -1);
    if (port_ < 0) return false;
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    return true;
  }

 private:
  httplib::Server server_;
  std::thread thread_;
  int port_ = -1;
};

}  // namespace

std::unique_ptr<MetricsServer> MetricsServer::Start(int port, std::string* error) {
  auto server = std::make_unique<HttpServer>();
  if (server->Listen(port)) return server;
  *error = "cannot serve on 127.0.0.1:" + std::to_string(port) + "; is the port in use?";
  return nullptr;
}
