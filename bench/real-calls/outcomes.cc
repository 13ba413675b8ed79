// Counts outcomes and writes them as JSON. No string needs escaping, because statuses are names.
#include "outcomes.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace gain {
namespace {

using Counts = std::map<std::string, int64_t>;

std::string Json(const Counts& counts) {
  return absl::StrCat("{",
                      absl::StrJoin(counts, ", ",
                                    [](std::string* out, const auto& count) {
                                      absl::StrAppend(out, "\"", count.first, "\": ", count.second);
                                    }),
                      "}");
}

// Returns quantiles of ascending times; null if there is none.
std::string Quantiles(const std::vector<int64_t>& us) {
  if (us.empty()) return "null";
  const auto at = [&us](double quantile) {
    const auto rank = static_cast<size_t>(std::ceil(quantile * static_cast<double>(us.size())));
    return static_cast<double>(us[std::max<size_t>(rank, 1) - 1]) / 1000;
  };
  return absl::StrCat("{\"p50\": ", at(0.5), ", \"p90\": ", at(0.9), ", \"p95\": ", at(0.95),
                      ", \"p99\": ", at(0.99), ", \"p99.9\": ", at(0.999), ", \"max\": ", at(1),
                      "}");
}

std::vector<int64_t> Ascending(const std::vector<Outcome>& outcomes,
                               std::chrono::nanoseconds Outcome::*time) {
  std::vector<int64_t> us;
  us.reserve(outcomes.size());
  for (const Outcome& outcome : outcomes) {
    if (outcome.status != kUnfinished) us.push_back((outcome.*time).count() / 1000);
  }
  std::sort(us.begin(), us.end());
  return us;
}

}  // namespace

void WriteJson(const std::vector<Outcome>& outcomes, const Cost& cost, std::ostream& out) {
  Counts statuses;
  for (const Outcome& outcome : outcomes) ++statuses[outcome.status];

  out << "{\"calls\": " << outcomes.size() << ",\n \"statuses\": " << Json(statuses);
  if (!outcomes.empty()) {
    const std::vector<int64_t> latencies = Ascending(outcomes, &Outcome::latency);
    out << ",\n \"latency_ms\": " << Quantiles(latencies)
        << ",\n \"late_ms\": " << Quantiles(Ascending(outcomes, &Outcome::late))
        << ",\n \"latencies_us\": [" << absl::StrJoin(latencies, ",") << "]";
  }
  out << ",\n \"made\": " << cost.made << ", \"cpu_s\": " << cost.cpu_seconds << "}" << std::endl;
}

}  // namespace gain
