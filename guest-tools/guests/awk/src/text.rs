//! Characters in byte strings: UTF-8 where it is valid, single bytes where it is not.

/// Returns how many bytes the character at a place has; 1 for what is no UTF-8.
pub fn character_length(text: &[u8], at: usize) -> usize {
    let Some(first) = text.get(at) else { return 1 };
    let length = match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return 1,
    };
    match text.get(at..at + length) {
        Some(bytes) if std::str::from_utf8(bytes).is_ok() => length,
        _ => 1,
    }
}

/// Returns how many characters a text has.
pub fn count_characters(text: &[u8]) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    let mut count = 0;
    let mut at = 0;
    while at < text.len() {
        at += character_length(text, at);
        count += 1;
    }
    count
}

/// Returns the place so many characters behind a place, at most the end.
pub fn advance_characters(text: &[u8], from: usize, count: usize) -> usize {
    let mut at = from.min(text.len());
    for _ in 0..count {
        if at >= text.len() {
            break;
        }
        at += character_length(text, at);
    }
    at
}

/// Changes the case of all letters.
pub fn change_case(text: &[u8], upper: bool) -> Vec<u8> {
    if text.is_ascii() {
        return if upper {
            text.to_ascii_uppercase()
        } else {
            text.to_ascii_lowercase()
        };
    }
    let mut into = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            // As C does it, character by character: what would become two characters stays.
            let changed = if upper {
                let mut changed = character.to_uppercase();
                (changed.len() == 1).then(|| changed.next()).flatten()
            } else {
                let mut changed = character.to_lowercase();
                (changed.len() == 1).then(|| changed.next()).flatten()
            };
            into.extend_from_slice(
                changed
                    .unwrap_or(character)
                    .encode_utf8(&mut [0; 4])
                    .as_bytes(),
            );
        }
        into.extend_from_slice(chunk.invalid());
    }
    into
}
