/*
 * For hosts, which drive the engine: the shim for gRPC C++, test programs. Programs read the
 * statistics with it, too. `host.hpp` is for hosts in C++.
 * Generated from src/ffi and crates/steer-abi/src; do not edit. docs/ABI.md has the rules that hold
 * for every function and struct: threads, ownership, NULLs, growth.
 *
 * Contents
 *   Handles
 *     steer_config, steer_policy, steer_picker, steer_call_tracker
 *   Configs
 *     steer_policy_name, steer_config_parse, steer_config_free
 *   Picks
 *     steer_pick_kind, steer_picked, steer_pick_failure
 *   Pickers
 *     steer_picker_wants, steer_picker_pick, steer_picker_free
 *   Tracked calls
 *     steer_call_finish, steer_call_tracker_connection, steer_call_tracker_wants,
 *     steer_call_tracker_start, steer_call_tracker_finish, steer_call_tracker_free
 *   The host's callbacks
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
 * One policy of one channel. All its functions are to be serialised by the host (gRPC: the
 * channel's work serializer); they may be called from within the host's callbacks, and then take
 * effect once the call under way is done. (But for `steer_policy_update`, which says from which of
 * them it is refused.)
 */
typedef struct steer_policy steer_policy;

/*
 * Chooses a backend per call. Immutable: its functions but `steer_picker_free` may be called from
 * many threads at once.
 */
typedef struct steer_picker steer_picker;

/* One call that a picker wants to hear of. Used by one thread at a time. */
typedef struct steer_call_tracker steer_call_tracker;

/* --- Configs --------------------------------------------------------------------------------- */

/*
 * The name of the `index`th policy, counted from 0, in alphabetical order. Any thread.
 *
 * STEER_UNKNOWN_POLICY when there are no more. The caller frees `*name`.
 *
 * The caller guarantees: `name` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_policy_name(size_t index, struct steer_string **name);

/*
 * Parses and checks a policy's config. Any thread.
 *
 * `json` is the value beside the policy's name in `loadBalancingConfig`, as JSON text; an empty
 * text, `null` and `{}` stand for the defaults. Unknown fields are ignored.
 *
 * On success `*config` is the caller's to free. STEER_UNKNOWN_POLICY when there is no policy of
 * this name; STEER_INVALID_CONFIG when the text is not JSON or a field is wrong. With these two,
 * and when `error` is not NULL, `*error` says what is wrong, each fault by its field path; the
 * caller frees it. `steer_last_error` says the same.
 *
 * The caller guarantees: `policy_name` and `json` are readable; `config` is NULL
 * (STEER_NULL_ARGUMENT) or can be written to; so is `error`, which may be NULL.
 */
steer_status steer_config_parse(struct steer_str policy_name,
                                struct steer_str json,
                                struct steer_config **config,
                                struct steer_string **error);

/*
 * Frees a config. Any thread. NULL is fine; so is a config that policies still use.
 *
 * The caller guarantees: `config` is NULL or came from `steer_config_parse` and is not freed yet;
 * nobody uses it during or after this call.
 */
void steer_config_free(struct steer_config *config);

/* --- Picks ----------------------------------------------------------------------------------- */

/* What a pick led to. */
enum steer_pick_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Send the call over `connection`. */
  STEER_PICK_COMPLETE = 0,
  /* Wait for the next picker. */
  STEER_PICK_QUEUE = 1,
  /* Fail the call with `code` and `message`, unless it waits for ready. */
  STEER_PICK_FAIL = 2,
  /* Fail the call with `code` and `message` in any case, and do not retry it. */
  STEER_PICK_DROP = 3,
  /* Send the call over the connection of a `steer_call_tracker`, and tell that how it goes. */
  STEER_PICK_TRACKED = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_pick_kind steer_pick_kind;
#else
typedef int32_t steer_pick_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/* The outcome of a pick, small enough to come back in two registers. This struct never grows. */
typedef struct steer_picked {
  /*
   * A `steer_pick_kind`. Below 0: an argument was wrong, and this is minus a `steer_status`. As wide
   * as a register, or else two halves would have to be put together in memory.
   */
  int64_t kind;
  /*
   * With STEER_PICK_COMPLETE, the connection: the host's handle, as it came with the endpoint's
   * report, valid as long as the picker. With STEER_PICK_FAIL and STEER_PICK_DROP, a
   * `const steer_pick_failure *`, valid until this thread's next call of `steer_picker_pick`, and
   * as long as the picker. With STEER_PICK_TRACKED, a `steer_call_tracker *`, which is the
   * host's to free. Else NULL.
   */
  void *value;
} steer_picked;

/* Why a pick fails or drops its call. */
typedef struct steer_pick_failure {
  /* `sizeof(steer_pick_failure)`, as the engine knows it. */
  size_t struct_size;
  /* A gRPC status code, one that a data plane may produce (gRFC A54). */
  int32_t code;
  /* For people. */
  struct steer_str message;
} steer_pick_failure;

/* --- Pickers --------------------------------------------------------------------------------- */

/*
 * What the picker wants to know of each call: an or of STEER_WANTS_…. It never changes. Any
 * thread. NULL wants nothing.
 *
 * The caller guarantees: `picker` is NULL or alive.
 */
uint32_t steer_picker_wants(const struct steer_picker *picker);

/*
 * Chooses for one call. Any thread, many at once.
 *
 * `call` may be NULL when the picker wants nothing. A policy's fault is no error here: the pick
 * fails with INTERNAL (13), and what becomes of the policy is its author's choice.
 *
 * The caller guarantees: `picker` is NULL (STEER_NULL_ARGUMENT) or alive; `call` is NULL or
 * readable with all that it points at.
 */
struct steer_picked steer_picker_pick(const struct steer_picker *picker,
                                      const struct steer_call *call);

/*
 * Frees a picker. Any thread, when no pick of it is under way. NULL is fine. `connection_free` comes
 * within this call for the connections that nothing else holds.
 *
 * The caller guarantees: `picker` is NULL or came with `update_state` and is not freed yet; nobody
 * uses it during or after this call.
 */
void steer_picker_free(struct steer_picker *picker);

/* --- Tracked calls --------------------------------------------------------------------------- */

/* How a call ended, as the host knows it. */
typedef struct steer_call_finish {
  /* `sizeof(steer_call_finish)`. */
  size_t struct_size;
  /* A gRPC status code. */
  int32_t code;
  /* Its text. */
  struct steer_str message;
  /*
   * What came in the trailer `endpoint-load-metrics-bin`: a serialised
   * `xds.data.orca.v3.OrcaLoadReport`. Empty: nothing. Needed when the picker wants
   * STEER_WANTS_METRICS.
   */
  struct steer_str metrics;
} steer_call_finish;

/*
 * The connection to send the call over: valid, as after STEER_PICK_COMPLETE, as long as the picker
 * that chose it. To be read right after the pick. A host that needs the connection for longer takes
 * a reference of its own: it must not count on the tracker to hold one. NULL gives NULL.
 *
 * The caller guarantees: `tracker` is NULL or came with STEER_PICK_TRACKED and is not freed yet.
 */
void *steer_call_tracker_connection(const struct steer_call_tracker *tracker);

/*
 * What is wanted to know of the call's end: an or of STEER_WANTS_…, of which only STEER_WANTS_METRICS is about
 * that. NULL wants nothing.
 *
 * The caller guarantees: As for `steer_call_tracker_connection`.
 */
uint32_t steer_call_tracker_wants(const struct steer_call_tracker *tracker);

/*
 * The call starts: once, after the pick. Any thread. NULL is fine.
 *
 * The caller guarantees: As for `steer_call_tracker_connection`.
 */
void steer_call_tracker_start(struct steer_call_tracker *tracker);

/*
 * The call has ended: once. Any thread. NULL is fine. What `finish` points at is read during the call.
 *
 * The caller guarantees: As for `steer_call_tracker_connection`; `finish` is NULL (nothing is done)
 * or readable.
 */
void steer_call_tracker_finish(struct steer_call_tracker *tracker,
                               const struct steer_call_finish *finish);

/*
 * Frees a tracker. Any thread. NULL is fine. A call that has not ended was abandoned.
 *
 * `connection_free` may come within this call, if nothing else holds the connection any more.
 *
 * The caller guarantees: As for `steer_call_tracker_connection`; nobody uses it during or after
 * this call.
 */
void steer_call_tracker_free(struct steer_call_tracker *tracker);

/* --- The host's callbacks -------------------------------------------------------------------- */

/*
 * The host's side of one policy. The engine copies the table.
 *
 * Callbacks must not throw and not longjmp. Those marked *Serialised* are made from within calls
 * of the engine's functions for this policy only, which the host serialises, and never after
 * `steer_policy_free`; they may call the engine for the same policy: such calls take effect once
 * the one under way is done. Those marked *Any thread* come from any thread, also concurrently,
 * and as long as anything of the policy lives.
 */
typedef struct steer_host {
  /* `sizeof(steer_host)`. */
  size_t struct_size;
  /* Passed to every callback. */
  void *ctx;
  /*
   * *Any thread.* Frees `ctx`. The last callback: comes once the policy, its pickers and its
   * connections are all gone. May be NULL.
   */
  void (*ctx_free)(void *ctx);
  /*
   * *Serialised.* Makes an endpoint for the `index`th endpoint of the latest update and stores
   * the host's handle for it in `*handle`; the host reports its states by the number
   * `endpoint`. It must not connect before it is asked to. STEER_OK, or another status when
   * it cannot be made: the endpoint is then left out. Required.
   */
  int32_t (*endpoint_new)(void *ctx, uint64_t endpoint, uint32_t index, void **handle);
  /*
   * *Serialised.* Whether `endpoint_new` would make the very same endpoint for the `index`th
   * endpoint of the latest update: same addresses, attributes and channel args. 0: no. NULL:
   * the engine compares the descriptors that it was given.
   */
  int32_t (*endpoint_matches)(void *ctx, void *handle, uint32_t index);
  /* *Serialised.* Asks for a connection, when there is none and none is being made. Required. */
  void (*endpoint_connect)(void *ctx, void *handle);
  /* *Serialised.* Ends the endpoint's backoff. May be NULL. */
  void (*endpoint_reset_backoff)(void *ctx, void *handle);
  /* *Serialised.* Drops the endpoint. Pickers may hold its connection still. Required. */
  void (*endpoint_free)(void *ctx, void *handle);
  /*
   * *Any thread.* Gives back a reference that came with a report of STEER_READY. Comes within
   * `steer_picker_free`, `steer_call_tracker_free`, serialised calls for the policy and the
   * functions of the statistics, whichever lets go of the connection last; also after
   * `steer_policy_free`. A host that may release connections only where it serialises its calls
   * must bring it there itself. Required.
   */
  void (*connection_free)(void *ctx, void *connection);
  /*
   * *Serialised.* Publishes the policy's state (a `steer_state`) and the picker for calls from
   * now on, which is the host's to free. `code` and `message` are OK and empty but in
   * STEER_TRANSIENT_FAILURE; the message is valid during the call. Required.
   */
  void (*update_state)(void *ctx,
                       int32_t state,
                       int32_t code,
                       struct steer_str message,
                       struct steer_picker *picker);
  /* *Serialised.* Asks the resolver to resolve again, when it sees fit. Required. */
  void (*request_reresolution)(void *ctx);
  /*
   * *Any thread.* Asks for a call of `steer_policy_run`, serialised, soon, and not from within
   * this callback. May come from within a pick, and after `steer_policy_free`, when it is to be
   * ignored. May be NULL: a picker that panics is then not replaced before the next update.
   */
  void (*run_later)(void *ctx);
  /*
   * *Serialised.* Asks for a call of `steer_policy_timer` with this number, serialised, after so
   * many nanoseconds, and not from within this callback. May be NULL: timers never run out.
   */
  void (*timer_start)(void *ctx, uint64_t timer, uint64_t after_ns);
  /* *Serialised.* Takes that back. A timer that runs out all the same does no harm. May be NULL. */
  void (*timer_cancel)(void *ctx, uint64_t timer);
  /*
   * *Any thread.* Nanoseconds since an arbitrary moment; never goes back. NULL: the engine uses
   * the system's monotonic clock.
   */
  uint64_t (*now)(void *ctx);
  /* *Any thread.* 64 random bits. NULL: the engine uses a generator of its own. */
  uint64_t (*random)(void *ctx);
  /*
   * *Any thread.* Writes a line to the log; `severity` is a `steer_severity`. The message is
   * valid during the call. NULL: the engine is silent.
   */
  void (*log)(void *ctx, int32_t severity, struct steer_str message);
  /*
   * *Serialised.* Endpoints that are made from now on report their backends' load out of band (ORCA)
   * about every `period_ns` nanoseconds, by `steer_policy_endpoint_load`; 0: they do not.
   * `endpoint_matches` says no for an endpoint that was made under another period (and is asked, whatever
   * `steer_update.made_with` says). Comes before an update's endpoints are made. NULL: there are no such reports.
   */
  void (*load_reports)(void *ctx, uint64_t period_ns);
} steer_host;

/* --- Updates and reports --------------------------------------------------------------------- */

/* What the resolver knows of one endpoint. All that it points at is read during the call only. */
typedef struct steer_endpoint {
  /* `sizeof(steer_endpoint)`; the same in all elements of an array. */
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
  /* Everything else that the resolver attached. */
  const struct steer_attribute *attributes;
  /* How many. */
  size_t attribute_count;
} steer_endpoint;

/* A resolver's answer. All that it points at is read during the call only. */
typedef struct steer_update {
  /* `sizeof(steer_update)`. */
  size_t struct_size;
  /* The policy's config; NULL: the defaults. It may be freed after the call. */
  const struct steer_config *config;
  /*
   * The endpoints, in the resolver's order; NULL when there are none. Their places in the list
   * (which is this array, unless `former` says more) are what `endpoint_new` and
   * `endpoint_matches` name, until the next update with `code` 0.
   */
  const struct steer_endpoint *endpoints;
  /* How many. */
  size_t endpoint_count;
  /* A gRPC status code. Not 0 (OK): the resolver failed, and there are no endpoints to look at. */
  int32_t code;
  /* The resolver's words for that. */
  struct steer_str message;
  /* Context for people, to be part of the status when there are no endpoints. */
  struct steer_str resolution_note;
  /* What the channel was made for, such as "dns:///greeter:50051": for people. May be empty. */
  struct steer_str target;
  /*
   * Says which endpoints are those of the former list, so that they need not be described again: not NULL when
   * `former_count` is not 0. The `i`th endpoint of this list is then in every respect what the `former[i]`th one
   * was in the latest update with `code` 0 that was taken (STEER_OK), or, where `former[i]` is UINT32_MAX, the
   * next one of `endpoints`. Whether it is still made just the same is asked all the same: see
   * `endpoint_matches`. STEER_INVALID_ARGUMENT: the former list has no such endpoint, or there are not as many
   * UINT32_MAX as `endpoints`.
   */
  const uint32_t *former;
  /* How many endpoints the list has in all; 0: as many as `endpoints`, which then are the list. */
  size_t former_count;
  /*
   * A number of the host's for all that `endpoint_new` makes endpoints with beside what it knows of each, such as
   * channel args: another number for other args. `endpoint_matches` is then not asked of an endpoint of which
   * `former` says that it is what it was, and that was made, or matched, under this very number. 0: it is asked of
   * all.
   */
  uint64_t made_with;
} steer_update;

/* What the host reports of an endpoint. */
typedef struct steer_endpoint_report {
  /* `sizeof(steer_endpoint_report)`. */
  size_t struct_size;
  /* A `steer_state`. */
  int32_t state;
  /* Why, in STEER_TRANSIENT_FAILURE: a gRPC status code. */
  int32_t code;
  /* Why, in STEER_TRANSIENT_FAILURE: what users are shown. Read during the call only. */
  struct steer_str message;
  /*
   * In STEER_READY, and only then: what pickers complete with. Not NULL. The engine takes over
   * one reference, and gives it back through `connection_free`.
   */
  void *connection;
} steer_endpoint_report;

/* --- Policies -------------------------------------------------------------------------------- */

/*
 * Makes a policy. Any thread.
 *
 * On success `*policy` is the caller's to free, and `host->ctx` belongs to it until `ctx_free`.
 * STEER_UNKNOWN_POLICY, STEER_MISSING_CALLBACK: nothing was made, and `ctx` is still the caller's.
 * Nothing is called back before the first update.
 *
 * The caller guarantees: `name` is readable; `host` is NULL (STEER_NULL_ARGUMENT) or a table that
 * keeps what `steer_host` says; `policy` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_policy_new(struct steer_str name,
                              const struct steer_host *host,
                              struct steer_policy **policy);

/*
 * Hands in a resolver's answer. Serialised.
 *
 * With STEER_OK, `*code` is 0 when the policy accepted the update, else the gRPC status code of
 * what the resolver is to be told, and `*message` its text, which the caller frees; it is NULL
 * when accepted. Both outputs may be NULL. STEER_WRONG_CONFIG and the statuses about arguments:
 * the policy goes on as if there had been no update. STEER_INVALID_ARGUMENT also from within
 * `endpoint_new` and `endpoint_matches`, which are asked about the list that is under way.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `update` is NULL
 * (STEER_NULL_ARGUMENT) or readable with all that it points at; `code` and `message` are NULL or
 * can be written to.
 */
steer_status steer_policy_update(struct steer_policy *policy,
                                 const struct steer_update *update,
                                 int32_t *code,
                                 struct steer_string **message);

/*
 * Reports an endpoint's state. Serialised. The first report says in which state it is; after
 * that every change is reported.
 *
 * STEER_UNKNOWN_ENDPOINT: the endpoint was dropped, and nothing was done. STEER_INVALID_ARGUMENT:
 * no such state, or STEER_READY without a connection. With these two, too, the engine gives the
 * report's connection back; with STEER_NULL_ARGUMENT and STEER_BAD_STRUCT_SIZE it did not get it.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `report` is NULL
 * (STEER_NULL_ARGUMENT) or readable, and its connection is a reference that is the engine's from
 * now on.
 */
steer_status steer_policy_endpoint_report(struct steer_policy *policy,
                                          uint64_t endpoint,
                                          const struct steer_endpoint_report *report);

/*
 * Reports an endpoint's load that came out of band (ORCA), as `load_reports` has asked. Serialised.
 *
 * STEER_UNKNOWN_ENDPOINT: the endpoint was dropped, or its policy takes no reports.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `metrics` is NULL
 * (STEER_NULL_ARGUMENT) or readable with all that it points at.
 */
steer_status steer_policy_endpoint_load(struct steer_policy *policy,
                                        uint64_t endpoint,
                                        const struct steer_metrics *metrics);

/*
 * Leaves IDLE, for policies that connect lazily. Serialised.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
 */
steer_status steer_policy_exit_idle(struct steer_policy *policy);

/*
 * Ends the backoff of every endpoint. Serialised.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
 */
steer_status steer_policy_reset_backoff(struct steer_policy *policy);

/*
 * A timer that `timer_start` asked for has run out. Serialised. A number that is not known, or
 * was cancelled, is ignored.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
 */
steer_status steer_policy_timer(struct steer_policy *policy, uint64_t timer);

/*
 * What `run_later` asked for. Serialised.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or alive.
 */
steer_status steer_policy_run(struct steer_policy *policy);

/*
 * How many panics of the policy and its pickers were caught, in `*faults`. Serialised.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `faults` is NULL
 * (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_policy_faults(struct steer_policy *policy, uint64_t *faults);

/*
 * What is in the policy's place, when it broke. Serialised. `*why` says what broke and how, and is
 * the caller's to free; NULL: the policy is in its place. Since version 4.
 *
 * The caller guarantees: `policy` is NULL (STEER_NULL_ARGUMENT) or alive; `why` is NULL
 * (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_policy_fallback(struct steer_policy *policy, struct steer_string **why);

/*
 * Shuts a policy down and frees it. Serialised; also from within one of its callbacks. NULL is
 * fine. Its endpoints are dropped at once; its pickers live on, with their connections.
 *
 * The caller guarantees: `policy` is NULL or came from `steer_policy_new` and is not freed yet;
 * nobody uses it after this call.
 */
void steer_policy_free(struct steer_policy *policy);

/* --- Statistics ------------------------------------------------------------------------------ */

/*
 * Every policy of this process, its backends and what is known of their calls, as JSON in `*text`, which
 * the caller frees. Any thread; costs time that grows with the number of backends, and picks nothing.
 *
 * `docs/statistics.md` has the fields. Later versions add some; those that there are keep their meaning.
 *
 * The caller guarantees: `text` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_stats_json(struct steer_string **text);

/*
 * The same in the OpenMetrics text format, which Prometheus scrapes with the content type
 * "application/openmetrics-text; version=1.0.0; charset=utf-8", in `*text`, which the caller frees. Any thread.
 *
 * The caller guarantees: `text` is NULL (STEER_NULL_ARGUMENT) or can be written to.
 */
steer_status steer_stats_prometheus(struct steer_string **text);

/*
 * Whether pickers that are made from now on track calls for these statistics, where their policy does not
 * track them anyway. Any thread. At first 0, or 1 with STEER_STATS=calls in the environment.
 *
 * A tracked call costs what `docs/statistics.md` says; with 0, nothing is added to a pick.
 */
void steer_stats_track_calls(int32_t on);

/* --- Several engines in one process ---------------------------------------------------------- */

/*
 * One engine, for the other copies of Steer in its process. Static. All of its functions are there,
 * and concern this engine alone; each is as the one of its name that `steer.h` declares.
 */
typedef struct steer_engine {
  /* `sizeof(steer_engine)`, as this engine knows it. */
  size_t struct_size;
  /* What `steer_abi_version` returns. */
  uint32_t abi_version;
  /* 0. */
  uint32_t reserved;
  /* What `steer_version` returns. */
  struct steer_str version;
  /* The file that it is in: a library or a program. */
  struct steer_str place;
  /* What `steer_api_get` returns. */
  const struct steer_api *api;
  /* `steer_register_plugin` */
  int32_t (*register_plugin)(const struct steer_plugin *plugin);
  /* `steer_register_picker` */
  int32_t (*register_picker)(const struct steer_picker_type *kind);
  /* `steer_register_policy` */
  int32_t (*register_policy)(const struct steer_policy_type *kind);
  /* `steer_load_plugin` */
  int32_t (*load_plugin)(struct steer_str path);
  /* `steer_load_plugins`, which says each time what came of it. */
  int32_t (*load_plugins)(void);
  /* `steer_last_error` */
  struct steer_str (*last_error)(void);
  /* `steer_policy_name` */
  int32_t (*policy_name)(size_t index, struct steer_string **name);
  /* `steer_stats_json` */
  int32_t (*stats_json)(struct steer_string **text);
  /* `steer_stats_prometheus` */
  int32_t (*stats_prometheus)(struct steer_string **text);
  /* `steer_stats_track_calls` */
  void (*stats_track_calls)(int32_t on);
  /* `steer_string_text` */
  struct steer_str (*string_text)(const struct steer_string *string);
  /* `steer_string_free` */
  void (*string_free)(struct steer_string *string);
} steer_engine;

/*
 * Says that this engine serves a host's gRPC, and returns what other copies of Steer are to be
 * given. NULL: this engine follows another one. Any thread; any number of times.
 *
 * `knows` is asked after each registration whether the host knows a policy of this name, or still
 * learns of it; 0: it is too late for that. NULL: nobody is asked. Any thread, with no lock held.
 *
 * The caller guarantees: `knows` is NULL or can be called at any time.
 */
const struct steer_engine *steer_engine_lead(int32_t (*knows)(struct steer_str name));

/*
 * Has this engine follow another copy's: passes on what was registered here, and from then on
 * whatever `steer_register_…`, `steer_load_plugin…` and `steer_stats_…` are asked. Any thread. The same leader once
 * more, and this engine itself, are fine.
 *
 * STEER_CANNOT_FOLLOW: nothing has changed. Another status is that of what could not be passed on first;
 * the rest was. `steer_last_error` says why.
 *
 * The caller guarantees: `leader` is NULL (STEER_NULL_ARGUMENT) or came from `steer_engine_lead` of
 * an engine that stays for ever.
 */
steer_status steer_engine_follow(const struct steer_engine *leader);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* STEER_HOST_H */
