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
    // Without httplib's SO_REUSEPORT, with which two programs could share a port.
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    });
    server_.Get("/", [](const httplib::Request&, httplib::Response& response) {
      response.set_content(
          "Steer's statistics of this process:\n"
          "  /metrics     for Prometheus\n"
          "  /stats.json  for steer-top\n",
          "text/plain");
    });
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
    // stop() has no effect before the thread listens.
    while (!server_.is_running()) std::this_thread::yield();
    server_.stop();
    thread_.join();
  }

  int port() const override { return port_; }

  // Listens on 127.0.0.1 only, so that only programs of this machine can read the statistics.
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
  *error = "cannot listen on 127.0.0.1:" + std::to_string(port) +
           ", which another program may use. Choose another port; 0 takes any free one";
  return nullptr;
}
