/*
 * For authors of custom pickers and custom policies, and for programs that link or load them.
 * `picker.h` adds helpers for C, and `steer.hpp` is for C++.
 * Generated from src/ffi and crates/steer-abi/src; do not edit. docs/ABI.md has the rules that hold
 * for every function and struct: threads, ownership, NULLs, growth.
 *
 * Contents
 *   Handles
 *     steer_channel, steer_json, steer_faults
 *   Backends
 *     steer_backend, steer_backends
 *   Choices
 *     steer_choice_kind, steer_choice, steer_wants
 *   Ends of calls
 *     steer_call_outcome, steer_call_end
 *   Configs
 *     steer_json_kind
 *   Faults
 *     steer_on_fault
 *   Custom pickers
 *     steer_picker_type
 *   Custom policies
 *     steer_resolved, steer_publication, steer_policy_type
 *   The engine's functions for plugins
 *     steer_api, steer_api_get
 *   Plugins
 *     STEER_PLUGIN_MAGIC, steer_plugin
 *   Registering and loading
 *     steer_register_picker, steer_register_policy, steer_register_plugin, steer_load_plugin,
 *     steer_load_plugins
 */
#ifndef STEER_PLUGIN_H
#define STEER_PLUGIN_H

#include "steer/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Handles --------------------------------------------------------------------------------- */

/* One channel, as one of its policies sees it. Reference counted: see `steer_api.channel_hold`. */
typedef struct steer_channel steer_channel;

/* A JSON value of a config. It, and everything read from it, is valid during `config_new`. */
typedef struct steer_json steer_json;

/* Collects the errors of a config. Valid during `config_new`. */
typedef struct steer_faults steer_faults;

/* --- Backends -------------------------------------------------------------------------------- */

/*
 * A backend, as the resolver describes it. Immutable. Everything that it points at lives as long
 * as the `steer_backends` that it is part of, and all its texts are valid UTF-8.
 */
typedef struct steer_backend {
  /* `sizeof(steer_backend)`, as the engine knows it. */
  size_t struct_size;
  /* Its addresses as gRPC writes them ("ipv4:10.0.0.1:80"), in the order to try them. */
  const struct steer_str *addresses;
  /* The number of addresses; at least one. */
  size_t address_count;
  /* The weight from the resolver; 0 if it gave none. */
  uint32_t weight;
  /* The region of the backend's xDS locality; empty if unknown. */
  struct steer_str region;
  /* The zone of the locality; empty if unknown. */
  struct steer_str zone;
  /* The sub-zone of the locality; empty if unknown. */
  struct steer_str sub_zone;
  /* The key for consistent hashing; empty means the first address. */
  struct steer_str hash_key;
  /*
   * All other attributes from the resolver. An array of pointers, because `steer_attribute` may
   * grow.
   */
  const struct steer_attribute *const *attributes;
  /* The number of attributes. */
  size_t attribute_count;
  /* The result of `backend_new` for these addresses; NULL if the picker type has no such hook. */
  void *data;
} steer_backend;

/*
 * Backends in the resolver's order. Immutable and reference counted: `steer_api.backends_hold`
 * keeps it longer than the picker that it was given to.
 */
typedef struct steer_backends {
  /* `sizeof(steer_backends)`, as the engine knows it. */
  size_t struct_size;
  /* The backends. An array of pointers, because `steer_backend` may grow. */
  const struct steer_backend *const *items;
  /* The number of backends; at least one for pickers. */
  size_t count;
} steer_backends;

/* --- Choices --------------------------------------------------------------------------------- */

/* The kind of a `steer_choice`. */
enum steer_choice_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Send the call to the backend with the index `value`. */
  STEER_CHOICE_COMPLETE = 0,
  /* Let the call wait for the next picker. */
  STEER_CHOICE_QUEUE = 1,
  /* Fail the call unless it waits for ready. Only `steer_api.fail` makes it. */
  STEER_CHOICE_FAIL = 2,
  /* Fail the call in any case, and do not retry it. Only `steer_api.drop` makes it. */
  STEER_CHOICE_DROP = 3,
  /* Send the call to a backend and follow it. Only `steer_api.complete_tracked` makes it. */
  STEER_CHOICE_TRACKED = 4,
  /* The picker failed. Only `steer_api.fault` makes it. */
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
 * A picker's choice, small enough to be returned in two registers. This struct never grows. A
 * choice other than those documented is a fault: the call fails with INTERNAL, and `on_fault` of
 * the picker type decides how the policy continues (by default as round robin).
 */
typedef struct steer_choice {
  /* A `steer_choice_kind`. */
  int64_t kind;
  /*
   * With STEER_CHOICE_COMPLETE: an index into the picker's backends. With other kinds: private
   * to the engine.
   */
  uint64_t value;
} steer_choice;

/*
 * Declares which parts of a call a picker reads. Parts that it does not declare cost nothing. The
 * engine passes this struct, filled with zeros, for `picker_new` to fill in.
 */
typedef struct steer_wants {
  /* `sizeof(steer_wants)`, as the engine knows it. */
  size_t struct_size;
  /* STEER_WANTS_… bits, combined by or. */
  uint32_t bits;
  /*
   * The names of the headers that the picker reads, in lower case. The engine copies them after
   * `picker_new` has returned.
   */
  const struct steer_str *headers;
  /* The number of names; at most 64. */
  size_t header_count;
} steer_wants;

/* --- Ends of calls --------------------------------------------------------------------------- */

/* How a tracked call ended. */
enum steer_call_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* The call ran and ended with `code`. */
  STEER_CALL_FINISHED = 0,
  /* The call never started, or the channel gave up on it. There is no code. */
  STEER_CALL_ABANDONED = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_call_outcome steer_call_outcome;
#else
typedef int32_t steer_call_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/* How a tracked call ended. Valid during the hook, as is everything that it points at. */
typedef struct steer_call_end {
  /* `sizeof(steer_call_end)`, as the engine knows it. */
  size_t struct_size;
  /* A `steer_call_outcome`. */
  int32_t outcome;
  /* The gRPC status code, if the outcome is STEER_CALL_FINISHED. */
  int32_t code;
  /* The status message, if the outcome is STEER_CALL_FINISHED. */
  struct steer_str message;
  /* Nanoseconds from the call's start to its end, if the outcome is STEER_CALL_FINISHED. */
  uint64_t latency_ns;
  /*
   * The load report that came with the call; NULL if there was none, or without
   * STEER_WANTS_METRICS.
   */
  const struct steer_metrics *metrics;
} steer_call_end;

/* --- Configs --------------------------------------------------------------------------------- */

/* The kind of a `steer_json` value. */
enum steer_json_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* `null` */
  STEER_JSON_NULL = 0,
  /* `true` or `false` */
  STEER_JSON_BOOL = 1,
  /* A number. */
  STEER_JSON_NUMBER = 2,
  /* A string. */
  STEER_JSON_STRING = 3,
  /* An array. */
  STEER_JSON_ARRAY = 4,
  /* An object. */
  STEER_JSON_OBJECT = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_json_kind steer_json_kind;
#else
typedef int32_t steer_json_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/* --- Faults ---------------------------------------------------------------------------------- */

/*
 * How a policy continues after a fault of a picker or policy. The policy is made again, and tried
 * again, with another config, with a list of backends that comes at least 10 seconds later, and
 * with the plugin's next release.
 */
enum steer_on_fault
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Round robin replaces the policy: calls continue, to any backend. */
  STEER_ON_FAULT_FALL_BACK = 0,
  /*
   * The call that meets the fault fails with INTERNAL, and the picker chooses for the next call
   * again. If there are more faults than `faults_per_minute`, or a serialised hook fails, all
   * calls fail: no call goes to a backend that the policy did not choose.
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

/* --- Custom pickers -------------------------------------------------------------------------- */

/*
 * A picker type: given the READY backends, its pickers choose one per call. Steer does the rest:
 * connections, states, updates and parsing the config. The engine copies the table.
 *
 * Three kinds of objects: `config_new` makes a *config*. Each channel has an *instance*, which
 * carries state from one picker to the next. A *picker* is made for every change of backends or
 * config; it is freed after it was replaced, once no pick uses it and its calls have ended.
 *
 * Errors: a hook returns 0, or another number if it failed. A hook that fails reports why by
 * `steer_api.fault`, as a hook without a result may do too. `on_fault` decides how the policy
 * continues. Hooks must not throw and must not longjmp. Hooks that free something are not called
 * with NULL.
 *
 * Threads: hooks marked *Serialised* never overlap for one channel. Hooks marked *Any thread* may
 * be called by many threads at once.
 */
typedef struct steer_picker_type {
  /* `sizeof(steer_picker_type)`. */
  size_t struct_size;
  /*
   * The name in `loadBalancingConfig`: lower-case letters, digits and '_', beginning with a
   * letter and not with "steer_".
   */
  struct steer_str name;
  /* Passed to `config_new` and `instance_new`. */
  void *ctx;
  /*
   * *Any thread.* Frees `ctx`, after everything that was made of this type; also if registering
   * fails. May be NULL.
   */
  void (*ctx_free)(void *ctx);
  /*
   * *Any thread.* Parses a config: the JSON value beside the policy's name, or `{}` if there is
   * none. Reports each error, with its field, by `steer_api.config_fault`; the config is then
   * rejected. `json` is valid during the call. NULL if there is nothing to configure: then every
   * config is NULL.
   */
  int32_t (*config_new)(void *ctx,
                        const struct steer_json *json,
                        struct steer_faults *faults,
                        void **config);
  /* *Any thread.* Frees a config when no policy uses it any more. May be NULL. */
  void (*config_free)(void *config);
  /*
   * *Serialised.* A channel begins to use this type. `channel` is valid until the instance and
   * all its pickers are freed. NULL: the instance is `ctx`.
   */
  int32_t (*instance_new)(void *ctx, struct steer_channel *channel, void **instance);
  /* *Any thread.* Frees an instance, after its pickers. May be NULL. */
  void (*instance_free)(void *instance);
  /*
   * *Serialised.* Makes the state of a backend, `steer_backend.data`. It is kept as long as the
   * backend's addresses are in the channel's list, across new pickers, lost connections and new
   * lists. `backend` is valid during the call. NULL if backends have no state.
   */
  int32_t (*backend_new)(void *instance, const struct steer_backend *backend, void **data);
  /*
   * *Any thread.* Frees the state of a backend, after the backend has left the list and no
   * picker has it any more. May be NULL.
   */
  void (*backend_free)(void *data);
  /*
   * *Serialised.* Makes a picker for these READY backends; there is at least one. `config` and
   * `backends` are valid until the picker is freed. Fills in `wants`. Required.
   */
  int32_t (*picker_new)(void *instance,
                        const void *config,
                        const struct steer_backends *backends,
                        struct steer_wants *wants,
                        void **picker);
  /*
   * *Any thread.* Frees a picker, when no pick uses it and all its tracked calls have ended. May
   * be NULL.
   */
  void (*picker_free)(void *picker);
  /*
   * *Any thread.* Chooses a backend for one call. It should take no lock and allocate nothing.
   * Required.
   */
  struct steer_choice (*pick)(const void *picker, const struct steer_call *call);
  /* *Any thread.* A call with STEER_CHOICE_TRACKED starts. May be NULL. */
  void (*call_started)(const void *picker, uint64_t backend, void *state);
  /*
   * *Any thread.* A call with STEER_CHOICE_TRACKED has ended, whether or not it started. Called
   * exactly once for each such call, as the last hook with its `state`, which it frees. Required
   * for that choice.
   */
  void (*call_finished)(const void *picker,
                        uint64_t backend,
                        void *state,
                        const struct steer_call_end *end);
  /* *Serialised.* A timer of `steer_api.timer_start` has expired. May be NULL. */
  void (*timer)(void *instance, uint64_t timer);
  /*
   * How the policy continues after a fault: a `steer_on_fault`. Since ABI version 4, as are the
   * fields after it.
   */
  int32_t on_fault;
  /*
   * How many faults of `pick`, `call_started` and `call_finished` per minute only fail the calls
   * that meet them. `on_fault` applies from the next fault on. 0 means no fault with
   * STEER_ON_FAULT_FALL_BACK, and any number of faults with STEER_ON_FAULT_FAIL.
   */
  uint32_t faults_per_minute;
} steer_picker_type;

/* --- Custom policies ------------------------------------------------------------------------- */

/*
 * A resolver's answer, for a policy. Valid during the hook. `steer_api.backends_hold` keeps
 * `endpoints` longer.
 */
typedef struct steer_resolved {
  /* `sizeof(steer_resolved)`, as the engine knows it. */
  size_t struct_size;
  /* The policy's config, as `config_new` made it, valid until the next update. */
  const void *config;
  /* The endpoints in the resolver's order; empty if there are none. */
  const struct steer_backends *endpoints;
  /* A gRPC status code. Other than 0 (OK) if the resolver failed; then `endpoints` is empty. */
  int32_t code;
  /* The resolver's error message. */
  struct steer_str message;
  /* Context for people. Include it in the status if there are no endpoints. */
  struct steer_str resolution_note;
} steer_resolved;

/* What a policy publishes: its state, and a picker for all calls from now on. */
typedef struct steer_publication {
  /* `sizeof(steer_publication)`. */
  size_t struct_size;
  /* A `steer_state`. */
  int32_t state;
  /* In STEER_TRANSIENT_FAILURE: the gRPC status code that calls fail with. */
  int32_t code;
  /* In STEER_TRANSIENT_FAILURE: the status message. */
  struct steer_str message;
  /*
   * The picker, passed to `pick`. The engine owns it from now on, even if `publish` fails. NULL:
   * calls wait, or fail with `code` in STEER_TRANSIENT_FAILURE.
   */
  void *picker;
  /*
   * The endpoints that `pick` chooses among, all of them READY. A choice's `value` is an index
   * into this array.
   */
  const uint64_t *endpoints;
  /* The number of endpoints. */
  size_t endpoint_count;
  /* The parts of a call that the picker reads. */
  const struct steer_wants *wants;
} steer_publication;

/*
 * A policy type. Unlike a `steer_picker_type`, it decides which connections there are and which
 * state they add up to, by `steer_api.endpoint_new` and the functions after it. Otherwise the same
 * rules hold.
 */
typedef struct steer_policy_type {
  /* `sizeof(steer_policy_type)`. */
  size_t struct_size;
  /* As in `steer_picker_type`. */
  struct steer_str name;
  /* As in `steer_picker_type`. */
  void *ctx;
  /* As in `steer_picker_type`. */
  void (*ctx_free)(void *ctx);
  /* As in `steer_picker_type`. */
  int32_t (*config_new)(void *ctx,
                        const struct steer_json *json,
                        struct steer_faults *faults,
                        void **config);
  /* As in `steer_picker_type`. */
  void (*config_free)(void *config);
  /*
   * *Serialised.* A channel begins to use this policy. Before its first update the policy may
   * only use the channel's log, clock and random numbers. Required.
   */
  int32_t (*policy_new)(void *ctx, struct steer_channel *channel, void **policy);
  /*
   * Frees the policy, when the channel does not use it any more. Endpoints that it has left are
   * dropped. Called where serialised hooks are called, but functions marked *Serialised* do
   * nothing for it any more. May be NULL.
   */
  void (*policy_free)(void *policy);
  /*
   * *Serialised.* The resolver has answered. Returns the gRPC status code for the resolver: 0 if
   * the update was accepted. Required.
   */
  int32_t (*update)(void *policy, const struct steer_resolved *resolved);
  /*
   * *Serialised.* An endpoint's state is now this `steer_state`. `code` and `message` say why it
   * failed. Required.
   */
  void (*endpoint_report)(void *policy,
                          uint64_t endpoint,
                          int32_t state,
                          int32_t code,
                          struct steer_str message);
  /* *Serialised.* A call came while the policy was IDLE. May be NULL. */
  void (*exit_idle)(void *policy);
  /* *Serialised.* Resets connection backoffs. If NULL, the engine resets those of all endpoints. */
  void (*reset_backoff)(void *policy);
  /* *Serialised.* A timer has expired. May be NULL. */
  void (*timer)(void *policy, uint64_t timer);
  /* As in `steer_picker_type`, for a `steer_publication.picker`. */
  void (*picker_free)(void *picker);
  /* As in `steer_picker_type`. Required. */
  struct steer_choice (*pick)(const void *picker, const struct steer_call *call);
  /* As in `steer_picker_type`. */
  void (*call_started)(const void *picker, uint64_t backend, void *state);
  /* As in `steer_picker_type`. */
  void (*call_finished)(const void *picker,
                        uint64_t backend,
                        void *state,
                        const struct steer_call_end *end);
  /* As in `steer_picker_type`. */
  int32_t on_fault;
  /* As in `steer_picker_type`. */
  uint32_t faults_per_minute;
} steer_policy_type;

/* --- The engine's functions for plugins ------------------------------------------------------ */

/*
 * The engine's functions for custom pickers and policies. `steer_api_get` returns this table, and
 * a plugin gets it as the argument of its `entry`. The table is static and never changes. No entry
 * is NULL.
 *
 * Threads: any, unless a function says *Serialised*. A serialised function may be called only from
 * within a serialised hook of the channel's own policy. `pick`, the hooks of calls and the hooks
 * that free something are not serialised hooks, on whichever thread they are called. Called from
 * anywhere else, a serialised function writes a line to the log, does nothing more, and returns 0
 * or an error status.
 *
 * NULL: a NULL `json` is read as `null`. With any other NULL argument a function does nothing.
 */
typedef struct steer_api {
  /* `sizeof(steer_api)`, as the engine knows it. */
  size_t struct_size;
  /* What `steer_abi_version` returns. */
  uint32_t abi_version;
  /*
   * Registers a picker type. Call it before the first channel or server is made: later, gRPC
   * does not learn of the policy, and the result is STEER_TOO_LATE. A plugin that is loaded
   * again under its name replaces the types that it registered before, for configs that are
   * parsed from then on.
   * Returns a `steer_status`; if that is not STEER_OK, `last_error` says why.
   */
  int32_t (*register_picker)(const struct steer_picker_type *kind);
  /* Registers a policy type. Otherwise as `register_picker`. */
  int32_t (*register_policy)(const struct steer_policy_type *kind);
  /*
   * Returns why the last function that returns a `steer_status` failed on this thread. Valid
   * until the next such call on this thread.
   */
  struct steer_str (*last_error)(void);
  /*
   * Makes a choice: fail the call with this gRPC status code (gRFC A54 lists those that are
   * allowed) and text, unless the call waits for ready. Only the `pick` that made a choice may
   * return it. One `pick` may make up to 16 choices and return any of them.
   */
  struct steer_choice (*fail)(int32_t code, struct steer_str message);
  /*
   * Makes a choice: fail the call even if it waits for ready, and do not retry it. Otherwise as
   * `fail`.
   */
  struct steer_choice (*drop)(int32_t code, struct steer_str message);
  /*
   * Makes a choice: send the call to the backend with this index, and follow it with
   * `call_started` and `call_finished`. `state` belongs to the picker and is passed to both.
   * Only the `pick` that made the choice may return it. If it is returned, `call_finished` is
   * called in any case; otherwise it is never called, and `state` leaks.
   */
  struct steer_choice (*complete_tracked)(uint64_t backend, void *state);
  /*
   * Reports a fault. Return the result from `pick`, or call this before another hook returns a
   * number other than 0.
   */
  struct steer_choice (*fault)(struct steer_str message);
  /* Returns the kind of a JSON value: a `steer_json_kind`. */
  int32_t (*json_kind)(const struct steer_json *json);
  /* Returns the value as JSON text. */
  struct steer_str (*json_text)(const struct steer_json *json);
  /* Returns 1 if the value is `true` or `false`, and stores 1 or 0 in `*value`. */
  int32_t (*json_bool)(const struct steer_json *json, int32_t *value);
  /* Returns 1 if the value is a number, and stores it in `*value`. */
  int32_t (*json_number)(const struct steer_json *json, double *value);
  /* Returns 1 if the value is an integer that fits, and stores it in `*value`. */
  int32_t (*json_integer)(const struct steer_json *json, int64_t *value);
  /* Returns 1 if the value is a string, and stores it in `*value`. */
  int32_t (*json_string)(const struct steer_json *json, struct steer_str *value);
  /* Returns the number of values of an array or an object; 0 for other kinds. */
  size_t (*json_size)(const struct steer_json *json);
  /* Returns the value at this index of an array or an object; NULL if there is none. */
  const struct steer_json *(*json_at)(const struct steer_json *json, size_t index);
  /* Returns the key at this index of an object. */
  struct steer_str (*json_key)(const struct steer_json *json, size_t index);
  /* Returns the value of this key of an object; NULL if there is none. */
  const struct steer_json *(*json_get)(const struct steer_json *json, struct steer_str key);
  /*
   * Reports an error of the config. `field` is the path of the field (`a.b[3]`); empty means the
   * config as a whole.
   */
  void (*config_fault)(struct steer_faults *faults, struct steer_str field, struct steer_str error);
  /*
   * Takes a reference to a list of backends, to use it longer than the picker that it was given
   * to.
   */
  void (*backends_hold)(const struct steer_backends *backends);
  /* Releases a reference of `backends_hold`. */
  void (*backends_release)(const struct steer_backends *backends);
  /*
   * Takes a reference to a channel, to use it longer than the instance and the pickers that it
   * was given to.
   */
  void (*channel_hold)(const struct steer_channel *channel);
  /* Releases a reference of `channel_hold`. */
  void (*channel_release)(const struct steer_channel *channel);
  /* Writes a line to gRPC's log; `severity` is a `steer_severity`. */
  void (*log)(const struct steer_channel *channel, int32_t severity, struct steer_str message);
  /* Returns a monotonic time: nanoseconds since an arbitrary moment. */
  uint64_t (*now)(const struct steer_channel *channel);
  /* Returns 64 random bits. */
  uint64_t (*random)(const struct steer_channel *channel);
  /*
   * *Serialised.* Starts a timer and returns its number, which is never 0 and is passed to the
   * hook `timer` when the timer expires. A timer that is started before the first update begins
   * to run with that update. Returns 0 if the channel is shutting down.
   */
  uint64_t (*timer_start)(const struct steer_channel *channel, uint64_t after_ns);
  /* *Serialised.* Cancels a timer. Cancelling one that has expired does nothing. */
  void (*timer_cancel)(const struct steer_channel *channel, uint64_t timer);
  /*
   * *Serialised.* Asks for a new picker, which is made after the current hook returns. For
   * picker types, when something other than the backends has changed.
   */
  void (*rebuild)(const struct steer_channel *channel);
  /*
   * *Serialised.* For policies, as are the functions after it. Makes an endpoint for the backend
   * at this index of the latest update. Returns its number, which is never 0 and never reused;
   * 0 if the endpoint cannot be made. The endpoint reports its state soon after, and connects
   * only when `endpoint_connect` asks for it.
   */
  uint64_t (*endpoint_new)(const struct steer_channel *channel, size_t index);
  /*
   * *Serialised.* Returns 1 if `endpoint_new` would make an identical endpoint for this index of
   * the latest update; otherwise 0.
   */
  int32_t (*endpoint_matches)(const struct steer_channel *channel, uint64_t endpoint, size_t index);
  /* *Serialised.* Asks for a connection. Does nothing if there is one or one is being made. */
  void (*endpoint_connect)(const struct steer_channel *channel, uint64_t endpoint);
  /* *Serialised.* Resets the endpoint's connection backoff. */
  void (*endpoint_reset_backoff)(const struct steer_channel *channel, uint64_t endpoint);
  /* *Serialised.* Drops the endpoint. Pickers that hold its connection keep it. */
  void (*endpoint_free)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   * *Serialised.* Publishes a state and a picker. Returns a `steer_status`:
   * STEER_INVALID_ARGUMENT if an endpoint of the publication is not READY.
   */
  int32_t (*publish)(const struct steer_channel *channel,
                     const struct steer_publication *publication);
  /* *Serialised.* Asks the resolver to resolve again. The resolver decides when. */
  void (*request_reresolution)(const struct steer_channel *channel);
} steer_api;

/* The engine's functions for policies of one's own. Any thread. Static. */
const struct steer_api *steer_api_get(void);

/* --- Plugins --------------------------------------------------------------------------------- */

/* The first eight bytes of a `steer_plugin`, as a little-endian number: "STEERLB" and 0. */
#define STEER_PLUGIN_MAGIC 18661264696104019

/*
 * A plugin exports one of these under the name `steer_plugin_block`. The engine checks it before
 * it calls `entry`. If plugin and engine do not fit together, it refuses the plugin, with an error
 * that names the facts of both. The library's constructors run earlier, when it is loaded; they
 * must not use the engine. A plugin registers its pickers and policies in `entry`.
 */
typedef struct steer_plugin {
  /* STEER_PLUGIN_MAGIC. */
  uint64_t magic;
  /* `sizeof(steer_plugin)`. */
  size_t struct_size;
  /*
   * STEER_ABI_VERSION of the header that the plugin was compiled with. It loads into an engine
   * of that version or a later one.
   */
  uint32_t abi_version;
  /* `sizeof(void *)`. */
  uint32_t pointer_size;
  /* `sizeof(steer_api)`. The plugin uses no function beyond that size. */
  size_t api_size;
  /* `sizeof(steer_picker_type)`. */
  size_t picker_type_size;
  /* `sizeof(steer_policy_type)`. */
  size_t policy_type_size;
  /* Its name, for logs and statistics: UTF-8, and not empty. */
  struct steer_str name;
  /* Its release, for logs and statistics. */
  struct steer_str version;
  /* The compiler and build that made it, for logs and statistics. */
  struct steer_str build;
  /*
   * Registers the plugin's pickers and policies by `api`, which stays valid. Returns 0, or
   * another number if it cannot, after it reported why by `steer_api.fault`. Called once each
   * time that the plugin is loaded.
   */
  int32_t (*entry)(const struct steer_api *api);
} steer_plugin;

/* --- Registering and loading ----------------------------------------------------------------- */

/*
 * Registers a kind of picker: `steer_api.register_picker`. Any thread.
 *
 * The caller guarantees: `kind` is NULL (STEER_NULL_ARGUMENT) or a table that keeps what
 * `steer_picker_type` says.
 */
steer_status steer_register_picker(const struct steer_picker_type *kind);

/*
 * Registers a kind of policy: `steer_api.register_policy`. Any thread.
 *
 * The caller guarantees: `kind` is NULL (STEER_NULL_ARGUMENT) or a table that keeps what
 * `steer_policy_type` says.
 */
steer_status steer_register_policy(const struct steer_policy_type *kind);

/*
 * Takes a plugin that is linked with the program: checks it and calls its entry. Any thread; also
 * before `main`. If that is not STEER_OK, `steer_last_error` says why, and nothing of it was
 * registered, unless it is STEER_TOO_LATE.
 *
 * The caller guarantees: `plugin` is NULL (STEER_NULL_ARGUMENT) or one that keeps what
 * `steer_plugin` says, for ever.
 */
steer_status steer_register_plugin(const struct steer_plugin *plugin);

/*
 * Loads a plugin from a shared library, which stays in the process for good. Any thread. If that
 * is not STEER_OK, `steer_last_error` says why, and nothing of it was registered, unless it is
 * STEER_TOO_LATE.
 *
 * A plugin of the same name takes the place of the one before: configs that are parsed from then
 * on use it, while channels and pickers that have the old one keep it. Its file may have another
 * path, or take the old one's place: as a new file, renamed to that path. A file that is written
 * over changes under those that use it.
 *
 * The caller guarantees: `path` is readable. Loading a library runs its code.
 */
steer_status steer_load_plugin(struct steer_str path);

/*
 * Loads the plugins whose paths stand in the environment variable STEER_PLUGINS, between ':'
 * (';' on Windows). Any thread; the second time it does nothing. When some cannot be loaded, the others are,
 * and the status is that of the first of them; `steer_last_error` names all.
 *
 * Ignores the variable in a process that has more rights than the one that started it (setuid,
 * setgid, file capabilities), as the dynamic linker ignores LD_PRELOAD there.
 *
 * The caller guarantees: Loading a library runs its code.
 */
steer_status steer_load_plugins(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* STEER_PLUGIN_H */
