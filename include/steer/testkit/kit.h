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

/* Not a backend of the list. */
#define STEER_TESTKIT_NONE SIZE_MAX

/* An endpoint that the policy has made. */
typedef struct steer_testkit_endpoint {
  uint64_t number;
  char *address;
  /* The state that was reported last. -1: none yet. */
  int32_t state;
  /* The state to report first. */
  int32_t first;
  /* Whether the policy has asked for a connection that does not exist yet. */
  int asked;
  /* The connection of the last report of READY. The endpoint does not own it: compared only. */
  const void *connection;
  struct steer_testkit_endpoint *next;
} steer_testkit_endpoint;

/* A connection, as pickers complete with it. */
typedef struct steer_testkit_connection {
  char *address;
} steer_testkit_connection;

/* A picker, and the number of its users. */
typedef struct steer_testkit_picker {
  steer_picker *picker;
  size_t uses;
} steer_testkit_picker;

typedef struct steer_testkit_timer {
  uint64_t number;
  uint64_t due;
} steer_testkit_timer;

typedef struct steer_testkit {
  /* The policy's latest state, a steer_state, and why calls fail. */
  int32_t state;
  int32_t code;
  char message[512];
  size_t publications;
  size_t reresolutions;
  size_t backoff_resets;
  /* The result of endpoint_new: STEER_OK, or a test's refusal. */
  int32_t refusal;
  /* Virtual nanoseconds. */
  uint64_t now;

  /* For the kit only. */
  steer_policy *policy;
  steer_config *config;
  char *name;
  char **addresses;
  size_t address_count;
  steer_testkit_endpoint *endpoints;
  size_t fresh;
  steer_testkit_timer *timers;
  size_t timer_count;
  pthread_mutex_t lock; /* protects the fields below, and `now` */
  steer_testkit_picker *current;
  size_t connections;
  uint64_t random;
  int run_wanted;
  int ended;
  char **log;
  size_t log_count;
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
