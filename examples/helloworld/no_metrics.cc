// In place of metrics.cc where cpp-httplib is missing.
#include <memory>
#include <string>

#include "metrics.h"

std::unique_ptr<MetricsServer> MetricsServer::Start(int, std::string* error) {
  *error =
      "this program was built without cpp-httplib; install it (Debian: libcpp-httplib-dev), "
      "configure and build "
      "again";
  return nullptr;
}
