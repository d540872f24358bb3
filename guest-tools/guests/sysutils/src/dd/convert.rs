//! What `conv=` does to the data on its way from the blocks read to the blocks written.

use super::operands::Operands;
use super::tables::{TO_ASCII, TO_EBCDIC, TO_IBM};

/// The conversions and where the data stands in its records.
pub(super) struct Converter {
    table: Option<[u8; 256]>,
    swaps: bool,
    /// The first byte of a pair whose second is still to come.
    held: Option<u8>,
    records: Records,
    size: usize,
    /// Bytes in the record that is being made or taken apart.
    column: usize,
    /// Spaces that may be the end of a record.
    spaces: usize,
    /// Records that were longer than their size.
    pub truncated: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Records {
    /// Data has none.
    None,
    /// Lines become records of one size.
    Block,
    /// Records become lines.
    Unblock,
}

impl Converter {
    pub fn new(operands: &Operands) -> Self {
        let mut table: Option<[u8; 256]> = None;
        let mut then = |map: &dyn Fn(u8) -> u8| {
            let mut base = table.unwrap_or_else(identity);
            for byte in &mut base {
                *byte = map(*byte);
            }
            table = Some(base);
        };
        let look = |table: &'static [u8; 256]| {
            move |byte: u8| table.get(usize::from(byte)).copied().unwrap_or(byte)
        };
        if operands.converts("ascii") {
            then(&look(&TO_ASCII));
        }
        if operands.converts("ucase") {
            then(&|byte| byte.to_ascii_uppercase());
        }
        if operands.converts("lcase") {
            then(&|byte| byte.to_ascii_lowercase());
        }
        if operands.converts("ebcdic") {
            then(&look(&TO_EBCDIC));
        }
        if operands.converts("ibm") {
            then(&look(&TO_IBM));
        }
        let size = usize::try_from(operands.record_size).unwrap_or(usize::MAX);
        let blocks = ["block", "ebcdic", "ibm"];
        let records = if size == 0 {
            Records::None
        } else if blocks.iter().any(|word| operands.converts(word)) {
            Records::Block
        } else if operands.converts("unblock") || operands.converts("ascii") {
            Records::Unblock
        } else {
            Records::None
        };
        Self {
            table,
            swaps: operands.converts("swab"),
            held: None,
            records,
            size,
            column: 0,
            spaces: 0,
            truncated: 0,
        }
    }

    fn space(&self) -> u8 {
        // A space of the code that comes out.
        match (&self.table, self.records) {
            (Some(table), Records::Block) => table.get(usize::from(b' ')).copied().unwrap_or(b' '),
            _ => b' ',
        }
    }

    fn newline(&self) -> u8 {
        match (&self.table, self.records) {
            (Some(table), Records::Block) => {
                table.get(usize::from(b'\n')).copied().unwrap_or(b'\n')
            }
            _ => b'\n',
        }
    }

    /// Converts a block and puts what comes of it behind `out`.
    pub fn convert(&mut self, block: &mut [u8], out: &mut Vec<u8>) {
        if let Some(table) = &self.table {
            for byte in block.iter_mut() {
                *byte = table.get(usize::from(*byte)).copied().unwrap_or(*byte);
            }
        }
        if !self.swaps {
            return self.record(block, out);
        }
        let mut swapped = Vec::with_capacity(block.len() + 1);
        for byte in block.iter() {
            match self.held.take() {
                Some(first) => swapped.extend_from_slice(&[*byte, first]),
                None => self.held = Some(*byte),
            }
        }
        self.record(&swapped, out);
    }

    /// Ends the data.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(last) = self.held.take() {
            self.record(&[last], out);
        }
        match self.records {
            Records::Block if self.column > 0 => {
                let missing = self.size.saturating_sub(self.column);
                out.extend(std::iter::repeat_n(self.space(), missing));
            }
            Records::Unblock if self.column > 0 => out.push(b'\n'),
            _ => {}
        }
    }

    fn record(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.records {
            Records::None => out.extend_from_slice(bytes),
            Records::Block => self.block(bytes, out),
            Records::Unblock => self.unblock(bytes, out),
        }
    }

    fn block(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let newline = self.newline();
        for byte in bytes {
            if *byte == newline {
                let missing = self.size.saturating_sub(self.column);
                out.extend(std::iter::repeat_n(self.space(), missing));
                self.column = 0;
                continue;
            }
            if self.column == self.size {
                self.truncated += 1;
            } else if self.column < self.size {
                out.push(*byte);
            }
            self.column += 1;
        }
    }

    fn unblock(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for byte in bytes {
            if self.column == self.size {
                out.push(b'\n');
                (self.column, self.spaces) = (0, 0);
            }
            self.column += 1;
            if *byte == b' ' {
                self.spaces += 1;
                continue;
            }
            out.extend(std::iter::repeat_n(b' ', self.spaces));
            self.spaces = 0;
            out.push(*byte);
        }
    }
}

fn identity() -> [u8; 256] {
    std::array::from_fn(|place| u8::try_from(place).unwrap_or(0))
}
