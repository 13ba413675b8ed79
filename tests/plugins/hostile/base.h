/*
 * A plugin without a mistake: its picker always chooses the first READY backend. Each plugin in
 * this directory includes it and changes one thing by a macro: its block (BLOCK), its table
 * (TYPE_NAME, TABLE), its entry (ENTRY), or the beginning of a hook.
 *
 * Its name is that of its file (HOSTILE_NAME, from CMake).
 */
#ifndef STEER_TESTS_HOSTILE_BASE_H
#define STEER_TESTS_HOSTILE_BASE_H

#include <steer/picker.h>

static const steer_api *api;

/* Fails a hook that returns a number. */
#define FAULT(text)               \
  do {                            \
    api->fault(STEER_TEXT(text)); \
    return 1;                     \
  } while (0)

#ifndef TYPE_NAME
#define TYPE_NAME HOSTILE_NAME
#endif
/* Designated initializers, which override those below. */
#ifndef BLOCK
#define BLOCK
#endif
#ifndef TABLE
#define TABLE
#endif
/* Statements. */
#ifndef CONFIG_NEW
#define CONFIG_NEW
#endif
#ifndef INSTANCE_NEW
#define INSTANCE_NEW
#endif
#ifndef BACKEND_NEW
#define BACKEND_NEW
#endif
#ifndef PICKER_NEW
#define PICKER_NEW
#endif
#ifndef PICK
#define PICK
#endif
#ifndef CALL_STARTED
#define CALL_STARTED
#endif
#ifndef CALL_FINISHED
#define CALL_FINISHED
#endif
#ifndef TIMER
#define TIMER
#endif
#ifndef ENTRY
#define ENTRY
#endif

static inline int32_t config_new(void *ctx, const steer_json *json, steer_faults *faults,
                                 void **config) {
  (void)ctx, (void)json, (void)faults, (void)config;
  CONFIG_NEW
  return 0;
}

static inline int32_t instance_new(void *ctx, steer_channel *channel, void **instance) {
  (void)ctx;
  *instance = channel;
  INSTANCE_NEW
  return 0;
}

static inline int32_t backend_new(void *instance, const steer_backend *backend, void **data) {
  (void)instance, (void)backend, (void)data;
  BACKEND_NEW
  return 0;
}

static inline int32_t picker_new(void *instance, const void *config, const steer_backends *backends,
                                 steer_wants *wants, void **picker) {
  (void)config, (void)backends, (void)wants;
  *picker = instance;
  PICKER_NEW
  return 0;
}

static inline steer_choice pick(const void *picker, const steer_call *call) {
  (void)picker, (void)call;
  PICK return steer_complete(0);
}

static inline void call_started(const void *picker, uint64_t backend, void *state) {
  (void)picker, (void)backend, (void)state;
  CALL_STARTED
}

static inline void call_finished(const void *picker, uint64_t backend, void *state,
                                 const steer_call_end *end) {
  (void)picker, (void)backend, (void)state, (void)end;
  CALL_FINISHED
}

static inline void timer(void *instance, uint64_t number) {
  (void)instance, (void)number;
  TIMER
}

/* clang-format off */
static int32_t entry(const steer_api *engine) {
  const steer_picker_type table = {
      .struct_size = sizeof table,
      .name = STEER_TEXT(TYPE_NAME),
      .config_new = config_new,
      .instance_new = instance_new,
      .backend_new = backend_new,
      .picker_new = picker_new,
      .pick = pick,
      .call_started = call_started,
      .call_finished = call_finished,
      .timer = timer,
      TABLE
  };
  api = engine;
  ENTRY
  return api->register_picker(&table);
}

__attribute__((visibility("default"))) const struct steer_plugin steer_plugin_block = {
    .magic = STEER_PLUGIN_MAGIC,
    .struct_size = sizeof(struct steer_plugin),
    .abi_version = STEER_ABI_VERSION,
    .pointer_size = sizeof(void *),
    .api_size = sizeof(struct steer_api),
    .picker_type_size = sizeof(struct steer_picker_type),
    .policy_type_size = sizeof(struct steer_policy_type),
    .name = STEER_TEXT_INIT(HOSTILE_NAME),
    .version = STEER_TEXT_INIT("1.0"),
    .build = STEER_TEXT_INIT("the tests"),
    .entry = entry,
    BLOCK
};
/* clang-format on */

#endif /* STEER_TESTS_HOSTILE_BASE_H */
