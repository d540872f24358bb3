//! Server-sent events, decoded as their bytes arrive, in whatever pieces they arrive.
//!
//! Keeps no more than one unfinished line and one unfinished event, both bounded. An event that the end of
//! the stream cuts off is dropped, as the format asks. Deliberately absent: `id` and `retry`, which serve
//! reconnection; a model's answer cannot be resumed.

/// Longest line in bytes. Without it one endless line would fill the host's memory.
pub const LINE_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Most bytes of data in one event, over all of its `data` lines.
pub const EVENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SseEvent {
    /// The `event` field; empty where the stream names none.
    pub name: String,
    /// The `data` lines, joined by line feeds.
    pub data: String,
}

/// Why the bytes are not a usable stream of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// A line is longer than [`LINE_BYTES_MAX`].
    #[error("a line of the event stream is longer than {LINE_BYTES_MAX} bytes")]
    LineTooLong,
    /// An event's data is longer than [`EVENT_BYTES_MAX`].
    #[error("an event of the stream is longer than {EVENT_BYTES_MAX} bytes")]
    EventTooLong,
}

/// The decoder of one stream.
#[derive(Default)]
pub struct SseDecoder {
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed right after it ends the same line.
    is_after_cr: bool,
    /// A byte order mark may open the first line only.
    is_after_first_line: bool,
    name: String,
    data: String,
    has_data: bool,
}

impl SseDecoder {
    /// Takes the next bytes and appends the events that they complete to `events`.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<SseEvent>) -> Result<(), SseError> {
        let mut rest = bytes;
        if self.is_after_cr && !rest.is_empty() {
            self.is_after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|&b| b == b'\n' || b == b'\r') {
            let (line, tail) = rest.split_at(end);
            self.extend_line(line)?;
            self.end_line(events)?;
            rest = match tail {
                [b'\r', b'\n', after @ ..] => after,
                [b'\r'] => {
                    self.is_after_cr = true;
                    &[]
                }
                [_, after @ ..] => after,
                [] => &[],
            };
        }
        self.extend_line(rest)
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), SseError> {
        if self.line.len().saturating_add(bytes.len()) > LINE_BYTES_MAX {
            return Err(SseError::LineTooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self, events: &mut Vec<SseEvent>) -> Result<(), SseError> {
        let line = std::mem::take(&mut self.line);
        let mut line = line.as_slice();
        if !self.is_after_first_line {
            self.is_after_first_line = true;
            line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line);
        }
        if line.is_empty() {
            self.dispatch(events);
            return Ok(());
        }
        let (field, value) = match line.iter().position(|&b| b == b':') {
            Some(colon) => {
                let (field, value) = line.split_at(colon);
                let value = value.strip_prefix(b":").unwrap_or(value);
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &[] as &[u8]),
        };
        match field {
            b"event" => self.name = String::from_utf8_lossy(value).into_owned(),
            b"data" => {
                if self.data.len().saturating_add(value.len()) >= EVENT_BYTES_MAX {
                    return Err(SseError::EventTooLong);
                }
                if self.has_data {
                    self.data.push('\n');
                }
                self.has_data = true;
                self.data.push_str(&String::from_utf8_lossy(value));
            }
            // An empty field is a comment, which servers send to keep the connection alive.
            _ => {}
        }
        Ok(())
    }

    fn dispatch(&mut self, events: &mut Vec<SseEvent>) {
        let name = std::mem::take(&mut self.name);
        let data = std::mem::take(&mut self.data);
        if std::mem::take(&mut self.has_data) {
            events.push(SseEvent { name, data });
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        clippy::panic,
        reason = "tests"
    )]

    use proptest::prelude::*;

    use super::*;

    fn decode(bytes: &[u8]) -> Vec<SseEvent> {
        let mut events = Vec::new();
        SseDecoder::default().push(bytes, &mut events).unwrap();
        events
    }

    fn event(name: &str, data: &str) -> SseEvent {
        SseEvent {
            name: name.into(),
            data: data.into(),
        }
    }

    #[test]
    fn reads_the_format() {
        let cases: &[(&str, Vec<SseEvent>)] = &[
            ("", vec![]),
            ("data: a\n\n", vec![event("", "a")]),
            ("event: x\ndata: a\n\n", vec![event("x", "a")]),
            ("data:a\ndata: b\ndata:\n\n", vec![event("", "a\nb\n")]),
            ("data:  two\n\n", vec![event("", " two")]),
            ("data\n\n", vec![event("", "")]),
            (": ping\n\ndata: a\n\n", vec![event("", "a")]),
            // A name without data is no event, and does not stick to the next one.
            ("event: x\n\ndata: a\n\n", vec![event("", "a")]),
            (
                "id: 4\nretry: 9\nother: z\ndata: a\n\n",
                vec![event("", "a")],
            ),
            ("\u{feff}data: a\n\n", vec![event("", "a")]),
            (
                "data: a\r\n\r\ndata: b\r\rdata: c\n\n",
                vec![event("", "a"), event("", "b"), event("", "c")],
            ),
            // Cut off before the blank line.
            ("data: a\n\ndata: b\n", vec![event("", "a")]),
        ];
        for (text, expected) in cases {
            assert_eq!(&decode(text.as_bytes()), expected, "{text:?}");
        }
    }

    #[test]
    fn bounds_lines_and_events() {
        let mut decoder = SseDecoder::default();
        let mut events = Vec::new();
        let piece = vec![b'a'; LINE_BYTES_MAX / 2];
        decoder.push(&piece, &mut events).unwrap();
        decoder.push(&piece, &mut events).unwrap();
        assert_eq!(decoder.push(b"a", &mut events), Err(SseError::LineTooLong));

        let mut decoder = SseDecoder::default();
        let mut line = b"data: ".to_vec();
        line.extend_from_slice(&piece);
        line.push(b'\n');
        decoder.push(&line, &mut events).unwrap();
        assert_eq!(
            decoder.push(&line, &mut events),
            Err(SseError::EventTooLong)
        );
    }

    proptest! {
        #[test]
        fn any_split_decodes_alike(
            lines in proptest::collection::vec(
                ("(data|event|id|: c|)", "[ -~é€]{0,12}", "(\n|\r\n|\r|\n\n|\r\n\r\n)"), 0..20),
            cuts in proptest::collection::vec(0usize..400, 0..12),
        ) {
            let mut text = String::new();
            for (field, value, end) in &lines {
                text.push_str(field);
                text.push(':');
                text.push_str(value);
                text.push_str(end);
            }
            let bytes = text.as_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c % (bytes.len() + 1)).collect();
            cuts.sort_unstable();
            cuts.push(bytes.len());
            let (mut decoder, mut events, mut from) = (SseDecoder::default(), Vec::new(), 0);
            for cut in cuts {
                decoder.push(&bytes[from..cut], &mut events).unwrap();
                from = cut;
            }
            prop_assert_eq!(events, decode(bytes));
        }
    }
}
