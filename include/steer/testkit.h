/*
 * For those who write policies: a host without gRPC, in which time, chance and the state of each
 * connection are the test's to choose. C11 and C++17; needs POSIX threads and the engine.
 *
 *   STEER_CHECK(steer_register_plugin(&my_plugin) == STEER_OK);
 *   steer_testkit *kit = steer_testkit_new("my_policy", "{\"zone\": \"a\"}", NULL);
 *   steer_testkit_use(kit, 3);             // ipv4:10.0.0.1:80 and so on
 *   steer_testkit_connect_all(kit);        // all of them are READY now
 *   steer_testkit_pick picked = steer_testkit_pick_one(kit, NULL);
 *   STEER_CHECK(picked.kind == STEER_PICK_COMPLETE && picked.backend == 0);
 *   steer_testkit_report(kit, 0, STEER_IDLE);  // its connection is lost
 *   ...
 *   STEER_CHECK(steer_testkit_free(kit) == 0);  // all that the host handed out came back
 *
 * and, for what every policy must keep,
 *
 *   STEER_CHECK(steer_testkit_conformance("my_policy", "{}", NULL) == 0);
 *
 * One thread at a time, but for steer_testkit_pick_one, and the functions for the calls that it
 * picks for: these are for any thread.
 *
 * Must not include: anything of gRPC's.
 */
#ifndef STEER_TESTKIT_H
#define STEER_TESTKIT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steer/picker.h"
#include "steer/steer.h"

/* No backend of the list. */
#define STEER_TESTKIT_NONE SIZE_MAX

/* --- What the kit is made of: for reading only --------------------------------------------- */

/* What the policy has asked the host for: a connection to a backend, or none yet. */
typedef struct steer_testkit_endpoint {
  uint64_t number;
  char *address;
  /* What was reported last; -1: nothing yet. */
  int32_t state;
  /* What is to be reported first. */
  int32_t first;
  /* Whether a connection was asked for, and is not there yet. */
  int asked;
  /* That of the last report of READY. Not this endpoint's: only to be compared. */
  const void *connection;
  struct steer_testkit_endpoint *next;
} steer_testkit_endpoint;

/* A connection, as pickers complete with it. */
typedef struct steer_testkit_connection {
  char *address;
} steer_testkit_connection;

/* A picker, and how many use it. */
typedef struct steer_testkit_picker {
  steer_picker *picker;
  size_t uses;
} steer_testkit_picker;

typedef struct steer_testkit_timer {
  uint64_t number;
  uint64_t due;
} steer_testkit_timer;

typedef struct steer_testkit {
  /* What the policy has published: a steer_state, and why calls fail. */
  int32_t state;
  int32_t code;
  char message[512];
  size_t publications;
  size_t reresolutions;
  size_t backoff_resets;
  /* What endpoint_new is to return: STEER_OK, or a test's refusal. */
  int32_t refusal;
  /* Virtual nanoseconds. */
  uint64_t now;

  /* The rest is the kit's own. */
  steer_policy *policy;
  steer_config *config;
  char *name;
  char **addresses;
  size_t address_count;
  steer_testkit_endpoint *endpoints;
  size_t fresh;
  steer_testkit_timer *timers;
  size_t timer_count;
  pthread_mutex_t lock; /* for what follows, and for `now` */
  steer_testkit_picker *current;
  size_t connections;
  uint64_t random;
  int run_wanted;
  int ended;
  char **log;
  size_t log_count;
} steer_testkit;

/* Memory, or the end: a test has nothing better to do. */
static inline void *steer_testkit_memory(size_t size) {
  void *memory = calloc(1, size == 0 ? 1 : size);
  if (memory == NULL) abort();
  return memory;
}

static inline char *steer_testkit_string(steer_str text) {
  char *string = (char *)steer_text_copy(text).data;
  if (string == NULL) abort();
  return string;
}

static inline void steer_testkit_copy(char *to, size_t size, steer_str from) {
  const size_t length = from.length < size - 1 ? from.length : size - 1;
  if (length > 0) memcpy(to, from.data, length);
  to[length] = '\0';
}

/*
 * Checks a condition in every kind of build: unlike assert(), also with NDEBUG. When it does not
 * hold, says so with file and line, and ends the process.
 */
#define STEER_CHECK(condition) \
  ((condition) ? (void)0 : steer_testkit_failed(#condition, __FILE__, __LINE__))

static inline void steer_testkit_failed(const char *condition, const char *file, int line) {
  fflush(stdout);
  fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
  abort();
}

/* --- The host ------------------------------------------------------------------------------ */

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

/* SplitMix64: any sequence will do that is the same in each run. */
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

/* The table of these functions, for tests that want to change it: see steer_testkit_with_host. */
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

/* --- A policy's life ----------------------------------------------------------------------- */

/*
 * Reads another config, which the next update brings to the policy. NULL: the defaults. What
 * steer_config_parse returns; when that is not STEER_OK, `*error` says why, as there.
 */
static inline steer_status steer_testkit_configure(steer_testkit *kit, const char *config,
                                                   steer_string **error) {
  steer_config *parsed = NULL;
  const steer_status status =
      steer_config_parse(steer_text(kit->name), steer_text(config), &parsed, error);
  if (status != STEER_OK) return status;
  steer_config_free(kit->config);
  kit->config = parsed;
  return STEER_OK;
}

/* As steer_testkit_new, with another table: its ctx is set here. */
static inline steer_testkit *steer_testkit_with_host(const char *policy, const char *config,
                                                     steer_host host, steer_string **error) {
  steer_testkit *kit = (steer_testkit *)steer_testkit_memory(sizeof *kit);
  kit->state = -1;
  kit->now = 1000000000;
  kit->name = steer_testkit_string(steer_text(policy));
  pthread_mutex_init(&kit->lock, NULL);
  host.ctx = kit;
  if (steer_testkit_configure(kit, config, error) == STEER_OK &&
      steer_policy_new(steer_text(policy), &host, &kit->policy) == STEER_OK) {
    return kit;
  }
  steer_config_free(kit->config);
  pthread_mutex_destroy(&kit->lock);
  free(kit->name);
  free(kit);
  return NULL;
}

/*
 * Makes a policy by its name and config (JSON; NULL: the defaults). NULL when there is no such
 * policy, or when it rejects the config: then `*error`, unless that is NULL, says why, and is the
 * caller's to free.
 */
static inline steer_testkit *steer_testkit_new(const char *policy, const char *config,
                                               steer_string **error) {
  return steer_testkit_with_host(policy, config, steer_testkit_host(), error);
}

/* Another sequence of random numbers: each seed has its own. */
static inline void steer_testkit_seed(steer_testkit *kit, uint64_t seed) {
  pthread_mutex_lock(&kit->lock);
  kit->random = seed;
  pthread_mutex_unlock(&kit->lock);
}

/* Reports an endpoint's state by its number: what steer_policy_endpoint_report returns. */
static inline steer_status steer_testkit_report_endpoint(steer_testkit *kit, uint64_t number,
                                                         int32_t state) {
  steer_endpoint_report report;
  steer_testkit_endpoint *endpoint = kit->endpoints;
  memset(&report, 0, sizeof report);
  report.struct_size = sizeof report;
  report.state = state;
  while (endpoint != NULL && endpoint->number != number) endpoint = endpoint->next;
  if (state == STEER_READY) {
    steer_testkit_connection *connection =
        (steer_testkit_connection *)steer_testkit_memory(sizeof *connection);
    connection->address =
        steer_testkit_string(steer_text(endpoint == NULL ? "gone" : endpoint->address));
    pthread_mutex_lock(&kit->lock);
    kit->connections++;
    pthread_mutex_unlock(&kit->lock);
    report.connection = connection;
  }
  if (state == STEER_TRANSIENT_FAILURE) {
    report.code = 14;
    report.message = steer_text("refused");
  }
  if (endpoint != NULL) {
    if (endpoint->state < 0) kit->fresh--;
    endpoint->state = state;
    endpoint->connection = report.connection;
    if (state != STEER_IDLE && state != STEER_CONNECTING) endpoint->asked = 0;
  }
  return steer_policy_endpoint_report(kit->policy, number, &report);
}

/*
 * Does what a host does soon after a call of the policy: new endpoints report that they are IDLE,
 * or READY when another one is connected to the same address, which gRPC shares; and what was asked
 * for by run_later is run. All functions below do it, but those for calls: a policy whose picker
 * was faulty has its place taken here.
 */
static inline void steer_testkit_settle(steer_testkit *kit) {
  for (;;) {
    int run;
    pthread_mutex_lock(&kit->lock);
    run = kit->run_wanted;
    kit->run_wanted = 0;
    pthread_mutex_unlock(&kit->lock);
    if (run) {
      steer_policy_run(kit->policy);
    } else if (kit->fresh > 0) {
      const steer_testkit_endpoint *fresh = kit->endpoints;
      while (fresh->state >= 0) fresh = fresh->next;
      steer_testkit_report_endpoint(kit, fresh->number, fresh->first);
    } else {
      return;
    }
  }
}

/*
 * Hands in a resolver's answer, with the latest config. Backends are known by their first address:
 * their index in this list is what the other functions call them. Returns 0 when the policy
 * accepted it, else the gRPC status code of its refusal; below 0: minus a steer_status.
 */
static inline int32_t steer_testkit_update(steer_testkit *kit, const steer_endpoint *backends,
                                           size_t count) {
  steer_update update;
  steer_status status;
  int32_t code = 0;
  size_t i;
  for (i = 0; i < kit->address_count; ++i) free(kit->addresses[i]);
  free(kit->addresses);
  kit->addresses = (char **)steer_testkit_memory(count * sizeof *kit->addresses);
  kit->address_count = count;
  for (i = 0; i < count; ++i) {
    const int none = backends[i].address_count == 0 || backends[i].addresses == NULL;
    kit->addresses[i] = steer_testkit_string(none ? steer_text("") : backends[i].addresses[0]);
  }
  memset(&update, 0, sizeof update);
  update.struct_size = sizeof update;
  update.config = kit->config;
  update.endpoints = backends;
  update.endpoint_count = count;
  status = steer_policy_update(kit->policy, &update, &code, NULL);
  steer_testkit_settle(kit);
  return status == STEER_OK ? code : -(int32_t)status;
}

/* The same with backends of these addresses, which have nothing but that. */
static inline int32_t steer_testkit_update_addresses(steer_testkit *kit,
                                                     const char *const *addresses, size_t count) {
  steer_endpoint *backends = (steer_endpoint *)steer_testkit_memory(count * sizeof *backends);
  steer_str *texts = (steer_str *)steer_testkit_memory(count * sizeof *texts);
  int32_t code;
  size_t i;
  for (i = 0; i < count; ++i) {
    texts[i] = steer_text(addresses[i]);
    backends[i].struct_size = sizeof backends[i];
    backends[i].addresses = &texts[i];
    backends[i].address_count = 1;
  }
  code = steer_testkit_update(kit, count == 0 ? NULL : backends, count);
  free(texts);
  free(backends);
  return code;
}

/* An address for the backend of this index: "ipv4:10.0.0.1:80" for 0. */
static inline void steer_testkit_address(size_t index, char *address, size_t size) {
  const unsigned number = (unsigned)index + 1;
  snprintf(address, size, "ipv4:10.%u.%u.%u:80", number >> 16 & 255, number >> 8 & 255,
           number & 255);
}

/* The same with so many backends of steer_testkit_address. */
static inline int32_t steer_testkit_use(steer_testkit *kit, size_t count) {
  char(*texts)[32] = (char(*)[32])steer_testkit_memory(count * sizeof *texts);
  const char **addresses = (const char **)steer_testkit_memory(count * sizeof *addresses);
  int32_t code;
  size_t i;
  for (i = 0; i < count; ++i) {
    steer_testkit_address(i, texts[i], sizeof texts[i]);
    addresses[i] = texts[i];
  }
  code = steer_testkit_update_addresses(kit, addresses, count);
  free(addresses);
  free(texts);
  return code;
}

/* The state of a backend's connection is now this. Returns 0 when the policy has none. */
static inline int steer_testkit_report(steer_testkit *kit, size_t backend, int32_t state) {
  const steer_testkit_endpoint *endpoint;
  uint64_t numbers[16]; /* a list may have an address more than once */
  size_t found = 0, i;
  if (backend >= kit->address_count) return 0;
  for (endpoint = kit->endpoints; endpoint != NULL && found < 16; endpoint = endpoint->next) {
    if (strcmp(endpoint->address, kit->addresses[backend]) == 0) {
      numbers[found++] = endpoint->number;
    }
  }
  for (i = 0; i < found; ++i) steer_testkit_report_endpoint(kit, numbers[i], state);
  steer_testkit_settle(kit);
  return found > 0;
}

/* Every connection that was asked for is READY now. Returns how many there were. */
static inline size_t steer_testkit_connect_all(steer_testkit *kit) {
  size_t connected = 0;
  for (;;) {
    const steer_testkit_endpoint *endpoint = kit->endpoints;
    while (endpoint != NULL && !endpoint->asked) endpoint = endpoint->next;
    if (endpoint == NULL) return connected;
    steer_testkit_report_endpoint(kit, endpoint->number, STEER_READY);
    steer_testkit_settle(kit);
    connected++;
  }
}

/* Lets so much time pass, with the timers that run out in it. */
static inline void steer_testkit_advance(steer_testkit *kit, uint64_t ns) {
  const uint64_t end = kit->now + ns;
  for (;;) {
    size_t i, next = STEER_TESTKIT_NONE;
    uint64_t number;
    for (i = 0; i < kit->timer_count; ++i) {
      const uint64_t due = kit->timers[i].due;
      if (due <= end && (next == STEER_TESTKIT_NONE || due < kit->timers[next].due)) next = i;
    }
    pthread_mutex_lock(&kit->lock);
    kit->now = next == STEER_TESTKIT_NONE ? end : kit->timers[next].due;
    pthread_mutex_unlock(&kit->lock);
    if (next == STEER_TESTKIT_NONE) return;
    number = kit->timers[next].number;
    steer_testkit_host_timer_cancel(kit, number);
    steer_policy_timer(kit->policy, number);
    steer_testkit_settle(kit);
  }
}

/* How many faults of the policy the engine has seen. */
static inline uint64_t steer_testkit_faults(steer_testkit *kit) {
  uint64_t faults = 0;
  steer_policy_faults(kit->policy, &faults);
  return faults;
}

/*
 * Whether the policy broke, and something else is in its place: 1, and why in `why`, which has room
 * for `size` bytes and may be NULL. It ends with another config, a list that comes 10 s later or
 * more, or a new release.
 */
static inline int steer_testkit_fallen_back(steer_testkit *kit, char *why, size_t size) {
  steer_string *text = NULL;
  if (steer_policy_fallback(kit->policy, &text) != STEER_OK || text == NULL) return 0;
  if (why != NULL && size > 0) steer_testkit_copy(why, size, steer_string_text(text));
  steer_string_free(text);
  return 1;
}

/* Whether a line of the log has this in it. */
static inline int steer_testkit_logged(steer_testkit *kit, const char *text) {
  size_t i;
  int found = 0;
  pthread_mutex_lock(&kit->lock);
  for (i = 0; i < kit->log_count; ++i) found = found || strstr(kit->log[i], text) != NULL;
  pthread_mutex_unlock(&kit->lock);
  return found;
}

/* Ends the policy. Its picker, and calls under way, go on; updates and reports do not. */
static inline void steer_testkit_shutdown(steer_testkit *kit) {
  steer_policy_free(kit->policy);
  kit->policy = NULL;
}

/*
 * Ends all of it. Returns how many things that the host handed out have not come back: 0, or
 * something is leaked (and so is the kit then).
 */
static inline size_t steer_testkit_free(steer_testkit *kit) {
  const steer_testkit_endpoint *endpoint;
  size_t left = 0, i;
  if (kit == NULL) return 0;
  steer_testkit_shutdown(kit);
  for (endpoint = kit->endpoints; endpoint != NULL; endpoint = endpoint->next) left++;
  steer_testkit_use_picker(kit, kit->current, -1);
  kit->current = NULL;
  steer_config_free(kit->config);
  pthread_mutex_lock(&kit->lock);
  left += kit->connections + (kit->ended != 1);
  pthread_mutex_unlock(&kit->lock);
  if (left > 0) return left;
  for (i = 0; i < kit->address_count; ++i) free(kit->addresses[i]);
  for (i = 0; i < kit->log_count; ++i) free(kit->log[i]);
  free(kit->addresses);
  free(kit->log);
  free(kit->timers);
  free(kit->name);
  pthread_mutex_destroy(&kit->lock);
  free(kit);
  return 0;
}

/* --- Calls ---------------------------------------------------------------------------------- */

/* A call to pick for. */
typedef struct steer_testkit_call {
  const char *path;
  /* Name, value, name, value, ..., NULL. May be NULL. */
  const char *const *headers;
  /* The value of any header that is not among these. NULL: there are no others. */
  const char *any_header;
  /* The hash of an xDS route, when `has_request_hash` is not 0. */
  uint64_t request_hash;
  int has_request_hash;
} steer_testkit_call;

typedef struct steer_testkit_header {
  char name[64];
  char value[192];
} steer_testkit_header;

/* What a pick led to. */
typedef struct steer_testkit_pick {
  /* A steer_pick_kind; below 0 minus a steer_status. */
  int64_t kind;
  /* With COMPLETE and TRACKED: the backend's index in the latest list, or STEER_TESTKIT_NONE when
   * it is not in that any more; its address; and whether its connection is READY just now. */
  size_t backend;
  char address[64];
  int ready;
  /* With FAIL and DROP. */
  int32_t code;
  char message[256];
  /* What was added to the call, as far as there is room. */
  steer_testkit_header added[4];
  size_t added_count;
  /* With TRACKED: to be ended by one of the functions below. */
  steer_call_tracker *tracker;
} steer_testkit_pick;

/* What the callbacks of steer_call are given. */
typedef struct steer_testkit_asked {
  const steer_testkit_call *call;
  steer_testkit_pick *picked;
  char joined[512];
} steer_testkit_asked;

static inline int32_t steer_testkit_call_header(void *ctx, steer_str name, steer_str *value) {
  steer_testkit_asked *asked = (steer_testkit_asked *)ctx;
  const char *const *headers = asked->call->headers;
  size_t found = 0, length = 0;
  for (; headers != NULL && headers[0] != NULL; headers += 2) {
    if (!steer_text_equal(steer_text(headers[0]), name)) continue;
    length += (size_t)snprintf(asked->joined + length, sizeof asked->joined - length, "%s%s",
                               found == 0 ? "" : ",", headers[1]);
    if (length >= sizeof asked->joined) length = sizeof asked->joined - 1;
    found++;
  }
  if (found == 0 && asked->call->any_header == NULL) return 0;
  if (found == 0) {
    *value = steer_text(asked->call->any_header);
    return 1;
  }
  value->data = asked->joined;
  value->length = length;
  return 1;
}

static inline int32_t steer_testkit_call_add_header(void *ctx, steer_str name, steer_str value) {
  steer_testkit_pick *picked = ((steer_testkit_asked *)ctx)->picked;
  steer_testkit_header *header = &picked->added[picked->added_count];
  if (picked->added_count == sizeof picked->added / sizeof *picked->added) return 0;
  steer_testkit_copy(header->name, sizeof header->name, name);
  steer_testkit_copy(header->value, sizeof header->value, value);
  picked->added_count++;
  return 1;
}

/*
 * Picks for a call (NULL: one of no path and no headers), as the host's calls do: from any thread.
 * `backend` and `ready` are not filled in.
 */
static inline steer_testkit_pick steer_testkit_pick_anywhere(steer_testkit *kit,
                                                             const steer_testkit_call *call,
                                                             const void **connection) {
  static const steer_testkit_call plain = {"", NULL, NULL, 0, 0};
  steer_testkit_pick picked;
  steer_testkit_asked asked;
  steer_testkit_picker *picker;
  steer_picked raw;
  uint32_t wants;
  memset(&picked, 0, sizeof picked);
  picked.backend = STEER_TESTKIT_NONE;
  *connection = NULL;
  asked.call = call == NULL ? &plain : call;
  asked.picked = &picked;

  pthread_mutex_lock(&kit->lock);
  picker = kit->current;
  if (picker != NULL) picker->uses++;
  pthread_mutex_unlock(&kit->lock);
  wants = picker == NULL ? 0 : steer_picker_wants(picker->picker);
  if (picker == NULL) {
    picked.kind = STEER_PICK_QUEUE; /* as a channel's calls before its first picker */
  } else {
    /* As gRPC's shim: what the picker does not want is not there. */
    steer_call seen;
    memset(&seen, 0, sizeof seen);
    seen.struct_size = sizeof seen;
    seen.ctx = &asked;
    if (wants & STEER_WANTS_PATH) seen.path = steer_text(asked.call->path);
    if (wants & STEER_WANTS_HEADERS) {
      seen.header = steer_testkit_call_header;
      seen.add_header = steer_testkit_call_add_header;
    }
    if ((wants & STEER_WANTS_REQUEST_HASH) && asked.call->has_request_hash) {
      seen.request_hash = asked.call->request_hash;
      seen.has_request_hash = 1;
    }
    raw = steer_picker_pick(picker->picker, wants == 0 ? NULL : &seen);
    picked.kind = raw.kind;
    if (raw.kind == STEER_PICK_COMPLETE) *connection = raw.value;
    if (raw.kind == STEER_PICK_TRACKED) {
      picked.tracker = (steer_call_tracker *)raw.value;
      *connection = steer_call_tracker_connection(picked.tracker);
    }
    if (raw.kind == STEER_PICK_FAIL || raw.kind == STEER_PICK_DROP) {
      const steer_pick_failure *failure = (const steer_pick_failure *)raw.value;
      picked.code = failure->code;
      steer_testkit_copy(picked.message, sizeof picked.message, failure->message);
    }
    if (*connection != NULL) {
      const steer_testkit_connection *to = (const steer_testkit_connection *)*connection;
      steer_testkit_copy(picked.address, sizeof picked.address, steer_text(to->address));
    }
  }
  steer_testkit_use_picker(kit, picker, -1);
  return picked;
}

/* Picks for a call (NULL: one of no path and no headers). */
static inline steer_testkit_pick steer_testkit_pick_one(steer_testkit *kit,
                                                        const steer_testkit_call *call) {
  const void *connection;
  const steer_testkit_endpoint *endpoint;
  size_t i;
  steer_testkit_pick picked = steer_testkit_pick_anywhere(kit, call, &connection);
  if (connection == NULL) return picked;
  for (i = kit->address_count; i > 0; --i) {
    if (strcmp(kit->addresses[i - 1], picked.address) == 0) picked.backend = i - 1;
  }
  for (endpoint = kit->endpoints; endpoint != NULL; endpoint = endpoint->next) {
    if (endpoint->connection == connection) picked.ready = endpoint->state == STEER_READY;
  }
  return picked;
}

/* A tracked call starts; others do nothing here, and below. Any thread. */
static inline void steer_testkit_start(const steer_testkit_pick *picked) {
  steer_call_tracker_start(picked->tracker);
}

/*
 * A tracked call has ended with this status. `metrics`: a serialised OrcaLoadReport, or the empty
 * text. Any thread. The pick's tracker is gone then.
 */
static inline void steer_testkit_finish_with(steer_testkit_pick *picked, int32_t code,
                                             steer_str metrics) {
  steer_call_finish finish;
  memset(&finish, 0, sizeof finish);
  finish.struct_size = sizeof finish;
  finish.code = code;
  finish.metrics = metrics;
  steer_call_tracker_finish(picked->tracker, &finish);
  steer_call_tracker_free(picked->tracker);
  picked->tracker = NULL;
}

static inline void steer_testkit_finish(steer_testkit_pick *picked, int32_t code) {
  steer_testkit_finish_with(picked, code, steer_text(""));
}

/* The channel gives up on a tracked call. Any thread. The pick's tracker is gone then. */
static inline void steer_testkit_abandon(steer_testkit_pick *picked) {
  steer_call_tracker_free(picked->tracker);
  picked->tracker = NULL;
}

/*
 * Picks for so many calls, one like the other, and counts where they go: `counts` has a place for
 * each backend of the list. Tracked calls end at once, with OK. Returns how many went to none.
 */
static inline size_t steer_testkit_distribution(steer_testkit *kit, const steer_testkit_call *call,
                                                size_t calls, size_t *counts) {
  size_t i, nowhere = 0;
  memset(counts, 0, kit->address_count * sizeof *counts);
  for (i = 0; i < calls; ++i) {
    steer_testkit_pick picked = steer_testkit_pick_one(kit, call);
    if (picked.backend == STEER_TESTKIT_NONE) {
      nowhere++;
    } else {
      counts[picked.backend]++;
    }
    steer_testkit_start(&picked);
    steer_testkit_finish(&picked, 0);
  }
  return nowhere;
}

/* --- What every policy must keep ------------------------------------------------------------ */

typedef struct steer_testkit_options {
  /* Which sequence of lists, states and calls; 0 is one, too. */
  uint64_t seed;
  /* How many steps it takes; 0: 2,000. */
  size_t steps;
  /* How many threads pick while the steps are taken; 0: 4. */
  size_t threads;
} steer_testkit_options;

#define STEER_TESTKIT_MOST_BACKENDS 64
#define STEER_TESTKIT_OPEN_CALLS 32

/* One run: what is shared by its threads stands under the kit's lock. */
typedef struct steer_testkit_run {
  steer_testkit *kit;
  const char *policy;
  uint64_t random;
  size_t violations;
  size_t picks;
  int stop;
  /* Calls that have not ended: some of them never will, before the policy is gone. */
  steer_testkit_pick open[STEER_TESTKIT_OPEN_CALLS];
} steer_testkit_run;

static inline void steer_testkit_violation(steer_testkit_run *run, const char *what,
                                           const char *detail) {
  pthread_mutex_lock(&run->kit->lock);
  if (run->violations++ < 10) {
    fprintf(stderr, "%s does not keep what every policy must: %s%s%s\n", run->policy, what,
            *detail == '\0' ? "" : ": ", detail);
  }
  pthread_mutex_unlock(&run->kit->lock);
}

/* Calls differ, in what a picker may look at. */
static inline steer_testkit_pick steer_testkit_some_pick(steer_testkit_run *run, uint64_t *random,
                                                         int anywhere) {
  static const char *const paths[] = {"", "/helloworld.Greeter/SayHello", "/x/y", "no path at all"};
  static const char *const values[] = {NULL, "", "a", "ipv4:10.0.0.1:80", "\xff\xfe", "a,b,c"};
  steer_testkit_call call;
  steer_testkit_pick picked;
  const void *connection;
  call.path = paths[steer_testkit_next_random(random) % 4];
  call.headers = NULL;
  /* Of any value; about one in four calls has none. */
  call.request_hash = steer_testkit_next_random(random);
  call.has_request_hash = steer_testkit_next_random(random) % 4 != 0;
  call.any_header = values[steer_testkit_next_random(random) % 6];
  picked = anywhere ? steer_testkit_pick_anywhere(run->kit, &call, &connection)
                    : steer_testkit_pick_one(run->kit, &call);
  if (picked.kind < STEER_PICK_COMPLETE || picked.kind > STEER_PICK_TRACKED) {
    steer_testkit_violation(run, "a pick led to what is no steer_pick_kind", "");
  }
  if ((picked.kind == STEER_PICK_FAIL || picked.kind == STEER_PICK_DROP) &&
      (picked.code < 1 || picked.code > 16)) {
    steer_testkit_violation(run, "a call failed with what is no gRPC status", picked.message);
  }
  if (!anywhere && picked.address[0] != '\0' && !picked.ready) {
    steer_testkit_violation(run, "a call went to a backend that is not READY", picked.address);
  }
  return picked;
}

/* Tracked calls start, or not, and stay open: an older one ends in its place, one way or another.
 */
static inline void steer_testkit_keep_open(steer_testkit_pick *open, uint64_t *random,
                                           const steer_testkit_pick *picked) {
  const uint64_t chance = steer_testkit_next_random(random);
  steer_testkit_pick *place = &open[chance % STEER_TESTKIT_OPEN_CALLS];
  if (picked->tracker == NULL) return;
  if (place->tracker != NULL) {
    if (chance >> 32 & 1) {
      steer_testkit_finish(place, (int32_t)(chance >> 40 & 15));
    } else {
      steer_testkit_abandon(place);
    }
  }
  *place = *picked;
  if (chance >> 33 & 3) steer_testkit_start(place);
}

static inline void steer_testkit_abandon_all(steer_testkit_pick *open) {
  size_t i;
  for (i = 0; i < STEER_TESTKIT_OPEN_CALLS; ++i) {
    if (open[i].tracker != NULL) steer_testkit_abandon(&open[i]);
  }
}

static inline void *steer_testkit_picking_thread(void *argument) {
  steer_testkit_run *run = (steer_testkit_run *)argument;
  steer_testkit_pick open[STEER_TESTKIT_OPEN_CALLS];
  uint64_t random;
  int stop;
  memset(open, 0, sizeof open);
  random = steer_testkit_host_random(run->kit);
  do {
    const steer_testkit_pick picked = steer_testkit_some_pick(run, &random, 1);
    steer_testkit_keep_open(open, &random, &picked);
    pthread_mutex_lock(&run->kit->lock);
    run->picks++;
    stop = run->stop;
    pthread_mutex_unlock(&run->kit->lock);
  } while (!stop);
  steer_testkit_abandon_all(open);
  return NULL;
}

/* A list of some backends, in any order, some of them twice. */
static inline void steer_testkit_some_list(steer_testkit_run *run) {
  static const size_t sizes[] = {0, 1, 1, 2, 3, 5, STEER_TESTKIT_MOST_BACKENDS};
  const size_t count = sizes[steer_testkit_next_random(&run->random) % 7];
  char texts[STEER_TESTKIT_MOST_BACKENDS][32];
  const char *addresses[STEER_TESTKIT_MOST_BACKENDS];
  size_t i;
  for (i = 0; i < count; ++i) {
    steer_testkit_address(steer_testkit_next_random(&run->random) % (count + 2), texts[i],
                          sizeof texts[i]);
    addresses[i] = texts[i];
  }
  steer_testkit_update_addresses(run->kit, addresses, count);
}

/* One step of what can happen to a channel, and picks after it. */
static inline void steer_testkit_step(steer_testkit_run *run) {
  steer_testkit *kit = run->kit;
  const uint64_t chance = steer_testkit_next_random(&run->random);
  const size_t some = kit->address_count == 0 ? 0 : (size_t)(chance >> 32) % kit->address_count;
  size_t i;
  switch (chance % 8) {
    case 0:
      steer_testkit_some_list(run);
      break;
    case 1:
      steer_testkit_connect_all(kit);
      break;
    case 2:
      steer_testkit_advance(kit, (chance >> 20) % UINT64_C(20000000000));
      break;
    default:
      steer_testkit_report(kit, some, (int32_t)(chance >> 16 & 3));
      break;
  }
  for (i = 0; i < 5; ++i) {
    const steer_testkit_pick picked = steer_testkit_some_pick(run, &run->random, 0);
    steer_testkit_keep_open(run->open, &run->random, &picked);
  }
  steer_testkit_settle(kit);
}

/*
 * What every policy must keep: it completes with READY backends only, survives lists of none, one
 * and many, with and without repetitions, goes on through any sequence of states, updates and
 * timers while calls are picked for by many threads, never is faulty, and gives back all that it
 * got, also when calls never finish or outlive it. Returns how often it did not, and says so on
 * stderr. `options` may be NULL.
 */
static inline size_t steer_testkit_conformance(const char *policy, const char *config,
                                               const steer_testkit_options *options) {
  steer_testkit_run run;
  steer_testkit_pick picked;
  steer_string *error = NULL;
  pthread_t threads[64];
  const size_t steps = options != NULL && options->steps > 0 ? options->steps : 2000;
  size_t wanted = options != NULL && options->threads > 0 ? options->threads : 4;
  size_t started = 0, i, left;
  char faults[64];
  memset(&run, 0, sizeof run);
  run.policy = policy;
  run.random = options == NULL ? 0 : options->seed;
  run.kit = steer_testkit_new(policy, config, &error);
  if (run.kit == NULL) {
    const steer_str text = steer_string_text(error);
    fprintf(stderr, "%s cannot be made: %.*s\n", policy, (int)text.length, text.data);
    steer_string_free(error);
    return 1;
  }
  steer_testkit_seed(run.kit, run.random + 1);

  /* One backend after the other becomes READY, and leaves again. */
  for (i = 0; i <= 3; ++i) {
    size_t backend;
    steer_testkit_use(run.kit, i);
    for (backend = 0; backend < 2 * i; ++backend) {
      steer_testkit_report(run.kit, backend % i, backend < i ? STEER_READY : STEER_IDLE);
      picked = steer_testkit_some_pick(&run, &run.random, 0);
      steer_testkit_keep_open(run.open, &run.random, &picked);
    }
  }
  if (wanted > sizeof threads / sizeof *threads) wanted = sizeof threads / sizeof *threads;
  while (started < wanted &&
         pthread_create(&threads[started], NULL, steer_testkit_picking_thread, &run) == 0) {
    started++;
  }
  for (i = 0; i < steps; ++i) steer_testkit_step(&run);
  snprintf(faults, sizeof faults, "%llu faults", (unsigned long long)steer_testkit_faults(run.kit));
  if (steer_testkit_faults(run.kit) > 0) {
    steer_testkit_violation(&run, "it is faulty", faults);
    for (i = 0; i < run.kit->log_count && i < 5; ++i) fprintf(stderr, "  %s\n", run.kit->log[i]);
  }

  /* The policy is gone before its last picks are, and these before their calls. */
  steer_testkit_shutdown(run.kit);
  pthread_mutex_lock(&run.kit->lock);
  run.stop = 1;
  pthread_mutex_unlock(&run.kit->lock);
  for (i = 0; i < started; ++i) pthread_join(threads[i], NULL);
  steer_testkit_use_picker(run.kit, run.kit->current, -1);
  run.kit->current = NULL;
  steer_testkit_abandon_all(run.open);
  left = steer_testkit_free(run.kit);
  if (left > 0) {
    fprintf(stderr, "%s did not give back %llu of what it got\n", policy, (unsigned long long)left);
    run.violations++;
  }
  return run.violations;
}

#endif /* STEER_TESTKIT_H */
