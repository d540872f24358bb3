//! The shapes of names: tools, tool arguments and host names.

/// Longest host name.
pub(super) const HOST_BYTES_MAX: usize = 255;

/// Registries that sell names below these suffixes: none of them is a site of its own. Not the whole public
/// list, only what people are likely to write; a rarer suffix merely allows what it says.
const PUBLIC_SUFFIXES: &[&str] = &[
    "ac.jp",
    "ac.uk",
    "co.id",
    "co.il",
    "co.in",
    "co.jp",
    "co.kr",
    "co.nz",
    "co.th",
    "co.uk",
    "co.za",
    "com.ar",
    "com.au",
    "com.br",
    "com.cn",
    "com.co",
    "com.hk",
    "com.mx",
    "com.my",
    "com.ng",
    "com.pl",
    "com.sg",
    "com.tr",
    "com.tw",
    "com.ua",
    "com.vn",
    "edu.au",
    "gob.mx",
    "gov.au",
    "gov.br",
    "gov.cn",
    "gov.in",
    "gov.uk",
    "me.uk",
    "ne.jp",
    "net.au",
    "net.br",
    "net.cn",
    "net.uk",
    "or.jp",
    "or.kr",
    "org.au",
    "org.br",
    "org.cn",
    "org.nz",
    "org.uk",
    "org.za",
    "github.io",
    "gitlab.io",
    "blogspot.com",
    "pages.dev",
    "workers.dev",
    "vercel.app",
    "netlify.app",
    "web.app",
    "herokuapp.com",
    "cloudfront.net",
    "azurewebsites.net",
];

/// Tells whether `text` has `min` to `max` letters, digits or characters of `others`, all ASCII.
pub(super) fn is_name(text: &str, max: usize, others: &str) -> bool {
    (1..=max).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

/// Tells whether `text` is a host name: dotted labels of letters, digits and inner hyphens.
pub(super) fn is_host(text: &str) -> bool {
    text.len() <= HOST_BYTES_MAX && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Returns why `host` is not the name of a public site, if it is not.
pub(super) fn not_a_site(host: &str) -> Option<&'static str> {
    let host = host.to_ascii_lowercase();
    if !host.is_ascii() || !is_host(&host) {
        return Some("must be a plain host name, without scheme, port, wildcard or path");
    }
    let Some((_, last)) = host.rsplit_once('.') else {
        return Some("must have at least two labels");
    };
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Some("must be a host name, not an address");
    }
    if ["localhost", "local", "internal"].contains(&last) {
        return Some("must be a public host name");
    }
    if PUBLIC_SUFFIXES.contains(&host.as_str()) {
        return Some("is a suffix that many sites share, not a site");
    }
    None
}
