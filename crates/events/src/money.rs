//! Exact amounts: what `decimal(19,4)` holds, never a float.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An exact amount with at most four decimals and fifteen digits before them: SQL Server's `decimal(19,4)`.
///
/// Two texts of one value are equal: `1e2`, `100` and `100.0000`. It is written as the shortest of them: `100`, `299.99`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Money(i128);

/// Why a text is no [`Money`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyError {
    /// Not a number in the grammar of JSON (RFC 8259 §6).
    NotANumber,
    /// A digit other than 0 stands after the fourth decimal. Such an amount is refused, not rounded.
    TooPrecise,
    /// More than fifteen digits before the point.
    OutOfRange,
}

impl Money {
    /// Decimals kept.
    pub const SCALE: u32 = 4;
    /// Zero.
    pub const ZERO: Self = Self(0);
    const UNITS_PER_ONE: i128 = 10_i128.pow(Self::SCALE);
    const MAX_UNITS: i128 = 10_i128.pow(19) - 1;

    /// The amount of so many ten-thousandths, or `None` where `decimal(19,4)` cannot hold it.
    pub const fn from_units(units: i128) -> Option<Self> {
        if units > Self::MAX_UNITS || units < -Self::MAX_UNITS { None } else { Some(Self(units)) }
    }

    /// The amount in ten-thousandths.
    pub const fn units(self) -> i128 {
        self.0
    }

    /// The sum, or `None` where `decimal(19,4)` cannot hold it.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::from_units(self.0 + other.0)
    }

    /// So many times the amount, or `None` where `decimal(19,4)` cannot hold it.
    pub fn checked_mul(self, times: i32) -> Option<Self> {
        Self::from_units(self.0 * i128::from(times))
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    /// Reads a number as JSON writes it: `-?digits[.digits][e[+-]digits]`, without leading zeros, underscores or blanks.
    fn from_str(text: &str) -> Result<Self, MoneyError> {
        let number = Number::parse(text.as_bytes()).ok_or(MoneyError::NotANumber)?;
        let digits = || number.whole.iter().chain(number.fraction).copied();
        // The value is `digits × 10^power` ten-thousandths.
        let power = number.exponent + i64::from(Self::SCALE) - number.fraction.len() as i64;
        let significant = number.whole.len() + number.fraction.len();
        let kept = (significant as i64 + power.min(0)).clamp(0, significant as i64) as usize;
        if digits().skip(kept).any(|digit| digit != b'0') {
            return Err(MoneyError::TooPrecise);
        }
        let mut units: i128 = 0;
        let zeros = std::iter::repeat_n(b'0', usize::try_from(power.clamp(0, 40)).unwrap_or(0));
        for digit in digits().take(kept).chain(zeros) {
            units = units * 10 + i128::from(digit - b'0');
            if units > Self::MAX_UNITS {
                return Err(MoneyError::OutOfRange);
            }
        }
        Ok(Self(if number.negative { -units } else { units }))
    }
}

/// The parts of a JSON number.
struct Number<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
    exponent: i64,
}

impl<'a> Number<'a> {
    fn parse(text: &'a [u8]) -> Option<Self> {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let (whole, text) = take_digits(text);
        if whole.is_empty() || (whole.len() > 1 && whole[0] == b'0') {
            return None;
        }
        let (fraction, text) = match text {
            [b'.', rest @ ..] => Some(take_digits(rest)).filter(|(digits, _)| !digits.is_empty())?,
            _ => (&text[..0], text),
        };
        Some(Self { negative, whole, fraction, exponent: exponent(text)? })
    }
}

/// The exponent at the end of a number, 0 where there is none. Larger ones than any amount can have are cut.
fn exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [] => return Some(0),
        [b'e' | b'E', b'-', rest @ ..] => (-1, rest),
        [b'e' | b'E', b'+', rest @ ..] | [b'e' | b'E', rest @ ..] => (1, rest),
        _ => return None,
    };
    match take_digits(digits) {
        ([], _) => None,
        (digits, []) => Some(sign * digits.iter().fold(0_i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(1_000_000_000))),
        _ => None,
    }
}

fn take_digits(text: &[u8]) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len()))
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = self.0.unsigned_abs();
        let (whole, mut fraction) = (units / Self::UNITS_PER_ONE.unsigned_abs(), units % Self::UNITS_PER_ONE.unsigned_abs());
        let mut text = String::with_capacity(24);
        if self.0 < 0 {
            text.push('-');
        }
        write!(text, "{whole}")?;
        if fraction != 0 {
            let mut width = Self::SCALE as usize;
            while fraction.is_multiple_of(10) {
                (fraction, width) = (fraction / 10, width - 1);
            }
            write!(text, ".{fraction:0width$}")?;
        }
        f.pad_integral(true, "", &text)
    }
}

impl Serialize for Money {
    /// A JSON number with exactly these digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(self.to_string()).map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exact_amount_keeps_its_digits() {
        for (text, shown) in [
            ("0.1", "0.1"),
            ("299.99", "299.99"),
            ("12345678901234.5678", "12345678901234.5678"),
            ("1e2", "100"),
            ("1E+2", "100"),
            ("1.5e-3", "0.0015"),
            ("19.90", "19.9"),
            ("-0", "0"),
            ("-7.05", "-7.05"),
            ("0.0001", "0.0001"),
            ("1.10000", "1.1"),
            ("0e999999999999", "0"),
            ("999999999999999.9999", "999999999999999.9999"),
        ] {
            let money: Money = text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(money.to_string(), shown);
            assert_eq!(serde_json::to_string(&money).unwrap(), shown);
        }
    }

    #[test]
    fn what_is_not_exact_is_refused_not_rounded() {
        for (text, error) in [
            ("0.00001", MoneyError::TooPrecise),
            ("1.23456", MoneyError::TooPrecise),
            ("1e-5", MoneyError::TooPrecise),
            ("1e-999999999999", MoneyError::TooPrecise),
            ("1000000000000000", MoneyError::OutOfRange),
            ("1e15", MoneyError::OutOfRange),
            ("1e999999999999", MoneyError::OutOfRange),
        ] {
            assert_eq!(text.parse::<Money>(), Err(error), "{text}");
        }
        for text in ["", "-", "NaN", "Infinity", "+1", ".5", "5.", "01", "1_000", " 1", "1 ", "1e", "1e+", "0x10", "1,5", "--1"] {
            assert_eq!(text.parse::<Money>(), Err(MoneyError::NotANumber), "{text}");
        }
    }

    #[test]
    fn a_sum_or_a_product_that_no_column_holds_is_none() {
        let of = |text: &str| text.parse::<Money>().unwrap();
        let most = of("999999999999999.9999");
        assert_eq!(of("299.99").checked_add(of("0.02")), Some(of("300.01")));
        assert_eq!(most.checked_add(of("-0.0001")), Some(of("999999999999999.9998")));
        assert_eq!(most.checked_add(of("0.0001")), None);
        assert_eq!(of("19.99").checked_mul(-3), Some(of("-59.97")));
        assert_eq!(most.checked_mul(2), None);
    }

    #[test]
    fn units_are_ten_thousandths_up_to_nineteen_digits_on_either_side() {
        let most = 9_999_999_999_999_999_999;
        for units in [-most, -1, 0, 20_000, most] {
            assert_eq!(Money::from_units(units).map(Money::units), Some(units));
        }
        assert_eq!((Money::from_units(most + 1), Money::from_units(-most - 1)), (None, None));
        assert_eq!("2".parse::<Money>().map(Money::units), Ok(20_000));
    }

    proptest::proptest! {
        #[test]
        fn text_and_value_are_two_sides_of_one_amount(units in -Money::MAX_UNITS..=Money::MAX_UNITS) {
            let money = Money::from_units(units).unwrap();
            proptest::prop_assert_eq!(money.to_string().parse::<Money>(), Ok(money));
        }
    }
}
