// What tests with a control plane share: whether they can run, channels, and waiting for calls to
// go where they should.
#include "xds/xds_fixture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace steer_test {
namespace {

// Why this gRPC passes no custom policy on from its control plane. Empty: it does.
std::string WhyNot() {
#ifndef STEER_TEST_WITH_TLS
  return "this gRPC is libgrpc++_unsecure, which has no xDS";
#else
  int major = 0;
  int minor = 0;
  std::sscanf(grpc::Version().c_str(), "%d.%d", &major, &minor);
  if (major > 1 || minor >= 51) return "";
  return "gRPC " + grpc::Version() +
         " is not tested with xDS: 1.51 to 1.54 have custom policies with "
         "GRPC_EXPERIMENTAL_XDS_CUSTOM_LB_CONFIG=true, and 1.55 and later always";
#endif
}

}  // namespace

void XdsTest::SetUp() {
  if (const std::string why = WhyNot(); !why.empty()) GTEST_SKIP() << why;
  if (const std::string why = plane_.Start(); !why.empty()) GTEST_SKIP() << why;
}

std::shared_ptr<grpc::Channel> XdsChannel(const std::string& service) {
  return MakeChannel("xds:///" + service, "");
}

CallResult CallOf(const std::shared_ptr<grpc::Channel>& channel, int user) {
  CallOptions options;
  options.metadata = {{"user", "user " + std::to_string(user)}};
  return Call(channel, options);
}

Counts CountUsers(const std::shared_ptr<grpc::Channel>& channel, int calls) {
  Counts counts;
  for (int user = 0; user < calls; ++user) ++counts[CallOf(channel, user).port];
  return counts;
}

bool WaitForPorts(const std::shared_ptr<grpc::Channel>& channel, const std::vector<int>& ports) {
  const std::set<int> expected(ports.begin(), ports.end());
  std::set<int> answering;
  return WaitUntil([&] {
    for (const auto& [port, count] : CountUsers(channel, 40)) answering.insert(port);
    if (answering == expected) return true;
    // Another one has answered: begins again.
    if (!std::includes(expected.begin(), expected.end(), answering.begin(), answering.end())) {
      answering.clear();
    }
    return false;
  });
}

bool WaitForShares(const std::shared_ptr<grpc::Channel>& channel,
                   const std::map<int, double>& shares) {
  constexpr int kCalls = 400;
  return WaitUntil([&] {
    Counts counts = CountUsers(channel, kCalls);
    for (const auto& [port, share] : shares) {
      // 4 standard deviations of 400 independent calls.
      if (std::abs(counts[port] - share * kCalls) > 40) return false;
    }
    return counts.size() == shares.size();
  });
}

}  // namespace steer_test
