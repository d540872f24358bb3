//! The operations of a parsed expression, and what the binary ones compute.

/// One step of the stack machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// Pushes a constant.
    Number(i64),
    /// Pushes the value of a place.
    Load(usize),
    /// Pushes the value of a place and remembers its subscript for [`Operation::StoreHeld`].
    LoadHeld(usize),
    /// Stores the top of the stack, which stays.
    Store(usize),
    /// Stores the top of the stack, which stays, at the remembered subscript.
    StoreHeld(usize),
    /// `++`, `--`: adds to a place; pushes the value before (postfix) or after.
    Step {
        place: usize,
        delta: i8,
        is_postfix: bool,
    },
    /// `-`.
    Negate,
    /// `~`.
    Complement,
    /// `!`.
    Not,
    /// Replaces two values by one. `offset` is where a message about the right operand points.
    Binary(Binary, usize),
    /// Takes a value; goes to the target when it is 0.
    JumpIfZero(usize),
    /// Takes a value; goes to the target when it is not 0.
    JumpIfNotZero(usize),
    /// Goes to the target.
    Jump(usize),
    /// Drops a value.
    Drop,
    /// Makes the top 0 or 1.
    Truth,
    /// Ends with the syntax error.
    Fail,
}

/// A binary operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    ShiftLeft,
    ShiftRight,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    And,
    ExclusiveOr,
    Or,
}

impl Binary {
    /// Computes the operator; shifts take their count modulo 64 as the processor does.
    pub(super) fn apply(self, left: i64, right: i64) -> Result<i64, &'static str> {
        Ok(match self {
            Self::Add => left.wrapping_add(right),
            Self::Subtract => left.wrapping_sub(right),
            Self::Multiply => left.wrapping_mul(right),
            Self::Divide | Self::Remainder if right == 0 => return Err("division by 0"),
            Self::Divide => left.wrapping_div(right),
            Self::Remainder => left.wrapping_rem(right),
            Self::Power => return power(left, right),
            Self::ShiftLeft => left.wrapping_shl(count(right)),
            Self::ShiftRight => left.wrapping_shr(count(right)),
            Self::Less => i64::from(left < right),
            Self::LessOrEqual => i64::from(left <= right),
            Self::Greater => i64::from(left > right),
            Self::GreaterOrEqual => i64::from(left >= right),
            Self::Equal => i64::from(left == right),
            Self::NotEqual => i64::from(left != right),
            Self::And => left & right,
            Self::ExclusiveOr => left ^ right,
            Self::Or => left | right,
        })
    }
}

fn count(value: i64) -> u32 {
    u32::try_from(value & 63).unwrap_or_default()
}

fn power(base: i64, exponent: i64) -> Result<i64, &'static str> {
    let Ok(mut exponent) = u64::try_from(exponent) else {
        return Err("exponent less than 0");
    };
    let (mut base, mut result) = (base, 1_i64);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = result.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        exponent >>= 1;
    }
    Ok(result)
}
