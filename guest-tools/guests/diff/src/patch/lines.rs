//! The input of patch as lines.

/// The lines of a patch and the one that is read next.
pub(super) struct Lines {
    lines: Vec<Vec<u8>>,
    pub(super) at: usize,
    /// Carriage returns at line ends are not read.
    pub(super) strip_returns: bool,
}

impl Lines {
    pub(super) fn new(bytes: &[u8]) -> Self {
        Self {
            lines: bytes
                .split_inclusive(|byte| *byte == b'\n')
                .map(<[u8]>::to_vec)
                .collect(),
            at: 0,
            strip_returns: false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at >= self.lines.len()
    }

    pub(super) fn raw(&self, number: usize) -> Option<&[u8]> {
        self.lines.get(number).map(Vec::as_slice)
    }

    pub(super) fn peek(&self) -> Option<Vec<u8>> {
        let line = self.raw(self.at)?;
        if self.strip_returns
            && let Some(content) = line.strip_suffix(b"\r\n")
        {
            return Some([content, b"\n"].concat());
        }
        Some(line.to_vec())
    }

    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        let line = self.peek()?;
        self.at += 1;
        Some(line)
    }
}
