//! The hosts of the well-known package registries, which an environment may allow as a whole.

/// What `allow_package_managers` allows: where apt, cargo, gem, go, npm and pip look by default, and where those send
/// them on to.
pub(super) const REGISTRIES: &[&str] = &[
    // apt
    "archive.ubuntu.com",
    "deb.debian.org",
    "ports.ubuntu.com",
    "security.debian.org",
    "security.ubuntu.com",
    // cargo
    "crates.io",
    "index.crates.io",
    "static.crates.io",
    // gem
    "index.rubygems.org",
    "rubygems.org",
    // go
    "proxy.golang.org",
    "sum.golang.org",
    // npm
    "registry.npmjs.org",
    "registry.yarnpkg.com",
    // pip
    "files.pythonhosted.org",
    "pypi.org",
];
