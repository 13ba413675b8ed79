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

/* One channel, for one policy of it. Counted: see `steer_api.channel_hold`. */
typedef struct steer_channel steer_channel;

/* A JSON value of a config. Valid during `config_new`, with all that is got from it. */
typedef struct steer_json steer_json;

/* The faults of a config. Valid during `config_new`. */
typedef struct steer_faults steer_faults;

/* --- Backends -------------------------------------------------------------------------------- */

/*
 * A backend, as the resolver describes it. Immutable. All that it points at is valid UTF-8 and as
 * long as the `steer_backends` that it is part of.
 */
typedef struct steer_backend {
  /* `sizeof(steer_backend)`, as the engine knows it. */
  size_t struct_size;
  /* Its addresses as gRPC writes them ("ipv4:10.0.0.1:80"), in the order to try them. */
  const struct steer_str *addresses;
  /* How many; at least one. */
  size_t address_count;
  /* The weight that the resolver gave it; 0: none. */
  uint32_t weight;
  /* Where it is, as xDS names places; empty: not known. */
  struct steer_str region;
  /* See `region`. */
  struct steer_str zone;
  /* See `region`. */
  struct steer_str sub_zone;
  /* What consistent hashing should hash in place of the address; empty: the address. */
  struct steer_str hash_key;
  /* Everything else that the resolver attached, by pointer, because `steer_attribute` may grow. */
  const struct steer_attribute *const *attributes;
  /* How many. */
  size_t attribute_count;
  /* What `backend_new` of the picker's type made for these addresses; else NULL. */
  void *data;
} steer_backend;

/*
 * READY backends, in the resolver's order. Immutable, counted: `steer_api` has functions to hold
 * it longer than the picker that it was given to.
 */
typedef struct steer_backends {
  /* `sizeof(steer_backends)`, as the engine knows it. */
  size_t struct_size;
  /* The backends, by pointer, because `steer_backend` may grow. */
  const struct steer_backend *const *items;
  /* How many; at least one for pickers. */
  size_t count;
} steer_backends;

/* --- Choices --------------------------------------------------------------------------------- */

/* What a pick led to. */
enum steer_choice_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Send the call to the backend with the index `value`. */
  STEER_CHOICE_COMPLETE = 0,
  /* Let the call wait for the next picker. */
  STEER_CHOICE_QUEUE = 1,
  /* Fail the call unless it waits for ready. Made by `steer_api.fail` only. */
  STEER_CHOICE_FAIL = 2,
  /* Fail the call in any case, and do not retry it. Made by `steer_api.drop` only. */
  STEER_CHOICE_DROP = 3,
  /* COMPLETE, and tell the picker how it ends. Made by `steer_api.complete_tracked` only. */
  STEER_CHOICE_TRACKED = 4,
  /* The picker is broken. Made by `steer_api.fault` only. */
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
 * A picker's choice, small enough to come back in two registers. This struct never grows. Any
 * other than documented is a fault: the call fails with INTERNAL, and the policy goes on as round
 * robin.
 */
typedef struct steer_choice {
  /* A `steer_choice_kind`. */
  int64_t kind;
  /* With STEER_CHOICE_COMPLETE, an index into the picker's backends. Else the engine's own. */
  uint64_t value;
} steer_choice;

/*
 * What a picker wants to know of each call; what it does not ask for costs nothing. The engine
 * makes it, with zeros, for `picker_new` to fill in.
 */
typedef struct steer_wants {
  /* `sizeof(steer_wants)`, as the engine knows it. */
  size_t struct_size;
  /* An or of STEER_WANTS_…. */
  uint32_t bits;
  /* The headers that it reads, in lower case; read, and copied, when `picker_new` has returned. */
  const struct steer_str *headers;
  /* How many; at most 64. */
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
  /* It never started, or the channel gave up on it: there is no code. */
  STEER_CALL_ABANDONED = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_call_outcome steer_call_outcome;
#else
typedef int32_t steer_call_outcome;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/* What became of a tracked call. All that it points at is read during the hook only. */
typedef struct steer_call_end {
  /* `sizeof(steer_call_end)`, as the engine knows it. */
  size_t struct_size;
  /* A `steer_call_outcome`. */
  int32_t outcome;
  /* A gRPC status code, when it finished. */
  int32_t code;
  /* The status's text, when it finished. */
  struct steer_str message;
  /* Nanoseconds from its start to its end, when it finished. */
  uint64_t latency_ns;
  /* What the backend reported with it; NULL when nothing, or when the picker does not want it. */
  const struct steer_metrics *metrics;
} steer_call_end;

/* --- Configs --------------------------------------------------------------------------------- */

/* What kind of value a `steer_json` is. */
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
 * What a fault of a picker or policy leads to. It ends with another config, with a list of
 * backends that comes 10 seconds later or more, and with the plugin's next release: then the
 * policy is made anew.
 */
enum steer_on_fault
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Round robin takes the policy's place: calls go on, to any backend. */
  STEER_ON_FAULT_FALL_BACK = 0,
  /*
   * The call that meets the fault fails with INTERNAL, and the next one is the picker's again.
   * When there are more faults than `faults_per_minute`, or a serialised hook fails, all calls
   * fail: no call goes where the policy did not choose.
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
 * A kind of picker: given the READY backends, it chooses one per call, and Steer does the rest
 * (connections, states, updates, reading the config). The engine copies the table.
 *
 * Hooks return 0, or another number when they failed: what failed is then said by
 * `steer_api.fault`, and `on_fault` says what becomes of the policy. Hooks that return nothing can
 * say so, too.
 * Hooks that free are not called for NULL. Hooks must not throw and not longjmp. Hooks marked *Serialised* never overlap for one channel; those marked *Any thread* come
 * from many threads at once.
 *
 * From one to the next: a *config* is what `config_new` made; an *instance* is one channel's, so
 * that pickers can leave something to the ones after them; a *picker* is made for every change of
 * backends or config, and dies some time after it was replaced, once no pick uses it.
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
   * *Any thread.* Frees `ctx`, after all that was made of this type; also when registering
   * fails. May be NULL.
   */
  void (*ctx_free)(void *ctx);
  /*
   * *Any thread.* Reads a config: the JSON value beside the policy's name, `{}` when there is none.
   * What is wrong with it goes to `steer_api.config_fault`, every fault by its field; then the
   * config is rejected. `json` is valid during the call. NULL: there is nothing to configure, and
   * configs are NULL.
   */
  int32_t (*config_new)(void *ctx,
                        const struct steer_json *json,
                        struct steer_faults *faults,
                        void **config);
  /* *Any thread.* Frees a config, when no policy uses it any more. May be NULL. */
  void (*config_free)(void *config);
  /*
   * *Serialised.* A channel begins to use this type. `channel` is valid until the instance and
   * all its pickers are freed. NULL: the instance is `ctx`.
   */
  int32_t (*instance_new)(void *ctx, struct steer_channel *channel, void **instance);
  /* *Any thread.* Frees an instance, after its pickers. May be NULL. */
  void (*instance_free)(void *instance);
  /*
   * *Serialised.* Makes what is to be remembered of a backend, `steer_backend.data`, as long as
   * its addresses are in the channel's list: also over new pickers, lost connections and new
   * lists. `backend` is valid during the call. NULL: nothing.
   */
  int32_t (*backend_new)(void *instance, const struct steer_backend *backend, void **data);
  /*
   * *Any thread.* Frees that, when the backend has left and no picker has it any more. May be NULL.
   */
  void (*backend_free)(void *data);
  /*
   * *Serialised.* Makes a picker for these READY backends, of which there is at least one.
   * `config` and `backends` are valid until the picker is freed. `wants` is to be filled in.
   * Required.
   */
  int32_t (*picker_new)(void *instance,
                        const void *config,
                        const struct steer_backends *backends,
                        struct steer_wants *wants,
                        void **picker);
  /*
   * *Any thread*, when no pick of it is under way, and after all of its calls have ended. May be
   * NULL.
   */
  void (*picker_free)(void *picker);
  /*
   * *Any thread.* Chooses for one call. Takes no lock and allocates nothing, if it can. Required.
   */
  struct steer_choice (*pick)(const void *picker, const struct steer_call *call);
  /* *Any thread.* A call of STEER_CHOICE_TRACKED starts. May be NULL. */
  void (*call_started)(const void *picker, uint64_t backend, void *state);
  /*
   * *Any thread.* A call of STEER_CHOICE_TRACKED has ended, whether or not it ever started: the last that
   * comes of it, exactly once, and the end of `state`. Required for that choice.
   */
  void (*call_finished)(const void *picker,
                        uint64_t backend,
                        void *state,
                        const struct steer_call_end *end);
  /* *Serialised.* A timer of `steer_api.timer_start` has run out. May be NULL. */
  void (*timer)(void *instance, uint64_t timer);
  /* What a fault leads to: a `steer_on_fault`. Since version 4, as what follows. */
  int32_t on_fault;
  /*
   * So many faults of `pick`, `call_started` and `call_finished` a minute fail the calls that
   * meet them, and no more; then comes what `on_fault` says. 0: none with
   * STEER_ON_FAULT_FALL_BACK, any number with STEER_ON_FAULT_FAIL.
   */
  uint32_t faults_per_minute;
} steer_picker_type;

/* --- Custom policies ------------------------------------------------------------------------- */

/* A resolver's answer, for a policy. Valid during the hook; `endpoints` can be held longer. */
typedef struct steer_resolved {
  /* `sizeof(steer_resolved)`, as the engine knows it. */
  size_t struct_size;
  /* The policy's config, as `config_new` made it, valid until the next update. */
  const void *config;
  /* The endpoints in the resolver's order; empty when there are none. */
  const struct steer_backends *endpoints;
  /* A gRPC status code. Not 0 (OK): the resolver failed, and `endpoints` is empty. */
  int32_t code;
  /* The resolver's words for that. */
  struct steer_str message;
  /* Context for people, to be part of the status when there are no endpoints. */
  struct steer_str resolution_note;
} steer_resolved;

/* What a policy publishes: its state, and a picker for calls from now on. */
typedef struct steer_publication {
  /* `sizeof(steer_publication)`. */
  size_t struct_size;
  /* A `steer_state`. */
  int32_t state;
  /* In STEER_TRANSIENT_FAILURE: what calls fail with, a gRPC status code. */
  int32_t code;
  /* In STEER_TRANSIENT_FAILURE: its text. */
  struct steer_str message;
  /*
   * What `pick` is given, owned by the engine from now on, whatever comes. NULL: calls wait, or
   * in STEER_TRANSIENT_FAILURE fail with `code`.
   */
  void *picker;
  /*
   * The endpoints that `pick` chooses among, all of them READY: a choice's `value` is an index into this.
   */
  const uint64_t *endpoints;
  /* How many. */
  size_t endpoint_count;
  /* What the picker wants to know of each call. */
  const struct steer_wants *wants;
} steer_publication;

/*
 * A kind of policy. As `steer_picker_type`, but it decides itself which connections there are, and
 * what state they amount to: by `steer_api.endpoint_new` and the functions after it.
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
   * *Serialised.* A channel begins to use this policy. It must not ask the channel for anything
   * but log, clock and chance before its first update. Required.
   */
  int32_t (*policy_new)(void *ctx, struct steer_channel *channel, void **policy);
  /*
   * The channel is done with it, and the endpoints that it has left are dropped. Comes where the other
   * hooks come, but the channel does nothing for it any more that is marked *Serialised*. May be NULL.
   */
  void (*policy_free)(void *policy);
  /*
   * *Serialised.* The resolver has answered. Returns the gRPC status code that the resolver is to be told: 0
   * when the update was accepted. Required.
   */
  int32_t (*update)(void *policy, const struct steer_resolved *resolved);
  /*
   * *Serialised.* An endpoint's state is now this `steer_state`; `code` and `message` say why it
   * failed. Required.
   */
  void (*endpoint_report)(void *policy,
                          uint64_t endpoint,
                          int32_t state,
                          int32_t code,
                          struct steer_str message);
  /* *Serialised.* A call came while the policy was IDLE. May be NULL. */
  void (*exit_idle)(void *policy);
  /* *Serialised.* Backoffs are to be forgotten. NULL: those of all endpoints are. */
  void (*reset_backoff)(void *policy);
  /* *Serialised.* A timer has run out. May be NULL. */
  void (*timer)(void *policy, uint64_t timer);
  /* As in `steer_picker_type`, for what `steer_publication.picker` was. */
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
 * The engine's functions, for policies of one's own: from `steer_api_get`, or for a plugin with
 * its entry. Static; never changes. All functions are there, and may be called from any thread unless it
 * says *Serialised*: then only from within the serialised hooks of the channel's own policy. Hooks that
 * free something, `pick` and the hooks of calls are not among these, whichever thread they come on. Elsewhere
 * such a function does nothing but write a line to the log, and returns 0 or a status.
 * A NULL `json` is read as `null`; other NULLs lead to nothing.
 */
typedef struct steer_api {
  /* `sizeof(steer_api)`, as the engine knows it. */
  size_t struct_size;
  /* What `steer_abi_version` returns. */
  uint32_t abi_version;
  /*
   * Registers a kind of picker. Before the first channel or server, or gRPC does not hear of it
   * (STEER_TOO_LATE). A plugin that is loaded again under its name replaces what it registered before, for configs
   * that are parsed from then on.
   * Returns a `steer_status`; if that is not STEER_OK, `last_error` says why.
   */
  int32_t (*register_picker)(const struct steer_picker_type *kind);
  /* Registers a kind of policy, as `register_picker` does. */
  int32_t (*register_policy)(const struct steer_policy_type *kind);
  /* Why the last function with a `steer_status` failed on this thread. Valid until the next one. */
  struct steer_str (*last_error)(void);
  /*
   * Makes a choice: fail the call with this gRPC status code (gRFC A54 says which may be) and
   * text, unless it waits for ready. Only as what this very `pick` returns, which may make up to
   * 16 choices and return any of them.
   */
  struct steer_choice (*fail)(int32_t code, struct steer_str message);
  /* As `fail`, for calls that wait for ready too; and no retries. */
  struct steer_choice (*drop)(int32_t code, struct steer_str message);
  /*
   * Makes a choice: send the call to the backend of this index, and tell the picker by
   * `call_started` and `call_finished` how it goes. `state` is the picker's own, and is passed
   * to both. Only as what this very `pick` returns: then `call_finished` comes in any case, else
   * the state is lost.
   */
  struct steer_choice (*complete_tracked)(uint64_t backend, void *state);
  /* Says what is broken: as a choice, or before a hook returns other than 0. */
  struct steer_choice (*fault)(struct steer_str message);
  /* A JSON value's kind: a `steer_json_kind`. */
  int32_t (*json_kind)(const struct steer_json *json);
  /* The value as JSON text. */
  struct steer_str (*json_text)(const struct steer_json *json);
  /* 1 if it is `true` or `false`, which is then in `*value` as 1 or 0. */
  int32_t (*json_bool)(const struct steer_json *json, int32_t *value);
  /* 1 if it is a number, which is then in `*value`. */
  int32_t (*json_number)(const struct steer_json *json, double *value);
  /* 1 if it is a whole number that fits, which is then in `*value`. */
  int32_t (*json_integer)(const struct steer_json *json, int64_t *value);
  /* 1 if it is a string, which is then in `*value`. */
  int32_t (*json_string)(const struct steer_json *json, struct steer_str *value);
  /* How many values an array or an object has; 0 for others. */
  size_t (*json_size)(const struct steer_json *json);
  /* The value at this place of an array or an object; NULL when there is none. */
  const struct steer_json *(*json_at)(const struct steer_json *json, size_t index);
  /* The key at this place of an object. */
  struct steer_str (*json_key)(const struct steer_json *json, size_t index);
  /* The value of this key of an object; NULL when there is none. */
  const struct steer_json *(*json_get)(const struct steer_json *json, struct steer_str key);
  /*
   * Says what is wrong with a field of the config, named by its path (`a.b[3]`; empty: the
   * config as a whole).
   */
  void (*config_fault)(struct steer_faults *faults, struct steer_str field, struct steer_str error);
  /* Holds backends longer than the picker that they were given to. */
  void (*backends_hold)(const struct steer_backends *backends);
  /* Gives that up. */
  void (*backends_release)(const struct steer_backends *backends);
  /* Holds a channel longer than the instance and the pickers that it was given to. */
  void (*channel_hold)(const struct steer_channel *channel);
  /* Gives that up. */
  void (*channel_release)(const struct steer_channel *channel);
  /* Writes a line to gRPC's log; `severity` is a `steer_severity`. */
  void (*log)(const struct steer_channel *channel, int32_t severity, struct steer_str message);
  /* Nanoseconds since an arbitrary moment; never goes back. */
  uint64_t (*now)(const struct steer_channel *channel);
  /* 64 random bits. */
  uint64_t (*random)(const struct steer_channel *channel);
  /*
   * *Serialised.* Starts a timer; its number, never 0, comes with the hook `timer`. One that is
   * started before the first update begins to run with that. 0: too late.
   */
  uint64_t (*timer_start)(const struct steer_channel *channel, uint64_t after_ns);
  /* *Serialised.* Takes that back. A timer that runs out all the same does no harm. */
  void (*timer_cancel)(const struct steer_channel *channel, uint64_t timer);
  /*
   * *Serialised.* Asks for a new picker, once the hook under way is over: for picker types, when
   * something other than the backends has changed.
   */
  void (*rebuild)(const struct steer_channel *channel);
  /*
   * *Serialised.* Makes an endpoint for the one at this place of the latest update: its number,
   * never 0 and never used again. It reports its state soon after, and does not connect before
   * it is asked to. 0: it cannot be made. For policies, as are those below.
   */
  uint64_t (*endpoint_new)(const struct steer_channel *channel, size_t index);
  /*
   * *Serialised.* Whether the endpoint is the very one that `endpoint_new` would make for this
   * place of the latest update.
   */
  int32_t (*endpoint_matches)(const struct steer_channel *channel, uint64_t endpoint, size_t index);
  /* *Serialised.* Asks for a connection, when there is none and none is being made. */
  void (*endpoint_connect)(const struct steer_channel *channel, uint64_t endpoint);
  /* *Serialised.* Forgets its backoff. */
  void (*endpoint_reset_backoff)(const struct steer_channel *channel, uint64_t endpoint);
  /* *Serialised.* Drops it. Pickers keep its connection. */
  void (*endpoint_free)(const struct steer_channel *channel, uint64_t endpoint);
  /*
   * *Serialised.* Publishes. A `steer_status`: STEER_INVALID_ARGUMENT when an endpoint is not READY.
   */
  int32_t (*publish)(const struct steer_channel *channel,
                     const struct steer_publication *publication);
  /* *Serialised.* Asks the resolver to resolve again, when it sees fit. */
  void (*request_reresolution)(const struct steer_channel *channel);
} steer_api;

/* The engine's functions for policies of one's own. Any thread. Static. */
const struct steer_api *steer_api_get(void);

/* --- Plugins --------------------------------------------------------------------------------- */

/* The first eight bytes of a `steer_plugin`, as a little-endian number: "STEERLB" and 0. */
#define STEER_PLUGIN_MAGIC 18661264696104019

/*
 * A shared library that is to be loaded exports one of these by the name `steer_plugin_block`. The
 * engine checks it before it calls `entry`, and refuses the plugin, with the facts of both sides,
 * unless they fit together. Constructors of the library run before that, when it is loaded: a
 * library registers its policies in `entry`, and does nothing that depends on the engine before.
 */
typedef struct steer_plugin {
  /* STEER_PLUGIN_MAGIC. */
  uint64_t magic;
  /* `sizeof(steer_plugin)`. */
  size_t struct_size;
  /*
   * STEER_ABI_VERSION of the header that it was compiled with. It loads into an engine of that
   * version or a later one.
   */
  uint32_t abi_version;
  /* `sizeof(void *)`. */
  uint32_t pointer_size;
  /* `sizeof(steer_api)`: it uses no more of the engine's functions than that. */
  size_t api_size;
  /* `sizeof(steer_picker_type)`. */
  size_t picker_type_size;
  /* `sizeof(steer_policy_type)`. */
  size_t policy_type_size;
  /* What it is, for people: UTF-8, and not empty. */
  struct steer_str name;
  /* Its release, for people. */
  struct steer_str version;
  /* What built it, for people. */
  struct steer_str build;
  /*
   * Registers its pickers and policies by `api`, which stays valid. 0, or another number when it cannot; then
   * `steer_api.fault` says why. Called once for each time that it is loaded.
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
