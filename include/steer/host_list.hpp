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

#include <algorithm>
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
  //   is_less(a, b)     a strict order of values, in which equal values are equivalent. Asked only
  //                     about values with the same key.
  //
  // Copies only the values that are not found near their former place: those that are new, and
  // those that have moved.
  //
  // Cost: O(n). The values that have moved and share their key with others: O(log n) each.
  template <typename ForEach, typename KeyOf, typename IsLess>
  std::vector<uint32_t> Replace(const ForEach& for_each, const KeyOf& key_of,
                                const IsLess& is_less) {
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
    if (!replacement.missed.empty()) MatchByKey(key_of, is_less, &replacement);
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
  template <typename KeyOf, typename IsLess>
  void MatchByKey(const KeyOf& key_of, const IsLess& is_less, Replacement* replacement) {
    auto& [old_values, former, missed] = *replacement;
    std::pmr::monotonic_buffer_resource memory;
    std::pmr::unordered_map<std::string_view, uint32_t> left(&memory);
    left.reserve(old_values.size() - (former.size() - missed.size()));
    std::vector<uint32_t> several;
    for (size_t i = 0; i < old_values.size(); ++i) {
      if (old_values[i] == nullptr) continue;
      const auto index = static_cast<uint32_t>(i);
      const auto [same_key, is_first] = left.emplace(key_of(*old_values[i]), index);
      if (is_first) continue;
      if (same_key->second != kSeveral)
        several.push_back(std::exchange(same_key->second, kSeveral));
      several.push_back(index);
    }
    const auto is_before = [&](const Value& a, const Value& b) {
      const int order = key_of(a).compare(key_of(b));
      return order != 0 ? order < 0 : is_less(a, b);
    };
    SameKeys<decltype(is_before)> same_keys(old_values, several, is_before);
    for (const size_t index : missed) {
      Ptr& value = values_[index];
      const auto found = left.find(key_of(*value));
      if (found == left.end()) continue;
      const bool is_single = found->second != kSeveral;
      const uint32_t old_index = is_single ? found->second : same_keys.Take(*value);
      if (old_index == kNewEndpoint || !(*old_values[old_index] == *value)) continue;
      former[index] = old_index;
      // After this the key in `left` views into *value, which the list owns.
      value = std::move(old_values[old_index]);
      if (is_single) left.erase(found);
    }
  }

  // In MatchByKey: several values have this key, and SameKeys finds them.
  static constexpr uint32_t kSeveral = UINT32_MAX;

  // The values that share their keys with others, in order, so that each is found without going
  // over all that have the same key.
  template <typename IsBefore>
  class SameKeys {
   public:
    // `indices` are those of the values.
    SameKeys(const std::vector<Ptr>& values, const std::vector<uint32_t>& indices,
             const IsBefore& is_before)
        : is_before_(is_before) {
      // Plain pointers, because the list moves its own out while it finds more.
      sorted_.reserve(indices.size());
      for (const uint32_t index : indices) sorted_.push_back({values[index].get(), index, 0});
      std::stable_sort(sorted_.begin(), sorted_.end(), [this](const Entry& a, const Entry& b) {
        return is_before_(*a.value, *b.value);
      });
    }

    // The index of the next value that is equal to this one. kNewEndpoint: there is none.
    uint32_t Take(const Value& value) {
      const auto first = std::lower_bound(sorted_.begin(), sorted_.end(), value,
                                          [this](const Entry& entry, const Value& other) {
                                            return is_before_(*entry.value, other);
                                          });
      if (first == sorted_.end()) return kNewEndpoint;
      const auto taken = static_cast<ptrdiff_t>(first->taken);
      if (taken >= sorted_.end() - first || is_before_(value, *first[taken].value)) {
        return kNewEndpoint;
      }
      ++first->taken;
      return first[taken].index;
    }

   private:
    struct Entry {
      const Value* value;
      uint32_t index;
      // Of the first among equal ones: how many of them were taken.
      uint32_t taken;
    };

    const IsBefore& is_before_;
    std::vector<Entry> sorted_;
  };

  std::vector<Ptr> values_;
};

}  // namespace steer::host

#endif  // STEER_HOST_LIST_HPP
