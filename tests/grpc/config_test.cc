// What a service config's faults look like to the application: at the RPC.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>

#include "support/policy_fixture.h"

namespace steer_test {
namespace {

using testing::HasSubstr;

class Config : public PolicyTest {
};
STEER_FOR_EACH_POLICY(Config);

TEST_P(Config, Probe) {
  Backends backends(1);
  for (std::string c : {"\"yes\"", "[]", "null", "5", "{\"a\":1}"}) {
    auto ch = MakeChannel(StaticTarget(backends.ports()), ServiceConfig(policy(), c));
    auto s = Call(ch).status;
    std::cout << "DEFAULT " << c << " -> " << s.error_code() << " " << s.error_message() << "\n";
    ResolverFeed feed;
    ResolverFeed::Result r; r.ports = backends.ports(); r.service_config = ServiceConfig(policy(), c);
    auto f = feed.Feed(r);
    ch = MakeChannel(feed.target(), "");
    s = Call(ch).status;
    std::cout << "RESOLVER " << c << " -> " << s.error_code() << " " << s.error_message() << " | accepted " << f.get().error_message() << "\n";
    ch = MakeChannel(StaticTarget(backends.ports()), ServiceConfig("outlier_detection_experimental", "{\"interval\":5,\"childPolicy\":[{\"" + policy() + "\":" + c + "}]}"));
    s = Call(ch).status;
    std::cout << "OD " << c << " -> " << s.error_code() << " " << s.error_message() << "\n";
  }
}

}  // namespace
}  // namespace steer_test
