// libsteer-grpc-autoregister.so, which is linked with a program or preloaded under it. If the
// program has gRPC, it loads libsteer-grpc.so from its own directory, which registers Steer. These
// are two libraries because child processes inherit LD_PRELOAD: a shell that starts the program
// loads this one too, and could not load a library that needs gRPC's symbols.
//
// Must not depend on: gRPC's headers, the engine.
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <string>

// autoregister_anchor.cc refers to this symbol, so that no linker drops this library.
extern "C" __attribute__((visibility("default"))) char steer_grpc_autoregister;
char steer_grpc_autoregister;

namespace {

constexpr char kNotAvailable[] = "Steer's policies are not available in this process";

// Returns whether the process has grpc::Alarm of libgrpc++, which libsteer-grpc.so uses for timers.
bool HasAlarms() { return dlsym(RTLD_DEFAULT, "_ZN4grpc5AlarmC1Ev") != nullptr; }

std::string FileOf(const void* address) {
  Dl_info info = {};
  if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return "";
  return info.dli_fname;
}

std::string DirectoryOf(const std::string& file) { return file.substr(0, file.rfind('/') + 1); }

// Loads libgrpc++ into a program that uses only gRPC's C core: from the directory of libgrpc, or
// from where the dynamic linker finds it.
bool LoadAlarms(const void* core) {
  const std::string file = FileOf(core);
  const std::string name = file.substr(file.rfind('/') + 1);
  // If the core is part of the program, libgrpc++ would load another core.
  if (name.compare(0, 7, "libgrpc") == 0) {
    const std::string wanted = name.find("unsecure") == std::string::npos
                                   ? "libgrpc++.so." STEER_GRPC_MINOR
                                   : "libgrpc++_unsecure.so." STEER_GRPC_MINOR;
    for (const std::string& path : {DirectoryOf(file) + wanted, wanted}) {
      void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
      if (library == nullptr) continue;
      if (dlsym(library, "grpc_init") == core && HasAlarms()) return true;
    }
  }
  std::fprintf(
      stderr,
      "steer: this program uses gRPC's C core without libgrpc++. Steer needs libgrpc++ too "
      "(for grpc::Alarm), but libgrpc++.so." STEER_GRPC_MINOR
      " of the same gRPC was not found beside %s. Install it there, or link the program "
      "with it. %s.\n",
      file.c_str(), kNotAvailable);
  return false;
}

// Returns whether the program contains a gRPC whose symbols it does not export. Looks for the name
// of a channel argument of gRPC in the program's constants.
bool HasHiddenGrpc() {
  constexpr char kMark[] = "grpc.lb_policy_name";
  const int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  struct stat status = {};
  void* map = MAP_FAILED;
  if (fstat(file, &status) == 0 && status.st_size >= static_cast<off_t>(sizeof(ElfW(Ehdr)))) {
    map = mmap(nullptr, static_cast<size_t>(status.st_size), PROT_READ, MAP_PRIVATE, file, 0);
  }
  close(file);
  if (map == MAP_FAILED) return false;
  const auto size = static_cast<size_t>(status.st_size);
  const auto* const begin = static_cast<const char*>(map);
  const auto within = [&](size_t offset, size_t length) {
    return offset <= size && length <= size - offset;
  };
  bool found = false;
  const auto* const header = reinterpret_cast<const ElfW(Ehdr)*>(begin);
  const size_t count = header->e_shnum;
  if (within(header->e_shoff, count * sizeof(ElfW(Shdr))) &&
      header->e_shoff % alignof(ElfW(Shdr)) == 0) {
    const auto* const sections = reinterpret_cast<const ElfW(Shdr)*>(begin + header->e_shoff);
    for (size_t i = 0; i < count && !found; ++i) {
      const ElfW(Shdr)& section = sections[i];
      // Sections that are neither executable nor writable.
      const bool constants =
          section.sh_type == SHT_PROGBITS &&
          (section.sh_flags & (SHF_ALLOC | SHF_EXECINSTR | SHF_WRITE)) == SHF_ALLOC;
      found = constants && within(section.sh_offset, section.sh_size) &&
              memmem(begin + section.sh_offset, section.sh_size, kMark, sizeof(kMark)) != nullptr;
    }
  }
  munmap(map, size);
  return found;
}

__attribute__((constructor)) void LoadSteer() {
  const void* const core = dlsym(RTLD_DEFAULT, "grpc_init");
  if (core == nullptr) {
    if (HasHiddenGrpc()) {
      std::fprintf(stderr,
                   "steer: this program contains gRPC and does not export its symbols, so "
                   "libsteer-grpc-autoregister.so cannot register with it. Link steer::grpc into "
                   "the program and call steer::Register(), or link the program with the shared "
                   "libgrpc++. %s.\n",
                   kNotAvailable);
    }
    return;
  }
  if (!HasAlarms() && !LoadAlarms(core)) return;
  const std::string path = DirectoryOf(FileOf(&steer_grpc_autoregister)) + "libsteer-grpc.so";
  // RTLD_GLOBAL, so that the program can look up the C interface.
  if (dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    std::fprintf(stderr,
                 "steer: %s. %s: libsteer-grpc.so must be in the directory of "
                 "libsteer-grpc-autoregister.so, and be built for the gRPC of this process.\n",
                 dlerror(), kNotAvailable);
  }
}

}  // namespace
