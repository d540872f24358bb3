//! The encodings themselves. Decoding gives all bytes before the first that is wrong.

const INVALID: &str = "invalid input";

const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64_URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE32_HEX: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";
const BASE16: &[u8] = b"0123456789ABCDEF";
const BASE2: &[u8] = b"01";
const Z85: &[u8] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// How bytes are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Characters of so many bits from an alphabet, groups of `characters`, with `=` where they are not full.
    Bits {
        alphabet: &'static [u8],
        bits: u32,
        characters: usize,
    },
    /// Eight digits a byte, the lowest bit first.
    LowestBitFirst,
    /// Five characters for four bytes.
    Z85,
}

impl Encoding {
    /// Returns an encoding by the name of its option or program.
    pub fn named(name: &str) -> Option<Self> {
        let (alphabet, bits, characters) = match name {
            "base64" => (BASE64, 6, 4),
            "base64url" => (BASE64_URL, 6, 4),
            "base32" => (BASE32, 5, 8),
            "base32hex" => (BASE32_HEX, 5, 8),
            "base16" => (BASE16, 4, 2),
            "base2msbf" => (BASE2, 1, 8),
            "base2lsbf" => return Some(Self::LowestBitFirst),
            "z85" => return Some(Self::Z85),
            _ => return None,
        };
        Some(Self::Bits {
            alphabet,
            bits,
            characters,
        })
    }

    /// Encodes whole groups, the last of all may be short.
    pub fn encode(self, bytes: &[u8], text: &mut Vec<u8>) -> Result<(), &'static str> {
        match self {
            Self::Bits {
                alphabet,
                bits,
                characters,
            } => {
                let group = characters * bits as usize / 8;
                text.reserve(bytes.len() / group * characters + characters);
                for part in bytes.chunks(group) {
                    if let ([first, second, third], 6) = (part, bits) {
                        let value = u32::from_be_bytes([0, *first, *second, *third]);
                        text.extend(
                            [18, 12, 6, 0].map(|shift| letter(alphabet, value >> shift & 63)),
                        );
                    } else {
                        encode_group(part, alphabet, bits, characters, text);
                    }
                }
            }
            Self::LowestBitFirst => {
                for byte in bytes {
                    text.extend((0..8).map(|bit| b'0' + ((byte >> bit) & 1)));
                }
            }
            Self::Z85 => {
                for part in bytes.chunks(4) {
                    let word: [u8; 4] = part
                        .try_into()
                        .map_err(|_| "invalid input (length must be multiple of 4 characters)")?;
                    let mut value = u32::from_be_bytes(word);
                    let mut group = [0; 5];
                    for place in group.iter_mut().rev() {
                        *place = letter(Z85, value % 85);
                        value /= 85;
                    }
                    text.extend_from_slice(&group);
                }
            }
        }
        Ok(())
    }

    /// Returns how many characters and how many bytes a group has.
    fn group(self) -> (usize, usize) {
        match self {
            Self::Bits {
                bits, characters, ..
            } => (characters, characters * bits as usize / 8),
            Self::LowestBitFirst => (8, 1),
            Self::Z85 => (5, 4),
        }
    }

    fn alphabet(self) -> &'static [u8] {
        match self {
            Self::Bits { alphabet, .. } => alphabet,
            Self::LowestBitFirst => BASE2,
            Self::Z85 => Z85,
        }
    }

    /// Returns whether groups are filled up with `=`.
    fn pads(self) -> bool {
        matches!(self, Self::Bits { bits: 5 | 6, .. })
    }
}

fn letter(alphabet: &[u8], value: u32) -> u8 {
    usize::try_from(value)
        .ok()
        .and_then(|place| alphabet.get(place))
        .copied()
        .unwrap_or(b'?')
}

fn encode_group(part: &[u8], alphabet: &[u8], bits: u32, characters: usize, text: &mut Vec<u8>) {
    let mut value = 0_u64;
    for byte in part {
        value = value << 8 | u64::from(*byte);
    }
    let full = part.len() * 8;
    let used = full.div_ceil(bits as usize);
    value <<= used * bits as usize - full;
    for place in (0..used).rev() {
        let digit = (value >> (place as u32 * bits)) as u32 & ((1 << bits) - 1);
        text.push(letter(alphabet, digit));
    }
    text.extend(std::iter::repeat_n(b'=', characters - used));
}

/// What a character means.
const NEWLINE: u8 = 0xfd;
const PADDING: u8 = 0xfe;
const GARBAGE: u8 = 0xff;

/// Takes text apart that comes in pieces.
pub(super) struct Decoder {
    encoding: Encoding,
    ignores: bool,
    meanings: [u8; 256],
    /// The digits of the group that is not full, and how many `=` behind them.
    digits: Vec<u8>,
    padding: usize,
}

impl Decoder {
    pub fn new(encoding: Encoding, ignores: bool) -> Self {
        let mut meanings = [GARBAGE; 256];
        let mut set = |byte: u8, meaning: u8| {
            if let Some(place) = meanings.get_mut(usize::from(byte)) {
                *place = meaning;
            }
        };
        for (value, byte) in (0..).zip(encoding.alphabet()) {
            set(*byte, value);
        }
        set(b'\n', NEWLINE);
        if encoding.pads() {
            set(b'=', PADDING);
        }
        Self {
            encoding,
            ignores,
            meanings,
            digits: Vec::with_capacity(8),
            padding: 0,
        }
    }

    /// Decodes a piece of text and puts the bytes behind `bytes`.
    pub fn decode(&mut self, text: &[u8], bytes: &mut Vec<u8>) -> Result<(), &'static str> {
        let (characters, _) = self.encoding.group();
        for byte in text {
            match self
                .meanings
                .get(usize::from(*byte))
                .copied()
                .unwrap_or(GARBAGE)
            {
                NEWLINE => {}
                GARBAGE if self.ignores => {}
                GARBAGE => {
                    self.partial(bytes);
                    return Err(INVALID);
                }
                PADDING => {
                    if self.digits.is_empty() {
                        return Err(INVALID);
                    }
                    self.padding += 1;
                }
                _ if self.padding > 0 => {
                    self.partial(bytes);
                    return Err(INVALID);
                }
                digit => self.digits.push(digit),
            }
            if self.digits.len() + self.padding == characters {
                self.group(bytes)?;
            }
        }
        Ok(())
    }

    /// Ends the text: no group may be left open.
    pub fn finish(&mut self, bytes: &mut Vec<u8>) -> Result<(), &'static str> {
        if self.digits.is_empty() && self.padding == 0 {
            return Ok(());
        }
        self.partial(bytes);
        if self.encoding == Encoding::Z85 {
            return Err("invalid input (length must be multiple of 5 characters)");
        }
        Err(INVALID)
    }

    /// Gives the whole bytes that an open group has.
    fn partial(&mut self, bytes: &mut Vec<u8>) {
        if let Encoding::Bits { bits: bits @ 6, .. } = self.encoding {
            self.whole_bytes(bits, bytes);
        }
        self.digits.clear();
    }

    fn whole_bytes(&self, bits: u32, bytes: &mut Vec<u8>) {
        let mut value = 0_u64;
        for digit in &self.digits {
            value = value << bits | u64::from(*digit);
        }
        let known = self.digits.len() * bits as usize;
        for place in 0..known / 8 {
            bytes.push((value >> (known - 8 * (place + 1))) as u8);
        }
    }

    fn group(&mut self, bytes: &mut Vec<u8>) -> Result<(), &'static str> {
        match self.encoding {
            Encoding::Bits { bits, .. } => {
                let known = self.digits.len() * bits as usize;
                // As many digits as bytes need, and nothing in the bits that are left over.
                let is_short = known % 8 >= bits as usize;
                let rest = known % 8;
                let last = self.digits.last().copied().unwrap_or(0);
                let is_clean = u32::from(last) & ((1 << rest.min(7)) - 1) == 0;
                if is_short || (self.padding > 0 && !is_clean) {
                    self.partial(bytes);
                    return Err(INVALID);
                }
                self.whole_bytes(bits, bytes);
            }
            Encoding::LowestBitFirst => {
                let byte = self
                    .digits
                    .iter()
                    .rev()
                    .fold(0, |byte, digit| byte << 1 | digit);
                bytes.push(byte);
            }
            Encoding::Z85 => {
                let value = self
                    .digits
                    .iter()
                    .fold(0_u64, |value, digit| value * 85 + u64::from(*digit));
                let value = u32::try_from(value).map_err(|_| INVALID)?;
                bytes.extend_from_slice(&value.to_be_bytes());
            }
        }
        self.digits.clear();
        self.padding = 0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn goes_there_and_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        for name in [
            "base64",
            "base64url",
            "base32",
            "base32hex",
            "base16",
            "base2msbf",
            "base2lsbf",
            "z85",
        ] {
            let encoding = Encoding::named(name).unwrap();
            let (_, group) = encoding.group();
            let mut text = Vec::new();
            encoding.encode(&bytes, &mut text).unwrap();
            assert!(text.len() > bytes.len() && group > 0);
            let (mut decoder, mut back) = (Decoder::new(encoding, false), Vec::new());
            for byte in &text {
                decoder.decode(&[*byte], &mut back).unwrap();
            }
            decoder.finish(&mut back).unwrap();
            assert_eq!(back, bytes, "{name}");
        }
    }
}
