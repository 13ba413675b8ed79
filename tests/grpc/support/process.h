// Child processes with a pipe to their stdin and a pipe from their output. The destructor kills the
// process by its id.
//
// Must not depend on: gRPC.
#ifndef STEER_TESTS_GRPC_SUPPORT_PROCESS_H_
#define STEER_TESTS_GRPC_SUPPORT_PROCESS_H_

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace steer_test {

class ChildProcess {
 public:
  enum class Stderr { kInherit, kWithStdout };

  // `environment` holds NAME=value entries that are added to this process's environment.
  explicit ChildProcess(const std::vector<std::string>& argv,
                        const std::vector<std::string>& environment = {},
                        Stderr child_stderr = Stderr::kInherit);
  // Kills the process if it still runs.
  ~ChildProcess();

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  void WriteLine(const std::string& line);
  void CloseStdin();

  // The next line of output without its newline. Empty at the end of the output or after `timeout`.
  std::optional<std::string> ReadLine(std::chrono::milliseconds timeout);
  // All further output. Empty if it has not ended after `timeout`.
  std::optional<std::string> ReadAll(std::chrono::milliseconds timeout);

  // The exit code, or 128 + the signal's number. Empty if the process still runs after `timeout`.
  std::optional<int> Wait(std::chrono::milliseconds timeout);
  // Sends SIGKILL and waits for the end.
  void Kill();

 private:
  // Waits for output and appends it to buffer_. Returns false at the end of the output or at
  // `deadline`.
  bool ReadMore(std::chrono::steady_clock::time_point deadline);

  pid_t pid_ = -1;
  int stdin_ = -1;
  int stdout_ = -1;
  bool at_end_ = false;
  std::string buffer_;
  std::optional<int> exit_;
};

// The environment of a program under which `library`, a path, is preloaded.
std::vector<std::string> PreloadEnvironment(const std::string& library);

struct ProgramResult {
  int exit_code;
  std::string output;
};

// Runs a program and returns its exit code and output (stdout and stderr together). Kills it after
// `timeout`; then the exit code is -1.
ProgramResult RunProgram(const std::vector<std::string>& argv,
                         const std::vector<std::string>& environment,
                         std::chrono::milliseconds timeout);

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_PROCESS_H_
