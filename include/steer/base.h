/*
 * The types that plugins and hosts share. `plugin.h` and `host.h` include this file.
 * Generated from src/ffi and crates/steer-abi/src; do not edit. docs/ABI.md has the rules that hold
 * for every function and struct: threads, ownership, NULLs, growth.
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
 * Borrowed bytes, usually UTF-8, but that is never assumed. Not NUL-terminated. `data` may be NULL
 * if `length` is 0. The function that returns it documents how long it is valid. This struct never
 * grows.
 */
typedef struct steer_str {
  /* The bytes. */
  const char *data;
  /* The number of bytes. */
  size_t length;
} steer_str;

/* Text that the engine made and the caller frees. */
typedef struct steer_string steer_string;

/*
 * The text of a string, valid until it is freed. Any thread. NULL gives the empty text.
 *
 * The caller guarantees: `string` is NULL or came from this library and is not freed yet.
 */
struct steer_str steer_string_text(const struct steer_string *string);

/*
 * Frees a string. Any thread. NULL is fine.
 *
 * The caller guarantees: `string` is NULL or came from this library and is not freed yet; nobody
 * uses it during or after this call.
 */
void steer_string_free(struct steer_string *string);

/* --- Statuses and errors --------------------------------------------------------------------- */

/* What an entry point returns. The numbers never change; later versions may add some. */
enum steer_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* Done; outputs are written. */
  STEER_OK = 0,
  /* An argument that must not be NULL is NULL. Nothing was done. */
  STEER_NULL_ARGUMENT = 1,
  /*
   * A struct's `struct_size` is below that of version 1, or an array's elements differ in it:
   * set it to `sizeof` of the struct. Nothing was done.
   */
  STEER_BAD_STRUCT_SIZE = 2,
  /* An argument is out of its documented range. Nothing was done. */
  STEER_INVALID_ARGUMENT = 3,
  /* There is no policy of this name: see `steer_policy_name`. */
  STEER_UNKNOWN_POLICY = 4,
  /* The config was rejected: the text says which fields and why. */
  STEER_INVALID_CONFIG = 5,
  /* There is no such endpoint, or no longer: a late report, which needs no care. */
  STEER_UNKNOWN_ENDPOINT = 6,
  /* A callback that the host table must have is NULL. */
  STEER_MISSING_CALLBACK = 7,
  /* The config given with an update was parsed for another policy. */
  STEER_WRONG_CONFIG = 8,
  /* The engine panicked: a bug of Steer's. The process is as it was, but for this call. */
  STEER_PANIC = 9,
  /* A host's callback: the endpoint could not be made. It is left out of the list. */
  STEER_ENDPOINT_REFUSED = 10,
  /* A policy's name is taken, or not one that policies can have. */
  STEER_BAD_NAME = 11,
  /* A plugin does not fit this engine, or is none. Nothing of it was registered. */
  STEER_BAD_PLUGIN = 12,
  /* A plugin's entry failed. Nothing of it was registered. */
  STEER_PLUGIN_FAILED = 13,
  /*
   * A policy was registered with the engine, but gRPC does not learn of it any more: a channel or a
   * server exists.
   */
  STEER_TOO_LATE = 14,
  /* This engine cannot follow that one. Nothing was done. */
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
 * What a status means and what to do about it, in one sentence.
 *
 * Any thread. Takes any number, also one that this version does not know. The text is static.
 */
struct steer_str steer_status_text(int32_t status);

/*
 * Why the last function with such a text failed on this thread. These functions have one:
 * `steer_config_parse`, `steer_register_…`, `steer_load_…` and `steer_engine_follow`. Valid until
 * the next call of one of them on this thread.
 */
struct steer_str steer_last_error(void);

/* --- Versions -------------------------------------------------------------------------------- */

/*
 * The version of the ABI that this header describes. It grows when something is added. Nothing is
 * ever removed or given another meaning.
 */
#define STEER_ABI_VERSION 4

/*
 * The ABI version that the library implements. Any thread.
 *
 * A caller that was compiled with a header of version N works with every library of version N
 * or later.
 */
uint32_t steer_abi_version(void);

/* The library's release, such as "0.1.0". Any thread. The text is static. */
struct steer_str steer_version(void);

/* --- Connectivity states --------------------------------------------------------------------- */

/* Connectivity states, with gRPC's numbers. */
enum steer_state
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* No connection, and none being made. */
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

/* The severity of a log line. */
enum steer_severity
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /* For debugging. */
  STEER_LOG_DEBUG = 0,
  /* For operators. */
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

/* The type of an attribute's value. */
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

/* A string or an integer that the resolver attached to an endpoint. */
typedef struct steer_attribute {
  /* `sizeof(steer_attribute)`. */
  size_t struct_size;
  /* The key. */
  struct steer_str key;
  /* A `steer_attribute_kind`. */
  int32_t kind;
  /* The value if `kind` is STEER_ATTRIBUTE_TEXT. */
  struct steer_str text;
  /* The value if `kind` is STEER_ATTRIBUTE_INTEGER. */
  int64_t integer;
} steer_attribute;

/* --- Calls ----------------------------------------------------------------------------------- */

/* A bit of `steer_wants.bits`: the picker reads `steer_call.path`. */
#define STEER_WANTS_PATH 1

/*
 * A bit of `steer_wants.bits`: the picker reads the headers that it declares in
 * `steer_wants.headers`, and may add any header.
 */
#define STEER_WANTS_HEADERS 2

/* A bit of `steer_wants.bits`: the picker reads backend metrics (ORCA) in `steer_call_end`. */
#define STEER_WANTS_METRICS 4

/*
 * A bit of `steer_wants.bits`: the picker reads the hash that an xDS route computed for the call.
 */
#define STEER_WANTS_REQUEST_HASH 8

/* A call, as a picker sees it. Valid during the pick, as is everything that it points at. */
typedef struct steer_call {
  /* `sizeof(steer_call)`. */
  size_t struct_size;
  /* "/service/method"; empty without STEER_WANTS_PATH. */
  struct steer_str path;
  /* The first argument of the functions below. */
  void *ctx;
  /*
   * Looks up a header by its lower-case name. If there is one, returns 1 and stores its value in
   * `*value`, valid until the pick ends; the values of several headers of one name are joined by
   * ",". Returns 0 if there is none, or if the picker has not declared that it reads it. The
   * function is NULL if headers are not available.
   */
  int32_t (*header)(void *ctx, struct steer_str name, struct steer_str *value);
  /*
   * Adds a header to the call, if this pick completes. Both texts are copied. A name consists of
   * lower-case letters, digits, '-', '_' and '.'; if it ends in "-bin", the value may be any
   * bytes. Returns 1 if the header was accepted. The function is NULL if no headers can be
   * added.
   */
  int32_t (*add_header)(void *ctx, struct steer_str name, struct steer_str value);
  /* The hash that an xDS route computed for the call (gRFC A42), if `has_request_hash` is not 0. */
  uint64_t request_hash;
  /* 0 if there is no hash, or without STEER_WANTS_REQUEST_HASH. */
  int32_t has_request_hash;
  /*
   * 0, so that the struct does not end in padding. Never read: callers that were compiled before
   * this field had a name may leave any value in it.
   */
  uint32_t reserved;
} steer_call;

/* --- Backend metrics ------------------------------------------------------------------------- */

/* A named number in a load report. */
typedef struct steer_metric {
  /*
   * `sizeof(steer_metric)`. It is the same in all elements of an array, and is the distance from
   * one element to the next.
   */
  size_t struct_size;
  /* The name. */
  struct steer_str name;
  /* The value. */
  double value;
} steer_metric;

/*
 * A load report that a backend sent with a call (ORCA, gRFC A51). Fields that it did not report
 * are 0.
 */
typedef struct steer_metrics {
  /* `sizeof(steer_metrics)`. */
  size_t struct_size;
  /* CPU utilization; may be above 1. */
  double cpu_utilization;
  /* Memory utilization, 0 to 1. */
  double mem_utilization;
  /* The application's own measure of its load; may be above 1. */
  double application_utilization;
  /* Calls per second that the backend serves. */
  double qps;
  /* Calls per second that the backend answers with an error. */
  double eps;
  /* The costs of this call, by name. */
  const struct steer_metric *request_cost;
  /* The number of `request_cost` elements. */
  size_t request_cost_count;
  /* Utilization of other resources by name, 0 to 1. */
  const struct steer_metric *utilization;
  /* The number of `utilization` elements. */
  size_t utilization_count;
  /* Metrics that the application defines, by name. */
  const struct steer_metric *named;
  /* The number of `named` elements. */
  size_t named_count;
} steer_metrics;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* STEER_BASE_H */
