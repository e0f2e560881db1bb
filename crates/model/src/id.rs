//! Identities. All are hashes of what was recorded, so every machine derives the same ones.
//!
//! BLAKE3 <https://github.com/BLAKE3-team/BLAKE3-specs>: nothing hostile can make two things share an id cheaply.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Text, Time, memo::Memo};

/// What is correlated together: a tenant and an environment. Everything in one domain meets in one engine.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Domain(#[schemars(with = "String")] Text);

/// 64 bits of the hash of a domain; the journal partition is the tag modulo the recorded partition count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainTag(pub u64);

/// Identity of an alert within its domain: a hash of (domain, dedup key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AlertId(Bits128);

/// Identity of an incident: `<tag>-<128 bits>` in hexadecimal.
///
/// The tag tells the partition, so an acknowledgement that knows only the id finds its engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId {
    /// Of the domain.
    pub tag: DomainTag,
    /// Hash of (domain, dedup key and onset of the alert that opened it, n).
    pub hash: Bits128,
}

/// 128 bits that ask for the alignment of 64: what holds an id stays a quarter smaller. Their order is that of the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bits128([u64; 2]);

impl From<u128> for Bits128 {
    fn from(bits: u128) -> Bits128 {
        Bits128([(bits >> 64) as u64, bits as u64])
    }
}

impl From<Bits128> for u128 {
    fn from(Bits128([high, low]): Bits128) -> u128 {
        (u128::from(high) << 64) | u128::from(low)
    }
}

impl fmt::LowerHex for Bits128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&u128::from(*self), f)
    }
}

/// Text that is no id of the expected form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdError;

/// Hashes a list of byte strings so that no two lists run into each other (each part is prefixed by its length).
#[derive(Clone, Debug, Default)]
pub struct Hash128 {
    /// The parts so far: hashing them at once is several times cheaper than feeding short pieces.
    bytes: Vec<u8>,
}

impl Hash128 {
    /// Starts a hash for one purpose; different purposes never collide.
    pub fn new(purpose: &str) -> Hash128 {
        let mut hash = Hash128 {
            bytes: Vec::with_capacity(256),
        };
        hash.part(purpose.as_bytes());
        hash
    }
    /// Adds one part.
    pub fn part(&mut self, bytes: &[u8]) -> &mut Hash128 {
        self.bytes.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.bytes.extend_from_slice(bytes);
        self
    }
    /// Adds an optional part; absent differs from empty.
    pub fn maybe(&mut self, bytes: Option<&[u8]>) -> &mut Hash128 {
        match bytes {
            Some(bytes) => self.part(bytes),
            None => {
                self.bytes.extend_from_slice(&u64::MAX.to_le_bytes());
                self
            }
        }
    }
    /// The first 128 bits as 32 hexadecimal digits.
    pub fn hex(&self) -> Text {
        self.digits::<32>()
    }
    /// The first 64 bits as 16 hexadecimal digits.
    pub(crate) fn half(&self) -> Text {
        self.digits::<16>()
    }
    /// Several times faster than formatting a number, or all digits of which some are wanted.
    fn digits<const DIGITS: usize>(&self) -> Text {
        let hash = blake3::hash(&self.bytes);
        let mut digits = [0; DIGITS];
        for (two, byte) in digits.chunks_exact_mut(2).zip(hash.as_bytes()) {
            two[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
            two[1] = b"0123456789abcdef"[usize::from(byte & 15)];
        }
        Text::from_utf8(digits).expect("digits are ASCII")
    }
    /// The first 128 bits.
    pub fn finish(&self) -> u128 {
        let hash = blake3::hash(&self.bytes);
        u128::from_be_bytes(
            hash.as_bytes()[..16]
                .try_into()
                .expect("a BLAKE3 hash has 32 bytes"),
        )
    }
}

impl Domain {
    /// The domain of events that name neither tenant nor environment.
    pub const DEFAULT: &'static str = "default";

    /// From tenant and environment; both absent is the named domain `default`.
    pub fn new(tenant: Option<&str>, environment: Option<&str>) -> Domain {
        match (
            tenant.filter(|t| !t.is_empty()),
            environment.filter(|e| !e.is_empty()),
        ) {
            (None, None) => Domain(Text::const_new(Domain::DEFAULT)),
            (Some(t), None) => Domain(t.into()),
            (t, Some(e)) => Domain(compact_str::format_compact!(
                "{}/{}",
                t.unwrap_or(Domain::DEFAULT),
                e
            )),
        }
    }
    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Its tag.
    pub fn tag(&self) -> DomainTag {
        DomainTag((Hash128::new("domain").part(self.0.as_bytes()).finish() >> 64) as u64)
    }
}

impl DomainTag {
    /// The journal partition of the domain, of `partitions` in all.
    pub fn partition(self, partitions: u32) -> u32 {
        (self.0 % u64::from(partitions.max(1))) as u32
    }
}

impl AlertId {
    /// Of the alert with this dedup key in this domain.
    pub fn new(domain: &Domain, dedup_key: &str) -> AlertId {
        let hash = Hash128::new("alert")
            .part(domain.as_str().as_bytes())
            .part(dedup_key.as_bytes())
            .finish();
        AlertId(hash.into())
    }
}

/// Identities of alerts; those of late are remembered.
#[derive(Clone, Debug, Default)]
pub struct AlertIds(Memo<AlertId>);

impl AlertIds {
    /// Of the alert with this dedup key in this domain.
    pub fn of(&mut self, domain: &Domain, dedup_key: &str) -> AlertId {
        let write = |input: &mut Vec<u8>| {
            input.extend_from_slice(&(domain.as_str().len() as u64).to_le_bytes());
            input.extend_from_slice(domain.as_str().as_bytes());
            input.extend_from_slice(dedup_key.as_bytes());
        };
        self.0.of(write, || AlertId::new(domain, dedup_key))
    }
}

impl IncidentId {
    /// Of the incident opened by the alert with this dedup key and onset; `earlier` counts the incidents that the same
    /// alert opened with the same onset before.
    pub fn new(domain: &Domain, dedup_key: &str, onset: Time, earlier: u32) -> IncidentId {
        let hash = Hash128::new("incident")
            .part(domain.as_str().as_bytes())
            .part(dedup_key.as_bytes())
            .part(&onset.nanos().to_le_bytes())
            .part(&earlier.to_le_bytes())
            .finish();
        IncidentId {
            tag: domain.tag(),
            hash: hash.into(),
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for AlertId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}-{:032x}", self.tag.0, self.hash)
    }
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not an id: expected hexadecimal digits as in the records")
    }
}

impl std::error::Error for IdError {}

fn hex<const DIGITS: usize>(text: &str) -> Result<u128, IdError> {
    let plain = text.len() == DIGITS
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if plain {
        u128::from_str_radix(text, 16).map_err(|_| IdError)
    } else {
        Err(IdError)
    }
}

impl FromStr for AlertId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<AlertId, IdError> {
        hex::<32>(text).map(|bits| AlertId(bits.into()))
    }
}

impl FromStr for IncidentId {
    type Err = IdError;
    fn from_str(text: &str) -> Result<IncidentId, IdError> {
        let (tag, hash) = text.split_once('-').ok_or(IdError)?;
        Ok(IncidentId {
            tag: DomainTag(hex::<16>(tag)? as u64),
            hash: hex::<32>(hash)?.into(),
        })
    }
}

impl AlertId {
    /// Its first 64 bits.
    pub fn high(self) -> u64 {
        self.0.0[0]
    }
    const BYTES: usize = 16;
    fn to_bytes(self) -> [u8; AlertId::BYTES] {
        u128::from(self.0).to_be_bytes()
    }
    fn from_bytes(bytes: [u8; AlertId::BYTES]) -> AlertId {
        AlertId(u128::from_be_bytes(bytes).into())
    }
}

impl IncidentId {
    const BYTES: usize = 24;
    fn to_bytes(self) -> [u8; IncidentId::BYTES] {
        let mut bytes = [0; IncidentId::BYTES];
        bytes[..8].copy_from_slice(&self.tag.0.to_be_bytes());
        bytes[8..].copy_from_slice(&u128::from(self.hash).to_be_bytes());
        bytes
    }
    fn from_bytes(bytes: [u8; IncidentId::BYTES]) -> IncidentId {
        let (tag, hash) = bytes.split_at(8);
        IncidentId {
            tag: DomainTag(u64::from_be_bytes(tag.try_into().expect("split at 8"))),
            hash: u128::from_be_bytes(hash.try_into().expect("24 less 8")).into(),
        }
    }
}

/// Reads an id where it is not text.
struct Bytes<const N: usize>;

impl<const N: usize> de::Visitor<'_> for Bytes<N> {
    type Value = [u8; N];
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the {N} bytes of an id")
    }
    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<[u8; N], E> {
        bytes
            .try_into()
            .map_err(|_| E::invalid_length(bytes.len(), &self))
    }
}

macro_rules! text_form {
    ($type:ty, $name:literal, $pattern:literal) => {
        impl Serialize for $type {
            /// Text where people read it, else bytes.
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                match s.is_human_readable() {
                    true => s.collect_str(self),
                    false => s.serialize_bytes(&self.to_bytes()),
                }
            }
        }
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<$type, D::Error> {
                if !d.is_human_readable() {
                    return d.deserialize_bytes(Bytes).map(<$type>::from_bytes);
                }
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(de::Error::custom)
            }
        }
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $name.into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", "pattern": $pattern})
            }
        }
    };
}
text_form!(AlertId, "AlertId", "^[0-9a-f]{32}$");
text_form!(IncidentId, "IncidentId", "^[0-9a-f]{16}-[0-9a-f]{32}$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_the_same_number_in_both_forms() {
        let mut hash = Hash128::new("digits");
        hash.part(b"x").maybe(None);
        assert_eq!(hash.hex(), format!("{:032x}", hash.finish()));
        assert_eq!(hash.half(), hash.hex()[..16]);
    }

    #[test]
    fn ids_round_trip_and_route() {
        let domain = Domain::new(Some("shop"), None);
        let id = IncidentId::new(&domain, "k", Time::from_secs(1), 0);
        assert_eq!(id.to_string().parse::<IncidentId>(), Ok(id));
        assert_eq!(id.tag, domain.tag());
        assert_ne!(id, IncidentId::new(&domain, "k", Time::from_secs(1), 1));
        assert!(domain.tag().partition(3) < 3);
        assert!("+1".parse::<AlertId>().is_err());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let mut a = Hash128::new("x");
        let mut b = Hash128::new("x");
        assert_ne!(
            a.part(b"ab").part(b"c").finish(),
            b.part(b"a").part(b"bc").finish()
        );
        assert_ne!(
            Hash128::new("x").maybe(None).finish(),
            Hash128::new("x").maybe(Some(b"")).finish()
        );
    }
}
