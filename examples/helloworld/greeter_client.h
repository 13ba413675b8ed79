// The greeter's client as a function, for programs that register a custom picker first.
#ifndef STEER_EXAMPLES_GREETER_CLIENT_H
#define STEER_EXAMPLES_GREETER_CLIENT_H

#ifdef __cplusplus
extern "C" {
#endif

// Parses the flags and makes the calls, as the program greeter_client. Returns the exit status.
int greeter_client_main(int argc, char** argv);

#ifdef __cplusplus
}
#endif

#endif  // STEER_EXAMPLES_GREETER_CLIENT_H
