/*
 * For tests: a host in memory. `testkit.h` is made of it. Programs do not need it.
 * Generated from src/ffi and crates/steer-abi/src; do not edit. docs/ABI.md has the rules that hold
 * for every function and struct: threads, ownership, NULLs, growth.
 *
 * The comment of each function begins with a tag for its threads. [any thread]: on any thread, also
 * on many at once. [any thread, one at a time]: on any thread, but not on two at once for one
 * object. [serialised]: for one policy, never on two threads at once: within the host's work
 * serializer.
 *
 * Contents
 *   Virtual hosts
 *     steer_virtual_host, steer_virtual_host_new, steer_virtual_host_callbacks,
 *     steer_virtual_host_held, steer_virtual_host_free
 *   What the engine asks for
 *     steer_virtual_request_kind, steer_virtual_request, steer_virtual_host_request
 *   Endpoints and connections
 *     steer_virtual_endpoint, steer_virtual_host_list, steer_virtual_host_endpoint,
 *     steer_virtual_host_report, steer_virtual_host_address
 *   Time and random numbers
 *     steer_virtual_host_timer, steer_virtual_host_seed
 *   The latest picker
 *     steer_virtual_host_picker, steer_virtual_host_picker_free, steer_virtual_host_drop_picker
 */
#ifndef STEER_VIRTUAL_HOST_H
#define STEER_VIRTUAL_HOST_H

#include "steer/host.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Virtual hosts --------------------------------------------------------------------------- */

/*
 * A host in memory, for tests: endpoints and their states, connections, timers, clock, random
 * numbers, log. It does nothing by itself. Its owner makes the reports, moves the clock, and takes
 * the engine's requests. A callback or call that breaks a rule of `steer_host` ends the process.
 */
typedef struct steer_virtual_host steer_virtual_host;

/*
 * [any thread]
 * Makes a host whose clock shows `now_ns`, and whose random numbers are those of `seed`. The
 * caller owns `*host`. STEER_NULL_ARGUMENT: `host` is NULL.
 *
 * The caller guarantees: `host` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_virtual_host_new(uint64_t now_ns,
                                    uint64_t seed,
                                    struct steer_virtual_host **host);

/*
 * [any thread]
 * Returns the callbacks of every virtual host. Static. `struct_size` is that of the engine.
 *
 * Copy the part that you know, set its `struct_size` to that part's, and set `ctx` and, if needed,
 * `ctx_free`. `ctx` points to a `steer_virtual_host *`: usually the first field of a struct with
 * the test's own data. So a test can replace a callback, and pass the call on to this table.
 * `endpoint_matches` is NULL: the engine compares the descriptions.
 */
const struct steer_host *steer_virtual_host_callbacks(void);

/*
 * [any thread]
 * Returns the number of endpoints and connections that the engine has not given back. 0 for NULL.
 *
 * The caller guarantees: `host` is NULL or came from `steer_virtual_host_new` and is not freed.
 */
size_t steer_virtual_host_held(const struct steer_virtual_host *host);

/*
 * [any thread, one at a time]
 * Drops the latest picker and frees the host, and returns 0. Or returns the number of endpoints
 * and connections that the engine has not given back; then the host is not freed. Does nothing for
 * NULL.
 *
 * The caller guarantees: `host` is NULL or came from `steer_virtual_host_new` and is not freed; the
 * engine has called `ctx_free` for each table with this host, or calls no callback any more; nobody
 * uses the host during or after this call, unless it returns another number than 0.
 */
size_t steer_virtual_host_free(struct steer_virtual_host *host);

/* --- What the engine asks for ---------------------------------------------------------------- */

/* The kinds of requests: the callbacks of `steer_host` that have no result. */
enum steer_virtual_request_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* The engine made `endpoint`. */
  STEER_REQUEST_NEW = 1,
  /* `endpoint` shall connect. */
  STEER_REQUEST_CONNECT = 2,
  /* `endpoint` shall forget its backoff. */
  STEER_REQUEST_RESET_BACKOFF = 3,
  /* The engine dropped `endpoint`. */
  STEER_REQUEST_DROP = 4,
  /* The policy published `state`, with `code` and `text`, and a picker. */
  STEER_REQUEST_STATE = 5,
  /* The resolver shall resolve again. */
  STEER_REQUEST_RERESOLVE = 6,
  /* `steer_policy_run` shall be called. */
  STEER_REQUEST_RUN_LATER = 7,
  /* Endpoints shall report their load every `ns`. 0: not at all. */
  STEER_REQUEST_LOAD_REPORTS = 8,
  /* `timer` shall end after `ns`. */
  STEER_REQUEST_TIMER_START = 9,
  /* `timer` shall not end. */
  STEER_REQUEST_TIMER_CANCEL = 10,
  /* `text` shall be logged. `state` is its `steer_severity`. */
  STEER_REQUEST_LOG = 11,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_virtual_request_kind steer_virtual_request_kind;
#else
typedef int32_t steer_virtual_request_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/* What the engine asks of a virtual host. Fields that the kind does not name are 0. */
typedef struct steer_virtual_request {
  /* `sizeof(steer_virtual_request)`. */
  size_t struct_size;
  /* A `steer_virtual_request_kind`. */
  int32_t kind;
  /* A `steer_state`, or a `steer_severity`. */
  int32_t state;
  /* A gRPC status code. */
  int32_t code;
  /* Not used. */
  int32_t reserved;
  /* The engine's number for an endpoint. */
  uint64_t endpoint;
  /* The engine's number for a timer. */
  uint64_t timer;
  /* Nanoseconds. */
  uint64_t ns;
  /* A text, valid until the next call of `steer_virtual_host_request`. */
  struct steer_str text;
} steer_virtual_request;

/*
 * [any thread, one at a time]
 * Takes the first request that the engine has made and that was not taken. Returns 1 if there was
 * one. Returns 0 if there was none, for NULL, and for a wrong `struct_size`.
 *
 * The caller guarantees: `host` is NULL or came from `steer_virtual_host_new` and is not freed;
 * `request` is NULL or can be written to, and its `struct_size` is set.
 */
int32_t steer_virtual_host_request(struct steer_virtual_host *host,
                                   struct steer_virtual_request *request);

/* --- Endpoints and connections --------------------------------------------------------------- */

/* An endpoint that the engine has made and not dropped. */
typedef struct steer_virtual_endpoint {
  /* `sizeof(steer_virtual_endpoint)`. */
  size_t struct_size;
  /* The engine's number for it. */
  uint64_t number;
  /* Its first address. Valid until the engine drops the endpoint. */
  struct steer_str address;
  /* The connection of its latest report of STEER_READY, while it has that state. Otherwise NULL. */
  void *connection;
  /* The `steer_state` that was reported last. -1: none yet. */
  int32_t state;
  /*
   * Not 0: the engine has asked for a connection since the latest report of STEER_READY or
   * STEER_TRANSIENT_FAILURE.
   */
  int32_t asked;
  /*
   * Not 0: another endpoint was connected to the same address when this one was made. gRPC then
   * shares that connection.
   */
  int32_t connected;
  /* Not used. */
  int32_t reserved;
} steer_virtual_endpoint;

/*
 * [serialised]
 * Sets the list that `endpoint_new` and `endpoint_matches` refer to. Call this before
 * `steer_policy_update` with the same list. With another status than STEER_OK, the list stays.
 *
 * The caller guarantees: `host` is NULL (STEER_NULL_ARGUMENT) or came from `steer_virtual_host_new`
 * and is not freed; `endpoints` has `count` elements, which are readable, and so is the memory that
 * they point to.
 */
steer_status steer_virtual_host_list(struct steer_virtual_host *host,
                                     const struct steer_endpoint *endpoints,
                                     size_t count);

/*
 * [serialised]
 * Writes the first of the endpoints whose number is above `after`. Later endpoints have greater
 * numbers, and all are above 0. STEER_UNKNOWN_ENDPOINT: there is none.
 *
 * The caller guarantees: `host` is NULL (STEER_NULL_ARGUMENT) or came from `steer_virtual_host_new`
 * and is not freed; `endpoint` is NULL (STEER_NULL_ARGUMENT) or can be written to, and its
 * `struct_size` is set.
 */
steer_status steer_virtual_host_endpoint(const struct steer_virtual_host *host,
                                         uint64_t after,
                                         struct steer_virtual_endpoint *endpoint);

/*
 * [serialised]
 * Notes that an endpoint has this state, and reports it to the policy. For STEER_READY it makes a
 * connection. `code` and `message` are for STEER_TRANSIENT_FAILURE. The result is that of
 * `steer_policy_endpoint_report`.
 *
 * The caller guarantees: `host` is NULL (STEER_NULL_ARGUMENT) or came from `steer_virtual_host_new`
 * and is not freed; `policy` is NULL (STEER_NULL_ARGUMENT) or a policy with this host that is not
 * freed; `message` is readable.
 */
steer_status steer_virtual_host_report(struct steer_virtual_host *host,
                                       struct steer_policy *policy,
                                       uint64_t endpoint,
                                       int32_t state,
                                       int32_t code,
                                       struct steer_str message);

/*
 * [any thread]
 * Returns the address of a connection that the engine holds. The caller frees it. NULL: the engine
 * holds no such connection.
 *
 * The caller guarantees: `host` is NULL or came from `steer_virtual_host_new` and is not freed.
 * `connection` may be any pointer.
 */
struct steer_string *steer_virtual_host_address(const struct steer_virtual_host *host,
                                                const void *connection);

/* --- Time and random numbers ----------------------------------------------------------------- */

/*
 * [serialised]
 * Takes the timer that ends first, if it ends by `until_ns`, moves the clock to its end, and
 * returns its number, for `steer_policy_timer`. Otherwise moves the clock to `until_ns`, unless it
 * is later already, and returns 0. 0 also for NULL.
 *
 * The caller guarantees: `host` is NULL or came from `steer_virtual_host_new` and is not freed.
 */
uint64_t steer_virtual_host_timer(struct steer_virtual_host *host, uint64_t until_ns);

/*
 * [any thread]
 * Starts the random numbers of this seed. Does nothing for NULL.
 *
 * The caller guarantees: `host` is NULL or came from `steer_virtual_host_new` and is not freed.
 */
void steer_virtual_host_seed(struct steer_virtual_host *host, uint64_t seed);

/* --- The latest picker ----------------------------------------------------------------------- */

/*
 * [any thread]
 * Returns the latest picker, and keeps it until `steer_virtual_host_picker_free`. NULL: there is
 * none, or `host` is NULL.
 *
 * The caller guarantees: `host` is NULL or came from `steer_virtual_host_new` and is not freed.
 */
const struct steer_picker *steer_virtual_host_picker(const struct steer_virtual_host *host);

/*
 * [any thread]
 * Ends one use of a picker. Counts as `steer_picker_free` where callbacks are concerned. Does
 * nothing for NULL.
 *
 * The caller guarantees: `picker` is NULL or came from `steer_virtual_host_picker`, and was given
 * back less often than it came.
 */
void steer_virtual_host_picker_free(const struct steer_picker *picker);

/*
 * [any thread]
 * Drops the latest picker, as at the end of a channel. Calls continue, and others may still use
 * the picker. Does nothing for NULL.
 *
 * The caller guarantees: `host` is NULL or came from `steer_virtual_host_new` and is not freed.
 */
void steer_virtual_host_drop_picker(struct steer_virtual_host *host);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* STEER_VIRTUAL_HOST_H */
