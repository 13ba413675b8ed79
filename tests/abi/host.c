/*
 * Tests the C ABI from C: a host with two backends, and each function with NULLs, short and long
 * structs, and nonsense. Also runs under AddressSanitizer and under valgrind.
 *
 * Must not depend on: gRPC, Rust. src/ffi/tests tests policies that panic.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steer/testkit.h"

static int failures;

#define CHECK(condition)                                                            \
  do {                                                                              \
    if (!(condition)) {                                                             \
      fprintf(stderr, "%s:%d: CHECK(%s) failed\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                                   \
    }                                                                               \
  } while (0)

/* Whether the texts are equal. */
static int is(steer_str s, const char *text) { return steer_text_equal(s, steer_text(text)); }

/* --- The test kit's host without optional callbacks. --- */

static steer_host table(void) {
  steer_host t = steer_testkit_host();
  t.run_later = NULL;
  t.timer_start = NULL;
  t.timer_cancel = NULL;
  t.now = NULL;
  t.random = NULL;
  return t;
}

static steer_testkit *new_host(void) {
  steer_testkit *h = steer_testkit_with_host("steer_round_robin", NULL, table(), NULL);
  CHECK(h != NULL);
  if (h == NULL) exit(EXIT_FAILURE);
  return h;
}

/* Ends a policy, and checks that it gave all objects back. */
static void end(steer_testkit *h) { CHECK(steer_testkit_free(h) == 0); }

static steer_endpoint endpoint_of(const steer_str *address) {
  steer_endpoint e;
  memset(&e, 0, sizeof e);
  e.struct_size = sizeof e;
  e.addresses = address;
  e.address_count = 1;
  return e;
}

static steer_update update_of(const steer_endpoint *endpoints, size_t count) {
  steer_update u;
  memset(&u, 0, sizeof u);
  u.struct_size = sizeof u;
  u.endpoints = endpoints;
  u.endpoint_count = count;
  return u;
}

static steer_status update(steer_policy *policy, const steer_endpoint *endpoints, size_t count) {
  const steer_update u = update_of(endpoints, count);
  return steer_policy_update(policy, &u, NULL, NULL);
}

/* The endpoint with this index, in the order in which they were made. */
static steer_virtual_endpoint endpoint(const steer_testkit *h, size_t index) {
  steer_virtual_endpoint at;
  CHECK(steer_testkit_endpoint_after(h, 0, &at));
  while (index-- > 0) CHECK(steer_testkit_endpoint_after(h, at.number, &at));
  return at;
}

static steer_status report(steer_testkit *h, size_t index, int32_t state) {
  return steer_testkit_report_endpoint(h, endpoint(h, index).number, state);
}

/* The latest picker. The host keeps it until the policy publishes another one. */
static const steer_picker *latest(const steer_testkit *h) {
  const steer_picker *picker = steer_virtual_host_picker(h->host);
  steer_virtual_host_picker_free(picker);
  return picker;
}

static steer_picked pick(const steer_picker *picker) {
  const steer_picked picked = steer_picker_pick(picker, NULL);
  CHECK(picked.kind >= 0);
  return picked;
}

/* --- The tests. --- */

static void a_whole_life(void) {
  steer_testkit *h = new_host();
  CHECK(steer_testkit_use(h, 2) == 0);
  CHECK(h->state == STEER_CONNECTING && pick(latest(h)).kind == STEER_PICK_QUEUE);
  CHECK(endpoint(h, 0).asked && endpoint(h, 1).asked);
  CHECK(report(h, 0, STEER_CONNECTING) == STEER_OK);
  CHECK(report(h, 0, STEER_READY) == STEER_OK && h->state == STEER_READY);
  CHECK(report(h, 1, STEER_READY) == STEER_OK);
  const steer_picker *picker = latest(h);
  const steer_picked first = pick(picker), second = pick(picker);
  CHECK(first.kind == STEER_PICK_COMPLETE && second.kind == STEER_PICK_COMPLETE);
  CHECK(first.value != second.value);
  CHECK(pick(picker).value == first.value);
  CHECK(report(h, 0, STEER_IDLE) == STEER_OK && h->reresolutions == 1);
  CHECK(report(h, 0, STEER_TRANSIENT_FAILURE) == STEER_OK);
  CHECK(report(h, 1, STEER_TRANSIENT_FAILURE) == STEER_OK);
  CHECK(h->state == STEER_TRANSIENT_FAILURE && h->code == 14);
  CHECK(strcmp(h->message, "connections to all backends failing; last error: refused") == 0);
  const steer_picked failed = pick(latest(h));
  const steer_pick_failure *failure = failed.value;
  CHECK(failed.kind == STEER_PICK_FAIL && failure->struct_size >= sizeof *failure);
  CHECK(failure->code == 14 && is(failure->message, h->message));
  CHECK(steer_policy_reset_backoff(h->policy) == STEER_OK);
  steer_testkit_settle(h);
  CHECK(h->backoff_resets == 2);
  CHECK(steer_policy_exit_idle(h->policy) == STEER_OK);
  CHECK(steer_policy_run(h->policy) == STEER_OK);
  CHECK(steer_policy_timer(h->policy, 1) == STEER_OK);
  uint64_t faults = 1;
  CHECK(steer_policy_faults(h->policy, &faults) == STEER_OK && faults == 0);
  end(h);
}

static void configs(void) {
  steer_config *config = NULL;
  steer_string *error = NULL;
  const steer_str name = steer_text("steer_round_robin");
  CHECK(steer_config_parse(name, steer_text("{\"unknown\": 1}"), &config, &error) == STEER_OK);
  CHECK(config != NULL && error == NULL);
  steer_testkit *h = new_host();
  const steer_str address = steer_text("ipv4:127.0.0.1:1");
  const steer_endpoint listed = endpoint_of(&address);
  CHECK(steer_testkit_update(h, &listed, 1) == 0);
  steer_update u = update_of(&listed, 1);
  u.config = config;
  int32_t code = -1;
  steer_string *message = NULL;
  CHECK(steer_policy_update(h->policy, &u, &code, &message) == STEER_OK);
  CHECK(code == 0 && message == NULL);
  steer_config_free(config);
  u = update_of(NULL, 0);
  u.resolution_note = steer_text("the note");
  CHECK(steer_policy_update(h->policy, &u, &code, &message) == STEER_OK);
  CHECK(code == 14 && is(steer_string_text(message), "empty address list: the note"));
  steer_string_free(message);
  end(h);

  config = NULL;
  CHECK(steer_config_parse(name, steer_text("[]"), &config, &error) == STEER_INVALID_CONFIG);
  CHECK(config == NULL && steer_string_text(error).length > 0);
  steer_string_free(error);
  CHECK(steer_config_parse(steer_text("none"), steer_text("{}"), &config, NULL) ==
        STEER_UNKNOWN_POLICY);
}

static void nulls(void) {
  steer_testkit *h = new_host();
  steer_policy *policy = h->policy, *none = NULL;
  const steer_host t = table();
  const steer_str name = steer_text("steer_round_robin"), lost = {NULL, 3};
  steer_config *config = NULL;
  CHECK(steer_policy_name(0, NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_config_parse(name, steer_text("{}"), NULL, NULL) == STEER_NULL_ARGUMENT);
  CHECK(steer_config_parse(lost, steer_text("{}"), &config, NULL) == STEER_INVALID_ARGUMENT);
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
  CHECK(steer_call_tracker_connection(NULL) == NULL);
  steer_call_tracker_start(NULL);
  steer_call_tracker_finish(NULL, NULL);
  steer_call_tracker_free(NULL);
  steer_string_free(NULL);
  steer_config_free(NULL);
  steer_policy_free(NULL);
  steer_picker_free(NULL);
  CHECK(update(policy, NULL, 0) == STEER_OK);
  CHECK(pick(latest(h)).kind == STEER_PICK_FAIL);
  CHECK(none == NULL && config == NULL && h->ended == 0);
  end(h);
}

/* A struct of a later version, as a caller with a later header passes it. */
typedef struct later_update {
  steer_update known;
  void *more[3];
} later_update;

static void sizes(void) {
  steer_testkit *h = new_host();
  steer_policy *policy = h->policy, *none = NULL;
  steer_host t = table();
  /* Fields of later versions may be missing. */
  for (size_t size = 0; size < offsetof(steer_host, load_reports); size += 8) {
    t.struct_size = size;
    CHECK(steer_policy_new(steer_text("steer_round_robin"), &t, &none) == STEER_BAD_STRUCT_SIZE);
  }
  later_update later;
  memset(&later, 0xee, sizeof later);
  later.known = update_of(NULL, 0);
  later.known.struct_size = sizeof later;
  CHECK(steer_policy_update(policy, &later.known, NULL, NULL) == STEER_OK);
  later.known.struct_size = offsetof(steer_update, target) - 1;
  CHECK(steer_policy_update(policy, &later.known, NULL, NULL) == STEER_BAD_STRUCT_SIZE);
  const steer_str address = steer_text("ipv4:127.0.0.1:1");
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
  CHECK(steer_picker_pick(latest(h), &call).kind == -STEER_BAD_STRUCT_SIZE);
  end(h);
}

static void nonsense(void) {
  steer_testkit *h = new_host();
  steer_policy *none = NULL;
  steer_host bare;
  memset(&bare, 0, sizeof bare);
  bare.struct_size = sizeof bare;
  CHECK(steer_policy_new(steer_text("steer_round_robin"), &bare, &none) == STEER_MISSING_CALLBACK);
  CHECK(steer_policy_new(steer_text("\xff\xfe"), &bare, &none) == STEER_UNKNOWN_POLICY);
  h->refusal = -12345;
  CHECK(steer_testkit_use(h, 1) == 14 && h->state == STEER_TRANSIENT_FAILURE);
  CHECK(h->log_count == 1);
  h->refusal = STEER_OK;
  CHECK(steer_testkit_use(h, 1) == 0);
  const int32_t states[] = {-1, 4, INT32_MAX, INT32_MIN};
  for (size_t i = 0; i < sizeof states / sizeof *states; ++i) {
    CHECK(report(h, 0, states[i]) == STEER_INVALID_ARGUMENT);
  }
  const uint64_t gone = endpoint(h, 0).number + 1000;
  CHECK(steer_testkit_report_endpoint(h, gone, STEER_READY) == STEER_UNKNOWN_ENDPOINT);
  CHECK(steer_virtual_host_held(h->host) == 1); /* the endpoint */
  CHECK(report(h, 0, STEER_READY) == STEER_OK);
  CHECK(pick(latest(h)).kind == STEER_PICK_COMPLETE);
  end(h);
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
