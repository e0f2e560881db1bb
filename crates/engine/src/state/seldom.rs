//! A part of a row that most rows do not have.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

/// Reads as a new `T` until it is first written, and takes a pointer's memory and a byte of a row until then.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Seldom<T>(Option<Box<T>>);

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
