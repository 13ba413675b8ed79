// Linked into every program that links steer-grpc-autoregister, to refer to a symbol of it.
// Otherwise a linker that drops unreferenced libraries (--as-needed, the default of many
// distributions) would drop it.
extern "C" char steer_grpc_autoregister;

__attribute__((used, visibility("hidden"))) char* steer_grpc_autoregister_anchor =
    &steer_grpc_autoregister;
