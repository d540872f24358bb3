//! The virtual nodes that every hand has: devices and the few files that programs expect to find.
//!
//! The names of accounts are only names: a guest has no user, and the host's accounts do not show.

use super::random::RandomDevice;
use super::tree::Kind;

const PASSWD: &str = "root:x:0:0:root:/workspace:/bin/sh\n\
    agent:x:1000:1000:agent:/workspace:/bin/sh\n\
    nobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP: &str = "root:x:0:\nagent:x:1000:\nnogroup:x:65534:\n";
const OS_RELEASE: &str = "NAME=\"Sinew\"\nID=sinew\nPRETTY_NAME=\"Sinew\"\n";
const HOSTS: &str = "127.0.0.1\tlocalhost\n::1\tlocalhost\n";

/// Returns the built-in nodes; `mounts` is the text of the table of mounts.
pub(super) fn built_in(mounts: String, random: &RandomDevice) -> [(&'static str, Kind); 17] {
    let text = |text: &str| Kind::Text(text.as_bytes().into());
    [
        ("/dev/null", Kind::Null),
        ("/dev/zero", Kind::Zero),
        ("/dev/full", Kind::Full),
        ("/dev/random", Kind::Random(random.clone())),
        ("/dev/urandom", Kind::Random(random.clone())),
        ("/dev/stdin", Kind::Fd(0)),
        ("/dev/stdout", Kind::Fd(1)),
        ("/dev/stderr", Kind::Fd(2)),
        ("/dev/tty", Kind::Tty),
        ("/dev/fd", Kind::FdDir),
        ("/etc/passwd", text(PASSWD)),
        ("/etc/group", text(GROUP)),
        ("/etc/os-release", text(OS_RELEASE)),
        ("/etc/hosts", text(HOSTS)),
        ("/proc/mounts", text(&mounts)),
        ("/proc/self/mounts", text(&mounts)),
        ("/proc/self/fd", Kind::FdDir),
    ]
}
