/* Part of testkit.h, which users include: the host's callbacks. */
#ifndef STEER_TESTKIT_HOST_H
#define STEER_TESTKIT_HOST_H

#include "steer/testkit/kit.h"

static inline void steer_testkit_use_picker(steer_testkit *kit, steer_testkit_picker *picker,
                                            int uses) {
  size_t left;
  if (picker == NULL) return;
  pthread_mutex_lock(&kit->lock);
  picker->uses += (size_t)uses;
  left = picker->uses;
  pthread_mutex_unlock(&kit->lock);
  if (left > 0) return;
  steer_picker_free(picker->picker);
  free(picker);
}

static inline void steer_testkit_host_ctx_free(void *ctx) {
  steer_testkit *kit = (steer_testkit *)ctx;
  pthread_mutex_lock(&kit->lock);
  kit->ended++;
  pthread_mutex_unlock(&kit->lock);
}

static inline int32_t steer_testkit_host_endpoint_new(void *ctx, uint64_t number, uint32_t index,
                                                      void **handle) {
  steer_testkit *kit = (steer_testkit *)ctx;
  steer_testkit_endpoint *endpoint, **last;
  if (kit->refusal != STEER_OK) return kit->refusal;
  if (index >= kit->address_count) return STEER_ENDPOINT_REFUSED;
  endpoint = (steer_testkit_endpoint *)steer_testkit_memory(sizeof *endpoint);
  endpoint->number = number;
  endpoint->address = steer_testkit_string(steer_text(kit->addresses[index]));
  endpoint->state = -1;
  endpoint->first = STEER_IDLE;
  for (last = &kit->endpoints; *last != NULL; last = &(*last)->next) {
    const int shared = strcmp((*last)->address, endpoint->address) == 0;
    if (shared && (*last)->state == STEER_READY) endpoint->first = STEER_READY;
  }
  *last = endpoint;
  kit->fresh++;
  *handle = endpoint;
  return STEER_OK;
}

static inline void steer_testkit_host_endpoint_connect(void *ctx, void *handle) {
  (void)ctx;
  ((steer_testkit_endpoint *)handle)->asked = 1;
}

static inline void steer_testkit_host_endpoint_reset_backoff(void *ctx, void *handle) {
  (void)handle;
  ((steer_testkit *)ctx)->backoff_resets++;
}

static inline void steer_testkit_host_endpoint_free(void *ctx, void *handle) {
  steer_testkit *kit = (steer_testkit *)ctx;
  steer_testkit_endpoint *endpoint = (steer_testkit_endpoint *)handle, **at = &kit->endpoints;
  while (*at != endpoint) at = &(*at)->next;
  *at = endpoint->next;
  if (endpoint->state < 0) kit->fresh--;
  free(endpoint->address);
  free(endpoint);
}

static inline void steer_testkit_host_connection_free(void *ctx, void *connection) {
  steer_testkit *kit = (steer_testkit *)ctx;
  free(((steer_testkit_connection *)connection)->address);
  free(connection);
  pthread_mutex_lock(&kit->lock);
  kit->connections--;
  pthread_mutex_unlock(&kit->lock);
}

static inline void steer_testkit_host_update_state(void *ctx, int32_t state, int32_t code,
                                                   steer_str message, steer_picker *picker) {
  steer_testkit *kit = (steer_testkit *)ctx;
  steer_testkit_picker *old;
  steer_testkit_picker *made = (steer_testkit_picker *)steer_testkit_memory(sizeof *made);
  kit->state = state;
  kit->code = code;
  steer_testkit_copy(kit->message, sizeof kit->message, message);
  kit->publications++;
  made->picker = picker;
  made->uses = 1;
  pthread_mutex_lock(&kit->lock);
  old = kit->current;
  kit->current = made;
  pthread_mutex_unlock(&kit->lock);
  steer_testkit_use_picker(kit, old, -1);
}

static inline void steer_testkit_host_request_reresolution(void *ctx) {
  ((steer_testkit *)ctx)->reresolutions++;
}

static inline void steer_testkit_host_run_later(void *ctx) {
  steer_testkit *kit = (steer_testkit *)ctx;
  pthread_mutex_lock(&kit->lock);
  kit->run_wanted = 1;
  pthread_mutex_unlock(&kit->lock);
}

static inline void steer_testkit_host_timer_start(void *ctx, uint64_t timer, uint64_t after_ns) {
  steer_testkit *kit = (steer_testkit *)ctx;
  const size_t size = (kit->timer_count + 1) * sizeof *kit->timers;
  kit->timers = (steer_testkit_timer *)realloc(kit->timers, size);
  if (kit->timers == NULL) abort();
  kit->timers[kit->timer_count].number = timer;
  kit->timers[kit->timer_count].due =
      after_ns > UINT64_MAX - kit->now ? UINT64_MAX : kit->now + after_ns;
  kit->timer_count++;
}

static inline void steer_testkit_host_timer_cancel(void *ctx, uint64_t timer) {
  steer_testkit *kit = (steer_testkit *)ctx;
  size_t i, kept = 0;
  for (i = 0; i < kit->timer_count; ++i) {
    if (kit->timers[i].number != timer) kit->timers[kept++] = kit->timers[i];
  }
  kit->timer_count = kept;
}

static inline uint64_t steer_testkit_host_now(void *ctx) {
  steer_testkit *kit = (steer_testkit *)ctx;
  uint64_t now;
  pthread_mutex_lock(&kit->lock);
  now = kit->now;
  pthread_mutex_unlock(&kit->lock);
  return now;
}

/* SplitMix64: a sequence that is the same in each run. */
static inline uint64_t steer_testkit_next_random(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static inline uint64_t steer_testkit_host_random(void *ctx) {
  steer_testkit *kit = (steer_testkit *)ctx;
  uint64_t random;
  pthread_mutex_lock(&kit->lock);
  random = steer_testkit_next_random(&kit->random);
  pthread_mutex_unlock(&kit->lock);
  return random;
}

static inline void steer_testkit_host_log(void *ctx, int32_t severity, steer_str message) {
  steer_testkit *kit = (steer_testkit *)ctx;
  (void)severity;
  pthread_mutex_lock(&kit->lock);
  kit->log = (char **)realloc(kit->log, (kit->log_count + 1) * sizeof *kit->log);
  if (kit->log == NULL) abort();
  kit->log[kit->log_count++] = steer_testkit_string(message);
  pthread_mutex_unlock(&kit->lock);
}

/* The table of these functions. Tests may change it: see steer_testkit_with_host. */
static inline steer_host steer_testkit_host(void) {
  steer_host host;
  memset(&host, 0, sizeof host);
  host.struct_size = sizeof host;
  host.ctx_free = steer_testkit_host_ctx_free;
  host.endpoint_new = steer_testkit_host_endpoint_new;
  host.endpoint_connect = steer_testkit_host_endpoint_connect;
  host.endpoint_reset_backoff = steer_testkit_host_endpoint_reset_backoff;
  host.endpoint_free = steer_testkit_host_endpoint_free;
  host.connection_free = steer_testkit_host_connection_free;
  host.update_state = steer_testkit_host_update_state;
  host.request_reresolution = steer_testkit_host_request_reresolution;
  host.run_later = steer_testkit_host_run_later;
  host.timer_start = steer_testkit_host_timer_start;
  host.timer_cancel = steer_testkit_host_timer_cancel;
  host.now = steer_testkit_host_now;
  host.random = steer_testkit_host_random;
  host.log = steer_testkit_host_log;
  return host;
}

#endif /* STEER_TESTKIT_HOST_H */
