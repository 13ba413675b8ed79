// gRPC's picker around one of the engine's. Holds no list of its own: a completed pick carries the
// connection itself.
//
// Must not know: any particular policy.
#ifndef STEER_SHIM_PICKER_H
#define STEER_SHIM_PICKER_H

#include "generation.h"
#include "steer/steer.h"

namespace steer {
namespace shim {

class Picker : public GrpcPicker {
 public:
  // Takes `picker` over.
  explicit Picker(steer_picker* picker) : picker_(picker), wants_(steer_picker_wants(picker)) {}
  ~Picker() override { steer_picker_free(picker_); }

  GrpcPolicy::PickResult Pick(GrpcPolicy::PickArgs args) override;

 private:
  steer_picker* const picker_;
  const uint32_t wants_;
};

}  // namespace shim
}  // namespace steer

#endif  // STEER_SHIM_PICKER_H
