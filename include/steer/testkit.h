/*
 * For authors of custom pickers and policies: a host without gRPC. The test controls the time,
 * random numbers and the state of each connection. C11 and C++17. Needs POSIX threads and the
 * engine.
 *
 *   STEER_CHECK(steer_register_plugin(&my_plugin) == STEER_OK);
 *   steer_testkit *kit = steer_testkit_new("my_policy", "{\"zone\": \"a\"}", NULL);
 *   steer_testkit_use(kit, 3);             // ipv4:10.0.0.1:80 and so on
 *   steer_testkit_connect_all(kit);        // all of them are READY now
 *   steer_testkit_pick picked = steer_testkit_pick_one(kit, NULL);
 *   STEER_CHECK(picked.kind == STEER_PICK_COMPLETE && picked.backend == 0);
 *   steer_testkit_report(kit, 0, STEER_IDLE);  // its connection is lost
 *   ...
 *   STEER_CHECK(steer_testkit_free(kit) == 0);  // the policy gave all objects back
 *
 * To check the rules for all policies:
 *
 *   STEER_CHECK(steer_testkit_conformance("my_policy", "{}", NULL) == 0);
 *
 * Contents, with the header that has it:
 *   testkit/kit.h          steer_testkit, STEER_CHECK
 *   testkit/host.h         steer_testkit_host
 *   testkit/policy.h       steer_testkit_new, _with_host, _configure, _seed, _update,
 *                          _update_addresses, _use, _report, _load, _connect_all, _advance,
 *                          _settle, _faults, _fallen_back, _logged, _shutdown, _free
 *   testkit/calls.h        steer_testkit_pick_one, _start, _finish, _finish_with, _abandon,
 *                          _distribution
 *   testkit/conformance.h  steer_testkit_conformance
 * Include only this header. The others are parts of it.
 *
 * Threads: one at a time, except steer_testkit_pick_one and the functions for its calls, which may
 * run on any thread.
 *
 * Must not include: anything of gRPC.
 */
#ifndef STEER_TESTKIT_H
#define STEER_TESTKIT_H

#include "steer/picker.h"
#include "steer/steer.h"
#include "steer/testkit/calls.h"
#include "steer/testkit/conformance.h"
#include "steer/testkit/host.h"
#include "steer/testkit/kit.h"
#include "steer/testkit/policy.h"

#endif /* STEER_TESTKIT_H */
