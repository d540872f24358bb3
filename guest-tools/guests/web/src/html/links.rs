//! Where links of a page lead.

use http_client::address::Address;

/// The longest link that is shown, in bytes. Longer ones carry state that nobody reads.
const LINK_BYTES_MAX: usize = 2_000;

/// What links are read from.
pub(super) struct Links {
    base: Address,
}

impl Links {
    /// Makes links relative to a page's address, or to what the page names as their base.
    pub(super) fn new(address: &Address, base: Option<&str>) -> Self {
        let base = base.filter(|base| base.len() <= LINK_BYTES_MAX);
        let base = base.and_then(|base| address.join(base).ok());
        let mut base = base.unwrap_or_else(|| address.clone());
        base.user = None;
        Self { base }
    }

    /// Returns an absolute link; none for one that leads to nothing that can be fetched or read.
    pub(super) fn absolute(&self, link: &str) -> Option<String> {
        if link.len() > LINK_BYTES_MAX {
            return None;
        }
        let link: String = link.chars().filter(|c| !c.is_control()).collect();
        let link = link.trim();
        if link.is_empty() || link.starts_with('#') {
            return None;
        }
        if let Some((scheme, rest)) = link.split_once(':')
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            match scheme.to_ascii_lowercase().as_str() {
                "http" | "https" if rest.starts_with("//") => {}
                "mailto" | "tel" | "ftp" | "magnet" => return Some(escaped(link)),
                _ => return None,
            }
        }
        let (place, fragment) = match link.split_once('#') {
            Some((place, fragment)) => (place, Some(fragment)),
            None => (link, None),
        };
        let mut joined = self.base.join(place).ok()?.to_string();
        if let Some(fragment) = fragment.filter(|fragment| !fragment.is_empty()) {
            joined.push('#');
            joined.push_str(fragment);
        }
        (joined.len() <= LINK_BYTES_MAX * 2).then(|| escaped(&joined))
    }
}

/// Returns a link without what would end it in Markdown.
fn escaped(link: &str) -> String {
    let mut out = String::with_capacity(link.len());
    for c in link.chars() {
        match c {
            '(' => out.push_str("%28"),
            ')' => out.push_str("%29"),
            ' ' => out.push_str("%20"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_become_absolute() {
        let page = Address::parse("https://a.example/docs/page?x=1").unwrap();
        let links = Links::new(&page, None);
        for (link, expected) in [
            ("b", Some("https://a.example/docs/b")),
            ("/b#c", Some("https://a.example/b#c")),
            ("//o.example/b c", Some("https://o.example/b%20c")),
            (
                "https://o.example/W_(x)",
                Some("https://o.example/W_%28x%29"),
            ),
            ("HTTP://o.example", Some("http://o.example/")),
            ("mailto:a@b.example", Some("mailto:a@b.example")),
            (" java\nscript:alert(1)", None),
            ("data:text/html,x", None),
            ("#top", None),
            ("", None),
            ("http://h:99999/", None),
        ] {
            assert_eq!(links.absolute(link).as_deref(), expected, "{link}");
        }
        let links = Links::new(&page, Some("/other/"));
        assert_eq!(links.absolute("b").unwrap(), "https://a.example/other/b");
    }
}
