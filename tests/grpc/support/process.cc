// Child processes by posix_spawn, with pipes that no other child inherits.
#include "support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <thread>

extern char** environ;

namespace steer_test {
namespace {

using Clock = std::chrono::steady_clock;

// Ends the test, because a test that cannot start its processes shows nothing.
void Check(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::abort();
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) pointers.push_back(const_cast<char*>(string.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& argv,
                           const std::vector<std::string>& environment, Stderr child_stderr) {
  // So that a child's early end is a missing answer, and not a SIGPIPE that ends the test.
  signal(SIGPIPE, SIG_IGN);

  // Close-on-exec. Otherwise a later child would keep an earlier child's stdin open.
  int to_child[2];
  int from_child[2];
  Check(pipe2(to_child, O_CLOEXEC) == 0, "pipe2");
  Check(pipe2(from_child, O_CLOEXEC) == 0, "pipe2");

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_child[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from_child[1], STDOUT_FILENO);
  if (child_stderr == Stderr::kWithStdout) {
    posix_spawn_file_actions_adddup2(&actions, from_child[1], STDERR_FILENO);
  }
  std::vector<std::string> variables = environment;
  for (char** entry = environ; *entry != nullptr; ++entry) variables.emplace_back(*entry);
  const int error = posix_spawn(&pid_, argv[0].c_str(), &actions, nullptr, Pointers(argv).data(),
                                Pointers(variables).data());
  posix_spawn_file_actions_destroy(&actions);
  errno = error;
  Check(error == 0, argv[0].c_str());

  close(to_child[0]);
  close(from_child[1]);
  stdin_ = to_child[1];
  stdout_ = from_child[0];
}

ChildProcess::~ChildProcess() {
  Kill();
  CloseStdin();
  close(stdout_);
}

void ChildProcess::WriteLine(const std::string& line) {
  const std::string bytes = line + "\n";
  size_t written = 0;
  while (written < bytes.size()) {
    const ssize_t count = write(stdin_, bytes.data() + written, bytes.size() - written);
    if (count < 0) return;
    written += static_cast<size_t>(count);
  }
}

void ChildProcess::CloseStdin() {
  if (stdin_ < 0) return;
  close(stdin_);
  stdin_ = -1;
}

std::optional<std::string> ChildProcess::ReadLine(std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  for (;;) {
    const size_t newline = buffer_.find('\n');
    if (newline != std::string::npos) {
      std::string line = buffer_.substr(0, newline);
      buffer_.erase(0, newline + 1);
      return line;
    }
    if (!ReadMore(deadline)) return std::nullopt;
  }
}

std::optional<std::string> ChildProcess::ReadAll(std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  while (ReadMore(deadline)) {
  }
  if (!at_end_) return std::nullopt;
  return std::move(buffer_);
}

bool ChildProcess::ReadMore(Clock::time_point deadline) {
  if (at_end_) return false;
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
  pollfd poll_fd = {stdout_, POLLIN, 0};
  if (left <= 0 || poll(&poll_fd, 1, static_cast<int>(left)) <= 0) return false;
  char bytes[4096];
  const ssize_t count = read(stdout_, bytes, sizeof(bytes));
  if (count <= 0) {
    at_end_ = true;
    return false;
  }
  buffer_.append(bytes, static_cast<size_t>(count));
  return true;
}

std::optional<int> ChildProcess::Wait(std::chrono::milliseconds timeout) {
  const Clock::time_point deadline = Clock::now() + timeout;
  while (!exit_.has_value()) {
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    } else if (Clock::now() >= deadline) {
      return std::nullopt;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  return exit_;
}

void ChildProcess::Kill() {
  if (exit_.has_value()) return;
  kill(pid_, SIGKILL);
  int status = 0;
  Check(waitpid(pid_, &status, 0) == pid_, "waitpid");
  exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::vector<std::string> PreloadEnvironment(const std::string& library) {
  const size_t slash = library.rfind('/');
  // In sanitizer builds the preloaded library comes before their runtime, which is intended.
  const char* const asan = std::getenv("ASAN_OPTIONS");
  // By name, because the dynamic linker splits LD_PRELOAD at blanks.
  return {
      "LD_PRELOAD=" + library.substr(slash + 1), "LD_LIBRARY_PATH=" + library.substr(0, slash),
      std::string("ASAN_OPTIONS=") + (asan == nullptr ? "" : asan) + ":verify_asan_link_order=0"};
}

ProgramResult RunProgram(const std::vector<std::string>& argv,
                         const std::vector<std::string>& environment,
                         std::chrono::milliseconds timeout) {
  ChildProcess program(argv, environment, ChildProcess::Stderr::kWithStdout);
  program.CloseStdin();
  const Clock::time_point deadline = Clock::now() + timeout;
  std::optional<std::string> output = program.ReadAll(timeout);
  const std::optional<int> exit_code =
      program.Wait(std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()));
  return {exit_code.value_or(-1), output.value_or("(did not end in time)")};
}

}  // namespace steer_test
