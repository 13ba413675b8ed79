// Plays another gRPC version: the linker sends each call of grpc::Version() here (--wrap).
#include <string>

std::string OtherVersion() __asm__("__wrap__ZN4grpc7VersionB5cxx11Ev");
std::string OtherVersion() { return "1.44.2"; }
