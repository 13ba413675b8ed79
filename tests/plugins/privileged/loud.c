/* A library that prints a line when its code runs. */
#include <stdio.h>

__attribute__((constructor)) static void Run(void) { puts("loaded"); }
