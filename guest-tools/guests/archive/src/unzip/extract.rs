//! Members become files, or are shown, or only tested.
//!
//! Names lose what leads out of the folder. Symbolic links are made last: until then an empty file is in their place,
//! so that no member goes through one.

use std::fs::{self, OpenOptions};
use std::io::{self, BufRead as _, Read as _, Write};
use std::path::{Path, PathBuf};

use super::{Mode, Settings};
use crate::names;
use crate::times;
use crate::zip::archive::{Archive, shown};
use crate::zip::record::{BZIPPED, DEFLATED, FLAG_SECRET, Member, STORED};

struct Work<'a> {
    settings: &'a Settings,
    archive: &'a Archive,
    status: u8,
    /// What was answered for all files that follow.
    overwrite: bool,
    never: bool,
    links: Vec<(PathBuf, Vec<u8>, Vec<u8>)>,
    folders: Vec<(PathBuf, &'a Member)>,
}

/// Does what is asked with the members and returns the exit status.
pub(super) fn all(settings: &Settings, archive: &Archive, path: &str, members: &[&Member]) -> u8 {
    let mut work = Work {
        settings,
        archive,
        status: 0,
        overwrite: settings.overwrite,
        never: settings.never,
        links: Vec::new(),
        folders: Vec::new(),
    };
    if let Some(status) = work.make_folder() {
        return status;
    }
    for member in members {
        work.member(member);
    }
    work.finish();
    if settings.mode == Mode::Test && settings.quiet < 2 {
        let count = members.len();
        if work.status > 1 {
            println!("At least one error was detected in {path}.");
        } else if settings.wanted.is_empty() && settings.unwanted.is_empty() {
            println!("No errors detected in compressed data of {path}.");
        } else if count > 0 {
            let plural = if count == 1 { "" } else { "s" };
            println!("No errors detected in {path} for the {count} file{plural} tested.");
        }
    }
    work.status
}

/// Writes bytes to the standard output; that it cannot is found out at the end.
fn say(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    // What comes on standard error belongs behind it.
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Returns a name in a column.
fn column(name: &[u8]) -> Vec<u8> {
    const WIDTH: usize = 22;
    let mut name = shown(name);
    while name.len() < WIDTH {
        name.push(b' ');
    }
    name
}

impl Work<'_> {
    fn worse(&mut self, status: u8) {
        self.status = self.status.max(status);
    }

    fn is_quiet(&self) -> bool {
        self.settings.quiet > 0 || self.settings.mode == Mode::Pipe
    }
}

impl<'a> Work<'a> {
    /// Makes the folder that all goes to, though not those above it. Returns a status if that fails.
    fn make_folder(&self) -> Option<u8> {
        let folder = self.settings.folder.as_ref()?;
        let is_used = matches!(self.settings.mode, Mode::Extract | Mode::Update);
        if !is_used || process::stat(folder, true).is_ok() {
            return None;
        }
        let error = fs::create_dir(folder.trim_end_matches('/')).err()?;
        eprintln!(
            "checkdir:  cannot create extraction directory: {folder}\n           {}",
            process::message(&error)
        );
        Some(2)
    }

    fn member(&mut self, member: &'a Member) {
        if member.flags & FLAG_SECRET != 0 {
            let name = String::from_utf8_lossy(&column(&member.name)).into_owned();
            println!("   skipping: {name}  unable to get password");
            return self.worse(82);
        }
        if !matches!(member.method, STORED | DEFLATED | BZIPPED) {
            let name = String::from_utf8_lossy(&column(&member.name)).into_owned();
            println!(
                "   skipping: {name}  unsupported compression method {}",
                member.method
            );
            return self.worse(81);
        }
        match self.settings.mode {
            Mode::Test => self.test(member),
            Mode::Pipe | Mode::Content => self.show(member),
            _ => self.extract(member),
        }
    }

    fn test(&mut self, member: &Member) {
        if self.settings.quiet == 0 {
            say(&[&b"    testing: "[..], &column(&member.name), b"  "].concat());
        }
        match self.copy(member, &mut io::sink()) {
            Ok(None) => {
                if self.settings.quiet == 0 {
                    println!(" OK");
                }
            }
            Ok(Some(text)) => {
                if self.settings.quiet > 0 {
                    say(&[column(&member.name).as_slice(), b"  "].concat());
                }
                println!(" {text}");
                self.worse(2);
            }
            Err(error) => {
                println!("  {}", process::message(&error));
                self.worse(3);
            }
        }
    }

    fn show(&mut self, member: &Member) {
        let is_content = self.settings.mode == Mode::Content;
        if is_content && self.settings.quiet == 0 {
            say(&[verb(member), &column(&member.name), b"  \n"].concat());
        }
        if !member.is_folder() {
            let mut out = io::stdout().lock();
            let outcome = self.copy(member, &mut out);
            drop(out);
            match outcome {
                Ok(None) => {}
                Ok(Some(text)) => {
                    let name = String::from_utf8_lossy(&column(&member.name)).into_owned();
                    eprintln!("{name}  {text}");
                    self.worse(2);
                }
                Err(error) => {
                    eprintln!("unzip:  {}", process::message(&error));
                    self.worse(50);
                }
            }
        }
        if is_content && self.settings.quiet == 0 {
            println!();
        }
    }

    /// Copies a member's content. Says what is wrong with it.
    fn copy(&self, member: &Member, out: &mut impl Write) -> io::Result<Option<String>> {
        let mut content = match self.archive.content(member) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Ok(Some("bad zipfile offset (local header sig)".to_owned()));
            }
            Err(error) => return Err(error),
        };
        let converts = self.converts(member);
        let mut sum = flate2::Crc::new();
        let mut length = 0_u64;
        let mut buffer = vec![0; 65_536];
        loop {
            let read = match content.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.raw_os_error().is_none() => {
                    return Ok(Some("invalid compressed data to inflate".to_owned()));
                }
                Err(error) => return Err(error),
            };
            let bytes = buffer.get(..read).unwrap_or_default();
            sum.update(bytes);
            length += read as u64;
            // More than is told would be a trap for disks.
            if length > member.size {
                return Ok(Some("invalid compressed data: too long".to_owned()));
            }
            if converts {
                let plain: Vec<u8> = bytes
                    .iter()
                    .copied()
                    .filter(|byte| *byte != b'\r')
                    .collect();
                out.write_all(&plain)?;
            } else {
                out.write_all(bytes)?;
            }
        }
        out.flush()?;
        if sum.sum() != member.crc || length != member.size {
            return Ok(Some(format!(
                "bad CRC {:08x}  (should be {:08x})",
                sum.sum(),
                member.crc
            )));
        }
        Ok(None)
    }

    fn converts(&self, member: &Member) -> bool {
        match self.settings.text {
            0 => false,
            1 => member.internal & 1 != 0,
            _ => true,
        }
    }

    /// Returns what a member is called below the folder; none if nothing is left of its name.
    fn local_name(&mut self, member: &Member) -> Option<Vec<u8>> {
        let name = if self.settings.lowers(member) {
            member.name.to_ascii_lowercase()
        } else {
            member.name.clone()
        };
        let text = String::from_utf8_lossy(&shown(&name)).into_owned();
        if name.starts_with(b"/") {
            println!("warning:  stripped absolute path spec from {text}");
            self.worse(1);
        }
        let is_folder = name.ends_with(b"/");
        let mut parts = Vec::new();
        let mut skipped = false;
        for part in name.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => skipped = true,
                part => parts.push(clean(part)),
            }
        }
        if skipped {
            println!("warning:  skipped \"../\" path component(s) in {text}");
            self.worse(1);
        }
        if self.settings.junk {
            if is_folder {
                return None;
            }
            parts = parts.pop().into_iter().collect();
        }
        if parts.is_empty() {
            return None;
        }
        let mut local = parts.join(&b'/');
        if is_folder {
            local.push(b'/');
        }
        Some(local)
    }

    fn extract(&mut self, member: &'a Member) {
        let Some(local) = self.local_name(member) else {
            return;
        };
        // As it is shown: with the folder that it goes to.
        let whole = match &self.settings.folder {
            Some(folder) => {
                let folder = folder.trim_end_matches('/');
                [folder.as_bytes(), b"/", &local].concat()
            }
            None => local,
        };
        let path = match names::path(&whole) {
            Ok(path) => path.to_owned(),
            Err(error) => {
                eprintln!(
                    "error:  cannot create {}: {}",
                    String::from_utf8_lossy(&whole),
                    process::message(&error)
                );
                return self.worse(50);
            }
        };
        if member.is_folder() {
            return self.folder(member, &path, &whole);
        }
        if !self.may_write(member, &path, &whole) {
            return;
        }
        if let Some(parent) = path.parent()
            && !self.parents(parent, &whole, member)
        {
            return;
        }
        self.file(member, &path, &whole);
    }

    /// Makes the folders above a file. A file in the place of one is an error.
    fn parents(&mut self, parent: &Path, whole: &[u8], member: &Member) -> bool {
        if parent.as_os_str().is_empty() {
            return true;
        }
        let mut place = PathBuf::new();
        for part in parent.components() {
            place.push(part);
            match process::stat(process::path_bytes(&place), true) {
                Ok(stat) if stat.kind == process::Kind::Directory => {}
                Ok(_) => {
                    eprintln!(
                        "checkdir error:  {} exists but is not directory\n                 unable to process {}.",
                        place.display(),
                        String::from_utf8_lossy(&shown(&member.name))
                    );
                    self.worse(2);
                    return false;
                }
                Err(_) => {
                    if let Err(error) = fs::create_dir(&place) {
                        eprintln!(
                            "checkdir error:  cannot create {}\n                 {}\n                 unable to process {}.",
                            place.display(),
                            process::message(&error),
                            String::from_utf8_lossy(&shown(whole))
                        );
                        self.worse(2);
                        return false;
                    }
                }
            }
        }
        true
    }

    fn folder(&mut self, member: &'a Member, path: &Path, whole: &[u8]) {
        let is_there = process::stat(process::path_bytes(path), true)
            .is_ok_and(|stat| stat.kind == process::Kind::Directory);
        if !is_there && self.settings.mode == Mode::Freshen {
            return;
        }
        if !is_there {
            if !self.parents(path, whole, member) {
                return;
            }
            if !self.is_quiet() {
                say(&[b"   creating: ", shown(whole).as_slice(), b"\n"].concat());
            }
            self.folders.push((path.to_owned(), member));
        }
    }

    /// Returns whether a file may be written: there is none, or it may go.
    fn may_write(&mut self, member: &Member, path: &Path, whole: &[u8]) -> bool {
        let bytes = process::path_bytes(path);
        let there = process::stat(bytes, false);
        let newer = |stat: &process::Stat| member.seconds() > stat.modified.seconds;
        match (&there, self.settings.mode) {
            (Err(_), Mode::Freshen) => return false,
            (Ok(stat), Mode::Freshen | Mode::Update) if !newer(stat) => return false,
            (Err(_), _) => return true,
            (Ok(stat), _) if stat.kind == process::Kind::Directory => {
                eprintln!(
                    "error:  cannot create {}\n        Is a directory",
                    path.display()
                );
                self.worse(50);
                return false;
            }
            _ => {}
        }
        if self.never {
            return false;
        }
        if !self.overwrite && !self.ask(whole) {
            return false;
        }
        // What is there may be a link: it goes, its target stays.
        let _ = fs::remove_file(path);
        true
    }

    fn ask(&mut self, whole: &[u8]) -> bool {
        loop {
            let name = String::from_utf8_lossy(&shown(whole)).into_owned();
            eprint!("replace {name}? [y]es, [n]o, [A]ll, [N]one, [r]ename: ");
            let mut answer = String::new();
            match io::stdin().lock().read_line(&mut answer) {
                Ok(0) | Err(_) => {
                    eprintln!(" NULL\n(EOF or read error, treating as \"[N]one\" ...)");
                    self.never = true;
                    self.worse(1);
                    return false;
                }
                Ok(_) => {}
            }
            match answer.chars().next() {
                Some('y' | 'Y') => return true,
                Some('n') => return false,
                Some('A') => {
                    self.overwrite = true;
                    return true;
                }
                Some('N') => {
                    self.never = true;
                    return false;
                }
                _ => eprintln!("error:  invalid response [{}]", answer.trim_end()),
            }
        }
    }

    fn file(&mut self, member: &Member, path: &Path, whole: &[u8]) {
        let is_link = member.is_symlink();
        if !self.is_quiet() {
            let verb = if is_link {
                b"    linking: ".as_slice()
            } else {
                verb(member)
            };
            let kind: &[u8] = if self.settings.text > 0 && !is_link {
                if self.converts(member) {
                    b"  [text]  "
                } else {
                    b"  [binary]"
                }
            } else if is_link {
                b""
            } else {
                b"  "
            };
            say(&[verb, &column(whole), kind].concat());
        }
        let opened = OpenOptions::new().write(true).create_new(true).open(path);
        let mut file = match opened {
            Ok(file) => file,
            Err(error) => {
                eprintln!(
                    "error:  cannot create {}\n        {}",
                    path.display(),
                    process::message(&error)
                );
                return self.worse(50);
            }
        };
        if is_link {
            let mut target = Vec::new();
            let outcome = self.copy(member, &mut target);
            if matches!(outcome, Ok(None)) {
                if !self.is_quiet() {
                    say(&[b"  -> ", shown(&target).as_slice(), b" \n"].concat());
                }
                self.links.push((path.to_owned(), target, whole.to_vec()));
            } else {
                eprintln!(" bad symbolic link");
                self.worse(2);
            }
            return;
        }
        let outcome = self.copy(member, &mut file);
        match outcome {
            Ok(None) => {
                if !self.is_quiet() {
                    println!();
                }
            }
            Ok(Some(text)) => {
                if !self.is_quiet() {
                    eprintln!(" {text}");
                } else {
                    let name = String::from_utf8_lossy(&column(whole)).into_owned();
                    eprintln!("{name}  {text}");
                }
                self.worse(2);
            }
            Err(error) => {
                eprintln!(
                    "\n{}:  write error: {}",
                    path.display(),
                    process::message(&error)
                );
                self.worse(50);
            }
        }
        drop(file);
        self.attributes(member, path);
    }

    fn attributes(&self, member: &Member, path: &Path) {
        // As with the original, attributes that cannot be kept are no failure.
        if let Some(mode) = member.mode() {
            let bits = if self.settings.keep_set_id {
                0o7777
            } else {
                0o777
            };
            let _ = process::chmod(process::path_bytes(path), mode & bits);
        }
        let keeps_time = match self.settings.no_times {
            0 => true,
            1 => !member.is_folder(),
            _ => false,
        };
        if keeps_time {
            let _ = times::set(path, member.seconds(), 0);
        }
    }

    fn finish(&mut self) {
        if !self.links.is_empty() && !self.is_quiet() {
            println!("finishing deferred symbolic links:");
        }
        for (path, target, whole) in std::mem::take(&mut self.links) {
            if !self.is_quiet() {
                let line = [
                    b"  ".as_slice(),
                    &column(&whole),
                    b" -> ",
                    &shown(&target),
                    b"\n",
                ];
                say(&line.concat());
            }
            // The empty file in its place may have been replaced meanwhile.
            let is_ours = process::stat(process::path_bytes(&path), false)
                .is_ok_and(|stat| stat.kind == process::Kind::Regular && stat.size == 0);
            if !is_ours {
                continue;
            }
            let made = fs::remove_file(&path).and_then(|()| {
                let target = names::path(&target)?;
                Ok(rustix::fs::symlink(target, &path)?)
            });
            if let Err(error) = made {
                eprintln!("symlink error: {}", process::message(&error));
                self.worse(1);
            }
        }
        for (path, member) in std::mem::take(&mut self.folders).into_iter().rev() {
            self.attributes(member, &path);
        }
    }
}

/// Returns a name's part without control characters, as unzip makes files.
fn clean(part: &[u8]) -> Vec<u8> {
    part.iter().copied().filter(|byte| *byte >= 32).collect()
}

fn verb(member: &Member) -> &'static [u8] {
    match member.method {
        DEFLATED => b"  inflating: ",
        BZIPPED => b" bunzipping: ",
        _ => b" extracting: ",
    }
}
