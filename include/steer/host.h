/*
 * For hosts, which drive the engine: the shim for gRPC C++, test programs. Programs read the
 * statistics with it, too. `host.hpp` is for hosts in C++.
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
 *     steer_config, steer_policy, steer_picker, steer_call_tracker
 *   Configs
 *     steer_policy_name, steer_taken_name, steer_config_parse, steer_config_free
 *   Picks
 *     steer_pick_kind, steer_picked, steer_pick_failure
 *   Pickers
 *     steer_picker_wants, steer_picker_pick, steer_picker_free
 *   Tracked calls
 *     steer_call_finish, steer_call_tracker_connection, steer_call_tracker_wants,
 *     steer_call_tracker_start, steer_call_tracker_finish, steer_call_tracker_free
 *   The host's callbacks
 *     STEER_HOST_LACKS_LOAD_QPS, STEER_HOST_WORDS_NOTE_IN_BRACKETS, STEER_HOST_WORDS_ENDPOINTS,
 *     steer_host
 *   Updates and reports
 *     steer_endpoint, steer_update, steer_endpoint_report
 *   Policies
 *     steer_policy_new, steer_policy_update, steer_policy_endpoint_report,
 *     steer_policy_endpoint_load, steer_policy_exit_idle, steer_policy_reset_backoff,
 *     steer_policy_timer, steer_policy_run, steer_policy_faults, steer_policy_fallback,
 *     steer_policy_free
 *   Statistics
 *     steer_stats_json, steer_stats_prometheus, steer_stats_track_calls
 *   Several engines in one process
 *     steer_engine, steer_engine_lead, steer_engine_follow
 */
#ifndef STEER_HOST_H
#define STEER_HOST_H

#include "steer/base.h"
#include "steer/plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

/* --- Handles --------------------------------------------------------------------------------- */

/* A policy's config, parsed and checked. Immutable; any number of policies may use it. */
typedef struct steer_config steer_config;

/*
 * One policy of one channel. The host serialises the calls of its functions (gRPC: by the
 * channel's work serializer). They may be called within the host's callbacks, and then take effect
 * when the current call ends. Except `steer_policy_update`: its comment lists the callbacks in
 * which it is refused.
 */
typedef struct steer_policy steer_policy;

/* Chooses a backend for each call. Immutable: many threads may pick at once. */
typedef struct steer_picker steer_picker;

/* Reports one call to its picker. Used by one thread at a time. */
typedef struct steer_call_tracker steer_call_tracker;

/* --- Configs --------------------------------------------------------------------------------- */

/*
 * [any thread]
 * Writes the name of a policy to `*name`, which the caller frees. `index` counts from 0, in
 * alphabetical order. STEER_UNKNOWN_POLICY: there are not that many policies.
 *
 * The caller guarantees: `name` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_policy_name(size_t index, struct steer_string **name);

/*
 * [any thread]
 * Writes a name that is taken over to `*name`, and the policy that took it to `*policy`. The
 * caller frees both. `index` counts from 0, in alphabetical order. STEER_UNKNOWN_POLICY: there are
 * not that many. A host makes a factory for each name, parses its configs by
 * `steer_config_parse` with that name, and makes its policies by `steer_policy_new` with the
 * policy's.
 *
 * The caller guarantees: `name` and `policy` are NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_taken_name(size_t index,
                              struct steer_string **name,
                              struct steer_string **policy);

/*
 * [any thread]
 * Parses and checks a policy's config.
 *
 * `json` is the value beside the policy's name in `loadBalancingConfig`, as JSON text. An empty
 * text, `null` and `{}` mean the defaults. Unknown fields are ignored. The first policy that gets
 * the config names them in the log.
 *
 * With a name that is taken over (`steer_taken_name`), the result is a config of the policy that
 * took it.
 *
 * On success the caller owns `*config`. STEER_UNKNOWN_POLICY: there is no policy of this name.
 * STEER_INVALID_CONFIG: the text is not JSON, or a field is wrong. `steer_last_error` then lists
 * each fault with its field path. `error` is for callers that were compiled before version 9, and
 * may be NULL: with these two statuses `*error` is a copy of the same text, which the caller
 * frees.
 *
 * The caller guarantees: `policy_name` and `json` are readable; `config` is NULL
 * (STEER_NULL_ARGUMENT) or can be written to; `error` is NULL or can be written to.
 */
steer_status steer_config_parse(struct steer_str policy_name,
                                struct steer_str json,
                                struct steer_config **config,
                                struct steer_string **error);

/*
 * [any thread]
 * Frees a config. Does nothing for NULL. Policies that use the config keep what they need.
 *
 * The caller guarantees: `config` is NULL or came from `steer_config_parse` and is not freed;
 * nobody uses it during or after this call.
 */
void steer_config_free(struct steer_config *config);

/* --- Picks ----------------------------------------------------------------------------------- */

/* The result of a pick. */
enum steer_pick_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Send the call over the connection in `value`. */
  STEER_PICK_COMPLETE = 0,
  /* Let the call wait for the next picker. */
  STEER_PICK_QUEUE = 1,
  /* Fail the call with the `steer_pick_failure` in `value`, unless it waits for ready. */
  STEER_PICK_FAIL = 2,
  /* Fail the call with the `steer_pick_failure` in `value` in any case, and do not retry it. */
  STEER_PICK_DROP = 3,
  /*
   * Send the call over the connection of the `steer_call_tracker` in `value`, and report the
   * call's start and end to the tracker.
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

/* The result of a pick. It returns in two registers, and this struct never grows. */
typedef struct steer_picked {
  /*
   * A `steer_pick_kind`. Below 0: an argument was wrong, and this is minus a `steer_status`. As
   * wide as a register: compilers would combine two narrower fields in memory.
   */
  int64_t kind;
  /*
   * With STEER_PICK_COMPLETE, the connection: the host's handle, as it came with the endpoint's
   * report. Valid as long as the picker. With STEER_PICK_FAIL and STEER_PICK_DROP, a pointer to
   * a `const steer_pick_failure`. Valid until this thread's next call of `steer_picker_pick`,
   * and not longer than the picker. With STEER_PICK_TRACKED, a `steer_call_tracker`, which the
   * host frees. Otherwise NULL.
   */
  void *value;
} steer_picked;

/* Why a pick fails or drops its call. */
typedef struct steer_pick_failure {
  /* `sizeof(steer_pick_failure)`, as the engine knows it. */
  size_t struct_size;
  /* A gRPC status code that a data plane may produce (gRFC A54). */
  int32_t code;
  /* The text for people. */
  struct steer_str message;
} steer_pick_failure;

/* --- Pickers --------------------------------------------------------------------------------- */

/*
 * [any thread]
 * Returns which parts of each call the picker reads: STEER_WANTS_… bits. They never change. 0 for
 * NULL.
 *
 * The caller guarantees: `picker` is NULL or came with `update_state` and is not freed.
 */
uint32_t steer_picker_wants(const struct steer_picker *picker);

/*
 * [any thread]
 * Chooses a backend for one call.
 *
 * `call` may be NULL when the picker wants nothing. A fault of the policy is not an error here:
 * the pick fails with INTERNAL (13), and the policy's author chooses what happens to the policy.
 *
 * The caller guarantees: `picker` is NULL (STEER_NULL_ARGUMENT) or came with `update_state` and is
 * not freed; `call` is NULL or readable, and so is the memory that it points to.
 */
struct steer_picked steer_picker_pick(const struct steer_picker *picker,
                                      const struct steer_call *call);

/*
 * [any thread]
 * Frees a picker, when no pick uses it. Does nothing for NULL. `connection_free` comes within this
 * call for connections that nothing else holds.
 *
 * The caller guarantees: `picker` is NULL or came with `update_state` and is not freed; nobody uses
 * it during or after this call.
 */
void steer_picker_free(struct steer_picker *picker);

/* --- Tracked calls --------------------------------------------------------------------------- */

/* The end of a call, as the host knows it. */
typedef struct steer_call_finish {
  /* `sizeof(steer_call_finish)`. */
  size_t struct_size;
  /* A gRPC status code. */
  int32_t code;
  /* The status's text. */
  struct steer_str message;
  /*
   * The trailer `endpoint-load-metrics-bin`: a serialised `xds.data.orca.v3.OrcaLoadReport`.
   * Empty: there was none. Needed when the picker wants STEER_WANTS_METRICS.
   */
  struct steer_str metrics;
  /*
   * The same report, if the host has it decoded only. NULL: there was none. Read if `metrics` is
   * empty. Since ABI version 6.
   */
  const struct steer_metrics *report;
} steer_call_finish;

/*
 * [any thread]
 * Returns the connection to send the call over. Valid as long as the picker that chose it, as
 * after STEER_PICK_COMPLETE. A host that needs the connection longer takes a reference right after
 * the pick. It must not rely on the tracker to hold one. NULL for NULL.
 *
 * The caller guarantees: `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed.
 */
void *steer_call_tracker_connection(const struct steer_call_tracker *tracker);

/*
 * [any thread]
 * Returns which parts of the call's end are read: 0 or STEER_WANTS_METRICS. 0 for NULL.
 *
 * The caller guarantees: `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed.
 */
uint32_t steer_call_tracker_wants(const struct steer_call_tracker *tracker);

/*
 * [any thread, one at a time]
 * Reports that the call starts: once, after the pick. Does nothing for NULL.
 *
 * The caller guarantees: `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed; no
 * other thread uses it now.
 */
void steer_call_tracker_start(struct steer_call_tracker *tracker);

/*
 * [any thread, one at a time]
 * Reports that the call has ended: once. Does nothing for NULL. Reads `finish` during the call.
 *
 * The caller guarantees: `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed; no
 * other thread uses it now; `finish` is NULL (nothing is done) or readable, and so is the memory
 * that it points to.
 */
void steer_call_tracker_finish(struct steer_call_tracker *tracker,
                               const struct steer_call_finish *finish);

/*
 * [any thread, one at a time]
 * Frees a tracker. Does nothing for NULL. A call that has not ended counts as abandoned.
 * `connection_free` may come within this call, if nothing else holds the connection.
 *
 * The caller guarantees: `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed; nobody
 * uses it during or after this call.
 */
void steer_call_tracker_free(struct steer_call_tracker *tracker);

/* --- The host's callbacks -------------------------------------------------------------------- */

/*
 * A bit of `steer_host.lacks`: the reports of `load_reports` are without calls per second. gRPC
 * before 1.53 does not read those. Policies that need them use the reports that come with calls.
 */
#define STEER_HOST_LACKS_LOAD_QPS 1

/*
 * A bit of `steer_host.words`: the resolution note stands in brackets behind the text of each
 * failure, as in gRPC 1.70 and later. Otherwise only the text about an empty list has it.
 */
#define STEER_HOST_WORDS_NOTE_IN_BRACKETS 1

/*
 * A bit of `steer_host.words`: texts say "endpoint", not "subchannel", and endpoints report a
 * failure without the name of its code. gRPC does so from 1.60 on, where an endpoint is a
 * pick_first child.
 */
#define STEER_HOST_WORDS_ENDPOINTS 2

/*
 * The host's callbacks for one policy. The engine copies the table.
 *
 * Callbacks must not throw and must not longjmp. Callbacks with the tag `[serialised]` come only
 * within calls of the engine's functions for this policy, which the host serialises, and never
 * after `steer_policy_free`. They may call the engine for the same policy. Such calls take effect
 * when the current one ends. Callbacks with the tag `[any thread]` come from any thread, also
 * concurrently, as long as anything of the policy exists.
 */
typedef struct steer_host {
  /* `sizeof(steer_host)`. */
  size_t struct_size;
  /* Passed to every callback. */
  void *ctx;
  /*
   * [any thread]
   * Frees `ctx`. The last callback: comes when the policy, its pickers and its connections are
   * gone. May be NULL.
   */
  void (*ctx_free)(void *ctx);
  /*
   * [serialised]
   * Makes an endpoint for the `index`th endpoint of the latest update, and stores the host's
   * handle for it in `*handle`. The host reports its states with the number `endpoint`. The
   * endpoint must not connect before `endpoint_connect`. Returns STEER_OK, or another status
   * when the endpoint cannot be made. The engine then leaves it out. Required.
   */
  int32_t (*endpoint_new)(void *ctx, uint64_t endpoint, uint32_t index, void **handle);
  /*
   * [serialised]
   * Returns whether `endpoint_new` would make the same endpoint for the `index`th endpoint of
   * the latest update: the same addresses, attributes and channel args. 0: no. NULL: the engine
   * compares the descriptions of the updates.
   */
  int32_t (*endpoint_matches)(void *ctx, void *handle, uint32_t index);
  /*
   * [serialised]
   * Asks for a connection, unless there is one or one is being made. Required.
   */
  void (*endpoint_connect)(void *ctx, void *handle);
  /*
   * [serialised]
   * Ends the endpoint's backoff. May be NULL.
   */
  void (*endpoint_reset_backoff)(void *ctx, void *handle);
  /*
   * [serialised]
   * Drops the endpoint. Pickers may still hold its connection. Required.
   */
  void (*endpoint_free)(void *ctx, void *handle);
  /*
   * [any thread]
   * Gives back a reference that came with a report of STEER_READY. Comes within the function
   * that drops the last reference: `steer_picker_free`, `steer_call_tracker_free`, serialised
   * calls for the policy, or `steer_stats_…`. Also comes after `steer_policy_free`. If the host
   * may release connections only where it serialises its calls, it takes the connection there
   * itself. Required.
   */
  void (*connection_free)(void *ctx, void *connection);
  /*
   * [serialised]
   * Publishes the policy's state, a `steer_state`, and the picker for calls from now on. The
   * host frees the picker. `code` and `message` are OK and empty, except in
   * STEER_TRANSIENT_FAILURE. The message is valid during the call. Required.
   */
  void (*update_state)(void *ctx,
                       int32_t state,
                       int32_t code,
                       struct steer_str message,
                       struct steer_picker *picker);
  /*
   * [serialised]
   * Asks the resolver to resolve again. The resolver decides when. Required.
   */
  void (*request_reresolution)(void *ctx);
  /*
   * [any thread]
   * Asks for a serialised call of `steer_policy_run` soon, and not within this callback. May
   * come within a pick. May come after `steer_policy_free`, and the host then ignores it. NULL:
   * a picker that panicked is not replaced before the next update.
   */
  void (*run_later)(void *ctx);
  /*
   * [serialised]
   * Asks for a serialised call of `steer_policy_timer` with this number after `after_ns`
   * nanoseconds, and not within this callback. NULL: timers never expire.
   */
  void (*timer_start)(void *ctx, uint64_t timer, uint64_t after_ns);
  /*
   * [serialised]
   * Cancels a timer. If it expires anyway, nothing happens. May be NULL.
   */
  void (*timer_cancel)(void *ctx, uint64_t timer);
  /*
   * [any thread]
   * Returns the nanoseconds since an arbitrary moment. Never goes back. NULL: the engine uses
   * the system's monotonic clock.
   */
  uint64_t (*now)(void *ctx);
  /*
   * [any thread]
   * Returns 64 random bits. NULL: the engine uses its own generator.
   */
  uint64_t (*random)(void *ctx);
  /*
   * [any thread]
   * Writes a line to the log. `severity` is a `steer_severity`. The message is valid during the
   * call. NULL: the engine logs nothing.
   */
  void (*log)(void *ctx, int32_t severity, struct steer_str message);
  /*
   * [serialised]
   * From now on endpoints report their backends' load out of band (ORCA) about every `period_ns`
   * nanoseconds, by `steer_policy_endpoint_load`. 0: they do not. `endpoint_matches` returns 0
   * for an endpoint that exists and whose reports the host cannot change. The engine calls it
   * then, whatever `steer_update.made_with` says. Comes before an update's endpoints are made.
   * NULL: there are no such reports.
   */
  void (*load_reports)(void *ctx, uint64_t period_ns);
  /* What this host cannot do: the sum of STEER_HOST_… bits. */
  uint64_t lacks;
  /*
   * [serialised]
   * As `endpoint_new`, for another connection to the same backend. `connection` numbers these
   * from 1 on; `endpoint_new` makes the first. Endpoints of different numbers share no
   * connection. NULL: `connectionsPerBackend` in a config has no effect.
   */
  int32_t (*endpoint_new_connection)(void *ctx,
                                     uint64_t endpoint,
                                     uint32_t index,
                                     uint32_t connection,
                                     void **handle);
  /*
   * How the host's own policies word failures, so that the engine's say the same: the sum of
   * STEER_HOST_WORDS_… bits. 0: as gRPC 1.51.
   */
  uint64_t words;
  /*
   * A number for the policy's channel, for the statistics: all policies of one channel have the
   * same one. Another channel may have it when the engine has no policy with it any more. 0: the
   * policy is its channel's only one.
   */
  uint64_t channel;
} steer_host;

/* --- Updates and reports --------------------------------------------------------------------- */

/*
 * An endpoint, as the resolver describes it. Everything that it points to is read during the call
 * only.
 */
typedef struct steer_endpoint {
  /* `sizeof(steer_endpoint)`. The same in all elements of an array. */
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
  /* All other attributes from the resolver. */
  const struct steer_attribute *attributes;
  /* The number of attributes. */
  size_t attribute_count;
} steer_endpoint;

/* A resolver's answer. Everything that it points to is read during the call only. */
typedef struct steer_update {
  /* `sizeof(steer_update)`. */
  size_t struct_size;
  /* The policy's config. NULL: the defaults. It may be freed after the call. */
  const struct steer_config *config;
  /*
   * The endpoints, in the resolver's order. May be NULL when there are none. This array is the
   * list, unless `former` describes the list. `endpoint_new` and `endpoint_matches` name places
   * in the list until the next update with `code` 0.
   */
  const struct steer_endpoint *endpoints;
  /* The number of elements of `endpoints`. */
  size_t endpoint_count;
  /* A gRPC status code. Not 0 (OK): the resolver failed, and `endpoints` is not read. */
  int32_t code;
  /* The resolver's text for `code`. */
  struct steer_str message;
  /* Context for people. Becomes part of the status when there are no endpoints. */
  struct steer_str resolution_note;
  /* The channel's target, such as "dns:///greeter:50051", for people. May be empty. */
  struct steer_str target;
  /*
   * Says which endpoints were in the former list, so that `endpoints` need not describe them
   * again. Not NULL when `former_count` is not 0. The former list is that of the latest update
   * with `code` 0 that returned STEER_OK. The `i`th endpoint of this list equals the
   * `former[i]`th one of the former list in every respect. Where `former[i]` is UINT32_MAX, it
   * is the next one of `endpoints`. The engine still calls `endpoint_matches` for each.
   * STEER_INVALID_ARGUMENT: the former list has no such endpoint, or the number of UINT32_MAX is
   * not `endpoint_count`.
   */
  const uint32_t *former;
  /* The number of endpoints in the whole list. 0: `endpoints` is the list. */
  size_t former_count;
  /*
   * The host's number for everything else that `endpoint_new` makes endpoints with, such as
   * channel args. Other args have another number. The engine does not call `endpoint_matches`
   * for an endpoint that `former` names and that was made, or matched, with this number. 0: the
   * engine calls it for all.
   */
  uint64_t made_with;
  /* The xDS cluster whose backends the endpoints are, for people. Empty: there is none. */
  struct steer_str cluster;
} steer_update;

/* A host's report about an endpoint. */
typedef struct steer_endpoint_report {
  /* `sizeof(steer_endpoint_report)`. */
  size_t struct_size;
  /* A `steer_state`. */
  int32_t state;
  /* In STEER_TRANSIENT_FAILURE, the gRPC status code of the failure. */
  int32_t code;
  /* In STEER_TRANSIENT_FAILURE, the text that users see. Read during the call only. */
  struct steer_str message;
  /*
   * In STEER_READY, and only then, the connection that pickers complete with. Not NULL. The
   * engine takes one reference, and gives it back through `connection_free`.
   */
  void *connection;
} steer_endpoint_report;

/* --- Policies -------------------------------------------------------------------------------- */

/*
 * [any thread]
 * Makes a policy.
 *
 * On success the caller owns `*policy`, and `host->ctx` belongs to the policy until `ctx_free`.
 * STEER_UNKNOWN_POLICY, STEER_MISSING_CALLBACK: nothing was made, and the caller still owns `ctx`.
 * No callback comes before the first update.
 *
 * The caller guarantees: `name` is readable; `host` is NULL (STEER_NULL_ARGUMENT) or a table whose
 * callbacks do what `steer_host` documents; `policy` is NULL (STEER_NULL_ARGUMENT) or can be
 * written to.
 */
steer_status steer_policy_new(struct steer_str name,
                              const struct steer_host *host,
                              struct steer_policy **policy);

/*
 * [serialised]
 * Gives a resolver's answer to the policy.
 *
 * With STEER_OK, `*code` is 0 when the policy accepted the update, and `*message` is NULL.
 * Otherwise `*code` is the gRPC status code for the resolver, and `*message` its text, which the
 * caller frees. `code` and `message` may be NULL. With STEER_WRONG_CONFIG and the statuses about
 * arguments, the policy ignores the update. STEER_INVALID_ARGUMENT also within `endpoint_new` and
 * `endpoint_matches`, because these refer to the list of the current update.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and
 * is not freed; `update` is NULL (STEER_NULL_ARGUMENT) or readable, and so is the memory that it
 * points to; `code` and `message` are NULL or can be written to.
 */
steer_status steer_policy_update(struct steer_policy *policy,
                                 const struct steer_update *update,
                                 int32_t *code,
                                 struct steer_string **message);

/*
 * [serialised]
 * Reports an endpoint's state. The first report has the endpoint's state, and later ones report
 * each change.
 *
 * STEER_UNKNOWN_ENDPOINT: the endpoint was dropped, and nothing was done. STEER_INVALID_ARGUMENT:
 * there is no such state, or STEER_READY comes without a connection. The engine gives the report's
 * connection back also with these two statuses. With STEER_NULL_ARGUMENT and STEER_BAD_STRUCT_SIZE
 * the caller keeps the connection.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and
 * is not freed; `report` is NULL (STEER_NULL_ARGUMENT) or readable; its connection is a reference
 * that belongs to the engine from now on.
 */
steer_status steer_policy_endpoint_report(struct steer_policy *policy,
                                          uint64_t endpoint,
                                          const struct steer_endpoint_report *report);

/*
 * [serialised]
 * Reports an endpoint's load that came out of band (ORCA), as `load_reports` has asked.
 *
 * STEER_UNKNOWN_ENDPOINT: the endpoint was dropped, or its policy takes no reports.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and
 * is not freed; `metrics` is NULL (STEER_NULL_ARGUMENT) or readable, and so is the memory that it
 * points to.
 */
steer_status steer_policy_endpoint_load(struct steer_policy *policy,
                                        uint64_t endpoint,
                                        const struct steer_metrics *metrics);

/*
 * [serialised]
 * Leaves IDLE, for policies that connect lazily.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and
 * is not freed.
 */
steer_status steer_policy_exit_idle(struct steer_policy *policy);

/*
 * [serialised]
 * Ends the backoff of each endpoint.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and
 * is not freed.
 */
steer_status steer_policy_reset_backoff(struct steer_policy *policy);

/*
 * [serialised]
 * Reports that a timer of `timer_start` has expired. Ignores the numbers of unknown and cancelled
 * timers.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and
 * is not freed.
 */
steer_status steer_policy_timer(struct steer_policy *policy, uint64_t timer);

/*
 * [serialised]
 * Does the work for which `run_later` asked.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and
 * is not freed.
 */
steer_status steer_policy_run(struct steer_policy *policy);

/*
 * [serialised]
 * Writes the number of faults of the policy and its pickers to `*faults`.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and
 * is not freed; `faults` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_policy_faults(struct steer_policy *policy, uint64_t *faults);

/*
 * [serialised]
 * Writes to `*why` why a fallback replaces the policy. The caller frees the text. NULL: no
 * fallback replaces it. Since version 4.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or came from `steer_policy_new` and
 * is not freed; `why` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_policy_fallback(struct steer_policy *policy, struct steer_string **why);

/*
 * [serialised]
 * Shuts a policy down and frees it. May be called within one of its callbacks. Does nothing for
 * NULL. Drops the policy's endpoints at once. Its pickers stay valid, with their connections.
 *
 * The caller guarantees: `policy` is NULL or came from `steer_policy_new` and is not freed; nobody
 * uses it after this call.
 */
void steer_policy_free(struct steer_policy *policy);

/* --- Statistics ------------------------------------------------------------------------------ */

/*
 * [any thread]
 * Writes the statistics of this process to `*text`, as JSON: its policies, their backends and
 * calls. The caller frees the text. Takes time that grows with the number of backends, and does
 * not delay picks.
 *
 * `docs/statistics.md` lists the fields. Later versions may add fields. Existing fields keep their
 * meaning.
 *
 * The caller guarantees: `text` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_stats_json(struct steer_string **text);

/*
 * [any thread]
 * As `steer_stats_json`, in the OpenMetrics text format. Prometheus scrapes it with the content
 * type "application/openmetrics-text; version=1.0.0; charset=utf-8".
 *
 * The caller guarantees: `text` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_stats_prometheus(struct steer_string **text);

/*
 * [any thread]
 * With another number than 0, pickers that are made from now on track calls for the statistics.
 * Some policies track calls in any case. The default is 0, or 1 with STEER_STATS=calls in the
 * environment.
 *
 * `docs/statistics.md` has the cost of a tracked call. With 0, picks cost nothing more.
 */
void steer_stats_track_calls(int32_t on);

/* --- Several engines in one process ---------------------------------------------------------- */

/*
 * One engine, for the other copies of Steer in its process. Static. No function pointer in it is
 * NULL. Each function concerns this engine alone, and does what the function of its name does.
 */
typedef struct steer_engine {
  /* `sizeof(steer_engine)`, as this engine knows it. */
  size_t struct_size;
  /* The number that `steer_abi_version` returns. */
  uint32_t abi_version;
  /* 0. */
  uint32_t reserved;
  /* The text that `steer_version` returns. */
  struct steer_str version;
  /* The path of the library or program that contains the engine. */
  struct steer_str place;
  /* The table that `steer_api_get` returns. */
  const struct steer_api *api;
  /*
   * [any thread]
   * As `steer_register_plugin`.
   */
  int32_t (*register_plugin)(const struct steer_plugin *plugin);
  /*
   * [any thread]
   * As `steer_register_picker`.
   */
  int32_t (*register_picker)(const struct steer_picker_type *kind);
  /*
   * [any thread]
   * As `steer_register_policy`.
   */
  int32_t (*register_policy)(const struct steer_policy_type *kind);
  /*
   * [any thread]
   * As `steer_load_plugin`.
   */
  int32_t (*load_plugin)(struct steer_str path);
  /*
   * [any thread]
   * As `steer_load_plugins`. Each call returns the result of the first one.
   */
  int32_t (*load_plugins)(void);
  /*
   * [any thread]
   * As `steer_last_error`.
   */
  struct steer_str (*last_error)(void);
  /*
   * [any thread]
   * As `steer_policy_name`.
   */
  int32_t (*policy_name)(size_t index, struct steer_string **name);
  /*
   * [any thread]
   * As `steer_stats_json`.
   */
  int32_t (*stats_json)(struct steer_string **text);
  /*
   * [any thread]
   * As `steer_stats_prometheus`.
   */
  int32_t (*stats_prometheus)(struct steer_string **text);
  /*
   * [any thread]
   * As `steer_stats_track_calls`.
   */
  void (*stats_track_calls)(int32_t on);
  /*
   * [any thread]
   * As `steer_string_text`.
   */
  struct steer_str (*string_text)(const struct steer_string *string);
  /*
   * [any thread]
   * As `steer_string_free`.
   */
  void (*string_free)(struct steer_string *string);
  /*
   * [any thread]
   * As `steer_take_over`. Since ABI version 7.
   */
  int32_t (*take_over)(struct steer_str settings);
  /*
   * [any thread]
   * As `steer_take_over_environment`. Since ABI version 7.
   */
  int32_t (*take_over_environment)(void);
  /*
   * [any thread]
   * As `steer_taken_name`. Since ABI version 7.
   */
  int32_t (*taken_name)(size_t index, struct steer_string **name, struct steer_string **policy);
} steer_engine;

/*
 * [any thread]
 * Makes this engine serve a host's gRPC, and returns the table for other copies of Steer. NULL:
 * this engine follows another one. May be called any number of times.
 *
 * After each registration, the engine calls `knows`, which returns whether the host knows a policy
 * of this name or can still learn of it. 0: it is too late for that. For a name that was taken
 * over, it returns whether the policy that took it runs under that name, or still can. `knows` is
 * called on any thread, with no lock held. It may be NULL.
 *
 * The caller guarantees: `knows` is NULL or can be called at any time.
 */
const struct steer_engine *steer_engine_lead(int32_t (*knows)(struct steer_str name));

/*
 * [any thread]
 * Makes this engine follow another copy's engine. Passes on the existing registrations, and from
 * then on each call of `steer_register_…`, `steer_load_…` and `steer_stats_…`. Does nothing when
 * it follows that engine already, and for this engine itself.
 *
 * STEER_CANNOT_FOLLOW: nothing has changed. Other statuses: a registration could not be passed on,
 * and this is the first such status. The others were passed on. `steer_last_error` has the
 * reasons.
 *
 * The caller guarantees: `leader` is NULL (STEER_NULL_ARGUMENT) or came from `steer_engine_lead` of
 * an engine that is never unloaded.
 */
steer_status steer_engine_follow(const struct steer_engine *leader);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* STEER_HOST_H */
