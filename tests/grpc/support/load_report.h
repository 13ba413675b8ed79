// Load reports (ORCA) in the encoding that backends send.
#ifndef STEER_TESTS_GRPC_SUPPORT_LOAD_REPORT_H_
#define STEER_TESTS_GRPC_SUPPORT_LOAD_REPORT_H_

#include <cstring>
#include <string>

namespace steer_test {

// An xds.data.orca.v3.OrcaLoadReport in protobuf's encoding.
class LoadReport {
 public:
  LoadReport& Number(int field, double value) {
    bytes_ += static_cast<char>(field << 3 | 1);
    char raw[sizeof(value)];
    std::memcpy(raw, &value, sizeof(value));
    bytes_.append(raw, sizeof(raw));
    return *this;
  }
  LoadReport& Entry(int field, const std::string& name, double value) {
    LoadReport entry;
    entry.bytes_ += static_cast<char>(1 << 3 | 2);
    entry.bytes_ += static_cast<char>(name.size());
    entry.bytes_ += name;
    entry.Number(2, value);
    bytes_ += static_cast<char>(field << 3 | 2);
    bytes_ += static_cast<char>(entry.bytes_.size());
    bytes_ += entry.bytes_;
    return *this;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_LOAD_REPORT_H_
