// The greeter's client as a function, for programs that register a picker of their own before it.
#ifndef STEER_EXAMPLES_GREETER_CLIENT_H
#define STEER_EXAMPLES_GREETER_CLIENT_H

#ifdef __cplusplus
extern "C" {
#endif

// All of greeter_client's main(): its flags are read, its calls are made. Returns the exit status.
int greeter_client_main(int argc, char** argv);

#ifdef __cplusplus
}
#endif

#endif  // STEER_EXAMPLES_GREETER_CLIENT_H
