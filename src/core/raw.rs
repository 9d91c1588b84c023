//! Values that are written once.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

pub(crate) fn raw(value: &impl Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("strings and maps with text keys are JSON")
}
