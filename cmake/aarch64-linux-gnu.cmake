# Toolchain file for 64-bit ARM with Debian's packages, which docs/building.md lists.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
# Tests run under QEMU's user-mode emulation.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64)
# gRPC's CMake package finds RE2 by pkg-config.
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
