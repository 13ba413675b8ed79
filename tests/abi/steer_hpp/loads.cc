// Load reports out of band: of a picker and of a policy.
#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "checks.h"

namespace steer_hpp_test {

namespace {

// A report of an engine with a longer steer_metric.
struct LongerMetric {
  steer_metric known;
  double later;
};

double policy_qps;

class Loaded final : public steer::Policy {
 public:
  explicit Loaded(steer::PolicyChannel channel) : channel_(channel) {
    channel_.RequestLoadReports(std::chrono::milliseconds(5));
  }
  steer::Code Update(const steer::Resolved&) override {
    channel_.Connect(channel_.NewEndpoint(0));
    return steer::Code::kOk;
  }
  void EndpointReport(uint64_t endpoint, steer_state state, steer::Code,
                      std::string_view) override {
    const std::vector<uint64_t> all = {endpoint};
    if (state != STEER_READY) return;
    channel_.Publish(state, all, [](const steer::Call&) { return steer::Choice::Complete(0); });
  }
  void LoadReported(uint64_t, const steer::LoadReport& report) override {
    policy_qps = report.qps();
  }

 private:
  const steer::PolicyChannel channel_;
};

}  // namespace

int32_t RegisterLoaded(const steer_api* api) {
  const auto none = [](const steer::Json&) { return 0; };
  const auto policy = [](steer::PolicyChannel channel) {
    return std::make_unique<Loaded>(channel);
  };
  const int32_t status = steer::RegisterPolicy(api, "loaded_policy", none, policy);
  if (status != STEER_OK) return status;
  return steer::Picker("loaded")
      .ChannelState([](steer::Channel channel) {
        channel.RequestLoadReports(std::chrono::milliseconds(20));
        return channel;
      })
      .BackendData([](steer::Channel&, const steer::Backend&) { return 1e9; })
      .OnLoadReport([](steer::Channel& channel, const steer::Backend& backend,
                       const steer::LoadReport& report) {
        std::string names;
        report.ForEachNamed([&](std::string_view name, double) { names += name; });
        CHECK(names == "otherqueue_depth");
        CHECK(!report.Named("none") && !report.Utilization("queue_depth"));
        CHECK(!report.RequestCost("queue_depth") && report.cpu_utilization() == 0.25);
        backend.data<double>() = report.Named("queue_depth").value_or(-1);
        channel.Rebuild();
      })
      .Register(api, [](auto& build) {
        size_t best = 0;
        for (size_t i = 1; i < build.backends.size(); ++i) {
          const auto depth = [&](size_t at) { return build.backends[at].template data<double>(); };
          if (depth(i) < depth(best)) best = i;
        }
        return [best](const steer::Call&) { return steer::Choice::Complete(best); };
      });
}

void CheckLoads() {
  const Kit kit = ChannelOf("loaded");
  CHECK(kit->load_reports_ns == 20000000);
  CHECK(steer_testkit_pick_one(kit.get(), nullptr).backend == 0);
  const steer_metric other = {sizeof(LongerMetric), STEER_TEXT("other"), 1};
  const steer_metric depth = {sizeof(LongerMetric), STEER_TEXT("queue_depth"), 3};
  const LongerMetric named[] = {{other, 0}, {depth, 0}};
  steer_metrics report = {};
  report.struct_size = sizeof report;
  report.cpu_utilization = 0.25;
  report.named = &named[0].known;
  report.named_count = 2;
  const steer::LoadReport own(&report);
  CHECK(own && own.Named("queue_depth") == 3 && !own.Named("later"));
  CHECK(!steer::LoadReport(nullptr) && steer::LoadReport(nullptr).qps() == 0);
  steer_testkit_load(kit.get(), 1, &report);
  CHECK(steer_testkit_pick_one(kit.get(), nullptr).backend == 1);

  const Kit policy = ChannelOf("loaded_policy");
  CHECK(policy->load_reports_ns == 5000000);
  report.qps = 7;
  steer_testkit_load(policy.get(), 0, &report);
  CHECK(policy_qps == 7);
}

}  // namespace steer_hpp_test
