/* Part of testkit.h, which users include: the engine's virtual host, as the kit uses it. */
#ifndef STEER_TESTKIT_HOST_H
#define STEER_TESTKIT_HOST_H

#include "steer/testkit/kit.h"

static inline void steer_testkit_host_ctx_free(void *ctx) {
  steer_testkit *kit = (steer_testkit *)ctx;
  pthread_mutex_lock(&kit->lock);
  kit->ended++;
  pthread_mutex_unlock(&kit->lock);
}

static inline int32_t steer_testkit_host_endpoint_new(void *ctx, uint64_t number, uint32_t index,
                                                      void **handle) {
  const steer_testkit *kit = (const steer_testkit *)ctx;
  if (kit->refusal != STEER_OK) return kit->refusal;
  return steer_virtual_host_callbacks()->endpoint_new(ctx, number, index, handle);
}

/*
 * The callbacks of the kit's host. Tests may change them: see steer_testkit_with_host. The ctx is
 * the kit.
 */
static inline steer_host steer_testkit_host(void) {
  const steer_host *callbacks = steer_virtual_host_callbacks();
  const size_t known = callbacks->struct_size;
  steer_host host;
  memset(&host, 0, sizeof host);
  memcpy(&host, callbacks, known < sizeof host ? known : sizeof host);
  host.struct_size = sizeof host;
  host.ctx_free = steer_testkit_host_ctx_free;
  host.endpoint_new = steer_testkit_host_endpoint_new;
  return host;
}

/* The first endpoint after the one with this number. Returns 0 if there is none. */
static inline int steer_testkit_endpoint_after(const steer_testkit *kit, uint64_t number,
                                               steer_virtual_endpoint *endpoint) {
  memset(endpoint, 0, sizeof *endpoint);
  endpoint->struct_size = sizeof *endpoint;
  return steer_virtual_host_endpoint(kit->host, number, endpoint) == STEER_OK;
}

/* Notes what the engine has asked for. */
static inline void steer_testkit_take_requests(steer_testkit *kit) {
  steer_virtual_request request;
  memset(&request, 0, sizeof request);
  request.struct_size = sizeof request;
  while (steer_virtual_host_request(kit->host, &request)) {
    switch (request.kind) {
      case STEER_REQUEST_STATE:
        kit->state = request.state;
        kit->code = request.code;
        steer_testkit_copy(kit->message, sizeof kit->message, request.text);
        kit->publications++;
        break;
      case STEER_REQUEST_RERESOLVE:
        kit->reresolutions++;
        break;
      case STEER_REQUEST_RESET_BACKOFF:
        kit->backoff_resets++;
        break;
      case STEER_REQUEST_LOAD_REPORTS:
        kit->load_reports_ns = request.ns;
        break;
      case STEER_REQUEST_RUN_LATER:
        kit->run_wanted = 1;
        break;
      case STEER_REQUEST_TIMER_START:
        kit->timers_started++;
        break;
      case STEER_REQUEST_LOG:
        kit->log = (char **)realloc(kit->log, (kit->log_count + 1) * sizeof *kit->log);
        if (kit->log == NULL) abort();
        kit->log[kit->log_count++] = steer_testkit_string(request.text);
        break;
      default: /* the host knows which endpoints exist, and which shall connect */
        break;
    }
  }
}

#endif /* STEER_TESTKIT_HOST_H */
