//! The command `l`: a line with all that is not printable shown.

/// Returns a line as `l` prints it, in pieces of `width` columns with their `\`; 0 is no bound.
pub(crate) fn listing(line: &[u8], width: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(line.len() + 2);
    let mut column = 0;
    for byte in line {
        let shown: Vec<u8> = match byte {
            b'\\' => b"\\\\".to_vec(),
            0x07 => b"\\a".to_vec(),
            0x08 => b"\\b".to_vec(),
            0x0C => b"\\f".to_vec(),
            b'\n' => b"\\n".to_vec(),
            b'\r' => b"\\r".to_vec(),
            b'\t' => b"\\t".to_vec(),
            0x0B => b"\\v".to_vec(),
            b' '..=b'~' => vec![*byte],
            byte => format!("\\{byte:03o}").into_bytes(),
        };
        if width > 0 && column + shown.len() > width - 1 {
            out.extend_from_slice(b"\\\n");
            column = 0;
        }
        column += shown.len();
        out.extend_from_slice(&shown);
    }
    out.extend_from_slice(b"$\n");
    out
}
