// A program that runs with several copies of Steer: copies_host <target> <step>... Each step prints
// a line that begins with the step's name.
//   open=<library>, global=<library>   dlopen, with RTLD_LOCAL or RTLD_GLOBAL
//   apart=<library>                    dlopen in a separate namespace, with a second gRPC
//   close=<library>                    dlclose
//   register=<copy>, over=<copy>, late=<copy>, stats=<copy>   calls the copy: see copy.cc
//   take=<library>:<copy>              registers the plugin of an open library with a copy
//   race=<copy>,<copy>                 registers both at the same time
//   channel                            makes a channel, so that gRPC accepts no more policies
//   call=<policy>[:<config>]           makes a channel with this policy, and 20 calls
#include <dlfcn.h>
#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "support/client.h"

namespace {

std::map<std::string, void*> libraries;
std::vector<std::shared_ptr<grpc::Channel>> channels;

using CopyFunction = const char* (*)();

template <typename Function = CopyFunction>
Function Find(const std::string& what, const std::string& copy) {
  const std::string name = "copy_" + what + "_" + copy;
  if (void* const own = dlsym(RTLD_DEFAULT, name.c_str())) return reinterpret_cast<Function>(own);
  for (const auto& [path, library] : libraries) {
    if (void* const found = dlsym(library, name.c_str())) return reinterpret_cast<Function>(found);
  }
  std::cerr << "there is no " << name << std::endl;
  std::exit(3);
}

std::string Open(const std::string& path, const std::string& how) {
  void* const library = how == "apart"
                            ? dlmopen(LM_ID_NEWLM, path.c_str(), RTLD_NOW | RTLD_LOCAL)
                            : dlopen(path.c_str(), RTLD_NOW | (how == "global" ? RTLD_GLOBAL : 0));
  if (library == nullptr) return std::string("failed: ") + dlerror();
  libraries[path] = library;
  return "ok";
}

std::string Race(const std::string& copies) {
  std::istringstream names(copies);
  std::vector<CopyFunction> functions;
  for (std::string name; std::getline(names, name, ',');) {
    functions.push_back(Find("register", name));
  }
  std::vector<std::string> answers(functions.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < functions.size(); ++i) {
    threads.emplace_back([&, i] { answers[i] = functions[i](); });
  }
  for (std::thread& thread : threads) thread.join();
  std::string all;
  for (const std::string& answer : answers) all += (all.empty() ? "" : "\nrace=") + answer;
  return all;
}

std::string CallWith(const std::string& target, const std::string& policy) {
  const size_t colon = policy.find(':');
  const std::string name = policy.substr(0, colon);
  const std::string config = colon == std::string::npos ? "{}" : policy.substr(colon + 1);
  channels.push_back(steer_test::MakeChannel(target, steer_test::ServiceConfig(name, config)));
  const grpc::Status first = steer_test::Call(channels.back()).status;
  if (!first.ok()) return name + " failed " + first.error_message();
  const steer_test::Counts counts = steer_test::CountCalls(channels.back(), 20);
  return name + (counts.count(0) == 0 ? " ok" : " failed later");
}

}  // namespace

int main(int argc, char** argv) {
  for (int i = 2; i < argc; ++i) {
    const std::string text = argv[i];
    const size_t equals = text.find('=');
    const std::string step = text.substr(0, equals);
    const std::string what = equals == std::string::npos ? "" : text.substr(equals + 1);
    std::string answer;
    if (step == "open" || step == "global" || step == "apart") {
      answer = Open(what, step);
    } else if (step == "close") {
      answer = std::to_string(dlclose(libraries[what]));
      libraries.erase(what);
    } else if (step == "take") {
      // <library>:<copy>
      const size_t colon = what.find(':');
      const void* const block = dlsym(libraries[what.substr(0, colon)], "steer_plugin_block");
      answer = Find<const char* (*)(const void*)>("take", what.substr(colon + 1))(block);
    } else if (step == "register" || step == "over" || step == "late" || step == "stats") {
      answer = Find(step, what)();
    } else if (step == "race") {
      answer = Race(what);
    } else if (step == "channel") {
      channels.push_back(
          grpc::CreateChannel("ipv4:127.0.0.1:1", grpc::InsecureChannelCredentials()));
    } else if (step == "call") {
      answer = CallWith(argv[1], what);
    } else {
      return 2;
    }
    std::cout << step << "=" << answer << std::endl;
  }
  std::cout << "end=ok" << std::endl;
  return 0;
}
