// For hosts of the engine that are written in C++: the latest list of endpoints, and how it differs
// from the one before it.
//
// The general flow is: a resolver's update arrives, Replace compares it with the latest list, the
// host describes only the endpoints that are new, and passes the indices on as
// steer_update.former.
//
// Must not include: anything of gRPC's, or of the C ABI's.
#ifndef STEER_HOST_LIST_HPP
#define STEER_HOST_LIST_HPP

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <memory_resource>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace steer::host {

// In a list of former indices: an endpoint that is new. See steer_update.former.
constexpr uint32_t kNewEndpoint = UINT32_MAX;

// The endpoints of the latest update, as the host's own type. `Value` has operator==.
//
// Endpoints may hold the pointers as long as they like. A value that is in two successive lists
// stays the same object, so comparing pointers mostly suffices.
//
// One thread at a time.
template <typename Value>
class LatestList {
 public:
  using Ptr = std::shared_ptr<const Value>;

  size_t size() const { return values_.size(); }
  const Ptr& operator[](size_t index) const { return values_[index]; }
  void clear() { values_.clear(); }

  // Makes another list the latest one. Returns, for each of its endpoints, the index in the list
  // that was the latest until now, or kNewEndpoint. No index is there twice, so duplicates are
  // counted.
  //
  //   for_each(visit)   calls visit(const Value&) for each endpoint in order. It is called once or
  //                     twice, and must visit the same values both times.
  //   key_of(value)     a std::string_view into `value` that hardly two endpoints have in common.
  //                     Equal values have equal keys.
  //
  // Copies only the values that are not found near their former place: those that are new, and
  // those that have moved.
  template <typename ForEach, typename KeyOf>
  std::vector<uint32_t> Replace(const ForEach& for_each, const KeyOf& key_of) {
    size_t count = 0;
    Replacement replacement;
    replacement.former = SamePrefix(for_each, &count);
    const size_t same = replacement.former.size();
    if (same == count && same == values_.size()) return std::move(replacement.former);
    replacement.old_values = std::exchange(values_, {});
    values_.reserve(count);
    const auto begin = std::make_move_iterator(replacement.old_values.begin());
    values_.assign(begin, begin + static_cast<ptrdiff_t>(same));
    MatchInOrder(for_each, &replacement);
    if (!replacement.missed.empty()) MatchByKey(key_of, &replacement);
    return std::move(replacement.former);
  }

 private:
  struct Replacement {
    // The former list. Null: the value is in the latest list already.
    std::vector<Ptr> old_values;
    // The result so far.
    std::vector<uint32_t> former;
    // The indices in the latest list that MatchInOrder did not find.
    std::vector<size_t> missed;
  };

  // Returns the indices of those at the beginning that are unchanged: in most updates, all of them.
  // Puts the number of values into `*count`.
  template <typename ForEach>
  std::vector<uint32_t> SamePrefix(const ForEach& for_each, size_t* count) const {
    std::vector<uint32_t> former;
    former.reserve(values_.size());
    for_each([&](const Value& value) {
      const size_t index = (*count)++;
      if (former.size() == index && index < values_.size() && *values_[index] == value) {
        former.push_back(static_cast<uint32_t>(index));
      }
    });
    return former;
  }

  // Adds the values after those that `values_` has. Looks for each of them at three places of the
  // former list: the next one, the one after it (one value was removed), and as many further as
  // values were missed since the last match (those have replaced others).
  template <typename ForEach>
  void MatchInOrder(const ForEach& for_each, Replacement* replacement) {
    auto& [old_values, former, missed] = *replacement;
    const size_t same = values_.size();
    size_t next = same;
    size_t missed_since_match = 0;
    size_t index = 0;
    for_each([&, &old_values = old_values, &former = former, &missed = missed](const Value& value) {
      if (index++ < same) return;
      for (const size_t place : {next, next + 1, next + missed_since_match}) {
        if (place >= old_values.size() || !(*old_values[place] == value)) continue;
        values_.push_back(std::move(old_values[place]));
        former.push_back(static_cast<uint32_t>(place));
        next = place + 1;
        missed_since_match = 0;
        return;
      }
      ++missed_since_match;
      missed.push_back(former.size());
      values_.push_back(std::make_shared<const Value>(value));
      former.push_back(kNewEndpoint);
    });
  }

  // Looks for the missed values among all that are left of the former list: they have moved. Those
  // that are not there are new.
  template <typename KeyOf>
  void MatchByKey(const KeyOf& key_of, Replacement* replacement) {
    auto& [old_values, former, missed] = *replacement;
    std::pmr::monotonic_buffer_resource memory;
    std::pmr::unordered_multimap<std::string_view, uint32_t> left(&memory);
    left.reserve(old_values.size() - (former.size() - missed.size()));
    for (size_t i = 0; i < old_values.size(); ++i) {
      if (old_values[i] != nullptr) left.emplace(key_of(*old_values[i]), static_cast<uint32_t>(i));
    }
    for (const size_t index : missed) {
      Ptr& value = values_[index];
      const auto [first, last] = left.equal_range(key_of(*value));
      auto found = first;
      while (found != last && !(*old_values[found->second] == *value)) ++found;
      if (found == last) continue;
      former[index] = found->second;
      // After this the key in `left` views into *value, which the list owns.
      value = std::move(old_values[found->second]);
      left.erase(found);
    }
  }

  std::vector<Ptr> values_;
};

}  // namespace steer::host

#endif  // STEER_HOST_LIST_HPP
