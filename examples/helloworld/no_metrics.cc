// Replaces metrics.cc if cpp-httplib is missing.
#include <memory>
#include <string>

#include "metrics.h"

std::unique_ptr<MetricsServer> MetricsServer::Start(int, std::string* error) {
  *error =
      "this program was built without cpp-httplib. Install it (Debian: libcpp-httplib-dev), then "
      "configure and build again";
  return nullptr;
}
