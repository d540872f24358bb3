//! ELF files: programs, libraries and objects. And Mach-O, as far as its first words tell.

use super::answer::{Answer, Bytes};

/// Returns the answer for ELF and Mach-O.
pub(super) fn look(bytes: &[u8]) -> Option<Answer> {
    if bytes.has(0, b"\x7fELF") {
        return Some(elf(bytes));
    }
    mach(bytes)
}

struct File<'a> {
    bytes: &'a [u8],
    is_wide: bool,
    is_little: bool,
}

/// A part of the file: where, and how long.
struct Part {
    kind: u64,
    name: u64,
    at: usize,
    length: usize,
}

impl File<'_> {
    fn number(&self, at: usize, length: usize) -> Option<u64> {
        if self.is_little {
            self.bytes.little(at, length)
        } else {
            self.bytes.big(at, length)
        }
    }

    /// A field whose place and length differ between the classes.
    fn field(&self, narrow: usize, wide: usize) -> Option<usize> {
        let number = if self.is_wide {
            self.number(wide, 8)
        } else {
            self.number(narrow, 4)
        };
        usize::try_from(number?).ok()
    }

    fn small(&self, narrow: usize, wide: usize) -> Option<usize> {
        let at = if self.is_wide { wide } else { narrow };
        usize::try_from(self.number(at, 2)?).ok()
    }

    fn segments(&self) -> Vec<Part> {
        let part = |nth: usize| {
            let start = self.field(28, 32)? + nth * self.small(42, 54)?;
            Some(Part {
                kind: self.number(start, 4)?,
                name: 0,
                at: self.field(start + 4, start + 8)?,
                length: self.field(start + 16, start + 32)?,
            })
        };
        (0..self.small(44, 56).unwrap_or(0))
            .map_while(part)
            .collect()
    }

    fn sections(&self) -> Vec<Part> {
        let part = |nth: usize| {
            let start =
                self.field(32, 40).filter(|start| *start > 0)? + nth * self.small(46, 58)?;
            Some(Part {
                kind: self.number(start + 4, 4)?,
                name: self.number(start, 4)?,
                at: self.field(start + 16, start + 24)?,
                length: self.field(start + 20, start + 32)?,
            })
        };
        (0..self.small(48, 60).unwrap_or(0))
            .map_while(part)
            .collect()
    }

    /// Reads notes: the build's number and the system it is for.
    fn notes(&self, part: &Part, found: &mut Notes) -> Option<()> {
        let mut at = part.at;
        let end = part.at.checked_add(part.length)?;
        while at + 12 <= end {
            let name_length = usize::try_from(self.number(at, 4)?).ok()?;
            let length = usize::try_from(self.number(at + 4, 4)?).ok()?;
            let kind = self.number(at + 8, 4)?;
            let content = at + 12 + name_length.next_multiple_of(4);
            if self.bytes.has(at + 12, b"GNU\0") {
                if kind == 3 {
                    let number = self.bytes.slice(content, length)?;
                    let digits: String = number.iter().map(|byte| format!("{byte:02x}")).collect();
                    let name = match length {
                        20 => "sha1",
                        16 => "md5/uuid",
                        8 => "xxHash",
                        _ => "unknown",
                    };
                    found.build = format!(", BuildID[{name}]={digits}");
                } else if kind == 1 && self.number(content, 4)? == 0 {
                    found.system = format!(
                        ", for GNU/Linux {}.{}.{}",
                        self.number(content + 4, 4)?,
                        self.number(content + 8, 4)?,
                        self.number(content + 12, 4)?
                    );
                }
            }
            at = content + length.next_multiple_of(4);
        }
        Some(())
    }
}

#[derive(Default)]
struct Notes {
    build: String,
    system: String,
}

fn elf(bytes: &[u8]) -> Answer {
    let file = File {
        bytes,
        is_wide: bytes.byte(4) == Some(2),
        is_little: bytes.byte(5) != Some(2),
    };
    let mut text = "ELF".to_owned();
    text.push_str(match bytes.byte(4) {
        Some(1) => " 32-bit",
        Some(2) => " 64-bit",
        _ => " unknown class",
    });
    text.push_str(match bytes.byte(5) {
        Some(1) => " LSB",
        Some(2) => " MSB",
        _ => "",
    });
    let (Some(kind), Some(machine)) = (file.number(16, 2), file.number(18, 2)) else {
        return Answer::binary(text, "application/octet-stream");
    };
    let segments = file.segments();
    let interpreter = segments.iter().find(|part| part.kind == 3);
    let is_dynamic = segments.iter().any(|part| part.kind == 2);
    // A program that can be loaded anywhere says so in its dynamic section.
    let is_program = kind == 3
        && segments
            .iter()
            .any(|part| part.kind == 2 && is_pie(&file, part));
    let (words, mime) = match kind {
        1 => (" relocatable", "application/x-object"),
        2 => (" executable", "application/x-executable"),
        3 if is_program => (" pie executable", "application/x-pie-executable"),
        3 => (" shared object", "application/x-sharedlib"),
        4 => (" core file", "application/x-coredump"),
        _ => (" unknown type", "application/octet-stream"),
    };
    text.push_str(words);
    text.push_str(match machine {
        2 => ", SPARC",
        3 => ", Intel 80386",
        8 => ", MIPS",
        20 => ", PowerPC or cisco 4500",
        21 => ", 64-bit PowerPC or cisco 7500",
        22 => ", IBM S/390",
        40 => ", ARM",
        62 => ", x86-64",
        183 => ", ARM aarch64",
        243 => ", UCB RISC-V",
        247 => ", eBPF",
        258 => ", LoongArch",
        _ => ", unknown arch",
    });
    text.push_str(match file.number(20, 4) {
        Some(1) => ", version 1",
        _ => ", invalid version",
    });
    text.push_str(match bytes.byte(7) {
        Some(0) => " (SYSV)",
        Some(3) => " (GNU/Linux)",
        Some(9) => " (FreeBSD)",
        _ => "",
    });
    if !segments.is_empty() {
        text.push_str(if is_dynamic {
            ", dynamically linked"
        } else {
            ", statically linked"
        });
    }
    if let Some(part) = interpreter {
        text.push_str(&format!(
            ", interpreter {}",
            bytes.text(part.at, part.length)
        ));
    }
    let sections = file.sections();
    let mut notes = Notes::default();
    for part in segments.iter().filter(|part| part.kind == 4) {
        file.notes(part, &mut notes);
    }
    if segments.is_empty() {
        for part in sections.iter().filter(|part| part.kind == 7) {
            file.notes(part, &mut notes);
        }
    }
    text.push_str(&notes.build);
    text.push_str(&notes.system);
    if kind != 4 {
        let names = file
            .small(50, 62)
            .and_then(|place| sections.get(place))
            .map_or(0, |part| part.at);
        let has_debug = sections.iter().any(|part| {
            let at = usize::try_from(part.name)
                .unwrap_or(0)
                .saturating_add(names);
            bytes.text(at, 32) == ".debug_info"
        });
        if has_debug {
            text.push_str(", with debug_info");
        }
        let has_symbols = sections.iter().any(|part| part.kind == 2);
        text.push_str(if has_symbols {
            ", not stripped"
        } else {
            ", stripped"
        });
    }
    Answer::binary(text, mime)
}

/// Returns whether a dynamic section has the flag of programs.
fn is_pie(file: &File<'_>, part: &Part) -> bool {
    let size = if file.is_wide { 16 } else { 8 };
    (0..part.length / size).any(|nth| {
        let at = part.at + nth * size;
        let tag = file.field(at, at);
        let value = file.field(at + 4, at + 8);
        // DT_FLAGS_1 with DF_1_PIE.
        tag == Some(0x6fff_fffb) && value.is_some_and(|value| value & 0x0800_0000 != 0)
    })
}

fn mach(bytes: &[u8]) -> Option<Answer> {
    let (width, machine, kind) = match bytes.get(..4)? {
        b"\xcf\xfa\xed\xfe" => ("64-bit ", bytes.little(4, 4)?, bytes.little(12, 4)?),
        b"\xce\xfa\xed\xfe" => ("", bytes.little(4, 4)?, bytes.little(12, 4)?),
        _ => return None,
    };
    let machine = match machine {
        7 => "i386",
        0x0100_0007 => "x86_64",
        0x0100_000c => "arm64",
        _ => "unknown",
    };
    let kind = match kind {
        1 => "object",
        2 => "executable",
        6 => "dynamically linked shared library",
        8 => "bundle",
        _ => "file",
    };
    Some(Answer::binary(
        format!("Mach-O {width}{machine} {kind}"),
        "application/x-mach-binary",
    ))
}
