// Starts tests/grpc/backend.cc as a process, and sends its commands.
#include "support/backend.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <sstream>

#include "support/wait.h"

namespace steer_test {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "backend: %s\n", what.c_str());
  std::abort();
}

std::string ToHex(const std::string& bytes) {
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

// SO_REUSEADDR allows several sockets on one port as long as only one of them listens.
int BoundSocket(int port, int* bound_port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  socklen_t length = sizeof(address);
  if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
      bind(fd, reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    Die("cannot bind a port of 127.0.0.1");
  }
  if (bound_port != nullptr) *bound_port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

std::string StaticTarget(const std::vector<int>& ports) {
  std::string target = "ipv4:";
  for (size_t i = 0; i < ports.size(); ++i) {
    target += (i == 0 ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(ports[i]);
  }
  return target;
}

ReservedPort::ReservedPort() : fd_(BoundSocket(0, &port_)) {}

ReservedPort::~ReservedPort() { close(fd_); }

MuteListener::Socket::~Socket() { close(fd); }

MuteListener::MuteListener() : listener_{BoundSocket(port_.port(), nullptr)} {
  if (listen(listener_.fd, SOMAXCONN) != 0) Die("cannot listen");
}

Backend::Backend() : Backend(Options()) {}

Backend::Backend(const Options& options) : options_(options) {
  if (options_.started) Start();
}

void Backend::Start() {
  std::vector<std::string> argv = {STEER_TEST_BACKEND, "--port=" + std::to_string(port())};
  if (!options_.health_service.empty()) argv.push_back("--health=" + options_.health_service);
  if (!options_.tls_certificate.empty()) {
    argv.push_back("--tls-certificate=" + options_.tls_certificate);
    argv.push_back("--tls-key=" + options_.tls_key);
  }
  argv.push_back("--delay-ms=" + std::to_string(options_.delay.count()));
  argv.push_back("--max-streams=" + std::to_string(options_.max_streams));
  process_ = std::make_unique<ChildProcess>(argv);
  const std::optional<std::string> line = process_->ReadLine(kPatience);
  if (line != "LISTENING " + std::to_string(port())) {
    Die("did not start; it said: " + line.value_or("nothing"));
  }
}

void Backend::Shutdown() {
  process_->WriteLine("shutdown");
  if (process_->Wait(kPatience) != 0) Die("did not shut down");
}

void Backend::Kill() { process_->Kill(); }

void Backend::SetHealth(bool serving) {
  Command(serving ? "health serving" : "health not_serving");
}

void Backend::SetFailing(bool failing) { Command(failing ? "failing on" : "failing off"); }

void Backend::SetDelay(std::chrono::milliseconds delay) {
  Command("delay " + std::to_string(delay.count()));
}

void Backend::SetTrailer(const std::string& report) { Command("trailer " + ToHex(report)); }

void Backend::SetReport(const std::string& report) { Command("report " + ToHex(report)); }

void Backend::Record(double cpu, double application, double qps, double eps) {
  std::ostringstream line;
  line << "record " << cpu << ' ' << application << ' ' << qps << ' ' << eps;
  Command(line.str());
}

void Backend::Command(const std::string& line) {
  process_->WriteLine(line);
  const std::optional<std::string> answer = process_->ReadLine(kPatience);
  if (answer != "OK") Die("'" + line + "' was answered by: " + answer.value_or("nothing"));
}

Backends::Backends(int count, const Backend::Options& options) {
  for (int i = 0; i < count; ++i) backends_.push_back(std::make_unique<Backend>(options));
}

std::vector<int> Backends::ports() const {
  std::vector<int> ports;
  ports.reserve(backends_.size());
  for (const auto& backend : backends_) ports.push_back(backend->port());
  return ports;
}

}  // namespace steer_test
