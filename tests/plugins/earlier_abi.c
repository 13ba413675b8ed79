/*
 * Checks that a plugin of an earlier ABI loads and runs unchanged.
 *
 *   earlier_abi <abi_6's plugin>
 *
 * Must not depend on: gRPC, Rust.
 */
#include <steer/testkit.h>

static steer_testkit *channel_of(const char *policy, const char *config) {
  steer_testkit *kit = steer_testkit_new(policy, config, NULL);
  STEER_CHECK(kit != NULL);
  return kit;
}

/* Two backends, of which the first is in a zone. */
static void use_zones(steer_testkit *kit) {
  steer_str addresses[2] = {STEER_TEXT("ipv4:10.0.0.1:80"), STEER_TEXT("ipv4:10.0.0.2:80")};
  steer_attribute zone = {.struct_size = sizeof zone,
                          .key = STEER_TEXT("zone"),
                          .kind = STEER_ATTRIBUTE_TEXT,
                          .text = STEER_TEXT("eu-1")};
  steer_endpoint backends[2] = {{.struct_size = sizeof backends[0]},
                                {.struct_size = sizeof backends[1]}};
  for (int i = 0; i < 2; ++i) {
    backends[i].addresses = &addresses[i];
    backends[i].address_count = 1;
  }
  backends[0].attributes = &zone;
  backends[0].attribute_count = 1;
  STEER_CHECK(steer_testkit_update(kit, backends, 2) == 0);
  STEER_CHECK(steer_testkit_connect_all(kit) == 2);
}

static steer_testkit_pick pick_kind(steer_testkit *kit, const char *kind) {
  const char *const headers[] = {"x-kind", kind, NULL};
  const steer_testkit_call call = {.path = "/a/b", .headers = headers};
  return steer_testkit_pick_one(kit, &call);
}

static void check_config(void) {
  steer_string *error = NULL;
  STEER_CHECK(steer_testkit_new("abi_6_picker", "{\"weight\": 0}", &error) == NULL);
  const steer_str text = steer_string_text(error);
  STEER_CHECK(text.length > 0 && strstr(text.data, "field:abi_6_picker.weight") != NULL);
  steer_string_free(error);
}

static void check_picker(void) {
  steer_testkit *kit = channel_of("abi_6_picker", "{\"header\": \"x-kind\", \"weight\": 3}");
  steer_testkit_call hashed = {.request_hash = 4, .has_request_hash = 1};
  steer_testkit_pick picked;
  use_zones(kit);

  picked = pick_kind(kit, "none");
  STEER_CHECK(picked.kind == STEER_PICK_COMPLETE && picked.backend == 1);
  STEER_CHECK(picked.added_count == 1 && strcmp(picked.added[0].value, "/a/b") == 0);
  picked = steer_testkit_pick_one(kit, &hashed);
  STEER_CHECK(picked.kind == STEER_PICK_COMPLETE && picked.backend == 0);
  picked = pick_kind(kit, "fail");
  STEER_CHECK(picked.kind == STEER_PICK_FAIL && picked.code == STEER_CODE_RESOURCE_EXHAUSTED);
  STEER_CHECK(strcmp(picked.message, "as asked") == 0);
  STEER_CHECK(pick_kind(kit, "drop").kind == STEER_PICK_DROP);
  STEER_CHECK(pick_kind(kit, "queue").kind == STEER_PICK_QUEUE);

  picked = pick_kind(kit, "tracked");
  STEER_CHECK(picked.kind == STEER_PICK_TRACKED && picked.backend == 0);
  steer_testkit_start(&picked);
  STEER_CHECK(steer_testkit_logged(kit, "abi 6: started"));
  steer_testkit_advance(kit, 5);
  /* An OrcaLoadReport with application_utilization 0.5. */
  steer_testkit_finish_with(&picked, 4, STEER_TEXT("\x49\0\0\0\0\0\0\xe0\x3f"));
  STEER_CHECK(steer_testkit_logged(kit, "finished with 4 after 5 ns at 0.5, data eu-1"));
  picked = pick_kind(kit, "tracked");
  steer_testkit_abandon(&picked);
  STEER_CHECK(steer_testkit_logged(kit, "finished with -1 after 0 ns at -1, data eu-1"));

  /* The timer makes a picker each second. The one that was cancelled never expires. */
  steer_testkit_advance(kit, UINT64_C(1000000000));
  STEER_CHECK(steer_testkit_logged(kit, "abi 6: timer 1 after"));
  const size_t publications = kit->publications;
  steer_testkit_advance(kit, UINT64_C(1000000000));
  STEER_CHECK(steer_testkit_logged(kit, "abi 6: timer 2 after"));
  STEER_CHECK(kit->publications == publications + 1);

  /* Two faults in a minute fail two calls. With one more, all calls fail. */
  STEER_CHECK(pick_kind(kit, "fault").kind == STEER_PICK_FAIL);
  STEER_CHECK(pick_kind(kit, "fault").kind == STEER_PICK_FAIL);
  STEER_CHECK(pick_kind(kit, "none").kind == STEER_PICK_COMPLETE);
  STEER_CHECK(pick_kind(kit, "fault").code == STEER_CODE_INTERNAL);
  steer_testkit_settle(kit);
  STEER_CHECK(steer_testkit_fallen_back(kit, NULL, 0));
  STEER_CHECK(pick_kind(kit, "none").kind == STEER_PICK_FAIL);
  STEER_CHECK(steer_testkit_free(kit) == 0);
}

static void check_policy(void) {
  steer_testkit *kit = channel_of("abi_6_policy", "{}");
  size_t counts[3];
  STEER_CHECK(steer_testkit_use(kit, 0) == STEER_CODE_UNAVAILABLE);
  STEER_CHECK(kit->state == STEER_TRANSIENT_FAILURE);
  STEER_CHECK(steer_testkit_use(kit, 2) == 0);
  STEER_CHECK(steer_testkit_connect_all(kit) == 2);
  STEER_CHECK(steer_testkit_distribution(kit, NULL, 200, counts) == 0);
  STEER_CHECK(counts[0] > 50 && counts[1] > 50);
  /* The endpoints that are listed again keep their connections. */
  STEER_CHECK(steer_testkit_use(kit, 3) == 0);
  STEER_CHECK(steer_testkit_connect_all(kit) == 1);
  const size_t asked = kit->reresolutions;
  STEER_CHECK(steer_testkit_report(kit, 0, STEER_IDLE) && kit->reresolutions == asked + 1);
  STEER_CHECK(steer_testkit_distribution(kit, NULL, 100, counts) == 0 && counts[0] == 0);
  STEER_CHECK(steer_testkit_faults(kit) == 0);
  STEER_CHECK(steer_testkit_free(kit) == 0);
}

int main(int argc, char **argv) {
  STEER_CHECK(argc == 2);
  if (steer_load_plugin(steer_text(argv[1])) != STEER_OK) {
    const steer_str why = steer_last_error();
    fprintf(stderr, "%.*s\n", (int)why.length, why.data);
    return EXIT_FAILURE;
  }
  check_config();
  check_picker();
  check_policy();
  STEER_CHECK(steer_testkit_conformance("abi_6_picker", "{}", NULL) == 0);
  STEER_CHECK(steer_testkit_conformance("abi_6_policy", "{}", NULL) == 0);
  return EXIT_SUCCESS;
}
