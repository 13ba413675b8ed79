/*
 * The C ABI of Steer's engine: load-balancing policies for gRPC C++, written in Rust.
 *
 * Generated from src/ffi by cbindgen; do not edit. The rules that hold for every function and
 * struct (threads, ownership, NULLs, growth) stand in docs/ABI.md.
 */


#ifndef STEER_STEER_H
#define STEER_STEER_H

#include <stddef.h>
#include <stdint.h>

/*
 The version of the ABI that this header describes. It grows when something is added; nothing
 is ever taken away or given another meaning.
 */
#define STEER_ABI_VERSION 1

/*
 What a picker wants to know of each call: bits, to be or'ed.
 */
#define STEER_WANTS_PATH 1

/*
 What an entry point returns. The numbers never change; later versions may add some.
 */
enum steer_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   Done; outputs are written.
   */
  STEER_OK = 0,
  /*
   An argument that must not be NULL is NULL. Nothing was done.
   */
  STEER_NULL_ARGUMENT = 1,
  /*
   A struct's `struct_size` is below that of version 1, or an array's elements differ in it:
   set it to `sizeof` of the struct. Nothing was done.
   */
  STEER_BAD_STRUCT_SIZE = 2,
  /*
   An argument is out of its documented range. Nothing was done.
   */
  STEER_INVALID_ARGUMENT = 3,
  /*
   There is no policy of this name: see `steer_policy_name`.
   */
  STEER_UNKNOWN_POLICY = 4,
  /*
   The config was rejected: the text says which fields and why.
   */
  STEER_INVALID_CONFIG = 5,
  /*
   There is no such endpoint, or no longer: a late report, which needs no care.
   */
  STEER_UNKNOWN_ENDPOINT = 6,
  /*
   A callback that the host table must have is NULL.
   */
  STEER_MISSING_CALLBACK = 7,
  /*
   The config given with an update was parsed for another policy.
   */
  STEER_WRONG_CONFIG = 8,
  /*
   The engine panicked: a bug of Steer's. The process is as it was, but for this call.
   */
  STEER_PANIC = 9,
  /*
   A host's callback: the endpoint could not be made. It is left out of the list.
   */
  STEER_ENDPOINT_REFUSED = 10,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_status steer_status;
#else
typedef int32_t steer_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 Connectivity states, with gRPC's numbers.
 */
enum steer_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   No connection, and none being made.
   */
  STEER_IDLE = 0,
  /*
   A connection is being made.
   */
  STEER_CONNECTING = 1,
  /*
   Connected.
   */
  STEER_READY = 2,
  /*
   Connecting failed.
   */
  STEER_TRANSIENT_FAILURE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_state steer_state;
#else
typedef int32_t steer_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 Which of an attribute's values holds.
 */
enum steer_attribute_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   `text`.
   */
  STEER_ATTRIBUTE_TEXT = 0,
  /*
   `integer`.
   */
  STEER_ATTRIBUTE_INTEGER = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_attribute_kind steer_attribute_kind;
#else
typedef int32_t steer_attribute_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 How much a log line matters.
 */
enum steer_severity
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   For those who follow what happens.
   */
  STEER_LOG_DEBUG = 0,
  /*
   What an operator may want to see.
   */
  STEER_LOG_INFO = 1,
  /*
   Something is broken.
   */
  STEER_LOG_ERROR = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_severity steer_severity;
#else
typedef int32_t steer_severity;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What a pick led to.
 */
enum steer_pick_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   Send the call over `connection`.
   */
  STEER_PICK_COMPLETE = 0,
  /*
   Wait for the next picker.
   */
  STEER_PICK_QUEUE = 1,
  /*
   Fail the call with `code` and `message`, unless it waits for ready.
   */
  STEER_PICK_FAIL = 2,
  /*
   Fail the call with `code` and `message` in any case, and do not retry it.
   */
  STEER_PICK_DROP = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_pick_kind steer_pick_kind;
#else
typedef int32_t steer_pick_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 A policy's config, parsed and checked. Immutable; any number of policies may use it.
 */
typedef struct steer_config steer_config;

/*
 Chooses a backend per call. Immutable: its functions but `steer_picker_free` may be called from
 many threads at once.
 */
typedef struct steer_picker steer_picker;

/*
 One policy of one channel. All its functions are to be serialised by the host (gRPC: the
 channel's work serializer); they may be called from within the host's callbacks, and then take
 effect once the call under way is done.
 */
typedef struct steer_policy steer_policy;

/*
 Text that the engine made and the caller frees.
 */
typedef struct steer_string steer_string;

/*
 Borrowed bytes, usually UTF-8 and never assumed to be. Not NUL-terminated. `data` may be NULL
 when `length` is 0. Valid as long as the function that gives it says. This struct never grows.
 */
typedef struct steer_str {
  /*
   The bytes.
   */
  const char *data;
  /*
   How many.
   */
  size_t length;
} steer_str;

/*
 The outcome of a pick, small enough to come back in two registers. This struct never grows.
 */
typedef struct steer_picked {
  /*
   A `steer_pick_kind`. Below 0: an argument was wrong, and this is minus a `steer_status`. As wide
   as a register, or else two halves would have to be put together in memory.
   */
  int64_t kind;
  /*
   With STEER_PICK_COMPLETE, the connection: the host's handle, as it came with the endpoint's
   report, valid as long as the picker. With STEER_PICK_FAIL and STEER_PICK_DROP, a
   `const steer_pick_failure *`, valid until this thread's next call of `steer_picker_pick`, and
   as long as the picker. Else NULL.
   */
  void *value;
} steer_picked;

/*
 What a picker may know of a call. All that it points at is read during the pick only.
 */
typedef struct steer_call {
  /*
   `sizeof(steer_call)`.
   */
  size_t struct_size;
  /*
   "/service/method".
   */
  struct steer_str path;
} steer_call;

/*
 The host's side of one policy. The engine copies the table.

 Callbacks must not throw and not longjmp. Those marked *Serialised* are made from within calls
 of the engine's functions for this policy only, which the host serialises, and never after
 `steer_policy_free`; they may call the engine for the same policy: such calls take effect once
 the one under way is done. Those marked *Any thread* come from any thread, also concurrently,
 and as long as anything of the policy lives.
 */
typedef struct steer_host {
  /*
   `sizeof(steer_host)`.
   */
  size_t struct_size;
  /*
   Passed to every callback.
   */
  void *ctx;
  /*
   *Any thread.* Frees `ctx`. The last callback: comes once the policy, its pickers and its
   connections are all gone. May be NULL.
   */
  void (*ctx_free)(void *ctx);
  /*
   *Serialised.* Makes an endpoint for the `index`th endpoint of the latest update and stores
   the host's handle for it in `*handle`; the host reports its states by the number
   `endpoint`. It must not connect before it is asked to. STEER_OK, or another status when
   it cannot be made: the endpoint is then left out. Required.
   */
  int32_t (*endpoint_new)(void *ctx, uint64_t endpoint, uint32_t index, void **handle);
  /*
   *Serialised.* Whether `endpoint_new` would make the very same endpoint for the `index`th
   endpoint of the latest update: same addresses, attributes and channel args. 0: no. NULL:
   the engine compares the descriptors that it was given.
   */
  int32_t (*endpoint_matches)(void *ctx, void *handle, uint32_t index);
  /*
   *Serialised.* Asks for a connection, when there is none and none is being made. Required.
   */
  void (*endpoint_connect)(void *ctx, void *handle);
  /*
   *Serialised.* Ends the endpoint's backoff. May be NULL.
   */
  void (*endpoint_reset_backoff)(void *ctx, void *handle);
  /*
   *Serialised.* Drops the endpoint. Pickers may hold its connection still. Required.
   */
  void (*endpoint_free)(void *ctx, void *handle);
  /*
   *Any thread.* Gives back a reference that came with a report of STEER_READY: within
   `steer_picker_free`, or within a call for the policy. Required.
   */
  void (*connection_free)(void *ctx, void *connection);
  /*
   *Serialised.* Publishes the policy's state (a `steer_state`) and the picker for calls from
   now on, which is the host's to free. `code` and `message` are OK and empty but in
   STEER_TRANSIENT_FAILURE; the message is valid during the call. Required.
   */
  void (*update_state)(void *ctx,
                       int32_t state,
                       int32_t code,
                       struct steer_str message,
                       struct steer_picker *picker);
  /*
   *Serialised.* Asks the resolver to resolve again, when it sees fit. Required.
   */
  void (*request_reresolution)(void *ctx);
  /*
   *Any thread.* Asks for a call of `steer_policy_run`, serialised, soon, and not from within
   this callback. May come from within a pick, and after `steer_policy_free`, when it is to be
   ignored. May be NULL: a picker that panics is then not replaced before the next update.
   */
  void (*run_later)(void *ctx);
  /*
   *Serialised.* Asks for a call of `steer_policy_timer` with this number, serialised, after so
   many nanoseconds, and not from within this callback. May be NULL: timers never run out.
   */
  void (*timer_start)(void *ctx, uint64_t timer, uint64_t after_ns);
  /*
   *Serialised.* Takes that back. A timer that runs out all the same does no harm. May be NULL.
   */
  void (*timer_cancel)(void *ctx, uint64_t timer);
  /*
   *Any thread.* Nanoseconds since an arbitrary moment; never goes back. NULL: the engine uses
   the system's monotonic clock.
   */
  uint64_t (*now)(void *ctx);
  /*
   *Any thread.* 64 random bits. NULL: the engine uses a generator of its own.
   */
  uint64_t (*random)(void *ctx);
  /*
   *Any thread.* Writes a line to the log; `severity` is a `steer_severity`. The message is
   valid during the call. NULL: the engine is silent.
   */
  void (*log)(void *ctx, int32_t severity, struct steer_str message);
} steer_host;

/*
 A string or an integer that the resolver attached to an endpoint.
 */
typedef struct steer_attribute {
  /*
   `sizeof(steer_attribute)`.
   */
  size_t struct_size;
  /*
   The key.
   */
  struct steer_str key;
  /*
   A `steer_attribute_kind`.
   */
  int32_t kind;
  /*
   The value, when it is a text.
   */
  struct steer_str text;
  /*
   The value, when it is an integer.
   */
  int64_t integer;
} steer_attribute;

/*
 What the resolver knows of one endpoint. All that it points at is read during the call only.
 */
typedef struct steer_endpoint {
  /*
   `sizeof(steer_endpoint)`; the same in all elements of an array.
   */
  size_t struct_size;
  /*
   Its addresses as gRPC writes them ("ipv4:10.0.0.1:80"), in the order to try them.
   */
  const struct steer_str *addresses;
  /*
   How many; at least one.
   */
  size_t address_count;
  /*
   The weight that the resolver gave it; 0: none.
   */
  uint32_t weight;
  /*
   Where it is, as xDS names places; empty: not known.
   */
  struct steer_str region;
  /*
   See `region`.
   */
  struct steer_str zone;
  /*
   See `region`.
   */
  struct steer_str sub_zone;
  /*
   What consistent hashing should hash in place of the address; empty: the address.
   */
  struct steer_str hash_key;
  /*
   Everything else that the resolver attached.
   */
  const struct steer_attribute *attributes;
  /*
   How many.
   */
  size_t attribute_count;
} steer_endpoint;

/*
 A resolver's answer. All that it points at is read during the call only.
 */
typedef struct steer_update {
  /*
   `sizeof(steer_update)`.
   */
  size_t struct_size;
  /*
   The policy's config; NULL: the defaults. It may be freed after the call.
   */
  const struct steer_config *config;
  /*
   The endpoints, in the resolver's order; NULL when there are none. Their places in this
   array are what `endpoint_new` and `endpoint_matches` name, until the next update with
   `code` 0.
   */
  const struct steer_endpoint *endpoints;
  /*
   How many.
   */
  size_t endpoint_count;
  /*
   A gRPC status code. Not 0 (OK): the resolver failed, and there are no endpoints to look at.
   */
  int32_t code;
  /*
   The resolver's words for that.
   */
  struct steer_str message;
  /*
   Context for people, to be part of the status when there are no endpoints.
   */
  struct steer_str resolution_note;
} steer_update;

/*
 What the host reports of an endpoint.
 */
typedef struct steer_endpoint_report {
  /*
   `sizeof(steer_endpoint_report)`.
   */
  size_t struct_size;
  /*
   A `steer_state`.
   */
  int32_t state;
  /*
   Why, in STEER_TRANSIENT_FAILURE: a gRPC status code.
   */
  int32_t code;
  /*
   Why, in STEER_TRANSIENT_FAILURE: what users are shown. Read during the call only.
   */
  struct steer_str message;
  /*
   In STEER_READY, and only then: what pickers complete with. Not NULL. The engine takes over
   one reference, and gives it back through `connection_free`.
   */
  void *connection;
} steer_endpoint_report;

/*
 Why a pick fails or drops its call.
 */
typedef struct steer_pick_failure {
  /*
   `sizeof(steer_pick_failure)`, as the engine knows it.
   */
  size_t struct_size;
  /*
   A gRPC status code, one that a data plane may produce (gRFC A54).
   */
  int32_t code;
  /*
   For people.
   */
  struct steer_str message;
} steer_pick_failure;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 Parses and checks a policy's config. Any thread.

 `json` is the value beside the policy's name in `loadBalancingConfig`, as JSON text; an empty
 text, `null` and `{}` stand for the defaults. Unknown fields are ignored.

 On success `*config` is the caller's to free. STEER_UNKNOWN_POLICY when there is no policy of
 this name; STEER_INVALID_CONFIG when the text is not JSON or a field is wrong. With these two,
 and when `error` is not NULL, `*error` says what is wrong, each fault by its field path; the
 caller frees it.

 # Safety
 `policy_name` and `json` are readable; `config` is NULL (STEER_NULL_ARGUMENT) or can be written
 to; so is `error`, which may be NULL.
 */
steer_status steer_config_parse(struct steer_str policy_name,
                                struct steer_str json,
                                struct steer_config **config,
                                struct steer_string **error);

/*
 Frees a config. Any thread. NULL is fine; so is a config that policies still use.

 # Safety
 `config` is NULL or came from `steer_config_parse` and is not freed yet; nobody uses it during
 or after this call.
 */
void steer_config_free(struct steer_config *config);

/*
 The ABI version that the library implements. Any thread.

 A caller that was compiled with a header of version N works with every library of version N
 or later.
 */
uint32_t steer_abi_version(void);

/*
 The library's release, such as "0.1.0". Any thread. The text is static.
 */
struct steer_str steer_version(void);

/*
 The name of the `index`th policy, counted from 0, in alphabetical order. Any thread.

 STEER_UNKNOWN_POLICY when there are no more. The caller frees `*name`.

 # Safety
 `name` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_policy_name(size_t index, struct steer_string **name);

/*
 What the picker wants to know of each call: an or of STEER_WANTS_…. It never changes. Any
 thread. NULL wants nothing.

 # Safety
 `picker` is NULL or alive.
 */
uint32_t steer_picker_wants(const struct steer_picker *picker);

/*
 Chooses for one call. Any thread, many at once.

 `call` may be NULL when the picker wants nothing. A policy's fault is no error here: the pick then
 fails with INTERNAL (13), and the policy goes on as round robin.

 # Safety
 `picker` is NULL (STEER_NULL_ARGUMENT) or alive; `call` is NULL or readable with all that it
 points at.
 */
struct steer_picked steer_picker_pick(const struct steer_picker *picker,
                                      const struct steer_call *call);

/*
 Frees a picker. Any thread, when no pick of it is under way. NULL is fine.

 # Safety
 `picker` is NULL or came with `update_state` and is not freed yet; nobody uses it during or
 after this call.
 */
void steer_picker_free(struct steer_picker *picker);

/*
 Makes a policy. Any thread.

 On success `*policy` is the caller's to free, and `host->ctx` belongs to it until `ctx_free`.
 STEER_UNKNOWN_POLICY, STEER_MISSING_CALLBACK: nothing was made, and `ctx` is still the caller's.
 Nothing is called back before the first update.

 # Safety
 `name` is readable; `host` is NULL (STEER_NULL_ARGUMENT) or a table that keeps what
 `steer_host` says; `policy` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_policy_new(struct steer_str name,
                              const struct steer_host *host,
                              struct steer_policy **policy);

/*
 Hands in a resolver's answer. Serialised.

 With STEER_OK, `*code` is 0 when the policy accepted the update, else the gRPC status code of
 what the resolver is to be told, and `*message` its text, which the caller frees; it is NULL
 when accepted. Both outputs may be NULL. STEER_WRONG_CONFIG and the statuses about arguments:
 the policy goes on as if there had been no update.

 # Safety
 `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `update` is NULL (STEER_NULL_ARGUMENT) or
 readable with all that it points at; `code` and `message` are NULL or can be written to.
 */
steer_status steer_policy_update(struct steer_policy *policy,
                                 const struct steer_update *update,
                                 int32_t *code,
                                 struct steer_string **message);

/*
 Reports an endpoint's state. Serialised. The first report says in which state it is; after
 that every change is reported.

 STEER_UNKNOWN_ENDPOINT: the endpoint was dropped, and nothing was done. STEER_INVALID_ARGUMENT:
 no such state, or STEER_READY without a connection. With these two, too, the engine gives the
 report's connection back; with STEER_NULL_ARGUMENT and STEER_BAD_STRUCT_SIZE it did not get it.

 # Safety
 `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `report` is NULL (STEER_NULL_ARGUMENT) or
 readable, and its connection is a reference that is the engine's from now on.
 */
steer_status steer_policy_endpoint_report(struct steer_policy *policy,
                                          uint64_t endpoint,
                                          const struct steer_endpoint_report *report);

/*
 Leaves IDLE, for policies that connect lazily. Serialised.

 # Safety
 `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
 */
steer_status steer_policy_exit_idle(struct steer_policy *policy);

/*
 Ends the backoff of every endpoint. Serialised.

 # Safety
 `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
 */
steer_status steer_policy_reset_backoff(struct steer_policy *policy);

/*
 A timer that `timer_start` asked for has run out. Serialised. A number that is not known, or
 was cancelled, is ignored.

 # Safety
 `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
 */
steer_status steer_policy_timer(struct steer_policy *policy, uint64_t timer);

/*
 What `run_later` asked for. Serialised.

 # Safety
 `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
 */
steer_status steer_policy_run(struct steer_policy *policy);

/*
 How many panics of the policy and its pickers were caught, in `*faults`. Serialised.

 # Safety
 `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `faults` is NULL (STEER_NULL_ARGUMENT) or can
 be written to.
 */
steer_status steer_policy_faults(struct steer_policy *policy, uint64_t *faults);

/*
 Shuts a policy down and frees it. Serialised; also from within one of its callbacks. NULL is
 fine. Its endpoints are dropped at once; its pickers live on, with their connections.

 # Safety
 `policy` is NULL or came from `steer_policy_new` and is not freed yet; nobody uses it after
 this call.
 */
void steer_policy_free(struct steer_policy *policy);

/*
 What a status means and what to do about it, in one sentence.

 Any thread. Takes any number, also one that this version does not know. The text is static.
 */
struct steer_str steer_status_text(int32_t status);

/*
 The text of a string, valid until it is freed. Any thread. NULL gives the empty text.

 # Safety
 `string` is NULL or came from this library and is not freed yet.
 */
struct steer_str steer_string_text(const struct steer_string *string);

/*
 Frees a string. Any thread. NULL is fine.

 # Safety
 `string` is NULL or came from this library and is not freed yet; nobody uses it during or after
 this call.
 */
void steer_string_free(struct steer_string *string);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* STEER_STEER_H */
