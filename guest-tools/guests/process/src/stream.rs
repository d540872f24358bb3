//! A descriptor as std's `Read` and `Write` have it: blocking.

use std::io::{self, Read, Write};

use crate::Descriptor;

/// A descriptor that waits where it would block. Unbuffered: wrap it in std's buffers.
#[derive(Debug)]
pub struct Stream(pub Descriptor);

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.0.read_blocking(buffer.len())?;
        match buffer.get_mut(..bytes.len()) {
            Some(place) => place.copy_from_slice(&bytes),
            None => return Err(io::ErrorKind::InvalidData.into()),
        }
        Ok(bytes.len())
    }

    fn read_to_end(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        let before = buffer.len();
        loop {
            let bytes = self.0.read_blocking(65_536)?;
            if bytes.is_empty() {
                return Ok(buffer.len() - before);
            }
            buffer.extend_from_slice(&bytes);
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.write_blocking(bytes)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
