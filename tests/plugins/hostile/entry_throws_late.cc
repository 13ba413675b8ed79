// Its entry throws a number after it has registered a picker. The engine must not keep the picker.
// Includes only the header for C.

#include <steer/picker.h>

static int32_t PickerNew(void*, const void*, const steer_backends* backends, steer_wants*,
                         void** picker) {
  *picker = const_cast<steer_backends*>(backends);
  return 0;
}

static steer_choice Pick(const void*, const steer_call*) { return steer_complete(0); }

static int32_t Entry(const steer_api* api) {
  steer_picker_type type = {};
  type.struct_size = sizeof type;
  type.name = STEER_TEXT("entry_throws_late");
  type.picker_new = PickerNew;
  type.pick = Pick;
  if (api->register_picker(&type) == STEER_OK) throw 3;
  return 1;
}

STEER_PLUGIN(entry_throws_late_plugin, "entry_throws_late", "1.0", Entry)
