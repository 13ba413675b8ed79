/*
 * The C ABI of Steer's engine: load-balancing policies for gRPC C++, written in Rust.
 *
 * Generated from src/ffi and crates/steer-abi/src by cbindgen; do not edit. The rules that hold for every function and
 * struct (threads, ownership, NULLs, growth) stand in docs/ABI.md.
 */


#ifndef STEER_STEER_H
#define STEER_STEER_H

#include <stddef.h>
#include <stdint.h>

/*
 What a picker wants to know of each call: bits, to be or'ed. The path.
 */
#define STEER_WANTS_PATH 1

/*
 The call's headers: those that were declared, to be read, and any others to be added.
 */
#define STEER_WANTS_HEADERS 2

/*
 Backend metrics (ORCA) in `steer_call_end`.
 */
#define STEER_WANTS_METRICS 4

/*
 The hash that an xDS route gives the call.
 */
#define STEER_WANTS_REQUEST_HASH 8

/*
 The version of the ABI that this header describes. It grows when something is added; nothing
 is ever taken away or given another meaning.
 */
#define STEER_ABI_VERSION 4

/*
 The first eight bytes of a `steer_plugin`, as a little-endian number: "STEERLB" and 0.
 */
#define STEER_PLUGIN_MAGIC 18661264696104019

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
  /*
   A policy's name is taken, or not one that policies can have.
   */
  STEER_BAD_NAME = 11,
  /*
   A plugin does not fit this engine, or is none. Nothing of it was registered.
   */
  STEER_BAD_PLUGIN = 12,
  /*
   A plugin's entry failed. Nothing of it was registered.
   */
  STEER_PLUGIN_FAILED = 13,
  /*
   A policy was registered with the engine, but gRPC does not learn of it any more: a channel or a
   server exists.
   */
  STEER_TOO_LATE = 14,
  /*
   This engine cannot follow that one. Nothing was done.
   */
  STEER_CANNOT_FOLLOW = 15,
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
  /*
   Send the call over the connection of a `steer_call_tracker`, and tell that how it goes.
   */
  STEER_PICK_TRACKED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_pick_kind steer_pick_kind;
#else
typedef int32_t steer_pick_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What a pick led to.
 */
enum steer_choice_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   Send the call to the backend with the index `value`.
   */
  STEER_CHOICE_COMPLETE = 0,
  /*
   Let the call wait for the next picker.
   */
  STEER_CHOICE_QUEUE = 1,
  /*
   Fail the call unless it waits for ready. Made by `steer_api.fail` only.
   */
  STEER_CHOICE_FAIL = 2,
  /*
   Fail the call in any case, and do not retry it. Made by `steer_api.drop` only.
   */
  STEER_CHOICE_DROP = 3,
  /*
   COMPLETE, and tell the picker how it ends. Made by `steer_api.complete_tracked` only.
   */
  STEER_CHOICE_TRACKED = 4,
  /*
   The picker is broken. Made by `steer_api.fault` only.
   */
  STEER_CHOICE_FAULT = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_choice_kind steer_choice_kind;
#else
typedef int32_t steer_choice_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 How a tracked call ended.
 */
enum steer_call_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   It ran, and ended with `code`.
   */
  STEER_CALL_FINISHED = 0,
  /*
   It never started, or the channel gave up on it: there is no code.
   */
  STEER_CALL_ABANDONED = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_call_outcome steer_call_outcome;
#else
typedef int32_t steer_call_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What kind of value a `steer_json` is.
 */
enum steer_json_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   `null`
   */
  STEER_JSON_NULL = 0,
  /*
   `true` or `false`
   */
  STEER_JSON_BOOL = 1,
  /*
   A number.
   */
  STEER_JSON_NUMBER = 2,
  /*
   A string.
   */
  STEER_JSON_STRING = 3,
  /*
   An array.
   */
  STEER_JSON_ARRAY = 4,
  /*
   An object.
   */
  STEER_JSON_OBJECT = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_json_kind steer_json_kind;
#else
typedef int32_t steer_json_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 A gRPC status code, with gRPC's numbers. Codes travel as `int32_t`. gRFC A54 says which of them
 a picker may fail calls with.
 */
enum steer_code
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  STEER_CODE_OK = 0,
  STEER_CODE_CANCELLED = 1,
  STEER_CODE_UNKNOWN = 2,
  STEER_CODE_INVALID_ARGUMENT = 3,
  STEER_CODE_DEADLINE_EXCEEDED = 4,
  STEER_CODE_NOT_FOUND = 5,
  STEER_CODE_ALREADY_EXISTS = 6,
  STEER_CODE_PERMISSION_DENIED = 7,
  STEER_CODE_RESOURCE_EXHAUSTED = 8,
  STEER_CODE_FAILED_PRECONDITION = 9,
  STEER_CODE_ABORTED = 10,
  STEER_CODE_OUT_OF_RANGE = 11,
  STEER_CODE_UNIMPLEMENTED = 12,
  STEER_CODE_INTERNAL = 13,
  STEER_CODE_UNAVAILABLE = 14,
  STEER_CODE_DATA_LOSS = 15,
  STEER_CODE_UNAUTHENTICATED = 16,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_code steer_code;
#else
typedef int32_t steer_code;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 What a fault of a picker or policy leads to. It ends with another config, with a list of
 backends that comes 10 seconds later or more, and with the plugin's next release: then the
 policy is made anew.
 */
enum steer_on_fault
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   Round robin takes the policy's place: calls go on, to any backend.
   */
  STEER_ON_FAULT_FALL_BACK = 0,
  /*
   The call that meets the fault fails with INTERNAL, and the next one is the picker's again.
   When there are more faults than `faults_per_minute`, or a serialised hook fails, all calls
   fail: no call goes where the policy did not choose.
   */
  STEER_ON_FAULT_FAIL = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_on_fault steer_on_fault;
#else
typedef int32_t steer_on_fault;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 One call that a picker wants to hear of. Used by one thread at a time.
 */
typedef struct steer_call_tracker steer_call_tracker;

/*
 One channel, for one policy of it. Counted: see `steer_api.channel_hold`.
 */
typedef struct steer_channel steer_channel;

/*
 A policy's config, parsed and checked. Immutable; any number of policies may use it.
 */
typedef struct steer_config steer_config;

/*
 The faults of a config. Valid during `config_new`.
 */
typedef struct steer_faults steer_faults;

/*
 A JSON value of a config. Valid during `config_new`, with all that is got from it.
 */
typedef struct steer_json steer_json;

/*
 Chooses a backend per call. Immutable: its functions but `steer_picker_free` may be called from
 many threads at once.
 */
typedef struct steer_picker steer_picker;

/*
 One policy of one channel. All its functions are to be serialised by the host (gRPC: the
 channel's work serializer); they may be called from within the host's callbacks, and then take
 effect once the call under way is done. (But for `steer_policy_update`, which says from which of
 them it is refused.)
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
 A backend, as the resolver describes it. Immutable. All that it points at is valid UTF-8 and as
 long as the `steer_backends` that it is part of.
 */
typedef struct steer_backend {
  /*
   `sizeof(steer_backend)`, as the engine knows it.
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
   Everything else that the resolver attached, by pointer, because `steer_attribute` may grow.
   */
  const struct steer_attribute *const *attributes;
  /*
   How many.
   */
  size_t attribute_count;
  /*
   What `backend_new` of the picker's type made for these addresses; else NULL.
   */
  void *data;
} steer_backend;

/*
 READY backends, in the resolver's order. Immutable, counted: `steer_api` has functions to hold
 it longer than the picker that it was given to.
 */
typedef struct steer_backends {
  /*
   `sizeof(steer_backends)`, as the engine knows it.
   */
  size_t struct_size;
  /*
   The backends, by pointer, because `steer_backend` may grow.
   */
  const struct steer_backend *const *items;
  /*
   How many; at least one for pickers.
   */
  size_t count;
} steer_backends;

/*
 What a picker wants to know of each call; what it does not ask for costs nothing. The engine
 makes it, with zeros, for `picker_new` to fill in.
 */
typedef struct steer_wants {
  /*
   `sizeof(steer_wants)`, as the engine knows it.
   */
  size_t struct_size;
  /*
   An or of STEER_WANTS_….
   */
  uint32_t bits;
  /*
   The headers that it reads, in lower case; read, and copied, when `picker_new` has returned.
   */
  const struct steer_str *headers;
  /*
   How many; at most 64.
   */
  size_t header_count;
} steer_wants;

/*
 A picker's choice, small enough to come back in two registers. This struct never grows. Any
 other than documented is a fault: the call fails with INTERNAL, and the policy goes on as round
 robin.
 */
typedef struct steer_choice {
  /*
   A `steer_choice_kind`.
   */
  int64_t kind;
  /*
   With STEER_CHOICE_COMPLETE, an index into the picker's backends. Else the engine's own.
   */
  uint64_t value;
} steer_choice;

/*
 What a picker may know of a call. All that it points at is read during the pick only.
 */
typedef struct steer_call {
  /*
   `sizeof(steer_call)`.
   */
  size_t struct_size;
  /*
   "/service/method"; empty when the picker does not want it.
   */
  struct steer_str path;
  /*
   For whoever made this; passed to the functions.
   */
  void *ctx;
  /*
   Finds a header of the call by its lower-case name: 1, and its value in `*value`, valid until
   the pick is over; values of several headers of one name are joined by ",". 0 when there is none, and
   when the picker has not declared that it reads it. NULL: there are no headers to be had.
   */
  int32_t (*header)(void *ctx, struct steer_str name, struct steer_str *value);
  /*
   Adds a header to the call, if this pick completes. Both texts are copied. A name is
   lower-case letters, digits, '-', '_' and '.'; one that ends in "-bin" may have any bytes as its
   value. 1 when it was taken. NULL: no headers can be added.
   */
  int32_t (*add_header)(void *ctx, struct steer_str name, struct steer_str value);
  /*
   The hash that an xDS route gives the call (gRFC A42), when `has_request_hash` is not 0.
   */
  uint64_t request_hash;
  /*
   0: there is none, or the picker does not want it.
   */
  int32_t has_request_hash;
} steer_call;

/*
 A named number of a backend's report.
 */
typedef struct steer_metric {
  /*
   `sizeof(steer_metric)`; the same in all elements of an array.
   */
  size_t struct_size;
  /*
   The name.
   */
  struct steer_str name;
  /*
   The value.
   */
  double value;
} steer_metric;

/*
 What a backend reported with a call (ORCA, gRFC A51). What it did not report is 0.
 */
typedef struct steer_metrics {
  /*
   `sizeof(steer_metrics)`.
   */
  size_t struct_size;
  /*
   Used share of the processors; may be above 1.
   */
  double cpu_utilization;
  /*
   Used share of the memory, 0 to 1.
   */
  double mem_utilization;
  /*
   The application's own measure of its load; may be above 1.
   */
  double application_utilization;
  /*
   Calls per second that the backend serves.
   */
  double qps;
  /*
   Errors per second that it answers with.
   */
  double eps;
  /*
   What this call cost, by name.
   */
  const struct steer_metric *request_cost;
  /*
   How many.
   */
  size_t request_cost_count;
  /*
   Used shares of resources, by name, 0 to 1.
   */
  const struct steer_metric *utilization;
  /*
   How many.
   */
  size_t utilization_count;
  /*
   The application's own, by name.
   */
  const struct steer_metric *named;
  /*
   How many.
   */
  size_t named_count;
} steer_metrics;

/*
 What became of a tracked call. All that it points at is read during the hook only.
 */
typedef struct steer_call_end {
  /*
   `sizeof(steer_call_end)`, as the engine knows it.
   */
  size_t struct_size;
  /*
   A `steer_call_outcome`.
   */
  int32_t outcome;
  /*
   A gRPC status code, when it finished.
   */
  int32_t code;
  /*
   The status's text, when it finished.
   */
  struct steer_str message;
  /*
   Nanoseconds from its start to its end, when it finished.
   */
  uint64_t latency_ns;
  /*
   What the backend reported with it; NULL when nothing, or when the picker does not want it.
   */
  const struct steer_metrics *metrics;
} steer_call_end;

/*
 A kind of picker: given the READY backends, it chooses one per call, and Steer does the rest
 (connections, states, updates, reading the config). The engine copies the table.

 Hooks return 0, or another number when they failed: what failed is then said by
 `steer_api.fault`, and `on_fault` says what becomes of the policy. Hooks that return nothing can
 say so, too.
 Hooks that free are not called for NULL. Hooks must not throw and not longjmp. Hooks marked *Serialised* never overlap for one channel; those marked *Any thread* come
 from many threads at once.

 From one to the next: a *config* is what `config_new` made; an *instance* is one channel's, so
 that pickers can leave something to the ones after them; a *picker* is made for every change of
 backends or config, and dies some time after it was replaced, once no pick uses it.
 */
typedef struct steer_picker_type {
  /*
   `sizeof(steer_picker_type)`.
   */
  size_t struct_size;
  /*
   The name in `loadBalancingConfig`: lower-case letters, digits and '_', beginning with a
   letter and not with "steer_".
   */
  struct steer_str name;
  /*
   Passed to `config_new` and `instance_new`.
   */
  void *ctx;
  /*
   *Any thread.* Frees `ctx`, after all that was made of this type; also when registering
   fails. May be NULL.
   */
  void (*ctx_free)(void *ctx);
  /*
   *Any thread.* Reads a config: the JSON value beside the policy's name, `{}` when there is none.
   What is wrong with it goes to `steer_api.config_fault`, every fault by its field; then the
   config is rejected. `json` is valid during the call. NULL: there is nothing to configure, and
   configs are NULL.
   */
  int32_t (*config_new)(void *ctx,
                        const struct steer_json *json,
                        struct steer_faults *faults,
                        void **config);
  /*
   *Any thread.* Frees a config, when no policy uses it any more. May be NULL.
   */
  void (*config_free)(void *config);
  /*
   *Serialised.* A channel begins to use this type. `channel` is valid until the instance and
   all its pickers are freed. NULL: the instance is `ctx`.
   */
  int32_t (*instance_new)(void *ctx, struct steer_channel *channel, void **instance);
  /*
   *Any thread.* Frees an instance, after its pickers. May be NULL.
   */
  void (*instance_free)(void *instance);
  /*
   *Serialised.* Makes what is to be remembered of a backend, `steer_backend.data`, as long as
   its addresses are in the channel's list: also over new pickers, lost connections and new
   lists. `backend` is valid during the call. NULL: nothing.
   */
  int32_t (*backend_new)(void *instance, const struct steer_backend *backend, void **data);
  /*
   *Any thread.* Frees that, when the backend has left and no picker has it any more. May be NULL.
   */
  void (*backend_free)(void *data);
  /*
   *Serialised.* Makes a picker for these READY backends, of which there is at least one.
   `config` and `backends` are valid until the picker is freed. `wants` is to be filled in.
   Required.
   */
  int32_t (*picker_new)(void *instance,
                        const void *config,
                        const struct steer_backends *backends,
                        struct steer_wants *wants,
                        void **picker);
  /*
   *Any thread*, when no pick of it is under way, and after all of its calls have ended. May be
   NULL.
   */
  void (*picker_free)(void *picker);
  /*
   *Any thread.* Chooses for one call. Takes no lock and allocates nothing, if it can. Required.
   */
  struct steer_choice (*pick)(const void *picker, const struct steer_call *call);
  /*
   *Any thread.* A call of STEER_CHOICE_TRACKED starts. May be NULL.
   */
  void (*call_started)(const void *picker, uint64_t backend, void *state);
  /*
   *Any thread.* A call of STEER_CHOICE_TRACKED has ended, whether or not it ever started: the last that
   comes of it, exactly once, and the end of `state`. Required for that choice.
   */
  void (*call_finished)(const void *picker,
                        uint64_t backend,
                        void *state,
                        const struct steer_call_end *end);
  /*
   *Serialised.* A timer of `steer_api.timer_start` has run out. May be NULL.
   */
  void (*timer)(void *instance, uint64_t timer);
  /*
   What a fault leads to: a `steer_on_fault`. Since version 4, as what follows.
   */
  int32_t on_fault;
  /*
   So many faults of `pick`, `call_started` and `call_finished` a minute fail the calls that
   meet them, and no more; then comes what `on_fault` says. 0: none with
   STEER_ON_FAULT_FALL_BACK, any number with STEER_ON_FAULT_FAIL.
   */
  uint32_t faults_per_minute;
} steer_picker_type;

/*
 A resolver's answer, for a policy. Valid during the hook; `endpoints` can be held longer.
 */
typedef struct steer_resolved {
  /*
   `sizeof(steer_resolved)`, as the engine knows it.
   */
  size_t struct_size;
  /*
   The policy's config, as `config_new` made it, valid until the next update.
   */
  const void *config;
  /*
   The endpoints in the resolver's order; empty when there are none.
   */
  const struct steer_backends *endpoints;
  /*
   A gRPC status code. Not 0 (OK): the resolver failed, and `endpoints` is empty.
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
} steer_resolved;

/*
 A kind of policy. As `steer_picker_type`, but it decides itself which connections there are, and
 what state they amount to: by `steer_api.endpoint_new` and the functions after it.
 */
typedef struct steer_policy_type {
  /*
   `sizeof(steer_policy_type)`.
   */
  size_t struct_size;
  /*
   As in `steer_picker_type`.
   */
  struct steer_str name;
  /*
   As in `steer_picker_type`.
   */
  void *ctx;
  /*
   As in `steer_picker_type`.
   */
  void (*ctx_free)(void *ctx);
  /*
   As in `steer_picker_type`.
   */
  int32_t (*config_new)(void *ctx,
                        const struct steer_json *json,
                        struct steer_faults *faults,
                        void **config);
  /*
   As in `steer_picker_type`.
   */
  void (*config_free)(void *config);
  /*
   *Serialised.* A channel begins to use this policy. It must not ask the channel for anything
   but log, clock and chance before its first update. Required.
   */
  int32_t (*policy_new)(void *ctx, struct steer_channel *channel, void **policy);
  /*
   The channel is done with it, and the endpoints that it has left are dropped. Comes where the other
   hooks come, but the channel does nothing for it any more that is marked *Serialised*. May be NULL.
   */
  void (*policy_free)(void *policy);
  /*
   *Serialised.* The resolver has answered. Returns the gRPC status code that the resolver is to be told: 0
   when the update was accepted. Required.
   */
  int32_t (*update)(void *policy, const struct steer_resolved *resolved);
  /*
   *Serialised.* An endpoint's state is now this `steer_state`; `code` and `message` say why it
   failed. Required.
   */
  void (*endpoint_report)(void *policy,
                          uint64_t endpoint,
                          int32_t state,
                          int32_t code,
                          struct steer_str message);
  /*
   *Serialised.* A call came while the policy was IDLE. May be NULL.
   */
  void (*exit_idle)(void *policy);
  /*
   *Serialised.* Backoffs are to be forgotten. NULL: those of all endpoints are.
   */
  void (*reset_backoff)(void *policy);
  /*
   *Serialised.* A timer has run out. May be NULL.
   */
  void (*timer)(void *policy, uint64_t timer);
  /*
   As in `steer_picker_type`, for what `steer_publication.picker` was.
   */
  void (*picker_free)(void *picker);
  /*
   As in `steer_picker_type`. Required.
   */
  struct steer_choice (*pick)(const void *picker, const struct steer_call *call);
  /*
   As in `steer_picker_type`.
   */
  void (*call_started)(const void *picker, uint64_t backend, void *state);
  /*
   As in `steer_picker_type`.
   */
  void (*call_finished)(const void *picker,
                        uint64_t backend,
                        void *state,
                        const struct steer_call_end *end);
  /*
   As in `steer_picker_type`.
   */
  int32_t on_fault;
  /*
   As in `steer_picker_type`.
   */
  uint32_t faults_per_minute;
} steer_policy_type;

/*
 What a policy publishes: its state, and a picker for calls from now on.
 */
typedef struct steer_publication {
  /*
   `sizeof(steer_publication)`.
   */
  size_t struct_size;
  /*
   A `steer_state`.
   */
  int32_t state;
  /*
   In STEER_TRANSIENT_FAILURE: what calls fail with, a gRPC status code.
   */
  int32_t code;
  /*
   In STEER_TRANSIENT_FAILURE: its text.
   */
  struct steer_str message;
  /*
   What `pick` is given, owned by the engine from now on, whatever comes. NULL: calls wait, or
   in STEER_TRANSIENT_FAILURE fail with `code`.
   */
  void *picker;
  /*
   The endpoints that `pick` chooses among, all of them READY: a choice's `value` is an index into this.
   */
  const uint64_t *endpoints;
  /*
   How many.
   */
  size_t endpoint_count;
  /*
   What the picker wants to know of each call.
   */
  const struct steer_wants *wants;
} steer_publication;

/*
 The engine's functions, for policies of one's own: from `steer_api_get`, or for a plugin with
 its entry. Static; never changes. All functions are there, and may be called from any thread unless it
 says *Serialised*: then only from within the serialised hooks of the channel's own policy. Hooks that
 free something, `pick` and the hooks of calls are not among these, whichever thread they come on. Elsewhere
 such a function does nothing but write a line to the log, and returns 0 or a status.
 A NULL `json` is read as `null`; other NULLs lead to nothing.
 */
typedef struct steer_api {
  /*
   `sizeof(steer_api)`, as the engine knows it.
   */
  size_t struct_size;
  /*
   What `steer_abi_version` returns.
   */
  uint32_t abi_version;
  /*
   Registers a kind of picker. Before the first channel or server, or gRPC does not hear of it
   (STEER_TOO_LATE). A plugin that is loaded again under its name replaces what it registered before, for configs
   that are parsed from then on.
   Returns a `steer_status`; if that is not STEER_OK, `last_error` says why.
   */
  int32_t (*register_picker)(const struct steer_picker_type *kind);
  /*
   Registers a kind of policy, as `register_picker` does.
   */
  int32_t (*register_policy)(const struct steer_policy_type *kind);
  /*
   Why the last function with a `steer_status` failed on this thread. Valid until the next one.
   */
  struct steer_str (*last_error)(void);
  /*
   Makes a choice: fail the call with this gRPC status code (gRFC A54 says which may be) and
   text, unless it waits for ready. Only as what this very `pick` returns, which may make up to
   16 choices and return any of them.
   */
  struct steer_choice (*fail)(int32_t code, struct steer_str message);
  /*
   As `fail`, for calls that wait for ready too; and no retries.
   */
  struct steer_choice (*drop)(int32_t code, struct steer_str message);
  /*
   Makes a choice: send the call to the backend of this index, and tell the picker by
   `call_started` and `call_finished` how it goes. `state` is the picker's own, and is passed
   to both. Only as what this very `pick` returns: then `call_finished` comes in any case, else
   the state is lost.
   */
  struct steer_choice (*complete_tracked)(uint64_t backend, void *state);
  /*
   Says what is broken: as a choice, or before a hook returns other than 0.
   */
  struct steer_choice (*fault)(struct steer_str message);
  /*
   A JSON value's kind: a `steer_json_kind`.
   */
  int32_t (*json_kind)(const struct steer_json *json);
  /*
   The value as JSON text.
   */
  struct steer_str (*json_text)(const struct steer_json *json);
  /*
   1 if it is `true` or `false`, which is then in `*value` as 1 or 0.
   */
  int32_t (*json_bool)(const struct steer_json *json, int32_t *value);
  /*
   1 if it is a number, which is then in `*value`.
   */
  int32_t (*json_number)(const struct steer_json *json, double *value);
  /*
   1 if it is a whole number that fits, which is then in `*value`.
   */
  int32_t (*json_integer)(const struct steer_json *json, int64_t *value);
  /*
   1 if it is a string, which is then in `*value`.
   */
  int32_t (*json_string)(const struct steer_json *json, struct steer_str *value);
  /*
   How many values an array or an object has; 0 for others.
   */
  size_t (*json_size)(const struct steer_json *json);
  /*
   The value at this place of an array or an object; NULL when there is none.
   */
  const struct steer_json *(*json_at)(const struct steer_json *json, size_t index);
  /*
   The key at this place of an object.
   */
  struct steer_str (*json_key)(const struct steer_json *json, size_t index);
  /*
   The value of this key of an object; NULL when there is none.
   */
  const struct steer_json *(*json_get)(const struct steer_json *json, struct steer_str key);
  /*
   Says what is wrong with a field of the config, named by its path (`a.b[3]`; empty: the
   config as a whole).
   */
  void (*config_fault)(struct steer_faults *faults, struct steer_str field, struct steer_str error);
  /*
   Holds backends longer than the picker that they were given to.
   */
  void (*backends_hold)(const struct steer_backends *backends);
  /*
   Gives that up.
   */
  void (*backends_release)(const struct steer_backends *backends);
  /*
   Holds a channel longer than the instance and the pickers that it was given to.
   */
  void (*channel_hold)(const struct steer_channel *channel);
  /*
   Gives that up.
   */
  void (*channel_release)(const struct steer_channel *channel);
  /*
   Writes a line to gRPC's log; `severity` is a `steer_severity`.
   */
  void (*log)(const struct steer_channel *channel, int32_t severity, struct steer_str message);
  /*
   Nanoseconds since an arbitrary moment; never goes back.
   */
  uint64_t (*now)(const struct steer_channel *channel);
  /*
   64 random bits.
   */
  uint64_t (*random)(const struct steer_channel *channel);
  /*
   *Serialised.* Starts a timer; its number, never 0, comes with the hook `timer`. One that is
   started before the first update begins to run with that. 0: too late.
   */
  uint64_t (*timer_start)(const struct steer_channel *channel, uint64_t after_ns);
  /*
   *Serialised.* Takes that back. A timer that runs out all the same does no harm.
   */
  void (*timer_cancel)(const struct steer_channel *channel, uint64_t timer);
  /*
   *Serialised.* Asks for a new picker, once the hook under way is over: for picker types, when
   something other than the backends has changed.
   */
  void (*rebuild)(const struct steer_channel *channel);
  /*
   *Serialised.* Makes an endpoint for the one at this place of the latest update: its number,
   never 0 and never used again. It reports its state soon after, and does not connect before
   it is asked to. 0: it cannot be made. For policies, as are those below.
   */
  uint64_t (*endpoint_new)(const struct steer_channel *channel, size_t index);
  /*
   *Serialised.* Whether the endpoint is the very one that `endpoint_new` would make for this
   place of the latest update.
   */
  int32_t (*endpoint_matches)(const struct steer_channel *channel, uint64_t endpoint, size_t index);
  /*
   *Serialised.* Asks for a connection, when there is none and none is being made.
   */
  void (*endpoint_connect)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   *Serialised.* Forgets its backoff.
   */
  void (*endpoint_reset_backoff)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   *Serialised.* Drops it. Pickers keep its connection.
   */
  void (*endpoint_free)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   *Serialised.* Publishes. A `steer_status`: STEER_INVALID_ARGUMENT when an endpoint is not READY.
   */
  int32_t (*publish)(const struct steer_channel *channel,
                     const struct steer_publication *publication);
  /*
   *Serialised.* Asks the resolver to resolve again, when it sees fit.
   */
  void (*request_reresolution)(const struct steer_channel *channel);
} steer_api;

/*
 A shared library that is to be loaded exports one of these by the name `steer_plugin_block`. The
 engine checks it before it calls `entry`, and refuses the plugin, with the facts of both sides,
 unless they fit together. Constructors of the library run before that, when it is loaded: a
 library registers its policies in `entry`, and does nothing that depends on the engine before.
 */
typedef struct steer_plugin {
  /*
   STEER_PLUGIN_MAGIC.
   */
  uint64_t magic;
  /*
   `sizeof(steer_plugin)`.
   */
  size_t struct_size;
  /*
   STEER_ABI_VERSION of the header that it was compiled with. It loads into an engine of that
   version or a later one.
   */
  uint32_t abi_version;
  /*
   `sizeof(void *)`.
   */
  uint32_t pointer_size;
  /*
   `sizeof(steer_api)`: it uses no more of the engine's functions than that.
   */
  size_t api_size;
  /*
   `sizeof(steer_picker_type)`.
   */
  size_t picker_type_size;
  /*
   `sizeof(steer_policy_type)`.
   */
  size_t policy_type_size;
  /*
   What it is, for people: UTF-8, and not empty.
   */
  struct steer_str name;
  /*
   Its release, for people.
   */
  struct steer_str version;
  /*
   What built it, for people.
   */
  struct steer_str build;
  /*
   Registers its pickers and policies by `api`, which stays valid. 0, or another number when it cannot; then
   `steer_api.fault` says why. Called once for each time that it is loaded.
   */
  int32_t (*entry)(const struct steer_api *api);
} steer_plugin;

/*
 One engine, for the other copies of Steer in its process. Static. All of its functions are there,
 and concern this engine alone; each is as the one of its name that `steer.h` declares.
 */
typedef struct steer_engine {
  /*
   `sizeof(steer_engine)`, as this engine knows it.
   */
  size_t struct_size;
  /*
   What `steer_abi_version` returns.
   */
  uint32_t abi_version;
  /*
   0.
   */
  uint32_t reserved;
  /*
   What `steer_version` returns.
   */
  struct steer_str version;
  /*
   The file that it is in: a library or a program.
   */
  struct steer_str place;
  /*
   What `steer_api_get` returns.
   */
  const struct steer_api *api;
  /*
   `steer_register_plugin`
   */
  int32_t (*register_plugin)(const struct steer_plugin *plugin);
  /*
   `steer_register_picker`
   */
  int32_t (*register_picker)(const struct steer_picker_type *kind);
  /*
   `steer_register_policy`
   */
  int32_t (*register_policy)(const struct steer_policy_type *kind);
  /*
   `steer_load_plugin`
   */
  int32_t (*load_plugin)(struct steer_str path);
  /*
   `steer_load_plugins`, which says each time what came of it.
   */
  int32_t (*load_plugins)(void);
  /*
   `steer_last_error`
   */
  struct steer_str (*last_error)(void);
  /*
   `steer_policy_name`
   */
  int32_t (*policy_name)(size_t index, struct steer_string **name);
  /*
   `steer_stats_json`
   */
  int32_t (*stats_json)(struct steer_string **text);
  /*
   `steer_stats_prometheus`
   */
  int32_t (*stats_prometheus)(struct steer_string **text);
  /*
   `steer_stats_track_calls`
   */
  void (*stats_track_calls)(int32_t on);
  /*
   `steer_string_text`
   */
  struct steer_str (*string_text)(const struct steer_string *string);
  /*
   `steer_string_free`
   */
  void (*string_free)(struct steer_string *string);
} steer_engine;

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
   as long as the picker. With STEER_PICK_TRACKED, a `steer_call_tracker *`, which is the
   host's to free. Else NULL.
   */
  void *value;
} steer_picked;

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
   *Any thread.* Gives back a reference that came with a report of STEER_READY. Comes within
   `steer_picker_free`, `steer_call_tracker_free`, serialised calls for the policy and the
   functions of the statistics, whichever lets go of the connection last; also after
   `steer_policy_free`. A host that may release connections only where it serialises its calls
   must bring it there itself. Required.
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
  /*
   *Serialised.* Endpoints that are made from now on report their backends' load out of band (ORCA)
   about every `period_ns` nanoseconds, by `steer_policy_endpoint_load`; 0: they do not.
   `endpoint_matches` says no for an endpoint that was made under another period (and is asked, whatever
   `steer_update.made_with` says). Comes before an update's endpoints are made. NULL: there are no such reports.
   */
  void (*load_reports)(void *ctx, uint64_t period_ns);
} steer_host;

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
   The endpoints, in the resolver's order; NULL when there are none. Their places in the list
   (which is this array, unless `former` says more) are what `endpoint_new` and
   `endpoint_matches` name, until the next update with `code` 0.
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
  /*
   What the channel was made for, such as "dns:///greeter:50051": for people. May be empty.
   */
  struct steer_str target;
  /*
   Says which endpoints are those of the former list, so that they need not be described again: not NULL when
   `former_count` is not 0. The `i`th endpoint of this list is then in every respect what the `former[i]`th one
   was in the latest update with `code` 0 that was taken (STEER_OK), or, where `former[i]` is UINT32_MAX, the
   next one of `endpoints`. Whether it is still made just the same is asked all the same: see
   `endpoint_matches`. STEER_INVALID_ARGUMENT: the former list has no such endpoint, or there are not as many
   UINT32_MAX as `endpoints`.
   */
  const uint32_t *former;
  /*
   How many endpoints the list has in all; 0: as many as `endpoints`, which then are the list.
   */
  size_t former_count;
  /*
   A number of the host's for all that `endpoint_new` makes endpoints with beside what it knows of each, such as
   channel args: another number for other args. `endpoint_matches` is then not asked of an endpoint of which
   `former` says that it is what it was, and that was made, or matched, under this very number. 0: it is asked of
   all.
   */
  uint64_t made_with;
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
 How a call ended, as the host knows it.
 */
typedef struct steer_call_finish {
  /*
   `sizeof(steer_call_finish)`.
   */
  size_t struct_size;
  /*
   A gRPC status code.
   */
  int32_t code;
  /*
   Its text.
   */
  struct steer_str message;
  /*
   What came in the trailer `endpoint-load-metrics-bin`: a serialised
   `xds.data.orca.v3.OrcaLoadReport`. Empty: nothing. Needed when the picker wants
   STEER_WANTS_METRICS.
   */
  struct steer_str metrics;
} steer_call_finish;

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
 The engine's functions for policies of one's own. Any thread. Static.
 */
const struct steer_api *steer_api_get(void);

/*
 Says that this engine serves a host's gRPC, and returns what other copies of Steer are to be
 given. NULL: this engine follows another one. Any thread; any number of times.

 `knows` is asked after each registration whether the host knows a policy of this name, or still
 learns of it; 0: it is too late for that. NULL: nobody is asked. Any thread, with no lock held.

 # Safety
 `knows` is NULL or can be called at any time.
 */
const struct steer_engine *steer_engine_lead(int32_t (*knows)(struct steer_str name));

/*
 Has this engine follow another copy's: passes on what was registered here, and from then on
 whatever `steer_register_…`, `steer_load_plugin…` and `steer_stats_…` are asked. Any thread. The same leader once
 more, and this engine itself, are fine.

 STEER_CANNOT_FOLLOW: nothing has changed. Another status is that of what could not be passed on first;
 the rest was. `steer_last_error` says why.

 # Safety
 `leader` is NULL (STEER_NULL_ARGUMENT) or came from `steer_engine_lead` of an engine that stays for ever.
 */
steer_status steer_engine_follow(const struct steer_engine *leader);

/*
 Takes a plugin that is linked with the program: checks it and calls its entry. Any thread; also
 before `main`. If that is not STEER_OK, `steer_last_error` says why, and nothing of it was
 registered, unless it is STEER_TOO_LATE.

 # Safety
 `plugin` is NULL (STEER_NULL_ARGUMENT) or one that keeps what `steer_plugin` says, for ever.
 */
steer_status steer_register_plugin(const struct steer_plugin *plugin);

/*
 Loads a plugin from a shared library, which stays in the process for good. Any thread. If that
 is not STEER_OK, `steer_last_error` says why, and nothing of it was registered, unless it is
 STEER_TOO_LATE.

 A plugin of the same name takes the place of the one before: configs that are parsed from then
 on use it, while channels and pickers that have the old one keep it. Its file may have another
 path, or take the old one's place: as a new file, renamed to that path. A file that is written
 over changes under those that use it.

 # Safety
 `path` is readable. Loading a library runs its code.
 */
steer_status steer_load_plugin(struct steer_str path);

/*
 Loads the plugins whose paths stand in the environment variable STEER_PLUGINS, between ':'
 (';' on Windows). Any thread; the second time it does nothing. When some cannot be loaded, the others are,
 and the status is that of the first of them; `steer_last_error` names all.

 Ignores the variable in a process that has more rights than the one that started it (setuid,
 setgid, file capabilities), as the dynamic linker ignores LD_PRELOAD there.

 # Safety
 Loading a library runs its code.
 */
steer_status steer_load_plugins(void);

/*
 Why the last function on this thread that was about pickers, policies or plugins of one's own
 failed. Valid until the next one.
 */
struct steer_str steer_last_error(void);

/*
 Registers a kind of picker: `steer_api.register_picker`. Any thread.

 # Safety
 `kind` is NULL (STEER_NULL_ARGUMENT) or a table that keeps what `steer_picker_type` says.
 */
steer_status steer_register_picker(const struct steer_picker_type *kind);

/*
 Registers a kind of policy: `steer_api.register_policy`. Any thread.

 # Safety
 `kind` is NULL (STEER_NULL_ARGUMENT) or a table that keeps what `steer_policy_type` says.
 */
steer_status steer_register_policy(const struct steer_policy_type *kind);

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

 `call` may be NULL when the picker wants nothing. A policy's fault is no error here: the pick
 fails with INTERNAL (13), and what becomes of the policy is its author's choice.

 # Safety
 `picker` is NULL (STEER_NULL_ARGUMENT) or alive; `call` is NULL or readable with all that it
 points at.
 */
struct steer_picked steer_picker_pick(const struct steer_picker *picker,
                                      const struct steer_call *call);

/*
 Frees a picker. Any thread, when no pick of it is under way. NULL is fine. `connection_free` comes
 within this call for the connections that nothing else holds.

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
 the policy goes on as if there had been no update. STEER_INVALID_ARGUMENT also from within
 `endpoint_new` and `endpoint_matches`, which are asked about the list that is under way.

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
 Reports an endpoint's load that came out of band (ORCA), as `load_reports` has asked. Serialised.

 STEER_UNKNOWN_ENDPOINT: the endpoint was dropped, or its policy takes no reports.

 # Safety
 `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `metrics` is NULL (STEER_NULL_ARGUMENT) or readable with
 all that it points at.
 */
steer_status steer_policy_endpoint_load(struct steer_policy *policy,
                                        uint64_t endpoint,
                                        const struct steer_metrics *metrics);

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
 What is in the policy's place, when it broke. Serialised. `*why` says what broke and how, and is
 the caller's to free; NULL: the policy is in its place. Since version 4.

 # Safety
 `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `why` is NULL (STEER_NULL_ARGUMENT) or can be
 written to.
 */
steer_status steer_policy_fallback(struct steer_policy *policy, struct steer_string **why);

/*
 Shuts a policy down and frees it. Serialised; also from within one of its callbacks. NULL is
 fine. Its endpoints are dropped at once; its pickers live on, with their connections.

 # Safety
 `policy` is NULL or came from `steer_policy_new` and is not freed yet; nobody uses it after
 this call.
 */
void steer_policy_free(struct steer_policy *policy);

/*
 Every policy of this process, its backends and what is known of their calls, as JSON in `*text`, which
 the caller frees. Any thread; costs time that grows with the number of backends, and picks nothing.

 `docs/statistics.md` has the fields. Later versions add some; those that there are keep their meaning.

 # Safety
 `text` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_stats_json(struct steer_string **text);

/*
 The same in the OpenMetrics text format, which Prometheus scrapes with the content type
 "application/openmetrics-text; version=1.0.0; charset=utf-8", in `*text`, which the caller frees. Any thread.

 # Safety
 `text` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_stats_prometheus(struct steer_string **text);

/*
 Whether pickers that are made from now on track calls for these statistics, where their policy does not
 track them anyway. Any thread. At first 0, or 1 with STEER_STATS=calls in the environment.

 A tracked call costs what `docs/statistics.md` says; with 0, nothing is added to a pick.
 */
void steer_stats_track_calls(int32_t on);

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

/*
 The connection to send the call over: valid, as after STEER_PICK_COMPLETE, as long as the picker
 that chose it. To be read right after the pick. A host that needs the connection for longer takes
 a reference of its own: it must not count on the tracker to hold one. NULL gives NULL.

 # Safety
 `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed yet.
 */
void *steer_call_tracker_connection(const struct steer_call_tracker *tracker);

/*
 What is wanted to know of the call's end: an or of STEER_WANTS_…, of which only STEER_WANTS_METRICS is about
 that. NULL wants nothing.

 # Safety
 As for `steer_call_tracker_connection`.
 */
uint32_t steer_call_tracker_wants(const struct steer_call_tracker *tracker);

/*
 The call starts: once, after the pick. Any thread. NULL is fine.

 # Safety
 As for `steer_call_tracker_connection`.
 */
void steer_call_tracker_start(struct steer_call_tracker *tracker);

/*
 The call has ended: once. Any thread. NULL is fine. What `finish` points at is read during the call.

 # Safety
 As for `steer_call_tracker_connection`; `finish` is NULL (nothing is done) or readable.
 */
void steer_call_tracker_finish(struct steer_call_tracker *tracker,
                               const struct steer_call_finish *finish);

/*
 Frees a tracker. Any thread. NULL is fine. A call that has not ended was abandoned.

 `connection_free` may come within this call, if nothing else holds the connection any more.

 # Safety
 As for `steer_call_tracker_connection`; nobody uses it during or after this call.
 */
void steer_call_tracker_free(struct steer_call_tracker *tracker);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* STEER_STEER_H */
