// Channels and calls with gRPC's C API, as other languages make them. There a channel can be
// destroyed while its calls run.
//
// Must not depend on: policies.
#ifndef STEER_TESTS_GRPC_SUPPORT_CORE_CHANNEL_H_
#define STEER_TESTS_GRPC_SUPPORT_CORE_CHANNEL_H_

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/client.h"
#include "support/wait.h"

namespace steer_test {

inline gpr_timespec After(std::chrono::milliseconds time) {
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

  // Waits for the end of one call. Returns false if none ends in time.
  bool WaitForOne() const {
    return grpc_completion_queue_next(queue_, After(kPatience), nullptr).type == GRPC_OP_COMPLETE;
  }

 private:
  // The C API must be initialised explicitly.
  struct Library {
    Library() { grpc_init(); }
    ~Library() { grpc_shutdown(); }
  };

  const Library library_;
  grpc_completion_queue* const queue_ = grpc_completion_queue_create_for_next(nullptr);
  grpc_channel* channel_;
};

// One unary call. The constructor starts it.
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

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_CORE_CHANNEL_H_
