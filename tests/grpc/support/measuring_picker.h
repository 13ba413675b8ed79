// A custom picker in C++ that shows metrics, registered as the policy "measuring" of the plugin
// "measuring".
#ifndef STEER_TESTS_GRPC_SUPPORT_MEASURING_PICKER_H_
#define STEER_TESTS_GRPC_SUPPORT_MEASURING_PICKER_H_

namespace steer_test {

// Call it once, before steer::Register().
void RegisterMeasuringPicker();

}  // namespace steer_test

#endif  // STEER_TESTS_GRPC_SUPPORT_MEASURING_PICKER_H_
