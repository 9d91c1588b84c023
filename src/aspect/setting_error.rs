//! Why an aspect cannot be as it was described.

use std::fmt;

/// What is wrong with the settings of an aspect, and what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SettingError {
    /// An aspect that goes by address has no range.
    NoIpRanges,
    /// An address range cannot be read.
    IpRange(String),
    /// A trusted header without a peer that may send it.
    NoTrustedPeers,
    /// The secret of a trusted header's front is too short, or can stand in no header.
    FrontSecret,
    /// A text is no header name.
    HeaderName(String),
    /// The name of its role is too long.
    Role {
        /// How long it is, in bytes.
        bytes: usize,
        /// How long it may be.
        most: usize,
    },
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoIpRanges => {
                f.write_str("no address range, so that nobody is recognised: list one, or leave the aspect out")
            }
            Self::IpRange(range) => {
                write!(f, "{range:?} is no address range: write it like \"192.0.2.0/24\" or \"2001:db8::1\"")
            }
            Self::NoTrustedPeers => f.write_str(
                "a trusted header needs at least one peer that may send it: list the proxy's address",
            ),
            Self::FrontSecret => f.write_str(
                "the front's secret needs at least 16 letters, digits or signs without spaces: make one with \
                 `openssl rand -hex 32`",
            ),
            Self::HeaderName(name) => {
                write!(f, "{name:?} is no header name: use letters, digits and -, like \"x-remote-user\"")
            }
            Self::Role { bytes, most } => {
                write!(f, "a role has {bytes} bytes: give one of at most {most}")
            }
        }
    }
}

impl std::error::Error for SettingError {}
