/*
 * For authors of custom pickers and custom policies, and for programs that link or load them.
 * `picker.h` adds helpers for C, and `steer.hpp` is for C++.
 * Generated from src/ffi and crates/steer-abi/src; do not edit. docs/ABI.md has the rules that hold
 * for every function and struct: threads, ownership, NULLs, growth.
 *
 * The comment of each function begins with a tag for its threads. [any thread]: on any thread, also
 * on many at once. [any thread, one at a time]: on any thread, but not on two at once for one
 * object. [serialised]: for one policy, never on two threads at once: within the host's work
 * serializer.
 *
 * Contents
 *   Handles
 *     steer_channel, steer_json, steer_faults, steer_child_config
 *   Backends
 *     steer_backend, steer_backends
 *   Choices
 *     steer_choice_kind, steer_choice, steer_wants
 *   Ends of calls
 *     steer_call_outcome, steer_call_end
 *   Custom metrics
 *     steer_custom_metric, steer_counter, steer_gauge, steer_histogram
 *   Configs
 *     steer_json_kind
 *   Faults
 *     steer_on_fault
 *   Custom pickers
 *     steer_picker_type
 *   Custom policies
 *     steer_resolved, steer_child_update, steer_publication, steer_policy_type
 *   The engine's functions for plugins
 *     steer_api, steer_api_get
 *   Plugins
 *     STEER_PLUGIN_MAGIC, steer_plugin
 *   Registering and loading
 *     steer_register_picker, steer_register_policy, steer_register_plugin, steer_load_plugin,
 *     steer_load_plugins
 *   Taking over names of gRPC's policies
 *     steer_take_over, steer_take_over_environment
 */
#ifndef STEER_PLUGIN_H
#define STEER_PLUGIN_H

#include "steer/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Handles --------------------------------------------------------------------------------- */

/* One channel, for one policy of it. Reference counted: see `steer_api.channel_hold`. */
typedef struct steer_channel steer_channel;

/* A JSON value of a config. Valid during `config_new`, together with all values in it. */
typedef struct steer_json steer_json;

/* Collects the faults of a config. Valid during `config_new`. */
typedef struct steer_faults steer_faults;

/*
 * The policy of a child with its config, made by `steer_api.config_child`. Valid as long as the
 * config that it is part of.
 */
typedef struct steer_child_config steer_child_config;

/* --- Backends -------------------------------------------------------------------------------- */

/*
 * A backend, as the resolver describes it. Immutable. Everything that it points to is valid UTF-8,
 * and valid as long as the `steer_backends` that it is part of.
 */
typedef struct steer_backend {
  /* `sizeof(steer_backend)`, as the engine knows it. */
  size_t struct_size;
  /* Its addresses as gRPC writes them ("ipv4:10.0.0.1:80"), in the order to try them. */
  const struct steer_str *addresses;
  /* The number of addresses: at least one. */
  size_t address_count;
  /* Its weight from the resolver. 0: none. */
  uint32_t weight;
  /* Its region, in the terms of xDS. Empty: not known. */
  struct steer_str region;
  /* Its zone, as `region`. */
  struct steer_str zone;
  /* Its sub-zone, as `region`. */
  struct steer_str sub_zone;
  /* The key for consistent hashing. Empty: its address. */
  struct steer_str hash_key;
  /* All other attributes from the resolver. By pointer, because `steer_attribute` may grow. */
  const struct steer_attribute *const *attributes;
  /* The number of attributes. */
  size_t attribute_count;
  /* The pointer that `backend_new` of the picker type made for these addresses. NULL: none. */
  void *data;
} steer_backend;

/*
 * Backends in the resolver's order: the READY ones for pickers. Immutable and reference counted:
 * see `steer_api.backends_hold`.
 */
typedef struct steer_backends {
  /* `sizeof(steer_backends)`, as the engine knows it. */
  size_t struct_size;
  /* The backends. By pointer, because `steer_backend` may grow. */
  const struct steer_backend *const *items;
  /* The number of backends: at least one for pickers. */
  size_t count;
  /*
   * In a list for `picker_new`: all backends of the channel's list, READY or not, in the
   * resolver's order. Valid as long as this list. Otherwise NULL. This field and the next two
   * are since version 10.
   */
  const struct steer_backends *all;
  /*
   * In the list `all`: the `steer_state` of each backend, for the rules of round robin.
   * STEER_IDLE: it has not reported yet. STEER_TRANSIENT_FAILURE lasts until it is READY.
   * Otherwise NULL.
   */
  const int32_t *states;
  /*
   * In the list `all`: the index of each backend in the list for `picker_new`. SIZE_MAX: it is
   * not READY. Otherwise NULL.
   */
  const size_t *ready;
} steer_backends;

/* --- Choices --------------------------------------------------------------------------------- */

/* The kind of a choice. */
enum steer_choice_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Send the call to the backend with the index `value`. */
  STEER_CHOICE_COMPLETE = 0,
  /* Let the call wait for the next picker. */
  STEER_CHOICE_QUEUE = 1,
  /* Fail the call, unless it waits for ready. Made by `steer_api.fail` only. */
  STEER_CHOICE_FAIL = 2,
  /* Fail the call in any case, and do not retry it. Made by `steer_api.drop` only. */
  STEER_CHOICE_DROP = 3,
  /*
   * As COMPLETE, and report the call's start and end to the picker. Made by
   * `steer_api.complete_tracked` only.
   */
  STEER_CHOICE_TRACKED = 4,
  /* The picker is broken. Made by `steer_api.fault` only. */
  STEER_CHOICE_FAULT = 5,
  /*
   * Leave the call to the picker of the child with the index `value` in
   * `steer_publication.children`. Since version 10.
   */
  STEER_CHOICE_CHILD = 6,
  /*
   * As CHILD, and report the call's start and end to the picker. Made by
   * `steer_api.child_tracked` only. Since version 10.
   */
  STEER_CHOICE_CHILD_TRACKED = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_choice_kind steer_choice_kind;
#else
typedef int32_t steer_choice_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 * A picker's choice. It returns in two registers, and this struct never grows. A choice that is
 * not as documented is a fault: the call fails with INTERNAL, and `on_fault` decides about the
 * policy.
 */
typedef struct steer_choice {
  /* A `steer_choice_kind`. */
  int64_t kind;
  /*
   * With STEER_CHOICE_COMPLETE, an index into the picker's backends. With STEER_CHOICE_CHILD, an
   * index into its children. Otherwise for the engine.
   */
  uint64_t value;
} steer_choice;

/*
 * The parts of a call that a picker reads. Parts that it does not ask for cost nothing. The engine
 * makes it, with zeros, and `picker_new` fills it in.
 */
typedef struct steer_wants {
  /* `sizeof(steer_wants)`, as the engine knows it. */
  size_t struct_size;
  /* STEER_WANTS_… bits. */
  uint32_t bits;
  /* The headers that it reads, in lower case. The engine copies them after `picker_new`. */
  const struct steer_str *headers;
  /* The number of headers: at most 64. */
  size_t header_count;
} steer_wants;

/* --- Ends of calls --------------------------------------------------------------------------- */

/* How a tracked call ended. */
enum steer_call_outcome
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* It ran, and ended with `code`. */
  STEER_CALL_FINISHED = 0,
  /* It never started, or the channel gave up on it. There is no code. */
  STEER_CALL_ABANDONED = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_call_outcome steer_call_outcome;
#else
typedef int32_t steer_call_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/* The end of a tracked call. Everything that it points to is read during the hook only. */
typedef struct steer_call_end {
  /* `sizeof(steer_call_end)`, as the engine knows it. */
  size_t struct_size;
  /* A `steer_call_outcome`. */
  int32_t outcome;
  /* A gRPC status code, when the call finished. */
  int32_t code;
  /* The status's text, when the call finished. */
  struct steer_str message;
  /* The nanoseconds from its start to its end, when the call finished. */
  uint64_t latency_ns;
  /* The backend's report for the call. NULL: there is none, or the picker does not want it. */
  const struct steer_metrics *metrics;
} steer_call_end;

/* --- Custom metrics -------------------------------------------------------------------------- */

/*
 * A counter, a gauge or a histogram of a custom picker or policy, which the statistics show. It
 * has a *series* for each combination of its labels' values: see `steer_api.counter_new`. The
 * engine copies the part that it keeps.
 */
typedef struct steer_custom_metric {
  /* `sizeof(steer_custom_metric)`. */
  size_t struct_size;
  /*
   * The name: lower-case letters, digits and '_', at most 64, beginning with a letter. Name the
   * unit ("wait_seconds"). Not ending in "_total", "_count", "_sum", "_bucket", "_created" or
   * "_info", which the text for Prometheus adds.
   */
  struct steer_str name;
  /* What it measures, in one line for people. At most 200 bytes. */
  struct steer_str help;
  /* The names of its labels, as `name`. Not "channel", "policy", "child", "plugin" and "le". */
  const struct steer_str *labels;
  /* The number of labels: at most 8. */
  size_t label_count;
  /*
   * Of a histogram: the greatest value of each bucket, rising. NULL: from 0.005 to 10 in 11
   * steps, for seconds.
   */
  const double *bounds;
  /* The number of bounds: at most 64. There is one bucket more, for values above all of them. */
  size_t bound_count;
  /* The most series at one time: at most 10,000. 0: 100. */
  uint32_t most_series;
  /* 0. */
  uint32_t reserved;
} steer_custom_metric;

/*
 * A series of a counter, made by `steer_api.counter_new`. It never goes back.
 *
 * Valid until `release`, which its owner calls once, maybe after the channel has ended. Another
 * handle of the same series shares the value, which is forgotten with the last handle.
 */
typedef struct steer_counter {
  /* `sizeof(steer_counter)`, as the engine knows it. */
  size_t struct_size;
  /*
   * [any thread]
   * Adds a number. Takes no lock and allocates nothing, except when it is the thread's first
   * such function: threads add on cache lines of their own.
   */
  void (*add)(const struct steer_counter *counter, uint64_t number);
  /*
   * [any thread]
   * Gives the handle back.
   */
  void (*release)(struct steer_counter *counter);
} steer_counter;

/*
 * A series of a gauge, made by `steer_api.gauge_new`: a number that goes up and down. It lives as
 * a `steer_counter` does.
 */
typedef struct steer_gauge {
  /* `sizeof(steer_gauge)`, as the engine knows it. */
  size_t struct_size;
  /*
   * [any thread]
   * Sets the number. Takes no lock and allocates nothing.
   */
  void (*set)(const struct steer_gauge *gauge, double number);
  /*
   * [any thread]
   * Adds to the number, which begins at 0. Takes no lock and allocates nothing.
   */
  void (*add)(const struct steer_gauge *gauge, double number);
  /*
   * [any thread]
   * Gives the handle back.
   */
  void (*release)(struct steer_gauge *gauge);
} steer_gauge;

/*
 * A series of a histogram, made by `steer_api.histogram_new`: how many values were in each bucket,
 * and their sum. It lives as a `steer_counter` does.
 */
typedef struct steer_histogram {
  /* `sizeof(steer_histogram)`, as the engine knows it. */
  size_t struct_size;
  /*
   * [any thread]
   * Counts a value. Ignores infinite values and NaN. Costs as `steer_counter.add`, and O(log
   * bounds).
   */
  void (*record)(const struct steer_histogram *histogram, double value);
  /*
   * [any thread]
   * Gives the handle back.
   */
  void (*release)(struct steer_histogram *histogram);
} steer_histogram;

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
 * The effect of a fault of a picker or policy. It ends with another config, with a list of
 * backends that comes at least 10 seconds later, and with the plugin's next release. The engine
 * then makes the policy again.
 */
enum steer_on_fault
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Round robin replaces the policy. Calls continue, to any backend. */
  STEER_ON_FAULT_FALL_BACK = 0,
  /*
   * The call that meets the fault fails with INTERNAL, and the picker gets the next one. With
   * more faults than `faults_per_minute`, or when a serialised hook fails, all calls fail. So no
   * call goes to a backend that the policy did not choose.
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
 * A picker type: it chooses a READY backend for each call. Steer does the rest: connections,
 * states, updates, reading the config. The engine copies the table.
 *
 * Hooks return 0, or another number when they fail. A hook that fails reports the reason by
 * `steer_api.fault`, and `on_fault` decides about the policy. Hooks that return nothing may report
 * a fault, too. Hooks must not throw and must not longjmp. The engine does not call hooks that
 * free for NULL. Hooks with the tag `[serialised]` never overlap for one channel. Hooks with the
 * tag
 * `[any thread]` run on many threads at once.
 *
 * Terms: a *config* is the pointer that `config_new` made. An *instance* belongs to one channel,
 * so that a picker can leave data to later pickers. A *picker* is made for each change of backends
 * or config. It is freed some time after it was replaced, when no pick uses it.
 */
typedef struct steer_picker_type {
  /* `sizeof(steer_picker_type)`. */
  size_t struct_size;
  /*
   * The name in `loadBalancingConfig`: lower-case letters, digits and '_'. It begins with a
   * letter, and not with "steer_".
   */
  struct steer_str name;
  /* Passed to `config_new` and `instance_new`. */
  void *ctx;
  /*
   * [any thread]
   * Frees `ctx`, after everything that was made of this type. Also called when registering
   * fails. May be NULL.
   */
  void (*ctx_free)(void *ctx);
  /*
   * [any thread]
   * Reads a config: the JSON value beside the policy's name, or `{}` when there is none. The
   * fields that every policy takes (`attributes` and `reresolutionPeriod`) are not in it: the
   * engine acts upon them. Reports each fault by `steer_api.config_fault`, with its field. The
   * config is then rejected. The engine logs each field that was not asked for. `json` is valid
   * during the call. NULL: there is nothing to configure, and configs are NULL.
   */
  int32_t (*config_new)(void *ctx,
                        const struct steer_json *json,
                        struct steer_faults *faults,
                        void **config);
  /*
   * [any thread]
   * Frees a config, when no policy uses it. May be NULL.
   */
  void (*config_free)(void *config);
  /*
   * [serialised]
   * A channel begins to use this type. `channel` is valid until the instance and all its pickers
   * are freed. NULL: the instance is `ctx`.
   */
  int32_t (*instance_new)(void *ctx, struct steer_channel *channel, void **instance);
  /*
   * [any thread]
   * Frees an instance, after its pickers. May be NULL.
   */
  void (*instance_free)(void *instance);
  /*
   * [serialised]
   * Makes the data for a backend, `steer_backend.data`. The data lasts as long as the backend's
   * addresses are in the channel's list, also across new pickers, lost connections and new
   * lists. `backend` is valid during the call. NULL: there is no data.
   */
  int32_t (*backend_new)(void *instance, const struct steer_backend *backend, void **data);
  /*
   * [any thread]
   * Frees the data of a backend that has left, when no picker has the backend. May be NULL.
   */
  void (*backend_free)(void *data);
  /*
   * [serialised]
   * Makes a picker for these READY backends: at least one. `backends->all` has the others.
   * Called after each change of the config, of the list or of a backend's state, while any is
   * READY. `config` and `backends` are valid until the picker is freed. Fills in `wants`.
   * Required.
   */
  int32_t (*picker_new)(void *instance,
                        const void *config,
                        const struct steer_backends *backends,
                        struct steer_wants *wants,
                        void **picker);
  /*
   * [any thread]
   * Frees a picker, when no pick uses it and after all of its calls have ended. May be NULL.
   */
  void (*picker_free)(void *picker);
  /*
   * [any thread]
   * Chooses for one call. Should take no lock and allocate nothing. Required.
   */
  struct steer_choice (*pick)(const void *picker, const struct steer_call *call);
  /*
   * [any thread]
   * A call of STEER_CHOICE_TRACKED starts. May be NULL.
   */
  void (*call_started)(const void *picker, uint64_t backend, void *state);
  /*
   * [any thread]
   * A call of STEER_CHOICE_TRACKED has ended, whether it ever started or not. Comes exactly once
   * and last, and frees `state`. Required for that choice.
   */
  void (*call_finished)(const void *picker,
                        uint64_t backend,
                        void *state,
                        const struct steer_call_end *end);
  /*
   * [serialised]
   * A timer of `steer_api.timer_start` has expired. 0: `steer_api.wake` was called. May be NULL.
   */
  void (*timer)(void *instance, uint64_t timer);
  /* The effect of a fault: a `steer_on_fault`. This field and the next are since version 4. */
  int32_t on_fault;
  /*
   * How many faults of `pick`, `call_started` and `call_finished` per minute only fail the calls
   * that meet them. More faults lead to `on_fault`. 0 means none with STEER_ON_FAULT_FALL_BACK,
   * and any number with STEER_ON_FAULT_FAIL.
   */
  uint32_t faults_per_minute;
  /*
   * [serialised]
   * A backend has sent a load report out of band: see `steer_api.load_reports`. `backend` and
   * `report` are valid during the call. Since version 8. May be NULL.
   */
  void (*load_report)(void *instance,
                      const struct steer_backend *backend,
                      const struct steer_metrics *report);
} steer_picker_type;

/* --- Custom policies ------------------------------------------------------------------------- */

/* A resolver's answer, for a policy. Valid during the hook. `endpoints` can be held longer. */
typedef struct steer_resolved {
  /* `sizeof(steer_resolved)`, as the engine knows it. */
  size_t struct_size;
  /* The policy's config, as `config_new` made it. Valid until the next update. */
  const void *config;
  /* The endpoints in the resolver's order. Empty when there are none. */
  const struct steer_backends *endpoints;
  /* A gRPC status code. Not 0 (OK): the resolver failed, and `endpoints` is empty. */
  int32_t code;
  /* The resolver's text for `code`. */
  struct steer_str message;
  /* Context for people. The policy adds it to its status when there are no endpoints. */
  struct steer_str resolution_note;
} steer_resolved;

/* A child's part of an update, for `steer_api.child_update`. */
typedef struct steer_child_update {
  /* `sizeof(steer_child_update)`. */
  size_t struct_size;
  /* The child's policy and its config. */
  const struct steer_child_config *config;
  /*
   * The child's endpoints in its order, as places in the latest list. NULL, with
   * `endpoint_count` 0: all of them.
   */
  const size_t *endpoints;
  /* The number of endpoints. */
  size_t endpoint_count;
  /* A weight for each of `endpoints`. NULL: their own. */
  const uint32_t *weights;
} steer_child_update;

/* What a policy publishes: its state, and a picker for calls from now on. */
typedef struct steer_publication {
  /* `sizeof(steer_publication)`. */
  size_t struct_size;
  /* A `steer_state`. -1, with children: the state of the first one, with its code and message. */
  int32_t state;
  /* In STEER_TRANSIENT_FAILURE, the gRPC status code that calls fail with. */
  int32_t code;
  /* In STEER_TRANSIENT_FAILURE, the text for `code`. */
  struct steer_str message;
  /*
   * The picker that `pick` receives. From now on it belongs to the engine, whatever `publish`
   * returns. NULL: calls wait. In STEER_TRANSIENT_FAILURE they fail with `code`.
   */
  void *picker;
  /*
   * The endpoints that `pick` chooses among. All are READY. A choice's `value` is an index into
   * this array.
   */
  const uint64_t *endpoints;
  /* The number of endpoints. */
  size_t endpoint_count;
  /* The parts of each call that the picker reads. NULL: none. */
  const struct steer_wants *wants;
  /*
   * The children that `pick` may leave calls to, by STEER_CHOICE_CHILD and
   * `steer_api.child_tracked`: with their pickers of now. All have published something. This
   * field and the next are since version 10.
   */
  const uint64_t *children;
  /* The number of children. */
  size_t child_count;
} steer_publication;

/*
 * A policy type. As `steer_picker_type`, and it also decides which connections there are, and
 * which state they amount to, by `steer_api.endpoint_new` and the functions after it.
 */
typedef struct steer_policy_type {
  /* `sizeof(steer_policy_type)`. */
  size_t struct_size;
  /* As in `steer_picker_type`. */
  struct steer_str name;
  /* As in `steer_picker_type`. */
  void *ctx;
  /*
   * [any thread]
   * As in `steer_picker_type`.
   */
  void (*ctx_free)(void *ctx);
  /*
   * [any thread]
   * As in `steer_picker_type`.
   */
  int32_t (*config_new)(void *ctx,
                        const struct steer_json *json,
                        struct steer_faults *faults,
                        void **config);
  /*
   * [any thread]
   * As in `steer_picker_type`.
   */
  void (*config_free)(void *config);
  /*
   * [serialised]
   * A channel begins to use this policy. Before its first update the policy may use only the
   * channel's log, clock, random numbers and timers. Required.
   */
  int32_t (*policy_new)(void *ctx, struct steer_channel *channel, void **policy);
  /*
   * [serialised]
   * Frees the policy. The channel does not use it any more, and drops the endpoints that it
   * still has. Functions of `steer_api` with the tag `[serialised]`, and those that lead to a
   * hook, are refused here. May be NULL.
   */
  void (*policy_free)(void *policy);
  /*
   * [serialised]
   * The resolver has answered. Returns 0 when the policy accepts the update, otherwise the gRPC
   * status code for the resolver. Required.
   */
  int32_t (*update)(void *policy, const struct steer_resolved *resolved);
  /*
   * [serialised]
   * An endpoint's state is now this `steer_state`. `code` and `message` say why it failed.
   * Required for policies that make endpoints. Before version 10: required.
   */
  void (*endpoint_report)(void *policy,
                          uint64_t endpoint,
                          int32_t state,
                          int32_t code,
                          struct steer_str message);
  /*
   * [serialised]
   * The channel is to leave IDLE: a call waits, or the application waits for a connection. If
   * all endpoints are IDLE after it, the engine connects the one that was made first. May be
   * NULL.
   */
  void (*exit_idle)(void *policy);
  /*
   * [serialised]
   * Ends backoffs. NULL: the engine ends the backoff of each endpoint.
   */
  void (*reset_backoff)(void *policy);
  /*
   * [serialised]
   * A timer has expired. 0: `steer_api.wake` was called. May be NULL.
   */
  void (*timer)(void *policy, uint64_t timer);
  /*
   * [any thread]
   * As in `steer_picker_type`, for a `steer_publication.picker`.
   */
  void (*picker_free)(void *picker);
  /*
   * [any thread]
   * As in `steer_picker_type`. Required for policies that publish pickers. Before version 10:
   * required.
   */
  struct steer_choice (*pick)(const void *picker, const struct steer_call *call);
  /*
   * [any thread]
   * As in `steer_picker_type`.
   */
  void (*call_started)(const void *picker, uint64_t backend, void *state);
  /*
   * [any thread]
   * As in `steer_picker_type`.
   */
  void (*call_finished)(const void *picker,
                        uint64_t backend,
                        void *state,
                        const struct steer_call_end *end);
  /* As in `steer_picker_type`. */
  int32_t on_fault;
  /* As in `steer_picker_type`. */
  uint32_t faults_per_minute;
  /*
   * [serialised]
   * An endpoint has sent a load report out of band: see `steer_api.load_reports`. `report` is
   * valid during the call. Since version 8. May be NULL.
   */
  void (*load_report)(void *policy, uint64_t endpoint, const struct steer_metrics *report);
  /*
   * [serialised]
   * A child of `steer_api.child_new` has published a state and a picker, after the hook in which
   * it did. NULL: the engine publishes the same for the policy. Since version 10.
   */
  void (*child_changed)(void *policy, uint64_t child);
} steer_policy_type;

/* --- The engine's functions for plugins ------------------------------------------------------ */

/*
 * The engine's functions, for custom pickers and custom policies. `steer_api_get` returns it, and
 * a plugin's entry receives it. Static; never changes. No function pointer in it is NULL.
 *
 * Functions with the tag `[any thread]` may be called from any thread. Functions with the tag
 * `[serialised]` may be called only within the serialised hooks of the channel's own policy. The
 * hooks that free something, `pick` and the hooks of calls are never serialised hooks, whichever
 * thread they run on. Elsewhere such a function only writes a line to the log, and returns 0 or a
 * status. `wake` leads from there to a serialised hook.
 *
 * A NULL `json` counts as `null`. Functions do nothing for any other NULL.
 */
typedef struct steer_api {
  /* `sizeof(steer_api)`, as the engine knows it. */
  size_t struct_size;
  /* The number that `steer_abi_version` returns. */
  uint32_t abi_version;
  /*
   * [any thread]
   * Registers a picker type. Register before the first channel or server: later, gRPC does not
   * learn of it (STEER_TOO_LATE). A plugin that is loaded again under its name replaces what it
   * registered before, for configs that are parsed from then on.
   *
   * Returns a `steer_status`. Unless it is STEER_OK, `last_error` has the reason.
   */
  int32_t (*register_picker)(const struct steer_picker_type *kind);
  /*
   * [any thread]
   * Registers a policy type, as `register_picker` does.
   */
  int32_t (*register_policy)(const struct steer_policy_type *kind);
  /*
   * [any thread]
   * Why the last function with a `steer_status` failed on this thread. Valid until the next one.
   */
  struct steer_str (*last_error)(void);
  /*
   * [any thread]
   * Makes a choice: fail the call with this gRPC status code and text, unless the call waits for
   * ready. gRFC A54 lists the codes that are allowed. Valid only as the result of the `pick`
   * that made it. A `pick` may make up to 16 choices and return any of them.
   */
  struct steer_choice (*fail)(int32_t code, struct steer_str message);
  /*
   * [any thread]
   * As `fail`, also for calls that wait for ready, and without retries.
   */
  struct steer_choice (*drop)(int32_t code, struct steer_str message);
  /*
   * [any thread]
   * Makes a choice: send the call to the backend with this index, and report the call by
   * `call_started` and `call_finished`. Both hooks receive `state`, which belongs to the picker.
   * Valid only as the result of the `pick` that made it. If `pick` returns it, `call_finished`
   * comes in any case. Otherwise the state is lost.
   */
  struct steer_choice (*complete_tracked)(uint64_t backend, void *state);
  /*
   * [any thread]
   * Reports a fault: as the choice that `pick` returns, or before a hook returns another number
   * than 0.
   */
  struct steer_choice (*fault)(struct steer_str message);
  /*
   * [any thread]
   * Returns a JSON value's kind: a `steer_json_kind`.
   */
  int32_t (*json_kind)(const struct steer_json *json);
  /*
   * [any thread]
   * Returns the value as JSON text.
   */
  struct steer_str (*json_text)(const struct steer_json *json);
  /*
   * [any thread]
   * Returns 1 if the value is `true` or `false`, and writes 1 or 0 to `*value`.
   */
  int32_t (*json_bool)(const struct steer_json *json, int32_t *value);
  /*
   * [any thread]
   * Returns 1 if the value is a number, and writes it to `*value`.
   */
  int32_t (*json_number)(const struct steer_json *json, double *value);
  /*
   * [any thread]
   * Returns 1 if the value is a whole number that fits, and writes it to `*value`.
   */
  int32_t (*json_integer)(const struct steer_json *json, int64_t *value);
  /*
   * [any thread]
   * Returns 1 if the value is a string, and writes it to `*value`.
   */
  int32_t (*json_string)(const struct steer_json *json, struct steer_str *value);
  /*
   * [any thread]
   * Returns the number of values in an array or object. 0 for other values.
   */
  size_t (*json_size)(const struct steer_json *json);
  /*
   * [any thread]
   * Returns the value at this place of an array or object. NULL: there is none.
   */
  const struct steer_json *(*json_at)(const struct steer_json *json, size_t index);
  /*
   * [any thread]
   * Returns the key at this place of an object.
   */
  struct steer_str (*json_key)(const struct steer_json *json, size_t index);
  /*
   * [any thread]
   * Returns the value of this key of an object. NULL: there is none.
   */
  const struct steer_json *(*json_get)(const struct steer_json *json, struct steer_str key);
  /*
   * [any thread]
   * Reports what is wrong with a field of the config. `field` is the field's path, such as
   * `a.b[3]`. If it is empty, the fault is one of the whole config.
   */
  void (*config_fault)(struct steer_faults *faults, struct steer_str field, struct steer_str error);
  /*
   * [any thread]
   * Adds a reference to backends, to use them longer than the picker that they were given to.
   */
  void (*backends_hold)(const struct steer_backends *backends);
  /*
   * [any thread]
   * Gives up a reference of `backends_hold`.
   */
  void (*backends_release)(const struct steer_backends *backends);
  /*
   * [any thread]
   * Adds a reference to a channel, to use it longer than the instance and the pickers that it
   * was given to.
   */
  void (*channel_hold)(const struct steer_channel *channel);
  /*
   * [any thread]
   * Gives up a reference of `channel_hold`.
   */
  void (*channel_release)(const struct steer_channel *channel);
  /*
   * [any thread]
   * Writes a line to gRPC's log. `severity` is a `steer_severity`.
   */
  void (*log)(const struct steer_channel *channel, int32_t severity, struct steer_str message);
  /*
   * [any thread]
   * Returns the nanoseconds since an arbitrary moment. Never goes back.
   */
  uint64_t (*now)(const struct steer_channel *channel);
  /*
   * [any thread]
   * Returns 64 random bits.
   */
  uint64_t (*random)(const struct steer_channel *channel);
  /*
   * [any thread]
   * Starts a timer and returns its number, which is never 0. The hook `timer` receives the
   * number when the timer expires. A timer that is started before the first update begins to run
   * with that update. Returns 0 when it is too late. Outside of the channel's serialised hooks,
   * the timer begins to run in the host's work serializer, soon after; it counts from this call.
   * Before version 10: `[serialised]`.
   */
  uint64_t (*timer_start)(const struct steer_channel *channel, uint64_t after_ns);
  /*
   * [any thread]
   * Cancels a timer. If it expires anyway, nothing happens. Outside of the channel's serialised
   * hooks, it may still come to the hook `timer` until it is cancelled, soon after. Before
   * version 10: `[serialised]`.
   */
  void (*timer_cancel)(const struct steer_channel *channel, uint64_t timer);
  /*
   * [any thread]
   * Asks for a new picker after the current hook. For picker types, when something other than
   * the backends has changed. Outside of the channel's serialised hooks, for example at the end
   * of a call or on a thread of the application: soon after, in the host's work serializer. One
   * new picker follows, however many ask for it before. For policies, as `wake`. Before version
   * 10: `[serialised]`.
   */
  void (*rebuild)(const struct steer_channel *channel);
  /*
   * [serialised]
   * Makes an endpoint for the entry at this place of the latest update. Returns its number,
   * which is never 0 and never used again. The endpoint reports its state soon after, and does
   * not connect before `endpoint_connect`. Returns 0 when it cannot be made. For policies, as
   * all functions below.
   */
  uint64_t (*endpoint_new)(const struct steer_channel *channel, size_t index);
  /*
   * [serialised]
   * Returns whether `endpoint_new` would make exactly this endpoint for this place of the latest
   * update.
   */
  int32_t (*endpoint_matches)(const struct steer_channel *channel, uint64_t endpoint, size_t index);
  /*
   * [serialised]
   * Asks for a connection, unless there is one or one is being made.
   */
  void (*endpoint_connect)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   * [serialised]
   * Ends the endpoint's backoff.
   */
  void (*endpoint_reset_backoff)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   * [serialised]
   * Drops the endpoint. Pickers keep its connection.
   */
  void (*endpoint_free)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   * [serialised]
   * Publishes a state and a picker. Returns a `steer_status`: STEER_INVALID_ARGUMENT when one of
   * the endpoints is not READY.
   */
  int32_t (*publish)(const struct steer_channel *channel,
                     const struct steer_publication *publication);
  /*
   * [serialised]
   * Asks the resolver to resolve again. The resolver decides when.
   */
  void (*request_reresolution)(const struct steer_channel *channel);
  /*
   * [any thread]
   * Makes a series of a counter, which the statistics show from now on with the policy of this
   * channel. `channel` NULL: with the plugin whose entry runs on this thread.
   * `label_values` has a text for each label of `metric`, of at most 200 bytes. Later calls with
   * the same name and labels return another handle of the same series. Takes a lock: make series
   * before the picks that use them, in `instance_new`, `backend_new` or `picker_new`.
   *
   * Returns a `steer_status`. Unless it is STEER_OK, `last_error` has the reason, and nothing is
   * written. STEER_TOO_MANY: there are as many series as `most_series` allows.
   * STEER_INVALID_ARGUMENT: a field is out of its range, or the name is that of a metric with
   * another type.
   */
  int32_t (*counter_new)(const struct steer_channel *channel,
                         const struct steer_custom_metric *metric,
                         const struct steer_str *label_values,
                         struct steer_counter **counter);
  /*
   * [any thread]
   * Makes a series of a gauge, as `counter_new` does of a counter.
   */
  int32_t (*gauge_new)(const struct steer_channel *channel,
                       const struct steer_custom_metric *metric,
                       const struct steer_str *label_values,
                       struct steer_gauge **gauge);
  /*
   * [any thread]
   * Makes a series of a histogram, as `counter_new` does of a counter.
   */
  int32_t (*histogram_new)(const struct steer_channel *channel,
                           const struct steer_custom_metric *metric,
                           const struct steer_str *label_values,
                           struct steer_histogram **histogram);
  /*
   * [serialised]
   * Asks all backends for load reports out of band (ORCA, gRFC A51), about once in this time.
   * 0: for no more reports. They come to the hook `load_report`. Asked for before the first
   * update, they begin with that update. Backends that do not offer such reports send none, and
   * backends may send them less often. If several policies of a channel ask, the shortest time
   * counts for all. gRPC 1.46 has no such reports, and before 1.53 they have the utilizations
   * only: no `qps`, no `eps` and no `named`.
   */
  void (*load_reports)(const struct steer_channel *channel, uint64_t period_ns);
  /*
   * [any thread]
   * Asks for the hook `timer` with the number 0, soon, in the host's work serializer: once,
   * however many ask for it before. For example at the end of a call, or on a thread of the
   * application that holds the channel. Everything that the caller wrote before is visible to
   * the hook. A picker type without that hook gets a new picker. Before the first update, the
   * hook comes after that update. Returns 1 if it will come, and 0 if it is too late, or if the
   * host cannot call the policy later. Takes no lock and allocates nothing after the first
   * update, as far as the engine is concerned. The host may take a lock.
   */
  int32_t (*wake)(const struct steer_channel *channel);
  /*
   * [any thread]
   * For `config_new` of a policy: reads the policy of a child. `json` is the JSON text of a
   * list as `loadBalancingConfig` is, of which the first known entry counts. Empty or `null`:
   * round robin. `field` is its path in the config, for faults, which have the whole path of a
   * field of the child's config. Returns NULL after a fault. The result is valid as long as the
   * config, which need not free it.
   */
  const struct steer_child_config *(*config_child)(struct steer_faults *faults,
                                                   struct steer_str field,
                                                   struct steer_str json);
  /*
   * [serialised]
   * Makes a child of the policy: another policy, which is run as the policy of a channel is,
   * with its own fallback and its own place in the statistics, where people read `name`. Returns
   * its number, which is never 0 and never used again. Children end with the policy. For
   * policies, as the functions below.
   */
  uint64_t (*child_new)(const struct steer_channel *channel, struct steer_str name);
  /*
   * [serialised]
   * Gives the child its config, and its part of the latest update. Within the hook `update`, a
   * resolver's error goes to the child, too, whatever its part is. Later, it gets a part of the
   * list in use. Returns 0 if the child accepts it, otherwise a gRPC status code, and
   * `last_error` has its text: the policy's own `update` may return that code. If another config
   * names another policy, that one takes over as soon as it publishes something other than
   * CONNECTING.
   */
  int32_t (*child_update)(const struct steer_channel *channel,
                          uint64_t child,
                          const struct steer_child_update *update);
  /*
   * [serialised]
   * Returns the `steer_state` that the child has published. -1: none yet.
   */
  int32_t (*child_state)(const struct steer_channel *channel, uint64_t child);
  /*
   * [serialised]
   * Publishes what the child has published, unchanged. Returns a `steer_status`.
   */
  int32_t (*child_publish)(const struct steer_channel *channel, uint64_t child);
  /*
   * [serialised]
   * Ends the child. Its pickers live on.
   */
  void (*child_free)(const struct steer_channel *channel, uint64_t child);
  /*
   * [any thread]
   * Makes a choice: as STEER_CHOICE_CHILD, and report the call by `call_started` and
   * `call_finished`, as `complete_tracked` does. Both hooks get the place of the backend in the
   * resolver's list when the picker was published. UINT64_MAX: it was not in the list. If the
   * child sends the call to no backend, `call_finished` comes at once: the call was abandoned.
   */
  struct steer_choice (*child_tracked)(uint64_t child, void *state);
} steer_api;

/*
 * [any thread]
 * Returns the engine's functions for custom pickers and custom policies. Static.
 */
const struct steer_api *steer_api_get(void);

/* --- Plugins --------------------------------------------------------------------------------- */

/* The first eight bytes of a `steer_plugin`, as a little-endian number: "STEERLB" and 0. */
#define STEER_PLUGIN_MAGIC 18661264696104019

/*
 * A plugin. A shared library that can be loaded exports one of these with the name
 * `steer_plugin_block`. The engine checks it before it calls `entry`. If the plugin does not fit,
 * the engine refuses it with the facts of both sides. Constructors of the library run before that,
 * when it is loaded. So a library registers its policies in `entry`, and uses nothing of the
 * engine before.
 */
typedef struct steer_plugin {
  /* STEER_PLUGIN_MAGIC. */
  uint64_t magic;
  /* `sizeof(steer_plugin)`. */
  size_t struct_size;
  /*
   * STEER_ABI_VERSION of the header that it was compiled with. It loads into engines of that
   * version or a later one.
   */
  uint32_t abi_version;
  /* `sizeof(void *)`. */
  uint32_t pointer_size;
  /* `sizeof(steer_api)`: the plugin uses none of the engine's functions beyond that size. */
  size_t api_size;
  /* `sizeof(steer_picker_type)`. */
  size_t picker_type_size;
  /* `sizeof(steer_policy_type)`. */
  size_t policy_type_size;
  /* Its name, for people: UTF-8, and not empty. */
  struct steer_str name;
  /* Its release, for people. */
  struct steer_str version;
  /* The compiler and options that built it, for people. */
  struct steer_str build;
  /*
   * [any thread]
   * Registers its pickers and policies by `api`, which stays valid. Returns 0, or another number
   * when it fails. `steer_api.fault` then has the reason. Called once each time the plugin is
   * registered or loaded.
   */
  int32_t (*entry)(const struct steer_api *api);
} steer_plugin;

/* --- Registering and loading ----------------------------------------------------------------- */

/*
 * [any thread]
 * Registers a picker type, as `steer_api.register_picker` does.
 *
 * The caller guarantees: `kind` is NULL (STEER_NULL_ARGUMENT) or a table whose hooks do what
 * `steer_picker_type` documents.
 */
steer_status steer_register_picker(const struct steer_picker_type *kind);

/*
 * [any thread]
 * Registers a policy type, as `steer_api.register_policy` does.
 *
 * The caller guarantees: `kind` is NULL (STEER_NULL_ARGUMENT) or a table whose hooks do what
 * `steer_policy_type` documents.
 */
steer_status steer_register_policy(const struct steer_policy_type *kind);

/*
 * [any thread]
 * Registers a plugin that is linked with the program: checks it and calls its entry. Works before
 * `main`, too. Unless it returns STEER_OK, `steer_last_error` has the reason. Except with
 * STEER_TOO_LATE, nothing of the plugin was then registered.
 *
 * The caller guarantees: `plugin` is NULL (STEER_NULL_ARGUMENT) or a plugin as `steer_plugin`
 * documents, and is never freed.
 */
steer_status steer_register_plugin(const struct steer_plugin *plugin);

/*
 * [any thread]
 * Loads a plugin from a shared library, which stays in the process. Unless it returns STEER_OK,
 * `steer_last_error` has the reason. Except with STEER_TOO_LATE, nothing of the plugin was then
 * registered.
 *
 * A plugin replaces an earlier one of the same name: configs that are parsed from then on use it.
 * Channels and pickers that have the old one keep it. The new file may have another path. It may
 * also have the old file's path: rename a new file to that path. Never write over a loaded file,
 * because that changes the code that runs.
 *
 * The caller guarantees: `path` is readable. Loading a library runs its code.
 */
steer_status steer_load_plugin(struct steer_str path);

/*
 * [any thread]
 * Loads the plugins whose paths are in the environment variable STEER_PLUGINS, separated by ':'
 * (';' on Windows). The second call does nothing. If some cannot be loaded, loads the others,
 * returns the first status, and `steer_last_error` names all that failed.
 *
 * Ignores the variable in a process that has more rights than the process that started it (setuid,
 * setgid, file capabilities), as the dynamic linker ignores LD_PRELOAD there.
 *
 * The caller guarantees: Loading a library runs its code.
 */
steer_status steer_load_plugins(void);

/* --- Taking over names of gRPC's policies ---------------------------------------------------- */

/*
 * [any thread]
 * Lets policies take over names of gRPC's own policies: where a service config, a channel or
 * another policy names `round_robin`, the policy runs that took the name. `docs/take-over.md` says
 * which names can be taken over, and which configs are understood.
 *
 * `settings` is a list such as `round_robin=steer_peak_ewma{"decayTime":"5s"},ring_hash=mine`.
 * Call it before the first channel or server. It takes effect if `steer::Register()` was called,
 * before or after, or if libsteer-grpc-autoregister.so is loaded. STEER_CANNOT_TAKE_OVER: a
 * setting is refused. STEER_TOO_LATE: gRPC does not accept this any more, or is older than 1.50.
 * With both, none of the names was taken over, and `steer_last_error` says what to do.
 *
 * The environment variable STEER_TAKE_OVER, which is read first, has the same form. A name that is
 * set there stays as it is, and `round_robin=round_robin` there leaves that name to gRPC.
 *
 * The caller guarantees: `settings` is readable.
 */
steer_status steer_take_over(struct steer_str settings);

/*
 * [any thread]
 * Takes over the names that the environment variable STEER_TAKE_OVER sets. Loads the plugins of
 * STEER_PLUGINS first, because their policies may take names over. Later calls return the result
 * of the first one. The statuses are those of `steer_take_over`.
 *
 * Ignores the variable in a process that has more rights than the process that started it, as
 * `steer_load_plugins` ignores its own.
 */
steer_status steer_take_over_environment(void);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* STEER_PLUGIN_H */
