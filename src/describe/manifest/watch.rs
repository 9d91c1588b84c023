//! Documents that are longer than the limit: they pass as long as nothing of ours stands in them.

use std::borrow::Cow;
use std::sync::Arc;

use super::kinds;
use crate::config::How;
use crate::core::{Core, Found};
use crate::resource::ResourceKind;

/// A longer string is no id.
const LONGEST: usize = 8 * 1024;

/// Deeper documents are not told from those that show something.
const DEEPEST: usize = 64 * 1024;

/// Looks at a document part by part, in memory that does not grow with it.
pub(super) struct Watch {
    core: Arc<Core>,
    how: How,
    levels: Vec<Level>,
    /// The string that is being read, with its first quotation mark.
    string: Option<Vec<u8>>,
    is_escaped: bool,
    /// The name that was read last, if it is one that matters.
    name: Name,
}

#[derive(Clone, Copy)]
struct Level {
    is_object: bool,
    /// Nothing below it gets services.
    is_left_alone: bool,
    /// Whether a name comes next, and no value.
    wants_name: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    Id,
    LeftAlone,
    Other,
}

impl Watch {
    pub(super) fn new(core: Arc<Core>, how: How) -> Self {
        let (levels, string) = (Vec::new(), None);
        Self { core, how, levels, string, is_escaped: false, name: Name::Other }
    }

    /// Whether nothing that may get services stands in a part, and in those before.
    pub(super) fn look(&mut self, part: &[u8]) -> bool {
        part.iter().all(|byte| self.step(*byte))
    }

    fn step(&mut self, byte: u8) -> bool {
        if let Some(string) = &mut self.string {
            if string.len() <= LONGEST {
                string.push(byte);
            }
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => return self.end_of_string(),
                _ => {}
            }
            return true;
        }
        match byte {
            b'"' => self.string = Some(vec![byte]),
            b'{' | b'[' => {
                let above = self.levels.last();
                let is_named = above.is_some_and(|above| above.is_object);
                let is_left_alone = above.is_some_and(|above| above.is_left_alone)
                    || (is_named && self.name == Name::LeftAlone);
                let is_object = byte == b'{';
                self.levels.push(Level { is_object, is_left_alone, wants_name: is_object });
                return self.levels.len() <= DEEPEST;
            }
            b'}' | b']' => {
                self.levels.pop();
            }
            b',' => self.expect_name(true),
            b':' => self.expect_name(false),
            _ => {}
        }
        true
    }

    fn expect_name(&mut self, wanted: bool) {
        if let Some(level) = self.levels.last_mut() {
            level.wants_name = wanted && level.is_object;
        }
    }

    fn end_of_string(&mut self) -> bool {
        let string = self.string.take().unwrap_or_default();
        let Some(level) = self.levels.last().copied() else { return true };
        let text = String::from_utf8_lossy(&string);
        let text: Cow<'_, str> = if text.contains('\\') {
            serde_json::from_str::<String>(&text).unwrap_or_default().into()
        } else {
            text.trim_matches('"').to_owned().into()
        };
        if level.wants_name {
            self.name = match &*text {
                "id" | "@id" => Name::Id,
                name if kinds::is_preview(name) => Name::LeftAlone,
                name if kinds::is_services(name) && !self.how.images => Name::LeftAlone,
                _ => Name::Other,
            };
            return true;
        }
        let is_id = level.is_object && self.name == Name::Id && !level.is_left_alone;
        !is_id || string.len() > LONGEST || !self.may_get_services(&text)
    }

    /// What an object is of is not known here: everything below a base counts.
    fn may_get_services(&self, id: &str) -> bool {
        let Some(own) = self.core.own_uri(id) else { return false };
        match self.core.find(own.path) {
            Found::Resource(resource) => match resource.kind() {
                ResourceKind::Content => true,
                _ => self.how.images || self.how.bodies,
            },
            Found::Public | Found::Signed(_) | Found::Refused(_) => false,
        }
    }
}
