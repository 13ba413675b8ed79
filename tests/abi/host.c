/*
 * The C ABI from C: a host with two backends, and every function with NULLs, short and long
 * structs, and nonsense. Run as it is, under AddressSanitizer and under valgrind.
 *
 * Must not know: gRPC, Rust. What a panicking policy does is tested in src/ffi/tests.rs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steer/steer.h"

static int failures;

#define CHECK(condition)                                                            \
  do {                                                                              \
    if (!(condition)) {                                                             \
      fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                                   \
    }                                                                               \
  } while (0)

static steer_str str(const char *text) {
  steer_str s = {text, strlen(text)};
  return s;
}

/* Whether a text is this one. */
static int is(steer_str s, const char *text) {
  return s.length == strlen(text) && (s.length == 0 || memcmp(s.data, text, s.length) == 0);
}

/* --- A host. Everything that it hands out is allocated, so that sanitizers see what leaks. --- */

typedef struct host {
  uint64_t ids[16];
  int endpoints_made;
  int endpoints_alive;
  int connections_alive;
  int connects;
  int resets;
  int reresolutions;
  int logs;
  int state;
  int code;
  char message[256];
  steer_picker *picker;
  int32_t refusal;
  int ended;
} host;

static void ctx_free(void *ctx) { ((host *)ctx)->ended++; }

static int32_t endpoint_new(void *ctx, uint64_t endpoint, uint32_t index, void **handle) {
  host *h = ctx;
  (void)index;
  if (h->refusal != STEER_OK) return h->refusal;
  h->ids[h->endpoints_made++ % 16] = endpoint;
  h->endpoints_alive++;
  *handle = malloc(1);
  return STEER_OK;
}

static void endpoint_connect(void *ctx, void *handle) {
  (void)handle;
  ((host *)ctx)->connects++;
}

static void endpoint_reset_backoff(void *ctx, void *handle) {
  (void)handle;
  ((host *)ctx)->resets++;
}

static void endpoint_free(void *ctx, void *handle) {
  ((host *)ctx)->endpoints_alive--;
  free(handle);
}

static void connection_free(void *ctx, void *connection) {
  ((host *)ctx)->connections_alive--;
  free(connection);
}

static void update_state(void *ctx, int32_t state, int32_t code, steer_str message,
                         steer_picker *picker) {
  host *h = ctx;
  size_t length = message.length < sizeof(h->message) - 1 ? message.length : sizeof(h->message) - 1;
  if (length > 0) memcpy(h->message, message.data, length);
  h->message[length] = '\0';
  h->state = state;
  h->code = code;
  steer_picker_free(h->picker);
  h->picker = picker;
}

static void request_reresolution(void *ctx) { ((host *)ctx)->reresolutions++; }

static void write_log(void *ctx, int32_t severity, steer_str message) {
  (void)severity;
  (void)message;
  ((host *)ctx)->logs++;
}

static steer_host table(host *h) {
  steer_host t;
  memset(&t, 0, sizeof t);
  t.struct_size = sizeof t;
  t.ctx = h;
  t.ctx_free = ctx_free;
  t.endpoint_new = endpoint_new;
  t.endpoint_connect = endpoint_connect;
  t.endpoint_reset_backoff = endpoint_reset_backoff;
  t.endpoint_free = endpoint_free;
  t.connection_free = connection_free;
  t.update_state = update_state;
  t.request_reresolution = request_reresolution;
  t.log = write_log;
  return t;
}

static steer_policy *new_policy(host *h) {
  steer_policy *policy = NULL;
  memset(h, 0, sizeof *h);
  const steer_host t = table(h);
  CHECK(steer_policy_new(str("steer_round_robin"), &t, &policy) == STEER_OK);
  return policy;
}

/* Ends a policy, and checks that all that was handed out came back. */
static void end(host *h, steer_policy *policy) {
  steer_policy_free(policy);
  CHECK(h->endpoints_alive == 0);
  steer_picker_free(h->picker);
  CHECK(h->connections_alive == 0);
  CHECK(h->ended == 1);
}

static steer_endpoint endpoint_of(const steer_str *address) {
  steer_endpoint e;
  memset(&e, 0, sizeof e);
  e.struct_size = sizeof e;
  e.addresses = address;
  e.address_count = 1;
  return e;
}

static steer_status update(steer_policy *policy, const steer_endpoint *endpoints, size_t count) {
  steer_update u;
  memset(&u, 0, sizeof u);
  u.struct_size = sizeof u;
  u.endpoints = endpoints;
  u.endpoint_count = count;
  return steer_policy_update(policy, &u, NULL, NULL);
}

static steer_status report(host *h, steer_policy *policy, int endpoint, int32_t state) {
  steer_endpoint_report r;
  memset(&r, 0, sizeof r);
  r.struct_size = sizeof r;
  r.state = state;
  if (state == STEER_READY) {
    r.connection = malloc(1);
    h->connections_alive++;
  }
  if (state == STEER_TRANSIENT_FAILURE) {
    r.code = 14;
    r.message = str("refused");
  }
  return steer_policy_endpoint_report(policy, h->ids[endpoint], &r);
}

static steer_picked pick(const steer_picker *picker) {
  const steer_picked picked = steer_picker_pick(picker, NULL);
  CHECK(picked.kind >= 0);
  return picked;
}

/* --- The tests. --- */

static void a_whole_life(void) {
  host h;
  steer_policy *policy = new_policy(&h);
  const steer_str addresses[] = {str("ipv4:127.0.0.1:1"), str("ipv4:127.0.0.1:2")};
  const steer_endpoint endpoints[] = {endpoint_of(&addresses[0]), endpoint_of(&addresses[1])};
  CHECK(update(policy, endpoints, 2) == STEER_OK);
  CHECK(h.state == STEER_CONNECTING && pick(h.picker).kind == STEER_PICK_QUEUE);
  CHECK(report(&h, policy, 0, STEER_IDLE) == STEER_OK && h.connects == 1);
  CHECK(report(&h, policy, 0, STEER_CONNECTING) == STEER_OK);
  CHECK(report(&h, policy, 0, STEER_READY) == STEER_OK && h.state == STEER_READY);
  CHECK(report(&h, policy, 1, STEER_READY) == STEER_OK);
  const steer_picked first = pick(h.picker), second = pick(h.picker);
  CHECK(first.kind == STEER_PICK_COMPLETE && second.kind == STEER_PICK_COMPLETE);
  CHECK(first.value != second.value);
  CHECK(pick(h.picker).value == first.value);
  CHECK(report(&h, policy, 0, STEER_IDLE) == STEER_OK && h.reresolutions == 1);
  CHECK(report(&h, policy, 0, STEER_TRANSIENT_FAILURE) == STEER_OK);
  CHECK(report(&h, policy, 1, STEER_TRANSIENT_FAILURE) == STEER_OK);
  CHECK(h.state == STEER_TRANSIENT_FAILURE && h.code == 14);
  CHECK(strcmp(h.message, "connections to all backends failing; last error: refused") == 0);
  const steer_picked failed = pick(h.picker);
  const steer_pick_failure *failure = failed.value;
  CHECK(failed.kind == STEER_PICK_FAIL && failure->struct_size >= sizeof *failure);
  CHECK(failure->code == 14 && is(failure->message, h.message));
  CHECK(steer_policy_reset_backoff(policy) == STEER_OK && h.resets == 2);
  CHECK(steer_policy_exit_idle(policy) == STEER_OK);
  CHECK(steer_policy_run(policy) == STEER_OK);
  CHECK(steer_policy_timer(policy, 1) == STEER_OK);
  uint64_t faults = 1;
  CHECK(steer_policy_faults(policy, &faults) == STEER_OK && faults == 0);
  end(&h, policy);
}

static void configs(void) {
  steer_config *config = NULL;
  steer_string *error = NULL;
  const steer_str name = str("steer_round_robin");
  CHECK(steer_config_parse(name, str("{\"unknown\": 1}"), &config, &error) == STEER_OK);
  CHECK(config != NULL && error == NULL);
  host h;
  steer_policy *policy = new_policy(&h);
  const steer_str address = str("ipv4:127.0.0.1:1");
  const steer_endpoint endpoint = endpoint_of(&address);
  steer_update u;
  memset(&u, 0, sizeof u);
  u.struct_size = sizeof u;
  u.config = config;
  u.endpoints = &endpoint;
  u.endpoint_count = 1;
  int32_t code = -1;
  steer_string *message = NULL;
  CHECK(steer_policy_update(policy, &u, &code, &message) == STEER_OK);
  CHECK(code == 0 && message == NULL);
  steer_config_free(config);
  u.endpoints = NULL;
  u.endpoint_count = 0;
  u.config = NULL;
  u.resolution_note = str("the note");
  CHECK(steer_policy_update(policy, &u, &code, &message) == STEER_OK);
  CHECK(code == 14 && is(steer_string_text(message), "empty address list: the note"));
  steer_string_free(message);
  end(&h, policy);

  config = NULL;
  CHECK(steer_config_parse(name, str("[]"), &config, &error) == STEER_INVALID_CONFIG);
  CHECK(config == NULL && steer_string_text(error).length > 0);
  steer_string_free(error);
  CHECK(steer_config_parse(str("none"), str("{}"), &config, NULL) == STEER_UNKNOWN_POLICY);
}

static void nulls(void) {
  host h;
  steer_policy *policy = new_policy(&h), *none = NULL;
  const steer_host t = table(&h);
  const steer_str name = str("steer_round_robin"), lost = {NULL, 3};
  steer_config *config = NULL;
  CHECK(steer_policy_name(0, NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_config_parse(name, str("{}"), NULL, NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_config_parse(lost, str("{}"), &config, NULL) == STEER_INVALID_ARGUMENT);
  CHECK(steer_policy_new(name, NULL, &none) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_new(name, &t, NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_new(lost, &t, &none) == STEER_INVALID_ARGUMENT);
  CHECK(steer_policy_update(NULL, NULL, NULL, NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_update(policy, NULL, NULL, NULL) == STEER_NULL_ARGUMENT);
  CHECK(update(policy, NULL, 1) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_endpoint_report(NULL, 1, NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_endpoint_report(policy, 1, NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_exit_idle(NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_reset_backoff(NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_timer(NULL, 1) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_run(NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_faults(NULL, NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_policy_faults(policy, NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_picker_pick(NULL, NULL).kind == -STEER_NULL_ARGUMENT);
  CHECK(steer_picker_wants(NULL) == 0);
  CHECK(steer_string_text(NULL).length == 0);
  steer_string_free(NULL);
  steer_config_free(NULL);
  steer_policy_free(NULL);
  steer_picker_free(NULL);
  CHECK(update(policy, NULL, 0) == STEER_OK);
  CHECK(pick(h.picker).kind == STEER_PICK_FAIL);
  CHECK(none == NULL && config == NULL && h.ended == 0);
  end(&h, policy);
}

/* A struct of the next version, as a caller compiled with a later header would send it. */
typedef struct later_update {
  steer_update known;
  void *more[3];
} later_update;

static void sizes(void) {
  host h;
  steer_policy *policy = new_policy(&h), *none = NULL;
  steer_host t = table(&h);
  for (size_t size = 0; size < sizeof t; size += 8) {
    t.struct_size = size;
    CHECK(steer_policy_new(str("steer_round_robin"), &t, &none) == STEER_BAD_STRUCT_SIZE);
  }
  later_update later;
  memset(&later, 0xee, sizeof later);
  memset(&later.known, 0, sizeof later.known);
  later.known.struct_size = sizeof later;
  CHECK(steer_policy_update(policy, &later.known, NULL, NULL) == STEER_OK);
  later.known.struct_size = sizeof later.known - 1;
  CHECK(steer_policy_update(policy, &later.known, NULL, NULL) == STEER_BAD_STRUCT_SIZE);
  const steer_str address = str("ipv4:127.0.0.1:1");
  steer_endpoint endpoints[] = {endpoint_of(&address), endpoint_of(&address)};
  endpoints[1].struct_size -= 8;
  CHECK(update(policy, endpoints, 2) == STEER_BAD_STRUCT_SIZE);
  endpoints[0].struct_size = 0;
  CHECK(update(policy, endpoints, 1) == STEER_BAD_STRUCT_SIZE);
  steer_endpoint_report r;
  memset(&r, 0, sizeof r);
  r.struct_size = 4;
  CHECK(steer_policy_endpoint_report(policy, 1, &r) == STEER_BAD_STRUCT_SIZE);
  steer_call call;
  memset(&call, 0, sizeof call);
  CHECK(steer_picker_pick(h.picker, &call).kind == -STEER_BAD_STRUCT_SIZE);
  end(&h, policy);
}

static void nonsense(void) {
  host h;
  steer_policy *policy = new_policy(&h), *none = NULL;
  steer_host bare;
  memset(&bare, 0, sizeof bare);
  bare.struct_size = sizeof bare;
  CHECK(steer_policy_new(str("steer_round_robin"), &bare, &none) == STEER_MISSING_CALLBACK);
  CHECK(steer_policy_new(str("\xff\xfe"), &bare, &none) == STEER_UNKNOWN_POLICY);
  const steer_str address = str("ipv4:127.0.0.1:1");
  const steer_endpoint endpoint = endpoint_of(&address);
  h.refusal = -12345;
  CHECK(update(policy, &endpoint, 1) == STEER_OK && h.state == STEER_TRANSIENT_FAILURE);
  CHECK(h.logs == 1);
  h.refusal = STEER_OK;
  CHECK(update(policy, &endpoint, 1) == STEER_OK);
  const int32_t states[] = {-1, 4, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof states / sizeof *states; ++i) {
    CHECK(report(&h, policy, 0, states[i]) == STEER_INVALID_ARGUMENT);
  }
  h.ids[1] = h.ids[0] + 1000;
  CHECK(report(&h, policy, 1, STEER_READY) == STEER_UNKNOWN_ENDPOINT);
  CHECK(h.connections_alive == 0);
  CHECK(report(&h, policy, 0, STEER_READY) == STEER_OK);
  CHECK(pick(h.picker).kind == STEER_PICK_COMPLETE);
  end(&h, policy);
}

static void the_library_and_its_policies(void) {
  CHECK(steer_abi_version() >= STEER_ABI_VERSION);
  CHECK(steer_version().length > 0);
  for (int32_t status = -2; status < 20; ++status) CHECK(steer_status_text(status).length > 0);
  int found = 0;
  steer_string *name = NULL;
  for (size_t i = 0; steer_policy_name(i, &name) == STEER_OK; ++i) {
    if (is(steer_string_text(name), "steer_round_robin")) found = 1;
    steer_string_free(name);
  }
  CHECK(found);
}

int main(void) {
  the_library_and_its_policies();
  a_whole_life();
  configs();
  nulls();
  sizes();
  nonsense();
  printf("tests/abi: %s\n", failures == 0 ? "all checks hold" : "CHECKS FAILED");
  return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
