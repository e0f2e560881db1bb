//! Parts of a row that most rows do not have: a pointer's memory until they are first written.

use std::ops::{Deref, DerefMut};

use model::{Labels, Text};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads as a new `T` until it is first written, and takes a byte of a row until then.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seldom<T>(Option<Box<T>>);

/// The same in memory, while its row is that of a bare `T`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scarce<T>(Option<Box<T>>);

/// What can be seldom.
pub(crate) trait New: Default + 'static {
    /// A new one, for all who read it.
    const NEW: &'static Self;
}

impl<T: New> Deref for Seldom<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::NEW)
    }
}

impl<T: New> DerefMut for Seldom<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: New> Deref for Scarce<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::NEW)
    }
}

impl<T: New> DerefMut for Scarce<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: New + PartialEq> From<T> for Scarce<T> {
    fn from(value: T) -> Scarce<T> {
        Scarce((value != *T::NEW).then(|| Box::new(value)))
    }
}

impl<T: New + PartialEq> PartialEq for Scarce<T> {
    fn eq(&self, other: &Scarce<T>) -> bool {
        **self == **other
    }
}

impl<T: New + Serialize> Serialize for Scarce<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(to)
    }
}

impl<'de, T: New + PartialEq + Deserialize<'de>> Deserialize<'de> for Scarce<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Scarce<T>, D::Error> {
        T::deserialize(from).map(Scarce::from)
    }
}

impl<T: 'static> New for Vec<T> {
    const NEW: &'static Vec<T> = &Vec::new();
}

impl New for Text {
    const NEW: &'static Text = &Text::const_new("");
}

impl New for Labels {
    const NEW: &'static Labels = &Labels::new();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::pack::{pack, unpack};

    #[test]
    fn a_row_is_the_same_with_it_and_without() {
        let mut scarce = Scarce::<Vec<u64>>::default();
        assert_eq!(pack(&scarce), pack(&Vec::<u64>::new()));
        assert!(unpack::<Scarce<Vec<u64>>>(&pack(&scarce)).unwrap().0.is_none());
        scarce.push(7);
        assert_eq!(pack(&scarce), pack(&vec![7_u64]));
        assert_eq!(unpack(&pack(&scarce)), Ok(scarce.clone()));
        scarce.clear();
        assert_eq!(
            scarce,
            Scarce::default(),
            "whether it was ever written shows nowhere"
        );
    }
}
