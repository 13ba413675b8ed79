/* A library that is not a plugin. */
int no_block(void);
int no_block(void) { return 0; }
