/* Sends every call to one backend: the first in the list, or with LAST the last one. So one source
 * makes two releases of a plugin, for tests/plugin.rs. */
#include <steer/picker.h>

static const steer_api *api;

static int32_t picker_new(void *instance, const void *config, const steer_backends *backends,
                          steer_wants *wants, void **picker) {
  (void)instance, (void)config, (void)wants;
  *picker = (void *)backends;
  return 0;
}

static steer_choice pick(const void *picker, const steer_call *call) {
  const steer_backends *backends = picker;
  (void)call;
#ifdef LAST
  return steer_complete(backends->count - 1);
#else
  (void)backends;
  return steer_complete(0);
#endif
}

static int32_t entry(const steer_api *engine) {
  const steer_picker_type type = {.struct_size = sizeof type,
                                  .name = STEER_TEXT_INIT("one_backend"),
                                  .picker_new = picker_new,
                                  .pick = pick};
  api = engine;
  return api->register_picker(&type);
}

STEER_PLUGIN(one_backend_plugin, "one_backend", "1.0", entry)
