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
 A bit of `steer_wants.bits`: the picker reads `steer_call.path`.
 */
#define STEER_WANTS_PATH 1

/*
 A bit of `steer_wants.bits`: the picker reads the headers that it declares in
 `steer_wants.headers`, and may add any header.
 */
#define STEER_WANTS_HEADERS 2

/*
 A bit of `steer_wants.bits`: the picker reads backend metrics (ORCA) in `steer_call_end`.
 */
#define STEER_WANTS_METRICS 4

/*
 A bit of `steer_wants.bits`: the picker reads the hash that an xDS route computed for the call.
 */
#define STEER_WANTS_REQUEST_HASH 8

/*
 The version of the ABI that this header describes. It grows when something is added. Nothing is
 ever removed or given another meaning.
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
 The type of an attribute's value.
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
 The severity of a log line.
 */
enum steer_severity
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   For debugging.
   */
  STEER_LOG_DEBUG = 0,
  /*
   For operators.
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
 The kind of a `steer_choice`.
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
   Fail the call unless it waits for ready. Only `steer_api.fail` makes it.
   */
  STEER_CHOICE_FAIL = 2,
  /*
   Fail the call in any case, and do not retry it. Only `steer_api.drop` makes it.
   */
  STEER_CHOICE_DROP = 3,
  /*
   Send the call to a backend and follow it. Only `steer_api.complete_tracked` makes it.
   */
  STEER_CHOICE_TRACKED = 4,
  /*
   The picker failed. Only `steer_api.fault` makes it.
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
   The call ran and ended with `code`.
   */
  STEER_CALL_FINISHED = 0,
  /*
   The call never started, or the channel gave up on it. There is no code.
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
 The kind of a `steer_json` value.
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
 A gRPC status code, with gRPC's numbers. The ABI passes codes as `int32_t`. gRFC A54 lists those
 that a picker may fail calls with.
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
 How a policy continues after a fault of a picker or policy. The policy is made again, and tried
 again, with another config, with a list of backends that comes at least 10 seconds later, and
 with the plugin's next release.
 */
enum steer_on_fault
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /*
   Round robin replaces the policy: calls continue, to any backend.
   */
  STEER_ON_FAULT_FALL_BACK = 0,
  /*
   The call that meets the fault fails with INTERNAL, and the picker chooses for the next call
   again. If there are more faults than `faults_per_minute`, or a serialised hook fails, all
   calls fail: no call goes to a backend that the policy did not choose.
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
 One channel, as one of its policies sees it. Reference counted: see `steer_api.channel_hold`.
 */
typedef struct steer_channel steer_channel;

/*
 A policy's config, parsed and checked. Immutable; any number of policies may use it.
 */
typedef struct steer_config steer_config;

/*
 Collects the errors of a config. Valid during `config_new`.
 */
typedef struct steer_faults steer_faults;

/*
 A JSON value of a config. It, and everything read from it, is valid during `config_new`.
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
 Borrowed bytes, usually UTF-8, but that is never assumed. Not NUL-terminated. `data` may be NULL
 if `length` is 0. The function that returns it documents how long it is valid. This struct never
 grows.
 */
typedef struct steer_str {
  /*
   The bytes.
   */
  const char *data;
  /*
   The number of bytes.
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
   The value if `kind` is STEER_ATTRIBUTE_TEXT.
   */
  struct steer_str text;
  /*
   The value if `kind` is STEER_ATTRIBUTE_INTEGER.
   */
  int64_t integer;
} steer_attribute;

/*
 A backend, as the resolver describes it. Immutable. Everything that it points at lives as long
 as the `steer_backends` that it is part of, and all its texts are valid UTF-8.
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
   The number of addresses; at least one.
   */
  size_t address_count;
  /*
   The weight from the resolver; 0 if it gave none.
   */
  uint32_t weight;
  /*
   The region of the backend's xDS locality; empty if unknown.
   */
  struct steer_str region;
  /*
   The zone of the locality; empty if unknown.
   */
  struct steer_str zone;
  /*
   The sub-zone of the locality; empty if unknown.
   */
  struct steer_str sub_zone;
  /*
   The key for consistent hashing; empty means the first address.
   */
  struct steer_str hash_key;
  /*
   All other attributes from the resolver. An array of pointers, because `steer_attribute` may
   grow.
   */
  const struct steer_attribute *const *attributes;
  /*
   The number of attributes.
   */
  size_t attribute_count;
  /*
   The result of `backend_new` for these addresses; NULL if the picker type has no such hook.
   */
  void *data;
} steer_backend;

/*
 Backends in the resolver's order. Immutable and reference counted: `steer_api.backends_hold`
 keeps it longer than the picker that it was given to.
 */
typedef struct steer_backends {
  /*
   `sizeof(steer_backends)`, as the engine knows it.
   */
  size_t struct_size;
  /*
   The backends. An array of pointers, because `steer_backend` may grow.
   */
  const struct steer_backend *const *items;
  /*
   The number of backends; at least one for pickers.
   */
  size_t count;
} steer_backends;

/*
 Declares which parts of a call a picker reads. Parts that it does not declare cost nothing. The
 engine passes this struct, filled with zeros, for `picker_new` to fill in.
 */
typedef struct steer_wants {
  /*
   `sizeof(steer_wants)`, as the engine knows it.
   */
  size_t struct_size;
  /*
   STEER_WANTS_… bits, combined by or.
   */
  uint32_t bits;
  /*
   The names of the headers that the picker reads, in lower case. The engine copies them after
   `picker_new` has returned.
   */
  const struct steer_str *headers;
  /*
   The number of names; at most 64.
   */
  size_t header_count;
} steer_wants;

/*
 A picker's choice, small enough to be returned in two registers. This struct never grows. A
 choice other than those documented is a fault: the call fails with INTERNAL, and `on_fault` of
 the picker type decides how the policy continues (by default as round robin).
 */
typedef struct steer_choice {
  /*
   A `steer_choice_kind`.
   */
  int64_t kind;
  /*
   With STEER_CHOICE_COMPLETE: an index into the picker's backends. With other kinds: private
   to the engine.
   */
  uint64_t value;
} steer_choice;

/*
 A call, as a picker sees it. Valid during the pick, as is everything that it points at.
 */
typedef struct steer_call {
  /*
   `sizeof(steer_call)`.
   */
  size_t struct_size;
  /*
   "/service/method"; empty without STEER_WANTS_PATH.
   */
  struct steer_str path;
  /*
   The first argument of the functions below.
   */
  void *ctx;
  /*
   Looks up a header by its lower-case name. If there is one, returns 1 and stores its value in
   `*value`, valid until the pick ends; the values of several headers of one name are joined by
   ",". Returns 0 if there is none, or if the picker has not declared that it reads it. The
   function is NULL if headers are not available.
   */
  int32_t (*header)(void *ctx, struct steer_str name, struct steer_str *value);
  /*
   Adds a header to the call, if this pick completes. Both texts are copied. A name consists of
   lower-case letters, digits, '-', '_' and '.'; if it ends in "-bin", the value may be any
   bytes. Returns 1 if the header was accepted. The function is NULL if no headers can be
   added.
   */
  int32_t (*add_header)(void *ctx, struct steer_str name, struct steer_str value);
  /*
   The hash that an xDS route computed for the call (gRFC A42), if `has_request_hash` is not 0.
   */
  uint64_t request_hash;
  /*
   0 if there is no hash, or without STEER_WANTS_REQUEST_HASH.
   */
  int32_t has_request_hash;
} steer_call;

/*
 A named number in a load report.
 */
typedef struct steer_metric {
  /*
   `sizeof(steer_metric)`. It is the same in all elements of an array, and is the distance from
   one element to the next.
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
 A load report that a backend sent with a call (ORCA, gRFC A51). Fields that it did not report
 are 0.
 */
typedef struct steer_metrics {
  /*
   `sizeof(steer_metrics)`.
   */
  size_t struct_size;
  /*
   CPU utilization; may be above 1.
   */
  double cpu_utilization;
  /*
   Memory utilization, 0 to 1.
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
   Calls per second that the backend answers with an error.
   */
  double eps;
  /*
   The costs of this call, by name.
   */
  const struct steer_metric *request_cost;
  /*
   The number of `request_cost` elements.
   */
  size_t request_cost_count;
  /*
   Utilization of other resources by name, 0 to 1.
   */
  const struct steer_metric *utilization;
  /*
   The number of `utilization` elements.
   */
  size_t utilization_count;
  /*
   Metrics that the application defines, by name.
   */
  const struct steer_metric *named;
  /*
   The number of `named` elements.
   */
  size_t named_count;
} steer_metrics;

/*
 How a tracked call ended. Valid during the hook, as is everything that it points at.
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
   The gRPC status code, if the outcome is STEER_CALL_FINISHED.
   */
  int32_t code;
  /*
   The status message, if the outcome is STEER_CALL_FINISHED.
   */
  struct steer_str message;
  /*
   Nanoseconds from the call's start to its end, if the outcome is STEER_CALL_FINISHED.
   */
  uint64_t latency_ns;
  /*
   The load report that came with the call; NULL if there was none, or without
   STEER_WANTS_METRICS.
   */
  const struct steer_metrics *metrics;
} steer_call_end;

/*
 A picker type: given the READY backends, its pickers choose one per call. Steer does the rest:
 connections, states, updates and parsing the config. The engine copies the table.

 Three kinds of objects: `config_new` makes a *config*. Each channel has an *instance*, which
 carries state from one picker to the next. A *picker* is made for every change of backends or
 config; it is freed after it was replaced, once no pick uses it and its calls have ended.

 Errors: a hook returns 0, or another number if it failed. A hook that fails reports why by
 `steer_api.fault`, as a hook without a result may do too. `on_fault` decides how the policy
 continues. Hooks must not throw and must not longjmp. Hooks that free something are not called
 with NULL.

 Threads: hooks marked *Serialised* never overlap for one channel. Hooks marked *Any thread* may
 be called by many threads at once.
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
   *Any thread.* Frees `ctx`, after everything that was made of this type; also if registering
   fails. May be NULL.
   */
  void (*ctx_free)(void *ctx);
  /*
   *Any thread.* Parses a config: the JSON value beside the policy's name, or `{}` if there is
   none. Reports each error, with its field, by `steer_api.config_fault`; the config is then
   rejected. `json` is valid during the call. NULL if there is nothing to configure: then every
   config is NULL.
   */
  int32_t (*config_new)(void *ctx,
                        const struct steer_json *json,
                        struct steer_faults *faults,
                        void **config);
  /*
   *Any thread.* Frees a config when no policy uses it any more. May be NULL.
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
   *Serialised.* Makes the state of a backend, `steer_backend.data`. It is kept as long as the
   backend's addresses are in the channel's list, across new pickers, lost connections and new
   lists. `backend` is valid during the call. NULL if backends have no state.
   */
  int32_t (*backend_new)(void *instance, const struct steer_backend *backend, void **data);
  /*
   *Any thread.* Frees the state of a backend, after the backend has left the list and no
   picker has it any more. May be NULL.
   */
  void (*backend_free)(void *data);
  /*
   *Serialised.* Makes a picker for these READY backends; there is at least one. `config` and
   `backends` are valid until the picker is freed. Fills in `wants`. Required.
   */
  int32_t (*picker_new)(void *instance,
                        const void *config,
                        const struct steer_backends *backends,
                        struct steer_wants *wants,
                        void **picker);
  /*
   *Any thread.* Frees a picker, when no pick uses it and all its tracked calls have ended. May
   be NULL.
   */
  void (*picker_free)(void *picker);
  /*
   *Any thread.* Chooses a backend for one call. It should take no lock and allocate nothing.
   Required.
   */
  struct steer_choice (*pick)(const void *picker, const struct steer_call *call);
  /*
   *Any thread.* A call with STEER_CHOICE_TRACKED starts. May be NULL.
   */
  void (*call_started)(const void *picker, uint64_t backend, void *state);
  /*
   *Any thread.* A call with STEER_CHOICE_TRACKED has ended, whether or not it started. Called
   exactly once for each such call, as the last hook with its `state`, which it frees. Required
   for that choice.
   */
  void (*call_finished)(const void *picker,
                        uint64_t backend,
                        void *state,
                        const struct steer_call_end *end);
  /*
   *Serialised.* A timer of `steer_api.timer_start` has expired. May be NULL.
   */
  void (*timer)(void *instance, uint64_t timer);
  /*
   How the policy continues after a fault: a `steer_on_fault`. Since ABI version 4, as are the
   fields after it.
   */
  int32_t on_fault;
  /*
   How many faults of `pick`, `call_started` and `call_finished` per minute only fail the calls
   that meet them. `on_fault` applies from the next fault on. 0 means no fault with
   STEER_ON_FAULT_FALL_BACK, and any number of faults with STEER_ON_FAULT_FAIL.
   */
  uint32_t faults_per_minute;
} steer_picker_type;

/*
 A resolver's answer, for a policy. Valid during the hook. `steer_api.backends_hold` keeps
 `endpoints` longer.
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
   The endpoints in the resolver's order; empty if there are none.
   */
  const struct steer_backends *endpoints;
  /*
   A gRPC status code. Other than 0 (OK) if the resolver failed; then `endpoints` is empty.
   */
  int32_t code;
  /*
   The resolver's error message.
   */
  struct steer_str message;
  /*
   Context for people. Include it in the status if there are no endpoints.
   */
  struct steer_str resolution_note;
} steer_resolved;

/*
 A policy type. Unlike a `steer_picker_type`, it decides which connections there are and which
 state they add up to, by `steer_api.endpoint_new` and the functions after it. Otherwise the same
 rules hold.
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
   *Serialised.* A channel begins to use this policy. Before its first update the policy may
   only use the channel's log, clock and random numbers. Required.
   */
  int32_t (*policy_new)(void *ctx, struct steer_channel *channel, void **policy);
  /*
   Frees the policy, when the channel does not use it any more. Endpoints that it has left are
   dropped. Called where serialised hooks are called, but functions marked *Serialised* do
   nothing for it any more. May be NULL.
   */
  void (*policy_free)(void *policy);
  /*
   *Serialised.* The resolver has answered. Returns the gRPC status code for the resolver: 0 if
   the update was accepted. Required.
   */
  int32_t (*update)(void *policy, const struct steer_resolved *resolved);
  /*
   *Serialised.* An endpoint's state is now this `steer_state`. `code` and `message` say why it
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
   *Serialised.* Resets connection backoffs. If NULL, the engine resets those of all endpoints.
   */
  void (*reset_backoff)(void *policy);
  /*
   *Serialised.* A timer has expired. May be NULL.
   */
  void (*timer)(void *policy, uint64_t timer);
  /*
   As in `steer_picker_type`, for a `steer_publication.picker`.
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
 What a policy publishes: its state, and a picker for all calls from now on.
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
   In STEER_TRANSIENT_FAILURE: the gRPC status code that calls fail with.
   */
  int32_t code;
  /*
   In STEER_TRANSIENT_FAILURE: the status message.
   */
  struct steer_str message;
  /*
   The picker, passed to `pick`. The engine owns it from now on, even if `publish` fails. NULL:
   calls wait, or fail with `code` in STEER_TRANSIENT_FAILURE.
   */
  void *picker;
  /*
   The endpoints that `pick` chooses among, all of them READY. A choice's `value` is an index
   into this array.
   */
  const uint64_t *endpoints;
  /*
   The number of endpoints.
   */
  size_t endpoint_count;
  /*
   The parts of a call that the picker reads.
   */
  const struct steer_wants *wants;
} steer_publication;

/*
 The engine's functions for custom pickers and policies. `steer_api_get` returns this table, and
 a plugin gets it as the argument of its `entry`. The table is static and never changes. No entry
 is NULL.

 Threads: any, unless a function says *Serialised*. A serialised function may be called only from
 within a serialised hook of the channel's own policy. `pick`, the hooks of calls and the hooks
 that free something are not serialised hooks, on whichever thread they are called. Called from
 anywhere else, a serialised function writes a line to the log, does nothing more, and returns 0
 or an error status.

 NULL: a NULL `json` is read as `null`. With any other NULL argument a function does nothing.
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
   Registers a picker type. Call it before the first channel or server is made: later, gRPC
   does not learn of the policy, and the result is STEER_TOO_LATE. A plugin that is loaded
   again under its name replaces the types that it registered before, for configs that are
   parsed from then on.
   Returns a `steer_status`; if that is not STEER_OK, `last_error` says why.
   */
  int32_t (*register_picker)(const struct steer_picker_type *kind);
  /*
   Registers a policy type. Otherwise as `register_picker`.
   */
  int32_t (*register_policy)(const struct steer_policy_type *kind);
  /*
   Returns why the last function that returns a `steer_status` failed on this thread. Valid
   until the next such call on this thread.
   */
  struct steer_str (*last_error)(void);
  /*
   Makes a choice: fail the call with this gRPC status code (gRFC A54 lists those that are
   allowed) and text, unless the call waits for ready. Only the `pick` that made a choice may
   return it. One `pick` may make up to 16 choices and return any of them.
   */
  struct steer_choice (*fail)(int32_t code, struct steer_str message);
  /*
   Makes a choice: fail the call even if it waits for ready, and do not retry it. Otherwise as
   `fail`.
   */
  struct steer_choice (*drop)(int32_t code, struct steer_str message);
  /*
   Makes a choice: send the call to the backend with this index, and follow it with
   `call_started` and `call_finished`. `state` belongs to the picker and is passed to both.
   Only the `pick` that made the choice may return it. If it is returned, `call_finished` is
   called in any case; otherwise it is never called, and `state` leaks.
   */
  struct steer_choice (*complete_tracked)(uint64_t backend, void *state);
  /*
   Reports a fault. Return the result from `pick`, or call this before another hook returns a
   number other than 0.
   */
  struct steer_choice (*fault)(struct steer_str message);
  /*
   Returns the kind of a JSON value: a `steer_json_kind`.
   */
  int32_t (*json_kind)(const struct steer_json *json);
  /*
   Returns the value as JSON text.
   */
  struct steer_str (*json_text)(const struct steer_json *json);
  /*
   Returns 1 if the value is `true` or `false`, and stores 1 or 0 in `*value`.
   */
  int32_t (*json_bool)(const struct steer_json *json, int32_t *value);
  /*
   Returns 1 if the value is a number, and stores it in `*value`.
   */
  int32_t (*json_number)(const struct steer_json *json, double *value);
  /*
   Returns 1 if the value is an integer that fits, and stores it in `*value`.
   */
  int32_t (*json_integer)(const struct steer_json *json, int64_t *value);
  /*
   Returns 1 if the value is a string, and stores it in `*value`.
   */
  int32_t (*json_string)(const struct steer_json *json, struct steer_str *value);
  /*
   Returns the number of values of an array or an object; 0 for other kinds.
   */
  size_t (*json_size)(const struct steer_json *json);
  /*
   Returns the value at this index of an array or an object; NULL if there is none.
   */
  const struct steer_json *(*json_at)(const struct steer_json *json, size_t index);
  /*
   Returns the key at this index of an object.
   */
  struct steer_str (*json_key)(const struct steer_json *json, size_t index);
  /*
   Returns the value of this key of an object; NULL if there is none.
   */
  const struct steer_json *(*json_get)(const struct steer_json *json, struct steer_str key);
  /*
   Reports an error of the config. `field` is the path of the field (`a.b[3]`); empty means the
   config as a whole.
   */
  void (*config_fault)(struct steer_faults *faults, struct steer_str field, struct steer_str error);
  /*
   Takes a reference to a list of backends, to use it longer than the picker that it was given
   to.
   */
  void (*backends_hold)(const struct steer_backends *backends);
  /*
   Releases a reference of `backends_hold`.
   */
  void (*backends_release)(const struct steer_backends *backends);
  /*
   Takes a reference to a channel, to use it longer than the instance and the pickers that it
   was given to.
   */
  void (*channel_hold)(const struct steer_channel *channel);
  /*
   Releases a reference of `channel_hold`.
   */
  void (*channel_release)(const struct steer_channel *channel);
  /*
   Writes a line to gRPC's log; `severity` is a `steer_severity`.
   */
  void (*log)(const struct steer_channel *channel, int32_t severity, struct steer_str message);
  /*
   Returns a monotonic time: nanoseconds since an arbitrary moment.
   */
  uint64_t (*now)(const struct steer_channel *channel);
  /*
   Returns 64 random bits.
   */
  uint64_t (*random)(const struct steer_channel *channel);
  /*
   *Serialised.* Starts a timer and returns its number, which is never 0 and is passed to the
   hook `timer` when the timer expires. A timer that is started before the first update begins
   to run with that update. Returns 0 if the channel is shutting down.
   */
  uint64_t (*timer_start)(const struct steer_channel *channel, uint64_t after_ns);
  /*
   *Serialised.* Cancels a timer. Cancelling one that has expired does nothing.
   */
  void (*timer_cancel)(const struct steer_channel *channel, uint64_t timer);
  /*
   *Serialised.* Asks for a new picker, which is made after the current hook returns. For
   picker types, when something other than the backends has changed.
   */
  void (*rebuild)(const struct steer_channel *channel);
  /*
   *Serialised.* For policies, as are the functions after it. Makes an endpoint for the backend
   at this index of the latest update. Returns its number, which is never 0 and never reused;
   0 if the endpoint cannot be made. The endpoint reports its state soon after, and connects
   only when `endpoint_connect` asks for it.
   */
  uint64_t (*endpoint_new)(const struct steer_channel *channel, size_t index);
  /*
   *Serialised.* Returns 1 if `endpoint_new` would make an identical endpoint for this index of
   the latest update; otherwise 0.
   */
  int32_t (*endpoint_matches)(const struct steer_channel *channel, uint64_t endpoint, size_t index);
  /*
   *Serialised.* Asks for a connection. Does nothing if there is one or one is being made.
   */
  void (*endpoint_connect)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   *Serialised.* Resets the endpoint's connection backoff.
   */
  void (*endpoint_reset_backoff)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   *Serialised.* Drops the endpoint. Pickers that hold its connection keep it.
   */
  void (*endpoint_free)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   *Serialised.* Publishes a state and a picker. Returns a `steer_status`:
   STEER_INVALID_ARGUMENT if an endpoint of the publication is not READY.
   */
  int32_t (*publish)(const struct steer_channel *channel,
                     const struct steer_publication *publication);
  /*
   *Serialised.* Asks the resolver to resolve again. The resolver decides when.
   */
  void (*request_reresolution)(const struct steer_channel *channel);
} steer_api;

/*
 A plugin exports one of these under the name `steer_plugin_block`. The engine checks it before
 it calls `entry`. If plugin and engine do not fit together, it refuses the plugin, with an error
 that names the facts of both. The library's constructors run earlier, when it is loaded; they
 must not use the engine. A plugin registers its pickers and policies in `entry`.
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
   STEER_ABI_VERSION of the header that the plugin was compiled with. It loads into an engine
   of that version or a later one.
   */
  uint32_t abi_version;
  /*
   `sizeof(void *)`.
   */
  uint32_t pointer_size;
  /*
   `sizeof(steer_api)`. The plugin uses no function beyond that size.
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
   Its name, for logs and statistics: UTF-8, and not empty.
   */
  struct steer_str name;
  /*
   Its release, for logs and statistics.
   */
  struct steer_str version;
  /*
   The compiler and build that made it, for logs and statistics.
   */
  struct steer_str build;
  /*
   Registers the plugin's pickers and policies by `api`, which stays valid. Returns 0, or
   another number if it cannot, after it reported why by `steer_api.fault`. Called once each
   time that the plugin is loaded.
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
