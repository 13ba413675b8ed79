/*
 * The benchmark's picker in C. Each thread uses the backends in turn. Reads nothing of the call. It
 * is linked as `bench_c`, and loaded as a plugin as `bench_c_loaded`.
 */
#include <steer/picker.h>

#ifndef TURNS_NAME
#define TURNS_NAME "bench_c"
#endif

static const steer_api *api;
/* Without this model, a plugin calls the dynamic linker for each access, which takes 3 ns. */
static _Thread_local uint64_t turn __attribute__((tls_model("initial-exec")));

static int32_t picker_new(void *instance, const void *config, const steer_backends *backends,
                          steer_wants *wants, void **picker) {
  (void)instance, (void)config, (void)wants;
  *picker = (void *)backends;
  return 0;
}

static steer_choice pick(const void *picker, const steer_call *call) {
  const steer_backends *backends = picker;
  (void)call;
  if (++turn >= backends->count) turn = 0;
  return steer_complete(turn);
}

static int32_t entry(const steer_api *engine) {
  const steer_picker_type turns = {.struct_size = sizeof turns,
                                   .name = STEER_TEXT_INIT(TURNS_NAME),
                                   .picker_new = picker_new,
                                   .pick = pick};
  api = engine;
  return api->register_picker(&turns);
}

STEER_PLUGIN(bench_turns, TURNS_NAME, "1", entry)
