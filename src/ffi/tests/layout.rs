//! No struct that crosses the ABI ends in padding. A field that a later version adds could be in
//! that padding: `struct_size` would not tell callers with the field from callers without it, and
//! the engine would read padding as the field.

use steer_abi::*;

use super::*;

/// The size of the field that the function selects.
fn size_of_field<Struct, Field>(_: impl Fn(&Struct) -> &Field) -> usize {
    size_of::<Field>()
}

/// Checks that each struct ends with the last byte of the named field, and returns the names.
macro_rules! ends_with {
    ($($name:ident.$last:ident,)*) => {
        [$({
            let end = std::mem::offset_of!($name, $last)
                + size_of_field(|value: &$name| &value.$last);
            assert_eq!(end, size_of::<$name>(), "{} ends in padding", stringify!($name));
            concat!(stringify!($name), ".", stringify!($last))
        },)*]
    };
}

#[test]
#[cfg_attr(miri, ignore = "it reads the source, which takes Miri long")]
fn no_struct_ends_in_padding() {
    let mut checked = ends_with! {
        steer_api.child_tracked,
        steer_attribute.integer,
        steer_backend.data,
        steer_backends.ready,
        steer_call.reserved,
        steer_call_end.metrics,
        steer_call_finish.report,
        steer_child_update.weights,
        steer_choice.value,
        steer_counter.release,
        steer_custom_metric.reserved,
        steer_endpoint.attribute_count,
        steer_endpoint_report.connection,
        steer_engine.taken_name,
        steer_gauge.release,
        steer_histogram.release,
        steer_host.channel,
        steer_metric.value,
        steer_metrics.named_count,
        steer_pick_failure.message,
        steer_picked.value,
        steer_picker_type.load_report,
        steer_plugin.entry,
        steer_policy_type.child_changed,
        steer_publication.child_count,
        steer_resolved.resolution_note,
        steer_str.length,
        steer_update.cluster,
        steer_virtual_endpoint.reserved,
        steer_virtual_request.text,
        steer_wants.header_count,
    };
    checked.sort_unstable();
    assert_eq!(checked.to_vec(), structs_in_headers(), "name each struct with its last field");
}

/// Each struct that a generated header defines, with its last field.
fn structs_in_headers() -> Vec<String> {
    let headers = [
        include_str!("../../../include/steer/base.h"),
        include_str!("../../../include/steer/plugin.h"),
        include_str!("../../../include/steer/host.h"),
        include_str!("../../../include/steer/virtual_host.h"),
    ];
    let definition = |text: &str| {
        let (name, fields) = text.split_once(" {\n")?;
        let (fields, _) = fields.split_once(&format!("\n}} {name};"))?;
        // Neither a comment nor the continuation of a function pointer.
        let starts_a_field = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
        let mut lines = fields.lines().filter_map(|line| line.strip_prefix("  "));
        let last = lines.rfind(starts_a_field)?;
        let field = match last.split_once("(*") {
            Some((_, pointer)) => pointer,
            None => last.trim_end_matches(';').rsplit([' ', '*']).next()?,
        };
        Some(format!("{name}.{}", field.split(')').next()?))
    };
    let mut found: Vec<_> = headers
        .iter()
        .flat_map(|header| header.split("typedef struct ").skip(1).filter_map(definition))
        .collect();
    found.sort_unstable();
    found
}
