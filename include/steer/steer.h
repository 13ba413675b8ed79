/*
 * The whole C ABI of Steer's engine: load-balancing policies for gRPC C++, written in Rust.
 * Generated from src/ffi and crates/steer-abi/src; do not edit. docs/ABI.md has the rules that hold
 * for every function and struct: threads, ownership, NULLs, growth.
 *
 * The comment of each function begins with a tag for its threads. [any thread]: on any thread, also
 * on many at once. [any thread, one at a time]: on any thread, but not on two at once for one
 * object. [serialised]: for one policy, never on two threads at once: within the host's work
 * serializer.
 *
 * Contents
 *   base.h
 *     Texts; Statuses and errors; Versions; Connectivity states; gRPC status codes; Log lines;
 *     Attributes of endpoints; Calls; Backend metrics
 *   plugin.h
 *     Handles; Backends; Choices; Ends of calls; Custom metrics; Configs; Faults; Custom pickers;
 *     Custom policies; The engine's functions for plugins; Plugins; Registering and loading; Taking
 *     over names of gRPC's policies
 *   host.h
 *     Handles; Configs; Picks; Pickers; Tracked calls; The host's callbacks; Updates and reports;
 *     Policies; Statistics; Several engines in one process
 */
#ifndef STEER_STEER_H
#define STEER_STEER_H

#include "steer/base.h"
#include "steer/host.h"
#include "steer/plugin.h"

#endif /* STEER_STEER_H */
