/* A library that has nothing to do with Steer. */
int no_block(void);
int no_block(void) { return 0; }
