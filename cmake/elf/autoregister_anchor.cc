// Goes into every program that links steer-grpc-autoregister, and refers to something in it: a
// linker that drops libraries without a reference (--as-needed, the default of many distributions)
// would otherwise drop it. Must not know what it refers to.
extern "C" char steer_grpc_autoregister;

__attribute__((used, visibility("hidden"))) char* steer_grpc_autoregister_anchor =
    &steer_grpc_autoregister;
