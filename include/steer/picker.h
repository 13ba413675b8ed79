/*
 * For authors of custom pickers and policies in C: small helpers on top of plugin.h. C11 and C++17.
 * Each helper is a few lines. They are optional.
 *
 *   static const steer_api *api;
 *
 *   static int32_t picker_new(void *instance, const void *config, const steer_backends *backends,
 *                             steer_wants *wants, void **picker) {
 *     *picker = (void *)backends;
 *     return 0;
 *   }
 *
 *   static steer_choice pick(const void *picker, const steer_call *call) {
 *     return steer_complete(0);
 *   }
 *
 *   static int32_t entry(const steer_api *engine) {
 *     const steer_picker_type first = {.struct_size = sizeof first, .name = STEER_TEXT("first"),
 *                                      .picker_new = picker_new, .pick = pick};
 *     api = engine;
 *     return api->register_picker(&first);
 *   }
 *
 *   STEER_PLUGIN(first_plugin, "first", "1.0", entry)
 *
 * A program that links this registers it by `steer_register_plugin(&first_plugin)` before
 * `steer::Register()`. `steer_load_plugin` loads it as a shared library.
 *
 * Contents
 *   Texts       STEER_TEXT, STEER_TEXT_INIT, steer_text, steer_text_equal, steer_text_copy
 *   Choices     steer_complete, steer_queue
 *   The call    STEER_HAS, steer_call_path, steer_call_request_hash, steer_call_header,
 *               steer_call_add_header, steer_wants_headers
 *   Backends    steer_backend_attribute, steer_backend_text, steer_backend_integer,
 *               steer_backend_has_address
 *   Reports     steer_metric_at, steer_metric_find, steer_metrics_named,
 *               steer_metrics_utilization, steer_metrics_request_cost
 *   Metrics     steer_counter_add, steer_gauge_set, steer_gauge_add, steer_histogram_record,
 *               steer_counter_release, steer_gauge_release, steer_histogram_release
 *   Configs     steer_json_field, steer_json_fault, steer_json_get_string, steer_json_get_bool,
 *               steer_json_get_integer, steer_json_get_number
 *   The plugin  STEER_PLUGIN
 *
 * It includes all of steer.h, because programs that include only this file use host.h, too.
 *
 * Must not include: anything of gRPC.
 */
#ifndef STEER_PICKER_H
#define STEER_PICKER_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steer/steer.h"

#if defined(__cplusplus) && defined(__cpp_exceptions)
#include <exception>
#endif

/* --- Texts ------------------------------------------------------------------------------- */

/* A string literal as a steer_str. */
#ifdef __cplusplus
#define STEER_TEXT(literal) (steer_str STEER_TEXT_INIT(literal))
#else
#define STEER_TEXT(literal) ((steer_str)STEER_TEXT_INIT(literal))
#endif

/* The same, to initialise static objects. */
#define STEER_TEXT_INIT(literal) \
  { "" literal, sizeof("" literal) - 1 }

/* A NUL-terminated string as a steer_str, valid as long as the string. NULL is the empty text. */
static inline steer_str steer_text(const char *string) {
  steer_str text;
  text.data = string;
  text.length = string == NULL ? 0 : strlen(string);
  return text;
}

static inline int steer_text_equal(steer_str a, steer_str b) {
  return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/*
 * Copies a text into memory of malloc, with a NUL after it. Free it by `free((char *)copy.data)`.
 * Copy a config's texts, because they are valid during `config_new` only. `data` is NULL if there
 * is no memory.
 */
static inline steer_str steer_text_copy(steer_str text) {
  steer_str copy = {NULL, 0};
  char *bytes = (char *)malloc(text.length + 1);
  if (bytes == NULL) return copy;
  if (text.length > 0) memcpy(bytes, text.data, text.length);
  bytes[text.length] = '\0';
  copy.data = bytes;
  copy.length = text.length;
  return copy;
}

/* --- Choices. steer_api makes the others -------------------------------------------------- */

/* Send the call to the backend of this index. */
static inline steer_choice steer_complete(uint64_t backend) {
  steer_choice choice;
  choice.kind = STEER_CHOICE_COMPLETE;
  choice.value = backend;
  return choice;
}

/* Let the call wait for the next picker. */
static inline steer_choice steer_queue(void) {
  steer_choice choice;
  choice.kind = STEER_CHOICE_QUEUE;
  choice.value = 0;
  return choice;
}

/* Leave the call to the child of this index in `steer_publication.children`. */
static inline steer_choice steer_child(uint64_t child) {
  steer_choice choice;
  choice.kind = STEER_CHOICE_CHILD;
  choice.value = child;
  return choice;
}

/* --- The call ----------------------------------------------------------------------------- */

/* Whether the maker of this struct knows a field that came after version 1. */
#define STEER_HAS(struct_pointer, field) \
  ((struct_pointer)->struct_size >=      \
   (size_t)((const char *)(&(struct_pointer)->field + 1) - (const char *)(struct_pointer)))

/* "/service/method". Empty unless the picker wants STEER_WANTS_PATH. */
static inline steer_str steer_call_path(const steer_call *call) {
  steer_str none = {NULL, 0};
  return call == NULL ? none : call->path;
}

/*
 * Returns 1 and writes the hash that an xDS route gives the call. Returns 0 if there is none, or if
 * the picker does not want STEER_WANTS_REQUEST_HASH.
 */
static inline int steer_call_request_hash(const steer_call *call, uint64_t *hash) {
  if (call == NULL || !STEER_HAS(call, has_request_hash) || call->has_request_hash == 0) return 0;
  *hash = call->request_hash;
  return 1;
}

/*
 * Finds a header that the picker has declared. Returns 1 and writes its value, valid until the pick
 * ends. Returns 0 if the call has no such header.
 */
static inline int steer_call_header(const steer_call *call, steer_str name, steer_str *value) {
  if (call == NULL || !STEER_HAS(call, header) || call->header == NULL) return 0;
  return call->header(call->ctx, name, value) != 0;
}

/* Adds a header to the call, if this pick completes. Returns 1 if it was taken. */
static inline int steer_call_add_header(const steer_call *call, steer_str name, steer_str value) {
  if (call == NULL || !STEER_HAS(call, add_header) || call->add_header == NULL) return 0;
  return call->add_header(call->ctx, name, value) != 0;
}

/*
 * Declares the headers that the picker reads. The array and its texts must be valid until
 * `picker_new` has returned: keep them in the config or the picker, or make them static.
 */
static inline void steer_wants_headers(steer_wants *wants, const steer_str *headers, size_t count) {
  wants->bits |= STEER_WANTS_HEADERS;
  wants->headers = headers;
  wants->header_count = count;
}

/* --- Backends ----------------------------------------------------------------------------- */

/* The resolver's attribute with this key. NULL: there is none. */
static inline const steer_attribute *steer_backend_attribute(const steer_backend *backend,
                                                             steer_str key) {
  size_t i;
  for (i = 0; i < backend->attribute_count; ++i) {
    if (steer_text_equal(backend->attributes[i]->key, key)) return backend->attributes[i];
  }
  return NULL;
}

/* The same for attributes that are texts. Returns 1 and writes the text to `*value`. */
static inline int steer_backend_text(const steer_backend *backend, steer_str key,
                                     steer_str *value) {
  const steer_attribute *attribute = steer_backend_attribute(backend, key);
  if (attribute == NULL || attribute->kind != STEER_ATTRIBUTE_TEXT) return 0;
  *value = attribute->text;
  return 1;
}

/* The same for attributes that are integers. */
static inline int steer_backend_integer(const steer_backend *backend, steer_str key,
                                        int64_t *value) {
  const steer_attribute *attribute = steer_backend_attribute(backend, key);
  if (attribute == NULL || attribute->kind != STEER_ATTRIBUTE_INTEGER) return 0;
  *value = attribute->integer;
  return 1;
}

/* Whether this is one of its addresses, as gRPC writes them ("ipv4:10.0.0.1:80"). */
static inline int steer_backend_has_address(const steer_backend *backend, steer_str address) {
  size_t i;
  for (i = 0; i < backend->address_count; ++i) {
    if (steer_text_equal(backend->addresses[i], address)) return 1;
  }
  return 0;
}

/* --- Load reports of backends --------------------------------------------------------------- */

/* The number at this place of a list in a report. The engine's elements may be longer than ours. */
static inline const steer_metric *steer_metric_at(const steer_metric *first, size_t index) {
  return (const steer_metric *)((const char *)first + index * first->struct_size);
}

/* Finds a number in a list of a report by its name. Returns 1 and writes it to `*value`. */
static inline int steer_metric_find(const steer_metric *first, size_t count, steer_str name,
                                    double *value) {
  size_t i;
  for (i = 0; i < count; ++i) {
    const steer_metric *metric = steer_metric_at(first, i);
    if (!steer_text_equal(metric->name, name)) continue;
    *value = metric->value;
    return 1;
  }
  return 0;
}

/*
 * Finds one of the application's own numbers in a report. Returns 1 and writes it. Returns 0 if it
 * is not in the report, or if there is no report (NULL).
 */
static inline int steer_metrics_named(const steer_metrics *report, steer_str name, double *value) {
  return report != NULL && steer_metric_find(report->named, report->named_count, name, value);
}

/* The same for the used share of a resource, from 0 to 1. */
static inline int steer_metrics_utilization(const steer_metrics *report, steer_str name,
                                            double *value) {
  return report != NULL &&
         steer_metric_find(report->utilization, report->utilization_count, name, value);
}

/* The same for a cost of the call that the report came with. */
static inline int steer_metrics_request_cost(const steer_metrics *report, steer_str name,
                                             double *value) {
  return report != NULL &&
         steer_metric_find(report->request_cost, report->request_cost_count, name, value);
}

/* --- Custom metrics. steer_api.counter_new and its like make them --------------------------
 *
 * The functions do nothing for NULL, so that a metric that could not be made needs no test.
 */

static inline void steer_counter_add(const steer_counter *counter, uint64_t number) {
  if (counter != NULL) counter->add(counter, number);
}

static inline void steer_gauge_set(const steer_gauge *gauge, double number) {
  if (gauge != NULL) gauge->set(gauge, number);
}

static inline void steer_gauge_add(const steer_gauge *gauge, double number) {
  if (gauge != NULL) gauge->add(gauge, number);
}

static inline void steer_histogram_record(const steer_histogram *histogram, double value) {
  if (histogram != NULL) histogram->record(histogram, value);
}

static inline void steer_counter_release(steer_counter *counter) {
  if (counter != NULL) counter->release(counter);
}

static inline void steer_gauge_release(steer_gauge *gauge) {
  if (gauge != NULL) gauge->release(gauge);
}

static inline void steer_histogram_release(steer_histogram *histogram) {
  if (histogram != NULL) histogram->release(histogram);
}

/* --- Configs ------------------------------------------------------------------------------
 *
 * Fields of an object, for `config_new`. A field that is absent or null does not change `*value`.
 * So store the default there first. A field of another kind or out of range is reported as a fault,
 * and does not change `*value` either. The functions return 1 unless they reported a fault.
 */

/* The value of `field`. NULL if it is absent or null. */
static inline const steer_json *steer_json_field(const steer_api *api, const steer_json *object,
                                                 const char *field) {
  const steer_json *json = api->json_get(object, steer_text(field));
  return json != NULL && api->json_kind(json) != STEER_JSON_NULL ? json : NULL;
}

static inline int steer_json_fault(const steer_api *api, steer_faults *faults, const char *field,
                                   const char *error) {
  api->config_fault(faults, steer_text(field), steer_text(error));
  return 0;
}

/* The text is valid during `config_new`. See steer_text_copy. */
static inline int steer_json_get_string(const steer_api *api, const steer_json *object,
                                        steer_faults *faults, const char *field, steer_str *value) {
  const steer_json *json = steer_json_field(api, object, field);
  if (json == NULL || api->json_string(json, value)) return 1;
  return steer_json_fault(api, faults, field, "must be a string");
}

static inline int steer_json_get_bool(const steer_api *api, const steer_json *object,
                                      steer_faults *faults, const char *field, int32_t *value) {
  const steer_json *json = steer_json_field(api, object, field);
  if (json == NULL || api->json_bool(json, value)) return 1;
  return steer_json_fault(api, faults, field, "must be true or false");
}

/* A whole number from `least` to `most`. */
static inline int steer_json_get_integer(const steer_api *api, const steer_json *object,
                                         steer_faults *faults, const char *field, int64_t *value,
                                         int64_t least, int64_t most) {
  char error[96];
  int64_t number;
  const steer_json *json = steer_json_field(api, object, field);
  if (json == NULL) return 1;
  if (api->json_integer(json, &number) && number >= least && number <= most) {
    *value = number;
    return 1;
  }
  snprintf(error, sizeof error, "must be a whole number from %lld to %lld", (long long)least,
           (long long)most);
  return steer_json_fault(api, faults, field, error);
}

/* A number from `least` to `most`. */
static inline int steer_json_get_number(const steer_api *api, const steer_json *object,
                                        steer_faults *faults, const char *field, double *value,
                                        double least, double most) {
  char error[96];
  double number;
  const steer_json *json = steer_json_field(api, object, field);
  if (json == NULL) return 1;
  if (api->json_number(json, &number) && number >= least && number <= most) {
    *value = number;
    return 1;
  }
  snprintf(error, sizeof error, "must be a number from %g to %g", least, most);
  return steer_json_fault(api, faults, field, error);
}

/*
 * The policy of a child: a list as `loadBalancingConfig` is. Absent: round robin. Returns 1 and
 * writes it, unless it reported a fault. It is valid as long as the config.
 */
static inline int steer_json_get_child(const steer_api *api, const steer_json *object,
                                       steer_faults *faults, const char *field,
                                       const steer_child_config **child) {
  const steer_str none = {NULL, 0};
  const steer_json *json = steer_json_field(api, object, field);
  *child = api->config_child(faults, steer_text(field), json ? api->json_text(json) : none);
  return *child != NULL;
}

/* --- The plugin --------------------------------------------------------------------------- */

#define STEER_QUOTE_(text) #text
#define STEER_QUOTE(text) STEER_QUOTE_(text)

/* The compiler, for messages about plugins that do not fit. */
#if defined(__clang__)
#define STEER_COMPILER __VERSION__
#elif defined(__GNUC__)
#define STEER_COMPILER "GCC " __VERSION__
#elif defined(_MSC_FULL_VER)
#define STEER_COMPILER "MSVC " STEER_QUOTE(_MSC_FULL_VER)
#else
#define STEER_COMPILER "an unknown compiler"
#endif
#ifdef __cplusplus
#define STEER_BUILD_FACTS STEER_COMPILER ", C++ " STEER_QUOTE(__cplusplus)
#else
#define STEER_BUILD_FACTS STEER_COMPILER ", C " STEER_QUOTE(__STDC_VERSION__)
#endif

#define STEER_PLUGIN_INIT(name, version, entry)                                            \
  {                                                                                        \
    STEER_PLUGIN_MAGIC, sizeof(struct steer_plugin), STEER_ABI_VERSION, sizeof(void *),    \
        sizeof(struct steer_api), sizeof(struct steer_picker_type),                        \
        sizeof(struct steer_policy_type), STEER_TEXT_INIT(name), STEER_TEXT_INIT(version), \
        STEER_TEXT_INIT(STEER_BUILD_FACTS), entry                                          \
  }

#ifdef __cplusplus
#define STEER_EXTERN_C extern "C"
#else
#define STEER_EXTERN_C extern
#endif

#ifdef __cplusplus
/*
 * For functions in headers: each library has its own copy. So the dynamic linker never replaces it
 * by one that was compiled with another release, or with other options.
 */
#ifndef STEER_LOCAL
#if defined(__GNUC__)
#define STEER_LOCAL __attribute__((visibility("hidden")))
#else
#define STEER_LOCAL
#endif
#endif

namespace steer {

/* Calls a plugin's entry. If it throws, the plugin is refused with the exception's text. */
template <int32_t (*kEntry)(const steer_api *)>
STEER_LOCAL int32_t CaughtEntry(const steer_api *api) noexcept {
#if defined(__cpp_exceptions)
  char text[1024];
  try {
    return kEntry(api);
  } catch (const std::exception &exception) {
    snprintf(text, sizeof text, "it threw an exception: %s", exception.what());
  } catch (...) {
    snprintf(text, sizeof text, "it threw something that is not a std::exception");
  }
  api->fault(steer_text(text));
  return 1;
#else
  return kEntry(api);
#endif
}

} /* namespace steer */

#define STEER_ENTRY(entry) ::steer::CaughtEntry<entry>
#else
#define STEER_ENTRY(entry) entry
#endif

/* Weak, so that a program can link several plugins. Nobody looks the block up there. */
#ifdef _MSC_VER
#define STEER_EXPORTED __declspec(dllexport) __declspec(selectany)
#else
#define STEER_EXPORTED __attribute__((visibility("default"), weak))
#endif

/*
 * Makes a plugin. Use it once in a shared library. `name` and `version` are string literals for
 * people, and `entry` is a function as `steer_plugin.entry`. The same source can be linked and
 * loaded. A program that links it declares `extern const struct steer_plugin symbol;` (in C++
 * `extern "C"`), and passes it to `steer_register_plugin`. A shared library exports it for
 * `steer_load_plugin`. In C++ an entry may throw, and the plugin is then refused.
 */
#define STEER_PLUGIN(symbol, name, version, entry)                                         \
  STEER_EXTERN_C const struct steer_plugin symbol;                                         \
  const struct steer_plugin symbol = STEER_PLUGIN_INIT(name, version, STEER_ENTRY(entry)); \
  STEER_EXTERN_C STEER_EXPORTED const struct steer_plugin steer_plugin_block;              \
  const struct steer_plugin steer_plugin_block =                                           \
      STEER_PLUGIN_INIT(name, version, STEER_ENTRY(entry));

#endif /* STEER_PICKER_H */
