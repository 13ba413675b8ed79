/* Part of testkit.h, which users include: the rules for all policies. */
#ifndef STEER_TESTKIT_CONFORMANCE_H
#define STEER_TESTKIT_CONFORMANCE_H

#include "steer/testkit/calls.h"
#include "steer/testkit/kit.h"
#include "steer/testkit/policy.h"

typedef struct steer_testkit_options {
  /* Selects the sequence of lists, states and calls. */
  uint64_t seed;
  /* The number of steps. 0: 2,000. */
  size_t steps;
  /* The number of threads that pick meanwhile. 0: 4. */
  size_t threads;
} steer_testkit_options;

#define STEER_TESTKIT_MOST_BACKENDS 64
#define STEER_TESTKIT_OPEN_CALLS 32

/* One run. The kit's lock protects what its threads share. */
typedef struct steer_testkit_run {
  steer_testkit *kit;
  const char *policy;
  uint64_t random;
  size_t violations;
  size_t picks;
  int stop;
  /* Calls that have not ended. Some never end before the policy does. */
  steer_testkit_pick open[STEER_TESTKIT_OPEN_CALLS];
} steer_testkit_run;

/* SplitMix64: a sequence that is the same in each run. */
static inline uint64_t steer_testkit_next_random(uint64_t *state) {
  uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

static inline void steer_testkit_violation(steer_testkit_run *run, const char *what,
                                           const char *detail) {
  pthread_mutex_lock(&run->kit->lock);
  if (run->violations++ < 10) {
    fprintf(stderr, "%s breaks a rule for policies: %s%s%s\n", run->policy, what,
            *detail == '\0' ? "" : ": ", detail);
  }
  pthread_mutex_unlock(&run->kit->lock);
}

/* Picks for a random call. */
static inline steer_testkit_pick steer_testkit_some_pick(steer_testkit_run *run, uint64_t *random,
                                                         int anywhere) {
  static const char *const paths[] = {"", "/helloworld.Greeter/SayHello", "/x/y", "no path at all"};
  static const char *const values[] = {NULL, "", "a", "ipv4:10.0.0.1:80", "\xff\xfe", "a,b,c"};
  steer_testkit_call call;
  steer_testkit_pick picked;
  const void *connection;
  call.path = paths[steer_testkit_next_random(random) % 4];
  call.headers = NULL;
  /* About one call in four has no hash. */
  call.request_hash = steer_testkit_next_random(random);
  call.has_request_hash = steer_testkit_next_random(random) % 4 != 0;
  call.any_header = values[steer_testkit_next_random(random) % 6];
  picked = anywhere ? steer_testkit_pick_anywhere(run->kit, &call, &connection)
                    : steer_testkit_pick_one(run->kit, &call);
  if (picked.kind < STEER_PICK_COMPLETE || picked.kind > STEER_PICK_TRACKED) {
    steer_testkit_violation(run, "a pick returned a kind that does not exist", "");
  }
  if ((picked.kind == STEER_PICK_FAIL || picked.kind == STEER_PICK_DROP) &&
      (picked.code < 1 || picked.code > 16)) {
    steer_testkit_violation(run, "a call failed with a code that is not a gRPC status",
                            picked.message);
  }
  if (!anywhere && picked.address[0] != '\0' && !picked.ready) {
    steer_testkit_violation(run, "a call went to a backend that is not READY", picked.address);
  }
  return picked;
}

/* Keeps a tracked call open, started or not. An older call ends instead, finished or abandoned. */
static inline void steer_testkit_keep_open(steer_testkit_pick *open, uint64_t *random,
                                           const steer_testkit_pick *picked) {
  const uint64_t chance = steer_testkit_next_random(random);
  steer_testkit_pick *place = &open[chance % STEER_TESTKIT_OPEN_CALLS];
  if (picked->tracker == NULL) return;
  if (place->tracker != NULL) {
    if (chance >> 32 & 1) {
      steer_testkit_finish(place, (int32_t)(chance >> 40 & 15));
    } else {
      steer_testkit_abandon(place);
    }
  }
  *place = *picked;
  if (chance >> 33 & 3) steer_testkit_start(place);
}

static inline void steer_testkit_abandon_all(steer_testkit_pick *open) {
  size_t i;
  for (i = 0; i < STEER_TESTKIT_OPEN_CALLS; ++i) {
    if (open[i].tracker != NULL) steer_testkit_abandon(&open[i]);
  }
}

static inline void *steer_testkit_picking_thread(void *argument) {
  steer_testkit_run *run = (steer_testkit_run *)argument;
  steer_testkit_pick open[STEER_TESTKIT_OPEN_CALLS];
  uint64_t random;
  int stop;
  memset(open, 0, sizeof open);
  random = steer_virtual_host_callbacks()->random(run->kit);
  do {
    const steer_testkit_pick picked = steer_testkit_some_pick(run, &random, 1);
    steer_testkit_keep_open(open, &random, &picked);
    pthread_mutex_lock(&run->kit->lock);
    run->picks++;
    stop = run->stop;
    pthread_mutex_unlock(&run->kit->lock);
  } while (!stop);
  steer_testkit_abandon_all(open);
  return NULL;
}

/* A random list of backends. Some may be in it twice. */
static inline void steer_testkit_some_list(steer_testkit_run *run) {
  static const size_t sizes[] = {0, 1, 1, 2, 3, 5, STEER_TESTKIT_MOST_BACKENDS};
  const size_t count = sizes[steer_testkit_next_random(&run->random) % 7];
  char texts[STEER_TESTKIT_MOST_BACKENDS][32];
  const char *addresses[STEER_TESTKIT_MOST_BACKENDS];
  size_t i;
  for (i = 0; i < count; ++i) {
    steer_testkit_address(steer_testkit_next_random(&run->random) % (count + 2), texts[i],
                          sizeof texts[i]);
    addresses[i] = texts[i];
  }
  steer_testkit_update_addresses(run->kit, addresses, count);
}

/* A random event of a channel, and some picks after it. */
static inline void steer_testkit_step(steer_testkit_run *run) {
  steer_testkit *kit = run->kit;
  const uint64_t chance = steer_testkit_next_random(&run->random);
  const size_t some = kit->address_count == 0 ? 0 : (size_t)(chance >> 32) % kit->address_count;
  size_t i;
  switch (chance % 8) {
    case 0:
      steer_testkit_some_list(run);
      break;
    case 1:
      steer_testkit_connect_all(kit);
      break;
    case 2:
      steer_testkit_advance(kit, (chance >> 20) % UINT64_C(20000000000));
      break;
    default:
      steer_testkit_report(kit, some, (int32_t)(chance >> 16 & 3));
      break;
  }
  for (i = 0; i < 5; ++i) {
    const steer_testkit_pick picked = steer_testkit_some_pick(run, &run->random, 0);
    steer_testkit_keep_open(run->open, &run->random, &picked);
  }
  steer_testkit_settle(kit);
}

/*
 * Checks the rules for all policies. A policy completes with READY backends only. It works with
 * lists of no, one and many backends, with and without repetitions. It works through any sequence
 * of states, updates and timers while many threads pick. It has no faults. It gives back all
 * objects, also when calls never finish or outlive it. Returns the number of violations, and prints
 * them to stderr. `options` may be NULL.
 */
static inline size_t steer_testkit_conformance(const char *policy, const char *config,
                                               const steer_testkit_options *options) {
  steer_testkit_run run;
  steer_testkit_pick picked;
  steer_string *error = NULL;
  pthread_t threads[64];
  const size_t steps = options != NULL && options->steps > 0 ? options->steps : 2000;
  size_t wanted = options != NULL && options->threads > 0 ? options->threads : 4;
  size_t started = 0, i, left;
  char faults[64];
  memset(&run, 0, sizeof run);
  run.policy = policy;
  run.random = options == NULL ? 0 : options->seed;
  run.kit = steer_testkit_new(policy, config, &error);
  if (run.kit == NULL) {
    const steer_str text = steer_string_text(error);
    fprintf(stderr, "%s cannot be made: %.*s\n", policy, (int)text.length, text.data);
    steer_string_free(error);
    return 1;
  }
  steer_testkit_seed(run.kit, run.random + 1);

  /* One backend after another becomes READY and leaves. */
  for (i = 0; i <= 3; ++i) {
    size_t backend;
    steer_testkit_use(run.kit, i);
    for (backend = 0; backend < 2 * i; ++backend) {
      steer_testkit_report(run.kit, backend % i, backend < i ? STEER_READY : STEER_IDLE);
      picked = steer_testkit_some_pick(&run, &run.random, 0);
      steer_testkit_keep_open(run.open, &run.random, &picked);
    }
  }
  if (wanted > sizeof threads / sizeof *threads) wanted = sizeof threads / sizeof *threads;
  while (started < wanted &&
         pthread_create(&threads[started], NULL, steer_testkit_picking_thread, &run) == 0) {
    started++;
  }
  for (i = 0; i < steps; ++i) steer_testkit_step(&run);
  snprintf(faults, sizeof faults, "%llu faults", (unsigned long long)steer_testkit_faults(run.kit));
  if (steer_testkit_faults(run.kit) > 0) {
    steer_testkit_violation(&run, "it has faults", faults);
    for (i = 0; i < run.kit->log_count && i < 5; ++i) fprintf(stderr, "  %s\n", run.kit->log[i]);
  }

  /* The policy ends before its last picks, and these before their calls. */
  steer_testkit_shutdown(run.kit);
  pthread_mutex_lock(&run.kit->lock);
  run.stop = 1;
  pthread_mutex_unlock(&run.kit->lock);
  for (i = 0; i < started; ++i) pthread_join(threads[i], NULL);
  steer_virtual_host_drop_picker(run.kit->host);
  steer_testkit_abandon_all(run.open);
  left = steer_testkit_free(run.kit);
  if (left > 0) {
    fprintf(stderr, "%s did not give back %llu objects\n", policy, (unsigned long long)left);
    run.violations++;
  }
  return run.violations;
}

#endif /* STEER_TESTKIT_CONFORMANCE_H */
