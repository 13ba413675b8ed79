/* Fails when its timer expires. */
#define INSTANCE_NEW api->timer_start(channel, 1000);
#define PICKER_NEW api->timer_start(instance, 1000);
#define TIMER api->fault(STEER_TEXT("time has run out"));
#include "base.h"
