//! What the programs do to files: as the real ones do, and never outside their folder.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a line (words at blanks) and returns its status and what it said.
fn output(folder: &Path, line: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_archive"))
        .args(line.split(' '))
        .current_dir(folder)
        .env_clear()
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text =
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap();
    format!("{} {text}", output.status.code().unwrap())
}

fn tree(folder: &Path) {
    fs::create_dir_all(folder.join("d/s")).unwrap();
    fs::write(folder.join("f"), "content f\n").unwrap();
    fs::write(folder.join("d/a"), "alpha\n").unwrap();
    fs::write(folder.join("d/s/c"), "gamma\n").unwrap();
    fs::set_permissions(folder.join("d/s/c"), fs::Permissions::from_mode(0o750)).unwrap();
    symlink("a", folder.join("d/l")).unwrap();
}

#[test]
fn commands_say_what_the_real_ones_say() {
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path());
    // Each line is run after those above it.
    let cases = [
        ("tar cvf t.tar f d", "0 f\nd/\nd/a\nd/l\nd/s/\nd/s/c\n"),
        ("tar tf t.tar d/s", "0 d/s/\nd/s/c\n"),
        ("tar rf t.tar --mtime=@0 f", "0 "),
        ("tar --delete -f t.tar d", "0 "),
        ("tar tf t.tar", "0 f\nf\n"),
        (
            "tar xf t.tar nope",
            "2 tar: nope: Not found in archive\ntar: Exiting with failure status due to previous errors\n",
        ),
        (
            "tar xkf t.tar --occurrence=1 f",
            "2 tar: f: Cannot open: File exists\ntar: Exiting with failure status due to previous errors\n",
        ),
        ("tar czf t.tgz d", "0 "),
        ("tar tf t.tgz d/a", "0 d/a\n"),
        ("gzip -k f", "0 "),
        ("gzip f", "2 gzip: f.gz already exists;\tnot overwritten\n"),
        ("zcat f.gz", "0 content f\n"),
        ("xz -k f", "0 "),
        ("zstd -q f", "0 "),
        ("bzip2 -k f", "0 "),
        ("zcmp f.gz f.xz", "0 "),
        (
            "zip -0 z.zip f d/a",
            "0   adding: f (stored 0%)\n  adding: d/a (stored 0%)\n",
        ),
        ("zip -d z.zip d/*", "0 deleting: d/a\n"),
        ("unzip -p z.zip", "0 content f\n"),
        ("zip -T z.zip", "0 test of z.zip OK\n"),
    ];
    for (line, expected) in cases {
        assert_eq!(output(folder.path(), line), expected, "{line}");
    }
}

#[test]
fn trees_come_back_whole_from_every_format() {
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path());
    let lines = [
        ("tar cf t d", "tar xf t -C o"),
        ("tar cJf t d --format=pax", "tar xf t -C o"),
        ("tar cf t --zstd d", "tar xf t -C o"),
        ("tar cjf t d --format=ustar", "tar xpf t -C o"),
        ("zip -qry t.zip d", "unzip -q t.zip -d o"),
    ];
    for (pack, unpack) in lines {
        fs::create_dir(folder.path().join("o")).unwrap();
        assert_eq!(output(folder.path(), pack), "0 ", "{pack}");
        assert_eq!(output(folder.path(), unpack), "0 ", "{unpack}");
        let back = folder.path().join("o/d");
        assert_eq!(fs::read(back.join("s/c")).unwrap(), b"gamma\n", "{pack}");
        let mode = fs::metadata(back.join("s/c")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o750, "{pack}");
        assert_eq!(fs::read_link(back.join("l")).unwrap(), Path::new("a"));
        fs::remove_dir_all(folder.path().join("o")).unwrap();
    }
}

#[test]
fn nothing_lands_outside_the_folder() {
    let outer = tempfile::tempdir().unwrap();
    let folder = outer.path().join("in");
    fs::create_dir_all(folder.join("a")).unwrap();
    fs::create_dir(outer.path().join("out")).unwrap();
    // A link that leads out, and a member behind it.
    symlink("../../out", folder.join("a/l")).unwrap();
    assert_eq!(output(&folder, "tar cf t.tar a/l"), "0 ");
    assert_eq!(output(&folder, "zip -qy t.zip a/l"), "0 ");
    fs::remove_file(folder.join("a/l")).unwrap();
    fs::create_dir(folder.join("a/l")).unwrap();
    fs::write(folder.join("a/l/x"), "evil").unwrap();
    assert_eq!(output(&folder, "tar rf t.tar a/l/x"), "0 ");
    assert_eq!(output(&folder, "zip -q t.zip a/l/x"), "0 ");
    fs::remove_dir_all(folder.join("a")).unwrap();
    assert!(
        output(&folder, "tar xf t.tar").starts_with("2 tar: a/l/x: Cannot open: Not a directory")
    );
    assert_eq!(
        fs::read_link(folder.join("a/l")).unwrap(),
        Path::new("../../out")
    );
    fs::remove_dir_all(folder.join("a")).unwrap();
    assert!(output(&folder, "unzip -q t.zip").starts_with("2 "));
    // Names that lead out by themselves.
    fs::write(outer.path().join("e"), "evil").unwrap();
    assert_eq!(output(&folder, "tar cPf p.tar ../e"), "0 ");
    fs::remove_file(outer.path().join("e")).unwrap();
    assert!(output(&folder, "tar xf p.tar").starts_with("2 tar: Removing leading"));
    assert!(!outer.path().join("e").exists());
    assert_eq!(fs::read_dir(outer.path().join("out")).unwrap().count(), 0);
}
