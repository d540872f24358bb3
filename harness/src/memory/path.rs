//! The rules of a memory's path.

use unicode_normalization::{IsNormalized, is_nfc_quick};

/// Longest path in bytes.
pub const PATH_BYTES_MAX: usize = 1_024;
/// Most segments of a path.
pub(super) const SEGMENTS_MAX: usize = 20;

/// Checks a path, and says what is wrong with it as the end of a sentence about it.
pub fn check_path(path: &str) -> Result<(), &'static str> {
    let Some(rest) = path.strip_prefix('/') else {
        return Err("must begin with /");
    };
    if path.len() > PATH_BYTES_MAX {
        return Err("must not be longer than 1024 bytes");
    }
    if path.chars().any(is_unseen) {
        return Err("must not hold control, format or line separator characters");
    }
    if !is_nfc(path) {
        return Err("must be in Unicode's normal form NFC");
    }
    let mut count = 0;
    for segment in rest.split('/') {
        match segment {
            "" => return Err("must not have empty segments, nor end with /"),
            "." | ".." => return Err("must not have the segments . and .."),
            _ => count += 1,
        }
    }
    if count > SEGMENTS_MAX {
        return Err("must not have more than 20 segments");
    }
    Ok(())
}

fn is_nfc(path: &str) -> bool {
    match is_nfc_quick(path.chars()) {
        IsNormalized::Yes => true,
        IsNormalized::No => false,
        IsNormalized::Maybe => unicode_normalization::is_nfc(path),
    }
}

/// Control and format characters, and the separators of lines and paragraphs.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            u32::from(c),
            0xad | 0x600..=0x605
                | 0x61c
                | 0x6dd
                | 0x70f
                | 0x890..=0x891
                | 0x8e2
                | 0x180e
                | 0x200b..=0x200f
                | 0x2028..=0x202e
                | 0x2060..=0x2064
                | 0x2066..=0x206f
                | 0xfeff
                | 0xfff9..=0xfffb
                | 0x110bd
                | 0x110cd
                | 0x13430..=0x1343f
                | 0x1bca0..=0x1bca3
                | 0x1d173..=0x1d17a
                | 0xe0001
                | 0xe0020..=0xe007f
        )
}

/// Tells whether two paths cannot both be files: they are equal, or one is a folder of the other.
pub(super) fn clash(one: &str, other: &str) -> bool {
    let is_below = |path: &str, folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    is_below(one, other) || is_below(other, one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let longest = format!("/{}", "x".repeat(PATH_BYTES_MAX - 1));
        let deepest = "/x".repeat(SEGMENTS_MAX);
        for good in ["/a", "/a/b.md", "/Ä/ …/.hidden", "/...", &longest, &deepest] {
            assert_eq!(check_path(good), Ok(()), "{good}");
        }
        for (bad, fragment) in [
            ("", "begin with"),
            ("a", "begin with"),
            ("/", "empty"),
            ("/a/", "empty"),
            ("//a", "empty"),
            ("/a/./b", "segments"),
            ("/..", "segments"),
            ("/a\nb", "control"),
            ("/a\u{202e}b", "control"),
            ("/a\u{2028}b", "control"),
            ("/e\u{301}", "NFC"),
            (&format!("{longest}x"), "1024"),
            (&format!("{deepest}/x"), "20"),
        ] {
            let error = check_path(bad).expect_err(bad);
            assert!(error.contains(fragment), "{bad}: {error}");
        }
        assert!(clash("/a", "/a") && clash("/a", "/a/b") && clash("/a/b", "/a"));
        assert!(!clash("/a", "/ab") && !clash("/a/b", "/a/c"));
    }
}
