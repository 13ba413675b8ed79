// steer::host::LatestList: which endpoints of an update were in the one before, and which objects
// are copied for it.
//
// Must not depend on: the engine, gRPC.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>
#include <steer/host_list.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

int failures;

#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                                        \
    }                                                                                    \
  } while (0)

constexpr uint32_t kNew = steer::host::kNewEndpoint;

// An endpoint with an address, which is its key, and a weight. Counts copies and comparisons.
struct Backend {
  explicit Backend(std::string address, int weight = 1)
      : address(std::move(address)), weight(weight) {}
  Backend(const Backend& other) : address(other.address), weight(other.weight) { ++copies; }
  Backend& operator=(const Backend&) = default;
  bool operator==(const Backend& other) const {
    ++comparisons;
    return address == other.address && weight == other.weight;
  }

  std::string address;
  int weight;
  static inline int copies = 0;
  static inline int comparisons = 0;
};

using List = steer::host::LatestList<Backend>;
using Backends = std::vector<Backend>;
using Indices = std::vector<uint32_t>;

Indices Replace(List* list, const Backends& backends) {
  Backend::copies = 0;
  Backend::comparisons = 0;
  return list->Replace(
      [&](const auto& visit) {
        for (const Backend& backend : backends) visit(backend);
      },
      [](const Backend& backend) -> std::string_view { return backend.address; },
      [](const Backend& a, const Backend& b) {
        ++Backend::comparisons;
        return a.weight < b.weight;
      });
}

// One backend for each letter.
Backends BackendsOf(std::string_view letters) {
  Backends backends;
  for (const char letter : letters) backends.emplace_back(std::string(1, letter));
  return backends;
}

Indices Replace(List* list, std::string_view letters) { return Replace(list, BackendsOf(letters)); }

bool Holds(const List& list, const Backends& backends) {
  if (list.size() != backends.size()) return false;
  for (size_t i = 0; i < backends.size(); ++i) {
    if (!(*list[i] == backends[i])) return false;
  }
  return true;
}

void EverythingInTheFirstListIsNew() {
  List list;
  CHECK(Replace(&list, "") == Indices());
  CHECK(Replace(&list, "abc") == Indices({kNew, kNew, kNew}));
  CHECK(Backend::copies == 3);
  CHECK(Holds(list, BackendsOf("abc")));
}

void AnUnchangedListCopiesNothing() {
  List list;
  Replace(&list, "abc");
  const Backend* const first = list[0].get();
  CHECK(Replace(&list, "abc") == Indices({0, 1, 2}));
  CHECK(Backend::copies == 0);
  CHECK(list[0].get() == first);
}

void AddedAndRemovedBackendsLeaveTheOthersInPlace() {
  List list;
  Replace(&list, "abcdef");
  // One added in the middle.
  CHECK(Replace(&list, "abxcdef") == Indices({0, 1, kNew, 2, 3, 4, 5}));
  CHECK(Backend::copies == 1);
  // One removed.
  CHECK(Replace(&list, "abxdef") == Indices({0, 1, 2, 4, 5, 6}));
  CHECK(Backend::copies == 0);
  // Two replaced.
  CHECK(Replace(&list, "ayzdef") == Indices({0, kNew, kNew, 3, 4, 5}));
  CHECK(Backend::copies == 2);
  // Added and removed at the end.
  CHECK(Replace(&list, "ayzdefg") == Indices({0, 1, 2, 3, 4, 5, kNew}));
  CHECK(Replace(&list, "ay") == Indices({0, 1}));
  CHECK(Backend::copies == 0);
  CHECK(Holds(list, BackendsOf("ay")));
}

void MovedBackendsStayTheSameObjects() {
  List list;
  Replace(&list, "abcdef");
  std::set<const Backend*> before;
  for (size_t i = 0; i < list.size(); ++i) before.insert(list[i].get());
  CHECK(Replace(&list, "fedcba") == Indices({5, 4, 3, 2, 1, 0}));
  std::set<const Backend*> after;
  for (size_t i = 0; i < list.size(); ++i) after.insert(list[i].get());
  CHECK(before == after);
}

void ABackendThatChangedIsNew() {
  List list;
  Replace(&list, "abc");
  Backends heavier = BackendsOf("abc");
  heavier[1].weight = 2;
  CHECK(Replace(&list, heavier) == Indices({0, kNew, 2}));
  CHECK(Holds(list, heavier));
}

void DuplicatesAreCounted() {
  List list;
  Replace(&list, "aab");
  CHECK(Replace(&list, "aaab") == Indices({0, 1, kNew, 2}));
  CHECK(Replace(&list, "ba") == Indices({3, 0}));
}

void ManyOfOneAddressAreFoundWithFewComparisons() {
  constexpr int kCount = 4000;
  // Per backend: three places in order, and a search among 4,000.
  constexpr int kMost = 20 * kCount;
  Backends different;
  for (int weight = 0; weight < kCount; ++weight) different.emplace_back("a", weight);
  List list;
  Replace(&list, different);
  std::reverse(different.begin(), different.end());
  Indices reversed(kCount);
  for (uint32_t i = 0; i < kCount; ++i) reversed[i] = kCount - 1 - i;
  CHECK(Replace(&list, different) == reversed);
  CHECK(Backend::comparisons < 3 * kMost);
  // Equal ones: those with the weight 1 before those with the weight 2, and the other way round.
  Backends equal;
  for (int i = 0; i < kCount; ++i) equal.emplace_back("a", i < kCount / 2 ? 1 : 2);
  Replace(&list, equal);
  const Backends former = equal;
  std::reverse(equal.begin(), equal.end());
  const Indices indices = Replace(&list, equal);
  CHECK(indices.front() == kCount / 2 && indices.back() == kCount / 2 - 1);
  CHECK(Backend::comparisons < 3 * kMost);
  // None that stays.
  for (Backend& backend : equal) backend.weight = 3;
  CHECK(Replace(&list, equal) == Indices(kCount, kNew));
  CHECK(Backend::comparisons < 3 * kMost);
}

void AClearedListKnowsNothing() {
  List list;
  Replace(&list, "abc");
  list.clear();
  CHECK(list.size() == 0);
  CHECK(Replace(&list, "abc") == Indices({kNew, kNew, kNew}));
}

void SharedBackendsOutliveTheList() {
  List::Ptr kept;
  {
    List list;
    Replace(&list, "ab");
    kept = list[1];
    Replace(&list, "a");
  }
  CHECK(kept->address == "b");
}

// Checks that `indices` names equal values, none twice, and leaves none out that is there again.
void CheckIndices(const Indices& indices, const Backends& former, const Backends& latest) {
  CHECK(indices.size() == latest.size());
  std::vector<bool> left(former.size(), true);
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] == kNew) continue;
    CHECK(indices[i] < former.size() && left[indices[i]] && former[indices[i]] == latest[i]);
    left[indices[i]] = false;
  }
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] != kNew) continue;
    for (size_t j = 0; j < former.size(); ++j) CHECK(!left[j] || !(former[j] == latest[i]));
  }
}

void RandomEditsAreFound() {
  std::mt19937 random(1);
  const auto below = [&](size_t end) { return static_cast<size_t>(random() % end); };
  List list;
  Backends former;
  for (int round = 0; round < 2000; ++round) {
    Backends next = former;
    for (size_t edits = below(6); edits != 0; --edits) {
      const size_t at = below(next.size() + 1);
      const auto place = next.begin() + static_cast<ptrdiff_t>(at);
      // 26 addresses in at most 20 places: some are there twice.
      if (next.size() < 20 && below(2) == 0) {
        next.insert(place, Backend(std::string(1, static_cast<char>('a' + below(26))),
                                   static_cast<int>(1 + below(2))));
      } else if (place != next.end()) {
        next.erase(place);
      }
    }
    CheckIndices(Replace(&list, next), former, next);
    CHECK(Holds(list, next));
    former.swap(next);
  }
}

}  // namespace

int main() {
  EverythingInTheFirstListIsNew();
  AnUnchangedListCopiesNothing();
  AddedAndRemovedBackendsLeaveTheOthersInPlace();
  MovedBackendsStayTheSameObjects();
  ABackendThatChangedIsNew();
  DuplicatesAreCounted();
  ManyOfOneAddressAreFoundWithFewComparisons();
  AClearedListKnowsNothing();
  SharedBackendsOutliveTheList();
  RandomEditsAreFound();
  std::printf("tests/abi, host_list.hpp: %s\n",
              failures == 0 ? "all checks hold" : "CHECKS FAILED");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
