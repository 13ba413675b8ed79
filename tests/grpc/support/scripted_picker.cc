// The hooks of the scripted picker.
#include "support/scripted_picker.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <utility>

#include "steer/text.hpp"
#include "support/wait.h"

namespace steer_test {
namespace {

// All scripts, by their numbers.
struct Scripts {
  static Scripts& Get() {
    static Scripts* const scripts = new Scripts;
    return *scripts;
  }

  std::mutex mutex;
  std::map<int64_t, std::unique_ptr<Script>> scripts;
};

Script* Find(int64_t number) {
  Scripts& all = Scripts::Get();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto it = all.scripts.find(number);
  return it == all.scripts.end() ? nullptr : it->second.get();
}

std::map<std::string, double> Copy(const steer_metric* metrics, size_t count) {
  std::map<std::string, double> copy;
  for (size_t i = 0; i < count; ++i) copy[steer::FromC(metrics[i].name)] = metrics[i].value;
  return copy;
}

struct Instance {
  steer_channel* channel;
  Script* script;
};

struct Picker {
  Script* script;
  const steer_backends* backends;
  std::vector<steer_str> headers;
};

}  // namespace

struct ScriptHooks {
  static int32_t ConfigNew(void*, const steer_json* json, steer_faults* faults, void** config) {
    int64_t number = 0;
    Api().json_integer(Api().json_get(json, steer::ToC("script")), &number);
    *config = Find(number);
    if (*config == nullptr) {
      Api().config_fault(faults, steer::ToC("script"), steer::ToC("no such script"));
    }
    return 0;
  }

  static int32_t InstanceNew(void*, steer_channel* channel, void** instance) {
    *instance = new Instance{channel, nullptr};
    return 0;
  }
  static void InstanceFree(void* instance) { delete static_cast<Instance*>(instance); }

  static int32_t PickerNew(void* instance, const void* config, const steer_backends* backends,
                           steer_wants* wants, void** picker) {
    auto* script = static_cast<Script*>(const_cast<void*>(config));
    auto* made = new Picker{script, backends, {}};
    for (const std::string& header : script->headers) made->headers.push_back(steer::ToC(header));
    wants->bits = script->wants;
    wants->headers = made->headers.data();
    wants->header_count = made->headers.size();
    *picker = made;
    static_cast<Instance*>(instance)->script = script;
    if (script->made) script->made(static_cast<Instance*>(instance)->channel, *backends);
    return 0;
  }
  static void PickerFree(void* picker) { delete static_cast<Picker*>(picker); }

  static steer_choice Pick(const void* picker, const steer_call* call) {
    const auto* self = static_cast<const Picker*>(picker);
    return self->script->pick ? self->script->pick(*self->backends, call) : Complete(0);
  }

  static void CallStarted(const void*, uint64_t, void* state) {
    ++static_cast<Script*>(state)->started_;
  }
  static void CallFinished(const void*, uint64_t, void* state, const steer_call_end* end) {
    auto* script = static_cast<Script*>(state);
    CallEnd copy;
    copy.outcome = end->outcome;
    copy.code = end->code;
    copy.message = steer::FromC(end->message);
    copy.latency_ns = end->latency_ns;
    if (const steer_metrics* metrics = end->metrics) {
      copy.has_metrics = true;
      copy.cpu_utilization = metrics->cpu_utilization;
      copy.mem_utilization = metrics->mem_utilization;
      copy.application_utilization = metrics->application_utilization;
      copy.qps = metrics->qps;
      copy.eps = metrics->eps;
      copy.request_cost = Copy(metrics->request_cost, metrics->request_cost_count);
      copy.utilization = Copy(metrics->utilization, metrics->utilization_count);
      copy.named = Copy(metrics->named, metrics->named_count);
    }
    const std::lock_guard<std::mutex> lock(script->mutex_);
    script->ends_.push_back(std::move(copy));
    ++script->finished_;
  }

  static void Loaded(void* instance, const steer_backend* backend, const steer_metrics* report) {
    const auto* self = static_cast<Instance*>(instance);
    if (self->script != nullptr && self->script->loaded) self->script->loaded(*backend, *report);
  }

  static void Timer(void* instance, uint64_t timer) {
    const auto* self = static_cast<Instance*>(instance);
    if (self->script != nullptr && self->script->timer) self->script->timer(self->channel, timer);
  }
};

void RegisterScriptedPicker() {
  steer_picker_type type = {};
  type.struct_size = sizeof(type);
  type.name = steer::ToC("scripted");
  type.config_new = ScriptHooks::ConfigNew;
  type.instance_new = ScriptHooks::InstanceNew;
  type.instance_free = ScriptHooks::InstanceFree;
  type.picker_new = ScriptHooks::PickerNew;
  type.picker_free = ScriptHooks::PickerFree;
  type.pick = ScriptHooks::Pick;
  type.call_started = ScriptHooks::CallStarted;
  type.call_finished = ScriptHooks::CallFinished;
  type.timer = ScriptHooks::Timer;
  type.load_report = ScriptHooks::Loaded;
  if (steer_register_picker(&type) != STEER_OK) std::abort();
}

const steer_api& Api() { return *steer_api_get(); }

std::string HeaderOf(const steer_call* call, const std::string& name) {
  steer_str value = {};
  if (call == nullptr || call->header == nullptr) return "<none>";
  return call->header(call->ctx, steer::ToC(name), &value) != 0 ? steer::FromC(value) : "<none>";
}

bool AddHeaderTo(const steer_call* call, const std::string& name, const std::string& value) {
  if (call == nullptr || call->add_header == nullptr) return false;
  return call->add_header(call->ctx, steer::ToC(name), steer::ToC(value)) != 0;
}

Script& Script::New() {
  Scripts& all = Scripts::Get();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const int number = static_cast<int>(all.scripts.size());
  return *(all.scripts[number] = std::unique_ptr<Script>(new Script(number)));
}

std::string Script::Entry() const {
  return R"({"scripted":{"script":)" + std::to_string(number_) + "}}";
}

std::string Script::ServiceConfig(const std::string& more) const {
  return R"({"loadBalancingConfig":[)" + Entry() + "]" + more + "}";
}

steer_choice Script::Track(uint64_t backend) {
  ++tracked_;
  return Api().complete_tracked(backend, this);
}

std::vector<CallEnd> Script::WaitForEnds(size_t count) const {
  WaitUntil([&] { return static_cast<size_t>(finished_) >= count; });
  const std::lock_guard<std::mutex> lock(mutex_);
  return ends_;
}

Script& TrackingScript(uint32_t wants) {
  Script& script = Script::New();
  script.wants = wants;
  script.pick = [&script](const steer_backends&, const steer_call*) { return script.Track(0); };
  return script;
}

void ExpectAllEnded(const Script& script) {
  EXPECT_TRUE(WaitUntil([&] { return script.finished() >= script.tracked(); }));
  EXPECT_EQ(script.finished(), script.tracked());
  EXPECT_LE(script.started(), script.tracked());
}

}  // namespace steer_test
