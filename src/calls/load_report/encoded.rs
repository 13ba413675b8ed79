//! Single fields of a load report that is not decoded. Nothing is allocated.
//!
//! As in all protobuf messages, the last value of a field or of a name counts, and unknown fields
//! are skipped. One difference to a complete decoder is deliberate: entries of maps are looked at
//! only when a name is looked for.
//!
//! Source: the protobuf encoding, by the functions of `prost`.
//! Cost: one pass over the report's fields for its numbers, and one for each name.
//!
//! Must not depend on: who reads the report.

use prost::DecodeError;
use prost::encoding::{
    DecodeContext, WireType, check_wire_type, decode_key, decode_varint, double, skip_field, uint64,
};

use super::Numbers;

/// The numbers of the fields of `OrcaLoadReport` that are maps.
const REQUEST_COST: u32 = 4;
pub(super) const UTILIZATION: u32 = 5;
pub(super) const NAMED_METRICS: u32 = 8;

/// The numbers that have no name. `None` if `bytes` is empty or is not a load report.
pub(super) fn numbers(bytes: &[u8]) -> Option<Numbers> {
    let (mut numbers, mut rest) = (Numbers::default(), bytes);
    while let Some((key, after)) = rest.split_first() {
        // The key of a field is its number × 8 + its type, usually in one byte.
        let value = match key {
            0x09 => &mut numbers.cpu_utilization,
            0x11 => &mut numbers.mem_utilization,
            0x31 => &mut numbers.rps_fractional,
            0x39 => &mut numbers.eps,
            0x49 => &mut numbers.application_utilization,
            _ => {
                read_other(&mut rest, &mut numbers).ok()?;
                continue;
            }
        };
        let (double, after) = after.split_first_chunk()?;
        *value = f64::from_le_bytes(*double);
        rest = after;
    }
    (!bytes.is_empty()).then_some(numbers)
}

/// Reads a field that is not a number, or whose key takes more than one byte.
fn read_other(rest: &mut &[u8], numbers: &mut Numbers) -> Result<(), DecodeError> {
    let (number, wire_type) = decode_key(rest)?;
    let value = match number {
        1 => &mut numbers.cpu_utilization,
        2 => &mut numbers.mem_utilization,
        6 => &mut numbers.rps_fractional,
        7 => &mut numbers.eps,
        9 => &mut numbers.application_utilization,
        3 => return uint64::merge(wire_type, &mut numbers.rps, rest, context()),
        REQUEST_COST | UTILIZATION | NAMED_METRICS => return delimited(rest).map(drop),
        _ => return skip_field(wire_type, number, rest, context()),
    };
    double::merge(wire_type, value, rest, context())
}

/// The value of this name in the map with this field number.
pub(super) fn named(bytes: &[u8], map: u32, name: &str) -> Option<f64> {
    let mut found = None;
    let read = each_field(bytes, |number, wire_type, rest| {
        if number != map {
            return skip_field(wire_type, number, rest, context());
        }
        let (key, value) = entry(delimited(rest)?)?;
        if key == name.as_bytes() {
            found = Some(value);
        }
        Ok(())
    });
    read.ok().and(found)
}

/// The name and the value of an entry of a map.
fn entry(bytes: &[u8]) -> Result<(&[u8], f64), DecodeError> {
    let (mut key, mut value) = (&[][..], 0.0);
    each_field(bytes, |number, wire_type, rest| match number {
        1 => {
            check_wire_type(WireType::LengthDelimited, wire_type)?;
            key = delimited(rest)?;
            Ok(())
        }
        2 => double::merge(wire_type, &mut value, rest, context()),
        _ => skip_field(wire_type, number, rest, context()),
    })?;
    Ok((key, value))
}

/// Calls `read` with the number and the type of each field. It takes the field's value from the
/// front of the rest.
fn each_field<'a>(
    mut rest: &'a [u8],
    mut read: impl FnMut(u32, WireType, &mut &'a [u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    while !rest.is_empty() {
        let (number, wire_type) = decode_key(&mut rest)?;
        read(number, wire_type, &mut rest)?;
    }
    Ok(())
}

/// Takes the bytes of a string or a map's entry from the front of `rest`. The caller checks the
/// type of a string's field; `prost` does not check that of a map's.
fn delimited<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], DecodeError> {
    let length = decode_varint(rest)?;
    let (bytes, after) = usize::try_from(length)
        .ok()
        .and_then(|length| rest.split_at_checked(length))
        .ok_or_else(|| DecodeError::new("buffer underflow"))?;
    *rest = after;
    Ok(bytes)
}

fn context() -> DecodeContext {
    DecodeContext::default()
}

#[cfg(all(test, not(loom), not(miri)))]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use prost::Message;

    use super::super::{LoadReport, Metrics};
    use super::*;

    const NAMES: [&str; 4] = ["", "a", "a.b", "queue"];

    fn map() -> impl Strategy<Value = BTreeMap<String, f64>> {
        let name = prop::sample::select(&NAMES[..]).prop_map(str::to_owned);
        prop::collection::btree_map(name, -2.0..2.0, 0..4)
    }

    fn report() -> impl Strategy<Value = Metrics> {
        let numbers = (any::<[f64; 5]>(), any::<u64>());
        (numbers, map(), map(), map()).prop_map(|((doubles, rps), costs, resources, named)| {
            let [cpu, mem, rps_fractional, eps, application] = doubles;
            Metrics {
                cpu_utilization: cpu,
                mem_utilization: mem,
                rps,
                request_cost: costs,
                utilization: resources,
                rps_fractional,
                eps,
                named_metrics: named,
                application_utilization: application,
            }
        })
    }

    /// Asserts that single fields are as in the decoded report.
    fn check(bytes: &[u8], decoded: &Metrics) -> Result<(), TestCaseError> {
        let (encoded, decoded) = (LoadReport::Encoded(bytes), LoadReport::Decoded(decoded));
        // As text, because NaN is not equal to itself.
        prop_assert_eq!(format!("{:?}", encoded.numbers()), format!("{:?}", decoded.numbers()));
        for name in NAMES {
            let values = [encoded.utilization(name), encoded.named_metric(name)];
            let expected = [decoded.utilization(name), decoded.named_metric(name)];
            prop_assert_eq!(format!("{values:?}"), format!("{expected:?}"));
        }
        Ok(())
    }

    /// A key of one byte, or the first byte of a longer one.
    fn field_key() -> impl Strategy<Value = u8> {
        prop_oneof![0_u8..90, 128_u8..218]
    }

    proptest! {
        /// Two reports, one after the other, are one report with the fields of both.
        #[test]
        fn fields_are_as_in_the_decoded_report(first in report(), second in report()) {
            let bytes = [first.encode_to_vec(), second.encode_to_vec()].concat();
            let decoded = Metrics::decode(&*bytes).unwrap();
            check(&bytes, &decoded)?;
            let cut = &bytes[..bytes.len() / 2];
            if let Some(decoded) = Metrics::read(cut) {
                check(cut, &decoded)?;
            }
        }

        /// What the decoder accepts has the same fields here. No bytes do harm.
        #[test]
        fn any_bytes_are_read_as_the_decoder_reads_them(
            fields in prop::collection::vec(
                (field_key(), prop::collection::vec(0_u8..20, 0..10)), 0..4,
            ),
        ) {
            let bytes: Vec<u8> =
                fields.into_iter().flat_map(|(key, rest)| [vec![key], rest].concat()).collect();
            match Metrics::read(&bytes) {
                Some(decoded) => check(&bytes, &decoded)?,
                None => drop((numbers(&bytes), named(&bytes, UTILIZATION, "a"))),
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_empty_is_no_report() {
        let report = Metrics { eps: 1.0, rps_fractional: 2.0, ..Metrics::default() };
        let bytes = report.encode_to_vec();
        assert_eq!(numbers(&bytes), LoadReport::Decoded(&report).numbers());
        assert_eq!(numbers(&bytes[..bytes.len() - 1]), None);
        assert_eq!(numbers(&[]), None);
        // The type of each field counts.
        assert_eq!(numbers(&[8, 1]), None);
        assert_eq!(numbers(&[0x42, 5, 0]), None);
    }
}
