/*
 * by_name: the call names its backend, in a header ("to" by default). Calls without this header go
 * to any backend.
 *
 *   {"by_name": {"header": "to", "names": {"red": "ipv4:127.0.0.1:50051"}}}
 *
 * The name of a backend is the resolver's attribute "name", or else the name that the config sets
 * for its address, or else the address itself.
 *
 * Cost of a pick: one comparison for each READY backend.
 */
#include <steer/picker.h>

static const steer_api *api;

static int32_t no_memory(void) {
  api->fault(STEER_TEXT("by_name: no memory"));
  return 1;
}

/* --- The config --- */

typedef struct named {
  steer_str name;
  steer_str address;
} named;

typedef struct config {
  steer_str header;
  size_t count;
  named names[];
} config;

static void config_free(void *given) {
  config *c = given;
  free((char *)c->header.data);
  for (size_t i = 0; i < c->count; ++i) {
    free((char *)c->names[i].name.data);
    free((char *)c->names[i].address.data);
  }
  free(c);
}

static int32_t config_new(void *ctx, const steer_json *json, steer_faults *faults, void **made) {
  const steer_json *names = api->json_get(json, STEER_TEXT("names"));
  const size_t count = api->json_size(names);
  config *c = calloc(1, sizeof *c + count * sizeof *c->names);
  steer_str header = STEER_TEXT("to");
  (void)ctx;
  if (c == NULL) return no_memory();
  steer_json_get_string(api, json, faults, "header", &header);
  c->header = steer_text_copy(header);
  for (; c->count < count; ++c->count) {
    steer_str address = STEER_TEXT("");
    if (!api->json_string(api->json_at(names, c->count), &address)) {
      api->config_fault(faults, STEER_TEXT("names"), STEER_TEXT("must hold addresses, as strings"));
    }
    c->names[c->count].name = steer_text_copy(api->json_key(names, c->count));
    c->names[c->count].address = steer_text_copy(address);
  }
  *made = c;
  return 0;
}

static steer_str name_of(const config *c, const steer_backend *backend) {
  steer_str name;
  if (steer_backend_text(backend, STEER_TEXT("name"), &name)) return name;
  for (size_t i = 0; i < c->count; ++i) {
    if (steer_backend_has_address(backend, c->names[i].address)) return c->names[i].name;
  }
  return backend->addresses[0];
}

/* --- The picker --- */

typedef struct picker {
  const config *config;
  const steer_channel *channel;
  size_t count;
  steer_str names[];
} picker;

/* The instance is the channel itself, because there is no other state of a channel. */
static int32_t instance_new(void *ctx, steer_channel *channel, void **instance) {
  (void)ctx;
  *instance = channel;
  return 0;
}

static int32_t picker_new(void *instance, const void *config, const steer_backends *backends,
                          steer_wants *wants, void **made) {
  picker *p = malloc(sizeof *p + backends->count * sizeof *p->names);
  if (p == NULL) return no_memory();
  p->config = config;
  p->channel = instance;
  p->count = backends->count;
  for (size_t i = 0; i < p->count; ++i) p->names[i] = name_of(config, backends->items[i]);
  steer_wants_headers(wants, &p->config->header, 1);
  *made = p;
  return 0;
}

static steer_choice pick(const void *given, const steer_call *call) {
  const picker *p = given;
  steer_str name;
  if (!steer_call_header(call, p->config->header, &name)) {
    return steer_complete(api->random(p->channel) % p->count);
  }
  for (size_t i = 0; i < p->count; ++i) {
    if (steer_text_equal(p->names[i], name)) return steer_complete(i);
  }
  return api->fail(14, STEER_TEXT("by_name: no READY backend has the name that the call asks for"));
}

/* --- The plugin --- */

static int32_t entry(const steer_api *engine) {
  const steer_picker_type type = {
      .struct_size = sizeof type,
      .name = STEER_TEXT("by_name"),
      .config_new = config_new,
      .config_free = config_free,
      .instance_new = instance_new,
      .picker_new = picker_new,
      .picker_free = free,
      .pick = pick,
  };
  api = engine;
  return api->register_picker(&type);
}

STEER_PLUGIN(by_name_plugin, "by_name", "1.0", entry)
