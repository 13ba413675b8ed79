/* Part of testkit.h, which users include: picks and tracked calls. */
#ifndef STEER_TESTKIT_CALLS_H
#define STEER_TESTKIT_CALLS_H

#include "steer/testkit/host.h"
#include "steer/testkit/kit.h"

/* A call. */
typedef struct steer_testkit_call {
  const char *path;
  /* Name, value, name, value, ..., NULL. May be NULL. */
  const char *const *headers;
  /* The value of all other headers. NULL: there are no others. */
  const char *any_header;
  /* The hash of an xDS route, when `has_request_hash` is not 0. */
  uint64_t request_hash;
  int has_request_hash;
} steer_testkit_call;

typedef struct steer_testkit_header {
  char name[64];
  char value[192];
} steer_testkit_header;

/* The result of a pick. */
typedef struct steer_testkit_pick {
  /* A steer_pick_kind. Below 0: minus a steer_status. */
  int64_t kind;
  /* With COMPLETE and TRACKED: the backend's index in the latest list, or STEER_TESTKIT_NONE if it
   * is not in that list; its address; and whether its connection is READY now. */
  size_t backend;
  char address[64];
  int ready;
  /* With FAIL and DROP. */
  int32_t code;
  char message[256];
  /* The headers that the picker added: the first four. */
  steer_testkit_header added[4];
  size_t added_count;
  /* With TRACKED. End it with one of the functions below. */
  steer_call_tracker *tracker;
} steer_testkit_pick;

/* The ctx of a steer_call. */
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
 * Picks for a call, on any thread. NULL: a call without path and headers. Does not fill in
 * `backend` and `ready`.
 */
static inline steer_testkit_pick steer_testkit_pick_anywhere(steer_testkit *kit,
                                                             const steer_testkit_call *call,
                                                             const void **connection) {
  static const steer_testkit_call plain = {"", NULL, NULL, 0, 0};
  steer_testkit_pick picked;
  steer_testkit_asked asked;
  const steer_picker *picker;
  steer_picked raw;
  uint32_t wants;
  memset(&picked, 0, sizeof picked);
  picked.backend = STEER_TESTKIT_NONE;
  *connection = NULL;
  asked.call = call == NULL ? &plain : call;
  asked.picked = &picked;

  picker = steer_virtual_host_picker(kit->host);
  wants = steer_picker_wants(picker);
  if (picker == NULL) {
    picked.kind = STEER_PICK_QUEUE; /* as for a channel before its first picker */
  } else {
    /* As with gRPC's shim, the call has only what the picker wants. */
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
    raw = steer_picker_pick(picker, wants == 0 ? NULL : &seen);
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
      steer_string *address = steer_virtual_host_address(kit->host, *connection);
      STEER_CHECK(address != NULL && "a pick's connection was given back");
      steer_testkit_copy(picked.address, sizeof picked.address, steer_string_text(address));
      steer_string_free(address);
    }
  }
  steer_virtual_host_picker_free(picker);
  return picked;
}

/* Picks for a call. NULL: a call without path and headers. */
static inline steer_testkit_pick steer_testkit_pick_one(steer_testkit *kit,
                                                        const steer_testkit_call *call) {
  const void *connection;
  steer_virtual_endpoint endpoint;
  uint64_t last;
  size_t i;
  steer_testkit_pick picked = steer_testkit_pick_anywhere(kit, call, &connection);
  if (connection == NULL) return picked;
  for (i = kit->address_count; i > 0; --i) {
    if (strcmp(kit->addresses[i - 1], picked.address) == 0) picked.backend = i - 1;
  }
  for (last = 0; steer_testkit_endpoint_after(kit, last, &endpoint); last = endpoint.number) {
    if (endpoint.connection == connection) picked.ready = 1;
  }
  return picked;
}

/* Starts a tracked call. Any thread. This and the functions below do nothing for other calls. */
static inline void steer_testkit_start(const steer_testkit_pick *picked) {
  steer_call_tracker_start(picked->tracker);
}

/*
 * Ends a tracked call with this status, and frees the pick's tracker. `metrics` is a serialised
 * OrcaLoadReport, or the empty text. Any thread.
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

/* Abandons a tracked call, and frees the pick's tracker. Any thread. */
static inline void steer_testkit_abandon(steer_testkit_pick *picked) {
  steer_call_tracker_free(picked->tracker);
  picked->tracker = NULL;
}

/*
 * Picks for `calls` equal calls, and counts them by backend: `counts` has one element for each
 * backend of the list. Tracked calls end at once with OK. Returns how many calls went to no
 * backend.
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

#endif /* STEER_TESTKIT_CALLS_H */
