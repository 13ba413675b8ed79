/* Steer without gRPC: a host in C. It makes a policy, sends it an update with three backends,
   reports them READY, and counts where six picks go. Must not depend on: anything except
   <steer/steer.h>. */
#include <stdio.h>
#include <stdlib.h>
#include <steer/steer.h>
#include <string.h>

enum { kBackends = 3, kPicks = 6 };

/* The policy's calls to its host. A backend's handle is its index in these arrays. */
struct host {
  uint64_t endpoints[kBackends];
  int connect_asked[kBackends];
  int handles[kBackends];
  int state;
  steer_picker* picker;
  int freed;
};

static int32_t EndpointNew(void* ctx, uint64_t endpoint, uint32_t index, void** handle) {
  struct host* host = ctx;
  host->endpoints[index] = endpoint;
  host->handles[index] = (int)index;
  *handle = &host->handles[index];
  return STEER_OK;
}

static void EndpointConnect(void* ctx, void* handle) {
  struct host* host = ctx;
  host->connect_asked[*(int*)handle] = 1;
}

static void EndpointFree(void* ctx, void* handle) {
  (void)ctx;
  (void)handle;
}

static void ConnectionFree(void* ctx, void* connection) {
  (void)ctx;
  (void)connection;
}

static void UpdateState(void* ctx, int32_t state, int32_t code, steer_str message,
                        steer_picker* picker) {
  struct host* host = ctx;
  (void)code;
  (void)message;
  steer_picker_free(host->picker);
  host->picker = picker;
  host->state = state;
}

static void RequestReresolution(void* ctx) { (void)ctx; }

static void HostFree(void* ctx) { ((struct host*)ctx)->freed = 1; }

static steer_str Str(const char* text) {
  steer_str str = {text, strlen(text)};
  return str;
}

static void Require(int holds, const char* what) {
  if (!holds) {
    fprintf(stderr, "c_interface: %s\n", what);
    exit(1);
  }
}

int main(void) {
  Require(steer_abi_version() >= STEER_ABI_VERSION, "the library is older than the header");

  struct host host;
  memset(&host, 0, sizeof(host));
  steer_host table;
  memset(&table, 0, sizeof(table));
  table.struct_size = sizeof(table);
  table.ctx = &host;
  table.ctx_free = HostFree;
  table.endpoint_new = EndpointNew;
  table.endpoint_connect = EndpointConnect;
  table.endpoint_free = EndpointFree;
  table.connection_free = ConnectionFree;
  table.update_state = UpdateState;
  table.request_reresolution = RequestReresolution;

  steer_policy* policy = NULL;
  Require(steer_policy_new(Str("steer_round_robin"), &table, &policy) == STEER_OK, "no policy");

  const steer_str addresses[kBackends] = {Str("ipv4:127.0.0.1:1"), Str("ipv4:127.0.0.1:2"),
                                          Str("ipv4:127.0.0.1:3")};
  steer_endpoint endpoints[kBackends];
  memset(endpoints, 0, sizeof(endpoints));
  for (int i = 0; i < kBackends; ++i) {
    endpoints[i].struct_size = sizeof(endpoints[i]);
    endpoints[i].addresses = &addresses[i];
    endpoints[i].address_count = 1;
  }
  steer_update update;
  memset(&update, 0, sizeof(update));
  update.struct_size = sizeof(update);
  update.endpoints = endpoints;
  update.endpoint_count = kBackends;
  Require(steer_policy_update(policy, &update, NULL, NULL) == STEER_OK, "no update");

  for (int i = 0; i < kBackends; ++i) {
    steer_endpoint_report report;
    memset(&report, 0, sizeof(report));
    report.struct_size = sizeof(report);
    report.state = STEER_IDLE;
    Require(steer_policy_endpoint_report(policy, host.endpoints[i], &report) == STEER_OK,
            "no report");
    Require(host.connect_asked[i], "no connection was asked for");
    report.state = STEER_READY;
    report.connection = &host.handles[i];
    Require(steer_policy_endpoint_report(policy, host.endpoints[i], &report) == STEER_OK,
            "no report");
  }
  Require(host.state == STEER_READY, "not ready");

  int counts[kBackends] = {0};
  for (int i = 0; i < kPicks; ++i) {
    const steer_picked picked = steer_picker_pick(host.picker, NULL);
    Require(picked.kind == STEER_PICK_COMPLETE, "the pick has no backend");
    ++counts[*(int*)picked.value];
  }
  for (int i = 0; i < kBackends; ++i) {
    Require(counts[i] == kPicks / kBackends, "the picks are not even");
  }

  steer_policy_free(policy);
  steer_picker_free(host.picker);
  Require(host.freed, "the host was not freed");
  const steer_str version = steer_version();
  printf("steer %.*s: %d picks over %d backends\n", (int)version.length, version.data, kPicks,
         kBackends);
  return 0;
}
