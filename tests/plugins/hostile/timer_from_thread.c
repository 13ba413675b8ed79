/* Calls serialised functions, and those that wait for a turn, on its own thread and after the end.
 */
#define INSTANCE_NEW          \
  api->channel_hold(channel); \
  pthread_create(&thread, NULL, late, channel);
#define TABLE .instance_free = instance_free,

#include <pthread.h>
#include <steer/steer.h>

static pthread_t thread;
static void *late(void *channel);
static void instance_free(void *instance);

#include "base.h"

static void ask(const steer_channel *channel) {
  steer_publication publication = {.struct_size = sizeof publication, .state = STEER_READY};
  api->timer_cancel(channel, api->timer_start(channel, 0));
  api->rebuild(channel);
  api->wake(channel);
  api->request_reresolution(channel);
  api->endpoint_connect(channel, 1);
  api->endpoint_free(channel, 1);
  if (api->endpoint_new(channel, 0) != 0) abort();
  if (api->publish(channel, &publication) == STEER_OK) abort();
}

static void *late(void *channel) {
  ask(channel);
  return NULL;
}

static void instance_free(void *instance) {
  pthread_join(thread, NULL);
  ask(instance);
  if (api->timer_start(instance, 0) != 0 || api->wake(instance) != 0) abort();
  api->channel_release(instance);
}
