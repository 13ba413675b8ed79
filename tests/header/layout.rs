//! Which header declares what, in which order, under which heading.
//!
//! Each name that cbindgen finds is in exactly one section. A new one is added here. A declaration
//! comes after those that it uses.

/// One generated header.
pub struct Header {
    /// The file's name, without ".h".
    pub name: &'static str,
    /// The headers that it includes, as `#include` names them.
    pub includes: &'static [&'static str],
    /// Who includes it, and for what.
    pub about: &'static str,
    /// Its headings.
    pub sections: &'static [Section],
}

/// One heading, and the names below it.
pub struct Section {
    pub title: &'static str,
    pub names: &'static [&'static str],
}

const fn section(title: &'static str, names: &'static [&'static str]) -> Section {
    Section { title, names }
}

pub const HEADERS: &[Header] = &[
    Header {
        name: "base",
        includes: &["<stddef.h>", "<stdint.h>"],
        about: "The types that plugins and hosts share. `plugin.h` and `host.h` include this file.",
        sections: &[
            section(
                "Texts",
                &["steer_str", "steer_string", "steer_string_text", "steer_string_free"],
            ),
            section(
                "Statuses and errors",
                &["steer_status", "steer_status_text", "steer_last_error"],
            ),
            section("Versions", &["STEER_ABI_VERSION", "steer_abi_version", "steer_version"]),
            section("Connectivity states", &["steer_state"]),
            section("gRPC status codes", &["steer_code"]),
            section("Log lines", &["steer_severity"]),
            section("Attributes of endpoints", &["steer_attribute_kind", "steer_attribute"]),
            section(
                "Calls",
                &[
                    "STEER_WANTS_PATH",
                    "STEER_WANTS_HEADERS",
                    "STEER_WANTS_METRICS",
                    "STEER_WANTS_REQUEST_HASH",
                    "steer_call",
                ],
            ),
            section("Backend metrics", &["steer_metric", "steer_metrics"]),
        ],
    },
    Header {
        name: "plugin",
        includes: &["\"steer/base.h\""],
        about: "For authors of custom pickers and custom policies, and for programs that link or \
                load them. `picker.h` adds helpers for C, and `steer.hpp` is for C++.",
        sections: &[
            section(
                "Handles",
                &["steer_channel", "steer_json", "steer_faults", "steer_child_config"],
            ),
            section("Backends", &["steer_backend", "steer_backends"]),
            section("Choices", &["steer_choice_kind", "steer_choice", "steer_wants"]),
            section("Ends of calls", &["steer_call_outcome", "steer_call_end"]),
            section(
                "Custom metrics",
                &["steer_custom_metric", "steer_counter", "steer_gauge", "steer_histogram"],
            ),
            section("Configs", &["steer_json_kind"]),
            section("Faults", &["steer_on_fault"]),
            section("Custom pickers", &["steer_picker_type"]),
            section(
                "Custom policies",
                &["steer_resolved", "steer_child_update", "steer_publication", "steer_policy_type"],
            ),
            section("The engine's functions for plugins", &["steer_api", "steer_api_get"]),
            section("Plugins", &["STEER_PLUGIN_MAGIC", "steer_plugin"]),
            section(
                "Registering and loading",
                &[
                    "steer_register_picker",
                    "steer_register_policy",
                    "steer_register_plugin",
                    "steer_load_plugin",
                    "steer_load_plugins",
                ],
            ),
            section(
                "Taking over names of gRPC's policies",
                &["steer_take_over", "steer_take_over_environment"],
            ),
        ],
    },
    Header {
        name: "host",
        includes: &["\"steer/base.h\"", "\"steer/plugin.h\""],
        about: "For hosts, which drive the engine: the shim for gRPC C++, test programs. Programs \
                read the statistics with it, too. `host.hpp` is for hosts in C++.",
        sections: &[
            section(
                "Handles",
                &["steer_config", "steer_policy", "steer_picker", "steer_call_tracker"],
            ),
            section(
                "Configs",
                &[
                    "steer_policy_name",
                    "steer_taken_name",
                    "steer_config_parse",
                    "steer_config_free",
                ],
            ),
            section("Picks", &["steer_pick_kind", "steer_picked", "steer_pick_failure"]),
            section("Pickers", &["steer_picker_wants", "steer_picker_pick", "steer_picker_free"]),
            section(
                "Tracked calls",
                &[
                    "steer_call_finish",
                    "steer_call_tracker_connection",
                    "steer_call_tracker_wants",
                    "steer_call_tracker_start",
                    "steer_call_tracker_finish",
                    "steer_call_tracker_free",
                ],
            ),
            section(
                "The host's callbacks",
                &[
                    "STEER_HOST_LACKS_LOAD_QPS",
                    "STEER_HOST_WORDS_NOTE_IN_BRACKETS",
                    "STEER_HOST_WORDS_ENDPOINTS",
                    "steer_host",
                ],
            ),
            section(
                "Updates and reports",
                &["steer_endpoint", "steer_update", "steer_endpoint_report"],
            ),
            section(
                "Policies",
                &[
                    "steer_policy_new",
                    "steer_policy_update",
                    "steer_policy_endpoint_report",
                    "steer_policy_endpoint_load",
                    "steer_policy_exit_idle",
                    "steer_policy_reset_backoff",
                    "steer_policy_timer",
                    "steer_policy_run",
                    "steer_policy_faults",
                    "steer_policy_fallback",
                    "steer_policy_free",
                ],
            ),
            section(
                "Statistics",
                &["steer_stats_json", "steer_stats_prometheus", "steer_stats_track_calls"],
            ),
            section(
                "Several engines in one process",
                &["steer_engine", "steer_engine_lead", "steer_engine_follow"],
            ),
        ],
    },
    Header {
        name: "virtual_host",
        includes: &["\"steer/host.h\""],
        about: "For tests: a host in memory. `testkit.h` is made of it. Programs do not need it.",
        sections: &[
            section(
                "Virtual hosts",
                &[
                    "steer_virtual_host",
                    "steer_virtual_host_new",
                    "steer_virtual_host_callbacks",
                    "steer_virtual_host_held",
                    "steer_virtual_host_free",
                ],
            ),
            section(
                "What the engine asks for",
                &[
                    "steer_virtual_request_kind",
                    "steer_virtual_request",
                    "steer_virtual_host_request",
                ],
            ),
            section(
                "Endpoints and connections",
                &[
                    "steer_virtual_endpoint",
                    "steer_virtual_host_list",
                    "steer_virtual_host_endpoint",
                    "steer_virtual_host_report",
                    "steer_virtual_host_address",
                ],
            ),
            section(
                "Time and random numbers",
                &["steer_virtual_host_timer", "steer_virtual_host_seed"],
            ),
            section(
                "The latest picker",
                &[
                    "steer_virtual_host_picker",
                    "steer_virtual_host_picker_free",
                    "steer_virtual_host_drop_picker",
                ],
            ),
        ],
    },
    Header {
        name: "steer",
        includes: &["\"steer/base.h\"", "\"steer/host.h\"", "\"steer/plugin.h\""],
        about: "The whole C ABI of Steer's engine: load-balancing policies for gRPC C++, written \
                in Rust.",
        sections: &[],
    },
];
