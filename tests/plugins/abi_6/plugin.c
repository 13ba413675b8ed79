/*
 * A plugin of ABI version 6. It uses each hook and each function that a plugin of that version has.
 * Beside it is its binary, which is never built again: README.md.
 *
 *   abi_6_picker   {"header": "kind", "weight": 3}: the header says what happens to a call
 *   abi_6_policy   connects to each backend, and takes those that are READY in turn
 *
 * Must not use: anything that came after version 6.
 */
#include <steer/picker.h>

static const steer_api *api;

static int32_t no_memory(void) {
  api->fault(STEER_TEXT("no memory"));
  return 1;
}

/* --- The picker --------------------------------------------------------------------------- */

typedef struct config {
  steer_str header;
  int64_t weight;
} config;

static void config_free(void *given) {
  config *read = given;
  free((char *)read->header.data);
  free(read);
}

static int32_t config_new(void *ctx, const steer_json *json, steer_faults *faults, void **made) {
  steer_str header = STEER_TEXT("kind");
  config *read = calloc(1, sizeof *read);
  (void)ctx;
  if (read == NULL) return no_memory();
  read->weight = 1;
  steer_json_get_string(api, json, faults, "header", &header);
  steer_json_get_integer(api, json, faults, "weight", &read->weight, 1, 100);
  read->header = steer_text_copy(header);
  *made = read;
  return 0;
}

typedef struct instance {
  steer_channel *channel;
  uint64_t timer;
  int pickers, timers;
} instance;

static int32_t instance_new(void *ctx, steer_channel *channel, void **made) {
  instance *of = calloc(1, sizeof *of);
  (void)ctx;
  if (of == NULL) return no_memory();
  of->channel = channel;
  of->timer = api->timer_start(channel, 1000000000);
  api->timer_cancel(channel, api->timer_start(channel, 1000));
  *made = of;
  return 0;
}

static int32_t backend_new(void *given, const steer_backend *backend, void **data) {
  steer_str zone = STEER_TEXT("none");
  (void)given;
  steer_backend_text(backend, STEER_TEXT("zone"), &zone);
  *data = (char *)steer_text_copy(zone).data;
  return 0;
}

typedef struct picker {
  const instance *of;
  const config *config;
  const steer_backends *backends;
} picker;

static void picker_free(void *given) {
  picker *freed = given;
  api->backends_release(freed->backends);
  free(freed);
}

static int32_t picker_new(void *given, const void *read, const steer_backends *backends,
                          steer_wants *wants, void **made) {
  picker *one = calloc(1, sizeof *one);
  if (one == NULL) return no_memory();
  one->of = given;
  one->config = read;
  one->backends = backends;
  api->backends_hold(backends);
  ((instance *)given)->pickers++;
  steer_wants_headers(wants, &one->config->header, 1);
  wants->bits |= STEER_WANTS_PATH | STEER_WANTS_METRICS | STEER_WANTS_REQUEST_HASH;
  *made = one;
  return 0;
}

static steer_choice pick(const void *given, const steer_call *call) {
  const picker *by = given;
  steer_str kind = STEER_TEXT("");
  uint64_t hash = 0;
  steer_call_header(call, by->config->header, &kind);
  if (steer_text_equal(kind, STEER_TEXT("fail"))) {
    return api->fail(STEER_CODE_RESOURCE_EXHAUSTED, STEER_TEXT("as asked"));
  }
  if (steer_text_equal(kind, STEER_TEXT("drop"))) {
    return api->drop(STEER_CODE_UNAVAILABLE, STEER_TEXT("as asked"));
  }
  if (steer_text_equal(kind, STEER_TEXT("queue"))) return steer_queue();
  if (steer_text_equal(kind, STEER_TEXT("fault"))) return api->fault(STEER_TEXT("as asked"));
  if (steer_text_equal(kind, STEER_TEXT("tracked")))
    return api->complete_tracked(0, (void *)by->of);
  if (steer_call_request_hash(call, &hash)) return steer_complete(hash % by->backends->count);
  steer_call_add_header(call, STEER_TEXT("path-of"), steer_call_path(call));
  return steer_complete((uint64_t)by->config->weight % by->backends->count);
}

static void call_started(const void *by, uint64_t backend, void *state) {
  (void)by, (void)backend;
  api->log(((const instance *)state)->channel, STEER_LOG_DEBUG, STEER_TEXT("abi 6: started"));
}

static void call_finished(const void *given, uint64_t backend, void *state,
                          const steer_call_end *end) {
  const picker *by = given;
  char text[256];
  snprintf(text, sizeof text, "abi 6: %s finished with %d after %llu ns at %g, data %s",
           by->backends->items[backend]->addresses[0].data == NULL ? "?" : "a call",
           end->outcome == STEER_CALL_FINISHED ? (int)end->code : -1,
           (unsigned long long)end->latency_ns,
           end->metrics == NULL ? -1 : end->metrics->application_utilization,
           (const char *)by->backends->items[backend]->data);
  api->log(((const instance *)state)->channel, STEER_LOG_INFO, steer_text(text));
}

static void timer(void *given, uint64_t number) {
  instance *of = given;
  char text[128];
  if (number != of->timer) return;
  snprintf(text, sizeof text, "abi 6: timer %d after %d pickers", ++of->timers, of->pickers);
  api->log(of->channel, STEER_LOG_INFO, steer_text(text));
  api->rebuild(of->channel);
  of->timer = api->timer_start(of->channel, 1000000000);
}

/* --- The policy --------------------------------------------------------------------------- */

#define MOST 64

typedef struct policy {
  steer_channel *channel;
  uint64_t endpoints[MOST];
  int32_t states[MOST];
  size_t count;
} policy;

typedef struct turns {
  const steer_channel *channel;
  size_t count;
} turns;

static int32_t policy_new(void *ctx, steer_channel *channel, void **made) {
  policy *one = calloc(1, sizeof *one);
  (void)ctx;
  if (one == NULL) return no_memory();
  one->channel = channel;
  *made = one;
  return 0;
}

static void publish(policy *of, int32_t code, steer_str message) {
  steer_publication publication = {.struct_size = sizeof publication};
  uint64_t ready[MOST];
  size_t failed = 0;
  turns *made = NULL;
  publication.endpoints = ready;
  for (size_t i = 0; i < of->count; ++i) {
    if (of->states[i] == STEER_READY) ready[publication.endpoint_count++] = of->endpoints[i];
    failed += of->states[i] == STEER_TRANSIENT_FAILURE;
  }
  publication.state = STEER_CONNECTING;
  if (publication.endpoint_count > 0) {
    publication.state = STEER_READY;
    made = calloc(1, sizeof *made);
    if (made == NULL) return;
    made->channel = of->channel;
    made->count = publication.endpoint_count;
  } else if (failed == of->count) {
    publication.state = STEER_TRANSIENT_FAILURE;
    publication.code = code;
    publication.message = message;
  }
  publication.picker = made;
  if (api->publish(of->channel, &publication) != STEER_OK) api->fault(api->last_error());
}

static int32_t update(void *given, const steer_resolved *resolved) {
  policy *of = given;
  uint64_t kept[MOST];
  int32_t states[MOST];
  size_t count = 0;
  if (resolved->code != 0) return resolved->code;
  for (; count < resolved->endpoints->count && count < MOST; ++count) {
    kept[count] = 0;
    for (size_t i = 0; i < of->count && kept[count] == 0; ++i) {
      if (of->endpoints[i] == 0 || !api->endpoint_matches(of->channel, of->endpoints[i], count)) {
        continue;
      }
      kept[count] = of->endpoints[i];
      states[count] = of->states[i];
      of->endpoints[i] = 0;
    }
    if (kept[count] != 0) continue;
    kept[count] = api->endpoint_new(of->channel, count);
    states[count] = STEER_CONNECTING;
    api->endpoint_connect(of->channel, kept[count]);
  }
  for (size_t i = 0; i < of->count; ++i) {
    if (of->endpoints[i] != 0) api->endpoint_free(of->channel, of->endpoints[i]);
  }
  memcpy(of->endpoints, kept, count * sizeof *kept);
  memcpy(of->states, states, count * sizeof *states);
  of->count = count;
  publish(of, STEER_CODE_UNAVAILABLE, STEER_TEXT("abi 6: no backends"));
  return count > 0 ? 0 : STEER_CODE_UNAVAILABLE;
}

static void endpoint_report(void *given, uint64_t endpoint, int32_t state, int32_t code,
                            steer_str message) {
  policy *of = given;
  for (size_t i = 0; i < of->count; ++i) {
    if (of->endpoints[i] != endpoint) continue;
    if (state == STEER_IDLE) {
      api->endpoint_connect(of->channel, endpoint);
      api->request_reresolution(of->channel);
    }
    of->states[i] = state == STEER_IDLE ? STEER_CONNECTING : state;
  }
  publish(of, code, message);
}

static void reset_backoff(void *given) {
  policy *of = given;
  for (size_t i = 0; i < of->count; ++i) {
    api->endpoint_reset_backoff(of->channel, of->endpoints[i]);
  }
}

static steer_choice policy_pick(const void *given, const steer_call *call) {
  const turns *by = given;
  (void)call;
  return steer_complete((api->random(by->channel) ^ api->now(by->channel)) % by->count);
}

/* --- The plugin --------------------------------------------------------------------------- */

static int32_t entry(const steer_api *engine) {
  const steer_picker_type picker_type = {.struct_size = sizeof picker_type,
                                         .name = STEER_TEXT("abi_6_picker"),
                                         .config_new = config_new,
                                         .config_free = config_free,
                                         .instance_new = instance_new,
                                         .instance_free = free,
                                         .backend_new = backend_new,
                                         .backend_free = free,
                                         .picker_new = picker_new,
                                         .picker_free = picker_free,
                                         .pick = pick,
                                         .call_started = call_started,
                                         .call_finished = call_finished,
                                         .timer = timer,
                                         .on_fault = STEER_ON_FAULT_FAIL,
                                         .faults_per_minute = 2};
  const steer_policy_type policy_type = {.struct_size = sizeof policy_type,
                                         .name = STEER_TEXT("abi_6_policy"),
                                         .policy_new = policy_new,
                                         .policy_free = free,
                                         .update = update,
                                         .endpoint_report = endpoint_report,
                                         .reset_backoff = reset_backoff,
                                         .picker_free = free,
                                         .pick = policy_pick};
  int32_t status;
  api = engine;
  status = api->register_picker(&picker_type);
  return status != 0 ? status : api->register_policy(&policy_type);
}

STEER_PLUGIN(abi_6_plugin, "abi_6", "1.0", entry)
