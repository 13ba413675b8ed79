/* Functions that the code of rustc's LLVM calls under ThreadSanitizer. GCC's runtime has only the
 * interceptors of memcpy and the like, which these functions reach. Weak, because Clang's runtime
 * has the functions, too. */
#include <stddef.h>
#include <string.h>

#define WEAK __attribute__((weak))

void *__tsan_memcpy(void *to, const void *from, size_t size);
void *__tsan_memmove(void *to, const void *from, size_t size);
void *__tsan_memset(void *to, int byte, size_t size);

WEAK void *__tsan_memcpy(void *to, const void *from, size_t size) { return memcpy(to, from, size); }
WEAK void *__tsan_memmove(void *to, const void *from, size_t size) {
  return memmove(to, from, size);
}
WEAK void *__tsan_memset(void *to, int byte, size_t size) { return memset(to, byte, size); }
