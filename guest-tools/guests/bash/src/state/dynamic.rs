//! The values of variables that are computed at each reading.

use std::time::{SystemTime, UNIX_EPOCH};

use bstr::BString;

use super::Shell;
use crate::sys;
use crate::variables::{AssociativeArray, Dynamic, IndexedArray, Value};

impl Shell {
    /// Returns the text of a computed variable, element 0 for an array.
    pub fn dynamic_text(&self, dynamic: Dynamic) -> Option<BString> {
        let text = match dynamic {
            Dynamic::BashPid => self.pid().to_string(),
            Dynamic::Command => return Some(self.command_text.clone().unwrap_or_default()),
            Dynamic::Subshell => self.subshell_depth.to_string(),
            Dynamic::ArgumentZero => return Some(self.name.to_vec().into()),
            Dynamic::EpochSeconds => epoch().as_secs().to_string(),
            Dynamic::EpochRealtime => {
                let now = epoch();
                format!("{}.{:06}", now.as_secs(), now.subsec_micros())
            }
            Dynamic::Line => self.line.to_string(),
            Dynamic::Random => self.next_random().to_string(),
            Dynamic::SecureRandom => self.secure_random().to_string(),
            Dynamic::Seconds => {
                let passed = i64::try_from(self.started.elapsed().as_secs()).unwrap_or(0);
                self.seconds_offset.wrapping_add(passed).to_string()
            }
            Dynamic::ShellOptions => self.options.shell_options(),
            Dynamic::BashOptions => self.options.bash_options(),
            Dynamic::LastArgument => return Some(self.last_argument.clone()),
            Dynamic::HistoryNumber => self.history.number().to_string(),
            Dynamic::DirectoryStack => return Some(self.displayed_directory()),
            Dynamic::PipeStatus => return Some(self.pipe_status.first()?.to_string().into()),
            Dynamic::FunctionNames
            | Dynamic::Sources
            | Dynamic::Lines
            | Dynamic::Groups
            | Dynamic::ArgumentCounts
            | Dynamic::ArgumentValues => {
                return match self.dynamic_value(dynamic) {
                    Value::Indexed(array) => array.get(0).cloned(),
                    _ => None,
                };
            }
            Dynamic::Aliases | Dynamic::Commands => return None,
        };
        Some(BString::from(text))
    }

    /// Returns the whole value of a computed variable.
    pub fn dynamic_value(&self, dynamic: Dynamic) -> Value {
        let values: Vec<BString> = match dynamic {
            Dynamic::PipeStatus => self
                .pipe_status
                .iter()
                .map(|s| s.to_string().into())
                .collect(),
            Dynamic::DirectoryStack => std::iter::once(self.displayed_directory())
                .chain(self.directory_stack.iter().cloned())
                .collect(),
            Dynamic::Groups => vec![BString::from(sys::GROUP.to_string())],
            Dynamic::FunctionNames => return self.function_names(),
            Dynamic::Sources => self.sources(),
            Dynamic::Lines => self.call_lines(),
            Dynamic::ArgumentCounts | Dynamic::ArgumentValues
                if !self.options.has_shopt(super::Shopt::ExtDebug) =>
            {
                Vec::new()
            }
            Dynamic::ArgumentCounts => self
                .calls
                .iter()
                .rev()
                .map(|call| BString::from(call.arguments.len().to_string()))
                .chain([BString::from("0")])
                .collect(),
            Dynamic::ArgumentValues => self
                .calls
                .iter()
                .rev()
                .flat_map(|call| call.arguments.iter().rev().cloned())
                .collect(),
            Dynamic::Aliases => {
                let mut array = AssociativeArray::default();
                for (name, value) in self.aliases.iter() {
                    array.set(name, value.clone());
                }
                return Value::Associative(array);
            }
            Dynamic::Commands => {
                let mut array = AssociativeArray::default();
                for (name, entry) in self.hash.iter() {
                    array.set(name, entry.path.clone());
                }
                return Value::Associative(array);
            }
            _ => {
                return match self.dynamic_text(dynamic) {
                    Some(text) => Value::Scalar(text),
                    None => Value::Unset,
                };
            }
        };
        Value::Indexed(IndexedArray::from_values(values))
    }

    fn displayed_directory(&self) -> BString {
        BString::from(self.directory.to_vec())
    }

    fn function_names(&self) -> Value {
        if self.function_depth == 0 {
            return Value::Unset;
        }
        let mut names: Vec<BString> = self
            .calls
            .iter()
            .rev()
            .map(|call| call.name.clone())
            .collect();
        if self.script.is_some() {
            names.push(BString::from("main"));
        }
        Value::Indexed(IndexedArray::from_values(names))
    }

    fn sources(&self) -> Vec<BString> {
        let mut sources: Vec<BString> = self
            .calls
            .iter()
            .rev()
            .map(|call| (*call.source).clone())
            .collect();
        if let Some(script) = &self.script {
            sources.push((**script).clone());
        }
        sources
    }

    fn call_lines(&self) -> Vec<BString> {
        let mut lines: Vec<BString> = self
            .calls
            .iter()
            .rev()
            .map(|call| BString::from(call.line.to_string()))
            .collect();
        if self.script.is_some() {
            lines.push(BString::from("0"));
        }
        lines
    }

    /// Returns the next value of `RANDOM`, as bash 5.2 computes it.
    fn next_random(&self) -> u32 {
        loop {
            let seed = self.random_seed.get();
            let seed = if seed == 0 { 123_459_876 } else { seed };
            let high = i64::from(seed) / 127_773;
            let low = i64::from(seed) % 127_773;
            let next = 16_807 * low - 2_836 * high;
            let next = if next < 0 { next + 0x7fff_ffff } else { next };
            let next = u32::try_from(next).unwrap_or(0);
            self.random_seed.set(next);
            let value = ((next >> 16) ^ (next & 0xffff)) & 0x7fff;
            if value != self.random_last.get() {
                self.random_last.set(value);
                return value;
            }
        }
    }

    fn secure_random(&self) -> u32 {
        use std::hash::{BuildHasher, Hasher};
        let mut hasher = std::hash::RandomState::new().build_hasher();
        hasher.write_u32(self.random_seed.get());
        let bits = hasher.finish();
        u32::try_from(bits >> 32).unwrap_or(0) ^ u32::try_from(bits & 0xffff_ffff).unwrap_or(0)
    }

    /// Assigns to a computed variable.
    pub(super) fn assign_dynamic(&mut self, dynamic: Dynamic, value: &[u8]) {
        let number = bash_text::arithmetic::parse_integer(value).unwrap_or(0);
        match dynamic {
            Dynamic::Seconds => {
                self.started = std::time::Instant::now();
                self.seconds_offset = number;
            }
            Dynamic::Random => {
                self.random_seed
                    .set(u32::try_from(number & 0xffff_ffff).unwrap_or(0));
                self.random_last.set(0);
            }
            Dynamic::Line => self.line = u32::try_from(number).unwrap_or(0),
            Dynamic::ArgumentZero => self.name = BString::from(value).into(),
            Dynamic::LastArgument => self.last_argument = BString::from(value),
            _ => {}
        }
    }
}

fn epoch() -> std::time::Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}
