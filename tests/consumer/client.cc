// Starts three servers on 127.0.0.1, calls them over one channel with a policy, and checks that
// each got a third of the calls. Uses gRPC's generic API, so that it needs no protobuf. Must not
// depend on: Steer.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr int kServers = 3;
constexpr int kCalls = 300;

grpc::ByteBuffer Bytes(const std::string& text) {
  const grpc::Slice slice(text);
  return grpc::ByteBuffer(&slice, 1);
}

std::string Text(const grpc::ByteBuffer& bytes) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (bytes.Dump(&slices).ok()) {
    for (const grpc::Slice& slice : slices) {
      text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  return text;
}

// Answers every call with its own name.
class NameService final : public grpc::CallbackGenericService {
 public:
  explicit NameService(std::string name) : name_(std::move(name)) {}

 private:
  class Reactor final : public grpc::ServerGenericBidiReactor {
   public:
    explicit Reactor(const std::string& name) : answer_(Bytes(name)) {
      StartWriteAndFinish(&answer_, grpc::WriteOptions(), grpc::Status::OK);
    }
    void OnDone() override { delete this; }

   private:
    const grpc::ByteBuffer answer_;
  };

  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext*) override {
    return new Reactor(name_);
  }

  const std::string name_;
};

struct Server {
  explicit Server(const std::string& name) : service(name) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterCallbackGenericService(&service);
    server = builder.BuildAndStart();
  }

  NameService service;
  int port = 0;
  std::unique_ptr<grpc::Server> server;
};

// Makes one call and counts it for the server that answered. If it fails, prints why and returns
// false.
bool CountedCall(grpc::GenericStub* stub, std::map<std::string, int>* counts) {
  grpc::ClientContext context;
  context.set_wait_for_ready(true);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
  grpc::CompletionQueue queue;
  auto call = stub->PrepareUnaryCall(&context, "/consumer.Names/Get", Bytes("?"), &queue);
  call->StartCall();
  grpc::ByteBuffer reply;
  grpc::Status status;
  call->Finish(&reply, &status, &status);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (!status.ok()) {
    std::cerr << "call failed: " << status.error_message() << "\n";
    return false;
  }
  ++(*counts)[Text(reply)];
  return true;
}

}  // namespace

namespace consumer {

int CallServers(const std::string& policy) {
  std::vector<std::unique_ptr<Server>> servers;
  std::string target = "ipv4:";
  for (int i = 0; i < kServers; ++i) {
    servers.push_back(std::make_unique<Server>("server " + std::to_string(i)));
    target += (i == 0 ? "127.0.0.1:" : ",127.0.0.1:") + std::to_string(servers.back()->port);
  }

  grpc::ChannelArguments args;
  args.SetServiceConfigJSON(R"({"loadBalancingConfig":[{")" + policy + R"(":{}}]})");
  grpc::GenericStub stub(
      grpc::CreateCustomChannel(target, grpc::InsecureChannelCredentials(), args));

  std::map<std::string, int> counts;
  // Servers connect one after another. The counted calls begin when all are connected.
  for (int warm_up = 0; warm_up < 10000 && counts.size() < kServers; ++warm_up) {
    if (!CountedCall(&stub, &counts)) return 1;
  }
  counts.clear();
  for (int i = 0; i < kCalls; ++i) {
    if (!CountedCall(&stub, &counts)) return 1;
  }

  bool even = counts.size() == kServers;
  for (const auto& [name, count] : counts) {
    std::cout << name << ": " << count << " calls\n";
    even = even && count >= kCalls / kServers - 1 && count <= kCalls / kServers + 1;
  }
  if (!even) std::cerr << "not spread evenly by " << policy << "\n";
  return even ? 0 : 1;
}

}  // namespace consumer
