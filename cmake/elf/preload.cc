// libsteer-grpc-autoregister.so, linked to a program or preloaded under it: loads libsteer-grpc.so
// from beside itself, which registers Steer, when the program has a gRPC. In two steps because
// LD_PRELOAD is inherited: the shell that starts the program has to load this too, and could not
// load what needs gRPC's symbols.
//
// Must not know: gRPC's headers, the engine.
#include <dlfcn.h>

#include <cstdio>
#include <string>

// What a program that is linked with this library refers to, so that no linker drops it.
extern "C" __attribute__((visibility("default"))) char steer_grpc_autoregister;
char steer_grpc_autoregister;

namespace {

__attribute__((constructor)) void LoadSteer() {
  if (dlsym(RTLD_DEFAULT, "grpc_init") == nullptr) return;
  Dl_info self = {};
  dladdr(&steer_grpc_autoregister, &self);
  std::string path = self.dli_fname == nullptr ? "" : self.dli_fname;
  path = path.substr(0, path.rfind('/') + 1) + "libsteer-grpc.so";
  // Global, so that another copy of the shim in the process sees that this one has registered.
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    std::fprintf(stderr,
                 "steer: %s. Steer's policies are not available in this process: libsteer-grpc.so "
                 "must lie beside libsteer-grpc-autoregister.so, and be built for the gRPC of this "
                 "process.\n",
                 dlerror());
  }
}

}  // namespace
