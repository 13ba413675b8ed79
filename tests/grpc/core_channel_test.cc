// A channel destroyed with calls in flight. A C++ channel cannot be: each of its calls keeps it
// alive. So these tests use gRPC's C API, as the other languages do.
#include <gmock/gmock.h>
#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "support/policy_fixture.h"

namespace steer_test {
namespace {

// Long enough for the channel to be destroyed while its calls run.
constexpr std::chrono::milliseconds kDelay{300};

gpr_timespec After(std::chrono::milliseconds time) {
  return gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
                      gpr_time_from_millis(time.count(), GPR_TIMESPAN));
}

// A channel whose calls end on one completion queue.
class CoreChannel {
 public:
  CoreChannel(const std::string& target, const std::string& service_config) {
    grpc::ChannelArguments arguments = TestArguments();
    arguments.SetServiceConfigJSON(service_config);
    const grpc_channel_args args = arguments.c_channel_args();
    grpc_channel_credentials* const credentials = grpc_insecure_credentials_create();
    channel_ = grpc_channel_create(target.c_str(), credentials, &args);
    grpc_channel_credentials_release(credentials);
  }

  ~CoreChannel() {
    Destroy();
    grpc_completion_queue_shutdown(queue_);
    while (grpc_completion_queue_next(queue_, After(kPatience), nullptr).type !=
           GRPC_QUEUE_SHUTDOWN) {
    }
    grpc_completion_queue_destroy(queue_);
  }

  void Destroy() {
    if (channel_ != nullptr) grpc_channel_destroy(channel_);
    channel_ = nullptr;
  }

  grpc_channel* get() const { return channel_; }
  grpc_completion_queue* queue() const { return queue_; }

  // Waits for the end of one call. False if none comes in time.
  bool WaitForOne() const {
    return grpc_completion_queue_next(queue_, After(kPatience), nullptr).type == GRPC_OP_COMPLETE;
  }

 private:
  // The C API has to be told when it is in use; a C++ object tells it by itself.
  struct Library {
    Library() { grpc_init(); }
    ~Library() { grpc_shutdown(); }
  };

  const Library library_;
  grpc_completion_queue* const queue_ = grpc_completion_queue_create_for_next(nullptr);
  grpc_channel* channel_;
};

// One unary call, from its start to the object's end.
class CoreCall {
 public:
  explicit CoreCall(const CoreChannel& channel) {
    const grpc_slice method = grpc_slice_from_static_string("/steer.test.Echo/Call");
    call_ = grpc_channel_create_call(channel.get(), nullptr, GRPC_PROPAGATE_DEFAULTS,
                                     channel.queue(), method, nullptr, After(kPatience), nullptr);
    grpc_metadata_array_init(&initial_metadata_);
    grpc_metadata_array_init(&trailing_metadata_);
    grpc_slice body = grpc_slice_from_static_string("hello");
    request_ = grpc_raw_byte_buffer_create(&body, 1);
    grpc_op ops[6] = {};
    ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
    ops[1].op = GRPC_OP_SEND_MESSAGE;
    ops[1].data.send_message.send_message = request_;
    ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
    ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
    ops[3].data.recv_initial_metadata.recv_initial_metadata = &initial_metadata_;
    ops[4].op = GRPC_OP_RECV_MESSAGE;
    ops[4].data.recv_message.recv_message = &response_;
    ops[5].op = GRPC_OP_RECV_STATUS_ON_CLIENT;
    ops[5].data.recv_status_on_client.trailing_metadata = &trailing_metadata_;
    ops[5].data.recv_status_on_client.status = &status_;
    ops[5].data.recv_status_on_client.status_details = &details_;
    EXPECT_EQ(grpc_call_start_batch(call_, ops, 6, this, nullptr), GRPC_CALL_OK);
  }

  ~CoreCall() {
    grpc_call_unref(call_);
    grpc_metadata_array_destroy(&initial_metadata_);
    grpc_metadata_array_destroy(&trailing_metadata_);
    grpc_byte_buffer_destroy(request_);
    grpc_byte_buffer_destroy(response_);
    grpc_slice_unref(details_);
  }

  CoreCall(const CoreCall&) = delete;
  CoreCall& operator=(const CoreCall&) = delete;

  grpc_status_code status() const { return status_; }

 private:
  grpc_call* call_;
  grpc_metadata_array initial_metadata_;
  grpc_metadata_array trailing_metadata_;
  grpc_byte_buffer* request_;
  grpc_byte_buffer* response_ = nullptr;
  grpc_status_code status_ = GRPC_STATUS_UNKNOWN;
  grpc_slice details_ = grpc_empty_slice();
};

class CoreChannelDestroyed : public PolicyTest {
 protected:
  // Starts calls, destroys the channel, waits until all calls have ended, and returns how.
  std::vector<grpc_status_code> DestroyWithCallsInFlight(CoreChannel* channel, size_t count) {
    std::vector<std::unique_ptr<CoreCall>> calls;
    for (size_t i = 0; i < count; ++i) calls.push_back(std::make_unique<CoreCall>(*channel));
    channel->Destroy();
    std::vector<grpc_status_code> statuses;
    for (size_t i = 0; i < count; ++i) EXPECT_TRUE(channel->WaitForOne());
    for (const auto& call : calls) statuses.push_back(call->status());
    return statuses;
  }
};
STEER_FOR_EACH_POLICY(CoreChannelDestroyed);

TEST_P(CoreChannelDestroyed, CallsThatWerePickedRunToTheirEnd) {
  Backends backends(3);
  CoreChannel channel(StaticTarget(backends.ports()), ServiceConfig(policy()));
  {
    // Until the channel is READY, calls wait for a pick.
    CoreCall first(channel);
    ASSERT_TRUE(channel.WaitForOne());
    EXPECT_EQ(first.status(), GRPC_STATUS_OK);
  }
  for (size_t i = 0; i < backends.size(); ++i) backends[i].SetDelay(kDelay);
  EXPECT_EQ(DestroyWithCallsInFlight(&channel, 60),
            std::vector<grpc_status_code>(60, GRPC_STATUS_OK));
}

TEST_P(CoreChannelDestroyed, CallsThatWaitForAPickFail) {
  MuteListener connecting;
  ReservedPort failing;
  CoreChannel channel(StaticTarget({connecting.port(), failing.port()}), ServiceConfig(policy()));
  // With which code is gRPC's affair.
  EXPECT_THAT(DestroyWithCallsInFlight(&channel, 60), testing::Each(testing::Ne(GRPC_STATUS_OK)));
}

}  // namespace
}  // namespace steer_test
