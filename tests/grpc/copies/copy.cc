// One copy of Steer with its own policies. It is built into a program and into several libraries,
// each time with another value of the macro COPY. It exports:
//   const char* copy_register_<COPY>()   "<ok, 0 or 1> <code> <message>" of steer::Register()
//   const char* copy_over_<COPY>()       lets its picker take over weighted_round_robin
//   const char* copy_late_<COPY>()       registers one more plugin: "<status> <why>"
//   const char* copy_take_<COPY>(block)  registers a plugin: "<status>"
//   const char* copy_stats_<COPY>()      steer::StatsJson()
// Its policies are pick_<COPY>, a plugin in C++; table_<COPY>, a table in C that is registered
// without a plugin and uses this copy's steer_api_get(); and late_<COPY>.
#include <steer/grpc.h>
#include <steer/steer.h>

#include <atomic>
#include <cstdlib>
#include <memory>
#include <steer/steer.hpp>
#include <string>

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)
#define JOIN_OF(a, b) a##b
#define JOIN(a, b) JOIN_OF(a, b)
#define EXPORTED(name) \
  extern "C" __attribute__((visibility("default"))) const char* JOIN(name, COPY)()

namespace {

constexpr char kPick[] = "pick_" TEXT(COPY);
constexpr char kTable[] = "table_" TEXT(COPY);
constexpr char kLate[] = "late_" TEXT(COPY);

steer_str View(const char* text) { return steer::ToC(text); }

// --- In C++ ---

int32_t RegisterTurns(const char* name, const steer_api* api) {
  return steer::Picker(name).Register(api, [](auto& build) {
    return [count = build.backends.size(), turn = std::make_shared<std::atomic<size_t>>()](
               const steer::Call&) { return steer::Choice::Complete(turn->fetch_add(1) % count); };
  });
}
int32_t RegisterPick(const steer_api* api) { return RegisterTurns(kPick, api); }
int32_t RegisterLate(const steer_api* api) { return RegisterTurns(kLate, api); }

const steer_plugin pick_plugin = STEER_PLUGIN_INIT("pick of " TEXT(COPY), "1.0", RegisterPick);
const steer_plugin late_plugin = STEER_PLUGIN_INIT("late of " TEXT(COPY), "1.0", RegisterLate);

// --- In C ---

struct TablePicker {
  const steer_backends* backends;
  bool fails;
  std::atomic<uint64_t> turn{0};
  std::atomic<uint64_t> finished{0};
};

const steer_api* api() { return steer_api_get(); }

int32_t NewConfig(void*, const steer_json* json, steer_faults* faults, void** config) noexcept {
  int32_t fails = 0;
  api()->json_bool(api()->json_get(json, View("fails")), &fails);
  if (api()->json_get(json, View("wrong")) != nullptr) {
    api()->config_fault(faults, View("wrong"), View("refused by " TEXT(COPY)));
    return 1;
  }
  *config = new bool(fails != 0);
  return 0;
}
void FreeConfig(void* config) noexcept { delete static_cast<bool*>(config); }

int32_t NewPicker(void*, const void* config, const steer_backends* backends, steer_wants*,
                  void** picker) noexcept {
  auto* made = new TablePicker;
  made->backends = backends;
  made->fails = config != nullptr && *static_cast<const bool*>(config);
  *picker = made;
  return 0;
}
void FreePicker(void* picker) noexcept { delete static_cast<TablePicker*>(picker); }

// Fails if the config says so. Otherwise rotates, and tracks every second call.
steer_choice Pick(const void* picker, const steer_call*) noexcept {
  auto* self = static_cast<TablePicker*>(const_cast<void*>(picker));
  if (self->fails) return api()->fail(14, View("said by " TEXT(COPY)));
  const uint64_t turn = self->turn.fetch_add(1);
  const uint64_t backend = turn % self->backends->count;
  if (turn % 2 == 0) return api()->complete_tracked(backend, self);
  return {STEER_CHOICE_COMPLETE, backend};
}
void Finished(const void*, uint64_t, void* state, const steer_call_end*) noexcept {
  static_cast<TablePicker*>(state)->finished.fetch_add(1);
}

steer_status RegisterTable() {
  steer_picker_type table = {};
  table.struct_size = sizeof(table);
  table.name = View(kTable);
  table.config_new = NewConfig;
  table.config_free = FreeConfig;
  table.picker_new = NewPicker;
  table.picker_free = FreePicker;
  table.pick = Pick;
  table.call_finished = Finished;
  return steer_register_picker(&table);
}

// Registers as programs do: before main(), or when the library is loaded.
const bool registered = [] {
  if (steer_register_plugin(&pick_plugin) != STEER_OK) std::abort();
  // Registers a name that both copies have. A name can be handed over only once.
  if (std::getenv("STEER_TEST_SAME_NAME") == nullptr) return RegisterTable() == STEER_OK;
  steer_picker_type table = {};
  table.struct_size = sizeof(table);
  table.name = View("same_name");
  table.picker_new = NewPicker;
  table.picker_free = FreePicker;
  table.pick = Pick;
  table.call_finished = Finished;
  return steer_register_picker(&table) == STEER_OK;
}();

std::string LineOf(const steer::RegisterStatus& status) {
  return std::to_string(status.ok()) + " " + std::to_string(static_cast<int>(status.code())) + " " +
         status.message();
}

}  // namespace

EXPORTED(copy_register_) {
  static std::string line;
  line = LineOf(steer::Register());
  return line.c_str();
}

EXPORTED(copy_over_) {
  static std::string line;
  steer::RegisterOptions options;
  options.take_over = {{"weighted_round_robin", kPick}};
  line = LineOf(steer::Register(options));
  return line.c_str();
}

EXPORTED(copy_late_) {
  static std::string line;
  const steer_status status = steer_register_plugin(&late_plugin);
  line = std::to_string(static_cast<int>(status)) + " " +
         (status == STEER_OK ? "" : steer::FromC(steer_last_error()));
  return line.c_str();
}

extern "C" __attribute__((visibility("default"))) const char* JOIN(copy_take_, COPY)(
    const steer_plugin* block) {
  static std::string line;
  line = std::to_string(static_cast<int>(steer_register_plugin(block)));
  return line.c_str();
}

EXPORTED(copy_stats_) {
  static std::string line;
  line = steer::StatsJson();
  return line.c_str();
}
