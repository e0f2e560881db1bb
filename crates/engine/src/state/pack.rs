//! State rows as bytes: MessagePack <https://msgpack.org>, structs as maps by the names of their fields.
//!
//! Names cost bytes, most of which compression takes back, and buy that a row is never misread: a field that is new, gone
//! or elsewhere in its struct is found or missed by its name. What is as in a new row is left out ([`is_new`]).

use std::io::ErrorKind;

use rmp_serde::decode::Error;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, IgnoredAny},
};

/// The bytes of a row.
pub(crate) fn pack(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    value
        .serialize(&mut rmp_serde::Serializer::new(&mut bytes).with_struct_map())
        .expect("state rows hold nothing that MessagePack cannot");
    bytes
}

/// Reads what [`pack`] wrote; the error says what is wrong with it.
pub(crate) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    // From a slice, so that names of fields are compared where they stand.
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    let value = T::deserialize(&mut reader).map_err(|e| e.to_string())?;
    match IgnoredAny::deserialize(&mut reader) {
        Err(Error::InvalidMarkerRead(end)) if end.kind() == ErrorKind::UnexpectedEof => Ok(value),
        _ => Err("bytes too many".to_owned()),
    }
}

/// Whether a field is as in a new row, and need not be written.
pub(crate) fn is_new<T: Default + PartialEq>(field: &T) -> bool {
    *field == T::default()
}

/// The same of a number with a sign even when it is zero.
pub(crate) fn is_zero(field: &f64) -> bool {
    field.to_bits() == 0
}

#[cfg(test)]
mod tests {
    use model::{AlertId, Domain, IncidentId, Time};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row {
        id: AlertId,
        incident: Option<IncidentId>,
        at: Time,
        #[serde(default, skip_serializing_if = "is_zero")]
        share: f64,
        #[serde(default, skip_serializing_if = "is_new")]
        count: u32,
    }

    fn row() -> Row {
        let domain = Domain::new(Some("shop"), None);
        Row {
            id: AlertId::new(&domain, "k"),
            incident: Some(IncidentId::new(&domain, "k", Time::from_secs(1), 0)),
            at: Time::MIN,
            share: -0.0,
            count: 0,
        }
    }

    #[test]
    fn a_row_comes_back_to_the_bit_and_cut_or_longer_it_is_refused() {
        let bytes = pack(&row());
        let read: Row = unpack(&bytes).unwrap();
        assert_eq!(read, row());
        assert!(read.share.is_sign_negative());
        assert!(!bytes.windows(5).any(|name| name == b"count"));
        for len in 0..bytes.len() {
            assert!(unpack::<Row>(&bytes[..len]).is_err(), "cut to {len}");
        }
        assert!(unpack::<Row>(&[&bytes[..], &[0xc0]].concat()).is_err());
    }

    #[test]
    fn fields_are_found_by_their_names() {
        #[derive(Serialize)]
        struct Later {
            count: u32,
            new: &'static str,
            at: Time,
            id: AlertId,
        }
        let later = Later {
            count: 7,
            new: "unknown to us",
            at: Time::from_secs(3),
            id: row().id,
        };
        let read: Row = unpack(&pack(&later)).unwrap();
        assert_eq!((read.count, read.at, read.incident), (7, later.at, None));
    }
}
