//! Which addresses belong to the public internet.
//!
//! Everything else is the machine itself, its network, or a way around both: an IPv4 address written as an IPv6 one,
//! a tunnel that carries one, or the addresses at which clouds hand out credentials.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Tells whether an address belongs to the public internet.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Tells whether an address is one that no name is allowed to mean, not even one that the operator granted: link-local
/// ones, where clouds hand out credentials, and what is no single host. Only the address itself can be granted.
pub(crate) fn is_of_no_name(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [first, ..] = address.octets();
            address.is_link_local() || first == 0 || first >= 224
        }
        IpAddr::V6(address) => {
            let [first, ..] = address.segments();
            let is_metadata = address.segments() == [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254];
            let is_loopback = address == Ipv6Addr::LOCALHOST;
            let is_private = first & 0xfe00 == 0xfc00;
            let is_host = is_loopback || is_private || first & 0xe000 == 0x2000;
            is_metadata || !is_host
        }
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = match (a, b, c) {
        // This network, loopback, multicast and reserved, broadcast.
        (0 | 127 | 224..=255, ..) => true,
        // Shared by carriers' customers.
        (100, 64..=127, _) => true,
        // Protocol assignments, and the relay of an abandoned tunnel.
        (192, 0, 0) | (192, 88, 99) => true,
        // Benchmarks.
        (198, 18 | 19, _) => true,
        _ => address.is_private() || address.is_link_local() || address.is_documentation(),
    };
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only this eighth of the space is assigned to hosts at large.
    let is_unicast = a & 0xe000 == 0x2000;
    let is_special = match (a, b) {
        // Protocol assignments and Teredo; documentation.
        (0x2001, 0..=0x01ff | 0x0db8) => true,
        // A tunnel that carries an IPv4 address.
        (0x2002, _) => true,
        (0x3fff, 0..=0x0fff) => true,
        _ => false,
    };
    is_unicast && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_internet_is_public() {
        for (address, expected) in [
            ("93.184.216.34", true),
            ("1.1.1.1", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("100.128.0.1", true),
            ("127.0.0.1", false),
            ("127.9.9.9", false),
            ("169.254.169.254", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.0.0.8", false),
            ("192.0.2.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("203.0.113.9", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("2606:4700::1111", true),
            ("::", false),
            ("::1", false),
            ("::127.0.0.1", false),
            ("::ffff:127.0.0.1", false),
            ("::ffff:169.254.169.254", false),
            ("::ffff:1.1.1.1", true),
            ("64:ff9b::7f00:1", false),
            ("64:ff9b::a9fe:a9fe", false),
            ("64:ff9b:1::7f00:1", false),
            ("fc00::1", false),
            ("fd00:ec2::254", false),
            ("fe80::1", false),
            ("fec0::1", false),
            ("ff02::1", false),
            ("2001::1", false),
            ("2001:db8::1", false),
            ("2001:4860:4860::8888", true),
            ("2002:7f00:1::", false),
            ("2002:a9fe:a9fe::", false),
            ("3fff::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn no_name_means_a_metadata_address() {
        for (address, expected) in [
            ("127.0.0.1", false),
            ("10.0.0.1", false),
            ("192.168.0.1", false),
            ("93.184.216.34", false),
            ("::1", false),
            ("fd12::1", false),
            ("2606:4700::1111", false),
            ("169.254.169.254", true),
            ("::ffff:169.254.169.254", true),
            ("0.0.0.0", true),
            ("224.0.0.1", true),
            ("fd00:ec2::254", true),
            ("fe80::1", true),
            ("ff02::1", true),
            ("::", true),
            ("64:ff9b::a9fe:a9fe", true),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(is_of_no_name(address), expected, "{address}");
        }
    }
}
