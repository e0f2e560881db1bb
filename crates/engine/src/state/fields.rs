//! The order of the fields of state rows, which is how they are found.

use std::{collections::BTreeMap, fmt::Write};

use serde::{
    Deserialize, Deserializer,
    de::{Visitor, value::Error},
    forward_to_deserialize_any,
};

/// Tells the fields of a struct by what it asks of whoever reads it.
struct Asked<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Asked<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(serde::de::Error::custom("it is asked for its fields only"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        self.deserialize_any(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

fn of<T: for<'de> Deserialize<'de>>() -> &'static [&'static str] {
    let mut fields: &[&str] = &[];
    let asked = T::deserialize(Asked(&mut fields));
    assert!(
        asked.is_err() && !fields.is_empty(),
        "{} has fields",
        std::any::type_name::<T>()
    );
    fields
}

macro_rules! rows {
    ($($row:ty),* $(,)?) => { [$((stringify!($row).replace(' ', ""), of::<$row>())),*] };
}

#[test]
fn fields_stay_where_they_are() {
    // xtask/tests/house.rs holds that none is missing.
    use crate::{cause, engine, grouping, intake, lineage, noise, state, suppress};
    let now = rows![
        cause::history::Past,
        cause::history::SymptomCounts,
        cause::history::SystemCounts,
        cause::suggest::Together,
        crate::Books,
        engine::Meta,
        engine::RecentChange,
        grouping::announce::Tentative,
        grouping::kin::Kin,
        grouping::kin::LateOutbreak,
        grouping::kin::Outbreaks,
        grouping::pending::Pending,
        intake::delay::Delay,
        intake::merge::Said,
        intake::threshold::Came,
        intake::threshold::Tally,
        lineage::bond::Bond,
        model::Evidence,
        model::RunnerUp,
        noise::pace::Pace,
        noise::storm::Rate,
        noise::transient::Endings,
        noise::usual::Usual,
        state::alert::Alert,
        state::alert::Flap,
        state::alert::Habit,
        state::alert::Place,
        state::alert::Quieted,
        state::alert::Spot,
        state::alert::Uncounted,
        state::incident::Decaying,
        state::incident::Face,
        state::incident::Member,
        state::incident::PlaceActivity,
        state::incident::Rang,
        state::incident::State,
        state::sender::Sender,
        state::source::Source,
        state::system::Fresh,
        state::system::Minutes,
        state::system::Place,
        state::system::Settled,
        state::system::System,
        suppress::calendar::Calendar,
        suppress::quiet::Quiet,
    ];
    let text = include_str!("../../testdata/row-fields.txt");
    let known: BTreeMap<&str, Vec<&str>> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(row, fields)| (row, fields.split(' ').collect()))
        .collect();
    let mut written = String::new();
    for (row, fields) in &now {
        let before = known.get(row.as_str()).map_or(&[][..], Vec::as_slice);
        assert!(
            fields.starts_with(before),
            "{row} is read by the places of its fields: a new one goes to the end, and what is there stays\n before {before:?}\n now    {fields:?}"
        );
        writeln!(written, "{row}: {}", fields.join(" ")).expect("a text takes it");
    }
    assert_eq!(
        text, written,
        "fields are new; testdata/row-fields.txt has to say:\n{written}"
    );
}
