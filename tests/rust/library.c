// A library with a picker.

int library(void) { return 0; }
