//! `-z`: compressed files by their names.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Formats of compression that are known but not there.
const ABSENT: &[&str] = &["lz4", "br", "Z"];

/// Opens a file that is compressed; none for any other file.
pub(crate) fn open(path: &Path) -> io::Result<Option<Box<dyn Read>>> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let Some(extension) = extension else {
        return Ok(None);
    };
    if ABSENT.contains(&extension) {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!("files of the format {extension} cannot be decompressed here"),
        ));
    }
    let known = [
        "bz2", "gz", "lzma", "tbz2", "tgz", "txz", "xz", "zst", "zstd",
    ];
    if !known.contains(&extension) {
        return Ok(None);
    }
    let file = BufReader::new(File::open(path)?);
    Ok(Some(match extension {
        "gz" | "tgz" => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        "bz2" | "tbz2" => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
        "xz" | "txz" => Box::new(lzma_rust2::XzReader::new(file, true)),
        "lzma" => {
            let reader = lzma_rust2::LzmaReader::new_mem_limit(file, u32::MAX, None);
            Box::new(reader.map_err(io::Error::other)?)
        }
        _ => Box::new(ruzstd::decoding::StreamingDecoder::new(file).map_err(io::Error::other)?),
    }))
}
