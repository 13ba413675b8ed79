// Parses the faults of a server.
#include "faults.h"

#include <cstddef>
#include <optional>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace gain {
namespace {

constexpr int kStatuses = 17;

std::optional<absl::StatusCode> ParseStatus(absl::string_view name) {
  for (int i = 0; i < kStatuses; ++i) {
    const auto code = static_cast<absl::StatusCode>(i);
    if (absl::StatusCodeToString(code) == name) return code;
  }
  return std::nullopt;
}

// Adds a fault such as "slow=20". Returns whether it is one.
bool Add(absl::string_view text, Faults& faults) {
  const std::pair<absl::string_view, absl::string_view> key_value =
      absl::StrSplit(text, absl::MaxSplits('=', 1));
  const auto [key, value] = key_value;
  if (key == "slow") return absl::SimpleAtod(value, &faults.slow);
  if (key == "hang" && value.empty()) return faults.hang = true;
  if (key == "fail") {
    const auto status = ParseStatus(value);
    faults.fail = status.value_or(faults.fail);
    return status.has_value();
  }
  if (key == "errors") {
    const std::pair<absl::string_view, absl::string_view> share_status = absl::StrSplit(value, ':');
    const auto status = ParseStatus(share_status.second);
    faults.error = status.value_or(faults.error);
    return status.has_value() && absl::SimpleAtod(share_status.first, &faults.error_share);
  }
  return false;
}

std::optional<Phase> ParsePhase(absl::string_view text) {
  const std::vector<absl::string_view> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  Phase phase;
  if (words.empty() || !absl::SimpleAtod(words[0], &phase.begin)) return std::nullopt;
  for (size_t i = 1; i < words.size(); ++i) {
    if (!Add(words[i], phase.faults)) return std::nullopt;
  }
  return phase;
}

}  // namespace

bool AbslParseFlag(absl::string_view text, Schedule* schedule, std::string* error) {
  Schedule parsed;
  for (const absl::string_view part : absl::StrSplit(text, ';', absl::SkipEmpty())) {
    const std::optional<Phase> phase = ParsePhase(part);
    if (!phase) {
      *error = absl::StrCat("expected phases such as \"30 slow=20 errors=0.01:INTERNAL\", not \"",
                            part, "\"");
      return false;
    }
    parsed.phases.push_back(*phase);
  }
  *schedule = std::move(parsed);
  return true;
}

// Only --help uses it, for the default, which is empty.
std::string AbslUnparseFlag(const Schedule&) { return ""; }

}  // namespace gain
