/* Loads what the environment says. Prints whether the kernel says that it has more rights than the
 * process that started it. */
#include <stdio.h>
#include <steer/steer.h>
#include <sys/auxv.h>

int main(void) {
  printf("privileged=%lu\n", getauxval(AT_SECURE));
  fflush(stdout);
  printf("status=%d\n", (int)steer_load_plugins());
  return 0;
}
