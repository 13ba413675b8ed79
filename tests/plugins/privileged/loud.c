/* A library that says so when its code runs. */
#include <stdio.h>

__attribute__((constructor)) static void Run(void) { puts("loaded"); }
