//! The hunks of a patch tried on a file, one after the other.

use std::io::{self, Write as _};

use process::Stat;

use super::Trouble;
use super::apply::Output;
use super::ed;
use super::hunk::{self, Hunk};
use super::locate::Place;
use super::options::Format;
use super::reject;
use super::say::{say, say_part};
use super::session::{Applied, Session, Work, absent};

impl Session {
    pub(super) fn run_ed(&mut self, work: &Work, input: &[Vec<u8>]) -> Result<Applied, Trouble> {
        let mut text = input.to_vec();
        if work.skip {
            ed::run(&mut self.lines, &mut Vec::new()).ok();
        } else {
            ed::run(&mut self.lines, &mut text)?;
        }
        let mut output = Output::default();
        output.finish(&text);
        Ok(Applied {
            output,
            hunks: 0,
            failed: 0,
            mismatch: false,
            rejects: Vec::new(),
        })
    }

    pub(super) fn apply_hunks(
        &mut self,
        work: &mut Work,
        input: &[Vec<u8>],
        stat: Option<&Stat>,
    ) -> Result<Applied, Trouble> {
        let mut applied = Applied {
            output: Output::default(),
            hunks: 0,
            failed: 0,
            mismatch: false,
            rejects: Vec::new(),
        };
        let mut apply_anyway = false;
        let (mut in_offset, mut out_offset) = (0_isize, 0_isize);
        while let Some(mut hunk) = hunk::next(&mut self.lines, work.found.format)? {
            if work.reverse {
                hunk.swap();
            }
            applied.hunks += 1;
            let (before, behind) = hunk.context();
            let fuzz_max = self.request.fuzz_max.min(before.max(behind));
            let (mut place, mut fuzz) = (None, 0);
            let mut at = Place {
                input,
                frozen: applied.output.frozen,
                offset: in_offset,
                ignore_space: self.request.ignore_space,
            };
            while !work.skip {
                place = at.locate(&hunk, fuzz);
                applied.mismatch |= place.is_none() || fuzz > 0 || at.offset != 0;
                if applied.hunks == 1
                    && place.is_none()
                    && !self.request.force
                    && !apply_anyway
                    && work.reverse == self.request.reverse
                {
                    hunk.swap();
                    place = at.locate(&hunk, fuzz);
                    let what = format!(
                        "{} patch detected!",
                        if work.reverse {
                            "Unreversed"
                        } else {
                            "Reversed (or previously applied)"
                        }
                    );
                    if place.is_some() && self.is_reverse_accepted(work, &what) {
                        work.reverse = !work.reverse;
                    } else {
                        hunk.swap();
                        if place.take().is_some() {
                            apply_anyway = true;
                            at.offset = in_offset;
                            continue;
                        }
                    }
                }
                fuzz += 1;
                if place.is_some() || fuzz > fuzz_max {
                    break;
                }
            }
            fuzz = fuzz.saturating_sub(1);
            in_offset = at.offset;
            let shown = place
                .unwrap_or(hunk.old_start)
                .saturating_add_signed(out_offset);
            let exists = place == Some(1)
                && absent(&work.found, work.reverse) == 2
                && stat.is_some_and(|stat| stat.size > 0);
            match place.filter(|_| !work.skip && !exists) {
                Some(place) => {
                    applied.output.apply(input, &hunk, place)?;
                    let moved = in_offset != 0;
                    if self.is_verbose() || (!self.is_silent() && (fuzz > 0 || moved)) {
                        let mut line = format!("Hunk #{} succeeded at {shown}", applied.hunks);
                        if fuzz > 0 {
                            line.push_str(&format!(" with fuzz {fuzz}"));
                        }
                        if moved {
                            let plural = if in_offset == 1 { "" } else { "s" };
                            line.push_str(&format!(" (offset {in_offset} line{plural})"));
                        }
                        say!(self, "{line}.");
                    }
                    let grown = |lines: usize| isize::try_from(lines).unwrap_or(0);
                    out_offset += grown(hunk.new.len()) - grown(hunk.old.len());
                }
                None => {
                    self.reject(work, &hunk, out_offset, &mut applied);
                    if self.is_verbose() || (!work.skip && !self.is_silent()) {
                        say!(
                            self,
                            "Hunk #{} {} at {shown}{}.",
                            applied.hunks,
                            if work.skip { "ignored" } else { "FAILED" },
                            if !work.skip && other_ends(&hunk, input, shown) {
                                " (different line endings)"
                            } else {
                                ""
                            }
                        );
                    }
                }
            }
        }
        applied.output.finish(input);
        Ok(applied)
    }

    fn reject(&self, work: &Work, hunk: &Hunk, shift: isize, applied: &mut Applied) {
        let format = work.found.format;
        let is_unified = self
            .request
            .reject_unified
            .unwrap_or(format == Format::Unified);
        if applied.failed == 0 {
            applied
                .rejects
                .extend(reject::head(&work.found, is_unified, work.reverse));
        }
        applied.failed += 1;
        applied.rejects.extend(if is_unified {
            reject::unified(hunk, shift)
        } else {
            reject::context(hunk, shift, format == Format::Normal)
        });
    }
}

/// Returns whether the lines of a hunk end otherwise than those of the file.
fn other_ends(hunk: &Hunk, input: &[Vec<u8>], place: usize) -> bool {
    let (Some(pattern), Some(last)) = (hunk.old.first(), input.len().checked_sub(1)) else {
        return false;
    };
    let line = input.get(place.saturating_sub(1).min(last));
    line.is_some_and(|line| pattern.text.ends_with(b"\r\n") != line.ends_with(b"\r\n"))
}
