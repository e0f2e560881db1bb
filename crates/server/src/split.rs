//! From a body to records of the log, none of them larger than the log takes.

use axum::http::StatusCode;
use serde_json::value::RawValue;
use stream::log::RECORD_BYTES_MAX;

use crate::answer::Refusal;

/// What headers and a key may take of a record.
const SPARE_BYTES: usize = 4_096;

/// The values of the records that a body becomes: one, or for a long array several arrays.
pub(crate) fn split(body: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    split_at(body, RECORD_BYTES_MAX - SPARE_BYTES)
}

fn split_at(body: &[u8], bytes_max: usize) -> Result<Vec<Vec<u8>>, Refusal> {
    if body.len() <= bytes_max {
        return Ok(vec![body.to_vec()]);
    }
    let too_large = || {
        let reason =
            format!("a single record is at most {bytes_max} bytes; only a JSON array is taken apart");
        Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, reason)
    };
    let items: Vec<&RawValue> = serde_json::from_slice(body).map_err(|_| too_large())?;
    let mut values = Vec::new();
    let mut value = Vec::new();
    for item in items {
        let item = item.get().as_bytes();
        if item.len() + 2 > bytes_max {
            return Err(too_large());
        }
        if value.len() + item.len() + 2 > bytes_max {
            value.push(b']');
            values.push(std::mem::take(&mut value));
        }
        value.push(if value.is_empty() { b'[' } else { b',' });
        value.extend(item);
    }
    if !value.is_empty() {
        value.push(b']');
        values.push(value);
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_arrays_are_taken_apart_and_nothing_is_lost() {
        let body: Vec<String> = (0..100).map(|n| format!("item {n}")).collect();
        let json = serde_json::to_vec(&body).unwrap();
        assert_eq!(split_at(&json, json.len()).unwrap(), std::slice::from_ref(&json));
        for bytes_max in [20, 50, 333] {
            let parts = split_at(&json, bytes_max).unwrap();
            assert!(parts.iter().all(|p| p.len() <= bytes_max));
            let back: Vec<String> = parts
                .iter()
                .flat_map(|p| serde_json::from_slice::<Vec<String>>(p).unwrap())
                .collect();
            assert_eq!(back, body);
        }
        assert!(split_at(&json, 5).is_err());
        assert!(split_at(br#"{"no": "array"}"#, 5).is_err());
    }
}
