/* A client of gRPC's C core, without Steer and libgrpc++: core_client <target> <service config>.
 * Prints "policy=<name of the policy that its channel uses>". */
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <stdio.h>
#include <string.h>

/* Later gRPC versions declare grpc_insecure_credentials_create() here. */
#if __has_include(<grpc/credentials.h>)
#include <grpc/credentials.h>
#endif

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  grpc_init();
  grpc_arg arg;
  memset(&arg, 0, sizeof(arg));
  arg.type = GRPC_ARG_STRING;
  arg.key = (char *)GRPC_ARG_SERVICE_CONFIG;
  arg.value.string = argv[2];
  const grpc_channel_args args = {1, &arg};
  grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
  grpc_channel *channel = grpc_channel_create(argv[1], credentials, &args);
  grpc_channel_credentials_release(credentials);
  grpc_completion_queue *queue = grpc_completion_queue_create_for_next(NULL);
  grpc_connectivity_state state = grpc_channel_check_connectivity_state(channel, 1);
  for (int i = 0; i < 100 && state != GRPC_CHANNEL_READY; ++i) {
    const gpr_timespec soon =
        gpr_time_add(gpr_now(GPR_CLOCK_REALTIME), gpr_time_from_millis(200, GPR_TIMESPAN));
    grpc_channel_watch_connectivity_state(channel, state, soon, queue, NULL);
    grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL);
    state = grpc_channel_check_connectivity_state(channel, 1);
  }
  grpc_channel_info info = {NULL, NULL};
  char *name = NULL;
  info.lb_policy_name = &name;
  grpc_channel_get_info(channel, &info);
  printf("policy=%s\n", name == NULL ? "" : name);
  fflush(stdout);
  gpr_free(name);
  grpc_channel_destroy(channel);
  grpc_completion_queue_shutdown(queue);
  while (grpc_completion_queue_next(queue, gpr_inf_future(GPR_CLOCK_REALTIME), NULL).type !=
         GRPC_QUEUE_SHUTDOWN) {
  }
  grpc_completion_queue_destroy(queue);
  grpc_shutdown();
  return state == GRPC_CHANNEL_READY ? 0 : 1;
}
