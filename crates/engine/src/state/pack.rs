//! State rows as bytes: MessagePack <https://msgpack.org>, structs as maps by the names of their fields.
//!
//! Names buy that a row is never misread: a field that is new, gone or elsewhere in its struct is found or missed by its
//! name. What they cost, and what rows say twice, the compression of the batches takes back on the wire and on disk. What
//! is as in a new row is left out ([`is_new`]).

use serde::{Serialize, de::DeserializeOwned};

/// Rows are nested less deeply by far; the default of the library is more than the stack of a thread may hold.
const DEPTH_MAX: usize = 64;

/// The bytes of a row.
pub(crate) fn pack(value: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("state rows hold nothing that cannot be written")
}

/// Reads the value of a state row, for those who look at one from outside too; the error says what is wrong with it.
pub fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(DEPTH_MAX);
    T::deserialize(&mut reader).map_err(|e| e.to_string())
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
    use std::collections::BTreeMap;

    use model::{AlertId, Domain, IncidentId, Labels, Severity, Text, Time};
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Row {
        id: AlertId,
        incident: Option<IncidentId>,
        at: Time,
        #[serde(default, skip_serializing_if = "is_zero")]
        share: f64,
        #[serde(default, skip_serializing_if = "is_new")]
        count: u32,
    }

    /// Every form that serde has and rows could have.
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Form {
        Unit,
        One(i64),
        Two(Text, Option<Text>),
        Named { labels: Labels, severity: Severity },
        Many(Vec<Form>),
        Sides(BTreeMap<u64, (Time, Time)>),
        Whole(Row),
        Real(f64),
        Truth(bool, ()),
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

    fn forms() -> impl Strategy<Value = Form> {
        let text = prop_oneof!["[a-c]{0,4}", "[a-z]{30,40}", ".{0,3}"];
        let number = prop_oneof![any::<i64>(), -200_i64..70_000, Just(1_772_409_600_000_000_000)];
        let time = number.clone().prop_map(Time::from_nanos);
        let real = prop_oneof![
            Just(0.5),
            Just(-0.0),
            any::<f64>().prop_filter("equal to itself", |x| !x.is_nan())
        ];
        let flat = prop_oneof![
            Just(Form::Unit),
            number.prop_map(Form::One),
            (text, proptest::option::of("[a-c]{3}"))
                .prop_map(|(a, b)| Form::Two(a.into(), b.map(Text::from))),
            proptest::collection::vec(("[a-c]{1,3}", "[a-c]{3}"), 0..20).prop_map(|pairs| Form::Named {
                labels: pairs.into_iter().collect(),
                severity: Severity::Critical,
            }),
            proptest::collection::btree_map(any::<u64>(), (time.clone(), time), 0..40).prop_map(Form::Sides),
            real.prop_map(Form::Real),
            any::<bool>().prop_map(|truth| Form::Truth(truth, ())),
            any::<u32>().prop_map(|count| Form::Whole(Row { count, ..row() })),
        ];
        flat.prop_recursive(3, 200, 60, |inner| {
            proptest::collection::vec(inner, 0..60).prop_map(Form::Many)
        })
    }

    proptest! {
        #[test]
        fn whatever_is_written_reads_back(form in forms()) {
            prop_assert_eq!(unpack::<Form>(&pack(&form)), Ok(form));
        }

        #[test]
        fn any_bytes_are_read_or_refused(mut bytes in proptest::collection::vec(any::<u8>(), 0..40), form in forms(), at: u16, to: u8) {
            let _ = unpack::<Form>(&bytes);
            bytes = pack(&form);
            let at = usize::from(at) % bytes.len();
            bytes[at] = to;
            let _ = unpack::<Form>(&bytes);
            prop_assert!(unpack::<Form>(&pack(&form)[..at]).is_err());
        }
    }

    #[test]
    fn a_row_comes_back_to_the_bit_and_cut_it_is_refused() {
        let bytes = pack(&row());
        let read: Row = unpack(&bytes).unwrap();
        assert_eq!(read, row());
        assert!(read.share.is_sign_negative());
        assert!(!bytes.windows(5).any(|name| name == b"count"));
        for len in 0..bytes.len() {
            assert!(unpack::<Row>(&bytes[..len]).is_err(), "cut to {len}");
        }
    }

    /// A row of a million open lists must not take a million frames.
    #[test]
    fn what_is_nested_too_deeply_is_refused() {
        let bytes = vec![0x91; 1_000_000];
        assert!(unpack::<serde::de::IgnoredAny>(&bytes).is_err());
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

    /// Rows of released builds must be read for ever, or refused; never misread.
    #[test]
    fn the_form_is_as_released() {
        let hex: String = pack(&(row(), row().at, "count", Severity::Critical))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, include_str!("../../testdata/row-4.hex").trim());
    }
}
