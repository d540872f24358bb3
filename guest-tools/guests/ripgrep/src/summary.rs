//! `--stats` and the last message of `--json`.

use std::io::{self, Write};
use std::time::Duration;

use grep_printer::Stats;

/// Writes the statistics for people.
pub(crate) fn print(out: &mut dyn Write, stats: &Stats, took: Duration) -> io::Result<()> {
    write!(
        out,
        "\n{} matches\n{} matched lines\n{} files contained matches\n{} files searched\n{} bytes printed\n\
         {} bytes searched\n{:.6} seconds spent searching\n{:.6} seconds\n",
        stats.matches(),
        stats.matched_lines(),
        stats.searches_with_match(),
        stats.searches(),
        stats.bytes_printed(),
        stats.bytes_searched(),
        stats.elapsed().as_secs_f64(),
        took.as_secs_f64(),
    )
}

/// Writes the statistics as JSON.
pub(crate) fn print_json(out: &mut dyn Write, stats: &Stats, took: Duration) -> io::Result<()> {
    let duration = |time: Duration| {
        format!(
            "{{\"human\":\"{:.6}s\",\"nanos\":{},\"secs\":{}}}",
            time.as_secs_f64(),
            time.subsec_nanos(),
            time.as_secs()
        )
    };
    writeln!(
        out,
        "{{\"data\":{{\"elapsed_total\":{},\"stats\":{{\"bytes_printed\":{},\"bytes_searched\":{},\
         \"elapsed\":{},\"matched_lines\":{},\"matches\":{},\"searches\":{},\"searches_with_match\":{}}}}},\
         \"type\":\"summary\"}}",
        duration(took),
        stats.bytes_printed(),
        stats.bytes_searched(),
        duration(stats.elapsed()),
        stats.matched_lines(),
        stats.matches(),
        stats.searches(),
        stats.searches_with_match(),
    )
}
