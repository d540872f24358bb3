//! Programs that tests need of the system, installed from Debian's packages where that may be done.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Makes sure that there is `bwrap`. Errors name how to get it.
pub fn bubblewrap() -> Result<()> {
    let is_there = || {
        let mut asked = Command::new("bwrap");
        asked
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        asked.status().is_ok_and(|status| status.success())
    };
    if is_there() {
        return Ok(());
    }
    let may_install = rustix::process::geteuid().is_root();
    if may_install {
        println!("installing the package bubblewrap");
        for arguments in [
            &["update", "-qq"][..],
            &["install", "-y", "-qq", "bubblewrap"],
        ] {
            let status = Command::new("apt-get")
                .args(arguments)
                .stdout(Stdio::null())
                .status();
            status.context("cannot run apt-get: install bubblewrap")?;
        }
    }
    if !is_there() {
        bail!("missing: bwrap. Debian: apt-get install bubblewrap");
    }
    Ok(())
}
