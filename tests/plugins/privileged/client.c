/* Loads the plugins of STEER_PLUGINS. Prints whether the process has more rights than the one that
 * started it, according to the kernel. */
#include <stdio.h>
#include <steer/steer.h>
#include <sys/auxv.h>

int main(void) {
  printf("privileged=%lu\n", getauxval(AT_SECURE));
  fflush(stdout);
  printf("status=%d\n", (int)steer_load_plugins());
  return 0;
}
