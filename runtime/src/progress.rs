//! `sinew:tool/progress`: what a call says of how far it is, on its way to whoever watches.

use std::time::{Duration, Instant};

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use crate::process::Process;
use crate::shell::Progress;

/// The interface, as components import it.
const INTERFACE: &str = "sinew:tool/progress@0.1.0";
/// Longest line, in bytes; the rest is cut.
const LINE_BYTES_MAX: usize = 1_000;
/// Shortest time between two lines of one call, so that a loop cannot flood whoever watches; a line that comes sooner is
/// left out.
const APART: Duration = Duration::from_millis(20);

/// Where the reports of one call go.
pub(crate) struct Reports {
    sink: Option<Progress>,
    last: Option<Instant>,
}

impl Reports {
    pub(crate) fn to(sink: Option<Progress>) -> Self {
        Self { sink, last: None }
    }

    fn report(&mut self, message: &str, done: Option<u64>, total: Option<u64>) {
        let Some(sink) = &self.sink else { return };
        let now = Instant::now();
        // The last unit is always told.
        let is_last = done.is_some() && done == total;
        let is_early = self
            .last
            .is_some_and(|last| now.duration_since(last) < APART);
        if is_early && !is_last {
            return;
        }
        self.last = Some(now);
        sink(line(message, done, total).as_bytes());
    }
}

/// Returns what is shown of a report.
fn line(message: &str, done: Option<u64>, total: Option<u64>) -> String {
    let start = message.get(..message.floor_char_boundary(LINE_BYTES_MAX));
    let mut line: String = start
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_control())
        .collect();
    let counted = match (done, total) {
        (Some(done), Some(total)) => format!("({done} of {total})"),
        (Some(done), None) => format!("({done})"),
        (None, _) => String::new(),
    };
    if !line.is_empty() && !counted.is_empty() {
        line.push(' ');
    }
    line.push_str(&counted);
    line.push('\n');
    line
}

/// Offers the interface to all components.
pub(crate) fn add_to_linker(linker: &mut Linker<Process>) -> wasmtime::Result<()> {
    type Report = (String, Option<u64>, Option<u64>);
    linker.instance(INTERFACE)?.func_wrap(
        "report",
        |mut store: StoreContextMut<'_, Process>, (message, done, total): Report| {
            store.data_mut().reports().report(&message, done, total);
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_one_bounded_line() {
        assert_eq!(line("rows", Some(3), Some(9)), "rows (3 of 9)\n");
        assert_eq!(line("rows", Some(3), None), "rows (3)\n");
        assert_eq!(line("", Some(3), None), "(3)\n");
        assert_eq!(line("a\u{1b}[31mb\nc", None, Some(9)), "a[31mbc\n");
        let long = line(&"ä".repeat(5_000), None, None);
        assert_eq!(long.len(), LINE_BYTES_MAX + 1);
    }
}
