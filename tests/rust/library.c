// A library that brings a picker along.

int library(void) { return 0; }
