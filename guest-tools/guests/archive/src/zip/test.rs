//! `-T`: whether all members unpack to what they were.

use std::io::{self, Read as _};

use super::archive::Archive;
use super::arguments::Settings;
use super::record::Member;
use super::{Failure, say};

pub(super) fn run(settings: &Settings) -> Result<u8, Failure> {
    let path = settings.target();
    let invalid = || Failure::new(3, format!("Zip file structure invalid ({path})"));
    let archive = Archive::open(path).map_err(|_| invalid())?;
    let is_good = archive
        .members
        .iter()
        .all(|member| is_whole(&archive, member).unwrap_or(false));
    if !is_good {
        say(settings, &format!("test of {path} FAILED"));
        return Err(Failure::new(
            8,
            "Zip file invalid, could not spawn unzip, or wrong unzip (original files unmodified)",
        ));
    }
    if settings.quiet == 0 {
        say(settings, &format!("test of {path} OK"));
    }
    Ok(0)
}

fn is_whole(archive: &Archive, member: &Member) -> io::Result<bool> {
    let mut content = archive.content(member)?;
    let mut sum = flate2::Crc::new();
    let mut length = 0;
    let mut buffer = vec![0; 65_536];
    loop {
        let read = content.read(&mut buffer)?;
        if read == 0 {
            return Ok(sum.sum() == member.crc && length == member.size);
        }
        sum.update(buffer.get(..read).unwrap_or_default());
        length += read as u64;
    }
}
