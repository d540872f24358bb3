//! Arithmetic.

use crate::Error;
use crate::syntax::Arithmetic;

use super::Machine;

impl Machine {
    /// Calculates with two numbers.
    #[inline]
    pub(super) fn calculate(
        &self,
        operator: Arithmetic,
        left: f64,
        right: f64,
    ) -> Result<f64, Error> {
        match operator {
            Arithmetic::Add => Ok(left + right),
            Arithmetic::Subtract => Ok(left - right),
            Arithmetic::Multiply => Ok(left * right),
            Arithmetic::Divide if right == 0.0 => Err(self.fatal("division by zero attempted")),
            Arithmetic::Divide => Ok(left / right),
            Arithmetic::Remainder if right == 0.0 => {
                Err(self.fatal("division by zero attempted in `%'"))
            }
            Arithmetic::Remainder => Ok(left % right),
            Arithmetic::Power => Ok(power(left, right)),
        }
    }
}

/// A whole exponent multiplies, which is exact as long as the result is.
fn power(base: f64, exponent: f64) -> f64 {
    if exponent.fract() != 0.0 || exponent.abs() > 1e9 {
        return base.powf(exponent);
    }
    let mut rest = exponent.abs() as u64;
    let mut square = base;
    let mut result = 1.0;
    while rest > 0 {
        if rest & 1 == 1 {
            result *= square;
        }
        square *= square;
        rest >>= 1;
    }
    if exponent < 0.0 { 1.0 / result } else { result }
}
