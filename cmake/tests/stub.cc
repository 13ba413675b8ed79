// A libgrpc with nothing in it but what the NDEBUG probes look for: what a build WITH_NDEBUG has,
// what one WITHOUT_NDEBUG has, both or neither. Must not know how they are looked for.
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
