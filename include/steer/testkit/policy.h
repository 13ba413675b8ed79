/* Part of testkit.h, which users include: making, updating and ending a policy. */
#ifndef STEER_TESTKIT_POLICY_H
#define STEER_TESTKIT_POLICY_H

#include "steer/testkit/host.h"
#include "steer/testkit/kit.h"

/*
 * Reads another config, which the next update passes to the policy. NULL: the defaults. The result
 * and `*error` are those of steer_config_parse.
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

/* As steer_testkit_new, with another table of callbacks, whose ctx this function sets. */
static inline steer_testkit *steer_testkit_with_host(const char *policy, const char *config,
                                                     steer_host host, steer_string **error) {
  steer_testkit *kit = (steer_testkit *)steer_testkit_memory(sizeof *kit);
  kit->state = -1;
  kit->now = 1000000000;
  kit->name = steer_testkit_string(steer_text(policy));
  pthread_mutex_init(&kit->lock, NULL);
  host.ctx = kit;
  if (steer_virtual_host_new(kit->now, 0, &kit->host) != STEER_OK) abort();
  if (steer_testkit_configure(kit, config, error) == STEER_OK &&
      steer_policy_new(steer_text(policy), &host, &kit->policy) == STEER_OK) {
    return kit;
  }
  steer_config_free(kit->config);
  steer_virtual_host_free(kit->host);
  pthread_mutex_destroy(&kit->lock);
  free(kit->name);
  free(kit);
  return NULL;
}

/*
 * Makes a policy with this name and config (JSON; NULL: the defaults). Returns NULL if there is no
 * such policy, or if it rejects the config. `*error` then has the reason, which the caller frees.
 * `error` may be NULL.
 */
static inline steer_testkit *steer_testkit_new(const char *policy, const char *config,
                                               steer_string **error) {
  return steer_testkit_with_host(policy, config, steer_testkit_host(), error);
}

/* Starts another sequence of random numbers: one for each seed. */
static inline void steer_testkit_seed(steer_testkit *kit, uint64_t seed) {
  steer_virtual_host_seed(kit->host, seed);
}

/* Reports an endpoint's state by its number. The result is that of steer_policy_endpoint_report. */
static inline steer_status steer_testkit_report_endpoint(steer_testkit *kit, uint64_t number,
                                                         int32_t state) {
  const steer_status status =
      steer_virtual_host_report(kit->host, kit->policy, number, state, 14, steer_text("refused"));
  steer_testkit_take_requests(kit);
  return status;
}

/*
 * Does what a host does soon after a call of the policy. New endpoints report that they are IDLE,
 * or READY if another one is connected to the same address, because gRPC shares that connection.
 * After run_later, steer_policy_run is called. All functions below settle, except those for calls.
 * So the fallback of a faulty picker comes here.
 */
static inline void steer_testkit_settle(steer_testkit *kit) {
  steer_virtual_endpoint endpoint;
  uint64_t last = 0; /* all endpoints up to this one have reported */
  for (;;) {
    steer_testkit_take_requests(kit);
    if (kit->run_wanted) {
      kit->run_wanted = 0;
      steer_policy_run(kit->policy);
      continue;
    }
    if (!steer_testkit_endpoint_after(kit, last, &endpoint)) return;
    last = endpoint.number;
    if (endpoint.state >= 0) continue;
    steer_testkit_report_endpoint(kit, last, endpoint.connected ? STEER_READY : STEER_IDLE);
  }
}

/*
 * Gives a resolver's answer to the policy, with the latest config. The first address identifies a
 * backend. The other functions take its index in this list. Returns 0 if the policy accepts the
 * update, otherwise the gRPC status code of its refusal. Below 0: minus a steer_status.
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
  /* With wrong arguments, the update below has the same status. */
  steer_virtual_host_list(kit->host, backends, count);
  memset(&update, 0, sizeof update);
  update.struct_size = sizeof update;
  update.config = kit->config;
  update.endpoints = backends;
  update.endpoint_count = count;
  status = steer_policy_update(kit->policy, &update, &code, NULL);
  steer_testkit_settle(kit);
  return status == STEER_OK ? code : -(int32_t)status;
}

/* The same, with backends that have only these addresses. */
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

/* Writes the address for the backend of this index: "ipv4:10.0.0.1:80" for 0. */
static inline void steer_testkit_address(size_t index, char *address, size_t size) {
  const unsigned number = (unsigned)index + 1;
  snprintf(address, size, "ipv4:10.%u.%u.%u:80", number >> 16 & 255, number >> 8 & 255,
           number & 255);
}

/* The same, with `count` backends of steer_testkit_address. */
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

/* Reports the state of a backend's endpoints. Returns 0 if the policy has none. */
static inline int steer_testkit_report(steer_testkit *kit, size_t backend, int32_t state) {
  steer_virtual_endpoint endpoint;
  uint64_t last, numbers[16]; /* a list may have an address several times */
  size_t found = 0, i;
  if (backend >= kit->address_count) return 0;
  for (last = 0; found < 16 && steer_testkit_endpoint_after(kit, last, &endpoint);
       last = endpoint.number) {
    if (steer_text_equal(endpoint.address, steer_text(kit->addresses[backend]))) {
      numbers[found++] = endpoint.number;
    }
  }
  for (i = 0; i < found; ++i) steer_testkit_report_endpoint(kit, numbers[i], state);
  steer_testkit_settle(kit);
  return found > 0;
}

/*
 * Lets a backend send a load report out of band. Policies that have not asked for such reports
 * (`kit->load_reports_ns`) get none.
 */
static inline void steer_testkit_load(steer_testkit *kit, size_t backend,
                                      const steer_metrics *report) {
  steer_virtual_endpoint endpoint;
  uint64_t last;
  if (backend >= kit->address_count || kit->load_reports_ns == 0) return;
  for (last = 0; steer_testkit_endpoint_after(kit, last, &endpoint); last = endpoint.number) {
    if (steer_text_equal(endpoint.address, steer_text(kit->addresses[backend]))) {
      steer_policy_endpoint_load(kit->policy, endpoint.number, report);
    }
  }
  steer_testkit_settle(kit);
}

/* Makes each connection that was asked for READY. Returns their number. */
static inline size_t steer_testkit_connect_all(steer_testkit *kit) {
  size_t connected = 0;
  for (;;) {
    steer_virtual_endpoint endpoint;
    int found = steer_testkit_endpoint_after(kit, 0, &endpoint);
    while (found && !endpoint.asked) {
      found = steer_testkit_endpoint_after(kit, endpoint.number, &endpoint);
    }
    if (!found) return connected;
    steer_testkit_report_endpoint(kit, endpoint.number, STEER_READY);
    steer_testkit_settle(kit);
    connected++;
  }
}

/*
 * Lets this much time pass. Timers that are due expire. Before that, does what the policy has asked
 * for on other threads or at the ends of calls, such as `steer_api.wake`.
 */
static inline void steer_testkit_advance(steer_testkit *kit, uint64_t ns) {
  const uint64_t end = kit->now + ns;
  steer_testkit_settle(kit);
  for (;;) {
    const uint64_t timer = steer_virtual_host_timer(kit->host, end);
    kit->now = steer_virtual_host_callbacks()->now(kit);
    if (timer == 0) return;
    steer_policy_timer(kit->policy, timer);
    steer_testkit_settle(kit);
  }
}

/* The number of the policy's faults. */
static inline uint64_t steer_testkit_faults(steer_testkit *kit) {
  uint64_t faults = 0;
  steer_testkit_take_requests(kit);
  steer_policy_faults(kit->policy, &faults);
  return faults;
}

/*
 * Returns 1 if a fallback replaces the policy, and writes the reason to `why`, which has `size`
 * bytes and may be NULL. The fallback ends with another config, with a list that comes at least 10
 * s later, and with a new release.
 */
static inline int steer_testkit_fallen_back(steer_testkit *kit, char *why, size_t size) {
  steer_string *text = NULL;
  if (steer_policy_fallback(kit->policy, &text) != STEER_OK || text == NULL) return 0;
  if (why != NULL && size > 0) steer_testkit_copy(why, size, steer_string_text(text));
  steer_string_free(text);
  return 1;
}

/* Whether a line of the log contains this text. */
static inline int steer_testkit_logged(steer_testkit *kit, const char *text) {
  size_t i;
  int found = 0;
  steer_testkit_take_requests(kit);
  for (i = 0; i < kit->log_count; ++i) found = found || strstr(kit->log[i], text) != NULL;
  return found;
}

/* Ends the policy. Its picker and its calls continue. Updates and reports are not possible any
 * more. */
static inline void steer_testkit_shutdown(steer_testkit *kit) {
  steer_policy_free(kit->policy);
  kit->policy = NULL;
  steer_testkit_take_requests(kit);
}

/*
 * Frees the kit. Returns how many objects of the host were not given back. Unless that is 0, the
 * kit is leaked, too.
 */
static inline size_t steer_testkit_free(steer_testkit *kit) {
  size_t left, i;
  if (kit == NULL) return 0;
  steer_testkit_shutdown(kit);
  steer_virtual_host_drop_picker(kit->host);
  steer_config_free(kit->config);
  pthread_mutex_lock(&kit->lock);
  left = steer_virtual_host_held(kit->host) + (kit->ended != 1);
  pthread_mutex_unlock(&kit->lock);
  if (left > 0) return left;
  steer_virtual_host_free(kit->host);
  for (i = 0; i < kit->address_count; ++i) free(kit->addresses[i]);
  for (i = 0; i < kit->log_count; ++i) free(kit->log[i]);
  free(kit->addresses);
  free(kit->log);
  free(kit->name);
  pthread_mutex_destroy(&kit->lock);
  free(kit);
  return 0;
}

#endif /* STEER_TESTKIT_POLICY_H */
