//! The functions of `bc -l`: series on integers with more digits than asked for, then cut off.

use num_bigint::{BigInt, Sign};

use super::number::{Number, ten_to};

/// Digits beyond those asked for, which the errors of the series stay within.
const GUARD: u32 = 12;

/// Computes a function by its letter; none for one that there is not.
pub(super) fn function(name: &str, x: &Number, scale: u32) -> Option<Number> {
    if x.is_zero() && matches!(name, "s" | "a") {
        return Some(Number::from(0));
    }
    let extra = x.whole().magnitude().to_string().len();
    let extra = u32::try_from(extra).unwrap_or(u32::MAX).min(100_000);
    let value = match name {
        "e" => exponential(x, scale),
        "l" => {
            if x.value.sign() != Sign::Plus {
                return Some(
                    (Number::from(1).plus(&Number {
                        value: -ten_to(scale),
                        scale: 0,
                    }))
                    .with_scale(scale),
                );
            }
            if x.compare(&Number::from(1)).is_eq() {
                return Some(Number::from(0));
            }
            let digits = scale + GUARD + extra + x.scale;
            logarithm(&x.with_scale(digits).value, digits).at(digits)
        }
        "s" | "c" => sine(x, name == "c", scale + GUARD + extra),
        "a" => {
            let digits = scale + GUARD;
            arctangent(&x.with_scale(digits).value, &ten_to(digits)).at(digits)
        }
        _ => return None,
    };
    Some(value.with_scale(scale))
}

trait At {
    fn at(self, scale: u32) -> Number;
}

impl At for BigInt {
    fn at(self, scale: u32) -> Number {
        Number { value: self, scale }
    }
}

/// Sums terms until they vanish: each is made of the one before.
fn series(first: BigInt, mut next: impl FnMut(&BigInt, u32) -> BigInt) -> BigInt {
    let (mut sum, mut term) = (first.clone(), first);
    for count in 1.. {
        term = next(&term, count);
        if term.sign() == Sign::NoSign {
            break;
        }
        sum += &term;
    }
    sum
}

fn exponential(x: &Number, scale: u32) -> Number {
    let size = i64::try_from(x.whole()).unwrap_or(0).unsigned_abs();
    let more = u32::try_from(size / 2).unwrap_or(0).min(1_000_000);
    let digits = scale + GUARD + more;
    let unit = ten_to(digits);
    // Halve until the series is short, then square as often.
    let halvings = 64 - size.leading_zeros() + 8;
    let digits_small = digits + halvings;
    let unit_small = ten_to(digits_small);
    let small = x.with_scale(digits_small).value >> halvings;
    let mut power = series(unit_small.clone(), |term, count| {
        term * &small / &unit_small / count
    });
    for _ in 0..halvings {
        power = &power * &power / &unit_small;
    }
    (power * unit / unit_small).at(digits)
}

/// ln x: square roots bring x near 1, there ln x = 2 artanh((x-1)/(x+1)).
fn logarithm(x: &BigInt, digits: u32) -> BigInt {
    let unit = ten_to(digits);
    let mut x = x.clone();
    let mut doublings = 0_u32;
    let (above, below) = (&unit * 11 / 10, &unit * 9 / 10);
    while x > above || x < below {
        x = (&x * &unit).sqrt();
        doublings += 1;
    }
    let ratio = (&x - &unit) * &unit / (&x + &unit);
    let square = &ratio * &ratio / &unit;
    let mut power = ratio.clone();
    let sum = series(ratio, |_, count| {
        power = &power * &square / &unit;
        &power / (2 * count + 1)
    });
    sum << (doublings + 1)
}

/// arctan: halves the angle until the series is short.
fn arctangent(x: &BigInt, unit: &BigInt) -> BigInt {
    let mut x = x.clone();
    let mut doublings = 0_u32;
    let near: BigInt = unit / 10;
    while x.magnitude() > near.magnitude() {
        let root = (unit * unit + &x * &x).sqrt();
        x = &x * unit / (unit + root);
        doublings += 1;
    }
    let square = &x * &x / unit;
    let mut power = x.clone();
    let sum = series(x, |_, count| {
        power = -(&power * &square / unit);
        &power / (2 * count + 1)
    });
    sum << doublings
}

fn sine(x: &Number, is_cosine: bool, digits: u32) -> Number {
    let unit = ten_to(digits);
    let quarter = arctangent(&unit, &unit);
    let mut x = x.with_scale(digits).value;
    if is_cosine {
        x += &quarter * 2;
    }
    let turn = &quarter * 8;
    x %= &turn;
    let half: BigInt = &quarter * 4;
    if x.magnitude() > half.magnitude() {
        x = if x.sign() == Sign::Minus {
            x + turn
        } else {
            x - turn
        };
    }
    let square = &x * &x / &unit;
    series(x, |term, count| {
        -(term * &square / &unit) / (2 * count * (2 * count + 1))
    })
    .at(digits)
}
