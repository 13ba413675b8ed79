#include "soak/fleet.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "support/wait.h"

namespace steer_soak {
namespace {

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "soak: %s\n", what.c_str());
  std::abort();
}

}  // namespace

Fleet::Fleet(int servers, int processes) : processes_(static_cast<size_t>(processes)) {
  for (int i = 0; i < servers; ++i) {
    servers_.push_back(std::make_unique<Server>());
    ports_.push_back(servers_.back()->port.port());
  }
  for (int i = 0; i < processes; ++i) {
    processes_[static_cast<size_t>(i)].first = servers * i / processes;
    processes_[static_cast<size_t>(i)].end = servers * (i + 1) / processes;
    BeginProcess(i);
  }
  for (int i = 0; i < processes; ++i) WaitForProcess(i);
}

int Fleet::ProcessOf(int server) const {
  int process = 0;
  while (server >= processes_[static_cast<size_t>(process)].end) ++process;
  return process;
}

bool Fleet::IsReachable(int server) const { return ProcessIsThere(ProcessOf(server)); }

bool Fleet::IsRunning(int server) const { return servers_[static_cast<size_t>(server)]->running; }

int Fleet::running() const {
  return static_cast<int>(std::count_if(servers_.begin(), servers_.end(),
                                        [](const auto& server) { return server->running; }));
}

void Fleet::Kill(int server) {
  BeginDeath(server);
  Command(server, "kill");
  EndDeath(server);
}

void Fleet::Start(int server) {
  Command(server, "start");
  servers_[static_cast<size_t>(server)]->running = true;
}

void Fleet::KillProcess(int number) {
  Process& process = processes_[static_cast<size_t>(number)];
  for (int i = process.first; i < process.end; ++i) {
    if (IsRunning(i)) BeginDeath(i);
  }
  process.child->Kill();
  process.state = Process::State::kGone;
  for (int i = process.first; i < process.end; ++i) {
    if (IsRunning(i)) EndDeath(i);
  }
}

bool Fleet::ProcessIsThere(int process) const {
  return processes_[static_cast<size_t>(process)].state == Process::State::kThere;
}

void Fleet::BeginProcess(int number) {
  Process& process = processes_[static_cast<size_t>(number)];
  if (process.state != Process::State::kGone) return;
  std::vector<std::string> argv = {STEER_SOAK_SERVERS};
  for (int i = process.first; i < process.end; ++i) {
    argv.push_back(std::to_string(ports_[static_cast<size_t>(i)]));
  }
  process.child = std::make_unique<steer_test::ChildProcess>(argv);
  process.state = Process::State::kBeginning;
}

void Fleet::Poll() {
  for (Process& process : processes_) {
    if (process.state != Process::State::kBeginning) continue;
    const auto line = process.child->ReadLine(std::chrono::milliseconds(5));
    if (!line.has_value()) continue;
    if (*line != "LISTENING") Die("a server process said: " + *line);
    process.state = Process::State::kThere;
    for (int i = process.first; i < process.end; ++i) {
      servers_[static_cast<size_t>(i)]->running = true;
    }
  }
}

void Fleet::WaitForProcess(int process) {
  const auto there = [&] {
    Poll();
    return ProcessIsThere(process);
  };
  if (!steer_test::WaitUntil(there)) Die("a server process does not start");
}

void Fleet::StartAll() {
  for (int i = 0; i < processes(); ++i) {
    BeginProcess(i);
    WaitForProcess(i);
  }
  for (int i = 0; i < size(); ++i) {
    if (!IsRunning(i)) Start(i);
  }
}

void Fleet::Command(int server, const std::string& command) {
  steer_test::ChildProcess& child = *processes_[static_cast<size_t>(ProcessOf(server))].child;
  child.WriteLine(command + " " + std::to_string(ports_[static_cast<size_t>(server)]));
  const auto answer = child.ReadLine(steer_test::kPatience);
  if (answer != "OK") Die("'" + command + "' was answered by: " + answer.value_or("nothing"));
}

void Fleet::BeginDeath(int number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Server& server = *servers_[static_cast<size_t>(number)];
  server.deaths[server.death_count++ % server.deaths.size()] = {Clock::now(), TimePoint::max()};
}

void Fleet::EndDeath(int number) {
  const std::lock_guard<std::mutex> lock(mutex_);
  Server& server = *servers_[static_cast<size_t>(number)];
  server.deaths[(server.death_count - 1) % server.deaths.size()].end = Clock::now();
  server.running = false;
}

std::optional<Death> Fleet::FindDeath(int port, TimePoint call_begin, TimePoint call_end,
                                      Clock::duration slack) const {
  const auto at = std::find(ports_.begin(), ports_.end(), port);
  if (at == ports_.end()) return std::nullopt;
  const std::lock_guard<std::mutex> lock(mutex_);
  const Server& server = *servers_[static_cast<size_t>(at - ports_.begin())];
  const uint64_t known = std::min<uint64_t>(server.death_count, server.deaths.size());
  for (uint64_t back = 1; back <= known; ++back) {
    const Death& death = server.deaths[(server.death_count - back) % server.deaths.size()];
    if (death.begin > call_end) continue;
    // Subtracts, because death.end may be TimePoint::max().
    if (call_begin - slack <= death.end) return death;
  }
  return std::nullopt;
}

}  // namespace steer_soak
