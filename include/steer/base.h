/*
 * The types that plugins and hosts share. `plugin.h` and `host.h` include this file.
 * Generated from src/ffi and crates/steer-abi/src; do not edit. docs/ABI.md has the rules that hold
 * for every function and struct: threads, ownership, NULLs, growth.
 *
 * The comment of each function begins with a tag for its threads. [any thread]: on any thread, also
 * on many at once. [any thread, one at a time]: on any thread, but not on two at once for one
 * object. [serialised]: for one policy, never on two threads at once: within the host's work
 * serializer.
 *
 * Contents
 *   Texts
 *     steer_str, steer_string, steer_string_text, steer_string_free
 *   Statuses and errors
 *     steer_status, steer_status_text, steer_last_error
 *   Versions
 *     STEER_ABI_VERSION, steer_abi_version, steer_version
 *   Connectivity states
 *     steer_state
 *   gRPC status codes
 *     steer_code
 *   Log lines
 *     steer_severity
 *   Attributes of endpoints
 *     steer_attribute_kind, steer_attribute
 *   Calls
 *     STEER_WANTS_PATH, STEER_WANTS_HEADERS, STEER_WANTS_METRICS, STEER_WANTS_REQUEST_HASH,
 *     steer_call
 *   Backend metrics
 *     steer_metric, steer_metrics
 */
#ifndef STEER_BASE_H
#define STEER_BASE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Texts ----------------------------------------------------------------------------------- */

/*
 * Borrowed text. Usually UTF-8, which the reader must not assume. Not NUL-terminated. `data` may
 * be NULL when `length` is 0. The function that returns or takes it says how long it is valid.
 * This struct never grows.
 */
typedef struct steer_str {
  /* The bytes. */
  const char *data;
  /* The number of bytes. */
  size_t length;
} steer_str;

/* A text that the engine made and the caller frees. */
typedef struct steer_string steer_string;

/*
 * [any thread]
 * Returns the text of a string, valid until the string is freed. The empty text for NULL.
 *
 * The caller guarantees: `string` is NULL or came from this library and is not freed.
 */
struct steer_str steer_string_text(const struct steer_string *string);

/*
 * [any thread]
 * Frees a string. Does nothing for NULL.
 *
 * The caller guarantees: `string` is NULL or came from this library and is not freed; nobody uses
 * it during or after this call.
 */
void steer_string_free(struct steer_string *string);

/* --- Statuses and errors --------------------------------------------------------------------- */

/*
 * The result of a function. The numbers never change. Later versions may add some. Unless it is
 * STEER_OK, `steer_last_error` has the details.
 */
enum steer_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Success. Outputs are written. */
  STEER_OK = 0,
  /* An argument that must not be NULL is NULL. Nothing was done. */
  STEER_NULL_ARGUMENT = 1,
  /*
   * A struct's `struct_size` is below that of version 1, or the elements of an array have
   * different ones. Set it to `sizeof` of the struct. Nothing was done.
   */
  STEER_BAD_STRUCT_SIZE = 2,
  /* An argument is out of its documented range. Nothing was done. */
  STEER_INVALID_ARGUMENT = 3,
  /* There is no policy of this name: see `steer_policy_name`. */
  STEER_UNKNOWN_POLICY = 4,
  /* The config was rejected. The text lists the fields and the reasons. */
  STEER_INVALID_CONFIG = 5,
  /* There is no such endpoint, or not any more. A late report is harmless. */
  STEER_UNKNOWN_ENDPOINT = 6,
  /* A callback that the table requires is NULL. */
  STEER_MISSING_CALLBACK = 7,
  /* The config given with an update was parsed for another policy. */
  STEER_WRONG_CONFIG = 8,
  /* The engine panicked, which is a bug of Steer. Only this call is affected. */
  STEER_PANIC = 9,
  /* For a host's `endpoint_new`: the endpoint could not be made. The engine leaves it out. */
  STEER_ENDPOINT_REFUSED = 10,
  /* A policy's name is taken, or is not a valid name for policies. */
  STEER_BAD_NAME = 11,
  /* The file is not a plugin, or the plugin does not fit this engine. Nothing was registered. */
  STEER_BAD_PLUGIN = 12,
  /* A plugin's entry failed. Nothing was registered. */
  STEER_PLUGIN_FAILED = 13,
  /*
   * A policy was registered with the engine, but gRPC cannot learn of it, because a channel or a
   * server exists already.
   */
  STEER_TOO_LATE = 14,
  /* This engine cannot follow that one. Nothing was done. */
  STEER_CANNOT_FOLLOW = 15,
  /* A setting of `steer_take_over` is refused. No name of that list was taken over. */
  STEER_CANNOT_TAKE_OVER = 16,
  /* A limit is reached, which the function documents. Nothing was done. */
  STEER_TOO_MANY = 17,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_status steer_status;
#else
typedef int32_t steer_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/*
 * [any thread]
 * Returns a status's meaning, and what to do about it, in one sentence. Takes any number, also one
 * that this version does not know. The text is static.
 */
struct steer_str steer_status_text(int32_t status);

/*
 * [any thread]
 * Returns why the last function of this thread failed that returned another `steer_status` than
 * STEER_OK. Valid until the next one that fails. Functions that succeed leave it, and so do those
 * that return no status.
 */
struct steer_str steer_last_error(void);

/* --- Versions -------------------------------------------------------------------------------- */

/*
 * The version of the ABI that this header describes. It grows with each addition. Nothing is ever
 * removed or given another meaning.
 */
#define STEER_ABI_VERSION 10

/*
 * [any thread]
 * Returns the ABI version that the library implements.
 *
 * A caller that was compiled with a header of version N works with every library of version N
 * or later.
 */
uint32_t steer_abi_version(void);

/*
 * [any thread]
 * Returns the library's release, such as "0.1.0". The text is static.
 */
struct steer_str steer_version(void);

/* --- Connectivity states --------------------------------------------------------------------- */

/* Connectivity states, with gRPC's numbers. */
enum steer_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* There is no connection, and none is being made. */
  STEER_IDLE = 0,
  /* A connection is being made. */
  STEER_CONNECTING = 1,
  /* Connected. */
  STEER_READY = 2,
  /* Connecting failed. */
  STEER_TRANSIENT_FAILURE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_state steer_state;
#else
typedef int32_t steer_state;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/* --- gRPC status codes ----------------------------------------------------------------------- */

/*
 * A gRPC status code, with gRPC's numbers. The ABI passes codes as `int32_t`. gRFC A54 lists those
 * that a picker may fail calls with.
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

/* --- Log lines ------------------------------------------------------------------------------- */

/* The importance of a log line. */
enum steer_severity
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Details, for debugging. */
  STEER_LOG_DEBUG = 0,
  /* An event that an operator may want to see. */
  STEER_LOG_INFO = 1,
  /* Something is broken. */
  STEER_LOG_ERROR = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_severity steer_severity;
#else
typedef int32_t steer_severity;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/* --- Attributes of endpoints ----------------------------------------------------------------- */

/* Which value of an attribute is valid. */
enum steer_attribute_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* `text`. */
  STEER_ATTRIBUTE_TEXT = 0,
  /* `integer`. */
  STEER_ATTRIBUTE_INTEGER = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum steer_attribute_kind steer_attribute_kind;
#else
typedef int32_t steer_attribute_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/* A text or an integer that the resolver attached to an endpoint. */
typedef struct steer_attribute {
  /* `sizeof(steer_attribute)`. */
  size_t struct_size;
  /* The key. */
  struct steer_str key;
  /* A `steer_attribute_kind`. */
  int32_t kind;
  /* The value, when it is a text. */
  struct steer_str text;
  /* The value, when it is an integer. */
  int64_t integer;
} steer_attribute;

/* --- Calls ----------------------------------------------------------------------------------- */

/* The picker reads the call's path. `steer_wants.bits` combines STEER_WANTS_… bits. */
#define STEER_WANTS_PATH 1

/* The picker reads the headers that it declares, and may add others. */
#define STEER_WANTS_HEADERS 2

/* The picker reads backend metrics (ORCA) in `steer_call_end`. */
#define STEER_WANTS_METRICS 4

/* The picker reads the hash that an xDS route gives the call. */
#define STEER_WANTS_REQUEST_HASH 8

/* A call, as a picker sees it. Everything that it points to is read during the pick only. */
typedef struct steer_call {
  /* `sizeof(steer_call)`. */
  size_t struct_size;
  /* "/service/method". Empty when the picker does not want it. */
  struct steer_str path;
  /* Passed to the functions below. */
  void *ctx;
  /*
   * [any thread]
   * Finds a header of the call by its lower-case name. Returns 1 and writes the value to
   * `*value`, valid until the pick ends. Values of several headers with one name are joined by
   * ",". Returns 0 when there is none, and when the picker has not declared that it reads it.
   * May be called only within the pick. NULL: headers are not available.
   */
  int32_t (*header)(void *ctx, struct steer_str name, struct steer_str *value);
  /*
   * [any thread]
   * Adds a header to the call, if this pick completes. Copies both texts. A name has lower-case
   * letters, digits, '-', '_' and '.'. If it ends in "-bin", the value may have any bytes.
   * Returns 1 when the header was taken. May be called only within the pick. NULL: headers
   * cannot be added.
   */
  int32_t (*add_header)(void *ctx, struct steer_str name, struct steer_str value);
  /* The hash that an xDS route gives the call (gRFC A42), when `has_request_hash` is not 0. */
  uint64_t request_hash;
  /* 0: there is no hash, or the picker does not want it. */
  int32_t has_request_hash;
  /*
   * 0, so that the struct does not end in padding. Never read: callers that were compiled before
   * this field had a name may leave any value in it.
   */
  uint32_t reserved;
} steer_call;

/* --- Backend metrics ------------------------------------------------------------------------- */

/* A named number in a backend's report. */
typedef struct steer_metric {
  /* `sizeof(steer_metric)`. The same in all elements of an array. */
  size_t struct_size;
  /* The name. */
  struct steer_str name;
  /* The value. */
  double value;
} steer_metric;

/*
 * The metrics that a backend reported with a call or out of band (ORCA, gRFC A51). Metrics that it
 * did not report are 0.
 */
typedef struct steer_metrics {
  /* `sizeof(steer_metrics)`. */
  size_t struct_size;
  /* The used share of the processors. May be above 1. */
  double cpu_utilization;
  /* The used share of the memory, from 0 to 1. */
  double mem_utilization;
  /* The application's own measure of its load. May be above 1. */
  double application_utilization;
  /* The calls per second that the backend serves. */
  double qps;
  /* The errors per second that it answers with. */
  double eps;
  /* The costs of this call, by name. */
  const struct steer_metric *request_cost;
  /* The number of costs. */
  size_t request_cost_count;
  /* The used shares of resources, by name, from 0 to 1. */
  const struct steer_metric *utilization;
  /* The number of resources. */
  size_t utilization_count;
  /* The application's own metrics, by name. */
  const struct steer_metric *named;
  /* The number of the application's own metrics. */
  size_t named_count;
} steer_metrics;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* STEER_BASE_H */
