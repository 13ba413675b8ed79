//! Numbers as people read them: times, shares, counts.
//!
//! Numbers keep three significant digits. A share that is not 0 is never shown as 0%, and one that
//! is not 1 never as 100%.
//!
//! Must not depend on: outcomes, how a report is laid out.

use crate::outcome::Unit;

impl Unit {
    /// The number with its unit.
    pub fn format(self, value: f64) -> String {
        match self {
            Unit::Time => time(value),
            Unit::Share => share(value),
            Unit::Number => number(value),
        }
    }

    /// Both ends of a range, such as `10.1–12 ms`. One number if they do not differ.
    pub fn format_range(self, least: f64, most: f64) -> String {
        let (least, most) = (self.format(least), self.format(most));
        if least == most {
            return least;
        }
        let unit = |text: &str| text.find([' ', '%']).map_or("", |at| &text[at..]).to_string();
        let start = if unit(&least) == unit(&most) {
            least.trim_end_matches(unit(&most).as_str())
        } else {
            &least
        };
        format!("{start}–{most}")
    }

    /// A difference, with a sign. That of shares is in percentage points, such as `+0.5 pp`.
    pub fn format_difference(self, value: f64) -> String {
        let text = match self {
            Unit::Share => format!("{} pp", number(value.abs() * 100.0)),
            other => other.format(value.abs()),
        };
        signed(value, &text)
    }
}

/// A change as a percentage with a sign, such as `−12.3%`.
pub fn change(share_of_first: f64) -> String {
    signed(share_of_first, &share(share_of_first.abs()))
}

/// The text of an absolute value with the sign of the value.
fn signed(value: f64, text: &str) -> String {
    match value {
        _ if value < 0.0 => format!("−{text}"),
        _ if value > 0.0 => format!("+{text}"),
        _ => text.to_string(),
    }
}

/// A time in seconds, such as `12.3 ms`.
pub fn time(seconds: f64) -> String {
    let size = rounded(seconds.abs());
    if !seconds.is_finite() {
        "–".to_string()
    } else if size == 0.0 {
        "0 s".to_string()
    } else if size < 1e-3 {
        format!("{} µs", number(seconds * 1e6))
    } else if size < 1.0 {
        format!("{} ms", number(seconds * 1e3))
    } else {
        format!("{} s", number(seconds))
    }
}

/// A share from 0 to 1 as a percentage, such as `12.3%`.
pub fn share(share: f64) -> String {
    let size = share.abs();
    if !share.is_finite() {
        "–".to_string()
    } else if size > 0.0 && size < 1e-5 {
        "<0.001%".to_string()
    } else if size < 1.0 && rounded(size) >= 1.0 {
        // The next number below 100% that has three digits.
        ">99.9%".to_string()
    } else {
        format!("{}%", number(share * 100.0))
    }
}

/// A plain number, such as `1.23` or `1,234,567`.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return "–".to_string();
    }
    let value = rounded(value);
    if value.abs() >= 1e15 {
        return format!("{value:e}");
    }
    if value.abs() >= 100.0 || value == value.trunc() {
        let digits = count(value.abs() as u64);
        return if value < 0.0 { format!("−{digits}") } else { digits };
    }
    let text = format!("{value:.*}", decimals(value));
    text.trim_end_matches('0').trim_end_matches('.').replace('-', "−")
}

/// A count, such as `1,234,567`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (place, digit) in digits.char_indices() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The value with three significant digits. Whole numbers from 100 on keep all their digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    if value.abs() >= 100.0 {
        return value.round();
    }
    let factor = libm::pow(10.0, decimals(value) as f64);
    (value * factor).round() / factor
}

/// The digits behind the point of a number below 100 that has three significant digits.
fn decimals(value: f64) -> usize {
    let magnitude = libm::floor(libm::log10(value.abs())) as i32;
    (2 - magnitude).clamp(0, 15) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_fits() {
        let shown = [0.0, 1.234e-7, 12.34e-6, 999.6e-6, 0.0123456, 0.9996, 1.5, 59.96, 1234.5];
        let expected =
            ["0 s", "0.123 µs", "12.3 µs", "1 ms", "12.3 ms", "1 s", "1.5 s", "60 s", "1,235 s"];
        assert_eq!(shown.map(time), expected);
    }

    #[test]
    fn shares_are_not_rounded_to_none_or_all() {
        let shown = [0.0, 1e-7, 0.000123, 0.0123, 0.5, 0.9996, 1.0];
        let expected = ["0%", "<0.001%", "0.0123%", "1.23%", "50%", ">99.9%", "100%"];
        assert_eq!(shown.map(share), expected);
    }

    #[test]
    fn numbers_have_three_digits_and_separators() {
        let shown = [0.0, 1.0, 1.005e-3, 12.345, 99.96, 1234567.8, -2.5, f64::NAN];
        let expected = ["0", "1", "0.00101", "12.3", "100", "1,234,568", "−2.5", "–"];
        assert_eq!(shown.map(number), expected);
        assert_eq!([0, 999, 1000, 1234567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn ranges_have_one_unit_if_it_is_the_same() {
        assert_eq!(Unit::Time.format_range(0.0101, 0.012), "10.1–12 ms");
        assert_eq!(Unit::Time.format_range(0.9, 1.5), "900 ms–1.5 s");
        assert_eq!(Unit::Share.format_range(0.0, 0.01), "0–1%");
        assert_eq!(Unit::Number.format_range(1.0, 1.0001), "1");
    }

    #[test]
    fn differences_have_a_sign() {
        assert_eq!(Unit::Time.format_difference(-0.0021), "−2.1 ms");
        assert_eq!(Unit::Share.format_difference(0.005), "+0.5 pp");
        assert_eq!(Unit::Number.format_difference(0.0), "0");
        assert_eq!(change(-0.123), "−12.3%");
        assert_eq!(change(1.5), "+150%");
    }
}
