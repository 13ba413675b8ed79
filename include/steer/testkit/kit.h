/* Part of testkit.h, which users include: the types, and STEER_CHECK. */
#ifndef STEER_TESTKIT_KIT_H
#define STEER_TESTKIT_KIT_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steer/picker.h"
#include "steer/steer.h"
#include "steer/virtual_host.h"

/* Not a backend of the list. */
#define STEER_TESTKIT_NONE SIZE_MAX

typedef struct steer_testkit {
  /* For the kit only. First, because the host's callbacks look for it here. */
  steer_virtual_host *host;

  /* The policy's latest state, a steer_state, and why calls fail. */
  int32_t state;
  int32_t code;
  char message[512];
  size_t publications;
  size_t reresolutions;
  size_t backoff_resets;
  /* The result of endpoint_new: STEER_OK, or a test's refusal. */
  int32_t refusal;
  /* The time between load reports out of band that the policy has asked for. 0: none. */
  uint64_t load_reports_ns;
  /* Virtual nanoseconds. */
  uint64_t now;

  /* For the kit only. */
  steer_policy *policy;
  steer_config *config;
  char *name;
  char **addresses;
  size_t address_count;
  size_t timers_started;
  int run_wanted;
  char **log;
  size_t log_count;
  pthread_mutex_t lock; /* protects the field below, and a run of conformance.h */
  int ended;
} steer_testkit;

/* Zeroed memory. Ends the process if there is none. */
static inline void *steer_testkit_memory(size_t size) {
  void *memory = calloc(1, size == 0 ? 1 : size);
  if (memory == NULL) abort();
  return memory;
}

static inline char *steer_testkit_string(steer_str text) {
  char *string = (char *)steer_text_copy(text).data;
  if (string == NULL) abort();
  return string;
}

static inline void steer_testkit_copy(char *to, size_t size, steer_str from) {
  const size_t length = from.length < size - 1 ? from.length : size - 1;
  if (length > 0) memcpy(to, from.data, length);
  to[length] = '\0';
}

/*
 * Checks a condition in each kind of build, also with NDEBUG, unlike assert(). If it is false,
 * prints it with file and line, and ends the process.
 */
#define STEER_CHECK(condition) \
  ((condition) ? (void)0 : steer_testkit_failed(#condition, __FILE__, __LINE__))

static inline void steer_testkit_failed(const char *condition, const char *file, int line) {
  fflush(stdout);
  fprintf(stderr, "%s:%d: STEER_CHECK failed: %s\n", file, line, condition);
  abort();
}

#endif /* STEER_TESTKIT_KIT_H */
