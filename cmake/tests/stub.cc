// A fake libgrpc with only the functions that the NDEBUG probes call: those of a build WITH_NDEBUG,
// of a build WITHOUT_NDEBUG, of both or of neither.
struct grpc_completion_queue;

#ifdef WITH_NDEBUG
void grpc_cq_internal_ref(grpc_completion_queue*) {}
#endif

#ifdef WITHOUT_NDEBUG
void grpc_cq_internal_ref(grpc_completion_queue*, const char*, const char*, int) {}

namespace grpc_core {
class WorkSerializer {
  bool RunningInWorkSerializer() const;
};
bool WorkSerializer::RunningInWorkSerializer() const { return false; }
}  // namespace grpc_core
#endif
