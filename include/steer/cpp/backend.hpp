// Part of steer.hpp, which users include: backends.
#ifndef STEER_CPP_BACKEND_HPP
#define STEER_CPP_BACKEND_HPP

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "steer/cpp/base.hpp"
#include "steer/text.hpp"

namespace steer {
inline namespace release_0_1_0 {

// A backend, as the resolver describes it. Valid as long as the Backends that it came from.
class Backend {
 public:
  STEER_LOCAL explicit Backend(const steer_backend* backend) : backend_(backend) {}

  // The first of its addresses, as gRPC writes them: "ipv4:10.0.0.1:80".
  STEER_LOCAL std::string_view address() const { return address(0); }
  STEER_LOCAL std::string_view address(size_t index) const {
    return View(backend_->addresses[index]);
  }
  STEER_LOCAL size_t address_count() const { return backend_->address_count; }
  // 0: none.
  STEER_LOCAL uint32_t weight() const { return backend_->weight; }
  // Empty: not known.
  STEER_LOCAL std::string_view region() const { return View(backend_->region); }
  STEER_LOCAL std::string_view zone() const { return View(backend_->zone); }
  STEER_LOCAL std::string_view sub_zone() const { return View(backend_->sub_zone); }
  STEER_LOCAL std::string_view hash_key() const { return View(backend_->hash_key); }

  // The resolver's attribute with this key, if it is a text.
  STEER_LOCAL std::optional<std::string_view> Text(std::string_view key) const {
    steer_str value;
    if (!steer_backend_text(backend_, ToC(key), &value)) return std::nullopt;
    return View(value);
  }

  // The resolver's attribute with this key, if it is an integer.
  STEER_LOCAL std::optional<int64_t> Integer(std::string_view key) const {
    int64_t value;
    if (!steer_backend_integer(backend_, ToC(key), &value)) return std::nullopt;
    return value;
  }

  // The data that the function of PickerType::BackendData made for it. `Data` is that function's
  // result type. Threads share the data. Another type is a fault, and ends the process without
  // exceptions.
  template <class Data>
  STEER_LOCAL Data& data() const {
    if (Data* const found = FindData<Data>()) return *found;
    detail::Mistake("Backend::data<T>: T is not what the function given to BackendData returns");
  }
  // The same data. NULL if it has another type, or there is none.
  template <class Data>
  STEER_LOCAL Data* FindData() const {
    return detail::FindTagged<Data>(backend_->data);
  }

  const steer_backend* get() const { return backend_; }

 private:
  const steer_backend* backend_;
};

// READY backends, in the resolver's order. A copy costs a reference count. Empty after a move.
// Build::backends has the others, too: see All.
class Backends {
 public:
  // Adds a reference to backends of the C ABI.
  STEER_LOCAL explicit Backends(const steer_backends* backends)
      : Backends(detail::engine, backends) {}
  STEER_LOCAL Backends(const Backends& other) : Backends(other.api_, other.backends_) {}
  STEER_LOCAL Backends(Backends&& other) noexcept
      : api_(other.api_), backends_(std::exchange(other.backends_, nullptr)) {}
  STEER_LOCAL Backends& operator=(Backends other) noexcept {
    std::swap(api_, other.api_);
    std::swap(backends_, other.backends_);
    return *this;
  }
  STEER_LOCAL ~Backends() {
    if (backends_ != nullptr) api_->backends_release(backends_);
  }

  STEER_LOCAL size_t size() const { return backends_ == nullptr ? 0 : backends_->count; }
  STEER_LOCAL bool empty() const { return size() == 0; }
  // Does not check the index, as with vectors.
  STEER_LOCAL Backend operator[](size_t index) const { return Backend(backends_->items[index]); }

  // All backends of the channel's list, READY or not, in the resolver's order. Of Build::backends.
  // Empty otherwise. IndexOfReady and State are about those.
  STEER_LOCAL Backends All() const {
    return Backends(api_, backends_ == nullptr ? nullptr : backends_->all);
  }
  // Of All: the state of the backend at this index. A failure lasts until the backend is READY, and
  // a backend that has not reported yet is IDLE. READY in lists that have READY backends only.
  STEER_LOCAL steer_state State(size_t index) const {
    if (backends_->states == nullptr) return STEER_READY;
    return static_cast<steer_state>(backends_->states[index]);
  }
  // Of All: the index for Choice::Complete of the backend at this index. Nothing: it is not READY.
  STEER_LOCAL std::optional<size_t> IndexOfReady(size_t index) const {
    if (backends_->ready == nullptr) return index;
    const size_t ready = backends_->ready[index];
    if (ready == SIZE_MAX) return std::nullopt;
    return ready;
  }

 private:
  STEER_LOCAL Backends(const steer_api* api, const steer_backends* backends)
      : api_(api), backends_(backends) {
    if (backends_ != nullptr) api_->backends_hold(backends_);
  }

  const steer_api* api_;
  const steer_backends* backends_;
};

}  // namespace release_0_1_0
}  // namespace steer

#endif  // STEER_CPP_BACKEND_HPP
