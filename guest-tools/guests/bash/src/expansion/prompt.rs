//! Prompts: `${x@P}`, PS4.

use bash_text::prompt::{self, Facts};
use bstr::{BString, ByteSlice};

use crate::state::Shell;
use crate::sys;

struct View<'a>(&'a Shell);

impl Facts for View<'_> {
    fn user(&self) -> BString {
        self.0
            .get_string("USER")
            .unwrap_or_else(|| BString::from("root"))
    }

    fn host(&self) -> BString {
        self.0.get_string("HOSTNAME").unwrap_or_default()
    }

    fn working_directory(&self) -> BString {
        BString::from(self.0.directory.to_vec())
    }

    fn home(&self) -> Option<BString> {
        self.0.get_string("HOME")
    }

    fn shell(&self) -> BString {
        let name = self.0.name.as_bstr();
        let base = name.rsplit_str("/").next().unwrap_or_default();
        BString::from(base)
    }

    fn jobs(&self) -> usize {
        self.0.jobs.list().len()
    }

    fn history_number(&self) -> u64 {
        u64::try_from(self.0.history.number()).unwrap_or(u64::MAX)
    }

    fn command_number(&self) -> u64 {
        self.0.command_number
    }

    fn is_superuser(&self) -> bool {
        sys::user() == 0
    }

    fn now(&self) -> i64 {
        let now = std::time::SystemTime::now();
        let passed = now
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        i64::try_from(passed.as_secs()).unwrap_or(0)
    }

    fn time_zone(&self) -> Option<BString> {
        self.0.get_string("TZ")
    }

    fn directory_trim(&self) -> usize {
        self.0
            .get(b"PROMPT_DIRTRIM")
            .and_then(|text| bash_text::arithmetic::parse_integer(&text))
            .and_then(|number| usize::try_from(number).ok())
            .unwrap_or(0)
    }
}

impl Shell {
    /// Decodes the backslash escapes of a prompt; expansions in it are still to be made.
    pub fn decode_prompt(&self, text: &[u8]) -> BString {
        prompt::decode(text, &View(self))
    }
}
