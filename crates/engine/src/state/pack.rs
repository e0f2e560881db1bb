//! State rows as bytes: MessagePack <https://msgpack.org>, structs as lists of their fields.
//!
//! A field is found by its place, so new ones go to the end of their struct, with a default, and none is taken out or
//! moved: `testdata/row-fields.txt` holds their order. Names would be half of all bytes of a row, and a restore is as fast
//! as it reads few of them. Rows of format 4 and before, which have names, are read as well.
//!
//! Types that records show leave out what is empty, and have no fixed places; they stand in a row [`by_name`].

use serde::{Serialize, de::DeserializeOwned};

/// Rows are nested less deeply by far; the default of the library is more than the stack of a thread may hold.
const DEPTH_MAX: usize = 64;

/// The bytes of a row.
pub(crate) fn pack<T: Serialize + DeserializeOwned>(value: &T) -> Vec<u8> {
    let bytes = rmp_serde::to_vec(value).expect("state rows hold nothing that cannot be written");
    debug_assert_eq!(
        unpack::<T>(&bytes).and_then(|read| rmp_serde::to_vec(&read).map_err(|e| e.to_string())),
        Ok(bytes.clone()),
        "a row of {} does not read back",
        std::any::type_name::<T>()
    );
    bytes
}

/// The bytes of what is asked for its version before anything else is known of it, and of what records show: structs as
/// maps.
pub(crate) fn pack_by_name(value: &impl Serialize) -> Vec<u8> {
    rmp_serde::to_vec_named(value).expect("state rows hold nothing that cannot be written")
}

/// Reads the value of a state row, whichever way it was written; the error says what is wrong with it.
pub(crate) fn unpack<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let mut reader = rmp_serde::Deserializer::from_read_ref(bytes);
    reader.set_max_depth(DEPTH_MAX);
    T::deserialize(&mut reader).map_err(|e| e.to_string())
}

/// For a field of a type that records show: a row by name within the row.
pub(crate) mod by_name {
    use std::{fmt, marker::PhantomData};

    use serde::{
        Deserializer, Serialize, Serializer,
        de::{
            DeserializeOwned, Error, MapAccess, SeqAccess, Visitor,
            value::{MapAccessDeserializer, SeqAccessDeserializer},
        },
    };

    pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&super::pack_by_name(value))
    }

    pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        from: D,
    ) -> Result<T, D::Error> {
        from.deserialize_any(ByName(PhantomData))
    }

    struct ByName<T>(PhantomData<T>);

    impl<'de, T: DeserializeOwned> Visitor<'de> for ByName<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a row within the row")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
            super::unpack(bytes).map_err(E::custom)
        }

        /// As format 4 has lists.
        fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
            T::deserialize(SeqAccessDeserializer::new(list))
        }

        /// As format 4 has structs.
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(MapAccessDeserializer::new(map))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::{AlertId, Domain, IncidentId, Labels, Owner, Severity, Text, Time};
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Row {
        id: AlertId,
        incident: Option<IncidentId>,
        at: Time,
        #[serde(with = "by_name")]
        owner: Owner,
        share: f64,
        #[serde(default)]
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

    fn owner() -> Owner {
        Owner {
            team: "payments".into(),
            entity: None,
            because: Vec::new(),
        }
    }

    fn row() -> Row {
        let domain = Domain::new(Some("shop"), None);
        Row {
            id: AlertId::new(&domain, "k"),
            incident: Some(IncidentId::new(&domain, "k", Time::from_secs(1), 0)),
            at: Time::MIN,
            owner: owner(),
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
        assert!(!bytes.windows(5).any(|name| name == b"count"), "no names");
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
    fn a_field_that_is_new_has_its_default_in_rows_of_before() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Before {
            id: AlertId,
            at: Time,
        }
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Since {
            id: AlertId,
            at: Time,
            #[serde(default)]
            count: u32,
        }
        let (id, at) = (row().id, Time::from_secs(3));
        let read: Since = unpack(&pack(&Before { id, at })).unwrap();
        assert_eq!(read, Since { id, at, count: 0 });
        assert!(
            unpack::<Before>(&pack(&Since { id, at, count: 7 })).is_err(),
            "nothing is dropped unseen"
        );
    }

    #[test]
    fn rows_by_name_are_read_as_well() {
        let named = rmp_serde::to_vec_named(&As4 {
            id: row().id,
            incident: row().incident,
            at: row().at,
            owner: owner(),
            share: -0.0,
        });
        assert_eq!(unpack::<Row>(&named.unwrap()), Ok(row()));
    }

    /// A row as format 4 has it.
    #[derive(Serialize)]
    struct As4 {
        id: AlertId,
        incident: Option<IncidentId>,
        at: Time,
        owner: Owner,
        share: f64,
    }

    /// Rows of released builds must be read for ever, or refused; never misread.
    #[test]
    fn the_form_is_as_released() {
        let hex: String = pack(&(row(), row().at, "count".to_owned(), Severity::Critical))
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(hex, include_str!("../../testdata/row-5.hex").trim());
    }
}
