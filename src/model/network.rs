//! IPv4 networks in CIDR form, as vault firewalls and the configuration write them.

use std::net::Ipv4Addr;

/// A network: `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: u32,
    prefix: u32,
}

impl Network {
    /// Reads `203.0.113.7` or `203.0.113.0/24`; anything else is none.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, prefix) = match text.trim().split_once('/') {
            Some((address, prefix)) => (address, prefix.parse().ok().filter(|prefix| *prefix <= 32)?),
            None => (text.trim(), 32),
        };
        let address: Ipv4Addr = address.parse().ok()?;
        Some(Network { first: u32::from(address) & mask(prefix), prefix })
    }

    /// Bits that are fixed.
    pub fn prefix(self) -> u32 {
        self.prefix
    }

    /// Whether every address of `other` is in this network.
    pub fn contains(self, other: Network) -> bool {
        self.prefix <= other.prefix && other.first & mask(self.prefix) == self.first
    }
}

fn mask(prefix: u32) -> u32 {
    u32::MAX.checked_shl(32 - prefix).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Network;

    fn network(text: &str) -> Network {
        Network::parse(text).expect("a network")
    }

    #[test]
    fn a_network_holds_its_addresses_and_narrower_networks() {
        let office = network("203.0.113.0/24");
        assert!(office.contains(network("203.0.113.7")));
        assert!(office.contains(network("203.0.113.128/25")));
        assert!(!office.contains(network("203.0.114.7")));
        assert!(!office.contains(network("203.0.0.0/16")));
        assert!(network("0.0.0.0/0").contains(office));
        assert_eq!(network("203.0.113.7/24"), office);
    }

    #[test]
    fn what_is_not_a_network_is_none() {
        for text in ["", "office", "203.0.113.0/33", "203.0.113", "2001:db8::/32", "203.0.113.0/-1"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
