//! `{1..10..2}` and `{a..e}`.

/// An arithmetic sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sequence {
    first: i128,
    step: i128,
    count: u64,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Numbers, zero-padded to this width.
    Number(usize),
    Letter,
}

impl Sequence {
    /// Reads what stands between the braces.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (first, rest) = text.split_once("..")?;
        let (last, step) = match rest.split_once("..") {
            Some((last, step)) => (last, integer(step)?),
            None => (rest, 0),
        };
        if let (Some(from), Some(to)) = (integer(first), integer(last)) {
            let is_padded = |text: &str| {
                text.strip_prefix(['-', '+'])
                    .unwrap_or(text)
                    .starts_with('0')
                    && text.len() > 1
                    && text != "-0"
            };
            let width = if is_padded(first) || is_padded(last) {
                first.len().max(last.len())
            } else {
                0
            };
            return Some(Self::new(from, to, step, Form::Number(width)));
        }
        match (first.as_bytes(), last.as_bytes()) {
            ([from], [to]) if from.is_ascii_alphabetic() && to.is_ascii_alphabetic() => Some(
                Self::new(i128::from(*from), i128::from(*to), step, Form::Letter),
            ),
            _ => None,
        }
    }

    /// The sign of the step follows the direction; a step of 0 is 1.
    fn new(first: i128, last: i128, step: i128, form: Form) -> Self {
        let size = step.abs().max(1);
        let step = if first <= last { size } else { -size };
        let count = u64::try_from((last - first).abs() / size + 1).unwrap_or(u64::MAX);
        Self {
            first,
            step,
            count,
            form,
        }
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn element(&self, index: u64) -> Vec<u8> {
        let value = self.first + self.step * i128::from(index);
        match self.form {
            Form::Number(width) => format!("{value:0width$}").into_bytes(),
            Form::Letter => match u8::try_from(value) {
                // A backslash and a grave accent lie between Z and a; the caller quotes what they must not.
                Ok(byte) => vec![byte],
                Err(_) => Vec::new(),
            },
        }
    }
}

/// Reads a number as `strtol` does, all of `text`, in 64 bits.
fn integer(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    if digits.starts_with('+') {
        return None;
    }
    digits.parse::<i64>().ok().map(i128::from)
}
